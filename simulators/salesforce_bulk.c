/* Jobs: making, state, listing, and the clock that drives them.
 *
 * Sources: bulk guide (api-asynch), "Create a Job", "Upload Job Data", "Upload Complete", "Abort a Job", "Delete a Job", "Create a Query
 * Job" and the pages of their results; texts of errors as the guide or users quote them. */
#include "simulators/salesforce_bulk.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"

enum { QUERY_BYTES_MAX = 100000, QUEUED_MS = 300, CHUNK_MS = 2, PAGE_ROWS = 50000 };

static const int64_t DAY_MS = 24LL * 60 * 60 * 1000;

static const char *const OPERATIONS[SF_JOB_OPERATIONS] = {
    [SF_JOB_INSERT] = "insert",          [SF_JOB_UPDATE] = "update",
    [SF_JOB_UPSERT] = "upsert",          [SF_JOB_DELETE] = "delete",
    [SF_JOB_HARD_DELETE] = "hardDelete", [SF_JOB_QUERY] = "query",
    [SF_JOB_QUERY_ALL] = "queryAll",
};

static const struct {
    const char *name;
    char delimiter;
} DELIMITERS[] = {{"COMMA", ','},     {"BACKQUOTE", '`'}, {"CARET", '^'},
                  {"SEMICOLON", ';'}, {"PIPE", '|'},      {"TAB", '\t'}};

/* --- life ------------------------------------------------------------------------------------- */

struct sf_bulk *sf_bulk_new(int64_t first_number)
{
    struct sf_bulk *bulk = alloc_new(1, sizeof(*bulk));

    bulk->number_last = first_number;
    bulk->queued_ms = QUEUED_MS;
    bulk->chunk_ms = CHUNK_MS;
    bulk->records_shown_max = PAGE_ROWS;
    sim_window_init(&bulk->batches, SF_BATCHES_A_DAY, DAY_MS);
    sim_window_init(&bulk->queries, SF_QUERIES_A_DAY, DAY_MS);
    return bulk;
}

static void lines_fini(struct sf_lines *lines)
{
    buf_fini(&lines->text);
    free(lines->ends);
}

static void job_free(struct sf_job *job)
{
    csv_reader_free(job->reader);
    if (job->file) {
        fclose(job->file);
    }
    for (size_t i = 0; i < job->outcomes_count; i++) {
        free(job->outcomes[i].error);
    }
    free(job->outcomes);
    free(job->csv);
    free(job->key_name);
    free(job->client);
    free(job->error);
    free(job->query);
    buf_fini(&job->lines);
    lines_fini(&job->unprocessed);
    lines_fini(&job->rows);
    arena_fini(&job->arena);
    free(job);
}

void sf_bulk_free(struct sf_bulk *bulk)
{
    if (!bulk) {
        return;
    }
    for (size_t i = 0; i < bulk->count; i++) {
        job_free(bulk->jobs[i]);
    }
    free(bulk->jobs);
    sim_window_fini(&bulk->batches);
    sim_window_fini(&bulk->queries);
    free(bulk);
}

bool sf_job_is_query(const struct sf_job *job)
{
    return job->operation == SF_JOB_QUERY || job->operation == SF_JOB_QUERY_ALL;
}

bool sf_job_has_ended(const struct sf_job *job)
{
    return job->state >= SF_JOB_COMPLETE;
}

void sf_job_end(struct sf_bulk *bulk, struct sf_job *job, enum sf_job_state state, int64_t now_ms)
{
    assert(!sf_job_has_ended(job) && state >= SF_JOB_COMPLETE);
    if (job->begins_ms == 0) {
        job->begins_ms = now_ms;
    }
    job->state = state;
    job->modified_ms = job->ended_ms = now_ms;
    bulk->active--;
    sf_ingest_give_up(job);
}

void sf_job_fail(struct sf_bulk *bulk, struct sf_job *job, char *take_error, int64_t now_ms)
{
    job->error = take_error;
    sf_job_end(bulk, job, SF_JOB_FAILED, now_ms);
}

