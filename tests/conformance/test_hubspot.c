/* The HubSpot adapter against the HubSpot simulator, in what the common suite cannot know: links in
 * the fewest calls, stages and outcomes of deals, five objects as one kind, properties made there. */
#include <inttypes.h>
#include <stdio.h>
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
static const char *const KINDS[] = {"company", "contact", "deal", "ticket", "activity"};

struct bench {
    const struct adapter *adapter;
    struct env env;
    struct simulator *simulator;
    struct http_client *client;
    struct session *session;
    struct secret token;
    struct arena arena;
    struct error err;
    int keys; /* given out */
};

static void open_session(struct bench *b, const struct adapter_object *objects, size_t count)
{
    struct account account = {.connection = "test",
                              .base_url = STR("https://crm.sim.example"),
                              .token = &b->token,
                              .objects = objects,
                              .objects_count = count};

    if (b->session) {
        b->adapter->close(b->session);
    }
    assert_int_equal(b->adapter->open(&b->env, b->client, &account, &b->session, &b->err), OK);
}

static void bench_open(struct bench *b)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    struct setup_request request = {.kinds = KINDS, .kinds_count = COUNT_OF(KINDS)};
    struct setup_report report = {0};

    *b = (struct bench){.adapter = adapter_by_name(STR("hubspot"))};
    b->env = (struct env){.clock = clock_new_virtual(BEGIN_MS), .random = random_new_seeded(1)};
    assert_int_equal(simulator_hubspot_new(
                         &b->env, &(const struct simulator_options){.seed = 4, .no_limits = true},
                         &b->simulator, &b->err),
                     OK);
    b->env.transport = transport_new_mounted(b->env.clock, 5);
    transport_mount(b->env.transport, "crm.sim.example", simulator_handle, b->simulator);
    b->client = http_client_new(&b->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&b->token, str_of(simulator_token(b->simulator)));
    open_session(b, NULL, 0);
    assert_int_equal(b->adapter->ensure_setup(b->session, &request, &report, &b->err), OK);
    assert_int_equal(report.created, 9); /* four objects and five of activities */
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

static json_t *props(struct bench *b, const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);

    assert_non_null(tree);
    return jx_own(&b->arena, tree);
}

/* Straight to the simulator, past the adapter. */
static json_t *ask(struct bench *b, enum http_method method, const char *path, const char *body)
{
    struct str authorization =
        arena_printf(&b->arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&b->token)));
    struct http_request request = {.method = method, .url = str_of(path), .body = str_of(body)};
    struct http_response response = {0};
    json_t *tree = NULL;

    http_header_add(&request.headers, STR("Authorization"), authorization);
    http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    simulator_handle(b->simulator, &request, &response);
    if (response.status / 100 != 2) {
        fail_msg("%s answered %d: %.*s", path, response.status, (int)response.body.len,
                 response.body.at);
    }
    if (response.body.len) {
        assert_int_equal(jx_parse(&b->arena, arena_str(&b->arena, response.body), &tree, &b->err),
                         OK);
    }
    http_response_fini(&response);
    return tree;
}

static int64_t calls_so_far(struct bench *b)
{
    return json_integer_value(jx_get(ask(b, HTTP_GET, "/__sim/stats", ""), "calls_total"));
}

static struct write_item item_of(struct bench *b, const char *text)
{
    return (struct write_item){
        .correlation_key = arena_printf(&b->arena, "018f0000-0000-7000-8000-%012d", ++b->keys),
        .props = props(b, text)};
}

/* Sends and holds the number of calls against what was foretold. */
static void send(struct bench *b, const char *kind, struct write_item *items, size_t count)
{
    int64_t foretold = b->adapter->upsert_calls(kind, items, count), before = calls_so_far(b);

    assert_int_equal(b->adapter->upsert(b->session, kind, &b->arena, items, count, &b->err), OK);
    assert_int_equal(calls_so_far(b) - before, foretold);
}

static struct str create(struct bench *b, const char *kind, const char *text)
{
    struct write_item item = item_of(b, text);

    assert_int_equal(b->adapter->upsert(b->session, kind, &b->arena, &item, 1, &b->err), OK);
    if (item.outcome != WRITE_DONE) {
        fail_msg("%s", item.error.message);
    }
    return item.remote_id;
}

