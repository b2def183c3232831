/* Salesforce: outbound messages, SOAP 1.1 with up to 100 notifications. There is no signature: an address that nobody can guess, the id of the organization
 * in the message, the sender's address where a person lists them; and events are only hints. A message never says what happened, and never
 * tells of deletes.
 *
 * Sources: SOAP API Developer Guide, "Understanding the Outbound Messaging WSDL", "Building a Listener", "Understanding Notifications". Reference:
 * salesforce.md section 10. */
#include "adapters/salesforce_inside.h"
#include "core/when.h"
#include "core/xx.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define OUTBOUND "http://soap.sforce.com/2005/09/outbound"
#define XSI "http://www.w3.org/2001/XMLSchema-instance"

enum { NOTIFICATIONS_MAX = 100 };

const char *const salesforce_webhook_types[] = {"text/xml", NULL};

enum fail salesforce_webhook_verify(const struct webhook_settings *settings,
                                    const struct webhook_delivery *delivery,
                                    struct webhook_proof *ret, struct error *err)
{
    *ret = (struct webhook_proof){0};
    if (!webhook_has_one(settings->paths) || !settings->account_id.len) {
        error_set(err, FAIL_CONFIG,
                  "this connection has no webhook address yet, or its organization is not known");
        return error_hint(err, "run 'crmsync setup' for it: it makes and finds them");
    }
    return webhook_door(settings, delivery, err);
}

/* Anything else than this, and the same message comes again for a day. source: "Building a Listener" */
#define ACK(word)                                                                                  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                 \
    "<soapenv:Envelope xmlns:soapenv=\"" SOAP "\"><soapenv:Body>"                                  \
    "<notificationsResponse xmlns=\"" OUTBOUND "\"><Ack>" word "</Ack></notificationsResponse>"    \
    "</soapenv:Body></soapenv:Envelope>\n"

void salesforce_webhook_answer(bool is_accepted, struct webhook_answer *ret)
{
    *ret = (struct webhook_answer){.status = 200,
                                   .content_type = "text/xml; charset=UTF-8",
                                   .body = is_accepted ? STR(ACK("true")) : STR(ACK("false"))};
}

/* --- one notification ------------------------------------------------------------------------- */

/* Objects that are parts of a kind; others are found in the table and the mapping. */
static const struct {
    const char *object, *kind;
} PARTS[] = {{"Lead", "contact"}, {"Task", "activity"}, {"Event", "activity"}};

struct reading {
    struct arena *arena;
    const struct webhook_settings *settings;
    struct webhook_gathering *gathering;
    struct webhook_news news;
};

/* xsi:type="sf:Contact": the prefix is the sender's choice. */
static struct str object_of(const struct xx_node *sobject)
{
    struct str type = xx_attribute(sobject, XSI, "type");
    struct str rest = type, prefix = str_cut(&rest, ':');

    return rest.at ? rest : prefix;
}

static const char *kind_of(const struct reading *reading, struct str object)
{
    const struct adapter_object *custom = webhook_object(reading->settings, object);

    if (custom) {
        return custom->kind;
    }
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        if (str_equal(object, str_of(PARTS[i].object))) {
            return PARTS[i].kind;
        }
    }
    for (size_t i = 0; i < ADAPTER_OBJECTS_MAX && adapter_salesforce.objects[i].kind; i++) {
        if (object.len && str_equal(object, str_of(adapter_salesforce.objects[i].object))) {
            return adapter_salesforce.objects[i].kind;
        }
    }
    return NULL;
}

/* Fields are in a namespace of their own, whose name differs between the two WSDLs. */
static struct str field(const struct xx_node *sobject, const char *name)
{
    const struct xx_node *node = xx_child(sobject, NULL, name);

    return node ? str_trim(xx_text(node)) : STR("");
}

