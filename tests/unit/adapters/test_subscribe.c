/* Subscriptions at the three CRMs: what is made, kept and deleted (tests/fixtures/<crm>/subscribe*.json), and what a person is told where no API
 * does it. */
#include "tests/unit/adapters/replay.h"

#include <cmocka.h>

/* the three insides cannot be included together */
extern const struct adapter adapter_hubspot, adapter_pipedrive, adapter_salesforce;

static const char *const ALL[] = {"contact", "company", "deal", "activity"};

struct wish {
    struct webhook_wanted wanted;
    struct webhook_report report;
    struct secret password, key;
};

static void wish_for(struct wish *wish, const char *url, size_t kinds)
{
    *wish = (struct wish){0};
    secret_set(&wish->password, STR("right"));
    secret_set(&wish->key, STR("dev-key"));
    wish->wanted = (struct webhook_wanted){.url = str_of(url),
                                           .user = STR("crmsync"),
                                           .password = &wish->password,
                                           .kinds = ALL,
                                           .kinds_count = kinds};
}

static void wish_fini(struct wish *wish)
{
    secret_fini(&wish->password);
    secret_fini(&wish->key);
}

static void assert_report(const struct wish *wish, int created, int present, int removed)
{
    assert_int_equal(wish->report.created, created);
    assert_int_equal(wish->report.present, present);
    assert_int_equal(wish->report.removed, removed);
}

/* --- Pipedrive -------------------------------------------------------------------------------- */

#define PIPE "https://sync.example.test/api/crm/webhooks/pipe/new-secret"

static enum fail pipe_subscribe(struct replay *r, const char *scenario, struct wish *wish)
{
    print_message("  %s\n", scenario);
    replay_open(r, &adapter_pipedrive, scenario);
    return adapter_pipedrive.subscribe(r->session, &wish->wanted, &r->arena, &wish->report,
                                       &r->err);
}

/* What is inactive, doubled, of the old version, password or address, or no longer wanted goes; other people's and other connections' stay. */
static void test_pipedrives_webhooks_are_made_to_match(void **state)
{
    struct replay r;
    struct wish wish;

    wish_for(&wish, PIPE, 4);
    assert_int_equal(pipe_subscribe(&r, "subscribe", &wish), OK);
    assert_report(&wish, 4, 1, 6);
    assert_int_equal(wish.report.by_hand.len, 0);
    replay_close(&r, &adapter_pipedrive);
    wish_fini(&wish);
    (void)state;
}

static void test_pipedrives_webhooks_that_match_stay(void **state)
{
    struct replay r;
    struct wish wish;

    wish_for(&wish, PIPE, 3);
    assert_int_equal(pipe_subscribe(&r, "subscribe-again", &wish), OK);
    assert_report(&wish, 0, 3, 0);
    replay_close(&r, &adapter_pipedrive);
    wish_fini(&wish);
    (void)state;
}

static void test_pipedrives_refusals_say_what_to_do(void **state)
{
    struct replay r;
    struct wish wish;

    wish_for(&wish, PIPE, 1);
    assert_int_equal(pipe_subscribe(&r, "subscribe-unreachable", &wish), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.hint, "public_url"));
    assert_null(strstr(r.err.message, "new-secret"));
    replay_close(&r, &adapter_pipedrive);
    assert_int_equal(pipe_subscribe(&r, "subscribe-denied", &wish), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.hint, "admin"));
    replay_close(&r, &adapter_pipedrive);
    wish.wanted.password = NULL;
    replay_open(&r, &adapter_pipedrive, "subscribe-again");
    assert_int_equal(
        adapter_pipedrive.subscribe(r.session, &wish.wanted, &r.arena, &wish.report, &r.err),
        FAIL_CONFIG);
    r.at = 1; /* nothing was asked */
    replay_close(&r, &adapter_pipedrive);
    wish_fini(&wish);
    (void)state;
}

