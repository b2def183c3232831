/* One breaker per host: after several failures in a row nothing is sent to it for a while, then a
 * single probe decides. Spares a CRM that is down, and every worker the time of finding that out
 * again. */
#ifndef CRMSYNC_HTTP_BREAKER_H
#define CRMSYNC_HTTP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/fail.h"
#include "core/str.h"

enum { BREAKER_FAILURES_MAX = 8, BREAKER_OPEN_MS = 30 * 1000, BREAKER_PROBE_WAIT_MS = 500 };

/* What one exchange showed of its host. SILENT: nothing (it was cancelled, or never sent). */
enum breaker_sign { BREAKER_ALIVE, BREAKER_FAILED, BREAKER_SILENT };

struct breakers; /* any thread */

struct breakers *breakers_new(struct clock *clock);
void breakers_free(struct breakers *breakers); /* accepts NULL */

/* Returns 0 when a request may go to the host; every such grant must be answered by one
 * breakers_report. Else how many ms to wait, and fills err (FAIL_THROTTLED) with why. host: with
 * its port where one is written. */
int64_t breakers_ask(struct breakers *breakers, struct str host, struct error *err);
/* reason: the failure's message, repeated to those who are refused later. */
void breakers_report(struct breakers *breakers, struct str host, enum breaker_sign sign,
                     const char *reason);

#endif
