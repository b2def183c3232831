/* HubSpot: what a delivery says: a list of up to 100 events, each about one object. All of it are hints.
 *
 * Sources: developers.hubspot.com, "Webhooks API guide" and "Generic webhook subscriptions"; members that differ from them were seen in captured deliveries.
 * Reference: hubspot.md section 16. */
#include "adapters/hubspot_inside.h"
#include "core/jscan.h"

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
    struct buf *identity; /* of the event that is read */
    const struct jscan *delivery;
    const struct jscan_value *event;
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
    for (size_t i = 0; i < HS_TYPES; i++) {
        if (str_equal_nocase(word, str_of(hubspot_types[i].word)) ||
            str_equal(word, str_of(hubspot_types[i].type_id))) {
            reading->news.kind = hubspot_types[i].kind;
            reading->news.remote_id = hubspot_types[i].part
                                          ? arena_printf(reading->arena, "%s:%" PRI_STR,
                                                         hubspot_types[i].part, STR_ARG(id))
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
static struct str id_of(const struct reading *reading, const struct jscan_value *value)
{
    return jscan_id(reading->delivery, value, reading->arena);
}

static struct str id_at(const struct reading *reading, struct str key)
{
    return id_of(reading, jscan_get(reading->delivery, reading->event, key));
}

static struct str text_at(const struct reading *reading, struct str key)
{
    return jscan_text(reading->delivery, jscan_get(reading->delivery, reading->event, key),
                      reading->arena);
}

/* --- kinds of events -------------------------------------------------------------------------- */

static struct str object_word(const struct reading *reading)
{
    struct str type_id = text_at(reading, STR("objectTypeId"));

    return type_id.len ? type_id : reading->object;
}

/* Which id survives differs by the time of the merge: all are read. */
static void read_merge(struct reading *reading)
{
    static const char *const KEYS[] = {"newObjectId", "primaryObjectId", "objectId"};
    const struct jscan *delivery = reading->delivery;
    const struct jscan_value *merged = jscan_get(delivery, reading->event, STR("mergedObjectIds")),
                             *id = NULL;

    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        add(reading, object_word(reading), id_at(reading, str_of(KEYS[i])));
    }
    while ((id = jscan_next(delivery, merged, id))) {
        add(reading, object_word(reading), id_of(reading, id));
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
    struct str type = text_at(reading, STR("associationType"));
    struct str from = text_at(reading, STR("fromObjectTypeId")),
               to = text_at(reading, STR("toObjectTypeId"));

    add(reading, from.len ? from : end_word(type, true), id_at(reading, STR("fromObjectId")));
    add(reading, to.len ? to : end_word(type, false), id_at(reading, STR("toObjectId")));
    if (!reading->is_ours) {
        add(reading, object_word(reading), id_at(reading, STR("objectId")));
    }
}

/* --- one event -------------------------------------------------------------------------------- */

/* attemptNumber is no part of it. source: eventId alone is not unique, "Webhooks API guide" */
static struct str identity_of(const struct reading *reading, struct str type)
{
    const struct str parts[] = {type,
                                id_at(reading, STR("objectId")),
                                id_at(reading, STR("fromObjectId")),
                                id_at(reading, STR("toObjectId")),
                                text_at(reading, STR("propertyName")),
                                id_at(reading, STR("occurredAt")),
                                id_at(reading, STR("eventId"))};

    buf_reset(reading->identity);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (i > 0) {
            buf_add_char(reading->identity, '|');
        }
        buf_add(reading->identity, parts[i]);
    }
    return buf_str(reading->identity);
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
        add(reading, object_word(reading), id_at(reading, STR("objectId")));
        break;
    }
}

static bool is_of_account(const struct reading *reading)
{
    struct str portal = id_at(reading, STR("portalId"));

    return !reading->settings->account_id.len || !portal.len ||
           str_equal(portal, reading->settings->account_id);
}

/* The guide's table says eventType, real bodies say subscriptionType. */
static void read_event(struct reading *reading)
{
    struct str type = text_at(reading, STR("subscriptionType"));
    struct str rest;

    type = type.len ? type : text_at(reading, STR("eventType"));
    rest = type;
    reading->object = str_cut(&rest, '.');
    webhook_heard(reading->gathering);
    if (!is_of_account(reading)) {
        webhook_ignored(reading->gathering, true);
        return;
    }
    if (type_of(rest, &reading->news.type)) {
        (void)!str_to_i64(id_at(reading, STR("occurredAt")), &reading->news.occurred_ms);
        reading->news.since_ms = reading->news.occurred_ms;
        reading->news.identity = identity_of(reading, type);
        read_objects(reading);
    }
    if (!reading->is_ours) {
        webhook_ignored(reading->gathering, false);
    }
}

static enum fail read_events(const struct reading *common, struct error *err)
{
    const struct jscan *delivery = common->delivery;
    const struct jscan_value *list = jscan_root(delivery), *event = NULL;
    size_t index = 0;

    if (!jscan_is(list, JSCAN_ARRAY)) {
        return error_set(err, FAIL_RECORD, "the delivery is not a list of events");
    }
    while ((event = jscan_next(delivery, list, event))) {
        struct reading reading = *common;

        if (!jscan_is(event, JSCAN_OBJECT)) {
            return error_set(err, FAIL_RECORD, "event %zu of the delivery is not an object", index);
        }
        reading.event = event;
        read_event(&reading);
        index++;
    }
    return OK;
}

enum fail hubspot_webhook_parse(const struct webhook_settings *settings,
                                const struct webhook_delivery *delivery, struct arena *arena,
                                struct webhook_events *ret, struct error *err)
{
    AUTO_JSCAN struct jscan scan = {0};
    AUTO_BUF struct buf identity = {0};
    const struct reading common = {.arena = arena,
                                   .settings = settings,
                                   .gathering = webhook_gather(arena, settings),
                                   .identity = &identity,
                                   .delivery = &scan};

    buf_init(&identity, WEBHOOK_BODY_BYTES_MAX);
    if (!jscan_read(&scan, delivery->request->body)) {
        return error_set(err, FAIL_RECORD, "the delivery is not JSON");
    }
    if (read_events(&common, err) != OK) {
        return err->code;
    }
    return webhook_gathered(common.gathering, ret, err);
}
