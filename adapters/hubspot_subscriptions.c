/* HubSpot: the API for the webhooks of a public app. It has a key of its own, the developer account's, and one target for all accounts that installed the
 * app.
 *
 * Sources: HubSpot's OpenAPI file of webhooks v3; developers.hubspot.com, "Webhooks API guide": created paused unless said otherwise, only `active` can be
 * changed, at most 1,000 of an app, seen up to five minutes later. Reference: hubspot.md section 16. */
#include "adapters/hubspot_subscriptions.h"

#include "adapters/hubspot_inside.h"
#include "core/jx.h"

enum { PARALLEL = 10, SUBSCRIPTIONS_MAX = 1000 };

struct app {
    struct session *session;
    const struct webhook_wanted *wanted;
    struct arena *arena;
    struct http_account account;
};

/* The key stands in the address: it must not be shown. */
static enum fail exec(const struct app *app, enum http_method method, const char *tail,
                      json_t *take_body, json_t **ret, struct error *err)
{
    struct http_account account = app->account;
    struct http_call http = {.is_safe = method != HTTP_POST};
    struct http_call *const calls[] = {&http};
    struct str key = secret_expose(app->wanted->developer_key);
    enum fail failed;

    http.cost.units[HS_BURST] = http.cost.units[HS_DAILY] = 1;
    http.request.method = method;
    http.request.url = arena_printf(app->arena, "%s/webhooks/v3/%" PRI_STR "/%s?hapikey=%" PRI_STR,
                                    app->session->base_url, STR_ARG(app->wanted->app_id), tail,
                                    STR_ARG(http_percent_encode(app->arena, key)));
    if (take_body) {
        http_header_add(&http.request.headers, STR("Content-Type"), STR("application/json"));
        http.request.body = jx_text(app->arena, jx_own(app->arena, take_body));
    }
    failed = http_exec(app->session->client, &account, calls, 1, err);
    if (failed == OK && http.result != OK) {
        *err = http.error;
        failed = err->code;
    }
    if (failed == OK && ret) {
        failed = jx_parse(app->arena, http.response.body, ret, err);
    }
    http_call_fini(&http);
    if (failed == FAIL_AUTH) {
        error_hint(err, "look at webhooks: developer_key in crmsync.yaml: it is the key of the "
                        "developer account that owns the app");
    }
    return failed == OK ? OK
                        : error_wrap(err, "hubspot app %" PRI_STR ", %s",
                                     STR_ARG(app->wanted->app_id), tail);
}

/* --- the target ------------------------------------------------------------------------------- */

static struct str without_secret(struct str url)
{
    while (url.len && url.at[url.len - 1] != '/') {
        url.len--;
    }
    return url;
}

/* *ret_url "": the app has none yet (404). */
static enum fail read_target(const struct app *app, struct str *ret_url, struct error *err)
{
    json_t *settings = NULL;

    *ret_url = STR("");
    if (exec(app, HTTP_GET, "settings", NULL, &settings, err) != OK) {
        if (err->http_status == 404) {
            error_reset(err);
            return OK;
        }
        return err->code;
    }
    return jx_str_or(settings, "targetUrl", STR(""), ret_url, err);
}

static enum fail check_target(const struct app *app, struct str url, struct error *err)
{
    if (url.len && !str_starts(url, without_secret(app->wanted->url))) {
        error_set(err, FAIL_CONNECTION,
                  "hubspot app %" PRI_STR " sends its webhooks to another address",
                  STR_ARG(app->wanted->app_id));
        return error_hint(err, "an app has one target for all accounts: use an app of its own for "
                               "crmsync, or remove the target there");
    }
    return OK;
}

static enum fail set_target(const struct app *app, struct error *err)
{
    struct str url = app->wanted->url;

    return exec(app, HTTP_PUT, "settings",
                json_pack("{s:s%,s:{s:i}}", "targetUrl", url.at, url.len, "throttling",
                          "maxConcurrentRequests", PARALLEL),
                NULL, err);
}

/* --- the subscriptions ------------------------------------------------------------------------ */

static struct str text_at(const json_t *one, const char *key)
{
    struct str text = jx_text_of(jx_get(one, key));

    return text.at ? text : STR("");
}

