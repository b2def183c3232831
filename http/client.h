/* The one door to the network: http_exec() blocks its caller while the transport does the work. It checks the host against the
 * allow-list, takes rate limit units (short waits inside, long ones returned), repeats what is safe to repeat with full-jitter
 * back-off, keeps a breaker per host, and counts. Adapters build requests and read answers; they never wait or repeat. */
#ifndef CRMSYNC_HTTP_CLIENT_H
#define CRMSYNC_HTTP_CLIENT_H

#include "core/env.h"
#include "http/auth.h"
#include "http/limits.h"
#include "http/message.h"

enum {
    HTTP_TIMEOUT_MS = 30 * 1000,
    HTTP_ANSWER_BYTES_MAX = 32 * 1024 * 1024,
    HTTP_WAIT_INSIDE_MS = 2000, /* longer waits become FAIL_THROTTLED with wait_ms */
    HTTP_ATTEMPTS_MAX = 4,
    HTTP_PARALLEL_MAX = 8, /* calls in flight of one http_exec */
};

struct http_client; /* one per process; any thread */

struct http_client_options {
    /* exact ("api.hubapi.com") or anchored pattern ("*.pipedrive.com"); copied */
    const char *const *allowed_hosts;
    size_t allowed_hosts_count;
    bool allow_loopback; /* 127.0.0.0/8, ::1, localhost, any port, http allowed */
    bool any_port;       /* https on other ports than 443 as well */
};

struct http_client *http_client_new(struct env *env, const struct http_client_options *options);
void http_client_free(struct http_client *client); /* accepts NULL */

/* Makes running and future http_exec calls return FAIL_CANCELLED soon. Async-signal-safe. */
void http_client_cancel(struct http_client *client);

/* Who is calling: account buckets, lane, and how an answer is read. One per adapter session. */
struct http_account {
    struct limit_account *limits; /* borrowed; NULL = unlimited */
    enum lane lane;
    struct http_auth *auth; /* borrowed; NULL = the requests carry their own credential */
    /* Adapter's pure reading of an answer: OK for success; FAIL_THROTTLED with wait_ms; …; also corrects the limits. */
    enum fail (*classify)(const struct http_response *response, struct http_account *account,
                          struct error *err);
    void *context; /* for classify */
    /* Where the calls may go, in place of the client's allow-list; ends with NULL; NULL = that list. For addresses that an answer named, without auth and
     * credentials of their own */
    const char *const *hosts;
    int64_t timeout_ms;      /* 0 = HTTP_TIMEOUT_MS */
    size_t answer_bytes_max; /* 0 = HTTP_ANSWER_BYTES_MAX */
};

/* One call of a batch. result/error: what classify (or the transport) said after the last attempt. A call that was never
 * sent because another needs a long wait has FAIL_THROTTLED. */
struct http_call {
    struct http_request request;
    struct limit_cost cost;
    /* reading, or an absolute write that may be repeated: retried on FAIL_RETRY and short
     * FAIL_THROTTLED. Otherwise only a 429 that classify calls FAIL_THROTTLED is repeated (it was
     * not applied) */
    bool is_safe;
    struct http_response response; /* owned by the call: http_call_fini */
    enum fail result;
    struct error error;
    int attempts; /* really sent */
};

void http_call_fini(struct http_call *call);

/* Runs all calls (in parallel up to HTTP_PARALLEL_MAX) and returns the gravest failure that concerns all of them (AUTH, CANCELLED,
 * STOP, CONFIG), else OK: then look at each call's result. Asserts that no store transaction is open on this thread. */
enum fail http_exec(struct http_client *client, struct http_account *account,
                    struct http_call *const *calls, size_t count, struct error *err) MUST_CHECK;

struct limiter *http_client_limiter(struct http_client *client);
/* From now on all calls go in this lane, whatever their account says: for a client that serves one connection, whose turns differ. Any thread. */
void http_client_lane_set(struct http_client *client, enum lane lane);

/* Counters since start, for reports and metrics. */
struct http_stats {
    int64_t calls; /* requests sent, retries included */
    int64_t retries;
    int64_t throttled; /* 429 answers */
    int64_t waited_ms; /* in limits and back-off */
    int64_t bytes_in;
};
struct http_stats http_client_stats(struct http_client *client);

/* Host check alone: FAIL_CONFIG naming the host and the setting that would allow it. */
enum fail http_url_check(const struct http_client *client, struct str url,
                         struct error *err) MUST_CHECK;

#endif
