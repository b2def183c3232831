/* Two tenants with the same data under other names, tokens of every role, and a host that plays along: for tests that speak to the API without sockets. */
#ifndef CRMSYNC_TESTS_API_WORLD_H
#define CRMSYNC_TESTS_API_WORLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "api/json.h"
#include "api/token.h"
#include "core/alloc.h"
#include "store/brake.h"
#include "store/connection.h"
#include "store/endpoint.h"
#include "store/journal.h"
#include "store/link.h"
#include "store/review.h"
#include "store/run.h"
#include "store/stream.h"
#include "sync/edit.h"

#include "tests/unit/store/fixture.h"

/* Stands in everything that belongs to the second tenant. */
#define TAINT "zzforeignzz"

enum token_kind {
    TOKEN_NONE,
    TOKEN_GARBLED,
    TOKEN_VIEWER,
    TOKEN_OPERATOR,
    TOKEN_ADMIN,
    TOKEN_EXPIRED,
    TOKEN_REVOKED,
    TOKEN_SERVICE, /* admin of all tenants */
    TOKEN_FOREIGN, /* admin of the second tenant */
    TOKEN_KINDS
};

struct tenant_data {
    const char *name, *taint;
    int64_t id, connection_id, conflict_id, failure_id, dead_id;
    char record[UUID_TEXT_BYTES], order[UUID_TEXT_BYTES];
};

struct api_world {
    struct fixture f;
    struct kinds kinds;
    struct connection_settings connections[2];
    struct str all_kinds[8];
    struct sync_settings settings[2];
    struct api_tenant tenants[2];
    struct tenant_data data[2];
    struct secret tokens[TOKEN_KINDS];
    struct api *api;
    pthread_mutex_t mutex;    /* of ordered */
    struct api_order ordered; /* the last one */
    atomic_int edits;
    bool refuses;
    bool metrics_are_public;
    const char *client; /* NULL: an address somewhere */
};

/* --- the host ------------------------------------------------------------------------------------------------ */

static inline void world_enter(void *context, struct api_setup *ret)
{
    struct api_world *w = context;

    *ret = (struct api_setup){.kinds = &w->kinds,
                              .tenants = w->tenants,
                              .tenants_count = 2,
                              .metrics_are_public = w->metrics_are_public};
}

static inline enum fail world_sync(void *context, const struct api_order *order, struct error *err)
{
    struct api_world *w = context;

    pthread_mutex_lock(&w->mutex);
    w->ordered = *order;
    pthread_mutex_unlock(&w->mutex);
    return w->refuses ? error_set(err, FAIL_CANCELLED, "the service is stopping") : OK;
}

static inline void world_edited(void *context, int64_t tenant_id)
{
    struct api_world *w = context;

    (void)tenant_id;
    atomic_fetch_add(&w->edits, 1);
}

static inline enum fail world_test(void *context, const struct api_tenant *tenant,
                                   struct str connection, json_t **ret_rows, bool *ret_is_fine,
                                   struct error *err)
{
    (void)context;
    (void)tenant;
    (void)err;
    *ret_is_fine = true;
    *ret_rows = json_pack("[{s:s%,s:s,s:s}]", "check", connection.at, connection.len, "result",
                          "ok", "try", "");
    return OK;
}

static inline enum fail world_put(void *context, struct str tenant, struct str name,
                                  const json_t *settings, struct error *err)
{
    (void)context;
    (void)tenant;
    (void)name;
    return json_object_get(settings, "adapter")
               ? OK
               : error_set(err, FAIL_CONFIG, "'adapter' is missing here");
}

static inline enum fail world_remove(void *context, struct str tenant, struct str name,
                                     struct error *err)
{
    struct api_world *w = context;

    (void)tenant;
    (void)name;
    return w->refuses ? error_set(err, FAIL_CONFIG, "it stands in crmsync.yaml") : OK;
}