/* --- CSV -------------------------------------------------------------------------------------- */

void sf_lines_end(struct sf_lines *lines)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? lines->capacity * 2 : 256;
        lines->ends = alloc_resize(lines->ends, lines->capacity, sizeof(lines->ends[0]));
    }
    lines->ends[lines->count++] = lines->text.len;
}

void sf_put_cell(struct buf *to, const struct sf_job *job, struct str text, bool is_first)
{
    if (!is_first) {
        buf_add_char(to, job->delimiter);
    }
    buf_add_char(to, '"');
    while (text.at) {
        struct str rest = text, part = str_cut(&rest, '"');

        buf_add(to, part);
        if (!rest.at) {
            break;
        }
        buf_add(to, STR("\"\""));
        text = rest;
    }
    buf_add_char(to, '"');
}

void sf_put_line_end(struct buf *to, const struct sf_job *job)
{
    buf_add(to, job->is_crlf ? STR("\r\n") : STR("\n"));
}

/* --- a job as JSON ---------------------------------------------------------------------------- */

static const char *state_name(enum sf_job_state state)
{
    switch (state) {
    case SF_JOB_OPEN:
        return "Open";
    case SF_JOB_UPLOADED:
        return "UploadComplete";
    case SF_JOB_RUNNING:
        return "InProgress";
    case SF_JOB_COMPLETE:
        return "JobComplete";
    case SF_JOB_FAILED:
        return "Failed";
    case SF_JOB_ABORTED:
        return "Aborted";
    }
    abort(); /* the enum is closed */
}

static const char *delimiter_name(char delimiter)
{
    for (size_t i = 0; i < COUNT_OF(DELIMITERS); i++) {
        if (DELIMITERS[i].delimiter == delimiter) {
            return DELIMITERS[i].name;
        }
    }
    abort(); /* a job has one of these */
}

/* "2026-07-27T11:00:00.000+0000" */
static void put_time(struct buf *body, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(ms / 1000 * 1000, text);
    buf_addf(body, ",\"%s\":\"%.23s+0000\"", name, text);
}

static void put_text_member(struct buf *body, const char *name, struct str text)
{
    sim_put_name(body, name);
    sim_put_text(body, text);
}

/* What every answer about a job has. source: reference/salesforce-examples/bulk2-ingest-created.json */
static void put_common(struct buf *body, const struct sf_job *job)
{
    char id[SF_ID_BYTES], user[SF_ID_BYTES];

    sf_id_format("750", job->number, id);
    sf_id_format("005", job->session.user, user);
    buf_addf(body, "{\"id\":\"%s\",\"operation\":\"%s\"", id, OPERATIONS[job->operation]);
    put_text_member(body, "object", job->object->name);
    put_text_member(body, "createdById", str_of(user));
    put_time(body, "createdDate", job->created_ms);
    put_time(body, "systemModstamp", job->modified_ms);
    put_text_member(body, "state", str_of(state_name(job->state)));
    if (job->key_name) {
        put_text_member(body, "externalIdFieldName", str_of(job->key_name));
    }
    buf_addf(body, ",\"concurrencyMode\":\"Parallel\",\"contentType\":\"CSV\",\"apiVersion\":%d.0",
             job->version);
    if (job->state == SF_JOB_OPEN) {
        buf_addf(body, ",\"contentUrl\":\"services/data/v%d.0/jobs/ingest/%s/batches\"",
                 job->version, id);
    }
    buf_addf(body, ",\"lineEnding\":\"%s\",\"columnDelimiter\":\"%s\"",
             job->is_crlf ? "CRLF" : "LF", delimiter_name(job->delimiter));
}

static void put_brief(struct buf *body, const struct sf_job *job)
{
    put_common(body, job);
    buf_add_char(body, '}');
}

static int64_t spent_ms(const struct sf_job *job, int64_t now_ms)
{
    if (!job->begins_ms || job->begins_ms > now_ms) {
        return 0;
    }
    return (sf_job_has_ended(job) ? job->ended_ms : now_ms) - job->begins_ms;
}

