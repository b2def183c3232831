/* HubSpot: the subscriptions of the webhooks journal: without one nothing is written into it. They belong to the app, each for one account and one type
 * of object.
 *
 * Sources: developers.hubspot.com, "Webhooks journal management APIs" (2026-03): POST, GET, DELETE /webhooks-journal/subscriptions/2026-03, members
 * objectTypeId, subscriptionType, portalId, actions, properties, associatedObjectTypeIds, objectIds; OpenAPI file webhooksJournal.json of 2026-03. That a
 * subscription without `properties` would tell of all is not said, so all that are read are named. What a second one of the same type does is not said
 * either ("create or update"), so the new one is made before the old one is removed, and the old one is left when it turns out to be the same. */
#include "adapters/hubspot_events.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"

#define SUBSCRIPTIONS "/webhooks-journal/subscriptions/2026-03"

enum { HOUR_MS = 60 * 60 * 1000 };

/* --- whose -------------------------------------------------------------------------------------*/

enum fail hubspot_portal(struct session *session, struct arena *arena, struct str *ret,
                         struct error *err)
{
    struct account_facts facts = {0};

    if (!session->portal) {
        if (adapter_hubspot.check(session, arena, &facts, err) != OK) {
            return err->code;
        }
        session->portal = alloc_printf("%" PRI_STR, STR_ARG(facts.account_id));
    }
    *ret = str_of(session->portal);
    return OK;
}

/* --- what is wanted ----------------------------------------------------------------------------*/

static json_t *row_of(const char *type, const char *type_id, struct str portal)
{
    int64_t number = 0;

    (void)!str_to_i64(portal, &number);
    return json_pack("{s:s,s:s,s:I}", "subscriptionType", type, "objectTypeId", type_id, "portalId",
                     (json_int_t)number);
}

/* Types of the objects that the links of the mapping lead to. */
static json_t *linked_types(const struct str *properties, size_t count)
{
    json_t *types = json_array();

    for (size_t i = 0; i < HS_RELATIONS; i++) {
        for (size_t k = 0; k < HS_TYPES; k++) {
            const struct adapter_object *object =
                adapter_object_of(&adapter_hubspot, hubspot_types[k].kind);

            if (hubspot_wants(properties, count, hubspot_relations[i].property) &&
                !hubspot_types[k].part && strcmp(object->object, hubspot_relations[i].to) == 0) {
                json_array_append_new(types, json_string(hubspot_types[k].type_id));
            }
        }
    }
    return types;
}

/* Of one type of object: what happens to it, and its links where the mapping has any. */
static void add_wanted(const char *type_id, const struct str *properties, size_t count,
                       struct str portal, struct arena *arena, json_t *ret)
{
    json_t *object = row_of("OBJECT", type_id, portal);
    json_t *types = linked_types(properties, count);

    json_object_set_new(object, "actions",
                        json_pack("[s,s,s,s,s]", "CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"));
    json_object_set(object, "properties", hubspot_told_properties(arena, properties, count));
    json_array_append_new(ret, object);
    if (json_array_size(types)) {
        json_t *link = row_of("ASSOCIATION", type_id, portal);

        json_object_set_new(link, "actions",
                            json_pack("[s,s]", "ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"));
        json_object_set(link, "associatedObjectTypeIds", types);
        json_array_append_new(ret, link);
    }
    json_decref(types);
}

static void add_kind(const struct session *session, const struct webhook_wanted *wanted,
                     const char *kind, struct str portal, struct arena *arena, json_t *ret)
{
    struct str *properties = ARENA_ARRAY(arena, struct str, wanted->properties_count + 1);
    size_t count = hubspot_properties_of(wanted, kind, properties);

    if (strcmp(kind, HS_ACTIVITY) != 0) {
        const char *type_id = hubspot_type_id(session, kind);

        if (type_id) {
            add_wanted(type_id, properties, count, portal, arena, ret);
        }
        return;
    }
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        const struct hubspot_activity *activity = &hubspot_activities[i];
        struct str *own = ARENA_ARRAY(arena, struct str, count + 8);
        size_t own_count = hubspot_activity_properties(activity, properties, count, own);

        add_wanted(hubspot_type_id(session, activity->kind), own, own_count, portal, arena, ret);
    }
}

