/* The SOAP envelope of an outbound message.
 *
 * Sources: SOAP guide, "Understanding the Outbound Messaging WSDL"; reference/salesforce-examples/outbound-1.xml. */
#include "simulators/salesforce_outbound.h"

#define INSTANCE "https://simulated-dev-ed.my.salesforce.com"

enum { VALUE_BYTES_MAX = 1024 * 1024, ORG_SHORT = 15 };

/* XML 1.0 cannot hold other control characters at all. */
static bool byte_is_lost(unsigned char byte)
{
    return byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r';
}

static const char *entity_of(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

static void put_escaped(struct buf *body, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *entity = entity_of(text.at[i]);

        if (entity) {
            sim_put(body, entity);
        } else if (!byte_is_lost((unsigned char)text.at[i])) {
            buf_add_char(body, text.at[i]);
        }
    }
}

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
    put_escaped(body, buf_str(value));
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

/* --- the receiver's answer ------------------------------------------------------------------- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* The name in a tag's text, without its prefix. */
static struct str local_name(struct str tag)
{
    size_t from = 0, to = 0;

    while (to < tag.len && (is_name_char(tag.at[to]) || tag.at[to] == ':')) {
        from = tag.at[to] == ':' ? to + 1 : from;
        to++;
    }
    return str_slice(tag, from, to);
}

/* What stands between the start tag of that local name and the next tag; STR_NONE when there is none. */
static struct str element_text(struct str xml, struct str name)
{
    while (xml.at) {
        struct str tag;

        str_cut(&xml, '<');
        tag = xml.at ? str_cut(&xml, '>') : STR_NONE;
        if (tag.len && str_equal(local_name(tag), name) && xml.at) {
            struct str rest = xml;

            return str_cut(&rest, '<');
        }
    }
    return STR_NONE;
}

/* A sender that finds anything in front of the document gives up on it: "Content is not allowed in prolog".
 * source: public reports of endless repeats, reference/salesforce.md section 10 */
bool sf_outbound_is_ack(struct str body)
{
    if (body.len == 0 || body.at[0] != '<' || !str_contains(body, STR("Envelope>")) ||
        !element_text(body, STR("notificationsResponse")).at) {
        return false;
    }
    return str_equal(str_trim(element_text(body, STR("Ack"))), STR("true"));
}
