/* Webhooks end to end in one process: a simulated CRM sends, its adapter verifies and reads. Virtual time, step by step; nothing here knows how either side
 * computes a signature. */
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
enum { SEED = 4, EVENTS_MAX = 4000 };

#define URL "http://127.0.0.1:1/api/crm/webhooks/crm/5ec3e7"
static const char *const KINDS[] = {"company", "contact", "deal", "activity"};

struct heard {
    const char *kind;
    struct str id, key;
    enum webhook_type type;
};

struct door {
    const struct adapter *adapter;
    struct env env;
    struct simulator *simulator;
    struct http_client *client;
    struct session *session;
    struct secret token, path, password, signing, developer_key;
    struct webhook_settings settings;
    struct webhook_wanted wanted;
    struct arena arena;
    struct error err;
    bool is_down;       /* what comes is not taken */
    bool is_mute;       /* it is taken, but the answer is lost */
    int taken, refused; /* deliveries; refused: not verified */
    int slow;           /* deliveries that were taken slowly */
    struct heard heard[EVENTS_MAX];
    size_t heard_count;
};

typedef enum fail make_fn(struct env *env, const struct simulator_options *options,
                          struct simulator **ret, struct error *err);

/* Straight to the simulator. Borrowed from the door's arena. */
static json_t *ask(struct door *d, enum http_method method, const char *path, const char *body)
{
    struct http_request request = {.method = method, .url = str_of(path), .body = str_of(body)};
    struct http_response response = {0};
    json_t *tree;

    http_header_add(&request.headers, STR("Authorization"),
                    arena_printf(&d->arena, "Bearer %s", simulator_token(d->simulator)));
    http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    simulator_handle(d->simulator, &request, &response);
    if (response.status >= 300) {
        fail_msg("%s %s: %d %.*s", path, body, response.status, (int)response.body.len,
                 response.body.at);
    }
    tree = json_loadb(response.body.at ? response.body.at : "null", response.body.len,
                      JSON_DECODE_ANY, NULL);
    http_response_fini(&response);
    return tree ? jx_own(&d->arena, tree) : NULL;
}

static void post_order(struct door *d, const char *path, const char *body)
{
    ask(d, HTTP_POST, path, body);
}

/* The new or changed record's id. */
static const char *edit(struct door *d, const char *body)
{
    return json_string_value(json_object_get(ask(d, HTTP_POST, "/__sim/edit", body), "id"));
}

static int64_t state_of(struct door *d, const char *name)
{
    return json_integer_value(json_object_get(ask(d, HTTP_GET, "/__sim/webhooks", ""), name));
}

static void open_door(struct door *d, const char *crm, make_fn *make)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    struct account account = {
        .connection = "crm", .base_url = STR("https://crm.sim.example"), .token = &d->token};
    struct account_facts facts = {0};

    *d = (struct door){.adapter = adapter_by_name(str_of(crm))};
    print_message("  %s, seed %d\n", crm, SEED);
    d->env = (struct env){.clock = clock_new_virtual(BEGIN_MS), .random = random_new_seeded(SEED)};
    assert_int_equal(make(&d->env,
                          &(const struct simulator_options){.seed = SEED, .no_limits = true},
                          &d->simulator, &d->err),
                     OK);
    d->env.transport = transport_new_mounted(d->env.clock, 5);
    transport_mount(d->env.transport, "crm.sim.example", simulator_handle, d->simulator);
    d->client = http_client_new(&d->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&d->token, str_of(simulator_token(d->simulator)));
    secret_set(&d->path, STR("5ec3e7"));
    secret_set(&d->password, STR("chosen by us"));
    secret_set(&d->signing, str_of(simulator_client_secret(d->simulator)));
    secret_set(&d->developer_key, STR("simulated-developer-key"));
    assert_int_equal(d->adapter->open(&d->env, d->client, &account, &d->session, &d->err), OK);
    assert_int_equal(d->adapter->check(d->session, &d->arena, &facts, &d->err), OK);
    d->settings = (struct webhook_settings){.signing = {&d->signing},
                                            .paths = {&d->path},
                                            .user = STR("crmsync"),
                                            .passwords = {&d->password},
                                            .account_id = facts.account_id};
    d->wanted = (struct webhook_wanted){.url = STR(URL),
                                        .user = STR("crmsync"),
                                        .password = &d->password,
                                        .kinds = KINDS,
                                        .kinds_count = COUNT_OF(KINDS)};
}

