/* Pipedrive: listing, reading by id, finding. */
#include <inttypes.h>
#include <stdio.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

/* Read again this far back on every run: absorbs late commits and clock drift. update_time has whole seconds and the filter is inclusive. */
enum { OVERLAP_MS = 60 * 1000, HITS_MAX = 20 };

/* --- one object ---------------------------------------------------------------------------------------------------------------- */

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
        const char *code = pipedrive_custom_code(session, kind, properties[i]);

        if (code) {
            value = jx_get(custom, code);
            json_object_set_new(props, properties[i].at, value ? json_incref(value) : json_null());
        } else if (properties[i].len == 40 && (value = jx_get(custom, properties[i].at))) {
            json_object_set(props, properties[i].at, value);
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
        const char *code = pipedrive_custom_code(session, kind, properties[i]);

        code = code || properties[i].len != 40 ? code : properties[i].at;
        if (code) {
            buf_addf(&query, "%s%s", keys++ ? "," : "&custom_fields=", code);
        }
    }
    /* More keys than the parameter takes: without it all come. */
    return keys == 0 || keys > PD_CUSTOM_KEYS_MAX ? STR("") : arena_str(arena, buf_str(&query));
}

/* Rows of an answer; data may be null on an empty list. */
static enum fail read_rows(struct session *session, const char *kind, const struct str *properties,
                           size_t count, const struct pipedrive_answer *answer, struct arena *arena,
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

static struct str next_cursor(const struct pipedrive_answer *answer)
{
    return jx_text_of(jx_get(jx_get(answer->body, "additional_data"), "next_cursor"));
}

/* --- listing ------------------------------------------------------------------------------------------------------------------- */

/* A cursor is "s=<begun ms>;c=<Pipedrive's cursor>" inside a scan, "m=<watermark ms>" between runs of LIST_CHANGED, and
 * "m=<watermark>;s=<begun>;c=<cursor>" inside one. */
struct position {
    int64_t watermark_ms, begun_ms;
    struct str cursor;
};

static void read_position(struct str text, struct position *ret)
{
    *ret = (struct position){.cursor = STR("")};
    while (text.at) {
        struct str part = str_cut(&text, ';');

        if (str_starts(part, STR("m="))) {
            str_to_i64(str_slice(part, 2, part.len), &ret->watermark_ms);
        } else if (str_starts(part, STR("s="))) {
            str_to_i64(str_slice(part, 2, part.len), &ret->begun_ms);
        } else if (str_starts(part, STR("c="))) {
            ret->cursor = str_slice(part, 2, part.len);
        }
    }
}

static enum fail list_page(struct session *session, const struct list_request *request,
                           struct arena *arena, struct remote_page *page, struct error *err)
{
    struct position position;
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};
    char since[WHEN_TEXT_BYTES] = "";
    struct str next;

    read_position(request->cursor, &position);
    if (request->mode == LIST_CHANGED && position.watermark_ms > OVERLAP_MS) {
        when_format_seconds(position.watermark_ms - OVERLAP_MS,
                            since); /* a fraction is refused with 400 */
    }
    call.path = arena_printf(
        arena, "/api/v2/%s?limit=%d&sort_by=%s&sort_direction=asc%s%s%s%" PRI_STR "%" PRI_STR,
        pipedrive_object(request->kind), PD_PAGE_MAX,
        request->mode == LIST_CHANGED ? "update_time" : "id", since[0] ? "&updated_since=" : "",
        since, position.cursor.len ? "&cursor=" : "",
        STR_ARG(http_percent_encode(arena, position.cursor)),
        STR_ARG(pipedrive_custom_query(session, request->kind, request->properties,
                                       request->properties_count, arena)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        read_rows(session, request->kind, request->properties, request->properties_count, &answer,
                  arena, page, err) != OK) {
        return error_wrap(err, "list %s", pipedrive_object(request->kind));
    }
    if (position.begun_ms == 0) {
        position.begun_ms = answer.server_ms ? answer.server_ms : answer.began_ms;
    }
    next = next_cursor(&answer);
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
    if (pipedrive_load_fields(session, request->kind, false, err) != OK ||
        list_page(session, request, arena, &page, err) != OK) {
        return err->code;
    }
    *ret = page;
    return OK;
}

/* --- reading by id ------------------------------------------------------------------------------------------------------------- */

static bool has_record(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, id)) {
            return true;
        }
    }
    return false;
}

