/* Sources: OpenAPI v1, /webhooks; pipedrive.readme.io, "Guide for Webhooks v2" (members of meta, ten seconds, three repeats, the ban after ten failed first
 * attempts, the end after three days). Reference: pipedrive.md section 12. Here `data` is the record as it is when the event leaves, in the form that v2 reads
 * have, and `previous` is empty: who reads more than `meta` would read something else at Pipedrive, too. */
#include "simulators/pipedrive_webhooks.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/jx.h"
#include "core/uuid.h"
#include "core/when.h"

enum {
    WEBHOOKS_MAX = 40, /* of a user */
    ANSWER_MS = 10000,
    FIRST_FAILURES_MAX = 10,
    BAN_MS = 30 * 60 * 1000,
    TEXT_BYTES_MAX = 2000,
};
static const int64_t LIFE_WITHOUT_SUCCESS_MS = 3LL * 24 * 60 * 60 * 1000;
static const int64_t WAITS_MS[] = {3000, 30000, 150000};

struct webhook {
    int64_t id;
    json_t *row; /* owned: as the API shows it */
    int64_t first_failures, banned_until_ms, last_success_ms;
};

struct pd_webhooks {
    struct webhook at[WEBHOOKS_MAX];
    size_t count;
    int64_t last_id;
    const struct pd_kind *merging; /* NULL none */
    int64_t merging_from, merging_into;
};

struct pd_webhooks *pd_webhooks_new(void)
{
    struct pd_webhooks *webhooks = alloc_new(1, sizeof(*webhooks));

    webhooks->last_id = 60300;
    return webhooks;
}

void pd_webhooks_free(struct pd_webhooks *webhooks)
{
    if (webhooks) {
        for (size_t i = 0; i < webhooks->count; i++) {
            json_decref(webhooks->at[i].row);
        }
        free(webhooks);
    }
}

static struct webhook *find(struct pd_webhooks *webhooks, int64_t id)
{
    for (size_t i = 0; i < webhooks->count; i++) {
        if (webhooks->at[i].id == id) {
            return &webhooks->at[i];
        }
    }
    return NULL;
}

static struct str text_of(const struct webhook *webhook, const char *key)
{
    return jx_text_of(jx_get(webhook->row, key));
}

static bool is_active(const struct webhook *webhook)
{
    return json_integer_value(jx_get(webhook->row, "is_active")) == 1;
}

/* --- events ----------------------------------------------------------------------------------- */

void pd_news_merging(struct pipedrive *pd, const struct pd_kind *kind, int64_t from, int64_t into)
{
    pd->webhooks->merging = kind;
    pd->webhooks->merging_from = from;
    pd->webhooks->merging_into = into;
}

static bool is_meant(const struct webhook *webhook, const struct pd_kind *kind, const char *action)
{
    struct str object = text_of(webhook, "event_object"), wanted = text_of(webhook, "event_action");

    return is_active(webhook) &&
           (str_equal(object, STR("*")) || str_equal(object, str_of(kind->spec->singular))) &&
           (str_equal(wanted, STR("*")) || str_equal(wanted, str_of(action)));
}

/* Ids are texts in meta. */
static void set_id(json_t *meta, const char *name, int64_t id)
{
    json_object_set_new(meta, name, json_sprintf("%" PRId64, id));
}

static void set_merge(const struct pd_webhooks *webhooks, const struct pd_kind *kind, int64_t id,
                      json_t *meta)
{
    if (webhooks->merging != kind) {
        return;
    }
    if (id == webhooks->merging_from) {
        set_id(meta, "merged_to_id", webhooks->merging_into);
    } else if (id == webhooks->merging_into) {
        set_id(meta, "merged_from_id", webhooks->merging_from);
    }
}

static json_t *event_of(struct pipedrive *pd, const struct webhook *webhook,
                        const struct pd_kind *kind, int64_t id, const char *action, int64_t now_ms)
{
    struct sim_hooks *hooks = pd->sim->hooks;
    char event_id[UUID_TEXT_BYTES], correlation[UUID_TEXT_BYTES], time[WHEN_TEXT_BYTES];
    json_t *meta;

    uuid_v7(now_ms, sim_hooks_random(hooks), event_id);
    uuid_v7(now_ms, sim_hooks_random(hooks), correlation);
    when_format_ms(now_ms, time);
    meta = json_pack("{s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:s}", "action", action, "entity",
                     kind->spec->singular, "id", event_id, "correlation_id", correlation,
                     "is_bulk_edit", 0, "timestamp", time, "type", "general", "version", "2.0",
                     "change_source", sim_hooks_is_person(hooks) ? "app" : "api", "host",
                     "harbour.pipedrive.com");
    set_id(meta, "entity_id", id);
    set_id(meta, "company_id", pd->company_id);
    set_id(meta, "user_id", pd_users[0].id);
    set_id(meta, "webhook_id", webhook->id);
    set_id(meta, "webhook_owner_id", pd_users[0].id);
    json_object_set_new(meta, "permitted_user_ids",
                        json_pack("[o]", json_sprintf("%" PRId64, pd_users[0].id)));
    set_merge(pd->webhooks, kind, id, meta);
    return meta;
}

