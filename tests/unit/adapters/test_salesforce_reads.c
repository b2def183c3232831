/* What the Salesforce adapter reads by id, and finds, of each kind. Queries are compared as a whole. */
#include "tests/unit/adapters/salesforce_replay.h"

#include <cmocka.h>

/* --- by id ------------------------------------------------------------------------------------ */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
