/* Sources: developers.hubspot.com, "Webhook journal APIs" and "Webhooks journal management APIs" (2026-03: the answer with url, expiresAt and
 * currentOffset, three days of history, 404 for an offset that has expired), the OpenAPI file webhooksJournal.json of 2026-03 (paths, members of a
 * subscription), changelog of July 2026 (10,000 events or 5 MB a file). That an empty answer is 204 was seen by others
 * (github.com/usertour/usertour). The members of a link's event and of a merge's are a guess. */
#include "simulators/hubspot_journal.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"
#include "simulators/oauth.h"

enum { EVENTS_MAX = 10000, OFFSET_BYTES = 37, SIGNATURE_BYTES = 33 };
static const int64_t KEPT_MS = INT64_C(3) * 24 * 60 * 60 * 1000;
static const int64_t FILE_MS = INT64_C(60) * 60 * 1000; /* a guess */

#define SCOPE "developer.webhooks_journal."

struct hs_journal {
    struct random *random; /* owned */
    json_t *subscriptions; /* owned: rows as the API shows them */
    json_t *entries;       /* owned, oldest first: {"offset","signature","published","events"} */
    json_t *waiting;       /* owned: events that no entry holds yet */
    int64_t last_subscription;
    int64_t events_max; /* of an entry */
    char *lacking;      /* owned: a scope that nobody has; NULL */
    char *files_at;     /* owned: origin of the files' addresses; NULL = the caller's own */
    bool files_broken;  /* a file is half of one */
    int64_t files_good; /* but for so many more */
};

struct hs_journal *hs_journal_new(uint64_t seed)
{
    struct hs_journal *journal = alloc_new(1, sizeof(*journal));

    journal->random = random_new_seeded(seed ^ 0x6a6f75726e616c);
    journal->subscriptions = json_array();
    journal->entries = json_array();
    journal->waiting = json_array();
    journal->last_subscription = 60000;
    journal->events_max = EVENTS_MAX;
    return journal;
}

void hs_journal_free(struct hs_journal *journal)
{
    if (journal) {
        random_free(journal->random);
        json_decref(journal->subscriptions);
        json_decref(journal->entries);
        json_decref(journal->waiting);
        free(journal->lacking);
        free(journal->files_at);
        free(journal);
    }
}

/* --- what subscriptions write ----------------------------------------------------------------- */

static bool holds(const json_t *list, struct str text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_equal(jx_text_of(json_array_get(list, i)), text)) {
            return true;
        }
    }
    return false;
}

/* A change is told where its property is named. */
static bool is_told(const struct hs_journal *journal, const char *type, const struct hs_kind *kind,
                    const char *action, struct str property)
{
    size_t index;
    json_t *row;

    json_array_foreach(journal->subscriptions, index, row)
    {
        if (str_equal(jx_text_of(jx_get(row, "subscriptionType")), str_of(type)) &&
            str_equal(jx_text_of(jx_get(row, "objectTypeId")), str_of(kind->spec->type_id)) &&
            holds(jx_get(row, "actions"), str_of(action)) &&
            (!property.at || holds(jx_get(row, "properties"), property))) {
            return true;
        }
    }
    return false;
}

static json_t *event_of(const char *type, const char *action, int64_t at_ms)
{
    char time[WHEN_TEXT_BYTES];

    when_format_ms(at_ms, time);
    return json_pack("{s:s,s:i,s:s,s:s}", "type", type, "portalId", HS_PORTAL_ID, "occurredAt",
                     time, "action", action);
}

void hs_journal_tell(struct hubspot *hs, const struct hs_kind *kind,
                     const struct hs_journal_news *news)
{
    json_t *event;

    if (!hs->journal || !is_told(hs->journal, "OBJECT", kind, news->action, news->property)) {
        return;
    }
    event = event_of("crmObject", news->action, news->at_ms);
    json_object_set_new(event, "objectTypeId", json_string(kind->spec->type_id));
    json_object_set_new(event, "objectId", json_integer((json_int_t)news->id));
    if (news->property.at) {
        json_t *changes = json_object();

        json_object_setn_new(changes, news->property.at, news->property.len,
                             json_stringn(news->text.at ? news->text.at : "", news->text.len));
        json_object_set_new(event, "propertyChanges", changes);
    }
    json_array_append_new(hs->journal->waiting, event);
}