static void put_whole(struct buf *body, const struct sf_job *job, int64_t now_ms)
{
    bool is_query = sf_job_is_query(job);
    long long spent = (long long)spent_ms(job, now_ms);

    put_common(body, job);
    buf_addf(body, ",\"jobType\":\"%s\",\"numberRecordsProcessed\":%lld",
             is_query ? "V2Query" : "V2Ingest", (long long)job->processed);
    if (!is_query) {
        buf_addf(body,
                 ",\"numberRecordsFailed\":%lld,\"apiActiveProcessingTime\":%lld,"
                 "\"apexProcessingTime\":0",
                 (long long)job->failed, spent);
    }
    buf_addf(body, ",\"retries\":0,\"totalProcessingTime\":%lld", spent);
    if (job->error) {
        put_text_member(body, "errorMessage", str_of(job->error));
    }
    buf_add_char(body, '}');
}

/* --- making ----------------------------------------------------------------------------------- */

static struct sf_job *job_new(struct sim_call *call, struct sf_bulk *bulk, int version)
{
    struct sf_job *job = alloc_new(1, sizeof(*job));
    struct sf_unit unit;

    sf_unit_begin(call, &unit); /* it knows who calls, and with what client name */
    job->session = unit.session;
    job->client = unit.client.at ? alloc_printf("%" PRI_STR, STR_ARG(unit.client)) : NULL;
    sf_unit_end(&unit, true);
    job->number = bulk->number_last + 1;
    job->version = version;
    job->created_ms = job->modified_ms = call->now_ms;
    job->delimiter = ',';
    buf_init(&job->lines, SF_CSV_BYTES_MAX);
    buf_init(&job->unprocessed.text, SF_CSV_BYTES_MAX);
    buf_init(&job->rows.text, SF_CSV_BYTES_MAX);
    return job;
}

static void jobs_add(struct sf_bulk *bulk, struct sf_job *job)
{
    if (bulk->count == bulk->capacity) {
        bulk->capacity = bulk->capacity ? bulk->capacity * 2 : 16;
        bulk->jobs = alloc_resize(bulk->jobs, bulk->capacity, sizeof(bulk->jobs[0]));
    }
    bulk->jobs[bulk->count++] = job;
    bulk->number_last = job->number;
    bulk->active++;
}

static bool read_operation(struct sim_call *call, const json_t *order, bool is_query,
                           struct sf_job *job)
{
    struct str name = jx_text_of(jx_get(order, "operation"));
    size_t from = is_query ? SF_JOB_QUERY : 0, to = is_query ? SF_JOB_OPERATIONS : SF_JOB_QUERY;

    for (size_t i = from; i < to; i++) {
        if (str_equal(name, str_of(OPERATIONS[i]))) {
            job->operation = (enum sf_job_operation)i;
            return true;
        }
    }
    sf_failf(call, 400, "INVALIDJOB", "InvalidJob : Invalid operation: %" PRI_STR, STR_ARG(name));
    return false;
}

static bool read_format(struct sim_call *call, const json_t *order, struct sf_job *job)
{
    struct str delimiter = STR_NONE, ending = STR_NONE, type = STR_NONE;
    struct error err = {0};
    size_t i = 0;

    if (jx_str_or(order, "columnDelimiter", STR("COMMA"), &delimiter, &err) ||
        jx_str_or(order, "lineEnding", STR("LF"), &ending, &err) ||
        jx_str_or(order, "contentType", STR("CSV"), &type, &err)) {
        sf_failf(call, 400, "JSON_PARSER_ERROR", "%s", err.message);
        return false;
    }
    while (i < COUNT_OF(DELIMITERS) && !str_equal(delimiter, str_of(DELIMITERS[i].name))) {
        i++;
    }
    job->is_crlf = str_equal(ending, STR("CRLF"));
    if (i == COUNT_OF(DELIMITERS) || (!job->is_crlf && !str_equal(ending, STR("LF"))) ||
        !str_equal(type, STR("CSV"))) {
        sf_failf(call, 400, "INVALIDJOB",
                 "InvalidJob : contentType is CSV, lineEnding LF or CRLF, and columnDelimiter one "
                 "of BACKQUOTE, CARET, COMMA, PIPE, SEMICOLON, TAB");
        return false;
    }
    job->delimiter = DELIMITERS[i].delimiter;
    return true;
}

