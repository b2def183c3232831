/* Taking back what a run did: written objects get their former values again, made ones are removed, records here become what they were, links that
 * the run made end. Each only where both sides still hold what the run wrote. */
#ifndef CRMSYNC_SYNC_UNDO_H
#define CRMSYNC_SYNC_UNDO_H

#include "sync/sync.h"

struct undone {
    struct sync_report report;
    int64_t done;       /* changes taken back; without do_it: that would be */
    int64_t refused;    /* records that have moved since */
    int64_t impossible; /* records that cannot be taken back: a merge, a delete */
};

/* Told for each change that is taken back (why NULL), and for each record that is not (op and fields say nothing then). Borrowed for the call. */
typedef void undo_fn(void *context, const struct change *change, const char *why);

/* do_it false: only says; nothing is written anywhere then but the run's own row. Can be repeated after an interruption. FAIL_RECORD: no such run. */
enum fail undo_run(const struct sync *sync, int64_t run_id, bool do_it, undo_fn *tell,
                   void *context, struct undone *ret, struct error *err) MUST_CHECK;

#endif
