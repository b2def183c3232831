/* The HubSpot adapter against exchanges written from the documents (tests/fixtures/hubspot): what is
 * asked, how answers are read, and what becomes of answers nobody wants. */
#include "tests/unit/adapters/replay.h"

#include "adapters/hubspot_inside.h"

#include <cmocka.h>

static const struct adapter *const HS = &adapter_hubspot;

static void open_scenario(struct replay *r, const char *scenario)
{
    print_message("  %s\n", scenario);
    replay_open(r, HS, scenario);
}

static json_t *props(struct replay *r, const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);

    assert_non_null(tree);
    return jx_own(&r->arena, tree);
}

static const struct str DEAL[] = {{.at = "deal.stage", .len = 10},
                                  {.at = "deal.status", .len = 11},
                                  {.at = "associations.contacts", .len = 21},
                                  {.at = "associations.company", .len = 20}};

/* The first properties of DEAL. */
static struct remote_page fetch(struct replay *r, const char *kind, const struct str *properties,
                                size_t properties_count, const char *const *ids, size_t count)
{
    struct str list[8];
    struct fetch_request request = {.kind = kind,
                                    .properties = properties,
                                    .properties_count = properties_count,
                                    .remote_ids = list,
                                    .remote_ids_count = count};
    struct remote_page page = {0};

    for (size_t i = 0; i < count; i++) {
        list[i] = str_of(ids[i]);
    }
    assert_int_equal(HS->fetch_many(r->session, &request, &r->arena, &page, &r->err), OK);
    return page;
}

static void assert_text(const json_t *tree, const char *name, const char *text)
{
    const char *has = json_string_value(json_object_get(tree, name));

    if (!text) {
        assert_null(has);
        return;
    }
    assert_non_null(has);
    assert_string_equal(has, text);
}

static void assert_list(const json_t *tree, const char *name, const char *joined)
{
    const json_t *list = json_object_get(tree, name);
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 200);
    assert_true(json_is_array(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        buf_addf(&text, "%s%s", i ? "," : "", json_string_value(json_array_get(list, i)));
    }
    assert_string_equal(text.at ? text.at : "", joined);
}

/* --- deals ------------------------------------------------------------------------------------ */

static void test_links_and_stages_of_deals_are_read(void **state)
{
    static const char *const IDS[] = {"6601", "6602", "6603"};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-links");
    page = fetch(&r, "deal", DEAL, 4, IDS, 3);
    assert_int_equal(page.count, 3);
    assert_list(page.records[0].props, "associations.contacts", "70,900,1000");
    assert_list(page.records[1].props, "associations.contacts", "");
    assert_text(page.records[0].props, "associations.company", "80"); /* the primary one */
    assert_text(page.records[1].props, "associations.company", "9");  /* the lowest, by number */
    assert_true(json_is_null(json_object_get(page.records[2].props, "associations.company")));
    assert_text(page.records[0].props, "deal.stage", "bid");
    assert_text(page.records[0].props, "deal.status", "open");
    assert_null(json_object_get(page.records[1].props, "deal.stage"));
    assert_text(page.records[1].props, "deal.status", "won");
    assert_text(page.records[2].props, "deal.status", "lost"); /* by its probability */
    replay_close(&r, HS);
}

static void test_links_in_a_listing_are_asked_for_only_where_a_row_is_cut(void **state)
{
    struct list_request request = {.kind = "deal",
                                   .mode = LIST_ALL,
                                   .properties = DEAL,
                                   .properties_count = 4,
                                   .cursor = STR("")};
    struct remote_page page = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "list-inline");
    assert_int_equal(HS->list(r.session, &request, &r.arena, &page, &r.err), OK);
    assert_list(page.records[0].props, "associations.contacts", "70,900,901");
    assert_text(page.records[0].props, "associations.company", "80");
    assert_list(page.records[1].props, "associations.contacts", "");
    assert_text(page.records[1].props, "deal.stage", "talk");
    replay_close(&r, HS);
}

static void test_a_stage_that_nobody_knows_says_nothing_about_the_outcome(void **state)
{
    static const char *const IDS[] = {"6601", "6602"};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "stage-unknown");
    page = fetch(&r, "deal", DEAL, 2, IDS, 2);
    assert_text(page.records[0].props, "deal.stage", "new-one");
    assert_null(json_object_get(page.records[0].props, "deal.status"));
    assert_text(page.records[1].props, "deal.status", "open");
    fetch(&r, "deal", DEAL, 2, IDS, 1); /* too soon to ask again */
    clock_wait_ms(r.env.clock, 60 * 1000);
    page = fetch(&r, "deal", DEAL, 2, IDS, 1); /* pipelines are read anew */
    assert_text(page.records[0].props, "deal.status", "open");
    replay_close(&r, HS);
}

