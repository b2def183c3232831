/* The Pipedrive adapter against exchanges written from the documents (tests/fixtures/pipedrive):
 * what is asked, how answers are read, and what becomes of answers nobody wants. */
#include "tests/unit/adapters/replay.h"

#include "adapters/pipedrive_inside.h"

#include <cmocka.h>

static const struct adapter *const PD = &adapter_pipedrive;

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

static const struct str PROPERTIES[] = {{.at = "last_name", .len = 9},
                                        {.at = "custom:Tier", .len = 11}};

static enum fail list(struct replay *r, enum list_mode mode, struct str cursor,
                      struct remote_page *ret)
{
    struct list_request request = {.kind = "contact",
                                   .mode = mode,
                                   .properties = PROPERTIES,
                                   .properties_count = 2,
                                   .cursor = cursor};

    return PD->list(r->session, &request, &r->arena, ret, &r->err);
}

/* --- fields ----------------------------------------------------------------------------------- */

static const struct remote_property *property_named(const struct remote_schema *schema,
                                                    const char *name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (str_equal(schema->properties[i].name, str_of(name))) {
            return &schema->properties[i];
        }
    }
    fail_msg("no property '%s'", name);
    return NULL;
}

static void test_describe_reads_every_page_of_fields(void **state)
{
    struct replay r;
    struct remote_schema schema = {0};

    (void)state;
    open_scenario(&r, "fields-paged");
    assert_int_equal(PD->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_int_equal(schema.count, 10); /* six of the lists, and what each account has */
    assert_true(property_named(&schema, "emails")->is_writable);
    assert_true(str_equal(property_named(&schema, "custom:Tier")->options[1].label, STR("Silver")));
    assert_true(property_named(&schema, "name")->is_required);
    assert_true(property_named(&schema, "last_name")->is_writable);
    assert_false(property_named(&schema, "update_time")->is_writable);
    assert_true(property_named(&schema, "custom:Tier")->is_custom);
    assert_int_equal(property_named(&schema, "custom:Tier")->options_count, 2);
    assert_true(str_equal(property_named(&schema, "custom:Tier")->options[1].value, STR("32")));
    replay_close(&r, PD);
}

static void test_field_lists_that_cannot_be_right_are_errors(void **state)
{
    static const char *const SCENARIOS[] = {"fields-wrong", "fields-same-cursor"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SCENARIOS); i++) {
        struct replay r;
        struct remote_schema schema = {0};

        open_scenario(&r, SCENARIOS[i]);
        assert_int_not_equal(PD->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
        assert_non_null(strstr(r.err.message, "fields of persons"));
        replay_close(&r, PD);
    }
}

static enum fail set_up(struct replay *r, struct setup_report *report)
{
    static const char *const KINDS[] = {"company"};

    return PD->ensure_setup(r->session,
                            &(const struct setup_request){.kinds = KINDS, .kinds_count = 1}, report,
                            &r->err);
}

static void test_setup_makes_the_field_where_it_is_missing(void **state)
{
    static const char *const KINDS[] = {"contact", "company", "ticket"};
    struct setup_report report = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "setup");
    assert_int_equal(
        PD->ensure_setup(r.session, &(const struct setup_request){.kinds = KINDS, .kinds_count = 3},
                         &report, &r.err),
        OK);
    assert_int_equal(report.present, 1);
    assert_int_equal(report.created, 1);
    replay_close(&r, PD);
}

static void test_setup_looks_before_it_believes_a_lost_answer(void **state)
{
    struct setup_report report = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "setup-lost");
    assert_int_equal(set_up(&r, &report), OK);
    assert_int_equal(report.created, 1);
    replay_close(&r, PD);
    open_scenario(&r, "setup-denied");
    assert_int_equal(set_up(&r, &report), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.message, "crmsync id"));
    assert_true(r.err.hint[0] != '\0');
    replay_close(&r, PD);
}

