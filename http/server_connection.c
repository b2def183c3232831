/* Accepting: how many connections, from whom, and for how long without a request. */
#include "http/server_inside.h"

#include <assert.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/alloc.h"

static int connections_open(const struct http_server *server)
{
    return server->guard.open_count + server->fresh_count;
}

void server_set_accepting(struct http_server *server)
{
    int most = server->options.connections_max;

    if (!atomic_load(&server->is_accepting) || atomic_load(&server->is_stopping) ||
        connections_open(server) >= most) {
        evconnlistener_disable(server->listener); /* the others wait in the kernel's queue */
    } else if (connections_open(server) < most * 9 / 10) {
        evconnlistener_enable(server->listener);
    }
}

struct address_ip server_peer_of(int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t bytes = sizeof peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &bytes) != 0) {
        return (struct address_ip){0};
    }
    return address_ip_of((const struct sockaddr *)&peer);
}

/* A connection keeps the certificate it began with. Its SSL is freed with its buffers. */
static struct bufferevent *buffers_with_tls(struct event_base *base, struct http_server *server)
{
    struct bufferevent *bev;
    SSL *ssl;

    pthread_mutex_lock(&server->tls_lock);
    ssl = SSL_new(server->tls);
    pthread_mutex_unlock(&server->tls_lock);
    assert(ssl);
    bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                         BEV_OPT_CLOSE_ON_FREE);
    if (bev) { /* many clients close without saying so; a cut body is found by its length */
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    }
    return bev;
}

/* evhttp asks for the connection's buffers before it tells them the descriptor: look again one turn
 * later. */
struct bufferevent *server_on_connection(struct event_base *base, void *context)
{
    struct http_server *server = context;
    struct bufferevent *bev =
        server->is_tls ? buffers_with_tls(base, server) : bufferevent_socket_new(base, -1, 0);
    struct fresh *fresh = alloc_new(1, sizeof *fresh);

    assert(bev);
    bufferevent_incref(bev);
    fresh->bev = bev;
    fresh->next = server->fresh;
    server->fresh = fresh;
    server->fresh_count++;
    event_active(server->greeter, EV_TIMEOUT, 0);
    server_set_accepting(server);
    return bev;
}

static bool is_counted(const struct http_server *server, const struct address_ip *ip)
{
    return server->options.connections_per_address_max > 0 && !address_ip_is_local_socket(ip) &&
           !address_in_ranges(ip, server->trusted, server->options.trusted_proxies_count);
}

static void greet(struct http_server *server, int fd)
{
    const int on = 1;
    struct address_ip ip = server_peer_of(fd);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    guard_opened(&server->guard, fd, server_now_ms(server));
    if (is_counted(server, &ip) &&
        guard_set_address(&server->guard, fd, &ip) > server->options.connections_per_address_max) {
        shutdown(fd, SHUT_RDWR); /* evhttp sees the end and closes it */
    }
}

void server_on_greeter(evutil_socket_t fd, short what, void *context)
{
    struct http_server *server = context;

    (void)fd, (void)what;
    while (server->fresh) {
        struct fresh *fresh = server->fresh;
        int socket_fd = bufferevent_getfd(fresh->bev);

        if (socket_fd >= 0) {
            greet(server, socket_fd);
        }
        bufferevent_decref(fresh->bev);
        server->fresh = fresh->next;
        server->fresh_count--;
        free(fresh);
    }
}