static bool is_same(const json_t *there, const json_t *wanted)
{
    return str_equal(text_at(there, "eventType"), text_at(wanted, "type")) &&
           str_equal(text_at(there, "propertyName"), text_at(wanted, "property")) &&
           str_equal(text_at(there, "objectTypeId"), text_at(wanted, "type_id"));
}

static const json_t *find(const json_t *list, const json_t *one, bool is_wanted_list)
{
    size_t index;
    json_t *other;

    json_array_foreach(list, index, other)
    {
        if (is_wanted_list ? is_same(one, other) : is_same(other, one)) {
            return other;
        }
    }
    return NULL;
}

static json_t *body_of(const json_t *wanted)
{
    json_t *body = json_object();

    json_object_set(body, "eventType", json_object_get(wanted, "type"));
    if (json_object_get(wanted, "property")) {
        json_object_set(body, "propertyName", json_object_get(wanted, "property"));
    }
    if (json_object_get(wanted, "type_id")) {
        json_object_set(body, "objectTypeId", json_object_get(wanted, "type_id"));
    }
    json_object_set_new(body, "active", json_true());
    return body;
}

static const char *tail_of(const struct app *app, const json_t *there)
{
    struct error ignored = {0};
    struct str id = STR("");

    (void)!jx_id_or(app->arena, there, "id", STR(""), &id, &ignored);
    return arena_printf(app->arena, "subscriptions/%" PRI_STR, STR_ARG(id)).at;
}

static enum fail make_missing(const struct app *app, const json_t *there, const json_t *wanted,
                              struct webhook_report *ret, struct error *err)
{
    size_t index;
    json_t *one;

    json_array_foreach(wanted, index, one)
    {
        const json_t *found = find(there, one, false);
        bool is_paused = found && !json_is_true(jx_get(found, "active"));

        if ((!found && exec(app, HTTP_POST, "subscriptions", body_of(one), NULL, err) != OK) ||
            (is_paused && exec(app, HTTP_PATCH, tail_of(app, found),
                               json_pack("{s:b}", "active", 1), NULL, err) != OK)) {
            return err->code;
        }
        ret->created += !found || is_paused;
        ret->present += found && !is_paused;
    }
    return OK;
}

static enum fail remove_others(const struct app *app, const json_t *there, const json_t *wanted,
                               struct webhook_report *ret, struct error *err)
{
    size_t index;
    json_t *one;

    json_array_foreach(there, index, one)
    {
        if (find(wanted, one, true)) {
            continue;
        }
        if (exec(app, HTTP_DELETE, tail_of(app, one), NULL, NULL, err) != OK) {
            if (err->http_status != 404) {
                return err->code;
            }
            error_reset(err);
        }
        ret->removed++;
    }
    return OK;
}

static enum fail read_subscriptions(const struct app *app, json_t **ret, struct error *err)
{
    json_t *answer = NULL;

    if (exec(app, HTTP_GET, "subscriptions", NULL, &answer, err) != OK) {
        return err->code;
    }
    return jx_array(answer, "results", ret, err);
}

enum fail hubspot_subscriptions_match(struct session *session, const struct webhook_wanted *wanted,
                                      const json_t *list, struct arena *arena,
                                      struct webhook_report *ret, struct error *err)
{
    struct app app = {
        .session = session, .wanted = wanted, .arena = arena, .account = session->account};
    json_t *there = NULL;
    struct str target;

    app.account.auth = NULL; /* the developer's key, not the account's token */
    if (json_array_size(list) > SUBSCRIPTIONS_MAX) {
        return error_set(err, FAIL_CONNECTION,
                         "%zu subscriptions are wanted, an app has room for %d",
                         json_array_size(list), SUBSCRIPTIONS_MAX);
    }
    if (!wanted->developer_key || secret_is_empty(wanted->developer_key)) {
        return error_set(err, FAIL_CONFIG, "webhooks: app_id needs developer_key");
    }
    if (read_target(&app, &target, err) != OK || check_target(&app, target, err) != OK) {
        return err->code;
    }
    if (json_array_size(list) && !str_equal(target, wanted->url) && set_target(&app, err) != OK) {
        return err->code;
    }
    if (read_subscriptions(&app, &there, err) != OK ||
        make_missing(&app, there, list, ret, err) != OK ||
        remove_others(&app, there, list, ret, err) != OK) {
        return err->code;
    }
    return json_array_size(list) || !target.len
               ? OK
               : exec(&app, HTTP_DELETE, "settings", NULL, NULL, err);
}
