/* An adapter against written exchanges. tests/fixtures/<crm>/<scenario>.json lists what must be
 * asked, in order, and what is answered. Virtual time, no sockets. An exchange has the members
 *   method, path, query: [parts that must be there], lacks: [parts that must not],
 *   without: [headers that must not be sent],
 *   sends: the body as it must be (sends_text: not JSON), status (200), headers: {}, body: JSON or
 *   text: "raw",
 *   fault: reset, timeout or truncate
 * or is {"use": "name"}: the exchanges of <crm>/name.json in its place. */
#ifndef CRMSYNC_TESTS_UNIT_ADAPTERS_REPLAY_H
#define CRMSYNC_TESTS_UNIT_ADAPTERS_REPLAY_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "core/jx.h"
#include "core/when.h"
#include "http/transport.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

static const int64_t REPLAY_BEGIN_MS = 1780000000500; /* 2026-05-28T20:26:40.500Z */
#define REPLAY_HOST "crm.replay.example"
#define REPLAY_TOKEN "0123456789abcdef0123456789abcdef01234567"

struct replay {
    const char *crm;
    json_t *exchanges; /* owned */
    size_t at;
    struct env env;
    struct http_client *client;
    struct session *session;
    struct secret token;
    struct arena arena;
    struct error err;
};

static json_t *replay_load(const char *crm, const char *scenario)
{
    char path[256];
    json_error_t why = {0};
    json_t *list, *flat = json_array();

    snprintf(path, sizeof path, "tests/fixtures/%s/%s.json", crm, scenario);
    list = json_load_file(path, 0, &why);
    if (!json_is_array(list)) {
        fail_msg("%s:%d: %s", path, why.line, why.text);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *exchange = json_array_get(list, i), *use = json_object_get(exchange, "use");

        if (use) {
            json_t *inner = replay_load(crm, json_string_value(use));

            json_array_extend(flat, inner);
            json_decref(inner);
        } else {
            json_array_append(flat, exchange);
        }
    }
    json_decref(list);
    return flat;
}

static void replay_check_parts(const json_t *exchange, const char *url)
{
    json_t *parts = json_object_get(exchange, "query"), *lacks = json_object_get(exchange, "lacks");

    for (size_t i = 0; i < json_array_size(parts); i++) {
        if (!strstr(url, json_string_value(json_array_get(parts, i)))) {
            fail_msg("'%s' is not in %s", json_string_value(json_array_get(parts, i)), url);
        }
    }
    for (size_t i = 0; i < json_array_size(lacks); i++) {
        if (strstr(url, json_string_value(json_array_get(lacks, i)))) {
            fail_msg("'%s' must not be in %s", json_string_value(json_array_get(lacks, i)), url);
        }
    }
}

static void replay_check_headers(const json_t *exchange, const struct http_headers *headers)
{
    json_t *names = json_object_get(exchange, "without");

    for (size_t i = 0; i < json_array_size(names); i++) {
        assert_int_equal(http_header_get(headers, json_string_value(json_array_get(names, i))).len,
                         0);
    }
}

static void replay_check_body(const json_t *exchange, struct str body)
{
    json_t *wanted = json_object_get(exchange, "sends"), *sent;
    const char *text = json_string_value(json_object_get(exchange, "sends_text"));

    if (text && !str_equal(str_of(text), body)) {
        fail_msg("sent %.*s", (int)body.len, body.at ? body.at : "");
    }
    if (!wanted) {
        return;
    }
    sent = json_loadb(body.at ? body.at : "", body.len, JSON_DECODE_ANY, NULL);
    if (!json_equal(wanted, sent)) {
        fail_msg("sent %.*s", (int)body.len, body.at ? body.at : "");
    }
    json_decref(sent);
}

static void replay_answer(const json_t *exchange, struct http_response *response)
{
    static const char *const FAULTS[] = {[HTTP_FAULT_RESET] = "reset",
                                         [HTTP_FAULT_TIMEOUT] = "timeout",
                                         [HTTP_FAULT_TRUNCATE] = "truncate"};
    const char *fault = json_string_value(json_object_get(exchange, "fault"));
    json_t *body = json_object_get(exchange, "body"), *value;
    const char *name, *text = json_string_value(json_object_get(exchange, "text"));
    json_t *status = json_object_get(exchange, "status");

    response->status = status ? (int)json_integer_value(status) : 200;
    response->body = body ? jx_text(&response->arena, body)
                          : arena_str(&response->arena, str_of(text ? text : ""));
    json_object_foreach(json_object_get(exchange, "headers"), name, value)
    {
        http_header_add(&response->headers, str_of(name), str_of(json_string_value(value)));
    }
    for (size_t i = HTTP_FAULT_RESET; fault && i < COUNT_OF(FAULTS); i++) {
        response->fault = strcmp(FAULTS[i], fault) == 0 ? (enum http_fault)i : response->fault;
    }
}

static void replay_handle(void *context, const struct http_request *request,
                          struct http_response *response)
{
    struct replay *r = context;
    json_t *exchange = json_array_get(r->exchanges, r->at++);
    char *url = arena_cstr(&r->arena, request->url);
    struct str path = http_path(request);

    if (!exchange) {
        fail_msg("asked once more than written: %s %s", http_method_name(request->method), url);
    }
    assert_string_equal(http_method_name(request->method),
                        json_string_value(json_object_get(exchange, "method")));
    assert_string_equal(arena_cstr(&r->arena, path),
                        json_string_value(json_object_get(exchange, "path")));
    assert_null(strstr(url, REPLAY_TOKEN)); /* a token in an address ends up in logs */
    replay_check_parts(exchange, url);
    replay_check_headers(exchange, &request->headers);
    replay_check_body(exchange, request->body);
    replay_answer(exchange, response);
}

static void replay_open(struct replay *r, const struct adapter *adapter, const char *scenario)
{
    static const char *const HOSTS[] = {REPLAY_HOST};
    struct account account = {
        .connection = "test", .base_url = STR("https://" REPLAY_HOST), .token = &r->token};

    *r = (struct replay){.crm = adapter->name, .exchanges = replay_load(adapter->name, scenario)};
    r->env =
        (struct env){.clock = clock_new_virtual(REPLAY_BEGIN_MS), .random = random_new_seeded(1)};
    r->env.transport = transport_new_mounted(r->env.clock, 5);
    transport_mount(r->env.transport, REPLAY_HOST, replay_handle, r);
    r->client = http_client_new(&r->env, &(const struct http_client_options){
                                             .allowed_hosts = HOSTS, .allowed_hosts_count = 1});
    secret_set(&r->token, STR(REPLAY_TOKEN));
    assert_int_equal(adapter->open(&r->env, r->client, &account, &r->session, &r->err), OK);
}

/* Everything written must have been asked. */
static void replay_close(struct replay *r, const struct adapter *adapter)
{
    assert_int_equal(r->at, json_array_size(r->exchanges));
    adapter->close(r->session);
    http_client_free(r->client);
    transport_free(r->env.transport);
    secret_fini(&r->token);
    random_free(r->env.random);
    clock_free(r->env.clock);
    json_decref(r->exchanges);
    arena_fini(&r->arena);
}

#endif
