/* The thread of a running service that looks after the store: backups and retention, when they are due (upkeep.h). */
#ifndef CRMSYNC_CLI_UPKEEPING_H
#define CRMSYNC_CLI_UPKEEPING_H

#include "cli/config.h"

struct upkeeping;

/* store: the writer's; the thread has handles of its own beside it. config is borrowed until upkeeping_use() gives another one. */
enum fail upkeeping_start(struct store *store, struct env *env, const struct config *config,
                          struct upkeeping **ret, struct error *err) MUST_CHECK;
/* Waits for what is being done by the configuration before. */
void upkeeping_use(struct upkeeping *upkeeping, const struct config *config);
/* Waits for what is being done; before the store is closed. Accepts NULL. */
void upkeeping_stop(struct upkeeping *upkeeping);

#endif
