/* The Salesforce adapter's reading half against the Salesforce simulator: what listings see and what they cost, merges, deletes, leads,
 * persons' accounts, currencies, injection, and faults. */
#include "tests/conformance/salesforce_bench.h"

enum { MINUTE_MS = 60 * 1000, ROUNDS = 6, TRIES = 300 };

static const struct str NAMES[] = {{.at = "LastName", .len = 8}, {.at = "Email", .len = 5}};

/* A listing to its end. seen: id → state of its last record. */
struct listing {
    json_t *seen;
    size_t rows, pages;
};

static struct listing list_of(struct bench *b, const char *kind, enum list_mode mode,
                              const struct str *properties, size_t count, struct str *cursor)
{
    struct listing listing = {.seen = jx_own(&b->arena, json_object())};
    struct list_request request = {.kind = kind,
                                   .mode = mode,
                                   .properties = properties,
                                   .properties_count = count,
                                   .cursor = *cursor};
    struct remote_page page = {.has_more = true};

    while (page.has_more) {
        AUTO_ARENA struct arena arena = {0};
        enum fail failed;

        page = (struct remote_page){0};
        failed = b->adapter->list(b->session, &request, &arena, &page, &b->err);
        if (failed == FAIL_THROTTLED) { /* a job at work */
            clock_wait_ms(b->env.clock, b->err.wait_ms);
            error_reset(&b->err);
            page.has_more = true;
            continue;
        }
        if (failed != OK) {
            fail_msg("%s", b->err.message);
        }
        assert_true(page.cursor.len < ADAPTER_CURSOR_BYTES_MAX);
        for (size_t i = 0; i < page.count; i++) {
            json_object_setn_new(listing.seen, page.records[i].remote_id.at,
                                 page.records[i].remote_id.len,
                                 json_integer(page.records[i].state));
        }
        listing.rows += page.count;
        listing.pages++;
        request.cursor = arena_str(&b->arena, page.cursor);
    }
    *cursor = request.cursor;
    return listing;
}

static struct listing list(struct bench *b, enum list_mode mode, struct str *cursor)
{
    return list_of(b, "contact", mode, NAMES, COUNT_OF(NAMES), cursor);
}

static int state_of(const struct listing *listing, struct str id)
{
    const json_t *state = json_object_getn(listing->seen, id.at, id.len);

    return state ? (int)json_integer_value(state) : -1;
}

static struct str contact(struct bench *b, const char *set)
{
    return edit(b, "Contact", STR(""), set);
}

/* --- listings --------------------------------------------------------------------------------- */

static void test_the_complete_listing_sees_each_once(void **state)
{
    struct str cursor = STR("");
    struct bench b;
    struct listing listing;
    int64_t before;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    fill(&b, 4500);
    before = calls_so_far(&b);
    listing = list(&b, LIST_ALL, &cursor);
    assert_int_equal(listing.rows, 4500);
    assert_int_equal(json_object_size(listing.seen), 4500);
    assert_int_equal(calls_so_far(&b) - before, 4); /* the description and three pages */
    bench_close(&b);
}

/* A quiet look at each kind is one call, however many objects it has. */
static void test_a_quiet_look_costs_one_call(void **state)
{
    static const char *const KINDS[] = {"company", "contact", "deal", "activity"};
    static const struct str PEOPLE[] = {{.at = SF_DEAL_CONTACTS, .len = 13}};
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){
                       .seed = 4, .records = 50, .deals = 20, .activities = 20});
    clock_wait_ms(b.env.clock, 60 * MINUTE_MS);
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        bool is_deal = strcmp(KINDS[i], "deal") == 0;
        struct str all = STR(""), deleted = STR("");
        int64_t before;

        list_of(&b, KINDS[i], LIST_ALL, PEOPLE, is_deal, &all);
        list_of(&b, KINDS[i], LIST_CHANGED, PEOPLE, is_deal, &all);
        list_of(&b, KINDS[i], LIST_DELETED, PEOPLE, is_deal, &deleted);
        clock_wait_ms(b.env.clock, 30 * MINUTE_MS);
        before = calls_so_far(&b);
        assert_int_equal(list_of(&b, KINDS[i], LIST_CHANGED, PEOPLE, is_deal, &all).rows, 0);
        assert_int_equal(calls_so_far(&b) - before, 1);
        before = calls_so_far(&b);
        assert_int_equal(list_of(&b, KINDS[i], LIST_DELETED, PEOPLE, is_deal, &deleted).rows, 0);
        assert_int_equal(calls_so_far(&b) - before, 1);
    }
    bench_close(&b);
}

