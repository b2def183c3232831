/* http_exec() against a scripted CRM mounted as the transport: virtual time, no sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include "http/breaker.h"
#include "http/client.h"
#include "http/transport.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { START_MS = 1000000, CALLS_MAX = 32 };
#define SECRET "Bearer s3cret-token"

/* What the CRM does with its n-th request; the last step repeats. */
struct step {
    int status;
    int retry_after_s; /* 0 = no header */
    enum http_fault fault;
};

struct fixture {
    struct clock *clock;
    struct random *random;
    struct transport *transport;
    struct env env;
    struct http_client *client;
    const struct step *steps;
    size_t steps_count;
    int received;
    int cancel_at; /* the CRM cancels the client with its n-th request; 0 = never */
    int64_t received_at_ms[CALLS_MAX];
    struct http_account account;
    struct http_call calls[CALLS_MAX];
    struct http_call *list[CALLS_MAX];
    struct error err;
};

static void crm(void *context, const struct http_request *request, struct http_response *response)
{
    struct fixture *f = context;
    size_t index = (size_t)f->received < f->steps_count ? (size_t)f->received : f->steps_count - 1;
    const struct step *step = &f->steps[index];

    (void)request;
    if (f->received < CALLS_MAX) {
        f->received_at_ms[f->received] = clock_mono_ms(f->clock);
    }
    f->received++;
    if (f->received == f->cancel_at) {
        http_client_cancel(f->client);
    }
    response->status = step->status;
    response->fault = step->fault;
    response->body = STR("{}");
    if (step->retry_after_s) {
        http_header_add(&response->headers, STR("Retry-After"),
                        arena_printf(&response->arena, "%d", step->retry_after_s));
    }
}

/* The usual reading of an answer, as an adapter would write it. */
static enum fail classify(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    (void)account;
    if (response->status < 300) {
        return OK;
    }
    if (response->status == 429) {
        error_set(err, FAIL_THROTTLED, "too many requests");
        err->wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, 100);
        return FAIL_THROTTLED;
    }
    if (response->status == 401) {
        return error_set(err, FAIL_AUTH, "token refused");
    }
    if (response->status >= 500) {
        return error_set(err, FAIL_RETRY, "server error %d", response->status);
    }
    return error_set(err, FAIL_RECORD, "status %d", response->status);
}

static int set_up(void **state)
{
    static const char *const HOSTS[] = {"api.crm.example"};
    static const struct http_client_options OPTIONS = {.allowed_hosts = HOSTS,
                                                       .allowed_hosts_count = 1};
    static struct fixture fixture;
    struct fixture *f = &fixture;

    *f = (struct fixture){0};
    f->clock = clock_new_virtual(START_MS);
    f->random = random_new_seeded(20261121);
    f->transport = transport_new_mounted(f->clock, 10);
    transport_mount(f->transport, "api.crm.example", crm, f);
    f->env = (struct env){.clock = f->clock, .random = f->random, .transport = f->transport};
    f->client = http_client_new(&f->env, &OPTIONS);
    f->account = (struct http_account){.classify = classify, .lane = LANE_BATCH};
    for (size_t i = 0; i < CALLS_MAX; i++) {
        f->list[i] = &f->calls[i];
        f->calls[i].request.url = STR("https://api.crm.example/things?key=s3cret");
        f->calls[i].cost.units[0] = 1;
        http_header_add(&f->calls[i].request.headers, STR("Authorization"), STR(SECRET));
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < CALLS_MAX; i++) {
        http_call_fini(&f->calls[i]);
    }
    http_client_free(f->client);
    transport_free(f->transport);
    random_free(f->random);
    clock_free(f->clock);
    return 0;
}

static enum fail exec(struct fixture *f, size_t count)
{
    enum fail result = http_exec(f->client, &f->account, f->list, count, &f->err);

    for (size_t i = 0; i < count; i++) {
        assert_null(strstr(f->calls[i].error.message, "s3cret"));
    }
    assert_null(strstr(f->err.message, "s3cret"));
    return result;
}

#define SCRIPT(f, ...)                                                                             \
    do {                                                                                           \
        static const struct step STEPS_[] = {__VA_ARGS__};                                         \
        (f)->steps = STEPS_;                                                                       \
        (f)->steps_count = COUNT_OF(STEPS_);                                                       \
    } while (0)

