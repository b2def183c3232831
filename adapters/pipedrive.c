/* Pipedrive: the table, sessions, account, and the reading of an answer. Fields:
 * pipedrive_fields.c; reading: pipedrive_read.c; writing: pipedrive_write.c. API v2 wherever it
 * exists. Facts: pipedrive.readme.io and the OpenAPI documents, read 2026-08 to 2026-11. */
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

enum {
    GATEWAY_BLOCK_MS = 30 * 60 * 1000,
    DAILY_WAIT_MS = 15 * 60 * 1000,
    BURST_WAIT_MS = 2000,
    SEARCHES_PER_WINDOW = 10,
    REASON_BYTES = 256,
    REASON_BODY_BYTES_MAX = 256 * 1024,
};

static const char *const HOSTS[] = {"api.pipedrive.com", "*.pipedrive.com", NULL};

/* source: pipedrive.readme.io/docs/marketplace-oauth-authorization: client id and secret as Basic authorization, scopes belong to the app, the
 * answer names the company's own host as api_domain; no PKCE in the documents. /oauth/revoke is described by the reference client only; a refresh token there uninstalls
 * the app for the company, an access token ends alone. */
static const struct oauth_provider PROVIDER = {
    .authorize_origin = "https://oauth.pipedrive.com",
    .token_origin = "https://oauth.pipedrive.com",
    .authorize_path = "/oauth/authorize",
    .token_path = "/oauth/token",
    .revoke_path = "/oauth/revoke",
    .revoke_ends_app = true,
    .grants = 1u << OAUTH_AUTHORIZATION_CODE,
    .client_in_header = true,
    .default_scopes = "",
    .origin_member = "api_domain",
    .account = OAUTH_ACCOUNT_UNSAID,
};

const struct adapter adapter_pipedrive = {
    .name = "pipedrive",
    .title = "Pipedrive",
    .capabilities = ADAPTER_LISTS_DELETED, /* of deals */
    .objects = {[PD_CONTACT] = {"contact", "persons", "person", 0},
                [PD_COMPANY] = {"company", "organizations", "organization", 0},
                [PD_DEAL] = {"deal", "deals", "deal", 0},
                [PD_ACTIVITY] = {"activity", "", "activity or note", OBJECT_NO_KEY}},
    .default_base_url = "https://api.pipedrive.com",
    .allowed_hosts = HOSTS,
    /* source: pipedrive.readme.io/docs/core-api-concepts-rate-limiting; the smallest plan,
     * headers correct them upward. */
    .limits = {{"burst", 20, 2000, 10},
               {"search", SEARCHES_PER_WINDOW, 2000, 0},
               {"tokens", 30000, 0, 10}},
    .daily_units_of_write = PD_COST_WRITE,
    .batch_read_max = PD_IDS_MAX,
    .batch_write_max = 100,
    .token_hint = "Pipedrive: your name > Personal preferences > API; best of a user of its own "
                  "with access to everything",
    .oauth = &PROVIDER,
    .open = pipedrive_open,
    .close = pipedrive_close,
    .check = pipedrive_check,
    .describe = pipedrive_describe,
    .users = pipedrive_users,
    .ensure_setup = pipedrive_ensure_setup,
    .list = pipedrive_list,
    .fetch_many = pipedrive_fetch_many,
    .find = pipedrive_find,
    .upsert = pipedrive_upsert,
    .remove = pipedrive_remove,
    .bin_days = 30, /* source: Pipedrive changelog of 2023-01-30 */
    .upsert_calls = pipedrive_upsert_calls,
    .remove_calls = pipedrive_remove_calls,
    .webhook_means = WEBHOOK_BY_PASSWORD,
    .webhook_content_types = pipedrive_webhook_types,
    .webhook_verify = pipedrive_webhook_verify,
    .webhook_parse = pipedrive_webhook_parse,
    .webhook_answer = pipedrive_webhook_answer,
    .subscribe = pipedrive_subscribe,
    .unsubscribe = pipedrive_unsubscribe,
};

