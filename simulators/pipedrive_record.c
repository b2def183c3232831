#include "simulators/pipedrive_inside.h"
#include "simulators/pipedrive_webhooks.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/jx.h"

static const int64_t PURGE_AFTER_MS = 30LL * 24 * 60 * 60 * 1000;

/* --- reading -------------------------------------------------------------------------------- */

struct str pd_value(const struct pd_record *record, size_t field)
{
    return field < record->now->count ? record->now->values[field] : STR_NONE;
}

json_t *pd_tree(struct arena *arena, struct str text)
{
    static const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL; /* as bodies are read */

    return text.at ? jx_own(arena, json_loadb(text.at, text.len, flags, NULL)) : NULL;
}

int64_t pd_number(const struct pd_record *record, size_t field)
{
    int64_t number = 0;

    str_to_i64(pd_value(record, field), &number);
    return number;
}

struct str pd_plain(struct arena *arena, struct str text)
{
    json_t *tree = pd_tree(arena, text);

    return json_is_string(tree) ? jx_text_of(tree) : STR("");
}

struct pd_record *pd_record_get(const struct pd_kind *kind, int64_t id, int64_t now_ms)
{
    struct sim_record *record = sim_table_get(&kind->table, id);

    if (!record || (record->archived_ms && record->archived_ms + PURGE_AFTER_MS <= now_ms)) {
        return NULL;
    }
    return (struct pd_record *)record;
}

struct pd_record *pd_record_live(const struct pd_kind *kind, int64_t id)
{
    struct sim_record *record = sim_table_get(&kind->table, id);

    return record && !record->archived_ms ? (struct pd_record *)record : NULL;
}

struct pd_version *pd_version_indexed(const struct pipedrive *pd, const struct pd_record *record,
                                      int64_t now_ms)
{
    struct pd_version *version = record->now;

    while (version && version->at_ms > now_ms - pd->index_lag_ms) {
        version = version->older;
    }
    return version && !version->is_deleted ? version : NULL;
}

/* --- versions ------------------------------------------------------------------------------- */

static void version_free(struct pd_version *version)
{
    while (version) {
        struct pd_version *older = version->older;

        for (size_t i = 0; i < version->entries_count; i++) {
            free((char *)version->entries[i].folded.at);
            free((char *)version->entries[i].text.at);
        }
        free(version->entries);
        free(version);
        version = older;
    }
}

void pd_record_free(struct pd_record *record)
{
    version_free(record->now);
    free(record->participants);
    free(record);
}

/* Versions behind the one that the index shows are never asked for again. */
static void versions_prune(const struct pipedrive *pd, struct pd_version *newest, int64_t now_ms)
{
    struct pd_version *version = newest;

    while (version && version->at_ms > now_ms - pd->index_lag_ms) {
        version = version->older;
    }
    if (version) {
        version_free(version->older);
        version->older = NULL;
    }
}

static struct pd_version *version_push(struct pipedrive *pd, const struct pd_kind *kind,
                                       struct pd_record *record, int64_t now_ms)
{
    struct pd_version *version =
        alloc_new(1, sizeof(*version) + kind->fields_count * sizeof(version->values[0]));

    version->count = kind->fields_count;
    version->at_ms = now_ms;
    version->older = record->now;
    if (record->now) {
        version->is_deleted = record->now->is_deleted;
        memcpy(version->values, record->now->values,
               record->now->count * sizeof(version->values[0]));
    }
    record->now = version;
    versions_prune(pd, version, now_ms);
    return version;
}

/* --- links ---------------------------------------------------------------------------------- */

static int64_t id_in(const struct pd_record *record, size_t slot)
{
    return slot == SIZE_MAX ? 0 : pd_number(record, slot);
}

static void people_count_add(struct pipedrive *pd, int64_t org_id, int64_t change)
{
    struct pd_record *org = (struct pd_record *)sim_table_get(&pd_organizations(pd)->table, org_id);

    if (org) {
        org->people_count += change;
    }
}

