/* Pipedrive: creating, updating, deleting; one request per object, all handed to one
 * http_exec(). A create may not be repeated: an ambiguous answer leaves it unknown, and the
 * engine looks for our key. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

enum { CALLS_MAX = 100 };

/* --- bodies ----------------------------------------------------------------------------------- */

static struct str text_member(const json_t *props, const char *name)
{
    struct str text = jx_text_of(json_object_get(props, name));

    return text.at ? str_trim(text) : STR("");
}

/* The primary address, else the first. */
static struct str primary_email(const json_t *props)
{
    const json_t *emails = json_object_get(props, "emails");

    for (size_t i = 0; i < json_array_size(emails); i++) {
        const json_t *email = json_array_get(emails, i);

        if (json_is_true(jx_get(email, "primary")) && jx_text_of(jx_get(email, "value")).len) {
            return jx_text_of(jx_get(email, "value"));
        }
    }
    return jx_text_of(jx_get(json_array_get(emails, 0), "value"));
}

/* The part before the @: something to call a person by who has no name. */
static struct str local_part(const json_t *props)
{
    struct str rest = primary_email(props);

    return rest.len ? str_cut(&rest, '@') : STR("");
}

static void set_text(json_t *body, const char *name, struct str text)
{
    json_object_set_new(body, name, json_stringn(text.at ? text.at : "", text.len));
}

/* A person needs a name on create (v2 documents); first and last name alone do not do
 * everywhere, so both are sent. And since Pipedrive makes up the parts that are not sent out of
 * the name, both parts are sent, blank ones too. */
static void add_person_name(json_t *body, struct arena *arena)
{
    struct str first = text_member(body, "first_name"), last = text_member(body, "last_name");
    struct str name =
        str_trim(arena_printf(arena, "%" PRI_STR " %" PRI_STR, STR_ARG(first), STR_ARG(last)));

    if (text_member(body, "name").len) {
        return;
    }
    name = name.len ? name : local_part(body);
    if (name.len) {
        set_text(body, "name", name);
        set_text(body, "first_name", first);
        set_text(body, "last_name", last);
    }
}

static void set_custom(json_t *body, struct str code, json_t *value)
{
    json_t *custom = json_object_get(body, "custom_fields");

    if (!custom) {
        custom = json_object();
        json_object_set_new(body, "custom_fields", custom);
    }
    json_object_setn(custom, code.at, code.len, value);
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

/* A choice of several is cleared with null; an empty list is refused. source: OpenAPI v2, PATCH
 * /deals/{id} */
static json_t *choice(json_t *value)
{
    return json_is_array(value) && json_array_size(value) == 0 ? json_null() : value;
}

static json_t *members_of(const struct session *session, const char *kind,
                          const struct write_item *item, struct arena *arena)
{
    json_t *body = jx_own(arena, json_object());
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        struct str property = str_of(name), code = pipedrive_custom_code(session, kind, property);

        if (code.len) {
            set_custom(body, code, choice(value));
        } else if (str_ends(property, STR("_id"))) {
            json_object_set_new(body, name, reference(value));
        } else if (str_equal(property, STR("first_name")) ||
                   str_equal(property, STR("last_name"))) {
            json_object_set_new(body, name, name_part(value));
        } else {
            json_object_set(body, name, value);
        }
    }
    return body;
}

static enum fail body_of(const struct session *session, const char *kind,
                         const struct write_item *item, struct arena *arena, json_t **ret,
                         struct error *err)
{
    const struct pipedrive_field *key =
        pipedrive_field_named(session, kind, STR(CORRELATION_LABEL));
    bool is_create = item->remote_id.len == 0;
    json_t *body = members_of(session, kind, item, arena);

    *ret = body;
    switch (pipedrive_kind_index(kind)) {
    case PD_CONTACT:
        if (is_create) {
            add_person_name(body, arena);
        }
        break;
    case PD_DEAL:
        pipedrive_deal_body(session, body, item, arena);
        break;
    case PD_ACTIVITY: /* has no place for our key */
        return pipedrive_activity_body(body, item, arena, err);
    case PD_COMPANY:
    case PD_KINDS:
        break;
    }
    if (is_create) {
        set_custom(
            body, str_of(key->code),
            jx_own(arena, json_stringn(item->correlation_key.at, item->correlation_key.len)));
    }
    return OK;
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void keep_refusal(struct write_item *item, const struct error *err)
{
    item->error = *err;
    if (err->is_outcome_unknown) {
        item->outcome = WRITE_UNKNOWN;
    } else if (err->code == FAIL_RECORD || err->code == FAIL_STALE || err->code == FAIL_RETRY) {
        item->outcome = WRITE_REFUSED;
    } /* else it stays pending: the whole connection has to wait or stop */
}

/* Names of all members that the items write. */
static struct str *all_names(const struct write_item *items, size_t count, struct arena *arena,
                             size_t *ret_count)
{
    size_t most = 0;
    struct str *all;

    for (size_t i = 0; i < count; i++) {
        most += json_object_size(items[i].props);
    }
    all = ARENA_ARRAY(arena, struct str, most + 1);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name;
        json_t *value;

        json_object_foreach(items[i].props, name, value)
        {
            all[(*ret_count)++] = str_of(name);
        }
    }
    return all;
}

