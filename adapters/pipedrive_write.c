/* Pipedrive: creating, updating, deleting; one request per object, all handed to one http_exec(). A create may not be repeated: an ambiguous answer
 * leaves it unknown, and the engine looks for our key. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

enum { CALLS_MAX = 100 };

/* --- bodies -------------------------------------------------------------------------------------------------------------------- */

static struct str text_member(const json_t *props, const char *name)
{
    struct str text = jx_text_of(json_object_get(props, name));

    return text.at ? text : STR("");
}

/* The part before the @ of the primary address: something to call a person by who has no name. */
static struct str local_part(const json_t *props)
{
    const json_t *emails = json_object_get(props, "emails");
    struct str rest = jx_text_of(jx_get(json_array_get(emails, 0), "value"));

    return rest.len ? str_cut(&rest, '@') : STR("");
}

/* A person needs a name on create (v2 documents); first and last name alone do not do everywhere, so both are sent. */
static void add_person_name(json_t *body, struct arena *arena)
{
    struct str first = text_member(body, "first_name"), last = text_member(body, "last_name");
    struct str name = first.len && last.len ? arena_printf(arena, "%" PRI_STR " %" PRI_STR,
                                                           STR_ARG(first), STR_ARG(last))
                      : first.len           ? first
                                            : last;

    if (json_object_get(body, "name")) {
        return;
    }
    name = name.len ? name : local_part(body);
    if (name.len) {
        json_object_set_new(body, "name", json_stringn(name.at, name.len));
    }
}

static void set_custom(json_t *body, const char *code, json_t *value)
{
    json_t *custom = json_object_get(body, "custom_fields");

    if (!custom) {
        custom = json_object();
        json_object_set_new(body, "custom_fields", custom);
    }
    json_object_set(custom, code, value);
}

/* References arrive as text or number; v2 takes numbers only. */
static json_t *reference(json_t *value)
{
    int64_t id;

    return json_is_string(value) && str_to_i64(jx_text_of(value), &id) ? json_integer(id)
                                                                       : json_incref(value);
}

/* A part of a name that is cleared is "" here, not null. */
static json_t *name_part(json_t *value)
{
    return json_is_null(value) ? json_string("") : json_incref(value);
}

/* FAIL_RECORD: a custom field of the mapping does not exist here. */
static enum fail body_of(struct session *session, const char *kind, const struct write_item *item,
                         struct arena *arena, json_t **ret, struct error *err)
{
    json_t *body = jx_own(arena, json_object());
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        struct str property = str_of(name);
        const char *code = pipedrive_custom_code(session, kind, property);

        if (str_starts(property, STR("custom:")) && !code) {
            error_set(err, FAIL_RECORD, "pipedrive has no field '%s'", name + strlen("custom:"));
            return error_hint(err, "create that field at Pipedrive, or take it out of the mapping");
        }
        if (code || property.len == 40) {
            set_custom(body, code ? code : name, value);
        } else if (str_ends(property, STR("_id"))) {
            json_object_set_new(body, name, reference(value));
        } else if (str_equal(property, STR("first_name")) ||
                   str_equal(property, STR("last_name"))) {
            json_object_set_new(body, name, name_part(value));
        } else {
            json_object_set(body, name, value);
        }
    }
    *ret = body;
    return OK;
}

static enum fail create_body(struct session *session, const char *kind,
                             const struct write_item *item, struct arena *arena, json_t **ret,
                             struct error *err)
{
    const struct pipedrive_field *key =
        pipedrive_field_named(session, kind, STR(CORRELATION_LABEL));

    if (!key) {
        error_set(err, FAIL_CONNECTION, "pipedrive has no field '" CORRELATION_LABEL "' for %s",
                  pipedrive_object(kind));
        return error_hint(err, "run 'crmsync setup' for this connection");
    }
    if (body_of(session, kind, item, arena, ret, err) != OK) {
        return err->code;
    }
    if (strcmp(kind, "contact") == 0) {
        add_person_name(*ret, arena);
    }
    set_custom(*ret, key->code,
               jx_own(arena, json_stringn(item->correlation_key.at, item->correlation_key.len)));
    return OK;
}

/* --- outcomes ------------------------------------------------------------------------------------------------------------------ */

static void keep_refusal(struct write_item *item, const struct error *err)
{
    item->error = *err;
    if (err->is_outcome_unknown) {
        item->outcome = WRITE_UNKNOWN;
    } else if (err->code == FAIL_RECORD || err->code == FAIL_STALE || err->code == FAIL_RETRY) {
        item->outcome = WRITE_REFUSED;
    } /* else it stays pending: the whole connection has to wait or stop */
}

static void keep_outcome(struct session *session, const char *kind, struct write_item *item,
                         struct http_call *http, struct arena *arena)
{
    struct pipedrive_answer answer;
    struct remote_record record;
    struct error err = {0};
    struct str *properties;
    size_t count = 0;
    const char *name;
    json_t *value;

