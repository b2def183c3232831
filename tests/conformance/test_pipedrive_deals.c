/* The Pipedrive adapter's deals against the simulator: people, stages, the archive, what was deleted, and what a write costs. */
#include "tests/conformance/pipedrive_bench.h"

#include <cmocka.h>

static const char *const KINDS[] = {"company", "contact", "deal"};
static const struct str READ[] = {{.at = "title", .len = 5},
                                  {.at = "stage_id", .len = 8},
                                  {.at = "pipeline_id", .len = 11},
                                  {.at = "deal.contacts", .len = 13}};

enum { PEOPLE = 4 };

static void open_bench(struct bench *b, const char *quirks)
{
    bench_open_kinds(b, &(const struct simulator_options){.quirks = quirks}, KINDS,
                     COUNT_OF(KINDS));
}

/* People 1 to 4: the first objects of an empty account. */
static void make_people(struct bench *b)
{
    for (int i = 0; i < PEOPLE; i++) {
        struct write_item person;
        char key[16], id[16];

        snprintf(key, sizeof key, "p-%d", i);
        snprintf(id, sizeof id, "%d", i + 1);
        create(b, "contact", key, "{\"first_name\":\"Ida\",\"last_name\":\"Ray\"}", &person);
        assert_true(str_equal(person.remote_id, str_of(id)));
    }
}

static const json_t *read_deal(struct bench *b, struct str id)
{
    struct remote_page page = {0};

    fetch(b, "deal", &id, 1, READ, COUNT_OF(READ), &page);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_LIVE);
    return page.records[0].props;
}

static const char *contacts_of(struct bench *b, const json_t *props)
{
    return text_of(b, json_object_get(props, "deal.contacts"));
}

/* --- people ----------------------------------------------------------------------------------- */

/* However it came to be, a deal holds exactly the people that were wanted; and the calls are those that were announced, except
 * where Pipedrive keeps the former person, which no source settles. */
static void test_a_deal_gets_exactly_the_people_wanted(void **state)
{
    static const char *const QUIRKS[] = {NULL, "participants-stay"};
    static const struct {
        const char *wanted, *held;
    } STEPS[] = {{"[\"1\",\"2\",\"3\"]", "[1,2,3]"},
                 {"[\"2\",\"1\"]", "[1,2]"}, /* the person stays the person */
                 {"[2,4]", "[2,4]"},
                 {"[\"3\"]", "[3]"},
                 {"[]", "[]"},
                 {"[\"4\",\"1\"]", "[4,1]"}};

    (void)state;
    for (size_t q = 0; q < COUNT_OF(QUIRKS); q++) {
        struct bench b;
        struct write_item deal;
        const json_t *current;

        open_bench(&b, QUIRKS[q]);
        make_people(&b);
        create(&b, "deal", "d-1", "{\"title\":\"Yard\"}", &deal);
        current = read_deal(&b, deal.remote_id);
        assert_string_equal(contacts_of(&b, current), "[]");
        for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
            char text[128];
            struct write_item update = {.remote_id = deal.remote_id, .current = current};
            int64_t announced, before;

            snprintf(text, sizeof text, "{\"deal.contacts\":%s}", STEPS[i].wanted);
            update.props = props(&b, text);
            announced = b.adapter->upsert_calls("deal", &update, 1);
            before = calls_so_far(&b);
            upsert(&b, "deal", &update);
            assert_int_equal(update.outcome, WRITE_DONE);
            if (!QUIRKS[q]) {
                assert_int_equal(calls_so_far(&b) - before, announced);
            }
            assert_string_equal(contacts_of(&b, update.returned.props), STEPS[i].held);
            current = read_deal(&b, deal.remote_id);
            assert_string_equal(contacts_of(&b, current), STEPS[i].held);
        }
        bench_close(&b);
    }
}

