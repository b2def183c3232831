/* HubSpot: the three listings and their cursors. */
#include "adapters/hubspot_events.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/when.h"

/* OVERLAP: this much of the past is searched again by every run, because the search index lags
 * behind writes (developers.hubspot.com, search guide: "a few moments"); what comes later still,
 * the complete listing finds. EPOCH: a search from time 0 was answered 500
 * (github.com/estuary/connectors). AHEAD: a window reaches past the Date of its
 * first answer, which is in whole seconds and of one of several servers. */
enum {
    OVERLAP_MS = 180 * 1000,
    EPOCH_MS = 1000,
    AHEAD_MS = 60 * 1000,
    AFTER_BYTES_MAX = 1024,
    LOOK_MS = 60 * 60 * 1000,
};

/* --- cursors: JSON text ----------------------------------------------------------------------- */

/* One that cannot be read means: from the beginning. */
static json_t *cursor_read(struct str cursor, struct arena *arena)
{
    struct error ignored = {0};
    json_t *tree = NULL;

    return cursor.len && jx_parse(arena, cursor, &tree, &ignored) == OK ? tree : NULL;
}

static int64_t cursor_number(const json_t *cursor, const char *name, int64_t otherwise)
{
    struct error ignored = {0};
    int64_t number;

    return jx_i64_or(cursor, name, otherwise, &number, &ignored) == OK ? number : otherwise;
}

static struct str changed_cursor(struct arena *arena, int64_t since_ms)
{
    return arena_printf(arena, "{\"since\":%" PRId64 "}",
                        since_ms > EPOCH_MS ? since_ms : EPOCH_MS);
}

/* --- pages of the list endpoint --------------------------------------------------------------- */

/* One page of GET /objects: where it is, and what came back. */
struct paging {
    struct str after; /* "" = the first */
    bool is_archived;
    bool is_split; /* too many properties for an address: values are read by id */
    struct str next;
    json_t *rows;
    struct hubspot_answer answer;
};

static void add_properties(struct buf *path, const struct list_request *request,
                           struct arena *arena)
{
    bool is_first = true;

    for (size_t i = 0; i < request->properties_count; i++) {
        if (!hubspot_is_pseudo(request->properties[i])) {
            buf_addf(path, ",%" PRI_STR,
                     STR_ARG(http_percent_encode(arena, request->properties[i])));
        }
    }
    if (hubspot_wants_stage(request->properties, request->properties_count)) {
        bool has_pipeline =
            hubspot_wants(request->properties, request->properties_count, "pipeline");

        buf_add(path, has_pipeline ? STR(",dealstage") : STR(",dealstage,pipeline"));
    }
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        if (hubspot_wants(request->properties, request->properties_count,
                          hubspot_relations[i].property)) {
            buf_addf(path, "%s%s", is_first ? "&associations=" : ",", hubspot_relations[i].to);
            is_first = false;
        }
    }
}

static struct str page_path(struct session *session, const struct list_request *request,
                            struct paging *paging, struct arena *arena)
{
    AUTO_BUF struct buf wanted = {0};
    struct str after = STR("");

    buf_init(&wanted, HS_URL_BYTES_MAX);
    if (!paging->is_archived) {
        add_properties(&wanted, request, arena);
    }
    if (paging->after.len) {
        after = http_percent_encode(arena, paging->after);
        after = arena_printf(arena, "&after=%" PRI_STR, STR_ARG(after));
    }
    paging->is_split = wanted.is_full;
    return arena_printf(arena,
                        "%s?limit=%d%s%" PRI_STR "&properties=" CORRELATION_PROPERTY
                        ",hs_merged_object_ids%s",
                        hubspot_objects_path(session, arena, request->kind, "").at, HS_PAGE_MAX,
                        paging->is_archived ? "&archived=true" : "", STR_ARG(after),
                        paging->is_split || !wanted.at ? "" : wanted.at);
}

