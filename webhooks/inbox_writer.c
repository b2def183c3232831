#include "webhooks/inbox_writer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "store/stream.h"

enum {
    DELIVERIES_MAX = 8192,
    BYTES_MAX = 16 * 1024 * 1024,
    EVENTS_OF_A_COMMIT = 5000, /* others wait for the store meanwhile */
    PAUSE_MS = 2000,           /* between tries while the store fails */
};

struct inbox_writer {
    struct inbox_writer_options options;
    struct store *store; /* owned */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t has_some;
    /* guarded by mutex */
    struct inbox_delivery *first, **end;
    size_t deliveries, bytes; /* waiting, or being written */
    int64_t fails_until_ms;   /* monotonic; 0 all is well */
    struct receive_times commits;
    bool is_over;
};

static int64_t now_ms(const struct inbox_writer *writer)
{
    return clock_mono_ms(writer->options.env->clock);
}

enum inbox_put_outcome inbox_writer_put(struct inbox_writer *writer,
                                        struct inbox_delivery *delivery)
{
    enum inbox_put_outcome outcome = INBOX_TAKEN;

    assert(delivery->events.count > 0);
    delivery->next = NULL;
    delivery->is_durable = false;
    delivery->stored = 0;
    pthread_mutex_lock(&writer->mutex);
    if (writer->fails_until_ms > now_ms(writer)) {
        outcome = INBOX_STORE_FAILS;
    } else if (writer->deliveries >= writer->options.deliveries_max ||
               delivery->bytes > writer->options.bytes_max - writer->bytes) {
        outcome = INBOX_IS_FULL;
    } else {
        *writer->end = delivery;
        writer->end = &delivery->next;
        writer->deliveries++;
        writer->bytes += delivery->bytes;
    }
    pthread_mutex_unlock(&writer->mutex);
    return outcome;
}

void inbox_writer_go(struct inbox_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    pthread_cond_signal(&writer->has_some);
    pthread_mutex_unlock(&writer->mutex);
}

/* ---- the queue's other end ---- */

/* As many as make one commit; waits for the first. NULL: it is over. */
static struct inbox_delivery *take(struct inbox_writer *writer)
{
    struct inbox_delivery *taken, **last = &taken;
    size_t events = 0;

    pthread_mutex_lock(&writer->mutex);
    while (!writer->first && !writer->is_over) {
        pthread_cond_wait(&writer->has_some, &writer->mutex);
    }
    taken = writer->first;
    while (*last && (events == 0 || events + (*last)->events.count <= EVENTS_OF_A_COMMIT)) {
        events += (*last)->events.count;
        last = &(*last)->next;
    }
    writer->first = *last;
    *last = NULL;
    if (!writer->first) {
        writer->end = &writer->first;
    }
    pthread_mutex_unlock(&writer->mutex);
    return taken;
}

static void note_done(struct inbox_writer *writer, const struct inbox_delivery *deliveries,
                      int64_t began_ms)
{
    pthread_mutex_lock(&writer->mutex);
    receive_times_add(&writer->commits, now_ms(writer) - began_ms);
    for (; deliveries; deliveries = deliveries->next) {
        writer->deliveries--;
        writer->bytes -= deliveries->bytes;
    }
    pthread_mutex_unlock(&writer->mutex);
}

/* ---- writing ---- */

static enum fail put_events(struct tx *tx, struct inbox_delivery *delivery, struct error *err)
{
    delivery->stored = 0;
    tx_tenant_set(tx, delivery->tenant_id);
    for (size_t i = 0; i < delivery->events.count; i++) {
        const struct webhook_event *event = &delivery->events.at[i];
        bool is_new;

        if (inbox_put(tx, delivery->connection_id, event->event_key, str_of(event->kind),
                      event->remote_id, &is_new, err) != OK) {
            return err->code;
        }
        delivery->stored += is_new ? 1 : 0;
    }
    return OK;
}

