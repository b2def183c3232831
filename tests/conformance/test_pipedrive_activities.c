/* The Pipedrive adapter's activities and notes, which are one kind, against the simulator. */
#include <stdlib.h>

#include "tests/conformance/pipedrive_bench.h"

#include <cmocka.h>

static const char *const KINDS[] = {"company", "contact", "deal", "activity"};
static const struct str READ[] = {{.at = "activity.type", .len = 13},
                                  {.at = "activity.contacts", .len = 17}};

static void open_bench(struct bench *b, const char *quirks)
{
    struct write_item item;

    bench_open_kinds(b, &(const struct simulator_options){.quirks = quirks, .no_limits = true},
                     KINDS, COUNT_OF(KINDS));
    create(b, "company", "c-1", "{\"name\":\"Quay\"}", &item);
    create(b, "contact", "p-1", "{\"first_name\":\"Ida\",\"org_id\":1}", &item);
    create(b, "contact", "p-2", "{\"first_name\":\"Teo\"}", &item);
    create(b, "deal", "d-1", "{\"title\":\"Yard\",\"org_id\":1,\"deal.contacts\":[\"1\"]}", &item);
}

static const json_t *read_back(struct bench *b, struct str id, enum remote_state state)
{
    struct remote_page page = {0};

    fetch(b, "activity", &id, 1, READ, COUNT_OF(READ), &page);
    assert_int_equal(page.count, 1);
    assert_true(str_equal(page.records[0].remote_id, id));
    assert_int_equal(page.records[0].state, state);
    return page.records[0].props;
}

static void check(struct bench *b, const json_t *there, const char *name, const char *wanted)
{
    const char *found = text_of(b, json_object_get(there, name));

    if (strcmp(found, wanted) != 0) {
        fail_msg("%s: %s, not %s", name, found, wanted);
    }
}

/* --- writing and reading ---------------------------------------------------------------------- */

static void test_activities_travel_in_words_of_both(void **state)
{
    static const char *const QUIRKS[] = {NULL, "seconds-in-clocks"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUIRKS); i++) {
        struct bench b;
        struct write_item item, update;
        const json_t *there;

        open_bench(&b, QUIRKS[i]);
        create(
            &b, "activity", "a-1",
            "{\"activity.type\":\"call\",\"activity.subject\":\"Slots\","
            "\"activity.body\":\"<p>Ask</p>\",\"activity.timestamp\":\"2026-06-01T09:30:45.000Z\","
            "\"activity.done\":\"true\",\"activity.contacts\":[\"2\",\"1\"],\"deal_id\":\"1\"}",
            &item);
        assert_true(str_starts(item.remote_id, STR("activity:")));
        there = read_back(&b, item.remote_id, REMOTE_LIVE);
        check(&b, there, "activity.type", "\"call\"");
        check(&b, there, "activity.subject", "\"Slots\"");
        check(&b, there, "activity.body", "\"<p>Ask</p>\"");
        check(&b, there, "activity.timestamp", "\"2026-06-01T09:30:00Z\"");
        check(&b, there, "activity.done", "true");
        check(&b, there, "activity.contacts", "[2,1]");
        check(&b, there, "deal_id", "1");
        assert_true(json_equal(json_object_get(there, "activity.timestamp"),
                               json_object_get(item.returned.props, "activity.timestamp")));

        update = (struct write_item){
            .remote_id = item.remote_id,
            .current = there,
            .props =
                props(&b, "{\"activity.type\":\"meeting\",\"activity.timestamp\":\"2026-07-01\","
                          "\"activity.body\":null,\"activity.done\":false,"
                          "\"activity.contacts\":[\"1\",\"2\"]}")};
        upsert(&b, "activity", &update);
        assert_int_equal(update.outcome, WRITE_DONE);
        there = read_back(&b, item.remote_id, REMOTE_LIVE);
        check(&b, there, "activity.type", "\"meeting\"");
        check(&b, there, "activity.timestamp", "\"2026-07-01\"");
        check(&b, there, "activity.done", "false");
        check(&b, there, "activity.contacts", "[2,1]"); /* the primary one stays */
        assert_true(str_trim(jx_text_of(json_object_get(there, "activity.body"))).len == 0);

        update = (struct write_item){
            .remote_id = item.remote_id,
            .props = props(&b, "{\"activity.timestamp\":null,\"activity.contacts\":[]}")};
        upsert(&b, "activity", &update);
        assert_int_equal(update.outcome, WRITE_DONE);
        there = read_back(&b, item.remote_id, REMOTE_LIVE);
        check(&b, there, "activity.timestamp", "null");
        check(&b, there, "activity.contacts", "[]");
        bench_close(&b);
    }
}

