/* Jobs that answer a query: the result is taken when the job's time comes and read in pages behind locators.
 *
 * Sources: bulk guide (api-asynch), "Create a Query Job", "Get Results for a Query Job", "Get Parallel Results for a Query Job";
 * reference/salesforce-examples/bulk2-query-results.txt. */
#include "simulators/salesforce_bulk.h"

#include "core/alloc.h"
#include "core/base64.h"
#include "simulators/salesforce_soql.h"

enum {
    CELL_BYTES_MAX = 256 * 1024,
    PAGES_SHOWN = 5,
    PAGES_SINCE = 58, /* version of resultPages */
};

/* --- the statement ----------------------------------------------------------------------------- */

static bool has_address(const struct soql_item *items)
{
    for (const struct soql_item *item = items; item; item = item->next) {
        if ((item->kind == SOQL_FIELD && item->field && item->field->type == SF_ADDRESS) ||
            (item->kind == SOQL_PARENT && has_address(item->items))) {
            return true;
        }
    }
    return false;
}

static bool has_children(const struct soql_query *query)
{
    for (const struct soql_item *item = query->items; item; item = item->next) {
        if (item->kind == SOQL_CHILDREN) {
            return true;
        }
    }
    return false;
}

/* NULL, or what a query job cannot do although a query can. source: bulk guide, "Create a Query Job" */
static const char *too_much(const struct soql_query *query)
{
    if (query->aggregate != SOQL_NO_AGGREGATE || has_children(query)) {
        return "FeatureNotEnabled : Aggregate Relationships not supported in Bulk Query";
    }
    if (has_address(query->items)) {
        return "FeatureNotEnabled : Selecting compound data not supported in Bulk Query";
    }
    return query->offset > 0 ? "FeatureNotEnabled : OFFSET not supported in Bulk Query" : NULL;
}

bool sf_query_job_check(struct sim_call *call, struct sf_job *job)
{
    struct soql_query *query = NULL;
    struct sf_error err = {0};
    const char *wrong;

    if (!soql_parse(sf_of(call), call->arena, str_of(job->query), false, call->now_ms, &query,
                    &err)) {
        sf_fail(call, &err);
        return false;
    }
    wrong = too_much(query);
    if (wrong) {
        sf_failf(call, 400, "FEATURENOTENABLED", "%s", wrong);
        return false;
    }
    job->object = query->object;
    return true;
}

/* --- running ----------------------------------------------------------------------------------- */

struct columns {
    struct str names[SF_CSV_COLUMNS_MAX];
    struct soql_path paths[SF_CSV_COLUMNS_MAX];
    size_t count;
};

static void put_names(struct sf_job *job, const struct columns *columns)
{
    AUTO_BUF struct buf text;

    buf_init(&text, CELL_BYTES_MAX);
    for (size_t i = 0; i < columns->count; i++) {
        sf_put_cell(&text, job, columns->names[i], i == 0);
    }
    sf_put_line_end(&text, job);
    job->header = arena_str(&job->arena, buf_str(&text));
}

static void put_rows(const struct salesforce *sf, struct sf_job *job, const struct columns *columns,
                     const struct soql_result *result)
{
    AUTO_BUF struct buf cell;

    buf_init(&cell, CELL_BYTES_MAX);
    for (size_t i = 0; i < result->count; i++) {
        for (size_t j = 0; j < columns->count; j++) {
            buf_reset(&cell);
            soql_put_column(sf, &cell, &columns->paths[j], result->records[i]);
            sf_put_cell(&job->rows.text, job, buf_str(&cell), j == 0);
        }
        sf_put_line_end(&job->rows.text, job);
        sf_lines_end(&job->rows);
    }
}

static void take_result(struct salesforce *sf, struct sf_job *job, const struct soql_query *query)
{
    struct columns *columns = ARENA_NEW(&job->arena, struct columns);
    struct soql_result result = {0};

    columns->count =
        soql_columns(query, &job->arena, columns->names, columns->paths, SF_CSV_COLUMNS_MAX);
    put_names(job, columns);
    soql_run(sf, query, NULL, &result);
    put_rows(sf, job, columns, &result);
    job->processed = (int64_t)result.count;
    soql_result_free(&result);
}

/* The schema may have changed since the job was made. */
static void begin(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    struct soql_query *query = NULL;
    struct sf_error err = {0};

    if (!soql_parse(sf_of(call), &job->arena, str_of(job->query), false, job->created_ms, &query,
                    &err)) {
        sf_job_fail(bulk, job, alloc_printf("%s : %" PRI_STR, err.code, STR_ARG(err.message)),
                    call->now_ms);
        return;
    }
    query->shows_deleted = job->operation == SF_JOB_QUERY_ALL;
    take_result(sf_of(call), job, query);
    job->state = SF_JOB_RUNNING;
    job->modified_ms = call->now_ms;
}