/* ids= leaves out what is missing or invisible; one read by id tells which. 410 with success:true means deleted as well. */
static enum fail probe(struct session *session, const struct fetch_request *request, struct str id,
                       struct arena *arena, struct remote_page *page, struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_GET, .is_safe = true};

    call.path = arena_printf(arena, "/api/v2/%s/%" PRI_STR, pipedrive_object(request->kind),
                             STR_ARG(http_percent_encode(arena, id)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK) {
        if (err->http_status == 403 && err->code == FAIL_CONNECTION) {
            error_reset(err);
            return OK; /* hidden, not deleted */
        }
        if (err->code != FAIL_STALE) {
            return err->code;
        }
        error_reset(err);
        page->records[page->count++] =
            (struct remote_record){.remote_id = id, .state = REMOTE_GONE};
        return OK;
    }
    return pipedrive_read_record(session, request->kind, request->properties,
                                 request->properties_count, answer.data, arena,
                                 &page->records[page->count++], err);
}

static bool is_id(struct str id)
{
    int64_t number;

    return str_to_i64(id, &number) && number > 0;
}

static enum fail fetch_ids(struct session *session, const struct fetch_request *request,
                           struct arena *arena, struct remote_page *page, struct error *err)
{
    AUTO_BUF struct buf ids = {0};
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};

    buf_init(&ids, 64 * 1024);
    for (size_t i = 0; i < request->remote_ids_count; i++) {
        if (is_id(request->remote_ids[i])) {
            buf_addf(&ids, "%s%" PRI_STR, ids.len ? "," : "", STR_ARG(request->remote_ids[i]));
        }
    }
    call.path =
        arena_printf(arena, "/api/v2/%s?limit=%d&ids=%" PRI_STR "%" PRI_STR,
                     pipedrive_object(request->kind), PD_PAGE_MAX, STR_ARG(buf_str(&ids)),
                     STR_ARG(pipedrive_custom_query(session, request->kind, request->properties,
                                                    request->properties_count, arena)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK) {
        return err->code;
    }
    return read_rows(session, request->kind, request->properties, request->properties_count,
                     &answer, arena, page, err);
}

enum fail pipedrive_fetch_many(struct session *session, const struct fetch_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};

    if (pipedrive_load_fields(session, request->kind, false, err) != OK ||
        fetch_ids(session, request, arena, &page, err) != OK) {
        return error_wrap(err, "read %s", pipedrive_object(request->kind));
    }
    for (size_t i = 0; i < request->remote_ids_count; i++) {
        if (!has_record(&page, request->remote_ids[i]) &&
            probe(session, request, request->remote_ids[i], arena, &page, err) != OK) {
            return error_wrap(err, "read %s", pipedrive_object(request->kind));
        }
    }
    *ret = page;
    return OK;
}

/* --- finding ------------------------------------------------------------------------------------------------------------------- */

/* Objects created since then, newest first, whose key is one of ours: a plain listing by id, no search and no update filter, so that a create just
 * made is seen. Ids rise with time: the first page that ends before `since` is the last. */
static enum fail find_recent(struct session *session, const struct find_request *request,
                             struct arena *arena, struct remote_page *page, struct error *err)
{
    struct str cursor = STR("");
    bool is_past = false;

    page->records = ARENA_ARRAY(arena, struct remote_record, 8 * request->values_count + 8);
    do {
        struct pipedrive_answer answer;
        struct remote_page part = {0};
        struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};

        call.path = arena_printf(
            arena, "/api/v2/%s?limit=%d&sort_by=id&sort_direction=desc%s%" PRI_STR "%" PRI_STR,
            pipedrive_object(request->kind), PD_PAGE_MAX, cursor.len ? "&cursor=" : "",
            STR_ARG(http_percent_encode(arena, cursor)),
            STR_ARG(pipedrive_custom_query(session, request->kind, request->properties,
                                           request->properties_count, arena)));
        if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
            read_rows(session, request->kind, request->properties, request->properties_count,
                      &answer, arena, &part, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < part.count; i++) {
            for (size_t k = 0; k < request->values_count; k++) {
                if (part.records[i].state == REMOTE_LIVE &&
                    page->count < 8 * request->values_count + 8 &&
                    str_equal(part.records[i].correlation_key, request->values[k])) {
                    page->records[page->count++] = part.records[i];
                }
            }
        }
        page->began_ms = page->began_ms ? page->began_ms : answer.began_ms;
        is_past =
            part.count && part.records[part.count - 1].created_ms < request->since_ms - OVERLAP_MS;
        cursor = next_cursor(&answer);
    } while (cursor.len && !is_past);
    return OK;
}

