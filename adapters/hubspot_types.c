/* source: developers.hubspot.com, "Understanding the CRM", object type ids */
#include "adapters/hubspot_events.h"

const struct hubspot_type hubspot_types[HS_TYPES] = {
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

/* "2-3400009" */
static bool is_type_id(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && text[digits] == '-' && text[digits + 1] &&
           text[digits + 1 + strspn(text + digits + 1, "0123456789")] == '\0';
}

const char *hubspot_type_id(const struct session *session, const char *kind)
{
    const struct hubspot_activity *activity = hubspot_activity_of_kind(kind);
    const char *object;

    for (size_t i = 0; i < HS_TYPES; i++) {
        const struct hubspot_type *type = &hubspot_types[i];

        if (activity ? type->part && strcmp(type->part, activity->object) == 0
                     : !type->part && strcmp(type->kind, kind) == 0) {
            return type->type_id;
        }
    }
    object = hubspot_has_kind(session, kind) ? hubspot_object(session, kind) : "";
    return is_type_id(object) ? object : NULL;
}
