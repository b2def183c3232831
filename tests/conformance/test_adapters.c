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

/* How a contact looks at each CRM, in the CRM's own words. */
static const struct subject {
    const char *name;
    simulator_new_fn *simulator;
    const char *create, *update, *read_property, *created_text, *updated_text;
} SUBJECTS[] = {
    {"hubspot", simulator_hubspot_new,
     "{\"email\":\"grace%d@hopper.example\",\"firstname\":\"Grace\",\"lastname\":\"H%d\"}",
     "{\"lastname\":\"Murray\"}", "lastname", "H1", "Murray"},
    {"pipedrive", simulator_pipedrive_new,
     "{\"emails\":[{\"value\":\"grace%d@hopper.example\",\"primary\":true,\"label\":\"work\"}],"
     "\"first_name\":\"Grace\",\"last_name\":\"H%d\"}",
     "{\"last_name\":\"Murray\"}", "last_name", "H1", "Murray"},
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
};

static const struct subject *subject_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(SUBJECTS); i++) {
        if (strcmp(SUBJECTS[i].name, name) == 0) {
            return &SUBJECTS[i];
        }
    }
    return NULL;
}

static void bench_open(struct bench *b, const struct adapter *adapter, int records)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    static const char *const KINDS[] = {"company", "contact"};
    struct setup_report report = {0};
    struct account account = {
        .connection = "test", .base_url = STR("https://crm.sim.example"), .token = &b->token};

    *b = (struct bench){.subject = subject_of(adapter->name), .adapter = adapter};
    assert_non_null(b->subject); /* an adapter without a simulator is not taken */
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
    assert_int_equal(
        adapter->ensure_setup(b->session,
                              &(const struct setup_request){.kinds = KINDS, .kinds_count = 2},
                              &report, &b->err),
        OK);
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

static void each_adapter(void (*test)(struct bench *b), int records)
{
    for (size_t i = 0; adapters[i]; i++) {
        struct bench b;

        print_message("  %s\n", adapters[i]->name);
        bench_open(&b, adapters[i], records);
        test(&b);
        bench_close(&b);
    }
}

static json_t *contact(struct bench *b, int number)
{
    char text[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, b->subject->create, number, number);
#pragma GCC diagnostic pop
    return jx_own(&b->arena, json_loads(text, 0, NULL));
}

static const struct str READ[] = {{.at = "firstname", .len = 9},
                                  {.at = "lastname", .len = 8},
                                  {.at = "first_name", .len = 10},
                                  {.at = "last_name", .len = 9}};

/* Properties that this CRM has. */
static const struct str *read_properties(const struct bench *b)
{
    return strcmp(b->subject->name, "hubspot") == 0 ? READ : READ + 2;
}

static void create(struct bench *b, int number, const char *key, struct write_item *ret)
{
    *ret = (struct write_item){.correlation_key = str_of(key), .props = contact(b, number)};
    assert_int_equal(b->adapter->upsert(b->session, "contact", &b->arena, ret, 1, &b->err), OK);
}

static void fetch_one(struct bench *b, struct str id, struct remote_page *ret)
{
    struct fetch_request request = {.kind = "contact",
                                    .properties = read_properties(b),
                                    .properties_count = 2,
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
    static const char *const KINDS[] = {"company", "contact"};
    struct setup_report report = {0};

    assert_int_equal(
        b->adapter->ensure_setup(b->session,
                                 &(const struct setup_request){.kinds = KINDS, .kinds_count = 2},
                                 &report, &b->err),
        OK);
    assert_int_equal(report.created, 0);
    assert_int_equal(report.present, 2);
}

static void test_setup_is_idempotent(void **state)
{
    (void)state;
    each_adapter(sets_up_twice, 0);
}

static void describes(struct bench *b)
{
    struct remote_schema schema = {0};
    bool found = false;

    assert_int_equal(b->adapter->describe(b->session, "contact", &b->arena, &schema, &b->err), OK);
    for (size_t i = 0; i < schema.count; i++) {
        found = found || (str_equal(schema.properties[i].name, str_of(b->subject->read_property)) &&
                          schema.properties[i].is_writable);
    }
    assert_true(found);
}

static void test_describe_lists_writable_properties(void **state)
{
    (void)state;
    each_adapter(describes, 0);
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
    assert_true(
        str_equal(page.records[0].correlation_key, STR("018f0000-0000-7000-8000-000000000001")));
    assert_string_equal(
        json_string_value(json_object_get(page.records[0].props, b->subject->read_property)),
        b->subject->created_text);

    struct write_item update = {.remote_id = item.remote_id,
                                .props =
                                    jx_own(&b->arena, json_loads(b->subject->update, 0, NULL))};
    assert_int_equal(b->adapter->upsert(b->session, "contact", &b->arena, &update, 1, &b->err), OK);
    assert_int_equal(update.outcome, WRITE_DONE);
    fetch_one(b, item.remote_id, &page);
    assert_string_equal(
        json_string_value(json_object_get(page.records[0].props, b->subject->read_property)),
        b->subject->updated_text);

    for (int twice = 0; twice < 2; twice++) { /* gone already counts as done */
        removal = (struct remove_item){.remote_id = item.remote_id};
        assert_int_equal(b->adapter->remove(b->session, "contact", &removal, 1, &b->err), OK);
        assert_int_equal(removal.outcome, WRITE_DONE);
    }
    fetch_one(b, item.remote_id, &page);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_GONE);
}