void hs_journal_tell_link(struct hubspot *hs, const struct hs_kind *kind, int64_t id,
                          const struct hs_kind *to_kind, int64_t to_id, bool is_removed,
                          int64_t now_ms)
{
    const char *action = is_removed ? "ASSOCIATION_REMOVED" : "ASSOCIATION_ADDED";
    json_t *event;

    if (!hs->journal || !is_told(hs->journal, "ASSOCIATION", kind, action, STR_NONE)) {
        return;
    }
    event = event_of("association", action, now_ms);
    json_object_set_new(event, "fromObjectTypeId", json_string(kind->spec->type_id));
    json_object_set_new(event, "fromObjectId", json_integer((json_int_t)id));
    json_object_set_new(event, "toObjectTypeId", json_string(to_kind->spec->type_id));
    json_object_set_new(event, "toObjectId", json_integer((json_int_t)to_id));
    json_array_append_new(hs->journal->waiting, event);
}

static void random_hex(struct random *random, char *ret, size_t digits)
{
    for (size_t i = 0; i < digits; i++) {
        ret[i] = "0123456789abcdef"[random_below(random, 16)];
    }
    ret[digits] = '\0';
}

static void random_offset(struct random *random, char ret[OFFSET_BYTES])
{
    random_hex(random, ret, OFFSET_BYTES - 1);
    ret[8] = ret[13] = ret[18] = ret[23] = '-';
    ret[14] = '4';
}

/* What waits becomes entries, and those of more than three days ago are gone. */
static void publish(struct hs_journal *journal, int64_t now_ms)
{
    while (json_array_size(journal->waiting) > 0) {
        char offset[OFFSET_BYTES], signature[SIGNATURE_BYTES];
        json_t *events = json_array();

        while (json_array_size(journal->waiting) > 0 &&
               (int64_t)json_array_size(events) < journal->events_max) {
            json_array_append(events, json_array_get(journal->waiting, 0));
            json_array_remove(journal->waiting, 0);
        }
        random_offset(journal->random, offset);
        random_hex(journal->random, signature, SIGNATURE_BYTES - 1);
        json_array_append_new(journal->entries, json_pack("{s:s,s:s,s:I,s:o}", "offset", offset,
                                                          "signature", signature, "published",
                                                          (json_int_t)now_ms, "events", events));
    }
    while (json_array_size(journal->entries) > 0 &&
           json_integer_value(jx_get(json_array_get(journal->entries, 0), "published")) <=
               now_ms - KEPT_MS) {
        json_array_remove(journal->entries, 0);
    }
}

/* --- the journal ------------------------------------------------------------------------------ */

static const json_t *entry_of(const struct hs_journal *journal, struct str offset, size_t *ret)
{
    for (size_t i = 0; i < json_array_size(journal->entries); i++) {
        const json_t *entry = json_array_get(journal->entries, i);

        if (str_equal(jx_text_of(jx_get(entry, "offset")), offset)) {
            *ret = i;
            return entry;
        }
    }
    return NULL;
}

/* The address is good by itself, for whoever has it and for a while. */
static void answer_entry(struct sim_call *call, const json_t *entry)
{
    const struct hs_journal *journal = hs_of(call)->journal;
    struct str origin = journal->files_at ? str_of(journal->files_at) : sim_origin(call);
    struct str offset = jx_text_of(jx_get(entry, "offset"));
    int64_t until_ms = call->now_ms + FILE_MS;

    if (!entry) {
        sim_reply(call, 204);
        return;
    }
    buf_addf(call->body,
             "{\"url\":\"%" PRI_STR "/" HS_JOURNAL_FILES "/%" PRI_STR ".json?X-Amz-Expires=%" PRId64
             "&X-Amz-Signature=%" PRI_STR "\",\"expiresAt\":",
             STR_ARG(origin), STR_ARG(offset), until_ms,
             STR_ARG(jx_text_of(jx_get(entry, "signature"))));
    sim_put_time(call->body, until_ms);
    buf_addf(call->body, ",\"currentOffset\":\"%" PRI_STR "\"}", STR_ARG(offset));
    sim_reply(call, 200);
}

static void read_journal(struct sim_call *call, const struct hs_route *route)
{
    struct hs_journal *journal = hs_of(call)->journal;
    size_t count, at = 0;

    publish(journal, call->now_ms);
    count = json_array_size(journal->entries);
    if (hs_route_is(route, 2, "earliest") && route->count == 3) {
        answer_entry(call, json_array_get(journal->entries, 0));
    } else if (hs_route_is(route, 2, "latest") && route->count == 3) {
        answer_entry(call, count ? json_array_get(journal->entries, count - 1) : NULL);
    } else if (!hs_route_is(route, 2, "offset") || !hs_route_is(route, 4, "next") ||
               route->count != 5) {
        hs_no_resource(call);
    } else if (!entry_of(journal, route->at[3], &at)) {
        hs_failf(call, 404, "OBJECT_NOT_FOUND", "No journal entry was found for this offset");
    } else {
        answer_entry(call, json_array_get(journal->entries, at + 1));
    }
}