static void close_door(struct door *d)
{
    d->adapter->close(d->session);
    http_client_free(d->client);
    transport_free(d->env.transport);
    simulator_free(d->simulator);
    secret_fini(&d->token);
    secret_fini(&d->path);
    secret_fini(&d->password);
    secret_fini(&d->signing);
    secret_fini(&d->developer_key);
    random_free(d->env.random);
    clock_free(d->env.clock);
    arena_fini(&d->arena);
}

/* --- the receiver ----------------------------------------------------------------------------- */

static void keep(struct door *d, const struct webhook_events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        assert_true(d->heard_count < EVENTS_MAX);
        d->heard[d->heard_count++] =
            (struct heard){.kind = events->at[i].kind,
                           .id = arena_str(&d->arena, events->at[i].remote_id),
                           .key = events->at[i].event_key,
                           .type = events->at[i].type};
    }
}

static bool is_of_type(const struct door *d, const struct http_request *request)
{
    struct str type = http_header_get(&request->headers, "Content-Type"),
               word = str_cut(&type, ';');

    for (size_t i = 0; d->adapter->webhook_content_types[i]; i++) {
        if (str_equal(word, str_of(d->adapter->webhook_content_types[i]))) {
            return true;
        }
    }
    return false;
}

static void receive(void *context, const struct http_request *request,
                    struct http_response *response)
{
    struct door *d = context;
    struct webhook_delivery delivery = {.request = request,
                                        .public_url = request->url,
                                        .path_secret = STR("5ec3e7"),
                                        .received_ms = clock_wall_ms(d->env.clock)};
    struct webhook_events events = {0};
    struct webhook_proof proof;
    struct webhook_answer answer;

    assert_true(is_of_type(d, request));
    if (d->adapter->webhook_verify(&d->settings, &delivery, &proof, &d->err) != OK ||
        d->adapter->webhook_parse(&d->settings, &delivery, &d->arena, &events, &d->err) != OK) {
        d->refused++;
        response->status = 401;
        return;
    }
    d->adapter->webhook_answer(!d->is_down, &answer);
    response->status = answer.status;
    response->body = arena_str(&response->arena, answer.body);
    if (d->is_mute) {
        response->status = 0;
    }
    if (!d->is_down) {
        d->taken++;
        keep(d, &events);
    }
}

static int deliver(struct door *d)
{
    int count = 0;

    while (simulator_deliver(d->simulator, receive, d)) {
        count++;
    }
    return count;
}

static void forget(struct door *d)
{
    d->heard_count = 0;
    d->taken = d->refused = 0;
}

static bool has_heard(const struct door *d, const char *kind, const char *id,
                      enum webhook_type type)
{
    for (size_t i = 0; i < d->heard_count; i++) {
        if (strcmp(d->heard[i].kind, kind) == 0 && str_equal(d->heard[i].id, str_of(id)) &&
            d->heard[i].type == type) {
            return true;
        }
    }
    return false;
}

static void assert_heard(const struct door *d, const char *kind, const char *id,
                         enum webhook_type type)
{
    if (!has_heard(d, kind, id, type)) {
        for (size_t i = 0; i < d->heard_count; i++) {
            print_message("    %s %.*s %s\n", d->heard[i].kind, (int)d->heard[i].id.len,
                          d->heard[i].id.at, webhook_type_name(d->heard[i].type));
        }
        fail_msg("not heard: %s %s %s", kind, id, webhook_type_name(type));
    }
}

/* --- HubSpot ---------------------------------------------------------------------------------- */

static void open_hubspot(struct door *d)
{
    open_door(d, "hubspot", simulator_hubspot_new);
    post_order(d, "/__sim/webhooks", "{\"url\":\"" URL "\"}");
}

static const char *text(struct door *d, const char *format, const char *id)
{
    struct str whole = str_of(format), from = str_cut(&whole, '@');

    return arena_printf(&d->arena, "%.*s%s%.*s", (int)from.len, from.at, id, (int)whole.len,
                        whole.at)
        .at;
}

