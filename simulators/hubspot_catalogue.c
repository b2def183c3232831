/* Names, types and option values as HubSpot documents its default properties; a selection of those that a sync meets. */
#include "simulators/hubspot_catalogue.h"

#define RO HS_READ_ONLY
#define CALC (HS_READ_ONLY | HS_CALCULATED)
#define TEXT(name, label)                                                                          \
    {                                                                                              \
        name, label, "string", "text", 0, HS_STORED, NULL                                          \
    }
#define FOUND_TEXT(name, label)                                                                    \
    {                                                                                              \
        name, label, "string", "text", HS_SEARCHED, HS_STORED, NULL                                \
    }
#define AREA(name, label)                                                                          \
    {                                                                                              \
        name, label, "string", "textarea", 0, HS_STORED, NULL                                      \
    }
#define PHONE(name, label)                                                                         \
    {                                                                                              \
        name, label, "string", "phonenumber", HS_SEARCHED, HS_STORED, NULL                         \
    }
#define NUMBER(name, label)                                                                        \
    {                                                                                              \
        name, label, "number", "number", 0, HS_STORED, NULL                                        \
    }
#define BOOL(name, label)                                                                          \
    {                                                                                              \
        name, label, "bool", "booleancheckbox", 0, HS_STORED, "true=Yes|false=No"                  \
    }
#define CHOICE(name, label, options)                                                               \
    {                                                                                              \
        name, label, "enumeration", "select", 0, HS_STORED, options                                \
    }
#define MOMENT(name, label)                                                                        \
    {                                                                                              \
        name, label, "datetime", "date", 0, HS_STORED, NULL                                        \
    }
#define DERIVED(name, label, type, field, how)                                                     \
    {                                                                                              \
        name, label, type, field, RO, how, NULL                                                    \
    }
#define OWNER                                                                                      \
    {                                                                                              \
        "hubspot_owner_id", "Owner", "enumeration", "select", HS_OWNER, HS_STORED, NULL            \
    }

/* Every kind has these. */
#define COMMON(created, modified)                                                                  \
    DERIVED("hs_object_id", "Record ID", "number", "number", HS_IS_ID),                            \
        DERIVED(created, "Create date", "datetime", "date", HS_IS_CREATED),                        \
        DERIVED(modified, "Last modified date", "datetime", "date", HS_IS_MODIFIED),               \
        {"hs_object_source", "Record source", "string", "text", RO, HS_STORED, NULL},              \
        {"hs_object_source_id", "Record source ID", "string", "text", RO, HS_STORED, NULL},        \
        {"hs_object_source_label", "Record source label", "string", "text", RO, HS_STORED, NULL},  \
        {"hs_merged_object_ids",                                                                   \
         "Merged record IDs",                                                                      \
         "enumeration",                                                                            \
         "checkbox",                                                                               \
         RO,                                                                                       \
         HS_STORED,                                                                                \
         NULL},                                                                                    \
        OWNER

#define LIFECYCLE                                                                                  \
    {                                                                                              \
        "lifecyclestage", "Lifecycle stage", "enumeration", "radio", HS_FORWARD_ONLY, HS_STORED,   \
            "subscriber=Subscriber|lead=Lead|marketingqualifiedlead=Marketing qualified lead|"     \
            "salesqualifiedlead=Sales qualified lead|opportunity=Opportunity|customer=Customer|"   \
            "evangelist=Evangelist|other=Other"                                                    \
    }

#define INDUSTRIES                                                                                 \
    "ACCOUNTING|AIRLINES_AVIATION|AUTOMOTIVE|BANKING|BIOTECHNOLOGY|BUILDING_MATERIALS|CHEMICALS|"  \
    "COMPUTER_SOFTWARE|CONSTRUCTION|CONSUMER_GOODS|DESIGN|EDUCATION_MANAGEMENT|FINANCIAL_"         \
    "SERVICES|"                                                                                    \
    "FOOD_PRODUCTION|HOSPITAL_HEALTH_CARE|INDUSTRIAL_AUTOMATION|"                                  \
    "INFORMATION_TECHNOLOGY_AND_SERVICES|INSURANCE|INTERNET|LOGISTICS_AND_SUPPLY_CHAIN|MACHINERY|" \
    "MARITIME|MARKETING_AND_ADVERTISING|MEDICAL_DEVICES|ONLINE_MEDIA|PUBLISHING|REAL_ESTATE|"      \
    "RENEWABLES_ENVIRONMENT|RETAIL|TELECOMMUNICATIONS|TEXTILES|WHOLESALE"

