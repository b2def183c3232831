/* The HubSpot adapter's listings by the webhooks journal against the simulator's: what they see, where they go on after a crash, and what happens when
 * the journal is not to be had. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/hubspot_events.h"
#include "core/jx.h"
#include "core/log.h"
#include "http/transport.h"
#include "simulators/simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t BEGIN_MS = 1780000000000;
enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static const struct str NAMES[] = {{.at = "lastname", .len = 8},
                                   {.at = "phone", .len = 5},
                                   {.at = "associations.company", .len = 20}};
static const struct str TASK[] = {{.at = "activity.type", .len = 13},
                                  {.at = "activity.subject", .len = 16}};
static const char *const KINDS[] = {"contact", "activity"};

/* The app's own credential, as whoever keeps it gives it. */
struct app {
    struct http_auth auth;
    char header[128];
    enum fail failure; /* OK: none */
    int asked;
};

struct bench {
    const struct adapter *adapter;
    struct env env;
    struct simulator *simulator;
    struct http_client *client;
    struct session *session;
    struct secret token;
    struct app app;
    struct arena arena;
    struct error err;
    bool is_polled, has_no_app;
    const struct adapter_object *objects;
    size_t objects_count;
};

static enum fail app_get(struct http_auth *auth, int64_t refused, struct http_credential *ret,
                         struct error *err)
{
    struct app *app = (struct app *)auth;

    app->asked++;
    if (app->failure != OK || refused) {
        error_set(err, app->failure ? app->failure : FAIL_CONFIG, "the app is not let in");
        return error_hint(err, "correct 'client_id'");
    }
    secret_set(&ret->header, str_of(app->header));
    ret->generation = 1;
    return OK;
}

static void open_session(struct bench *b)
{
    struct account account = {.connection = "test",
                              .base_url = STR("https://crm.sim.example"),
                              .token = &b->token,
                              .app_auth = b->has_no_app ? NULL : &b->app.auth,
                              .wants_events = !b->is_polled,
                              .objects = b->objects,
                              .objects_count = b->objects_count};

    b->adapter->close(b->session);
    b->session = NULL;
    assert_int_equal(b->adapter->open(&b->env, b->client, &account, &b->session, &b->err), OK);
}

static struct webhook_report selected(struct bench *b, const char *const *kinds, size_t count)
{
    struct webhook_property properties[COUNT_OF(NAMES) + COUNT_OF(TASK) + 1];
    struct webhook_wanted wanted = {.kinds = kinds, .kinds_count = count, .properties = properties};
    struct webhook_report report;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        properties[wanted.properties_count++] =
            (struct webhook_property){.kind = "contact", .name = NAMES[i]};
    }
    for (size_t i = 0; i < COUNT_OF(TASK); i++) {
        properties[wanted.properties_count++] =
            (struct webhook_property){.kind = "activity", .name = TASK[i]};
    }
    properties[wanted.properties_count++] =
        (struct webhook_property){.kind = "ship", .name = STR("name")};
    if (b->adapter->select_events(b->session, &wanted, &b->arena, &report, &b->err) != OK) {
        fail_msg("%s", b->err.message);
    }
    return report;
}

static json_t *order(struct bench *b, const char *body);

/* The journal's files are at a host of their own. */
static void bench_open(struct bench *b)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    static const char *const OBJECTS[] = {"contact", "company", "activity"};
    struct setup_request request = {.kinds = OBJECTS, .kinds_count = COUNT_OF(OBJECTS)};
    struct setup_report report = {0};

    *b = (struct bench){.adapter = &adapter_hubspot, .app = {.auth = {.get = app_get}}};
    b->env = (struct env){.clock = clock_new_virtual(BEGIN_MS), .random = random_new_seeded(1)};
    assert_int_equal(simulator_hubspot_new(
                         &b->env, &(const struct simulator_options){.seed = 4, .no_limits = true},
                         &b->simulator, &b->err),
                     OK);
    b->env.transport = transport_new_mounted(b->env.clock, 5);
    transport_mount(b->env.transport, "crm.sim.example", simulator_handle, b->simulator);
    transport_mount(b->env.transport, "journal.s3.amazonaws.com", simulator_handle, b->simulator);
    transport_mount(b->env.transport, "files.example", simulator_handle, b->simulator);
    b->client = http_client_new(&b->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&b->token, str_of(simulator_token(b->simulator)));
    snprintf(b->app.header, sizeof b->app.header, "Bearer %s.app", simulator_token(b->simulator));
    open_session(b);
    assert_int_equal(b->adapter->ensure_setup(b->session, &request, &report, &b->err), OK);
    order(b, "{\"files_at\":\"https://journal.s3.amazonaws.com\"}");
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