static void test_hubspot_tells_what_happens(void **state)
{
    struct door d;
    const char *id, *other, *company;

    open_hubspot(&d);
    id = edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"a@one.example\"}}");
    other = edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"b@one.example\"}}");
    assert_int_equal(deliver(&d), 1); /* one batch */
    assert_heard(&d, "contact", id, WEBHOOK_CREATED);
    assert_heard(&d, "contact", other, WEBHOOK_CREATED);
    forget(&d);
    edit(&d, text(&d, "{\"object\":\"contacts\",\"id\":\"@\",\"set\":{\"firstname\":\"A\"}}", id));
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CHANGED);
    edit(&d, text(&d, "{\"object\":\"contacts\",\"id\":\"@\",\"set\":{\"firstname\":\"A\"}}", id));
    assert_int_equal(deliver(&d), 0); /* nothing changed */
    company = edit(
        &d,
        text(
            &d,
            "{\"object\":\"companies\",\"set\":{\"name\":\"C\",\"associations.contacts\":[\"@\"]}}",
            id));
    deliver(&d);
    assert_heard(&d, "company", company, WEBHOOK_CREATED);
    assert_heard(&d, "contact", id, WEBHOOK_ASSOCIATED);
    post_order(&d, "/__sim/delete", text(&d, "{\"object\":\"companies\",\"id\":\"@\"}", company));
    post_order(&d, "/__sim/restore", text(&d, "{\"object\":\"companies\",\"id\":\"@\"}", company));
    deliver(&d);
    assert_heard(&d, "company", company, WEBHOOK_DELETED);
    assert_int_equal(d.refused, 0);
    close_door(&d);
    (void)state;
}

/* A merge and an erasure are told with every id that has to be read. */
static void test_hubspot_tells_merges_and_erasures(void **state)
{
    struct door d;
    const char *one, *two, *survivor, *gone;
    json_t *merged;

    open_hubspot(&d);
    one = edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"a@one.example\"}}");
    two = edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"b@one.example\"}}");
    gone = edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"c@one.example\"}}");
    deliver(&d);
    forget(&d);
    merged = ask(&d, HTTP_POST, "/__sim/merge",
                 arena_printf(&d.arena, "{\"object\":\"contacts\",\"into\":\"%s\",\"from\":\"%s\"}",
                              one, two)
                     .at);
    survivor = json_string_value(json_object_get(merged, "id"));
    post_order(&d, "/crm/v3/objects/contacts/gdpr-delete", text(&d, "{\"objectId\":\"@\"}", gone));
    deliver(&d);
    assert_heard(&d, "contact", one, WEBHOOK_MERGED);
    assert_heard(&d, "contact", two, WEBHOOK_MERGED);
    assert_heard(&d, "contact", survivor, WEBHOOK_MERGED);
    assert_heard(&d, "contact", gone, WEBHOOK_ERASED);
    close_door(&d);
    (void)state;
}

/* Repeats are signed anew, so that none comes too old; and they are known for repeats. */
static void test_hubspot_repeats_what_was_not_taken(void **state)
{
    struct door d;

    open_hubspot(&d);
    d.is_down = true;
    edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"a@one.example\"}}");
    assert_int_equal(deliver(&d), 1);
    assert_int_equal(deliver(&d), 0); /* not at once */
    clock_wait_ms(d.env.clock, 70 * 1000);
    assert_int_equal(deliver(&d), 1);
    clock_wait_ms(d.env.clock, 6 * 60 * 1000);
    assert_int_equal(deliver(&d), 1);
    d.is_down = false;
    clock_wait_ms(d.env.clock, 17 * 60 * 1000); /* the first signature is long too old */
    assert_int_equal(deliver(&d), 1);
    assert_int_equal(d.refused, 0);
    assert_int_equal(d.heard_count, 1);
    d.is_down = true;
    clock_wait_ms(d.env.clock, 24 * 3600 * 1000);
    assert_int_equal(deliver(&d), 0); /* taken is taken */
    edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"b@one.example\"}}");
    for (int i = 0; i < 20; i++) {
        deliver(&d);
        clock_wait_ms(d.env.clock, 7 * 3600 * 1000);
    }
    assert_int_equal(state_of(&d, "failures"), 3 + 11); /* the first attempt and ten more */
    assert_int_equal(state_of(&d, "dropped"), 1);
    close_door(&d);
    (void)state;
}