static bool read_object(struct sim_call *call, const json_t *order, struct sf_job *job)
{
    struct str name = jx_text_of(jx_get(order, "object"));
    struct sf_object *object = sf_object_find(sf_of(call), name);

    if (!object || object->flags & SF_IS_TOOLING) {
        sf_failf(call, 400, "INVALIDJOB", "InvalidJob : Unable to find object: %" PRI_STR,
                 STR_ARG(name));
        return false;
    }
    job->object = object;
    return true;
}

static bool field_is_key(const struct sf_field *field)
{
    return field && (field->derived == SF_IS_ID ||
                     (field->flags & (SF_EXTERNAL_ID | SF_ID_LOOKUP) && field->lookup));
}

/* An upsert needs the field by which records are recognised. */
static bool read_key(struct sim_call *call, const json_t *order, struct sf_job *job)
{
    struct str name = jx_text_of(jx_get(order, "externalIdFieldName"));
    const struct sf_field *field = name.len ? sf_field_find(job->object, name) : NULL;

    if (job->operation != SF_JOB_UPSERT) {
        return true;
    }
    if (!name.len) {
        sf_failf(call, 400, "INVALIDJOB",
                 "InvalidJob : External ID was blank for %" PRI_STR
                 ". An External ID must be specified for upsert.",
                 STR_ARG(job->object->name));
        return false;
    }
    if (!field_is_key(field)) {
        sf_failf(call, 400, "INVALIDJOB",
                 "InvalidJob : Field name provided, %" PRI_STR
                 " does not match an External ID, Salesforce Id, or indexed field for %" PRI_STR,
                 STR_ARG(name), STR_ARG(job->object->name));
        return false;
    }
    job->key_name = alloc_printf("%" PRI_STR, STR_ARG(field->name));
    return true;
}

/* source: bulk guide, "Create a Job": the permission is off by default */
static bool may_hard_delete(struct sim_call *call, const struct sf_bulk *bulk,
                            const struct sf_job *job)
{
    if (job->operation != SF_JOB_HARD_DELETE || bulk->may_hard_delete) {
        return true;
    }
    sf_failf(call, 400, "FEATURENOTENABLED",
             "FeatureNotEnabled : hardDelete operation requires special user profile permission, "
             "please contact your system administrator");
    return false;
}

static bool read_query(struct sim_call *call, const json_t *order, struct sf_job *job)
{
    struct str query = jx_text_of(jx_get(order, "query"));

    if (!query.len || query.len > QUERY_BYTES_MAX) {
        sf_failf(call, 400, "MALFORMED_QUERY", "a query job needs a query");
        return false;
    }
    job->query = alloc_printf("%" PRI_STR, STR_ARG(query));
    return sf_query_job_check(call, job);
}

static bool read_order(struct sim_call *call, const struct sf_bulk *bulk, const json_t *order,
                       bool is_query, struct sf_job *job)
{
    if (!read_operation(call, order, is_query, job) || !read_format(call, order, job)) {
        return false;
    }
    if (is_query) {
        return read_query(call, order, job);
    }
    return read_object(call, order, job) && read_key(call, order, job) &&
           may_hard_delete(call, bulk, job);
}

static void submit(struct sf_bulk *bulk, struct sf_job *job, int64_t now_ms)
{
    job->state = SF_JOB_UPLOADED;
    job->modified_ms = now_ms;
    job->begins_ms = now_ms + bulk->queued_ms;
}

