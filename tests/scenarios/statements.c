#include "tests/scenarios/statements.h"

#include <sqlite3.h>
#include <stddef.h>

static const struct {
    const char *name;
    int code;
} FAILURES[STATEMENT_FAILURES] = {
    [STATEMENT_BUSY] = {"locked", SQLITE_BUSY},
    [STATEMENT_NOMEM] = {"out of memory", SQLITE_NOMEM},
    [STATEMENT_FULL] = {"disk full", SQLITE_FULL},
    [STATEMENT_IOERR] = {"I/O error", SQLITE_IOERR_READ},
};

static int64_t counted, fail_at;
static enum statement_failure how;
static const char *failed_sql; /* of the statement; NULL: none has */

/* The linker's names: --wrap=sqlite3_step. */
int __real_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_step(sqlite3_stmt *stmt);

int __wrap_sqlite3_step(sqlite3_stmt *stmt)
{
    if (++counted != fail_at) {
        return __real_sqlite3_step(stmt);
    }
    failed_sql = sqlite3_sql(stmt);
    failed_sql = failed_sql ? failed_sql : "";
    return FAILURES[how].code;
}

int64_t statements_counted(void)
{
    return counted;
}

void statements_fail_at(int64_t n, enum statement_failure failure)
{
    fail_at = n ? counted + n : 0;
    how = failure;
    failed_sql = NULL;
}

const char *statements_failed(void)
{
    return failed_sql;
}

const char *statement_failure_name(enum statement_failure failure)
{
    return FAILURES[failure].name;
}
