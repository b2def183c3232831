/* Salesforce: the table, sessions, account, users. Calls: salesforce_calls.c. Facts: developer.salesforce.com, REST API Developer
 * Guide and Object Reference for API 66.0 and 67.0, read 2026-11. */
#include "adapters/salesforce_events.h"
#include "adapters/salesforce_write.h"

#include <assert.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"

static enum fail salesforce_open(struct env *env, struct http_client *client,
                                 const struct account *account, struct session **ret,
                                 struct error *err);
static void salesforce_close(struct session *session);
static enum fail salesforce_check(struct session *session, struct arena *arena,
                                  struct account_facts *ret, struct error *err);
static enum fail salesforce_users(struct session *session, struct arena *arena,
                                  struct remote_users *ret, struct error *err);

/* The oldest with everything that is used here: /composite with collections, Sforce-Mru and resultPages came by 60.0 */
enum { VERSION_MIN = 60, VERSION_MAX = 999 };
static const char *const DEFAULT_VERSION = "66.0";

/* Every org has a My Domain since 2023, and tokens name it as their instance_url. source: help.salesforce.com 000886201 */
static const char *const HOSTS[] = {"login.salesforce.com", "test.salesforce.com",
                                    "*.my.salesforce.com", NULL};

/* source: help.salesforce.com, "OAuth Authorization Flows"; REST API Developer Guide, "OAuth Endpoints"; scope id: userinfo */
static const struct oauth_provider PROVIDER = {
    .authorize_origin = "https://login.salesforce.com",
    .token_origin = "https://login.salesforce.com",
    .authorize_path = "/services/oauth2/authorize",
    .token_path = "/services/oauth2/token",
    .revoke_path = "/services/oauth2/revoke",
    .grants =
        1u << OAUTH_AUTHORIZATION_CODE | 1u << OAUTH_CLIENT_CREDENTIALS | 1u << OAUTH_JWT_BEARER,
    .has_pkce = true,
    .needs_own_host = true,
    .default_scopes = "api refresh_token id",
    .origin_member = "instance_url",
    .account = OAUTH_ACCOUNT_IDENTITY,
    .is_signed = true,
};

const struct adapter adapter_salesforce = {
    .name = "salesforce",
    .title = "Salesforce",
    .capabilities = ADAPTER_LISTS_DELETED | ADAPTER_MERGE_REDIRECT | ADAPTER_CHANGE_EVENTS,
    .objects = {{"contact", SF_CONTACT, "contact", OBJECT_UNIQUE_KEY},
                {"company", SF_ACCOUNT, "account", OBJECT_UNIQUE_KEY},
                {"deal", SF_OPPORTUNITY, "opportunity", OBJECT_UNIQUE_KEY},
                {"activity", "", "task or event", OBJECT_UNIQUE_KEY},
                {"ticket", SF_CASE, "case", OBJECT_UNIQUE_KEY}},
    .default_base_url = "https://login.salesforce.com",
    .allowed_hosts = HOSTS,
    /* of the smallest edition; Sforce-Limit-Info corrects it upward. Others use the same calls. source: Salesforce Developer Limits
     * and Allocations Quick Reference, "API Request Limits and Allocations" */
    .limits = {[SF_DAILY] = {"daily", 15000, 0, 20}},
    .daily_units_of_write = 1,
    .batch_read_max = SF_PAGE_MAX,
    .batch_write_max = SF_PAGE_MAX,
    .create_many_max = SF_CREATE_MANY_MAX,
    .token_hint = "Salesforce: sign in instead of a token, with an external client app of the org "
                  "(Setup > External Client App Manager); its user needs 'API Enabled', 'View All "
                  "Data' and write access to what is synced",
    .oauth = &PROVIDER,
    .open = salesforce_open,
    .close = salesforce_close,
    .check = salesforce_check,
    .describe = salesforce_describe,
    .users = salesforce_users,
    .ensure_setup = salesforce_ensure_setup,
    .list = salesforce_list,
    .fetch_many = salesforce_fetch_many,
    .find = salesforce_find,
    .upsert = salesforce_upsert,
    .create_many = salesforce_create_many,
    .remove = salesforce_remove,
    .bin_days = 15, /* source: Salesforce help, recycle bin */
    .upsert_calls = salesforce_upsert_calls,
    .remove_calls = salesforce_remove_calls,
    .create_calls = salesforce_create_calls,
    /* source: SOAP API guide, outbound messaging, security: "validate the identity … using the Salesforce client certificate" */
    .webhook_means = WEBHOOK_BY_CERTIFICATE,
    .webhook_content_types = salesforce_webhook_types,
    .webhook_verify = salesforce_webhook_verify,
    .webhook_parse = salesforce_webhook_parse,
    .webhook_answer = salesforce_webhook_answer,
    .subscribe = salesforce_subscribe,
    .unsubscribe = salesforce_unsubscribe,
};

/* "66.0" or "v66.0" */
static bool read_version(struct str text, struct str *ret)
{
    struct str whole, part;
    int64_t major;

    text = str_starts(text, STR("v")) ? str_slice(text, 1, text.len) : text;
    part = text;
    whole = str_cut(&part, '.');
    if (!str_to_i64(whole, &major) || major < VERSION_MIN || major > VERSION_MAX ||
        !str_equal(part, STR("0"))) {
        return false;
    }
    *ret = text;
    return true;
}

static enum fail check_settings(const struct account *account, struct str *ret_version,
                                struct error *err)
{
    struct str version = account->api_version.len ? account->api_version : str_of(DEFAULT_VERSION);

