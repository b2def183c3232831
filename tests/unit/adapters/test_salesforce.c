/* The Salesforce adapter's reading half against exchanges written from the documents (tests/fixtures/salesforce): what is asked, how
 * answers are read, and what becomes of answers nobody wants. Queries are compared as a whole. */
#include "tests/unit/adapters/replay.h"

#include "adapters/salesforce_inside.h"

#include <cmocka.h>

static const struct adapter *const SF = &adapter_salesforce;

#define CONTACT(n) "0038d00000Ct00" n "AAB"

static void open_scenario(struct replay *r, const char *scenario)
{
    print_message("  %s\n", scenario);
    replay_open(r, SF, scenario);
}

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

/* --- listing ---------------------------------------------------------------------------------- */

static const struct str PROPERTIES[] = {{.at = "LastName", .len = 8},
                                        {.at = "MailingCity", .len = 11}};
#define SINCE "{\"since\":1779958800000}" /* 2026-05-28T09:00:00Z */

static enum fail list_of(struct replay *r, const char *kind, enum list_mode mode,
                         const struct str *properties, size_t count, struct str cursor,
                         struct remote_page *ret)
{
    struct list_request request = {.kind = kind,
                                   .mode = mode,
                                   .properties = properties,
                                   .properties_count = count,
                                   .cursor = cursor};

    *ret = (struct remote_page){0};
    return SF->list(r->session, &request, &r->arena, ret, &r->err);
}

static enum fail list(struct replay *r, enum list_mode mode, struct str cursor,
                      struct remote_page *ret)
{
    return list_of(r, "contact", mode, PROPERTIES, COUNT_OF(PROPERTIES), cursor, ret);
}

static const struct remote_record *record_of(const struct remote_page *page, const char *id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, str_of(id))) {
            return &page->records[i];
        }
    }
    fail_msg("no record '%s'", id);
    return NULL;
}

static const char *text_in(const struct remote_record *record, const char *name)
{
    return json_string_value(json_object_get(record->props, name));
}

static void test_changes_come_with_what_was_deleted_and_merged(void **state)
{
    const struct remote_record *record;
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "list-changed");
    assert_int_equal(list(&r, LIST_CHANGED, STR(SINCE), &page), OK);
    assert_true(page.has_more);
    record = record_of(&page, CONTACT("1"));
    assert_int_equal(record->state, REMOTE_LIVE);
    assert_string_equal(text_in(record, "MailingCity"), "Lyon");
    assert_null(json_object_get(record->props, "attributes"));
    assert_true(str_equal(record->correlation_key, STR("k-1")));
    assert_int_equal(record->modified_ms, 1779264000000); /* LastModifiedDate: a person's edit */
    assert_int_equal(record_of(&page, CONTACT("2"))->state, REMOTE_GONE);
    record = record_of(&page, CONTACT("3")); /* merged into one that was merged in its turn */
    assert_int_equal(record->state, REMOTE_MERGED);
    assert_true(str_equal(record->merged_into, STR(CONTACT("5"))));
    record = record_of(&page, CONTACT("5"));
    assert_int_equal(record->state, REMOTE_LIVE);
    assert_true(json_is_null(json_object_get(record->props, "LastName"))); /* "[not provided]" */
    assert_int_equal(list(&r, LIST_CHANGED, page.cursor, &page), OK);
    assert_int_equal(page.count, 0);
    assert_false(page.has_more);
    /* ten minutes before the listing began, by the server's clock: 20:20 */
    assert_true(str_equal(page.cursor, STR("{\"since\":1779999600000}")));
    replay_close(&r, SF);
}

/* A Date says when a listing began; without one the next listing begins where this one did. */
static void test_without_a_server_time_nothing_is_skipped(void **state)
{
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "list-changed-first");
    assert_int_equal(list(&r, LIST_CHANGED, STR(""), &page), OK);
    assert_true(str_equal(page.cursor, STR("{\"since\":0}")));
    assert_int_equal(page.server_ms, 0);
    replay_close(&r, SF);
}

