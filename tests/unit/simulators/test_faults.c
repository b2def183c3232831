/* Fault schedules: which calls they strike, and what a struck call looks like from outside. */
#include "tests/unit/simulators/journey.h"

#include <inttypes.h>

#include "simulators/faults.h"

static struct sim_faults *parsed(const char *text)
{
    struct sim_faults *faults = NULL;
    struct error err = {0};

    if (sim_faults_parse(str_of(text), &faults, &err)) {
        fail_msg("%s", err.message);
    }
    return faults;
}

static enum sim_fault next(struct sim_faults *faults, enum http_method method, const char *url)
{
    struct http_request request = {.method = method, .url = str_of(url)};

    return sim_faults_next(faults, &request);
}

/* --- reading --------------------------------------------------------------------------------------- */

static void a_wrong_schedule_says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[]", "expected an object"},
        {"{", "not JSON"},
        {"{\"rulez\":[]}", "unknown member 'rulez'"},
        {"{\"seed\":\"x\"}", "seed"},
        {"{\"rules\":{}}", "rules"},
        {"{\"rules\":[{}]}", "rule 1: fault"},
        {"{\"rules\":[{\"fault\":\"slow\"},{\"fault\":\"boom\"}]}", "rule 2: unknown fault 'boom'"},
        {"{\"rules\":[{\"fault\":\"slow\",\"per_million\":1000001}]}",
         "rule 1: per_million: 1000001"},
        {"{\"rules\":[{\"fault\":\"slow\",\"from_call\":0}]}", "rule 1: from_call"},
        {"{\"rules\":[{\"fault\":\"slow\",\"count\":-1}]}", "rule 1: count"},
        {"{\"rules\":[{\"fault\":\"slow\",\"when\":1}]}", "rule 1: unknown member 'when'"},
        {"{\"rules\":[7]}", "rule 1: expected an object"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sim_faults *faults = NULL;
        struct error err = {0};

        assert_int_equal(sim_faults_parse(str_of(rows[i].text), &faults, &err), FAIL_CONFIG);
        assert_int_equal(err.code, FAIL_CONFIG);
        assert_null(faults);
        if (!strstr(err.message, rows[i].message)) {
            fail_msg("%s: want '%s' in '%s'", rows[i].text, rows[i].message, err.message);
        }
    }
}

static void no_schedule_strikes_nothing(void **state)
{
    struct sim_faults *none = parsed(""), *empty = parsed("{}");

    (void)state;
    assert_null(none);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(next(none, HTTP_GET, "/x"), SIM_FAULT_NONE);
        assert_int_equal(next(empty, HTTP_GET, "/x"), SIM_FAULT_NONE);
    }
    sim_faults_free(none);
    sim_faults_free(empty);
}

/* --- deciding -------------------------------------------------------------------------------------- */

static void from_call_and_count_choose_the_matching_calls(void **state)
{
    struct sim_faults *faults =
        parsed("{\"rules\":[{\"fault\":\"reset\",\"path\":\"/batch/\",\"method\":\"POST\","
               "\"from_call\":2,\"count\":2}]}");
    static const struct {
        enum http_method method;
        const char *url;
        enum sim_fault want;
    } rows[] = {
        {HTTP_POST, "/a/batch/read", SIM_FAULT_NONE},
        {HTTP_GET, "/a/batch/read", SIM_FAULT_NONE},
        {HTTP_POST, "/a", SIM_FAULT_NONE},
        {HTTP_POST, "/a/batch/x", SIM_FAULT_RESET},
        {HTTP_POST, "/a/batch/x", SIM_FAULT_RESET},
        {HTTP_POST, "/a/batch/x", SIM_FAULT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(next(faults, rows[i].method, rows[i].url), rows[i].want);
    }
    sim_faults_free(faults);
}

static void the_first_rule_that_strikes_wins(void **state)
{
    struct sim_faults *faults =
        parsed("{\"rules\":[{\"fault\":\"slow\",\"from_call\":2},{\"fault\":\"html\"}]}");

    (void)state;
    assert_int_equal(next(faults, HTTP_GET, "/"), SIM_FAULT_HTML);
    assert_int_equal(next(faults, HTTP_GET, "/"), SIM_FAULT_SLOW);
    sim_faults_free(faults);
}

static void chances_come_from_the_seed_and_are_about_right(void **state)
{
    static const char text[] =
        "{\"seed\":%d,\"rules\":[{\"fault\":\"throttle\",\"per_million\":100000}]}";
    char one[128], two[128];
    int struck = 0, different = 0;
    struct sim_faults *x, *y, *z;

    (void)state;
    snprintf(one, sizeof(one), text, 7);
    snprintf(two, sizeof(two), text, 8);
    x = parsed(one);
    y = parsed(one);
    z = parsed(two);
    for (int i = 0; i < 10000; i++) {
        enum sim_fault fault = next(x, HTTP_GET, "/");

        assert_int_equal(fault, next(y, HTTP_GET, "/"));
        struck += fault == SIM_FAULT_THROTTLE;
        different += fault != next(z, HTTP_GET, "/");
    }
    assert_in_range(struck, 900, 1100);
    assert_true(different > 0);
    sim_faults_free(x);
    sim_faults_free(y);
    sim_faults_free(z);
}

/* --- acting out ------------------------------------------------------------------------------------ */

/* What a struck create looks like, and whether the contact exists afterwards. */
static const struct outcome {
    const char *fault;
    int status; /* 0 = any of 5xx */
    enum http_fault carried;
    bool is_applied;
    const char *part; /* of the body; NULL = do not look */
} outcomes[] = {
    {"throttle", 429, HTTP_FAULT_NONE, false, "TEN_SECONDLY_ROLLING"},
    {"server_error", 0, HTTP_FAULT_NONE, false, NULL},
    {"timeout_after_apply", 201, HTTP_FAULT_TIMEOUT, true, NULL},
    {"truncate", 201, HTTP_FAULT_TRUNCATE, true, NULL},
    {"wrong_type", 201, HTTP_FAULT_NONE, true, NULL},
    {"slow", 201, HTTP_FAULT_SLOW, true, "\"email\""},
    {"reset", 503, HTTP_FAULT_RESET, false, NULL},
    {"html", 0, HTTP_FAULT_NONE, false, "<html>"},
};

static void outcome_check(const struct outcome *outcome)
{
    static const char create[] =
        "{\"properties\":{\"email\":\"a@x.example\",\"firstname\":\"Ada\"}}";
    struct journey journey;
    struct str rule;
    json_t *tree;

    journey_begin(&journey, simulator_hubspot_new, &(struct simulator_options){0});
    rule = arena_printf(&journey.arena,
                        "{\"rules\":[{\"fault\":\"%s\",\"method\":\"POST\",\"count\":1}]}",
                        outcome->fault);
    journey_send(&journey, "POST", STR("/__sim/faults"), rule, "");
    assert_int_equal(journey.last.status, 200);
    journey_send(&journey, "POST", STR("/crm/v3/objects/contacts"), str_of(create), NULL);
    assert_int_equal(journey.last.fault, outcome->carried);
    assert_true(outcome->status == 0 ? journey.last.status != 201
                                     : journey.last.status == outcome->status);
    if (outcome->part) {
        assert_true(str_contains(journey.last.body, str_of(outcome->part)));
    }
    tree = journey_send(&journey, "GET", STR("/crm/v3/objects/contacts"), STR(""), NULL);
    journey_check(&journey, tree, outcome->is_applied ? "results#1" : "results#0", outcome->fault);
    tree = journey_send(&journey, "GET", STR("/__sim/stats"), STR(""), "");
    journey_check(&journey, tree, "faults=1", outcome->fault);
    journey_end(&journey);
}

static void each_fault_is_applied_or_not_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        outcome_check(&outcomes[i]);
    }
}

