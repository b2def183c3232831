/* The listening side: libevent's evhttp on a thread of its own, with a guard in front (deadlines, caps, strict framing).
 * Handlers run on a small pool of worker threads of the server and may block. */
#ifndef CRMSYNC_HTTP_SERVER_H
#define CRMSYNC_HTTP_SERVER_H

#include "core/log.h"
#include "http/address.h"
#include "http/message.h"
#include "http/stream.h"
#include "http/tls.h"

struct http_server;
/* A request that is answered later. */
struct http_later;

enum http_intake {
    HTTP_INTAKE_PASS,   /* not mine: the handler answers it, on a worker */
    HTTP_INTAKE_ANSWER, /* the response is filled */
    HTTP_INTAKE_LATER,  /* mine: http_later_send() follows exactly once */
};
/* Called on the event thread with each complete request, so it must not wait for anything. Until http_later_send() request and
 * response stay where they are, and belong to whom said HTTP_INTAKE_LATER; what lives as long can be put into the response's arena. */
typedef enum http_intake http_intake_fn(void *context, const struct http_request *request,
                                        struct http_later *later, struct http_response *response);

/* Likewise, once after one or more HTTP_INTAKE_LATER: all requests that were there have been taken in, and others are waited for. */
typedef void http_intake_end_fn(void *context);

enum { HTTP_CONNECTIONS_PER_ADDRESS = 32 };

/* Everything is borrowed for the call of http_server_start() only, but for the contexts and the log. */
struct http_server_options {
    /* "127.0.0.1", "::1", or "unix:/run/crmsync/http.sock": a socket file (0660), replaced when nobody listens there */
    const char *address;
    int port; /* 0 = any free one */
    /* > 0: a listening socket of whoever started this process (systemd: 3), instead of address and port; the server's
     * own when it has started */
    int inherited_fd;
    http_handler_fn *handler;
    void *context;
    http_intake_fn *intake;         /* NULL: the handler gets everything */
    http_intake_end_fn *intake_end; /* NULL: nobody asks */
    void *intake_context;
    int workers;             /* 0 = 4; 1 serialises all requests */
    size_t body_bytes_max;   /* 0 = 1 MiB */
    size_t header_bytes_max; /* 0 = 16 KiB */
    int connections_max;     /* 0 = 512 */
    /* 0 = no cap. Trusted proxies and local sockets are not counted */
    int connections_per_address_max;
    /* 0 = 10 s: head and body complete, also against one byte a second */
    int64_t request_deadline_ms;
    int64_t
        stop_deadline_ms; /* 0 = 10 s: what is being answered when http_server_stop() is called */
    int64_t
        stream_heartbeat_ms; /* 0 = 15 s: a comment to each stream, so that proxies keep it open */
    /* whose X-Forwarded-For, -Proto and -Host count */
    const struct address_range *trusted_proxies;
    size_t trusted_proxies_count;
    /* NULL: plain HTTP. A socket file is served plain all the same */
    const struct tls_files *tls;
    struct log *log; /* one line for each request, without its query; NULL = none */
};

/* Starts listening. FAIL_CONFIG when the address cannot be bound (says by what errno and what to do). */
enum fail http_server_start(const struct http_server_options *options, struct http_server **ret,
                            struct error *err) MUST_CHECK;
int http_server_port(const struct http_server *server); /* 0: a socket file */
/* Whether new connections are accepted; those that wait keep waiting in the kernel's queue. Any thread. */
void http_server_accept(struct http_server *server, bool is_accepting);
/* Reads certificate and key from these files, for new connections; those that are open keep theirs. FAIL_CONFIG: the former ones stay. Any thread;
 * nothing to do for a server that was started without TLS. */
enum fail http_server_tls_reload(struct http_server *server, const struct tls_files *files,
                                 struct error *err) MUST_CHECK;
/* Stops listening, lets running handlers and later answers finish (stop_deadline_ms at most), frees. Accepts NULL. */
void http_server_stop(struct http_server *server);

/* Any thread: the responses of these are filled. One wake-up for all; a client that has left is no failure. */
void http_later_send(struct http_later *const *laters, size_t count);

#endif
