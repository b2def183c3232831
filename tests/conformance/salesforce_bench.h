/* The Salesforce adapter in front of the Salesforce simulator, in one process and virtual time. */
#ifndef CRMSYNC_TESTS_CONFORMANCE_SALESFORCE_BENCH_H
#define CRMSYNC_TESTS_CONFORMANCE_SALESFORCE_BENCH_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/salesforce_inside.h"
#include "core/jx.h"
#include "http/transport.h"
#include "simulators/simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t BEGIN_MS = 1780000000000; /* 2026-05-28T20:26:40Z */

struct bench {
    const struct adapter *adapter;
    struct env env;
    struct simulator *simulator;
    struct http_client *client;
    struct session *session;
    struct secret token;
    struct arena arena;
    struct error err;
    bool wants_events; /* of sessions opened from now on, as are these */
    const struct adapter_object *objects;
    size_t objects_count;
};

static inline void open_session(struct bench *b)
{
    struct account account = {.connection = "test",
                              .base_url = STR("https://crm.sim.example"),
                              .token = &b->token,
                              .wants_events = b->wants_events,
                              .objects = b->objects,
                              .objects_count = b->objects_count};

    b->adapter->close(b->session);
    b->session = NULL;
    assert_int_equal(b->adapter->open(&b->env, b->client, &account, &b->session, &b->err), OK);
}

static inline void bench_open(struct bench *b, const struct simulator_options *options)
{
    static const char *const HOSTS[] = {"crm.sim.example"};

    *b = (struct bench){.adapter = &adapter_salesforce};
    b->env = (struct env){.clock = clock_new_virtual(BEGIN_MS), .random = random_new_seeded(1)};
    assert_int_equal(simulator_salesforce_new(&b->env, options, &b->simulator, &b->err), OK);
    b->env.transport = transport_new_mounted(b->env.clock, 5);
    transport_mount(b->env.transport, "crm.sim.example", simulator_handle, b->simulator);
    b->client = http_client_new(&b->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&b->token, str_of(simulator_token(b->simulator)));
    open_session(b);
}

/* Makes the field that carries our key. */
static inline void set_up(struct bench *b)
{
    static const char *const KINDS[] = {"contact", "company", "deal", "activity"};
    struct setup_report report = {0};

    if (b->adapter->ensure_setup(
            b->session,
            &(const struct setup_request){.kinds = KINDS, .kinds_count = COUNT_OF(KINDS)}, &report,
            &b->err) != OK) {
        fail_msg("set-up: %s", b->err.message);
    }
}

static inline void bench_close(struct bench *b)
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
static inline json_t *ask(struct bench *b, enum http_method method, const char *path,
                          const char *body)
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

static inline int64_t calls_so_far(struct bench *b)
{
    return json_integer_value(jx_get(ask(b, HTTP_GET, "/__sim/stats", ""), "calls_total"));
}

/* What a person does in Salesforce's own pages. set: JSON object; id "" creates. Returns the id. */
static inline struct str edit(struct bench *b, const char *object, struct str id, const char *set)
{
    struct str body =
        id.len ? arena_printf(&b->arena, "{\"object\":\"%s\",\"id\":\"%" PRI_STR "\",\"set\":%s}",
                              object, STR_ARG(id), set)
               : arena_printf(&b->arena, "{\"object\":\"%s\",\"set\":%s}", object, set);
    const json_t *answer = ask(b, HTTP_POST, "/__sim/edit", body.at);
    struct str made = jx_text_of(jx_get(answer, "id"));

    return made.len ? made : id;
}

/* So many contacts, all made within one second. */
static inline void fill(struct bench *b, int count)
{
    for (int made = 0; made < count;) {
        AUTO_ARENA struct arena arena = {0};
        json_t *records = json_array(), *body;
        struct http_request request = {.method = HTTP_POST};
        struct http_response response = {0};

        for (int i = 0; i < SF_COLLECTION_MAX && made < count; i++, made++) {
            json_array_append_new(
                records, json_pack("{s:{s:s},s:s,s:s}", "attributes", "type", "Contact", "LastName",
                                   arena_printf(&arena, "Ray %d", made).at, "Email",
                                   arena_printf(&arena, "ray.%d@ray.example", made).at));
        }
        body = jx_own(&arena, json_pack("{s:b,s:o}", "allOrNone", 0, "records", records));
        request.url = STR("/services/data/v66.0/composite/sobjects");
        request.body = jx_text(&arena, body);
        http_header_add(
            &request.headers, STR("Authorization"),
            arena_printf(&arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&b->token))));
        http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
        simulator_handle(b->simulator, &request, &response);
        assert_int_equal(response.status, 200);
        http_response_fini(&response);
    }
}

static inline void delete_there(struct bench *b, const char *object, struct str id)
{
    ask(b, HTTP_POST, "/__sim/delete",
        arena_printf(&b->arena, "{\"object\":\"%s\",\"id\":\"%" PRI_STR "\"}", object, STR_ARG(id))
            .at);
}

static inline void fetch(struct bench *b, const char *kind, const struct str *ids, size_t count,
                         const struct str *properties, size_t properties_count,
                         struct remote_page *ret)
{
    struct fetch_request request = {.kind = kind,
                                    .properties = properties,
                                    .properties_count = properties_count,
                                    .remote_ids = ids,
                                    .remote_ids_count = count};

    if (b->adapter->fetch_many(b->session, &request, &b->arena, ret, &b->err) != OK) {
        fail_msg("%s", b->err.message);
    }
}

static inline const struct remote_record *record_of(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, id)) {
            return &page->records[i];
        }
    }
    return NULL;
}

#endif