/* "after" is the id of the next record; the documents call it opaque. */
static enum fail read_page(struct session *session, const struct list_request *request,
                           struct paging *paging, struct arena *arena, struct remote_page *page,
                           struct error *err)
{
    struct hubspot_call call = {
        .method = HTTP_GET, .path = page_path(session, request, paging, arena), .is_safe = true};

    if (hubspot_exec(session, &call, arena, &paging->answer, err) != OK ||
        hubspot_read_results(paging->answer.body, arena, page, err) != OK ||
        jx_array(paging->answer.body, "results", &paging->rows, err) != OK ||
        hubspot_next_after(arena, paging->answer.body, &paging->next, err) != OK) {
        return err->code;
    }
    if (paging->next.len > AFTER_BYTES_MAX ||
        (paging->next.len && str_equal(paging->next, paging->after))) {
        return error_set(err, FAIL_RETRY, "hubspot's next page is this one again");
    }
    page->began_ms = paging->answer.began_ms;
    page->server_ms = paging->answer.server_ms;
    page->has_more = paging->next.len > 0;
    return OK;
}

/* --- everything ------------------------------------------------------------------------------- */

static enum fail read_values(struct session *session, const struct list_request *request,
                             struct arena *arena, struct remote_page *page, struct error *err)
{
    struct str *ids = ARENA_ARRAY(arena, struct str, page->count + 1);
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count,
                                  .remote_ids = ids,
                                  .remote_ids_count = page->count};
    struct remote_page read;

    for (size_t i = 0; i < page->count; i++) {
        ids[i] = page->records[i].remote_id;
    }
    if (page->count == 0) {
        return OK;
    }
    if (hubspot_fetch_many(session, &fetch, arena, &read, err) != OK) {
        return err->code;
    }
    page->records = read.records;
    page->count = read.count;
    return OK;
}

static enum fail list_all(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *page, struct error *err)
{
    json_t *cursor = cursor_read(request->cursor, arena);
    int64_t begun_ms = cursor_number(cursor, "begun", 0);
    struct paging paging = {.after = jx_text_of(jx_get(cursor, "after"))};
    enum fail failed = OK;

    if (read_page(session, request, &paging, arena, page, err) != OK) {
        return error_wrap(err, "list %s", hubspot_object(session, request->kind));
    }
    if (paging.is_split) {
        failed = read_values(session, request, arena, page, err);
    } else {
        failed =
            hubspot_complete(session, request->kind, request->properties, request->properties_count,
                             paging.rows, page->records, page->count, arena, err);
    }
    if (failed != OK) {
        return error_wrap(err, "list %s", hubspot_object(session, request->kind));
    }
    if (begun_ms == 0) {
        begun_ms = page->server_ms ? page->server_ms : page->began_ms;
    }
    page->cursor = page->has_more
                       ? jx_text(arena, jx_own(arena, json_pack("{s:s%,s:I}", "after",
                                                                paging.next.at, paging.next.len,
                                                                "begun", (json_int_t)begun_ms)))
                       : changed_cursor(arena, begun_ms - OVERLAP_MS);
    return OK;
}

/* --- what is archived ------------------------------------------------------------------------- */

/* Keeps what was archived since, and moves *newest_ms. A row without a time counts. */
static enum fail keep_archived(const struct paging *paging, int64_t since_ms, int64_t *newest_ms,
                               struct remote_page *page, struct error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        int64_t archived_ms;

        if (jx_time_ms_or(json_array_get(paging->rows, i), "archivedAt", 0, &archived_ms, err) !=
            OK) {
            return err->code;
        }
        *newest_ms = archived_ms > *newest_ms ? archived_ms : *newest_ms;
        if (page->records[i].state == REMOTE_GONE &&
            (archived_ms == 0 || archived_ms >= since_ms - OVERLAP_MS)) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
    return OK;
}

