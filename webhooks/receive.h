/* Receives what CRMs tell by themselves, at POST /api/crm/webhooks/{connection}[/{path secret}]: whose it is, whether it is true (over the raw bytes), what it
 * says, into the inbox; then, and only then, the answer the CRM takes for "received". Nothing is looked up at a CRM and nothing is believed here: an event is a
 * hint that an object should be read again.
 *
 * The order of the checks: connection (404), method (405), content type and coding (415), size (413), authenticity (401), rate (429), repeat (answered as
 * before), form (400), room in the queue (503 with Retry-After), commit (503 when it fails). What did not prove itself is not parsed and counts against no
 * rate, so that a stranger can use up nothing of a connection. */
#ifndef CRMSYNC_WEBHOOKS_RECEIVE_H
#define CRMSYNC_WEBHOOKS_RECEIVE_H

#include "adapters/adapter.h"
#include "http/server.h"
#include "store/store.h"
#include "webhooks/counts.h"

#define RECEIVE_PATH "/api/crm/webhooks/"
enum { RECEIVE_RATE_PER_S = 200 };

/* A connection that takes webhooks. All borrowed. */
struct receive_connection {
    int64_t tenant_id, connection_id;
    struct str
        name; /* as in the path: "sales", or "tenant.sales" of another tenant than the default one */
    const struct adapter *adapter;
    struct str public_url; /* how CRMs call us: "https://crm.example", before the path */
    struct webhook_settings settings;
    int rate_per_s; /* deliveries, also at once; 0 = RECEIVE_RATE_PER_S, < 0 = no limit */
};

struct receiver;

struct receiver_options {
    struct store *store; /* STORE_WRITE; must be closed after receiver_stop() */
    struct env *env;     /* borrowed; a real clock */
    /* On a thread of the receiver, after a commit: events of this connection wait in the inbox. NULL: nobody asks */
    void (*arrived)(void *context, int64_t tenant_id, int64_t connection_id);
    /* Likewise: the store takes nothing (disk full, I/O error). NULL: nobody asks */
    void (*failed)(void *context, const struct error *err);
    void *context;
    size_t queue_deliveries_max; /* 0 = 8,192 */
    size_t queue_bytes_max;      /* 0 = 16 MiB */
};

enum fail receiver_start(const struct receiver_options *options, struct receiver **ret,
                         struct error *err) MUST_CHECK;
/* Replaces the connections; those with the same ids keep their counts. What `at` points to is borrowed until the next call or receiver_stop(): it may be freed
 * once this has returned with others. Any thread. */
void receiver_connections_set(struct receiver *receiver, const struct receive_connection *at,
                              size_t count);
/* The server's intake; context: the receiver. It goes together with receiver_intake_end(). */
enum http_intake receiver_intake(void *receiver, const struct http_request *request,
                                 struct http_later *later, struct http_response *response);
/* The server's intake_end: what was taken in is written now. */
void receiver_intake_end(void *receiver);
/* After http_server_stop(). Accepts NULL. */
void receiver_stop(struct receiver *receiver);

/* Any thread. */
void receiver_totals(struct receiver *receiver, struct receive_totals *ret);
/* False: nothing was ever received for it. */
bool receiver_counts(struct receiver *receiver, int64_t connection_id, struct receive_counts *ret);

#endif
