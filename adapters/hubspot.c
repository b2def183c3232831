/* HubSpot: the table, sessions, account, schema, set-up, and the reading of an answer. Listing and reading: hubspot_read.c; writing: hubspot_write.c.
 * Facts: developers.hubspot.com, read 2026-11; dated paths since 2026-03, /v3 and /v4 until 2027. */
#include "adapters/hubspot_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"

static enum fail hubspot_open(struct env *env, struct http_client *client,
                              const struct account *account, struct session **ret,
                              struct error *err);
static void hubspot_close(struct session *session);
static enum fail hubspot_check(struct session *session, struct arena *arena,
                               struct account_facts *ret, struct error *err);
static enum fail hubspot_describe(struct session *session, const char *kind, struct arena *arena,
                                  struct remote_schema *ret, struct error *err);
static enum fail hubspot_ensure_setup(struct session *session, const struct setup_request *request,
                                      struct setup_report *ret, struct error *err);

static const char *const HOSTS[] = {"api.hubapi.com", NULL};
static const char *const DEFAULT_VERSION = "2026-09";

const struct adapter adapter_hubspot = {
    .name = "hubspot",
    .title = "HubSpot",
    .capabilities =
        ADAPTER_FIELD_TIMES | ADAPTER_LISTS_DELETED | ADAPTER_UNIQUE_KEY | ADAPTER_MERGE_REDIRECT,
    .objects = {{"contact", "contacts", "contact"}, {"company", "companies", "company"}},
    .default_base_url = "https://api.hubapi.com",
    .allowed_hosts = HOSTS,
    /* source: developers.hubspot.com usage guidelines: 190 per 10 s for private apps, search 5 per second (one kept back: its window is not ours), daily by plan. Headers correct them. */
    .limits = {{"burst", 190, 10000, 10}, {"search", 4, 1000, 0}, {"daily", 625000, 0, 10}},
    .batch_read_max = HS_BATCH_MAX,
    .batch_write_max = HS_BATCH_MAX,
    .token_hint = "HubSpot: Settings > Integrations > service keys (or an existing private app); "
                  "it needs read and write of contacts, companies and their "
                  "schemas",
    .open = hubspot_open,
    .close = hubspot_close,
    .check = hubspot_check,
    .describe = hubspot_describe,
    .ensure_setup = hubspot_ensure_setup,
    .list = hubspot_list,
    .fetch_many = hubspot_fetch_many,
    .find = hubspot_find,
    .upsert = hubspot_upsert,
    .remove = hubspot_remove,
};

static size_t buckets_count(void)
{
    size_t count = 0;

    while (count < LIMIT_BUCKETS_MAX && adapter_hubspot.limits[count].name) {
        count++;
    }
    return count;
}

static bool is_version(struct str version)
{
    return str_equal(version, STR("v3")) || (version.len == 7 && str_starts(version, STR("20")) &&
                                             version.at[4] == '-'); /* YYYY-MM */
}

static enum fail hubspot_open(struct env *env, struct http_client *client,
                              const struct account *account, struct session **ret,
                              struct error *err)
{
    struct str version = account->api_version.len ? account->api_version : str_of(DEFAULT_VERSION);
    struct str base =
        account->base_url.len ? account->base_url : str_of(adapter_hubspot.default_base_url);
    struct session *session;

    if (!is_version(version)) {
        error_set(err, FAIL_CONFIG, "'%" PRI_STR "' is no version of HubSpot's API",
                  STR_ARG(version));
        return error_hint(err, "use '%s', another YYYY-MM, or 'v3'", DEFAULT_VERSION);
    }
    session = alloc_new(1, sizeof *session);
    session->env = env;
    session->client = client;
    while (base.len && base.at[base.len - 1] == '/') {
        base.len--;
    }
    session->base_url = alloc_printf("%" PRI_STR, STR_ARG(base));
    session->version = alloc_printf("%" PRI_STR, STR_ARG(version));
    AUTO_FREE char *key = alloc_printf("hubspot/%s", account->connection);
    char *header = alloc_printf("Bearer %" PRI_STR, STR_ARG(secret_expose(account->token)));
    secret_set(&session->authorization, str_of(header));
    explicit_bzero(header, strlen(header));
    free(header);
    session->account =
        (struct http_account){.limits = limiter_account(http_client_limiter(client), str_of(key),
                                                        adapter_hubspot.limits, buckets_count()),
                              .lane = account->lane,
                              .classify = hubspot_classify,
                              .context = session};
    *ret = session;
    return OK;
}

