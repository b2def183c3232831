/* Salesforce: very many creates by one job of the Bulk API 2.0: the rows go up as CSV, the job is closed, looked at until it is done, and
 * its results are joined on our key. Nothing runs before the job is closed; from then on what is not told is unknown, and a look-up by our
 * key says what became of it. A job that takes longer than a few looks is left to that look-up.
 * source: Bulk API 2.0 and Bulk API Developer Guide, "Bulk API 2.0 Ingest", "Prepare CSV Files", "Get Job ... Record Results" */
#include <stdio.h>
#include <stdlib.h>

#include "adapters/salesforce_write.h"
#include "core/alloc.h"
#include "core/csv.h"
#include "core/jx.h"

enum {
    POLL_MS = 1500,                   /* short enough for http_exec to wait by itself */
    AGAIN_MS = 30 * 1000,             /* when a job is still at work after that */
    CSV_BYTES_MAX = 16 * 1024 * 1024, /* the results repeat it; Salesforce takes 100 MB */
    NUMBER_BYTES_MAX = 64,
    REAL_DIGITS =
        15, /* one more shows 0.29 as 0.28999999999999998, of which two decimals are kept: 0.28 */
};

/* Clears a field; an empty cell would leave it alone. */
#define CSV_NULL "#N/A"

struct job {
    struct session *session;
    struct arena *arena;
    const struct salesforce_load *load;
    struct str id;
    struct salesforce_load_row **by_key; /* rows in the order of their keys */
};

/* --- rows ------------------------------------------------------------------------------------- */

/* A text that looks like the mark for no value could not be written. */
static bool is_writable(const json_t *value)
{
    return !json_is_array(value) && !json_is_object(value) &&
           !str_equal(jx_text_of(value), STR(CSV_NULL));
}

static struct str cell_of(const json_t *value, char scratch[NUMBER_BYTES_MAX])
{
    struct str text = jx_text_of(value);

    if (!value) {
        return STR_NONE;
    }
    if (json_is_null(value) || (json_is_string(value) && text.len == 0)) {
        return STR(CSV_NULL);
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? STR("true") : STR("false");
    }
    if (json_is_number(value)) {
        size_t length = json_dumpb(value, scratch, NUMBER_BYTES_MAX,
                                   JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));

        return (struct str){.at = scratch, .len = length < NUMBER_BYTES_MAX ? length : 0};
    }
    return text;
}

static bool add_columns(const struct salesforce_outgoing *out, json_t *columns)
{
    const char *name;
    json_t *value;

    json_object_foreach(out->body, name, value)
    {
        if (!is_writable(value)) {
            return false;
        }
        json_object_set_new(columns, name, json_true());
    }
    return true;
}

/* What was written as a read will show it. */
static struct str shown_of(const struct salesforce_outgoing *out, struct arena *arena)
{
    struct write_item item = {.props = out->item->props};
    struct salesforce_outgoing done = *out;

    done.item = &item;
    salesforce_keep_done(&done, STR(""), arena);
    return item.returned.props ? adapter_pack(arena, item.returned.props) : STR("");
}

bool salesforce_load_add(const struct salesforce_outgoing *out, json_t *columns,
                         struct salesforce_load_row *ret, struct arena *arena)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file;
    const char *name;
    json_t *unused;

    if (!add_columns(out, columns)) {
        return false;
    }
    file = open_memstream(&text, &size);
    if (!file) {
        abort(); /* no memory */
    }
    csv_put_cell(file, out->item->correlation_key, true);
    json_object_foreach(columns, name, unused)
    {
        char scratch[NUMBER_BYTES_MAX];

        csv_put_cell(file, cell_of(json_object_get(out->body, name), scratch), false);
    }
    fclose(file);
    ret->cells = arena_str(arena, (struct str){.at = text, .len = size});
    ret->columns_count = json_object_size(columns);
    ret->shown = shown_of(out, arena);
    free(text);
    return true;
}

static void put_header(const struct salesforce_load *load, FILE *file)
{
    const char *name;
    json_t *unused;

    csv_put_cell(file, STR(SF_KEY_FIELD), true);
    json_object_foreach((json_t *)(uintptr_t)load->columns, name, unused)
    {
        csv_put_cell(file, str_of(name), false);
    }
    csv_put_end(file);
}

