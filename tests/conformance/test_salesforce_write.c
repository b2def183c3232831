/* Salesforce's writing half against the Salesforce simulator: what is written is what is read, lost answers make nothing twice, conditions
 * and duplicate rules hold, and calls are as many as were counted. */
#include "tests/conformance/salesforce_bench.h"

#include "adapters/salesforce_write.h"
#include "core/when.h"

#include <cmocka.h>

static const struct adapter *const SF = &adapter_salesforce;

static void open_account(struct bench *b)
{
    bench_open(b, &(const struct simulator_options){0});
    set_up(b);
}

static int64_t count_of(struct bench *b, const char *object)
{
    const struct str path = arena_printf(
        &b->arena, "/services/data/v66.0/query?q=SELECT%%20COUNT()%%20FROM%%20%s", object);

    return json_integer_value(json_object_get(ask(b, HTTP_GET, path.at, ""), "totalSize"));
}

static PRINTF_LIKE(2, 3) json_t *props_of(struct bench *b, const char *format, ...)
{
    char text[1024];
    json_t *tree;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    return jx_own(&b->arena, tree);
}

static void write_one(struct bench *b, const char *kind, struct write_item *item)
{
    item->outcome = WRITE_PENDING;
    if (SF->upsert(b->session, kind, &b->arena, item, 1, &b->err) != OK) {
        fail_msg("%s", b->err.message);
    }
    if (item->outcome != WRITE_DONE) {
        fail_msg("%d: %s (%s)", item->outcome, item->error.message, item->error.hint);
    }
}

static struct str create(struct bench *b, const char *kind, const char *key, json_t *props)
{
    struct write_item item = {.correlation_key = str_of(key), .props = props};

    write_one(b, kind, &item);
    return item.remote_id;
}

static const struct remote_record *read_one(struct bench *b, const char *kind, struct str id,
                                            const json_t *props)
{
    struct str *names = ARENA_ARRAY(&b->arena, struct str, json_object_size(props) + 1);
    struct fetch_request request = {
        .kind = kind, .properties = names, .remote_ids = &id, .remote_ids_count = 1};
    struct remote_page *page = ARENA_NEW(&b->arena, struct remote_page);
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)props, name, value)
    {
        names[request.properties_count++] = str_of(name);
    }
    if (SF->fetch_many(b->session, &request, &b->arena, page, &b->err) != OK) {
        fail_msg("%s", b->err.message);
    }
    assert_int_equal(page->count, 1);
    return &page->records[0];
}

/* --- what is written is what is read ---------------------------------------------------------- */

/* Numbers by value, times by their moment: the CRM has its own way to write them. */
static bool is_same(struct bench *b, const json_t *said, const json_t *read)
{
    int64_t x, y;

    if (json_is_number(said) && json_is_number(read)) {
        double difference = json_number_value(said) - json_number_value(read);

        return difference < 1e-9 && difference > -1e-9;
    }
    if (when_parse_ms(jx_text_of(said), &x) && when_parse_ms(jx_text_of(read), &y)) {
        return x == y;
    }
    (void)b;
    return json_equal((json_t *)(uintptr_t)said, (json_t *)(uintptr_t)read);
}

/* Every member as the answer of the write has it, or as it was sent, must be what a read shows: else a sync would see its own write as
 * somebody's edit. */
static void expect_no_echo(struct bench *b, const char *kind, const struct write_item *item)
{
    const struct remote_record *record = read_one(b, kind, item->remote_id, item->props);
    const char *name;
    json_t *value;

    assert_int_equal(record->state, REMOTE_LIVE);
    json_object_foreach(item->props, name, value)
    {
        const json_t *said =
            item->returned.props ? json_object_get(item->returned.props, name) : value;
        const json_t *read = json_object_get(record->props, name);

        if (said && read && !is_same(b, said, read)) {
            fail_msg("%s: said %s, read %s", name, jx_text(&b->arena, said).at,
                     jx_text(&b->arena, read).at);
        }
    }
}

