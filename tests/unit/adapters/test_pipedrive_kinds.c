/* Deals, activities and notes of Pipedrive against exchanges written from the documents: what the simulator does not do. */
#include "tests/unit/adapters/replay.h"

#include "adapters/pipedrive_inside.h"

#include <cmocka.h>

static const struct adapter *const PD = &adapter_pipedrive;
static const struct str CONTACTS[] = {{.at = "deal.contacts", .len = 13}};

static void open_scenario(struct replay *r, const char *scenario)
{
    print_message("  %s\n", scenario);
    replay_open(r, PD, scenario);
}

static json_t *props(struct replay *r, const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);

    assert_non_null(tree);
    return jx_own(&r->arena, tree);
}

static void list(struct replay *r, const char *kind, enum list_mode mode, struct str *cursor,
                 struct remote_page *ret)
{
    struct list_request request = {.kind = kind,
                                   .mode = mode,
                                   .properties = CONTACTS,
                                   .properties_count = 1,
                                   .cursor = *cursor};

    *ret = (struct remote_page){0};
    assert_int_equal(PD->list(r->session, &request, &r->arena, ret, &r->err), OK);
    *cursor = ret->cursor;
}

static const char *contacts_of(struct replay *r, const struct remote_record *record)
{
    const json_t *contacts = json_object_get(record->props, "deal.contacts");

    return contacts ? arena_cstr(&r->arena, jx_text(&r->arena, contacts)) : "(none)";
}

/* --- deals ------------------------------------------------------------------------------------ */

static void test_deals_are_listed_with_all_their_people_and_the_archive(void **state)
{
    struct str cursor = STR("");
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "deals-list");
    list(&r, "deal", LIST_ALL, &cursor, &page);
    assert_true(page.has_more);
    assert_int_equal(page.count, 6);
    assert_string_equal(contacts_of(&r, &page.records[0]), "[815,816,818]"); /* 817 left */
    assert_string_equal(contacts_of(&r, &page.records[1]), "[815]");
    assert_string_equal(contacts_of(&r, &page.records[2]), "[]");
    assert_string_equal(contacts_of(&r, &page.records[3]), "(none)"); /* hidden says nothing */
    assert_int_equal(page.records[4].state, REMOTE_GONE);
    assert_string_equal(contacts_of(&r, &page.records[5]), "[820]"); /* without a person */
    list(&r, "deal", LIST_ALL, &cursor, &page);
    assert_false(page.has_more);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_LIVE);
    list(&r, "deal", LIST_CHANGED, &cursor, &page);
    list(&r, "deal", LIST_CHANGED, &cursor, &page);
    assert_false(page.has_more);
    cursor = STR("");
    list(&r, "deal", LIST_DELETED, &cursor, &page);
    assert_int_equal(page.count, 1); /* an ignored filter deletes nothing */
    assert_true(str_equal(page.records[0].remote_id, STR("15")));
    replay_close(&r, PD);
}

static void test_a_deal_is_gone_only_when_the_archive_has_it_not(void **state)
{
    const struct str ids[] = {STR("7"), STR("12"), STR("13")};
    struct fetch_request request = {.kind = "deal",
                                    .properties = CONTACTS,
                                    .properties_count = 1,
                                    .remote_ids = ids,
                                    .remote_ids_count = 3};
    struct remote_page page = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "deals-fetch");
    assert_int_equal(PD->fetch_many(r.session, &request, &r.arena, &page, &r.err), OK);
    assert_int_equal(page.count, 3);
    for (size_t i = 0; i < page.count; i++) {
        assert_int_equal(page.records[i].state,
                         str_equal(page.records[i].remote_id, ids[2]) ? REMOTE_GONE : REMOTE_LIVE);
    }
    replay_close(&r, PD);
}

static enum fail write(struct replay *r, const char *id, const char *text, const char *current,
                       struct write_item *ret)
{
    *ret = (struct write_item){
        .remote_id = str_of(id), .props = props(r, text), .current = props(r, current)};
    return PD->upsert(r->session, "deal", &r->arena, ret, 1, &r->err);
}