/* The object as the answer shows it. What cannot be read may well be written. */
static enum fail read_written(struct session *session, const char *kind, struct write_item *item,
                              const struct pipedrive_answer *answer, struct arena *arena,
                              struct error *err)
{
    size_t count;
    struct str *names = all_names(item, 1, arena, &count);
    bool is_note = pipedrive_kind_index(kind) == PD_ACTIVITY && pipedrive_writes_note(item);
    struct remote_record record;

    if ((is_note ? pipedrive_read_note(answer->data, arena, &record, err)
                 : pipedrive_read_record(session, kind, names, count, answer->data, arena, &record,
                                         err)) != OK) {
        err->is_outcome_unknown = true;
        return err->code;
    }
    if (item->remote_id.len && !str_equal(item->remote_id, record.remote_id)) {
        error_set(err, FAIL_RETRY, "pipedrive answered with another object than the one written");
        err->is_outcome_unknown = true;
        return err->code;
    }
    if (record.state == REMOTE_GONE) {
        return error_set(err, FAIL_STALE, "the object was deleted at pipedrive");
    }
    item->outcome = WRITE_DONE;
    item->remote_id = record.remote_id;
    item->returned = record;
    return OK;
}

static void keep_outcome(struct session *session, const char *kind, struct write_item *item,
                         struct http_call *http, struct arena *arena)
{
    struct pipedrive_answer answer;
    struct error err = {0};

    if (http->attempts == 0 && http->result != OK && !http->error.is_outcome_unknown &&
        http->error.code != FAIL_RECORD) {
        item->error = http->error;
        return; /* never sent */
    }
    if (pipedrive_answer_of(http, arena, &answer, &err) != OK ||
        read_written(session, kind, item, &answer, arena, &err) != OK) {
        keep_refusal(item, &err);
    }
}

/* One object that this user may not change must not stop the others. */
static void soften_denial(struct http_call *http)
{
    if (http->result == FAIL_CONNECTION && pipedrive_is_about_record(&http->response)) {
        error_set(&http->error, FAIL_RECORD, "pipedrive does not let this user change the object");
        error_hint(&http->error,
                   "give the token's user the right to edit and delete what others own");
        http->error.http_status = http->response.status;
        http->result = FAIL_RECORD;
    }
}

/* Archived deals are read-only. source: developers.pipedrive.com/changelog, breaking change of
 * 2025-07-15; which status refuses them is not documented. */
static void explain_archive(struct http_call *http, const struct write_item *item)
{
    int status = http->response.status;

    if (http->result != OK && json_is_true(json_object_get(item->current, "is_archived")) &&
        (status == 400 || status == 403 || status == 404 || status == 405 || status == 409 ||
         status == 410)) {
        error_set(&http->error, FAIL_RECORD,
                  "the deal lies in pipedrive's archive, where nothing can be changed");
        error_hint(&http->error, "take the deal out of the archive at Pipedrive");
        http->error.http_status = status;
        http->result = FAIL_RECORD;
    }
}

static struct str write_path(const char *kind, const struct write_item *item, struct arena *arena)
{
    bool is_note = pipedrive_kind_index(kind) == PD_ACTIVITY && pipedrive_writes_note(item);
    struct str id = pipedrive_bare_id(item->remote_id);

    return arena_printf(arena, "/api/%s/%s%s%" PRI_STR, is_note ? "v1" : "v2",
                        is_note ? "notes" : pipedrive_object(kind), id.len ? "/" : "",
                        STR_ARG(http_percent_encode(arena, id)));
}

/* *ret_empty: there is nothing to say about the object itself. */
static enum fail prepare_item(struct session *session, const char *kind,
                              const struct write_item *item, struct arena *arena,
                              struct http_call *ret, bool *ret_empty, struct error *err)
{
    bool is_create = item->remote_id.len == 0;
    bool is_note = pipedrive_kind_index(kind) == PD_ACTIVITY && pipedrive_writes_note(item);
    struct pipedrive_call call = {.method = is_create ? HTTP_POST
                                            : is_note ? HTTP_PUT
                                                      : HTTP_PATCH,
                                  .path = write_path(kind, item, arena),
                                  .tokens = is_note ? PD_COST_V1_WRITE : PD_COST_WRITE,
                                  .is_safe = !is_create};

