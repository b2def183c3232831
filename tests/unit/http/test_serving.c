/* What the server offers beyond plain handlers: an intake with later answers, streams of events, caps, other kinds of sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/un.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "http/listen.h"
#include "http/server.h"
#include "tests/unit/http/dialogue.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { ANSWER_BYTES = 256 * 1024, LATERS_MAX = 64 };

struct fixture {
    struct http_server *server;
    struct clock *clock;
    pthread_mutex_t mutex;
    /* guarded by mutex */
    struct http_later *laters[LATERS_MAX];
    struct http_response *responses[LATERS_MAX];
    const struct http_request *requests[LATERS_MAX];
    size_t laters_count;
    struct http_stream *stream;
};

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct fixture *f = context;

    if (str_equal(request->url, STR("/stream"))) {
        struct http_stream *stream = http_stream_open(response);

        pthread_mutex_lock(&f->mutex);
        f->stream = stream;
        pthread_mutex_unlock(&f->mutex);
        return;
    }
    response->status = 200;
    response->logged_path = str_starts(request->url, STR("/secret")) ? STR("/secret/*") : STR_NONE;
    response->body = arena_printf(&response->arena, "handler <%" PRI_STR "> <%" PRI_STR "> %s.",
                                  STR_ARG(request->client_address), STR_ARG(request->host),
                                  request->is_tls ? "tls" : "plain");
}

static enum http_intake take(void *context, const struct http_request *request,
                             struct http_later *later, struct http_response *response)
{
    struct fixture *f = context;

    if (str_equal(request->url, STR("/now"))) {
        response->status = 202;
        response->body = STR("at once.");
        return HTTP_INTAKE_ANSWER;
    }
    if (!str_starts(request->url, STR("/later"))) {
        return HTTP_INTAKE_PASS;
    }
    pthread_mutex_lock(&f->mutex);
    f->laters[f->laters_count] = later;
    f->requests[f->laters_count] = request;
    f->responses[f->laters_count++] = response;
    pthread_mutex_unlock(&f->mutex);
    return HTTP_INTAKE_LATER;
}

static struct http_server_options usual_options(struct fixture *f)
{
    return (struct http_server_options){.address = "127.0.0.1",
                                        .handler = handle,
                                        .context = f,
                                        .intake = take,
                                        .intake_context = f,
                                        .request_deadline_ms = 1000};
}

static void start(struct fixture *f, const struct http_server_options *options)
{
    struct error err = {0};

    *f = (struct fixture){.clock = clock_new_real()};
    pthread_mutex_init(&f->mutex, NULL);
    if (http_server_start(options, &f->server, &err) != OK) {
        fail_msg("%s", err.message);
    }
}

static int set_up(void **state)
{
    static struct fixture f;
    const struct http_server_options options = usual_options(&f);

    start(&f, &options);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_stream_end(f->stream);
    http_server_stop(f->server);
    clock_free(f->clock);
    return 0;
}

static int ask(struct fixture *f, const char *path)
{
    AUTO_ARENA struct arena arena = {0};
    int fd = dial_port(http_server_port(f->server));

    say(fd, arena_printf(&arena, "GET %s HTTP/1.1\r\nHost: h.example\r\n\r\n", path));
    return fd;
}

#define EXPECT_ANSWER(fd, until, part)                                                             \
    do {                                                                                           \
        static char answer_[ANSWER_BYTES];                                                         \
        hear((fd), answer_, sizeof answer_, (until));                                              \
        if (!strstr(answer_, (part))) {                                                            \
            fail_msg("wanted '%s', got '%.200s'", (part), answer_);                                \
        }                                                                                          \
    } while (0)

static size_t laters_count(struct fixture *f)
{
    size_t count;

    pthread_mutex_lock(&f->mutex);
    count = f->laters_count;
    pthread_mutex_unlock(&f->mutex);
    return count;
}

