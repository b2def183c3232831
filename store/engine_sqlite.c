/* SQLite behind store/engine.h. WAL with synchronous=FULL: an acknowledged commit survives a power cut. */
#include "store/engine.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "core/alloc.h"

enum {
    APPLICATION_ID = 0x43524d53, /* "CRMS": tells our files from other databases */
    STATEMENTS_MAX = 512,        /* places in the table; the store has some 100 texts */
    PARAMETERS_MAX = 24,
    BUSY_MS = 5000, /* readers of other processes, or a person's sqlite3 shell */
};

struct stmt {
    const char *sql; /* borrowed; NULL: free place */
    sqlite3_stmt *handle;
    struct engine *engine;
    int index_of[PARAMETERS_MAX + 1]; /* SQLite numbers $n by first appearance */
    int failed;                       /* of preparing or binding */
    bool is_running;
    int64_t changes;
};

struct engine {
    sqlite3 *db;
    char *path;
    bool may_write;
    bool is_beside;
    bool is_scratch;
    /* After an I/O error nobody knows what is on the disk: only a new process may look. */
    bool is_broken;
    struct stmt statements[STATEMENTS_MAX];
};

static enum fail fail_full(const struct engine *engine, struct error *err)
{
    error_set(err, FAIL_STOP, "cannot write to store '%s': the disk is full", engine->path);
    return error_hint(err, "free some space and start again; what was committed is safe");
}

/* cause: errno as the failed call left it. SQLite does not pass it on for a statement. */
static enum fail fail_io(struct engine *engine, int cause, struct error *err)
{
    engine->is_broken = true;
    if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG) {
        return fail_full(engine, err);
    }
    error_set(err, FAIL_STOP, "cannot read or write store '%s': I/O error (%s)", engine->path,
              cause ? strerror(cause) : sqlite3_errmsg(engine->db));
    return error_hint(err,
                      "check the disk; start again when it is well: what was committed is kept");
}

static enum fail fail_damaged(const struct engine *engine, struct error *err)
{
    error_set(err, FAIL_STOP, "store '%s' is damaged: %s", engine->path,
              sqlite3_errmsg(engine->db));
    return error_hint(err, "restore the last backup of the file");
}

static enum fail fail_closed(const struct engine *engine, const char *why, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot open store '%s': %s", engine->path, why);
    return error_hint(err, "check owner and mode of the file and its folder; a reader, too, must "
                           "be able to write beside it");
}

static enum fail fail_constraint(const struct engine *engine, int code, struct error *err)
{
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return error_set(err, FAIL_STALE, "a row of the store exists already: %s",
                         sqlite3_errmsg(engine->db));
    }
    return error_set(err, FAIL_BUG, "a rule of the store would be broken: %s",
                     sqlite3_errmsg(engine->db));
}

/* Every failure of SQLite becomes a remedy here. sqlite3_errmsg names tables and columns, never values. */
static enum fail engine_fail(struct engine *engine, int code, struct error *err)
{
    int cause = errno;

    switch (code & 0xff) {
    case SQLITE_FULL:
        return fail_full(engine, err);
    case SQLITE_IOERR:
        return fail_io(engine, cause, err);
    case SQLITE_CORRUPT:
        return fail_damaged(engine, err);
    case SQLITE_NOTADB:
        error_set(err, FAIL_CONFIG, "'%s' is not a crmsync store", engine->path);
        return error_hint(err,
                          "check 'store' in the configuration; if it was one, restore a backup");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return fail_closed(engine, "not allowed, or not there", err);
    case SQLITE_READONLY:
        return fail_closed(engine, "it may only be read", err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        error_set(err, FAIL_STOP, "store '%s' is locked by another program", engine->path);
        return error_hint(err, "end the program that has the file open, such as a database shell");
    case SQLITE_TOOBIG:
        return error_set(err, FAIL_RECORD, "a value is too large for the store");
    case SQLITE_NOMEM:
        error_set(err, FAIL_STOP, "out of memory in store '%s'", engine->path);
        return error_hint(err, "what was committed is safe; start again");
    case SQLITE_CONSTRAINT:
        return fail_constraint(engine, code, err);
    }
    return error_set(err, FAIL_BUG, "store '%s': %s (%d)", engine->path, sqlite3_errmsg(engine->db),
                     code);
}

static enum fail script(struct engine *engine, const char *sql, struct error *err)
{
    int code;

