/* The Pipedrive adapter in front of the Pipedrive simulator, in one process and virtual time. */
#ifndef CRMSYNC_TESTS_CONFORMANCE_PIPEDRIVE_BENCH_H
#define CRMSYNC_TESTS_CONFORMANCE_PIPEDRIVE_BENCH_H

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

struct bench {
    const struct adapter *adapter;
    struct env env;
    struct simulator *simulator;
    struct http_client *client;
    struct session *session;
    struct secret token;
    struct arena arena;
    struct error err;
};

/* A session over the same account; the token may be another one of it. */
static inline struct session *open_session(struct bench *b, const struct secret *token,
                                           bool is_oauth)
{
    struct session *session;
    struct account account = {.connection = is_oauth ? "oauth" : "test",
                              .base_url = STR("https://crm.sim.example"),
                              .token = token,
                              .token_is_oauth = is_oauth};

    assert_int_equal(b->adapter->open(&b->env, b->client, &account, &session, &b->err), OK);
    return session;
}

static inline void bench_open_kinds(struct bench *b, const struct simulator_options *options,
                                    const char *const *kinds, size_t kinds_count)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    struct setup_report report = {0};

    *b = (struct bench){.adapter = adapter_by_name(STR("pipedrive"))};
    b->env = (struct env){.clock = clock_new_virtual(BEGIN_MS), .random = random_new_seeded(1)};
    assert_int_equal(simulator_pipedrive_new(&b->env, options, &b->simulator, &b->err), OK);
    b->env.transport = transport_new_mounted(b->env.clock, 5);
    transport_mount(b->env.transport, "crm.sim.example", simulator_handle, b->simulator);
    b->client = http_client_new(&b->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&b->token, str_of(simulator_token(b->simulator)));
    b->session = open_session(b, &b->token, false);
    assert_int_equal(b->adapter->ensure_setup(
                         b->session,
                         &(const struct setup_request){.kinds = kinds, .kinds_count = kinds_count},
                         &report, &b->err),
                     OK);
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

static inline json_t *props(struct bench *b, const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);

    assert_non_null(tree);
    return jx_own(&b->arena, tree);
}

/* Straight to the simulator, past the adapter. */
static inline int ask(struct bench *b, const char *path, const char *body)
{
    struct http_request request = {.method = HTTP_POST, .url = str_of(path), .body = str_of(body)};
    struct http_response response = {0};
    int status;

    http_header_add(&request.headers, STR("x-api-token"), secret_expose(&b->token));
    http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    simulator_handle(b->simulator, &request, &response);
    status = response.status;
    http_response_fini(&response);
    return status;
}

static inline void create(struct bench *b, const char *kind, const char *key, const char *text,
                          struct write_item *ret)
{
    *ret = (struct write_item){.correlation_key = str_of(key), .props = props(b, text)};
    assert_int_equal(b->adapter->upsert(b->session, kind, &b->arena, ret, 1, &b->err), OK);
    if (ret->outcome != WRITE_DONE) {
        fail_msg("%s", ret->error.message);
    }
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

    assert_int_equal(b->adapter->fetch_many(b->session, &request, &b->arena, ret, &b->err), OK);
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

static inline void upsert(struct bench *b, const char *kind, struct write_item *item)
{
    assert_int_equal(b->adapter->upsert(b->session, kind, &b->arena, item, 1, &b->err), OK);
}

/* GET of the simulator itself. */
static inline json_t *look(struct bench *b, const char *path)
{
    struct http_request request = {.method = HTTP_GET, .url = str_of(path)};
    struct http_response response = {0};
    json_t *tree;

    simulator_handle(b->simulator, &request, &response);
    assert_int_equal(response.status, 200);
    tree = json_loadb(response.body.at, response.body.len, 0, NULL);
    assert_non_null(tree);
    http_response_fini(&response);
    return jx_own(&b->arena, tree);
}

static inline int64_t calls_so_far(struct bench *b)
{
    return json_integer_value(json_object_get(look(b, "/__sim/stats"), "calls_total"));
}

/* Compact JSON. */
static inline const char *text_of(struct bench *b, const json_t *value)
{
    return value ? arena_cstr(&b->arena, jx_text(&b->arena, value)) : "(none)";
}

#endif
