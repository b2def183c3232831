/* HubSpot: finding activities again. They have no unique property to read by, and search lags behind
 * writes (developers.hubspot.com, search guide: "a few moments"): so what search does not know is
 * looked for in the listing, which does not lag, from the newest object on that is old enough. */
#include "adapters/hubspot_inside.h"

#include <inttypes.h>

#include "core/jx.h"

enum { VALUES_MAX = 100, PAGES_MAX = 100000, AFTER_BYTES_MAX = 1024 };

/* Ids of one object that may have one of our keys. */
struct hunt {
    struct session *session;
    const struct find_request *request;
    const struct hubspot_activity *activity;
    struct arena *arena;
    json_t *ids; /* object: "calls:123" → true */
};

static void add_id(struct hunt *hunt, struct str id)
{
    struct str outer =
        arena_printf(hunt->arena, "%s:%" PRI_STR, hunt->activity->object, STR_ARG(id));

    json_object_setn_new(hunt->ids, outer.at, outer.len, json_true());
}

static bool is_wanted(const struct find_request *request, struct str key)
{
    for (size_t i = 0; i < request->values_count; i++) {
        if (key.len && str_equal(request->values[i], key)) {
            return true;
        }
    }
    return false;
}

static enum fail add_rows(struct hunt *hunt, const json_t *rows, bool is_hit, struct error *err)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct str key = jx_text_of(jx_get(jx_get(row, "properties"), CORRELATION_PROPERTY)), id;

        if (jx_id(hunt->arena, row, "id", &id, err) != OK) {
            return err->code;
        }
        if (is_hit || is_wanted(hunt->request, key)) {
            add_id(hunt, id);
        }
    }
    return OK;
}

/* --- search ----------------------------------------------------------------------------------- */

static enum fail search(struct hunt *hunt, json_t *take_body, json_t **ret_rows, struct error *err)
{
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_objects_path(hunt->session, hunt->arena, hunt->activity->kind, "/search"),
        .body = jx_own(hunt->arena, take_body),
        .bucket = HS_SEARCH,
        .is_safe = true};
    struct hubspot_answer answer;

    if (hubspot_exec(hunt->session, &call, hunt->arena, &answer, err) != OK ||
        jx_array(answer.body, "results", ret_rows, err) != OK) {
        return error_wrap(err, "find %s", hunt->activity->object);
    }
    return OK;
}

/* Our keys are lower case, as IN wants texts to be. */
static enum fail search_keys(struct hunt *hunt, size_t from, struct error *err)
{
    json_t *values = json_array(), *rows;
    size_t to = hunt->request->values_count;

    to = to - from > VALUES_MAX ? from + VALUES_MAX : to;
    for (size_t i = from; i < to; i++) {
        json_array_append_new(
            values, json_stringn(hunt->request->values[i].at, hunt->request->values[i].len));
    }
    if (search(hunt,
               json_pack("{s:[{s:[{s:s,s:s,s:o}]}],s:[s],s:i}", "filterGroups", "filters",
                         "propertyName", CORRELATION_PROPERTY, "operator", "IN", "values", values,
                         "properties", CORRELATION_PROPERTY, "limit", HS_SEARCH_PAGE_MAX),
               &rows, err) != OK) {
        return err->code;
    }
    return add_rows(hunt, rows, true, err);
}

/* --- listing ---------------------------------------------------------------------------------- */

/* Id of the newest object that is older than what is looked for; "" none. */
static enum fail find_start(struct hunt *hunt, struct str *ret, struct error *err)
{
    struct str since = arena_printf(hunt->arena, "%" PRId64, hunt->request->since_ms);
    json_t *rows;

    *ret = STR("");
    if (hunt->request->since_ms <= 0) {
        return OK;
    }
    if (search(hunt,
               json_pack("{s:[{s:[{s:s,s:s,s:s}]}],s:[{s:s,s:s}],s:[s],s:i}", "filterGroups",
                         "filters", "propertyName", "hs_createdate", "operator", "LT", "value",
                         since.at, "sorts", "propertyName", "hs_object_id", "direction",
                         "DESCENDING", "properties", "hs_createdate", "limit", 1),
               &rows, err) != OK) {
        return err->code;
    }
    return json_array_size(rows) ? jx_id(hunt->arena, json_array_get(rows, 0), "id", ret, err) : OK;
}

static enum fail list_page(struct hunt *hunt, struct str *after, struct error *err)
{
    struct str from = after->len ? http_percent_encode(hunt->arena, *after) : STR("");
    struct str tail =
        arena_printf(hunt->arena, "?limit=%d&properties=" CORRELATION_PROPERTY "%s%" PRI_STR,
                     HS_PAGE_MAX, from.len ? "&after=" : "", STR_ARG(from));
    struct hubspot_call call = {
        .method = HTTP_GET,
        .path = hubspot_objects_path(hunt->session, hunt->arena, hunt->activity->kind, tail.at),
        .is_safe = true};
    struct hubspot_answer answer;
    struct str next;
    json_t *rows;