/* Straight to the simulator, past the adapter. */
static json_t *ask(struct bench *b, enum http_method method, const char *path, const char *body)
{
    struct http_request request = {.method = method, .url = str_of(path), .body = str_of(body)};
    struct http_response response = {0};
    json_t *tree = NULL;

    http_header_add(&request.headers, STR("Authorization"),
                    arena_printf(&b->arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&b->token))));
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

static json_t *order(struct bench *b, const char *body)
{
    return ask(b, HTTP_POST, "/__sim/journal", body);
}

/* What a person does in HubSpot's own pages. set: JSON object; id "" creates. Returns the id. */
static struct str edit(struct bench *b, const char *object, struct str id, const char *set)
{
    struct str body =
        id.len ? arena_printf(&b->arena, "{\"object\":\"%s\",\"id\":\"%" PRI_STR "\",\"set\":%s}",
                              object, STR_ARG(id), set)
               : arena_printf(&b->arena, "{\"object\":\"%s\",\"set\":%s}", object, set);

    return jx_text_of(jx_get(ask(b, HTTP_POST, "/__sim/edit", body.at), "id"));
}

static struct str contact(struct bench *b, const char *set)
{
    return edit(b, "contacts", STR(""), set);
}

static void act(struct bench *b, const char *what, struct str id)
{
    ask(b, HTTP_POST, arena_printf(&b->arena, "/__sim/%s", what).at,
        arena_printf(&b->arena, "{\"object\":\"contacts\",\"id\":\"%" PRI_STR "\"}", STR_ARG(id))
            .at);
}

static void merge(struct bench *b, struct str into, struct str from)
{
    ask(b, HTTP_POST, "/__sim/merge",
        arena_printf(&b->arena,
                     "{\"object\":\"contacts\",\"from\":\"%" PRI_STR "\",\"into\":\"%" PRI_STR
                     "\"}",
                     STR_ARG(from), STR_ARG(into))
            .at);
}

static void link_to(struct bench *b, struct str person, struct str company)
{
    ask(b, HTTP_PUT,
        arena_printf(&b->arena,
                     "/crm/v4/objects/contacts/%" PRI_STR
                     "/associations/default/companies/%" PRI_STR,
                     STR_ARG(person), STR_ARG(company))
            .at,
        "");
}

/* Calls whose route holds the words, so far. */
static int64_t calls_of(struct bench *b, const char *words)
{
    const json_t *calls = jx_get(ask(b, HTTP_GET, "/__sim/stats", ""), "calls");
    const char *route;
    const json_t *count;
    int64_t sum = 0;

    json_object_foreach((json_t *)(uintptr_t)calls, route, count)
    {
        sum += strstr(route, words) ? json_integer_value(count) : 0;
    }
    return sum;
}

/* A listing to its end. seen: id → state of its last record. */
struct listing {
    json_t *seen;
    size_t rows, pages;
    int64_t searches, of_journal;
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

    listing.searches = -calls_of(b, "search");
    listing.of_journal = -calls_of(b, "journal-local");
    while (page.has_more) {
        AUTO_ARENA struct arena arena = {0};

        page = (struct remote_page){0};
        if (b->adapter->list(b->session, &request, &arena, &page, &b->err) != OK) {
            fail_msg("%s", b->err.message);
        }
        assert_true(page.cursor.len < ADAPTER_CURSOR_BYTES_MAX);
        for (size_t i = 0; i < page.count; i++) {
            json_object_setn_new(listing.seen, page.records[i].remote_id.at,
                                 page.records[i].remote_id.len,
                                 json_integer(page.records[i].state));
        }
        listing.rows += page.count;
        assert_true(++listing.pages < 100);
        request.cursor = arena_str(&b->arena, page.cursor);
    }
    *cursor = request.cursor;
    listing.searches += calls_of(b, "search");
    listing.of_journal += calls_of(b, "journal-local");
    return listing;
}

