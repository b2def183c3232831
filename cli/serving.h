/* One configuration at work: its connections, what is open of them, and what a worker does when it is a connection's turn. Replaced as a whole when the
 * configuration is read again. */
#ifndef CRMSYNC_CLI_SERVING_H
#define CRMSYNC_CLI_SERVING_H

#include "cli/wire.h"
#include "sync/turn.h"

struct serving;

enum { SERVING_OPEN_MAX = 48 }; /* sessions that stay open between turns */

struct serving_options {
    struct wire *base; /* configuration, store, vault, transport; borrowed */
    int workers;
    const struct serving *before; /* what it replaces: times of the schedules go over; NULL none */
    const atomic_bool *cancel;    /* ends turns at their next committed page */
    /* may be NULL; on workers' threads */
    void (*on_progress)(void *context, const struct turn *turn,
                        const struct sync_progress *progress);
    void (*on_report)(void *context, const struct turn *turn, const struct sync_report *report,
                      const struct error *err);
    void *context;
};

enum fail serving_new(const struct serving_options *options, struct serving **ret,
                      struct error *err) MUST_CHECK;
void serving_free(struct serving *serving); /* no turn is under way; accepts NULL */

/* Owned by it; for the workers. */
struct dispatch *serving_dispatch(const struct serving *serving);
/* Of struct workers_options. store: the worker's. */
void serving_turn(struct serving *serving, struct store *store, const struct turn *turn,
                  struct turn_end *ret);
/* Closes what has been open longest without being used, but for SERVING_OPEN_MAX. The dispatch is locked. */
void serving_close_idle(struct serving *serving);
/* Calls under way end soon, and no later one begins. */
void serving_cancel(struct serving *serving);

size_t serving_tenants(const struct serving *serving);
/* Borrowed: settings, tenant id and rows are filled. */
struct wire *serving_tenant(const struct serving *serving, size_t tenant);
/* SIZE_MAX: unknown. */
size_t serving_place_of_row(const struct serving *serving, int64_t tenant_id,
                            int64_t connection_id);
/* The tenant, and the connection in it, of a place. */
struct serving_at {
    size_t tenant, index;
};
struct serving_at serving_at(const struct serving *serving, size_t place);
/* Of a place that has been used: for metrics and limits. NULL: never. */
struct http_client *serving_client(const struct serving *serving, size_t place);

#endif
