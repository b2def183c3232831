/* The live transport against our own server, over loopback sockets. Real time, so only loose bounds
 * on it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"
#include "http/client.h"
#include "http/server.h"
#include "http/transport.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { BIG_BYTES = 40 * 1024 * 1024, THREADS = 8, ROUNDS = 20 };

/* 200000 times 'A', compressed by gzip -9. */
static const unsigned char GZIPPED[] = {
    31,  139, 8,  0,   0,  0,   0,  0, 2,           3, 237, 193, 49,  1,   0,  0,  0, 194, 160,
    108, 235, 95, 202, 12, 254, 64, 1, [220] = 175, 1, 209, 106, 235, 172, 64, 13, 3, 0};

struct fixture {
    struct clock *clock;
    struct random *random;
    struct http_server *server;
    struct transport *transport;
    struct env env;
    struct http_client *client;
    struct http_account account;
    atomic_int received;
};

static char *big; /* zeros, made once */

static enum http_fault fault_of(struct str name)
{
    static const struct {
        const char *name;
        enum http_fault fault;
    } FAULTS[] = {{"reset", HTTP_FAULT_RESET},
                  {"timeout", HTTP_FAULT_TIMEOUT},
                  {"truncate", HTTP_FAULT_TRUNCATE},
                  {"slow", HTTP_FAULT_SLOW}};

    for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
        if (str_equal(name, str_of(FAULTS[i].name))) {
            return FAULTS[i].fault;
        }
    }
    return HTTP_FAULT_NONE;
}

/* Echoes what it got; the query asks for something else. */
static void crm(void *context, const struct http_request *request, struct http_response *response)
{
    struct fixture *f = context;
    struct arena *arena = &response->arena;
    struct str status = http_query_get(arena, request, "status");
    struct str fault = http_query_get(arena, request, "fault");
    int64_t code = 200;

    atomic_fetch_add(&f->received, 1);
    (void)(status.at && str_to_i64(status, &code));
    response->status = (int)code;
    response->fault = fault_of(fault);
    http_header_add(&response->headers, STR("X-Method"), str_of(http_method_name(request->method)));
    http_header_add(&response->headers, STR("X-Token"),
                    arena_str(arena, http_header_get(&request->headers, "authorization")));
    response->body = arena_str(arena, request->body);
    if (str_equal(http_path(request), STR("/gzip"))) {
        http_header_add(&response->headers, STR("Content-Encoding"), STR("gzip"));
        response->body = (struct str){.at = (const char *)GZIPPED, .len = sizeof GZIPPED};
    } else if (str_equal(http_path(request), STR("/big"))) {
        response->body = (struct str){.at = big, .len = BIG_BYTES};
    } else if (str_equal(http_path(request), STR("/away"))) {
        http_header_add(&response->headers, STR("Location"), STR("/elsewhere"));
    }
}

static enum fail classify(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    (void)account;
    return response->status < 400 ? OK : error_set(err, FAIL_RECORD, "status %d", response->status);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    const struct http_server_options server = {
        .address = "127.0.0.1", .handler = crm, .context = f, .workers = 4};
    const struct transport_live_options live = {.allow_loopback = true};
    const struct http_client_options client = {.allow_loopback = true};
    struct error err = {0};

    big = big ? big : alloc_new(BIG_BYTES, 1);
    *f = (struct fixture){0};
    f->clock = clock_new_real();
    f->random = random_new_system();
    assert_int_equal(http_server_start(&server, &f->server, &err), OK);
    assert_int_equal(transport_new_live(&live, f->clock, &f->transport, &err), OK);
    f->env = (struct env){.clock = f->clock, .random = f->random, .transport = f->transport};
    f->client = http_client_new(&f->env, &client);
    f->account.classify = classify;
    f->account.timeout_ms = 10000;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_client_free(f->client);
    transport_free(f->transport);
    http_server_stop(f->server);
    random_free(f->random);
    clock_free(f->clock);
    return 0;
}

/* The call's texts live in its arena's stead: one per test, freed with it. */
struct one {
    struct arena arena;
    struct http_call call;
};

static void one_fini(struct one *one)
{
    http_call_fini(&one->call);
    arena_fini(&one->arena);
}
#define ONE __attribute__((cleanup(one_fini))) struct one

static struct str url_of(const struct fixture *f, struct arena *arena, const char *target)
{
    return arena_printf(arena, "http://127.0.0.1:%d%s", http_server_port(f->server), target);
}

static void ask(struct fixture *f, struct one *one, enum http_method method, const char *target,
                const char *body)
{
    struct http_call *list[] = {&one->call};
    struct error err = {0};

    one->call.request.method = method;
    one->call.request.url = url_of(f, &one->arena, target);
    one->call.request.body = str_of(body);
    assert_int_equal(http_exec(f->client, &f->account, list, 1, &err), OK);
}

