/* The event thread owns evhttp and everything of libevent; the workers of a pool run the handler. A
 * request goes to them as a job and comes back with an eventfd. All evhttp calls are made on the
 * event thread. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/queue.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "http/guard.h"
#include "http/listen.h"
#include "http/pool.h"

enum {
    WORKERS = 4,
    WORKERS_MAX = 64,
    BODY_BYTES = 1024 * 1024,
    HEADER_BYTES = 16 * 1024,
    CONNECTIONS = 512,
    REQUEST_DEADLINE_MS = 10 * 1000,
    SWEEP_MS = 100,
    STOP_MS_MAX = 10 * 1000,
    JOIN_S_MAX = 1,
    HOLD_MS_MAX = 5 * 60 * 1000,
    SLOW_BYTES = 512,
    SLOW_MS = 20,
};

/* One request from its arrival until its answer is out or its client gone. */
struct job {
    struct pool_item item;
    struct job *held_next;       /* in held */
    struct http_server *server;  /* borrowed */
    struct evhttp_request *wire; /* borrowed from evhttp; invalid once is_gone */
    int fd;
    struct arena arena;
    struct http_request request;
    struct http_response response;
    bool is_gone;      /* event thread only: the connection is closed */
    bool is_answering; /* event thread only: back from the worker */
    int64_t held_until_ms;
    struct event *drip; /* owned; HTTP_FAULT_SLOW */
    size_t dripped_bytes;
};

/* A connection whose descriptor evhttp has not told us yet. */
struct fresh {
    struct fresh *next;
    struct bufferevent *bev; /* a counted reference */
};

struct http_server {
    struct http_server_options options;
    struct clock *clock; /* owned */
    int port;
    pthread_t thread;
    struct pool *pool; /* owned */
    int wake_fd;       /* owned */
    atomic_bool is_stopping;
    /* the event thread's */
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener; /* owned by http once bound */
    struct event *wake, *sweeper, *greeter;
    struct guard_table guard;
    struct fresh *fresh;
    int fresh_count;
    int jobs_count;
    struct job *held; /* HTTP_FAULT_TIMEOUT */
    int64_t stop_at_ms;
};

static int64_t now_ms(struct http_server *server)
{
    return clock_mono_ms(server->clock);
}

/* ---- jobs ---- */

static void unhold(struct job *job)
{
    struct job **at = &job->server->held;

    while (*at && *at != job) {
        at = &(*at)->held_next;
    }
    if (*at) {
        *at = job->held_next;
    }
}

static void job_free(struct job *job)
{
    unhold(job);
    job->server->jobs_count--;
    if (job->drip) {
        event_free(job->drip);
    }
    http_response_fini(&job->response);
    arena_fini(&job->arena);
    free(job);
}

static bool method_of(enum evhttp_cmd_type command, enum http_method *ret)
{
    static const struct {
        enum evhttp_cmd_type command;
        enum http_method method;
    } METHODS[] = {
        {EVHTTP_REQ_GET, HTTP_GET},       {EVHTTP_REQ_POST, HTTP_POST},
        {EVHTTP_REQ_PUT, HTTP_PUT},       {EVHTTP_REQ_PATCH, HTTP_PATCH},
        {EVHTTP_REQ_DELETE, HTTP_DELETE},
    };

    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        if (METHODS[i].command == command) {
            *ret = METHODS[i].method;
            return true;
        }
    }
    return false;
}

static void copy_body(struct job *job)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(job->wire);
    size_t len = evbuffer_get_length(input);
    char *to = arena_alloc(&job->arena, len + 1, 1);
    ev_ssize_t copied = evbuffer_copyout(input, to, len);

    assert(copied >= 0 && (size_t)copied == len);
    job->request.body = (struct str){.at = to, .len = len};
}

static void copy_headers(struct job *job)
{
    const struct evkeyvalq *from = evhttp_request_get_input_headers(job->wire);

    for (const struct evkeyval *pair = from->tqh_first; pair; pair = pair->next.tqe_next) {
        http_header_add(&job->request.headers, arena_str(&job->arena, str_of(pair->key)),
                        arena_str(&job->arena, str_of(pair->value)));
    }
}

static struct job *job_new(struct http_server *server, struct evhttp_request *wire,
                           enum http_method method, int fd)
{
    struct job *job = alloc_new(1, sizeof *job);