static void test_stage_and_pipeline_are_written_together(void **state)
{
    struct write_item items[4];
    struct replay r;

    (void)state;
    open_scenario(&r, "deal-won");
    items[0] = (struct write_item){
        .remote_id = STR("6601"),
        .props = props(&r, "{\"amount\":\"12.50\",\"deal.status\":\"won\"}"),
        .current = props(&r, "{\"pipeline\":\"default\",\"dealstage\":\"bid\",\"deal.stage\":"
                             "\"bid\",\"deal.status\":\"open\"}")};
    items[1] = (struct write_item){.remote_id = STR("6602"),
                                   .props = props(&r, "{\"pipeline\":\"p2\"}"),
                                   .current = items[0].current};
    items[2] =
        (struct write_item){.remote_id = STR("6603"),
                            .props = props(&r, "{\"pipeline\":\"p2\",\"deal.stage\":\"bid\"}"),
                            .current = items[0].current};
    items[3] = (struct write_item){.remote_id = STR("6604"),
                                   .props = props(&r, "{\"deal.stage\":\"won\"}"),
                                   .current = items[0].current};
    assert_int_equal(HS->upsert(r.session, "deal", &r.arena, items, 4, &r.err), OK);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_text(items[0].returned.props, "deal.status", "won");
    assert_text(items[1].returned.props, "deal.stage", "s-open");
    assert_int_equal(items[2].outcome, WRITE_REFUSED);
    assert_non_null(strstr(items[2].error.message, "does not belong to its pipeline"));
    assert_int_equal(items[3].outcome, WRITE_REFUSED);
    assert_non_null(strstr(items[3].error.message, "stands for a status"));
    replay_close(&r, HS);
}

/* --- writing links ---------------------------------------------------------------------------- */

static void test_links_are_written_in_part_and_said_one_by_one(void **state)
{
    struct write_item items[3];
    struct replay r;

    (void)state;
    open_scenario(&r, "links-in-part");
    items[0] = (struct write_item){
        .remote_id = STR("6601"),
        .props = props(&r, "{\"associations.contacts\":[\"900\"],\"associations.company\":\"80\"}"),
        .current = props(&r, "{\"associations.contacts\":[\"70\"],\"associations.company\":null}")};
    items[1] = (struct write_item){.remote_id = STR("6602"),
                                   .props = props(&r, "{\"associations.contacts\":[\"901\"]}"),
                                   .current = props(&r, "{\"associations.contacts\":[]}")};
    items[2] = (struct write_item){.remote_id = STR("6603"),
                                   .props = props(&r, "{\"associations.contacts\":[\"902\"]}"),
                                   .current = props(&r, "{\"associations.contacts\":[]}")};
    assert_int_equal(HS->upsert_calls("deal", items, 3), 3);
    assert_int_equal(HS->upsert(r.session, "deal", &r.arena, items, 3, &r.err), OK);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_list(items[0].returned.props, "associations.contacts", "900");
    assert_text(items[0].returned.props, "associations.company", "80");
    assert_int_equal(items[1].outcome, WRITE_REFUSED);
    assert_non_null(strstr(items[1].error.message, "901"));
    assert_int_equal(items[2].outcome, WRITE_UNKNOWN); /* the answer does not name it */
    replay_close(&r, HS);
}

static void test_links_whose_answer_was_lost_are_unknown(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "links-lost");
    item = (struct write_item){.remote_id = STR("6601"),
                               .props = props(&r, "{\"associations.contacts\":[\"900\"]}"),
                               .current = props(&r, "{\"associations.contacts\":[]}")};
    assert_int_equal(HS->upsert(r.session, "deal", &r.arena, &item, 1, &r.err), OK);
    assert_int_equal(item.outcome, WRITE_UNKNOWN);
    assert_true(item.error.is_outcome_unknown);
    replay_close(&r, HS);
}

/* --- activities ------------------------------------------------------------------------------- */

static void test_activities_are_made_with_their_links(void **state)
{
    struct write_item items[2];
    struct replay r;

    (void)state;
    open_scenario(&r, "activities-made");
    items[0] = (struct write_item){
        .correlation_key = STR("k-2"),
        .props = props(&r, "{\"activity.type\":\"note\",\"activity.subject\":\"nowhere\","
                           "\"activity.body\":\"<p>Met</p>\",\"activity.done\":true}")};
    items[1] = (struct write_item){
        .correlation_key = STR("k-1"),
        .props = props(&r, "{\"activity.type\":\"email\",\"activity.subject\":\"Quote\","
                           "\"activity.body\":\"<p>Hello</p>\",\"activity.timestamp\":"
                           "\"2026-05-01T08:00:00.000Z\",\"associations.contacts\":[\"501\","
                           "\"502\"],\"associations.company\":\"80\"}")};
    assert_int_equal(HS->upsert_calls("activity", items, 2), 2);
    assert_int_equal(HS->upsert(r.session, "activity", &r.arena, items, 2, &r.err), OK);
    assert_int_equal(items[1].outcome, WRITE_DONE);
    assert_true(str_equal(items[1].remote_id, STR("emails:7701")));
    assert_text(items[1].returned.props, "activity.type", "email");
    assert_list(items[1].returned.props, "associations.contacts", "501,502");
    assert_true(json_is_true(json_object_get(items[1].returned.props, "activity.done")));
    assert_int_equal(items[0].outcome, WRITE_REFUSED);
    assert_int_equal(items[0].remote_id.len, 0);
    replay_close(&r, HS);
}

