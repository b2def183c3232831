#include "http/server_inside.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "http/forwarded.h"

/* Jobs kept for the next requests, with their memory. */
enum { SPARES_MAX = 64, SPARE_BYTES_MAX = 32 * 1024 };

static void unhold(struct job *job)
{
    struct job **at = &job->later.server->held;

    while (*at && *at != job) {
        at = &(*at)->held_next;
    }
    if (*at) {
        *at = job->held_next;
    }
}

/* Large ones give their memory back. */
static bool is_worth_keeping(const struct job *job)
{
    return job->later.server->spares_count < SPARES_MAX &&
           job->arena.used_bytes < SPARE_BYTES_MAX &&
           job->response.arena.used_bytes < SPARE_BYTES_MAX;
}

/* Everything but the arenas, which keep a block, is as new. */
static void keep_spare(struct job *job)
{
    struct http_server *server = job->later.server;
    struct arena own = job->arena, answer = job->response.arena;

    http_stream_detach(job->response.stream);
    arena_reset(&own);
    arena_reset(&answer);
    *job = (struct job){.arena = own, .response.arena = answer, .later.server = server};
    job->held_next = server->spares;
    server->spares = job;
    server->spares_count++;
}

static void job_destroy(struct job *job)
{
    http_response_fini(&job->response);
    arena_fini(&job->arena);
    free(job);
}

void job_free(struct job *job)
{
    unhold(job);
    stream_forget(job);
    job->later.server->jobs_count--;
    if (job->drip) {
        event_free(job->drip);
    }
    if (is_worth_keeping(job)) {
        keep_spare(job);
    } else {
        job_destroy(job);
    }
}

static struct job *job_take(struct http_server *server)
{
    struct job *job = server->spares;

    if (!job) {
        return alloc_new(1, sizeof *job);
    }
    server->spares = job->held_next;
    server->spares_count--;
    job->held_next = NULL;
    return job;
}

void server_free_spares(struct http_server *server)
{
    while (server->spares) {
        job_destroy(job_take(server));
    }
}

static bool method_of(enum evhttp_cmd_type command, enum http_method *ret)
{
    static const struct {
        enum evhttp_cmd_type command;
        enum http_method method;
    } METHODS[] = {
        {EVHTTP_REQ_GET, HTTP_GET},     {EVHTTP_REQ_HEAD, HTTP_GET},
        {EVHTTP_REQ_POST, HTTP_POST},   {EVHTTP_REQ_PUT, HTTP_PUT},
        {EVHTTP_REQ_PATCH, HTTP_PATCH}, {EVHTTP_REQ_DELETE, HTTP_DELETE},
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

static struct bufferevent *buffers_of(struct evhttp_request *wire)
{
    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(wire));
}

static int fd_of(struct evhttp_request *wire)
{
    return bufferevent_getfd(buffers_of(wire));
}

static const struct ssl_st *ssl_of(struct evhttp_request *wire)
{
    return bufferevent_openssl_get_ssl(buffers_of(wire));
}

static void set_client(struct job *job)
{
    const struct http_server *server = job->later.server;
    const struct forwarded_seen seen = {.peer = server_peer_of(job->fd),
                                        .is_tls = server->is_tls,
                                        .trusted = server->trusted,
                                        .trusted_count = server->options.trusted_proxies_count};

    forwarded_apply(&seen, &job->arena, &job->request);
    job->request.is_client_proved = server->is_tls && tls_client_is_proved(ssl_of(job->wire));
}

static struct job *job_new(struct http_server *server, struct evhttp_request *wire,
                           enum http_method method, int fd)
{
    struct job *job = job_take(server);

    job->later.server = server;
    job->began_ms = server_now_ms(server);
    job->wire = wire;
    job->fd = fd;
    job->request.method = method;
    job->request.is_head = evhttp_request_get_command(wire) == EVHTTP_REQ_HEAD;
    job->request.url = arena_str(&job->arena, str_of(evhttp_request_get_uri(wire)));
    copy_headers(job);
    copy_body(job);
    set_client(job);
    server->jobs_count++;
    return job;
}

void server_work(void *context, struct pool_item *item)
{
    struct http_server *server = context;
    struct job *job = (struct job *)item;

    server->options.handler(server->options.context, &job->request, &job->response);
}

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

/* evhttp takes any version and answers under it; of another one nobody knows what it means. The refusal goes out under ours. */
static bool version_ok(struct evhttp_request *wire)
{
    if (wire->major == 1) {
        return true;
    }
    wire->major = wire->minor = 1;
    return false;
}

static bool framing_ok(struct evhttp_request *wire)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(wire);
    struct guard_framing framing = {0};

    for (const struct evkeyval *pair = headers->tqh_first; pair; pair = pair->next.tqe_next) {
        guard_note_header(&framing, str_of(pair->key), str_of(pair->value));
    }
    /* evhttp does not read it: it would be taken for the next request (libevent 2.1.12) */
    if (framing.has_body && evhttp_request_get_command(wire) == EVHTTP_REQ_HEAD) {
        return false;
    }
    /* unknown to HTTP/1.0: whoever stands between may have read another end of the body (RFC 9112, 6.1) */
    if (framing.encodings && wire->minor == 0) {
        return false;
    }
    return guard_framing_ok(&framing) && guard_target_ok(str_of(evhttp_request_get_uri(wire)));
}

/* Behind everything that was ready together with the first request. */
void server_on_intake_end(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;

    (void)fd, (void)what;
    server->options.intake_end(server->options.intake_context);
}

static void take_in(struct job *job)
{
    struct http_server *server = job->later.server;
    const struct http_server_options *options = &server->options;

    if (!options->intake) {
        pool_push(server->pool, &job->later.item);
        return;
    }
    job->is_later = true; /* it may be sent before the intake has returned */
    server->laters_count++;
    switch (options->intake(options->intake_context, &job->request, &job->later, &job->response)) {
    case HTTP_INTAKE_LATER:
        if (options->intake_end) {
            event_active(server->intake_end, EV_TIMEOUT, 0);
        }
        return;
    case HTTP_INTAKE_PASS:
        job->is_later = false;
        server->laters_count--;
        pool_push(server->pool, &job->later.item);
        return;
    case HTTP_INTAKE_ANSWER:
        job_answer(job);
        return;
    }
    abort();
}

void server_on_request(struct evhttp_request *wire, void *context)
{
    struct http_server *server = context;
    enum http_method method;
    struct job *job;
    int fd = fd_of(wire);

    if (!version_ok(wire)) {
        refuse(wire, 505, "this version of HTTP is not known here");
        return;
    }
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
    guard_set_busy(&server->guard, fd, server_now_ms(server));
    job = job_new(server, wire, method, fd);
    evhttp_connection_set_closecb(evhttp_request_get_connection(wire), job_on_close, job);
    take_in(job);
}
