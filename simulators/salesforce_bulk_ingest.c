/* Rows of an uploaded CSV file become writes, in chunks of 200; what became of each row is kept for the three results.
 *
 * Sources: bulk guide (api-asynch), "Prepare CSV Files", "Valid CSV Record Rows", "Relationship Fields in a Header Row (2.0)", "Get Job
 * Failed Record Results" and its neighbours; reference/salesforce-examples/bulk2-*.csv; texts of errors as users quote them. */
#include "simulators/salesforce_bulk.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/jx.h"

enum { ERROR_BYTES_MAX = 4096 };

/* One row on its way. */
struct row {
    json_t *fields; /* owned */
    struct str key; /* of an upsert, or the id of an update or delete */
    const char *wrong;
    bool is_twin; /* another row of the chunk has the same key */
    size_t from, len;
};

/* A chunk: one transaction. */
struct chunk {
    struct sim_call *call;
    struct sf_job *job;
    struct sf_unit unit;
    struct arena arena;
    struct row rows[SF_CHUNK_ROWS];
    size_t count;
};

/* --- the file as a whole ----------------------------------------------------------------------- */

struct scan {
    int64_t rows;
    bool has_other_ending;
};

/* Line ends outside quotes. A doubled quote leaves and enters again, which comes to the same. */
static struct scan scan_file(const struct sf_job *job)
{
    struct scan scan = {0};
    bool is_quoted = false;
    const char *csv = job->csv;

    for (size_t i = 0; i < job->csv_bytes; i++) {
        if (csv[i] == '"') {
            is_quoted = !is_quoted;
        } else if (csv[i] == '\n' && !is_quoted) {
            scan.rows++;
            scan.has_other_ending |= (i > 0 && csv[i - 1] == '\r') != job->is_crlf;
        }
    }
    return scan;
}

static void open_file(struct sf_job *job)
{
    job->file = fmemopen(job->csv, job->csv_bytes, "r");
    assert(job->file); /* it is memory, and not empty */
    job->reader = csv_reader_new(job->file);
    csv_reader_set_delimiter(job->reader, job->delimiter);
}

/* False at the end. A row that cannot be read is a row with wrong set. */
static bool next_row(struct sf_job *job, struct csv_row *ret)
{
    struct error err = {0};
    bool found = false;

    return csv_reader_next(job->reader, ret, &found, &err) == OK && found;
}

/* --- the header -------------------------------------------------------------------------------- */

static char *no_field(struct str name)
{
    return alloc_printf("InvalidBatch : Field name not found : %" PRI_STR, STR_ARG(name));
}

static bool is_key(const struct sf_field *field)
{
    return field && (field->derived == SF_IS_ID || field->flags & (SF_EXTERNAL_ID | SF_ID_LOOKUP));
}

/* Whether the reference may name an object (of this type, STR_NONE = any) that has this field as a key. */
static bool reaches_key(const struct salesforce *sf, const struct sf_field *reference,
                        struct str type, struct str key)
{
    struct str rest = reference->refers_to;

    while (rest.at) {
        const struct sf_object *object = sf_object_find(sf, str_cut(&rest, ','));

        if (object && (!type.at || str_equal_nocase(object->name, type)) &&
            is_key(sf_field_find(object, key))) {
            return true;
        }
    }
    return false;
}

/* "Account.Sync_Id__c", or "Lead:Who.Email" where several objects may be meant. NULL, or what is wrong. */
static char *read_relation(const struct salesforce *sf, const struct sf_job *job,
                           struct sf_column *column, struct arena *arena)
{
    struct str key = column->name, relationship = str_cut(&key, '.');
    struct str type =
        memchr(relationship.at, ':', relationship.len) ? str_cut(&relationship, ':') : STR_NONE;
    struct sf_field *reference = sf_field_by_relationship(job->object, relationship);