static void person_links_settle(struct pipedrive *pd, struct pd_record *person, int64_t former)
{
    if (person->base.archived_ms) {
        person->org_id = 0;
    }
    if (person->org_id != former) {
        people_count_add(pd, former, -1);
        people_count_add(pd, person->org_id, 1);
    }
}

/* The person of a deal is one of its participants. Source: participants_count of the examples in
 * OpenAPI v1; whether the former one stays is not documented. */
static void deal_links_settle(struct pipedrive *pd, struct pd_record *deal, int64_t former,
                              int64_t now_ms)
{
    if (deal->person_id == former) {
        return;
    }
    if (former && !(pd->quirks & PD_PARTICIPANTS_STAY)) {
        pd_participant_remove(deal, former);
    }
    if (deal->person_id) {
        pd_participant_add(pd, deal, deal->person_id, now_ms);
    }
}

static void links_settle(struct pipedrive *pd, const struct pd_kind *kind, struct pd_record *record,
                         int64_t now_ms)
{
    int64_t former_org = record->org_id, former_person = record->person_id;

    record->owner_id = id_in(record, kind->owner_slot);
    record->org_id = id_in(record, kind->org_slot);
    record->person_id = id_in(record, kind->person_slot);
    record->deal_id = id_in(record, kind->deal_slot);
    if (kind == pd_people(pd)) {
        person_links_settle(pd, record, former_org);
    } else if (kind == pd_deals(pd)) {
        deal_links_settle(pd, record, former_person, now_ms);
    }
}

/* Whatever moves update_time is told, parents that are only bumped included. */
static void touch(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                  int64_t now_ms)
{
    sim_table_touch(&kind->table, &record->base, now_ms / 1000 * 1000);
    pd_news(pd, kind, record, record->base.archived_ms ? "delete" : "change", now_ms);
}

struct parents {
    int64_t org_id, person_id, deal_id;
};

static struct parents parents_of(const struct pd_record *record)
{
    return (struct parents){record->org_id, record->person_id, record->deal_id};
}

static void parent_bump(struct pipedrive *pd, struct pd_kind *kind, int64_t id, int64_t now_ms)
{
    struct pd_record *parent = id ? pd_record_live(kind, id) : NULL;

    if (parent && !(pd->quirks & PD_NO_PARENT_BUMPS)) {
        touch(pd, kind, parent, now_ms);
    }
}

/* A write to a child moves the update_time of its former and its present parents, too. Recorded
 * live in 2026-05 for notes. */
static void parents_bump(struct pipedrive *pd, const struct pd_record *record,
                         struct parents former, int64_t now_ms)
{
    struct parents now = parents_of(record);

    parent_bump(pd, pd_organizations(pd), now.org_id, now_ms);
    parent_bump(pd, pd_people(pd), now.person_id, now_ms);
    parent_bump(pd, pd_deals(pd), now.deal_id, now_ms);
    if (former.org_id != now.org_id) {
        parent_bump(pd, pd_organizations(pd), former.org_id, now_ms);
    }
    if (former.person_id != now.person_id) {
        parent_bump(pd, pd_people(pd), former.person_id, now_ms);
    }
    if (former.deal_id != now.deal_id) {
        parent_bump(pd, pd_deals(pd), former.deal_id, now_ms);
    }
}

void pd_record_touch(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                     int64_t now_ms)
{
    touch(pd, kind, record, now_ms);
    parents_bump(pd, record, parents_of(record), now_ms);
}

/* --- changing ------------------------------------------------------------------------------- */

static bool settings_differ(const struct pd_record *record, const struct pd_setting *settings,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str present = pd_value(record, settings[i].field);

        if (!present.at != !settings[i].text.at || !str_equal(present, settings[i].text)) {
            return true;
        }
    }
    return false;
}

