/* The server's guard, spoken to by raw sockets: what a polite client never sends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <pthread.h>
#include <stdatomic.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "http/guard.h"
#include "http/server.h"
#include "tests/unit/http/dialogue.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { ANSWER_BYTES = 64 * 1024, DEADLINE_MS = 400 };

struct fixture {
    struct http_server *server;
    struct clock *clock;
    atomic_int received;
    atomic_bool is_slow;
};

static void echo(void *context, const struct http_request *request, struct http_response *response)
{
    struct fixture *f = context;

    atomic_fetch_add(&f->received, 1);
    while (atomic_load(&f->is_slow)) {
        usleep(1000);
    }
    response->status = 200;
    response->body = arena_printf(&response->arena, "%s %" PRI_STR " [%" PRI_STR "]",
                                  http_method_name(request->method), STR_ARG(request->url),
                                  STR_ARG(request->body));
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    const struct http_server_options options = {.address = "127.0.0.1",
                                                .handler = echo,
                                                .context = f,
                                                .body_bytes_max = 1000,
                                                .header_bytes_max = 4000,
                                                .connections_max = 20,
                                                .request_deadline_ms = DEADLINE_MS};
    struct error err = {0};

    *f = (struct fixture){0};
    f->clock = clock_new_real();
    assert_int_equal(http_server_start(&options, &f->server, &err), OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_server_stop(f->server);
    clock_free(f->clock);
    return 0;
}

static int dial(const struct fixture *f)
{
    return dial_port(http_server_port(f->server));
}

#define HEAD "POST /x HTTP/1.1\r\nHost: h.example\r\n"

static void framing_is_strict(void **state)
{
    static const struct {
        const char *why;
        struct str text;
        const char *want; /* start of the answer; "" = none, just closed */
    } ROWS[] = {
        {"plain", STR(HEAD "Content-Length: 2\r\n\r\nab"), "HTTP/1.1 200"},
        {"chunked", STR(HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
         "HTTP/1.1 200"},
        {"no Host", STR("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400"},
        {"two Hosts", STR("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "HTTP/1.1 400"},
        {"empty Host", STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "HTTP/1.1 400"},
        {"blank before the colon", STR("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), "HTTP/1.1 400"},
        {"two lengths", STR(HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab"),
         "HTTP/1.1 400"},
        {"length list", STR(HEAD "Content-Length: 2, 2\r\n\r\nab"), "HTTP/1.1 400"},
        {"length with sign", STR(HEAD "Content-Length: +2\r\n\r\nab"), "HTTP/1.1 400"},
        {"hexadecimal length", STR(HEAD "Content-Length: 0x2\r\n\r\nab"), "HTTP/1.1 400"},
        {"negative length", STR(HEAD "Content-Length: -2\r\n\r\nab"), "HTTP/1.1 400"},
        {"length and chunked",
         STR(HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         "HTTP/1.1 400"},
        {"another encoding", STR(HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
         "HTTP/1.1 400"},
        {"encoding list", STR(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
         "HTTP/1.1 400"},
        {"two encodings",
         STR(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         "HTTP/1.1 400"},
        {"encoded NUL", STR("GET /x%00y HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 400"},
        {"control character in the target", STR("GET /x\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
         "HTTP/1.1 400"},
        {"absolute target", STR("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 400"},
        {"control character in a value", STR("GET / HTTP/1.1\r\nHost: a\r\nX: \x02\r\n\r\n"),
         "HTTP/1.1 400"},
        {"method we do not serve", STR("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 501"},
        {"version 0.1", STR("GET / HTTP/0.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 505"},
        {"version 2.0", STR("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), "HTTP/1.1 400"},
        {"chunked in 1.0",
         STR("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         "HTTP/1.0 400"},
        {"not HTTP at all", STR("hello\r\n\r\n"), ""},
    };
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int fd = dial(f);

        say(fd, ROWS[i].text);
        shutdown(fd, SHUT_WR);
        hear(fd, answer, sizeof answer, NULL);
        close(fd);
        if (strncmp(answer, ROWS[i].want, strlen(ROWS[i].want)) != 0) {
            fail_msg("%s: got '%.60s'", ROWS[i].why, answer);
        }
    }
    assert_int_equal(atomic_load(&f->received), 2); /* only the first two */
}

/* Whatever the method, a body is read as one, or refused: what it says is never the next request. */
static void a_body_is_never_the_next_request(void **state)
{
    static const char *const METHODS[] = {"GET", "HEAD", "DELETE", "POST", "PUT", "PATCH"};
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];

    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        AUTO_ARENA struct arena arena = {0};
        int before = atomic_load(&f->received), fd = dial(f);

        say(fd, arena_printf(&arena,
                             "%s /a HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n"
                             "PUT /b HTTP/1.1\r\nHost: smuggled\r\n\r\n"
                             "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                             METHODS[i]));
        hear(fd, answer, sizeof answer, NULL);
        close(fd);
        assert_int_equal(atomic_load(&f->received) - before,
                         strcmp(METHODS[i], "HEAD") == 0 ? 0 : 2);
    }
}

/* The guard by itself: evhttp happens to refuse some of these as well. */
static void the_guard_counts_framing_headers(void **state)
{
    static const struct {
        const char *why, *name, *value, *also, *value_of_also;
        bool want;
    } ROWS[] = {
        {"length", "Content-Length", "1", NULL, NULL, true},
        {"chunked", "transfer-encoding", "Chunked", NULL, NULL, true},
        {"both", "Content-Length", "1", "Transfer-Encoding", "chunked", false},
        {"length twice", "Content-Length", "1", "content-length", "1", false},
        {"encoding twice", "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked", false},
        {"Host again", "Content-Length", "1", "HOST", "h", false},
        {"19 digits", "Content-Length", "1000000000000000000", NULL, NULL, false},
        {"name with blank", "Content-Length ", "1", NULL, NULL, false},
        {"name with tab", "X\tY", "1", NULL, NULL, false},
        {"tab in a value", "X", "a\tb", NULL, NULL, true},
        {"line end in a value", "X", "a\nb", NULL, NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct guard_framing framing = {0};

        guard_note_header(&framing, STR("Host"), STR("h.example"));
        guard_note_header(&framing, str_of(ROWS[i].name), str_of(ROWS[i].value));
        if (ROWS[i].also) {
            guard_note_header(&framing, str_of(ROWS[i].also), str_of(ROWS[i].value_of_also));
        }
        if (guard_framing_ok(&framing) != ROWS[i].want) {
            fail_msg("%s", ROWS[i].why);
        }
    }
}

static void too_much_is_refused(void **state)
{
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];
    char large[1100];
    AUTO_ARENA struct arena arena = {0};
    int fd;

    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';

    fd = dial(f);
    say(fd, arena_printf(&arena, HEAD "Content-Length: 1099\r\n\r\n%s", large));
    hear(fd, answer, sizeof answer, NULL);
    assert_non_null(strstr(answer, "HTTP/1.1 413"));
    close(fd);

    fd = dial(f);
    say(fd, arena_printf(&arena, HEAD "Transfer-Encoding: chunked\r\n\r\n44b\r\n%s\r\n", large));
    hear(fd, answer, sizeof answer, NULL);
    assert_non_null(strstr(answer, "HTTP/1.1 413"));
    close(fd);

    fd = dial(f);
    say(fd, arena_printf(&arena, HEAD "A: %s\r\nB: %s\r\nC: %s\r\nD: %s\r\n\r\n", large, large,
                         large, large));
    hear(fd, answer, sizeof answer, NULL);
    assert_null(strstr(answer, "HTTP/1.1 2"));
    close(fd);
    assert_int_equal(atomic_load(&f->received), 0);
}

static void one_connection_serves_many_requests(void **state)
{
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];
    int fd = dial(f);

    for (int i = 0; i < 5; i++) {
        say(fd, STR(HEAD "Content-Length: 2\r\n\r\nab"));
        assert_false(hear(fd, answer, sizeof answer, "POST /x [ab]"));
        assert_non_null(strstr(answer, "POST /x [ab]"));
    }
    say(fd, STR(HEAD "Content-Length: 1\r\n\r\nc" HEAD "Content-Length: 1\r\n\r\nd")); /* piped */
    hear(fd, answer, sizeof answer, "[d]");
    assert_non_null(strstr(answer, "[c]"));
    assert_non_null(strstr(answer, "[d]"));
    close(fd);
}

/* Sends `drip` byte by byte until the server ends the connection; returns after how long it did. */
static int64_t drip_until_closed(struct fixture *f, struct str start, char drip)
{
    int fd = dial(f);
    int64_t began_ms = clock_mono_ms(f->clock);
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    say(fd, start);
    while (clock_mono_ms(f->clock) - began_ms < GIVE_UP_MS && poll(&wait, 1, 20) == 0) {
        say(fd, (struct str){.at = &drip, .len = 1});
    }
    close(fd);
    return clock_mono_ms(f->clock) - began_ms;
}

static void a_request_must_be_complete_in_time(void **state)
{
    static const struct {
        const char *why;
        struct str start;
        char drip;
    } ROWS[] = {
        {"dripped head", STR("GET /"), 'x'},
        {"dripped body", STR(HEAD "Content-Length: 900\r\n\r\n"), 'x'},
        {"dripped chunk", STR(HEAD "Transfer-Encoding: chunked\r\n\r\n384\r\n"), 'x'},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t took_ms = drip_until_closed(f, ROWS[i].start, ROWS[i].drip);

        if (took_ms < DEADLINE_MS - 50 || took_ms > DEADLINE_MS + 2000) {
            fail_msg("%s: closed after %lld ms", ROWS[i].why, (long long)took_ms);
        }
    }
    assert_int_equal(atomic_load(&f->received), 0);
}

static void silent_connections_are_closed_and_busy_ones_are_not(void **state)
{
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];
    int silent = dial(f);
    int busy = dial(f);

    atomic_store(&f->is_slow, true);
    say(busy, STR(HEAD "Content-Length: 2\r\n\r\nab"));
    assert_true(hear(silent, answer, sizeof answer, NULL)); /* by now the busy one is late, too */
    clock_wait_ms(f->clock, DEADLINE_MS);
    atomic_store(&f->is_slow, false);
    hear(busy, answer, sizeof answer, "[ab]");
    assert_non_null(strstr(answer, "[ab]"));
    close(silent);
    close(busy);
}

static void connections_beyond_the_cap_wait_their_turn(void **state)
{
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];
    int64_t began_ms = clock_mono_ms(f->clock);
    int fds[40];

    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = dial(f); /* the first twenty hold their places until their deadline */
    }
    for (size_t i = 20; i < COUNT_OF(fds); i++) {
        say(fds[i], STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    }
    for (size_t i = 20; i < COUNT_OF(fds); i++) {
        hear(fds[i], answer, sizeof answer, NULL);
        if (!strstr(answer, "HTTP/1.1 200")) {
            fail_msg("connection %zu got '%.40s'", i, answer);
        }
        assert_true(clock_mono_ms(f->clock) - began_ms >= DEADLINE_MS - 50);
    }
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        close(fds[i]);
    }
}

static void a_client_that_leaves_early_harms_nobody(void **state)
{
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];
    int fd;

    for (int i = 0; i < 50; i++) {
        const struct linger reset = {.l_onoff = 1};

        fd = dial(f);
        say(fd, STR(HEAD "Content-Length: 2\r\n\r\nab"));
        if (i % 2) {
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        close(fd);
    }
    fd = dial(f);
    say(fd, STR("GET /alive HTTP/1.1\r\nHost: h\r\n\r\n"));
    hear(fd, answer, sizeof answer, "]");
    assert_non_null(strstr(answer, "GET /alive []"));
    close(fd);
}

static void *release_soon(void *context)
{
    struct fixture *f = context;

    clock_wait_ms(f->clock, 200);
    atomic_store(&f->is_slow, false);
    return NULL;
}

static void stopping_lets_running_requests_finish(void **state)
{
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];
    pthread_t thread;
    int fd = dial(f);

    atomic_store(&f->is_slow, true);
    say(fd, STR(HEAD "Content-Length: 2\r\n\r\nab"));
    while (atomic_load(&f->received) == 0) {
        usleep(1000);
    }
    assert_int_equal(pthread_create(&thread, NULL, release_soon, f), 0);
    http_server_stop(f->server);
    f->server = NULL;
    pthread_join(thread, NULL);
    hear(fd, answer, sizeof answer, NULL);
    assert_non_null(strstr(answer, "POST /x [ab]"));
    close(fd);
}

static void bad_addresses_are_explained(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *why;
        struct http_server_options options;
        const char *message, *hint;
    } rows[] = {
        {"taken",
         {.address = "127.0.0.1", .port = http_server_port(f->server), .handler = echo},
         "in use",
         "another"},
        {"a name", {.address = "localhost", .handler = echo}, "not an IP address", "127.0.0.1"},
        {"foreign", {.address = "192.0.2.1", .handler = echo}, "assign", "interface"},
        {"port", {.address = "127.0.0.1", .port = 70000, .handler = echo}, "70000", ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error err = {0};
        struct http_server *server;

        assert_int_equal(http_server_start(&rows[i].options, &server, &err), FAIL_CONFIG);
        if (!strstr(err.message, rows[i].message) || !strstr(err.hint, rows[i].hint)) {
            fail_msg("%s: '%s' '%s'", rows[i].why, err.message, err.hint);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(framing_is_strict),
        TEST(a_body_is_never_the_next_request),
        cmocka_unit_test(the_guard_counts_framing_headers),
        TEST(too_much_is_refused),
        TEST(one_connection_serves_many_requests),
        TEST(a_request_must_be_complete_in_time),
        TEST(silent_connections_are_closed_and_busy_ones_are_not),
        TEST(connections_beyond_the_cap_wait_their_turn),
        TEST(a_client_that_leaves_early_harms_nobody),
        TEST(stopping_lets_running_requests_finish),
        TEST(bad_addresses_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