/* 4,500 changes within one second are more than two pages of one time. */
static void test_changes_of_one_second_are_all_seen(void **state)
{
    struct str cursor = STR("");
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    fill(&b, 4500);
    listing = list(&b, LIST_CHANGED, &cursor);
    assert_int_equal(json_object_size(listing.seen), 4500);
    assert_int_equal(listing.rows, 4500);
    assert_int_equal(listing.pages, 3);
    bench_close(&b);
}

static void test_what_commits_late_is_not_skipped(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    contact(&b, "{\"LastName\":\"Early\"}");
    list(&b, LIST_CHANGED, &cursor);
    clock_wait_ms(b.env.clock, 30 * MINUTE_MS);
    list(&b, LIST_CHANGED, &cursor);
    ask(&b, HTTP_POST, "/__sim/late", "{\"ms\":480000}"); /* stamped eight minutes ago */
    id = contact(&b, "{\"LastName\":\"Late\"}");
    listing = list(&b, LIST_CHANGED, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    bench_close(&b);
}

/* --- deletes and merges ----------------------------------------------------------------------- */

static void test_deletes_and_merges_are_told_apart(void **state)
{
    struct str changed = STR(""), deleted = STR(""), gone, loser, survivor;
    const struct str *ids = NULL;
    struct remote_page page;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    gone = contact(&b, "{\"LastName\":\"Gone\"}");
    loser = contact(&b, "{\"LastName\":\"Loser\"}");
    survivor = contact(&b, "{\"LastName\":\"Survivor\"}");
    list(&b, LIST_CHANGED, &changed);
    list(&b, LIST_DELETED, &deleted);
    clock_wait_ms(b.env.clock, 60 * MINUTE_MS);
    list(&b, LIST_CHANGED, &changed);
    list(&b, LIST_DELETED, &deleted);
    delete_there(&b, "Contact", gone);
    ask(&b, HTTP_POST, "/__sim/merge",
        arena_printf(&b.arena,
                     "{\"object\":\"Contact\",\"into\":\"%" PRI_STR "\",\"from\":\"%" PRI_STR "\"}",
                     STR_ARG(survivor), STR_ARG(loser))
            .at);
    clock_wait_ms(b.env.clock, 5 * MINUTE_MS);
    listing = list(&b, LIST_CHANGED, &changed);
    assert_int_equal(state_of(&listing, gone), REMOTE_GONE);
    assert_int_equal(state_of(&listing, loser), REMOTE_MERGED);
    assert_int_equal(state_of(&listing, survivor), REMOTE_LIVE);
    listing = list(&b, LIST_DELETED, &deleted);
    assert_int_equal(state_of(&listing, gone), REMOTE_GONE);
    assert_int_equal(state_of(&listing, loser), REMOTE_MERGED);
    ids = (const struct str[]){gone, loser};
    fetch(&b, "contact", ids, 2, NAMES, 2, &page);
    assert_int_equal(page.count, 3); /* with the survivor */
    assert_int_equal(record_of(&page, gone)->state, REMOTE_GONE);
    assert_true(str_equal(record_of(&page, loser)->merged_into, survivor));
    assert_int_equal(record_of(&page, survivor)->state, REMOTE_LIVE);
    bench_close(&b);
}

/* Weeks later the recycle bin is empty: to a user who sees everything, what is not there is gone. */
static void test_what_left_the_recycle_bin_is_gone_still(void **state)
{
    struct str deleted = STR(""), gone;
    struct remote_page page;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    gone = contact(&b, "{\"LastName\":\"Gone\"}");
    list(&b, LIST_DELETED, &deleted);
    clock_wait_ms(b.env.clock, 60 * MINUTE_MS);
    delete_there(&b, "Contact", gone);
    clock_wait_ms(b.env.clock, 5 * MINUTE_MS);
    listing = list(&b, LIST_DELETED, &deleted);
    assert_int_equal(state_of(&listing, gone), REMOTE_GONE);
    clock_wait_ms(b.env.clock, (int64_t)20 * 24 * 60 * MINUTE_MS);
    fetch(&b, "contact", &gone, 1, NAMES, 2, &page);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_GONE);
    bench_close(&b);
}

/* --- by id and by value ----------------------------------------------------------------------- */

