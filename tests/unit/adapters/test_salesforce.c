/* The Salesforce adapter's reading half against exchanges written from the documents (tests/fixtures/salesforce): what is asked, how
 * answers are read, and what becomes of answers nobody wants. Queries are compared as a whole. */
#include "tests/unit/adapters/salesforce_replay.h"

#include <cmocka.h>

/* --- ids -------------------------------------------------------------------------------------- */

static void test_ids_have_a_suffix_that_encodes_their_case(void **state)
{
    static const char *const PAIRS[][2] = {{"0038d00000BqTzK", "0038d00000BqTzKAAV"},
                                           {"0018d00000aBcDe", "0018d00000aBcDeAAK"},
                                           {"00D8d000000XyZ9", "00D8d000000XyZ9EAK"}};
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        struct str id = salesforce_id18(&arena, str_of(PAIRS[i][0]));

        assert_true(str_equal(id, str_of(PAIRS[i][1])));
        assert_true(str_equal(salesforce_id18(&arena, id), id));
        assert_true(salesforce_is_id(id) && salesforce_is_id(str_of(PAIRS[i][0])));
        assert_true(salesforce_same_id(id, str_of(PAIRS[i][0])));
    }
    assert_false(salesforce_same_id(STR("0038d00000BqTzK"), STR("0038d00000BqTzk")));
}

static void test_what_is_no_id_is_none(void **state)
{
    static const char *const TEXTS[] = {"",
                                        "003",
                                        "0038d00000BqTzKAAA", /* the suffix of another case */
                                        "0038d00000BqTz'",
                                        "0038d00000BqTz KAA",
                                        "0038d00000BqTzKAAV1",
                                        "0038d00000BqT\xc3\xa9",
                                        "' OR Id != null"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_false(salesforce_is_id(str_of(TEXTS[i])));
    }
}

/* --- account ---------------------------------------------------------------------------------- */

static void test_check_says_whose_token_it_is(void **state)
{
    struct account_facts facts = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "check");
    assert_int_equal(SF->check(r.session, &r.arena, &facts, &r.err), OK);
    assert_true(str_equal(facts.account_id, STR("00D8d000000XyZ9EAK")));
    assert_true(str_equal(facts.title, STR("Harbour")));
    assert_true(str_equal(facts.time_zone, STR("Europe/Berlin")));
    replay_close(&r, SF);
}

static void test_a_refused_token_is_a_matter_of_signing_in(void **state)
{
    struct account_facts facts = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "check-refused");
    assert_int_equal(SF->check(r.session, &r.arena, &facts, &r.err), FAIL_AUTH);
    assert_non_null(strstr(r.err.hint, "crmsync connect"));
    replay_close(&r, SF);
}

static enum fail open_with(struct replay *r, struct str base_url, struct str version)
{
    struct account account = {
        .connection = "other", .base_url = base_url, .api_version = version, .token = &r->token};
    struct session *session = NULL;
    enum fail failed = SF->open(&r->env, r->client, &account, &session, &r->err);

    SF->close(session);
    return failed;
}

static void test_settings_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        struct str base_url, version;
        enum fail wanted;
    } ROWS[] = {
        {{.at = "https://" REPLAY_HOST, .len = sizeof("https://" REPLAY_HOST) - 1}, STR_NONE, OK},
        {{.at = "https://" REPLAY_HOST, .len = sizeof("https://" REPLAY_HOST) - 1},
         {.at = "v67.0", .len = 5},
         OK},
        {{.at = "https://" REPLAY_HOST, .len = sizeof("https://" REPLAY_HOST) - 1},
         {.at = "59.0", .len = 4},
         FAIL_CONFIG},
        {{.at = "https://" REPLAY_HOST, .len = sizeof("https://" REPLAY_HOST) - 1},
         {.at = "66.0/x", .len = 6},
         FAIL_CONFIG},
        /* a token is good at one org only, and nothing says at which */
        {{.at = "", .len = 0}, STR_NONE, FAIL_CONFIG}};
    struct replay r;

    (void)state;
    open_scenario(&r, "shows-account");
    r.at = json_array_size(r.exchanges);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_int_equal(open_with(&r, ROWS[i].base_url, ROWS[i].version), ROWS[i].wanted);
    }
    replay_close(&r, SF);
}

static void test_users_come_page_by_page(void **state)
{
    struct remote_users users = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "users");
    assert_int_equal(SF->users(r.session, &r.arena, &users, &r.err), OK);
    assert_int_equal(users.count, 3);
    assert_true(str_equal(users.at[0].email, STR("ann@harbour.example")));
    assert_int_equal(users.at[1].email.len, 0);
    assert_false(users.at[2].is_active);
    replay_close(&r, SF);
}

