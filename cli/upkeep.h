/* What the service does for the store by itself, and the commands on demand. */
#ifndef CRMSYNC_CLI_UPKEEP_H
#define CRMSYNC_CLI_UPKEEP_H

#include "cli/config.h"
#include "store/backup.h"

/* Makes one and notes it: the receipt beside it, lineage and audit log of the store (through a handle of its own, beside whoever writes). source: any
 * access. */
enum fail backup_make(struct store *source, struct env *env, const struct config *config,
                      struct str path, struct arena *arena, struct backup_receipt *ret,
                      struct error *err) MUST_CHECK;
/* Makes one when `backup:` of the configuration says so, and removes those that are too many. store: any access, without a transaction open; for a worker
 * thread. ret_next_ms: when to ask again; CRON_NEVER without `backup:`. On failure, too: an hour later. */
enum fail backup_due(struct store *store, struct env *env, const struct config *config,
                     int64_t *ret_next_ms, struct error *err) MUST_CHECK;

/* Prunes all tenants as `retention:` says, once a day. store: for writing, without a transaction open. ret_next_ms: when to ask again; CRON_NEVER without
 * `retention:`. */
enum fail retention_due(struct store *store, struct env *env, const struct config *config,
                        int64_t *ret_next_ms, struct error *err) MUST_CHECK;
/* The same at once; is_rehearsal: only counts. Adds up all tenants. */
enum fail retention_apply(struct store *store, const struct config *config, bool is_rehearsal,
                          struct pruned *ret, struct error *err) MUST_CHECK;

#endif
