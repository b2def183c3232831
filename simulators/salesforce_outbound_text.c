/* The SOAP envelope of an outbound message.
 *
 * Sources: SOAP guide, "Understanding the Outbound Messaging WSDL"; reference/salesforce-examples/outbound-1.xml. */
#include "simulators/salesforce_outbound.h"

#include "core/xx.h"

#define INSTANCE "https://simulated-dev-ed.my.salesforce.com"

enum { VALUE_BYTES_MAX = 1024 * 1024, ORG_SHORT = 15 };

/* Null fields are left out, although the WSDL would allow xsi:nil. source: reference/salesforce.md section 10 */
static void put_field(struct buf *body, struct buf *value, const struct sf_field *field,
                      const struct sf_record *record)
{
    buf_reset(value);
    sf_put_plain(value, field, record);
    if (value->len == 0) {
        return;
    }
    buf_addf(body, "     <sf:%" PRI_STR ">", STR_ARG(field->name));
    xx_put_text(body, buf_str(value));
    buf_addf(body, "</sf:%" PRI_STR ">\n", STR_ARG(field->name));
}

static void put_notification(struct buf *body, const struct sf_message_text *text, size_t index)
{
    const struct sf_record *record = text->records[index];
    char id[SF_ID_BYTES];
    AUTO_BUF struct buf value;

    buf_init(&value, VALUE_BYTES_MAX);
    sf_id_format("04l", text->notifications[index], id);
    buf_addf(body,
             "   <Notification>\n    <Id>%s</Id>\n    <sObject xsi:type=\"sf:%" PRI_STR
             "\" xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">\n",
             id, STR_ARG(record->object->name));
    sf_record_id(record, id);
    buf_addf(body, "     <sf:Id>%s</sf:Id>\n", id);
    for (size_t i = 0; i < text->fields_count; i++) {
        put_field(body, &value, text->fields[i], record);
    }
    sim_put(body, "    </sObject>\n   </Notification>\n");
}

void sf_outbound_put(struct buf *body, const struct sf_message_text *text)
{
    char action[SF_ID_BYTES];
    struct str org_short = str_slice(text->org, 0, ORG_SHORT);

    sf_id_format("04k", text->action, action);
    sim_put(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "
                  "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "
                  "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <soapenv:Body>\n"
                  "  <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\n");
    buf_addf(body,
             "   <OrganizationId>%" PRI_STR "</OrganizationId>\n   <ActionId>%s</ActionId>\n"
             "   <SessionId xsi:nil=\"true\"/>\n",
             STR_ARG(text->org), action);
    buf_addf(body,
             "   <EnterpriseUrl>" INSTANCE "/services/Soap/c/%d.0/%" PRI_STR
             "</EnterpriseUrl>\n   <PartnerUrl>" INSTANCE "/services/Soap/u/%d.0/%" PRI_STR
             "</PartnerUrl>\n",
             SF_VERSION_MAX, STR_ARG(org_short), SF_VERSION_MAX, STR_ARG(org_short));
    for (size_t i = 0; i < text->count; i++) {
        put_notification(body, text, i);
    }
    sim_put(body, "  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n");
}

/* --- the receiver's answer --------------------------------------------------------------------- */

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define OUTBOUND "http://soap.sforce.com/2005/09/outbound"

/* A sender that finds anything in front of the document gives up on it: "Content is not allowed in prolog".
 * source: public reports of endless repeats, reference/salesforce.md section 10 */
bool sf_outbound_is_ack(struct str body)
{
    AUTO_ARENA struct arena arena = {0};
    const struct xx_node *node = NULL;
    struct error err = {0};

    if (body.len == 0 || body.at[0] != '<' || xx_parse(&arena, body, &node, &err) ||
        !xx_is(node, SOAP, "Envelope") || xx_need(node, SOAP, "Body", &node, &err) ||
        xx_need(node, OUTBOUND, "notificationsResponse", &node, &err) ||
        xx_need(node, OUTBOUND, "Ack", &node, &err)) {
        return false;
    }
    return str_equal(str_trim(xx_text(node)), STR("true"));
}
