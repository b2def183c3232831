/* One suite for every adapter in the registry, against its simulator: what adapters/adapter.h promises, looked at from outside. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/adapter.h"
#include "core/jx.h"
#include "http/transport.h"
#include "simulators/simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t BEGIN_MS = 1780000000000;

typedef enum fail simulator_new_fn(struct env *env, const struct simulator_options *options,
                                   struct simulator **ret, struct error *err);

enum { PROPERTIES_MAX = 8 };

/* How one kind looks at one CRM, in the CRM's own words. A row is all that a kind needs to be taken
 * through every test. */
static const struct subject {
    const char *crm, *kind;
    simulator_new_fn *simulator;
    /* props of a new object as JSON; each "%d" becomes its number */
    const char *create;
    const char *update;
    /* a text property, what it holds in the object number 1, and after the update */
    const char *read_property, *created_text, *updated_text;
    const char *properties[PROPERTIES_MAX]; /* what a mapping would read; ends with NULL */
    size_t pages_max;                       /* of a listing of 230 objects */
} SUBJECTS[] = {
    {.crm = "hubspot",
     .kind = "contact",
     .simulator = simulator_hubspot_new,
     .create =
         "{\"email\":\"grace%d@hopper.example\",\"firstname\":\"Grace\",\"lastname\":\"H%d\"}",
     .update = "{\"lastname\":\"Murray\"}",
     .read_property = "lastname",
     .created_text = "H1",
     .updated_text = "Murray",
     .properties = {"firstname", "lastname"},
     .pages_max = 3},
    {.crm = "hubspot",
     .kind = "deal",
     .simulator = simulator_hubspot_new,
     .create = "{\"dealname\":\"Deal %d\",\"amount\":\"%d.50\",\"pipeline\":\"default\","
               "\"deal.stage\":\"qualifiedtobuy\",\"deal.status\":\"open\"}",
     .update = "{\"deal.status\":\"won\"}",
     .read_property = "deal.status",
     .created_text = "open",
     .updated_text = "won",
     .properties = {"dealname", "amount", "deal.stage", "deal.status", "associations.contacts",
                    "associations.company"},
     .pages_max = 3},
    {.crm = "hubspot",
     .kind = "ticket",
     .simulator = simulator_hubspot_new,
     .create = "{\"subject\":\"Ticket %d\",\"hs_pipeline\":\"0\",\"hs_pipeline_stage\":\"1\"}",
     .update = "{\"subject\":\"Solved\"}",
     .read_property = "subject",
     .created_text = "Ticket 1",
     .updated_text = "Solved",
     .properties = {"subject", "hs_pipeline_stage", "associations.contacts"},
     .pages_max = 3},
    {.crm = "hubspot",
     .kind = "activity",
     .simulator = simulator_hubspot_new,
     .create = "{\"activity.type\":\"task\",\"activity.subject\":\"Task %d\","
               "\"activity.timestamp\":\"2026-06-01T08:00:00Z\",\"activity.done\":false}",
     .update = "{\"activity.subject\":\"Ring back\"}",
     .read_property = "activity.subject",
     .created_text = "Task 1",
     .updated_text = "Ring back",
     .properties = {"activity.type", "activity.subject", "activity.timestamp", "activity.done",
                    "associations.contacts", "associations.deal"},
     .pages_max = 7},
    {.crm = "hubspot",
     .kind = "activity",
     .simulator = simulator_hubspot_new,
     .create = "{\"activity.type\":\"note\",\"activity.body\":\"<p>Note %d</p>\"}",
     .update = "{\"activity.body\":\"<p>Read</p>\"}",
     .read_property = "activity.body",
     .created_text = "<p>Note 1</p>",
     .updated_text = "<p>Read</p>",
     .properties = {"activity.type", "activity.body", "activity.timestamp"},
     .pages_max = 7},
    {.crm = "pipedrive",
     .kind = "contact",
     .simulator = simulator_pipedrive_new,
     .create =
         "{\"emails\":[{\"value\":\"grace%d@hopper.example\",\"primary\":true,\"label\":\"work\"}],"
         "\"first_name\":\"Grace\",\"last_name\":\"H%d\"}",
     .update = "{\"last_name\":\"Murray\"}",
     .read_property = "last_name",
     .created_text = "H1",
     .updated_text = "Murray",
     .properties = {"first_name", "last_name"},
     .pages_max = 3},
    {.crm = "pipedrive",
     .kind = "deal",
     .simulator = simulator_pipedrive_new,
     .create = "{\"title\":\"Deal %d\",\"value\":\"%d.50\",\"currency\":\"EUR\",\"stage_id\":1,"
               "\"status\":\"open\"}",
     .update = "{\"status\":\"won\"}",
     .read_property = "status",
     .created_text = "open",
     .updated_text = "won",
     .properties = {"title", "value", "stage_id", "status", "deal.contacts"},
     .pages_max = 4},
    {.crm = "pipedrive",
     .kind = "activity",
     .simulator = simulator_pipedrive_new,
     .create = "{\"activity.type\":\"task\",\"activity.subject\":\"Task %d\","
               "\"activity.timestamp\":\"2026-06-01T08:00:00Z\",\"activity.done\":false}",
     .update = "{\"activity.subject\":\"Ring back\"}",
     .read_property = "activity.subject",
     .created_text = "Task 1",
     .updated_text = "Ring back",
     .properties = {"activity.type", "activity.subject", "activity.timestamp", "activity.done",
                    "activity.contacts", "deal_id"},
     .pages_max = 4},
    {.crm = "salesforce",
     .kind = "contact",
     .simulator = simulator_salesforce_new,
     .create =
         "{\"Email\":\"grace%d@hopper.example\",\"FirstName\":\"Grace\",\"LastName\":\"H%d\"}",
     .update = "{\"LastName\":\"Murray\"}",
     .read_property = "LastName",
     .created_text = "H1",
     .updated_text = "Murray",
     .properties = {"FirstName", "LastName"},
     .pages_max = 1},
    {.crm = "salesforce",
     .kind = "deal",
     .simulator = simulator_salesforce_new,
     .create = "{\"Name\":\"Deal %d\",\"Amount\":%d.50,\"CloseDate\":\"2026-09-30\","
               "\"deal.stage\":\"Qualification\",\"deal.status\":\"open\"}",
     .update = "{\"deal.status\":\"won\"}",
     .read_property = "deal.status",
     .created_text = "open",
     .updated_text = "won",
     .properties = {"Name", "Amount", "deal.stage", "deal.status", "deal.contacts"},
     .pages_max = 1},
    {.crm = "salesforce",
     .kind = "activity",
     .simulator = simulator_salesforce_new,
     .create = "{\"activity.type\":\"task\",\"activity.subject\":\"Task %d\","
               "\"activity.timestamp\":\"2026-06-01\",\"activity.done\":false}",
     .update = "{\"activity.subject\":\"Ring back\"}",
     .read_property = "activity.subject",
     .created_text = "Task 1",
     .updated_text = "Ring back",
     .properties = {"activity.type", "activity.subject", "activity.timestamp", "activity.done",
                    "activity.contacts", "activity.deal"},
     .pages_max = 1},
    {.crm = "salesforce",
     .kind = "activity",
     .simulator = simulator_salesforce_new,
     .create = "{\"activity.type\":\"meeting\",\"activity.subject\":\"Event %d\","
               "\"activity.timestamp\":\"2026-06-01T08:00:00Z\"}",
     .update = "{\"activity.subject\":\"Put off\"}",
     .read_property = "activity.subject",
     .created_text = "Event 1",
     .updated_text = "Put off",
     .properties = {"activity.type", "activity.subject", "activity.timestamp", "activity.contacts",
                    "activity.company"},
     .pages_max = 1},
    {.crm = "salesforce",
     .kind = "ticket",
     .simulator = simulator_salesforce_new,
     .create = "{\"Subject\":\"Ticket %d\"}",
     .update = "{\"Subject\":\"Solved\"}",
     .read_property = "Subject",
     .created_text = "Ticket 1",
     .updated_text = "Solved",
     .properties = {"Subject", "Status"},
     .pages_max = 1},
};