static void put_row(const struct salesforce_load *load, const struct salesforce_load_row *row,
                    FILE *file)
{
    fwrite(row->cells.at, 1, row->cells.len, file);
    for (size_t i = row->columns_count; i < json_object_size(load->columns); i++) {
        csv_put_cell(file, STR_NONE, false);
    }
    csv_put_end(file);
}

/* *ret_text is the caller's to free; its first row names the columns. */
static struct str make_csv(const struct salesforce_load *load, char **ret_text)
{
    size_t size = 0;
    FILE *file = open_memstream(ret_text, &size);

    if (!file) {
        abort(); /* no memory */
    }
    put_header(load, file);
    for (size_t i = 0; i < load->count; i++) {
        put_row(load, load->rows[i], file);
    }
    fclose(file);
    return (struct str){.at = *ret_text, .len = size};
}

/* --- the job ---------------------------------------------------------------------------------- */

static enum fail ask(const struct job *job, const struct salesforce_call *call,
                     struct salesforce_answer *ret, struct error *err)
{
    return salesforce_exec(job->session, call, job->arena, ret, err);
}

static struct str path_of(const struct job *job, const char *tail)
{
    return arena_printf(job->arena, "/jobs/ingest/%" PRI_STR "%s", STR_ARG(job->id), tail);
}

static enum fail open_job(struct job *job, struct error *err)
{
    struct salesforce_call call = {.method = HTTP_POST,
                                   .path = STR("/jobs/ingest"),
                                   .headers = salesforce_write_headers(job->arena),
                                   .is_safe = true, /* a job without rows does nothing */
                                   .may_be_missing = true};
    struct salesforce_answer answer;

    call.body = jx_own(
        job->arena, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "object", job->load->object, "operation",
                              "upsert", "externalIdFieldName", SF_KEY_FIELD, "contentType", "CSV",
                              "lineEnding", "CRLF", "columnDelimiter", "COMMA"));
    if (ask(job, &call, &answer, err) != OK || jx_str(answer.body, "id", &job->id, err) != OK) {
        return err->code;
    }
    return salesforce_is_id(job->id)
               ? OK
               : error_set(err, FAIL_RETRY, "salesforce started a job without naming it");
}

/* Once only. source: same guide, "Upload Job Data" */
static enum fail upload(const struct job *job, struct str csv, struct error *err)
{
    struct salesforce_call call = {
        .method = HTTP_PUT, .path = path_of(job, "/batches"), .text = csv, .may_be_missing = true};
    struct salesforce_answer answer;

    return ask(job, &call, &answer, err);
}

/* From now on it runs. */
static enum fail set_state(const struct job *job, const char *state, struct error *err)
{
    struct salesforce_call call = {.method = HTTP_PATCH,
                                   .path = path_of(job, ""),
                                   .body = jx_own(job->arena, json_pack("{s:s}", "state", state)),
                                   .may_be_missing = true};
    struct salesforce_answer answer;

    return ask(job, &call, &answer, err);
}

static bool is_over(struct str state)
{
    return str_equal(state, STR("JobComplete")) || str_equal(state, STR("Failed")) ||
           str_equal(state, STR("Aborted"));
}

/* A job at work is an answer to come back for. */
static enum fail classify_look(const struct http_response *response, struct http_account *account,
                               struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct error ignored = {0};
    json_t *body;

    if (salesforce_classify(response, account, err) != OK ||
        jx_parse(&arena, response->body, &body, &ignored) != OK ||
        is_over(jx_text_of(jx_get(body, "state")))) {
        return err->code;
    }
    error_set(err, FAIL_THROTTLED, "salesforce's load job is at work");
    err->wait_ms = POLL_MS;
    return FAIL_THROTTLED;
}

/* A few looks, between which http_exec waits. */
static enum fail look(const struct job *job, json_t **ret, struct error *err)
{
    struct session looking = *job->session;
    struct salesforce_call call = {
        .method = HTTP_GET, .path = path_of(job, ""), .is_safe = true, .may_be_missing = true};
    struct salesforce_answer answer;