/* From `first` up to before `until`, in one transaction. */
static enum fail commit_some(struct inbox_writer *writer, struct inbox_delivery *first,
                             const struct inbox_delivery *until, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(writer->store, first->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    for (struct inbox_delivery *at = first; at != until; at = at->next) {
        if (put_events(tx, at, err) != OK) {
            return err->code;
        }
    }
    if (tx_commit(&tx, err) != OK) {
        return err->code;
    }
    for (struct inbox_delivery *at = first; at != until; at = at->next) {
        at->is_durable = true;
    }
    return OK;
}

/* Nothing is asked of the store for a moment, and nobody is told that something is safe. */
static void note_failure(struct inbox_writer *writer, const struct error *err)
{
    pthread_mutex_lock(&writer->mutex);
    writer->fails_until_ms = now_ms(writer) + PAUSE_MS;
    pthread_mutex_unlock(&writer->mutex);
    LOG_EVENT(writer->options.env->log, LOG_ERROR, "webhooks cannot be stored",
              LOG_S("error", str_of(err->message)), LOG_S("hint", str_of(err->hint)));
    if (writer->options.failed) {
        writer->options.failed(writer->options.context, err);
    }
}

/* One of them does not fit the store (its connection was removed, say): the others must not suffer for it. */
static void commit_each(struct inbox_writer *writer, struct inbox_delivery *deliveries)
{
    for (struct inbox_delivery *at = deliveries; at; at = at->next) {
        struct error err = {0};

        if (commit_some(writer, at, at->next, &err) == OK) {
            continue;
        }
        if (err.code == FAIL_STOP) {
            note_failure(writer, &err);
            return;
        }
        LOG_EVENT(writer->options.env->log, LOG_WARN, "webhook cannot be stored",
                  LOG_I("connection", at->connection_id), LOG_S("error", str_of(err.message)));
    }
}

static void write_all(struct inbox_writer *writer, struct inbox_delivery *deliveries)
{
    struct error err = {0};

    if (commit_some(writer, deliveries, NULL, &err) == OK) {
        return;
    }
    if (err.code == FAIL_STOP) {
        note_failure(writer, &err);
    } else {
        commit_each(writer, deliveries);
    }
}

static void *writer_thread(void *context)
{
    struct inbox_writer *writer = context;
    struct inbox_delivery *deliveries;

    while ((deliveries = take(writer))) {
        int64_t began_ms = now_ms(writer);

        write_all(writer, deliveries);
        note_done(writer, deliveries, began_ms);
        writer->options.done(writer->options.context, deliveries);
    }
    return NULL;
}

/* ---- start and stop ---- */

static void start_thread(struct inbox_writer *writer)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all); /* signals belong to the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&writer->thread, NULL, writer_thread, writer);
    assert(failed == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum fail inbox_writer_start(const struct inbox_writer_options *options, struct inbox_writer **ret,
                             struct error *err)
{
    struct inbox_writer *writer;
    struct store *store;

    if (store_beside(options->store, STORE_WRITE, true, &store, err) != OK) {
        return err->code;
    }
    writer = alloc_new(1, sizeof *writer);
    writer->options = *options;
    writer->store = store;
    writer->end = &writer->first;
    if (writer->options.deliveries_max == 0) {
        writer->options.deliveries_max = DELIVERIES_MAX;
    }
    if (writer->options.bytes_max == 0) {
        writer->options.bytes_max = BYTES_MAX;
    }
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->has_some, NULL);
    start_thread(writer);
    *ret = writer;
    return OK;
}

void inbox_writer_load(struct inbox_writer *writer, int64_t *ret_deliveries, int64_t *ret_bytes,
                       struct receive_times *ret_commits)
{
    pthread_mutex_lock(&writer->mutex);
    *ret_deliveries = (int64_t)writer->deliveries;
    *ret_bytes = (int64_t)writer->bytes;
    *ret_commits = writer->commits;
    pthread_mutex_unlock(&writer->mutex);
}

void inbox_writer_stop(struct inbox_writer *writer)
{
    if (!writer) {
        return;
    }
    pthread_mutex_lock(&writer->mutex);
    writer->is_over = true;
    pthread_cond_signal(&writer->has_some);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    assert(!writer->first);
    store_close(writer->store);
    pthread_cond_destroy(&writer->has_some);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
}