static void every_method_reaches_the_handler_with_its_body(void **state)
{
    static const enum http_method METHODS[] = {HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH,
                                               HTTP_DELETE};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        ONE one = {0};
        const char *body = METHODS[i] == HTTP_GET ? NULL : "{\"name\":\"ü\"}";

        http_header_add(&one.call.request.headers, STR("Authorization"), STR("Bearer t0ken"));
        ask(f, &one, METHODS[i], "/things?a=1", body);
        assert_int_equal(one.call.result, OK);
        assert_int_equal(one.call.response.status, 200);
        assert_true(str_equal(http_header_get(&one.call.response.headers, "x-method"),
                              str_of(http_method_name(METHODS[i]))));
        assert_true(
            str_equal(http_header_get(&one.call.response.headers, "x-token"), STR("Bearer t0ken")));
        assert_true(str_equal(one.call.response.body, str_of(body)));
        assert_true(one.call.response.began_ms > 0);
        assert_true(one.call.response.ended_ms >= one.call.response.began_ms);
    }
}

static void empty_posts_and_deletes_work(void **state)
{
    struct fixture *f = *state;
    ONE post = {0};
    ONE removal = {0};

    ask(f, &post, HTTP_POST, "/", NULL);
    assert_int_equal(post.call.result, OK);
    ask(f, &removal, HTTP_DELETE, "/?status=204", NULL);
    assert_int_equal(removal.call.response.status, 204);
    assert_int_equal(removal.call.response.body.len, 0);
}

static void redirects_are_answers(void **state)
{
    struct fixture *f = *state;
    ONE one = {0};

    ask(f, &one, HTTP_GET, "/away?status=302", NULL);
    assert_int_equal(one.call.response.status, 302);
    assert_int_equal(atomic_load(&f->received), 1);
}

static void compressed_answers_are_opened_and_counted_open(void **state)
{
    struct fixture *f = *state;
    ONE whole = {0};
    ONE capped = {0};

    ask(f, &whole, HTTP_GET, "/gzip", NULL);
    assert_int_equal(whole.call.response.body.len, 200000);
    assert_int_equal(whole.call.response.body.at[199999], 'A');
    f->account.answer_bytes_max = 100000;
    ask(f, &capped, HTTP_GET, "/gzip", NULL);
    assert_int_equal(capped.call.result, FAIL_CONNECTION);
    assert_non_null(strstr(capped.call.error.message, "100000"));
}

static void answers_over_the_cap_are_refused(void **state)
{
    struct fixture *f = *state;
    ONE one = {0};

    ask(f, &one, HTTP_GET, "/big", NULL);
    assert_int_equal(one.call.result, FAIL_CONNECTION);
    assert_non_null(strstr(one.call.error.message, "maximum of 33554432 bytes"));
    f->account.answer_bytes_max = BIG_BYTES;
    ask(f, &one, HTTP_GET, "/big", NULL);
    assert_int_equal(one.call.result, OK);
    assert_int_equal(one.call.response.body.len, BIG_BYTES);
}

static void faults_end_in_an_unknown_outcome(void **state)
{
    static const struct {
        const char *fault, *message;
    } ROWS[] = {
        {"/?fault=reset", "connection was lost"},
        {"/?fault=truncate", "ended in the middle"},
        {"/?fault=timeout", "did not answer within 300 ms"},
    };
    struct fixture *f = *state;

    f->account.timeout_ms = 300;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        ONE one = {0};

        atomic_store(&f->received, 0);
        ask(f, &one, HTTP_POST, ROWS[i].fault, "some body that is long enough to halve");
        assert_int_equal(one.call.result, FAIL_RETRY);
        assert_true(one.call.error.is_outcome_unknown);
        assert_int_equal(atomic_load(&f->received), 1);
        if (!strstr(one.call.error.message, ROWS[i].message)) {
            fail_msg("%s: '%s'", ROWS[i].fault, one.call.error.message);
        }
    }
}

static void exchange(struct transport *transport, enum http_method method, const char *url,
                     struct http_exchange *ret)
{
    static struct http_request request;
    struct http_exchange *list[] = {ret};

    request = (struct http_request){.method = method, .url = str_of(url)};
    *ret =
        (struct http_exchange){.request = &request, .timeout_ms = 2000, .answer_bytes_max = 1000};
    transport->ops->exec(transport, list, 1);
    http_response_fini(&ret->response);
}

/* A server that answers the first request of each connection and closes the connection, politely
 * and without a word, on the second. */
struct leaver {
    int listener;
    atomic_int requests;
};