struct bench {
    const struct subject *subject;
    const struct adapter *adapter;
    struct env env;
    struct simulator *simulator;
    struct http_client *client;
    struct session *session;
    struct secret token;
    struct arena arena;
    struct error err;
    struct str properties[PROPERTIES_MAX];
    size_t properties_count;
    unsigned traits; /* of the kind's objects */
};

static enum fail set_up(struct bench *b, struct setup_report *ret)
{
    const char *kinds[] = {"company", b->subject->kind};

    return b->adapter->ensure_setup(
        b->session, &(const struct setup_request){.kinds = kinds, .kinds_count = 2}, ret, &b->err);
}

static void bench_open(struct bench *b, const struct subject *subject, int records)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    const struct adapter *adapter = adapter_by_name(str_of(subject->crm));
    struct setup_report report = {0};
    struct account account = {
        .connection = "test", .base_url = STR("https://crm.sim.example"), .token = &b->token};

    assert_non_null(adapter);
    assert_non_null(adapter_object_of(adapter, subject->kind));
    *b = (struct bench){.subject = subject,
                        .adapter = adapter,
                        .traits = adapter_object_of(adapter, subject->kind)->traits};
    while (subject->properties[b->properties_count]) {
        b->properties[b->properties_count] = str_of(subject->properties[b->properties_count]);
        b->properties_count++;
    }
    b->env = (struct env){.clock = clock_new_virtual(BEGIN_MS), .random = random_new_seeded(1)};
    assert_int_equal(b->subject->simulator(
                         &b->env, &(const struct simulator_options){.seed = 4, .records = records},
                         &b->simulator, &b->err),
                     OK);
    b->env.transport = transport_new_mounted(b->env.clock, 5);
    transport_mount(b->env.transport, "crm.sim.example", simulator_handle, b->simulator);
    b->client = http_client_new(&b->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&b->token, str_of(simulator_token(b->simulator)));
    assert_int_equal(adapter->open(&b->env, b->client, &account, &b->session, &b->err), OK);
    if (set_up(b, &report) != OK) {
        fail_msg("%s", b->err.message);
    }
}