static void test_an_activity_is_made_even_when_a_link_cannot_be(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "activity-bare");
    item = (struct write_item){
        .correlation_key = STR("k-1"),
        .props = props(&r, "{\"activity.type\":\"task\",\"activity.subject\":\"Ring\","
                           "\"activity.timestamp\":\"2026-05-01T08:00:00Z\",\"activity.done\":true,"
                           "\"associations.contacts\":[\"501\"],\"associations.deal\":\"9\"}")};
    assert_int_equal(HS->upsert(r.session, "activity", &r.arena, &item, 1, &r.err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_list(item.returned.props, "associations.contacts", "501");
    assert_null(json_object_get(item.returned.props, "associations.deal"));
    replay_close(&r, HS);
}

static void test_a_meeting_keeps_its_length_and_a_cleared_text_is_cleared_in_both(void **state)
{
    struct write_item items[2];
    struct replay r;

    (void)state;
    open_scenario(&r, "meeting-moved");
    items[0] = (struct write_item){.remote_id = STR("emails:7701"),
                                   .props = props(&r, "{\"activity.body\":null}")};
    items[1] = (struct write_item){
        .remote_id = STR("meetings:3301"),
        .props = props(&r, "{\"activity.timestamp\":\"2026-06-02T09:00:00.000Z\"}"),
        .current = props(&r, "{\"hs_meeting_start_time\":\"2026-06-01T10:00:00Z\","
                             "\"hs_meeting_end_time\":\"2026-06-01T10:30:00Z\"}")};
    assert_int_equal(HS->upsert(r.session, "activity", &r.arena, items, 2, &r.err), OK);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_int_equal(items[1].outcome, WRITE_DONE);
    assert_text(items[1].returned.props, "activity.timestamp", "2026-06-02T09:00:00Z");
    replay_close(&r, HS);
}

static void test_equal_numbers_of_two_objects_are_two_activities(void **state)
{
    static const struct str READ[] = {{.at = "activity.body", .len = 13},
                                      {.at = "activity.done", .len = 13},
                                      {.at = "activity.subject", .len = 16}};
    static const char *const IDS[] = {"tasks:7701", "emails:7701", "faxes:1", "7701"};
    struct remote_page page;
    struct replay r;

    (void)state;
    open_scenario(&r, "activity-read");
    page = fetch(&r, "activity", READ, 3, IDS, 4);
    assert_int_equal(page.count, 2); /* what is no id of an activity is left out */
    assert_true(str_equal(page.records[0].remote_id, STR("emails:7701")));
    assert_text(page.records[0].props, "activity.body", "Hello");
    assert_true(str_equal(page.records[1].remote_id, STR("tasks:7701")));
    assert_true(json_is_false(json_object_get(page.records[1].props, "activity.done")));
    assert_true(json_is_null(json_object_get(page.records[1].props, "activity.subject")));
    assert_null(json_object_get(page.records[1].props, "activity.body")); /* not answered */
    replay_close(&r, HS);
}

static void test_a_lost_activity_is_found_where_search_lags(void **state)
{
    static const struct str READ[] = {{.at = "activity.subject", .len = 16}};
    struct str key = STR("k-1");
    struct find_request request = {.kind = "activity",
                                   .property = ADAPTER_CORRELATION,
                                   .values = &key,
                                   .values_count = 1,
                                   .properties = READ,
                                   .properties_count = 1,
                                   .since_ms = REPLAY_BEGIN_MS - 60000};
    struct remote_page page = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "find-activity");
    assert_int_equal(HS->find(r.session, &request, &r.arena, &page, &r.err), OK);
    assert_int_equal(page.count, 1);
    assert_true(str_equal(page.records[0].remote_id, STR("calls:101")));
    assert_text(page.records[0].props, "activity.subject", "Talk");
    replay_close(&r, HS);
}

/* --- schema ----------------------------------------------------------------------------------- */

