/* Pipedrive: listing. A kind may lie in two places that are listed one after the other: deals and their archive, activities and
 * notes. v2 pages by a key, v1 (notes) by an offset that shifts when rows go away. */
#include <inttypes.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"
#include "core/when.h"

enum { SHIFTS_MAX = 1000 };

/* A cursor is "m=<watermark ms>" between runs. Inside one it has "s=<begun ms>", "p=<place>", and
 * where it stands: "c=<Pipedrive's cursor>", or for notes "u=<updated since ms>", "n=<rows
 * before>", "l=<last id>". */
struct position {
    int64_t watermark_ms, begun_ms, place, since_ms, start, last_id;
    struct str cursor;
};

static void read_position(struct str text, struct position *ret)
{
    struct position at = {.cursor = STR("")};
    const struct {
        const char *name;
        int64_t *number;
    } PARTS[] = {{"m=", &at.watermark_ms}, {"s=", &at.begun_ms}, {"p=", &at.place},
                 {"u=", &at.since_ms},     {"n=", &at.start},    {"l=", &at.last_id}};

    while (text.at) {
        struct str part;

        if (str_starts(text, STR("c="))) { /* foreign text, and the last part */
            at.cursor = str_slice(text, 2, text.len);
            break;
        }
        part = str_cut(&text, ';');
        for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
            if (str_starts(part, str_of(PARTS[i].name))) {
                str_to_i64(str_slice(part, 2, part.len), PARTS[i].number);
            }
        }
    }
    *ret = at;
}

static struct str position_text(const struct position *at, struct arena *arena)
{
    return arena_printf(arena,
                        "m=%" PRId64 ";s=%" PRId64 ";p=%" PRId64 ";u=%" PRId64 ";n=%" PRId64
                        ";l=%" PRId64 ";c=%" PRI_STR,
                        at->watermark_ms, at->begun_ms, at->place, at->since_ms, at->start,
                        at->last_id, STR_ARG(at->cursor));
}

/* Whether only what changed is asked for. Without a watermark all is, in order of id: objects
 * from of old may have no update_time. */
static bool is_delta(const struct list_request *request, const struct position *at)
{
    return request->mode != LIST_ALL && at->watermark_ms > PD_OVERLAP_MS;
}

/* Deleted deals are in the first place only. */
static const char *place_of(const struct list_request *request, const struct position *at)
{
    return at->place == 0 ? pipedrive_object(request->kind) : "deals/archived";
}

static bool has_second_place(const struct list_request *request)
{
    enum pipedrive_kind kind = pipedrive_kind_index(request->kind);

    return request->mode != LIST_DELETED && (kind == PD_DEAL || kind == PD_ACTIVITY);
}

/* --- v2 --------------------------------------------------------------------------------------- */

/* Everything but the page's cursor, which must be the same on every page of a scan. */
static struct str list_query(struct session *session, const struct list_request *request,
                             const struct position *at, struct arena *arena)
{
    char since[WHEN_TEXT_BYTES] = "";

    if (is_delta(request, at)) { /* a fraction of a second is refused with 400 */
        when_format_seconds(at->watermark_ms - PD_OVERLAP_MS, since);
    }
    return arena_printf(arena, "/api/v2/%s?limit=%d&sort_by=%s&sort_direction=asc%s%s%s%" PRI_STR,
                        place_of(request, at), PD_PAGE_MAX, since[0] ? "update_time" : "id",
                        since[0] ? "&updated_since=" : "", since,
                        request->mode == LIST_DELETED ? "&status=deleted" : "",
                        STR_ARG(pipedrive_extra_query(session, request->kind, request->properties,
                                                      request->properties_count, arena)));
}

static void drop_living(struct remote_page *page)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        if (page->records[i].state == REMOTE_GONE) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
}

static enum fail keyset_page(struct session *session, const struct list_request *request,
                             struct position *at, struct arena *arena, struct remote_page *page,
                             struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET,
                                  .tokens = at->place == 0 ? PD_COST_LIST : PD_COST_ARCHIVE,
                                  .is_safe = true};
    struct str next;

    call.path = arena_printf(
        arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(list_query(session, request, at, arena)),
        at->cursor.len ? "&cursor=" : "", STR_ARG(http_percent_encode(arena, at->cursor)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        pipedrive_read_rows(session, request->kind, request->properties, request->properties_count,
                            &answer, arena, page, err) != OK) {
        return err->code;
    }
    if (request->mode == LIST_DELETED) {
        drop_living(page); /* a filter that is not understood is ignored */
    }
    next = pipedrive_next_cursor(&answer);
    if (next.len && str_equal(next, at->cursor)) {
        return error_set(err, FAIL_RETRY, "pipedrive gave the same page again");
    }
    at->cursor = next.len ? next : STR("");
    page->has_more = next.len > 0;
    return pipedrive_add_people(session, request->properties, request->properties_count, arena,
                                page, err);
}

/* --- notes ------------------------------------------------------------------------------------ */