/* What is repeated, how often, and what the caller learns in the end. */
/* long: one case after the other, each a few lines */
static void repeats(void **state)
{
    static const struct {
        const char *why;
        struct step steps[4];
        size_t steps_count;
        bool is_safe;
        enum fail want;
        int want_attempts;
        bool want_unknown;
    } ROWS[] = {
        {"success at once", {{200, 0, 0}}, 1, true, OK, 1, false},
        {"safe: 5xx, then success", {{503, 0, 0}, {200, 0, 0}}, 2, true, OK, 2, false},
        {"safe: 5xx for ever", {{502, 0, 0}}, 1, true, FAIL_RETRY, 4, false},
        {"safe: reset, then success",
         {{200, 0, HTTP_FAULT_RESET}, {200, 0, 0}},
         2,
         true,
         OK,
         2,
         false},
        {"safe: cut short for ever", {{200, 0, HTTP_FAULT_TRUNCATE}}, 1, true, FAIL_RETRY, 4, true},
        {"safe: short 429", {{429, 1, 0}, {200, 0, 0}}, 2, true, OK, 2, false},
        {"safe: long 429", {{429, 60, 0}}, 1, true, FAIL_THROTTLED, 1, false},
        {"safe: refused for good", {{404, 0, 0}}, 1, true, FAIL_RECORD, 1, false},
        {"unsafe: 5xx is not repeated", {{503, 0, 0}}, 1, false, FAIL_RETRY, 1, true},
        {"unsafe: reset is not repeated",
         {{200, 0, HTTP_FAULT_RESET}},
         1,
         false,
         FAIL_RETRY,
         1,
         true},
        {"unsafe: timeout is not repeated",
         {{200, 0, HTTP_FAULT_TIMEOUT}},
         1,
         false,
         FAIL_RETRY,
         1,
         true},
        {"unsafe: 429 was not applied", {{429, 1, 0}, {201, 0, 0}}, 2, false, OK, 2, false},
        {"unsafe: 429, then reset",
         {{429, 1, 0}, {200, 0, HTTP_FAULT_RESET}},
         2,
         false,
         FAIL_RETRY,
         2,
         true},
        {"unsafe: 429 for ever", {{429, 1, 0}}, 1, false, FAIL_THROTTLED, 4, false},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct fixture *f;

        (void)(i && tear_down(state));
        (void)(i && set_up(state));
        f = *state;
        f->steps = ROWS[i].steps;
        f->steps_count = ROWS[i].steps_count;
        f->calls[0].is_safe = ROWS[i].is_safe;
        assert_int_equal(exec(f, 1), OK);
        if (f->calls[0].result != ROWS[i].want || f->calls[0].attempts != ROWS[i].want_attempts ||
            f->received != ROWS[i].want_attempts ||
            f->calls[0].error.is_outcome_unknown != ROWS[i].want_unknown) {
            fail_msg("%s: got %s after %d attempts, unknown %d", ROWS[i].why,
                     fail_name(f->calls[0].result), f->calls[0].attempts,
                     f->calls[0].error.is_outcome_unknown);
        }
        assert_int_equal(http_client_stats(f->client).calls, ROWS[i].want_attempts);
        assert_int_equal(http_client_stats(f->client).retries, ROWS[i].want_attempts - 1);
    }
}

static void retry_after_is_waited_for(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {429, 2, 0}, {200, 0, 0});
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->received, 2);
    assert_true(f->received_at_ms[1] - f->received_at_ms[0] >= 2000);
    assert_int_equal(http_client_stats(f->client).throttled, 1);
    assert_true(http_client_stats(f->client).waited_ms >= 2000);
}

static void a_long_wait_is_handed_back_with_its_time(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {429, 600, 0});
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->calls[0].result, FAIL_THROTTLED);
    assert_int_equal(f->calls[0].error.wait_ms, 600000);
    assert_int_equal(f->calls[0].error.http_status, 429);
    assert_true(clock_mono_ms(f->clock) < 2000);
}