static inline enum fail world_start(void *context, const struct api_tenant *tenant,
                                    struct str connection, struct arena *arena, struct str *ret_url,
                                    struct error *err)
{
    (void)context;
    (void)connection;
    (void)err;
    *ret_url =
        arena_printf(arena, "https://crm.example/authorize?for=%" PRI_STR, STR_ARG(tenant->name));
    return OK;
}

static inline enum fail world_finish(void *context, const struct http_request *request,
                                     struct arena *arena, struct str *ret_account,
                                     struct error *err)
{
    (void)context;
    if (!str_equal(http_query_get(arena, request, "state"), STR("good"))) {
        return error_set(err, FAIL_STALE, "no sign-in waits for that");
    }
    *ret_account = STR("Example Inc");
    return OK;
}

static inline bool world_ready(void *context, json_t **ret_checks)
{
    struct api_world *w = context;

    *ret_checks = json_pack("{s:s}", "store", w->refuses ? "full" : "ok");
    return !w->refuses;
}

/* --- data ---------------------------------------------------------------------------------------------------- */

static inline void world_token(struct api_world *w, enum token_kind kind, enum api_role role,
                               int tenant, int64_t expires_ms)
{
    static const char *const NAMES[] = {
        [TOKEN_VIEWER] = "viewer",   [TOKEN_OPERATOR] = "operator", [TOKEN_ADMIN] = "admin",
        [TOKEN_EXPIRED] = "expired", [TOKEN_REVOKED] = "revoked",   [TOKEN_SERVICE] = "service",
        [TOKEN_FOREIGN] = TAINT};
    struct store_api_token token = {.name = str_of(NAMES[kind]),
                                    .role = role,
                                    .is_for_all = kind == TOKEN_SERVICE,
                                    .expires_ms = expires_ms};
    struct fixture *f = &w->f;
    bool found;

    api_token_make(f->env.random, &w->tokens[kind], token.hash);
    MUST(f, tx_begin(f->store, w->data[tenant].id, &f->tx, &f->err));
    MUST(f, api_token_put(f->tx, &token, &f->err));
    if (kind == TOKEN_REVOKED) {
        MUST(f, api_token_revoke(f->tx, token.name, &found, &f->err));
        assert_true(found);
    }
    fixture_commit(f);
}

