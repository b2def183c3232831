/* /query, /queryAll and the pages behind them. Source: REST guide, query and queryAll; app limits cheatsheet, query cursors. */
#include "simulators/salesforce_soql.h"

#include "core/alloc.h"

enum { PAGE_MIN = 200, PAGE_MAX = 2000, CURSORS_MAX = 200, LONG_TEXTS = 2 };

static const int64_t CURSOR_LIFE_MS = 2 * 24 * 60LL * 60 * 1000;

/* A result that is read page by page. */
struct sf_cursor {
    struct sf_cursor *next;
    int64_t number;
    int64_t made_ms, user;
    struct arena arena; /* of the query */
    struct soql_query *query;
    struct soql_result result;
    size_t page;
};

static void cursor_free(struct sf_cursor *cursor)
{
    soql_result_free(&cursor->result);
    arena_fini(&cursor->arena);
    free(cursor);
}

void sf_cursors_free(struct salesforce *sf)
{
    while (sf->cursors) {
        struct sf_cursor *next = sf->cursors->next;

        cursor_free(sf->cursors);
        sf->cursors = next;
    }
}

/* The newest comes first; those behind too many others, or too old, are gone. */
static void cursors_trim(struct salesforce *sf, int64_t now_ms)
{
    struct sf_cursor **at = &sf->cursors;
    size_t kept = 0;

    while (*at) {
        struct sf_cursor *cursor = *at;

        if (++kept > CURSORS_MAX || now_ms - cursor->made_ms >= CURSOR_LIFE_MS) {
            *at = cursor->next;
            cursor_free(cursor);
        } else {
            at = &cursor->next;
        }
    }
}

static size_t custom_long_texts(const struct soql_query *query)
{
    size_t count = 0;

    for (const struct soql_item *item = query->items; item; item = item->next) {
        count += item->kind == SOQL_FIELD && item->field && item->field->flags & SF_LONG &&
                 item->field->flags & SF_CUSTOM;
    }
    return count;
}

/* Sforce-Query-Options: batchSize=200. Source: SOQL reference, change the batch size in queries. */
static size_t page_size(const struct sim_call *call, const struct soql_query *query)
{
    struct str rest = http_header_get(&call->request->headers, "Sforce-Query-Options");
    struct str value = rest, name = str_trim(str_cut(&value, '='));
    int64_t wanted = PAGE_MAX;

    if (!str_equal_nocase(name, STR("batchSize")) || !str_to_i64(str_trim(value), &wanted)) {
        wanted = PAGE_MAX;
    }
    if (custom_long_texts(query) >= LONG_TEXTS) {
        return PAGE_MIN;
    }
    return wanted < PAGE_MIN ? PAGE_MIN : wanted > PAGE_MAX ? PAGE_MAX : (size_t)wanted;
}

/* --- pages ------------------------------------------------------------------------------------- */

static void put_page(struct sim_call *call, const struct sf_route *route,
                     const struct sf_cursor *cursor, size_t from)
{
    size_t count = cursor->result.count,
           to = from + cursor->page < count ? from + cursor->page : count;
    char id[SF_ID_BYTES];

    buf_addf(call->body, "{\"totalSize\":%zu,\"done\":%s", count, to == count ? "true" : "false");
    if (to < count) {
        sf_id_format("01g", cursor->number, id);
        buf_addf(call->body, ",\"nextRecordsUrl\":\"/services/data/v%d.0/%s/%s-%zu\"",
                 route->version, route->is_tooling ? "tooling/query" : "query", id, to);
    }
    sim_put(call->body, ",\"records\":[");
    for (size_t i = from, shown = 0; i < to; i++) {
        if (!cursor->result.records[i]->is_purged) {
            sim_put(call->body, shown++ ? "," : "");
            soql_put_record(sf_of(call), call->body, route->version, cursor->query,
                            cursor->result.records[i]);
        }
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

static void refuse_locator(struct sim_call *call)
{
    sf_failf(call, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
}

/* "01g8d00000QlOc1AAF-2000" */
static void locator_serve(struct sim_call *call, const struct sf_route *route, struct str locator)
{
    struct salesforce *sf = sf_of(call);
    struct str rest = locator, id = str_cut(&rest, '-');
    char prefix[SF_PREFIX_BYTES];
    int64_t number, from;
    const struct sf_cursor *cursor;

    cursors_trim(sf, call->now_ms);
    if (!sf_id_parse(id, prefix, &number) || !str_to_i64(rest, &from)) {
        refuse_locator(call);
        return;
    }
    cursor = sf->cursors;
    while (cursor && (cursor->number != number || cursor->user != sf_session_of(call).user)) {
        cursor = cursor->next;
    }
    if (!cursor || from < 0 || (size_t)from > cursor->result.count) {
        refuse_locator(call);
        return;
    }
    put_page(call, route, cursor, (size_t)from);
}

/* --- queries ----------------------------------------------------------------------------------- */

static void answer(struct sim_call *call, const struct sf_route *route, struct sf_cursor *cursor)
{
    struct salesforce *sf = sf_of(call);

    soql_run(sf, cursor->query, NULL, &cursor->result);
    if (cursor->query->aggregate) {
        soql_put_aggregate(sf, call->body, cursor->query, &cursor->result);
        sim_reply(call, 200);
        cursor_free(cursor);
        return;
    }
    cursor->page = page_size(call, cursor->query);
    put_page(call, route, cursor, 0);
    if (cursor->result.count <= cursor->page) {
        cursor_free(cursor);
        return;
    }
    cursor->next = sf->cursors;
    sf->cursors = cursor;
    cursors_trim(sf, call->now_ms);
}

static void query_serve(struct sim_call *call, const struct sf_route *route, struct str text,
                        bool shows_deleted)
{
    struct salesforce *sf = sf_of(call);
    struct sf_cursor *cursor = alloc_new(1, sizeof(*cursor));
    struct sf_error err;

    cursor->number = sf->next_cursor++;
    cursor->made_ms = call->now_ms;
    cursor->user = sf_session_of(call).user;
    if (!soql_parse(sf, &cursor->arena, text, route->is_tooling, call->now_ms, &cursor->query,
                    &err)) {
        sf_fail(call, &err);
        cursor_free(cursor);
        return;
    }
    cursor->query->shows_deleted = shows_deleted;
    for (struct soql_item *item = cursor->query->items; item; item = item->next) {
        if (item->kind == SOQL_CHILDREN) {
            item->query->shows_deleted = shows_deleted;
        }
    }
    answer(call, route, cursor);
}

static bool is_query_all(const struct sf_route *route)
{
    return route->count && str_equal_nocase(route->at[0], STR("queryAll"));
}

void sf_query_serve(struct sim_call *call, const struct sf_route *route)
{
    struct str text = sim_query(call, "q");

    if (call->request->method != HTTP_GET) {
        sf_no_method(call, "HEAD,GET");
    } else if (route->count == 2) {
        locator_serve(call, route, route->at[1]);
    } else if (route->count > 2) {
        sf_not_found(call);
    } else if (!text.len) {
        sf_failf(call, 400, "MALFORMED_QUERY", "A query string has to be specified");
    } else {
        query_serve(call, route, text, is_query_all(route));
    }
}
