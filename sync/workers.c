#include "sync/workers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"

enum { STACK_BYTES = 1024 * 1024 };

struct worker {
    struct workers *all; /* borrowed */
    struct store *store; /* owned */
    pthread_t thread;
};

struct workers {
    struct workers_options options;
    pthread_mutex_t lock;      /* of all that follows, and of the dispatch */
    pthread_cond_t moved;      /* something is due that was not, or a turn ended */
    struct dispatch *dispatch; /* borrowed; NULL: paused */
    bool is_stopping, is_pausing;
    int busy;
    struct worker *at; /* owned */
    int count;
};

static void wait_until_moved(struct workers *workers, int64_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&workers->moved, &workers->lock, &until);
}

/* The lock is held before and after, but not during the turn. */
static void take_turn(struct worker *worker, const struct turn *turn)
{
    struct workers *all = worker->all;
    struct turn_end end = {0};

    all->busy++;
    pthread_mutex_unlock(&all->lock);
    all->options.run(all->options.context, worker->store, turn, &end);
    pthread_mutex_lock(&all->lock);
    all->busy--;
    if (all->dispatch) {
        dispatch_end(all->dispatch, turn, &end, clock_mono_ms(all->options.env->clock));
    }
    pthread_cond_broadcast(&all->moved);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct workers *all = worker->all;
    struct clock *clock = all->options.env->clock;

    pthread_mutex_lock(&all->lock);
    while (!all->is_stopping) {
        int64_t wait_ms = 1000;
        struct turn turn;

        if (!all->is_pausing && all->dispatch &&
            dispatch_next(all->dispatch, clock_mono_ms(clock), clock_wall_ms(clock), &turn,
                          &wait_ms)) {
            take_turn(worker, &turn);
        } else {
            wait_until_moved(all, wait_ms);
        }
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

static enum fail start_one(struct workers *workers, struct error *err)
{
    struct worker *worker = &workers->at[workers->count];
    pthread_attr_t attributes;
    int failed;

    *worker = (struct worker){.all = workers};
    if (store_beside(workers->options.store, STORE_WRITE, false, &worker->store, err) != OK) {
        return err->code;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&worker->thread, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    if (failed) {
        store_close(worker->store);
        return error_set(err, FAIL_STOP, "cannot start a worker thread");
    }
    workers->count++;
    return OK;
}

enum fail workers_start(const struct workers_options *options, struct workers **ret,
                        struct error *err)
{
    struct workers *workers = alloc_new(1, sizeof *workers);
    pthread_condattr_t monotonic;

    assert(options->count > 0 && options->count <= WORKERS_MAX);
    workers->options = *options;
    workers->at = alloc_new((size_t)options->count, sizeof *workers->at);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (int i = 0; i < options->count; i++) {
        if (start_one(workers, err) != OK) {
            workers_stop(workers);
            return err->code;
        }
    }
    *ret = workers;
    return OK;
}

void workers_resume(struct workers *workers, struct dispatch *dispatch)
{
    pthread_mutex_lock(&workers->lock);
    assert(workers->busy == 0);
    workers->dispatch = dispatch;
    workers->is_pausing = false;
    pthread_cond_broadcast(&workers->moved);
    pthread_mutex_unlock(&workers->lock);
}

bool workers_pause(struct workers *workers, int64_t wait_max_ms)
{
    struct clock *clock = workers->options.env->clock;
    int64_t until_ms = clock_mono_ms(clock) + wait_max_ms;
    bool is_idle;

    pthread_mutex_lock(&workers->lock);
    workers->is_pausing = true;
    while (workers->busy && clock_mono_ms(clock) < until_ms) {
        wait_until_moved(workers, until_ms - clock_mono_ms(clock));
    }
    is_idle = workers->busy == 0;
    if (is_idle) {
        workers->dispatch = NULL;
    }
    pthread_mutex_unlock(&workers->lock);
    return is_idle;
}

void workers_stop(struct workers *workers)
{
    if (!workers) {
        return;
    }
    pthread_mutex_lock(&workers->lock);
    workers->is_stopping = true;
    pthread_cond_broadcast(&workers->moved);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->count; i++) {
        pthread_join(workers->at[i].thread, NULL);
        store_close(workers->at[i].store);
    }
    pthread_cond_destroy(&workers->moved);
    pthread_mutex_destroy(&workers->lock);
    free(workers->at);
    free(workers);
}

struct dispatch *workers_lock(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    return workers->dispatch;
}

void workers_unlock(struct workers *workers)
{
    pthread_cond_broadcast(&workers->moved);
    pthread_mutex_unlock(&workers->lock);
}

void workers_wait(struct workers *workers, int64_t wait_max_ms)
{
    wait_until_moved(workers, wait_max_ms);
}