/* --- what is there -----------------------------------------------------------------------------*/

static bool is_same(const json_t *row, const json_t *wanted, const char *name)
{
    return json_equal(jx_get(row, name), jx_get(wanted, name));
}

static bool holds_all(const json_t *row, const json_t *wanted, const char *name)
{
    const json_t *have = jx_get(row, name), *list = jx_get(wanted, name);

    for (size_t i = 0; i < json_array_size(list); i++) {
        bool found = false;

        for (size_t k = 0; k < json_array_size(have) && !found; k++) {
            found = json_equal(json_array_get(have, k), json_array_get(list, i));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool is_of_type(const json_t *row, const json_t *wanted)
{
    const json_t *deleted = jx_get(row, "deletedAt");

    return (!deleted || json_is_null(deleted)) && is_same(row, wanted, "subscriptionType") &&
           is_same(row, wanted, "objectTypeId") && is_same(row, wanted, "portalId");
}

/* Tells of all that is wanted; one that is about single objects does not. */
static bool covers(const json_t *row, const json_t *wanted)
{
    return is_of_type(row, wanted) && json_array_size(jx_get(row, "objectIds")) == 0 &&
           holds_all(row, wanted, "actions") && holds_all(row, wanted, "properties") &&
           holds_all(row, wanted, "associatedObjectTypeIds");
}

static const json_t *covering(const json_t *rows, const json_t *wanted)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (covers(json_array_get(rows, i), wanted)) {
            return json_array_get(rows, i);
        }
    }
    return NULL;
}

static enum fail read_rows(struct session *session, struct arena *arena, json_t **ret,
                           struct error *err)
{
    struct hubspot_app_call call = {.method = HTTP_GET, .path = STR(SUBSCRIPTIONS)};
    struct hubspot_answer answer;

    if (hubspot_app_exec(session, &call, arena, &answer, err) != OK ||
        jx_array(answer.body, "results", ret, err) != OK) {
        return error_wrap(err, "the journal's subscriptions");
    }
    return OK;
}

/* Kept by the session for an hour: every kind asks. */
static enum fail rows_of(struct session *session, struct arena *arena, const json_t **ret,
                         struct error *err)
{
    int64_t now_ms = clock_mono_ms(session->env->clock);
    json_t *rows;

    if (!session->selected || now_ms - session->selected_ms >= HOUR_MS) {
        if (read_rows(session, arena, &rows, err) != OK) {
            return err->code;
        }
        json_decref(session->selected);
        session->selected = json_deep_copy(rows);
        session->selected_ms = now_ms;
    }
    *ret = session->selected;
    return OK;
}

static void forget_rows(struct session *session)
{
    json_decref(session->selected);
    session->selected = NULL;
}

enum fail hubspot_ask_selected(struct session *session, const struct list_request *request,
                               struct str portal, bool *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *wanted = jx_own(&arena, json_array());
    const json_t *rows = NULL;

    if (rows_of(session, &arena, &rows, err) != OK) {
        return err->code;
    }
    add_wanted(hubspot_type_id(session, request->kind), request->properties,
               request->properties_count, portal, &arena, wanted);
    *ret = true;
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        *ret = *ret && covering(rows, json_array_get(wanted, i));
    }
    if (!*ret) { /* somebody may run the set-up at any time */
        forget_rows(session);
    }
    return OK;
}

/* --- making it so ------------------------------------------------------------------------------*/

static enum fail make(struct session *session, json_t *wanted, struct arena *arena, json_int_t *ret,
                      struct error *err)
{
    struct hubspot_app_call call = {
        .method = HTTP_POST, .path = STR(SUBSCRIPTIONS), .body = wanted};
    struct hubspot_answer answer;