static void create(struct sim_call *call, struct sf_bulk *bulk, const struct sf_route *route,
                   bool is_query)
{
    struct sf_job *job;
    json_t *order = NULL;

    if (!sf_body(call, &order)) {
        return;
    }
    job = job_new(call, bulk, route->version);
    if (!read_order(call, bulk, order, is_query, job)) {
        job_free(job);
        return;
    }
    if (is_query && !call->sim->no_limits && !sim_window_take(&bulk->queries, call->now_ms, 1)) {
        job_free(job);
        sf_failf(call, 400, "EXCEEDEDQUOTA",
                 "ExceededQuota : The query jobs of the last 24 hours are used up");
        return;
    }
    jobs_add(bulk, job);
    if (is_query) {
        submit(bulk, job, call->now_ms);
    }
    put_brief(call->body, job);
    sim_reply(call, 200);
}

/* --- one job ---------------------------------------------------------------------------------- */

/* source: bulk guide, "Abort a Query Job"; the others by its pattern */
static void refuse_state(struct sim_call *call, const struct sf_job *job, const char *act)
{
    const char *is = job->state == SF_JOB_ABORTED  ? "Aborted"
                     : job->state == SF_JOB_FAILED ? "Failed"
                     : sf_job_has_ended(job)       ? "Completed"
                                                   : "closed";

    sf_failf(call, 400, "INVALIDJOBSTATE", "%s already %s Job not allowed", act, is);
}

static void close_job(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    char id[SF_ID_BYTES];

    if (job->state != SF_JOB_OPEN) {
        refuse_state(call, job, "Closing");
        return;
    }
    if (job->uploads > 1) { /* source: salesforce.stackexchange.com/questions/231917 */
        sf_id_format("750", job->number, id);
        sf_failf(call, 400, "INVALIDJOB",
                 "Found multiple contents for job: <%s>, please 'Close' / 'Abort' / 'Delete' the "
                 "current Job then create a new Job and make sure you only do 'PUT' once on a "
                 "given Job.",
                 id);
        return;
    }
    submit(bulk, job, call->now_ms);
    put_brief(call->body, job);
    sim_reply(call, 200);
}

static void patch(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    json_t *order = NULL;
    struct str state;

    if (!sf_body(call, &order)) {
        return;
    }
    state = jx_text_of(jx_get(order, "state"));
    if (str_equal(state, STR("UploadComplete")) && !sf_job_is_query(job)) {
        close_job(call, bulk, job);
    } else if (!str_equal(state, STR("Aborted"))) {
        sf_failf(call, 400, "INVALIDJOBSTATE",
                 "InvalidJobState : %" PRI_STR " is no state that a job can be given",
                 STR_ARG(state));
    } else if (sf_job_has_ended(job)) {
        refuse_state(call, job, "Aborting");
    } else {
        sf_job_end(bulk, job, SF_JOB_ABORTED, call->now_ms);
        put_brief(call->body, job);
        sim_reply(call, 200);
    }
}

static void upload(struct sim_call *call, struct sf_job *job)
{
    struct str body = call->request->body;
    struct str type = http_header_get(&call->request->headers, "Content-Type");

    if (!str_equal_nocase(str_slice(type, 0, 8), STR("text/csv"))) {
        sf_failf(call, 415, "UNSUPPORTED_MEDIA_TYPE", "the content of a job is text/csv");
    } else if (job->state != SF_JOB_OPEN) {
        refuse_state(call, job, "Uploading to");
    } else if (body.len > SF_UPLOAD_BYTES_MAX) {
        sf_failf(call, 413, "REQUEST_TOO_LARGE", "a job's content is at most 150 MB as base64");
    } else {
        free(job->csv);
        job->csv = alloc_new(body.len + 1, 1);
        memcpy(job->csv, body.len ? body.at : "", body.len);
        job->csv_bytes = body.len;
        job->uploads++;
        sim_reply(call, 201);
    }
}

static void delete_job(struct sim_call *call, struct sf_bulk *bulk, size_t index)
{
    struct sf_job *job = bulk->jobs[index];
    bool may = sf_job_has_ended(job) || (job->state == SF_JOB_UPLOADED && !sf_job_is_query(job));

    if (!may) { /* source: bulk guide, "Delete a Query Job" */
        sf_failf(call, 400, "API_ERROR",
                 "Error encountered when deleting the job because the job is not terminated");
        return;
    }
    bulk->active -= !sf_job_has_ended(job);
    job_free(job);
    memmove(bulk->jobs + index, bulk->jobs + index + 1,
            (bulk->count - index - 1) * sizeof(bulk->jobs[0]));
    bulk->count--;
    sim_reply(call, 204);
}

