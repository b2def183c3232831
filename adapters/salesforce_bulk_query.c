/* Salesforce: complete listings of many rows by a job of the Bulk API 2.0. A job is asked for, polled (each poll that finds it at work ends
 * with FAIL_THROTTLED: the caller comes back), and its results come as CSV in parts, which are handed out in pages. A part is kept
 * in the session; a session that does not have it any more loads it again.
 * source: Bulk API 2.0 and Bulk API Developer Guide, "Query Jobs", "Get Results for a Query Job" */
#include "adapters/salesforce_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/csv.h"
#include "core/decimal.h"
#include "core/jx.h"

enum {
    PART_ROWS = 10000, /* at a few hundred bytes a row some megabytes */
    POLL_MIN_MS = 2000,
    POLL_MAX_MS = 30 * 1000,
    COLUMNS_MAX = 1000,
};

/* A part of a job's results, read row by row. */
struct salesforce_bulk_page {
    char *job, *locator; /* owned: which part of which job */
    char *next;          /* owned: locator of the part behind it; "" none */
    char *text;          /* owned */
    FILE *file;
    struct csv_reader *reader;
    char **columns; /* owned, each as well */
    size_t columns_count;
    int64_t row; /* rows handed out */
};

void salesforce_free_bulk(struct session *session)
{
    struct salesforce_bulk_page *page = session->bulk;

    if (!page) {
        return;
    }
    csv_reader_free(page->reader);
    if (page->file) {
        fclose(page->file);
    }
    for (size_t i = 0; i < page->columns_count; i++) {
        free(page->columns[i]);
    }
    free(page->columns);
    free(page->text);
    free(page->job);
    free(page->locator);
    free(page->next);
    free(page);
    session->bulk = NULL;
}

bool salesforce_can_bulk(struct session *session, const char *object, const struct str *properties,
                         size_t count)
{
    static const char *const TYPES[] = {"address", "location", "base64"};

    for (size_t i = 0; i < count; i++) {
        const struct salesforce_field *field =
            salesforce_field_named(salesforce_object_named(session, object), properties[i]);

        for (size_t k = 0; field && k < COUNT_OF(TYPES); k++) {
            if (str_equal(field->type, str_of(TYPES[k]))) {
                return false;
            }
        }
    }
    return true;
}

/* --- the job ---------------------------------------------------------------------------------- */

/* No fault of this moment: the org, its edition or the user does not have it. */
static bool is_refusal(enum fail failed)
{
    return failed == FAIL_CONNECTION || failed == FAIL_RECORD || failed == FAIL_STALE;
}

static enum fail start(struct session *session, struct str soql, struct salesforce_bulk *bulk,
                       struct arena *arena, bool *ret_refused, struct error *err)
{
    struct salesforce_call call = {.method = HTTP_POST,
                                   .path = STR("/jobs/query"),
                                   .is_safe = true, /* a job that nobody reads harms nobody */
                                   .may_be_missing = true};
    struct salesforce_answer answer;

    call.body =
        jx_own(arena, json_pack("{s:s,s:s%}", "operation", "queryAll", "query", soql.at, soql.len));
    bulk->made_ms = clock_wall_ms(session->env->clock);
    if (salesforce_exec(session, &call, arena, &answer, err) != OK) {
        *ret_refused = is_refusal(err->code);
        return err->code;
    }
    if (jx_str(answer.body, "id", &bulk->job, err) != OK || !salesforce_is_id(bulk->job)) {
        return error_set(err, FAIL_RETRY, "salesforce started a query job without naming it");
    }
    return OK;
}

/* OK: its results can be read. */
static enum fail poll_job(struct session *session, const struct salesforce_bulk *bulk,
                          struct arena *arena, bool *ret_refused, struct error *err)
{
    struct salesforce_call call = {
        .method = HTTP_GET,
        .path = arena_printf(arena, "/jobs/query/%" PRI_STR, STR_ARG(bulk->job)),
        .is_safe = true,
        .may_be_missing = true};
    int64_t age_ms = clock_wall_ms(session->env->clock) - bulk->made_ms;
    struct salesforce_answer answer;
    struct str state;