static void test_a_page_that_comes_again_ends_the_listing(void **state)
{
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "list-same-page");
    assert_int_equal(list(&r, LIST_CHANGED, STR("rubbish"), &page), OK);
    assert_int_equal(list(&r, LIST_CHANGED, page.cursor, &page), FAIL_RETRY);
    replay_close(&r, SF);
}

static void test_the_complete_listing_counts_first_and_goes_on_by_id(void **state)
{
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "list-all");
    assert_int_equal(list(&r, LIST_ALL, STR(""), &page), OK);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.total, 2);
    assert_int_equal(list(&r, LIST_ALL, page.cursor, &page), OK);
    assert_int_equal(page.total, 2);
    assert_false(page.has_more);
    assert_true(str_equal(page.cursor, STR("{\"since\":1779999600000}")));
    replay_close(&r, SF);
}

/* The log names what left the bin (gone), what is in it, and what was restored since (not gone). */
static void test_the_deletion_log_is_a_hint(void **state)
{
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "list-deleted");
    assert_int_equal(list(&r, LIST_DELETED, STR(SINCE), &page), OK);
    assert_int_equal(page.count, 2);
    assert_int_equal(record_of(&page, CONTACT("2"))->state, REMOTE_GONE);
    assert_int_equal(record_of(&page, CONTACT("8"))->state, REMOTE_GONE);
    /* no further than the log is complete */
    assert_true(str_equal(page.cursor, STR("{\"since\":1779999000000}")));
    replay_close(&r, SF);
    open_scenario(&r, "list-deleted-no-log");
    assert_int_equal(list(&r, LIST_DELETED, STR(SINCE), &page), OK);
    assert_int_equal(page.count, 1);
    replay_close(&r, SF);
}

static void test_a_field_that_is_not_there_is_named(void **state)
{
    static const struct str WRONG[] = {{.at = "Nickname__c", .len = 11}};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "missing-field");
    assert_int_equal(list_of(&r, "contact", LIST_CHANGED, WRONG, 1, STR(""), &page),
                     FAIL_CONNECTION);
    assert_non_null(strstr(r.err.message, "Nickname__c"));
    replay_close(&r, SF);
}

/* Hiding a field changes no object, so "not modified" would be no answer. */
static void test_a_refused_query_makes_descriptions_be_read_anew(void **state)
{
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "field-hidden-later");
    assert_int_equal(list(&r, LIST_CHANGED, STR(SINCE), &page), FAIL_CONNECTION);
    error_reset(&r.err);
    assert_int_equal(list(&r, LIST_CHANGED, STR(SINCE), &page), OK);
    replay_close(&r, SF);
}

static void test_answers_that_cannot_be_read_are_clear_errors(void **state)
{
    static const char *const SCENARIOS[] = {"html", "html-200", "no-records", "no-end"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SCENARIOS); i++) {
        struct remote_page page;
        struct replay r;

        open_scenario(&r, SCENARIOS[i]);
        assert_int_equal(list(&r, LIST_CHANGED, STR(""), &page), FAIL_RETRY);
        assert_null(page.records);
        replay_close(&r, SF);
    }
}

static void test_a_part_missing_of_an_answer_is_no_success(void **state)
{
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "composite-short");
    assert_int_equal(list_of(&r, "activity", LIST_CHANGED, NULL, 0, STR(""), &page), FAIL_RETRY);
    replay_close(&r, SF);
}

/* --- many rows -------------------------------------------------------------------------------- */

static const struct str BULK_PROPERTIES[] = {
    {.at = "LastName", .len = 8}, {.at = "Age__c", .len = 6}, {.at = "DoNotCall", .len = 9}};

static enum fail list_bulk(struct replay *r, struct str cursor, struct remote_page *ret)
{
    return list_of(r, "contact", LIST_ALL, BULK_PROPERTIES, COUNT_OF(BULK_PROPERTIES), cursor, ret);
}