static void test_labels_that_two_pipelines_use_are_told_apart(void **state)
{
    static const char *const LABELS[] = {"First talk", "Sales / Bid", "Service / Bid"};
    struct remote_schema schema = {0};
    struct replay r;
    size_t found = 0;

    (void)state;
    open_scenario(&r, "describe-deal");
    assert_int_equal(HS->describe(r.session, "deal", &r.arena, &schema, &r.err), OK);
    for (size_t i = 0; i < schema.count; i++) {
        const struct remote_property *property = &schema.properties[i];

        if (str_equal(property->name, STR("deal.stage"))) {
            assert_int_equal(property->options_count, COUNT_OF(LABELS)); /* open ones, in order */
            for (size_t k = 0; k < COUNT_OF(LABELS); k++) {
                assert_true(str_equal(property->options[k].label, str_of(LABELS[k])));
            }
            found++;
        } else if (str_equal(property->name, STR("dealstage"))) {
            assert_int_equal(property->options_count, 7);
            found++;
        } else if (str_equal(property->name, STR("pipeline"))) {
            assert_int_equal(property->options_count, 2);
            assert_true(str_equal(property->options[1].label, STR("Service")));
            found++;
        }
    }
    assert_int_equal(found, 3);
    replay_close(&r, HS);
}

static void test_owners_are_read_to_the_last_page_and_those_who_left(void **state)
{
    struct remote_users users = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "users");
    assert_int_equal(HS->users(r.session, &r.arena, &users, &r.err), OK);
    assert_int_equal(users.count, 3);
    assert_true(str_equal(users.at[0].name, STR("Ada Berg")));
    assert_true(str_equal(users.at[1].remote_id, STR("30101")));
    assert_int_equal(users.at[1].email.len, 0);
    assert_false(users.at[2].is_active);
    replay_close(&r, HS);
}

static const struct remote_option SOUTH[] = {
    {{.at = "south", .len = 5}, {.at = "South", .len = 5}}};

static enum fail set_up(struct replay *r, const struct property_wanted *wanted, size_t count,
                        struct setup_report *ret)
{
    static const char *const KINDS[] = {"deal"};
    struct setup_request request = {
        .kinds = KINDS, .kinds_count = 1, .properties = wanted, .properties_count = count};

    return HS->ensure_setup(r->session, &request, ret, &r->err);
}

static void test_setup_makes_groups_properties_and_options(void **state)
{
    const struct property_wanted wanted[] = {
        {.kind = "deal",
         .name = STR("area"),
         .type = PROPERTY_ENUM,
         .options = SOUTH,
         .options_count = 1},
        {.kind = "deal",
         .name = STR("signed"),
         .label = STR("Signed"),
         .group = STR("forge"),
         .type = PROPERTY_BOOLEAN},
    };
    struct setup_report report = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "setup-wanted");
    assert_int_equal(set_up(&r, wanted, 2, &report), OK);
    assert_int_equal(report.created, 2); /* the second one's answer got lost */
    assert_int_equal(report.present, 1);
    assert_int_equal(report.options_added, 1);
    replay_close(&r, HS);
}

static void test_setup_does_not_touch_what_has_another_type(void **state)
{
    const struct property_wanted wanted = {.kind = "deal",
                                           .name = STR("area"),
                                           .type = PROPERTY_ENUM,
                                           .options = SOUTH,
                                           .options_count = 1};
    struct setup_report report = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "setup-refused");
    assert_int_equal(set_up(&r, &wanted, 1, &report), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.message, "area"));
    assert_true(r.err.hint[0] != '\0');
    replay_close(&r, HS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_and_stages_of_deals_are_read),
        cmocka_unit_test(test_links_in_a_listing_are_asked_for_only_where_a_row_is_cut),
        cmocka_unit_test(test_a_stage_that_nobody_knows_says_nothing_about_the_outcome),
        cmocka_unit_test(test_stage_and_pipeline_are_written_together),
        cmocka_unit_test(test_links_are_written_in_part_and_said_one_by_one),
        cmocka_unit_test(test_links_whose_answer_was_lost_are_unknown),
        cmocka_unit_test(test_activities_are_made_with_their_links),
        cmocka_unit_test(test_an_activity_is_made_even_when_a_link_cannot_be),
        cmocka_unit_test(test_a_meeting_keeps_its_length_and_a_cleared_text_is_cleared_in_both),
        cmocka_unit_test(test_equal_numbers_of_two_objects_are_two_activities),
        cmocka_unit_test(test_a_lost_activity_is_found_where_search_lags),
        cmocka_unit_test(test_labels_that_two_pipelines_use_are_told_apart),
        cmocka_unit_test(test_owners_are_read_to_the_last_page_and_those_who_left),
        cmocka_unit_test(test_setup_makes_groups_properties_and_options),
        cmocka_unit_test(test_setup_does_not_touch_what_has_another_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
