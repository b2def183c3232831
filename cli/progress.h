/* One line on a terminal that says what a sync is doing: phase, rate, time left, API calls. Nothing where there is no terminal. */
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
};

void progress_init(struct progress *progress, const struct cli *cli, struct http_client *http);
/* sync.h on_progress; context is the progress. */
void progress_show(void *context, const struct sync_progress *now);
void progress_clear(struct progress *progress);

#endif
