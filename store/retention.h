/* How long history is kept. What undo, an open conflict, a write of unknown outcome, a change that waits to be written, or a hold still needs is kept
 * whatever its age, and so is the audit log. What an endpoint for events has not been told of yet is kept RETENTION_FOLLOWED_MS longer. */
#ifndef CRMSYNC_STORE_RETENTION_H
#define CRMSYNC_STORE_RETENTION_H

#include "store/store.h"

#define RETENTION_FOLLOWED_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* Milliseconds; 0: for ever. */
struct retention {
    int64_t journal_ms; /* a record's newest entry stays */
    int64_t runs_ms;    /* never longer than the journal that an undo of them would read */
    int64_t inbox_ms;   /* hints that were looked at */
    int64_t
        failures_ms; /* discarded ones that hold nothing back, and events that an endpoint did not take */
    int64_t conflicts_ms; /* that ended */
    int64_t usage_ms;
};

struct pruned {
    int64_t journal, runs, inbox, failures, conflicts, usage;
};

/* For one tenant, in small transactions, so that nobody waits long; killed in between, the next one goes on. is_rehearsal: counts, and nothing goes.
 * Adds to *ret. */
enum fail retention_prune(struct store *store, int64_t tenant_id, const struct retention *retention,
                          bool is_rehearsal, struct pruned *ret, struct error *err) MUST_CHECK;

#endif
