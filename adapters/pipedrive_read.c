/* Pipedrive: listing and reading by id. */
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
    if (is_deleted) {
        record.state = REMOTE_GONE;
    } else {
        record.props = jx_own(arena, json_object());
        flatten(session, kind, properties, count, item, record.props);
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

/* --- listing ---------------------------------------------------------------------------------- */

/* A cursor is "s=<begun ms>;c=<Pipedrive's cursor>" inside a scan, "m=<watermark ms>" between
 * runs of LIST_CHANGED, and "m=<watermark>;s=<begun>;c=<cursor>" inside one. */
struct position {
    int64_t watermark_ms, begun_ms;
    struct str cursor;
};

static void read_position(struct str text, struct position *ret)
{
    *ret = (struct position){.cursor = STR("")};
    while (text.at) {
        struct str part;

        if (str_starts(text, STR("c="))) { /* foreign text, and the last part */
            ret->cursor = str_slice(text, 2, text.len);
            return;
        }
        part = str_cut(&text, ';');
        if (str_starts(part, STR("m="))) {
            str_to_i64(str_slice(part, 2, part.len), &ret->watermark_ms);
        } else if (str_starts(part, STR("s="))) {
            str_to_i64(str_slice(part, 2, part.len), &ret->begun_ms);
        }
    }
}

/* Everything but the page's cursor, which must be the same on every page of a scan. Without a
 * watermark all is asked for, in order of id: objects from of old may have no update_time. */
static struct str list_query(struct session *session, const struct list_request *request,
                             const struct position *position, struct arena *arena)
{
    bool is_delta = request->mode == LIST_CHANGED && position->watermark_ms > PD_OVERLAP_MS;
    char since[WHEN_TEXT_BYTES] = "";

    if (is_delta) { /* a fraction of a second is refused with 400 */
        when_format_seconds(position->watermark_ms - PD_OVERLAP_MS, since);
    }
    return arena_printf(arena, "/api/v2/%s?limit=%d&sort_by=%s&sort_direction=asc%s%s%" PRI_STR,
                        pipedrive_object(request->kind), PD_PAGE_MAX,
                        is_delta ? "update_time" : "id", is_delta ? "&updated_since=" : "", since,
                        STR_ARG(pipedrive_custom_query(session, request->kind, request->properties,
                                                       request->properties_count, arena)));
}

static enum fail list_page(struct session *session, const struct list_request *request,
                           struct arena *arena, struct remote_page *page, struct error *err)
{
    struct position position;
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};
    struct str next;

    read_position(request->cursor, &position);
    call.path = arena_printf(arena, "%" PRI_STR "%s%" PRI_STR,
                             STR_ARG(list_query(session, request, &position, arena)),
                             position.cursor.len ? "&cursor=" : "",
                             STR_ARG(http_percent_encode(arena, position.cursor)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        pipedrive_read_rows(session, request->kind, request->properties, request->properties_count,
                            &answer, arena, page, err) != OK) {
        return error_wrap(err, "list %s", pipedrive_object(request->kind));
    }
    if (position.begun_ms == 0) {
        position.begun_ms = answer.server_ms ? answer.server_ms : answer.began_ms;
    }
    next = pipedrive_next_cursor(&answer);
    if (next.len && str_equal(next, position.cursor)) {
        return error_set(err, FAIL_RETRY, "pipedrive gave the same page of %s again",
                         pipedrive_object(request->kind));
    }
    page->has_more = next.len > 0;
    page->cursor = page->has_more
                       ? arena_printf(arena, "m=%" PRId64 ";s=%" PRId64 ";c=%" PRI_STR,
                                      position.watermark_ms, position.begun_ms, STR_ARG(next))
                       : arena_printf(arena, "m=%" PRId64, position.begun_ms);
    return OK;
}

enum fail pipedrive_list(struct session *session, const struct list_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1};

    if (request->mode == LIST_DELETED) {
        return error_set(err, FAIL_BUG, "pipedrive cannot list what was deleted");
    }
    if (pipedrive_ready(session, request->kind, request->properties, request->properties_count,
                        err) != OK ||
        list_page(session, request, arena, &page, err) != OK) {
        return err->code;
    }
    *ret = page;
    return OK;
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
    } else if (failed != OK || pipedrive_read_record(session, request->kind, request->properties,
                                                     request->properties_count, answer.data, arena,
                                                     &record, err) != OK) {
        return err->code;
    }
    page->records[page->count++] = record;
    return OK;
}

/* ids= leaves out what is missing or invisible; one read each tells which. */
static enum fail probe(struct session *session, const struct fetch_request *request,
                       const struct str *ids, size_t count, struct arena *arena,
                       struct remote_page *page, struct error *err)
{
    struct http_call *calls = ARENA_ARRAY(arena, struct http_call, count);
    struct http_call **sent = ARENA_ARRAY(arena, struct http_call *, count);
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_GET, .is_safe = true};

        call.path = arena_printf(arena, "/api/v2/%s/%" PRI_STR, pipedrive_object(request->kind),
                                 STR_ARG(ids[i]));
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
    size_t count = 0;

    for (size_t i = 0; i < request->remote_ids_count; i++) {
        int64_t number;

        if (str_to_i64(request->remote_ids[i], &number) && number > 0) {
            ret[count++] = request->remote_ids[i];
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

static enum fail fetch_ids(struct session *session, const struct fetch_request *request,
                           const struct str *asked, size_t count, struct arena *arena,
                           struct remote_page *page, struct error *err)
{
    AUTO_BUF struct buf ids = {0};
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};

    buf_init(&ids, 64 * 1024);
    for (size_t i = 0; i < count; i++) {
        buf_addf(&ids, "%s%" PRI_STR, ids.len ? "," : "", STR_ARG(asked[i]));
    }
    call.path =
        arena_printf(arena, "/api/v2/%s?limit=%d&ids=%" PRI_STR "%" PRI_STR,
                     pipedrive_object(request->kind), PD_PAGE_MAX, STR_ARG(buf_str(&ids)),
                     STR_ARG(pipedrive_custom_query(session, request->kind, request->properties,
                                                    request->properties_count, arena)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        pipedrive_read_rows(session, request->kind, request->properties, request->properties_count,
                            &answer, arena, page, err) != OK) {
        return err->code;
    }
    drop_others(page, asked, count);
    return OK;
}

static enum fail fetch_part(struct session *session, const struct fetch_request *request,
                            const struct str *asked, size_t count, struct arena *arena,
                            struct remote_page *page, struct error *err)
{
    struct str *missing = ARENA_ARRAY(arena, struct str, count + 1);
    size_t missing_count = 0;

    if (fetch_ids(session, request, asked, count, arena, page, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (!has_record(page, asked[i]) && !is_among(asked[i], missing, missing_count)) {
            missing[missing_count++] = asked[i];
        }
    }
    return missing_count ? probe(session, request, missing, missing_count, arena, page, err) : OK;
}

enum fail pipedrive_fetch_many(struct session *session, const struct fetch_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    struct str *asked = ARENA_ARRAY(arena, struct str, request->remote_ids_count + 1);
    size_t count = askable(request, asked);

    assert(count <= PD_IDS_MAX);
    page.began_ms = clock_wall_ms(session->env->clock);
    if (pipedrive_ready(session, request->kind, request->properties, request->properties_count,
                        err) != OK ||
        (count && fetch_part(session, request, asked, count, arena, &page, err) != OK)) {
        return error_wrap(err, "read %s", pipedrive_object(request->kind));
    }
    *ret = page;
    return OK;
}