enum fail pipedrive_read_notes(struct session *session, int64_t start, const char *sort,
                               const char *since, struct arena *arena, struct remote_page *page,
                               struct error *err)
{
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_V1_LIST, .is_safe = true};
    struct pipedrive_answer answer;
    const json_t *paging;
    json_t *rows;

    call.path = arena_printf(arena, "/api/v1/notes?start=%" PRId64 "&limit=%d&sort=%s%s%s", start,
                             PD_PAGE_MAX, sort, since[0] ? "&updated_since=" : "", since);
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        jx_array_or_null(answer.body, "data", &rows, err) != OK) {
        return err->code;
    }
    page->count = 0;
    page->records = ARENA_ARRAY(arena, struct remote_record, json_array_size(rows) + 1);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (pipedrive_read_note(json_array_get(rows, i), arena, &page->records[page->count++],
                                err) != OK) {
            return err->code;
        }
    }
    paging = jx_get(jx_get(answer.body, "additional_data"), "pagination");
    page->has_more = page->count && json_is_true(jx_get(paging, "more_items_in_collection"));
    page->began_ms = answer.began_ms;
    page->server_ms = answer.server_ms;
    return OK;
}

static int64_t number_of(const struct remote_record *record)
{
    int64_t id = 0;

    str_to_i64(pipedrive_bare_id(record->remote_id), &id);
    return id;
}

/* A page begins with the last row of the one before. When it does not, rows before it went away
 * (deleted, or changed and so moved to the end), and others slid past the offset. */
static bool has_slid(const struct remote_page *page, const struct position *at, bool delta)
{
    int64_t first = page->count ? number_of(&page->records[0]) : INT64_MAX;

    return at->start > 0 && (delta ? first != at->last_id : first > at->last_id);
}

/* By id nothing comes twice. */
static void drop_seen(struct remote_page *page, int64_t last_id)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        if (number_of(&page->records[i]) > last_id) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
}

/* Changes are asked for from the last one seen on; only within one second there are offsets. */
static void advance_notes(struct position *at, const struct remote_page *page, bool delta,
                          int64_t start)
{
    const struct remote_record *last = &page->records[page->count - 1];

    if (delta && last->modified_ms > at->since_ms) {
        at->since_ms = last->modified_ms;
        at->start = at->last_id = 0;
        return;
    }
    at->start = start + (int64_t)page->count;
    at->last_id = number_of(last);
}

static enum fail notes_page(struct session *session, const struct list_request *request,
                            struct position *at, struct arena *arena, struct remote_page *page,
                            struct error *err)
{
    bool delta = is_delta(request, at);
    char since[WHEN_TEXT_BYTES] = "";
    int64_t seen = delta ? 0 : at->last_id, start = 0;

    if (delta && at->since_ms == 0) {
        at->since_ms = (at->watermark_ms - PD_OVERLAP_MS) / 1000 * 1000;
    }
    if (delta) {
        when_format_seconds(at->since_ms, since);
    }
    for (int tries = 0;; tries++) {
        start = at->start > 0 ? at->start - 1 : 0;
        if (pipedrive_read_notes(session, start, delta ? "update_time%20ASC" : "id%20ASC", since,
                                 arena, page, err) != OK) {
            return err->code;
        }
        if (!has_slid(page, at, delta)) {
            break;
        }
        if (tries == SHIFTS_MAX) {
            return error_set(err, FAIL_RETRY, "notes move faster than they can be listed");
        }
        at->start = delta || at->start <= PD_PAGE_MAX ? 0 : at->start - PD_PAGE_MAX;
    }
    if (page->count) {
        advance_notes(at, page, delta, start);
    }
    drop_seen(page, seen);
    return OK;
}

/* --- both ------------------------------------------------------------------------------------- */

static enum fail list_page(struct session *session, const struct list_request *request,
                           struct arena *arena, struct remote_page *page, struct error *err)
{
    struct position at;
    bool is_notes;

    read_position(request->cursor, &at);
    is_notes = at.place > 0 && pipedrive_kind_index(request->kind) == PD_ACTIVITY;
    if ((is_notes ? notes_page(session, request, &at, arena, page, err)
                  : keyset_page(session, request, &at, arena, page, err)) != OK) {
        return error_wrap(err, "list %s", is_notes ? "notes" : place_of(request, &at));
    }
    if (at.begun_ms == 0) {
        at.begun_ms = page->server_ms ? page->server_ms : page->began_ms;
    }
    if (!page->has_more && at.place == 0 && has_second_place(request)) {
        at = (struct position){.watermark_ms = at.watermark_ms,
                               .begun_ms = at.begun_ms,
                               .place = 1,
                               .cursor = STR("")};
        page->has_more = true;
    }
    page->cursor =
        page->has_more ? position_text(&at, arena) : arena_printf(arena, "m=%" PRId64, at.begun_ms);
    return OK;
}

enum fail pipedrive_list(struct session *session, const struct list_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1};

    if (request->mode == LIST_DELETED && pipedrive_kind_index(request->kind) != PD_DEAL) {
        page.cursor = arena_str(arena, request->cursor); /* only deals can be asked for that */
        page.began_ms = clock_wall_ms(session->env->clock);
        *ret = page;
        return OK;
    }
    if (pipedrive_ready(session, request->kind, request->properties, request->properties_count,
                        err) != OK ||
        list_page(session, request, arena, &page, err) != OK) {
        return err->code;
    }
    *ret = page;
    return OK;
}