#define WAIT_UNTIL(claim)                                                                          \
    do {                                                                                           \
        int64_t until_ms_ = clock_mono_ms(f->clock) + GIVE_UP_MS;                                  \
        while (!(claim)) {                                                                         \
            if (clock_mono_ms(f->clock) > until_ms_) {                                             \
                fail_msg("never: %s", #claim);                                                     \
            }                                                                                      \
            usleep(500);                                                                           \
        }                                                                                          \
    } while (0)

static void the_intake_answers_at_once_or_passes_on(void **state)
{
    struct fixture *f = *state;
    int fd = ask(f, "/now");

    EXPECT_ANSWER(fd, "once.", "HTTP/1.1 202");
    close(fd);
    fd = ask(f, "/else");
    EXPECT_ANSWER(fd, ".", "HTTP/1.1 200");
    close(fd);
}

static void *send_all(void *context)
{
    struct fixture *f = context;

    for (size_t i = 0; i < f->laters_count; i++) {
        f->responses[i]->status = 200;
        f->responses[i]->body = arena_printf(&f->responses[i]->arena, "later %" PRI_STR ".",
                                             STR_ARG(f->requests[i]->url));
    }
    http_later_send(f->laters, f->laters_count);
    return NULL;
}

static void later_answers_come_from_any_thread_to_their_own_clients(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    int fds[30];

    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        AUTO_ARENA struct arena arena = {0};

        fds[i] = ask(f, arena_printf(&arena, "/later/%zu/", i).at);
    }
    WAIT_UNTIL(laters_count(f) == COUNT_OF(fds));
    assert_int_equal(pthread_create(&thread, NULL, send_all, f), 0);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        AUTO_ARENA struct arena arena = {0};

        EXPECT_ANSWER(fds[i], "/.", arena_printf(&arena, "later /later/%zu/.", i).at);
        close(fds[i]);
    }
}

static void a_later_answer_to_a_client_that_left_is_harmless(void **state)
{
    struct fixture *f = *state;
    int gone = ask(f, "/later/gone");
    int reset = ask(f, "/later/reset");
    const struct linger at_once = {.l_onoff = 1};
    int fd;

    WAIT_UNTIL(laters_count(f) == 2);
    setsockopt(reset, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(gone);
    close(reset);
    fd = ask(f, "/now"); /* by its answer the server has seen both leave */
    EXPECT_ANSWER(fd, "once.", "HTTP/1.1 202");
    close(fd);
    send_all(f);
    fd = ask(f, "/now");
    EXPECT_ANSWER(fd, "once.", "HTTP/1.1 202");
    close(fd);
}

static void send_on_intake_end(void *context)
{
    struct fixture *f = context;

    send_all(f);
    f->laters_count = 0;
}

/* Nobody else sends the answers here; what was passed on or answered is no reason to be told. */
static void who_takes_for_later_is_told_when_no_more_come(void **state)
{
    static struct fixture f;
    struct http_server_options options = usual_options(&f);

    (void)state;
    options.intake_end = send_on_intake_end;
    start(&f, &options);
    for (int i = 0; i < 3; i++) {
        int first = ask(&f, "/later/1"), second = ask(&f, "/later/2"), third = ask(&f, "/now");

        EXPECT_ANSWER(second, "/2.", "later /later/2.");
        EXPECT_ANSWER(first, "/1.", "later /later/1.");
        EXPECT_ANSWER(third, "once.", "HTTP/1.1 202");
        close(first);
        close(second);
        close(third);
    }
    http_server_stop(f.server);
    clock_free(f.clock);
}

static void *send_soon(void *context)
{
    struct fixture *f = context;

    clock_wait_ms(f->clock, 200);
    return send_all(f);
}

static void stopping_waits_for_later_answers(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    int fd = ask(f, "/later/last");

    WAIT_UNTIL(laters_count(f) == 1);
    assert_int_equal(pthread_create(&thread, NULL, send_soon, f), 0);
    http_server_stop(f->server);
    f->server = NULL;
    pthread_join(thread, NULL);
    EXPECT_ANSWER(fd, NULL, "later /later/last.");
    close(fd);
}

static struct http_stream *stream_of(struct fixture *f)
{
    struct http_stream *stream;

    pthread_mutex_lock(&f->mutex);
    stream = f->stream;
    pthread_mutex_unlock(&f->mutex);
    return stream;
}

static struct http_stream *opened_stream(struct fixture *f, int *ret_fd)
{
    *ret_fd = ask(f, "/stream");
    WAIT_UNTIL(stream_of(f));
    return stream_of(f);
}

static void events_arrive_in_the_standard_form(void **state)
{
    struct fixture *f = *state;
    int fd;
    struct http_stream *stream = opened_stream(f, &fd);
    const struct http_event full = {STR("run"), STR("7"), STR("one\ntwo\r\nthree\r")};

    assert_true(http_stream_send(stream, &full));
    EXPECT_ANSWER(fd, "data: \n\n",
                  "event: run\nid: 7\ndata: one\ndata: two\ndata: three\ndata: \n\n");
    assert_true(http_stream_send(stream, &(const struct http_event){.data = STR("more")}));
    EXPECT_ANSWER(fd, "more\n\n", "data: more\n\n");
    http_stream_end(stream);
    f->stream = NULL;
    EXPECT_ANSWER(fd, "0\r\n\r\n", "0\r\n\r\n"); /* the last chunk */
    close(fd);
}

/* Twice on one connection: a body that slipped out would stand before the second answer. */
static void head_is_answered_as_get_without_the_body(void **state)
{
    static const struct {
        const char *path, *status, *has;
    } ROWS[] = {{"/x", "HTTP/1.1 200", "Content-Length: 38\r\n"},
                {"/now", "HTTP/1.1 202", "Content-Length: 8\r\n"},
                {"/stream", "HTTP/1.1 200", "Content-Type: text/event-stream\r\n"}};
    struct fixture *f = *state;
    static char answer[ANSWER_BYTES];

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        int fd = dial_port(http_server_port(f->server));

        for (int again = 0; again < 2; again++) {
            const char *body;

            say(fd,
                arena_printf(&arena, "HEAD %s HTTP/1.1\r\nHost: h.example\r\n\r\n", ROWS[i].path));
            hear(fd, answer, sizeof answer, "\r\n\r\n");
            body = strstr(answer, "\r\n\r\n");
            if (strncmp(answer, ROWS[i].status, strlen(ROWS[i].status)) != 0 ||
                !strstr(answer, ROWS[i].has) || !body || body[4]) {
                fail_msg("%s: got '%.300s'", ROWS[i].path, answer);
            }
            if (stream_of(f)) { /* it has no listener */
                WAIT_UNTIL(!http_stream_is_open(stream_of(f)));
                http_stream_end(f->stream);
                f->stream = NULL;
            }
        }
        say(fd, STR("GET /x HTTP/1.1\r\nHost: h.example\r\n\r\n"));
        EXPECT_ANSWER(fd, "plain.", "\r\n\r\nhandler <127.0.0.1> <h.example> plain.");
        close(fd);
    }
}