    if (hubspot_exec(hunt->session, &call, hunt->arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &rows, err) != OK ||
        add_rows(hunt, rows, false, err) != OK ||
        hubspot_next_after(hunt->arena, answer.body, &next, err) != OK) {
        return err->code;
    }
    if (next.len > AFTER_BYTES_MAX || (next.len && str_equal(next, *after))) {
        return error_set(err, FAIL_RETRY, "hubspot's next page is this one again");
    }
    *after = next;
    return OK;
}

/* "after" is the id of the next record, the documents say, and opaque: where an id is not taken the
 * listing is read from its beginning. */
static enum fail list_recent(struct hunt *hunt, struct error *err)
{
    struct str after;
    enum fail failed;

    if (find_start(hunt, &after, err) != OK) {
        return err->code;
    }
    failed = list_page(hunt, &after, err);
    if (failed == FAIL_RECORD && after.len) {
        error_reset(err);
        after = STR("");
        failed = list_page(hunt, &after, err);
    }
    for (int pages = 0; failed == OK && after.len; pages++) {
        failed = pages < PAGES_MAX ? list_page(hunt, &after, err)
                                   : error_set(err, FAIL_RETRY, "the listing does not end");
    }
    return failed == OK ? OK : error_wrap(err, "list %s", hunt->activity->object);
}

/* --- the contract ----------------------------------------------------------------------------- */

/* Hits are hints: each is read by id before it counts. */
static enum fail read_found(struct session *session, const struct find_request *request,
                            const json_t *ids, struct arena *arena, struct remote_page *page,
                            struct error *err)
{
    struct str *list = ARENA_ARRAY(arena, struct str, json_object_size(ids) + 1);
    struct fetch_request fetch = {.kind = HS_ACTIVITY,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count,
                                  .remote_ids = list};
    size_t kept = 0;
    const char *id;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)ids, id, value)
    {
        list[fetch.remote_ids_count++] = str_of(id);
    }
    if (hubspot_activity_fetch(session, &fetch, arena, page, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < page->count; i++) {
        if (page->records[i].state == REMOTE_LIVE &&
            is_wanted(request, page->records[i].correlation_key)) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
    return OK;
}

static bool has_all(const struct find_request *request, const struct remote_page *page)
{
    size_t found = 0;

    for (size_t i = 0; i < request->values_count; i++) {
        bool is_found = false;

        for (size_t k = 0; k < page->count && !is_found; k++) {
            is_found = str_equal(page->records[k].correlation_key, request->values[i]);
        }
        found += is_found;
    }
    return found == request->values_count;
}

static enum fail find_by_key(struct session *session, const struct find_request *request,
                             struct arena *arena, struct remote_page *page, struct error *err)
{
    json_t *ids = jx_own(arena, json_object());

    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        struct hunt hunt = {session, request, &hubspot_activities[i], arena, ids};

        for (size_t from = 0; from < request->values_count; from += VALUES_MAX) {
            if (search_keys(&hunt, from, err) != OK) {
                return err->code;
            }
        }
    }
    if (read_found(session, request, ids, arena, page, err) != OK) {
        return err->code;
    }
    if (has_all(request, page)) {
        return OK;
    }
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        struct hunt hunt = {session, request, &hubspot_activities[i], arena, ids};

        if (list_recent(&hunt, err) != OK) {
            return err->code;
        }
    }
    return read_found(session, request, ids, arena, page, err);
}

/* By another property: of each object in turn, hits read by id. */
static enum fail find_by_property(struct session *session, const struct find_request *request,
                                  struct arena *arena, struct remote_page *page, struct error *err)
{
    json_t *ids = jx_own(arena, json_object());
    struct fetch_request fetch = {.kind = HS_ACTIVITY,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count};
    struct str *list;
    const char *id;
    json_t *value;

    for (size_t a = 0; a < HS_ACTIVITIES; a++) {
        struct hunt hunt = {session, request, &hubspot_activities[a], arena, ids};
        struct find_request inner = *request;
        struct remote_page part = {0};

        inner.kind = hubspot_activities[a].kind;
        inner.properties_count = 0;
        if (hubspot_find(session, &inner, arena, &part, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < part.count; i++) {
            add_id(&hunt, part.records[i].remote_id);
        }
    }
    list = ARENA_ARRAY(arena, struct str, json_object_size(ids) + 1);
    fetch.remote_ids = list;
    json_object_foreach(ids, id, value)
    {
        list[fetch.remote_ids_count++] = str_of(id);
    }
    return hubspot_activity_fetch(session, &fetch, arena, page, err);
}

enum fail hubspot_activity_find(struct session *session, const struct find_request *request,
                                struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {
        .total = -1, .cursor = STR(""), .began_ms = clock_wall_ms(session->env->clock)};
    enum fail failed = OK;

    if (request->values_count) {
        failed = strcmp(request->property, ADAPTER_CORRELATION) == 0
                     ? find_by_key(session, request, arena, &page, err)
                     : find_by_property(session, request, arena, &page, err);
    }
    if (failed == OK) {
        *ret = page;
    }
    return failed;
}
