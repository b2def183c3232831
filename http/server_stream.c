/* Answers that stay open: what was sent to a stream (http/stream.h) is written to its connection here. */
#include "http/server_inside.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static const unsigned UNACKNOWLEDGED_MS_MAX = 60 * 1000;

/* Any thread. */
static void on_news(void *context)
{
    struct http_server *server = context;

    if (!atomic_exchange(&server->has_stream_news, true)) {
        server_wake(server);
    }
}

static struct bufferevent *connection_of(const struct job *job)
{
    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(job->wire));
}

void stream_headers(struct job *job)
{
    struct evkeyvalq *to = evhttp_request_get_output_headers(job->wire);

    evhttp_remove_header(to, "Content-Type");
    evhttp_add_header(to, "Content-Type", "text/event-stream");
    evhttp_add_header(to, "Cache-Control", "no-store");
    evhttp_add_header(to, "X-Accel-Buffering", "no"); /* source: nginx, proxy_buffering */
}

void stream_start(struct job *job)
{
    struct http_server *server = job->later.server;

    stream_headers(job);
    /* Silence is no failure here; a client that has vanished is found by TCP. */
    bufferevent_set_timeouts(connection_of(job), NULL, NULL);
    setsockopt(job->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &UNACKNOWLEDGED_MS_MAX,
               sizeof UNACKNOWLEDGED_MS_MAX);
    evhttp_send_reply_start(job->wire, 200, NULL);
    job->stream_next = server->streams;
    server->streams = job;
    http_stream_attach(job->response.stream, on_news, server);
    on_news(server); /* what was sent before */
}

void stream_forget(struct job *job)
{
    struct job **at = &job->later.server->streams;

    while (*at && *at != job) {
        at = &(*at)->stream_next;
    }
    if (*at) {
        *at = job->stream_next;
    }
}

static void write_text(struct job *job, struct str text)
{
    struct evbuffer *buffer = evbuffer_new();

    assert(buffer);
    evbuffer_add(buffer, text.at, text.len);
    evhttp_send_reply_chunk(job->wire, buffer);
    evbuffer_free(buffer);
}

static bool is_too_slow(const struct job *job)
{
    size_t bytes = evbuffer_get_length(bufferevent_get_output(connection_of(job)));

    http_stream_carried(job->response.stream, bytes);
    return bytes > HTTP_STREAM_UNSENT_BYTES_MAX;
}

/* No more is taken for it, and the answer ends when all is out. */
static void end_stream(struct job *job)
{
    stream_forget(job);
    http_stream_detach(TAKE_PTR(job->response.stream));
    evhttp_send_reply_end(job->wire);
}

static void send_news(struct job *job, struct buf *text)
{
    bool is_ended;
    bool is_fine = http_stream_take(job->response.stream, text, &is_ended);

    if (text->len) {
        write_text(job, buf_str(text));
    }
    if (!is_fine || is_too_slow(job)) {
        evhttp_connection_free(evhttp_request_get_connection(job->wire)); /* job_on_close frees */
    } else if (is_ended) {
        end_stream(job);
    }
    buf_reset(text);
}

void server_send_streams(struct http_server *server)
{
    AUTO_BUF struct buf text = {0};
    struct job *next;

    if (!atomic_exchange(&server->has_stream_news, false)) {
        return;
    }
    buf_init(&text, HTTP_STREAM_UNSENT_BYTES_MAX);
    for (struct job *job = server->streams; job; job = next) {
        next = job->stream_next;
        send_news(job, &text);
    }
}

void server_sweep_streams(struct http_server *server)
{
    bool is_stopping = atomic_load(&server->is_stopping);
    bool beats = server->heartbeat_at_ms <= server_now_ms(server);
    struct job *next;

    if (beats) {
        server->heartbeat_at_ms = server_now_ms(server) + server->options.stream_heartbeat_ms;
    }
    for (struct job *job = server->streams; job; job = next) {
        next = job->stream_next;
        if (is_stopping) {
            end_stream(job);
        } else if (beats) {
            write_text(job, STR(":\n\n"));
        }
    }
}