static void hubspot_close(struct session *session)
{
    if (session) {
        secret_fini(&session->authorization);
        free(session->base_url);
        free(session->version);
        free(session);
    }
}

static enum fail hubspot_check(struct session *session, struct arena *arena,
                               struct account_facts *ret, struct error *err)
{
    struct hubspot_answer answer;
    struct hubspot_call call = {
        .method = HTTP_GET, .path = STR("/account-info/v3/details"), .is_safe = true};

    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        jx_id(arena, answer.body, "portalId", &ret->account_id, err) != OK ||
        jx_str_or(answer.body, "timeZone", STR(""), &ret->time_zone, err) != OK) {
        return error_wrap(err, "hubspot account");
    }
    ret->title = arena_printf(arena, "portal %" PRI_STR, STR_ARG(ret->account_id));
    ret->user_id = STR("");
    return OK;
}

/* Not writable: read-only by definition, or calculated. */
static enum fail read_property(const json_t *item, struct arena *arena, struct remote_property *ret,
                               struct error *err)
{
    json_t *meta, *options;
    bool read_only = false, calculated, defined;
    struct str field_type;
    struct str *values;

    if (jx_str(item, "name", &ret->name, err) != OK ||
        jx_str_or(item, "label", STR(""), &ret->label, err) != OK ||
        jx_str_or(item, "type", STR(""), &ret->type, err) != OK ||
        jx_str_or(item, "fieldType", STR(""), &field_type, err) != OK ||
        jx_bool_or(item, "calculated", false, &calculated, err) != OK ||
        jx_bool_or(item, "hubspotDefined", false, &defined, err) != OK ||
        jx_object_or_null(item, "modificationMetadata", &meta, err) != OK ||
        jx_array_or_null(item, "options", &options, err) != OK ||
        (meta && jx_bool_or(meta, "readOnlyValue", false, &read_only, err) != OK)) {
        return err->code;
    }
    ret->is_writable =
        !read_only && !calculated && !str_equal(field_type, STR("calculation_equation"));
    ret->is_custom = !defined;
    ret->options_count = options ? json_array_size(options) : 0;
    values = ARENA_ARRAY(arena, struct str, ret->options_count + 1);
    for (size_t i = 0; i < ret->options_count; i++) {
        values[i] = jx_text_of(jx_get(json_array_get(options, i), "value"));
    }
    ret->options = values;
    return OK;
}

static enum fail hubspot_describe(struct session *session, const char *kind, struct arena *arena,
                                  struct remote_schema *ret, struct error *err)
{
    struct hubspot_answer answer;
    struct hubspot_call call = {.method = HTTP_GET,
                                .path = hubspot_properties_path(session, arena, kind, ""),
                                .is_safe = true};
    struct remote_property *properties;
    json_t *results;

    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return error_wrap(err, "properties of %s", hubspot_object(kind));
    }
    properties = ARENA_ARRAY(arena, struct remote_property, json_array_size(results) + 1);
    for (size_t i = 0; i < json_array_size(results); i++) {
        if (read_property(json_array_get(results, i), arena, &properties[i], err) != OK) {
            return error_wrap(err, "property %zu of %s", i, hubspot_object(kind));
        }
    }
    *ret = (struct remote_schema){.properties = properties, .count = json_array_size(results)};
    return OK;
}

/* The unique property that carries our id. Its group exists in every account. */
static enum fail create_property(struct session *session, const char *kind, struct arena *arena,
                                 struct error *err)
{
    const char *group = strcmp(kind, "contact") == 0 ? "contactinformation" : "companyinformation";
    json_t *body =
        jx_own(arena, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:s}", "name", CORRELATION_PROPERTY,
                                "label", CORRELATION_LABEL, "type", "string", "fieldType", "text",
                                "groupName", group, "hasUniqueValue", 1, "formField", 0,
                                "description", "Identity of this record in crmsync. Do not edit."));
    struct hubspot_call call = {.method = HTTP_POST,
                                .path = hubspot_properties_path(session, arena, kind, ""),
                                .body = body};
    struct hubspot_answer answer;
    enum fail failed = hubspot_exec(session, &call, arena, &answer, err);

    return failed != OK && err->http_status == 409 ? OK : failed;
}

