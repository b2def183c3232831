/* The /__sim hooks: the truth, and what a person does in Pipedrive's own pages. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/jx.h"

/* --- truth ---------------------------------------------------------------------------------- */

static void put_participants(struct buf *body, const struct pd_record *deal)
{
    sim_put(body, ",\"participants\":[");
    for (size_t i = 0; i < deal->participants_count; i++) {
        buf_addf(body, "%s%" PRId64, i ? "," : "", deal->participants[i].person_id);
    }
    sim_put(body, "]");
}

static void put_stored(struct sim_call *call, const struct pd_kind *kind,
                       const struct pd_record *record)
{
    static const struct pd_view everything = {.shows_all_custom = true};
    size_t shown = 0;

    for (size_t i = 0; i < kind->spec->fields_count; i++) {
        const struct pd_field *field = &kind->fields[i];
        struct str value = pd_value(record, i);

        if (field->derived == PD_STORED && pd_field_exists(pd_of(call), field)) {
            buf_addf(call->body, "%s\"%" PRI_STR "\":", shown++ ? "," : "", STR_ARG(field->code));
            buf_add(call->body, value.at ? value : field->empty);
        }
    }
    if (kind == pd_deals(pd_of(call))) {
        put_participants(call->body, record);
    }
    if (pd_can(kind, PD_CUSTOMIZED)) {
        sim_put(call->body, ",\"custom_fields\":");
        pd_put_custom_fields(call, kind, record, &everything);
    }
}

static void put_truth(struct sim_call *call, const struct pd_kind *kind,
                      const struct pd_record *record)
{
    buf_addf(call->body,
             "{\"id\":\"%" PRId64 "\",\"archived\":%s,\"merged_into\":", record->base.id,
             record->base.archived_ms ? "true" : "false");
    if (record->base.merged_into) {
        buf_addf(call->body, "\"%" PRId64 "\"", record->base.merged_into);
    } else {
        sim_put(call->body, "null");
    }
    buf_addf(call->body, ",\"modified_ms\":%" PRId64 ",\"fields\":{", record->base.modified_ms);
    put_stored(call, kind, record);
    sim_put(call->body, "}}");
}

bool pd_state(struct sim_call *call, struct str object)
{
    const struct pd_kind *kind = pd_kind_plural(pd_of(call), object);
    size_t shown = 0;

    for (size_t i = 0; kind && i < kind->table.count; i++) {
        const struct pd_record *record = pd_record_get(kind, kind->table.at[i]->id, call->now_ms);

        if (record) {
            sim_put(call->body, shown++ ? "," : "");
            put_truth(call, kind, record);
        }
    }
    return kind != NULL;
}

/* --- changes -------------------------------------------------------------------------------- */

static enum fail kind_get(struct sim_call *call, struct str object, struct pd_kind **ret,
                          struct error *err)
{
    *ret = pd_kind_plural(pd_of(call), object);
    return *ret ? OK
                : error_set(err, FAIL_RECORD, "no kind '%" PRI_STR "' in Pipedrive",
                            STR_ARG(object));
}

static enum fail live_get(const struct pd_kind *kind, struct str id, struct pd_record **ret,
                          struct error *err)
{
    int64_t number = 0;

    *ret = str_to_i64(id, &number) ? pd_record_live(kind, number) : NULL;
    return *ret ? OK
                : error_set(err, FAIL_RECORD, "no live record '%" PRI_STR "' among the %s",
                            STR_ARG(id), kind->spec->plural);
}

static bool settings_in(struct sim_call *call, struct pd_kind *kind, struct pd_record *record,
                        const json_t *set, struct pd_write *ret, struct error *err)
{
    struct pd_check check = {.pd = pd_of(call), .arena = call->arena, .now_ms = call->now_ms};

    if (pd_write_read(&check, kind, record, set, record ? PD_PERSON_UPDATES : PD_PERSON_CREATES,
                      ret)) {
        return true;
    }
    error_set(err, FAIL_RECORD, "%" PRI_STR, STR_ARG(check.problem));
    return false;
}

