/* Starting and stopping, and the event thread's loop. */
#include "http/server_inside.h"

#include <assert.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/alloc.h"
#include "http/listen.h"

enum {
    WORKERS = 4,
    WORKERS_MAX = 64,
    BODY_BYTES = 1024 * 1024,
    HEADER_BYTES = 16 * 1024,
    CONNECTIONS = 512,
    REQUEST_DEADLINE_MS = 10 * 1000,
    STOP_DEADLINE_MS = 10 * 1000,
    HEARTBEAT_MS = 15 * 1000,
    SWEEP_MS = 100,
    JOIN_S_MAX = 1,
};

void server_wake(struct http_server *server)
{
    const uint64_t one = 1;
    ssize_t written = write(server->wake_fd, &one, sizeof one);

    (void)written; /* it only fails when a wake-up is pending anyway */
}

static void answer_finished(struct http_server *server)
{
    struct pool_item *item = pool_take_finished(server->pool);

    while (item) {
        struct pool_item *next = item->next;

        job_answer((struct job *)item);
        item = next;
    }
}

/* Ends the loop when nothing is being answered any more, or when that takes too long. */
static void stop_if_done(struct http_server *server)
{
    if (!server->stop_at_ms) {
        server->stop_at_ms = server_now_ms(server) + server->options.stop_deadline_ms;
        server_set_accepting(server);
    }
    if (server->jobs_count == 0 || server->stop_at_ms <= server_now_ms(server)) {
        event_base_loopbreak(server->base);
    }
}

static void on_sweeper(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;

    (void)fd, (void)what;
    guard_sweep(&server->guard, server_now_ms(server), server->options.request_deadline_ms);
    server_sweep_held(server);
    server_sweep_streams(server);
    server_set_accepting(server);
    if (atomic_load(&server->is_stopping)) {
        stop_if_done(server);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);

    (void)what, (void)got;
    answer_finished(server);
    server_send_streams(server);
    server_set_accepting(server);
    if (atomic_load(&server->is_stopping)) {
        server_sweep_held(server);
        server_sweep_streams(server);
        stop_if_done(server);
    }
}

/* ---- start and stop ---- */

static void *event_thread(void *context)
{
    struct http_server *server = context;

    event_base_dispatch(server->base);
    return NULL;
}

static void set_up_http(struct http_server *server, int fd)
{
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
    const struct http_server_options *options = &server->options;
    const struct timeval quiet = {.tv_sec = options->request_deadline_ms / 1000 + 1};
    struct evhttp_bound_socket *bound;

    server->http = evhttp_new(server->base);
    server->listener = evconnlistener_new(server->base, NULL, NULL, flags, 0, fd);
    assert(server->http && server->listener); /* 0: it listens already */
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                                 EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
                                                 EVHTTP_REQ_DELETE);
    evhttp_set_max_body_size(server->http, (ev_ssize_t)options->body_bytes_max);
    evhttp_set_max_headers_size(server->http, (ev_ssize_t)options->header_bytes_max);
    evhttp_set_timeout_tv(server->http, &quiet);
    evhttp_set_bevcb(server->http, server_on_connection, server);
    evhttp_set_gencb(server->http, server_on_request, server);
    bound = evhttp_bind_listener(server->http, server->listener);
    assert(bound);
}

static void set_up_events(struct http_server *server)
{
    const struct timeval pause = {.tv_usec = SWEEP_MS * 1000};

    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(server->wake_fd >= 0);
    server->wake = event_new(server->base, server->wake_fd, EV_READ | EV_PERSIST, on_wake, server);
    server->sweeper = event_new(server->base, -1, EV_PERSIST, on_sweeper, server);
    server->greeter = event_new(server->base, -1, 0, server_on_greeter, server);
    server->intake_end = event_new(server->base, -1, 0, server_on_intake_end, server);
    assert(server->wake && server->sweeper && server->greeter && server->intake_end);
    event_add(server->wake, NULL);
    event_add(server->sweeper, &pause);
}

