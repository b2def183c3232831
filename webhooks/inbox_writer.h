/* Makes events durable before their sender is answered: one thread with a handle of its own on the store takes all deliveries that wait, writes them in
 * one transaction (one fsync for all), and only then says so. */
#ifndef CRMSYNC_WEBHOOKS_INBOX_WRITER_H
#define CRMSYNC_WEBHOOKS_INBOX_WRITER_H

#include "adapters/adapter_webhook.h"
#include "core/env.h"
#include "store/store.h"
#include "webhooks/counts.h"

struct inbox_writer;

/* A delivery on its way into the inbox. Whoever puts it keeps it where it is until it is done. */
struct inbox_delivery {
    struct inbox_delivery *next; /* the writer's */
    int64_t tenant_id, connection_id;
    struct webhook_events events; /* at least one */
    size_t bytes;                 /* what it holds in memory, for the queue's bound */
    /* the outcome */
    bool is_durable;
    size_t stored; /* events that were new */
};

/* On the writer's thread: all of the list are decided, each by itself. */
typedef void inbox_done_fn(void *context, struct inbox_delivery *deliveries);

struct inbox_writer_options {
    struct store *store; /* STORE_WRITE; must be closed after inbox_writer_stop() */
    struct env *env;     /* borrowed */
    inbox_done_fn *done;
    /* on the writer's thread: the store does not take anything (disk full, I/O error). NULL: nobody asks */
    void (*failed)(void *context, const struct error *err);
    void *context;
    size_t deliveries_max; /* 0 = 8,192 */
    size_t bytes_max;      /* 0 = 16 MiB */
};

enum fail inbox_writer_start(const struct inbox_writer_options *options, struct inbox_writer **ret,
                             struct error *err) MUST_CHECK;

enum inbox_put_outcome { INBOX_TAKEN, INBOX_IS_FULL, INBOX_STORE_FAILS };
/* Any thread; never waits; inbox_writer_go() follows. INBOX_STORE_FAILS: the store refused a moment ago, and is tried again soon. Only INBOX_TAKEN is followed by done(). */
enum inbox_put_outcome inbox_writer_put(struct inbox_writer *writer,
                                        struct inbox_delivery *delivery);
/* Any thread. What was put is written now; before, it may wait for more. */
void inbox_writer_go(struct inbox_writer *writer);
void inbox_writer_load(struct inbox_writer *writer, int64_t *ret_deliveries, int64_t *ret_bytes,
                       struct receive_times *ret_commits);
/* Decides what was taken, then ends. Accepts NULL. */
void inbox_writer_stop(struct inbox_writer *writer);

#endif