static void test_bodies_of_deals_are_typed_and_complete(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-body");
    assert_int_equal(
        write(
            &r, "7",
            "{\"value\":null,\"currency\":null,\"probability\":\"40\",\"expected_close_date\":null,"
            "\"stage_id\":\"4\",\"pipeline_id\":1,\"status\":\"lost\",\"lost_reason\":\"price\","
            "\"won_time\":\"2026-06-01T00:00:00Z\",\"deal.contacts\":[],\"org_id\":\"73\"}",
            "{\"person_id\":815,\"deal.contacts\":[]}", &item),
        OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    item = (struct write_item){
        .correlation_key = STR("k-1"),
        .props = props(&r, "{\"title\":\"Yard\",\"value\":\"12.50\",\"lost_reason\":\"x\","
                           "\"deal.contacts\":[\"816\"]}")};
    assert_int_equal(PD->upsert(r.session, "deal", &r.arena, &item, 1, &r.err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_string_equal(contacts_of(&r, &item.returned), "[816]");
    replay_close(&r, PD);
}

/* However Pipedrive says it, neither the connection stops nor does the deal count as deleted. */
static void test_the_archive_refuses_one_deal_only(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-archived");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write(&r, "12", "{\"title\":\"New\"}", "{\"is_archived\":true}", &item),
                         OK);
        assert_int_equal(item.outcome, WRITE_REFUSED);
        assert_int_equal(item.error.code, FAIL_RECORD);
        assert_non_null(strstr(item.error.message, "archive"));
    }
    replay_close(&r, PD);
}

#define HELD "{\"person_id\":815,\"deal.contacts\":[815]}"

/* The deal is written, its people wait. */
static void test_people_wait_when_pipedrive_asks_to(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-people-throttled");
    assert_int_equal(write(&r, "7", "{\"title\":\"New\",\"deal.contacts\":[815,816]}", HELD, &item),
                     FAIL_THROTTLED);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_string_equal(contacts_of(&r, &item.returned), "(none)");
    clock_wait_ms(r.env.clock, 700 * 1000);
    error_reset(&r.err);
    assert_int_equal(write(&r, "7", "{\"deal.contacts\":[815,816]}", HELD, &item), FAIL_THROTTLED);
    assert_int_equal(item.outcome, WRITE_PENDING);
    replay_close(&r, PD);
}

/* Half a change is neither refused nor claimed. */
static void test_people_that_are_partly_written_are_read_again(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-people-partly");
    assert_int_equal(write(&r, "7", "{\"deal.contacts\":[\"815\",\"817\"]}",
                           "{\"person_id\":815,\"deal.contacts\":[815,816]}", &item),
                     OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_string_equal(contacts_of(&r, &item.returned), "(none)");
    replay_close(&r, PD);
}

static void test_what_a_write_costs_is_known_before(void **state)
{
    static const struct {
        const char *kind, *id, *props, *current;
        int64_t calls;
    } ROWS[] = {
        {"contact", "", "{\"first_name\":\"x\"}", "{}", 1},
        {"activity", "note:1", "{\"activity.body\":\"x\"}", "{}", 1},
        {"deal", "", "{\"title\":\"x\"}", "{}", 1},
        {"deal", "", "{\"title\":\"x\",\"deal.contacts\":[1,2,3]}", "{}", 3},
        {"deal", "7", "{\"title\":\"x\"}", HELD, 1},
        {"deal", "7", "{\"deal.contacts\":[815]}", HELD, 0},
        {"deal", "7", "{\"deal.contacts\":[815,816]}", HELD, 1},
        {"deal", "7", "{\"title\":\"x\",\"deal.contacts\":[815,816]}", HELD, 2},
        /* another person: written, looked at, and the former one is expected to have left */
        {"deal", "7", "{\"deal.contacts\":[816]}", HELD, 2},
        {"deal", "7", "{\"deal.contacts\":[815]}",
         "{\"person_id\":815,\"deal.contacts\":[815,816]}", 2}};
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-fields");
    r.at = 1; /* costs ask nobody */
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct write_item item = {.remote_id = str_of(ROWS[i].id),
                                  .props = props(&r, ROWS[i].props),
                                  .current = ROWS[i].id[0] ? props(&r, ROWS[i].current) : NULL};

        if (PD->upsert_calls(ROWS[i].kind, &item, 1) != ROWS[i].calls) {
            fail_msg("%s", ROWS[i].props);
        }
    }
    replay_close(&r, PD);
}

/* --- activities and notes --------------------------------------------------------------------- */

static void test_look_alikes_of_others_are_left_alone(void **state)
{
    const struct str keys[] = {STR("k-1"), STR("k-2")};
    struct remote_page page = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "look-alikes");
    const json_t *sent[] = {
        props(&r, "{\"activity.subject\":\"Ring\",\"activity.timestamp\":\"2026-06-02\"}"),
        props(&r, "{\"activity.type\":\"note\",\"activity.body\":\"<p>Gate</p>\",\"deal_id\":7,"
                  "\"activity.contacts\":[816,815]}")};
    struct find_request request = {.kind = "activity",
                                   .property = ADAPTER_CORRELATION,
                                   .values = keys,
                                   .values_count = 2,
                                   .since_ms = REPLAY_BEGIN_MS - 60 * 1000,
                                   .sent = sent};
    assert_int_equal(PD->find(r.session, &request, &r.arena, &page, &r.err), OK);
    assert_int_equal(page.count, 2);
    assert_true(str_equal(page.records[0].remote_id, STR("activity:29")));
    assert_true(str_equal(page.records[0].correlation_key, keys[0]));
    assert_true(str_equal(page.records[1].remote_id, STR("note:6")));
    assert_true(str_equal(page.records[1].correlation_key, keys[1]));
    replay_close(&r, PD);
}