/* The journal tells of deletes, and the bin was looked at less than an hour ago. */
static bool can_wait(struct session *session, const char *kind, const json_t *cursor)
{
    int64_t looked_ms = cursor_number(cursor, "looked", 0);
    int64_t ago_ms = clock_wall_ms(session->env->clock) - looked_ms;

    return session->wants_events && looked_ms && ago_ms >= 0 && ago_ms < LOOK_MS &&
           hubspot_was_heard(session, kind);
}

/* The recycling bin cannot be filtered by time, so all of it is read each time.
 * source: developers.hubspot.com, using object APIs. */
static enum fail list_deleted(struct session *session, const struct list_request *request,
                              struct arena *arena, struct remote_page *page, struct error *err)
{
    json_t *cursor = cursor_read(request->cursor, arena);
    int64_t since_ms = cursor_number(cursor, "since", 0);
    int64_t newest_ms = cursor_number(cursor, "newest", since_ms);
    struct paging paging = {.after = jx_text_of(jx_get(cursor, "after")), .is_archived = true};

    if (!paging.after.len && can_wait(session, request->kind, cursor)) {
        page->began_ms = clock_wall_ms(session->env->clock);
        page->cursor = request->cursor;
        return OK;
    }
    if (read_page(session, request, &paging, arena, page, err) != OK ||
        keep_archived(&paging, since_ms, &newest_ms, page, err) != OK) {
        return error_wrap(err, "list archived %s", hubspot_object(session, request->kind));
    }
    page->cursor =
        page->has_more
            ? jx_text(arena, jx_own(arena, json_pack("{s:s%,s:I,s:I}", "after", paging.next.at,
                                                     paging.next.len, "since", (json_int_t)since_ms,
                                                     "newest", (json_int_t)newest_ms)))
            : arena_printf(arena, "{\"since\":%" PRId64 ",\"looked\":%" PRId64 "}", newest_ms,
                           clock_wall_ms(session->env->clock));
    return OK;
}

/* --- what changed ----------------------------------------------------------------------------- */

/* Where a scan of changes stands. Search pages by offset, and a record that changes meanwhile
 * leaves its place, so that the one behind the page's end would be skipped. Therefore every query
 * begins anew at the newest time read; 10,000, where search ends, is never reached. Records that
 * share that one millisecond are read by id. source: github.com/airbytehq/airbyte issues 43317 and
 * 44899. */
struct scan {
    int64_t first_ms; /* where the whole scan began */
    int64_t since_ms; /* inclusive */
    int64_t until_ms; /* -1: the first query of the scan, HubSpot's own time is not known yet */
    int64_t tie_id;   /* >= 0: reading the millisecond since_ms, ids above this one */
    int64_t total;    /* -1 unknown */
};

enum { TIE_NONE = -1 };

static struct scan scan_read(struct str text, struct arena *arena)
{
    json_t *cursor = cursor_read(text, arena);
    struct scan scan = {.since_ms = cursor_number(cursor, "since", EPOCH_MS),
                        .until_ms = cursor_number(cursor, "until", -1),
                        .tie_id = cursor_number(cursor, "tie", TIE_NONE),
                        .total = cursor_number(cursor, "total", -1)};

    scan.first_ms = cursor_number(cursor, "first", scan.since_ms);
    return scan;
}

static struct str scan_cursor(struct arena *arena, const struct scan *scan)
{
    return arena_printf(arena,
                        "{\"since\":%" PRId64 ",\"until\":%" PRId64 ",\"first\":%" PRId64
                        ",\"tie\":%" PRId64 ",\"total\":%" PRId64 "}",
                        scan->since_ms, scan->until_ms, scan->first_ms, scan->tie_id, scan->total);
}

static json_t *filter(struct arena *arena, const char *property, const char *operator,
                      int64_t value)
{
    return json_pack("{s:s,s:s,s:s}", "propertyName", property, "operator", operator, "value",
                     arena_printf(arena, "%" PRId64, value).at);
}