/* What a set-up read just before serves one description, and no second one. */
static void test_a_run_reads_the_fields_once(void **state)
{
    static const char *const KINDS[] = {"contact"};
    const struct setup_request request = {.kinds = KINDS, .kinds_count = 1};
    struct setup_report report = {0};
    struct remote_schema schema = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "setup-describe");
    assert_int_equal(PD->ensure_setup(r.session, &request, &report, &r.err), OK);
    assert_int_equal(PD->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_int_equal(r.at, 1);
    assert_int_equal(PD->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    assert_int_equal(r.at, 2);
    assert_int_equal(PD->ensure_setup(r.session, &request, &report, &r.err), OK);
    clock_wait_ms(r.env.clock, 11 * 1000);
    assert_int_equal(PD->describe(r.session, "contact", &r.arena, &schema, &r.err), OK);
    replay_close(&r, PD);
}

/* --- listing ---------------------------------------------------------------------------------- */

static void test_listing_pages_by_key_and_its_end_begins_the_changes(void **state)
{
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "list-all");
    assert_int_equal(list(&r, LIST_ALL, STR(""), &page), OK);
    assert_true(page.has_more);
    assert_int_equal(page.count, 2);
    assert_true(str_equal(page.records[0].correlation_key, STR("k-1")));
    assert_int_equal(json_integer_value(json_object_get(page.records[0].props, "custom:Tier")), 31);
    assert_true(json_is_null(json_object_get(page.records[1].props, "custom:Tier")));
    assert_null(json_object_get(page.records[0].props, "custom_fields"));
    assert_int_equal(page.records[1].modified_ms, 0);
    assert_int_equal(list(&r, LIST_ALL, page.cursor, &page), OK);
    assert_false(page.has_more);

    /* From 60 s before the first page's Date, to the second. */
    assert_int_equal(list(&r, LIST_CHANGED, page.cursor, &page), OK);
    assert_true(page.has_more);
    /* In the middle of a scan the mark stays, whatever the foreign cursor looks like. */
    assert_int_equal(list(&r, LIST_CHANGED, page.cursor, &page), OK);
    assert_false(page.has_more);
    assert_int_equal(page.count, 0);
    assert_int_equal(list(&r, LIST_CHANGED, page.cursor, &page), OK);
    replay_close(&r, PD);
}

static void test_answers_that_cannot_be_read_are_clear_errors(void **state)
{
    static const struct {
        const char *scenario, *says;
        enum fail code;
    } ROWS[] = {{"list-wrong-type", "id", FAIL_RECORD},
                {"list-not-a-list", "expected a list", FAIL_RECORD},
                {"list-truncated", "not JSON", FAIL_RETRY},
                {"list-null", "without a result", FAIL_RETRY},
                {"list-no-success", "without a result", FAIL_RETRY},
                {"list-missing-field", "no field 'Region'", FAIL_CONNECTION},
                {"list-two-fields", "more than one field 'Tier'", FAIL_CONNECTION}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct replay r;
        struct remote_page page = {0};
        struct str region = STR("custom:Region");
        bool is_missing = strcmp(ROWS[i].scenario, "list-missing-field") == 0;
        struct list_request request = {.kind = "contact",
                                       .properties = is_missing ? &region : PROPERTIES,
                                       .properties_count = is_missing ? 1 : 2,
                                       .cursor = STR("")};

        open_scenario(&r, ROWS[i].scenario);
        if (is_missing) { /* loaded before: read anew before anybody is troubled */
            assert_int_equal(pipedrive_load_fields(r.session, "contact", false, &r.err), OK);
        }
        assert_int_equal(PD->list(r.session, &request, &r.arena, &page, &r.err), ROWS[i].code);
        if (!strstr(r.err.message, ROWS[i].says)) {
            fail_msg("%s: %s", ROWS[i].scenario, r.err.message);
        }
        replay_close(&r, PD);
    }
}