static void serve_results(struct sim_call *call, const struct sf_bulk *bulk,
                          const struct sf_job *job, const struct sf_route *route)
{
    if (call->request->method != HTTP_GET) {
        sf_no_method(call, "GET");
    } else if (sf_job_is_query(job)) {
        sf_query_job_results(call, bulk, job, route);
    } else if (!sf_ingest_results(call, job, route->at[3])) {
        sf_not_found(call);
    }
}

static void serve_job(struct sim_call *call, struct sf_bulk *bulk, size_t index,
                      const struct sf_route *route)
{
    struct sf_job *job = bulk->jobs[index];

    if (route->count == 4 && sf_route_is(route, 3, "batches") && !sf_job_is_query(job)) {
        if (call->request->method == HTTP_PUT) {
            upload(call, job);
        } else {
            sf_no_method(call, "PUT");
        }
    } else if (route->count == 4) {
        serve_results(call, bulk, job, route);
    } else if (call->request->method == HTTP_GET) {
        put_whole(call->body, job, call->now_ms);
        sim_reply(call, 200);
    } else if (call->request->method == HTTP_PATCH) {
        patch(call, bulk, job);
    } else if (call->request->method == HTTP_DELETE) {
        delete_job(call, bulk, index);
    } else {
        sf_no_method(call, "GET, PATCH, DELETE");
    }
}

/* --- all jobs --------------------------------------------------------------------------------- */

/* Index of the first job of this sort from at on. */
static size_t next_of(const struct sf_bulk *bulk, size_t at, bool is_query)
{
    while (at < bulk->count && sf_job_is_query(bulk->jobs[at]) != is_query) {
        at++;
    }
    return at;
}

