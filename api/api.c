#include "api/api.h"

#include <stdlib.h>

#include "api/inside.h"
#include "api/token.h"
#include "core/alloc.h"

enum {
    TOKEN_BURST = 40,
    TOKEN_REFILL_MS = 50, /* 20 a second */
    ATTEMPTS = 5,
    ATTEMPT_REFILL_MS = 12 * 1000 /* 5 a minute */
};

struct api *api_new(const struct api_options *options)
{
    struct api *api = alloc_new(1, sizeof *api);

    api->env = options->env;
    api->host = options->host;
    api->handles = handles_new(options->store, options->is_private);
    api->orders = orders_new(options->env);
    api->followers = followers_new(options->env, api->handles);
    api->tokens = rate_new(options->env->clock, TOKEN_BURST, TOKEN_REFILL_MS);
    api->addresses = rate_new(options->env->clock, ATTEMPTS, ATTEMPT_REFILL_MS);
    api_token_make(options->env->random, &api->local_token, api->local_hash);
    return api;
}

void api_free(struct api *api)
{
    if (api) {
        followers_free(api->followers);
        handles_free(api->handles);
        orders_free(api->orders);
        rate_free(api->tokens);
        rate_free(api->addresses);
        secret_fini(&api->local_token);
        free(api);
    }
}

bool api_owns(struct str path)
{
    return str_starts(path, STR("/api/")) || str_equal(path, STR("/healthz")) ||
           str_equal(path, STR("/readyz")) || str_equal(path, STR("/openapi.json")) ||
           str_equal(path, STR("/metrics"));
}

static void begin_call(struct api *api, const struct http_request *request, struct arena *arena,
                       struct api_call *ret)
{
    *ret = (struct api_call){
        .api = api, .env = api->env, .arena = arena, .host = &api->host, .request = request};
    api->host.enter(api->host.context, &ret->setup);
}

static void end_call(struct api_call *call)
{
    if (call->reader) {
        handles_give(call->api->handles, STORE_READ, call->reader);
    }
    if (call->writer) {
        if (call->token_id) {
            store_actor_set(call->writer, NULL);
        }
        handles_give(call->api->handles, STORE_WRITE, call->writer);
    }
    if (call->host->leave) {
        call->host->leave(call->host->context, &call->setup);
    }
}

static enum fail find_route(struct api_call *call, struct error *err)
{
    struct str allow;

    switch (api_match(call, &allow)) {
    case API_MATCH:
        return OK;
    case API_MATCH_NONE:
        error_set(err, FAIL_CONFIG, "there is nothing at this address");
        error_hint(err, "GET /openapi.json describes what there is");
        return api_status(call, 404, err);
    case API_MATCH_OTHER_METHOD:
        api_header(call, "Allow", allow);
        error_set(err, FAIL_CONFIG, "this address does not know %s",
                  http_request_method(call->request));
        return api_status(call, 405, err);
    }
    return OK;
}

static enum fail answer(struct api_call *call, struct error *err)
{
    if (find_route(call, err) != OK || api_admit(call, err) != OK ||
        api_check_query(call, err) != OK || api_read_body(call, err) != OK) {
        return err->code;
    }
    if (call->route->handle(call, err) == OK && call->tenant && call->writer &&
        call->request->method != HTTP_GET && call->host->edited) {
        call->host->edited(call->host->context, call->tenant->id);
    }
    return err->code;
}

/* What people must look into; what a client did wrong is its own business. */
static void log_failure(const struct api_call *call, const struct error *err)
{
    if (err->code == FAIL_STOP || err->code == FAIL_BUG) {
        LOG_EVENT(call->env->log, LOG_ERROR, "request failed",
                  LOG_S("path", http_path(call->request)), LOG_S("why", str_of(err->message)));
    }
}

void api_handle(void *context, const struct http_request *request, struct http_response *response)
{
    AUTO_ARENA struct arena arena = {0};
    struct api_call call;
    struct error err = {0};

    begin_call(context, request, &arena, &call);
    call.response = response;
    answer(&call, &err);
    log_failure(&call, &err);
    if (!call.is_answered) {
        api_render(&call, &err, response);
    }
    end_call(&call);
}

static enum fail ask_inside(struct api_call *call, int64_t tenant_id, struct error *err)
{
    call->role = ROLE_ADMIN;
    for (size_t i = 0; i < call->setup.tenants_count; i++) {
        if (call->setup.tenants[i].id == tenant_id) {
            call->tenant = &call->setup.tenants[i];
        }
    }
    if (find_route(call, err) != OK || api_check_query(call, err) != OK ||
        api_read_body(call, err) != OK) {
        return err->code;
    }
    return call->route->handle(call, err);
}

enum fail api_ask(struct api *api, int64_t tenant_id, enum http_method method, struct str target,
                  json_t *body, struct arena *arena, json_t **ret, struct error *err)
{
    const struct http_request request = {.method = method, .url = target};
    struct api_call call;

    begin_call(api, &request, arena, &call);
    call.body = body;
    ask_inside(&call, tenant_id, err);
    end_call(&call);
    *ret = call.answer;
    return err->code;
}

enum fail api_follow(struct api *api, struct error *err)
{
    return followers_step(api->followers, err);
}

void api_local_token(const struct api *api, struct secret *ret)
{
    secret_set(ret, secret_expose(&api->local_token));
}

void api_order_progress(struct api *api, const char *id, const struct sync_progress *progress)
{
    orders_progress(api->orders, str_of(id), progress);
}

void api_order_end(struct api *api, const char *id, const struct sync_report *report,
                   const struct error *err)
{
    orders_end(api->orders, str_of(id), report, err);
}

/* --- for handlers -------------------------------------------------------------------------------------------- */

enum fail api_read(struct api_call *call, struct tx **ret, struct error *err)
{
    if (!call->reader && handles_take(call->api->handles, STORE_READ, &call->reader, err) != OK) {
        return err->code;
    }
    return tx_begin(call->reader, call->tenant->id, ret, err);
}

/* Whose token it is stands in the audit log; a command that asks in its own process acts for its user. */
struct store *api_writer(struct api_call *call, struct error *err)
{
    if (!call->writer && handles_take(call->api->handles, STORE_WRITE, &call->writer, err) != OK) {
        return NULL;
    }
    if (call->token_id) {
        store_actor_set(call->writer,
                        arena_printf(call->arena, "token:%" PRI_STR, STR_ARG(call->token_name)).at);
    }
    return call->writer;
}

enum fail api_write(struct api_call *call, struct tx **ret, struct error *err)
{
    struct store *writer = api_writer(call, err);

    return writer ? tx_begin(writer, call->tenant->id, ret, err) : err->code;
}