void sf_query_job_run(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    if (job->state == SF_JOB_UPLOADED) {
        begin(call, bulk, job);
    }
    if (job->state == SF_JOB_RUNNING && job->begins_ms + bulk->chunk_ms <= call->now_ms) {
        sf_job_end(bulk, job, SF_JOB_COMPLETE, call->now_ms);
    }
}

/* --- results ----------------------------------------------------------------------------------- */

/* "MTAwMDA" of row 10000: base64 without its padding */
static struct str locator_of(struct arena *arena, size_t row)
{
    struct str digits = arena_printf(arena, "%zu", row);

    return base64url_encode(arena, digits.at, digits.len);
}

/* False after answering. */
static bool read_locator(struct sim_call *call, const struct sf_job *job, size_t *ret)
{
    struct str text = sim_query(call, "locator"), digits = STR_NONE;
    int64_t row = 0;

    *ret = 0;
    if (!text.at) {
        return true;
    }
    if (!base64url_decode(call->arena, text, &digits) || !str_to_i64(digits, &row) || row < 0 ||
        (uint64_t)row > job->rows.count) {
        sf_failf(call, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
        return false;
    }
    *ret = (size_t)row;
    return true;
}

static void put_lines(struct buf *body, const struct sf_lines *lines, size_t from, size_t to)
{
    size_t begin = from ? lines->ends[from - 1] : 0;
    size_t end = to ? lines->ends[to - 1] : 0;

    if (end > begin) {
        buf_add(body, str_slice(buf_str(&lines->text), begin, end));
    }
}

static void serve_page(struct sim_call *call, const struct sf_bulk *bulk, const struct sf_job *job)
{
    int64_t rows_max;
    size_t from, to;

    if (!sim_query_i64(call, "maxRecords", bulk->records_shown_max, &rows_max) || rows_max < 1) {
        sf_failf(call, 400, "INVALID_QUERY_LOCATOR", "maxRecords has to be a positive number");
        return;
    }
    if (!read_locator(call, job, &from)) {
        return;
    }
    to = job->rows.count - from > (size_t)rows_max ? from + (size_t)rows_max : job->rows.count;
    sim_header(call, "Content-Type", STR("text/csv; charset=UTF-8"));
    /* the last page has the text "null". source: bulk guide, "Get Results for a Query Job" */
    sim_header(call, "Sforce-Locator",
               to < job->rows.count ? locator_of(call->arena, to) : STR("null"));
    sim_header_i64(call, "Sforce-NumberOfRecords", (int64_t)(to - from));
    buf_add(call->body, job->header);
    put_lines(call->body, &job->rows, from, to);
    sim_reply(call, 200);
}

static void put_url(struct sim_call *call, const struct sf_job *job, const char *what, size_t row)
{
    char id[SF_ID_BYTES];

    sf_id_format("750", job->number, id);
    buf_addf(call->body, "\"/services/data/v%d.0/jobs/query/%s/%s?locator=%" PRI_STR "\"",
             job->version, id, what, STR_ARG(locator_of(call->arena, row)));
}

static void serve_page_list(struct sim_call *call, const struct sf_bulk *bulk,
                            const struct sf_job *job)
{
    size_t row, shown = 0, step = (size_t)bulk->records_shown_max;

    if (!read_locator(call, job, &row)) {
        return;
    }
    sim_put(call->body, "{\"resultPages\":[");
    do {
        sim_put(call->body, shown ? ",{\"resultUrl\":" : "{\"resultUrl\":");
        put_url(call, job, "results", row);
        buf_add_char(call->body, '}');
        row += step;
    } while (++shown < PAGES_SHOWN && row < job->rows.count);
    sim_put(call->body, "],\"nextRecordsUrl\":");
    if (row < job->rows.count) {
        put_url(call, job, "resultPages", row);
    } else {
        sim_put(call->body, "null");
    }
    sim_put(call->body, row < job->rows.count ? ",\"done\":false}" : ",\"done\":true}");
    sim_reply(call, 200);
}

void sf_query_job_results(struct sim_call *call, const struct sf_bulk *bulk,
                          const struct sf_job *job, const struct sf_route *route)
{
    bool is_list = str_equal_nocase(route->at[3], STR("resultPages"));

    if ((!is_list && !sf_route_is(route, 3, "results")) ||
        (is_list && route->version < PAGES_SINCE)) {
        sf_not_found(call);
    } else if (route->version != job->version) {
        sf_failf(call, 409, "INVALID_VERSION",
                 "the results of a job are read with the API version that it was made with");
    } else if (job->state != SF_JOB_COMPLETE) {
        sf_failf(call, 400, "INVALIDJOBSTATE", "the results can be read when a job is complete");
    } else if (is_list) {
        serve_page_list(call, bulk, job);
    } else {
        serve_page(call, bulk, job);
    }
}