static void a_stream_says_when_its_client_is_gone(void **state)
{
    struct fixture *f = *state;
    int fd;
    struct http_stream *stream = opened_stream(f, &fd);

    assert_true(http_stream_is_open(stream));
    close(fd);
    WAIT_UNTIL(!http_stream_is_open(stream));
    assert_false(http_stream_send(stream, &(const struct http_event){.data = STR("x")}));
}

/* The kernel's own buffers take some first. */
static void a_slow_subscriber_is_let_go(void **state)
{
    struct fixture *f = *state;
    int fd, sent = 0;
    struct http_stream *stream = opened_stream(f, &fd);
    static char text[4096];
    const struct http_event event = {.data = {.at = text, .len = sizeof text}};

    memset(text, 'x', sizeof text);
    while (http_stream_send(stream, &event)) {
        sent++;
        usleep(100); /* so that the server takes it and nothing but the client is slow */
        assert_true(sent < 10000);
    }
    assert_true(sent >= HTTP_STREAM_UNSENT_BYTES_MAX / (int)sizeof text - 2);
    assert_false(http_stream_is_open(stream));
    close(fd);
}

/* A sender that looks at what has not left is never too fast, and goes on when the client reads again. */
static void a_sender_may_wait_for_its_client(void **state)
{
    enum { FULL = HTTP_STREAM_UNSENT_BYTES_MAX / 4, PIECE = 4096 };
    struct fixture *f = *state;
    int fd;
    struct http_stream *stream = opened_stream(f, &fd);
    static char text[PIECE], taken[64 * PIECE];
    const struct http_event event = {.data = {.at = text, .len = sizeof text}};
    int64_t full_since_ms = 0;

    memset(text, 'x', sizeof text);
    while (full_since_ms == 0 || clock_mono_ms(f->clock) - full_since_ms < 300) {
        if (http_stream_unsent(stream) >= FULL) {
            full_since_ms = full_since_ms ? full_since_ms : clock_mono_ms(f->clock);
            usleep(1000);
            continue;
        }
        full_since_ms = 0;
        assert_true(http_stream_send(stream, &event));
    }
    assert_true(http_stream_is_open(stream));
    WAIT_UNTIL(recv(fd, taken, sizeof taken, MSG_DONTWAIT) >= 0 ||
               http_stream_unsent(stream) < FULL);
    WAIT_UNTIL((recv(fd, taken, sizeof taken, MSG_DONTWAIT), http_stream_unsent(stream)) == 0);
    assert_true(http_stream_send(stream, &event));
    f->stream = NULL;
    http_stream_drop(stream);
    WAIT_UNTIL(recv(fd, taken, sizeof taken, MSG_DONTWAIT) ==
               0); /* closed, without the end of the answer */
    close(fd);
}