    errno = 0;
    code = sqlite3_exec(engine->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : engine_fail(engine, code, err);
}

/* --- open and close ------------------------------------------------------------------------------------------ */

/* Names like ":memory:" and "file:x" mean something else to SQLite; with a folder in front they are plain files. */
static char *plain_path(const char *path)
{
    return path[0] == '/' ? alloc_dup(path) : alloc_printf("./%s", path);
}

/* A damaged or planted schema must not be able to do more than be wrong. */
static void harden(sqlite3 *db)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    /* Else a bound value that might choose another index has the statement prepared anew each time it changes; nobody runs ANALYZE here,
     * so nothing is to be learned from it. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    sqlite3_busy_timeout(db, BUSY_MS);
}

static const char SCRATCH[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY;"
                              "PRAGMA synchronous = OFF;";

static enum fail set_up(struct engine *engine, struct error *err)
{
    /* Temporary results stay in memory: they would be personal data in another file. */
    static const char ALWAYS[] = "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                                 "PRAGMA cell_size_check = ON; PRAGMA cache_size = -16000;";
    static const char BESIDE[] = "PRAGMA cache_size = -4000;";
    /* The log is folded into the file at 32 MB: pages that many transactions touch are then copied once. */
    static const char WRITER[] =
        "PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 8000;";

    if (script(engine, ALWAYS, err) != OK) {
        return err->code;
    }
    if (engine->is_scratch) {
        return script(engine, SCRATCH, err);
    }
    if (engine->is_beside && script(engine, BESIDE, err) != OK) {
        return err->code;
    }
    return engine->may_write ? script(engine, WRITER, err) : OK;
}

enum fail engine_open(const struct engine_options *options, struct engine **ret, struct error *err)
{
    int flags =
        (options->may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
    struct engine *engine = alloc_new(1, sizeof *engine);
    int code;

    engine->may_write = options->may_write;
    engine->is_beside = options->is_beside;
    engine->is_scratch = options->is_scratch;
    engine->path = plain_path(options->path);
    /* Nobody reads its memory statistics, and each allocation would take a lock for them. Too late when the library is in
     * use already; then it is only slower. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    code = sqlite3_open_v2(engine->path, &engine->db, flags, NULL);
    if (code != SQLITE_OK) {
        engine_fail(engine, code, err);
        engine_close(engine);
        return err->code;
    }
    harden(engine->db);
    if (set_up(engine, err) != OK) {
        engine_close(engine);
        return err->code;
    }
    *ret = engine;
    return OK;
}

void engine_close(struct engine *engine)
{
    if (!engine) {
        return;
    }
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        sqlite3_finalize(engine->statements[i].handle);
    }
    sqlite3_close(engine->db);
    free(engine->path);
    free(engine);
}

void engine_pages_max_set(struct engine *engine, int64_t pages)
{
    char sql[64];

    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %" PRId64, pages);
    sqlite3_exec(engine->db, sql, NULL, NULL, NULL);
}

/* --- schema -------------------------------------------------------------------------------------------------- */

static const char SQL_SCHEMA_READ[] =
    "SELECT (SELECT count(*) FROM sqlite_schema), (SELECT application_id FROM "
    "pragma_application_id), (SELECT user_version FROM pragma_user_version)";

enum fail engine_schema_read(struct engine *engine, struct engine_schema *ret, struct error *err)
{
    struct stmt *stmt = engine_stmt(engine, SQL_SCHEMA_READ);
    bool is_row;

    if (stmt_step(stmt, &is_row, err) != OK) {
        return err->code;
    }
    assert(is_row);
    *ret = (struct engine_schema){.is_empty = stmt_i64(stmt, 0) == 0,
                                  .is_ours = stmt_i64(stmt, 1) == APPLICATION_ID,
                                  .version = (int)stmt_i64(stmt, 2)};
    stmt_end(stmt);
    return OK;
}

enum fail engine_migrate(struct engine *engine, const char *sql, int version, struct error *err)
{
    AUTO_FREE char *marks = alloc_printf("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                                         APPLICATION_ID, version);

    if (engine_begin(engine, err) != OK) {
        return err->code;
    }
    if (script(engine, sql, err) != OK || script(engine, marks, err) != OK ||
        engine_commit(engine, err) != OK) {
        engine_rollback(engine);
        return err->code;
    }
    return OK;
}

/* --- transactions -------------------------------------------------------------------------------------------- */

static const char SQL_BEGIN_WRITE[] = "BEGIN IMMEDIATE";
static const char SQL_BEGIN_READ[] = "BEGIN";

enum fail engine_begin(struct engine *engine, struct error *err)
{
    if (engine->is_broken) {
        error_set(err, FAIL_STOP, "store '%s' had an I/O error", engine->path);
        return error_hint(err, "check the disk, then start again");
    }
    return stmt_run(engine_stmt(engine, engine->may_write ? SQL_BEGIN_WRITE : SQL_BEGIN_READ), err);
}

static const char SQL_COMMIT[] = "COMMIT";

enum fail engine_commit(struct engine *engine, struct error *err)
{
    return stmt_run(engine_stmt(engine, SQL_COMMIT), err);
}

static const char SQL_ROLLBACK[] = "ROLLBACK";

void engine_rollback(struct engine *engine)
{
    struct error ignored = {0};

    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        stmt_end(&engine->statements[i]);
    }
    if (sqlite3_get_autocommit(engine->db)) {
        return; /* SQLite has rolled back by itself, as on a full disk */
    }
    if (stmt_run(engine_stmt(engine, SQL_ROLLBACK), &ignored) != OK) {
        engine->is_broken = true;
    }
}

static const char SQL_SAVEPOINT[] = "SAVEPOINT inner";

enum fail engine_savepoint(struct engine *engine, struct error *err)
{
    return stmt_run(engine_stmt(engine, SQL_SAVEPOINT), err);
}

static const char SQL_ROLLBACK_TO[] = "ROLLBACK TO inner";
static const char SQL_RELEASE[] = "RELEASE inner";

enum fail engine_savepoint_end(struct engine *engine, bool keep, struct error *err)
{
    if (!keep && stmt_run(engine_stmt(engine, SQL_ROLLBACK_TO), err) != OK) {
        return err->code;
    }
    return stmt_run(engine_stmt(engine, SQL_RELEASE), err);
}

enum fail engine_copy(struct engine *from, struct engine *into, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(into->db, "main", from->db, "main");
    int code;

    if (!backup) {
        return engine_fail(into, sqlite3_extended_errcode(into->db), err);
    }
    code = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE) {
        return engine_fail(into, code, err);
    }
    return into->is_scratch ? script(into, SCRATCH, err)
                            : OK; /* the log's mode came with the copy */
}

/* --- checking ------------------------------------------------------------------------------------------------ */

/* SQLite 3.40.1 takes a column of a table without rowids for NULL where it stands between those of the key (wait_outward.kind), and says so of every row; what
 * a STRICT table holds was checked when it was written. Seen with `PRAGMA integrity_check` on a table of one row. */
static const char SQL_CHECK_FILE[] =
    "SELECT ifnull(min(integrity_check), 'ok') FROM pragma_integrity_check(1000000) "
    "WHERE integrity_check <> 'ok' AND integrity_check NOT LIKE 'NULL value in %'";
static const char SQL_CHECK_KEYS[] = "SELECT count(*) FROM pragma_foreign_key_check";

static enum fail check_keys(struct engine *engine, struct error *err)
{
    struct stmt *stmt = engine_stmt(engine, SQL_CHECK_KEYS);
    int64_t strays;
    bool is_row;