/* Created and changed look alike; the dates tell where a person chose both. */
static void read_times(struct reading *reading, const struct xx_node *sobject)
{
    struct str created = field(sobject, "CreatedDate"),
               modified = field(sobject, "LastModifiedDate");

    reading->news.type = WEBHOOK_CHANGED;
    if (created.len && str_equal(created, modified)) {
        reading->news.type = WEBHOOK_CREATED;
    }
    if (str_equal(field(sobject, "IsDeleted"), STR("true"))) {
        reading->news.type = WEBHOOK_DELETED;
    }
    if (!when_parse_ms(modified.len ? modified : field(sobject, "SystemModstamp"),
                       &reading->news.occurred_ms)) {
        reading->news.occurred_ms = 0;
    }
}

/* The roles of people in a deal are a property of the deal. */
static struct str subject_of(struct str object, const struct xx_node *sobject, const char **kind)
{
    if (str_equal(object, STR("OpportunityContactRole"))) {
        *kind = "deal";
        return field(sobject, "OpportunityId");
    }
    return field(sobject, "Id");
}

static void read_notification(struct reading *reading, const struct xx_node *notification)
{
    const struct xx_node *id = xx_child(notification, OUTBOUND, "Id"),
                         *sobject = xx_child(notification, OUTBOUND, "sObject");
    struct str object = sobject ? object_of(sobject) : STR(""), remote_id = STR("");

    webhook_heard(reading->gathering);
    if (sobject) {
        reading->news.kind = kind_of(reading, object);
        remote_id = subject_of(object, sobject, &reading->news.kind);
    }
    if (!id || !reading->news.kind || !salesforce_is_id(remote_id)) {
        webhook_ignored(reading->gathering, false);
        return;
    }
    read_times(reading, sobject);
    reading->news.remote_id = salesforce_id18(reading->arena, remote_id);
    /* the same in every repeat. source: "Understanding Notifications" */
    reading->news.identity = str_trim(xx_text(id));
    if (!webhook_add(reading->gathering, &reading->news)) {
        webhook_ignored(reading->gathering, false);
    }
}

/* --- the message ------------------------------------------------------------------------------ */

static enum fail find_message(struct arena *arena, struct str body, const struct xx_node **ret,
                              struct error *err)
{
    const struct xx_node *node = NULL;

    if (xx_parse(arena, body, &node, err) != OK) {
        return error_set(err, FAIL_RECORD, "the delivery is not XML that is taken");
    }
    if (!xx_is(node, SOAP, "Envelope") || xx_need(node, SOAP, "Body", &node, err) != OK ||
        xx_need(node, OUTBOUND, "notifications", &node, err) != OK) {
        return error_set(err, FAIL_RECORD, "the delivery is no outbound message");
    }
    *ret = node;
    return OK;
}

/* An identifier, no secret: it keeps the messages of two organizations apart. */
static enum fail check_organization(const struct webhook_settings *settings,
                                    const struct xx_node *message, struct error *err)
{
    const struct xx_node *id = xx_child(message, OUTBOUND, "OrganizationId");

    if (!id || !salesforce_is_id(str_trim(xx_text(id))) ||
        !salesforce_same_id(str_trim(xx_text(id)), settings->account_id)) {
        return error_set(err, FAIL_AUTH, "the message is of another organization");
    }
    return OK;
}

enum fail salesforce_webhook_parse(const struct webhook_settings *settings,
                                   const struct webhook_delivery *delivery, struct arena *arena,
                                   struct webhook_events *ret, struct error *err)
{
    struct webhook_gathering *gathering = webhook_gather(arena, settings);
    const struct xx_node *message = NULL;
    size_t count = 0;

    if (find_message(arena, delivery->request->body, &message, err) != OK ||
        check_organization(settings, message, err) != OK) {
        return err->code;
    }
    for (const struct xx_node *node = xx_first(message); node; node = xx_next(node)) {
        struct reading reading = {.arena = arena, .settings = settings, .gathering = gathering};

        if (!xx_is(node, OUTBOUND, "Notification")) {
            continue;
        }
        if (++count > NOTIFICATIONS_MAX) {
            return error_set(err, FAIL_RECORD, "more than %d notifications in one message",
                             NOTIFICATIONS_MAX);
        }
        read_notification(&reading, node);
    }
    return webhook_gathered(gathering, ret, err);
}