static void test_many_rows_are_read_by_a_job(void **state)
{
    const struct remote_record *record;
    struct remote_page page;
    struct str waiting;
    struct replay r;
    int64_t asked_ms;

    (void)state;
    open_scenario(&r, "bulk");
    assert_int_equal(list_bulk(&r, STR(""), &page), OK);
    assert_int_equal(page.total, 30000);
    asked_ms = clock_wall_ms(r.env.clock);
    assert_int_equal(list_bulk(&r, page.cursor, &page), OK); /* asked for */
    assert_int_equal(page.count, 0);
    assert_true(page.has_more);
    waiting = page.cursor;
    assert_int_equal(list_bulk(&r, waiting, &page), FAIL_THROTTLED);
    assert_int_equal(r.err.wait_ms, 2000);
    clock_wait_ms(r.env.clock, 60 * 1000);
    error_reset(&r.err);
    assert_int_equal(list_bulk(&r, waiting, &page), OK);
    assert_int_equal(page.count, 2);
    assert_true(page.began_ms >= asked_ms && page.began_ms < asked_ms + 1000); /* that old */
    record = record_of(&page, CONTACT("2"));
    assert_string_equal(text_in(record, "LastName"), "Ró\"y\nsecond line");
    assert_float_equal(json_real_value(json_object_get(record->props, "Age__c")), 41.5, 0);
    assert_true(json_is_true(json_object_get(record->props, "DoNotCall")));
    assert_true(json_is_null(json_object_get(record_of(&page, CONTACT("3"))->props, "Age__c")));
    assert_int_equal(list_bulk(&r, page.cursor, &page), OK);
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
    replay_close(&r, SF);
}

/* The end of the results is said, never silence. */
static void test_results_without_a_locator_are_not_the_end(void **state)
{
    struct remote_page page = {.cursor = STR("")};
    struct str waiting;
    struct replay r;

    (void)state;
    open_scenario(&r, "bulk");
    json_object_del(
        json_object_get(json_array_get(r.exchanges, json_array_size(r.exchanges) - 1), "headers"),
        "Sforce-Locator");
    assert_int_equal(list_bulk(&r, STR(""), &page), OK);
    assert_int_equal(list_bulk(&r, page.cursor, &page), OK);
    waiting = page.cursor;
    assert_int_equal(list_bulk(&r, waiting, &page), FAIL_THROTTLED);
    clock_wait_ms(r.env.clock, 60 * 1000);
    error_reset(&r.err);
    assert_int_equal(list_bulk(&r, waiting, &page), OK);
    assert_int_equal(list_bulk(&r, page.cursor, &page), FAIL_RETRY);
    replay_close(&r, SF);
}

/* source: Bulk API 2.0, "SOQL Considerations": no compound fields */
static void test_a_job_reads_no_compound_fields(void **state)
{
    static const struct str PARTS[] = {{.at = "MailingCity", .len = 11}};
    static const struct str WHOLE[] = {{.at = "MailingCity", .len = 11},
                                       {.at = "MailingAddress", .len = 14}};
    struct replay r;

    (void)state;
    open_scenario(&r, "shows-contact");
    assert_int_equal(
        salesforce_load_objects(r.session, (const char *const[]){SF_CONTACT}, 1, false, &r.err),
        OK);
    assert_true(salesforce_can_bulk(r.session, SF_CONTACT, PARTS, 1));
    assert_false(salesforce_can_bulk(r.session, SF_CONTACT, WHOLE, 2));
    replay_close(&r, SF);
}

/* Nothing was skipped: what the job would have said is read by pages. */
static void test_without_a_job_the_listing_goes_on_by_pages(void **state)
{
    static const struct {
        const char *scenario;
        size_t steps;
    } ROWS[] = {{"bulk-refused", 3}, {"bulk-lost", 5}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct remote_page page = {.cursor = STR("")};
        struct replay r;

        open_scenario(&r, ROWS[i].scenario);
        for (size_t step = 0; step < ROWS[i].steps; step++) {
            assert_int_equal(list_bulk(&r, page.cursor, &page), OK);
        }
        assert_false(page.has_more);
        replay_close(&r, SF);
    }
}

