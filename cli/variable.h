/* Secrets that the configuration names as "${NAME}". */
#ifndef CRMSYNC_CLI_VARIABLE_H
#define CRMSYNC_CLI_VARIABLE_H

#include <stdbool.h>

#include "core/fail.h"
#include "core/secret.h"

/* "${NAME}" */
bool variable_is_one(struct str text);
/* written: "${NAME}". what: "the token"; otherwise: what else a person can do, for the hint. FAIL_CONFIG when it is not set or empty. */
enum fail variable_read(struct str written, const char *what, const char *otherwise,
                        struct secret *ret, struct error *err) MUST_CHECK;

#endif
