/* What the HubSpot simulator refuses for its number or size. Reference: section 18. */
#include "tests/unit/simulators/hubspot_journey.h"

/* Section 18: windows and their headers. */
static int calls_until_429(struct journey *journey, const char *method, const char *url,
                           const char *body)
{
    for (int calls = 0; calls < 1000; calls++) {
        journey_send(journey, method, str_of(url), str_of(body), NULL);
        if (journey->last.status == 429) {
            return calls;
        }
    }
    return -1;
}

static struct str header(const struct journey *journey, const char *name)
{
    return http_header_get(&journey->last.headers, name);
}

static void bursts_are_limited_with_headers(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new,
                  &(struct simulator_options){.plan = "professional"});
    journey_send(&journey, "GET", STR(CONTACTS), STR(""), NULL);
    assert_true(str_equal(header(&journey, "x-hubspot-ratelimit-max"), STR("190")));
    assert_true(str_equal(header(&journey, "X-HubSpot-RateLimit-Remaining"), STR("189")));
    assert_true(str_equal(header(&journey, "X-HubSpot-RateLimit-Daily"), STR("625000")));
    assert_int_equal(calls_until_429(&journey, "GET", CONTACTS, ""), 189);
    assert_true(str_contains(journey.last.body, STR("\"policyName\":\"TEN_SECONDLY_ROLLING\"")));
    assert_true(str_contains(journey.last.body, STR("\"errorType\":\"RATE_LIMIT\"")));
    clock_wait_ms(journey.env.clock, 10000);
    journey_send(&journey, "GET", STR(CONTACTS), STR(""), NULL);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void searches_are_limited_without_headers(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new, &(struct simulator_options){0});
    assert_int_equal(calls_until_429(&journey, "POST", CONTACTS "/search", "{}"), 5);
    assert_true(str_contains(journey.last.body, STR("\"policyName\":\"SECONDLY\"")));
    assert_null(header(&journey, "X-HubSpot-RateLimit-Max").at);
    clock_wait_ms(journey.env.clock, 1000);
    assert_int_equal(calls_until_429(&journey, "POST", CONTACTS "/search", "{}"), 5);
    journey_end(&journey);
}

static void the_daily_budget_ends_at_midnight_of_the_account(void **state)
{
    struct journey journey;
    int64_t calls = 0;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new, &(struct simulator_options){.plan = "free"});
    for (journey.last.status = 200; journey.last.status == 200 && calls < 300000; calls++) {
        clock_wait_ms(journey.env.clock, 100);
        journey_send(&journey, "GET", STR("/account-info/v3/details"), STR(""), NULL);
        arena_reset(&journey.arena);
    }
    assert_int_equal(calls, 250001);
    assert_true(str_contains(journey.last.body, STR("\"policyName\":\"DAILY\"")));
    clock_wait_ms(journey.env.clock,
                  22 * 60 * 60 * 1000 - calls * 100); /* 07:00 UTC is 02:00 in the account */
    journey_send(&journey, "GET", STR("/account-info/v3/details"), STR(""), NULL);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void an_address_past_16_kb_does_not_get_through(void **state)
{
    struct journey journey;
    struct str url;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new, &(struct simulator_options){0});
    url = arena_printf(&journey.arena, CONTACTS "?properties=%0*d", 16 * 1024, 1);
    journey_send(&journey, "GET", url, STR(""), NULL);
    assert_int_equal(journey.last.status, 414);
    assert_true(str_contains(journey.last.body, STR("<html>")));
    journey_end(&journey);
}

static void no_limits_means_none(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new, &(struct simulator_options){.no_limits = true});
    assert_int_equal(calls_until_429(&journey, "POST", CONTACTS "/search", "{}"), -1);
    journey_end(&journey);
}

static void an_unknown_plan_is_refused(void **state)
{
    struct simulator *sim = NULL;
    struct error err = {0};
    struct env env = {.clock = clock_new_virtual(0)};

    (void)state;
    assert_int_equal(
        simulator_hubspot_new(&env, &(struct simulator_options){.plan = "gold"}, &sim, &err),
        FAIL_CONFIG);
    assert_non_null(strstr(err.message, "gold"));
    assert_non_null(strstr(err.hint, "professional"));
    clock_free(env.clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bursts_are_limited_with_headers),
        cmocka_unit_test(searches_are_limited_without_headers),
        cmocka_unit_test(the_daily_budget_ends_at_midnight_of_the_account),
        cmocka_unit_test(an_address_past_16_kb_does_not_get_through),
        cmocka_unit_test(no_limits_means_none),
        cmocka_unit_test(an_unknown_plan_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
