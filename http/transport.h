/* The seam between http_exec() and the world: live sockets (client_live.c) or mounted handlers (mount.c). */
#ifndef CRMSYNC_HTTP_TRANSPORT_H
#define CRMSYNC_HTTP_TRANSPORT_H

#include <stdatomic.h>

#include "core/clock.h"
#include "http/message.h"

/* One exchange. The transport fills response or error; it neither retries nor interprets a status. */
struct http_exchange {
    const struct http_request *request;
    int64_t timeout_ms; /* whole exchange, connect included */
    /* after decompression; more fails with FAIL_CONNECTION naming the cap */
    size_t answer_bytes_max;
    const atomic_bool *is_cancelled; /* borrowed; true ends it with FAIL_CANCELLED; NULL = never */
    struct http_response response;
    enum fail result; /* OK whenever a complete answer came, whatever its status */
    /* FAIL_RETRY with is_outcome_unknown when bytes may have reached the server */
    struct error error;
};

struct transport;
struct transport_ops {
    /* Runs all, blocking, concurrently where it can. */
    void (*exec)(struct transport *transport, struct http_exchange *const *exchanges, size_t count);
    void (*free)(struct transport *transport);
    /* Makes a running exec look at is_cancelled again. Any thread, async-signal-safe. NULL where
     * exec does not wait. */
    void (*wake)(struct transport *transport);
};

/* First member of every transport. */
struct transport {
    const struct transport_ops *ops;
};

struct env;

/* Sockets: one loop thread (libuv), one curl multi on it: HTTP/2, keep-alive, gzip, TLS verification, no redirects, no proxy
 * environment, https only except loopback addresses, private addresses refused before connect.
 * allow_loopback: http and https to 127.0.0.0/8 and ::1 are allowed as well. Any thread may call exec. */
struct transport_live_options {
    bool allow_loopback;
    bool allow_private;           /* any address: the host is one that a person named */
    int connections_per_host_max; /* 0 = 8 */
    const char *ca_file;          /* NULL = the system's; copied */
    const char *socket_file;      /* every host is reached there; NULL = by its name; copied */
};
enum fail transport_new_live(const struct transport_live_options *options, struct clock *clock,
                             struct transport **ret, struct error *err) MUST_CHECK;

/* Handlers mounted by "host" or "host:port", no sockets, same thread, virtual time. Faults are acted out: RESET, TIMEOUT and TRUNCATE
 * become FAIL_RETRY with is_outcome_unknown; TIMEOUT also advances clock by timeout_ms. latency_ms advances the clock per exec. */
struct transport *transport_new_mounted(struct clock *clock, int64_t latency_ms);
void transport_mount(struct transport *mounted, const char *host, http_handler_fn *handler,
                     void *context);

void transport_free(struct transport *transport); /* accepts NULL */

#endif
