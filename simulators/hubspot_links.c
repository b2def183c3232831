/* Associations: kept on both records, each direction with its own type ids. */
#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_webhooks.h"

#include <assert.h>

#include "core/alloc.h"

enum { LABELS_PER_PAIR_MAX = 50, FIRST_LABEL_ID = 37 };

struct pair {
    const char *from, *to;
    uint16_t id, reverse_id;
    bool is_primary;
};

/* Source: HubSpot's association type tables, "Associate records" guide of 2026. */
static const struct pair pairs[] = {
    {"contacts", "companies", 279, 280, false}, {"contacts", "companies", 1, 2, true},
    {"contacts", "deals", 4, 3, false},         {"contacts", "tickets", 15, 16, false},
    {"contacts", "contacts", 449, 449, false},  {"companies", "deals", 342, 341, false},
    {"companies", "deals", 6, 5, true},         {"companies", "tickets", 340, 339, false},
    {"companies", "tickets", 25, 26, true},     {"companies", "companies", 450, 450, false},
    {"deals", "tickets", 27, 28, false},        {"deals", "deals", 451, 451, false},
    {"tickets", "tickets", 452, 452, false},    {"contacts", "calls", 193, 194, false},
    {"contacts", "emails", 197, 198, false},    {"contacts", "meetings", 199, 200, false},
    {"contacts", "notes", 201, 202, false},     {"contacts", "tasks", 203, 204, false},
    {"companies", "calls", 181, 182, false},    {"companies", "emails", 185, 186, false},
    {"companies", "meetings", 187, 188, false}, {"companies", "notes", 189, 190, false},
    {"companies", "tasks", 191, 192, false},    {"deals", "calls", 205, 206, false},
    {"deals", "emails", 209, 210, false},       {"deals", "meetings", 211, 212, false},
    {"deals", "notes", 213, 214, false},        {"deals", "tasks", 215, 216, false},
    {"tickets", "calls", 219, 220, false},      {"tickets", "emails", 223, 224, false},
    {"tickets", "meetings", 225, 226, false},   {"tickets", "notes", 227, 228, false},
    {"tickets", "tasks", 229, 230, false},
};

/* --- types ----------------------------------------------------------------------------------------- */

static void type_add(struct hubspot *hs, struct hs_link_type type)
{
    if (hs->link_types_count == hs->link_types_capacity) {
        hs->link_types_capacity = hs->link_types_capacity ? hs->link_types_capacity * 2 : 128;
        hs->link_types = alloc_resize(hs->link_types, hs->link_types_capacity, sizeof(type));
    }
    hs->link_types[hs->link_types_count++] = type;
}

static void pair_add(struct hubspot *hs, const struct hs_link_type *type)
{
    struct hs_link_type reverse = *type;

    reverse.from = type->to;
    reverse.to = type->from;
    reverse.id = type->reverse_id;
    reverse.reverse_id = type->id;
    type_add(hs, *type);
    if (type->id != type->reverse_id) {
        type_add(hs, reverse);
    }
}

void hs_links_init(struct hubspot *hs)
{
    hs->next_label_id = FIRST_LABEL_ID;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct hs_link_type type = {.from = hs_kind_find(hs, str_of(pairs[i].from)),
                                    .to = hs_kind_find(hs, str_of(pairs[i].to)),
                                    .id = pairs[i].id,
                                    .reverse_id = pairs[i].reverse_id,
                                    .label = pairs[i].is_primary ? "Primary" : NULL,
                                    .is_primary = pairs[i].is_primary};

        assert(type.from && type.to);
        pair_add(hs, &type);
    }
}

static const struct hs_link_type *type_find(const struct hubspot *hs, const struct hs_kind *from,
                                            const struct hs_kind *to, bool is_primary)
{
    for (size_t i = 0; i < hs->link_types_count; i++) {
        const struct hs_link_type *type = &hs->link_types[i];

        if (type->from == from && type->to == to && type->is_primary == is_primary &&
            (is_primary || !type->label)) {
            return type;
        }
    }
    return NULL;
}

const struct hs_link_type *hs_link_default(const struct hubspot *hs, const struct hs_kind *from,
                                           const struct hs_kind *to)
{
    return type_find(hs, from, to, false);
}

const struct hs_link_type *hs_link_type_find(const struct hubspot *hs, const struct hs_kind *from,
                                             const struct hs_kind *to, int64_t id)
{
    for (size_t i = 0; i < hs->link_types_count; i++) {
        const struct hs_link_type *type = &hs->link_types[i];

        if (type->from == from && type->to == to && type->id == id && !type->is_archived) {
            return type;
        }
    }
    return NULL;
}

static size_t labels_count(const struct hubspot *hs, const struct hs_kind *from,
                           const struct hs_kind *to)
{
    size_t count = 0;

    for (size_t i = 0; i < hs->link_types_count; i++) {
        const struct hs_link_type *type = &hs->link_types[i];

        count += type->from == from && type->to == to && type->category == HS_LINK_USER &&
                 type->label && !type->is_archived;
    }
    return count;
}

