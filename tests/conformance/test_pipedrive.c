/* The Pipedrive adapter against the Pipedrive simulator, in what the common suite cannot know: the
 * ways a deleted person may answer, custom fields, pages of 500, budgets, merges, hidden records. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/pipedrive_bench.h"

#include <cmocka.h>

static const char *const KINDS[] = {"company", "contact"};

static void bench_open(struct bench *b, const struct simulator_options *options)
{
    bench_open_kinds(b, options, KINDS, COUNT_OF(KINDS));
}

/* However a deleted person answers, it is known to be gone, and one that lives is not. */
static void test_deleted_people_are_gone_in_every_dialect(void **state)
{
    static const char *const QUIRKS[] = {NULL, "deleted-get-404", "deleted-get-410",
                                         "list-shows-deleted"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUIRKS); i++) {
        struct bench b;
        struct write_item stays, goes;
        struct remote_page page = {0};

        bench_open(&b, &(const struct simulator_options){.quirks = QUIRKS[i]});
        create(&b, "contact", "k-1", "{\"first_name\":\"Ida\",\"last_name\":\"Ray\"}", &stays);
        create(&b, "contact", "k-2", "{\"first_name\":\"Ida\",\"last_name\":\"Roy\"}", &goes);
        struct remove_item removal = {.remote_id = goes.remote_id};
        assert_int_equal(b.adapter->remove(b.session, "contact", &removal, 1, &b.err), OK);
        fetch(&b, "contact", (const struct str[]){stays.remote_id, goes.remote_id}, 2, NULL, 0,
              &page);
        assert_int_equal(page.count, 2);
        assert_int_equal(record_of(&page, stays.remote_id)->state, REMOTE_LIVE);
        assert_int_equal(record_of(&page, goes.remote_id)->state, REMOTE_GONE);
        bench_close(&b);
    }
}

static void test_a_write_to_a_deleted_person_is_stale(void **state)
{
    static const char *const QUIRKS[] = {NULL, "deleted-get-404", "deleted-get-410"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUIRKS); i++) {
        struct bench b;
        struct write_item item;

        bench_open(&b, &(const struct simulator_options){.quirks = QUIRKS[i]});
        create(&b, "contact", "k-1", "{\"first_name\":\"Ida\",\"last_name\":\"Ray\"}", &item);
        struct remove_item removal = {.remote_id = item.remote_id};
        assert_int_equal(b.adapter->remove(b.session, "contact", &removal, 1, &b.err), OK);
        struct write_item update = {.remote_id = item.remote_id,
                                    .props = props(&b, "{\"last_name\":\"Roe\"}")};
        assert_int_equal(b.adapter->upsert(b.session, "contact", &b.arena, &update, 1, &b.err), OK);
        assert_int_equal(update.outcome, WRITE_REFUSED);
        assert_int_equal(update.error.code, FAIL_STALE);
        bench_close(&b);
    }
}

static void test_custom_fields_travel_under_their_names(void **state)
{
    static const char *const QUIRKS[] = {NULL, "custom-fields-null"};
    const struct str properties[] = {STR("custom:Score"), STR("org_id")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUIRKS); i++) {
        struct bench b;
        struct write_item company, person;
        struct remote_page page = {0};
        char text[256];

        bench_open(&b, &(const struct simulator_options){.quirks = QUIRKS[i]});
        assert_int_equal(ask(&b, "/api/v2/personFields",
                             "{\"field_name\":\"Score\",\"field_type\":\"double\"}") /
                             100,
                         2);
        create(&b, "company", "c-1", "{\"name\":\"Quay\"}", &company);
        snprintf(text, sizeof text,
                 "{\"first_name\":\"Ida\",\"org_id\":\"%" PRI_STR "\",\"custom:Score\":12.5}",
                 STR_ARG(company.remote_id));
        create(&b, "contact", "k-1", text, &person);
        assert_float_equal(json_real_value(json_object_get(person.returned.props, "custom:Score")),
                           12.5, 0);
        struct write_item clear = {.remote_id = person.remote_id,
                                   .props = props(&b, "{\"custom:Score\":null,\"org_id\":null}")};
        assert_int_equal(b.adapter->upsert(b.session, "contact", &b.arena, &clear, 1, &b.err), OK);
        assert_int_equal(clear.outcome, WRITE_DONE);
        fetch(&b, "contact", &person.remote_id, 1, properties, 2, &page);
        assert_true(json_is_null(json_object_get(page.records[0].props, "custom:Score")));
        assert_true(json_is_null(json_object_get(page.records[0].props, "org_id")));
        assert_true(str_equal(page.records[0].correlation_key, STR("k-1")));
        bench_close(&b);
    }
}