    looking.account.classify = classify_look;
    if (salesforce_exec(&looking, &call, job->arena, &answer, err) != OK) {
        return err->code;
    }
    *ret = answer.body;
    return OK;
}

/* --- results ---------------------------------------------------------------------------------- */

/* What each row of a result says; place: of the columns, -1 missing. */
struct columns {
    int key, id, error;
};
typedef void keep_fn(const struct job *job, struct salesforce_load_row *mine,
                     const struct csv_row *row, const struct columns *columns);

static struct str cell_at(const struct csv_row *row, int place)
{
    return place >= 0 && (size_t)place < row->count && row->cells[place].at ? row->cells[place]
                                                                            : STR("");
}

static struct columns find_columns(const struct csv_row *header)
{
    struct columns columns = {.key = -1, .id = -1, .error = -1};

    for (size_t i = 0; i < header->count; i++) {
        if (str_equal(header->cells[i], STR(SF_KEY_FIELD))) {
            columns.key = (int)i;
        } else if (str_equal(header->cells[i], STR("sf__Id"))) {
            columns.id = (int)i;
        } else if (str_equal(header->cells[i], STR("sf__Error"))) {
            columns.error = (int)i;
        }
    }
    return columns;
}

static int compare_keys(const void *x, const void *y)
{
    const struct salesforce_load_row *const *a = x, *const *b = y;

    return str_compare((*a)->item->correlation_key, (*b)->item->correlation_key);
}

static int compare_key(const void *key, const void *row)
{
    return str_compare(*(const struct str *)key,
                       (*(struct salesforce_load_row *const *)row)->item->correlation_key);
}

static struct salesforce_load_row *row_of(const struct job *job, struct str key)
{
    struct salesforce_load_row **found = bsearch(&key, job->by_key, job->load->count,
                                                 sizeof(struct salesforce_load_row *), compare_key);

    return found ? *found : NULL;
}

static void keep_success(const struct job *job, struct salesforce_load_row *mine,
                         const struct csv_row *row, const struct columns *columns)
{
    struct str id = cell_at(row, columns->id);
    struct write_item done = {0};

    if (salesforce_is_id(id)) {
        struct salesforce_outgoing out = {.item = &done, .is_create = true};

        salesforce_keep_done(&out, id, job->arena);
        salesforce_keep_created(mine->item, &done, job->arena);
        mine->item->returned_props = mine->shown;
    }
}

/* "CODE:message:field, field --". source: same guide, "Get Job Failed Record Results" */
static void keep_error(const struct job *job, struct salesforce_load_row *mine,
                       const struct csv_row *row, const struct columns *columns)
{
    AUTO_ARENA struct arena arena = {0};
    struct str message = cell_at(row, columns->error), code = str_cut(&message, ':');
    struct write_item refused = {0};
    struct salesforce_outgoing out = {
        .item = &refused, .object = job->load->object, .is_create = true};

    salesforce_refuse(
        &out, 400,
        jx_own(&arena, json_pack("[{s:s%,s:s%}]", "statusCode", code.at, code.len, "message",
                                 message.at ? message.at : "", message.len)),
        &arena);
    mine->lacks_matches = out.lacks_matches;
    salesforce_keep_created(mine->item, &refused, job->arena);
}

/* Never begun: it can be sent again. */
static void keep_unprocessed(const struct job *job, struct salesforce_load_row *mine,
                             const struct csv_row *row, const struct columns *columns)
{
    (void)job;
    (void)row;
    (void)columns;
    mine->item->outcome = WRITE_PENDING;
    mine->item->error = NULL;
}

/* Results are in no order. What cannot be read leaves its item unknown. */
static void read_results(const struct job *job, struct str text, keep_fn *keep)
{
    FILE *file = text.len ? fmemopen((void *)(uintptr_t)text.at, text.len, "r") : NULL;
    struct csv_reader *reader = file ? csv_reader_new(file) : NULL;
    struct columns columns = {.key = -1};
    struct error ignored = {0};
    struct csv_row row;
    bool found = true, is_header = true;

    while (reader && csv_reader_next(reader, &row, &found, &ignored) == OK && found) {
        struct salesforce_load_row *mine;

        if (is_header) {
            columns = find_columns(&row);
            is_header = false;
        } else if (!row.wrong && (mine = row_of(job, cell_at(&row, columns.key))) != NULL) {
            keep(job, mine, &row, &columns);
        }
    }
    csv_reader_free(reader);
    if (file) {
        fclose(file);
    }
}