    if (hubspot_app_exec(session, &call, arena, &answer, err) != OK) {
        return error_wrap(err, "make a subscription of the journal");
    }
    *ret = json_integer_value(jx_get(answer.body, "id"));
    return OK;
}

static enum fail make_missing(struct session *session, const json_t *rows, const json_t *wanted,
                              json_t *keep, struct arena *arena, struct webhook_report *ret,
                              struct error *err)
{
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *there = covering(rows, json_array_get(wanted, i));
        json_int_t id = json_integer_value(jx_get(there, "id"));

        if (!there && make(session, json_array_get(wanted, i), arena, &id, err) != OK) {
            return err->code;
        }
        json_array_append_new(keep, json_integer(id));
        ret->created += !there;
        ret->present += there != NULL;
    }
    return OK;
}

static bool is_kept(const json_t *keep, json_int_t id)
{
    for (size_t i = 0; i < json_array_size(keep); i++) {
        if (json_integer_value(json_array_get(keep, i)) == id) {
            return true;
        }
    }
    return false;
}

/* Of this account, and of the two types that are made here: those for lists and for the app's own life are somebody else's. */
static bool is_ours(const json_t *row, struct str portal)
{
    struct str type = jx_text_of(jx_get(row, "subscriptionType"));
    const json_t *deleted = jx_get(row, "deletedAt");
    int64_t number = 0;

    return (!deleted || json_is_null(deleted)) && str_to_i64(portal, &number) &&
           json_integer_value(jx_get(row, "portalId")) == (json_int_t)number &&
           (str_equal(type, STR("OBJECT")) || str_equal(type, STR("ASSOCIATION")));
}

static enum fail remove_one(struct session *session, json_int_t id, struct arena *arena,
                            struct error *err)
{
    struct hubspot_app_call call = {
        .method = HTTP_DELETE,
        .path = arena_printf(arena, SUBSCRIPTIONS "/%" JSON_INTEGER_FORMAT, id)};
    struct hubspot_answer answer;

    if (hubspot_app_exec(session, &call, arena, &answer, err) != OK) {
        if (err->http_status != 404) {
            return error_wrap(err, "remove a subscription of the journal");
        }
        error_reset(err);
    }
    return OK;
}

static enum fail remove_others(struct session *session, const json_t *rows, struct str portal,
                               const json_t *keep, struct arena *arena, struct webhook_report *ret,
                               struct error *err)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        json_int_t id = json_integer_value(jx_get(row, "id"));

        if (!is_ours(row, portal) || is_kept(keep, id)) {
            continue;
        }
        if (remove_one(session, id, arena, err) != OK) {
            return err->code;
        }
        ret->removed++;
    }
    return OK;
}

enum fail hubspot_select_events(struct session *session, const struct webhook_wanted *wanted,
                                struct arena *arena, struct webhook_report *ret, struct error *err)
{
    json_t *list = jx_own(arena, json_array()), *keep = jx_own(arena, json_array()), *rows = NULL;
    struct str portal = STR("");

    *ret = (struct webhook_report){.by_hand = STR("")};
    if (!session->app_auth) {
        error_set(err, FAIL_CONFIG, "hubspot's journal is the app's");
        return error_hint(err, "give the connection 'auth' with client_id and client_secret");
    }
    if (hubspot_portal(session, arena, &portal, err) != OK ||
        read_rows(session, arena, &rows, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < wanted->kinds_count; i++) {
        if (hubspot_has_kind(session, wanted->kinds[i])) {
            add_kind(session, wanted, wanted->kinds[i], portal, arena, list);
        }
    }
    forget_rows(session);
    if (make_missing(session, rows, list, keep, arena, ret, err) != OK) {
        return err->code;
    }
    return remove_others(session, rows, portal, keep, arena, ret, err);
}