static void test_hubspots_older_apps_subscribe_by_api(void **state)
{
    static const struct webhook_property PROPERTIES[] = {{"contact", {.at = "email", .len = 5}}};
    struct webhook_report report = {0};
    struct door d;
    const char *id;

    open_door(&d, "hubspot", simulator_hubspot_new);
    d.wanted.app_id = STR("9001");
    d.wanted.developer_key = &d.developer_key;
    d.wanted.properties = PROPERTIES;
    d.wanted.properties_count = 1;
    assert_int_equal(d.adapter->subscribe(d.session, &d.wanted, &d.arena, &report, &d.err), OK);
    assert_int_equal(report.created, 3 * 5 + 5 * 5 + 2);
    assert_int_equal(d.adapter->subscribe(d.session, &d.wanted, &d.arena, &report, &d.err), OK);
    assert_int_equal(report.created, 0);
    assert_int_equal(report.present, 3 * 5 + 5 * 5 + 2);
    id = edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"a@one.example\"}}");
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CREATED);
    forget(&d);
    edit(&d, text(&d, "{\"object\":\"contacts\",\"id\":\"@\",\"set\":{\"firstname\":\"A\"}}", id));
    assert_int_equal(deliver(&d), 0); /* nobody subscribed to that property */
    edit(&d,
         text(&d, "{\"object\":\"contacts\",\"id\":\"@\",\"set\":{\"email\":\"b@one.example\"}}",
              id));
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CHANGED);
    assert_int_equal(d.adapter->unsubscribe(d.session, &d.wanted, &d.arena, &report, &d.err), OK);
    assert_int_equal(report.removed, 3 * 5 + 5 * 5 + 2);
    edit(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"c@one.example\"}}");
    assert_int_equal(deliver(&d), 0);
    close_door(&d);
    (void)state;
}

/* --- Pipedrive -------------------------------------------------------------------------------- */

static void open_pipedrive(struct door *d)
{
    struct webhook_report report = {0};

    open_door(d, "pipedrive", simulator_pipedrive_new);
    assert_int_equal(d->adapter->subscribe(d->session, &d->wanted, &d->arena, &report, &d->err),
                     OK);
    assert_int_equal(report.created, 5);
    assert_int_equal(d->adapter->subscribe(d->session, &d->wanted, &d->arena, &report, &d->err),
                     OK);
    assert_int_equal(report.present, 5);
    assert_int_equal(report.created + report.removed, 0);
}

static void test_pipedrive_tells_what_happens(void **state)
{
    struct door d;
    const char *id, *other, *deal;

    open_pipedrive(&d);
    id = edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    other = edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"B\"}}");
    deal = edit(&d, "{\"object\":\"deals\",\"set\":{\"title\":\"D\"}}");
    edit(&d, text(&d, "{\"object\":\"persons\",\"id\":\"@\",\"set\":{\"name\":\"A2\"}}", id));
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CREATED);
    assert_heard(&d, "contact", id, WEBHOOK_CHANGED);
    assert_heard(&d, "deal", deal, WEBHOOK_CREATED);
    forget(&d);
    post_order(&d, "/__sim/merge",
               arena_printf(&d.arena, "{\"object\":\"persons\",\"into\":\"%s\",\"from\":\"%s\"}",
                            id, other)
                   .at);
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_MERGED);
    assert_heard(&d, "contact", other, WEBHOOK_MERGED);
    forget(&d);
    post_order(&d, "/v1/notes", text(&d, "{\"content\":\"n\",\"deal_id\":@}", deal));
    post_order(&d, "/__sim/delete", text(&d, "{\"object\":\"persons\",\"id\":\"@\"}", id));
    deliver(&d);
    assert_heard(&d, "activity", "note:1", WEBHOOK_CREATED);
    assert_heard(&d, "contact", id, WEBHOOK_DELETED);
    assert_int_equal(d.refused, 0);
    close_door(&d);
    (void)state;
}