static void test_people_come_with_a_create_and_without_knowing_what_was(void **state)
{
    struct bench b;
    struct write_item deal, update;
    int64_t before;

    (void)state;
    open_bench(&b, NULL);
    make_people(&b);
    deal = (struct write_item){
        .correlation_key = STR("d-1"),
        .props = props(&b, "{\"title\":\"Yard\",\"deal.contacts\":[\"2\",\"1\",\"4\"]}")};
    assert_int_equal(b.adapter->upsert_calls("deal", &deal, 1), 3);
    before = calls_so_far(&b);
    upsert(&b, "deal", &deal);
    assert_int_equal(deal.outcome, WRITE_DONE);
    assert_int_equal(calls_so_far(&b) - before, 3);
    assert_string_equal(contacts_of(&b, deal.returned.props), "[2,1,4]");
    update = (struct write_item){.remote_id = deal.remote_id,
                                 .props = props(&b, "{\"deal.contacts\":[\"4\",\"3\"]}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
    assert_string_equal(contacts_of(&b, read_deal(&b, deal.remote_id)), "[4,3]");
    bench_close(&b);
}

/* One person that Pipedrive does not take: the deal is written, its people are not claimed to be. */
static void test_people_that_are_refused_are_not_claimed(void **state)
{
    struct bench b;
    struct write_item deal, update;

    (void)state;
    open_bench(&b, NULL);
    make_people(&b);
    create(&b, "deal", "d-1", "{\"title\":\"Yard\",\"deal.contacts\":[\"1\"]}", &deal);
    update = (struct write_item){
        .remote_id = deal.remote_id,
        .current = read_deal(&b, deal.remote_id),
        .props = props(&b, "{\"title\":\"Dock\",\"deal.contacts\":[\"1\",\"999\"]}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
    assert_null(json_object_get(update.returned.props, "deal.contacts"));
    update = (struct write_item){.remote_id = deal.remote_id,
                                 .current = read_deal(&b, deal.remote_id),
                                 .props = props(&b, "{\"deal.contacts\":[\"1\",\"999\"]}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_REFUSED);
    assert_string_equal(contacts_of(&b, read_deal(&b, deal.remote_id)), "[1]");
    bench_close(&b);
}

/* Only deals of several people cost a call of their own. */
static void test_people_are_read_where_there_are_several(void **state)
{
    struct bench b;
    struct write_item deal;
    int64_t before;

    (void)state;
    open_bench(&b, NULL);
    make_people(&b);
    create(&b, "deal", "d-1", "{\"title\":\"One\",\"deal.contacts\":[\"1\"]}", &deal);
    create(&b, "deal", "d-2", "{\"title\":\"None\"}", &deal);
    before = calls_so_far(&b);
    read_deal(&b, deal.remote_id);
    assert_int_equal(calls_so_far(&b) - before, 1);
    bench_close(&b);
}

/* --- stages ----------------------------------------------------------------------------------- */

static const struct remote_property *described(struct bench *b, const char *name)
{
    struct remote_schema schema = {0};

    assert_int_equal(b->adapter->describe(b->session, "deal", &b->arena, &schema, &b->err), OK);
    for (size_t i = 0; i < schema.count; i++) {
        if (str_equal(schema.properties[i].name, str_of(name))) {
            return &schema.properties[i];
        }
    }
    fail_msg("no property '%s'", name);
    return NULL;
}

static void test_stages_and_pipelines_are_options_with_distinct_labels(void **state)
{
    const struct remote_property *property;
    struct bench b;

    (void)state;
    open_bench(&b, NULL);
    property = described(&b, "stage_id");
    assert_int_equal(property->options_count, 5);
    assert_true(str_equal(property->options[0].label, STR("Qualified")));
    property = described(&b, "pipeline_id");
    assert_int_equal(property->options_count, 1);
    assert_true(str_equal(property->options[0].label, STR("Pipeline")));
    assert_int_equal(described(&b, "status")->options_count, 3);
    assert_true(described(&b, "deal.contacts")->is_writable);
    assert_true(described(&b, "title")->is_required);
    assert_false(described(&b, "stage_change_time")->is_writable);

    assert_int_equal(ask(&b, "/api/v2/pipelines", "{\"name\":\"Renewals\"}"), 200);
    assert_int_equal(ask(&b, "/api/v2/stages", "{\"name\":\"Qualified\",\"pipeline_id\":2}"), 200);
    property = described(&b, "stage_id");
    assert_int_equal(property->options_count, 6);
    assert_true(str_equal(property->options[0].label, STR("Pipeline / Qualified")));
    assert_true(str_equal(property->options[5].label, STR("Renewals / Qualified")));
    bench_close(&b);
}

/* A stage takes its pipeline along, a pipeline alone its first stage. */
static void test_stage_and_pipeline_are_written_together(void **state)
{
    struct bench b;
    struct write_item deal, update;
    const json_t *held;

    (void)state;
    open_bench(&b, NULL);
    create(&b, "deal", "d-1", "{\"title\":\"Yard\",\"stage_id\":\"3\"}", &deal);
    assert_int_equal(ask(&b, "/api/v2/pipelines", "{\"name\":\"Renewals\"}"), 200);
    assert_int_equal(ask(&b, "/api/v2/stages", "{\"name\":\"Due\",\"pipeline_id\":2}"), 200);
    update = (struct write_item){.remote_id = deal.remote_id,
                                 .current = read_deal(&b, deal.remote_id),
                                 .props = props(&b, "{\"stage_id\":6}")};
    upsert(&b, "deal", &update); /* made since the stages were read */
    assert_int_equal(update.outcome, WRITE_DONE);
    held = read_deal(&b, deal.remote_id);
    assert_int_equal(json_integer_value(json_object_get(held, "pipeline_id")), 2);
    assert_int_equal(json_integer_value(json_object_get(held, "stage_id")), 6);
    update = (struct write_item){
        .remote_id = deal.remote_id, .current = held, .props = props(&b, "{\"pipeline_id\":1}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
    held = read_deal(&b, deal.remote_id);
    assert_int_equal(json_integer_value(json_object_get(held, "pipeline_id")), 1);
    assert_int_equal(json_integer_value(json_object_get(held, "stage_id")), 1);
    bench_close(&b);
}

/* source of the rule: lost_reason can only be set when the status is lost */
static void test_what_the_state_forbids_is_not_sent(void **state)
{
    struct bench b;
    struct write_item deal, update;

    (void)state;
    open_bench(&b, NULL);
    create(&b, "deal", "d-1", "{\"title\":\"Yard\",\"lost_reason\":\"price\",\"value\":\"12.25\"}",
           &deal);
    assert_float_equal(json_number_value(json_object_get(deal.returned.props, "value")), 12.25, 0);
    update = (struct write_item){
        .remote_id = deal.remote_id,
        .current = read_deal(&b, deal.remote_id),
        .props = props(&b, "{\"lost_reason\":\"price\",\"status\":\"lost\",\"value\":null,"
                           "\"currency\":null,\"probability\":\"40\"}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
    assert_string_equal(text_of(&b, json_object_get(update.returned.props, "value")), "0");
    update = (struct write_item){.remote_id = deal.remote_id,
                                 .current = read_deal(&b, deal.remote_id),
                                 .props = props(&b, "{\"won_time\":\"2026-06-01T00:00:00Z\"}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_REFUSED);
    assert_int_equal(update.error.code, FAIL_RECORD);
    bench_close(&b);
}

/* --- the archive and the deleted -------------------------------------------------------------- */

static size_t list_all(struct bench *b, enum list_mode mode, struct str *cursor,
                       struct str *ret_last_id)
{
    struct list_request request = {.kind = "deal",
                                   .mode = mode,
                                   .properties = READ,
                                   .properties_count = COUNT_OF(READ),
                                   .cursor = *cursor};
    struct remote_page page = {.has_more = true};
    size_t total = 0;

    while (page.has_more) {
        page = (struct remote_page){0};
        assert_int_equal(b->adapter->list(b->session, &request, &b->arena, &page, &b->err), OK);
        for (size_t i = 0; i < page.count; i++) {
            assert_int_equal(page.records[i].state,
                             mode == LIST_DELETED ? REMOTE_GONE : REMOTE_LIVE);
            *ret_last_id = page.records[i].remote_id;
        }
        total += page.count;
        request.cursor = page.cursor;
    }
    *cursor = request.cursor;
    return total;
}

/* Out of the lists, but not deleted; read-only. */
static void test_an_archived_deal_lives_and_refuses_writes(void **state)
{
    struct bench b;
    struct write_item deal, other, update;
    struct str cursor = STR(""), last;

    (void)state;
    open_bench(&b, NULL);
    make_people(&b);
    create(&b, "deal", "d-1", "{\"title\":\"Yard\",\"deal.contacts\":[\"1\",\"2\"]}", &deal);
    create(&b, "deal", "d-2", "{\"title\":\"Dock\"}", &other);
    update = (struct write_item){.remote_id = deal.remote_id,
                                 .props = props(&b, "{\"is_archived\":true}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
    assert_string_equal(contacts_of(&b, read_deal(&b, deal.remote_id)), "[1,2]");
    assert_int_equal(list_all(&b, LIST_ALL, &cursor, &last), 2);
    assert_true(str_equal(last, deal.remote_id));
    assert_int_equal(list_all(&b, LIST_CHANGED, &cursor, &last), 2); /* the overlap */
    update = (struct write_item){.remote_id = deal.remote_id,
                                 .current = read_deal(&b, deal.remote_id),
                                 .props = props(&b, "{\"title\":\"New\"}")};
    upsert(&b, "deal", &update);
    assert_int_equal(update.outcome, WRITE_REFUSED);
    assert_int_equal(update.error.code, FAIL_RECORD);
    assert_non_null(strstr(update.error.message, "archive"));
    assert_true(update.error.hint[0] != '\0');
    bench_close(&b);
}

static void test_deleted_deals_are_listed(void **state)
{
    struct bench b;
    struct write_item deal, other;
    struct remove_item removal;
    struct str cursor = STR(""), last = STR("");

    (void)state;
    open_bench(&b, NULL);
    create(&b, "deal", "d-1", "{\"title\":\"Yard\"}", &deal);
    create(&b, "deal", "d-2", "{\"title\":\"Dock\"}", &other);
    assert_int_equal(list_all(&b, LIST_DELETED, &cursor, &last), 0);
    clock_wait_ms(b.env.clock, 10 * 60 * 1000);
    removal = (struct remove_item){.remote_id = deal.remote_id};
    assert_int_equal(b.adapter->remove_calls("deal", &removal, 1), 1);
    assert_int_equal(b.adapter->remove(b.session, "deal", &removal, 1, &b.err), OK);
    assert_int_equal(list_all(&b, LIST_DELETED, &cursor, &last), 1);
    assert_true(str_equal(last, deal.remote_id));
    clock_wait_ms(b.env.clock, 10 * 60 * 1000);
    assert_int_equal(list_all(&b, LIST_DELETED, &cursor, &last), 1); /* the overlap */
    assert_int_equal(list_all(&b, LIST_DELETED, &cursor, &last), 0);
    cursor = STR("x");
    struct list_request request = {.kind = "contact", .mode = LIST_DELETED, .cursor = cursor};
    struct remote_page page = {.has_more = true};
    assert_int_equal(b.adapter->list(b.session, &request, &b.arena, &page, &b.err), OK);
    assert_int_equal(page.count, 0); /* nothing tells which people were deleted */
    assert_false(page.has_more);
    assert_true(str_equal(page.cursor, cursor));
    bench_close(&b);
}

/* --- users and what a mapping wants ----------------------------------------------------------- */

static void test_users_are_listed_with_those_who_left(void **state)
{
    struct remote_users users = {0};
    struct bench b;
    size_t left = 0;

    (void)state;
    open_bench(&b, NULL);
    assert_int_equal(b.adapter->users(b.session, &b.arena, &users, &b.err), OK);
    assert_true(users.count > 1);
    for (size_t i = 0; i < users.count; i++) {
        assert_true(str_contains(users.at[i].email, STR("@")));
        left += !users.at[i].is_active;
    }
    assert_true(left > 0 && left < users.count);
    bench_close(&b);
}

static enum fail want(struct bench *b, const struct property_wanted *wanted, size_t count,
                      struct setup_report *ret)
{
    *ret = (struct setup_report){0};
    return b->adapter->ensure_setup(
        b->session, &(const struct setup_request){.properties = wanted, .properties_count = count},
        ret, &b->err);
}

static void test_wanted_fields_are_made_once_and_options_added(void **state)
{
    const struct remote_option two[] = {{STR("gold"), STR("Gold")}, {STR("tin"), STR("Tin")}};
    const struct remote_option three[] = {
        {STR("iron"), STR("Iron")}, {STR("gold"), STR("Gold")}, {STR("zinc"), STR("Zinc")}};
    struct property_wanted wanted[] = {
        {.kind = "deal",
         .name = STR("Tier"),
         .type = PROPERTY_ENUM,
         .options = two,
         .options_count = 2},
        {.kind = "contact", .name = STR("Born"), .type = PROPERTY_DATE},
        {.kind = "company", .name = STR("Partner"), .type = PROPERTY_BOOLEAN}};
    struct setup_report report;
    struct bench b;

    (void)state;
    open_bench(&b, NULL);
    assert_int_equal(want(&b, wanted, 3, &report), OK);
    assert_int_equal(report.created, 3);
    assert_int_equal(want(&b, wanted, 3, &report), OK);
    assert_int_equal(report.created + report.options_added, 0);
    assert_int_equal(report.present, 3);
    wanted[0].options = three;
    wanted[0].options_count = 3;
    assert_int_equal(want(&b, wanted, 1, &report), OK);
    assert_int_equal(report.options_added, 2);
    assert_int_equal(want(&b, wanted, 1, &report), OK);
    assert_int_equal(report.options_added, 0);
    assert_int_equal(described(&b, "custom:Tier")->options_count, 4); /* none is removed */

    wanted[0].type = PROPERTY_NUMBER;
    assert_int_equal(want(&b, wanted, 1, &report), FAIL_CONNECTION);
    assert_non_null(strstr(b.err.message, "of type enum, not double"));
    wanted[1].is_unique = true;
    assert_int_equal(want(&b, &wanted[1], 1, &report), FAIL_CONNECTION);
    wanted[2].kind = "activity";
    assert_int_equal(want(&b, &wanted[2], 1, &report), FAIL_CONNECTION);
    assert_true(b.err.hint[0] != '\0');
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_deal_gets_exactly_the_people_wanted),
        cmocka_unit_test(test_people_come_with_a_create_and_without_knowing_what_was),
        cmocka_unit_test(test_people_that_are_refused_are_not_claimed),
        cmocka_unit_test(test_people_are_read_where_there_are_several),
        cmocka_unit_test(test_stages_and_pipelines_are_options_with_distinct_labels),
        cmocka_unit_test(test_stage_and_pipeline_are_written_together),
        cmocka_unit_test(test_what_the_state_forbids_is_not_sent),
        cmocka_unit_test(test_an_archived_deal_lives_and_refuses_writes),
        cmocka_unit_test(test_deleted_deals_are_listed),
        cmocka_unit_test(test_users_are_listed_with_those_who_left),
        cmocka_unit_test(test_wanted_fields_are_made_once_and_options_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