const struct hs_link_type *hs_link_type_add(struct hubspot *hs, struct hs_kind *from,
                                            struct hs_kind *to, struct str label,
                                            struct str inverse_label)
{
    struct hs_link_type type = {.from = from, .to = to, .category = HS_LINK_USER};
    struct hs_link_type reverse;

    if (labels_count(hs, from, to) >= LABELS_PER_PAIR_MAX) {
        return NULL;
    }
    type.id = hs->next_label_id++;
    type.reverse_id = inverse_label.len || from != to ? hs->next_label_id++ : type.id;
    type.label = arena_cstr(&hs->arena, label);
    reverse = type;
    reverse.from = to;
    reverse.to = from;
    reverse.id = type.reverse_id;
    reverse.reverse_id = type.id;
    reverse.label = arena_cstr(&hs->arena, inverse_label.len ? inverse_label : label);
    type_add(hs, type);
    if (type.id != type.reverse_id) {
        type_add(hs, reverse);
    }
    return hs_link_type_find(hs, from, to, type.id);
}

void hs_link_pair_add(struct hubspot *hs, struct hs_kind *from, struct hs_kind *to)
{
    struct hs_link_type type = {.from = from, .to = to, .category = HS_LINK_USER};

    if (hs_link_default(hs, from, to)) {
        return;
    }
    type.id = hs->next_label_id++;
    type.reverse_id = from == to ? type.id : hs->next_label_id++;
    pair_add(hs, &type);
}

void hs_link_type_remove(struct hubspot *hs, const struct hs_link_type *type)
{
    uint16_t id = type->id, reverse_id = type->reverse_id;

    for (size_t i = 0; i < hs->link_types_count; i++) {
        struct hs_link_type *each = &hs->link_types[i];

        if (each->category == HS_LINK_USER && (each->id == id || each->id == reverse_id)) {
            each->is_archived = true;
        }
    }
}

/* --- one direction --------------------------------------------------------------------------------- */

const struct hs_link *hs_link_get(const struct hs_record *record, const struct hs_kind *to_kind,
                                  int64_t to_id)
{
    for (size_t i = 0; i < record->links_count; i++) {
        const struct hs_link *link = &record->links[i];

        if (link->to_id == to_id && link->kind == to_kind) {
            return link;
        }
    }
    return NULL;
}

static struct hs_link *link_make(struct hs_record *record, struct hs_kind *to_kind, int64_t to_id)
{
    struct hs_link *link = (struct hs_link *)hs_link_get(record, to_kind, to_id);

    if (link) {
        return link;
    }
    if (record->links_count == record->links_capacity) {
        record->links_capacity = record->links_capacity ? record->links_capacity * 2 : 2;
        record->links = alloc_resize(record->links, record->links_capacity, sizeof(*link));
    }
    link = &record->links[record->links_count++];
    *link = (struct hs_link){.kind = to_kind, .to_id = to_id};
    return link;
}

static bool link_has(const struct hs_link *link, uint16_t id)
{
    for (size_t i = 0; i < link->types_count; i++) {
        if (link->types[i] == id) {
            return true;
        }
    }
    return false;
}

static void link_take(struct hs_link *link, uint16_t id)
{
    size_t at = link->types_count;

    if (link_has(link, id)) {
        return;
    }
    link->types = alloc_resize(link->types, link->types_count + 1, sizeof(id));
    while (at && link->types[at - 1] > id) {
        link->types[at] = link->types[at - 1];
        at--;
    }
    link->types[at] = id;
    link->types_count++;
}

static void link_drop(struct hs_link *link, uint16_t id)
{
    size_t kept = 0;

    for (size_t i = 0; i < link->types_count; i++) {
        if (link->types[i] != id) {
            link->types[kept++] = link->types[i];
        }
    }
    link->types_count = kept;
}

static void link_delete(struct hs_record *record, const struct hs_kind *to_kind, int64_t to_id)
{
    struct hs_link *link = (struct hs_link *)hs_link_get(record, to_kind, to_id);
    size_t index;

    if (!link) {
        return;
    }
    index = (size_t)(link - record->links);
    free(link->types);
    memmove(link, link + 1, (record->links_count - index - 1) * sizeof(*link));
    record->links_count--;
}

/* --- both directions ------------------------------------------------------------------------------- */

static void add_both(struct hs_kind *kind, struct hs_record *record,
                     const struct hs_link_type *type, struct hs_record *to)
{
    link_take(link_make(record, type->to, to->base.id), type->id);
    link_take(link_make(to, kind, record->base.id), type->reverse_id);
}

/* Only one company is the primary one of a contact, deal or ticket: takes the mark from the others. */
static void primary_unmark(struct hs_kind *kind, struct hs_record *record,
                           const struct hs_link_type *primary)
{
    for (size_t i = 0; i < record->links_count; i++) {
        struct hs_link *link = &record->links[i];
        struct hs_record *other;
        struct hs_link *back;

        if (link->kind != primary->to || !link_has(link, primary->id)) {
            continue;
        }
        link_drop(link, primary->id);
        other = hs_record_by_id(link->kind, link->to_id);
        back = other ? (struct hs_link *)hs_link_get(other, kind, record->base.id) : NULL;
        if (back) {
            link_drop(back, primary->reverse_id);
        }
    }
}

