/* Listings of the Salesforce adapter: changes, everything, and many rows by a job. Queries are compared as a whole. */
#include "tests/unit/adapters/salesforce_replay.h"

#include <cmocka.h>

/* --- listing ---------------------------------------------------------------------------------- */

static enum fail list(struct replay *r, enum list_mode mode, struct str cursor,
                      struct remote_page *ret)
{
    return list_of(r, "contact", mode, PROPERTIES, COUNT_OF(PROPERTIES), cursor, ret);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
