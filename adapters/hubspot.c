/* HubSpot: the table, sessions, account, and the one way to make a call.
 * Facts: developers.hubspot.com, read 2026-11; dated paths since 2026-03, /v3 and /v4 until
 * 2027. */
#include "adapters/hubspot_events.h"

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
static const char *const HOSTS[] = {"api.hubapi.com", NULL};
static const char *const DEFAULT_VERSION = "2026-09";

/* source: developers.hubspot.com, "Working with OAuth" and "Manage OAuth tokens": consent at app.hubspot.com, tokens at /oauth/v3 with all in the
 * body; code_verifier is a member of the v3 token request. An answer names the portal as hub_id. */
static const struct oauth_provider PROVIDER = {
    .authorize_origin = "https://app.hubspot.com",
    .token_origin = "https://api.hubapi.com",
    .authorize_path = "/oauth/authorize",
    .token_path = "/oauth/v3/token",
    .revoke_path = "/oauth/v3/token/revoke",
    .grants = 1u << OAUTH_AUTHORIZATION_CODE,
    .has_pkce = true,
    .default_scopes =
        "oauth crm.objects.contacts.read crm.objects.contacts.write crm.objects.companies.read "
        "crm.objects.companies.write crm.objects.deals.read crm.objects.deals.write "
        "crm.schemas.contacts.read crm.schemas.contacts.write crm.schemas.companies.read "
        "crm.schemas.companies.write crm.schemas.deals.read crm.schemas.deals.write "
        "crm.objects.owners.read tickets",
    .account = OAUTH_ACCOUNT_HUB_ID,
    /* source: developers.hubspot.com, "Webhooks journal and management APIs (2026-03)": client credentials with these scopes and those of the object
     * types; "OAuth token endpoint" of 2026-03 */
    .app_token_path = "/oauth/2026-03/token",
    .app_scopes = "developer.webhooks_journal.read developer.webhooks_journal.subscriptions.read "
                  "developer.webhooks_journal.subscriptions.write",
    .app_object_scopes = "crm.objects. tickets sales-email-read",
};