    if (salesforce_exec(session, &call, arena, &answer, err) != OK) {
        *ret_refused = is_refusal(err->code);
        return err->code;
    }
    state = jx_text_of(jx_get(answer.body, "state"));
    if (str_equal(state, STR("JobComplete"))) {
        return OK;
    }
    if (str_equal(state, STR("Failed")) || str_equal(state, STR("Aborted"))) {
        *ret_refused = true;
        return error_set(err, FAIL_RETRY, "salesforce's query job did not end well");
    }
    error_set(err, FAIL_THROTTLED, "salesforce's query job is at work");
    err->wait_ms = age_ms / 4 < POLL_MIN_MS   ? POLL_MIN_MS
                   : age_ms / 4 > POLL_MAX_MS ? POLL_MAX_MS
                                              : age_ms / 4;
    return FAIL_THROTTLED;
}

/* --- a part of the results -------------------------------------------------------------------- */

static enum fail read_header(struct salesforce_bulk_page *page, struct error *err)
{
    struct csv_row row;
    bool found;

    if (csv_reader_next(page->reader, &row, &found, err) != OK || !found || row.wrong ||
        row.count > COLUMNS_MAX) {
        return error_set(err, FAIL_RETRY, "salesforce's results have no header");
    }
    page->columns = alloc_new(row.count + 1, sizeof *page->columns);
    for (size_t i = 0; i < row.count; i++) {
        page->columns[page->columns_count++] = alloc_printf("%" PRI_STR, STR_ARG(row.cells[i]));
    }
    return OK;
}

static enum fail keep_part(struct session *session, const struct salesforce_bulk *bulk,
                           const struct salesforce_answer *answer, struct error *err)
{
    struct salesforce_bulk_page *page = alloc_new(1, sizeof *page);
    bool is_last = str_equal(answer->locator, STR("null"));

    salesforce_free_bulk(session);
    session->bulk = page;
    page->job = alloc_printf("%" PRI_STR, STR_ARG(bulk->job));
    page->locator = alloc_printf("%" PRI_STR, STR_ARG(bulk->locator));
    page->next = alloc_printf("%" PRI_STR, STR_ARG(is_last ? STR("") : answer->locator));
    page->text = alloc_new(answer->text.len + 1, 1);
    memcpy(page->text, answer->text.at, answer->text.len);
    page->file = fmemopen(page->text, answer->text.len, "r");
    if (!page->file) {
        return error_set(err, FAIL_STOP, "no memory stream for salesforce's results");
    }
    page->reader = csv_reader_new(page->file);
    return read_header(page, err);
}

/* source: the last part's locator is the text "null"; each part repeats the header (same guide) */
static enum fail load_part(struct session *session, const struct salesforce_bulk *bulk,
                           bool *ret_refused, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str locator = bulk->locator.len ? http_percent_encode(&arena, bulk->locator) : STR("");
    struct salesforce_call call = {
        .method = HTTP_GET,
        .path = arena_printf(&arena, "/jobs/query/%" PRI_STR "/results?maxRecords=%d%s%" PRI_STR,
                             STR_ARG(bulk->job), PART_ROWS, locator.len ? "&locator=" : "",
                             STR_ARG(locator)),
        .is_safe = true,
        .may_be_missing = true,
        .has_text_answer = true};
    struct salesforce_answer answer;

    if (salesforce_exec(session, &call, &arena, &answer, err) != OK) {
        *ret_refused = is_refusal(err->code); /* kept for seven days only */
        return err->code;
    }
    if (answer.text.len == 0 || !answer.locator.len || str_equal(answer.locator, bulk->locator)) {
        return error_set(err, FAIL_RETRY, "salesforce's results end without their end");
    }
    return keep_part(session, bulk, &answer, err);
}

static bool holds_part(const struct session *session, const struct salesforce_bulk *bulk)
{
    const struct salesforce_bulk_page *page = session->bulk;

    return page && page->columns && str_equal(str_of(page->job), bulk->job) &&
           str_equal(str_of(page->locator), bulk->locator) && page->row <= bulk->row;
}

/* --- rows ------------------------------------------------------------------------------------- */

enum cell { CELL_TEXT, CELL_NUMBER, CELL_BOOLEAN };

struct column {
    const char *name;
    size_t len;
    enum cell cell;
};

static enum cell cell_of(const struct salesforce_field *field)
{
    static const char *const NUMBERS[] = {"int", "double", "currency", "percent", "long"};

    for (size_t i = 0; field && i < COUNT_OF(NUMBERS); i++) {
        if (str_equal(field->type, str_of(NUMBERS[i]))) {
            return CELL_NUMBER;
        }
    }
    return field && str_equal(field->type, STR("boolean")) ? CELL_BOOLEAN : CELL_TEXT;
}

