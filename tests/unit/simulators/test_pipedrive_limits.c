/* What the Pipedrive simulator refuses for its number or size. Reference: section 11. */
#include "tests/unit/simulators/pipedrive_journey.h"

/* The answer of one request with the API token, for its headers. */
static void send_with_api_token(struct journey *journey, enum http_method method, const char *url)
{
    struct http_request request = {.method = method, .url = str_of(url)};

    http_header_add(&request.headers, STR("X-Api-Token"), str_of(simulator_token(journey->sim)));
    http_response_fini(&journey->last);
    journey->last = (struct http_response){0};
    simulator_handle(journey->sim, &request, &journey->last);
}

static int64_t header_number(const struct journey *journey, const char *name)
{
    int64_t number = -1;

    str_to_i64(http_header_get(&journey->last.headers, name), &number);
    return number;
}

/* --- section 11: limits ---------------------------------------------------------------------- */

static const struct simulator_options lite = {.seed = 7, .plan = "lite"};

static void the_burst_window_rolls(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int i = 0; i < 20; i++) {
        send_with_api_token(&journey, HTTP_GET, PERSONS);
        assert_int_equal(journey.last.status, 200);
        assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 20);
        assert_int_equal(header_number(&journey, "x-ratelimit-remaining"), 19 - i);
    }
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-ratelimit-remaining"), 0);
    assert_int_equal(header_number(&journey, "x-ratelimit-reset"), 2);
    assert_true(str_contains(journey.last.body, STR("request over limit")));
    clock_wait_ms(journey.env.clock, 2000);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void token_remaining_is_from_before_the_call(void **state)
{
    static const struct {
        enum http_method method;
        const char *url;
        int64_t cost;
    } rows[] = {
        {HTTP_GET, PERSONS "/1", 1},
        {HTTP_GET, PERSONS, 10},
        {HTTP_GET, PERSONS "/search?term=abc", 20},
        {HTTP_GET, "/v1/users/me", 2},
        {HTTP_GET, "/v1/persons", 20},
        {HTTP_POST, PERSONS, 5},
        {HTTP_PATCH, PERSONS "/1", 5},
        {HTTP_DELETE, PERSONS "/1", 3},
        {HTTP_DELETE, "/v1/persons/1", 6},
        {HTTP_PUT, "/v1/persons/1/merge", 40},
        {HTTP_GET, "/api/v2/personFields", 10},
        {HTTP_GET, "/api/v2/personFields/name", 1},
        {HTTP_GET, "/api/v2/itemSearch/field?entity_type=person&field=name&term=abc", 20},
        {HTTP_GET, DEALS, 10},
        {HTTP_GET, DEALS "/archived", 20},
        {HTTP_GET, DEALS "/search?term=abc", 20},
        {HTTP_GET, DEALS "/1", 1},
        {HTTP_POST, ACTIVITIES, 5},
        {HTTP_PATCH, ACTIVITIES "/1", 5},
        {HTTP_DELETE, ACTIVITIES "/1", 3},
        {HTTP_GET, "/api/v2/pipelines", 5},
        {HTTP_GET, "/api/v2/stages", 5},
        {HTTP_GET, "/api/v2/stages/1", 1},
        {HTTP_POST, "/api/v2/stages", 5},
        {HTTP_DELETE, "/api/v2/stages/9", 3},
        {HTTP_GET, "/v1/deals/1/participants", 10},
        {HTTP_POST, "/v1/deals/1/participants", 10},
        {HTTP_DELETE, "/v1/deals/1/participants/1", 6},
        {HTTP_PUT, "/v1/deals/1/merge", 40},
        {HTTP_GET, NOTES, 20},
        {HTTP_GET, NOTES "/1", 2},
        {HTTP_POST, NOTES, 10},
        {HTTP_PUT, NOTES "/1", 10},
        {HTTP_DELETE, NOTES "/1", 6},
        {HTTP_GET, "/v1/activityTypes", 20},
        {HTTP_GET, "/v1/users", 20},
        {HTTP_GET, PERSONS, 0},
    };
    struct journey journey;
    int64_t left = 300000;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        send_with_api_token(&journey, rows[i].method, rows[i].url);
        assert_int_equal(header_number(&journey, "x-daily-ratelimit-token-limit"), 300000);
        assert_int_equal(header_number(&journey, "x-daily-ratelimit-token-remaining"), left);
        left -= rows[i].cost;
        clock_wait_ms(journey.env.clock, 250); /* below the burst limit */
    }
    journey_end(&journey);
}

