#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both kinds of address in the room of the larger. */
union any_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static enum fail address_of(const char *address, int port, union any_address *ret,
                            socklen_t *ret_bytes, struct error *err)
{
    union any_address made = {0};

    if (port < 0 || port > 65535) {
        return error_set(err, FAIL_CONFIG, "cannot listen on port %d: it is not 0 to 65535", port);
    }
    if (inet_pton(AF_INET, address, &made.four.sin_addr) == 1) {
        made.four.sin_family = AF_INET;
        made.four.sin_port = htons((uint16_t)port);
        *ret_bytes = sizeof made.four;
    } else if (inet_pton(AF_INET6, address, &made.six.sin6_addr) == 1) {
        made.six.sin6_family = AF_INET6;
        made.six.sin6_port = htons((uint16_t)port);
        *ret_bytes = sizeof made.six;
    } else {
        error_set(err, FAIL_CONFIG, "cannot listen on '%s': it is not an IP address", address);
        return error_hint(err, "use 127.0.0.1 for this machine only");
    }
    *ret = made;
    return OK;
}

static enum fail cannot_bind(const char *address, int port, int error_number, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot listen on %s port %d: %s", address, port,
              strerror(error_number));
    switch (error_number) {
    case EADDRINUSE:
        return error_hint(err, "another program has this port: stop it or choose another port");
    case EACCES:
        return error_hint(err, "ports below 1024 need a privilege: choose a higher one");
    case EADDRNOTAVAIL:
        return error_hint(err, "no network interface of this machine has this address");
    default:
        return err->code;
    }
}

static bool bind_socket(int fd, const union any_address *address, socklen_t bytes)
{
    const int on = 1;

    /* Without it a restart has to wait until old connections are forgotten. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Listening here rather than later: only listen() notices some ports in use. */
    return bind(fd, &address->any, bytes) == 0 && listen(fd, SOMAXCONN) == 0;
}

static int port_of(int fd)
{
    union any_address address = {0};
    socklen_t bytes = sizeof address;

    if (getsockname(fd, &address.any, &bytes) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET ? address.four.sin_port : address.six.sin6_port);
}

enum fail listen_bind(const char *address, int port, int *ret_fd, int *ret_port, struct error *err)
{
    union any_address where = {0};
    socklen_t bytes = 0;
    int fd;

    if (address_of(address, port, &where, &bytes, err) != OK) {
        return err->code;
    }
    fd = socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return cannot_bind(address, port, errno, err);
    }
    if (!bind_socket(fd, &where, bytes)) {
        int error_number = errno;

        close(fd);
        return cannot_bind(address, port, error_number, err);
    }
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return OK;
}