static json_t *search_body(const char *kind, const struct scan *scan, struct arena *arena)
{
    const char *modified = hubspot_modified_property(kind);
    bool is_tie = scan->tie_id != TIE_NONE;
    json_t *filters = json_array();

    if (is_tie) {
        json_array_append_new(filters, filter(arena, modified, "EQ", scan->since_ms));
        json_array_append_new(filters, filter(arena, "hs_object_id", "GT", scan->tie_id));
    } else {
        bool is_first = scan->until_ms < 0;
        json_t *window = filter(arena, modified, is_first ? "GTE" : "BETWEEN", scan->since_ms);

        if (!is_first) { /* inclusive */
            json_object_set_new(window, "highValue",
                                json_string(arena_printf(arena, "%" PRId64, scan->until_ms).at));
        }
        json_array_append_new(filters, window);
    }
    return jx_own(arena, json_pack("{s:[{s:o}],s:[{s:s,s:s}],s:[s],s:i}", "filterGroups", "filters",
                                   filters, "sorts", "propertyName",
                                   is_tie ? "hs_object_id" : modified, "direction", "ASCENDING",
                                   "properties", modified, "limit", HS_SEARCH_PAGE_MAX));
}

/* What a search found: hints, whose values are read by id. */
struct hits {
    struct str *ids;
    int64_t *modified_ms;
    size_t count;
    bool is_cut; /* there is more behind them */
    struct hubspot_answer answer;
};

static enum fail read_hit(const char *kind, const json_t *row, struct arena *arena, struct str *id,
                          int64_t *ret_modified_ms, struct error *err)
{
    const json_t *property = jx_get(jx_get(row, "properties"), hubspot_modified_property(kind));

    if (jx_id(arena, row, "id", id, err) != OK) {
        return err->code;
    }
    if (when_parse_ms(jx_text_of(property), ret_modified_ms)) {
        return OK;
    }
    return jx_time_ms(row, "updatedAt", ret_modified_ms, err);
}

static enum fail search(struct session *session, const char *kind, struct scan *scan,
                        struct arena *arena, struct hits *ret, struct error *err)
{
    struct hubspot_call call = {.method = HTTP_POST,
                                .path = hubspot_objects_path(session, arena, kind, "/search"),
                                .body = search_body(kind, scan, arena),
                                .bucket = HS_SEARCH,
                                .is_safe = true};
    json_t *rows;
    struct str after;

    if (hubspot_exec(session, &call, arena, &ret->answer, err) != OK ||
        jx_array(ret->answer.body, "results", &rows, err) != OK ||
        hubspot_next_after(arena, ret->answer.body, &after, err) != OK) {
        return err->code;
    }
    ret->count = json_array_size(rows);
    ret->is_cut = after.len > 0 && ret->count > 0;
    ret->ids = ARENA_ARRAY(arena, struct str, ret->count + 1);
    ret->modified_ms = ARENA_ARRAY(arena, int64_t, ret->count + 1);
    for (size_t i = 0; i < ret->count; i++) {
        if (read_hit(kind, json_array_get(rows, i), arena, &ret->ids[i], &ret->modified_ms[i],
                     err) != OK) {
            return err->code;
        }
    }
    if (scan->until_ms < 0) { /* by HubSpot's clock: ours may be far behind it */
        int64_t now_ms = ret->answer.server_ms ? ret->answer.server_ms : ret->answer.began_ms;

        scan->until_ms = (now_ms > scan->since_ms ? now_ms : scan->since_ms) + AHEAD_MS;
    }
    if (scan->total < 0) {
        scan->total = cursor_number(ret->answer.body, "total", -1);
    }
    return OK;
}

/* The next position in a millisecond that is read by id. */
static enum fail advance_tie(struct scan *scan, const struct hits *hits, struct error *err)
{
    int64_t last_id;

    if (!hits->is_cut) {
        scan->since_ms++;
        scan->tie_id = TIE_NONE;
        return OK;
    }
    if (!str_to_i64(hits->ids[hits->count - 1], &last_id) || last_id <= scan->tie_id) {
        return error_set(err, FAIL_RETRY, "hubspot's search does not sort by id");
    }
    scan->tie_id = last_id;
    return OK;
}

