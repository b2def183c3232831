/* The /__sim hooks: the truth, and what a person does in Salesforce's own pages. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"

/* --- truth ------------------------------------------------------------------------------------- */

static void put_truth(struct sim_call *call, const struct sf_record *record)
{
    const struct sf_object *object = record->object;
    char id[SF_ID_BYTES];
    size_t shown = 0;

    sf_record_id(record, id);
    buf_addf(call->body, "{\"id\":\"%s\",\"archived\":%s,\"merged_into\":", id,
             record->base.archived_ms ? "true" : "false");
    if (record->base.merged_into) {
        sf_id_format(object->prefix, record->base.merged_into, id);
        sim_put_text(call->body, str_of(id));
    } else {
        sim_put(call->body, "null");
    }
    sim_put(call->body, ",\"modified_ms\":");
    sim_put_i64(call->body, record->base.modified_ms);
    sim_put(call->body, ",\"fields\":{");
    for (size_t i = 0; i < object->fields_count; i++) {
        const struct sf_field *field = object->fields[i];

        if (field->derived == SF_STORED && field->type != SF_ADDRESS &&
            !(field->flags & SF_DROPPED)) {
            buf_addf(call->body, "%s\"%" PRI_STR "\":", shown++ ? "," : "", STR_ARG(field->name));
            sf_put_value(call->body, field, record);
        }
    }
    sim_put(call->body, "}}");
}

bool sf_state(struct sim_call *call, struct str name)
{
    const struct sf_object *object = sf_object_find(sf_of(call), name);
    size_t shown = 0;

    for (size_t i = 0; object && i < object->table.count; i++) {
        const struct sf_record *record = (struct sf_record *)object->table.at[i];

        if (!record->is_purged) {
            sim_put(call->body, shown++ ? "," : "");
            put_truth(call, record);
        }
    }
    return object != NULL;
}

struct str sf_id_text(struct sim_call *call, struct str name, int64_t number)
{
    const struct sf_object *object = sf_object_find(sf_of(call), name);
    char id[SF_ID_BYTES];

    sf_id_format(object->prefix, number, id);
    return arena_str(call->arena, str_of(id));
}

/* --- changes ----------------------------------------------------------------------------------- */

/* What a person does is not held up by the integration user's rights or by locks. */
static void person_begin(struct sim_call *call, struct str by, struct sf_unit *ret)
{
    struct salesforce *sf = sf_of(call);

    sf_unit_begin(call, ret);
    ret->is_person = true;
    ret->session =
        (struct sf_session){.user = str_equal(by, STR("integration")) ? sf->api_user : sf->person};
    ret->client = STR_NONE;
}

static enum fail told(const struct sf_error *refusal, struct error *err)
{
    return error_set(err, FAIL_RECORD, "%s: %" PRI_STR, refusal->code, STR_ARG(refusal->message));
}

static enum fail object_get(struct sim_call *call, struct str name, struct sf_object **ret,
                            struct error *err)
{
    *ret = sf_object_find(sf_of(call), name);
    return *ret ? OK
                : error_set(err, FAIL_RECORD, "no object '%" PRI_STR "' in Salesforce",
                            STR_ARG(name));
}

static enum fail record_get(struct sim_call *call, const struct sf_object *object, struct str id,
                            struct sf_record **ret, struct error *err)
{
    *ret = sf_record_of_id(sf_of(call), id);
    return *ret && (*ret)->object == object
               ? OK
               : error_set(err, FAIL_RECORD, "no record '%" PRI_STR "' of %" PRI_STR, STR_ARG(id),
                           STR_ARG(object->name));
}

static enum fail live_get(struct sim_call *call, const struct sf_object *object, struct str id,
                          struct sf_record **ret, struct error *err)
{
    if (record_get(call, object, id, ret, err)) {
        return err->code;
    }
    return sf_record_is_live(*ret)
               ? OK
               : error_set(err, FAIL_RECORD, "record '%" PRI_STR "' is deleted", STR_ARG(id));
}

enum fail sf_edit(struct sim_call *call, struct str name, struct str id, const json_t *set,
                  struct str by, int64_t *ret_id, struct error *err)
{
    struct sf_record *record = NULL;
    struct sf_object *object;
    struct sf_error refusal;
    struct sf_unit unit;
    bool is_done;

    if (object_get(call, name, &object, err) ||
        (id.len && live_get(call, object, id, &record, err))) {
        return err->code;
    }
    person_begin(call, by, &unit);
    if (record) {
        is_done = sf_update(&unit, record, set, &refusal);
    } else {
        record = sf_create(&unit, object, set, &refusal);
        is_done = record != NULL;
    }
    sf_unit_end(&unit, is_done);
    if (!is_done) {
        return told(&refusal, err);
    }
    *ret_id = record->base.id;
    return OK;
}

enum fail sf_remove(struct sim_call *call, struct str name, struct str id, struct error *err)
{
    struct sf_record *record;
    struct sf_object *object;
    struct sf_error refusal;
    struct sf_unit unit;
    bool is_done;

    if (object_get(call, name, &object, err) || live_get(call, object, id, &record, err)) {
        return err->code;
    }
    person_begin(call, STR("person"), &unit);
    is_done = sf_delete(&unit, record, &refusal);
    sf_unit_end(&unit, is_done);
    return is_done ? OK : told(&refusal, err);
}

enum fail sf_restore(struct sim_call *call, struct str name, struct str id, struct error *err)
{
    struct sf_record *record;
    struct sf_object *object;
    struct sf_error refusal;
    struct sf_unit unit;
    bool is_done;

    if (object_get(call, name, &object, err) || record_get(call, object, id, &record, err)) {
        return err->code;
    }
    person_begin(call, STR("person"), &unit);
    is_done = sf_undelete(&unit, record, &refusal);
    sf_unit_end(&unit, is_done);
    return is_done ? OK : told(&refusal, err);
}

enum fail sf_merge_ordered(struct sim_call *call, struct str name, struct str into, struct str from,
                           int64_t *ret_id, struct error *err)
{
    struct sf_record *master, *loser;
    struct sf_object *object;
    struct sf_error refusal;
    struct sf_unit unit;
    bool is_done;

    if (object_get(call, name, &object, err) || live_get(call, object, into, &master, err) ||
        live_get(call, object, from, &loser, err)) {
        return err->code;
    }
    person_begin(call, STR("person"), &unit);
    is_done = sf_merge(&unit, master, &loser, 1, &refusal);
    sf_unit_end(&unit, is_done);
    if (!is_done) {
        return told(&refusal, err);
    }
    *ret_id = master->base.id;
    return OK;
}
