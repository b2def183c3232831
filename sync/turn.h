/* One turn of one connection, as sync_run() does it and as sync/dispatch.h understands what came of it. */
#ifndef CRMSYNC_SYNC_TURN_H
#define CRMSYNC_SYNC_TURN_H

#include "sync/dispatch.h"
#include "sync/sync.h"

/* A turn ends after this at the next committed page, and a wait that is longer than the other ends it at once. */
enum { TURN_MS = 5000, TURN_WAIT_MS = 1000, TURN_BINDINGS_AGE_MS = 60 * 60 * 1000 };

/* Before anything is opened or asked: turns events into marks, and says whether the turn has anything to do. Only a flow may have nothing; then
 * nothing up to *ret_journal is to be created either. */
enum fail turn_has_work(struct sync *sync, const struct sync_connection *connection,
                        const struct turn *turn, bool *ret, int64_t *ret_journal,
                        struct error *err) MUST_CHECK;
/* kind: of a pull. */
struct sync_options turn_options(const struct turn *turn, struct str connection, struct str kind);
/* A comparison marks what it finds, unless it only compares: the flow that follows looks at that. OK and failures as sync_run(). */
enum fail turn_run(struct sync *sync, const struct turn *turn, const struct sync_options *options,
                   struct sync_report *ret, struct error *err) MUST_CHECK;
/* failed: as turn_run() returned. */
struct turn_end turn_end_of(const struct sync_report *report, enum fail failed);

#endif