static void a_429_holds_back_the_whole_account(void **state)
{
    static const struct limit_bucket_spec SPEC[] = {{"burst", 100, 1000, 0}};
    struct fixture *f = *state;

    f->account.limits =
        limiter_account(http_client_limiter(f->client), STR("crm:1"), SPEC, COUNT_OF(SPEC));
    SCRIPT(f, {429, 600, 0});
    assert_int_equal(exec(f, 20), OK);
    assert_int_equal(f->received, HTTP_PARALLEL_MAX); /* the first wave, then nobody */
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(f->calls[i].result, FAIL_THROTTLED);
        assert_in_range(f->calls[i].error.wait_ms, 590000, 600000);
        assert_int_equal(f->calls[i].attempts, i < HTTP_PARALLEL_MAX ? 1 : 0);
    }
}

static void short_limits_are_waited_for_inside(void **state)
{
    static const struct limit_bucket_spec SPEC[] = {{"burst", 5, 1000, 0}};
    struct fixture *f = *state;

    f->account.limits =
        limiter_account(http_client_limiter(f->client), STR("crm:1"), SPEC, COUNT_OF(SPEC));
    SCRIPT(f, {200, 0, 0});
    assert_int_equal(exec(f, 20), OK);
    assert_int_equal(f->received, 20);
    assert_in_range(clock_mono_ms(f->clock), 3000, 3200);
    for (size_t i = 0; i + 5 < 20; i++) {
        assert_true(f->received_at_ms[i + 5] - f->received_at_ms[i] >= 1000);
    }
}

static void long_limits_are_handed_back(void **state)
{
    static const struct limit_bucket_spec SPEC[] = {{"burst", 5, 60000, 0}};
    struct fixture *f = *state;

    f->account.limits =
        limiter_account(http_client_limiter(f->client), STR("crm:1"), SPEC, COUNT_OF(SPEC));
    SCRIPT(f, {200, 0, 0});
    assert_int_equal(exec(f, 7), OK);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(f->calls[i].result, i < 5 ? OK : FAIL_THROTTLED);
        assert_int_equal(f->calls[i].attempts, i < 5 ? 1 : 0);
    }
    assert_in_range(f->calls[5].error.wait_ms, 59000, 60000);
    assert_true(f->calls[5].error.hint[0]);
}

static void the_breaker_opens_probes_and_closes(void **state)
{
    struct fixture *f = *state;
    int received;

    SCRIPT(f, {500, 0, 0});
    f->calls[0].is_safe = f->calls[1].is_safe = true;
    assert_int_equal(exec(f, 2), OK);
    assert_int_equal(f->received, BREAKER_FAILURES_MAX);

    received = f->received;
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->calls[0].result, FAIL_THROTTLED);
    assert_in_range(f->calls[0].error.wait_ms, BREAKER_OPEN_MS - 3000, BREAKER_OPEN_MS);
    assert_non_null(strstr(f->calls[0].error.message, "api.crm.example"));
    assert_int_equal(f->received, received);

    clock_wait_ms(f->clock, BREAKER_OPEN_MS);
    assert_int_equal(exec(f, 5), OK); /* one probe, still broken */
    assert_int_equal(f->received, received + 1);

    clock_wait_ms(f->clock, BREAKER_OPEN_MS);
    SCRIPT(f, {200, 0, 0});
    assert_int_equal(exec(f, 5), OK);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(f->calls[i].result, OK);
    }
    assert_true(f->received_at_ms[received + 2] > f->received_at_ms[received + 1]);
}

static void refusals_of_records_do_not_open_the_breaker(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {404, 0, 0});
    assert_int_equal(exec(f, CALLS_MAX), OK);
    assert_int_equal(f->received, CALLS_MAX);
}

static void a_refused_token_ends_the_batch(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {401, 0, 0});
    assert_int_equal(exec(f, 20), FAIL_AUTH);
    assert_int_equal(f->err.http_status, 401);
    assert_int_equal(f->received, HTTP_PARALLEL_MAX);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(f->calls[i].result, FAIL_AUTH);
        assert_false(f->calls[i].error.is_outcome_unknown);
    }
}

