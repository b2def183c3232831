/* Secrets that a person types, pipes in or points to. */
#ifndef CRMSYNC_CLI_ASK_H
#define CRMSYNC_CLI_ASK_H

#include "core/fail.h"
#include "core/secret.h"

/* Where a secret comes from: an environment variable, the first line of a file, or (both "") standard input. */
struct ask {
    const char *what;  /* "token", "client secret" */
    const char *about; /* where a person finds it, or NULL */
    struct str of;     /* name of the connection */
    struct str variable;
    struct str file;
};

/* One line, without blanks around it; from a terminal without echo. FAIL_CONFIG when there is none. */
enum fail ask_secret(const struct ask *ask, struct secret *ret, struct error *err) MUST_CHECK;

#endif