/* --- by id ------------------------------------------------------------------------------------ */

static enum fail fetch(struct replay *r, const char *kind, const struct str *ids, size_t count,
                       struct remote_page *ret)
{
    static const struct str NAME[] = {{.at = "Name", .len = 4}};
    bool is_company = strcmp(kind, "company") == 0;
    struct fetch_request request = {.kind = kind,
                                    .properties = is_company ? NAME : PROPERTIES,
                                    .properties_count = is_company ? 1 : 2,
                                    .remote_ids = ids,
                                    .remote_ids_count = count};

    *ret = (struct remote_page){0};
    return SF->fetch_many(r->session, &request, &r->arena, ret, &r->err);
}

/* Only who may see all knows that what is not shown is not there. Ids of another form are not asked for. */
static void test_what_is_not_shown_is_gone_only_to_who_sees_all(void **state)
{
    static const struct {
        const char *scenario;
        size_t count;
    } ROWS[] = {{"fetch", 3}, {"fetch-narrow", 2}, {"fetch-nobody", 2}};
    static const struct str IDS[] = {
        {.at = CONTACT("1"), .len = 18},         {.at = "' OR Id != null", .len = 15},
        {.at = "0038d00000Ct002", .len = 15},    {.at = CONTACT("2"), .len = 18},
        {.at = "0018d00000aBcDeAAK", .len = 18}, {.at = CONTACT("9"), .len = 18}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct remote_page page;
        struct replay r;

        open_scenario(&r, ROWS[i].scenario);
        assert_int_equal(fetch(&r, "contact", IDS, COUNT_OF(IDS), &page), OK);
        assert_int_equal(page.count, ROWS[i].count);
        assert_int_equal(record_of(&page, CONTACT("1"))->state, REMOTE_LIVE);
        assert_int_equal(record_of(&page, CONTACT("2"))->state, REMOTE_GONE);
        replay_close(&r, SF);
    }
}

/* A session lives for days, and what its user may see is not for ever. */
static void test_who_no_longer_sees_all_proves_nothing(void **state)
{
    static const struct str IDS[] = {{.at = CONTACT("1"), .len = 18},
                                     {.at = CONTACT("2"), .len = 18},
                                     {.at = CONTACT("9"), .len = 18}};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "fetch-sight-lost");
    assert_int_equal(fetch(&r, "contact", IDS, COUNT_OF(IDS), &page), OK);
    assert_int_equal(record_of(&page, CONTACT("9"))->state, REMOTE_GONE);
    assert_int_equal(fetch(&r, "contact", IDS, COUNT_OF(IDS), &page), OK);
    assert_int_equal(page.count, 2);
    replay_close(&r, SF);
}

/* An id of a lead may be held from before; who may not see leads learns nothing of it. */
static void test_what_may_not_be_seen_is_not_gone(void **state)
{
    static const struct str ID = {.at = "00Q8d00000Le001EAB", .len = 18};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "fetch-hidden-lead");
    assert_int_equal(fetch(&r, "contact", &ID, 1, &page), OK);
    assert_int_equal(page.count, 0);
    replay_close(&r, SF);
}

/* The account of a person is there, and no company. */
static void test_accounts_of_persons_are_neither_companies_nor_gone(void **state)
{
    static const struct str IDS[] = {{.at = "0018d00000Ac001AAB", .len = 18},
                                     {.at = "0018d00000Ac002AAB", .len = 18},
                                     {.at = "0018d00000Ac003AAB", .len = 18}};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "fetch-person-account");
    assert_int_equal(fetch(&r, "company", IDS, COUNT_OF(IDS), &page), OK);
    assert_int_equal(page.count, 2);
    assert_int_equal(record_of(&page, "0018d00000Ac003AAB")->state, REMOTE_GONE);
    replay_close(&r, SF);
}

