/* Two sides share a stream: who sends, and the server that carries it. The last one frees it. */
#include "http/stream.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

struct http_stream {
    pthread_mutex_t mutex;
    /* guarded by mutex */
    int shares;
    struct buf unsent;
    size_t carried;   /* bytes that the carrier held when it was last seen */
    bool is_ended;    /* by the sender */
    bool is_dropped;  /* likewise */
    bool is_detached; /* by the carrier */
    http_stream_news_fn *news;
    void *news_context; /* borrowed while attached */
};

/* Unlocks; frees with the last share. */
static void give_back_share(struct http_stream *stream)
{
    bool is_last = --stream->shares == 0;

    pthread_mutex_unlock(&stream->mutex);
    if (is_last) {
        pthread_mutex_destroy(&stream->mutex);
        buf_fini(&stream->unsent);
        free(stream);
    }
}

struct http_stream *http_stream_open(struct http_response *response)
{
    struct http_stream *stream = alloc_new(1, sizeof *stream);

    pthread_mutex_init(&stream->mutex, NULL);
    buf_init(&stream->unsent, HTTP_STREAM_UNSENT_BYTES_MAX);
    stream->shares = 2;
    http_stream_detach(response->stream);
    response->status = 200;
    response->stream = stream;
    return stream;
}

/* A line end of any form ends a line of the data. */
static void add_data(struct buf *to, struct str data)
{
    size_t from = 0;

    for (size_t i = 0; i <= data.len; i++) {
        if (i < data.len && data.at[i] != '\n' && data.at[i] != '\r') {
            continue;
        }
        buf_add(to, STR("data: "));
        buf_add(to, str_slice(data, from, i));
        buf_add_char(to, '\n');
        i += i + 1 < data.len && data.at[i] == '\r' && data.at[i + 1] == '\n' ? 1 : 0;
        from = i + 1;
    }
}

static void add_event(struct buf *to, const struct http_event *event)
{
    if (event->name.len) {
        buf_addf(to, "event: %" PRI_STR "\n", STR_ARG(event->name));
    }
    if (event->id.len) {
        buf_addf(to, "id: %" PRI_STR "\n", STR_ARG(event->id));
    }
    add_data(to, event->data);
    buf_add_char(to, '\n');
}

/* Told under the lock, so that the server cannot let go of it meanwhile. */
static void tell(struct http_stream *stream)
{
    if (stream->news) {
        stream->news(stream->news_context);
    }
}

bool http_stream_send(struct http_stream *stream, const struct http_event *event)
{
    bool is_open;

    pthread_mutex_lock(&stream->mutex);
    is_open = !stream->is_detached && !stream->unsent.is_full;
    if (is_open) {
        add_event(&stream->unsent, event);
        tell(stream);
        is_open = !stream->unsent.is_full;
    }
    pthread_mutex_unlock(&stream->mutex);
    return is_open;
}

bool http_stream_is_open(struct http_stream *stream)
{
    bool is_open;

    pthread_mutex_lock(&stream->mutex);
    is_open = !stream->is_detached && !stream->unsent.is_full;
    pthread_mutex_unlock(&stream->mutex);
    return is_open;
}

size_t http_stream_unsent(struct http_stream *stream)
{
    size_t bytes;

    pthread_mutex_lock(&stream->mutex);
    bytes = stream->unsent.len + stream->carried;
    if (stream->carried) {
        tell(stream);
    }
    pthread_mutex_unlock(&stream->mutex);
    return bytes;
}

static void leave(struct http_stream *stream, bool is_dropped)
{
    if (!stream) {
        return;
    }
    pthread_mutex_lock(&stream->mutex);
    stream->is_ended = true;
    stream->is_dropped = is_dropped;
    tell(stream);
    give_back_share(stream);
}

void http_stream_end(struct http_stream *stream)
{
    leave(stream, false);
}

void http_stream_drop(struct http_stream *stream)
{
    leave(stream, true);
}

void http_stream_attach(struct http_stream *stream, http_stream_news_fn *news, void *context)
{
    pthread_mutex_lock(&stream->mutex);
    stream->news = news;
    stream->news_context = context;
    pthread_mutex_unlock(&stream->mutex);
}

bool http_stream_take(struct http_stream *stream, struct buf *to, bool *ret_is_ended)
{
    bool is_fine;

    pthread_mutex_lock(&stream->mutex);
    is_fine = !stream->unsent.is_full && !stream->is_dropped;
    buf_add(to, buf_str(&stream->unsent));
    buf_reset(&stream->unsent);
    *ret_is_ended = stream->is_ended;
    pthread_mutex_unlock(&stream->mutex);
    return is_fine;
}

void http_stream_carried(struct http_stream *stream, size_t bytes)
{
    pthread_mutex_lock(&stream->mutex);
    stream->carried = bytes;
    pthread_mutex_unlock(&stream->mutex);
}

void http_stream_detach(struct http_stream *stream)
{
    if (!stream) {
        return;
    }
    pthread_mutex_lock(&stream->mutex);
    stream->is_detached = true;
    stream->news = NULL;
    give_back_share(stream);
}