static struct listing changed(struct bench *b, struct str *cursor)
{
    return list_of(b, "contact", LIST_CHANGED, NAMES, COUNT_OF(NAMES), cursor);
}

static int state_of(const struct listing *listing, struct str id)
{
    const json_t *state = json_object_getn(listing->seen, id.at, id.len);

    return state ? (int)json_integer_value(state) : -1;
}

/* Selected; what was there before has been listed, and the journal is heard from here on. */
static void settle(struct bench *b, struct str *cursor)
{
    selected(b, KINDS, COUNT_OF(KINDS));
    changed(b, cursor);
    clock_wait_ms(b->env.clock, 20 * MINUTE_MS);
    changed(b, cursor);
    assert_non_null(strstr(cursor->at, "\"offset\""));
    clock_wait_ms(b->env.clock, 2000);
}

/* What people are told. */
static FILE *listen(struct bench *b)
{
    FILE *said = tmpfile();

    b->env.log = log_new(said, LOG_FORM_JSON, LOG_INFO, b->env.clock);
    return said;
}

static int times_said(FILE *said, const char *words)
{
    char line[2048];
    int count = 0;

    rewind(said);
    while (fgets(line, sizeof line, said)) {
        count += strstr(line, "changes are polled") && strstr(line, words);
    }
    return count;
}

static void stop_listening(struct bench *b, FILE *said)
{
    log_free(b->env.log);
    b->env.log = NULL;
    fclose(said);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static void test_subscriptions_match_and_go(void **state)
{
    struct webhook_report report;
    struct bench b;

    (void)state;
    bench_open(&b);
    report = selected(&b, KINDS, 1);
    assert_int_equal(report.created, 2); /* what happens to a contact, and its links */
    report = selected(&b, KINDS, COUNT_OF(KINDS));
    assert_int_equal(report.created, 5);
    assert_int_equal(report.present, 2);
    report = selected(&b, KINDS, COUNT_OF(KINDS));
    assert_int_equal(report.created + report.removed, 0);
    assert_int_equal(report.present, 7);
    report = selected(&b, KINDS, 1);
    assert_int_equal(report.removed, 5);
    report = selected(&b, KINDS, 0);
    assert_int_equal(report.removed, 2);
    bench_close(&b);
}

/* One that tells of less than is read is replaced; others' stay. */
static void test_a_narrow_subscription_is_replaced(void **state)
{
    static const char *const ROWS[] = {
        "{\"subscriptionType\":\"OBJECT\",\"portalId\":4242,\"objectTypeId\":\"0-1\",\"actions\":"
        "[\"CREATE\",\"UPDATE\",\"DELETE\",\"MERGE\",\"RESTORE\"],\"properties\":[\"phone\"]}",
        "{\"subscriptionType\":\"OBJECT\",\"portalId\":4242,\"objectTypeId\":\"0-1\",\"actions\":"
        "[\"CREATE\",\"UPDATE\",\"DELETE\",\"MERGE\",\"RESTORE\"],\"properties\":[\"phone\","
        "\"lastname\"],\"objectIds\":[1]}",
    };
    struct webhook_report report;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct hubspot_app_call call = {.method = HTTP_POST,
                                        .path = STR("/webhooks-journal/subscriptions/2026-03")};
        struct hubspot_answer answer;

        call.body = jx_own(&b.arena, json_loads(ROWS[i], 0, NULL));
        assert_int_equal(hubspot_app_exec(b.session, &call, &b.arena, &answer, &b.err), OK);
    }
    report = selected(&b, KINDS, 1);
    assert_int_equal(report.created, 2);
    assert_int_equal(report.present, 0);
    assert_int_equal(report.removed, 2);
    bench_close(&b);
}

/* --- what is seen ----------------------------------------------------------------------------- */