static bool has_link_to_kind(const struct hs_record *record, const struct hs_kind *to_kind)
{
    for (size_t i = 0; i < record->links_count; i++) {
        if (record->links[i].kind == to_kind) {
            return true;
        }
    }
    return false;
}

static bool kind_is_companies(const struct hs_kind *kind)
{
    return str_equal(str_of(kind->spec->plural), STR("companies"));
}

/* The side that has at most one primary company is the one that is not the company. */
static void primary_make(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                         struct hs_kind *to_kind, struct hs_record *to)
{
    const struct hs_link_type *primary = type_find(hs, kind, to_kind, true);

    if (!primary) {
        return;
    }
    if (kind_is_companies(kind)) {
        primary_make(hs, to_kind, to, kind, record);
        return;
    }
    primary_unmark(kind, record, primary);
    add_both(kind, record, primary, to);
}

void hs_link_add(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                 const struct hs_link_type *type, struct hs_record *to)
{
    struct hs_link_type wanted = *type; /* the table may move */
    const struct hs_link_type *plain = hs_link_default(hs, kind, type->to);
    struct hs_kind *to_kind = type->to;
    bool is_first_company = kind_is_companies(kind)
                                ? !has_link_to_kind(to, kind)
                                : kind_is_companies(to_kind) && !has_link_to_kind(record, to_kind);

    if (plain) {
        add_both(kind, record, plain, to);
    }
    if (!wanted.is_primary) {
        add_both(kind, record, &wanted, to);
    }
    if (wanted.is_primary || is_first_company) {
        primary_make(hs, kind, record, to_kind, to);
    }
    hs_news_of_link(hs, kind, record->base.id, to_kind, to->base.id, false);
}

void hs_link_remove(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                    struct hs_kind *to_kind, struct hs_record *to, const struct hs_link_type *type)
{
    const struct hs_link_type *plain = hs_link_default(hs, kind, to_kind);
    struct hs_link *link, *back;

    hs_news_of_link(hs, kind, record->base.id, to_kind, to->base.id, true);
    if (!type || (plain && type->id == plain->id)) {
        link_delete(record, to_kind, to->base.id);
        link_delete(to, kind, record->base.id);
        return;
    }
    link = (struct hs_link *)hs_link_get(record, to_kind, to->base.id);
    back = (struct hs_link *)hs_link_get(to, kind, record->base.id);
    if (link && back) {
        link_drop(link, type->id);
        link_drop(back, type->reverse_id);
    }
}

/* --- asking ---------------------------------------------------------------------------------------- */

int64_t hs_link_primary(const struct hs_record *record)
{
    enum { CONTACT_TO_PRIMARY_COMPANY = 1 };

    for (size_t i = 0; i < record->links_count; i++) {
        const struct hs_link *link = &record->links[i];

        if (kind_is_companies(link->kind) && link_has(link, CONTACT_TO_PRIMARY_COMPANY)) {
            return link->to_id;
        }
    }
    return 0;
}

int64_t hs_links_live_count(const struct hs_record *record, const char *plural)
{
    int64_t count = 0;

    for (size_t i = 0; i < record->links_count; i++) {
        const struct hs_link *link = &record->links[i];
        const struct hs_record *other;

        if (str_equal(str_of(link->kind->spec->plural), str_of(plural))) {
            other = hs_record_by_id(link->kind, link->to_id);
            count += other && hs_record_is_live(other);
        }
    }
    return count;
}

/* Whether the record has its one primary company; a company may be that of many. */
static bool primary_is_taken(const struct hs_kind *kind, const struct hs_record *record,
                             const struct hs_link_type *primary)
{
    for (size_t i = 0; i < record->links_count && !kind_is_companies(kind); i++) {
        if (record->links[i].kind == primary->to && link_has(&record->links[i], primary->id)) {
            return true;
        }
    }
    return false;
}

/* The survivor's own primary mark is kept: it was moved first. */
void hs_links_move(struct hubspot *hs, struct hs_kind *kind, struct hs_record *from,
                   struct hs_record *to)
{
    while (from->links_count) {
        struct hs_link link = from->links[from->links_count - 1];
        struct hs_record *other = hs_record_by_id(link.kind, link.to_id);

        for (size_t i = 0; other && other != to && i < link.types_count; i++) {
            const struct hs_link_type *type = hs_link_type_find(hs, kind, link.kind, link.types[i]);

            if (type && !(type->is_primary && primary_is_taken(kind, to, type))) {
                hs_link_add(hs, kind, to, type, other);
            }
        }
        if (other) {
            link_delete(other, kind, from->base.id);
        }
        link_delete(from, link.kind, link.to_id);
    }
}
