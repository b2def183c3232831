/* Syncs and comparisons that somebody asked a running service for: from the wish to the report. */
#ifndef CRMSYNC_CLI_SERVE_ORDERS_H
#define CRMSYNC_CLI_SERVE_ORDERS_H

#include "api/api.h"
#include "sync/workers.h"

struct serve_orders;

struct serve_orders *serve_orders_new(struct workers *workers, struct api *api);
void serve_orders_free(struct serve_orders *orders); /* accepts NULL */

/* FAIL_CONFIG: no connection of the tenant matches, or the order holds what a service does not do. FAIL_THROTTLED: too many at once. */
enum fail serve_orders_add(struct serve_orders *orders, const struct api_order *order,
                           struct error *err) MUST_CHECK;
/* From workers' threads, while the turn is under way. */
void serve_orders_progress(struct serve_orders *orders, const struct turn *turn,
                           const struct sync_progress *progress);
void serve_orders_report(struct serve_orders *orders, const struct turn *turn,
                         const struct sync_report *report, const struct error *err);
/* Ends those that are through; returns whether some are still under way. Now and then. */
bool serve_orders_settle(struct serve_orders *orders);
/* The service stops, or another configuration takes over: what is under way ends with why. */
void serve_orders_end_all(struct serve_orders *orders, const char *why);

#endif