/* Whatever a value or an id holds, it finds its own and nothing else. */
static void test_nothing_gets_out_of_its_quotes(void **state)
{
    static const char *const VALUES[] = {
        "O'Brien",     "x' OR Id != '",         "back\\\\slash\\\\",           "\\\"quoted\\\"",
        "100% _sure_", "x') OR (LastName != '", "na\\u00efve \\u2013 \\u8fd1", "{!user}"};
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){.seed = 4, .records = 20});
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        struct str id = contact(&b, arena_printf(&b.arena, "{\"LastName\":\"%s\"}", VALUES[i]).at);
        json_t *value = json_loads(arena_printf(&b.arena, "[\"%s\"]", VALUES[i]).at, 0, NULL);
        struct str text = jx_text_of(json_array_get(value, 0));
        struct find_request request = {.kind = "contact",
                                       .property = "LastName",
                                       .values = &text,
                                       .values_count = 1,
                                       .properties = NAMES,
                                       .properties_count = 2};
        struct remote_page page;

        assert_int_equal(b.adapter->find(b.session, &request, &b.arena, &page, &b.err), OK);
        assert_int_equal(page.count, 1);
        assert_true(str_equal(page.records[0].remote_id, id));
        json_decref(value);
    }
    {
        static const struct str IDS[] = {{.at = "' OR Id != null --", .len = 18},
                                         {.at = "003000000000000' ", .len = 18},
                                         {.at = "", .len = 0}};
        struct remote_page page;
        int64_t before = calls_so_far(&b);

        fetch(&b, "contact", IDS, 2, NAMES, 2, &page);
        assert_int_equal(page.count, 0);
        assert_int_equal(calls_so_far(&b), before); /* nothing to ask */
    }
    bench_close(&b);
}

static void test_2000_ids_are_one_call(void **state)
{
    struct str *ids, cursor = STR("");
    struct remote_page page;
    struct listing listing;
    const char *id;
    struct bench b;
    size_t count = 0;
    int64_t before;
    json_t *value;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    fill(&b, 2000);
    listing = list(&b, LIST_ALL, &cursor);
    ids = ARENA_ARRAY(&b.arena, struct str, 2000);
    json_object_foreach(listing.seen, id, value)
    {
        ids[count++] = str_of(id);
    }
    assert_int_equal(count, 2000);
    before = calls_so_far(&b);
    fetch(&b, "contact", ids, count, NAMES, 2, &page);
    assert_int_equal(page.count, 2000);
    assert_int_equal(calls_so_far(&b) - before, 1);
    bench_close(&b);
}

/* --- leads ------------------------------------------------------------------------------------ */

static void test_a_converted_lead_lives_on_as_its_contact(void **state)
{
    static const struct str WANTED[] = {{.at = "LastName", .len = 8},
                                        {.at = SF_LEAD_STATUS, .len = 19}};
    struct str cursor = STR(""), lead, person;
    struct remote_page page;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    lead = edit(&b, "Lead", STR(""), "{\"LastName\":\"Ida\",\"Company\":\"Quay\"}");
    listing = list_of(&b, "contact", LIST_ALL, WANTED, 2, &cursor);
    assert_int_equal(state_of(&listing, lead), REMOTE_LIVE);
    clock_wait_ms(b.env.clock, 30 * MINUTE_MS);
    ask(&b, HTTP_POST, "/__sim/convert",
        arena_printf(&b.arena, "{\"id\":\"%" PRI_STR "\"}", STR_ARG(lead)).at);
    listing = list_of(&b, "contact", LIST_CHANGED, WANTED, 2, &cursor);
    assert_int_equal(state_of(&listing, lead), REMOTE_MERGED);
    fetch(&b, "contact", &lead, 1, WANTED, 2, &page);
    assert_int_equal(page.count, 2);
    person = record_of(&page, lead)->merged_into;
    assert_true(salesforce_has_prefix(person, "003"));
    assert_int_equal(record_of(&page, person)->state, REMOTE_LIVE);
    cursor = STR("");
    listing = list_of(&b, "contact", LIST_ALL, WANTED, 2, &cursor);
    assert_int_equal(state_of(&listing, lead), -1); /* no news any more */
    assert_int_equal(state_of(&listing, person), REMOTE_LIVE);
    bench_close(&b);
}