static enum fail pipedrive_open(struct env *env, struct http_client *client,
                                const struct account *account, struct session **ret,
                                struct error *err)
{
    struct str base =
        account->base_url.len ? account->base_url : str_of(adapter_pipedrive.default_base_url);
    AUTO_FREE char *key = alloc_printf("pipedrive/%s", account->connection);
    struct session *session;

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
    session->is_oauth = account->token_is_oauth || account->auth;
    if (!account->auth) {
        adapter_credential(session->is_oauth ? "Bearer " : "", account->token, &session->header);
    }
    session->account =
        (struct http_account){.limits = limiter_account(http_client_limiter(client), str_of(key),
                                                        adapter_pipedrive.limits, 3),
                              .lane = account->lane,
                              .auth = account->auth,
                              .classify = pipedrive_classify,
                              .context = session};
    *ret = session;
    return OK;
}

static void pipedrive_close(struct session *session)
{
    if (session) {
        pipedrive_free_fields(session);
        pipedrive_free_stages(session);
        free(session->user_id);
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

enum fail pipedrive_own_user(struct session *session, struct str *ret, struct error *err)
{
    if (!session->user_id) {
        AUTO_ARENA struct arena arena = {0};
        struct account_facts facts = {0};

        if (pipedrive_check(session, &arena, &facts, err) != OK) {
            return err->code;
        }
        session->user_id = alloc_printf("%" PRI_STR, STR_ARG(facts.user_id));
    }
    *ret = str_of(session->user_id);
    return OK;
}

static enum fail read_user(const json_t *item, struct arena *arena, struct remote_user *ret,
                           struct error *err)
{
    bool is_active, is_deleted;

    if (jx_id(arena, item, "id", &ret->remote_id, err) != OK ||
        jx_str_or(item, "email", STR(""), &ret->email, err) != OK ||
        jx_str_or(item, "name", STR(""), &ret->name, err) != OK ||
        jx_bool_or(item, "active_flag", true, &is_active, err) != OK ||
        jx_bool_or(item, "is_deleted", false, &is_deleted, err) != OK) {
        return err->code;
    }
    ret->is_active = is_active && !is_deleted;
    return OK;
}

/* One call, without pages. source: OpenAPI v1, GET /users */
enum fail pipedrive_users(struct session *session, struct arena *arena, struct remote_users *ret,
                          struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET,
                                  .path = STR("/api/v1/users"),
                                  .tokens = PD_COST_V1_LIST,
                                  .is_safe = true};
    struct remote_user *users;
    json_t *rows;

    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        jx_array(answer.body, "data", &rows, err) != OK) {
        return error_wrap(err, "pipedrive users");
    }
    users = ARENA_ARRAY(arena, struct remote_user, json_array_size(rows) + 1);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (read_user(json_array_get(rows, i), arena, &users[i], err) != OK) {
            return error_wrap(err, "pipedrive users");
        }
    }
    *ret = (struct remote_users){.at = users, .count = json_array_size(rows)};
    return OK;
}

/* --- calls ------------------------------------------------------------------------------------ */

enum pipedrive_kind pipedrive_kind_index(const char *kind)
{
    const struct adapter_object *object = adapter_object_of(&adapter_pipedrive, kind);

    assert(object);
    return (enum pipedrive_kind)(object - adapter_pipedrive.objects);
}

const char *pipedrive_object(const char *kind)
{
    enum pipedrive_kind index = pipedrive_kind_index(kind);

    return index == PD_ACTIVITY ? "activities" : adapter_pipedrive.objects[index].object;
}