    if (!read_version(version, ret_version)) {
        error_set(err, FAIL_CONFIG, "'%" PRI_STR "' is no version of Salesforce's API",
                  STR_ARG(version));
        return error_hint(err, "use '%s' or leave api_version out; the oldest one is '%d.0'",
                          DEFAULT_VERSION, VERSION_MIN);
    }
    if (!account->auth && !account->base_url.len) {
        error_set(err, FAIL_CONFIG, "connection '%s' has a token but not where it is valid",
                  account->connection);
        return error_hint(err, "set base_url to the org's address: https://NAME.my.salesforce.com");
    }
    return OK;
}

static enum fail salesforce_open(struct env *env, struct http_client *client,
                                 const struct account *account, struct session **ret,
                                 struct error *err)
{
    struct str base =
        account->base_url.len ? account->base_url : str_of(adapter_salesforce.default_base_url);
    AUTO_FREE char *key = alloc_printf("salesforce/%s", account->connection);
    struct session *session;
    struct str version = STR("");

    if (check_settings(account, &version, err) != OK) {
        return err->code;
    }
    session = alloc_new(1, sizeof *session);
    session->env = env;
    session->client = client;
    session->connection = account->connection;
    session->wants_events = account->wants_events;
    session->objects = account->objects;
    session->objects_count = account->objects_count;
    while (base.len && base.at[base.len - 1] == '/') {
        base.len--;
    }
    session->base_url = alloc_printf("%" PRI_STR, STR_ARG(base));
    session->root = alloc_printf("/services/data/v%" PRI_STR, STR_ARG(version));
    if (!account->auth) { /* else http_exec sets it, and the host with it */
        adapter_credential("Bearer ", account->token, &session->authorization);
    }
    session->account =
        (struct http_account){.limits = limiter_account(http_client_limiter(client), str_of(key),
                                                        adapter_salesforce.limits, SF_BUCKETS),
                              .lane = account->lane,
                              .auth = account->auth,
                              .classify = salesforce_classify};
    *ret = session;
    return OK;
}

static void salesforce_close(struct session *session)
{
    if (session) {
        salesforce_free_objects(session);
        salesforce_free_bulk(session);
        salesforce_free_choices(session);
        salesforce_free_stream(session);
        json_decref(session->written);
        secret_fini(&session->authorization);
        free(session->base_url);
        free(session->root);
        free(session->user_id);
        free(session);
    }
}

/* --- account ---------------------------------------------------------------------------------- */

static enum fail salesforce_check(struct session *session, struct arena *arena,
                                  struct account_facts *ret, struct error *err)
{
    struct salesforce_query query = {.soql =
                                         STR("SELECT Id, Name, TimeZoneSidKey FROM Organization")};
    struct salesforce_answer answer;
    const json_t *row;

    if (salesforce_query(session, &query, 1, arena, &answer, err) != OK) {
        return error_wrap(err, "salesforce account");
    }
    row = json_array_get(query.records, 0);
    if (jx_str(row, "Id", &ret->account_id, err) != OK ||
        jx_str_or(row, "Name", STR(""), &ret->title, err) != OK ||
        jx_str_or(row, "TimeZoneSidKey", STR(""), &ret->time_zone, err) != OK) {
        return error_wrap(err, "salesforce account");
    }
    ret->account_id = salesforce_id18(arena, ret->account_id);
    ret->user_id = STR(""); /* another call; asked for where it matters */
    return OK;
}

/* A token without the scope for it is no reason to stop. source: help.salesforce.com, "Query for User Information" */
enum fail salesforce_own_user(struct session *session, struct str *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct salesforce_call call = {.method = HTTP_GET,
                                   .path = STR("/services/oauth2/userinfo"),
                                   .is_safe = true,
                                   .may_be_missing = true};
    struct salesforce_answer answer;
    struct str id = STR("");

    if (!session->user_id && salesforce_exec(session, &call, &arena, &answer, err) == OK) {
        (void)!jx_str_or(answer.body, "user_id", STR(""), &id, err);
    } else if (err->http_status == 403 || err->http_status == 404) {
        error_reset(err);
    }
    if (err->code != OK) {
        return err->code;
    }
    if (!session->user_id) {
        session->user_id = alloc_printf("%" PRI_STR, STR_ARG(id));
    }
    *ret = str_of(session->user_id);
    return OK;
}

/* --- users ------------------------------------------------------------------------------------ */

static enum fail read_user(const json_t *row, struct remote_user *ret, struct error *err)
{
    if (jx_str(row, "Id", &ret->remote_id, err) != OK ||
        jx_str_or(row, "Email", STR(""), &ret->email, err) != OK ||
        jx_str_or(row, "Name", STR(""), &ret->name, err) != OK ||
        jx_bool_or(row, "IsActive", true, &ret->is_active, err) != OK) {
        return error_wrap(err, "salesforce users");
    }
    return OK;
}

/* Users cannot be deleted there, only switched off. */
static enum fail salesforce_users(struct session *session, struct arena *arena,
                                  struct remote_users *ret, struct error *err)
{
    struct salesforce_query query = {
        .soql = STR("SELECT Id, Email, Name, IsActive FROM User ORDER BY Id"), .is_whole = true};
    struct salesforce_answer answer;
    struct remote_user *users;
    size_t count;

    if (salesforce_query(session, &query, 1, arena, &answer, err) != OK) {
        return error_wrap(err, "salesforce users");
    }
    count = json_array_size(query.records);
    users = ARENA_ARRAY(arena, struct remote_user, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (read_user(json_array_get(query.records, i), &users[i], err) != OK) {
            return err->code;
        }
    }
    *ret = (struct remote_users){.at = users, .count = count};
    return OK;
}
