/* The seam between the store and a database engine. Everything above speaks SQL that both SQLite and PostgreSQL take;
 * everything particular to one engine (files, pragmas, error codes) is below, in engine_<name>.c.
 * One thread at a time for each engine. Inside the store folder only. */
#ifndef CRMSYNC_STORE_ENGINE_H
#define CRMSYNC_STORE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fail.h"
#include "core/str.h"

struct engine;
struct stmt;

struct engine_options {
    const char *path; /* of an existing file, which may be empty */
    bool may_write;
    bool is_beside; /* one of several in the process: a smaller page cache */
    bool
        is_scratch; /* nobody will miss it: nothing is forced to the disk, and no side files are made */
};

struct engine_schema {
    bool is_empty; /* no table yet */
    bool is_ours;
    int version;
};

/* FAIL_CONFIG when the file is no database or may not be opened. */
enum fail engine_open(const struct engine_options *options, struct engine **ret,
                      struct error *err) MUST_CHECK;
void engine_close(struct engine *engine); /* accepts NULL */

enum fail engine_schema_read(struct engine *engine, struct engine_schema *ret,
                             struct error *err) MUST_CHECK;
/* Runs a migration and sets the version, in one transaction. */
enum fail engine_migrate(struct engine *engine, const char *script, int version,
                         struct error *err) MUST_CHECK;

/* The writer's begin excludes other writers at once. */
enum fail engine_begin(struct engine *engine, struct error *err) MUST_CHECK;
enum fail engine_commit(struct engine *engine, struct error *err) MUST_CHECK;
void engine_rollback(struct engine *engine); /* also after a failure that rolled back by itself */

/* One savepoint at a time inside a transaction: what follows it can be taken back alone. */
enum fail engine_savepoint(struct engine *engine, struct error *err) MUST_CHECK;
enum fail engine_savepoint_end(struct engine *engine, bool keep, struct error *err) MUST_CHECK;

/* Copies the last commit of one database into an empty file. */
enum fail engine_copy(struct engine *from, struct engine *into, struct error *err) MUST_CHECK;

/* FAIL_STOP: the file is damaged, or its rows contradict each other. Reads all of it. */
enum fail engine_check(struct engine *engine, struct error *err) MUST_CHECK;

/* What was overwritten in the file goes from its log as well. ret_is_complete false: a reader still needs the log; nothing is lost by that. */
enum fail engine_fold_log(struct engine *engine, bool *ret_is_complete,
                          struct error *err) MUST_CHECK;

/* Limits the file to that many pages, as a full disk would. For tests. */
void engine_pages_max_set(struct engine *engine, int64_t pages);

/* A statement, prepared once for each text: sql must live as long as the engine, and is recognised by its address.
 * Failures are kept and come out of stmt_run or stmt_step. Parameters are $1..$n, bound by number. */
struct stmt *engine_stmt(struct engine *engine, const char *sql);
/* Bound memory is borrowed until the statement has ended. STR_NONE is bound as an empty text. */
void stmt_bind_str(struct stmt *stmt, int number, struct str text);
void stmt_bind_i64(struct stmt *stmt, int number, int64_t value);
void stmt_bind_blob(struct stmt *stmt, int number, const void *at, size_t len); /* NULL: no value */

/* Runs to the end, skipping rows. FAIL_STALE when a rule of uniqueness would be broken. */
enum fail stmt_run(struct stmt *stmt, struct error *err) MUST_CHECK;
/* Runs an INSERT of one row and says its id. The text has no RETURNING: each engine has its own cheap way. */
enum fail stmt_insert(struct stmt *stmt, int64_t *ret_id, struct error *err) MUST_CHECK;
/* The next row. At the end *ret_row is false and the statement has ended by itself. */
enum fail stmt_step(struct stmt *stmt, bool *ret_row, struct error *err) MUST_CHECK;
/* Ends before the last row; harmless when it has ended. */
void stmt_end(struct stmt *stmt);
/* Rows that the last finished run changed. */
int64_t stmt_changes(const struct stmt *stmt);

/* Columns of the present row, from 0. Text is borrowed until the next step. */
int64_t stmt_i64(const struct stmt *stmt, int column);
struct str stmt_str(const struct stmt *stmt, int column);
struct str stmt_blob(const struct stmt *stmt, int column); /* STR_NONE: no value */

#endif