    if (body_of(session, kind, item, arena, &call.body, err) != OK) {
        return err->code;
    }
    *ret_empty = json_object_size(call.body) == 0;
    if (!*ret_empty) {
        pipedrive_prepare(session, &call, arena, ret);
    }
    return OK;
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

/* Calls of one batch, and whose they are. */
struct batch {
    struct http_call *calls;
    struct http_call **sent;
    struct write_item **owners;
    size_t count;
    struct pipedrive_people_work *works; /* deals whose people are written afterwards */
    size_t works_count;
};

/* Nothing of a deal itself changes: its people may. */
static void keep_empty(struct write_item *item, struct arena *arena)
{
    if (!json_object_get(item->props, PD_DEAL_CONTACTS)) {
        error_set(&item->error, FAIL_RECORD,
                  "pipedrive takes none of these members in the deal's present state");
        item->outcome = WRITE_REFUSED;
        return;
    }
    item->outcome = WRITE_DONE;
    item->returned = (struct remote_record){.remote_id = item->remote_id,
                                            .state = REMOTE_LIVE,
                                            .correlation_key = STR(""),
                                            .props = jx_own(arena, json_object())};
}

static void add_to_batch(struct session *session, const char *kind, struct write_item *item,
                         struct arena *arena, struct batch *batch)
{
    struct http_call *call = &batch->calls[batch->count];
    struct error err = {0};
    bool is_empty = false;

    if (pipedrive_kind_index(kind) == PD_DEAL &&
        pipedrive_deal_people(item, arena, &batch->works[batch->works_count])) {
        batch->works[batch->works_count++].item = item;
    }
    if (prepare_item(session, kind, item, arena, call, &is_empty, &err) != OK) {
        keep_refusal(item, &err);
    } else if (is_empty) {
        keep_empty(item, arena);
    } else {
        batch->owners[batch->count] = item;
        batch->sent[batch->count++] = call;
    }
}

static enum fail send_batch(struct session *session, const char *kind, struct arena *arena,
                            struct batch *batch, struct error *err)
{
    enum fail failed;

    if (batch->count == 0) {
        return OK;
    }
    failed = http_exec(session->client, &session->account, batch->sent, batch->count, err);
    for (size_t i = 0; i < batch->count; i++) {
        explain_archive(&batch->calls[i], batch->owners[i]);
        soften_denial(&batch->calls[i]);
        keep_outcome(session, kind, batch->owners[i], &batch->calls[i], arena);
        if (batch->calls[i].response.status == 400) { /* a field may have been deleted or changed */
            pipedrive_distrust_fields(session, kind);
        }
    }
    failed = gravest(batch->calls, batch->count, failed, err);
    for (size_t i = 0; i < batch->count; i++) {
        http_call_fini(&batch->calls[i]);
    }
    return failed;
}

/* A deal of which nothing but people was to be written, and nobody was, is not written. */
static void keep_people(struct pipedrive_people_work *work)
{
    struct write_item *item = work->item;

    if (work->failed) {
        json_object_del(item->returned.props, PD_DEAL_CONTACTS);
        if (json_object_size(item->returned.props) == 0 && work->done == 0) {
            item->outcome = WRITE_PENDING;
            item->returned = (struct remote_record){0};
            keep_refusal(item, &work->error);
        }
    }
}

/* Deals that were written get their people; what they hold then is shown with what came back. */
static enum fail finish_deals(struct session *session, struct arena *arena,
                              struct write_item *items, size_t count, struct batch *batch,
                              enum fail failed, struct error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct pipedrive_people_work work;

        if (items[i].outcome == WRITE_DONE && items[i].returned.props &&
            json_object_get(items[i].props, PD_DEAL_CONTACTS)) {
            pipedrive_deal_people(&items[i], arena, &work);
            json_object_set(items[i].returned.props, PD_DEAL_CONTACTS,
                            pipedrive_people_json(work.person, &work.wanted, arena));
        }
    }
    for (size_t i = 0; i < batch->works_count; i++) {
        if (batch->works[i].item->outcome == WRITE_DONE) {
            batch->works[kept++] = batch->works[i];
        }
    }
    if (failed == OK) {
        failed = pipedrive_write_people(session, batch->works, kept, arena, err);
    } else {
        pipedrive_give_up_people(batch->works, kept, err);
    }
    for (size_t i = 0; i < kept; i++) {
        keep_people(&batch->works[i]);
    }
    return failed;
}

static enum fail write_part(struct session *session, const char *kind, struct arena *arena,
                            struct write_item *items, size_t count, struct error *err)
{
    struct batch batch = {.calls = ARENA_ARRAY(arena, struct http_call, count + 1),
                          .sent = ARENA_ARRAY(arena, struct http_call *, count + 1),
                          .owners = ARENA_ARRAY(arena, struct write_item *, count + 1),
                          .works = ARENA_ARRAY(arena, struct pipedrive_people_work, count + 1)};
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        if (items[i].outcome == WRITE_PENDING) {
            add_to_batch(session, kind, &items[i], arena, &batch);
        }
    }
    failed = send_batch(session, kind, arena, &batch, err);
    return pipedrive_kind_index(kind) == PD_DEAL
               ? finish_deals(session, arena, items, count, &batch, failed, err)
               : failed;
}