/* --- descriptions ----------------------------------------------------------------------------- */

static const struct remote_property *property_named(const struct remote_schema *schema,
                                                    const char *name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (str_equal(schema->properties[i].name, str_of(name))) {
            return &schema->properties[i];
        }
    }
    return NULL;
}

static void test_describe_says_what_each_field_takes(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "describe");
    assert_int_equal(SF->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_true(property_named(&schema, "LastName")->is_required);
    assert_false(property_named(&schema, "FirstName")->is_required);
    assert_false(property_named(&schema, "DoNotCall")->is_required); /* never empty */
    assert_false(property_named(&schema, "OwnerId")->is_required);   /* put by the platform */
    assert_false(property_named(&schema, "Age__c")->is_writable);    /* a formula */
    assert_true(property_named(&schema, "Age__c")->is_custom);
    assert_true(property_named(&schema, "crmsync_id__c")->is_unique);
    assert_null(property_named(&schema, "MailingAddress")); /* read by its parts */
    assert_int_equal(property_named(&schema, "LeadSource")->options_count, 2);
    assert_true(
        str_equal(property_named(&schema, "LeadSource")->options[1].label, STR("Phone label")));
    assert_true(str_equal(property_named(&schema, SF_LEAD_STATUS)->options[0].value, STR("Open")));
    assert_null(property_named(&schema, "Company")); /* leads' own fields are no contact's */
    replay_close(&r, SF);
}

static void test_a_description_is_read_anew_only_when_it_changed(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "describe-again");
    assert_int_equal(SF->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_int_equal(SF->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    clock_wait_ms(r.env.clock, 2 * 60 * 1000);
    assert_int_equal(SF->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_non_null(property_named(&schema, "LastName")); /* 304: as it was */
    replay_close(&r, SF);
}

static void test_contacts_need_no_right_to_see_leads(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "describe-without-leads");
    assert_int_equal(SF->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_int_equal(property_named(&schema, SF_LEAD_STATUS)->options_count, 0);
    replay_close(&r, SF);
}

static void test_a_hidden_object_is_named_with_what_to_do(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "describe-hidden");
    assert_int_equal(SF->describe(r.session, "company", &r.arena, &schema, &r.err),
                     FAIL_CONNECTION);
    assert_non_null(strstr(r.err.message, "Account"));
    assert_non_null(strstr(r.err.hint, "permission set"));
    clock_wait_ms(r.env.clock, 2 * 60 * 1000);
    assert_int_equal(SF->describe(r.session, "company", &r.arena, &schema, &r.err),
                     FAIL_CONNECTION);
    replay_close(&r, SF);
}

static void test_record_types_go_by_their_developer_names(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "describe-deal");
    assert_int_equal(SF->describe(r.session, "deal", &r.arena, &schema, &r.err), OK);
    assert_true(
        str_equal(property_named(&schema, SF_RECORD_TYPE)->options[0].value, STR("New_Business")));
    assert_int_equal(property_named(&schema, SF_DEAL_STATUS)->options_count, 3);
    /* not the closed ones: those are the status */
    assert_int_equal(property_named(&schema, SF_DEAL_STAGE)->options_count, 1);
    assert_true(
        str_equal(property_named(&schema, SF_DEAL_STAGE)->options[0].value, STR("Qualification")));
    replay_close(&r, SF);
}

/* An org may have that many; and no name that is none gets into a query. */
static void test_five_thousand_fields_are_no_trouble(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;
    json_t *fields;

    (void)state;
    open_scenario(&r, "shows-account");
    fields = json_object_get(json_object_get(json_array_get(r.exchanges, 0), "body"), "fields");
    for (int i = 0; i < 5000; i++) {
        char name[32];

        snprintf(name, sizeof name, "Field_%d__c", i);
        json_array_append_new(fields, json_pack("{s:s,s:s,s:s,s:b,s:b,s:b}", "name", name, "label",
                                                name, "type", "string", "nillable", 1, "createable",
                                                1, "updateable", 1));
    }
    assert_int_equal(SF->describe(r.session, "company", &r.arena, &schema, &r.err), OK);
    assert_true(schema.count > 5000);
    assert_true(property_named(&schema, "Field_4999__c")->is_writable);
    replay_close(&r, SF);
}