    if (stmt_step(stmt, &is_row, err) != OK) {
        return err->code;
    }
    strays = is_row ? stmt_i64(stmt, 0) : 0;
    stmt_end(stmt);
    return strays ? error_set(err, FAIL_STOP,
                              "store '%s' is damaged: %" PRId64 " rows point to rows that are not "
                              "there",
                              engine->path, strays)
                  : OK;
}

enum fail engine_check(struct engine *engine, struct error *err)
{
    struct stmt *stmt = engine_stmt(engine, SQL_CHECK_FILE);
    bool is_row, is_whole;

    if (stmt_step(stmt, &is_row, err) != OK) {
        return err->code;
    }
    is_whole = is_row && str_equal(stmt_str(stmt, 0), STR("ok"));
    stmt_end(stmt);
    if (!is_whole) {
        error_set(err, FAIL_STOP, "store '%s' is damaged", engine->path);
        return error_hint(err, "restore the last backup of the file");
    }
    return check_keys(engine, err);
}

enum fail engine_fold_log(struct engine *engine, bool *ret_is_complete, struct error *err)
{
    int code =
        sqlite3_wal_checkpoint_v2(engine->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    *ret_is_complete = code == SQLITE_OK;
    return code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY ? OK : engine_fail(engine, code, err);
}

/* --- statements ---------------------------------------------------------------------------------------------- */

/* The place of the text, or the free one where it belongs. */
static struct stmt *place_of(struct engine *engine, const char *sql)
{
    size_t index = ((uintptr_t)sql >> 4) * 0x9E3779B1u % STATEMENTS_MAX;
    size_t tried = 0;