static void test_create_read_update_remove(void **state)
{
    (void)state;
    each_adapter(creates_reads_updates_removes, 0);
}

static void finds_by_key(struct bench *b)
{
    struct str keys[] = {STR("018f0000-0000-7000-8000-00000000000a"),
                         STR("018f0000-0000-7000-8000-00000000000b")};
    struct find_request request = {.kind = "contact",
                                   .property = ADAPTER_CORRELATION,
                                   .values = keys,
                                   .values_count = 2,
                                   .properties = read_properties(b),
                                   .properties_count = 2,
                                   .since_ms = clock_wall_ms(b->env.clock) - 60000};
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
    each_adapter(finds_by_key, 3);
}

static void lists_everything_once(struct bench *b)
{
    struct list_request request = {.kind = "contact",
                                   .mode = LIST_ALL,
                                   .properties = read_properties(b),
                                   .properties_count = 2,
                                   .cursor = STR("")};
    char *seen = calloc(4096, 1);
    size_t total = 0, pages = 0;
    bool more = true;
    struct remote_page page = {0};

    while (more) {
        page = (struct remote_page){0};
        assert_int_equal(b->adapter->list(b->session, &request, &b->arena, &page, &b->err), OK);
        total += page.count;
        pages++;
        more = page.has_more;
        request.cursor = page.cursor;
        assert_true(page.cursor.len < ADAPTER_CURSOR_BYTES_MAX);
    }
    free(seen);
    assert_int_equal(total, 230);
    assert_true(pages <= 3);

    /* A change made since the scan began is in the next listing of changes. */
    struct write_item item;
    clock_wait_ms(b->env.clock, 10000);
    create(b, 7, "018f0000-0000-7000-8000-000000000007", &item);
    clock_wait_ms(b->env.clock, 60000);
    request.mode = LIST_CHANGED;
    bool found = false;
    for (more = true; more;) {
        page = (struct remote_page){0};
        assert_int_equal(b->adapter->list(b->session, &request, &b->arena, &page, &b->err), OK);
        for (size_t i = 0; i < page.count; i++) {
            found = found || str_equal(page.records[i].remote_id, item.remote_id);
        }
        more = page.has_more;
        request.cursor = page.cursor;
    }
    assert_true(found);
}

static void test_listings_miss_nothing(void **state)
{
    (void)state;
    each_adapter(lists_everything_once, 230);
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
            (struct write_item){.correlation_key = str_of(key), .props = contact(b, 100 + (int)f)};
        failed = b->adapter->upsert(b->session, "contact", &b->arena, &item, 1, &b->err);
        ask(b, "/__sim/faults", "{}");
        clock_wait_ms(b->env.clock, 31 * 60 * 1000); /* past every penalty and the breaker */

        struct str value = str_of(key);
        struct find_request request = {.kind = "contact",
                                       .property = ADAPTER_CORRELATION,
                                       .values = &value,
                                       .values_count = 1,
                                       .properties = read_properties(b),
                                       .properties_count = 2,
                                       .since_ms = clock_wall_ms(b->env.clock) - 40 * 60 * 1000};
        assert_int_equal(b->adapter->find(b->session, &request, &b->arena, &page, &b->err), OK);
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
    each_adapter(survives_faults, 0);
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
        cmocka_unit_test(test_faults_never_give_a_wrong_outcome),
        cmocka_unit_test(test_a_wrong_token_is_an_auth_failure_with_a_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