void pipedrive_prepare(struct session *session, const struct pipedrive_call *call,
                       struct arena *arena, struct http_call *ret)
{
    *ret = (struct http_call){.is_safe = call->is_safe};
    ret->request.method = call->method;
    ret->request.url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(call->path));
    if (!session->account.auth) {
        http_header_add(&ret->request.headers,
                        session->is_oauth ? STR("Authorization") : STR("x-api-token"),
                        secret_expose(&session->header));
    }
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
    /* source: a bare null under status 200 was met by singer-io/tap-pipedrive (issue 131) */
    if (!json_is_object(ret->body) || json_is_false(jx_get(ret->body, "success"))) {
        error_set(err, FAIL_RETRY, "pipedrive answered %d without a result", ret->status);
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

/* --- pure: what an answer means --------------------------------------------------------------- */

static int64_t header_i64(const struct http_response *response, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;

    str_to_i64(http_header_get(&response->headers, name), &number);
    return number;
}

/* Seconds to the end of the window, as told; no window is longer than an hour. */
static int64_t reset_ms(const struct http_response *response, int64_t otherwise_s)
{
    int64_t seconds = header_i64(response, "x-ratelimit-reset", otherwise_s);

    return seconds < 0 || seconds > 3600 ? otherwise_s * 1000 : seconds * 1000;
}

/* Searches have a window of their own, the same on every plan and smaller than any other: its
 * size tells that the answer is about it. */
static void correct_window(const struct http_response *response, struct limit_account *limits)
{
    int64_t limit = header_i64(response, "x-ratelimit-limit", -1);
    int64_t remaining = header_i64(response, "x-ratelimit-remaining", -1);
    size_t bucket = limit >= 0 && limit <= SEARCHES_PER_WINDOW ? PD_SEARCH : PD_BURST;

    if (remaining >= 0) {
        limit_correct(limits, bucket, limit, remaining, reset_ms(response, 2));
    }
}

/* The value is from before this call was charged (recorded 2026-05); what was charged is not in
 * the answer, so the price of a list is taken off: too much for most calls, made good by the
 * next answer. */
static void correct_tokens(const struct http_response *response, struct limit_account *limits)
{
    int64_t limit = header_i64(response, "x-daily-ratelimit-token-limit", -1);
    int64_t remaining = header_i64(response, "x-daily-ratelimit-token-remaining", -1);

    if (remaining >= 0) {
        limit_correct(limits, PD_TOKENS, limit,
                      remaining > PD_COST_LIST ? remaining - PD_COST_LIST : 0, -1);
    }
}

static enum fail throttled(const struct http_response *response, struct error *err)
{
    int64_t window_ms = reset_ms(response, 0);
    int64_t wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, BURST_WAIT_MS);

    wait_ms = wait_ms > BURST_WAIT_MS ? wait_ms : BURST_WAIT_MS;
    wait_ms = wait_ms > window_ms ? wait_ms : window_ms;
    if (header_i64(response, "x-daily-ratelimit-token-remaining", -1) == 0) {
        /* Retry-After is about the window of seconds and useless here; midnight of the server is
         * not told. */
        error_set(err, FAIL_THROTTLED, "pipedrive's daily token budget is used up");
        error_hint(err, "nothing to do: the work goes on after Pipedrive's midnight; top-ups or a "
                        "larger plan raise the budget");
        err->wait_ms = DAILY_WAIT_MS;
        return FAIL_THROTTLED;
    }
    error_set(err, FAIL_THROTTLED, "pipedrive asks to wait");
    err->wait_ms = wait_ms;
    return FAIL_THROTTLED;
}

/* Members that Pipedrive may name in a refusal. */
static const char *const MEMBERS[] = {"name",
                                      "first_name",
                                      "last_name",
                                      "emails",
                                      "phones",
                                      "org_id",
                                      "owner_id",
                                      "label_ids",
                                      "address",
                                      "visible_to",
                                      "custom_fields",
                                      "website",
                                      "linkedin",
                                      "industry",
                                      "value",
                                      "annual_revenue",
                                      "employee_count",
                                      "add_time",
                                      "field_name",
                                      "field_type",
                                      "ids",
                                      "cursor",
                                      "limit",
                                      "sort_by",
                                      "updated_since",
                                      "birthday",
                                      "job_title",
                                      "notes",
                                      "im",
                                      "postal_address",
                                      "term",
                                      "label",
                                      "title",
                                      "currency",
                                      "person_id",
                                      "deal_id",
                                      "pipeline_id",
                                      "stage_id",
                                      "status",
                                      "probability",
                                      "expected_close_date",
                                      "lost_reason",
                                      "lost_time",
                                      "won_time",
                                      "close_time",
                                      "is_archived",
                                      "subject",
                                      "type",
                                      "note",
                                      "content",
                                      "done",
                                      "due_date",
                                      "due_time",
                                      "participants",
                                      "options",
                                      "primary"};

