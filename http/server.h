/* The listening side: libevent's evhttp on a thread of its own, with a guard in front (deadlines, caps, strict framing).
 * Handlers run on a small pool of worker threads of the server and may block. */
#ifndef CRMSYNC_HTTP_SERVER_H
#define CRMSYNC_HTTP_SERVER_H

#include "http/message.h"

struct http_server;

struct http_server_options {
    const char *address; /* "127.0.0.1" */
    int port;            /* 0 = any free one */
    http_handler_fn *handler;
    void *context;
    int workers;             /* 0 = 4; 1 serialises all requests */
    size_t body_bytes_max;   /* 0 = 1 MiB */
    size_t header_bytes_max; /* 0 = 16 KiB */
    int connections_max;     /* 0 = 512 */
    /* 0 = 10 s: head and body complete, also against one byte a second */
    int64_t request_deadline_ms;
};

/* Starts listening. FAIL_CONFIG when the address cannot be bound (says by what errno and what to do). */
enum fail http_server_start(const struct http_server_options *options, struct http_server **ret,
                            struct error *err) MUST_CHECK;
int http_server_port(const struct http_server *server);
/* Stops listening, lets running handlers finish (10 s at most), frees. Accepts NULL. */
void http_server_stop(struct http_server *server);

#endif
