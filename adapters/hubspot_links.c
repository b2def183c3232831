/* HubSpot: reading associations. "The company" of an object is the primary one; where none is
 * marked, or no such mark exists, the one of the lowest id.
 * Linking does not move the time of an object's last change: a change of links alone is seen by
 * LIST_ALL, not by LIST_CHANGED.
 * Facts: developers.hubspot.com, associate records guide: type 1 is contact to primary company, 279
 * the plain one; ids differ by direction. */
#include "adapters/hubspot_inside.h"

#include <stdlib.h>

#include "core/jx.h"

enum { LINK_PAGES_MAX = 1000 };

const struct hubspot_relation hubspot_relations[HS_RELATIONS] = {
    {"associations.contacts", "contacts", "Contacts", true},
    {"associations.company", "companies", "Company", false},
    {"associations.deal", "deals", "Deal", false},
};

const struct hubspot_relation *hubspot_relation_of(struct str property)
{
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        if (str_equal(property, str_of(hubspot_relations[i].property))) {
            return &hubspot_relations[i];
        }
    }
    return NULL;
}

/* source: the guide's tables. */
static const struct link_types {
    const char *kind, *to;
    int primary, plain;
} TYPES[] = {
    {"contact", "companies", 1, 279},
    {"deal", "companies", 5, 341},
    {"ticket", "companies", 26, 339},
};

static const struct link_types *types_of(const char *kind, const struct hubspot_relation *relation)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (strcmp(TYPES[i].kind, kind) == 0 && strcmp(TYPES[i].to, relation->to) == 0) {
            return &TYPES[i];
        }
    }
    return NULL;
}

int hubspot_primary_type(const char *kind, const struct hubspot_relation *relation)
{
    const struct link_types *types = types_of(kind, relation);

    return types ? types->primary : 0;
}

int hubspot_plain_type(const char *kind, const struct hubspot_relation *relation)
{
    const struct link_types *types = types_of(kind, relation);

    return types ? types->plain : 0;
}

/* --- choosing --------------------------------------------------------------------------------- */

/* The links of one record. */
struct found {
    struct remote_record *record;
    struct str primary;
    struct str *ids;
    size_t count, capacity;
};

static int64_t number_of(struct str id)
{
    int64_t number = 0;

    str_to_i64(id, &number);
    return number;
}

static void add_found(struct arena *arena, struct found *found, struct str id)
{
    for (size_t i = 0; i < found->count; i++) {
        if (str_equal(found->ids[i], id)) { /* once for each label */
            return;
        }
    }
    if (found->count == found->capacity) {
        size_t capacity = found->capacity ? 2 * found->capacity : 4;
        struct str *ids = ARENA_ARRAY(arena, struct str, capacity);

        for (size_t i = 0; i < found->count; i++) {
            ids[i] = found->ids[i];
        }
        found->ids = ids;
        found->capacity = capacity;
    }
    found->ids[found->count++] = id;
}

static int compare_ids(const void *x, const void *y)
{
    int64_t a = number_of(*(const struct str *)x), b = number_of(*(const struct str *)y);

    return a < b ? -1 : a > b;
}

static json_t *text_of(struct str id)
{
    return json_stringn(id.at, id.len);
}

static void set_found(const struct found *found, const struct hubspot_relation *relation)
{
    json_t *value;

    if (found->count) {
        qsort(found->ids, found->count, sizeof *found->ids, compare_ids);
    }
    if (relation->is_list) {
        value = json_array();
        for (size_t i = 0; i < found->count; i++) {
            json_array_append_new(value, text_of(found->ids[i]));
        }
    } else if (found->primary.len) {
        value = text_of(found->primary);
    } else {
        value = found->count ? text_of(found->ids[0]) : json_null();
    }
    json_object_set_new(found->record->props, relation->property, value);
}

/* --- reading by id ---------------------------------------------------------------------------- */

/* Records whose links are being read. An input is {"id"}, or {"id","after"} for more. */
struct reading {
    struct session *session;
    struct arena *arena;
    const char *kind;
    const struct hubspot_relation *relation;
    int primary_type;
    struct found *found;
    size_t count;
    json_t *by_id;  /* id → index in found */
    json_t *inputs; /* of the next call; borrowed from the arena */
};

/* {"toObjectId","associationTypes":[{"typeId"}]}; the id is a number, in the specification text. */
static enum fail read_target(struct reading *reading, const json_t *target, struct found *found,
                             struct error *err)
{
    const json_t *types = jx_get(target, "associationTypes");
    struct str id;

    if (jx_id(reading->arena, target, "toObjectId", &id, err) != OK) {
        return err->code;
    }
    add_found(reading->arena, found, id);
    for (size_t i = 0; reading->primary_type && i < json_array_size(types); i++) {
        if (json_integer_value(jx_get(json_array_get(types, i), "typeId")) ==
            reading->primary_type) {
            found->primary = id;
        }
    }
    return OK;
}

/* A row shows a page of targets: unless the primary one is all that matters, and found, the next
 * page has to be read. */
static enum fail read_row(struct reading *reading, const json_t *row, json_t *more,
                          struct error *err)
{
    const json_t *index;
    struct found *found;
    json_t *to;
    struct str from, after;