    if (http->attempts == 0 && http->result != OK && !http->error.is_outcome_unknown &&
        http->error.code != FAIL_RECORD) {
        item->error = http->error;
        return; /* never sent */
    }
    if (pipedrive_answer_of(http, arena, &answer, &err) != OK) {
        keep_refusal(item, &err);
        return;
    }
    properties = ARENA_ARRAY(arena, struct str, json_object_size(item->props) + 1);
    json_object_foreach(item->props, name, value)
    {
        properties[count++] = str_of(name);
    }
    if (pipedrive_read_record(session, kind, properties, count, answer.data, arena, &record,
                              &err) != OK) {
        err.is_outcome_unknown = true;
        keep_refusal(item, &err);
        return;
    }
    item->outcome = WRITE_DONE;
    item->remote_id = record.remote_id;
    item->returned = record;
}

static bool prepare_item(struct session *session, const char *kind, struct write_item *item,
                         struct arena *arena, struct http_call *ret)
{
    bool is_create = item->remote_id.len == 0;
    struct pipedrive_call call = {.method = is_create ? HTTP_POST : HTTP_PATCH,
                                  .tokens = PD_COST_WRITE,
                                  .is_safe = !is_create};
    struct error err = {0};

    if ((is_create ? create_body(session, kind, item, arena, &call.body, &err)
                   : body_of(session, kind, item, arena, &call.body, &err)) != OK) {
        item->outcome = WRITE_REFUSED;
        item->error = err;
        return false;
    }
    call.path = is_create ? arena_printf(arena, "/api/v2/%s", pipedrive_object(kind))
                          : arena_printf(arena, "/api/v2/%s/%" PRI_STR, pipedrive_object(kind),
                                         STR_ARG(http_percent_encode(arena, item->remote_id)));
    pipedrive_prepare(session, &call, arena, ret);
    return true;
}

/* The gravest failure of a batch that concerns what would come next. */
static enum fail gravest(const struct http_call *calls, size_t count, enum fail failed,
                         struct error *err)
{
    if (failed != OK) {
        return failed;
    }
    for (size_t i = 0; i < count; i++) {
        if (calls[i].result == FAIL_THROTTLED || calls[i].result == FAIL_AUTH ||
            calls[i].result == FAIL_CONNECTION) {
            *err = calls[i].error;
            return err->code;
        }
    }
    return OK;
}

static enum fail write_part(struct session *session, const char *kind, struct arena *arena,
                            struct write_item *items, size_t count, struct error *err)
{
    struct http_call *calls = ARENA_ARRAY(arena, struct http_call, count);
    struct http_call **sent = ARENA_ARRAY(arena, struct http_call *, count);
    struct write_item **owners = ARENA_ARRAY(arena, struct write_item *, count);
    size_t sent_count = 0;
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        if (items[i].outcome == WRITE_PENDING &&
            prepare_item(session, kind, &items[i], arena, &calls[sent_count])) {
            owners[sent_count] = &items[i];
            sent[sent_count] = &calls[sent_count];
            sent_count++;
        }
    }
    if (sent_count == 0) {
        return OK;
    }
    failed = http_exec(session->client, &session->account, sent, sent_count, err);
    for (size_t i = 0; i < sent_count; i++) {
        keep_outcome(session, kind, owners[i], &calls[i], arena);
    }
    failed = gravest(calls, sent_count, failed, err);
    for (size_t i = 0; i < sent_count; i++) {
        http_call_fini(&calls[i]);
    }
    return failed;
}

enum fail pipedrive_upsert(struct session *session, const char *kind, struct arena *arena,
                           struct write_item *items, size_t count, struct error *err)
{
    if (pipedrive_load_fields(session, kind, false, err) != OK) {
        return err->code;
    }
    for (size_t from = 0; from < count; from += CALLS_MAX) {
        size_t part = count - from < CALLS_MAX ? count - from : CALLS_MAX;

        if (write_part(session, kind, arena, items + from, part, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- removing ------------------------------------------------------------------------------------------------------------------ */

static void keep_removal(struct remove_item *item, struct http_call *http)
{
    item->error = http->error;
    if (http->result == OK || http->response.status == 404 || http->response.status == 410) {
        item->outcome = WRITE_DONE; /* gone already counts */
    } else if (http->error.is_outcome_unknown) {
        item->outcome = WRITE_UNKNOWN;
    } else if (http->result == FAIL_RECORD || http->result == FAIL_RETRY) {
        item->outcome = WRITE_REFUSED;
    }
}

enum fail pipedrive_remove(struct session *session, const char *kind, struct remove_item *items,
                           size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_call *calls = ARENA_ARRAY(&arena, struct http_call, count + 1);
    struct http_call **sent = ARENA_ARRAY(&arena, struct http_call *, count + 1);
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        struct pipedrive_call call = {
            .method = HTTP_DELETE, .tokens = PD_COST_DELETE, .is_safe = true};

        call.path = arena_printf(&arena, "/api/v2/%s/%" PRI_STR, pipedrive_object(kind),
                                 STR_ARG(http_percent_encode(&arena, items[i].remote_id)));
        pipedrive_prepare(session, &call, &arena, &calls[i]);
        sent[i] = &calls[i];
    }
    failed = http_exec(session->client, &session->account, sent, count, err);
    for (size_t i = 0; i < count; i++) {
        keep_removal(&items[i], &calls[i]);
    }
    failed = gravest(calls, count, failed, err);
    for (size_t i = 0; i < count; i++) {
        http_call_fini(&calls[i]);
    }
    return failed;
}