/* All the participants of a deal from now on; its person stays one. */
static void participants_set(struct sim_call *call, struct pd_record *deal, const json_t *ids)
{
    struct pipedrive *pd = pd_of(call);
    size_t index;
    json_t *id;

    for (size_t i = deal->participants_count; i-- > 0;) {
        int64_t person_id = deal->participants[i].person_id;

        if (person_id != deal->person_id) {
            pd_participant_remove(deal, person_id);
        }
    }
    json_array_foreach((json_t *)ids, index, id)
    {
        pd_participant_add(pd, deal, json_integer_value(id), call->now_ms);
    }
    pd_record_touch(pd, pd_deals(pd), deal, call->now_ms);
}

static enum fail participants_check(struct sim_call *call, const json_t *ids, struct error *err)
{
    size_t index;
    json_t *id;

    json_array_foreach((json_t *)ids, index, id)
    {
        if (!pd_record_live(pd_people(pd_of(call)), json_integer_value(id))) {
            return error_set(err, FAIL_RECORD, "participants have to be ids of persons");
        }
    }
    return OK;
}

/* Takes the participants out of what the API would not take; NULL when there are none. */
static enum fail participants_take(struct sim_call *call, const struct pd_kind *kind,
                                   const json_t **set, const json_t **ret, struct error *err)
{
    json_t *rest;

    *ret = kind == pd_deals(pd_of(call)) ? jx_get(*set, "participants") : NULL;
    if (!*ret) {
        return OK;
    }
    if (!json_is_array(*ret)) {
        return error_set(err, FAIL_RECORD, "participants have to be a list");
    }
    rest = jx_own(call->arena, json_copy((json_t *)*set));
    json_object_del(rest, "participants");
    *set = rest;
    return participants_check(call, *ret, err);
}

/* Reading a record does not show who changed it, so that by makes no difference here. */
enum fail pd_edit(struct sim_call *call, struct str object, struct str id, const json_t *set,
                  struct str by, int64_t *ret_id, struct error *err)
{
    struct pd_record *record = NULL;
    const json_t *participants;
    struct pd_write write;
    struct pd_kind *kind;

    (void)by;
    if (kind_get(call, object, &kind, err) || (id.len && live_get(kind, id, &record, err)) ||
        participants_take(call, kind, &set, &participants, err) ||
        !settings_in(call, kind, record, set, &write, err)) {
        return err->code;
    }
    record = pd_write_apply(pd_of(call), kind, record, &write, call->now_ms);
    if (participants) {
        participants_set(call, record, participants);
    }
    *ret_id = record->base.id;
    return OK;
}

enum fail pd_remove(struct sim_call *call, struct str object, struct str id, struct error *err)
{
    struct pd_record *record;
    struct pd_kind *kind;

    if (kind_get(call, object, &kind, err) || live_get(kind, id, &record, err)) {
        return err->code;
    }
    pd_record_delete(pd_of(call), kind, record, call->now_ms);
    return OK;
}

enum fail pd_restore(struct sim_call *call, struct str object, struct str id, struct error *err)
{
    struct pd_record *record = NULL;
    struct pd_kind *kind;
    int64_t number = 0;

    if (kind_get(call, object, &kind, err)) {
        return err->code;
    }
    if (str_to_i64(id, &number)) {
        record = pd_record_get(kind, number, call->now_ms);
    }
    if (!record || !record->base.archived_ms || record->base.merged_into) {
        return error_set(err, FAIL_RECORD, "no deleted record '%" PRI_STR "' that can come back",
                         STR_ARG(id));
    }
    pd_record_restore(pd_of(call), kind, record, call->now_ms);
    return OK;
}

static enum fail can_merge(const struct pd_kind *kind, struct error *err)
{
    return pd_can(kind, PD_MERGED)
               ? OK
               : error_set(err, FAIL_RECORD, "%s cannot be merged", kind->spec->plural);
}

enum fail pd_merge(struct sim_call *call, struct str object, struct str into, struct str from,
                   int64_t *ret_id, struct error *err)
{
    struct pd_record *survivor, *other;
    struct pd_kind *kind;

    if (kind_get(call, object, &kind, err) || can_merge(kind, err) ||
        live_get(kind, into, &survivor, err) || live_get(kind, from, &other, err)) {
        return err->code;
    }
    if (survivor == other) {
        return error_set(err, FAIL_RECORD, "a record cannot be merged with itself");
    }
    pd_record_merge(pd_of(call), kind, other, survivor, call->now_ms);
    *ret_id = survivor->base.id;
    return OK;
}
