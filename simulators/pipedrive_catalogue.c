/* Members of the objects in the order in which v2 shows them; of notes, v1. Source: OpenAPI v2 of
 * 2026-08, GET /persons, /organizations, /deals, /activities. */
#include "simulators/pipedrive_inside.h"

/* A count of something this simulator has none of. */
#define NO_COUNT(code, name)                                                                       \
    {                                                                                              \
        code, name, "int", PD_NO_TYPE, PD_IS_CONSTANT, PD_INCLUDED, PD_NOWHERE, "0", NULL          \
    }
#define COUNTED(code, name)                                                                        \
    {                                                                                              \
        code, name, "int", PD_NO_TYPE, PD_IS_COUNT, PD_INCLUDED, PD_NOWHERE, "0", NULL             \
    }
/* Stored, but set by Pipedrive itself. */
#define KEPT(code, name, type, flags)                                                              \
    {                                                                                              \
        code, name, type, PD_NO_TYPE, PD_STORED, flags, PD_NOWHERE, NULL, NULL                     \
    }
#define ALWAYS_EMPTY(code, name, type)                                                             \
    {                                                                                              \
        code, name, type, PD_NO_TYPE, PD_IS_CONSTANT, 0, PD_NOWHERE, NULL, NULL                    \
    }
#define PLAIN(code, name, type, kind)                                                              \
    {                                                                                              \
        code, name, type, kind, PD_STORED, 0, PD_NOWHERE, NULL, NULL                               \
    }
#define NOT_YET(code, name, type)                                                                  \
    {                                                                                              \
        code, name, type, PD_NO_TYPE, PD_IS_CONSTANT, PD_INCLUDED, PD_NOWHERE, NULL, NULL          \
    }

#define LABELS "Customer:green|Hot lead:red|Warm lead:yellow|Cold lead:blue"

#define INCLUDED_BY_BOTH                                                                           \
    NOT_YET("next_activity_id", "Next activity", "activity"),                                      \
        NOT_YET("last_activity_id", "Last activity", "activity"),                                  \
        COUNTED("open_deals_count", "Open deals"),                                                 \
        NO_COUNT("related_open_deals_count", "Related open deals"),                                \
        COUNTED("closed_deals_count", "Closed deals"),                                             \
        NO_COUNT("related_closed_deals_count", "Related closed deals"),                            \
        NO_COUNT("email_messages_count", "Email messages count"),                                  \
        COUNTED("activities_count", "Total activities"),                                           \
        COUNTED("done_activities_count", "Done activities"),                                       \
        COUNTED("undone_activities_count", "Activities to do"), NO_COUNT("files_count", "Files"),  \
        COUNTED("notes_count", "Notes"), NO_COUNT("followers_count", "Followers"),                 \
        COUNTED("won_deals_count", "Won deals"),                                                   \
        NO_COUNT("related_won_deals_count", "Related won deals"),                                  \
        COUNTED("lost_deals_count", "Lost deals"),                                                 \
        NO_COUNT("related_lost_deals_count", "Related lost deals"),                                \
    {                                                                                              \
        "smart_bcc_email", "Smart Bcc email", "varchar", PD_NO_TYPE, PD_IS_BCC, PD_INCLUDED,       \
            PD_NOWHERE, NULL, NULL                                                                 \
    }