static void test_an_edit_is_read_by_its_id(void **state)
{
    struct str cursor = STR(""), ray, may;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    may = contact(&b, "{\"lastname\":\"May\"}");
    settle(&b, &cursor);
    edit(&b, "contacts", ray, "{\"phone\":\"030 1\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(listing.rows, 1);
    assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    assert_int_equal(state_of(&listing, may), -1);
    assert_int_equal(listing.searches, 0);
    assert_int_equal(listing.of_journal, 2); /* the entry, and that there is none behind it */
    clock_wait_ms(b.env.clock, 2000);
    listing = changed(&b, &cursor);
    assert_int_equal(listing.rows, 0);
    assert_int_equal(listing.of_journal, 1);
    bench_close(&b);
}

static void test_deletes_restores_and_merges(void **state)
{
    struct str cursor = STR(""), ids[5];
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = contact(&b, arena_printf(&b.arena, "{\"lastname\":\"Ray %zu\"}", i).at);
    }
    settle(&b, &cursor);
    act(&b, "delete", ids[1]);
    act(&b, "delete", ids[2]);
    act(&b, "restore", ids[2]);
    merge(&b, ids[4], ids[3]);
    listing = changed(&b, &cursor);
    assert_int_equal(listing.searches, 0);
    assert_int_equal(state_of(&listing, ids[0]), -1);
    assert_int_equal(state_of(&listing, ids[1]), REMOTE_GONE);
    assert_int_equal(state_of(&listing, ids[2]), REMOTE_LIVE);
    assert_int_equal(state_of(&listing, ids[3]), REMOTE_MERGED);
    bench_close(&b);
}

/* A search by time tells nothing of a link that was taken away. */
static void test_a_link_is_told_of_both_ends(void **state)
{
    struct str cursor = STR(""), person, company;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    person = contact(&b, "{\"lastname\":\"Ray\"}");
    company = edit(&b, "companies", STR(""), "{\"name\":\"Harbour\"}");
    settle(&b, &cursor);
    link_to(&b, person, company);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, person), REMOTE_LIVE);
    assert_int_equal(listing.searches, 0);
    bench_close(&b);
}

/* Five objects are one kind, each with a place of its own in the one journal. */
static void test_activities_come_too(void **state)
{
    struct str cursor = STR(""), task;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    selected(&b, KINDS, COUNT_OF(KINDS));
    for (int i = 0; i < 2; i++) {
        list_of(&b, "activity", LIST_CHANGED, TASK, COUNT_OF(TASK), &cursor);
        clock_wait_ms(b.env.clock, 20 * MINUTE_MS);
    }
    task = edit(&b, "tasks", STR(""),
                "{\"hs_task_subject\":\"Call back\",\"hs_timestamp\":"
                "\"2026-08-01T08:00:00Z\"}");
    list_of(&b, "activity", LIST_CHANGED, TASK, COUNT_OF(TASK), &cursor);
    clock_wait_ms(b.env.clock, 2000);
    edit(&b, "tasks", task, "{\"hs_task_subject\":\"Call again\"}");
    listing = list_of(&b, "activity", LIST_CHANGED, TASK, COUNT_OF(TASK), &cursor);
    assert_int_equal(listing.rows, 1);
    assert_int_equal(listing.searches, 0);
    assert_int_equal(state_of(&listing, arena_printf(&b.arena, "tasks:%" PRI_STR, STR_ARG(task))),
                     REMOTE_LIVE);
    assert_int_equal(listing.of_journal, 2); /* the four others need not ask again */
    bench_close(&b);
}

/* A file that names more than a page, and many files. */
static void test_many_changes_come_in_pages(void **state)
{
    struct str cursor = STR("");
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    settle(&b, &cursor);
    for (int i = 0; i < 2300; i++) {
        contact(&b, arena_printf(&b.arena, "{\"lastname\":\"Ray %d\"}", i).at);
    }
    listing = changed(&b, &cursor);
    assert_int_equal(json_object_size(listing.seen), 2300);
    assert_int_equal(listing.rows, 2300);
    assert_int_equal(listing.searches, 0);
    assert_true(listing.pages >= 3);
    order(&b, "{\"events_max\":7}");
    for (int i = 0; i < 400; i++) {
        contact(&b, arena_printf(&b.arena, "{\"lastname\":\"May %d\"}", i).at);
    }
    clock_wait_ms(b.env.clock, 2000);
    listing = changed(&b, &cursor);
    assert_int_equal(json_object_size(listing.seen), 400);
    assert_true(listing.pages >= 2);
    order(&b, "{\"files_at\":\"https://journal.s3.amazonaws.com\",\"events_max\":1200}");
    for (int i = 0; i < 1500;
         i++) { /* two changes each: a file that does not fit behind another waits */
        contact(&b, arena_printf(&b.arena, "{\"lastname\":\"Kay %d\"}", i).at);
    }
    clock_wait_ms(b.env.clock, 2000);
    listing = changed(&b, &cursor);
    assert_int_equal(json_object_size(listing.seen), 1500);
    bench_close(&b);
}

