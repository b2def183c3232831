/* Pipedrive: one object of an answer, and reading by id. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"
#include "core/when.h"

/* --- one object ------------------------------------------------------------------------------- */

/* v2 hands custom fields out under their keys, null for none at all. */
static void flatten(const struct session *session, const char *kind, const struct str *properties,
                    size_t count, const json_t *item, json_t *props)
{
    const json_t *custom = jx_get(item, "custom_fields");
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)item, name, value)
    {
        if (strcmp(name, "custom_fields") != 0) {
            json_object_set(props, name, value);
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct str code = pipedrive_custom_code(session, kind, properties[i]);

        if (code.len) {
            value = json_object_getn(custom, code.at, code.len);
            json_object_setn_new(props, properties[i].at, properties[i].len,
                                 value ? json_incref(value) : json_null());
        }
    }
}

/* Only the list of deleted deals shows that status. source: OpenAPI v2, GET /deals */
static bool is_deleted_deal(const char *kind, const json_t *item)
{
    return pipedrive_kind_index(kind) == PD_DEAL &&
           str_equal(jx_text_of(jx_get(item, "status")), STR("deleted"));
}

enum fail pipedrive_read_record(const struct session *session, const char *kind,
                                const struct str *properties, size_t count, const json_t *item,
                                struct arena *arena, struct remote_record *ret, struct error *err)
{
    const struct pipedrive_field *key =
        pipedrive_field_named(session, kind, STR(CORRELATION_LABEL));
    struct remote_record record = {.state = REMOTE_LIVE};
    bool is_deleted;

    if (jx_id(arena, item, "id", &record.remote_id, err) != OK ||
        jx_bool_or(item, "is_deleted", false, &is_deleted, err) != OK ||
        jx_time_ms_or(item, "update_time", 0, &record.modified_ms, err) != OK ||
        jx_time_ms_or(item, "add_time", 0, &record.created_ms, err) != OK) {
        return error_wrap(err, "pipedrive object");
    }
    if (pipedrive_kind_index(kind) == PD_ACTIVITY) {
        record.remote_id = pipedrive_prefixed_id(false, record.remote_id, arena);
    }
    if (is_deleted || is_deleted_deal(kind, item)) {
        record.state = REMOTE_GONE;
    } else {
        record.props = jx_own(arena, json_object());
        flatten(session, kind, properties, count, item, record.props);
        if (pipedrive_kind_index(kind) == PD_ACTIVITY) {
            pipedrive_activity_props(item, arena, record.props);
        }
        if (key) {
            struct str text = jx_text_of(jx_get(jx_get(item, "custom_fields"), key->code));

            record.correlation_key = text.at ? text : STR("");
        }
    }
    *ret = record;
    return OK;
}

struct str pipedrive_custom_query(const struct session *session, const char *kind,
                                  const struct str *properties, size_t count, struct arena *arena)
{
    const struct pipedrive_field *key =
        pipedrive_field_named(session, kind, STR(CORRELATION_LABEL));
    AUTO_BUF struct buf query = {0};
    size_t keys = 0;

    buf_init(&query, 4096);
    if (key) {
        buf_addf(&query, "&custom_fields=%s", key->code);
        keys = 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct str code = pipedrive_custom_code(session, kind, properties[i]);

        if (code.len && !str_contains(buf_str(&query), code)) {
            buf_addf(&query, "%s%" PRI_STR, keys++ ? "," : "&custom_fields=", STR_ARG(code));
        }
    }
    /* More keys than the parameter takes: without it all come. */
    return keys == 0 || keys > PD_CUSTOM_KEYS_MAX || query.is_full
               ? STR("")
               : arena_str(arena, buf_str(&query));
}

struct str pipedrive_extra_query(const struct session *session, const char *kind,
                                 const struct str *properties, size_t count, struct arena *arena)
{
    bool wants_count = pipedrive_kind_index(kind) == PD_DEAL &&
                       pipedrive_wants(properties, count, PD_DEAL_CONTACTS);

    return arena_printf(arena, "%s%" PRI_STR,
                        wants_count ? "&include_fields=participants_count" : "",
                        STR_ARG(pipedrive_custom_query(session, kind, properties, count, arena)));
}

