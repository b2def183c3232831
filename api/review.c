/* What waits for a person: conflicts and what was set aside. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"
#include "api/json.h"
#include "store/review.h"
#include "sync/edit.h"

static struct edit edit_of(struct api_call *call, struct error *err)
{
    return (struct edit){.env = call->env,
                         .store = api_writer(call, err),
                         .tenant_id = call->tenant->id,
                         .kinds = call->setup.kinds};
}

/* --- conflicts ----------------------------------------------------------------------------------------------- */

static const char *conflict_state_name(enum conflict_state state)
{
    static const char *const NAMES[] = {"open", "resolved", "closed"};

    return NAMES[state];
}

static json_t *json_conflict(struct api_call *call, struct tx *tx,
                             const struct store_conflict *conflict)
{
    struct str name = connection_name(tx, conflict->connection_id, call->arena);
    json_t *row = json_object();

    json_object_set_new(row, "id", json_integer(conflict->id));
    json_object_set_new(row, "version", json_integer(conflict->version));
    json_object_set_new(row, "state", json_string(conflict_state_name(conflict->state)));
    json_object_set_new(row, "type",
                        json_string(conflict->type == CONFLICT_DELETE ? "delete" : "field"));
    json_object_set_new(row, "kind", json_text(conflict->kind));
    json_object_set_new(row, "record",
                        json_text(title_of_record(tx, conflict->record_id, call->arena)));
    json_object_set_new(row, "connection", json_text(name));
    json_object_set_new(row, "field", json_text(conflict->field));
    json_object_set_new(row, "here", json_value(&conflict->hub));
    json_object_set_new(row, "there", json_value(&conflict->remote));
    json_object_set_new(row, "before", json_value(&conflict->base));
    json_object_set_new(row, "here_changed_at", json_time(conflict->hub_changed_ms));
    json_object_set_new(row, "there_changed_at", json_time(conflict->remote_changed_ms));
    json_object_set_new(row, "opened_at", json_time(conflict->opened_ms));
    return row;
}

static enum fail add_record_id(struct api_call *call, struct tx *tx, int64_t record_id, json_t *row,
                               struct error *err)
{
    struct store_record record;
    bool found = false;

    if (record_id && record_by_id(tx, record_id, call->arena, &record, &found, err) != OK) {
        json_decref(row);
        return err->code;
    }
    json_object_set_new(row, "record_id", found ? json_text(record.uuid) : json_null());
    return OK;
}

enum fail handle_conflicts_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    json_t *rows = jx_own(call->arena, json_array());
    struct store_conflict *conflicts;
    size_t limit, count;
    int64_t after;
    bool all;

    if (api_query_flag(call, "all", &all, err) != OK || api_query_limit(call, &limit, err) != OK ||
        api_query_after(call, &after, err) != OK || api_read(call, &tx, err) != OK ||
        conflict_list(tx, all, after, limit, call->arena, &conflicts, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_conflict(call, tx, &conflicts[i]);

        if (add_record_id(call, tx, conflicts[i].record_id, row, err) != OK) {
            return err->code;
        }
        json_array_append_new(rows, row);
    }
    api_page(call, json_incref(rows), count == limit ? conflicts[count - 1].id : 0);
    return tx_commit(&tx, err);
}

static enum fail find_conflict(struct api_call *call, struct tx *tx, struct store_conflict *ret,
                               struct error *err)
{
    int64_t id;
    bool found;

    if (api_parameter_id(call, "id", &id, err) != OK ||
        conflict_by_id(tx, id, call->arena, ret, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no conflict %lld", (long long)id);
        error_hint(err, "list them with 'crmsync conflicts list'");
        return api_status(call, 404, err);
    }
    return OK;
}

enum fail handle_conflict_get(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_conflict conflict;
    json_t *row;

    if (api_read(call, &tx, err) != OK || find_conflict(call, tx, &conflict, err) != OK) {
        return err->code;
    }
    row = json_conflict(call, tx, &conflict);
    if (add_record_id(call, tx, conflict.record_id, row, err) != OK) {
        return err->code;
    }
    if (api_is_known(call, conflict.version)) {
        json_decref(row);
    } else {
        api_answer(call, row);
    }
    return tx_commit(&tx, err);
}

/* The given value in normal form of the conflict's field. */
static enum fail value_for(struct api_call *call, const struct store_conflict *conflict,
                           struct value *ret, struct error *err)
{
    const struct kind *kind = kind_by_name(call->setup.kinds, conflict->kind);
    const struct kind_field *field = kind ? kind_field_by_name(kind, conflict->field) : NULL;
    struct str text;