/* A page of wide rows keeps to the size of an answer, and a mapping to that of a query. */
static void test_wide_rows_come_in_small_pages(void **state)
{
    enum { WIDE = 400, TOO_WIDE = 5000 };
    struct str *names;
    struct list_request request = {.kind = "company", .mode = LIST_CHANGED, .cursor = STR("")};
    struct remote_page page;
    struct replay r;
    json_t *fields;

    (void)state;
    open_scenario(&r, "shows-account");
    fields = json_object_get(json_object_get(json_array_get(r.exchanges, 0), "body"), "fields");
    names = ARENA_ARRAY(&r.arena, struct str, TOO_WIDE);
    for (int i = 0; i < TOO_WIDE; i++) {
        names[i] = arena_printf(&r.arena, "Field_%d__c", i);
        json_array_append_new(fields,
                              json_pack("{s:s,s:s}", "name", names[i].at, "type", "string"));
    }
    json_array_append_new(r.exchanges,
                          json_pack("{s:s,s:s,s:[s],s:{s:i,s:b,s:[]}}", "method", "GET", "path",
                                    "/services/data/v66.0/queryAll", "query", "LIMIT%20500", "body",
                                    "totalSize", 0, "done", 1, "records"));
    request.properties = names;
    request.properties_count = WIDE;
    assert_int_equal(SF->list(r.session, &request, &r.arena, &page, &r.err), OK);
    request.properties_count = TOO_WIDE;
    assert_int_equal(SF->list(r.session, &request, &r.arena, &page, &r.err), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.message, "more fields"));
    replay_close(&r, SF);
}

static void test_a_field_without_a_proper_name_is_no_description(void **state)
{
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "describe-bad-name");
    assert_int_equal(SF->describe(r.session, "company", &r.arena, &schema, &r.err), FAIL_RETRY);
    r.at = json_array_size(r.exchanges);
    replay_close(&r, SF);
}

/* --- what an answer means --------------------------------------------------------------------- */

#define ERROR(code) "[{\"message\":\"Ida Ray ida@ray.example\",\"errorCode\":\"" code "\"}]"

static void test_classify(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum fail code;
        int64_t wait_ms;
    } ROWS[] = {
        {200, "{}", OK, 0},
        {204, "", OK, 0},
        {304, "", OK, 0},
        {401, ERROR("INVALID_SESSION_ID"), FAIL_AUTH, 0},
        {401, "", FAIL_AUTH, 0},
        /* a new session would be refused too: none is asked for */
        {401,
         "[{\"message\":\"This session is not valid for use with the REST API\","
         "\"errorCode\":\"INVALID_SESSION_ID\"}]",
         FAIL_CONNECTION, 0},
        {401,
         "[{\"message\":\"Connected app is not attached to Agent\",\"errorCode\":"
         "\"INVALID_SESSION_ID\"}]",
         FAIL_CONNECTION, 0},
        {403,
         "[{\"message\":\"TotalRequests Limit exceeded.\",\"errorCode\":"
         "\"REQUEST_LIMIT_EXCEEDED\"}]",
         FAIL_THROTTLED, 15 * 60 * 1000},
        {403,
         "[{\"message\":\"ConcurrentRequests (Concurrent API Requests) Limit exceeded.\","
         "\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\"}]",
         FAIL_THROTTLED, 30 * 1000},
        {403, ERROR("API_DISABLED_FOR_ORG"), FAIL_CONNECTION, 0},
        {403, ERROR("SOMETHING_NEW"), FAIL_CONNECTION, 0},
        {403, "<html>blocked</html>", FAIL_RETRY, 0},
        {400, ERROR("UNABLE_TO_LOCK_ROW"), FAIL_RETRY, 0},
        {400, ERROR("QUERY_TIMEOUT"), FAIL_RETRY, 0},
        {400, ERROR("INVALID_QUERY_LOCATOR"), FAIL_RETRY, 0},
        {400, ERROR("INVALID_FIELD"), FAIL_CONNECTION, 0},
        {400, ERROR("MALFORMED_QUERY"), FAIL_CONNECTION, 0},
        {400, ERROR("REQUIRED_FIELD_MISSING"), FAIL_RECORD, 0},
        {400, ERROR("DUPLICATES_DETECTED"), FAIL_RECORD, 0},
        {400, ERROR("SOMETHING_NEW"), FAIL_RECORD, 0},
        {300, "[\"/services/data/v66.0/sobjects/Contact/0038d00000BqTzKAAV\"]", FAIL_RECORD, 0},
        {404, ERROR("ENTITY_IS_DELETED"), FAIL_STALE, 0},
        {404, ERROR("NOT_FOUND"), FAIL_STALE, 0},
        {404, "<html>not here</html>", FAIL_CONNECTION, 0},
        {302, "", FAIL_CONNECTION, 0},
        {406, "", FAIL_RETRY, 0},
        {412, "", FAIL_STALE, 0},
        {420, "", FAIL_RETRY, 0},
        {500, ERROR("UNKNOWN_EXCEPTION"), FAIL_RETRY, 0},
        {502, "<html>", FAIL_RETRY, 0},
        {503, ERROR("SERVER_UNAVAILABLE"), FAIL_RETRY, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_response response = {.status = ROWS[i].status, .body = str_of(ROWS[i].body)};
        struct http_account account = {0};
        struct error err = {0};

        print_message("  %d %s\n", ROWS[i].status, ROWS[i].body);
        assert_int_equal(salesforce_classify(&response, &account, &err), ROWS[i].code);
        assert_int_equal(err.code, ROWS[i].code);
        assert_int_equal(err.wait_ms, ROWS[i].wait_ms);
        assert_null(strstr(err.message, "ray")); /* no value of anybody's */
        assert_null(strstr(err.message, "Ray"));
        assert_true(ROWS[i].status < 500 || err.is_outcome_unknown);
        assert_true(err.code != FAIL_CONNECTION || err.hint[0]);
    }
}

