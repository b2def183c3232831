/* The running service's own numbers, and the thread that looks at the alerts every minute. */
#ifndef CRMSYNC_CLI_SERVE_METRICS_H
#define CRMSYNC_CLI_SERVE_METRICS_H

#include "api/samples.h"
#include "cli/serve.h"

/* Of struct api_host; context: the service. Called while setup_lock is held for reading. reader: the caller's. */
enum fail serve_metrics(void *service, struct store *reader, struct samples *samples,
                        struct error *err);

struct watch;

/* Begins to look, on a thread of its own with a store handle of its own. */
enum fail watch_start(struct service *service, struct watch **ret, struct error *err) MUST_CHECK;
/* A look that is under way ends first, within the time limits of its channels. Accepts NULL. */
void watch_stop(struct watch *watch);

#endif