/* Events of a time of ban are lost, not queued. */
void pd_news(struct pipedrive *pd, const struct pd_kind *kind, const struct pd_record *record,
             const char *action, int64_t now_ms)
{
    for (size_t i = 0; pd->webhooks && i < pd->webhooks->count; i++) {
        const struct webhook *webhook = &pd->webhooks->at[i];

        if (is_meant(webhook, kind, action) && now_ms >= webhook->banned_until_ms) {
            sim_hooks_add(pd->sim->hooks, webhook->id,
                          event_of(pd, webhook, kind, record->base.id, action, now_ms), now_ms);
        }
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

static void put_data(struct sim_call *call, const json_t *meta)
{
    const struct pd_kind *kind = pd_kind_singular(pd_of(call), jx_text_of(jx_get(meta, "entity")));
    const struct pd_record *record = NULL;
    struct pd_view view = {.shows_all_custom = true};
    int64_t id = 0;

    if (str_to_i64(jx_text_of(jx_get(meta, "entity_id")), &id)) {
        record = pd_record_live(kind, id);
    }
    if (!record || str_equal(jx_text_of(jx_get(meta, "action")), STR("delete"))) {
        sim_put(call->body, "null");
    } else if (kind == pd_notes(pd_of(call))) {
        buf_addf(call->body, "{\"id\":%" PRId64 "}", id);
    } else {
        pd_put_record(call, kind, record, &view);
    }
}

static void put_credentials(struct sim_call *call, const struct webhook *webhook)
{
    struct str user = text_of(webhook, "http_auth_user"),
               password = text_of(webhook, "http_auth_password"), pair;

    if (user.len) {
        pair =
            arena_printf(call->arena, "%" PRI_STR ":%" PRI_STR, STR_ARG(user), STR_ARG(password));
        sim_hook_header(call, "Authorization",
                        arena_printf(call->arena, "Basic %" PRI_STR,
                                     STR_ARG(base64_encode(call->arena, pair.at, pair.len))));
    }
}

static bool put(struct sim_call *call, const struct sim_parcel *parcel, struct str *ret_url)
{
    struct webhook *webhook = find(pd_of(call)->webhooks, parcel->target);
    json_t *meta = json_array_get(parcel->events, 0);

    if (!webhook || !is_active(webhook)) {
        return false;
    }
    json_object_set_new(meta, "attempt", json_integer(parcel->attempt));
    sim_put(call->body, "{\"data\":");
    put_data(call, meta);
    sim_put(call->body, ",\"previous\":null,\"meta\":");
    sim_put_json(call->body, meta);
    sim_put(call->body, "}");
    sim_hook_header(call, "Content-Type", STR("application/json"));
    sim_hook_header(call, "User-Agent", STR("Pipedrive Webhooks (simulated)"));
    put_credentials(call, webhook);
    *ret_url = text_of(webhook, "subscription_url");
    return true;
}

static void set_time(struct webhook *webhook, const char *name, int64_t ms)
{
    char time[WHEN_TEXT_BYTES];

    when_format_ms(ms, time);
    json_object_set_new(webhook->row, name, json_string(time));
}

/* A failure of the first attempt counts towards the ban. Whether a success resets the count is not said: here it does not. */
static void settled(struct sim_call *call, const struct sim_parcel *parcel, int status,
                    bool will_retry)
{
    struct webhook *webhook = find(pd_of(call)->webhooks, parcel->target);
    bool is_taken = status >= 200 && status < 300;

    (void)will_retry;
    if (!webhook) {
        return;
    }
    set_time(webhook, "last_delivery_time", call->now_ms);
    json_object_set_new(webhook->row, "last_http_status", json_integer(status));
    if (is_taken) {
        webhook->last_success_ms = call->now_ms;
        return;
    }
    if (parcel->attempt == 1 && ++webhook->first_failures >= FIRST_FAILURES_MAX) {
        webhook->first_failures = 0;
        webhook->banned_until_ms = call->now_ms + BAN_MS;
    }
    if (call->now_ms - webhook->last_success_ms > LIFE_WITHOUT_SUCCESS_MS) {
        json_object_set_new(webhook->row, "is_active", json_integer(0));
        json_object_set_new(webhook->row, "remove_reason", json_string("no successful deliveries"));
        set_time(webhook, "remove_time", call->now_ms);
    }
}

static enum fail configure(struct sim_call *call, const json_t *order, struct error *err)
{
    (void)call;
    return jx_get(order, "url")
               ? error_set(err, FAIL_CONFIG,
                           "url: subscribe with POST /v1/webhooks, as at Pipedrive")
               : OK;
}

const struct sim_hook_style pd_hook_style = {.waits_ms = WAITS_MS,
                                             .waits_count = COUNT_OF(WAITS_MS),
                                             .answer_ms = ANSWER_MS,
                                             .batch_max = 1,
                                             .put = put,
                                             .settled = settled,
                                             .configure = configure};

/* --- /v1/webhooks ----------------------------------------------------------------------------- */

static void refuse(struct sim_call *call, int status, const char *member, const char *why)
{
    sim_restart(call);
    buf_addf(call->body, "{\"status\":\"error\",\"success\":false,\"errors\":{\"%s\":[", member);
    sim_put_text(call->body, str_of(why));
    sim_put(call->body, "]}}");
    sim_reply(call, status);
}

static bool is_word(struct str text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (str_equal(text, str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

/* False after answering. */
static bool check(struct sim_call *call, const json_t *body)
{
    static const char *const ACTIONS[] = {"create", "change", "delete", "*", NULL};
    static const char *const OBJECTS[] = {"activity",     "deal",   "lead",     "note",
                                          "organization", "person", "pipeline", "product",
                                          "stage",        "user",   "*",        NULL};
    struct str version = jx_text_of(jx_get(body, "version"));

    if (!sim_hook_url_is_here(jx_text_of(jx_get(body, "subscription_url")))) {
        refuse(call, 400, "subscription_url", "invalid or non-reachable URL");
    } else if (!is_word(jx_text_of(jx_get(body, "event_action")), ACTIONS)) {
        refuse(call, 400, "event_action", "invalid value");
    } else if (!is_word(jx_text_of(jx_get(body, "event_object")), OBJECTS)) {
        refuse(call, 400, "event_object", "invalid value");
    } else if (!jx_text_of(jx_get(body, "name")).len) {
        refuse(call, 400, "name", "is required");
    } else if (version.at && !str_equal(version, STR("2.0"))) {
        refuse(call, 400, "version", "the simulator sends version 2.0 alone");
    } else if (pd_of(call)->webhooks->count == WEBHOOKS_MAX) {
        refuse(call, 422, "user_id", "webhooks limit reached");
    } else {
        return true;
    }
    return false;
}

static void put_list(struct sim_call *call, int status, const json_t *data)
{
    sim_put(call->body, "{\"status\":\"ok\",\"success\":true,\"data\":");
    sim_put_json(call->body, data);
    sim_put(call->body, "}");
    sim_reply(call, status);
}

static json_t *row_of(struct sim_call *call, int64_t id, const json_t *body)
{
    static const char *const KEPT[] = {"event_action",   "event_object",       "subscription_url",
                                       "http_auth_user", "http_auth_password", "name"};
    int64_t user = pd_users[0].id;
    json_t *row =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:s,s:i,s:s,s:n,s:n,s:n,s:n}", "id", (json_int_t)id,
                  "company_id", (json_int_t)pd_of(call)->company_id, "owner_id", (json_int_t)user,
                  "user_id", (json_int_t)user, "admin_id", (json_int_t)user, "version", "2.0",
                  "is_active", 1, "type", call->consent ? "application" : "general", "remove_time",
                  "remove_reason", "last_delivery_time", "last_http_status");

    for (size_t i = 0; i < COUNT_OF(KEPT); i++) {
        struct str text = str_slice(jx_text_of(jx_get(body, KEPT[i])), 0, TEXT_BYTES_MAX);

        json_object_set_new(row, KEPT[i], text.at ? json_stringn(text.at, text.len) : json_null());
    }
    return row;
}

void pd_webhook_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_webhooks *webhooks = pd_of(call)->webhooks;
    struct webhook *webhook;
    json_t *body = NULL;

    (void)at;
    if (!sim_json(call, &body) || !json_is_object(body)) {
        refuse(call, 400, "body", "is no JSON object");
        return;
    }
    if (!check(call, body)) {
        return;
    }
    webhook = &webhooks->at[webhooks->count++];
    *webhook = (struct webhook){.id = ++webhooks->last_id, .last_success_ms = call->now_ms};
    webhook->row = row_of(call, webhook->id, body);
    set_time(webhook, "add_time", call->now_ms);
    put_list(call, 201, webhook->row);
}

void pd_webhooks_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_webhooks *webhooks = pd_of(call)->webhooks;
    json_t *list = jx_own(call->arena, json_array());

    (void)at;
    for (size_t i = 0; i < webhooks->count; i++) {
        json_array_append(list, webhooks->at[i].row);
    }
    put_list(call, 200, list);
}

void pd_webhook_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_webhooks *webhooks = pd_of(call)->webhooks;
    struct webhook *webhook = NULL;
    int64_t id = 0;

    if (str_to_i64(at->last, &id)) {
        webhook = find(webhooks, id);
    }
    if (!webhook) {
        pd_not_found(call);
        return;
    }
    json_decref(webhook->row);
    *webhook = webhooks->at[--webhooks->count];
    sim_hooks_forget(call->sim->hooks, id);
    sim_put(call->body, "{\"status\":\"ok\",\"success\":true}");
    sim_reply(call, 200);
}
