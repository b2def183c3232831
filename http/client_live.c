/* The loop thread owns the multi handle, all sockets and timers, and every task from the moment it
 * leaves the queue until the waiting thread is told. Other threads touch only what the mutex
 * guards, and wake the loop. */
#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "core/alloc.h"
#include "http/live_task.h"
#include "http/transport.h"

enum {
    CONNECTIONS_PER_HOST = 8,
    CONNECTIONS_KEPT_MAX = 64,
    SWEEP_MS = 200,
    GRACE_MS = 500, /* libcurl's own time-out comes first and knows more */
};

/* One blocking exec: how many of its exchanges are still out. */
struct live_batch {
    pthread_cond_t done;
    size_t left; /* guarded by live.mutex */
};

struct live {
    struct transport base;
    struct transport_live_options options;
    struct clock *clock; /* borrowed */
    pthread_t thread;
    uv_async_t async; /* the only handle that other threads may touch, by uv_async_send */
    pthread_mutex_t mutex;
    /* guarded by mutex */
    struct live_task *queue; /* newest first */
    bool is_stopping;
    /* the loop thread's */
    uv_loop_t loop;
    uv_timer_t curl_timer, sweeper;
    CURLM *multi;
    struct live_task *active;
};

/* One socket that libcurl watches. */
struct watch {
    uv_poll_t poll;
    curl_socket_t fd;
    struct live *live;
};

static void tell(struct live *live, struct live_task *task)
{
    struct live_batch *batch = task->batch;

    live_task_free(task);
    pthread_mutex_lock(&live->mutex);
    batch->left--;
    if (batch->left == 0) {
        pthread_cond_signal(&batch->done);
    }
    pthread_mutex_unlock(&live->mutex);
}

static void unlink_active(struct live *live, const struct live_task *task)
{
    struct live_task **at = &live->active;

    while (*at != task) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = task->next;
}

static void end_task(struct live *live, struct live_task *task, CURLcode code)
{
    unlink_active(live, task);
    curl_multi_remove_handle(live->multi, task->easy);
    live_task_end(task, (int)code);
    tell(live, task);
}

static void cancel_task(struct live *live, struct live_task *task)
{
    unlink_active(live, task);
    curl_multi_remove_handle(live->multi, task->easy);
    live_task_end_cancelled(task);
    tell(live, task);
}

/* After every socket_action: hands finished transfers back. */
static void drain(struct live *live)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(live->multi, &left))) {
        struct live_task *task = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&task);
        assert(task);
        end_task(live, task, code); /* message is gone after this */
    }
}

static void act(struct live *live, curl_socket_t fd, int flags)
{
    int running;
    CURLMcode code = curl_multi_socket_action(live->multi, fd, flags, &running);

    assert(code == CURLM_OK);
    drain(live);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;

    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->live, watch->fd, flags);
}

static void on_curl_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watch *watch_new(struct live *live, curl_socket_t fd)
{
    struct watch *watch = alloc_new(1, sizeof *watch);
    int failed = uv_poll_init_socket(&live->loop, &watch->poll, fd);

    assert(failed == 0);
    watch->poll.data = watch;
    watch->fd = fd;
    watch->live = live;
    curl_multi_assign(live->multi, fd, watch);
    return watch;
}

/* libcurl: watch this socket for these events from now on. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
    struct live *live = context;
    struct watch *watch = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            uv_poll_stop(&watch->poll); /* at once: libcurl closes the socket next */
            curl_multi_assign(live->multi, fd, NULL);
            uv_close((uv_handle_t *)&watch->poll, watch_closed);
        }
        return 0;
    }
    if (!watch) {
        watch = watch_new(live, fd);
    }
    events |= what & CURL_POLL_IN ? UV_READABLE : 0;
    events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
    return uv_poll_start(&watch->poll, events, on_poll);
}

/* libcurl: call me back after this time. It must not be called from inside, hence never at once. */
static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct live *live = context;

    (void)multi;
    if (timeout_ms < 0) {
        return uv_timer_stop(&live->curl_timer);
    }
    return uv_timer_start(&live->curl_timer, on_curl_timer, (uint64_t)timeout_ms, 0);
}

static bool is_cancelled(const struct live_task *task)
{
    return task->exchange->is_cancelled && atomic_load(task->exchange->is_cancelled);
}

/* Ends what was cancelled or is over its time (libcurl does not time a transfer that waits for a
 * free connection). */
static void sweep(struct live *live)
{
    struct live_task *next;

    for (struct live_task *task = live->active; task; task = next) {
        next = task->next;
        if (is_cancelled(task)) {
            cancel_task(live, task);
        } else if (task->deadline_ms <= uv_now(&live->loop)) {
            end_task(live, task, CURLE_OPERATION_TIMEDOUT);
        }
    }
    if (!live->active) {
        uv_timer_stop(&live->sweeper);
    }
}

static void on_sweeper(uv_timer_t *timer)
{
    sweep(timer->data);
}

static void start_task(struct live *live, struct live_task *task)
{
    CURLMcode code;

    task->deadline_ms =
        uv_now(&live->loop) + (uint64_t)task->exchange->timeout_ms + (uint64_t)GRACE_MS;
    task->next = live->active;
    live->active = task;
    code = curl_multi_add_handle(live->multi, task->easy);
    assert(code == CURLM_OK);
}

static void close_one(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, handle->type == UV_POLL ? watch_closed : NULL);
    }
}

/* With its last handle closed the loop ends. */
static void shut_down(struct live *live)
{
    CURLMcode code;

    while (live->active) {
        cancel_task(live, live->active);
    }
    code = curl_multi_cleanup(live->multi);
    assert(code == CURLM_OK);
    uv_walk(&live->loop, close_one, NULL);
}

