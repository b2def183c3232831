/* Members of persons and organizations in the order in which v2 shows them. Source: OpenAPI v2 of
 * 2026-08, GET /persons and GET /organizations. */
#include "simulators/pipedrive_inside.h"

/* A count of something this simulator has none of. */
#define NO_COUNT(code, name)                                                                       \
    {                                                                                              \
        code, name, "int", PD_NO_TYPE, PD_IS_CONSTANT, PD_INCLUDED, PD_NOWHERE, "0", NULL          \
    }
#define NOT_YET(code, name, type)                                                                  \
    {                                                                                              \
        code, name, type, PD_NO_TYPE, PD_IS_CONSTANT, PD_INCLUDED, PD_NOWHERE, NULL, NULL          \
    }

#define LABELS "Customer:green|Hot lead:red|Warm lead:yellow|Cold lead:blue"

#define INCLUDED_BY_BOTH                                                                           \
    NOT_YET("next_activity_id", "Next activity", "activity"),                                      \
        NOT_YET("last_activity_id", "Last activity", "activity"),                                  \
        NO_COUNT("open_deals_count", "Open deals"),                                                \
        NO_COUNT("related_open_deals_count", "Related open deals"),                                \
        NO_COUNT("closed_deals_count", "Closed deals"),                                            \
        NO_COUNT("related_closed_deals_count", "Related closed deals"),                            \
        NO_COUNT("email_messages_count", "Email messages count"),                                  \
        NO_COUNT("activities_count", "Total activities"),                                          \
        NO_COUNT("done_activities_count", "Done activities"),                                      \
        NO_COUNT("undone_activities_count", "Activities to do"), NO_COUNT("files_count", "Files"), \
        NO_COUNT("notes_count", "Notes"), NO_COUNT("followers_count", "Followers"),                \
        NO_COUNT("won_deals_count", "Won deals"),                                                  \
        NO_COUNT("related_won_deals_count", "Related won deals"),                                  \
        NO_COUNT("lost_deals_count", "Lost deals"),                                                \
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
    NO_COUNT("participant_open_deals_count", "Open deals as participant"),
    NO_COUNT("participant_closed_deals_count", "Closed deals as participant"),
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

const struct pd_kind_spec pd_catalogue[PD_KINDS] = {
    {"persons", "person", "Person", "personFields", person_fields, COUNT_OF(person_fields)},
    {"organizations", "organization", "Organization", "organizationFields", organization_fields,
     COUNT_OF(organization_fields)},
};