static bool read_request(int fd)
{
    char text[2000];
    size_t len = 0;

    text[0] = '\0';
    while (!strstr(text, "\r\n\r\n") && len + 1 < sizeof text) {
        ssize_t got = recv(fd, text + len, sizeof text - len - 1, 0);

        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        text[len] = '\0';
    }
    return true;
}

static void *leave(void *context)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct leaver *leaver = context;
    int fd;

    while ((fd = accept(leaver->listener, NULL, NULL)) >= 0) {
        if (read_request(fd)) {
            atomic_fetch_add(&leaver->requests, 1);
            send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
        }
        if (read_request(fd)) {
            atomic_fetch_add(&leaver->requests, 1);
        }
        close(fd);
    }
    return NULL;
}

/* How often the server sees a request that meets a connection just being closed. */
static int sent_on_dying_connection(struct fixture *f, enum http_method method,
                                    struct http_exchange *ret)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    struct leaver leaver = {.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    AUTO_ARENA struct arena arena = {0};
    pthread_t thread;
    struct str url;

    assert_int_equal(bind(leaver.listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(leaver.listener, 8), 0);
    assert_int_equal(getsockname(leaver.listener, (struct sockaddr *)&address, &bytes), 0);
    assert_int_equal(pthread_create(&thread, NULL, leave, &leaver), 0);
    url = arena_printf(&arena, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    exchange(f->transport, HTTP_GET, url.at, ret);
    assert_int_equal(ret->result, OK);
    exchange(f->transport, method, url.at, ret);
    transport_free(f->transport); /* closes its connections: the thread goes on to accept */
    f->transport = NULL;
    shutdown(leaver.listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(leaver.listener);
    return atomic_load(&leaver.requests) - 1;
}

/* libcurl would repeat it by itself on a fresh connection: applied twice. */
static void a_post_on_a_dying_connection_is_sent_once(void **state)
{
    struct fixture *f = *state;
    struct http_exchange got;

    assert_int_equal(sent_on_dying_connection(f, HTTP_POST, &got), 1);
    assert_int_equal(got.result, FAIL_RETRY);
    assert_true(got.error.is_outcome_unknown);
    assert_non_null(strstr(got.error.message, "connection was lost"));
}

static void a_get_on_a_dying_connection_is_repeated(void **state)
{
    struct fixture *f = *state;
    struct http_exchange got;

    assert_int_equal(sent_on_dying_connection(f, HTTP_GET, &got), 2);
    assert_int_equal(got.result, OK);
}

static void slow_answers_arrive_whole(void **state)
{
    struct fixture *f = *state;
    char body[4000];
    ONE one = {0};

    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    ask(f, &one, HTTP_POST, "/?fault=slow", body);
    assert_int_equal(one.call.result, OK);
    assert_true(str_equal(one.call.response.body, str_of(body)));
    assert_true(one.call.response.ended_ms - one.call.response.began_ms >= 100);
}

/* A port that nothing listens on: bound and closed again. */
static int dead_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void a_refused_connection_was_not_applied(void **state)
{
    struct fixture *f = *state;
    ONE one = {0};
    struct http_call *list[] = {&one.call};
    struct error err = {0};

    one.call.request.method = HTTP_POST;
    one.call.request.url = arena_printf(&one.arena, "http://127.0.0.1:%d/?t=s3cret", dead_port());
    assert_int_equal(http_exec(f->client, &f->account, list, 1, &err), OK);
    assert_int_equal(one.call.result, FAIL_RETRY);
    assert_false(one.call.error.is_outcome_unknown);
    assert_non_null(strstr(one.call.error.message, "cannot connect to 127.0.0.1:"));
    assert_non_null(strstr(one.call.error.message, "connection refused"));
    assert_null(strstr(one.call.error.message, "s3cret"));
    assert_true(one.call.error.hint[0]);
}

static void the_transport_itself_keeps_to_https_and_public_addresses(void **state)
{
    static const struct {
        const char *why, *url, *message;
        enum fail want;
    } ROWS[] = {
        {"no TLS", "http://api.hubapi.com/", "not https", FAIL_CONFIG},
        {"private address", "https://10.0.0.1/", "not a public address", FAIL_CONNECTION},
        {"metadata address", "https://169.254.169.254/", "not a public address", FAIL_CONNECTION},
        {"loopback", "https://127.0.0.1:1/", "this machine", FAIL_CONFIG},
        {"another scheme", "file:///etc/passwd", "https://", FAIL_CONFIG},
    };
    const struct transport_live_options options = {0};
    struct fixture *f = *state;
    struct transport *strict;
    struct error err = {0};
    int answered = 0;

    assert_int_equal(transport_new_live(&options, f->clock, &strict, &err), OK);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_exchange got;

        exchange(strict, HTTP_GET, ROWS[i].url, &got);
        answered += got.result == OK;
        if (got.result != ROWS[i].want || !strstr(got.error.message, ROWS[i].message) ||
            got.error.is_outcome_unknown) {
            fail_msg("%s: %s, '%s'", ROWS[i].why, fail_name(got.result), got.error.message);
        }
    }
    printf("fault=private-address asked=%zu answered=%d\n", COUNT_OF(ROWS), answered);
    transport_free(strict);
}

static void plain_http_behind_an_https_address_is_a_tls_failure(void **state)
{
    struct fixture *f = *state;
    AUTO_ARENA struct arena arena = {0};
    struct str url = arena_printf(&arena, "https://127.0.0.1:%d/", http_server_port(f->server));
    struct http_exchange got;

    exchange(f->transport, HTTP_GET, url.at, &got);
    assert_int_equal(got.result, FAIL_RETRY);
    assert_false(got.error.is_outcome_unknown);
    assert_non_null(strstr(got.error.message, "TLS"));
}

static void *cancel_soon(void *context)
{
    struct fixture *f = context;

    while (atomic_load(&f->received) == 0) {
        usleep(1000); /* until the request hangs in the server */
    }
    http_client_cancel(f->client);
    return NULL;
}

static void another_thread_cancels_a_hanging_call(void **state)
{
    struct fixture *f = *state;
    ONE one = {0};
    struct http_call *list[] = {&one.call};
    struct error err = {0};
    int64_t began_ms = clock_mono_ms(f->clock);
    pthread_t thread;

    one.call.request.url = url_of(f, &one.arena, "/?fault=timeout");
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, f), 0);
    assert_int_equal(http_exec(f->client, &f->account, list, 1, &err), FAIL_CANCELLED);
    assert_true(clock_mono_ms(f->clock) - began_ms < 5000);
    assert_int_equal(one.call.result, FAIL_CANCELLED);
    pthread_join(thread, NULL);
}

