/* The /__sim hooks: the truth, and what a person does in HubSpot's own pages. */
#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_webhooks.h"

#include <inttypes.h>

#include "core/jx.h"

static void put_fields(struct buf *body, const struct hs_kind *kind, const struct hs_record *record)
{
    size_t shown = 0;

    for (size_t i = 0; i < record->values_count; i++) {
        const struct hs_version *version = record->values[i];

        if (version) {
            sim_put(body, shown++ ? "," : "");
            sim_put_text(body, kind->properties[i].name);
            sim_put(body, ":");
            sim_put_text(body, (struct str){version->text, version->len});
        }
    }
}

static void put_linked_ids(struct buf *body, const struct hs_record *record)
{
    for (size_t i = 0; i < record->links_count; i++) {
        buf_addf(body, "%s{\"to\":\"%s\",\"id\":\"%" PRId64 "\"}", i ? "," : "",
                 record->links[i].kind->spec->plural, record->links[i].to_id);
    }
}

static void put_truth(struct buf *body, const struct hs_kind *kind, const struct hs_record *record)
{
    buf_addf(body, "{\"id\":\"%" PRId64 "\",\"archived\":%s,\"merged_into\":", record->base.id,
             record->base.archived_ms ? "true" : "false");
    if (record->base.merged_into) {
        buf_addf(body, "\"%" PRId64 "\"", record->base.merged_into);
    } else {
        sim_put(body, "null");
    }
    buf_addf(body, ",\"modified_ms\":%" PRId64 ",\"fields\":{", record->base.modified_ms);
    put_fields(body, kind, record);
    sim_put(body, "},\"links\":[");
    put_linked_ids(body, record);
    sim_put(body, "]}");
}

bool hs_state(struct sim_call *call, struct str object)
{
    const struct hs_kind *kind = hs_kind_find(hs_of(call), object);
    size_t shown = 0;

    for (size_t i = 0; kind && i < kind->table.count; i++) {
        const struct hs_record *record = (const struct hs_record *)kind->table.at[i];

        if (!record->is_purged) {
            sim_put(call->body, shown++ ? "," : "");
            put_truth(call->body, kind, record);
        }
    }
    return kind != NULL;
}

static enum fail kind_get(struct sim_call *call, struct str object, struct hs_kind **ret,
                          struct error *err)
{
    *ret = hs_kind_find(hs_of(call), object);
    return *ret ? OK
                : error_set(err, FAIL_RECORD, "no kind '%" PRI_STR "' in HubSpot", STR_ARG(object));
}

static enum fail live_get(struct sim_call *call, struct str object, struct str id,
                          struct hs_kind **ret_kind, struct hs_record **ret, struct error *err)
{
    if (kind_get(call, object, ret_kind, err)) {
        return err->code;
    }
    *ret = hs_record_live(*ret_kind, id);
    return *ret ? OK : error_set(err, FAIL_RECORD, "no live record with this id");
}

static const struct hs_source *source_of(struct str by)
{
    if (str_equal(by, STR("workflow"))) {
        return &hs_source_workflow;
    }
    return str_equal(by, STR("import")) ? &hs_source_import : &hs_source_person;
}

/* People and imports cannot bring an erased address back; the API can. */
static bool is_blocked(struct sim_call *call, const struct hs_kind *kind,
                       const struct hs_write *write)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        const struct hs_setting *setting = &write->settings[i];

        if (kind->properties[setting->property].flags & HS_EMAIL && setting->text.len &&
            json_object_getn(hs_of(call)->blocked, setting->text.at, setting->text.len)) {
            return true;
        }
    }
    return false;
}

static enum fail edit_check(struct sim_call *call, struct hs_kind *kind, struct hs_record *record,
                            const struct hs_write *write, struct error *err)
{
    if (write->problems_count) {
        return error_set(err, FAIL_RECORD, "%.*s", (int)write->problems[0].message.len,
                         write->problems[0].message.at);
    }
    if (hs_write_conflict(kind, record, write)) {
        return error_set(err, FAIL_RECORD, "another record has this unique value");
    }
    if (is_blocked(call, kind, write)) {
        return error_set(err, FAIL_RECORD, "this e-mail address was erased and is blocked");
    }
    return OK;
}

/* --- what a person links --------------------------------------------------------------------------- */

#define LINKS_PREFIX STR("associations.")

/* "associations.contacts":["1","2"] in a person's edit are all the contacts that the record has from then on. */
static void set_split(const json_t *set, json_t *properties, json_t *links)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)set, key, value)
    {
        if (str_starts(str_of(key), LINKS_PREFIX)) {
            json_object_set(links, key + LINKS_PREFIX.len, value);
        } else {
            json_object_set(properties, key, value);
        }
    }
}

static enum fail links_check(struct sim_call *call, const struct hs_kind *kind, const json_t *links,
                             struct error *err)
{
    const char *plural;
    json_t *ids, *id;
    size_t index;