/* Ids that a search gives for one value; the index lags and matches loosely, so each is read and compared. */
static enum fail search_ids(struct session *session, const struct find_request *request,
                            struct str value, struct arena *arena, struct str *ret_ids,
                            size_t *ret_count, struct error *err)
{
    const char *field = strcmp(request->property, "emails") == 0   ? "email"
                        : strcmp(request->property, "phones") == 0 ? "phone"
                                                                   : "name";
    struct pipedrive_answer answer;
    struct pipedrive_call call = {
        .method = HTTP_GET, .tokens = PD_COST_SEARCH, .is_search = true, .is_safe = true};
    json_t *items;

    call.path = arena_printf(
        arena, "/api/v2/%s/search?term=%" PRI_STR "&fields=%s&exact_match=true&limit=%d",
        pipedrive_object(request->kind), STR_ARG(http_percent_encode(arena, value)), field,
        HITS_MAX);
    *ret_count = 0;
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        jx_array_or_null(answer.data, "items", &items, err) != OK) {
        return error_wrap(err, "find %s", pipedrive_object(request->kind));
    }
    for (size_t i = 0; i < json_array_size(items) && *ret_count < HITS_MAX; i++) {
        if (jx_id(arena, jx_get(json_array_get(items, i), "item"), "id", &ret_ids[*ret_count],
                  err) != OK) {
            return err->code;
        }
        ++*ret_count;
    }
    return OK;
}

static bool holds(const json_t *property, struct str value, struct arena *arena)
{
    struct str wanted = utf8_fold(arena, value);

    if (json_is_string(property)) {
        return str_equal(utf8_fold(arena, jx_text_of(property)), wanted);
    }
    for (size_t i = 0; i < json_array_size(property); i++) {
        const json_t *item = json_array_get(property, i);
        struct str text = jx_text_of(json_is_object(item) ? jx_get(item, "value") : item);

        if (text.len && str_equal(utf8_fold(arena, text), wanted)) {
            return true;
        }
    }
    return false;
}

static enum fail find_value(struct session *session, const struct find_request *request,
                            struct str value, struct arena *arena, struct remote_page *page,
                            struct error *err)
{
    struct str ids[HITS_MAX];
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count,
                                  .remote_ids = ids};
    struct remote_page read = {0};

    if (search_ids(session, request, value, arena, ids, &fetch.remote_ids_count, err) != OK) {
        return err->code;
    }
    if (fetch.remote_ids_count == 0) {
        return OK;
    }
    if (pipedrive_fetch_many(session, &fetch, arena, &read, err) != OK) {
        return err->code;
    }
    page->began_ms = read.began_ms;
    for (size_t i = 0; i < read.count; i++) {
        if (read.records[i].state == REMOTE_LIVE &&
            holds(json_object_get(read.records[i].props, request->property), value, arena)) {
            page->records[page->count++] = read.records[i];
        }
    }
    return OK;
}

enum fail pipedrive_find(struct session *session, const struct find_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};

    if (pipedrive_load_fields(session, request->kind, false, err) != OK) {
        return err->code;
    }
    if (strcmp(request->property, ADAPTER_CORRELATION) == 0) {
        if (find_recent(session, request, arena, &page, err) != OK) {
            return error_wrap(err, "find %s by our key", pipedrive_object(request->kind));
        }
        *ret = page;
        return OK;
    }
    page.records = ARENA_ARRAY(arena, struct remote_record, HITS_MAX * request->values_count + 1);
    for (size_t i = 0; i < request->values_count; i++) {
        if (find_value(session, request, request->values[i], arena, &page, err) != OK) {
            return err->code;
        }
    }
    *ret = page;
    return OK;
}
