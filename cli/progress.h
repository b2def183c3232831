/* One line on a terminal that says what a sync is doing: phase, rate, time left, API calls. Where there is no terminal only trouble is said. */
#ifndef CRMSYNC_CLI_PROGRESS_H
#define CRMSYNC_CLI_PROGRESS_H

#include "cli/command.h"
#include "http/client.h"
#include "sync/sync.h"

struct progress {
    struct env *env;
    struct http_client *http;
    bool is_on;
    bool is_shown;
    int64_t shown_ms; /* monotonic, when last drawn */
    int64_t phase_began_ms;
    char phase[128]; /* what the rate is counted for */
    const struct cli *cli;
    char trouble[320]; /* said last */
};

/* http: whose calls are counted; NULL: what the progress says of them. */
void progress_init(struct progress *progress, const struct cli *cli, struct http_client *http);
/* sync.h on_progress; context is the progress. */
void progress_show(void *context, const struct sync_progress *now);
void progress_clear(struct progress *progress);
/* A line on stderr: a connection does not answer and is tried again. Nothing with --quiet or --json. */
void progress_tell_trouble(const struct cli *cli, struct str connection, struct str kind,
                           const char *why);

#endif