/* --- finding ---------------------------------------------------------------------------------- */

static enum fail find(struct replay *r, const char *property, const struct str *values,
                      size_t count, struct remote_page *ret)
{
    struct find_request request = {
        .kind = "contact", .property = property, .values = values, .values_count = count};

    *ret = (struct remote_page){0};
    return SF->find(r->session, &request, &r->arena, ret, &r->err);
}

static void test_values_are_texts_whatever_they_hold(void **state)
{
    static const struct str VALUES[] = {{.at = "O'Brien \\\" OR Id != '", .len = 21},
                                        {.at = " ", .len = 1},
                                        {.at = "ray", .len = 3}};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "find");
    assert_int_equal(find(&r, "LastName", VALUES, COUNT_OF(VALUES), &page), OK);
    assert_int_equal(page.count, 1); /* "Raymond" was answered, and is not asked for */
    replay_close(&r, SF);
}

static void test_our_key_is_compared_with_its_case(void **state)
{
    static const struct str VALUES[] = {{.at = "k-1", .len = 3}, {.at = "K-2", .len = 3}};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "find-key");
    assert_int_equal(find(&r, ADAPTER_CORRELATION, VALUES, 2, &page), OK);
    assert_int_equal(page.count, 1);
    assert_true(str_equal(page.records[0].correlation_key, STR("k-1")));
    replay_close(&r, SF);
    open_scenario(&r, "find-without-key");
    assert_int_equal(find(&r, ADAPTER_CORRELATION, VALUES, 2, &page), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.hint, "crmsync setup"));
    replay_close(&r, SF);
}

static void test_line_breaks_and_controls_are_escaped(void **state)
{
    AUTO_BUF struct buf text = {0};

    (void)state;
    buf_init(&text, 256);
    salesforce_quote(&text, STR("a\nb\tc\x01"
                                "'\"\\%_"));
    assert_string_equal(text.at, "'a\\u000ab\\u0009c\\u0001\\'\\\"\\\\%_'");
}

/* However long the list: each query fits an address, and no value is lost or doubled. */
static void test_lists_of_values_are_split_to_fit_an_address(void **state)
{
    enum { VALUES = 2000 };
    AUTO_ARENA struct arena arena = {0};
    struct salesforce_query *queries;
    struct str *values = ARENA_ARRAY(&arena, struct str, VALUES);
    size_t count, commas = 0;

    (void)state;
    for (int i = 0; i < VALUES; i++) {
        values[i] = arena_printf(&arena, "0038d0000%06dAAA", i);
    }
    count = salesforce_in_queries(&arena, STR("SELECT Id FROM Contact WHERE Id"), values, VALUES,
                                  STR(" AND IsDeleted = false"), &queries);
    assert_true(count <= SF_QUERIES_MAX); /* one call */
    for (size_t i = 0; i < count; i++) {
        assert_true(http_percent_encode(&arena, queries[i].soql).len < SF_URL_BYTES_MAX);
        for (size_t k = 0; k < queries[i].soql.len; k++) {
            commas += queries[i].soql.at[k] == ',';
        }
    }
    assert_int_equal(commas, VALUES - count);
}

/* They are more than one address holds. */
static void test_no_number_is_left_out_of_a_search(void **state)
{
    enum { VALUES = 2000, FIRST = 1000000 };
    struct find_request request = {.kind = "contact", .property = "Age__c", .values_count = VALUES};
    struct remote_page page;
    struct str *values;
    struct replay r;

    (void)state;
    open_scenario(&r, "find-numbers");
    values = ARENA_ARRAY(&r.arena, struct str, VALUES);
    for (int i = 0; i < VALUES; i++) {
        values[i] = arena_printf(&r.arena, "%d", FIRST + i);
    }
    request.values = values;
    assert_int_equal(SF->find(r.session, &request, &r.arena, &page, &r.err), OK);
    assert_int_equal(page.count, 1); /* the last one's */
    replay_close(&r, SF);
}