/* A search comes between the parts of an entry: what is old in it is another part then, and links are never old. */
static void test_a_part_of_an_entry_survives_a_search(void **state)
{
    enum { LINKED = HS_GROUP_MAX + 10, MADE = HS_GROUP_MAX + 100 };
    AUTO_ARENA struct arena arena = {0};
    struct list_request request = {.kind = "contact",
                                   .mode = LIST_CHANGED,
                                   .properties = NAMES,
                                   .properties_count = COUNT_OF(NAMES)};
    struct remote_page page = {0};
    struct str cursor = STR(""), company, linked[LINKED];
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    company = edit(&b, "companies", STR(""), "{\"name\":\"Harbour\"}");
    for (int i = 0; i < LINKED; i++) {
        linked[i] = contact(&b, arena_printf(&b.arena, "{\"lastname\":\"Ray %d\"}", i).at);
    }
    settle(&b, &cursor);
    for (int i = 0; i < MADE; i++) {
        contact(&b, arena_printf(&b.arena, "{\"lastname\":\"May %d\"}", i).at);
    }
    for (int i = 0; i < LINKED; i++) {
        link_to(&b, linked[i], company);
    }
    request.cursor = cursor;
    assert_int_equal(b.adapter->list(b.session, &request, &arena, &page, &b.err), OK);
    assert_int_equal(page.count, HS_GROUP_MAX);
    assert_true(page.has_more);
    cursor = arena_str(&b.arena, page.cursor);
    clock_wait_ms(b.env.clock, HOUR_MS);
    assert_true(changed(&b, &cursor).searches > 0);
    listing = changed(&b, &cursor);
    for (int i = 0; i < LINKED; i++) {
        assert_int_equal(state_of(&listing, linked[i]), REMOTE_LIVE);
    }
    bench_close(&b);
}

/* A page that was not stored comes again. */
static void test_a_page_that_was_lost_comes_again(void **state)
{
    struct str cursor = STR(""), before, ray;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    settle(&b, &cursor);
    edit(&b, "contacts", ray, "{\"phone\":\"030 1\"}");
    before = cursor;
    changed(&b, &cursor);
    open_session(&b);
    listing = changed(&b, &before);
    assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    assert_int_equal(listing.searches, 0);
    bench_close(&b);
}

static void test_an_hourly_search_guards(void **state)
{
    struct str cursor = STR(""), ray;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    settle(&b, &cursor);
    selected(&b, KINDS, 0); /* somebody takes the subscriptions away */
    edit(&b, "contacts", ray, "{\"phone\":\"030 1\"}");
    assert_int_equal(changed(&b, &cursor).rows, 0);
    clock_wait_ms(b.env.clock, HOUR_MS);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    assert_true(listing.searches > 0);
    bench_close(&b);
}

/* The bin is read as a whole: not while the journal tells of deletes. */
static void test_the_bin_is_read_once_an_hour(void **state)
{
    struct str cursor = STR(""), bin = STR(""), ray;
    int64_t before;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    settle(&b, &cursor);
    list_of(&b, "contact", LIST_DELETED, NAMES, 1, &bin);
    act(&b, "delete", ray);
    before = calls_of(&b, "");
    list_of(&b, "contact", LIST_DELETED, NAMES, 1, &bin);
    assert_int_equal(calls_of(&b, "") - before, 0);
    clock_wait_ms(b.env.clock, HOUR_MS);
    listing = list_of(&b, "contact", LIST_DELETED, NAMES, 1, &bin);
    assert_int_equal(state_of(&listing, ray), REMOTE_GONE);
    order(&b, "{\"lacking\":\"developer.webhooks_journal.read\"}");
    changed(&b, &cursor); /* the hourly search */
    changed(&b, &cursor);
    before = calls_of(&b, "");
    list_of(&b, "contact", LIST_DELETED, NAMES, 1, &bin);
    assert_true(calls_of(&b, "") > before); /* nobody else tells of deletes now */
    bench_close(&b);
}

