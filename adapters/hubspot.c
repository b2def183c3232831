/* HubSpot: the table, sessions, account, schema, set-up, and the one way to make a call.
 * Facts: developers.hubspot.com, read 2026-11; dated paths since 2026-03, /v3 and /v4 until
 * 2027. */
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
    .capabilities = ADAPTER_FIELD_TIMES | ADAPTER_LISTS_DELETED | ADAPTER_MERGE_REDIRECT,
    .objects = {{"contact", "contacts", "contact", OBJECT_UNIQUE_KEY},
                {"company", "companies", "company", OBJECT_UNIQUE_KEY}},
    .default_base_url = "https://api.hubapi.com",
    .allowed_hosts = HOSTS,
    /* source: developers.hubspot.com usage guidelines: 190 per 10 s for private apps, search 5 per
     * second (one kept back: its window is not ours), daily by plan; associate records guide: 150
     * per 10 s. Headers correct them. */
    .limits = {[HS_BURST] = {"burst", 190, 10000, 10},
               [HS_SEARCH] = {"search", 4, 1000, 0},
               [HS_DAILY] = {"daily", 625000, 0, 10},
               [HS_LINKS] = {"associations", 150, 10000, 10}},
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
                                                        adapter_hubspot.limits, HS_BUCKETS),
                              .lane = account->lane,
                              .classify = hubspot_classify};
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
    struct remote_option *values;

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
    values = ARENA_ARRAY(arena, struct remote_option, ret->options_count + 1);
    for (size_t i = 0; i < ret->options_count; i++) {
        values[i] = (struct remote_option){
            .value = jx_text_of(jx_get(json_array_get(options, i), "value")),
            .label = jx_text_of(jx_get(json_array_get(options, i), "label"))};
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

/* Whether the property that carries our id is there; one that is not unique is an error. */
static enum fail look_for_property(struct session *session, const char *kind, struct arena *arena,
                                   bool *ret_found, struct error *err)
{
    struct hubspot_answer answer;
    struct hubspot_call call = {
        .method = HTTP_GET,
        .path = hubspot_properties_path(session, arena, kind, "/" CORRELATION_PROPERTY),
        .is_safe = true,
        .may_be_missing = true};
    bool unique;

    *ret_found = false;
    if (hubspot_exec(session, &call, arena, &answer, err) != OK) {
        if (err->code != FAIL_STALE) {
            return err->code;
        }
        error_reset(err);
        return OK;
    }
    if (jx_bool_or(answer.body, "hasUniqueValue", false, &unique, err) != OK) {
        return err->code;
    }
    if (!unique) {
        error_set(err, FAIL_CONNECTION,
                  "property " CORRELATION_PROPERTY " of %s exists at HubSpot but is not unique",
                  hubspot_object(kind));
        return error_hint(err, "delete that property at HubSpot and run 'crmsync setup' again");
    }
    *ret_found = true;
    return OK;
}

/* Its group exists in every account. An archived property of this name comes back with it. */
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

    if (hubspot_exec(session, &call, arena, &answer, err) == FAIL_RECORD &&
        err->http_status == 400) {
        /* source: developers.hubspot.com, properties guide: at most ten unique properties */
        err->code = FAIL_CONNECTION;
        error_hint(err, "an object can have ten unique properties at HubSpot: delete one that "
                        "nobody needs, or make " CORRELATION_PROPERTY " by hand");
    }
    return err->code;
}

