/* Bytes at the server's door: what reaches the handler is a request that everybody would read alike, and the server lives on. A socket file (ports run out), and the real clock. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/guard.h"
#include "http/server.h"

enum { BODY_BYTES_MAX = 4096, INPUT_BYTES_MAX = 64 * 1024, WAIT_US = 500 * 1000 };

static struct http_server *server;
static atomic_int handled;

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    (void)context;
    MUST_HOLD(guard_target_ok(request->url), "target");
    MUST_HOLD(request->headers.count <= HTTP_HEADERS_MAX, "%zu headers", request->headers.count);
    MUST_HOLD(request->body.len <= BODY_BYTES_MAX, "a body of %zu", request->body.len);
    for (size_t i = 0; i < request->headers.count; i++) {
        MUST_HOLD(request->headers.at[i].name.len, "a header without a name");
    }
    atomic_fetch_add(&handled, 1);
    response->status = 200;
    response->body = STR("ok");
}

static char folder[] = "/tmp/crmsync-fuzz-XXXXXX", address[128];
static struct sockaddr_un there = {.sun_family = AF_UNIX};

static void stop(void)
{
    http_server_stop(server);
    unlink(there.sun_path);
    rmdir(folder);
}

static void start(void)
{
    const struct http_server_options options = {.address = address,
                                                .handler = handle,
                                                .workers = 1,
                                                .body_bytes_max = BODY_BYTES_MAX,
                                                .request_deadline_ms = 1000};
    struct error err = {0};

    MUST_HOLD(mkdtemp(folder), "no folder for the socket");
    snprintf(there.sun_path, sizeof there.sun_path, "%s/http.sock", folder);
    snprintf(address, sizeof address, "unix:%s", there.sun_path);
    MUST_HOLD(http_server_start(&options, &server, &err) == OK, "%s", err.message);
    atexit(stop);
}

static int dial(void)
{
    const struct timeval wait = {.tv_usec = WAIT_US};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST_HOLD(fd >= 0 && connect(fd, (const struct sockaddr *)&there, sizeof there) == 0,
              "nobody listens: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return fd;
}

/* Sends all of it and nothing more, and reads until the server closes. */
static size_t exchange(struct str input, char *answer, size_t room)
{
    int fd = dial();
    size_t len = 0, sent = 0;
    ssize_t part = 1;

    while (sent < input.len && part > 0) {
        part = send(fd, input.at + sent, input.len - sent, MSG_NOSIGNAL);
        sent += part > 0 ? (size_t)part : 0;
    }
    shutdown(fd, SHUT_WR);
    while (len < room && (part = recv(fd, answer + len, room - len, 0)) > 0) {
        len += (size_t)part;
    }
    close(fd);
    return len;
}

void fuzz_one(struct str input)
{
    static char answer[256 * 1024];
    size_t len, requests = 0;
    int before;

    if (!server) {
        start();
    }
    if (input.len > INPUT_BYTES_MAX) {
        return;
    }
    before = atomic_load(&handled);
    len = exchange(input, answer, sizeof answer);
    /* a version that does not exist is refused under its own name */
    MUST_HOLD(len == 0 || (len > 7 &&
                           (memcmp(answer, "HTTP/1.", 7) == 0 || memmem(answer, len, " 400 ", 5))),
              "%.*s", (int)len, answer);
    for (size_t i = 0; i + 5 <= input.len; i++) {
        requests += memcmp(input.at + i, "HTTP/", 5) == 0; /* libevent takes blanks in a version */
    }
    MUST_HOLD((size_t)(atomic_load(&handled) - before) <= requests, "a request came of nothing");
}
