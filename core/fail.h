/* Errors graded by their remedy, not by their cause. Every function that can fail returns enum fail and fills a
 * struct error that the caller owns. Who detects writes the facts; each caller may add one phrase in front. */
#ifndef CRMSYNC_CORE_FAIL_H
#define CRMSYNC_CORE_FAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"

/* What has to happen next, narrowest first. A new code needs a new remedy. */
enum fail {
    OK = 0,
    FAIL_RECORD,     /* this record cannot be handled: set it aside, go on with the others */
    FAIL_STALE,      /* the remote object moved: read it again and decide again */
    FAIL_THROTTLED,  /* come back after wait_ms */
    FAIL_RETRY,      /* transient: back off and repeat */
    FAIL_AUTH,       /* credentials refused: pause the connection until a person signs in */
    FAIL_CONNECTION, /* scopes, plan, schema, address: pause the connection, a person must act */
    FAIL_CONFIG,     /* usage or configuration: correct it and start again (exit 2) */
    FAIL_CANCELLED,  /* asked to stop: unwind, nothing is wrong */
    /* this machine or its store: disk full, I/O error, store in use. Stop the process */
    FAIL_STOP,
    FAIL_BUG, /* an invariant of ours does not hold: report it */
};

enum { ERROR_MESSAGE_BYTES = 640, ERROR_HINT_BYTES = 320 };

/* One failure. Zero-initialise before the first call. Messages: lower case, no full stop, what failed, on what, why.
 * The hint says what the person can do next; it may be empty. Neither ever holds a secret or a field value. */
struct error {
    enum fail code;
    int http_status;         /* 0 when no answer came */
    int64_t wait_ms;         /* FAIL_THROTTLED: how long; else 0 */
    bool is_outcome_unknown; /* a write may or may not have been applied */
    bool
        is_silent; /* FAIL_THROTTLED because the host failed again and again, not because it asked for patience */
    char message[ERROR_MESSAGE_BYTES];
    char hint[ERROR_HINT_BYTES];
};

/* Sets code and message and returns code. Clears hint, wait_ms, http_status and is_outcome_unknown. */
enum fail error_set(struct error *err, enum fail code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "phrase: " in front of the message and returns err->code. Long messages are cut at the end. */
enum fail error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sets the hint (what to do next) and returns err->code. */
enum fail error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Empties err. */
void error_reset(struct error *err);

/* Stable lower-case word of a code, for logs, tables and --json: "record", "stale", "throttled", … */
const char *fail_name(enum fail code);

#endif