static void streams_outlive_the_deadline_and_end_with_the_server(void **state)
{
    struct fixture *f = *state;
    struct http_server_options options;
    int fd;
    struct http_stream *stream;

    tear_down(state);
    options = usual_options(f);
    options.stream_heartbeat_ms = 300;
    start(f, &options);
    stream = opened_stream(f, &fd);
    clock_wait_ms(f->clock, 1500); /* the request's deadline is 1000 */
    assert_true(http_stream_is_open(stream));
    assert_true(http_stream_send(stream, &(const struct http_event){.data = STR("alive")}));
    EXPECT_ANSWER(fd, "alive", "3\r\n:\n\n\r\n"); /* heartbeats before it */
    http_server_stop(f->server);
    f->server = NULL;
    EXPECT_ANSWER(fd, NULL, "0\r\n\r\n");
    assert_false(http_stream_is_open(stream));
    close(fd);
}

static void an_address_has_its_cap_and_a_trusted_proxy_has_none(void **state)
{
    struct fixture *f = *state;

    for (int trusts = 0; trusts <= 1; trusts++) {
        struct http_server_options options = usual_options(f);
        struct address_range range;
        static char answer[ANSWER_BYTES];
        int fds[6], served = 0;

        tear_down(state);
        assert_true(address_range_parse(STR("127.0.0.0/8"), &range));
        options.connections_per_address_max = 4;
        options.trusted_proxies = &range;
        options.trusted_proxies_count = (size_t)trusts;
        start(f, &options);
        for (size_t i = 0; i < COUNT_OF(fds); i++) {
            fds[i] = ask(f, "/now");
            hear(fds[i], answer, sizeof answer, "once.");
            served += strstr(answer, "202") ? 1 : 0;
        }
        if (served < 4 || (trusts && served != 6)) {
            fail_msg("%d of 6 were served (trusted: %d)", served, trusts);
        }
        if (!trusts) { /* whoever came too much is disconnected, also when it was quick enough to be answered */
            WAIT_UNTIL(recv(fds[5], answer, sizeof answer, MSG_DONTWAIT) == 0);
            assert_int_equal(recv(fds[0], answer, sizeof answer, MSG_DONTWAIT), -1);
        }
        for (size_t i = 0; i < COUNT_OF(fds); i++) {
            close(fds[i]);
        }
    }
}

static void accepting_can_be_paused(void **state)
{
    struct fixture *f = *state;
    struct pollfd wait = {.events = POLLIN};

    http_server_accept(f->server, false);
    clock_wait_ms(f->clock, 50);
    wait.fd = ask(f, "/now");
    assert_int_equal(poll(&wait, 1, 300), 0);
    http_server_accept(f->server, true);
    EXPECT_ANSWER(wait.fd, "once.", "HTTP/1.1 202");
    close(wait.fd);
}

