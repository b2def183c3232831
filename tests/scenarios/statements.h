/* The n-th step of a statement of the store fails, as SQLite says that it may: the program is linked with its own sqlite3_step(), which calls SQLite's. */
#ifndef CRMSYNC_TESTS_SCENARIOS_STATEMENTS_H
#define CRMSYNC_TESTS_SCENARIOS_STATEMENTS_H

#include <stdint.h>

enum statement_failure {
    STATEMENT_BUSY,
    STATEMENT_NOMEM,
    STATEMENT_FULL,
    STATEMENT_IOERR,
    STATEMENT_FAILURES
};

/* Steps of statements so far, in this program. */
int64_t statements_counted(void);
/* The n-th step from now on, and it alone, does nothing and fails (1: the next; 0: none). */
void statements_fail_at(int64_t n, enum statement_failure failure);
/* The text of the statement that failed, while the store is open; NULL: none has, yet. */
const char *statements_failed(void);
const char *statement_failure_name(enum statement_failure failure);

#endif