/* long: one row for each kind, made of the ids of the others */
static void test_what_is_written_is_what_is_read(void **state)
{
    struct bench b;
    struct str quay, ada, bo, deal;

    (void)state;
    open_account(&b);
    quay = create(&b, "company", "c-1", props_of(&b, "{\"Name\":\"Quay\"}"));
    ada = create(&b, "contact", "p-1", props_of(&b, "{\"LastName\":\"Adeyemi\"}"));
    bo = create(&b, "contact", "p-2", props_of(&b, "{\"FirstName\":\"Bo\"}"));
    deal = create(&b, "deal", "d-1",
                  props_of(&b, "{\"Name\":\"Dock\",\"AccountId\":\"%s\"}", quay.at));

    const struct {
        const char *kind;
        json_t *create, *update;
    } ROWS[] = {
        {"company",
         props_of(&b, "{\"Name\":null,\"Website\":\"quay.example\",\"NumberOfEmployees\":12,"
                      "\"AnnualRevenue\":1250.5}"),
         props_of(&b, "{\"Name\":\"Quay & Sons\",\"AnnualRevenue\":null}")},
        {"contact", props_of(&b, "{\"Email\":\"team@quay.example\",\"AccountId\":\"%s\"}", quay.at),
         props_of(&b, "{\"LastName\":\"Cruz\",\"AccountId\":null}")},
        {"contact", props_of(&b, "{\"LastName\":\"Dahl\"}"), props_of(&b, "{\"LastName\":null}")},
        {"deal",
         props_of(&b,
                  "{\"Name\":\"Crane\",\"Amount\":12.5,\"deal.stage\":\"Qualification\","
                  "\"deal.status\":\"open\",\"CloseDate\":\"2026-08-01\",\"deal.contacts\":"
                  "[\"%s\",\"%s\"],\"RecordType.DeveloperName\":\"New_Business\"}",
                  ada.at, bo.at),
         props_of(&b, "{\"deal.status\":\"won\",\"deal.contacts\":[\"%s\"]}", bo.at)},
        {"deal", props_of(&b, "{\"Name\":\"Hull\",\"deal.status\":\"lost\"}"),
         props_of(&b, "{\"deal.status\":\"open\",\"deal.stage\":\"Needs Analysis\"}")},
        {"activity",
         props_of(
             &b,
             "{\"activity.type\":\"call\",\"activity.subject\":\"Rang\",\"activity.timestamp\":"
             "\"2026-05-20T14:30:00.000Z\",\"activity.done\":true,\"activity.contacts\":"
             "[\"%s\",\"%s\"],\"activity.company\":\"%s\"}",
             ada.at, bo.at, quay.at),
         props_of(&b,
                  "{\"activity.deal\":\"%s\",\"activity.done\":false,\"activity.subject\":null}",
                  deal.at)},
        {"activity",
         props_of(&b,
                  "{\"activity.type\":\"meeting\",\"activity.timestamp\":"
                  "\"2026-05-20T14:30:00.000Z\",\"activity.deal\":\"%s\"}",
                  deal.at),
         props_of(&b, "{\"activity.timestamp\":\"2026-05-21T09:00:00Z\",\"activity.deal\":null}")},
        {"activity", props_of(&b, "{\"activity.type\":\"note\",\"activity.body\":\"text\"}"),
         props_of(&b, "{\"activity.body\":\"other\\nline\",\"activity.contacts\":[\"%s\"]}",
                  ada.at)},
        {"activity",
         props_of(&b, "{\"activity.type\":\"task\",\"activity.timestamp\":\"2026-05-20\"}"),
         props_of(&b, "{\"activity.timestamp\":null,\"activity.done\":true}")},
        {"activity", props_of(&b, "{\"activity.type\":\"email\",\"activity.subject\":\"Offer\"}"),
         props_of(&b, "{\"activity.subject\":\"Offer 2\"}")},
    };

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct write_item item = {.correlation_key = arena_printf(&b.arena, "k-%zu", i),
                                  .props = ROWS[i].create};
        const struct remote_record *now;

        write_one(&b, ROWS[i].kind, &item);
        expect_no_echo(&b, ROWS[i].kind, &item);
        now = read_one(&b, ROWS[i].kind, item.remote_id, ROWS[i].create);
        assert_true(str_equal(now->correlation_key, item.correlation_key));
        item = (struct write_item){
            .remote_id = item.remote_id,
            .props = ROWS[i].update,
            .current = read_one(&b, ROWS[i].kind, item.remote_id, ROWS[i].update)->props};
        write_one(&b, ROWS[i].kind, &item);
        expect_no_echo(&b, ROWS[i].kind, &item);
    }
    bench_close(&b);
}

