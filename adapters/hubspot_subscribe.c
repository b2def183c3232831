/* HubSpot: webhooks belong to an app, not to an account. Those of today's apps stand in a file of the app's project, those of private apps in its settings;
 * no API changes either, nor shows it. So a person is told exactly what to put there. The public apps of before June 2026 have an API
 * (hubspot_subscriptions.c).
 *
 * Sources: developers.hubspot.com, "Configure webhooks" (webhooks-hsmeta.json), "Create and edit webhook subscriptions in private apps", "Create generic
 * webhook subscriptions" (activities; not hs_email_html and hs_email_subject), "Webhooks API guide". Reference: hubspot.md section 16. */
#include "adapters/hubspot_subscriptions.h"

#include "adapters/hubspot_inside.h"
#include "core/jx.h"

enum { PARALLEL = 10 };

/* Names of the five objects in generic subscriptions, in the order of hubspot_activities. */
static const struct {
    const char *object, *name, *type_id;
} ACTIVITIES[] = {{"calls", "call", "0-48"},
                  {"emails", "email", "0-49"},
                  {"meetings", "meeting_event", "0-47"},
                  {"notes", "note", "0-46"},
                  {"tasks", "task", "0-27"}};

/* The list being made. */
struct making {
    struct arena *arena;
    const struct webhook_wanted *wanted;
    json_t *list;        /* members: type, property, object, type_id */
    const char *prefix;  /* "contact", "object" */
    const char *object;  /* of generic ones */
    const char *type_id; /* likewise */
};

static void add(struct making *making, const char *event, const char *property)
{
    json_t *one = json_pack("{s:o}", "type", json_sprintf("%s.%s", making->prefix, event));

    if (property) {
        json_object_set_new(one, "property", json_string(property));
    }
    if (making->object) {
        json_object_set_new(one, "object", json_string(making->object));
        json_object_set_new(one, "type_id", json_string(making->type_id));
    }
    json_array_append_new(making->list, one);
}

static bool has(const json_t *names, const char *name)
{
    size_t index;
    json_t *other;

    json_array_foreach(names, index, other)
    {
        if (strcmp(json_string_value(other), name) == 0) {
            return true;
        }
    }
    return false;
}

/* What HubSpot never tells of, or only we write. source: "Webhooks API guide" */
static bool is_silent(const char *property)
{
    static const char *const SILENT[] = {
        "hs_lastmodifieddate", "lastmodifieddate", "hs_object_id",
        "createdate",          "hs_createdate",    "hs_merged_object_ids",
        "hs_email_html",       "hs_email_subject", CORRELATION_PROPERTY};

    for (size_t i = 0; i < COUNT_OF(SILENT); i++) {
        if (strcmp(property, SILENT[i]) == 0) {
            return true;
        }
    }
    return false;
}

size_t hubspot_properties_of(const struct webhook_wanted *wanted, const char *kind, struct str *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < wanted->properties_count; i++) {
        if (strcmp(wanted->properties[i].kind, kind) == 0) {
            ret[count++] = wanted->properties[i].name;
        }
    }
    return count;
}

json_t *hubspot_told_properties(struct arena *arena, const struct str *properties, size_t count)
{
    json_t *names = jx_own(arena, hubspot_property_list(properties, count)),
           *told = jx_own(arena, json_array()), *name;
    size_t index;

    json_array_foreach(names, index, name)
    {
        const char *text = json_string_value(name);

        if (!is_silent(text) && !has(told, text)) {
            json_array_append(told, name);
        }
    }
    return told;
}

static void add_properties(struct making *making, const struct str *properties, size_t count)
{
    json_t *told = hubspot_told_properties(making->arena, properties, count), *name;
    size_t index;

    json_array_foreach(told, index, name)
    {
        add(making, "propertyChange", json_string_value(name));
    }
}

/* A propertyChange for each property: there is no "any". */
static void add_object(struct making *making, const struct str *properties, size_t count)
{
    static const char *const EVENTS[] = {"creation", "deletion", "merge", "restore",
                                         "associationChange"};

    for (size_t i = 0; i < COUNT_OF(EVENTS); i++) {
        add(making, EVENTS[i], NULL);
    }
    add_properties(making, properties, count);
}

static void add_activities(struct making *making, const struct str *properties, size_t count)
{
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        const struct hubspot_activity *activity = &hubspot_activities[i];
        struct str *own = ARENA_ARRAY(making->arena, struct str, count + 8);
        size_t own_count = hubspot_activity_properties(activity, properties, count, own);

        for (size_t k = 0; k < COUNT_OF(ACTIVITIES); k++) {
            if (strcmp(ACTIVITIES[k].object, activity->object) == 0) {
                making->object = ACTIVITIES[k].name;
                making->type_id = ACTIVITIES[k].type_id;
            }
        }
        add_object(making, own, own_count);
    }
}

