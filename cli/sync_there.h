/* A sync or a comparison that a running service does, seen from a command. */
#ifndef CRMSYNC_CLI_SYNC_THERE_H
#define CRMSYNC_CLI_SYNC_THERE_H

#include "cli/door.h"
#include "sync/sync.h"

/* Asks for it and shows how far it is until it has ended. Of options connection, kind, pull, push and full count. FAIL_… as the sync ended. */
enum fail sync_there(struct cli *cli, struct door *door, const struct sync_options *options,
                     struct sync_report *ret, struct error *err) MUST_CHECK;
/* Likewise; of options connection and kind count. What it found is in the store. */
enum fail reconcile_there(struct cli *cli, struct door *door, const struct sync_options *options,
                          bool repair, struct sync_report *ret, struct error *err) MUST_CHECK;
/* The service has its own limits, and waits as its schedules say. FAIL_CONFIG: options have a budget, or a wait_max_ms that is not negative. */
enum fail there_takes(const struct sync_options *options, struct error *err) MUST_CHECK;

#endif
