/* When a stream's work is due, by what a person configured. Pure: times come in, times go out; who runs the work keeps what it started. */
#ifndef CRMSYNC_SYNC_SCHEDULE_H
#define CRMSYNC_SYNC_SCHEDULE_H

#include "core/cron.h"

enum schedule_task {
    SCHEDULE_PULL,      /* what changed there, and what is to be written there */
    SCHEDULE_RECONCILE, /* both sides are compared completely (sync/reconcile.h) */
};
enum { SCHEDULE_TASKS = 2 };

#define SCHEDULE_NEVER CRON_NEVER

struct schedule_rule {
    struct cron cron;
    /* Times of the clock come later by a share of this, fixed for each stream, so that not all begin at once. No effect on @every. */
    int64_t jitter_ms;
};

/* Zeroed: never anything. Plain data; zones are borrowed. */
struct schedule {
    const struct zone *zone; /* of the clock's times */
    struct schedule_rule at[SCHEDULE_TASKS];
};

/* "pull", "reconcile": as in crmsync.yaml. */
const char *schedule_task_name(enum schedule_task task);

/* When the task is due, given its last start; at or before now_ms: now. However many times were missed (the machine slept), that is one
 * catching up: the next time counts from the new start. Nothing overlaps as long as the caller does not start what still runs.
 * last_started_ms 0: never, due now; in the future: the clock was set back, due now. jitter_seed: the stream's, always the same.
 * SCHEDULE_NEVER: not scheduled. */
int64_t schedule_next_ms(const struct schedule *schedule, enum schedule_task task,
                         int64_t last_started_ms, int64_t now_ms, uint64_t jitter_seed);
/* A seed from the names of a stream. */
uint64_t schedule_seed(struct str tenant, struct str connection, struct str kind);

#endif
