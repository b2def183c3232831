/* A raw client for tests of the server. Include it before cmocka. */
#ifndef CRMSYNC_TESTS_HTTP_DIALOGUE_H
#define CRMSYNC_TESTS_HTTP_DIALOGUE_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/str.h"

enum { GIVE_UP_MS = 5000 };

static inline int dial_port(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = connect(fd, (const struct sockaddr *)&address, sizeof address);

    assert(fd >= 0 && !failed);
    return fd;
}

/* A server that has closed meanwhile is fine. */
static inline void say(int fd, struct str text)
{
    ssize_t sent = send(fd, text.at, text.len, MSG_NOSIGNAL);

    assert(sent == (ssize_t)text.len || errno == EPIPE || errno == ECONNRESET);
}

/* Reads until the end, `until` or GIVE_UP_MS. Returns false when the connection is still open. */
static inline bool hear(int fd, char *ret, size_t bytes, const char *until)
{
    size_t len = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    ret[0] = '\0';
    while (len + 1 < bytes && !(until && strstr(ret, until))) {
        ssize_t got;

        if (poll(&wait, 1, GIVE_UP_MS) <= 0) {
            return false;
        }
        got = recv(fd, ret + len, bytes - len - 1, 0);
        if (got <= 0) {
            return true;
        }
        len += (size_t)got;
        ret[len] = '\0';
    }
    return false;
}

#endif