    json_object_foreach((json_t *)links, plural, ids)
    {
        const struct hs_kind *to_kind = hs_kind_find(hs_of(call), str_of(plural));

        if (!to_kind || !hs_link_default(hs_of(call), kind, to_kind) || !json_is_array(ids)) {
            return error_set(err, FAIL_RECORD, "nothing to associate with among '%s'", plural);
        }
        json_array_foreach(ids, index, id)
        {
            if (!hs_record_live(to_kind, jx_text_of(id))) {
                return error_set(err, FAIL_RECORD, "no live record among the %s", plural);
            }
        }
    }
    return OK;
}

static bool is_wanted(const struct hs_kind *to_kind, const json_t *ids, int64_t to_id)
{
    size_t index;
    json_t *id;

    json_array_foreach(ids, index, id)
    {
        if (hs_record_live(to_kind, jx_text_of(id))->base.id == to_id) {
            return true;
        }
    }
    return false;
}

static void links_drop(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                       struct hs_kind *to_kind, const json_t *ids)
{
    for (size_t i = record->links_count; i-- > 0;) {
        struct hs_link link = record->links[i];

        if (link.kind == to_kind && !is_wanted(to_kind, ids, link.to_id)) {
            hs_link_remove(hs, kind, record, to_kind, hs_record_by_id(to_kind, link.to_id), NULL);
        }
    }
}

/* Checked before. */
static void links_set(struct sim_call *call, struct hs_kind *kind, struct hs_record *record,
                      const json_t *links)
{
    struct hubspot *hs = hs_of(call);
    const char *plural;
    json_t *ids, *id;
    size_t index;

    json_object_foreach((json_t *)links, plural, ids)
    {
        struct hs_kind *to_kind = hs_kind_find(hs, str_of(plural));

        links_drop(hs, kind, record, to_kind, ids);
        json_array_foreach(ids, index, id)
        {
            struct hs_record *to = hs_record_live(to_kind, jx_text_of(id));

            if (to != record && !hs_link_get(record, to_kind, to->base.id)) {
                hs_link_add(hs, kind, record, hs_link_default(hs, kind, to_kind), to);
            }
        }
    }
}

/* --- what a person does ----------------------------------------------------------------------------- */

enum fail hs_edit(struct sim_call *call, struct str object, struct str id, const json_t *set,
                  struct str by, int64_t *ret_id, struct error *err)
{
    struct hs_write write = {.is_lenient = true};
    struct hs_record *record = NULL;
    json_t *properties, *links;
    struct hs_kind *kind;

    if (id.len ? live_get(call, object, id, &kind, &record, err)
               : kind_get(call, object, &kind, err)) {
        return err->code;
    }
    properties = jx_own(call->arena, json_object());
    links = jx_own(call->arena, json_object());
    set_split(set, properties, links);
    hs_write_read(hs_of(call), kind, record, properties, call->arena, &write);
    if (edit_check(call, kind, record, &write, err) || links_check(call, kind, links, err)) {
        return err->code;
    }
    if (record) {
        hs_write_apply(hs_of(call), kind, record, &write, source_of(by), call->now_ms);
    } else {
        record = hs_write_create(hs_of(call), kind, &write, source_of(by), call->now_ms);
    }
    links_set(call, kind, record, links);
    *ret_id = record->base.id;
    return OK;
}

enum fail hs_remove(struct sim_call *call, struct str object, struct str id, struct error *err)
{
    struct hs_record *record;
    struct hs_kind *kind;

    if (live_get(call, object, id, &kind, &record, err)) {
        return err->code;
    }
    hs_record_archive(kind, record, call->now_ms);
    hs_news_of_record(hs_of(call), kind, "deletion", record->base.id, &hs_source_person,
                      call->now_ms);
    return OK;
}

enum fail hs_restore(struct sim_call *call, struct str object, struct str id, struct error *err)
{
    struct hs_record *record;
    struct hs_kind *kind;

    if (kind_get(call, object, &kind, err)) {
        return err->code;
    }
    record = hs_record_any(kind, id);
    if (!record || !record->base.archived_ms || record->base.merged_into) {
        return error_set(err, FAIL_RECORD, "no archived record with this id");
    }
    if (!hs_record_restore(kind, record, call->now_ms)) {
        return error_set(err, FAIL_RECORD, "another record has taken a unique value of it since");
    }
    hs_news_of_record(hs_of(call), kind, "restore", record->base.id, &hs_source_person,
                      call->now_ms);
    return OK;
}

enum fail hs_merge(struct sim_call *call, struct str object, struct str into, struct str from,
                   int64_t *ret_id, struct error *err)
{
    struct hs_record *primary, *other;
    struct hs_kind *kind;

    if (live_get(call, object, into, &kind, &primary, err) ||
        live_get(call, object, from, &kind, &other, err)) {
        return err->code;
    }
    if (primary == other) {
        return error_set(err, FAIL_RECORD, "a record cannot be merged with itself");
    }
    *ret_id = hs_record_merge(hs_of(call), kind, primary, other, call->now_ms)->base.id;
    return OK;
}