/* --- deals, activities, leads ----------------------------------------------------------------- */

static void test_deals_have_people_and_a_stage_while_they_are_open(void **state)
{
    static const struct str WANTED[] = {{.at = SF_DEAL_STAGE, .len = 10},
                                        {.at = SF_DEAL_STATUS, .len = 11},
                                        {.at = SF_DEAL_CONTACTS, .len = 13},
                                        {.at = SF_RECORD_TYPE, .len = 24}};
    const struct remote_record *open, *won;
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "deals-changed");
    assert_int_equal(list_of(&r, "deal", LIST_CHANGED, WANTED, 4, STR(SINCE), &page), OK);
    assert_int_equal(page.count, 2);
    open = record_of(&page, "0068d00000Op001AAB");
    assert_string_equal(text_in(open, SF_DEAL_STAGE), "Qualification");
    assert_string_equal(text_in(open, SF_DEAL_STATUS), "open");
    assert_string_equal(text_in(open, SF_RECORD_TYPE), "New_Business");
    assert_int_equal(json_array_size(json_object_get(open->props, SF_DEAL_CONTACTS)), 2);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(open->props, SF_DEAL_CONTACTS), 0)),
        CONTACT("2"));                            /* the primary one */
    won = record_of(&page, "0068d00000Op002AAB"); /* only a role of it was deleted */
    assert_null(json_object_get(won->props, SF_DEAL_STAGE));
    assert_string_equal(text_in(won, SF_DEAL_STATUS), "won");
    assert_true(json_is_null(json_object_get(won->props, SF_RECORD_TYPE)));
    assert_int_equal(json_array_size(json_object_get(won->props, SF_DEAL_CONTACTS)), 0);
    replay_close(&r, SF);
}

static void test_tasks_and_events_are_one_kind(void **state)
{
    static const struct str WANTED[] = {
        {.at = SF_ACTIVITY_TYPE, .len = 13},      {.at = SF_ACTIVITY_SUBJECT, .len = 16},
        {.at = SF_ACTIVITY_TIMESTAMP, .len = 18}, {.at = SF_ACTIVITY_DONE, .len = 13},
        {.at = SF_ACTIVITY_CONTACTS, .len = 17},  {.at = SF_ACTIVITY_COMPANY, .len = 16},
        {.at = SF_ACTIVITY_DEAL, .len = 13}};
    const struct remote_record *record;
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "activities");
    assert_int_equal(list_of(&r, "activity", LIST_CHANGED, WANTED, 7, STR(SINCE), &page), OK);
    assert_int_equal(page.count, 6);
    record = &page.records[0];
    assert_string_equal(text_in(record, SF_ACTIVITY_TYPE), "call");
    assert_true(json_is_true(json_object_get(record->props, SF_ACTIVITY_DONE)));
    assert_string_equal(text_in(record, SF_ACTIVITY_TIMESTAMP), "2026-08-03");
    assert_int_equal(json_array_size(json_object_get(record->props, SF_ACTIVITY_CONTACTS)), 1);
    assert_string_equal(text_in(record, SF_ACTIVITY_DEAL), "0068d00000Op001AAB");
    assert_null(json_object_get(record->props, SF_ACTIVITY_COMPANY));
    record = &page.records[1];
    assert_string_equal(text_in(record, SF_ACTIVITY_TYPE), "note");
    assert_null(json_object_get(record->props, SF_ACTIVITY_DONE));
    assert_true(json_is_null(json_object_get(record->props, SF_ACTIVITY_DEAL)));
    assert_string_equal(text_in(record, SF_ACTIVITY_COMPANY), "0018d00000Ac001AAB");
    record = &page.records[2]; /* about a campaign */
    assert_null(json_object_get(record->props, SF_ACTIVITY_COMPANY));
    assert_null(json_object_get(record->props, SF_ACTIVITY_DEAL));
    record = &page.records[3]; /* about nothing */
    assert_string_equal(text_in(record, SF_ACTIVITY_TYPE), "task");
    assert_true(json_is_null(json_object_get(record->props, SF_ACTIVITY_COMPANY)));
    assert_int_equal(json_array_size(json_object_get(record->props, SF_ACTIVITY_CONTACTS)), 0);
    record = &page.records[4];
    assert_string_equal(text_in(record, SF_ACTIVITY_TYPE), "meeting");
    assert_string_equal(text_in(record, SF_ACTIVITY_TIMESTAMP), "2026-08-04T08:30:00.000+0000");
    assert_null(json_object_get(record->props, SF_ACTIVITY_DONE));
    assert_string_equal(text_in(&page.records[5], SF_ACTIVITY_TIMESTAMP), "2026-08-04");
    replay_close(&r, SF);
}