static void add_kind(struct making *making, const struct session *session, const char *kind)
{
    struct str *properties =
        ARENA_ARRAY(making->arena, struct str, making->wanted->properties_count + 1);
    size_t count = hubspot_properties_of(making->wanted, kind, properties);

    making->prefix = "object";
    if (strcmp(kind, HS_ACTIVITY) == 0) {
        add_activities(making, properties, count);
        return;
    }
    making->object = making->type_id = NULL;
    if (adapter_object_of(&adapter_hubspot, kind)) {
        making->prefix = kind; /* contact, company, deal, ticket: HubSpot's own words */
    } else {
        making->object = making->type_id = hubspot_object(session, kind);
    }
    add_object(making, properties, count);
}

json_t *hubspot_subscriptions_wanted(const struct session *session,
                                     const struct webhook_wanted *wanted, struct arena *arena)
{
    struct making making = {.arena = arena, .wanted = wanted, .list = jx_own(arena, json_array())};

    for (size_t i = 0; i < wanted->kinds_count; i++) {
        if (!hubspot_has_kind(session, wanted->kinds[i])) {
            continue;
        }
        add_kind(&making, session, wanted->kinds[i]);
        if (strcmp(wanted->kinds[i], "contact") == 0) {
            making.prefix = "contact";
            making.object = NULL;
            add(&making, "privacyDeletion", NULL);
        }
    }
    return making.list;
}

/* --- the project's file ----------------------------------------------------------------------- */

/* Three lists: by generic object, by the older words, and what happens to the account. */
static const char *list_of(const json_t *one)
{
    if (strcmp(json_string_value(json_object_get(one, "type")), "contact.privacyDeletion") == 0) {
        return "hubEvents";
    }
    return json_object_get(one, "object") ? "crmObjects" : "legacyCrmObjects";
}

static json_t *row_of(const json_t *one)
{
    json_t *row = json_object();

    json_object_set(row, "subscriptionType", json_object_get(one, "type"));
    if (json_object_get(one, "object")) {
        json_object_set(row, "objectType", json_object_get(one, "object"));
    }
    if (json_object_get(one, "property")) {
        json_object_set(row, "propertyName", json_object_get(one, "property"));
    }
    json_object_set_new(row, "active", json_true());
    return row;
}

static struct str project_file(const json_t *wanted, struct str url, struct arena *arena)
{
    json_t *lists = json_pack("{s:[],s:[],s:[]}", "crmObjects", "legacyCrmObjects", "hubEvents");
    json_t *file =
        jx_own(arena, json_pack("{s:s,s:s,s:{s:{s:s%,s:i},s:o}}", "uid", "webhooks", "type",
                                "webhooks", "config", "settings", "targetUrl", url.at, url.len,
                                "maxConcurrentRequests", PARALLEL, "subscriptions", lists));
    size_t index;
    json_t *one;
    char *text;
    struct str copy;

    json_array_foreach(wanted, index, one)
    {
        json_array_append_new(json_object_get(lists, list_of(one)), row_of(one));
    }
    text = json_dumps(file, JSON_INDENT(2));
    copy = arena_str(arena, str_of(text));
    free(text);
    return copy;
}

static struct str advice(const json_t *wanted, struct str url, struct arena *arena)
{
    return arena_printf(
        arena,
        "HubSpot's webhooks stand in the app, and no API sets them for today's apps: this is for "
        "you to do, and crmsync cannot see whether it is done.\n"
        "- An app of the developer platform: put this into src/app/webhooks/webhooks-hsmeta.json "
        "of its project and run 'hs project upload'.\n"
        "- A private app: Settings > Integrations > Private Apps > the app > Webhooks: the same "
        "target URL, and the same subscriptions, %zu in all.\n"
        "The app's client secret signs what it sends: it is 'webhooks: secret' in crmsync.yaml, "
        "unless this connection signed in with the same app.\n%" PRI_STR "\n",
        json_array_size(wanted), STR_ARG(project_file(wanted, url, arena)));
}

enum fail hubspot_subscribe(struct session *session, const struct webhook_wanted *wanted,
                            struct arena *arena, struct webhook_report *ret, struct error *err)
{
    json_t *list = hubspot_subscriptions_wanted(session, wanted, arena);

    *ret = (struct webhook_report){.by_hand = STR("")};
    if (wanted->app_id.len) {
        return hubspot_subscriptions_match(session, wanted, list, arena, ret, err);
    }
    ret->by_hand = advice(list, wanted->url, arena);
    return OK;
}

enum fail hubspot_unsubscribe(struct session *session, const struct webhook_wanted *wanted,
                              struct arena *arena, struct webhook_report *ret, struct error *err)
{
    *ret = (struct webhook_report){.by_hand = STR("")};
    if (wanted->app_id.len) {
        return hubspot_subscriptions_match(session, wanted, jx_own(arena, json_array()), arena, ret,
                                           err);
    }
    ret->by_hand = STR("Webhooks of a HubSpot app end where they were made: take them out of its "
                       "project or its settings, or uninstall the app.\n");
    return OK;
}
