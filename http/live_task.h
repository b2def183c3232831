/* One exchange as libcurl sees it: an easy handle with our rules set on it, what has arrived so
 * far, and how libcurl's end becomes ours. Knows nothing of loops and threads; client_live.c drives
 * it. */
#ifndef CRMSYNC_HTTP_LIVE_TASK_H
#define CRMSYNC_HTTP_LIVE_TASK_H

#include "http/address.h"
#include "http/transport.h"
#include "http/url.h"

enum { LIVE_ERROR_BYTES = 256 };

struct live_batch; /* client_live.c */
struct curl_slist;

struct live_task {
    struct live_task *next;
    struct live_batch *batch;       /* borrowed: whom to tell */
    struct http_exchange *exchange; /* borrowed from exec's caller */
    struct clock *clock;            /* borrowed */
    void *easy;                     /* CURL *, owned */
    struct curl_slist *headers;     /* owned */
    struct http_url url;
    bool allow_private;
    uint64_t deadline_ms; /* loop time: a net under libcurl's own time-out */
    struct buf body;
    size_t head_bytes;
    bool is_in_head;
    bool is_head_too_large;
    bool was_sent; /* bytes of the request may have left */
    char refused[ADDRESS_TEXT_BYTES];
    char curl_text[LIVE_ERROR_BYTES];
};

/* Once, before any other call here and before threads use it. */
void live_task_setup(void);

/* Returns NULL, with the exchange's result and error set, when the request must not be sent. */
struct live_task *live_task_new(struct http_exchange *exchange, struct clock *clock,
                                const struct transport_live_options *options);
/* The easy handle must not be in a multi any more. */
void live_task_free(struct live_task *task);

/* Fill the exchange. curl_code: a CURLcode. */
void live_task_end(struct live_task *task, int curl_code);
void live_task_end_cancelled(struct live_task *task);

#endif