static json_t *number_of(struct str text, struct arena *arena)
{
    struct str wrapped = arena_printf(arena, "[%" PRI_STR "]", STR_ARG(text));
    struct error ignored = {0};
    json_t *number = NULL;

    return jx_parse(arena, wrapped, &number, &ignored) == OK
               ? json_incref(json_array_get(number, 0))
               : json_stringn(text.at, text.len);
}

/* A cell as the query resource would show it. */
static json_t *value_of(enum cell cell, struct str text, struct arena *arena)
{
    if (text.len == 0) {
        return json_null();
    }
    switch (cell) {
    case CELL_TEXT:
        return json_stringn(text.at, text.len);
    case CELL_NUMBER:
        return number_of(text, arena);
    case CELL_BOOLEAN:
        return json_boolean(str_equal(text, STR("true")));
    }
    return NULL;
}

static json_t *row_of(const struct column *columns, const struct csv_row *row, struct arena *arena)
{
    json_t *ret = json_object();

    for (size_t i = 0; i < row->count; i++) {
        json_t *value = value_of(columns[i].cell, row->cells[i], arena);

        if (value) { /* bytes that are no text are no observation */
            json_object_setn_new(ret, columns[i].name, columns[i].len, value);
        }
    }
    return ret;
}

/* What each column of the part in hand holds; the names are the part's. */
static const struct column *columns_of(struct session *session, const char *object,
                                       struct arena *arena)
{
    const struct salesforce_bulk_page *page = session->bulk;
    struct column *columns = ARENA_ARRAY(arena, struct column, page->columns_count + 1);

    for (size_t i = 0; i < page->columns_count; i++) {
        struct str name = str_of(page->columns[i]);

        columns[i] = (struct column){.name = name.at,
                                     .len = name.len,
                                     .cell = cell_of(salesforce_field_named(
                                         salesforce_object_named(session, object), name))};
    }
    return columns;
}

/* The next row that stands behind bulk->row; *ret_found false at the part's end. */
static enum fail next_row(struct salesforce_bulk_page *page, const struct salesforce_bulk *bulk,
                          struct csv_row *ret, bool *ret_found, struct error *err)
{
    do {
        if (csv_reader_next(page->reader, ret, ret_found, err) != OK) {
            return err->code;
        }
        if (*ret_found && (ret->wrong || ret->count != page->columns_count)) {
            return error_set(err, FAIL_RETRY,
                             "salesforce's results have a row that cannot be read");
        }
    } while (*ret_found && page->row++ < bulk->row);
    return OK;
}

static enum fail read_page(struct session *session, const char *object,
                           struct salesforce_bulk *bulk, struct arena *arena, json_t *rows,
                           bool *ret_refused, struct error *err)
{
    struct salesforce_bulk_page *page = session->bulk;
    const struct column *columns = columns_of(session, object, arena);
    struct csv_row row;
    bool found = true;

    while (found && json_array_size(rows) < SF_PAGE_MAX) {
        if (next_row(page, bulk, &row, &found, err) != OK) {
            /* NUL bytes were met in such results, github.com/airbytehq/airbyte issue 8300: by pages they can be read */
            *ret_refused = true;
            salesforce_free_bulk(session);
            return err->code;
        }
        if (found) {
            json_array_append_new(rows, row_of(columns, &row, arena));
            bulk->row++;
        }
    }
    if (!found) {
        bulk->is_over = page->next[0] == '\0';
        bulk->locator = arena_str(arena, str_of(page->next));
        bulk->row = 0;
        salesforce_free_bulk(session);
    }
    return OK;
}

enum fail salesforce_bulk_read(struct session *session, const char *object, struct str soql,
                               struct salesforce_bulk *bulk, struct arena *arena, json_t **ret_rows,
                               bool *ret_refused, struct error *err)
{
    json_t *rows = jx_own(arena, json_array());
    enum fail failed = OK;

    *ret_refused = false;
    if (!bulk->job.len) {
        failed = start(session, soql, bulk, arena, ret_refused, err);
    } else {
        if (!holds_part(session, bulk)) {
            failed = bulk->locator.len || bulk->row
                         ? OK
                         : poll_job(session, bulk, arena, ret_refused, err);
            failed = failed ? failed : load_part(session, bulk, ret_refused, err);
        }
        failed = failed ? failed : read_page(session, object, bulk, arena, rows, ret_refused, err);
    }
    if (*ret_refused) {
        error_reset(err);
        return OK;
    }
    *ret_rows = rows;
    return failed;
}