static void *many_calls(void *context)
{
    struct fixture *f = context;
    struct http_account account = f->account;

    for (int round = 0; round < ROUNDS; round++) {
        AUTO_ARENA struct arena arena = {0};
        struct http_call calls[HTTP_PARALLEL_MAX] = {0};
        struct http_call *list[HTTP_PARALLEL_MAX];
        struct error err = {0};

        for (size_t i = 0; i < COUNT_OF(calls); i++) {
            list[i] = &calls[i];
            calls[i].request.method = HTTP_POST;
            calls[i].request.url = url_of(f, &arena, "/");
            calls[i].request.body = arena_printf(&arena, "%p %d %zu", context, round, i);
        }
        if (http_exec(f->client, &account, list, COUNT_OF(calls), &err) != OK) {
            return context; /* anything but NULL: something went wrong */
        }
        for (size_t i = 0; i < COUNT_OF(calls); i++) {
            if (calls[i].result != OK ||
                !str_equal(calls[i].response.body, calls[i].request.body)) {
                return context;
            }
            http_call_fini(&calls[i]);
        }
    }
    return NULL;
}

static void many_threads_get_their_own_answers(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, many_calls, f), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(atomic_load(&f->received), THREADS * ROUNDS * HTTP_PARALLEL_MAX);
}

static void starting_and_stopping_leaves_nothing_behind(void **state)
{
    const struct transport_live_options options = {.allow_loopback = true};
    struct fixture *f = *state;

    for (int i = 0; i < 20; i++) {
        struct error err = {0};
        struct transport *transport;
        struct http_exchange got;
        AUTO_ARENA struct arena arena = {0};

        assert_int_equal(transport_new_live(&options, f->clock, &transport, &err), OK);
        if (i % 2) {
            exchange(transport, HTTP_GET, url_of(f, &arena, "/").at, &got);
            assert_int_equal(got.result, OK);
        }
        transport_free(transport);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_method_reaches_the_handler_with_its_body),
        TEST(empty_posts_and_deletes_work),
        TEST(redirects_are_answers),
        TEST(compressed_answers_are_opened_and_counted_open),
        TEST(answers_over_the_cap_are_refused),
        TEST(faults_end_in_an_unknown_outcome),
        TEST(a_post_on_a_dying_connection_is_sent_once),
        TEST(a_get_on_a_dying_connection_is_repeated),
        TEST(slow_answers_arrive_whole),
        TEST(a_refused_connection_was_not_applied),
        TEST(the_transport_itself_keeps_to_https_and_public_addresses),
        TEST(plain_http_behind_an_https_address_is_a_tls_failure),
        TEST(another_thread_cancels_a_hanging_call),
        TEST(many_threads_get_their_own_answers),
        TEST(starting_and_stopping_leaves_nothing_behind),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(big);
    return failed;
}