/* What is written is what is read: no part of a name is made up. */
static void test_names_come_back_as_they_were_given(void **state)
{
    static const char *const ROWS[][3] = {
        {"{\"first_name\":\"Anna Maria\",\"last_name\":\"Lee\"}", "Anna Maria", "Lee"},
        {"{\"last_name\":\"van der Berg\"}", "", "van der Berg"},
        {"{\"first_name\":\"Teo\"}", "Teo", ""},
        {"{\"emails\":[{\"value\":\"info@quay.example\",\"primary\":true}]}", "", ""}};
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct write_item item;
        struct remote_page page = {0};
        char key[16];
        const char *first, *last;

        snprintf(key, sizeof key, "k-%zu", i);
        create(&b, "contact", key, ROWS[i][0], &item);
        fetch(&b, "contact", &item.remote_id, 1, NULL, 0, &page);
        first = json_string_value(json_object_get(page.records[0].props, "first_name"));
        last = json_string_value(json_object_get(page.records[0].props, "last_name"));
        assert_string_equal(first ? first : "", ROWS[i][1]);
        assert_string_equal(last ? last : "", ROWS[i][2]);
    }
    bench_close(&b);
}

static size_t list_to_end(struct bench *b, enum list_mode mode, struct str *cursor, size_t *pages)
{
    struct list_request request = {.kind = "contact", .mode = mode, .cursor = *cursor};
    struct remote_page page = {.has_more = true};
    size_t total = 0;

    for (*pages = 0; page.has_more; ++*pages) {
        page = (struct remote_page){0};
        assert_int_equal(b->adapter->list(b->session, &request, &b->arena, &page, &b->err), OK);
        total += page.count;
        request.cursor = page.cursor;
    }
    *cursor = request.cursor;
    return total;
}

static void test_large_accounts_are_listed_in_pages_of_500(void **state)
{
    static const char *const QUIRKS[] = {NULL, "null-update-time"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUIRKS); i++) {
        struct bench b;
        struct str cursor = STR(""), changes = STR("");
        size_t pages;

        bench_open(
            &b, &(const struct simulator_options){.seed = 4, .records = 1201, .quirks = QUIRKS[i]});
        assert_int_equal(list_to_end(&b, LIST_ALL, &cursor, &pages), 1201);
        assert_int_equal(pages, 3);
        /* Changes from the very beginning: also who never had an update_time. */
        assert_int_equal(list_to_end(&b, LIST_CHANGED, &changes, &pages), 1201);
        bench_close(&b);
    }
}

static void test_emails_are_found_once_the_index_shows_them(void **state)
{
    const struct str properties[] = {STR("emails")};
    const struct str values[] = {STR("IDA@ray.example"), STR("nobody@ray.example")};
    struct bench b;
    struct write_item item;
    struct remote_page page = {0};
    struct find_request request = {.kind = "contact",
                                   .property = "emails",
                                   .values = values,
                                   .values_count = 2,
                                   .properties = properties,
                                   .properties_count = 1};

    (void)state;
    bench_open(&b, &(const struct simulator_options){.index_lag_ms = 3000});
    create(&b, "contact", "k-1",
           "{\"first_name\":\"Ida\",\"emails\":[{\"value\":\"other@ray.example\"},"
           "{\"value\":\"ida@ray.example\"}]}",
           &item);
    clock_wait_ms(b.env.clock, 10000);
    assert_int_equal(b.adapter->find(b.session, &request, &b.arena, &page, &b.err), OK);
    assert_int_equal(page.count, 1);
    assert_true(str_equal(page.records[0].remote_id, item.remote_id));
    bench_close(&b);
}

/* At most 10 searches in 2 s: the adapter keeps to it by itself, without one 429. */
static void test_many_searches_keep_to_their_window(void **state)
{
    const struct str value = STR("nobody@ray.example");
    struct bench b;
    struct find_request request = {
        .kind = "contact", .property = "emails", .values = &value, .values_count = 1};

    (void)state;
    bench_open(&b, &(const struct simulator_options){.plan = "lite"});
    for (int i = 0; i < 40; i++) {
        struct remote_page page = {0};

        assert_int_equal(b.adapter->find(b.session, &request, &b.arena, &page, &b.err), OK);
    }
    assert_int_equal(http_client_stats(b.client).throttled, 0);
    bench_close(&b);
}

static void test_a_used_up_budget_is_a_long_wait(void **state)
{
    const struct str id = STR("1");
    struct bench b;
    enum fail failed = OK;
    int calls = 0;

    (void)state;
    bench_open(&b, &(const struct simulator_options){.plan = "lite", .records = 3});
    for (; failed == OK && calls < 100000; calls++) {
        AUTO_ARENA struct arena arena = {0};
        struct remote_page page = {0};
        struct fetch_request request = {
            .kind = "contact", .remote_ids = &id, .remote_ids_count = 1};

        clock_wait_ms(b.env.clock, 100);
        failed = b.adapter->fetch_many(b.session, &request, &arena, &page, &b.err);
    }
    assert_int_equal(failed, FAIL_THROTTLED);
    assert_in_range(b.err.wait_ms, 60 * 1000, 24 * 60 * 60 * 1000);
    assert_true(b.err.hint[0] != '\0');
    bench_close(&b);
}