static void start_threads(struct http_server *server)
{
    sigset_t all, before;
    int failed;

    server->pool = pool_new(server->options.workers, server_work, server, server->wake_fd);
    sigfillset(&all); /* signals belong to the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&server->thread, NULL, event_thread, server);
    assert(failed == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int64_t ms_or(int64_t ms, int64_t otherwise_ms)
{
    return ms > 0 ? ms : otherwise_ms;
}

static void fill_defaults(struct http_server_options *options)
{
    options->workers = options->workers > 0 ? options->workers : WORKERS;
    options->workers = options->workers > WORKERS_MAX ? WORKERS_MAX : options->workers;
    options->body_bytes_max = options->body_bytes_max ? options->body_bytes_max : BODY_BYTES;
    options->header_bytes_max =
        options->header_bytes_max ? options->header_bytes_max : HEADER_BYTES;
    options->connections_max =
        options->connections_max > 0 ? options->connections_max : CONNECTIONS;
    options->request_deadline_ms = ms_or(options->request_deadline_ms, REQUEST_DEADLINE_MS);
    options->stop_deadline_ms = ms_or(options->stop_deadline_ms, STOP_DEADLINE_MS);
    options->stream_heartbeat_ms = ms_or(options->stream_heartbeat_ms, HEARTBEAT_MS);
}

static void copy_trusted(struct http_server *server, const struct http_server_options *options)
{
    size_t count = options->trusted_proxies_count;

    server->options.trusted_proxies = NULL;
    server->trusted = alloc_new(count + 1, sizeof *server->trusted);
    for (size_t i = 0; i < count; i++) {
        server->trusted[i] = options->trusted_proxies[i];
    }
}

static struct http_server *server_new(const struct http_server_options *options)
{
    struct http_server *server = alloc_new(1, sizeof *server);

    server->options = *options;
    server->options.address = NULL;
    server->options.tls = NULL;
    fill_defaults(&server->options);
    copy_trusted(server, options);
    atomic_init(&server->is_accepting, true);
    pthread_mutex_init(&server->tls_lock, NULL);
    server->clock = clock_new_real();
    server->base = event_base_new();
    assert(server->base);
    return server;
}

static void free_jobs(struct pool_item *item)
{
    while (item) {
        struct pool_item *next = item->next;

        job_free((struct job *)item);
        item = next;
    }
}

/* Every thread is gone. */
static void server_free(struct http_server *server)
{
    server_on_greeter(-1, 0, server); /* gives the references back */
    evhttp_free(server->http);        /* ends in job_on_close for every job that is still open */
    free_jobs(pool_take_waiting(server->pool));
    free_jobs(server->leftover);
    server_free_spares(server);
    pool_free(server->pool);
    event_free(server->wake);
    event_free(server->sweeper);
    event_free(server->greeter);
    event_free(server->intake_end);
    close(server->wake_fd);
    event_base_free(server->base);
    guard_table_fini(&server->guard);
    clock_free(server->clock);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->tls_lock);
    free(server->trusted);
    free(server);
}

static enum fail find_socket(const struct http_server_options *options, int *ret_fd, int *ret_port,
                             struct error *err)
{
    if (options->inherited_fd > 0) {
        return listen_inherit(options->inherited_fd, ret_fd, ret_port, err);
    }
    return listen_bind(options->address, options->port, ret_fd, ret_port, err);
}

/* Who gets through to a socket file is on this machine. */
static enum fail load_tls(const struct http_server_options *options, struct ssl_ctx_st **ret,
                          struct error *err)
{
    bool is_file = options->address && str_starts(str_of(options->address), STR("unix:")) &&
                   options->inherited_fd <= 0;

    return options->tls && !is_file ? tls_load(options->tls, ret, err) : OK;
}

enum fail http_server_tls_reload(struct http_server *server, const struct tls_files *files,
                                 struct error *err)
{
    struct ssl_ctx_st *fresh, *former;

    if (!server->is_tls) {
        return OK;
    }
    if (tls_load(files, &fresh, err) != OK) {
        return err->code;
    }
    pthread_mutex_lock(&server->tls_lock);
    former = server->tls;
    server->tls = fresh;
    pthread_mutex_unlock(&server->tls_lock);
    SSL_CTX_free(former); /* connections hold what they use of it */
    return OK;
}

enum fail http_server_start(const struct http_server_options *options, struct http_server **ret,
                            struct error *err)
{
    struct http_server *server;
    struct ssl_ctx_st *tls = NULL;
    int fd, port;

    assert(options->handler && (options->address || options->inherited_fd > 0));
    if (load_tls(options, &tls, err) != OK) {
        return err->code;
    }
    if (find_socket(options, &fd, &port, err) != OK) {
        SSL_CTX_free(tls);
        return err->code;
    }
    server = server_new(options);
    server->port = port;
    server->tls = tls;
    server->is_tls = tls != NULL;
    set_up_events(server);
    set_up_http(server, fd);
    start_threads(server);
    *ret = server;
    return OK;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_accept(struct http_server *server, bool is_accepting)
{
    atomic_store(&server->is_accepting, is_accepting);
    server_wake(server);
}

void http_later_send(struct http_later *const *laters, size_t count)
{
    struct pool *pool = count ? laters[0]->server->pool : NULL;

    for (size_t i = 0; i < count; i++) {
        laters[i]->item.next = i + 1 < count ? &laters[i + 1]->item : NULL;
    }
    if (count) {
        pool_finish(pool, &laters[0]->item);
    }
}

/* Those that are out with somebody who will still use the server. */
static bool laters_are_back(struct http_server *server)
{
    server->leftover = pool_take_finished(server->pool);
    for (struct pool_item *item = server->leftover; item; item = item->next) {
        server->laters_count -= ((struct job *)item)->is_later ? 1 : 0;
    }
    return server->laters_count == 0;
}

void http_server_stop(struct http_server *server)
{
    if (!server) {
        return;
    }
    atomic_store(&server->is_stopping, true);
    server_wake(server);
    pthread_join(server->thread, NULL);
    if (pool_stop(server->pool, JOIN_S_MAX) && laters_are_back(server)) {
        server_free(server);
    } /* else who still answers keeps its server: leaking it is the only safe way */
}