    job->server = server;
    job->wire = wire;
    job->fd = fd;
    job->request.method = method;
    job->request.url = arena_str(&job->arena, str_of(evhttp_request_get_uri(wire)));
    copy_headers(job);
    copy_body(job);
    server->jobs_count++;
    return job;
}

static void work(void *context, struct pool_item *item)
{
    struct http_server *server = context;
    struct job *job = (struct job *)item;

    server->options.handler(server->options.context, &job->request, &job->response);
}

/* ---- answers ---- */

/* evhttp ends a job in one of two ways: the answer is out (here), or the connection is closed
 * (on_close). */
static void on_complete(struct evhttp_request *wire, void *context)
{
    struct job *job = context;

    evhttp_connection_set_closecb(evhttp_request_get_connection(wire), NULL, NULL);
    guard_set_idle(&job->server->guard, job->fd, now_ms(job->server));
    job_free(job);
}

static void on_close(struct evhttp_connection *connection, void *context)
{
    struct job *job = context;

    (void)connection;
    job->is_gone = true;
    if (!evhttp_request_get_connection(job->wire)) {
        /* The client left first: evhttp cuts the unanswered request loose and leaves it to us. When
         * the connection is closed on our side, it frees both. */
        evhttp_request_free(job->wire);
    }
    if (job->is_answering) {
        job_free(job);
    } /* else its worker still has it */
}

/* How an answer ends is for us to say, not for the handler. */
static bool is_framing_name(struct str name)
{
    return str_equal_nocase(name, STR("content-length")) ||
           str_equal_nocase(name, STR("transfer-encoding")) ||
           str_equal_nocase(name, STR("connection"));
}

static void add_headers(struct job *job)
{
    struct evkeyvalq *to = evhttp_request_get_output_headers(job->wire);
    const struct http_headers *from = &job->response.headers;

    for (size_t i = 0; i < from->count; i++) {
        if (!is_framing_name(from->at[i].name)) {
            evhttp_add_header(to, arena_cstr(&job->arena, from->at[i].name),
                              arena_cstr(&job->arena, from->at[i].value));
        }
    }
    if (job->response.body.len && !evhttp_find_header(to, "Content-Type")) {
        evhttp_add_header(to, "Content-Type", "application/octet-stream");
    }
    if (atomic_load(&job->server->is_stopping)) {
        evhttp_add_header(to, "Connection", "close");
    }
}

static int status_of(const struct job *job)
{
    int status = job->response.status;

    return status >= 100 && status <= 599 ? status : HTTP_INTERNAL;
}

static void send_whole(struct job *job)
{
    struct evbuffer *body = evbuffer_new();

    assert(body);
    evbuffer_add(body, job->response.body.at, job->response.body.len);
    evhttp_send_reply(job->wire, status_of(job), NULL, body);
    evbuffer_free(body);
}

static void send_part(struct job *job, struct str part)
{
    struct evbuffer *buffer = evbuffer_new();

    assert(buffer);
    evbuffer_add(buffer, part.at, part.len);
    evhttp_send_reply_chunk(job->wire, buffer);
    evbuffer_free(buffer);
}

/* The head alone, promising `bytes` of body. */
static void send_head(struct job *job, size_t bytes)
{
    struct str length = arena_printf(&job->arena, "%zu", bytes);

    evhttp_add_header(evhttp_request_get_output_headers(job->wire), "Content-Length", length.at);
    evhttp_send_reply_start(job->wire, status_of(job), NULL);
}

static void send_truncated(struct job *job)
{
    struct str body = job->response.body;

    evhttp_add_header(evhttp_request_get_output_headers(job->wire), "Connection", "close");
    send_head(job, body.len ? body.len : 1);
    send_part(job, str_slice(body, 0, body.len / 2));
    evhttp_send_reply_end(job->wire);
}

static void on_drip(evutil_socket_t fd, short what, void *context)
{
    struct job *job = context;
    struct str rest = str_slice(job->response.body, job->dripped_bytes, job->response.body.len);

    (void)fd, (void)what;
    if (rest.len == 0) {
        event_del(job->drip);
        evhttp_send_reply_end(job->wire);
        return;
    }
    rest = str_slice(rest, 0, SLOW_BYTES);
    job->dripped_bytes += rest.len;
    send_part(job, rest);
}

static void send_slowly(struct job *job)
{
    const struct timeval pause = {.tv_usec = SLOW_MS * 1000};

    send_head(job, job->response.body.len);
    job->drip = event_new(job->server->base, -1, EV_PERSIST, on_drip, job);
    assert(job->drip);
    event_add(job->drip, &pause);
}

