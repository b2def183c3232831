/* Server-sent events: an answer that stays open while events are written to it from any thread.
 * source: HTML Living Standard, section 9.2 (text/event-stream). */
#ifndef CRMSYNC_HTTP_STREAM_H
#define CRMSYNC_HTTP_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "http/message.h"

struct http_stream;

/* A subscriber with more than this unsent is too slow and is let go. */
enum { HTTP_STREAM_UNSENT_BYTES_MAX = 64 * 1024 };

struct http_event {
    struct str name; /* no line ends; STR_NONE: the client's "message" */
    struct str
        id; /* no line ends; STR_NONE: none. Comes back as Last-Event-ID when it reconnects */
    struct str data; /* may have several lines */
};

/* For a handler: makes the response a stream (200, text/event-stream). The handler's side owns what is returned until
 * http_stream_end(), also when the client is long gone. Events sent before the answer is on its way wait for it. */
struct http_stream *http_stream_open(struct http_response *response);
/* Any thread; never blocks. False: nobody listens any more (client gone, too slow, server stopping). */
bool http_stream_send(struct http_stream *stream, const struct http_event *event);
bool http_stream_is_open(struct http_stream *stream);
/* Bytes that were sent and have not left, as far as known; asks the carrier to look again. */
size_t http_stream_unsent(struct http_stream *stream);
/* Ends the answer after what was sent, and gives the stream back. Accepts NULL. */
void http_stream_end(struct http_stream *stream);
/* Closes the connection whatever has not left yet, and gives the stream back: for a client that takes nothing. Accepts NULL. */
void http_stream_drop(struct http_stream *stream);

/* ---- the carrier's side (server; http_response_fini for those without one) ---- */

/* Called when there is something to take, under the stream's lock: it only wakes somebody. */
typedef void http_stream_news_fn(void *context);
void http_stream_attach(struct http_stream *stream, http_stream_news_fn *news, void *context);
/* Moves what is unsent behind the end of `to`. False: it was sent too much at once, or dropped: close the connection. */
bool http_stream_take(struct http_stream *stream, struct buf *to, bool *ret_is_ended);
/* What the carrier still holds of it. */
void http_stream_carried(struct http_stream *stream, size_t bytes);
/* Nobody carries it any more; gives the carrier's share back. Accepts NULL. */
void http_stream_detach(struct http_stream *stream);

#endif
