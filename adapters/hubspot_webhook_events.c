/* HubSpot: what a delivery says: a list of up to 100 events, each about one object. All of it are hints.
 *
 * Sources: developers.hubspot.com, "Webhooks API guide" and "Generic webhook subscriptions"; members that differ from them were seen in captured deliveries.
 * Reference: hubspot.md section 16. */
#include "adapters/hubspot_inside.h"
#include "core/jx.h"

/* source: developers.hubspot.com, "Understanding the CRM", object type ids */
static const struct {
    const char *word, *type_id, *kind, *part; /* part: of an activity, in front of the id */
} OBJECTS[] = {
    {"contact", "0-1", "contact", NULL},
    {"company", "0-2", "company", NULL},
    {"deal", "0-3", "deal", NULL},
    {"ticket", "0-5", "ticket", NULL},
    {"task", "0-27", HS_ACTIVITY, "tasks"},
    {"note", "0-46", HS_ACTIVITY, "notes"},
    {"meeting", "0-47", HS_ACTIVITY, "meetings"},
    {"call", "0-48", HS_ACTIVITY, "calls"},
    {"email", "0-49", HS_ACTIVITY, "emails"},
};

static const struct {
    const char *word;
    enum webhook_type type;
} TYPES[] = {
    {"creation", WEBHOOK_CREATED},
    {"propertyChange", WEBHOOK_CHANGED},
    {"deletion", WEBHOOK_DELETED},
    {"restore", WEBHOOK_RESTORED},
    {"merge", WEBHOOK_MERGED},
    {"privacyDeletion", WEBHOOK_ERASED},
    {"associationChange", WEBHOOK_ASSOCIATED},
};

/* One event on its way. */
struct reading {
    struct arena *arena;
    const struct webhook_settings *settings;
    struct webhook_gathering *gathering;
    const json_t *event;
    struct str object; /* "contact", "object" */
    struct webhook_news news;
    bool is_ours; /* at least one of its objects is */
};

static bool type_of(struct str word, enum webhook_type *ret)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (str_equal(word, str_of(TYPES[i].word))) {
            *ret = TYPES[i].type;
            return true;
        }
    }
    return false;
}

/* word: "contact", "0-1", "CONTACT", or the type id of a custom object. */
static bool kind_of(struct reading *reading, struct str word, struct str id)
{
    const struct adapter_object *custom = webhook_object(reading->settings, word);

    if (custom) {
        reading->news.kind = custom->kind;
        reading->news.remote_id = id;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(OBJECTS); i++) {
        if (str_equal_nocase(word, str_of(OBJECTS[i].word)) ||
            str_equal(word, str_of(OBJECTS[i].type_id))) {
            reading->news.kind = OBJECTS[i].kind;
            reading->news.remote_id = OBJECTS[i].part ? arena_printf(reading->arena, "%s:%" PRI_STR,
                                                                     OBJECTS[i].part, STR_ARG(id))
                                                      : id;
            return true;
        }
    }
    return false;
}

static void add(struct reading *reading, struct str word, struct str id)
{
    if (id.len && kind_of(reading, word, id) && webhook_add(reading->gathering, &reading->news)) {
        reading->is_ours = true;
    }
}

/* A member that is no id is none: hints are not worth a refusal. */
static struct str id_at(const struct reading *reading, const char *key)
{
    struct error ignored = {0};
    struct str id = STR("");

    (void)!jx_id_or(reading->arena, reading->event, key, STR(""), &id, &ignored);
    return id;
}

static struct str text_at(const struct reading *reading, const char *key)
{
    return jx_text_of(jx_get(reading->event, key));
}

/* --- kinds of events -------------------------------------------------------------------------- */

static struct str object_word(const struct reading *reading)
{
    struct str type_id = text_at(reading, "objectTypeId");

    return type_id.len ? type_id : reading->object;
}

/* Which id survives differs by the time of the merge: all are read. */
static void read_merge(struct reading *reading)
{
    static const char *const KEYS[] = {"newObjectId", "primaryObjectId", "objectId"};
    const json_t *merged = jx_get(reading->event, "mergedObjectIds");
    size_t index;
    json_t *id;

    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        add(reading, object_word(reading), id_at(reading, KEYS[i]));
    }
    json_array_foreach(merged, index, id)
    {
        if (json_is_integer(id)) {
            add(reading, object_word(reading),
                arena_printf(reading->arena, "%lld", (long long)json_integer_value(id)));
        } else {
            add(reading, object_word(reading), jx_text_of(id));
        }
    }
}

