#include "http/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"

struct pool {
    pool_work_fn *work;
    void *context;      /* borrowed: for work */
    int wake_fd;        /* borrowed */
    pthread_t *workers; /* owned */
    int workers_count;
    pthread_mutex_t mutex;
    pthread_cond_t has_items, has_ended; /* has_ended: by the monotonic clock */
    /* guarded by mutex */
    struct pool_item *first, *last;                   /* waiting */
    struct pool_item *finished_first, *finished_last; /* for the caller */
    bool is_over;
    int ended; /* workers */
};

static void append(struct pool_item **first, struct pool_item **last, struct pool_item *item)
{
    item->next = NULL;
    if (*first) {
        (*last)->next = item;
    } else {
        *first = item;
    }
    *last = item;
}

/* Waits for an item; NULL when it is time to go home. */
static struct pool_item *next_item(struct pool *pool)
{
    struct pool_item *item;

    pthread_mutex_lock(&pool->mutex);
    while (!pool->first && !pool->is_over) {
        pthread_cond_wait(&pool->has_items, &pool->mutex);
    }
    item = pool->is_over ? NULL : pool->first;
    if (item) {
        pool->first = item->next;
    }
    pthread_mutex_unlock(&pool->mutex);
    return item;
}

static void wake(struct pool *pool)
{
    const uint64_t one = 1;
    ssize_t written = write(pool->wake_fd, &one, sizeof one);

    (void)written; /* it only fails when a wake-up is pending anyway */
}

void pool_finish(struct pool *pool, struct pool_item *items)
{
    bool is_first;

    pthread_mutex_lock(&pool->mutex);
    is_first = !pool->finished_first;
    while (items) {
        struct pool_item *next = items->next;

        append(&pool->finished_first, &pool->finished_last, items);
        items = next;
    }
    if (is_first) {
        wake(pool); /* under the lock: once the items are taken, the pool may be gone */
    }
    pthread_mutex_unlock(&pool->mutex);
}

static void *worker_thread(void *context)
{
    struct pool *pool = context;
    struct pool_item *item;

    while ((item = next_item(pool))) {
        pool->work(pool->context, item);
        item->next = NULL;
        pool_finish(pool, item);
    }
    pthread_mutex_lock(&pool->mutex);
    pool->ended++;
    pthread_cond_signal(&pool->has_ended);
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

static void cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct pool *pool_new(int workers, pool_work_fn *work, void *context, int wake_fd)
{
    struct pool *pool = alloc_new(1, sizeof *pool);
    sigset_t all, before;

    assert(workers > 0);
    pool->work = work;
    pool->context = context;
    pool->wake_fd = wake_fd;
    pool->workers_count = workers;
    pool->workers = alloc_new((size_t)workers, sizeof *pool->workers);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->has_items, NULL);
    cond_init_monotonic(&pool->has_ended);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < workers; i++) {
        int failed = pthread_create(&pool->workers[i], NULL, worker_thread, pool);

        assert(failed == 0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->has_items);
    pthread_cond_destroy(&pool->has_ended);
    free(pool->workers);
    free(pool);
}

void pool_push(struct pool *pool, struct pool_item *item)
{
    pthread_mutex_lock(&pool->mutex);
    append(&pool->first, &pool->last, item);
    pthread_cond_signal(&pool->has_items);
    pthread_mutex_unlock(&pool->mutex);
}

struct pool_item *pool_take_finished(struct pool *pool)
{
    struct pool_item *item;

    pthread_mutex_lock(&pool->mutex);
    item = TAKE_PTR(pool->finished_first);
    pthread_mutex_unlock(&pool->mutex);
    return item;
}

struct pool_item *pool_take_waiting(struct pool *pool)
{
    struct pool_item *item;

    pthread_mutex_lock(&pool->mutex);
    item = TAKE_PTR(pool->first);
    pthread_mutex_unlock(&pool->mutex);
    return item;
}

/* Whether all workers have come to their end by then. */
static bool wait_for_workers(struct pool *pool, int wait_s)
{
    struct timespec until;
    bool all;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_s;
    pthread_mutex_lock(&pool->mutex);
    pool->is_over = true;
    pthread_cond_broadcast(&pool->has_items);
    while (pool->ended < pool->workers_count &&
           pthread_cond_timedwait(&pool->has_ended, &pool->mutex, &until) == 0) {
    }
    all = pool->ended == pool->workers_count;
    pthread_mutex_unlock(&pool->mutex);
    return all;
}

bool pool_stop(struct pool *pool, int wait_s)
{
    bool all = wait_for_workers(pool, wait_s);

    for (int i = 0; i < pool->workers_count; i++) {
        if (all) {
            pthread_join(pool->workers[i], NULL);
        } else {
            pthread_detach(pool->workers[i]);
        }
    }
    return all;
}