static void test_a_listing_that_goes_in_circles_ends(void **state)
{
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "list-same-cursor");
    assert_int_equal(list(&r, LIST_ALL, STR(""), &page), OK);
    assert_int_equal(list(&r, LIST_ALL, page.cursor, &page), FAIL_RETRY);
    replay_close(&r, PD);
}

/* --- reading by id ---------------------------------------------------------------------------- */

static enum remote_state state_of(const struct remote_page *page, const char *id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, str_of(id))) {
            return page->records[i].state;
        }
    }
    return REMOTE_MERGED; /* stands for: not there */
}

static enum fail fetch(struct replay *r, const struct str *ids, size_t count,
                       struct remote_page *ret)
{
    struct fetch_request request = {.kind = "contact",
                                    .properties = PROPERTIES,
                                    .properties_count = 2,
                                    .remote_ids = ids,
                                    .remote_ids_count = count};

    return PD->fetch_many(r->session, &request, &r->arena, ret, &r->err);
}

static void test_missing_ids_are_looked_at_one_by_one(void **state)
{
    const struct str ids[] = {STR("1"), STR("2"), STR("3"), STR("4"), STR("5"), STR("6")};
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "fetch-missing");
    assert_int_equal(fetch(&r, ids, 6, &page), OK);
    assert_int_equal(state_of(&page, "1"), REMOTE_LIVE);
    assert_int_equal(state_of(&page, "2"), REMOTE_GONE);   /* 200, is_deleted */
    assert_int_equal(state_of(&page, "3"), REMOTE_GONE);   /* 404 */
    assert_int_equal(state_of(&page, "4"), REMOTE_GONE);   /* 410 with success */
    assert_int_equal(state_of(&page, "5"), REMOTE_MERGED); /* 403: hidden, left out */
    assert_int_equal(state_of(&page, "6"), REMOTE_GONE);   /* listed as deleted */
    assert_int_equal(page.count, 5);                       /* 99 was not asked for */
    replay_close(&r, PD);
}

static void test_a_404_of_somebody_else_deletes_nothing(void **state)
{
    const struct str id = STR("1");
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "fetch-elsewhere");
    assert_int_equal(fetch(&r, &id, 1, &page), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.hint, "base_url"));
    replay_close(&r, PD);
}

static void test_ids_of_another_form_are_not_asked_for(void **state)
{
    const struct str ids[] = {STR("abc"), STR(""), STR("-1"), STR("1/../2")};
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "fetch-nothing");
    assert_int_equal(fetch(&r, ids, 4, &page), OK);
    assert_int_equal(page.count, 0);
    replay_close(&r, PD);
}

/* --- finding ---------------------------------------------------------------------------------- */

static enum fail find(struct replay *r, const char *property, const struct str *values,
                      size_t count, int64_t since_ms, struct remote_page *ret)
{
    struct find_request request = {.kind = "contact",
                                   .property = property,
                                   .values = values,
                                   .values_count = count,
                                   .properties = PROPERTIES,
                                   .properties_count = 2,
                                   .since_ms = since_ms};

    return PD->find(r->session, &request, &r->arena, ret, &r->err);
}

static void test_search_hits_are_verified_by_reading(void **state)
{
    const struct str email = STR("Mara+x@quay.example");
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "find-email");
    assert_int_equal(find(&r, "emails", &email, 1, 0, &page), OK);
    assert_int_equal(page.count, 1);
    assert_true(str_equal(page.records[0].remote_id, STR("7")));
    replay_close(&r, PD);
}

static void test_our_key_is_found_without_the_search_index(void **state)
{
    const struct str keys[] = {STR("k-8"), STR("k-9"), STR("k-none")};
    struct replay r;
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "find-key");
    /* Imported with an early add_time, they were still touched since: the scan goes on past
     * them. */
    assert_int_equal(find(&r, ADAPTER_CORRELATION, keys, 3, REPLAY_BEGIN_MS - 60000, &page), OK);
    assert_int_equal(page.count, 2);
    replay_close(&r, PD);
}

