/* Threads that take turns (sync/dispatch.h): each has a store handle of its own and serves one connection at a time. */
#ifndef CRMSYNC_SYNC_WORKERS_H
#define CRMSYNC_SYNC_WORKERS_H

#include "core/env.h"
#include "store/store.h"
#include "sync/dispatch.h"

enum { WORKERS_DEFAULT = 8, WORKERS_MAX = 64 };

struct workers;

struct workers_options {
    struct env *env;
    struct store *store; /* borrowed; each worker opens a handle beside it */
    int count;
    /* Does a turn and fills what came of it; on a worker's thread, for different places at once. */
    void (*run)(void *context, struct store *store, const struct turn *turn, struct turn_end *ret);
    void *context;
};

/* Starts idle: turns begin with workers_resume(). */
enum fail workers_start(const struct workers_options *options, struct workers **ret,
                        struct error *err) MUST_CHECK;
/* From now on turns are taken from it; borrowed until the next pause. */
void workers_resume(struct workers *workers, struct dispatch *dispatch);
/* No turn begins any more; waits for those under way. False: some still run after so long. */
bool workers_pause(struct workers *workers, int64_t wait_max_ms);
/* Ends the threads; what is under way is waited for. Accepts NULL. */
void workers_stop(struct workers *workers);

/* The dispatch, locked; NULL while paused. Always followed by workers_unlock(), which has the workers look again. */
struct dispatch *workers_lock(struct workers *workers);
void workers_unlock(struct workers *workers);
/* Waits until something has moved (a turn ended, a wish came) or the time is over. The lock is the caller's before and after. */
void workers_wait(struct workers *workers, int64_t wait_max_ms);

#endif