/* --- once, whatever is lost ------------------------------------------------------------------- */

enum { MANY = 1000 };

static struct write_item *new_contacts(struct bench *b, size_t count)
{
    struct write_item *items = ARENA_ARRAY(&b->arena, struct write_item, count);

    for (size_t i = 0; i < count; i++) {
        items[i].correlation_key = arena_printf(&b->arena, "018f0000-0000-7000-8000-%012zu", i);
        items[i].props =
            props_of(b, "{\"LastName\":\"Person %zu\",\"Email\":\"p%zu@quay.example\"}", i, i);
    }
    return items;
}

static size_t with_outcome(const struct write_item *items, size_t count, enum write_outcome outcome)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        found += items[i].outcome == outcome;
    }
    return found;
}

/* Applied, then no answer: whether it is repeated at once or by a later call, nothing is there twice. */
static void test_a_thousand_creates_without_an_answer_are_there_once(void **state)
{
    static const int LOST[] = {1, 4}; /* repeated inside the call; beyond all repeats */

    (void)state;
    for (size_t i = 0; i < COUNT_OF(LOST); i++) {
        struct bench b;
        struct write_item *items;
        char faults[160];

        open_account(&b);
        items = new_contacts(&b, MANY);
        snprintf(faults, sizeof faults,
                 "{\"rules\":[{\"fault\":\"timeout_after_apply\",\"path\":\"/"
                 "composite\",\"count\":%d}]}",
                 LOST[i]);
        ask(&b, HTTP_POST, "/__sim/faults", faults);
        assert_int_equal(SF->upsert(b.session, "contact", &b.arena, items, MANY, &b.err), OK);
        assert_int_equal(with_outcome(items, MANY, i ? WRITE_UNKNOWN : WRITE_DONE), MANY);
        assert_int_equal(count_of(&b, "Contact"), MANY);
        ask(&b, HTTP_POST, "/__sim/faults", "{}");
        clock_wait_ms(b.env.clock, 31 * 60 * 1000);
        for (size_t k = 0; k < MANY; k++) {
            items[k].remote_id = STR("");
            items[k].outcome = WRITE_PENDING;
        }
        assert_int_equal(SF->upsert(b.session, "contact", &b.arena, items, MANY, &b.err), OK);
        assert_int_equal(with_outcome(items, MANY, WRITE_DONE), MANY);
        assert_int_equal(count_of(&b, "Contact"), MANY);
        bench_close(&b);
    }
}

/* --- calls ------------------------------------------------------------------------------------ */

static void expect_calls(struct bench *b, const char *kind, struct write_item *items, size_t count,
                         int64_t wanted)
{
    int64_t counted = SF->upsert_calls(kind, items, count), before = calls_so_far(b);

    if (SF->upsert(b->session, kind, &b->arena, items, count, &b->err) != OK) {
        fail_msg("%s", b->err.message);
    }
    print_message("  %zu of %s: %" PRId64 " calls\n", count, kind, calls_so_far(b) - before);
    assert_int_equal(with_outcome(items, count, WRITE_DONE), count);
    assert_int_equal(counted, wanted);
    assert_int_equal(calls_so_far(b) - before, wanted);
}

