/* Inside of sync/: where a run asks the brake, and what it says at the end. */
#ifndef CRMSYNC_SYNC_BRAKING_H
#define CRMSYNC_SYNC_BRAKING_H

#include "store/brake.h"
#include "sync/sync.h"

struct pass;

/* Inside pass->tx: the proved deletes of the stream have to wait. */
enum fail brake_on_deletes(struct pass *pass, bool *ret_waits, struct error *err);
/* Inside pass->tx, after a complete listing: it showed nothing and is not believed. */
enum fail brake_on_empty(struct pass *pass, bool *ret_waits, struct error *err);

/* What is not pushed now. */
struct push_holds {
    bool updates, removals;
};
enum fail brake_on_pushes(struct pass *pass, struct push_holds *ret, struct error *err);

/* At the end of a run: rows whose situation is gone fall away, those that wait are reported. */
enum fail brake_review(struct sync *sync, struct tx *tx, struct arena *arena,
                       struct sync_report *report, struct error *err);
/* "1500 of 5000 contact objects are gone at hubspot". Arena's. */
struct str brake_text(struct arena *arena, struct str connection, const struct store_brake *brake);
/* "crmsync brake confirm hubspot contact --what deletes --count 1500". Arena's. */
struct str brake_command(struct arena *arena, struct str connection,
                         const struct store_brake *brake);

#endif