static void test_pipedrives_webhooks_end(void **state)
{
    struct replay r;
    struct wish wish;

    wish_for(&wish, PIPE, 4);
    replay_open(&r, &adapter_pipedrive, "unsubscribe");
    assert_int_equal(
        adapter_pipedrive.unsubscribe(r.session, &wish.wanted, &r.arena, &wish.report, &r.err), OK);
    assert_report(&wish, 0, 0, 1);
    replay_close(&r, &adapter_pipedrive);
    wish_fini(&wish);
    (void)state;
}

/* --- HubSpot ---------------------------------------------------------------------------------- */

#define HUB "https://sync.example.test/api/crm/webhooks/hub/new-secret"

static bool has_row(const json_t *list, const char *type, const char *object, const char *property)
{
    size_t index;
    json_t *row;

    json_array_foreach(list, index, row)
    {
        const char *has_object = json_string_value(json_object_get(row, "objectType"));
        const char *has_property = json_string_value(json_object_get(row, "propertyName"));

        if (strcmp(json_string_value(json_object_get(row, "subscriptionType")), type) == 0 &&
            strcmp(has_object ? has_object : "", object) == 0 &&
            strcmp(has_property ? has_property : "", property) == 0) {
            return json_is_true(json_object_get(row, "active"));
        }
    }
    return false;
}

/* The text ends with the file as it has to be. */
static json_t *file_in(struct replay *r, struct str text)
{
    const char *at = memchr(text.at, '{', text.len);
    json_t *file = at ? json_loads(at, 0, NULL) : NULL;

    assert_non_null(file);
    return jx_own(&r->arena, file);
}

static void test_hubspots_project_file_is_told(void **state)
{
    static const struct webhook_property PROPERTIES[] = {
        {"contact", {.at = "email", .len = 5}},
        {"contact", {.at = "email", .len = 5}},
        {"contact", {.at = "associations.company", .len = 20}},
        {"contact", {.at = "lastmodifieddate", .len = 16}},
        {"deal", {.at = "deal.stage", .len = 10}},
        {"activity", {.at = "activity.subject", .len = 16}},
    };
    const json_t *file, *lists, *legacy, *generic;
    struct replay r;
    struct wish wish;

    wish_for(&wish, HUB, 4);
    wish.wanted.properties = PROPERTIES;
    wish.wanted.properties_count = COUNT_OF(PROPERTIES);
    replay_open(&r, &adapter_hubspot, "nothing-asked");
    assert_int_equal(
        adapter_hubspot.subscribe(r.session, &wish.wanted, &r.arena, &wish.report, &r.err), OK);
    file = file_in(&r, wish.report.by_hand);
    file = json_object_get(file, "config");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(file, "settings"), "targetUrl")), HUB);
    lists = json_object_get(file, "subscriptions");
    legacy = json_object_get(lists, "legacyCrmObjects");
    generic = json_object_get(lists, "crmObjects");
    assert_true(has_row(legacy, "contact.creation", "", ""));
    assert_true(has_row(legacy, "contact.merge", "", ""));
    assert_true(has_row(legacy, "deal.restore", "", ""));
    assert_true(has_row(legacy, "contact.associationChange", "", ""));
    assert_true(has_row(legacy, "contact.propertyChange", "", "email"));
    assert_true(has_row(legacy, "deal.propertyChange", "", "dealstage"));
    assert_true(has_row(generic, "object.propertyChange", "call", "hs_call_title"));
    assert_true(has_row(generic, "object.deletion", "note", ""));
    assert_true(has_row(json_object_get(lists, "hubEvents"), "contact.privacyDeletion", "", ""));
    assert_false(has_row(legacy, "contact.propertyChange", "", "lastmodifieddate"));
    assert_false(has_row(legacy, "contact.propertyChange", "", "crmsync_id"));
    assert_false(has_row(generic, "object.propertyChange", "email", "hs_email_subject"));
    assert_int_equal(json_array_size(legacy), 3 * 5 + 1 + 2); /* each once */
    replay_close(&r, &adapter_hubspot);
    wish_fini(&wish);
    (void)state;
}