/* Connecting to nowhere makes Linux drop the connection with a RST at once. */
static void reset_connection(struct job *job)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct linger linger = {.l_onoff = 1};

    setsockopt(job->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    connect(job->fd, &nowhere, sizeof nowhere);
    evhttp_connection_free(evhttp_request_get_connection(job->wire)); /* ends in on_close */
}

static void hold(struct job *job)
{
    job->held_until_ms = now_ms(job->server) + HOLD_MS_MAX;
    job->held_next = job->server->held;
    job->server->held = job;
}

static void answer(struct job *job)
{
    job->is_answering = true;
    if (job->is_gone) {
        job_free(job);
        return;
    }
    if (job->response.fault == HTTP_FAULT_RESET) {
        reset_connection(job);
        return;
    }
    if (job->response.fault == HTTP_FAULT_TIMEOUT) {
        hold(job);
        return;
    }
    evhttp_request_set_on_complete_cb(job->wire, on_complete, job);
    add_headers(job);
    if (job->response.fault == HTTP_FAULT_TRUNCATE) {
        send_truncated(job);
    } else if (job->response.fault == HTTP_FAULT_SLOW) {
        send_slowly(job);
    } else {
        send_whole(job);
    }
}

static void answer_finished(struct http_server *server)
{
    struct pool_item *item = pool_take_finished(server->pool);

    while (item) {
        struct pool_item *next = item->next;

        answer((struct job *)item);
        item = next;
    }
}

/* ---- requests ---- */

/* For requests that never become a job. */
static void refuse(struct evhttp_request *wire, int status, const char *why)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(wire);
    struct evbuffer *body = evbuffer_new();

    assert(body);
    evbuffer_add_printf(body, "%s\n", why);
    evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
    evhttp_add_header(headers, "Connection", "close");
    evhttp_send_reply(wire, status, NULL, body);
    evbuffer_free(body);
}

static bool framing_ok(struct evhttp_request *wire)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(wire);
    struct guard_framing framing = {0};

    for (const struct evkeyval *pair = headers->tqh_first; pair; pair = pair->next.tqe_next) {
        guard_note_header(&framing, str_of(pair->key), str_of(pair->value));
    }
    return guard_framing_ok(&framing) && guard_target_ok(str_of(evhttp_request_get_uri(wire)));
}

static int fd_of(struct evhttp_request *wire)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(wire);

    return bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
}

static void on_request(struct evhttp_request *wire, void *context)
{
    struct http_server *server = context;
    enum http_method method;
    struct job *job;
    int fd = fd_of(wire);

    if (!framing_ok(wire)) {
        refuse(wire, HTTP_BADREQUEST, "the request's framing is not valid");
        return;
    }
    if (!method_of(evhttp_request_get_command(wire), &method)) {
        refuse(wire, HTTP_BADMETHOD, "this method is not known here");
        return;
    }
    if (atomic_load(&server->is_stopping)) {
        refuse(wire, HTTP_SERVUNAVAIL, "stopping");
        return;
    }
    guard_set_busy(&server->guard, fd, now_ms(server));
    job = job_new(server, wire, method, fd);
    evhttp_connection_set_closecb(evhttp_request_get_connection(wire), on_close, job);
    pool_push(server->pool, &job->item);
}

/* ---- connections ---- */

static int connections_open(const struct http_server *server)
{
    return server->guard.open_count + server->fresh_count;
}

/* evhttp asks for the connection's buffers before it tells them the descriptor: look again one turn
 * later. */
static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    struct http_server *server = context;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
    struct fresh *fresh = alloc_new(1, sizeof *fresh);

    assert(bev);
    bufferevent_incref(bev);
    fresh->bev = bev;
    fresh->next = server->fresh;
    server->fresh = fresh;
    server->fresh_count++;
    event_active(server->greeter, EV_TIMEOUT, 0);
    if (connections_open(server) >= server->options.connections_max) {
        evconnlistener_disable(server->listener); /* the others wait in the kernel's queue */
    }
    return bev;
}

static void on_greeter(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;
    const int on = 1;

    (void)fd, (void)what;
    while (server->fresh) {
        struct fresh *fresh = server->fresh;
        int socket_fd = bufferevent_getfd(fresh->bev);

        if (socket_fd >= 0) {
            setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            guard_opened(&server->guard, socket_fd, now_ms(server));
        }
        bufferevent_decref(fresh->bev);
        server->fresh = fresh->next;
        server->fresh_count--;
        free(fresh);
    }
}