static void searches_have_a_window_of_their_own(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &(struct simulator_options){.seed = 7});
    for (int i = 0; i < 11; i++) {
        send_with_api_token(&journey, HTTP_GET, PERSONS "/search?term=abc");
        assert_int_equal(journey.last.status, i < 10 ? 200 : 429);
    }
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void the_budget_of_a_day_ends_at_midnight(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    send_with_api_token(&journey, HTTP_GET, PERSONS "/1"); /* leaves too little for the last list */
    for (int i = 0; i < 30000; i++) {
        clock_wait_ms(journey.env.clock, 101);
        send_with_api_token(&journey, HTTP_GET, PERSONS);
        assert_int_equal(journey.last.status, 200);
    }
    clock_wait_ms(journey.env.clock, 2000);
    send_with_api_token(&journey, HTTP_GET, PERSONS "/1");
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-daily-ratelimit-token-remaining"), 0);
    assert_true(header_number(&journey, "x-ratelimit-remaining") > 0);
    clock_wait_ms(journey.env.clock, 17 * 60 * MINUTE_MS);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void who_ignores_a_hundred_refusals_is_blocked(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int i = 0; i < 120; i++) {
        send_with_api_token(&journey, HTTP_GET, PERSONS);
        assert_int_equal(journey.last.status, i < 20 ? 200 : 429);
    }
    clock_wait_ms(journey.env.clock, 3000);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 403);
    assert_true(
        str_starts(http_header_get(&journey.last.headers, "content-type"), STR("text/html")));
    clock_wait_ms(journey.env.clock, 30 * MINUTE_MS);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

/* Refused 99 times, then served: the count begins anew. */
static void patience_is_rewarded(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20 + 99; i++) {
            send_with_api_token(&journey, HTTP_GET, PERSONS);
            assert_int_equal(journey.last.status, i < 20 ? 200 : 429);
        }
        clock_wait_ms(journey.env.clock, 3000);
    }
    journey_end(&journey);
}

static void oauth_callers_are_never_blocked(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int i = 0; i < 80 + 150; i++) {
        journey_send(&journey, "GET", STR(PERSONS), STR(""), NULL);
        assert_int_equal(journey.last.status, i < 80 ? 200 : 429);
    }
    journey_end(&journey);
}

static void of_two_credentials_the_api_token_counts(void **state)
{
    struct http_request request = {.url = STR(PERSONS)};
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    http_header_add(&request.headers, STR("Authorization"), STR("Bearer wrong"));
    http_header_add(&request.headers, STR("x-api-token"), str_of(simulator_token(journey.sim)));
    simulator_handle(journey.sim, &request, &journey.last);
    assert_int_equal(journey.last.status, 200);
    assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 20);
    journey_end(&journey);
}

/* A client that trusts x-ratelimit-limit must not learn another credential's. */
static void an_injected_refusal_speaks_of_the_callers_window(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    journey_send(&journey, "POST", STR("/__sim/faults"),
                 STR("{\"rules\":[{\"fault\":\"throttle\"}]}"), NULL);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 20);
    journey_send(&journey, "GET", STR(PERSONS), STR(""), NULL);
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 80);
    journey_end(&journey);
}

static void every_answer_has_a_correlation_id(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(http_header_get(&journey.last.headers, "x-correlation-id").len, 36);
    journey_send(&journey, "GET", STR(PERSONS), STR(""), "wrong");
    assert_int_equal(http_header_get(&journey.last.headers, "x-correlation-id").len, 36);
    assert_true(str_equal(http_header_get(&journey.last.headers, "x-401-by-gw"), STR("true")));
    journey_end(&journey);
}

static void fields_come_to_an_end(void **state)
{
    static const struct simulator_options free_of_limits = {.seed = 7, .no_limits = true};
    struct journey journey;
    int made = 0;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &free_of_limits);
    do {
        journey_send(&journey, "POST", STR("/api/v2/personFields"),
                     STR("{\"field_name\":\"F\",\"field_type\":\"text\"}"), NULL);
        made += journey.last.status == 200;
    } while (journey.last.status == 200 && made < 2000);
    assert_int_equal(journey.last.status, 403);
    assert_in_range(made, 900, 1000);
    journey_end(&journey);
}

static void options_that_mean_nothing_are_refused(void **state)
{
    static const struct {
        struct simulator_options options;
        const char *says;
    } rows[] = {
        {{.plan = "enterprise"}, "unknown Pipedrive plan 'enterprise'"},
        {{.quirks = "no-parent-bumps,polite"}, "unknown Pipedrive quirk 'polite'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct clock *clock = clock_new_virtual(0);
        struct env env = {.clock = clock};
        struct simulator *sim = NULL;
        struct error err = {0};

        assert_int_equal(simulator_pipedrive_new(&env, &rows[i].options, &sim, &err), FAIL_CONFIG);
        assert_non_null(strstr(err.message, rows[i].says));
        assert_true(err.hint[0]);
        clock_free(clock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_burst_window_rolls),
        cmocka_unit_test(token_remaining_is_from_before_the_call),
        cmocka_unit_test(searches_have_a_window_of_their_own),
        cmocka_unit_test(the_budget_of_a_day_ends_at_midnight),
        cmocka_unit_test(who_ignores_a_hundred_refusals_is_blocked),
        cmocka_unit_test(patience_is_rewarded),
        cmocka_unit_test(oauth_callers_are_never_blocked),
        cmocka_unit_test(of_two_credentials_the_api_token_counts),
        cmocka_unit_test(an_injected_refusal_speaks_of_the_callers_window),
        cmocka_unit_test(every_answer_has_a_correlation_id),
        cmocka_unit_test(fields_come_to_an_end),
        cmocka_unit_test(options_that_mean_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