/* Other accounts have not installed the app. */
static void journal_serve(struct sim_call *call, const struct hs_route *route)
{
    char own[24];
    struct str portal = sim_query(call, "installPortalId");

    snprintf(own, sizeof own, "%d", HS_PORTAL_ID);
    if (call->request->method != HTTP_GET) {
        hs_failf(call, 405, NULL, "method not allowed");
    } else if (portal.len && !str_equal(portal, str_of(own))) {
        sim_reply(call, 204);
    } else {
        read_journal(call, route);
    }
}

/* A store of files knows nothing of the app: it takes the signature of the address and no other credential. */
void hs_journal_file_serve(struct sim_call *call)
{
    struct hs_journal *journal = hs_of(call)->journal;
    struct str name = call->segments_count == 2 ? call->segments[1] : STR("");
    int64_t until_ms = 0;
    size_t at = 0;
    const json_t *entry =
        entry_of(journal, str_slice(name, 0, name.len > 5 ? name.len - 5 : 0), &at);

    if (http_header_get(&call->request->headers, "Authorization").at) {
        sim_put(call->body, "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism "
                            "allowed</Message></Error>");
        sim_reply(call, 400);
    } else if (!entry || !str_to_i64(sim_query(call, "X-Amz-Expires"), &until_ms) ||
               until_ms < call->now_ms ||
               !str_equal(sim_query(call, "X-Amz-Signature"),
                          jx_text_of(jx_get(entry, "signature")))) {
        sim_put(call->body, "<Error><Code>AccessDenied</Code></Error>");
        sim_reply(call, 403);
    } else if (journal->files_broken && journal->files_good-- <= 0) {
        sim_put(call->body, "{\"offset\":\"");
        sim_reply(call, 200);
    } else {
        sim_put(call->body, "{\"offset\":");
        sim_put_text(call->body, jx_text_of(jx_get(entry, "offset")));
        sim_put(call->body, ",\"journalEvents\":");
        sim_put_json(call->body, jx_get(entry, "events"));
        sim_put(call->body, ",\"publishedAt\":");
        sim_put_time(call->body, json_integer_value(jx_get(entry, "published")));
        sim_put(call->body, "}");
        sim_reply(call, 200);
    }
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static bool is_one_of(struct str word, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (str_equal(word, str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

static const char *problem_of(const json_t *body)
{
    static const char *const OBJECT[] = {"CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE", NULL};
    static const char *const LINK[] = {"ASSOCIATION_ADDED", "ASSOCIATION_REMOVED", NULL};
    struct str type = jx_text_of(jx_get(body, "subscriptionType"));
    bool is_link = str_equal(type, STR("ASSOCIATION"));
    const json_t *actions = jx_get(body, "actions");

    if (!is_link && !str_equal(type, STR("OBJECT"))) {
        return "Invalid subscription type provided";
    }
    if (!json_is_integer(jx_get(body, "portalId")) ||
        json_integer_value(jx_get(body, "portalId")) != HS_PORTAL_ID) {
        return "portalId: the app is not installed there";
    }
    if (!jx_text_of(jx_get(body, "objectTypeId")).len || json_array_size(actions) == 0) {
        return "objectTypeId and actions are required";
    }
    for (size_t i = 0; i < json_array_size(actions); i++) {
        if (!is_one_of(jx_text_of(json_array_get(actions, i)), is_link ? LINK : OBJECT)) {
            return "actions: one does not belong to this type of subscription";
        }
    }
    return NULL;
}

static void create_subscription(struct sim_call *call)
{
    struct hs_journal *journal = hs_of(call)->journal;
    char time[WHEN_TEXT_BYTES];
    json_t *body = NULL, *row;
    const char *problem;

    if (!sim_json(call, &body) || !json_is_object(body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return;
    }
    problem = problem_of(body);
    if (problem) {
        hs_failf(call, 400, "VALIDATION_ERROR", "%s", problem);
        return;
    }
    when_format_ms(call->now_ms, time);
    row = json_copy(body);
    json_object_set_new(row, "id", json_integer((json_int_t)++journal->last_subscription));
    json_object_set_new(row, "appId", json_integer(HS_APP_ID));
    json_object_set_new(row, "createdAt", json_string(time));
    json_object_set_new(row, "updatedAt", json_string(time));
    json_array_append_new(journal->subscriptions, row);
    sim_put_json(call->body, row);
    sim_reply(call, 200);
}

static void delete_subscription(struct sim_call *call, struct str id)
{
    json_t *list = hs_of(call)->journal->subscriptions, *row;
    size_t index;
    int64_t number = 0;

    (void)!str_to_i64(id, &number);
    json_array_foreach(list, index, row)
    {
        if (json_integer_value(jx_get(row, "id")) == number) {
            json_array_remove(list, index);
            sim_reply(call, 204);
            return;
        }
    }
    hs_failf(call, 404, "OBJECT_NOT_FOUND", "No such subscription");
}

static void subscriptions_serve(struct sim_call *call, const struct hs_route *route)
{
    enum http_method method = call->request->method;

    if (method == HTTP_DELETE && route->count == 3) {
        delete_subscription(call, route->at[2]);
    } else if (method == HTTP_POST && route->count == 2) {
        create_subscription(call);
    } else if (method == HTTP_GET && route->count == 2) {
        sim_put(call->body, "{\"results\":");
        sim_put_json(call->body, hs_of(call)->journal->subscriptions);
        sim_put(call->body, "}");
        sim_reply(call, 200);
    } else {
        hs_no_resource(call);
    }
}

/* --- who may call ----------------------------------------------------------------------------- */

static void refuse_scope(struct sim_call *call, const char *scope)
{
    struct str errors = arena_printf(call->arena,
                                     "[{\"message\":\"One or more of the following scopes are "
                                     "required.\",\"context\":{\"requiredGranularScopes\":[\"%s\"]"
                                     "}}]",
                                     scope);

    hs_fail(call, &(struct hs_error){
                      .status = 403,
                      .category = "MISSING_SCOPES",
                      .message = STR(
                          "This app hasn't been granted all required scopes to make this call."),
                      .errors = errors});
}

/* A token that a person's consent made is none of the app. */
static bool app_may(struct sim_call *call, const char *scope)
{
    const struct hs_journal *journal = hs_of(call)->journal;
    struct str given = sim_bearer(call);
    struct str own = arena_printf(call->arena, "%s.app", call->sim->token);
    bool is_own = str_equal(given, own);

    if (!is_own && !hs_token_is_accepted(call, given)) {
        return false;
    }
    if ((journal->lacking && strcmp(journal->lacking, scope) == 0) ||
        (!is_own &&
         (call->consent->by != SIM_BY_CLIENT || !sim_consent_has(call->consent, str_of(scope))))) {
        refuse_scope(call, scope);
        return false;
    }
    return true;
}

void hs_journal_serve(struct sim_call *call, const struct hs_route *route)
{
    bool is_journal = hs_route_is(route, 1, "journal-local");
    bool is_read = call->request->method == HTTP_GET;

    if (!is_journal && !hs_route_is(route, 1, "subscriptions")) {
        hs_no_resource(call);
    } else if (app_may(call, is_journal ? SCOPE "read"
                             : is_read  ? SCOPE "subscriptions.read"
                                        : SCOPE "subscriptions.write")) {
        (is_journal ? journal_serve : subscriptions_serve)(call, route);
    }
}

/* --- POST /__sim/journal ---------------------------------------------------------------------- */

static void set_text(char **member, const json_t *order, const char *name)
{
    struct str text = jx_text_of(jx_get(order, name));

    if (jx_get(order, name)) {
        free(*member);
        *member = text.len ? alloc_printf("%" PRI_STR, STR_ARG(text)) : NULL;
    }
}

bool hs_journal_control(struct sim_call *call)
{
    struct hs_journal *journal = hs_of(call)->journal;
    json_t *order = NULL;

    if (!sim_segment_is(call, 1, "journal") || call->segments_count != 2) {
        return false;
    }
    if (call->request->method == HTTP_POST && sim_json(call, &order)) {
        const json_t *events_max = jx_get(order, "events_max");

        set_text(&journal->lacking, order, "lacking");
        set_text(&journal->files_at, order, "files_at");
        journal->files_broken = json_is_true(jx_get(order, "files_broken"));
        journal->files_good = json_integer_value(jx_get(order, "files_good"));
        journal->events_max = json_is_integer(events_max) && json_integer_value(events_max) > 0
                                  ? json_integer_value(events_max)
                                  : EVENTS_MAX;
        if (json_is_true(jx_get(order, "forget"))) {
            publish(journal, call->now_ms);
            json_array_clear(journal->entries);
        }
    }
    buf_addf(call->body, "{\"entries\":%zu,\"waiting\":%zu,\"subscriptions\":",
             json_array_size(journal->entries), json_array_size(journal->waiting));
    sim_put_json(call->body, journal->subscriptions);
    sim_put(call->body, "}");
    sim_reply(call, 200);
    return true;
}
