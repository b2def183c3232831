/* What a failure costs, in one table: every journey and adapter comes through here. */
#ifndef CRMSYNC_SYNC_REMEDY_H
#define CRMSYNC_SYNC_REMEDY_H

#include "core/env.h"
#include "core/fail.h"

enum next_action {
    NEXT_GO_ON,
    NEXT_SET_ASIDE,        /* the record becomes a failure, the rest goes on */
    NEXT_READ_AGAIN,       /* mark dirty */
    NEXT_REPEAT,           /* the same slice again after wait_ms */
    NEXT_PAUSE_CONNECTION, /* needs a person; other connections go on */
    NEXT_STOP_RUN,
};

enum { REMEDY_ATTEMPTS_MAX = 6, REMEDY_BASE_MS = 1000, REMEDY_CAP_MS = 15 * 60 * 1000 };

struct next {
    enum next_action action;
    int64_t wait_ms;
};

/* The other side does not answer, as opposed to asking for patience: worth only so many attempts. */
bool remedy_is_silence(const struct error *err);
/* attempt: how often in a row this slice failed before (from 0). */
struct next remedy_for(const struct error *err, int attempt, struct random *random);

#endif