static enum fail setup_kind(struct session *session, const char *kind, struct setup_report *ret,
                            struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct hubspot_answer answer;
    struct hubspot_call call = {
        .method = HTTP_GET,
        .path = hubspot_properties_path(session, &arena, kind, "/" CORRELATION_PROPERTY),
        .is_safe = true};
    bool unique;

    if (hubspot_exec(session, &call, &arena, &answer, err) == OK) {
        ret->present++;
        if (jx_bool_or(answer.body, "hasUniqueValue", false, &unique, err) != OK) {
            return err->code;
        }
        if (!unique) {
            error_set(err, FAIL_CONNECTION,
                      "property " CORRELATION_PROPERTY " of %s exists at HubSpot but is not unique",
                      hubspot_object(kind));
            return error_hint(err, "delete that property at HubSpot and run 'crmsync setup' again");
        }
        return OK;
    }
    if (err->http_status != 404) {
        return error_wrap(err, "set-up of %s", hubspot_object(kind));
    }
    error_reset(err);
    if (create_property(session, kind, &arena, err) != OK) {
        return error_wrap(err, "create property " CORRELATION_PROPERTY " of %s",
                          hubspot_object(kind));
    }
    error_reset(err);
    ret->created++;
    return OK;
}

static enum fail hubspot_ensure_setup(struct session *session, const struct setup_request *request,
                                      struct setup_report *ret, struct error *err)
{
    for (size_t i = 0; i < request->kinds_count; i++) {
        if (adapter_object_of(&adapter_hubspot, request->kinds[i]) &&
            setup_kind(session, request->kinds[i], ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- calls --------------------------------------------------------------------------------------------------------------------- */

const char *hubspot_object(const char *kind)
{
    const struct adapter_object *object = adapter_object_of(&adapter_hubspot, kind);

    assert(object);
    return object->object;
}

/* Contacts own an hs_lastmodifieddate too, but searching on it silently gives wrong results (github.com/amp-labs/connectors issue 45). */
const char *hubspot_modified_property(const char *kind)
{
    return strcmp(kind, "contact") == 0 ? "lastmodifieddate" : "hs_lastmodifieddate";
}

static bool is_legacy(const struct session *session)
{
    return strcmp(session->version, "v3") == 0;
}

struct str hubspot_objects_path(const struct session *session, struct arena *arena,
                                const char *kind, const char *tail)
{
    if (is_legacy(session)) {
        return arena_printf(arena, "/crm/v3/objects/%s%s", hubspot_object(kind), tail);
    }
    return arena_printf(arena, "/crm/objects/%s/%s%s", session->version, hubspot_object(kind),
                        tail);
}

struct str hubspot_associations_path(const struct session *session, struct arena *arena,
                                     const char *tail)
{
    if (is_legacy(session)) {
        return arena_printf(arena, "/crm/v4/associations/%s", tail);
    }
    return arena_printf(arena, "/crm/associations/%s/%s", session->version, tail);
}

struct str hubspot_properties_path(const struct session *session, struct arena *arena,
                                   const char *kind, const char *tail)
{
    if (is_legacy(session)) {
        return arena_printf(arena, "/crm/v3/properties/%s%s", hubspot_object(kind), tail);
    }
    return arena_printf(arena, "/crm/properties/%s/%s%s", session->version, hubspot_object(kind),
                        tail);
}

enum fail hubspot_exec(struct session *session, const struct hubspot_call *call,
                       struct arena *arena, struct hubspot_answer *ret, struct error *err)
{
    struct http_call http = {.is_safe = call->is_safe};
    struct http_call *const calls[] = {&http};
    struct error parse = {0};
    enum fail failed;

    *ret = (struct hubspot_answer){0};
    http.request.method = call->method;
    http.request.url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(call->path));
    http_header_add(&http.request.headers, STR("Authorization"),
                    secret_expose(&session->authorization));
    http.cost.units[call->is_search ? HS_SEARCH : HS_BURST] = 1;
    http.cost.units[HS_DAILY] = 1;
    if (call->body) {
        http_header_add(&http.request.headers, STR("Content-Type"), STR("application/json"));
        http.request.body = jx_text(arena, call->body);
    }
    failed = http_exec(session->client, &session->account, calls, 1, err);
    failed = failed ? failed : http.result;
    ret->status = http.response.status;
    ret->began_ms = http.response.began_ms;
    when_parse_http_ms(http_header_get(&http.response.headers, "Date"), &ret->server_ms);
    if (http.response.body.len && jx_parse(arena, http.response.body, &ret->body, &parse) != OK &&
        failed == OK) {
        *err = parse;
        err->is_outcome_unknown = true;
        failed = error_wrap(err, "hubspot's answer to %s", http_method_name(call->method));
    } else if (failed != OK) {
        *err = http.result != OK ? http.error : *err;
    } else if (http.response.body.len == 0 && call->method == HTTP_GET) {
        failed = error_set(err, FAIL_RETRY, "hubspot answered nothing");
    }
    http_call_fini(&http);
    return failed;
}

/* --- pure: what an answer means ------------------------------------------------------------------------------------------------ */

static void correct_limits(const struct http_response *response, struct http_account *account)
{
    int64_t max = -1, remaining = -1, daily = -1;

    if (!account->limits) {
        return;
    }
    /* source: developers.hubspot.com usage guidelines; search answers carry none of these. */
    str_to_i64(http_header_get(&response->headers, "X-HubSpot-RateLimit-Max"), &max);
    if (str_to_i64(http_header_get(&response->headers, "X-HubSpot-RateLimit-Remaining"),
                   &remaining)) {
        limit_correct(account->limits, HS_BURST, max, remaining, 10000);
    }
    if (str_to_i64(http_header_get(&response->headers, "X-HubSpot-RateLimit-Daily-Remaining"),
                   &daily)) {
        limit_correct(account->limits, HS_DAILY, -1, daily, -1);
    }
}

/* message and category of an error document; every member is optional and the body may be HTML or empty. */
static void read_error(const struct http_response *response, struct arena *arena, char *ret_message,
                       size_t bytes, struct str *ret_policy)
{
    json_t *body = NULL;
    struct error ignored = {0};
    struct str message = STR("");

    *ret_policy = STR("");
    if (response->body.len && response->body.len < 256 * 1024 &&
        jx_parse(arena, response->body, &body, &ignored) == OK) {
        message = jx_text_of(jx_get(body, "message"));
        *ret_policy = jx_text_of(jx_get(body, "policyName"));
    }
    /* The message may embed values after a colon of a property error: only its first sentence is kept. */
    for (size_t i = 0; i < message.len; i++) {
        if (message.at[i] == '[' || message.at[i] == '{' || message.at[i] == '"') {
            message.len = i;
        }
    }
    snprintf(ret_message, bytes, "%" PRI_STR, STR_ARG(str_slice(message, 0, 160)));
}

static enum fail throttled(const struct http_response *response, struct str policy,
                           struct error *err)
{
    bool is_daily = str_equal(policy, STR("DAILY"));
    bool is_search = str_contains(policy, STR("SECONDLY")) && !str_contains(policy, STR("TEN"));
    int64_t otherwise_ms = is_daily ? 15 * 60 * 1000 : is_search ? 1000 : 10000;
    int64_t wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, otherwise_ms);

    error_set(err, FAIL_THROTTLED,
              is_daily ? "hubspot's daily limit is used up" : "hubspot asks to wait");
    err->wait_ms = wait_ms;
    return FAIL_THROTTLED;
}

enum fail hubspot_classify(const struct http_response *response, struct http_account *account,
                           struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    char message[200];
    struct str policy;
    int status = response->status;
    enum fail code;

    correct_limits(response, account);
    if (status >= 200 && status <= 299) {
        return OK;
    }
    read_error(response, &arena, message, sizeof message, &policy);
    switch (status) {
    case 401:
        code = error_set(err, FAIL_AUTH, "hubspot refused the token");
        error_hint(err, "make a new token at HubSpot and give it with 'crmsync connect' (or in the "
                        "variable that the configuration names)");
        break;
    case 403:
        if (!str_starts(response->body, STR("{"))) { /* a gateway's page, not HubSpot's own word */
            code = error_set(err, FAIL_RETRY, "a gateway before hubspot answered 403");
            break;
        }
        code = error_set(err, FAIL_CONNECTION, "hubspot denies this token the access it needs: %s",
                         message);
        error_hint(err, "give the token the scopes crm.objects.contacts, crm.objects.companies and "
                        "crm.schemas of both, read and write");
        break;
    case 404:
    case 409:
    case 410:
        code = error_set(err, FAIL_STALE, "hubspot answered %d: %s", status, message);
        break;
    case 429:
        code = throttled(response, policy, err);
        break;
    case 423: /* records are locked for about 2 s after heavy writes */
    case 477: /* account is being moved; Retry-After in seconds */
        code = error_set(err, FAIL_THROTTLED,
                         "hubspot cannot answer for this account just now (%d)", status);
        err->wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, 2000);
        break;
    default:
        code = error_set(err, status >= 500 || status == 408 ? FAIL_RETRY : FAIL_RECORD,
                         "hubspot answered %d%s%s", status, message[0] ? ": " : "", message);
        err->is_outcome_unknown = status >= 500;
    }
    err->http_status = status;
    return code;
}