static bool client_is_gone(const struct job *job)
{
    char byte;
    ssize_t got = recv(job->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void sweep_held(struct http_server *server)
{
    struct job *next;
    bool is_stopping = atomic_load(&server->is_stopping);

    for (struct job *job = server->held; job; job = next) {
        next = job->held_next;
        if (is_stopping || job->held_until_ms <= now_ms(server) || client_is_gone(job)) {
            evhttp_connection_free(evhttp_request_get_connection(job->wire)); /* on_close frees */
        }
    }
}

/* Ends the loop when nothing is being answered any more, or when that takes too long. */
static void stop_if_done(struct http_server *server)
{
    if (!server->stop_at_ms) {
        server->stop_at_ms = now_ms(server) + STOP_MS_MAX;
        evconnlistener_disable(server->listener);
    }
    if (server->jobs_count == 0 || server->stop_at_ms <= now_ms(server)) {
        event_base_loopbreak(server->base);
    }
}

static void on_sweeper(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;

    (void)fd, (void)what;
    guard_sweep(&server->guard, now_ms(server), server->options.request_deadline_ms);
    sweep_held(server);
    if (atomic_load(&server->is_stopping)) {
        stop_if_done(server);
    } else if (connections_open(server) < server->options.connections_max * 9 / 10) {
        evconnlistener_enable(server->listener);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);

    (void)what, (void)got;
    answer_finished(server);
    if (atomic_load(&server->is_stopping)) {
        sweep_held(server);
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
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                                 EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE);
    evhttp_set_max_body_size(server->http, (ev_ssize_t)options->body_bytes_max);
    evhttp_set_max_headers_size(server->http, (ev_ssize_t)options->header_bytes_max);
    evhttp_set_timeout_tv(server->http, &quiet);
    evhttp_set_bevcb(server->http, on_connection, server);
    evhttp_set_gencb(server->http, on_request, server);
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
    server->greeter = event_new(server->base, -1, 0, on_greeter, server);
    assert(server->wake && server->sweeper && server->greeter);
    event_add(server->wake, NULL);
    event_add(server->sweeper, &pause);
}

static void start_threads(struct http_server *server)
{
    sigset_t all, before;
    int failed;

    server->pool = pool_new(server->options.workers, work, server, server->wake_fd);
    sigfillset(&all); /* signals belong to the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&server->thread, NULL, event_thread, server);
    assert(failed == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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
    options->request_deadline_ms =
        options->request_deadline_ms > 0 ? options->request_deadline_ms : REQUEST_DEADLINE_MS;
}

static struct http_server *server_new(const struct http_server_options *options)
{
    struct http_server *server = alloc_new(1, sizeof *server);

    server->options = *options;
    fill_defaults(&server->options);
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
    on_greeter(-1, 0, server); /* gives the references back */
    evhttp_free(server->http); /* ends in on_close for every job that is still open */
    free_jobs(pool_take_waiting(server->pool));
    free_jobs(pool_take_finished(server->pool));
    pool_free(server->pool);
    event_free(server->wake);
    event_free(server->sweeper);
    event_free(server->greeter);
    close(server->wake_fd);
    event_base_free(server->base);
    guard_table_fini(&server->guard);
    clock_free(server->clock);
    free(server);
}

enum fail http_server_start(const struct http_server_options *options, struct http_server **ret,
                            struct error *err)
{
    struct http_server *server;
    int fd, port;

    assert(options->handler && options->address);
    if (listen_bind(options->address, options->port, &fd, &port, err) != OK) {
        return err->code;
    }
    server = server_new(options);
    server->port = port;
    server->options.address = NULL; /* borrowed for this call only */
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

static void wake(struct http_server *server)
{
    const uint64_t one = 1;
    ssize_t written = write(server->wake_fd, &one, sizeof one);

    (void)written; /* it only fails when a wake-up is pending anyway */
}

void http_server_stop(struct http_server *server)
{
    if (!server) {
        return;
    }
    atomic_store(&server->is_stopping, true);
    wake(server);
    pthread_join(server->thread, NULL);
    if (pool_stop(server->pool, JOIN_S_MAX)) {
        server_free(server);
    } /* else the hanging handler keeps its server: leaking it is the only safe way */
}
