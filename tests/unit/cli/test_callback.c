/* The address that a browser comes back to: who is late, and who is slow. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/callback.h"

#include "tests/expect.h" /* last: cmocka's macro fail() would break declarations with enum fail */

#define EVER_MS (INT64_C(1) << 60)

enum { LONGER_MS = 500, SLOW_MS_MAX = 8 * 1000, RECEIVE_S_MAX = 20 };

#define GOOD "GET /callback?code=C&state=S HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#define MALFORMED "GET /\001 HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct {
    struct env env;
    struct clock *real;
    struct error err;
    int port;
    bool is_jumping; /* the time is over while the answer is dealt with */
    int unanswered;
    pthread_t waiter;
    char uri[64];
} t;

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, bytes), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &bytes), 0);
    close(fd);
    return ntohs(at.sin_port);
}

/* -1 when nobody listens yet. */
static int try_connect(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)t.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = RECEIVE_S_MAX};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Bytes of the answer to what is sent, until the server closes or has sent something. */
static ssize_t ask(const char *text, char *ret, size_t size)
{
    int fd;
    ssize_t count;

    while ((fd = try_connect()) < 0) {
        clock_wait_ms(t.real, 5);
    }
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    count = recv(fd, ret, size - 1, 0);
    ret[count > 0 ? count : 0] = '\0';
    close(fd);
    return count;
}

/* The time runs out, and for half a second nothing of the listener may be taken down. */
static void overrun(void)
{
    int64_t until_ms = clock_mono_ms(t.real) + LONGER_MS;
    char text[1024];

    clock_wait_ms(t.env.clock, EVER_MS);
    while (clock_mono_ms(t.real) < until_ms && t.unanswered == 0) {
        t.unanswered += ask(MALFORMED, text, sizeof text) <= 0;
    }
}

static enum fail answered(void *context, const struct signin_answer *answer, bool *ret_goes_on,
                          struct error *err)
{
    (void)context;
    *ret_goes_on = true;
    if (!str_equal(answer->state, STR("S"))) {
        return error_set(err, FAIL_STALE, "another state");
    }
    if (t.is_jumping) {
        overrun();
    }
    return OK;
}

static void *wait_main(void *context)
{
    static enum fail result;

    (void)context;
    result = callback_wait(&t.env, str_of(t.uri), EVER_MS, answered, NULL, &t.err);
    return &result;
}

static void begin(struct clock *clock)
{
    t.env.clock = clock;
    t.real = clock_new_real();
    t.err = (struct error){0};
    t.port = free_port();
    t.unanswered = 0;
    snprintf(t.uri, sizeof t.uri, "http://127.0.0.1:%d/callback", t.port);
}

static enum fail end(void)
{
    void *result;

    pthread_join(t.waiter, &result);
    clock_free(t.env.clock);
    clock_free(t.real);
    return *(enum fail *)result;
}

static void an_answer_that_came_in_time_is_finished(void **state)
{
    char text[1024];

    (void)state;
    begin(clock_new_virtual(0));
    t.is_jumping = true;
    pthread_create(&t.waiter, NULL, wait_main, NULL);
    ask(GOOD, text, sizeof text);
    EXPECT(strstr(text, "200 OK") && strstr(text, "Signed in."), "%s", text);
    EXPECT(end() == OK, "%s", t.err.message);
    assert_int_equal(t.unanswered, 0);
}

static void a_slow_client_does_not_keep_its_place(void **state)
{
    char text[1024];
    int64_t began_ms;

    (void)state;
    begin(clock_new_real());
    t.is_jumping = false;
    pthread_create(&t.waiter, NULL, wait_main, NULL);
    began_ms = clock_mono_ms(t.real);
    ask("GET /callback?code=C&sta", text, sizeof text);
    EXPECT(clock_mono_ms(t.real) - began_ms < SLOW_MS_MAX, "kept for %lld ms",
           (long long)(clock_mono_ms(t.real) - began_ms));
    ask(GOOD, text, sizeof text);
    EXPECT(strstr(text, "200 OK"), "%s", text);
    EXPECT(end() == OK, "%s", t.err.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_came_in_time_is_finished),
        cmocka_unit_test(a_slow_client_does_not_keep_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