static void test_notes_travel_in_words_of_both(void **state)
{
    struct bench b;
    struct write_item item, update;
    struct remove_item removal;
    const json_t *there;

    (void)state;
    open_bench(&b, NULL);
    create(&b, "activity", "n-1",
           "{\"activity.type\":\"note\",\"activity.body\":\"<p>Gate</p>\","
           "\"activity.timestamp\":\"2026-06-01T09:30:45Z\",\"activity.contacts\":[\"2\",\"1\"],"
           "\"activity.subject\":\"none\",\"activity.done\":true}",
           &item);
    assert_true(str_starts(item.remote_id, STR("note:")));
    there = read_back(&b, item.remote_id, REMOTE_LIVE);
    check(&b, there, "activity.type", "\"note\"");
    check(&b, there, "activity.body", "\"<p>Gate</p>\"");
    check(&b, there, "activity.timestamp", "\"2026-06-01T09:30:45Z\"");
    check(&b, there, "activity.contacts", "[2]"); /* a note has one person */
    check(&b, there, "activity.subject", "(none)");
    check(&b, there, "activity.done", "(none)");
    assert_true(json_is_integer(json_object_get(there, "owner_id")));

    update = (struct write_item){
        .remote_id = item.remote_id,
        .current = there,
        .props = props(&b, "{\"activity.body\":\"<p>Dock</p>\",\"deal_id\":\"1\"}")};
    assert_int_equal(b.adapter->upsert_calls("activity", &update, 1), 1);
    upsert(&b, "activity", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
    check(&b, update.returned.props, "activity.body", "\"<p>Dock</p>\"");
    there = read_back(&b, item.remote_id, REMOTE_LIVE);
    check(&b, there, "deal_id", "1");

    for (int twice = 0; twice < 2; twice++) {
        removal = (struct remove_item){.remote_id = item.remote_id};
        assert_int_equal(b.adapter->remove(b.session, "activity", &removal, 1, &b.err), OK);
        assert_int_equal(removal.outcome, WRITE_DONE);
    }
    read_back(&b, item.remote_id, REMOTE_GONE);
    /* Pipedrive takes a write to a deleted note, which stays deleted. */
    update = (struct write_item){.remote_id = item.remote_id,
                                 .props = props(&b, "{\"activity.body\":\"again\"}")};
    upsert(&b, "activity", &update);
    assert_int_equal(update.outcome, WRITE_REFUSED);
    assert_int_equal(update.error.code, FAIL_STALE);
    bench_close(&b);
}

/* What Pipedrive would never take is refused for that item, without a call. */
static void test_what_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *id, *props, *says;
    } ROWS[] = {{"", "{\"activity.type\":\"note\",\"activity.body\":\"x\"}", "needs a person"},
                {"note:1", "{\"activity.type\":\"call\"}", "cannot make a note of an activity"},
                {"activity:1", "{\"activity.type\":\"note\"}", "or the reverse"},
                {"note:1", "{\"activity.done\":true}", "neither a subject nor a state"},
                {"activity:1", "{\"activity.timestamp\":\"soon\"}", "neither a date nor a time"}};
    struct bench b;
    int64_t before;

    (void)state;
    open_bench(&b, NULL);
    before = calls_so_far(&b);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct write_item item = {.remote_id = str_of(ROWS[i].id),
                                  .correlation_key = STR("x-1"),
                                  .props = props(&b, ROWS[i].props)};

        upsert(&b, "activity", &item);
        assert_int_equal(item.outcome, WRITE_REFUSED);
        assert_int_equal(item.error.code, FAIL_RECORD);
        assert_non_null(strstr(item.error.message, ROWS[i].says));
    }
    assert_int_equal(calls_so_far(&b), before);
    bench_close(&b);
}