/* Same keys at the same places; exactly one value of another type. */
static size_t types_changed(json_t *was, json_t *is)
{
    size_t count = 0, index;
    const char *key;
    json_t *value;

    if (json_typeof(was) != json_typeof(is) && !(json_is_boolean(was) && json_is_boolean(is))) {
        return 1;
    }
    json_object_foreach(was, key, value)
    {
        count += types_changed(value, json_object_get(is, key));
    }
    json_array_foreach(was, index, value)
    {
        count += types_changed(value, json_array_get(is, index));
    }
    return count;
}

static void wrong_type_spoils_one_member_each_time(void **state)
{
    struct journey journey;
    json_t *plain;
    int different = 0;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new,
                  &(struct simulator_options){.records = 5, .no_limits = true});
    plain = journey_send(&journey, "GET", STR("/crm/v3/objects/contacts"), STR(""), NULL);
    journey_send(&journey, "POST", STR("/__sim/faults"),
                 STR("{\"rules\":[{\"fault\":\"wrong_type\"}]}"), "");
    for (int i = 0; i < 50; i++) {
        json_t *spoiled =
            journey_send(&journey, "GET", STR("/crm/v3/objects/contacts"), STR(""), NULL);

        assert_non_null(spoiled);
        assert_int_equal(types_changed(plain, spoiled), 1);
        different += json_equal(plain, spoiled) == 0;
    }
    assert_int_equal(different, 50);
    journey_end(&journey);
}

static void a_faults_file_is_read_and_named_when_wrong(void **state)
{
    char path[] = "/tmp/faults_test_XXXXXX";
    struct env env = {.clock = clock_new_virtual(0)};
    struct simulator_options options = {.faults_file = path};
    struct simulator *sim = NULL;
    struct error err = {0};
    int file = mkstemp(path);
    FILE *stream = fdopen(file, "w");

    (void)state;
    assert_non_null(stream);
    fputs("{\"rules\":[{\"fault\":\"boom\"}]}", stream);
    fclose(stream);
    assert_int_equal(simulator_hubspot_new(&env, &options, &sim, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "rule 1: unknown fault 'boom'"));
    remove(path);
    assert_int_equal(simulator_hubspot_new(&env, &options, &sim, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, "No such file"));
    clock_free(env.clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_schedule_says_what_is_wrong),
        cmocka_unit_test(no_schedule_strikes_nothing),
        cmocka_unit_test(from_call_and_count_choose_the_matching_calls),
        cmocka_unit_test(the_first_rule_that_strikes_wins),
        cmocka_unit_test(chances_come_from_the_seed_and_are_about_right),
        cmocka_unit_test(each_fault_is_applied_or_not_as_documented),
        cmocka_unit_test(wrong_type_spoils_one_member_each_time),
        cmocka_unit_test(a_faults_file_is_read_and_named_when_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