/* Without the mapping's word leads are nobody's business. */
static void test_leads_stay_out_unless_the_mapping_names_them(void **state)
{
    struct str cursor = STR(""), lead;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    lead = edit(&b, "Lead", STR(""), "{\"LastName\":\"Ida\",\"Company\":\"Quay\"}");
    listing = list(&b, LIST_ALL, &cursor);
    assert_int_equal(state_of(&listing, lead), -1);
    bench_close(&b);
}

/* --- what an org may have switched on --------------------------------------------------------- */

static void test_a_persons_account_is_a_contact_and_no_company(void **state)
{
    static const struct str WANTED[] = {{.at = "LastName", .len = 8},
                                        {.at = "AccountId", .len = 9}};
    static const struct str NAME[] = {{.at = "Name", .len = 4}};
    struct str companies = STR(""), contacts = STR(""), company;
    struct listing listing;
    struct bench b;
    const char *id;
    json_t *value;

    (void)state;
    bench_open(&b, &(const struct simulator_options){.quirks = "person-accounts"});
    edit(&b, "Account", STR(""), "{\"LastName\":\"Ray\"}");
    company = edit(&b, "Account", STR(""), "{\"Name\":\"Quay\"}");
    listing = list_of(&b, "company", LIST_ALL, NAME, 1, &companies);
    assert_int_equal(json_object_size(listing.seen), 1);
    assert_int_equal(state_of(&listing, company), REMOTE_LIVE);
    listing = list_of(&b, "contact", LIST_ALL, WANTED, 2, &contacts);
    assert_int_equal(json_object_size(listing.seen), 1);
    json_object_foreach(listing.seen, id, value)
    {
        struct remote_page page;
        struct str person = str_of(id);

        fetch(&b, "contact", &person, 1, WANTED, 2, &page);
        assert_true(json_is_null(json_object_get(page.records[0].props, "AccountId")));
        assert_string_equal(json_string_value(json_object_get(page.records[0].props, "LastName")),
                            "Ray");
    }
    bench_close(&b);
}

static void test_an_amount_has_a_currency_where_the_org_has_several(void **state)
{
    static const char *const QUIRKS[] = {NULL, "multi-currency"};
    static const struct str WANTED[] = {{.at = "Amount", .len = 6},
                                        {.at = "CurrencyIsoCode", .len = 15}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUIRKS); i++) {
        struct remote_page page;
        struct bench b;
        struct str id;

        bench_open(&b, &(const struct simulator_options){.quirks = QUIRKS[i]});
        id = edit(&b, "Opportunity", STR(""),
                  "{\"Name\":\"Roof\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-09-30\","
                  "\"Amount\":48000.5}");
        fetch(&b, "deal", &id, 1, WANTED, 2, &page);
        assert_int_equal(json_is_string(json_object_get(page.records[0].props, "CurrencyIsoCode")),
                         QUIRKS[i] != NULL);
        assert_float_equal(json_real_value(json_object_get(page.records[0].props, "Amount")),
                           48000.5, 0);
        bench_close(&b);
    }
}

/* --- many, and faults ------------------------------------------------------------------------- */

static void test_100000_rows_by_a_job_are_few_calls(void **state)
{
    struct str cursor = STR("");
    struct listing listing;
    struct bench b;
    int64_t before;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    fill(&b, 100000);
    before = calls_so_far(&b);
    listing = list(&b, LIST_ALL, &cursor);
    assert_int_equal(json_object_size(listing.seen), 100000);
    print_message("  %lld calls\n", (long long)(calls_so_far(&b) - before));
    /* a page with the count, the job, looks at it, and a part for each 10,000 of the rest */
    assert_in_range(calls_so_far(&b) - before, 12, 25);
    bench_close(&b);
}

/* A new session, in the middle of a part: nothing is lost or asked for twice but that part. */
static void test_a_job_outlives_its_session(void **state)
{
    struct list_request request = {
        .kind = "contact", .mode = LIST_ALL, .properties = NAMES, .properties_count = 2};
    struct remote_page page = {.has_more = true, .cursor = STR("")};
    json_t *seen;
    struct bench b;
    size_t rows = 0;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    fill(&b, 15000);
    seen = jx_own(&b.arena, json_object());
    while (page.has_more) {
        request.cursor = page.cursor;
        open_session(&b);
        if (b.adapter->list(b.session, &request, &b.arena, &page, &b.err) == FAIL_THROTTLED) {
            clock_wait_ms(b.env.clock, b.err.wait_ms);
            error_reset(&b.err);
            page.has_more = true;
            continue;
        }
        assert_int_equal(b.err.code, OK);
        for (size_t i = 0; i < page.count; i++) {
            json_object_setn_new(seen, page.records[i].remote_id.at, page.records[i].remote_id.len,
                                 json_true());
        }
        rows += page.count;
    }
    assert_int_equal(rows, 15000);
    assert_int_equal(json_object_size(seen), 15000);
    bench_close(&b);
}

