/* A few worker threads between two queues: items go in, are worked on, and come back in the order
 * of their completion, announced by an eventfd. Signals are blocked in the workers. */
#ifndef CRMSYNC_HTTP_POOL_H
#define CRMSYNC_HTTP_POOL_H

#include <stdbool.h>

/* First member of whatever is queued. */
struct pool_item {
    struct pool_item *next;
};

/* Called on a worker. */
typedef void pool_work_fn(void *context, struct pool_item *item);

struct pool;

/* wake_fd: a non-blocking eventfd, borrowed; written to when finished items wait. */
struct pool *pool_new(int workers, pool_work_fn *work, void *context, int wake_fd);
/* After pool_stop said true. Items still inside are the caller's: take them first. */
void pool_free(struct pool *pool);

/* Any thread. */
void pool_push(struct pool *pool, struct pool_item *item);
/* Any thread: puts a list of items among the finished, which no worker has had. One wake-up for all. */
void pool_finish(struct pool *pool, struct pool_item *items);
/* All finished items as a list, or NULL. */
struct pool_item *pool_take_finished(struct pool *pool);
/* All items that no worker has begun, as a list, or NULL. */
struct pool_item *pool_take_waiting(struct pool *pool);

/* Sends the workers home after their current item. False when one does not come within wait_s: it
 * still uses the pool, which then must not be freed. */
bool pool_stop(struct pool *pool, int wait_s);

#endif