static void bench_close(struct bench *b)
{
    b->adapter->close(b->session);
    http_client_free(b->client);
    transport_free(b->env.transport);
    simulator_free(b->simulator);
    secret_fini(&b->token);
    random_free(b->env.random);
    clock_free(b->env.clock);
    arena_fini(&b->arena);
}

/* Every kind of every CRM. */
static void each_subject(void (*test)(struct bench *b), int records)
{
    for (size_t i = 0; i < COUNT_OF(SUBJECTS); i++) {
        struct bench b;

        print_message("  %s %s\n", SUBJECTS[i].crm, SUBJECTS[i].kind);
        bench_open(&b, &SUBJECTS[i], records);
        test(&b);
        bench_close(&b);
    }
}

/* What has nothing to do with kinds: once for each adapter in the registry. */
static void each_adapter(void (*test)(struct bench *b), int records)
{
    for (size_t i = 0; adapters[i]; i++) {
        const struct subject *subject = SUBJECTS;
        struct bench b;

        while (subject < SUBJECTS + COUNT_OF(SUBJECTS) &&
               strcmp(subject->crm, adapters[i]->name) != 0) {
            subject++;
        }
        assert_true(subject < SUBJECTS + COUNT_OF(SUBJECTS)); /* none without a simulator */
        print_message("  %s\n", adapters[i]->name);
        bench_open(&b, subject, records);
        test(&b);
        bench_close(&b);
    }
}

static json_t *props_of(struct bench *b, int number)
{
    AUTO_BUF struct buf text = {0};
    struct str rest = str_of(b->subject->create);
    const char *mark;

    buf_init(&text, 4096);
    while ((mark = memmem(rest.at, rest.len, "%d", 2))) {
        size_t before = (size_t)(mark - rest.at);

        buf_addf(&text, "%.*s%d", (int)before, rest.at, number);
        rest = str_slice(rest, before + 2, rest.len);
    }
    buf_add(&text, rest);
    return jx_own(&b->arena, json_loads(text.at, 0, NULL));
}

static void create(struct bench *b, int number, const char *key, struct write_item *ret)
{
    *ret = (struct write_item){.correlation_key = str_of(key), .props = props_of(b, number)};
    assert_int_equal(b->adapter->upsert(b->session, b->subject->kind, &b->arena, ret, 1, &b->err),
                     OK);
}

static void fetch_one(struct bench *b, struct str id, struct remote_page *ret)
{
    struct fetch_request request = {.kind = b->subject->kind,
                                    .properties = b->properties,
                                    .properties_count = b->properties_count,
                                    .remote_ids = &id,
                                    .remote_ids_count = 1};

    assert_int_equal(b->adapter->fetch_many(b->session, &request, &b->arena, ret, &b->err), OK);
}

/* --- what must hold ------------------------------------------------------------------------------------------------------------ */

static void checks_account(struct bench *b)
{
    struct account_facts facts = {0};

    assert_int_equal(b->adapter->check(b->session, &b->arena, &facts, &b->err), OK);
    assert_true(facts.account_id.len > 0);
}

static void test_check_names_the_account(void **state)
{
    (void)state;
    each_adapter(checks_account, 0);
}