static void a_foreign_host_stops_everything_before_it_is_sent(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {200, 0, 0});
    f->calls[3].request.url = STR("https://evil.example/?key=s3cret");
    assert_int_equal(exec(f, 5), FAIL_CONFIG);
    assert_int_equal(f->received, 0);
    assert_non_null(strstr(f->err.message, "evil.example"));
    assert_non_null(strstr(f->err.hint, "base_url"));
}

/* Whatever the port is. */
static void nobody_is_asked_without_tls(void **state)
{
    static const char *const URLS[] = {"http://api.crm.example/", "http://api.crm.example:443/",
                                       "https://api.crm.example:8443/"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        SCRIPT(f, {200, 0, 0});
        f->calls[0].request.url = str_of(URLS[i]);
        assert_int_equal(exec(f, 1), FAIL_CONFIG);
        assert_int_equal(f->received, 0);
        assert_non_null(strstr(f->err.message, "by https on port 443"));
    }
}

static void a_line_end_in_a_header_is_refused(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {200, 0, 0});
    f->calls[0].request.headers.at[0].value = STR("Bearer s3cret\nX-Evil: 1");
    assert_int_equal(exec(f, 1), FAIL_CONFIG);
    assert_int_equal(f->received, 0);
    assert_non_null(strstr(f->err.message, "Authorization"));
}

static void cancelling_ends_the_batch_and_all_later_ones(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {503, 60, 0});
    f->cancel_at = 3;
    for (size_t i = 0; i < 20; i++) {
        f->calls[i].is_safe = true;
    }
    assert_int_equal(exec(f, 20), FAIL_CANCELLED);
    assert_int_equal(f->received, HTTP_PARALLEL_MAX);
    assert_int_equal(f->calls[19].result, FAIL_CANCELLED);
    assert_int_equal(exec(f, 1), FAIL_CANCELLED);
    assert_int_equal(f->received, HTTP_PARALLEL_MAX);
}

static void an_answer_over_the_cap_is_named(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {200, 0, 0});
    f->account.answer_bytes_max = 1;
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->calls[0].result, FAIL_CONNECTION);
    assert_non_null(strstr(f->calls[0].error.message, "maximum of 1 bytes"));
}

static void a_timeout_costs_its_time_once_for_all(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {200, 0, HTTP_FAULT_TIMEOUT});
    f->account.timeout_ms = 5000;
    assert_int_equal(exec(f, 4), OK);
    assert_in_range(clock_mono_ms(f->clock), 5000, 5100);
}

static void back_off_between_attempts_is_jittered_and_bounded(void **state)
{
    struct fixture *f = *state;
    int64_t total = 0;

    SCRIPT(f, {500, 0, 0});
    f->calls[0].is_safe = true;
    assert_int_equal(exec(f, 1), OK);
    for (int i = 0; i < 3; i++) {
        int64_t gap = f->received_at_ms[i + 1] - f->received_at_ms[i] - 10;

        assert_in_range(gap, 0, 250 << i);
        total += gap;
    }
    assert_true(total > 0);
}

static void results_of_an_earlier_use_are_cleared(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, {404, 0, 0}, {200, 0, 0});
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->calls[0].result, FAIL_RECORD);
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->calls[0].result, OK);
    assert_int_equal(f->calls[0].attempts, 1);
    assert_int_equal(f->calls[0].error.message[0], '\0');
    assert_int_equal(exec(f, 0), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(repeats),
        TEST(retry_after_is_waited_for),
        TEST(a_long_wait_is_handed_back_with_its_time),
        TEST(a_429_holds_back_the_whole_account),
        TEST(short_limits_are_waited_for_inside),
        TEST(long_limits_are_handed_back),
        TEST(the_breaker_opens_probes_and_closes),
        TEST(refusals_of_records_do_not_open_the_breaker),
        TEST(a_refused_token_ends_the_batch),
        TEST(a_foreign_host_stops_everything_before_it_is_sent),
        TEST(nobody_is_asked_without_tls),
        TEST(a_line_end_in_a_header_is_refused),
        TEST(cancelling_ends_the_batch_and_all_later_ones),
        TEST(an_answer_over_the_cap_is_named),
        TEST(a_timeout_costs_its_time_once_for_all),
        TEST(back_off_between_attempts_is_jittered_and_bounded),
        TEST(results_of_an_earlier_use_are_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
