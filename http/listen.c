#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/str.h"

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
    switch (address.any.sa_family) {
    case AF_INET:
        return ntohs(address.four.sin_port);
    case AF_INET6:
        return ntohs(address.six.sin6_port);
    default:
        return 0;
    }
}

static enum fail cannot_bind_file(const char *path, int error_number, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot listen at the socket file %s: %s", path,
              strerror(error_number));
    switch (error_number) {
    case EADDRINUSE:
        return error_hint(err, "another program listens there: stop it or choose another path");
    case ENAMETOOLONG:
        return error_hint(err, "the path of a socket file has at most 107 bytes");
    case ENOENT:
        return error_hint(err, "create its folder first");
    default:
        return error_hint(err, "the folder must be writable for this user");
    }
}

/* Left by a program that did not end in order. */
static bool nobody_listens(const struct sockaddr_un *file)
{
    struct stat is_what;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)file, sizeof *file) != 0 &&
                   errno == ECONNREFUSED;

    if (fd >= 0) {
        close(fd);
    }
    return refused && lstat(file->sun_path, &is_what) == 0 && S_ISSOCK(is_what.st_mode);
}

static bool bind_file(int fd, const struct sockaddr_un *file)
{
    const struct sockaddr *address = (const struct sockaddr *)file;
    bool is_bound = bind(fd, address, sizeof *file) == 0;

    if (!is_bound && errno == EADDRINUSE) {
        if (!nobody_listens(file) || unlink(file->sun_path) != 0) {
            errno = EADDRINUSE;
            return false;
        }
        is_bound = bind(fd, address, sizeof *file) == 0;
    }
    /* Before it listens nobody can connect, whatever the mode was. */
    return is_bound && chmod(file->sun_path, 0660) == 0 && listen(fd, SOMAXCONN) == 0;
}

static enum fail listen_at_file(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof file.sun_path) {
        return cannot_bind_file(path, ENAMETOOLONG, err);
    }
    memcpy(file.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !bind_file(fd, &file)) {
        int error_number = errno;

        if (fd >= 0) {
            close(fd);
        }
        return cannot_bind_file(path, error_number, err);
    }
    *ret_fd = fd;
    return OK;
}

static bool is_listening(int fd)
{
    int is_on = 0, type = 0;
    socklen_t bytes = sizeof is_on;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_on, &bytes) == 0 && is_on &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

enum fail listen_inherit(int fd, int *ret_fd, int *ret_port, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || !is_listening(fd) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        error_set(err, FAIL_CONFIG,
                  "cannot listen on the inherited descriptor %d: it is no listening stream socket",
                  fd);
        return error_hint(err, "the socket unit needs ListenStream= and Accept=no");
    }
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return OK;
}

enum fail listen_bind(const char *address, int port, int *ret_fd, int *ret_port, struct error *err)
{
    union any_address where = {0};
    socklen_t bytes = 0;
    int fd;

    if (str_starts(str_of(address), STR("unix:"))) {
        *ret_port = 0;
        return listen_at_file(address + strlen("unix:"), ret_fd, err);
    }
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