static void test_a_thousand_records_are_one_call(void **state)
{
    struct bench b;
    struct write_item *items;
    struct remove_item *removals;

    (void)state;
    open_account(&b);
    items = new_contacts(&b, 2 * MANY + 1);
    expect_calls(&b, "contact", items, 2 * MANY + 1, 3);
    for (size_t i = 0; i < 2 * MANY + 1; i++) {
        items[i].outcome = WRITE_PENDING;
        items[i].props = props_of(&b, "{\"FirstName\":\"F%zu\"}", i);
    }
    expect_calls(&b, "contact", items, 2 * MANY, 2);
    removals = ARENA_ARRAY(&b.arena, struct remove_item, 2 * MANY);
    for (size_t i = 0; i < 2 * MANY; i++) {
        removals[i].remote_id = items[i].remote_id;
    }
    assert_int_equal(SF->remove(b.session, "contact", removals, 2 * MANY, &b.err), OK);
    assert_int_equal(count_of(&b, "Contact"), 1);
    bench_close(&b);
}

/* --- very many -------------------------------------------------------------------------------- */

static struct create_item *packed(struct bench *b, const struct write_item *items, size_t count)
{
    struct create_item *creates = ARENA_ARRAY(&b->arena, struct create_item, count);

    for (size_t i = 0; i < count; i++) {
        creates[i].correlation_key = items[i].correlation_key;
        creates[i].props = adapter_pack(&b->arena, items[i].props);
    }
    return creates;
}

static size_t created_with(const struct create_item *items, size_t count,
                           enum write_outcome outcome)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        found += items[i].outcome == outcome;
    }
    return found;
}

/* As many calls as were counted. */
static void expect_create_calls(struct bench *b, const char *kind, struct create_item *items,
                                size_t count, int64_t wanted)
{
    int64_t counted = SF->create_calls(kind, items, count), before = calls_so_far(b);

    if (SF->create_many(b->session, kind, &b->arena, items, count, &b->err) != OK) {
        fail_msg("%s", b->err.message);
    }
    print_message("  %zu of %s: %" PRId64 " calls\n", count, kind, calls_so_far(b) - before);
    assert_int_equal(created_with(items, count, WRITE_DONE), count);
    assert_int_equal(counted, wanted);
    assert_int_equal(calls_so_far(b) - before, wanted);
}

static void expect_no_echo_of(struct bench *b, const char *kind, const struct create_item *item)
{
    struct write_item written = {.remote_id = item->remote_id,
                                 .props = adapter_unpack(&b->arena, item->props)};

    if (item->returned_props.len) {
        written.returned.props = adapter_unpack(&b->arena, item->returned_props);
    }
    expect_no_echo(b, kind, &written);
}

enum { VERY_MANY = SF_BULK_MIN + 999 };

static struct create_item *very_many(struct bench *b)
{
    return packed(b, new_contacts(b, VERY_MANY), VERY_MANY);
}

static void test_very_many_creates_are_one_job(void **state)
{
    struct bench b;
    struct write_item *items;
    struct create_item *creates;

    (void)state;
    open_account(&b);
    ask(&b, HTTP_POST, "/__sim/bulk", "{\"queued_ms\":0,\"chunk_ms\":0}");
    items = new_contacts(&b, VERY_MANY);
    json_object_set_new(items[7].props, "Phone", json_string("0049, \"2\"\nline"));
    creates = packed(&b, items, VERY_MANY);
    expect_create_calls(&b, "contact", creates, VERY_MANY, SF_BULK_CALLS);
    assert_int_equal(count_of(&b, "Contact"), VERY_MANY);
    expect_no_echo_of(&b, "contact", &creates[7]);
    bench_close(&b);
}

/* Leads and contacts: what is too few for a job of its own goes by collections, packed as closely as they can be. */
static void test_very_many_of_two_objects(void **state)
{
    static const struct {
        size_t count, leads;
        int64_t calls;
    } ROWS[] = {{6200, 3100, 7}, {SF_BULK_MIN + 150, 150, SF_BULK_CALLS + 1}, {900, 450, 2}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct bench b;
        struct write_item *items;
        struct create_item *creates;

        open_account(&b);
        ask(&b, HTTP_POST, "/__sim/bulk", "{\"queued_ms\":0,\"chunk_ms\":0}");
        items = new_contacts(&b, ROWS[i].count);
        for (size_t k = 0; k < ROWS[i].leads; k++) {
            json_object_set_new(items[k * 2].props, SF_LEAD_STATUS, json_string("New"));
        }
        creates = packed(&b, items, 1); /* describes what there is to describe */
        assert_int_equal(SF->create_many(b.session, "contact", &b.arena, creates, 1, &b.err), OK);
        creates = packed(&b, items, ROWS[i].count);
        expect_create_calls(&b, "contact", creates, ROWS[i].count, ROWS[i].calls);
        assert_int_equal(count_of(&b, "Lead"), ROWS[i].leads);
        assert_int_equal(count_of(&b, "Contact"), ROWS[i].count - ROWS[i].leads);
        bench_close(&b);
    }
}