static const struct hs_property_spec contact_properties[] = {
    COMMON("createdate", "lastmodifieddate"),
    {"email", "Email", "string", "text", HS_EMAIL | HS_SEARCHED | HS_FORM_FIELD, HS_STORED, NULL},
    {"hs_additional_emails", "Additional email addresses", "enumeration", "checkbox", HS_EMAIL_LIST,
     HS_STORED, NULL},
    FOUND_TEXT("firstname", "First name"),
    FOUND_TEXT("lastname", "Last name"),
    FOUND_TEXT("company", "Company name"),
    PHONE("phone", "Phone number"),
    PHONE("mobilephone", "Mobile phone number"),
    TEXT("fax", "Fax number"),
    TEXT("salutation", "Salutation"),
    TEXT("jobtitle", "Job title"),
    TEXT("website", "Website URL"),
    TEXT("address", "Street address"),
    TEXT("city", "City"),
    TEXT("state", "State/region"),
    TEXT("zip", "Postal code"),
    TEXT("country", "Country/region"),
    TEXT("industry", "Industry"),
    TEXT("date_of_birth", "Date of birth"),
    TEXT("hs_linkedin_url", "LinkedIn URL"),
    AREA("message", "Message"),
    NUMBER("annualrevenue", "Annual revenue"),
    TEXT("numemployees", "Number of employees"),
    MOMENT("closedate", "Close date"),
    LIFECYCLE,
    CHOICE("hs_lead_status", "Lead status",
           "NEW=New|OPEN=Open|IN_PROGRESS=In progress|OPEN_DEAL=Open deal|UNQUALIFIED=Unqualified|"
           "ATTEMPTED_TO_CONTACT=Attempted to contact|CONNECTED=Connected|BAD_TIMING=Bad timing"),
    CHOICE("hs_language", "Preferred language",
           "en=English|de=German|fr=French|sv=Swedish|ja=Japanese"),
    BOOL("hs_marketable_status", "Marketing contact"),
    {"hs_analytics_source", "Original source", "enumeration", "select", RO, HS_STORED,
     "ORGANIC_SEARCH|PAID_SEARCH|EMAIL_MARKETING|SOCIAL_MEDIA|REFERRALS|OTHER_CAMPAIGNS|"
     "DIRECT_TRAFFIC|OFFLINE|PAID_SOCIAL"},
    {"associatedcompanyid", "Primary associated company ID", "number", "number", RO,
     HS_IS_PRIMARY_COMPANY, NULL},
    {"num_associated_deals", "Number of associated deals", "number", "number", CALC, HS_STORED,
     NULL},
    {"total_revenue", "Total revenue", "number", "number", CALC, HS_STORED, NULL},
    {"hs_lastmodifieddate", "Object last modified date", "datetime", "date", RO | HS_HIDDEN,
     HS_STORED, NULL},
};

static const struct hs_property_spec company_properties[] = {
    COMMON("createdate", "hs_lastmodifieddate"),
    FOUND_TEXT("name", "Company name"),
    FOUND_TEXT("domain", "Company domain name"),
    FOUND_TEXT("website", "Website URL"),
    {"hs_additional_domains", "Additional domains", "enumeration", "checkbox", 0, HS_STORED, NULL},
    PHONE("phone", "Phone number"),
    TEXT("address", "Street address"),
    TEXT("address2", "Street address 2"),
    TEXT("city", "City"),
    TEXT("state", "State/region"),
    TEXT("zip", "Postal code"),
    TEXT("country", "Country/region"),
    TEXT("founded_year", "Year founded"),
    TEXT("linkedin_company_page", "LinkedIn company page"),
    AREA("description", "Description"),
    NUMBER("numberofemployees", "Number of employees"),
    NUMBER("annualrevenue", "Annual revenue"),
    CHOICE("industry", "Industry", INDUSTRIES),
    CHOICE("type", "Type",
           "PROSPECT=Prospect|PARTNER=Partner|RESELLER=Reseller|VENDOR=Vendor|OTHER=Other"),
    CHOICE("hs_lead_status", "Lead status",
           "NEW=New|OPEN=Open|IN_PROGRESS=In progress|UNQUALIFIED=Unqualified|CONNECTED=Connected"),
    LIFECYCLE,
    BOOL("is_public", "Is public"),
    {"num_associated_contacts", "Number of associated contacts", "number", "number", CALC,
     HS_IS_CONTACT_COUNT, NULL},
    {"num_associated_deals", "Number of associated deals", "number", "number", CALC, HS_STORED,
     NULL},
};

/* Options of the stages are in the pipelines. Source: "DealStage property is returned with no options", HubSpot's community, 2018. */
#define STAGE(name, label)                                                                         \
    {                                                                                              \
        name, label, "enumeration", "radio", HS_EXTERNAL, HS_STORED, NULL                          \
    }