static enum fail app_subscribe(struct replay *r, const char *scenario, struct wish *wish)
{
    print_message("  %s\n", scenario);
    wish->wanted.app_id = STR("9001");
    wish->wanted.developer_key = &wish->key;
    replay_open(r, &adapter_hubspot, scenario);
    return adapter_hubspot.subscribe(r->session, &wish->wanted, &r->arena, &wish->report, &r->err);
}

static void test_an_older_app_is_made_to_match(void **state)
{
    static const struct webhook_property PROPERTIES[] = {{"company", {.at = "name", .len = 4}},
                                                         {"company", {.at = "domain", .len = 6}}};
    struct replay r;
    struct wish wish;

    wish_for(&wish, HUB, 2);
    wish.wanted.kinds = ALL + 1;
    wish.wanted.kinds_count = 1;
    wish.wanted.properties = PROPERTIES;
    wish.wanted.properties_count = COUNT_OF(PROPERTIES);
    assert_int_equal(app_subscribe(&r, "subscribe-app", &wish), OK);
    assert_report(&wish, 5, 2, 2);
    replay_close(&r, &adapter_hubspot);
    wish_fini(&wish);
    (void)state;
}

static void test_an_app_of_others_is_left_alone(void **state)
{
    struct replay r;
    struct wish wish;

    wish_for(&wish, HUB, 1);
    assert_int_equal(app_subscribe(&r, "subscribe-app-of-others", &wish), FAIL_CONNECTION);
    replay_close(&r, &adapter_hubspot);
    assert_int_equal(app_subscribe(&r, "subscribe-app-key", &wish), FAIL_AUTH);
    assert_non_null(strstr(r.err.hint, "developer_key"));
    assert_null(strstr(r.err.message, "dev-key"));
    replay_close(&r, &adapter_hubspot);
    wish_fini(&wish);
    (void)state;
}

static void test_an_older_apps_webhooks_end(void **state)
{
    struct replay r;
    struct wish wish;

    wish_for(&wish, HUB, 1);
    wish.wanted.app_id = STR("9001");
    wish.wanted.developer_key = &wish.key;
    replay_open(&r, &adapter_hubspot, "unsubscribe-app");
    assert_int_equal(
        adapter_hubspot.unsubscribe(r.session, &wish.wanted, &r.arena, &wish.report, &r.err), OK);
    assert_report(&wish, 0, 0, 1);
    replay_close(&r, &adapter_hubspot);
    wish_fini(&wish);
    (void)state;
}

/* --- Salesforce ------------------------------------------------------------------------------- */

static void test_what_to_click_at_salesforce_is_told(void **state)
{
    static const char *const PARTS[] = {"https://sync.example.test/api/crm/webhooks/sf/x",
                                        "Contact",
                                        "Account",
                                        "OpportunityContactRole",
                                        "Task",
                                        "Event",
                                        "Record-Triggered Flow"};
    struct replay r;
    struct wish wish;

    wish_for(&wish, PARTS[0], 4);
    replay_open(&r, &adapter_salesforce, "nothing-asked");
    assert_int_equal(
        adapter_salesforce.subscribe(r.session, &wish.wanted, &r.arena, &wish.report, &r.err), OK);
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        assert_true(str_contains(wish.report.by_hand, str_of(PARTS[i])));
    }
    assert_false(str_contains(wish.report.by_hand, STR("Case")));
    assert_report(&wish, 0, 0, 0);
    replay_close(&r, &adapter_salesforce);
    wish_fini(&wish);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipedrives_webhooks_are_made_to_match),
        cmocka_unit_test(test_pipedrives_webhooks_that_match_stay),
        cmocka_unit_test(test_pipedrives_refusals_say_what_to_do),
        cmocka_unit_test(test_pipedrives_webhooks_end),
        cmocka_unit_test(test_hubspots_project_file_is_told),
        cmocka_unit_test(test_an_older_app_is_made_to_match),
        cmocka_unit_test(test_an_app_of_others_is_left_alone),
        cmocka_unit_test(test_an_older_apps_webhooks_end),
        cmocka_unit_test(test_what_to_click_at_salesforce_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