static void settings_apply(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                           const struct pd_setting *settings, size_t count, int64_t now_ms)
{
    struct pd_version *version = version_push(pd, kind, record, now_ms);

    for (size_t i = 0; i < count; i++) {
        assert(settings[i].field < version->count);
        version->values[settings[i].field] =
            settings[i].text.at ? arena_str(&pd->arena, settings[i].text) : STR_NONE;
    }
    links_settle(pd, kind, record, now_ms);
}

struct pd_record *pd_record_create(struct pipedrive *pd, struct pd_kind *kind,
                                   const struct pd_setting *settings, size_t count,
                                   int64_t added_ms, int64_t now_ms)
{
    struct pd_record *record = alloc_new(1, sizeof(*record));

    record->base.id = kind->next_id++;
    record->base.created_ms = added_ms / 1000 * 1000;
    record->base.modified_ms = now_ms / 1000 * 1000;
    settings_apply(pd, kind, record, settings, count, now_ms);
    sim_table_add(&kind->table, &record->base);
    pd_news(pd, kind, record, "create", now_ms);
    parents_bump(pd, record, parents_of(record), now_ms);
    return record;
}

bool pd_record_update(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                      const struct pd_setting *settings, size_t count, int64_t now_ms)
{
    struct parents former = parents_of(record);

    if (!settings_differ(record, settings, count)) {
        if (pd->quirks & PD_NO_OP_BUMPS) {
            touch(pd, kind, record, now_ms);
        }
        return false;
    }
    settings_apply(pd, kind, record, settings, count, now_ms);
    touch(pd, kind, record, now_ms);
    parents_bump(pd, record, former, now_ms);
    return true;
}

/* update_time of a deleted one is when it was deleted. Source: the v2 migration guide. */
void pd_record_delete(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                      int64_t now_ms)
{
    struct parents former = parents_of(record);

    record->base.archived_ms = now_ms;
    version_push(pd, kind, record, now_ms)->is_deleted = true;
    links_settle(pd, kind, record, now_ms);
    touch(pd, kind, record, now_ms);
    parents_bump(pd, record, former, now_ms);
}

void pd_record_restore(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                       int64_t now_ms)
{
    record->base.archived_ms = 0;
    version_push(pd, kind, record, now_ms)->is_deleted = false;
    links_settle(pd, kind, record, now_ms);
    touch(pd, kind, record, now_ms);
    parents_bump(pd, record, parents_of(record), now_ms);
}

/* --- merging -------------------------------------------------------------------------------- */

static bool holds_value(const json_t *list, struct str value, bool is_caseless)
{
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item)
    {
        struct str present = jx_text_of(jx_get(item, "value"));

        if (is_caseless ? str_equal_nocase(present, value) : str_equal(present, value)) {
            return true;
        }
    }
    return false;
}

/* The survivor's entries first; what only the other has comes behind and is not primary. */
static struct str contacts_united(struct arena *arena, const struct pd_field *field,
                                  struct str winner, struct str loser)
{
    json_t *united = pd_tree(arena, winner), *more = pd_tree(arena, loser);
    size_t index;
    json_t *item;

    json_array_foreach(more, index, item)
    {
        struct str value = jx_text_of(jx_get(item, "value"));

        if (!holds_value(united, value, field->flags & PD_CASELESS)) {
            json_object_set_new(item, "primary", json_false());
            json_array_append(united, item);
        }
    }
    return jx_text(arena, united);
}

/* Of organizations, long texts of both are kept. Source: the tutorial on merging organizations;
 * how they are separated is a guess. */
static struct str texts_joined(struct arena *arena, struct str winner, struct str loser)
{
    struct str first = pd_plain(arena, winner), second = pd_plain(arena, loser);
    struct str joined =
        arena_printf(arena, "%" PRI_STR "\n%" PRI_STR, STR_ARG(first), STR_ARG(second));

    return jx_text(arena, jx_own(arena, json_stringn(joined.at, joined.len)));
}

