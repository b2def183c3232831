/* Pipedrive: webhooks are made, compared and deleted by API; there is no way to change one. Those that send below our address are ours, whatever the last
 * segment of it, so that a new secret replaces them; everybody else's stay.
 *
 * Sources: OpenAPI v1, /webhooks; pipedrive.readme.io, "Guide for Webhooks v2". Reference: pipedrive.md section 12.1. */
#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

#define PATH "/api/v1/webhooks"
#define VERSION "2.0" /* always named: the default changed once */

enum { OBJECTS_MAX = 5 };

static const struct {
    const char *kind, *object;
} OBJECTS[OBJECTS_MAX] = {{"contact", "person"},
                          {"company", "organization"},
                          {"deal", "deal"},
                          {"activity", "activity"},
                          {"activity", "note"}};

static bool is_wanted_kind(const struct webhook_wanted *wanted, const char *kind)
{
    for (size_t i = 0; i < wanted->kinds_count; i++) {
        if (strcmp(wanted->kinds[i], kind) == 0) {
            return true;
        }
    }
    return false;
}

/* --- what is there ---------------------------------------------------------------------------- */

static struct str text_at(const json_t *hook, const char *key)
{
    struct str text = jx_text_of(jx_get(hook, key));

    return text.at ? text : STR("");
}

/* "https://host/api/crm/webhooks/name/": everything but the secret. */
static struct str without_secret(struct str url)
{
    while (url.len && url.at[url.len - 1] != '/') {
        url.len--;
    }
    return url;
}

static bool is_ours(const json_t *hook, const struct webhook_wanted *wanted)
{
    struct str url = text_at(hook, "subscription_url"), base = without_secret(wanted->url);

    return str_starts(url, base) &&
           !memchr(url.at + base.len, '/', url.len - base.len); /* not another connection's */
}

/* 0 or 1 in the document; a boolean would be no surprise. */
static bool is_active(const json_t *hook)
{
    const json_t *active = jx_get(hook, "is_active");

    return json_is_true(active) || (json_is_integer(active) && json_integer_value(active) == 1);
}

/* A password that is not shown cannot be compared: it counts as right. */
static bool has_password(const json_t *hook, const struct webhook_wanted *wanted)
{
    const struct secret *const passwords[WEBHOOK_SECRETS_MAX] = {wanted->password};
    struct str password = text_at(hook, "http_auth_password");

    return password.len == 0 || webhook_is_one_of(passwords, password);
}

static bool is_as_wanted(const json_t *hook, const struct webhook_wanted *wanted,
                         const char *object)
{
    return str_equal(text_at(hook, "event_object"), str_of(object)) &&
           str_equal(text_at(hook, "subscription_url"), wanted->url) &&
           str_equal(text_at(hook, "event_action"), STR("*")) &&
           str_equal(text_at(hook, "version"), STR(VERSION)) &&
           str_equal(text_at(hook, "http_auth_user"), wanted->user) && has_password(hook, wanted) &&
           is_active(hook);
}

/* source: 400 "invalid or non-reachable URL"; 403 without the scope or as no administrator; 422 above 40 of one user */
static enum fail explain(struct error *err, const char *what)
{
    int status = err->http_status;

    error_wrap(err, "pipedrive webhooks: %s", what);
    if (status == 400) {
        err->code = FAIL_CONNECTION;
        error_hint(err, "public_url must be reachable from the internet by https, with a "
                        "certificate of a public authority and without redirects");
    } else if (status == 403) {
        error_hint(err, "webhooks need a token of an administrator; a signed-in app needs the "
                        "scope 'admin'");
    } else if (status == 422) {
        error_hint(err, "a user has room for 40 webhooks: delete some at Pipedrive (Tools and "
                        "apps > Webhooks)");
    }
    return err->code;
}

static enum fail list_hooks(struct session *session, struct arena *arena, json_t **ret,
                            struct error *err)
{
    struct pipedrive_call call = {
        .method = HTTP_GET, .path = STR(PATH), .tokens = PD_COST_LIST, .is_safe = true};
    struct pipedrive_answer answer;

    if (pipedrive_exec(session, &call, arena, &answer, err) != OK) {
        return explain(err, "list them");
    }
    if (answer.data && !json_is_array(answer.data)) {
        return error_set(err, FAIL_RETRY, "pipedrive webhooks: the answer is no list");
    }
    *ret = answer.data; /* NULL: an empty list is null in some answers */
    return OK;
}

