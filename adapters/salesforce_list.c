/* Salesforce: listings. Each page is a query of its own that begins behind the last row of the one before (its time and id), so that a
 * listing can be taken up again after any pause. The objects of a kind go in one call. Times are SystemModstamp, by the server's
 * clock; changes are committed out of order, so each listing begins a while before the last one did.
 * source: SOAP API, "System Fields"; github.com/airbytehq/airbyte issue 27146 (late commits), supaglue-labs/supaglue issue 532 (ties) */
#include "adapters/salesforce_events.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/when.h"

enum {
    OVERLAP_MS = 10 * 60 * 1000,
    PLACES_MAX = SF_PARTS_MAX + 1,
    /* from here on a bulk query is fewer calls than pages of 2,000: it takes three and one for each SF_BULK_PAGE rows */
    BULK_FROM = 10000,
    CELLS_MAX = 200 * 1000, /* of a page: some 20 MB at 100 bytes each */
    PAGE_MIN = 200,
    DAY_MS = 24 * 60 * 60 * 1000,
    /* the deletion log reaches back 15 days, and takes no shorter time than a minute. source: REST API Developer Guide, "sObject Get
     * Deleted" */
    LOG_DAYS = 15,
    LOG_SPAN_MIN_MS = 2 * 60 * 1000,
};

/* --- cursors: JSON text ----------------------------------------------------------------------- */

/* {"since":ms} between runs. Inside one also "begun": the server's time when it began, and for each object where it stands:
 * "Contact":{"t":ms,"id":"003…"}, {"job":"750…",…} while a bulk query is read, or {"end":true}. One that cannot be read means: from the beginning. */
static json_t *cursor_read(struct str cursor, struct arena *arena)
{
    struct error ignored = {0};
    json_t *tree = NULL;

    return cursor.len && jx_parse(arena, cursor, &tree, &ignored) == OK && json_is_object(tree)
               ? tree
               : jx_own(arena, json_object());
}

static int64_t cursor_number(const json_t *cursor, const char *name)
{
    struct error ignored = {0};
    int64_t number;

    return jx_i64_or(cursor, name, 0, &number, &ignored) == OK ? number : 0;
}

/* One object of a listing. */
struct place {
    const char *object;
    const struct str *properties; /* what is read of it */
    size_t properties_count;
    bool is_role;       /* contact roles: they stand for their deals */
    int64_t since_ms;   /* from there on; 0 = all */
    int64_t at_ms;      /* the last row's time; 0 none yet */
    struct str last_id; /* the last row's id; "" none yet */
    bool is_done;
    /* complete listings: rows not handed out yet, as far as known; read by a bulk query when they are many */
    int64_t left;
    struct salesforce_bulk bulk;
    struct salesforce_query query;
};

struct scan {
    const struct list_request *request;
    json_t *cursor;
    int64_t since_ms, begun_ms;
    int64_t covered_ms; /* until when the deletion log is complete; 0 not asked */
    int64_t total;      /* rows that a complete listing has, -1 unknown */
    bool is_first;      /* nothing was read yet */
    struct place places[PLACES_MAX];
    size_t count;
};

static void read_place(const struct scan *scan, const char *object, struct place *ret)
{
    const json_t *held = jx_get(scan->cursor, object);
    struct str id = jx_text_of(jx_get(held, "id")), job = jx_text_of(jx_get(held, "job"));
    struct str locator = jx_text_of(jx_get(held, "locator"));

    *ret = (struct place){.object = object,
                          .properties = scan->request->properties,
                          .properties_count = scan->request->properties_count,
                          .since_ms = scan->since_ms,
                          .at_ms = cursor_number(held, "t"),
                          .last_id = salesforce_is_id(id) ? id : STR(""),
                          .is_done = json_is_true(jx_get(held, "end")),
                          .left = cursor_number(held, "left"),
                          .bulk = {.job = salesforce_is_id(job) ? job : STR(""),
                                   .locator = locator.at ? locator : STR(""),
                                   .row = cursor_number(held, "row"),
                                   .made_ms = cursor_number(held, "made")}};
}

