/* What sync, plan, apply and undo share: the wired engine with its connections open, signals, progress, and the report of a run. */
#ifndef CRMSYNC_CLI_RUNNING_H
#define CRMSYNC_CLI_RUNNING_H

#include <jansson.h>

#include "cli/progress.h"
#include "cli/wire.h"

struct running {
    struct wire wire;
    struct sync sync;
    struct progress progress;
    struct sync_report
        early; /* connections that could not be opened; the engine's reports begin with them */
};

enum running_on {
    RUNNING_ON_STORE,
    RUNNING_ON_COPY, /* nothing that is written stays; another process may hold the store */
};

/* holder: "crmsync sync". Of options only connection, push and wait_max_ms count here: with push, what the CRM needs for it is made there, unless the
 * engine works on a copy. Ctrl-C stops the run in good order from now on. */
enum fail running_start(struct cli *cli, enum running_on on, const char *holder,
                        const struct sync_options *options, struct running **ret,
                        struct error *err) MUST_CHECK;
/* Makes at the CRMs what writing needs there, where it is not known to be there; for who opened without push. */
enum fail running_set_up(struct running *running, struct error *err) MUST_CHECK;
/* The progress line goes, signals do what they did before. */
void running_finish(struct running *running);
void running_free(struct running *running); /* accepts NULL */

/* FAIL_CANCELLED in words. */
void running_explain_stop(const char *command, struct error *err);
void running_print(const struct cli *cli, const struct sync_report *report);
int running_exit_code(const struct sync_report *report);

#endif