    while (engine->statements[index].sql && engine->statements[index].sql != sql) {
        index = (index + 1) % STATEMENTS_MAX;
        assert(++tried < STATEMENTS_MAX); /* more texts than places */
    }
    return &engine->statements[index];
}

static void prepare(struct stmt *stmt)
{
    stmt->failed = sqlite3_prepare_v3(stmt->engine->db, stmt->sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &stmt->handle, NULL);
    if (stmt->failed != SQLITE_OK) {
        return;
    }
    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt->handle); i++) {
        const char *name = sqlite3_bind_parameter_name(stmt->handle, i);
        int64_t number = 0;
        bool is_number = name && str_to_i64(str_of(name + 1), &number); /* behind the "$" */

        assert(is_number && number >= 1 && number <= PARAMETERS_MAX);
        stmt->index_of[number] = i;
    }
}

struct stmt *engine_stmt(struct engine *engine, const char *sql)
{
    struct stmt *stmt = place_of(engine, sql);

    assert(!stmt->is_running);
    stmt->sql = sql;
    stmt->engine = engine;
    stmt->failed = SQLITE_OK;
    if (!stmt->handle) {
        prepare(stmt);
    }
    return stmt;
}

static int index_of(const struct stmt *stmt, int number)
{
    assert(number >= 1 && number <= PARAMETERS_MAX && !stmt->is_running);
    assert(!stmt->handle || stmt->index_of[number]); /* the text has no such parameter */
    return stmt->index_of[number];
}

static void note(struct stmt *stmt, int code)
{
    if (stmt->failed == SQLITE_OK) {
        stmt->failed = code;
    }
}

void stmt_bind_str(struct stmt *stmt, int number, struct str text)
{
    int index = index_of(stmt, number);

    if (stmt->handle) {
        note(stmt, sqlite3_bind_text64(stmt->handle, index, text.at ? text.at : "", text.len,
                                       SQLITE_STATIC, SQLITE_UTF8));
    }
}

void stmt_bind_i64(struct stmt *stmt, int number, int64_t value)
{
    int index = index_of(stmt, number);

    if (stmt->handle) {
        note(stmt, sqlite3_bind_int64(stmt->handle, index, value));
    }
}

void stmt_bind_blob(struct stmt *stmt, int number, const void *at, size_t len)
{
    int index = index_of(stmt, number);

    if (stmt->handle) {
        note(stmt, at ? sqlite3_bind_blob64(stmt->handle, index, at, len, SQLITE_STATIC)
                      : sqlite3_bind_null(stmt->handle, index));
    }
}

void stmt_end(struct stmt *stmt)
{
    if (stmt->is_running) {
        sqlite3_reset(stmt->handle);
        stmt->is_running = false;
    }
}

/* The message is taken before the reset, which clears the reason. */
static enum fail stop(struct stmt *stmt, int code, struct error *err)
{
    enum fail failed = engine_fail(stmt->engine, code, err);

    stmt->is_running = false;
    if (stmt->handle) {
        sqlite3_reset(stmt->handle);
    }
    return failed;
}

enum fail stmt_step(struct stmt *stmt, bool *ret_row, struct error *err)
{
    int code;

    if (stmt->failed != SQLITE_OK) {
        return stop(stmt, stmt->failed, err);
    }
    stmt->is_running = true;
    errno = 0;
    code = sqlite3_step(stmt->handle);
    if (code == SQLITE_ROW) {
        *ret_row = true;
        return OK;
    }
    if (code != SQLITE_DONE) {
        return stop(stmt, code, err);
    }
    stmt->changes = sqlite3_changes64(stmt->engine->db);
    stmt_end(stmt);
    *ret_row = false;
    return OK;
}

enum fail stmt_run(struct stmt *stmt, struct error *err)
{
    bool is_row = true;

    while (is_row) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail stmt_insert(struct stmt *stmt, int64_t *ret_id, struct error *err)
{
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_id = sqlite3_last_insert_rowid(stmt->engine->db);
    return OK;
}

int64_t stmt_changes(const struct stmt *stmt)
{
    return stmt->changes;
}

int64_t stmt_i64(const struct stmt *stmt, int column)
{
    assert(stmt->is_running);
    return sqlite3_column_int64(stmt->handle, column);
}

struct str stmt_str(const struct stmt *stmt, int column)
{
    const char *at;

    assert(stmt->is_running);
    at = (const char *)sqlite3_column_text(stmt->handle, column);
    return (struct str){.at = at ? at : "",
                        .len = (size_t)sqlite3_column_bytes(stmt->handle, column)};
}

struct str stmt_blob(const struct stmt *stmt, int column)
{
    const char *at;

    assert(stmt->is_running);
    if (sqlite3_column_type(stmt->handle, column) == SQLITE_NULL) {
        return STR_NONE;
    }
    at = sqlite3_column_blob(stmt->handle, column);
    return (struct str){.at = at ? at : "",
                        .len = (size_t)sqlite3_column_bytes(stmt->handle, column)};
}