static bool is_member(struct str word)
{
    size_t end = 0;

    while (end < word.len && word.at[end] != '[' && word.at[end] != '.') {
        end++;
    }
    word = str_slice(word, 0, end); /* "emails[0].value": the list says enough */
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++) {
        if (str_equal(word, str_of(MEMBERS[i]))) {
            return true;
        }
    }
    return word.len == PD_CODE_LENGTH && strspn(word.at, "0123456789abcdef") >= word.len;
}

static bool is_plain_word(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (!((word.at[i] >= 'a' && word.at[i] <= 'z') ||
              (word.at[i] >= 'A' && word.at[i] <= 'Z'))) {
            return false;
        }
    }
    return word.len > 0;
}

/* Pipedrive's sentence without what may be a person's: of quoted text only names of members
 * stay, and no word with a digit or an @. */
static void add_sentence(struct buf *out, struct str text)
{
    while (text.len) {
        size_t end = 0;
        char quote = text.at[0] == '\'' || text.at[0] == '"' ? text.at[0] : ' ';
        struct str word;

        text = quote == ' ' ? text : str_slice(text, 1, text.len);
        while (end < text.len && text.at[end] != quote) {
            end++;
        }
        word = str_slice(text, 0, end);
        text = str_slice(text, end + 1, text.len);
        while (quote == ' ' && word.len && strchr(".,:;()", word.at[word.len - 1])) {
            word.len--;
        }
        if (word.len) {
            buf_add(out, out->len ? STR(" ") : STR(""));
            buf_add(out,
                    is_member(word) || (quote == ' ' && is_plain_word(word)) ? word : STR("*"));
        }
    }
}

/* What v2 says of a refused request: its code and the member, never a value. */
static void read_reason(const struct http_response *response, char ret[REASON_BYTES])
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_BUF struct buf out = {0};
    json_t *body = NULL;
    struct error ignored = {0};
    struct str code;

    ret[0] = '\0';
    if (response->body.len == 0 || response->body.len > REASON_BODY_BYTES_MAX ||
        jx_parse(&arena, response->body, &body, &ignored) != OK) {
        return;
    }
    buf_init(&out, REASON_BODY_BYTES_MAX);
    code = jx_text_of(jx_get(body, "code"));
    buf_add(&out, str_slice(code, 0, 64));
    add_sentence(&out, jx_text_of(jx_get(body, "error")));
    snprintf(ret, REASON_BYTES, "%" PRI_STR, STR_ARG(buf_str(&out)));
}

static bool is_json(const struct http_response *response)
{
    return str_starts(str_trim(response->body), STR("{"));
}

bool pipedrive_is_about_record(const struct http_response *response)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *body = NULL;
    struct error ignored = {0};

    if (response->status != 403 || response->body.len > REASON_BODY_BYTES_MAX ||
        jx_parse(&arena, response->body, &body, &ignored) != OK) {
        return false;
    }
    /* Plan limits have a code; a token without the scope is told so. Sources: changelog on POST
     * /deals; status codes of the OAuth proxy. */
    return !jx_get(body, "code") &&
           !str_contains(jx_text_of(jx_get(body, "error")), STR("Scope and URL"));
}

enum fail pipedrive_classify(const struct http_response *response, struct http_account *account,
                             struct error *err)
{
    int status = response->status;
    char reason[REASON_BYTES];
    enum fail code;

    if (account->limits) {
        correct_window(response, account->limits);
        correct_tokens(response, account->limits);
    }
    if (status >= 200 && status <= 299) {
        return OK;
    }
    read_reason(response, reason);
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
        error_hint(
            err, "give the token's user access to persons, organizations, deals and their fields, "
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
        if (!is_json(
                response)) { /* somebody else answers here: that says nothing about an object */
            code = error_set(err, FAIL_CONNECTION, "no Pipedrive API answers at this address (%d)",
                             status);
            error_hint(err, "correct base_url of this connection: https://COMPANY.pipedrive.com");
            break;
        }
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