/* Parts of the name follow the survivor's name, blank or not. */
static bool is_part_of_name(const struct pd_field *field)
{
    return str_equal(field->code, STR("first_name")) || str_equal(field->code, STR("last_name"));
}

static struct str value_merged(struct arena *arena, const struct pd_kind *kind, size_t field,
                               struct str winner, struct str loser)
{
    const struct pd_field *definition = &kind->fields[field];
    bool is_organization = strcmp(kind->spec->singular, "organization") == 0;

    if (is_part_of_name(definition) || definition->flags & PD_OWN) {
        return winner;
    }
    if (!winner.at || !loser.at || str_equal(winner, STR("\"\""))) {
        return winner.at && !loser.at ? winner : loser;
    }
    if (definition->type == PD_CONTACTS) {
        return contacts_united(arena, definition, winner, loser);
    }
    if (definition->type == PD_TEXT && is_organization && !str_equal(winner, loser)) {
        return texts_joined(arena, winner, loser);
    }
    return winner;
}

/* Where a child points to objects of this kind; SIZE_MAX nowhere. Persons of activities are
 * participants. */
static size_t slot_towards(struct pipedrive *pd, const struct pd_kind *child,
                           const struct pd_kind *parent)
{
    if (parent == pd_people(pd)) {
        return child == pd_activities(pd) ? SIZE_MAX : child->person_slot;
    }
    return parent == pd_organizations(pd) ? child->org_slot
           : parent == pd_deals(pd)       ? child->deal_slot
                                          : SIZE_MAX;
}

static void children_move(struct pipedrive *pd, struct pd_kind *child, size_t slot, int64_t from,
                          int64_t into, int64_t now_ms)
{
    AUTO_ARENA struct arena arena = {0};
    struct pd_setting setting = {.field = slot,
                                 .text = arena_printf(&arena, "%lld", (long long)into)};

    for (size_t i = 0; i < child->table.count; i++) {
        struct pd_record *record = (struct pd_record *)child->table.at[i];

        if (!record->base.archived_ms && pd_number(record, slot) == from) {
            pd_record_update(pd, child, record, &setting, 1, now_ms);
        }
    }
}

static void participants_unite(struct pipedrive *pd, const struct pd_record *from,
                               struct pd_record *into, int64_t now_ms)
{
    for (size_t i = 0; i < from->participants_count; i++) {
        pd_participant_add(pd, into, from->participants[i].person_id, now_ms);
    }
}

static void linked_move(struct pipedrive *pd, const struct pd_kind *kind,
                        const struct pd_record *from, struct pd_record *into, int64_t now_ms)
{
    for (size_t k = 0; k < PD_KINDS; k++) {
        size_t slot = slot_towards(pd, &pd->kinds[k], kind);

        if (slot != SIZE_MAX) {
            children_move(pd, &pd->kinds[k], slot, from->base.id, into->base.id, now_ms);
        }
    }
    if (kind == pd_people(pd)) {
        pd_participants_replace(pd, from->base.id, into->base.id, now_ms);
    } else if (kind == pd_deals(pd)) {
        participants_unite(pd, from, into, now_ms);
    }
}

void pd_record_merge(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *from,
                     struct pd_record *into, int64_t now_ms)
{
    AUTO_ARENA struct arena arena = {0};
    struct pd_setting *settings = arena_alloc(&arena, kind->fields_count, sizeof(*settings));

    for (size_t i = 0; i < kind->fields_count; i++) {
        settings[i] = (struct pd_setting){
            i, value_merged(&arena, kind, i, pd_value(into, i), pd_value(from, i))};
    }
    pd_news_merging(pd, kind, from->base.id, into->base.id);
    if (!pd_record_update(pd, kind, into, settings, kind->fields_count, now_ms)) {
        touch(pd, kind, into, now_ms);
    }
    from->base.merged_into = into->base.id;
    linked_move(pd, kind, from, into, now_ms);
    pd_record_delete(pd, kind, from, now_ms);
    pd_news_merging(pd, NULL, 0, 0);
}