const struct adapter adapter_hubspot = {
    .name = "hubspot",
    .title = "HubSpot",
    .capabilities = ADAPTER_FIELD_TIMES | ADAPTER_LISTS_DELETED | ADAPTER_MERGE_REDIRECT |
                    ADAPTER_CHANGE_EVENTS,
    .objects = {{"contact", "contacts", "contact", OBJECT_UNIQUE_KEY},
                {"company", "companies", "company", OBJECT_UNIQUE_KEY},
                {"deal", "deals", "deal", OBJECT_UNIQUE_KEY},
                {"ticket", "tickets", "ticket", OBJECT_UNIQUE_KEY},
                {"activity", "", "activity", 0}},
    .default_base_url = "https://api.hubapi.com",
    .allowed_hosts = HOSTS,
    /* source: developers.hubspot.com usage guidelines: 190 per 10 s for private apps, search 5 per
     * second (one kept back: its window is not ours), daily by plan; associate records guide: 150
     * per 10 s. Headers correct them. */
    .limits = {[HS_BURST] = {"burst", 190, 10000, 10},
               [HS_SEARCH] = {"search", 4, 1000, 0},
               [HS_DAILY] = {"daily", 625000, 0, 10},
               [HS_LINKS] = {"associations", 150, 10000, 10}},
    /* links are read for 1,000 objects a call and written 2,000 a call: larger groups cost fewer */
    .daily_units_of_write = 1,
    .batch_read_max = HS_GROUP_MAX,
    .batch_write_max = HS_WRITE_MAX,
    .token_hint =
        "HubSpot: Settings > Integrations > service keys (or an existing private app); "
        "it needs read and write of contacts, companies and deals, their schemas, owners, "
        "and tickets, e-mails (sales-email-read) or custom objects where they are synced",
    .oauth = &PROVIDER,
    .open = hubspot_open,
    .close = hubspot_close,
    .check = hubspot_check,
    .describe = hubspot_describe,
    .users = hubspot_users,
    .ensure_setup = hubspot_ensure_setup,
    .list = hubspot_list,
    .fetch_many = hubspot_fetch_many,
    .find = hubspot_find,
    .upsert = hubspot_upsert,
    .remove = hubspot_remove,
    .erase = hubspot_erase,
    .bin_days = 90, /* source: developers.hubspot.com, knowledge base: restore deleted records */
    .upsert_calls = hubspot_upsert_calls,
    .remove_calls = hubspot_remove_calls,
    .webhook_means = WEBHOOK_BY_SIGNATURE | WEBHOOK_BY_APP,
    .webhook_content_types = hubspot_webhook_types,
    .webhook_verify = hubspot_webhook_verify,
    .webhook_parse = hubspot_webhook_parse,
    .webhook_answer = hubspot_webhook_answer,
    .subscribe = hubspot_subscribe,
    .unsubscribe = hubspot_unsubscribe,
    .select_events = hubspot_select_events,
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
    session->objects = account->objects;
    session->objects_count = account->objects_count;
    session->connection = alloc_dup(account->connection);
    session->wants_events = account->wants_events;
    session->app_auth = account->app_auth;
    while (base.len && base.at[base.len - 1] == '/') {
        base.len--;
    }
    session->base_url = alloc_printf("%" PRI_STR, STR_ARG(base));
    session->version = alloc_printf("%" PRI_STR, STR_ARG(version));
    AUTO_FREE char *key = alloc_printf("hubspot/%s", account->connection);
    if (!account->auth) {
        adapter_credential("Bearer ", account->token, &session->authorization);
    }
    session->account =
        (struct http_account){.limits = limiter_account(http_client_limiter(client), str_of(key),
                                                        adapter_hubspot.limits, HS_BUCKETS),
                              .lane = account->lane,
                              .auth = account->auth,
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
        arena_fini(&session->pipelines_arena);
        json_decref(session->seen);
        json_decref(session->selected);
        hubspot_journal_free(session);
        free(session->connection);
        free(session->portal);
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

/* --- calls ------------------------------------------------------------------------------------ */

static const struct adapter_object *object_of(const struct session *session, const char *kind)
{
    for (size_t i = 0; i < session->objects_count; i++) {
        if (strcmp(session->objects[i].kind, kind) == 0) {
            return &session->objects[i];
        }
    }
    return adapter_object_of(&adapter_hubspot, kind);
}

bool hubspot_has_kind(const struct session *session, const char *kind)
{
    return object_of(session, kind) != NULL;
}

const char *hubspot_object(const struct session *session, const char *kind)
{
    const struct hubspot_activity *activity = hubspot_activity_of_kind(kind);
    const struct adapter_object *object = object_of(session, kind);

    if (activity) {
        return activity->object;
    }
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
        return arena_printf(arena, "/crm/v3/objects/%s%s", hubspot_object(session, kind), tail);
    }
    return arena_printf(arena, "/crm/objects/%s/%s%s", session->version,
                        hubspot_object(session, kind), tail);
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
        return arena_printf(arena, "/crm/v3/properties/%s%s", hubspot_object(session, kind), tail);
    }
    return arena_printf(arena, "/crm/properties/%s/%s%s", session->version,
                        hubspot_object(session, kind), tail);
}

struct str hubspot_path(const struct session *session, struct arena *arena, const char *family,
                        const char *tail)
{
    if (is_legacy(session)) {
        return arena_printf(arena, "/crm/v3/%s%s", family, tail);
    }
    return arena_printf(arena, "/crm/%s/%s%s", family, session->version, tail);
}

static void fill(const struct session *session, const struct hubspot_call *call,
                 struct arena *arena, struct http_call *http)
{
    http->is_safe = call->is_safe;
    http->request.method = call->method;
    http->request.url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(call->path));
    if (!session->account.auth) {
        http_header_add(&http->request.headers, STR("Authorization"),
                        secret_expose(&session->authorization));
    }
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