static void sets_up_twice(struct bench *b)
{
    struct setup_report report = {0};

    assert_int_equal(set_up(b, &report), OK);
    assert_int_equal(report.created, 0);
    assert_true(report.present >= 1);
}

static void test_setup_is_idempotent(void **state)
{
    (void)state;
    each_subject(sets_up_twice, 0);
}

static void describes(struct bench *b)
{
    struct remote_schema schema = {0};
    bool found = false;

    assert_int_equal(
        b->adapter->describe(b->session, b->subject->kind, &b->arena, &schema, &b->err), OK);
    for (size_t i = 0; i < schema.count; i++) {
        found = found || (str_equal(schema.properties[i].name, str_of(b->subject->read_property)) &&
                          schema.properties[i].is_writable);
    }
    assert_true(found);
}

static void test_describe_lists_writable_properties(void **state)
{
    (void)state;
    each_subject(describes, 0);
}

static void creates_reads_updates_removes(struct bench *b)
{
    struct write_item item;
    struct remote_page page = {0};
    struct remove_item removal;

    create(b, 1, "018f0000-0000-7000-8000-000000000001", &item);
    assert_int_equal(item.outcome, WRITE_DONE);
    fetch_one(b, item.remote_id, &page);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_LIVE);
    if (!(b->traits & OBJECT_NO_KEY)) {
        assert_true(str_equal(page.records[0].correlation_key,
                              STR("018f0000-0000-7000-8000-000000000001")));
    }
    assert_string_equal(
        json_string_value(json_object_get(page.records[0].props, b->subject->read_property)),
        b->subject->created_text);

    struct write_item update = {.remote_id = item.remote_id,
                                .props =
                                    jx_own(&b->arena, json_loads(b->subject->update, 0, NULL))};
    assert_int_equal(
        b->adapter->upsert(b->session, b->subject->kind, &b->arena, &update, 1, &b->err), OK);
    assert_int_equal(update.outcome, WRITE_DONE);
    fetch_one(b, item.remote_id, &page);
    assert_string_equal(
        json_string_value(json_object_get(page.records[0].props, b->subject->read_property)),
        b->subject->updated_text);

    for (int twice = 0; twice < 2; twice++) { /* gone already counts as done */
        removal = (struct remove_item){.remote_id = item.remote_id};
        assert_int_equal(b->adapter->remove(b->session, b->subject->kind, &removal, 1, &b->err),
                         OK);
        assert_int_equal(removal.outcome, WRITE_DONE);
    }
    fetch_one(b, item.remote_id, &page);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_GONE);
}

static void test_create_read_update_remove(void **state)
{
    (void)state;
    each_subject(creates_reads_updates_removes, 0);
}

static void finds_by_key(struct bench *b)
{
    const json_t *sent[] = {props_of(b, 1), props_of(b, 2)};
    struct str keys[] = {STR("018f0000-0000-7000-8000-00000000000a"),
                         STR("018f0000-0000-7000-8000-00000000000b")};
    struct find_request request = {.kind = b->subject->kind,
                                   .property = ADAPTER_CORRELATION,
                                   .values = keys,
                                   .values_count = 2,
                                   .properties = b->properties,
                                   .properties_count = b->properties_count,
                                   .since_ms = clock_wall_ms(b->env.clock) - 60000,
                                   .sent = b->traits & OBJECT_NO_KEY ? sent : NULL};
    struct remote_page page = {0};
    struct write_item item;

    create(b, 1, "018f0000-0000-7000-8000-00000000000a", &item);
    assert_int_equal(b->adapter->find(b->session, &request, &b->arena, &page, &b->err), OK);
    assert_int_equal(page.count,
                     1); /* at once: no index lag may hide a create whose answer was lost */
    assert_true(str_equal(page.records[0].remote_id, item.remote_id));
}

static void test_a_lost_create_is_found_by_its_key_at_once(void **state)
{
    (void)state;
    each_subject(finds_by_key, 3);
}

/* As many as a page does not hold. */
static void create_many(struct bench *b, int count)
{
    struct write_item items[50];

    for (int from = 0; from < count; from += (int)COUNT_OF(items)) {
        size_t part = 0;

        for (; part < COUNT_OF(items) && from + (int)part < count; part++) {
            int number = from + (int)part;

            items[part] =
                (struct write_item){.correlation_key = arena_printf(
                                        &b->arena, "018f0000-0000-7000-8000-00000001%04d", number),
                                    .props = props_of(b, 1000 + number)};
        }
        assert_int_equal(
            b->adapter->upsert(b->session, b->subject->kind, &b->arena, items, part, &b->err), OK);
        for (size_t i = 0; i < part; i++) {
            assert_int_equal(items[i].outcome, WRITE_DONE);
        }
        clock_wait_ms(b->env.clock, 10000);
    }
}