static struct scan scan_read(struct session *session, const struct list_request *request,
                             struct arena *arena)
{
    struct scan scan = {.request = request, .cursor = cursor_read(request->cursor, arena)};
    const char *parts[SF_PARTS_MAX];
    size_t count = salesforce_parts(
        session, request->kind,
        salesforce_wants(request->properties, request->properties_count, SF_LEAD_STATUS), parts);

    scan.since_ms = cursor_number(scan.cursor, "since");
    scan.begun_ms = cursor_number(scan.cursor, "begun");
    scan.total =
        json_is_integer(jx_get(scan.cursor, "total")) ? cursor_number(scan.cursor, "total") : -1;
    scan.is_first = !jx_get(scan.cursor, "begun");
    for (size_t i = 0; i < count; i++) {
        read_place(&scan, parts[i], &scan.places[scan.count++]);
    }
    return scan;
}

/* A role comes and goes without its deal's time moving. */
static void add_roles(struct scan *scan)
{
    static const struct str FIELDS[] = {{.at = "OpportunityId", .len = 13}};
    struct place *place = &scan->places[scan->count];

    if (salesforce_wants(scan->request->properties, scan->request->properties_count,
                         SF_DEAL_CONTACTS)) {
        read_place(scan, SF_ROLE, place);
        place->is_role = true;
        place->properties = FIELDS;
        place->properties_count = COUNT_OF(FIELDS);
        scan->count++;
    }
}

static bool is_over(const struct scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (!scan->places[i].is_done) {
            return false;
        }
    }
    return true;
}

static json_t *place_json(const struct place *place)
{
    const struct salesforce_bulk *bulk = &place->bulk;

    if (place->is_done) {
        return json_pack("{s:b}", "end", 1);
    }
    if (bulk->job.len) {
        return json_pack("{s:s%,s:I,s:s%,s:s%,s:I,s:I}", "id", place->last_id.at,
                         place->last_id.len, "left", (json_int_t)place->left, "job", bulk->job.at,
                         bulk->job.len, "locator", bulk->locator.at, bulk->locator.len, "row",
                         (json_int_t)bulk->row, "made", (json_int_t)bulk->made_ms);
    }
    return json_pack("{s:I,s:s%,s:I}", "t", (json_int_t)place->at_ms, "id", place->last_id.at,
                     place->last_id.len, "left", (json_int_t)place->left);
}

static struct str scan_cursor(const struct scan *scan, struct arena *arena)
{
    json_t *cursor = json_pack("{s:I,s:I}", "since", (json_int_t)scan->since_ms, "begun",
                               (json_int_t)scan->begun_ms);

    if (scan->total >= 0) {
        json_object_set_new(cursor, "total", json_integer((json_int_t)scan->total));
    }
    for (size_t i = 0; i < scan->count; i++) {
        json_object_set_new(cursor, scan->places[i].object, place_json(&scan->places[i]));
    }
    return jx_text(arena, jx_own(arena, cursor));
}

/* Without a Date nothing says when the scan began, and the next one begins where this one did. */
static struct str next_cursor(const struct scan *scan, struct arena *arena)
{
    int64_t since_ms = scan->begun_ms > OVERLAP_MS ? scan->begun_ms - OVERLAP_MS : scan->since_ms;

    since_ms = scan->covered_ms && scan->covered_ms < since_ms ? scan->covered_ms : since_ms;
    return arena_printf(arena, "{\"since\":%" PRId64 "}", since_ms);
}

/* --- one page --------------------------------------------------------------------------------- */

/* What is asked of each place: in order of time, or of id; and which rows. */
struct question {
    bool by_time;
    const char *only; /* "IsDeleted = false"; NULL: whatever changed */
};

static void add_condition(struct buf *soql, struct str condition)
{
    buf_add(soql, soql->len ? STR(" AND ") : STR(" WHERE "));
    buf_add(soql, condition);
}