static const struct pd_field_spec person_fields[] = {
    {"id", "ID", "int", PD_NO_TYPE, PD_IS_ID, 0, PD_NOWHERE, NULL, NULL},
    {"name", "Name", "varchar", PD_NAME, PD_STORED, PD_MANDATORY, PD_IN_NAME, NULL, NULL},
    {"first_name", "First name", "varchar", PD_VARCHAR, PD_STORED, 0, PD_NOWHERE, NULL, NULL},
    {"last_name", "Last name", "varchar", PD_VARCHAR, PD_STORED, 0, PD_NOWHERE, NULL, NULL},
    {"owner_id", "Owner", "user", PD_USER, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"org_id", "Organization", "org", PD_ORG, PD_STORED, 0, PD_NOWHERE, NULL, NULL},
    {"add_time", "Person created", "date", PD_NO_TYPE, PD_IS_ADDED, 0, PD_NOWHERE, NULL, NULL},
    {"update_time", "Update time", "date", PD_NO_TYPE, PD_IS_UPDATED, 0, PD_NOWHERE, NULL, NULL},
    {"emails", "Email", "varchar", PD_CONTACTS, PD_STORED, PD_CASELESS, PD_IN_EMAIL, "[]", NULL},
    {"phones", "Phone", "phone", PD_CONTACTS, PD_STORED, 0, PD_IN_PHONE, "[]", NULL},
    {"is_deleted", "Deleted", "boolean", PD_NO_TYPE, PD_IS_DELETED, 0, PD_NOWHERE, NULL, NULL},
    {"visible_to", "Visible to", "visible_to", PD_VISIBILITY, PD_STORED, PD_MANDATORY, PD_NOWHERE,
     "3", NULL},
    {"label_ids", "Labels", "set", PD_LABELS, PD_STORED, 0, PD_NOWHERE, "[]", LABELS},
    {"picture_id", "Profile picture", "picture", PD_NO_TYPE, PD_IS_CONSTANT, 0, PD_NOWHERE, NULL,
     NULL},
    {"notes", "Notes", "text", PD_TEXT, PD_STORED, PD_CONTACT_SYNC, PD_IN_NOTES, NULL, NULL},
    {"im", "Instant messenger", "im", PD_CONTACTS, PD_STORED, PD_CONTACT_SYNC, PD_NOWHERE, "[]",
     NULL},
    {"birthday", "Birthday", "date", PD_DATE, PD_STORED, PD_CONTACT_SYNC, PD_NOWHERE, NULL, NULL},
    {"job_title", "Job title", "varchar", PD_VARCHAR, PD_STORED, PD_CONTACT_SYNC, PD_NOWHERE, NULL,
     NULL},
    {"postal_address", "Postal address", "address", PD_ADDRESS, PD_STORED, PD_CONTACT_SYNC,
     PD_NOWHERE, NULL, NULL},
    {"marketing_status", "Marketing status", "enum", PD_VARCHAR, PD_STORED, PD_MARKETING,
     PD_NOWHERE, NULL, NULL},
    INCLUDED_BY_BOTH,
    COUNTED("participant_open_deals_count", "Open deals as participant"),
    COUNTED("participant_closed_deals_count", "Closed deals as participant"),
    NOT_YET("last_incoming_mail_time", "Last email received", "date"),
    NOT_YET("last_outgoing_mail_time", "Last email sent", "date"),
};

static const struct pd_field_spec organization_fields[] = {
    {"id", "ID", "int", PD_NO_TYPE, PD_IS_ID, 0, PD_NOWHERE, NULL, NULL},
    {"name", "Name", "varchar", PD_NAME, PD_STORED, PD_MANDATORY, PD_IN_NAME, NULL, NULL},
    {"owner_id", "Owner", "user", PD_USER, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"add_time", "Organization created", "date", PD_NO_TYPE, PD_IS_ADDED, 0, PD_NOWHERE, NULL,
     NULL},
    {"update_time", "Update time", "date", PD_NO_TYPE, PD_IS_UPDATED, 0, PD_NOWHERE, NULL, NULL},
    {"address", "Address", "address", PD_ADDRESS, PD_STORED, 0, PD_IN_ADDRESS, NULL, NULL},
    {"is_deleted", "Deleted", "boolean", PD_NO_TYPE, PD_IS_DELETED, 0, PD_NOWHERE, NULL, NULL},
    {"visible_to", "Visible to", "visible_to", PD_VISIBILITY, PD_STORED, PD_MANDATORY, PD_NOWHERE,
     "3", NULL},
    {"label_ids", "Labels", "set", PD_LABELS, PD_STORED, 0, PD_NOWHERE, "[]", LABELS},
    {"website", "Website", "varchar", PD_VARCHAR, PD_STORED, 0, PD_NOWHERE, NULL, NULL},
    {"linkedin", "LinkedIn profile", "varchar", PD_VARCHAR, PD_STORED, 0, PD_NOWHERE, NULL, NULL},
    {"industry", "Industry", "enum", PD_ENUM, PD_STORED, 0, PD_NOWHERE, NULL,
     "Machinery|Logistics|Software|Food|Health care|Renewable energy|Publishing|Biotechnology|"
     "Information technology|Textiles|Medical devices|Automation"},
    {"annual_revenue", "Annual revenue", "double", PD_WHOLE, PD_STORED, 0, PD_NOWHERE, NULL, NULL},
    {"employee_count", "Number of employees", "int", PD_WHOLE, PD_STORED, 0, PD_NOWHERE, NULL,
     NULL},
    INCLUDED_BY_BOTH,
    {"people_count", "People", "int", PD_NO_TYPE, PD_IS_PEOPLE_COUNT, PD_INCLUDED, PD_NOWHERE, "0",
     NULL},
};