static const struct hs_property_spec deal_properties[] = {
    COMMON("createdate", "hs_lastmodifieddate"),
    FOUND_TEXT("dealname", "Deal name"),
    NUMBER("amount", "Amount"),
    TEXT("deal_currency_code", "Currency"),
    MOMENT("closedate", "Close date"),
    CHOICE("pipeline", "Pipeline", NULL),
    STAGE("dealstage", "Deal stage"),
    CHOICE("dealtype", "Deal type", "newbusiness=New business|existingbusiness=Existing business"),
    AREA("description", "Deal description"),
    TEXT("closed_lost_reason", "Closed lost reason"),
    TEXT("closed_won_reason", "Closed won reason"),
    {"amount_in_home_currency", "Amount in company currency", "number", "number", CALC, HS_STORED,
     NULL},
    {"hs_is_closed", "Is deal closed?", "bool", "booleancheckbox", CALC, HS_STORED,
     "true=Yes|false=No"},
    {"hs_is_closed_won", "Is closed won", "bool", "booleancheckbox", CALC, HS_STORED,
     "true=Yes|false=No"},
    {"num_associated_contacts", "Number of associated contacts", "number", "number", CALC,
     HS_IS_CONTACT_COUNT, NULL},
    {"hs_deal_stage_probability", "Deal probability", "number", "number", CALC, HS_STORED, NULL},
};

static const struct hs_property_spec ticket_properties[] = {
    COMMON("createdate", "hs_lastmodifieddate"),
    FOUND_TEXT("subject", "Ticket name"),
    {"content", "Ticket description", "string", "textarea", HS_SEARCHED, HS_STORED, NULL},
    CHOICE("hs_pipeline", "Pipeline", NULL),
    STAGE("hs_pipeline_stage", "Ticket status"),
    CHOICE("hs_ticket_priority", "Priority", "LOW=Low|MEDIUM=Medium|HIGH=High|URGENT=Urgent"),
    CHOICE(
        "hs_ticket_category", "Category",
        "PRODUCT_ISSUE=Product issue|BILLING_ISSUE=Billing issue|FEATURE_REQUEST=Feature request|"
        "GENERAL_INQUIRY=General inquiry"),
};

static const struct hs_property_spec note_properties[] = {
    COMMON("hs_createdate", "hs_lastmodifieddate"),
    MOMENT("hs_timestamp", "Activity date"),
    {"hs_note_body", "Note body", "string", "html", HS_SEARCHED, HS_STORED, NULL},
    TEXT("hs_attachment_ids", "Attached file IDs"),
};

static const struct hs_property_spec task_properties[] = {
    COMMON("hs_createdate", "hs_lastmodifieddate"),
    MOMENT("hs_timestamp", "Due date"),
    FOUND_TEXT("hs_task_subject", "Task title"),
    {"hs_task_body", "Notes", "string", "html", HS_SEARCHED, HS_STORED, NULL},
    CHOICE("hs_task_status", "Task status",
           "NOT_STARTED=Not started|IN_PROGRESS=In progress|WAITING=Waiting|COMPLETED=Completed|"
           "DEFERRED=Deferred"),
    CHOICE("hs_task_priority", "Priority", "LOW=Low|MEDIUM=Medium|HIGH=High"),
    CHOICE("hs_task_type", "Task type", "TODO=To-do|CALL=Call|EMAIL=Email"),
    TEXT("hs_task_reminders", "Reminders"),
};

static const struct hs_property_spec call_properties[] = {
    COMMON("hs_createdate", "hs_lastmodifieddate"),
    MOMENT("hs_timestamp", "Activity date"),
    FOUND_TEXT("hs_call_title", "Call title"),
    {"hs_call_body", "Call notes", "string", "html", HS_SEARCHED, HS_STORED, NULL},
    NUMBER("hs_call_duration", "Call duration"),
    CHOICE("hs_call_direction", "Call direction", "INBOUND=Inbound|OUTBOUND=Outbound"),
    CHOICE(
        "hs_call_status", "Call status",
        "BUSY|CALLING_CRM_USER|CANCELED|COMPLETED|CONNECTING|FAILED|IN_PROGRESS|NO_ANSWER|QUEUED|"
        "RINGING"),
    TEXT("hs_call_disposition", "Call outcome"),
};