/* Rows behind (at_ms, last_id) in order of time, from the beginning of the listing on; or behind last_id in order of id. */
static void add_conditions(const struct place *place, const struct question *question,
                           struct arena *arena, struct buf *soql)
{
    int64_t from_ms = place->at_ms ? place->at_ms : place->since_ms;
    char text[WHEN_TEXT_BYTES];

    when_format_ms(from_ms, text);
    if (question->only) {
        add_condition(soql, str_of(question->only));
    }
    if (question->by_time && from_ms > 0) {
        add_condition(soql, arena_printf(arena, "SystemModstamp >= %s", text));
    }
    if (question->by_time && place->at_ms) {
        add_condition(soql, arena_printf(arena, "(SystemModstamp > %s OR Id > '%" PRI_STR "')",
                                         text, STR_ARG(place->last_id)));
    } else if (!question->by_time && place->last_id.len) {
        add_condition(soql, arena_printf(arena, "Id > '%" PRI_STR "'", STR_ARG(place->last_id)));
    }
    if (soql->len == 0) {
        add_condition(soql, STR("Id != null"));
    }
    /* those converted long ago are no news: their contacts are listed themselves */
    if (!question->by_time && strcmp(place->object, SF_LEAD) == 0) {
        add_condition(soql, STR("IsConverted = false"));
    }
}

/* Rows of many members are asked for in smaller numbers, so that a page keeps to the size of an answer. */
static size_t rows_of_page(const struct place *place)
{
    size_t count = place->properties_count ? CELLS_MAX / place->properties_count : SF_PAGE_MAX;

    return count < PAGE_MIN ? PAGE_MIN : count > SF_PAGE_MAX ? SF_PAGE_MAX : count;
}

static struct str conditions(struct session *session, const struct place *place,
                             const struct question *question, struct arena *arena)
{
    struct str filter = salesforce_filter(session, place->object, arena), ret;
    struct buf soql = {0};

    buf_init(&soql, 64 * 1024);
    add_conditions(place, question, arena, &soql);
    buf_add(&soql, filter);
    ret = arena_str(arena, buf_str(&soql));
    buf_fini(&soql);
    return ret;
}

static void prepare(struct session *session, struct place *place, const struct question *question,
                    struct arena *arena)
{
    struct str select = salesforce_select(session, place->object, place->properties,
                                          place->properties_count, arena);
    struct str where = conditions(session, place, question, arena);

    place->query = (struct salesforce_query){
        .soql = arena_printf(arena, "%" PRI_STR "%" PRI_STR " ORDER BY %sId LIMIT %d",
                             STR_ARG(select), STR_ARG(where),
                             question->by_time ? "SystemModstamp, " : "", (int)rows_of_page(place)),
        .is_all = true};
}

static struct salesforce_query count_query(struct session *session, const struct place *place,
                                           const struct question *question, struct arena *arena)
{
    struct str where = conditions(session, place, question, arena);

    return (struct salesforce_query){.soql = arena_printf(arena, "SELECT COUNT() FROM %s%" PRI_STR,
                                                          place->object, STR_ARG(where)),
                                     .is_all = true};
}

/* Where the next page of the place begins. A page may be shorter than asked for, with more behind it. */
static enum fail advance(struct place *place, bool by_time, struct arena *arena, struct error *err)
{
    size_t count = json_array_size(place->query.records);
    const json_t *last = count ? json_array_get(place->query.records, count - 1) : NULL;
    struct str before = place->last_id, id;
    int64_t before_ms = place->at_ms;

    place->is_done = count < rows_of_page(place) && !place->query.is_cut;
    if (place->is_done) {
        return OK;
    }
    if (jx_str(last, "Id", &id, err) != OK ||
        (by_time && jx_time_ms(last, "SystemModstamp", &place->at_ms, err) != OK)) {
        return error_wrap(err, "%s", place->object);
    }
    if (!salesforce_is_id(id) || (str_equal(before, id) && before_ms == place->at_ms)) {
        return error_set(err, FAIL_RETRY, "the page after the last one is that one again");
    }
    place->last_id = arena_str(arena, id);
    return OK;
}