    if (jx_id(reading->arena, jx_get(row, "from"), "id", &from, err) != OK ||
        jx_array(row, "to", &to, err) != OK ||
        hubspot_next_after(reading->arena, row, &after, err) != OK) {
        return err->code;
    }
    index = json_object_getn(reading->by_id, from.at, from.len);
    if (!index) {
        return OK; /* not asked for */
    }
    found = &reading->found[json_integer_value(index)];
    for (size_t k = 0; k < json_array_size(to); k++) {
        if (read_target(reading, json_array_get(to, k), found, err) != OK) {
            return err->code;
        }
    }
    if (after.len && !found->primary.len) {
        json_array_append_new(
            more, json_pack("{s:s%,s:s%}", "id", from.at, from.len, "after", after.at, after.len));
    }
    return OK;
}

static enum fail read_page(struct reading *reading, struct error *err)
{
    json_t *more = jx_own(reading->arena, json_array()), *results;
    struct str tail =
        arena_printf(reading->arena, "%s/%s/batch/read",
                     hubspot_object(reading->session, reading->kind), reading->relation->to);
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_associations_path(reading->session, reading->arena, tail.at),
        .body = jx_own(reading->arena, json_pack("{s:O}", "inputs", reading->inputs)),
        .bucket = HS_LINKS,
        .is_safe = true};
    struct hubspot_answer answer;

    if (hubspot_exec(reading->session, &call, reading->arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        if (read_row(reading, json_array_get(results, i), more, err) != OK) {
            return err->code;
        }
    }
    reading->inputs = more;
    return OK;
}

/* Objects without any come back as error rows, not as results: what no row names has none. */
static enum fail read_some(struct reading *reading, struct error *err)
{
    int pages = 0;

    reading->inputs = jx_own(reading->arena, json_array());
    reading->by_id = jx_own(reading->arena, json_object());
    for (size_t i = 0; i < reading->count; i++) {
        struct str id = reading->found[i].record->remote_id;

        json_array_append_new(reading->inputs, json_pack("{s:s%}", "id", id.at, id.len));
        json_object_setn_new(reading->by_id, id.at, id.len, json_integer((json_int_t)i));
    }
    while (json_array_size(reading->inputs)) {
        if (++pages > LINK_PAGES_MAX) {
            return error_set(err, FAIL_RETRY, "the listing does not end");
        }
        if (read_page(reading, err) != OK) {
            return err->code;
        }
    }
    for (size_t i = 0; i < reading->count; i++) {
        set_found(&reading->found[i], reading->relation);
    }
    return OK;
}

enum fail hubspot_read_links(struct session *session, struct arena *arena, const char *kind,
                             const struct hubspot_relation *relation, struct remote_record *records,
                             size_t count, struct error *err)
{
    struct reading reading = {.session = session,
                              .arena = arena,
                              .kind = kind,
                              .relation = relation,
                              .primary_type = hubspot_primary_type(kind, relation),
                              .found = ARENA_ARRAY(arena, struct found, HS_LINKS_READ_MAX)};

    for (size_t i = 0; i < count; i++) {
        if (records[i].state == REMOTE_LIVE) {
            reading.found[reading.count++] = (struct found){.record = &records[i]};
        }
        if (reading.count == HS_LINKS_READ_MAX || (i + 1 == count && reading.count)) {
            if (read_some(&reading, err) != OK) {
                return error_wrap(err, "%s of %s", relation->to, hubspot_object(session, kind));
            }
            reading.count = 0;
        }
    }
    return OK;
}

/* --- inline in a listing ---------------------------------------------------------------------- */

/* One row for each type: the primary one is called contact_to_company, the plain one ends in
 * _unlabeled. Without any the member is missing. */
static enum fail read_inline(struct arena *arena, const char *kind,
                             const struct hubspot_relation *relation, const json_t *row,
                             struct found *found, bool *ret_has_more, struct error *err)
{
    struct str primary = arena_printf(arena, "%s_to_company", kind);
    bool has_primary = hubspot_primary_type(kind, relation) != 0;
    json_t *associations, *links, *results;
    struct str after = STR("");

    if (jx_object_or_null(row, "associations", &associations, err) != OK ||
        jx_object_or_null(associations, relation->to, &links, err) != OK ||
        jx_array_or_null(links, "results", &results, err) != OK ||
        hubspot_next_after(arena, links, &after, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *link = json_array_get(results, i);
        struct str id;

        if (jx_id(arena, link, "id", &id, err) != OK) {
            return err->code;
        }
        add_found(arena, found, id);
        if (has_primary && str_equal(jx_text_of(jx_get(link, "type")), primary)) {
            found->primary = id;
        }
    }
    *ret_has_more = after.len > 0;
    return OK;
}

enum fail hubspot_set_inline_links(struct session *session, struct arena *arena, const char *kind,
                                   const struct hubspot_relation *relation, const json_t *rows,
                                   struct remote_record *records, size_t count, struct error *err)
{
    struct remote_record *unclear = ARENA_ARRAY(arena, struct remote_record, count + 1);
    size_t unclear_count = 0;

    for (size_t i = 0; i < count; i++) {
        struct found found = {.record = &records[i]};
        bool has_more = false;

        if (records[i].state != REMOTE_LIVE) {
            continue;
        }
        if (read_inline(arena, kind, relation, json_array_get(rows, i), &found, &has_more, err) !=
            OK) {
            return error_wrap(err, "%s of %s %" PRI_STR, relation->to,
                              hubspot_object(session, kind), STR_ARG(records[i].remote_id));
        }
        if (has_more && !found.primary.len) {
            unclear[unclear_count++] = records[i]; /* shares its props */
        } else {
            set_found(&found, relation);
        }
    }
    return hubspot_read_links(session, arena, kind, relation, unclear, unclear_count, err);
}