static const struct hs_property_spec meeting_properties[] = {
    COMMON("hs_createdate", "hs_lastmodifieddate"),
    MOMENT("hs_timestamp", "Activity date"),
    FOUND_TEXT("hs_meeting_title", "Meeting name"),
    {"hs_meeting_body", "Meeting description", "string", "html", HS_SEARCHED, HS_STORED, NULL},
    MOMENT("hs_meeting_start_time", "Meeting start time"),
    MOMENT("hs_meeting_end_time", "Meeting end time"),
    TEXT("hs_meeting_location", "Meeting location"),
    CHOICE("hs_meeting_outcome", "Meeting outcome",
           "SCHEDULED=Scheduled|COMPLETED=Completed|RESCHEDULED=Rescheduled|NO_SHOW=No show|"
           "CANCELED=Canceled"),
};

static const struct hs_property_spec email_properties[] = {
    COMMON("hs_createdate", "hs_lastmodifieddate"),
    MOMENT("hs_timestamp", "Activity date"),
    CHOICE("hs_email_direction", "Email direction", "EMAIL|INCOMING_EMAIL|FORWARDED_EMAIL"),
    CHOICE("hs_email_status", "Email status", "BOUNCED|FAILED|SCHEDULED|SENDING|SENT"),
    FOUND_TEXT("hs_email_subject", "Email subject"),
    AREA("hs_email_text", "Email body"),
    {"hs_email_html", "Email HTML", "string", "html", 0, HS_STORED, NULL},
    AREA("hs_email_headers", "Email headers"),
};

const struct hs_property_spec hs_custom_properties[] = {
    COMMON("hs_createdate", "hs_lastmodifieddate"),
};
const size_t hs_custom_properties_count = COUNT_OF(hs_custom_properties);

static const char *const contact_defaults[] = {"email", "firstname", "lastname", NULL};
static const char *const company_defaults[] = {"domain", "name", NULL};
static const char *const deal_defaults[] = {"amount",    "closedate", "dealname",
                                            "dealstage", "pipeline",  NULL};
static const char *const ticket_defaults[] = {"subject",
                                              "content",
                                              "hs_pipeline",
                                              "hs_pipeline_stage",
                                              "hs_ticket_category",
                                              "hs_ticket_priority",
                                              NULL};
static const char *const no_defaults[] = {NULL};

#define PROPERTIES(name) .properties = (name), .properties_count = COUNT_OF(name)
#define ACTIVITY(id, many, one, caps, Name, table, from, needs)                                    \
    {                                                                                              \
        .type_id = (id), .plural = (many), .singular = (one), .upper = (caps), .title = (Name),    \
        .group = "engagement", .defaults = no_defaults, PROPERTIES(table), .first_id = (from),     \
        .required = (needs), .is_activity = true                                                   \
    }

/* Ids are past 32 bits, as in accounts of today. */
const struct hs_kind_spec hs_catalogue[] = {
    {.type_id = "0-1",
     .plural = "contacts",
     .singular = "contact",
     .upper = "CONTACT",
     .title = "Contact",
     .group = "contactinformation",
     .defaults = contact_defaults,
     PROPERTIES(contact_properties),
     .first_id = 51000000001,
     .unique_email = "email",
     .extra_emails = "hs_additional_emails"},
    {.type_id = "0-2",
     .plural = "companies",
     .singular = "company",
     .upper = "COMPANY",
     .title = "Company",
     .group = "companyinformation",
     .defaults = company_defaults,
     PROPERTIES(company_properties),
     .first_id = 38000000001},
    {.type_id = "0-3",
     .plural = "deals",
     .singular = "deal",
     .upper = "DEAL",
     .title = "Deal",
     .group = "dealinformation",
     .defaults = deal_defaults,
     PROPERTIES(deal_properties),
     .first_id = 29000000001},
    {.type_id = "0-5",
     .plural = "tickets",
     .singular = "ticket",
     .upper = "TICKET",
     .title = "Ticket",
     .group = "ticketinformation",
     .defaults = ticket_defaults,
     PROPERTIES(ticket_properties),
     .first_id = 17000000001,
     .required = "hs_pipeline_stage"},
    ACTIVITY("0-46", "notes", "note", "NOTE", "Note", note_properties, 61000000001, "hs_timestamp"),
    ACTIVITY("0-27", "tasks", "task", "TASK", "Task", task_properties, 62000000001, "hs_timestamp"),
    ACTIVITY("0-48", "calls", "call", "CALL", "Call", call_properties, 63000000001, "hs_timestamp"),
    ACTIVITY("0-47", "meetings", "meeting", "MEETING_EVENT", "Meeting", meeting_properties,
             64000000001, "hs_timestamp"),
    ACTIVITY("0-49", "emails", "email", "EMAIL", "Email", email_properties, 65000000001,
             "hs_timestamp,hs_email_direction"),
};
const size_t hs_catalogue_count = COUNT_OF(hs_catalogue);