static void test_errors_name_fields_and_rules_but_no_values(void **state)
{
    static const char *const ROWS[][2] = {
        {"[{\"message\":\"Required fields are missing: [LastName]\",\"errorCode\":"
         "\"REQUIRED_FIELD_MISSING\",\"fields\":[\"LastName\"]}]",
         "(LastName)"},
        {"[{\"message\":\"\\nSELECT Id,Nam FROM Account\\nNo such column 'Nam' on entity "
         "'Account'.\",\"errorCode\":\"INVALID_FIELD\"}]",
         "(Nam)"},
        {"[{\"message\":\"Close date must not be in the past\",\"errorCode\":"
         "\"FIELD_CUSTOM_VALIDATION_EXCEPTION\",\"fields\":[]}]",
         "Close date must not be in the past"},
        {"[{\"message\":\"Last Name: data value too large: Ray\",\"statusCode\":"
         "\"STRING_TOO_LONG\",\"fields\":[\"LastName\",\"o'clock\"]}]",
         "(LastName)"}};
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct error err = {0};
        json_t *body;

        assert_int_equal(jx_parse(&arena, str_of(ROWS[i][0]), &body, &err), OK);
        assert_int_not_equal(salesforce_judge(400, body, &err), OK);
        assert_non_null(strstr(err.message, ROWS[i][1]));
        assert_null(strstr(err.message, "Ray"));
    }
}

static void test_usage_headers_correct_the_budget(void **state)
{
    static const struct {
        const char *header;
        int64_t left;
    } ROWS[] = {{"api-usage=6588/115000", 108412},
                {"api-usage=6589/115000; per-app-api-usage=210/5000(appName=acme)", 4790},
                {"api-usage=6589/115000;per-app-api-usage=1/200000(appName=a;b)", 108411},
                {"api-usage=120000/115000", 0},
                {"api-usage=x/115000", 0}, /* not understood: as before */
                {"", 0}};
    struct clock *clock = clock_new_virtual(0);
    struct limiter *limiter = limiter_new(clock);
    struct limit_account *limits = limiter_account(limiter, STR("x"), SF->limits, SF_BUCKETS);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_response response = {.status = 200};
        struct http_account account = {.limits = limits};
        struct error err = {0};

        http_header_add(&response.headers, STR("Sforce-Limit-Info"), str_of(ROWS[i].header));
        assert_int_equal(salesforce_classify(&response, &account, &err), OK);
        assert_int_equal(limit_remaining(limits, SF_DAILY), ROWS[i].left);
    }
    limiter_free(limiter);
    clock_free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_have_a_suffix_that_encodes_their_case),
        cmocka_unit_test(test_what_is_no_id_is_none),
        cmocka_unit_test(test_check_says_whose_token_it_is),
        cmocka_unit_test(test_a_refused_token_is_a_matter_of_signing_in),
        cmocka_unit_test(test_settings_that_make_no_sense_are_refused),
        cmocka_unit_test(test_users_come_page_by_page),
        cmocka_unit_test(test_describe_says_what_each_field_takes),
        cmocka_unit_test(test_a_description_is_read_anew_only_when_it_changed),
        cmocka_unit_test(test_contacts_need_no_right_to_see_leads),
        cmocka_unit_test(test_a_hidden_object_is_named_with_what_to_do),
        cmocka_unit_test(test_record_types_go_by_their_developer_names),
        cmocka_unit_test(test_five_thousand_fields_are_no_trouble),
        cmocka_unit_test(test_wide_rows_come_in_small_pages),
        cmocka_unit_test(test_a_field_without_a_proper_name_is_no_description),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_errors_name_fields_and_rules_but_no_values),
        cmocka_unit_test(test_usage_headers_correct_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