static void test_leads_are_contacts_until_they_are_converted(void **state)
{
    static const struct str WANTED[] = {{.at = "LastName", .len = 8},
                                        {.at = "MailingCity", .len = 11},
                                        {.at = SF_LEAD_STATUS, .len = 19}};
    const struct remote_record *record;
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "leads");
    assert_int_equal(list_of(&r, "contact", LIST_CHANGED, WANTED, 3, STR(SINCE), &page), OK);
    assert_int_equal(page.count, 3);
    record = &page.records[0];
    assert_string_equal(text_in(record, "MailingCity"), "Lyon");
    assert_string_equal(text_in(record, SF_LEAD_STATUS), "Open");
    assert_int_equal(page.records[1].state, REMOTE_MERGED);
    assert_true(str_equal(page.records[1].merged_into, STR(CONTACT("1"))));
    record = record_of(&page, CONTACT("1"));
    assert_int_equal(record->state, REMOTE_LIVE);
    assert_null(json_object_get(record->props, SF_LEAD_STATUS));
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
        cmocka_unit_test(test_changes_come_with_what_was_deleted_and_merged),
        cmocka_unit_test(test_without_a_server_time_nothing_is_skipped),
        cmocka_unit_test(test_a_page_that_comes_again_ends_the_listing),
        cmocka_unit_test(test_the_complete_listing_counts_first_and_goes_on_by_id),
        cmocka_unit_test(test_the_deletion_log_is_a_hint),
        cmocka_unit_test(test_a_field_that_is_not_there_is_named),
        cmocka_unit_test(test_a_refused_query_makes_descriptions_be_read_anew),
        cmocka_unit_test(test_answers_that_cannot_be_read_are_clear_errors),
        cmocka_unit_test(test_a_part_missing_of_an_answer_is_no_success),
        cmocka_unit_test(test_many_rows_are_read_by_a_job),
        cmocka_unit_test(test_results_without_a_locator_are_not_the_end),
        cmocka_unit_test(test_a_job_reads_no_compound_fields),
        cmocka_unit_test(test_without_a_job_the_listing_goes_on_by_pages),
        cmocka_unit_test(test_what_is_not_shown_is_gone_only_to_who_sees_all),
        cmocka_unit_test(test_who_no_longer_sees_all_proves_nothing),
        cmocka_unit_test(test_what_may_not_be_seen_is_not_gone),
        cmocka_unit_test(test_accounts_of_persons_are_neither_companies_nor_gone),
        cmocka_unit_test(test_values_are_texts_whatever_they_hold),
        cmocka_unit_test(test_our_key_is_compared_with_its_case),
        cmocka_unit_test(test_line_breaks_and_controls_are_escaped),
        cmocka_unit_test(test_lists_of_values_are_split_to_fit_an_address),
        cmocka_unit_test(test_no_number_is_left_out_of_a_search),
        cmocka_unit_test(test_deals_have_people_and_a_stage_while_they_are_open),
        cmocka_unit_test(test_tasks_and_events_are_one_kind),
        cmocka_unit_test(test_leads_are_contacts_until_they_are_converted),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_errors_name_fields_and_rules_but_no_values),
        cmocka_unit_test(test_usage_headers_correct_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