/* Three repeats; ten failures of first attempts silence a webhook for half an hour, and what happens then is never told. */
static void test_pipedrive_bans_who_fails(void **state)
{
    struct door d;

    open_pipedrive(&d);
    d.is_down = true;
    edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    for (int i = 0; i < 10; i++) {
        deliver(&d);
        clock_wait_ms(d.env.clock, 200 * 1000);
    }
    assert_int_equal(state_of(&d, "failures"), 4);
    assert_int_equal(state_of(&d, "dropped"), 1);
    for (int i = 0; i < 9; i++) {
        edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    }
    deliver(&d);
    d.is_down = false;
    edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"unheard\"}}");
    assert_int_equal(deliver(&d), 0);
    clock_wait_ms(d.env.clock, 31 * 60 * 1000);
    assert_int_equal(deliver(&d), 9); /* what was on its way is repeated */
    edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"heard\"}}");
    assert_int_equal(deliver(&d), 1);
    close_door(&d);
    (void)state;
}

static void test_pipedrives_new_password_replaces_the_webhooks(void **state)
{
    struct webhook_report report = {0};
    struct secret next = {0};
    struct door d;
    const char *id;

    open_pipedrive(&d);
    secret_set(&next, STR("the next one"));
    d.wanted.password = &next;
    assert_int_equal(d.adapter->subscribe(d.session, &d.wanted, &d.arena, &report, &d.err), OK);
    assert_int_equal(report.created, 5);
    assert_int_equal(report.removed, 5);
    id = edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    deliver(&d);
    assert_int_equal(d.refused, 1);
    d.settings.passwords[0] = &next;
    clock_wait_ms(d.env.clock, 4000);
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CREATED);
    assert_int_equal(d.adapter->unsubscribe(d.session, &d.wanted, &d.arena, &report, &d.err), OK);
    assert_int_equal(report.removed, 5);
    edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    assert_int_equal(deliver(&d), 0);
    secret_fini(&next);
    close_door(&d);
    (void)state;
}

/* --- Salesforce ------------------------------------------------------------------------------- */

static void test_salesforce_tells_what_happens(void **state)
{
    struct door d;
    const char *id, *account;

    open_door(&d, "salesforce", simulator_salesforce_new);
    post_order(&d, "/__sim/webhooks", "{\"url\":\"" URL "\"}");
    id = edit(&d, "{\"object\":\"Contact\",\"set\":{\"LastName\":\"A\"}}");
    account = edit(&d, "{\"object\":\"Account\",\"set\":{\"Name\":\"C\"}}");
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CREATED);
    assert_heard(&d, "company", account, WEBHOOK_CREATED);
    forget(&d);
    d.is_down = true;
    clock_wait_ms(d.env.clock, 5000);
    edit(&d, text(&d, "{\"object\":\"Contact\",\"id\":\"@\",\"set\":{\"LastName\":\"B\"}}", id));
    assert_int_equal(deliver(&d), 1); /* answered Ack false */
    assert_int_equal(state_of(&d, "failures"), 1);
    d.is_down = false;
    clock_wait_ms(d.env.clock, 31 * 1000);
    deliver(&d);
    assert_heard(&d, "contact", id, WEBHOOK_CHANGED);
    assert_int_equal(d.refused, 0);
    post_order(&d, "/__sim/webhooks", "{\"url\":null}");
    edit(&d, "{\"object\":\"Contact\",\"set\":{\"LastName\":\"C\"}}");
    assert_int_equal(deliver(&d), 0);
    close_door(&d);
    (void)state;
}

/* --- lost answers ------------------------------------------------------------------------------ */

/* Taken, but the CRM does not know: it comes again, under the same key. */
static void assert_repeat_is_known(struct door *d, const char *create)
{
    size_t first;

    edit(d, create);
    d->is_mute = true;
    deliver(d);
    first = d->heard_count;
    assert_true(first > 0);
    d->is_mute = false;
    clock_wait_ms(d->env.clock, 70 * 1000);
    deliver(d);
    assert_int_equal(d->heard_count, 2 * first);
    for (size_t i = 0; i < first; i++) {
        assert_true(str_equal(d->heard[i].id, d->heard[first + i].id));
        assert_true(str_equal(d->heard[i].key, d->heard[first + i].key));
    }
    assert_int_equal(d->refused, 0);
    close_door(d);
}

