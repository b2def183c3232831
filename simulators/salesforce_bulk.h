/* The Bulk API 2.0 of the Salesforce simulator: jobs that load a CSV file and jobs that answer a query with one. A job's state follows
 * the simulator's time; its chunks are written when a call finds that their time has come. Facts: docs/simulators.md. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_BULK_H
#define CRMSYNC_SIMULATORS_SALESFORCE_BULK_H

#include <stdio.h>

#include "core/csv.h"
#include "simulators/salesforce_inside.h"

enum {
    SF_CHUNK_ROWS = 200,      /* one transaction. Source: bulk guide, how requests are processed */
    SF_BATCH_ROWS = 10000,    /* what a daily batch holds */
    SF_BATCHES_A_DAY = 15000, /* source: limits cheat sheet, Bulk API */
    SF_QUERIES_A_DAY = 10000, /* likewise */
    SF_UPLOAD_BYTES_MAX = 112 * 1024 * 1024, /* 150 MB as base64 */
    SF_JOBS_LISTED_MAX = 1000,
    SF_CSV_COLUMNS_MAX = 500,
    SF_CSV_BYTES_MAX = 1 << 30,
};

enum sf_job_operation {
    SF_JOB_INSERT,
    SF_JOB_UPDATE,
    SF_JOB_UPSERT,
    SF_JOB_DELETE,
    SF_JOB_HARD_DELETE,
    SF_JOB_QUERY,
    SF_JOB_QUERY_ALL,
    SF_JOB_OPERATIONS
};

enum sf_job_state {
    SF_JOB_OPEN,
    SF_JOB_UPLOADED,
    SF_JOB_RUNNING,
    SF_JOB_COMPLETE,
    SF_JOB_FAILED,
    SF_JOB_ABORTED
};

/* A column of an uploaded file. */
struct sf_column {
    struct sf_field *field;   /* itself, or the reference that a parent is named for */
    struct str name;          /* as in the header */
    const char *relationship; /* "Account" of "Account.Sync_Id__c"; NULL = plain */
    const char *key;          /* "Sync_Id__c" of it */
    const char *type;         /* "Lead" of "Lead:Who.Email"; NULL = none */
};

/* One row that was dealt with; its text stands in the job's lines. */
struct sf_outcome {
    size_t from, len;
    char id[SF_ID_BYTES];
    bool is_failed, was_created;
    char *error; /* owned; of a failed one */
};

/* Rows of a result as CSV text, one behind the other. */
struct sf_lines {
    struct buf text;
    size_t *ends; /* owned; where each row ends */
    size_t count, capacity;
};

struct sf_job {
    int64_t number; /* 750… */
    enum sf_job_operation operation;
    enum sf_job_state state;
    struct sf_object *object;
    char *key_name; /* owned: externalIdFieldName, NULL */
    char delimiter;
    bool is_crlf;
    int version;
    int64_t created_ms, modified_ms, begins_ms, ended_ms;
    struct sf_session session;
    char *client; /* owned; NULL = none */
    char *error;  /* owned; why it failed */
    int64_t processed, failed;
    struct arena arena; /* columns and the texts that live as long as the job */
    /* ingest */
    int uploads;
    char *csv; /* owned; until the job has ended */
    size_t csv_bytes;
    FILE *file;                /* owned */
    struct csv_reader *reader; /* owned */
    struct sf_column *columns;
    size_t columns_count, key_column; /* SIZE_MAX = none */
    struct buf lines;                 /* the rows that were dealt with, quoted */
    struct sf_outcome *outcomes;      /* owned */
    size_t outcomes_count, outcomes_capacity;
    struct sf_lines unprocessed;
    int64_t chunks_done;
    /* query */
    char *query; /* owned */
    struct str header;
    struct sf_lines rows;
};

struct sf_bulk {
    struct sf_job **jobs; /* owned array of owned, in the order of their making */
    size_t count, capacity;
    size_t active; /* jobs that are not at their end */
    int64_t number_last;
    /* how long a job waits, and how long a chunk takes */
    int64_t queued_ms, chunk_ms;
    int64_t records_shown_max; /* rows of a page of results when the caller names no number */
    bool may_hard_delete;      /* the user has the permission "Bulk API Hard Delete" */
    struct sim_window batches, queries; /* of the rolling day */
};

struct sf_bulk *sf_bulk_new(int64_t first_number);
void sf_bulk_free(struct sf_bulk *bulk); /* accepts NULL */
/* Does what the jobs have to do by now. To be called before anything else looks at the records. */
void sf_bulk_tick(struct sim_call *call, struct sf_bulk *bulk);
/* /jobs/… below the version. */
void sf_bulk_serve(struct sim_call *call, const struct sf_route *route, struct sf_bulk *bulk);
/* POST /__sim/bulk; false: no such endpoint. */
bool sf_bulk_control(struct sim_call *call, struct sf_bulk *bulk);

/* --- for each other ---------------------------------------------------------------------------- */

bool sf_job_is_query(const struct sf_job *job);
bool sf_job_has_ended(const struct sf_job *job);
void sf_job_end(struct sf_bulk *bulk, struct sf_job *job, enum sf_job_state state, int64_t now_ms);
/* take_error is freed by the job. */
void sf_job_fail(struct sf_bulk *bulk, struct sf_job *job, char *take_error, int64_t now_ms);
void sf_lines_end(struct sf_lines *lines); /* the row that was added last is complete */
/* Adds a cell in quotes, with the delimiter in front unless it is the first of its row. */
void sf_put_cell(struct buf *to, const struct sf_job *job, struct str text, bool is_first);
void sf_put_line_end(struct buf *to, const struct sf_job *job);

/* Reads the header, as the first thing a job does. False: the job has failed. */
bool sf_ingest_begin(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job);
/* Writes the next rows. False: there are none left. */
bool sf_ingest_chunk(struct sim_call *call, struct sf_job *job);
/* The rows that will not be dealt with any more become the unprocessed ones; frees the file. */
void sf_ingest_give_up(struct sf_job *job);
/* GET /jobs/ingest/{id}/{what}; false: no such result. */
bool sf_ingest_results(struct sim_call *call, const struct sf_job *job, struct str what);

/* Checks the statement of a new query job, sets its object. False after answering. */
bool sf_query_job_check(struct sim_call *call, struct sf_job *job);
void sf_query_job_run(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job);
void sf_query_job_results(struct sim_call *call, const struct sf_bulk *bulk,
                          const struct sf_job *job, const struct sf_route *route);

#endif
