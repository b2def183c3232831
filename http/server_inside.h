/* What the files of the server share. server.c starts and stops; server_connection.c accepts; server_request.c takes requests in;
 * server_answer.c sends answers, those of misbehaving simulators included; server_stream.c carries streams of events.
 * The event thread owns evhttp and everything of libevent, and makes all calls to them. */
#ifndef CRMSYNC_HTTP_SERVER_INSIDE_H
#define CRMSYNC_HTTP_SERVER_INSIDE_H

#include <event2/event.h>
#include <event2/http.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "http/guard.h"
#include "http/pool.h"
#include "http/server.h"

/* What pool and later answers pass on: the first member of a job. */
struct http_later {
    struct pool_item item;
    struct http_server *server; /* borrowed */
};

/* One request from its arrival until its answer is out or its client gone. */
struct job {
    struct http_later later;
    struct job *held_next;       /* in held, or in spares */
    struct job *stream_next;     /* in streams */
    struct evhttp_request *wire; /* borrowed from evhttp; invalid once is_gone */
    int fd;
    struct arena arena;
    struct http_request request;
    struct http_response response;
    int64_t began_ms;
    bool is_gone;      /* event thread only: the connection is closed */
    bool is_answering; /* event thread only: back from the worker */
    bool is_later;     /* event thread only: out for a later answer */
    int64_t held_until_ms;
    struct event *drip; /* owned; HTTP_FAULT_SLOW */
    size_t dripped_bytes;
};

/* A connection whose descriptor evhttp has not told us yet. */
struct fresh {
    struct fresh *next;
    struct bufferevent *bev; /* a counted reference */
};

struct http_server {
    struct http_server_options options; /* what it points to is owned or gone */
    struct address_range *trusted;      /* owned */
    struct clock *clock;                /* owned */
    int port;
    bool is_tls;
    pthread_mutex_t tls_lock;
    struct ssl_ctx_st *tls; /* guarded by tls_lock; owned; NULL: plain */
    pthread_t thread;
    struct pool *pool;          /* owned */
    struct pool_item *leftover; /* finished, never answered; after the end of the threads */
    int wake_fd;                /* owned */
    atomic_bool is_stopping, is_accepting, has_stream_news;
    /* the event thread's */
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener; /* owned by http once bound */
    struct event *wake, *sweeper, *greeter, *intake_end;
    struct guard_table guard;
    struct fresh *fresh;
    int fresh_count;
    int jobs_count;
    int laters_count;
    struct job *spares;
    int spares_count;
    struct job *held;    /* HTTP_FAULT_TIMEOUT */
    struct job *streams; /* answers that stay open */
    int64_t heartbeat_at_ms;
    int64_t stop_at_ms;
};

static inline int64_t server_now_ms(const struct http_server *server)
{
    return clock_mono_ms(server->clock);
}
void server_wake(struct http_server *server); /* any thread */

/* server_connection.c */
struct bufferevent *server_on_connection(struct event_base *base, void *server);
void server_on_greeter(evutil_socket_t fd, short what, void *server);
/* Starts or stops accepting, as the caps and http_server_accept() want it. */
void server_set_accepting(struct http_server *server);
struct address_ip server_peer_of(int fd);

/* server_request.c */
void server_on_request(struct evhttp_request *wire, void *server);
void server_on_intake_end(evutil_socket_t fd, short what, void *server);
void server_work(void *server, struct pool_item *item);
void job_free(struct job *job);
void server_free_spares(struct http_server *server);

/* server_answer.c */
void job_answer(struct job *job);
void job_on_close(struct evhttp_connection *connection, void *job);
void job_on_complete(struct evhttp_request *wire, void *job);
/* Ends those whose client, time or server is gone. */
void server_sweep_held(struct http_server *server);

/* server_stream.c */
void stream_start(struct job *job);
void stream_headers(struct job *job); /* of its answer; for one that is not to begin */
void stream_forget(struct job *job);
/* Sends what there is. */
void server_send_streams(struct http_server *server);
void server_sweep_streams(struct http_server *server);

#endif
