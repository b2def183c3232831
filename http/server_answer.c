#include "http/server_inside.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <sys/socket.h>

#include "core/alloc.h"

enum {
    HOLD_MS_MAX = 5 * 60 * 1000,
    SLOW_BYTES = 512,
    SLOW_MS = 20,
};

/* evhttp ends a job in one of two ways: the answer is out (here), or the connection is closed
 * (on_close). */
void job_on_complete(struct evhttp_request *wire, void *context)
{
    struct job *job = context;

    evhttp_connection_set_closecb(evhttp_request_get_connection(wire), NULL, NULL);
    guard_set_idle(&job->later.server->guard, job->fd, server_now_ms(job->later.server));
    job_free(job);
}

void job_on_close(struct evhttp_connection *connection, void *context)
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
    if (atomic_load(&job->later.server->is_stopping)) {
        evhttp_add_header(to, "Connection", "close");
    }
}

static int status_of(const struct job *job)
{
    int status = job->response.status;

    return status >= 100 && status <= 599 ? status : HTTP_INTERNAL;
}

/* A query can hold a code or a token: it is left out. */
static void job_log(const struct job *job)
{
    const struct http_server *server = job->later.server;
    struct str path =
        job->response.logged_path.at ? job->response.logged_path : http_path(&job->request);

    if (server->options.log) {
        LOG_EVENT(server->options.log, LOG_INFO, "http request",
                  LOG_S("method", str_of(http_request_method(&job->request))), LOG_S("path", path),
                  LOG_I("status", status_of(job)),
                  LOG_I("ms", server_now_ms(server) - job->began_ms),
                  LOG_I("bytes", (int64_t)job->response.body.len),
                  LOG_S("client", job->request.client_address));
    }
}

static void send_whole(struct job *job)
{
    struct evbuffer *body = evbuffer_new();

    assert(body);
    evbuffer_add(body, job->response.body.at, job->response.body.len);
    evhttp_send_reply(job->wire, status_of(job), NULL, body);
    evbuffer_free(body);
}

/* As the answer to GET would begin. A stream would not end: its length is not said. */
static void send_without_body(struct job *job)
{
    struct evkeyvalq *to = evhttp_request_get_output_headers(job->wire);
    int status = job->response.stream ? HTTP_OK : status_of(job);

    if (job->response.stream) {
        stream_headers(job);
    } else if (status >= 200 && status != HTTP_NOCONTENT && status != HTTP_NOTMODIFIED) {
        evhttp_add_header(to, "Content-Length",
                          arena_printf(&job->arena, "%zu", job->response.body.len).at);
    }
    evhttp_send_reply(job->wire, status, NULL, NULL);
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
    job->drip = event_new(job->later.server->base, -1, EV_PERSIST, on_drip, job);
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
    evhttp_connection_free(evhttp_request_get_connection(job->wire)); /* ends in job_on_close */
}

static void hold(struct job *job)
{
    job->held_until_ms = server_now_ms(job->later.server) + HOLD_MS_MAX;
    job->held_next = job->later.server->held;
    job->later.server->held = job;
}

static void act_out(struct job *job)
{
    switch (job->response.fault) {
    case HTTP_FAULT_RESET:
        reset_connection(job);
        return;
    case HTTP_FAULT_TIMEOUT:
        hold(job);
        return;
    case HTTP_FAULT_TRUNCATE:
        send_truncated(job);
        return;
    case HTTP_FAULT_SLOW:
        send_slowly(job);
        return;
    case HTTP_FAULT_NONE:
        send_whole(job);
        return;
    }
}

void job_answer(struct job *job)
{
    bool is_silent =
        job->response.fault == HTTP_FAULT_RESET || job->response.fault == HTTP_FAULT_TIMEOUT;

    job->is_answering = true;
    job->later.server->laters_count -= job->is_later ? 1 : 0;
    if (job->is_gone) {
        job_free(job);
        return;
    }
    job_log(job);
    if (!is_silent) {
        evhttp_request_set_on_complete_cb(job->wire, job_on_complete, job);
        add_headers(job);
    }
    if (job->request.is_head && !is_silent) {
        send_without_body(job);
    } else if (job->response.stream) {
        stream_start(job);
    } else {
        act_out(job);
    }
}

static bool client_is_gone(const struct job *job)
{
    char byte;
    ssize_t got = recv(job->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void server_sweep_held(struct http_server *server)
{
    struct job *next;
    bool is_stopping = atomic_load(&server->is_stopping);

    for (struct job *job = server->held; job; job = next) {
        next = job->held_next;
        if (is_stopping || job->held_until_ms <= server_now_ms(server) || client_is_gone(job)) {
            evhttp_connection_free(
                evhttp_request_get_connection(job->wire)); /* job_on_close frees */
        }
    }
}