/* "CONTACT_TO_COMPANY": the words at its ends, where no type ids are there. */
static struct str end_word(struct str type, bool is_from)
{
    static const char MIDDLE[] = "_TO_";
    const char *at = type.len ? memmem(type.at, type.len, MIDDLE, sizeof MIDDLE - 1) : NULL;
    size_t from;

    if (!at) {
        return STR("");
    }
    from = (size_t)(at - type.at);
    return is_from ? str_slice(type, 0, from) : str_slice(type, from + sizeof MIDDLE - 1, type.len);
}

/* A link is a property of either end. A live one was seen without objectId. */
static void read_association(struct reading *reading)
{
    struct str type = text_at(reading, "associationType");
    struct str from = text_at(reading, "fromObjectTypeId"), to = text_at(reading, "toObjectTypeId");

    add(reading, from.len ? from : end_word(type, true), id_at(reading, "fromObjectId"));
    add(reading, to.len ? to : end_word(type, false), id_at(reading, "toObjectId"));
    if (!reading->is_ours) {
        add(reading, object_word(reading), id_at(reading, "objectId"));
    }
}

/* --- one event -------------------------------------------------------------------------------- */

/* attemptNumber is no part of it. source: eventId alone is not unique, "Webhooks API guide" */
static struct str identity_of(const struct reading *reading, struct str type)
{
    return arena_printf(
        reading->arena,
        "%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR,
        STR_ARG(type), STR_ARG(id_at(reading, "objectId")), STR_ARG(id_at(reading, "fromObjectId")),
        STR_ARG(id_at(reading, "toObjectId")), STR_ARG(text_at(reading, "propertyName")),
        STR_ARG(id_at(reading, "occurredAt")), STR_ARG(id_at(reading, "eventId")));
}

static void read_objects(struct reading *reading)
{
    switch (reading->news.type) {
    case WEBHOOK_MERGED:
        read_merge(reading);
        break;
    case WEBHOOK_ASSOCIATED:
        read_association(reading);
        break;
    default:
        add(reading, object_word(reading), id_at(reading, "objectId"));
        break;
    }
}

static bool is_of_account(const struct reading *reading)
{
    struct str portal = id_at(reading, "portalId");

    return !reading->settings->account_id.len || !portal.len ||
           str_equal(portal, reading->settings->account_id);
}

/* The guide's table says eventType, real bodies say subscriptionType. */
static void read_event(struct reading *reading)
{
    struct str type = text_at(reading, "subscriptionType");
    struct error ignored = {0};
    struct str rest;

    type = type.len ? type : text_at(reading, "eventType");
    rest = type;
    reading->object = str_cut(&rest, '.');
    webhook_heard(reading->gathering);
    if (!is_of_account(reading)) {
        webhook_ignored(reading->gathering, true);
        return;
    }
    if (type_of(rest, &reading->news.type)) {
        (void)!jx_i64_or(reading->event, "occurredAt", 0, &reading->news.occurred_ms, &ignored);
        reading->news.identity = identity_of(reading, type);
        read_objects(reading);
    }
    if (!reading->is_ours) {
        webhook_ignored(reading->gathering, false);
    }
}

enum fail hubspot_webhook_parse(const struct webhook_settings *settings,
                                const struct webhook_delivery *delivery, struct arena *arena,
                                struct webhook_events *ret, struct error *err)
{
    struct webhook_gathering *gathering = webhook_gather(arena, settings);
    json_t *list = NULL, *event;
    size_t index;

    if (jx_parse(arena, delivery->request->body, &list, err) != OK) {
        return error_set(err, FAIL_RECORD, "the delivery is not JSON");
    }
    if (!json_is_array(list)) {
        return error_set(err, FAIL_RECORD, "the delivery is not a list of events");
    }
    json_array_foreach(list, index, event)
    {
        struct reading reading = {
            .arena = arena, .settings = settings, .gathering = gathering, .event = event};

        if (!json_is_object(event)) {
            return error_set(err, FAIL_RECORD, "event %zu of the delivery is not an object", index);
        }
        read_event(&reading);
    }
    return webhook_gathered(gathering, ret, err);
}