static inline void world_make_tokens(struct api_world *w)
{
    world_token(w, TOKEN_VIEWER, ROLE_VIEWER, 0, 0);
    world_token(w, TOKEN_OPERATOR, ROLE_OPERATOR, 0, START_MS + 1000000000);
    world_token(w, TOKEN_ADMIN, ROLE_ADMIN, 0, 0);
    world_token(w, TOKEN_EXPIRED, ROLE_ADMIN, 0, START_MS);
    world_token(w, TOKEN_REVOKED, ROLE_ADMIN, 0, 0);
    world_token(w, TOKEN_SERVICE, ROLE_ADMIN, 0, 0);
    world_token(w, TOKEN_FOREIGN, ROLE_ADMIN, 1, 0);
    secret_set(&w->tokens[TOKEN_GARBLED],
               STR("crmsync_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

static inline void world_review(struct api_world *w, struct tenant_data *data,
                                const struct store_record *record, const struct store_link *link)
{
    struct fixture *f = &w->f;
    struct str taint = str_of(data->taint);
    struct store_conflict conflict = {.record_id = record->id,
                                      .link_id = link->id,
                                      .connection_id = data->connection_id,
                                      .kind = STR("contact"),
                                      .field = STR("first_name"),
                                      .hub = VALUE_OF(taint),
                                      .remote = VALUE_OF(taint),
                                      .base = VALUE_OF(taint)};
    struct store_failure failure = {.connection_id = data->connection_id,
                                    .kind = STR("contact"),
                                    .remote_id = taint,
                                    .record_id = record->id,
                                    .stage = STR("push"),
                                    .reason = STR("refused"),
                                    .message = taint,
                                    .hint = taint};
    const struct store_brake brake = {.connection_id = data->connection_id,
                                      .kind = STR("contact"),
                                      .what = BRAKE_DELETES,
                                      .count = 30,
                                      .linked = 100,
                                      .stopped_ms = START_MS};

    MUST(f, conflict_put(f->tx, &conflict, &f->err));
    MUST(f, failure_put(f->tx, &failure, &f->err));
    MUST(f, brake_put(f->tx, &brake, &f->err));
    data->conflict_id = conflict.id;
    data->failure_id = failure.id;
}

static inline void world_record(struct api_world *w, struct tenant_data *data)
{
    struct fixture *f = &w->f;
    char email[64];
    struct store_record record;
    struct store_link link;

    snprintf(email, sizeof email, "%s@example.com", data->taint);
    record = make_record(f, email);
    link = link_of(f, record.id, data->taint);
    link.connection_id = data->connection_id;
    link.base = (struct base){.remote = fields_of_one(f, "email", email)};
    MUST(f, link_insert(f->tx, &link, &f->err));
    const struct journal_change change = {.field = STR("email"),
                                          .to = VALUE_OF(str_of(email)),
                                          .rule = str_of(data->taint),
                                          .lost = VALUE_OF(str_of(data->taint)),
                                          .changed_ms = START_MS};
    const struct journal_entry entry = {.record_id = record.id,
                                        .record_version = 1,
                                        .at_ms = START_MS,
                                        .connection_id = data->connection_id,
                                        .cause = CAUSE_IMPORT,
                                        .changes = &change,
                                        .changes_count = 1};
    MUST(f, journal_append(f->tx, &entry, &f->err));
    snprintf(data->record, sizeof data->record, "%" PRI_STR, STR_ARG(record.uuid));
    world_review(w, data, &record, &link);
}

/* An endpoint that did not take one event. */
static inline void world_endpoint(struct api_world *w, struct tenant_data *data, const char *name)
{
    struct fixture *f = &w->f;
    struct store_endpoint endpoint;
    struct dead_event dead = {.journal = 1, .attempts = 3, .reason = str_of(data->taint)}, *rows;
    size_t count;

    MUST(f, endpoint_ensure(f->tx, str_of(name), &f->arena, &endpoint, &f->err));
    dead.endpoint_id = endpoint.id;
    MUST(f, dead_event_put(f->tx, &dead, &f->err));
    MUST(f, dead_event_list(f->tx, 0, false, 0, 1, &f->arena, &rows, &count, &f->err));
    data->dead_id = rows[0].id;
}

static inline void world_tenant(struct api_world *w, int index)
{
    static const char *const NAMES[] = {"default", TAINT "tenant"}, *const WORDS[] = {"ours",
                                                                                      TAINT};
    struct fixture *f = &w->f;
    struct tenant_data *data = &w->data[index];
    struct store_stream stream;
    int64_t run_id;
    bool found;

    *data = (struct tenant_data){.name = NAMES[index], .taint = WORDS[index]};
    MUST(f, store_tenant(f->store, str_of(data->name), true, &data->id, &found, &f->err));
    MUST(f, tx_begin(f->store, data->id, &f->tx, &f->err));
    data->connection_id = fixture_connection(f, index ? TAINT "crm" : "crm");
    MUST(f, connection_account_set(f->tx, data->connection_id, str_of(data->taint),
                                   str_of(data->taint), &f->err));
    MUST(f, stream_ensure(f->tx, data->connection_id, STR("contact"), &f->arena, &stream, &f->err));
    MUST(f, run_begin(f->tx, str_of(data->taint), &run_id, &f->err));
    world_record(w, data);
    world_endpoint(w, data, index ? TAINT "hook" : "hook");
    fixture_commit(f);
}

static inline void world_configure(struct api_world *w)
{
    struct fixture *f = &w->f;

    MUST(f, kinds_load_embedded(&f->arena, &w->kinds, &f->err));
    for (int i = 0; i < 2; i++) {
        struct mappings *mappings = ARENA_NEW(&f->arena, struct mappings);

        MUST(f, mappings_load(&f->arena, &w->kinds, STR("hubspot"), NULL, mappings, &f->err));
        w->all_kinds[0] = STR("contact");
        w->connections[i] = (struct connection_settings){.name = i ? STR(TAINT "crm") : STR("crm"),
                                                         .adapter = adapter_by_name(STR("hubspot")),
                                                         .kinds = w->all_kinds,
                                                         .kinds_count = 1,
                                                         .mappings = mappings,
                                                         .may_create = true};
        w->settings[i] = (struct sync_settings){
            .kinds = &w->kinds, .connections = &w->connections[i], .connections_count = 1};
        w->tenants[i] = (struct api_tenant){
            .name = str_of(w->data[i].name), .id = w->data[i].id, .settings = &w->settings[i]};
    }
}

/* is_real: with the machine's clock and random numbers, which several threads may use. */
static inline void world_open_as(struct api_world *w, bool is_real)
{
    struct fixture *f = &w->f;

    *w = (struct api_world){0};
    pthread_mutex_init(&w->mutex, NULL);
    fixture_prepare(f);
    if (is_real) {
        clock_free(f->env.clock);
        random_free(f->env.random);
        f->env.clock = clock_new_real();
        f->env.random = random_new_system();
    }
    fixture_open_as(f, STORE_CREATE);
    world_tenant(w, 0);
    world_tenant(w, 1);
    world_configure(w);
    world_make_tokens(w);
    const struct api_options options = {.env = &f->env,
                                        .store = f->store,
                                        .host = {.context = w,
                                                 .enter = world_enter,
                                                 .sync = world_sync,
                                                 .edited = world_edited,
                                                 .test = world_test,
                                                 .connection_put = world_put,
                                                 .connection_remove = world_remove,
                                                 .sign_in_start = world_start,
                                                 .sign_in_finish = world_finish,
                                                 .ready = world_ready}};
    w->api = api_new(&options);
}

static inline void world_open(struct api_world *w)
{
    world_open_as(w, false);
}

static inline void world_close(struct api_world *w)
{
    api_free(w->api);
    pthread_mutex_destroy(&w->mutex);
    for (int i = 0; i < TOKEN_KINDS; i++) {
        secret_fini(&w->tokens[i]);
    }
    fixture_end(&w->f);
}
#define AUTO_WORLD __attribute__((cleanup(world_close)))

/* --- asking -------------------------------------------------------------------------------------------------- */

struct asked {
    enum http_method method;
    const char *target;
    const char *body; /* NULL none */
    const char *headers[4][2];
};

/* *ret is the caller's to end. Time passes, so that no limit is met unless the test wants it. */
static inline void world_ask(struct api_world *w, enum token_kind token, const struct asked *asked,
                             struct http_response *ret)
{
    struct http_request request = {.method = asked->method,
                                   .url = str_of(asked->target),
                                   .body = str_of(asked->body),
                                   .client_address = str_of(w->client ? w->client : "192.0.2.1")};
    AUTO_ARENA struct arena arena = {0};

    if (token != TOKEN_NONE) {
        http_header_add(
            &request.headers, STR("Authorization"),
            arena_printf(&arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&w->tokens[token]))));
    }
    if (asked->body) {
        http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    }
    for (size_t i = 0; i < COUNT_OF(asked->headers) && asked->headers[i][0]; i++) {
        http_header_add(&request.headers, str_of(asked->headers[i][0]),
                        str_of(asked->headers[i][1]));
    }
    *ret = (struct http_response){0};
    api_handle(w->api, &request, ret);
}

static inline int world_status(struct api_world *w, enum token_kind token, enum http_method method,
                               const char *target, const char *body)
{
    const struct asked asked = {.method = method, .target = target, .body = body};
    struct http_response response;
    int status;

    world_ask(w, token, &asked, &response);
    status = response.status;
    http_response_fini(&response);
    return status;
}

#endif