    if (!field) {
        error_set(err, FAIL_RECORD, "conflict %lld has no field that takes a value",
                  (long long)conflict->id);
        return error_hint(err, "decide for 'hub' or 'remote'");
    }
    if (jx_str_or(call->body, "value", STR(""), &text, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    *ret = VALUE_NONE;
    if (text.len && field_value_parse(field, text, call->arena, ret, err) != OK) {
        err->code = FAIL_CONFIG;
    }
    return err->code;
}

static enum fail read_decision(struct api_call *call, const struct store_conflict *conflict,
                               enum resolve_side *ret_side, struct value *ret_value,
                               struct error *err)
{
    struct str take;

    *ret_value = (struct value){0};
    if (jx_str_or(call->body, "take", STR(""), &take, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (str_equal(take, STR("value"))) {
        *ret_side = RESOLVE_VALUE;
        return value_for(call, conflict, ret_value, err);
    }
    *ret_side = str_equal(take, STR("hub")) ? RESOLVE_HUB : RESOLVE_REMOTE;
    if ((*ret_side == RESOLVE_REMOTE && !str_equal(take, STR("remote"))) ||
        jx_get(call->body, "value")) {
        error_set(err, FAIL_CONFIG, "'take' is hub, remote or value; 'value' goes with value only");
        return error_hint(err, "for example {\"take\": \"hub\", \"version\": 1}");
    }
    return OK;
}

static enum fail look_at_conflict(struct api_call *call, struct store_conflict *ret,
                                  struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (api_read(call, &tx, err) != OK || find_conflict(call, tx, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail handle_conflict_resolve(struct api_call *call, struct error *err)
{
    struct store_conflict conflict;
    enum resolve_side side;
    struct value value;
    struct edit edit;
    int64_t version;

    if (look_at_conflict(call, &conflict, err) != OK ||
        read_decision(call, &conflict, &side, &value, err) != OK ||
        api_expected_version(call, &version, err) != OK) {
        return err->code;
    }
    edit = edit_of(call, err);
    if (!edit.store) {
        return err->code;
    }
    if (resolve_conflict(&edit, conflict.id, version, side, &value, err) != OK) {
        return err->code == FAIL_RECORD ? api_status(call, 409, err) : err->code;
    }
    call->status = 204;
    return OK;
}

/* --- failures ------------------------------------------------------------------------------------------------ */

static json_t *json_failure(struct api_call *call, struct tx *tx,
                            const struct store_failure *failure)
{
    struct str name = connection_name(tx, failure->connection_id, call->arena);
    json_t *row = json_object();

    json_object_set_new(row, "id", json_integer(failure->id));
    json_object_set_new(row, "connection", json_text(name));
    json_object_set_new(row, "kind", json_text(failure->kind));
    json_object_set_new(row, "record",
                        json_text(title_of_record(tx, failure->record_id, call->arena)));
    json_object_set_new(row, "remote_id", json_text(failure->remote_id));
    json_object_set_new(row, "stage", json_text(failure->stage));
    json_object_set_new(row, "reason", json_text(failure->reason));
    json_object_set_new(row, "field", json_text(failure->field));
    json_object_set_new(row, "tries", json_integer(failure->attempts));
    json_object_set_new(row, "message", json_text(failure->message));
    json_object_set_new(row, "try", json_text(api_advice(call, failure->hint)));
    json_object_set_new(row, "state",
                        json_string(failure->state == FAILURE_OPEN ? "open" : "discarded"));
    json_object_set_new(row, "waits_for_retry", json_boolean(failure_waits_for_retry(failure)));
    json_object_set_new(row, "first_at", json_time(failure->first_ms));
    json_object_set_new(row, "last_at", json_time(failure->last_ms));
    return row;
}

enum fail handle_failures_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    json_t *rows = jx_own(call->arena, json_array());
    struct store_failure *failures;
    size_t limit, count;
    int64_t after;
    bool all;

    if (api_query_flag(call, "all", &all, err) != OK || api_query_limit(call, &limit, err) != OK ||
        api_query_after(call, &after, err) != OK || api_read(call, &tx, err) != OK ||
        failure_list(tx, all, after, limit, call->arena, &failures, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_failure(call, tx, &failures[i]);

        if (add_record_id(call, tx, failures[i].record_id, row, err) != OK) {
            return err->code;
        }
        json_array_append_new(rows, row);
    }
    api_page(call, json_incref(rows), count == limit ? failures[count - 1].id : 0);
    return tx_commit(&tx, err);
}

static enum fail find_failure(struct api_call *call, struct tx *tx, int64_t *ret, struct error *err)
{
    struct store_failure failure;
    bool found;

    if (api_parameter_id(call, "id", ret, err) != OK ||
        failure_by_id(tx, *ret, call->arena, &failure, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no failure %lld", (long long)*ret);
        error_hint(err, "list them with 'crmsync failures list'");
        return api_status(call, 404, err);
    }
    return OK;
}

enum fail handle_failure_discard(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    int64_t id;

    if (api_write(call, &tx, err) != OK || find_failure(call, tx, &id, err) != OK ||
        failure_discard(tx, id, err) != OK) {
        return err->code;
    }
    call->status = 204;
    return tx_commit(&tx, err);
}

static enum fail look_at_failure(struct api_call *call, int64_t *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (api_read(call, &tx, err) != OK || find_failure(call, tx, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail handle_failure_retry(struct api_call *call, struct error *err)
{
    struct edit edit;
    int64_t id;

    if (look_at_failure(call, &id, err) != OK) {
        return err->code;
    }
    edit = edit_of(call, err);
    if (!edit.store) {
        return err->code;
    }
    if (retry_failure(&edit, id, err) != OK) {
        return err->code == FAIL_RECORD ? api_status(call, 409, err) : err->code;
    }
    call->status = 204;
    return OK;
}
