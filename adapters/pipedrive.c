/* Pipedrive: the table, sessions, account, and the reading of an answer. Fields: pipedrive_fields.c; reading: pipedrive_read.c; writing:
 * pipedrive_write.c. API v2 wherever it exists. Facts: pipedrive.readme.io and the OpenAPI documents, read 2026-08 to 2026-11. */
#include "adapters/pipedrive_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"

static enum fail pipedrive_open(struct env *env, struct http_client *client,
                                const struct account *account, struct session **ret,
                                struct error *err);
static void pipedrive_close(struct session *session);
static enum fail pipedrive_check(struct session *session, struct arena *arena,
                                 struct account_facts *ret, struct error *err);

enum { GATEWAY_BLOCK_MS = 30 * 60 * 1000, DAILY_WAIT_MS = 15 * 60 * 1000, BURST_WAIT_MS = 2000 };

static const char *const HOSTS[] = {"api.pipedrive.com", "*.pipedrive.com", NULL};

const struct adapter adapter_pipedrive = {
    .name = "pipedrive",
    .title = "Pipedrive",
    .capabilities = 0,
    .objects = {{"contact", "persons", "person"}, {"company", "organizations", "organization"}},
    .default_base_url = "https://api.pipedrive.com",
    .allowed_hosts = HOSTS,
    /* source: pipedrive.readme.io/docs/core-api-concepts-rate-limiting; the smallest plan, headers correct them upward. */
    .limits = {{"burst", 20, 2000, 10}, {"search", 10, 2000, 0}, {"tokens", 30000, 0, 10}},
    .batch_read_max = PD_IDS_MAX,
    .batch_write_max = 100,
    .token_hint = "Pipedrive: your name > Personal preferences > API; best of a user of its own "
                  "with access to everything",
    .open = pipedrive_open,
    .close = pipedrive_close,
    .check = pipedrive_check,
    .describe = pipedrive_describe,
    .ensure_setup = pipedrive_ensure_setup,
    .list = pipedrive_list,
    .fetch_many = pipedrive_fetch_many,
    .find = pipedrive_find,
    .upsert = pipedrive_upsert,
    .remove = pipedrive_remove,
};

static enum fail pipedrive_open(struct env *env, struct http_client *client,
                                const struct account *account, struct session **ret,
                                struct error *err)
{
    struct str base =
        account->base_url.len ? account->base_url : str_of(adapter_pipedrive.default_base_url);
    AUTO_FREE char *key = alloc_printf("pipedrive/%s", account->connection);
    struct session *session;
    char *header;

    if (account->api_version.len) {
        error_set(err, FAIL_CONFIG, "pipedrive has no api_version to choose");
        return error_hint(err, "take api_version out of connection '%s'", account->connection);
    }
    session = alloc_new(1, sizeof *session);
    session->env = env;
    session->client = client;
    while (base.len && base.at[base.len - 1] == '/') {
        base.len--;
    }
    session->base_url = alloc_printf("%" PRI_STR, STR_ARG(base));
    session->is_oauth = account->token_is_oauth;
    header = alloc_printf("%s%" PRI_STR, session->is_oauth ? "Bearer " : "",
                          STR_ARG(secret_expose(account->token)));
    secret_set(&session->header, str_of(header));
    explicit_bzero(header, strlen(header));
    free(header);
    session->account =
        (struct http_account){.limits = limiter_account(http_client_limiter(client), str_of(key),
                                                        adapter_pipedrive.limits, 3),
                              .lane = account->lane,
                              .classify = pipedrive_classify,
                              .context = session};
    *ret = session;
    return OK;
}

static void pipedrive_close(struct session *session)
{
    if (session) {
        pipedrive_free_fields(session);
        secret_fini(&session->header);
        free(session->base_url);
        free(session);
    }
}