/* Ids of another form are no proof of anything; both kinds of id come in one request. */
static void test_ids_of_both_are_read_together(void **state)
{
    struct bench b;
    struct write_item call, note;
    struct remote_page page = {0};

    (void)state;
    open_bench(&b, NULL);
    create(&b, "activity", "a-1", "{\"activity.subject\":\"Slots\"}", &call);
    create(&b, "activity", "n-1",
           "{\"activity.type\":\"note\",\"activity.body\":\"x\",\"org_id\":1}", &note);
    fetch(&b, "activity",
          (const struct str[]){call.remote_id, note.remote_id, STR("note:999"), STR("activity:999"),
                               STR("12"), STR("mail:1")},
          6, READ, COUNT_OF(READ), &page);
    assert_int_equal(page.count, 4);
    assert_int_equal(record_of(&page, call.remote_id)->state, REMOTE_LIVE);
    assert_int_equal(record_of(&page, note.remote_id)->state, REMOTE_LIVE);
    assert_int_equal(record_of(&page, STR("note:999"))->state, REMOTE_GONE);
    assert_int_equal(record_of(&page, STR("activity:999"))->state, REMOTE_GONE);
    check(&b, record_of(&page, call.remote_id)->props, "activity.type", "\"task\"");
    bench_close(&b);
}

/* --- listing ---------------------------------------------------------------------------------- */

enum { IDS_MAX = 4096 };

struct listing {
    struct list_request request;
    bool seen[IDS_MAX]; /* notes by id */
    size_t notes, activities, repeated, pages;
    bool has_more;
};

static void list_on(struct bench *b, struct listing *l)
{
    struct remote_page page = {0};

    assert_int_equal(b->adapter->list(b->session, &l->request, &b->arena, &page, &b->err), OK);
    for (size_t i = 0; i < page.count; i++) {
        struct str id = page.records[i].remote_id;
        int64_t number;

        if (!str_starts(id, STR("note:"))) {
            l->activities++;
            continue;
        }
        assert_true(str_to_i64(str_slice(id, 5, id.len), &number) && number < IDS_MAX);
        l->repeated += l->seen[number];
        l->seen[number] = true;
        l->notes++;
    }
    assert_true(page.cursor.len < ADAPTER_CURSOR_BYTES_MAX);
    l->request.cursor = page.cursor;
    l->has_more = page.has_more;
    l->pages++;
}

static void start_listing(struct listing *l, enum list_mode mode, struct str cursor)
{
    *l = (struct listing){.request = {.kind = "activity",
                                      .mode = mode,
                                      .properties = READ,
                                      .properties_count = COUNT_OF(READ),
                                      .cursor = cursor}};
}

static void add_note(struct bench *b)
{
    assert_int_equal(ask(b, "/api/v1/notes", "{\"content\":\"x\",\"org_id\":1}") / 100, 2);
}

static void remove_note(struct bench *b, int id)
{
    char text[32];
    struct remove_item removal;

    snprintf(text, sizeof text, "note:%d", id);
    removal = (struct remove_item){.remote_id = str_of(text)};
    assert_int_equal(b->adapter->remove(b->session, "activity", &removal, 1, &b->err), OK);
    assert_int_equal(removal.outcome, WRITE_DONE);
}

static void change_note(struct bench *b, int id)
{
    char text[32];
    struct write_item update;

    snprintf(text, sizeof text, "note:%d", id);
    update = (struct write_item){.remote_id = str_of(text),
                                 .props = props(b, "{\"activity.body\":\"moved\"}")};
    upsert(b, "activity", &update);
    assert_int_equal(update.outcome, WRITE_DONE);
}

/* Notes are paged by offset: what is deleted in the middle of a scan must not hide others. */
static void test_deleting_during_a_scan_hides_no_note(void **state)
{
    struct bench b;
    struct listing *l = calloc(1, sizeof *l);
    struct write_item item;

    (void)state;
    open_bench(&b, NULL);
    create(&b, "activity", "a-1", "{\"activity.subject\":\"Slots\"}", &item);
    for (int i = 0; i < 1300; i++) {
        add_note(&b);
    }
    start_listing(l, LIST_ALL, STR(""));
    list_on(&b, l);
    assert_int_equal(l->activities, 1);
    list_on(&b, l);
    assert_int_equal(l->notes, 500);
    for (int id = 1; id <= 40; id++) {
        remove_note(&b, id);
    }
    while (l->has_more) {
        list_on(&b, l);
    }
    assert_int_equal(l->notes, 1300);
    assert_int_equal(l->repeated, 0);
    assert_true(l->pages <= 5);
    bench_close(&b);
    free(l);
}