static void list(struct sim_call *call, const struct sf_bulk *bulk, const struct sf_route *route,
                 bool is_query)
{
    const char *sort = is_query ? "query" : "ingest";
    struct str type = sim_query(call, "jobType");
    bool is_wanted = !type.at || str_equal(type, is_query ? STR("V2Query") : STR("V2Ingest"));
    int64_t from;
    size_t at, shown = 0;

    if (!sim_query_i64(call, "queryLocator", 0, &from) || from < 0) {
        sf_failf(call, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
        return;
    }
    sim_put(call->body, "{\"records\":[");
    at = next_of(bulk, is_wanted ? (size_t)from : bulk->count, is_query);
    while (at < bulk->count && shown < SF_JOBS_LISTED_MAX) {
        sim_put(call->body, shown++ ? "," : "");
        put_brief(call->body, bulk->jobs[at]);
        at = next_of(bulk, at + 1, is_query);
    }
    buf_addf(call->body, "],\"done\":%s,\"nextRecordsUrl\":", at < bulk->count ? "false" : "true");
    if (at < bulk->count) {
        buf_addf(call->body, "\"/services/data/v%d.0/jobs/%s?queryLocator=%zu\"}", route->version,
                 sort, at);
    } else {
        sim_put(call->body, "null}");
    }
    sim_reply(call, 200);
}

static size_t job_index(const struct sf_bulk *bulk, struct str id, bool is_query)
{
    char prefix[SF_PREFIX_BYTES];
    int64_t number;
    size_t i = 0;

    if (!sf_id_parse(id, prefix, &number) || strcmp(prefix, "750") != 0) {
        return bulk->count;
    }
    while (i < bulk->count &&
           (bulk->jobs[i]->number != number || sf_job_is_query(bulk->jobs[i]) != is_query)) {
        i++;
    }
    return i;
}

void sf_bulk_serve(struct sim_call *call, const struct sf_route *route, struct sf_bulk *bulk)
{
    bool is_query = sf_route_is(route, 1, "query");
    size_t index;

    if ((!is_query && !sf_route_is(route, 1, "ingest")) || route->count > 4) {
        sf_not_found(call);
        return;
    }
    if (route->count == 2 && call->request->method == HTTP_POST) {
        create(call, bulk, route, is_query);
    } else if (route->count == 2 && call->request->method == HTTP_GET) {
        list(call, bulk, route, is_query);
    } else if (route->count == 2) {
        sf_no_method(call, "GET, POST");
    } else if ((index = job_index(bulk, route->at[2], is_query)) == bulk->count) {
        sf_not_found(call);
    } else {
        serve_job(call, bulk, index, route);
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static void run_ingest(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    if (job->state == SF_JOB_UPLOADED) {
        job->state = SF_JOB_RUNNING;
        job->modified_ms = call->now_ms;
        if (!sf_ingest_begin(call, bulk, job)) {
            return;
        }
    }
    while (job->begins_ms + (job->chunks_done + 1) * bulk->chunk_ms <= call->now_ms) {
        if (!sf_ingest_chunk(call, job)) {
            sf_job_end(bulk, job, SF_JOB_COMPLETE, call->now_ms);
            return;
        }
        job->chunks_done++;
    }
}

/* source: limits cheat sheet: a job may be open for 24 hours, and is kept for seven days */
static bool is_outdated(const struct sf_job *job, int64_t now_ms)
{
    return sf_job_has_ended(job) && job->ended_ms + 7 * DAY_MS < now_ms;
}

static void step(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    if (job->state == SF_JOB_OPEN && job->created_ms + DAY_MS < call->now_ms) {
        sf_job_end(bulk, job, SF_JOB_ABORTED, call->now_ms);
    } else if (job->state == SF_JOB_OPEN || sf_job_has_ended(job) ||
               job->begins_ms > call->now_ms) {
        return;
    } else if (sf_job_is_query(job)) {
        sf_query_job_run(call, bulk, job);
    } else {
        run_ingest(call, bulk, job);
    }
}

void sf_bulk_tick(struct sim_call *call, struct sf_bulk *bulk)
{
    for (size_t i = 0; bulk->active && i < bulk->count; i++) {
        step(call, bulk, bulk->jobs[i]);
    }
    while (bulk->count && is_outdated(bulk->jobs[0], call->now_ms)) {
        job_free(bulk->jobs[0]);
        memmove(bulk->jobs, bulk->jobs + 1, --bulk->count * sizeof(bulk->jobs[0]));
    }
}

/* --- settings --------------------------------------------------------------------------------- */

bool sf_bulk_control(struct sim_call *call, struct sf_bulk *bulk)
{
    int64_t queued_ms, chunk_ms, rows;
    struct error err = {0};
    json_t *order = NULL;
    bool may;

    if (!sim_segment_is(call, 1, "bulk") || call->segments_count != 2 ||
        call->request->method != HTTP_POST) {
        return false;
    }
    if (!sim_json(call, &order) ||
        jx_i64_or(order, "queued_ms", bulk->queued_ms, &queued_ms, &err) ||
        jx_i64_or(order, "chunk_ms", bulk->chunk_ms, &chunk_ms, &err) ||
        jx_i64_or(order, "page_rows", bulk->records_shown_max, &rows, &err) ||
        jx_bool_or(order, "may_hard_delete", bulk->may_hard_delete, &may, &err) || queued_ms < 0 ||
        queued_ms > DAY_MS || chunk_ms < 0 || chunk_ms > DAY_MS || rows < 1) {
        sim_put(call->body, "{\"error\":\"queued_ms and chunk_ms are numbers from 0 to a day, "
                            "page_rows is at least 1, may_hard_delete is a boolean\"}");
        sim_reply(call, 400);
        return true;
    }
    bulk->queued_ms = queued_ms;
    bulk->chunk_ms = chunk_ms;
    bulk->records_shown_max = rows;
    bulk->may_hard_delete = may;
    sim_put(call->body, "{\"ok\":true}");
    sim_reply(call, 200);
    return true;
}