static enum fail pipedrive_check(struct session *session, struct arena *arena,
                                 struct account_facts *ret, struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {
        .method = HTTP_GET, .path = STR("/api/v1/users/me"), .tokens = PD_COST_ME, .is_safe = true};

    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        jx_id(arena, answer.data, "company_id", &ret->account_id, err) != OK ||
        jx_str_or(answer.data, "company_domain", STR(""), &ret->title, err) != OK ||
        jx_str_or(answer.data, "timezone_name", STR(""), &ret->time_zone, err) != OK ||
        jx_id_or(arena, answer.data, "id", STR(""), &ret->user_id, err) != OK) {
        return error_wrap(err, "pipedrive account");
    }
    return OK;
}

/* --- calls --------------------------------------------------------------------------------------------------------------------- */

int pipedrive_kind_index(const char *kind)
{
    const struct adapter_object *object = adapter_object_of(&adapter_pipedrive, kind);

    assert(object);
    return (int)(object - adapter_pipedrive.objects);
}

const char *pipedrive_object(const char *kind)
{
    return adapter_pipedrive.objects[pipedrive_kind_index(kind)].object;
}

void pipedrive_prepare(struct session *session, const struct pipedrive_call *call,
                       struct arena *arena, struct http_call *ret)
{
    *ret = (struct http_call){.is_safe = call->is_safe};
    ret->request.method = call->method;
    ret->request.url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(call->path));
    http_header_add(&ret->request.headers,
                    session->is_oauth ? STR("Authorization") : STR("x-api-token"),
                    secret_expose(&session->header));
    ret->cost.units[call->is_search ? PD_SEARCH : PD_BURST] = 1;
    ret->cost.units[PD_TOKENS] = call->tokens;
    if (call->body) {
        http_header_add(&ret->request.headers, STR("Content-Type"), STR("application/json"));
        ret->request.body = jx_text(arena, call->body);
    }
}

enum fail pipedrive_answer_of(struct http_call *http, struct arena *arena,
                              struct pipedrive_answer *ret, struct error *err)
{
    struct error parse = {0};

    *ret = (struct pipedrive_answer){.status = http->response.status,
                                     .began_ms = http->response.began_ms};
    when_parse_http_ms(http_header_get(&http->response.headers, "Date"), &ret->server_ms);
    if (http->response.body.len && jx_parse(arena, http->response.body, &ret->body, &parse) != OK &&
        http->result == OK) {
        *err = parse;
        err->is_outcome_unknown = true;
        return error_wrap(err, "pipedrive's answer");
    }
    if (http->result != OK) {
        *err = http->error;
        return err->code;
    }
    if (!json_is_object(ret->body)) {
        error_set(err, FAIL_RETRY, "pipedrive answered no document");
        err->is_outcome_unknown = true;
        return err->code;
    }
    ret->data = jx_get(ret->body, "data");
    ret->data = json_is_null(ret->data) ? NULL : ret->data;
    return OK;
}

enum fail pipedrive_exec(struct session *session, const struct pipedrive_call *call,
                         struct arena *arena, struct pipedrive_answer *ret, struct error *err)
{
    struct http_call http;
    struct http_call *const calls[] = {&http};
    enum fail failed;

    *ret = (struct pipedrive_answer){0};
    pipedrive_prepare(session, call, arena, &http);
    failed = http_exec(session->client, &session->account, calls, 1, err);
    failed = failed ? failed : pipedrive_answer_of(&http, arena, ret, err);
    http_call_fini(&http);
    return failed;
}

/* --- pure: what an answer means ------------------------------------------------------------------------------------------------ */

static void correct_limits(const struct http_response *response, struct http_account *account)
{
    int64_t limit = -1, remaining, reset_s = 2, tokens, token_limit = -1;

    if (!account->limits) {
        return;
    }
    str_to_i64(http_header_get(&response->headers, "x-ratelimit-limit"), &limit);
    str_to_i64(http_header_get(&response->headers, "x-ratelimit-reset"), &reset_s);
    if (str_to_i64(http_header_get(&response->headers, "x-ratelimit-remaining"), &remaining)) {
        limit_correct(account->limits, PD_BURST, limit, remaining, reset_s * 1000);
    }
    str_to_i64(http_header_get(&response->headers, "x-daily-ratelimit-token-limit"), &token_limit);
    /* The value is from before this call was charged; at most one write dearer than what is left. */
    if (str_to_i64(http_header_get(&response->headers, "x-daily-ratelimit-token-remaining"),
                   &tokens)) {
        limit_correct(account->limits, PD_TOKENS, token_limit,
                      tokens > PD_COST_LIST ? tokens - PD_COST_LIST : 0, -1);
    }
}