/* Every kind of fault, often: a listing either says so or is whole. */
static void test_faults_never_shorten_a_listing(void **state)
{
    static const char *const FAULTS[] = {"throttle",           "server_error", "truncate",
                                         "wrong_type",         "reset",        "html",
                                         "timeout_after_apply"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
        int whole = 0, failed = 0;
        struct bench b;

        print_message("  %s, seed 7\n", FAULTS[i]);
        bench_open(&b, &(const struct simulator_options){0});
        fill(&b, 2500);
        ask(&b, HTTP_POST, "/__sim/faults",
            arena_printf(&b.arena,
                         "{\"seed\":7,\"rules\":[{\"fault\":\"%s\",\"per_million\":300000}]}",
                         FAULTS[i])
                .at);
        for (int round = 0; round < ROUNDS; round++) {
            AUTO_ARENA struct arena arena = {0};
            struct list_request request = {
                .kind = "contact", .mode = LIST_ALL, .properties = NAMES, .properties_count = 2};
            struct remote_page page = {.has_more = true, .cursor = STR("")};
            size_t rows = 0;

            while (page.has_more && b.err.code == OK) {
                request.cursor = page.cursor;
                if (b.adapter->list(b.session, &request, &arena, &page, &b.err) == OK) {
                    rows += page.count;
                }
            }
            failed += b.err.code != OK;
            if (b.err.code == OK) {
                assert_int_equal(rows, 2500);
                whole++;
            } else {
                assert_true(b.err.code == FAIL_RETRY || b.err.code == FAIL_THROTTLED ||
                            b.err.code == FAIL_RECORD);
            }
            error_reset(&b.err);
            clock_wait_ms(b.env.clock, MINUTE_MS);
        }
        assert_int_equal(whole + failed, ROUNDS);
        assert_true(whole > 0);
        bench_close(&b);
    }
}

/* Seen in a history: the deals' contact roles stayed unknown as long as the session lived. */
static void test_a_description_that_could_not_be_read_is_read_again(void **state)
{
    static const char *const ROLE[] = {SF_ROLE};
    int failed = 0;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    for (int seed = 1; seed <= TRIES; seed++) {
        open_session(&b);
        ask(&b, HTTP_POST, "/__sim/faults",
            arena_printf(&b.arena,
                         "{\"seed\":%d,\"rules\":[{\"fault\":\"wrong_type\",\"per_million\":"
                         "1000000}]}",
                         seed)
                .at);
        failed += salesforce_load_objects(b.session, ROLE, 1, false, &b.err) != OK;
        error_reset(&b.err);
        ask(&b, HTTP_POST, "/__sim/faults", "{}");
        assert_int_equal(salesforce_load_objects(b.session, ROLE, 1, false, &b.err), OK);
        assert_true(salesforce_object_named(b.session, SF_ROLE)->is_loaded);
    }
    assert_true(failed > 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_complete_listing_sees_each_once),
        cmocka_unit_test(test_a_quiet_look_costs_one_call),
        cmocka_unit_test(test_changes_of_one_second_are_all_seen),
        cmocka_unit_test(test_what_commits_late_is_not_skipped),
        cmocka_unit_test(test_deletes_and_merges_are_told_apart),
        cmocka_unit_test(test_what_left_the_recycle_bin_is_gone_still),
        cmocka_unit_test(test_nothing_gets_out_of_its_quotes),
        cmocka_unit_test(test_2000_ids_are_one_call),
        cmocka_unit_test(test_a_converted_lead_lives_on_as_its_contact),
        cmocka_unit_test(test_leads_stay_out_unless_the_mapping_names_them),
        cmocka_unit_test(test_a_persons_account_is_a_contact_and_no_company),
        cmocka_unit_test(test_an_amount_has_a_currency_where_the_org_has_several),
        cmocka_unit_test(test_100000_rows_by_a_job_are_few_calls),
        cmocka_unit_test(test_a_job_outlives_its_session),
        cmocka_unit_test(test_faults_never_shorten_a_listing),
        cmocka_unit_test(test_a_description_that_could_not_be_read_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