enum fail pipedrive_read_rows(const struct session *session, const char *kind,
                              const struct str *properties, size_t count,
                              const struct pipedrive_answer *answer, struct arena *arena,
                              struct remote_page *page, struct error *err)
{
    if (answer->data && !json_is_array(answer->data)) {
        return error_set(err, FAIL_RECORD, "data: expected a list of %s", pipedrive_object(kind));
    }
    page->records = ARENA_ARRAY(arena, struct remote_record,
                                2 * json_array_size(answer->data) + PD_IDS_MAX + 1);
    for (size_t i = 0; i < json_array_size(answer->data); i++) {
        if (pipedrive_read_record(session, kind, properties, count, json_array_get(answer->data, i),
                                  arena, &page->records[page->count++], err) != OK) {
            return err->code;
        }
    }
    page->began_ms = answer->began_ms;
    page->server_ms = answer->server_ms;
    return OK;
}

struct str pipedrive_next_cursor(const struct pipedrive_answer *answer)
{
    return jx_text_of(jx_get(jx_get(answer->body, "additional_data"), "next_cursor"));
}

/* --- reading by id ---------------------------------------------------------------------------- */

static bool has_record(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, id)) {
            return true;
        }
    }
    return false;
}

static enum fail read_one(const struct session *session, const struct fetch_request *request,
                          struct str id, const json_t *item, struct arena *arena,
                          struct remote_record *ret, struct error *err)
{
    return pipedrive_is_note(id)
               ? pipedrive_read_note(item, arena, ret, err)
               : pipedrive_read_record(session, request->kind, request->properties,
                                       request->properties_count, item, arena, ret, err);
}

/* What one read by id says. 404 and 410 (also with success:true) mean deleted; hidden from this
 * user is not deleted. */
static enum fail keep_probe(struct session *session, const struct fetch_request *request,
                            struct str id, struct http_call *http, struct arena *arena,
                            struct remote_page *page, struct error *err)
{
    struct pipedrive_answer answer;
    struct remote_record record = {.remote_id = id, .state = REMOTE_GONE};
    enum fail failed = pipedrive_answer_of(http, arena, &answer, err);

    if (failed == FAIL_CONNECTION && pipedrive_is_about_record(&http->response)) {
        error_reset(err);
        return OK;
    }
    if (failed == FAIL_STALE) {
        error_reset(err);
    } else if (failed != OK ||
               read_one(session, request, id, answer.data, arena, &record, err) != OK) {
        return err->code;
    }
    page->records[page->count++] = record;
    return OK;
}

static struct pipedrive_call probe_call(const struct fetch_request *request, struct str id,
                                        struct arena *arena)
{
    bool is_note = pipedrive_is_note(id);
    bool is_deal = pipedrive_kind_index(request->kind) == PD_DEAL;
    struct pipedrive_call call = {
        .method = HTTP_GET, .tokens = is_note ? PD_COST_V1_GET : PD_COST_GET, .is_safe = true};

    call.path = arena_printf(arena, "/api/%s/%s/%" PRI_STR "%s", is_note ? "v1" : "v2",
                             is_note ? "notes" : pipedrive_object(request->kind),
                             STR_ARG(pipedrive_bare_id(id)),
                             is_deal ? "?include_fields=participants_count" : "");
    return call;
}

/* ids= leaves out what is missing or invisible; one read each tells which. Notes have no such
 * list. */
static enum fail probe(struct session *session, const struct fetch_request *request,
                       const struct str *ids, size_t count, struct arena *arena,
                       struct remote_page *page, struct error *err)
{
    struct http_call *calls = ARENA_ARRAY(arena, struct http_call, count);
    struct http_call **sent = ARENA_ARRAY(arena, struct http_call *, count);
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        struct pipedrive_call call = probe_call(request, ids[i], arena);

        pipedrive_prepare(session, &call, arena, &calls[i]);
        sent[i] = &calls[i];
    }
    failed = http_exec(session->client, &session->account, sent, count, err);
    for (size_t i = 0; i < count; i++) {
        if (failed == OK) {
            failed = keep_probe(session, request, ids[i], &calls[i], arena, page, err);
        }
        http_call_fini(&calls[i]);
    }
    return failed;
}

/* Only ids of Pipedrive's form are asked for: anything else cannot be read, which is no proof of
 * deletion. */
static size_t askable(const struct fetch_request *request, struct str *ret)
{
    bool is_activity = pipedrive_kind_index(request->kind) == PD_ACTIVITY;
    size_t count = 0;

    for (size_t i = 0; i < request->remote_ids_count; i++) {
        struct str id = request->remote_ids[i];
        int64_t number;

        if (is_activity ? pipedrive_is_activity_id(id) : str_to_i64(id, &number) && number > 0) {
            ret[count++] = id;
        }
    }
    return count;
}

