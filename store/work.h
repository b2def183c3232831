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
    bool braked;    /* mass changes that the brake wrote down */
};

struct work_question {
    int64_t connection_id;
    struct str kind;
    int64_t now_ms; /* INT64_MAX: updates and creates whose time has not come count as well */
    int64_t gone_before_ms; /* the grace time is over for what went before it; INT64_MAX: for all */
    bool with_creates;      /* else they are not asked about, and none is said */
    /* creates among records that the journal names after this place; 0 = among all, which reads every record of the kind when there is none */
    int64_t after_journal;
};
enum fail work_of_stream(struct tx *tx, const struct work_question *question,
                         struct store_work *ret, struct error *err) MUST_CHECK;
/* The newest place in the journal; 0 when it is empty. */
enum fail journal_newest(struct tx *tx, int64_t *ret, struct error *err) MUST_CHECK;

#endif