/* Either way of listing goes on from the other's cursor. */
static void test_cursors_serve_both(void **state)
{
    struct str cursor = STR(""), ray;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    settle(&b, &cursor);
    for (int round = 0; round < 4; round++) {
        b.is_polled = round & 1;
        open_session(&b);
        edit(&b, "contacts", ray, arena_printf(&b.arena, "{\"phone\":\"030 %d\"}", round).at);
        clock_wait_ms(b.env.clock, MINUTE_MS);
        listing = changed(&b, &cursor);
        assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    }
    bench_close(&b);
}

/* --- when there is none ----------------------------------------------------------------------- */

/* Three days on, the offset is unknown: nothing is lost. */
static void test_a_place_that_is_gone_falls_back(void **state)
{
    struct str cursor = STR(""), ray, may;
    struct listing listing;
    FILE *said;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    may = contact(&b, "{\"lastname\":\"May\"}");
    settle(&b, &cursor);
    edit(&b, "contacts", may, "{\"phone\":\"030 2\"}");
    changed(&b, &cursor);
    edit(&b, "contacts", ray, "{\"phone\":\"030 1\"}");
    order(&b, "{\"forget\":true}");
    clock_wait_ms(b.env.clock, 2000);
    said = listen(&b);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    assert_int_equal(listing.searches, 1);
    assert_int_equal(times_said(said, "does not go back"), 1);
    clock_wait_ms(b.env.clock, 2000);
    edit(&b, "contacts", may, "{\"phone\":\"030 3\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, may), REMOTE_LIVE);
    assert_int_equal(listing.searches, 0); /* it goes on from the earliest */
    stop_listening(&b, said);
    bench_close(&b);
}

/* Each trouble: what is said, to whom, and that the change is found all the same. */
static void fall_back(struct bench *b, struct str ray, struct str *cursor, const char *words,
                      bool needs_person)
{
    FILE *said = listen(b);
    struct listing listing;

    for (int i = 0; i < 2; i++) {
        edit(b, "contacts", ray,
             arena_printf(&b->arena, "{\"phone\":\"030 %d%zu\"}", i, cursor->len).at);
        clock_wait_ms(b->env.clock, 2000);
        listing = changed(b, cursor);
        assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
        assert_int_equal(listing.searches, 1);
    }
    if (times_said(said, words) != 1 || times_said(said, needs_person ? "error" : "warn") != 1) {
        char text[4096];

        rewind(said);
        text[fread(text, 1, sizeof text - 1, said)] = '\0';
        fail_msg("'%s' should be said once: %s", words, text);
    }
    stop_listening(b, said);
}

static void test_troubles_fall_back_to_searches(void **state)
{
    struct str cursor = STR(""), ray;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    settle(&b, &cursor);
    order(&b, "{\"lacking\":\"developer.webhooks_journal.read\"}");
    fall_back(&b, ray, &cursor, "developer.webhooks_journal.read", true);
    open_session(&b);
    order(&b, "{\"lacking\":\"\",\"files_broken\":true}");
    fall_back(&b, ray, &cursor, "the file is not JSON", false);
    open_session(&b);
    order(&b, "{\"files_at\":\"https://files.example\"}");
    fall_back(&b, ray, &cursor, "files.example", true);
    open_session(&b);
    b.app.failure = FAIL_CONFIG;
    fall_back(&b, ray, &cursor, "correct 'client_id'", true);
    b.app.failure = OK;
    b.has_no_app = true;
    open_session(&b);
    fall_back(&b, ray, &cursor, "client_id and client_secret", true);
    b.has_no_app = false;
    open_session(&b);
    order(&b, "{\"files_at\":\"https://journal.s3.amazonaws.com\"}");
    edit(&b, "contacts", ray, "{\"phone\":\"031\"}");
    assert_int_equal(changed(&b, &cursor).searches, 0); /* the place was kept all the time */
    bench_close(&b);
}

/* What a search does not tell of is heard again. */
static void test_a_trouble_behind_a_good_file(void **state)
{
    struct str cursor = STR(""), person, company;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    person = contact(&b, "{\"lastname\":\"Ray\"}");
    company = edit(&b, "companies", STR(""), "{\"name\":\"Harbour\"}");
    link_to(&b, person, edit(&b, "companies", STR(""), "{\"name\":\"First\"}"));
    settle(&b, &cursor);
    clock_wait_ms(b.env.clock, HOUR_MS);
    changed(&b,
            &cursor); /* searches begin behind all this; and a second link changes no property */
    order(&b, "{\"events_max\":1,\"files_broken\":true,\"files_good\":1}");
    link_to(&b, person, company);
    contact(&b, "{\"lastname\":\"May\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, person), -1);
    order(&b, "{}");
    clock_wait_ms(b.env.clock, MINUTE_MS);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, person), REMOTE_LIVE);
    bench_close(&b);
}