static enum fail setup_kind(struct session *session, const char *kind, struct setup_report *ret,
                            struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct error cause = {0};
    bool found;

    if (look_for_property(session, kind, &arena, &found, err) != OK) {
        return error_wrap(err, "set-up of %s", hubspot_object(kind));
    }
    if (found) {
        ret->present++;
        return OK;
    }
    if (create_property(session, kind, &arena, &cause) != OK) {
        /* 409: somebody else was faster; or the answer got lost. Then it is there now. */
        if (cause.http_status != 409 && !cause.is_outcome_unknown) {
            *err = cause;
            return error_wrap(err, "create property " CORRELATION_PROPERTY " of %s",
                              hubspot_object(kind));
        }
        if (look_for_property(session, kind, &arena, &found, err) != OK || !found) {
            *err = err->code ? *err : cause;
            return error_wrap(err, "create property " CORRELATION_PROPERTY " of %s",
                              hubspot_object(kind));
        }
    }
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

/* --- calls ------------------------------------------------------------------------------------ */

const char *hubspot_object(const char *kind)
{
    const struct adapter_object *object = adapter_object_of(&adapter_hubspot, kind);

    assert(object);
    return object->object;
}

/* Contacts own an hs_lastmodifieddate too, but searching on it silently gives wrong results.
 * Source: github.com/amp-labs/connectors issue 45. */
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

static void fill(const struct session *session, const struct hubspot_call *call,
                 struct arena *arena, struct http_call *http)
{
    http->is_safe = call->is_safe;
    http->request.method = call->method;
    http->request.url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(call->path));
    http_header_add(&http->request.headers, STR("Authorization"),
                    secret_expose(&session->authorization));
    http->cost.units[call->bucket] = 1;
    http->cost.units[HS_DAILY] = 1;
    if (call->body) {
        http_header_add(&http->request.headers, STR("Content-Type"), STR("application/json"));
        http->request.body = jx_text(arena, call->body);
    }
}

/* A success without a readable answer is none: of a write nobody knows what became of it. */
static enum fail parse_answer(struct hubspot_try *try, const struct http_call *http,
                              struct arena *arena)
{
    struct error *err = &try->error;
    const char *method = http_method_name(try->call.method);
    struct error ignored = {0};

    if (http->result != OK) {
        *err = http->error;
        if (http->response.body.len &&
            jx_parse(arena, http->response.body, &try->answer.body, &ignored) != OK) {
            try->answer.body = NULL;
        }
        return err->code;
    }
    if (http->response.body.len == 0) {
        return try->call.method == HTTP_GET
                   ? error_set(err, FAIL_RETRY, "hubspot answered %s with nothing", method)
                   : OK;
    }
    if (jx_parse(arena, http->response.body, &try->answer.body, err) != OK) {
        err->is_outcome_unknown = true;
        return error_wrap(err, "hubspot's answer to %s", method);
    }
    return OK;
}

static void keep_answer(struct hubspot_try *try, const struct http_call *http, struct arena *arena)
{
    try->answer = (struct hubspot_answer){.status = http->response.status,
                                          .began_ms = http->response.began_ms};
    when_parse_http_ms(http_header_get(&http->response.headers, "Date"), &try->answer.server_ms);
    try->error = (struct error){0};
    try->result = parse_answer(try, http, arena);
    if (try->result == FAIL_STALE && try->error.http_status == 404 && !try->call.may_be_missing) {
        try->result =
            error_set(&try->error, FAIL_CONNECTION, "hubspot does not know the address asked for");
        try->error.http_status = 404;
        error_hint(&try->error, "check 'base_url' and 'api_version' in crmsync.yaml");
    }
}

enum fail hubspot_exec_all(struct session *session, struct hubspot_try *tries, size_t count,
                           struct arena *arena, struct error *err)
{
    struct http_call *calls = ARENA_ARRAY(arena, struct http_call, count + 1);
    struct http_call **list = ARENA_ARRAY(arena, struct http_call *, count + 1);
    struct http_account account = session->account;
    enum hubspot_bucket bucket = count ? tries[0].call.bucket : HS_BURST;
    enum fail failed;

    account.context = &bucket;
    for (size_t i = 0; i < count; i++) {
        assert(tries[i].call.bucket == bucket);
        fill(session, &tries[i].call, arena, &calls[i]);
        list[i] = &calls[i];
    }
    failed = http_exec(session->client, &account, list, count, err);
    for (size_t i = 0; i < count; i++) {
        keep_answer(&tries[i], &calls[i], arena);
        http_call_fini(&calls[i]);
    }
    return failed;
}

enum fail hubspot_exec(struct session *session, const struct hubspot_call *call,
                       struct arena *arena, struct hubspot_answer *ret, struct error *err)
{
    struct hubspot_try try = {.call = *call};

    if (hubspot_exec_all(session, &try, 1, arena, err) == OK) {
        *err = try.error;
    } else if (try.result != OK) {
        *err = try.error;
    }
    *ret = try.answer;
    return err->code;
}