static enum fail throttled(const struct http_response *response, struct error *err)
{
    int64_t tokens = -1, reset_s = 0, wait_ms;

    str_to_i64(http_header_get(&response->headers, "x-daily-ratelimit-token-remaining"), &tokens);
    str_to_i64(http_header_get(&response->headers, "x-ratelimit-reset"), &reset_s);
    wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, BURST_WAIT_MS);
    wait_ms = wait_ms > reset_s * 1000 ? wait_ms : reset_s * 1000;
    if (tokens == 0) {
        wait_ms = DAILY_WAIT_MS;
    }
    error_set(err, FAIL_THROTTLED,
              tokens == 0 ? "pipedrive's daily token budget is used up" : "pipedrive asks to wait");
    err->wait_ms = wait_ms;
    return FAIL_THROTTLED;
}

/* What v2 says of a refused request names the member; values are cut off with everything from the first quote or digit on. */
static void read_reason(const struct http_response *response, char *ret, size_t bytes)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *body = NULL;
    struct error ignored = {0};
    struct str code = STR(""), text = STR("");

    if (response->body.len && response->body.len < 256 * 1024 &&
        jx_parse(&arena, response->body, &body, &ignored) == OK) {
        code = jx_text_of(jx_get(body, "code"));
        text = jx_text_of(jx_get(body, "error"));
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\'' || text.at[i] == '@') {
            text.len = i;
        }
    }
    snprintf(ret, bytes, "%" PRI_STR "%s%" PRI_STR, STR_ARG(code), code.len ? " " : "",
             STR_ARG(str_slice(text, 0, 160)));
}

static bool is_json(const struct http_response *response)
{
    return str_starts(str_trim(response->body), STR("{"));
}

enum fail pipedrive_classify(const struct http_response *response, struct http_account *account,
                             struct error *err)
{
    int status = response->status;
    char reason[256];
    enum fail code;

    correct_limits(response, account);
    if (status >= 200 && status <= 299) {
        return OK;
    }
    read_reason(response, reason, sizeof reason);
    switch (status) {
    case 401:
        code = error_set(err, FAIL_AUTH, "pipedrive refused the token");
        error_hint(err, "copy the API token again and give it with 'crmsync connect' (or in the "
                        "variable that the configuration names)");
        break;
    case 403:
        if (!is_json(response)) { /* the gateway blocks who goes on after 429 */
            code = error_set(err, FAIL_THROTTLED,
                             "pipedrive's gateway blocks this client for a while");
            err->wait_ms = GATEWAY_BLOCK_MS;
            break;
        }
        code =
            error_set(err, FAIL_CONNECTION, "pipedrive denies this user the request: %s", reason);
        error_hint(err, "give the token's user access to persons, organizations and their fields, "
                        "or look at the plan's limits");
        break;
    case 402:
    case 415:
    case 422:
        code = error_set(err, FAIL_CONNECTION, "pipedrive answered %d: %s", status, reason);
        error_hint(err, "look at the account's plan and its limits at Pipedrive");
        break;
    case 404:
    case 410:
        code = error_set(err, FAIL_STALE, "pipedrive has no such object (%d)", status);
        break;
    case 429:
        code = throttled(response, err);
        break;
    default:
        code = error_set(
            err, (status >= 500 && status != 501) || status == 408 ? FAIL_RETRY : FAIL_RECORD,
            "pipedrive answered %d%s%s", status, reason[0] ? ": " : "", reason);
        err->is_outcome_unknown = status >= 500;
    }
    err->http_status = status;
    return code;
}