static void an_inherited_socket_is_served(void **state)
{
    struct fixture *f = *state;
    struct http_server_options options = usual_options(f);
    struct error err = {0};
    int port, fd;

    tear_down(state);
    assert_int_equal(listen_bind("127.0.0.1", 0, &options.inherited_fd, &port, &err), OK);
    fd = dial_port(port); /* waits from before the start */
    say(fd, STR("GET /now HTTP/1.1\r\nHost: h\r\n\r\n"));
    start(f, &options);
    assert_int_equal(http_server_port(f->server), port);
    EXPECT_ANSWER(fd, "once.", "HTTP/1.1 202");
    close(fd);
}

static void what_is_no_listening_socket_is_not_inherited(void **state)
{
    struct fixture *f = *state;
    struct http_server_options options = usual_options(f);
    struct http_server *server;
    struct error err = {0};

    options.inherited_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(http_server_start(&options, &server, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, "no listening"));
    close(options.inherited_fd);
}

static int dial_file(const char *path)
{
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(file.sun_path, path, strlen(path));
    assert_int_equal(connect(fd, (const struct sockaddr *)&file, sizeof file), 0);
    return fd;
}

static void a_socket_file_is_served_and_a_stale_one_replaced(void **state)
{
    struct fixture *f = *state;
    AUTO_ARENA struct arena arena = {0};
    char folder[] = "/tmp/crmsync-serving-XXXXXX";
    struct http_server_options options = usual_options(f);
    struct http_server *second;
    struct error err = {0};
    const char *path;

    tear_down(state);
    assert_non_null(mkdtemp(folder));
    options.address = arena_printf(&arena, "unix:%s/http.sock", folder).at;
    path = options.address + strlen("unix:");
    for (int i = 0; i < 2; i++) { /* the second finds what the first has left */
        int fd;

        start(f, &options);
        fd = dial_file(path);
        say(fd, STR("GET /else HTTP/1.1\r\nHost: h\r\n\r\n"));
        EXPECT_ANSWER(fd, ".", "handler <> <h> plain.");
        close(fd);
        if (i == 0) {
            assert_int_equal(http_server_start(&options, &second, &err), FAIL_CONFIG);
            assert_non_null(strstr(err.message, "in use"));
            tear_down(state);
        }
    }
    unlink(path);
    rmdir(folder);
}

static void the_access_log_has_neither_queries_nor_secret_paths(void **state)
{
    struct fixture *f = *state;
    struct http_server_options options = usual_options(f);
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    struct clock *clock = clock_new_real();
    int fd;

    tear_down(state);
    options.log = log_new(stream, LOG_FORM_JSON, LOG_DEBUG, clock);
    start(f, &options);
    fd = ask(f, "/open?code=canary1");
    EXPECT_ANSWER(fd, ".", "200");
    close(fd);
    fd = ask(f, "/secret/canary2");
    EXPECT_ANSWER(fd, ".", "200");
    close(fd);
    http_server_stop(f->server);
    f->server = NULL;
    fclose(stream);
    assert_non_null(strstr(text, "\"path\":\"/open\",\"status\":200"));
    assert_non_null(strstr(text, "\"path\":\"/secret/*\""));
    assert_non_null(strstr(text, "\"client\":\"127.0.0.1\""));
    assert_null(strstr(text, "canary"));
    log_free(options.log);
    clock_free(clock);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_intake_answers_at_once_or_passes_on),
        TEST(later_answers_come_from_any_thread_to_their_own_clients),
        cmocka_unit_test(who_takes_for_later_is_told_when_no_more_come),
        TEST(a_later_answer_to_a_client_that_left_is_harmless),
        TEST(stopping_waits_for_later_answers),
        TEST(events_arrive_in_the_standard_form),
        TEST(head_is_answered_as_get_without_the_body),
        TEST(a_stream_says_when_its_client_is_gone),
        TEST(a_slow_subscriber_is_let_go),
        TEST(a_sender_may_wait_for_its_client),
        TEST(streams_outlive_the_deadline_and_end_with_the_server),
        TEST(an_address_has_its_cap_and_a_trusted_proxy_has_none),
        TEST(accepting_can_be_paused),
        TEST(an_inherited_socket_is_served),
        TEST(what_is_no_listening_socket_is_not_inherited),
        TEST(a_socket_file_is_served_and_a_stale_one_replaced),
        TEST(the_access_log_has_neither_queries_nor_secret_paths),
    };

    return cmocka_run_group_tests_name("serving", tests, NULL, NULL);
}
