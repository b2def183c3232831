/* Conditions as people write them, what holds, and when people hear of it. */
#include "api/alert_notice.h"
#include "core/base64.h"
#include "core/digest.h"

#include "tests/expect.h"

enum { MINUTE_MS = 60 * 1000 };
static const int64_t START_MS = INT64_C(1763708731000);

/* --- conditions ------------------------------------------------------------------------------------------------------------------ */

struct read_row {
    const char *text;
    enum alert_operator op;
    double number;
    int64_t for_ms;
    size_t labels;
};

static void test_conditions_are_read(void **state)
{
    static const struct read_row rows[] = {
        {"avg_sync_latency_ms > 10000", ALERT_ABOVE, 10000, 0, 0},
        {"sync_success_rate<0.95", ALERT_BELOW, 0.95, 0, 0},
        {" m >= -1.5 for 10m ", ALERT_AT_LEAST, -1.5, 10 * MINUTE_MS, 0},
        {"m{kind=\"deal\"} <= 3", ALERT_AT_MOST, 3, 0, 1},
        {"m{kind=\"deal\", connection=\"a b\"} == 0 for 30s", ALERT_EQUAL, 0, 30000, 2},
        {"m != 1", ALERT_OTHER, 1, 0, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct alert_condition condition;
        struct str why;

        EXPECT(alert_condition_parse(&arena, str_of(rows[i].text), &condition, &why),
               "'%s': %" PRI_STR, rows[i].text, STR_ARG(why));
        EXPECT(condition.op == rows[i].op && condition.number == rows[i].number &&
                   condition.for_ms == rows[i].for_ms && condition.labels_count == rows[i].labels,
               "'%s' is read as another one", rows[i].text);
    }
}

static void test_what_is_no_condition(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {{"", "the name of a metric is missing"},
                {"> 5", "the name of a metric is missing"},
                {"m", "one of > >= < <= == != is missing"},
                {"m = 5", "one of > >= < <= == != is missing"},
                {"m > ", "a number is missing"},
                {"m > 5,3", "for 10m"},
                {"m > five", "a number is missing"},
                {"m > 99999999999999999", "a number is missing"},
                {"m > 5 for", "for 10m"},
                {"m > 5 for ever", "for 10m"},
                {"m{kind=deal} > 5", "labels are written"},
                {"m{kind=\"deal\" > 5", "labels are written"},
                {"m{a=\"1\",b=\"2\",c=\"3\",d=\"4\"} > 5", "labels are written"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct alert_condition condition;
        struct str why = STR("");

        EXPECT(!alert_condition_parse(&arena, str_of(rows[i].text), &condition, &why),
               "'%s' is read", rows[i].text);
        EXPECT(str_contains(why, str_of(rows[i].why)), "'%s': %" PRI_STR, rows[i].text,
               STR_ARG(why));
    }
}

/* --- what holds -------------------------------------------------------------------------------------------------------------------- */

static const struct sample_family LATENCY = {"crmsync_avg_sync_latency_seconds", SAMPLE_GAUGE, "L"};
static const struct sample_family SYNCED = {"crmsync_records_synced_24h", SAMPLE_GAUGE, "S"};

static struct samples some(struct arena *arena)
{
    struct samples samples = {.arena = arena};

    samples_add(&samples, &LATENCY, LABELS({"tenant", STR("a")}), 9.5);
    samples_add(&samples, &LATENCY, LABELS({"tenant", STR("b")}), 12);
    samples_add(&samples, &LATENCY, LABELS({"tenant", STR("c")}), 30.25);
    samples_add(&samples, &SYNCED, LABELS({"tenant", STR("a")}, {"kind", STR("contact")}), 5);
    samples_add(&samples, &SYNCED, LABELS({"tenant", STR("a")}, {"kind", STR("deal")}), 0);
    return samples;
}

static void test_what_holds(void **state)
{
    static const struct {
        const char *text, *detail; /* NULL: it does not hold */
    } rows[] = {
        {"avg_sync_latency_ms > 10000", "avg_sync_latency_ms{tenant=\"c\"} is 30250 (and 1 more)"},
        {"avg_sync_latency_ms > 30250", NULL},
        {"avg_sync_latency_ms >= 30250", "avg_sync_latency_ms{tenant=\"c\"} is 30250"},
        {"crmsync_avg_sync_latency_seconds{tenant=\"b\"} > 10",
         "crmsync_avg_sync_latency_seconds{tenant=\"b\"} is 12"},
        {"crmsync_avg_sync_latency_seconds{tenant=\"x\"} > 10", NULL},
        {"crmsync_avg_sync_latency_seconds < 9.5", NULL},
        {"contacts_synced_24h == 0", NULL},
        {"deals_synced_24h == 0", "deals_synced_24h{tenant=\"a\",kind=\"deal\"} is 0"},
        {"crmsync_inbox_events > 0", NULL}, /* it has no samples */
    };
    AUTO_ARENA struct arena arena = {0};
    struct samples samples = some(&arena);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct alert_condition condition;
        struct str detail, why;
        bool holds;

        assert_true(alert_condition_parse(&arena, str_of(rows[i].text), &condition, &why));
        holds = alert_holds(&condition, &samples, &arena, &detail);
        EXPECT(holds == (rows[i].detail != NULL), "'%s' %s", rows[i].text,
               holds ? "holds" : "does not hold");
        EXPECT_STR(detail, str_of(rows[i].detail ? rows[i].detail : ""), rows[i].text);
    }
}

/* --- states ---------------------------------------------------------------------------------------------------------------------- */

static struct alert_rule a_rule(int64_t for_ms)
{
    return (struct alert_rule){.name = STR("lag"),
                               .condition_text = STR("lag > 5"),
                               .condition.for_ms = for_ms,
                               .severity = ALERT_CRITICAL,
                               .channels = {STR("one"), STR("two")},
                               .channels_count = 2};
}

/* Minute by minute: '1' the condition holds, '0' it does not. Returned: what there was to tell in each minute, 'F' it fires, 'O' it is over. */
static struct str played(struct arena *arena, int64_t for_ms, int64_t again_ms, const char *story)
{
    struct alert_rule rule = a_rule(for_ms);
    struct store_alert alert = {.name = rule.name};
    char *heard = arena_cstr(arena, str_of(story));

    for (size_t i = 0; story[i]; i++) {
        int64_t now_ms = START_MS + (int64_t)i * MINUTE_MS;

        alert_step(&rule, story[i] == '1', STR("d"), now_ms, again_ms, &alert);
        heard[i] = alert.to_tell == ALERT_FIRES ? 'F' : alert.to_tell == ALERT_IS_OVER ? 'O' : '.';
        if (alert.to_tell != ALERT_NO_NEWS) {
            alert_told(&alert, STR("one"), arena);
            alert_told(&alert, STR("two"), arena);
            alert_tried(&rule, &alert, now_ms);
        }
    }
    return str_of(heard);
}

static void test_when_people_hear(void **state)
{
    static const struct {
        const char *why;
        int for_minutes, again_minutes;
        const char *story, *heard;
    } rows[] = {
        {"at once", 0, 0, "0100000000", ".F.....O.."},
        {"only what lasts", 3, 0, "0110111111", ".......F.."},
        {"no news while it flaps", 0, 0, "1010010001000001", "F..............."},
        {"over after five quiet minutes, and again", 0, 0, "10000001", "F.....OF"},
        {"told again while it lasts", 0, 4, "1111111111", "F...F...F."},
        {"never when it never lasts", 5, 0, "1111011110", ".........."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA struct arena arena = {0};

        EXPECT_STR(played(&arena, rows[i].for_minutes * MINUTE_MS,
                          rows[i].again_minutes * MINUTE_MS, rows[i].story),
                   str_of(rows[i].heard), rows[i].why);
    }
}

static void test_who_was_not_reached_is_tried_again(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct alert_rule rule = a_rule(0);
    struct store_alert alert = {.name = rule.name};

    (void)state;
    alert_step(&rule, true, STR("d"), START_MS, 0, &alert);
    alert_told(&alert, STR("one"), &arena);
    alert_tried(&rule, &alert, START_MS);
    EXPECT(alert.to_tell == ALERT_FIRES && alert_knows(&alert, STR("one")) &&
               !alert_knows(&alert, STR("two")),
           "one of two knows");
    for (int i = 1; i < ALERT_ATTEMPTS_MAX; i++) {
        EXPECT(alert.to_tell == ALERT_FIRES, "attempt %d", i);
        alert_step(&rule, true, STR("d"), START_MS + i * MINUTE_MS, 0, &alert);
        alert_tried(&rule, &alert, START_MS + i * MINUTE_MS);
    }
    EXPECT(alert.to_tell == ALERT_NO_NEWS, "an end");
}

static void test_who_was_told_hears_that_it_is_over(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct alert_rule rule = a_rule(0);
    struct store_alert alert = {.name = rule.name};

    (void)state;
    alert_step(&rule, true, STR("d"), START_MS, 0, &alert);
    alert_told(&alert, STR("one"), &arena); /* the other one is never reached */
    alert_tried(&rule, &alert, START_MS);
    alert_step(&rule, false, STR(""), START_MS + MINUTE_MS, 0, &alert);
    alert_step(&rule, false, STR(""), START_MS + MINUTE_MS + ALERT_OVER_MS, 0, &alert);
    EXPECT(alert.to_tell == ALERT_IS_OVER, "one had heard of it");

    alert = (struct store_alert){.name = rule.name};
    alert_step(&rule, true, STR("d"), START_MS, 0, &alert);
    alert_tried(&rule, &alert, START_MS); /* nobody is reached */
    alert_step(&rule, false, STR(""), START_MS + MINUTE_MS, 0, &alert);
    alert_step(&rule, false, STR(""), START_MS + MINUTE_MS + ALERT_OVER_MS, 0, &alert);
    EXPECT(alert.to_tell == ALERT_NO_NEWS && alert.state == ALERT_QUIET, "nobody had heard of it");
}

/* --- notices ---------------------------------------------------------------------------------------------------------------------- */

static void test_notices(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct alert_rule rule = a_rule(0);
    struct alert_notice notice = {
        .rule = &rule, .news = ALERT_FIRES, .detail = STR("lag is 6"), .at_ms = START_MS};
    struct http_headers headers = {0};
    uint8_t mac[SHA256_BYTES];
    struct str signature;

    (void)state;
    EXPECT_STR(alert_line(&arena, &notice),
               STR("[firing] lag: lag is 6 (condition: lag > 5; critical)"), "line");
    EXPECT_STR(alert_slack(&arena, &notice),
               STR("{\"text\":\"[firing] lag: lag is 6 (condition: lag &gt; 5; critical)\"}"),
               "slack");
    EXPECT_STR(alert_json(&arena, &notice),
               STR("{\"type\":\"alert.firing\",\"timestamp\":\"2025-11-21T07:05:31.000Z\",\"data\":"
                   "{\"alert\":\"lag\",\"state\":\"firing\",\"severity\":\"critical\","
                   "\"condition\":\"lag > 5\",\"detail\":\"lag is 6\"}}"),
               "json");
    notice.number = 7;
    alert_sign(&arena, &notice, STR("key"), STR("body"), &headers);
    hmac_sha256(STR("key"), STR("alert_lag_7.1763708731.body"), mac);
    signature =
        arena_printf(&arena, "v1,%" PRI_STR, STR_ARG(base64_encode(&arena, mac, sizeof mac)));
    EXPECT_STR(http_header_get(&headers, "webhook-id"), STR("alert_lag_7"), "id");
    EXPECT_STR(http_header_get(&headers, "webhook-timestamp"), STR("1763708731"), "time");
    EXPECT_STR(http_header_get(&headers, "webhook-signature"), signature, "signature");
}

/* Source: the example of standard-webhooks.md, "Signature scheme": this secret, id, timestamp and body give this signature in every implementation's tests. */
static void test_signature_of_the_standard(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    uint8_t mac[SHA256_BYTES];
    struct str key;

    (void)state;
    assert_true(base64_decode(&arena, STR("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &key));
    hmac_sha256(key, STR("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}"), mac);
    EXPECT_STR(base64_encode(&arena, mac, sizeof mac),
               STR("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), "signature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions_are_read),
        cmocka_unit_test(test_what_is_no_condition),
        cmocka_unit_test(test_what_holds),
        cmocka_unit_test(test_when_people_hear),
        cmocka_unit_test(test_who_was_not_reached_is_tried_again),
        cmocka_unit_test(test_who_was_told_hears_that_it_is_over),
        cmocka_unit_test(test_notices),
        cmocka_unit_test(test_signature_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