static void test_without_the_field_nothing_counts_as_not_found(void **state)
{
    const struct str key = STR("k-1");
    struct replay r;
    struct find_request request = {
        .kind = "contact", .property = ADAPTER_CORRELATION, .values = &key, .values_count = 1};
    struct remote_page page = {0};

    (void)state;
    open_scenario(&r, "find-without-field");
    assert_int_equal(PD->find(r.session, &request, &r.arena, &page, &r.err), FAIL_CONNECTION);
    assert_non_null(strstr(r.err.hint, "crmsync setup"));
    replay_close(&r, PD);
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum fail upsert(struct replay *r, struct write_item *items, size_t count)
{
    return PD->upsert(r->session, "contact", &r->arena, items, count, &r->err);
}

static void test_creates_send_typed_members_and_both_parts_of_a_name(void **state)
{
    struct replay r;

    (void)state;
    open_scenario(&r, "create");
    struct write_item items[] = {
        {.correlation_key = STR("k-1"),
         .props = props(&r, "{\"first_name\":\"Mara\",\"last_name\":\"Okafor\",\"org_id\":\"73\","
                            "\"custom:Tier\":31,\"emails\":[{\"value\":\"mara@quay.example\","
                            "\"primary\":true,\"label\":\"work\"}]}")},
        {.correlation_key = STR("k-2"),
         .props = props(&r, "{\"name\":null,\"first_name\":null,\"last_name\":\"Okafor\"}")},
        {.correlation_key = STR("k-3"),
         .props = props(&r, "{\"first_name\":\" \",\"emails\":[{\"value\":\"old@quay.example\"},"
                            "{\"value\":\"team@quay.example\",\"primary\":true}]}")}};
    assert_int_equal(upsert(&r, items, 3), OK);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_true(str_equal(items[0].remote_id, STR("11")));
    assert_true(str_equal(items[0].returned.correlation_key, STR("k-1")));
    assert_int_equal(json_integer_value(json_object_get(items[0].returned.props, "custom:Tier")),
                     31);
    assert_int_equal(items[2].outcome, WRITE_DONE);
    replay_close(&r, PD);
}

static void test_a_create_without_a_clear_answer_is_unknown_and_not_repeated(void **state)
{
    static const char *const SCENARIOS[] = {"create-timeout", "create-500", "create-garbled",
                                            "create-refused-json", "create-no-id"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SCENARIOS); i++) {
        struct replay r;

        open_scenario(&r, SCENARIOS[i]);
        struct write_item item = {.correlation_key = STR("k-1"),
                                  .props = props(&r, "{\"first_name\":\"Mara\"}")};
        assert_int_equal(upsert(&r, &item, 1), OK);
        assert_int_equal(item.outcome, WRITE_UNKNOWN);
        replay_close(&r, PD); /* asked once: no second POST is written */
    }
}

static void test_creates_that_were_certainly_not_applied(void **state)
{
    struct replay r;

    (void)state;
    open_scenario(&r, "create-throttled"); /* 429 is the one refusal that is repeated */
    struct write_item throttled = {.correlation_key = STR("k-1"),
                                   .props = props(&r, "{\"first_name\":\"Mara\"}")};
    assert_int_equal(upsert(&r, &throttled, 1), OK);
    assert_int_equal(throttled.outcome, WRITE_DONE);
    replay_close(&r, PD);

    open_scenario(&r, "create-capped");
    struct write_item capped = {.correlation_key = STR("k-1"),
                                .props = props(&r, "{\"first_name\":\"Mara\"}")};
    assert_int_equal(upsert(&r, &capped, 1), FAIL_CONNECTION);
    assert_int_equal(capped.outcome, WRITE_PENDING);
    assert_non_null(strstr(r.err.message, "feature_capping_contacts_limit"));
    replay_close(&r, PD);

    open_scenario(&r, "create-without-field");
    struct write_item keyless = {.correlation_key = STR("k-1"),
                                 .props = props(&r, "{\"first_name\":\"Mara\"}")};
    assert_int_equal(upsert(&r, &keyless, 1), FAIL_CONNECTION);
    assert_int_equal(keyless.outcome, WRITE_PENDING);
    replay_close(&r, PD);
}