/* All within one second, and some move away while they are listed. */
static void test_changes_in_one_second_are_all_listed(void **state)
{
    struct bench b;
    struct listing *l = calloc(1, sizeof *l);
    size_t found = 0;

    (void)state;
    open_bench(&b, NULL);
    start_listing(l, LIST_ALL, STR(""));
    do {
        list_on(&b, l);
    } while (l->has_more);
    clock_wait_ms(b.env.clock, 10 * 60 * 1000);
    for (int i = 0; i < 1300; i++) {
        add_note(&b);
    }
    clock_wait_ms(b.env.clock, 10 * 60 * 1000);
    start_listing(l, LIST_CHANGED, l->request.cursor);
    list_on(&b, l);
    list_on(&b, l);
    assert_int_equal(l->notes, 500);
    for (int id = 1; id <= 300; id++) {
        change_note(&b, id);
    }
    do {
        list_on(&b, l);
    } while (l->has_more);
    for (int id = 1; id <= 1300; id++) {
        found += l->seen[id];
    }
    assert_int_equal(found, 1300);
    assert_true(l->pages < 12);
    clock_wait_ms(b.env.clock, 10 * 60 * 1000);
    start_listing(l, LIST_CHANGED, l->request.cursor);
    do {
        list_on(&b, l);
    } while (l->has_more);
    assert_true(l->notes >= 300); /* from the beginning of the scan on, and so the changed ones */
    start_listing(l, LIST_CHANGED, l->request.cursor);
    do {
        list_on(&b, l);
    } while (l->has_more);
    assert_int_equal(l->notes, 0);
    assert_int_equal(l->pages, 2);
    bench_close(&b);
    free(l);
}

/* --- what has no key -------------------------------------------------------------------------- */

static void find_sent(struct bench *b, const json_t *const *sent, const struct str *values,
                      size_t count, struct remote_page *ret)
{
    struct find_request request = {.kind = "activity",
                                   .property = ADAPTER_CORRELATION,
                                   .values = values,
                                   .values_count = count,
                                   .properties = READ,
                                   .properties_count = COUNT_OF(READ),
                                   .since_ms = clock_wall_ms(b->env.clock) - 60000,
                                   .sent = sent};

    *ret = (struct remote_page){0};
    assert_int_equal(b->adapter->find(b->session, &request, &b->arena, ret, &b->err), OK);
}

static const char *const SENT[] = {
    "{\"activity.type\":\"call\",\"activity.subject\":\"Slots & docks\","
    "\"activity.body\":\"<p>Ask <b>Ida</b></p>\",\"activity.timestamp\":\"2026-06-01T09:30:45Z\","
    "\"activity.contacts\":[\"1\"],\"deal_id\":1}",
    ("{\"activity.type\":\"note\",\"activity.body\":\"<p>Gate &amp; "
     "<br>dock</p>\",\"deal_id\":\"1\"}"),
    "{\"activity.subject\":\"Ring\",\"activity.timestamp\":\"2026-06-02\"}",
};

/* Each is found by what was sent, and by nothing that differs in one member. */
static void test_a_lost_create_is_found_by_what_was_sent(void **state)
{
    static const char *const OTHERS[] = {
        "{\"activity.type\":\"meeting\",\"activity.subject\":\"Slots & docks\","
        "\"activity.body\":\"<p>Ask "
        "<b>Ida</b></p>\",\"activity.timestamp\":\"2026-06-01T09:30:45Z\","
        "\"activity.contacts\":[\"1\"],\"deal_id\":1}",
        "{\"activity.type\":\"call\",\"activity.subject\":\"Slots & docks\","
        "\"activity.body\":\"<p>Ask "
        "<b>Ida</b></p>\",\"activity.timestamp\":\"2026-06-01T09:31:45Z\","
        "\"activity.contacts\":[\"1\"],\"deal_id\":1}",
        "{\"activity.type\":\"call\",\"activity.subject\":\"Slots & docks\","
        "\"activity.body\":\"<p>Ask "
        "<b>Ida</b></p>\",\"activity.timestamp\":\"2026-06-01T09:30:45Z\","
        "\"activity.contacts\":[\"2\"],\"deal_id\":1}",
        "{\"activity.type\":\"note\",\"activity.body\":\"<p>Gate &amp; docks</p>\",\"deal_id\":1}",
        "{\"activity.type\":\"note\",\"activity.body\":\"<p>Gate &amp; dock</p>\",\"deal_id\":2}",
        "{\"activity.subject\":\"Ring\",\"activity.timestamp\":\"2026-06-03\"}",
        "{\"activity.subject\":\"Ring\",\"activity.timestamp\":\"2026-06-02T00:00:00Z\"}"};
    struct bench b;

    (void)state;
    open_bench(&b, NULL);
    for (size_t i = 0; i < COUNT_OF(SENT); i++) {
        struct write_item item;
        struct remote_page page;
        struct str key = STR("k-1");
        const json_t *sent = props(&b, SENT[i]);

        find_sent(&b, &sent, &key, 1, &page);
        assert_int_equal(page.count, 0);
        create(&b, "activity", "k-1", SENT[i], &item);
        find_sent(&b, &sent, &key, 1, &page);
        assert_int_equal(page.count, 1);
        assert_true(str_equal(page.records[0].remote_id, item.remote_id));
        assert_true(str_equal(page.records[0].correlation_key, key));
    }
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        struct remote_page page;
        struct str key = STR("k-1");
        const json_t *sent = props(&b, OTHERS[i]);

        find_sent(&b, &sent, &key, 1, &page);
        if (page.count) {
            fail_msg("found by %s", OTHERS[i]);
        }
    }
    bench_close(&b);
}