static size_t list_to_the_end(struct bench *b, struct list_request *request, size_t *ret_pages,
                              struct str wanted_id, bool *ret_found)
{
    struct remote_page page;
    size_t total = 0;

    *ret_found = false;
    *ret_pages = 0;
    do {
        page = (struct remote_page){0};
        assert_int_equal(b->adapter->list(b->session, request, &b->arena, &page, &b->err), OK);
        for (size_t i = 0; i < page.count; i++) {
            *ret_found = *ret_found || str_equal(page.records[i].remote_id, wanted_id);
        }
        total += page.count;
        ++*ret_pages;
        assert_true(page.cursor.len < ADAPTER_CURSOR_BYTES_MAX);
        request->cursor = page.cursor;
    } while (page.has_more);
    return total;
}

static void lists_everything_once(struct bench *b)
{
    struct list_request request = {.kind = b->subject->kind,
                                   .mode = LIST_ALL,
                                   .properties = b->properties,
                                   .properties_count = b->properties_count,
                                   .cursor = STR("")};
    struct write_item item;
    size_t pages;
    bool found;

    create_many(b, 230);
    assert_int_equal(list_to_the_end(b, &request, &pages, STR(""), &found), 230);
    assert_true(pages <= b->subject->pages_max);

    /* A change made since the scan began is in the next listing of changes. */
    clock_wait_ms(b->env.clock, 10000);
    create(b, 7, "018f0000-0000-7000-8000-000000000007", &item);
    clock_wait_ms(b->env.clock, 60000);
    request.mode = LIST_CHANGED;
    list_to_the_end(b, &request, &pages, item.remote_id, &found);
    assert_true(found);
}

static void test_listings_miss_nothing(void **state)
{
    (void)state;
    each_subject(lists_everything_once, 0);
}

static int64_t calls_so_far(struct bench *b)
{
    struct http_request request = {.method = HTTP_GET, .url = STR("/__sim/stats")};
    struct http_response response = {0};
    json_t *stats = NULL;

    simulator_handle(b->simulator, &request, &response);
    assert_int_equal(jx_parse(&b->arena, arena_str(&b->arena, response.body), &stats, &b->err), OK);
    http_response_fini(&response);
    return json_integer_value(jx_get(stats, "calls_total"));
}

/* A plan shows these numbers: they are what the CRM counts, when nothing goes wrong. */
static void foretells_calls(struct bench *b)
{
    struct write_item items[3], more;
    struct remove_item removals[3] = {0};
    int64_t before;

    if (!b->adapter->upsert_calls || !b->adapter->remove_calls) {
        return;
    }
    create(b, 90, "018f0000-0000-7000-8000-000000000090", &more); /* definitions are read */
    for (int i = 0; i < 3; i++) {
        items[i] =
            (struct write_item){.correlation_key = arena_printf(
                                    &b->arena, "018f0000-0000-7000-8000-00000000009%d", 1 + i),
                                .props = props_of(b, 91 + i)};
    }
    before = calls_so_far(b) + b->adapter->upsert_calls(b->subject->kind, items, 3);
    assert_int_equal(b->adapter->upsert(b->session, b->subject->kind, &b->arena, items, 3, &b->err),
                     OK);
    assert_int_equal(calls_so_far(b), before);
    for (int i = 0; i < 3; i++) {
        struct remote_page page = {0};
        struct str id = items[i].remote_id;

        fetch_one(b, id, &page);
        removals[i].remote_id = id;
        items[i] =
            (struct write_item){.remote_id = id,
                                .props = jx_own(&b->arena, json_loads(b->subject->update, 0, NULL)),
                                .current = page.records[0].props};
    }
    before = calls_so_far(b) + b->adapter->upsert_calls(b->subject->kind, items, 3);
    assert_int_equal(b->adapter->upsert(b->session, b->subject->kind, &b->arena, items, 3, &b->err),
                     OK);
    assert_int_equal(calls_so_far(b), before);
    before = calls_so_far(b) + b->adapter->remove_calls(b->subject->kind, removals, 3);
    assert_int_equal(b->adapter->remove(b->session, b->subject->kind, removals, 3, &b->err), OK);
    assert_int_equal(calls_so_far(b), before);
}