static void test_every_update_has_an_outcome_of_its_own(void **state)
{
    struct replay r;

    (void)state;
    open_scenario(&r, "update");
    struct write_item items[] = {
        {.remote_id = STR("21"),
         .props = props(&r, "{\"last_name\":\"Lind\",\"org_id\":null,\"custom:Tier\":null}")},
        {.remote_id = STR("22"), .props = props(&r, "{\"last_name\":\"L\"}")},
        {.remote_id = STR("23"), .props = props(&r, "{\"emails\":[]}")},
        {.remote_id = STR("24"), .props = props(&r, "{\"last_name\":\"L\"}")},
        {.remote_id = STR("25"), .props = props(&r, "{\"last_name\":\"L\"}")},
        {.remote_id = STR("26"), .props = props(&r, "{\"last_name\":\"L\"}")},
        {.remote_id = STR("27"), .props = props(&r, "{\"last_name\":\"L\"}")}};
    assert_int_equal(upsert(&r, items, COUNT_OF(items)), OK);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_int_equal(items[1].outcome, WRITE_REFUSED); /* 404 */
    assert_int_equal(items[1].error.code, FAIL_STALE);
    assert_int_equal(items[2].outcome, WRITE_REFUSED); /* 400 */
    assert_int_equal(items[2].error.code, FAIL_RECORD);
    assert_non_null(strstr(items[2].error.message, "emails[0].value"));
    assert_null(strstr(items[2].error.message, "mara"));
    assert_null(strstr(items[2].error.message, "4930"));
    assert_int_equal(items[3].outcome, WRITE_REFUSED); /* 403 of one object */
    assert_int_equal(items[3].error.code, FAIL_RECORD);
    assert_int_equal(items[4].error.code, FAIL_STALE); /* 200, is_deleted */
    assert_int_equal(items[5].outcome, WRITE_UNKNOWN); /* another object's answer */
    assert_int_equal(items[6].outcome, WRITE_DONE);    /* 503, repeated: an absolute set */
    replay_close(&r, PD);
}

static void test_fields_are_read_anew_after_a_refused_body(void **state)
{
    struct replay r;

    (void)state;
    open_scenario(&r, "refresh");
    struct write_item item = {.remote_id = STR("21"), .props = props(&r, "{\"custom:Tier\":31}")};
    assert_int_equal(upsert(&r, &item, 1), OK);
    assert_int_equal(item.outcome, WRITE_REFUSED);
    item.outcome = WRITE_PENDING;
    assert_int_equal(upsert(&r, &item, 1), FAIL_CONNECTION); /* renamed meanwhile */
    assert_non_null(strstr(r.err.message, "no field 'Tier'"));
    assert_int_equal(item.outcome, WRITE_PENDING);
    replay_close(&r, PD);
}

static void test_removing_what_is_gone_is_done(void **state)
{
    struct remove_item items[] = {{.remote_id = STR("31")},
                                  {.remote_id = STR("32")},
                                  {.remote_id = STR("33")},
                                  {.remote_id = STR("34")}};
    struct replay r;

    (void)state;
    open_scenario(&r, "remove");
    assert_int_equal(PD->remove(r.session, "contact", items, 4, &r.err), OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(items[i].outcome, WRITE_DONE);
        assert_int_equal(items[i].error.code, OK);
    }
    assert_int_equal(items[3].outcome, WRITE_REFUSED);
    assert_int_equal(items[3].error.code, FAIL_RECORD);
    replay_close(&r, PD);
}

/* --- the account and pure reading ------------------------------------------------------------- */