static void test_a_merged_person_is_gone_and_the_survivor_lives(void **state)
{
    struct bench b;
    struct write_item winner, loser;
    struct remote_page page = {0};
    char body[256];

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    create(&b, "contact", "k-1", "{\"first_name\":\"Ida\",\"last_name\":\"Ray\"}", &winner);
    create(&b, "contact", "k-2", "{\"first_name\":\"I\",\"last_name\":\"Ray\"}", &loser);
    snprintf(body, sizeof body,
             "{\"object\":\"persons\",\"into\":\"%" PRI_STR "\",\"from\":\"%" PRI_STR "\"}",
             STR_ARG(winner.remote_id), STR_ARG(loser.remote_id));
    assert_int_equal(ask(&b, "/__sim/merge", body) / 100, 2);
    fetch(&b, "contact", (const struct str[]){winner.remote_id, loser.remote_id}, 2, NULL, 0,
          &page);
    assert_int_equal(record_of(&page, winner.remote_id)->state, REMOTE_LIVE);
    assert_int_equal(record_of(&page, loser.remote_id)->state, REMOTE_GONE);
    bench_close(&b);
}

static void test_oauth_tokens_without_the_scope_stop_the_connection(void **state)
{
    struct bench b;
    AUTO_SECRET struct secret read_only = {0};
    struct session *session;
    struct account_facts facts = {0};
    char token[128];

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    snprintf(token, sizeof token, "%s.readonly", simulator_token(b.simulator));
    secret_set(&read_only, str_of(token));
    session = open_session(&b, &read_only, true);
    assert_int_equal(b.adapter->check(session, &b.arena, &facts, &b.err), OK);
    struct write_item item = {.correlation_key = STR("k-1"),
                              .props = props(&b, "{\"first_name\":\"Ida\"}")};
    assert_int_equal(b.adapter->upsert(session, "contact", &b.arena, &item, 1, &b.err),
                     FAIL_CONNECTION);
    assert_int_equal(item.outcome, WRITE_PENDING);
    b.adapter->close(session);
    bench_close(&b);
}

/* Every call of the adapter, with every fault on the first request and on none after: it works in
 * the end or fails with a message, and never claims what is not so. */
static void test_reading_survives_every_fault(void **state)
{
    static const char *const FAULTS[] = {"throttle", "server_error", "timeout_after_apply",
                                         "truncate", "wrong_type",   "reset",
                                         "html",     "slow"};
    struct bench b;
    struct write_item item;

    (void)state;
    bench_open(&b, &(const struct simulator_options){.records = 5});
    create(&b, "contact", "k-1", "{\"first_name\":\"Ida\",\"last_name\":\"Ray\"}", &item);
    for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
        struct remote_page page = {0};
        struct fetch_request request = {
            .kind = "contact", .remote_ids = &item.remote_id, .remote_ids_count = 1};
        char schedule[256];
        enum fail failed;

        snprintf(schedule, sizeof schedule,
                 "{\"seed\":3,\"rules\":[{\"fault\":\"%s\",\"from_call\":1,\"count\":1}]}",
                 FAULTS[i]);
        assert_int_equal(ask(&b, "/__sim/faults", schedule) / 100, 2);
        failed = b.adapter->fetch_many(b.session, &request, &b.arena, &page, &b.err);
        assert_int_equal(ask(&b, "/__sim/faults", "{}") / 100, 2);
        print_message("  %s: %s %s\n", FAULTS[i], fail_name(failed), failed ? b.err.message : "");
        if (failed == OK) {
            assert_int_equal(page.count, 1);
            assert_int_equal(page.records[0].state, REMOTE_LIVE);
        } else {
            assert_true(b.err.message[0] != '\0');
        }
        error_reset(&b.err);
        clock_wait_ms(b.env.clock, 31 * 60 * 1000); /* past every penalty and the breaker */
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deleted_people_are_gone_in_every_dialect),
        cmocka_unit_test(test_a_write_to_a_deleted_person_is_stale),
        cmocka_unit_test(test_custom_fields_travel_under_their_names),
        cmocka_unit_test(test_names_come_back_as_they_were_given),
        cmocka_unit_test(test_large_accounts_are_listed_in_pages_of_500),
        cmocka_unit_test(test_emails_are_found_once_the_index_shows_them),
        cmocka_unit_test(test_many_searches_keep_to_their_window),
        cmocka_unit_test(test_a_used_up_budget_is_a_long_wait),
        cmocka_unit_test(test_a_merged_person_is_gone_and_the_survivor_lives),
        cmocka_unit_test(test_oauth_tokens_without_the_scope_stop_the_connection),
        cmocka_unit_test(test_reading_survives_every_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
