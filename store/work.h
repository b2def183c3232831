/* What waits to be done for a stream: cheap questions, so that nothing is opened, asked or written where nothing waits. */
#ifndef CRMSYNC_STORE_WORK_H
#define CRMSYNC_STORE_WORK_H

#include "store/store.h"

/* At least one of each. */
struct store_work {
    bool marked;    /* objects to read by id */
    bool updates;   /* links to push whose time has come, and that no open write holds */
    bool creates;   /* records without a link that may be made there */
    bool unsettled; /* writes whose outcome is unknown */
    bool gone;      /* objects whose grace time is over */
};

/* gone_before_ms: the grace time is over for what went before it. after_journal: creates among records that the journal names after
 * this place; 0 = among all, which reads every record of the kind when there is none. */
enum fail work_of_stream(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                         int64_t gone_before_ms, int64_t after_journal, struct store_work *ret,
                         struct error *err) MUST_CHECK;
/* The newest place in the journal; 0 when it is empty. */
enum fail journal_newest(struct tx *tx, int64_t *ret, struct error *err) MUST_CHECK;

#endif
