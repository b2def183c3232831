/* Salesforce: tasks and events as one kind: what their members mean. Pure. source: Object Reference, Task, Event */
#include "adapters/salesforce_inside.h"

#include "core/jx.h"

/* Task.Type is a picklist that each org words for itself; these are its first words. */
static const struct {
    const char *field, *value, *type;
} TYPES[] = {{"TaskSubtype", "Call", "call"},
             {"TaskSubtype", "Email", "email"},
             {"TaskSubtype", "ListEmail", "email"},
             {"Type", "Call", "call"},
             {"Type", "Email", "email"},
             {"Type", "Note", "note"}};

static const char *type_of(bool is_event, const json_t *props)
{
    for (size_t i = 0; i < COUNT_OF(TYPES) && !is_event; i++) {
        if (str_equal(jx_text_of(json_object_get(props, TYPES[i].field)), str_of(TYPES[i].value))) {
            return TYPES[i].type;
        }
    }
    return is_event ? "meeting" : "task";
}

static void show_member(json_t *props, const char *name, const char *pseudo)
{
    json_t *value = json_object_get(props, name);

    if (value) {
        json_object_set(props, pseudo, value);
    }
}

static void show_contacts(json_t *props)
{
    json_t *who = json_object_get(props, "WhoId");

    if (who) {
        json_object_set_new(props, SF_ACTIVITY_CONTACTS,
                            json_is_string(who) ? json_pack("[O]", who) : json_array());
    }
}

/* WhatId holds one of many kinds of object; what it is not, it does not deny. */
static void show_what(json_t *props)
{
    json_t *what = json_object_get(props, "WhatId");
    struct str id = jx_text_of(what);
    bool is_account = salesforce_has_prefix(id, "001"), is_deal = salesforce_has_prefix(id, "006");

    if (!what || (id.len && !is_account && !is_deal)) {
        return;
    }
    if (!is_deal) { /* the account of a deal's activity is the deal's */
        json_object_set(props, SF_ACTIVITY_COMPANY, is_account ? what : json_null());
    }
    json_object_set(props, SF_ACTIVITY_DEAL, is_deal ? what : json_null());
}

void salesforce_show_activity(bool is_event, json_t *props)
{
    const char *type = type_of(is_event, props);
    bool is_timed = is_event && !json_is_true(json_object_get(props, "IsAllDayEvent"));

    json_object_set_new(props, SF_ACTIVITY_TYPE, json_string(type));
    show_member(props, "Subject", SF_ACTIVITY_SUBJECT);
    show_member(props, "Description", SF_ACTIVITY_BODY);
    show_member(props, is_timed ? "StartDateTime" : "ActivityDate", SF_ACTIVITY_TIMESTAMP);
    if (!is_event && strcmp(type, "note") != 0) {
        show_member(props, "IsClosed", SF_ACTIVITY_DONE);
    }
    show_contacts(props);
    show_what(props);
}
