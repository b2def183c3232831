/* What the app is told of the account: events, their signatures, and the app's own API for its subscriptions.
 *
 * Sources: developers.hubspot.com, "Webhooks API guide" (batches of up to 100, five seconds, ten repeats over 24 hours, no order), "Validating requests"
 * (deliveries carry signatures v1 and v3), "Generic webhook subscriptions"; OpenAPI file of webhooks v3. How the ten repeats are spread is a guess. */
#include "simulators/hubspot_webhooks.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/digest.h"
#include "core/jx.h"
#include "core/when.h"
#include "simulators/hubspot_journal.h"

enum {
    TARGET = 1,
    BATCH_MAX = 100,
    ANSWER_MS = 5000,
    SUBSCRIPTIONS_MAX = 1000,
    URL_BYTES_MAX = 16 * 1024,
    NAME_BYTES = 160,
};
#define MINUTE_MS ((int64_t)60 * 1000)

static const int64_t WAITS_MS[] = {
    MINUTE_MS,       5 * MINUTE_MS,   15 * MINUTE_MS,  30 * MINUTE_MS,  60 * MINUTE_MS,
    120 * MINUTE_MS, 240 * MINUTE_MS, 300 * MINUTE_MS, 300 * MINUTE_MS, 360 * MINUTE_MS};

struct hs_webhooks {
    char *url;    /* owned; NULL = the app has no target */
    char *secret; /* owned; NULL = the client secret */
    int64_t parallel, created_ms;
    bool is_everything;    /* every type and property, without subscriptions */
    json_t *subscriptions; /* owned: rows as the API shows them */
    int64_t last_subscription, last_event;
};

struct hs_webhooks *hs_webhooks_new(void)
{
    struct hs_webhooks *webhooks = alloc_new(1, sizeof(*webhooks));

    webhooks->subscriptions = json_array();
    webhooks->last_subscription = 7000;
    webhooks->last_event = 100000;
    return webhooks;
}