static const struct pd_field_spec deal_fields[] = {
    {"id", "ID", "int", PD_NO_TYPE, PD_IS_ID, 0, PD_NOWHERE, NULL, NULL},
    {"title", "Title", "varchar", PD_NAME, PD_STORED, PD_MANDATORY, PD_IN_TITLE, NULL, NULL},
    KEPT("creator_user_id", "Creator", "user", PD_OWN),
    {"owner_id", "Owner", "user", PD_USER, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"value", "Value", "monetary", PD_AMOUNT, PD_STORED, 0, PD_NOWHERE, "0", NULL},
    {"currency", "Currency", "varchar", PD_CURRENCY, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL,
     NULL},
    PLAIN("person_id", "Contact person", "people", PD_PEOPLE),
    PLAIN("org_id", "Organization", "org", PD_ORG),
    {"pipeline_id", "Pipeline", "double", PD_PIPELINE, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL,
     NULL},
    {"stage_id", "Stage", "stage", PD_STAGE, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"add_time", "Deal created", "date", PD_NO_TYPE, PD_IS_ADDED, 0, PD_NOWHERE, NULL, NULL},
    {"update_time", "Update time", "date", PD_NO_TYPE, PD_IS_UPDATED, 0, PD_NOWHERE, NULL, NULL},
    KEPT("stage_change_time", "Last stage change", "date", PD_OWN),
    {"status", "Status", "status", PD_STATUS, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"is_deleted", "Deleted", "boolean", PD_NO_TYPE, PD_IS_DELETED, 0, PD_NOWHERE, NULL, NULL},
    {"is_archived", "Archived", "boolean", PD_BOOLEAN, PD_STORED, PD_MANDATORY | PD_OWN, PD_NOWHERE,
     "false", NULL},
    {"archive_time", "Archive time", "date", PD_MOMENT, PD_STORED, PD_OWN, PD_NOWHERE, NULL, NULL},
    PLAIN("probability", "Probability", "int", PD_PERCENT),
    {"lost_reason", "Lost reason", "varchar_options", PD_VARCHAR, PD_STORED, PD_OWN, PD_NOWHERE,
     NULL, NULL},
    {"visible_to", "Visible to", "visible_to", PD_VISIBILITY, PD_STORED, PD_MANDATORY, PD_NOWHERE,
     "3", NULL},
    {"close_time", "Deal closed on", "date", PD_MOMENT, PD_STORED, PD_OWN, PD_NOWHERE, NULL, NULL},
    {"won_time", "Won time", "date", PD_MOMENT, PD_STORED, PD_OWN, PD_NOWHERE, NULL, NULL},
    {"lost_time", "Lost time", "date", PD_MOMENT, PD_STORED, PD_OWN, PD_NOWHERE, NULL, NULL},
    KEPT("local_won_date", "Won date", "date", PD_OWN),
    KEPT("local_lost_date", "Lost date", "date", PD_OWN),
    KEPT("local_close_date", "Close date", "date", PD_OWN),
    PLAIN("expected_close_date", "Expected close date", "date", PD_DATE),
    {"label_ids", "Labels", "set", PD_LABELS, PD_STORED, 0, PD_NOWHERE, "[]",
     "Hot:red|Warm:yellow|Cold:blue"},
    KEPT("origin", "Source origin", "enum", PD_OWN),
    KEPT("origin_id", "Source origin ID", "varchar", PD_OWN),
    ALWAYS_EMPTY("channel", "Source channel", "enum"),
    ALWAYS_EMPTY("channel_id", "Source channel ID", "varchar"),
    ALWAYS_EMPTY("acv", "Annual contract value", "monetary"),
    ALWAYS_EMPTY("arr", "Annual recurring revenue", "monetary"),
    ALWAYS_EMPTY("mrr", "Monthly recurring revenue", "monetary"),
    NOT_YET("next_activity_id", "Next activity", "activity"),
    NOT_YET("last_activity_id", "Last activity", "activity"),
    KEPT("first_won_time", "First won time", "date", PD_OWN | PD_INCLUDED),
    NO_COUNT("products_count", "Product quantity"),
    NO_COUNT("files_count", "Files"),
    COUNTED("notes_count", "Notes"),
    NO_COUNT("followers_count", "Followers"),
    NO_COUNT("email_messages_count", "Email messages count"),
    COUNTED("activities_count", "Total activities"),
    COUNTED("done_activities_count", "Done activities"),
    COUNTED("undone_activities_count", "Activities to do"),
    {"participants_count", "Participants", "int", PD_NO_TYPE, PD_IS_PARTICIPANTS_COUNT, PD_INCLUDED,
     PD_NOWHERE, "0", NULL},
    NOT_YET("last_incoming_mail_time", "Last email received", "date"),
    NOT_YET("last_outgoing_mail_time", "Last email sent", "date"),
    {"smart_bcc_email", "Smart Bcc email", "varchar", PD_NO_TYPE, PD_IS_BCC, PD_INCLUDED,
     PD_NOWHERE, NULL, NULL},
    NOT_YET("source_lead_id", "Source lead", "lead"),
};