static const struct str READ[] = {
    {.at = "associations.contacts", .len = 21},
    {.at = "associations.company", .len = 20},
    {.at = "associations.deal", .len = 17},
    {.at = "hubspot_owner_id", .len = 16},
    {.at = "deal.stage", .len = 10},
    {.at = "deal.status", .len = 11},
    {.at = "dealname", .len = 8},
};
static const struct str READ_ACTIVITY[] = {
    {.at = "associations.contacts", .len = 21}, {.at = "associations.company", .len = 20},
    {.at = "associations.deal", .len = 17},     {.at = "activity.type", .len = 13},
    {.at = "activity.subject", .len = 16},      {.at = "activity.body", .len = 13},
    {.at = "activity.timestamp", .len = 18},    {.at = "activity.done", .len = 13},
};

static struct remote_page fetch(struct bench *b, const char *kind, const struct str *ids,
                                size_t count, bool with_times)
{
    bool is_activity = strcmp(kind, "activity") == 0, is_deal = strcmp(kind, "deal") == 0;
    struct fetch_request request = {.kind = kind,
                                    .properties = is_activity ? READ_ACTIVITY : READ,
                                    .properties_count = is_activity ? COUNT_OF(READ_ACTIVITY)
                                                        : is_deal   ? COUNT_OF(READ)
                                                                    : 4,
                                    .remote_ids = ids,
                                    .remote_ids_count = count,
                                    .with_times = with_times};
    struct remote_page page = {0};

    assert_int_equal(b->adapter->fetch_many(b->session, &request, &b->arena, &page, &b->err), OK);
    return page;
}

static json_t *now(struct bench *b, const char *kind, struct str id)
{
    struct remote_page page = fetch(b, kind, &id, 1, false);

    assert_int_equal(page.count, 1);
    assert_int_equal(page.records[0].state, REMOTE_LIVE);
    return page.records[0].props;
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

static void update(struct bench *b, const char *kind, struct str id, const char *text,
                   struct write_item *ret)
{
    *ret =
        (struct write_item){.remote_id = id, .props = props(b, text), .current = now(b, kind, id)};
    send(b, kind, ret, 1);
}

static char *linked(struct bench *b, const char *form, struct str x, struct str y)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 512);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    buf_addf(&text, form, STR_ARG(x), STR_ARG(y));
#pragma GCC diagnostic pop
    return arena_cstr(&b->arena, buf_str(&text));
}

/* --- links ------------------------------------------------------------------------------------ */

static void assert_contacts(const json_t *tree, struct str x, struct str y)
{
    const json_t *list = json_object_get(tree, "associations.contacts");

    assert_int_equal(json_array_size(list), 2);
    assert_true(str_equal(jx_text_of(json_array_get(list, 0)), x));
    assert_true(str_equal(jx_text_of(json_array_get(list, 1)), y));
}

static void test_links_of_a_deal_change_by_their_differences(void **state)
{
    struct bench b;
    struct str one, two, three, mill, yard, deal;
    struct write_item item;

    (void)state;
    bench_open(&b);
    one = create(&b, "contact", "{\"email\":\"one@a.example\"}");
    two = create(&b, "contact", "{\"email\":\"two@a.example\"}");
    three = create(&b, "contact", "{\"email\":\"three@a.example\"}");
    mill = create(&b, "company", "{\"name\":\"Mill\"}");
    yard = create(&b, "company", "{\"name\":\"Yard\"}");
    deal = create(&b, "deal", "{\"dealname\":\"first\"}"); /* pipelines are read */
    assert_text(now(&b, "deal", deal), "deal.stage", "appointmentscheduled");

    item = item_of(&b, linked(&b,
                              "{\"dealname\":\"Roof\",\"associations.contacts\":[\"%.*s\","
                              "\"%.*s\"],\"associations.company\":null}",
                              one, two));
    send(&b, "deal", &item, 1);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_contacts(item.returned.props, one, two);
    deal = item.remote_id;
    assert_contacts(now(&b, "deal", deal), one, two);
    assert_true(json_is_null(json_object_get(now(&b, "deal", deal), "associations.company")));

    update(&b, "deal", deal,
           linked(&b, "{\"associations.contacts\":[\"%.*s\",\"%.*s\"]}", two, three), &item);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_contacts(now(&b, "deal", deal), two, three);
    update(&b, "deal", deal,
           linked(&b, "{\"associations.contacts\":[\"%.*s\",\"%.*s\"]}", three, two), &item);
    assert_int_equal(item.outcome, WRITE_DONE); /* the order is nothing to write */

    update(&b, "deal", deal, linked(&b, "{\"associations.company\":\"%.*s\"}", yard, STR("")),
           &item);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_text(now(&b, "deal", deal), "associations.company", yard.at);
    update(&b, "deal", deal, linked(&b, "{\"associations.company\":\"%.*s\"}", mill, STR("")),
           &item);
    assert_text(now(&b, "deal", deal), "associations.company", mill.at);
    update(&b, "deal", deal,
           linked(&b, "{\"associations.company\":null,\"dealname\":\"Wall\"}", STR(""), STR("")),
           &item);
    assert_text(now(&b, "deal", deal), "dealname", "Wall");
    assert_text(now(&b, "deal", deal), "associations.company", yard.at); /* was linked before */
    bench_close(&b);
}