/* The next position after a page that was cut. The hits of its newest millisecond are left to the
 * next query, which sees all of them: removes them from hits. */
static void advance_window(struct scan *scan, struct hits *hits)
{
    int64_t newest_ms = hits->modified_ms[hits->count - 1];
    size_t kept = 0;

    if (newest_ms <= scan->since_ms || hits->modified_ms[0] == newest_ms) {
        scan->since_ms = newest_ms > scan->since_ms ? newest_ms : scan->since_ms;
        scan->tie_id = 0;
        hits->count = 0;
        return;
    }
    for (size_t i = 0; i < hits->count; i++) {
        if (hits->modified_ms[i] < newest_ms) {
            hits->ids[kept++] = hits->ids[i];
        }
    }
    hits->count = kept;
    scan->since_ms = newest_ms;
}

/* Where the next run begins: before the end of this scan by the overlap, by HubSpot's own clock.
 * Nothing behind the end of the window was asked for. Without a Date only the records tell time. */
static int64_t settled_ms(const struct scan *scan, const struct hits *hits)
{
    int64_t seen_ms = hits->answer.server_ms;

    if (seen_ms == 0) {
        seen_ms = hits->count ? hits->modified_ms[hits->count - 1] : scan->since_ms;
        return seen_ms - OVERLAP_MS > scan->first_ms ? seen_ms - OVERLAP_MS : scan->first_ms;
    }
    return (seen_ms < scan->until_ms ? seen_ms : scan->until_ms) - OVERLAP_MS;
}

static enum fail advance(struct scan *scan, struct hits *hits, bool *ret_has_more,
                         struct error *err)
{
    *ret_has_more = hits->is_cut;
    if (scan->tie_id != TIE_NONE) {
        if (advance_tie(scan, hits, err) != OK) {
            return err->code;
        }
        *ret_has_more = scan->since_ms <= scan->until_ms;
    } else if (hits->is_cut) {
        advance_window(scan, hits);
    }
    return OK;
}

enum fail hubspot_poll(struct session *session, const struct list_request *request,
                       struct arena *arena, struct remote_page *page, struct error *err)
{
    struct scan scan = scan_read(request->cursor, arena);
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count};
    struct hits hits = {0};
    int64_t settled;

    if (search(session, request->kind, &scan, arena, &hits, err) != OK) {
        return error_wrap(err, "changed %s", hubspot_object(session, request->kind));
    }
    settled = settled_ms(&scan, &hits);
    if (advance(&scan, &hits, &page->has_more, err) != OK) {
        return error_wrap(err, "changed %s", hubspot_object(session, request->kind));
    }
    fetch.remote_ids = hits.ids;
    fetch.remote_ids_count = hits.count;
    if (hits.count) {
        bool has_more = page->has_more;

        if (hubspot_fetch_many(session, &fetch, arena, page, err) != OK) {
            return err->code;
        }
        page->has_more = has_more;
    } else {
        page->began_ms = hits.answer.began_ms;
    }
    page->server_ms = hits.answer.server_ms;
    page->total = scan.total;
    page->cursor = page->has_more ? scan_cursor(arena, &scan) : changed_cursor(arena, settled);
    return OK;
}

/* --- the contract ----------------------------------------------------------------------------- */

enum fail hubspot_list(struct session *session, const struct list_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    enum fail failed = FAIL_BUG;

    if (strcmp(request->kind, HS_ACTIVITY) == 0) {
        return hubspot_activity_list(session, request, arena, ret, err);
    }
    switch (request->mode) {
    case LIST_ALL:
        failed = list_all(session, request, arena, &page, err);
        break;
    case LIST_CHANGED:
        failed = session->wants_events ? hubspot_list_events(session, request, arena, &page, err)
                                       : hubspot_poll(session, request, arena, &page, err);
        break;
    case LIST_DELETED:
        failed = list_deleted(session, request, arena, &page, err);
        break;
    }
    if (failed == OK) {
        *ret = page;
    }
    return failed;
}