/* People of deals come after them, whichever way those went. */
static void test_very_many_deals_have_their_people(void **state)
{
    struct bench b;
    struct write_item *people, *items;
    struct create_item *creates;

    (void)state;
    open_account(&b);
    ask(&b, HTTP_POST, "/__sim/bulk", "{\"queued_ms\":0,\"chunk_ms\":0}");
    people = new_contacts(&b, 1);
    write_one(&b, "contact", people);
    items = ARENA_ARRAY(&b.arena, struct write_item, VERY_MANY);
    for (size_t i = 0; i < VERY_MANY; i++) {
        items[i].correlation_key = arena_printf(&b.arena, "018f0000-0000-7000-9000-%012zu", i);
        items[i].props = i % 3 ? props_of(&b, "{\"Name\":\"Deal %zu\"}", i)
                               : props_of(&b, "{\"Name\":\"Deal %zu\",\"deal.contacts\":[\"%s\"]}",
                                          i, arena_cstr(&b.arena, people->remote_id));
    }
    creates = packed(&b, items, VERY_MANY);
    assert_int_equal(SF->create_many(b.session, "deal", &b.arena, packed(&b, items, 1), 1, &b.err),
                     OK);
    expect_create_calls(&b, "deal", creates + 1, VERY_MANY - 1, SF_BULK_CALLS + 3);
    assert_int_equal(count_of(&b, "Opportunity"), VERY_MANY);
    assert_int_equal(count_of(&b, "OpportunityContactRole"), VERY_MANY / 3);
    bench_close(&b);
}

/* A text that a cell cannot say sends its object by collections; a row that is refused is refused alone. */
static void test_very_many_by_collections_after_all(void **state)
{
    struct bench b;
    struct write_item *items;
    struct create_item *creates;

    (void)state;
    open_account(&b);
    items = new_contacts(&b, VERY_MANY);
    json_object_set_new(items[7].props, "Phone", json_string("#N/A"));
    json_object_set_new(items[9].props, "Email", json_string("no address"));
    creates = packed(&b, items, VERY_MANY);
    assert_int_equal(SF->create_many(b.session, "contact", &b.arena, creates, VERY_MANY, &b.err),
                     OK);
    assert_int_equal(created_with(creates, VERY_MANY, WRITE_DONE), VERY_MANY - 1);
    assert_int_equal(creates[9].outcome, WRITE_REFUSED);
    assert_int_equal(creates[9].error->code, FAIL_RECORD);
    expect_no_echo_of(&b, "contact", &creates[7]);
    bench_close(&b);
}

/* A rule against doubles refuses rows of a job without saying for whom: alone they are told, the first 25. */
static void test_a_job_finds_what_is_there_already(void **state)
{
    struct bench b;
    struct write_item there = {.correlation_key = STR("018f0000-0000-7000-8000-999999999999")};
    struct create_item *creates;

    (void)state;
    open_account(&b);
    ask(&b, HTTP_POST, "/__sim/bulk", "{\"queued_ms\":0,\"chunk_ms\":0}");
    there.props = props_of(&b, "{\"LastName\":\"First\",\"Email\":\"p%d@quay.example\"}", 11);
    write_one(&b, "contact", &there);
    ask(&b, HTTP_POST, "/__sim/duplicates", "{\"object\":\"Contact\",\"mode\":\"alert\"}");
    creates = very_many(&b);
    assert_int_equal(SF->create_many(b.session, "contact", &b.arena, creates, VERY_MANY, &b.err),
                     OK);
    assert_int_equal(created_with(creates, VERY_MANY, WRITE_DONE), VERY_MANY - 1);
    assert_int_equal(creates[11].outcome, WRITE_EXISTS);
    assert_true(str_equal(creates[11].remote_id, there.remote_id));
    bench_close(&b);
}