static void test_links_nobody_told_are_read_and_bad_ones_refused_alone(void **state)
{
    struct bench b;
    struct str one, deal;
    struct write_item item;

    (void)state;
    bench_open(&b);
    one = create(&b, "contact", "{\"email\":\"one@a.example\"}");
    deal = create(
        &b, "deal",
        linked(&b, "{\"dealname\":\"Roof\",\"associations.contacts\":[\"%.*s\"]}", one, STR("")));
    item = (struct write_item){.remote_id = deal,
                               .props = props(&b, "{\"associations.contacts\":[]}")};
    assert_int_equal(b.adapter->upsert(b.session, "deal", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_int_equal(
        json_array_size(json_object_get(now(&b, "deal", deal), "associations.contacts")), 0);

    item = (struct write_item){
        .remote_id = deal,
        .props = props(
            &b, linked(&b, "{\"associations.contacts\":[\"%.*s\",\"999999\"]}", one, STR(""))),
        .current = now(&b, "deal", deal)};
    assert_int_equal(b.adapter->upsert(b.session, "deal", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_REFUSED);
    assert_non_null(strstr(item.error.message, "999999"));
    assert_int_equal(
        json_array_size(json_object_get(now(&b, "deal", deal), "associations.contacts")), 1);
    bench_close(&b);
}

static void test_many_deals_with_many_contacts_take_the_fewest_calls(void **state)
{
    enum { DEALS = 250 };
    struct bench b;
    struct str one, two;
    struct write_item *items;
    struct str ids[DEALS];
    int64_t before;

    (void)state;
    bench_open(&b);
    one = create(&b, "contact", "{\"email\":\"one@a.example\"}");
    two = create(&b, "contact", "{\"email\":\"two@a.example\"}");
    create(&b, "deal", "{\"dealname\":\"first\"}"); /* pipelines are read */
    items = ARENA_ARRAY(&b.arena, struct write_item, DEALS);
    for (size_t i = 0; i < DEALS; i++) {
        items[i] = item_of(
            &b, linked(&b, "{\"dealname\":\"Roof\",\"associations.contacts\":[\"%.*s\",\"%.*s\"]}",
                       one, two));
    }
    before = calls_so_far(&b);
    send(&b, "deal", items, DEALS);
    assert_int_equal(calls_so_far(&b) - before, 3 + 1); /* 500 links are one call */
    for (size_t i = 0; i < DEALS; i++) {
        assert_int_equal(items[i].outcome, WRITE_DONE);
        ids[i] = items[i].remote_id;
    }
    before = calls_so_far(&b);
    assert_int_equal(fetch(&b, "deal", ids, DEALS, false).count, DEALS);
    assert_int_equal(calls_so_far(&b) - before, 3 + 3); /* and a call for each pair of objects */
    bench_close(&b);
}

/* --- stages ----------------------------------------------------------------------------------- */

static void assert_stage(struct bench *b, struct str deal, const char *stage, const char *status,
                         const char *dealstage)
{
    const json_t *tree = now(b, "deal", deal);

    assert_text(tree, "deal.stage", stage);
    assert_text(tree, "deal.status", status);
    assert_text(tree, "dealstage", dealstage);
}

static void test_stage_and_status_of_a_deal_are_one_property_there(void **state)
{
    struct bench b;
    struct str deal;
    struct write_item item;

    (void)state;
    bench_open(&b);
    deal =
        create(&b, "deal",
               "{\"dealname\":\"Roof\",\"deal.stage\":\"contractsent\",\"deal.status\":\"open\"}");
    assert_stage(&b, deal, "contractsent", "open", "contractsent");
    update(&b, "deal", deal, "{\"deal.status\":\"won\"}", &item);
    assert_text(item.returned.props, "deal.status", "won");
    assert_stage(&b, deal, NULL, "won", "closedwon");
    update(&b, "deal", deal, "{\"deal.status\":\"lost\",\"deal.stage\":\"contractsent\"}", &item);
    assert_stage(&b, deal, NULL, "lost", "closedlost");
    update(&b, "deal", deal, "{\"deal.stage\":\"qualifiedtobuy\"}", &item); /* stays lost */
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_stage(&b, deal, NULL, "lost", "closedlost");
    update(&b, "deal", deal, "{\"deal.status\":\"open\",\"deal.stage\":\"qualifiedtobuy\"}", &item);
    assert_stage(&b, deal, "qualifiedtobuy", "open", "qualifiedtobuy");

    item = (struct write_item){.remote_id = deal, .props = props(&b, "{\"deal.status\":\"won\"}")};
    send(&b, "deal", &item, 1); /* current is not told: it is read */
    assert_stage(&b, deal, NULL, "won", "closedwon");
    item =
        (struct write_item){.remote_id = deal, .props = props(&b, "{\"deal.stage\":\"nowhere\"}")};
    assert_int_equal(b.adapter->upsert(b.session, "deal", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_REFUSED);
    assert_non_null(strstr(item.error.message, "stage"));
    assert_null(json_object_get(item.props, "dealstage")); /* the caller's are as they were */
    bench_close(&b);
}

static void test_a_stage_made_meanwhile_is_known(void **state)
{
    struct bench b;
    struct str deal;
    struct write_item item;

    (void)state;
    bench_open(&b);
    deal = create(&b, "deal", "{\"dealname\":\"Roof\",\"deal.stage\":\"contractsent\"}");
    ask(&b, HTTP_POST, "/__sim/schema",
        "{\"object\":\"deals\",\"property\":\"dealstage\",\"change\":\"add_option\","
        "\"option\":\"pilot\",\"label\":\"Pilot\"}");
    update(&b, "deal", deal, "{\"dealname\":\"Wall\"}", &item);
    item = (struct write_item){.remote_id = deal,
                               .props = props(&b, "{\"deal.stage\":\"pilot\"}"),
                               .current = now(&b, "deal", deal)};
    assert_int_equal(b.adapter->upsert(b.session, "deal", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_text(now(&b, "deal", deal), "dealstage", "pilot");
    bench_close(&b);
}

/* --- activities ------------------------------------------------------------------------------- */

static const char *const TYPES[] = {"call", "email", "meeting", "note", "task"};

static void create_five(struct bench *b, struct str contact, struct str deal,
                        struct write_item *ret)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        struct str text = arena_printf(
            &b->arena,
            "{\"activity.type\":\"%s\",\"activity.subject\":\"About %s\",\"activity.body\":"
            "\"<p>Roof</p>\",\"activity.timestamp\":\"2026-06-01T08:00:00Z\",\"activity.done\":"
            "false,\"associations.contacts\":[\"%" PRI_STR "\"],\"associations.deal\":\"%" PRI_STR
            "\"}",
            TYPES[i], TYPES[i], STR_ARG(contact), STR_ARG(deal));

        ret[i] = item_of(b, text.at);
    }
    send(b, "activity", ret, COUNT_OF(TYPES));
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        assert_int_equal(ret[i].outcome, WRITE_DONE);
    }
}

static void test_five_objects_are_one_kind(void **state)
{
    struct bench b;
    struct write_item items[COUNT_OF(TYPES)], item;
    struct str contact, deal, other;

    (void)state;
    bench_open(&b);
    contact = create(&b, "contact", "{\"email\":\"one@a.example\"}");
    deal = create(&b, "deal", "{\"dealname\":\"Roof\"}");
    create_five(&b, contact, deal, items);
    assert_true(str_starts(items[0].remote_id, STR("calls:")));
    assert_true(str_starts(items[4].remote_id, STR("tasks:")));
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        const json_t *tree = now(&b, "activity", items[i].remote_id);
        bool is_note = strcmp(TYPES[i], "note") == 0;
        const json_t *done = json_object_get(tree, "activity.done");

        assert_text(tree, "activity.type", TYPES[i]);
        assert_text(tree, "activity.subject",
                    is_note ? NULL : arena_printf(&b.arena, "About %s", TYPES[i]).at);
        assert_text(tree, "activity.body", "<p>Roof</p>");
        assert_true(str_starts(jx_text_of(json_object_get(tree, "activity.timestamp")),
                               STR("2026-06-01T08:00:00")));
        assert_text(tree, "associations.deal", deal.at);
        assert_int_equal(json_array_size(json_object_get(tree, "associations.contacts")), 1);
        if (i < 2) {
            assert_true(json_is_true(done)); /* took place */
            assert_true(json_is_true(json_object_get(items[i].returned.props, "activity.done")));
        } else {
            assert_true(i == 4 ? json_is_false(done) : !done);
        }
    }
    update(&b, "activity", items[4].remote_id, "{\"activity.done\":true}", &item);
    assert_true(
        json_is_true(json_object_get(now(&b, "activity", items[4].remote_id), "activity.done")));
    other = create(&b, "deal", "{\"dealname\":\"Wall\"}"); /* of a higher number */
    update(&b, "activity", items[4].remote_id,
           linked(&b, "{\"associations.deal\":\"%.*s\"}", other, STR("")), &item);
    assert_text(now(&b, "activity", items[4].remote_id), "associations.deal", other.at);
    update(&b, "activity", items[0].remote_id, "{\"activity.done\":false}", &item);
    assert_true(json_is_true(json_object_get(item.returned.props, "activity.done")));
    update(&b, "activity", items[3].remote_id, "{\"activity.body\":\"<p>Wall</p>\"}", &item);
    assert_text(item.returned.props, "activity.body", "<p>Wall</p>");
    update(&b, "activity", items[2].remote_id,
           "{\"activity.type\":\"meeting\",\"associations.deal\":null}", &item);
    assert_true(json_is_null(
        json_object_get(now(&b, "activity", items[2].remote_id), "associations.deal")));
    bench_close(&b);
}

static void test_a_type_cannot_change_and_must_be_known(void **state)
{
    struct bench b;
    struct write_item items[2];

    (void)state;
    bench_open(&b);
    items[0] = (struct write_item){
        .remote_id = create(&b, "activity", "{\"activity.type\":\"note\",\"activity.body\":\"x\"}"),
        .props = props(&b, "{\"activity.type\":\"call\"}")};
    items[1] = item_of(&b, "{\"activity.type\":\"fax\"}");
    assert_int_equal(b.adapter->upsert(b.session, "activity", &b.arena, items, 2, &b.err), OK);
    assert_int_equal(items[0].outcome, WRITE_REFUSED);
    assert_non_null(strstr(items[0].error.message, "type cannot change"));
    assert_int_equal(items[1].outcome, WRITE_REFUSED);
    assert_true(items[1].error.hint[0] != '\0');
    bench_close(&b);
}

static void test_an_activity_is_made_without_the_link_that_cannot_be(void **state)
{
    struct bench b;
    struct str one;
    struct write_item item;
    const json_t *tree;

    (void)state;
    bench_open(&b);
    one = create(&b, "contact", "{\"email\":\"one@a.example\"}");
    item = item_of(&b, linked(&b,
                              "{\"activity.type\":\"task\",\"activity.subject\":\"Ring\","
                              "\"associations.contacts\":[\"%.*s\"],\"associations.deal\":"
                              "\"999999\"}",
                              one, STR("")));
    assert_int_equal(b.adapter->upsert(b.session, "activity", &b.arena, &item, 1, &b.err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
    assert_null(json_object_get(item.returned.props, "associations.deal"));
    assert_non_null(json_object_get(item.returned.props, "associations.contacts"));
    tree = now(&b, "activity", item.remote_id);
    assert_int_equal(json_array_size(json_object_get(tree, "associations.contacts")), 1);
    assert_true(json_is_null(json_object_get(tree, "associations.deal")));
    bench_close(&b);
}

/* Ids of a whole listing in one of the modes; the cursor moves on. */
static size_t list_all(struct bench *b, enum list_mode mode, struct str *cursor, struct str *ids,
                       enum remote_state wanted)
{
    struct list_request request = {.kind = "activity",
                                   .mode = mode,
                                   .properties = READ_ACTIVITY,
                                   .properties_count = COUNT_OF(READ_ACTIVITY),
                                   .cursor = *cursor};
    struct remote_page page;
    size_t count = 0;

    do {
        page = (struct remote_page){0};
        assert_int_equal(b->adapter->list(b->session, &request, &b->arena, &page, &b->err), OK);
        for (size_t i = 0; i < page.count; i++) {
            assert_int_equal(page.records[i].state, wanted);
            if (wanted == REMOTE_LIVE) {
                assert_non_null(json_object_get(page.records[i].props, "associations.contacts"));
            }
            ids[count++] = page.records[i].remote_id;
        }
        request.cursor = page.cursor;
    } while (page.has_more);
    *cursor = page.cursor;
    return count;
}

static void test_listings_of_the_compound_kind_go_through_all_five(void **state)
{
    struct bench b;
    struct write_item items[COUNT_OF(TYPES)], item;
    struct remove_item removals[2];
    struct str all = STR(""), deleted = STR(""), ids[64];
    int64_t before;

    (void)state;
    bench_open(&b);
    create_five(&b, create(&b, "contact", "{\"email\":\"one@a.example\"}"),
                create(&b, "deal", "{\"dealname\":\"Roof\"}"), items);
    before = calls_so_far(&b);
    assert_int_equal(list_all(&b, LIST_ALL, &all, ids, REMOTE_LIVE), 5);
    assert_int_equal(calls_so_far(&b) - before, 5); /* links stand in the rows */
    clock_wait_ms(b.env.clock, 20 * 60 * 1000);
    assert_int_equal(list_all(&b, LIST_CHANGED, &all, ids, REMOTE_LIVE), 5); /* the overlap */
    before = calls_so_far(&b);
    assert_int_equal(list_all(&b, LIST_CHANGED, &all, ids, REMOTE_LIVE), 0);
    assert_int_equal(calls_so_far(&b) - before, 5); /* one search for each object */
    update(&b, "activity", items[1].remote_id, "{\"activity.subject\":\"Other\"}", &item);
    clock_wait_ms(b.env.clock, 60 * 1000);
    assert_int_equal(list_all(&b, LIST_CHANGED, &all, ids, REMOTE_LIVE), 1);
    assert_true(str_equal(ids[0], items[1].remote_id));

    assert_int_equal(list_all(&b, LIST_DELETED, &deleted, ids, REMOTE_GONE), 0);
    removals[0] = (struct remove_item){.remote_id = items[0].remote_id};
    removals[1] = (struct remove_item){.remote_id = items[4].remote_id};
    before = calls_so_far(&b);
    assert_int_equal(b.adapter->remove(b.session, "activity", removals, 2, &b.err), OK);
    assert_int_equal(calls_so_far(&b) - before, b.adapter->remove_calls("activity", removals, 2));
    assert_int_equal(list_all(&b, LIST_DELETED, &deleted, ids, REMOTE_GONE), 2);
    assert_true(str_equal(ids[0], items[0].remote_id));
    assert_int_equal(fetch(&b, "activity", ids, 2, false).records[1].state, REMOTE_GONE);
    bench_close(&b);
}

static void test_times_are_those_of_the_properties_behind(void **state)
{
    struct bench b;
    struct write_item item;
    struct remote_page page;
    struct str task, deal;
    int64_t made_ms;

    (void)state;
    bench_open(&b);
    task = create(&b, "activity",
                  "{\"activity.type\":\"task\",\"activity.subject\":\"Ring\","
                  "\"activity.body\":\"x\"}");
    deal = create(&b, "deal", "{\"dealname\":\"Roof\",\"deal.stage\":\"contractsent\"}");
    made_ms = clock_wall_ms(b.env.clock);
    clock_wait_ms(b.env.clock, 60 * 1000);
    update(&b, "activity", task, "{\"activity.done\":true}", &item);
    update(&b, "deal", deal, "{\"deal.status\":\"won\"}", &item);
    page = fetch(&b, "activity", &task, 1, true);
    assert_true(json_integer_value(json_object_get(page.records[0].props_times, "activity.done")) >
                made_ms);
    assert_in_range(
        json_integer_value(json_object_get(page.records[0].props_times, "activity.body")), 1,
        made_ms);
    page = fetch(&b, "deal", &deal, 1, true);
    assert_true(json_integer_value(json_object_get(page.records[0].props_times, "deal.status")) >
                made_ms);
    bench_close(&b);
}

/* --- schema ----------------------------------------------------------------------------------- */

static const struct remote_property *described(struct bench *b, const char *kind, const char *name)
{
    struct remote_schema schema = {0};

    assert_int_equal(b->adapter->describe(b->session, kind, &b->arena, &schema, &b->err), OK);
    for (size_t i = 0; i < schema.count; i++) {
        if (str_equal(schema.properties[i].name, str_of(name))) {
            return &schema.properties[i];
        }
    }
    return NULL;
}

static bool has_option(const struct remote_property *property, const char *value, const char *label)
{
    for (size_t i = 0; i < property->options_count; i++) {
        if (str_equal(property->options[i].value, str_of(value))) {
            return str_equal(property->options[i].label, str_of(label));
        }
    }
    return false;
}

static void test_describe_shows_what_a_mapping_may_name(void **state)
{
    struct bench b;
    const struct remote_property *property;

    (void)state;
    bench_open(&b);
    property = described(&b, "deal", "deal.stage");
    assert_true(has_option(property, "contractsent", "Contract Sent"));
    assert_false(has_option(property, "closedwon", "Closed Won"));
    assert_true(has_option(described(&b, "deal", "dealstage"), "closedwon", "Closed Won"));
    assert_true(has_option(described(&b, "deal", "pipeline"), "default", "Sales Pipeline"));
    assert_true(has_option(described(&b, "deal", "deal.status"), "lost", "Lost"));
    assert_true(has_option(described(&b, "ticket", "hs_pipeline_stage"), "1", "New"));
    assert_true(has_option(described(&b, "activity", "activity.type"), "note", "Note"));
    assert_true(described(&b, "activity", "associations.contacts")->is_writable);
    assert_non_null(described(&b, "activity", "hubspot_owner_id"));
    assert_null(described(&b, "activity", "hs_task_status")); /* not of all five */
    assert_true(described(&b, "contact", CORRELATION_PROPERTY)->is_unique);
    assert_false(described(&b, "activity", CORRELATION_PROPERTY)->is_unique);
    assert_null(described(&b, "company", "associations.company"));
    bench_close(&b);
}

static void test_a_run_asks_for_definitions_once(void **state)
{
    struct setup_request request = {.kinds = KINDS, .kinds_count = COUNT_OF(KINDS)};
    struct setup_report report = {0};
    struct bench b;
    int64_t before;

    (void)state;
    bench_open(&b);
    before = calls_so_far(&b);
    assert_int_equal(b.adapter->ensure_setup(b.session, &request, &report, &b.err), OK);
    assert_int_equal(calls_so_far(&b) - before, 9);
    described(&b, "contact", "email");
    described(&b, "activity", "activity.type");
    assert_int_equal(calls_so_far(&b) - before, 9);
    described(&b, "activity", "activity.type"); /* what was seen is used once */
    assert_int_equal(calls_so_far(&b) - before, 9 + 5);
    clock_wait_ms(b.env.clock, 60 * 1000);
    described(&b, "company", "name"); /* and not for long */
    assert_int_equal(calls_so_far(&b) - before, 9 + 5 + 1);
    bench_close(&b);
}

static void test_users_are_owners_and_those_who_left(void **state)
{
    struct bench b;
    struct remote_users users = {0};
    size_t active = 0;

    (void)state;
    bench_open(&b);
    assert_int_equal(b.adapter->users(b.session, &b.arena, &users, &b.err), OK);
    for (size_t i = 0; i < users.count; i++) {
        active += users.at[i].is_active;
        assert_true(users.at[i].email.len && users.at[i].name.len && users.at[i].remote_id.len);
    }
    assert_int_equal(users.count, 4);
    assert_int_equal(active, 3);
    bench_close(&b);
}

static const struct remote_option OPTIONS[] = {
    {{.at = "roof", .len = 4}, {.at = "Roof", .len = 4}},
    {{.at = "wall", .len = 4}, {.at = "Wall", .len = 4}}};

static enum fail set_up(struct bench *b, const struct property_wanted *wanted, size_t count,
                        struct setup_report *ret)
{
    struct setup_request request = {.kinds = KINDS,
                                    .kinds_count = COUNT_OF(KINDS),
                                    .properties = wanted,
                                    .properties_count = count};

    *ret = (struct setup_report){0};
    error_reset(&b->err);
    return b->adapter->ensure_setup(b->session, &request, ret, &b->err);
}

static void test_wanted_properties_are_made_once_and_grow(void **state)
{
    struct property_wanted wanted[] = {
        {.kind = "deal",
         .name = STR("product"),
         .label = STR("Product"),
         .group = STR("forge"),
         .type = PROPERTY_ENUM,
         .options = OPTIONS,
         .options_count = 1},
        {.kind = "company", .name = STR("forge_key"), .type = PROPERTY_TEXT, .is_unique = true},
        {.kind = "activity", .name = STR("forge_flag"), .type = PROPERTY_BOOLEAN},
    };
    struct setup_report report;
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(set_up(&b, wanted, 3, &report), OK);
    assert_int_equal(report.created, 2 + 5);
    assert_int_equal(report.present, 9);
    assert_true(described(&b, "company", "forge_key")->is_unique);
    assert_int_equal(set_up(&b, wanted, 3, &report), OK);
    assert_int_equal(report.created, 0);
    assert_int_equal(report.options_added, 0);
    wanted[0].options_count = 2;
    assert_int_equal(set_up(&b, wanted, 3, &report), OK);
    assert_int_equal(report.options_added, 1);
    assert_true(has_option(described(&b, "deal", "product"), "roof", "Roof"));
    assert_true(has_option(described(&b, "deal", "product"), "wall", "Wall"));
    wanted[0].options_count = 1; /* nothing is removed */
    assert_int_equal(set_up(&b, wanted, 3, &report), OK);
    assert_true(has_option(described(&b, "deal", "product"), "wall", "Wall"));

    wanted[0].type = PROPERTY_MULTI_ENUM;
    assert_int_equal(set_up(&b, wanted, 1, &report), FAIL_CONNECTION);
    assert_non_null(strstr(b.err.message, "another type"));
    wanted[0] = (struct property_wanted){
        .kind = "deal", .name = STR("dealname"), .type = PROPERTY_TEXT, .is_unique = true};
    assert_int_equal(set_up(&b, wanted, 1, &report), FAIL_CONNECTION);
    assert_non_null(strstr(b.err.message, "not unique"));
    bench_close(&b);
}

/* --- custom objects --------------------------------------------------------------------------- */

static void test_custom_objects_are_kinds_by_account(void **state)
{
    static const struct adapter_object OBJECTS[] = {
        {"subscription", "p_subscription", "subscription", OBJECT_UNIQUE_KEY}};
    static const char *const CUSTOM[] = {"subscription"};
    struct setup_request request = {.kinds = CUSTOM, .kinds_count = 1};
    struct setup_report report = {0};
    struct write_item item;
    struct str contact, one;
    struct bench b;

    (void)state;
    bench_open(&b);
    ask(&b, HTTP_POST, "/crm-object-schemas/v3/schemas",
        "{\"name\":\"subscription\",\"labels\":{\"singular\":\"Subscription\",\"plural\":"
        "\"Subscriptions\"},\"primaryDisplayProperty\":\"title\",\"requiredProperties\":[\"title\"]"
        ","
        "\"properties\":[{\"name\":\"title\",\"label\":\"Title\",\"type\":\"string\",\"fieldType\":"
        "\"text\"}],\"associatedObjects\":[\"CONTACT\"]}");
    open_session(&b, OBJECTS, 1);
    assert_int_equal(b.adapter->ensure_setup(b.session, &request, &report, &b.err), OK);
    assert_int_equal(report.created, 1);
    contact = create(&b, "contact", "{\"email\":\"one@a.example\"}");
    one = create(
        &b, "subscription",
        linked(&b, "{\"title\":\"Gold\",\"associations.contacts\":[\"%.*s\"]}", contact, STR("")));
    assert_non_null(described(&b, "subscription", "title"));
    {
        static const struct str TITLE[] = {{.at = "title", .len = 5},
                                           {.at = "associations.contacts", .len = 21}};
        struct fetch_request fetch_one = {.kind = "subscription",
                                          .properties = TITLE,
                                          .properties_count = 2,
                                          .remote_ids = &one,
                                          .remote_ids_count = 1};
        struct remote_page page = {0};

        assert_int_equal(b.adapter->fetch_many(b.session, &fetch_one, &b.arena, &page, &b.err), OK);
        assert_text(page.records[0].props, "title", "Gold");
        assert_int_equal(
            json_array_size(json_object_get(page.records[0].props, "associations.contacts")), 1);
        item = (struct write_item){.remote_id = one,
                                   .props = props(&b, "{\"associations.contacts\":[]}"),
                                   .current = page.records[0].props};
        send(&b, "subscription", &item, 1);
        assert_int_equal(item.outcome, WRITE_DONE);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_of_a_deal_change_by_their_differences),
        cmocka_unit_test(test_links_nobody_told_are_read_and_bad_ones_refused_alone),
        cmocka_unit_test(test_many_deals_with_many_contacts_take_the_fewest_calls),
        cmocka_unit_test(test_stage_and_status_of_a_deal_are_one_property_there),
        cmocka_unit_test(test_a_stage_made_meanwhile_is_known),
        cmocka_unit_test(test_five_objects_are_one_kind),
        cmocka_unit_test(test_a_type_cannot_change_and_must_be_known),
        cmocka_unit_test(test_an_activity_is_made_without_the_link_that_cannot_be),
        cmocka_unit_test(test_listings_of_the_compound_kind_go_through_all_five),
        cmocka_unit_test(test_times_are_those_of_the_properties_behind),
        cmocka_unit_test(test_describe_shows_what_a_mapping_may_name),
        cmocka_unit_test(test_a_run_asks_for_definitions_once),
        cmocka_unit_test(test_users_are_owners_and_those_who_left),
        cmocka_unit_test(test_wanted_properties_are_made_once_and_grow),
        cmocka_unit_test(test_custom_objects_are_kinds_by_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