static void test_check_says_whose_token_it_is(void **state)
{
    struct account_facts facts = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "check");
    assert_int_equal(PD->check(r.session, &r.arena, &facts, &r.err), OK);
    assert_true(str_equal(facts.account_id, STR("7700")));
    assert_true(str_equal(facts.title, STR("quay")));
    assert_true(str_equal(facts.time_zone, STR("Europe/Berlin")));
    assert_true(str_equal(facts.user_id, STR("4411")));
    replay_close(&r, PD);
    open_scenario(&r, "check-refused");
    assert_int_equal(PD->check(r.session, &r.arena, &facts, &r.err), FAIL_AUTH);
    assert_true(r.err.hint[0] != '\0');
    replay_close(&r, PD);
}

static void test_settings_that_do_not_exist_are_refused(void **state)
{
    struct env env = {0};
    struct secret token = {0};
    struct account account = {.connection = "test", .api_version = STR("v1"), .token = &token};
    struct session *session = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(PD->open(&env, NULL, &account, &session, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, "api_version"));
    PD->close(NULL);
}

static void test_classify(void **state)
{
    static const struct {
        int status;
        const char *body, *name, *value;
        enum fail code;
        int64_t wait_ms;
    } ROWS[] = {
        {200, "{}", NULL, NULL, OK, 0},
        {201, "", NULL, NULL, OK, 0},
        {400, "{\"code\":\"X\"}", NULL, NULL, FAIL_RECORD, 0},
        {401, "{}", NULL, NULL, FAIL_AUTH, 0},
        {402, "{}", NULL, NULL, FAIL_CONNECTION, 0},
        {403, "{}", NULL, NULL, FAIL_CONNECTION, 0},
        {403, " <html>", NULL, NULL, FAIL_THROTTLED, 30 * 60 * 1000},
        {404, "{}", NULL, NULL, FAIL_STALE, 0},
        {404, "<html>", NULL, NULL, FAIL_CONNECTION, 0},
        {408, "", NULL, NULL, FAIL_RETRY, 0},
        {410, "{\"success\":true}", NULL, NULL, FAIL_STALE, 0},
        {415, "{}", NULL, NULL, FAIL_CONNECTION, 0},
        {422, "{}", NULL, NULL, FAIL_CONNECTION, 0},
        {429, "{}", NULL, NULL, FAIL_THROTTLED, 2000},
        {429, "{}", "Retry-After", "0", FAIL_THROTTLED, 2000},
        {429, "{}", "Retry-After", "7", FAIL_THROTTLED, 7000},
        {429, "{}", "x-ratelimit-reset", "5", FAIL_THROTTLED, 5000},
        {429, "{}", "x-daily-ratelimit-token-remaining", "0", FAIL_THROTTLED, 15 * 60 * 1000},
        {429, "{}", "x-daily-ratelimit-token-remaining", "17", FAIL_THROTTLED, 2000},
        {429, "{}", "x-ratelimit-reset", "soon", FAIL_THROTTLED, 2000},
        {429, "{}", "x-ratelimit-reset", "9223372036854775807", FAIL_THROTTLED, 2000},
        {429, "{}", "x-ratelimit-reset", "-5", FAIL_THROTTLED, 2000},
        {500, "<html>", NULL, NULL, FAIL_RETRY, 0},
        {501, "{}", NULL, NULL, FAIL_RECORD, 0},
        {502, "", NULL, NULL, FAIL_RETRY, 0},
        {503, "{}", NULL, NULL, FAIL_RETRY, 0},
        {524, "", NULL, NULL, FAIL_RETRY, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_response response = {.status = ROWS[i].status, .body = str_of(ROWS[i].body)};
        struct http_account account = {0};
        struct error err = {0};

        if (ROWS[i].name) {
            http_header_add(&response.headers, str_of(ROWS[i].name), str_of(ROWS[i].value));
        }
        print_message("  %d %s %s\n", ROWS[i].status, ROWS[i].body,
                      ROWS[i].name ? ROWS[i].name : "");
        assert_int_equal(pipedrive_classify(&response, &account, &err), ROWS[i].code);
        assert_int_equal(err.code, ROWS[i].code);
        assert_int_equal(err.wait_ms, ROWS[i].wait_ms);
        http_response_fini(&response);
    }
}

static void classify_headers(struct limit_account *limits, const char *const (*headers)[2],
                             size_t count)
{
    struct http_response response = {.status = 200};
    struct http_account account = {.limits = limits};
    struct error err = {0};

    for (size_t i = 0; i < count; i++) {
        http_header_add(&response.headers, str_of(headers[i][0]), str_of(headers[i][1]));
    }
    assert_int_equal(pipedrive_classify(&response, &account, &err), OK);
    http_response_fini(&response);
}

static void test_headers_correct_the_limits(void **state)
{
    static const char *const PLAIN[][2] = {{"x-ratelimit-limit", "80"},
                                           {"x-ratelimit-remaining", "60"},
                                           {"x-ratelimit-reset", "2"},
                                           {"x-daily-ratelimit-token-limit", "60000"},
                                           {"x-daily-ratelimit-token-remaining", "41230"}};
    static const char *const SEARCH[][2] = {
        {"x-ratelimit-limit", "10"}, {"x-ratelimit-remaining", "3"}, {"x-ratelimit-reset", "2"}};
    struct clock *clock = clock_new_virtual(0);
    struct limiter *limiter = limiter_new(clock);
    struct limit_account *limits = limiter_account(limiter, STR("x"), PD->limits, 3);

    (void)state;
    classify_headers(limits, PLAIN, COUNT_OF(PLAIN));
    assert_int_equal(limit_remaining(limits, PD_BURST), 60);
    assert_int_equal(limit_remaining(limits, PD_TOKENS), 41220); /* before the call was charged */
    classify_headers(limits, SEARCH, COUNT_OF(SEARCH));
    assert_int_equal(limit_remaining(limits, PD_SEARCH), 3);
    assert_int_equal(limit_remaining(limits, PD_BURST), 60); /* another window */
    limiter_free(limiter);
    clock_free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe_reads_every_page_of_fields),
        cmocka_unit_test(test_field_lists_that_cannot_be_right_are_errors),
        cmocka_unit_test(test_setup_makes_the_field_where_it_is_missing),
        cmocka_unit_test(test_setup_looks_before_it_believes_a_lost_answer),
        cmocka_unit_test(test_a_run_reads_the_fields_once),
        cmocka_unit_test(test_listing_pages_by_key_and_its_end_begins_the_changes),
        cmocka_unit_test(test_answers_that_cannot_be_read_are_clear_errors),
        cmocka_unit_test(test_a_listing_that_goes_in_circles_ends),
        cmocka_unit_test(test_missing_ids_are_looked_at_one_by_one),
        cmocka_unit_test(test_a_404_of_somebody_else_deletes_nothing),
        cmocka_unit_test(test_ids_of_another_form_are_not_asked_for),
        cmocka_unit_test(test_search_hits_are_verified_by_reading),
        cmocka_unit_test(test_our_key_is_found_without_the_search_index),
        cmocka_unit_test(test_without_the_field_nothing_counts_as_not_found),
        cmocka_unit_test(test_creates_send_typed_members_and_both_parts_of_a_name),
        cmocka_unit_test(test_a_create_without_a_clear_answer_is_unknown_and_not_repeated),
        cmocka_unit_test(test_creates_that_were_certainly_not_applied),
        cmocka_unit_test(test_every_update_has_an_outcome_of_its_own),
        cmocka_unit_test(test_fields_are_read_anew_after_a_refused_body),
        cmocka_unit_test(test_removing_what_is_gone_is_done),
        cmocka_unit_test(test_check_says_whose_token_it_is),
        cmocka_unit_test(test_settings_that_do_not_exist_are_refused),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_headers_correct_the_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