static void test_a_repeat_has_its_key_again(void **state)
{
    struct door d;

    open_hubspot(&d);
    assert_repeat_is_known(&d, "{\"object\":\"contacts\",\"set\":{\"email\":\"a@one.example\"}}");
    open_pipedrive(&d);
    assert_repeat_is_known(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    open_door(&d, "salesforce", simulator_salesforce_new);
    post_order(&d, "/__sim/webhooks", "{\"url\":\"" URL "\"}");
    assert_repeat_is_known(&d, "{\"object\":\"Contact\",\"set\":{\"LastName\":\"A\"}}");
    (void)state;
}

/* --- how long it takes ------------------------------------------------------------------------- */

/* Ten milliseconds more for each than for the one before. */
static void receive_slowly(void *context, const struct http_request *request,
                           struct http_response *response)
{
    struct door *d = context;

    clock_wait_ms(d->env.clock, ++d->slow * 10);
    receive(context, request, response);
}

static void test_it_is_told_how_long_a_receiver_took(void **state)
{
    struct door d;

    open_pipedrive(&d);
    assert_int_equal(state_of(&d, "ack_p50_ms"), 0);
    for (int i = 0; i < 100; i++) {
        edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
        while (simulator_deliver(d.simulator, receive_slowly, &d)) {
        }
    }
    assert_int_equal(d.slow, 100);
    assert_int_equal(state_of(&d, "ack_p50_ms"), 500);
    assert_int_equal(state_of(&d, "ack_p95_ms"), 950);
    assert_int_equal(state_of(&d, "ack_p99_ms"), 990);
    d.is_down = true; /* what is not taken is no acknowledgement */
    edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
    assert_true(simulator_deliver(d.simulator, receive_slowly, &d));
    assert_int_equal(state_of(&d, "ack_p50_ms"), 500);
    close_door(&d);
    (void)state;
}

/* --- a bad network ---------------------------------------------------------------------------- */

static bool is_first_with_key(const struct door *d, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (str_equal(d->heard[i].key, d->heard[index].key)) {
            return false;
        }
    }
    return true;
}

/* What is lost is counted, what is doubled has its key again, what is late comes; nothing that comes is refused. */
static void test_a_bad_network_loses_doubles_and_shuffles(void **state)
{
    enum { EDITS = 400 };
    struct door d;
    size_t distinct = 0;
    int64_t lost;

    open_pipedrive(&d);
    post_order(
        &d, "/__sim/webhooks",
        "{\"drop_percent\":5,\"duplicate_percent\":10,\"reorder_percent\":20,\"delay_ms\":300}");
    for (int i = 0; i < EDITS; i++) {
        edit(&d, "{\"object\":\"persons\",\"set\":{\"name\":\"A\"}}");
        clock_wait_ms(d.env.clock, 50);
        deliver(&d);
    }
    clock_wait_ms(d.env.clock, 5000);
    deliver(&d);
    for (size_t i = 0; i < d.heard_count; i++) {
        distinct += is_first_with_key(&d, i);
    }
    lost = state_of(&d, "lost");
    print_message("  %d edits, %zu deliveries, %zu distinct, %" PRId64 " lost\n", EDITS,
                  d.heard_count, distinct, lost);
    assert_int_equal(d.refused, 0);
    assert_int_equal(distinct + (size_t)lost, EDITS);
    assert_true(lost > 5 && lost < 50);
    assert_true(d.heard_count > distinct + 15);
    close_door(&d);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hubspot_tells_what_happens),
        cmocka_unit_test(test_hubspot_tells_merges_and_erasures),
        cmocka_unit_test(test_hubspot_repeats_what_was_not_taken),
        cmocka_unit_test(test_hubspots_older_apps_subscribe_by_api),
        cmocka_unit_test(test_pipedrive_tells_what_happens),
        cmocka_unit_test(test_pipedrive_bans_who_fails),
        cmocka_unit_test(test_pipedrives_new_password_replaces_the_webhooks),
        cmocka_unit_test(test_salesforce_tells_what_happens),
        cmocka_unit_test(test_a_repeat_has_its_key_again),
        cmocka_unit_test(test_it_is_told_how_long_a_receiver_took),
        cmocka_unit_test(test_a_bad_network_loses_doubles_and_shuffles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