    if (!reference || !reaches_key(sf, reference, type, key)) {
        return no_field(column->name);
    }
    if (type.at && !(reference->flags & SF_POLYMORPHIC)) {
        return alloc_printf("InvalidBatch : type is not needed for non polymorphic foreign key : "
                            "%" PRI_STR,
                            STR_ARG(column->name));
    }
    if (!type.at && reference->flags & SF_POLYMORPHIC) {
        return alloc_printf("InvalidBatch : type is needed for polymorphic foreign key : %" PRI_STR,
                            STR_ARG(column->name));
    }
    column->field = reference;
    if (!str_equal_nocase(key, STR("Id"))) { /* that is what the reference itself holds */
        column->type = type.at ? arena_cstr(arena, type) : NULL;
        column->relationship = arena_cstr(arena, relationship);
        column->key = arena_cstr(arena, key);
    }
    return NULL;
}

/* NULL, or what is wrong. */
static char *read_column(const struct salesforce *sf, struct sf_job *job, struct sf_column *column)
{
    if (memchr(column->name.at, '.', column->name.len)) {
        return read_relation(sf, job, column, &job->arena);
    }
    column->field = sf_field_find(job->object, column->name);
    return column->field ? NULL : no_field(column->name);
}

static size_t column_named(const struct sf_job *job, struct str name)
{
    for (size_t i = 0; i < job->columns_count; i++) {
        if (!job->columns[i].relationship && str_equal_nocase(job->columns[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool is_delete(const struct sf_job *job)
{
    return job->operation == SF_JOB_DELETE || job->operation == SF_JOB_HARD_DELETE;
}

/* The column by which records are recognised. NULL, or what is wrong. */
static char *find_key(struct sf_job *job)
{
    const char *name = job->operation == SF_JOB_UPSERT ? job->key_name : "Id";

    job->key_column = SIZE_MAX;
    if (job->operation == SF_JOB_INSERT) {
        return NULL;
    }
    job->key_column = column_named(job, str_of(name));
    if (job->key_column == SIZE_MAX) {
        return no_field(str_of(name));
    }
    if (is_delete(job) && job->columns_count != 1) {
        return alloc_dup("InvalidBatch : 'delete' batches must contain only ids");
    }
    return NULL;
}

static void copy_names(struct sf_job *job, const struct csv_row *row)
{
    job->columns = ARENA_ARRAY(&job->arena, struct sf_column, row->count + 1);
    job->columns_count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        struct str cell = row->cells[i];

        job->columns[i].name = arena_str(&job->arena, cell.at ? cell : STR(""));
    }
}

/* NULL, or what is wrong with the header. */
static char *read_header(const struct salesforce *sf, struct sf_job *job)
{
    struct csv_row row;
    char *wrong = NULL;

    if (!next_row(job, &row) || row.wrong || row.count > SF_CSV_COLUMNS_MAX) {
        return alloc_dup("InvalidBatch : Failed to parse CSV header");
    }
    copy_names(job, &row);
    for (size_t i = 0; i < job->columns_count && !wrong; i++) {
        wrong = column_named(job, job->columns[i].name) < i
                    ? alloc_printf("InvalidBatch : Duplicate field name : %" PRI_STR,
                                   STR_ARG(job->columns[i].name))
                    : read_column(sf, job, &job->columns[i]);
    }
    return wrong ? wrong : find_key(job);
}

static char *begin(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    struct scan scan;

    if (job->csv_bytes == 0) {
        return alloc_dup("InvalidBatch : The job has no content");
    }
    scan = scan_file(job);
    if (scan.has_other_ending) {
        return alloc_printf("ClientInputError : LineEnding is invalid on user data. Current "
                            "LineEnding setting is %s",
                            job->is_crlf ? "CRLF" : "LF");
    }
    if (!call->sim->no_limits &&
        !sim_window_take(&bulk->batches, call->now_ms, scan.rows / SF_BATCH_ROWS + 1)) {
        return alloc_dup("ExceededQuota : The batches of the last 24 hours are used up");
    }
    open_file(job);
    return read_header(sf_of(call), job);
}

bool sf_ingest_begin(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    char *wrong = begin(call, bulk, job);

    if (wrong) {
        sf_job_fail(bulk, job, wrong, call->now_ms);
    }
    return !wrong;
}

/* --- one row ----------------------------------------------------------------------------------- */

static struct str cell_of(const struct csv_row *row, size_t index)
{
    return index < row->count ? row->cells[index] : STR_NONE;
}

static void put_cells(struct buf *to, const struct sf_job *job, const struct csv_row *row)
{
    size_t count = row->count > job->columns_count ? row->count : job->columns_count;

    for (size_t i = 0; i < count; i++) {
        struct str cell = row->wrong && i == 0 ? row->raw : cell_of(row, i);

        sf_put_cell(to, job, cell.at ? cell : STR(""), i == 0);
    }
    sf_put_line_end(to, job);
}

/* Empty leaves the field alone, #N/A empties it. False: the cell is not UTF-8. */
static bool read_cell(const struct sf_column *column, struct str cell, json_t *fields)
{
    json_t *text;

    if (cell.len == 0) {
        return true;
    }
    if (str_equal(cell, STR("#N/A"))) {
        return json_object_setn_new(fields, column->field->name.at, column->field->name.len,
                                    json_null()) == 0;
    }
    text = json_stringn(cell.at, cell.len);
    if (!text) {
        return false;
    }
    if (!column->relationship) {
        return json_object_setn_new(fields, column->field->name.at, column->field->name.len,
                                    text) == 0;
    }
    return json_object_set_new(fields, column->relationship,
                               column->type
                                   ? json_pack("{s:s,s:o}", "type", column->type, column->key, text)
                                   : json_pack("{s:o}", column->key, text)) == 0;
}

static const char *read_cells(const struct sf_job *job, const struct csv_row *from, struct row *row)
{
    if (from->wrong) {
        return "Failed to parse CSV. Found unescaped quote. A value with quote should be within a "
               "quote";
    }
    if (from->count != job->columns_count) {
        return "The number of cells is not that of the header";
    }
    for (size_t i = 0; i < job->columns_count; i++) {
        if (i != job->key_column && !read_cell(&job->columns[i], from->cells[i], row->fields)) {
            return "A value is not valid UTF-8";
        }
    }
    return NULL;
}

static void read_row(struct chunk *chunk, const struct csv_row *from)
{
    struct sf_job *job = chunk->job;
    struct row *row = &chunk->rows[chunk->count++];
    struct str key = cell_of(from, job->key_column);

    *row = (struct row){.fields = json_object(), .from = job->lines.len};
    put_cells(&job->lines, job, from);
    row->len = job->lines.len - row->from;
    row->wrong = read_cells(job, from, row);
    row->key = key.at ? arena_str(&chunk->arena, key) : STR("");
}

static int key_order(const void *x, const void *y)
{
    const struct row *const *left = x, *const *right = y;

    return str_compare((*left)->key, (*right)->key);
}

/* source: SOAP guide, "upsert": two records of one call with the same external id are both errors */
static void find_twins(struct chunk *chunk)
{
    struct row *by_key[SF_CHUNK_ROWS];

    if (chunk->job->operation != SF_JOB_UPSERT) {
        return;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        by_key[i] = &chunk->rows[i];
    }
    qsort(by_key, chunk->count, sizeof(by_key[0]), key_order);
    for (size_t i = 1; i < chunk->count; i++) {
        if (by_key[i]->key.len && str_equal(by_key[i - 1]->key, by_key[i]->key)) {
            by_key[i - 1]->is_twin = by_key[i]->is_twin = true;
        }
    }
}

/* --- writing ----------------------------------------------------------------------------------- */

static bool missing_key(struct chunk *chunk, struct sf_error *err)
{
    struct str name = chunk->job->columns[chunk->job->key_column].field->name;

    return sf_refuse_save(
        err, "MISSING_ARGUMENT", name,
        arena_printf(&chunk->arena, "%" PRI_STR " not specified%s", STR_ARG(name),
                     chunk->job->operation == SF_JOB_UPDATE ? " in an update call" : ""));
}

/* NULL with *err. */
static struct sf_record *upsert_row(struct chunk *chunk, const struct row *row, bool *ret_created,
                                    struct sf_error *err)
{
    struct sf_job *job = chunk->job;
    const struct sf_field *key = job->columns[job->key_column].field;
    struct sf_upsert upsert = {0};

    if (!row->key.len && key->derived != SF_IS_ID) {
        missing_key(chunk, err);
        return NULL;
    }
    if (row->is_twin) {
        sf_refuse_save(err, "DUPLICATE_VALUE", key->name,
                       arena_printf(&chunk->arena, "Duplicate external id specified: %" PRI_STR,
                                    STR_ARG(row->key)));
        return NULL;
    }
    if (!sf_upsert(&chunk->unit, job->object, key->name, row->key, row->fields, false, &upsert,
                   err)) {
        return NULL;
    }
    *ret_created = upsert.was_created;
    return upsert.record;
}

static struct sf_record *delete_row(struct chunk *chunk, struct sf_record *record,
                                    struct sf_error *err)
{
    if (!sf_delete(&chunk->unit, record, err)) {
        return NULL;
    }
    if (chunk->job->operation == SF_JOB_HARD_DELETE) {
        sf_empty(&chunk->unit, record);
    }
    return record;
}

static struct sf_record *write_row(struct chunk *chunk, const struct row *row, bool *ret_created,
                                   struct sf_error *err)
{
    struct sf_job *job = chunk->job;
    struct sf_record *record;

    if (row->wrong) {
        sf_refuse_save(err, "INVALID_FIELD", STR(""), str_of(row->wrong));
        return NULL;
    }
    if (job->operation == SF_JOB_INSERT) {
        *ret_created = true;
        return sf_create(&chunk->unit, job->object, row->fields, err);
    }
    if (job->operation == SF_JOB_UPSERT) {
        return upsert_row(chunk, row, ret_created, err);
    }
    if (!row->key.len) {
        missing_key(chunk, err);
        return NULL;
    }
    record = sf_target(&chunk->unit, job->object, row->key, err);
    if (!record || is_delete(job)) {
        return record ? delete_row(chunk, record, err) : NULL;
    }
    return sf_update(&chunk->unit, record, row->fields, err) ? record : NULL;
}

/* "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --" */
static char *error_text(const struct sf_error *err)
{
    return alloc_printf("%s:%" PRI_STR ":%" PRI_STR "%s--", err->code, STR_ARG(err->message),
                        STR_ARG(err->fields), err->fields.len ? " " : "");
}

static struct sf_outcome *outcome_add(struct sf_job *job, const struct row *row)
{
    struct sf_outcome *outcome;

    if (job->outcomes_count == job->outcomes_capacity) {
        job->outcomes_capacity = job->outcomes_capacity ? job->outcomes_capacity * 2 : 256;
        job->outcomes =
            alloc_resize(job->outcomes, job->outcomes_capacity, sizeof(job->outcomes[0]));
    }
    outcome = &job->outcomes[job->outcomes_count++];
    *outcome = (struct sf_outcome){.from = row->from, .len = row->len};
    return outcome;
}

static void deal_with(struct chunk *chunk, const struct row *row)
{
    struct sf_job *job = chunk->job;
    struct sf_outcome *outcome = outcome_add(job, row);
    struct sf_error err = {0};
    struct sf_record *record = write_row(chunk, row, &outcome->was_created, &err);

    job->processed++;
    if (record) {
        sf_record_id(record, outcome->id);
        return;
    }
    job->failed++;
    outcome->is_failed = true;
    outcome->error = error_text(&err);
    if (job->operation == SF_JOB_UPDATE || is_delete(job)) {
        snprintf(outcome->id, sizeof outcome->id, "%" PRI_STR, STR_ARG(row->key));
    }
}

static void unit_begin(struct chunk *chunk)
{
    struct sf_job *job = chunk->job;

    sf_unit_begin(chunk->call, &chunk->unit);
    chunk->unit.arena = &chunk->arena;
    chunk->unit.session = job->session;
    chunk->unit.client = job->client ? str_of(job->client) : STR_NONE;
    chunk->unit.allows_alerts = false;
    chunk->unit.bulk_version = job->version;
}

bool sf_ingest_chunk(struct sim_call *call, struct sf_job *job)
{
    struct chunk *chunk = alloc_new(1, sizeof(*chunk));
    struct csv_row row;
    size_t count;

    chunk->call = call;
    chunk->job = job;
    while (chunk->count < SF_CHUNK_ROWS && next_row(job, &row)) {
        read_row(chunk, &row);
    }
    find_twins(chunk);
    unit_begin(chunk);
    for (size_t i = 0; i < chunk->count; i++) {
        deal_with(chunk, &chunk->rows[i]);
    }
    sf_unit_end(&chunk->unit, true);
    for (size_t i = 0; i < chunk->count; i++) {
        json_decref(chunk->rows[i].fields);
    }
    count = chunk->count;
    arena_fini(&chunk->arena);
    free(chunk);
    return count == SF_CHUNK_ROWS;
}

void sf_ingest_give_up(struct sf_job *job)
{
    struct csv_row row;

    if (job->csv_bytes && !job->reader) {
        open_file(job);
    }
    if (job->reader && !job->columns && next_row(job, &row)) {
        copy_names(job, &row);
    }
    while (job->reader && next_row(job, &row)) {
        put_cells(&job->unprocessed.text, job, &row);
        sf_lines_end(&job->unprocessed);
    }
    csv_reader_free(job->reader);
    job->reader = NULL;
    if (job->file) {
        fclose(job->file);
        job->file = NULL;
    }
    free(job->csv);
    job->csv = NULL;
    job->csv_bytes = 0;
}

/* --- results ----------------------------------------------------------------------------------- */

enum which { SUCCESSFUL, FAILED, UNPROCESSED };

static void put_header(struct buf *body, const struct sf_job *job, enum which which)
{
    if (which != UNPROCESSED) {
        sf_put_cell(body, job, STR("sf__Id"), true);
        sf_put_cell(body, job, which == FAILED ? STR("sf__Error") : STR("sf__Created"), false);
    }
    for (size_t i = 0; i < job->columns_count; i++) {
        if (i || which != UNPROCESSED) {
            buf_add_char(body, job->delimiter);
        }
        buf_add(body, job->columns[i].name);
    }
    sf_put_line_end(body, job);
}

static void put_outcome(struct buf *body, const struct sf_job *job, size_t index)
{
    const struct sf_outcome *outcome = &job->outcomes[index];
    struct str second = outcome->is_failed     ? str_of(outcome->error)
                        : outcome->was_created ? STR("true")
                                               : STR("false");

    sf_put_cell(body, job, str_of(outcome->id), true);
    sf_put_cell(body, job, second, false);
    buf_add_char(body, job->delimiter);
    buf_add(body, str_slice(buf_str(&job->lines), outcome->from, outcome->from + outcome->len));
}

/* The order of a result is not that of the upload; it is the same every time one asks. */
static size_t *shuffled(const struct sf_job *job, size_t count)
{
    struct random *random = random_new_seeded((uint64_t)job->number);
    size_t *order = alloc_new(count + 1, sizeof(order[0]));

    for (size_t i = 0; i < count; i++) {
        size_t other = (size_t)random_below(random, i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    random_free(random);
    return order;
}

static void put_outcomes(struct buf *body, const struct sf_job *job, bool is_failed)
{
    AUTO_FREE size_t *order = shuffled(job, job->outcomes_count);

    for (size_t i = 0; i < job->outcomes_count; i++) {
        if (job->outcomes[order[i]].is_failed == is_failed) {
            put_outcome(body, job, order[i]);
        }
    }
}

static void put_unprocessed(struct buf *body, const struct sf_job *job)
{
    const struct sf_lines *lines = &job->unprocessed;
    AUTO_FREE size_t *order = shuffled(job, lines->count);

    for (size_t i = 0; i < lines->count; i++) {
        size_t line = order[i], from = line ? lines->ends[line - 1] : 0;

        buf_add(body, str_slice(buf_str(&lines->text), from, lines->ends[line]));
    }
}

bool sf_ingest_results(struct sim_call *call, const struct sf_job *job, struct str what)
{
    static const char *const names[] = {[SUCCESSFUL] = "successfulResults",
                                        [FAILED] = "failedResults",
                                        [UNPROCESSED] = "unprocessedrecords"};
    size_t which = 0;

    while (which < COUNT_OF(names) && !str_equal_nocase(what, str_of(names[which]))) {
        which++;
    }
    if (which == COUNT_OF(names)) {
        return false;
    }
    if (!sf_job_has_ended(job)) {
        sf_failf(call, 400, "INVALIDJOBSTATE", "the results of a job can be read at its end");
        return true;
    }
    sim_header(call, "Content-Type", STR("text/csv; charset=UTF-8"));
    put_header(call->body, job, (enum which)which);
    if (which == UNPROCESSED) {
        put_unprocessed(call->body, job);
    } else {
        put_outcomes(call->body, job, which == FAILED);
    }
    sim_reply(call, 200);
    return true;
}