static void test_activities_and_notes_are_listed_one_after_the_other(void **state)
{
    struct str cursor = STR("");
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "notes-list");
    list(&r, "activity", LIST_ALL, &cursor, &page);
    assert_true(page.has_more);
    assert_true(str_equal(page.records[0].remote_id, STR("activity:1")));
    list(&r, "activity", LIST_ALL, &cursor, &page);
    assert_false(page.has_more);
    assert_int_equal(page.count, 0);
    list(&r, "activity", LIST_CHANGED, &cursor, &page);
    assert_int_equal(page.records[0].state, REMOTE_GONE);
    list(&r, "activity", LIST_CHANGED, &cursor, &page);
    assert_int_equal(page.count, 2);
    assert_int_equal(page.records[0].state, REMOTE_GONE);
    assert_true(str_equal(page.records[1].remote_id, STR("note:6")));
    replay_close(&r, PD);
}

static void test_users_are_read_whole(void **state)
{
    struct remote_users users = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "users");
    assert_int_equal(PD->users(r.session, &r.arena, &users, &r.err), OK);
    assert_int_equal(users.count, 3);
    assert_true(str_equal(users.at[0].remote_id, STR("4411")));
    assert_true(str_equal(users.at[0].email, STR("Sync@harbour.example")));
    assert_true(users.at[0].is_active);
    assert_false(users.at[1].is_active);
    assert_true(str_is_empty(users.at[2].email));
    assert_false(users.at[2].is_active);
    /* nobody at all cannot be right */
    assert_int_equal(PD->users(r.session, &r.arena, &users, &r.err), FAIL_RECORD);
    replay_close(&r, PD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deals_are_listed_with_all_their_people_and_the_archive),
        cmocka_unit_test(test_a_deal_is_gone_only_when_the_archive_has_it_not),
        cmocka_unit_test(test_bodies_of_deals_are_typed_and_complete),
        cmocka_unit_test(test_the_archive_refuses_one_deal_only),
        cmocka_unit_test(test_people_wait_when_pipedrive_asks_to),
        cmocka_unit_test(test_people_that_are_partly_written_are_read_again),
        cmocka_unit_test(test_what_a_write_costs_is_known_before),
        cmocka_unit_test(test_look_alikes_of_others_are_left_alone),
        cmocka_unit_test(test_activities_and_notes_are_listed_one_after_the_other),
        cmocka_unit_test(test_users_are_read_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
