/* The threads of a running service that deliver events (api/publish.h), by one configuration. */
#ifndef CRMSYNC_CLI_PUBLISHING_H
#define CRMSYNC_CLI_PUBLISHING_H

#include "api/publish.h"
#include "api/samples.h"
#include "cli/config.h"

struct publishing;

enum { PUBLISHING_WORKERS_MAX = 4, PUBLISHING_LOOK_MS = 100 };

/* tenants: ids in the store, in the order of config->tenants. Threads have store handles of their own beside the given one. config is borrowed until the end.
 * Without endpoints there are no threads, and *ret is not NULL all the same. */
enum fail publishing_start(struct store *store, struct env *env, const struct config *config,
                           const int64_t *tenants, struct publishing **ret,
                           struct error *err) MUST_CHECK;
/* Deliveries under way are given up, and made again by who comes next; before the store is closed. Accepts NULL. */
void publishing_stop(struct publishing *publishing);
/* Adds what is known of each endpoint. */
void publishing_samples(struct publishing *publishing, struct samples *samples);

#endif
