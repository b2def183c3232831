#include "simulators/pipedrive_inside.h"

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

static int64_t id_in(const struct pd_kind *kind, const struct pd_record *record, const char *code)
{
    int64_t id = 0;

    str_to_i64(pd_value(record, pd_slot(kind, code)), &id);
    return id;
}

static void people_count_add(struct pipedrive *pd, int64_t org_id, int64_t change)
{
    struct pd_record *org = (struct pd_record *)sim_table_get(&pd_organizations(pd)->table, org_id);

    if (org) {
        org->people_count += change;
    }
}

static void links_settle(struct pipedrive *pd, const struct pd_kind *kind, struct pd_record *record)
{
    int64_t former = record->org_id;

    record->owner_id = id_in(kind, record, "owner_id");
    if (kind != pd_people(pd)) {
        return;
    }
    record->org_id = record->base.archived_ms ? 0 : id_in(kind, record, "org_id");
    if (record->org_id != former) {
        people_count_add(pd, former, -1);
        people_count_add(pd, record->org_id, 1);
    }
}

static void touch(struct pd_kind *kind, struct pd_record *record, int64_t now_ms)
{
    sim_table_touch(&kind->table, &record->base, now_ms / 1000 * 1000);
}

/* A write to a child moves its parent's update_time, too. Recorded live in 2026-05 for notes. */
static void parent_bump(struct pipedrive *pd, int64_t org_id, int64_t now_ms)
{
    struct pd_record *org = pd_record_live(pd_organizations(pd), org_id);

    if (org && !(pd->quirks & PD_NO_PARENT_BUMPS)) {
        touch(pd_organizations(pd), org, now_ms);
    }
}

/* After a change of a person: its former and its present organization. */
static void parents_bump(struct pipedrive *pd, const struct pd_record *record, int64_t former,
                         int64_t now_ms)
{
    parent_bump(pd, record->org_id, now_ms);
    if (former != record->org_id) {
        parent_bump(pd, former, now_ms);
    }
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
    links_settle(pd, kind, record);
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
    parent_bump(pd, record->org_id, now_ms);
    return record;
}

bool pd_record_update(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                      const struct pd_setting *settings, size_t count, int64_t now_ms)
{
    int64_t former = record->org_id;

    if (!settings_differ(record, settings, count)) {
        if (pd->quirks & PD_NO_OP_BUMPS) {
            touch(kind, record, now_ms);
        }
        return false;
    }
    settings_apply(pd, kind, record, settings, count, now_ms);
    touch(kind, record, now_ms);
    parents_bump(pd, record, former, now_ms);
    return true;
}

/* update_time of a deleted one is when it was deleted. Source: the v2 migration guide. */
void pd_record_delete(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                      int64_t now_ms)
{
    int64_t former = record->org_id;

    record->base.archived_ms = now_ms;
    version_push(pd, kind, record, now_ms)->is_deleted = true;
    links_settle(pd, kind, record);
    touch(kind, record, now_ms);
    parents_bump(pd, record, former, now_ms);
}

void pd_record_restore(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                       int64_t now_ms)
{
    record->base.archived_ms = 0;
    version_push(pd, kind, record, now_ms)->is_deleted = false;
    links_settle(pd, kind, record);
    touch(kind, record, now_ms);
    parents_bump(pd, record, record->org_id, now_ms);
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

    if (is_part_of_name(definition)) {
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

static void people_move(struct pipedrive *pd, int64_t from, int64_t into, struct arena *arena,
                        int64_t now_ms)
{
    struct pd_kind *people = pd_people(pd);
    struct pd_setting setting = {.field = pd_slot(people, "org_id"),
                                 .text = arena_printf(arena, "%lld", (long long)into)};

    for (size_t i = 0; i < people->table.count; i++) {
        struct pd_record *person = (struct pd_record *)people->table.at[i];

        if (person->org_id == from) {
            pd_record_update(pd, people, person, &setting, 1, now_ms);
        }
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
    if (!pd_record_update(pd, kind, into, settings, kind->fields_count, now_ms)) {
        touch(kind, into, now_ms);
    }
    from->base.merged_into = into->base.id;
    if (kind == pd_organizations(pd)) {
        people_move(pd, from->base.id, into->base.id, &arena, now_ms);
    }
    pd_record_delete(pd, kind, from, now_ms);
}