/* Twins are told apart by giving each object to one of them; one that came twice shows twice. */
static void test_twins_get_an_object_each(void **state)
{
    struct bench b;
    struct write_item item;
    struct remote_page page;
    struct str keys[] = {STR("k-1"), STR("k-2")};

    (void)state;
    open_bench(&b, NULL);
    const json_t *sent[] = {props(&b, SENT[2]), props(&b, SENT[2])};
    create(&b, "activity", "k-1", SENT[2], &item);
    find_sent(&b, sent, keys, 2, &page);
    assert_int_equal(page.count, 1);
    create(&b, "activity", "k-2", SENT[2], &item);
    find_sent(&b, sent, keys, 2, &page);
    assert_int_equal(page.count, 2);
    assert_false(str_equal(page.records[0].correlation_key, page.records[1].correlation_key));
    find_sent(&b, sent, keys, 1, &page);
    assert_int_equal(page.count, 2);
    assert_true(str_equal(page.records[1].correlation_key, keys[0]));
    bench_close(&b);
}

/* What we made long ago was not lost, and costs no calls. */
static void test_older_objects_are_not_looked_through(void **state)
{
    struct bench b;
    struct write_item item;
    struct remote_page page;
    struct str key = STR("k-1");

    (void)state;
    open_bench(&b, NULL);
    const json_t *sent = props(&b, SENT[2]);
    for (int i = 0; i < 501; i++) {
        assert_int_equal(ask(&b, "/api/v2/activities", "{\"subject\":\"x\",\"type\":\"task\"}"),
                         200);
    }
    create(&b, "activity", "k-1", SENT[2], &item);
    clock_wait_ms(b.env.clock, 60 * 60 * 1000);
    int64_t before = calls_so_far(&b);
    find_sent(&b, &sent, &key, 1, &page);
    assert_int_equal(calls_so_far(&b) - before, 2); /* who we are, and one page */
    assert_int_equal(page.count, 0);
    bench_close(&b);
}

/* --- description ------------------------------------------------------------------------------ */

static void test_types_and_notes_are_options(void **state)
{
    struct remote_schema schema = {0};
    const struct remote_option *note = NULL, *call = NULL;
    struct bench b;

    (void)state;
    open_bench(&b, NULL);
    assert_int_equal(b.adapter->describe(b.session, "activity", &b.arena, &schema, &b.err), OK);
    for (size_t i = 0; i < schema.count; i++) {
        const struct remote_property *property = &schema.properties[i];

        if (str_equal(property->name, STR("person_id"))) {
            assert_false(property->is_writable);
        }
        for (size_t k = 0;
             str_equal(property->name, STR("activity.type")) && k < property->options_count; k++) {
            const struct remote_option *option = &property->options[k];

            note = str_equal(option->value, STR("note")) ? option : note;
            call = str_equal(option->value, STR("call")) ? option : call;
        }
    }
    assert_non_null(note);
    assert_non_null(call);
    assert_true(str_equal(call->label, STR("Call")));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activities_travel_in_words_of_both),
        cmocka_unit_test(test_notes_travel_in_words_of_both),
        cmocka_unit_test(test_what_cannot_be_is_refused),
        cmocka_unit_test(test_ids_of_both_are_read_together),
        cmocka_unit_test(test_deleting_during_a_scan_hides_no_note),
        cmocka_unit_test(test_changes_in_one_second_are_all_listed),
        cmocka_unit_test(test_a_lost_create_is_found_by_what_was_sent),
        cmocka_unit_test(test_twins_get_an_object_each),
        cmocka_unit_test(test_older_objects_are_not_looked_through),
        cmocka_unit_test(test_types_and_notes_are_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