static void keep_times(struct scan *scan, const struct salesforce_answer *answer,
                       struct remote_page *page)
{
    page->began_ms = answer->began_ms;
    page->server_ms = answer->server_ms;
    if (scan->begun_ms == 0) {
        scan->begun_ms = answer->server_ms;
    }
}

/* The next page of every place that has one, in one call; with the first one of a complete listing how many rows there are. */
static enum fail read_places(struct session *session, struct scan *scan,
                             const struct question *question, bool with_counts, struct arena *arena,
                             struct remote_page *page, struct error *err)
{
    struct salesforce_query queries[2 * PLACES_MAX];
    struct place *asked[PLACES_MAX];
    struct salesforce_answer answer;
    size_t count = 0, all = 0;

    for (size_t i = 0; i < scan->count; i++) {
        if (!scan->places[i].is_done) {
            prepare(session, &scan->places[i], question, arena);
            asked[count] = &scan->places[i];
            queries[count++] = scan->places[i].query;
        }
    }
    for (all = count; with_counts && all < 2 * count; all++) {
        queries[all] = count_query(session, asked[all - count], question, arena);
    }
    if (count == 0) {
        return OK;
    }
    if (salesforce_query(session, queries, all, arena, &answer, err) != OK) {
        return err->code;
    }
    keep_times(scan, &answer, page);
    for (size_t i = 0; i < count; i++) {
        asked[i]->query = queries[i];
        asked[i]->left = with_counts ? queries[count + i].total : asked[i]->left;
        if (advance(asked[i], question->by_time, arena, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- what the rows mean ----------------------------------------------------------------------- */

static bool has_record(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (salesforce_same_id(page->records[i].remote_id, id)) {
            return true;
        }
    }
    return false;
}

/* The deals of roles that came, changed or went. */
static enum fail read_deals(struct session *session, const struct scan *scan,
                            const struct place *place, struct arena *arena,
                            struct remote_page *page, struct error *err)
{
    size_t count = json_array_size(place->query.records), ids_count = 0;
    struct str *ids = ARENA_ARRAY(arena, struct str, count + 1);

    for (size_t i = 0; i < count; i++) {
        struct str id =
            jx_text_of(jx_get(json_array_get(place->query.records, i), "OpportunityId"));

        if (salesforce_is_id(id) && !has_record(page, id)) {
            ids[ids_count++] = id;
        }
    }
    return salesforce_read_ids(session, scan->request->kind, scan->request->properties,
                               scan->request->properties_count, ids, ids_count, arena, page, err);
}

static enum fail read_rows(struct session *session, const struct scan *scan, struct arena *arena,
                           struct remote_page *page, struct error *err)
{
    const struct list_request *request = scan->request;

    for (size_t i = 0; i < scan->count; i++) {
        const struct place *place = &scan->places[i];

        if (place->query.records &&
            (place->is_role ? read_deals(session, scan, place, arena, page, err)
                            : salesforce_read_rows(session, place->object, place->query.records,
                                                   arena, page, err)) != OK) {
            return err->code;
        }
    }
    if (salesforce_follow_merges(session, request->kind, request->properties,
                                 request->properties_count, arena, page, err) != OK) {
        return err->code;
    }
    return salesforce_add_people(session, request->properties, request->properties_count, arena,
                                 page, err);
}

/* --- what changed ----------------------------------------------------------------------------- */

/* Roles are described with the deals' first listing. */
static enum fail ready_roles(struct session *session, struct scan *scan, struct error *err)
{
    static const char *const ROLE[] = {SF_ROLE};

    add_roles(scan);
    if (!scan->places[scan->count - 1].is_role) {
        return OK;
    }
    if (salesforce_load_objects(session, ROLE, 1, false, err) == OK &&
        !salesforce_object_named(session, SF_ROLE)->is_loaded) {
        error_set(err, FAIL_CONNECTION,
                  "salesforce shows this user no contact roles of opportunities");
        return error_hint(err,
                          "give the connection's user access to opportunities and contacts, or "
                          "take " SF_DEAL_CONTACTS " out of the mapping");
    }
    return err->code;
}

enum fail salesforce_poll(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *page, struct error *err)
{
    static const struct question QUESTION = {.by_time = true};
    struct scan scan = scan_read(session, request, arena);

    if (ready_roles(session, &scan, err) != OK ||
        read_places(session, &scan, &QUESTION, false, arena, page, err) != OK ||
        read_rows(session, &scan, arena, page, err) != OK) {
        return err->code;
    }
    page->has_more = !is_over(&scan);
    page->cursor = page->has_more ? scan_cursor(&scan, arena) : next_cursor(&scan, arena);
    return OK;
}

/* --- everything ------------------------------------------------------------------------------- */

static const struct question LIVE = {.only = "IsDeleted = false"};

/* A place whose rest a bulk query reads, or should; NULL none. */
static struct place *bulk_place(struct session *session, struct scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        struct place *place = &scan->places[i];

        if (!place->is_done &&
            (place->bulk.job.len || (place->left > BULK_FROM && place->last_id.len &&
                                     salesforce_can_bulk(session, place->object, place->properties,
                                                         place->properties_count)))) {
            return place;
        }
    }
    return NULL;
}

/* The page of a bulk query; the listing goes on by pages where the org does not let us have one. */
static enum fail read_bulk(struct session *session, struct place *place, struct arena *arena,
                           struct remote_page *page, struct error *err)
{
    struct str select = salesforce_select(session, place->object, place->properties,
                                          place->properties_count, arena);
    struct str where = conditions(session, place, &LIVE, arena);
    struct str soql = arena_printf(arena, "%" PRI_STR "%" PRI_STR, STR_ARG(select), STR_ARG(where));
    bool is_refused = false;

    if (salesforce_bulk_read(session, place->object, soql, &place->bulk, arena,
                             &place->query.records, &is_refused, err) != OK) {
        return err->code;
    }
    if (is_refused) {
        place->bulk = (struct salesforce_bulk){0};
        place->left = 0;
        place->query.records = NULL;
        return OK;
    }
    page->began_ms = place->bulk.made_ms;
    place->left -= (int64_t)json_array_size(place->query.records);
    place->is_done = place->bulk.is_over;
    return OK;
}

/* What is left after this page; with the first one, how much there is. */
static void count_off(struct scan *scan, bool is_bulk)
{
    if (scan->is_first) {
        scan->total = 0;
        for (size_t i = 0; i < scan->count; i++) {
            scan->total += scan->places[i].left;
        }
    }
    for (size_t i = 0; i < scan->count && !is_bulk; i++) {
        scan->places[i].left -= (int64_t)json_array_size(scan->places[i].query.records);
    }
}

static enum fail list_all(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *page, struct error *err)
{
    struct scan scan = scan_read(session, request, arena);
    struct place *bulk = bulk_place(session, &scan);

    page->began_ms = clock_wall_ms(session->env->clock);
    if ((bulk ? read_bulk(session, bulk, arena, page, err)
              : read_places(session, &scan, &LIVE, scan.is_first, arena, page, err)) != OK) {
        return err->code;
    }
    count_off(&scan, bulk != NULL);
    if (read_rows(session, &scan, arena, page, err) != OK) {
        return err->code;
    }
    page->total = scan.total;
    page->has_more = !is_over(&scan);
    page->cursor = page->has_more ? scan_cursor(&scan, arena) : next_cursor(&scan, arena);
    return OK;
}

/* --- what is deleted -------------------------------------------------------------------------- */

static const struct question DELETED = {.by_time = true, .only = "IsDeleted = true"};

/* The deletion log knows what left the recycle bin as well. Its reach and its end are by the server's clock. */
static size_t prepare_logs(struct session *session, const struct scan *scan, struct arena *arena,
                           struct salesforce_sub *ret)
{
    int64_t now_ms = clock_wall_ms(session->env->clock) + session->ahead_ms;
    int64_t from_ms = now_ms - (int64_t)LOG_DAYS * DAY_MS + LOG_SPAN_MIN_MS;
    char from[WHEN_TEXT_BYTES], to[WHEN_TEXT_BYTES];

    from_ms = scan->since_ms > from_ms ? scan->since_ms : from_ms;
    if (scan->begun_ms || now_ms - from_ms < LOG_SPAN_MIN_MS) { /* once in a listing */
        return 0;
    }
    when_format_seconds(from_ms, from);
    when_format_seconds(now_ms, to);
    for (size_t i = 0; i < scan->count; i++) {
        ret[i] = (struct salesforce_sub){
            .method = HTTP_GET,
            .path = arena_printf(arena, "/sobjects/%s/deleted/?start=%" PRI_STR "&end=%" PRI_STR,
                                 scan->places[i].object,
                                 STR_ARG(http_percent_encode(arena, str_of(from))),
                                 STR_ARG(http_percent_encode(arena, str_of(to)))),
            .may_be_missing = true};
    }
    return scan->count;
}

/* The ids of a page, to be looked up by their first 15 characters: a log may hold some hundred thousand. */
static json_t *ids_in(const struct remote_page *page, struct arena *arena)
{
    json_t *ids = jx_own(arena, json_object());

    for (size_t i = 0; i < page->count; i++) {
        json_object_setn_new(ids, page->records[i].remote_id.at, SF_ID_SHORT, json_true());
    }
    return ids;
}

static bool holds(const json_t *ids, struct str id)
{
    return json_object_getn(ids, id.at, SF_ID_SHORT) != NULL;
}

/* What the recycle bin did not show: restored since, or gone from there too. */
static enum fail add_logged(struct session *session, const struct scan *scan, const struct str *ids,
                            size_t count, struct arena *arena, struct remote_page *page,
                            struct error *err)
{
    json_t *told = ids_in(page, arena), *seen;
    struct remote_page read = {0};
    struct remote_record *records =
        ARENA_ARRAY(arena, struct remote_record, page->count + 2 * count + 1);

    if (page->count) {
        memcpy(records, page->records, page->count * sizeof *records);
    }
    page->records = records;
    if (count && salesforce_read_ids(session, scan->request->kind, NULL, 0, ids, count, arena,
                                     &read, err) != OK) {
        return err->code;
    }
    seen = ids_in(&read, arena);
    for (size_t i = 0; i < read.count; i++) {
        if (read.records[i].state != REMOTE_LIVE && !holds(told, read.records[i].remote_id)) {
            records[page->count++] = read.records[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!holds(seen, ids[i]) && !holds(told, ids[i])) {
            records[page->count++] = (struct remote_record){
                .remote_id = ids[i], .state = REMOTE_GONE, .correlation_key = STR("")};
        }
    }
    return OK;
}

/* source: REST API Developer Guide, "sObject Get Deleted": deletedRecords, latestDateCovered */
static enum fail read_log(struct scan *scan, const struct salesforce_sub *sub, struct arena *arena,
                          const json_t *told, struct str **ids, size_t *count, struct error *err)
{
    int64_t covered_ms;
    json_t *rows;
    struct str *ret;

    if (sub->result != OK && (sub->status == 400 || sub->status == 404)) {
        return OK; /* no log of this object, or none that reaches so far: the recycle bin it is */
    }
    if (sub->result != OK) {
        *err = sub->error;
        return err->code;
    }
    if (jx_array(sub->answer, "deletedRecords", &rows, err) != OK ||
        jx_time_ms_or(sub->answer, "latestDateCovered", 0, &covered_ms, err) != OK) {
        return err->code;
    }
    scan->covered_ms = covered_ms && (!scan->covered_ms || covered_ms < scan->covered_ms)
                           ? covered_ms
                           : scan->covered_ms;
    ret = ARENA_ARRAY(arena, struct str, *count + json_array_size(rows) + 1);
    if (*count) {
        memcpy(ret, *ids, *count * sizeof *ret);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct str id = jx_text_of(jx_get(json_array_get(rows, i), "id"));

        if (salesforce_is_id(id) && !holds(told, id)) {
            ret[(*count)++] = salesforce_id18(arena, id);
        }
    }
    *ids = ret;
    return OK;
}

static enum fail read_logs(struct session *session, struct scan *scan,
                           const struct salesforce_sub *subs, size_t subs_count,
                           struct arena *arena, struct remote_page *page, struct error *err)
{
    const json_t *told = ids_in(page, arena);
    struct str *ids = NULL;
    size_t count = 0;

    for (size_t i = 0; i < subs_count; i++) {
        if (read_log(scan, &subs[i], arena, told, &ids, &count, err) != OK) {
            return error_wrap(err, "deletions of %s", scan->places[i].object);
        }
    }
    return add_logged(session, scan, ids, count, arena, page, err);
}

/* The bins and the logs of all places in one call. */
static enum fail ask_deleted(struct session *session, struct scan *scan,
                             struct salesforce_sub *logs, size_t logs_count, struct arena *arena,
                             struct remote_page *page, struct error *err)
{
    struct salesforce_sub subs[2 * PLACES_MAX];
    struct place *asked[PLACES_MAX];
    struct salesforce_answer answer;
    size_t count = 0;

    for (size_t i = 0; i < scan->count; i++) {
        if (!scan->places[i].is_done) {
            prepare(session, &scan->places[i], &DELETED, arena);
            asked[count] = &scan->places[i];
            subs[count++] = salesforce_query_sub(&scan->places[i].query, arena);
        }
    }
    if (logs_count) {
        memcpy(subs + count, logs, logs_count * sizeof *logs);
    }
    if (salesforce_composite(session, subs, count + logs_count, true, false, arena, &answer, err) !=
        OK) {
        return err->code;
    }
    keep_times(scan, &answer, page);
    if (logs_count) {
        memcpy(logs, subs + count, logs_count * sizeof *logs);
    }
    for (size_t i = 0; i < count; i++) {
        if (salesforce_query_answer(&subs[i], &asked[i]->query, err) != OK ||
            advance(asked[i], true, arena, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail list_deleted(struct session *session, const struct list_request *request,
                              struct arena *arena, struct remote_page *page, struct error *err)
{
    struct scan scan = scan_read(session, request, arena);
    struct salesforce_sub logs[PLACES_MAX];
    size_t logs_count = prepare_logs(session, &scan, arena, logs);

    if (salesforce_log_can_wait(session, request->cursor)) {
        page->began_ms = clock_wall_ms(session->env->clock);
        page->cursor = request->cursor;
        return OK;
    }
    for (size_t i = 0; i < scan.count; i++) { /* what is gone has no values */
        scan.places[i].properties_count = 0;
    }
    if (ask_deleted(session, &scan, logs, logs_count, arena, page, err) != OK ||
        read_rows(session, &scan, arena, page, err) != OK ||
        read_logs(session, &scan, logs, logs_count, arena, page, err) != OK) {
        return err->code;
    }
    page->has_more = !is_over(&scan);
    page->cursor = page->has_more ? scan_cursor(&scan, arena) : next_cursor(&scan, arena);
    return OK;
}

/* --- the contract ----------------------------------------------------------------------------- */

enum fail salesforce_list(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    enum fail failed = FAIL_BUG;

    error_reset(err);
    if (salesforce_ready(session, request->kind, request->properties, request->properties_count,
                         err) != OK) {
        return err->code;
    }
    switch (request->mode) {
    case LIST_ALL:
        failed = list_all(session, request, arena, &page, err);
        break;
    case LIST_CHANGED:
        failed = session->wants_events ? salesforce_list_events(session, request, arena, &page, err)
                                       : salesforce_poll(session, request, arena, &page, err);
        break;
    case LIST_DELETED:
        failed = list_deleted(session, request, arena, &page, err);
        break;
    }
    if (failed != OK) {
        return error_wrap(err, "list salesforce's %s", salesforce_title(session, request->kind));
    }
    *ret = page;
    return OK;
}
