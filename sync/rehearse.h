/* What a run would do, without doing it: the real engine over a copy of the store, with CRMs that keep writes to themselves (sync/shadow.h). */
#ifndef CRMSYNC_SYNC_REHEARSE_H
#define CRMSYNC_SYNC_REHEARSE_H

#include "sync/sync.h"

/* Told once for each change, in the order in which a run would make them. Borrowed for the call. */
typedef void rehearse_fn(void *context, const struct change *change);

struct rehearsal {
    struct sync_report report;
    /* same index as sync->connections; arena's. Reads were really made, writes would be */
    int64_t *write_calls;
    int64_t read_calls;
};

/* sync->store is a scratch copy (store_scratch); it is as after the run then. Nothing is written at a CRM. */
enum fail rehearse(const struct sync *sync, const struct sync_options *options, rehearse_fn *tell,
                   void *context, struct arena *arena, struct rehearsal *ret,
                   struct error *err) MUST_CHECK;

#endif