static struct live_task *oldest_first(struct live_task *newest)
{
    struct live_task *first = NULL;

    while (newest) {
        struct live_task *next = newest->next;

        newest->next = first;
        first = newest;
        newest = next;
    }
    return first;
}

/* One wake-up may stand for many sends: takes everything. */
static void on_wake(uv_async_t *async)
{
    struct live *live = async->data;
    struct live_task *task;
    bool is_stopping;

    pthread_mutex_lock(&live->mutex);
    task = oldest_first(TAKE_PTR(live->queue));
    is_stopping = live->is_stopping;
    pthread_mutex_unlock(&live->mutex);
    while (task) {
        struct live_task *next = task->next;

        start_task(live, task);
        task = next;
    }
    sweep(live);
    if (is_stopping) {
        shut_down(live);
    } else if (live->active && !uv_is_active((uv_handle_t *)&live->sweeper)) {
        uv_timer_start(&live->sweeper, on_sweeper, SWEEP_MS, SWEEP_MS);
    }
}

static void *loop_thread(void *context)
{
    struct live *live = context;

    uv_run(&live->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Returns the number of tasks made; the other exchanges are refused and complete. */
static size_t make_tasks(struct live *live, struct http_exchange *const *exchanges, size_t count,
                         struct live_batch *batch, struct live_task **ret_newest)
{
    size_t made = 0;

    *ret_newest = NULL;
    for (size_t i = 0; i < count; i++) {
        struct live_task *task = live_task_new(exchanges[i], live->clock, &live->options);

        if (task) {
            task->batch = batch;
            task->next = *ret_newest;
            *ret_newest = task;
            made++;
        }
    }
    return made;
}

static void live_exec(struct transport *transport, struct http_exchange *const *exchanges,
                      size_t count)
{
    struct live *live = (struct live *)transport;
    struct live_batch batch = {.done = PTHREAD_COND_INITIALIZER};
    struct live_task *newest, *tail;

    assert(!pthread_equal(pthread_self(), live->thread)); /* it would wait for itself */
    batch.left = make_tasks(live, exchanges, count, &batch, &newest);
    if (!newest) {
        return;
    }
    for (tail = newest; tail->next; tail = tail->next) {
    }
    pthread_mutex_lock(&live->mutex);
    assert(!live->is_stopping);
    tail->next = live->queue;
    live->queue = newest;
    uv_async_send(&live->async);
    while (batch.left) {
        pthread_cond_wait(&batch.done, &live->mutex);
    }
    pthread_mutex_unlock(&live->mutex);
    pthread_cond_destroy(&batch.done);
}

static void live_wake(struct transport *transport)
{
    struct live *live = (struct live *)transport;

    uv_async_send(&live->async);
}

static void live_free(struct transport *transport)
{
    struct live *live = (struct live *)transport;
    int failed;

    pthread_mutex_lock(&live->mutex);
    live->is_stopping = true;
    pthread_mutex_unlock(&live->mutex);
    uv_async_send(&live->async);
    pthread_join(live->thread, NULL);
    failed = uv_loop_close(&live->loop);
    assert(failed == 0);
    pthread_mutex_destroy(&live->mutex);
    free((char *)(uintptr_t)live->options.ca_file);
    free((char *)(uintptr_t)live->options.socket_file);
    free(live);
}

static void init_multi(struct live *live)
{
    long per_host = live->options.connections_per_host_max > 0
                        ? live->options.connections_per_host_max
                        : CONNECTIONS_PER_HOST;

    live->multi = curl_multi_init();
    assert(live->multi);
    curl_multi_setopt(live->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(live->multi, CURLMOPT_SOCKETDATA, live);
    curl_multi_setopt(live->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(live->multi, CURLMOPT_TIMERDATA, live);
    curl_multi_setopt(live->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(live->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
    curl_multi_setopt(live->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT_MAX);
}

static int init_loop(struct live *live)
{
    int failed = uv_loop_init(&live->loop);

    if (failed) {
        return failed;
    }
    failed = uv_async_init(&live->loop, &live->async, on_wake);
    if (failed) {
        uv_loop_close(&live->loop);
        return failed;
    }
    uv_timer_init(&live->loop, &live->curl_timer);
    uv_timer_init(&live->loop, &live->sweeper);
    live->async.data = live->curl_timer.data = live->sweeper.data = live;
    return 0;
}

/* Signals belong to the main thread; a SIGPIPE that TLS causes here stays blocked for ever. */
static int start_thread(struct live *live)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&live->thread, NULL, loop_thread, live);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

enum fail transport_new_live(const struct transport_live_options *options, struct clock *clock,
                             struct transport **ret, struct error *err)
{
    static const struct transport_ops OPS = {
        .exec = live_exec, .free = live_free, .wake = live_wake};
    struct live *live = alloc_new(1, sizeof *live);
    int failed;

    live_task_setup();
    failed = init_loop(live);
    if (failed) {
        free(live);
        return error_set(err, FAIL_STOP, "cannot start the network loop: %s", uv_strerror(failed));
    }
    live->base.ops = &OPS;
    live->options = *options;
    live->options.ca_file = alloc_dup(options->ca_file);
    live->options.socket_file = alloc_dup(options->socket_file);
    live->clock = clock;
    pthread_mutex_init(&live->mutex, NULL);
    init_multi(live);
    failed = start_thread(live);
    assert(failed == 0);
    *ret = &live->base;
    return OK;
}