/* A job that is not done when we stop looking is waited for, and found by our key later. */
static void test_a_slow_job_is_nobodys_second(void **state)
{
    struct bench b;
    struct create_item *creates;
    struct str *keys;
    struct find_request request = {.kind = "contact", .property = ADAPTER_CORRELATION};
    struct remote_page page = {0};

    (void)state;
    open_account(&b);
    ask(&b, HTTP_POST, "/__sim/bulk", "{\"queued_ms\":60000,\"chunk_ms\":10}");
    creates = very_many(&b);
    assert_int_equal(SF->create_many(b.session, "contact", &b.arena, creates, VERY_MANY, &b.err),
                     FAIL_THROTTLED);
    assert_true(b.err.wait_ms > 2000);
    assert_int_equal(created_with(creates, VERY_MANY, WRITE_UNKNOWN), VERY_MANY);
    assert_int_equal(count_of(&b, "Contact"), 0);
    keys = ARENA_ARRAY(&b.arena, struct str, MANY);
    for (size_t i = 0; i < MANY; i++) {
        keys[i] = creates[i].correlation_key;
    }
    request.values = keys;
    request.values_count = MANY;
    assert_int_equal(SF->find(b.session, &request, &b.arena, &page, &b.err), FAIL_THROTTLED);
    clock_wait_ms(b.env.clock, 120 * 1000);
    assert_int_equal(count_of(&b, "Contact"), VERY_MANY);
    if (SF->find(b.session, &request, &b.arena, &page, &b.err) != OK) {
        fail_msg("%s", b.err.message);
    }
    assert_int_equal(page.count, MANY);
    bench_close(&b);
}

/* --- conditions ------------------------------------------------------------------------------- */