void hs_webhooks_free(struct hs_webhooks *webhooks)
{
    if (webhooks) {
        free(webhooks->url);
        free(webhooks->secret);
        json_decref(webhooks->subscriptions);
        free(webhooks);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

/* Objects that had words of their own before there were generic subscriptions. */
static bool has_own_word(const struct hs_kind *kind)
{
    static const char *const WORDS[] = {"contact", "company", "deal", "ticket"};

    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (strcmp(kind->spec->singular, WORDS[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* How a subscription tells of this: "contact.creation", or "object.creation" with a type id. */
static bool subscription_fits(const json_t *row, const struct hs_kind *kind, const char *what,
                              const char *property)
{
    struct str type = jx_text_of(jx_get(row, "eventType"));
    struct str type_id = jx_text_of(jx_get(row, "objectTypeId"));
    struct str wanted = jx_text_of(jx_get(row, "propertyName"));
    char own[NAME_BYTES], generic[NAME_BYTES];

    snprintf(own, sizeof own, "%s.%s", kind->spec->singular, what);
    snprintf(generic, sizeof generic, "object.%s", what);
    if (!json_is_true(jx_get(row, "active")) ||
        (property && !str_equal(wanted, str_of(property)))) {
        return false;
    }
    return str_equal(type, str_of(own)) ||
           (str_equal(type, str_of(generic)) && str_equal(type_id, str_of(kind->spec->type_id)));
}

static json_t *event_of(struct hubspot *hs, const struct hs_kind *kind, const struct hs_news *news,
                        bool is_generic, int64_t subscription)
{
    json_t *event = json_pack(
        "{s:I,s:I,s:i,s:i,s:I,s:o,s:i,s:s,s:s}", "eventId", (json_int_t)++hs->webhooks->last_event,
        "subscriptionId", (json_int_t)subscription, "portalId", HS_PORTAL_ID, "appId", HS_APP_ID,
        "occurredAt", (json_int_t)news->at_ms, "subscriptionType",
        json_sprintf("%s.%s", is_generic ? "object" : kind->spec->singular, news->what),
        "attemptNumber", 0, "changeSource", news->source->type, "sourceId", news->source->id);

    if (!news->to_kind) { /* a live event of a link was seen without objectId */
        json_object_set_new(event, "objectId", json_integer(news->id));
    }
    if (is_generic && !news->to_kind) {
        json_object_set_new(event, "objectTypeId", json_string(kind->spec->type_id));
    }
    if (news->more) {
        json_object_update(event, news->more);
    }
    return event;
}

static void add(struct hubspot *hs, json_t *take_event, int64_t now_ms)
{
    sim_hooks_add(hs->sim->hooks, TARGET, take_event, now_ms);
}

void hs_news(struct hubspot *hs, const struct hs_kind *kind, const struct hs_news *news)
{
    struct hs_webhooks *webhooks = hs->webhooks;
    const char *property = jx_text_of(jx_get(news->more, "propertyName")).at;
    size_t index;
    json_t *row;

    if (!webhooks || !webhooks->url) {
        return;
    }
    if (webhooks->is_everything) {
        add(hs, event_of(hs, kind, news, !has_own_word(kind), 0), news->at_ms);
        return;
    }
    json_array_foreach(webhooks->subscriptions, index, row)
    {
        if (subscription_fits(row, kind, news->what, property)) {
            bool is_generic = jx_get(row, "objectTypeId") != NULL;

            add(hs,
                event_of(hs, kind, news, is_generic,
                         strtoll(jx_text_of(jx_get(row, "id")).at, NULL, 10)),
                news->at_ms);
        }
    }
}

static void journal_record(struct hubspot *hs, const struct hs_kind *kind, const char *what,
                           int64_t id, int64_t now_ms)
{
    static const struct {
        const char *what, *action;
    } ACTIONS[] = {{"creation", "CREATE"}, {"deletion", "DELETE"}, {"restore", "RESTORE"}};

    for (size_t i = 0; i < COUNT_OF(ACTIONS); i++) {
        if (strcmp(what, ACTIONS[i].what) == 0) {
            hs_journal_tell(
                hs, kind,
                &(struct hs_journal_news){.action = ACTIONS[i].action, .id = id, .at_ms = now_ms});
        }
    }
}

void hs_news_of_record(struct hubspot *hs, const struct hs_kind *kind, const char *what, int64_t id,
                       const struct hs_source *source, int64_t now_ms)
{
    struct hs_news news = {.what = what, .id = id, .source = source, .at_ms = now_ms};

    journal_record(hs, kind, what, id, now_ms);
    if (strcmp(what, "creation") == 0 || strcmp(what, "deletion") == 0) {
        news.more =
            json_pack("{s:s}", "changeFlag", strcmp(what, "creation") == 0 ? "CREATED" : "DELETED");
    }
    hs_news(hs, kind, &news);
    json_decref(news.more);
}

/* Calculated properties tell nothing, nor does the time of the last change. source: the guide; reference hubspot.md 16 */
void hs_news_of_value(struct hubspot *hs, const struct hs_kind *kind, int64_t id, size_t property,
                      struct str text, const struct hs_source *source, int64_t now_ms)
{
    const struct hs_property *definition = &kind->properties[property];
    struct hs_news news = {.what = "propertyChange", .id = id, .source = source, .at_ms = now_ms};

    if (definition->derived != HS_STORED || definition->flags & HS_CALCULATED) {
        return;
    }
    hs_journal_tell(hs, kind,
                    &(struct hs_journal_news){.action = "UPDATE",
                                              .id = id,
                                              .property = definition->name,
                                              .text = text,
                                              .at_ms = now_ms});
    if (!hs->webhooks || !hs->webhooks->url) {
        return;
    }
    news.more = json_pack("{s:s%,s:s%}", "propertyName", definition->name.at, definition->name.len,
                          "propertyValue", text.at ? text.at : "", text.len);
    hs_news(hs, kind, &news);
    json_decref(news.more);
}

/* Each merged-away record is told as deleted, too, and no property as changed. source: github.com/amp-labs/connectors issue 3487 */
void hs_news_of_merge(struct hubspot *hs, const struct hs_kind *kind,
                      const struct hs_record *primary, const struct hs_record *other,
                      const struct hs_record *survivor, int64_t now_ms)
{
    struct hs_news news = {
        .what = "merge", .id = primary->base.id, .source = &hs_source_merge, .at_ms = now_ms};

    news.more = json_pack("{s:I,s:[I],s:I,s:i}", "primaryObjectId", (json_int_t)primary->base.id,
                          "mergedObjectIds", (json_int_t)other->base.id, "newObjectId",
                          (json_int_t)survivor->base.id, "numberOfPropertiesMoved", 1);
    hs_news(hs, kind, &news);
    json_decref(news.more);
    hs_journal_tell(
        hs, kind,
        &(struct hs_journal_news){.action = "MERGE", .id = survivor->base.id, .at_ms = now_ms});
    hs_news_of_record(hs, kind, "deletion", primary->base.id, &hs_source_merge, now_ms);
    hs_news_of_record(hs, kind, "deletion", other->base.id, &hs_source_merge, now_ms);
}

static void news_of_end(struct hubspot *hs, const struct hs_kind *kind, int64_t id,
                        const struct hs_kind *to_kind, int64_t to_id, bool is_removed,
                        int64_t now_ms)
{
    struct hs_news news = {.what = "associationChange",
                           .id = id,
                           .to_kind = to_kind,
                           .source = sim_hooks_is_person(hs->sim->hooks) ? &hs_source_person
                                                                         : &hs_source_app,
                           .at_ms = now_ms};

    news.more =
        json_pack("{s:o,s:I,s:I,s:s,s:s,s:b,s:b}", "associationType",
                  json_sprintf("%s_TO_%s", kind->spec->upper, to_kind->spec->upper), "fromObjectId",
                  (json_int_t)id, "toObjectId", (json_int_t)to_id, "fromObjectTypeId",
                  kind->spec->type_id, "toObjectTypeId", to_kind->spec->type_id,
                  "associationRemoved", is_removed, "isPrimaryAssociation", 0);
    hs_news(hs, kind, &news);
    json_decref(news.more);
}

/* One event for each direction. */
void hs_news_of_link(struct hubspot *hs, const struct hs_kind *kind, int64_t id,
                     const struct hs_kind *to_kind, int64_t to_id, bool is_removed)
{
    int64_t now_ms = hs->sim ? sim_now_ms(hs->sim) : 0;

    hs_journal_tell_link(hs, kind, id, to_kind, to_id, is_removed, now_ms);
    hs_journal_tell_link(hs, to_kind, to_id, kind, id, is_removed, now_ms);
    if (hs->webhooks && hs->webhooks->url) {
        news_of_end(hs, kind, id, to_kind, to_id, is_removed, now_ms);
        news_of_end(hs, to_kind, to_id, kind, id, is_removed, now_ms);
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Decoded before it is signed: these characters alone. */
static void put_decoded(struct buf *buf, struct str url)
{
    static const char *const CODES[] = {"3A", "2F", "3F", "40", "21", "24",
                                        "27", "28", "29", "2A", "2C", "3B"};
    static const char PLAIN[] = ":/?@!$'()*,;";

    for (size_t i = 0; i < url.len; i++) {
        size_t code = 0;

        while (code < COUNT_OF(CODES) &&
               (url.at[i] != '%' ||
                !str_equal_nocase(str_slice(url, i + 1, i + 3), str_of(CODES[code])))) {
            code++;
        }
        buf_add_char(buf, code < COUNT_OF(CODES) ? PLAIN[code] : url.at[i]);
        i += code < COUNT_OF(CODES) ? 2 : 0;
    }
}

static void sign(struct sim_call *call, const struct hs_webhooks *webhooks, struct str body)
{
    AUTO_BUF struct buf source;
    struct str secret =
        str_of(webhooks->secret ? webhooks->secret : simulator_client_secret(call->sim));
    struct str time = arena_printf(call->arena, "%" PRId64,
                                   clock_wall_ms(call->sim->env.clock)); /* not its own time */
    uint8_t mac[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    buf_init(&source, body.len + URL_BYTES_MAX);
    buf_add(&source, STR("POST"));
    put_decoded(&source, str_of(webhooks->url));
    buf_add(&source, body);
    buf_add(&source, time);
    hmac_sha256(secret, buf_str(&source), mac);
    sim_hook_header(call, "X-HubSpot-Signature-v3", base64_encode(call->arena, mac, sizeof mac));
    sim_hook_header(call, "X-HubSpot-Request-Timestamp", time);
    buf_reset(&source);
    buf_add(&source, secret);
    buf_add(&source, body);
    sha256(buf_str(&source), mac);
    hex_encode(mac, sizeof mac, hex);
    sim_hook_header(call, "X-HubSpot-Signature", arena_str(call->arena, str_of(hex)));
    sim_hook_header(call, "X-HubSpot-Signature-Version", STR("v1"));
}

static bool put(struct sim_call *call, const struct sim_parcel *parcel, struct str *ret_url)
{
    const struct hs_webhooks *webhooks = hs_of(call)->webhooks;
    size_t index;
    json_t *event;

    if (!webhooks->url) {
        return false;
    }
    json_array_foreach(parcel->events, index, event)
    {
        json_object_set_new(event, "attemptNumber", json_integer(parcel->attempt - 1));
    }
    sim_put_json(call->body, parcel->events);
    sim_hook_header(call, "Content-Type", STR("application/json"));
    sim_hook_header(call, "User-Agent", STR("HubSpot Connect 2.0 (simulated)"));
    sign(call, webhooks, buf_str(call->body));
    *ret_url = str_of(webhooks->url);
    return true;
}

/* --- POST /__sim/webhooks --------------------------------------------------------------------- */

static void set_target(struct hubspot *hs, struct str url, int64_t now_ms)
{
    struct hs_webhooks *webhooks = hs->webhooks;
    char *text = url.len ? alloc_printf("%" PRI_STR, STR_ARG(url)) : NULL;

    if (!text || !webhooks->url || strcmp(text, webhooks->url) != 0) {
        sim_hooks_forget(hs->sim->hooks, TARGET);
    }
    free(webhooks->url);
    webhooks->url = text;
    webhooks->created_ms = now_ms;
}

static enum fail configure(struct sim_call *call, const json_t *order, struct error *err)
{
    struct hs_webhooks *webhooks = hs_of(call)->webhooks;
    struct str url = STR(""), secret = STR("");

    if (jx_str_or(order, "url", STR(""), &url, err) ||
        jx_str_or(order, "secret", STR(""), &secret, err)) {
        return err->code;
    }
    if (url.len && !sim_hook_url_is_here(url)) {
        return error_set(err, FAIL_CONFIG, "url: webhooks are sent to this machine only");
    }
    if (jx_get(order, "secret")) {
        free(webhooks->secret);
        webhooks->secret = secret.len ? alloc_printf("%" PRI_STR, STR_ARG(secret)) : NULL;
    }
    if (jx_get(order, "url")) { /* else only the manners change */
        set_target(hs_of(call), url, call->now_ms);
        webhooks->is_everything = url.len > 0;
    }
    return OK;
}

const struct sim_hook_style hs_hook_style = {.waits_ms = WAITS_MS,
                                             .waits_count = COUNT_OF(WAITS_MS),
                                             .answer_ms = ANSWER_MS,
                                             .batch_max = BATCH_MAX,
                                             .put = put,
                                             .configure = configure};

/* --- the app's API ---------------------------------------------------------------------------- */

static void put_times(struct buf *body, int64_t ms)
{
    sim_put(body, ",\"createdAt\":");
    sim_put_time(body, ms);
    sim_put(body, ",\"updatedAt\":");
    sim_put_time(body, ms);
}

static void show_settings(struct sim_call *call)
{
    const struct hs_webhooks *webhooks = hs_of(call)->webhooks;

    sim_put(call->body, "{\"targetUrl\":");
    sim_put_text(call->body, str_of(webhooks->url));
    buf_addf(call->body, ",\"throttling\":{\"maxConcurrentRequests\":%" PRId64 "}",
             webhooks->parallel);
    put_times(call->body, webhooks->created_ms);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static void put_settings(struct sim_call *call)
{
    struct hs_webhooks *webhooks = hs_of(call)->webhooks;
    struct error err = {0};
    struct str url = STR("");
    json_t *body = NULL, *throttling = NULL;

    if (!sim_json(call, &body) || jx_str(body, "targetUrl", &url, &err) ||
        jx_object(body, "throttling", &throttling, &err) ||
        jx_i64(throttling, "maxConcurrentRequests", &webhooks->parallel, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
    } else if (webhooks->parallel <= 5) {
        hs_failf(call, 400, "VALIDATION_ERROR", "maxConcurrentRequests must be greater than 5");
    } else if (!sim_hook_url_is_here(url)) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "targetUrl: a simulator sends to this machine only");
    } else {
        set_target(hs_of(call), url, call->now_ms);
        webhooks->is_everything = false;
        show_settings(call);
    }
}

static void settings_serve(struct sim_call *call)
{
    if (call->request->method == HTTP_PUT) {
        put_settings(call);
    } else if (!hs_of(call)->webhooks->url) {
        hs_failf(call, 404, "OBJECT_NOT_FOUND", "No webhook settings for this app");
    } else if (call->request->method == HTTP_DELETE) {
        set_target(hs_of(call), STR(""), call->now_ms);
        sim_reply(call, 204);
    } else {
        show_settings(call);
    }
}

static bool type_is_known(struct str type)
{
    static const char *const ENDS[] = {"creation", "deletion",          "propertyChange", "merge",
                                       "restore",  "associationChange", "privacyDeletion"};
    static const char *const BEGINS[] = {"contact", "company", "deal", "ticket", "object"};
    struct str rest = type, begin = str_cut(&rest, '.');
    bool has_begin = false, has_end = false;

    for (size_t i = 0; i < COUNT_OF(BEGINS); i++) {
        has_begin = has_begin || str_equal(begin, str_of(BEGINS[i]));
    }
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        has_end = has_end || str_equal(rest, str_of(ENDS[i]));
    }
    return has_begin && has_end &&
           (!str_equal(rest, STR("privacyDeletion")) || str_equal(begin, STR("contact")));
}

/* A propertyChange is about one property; a generic one about one kind of object. */
static const char *subscription_problem(const json_t *body)
{
    struct str type = jx_text_of(jx_get(body, "eventType"));
    bool has_property = jx_text_of(jx_get(body, "propertyName")).len > 0;

    if (!type_is_known(type)) {
        return "eventType is not one of the known types";
    }
    if (str_ends(type, STR(".propertyChange")) != has_property) {
        return "propertyName belongs to propertyChange, and to nothing else";
    }
    if (str_starts(type, STR("object.")) != (jx_text_of(jx_get(body, "objectTypeId")).len > 0)) {
        return "objectTypeId belongs to object subscriptions, and to nothing else";
    }
    return NULL;
}

static bool is_there(const json_t *list, const json_t *body)
{
    static const char *const KEYS[] = {"eventType", "propertyName", "objectTypeId"};
    size_t index;
    json_t *row;

    json_array_foreach(list, index, row)
    {
        bool is_same = true;

        for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
            is_same = is_same && str_equal(jx_text_of(jx_get(row, KEYS[i])),
                                           jx_text_of(jx_get(body, KEYS[i])));
        }
        if (is_same) {
            return true;
        }
    }
    return false;
}

static void create_subscription(struct sim_call *call)
{
    struct hs_webhooks *webhooks = hs_of(call)->webhooks;
    json_t *body = NULL, *row;
    char time[WHEN_TEXT_BYTES];
    const char *problem;

    if (!sim_json(call, &body) || !json_is_object(body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return;
    }
    problem = subscription_problem(body);
    if (!problem && is_there(webhooks->subscriptions, body)) {
        hs_failf(call, 409, "CONFLICT", "There is such a subscription already");
        return;
    }
    if (!problem && json_array_size(webhooks->subscriptions) >= SUBSCRIPTIONS_MAX) {
        problem = "an app has at most 1000 subscriptions";
    }
    if (problem) {
        hs_failf(call, 400, "VALIDATION_ERROR", "%s", problem);
        return;
    }
    row = json_copy(body);
    when_format_ms(call->now_ms, time);
    json_object_set_new(row, "id", json_sprintf("%" PRId64, ++webhooks->last_subscription));
    json_object_set_new(row, "createdAt", json_string(time));
    json_object_set_new(row, "active", json_boolean(json_is_true(jx_get(body, "active"))));
    json_array_append_new(webhooks->subscriptions, row);
    sim_put_json(call->body, row);
    sim_reply(call, 201);
}

static void one_subscription(struct sim_call *call, struct str id)
{
    json_t *list = hs_of(call)->webhooks->subscriptions, *row, *body = NULL;
    size_t index;

    json_array_foreach(list, index, row)
    {
        if (!str_equal(jx_text_of(jx_get(row, "id")), id)) {
            continue;
        }
        if (call->request->method == HTTP_DELETE) {
            json_array_remove(list, index);
            sim_reply(call, 204);
            return;
        }
        if (call->request->method == HTTP_PATCH && sim_json(call, &body)) {
            json_object_set_new(row, "active", json_boolean(json_is_true(jx_get(body, "active"))));
        }
        sim_put_json(call->body, row);
        sim_reply(call, 200);
        return;
    }
    hs_failf(call, 404, "OBJECT_NOT_FOUND", "No such subscription");
}

void hs_webhooks_serve(struct sim_call *call, const struct hs_route *route)
{
    char app[NAME_BYTES];

    snprintf(app, sizeof app, "%d", HS_APP_ID);
    if (!str_equal(sim_query(call, "hapikey"), STR(HS_DEVELOPER_KEY))) {
        hs_failf(call, 401, "INVALID_AUTHENTICATION", "The API key provided is invalid");
    } else if (!hs_route_is(route, 1, app)) {
        hs_failf(call, 404, "OBJECT_NOT_FOUND", "No such app");
    } else if (hs_route_is(route, 2, "settings") && route->count == 3) {
        settings_serve(call);
    } else if (hs_route_is(route, 2, "subscriptions") && route->count == 4) {
        one_subscription(call, route->at[3]);
    } else if (hs_route_is(route, 2, "subscriptions") && call->request->method == HTTP_POST) {
        create_subscription(call);
    } else if (hs_route_is(route, 2, "subscriptions")) {
        sim_put(call->body, "{\"results\":");
        sim_put_json(call->body, hs_of(call)->webhooks->subscriptions);
        sim_put(call->body, "}");
        sim_reply(call, 200);
    } else {
        hs_no_resource(call);
    }
}