/* --- making and deleting ---------------------------------------------------------------------- */

static json_t *body_of(const struct webhook_wanted *wanted, const char *object)
{
    struct str password = secret_expose(wanted->password);

    return json_pack("{s:s%,s:s,s:s,s:s+,s:s,s:s%,s:s%}", "subscription_url", wanted->url.at,
                     wanted->url.len, "event_action", "*", "event_object", object, "name",
                     "crmsync ", object, "version", VERSION, "http_auth_user", wanted->user.at,
                     wanted->user.len, "http_auth_password", password.at, password.len);
}

static enum fail create(struct session *session, const struct webhook_wanted *wanted,
                        const char *object, struct webhook_report *report, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_POST,
                                  .path = STR(PATH),
                                  .body = jx_own(&arena, body_of(wanted, object)),
                                  .tokens = PD_COST_V1_WRITE};

    if (pipedrive_exec(session, &call, &arena, &answer, err) != OK) {
        return explain(err, object);
    }
    report->created++;
    return OK;
}

static enum fail delete_hook(struct session *session, const json_t *hook,
                             struct webhook_report *report, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct pipedrive_answer answer;
    struct pipedrive_call call = {
        .method = HTTP_DELETE, .tokens = PD_COST_V1_DELETE, .is_safe = true};
    struct str id;

    if (jx_id(&arena, hook, "id", &id, err) != OK) {
        return error_wrap(err, "pipedrive webhooks");
    }
    call.path = arena_printf(&arena, PATH "/%" PRI_STR, STR_ARG(id));
    if (pipedrive_exec(session, &call, &arena, &answer, err) != OK && err->code != FAIL_STALE) {
        return error_wrap(err, "delete webhook %" PRI_STR, STR_ARG(id));
    }
    error_reset(err); /* it is gone already */
    report->removed++;
    return OK;
}

/* The one of several that stays: saving the same twice gives two, and every event twice. */
static const json_t *find_right(const json_t *hooks, const struct webhook_wanted *wanted,
                                const char *object)
{
    size_t index;
    json_t *hook;

    json_array_foreach(hooks, index, hook)
    {
        if (is_as_wanted(hook, wanted, object)) {
            return hook;
        }
    }
    return NULL;
}

static enum fail delete_others(struct session *session, const json_t *hooks,
                               const struct webhook_wanted *wanted,
                               const json_t *const kept[OBJECTS_MAX], struct webhook_report *report,
                               struct error *err)
{
    size_t index;
    json_t *hook;

    json_array_foreach(hooks, index, hook)
    {
        bool is_kept = !is_ours(hook, wanted);

        for (size_t i = 0; i < OBJECTS_MAX; i++) {
            is_kept = is_kept || kept[i] == hook;
        }
        if (!is_kept && delete_hook(session, hook, report, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* New ones first, so that no event is missed between the two. */
enum fail pipedrive_subscribe(struct session *session, const struct webhook_wanted *wanted,
                              struct arena *arena, struct webhook_report *ret, struct error *err)
{
    const json_t *kept[OBJECTS_MAX] = {NULL};
    json_t *hooks = NULL;

    *ret = (struct webhook_report){.by_hand = STR("")};
    if (!wanted->user.len || !wanted->password || secret_is_empty(wanted->password)) {
        return error_set(err, FAIL_CONFIG, "webhooks need a user and a password of their own");
    }
    if (list_hooks(session, arena, &hooks, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        if (!is_wanted_kind(wanted, OBJECTS[i].kind)) {
            continue;
        }
        kept[i] = find_right(hooks, wanted, OBJECTS[i].object);
        ret->present += kept[i] != NULL;
        if (!kept[i] && create(session, wanted, OBJECTS[i].object, ret, err) != OK) {
            return err->code;
        }
    }
    return delete_others(session, hooks, wanted, kept, ret, err);
}

enum fail pipedrive_unsubscribe(struct session *session, const struct webhook_wanted *wanted,
                                struct arena *arena, struct webhook_report *ret, struct error *err)
{
    const json_t *none[OBJECTS_MAX] = {NULL};
    json_t *hooks = NULL;

    *ret = (struct webhook_report){.by_hand = STR("")};
    return list_hooks(session, arena, &hooks, err) != OK
               ? err->code
               : delete_others(session, hooks, wanted, none, ret, err);
}
