/* Salesforce: outbound messages. What fires them is a flow that an administrator builds; new workflow rules cannot be made in most organizations. So a person
 * is told what to click.
 *
 * Sources: SOAP API Developer Guide, "Setting Up Outbound Messaging"; help.salesforce.com, "Workflow terminology". Reference: salesforce.md section 10. */
#include "adapters/salesforce_inside.h"

/* Objects of a kind; a custom object is its own. */
static void put_objects(struct buf *buf, const struct session *session, const char *kind)
{
    const struct adapter_object *object = adapter_object_of(&adapter_salesforce, kind);
    const char *name = object ? object->object : NULL;

    for (size_t i = 0; i < session->objects_count; i++) {
        if (strcmp(session->objects[i].kind, kind) == 0) {
            name = session->objects[i].object;
        }
    }
    if (strcmp(kind, "activity") == 0) {
        buf_add(buf, STR("  - Task (field: Id, LastModifiedDate)\n"
                         "  - Event (field: Id, LastModifiedDate)\n"));
    } else if (name) {
        buf_addf(buf, "  - %s (fields: Id, CreatedDate, LastModifiedDate)\n", name);
    }
    if (strcmp(kind, "deal") == 0) {
        buf_add(buf, STR("  - OpportunityContactRole, for the people of a deal (fields: Id, "
                         "OpportunityId)\n"));
    }
}

enum fail salesforce_subscribe(struct session *session, const struct webhook_wanted *wanted,
                               struct arena *arena, struct webhook_report *ret, struct error *err)
{
    AUTO_BUF struct buf buf;

    (void)err;
    buf_init(&buf, 64 * 1024);
    buf_add(&buf, STR("Salesforce's outbound messages are made by an administrator; crmsync "
                      "cannot see whether it is done.\n"
                      "1. Setup > Workflow Actions > Outbound Messages > New, one for each of:\n"));
    for (size_t i = 0; i < wanted->kinds_count; i++) {
        put_objects(&buf, session, wanted->kinds[i]);
    }
    buf_addf(
        &buf,
        "   Endpoint URL: %" PRI_STR "\n"
        "   User to send as: an administrator. Do not send the session id: it is not needed.\n"
        "2. Setup > Flows > New > Record-Triggered Flow, one for each object: created or "
        "updated, after the record is saved, with the action that sends its message.\n"
        "3. Take 'Send Outbound Messages' away from the user that crmsync signs in as: its own "
        "writes then send none.\n"
        "Deletes and merges send no message: they are found by listing.\n",
        STR_ARG(wanted->url));
    *ret = (struct webhook_report){.by_hand = arena_str(arena, buf_str(&buf))};
    return OK;
}

enum fail salesforce_unsubscribe(struct session *session, const struct webhook_wanted *wanted,
                                 struct arena *arena, struct webhook_report *ret, struct error *err)
{
    (void)session;
    (void)wanted;
    (void)arena;
    (void)err;
    *ret = (struct webhook_report){
        .by_hand = STR("Switch off the flows that send outbound messages to crmsync, and delete "
                       "the messages: Setup > Workflow Actions > Outbound Messages.\n")};
    return OK;
}