/* At the hourly look as well. */
static void test_a_trouble_keeps_the_place(void **state)
{
    struct str cursor = STR(""), ray;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    settle(&b, &cursor);
    clock_wait_ms(b.env.clock, HOUR_MS);
    open_session(&b);
    b.app.failure = FAIL_RETRY;
    assert_true(changed(&b, &cursor).searches > 0);
    b.app.failure = OK;
    clock_wait_ms(b.env.clock, MINUTE_MS);
    edit(&b, "contacts", ray, "{\"phone\":\"030 1\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    assert_int_equal(listing.searches, 0);
    bench_close(&b);
}

static void test_who_selected_nothing_is_told_what_to_do(void **state)
{
    struct str cursor = STR(""), ray;
    FILE *said;
    struct bench b;

    (void)state;
    bench_open(&b);
    said = listen(&b);
    ray = contact(&b, "{\"lastname\":\"Ray\"}");
    for (int i = 0; i < 3; i++) {
        edit(&b, "contacts", ray, arena_printf(&b.arena, "{\"phone\":\"030 %d\"}", i).at);
        clock_wait_ms(b.env.clock, MINUTE_MS);
        assert_true(changed(&b, &cursor).searches > 0);
        assert_null(strstr(cursor.at, "\"offset\""));
    }
    assert_int_equal(times_said(said, "crmsync setup"), 1);
    settle(&b, &cursor);
    edit(&b, "contacts", ray, "{\"phone\":\"031\"}");
    assert_int_equal(changed(&b, &cursor).searches, 0);
    stop_listening(&b, said);
    bench_close(&b);
}

static void test_a_custom_object_needs_its_types_id(void **state)
{
    static const struct adapter_object SHIP = {"ship", "ships", "ship", OBJECT_UNIQUE_KEY};
    static const struct adapter_object NUMBER = {"ship", "2-3400001", "ship", OBJECT_UNIQUE_KEY};
    struct bench b;

    (void)state;
    bench_open(&b);
    b.objects = &SHIP;
    b.objects_count = 1;
    open_session(&b);
    assert_null(hubspot_type_id(b.session, "ship"));
    b.objects = &NUMBER;
    open_session(&b);
    assert_string_equal(hubspot_type_id(b.session, "ship"), "2-3400001");
    assert_string_equal(hubspot_type_id(b.session, "activity/notes"), "0-46");
    assert_string_equal(hubspot_type_id(b.session, "company"), "0-2");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subscriptions_match_and_go),
        cmocka_unit_test(test_a_narrow_subscription_is_replaced),
        cmocka_unit_test(test_an_edit_is_read_by_its_id),
        cmocka_unit_test(test_deletes_restores_and_merges),
        cmocka_unit_test(test_a_link_is_told_of_both_ends),
        cmocka_unit_test(test_activities_come_too),
        cmocka_unit_test(test_many_changes_come_in_pages),
        cmocka_unit_test(test_a_part_of_an_entry_survives_a_search),
        cmocka_unit_test(test_a_page_that_was_lost_comes_again),
        cmocka_unit_test(test_an_hourly_search_guards),
        cmocka_unit_test(test_the_bin_is_read_once_an_hour),
        cmocka_unit_test(test_cursors_serve_both),
        cmocka_unit_test(test_a_place_that_is_gone_falls_back),
        cmocka_unit_test(test_troubles_fall_back_to_searches),
        cmocka_unit_test(test_a_trouble_behind_a_good_file),
        cmocka_unit_test(test_a_trouble_keeps_the_place),
        cmocka_unit_test(test_who_selected_nothing_is_told_what_to_do),
        cmocka_unit_test(test_a_custom_object_needs_its_types_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