static void test_what_changed_meanwhile_is_not_overwritten(void **state)
{
    struct bench b;
    struct write_item item = {.correlation_key = STR("k-1")};
    json_t *wanted;

    (void)state;
    open_account(&b);
    item.props = props_of(&b, "{\"LastName\":\"Adeyemi\"}");
    write_one(&b, "contact", &item);
    wanted = props_of(&b, "{\"FirstName\":\"Ours\"}");
    item = (struct write_item){.remote_id = item.remote_id,
                               .props = wanted,
                               .current = read_one(&b, "contact", item.remote_id, wanted)->props};
    clock_wait_ms(b.env.clock, 5000);
    edit(&b, "Contact", item.remote_id, "{\"FirstName\":\"Theirs\"}");
    assert_int_equal(SF->upsert(b.session, "contact", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_REFUSED);
    assert_int_equal(item.error.code, FAIL_STALE);
    item.current = read_one(&b, "contact", item.remote_id, wanted)->props;
    assert_string_equal(json_string_value(json_object_get(item.current, "FirstName")), "Theirs");
    write_one(&b, "contact", &item); /* decided again on what is there now */
    bench_close(&b);
}

static void test_a_deleted_record_is_stale_and_a_deleted_delete_is_done(void **state)
{
    struct bench b;
    struct write_item item = {.correlation_key = STR("k-1")};
    struct remove_item removal = {0};

    (void)state;
    open_account(&b);
    item.props = props_of(&b, "{\"LastName\":\"Adeyemi\"}");
    write_one(&b, "contact", &item);
    removal.remote_id = item.remote_id;
    for (int i = 0; i < 2; i++) {
        removal.outcome = WRITE_PENDING;
        assert_int_equal(SF->remove(b.session, "contact", &removal, 1, &b.err), OK);
        assert_int_equal(removal.outcome, WRITE_DONE);
    }
    for (int i = 0; i < 2; i++) { /* on condition, and through a collection */
        struct write_item update = {
            .remote_id = item.remote_id,
            .props = props_of(&b, "{\"FirstName\":\"Ada\"}"),
            .current =
                i ? NULL : props_of(&b, "{\"SystemModstamp\":\"2026-05-28T20:26:40.000+0000\"}")};

        assert_int_equal(SF->upsert(b.session, "contact", &b.arena, &update, 1, &b.err), OK);
        assert_int_equal(update.outcome, WRITE_REFUSED);
        assert_int_equal(update.error.code, FAIL_STALE);
    }
    bench_close(&b);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void test_a_locked_parent_costs_its_own_records_only(void **state)
{
    struct bench b;
    struct write_item items[2] = {{.correlation_key = STR("p-1")}, {.correlation_key = STR("p-2")}};
    struct str quay;

    (void)state;
    open_account(&b);
    quay = create(&b, "company", "c-1", props_of(&b, "{\"Name\":\"Quay\"}"));
    items[0].props = props_of(&b, "{\"LastName\":\"Adeyemi\",\"AccountId\":\"%s\"}", quay.at);
    items[1].props = props_of(&b, "{\"LastName\":\"Brandt\"}");
    ask(&b, HTTP_POST, "/__sim/lock",
        arena_printf(&b.arena, "{\"object\":\"Account\",\"id\":\"%s\",\"ms\":60000}", quay.at).at);
    assert_int_equal(SF->upsert(b.session, "contact", &b.arena, items, 2, &b.err), OK);
    assert_int_equal(items[0].outcome, WRITE_REFUSED);
    assert_int_equal(items[0].error.code, FAIL_RETRY);
    assert_int_equal(items[1].outcome, WRITE_DONE);
    printf("fault=batch-in-part sent=2 done=%d refused=%d\n",
           (items[0].outcome == WRITE_DONE) + (items[1].outcome == WRITE_DONE),
           (items[0].outcome == WRITE_REFUSED) + (items[1].outcome == WRITE_REFUSED));
    clock_wait_ms(b.env.clock, 61 * 1000);
    write_one(&b, "contact", &items[0]);
    bench_close(&b);
}

/* Whatever kind of rule it is: an alert is heard, not overruled. */
static void test_what_a_duplicate_rule_matches_is_named(void **state)
{
    static const char *const MODES[] = {"alert", "block"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(MODES); i++) {
        struct bench b;
        struct write_item second = {.correlation_key = STR("p-2")}, update;
        struct str first, other;

        open_account(&b);
        first = create(&b, "contact", "p-1",
                       props_of(&b, "{\"LastName\":\"A\",\"Email\":\"a@q.example\"}"));
        other = create(&b, "contact", "p-3", props_of(&b, "{\"LastName\":\"B\"}"));
        ask(&b, HTTP_POST, "/__sim/duplicates",
            arena_printf(&b.arena, "{\"object\":\"Contact\",\"mode\":\"%s\"}", MODES[i]).at);
        second.props = props_of(&b, "{\"LastName\":\"A2\",\"Email\":\"a@q.example\"}");
        assert_int_equal(SF->upsert(b.session, "contact", &b.arena, &second, 1, &b.err), OK);
        assert_int_equal(second.outcome, WRITE_EXISTS);
        assert_true(str_equal(second.remote_id, first));
        assert_null(strstr(second.error.message, "a@q.example"));
        update =
            (struct write_item){.remote_id = other,
                                .props = second.props,
                                .current = read_one(&b, "contact", other, second.props)->props};
        assert_int_equal(SF->upsert(b.session, "contact", &b.arena, &update, 1, &b.err), OK);
        assert_int_equal(update.outcome, WRITE_REFUSED); /* an update keeps its own id */
        assert_true(str_equal(update.remote_id, other));
        assert_non_null(strstr(update.error.hint, first.at));
        bench_close(&b);
    }
}

static void test_who_may_not_make_fields_is_told_how(void **state)
{
    static const char *const KINDS[] = {"contact"};
    struct setup_report report = {0};
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){.quirks = "no-customize"});
    assert_int_equal(
        SF->ensure_setup(b.session, &(const struct setup_request){.kinds = KINDS, .kinds_count = 1},
                         &report, &b.err),
        FAIL_CONNECTION);
    assert_non_null(strstr(b.err.hint, "Setup > Object Manager > Contact"));
    assert_int_equal(report.created, 0);
    bench_close(&b);
}