static enum fail take_results(const struct job *job, const char *which, keep_fn *keep,
                              struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct salesforce_call call = {.method = HTTP_GET,
                                   .path = path_of(job, which),
                                   .is_safe = true,
                                   .may_be_missing = true,
                                   .has_text_answer = true};
    struct salesforce_answer answer;

    if (salesforce_exec(job->session, &call, &arena, &answer, err) != OK) {
        return error_wrap(err, "results of salesforce's load job");
    }
    read_results(job, answer.text, keep);
    return OK;
}

/* A job that failed may have written some of its rows. */
static enum fail take_all(const struct job *job, const json_t *state, struct error *err)
{
    int64_t processed = json_integer_value(jx_get(state, "numberRecordsProcessed"));
    int64_t failed = json_integer_value(jx_get(state, "numberRecordsFailed"));

    if (processed > failed && take_results(job, "/successfulResults", keep_success, err) != OK) {
        return err->code;
    }
    if (failed > 0 && take_results(job, "/failedResults", keep_error, err) != OK) {
        return err->code;
    }
    return processed < (int64_t)job->load->count
               ? take_results(job, "/unprocessedrecords", keep_unprocessed, err)
               : OK;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void mark_unknown(const struct job *job)
{
    struct error *err = ARENA_NEW(job->arena, struct error);

    error_set(err, FAIL_RETRY, "salesforce's load job has not said what became of the record");
    err->is_outcome_unknown = true;
    for (size_t i = 0; i < job->load->count; i++) {
        job->load->rows[i]->item->outcome = WRITE_UNKNOWN;
        job->load->rows[i]->item->error = err;
    }
}

static void make_index(struct job *job)
{
    job->by_key = ARENA_ARRAY(job->arena, struct salesforce_load_row *, job->load->count);
    memcpy(job->by_key, job->load->rows, job->load->count * sizeof *job->by_key);
    qsort(job->by_key, job->load->count, sizeof *job->by_key, compare_keys);
}

/* What ends the call and not only this job: the session, the limit, a stop. Of a job that does not run, what is denied or used up for
 * such jobs may go for collections. */
static bool ends_all(enum fail failed, bool is_taken)
{
    if (failed == FAIL_THROTTLED || failed == FAIL_CONNECTION) {
        return is_taken;
    }
    return failed != OK && failed != FAIL_RECORD && failed != FAIL_STALE && failed != FAIL_RETRY;
}

static enum fail finish(struct job *job, bool *ret_taken, struct error *err)
{
    json_t *state = NULL;

    if (set_state(job, "UploadComplete", err) != OK && !err->is_outcome_unknown) {
        return err->code; /* it does not run */
    }
    *ret_taken = true;
    error_reset(err);
    mark_unknown(job);
    if (look(job, &state, err) == OK) {
        (void)!take_all(job, state, err);
    }
    if (err->code == FAIL_THROTTLED) {
        err->wait_ms = err->wait_ms > AGAIN_MS ? err->wait_ms : AGAIN_MS;
    } else if (!ends_all(err->code, true)) {
        error_reset(err); /* each is looked up on its own */
    }
    return err->code;
}

/* False: it is not filled, so it will not run. */
static bool fill_job(struct job *job, struct error *err)
{
    AUTO_FREE char *text = NULL;
    struct str csv = make_csv(job->load, &text);

    return csv.len <= CSV_BYTES_MAX && open_job(job, err) == OK && upload(job, csv, err) == OK;
}

enum fail salesforce_bulk_create(struct session *session, const struct salesforce_load *load,
                                 struct arena *arena, bool *ret_taken, struct error *err)
{
    struct job job = {.session = session, .arena = arena, .load = load};

    *ret_taken = false;
    if (fill_job(&job, err)) {
        make_index(&job);
        (void)!finish(&job, ret_taken, err);
    }
    if (*ret_taken || ends_all(err->code, false)) {
        return err->code;
    }
    error_reset(
        err); /* an org without the Bulk API, or without quota for it: by collections then */
    return OK;
}