static bool has_create(const struct write_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].remote_id.len == 0) {
            return true;
        }
    }
    return false;
}

static enum fail load_stages(struct session *session, const struct write_item *items, size_t count,
                             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *stage = json_object_get(items[i].props, "stage_id");

        if (pipedrive_deal_needs_stages(&items[i]) &&
            pipedrive_load_stages(session, false, err) != OK) {
            return err->code;
        }
        if (pipedrive_deal_needs_stages(&items[i]) && stage &&
            !pipedrive_stage_of(session, pipedrive_id_of(stage)) &&
            pipedrive_load_stages(session, true, err) != OK) { /* made since */
            return err->code;
        }
    }
    return OK;
}

/* Every custom field of the items exists, and for creates the one of our key. */
static enum fail check_fields(struct session *session, const char *kind, struct arena *arena,
                              const struct write_item *items, size_t count, struct error *err)
{
    size_t names_count;
    const struct str *names = all_names(items, count, arena, &names_count);

    if (pipedrive_ready(session, kind, names, names_count, err) != OK ||
        (pipedrive_kind_index(kind) == PD_DEAL && load_stages(session, items, count, err) != OK)) {
        return err->code;
    }
    return has_create(items, count) && pipedrive_kind_index(kind) != PD_ACTIVITY &&
                   !pipedrive_field_named(session, kind, STR(CORRELATION_LABEL))
               ? pipedrive_no_key(kind, err)
               : OK;
}

enum fail pipedrive_upsert(struct session *session, const char *kind, struct arena *arena,
                           struct write_item *items, size_t count, struct error *err)
{
    for (size_t from = 0; from < count; from += CALLS_MAX) {
        size_t part = count - from < CALLS_MAX ? count - from : CALLS_MAX;

        if (check_fields(session, kind, arena, items + from, part, err) != OK ||
            write_part(session, kind, arena, items + from, part, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- removing --------------------------------------------------------------------------------- */

static void keep_removal(struct remove_item *item, struct http_call *http)
{
    item->error = http->error;
    if (http->result == OK || http->result == FAIL_STALE) {
        item->outcome = WRITE_DONE; /* gone already counts */
        error_reset(&item->error);
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
        struct pipedrive_call call = {.method = HTTP_DELETE, .is_safe = true};
        bool is_note = pipedrive_is_note(items[i].remote_id);

        call.path = arena_printf(
            &arena, "/api/%s/%s/%" PRI_STR, is_note ? "v1" : "v2",
            is_note ? "notes" : pipedrive_object(kind),
            STR_ARG(http_percent_encode(&arena, pipedrive_bare_id(items[i].remote_id))));
        call.tokens = is_note ? PD_COST_V1_DELETE : PD_COST_DELETE;
        pipedrive_prepare(session, &call, &arena, &calls[i]);
        sent[i] = &calls[i];
    }
    failed = http_exec(session->client, &session->account, sent, count, err);
    for (size_t i = 0; i < count; i++) {
        soften_denial(&calls[i]);
        keep_removal(&items[i], &calls[i]);
    }
    failed = gravest(calls, count, failed, err);
    for (size_t i = 0; i < count; i++) {
        http_call_fini(&calls[i]);
    }
    return failed;
}

/* --- what it costs ---------------------------------------------------------------------------- */

/* The deal itself, unless only participants change; the list when somebody has to be removed; and
 * one for each. */
static int64_t deal_calls(const struct write_item *item)
{
    AUTO_ARENA struct arena arena = {0};
    struct pipedrive_people_work work;
    const json_t *contacts = json_object_get(item->props, PD_DEAL_CONTACTS);
    int64_t calls = json_object_size(item->props) > (contacts ? 1 : 0) || !item->remote_id.len;

    pipedrive_deal_people(item, &arena, &work);
    calls |=
        contacts && (!item->current ||
                     work.person != pipedrive_id_of(json_object_get(item->current, "person_id")));
    return calls + work.must_read + work.adds + work.removals;
}

int64_t pipedrive_upsert_calls(const char *kind, const struct write_item *items, size_t count)
{
    int64_t calls = 0;

    for (size_t i = 0; i < count; i++) {
        calls += pipedrive_kind_index(kind) == PD_DEAL ? deal_calls(&items[i]) : 1;
    }
    return calls;
}

int64_t pipedrive_remove_calls(const char *kind, const struct remove_item *items, size_t count)
{
    (void)kind;
    (void)items;
    return (int64_t)count;
}