static void test_setting_up_twice_makes_nothing_twice(void **state)
{
    static const char *const KINDS[] = {"company", "activity"};
    const struct setup_request request = {.kinds = KINDS, .kinds_count = COUNT_OF(KINDS)};
    struct setup_report first = {0}, second = {0};
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    assert_int_equal(SF->ensure_setup(b.session, &request, &first, &b.err), OK);
    assert_int_equal(first.created, 2); /* on Account and on Activity */
    assert_int_equal(SF->ensure_setup(b.session, &request, &second, &b.err), OK);
    assert_int_equal(second.created, 0);
    assert_int_equal(second.present, 2);
    bench_close(&b);
}

/* What we made for nobody belongs to our own user there, and to nobody everywhere else; a colleague's stays theirs. */
static void test_our_own_user_owns_nothing(void **state)
{
    static const struct str OWNER[] = {{.at = SF_OWNER, .len = 7}};
    struct write_item item = {.correlation_key = STR("0192aaaa-0000-7000-8000-0000000000a1")};
    struct remote_page page = {0};
    struct str own, colleague;
    struct remote_users users;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    set_up(&b);
    assert_int_equal(b.adapter->users(b.session, &b.arena, &users, &b.err), OK);
    assert_int_equal(salesforce_own_user(b.session, &own, &b.err), OK);
    colleague = users.at[0].remote_id;
    for (size_t i = 0;
         i < users.count && (salesforce_same_id(colleague, own) || !users.at[i].is_active); i++) {
        colleague = users.at[i].remote_id;
    }
    own = arena_str(&b.arena, own);
    open_session(&b); /* who has not asked yet */
    item.props =
        jx_own(&b.arena, json_pack("{s:s,s:s%}", "LastName", "Ray", SF_OWNER, own.at, own.len));
    assert_int_equal(b.adapter->upsert(b.session, "contact", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_true(json_is_null(json_object_get(item.returned.props, SF_OWNER)));
    fetch(&b, "contact", &item.remote_id, 1, OWNER, 1, &page);
    assert_true(json_is_null(json_object_get(page.records[0].props, SF_OWNER)));

    item.props = jx_own(&b.arena, json_pack("{s:s%}", SF_OWNER, colleague.at, colleague.len));
    item.outcome = WRITE_PENDING;
    assert_int_equal(b.adapter->upsert(b.session, "contact", &b.arena, &item, 1, &b.err), OK);
    fetch(&b, "contact", &item.remote_id, 1, OWNER, 1, &page);
    assert_true(salesforce_same_id(jx_text_of(json_object_get(page.records[0].props, SF_OWNER)),
                                   colleague));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_what_is_read),
        cmocka_unit_test(test_a_thousand_creates_without_an_answer_are_there_once),
        cmocka_unit_test(test_a_thousand_records_are_one_call),
        cmocka_unit_test(test_very_many_creates_are_one_job),
        cmocka_unit_test(test_very_many_of_two_objects),
        cmocka_unit_test(test_very_many_deals_have_their_people),
        cmocka_unit_test(test_very_many_by_collections_after_all),
        cmocka_unit_test(test_a_job_finds_what_is_there_already),
        cmocka_unit_test(test_a_slow_job_is_nobodys_second),
        cmocka_unit_test(test_what_changed_meanwhile_is_not_overwritten),
        cmocka_unit_test(test_a_locked_parent_costs_its_own_records_only),
        cmocka_unit_test(test_what_a_duplicate_rule_matches_is_named),
        cmocka_unit_test(test_who_may_not_make_fields_is_told_how),
        cmocka_unit_test(test_setting_up_twice_makes_nothing_twice),
        cmocka_unit_test(test_our_own_user_owns_nothing),
        cmocka_unit_test(test_a_deleted_record_is_stale_and_a_deleted_delete_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