/* person_id follows from the participants: written it is refused, although the body's schema lists
 * it. Source: the v2 migration guide. */
static const struct pd_field_spec activity_fields[] = {
    {"id", "ID", "int", PD_NO_TYPE, PD_IS_ID, 0, PD_NOWHERE, NULL, NULL},
    {"subject", "Subject", "varchar", PD_VARCHAR, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"type", "Type", "enum", PD_ACTIVITY_TYPE, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    {"owner_id", "Assigned to user", "user", PD_USER, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL,
     NULL},
    KEPT("creator_user_id", "Creator", "user", PD_OWN),
    {"is_deleted", "Deleted", "boolean", PD_NO_TYPE, PD_IS_DELETED, 0, PD_NOWHERE, NULL, NULL},
    {"add_time", "Add time", "date", PD_NO_TYPE, PD_IS_ADDED, 0, PD_NOWHERE, NULL, NULL},
    {"update_time", "Update time", "date", PD_NO_TYPE, PD_IS_UPDATED, 0, PD_NOWHERE, NULL, NULL},
    PLAIN("deal_id", "Deal", "deal", PD_DEAL),
    ALWAYS_EMPTY("lead_id", "Lead", "lead"),
    KEPT("person_id", "Contact person", "people", 0),
    PLAIN("org_id", "Organization", "org", PD_ORG),
    ALWAYS_EMPTY("project_id", "Project", "project"),
    PLAIN("due_date", "Due date", "date", PD_DATE),
    PLAIN("due_time", "Due time", "time", PD_CLOCK),
    PLAIN("duration", "Duration", "time", PD_CLOCK),
    {"busy", "Free/busy", "boolean", PD_BOOLEAN, PD_STORED, PD_MANDATORY, PD_NOWHERE, "false",
     NULL},
    {"done", "Done", "boolean", PD_BOOLEAN, PD_STORED, PD_MANDATORY, PD_NOWHERE, "false", NULL},
    KEPT("marked_as_done_time", "Marked as done time", "date", PD_OWN),
    PLAIN("location", "Location", "address", PD_LOCATION),
    {"participants", "Participants", "json", PD_PARTICIPANTS, PD_STORED, 0, PD_NOWHERE, "[]", NULL},
    {"attendees", "Attendees", "json", PD_ATTENDEES, PD_STORED, PD_INCLUDED, PD_NOWHERE, "[]",
     NULL},
    ALWAYS_EMPTY("conference_meeting_client", "Conference client", "varchar"),
    ALWAYS_EMPTY("conference_meeting_url", "Conference address", "varchar"),
    ALWAYS_EMPTY("conference_meeting_id", "Conference ID", "varchar"),
    {"public_description", "Public description", "text", PD_TEXT, PD_STORED, 0, PD_NOWHERE, "\"\"",
     NULL},
    {"priority", "Priority", "enum", PD_ENUM, PD_STORED, 0, PD_NOWHERE, NULL, "High|Medium|Low"},
    PLAIN("note", "Note", "text", PD_HTML),
};

static const struct pd_field_spec note_fields[] = {
    {"id", "ID", "int", PD_NO_TYPE, PD_IS_ID, 0, PD_NOWHERE, NULL, NULL},
    {"user_id", "User", "user", PD_USER, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    PLAIN("deal_id", "Deal", "deal", PD_DEAL),
    PLAIN("person_id", "Person", "person", PD_PEOPLE),
    PLAIN("org_id", "Organization", "organization", PD_ORG),
    {"content", "Content", "text", PD_HTML, PD_STORED, PD_MANDATORY, PD_NOWHERE, NULL, NULL},
    KEPT("last_update_user_id", "Last updated by", "user", 0),
    {"pinned_to_deal_flag", "Pinned to deal", "boolean", PD_BOOLEAN, PD_STORED, PD_MANDATORY,
     PD_NOWHERE, "false", NULL},
    {"pinned_to_person_flag", "Pinned to person", "boolean", PD_BOOLEAN, PD_STORED, PD_MANDATORY,
     PD_NOWHERE, "false", NULL},
    {"pinned_to_organization_flag", "Pinned to organization", "boolean", PD_BOOLEAN, PD_STORED,
     PD_MANDATORY, PD_NOWHERE, "false", NULL},
};

enum {
    CONTACT = PD_IN_V2 | PD_SEARCHED | PD_DEFINED | PD_CUSTOMIZED | PD_TWIN_IN_V1 | PD_MERGED |
              PD_BACKDATED,
    DEAL = PD_IN_V2 | PD_SEARCHED | PD_DEFINED | PD_CUSTOMIZED | PD_MERGED,
};

/* In the order of the words of itemSearch, which begin with those that are searched. */
const struct pd_kind_spec pd_catalogue[PD_KINDS] = {
    {"persons", "person", "Person", "personFields", "name", "owner_id", CONTACT, NULL,
     person_fields, COUNT_OF(person_fields)},
    {"organizations", "organization", "Organization", "organizationFields", "name", "owner_id",
     CONTACT, NULL, organization_fields, COUNT_OF(organization_fields)},
    {"deals", "deal", "Deal", "dealFields", "title", "owner_id", DEAL, pd_deal_settle, deal_fields,
     COUNT_OF(deal_fields)},
    {"activities", "activity", "Activity", "activityFields", "subject", "owner_id",
     PD_IN_V2 | PD_DEFINED, pd_activity_settle, activity_fields, COUNT_OF(activity_fields)},
    {"notes", "note", "Note", "noteFields", "content", "user_id", PD_BACKDATED, pd_note_settle,
     note_fields, COUNT_OF(note_fields)},
};