static bool is_among(struct str id, const struct str *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(ids[i], id)) {
            return true;
        }
    }
    return false;
}

/* A filter that is not understood is ignored: what was not asked for is dropped. */
static void drop_others(struct remote_page *page, const struct str *ids, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        if (is_among(page->records[i].remote_id, ids, count)) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
}

/* object: "persons", or the archive, which holds deals of the same form. Appends. */
static enum fail fetch_ids(struct session *session, const struct fetch_request *request,
                           const char *object, int64_t tokens, const struct str *asked,
                           size_t count, struct arena *arena, struct remote_page *page,
                           struct error *err)
{
    AUTO_BUF struct buf ids = {0};
    struct pipedrive_answer answer;
    struct remote_page part = {0};
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = tokens, .is_safe = true};

    buf_init(&ids, 64 * 1024);
    for (size_t i = 0; i < count; i++) {
        buf_addf(&ids, "%s%" PRI_STR, ids.len ? "," : "", STR_ARG(pipedrive_bare_id(asked[i])));
    }
    call.path =
        arena_printf(arena, "/api/v2/%s?limit=%d&ids=%" PRI_STR "%" PRI_STR, object, PD_PAGE_MAX,
                     STR_ARG(buf_str(&ids)),
                     STR_ARG(pipedrive_extra_query(session, request->kind, request->properties,
                                                   request->properties_count, arena)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        pipedrive_read_rows(session, request->kind, request->properties, request->properties_count,
                            &answer, arena, &part, err) != OK) {
        return err->code;
    }
    drop_others(&part, asked, count);
    for (size_t i = 0; i < part.count && page->count < PD_IDS_MAX; i++) {
        page->records[page->count++] = part.records[i];
    }
    page->began_ms = part.began_ms < page->began_ms ? part.began_ms : page->began_ms;
    page->server_ms = part.server_ms;
    return OK;
}

/* Which of the asked ids have no record yet, each once. */
static size_t missing_of(const struct remote_page *page, const struct str *asked, size_t count,
                         bool with_notes, struct str *ret)
{
    size_t missing = 0;

    for (size_t i = 0; i < count; i++) {
        if (!has_record(page, asked[i]) && !is_among(asked[i], ret, missing) &&
            (with_notes || !pipedrive_is_note(asked[i]))) {
            ret[missing++] = asked[i];
        }
    }
    return missing;
}

static enum fail fetch_part(struct session *session, const struct fetch_request *request,
                            const struct str *asked, size_t count, struct arena *arena,
                            struct remote_page *page, struct error *err)
{
    struct str *missing = ARENA_ARRAY(arena, struct str, count + 1);
    size_t listed = missing_of(page, asked, count, false, missing);

    if (listed && fetch_ids(session, request, pipedrive_object(request->kind), PD_COST_LIST,
                            missing, listed, arena, page, err) != OK) {
        return err->code;
    }
    listed = missing_of(page, asked, count, false, missing);
    if (listed && pipedrive_kind_index(request->kind) == PD_DEAL &&
        fetch_ids(session, request, "deals/archived", PD_COST_ARCHIVE, missing, listed, arena, page,
                  err) != OK) {
        return err->code;
    }
    count = missing_of(page, asked, count, true, missing);
    return count ? probe(session, request, missing, count, arena, page, err) : OK;
}

enum fail pipedrive_fetch_many(struct session *session, const struct fetch_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    struct str *asked = ARENA_ARRAY(arena, struct str, request->remote_ids_count + 1);
    size_t count = askable(request, asked);

    assert(count <= PD_IDS_MAX);
    page.began_ms = clock_wall_ms(session->env->clock);
    page.records = ARENA_ARRAY(arena, struct remote_record, PD_IDS_MAX + 1);
    if (pipedrive_ready(session, request->kind, request->properties, request->properties_count,
                        err) != OK ||
        (count && fetch_part(session, request, asked, count, arena, &page, err) != OK) ||
        pipedrive_add_people(session, request->properties, request->properties_count, arena, &page,
                             err) != OK) {
        return error_wrap(err, "read %s", pipedrive_object(request->kind));
    }
    *ret = page;
    return OK;
}