static void test_the_calls_of_writes_are_foretold(void **state)
{
    (void)state;
    each_subject(foretells_calls, 0);
}

static void ask(struct bench *b, const char *path, const char *body)
{
    struct http_request request = {.method = HTTP_POST, .url = str_of(path), .body = str_of(body)};
    struct http_response response = {0};

    simulator_handle(b->simulator, &request, &response);
    assert_int_equal(response.status / 100, 2);
    http_response_fini(&response);
}

/* A fault may cost an error or a repeat, never a wrong outcome. */
static void survives_faults(struct bench *b)
{
    static const char *const FAULTS[] = {"throttle", "server_error", "timeout_after_apply",
                                         "truncate", "wrong_type",   "reset",
                                         "html",     "slow"};

    for (size_t f = 0; f < COUNT_OF(FAULTS); f++) {
        char schedule[256], key[64];
        struct write_item item;
        struct remote_page page = {0};
        enum fail failed;

        snprintf(schedule, sizeof schedule,
                 "{\"seed\":3,\"rules\":[{\"fault\":\"%s\",\"from_call\":1,\"count\":1}]}",
                 FAULTS[f]);
        snprintf(key, sizeof key, "018f0000-0000-7000-8000-0000000001%02zu", f);
        ask(b, "/__sim/faults", schedule);
        item =
            (struct write_item){.correlation_key = str_of(key), .props = props_of(b, 100 + (int)f)};
        failed = b->adapter->upsert(b->session, b->subject->kind, &b->arena, &item, 1, &b->err);
        ask(b, "/__sim/faults", "{}");
        clock_wait_ms(b->env.clock, 31 * 60 * 1000); /* past every penalty and the breaker */

        struct str value = str_of(key);
        const json_t *sent = item.props;
        struct find_request request = {.kind = b->subject->kind,
                                       .property = ADAPTER_CORRELATION,
                                       .values = &value,
                                       .values_count = 1,
                                       .properties = b->properties,
                                       .properties_count = b->properties_count,
                                       .since_ms = clock_wall_ms(b->env.clock) - 40 * 60 * 1000,
                                       .sent = b->traits & OBJECT_NO_KEY ? &sent : NULL};
        if (b->adapter->find(b->session, &request, &b->arena, &page, &b->err) != OK) {
            fail_msg("%s: %s", FAULTS[f], b->err.message);
        }
        print_message("    %s: result %s, outcome %d, at the CRM %zu\n", FAULTS[f],
                      fail_name(failed), (int)item.outcome, page.count);
        assert_true(page.count <= 1);
        if (item.outcome == WRITE_DONE) {
            assert_int_equal(page.count, 1);
        }
        if (item.outcome == WRITE_REFUSED || item.outcome == WRITE_PENDING) {
            assert_int_equal(page.count, 0);
        }
    }
}

static void test_faults_never_give_a_wrong_outcome(void **state)
{
    (void)state;
    each_subject(survives_faults, 0);
}

static void refuses_a_wrong_token(struct bench *b)
{
    struct account_facts facts = {0};
    struct session *session;
    AUTO_SECRET struct secret wrong = {0};
    struct account account = {
        .connection = "wrong", .base_url = STR("https://crm.sim.example"), .token = &wrong};

    secret_set(&wrong, STR("not-the-token"));
    assert_int_equal(b->adapter->open(&b->env, b->client, &account, &session, &b->err), OK);
    assert_int_equal(b->adapter->check(session, &b->arena, &facts, &b->err), FAIL_AUTH);
    assert_true(b->err.hint[0] != '\0');
    assert_null(strstr(b->err.message, "not-the-token"));
    b->adapter->close(session);
}

static void test_a_wrong_token_is_an_auth_failure_with_a_hint(void **state)
{
    (void)state;
    each_adapter(refuses_a_wrong_token, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_names_the_account),
        cmocka_unit_test(test_setup_is_idempotent),
        cmocka_unit_test(test_describe_lists_writable_properties),
        cmocka_unit_test(test_create_read_update_remove),
        cmocka_unit_test(test_a_lost_create_is_found_by_its_key_at_once),
        cmocka_unit_test(test_listings_miss_nothing),
        cmocka_unit_test(test_the_calls_of_writes_are_foretold),
        cmocka_unit_test(test_faults_never_give_a_wrong_outcome),
        cmocka_unit_test(test_a_wrong_token_is_an_auth_failure_with_a_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
