/* Salesforce's own objects, as far as they are simulated. Source: object reference, one page for each; lengths as describe shows them. */
#include "simulators/salesforce_inside.h"

#define TEXT(name, label, length)                                                                  \
    {                                                                                              \
        (name), (label), SF_STRING, (length), 0, 0, NULL, NULL, SF_STORED                          \
    }
#define PART(name, label, length, flags, compound)                                                 \
    {                                                                                              \
        (name), (label), SF_STRING, (length), 0, (flags), NULL, (compound), SF_STORED              \
    }
#define OF(name, label, type, length)                                                              \
    {                                                                                              \
        (name), (label), (type), (length), 0, 0, NULL, NULL, SF_STORED                             \
    }
#define FLAGGED(name, label, type, length, flags)                                                  \
    {                                                                                              \
        (name), (label), (type), (length), 0, (flags), NULL, NULL, SF_STORED                       \
    }
#define CHOICE(name, label, options)                                                               \
    {                                                                                              \
        (name), (label), SF_PICKLIST, 255, 0, 0, (options), NULL, SF_STORED                        \
    }
#define CHOICE_OF(name, label, type, flags, options)                                               \
    {                                                                                              \
        (name), (label), (type), 255, 0, (flags), (options), NULL, SF_STORED                       \
    }
#define LINK(name, label, objects)                                                                 \
    {                                                                                              \
        (name), (label), SF_REFERENCE, 18, 0, 0, (objects), NULL, SF_STORED                        \
    }
#define LINKED(name, label, objects, flags)                                                        \
    {                                                                                              \
        (name), (label), SF_REFERENCE, 18, 0, (flags), (objects), NULL, SF_STORED                  \
    }
#define FLAG(name, label)                                                                          \
    {                                                                                              \
        (name), (label), SF_BOOLEAN, 0, 0, SF_DEFAULTED, NULL, NULL, SF_STORED                     \
    }
#define FLAG_OF(name, label, flags)                                                                \
    {                                                                                              \
        (name), (label), SF_BOOLEAN, 0, 0, SF_DEFAULTED | (flags), NULL, NULL, SF_STORED           \
    }
#define NUMBER(name, label, type, digits, scale)                                                   \
    {                                                                                              \
        (name), (label), (type), (digits), (scale), 0, NULL, NULL, SF_STORED                       \
    }
#define NUMBER_OF(name, label, type, digits, scale, flags)                                         \
    {                                                                                              \
        (name), (label), (type), (digits), (scale), (flags), NULL, NULL, SF_STORED                 \
    }
#define MASTER                                                                                     \
    {                                                                                              \
        "MasterRecordId", "Master Record ID", SF_REFERENCE, 18, 0, SF_READ_ONLY, NULL, NULL,       \
            SF_IS_MASTER                                                                           \
    }
#define OWNER(objects) LINKED("OwnerId", "Owner ID", (objects), SF_DEFAULTED)
#define TYPE_OF_RECORD LINK("RecordTypeId", "Record Type ID", "RecordType")
#define PLACE(prefix, title)                                                                       \
    {prefix "Street", title "Street", SF_TEXTAREA, 255, 0, 0, NULL, prefix "Address", SF_STORED},  \
        PART(prefix "City", title "City", 40, 0, prefix "Address"),                                \
        PART(prefix "State", title "State/Province", 80, 0, prefix "Address"),                     \
        PART(prefix "PostalCode", title "Zip/Postal Code", 20, 0, prefix "Address"),               \
        PART(prefix "Country", title "Country", 80, 0, prefix "Address"),                          \
        FLAGGED(prefix "Address", title "Address", SF_ADDRESS, 0, SF_READ_ONLY | SF_NO_FILTER)
#define PERSON_NAME(name)                                                                          \
    PART("LastName", "Last Name", 80, SF_REQUIRED, (name)),                                        \
        PART("FirstName", "First Name", 40, 0, (name)),                                            \
        {"Salutation", "Salutation", SF_PICKLIST, 40, 0, 0, "Mr.|Ms.|Mrs.|Dr.|Prof.|Mx.",          \
         (name),       SF_STORED},                                                                 \
        PART("MiddleName", "Middle Name", 40, 0, (name)), PART("Suffix", "Suffix", 40, 0, (name)), \
        FLAGGED("Name", "Full Name", SF_STRING, 121, SF_READ_ONLY | SF_NAME_FIELD)

#define SOURCES "Web|Phone Inquiry|Partner Referral|Purchased List|Other|-Fax"
#define INDUSTRIES                                                                                 \
    "Agriculture|Apparel|Banking|Biotechnology|Chemicals|Communications|Construction|Consulting|"  \
    "Education|Electronics|Energy|Engineering|Entertainment|Environmental|Finance|Food & "         \
    "Beverage|Government|Healthcare|Hospitality|Insurance|Machinery|Manufacturing|Media|Not For "  \
    "Profit|Other|Recreation|Retail|Shipping|Technology|Telecommunications|Transportation|"        \
    "Utilities"

static const struct sf_field_spec account[] = {
    MASTER,
    FLAGGED("Name", "Account Name", SF_STRING, 255, SF_REQUIRED | SF_NAME_FIELD),
    CHOICE("Type", "Account Type",
           "Prospect|Customer - Direct|Customer - Channel|Channel Partner / Reseller|Installation "
           "Partner|Technology Partner|Other"),
    TYPE_OF_RECORD,
    LINK("ParentId", "Parent Account ID", "Account"),
    PLACE("Billing", "Billing "),
    PLACE("Shipping", "Shipping "),
    OF("Phone", "Account Phone", SF_PHONE, 40),
    OF("Fax", "Account Fax", SF_PHONE, 40),
    TEXT("AccountNumber", "Account Number", 40),
    OF("Website", "Website", SF_URL, 255),
    CHOICE("Industry", "Industry", INDUSTRIES),
    NUMBER("AnnualRevenue", "Annual Revenue", SF_CURRENCY, 18, 0),
    NUMBER("NumberOfEmployees", "Employees", SF_INT, 8, 0),
    CHOICE("Ownership", "Ownership", "Public|Private|Subsidiary|Other"),
    CHOICE("Rating", "Account Rating", "Hot|Warm|Cold"),
    CHOICE("AccountSource", "Account Source", SOURCES),
    TEXT("Site", "Account Site", 80),
    TEXT("Sic", "SIC Code", 20),
    FLAGGED("Description", "Account Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    OWNER("User"),
};
static const struct sf_field_spec contact[] = {
    MASTER,
    LINKED("AccountId", "Account ID", "Account", SF_CASCADES),
    PERSON_NAME("Name"),
    TYPE_OF_RECORD,
    PLACE("Mailing", "Mailing "),
    PLACE("Other", "Other "),
    OF("Phone", "Business Phone", SF_PHONE, 40),
    OF("Fax", "Business Fax", SF_PHONE, 40),
    OF("MobilePhone", "Mobile Phone", SF_PHONE, 40),
    OF("HomePhone", "Home Phone", SF_PHONE, 40),
    OF("OtherPhone", "Other Phone", SF_PHONE, 40),
    OF("AssistantPhone", "Asst. Phone", SF_PHONE, 40),
    LINK("ReportsToId", "Reports To ID", "Contact"),
    FLAGGED("Email", "Email", SF_EMAIL, 80, SF_ID_LOOKUP),
    TEXT("Title", "Title", 128),
    TEXT("Department", "Department", 80),
    TEXT("AssistantName", "Assistant's Name", 40),
    CHOICE("LeadSource", "Lead Source", SOURCES),
    OF("Birthdate", "Birthdate", SF_DATE, 0),
    FLAG("HasOptedOutOfEmail", "Email Opt Out"),
    FLAG("DoNotCall", "Do Not Call"),
    FLAGGED("Description", "Contact Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    OWNER("User"),
};
static const struct sf_field_spec lead[] = {
    MASTER,
    PERSON_NAME("Name"),
    TYPE_OF_RECORD,
    TEXT("Title", "Title", 128),
    FLAGGED("Company", "Company", SF_STRING, 255, SF_REQUIRED),
    PLACE("", ""),
    OF("Phone", "Phone", SF_PHONE, 40),
    OF("MobilePhone", "Mobile Phone", SF_PHONE, 40),
    OF("Fax", "Fax", SF_PHONE, 40),
    FLAGGED("Email", "Email", SF_EMAIL, 80, SF_ID_LOOKUP),
    OF("Website", "Website", SF_URL, 255),
    FLAGGED("Description", "Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    CHOICE("LeadSource", "Lead Source", SOURCES),
    CHOICE_OF(
        "Status", "Status", SF_PICKLIST, SF_DEFAULTED,
        "*Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted"),
    CHOICE("Industry", "Industry", INDUSTRIES),
    CHOICE("Rating", "Rating", "Hot|Warm|Cold"),
    NUMBER("AnnualRevenue", "Annual Revenue", SF_CURRENCY, 18, 0),
    NUMBER("NumberOfEmployees", "Employees", SF_INT, 8, 0),
    FLAG("HasOptedOutOfEmail", "Email Opt Out"),
    FLAG("DoNotCall", "Do Not Call"),
    OWNER("Group,User"),
    FLAG_OF("IsConverted", "Converted", SF_READ_ONLY),
    FLAGGED("ConvertedDate", "Converted Date", SF_DATE, 0, SF_READ_ONLY),
    LINKED("ConvertedAccountId", "Converted Account ID", "Account", SF_READ_ONLY),
    LINKED("ConvertedContactId", "Converted Contact ID", "Contact", SF_READ_ONLY),
    LINKED("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", SF_READ_ONLY),
};
static const struct sf_field_spec opportunity[] = {
    LINKED("AccountId", "Account ID", "Account", SF_CASCADES),
    TYPE_OF_RECORD,
    FLAGGED("Name", "Name", SF_STRING, 120, SF_REQUIRED | SF_NAME_FIELD),
    FLAGGED("Description", "Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    CHOICE_OF(
        "StageName", "Stage", SF_PICKLIST, SF_REQUIRED,
        "Prospecting|Qualification|Needs Analysis|Value Proposition|Id. Decision Makers|Perception "
        "Analysis|Proposal/Price Quote|Negotiation/Review|Closed Won|Closed Lost"),
    NUMBER("Amount", "Amount", SF_CURRENCY, 16, 2),
    NUMBER_OF("Probability", "Probability (%)", SF_PERCENT, 3, 0, SF_DEFAULTED),
    NUMBER_OF("ExpectedRevenue", "Expected Amount", SF_CURRENCY, 16, 2,
              SF_READ_ONLY | SF_CALCULATED),
    FLAGGED("CloseDate", "Close Date", SF_DATE, 0, SF_REQUIRED),
    CHOICE("Type", "Opportunity Type",
           "Existing Business|New Business|Existing Customer - Upgrade|Existing Customer - "
           "Replacement"),
    TEXT("NextStep", "Next Step", 255),
    CHOICE("LeadSource", "Lead Source", SOURCES),
    FLAG_OF("IsClosed", "Closed", SF_READ_ONLY),
    FLAG_OF("IsWon", "Won", SF_READ_ONLY),
    CHOICE_OF("ForecastCategory", "Forecast Category", SF_PICKLIST, SF_READ_ONLY | SF_DEFAULTED,
              "Omitted|Pipeline|BestCase|MostLikely|Forecast|Closed"),
    CHOICE_OF("ForecastCategoryName", "Forecast Category", SF_PICKLIST, SF_DEFAULTED,
              "Omitted|Pipeline|Best Case|Most Likely|Commit|Closed"),
    FLAG_OF("HasOpportunityLineItem", "Has Line Item", SF_READ_ONLY),
    FLAGGED("LastStageChangeDate", "Last Stage Change Date", SF_DATETIME, 0, SF_READ_ONLY),
    LINKED("ContactId", "Contact ID", "Contact", SF_CREATE_ONLY),
    OWNER("User"),
};
static const struct sf_field_spec contact_role[] = {
    LINKED("OpportunityId", "Opportunity ID", "Opportunity",
           SF_REQUIRED | SF_CREATE_ONLY | SF_CASCADES),
    LINKED("ContactId", "Contact ID", "Contact", SF_REQUIRED | SF_CASCADES),
    CHOICE("Role", "Role",
           "Business User|Decision Maker|Economic Buyer|Economic Decision "
           "Maker|Evaluator|Executive Sponsor|Influencer|Technical Buyer|Other"),
    FLAG("IsPrimary", "Primary"),
};
static const struct sf_field_spec task[] = {
    LINKED("WhoId", "Name ID", "Contact,Lead", SF_POLYMORPHIC | SF_CASCADES),
    LINKED("WhatId", "Related To ID", "Account,Opportunity,Case", SF_POLYMORPHIC | SF_CASCADES),
    NUMBER_OF("WhoCount", "Relation Count", SF_INT, 8, 0, SF_READ_ONLY),
    NUMBER_OF("WhatCount", "Related To Count", SF_INT, 8, 0, SF_READ_ONLY),
    CHOICE_OF("Subject", "Subject", SF_COMBOBOX, SF_NAME_FIELD,
              "Call|Send Letter|Send Quote|Other"),
    OF("ActivityDate", "Due Date Only", SF_DATE, 0),
    CHOICE_OF("Status", "Status", SF_PICKLIST, SF_DEFAULTED,
              "*Not Started|In Progress|Completed|Waiting on someone else|Deferred"),
    CHOICE_OF("Priority", "Priority", SF_PICKLIST, SF_DEFAULTED, "High|*Normal|Low"),
    FLAG_OF("IsHighPriority", "High Priority", SF_READ_ONLY),
    CHOICE("Type", "Type", "Call|Meeting|Other|Email"),
    FLAGGED("Description", "Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    LINKED("AccountId", "Account ID", "Account", SF_READ_ONLY),
    FLAG_OF("IsClosed", "Closed", SF_READ_ONLY),
    FLAG_OF("IsArchived", "Archived", SF_READ_ONLY),
    NUMBER("CallDurationInSeconds", "Call Duration", SF_INT, 8, 0),
    CHOICE("CallType", "Call Type", "Internal|Inbound|Outbound"),
    TEXT("CallDisposition", "Call Result", 255),
    CHOICE_OF("TaskSubtype", "Task Subtype", SF_PICKLIST,
              SF_CREATE_ONLY | SF_DEFAULTED | SF_RESTRICTED,
              "*Task|Email|ListEmail|Cadence|Call|LinkedIn"),
    FLAGGED("CompletedDateTime", "Completed Date", SF_DATETIME, 0, SF_READ_ONLY),
    FLAG_OF("IsRecurrence", "Create Recurring Series of Tasks", SF_READ_ONLY),
    LINKED("RecurrenceActivityId", "Recurrence Activity ID", "Task", SF_READ_ONLY),
    LINKED("OwnerId", "Assigned To ID", "Group,User", SF_DEFAULTED | SF_POLYMORPHIC),
};
static const struct sf_field_spec event[] = {
    LINKED("WhoId", "Name ID", "Contact,Lead", SF_POLYMORPHIC | SF_CASCADES),
    LINKED("WhatId", "Related To ID", "Account,Opportunity,Case", SF_POLYMORPHIC | SF_CASCADES),
    NUMBER_OF("WhoCount", "Relation Count", SF_INT, 8, 0, SF_READ_ONLY),
    NUMBER_OF("WhatCount", "Related To Count", SF_INT, 8, 0, SF_READ_ONLY),
    CHOICE_OF("Subject", "Subject", SF_COMBOBOX, SF_NAME_FIELD,
              "Call|Email|Meeting|Send Letter/Quote|Other"),
    TEXT("Location", "Location", 255),
    FLAG("IsAllDayEvent", "All-Day Event"),
    OF("ActivityDateTime", "Due Date Time", SF_DATETIME, 0),
    OF("ActivityDate", "Due Date Only", SF_DATE, 0),
    NUMBER("DurationInMinutes", "Duration", SF_INT, 8, 0),
    OF("StartDateTime", "Start Date Time", SF_DATETIME, 0),
    OF("EndDateTime", "End Date Time", SF_DATETIME, 0),
    FLAGGED("Description", "Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    LINKED("AccountId", "Account ID", "Account", SF_READ_ONLY),
    CHOICE("Type", "Type", "Call|Email|Meeting|Other"),
    FLAG("IsPrivate", "Private"),
    CHOICE_OF("ShowAs", "Show Time As", SF_PICKLIST, SF_DEFAULTED, "*Busy|OutOfOffice|Free"),
    FLAG_OF("IsChild", "Is Child", SF_READ_ONLY),
    FLAG_OF("IsGroupEvent", "Is Group Event", SF_READ_ONLY),
    FLAG_OF("IsArchived", "Archived", SF_READ_ONLY),
    FLAG_OF("IsRecurrence", "Create Recurring Series of Events", SF_READ_ONLY),
    LINKED("RecurrenceActivityId", "Recurrence Activity ID", "Event", SF_READ_ONLY),
    CHOICE_OF("EventSubtype", "Event Subtype", SF_PICKLIST,
              SF_CREATE_ONLY | SF_DEFAULTED | SF_RESTRICTED, "*Event|Call"),
    LINKED("OwnerId", "Assigned To ID", "User", SF_DEFAULTED),
};
static const struct sf_field_spec crm_case[] = {
    MASTER,
    FLAGGED("CaseNumber", "Case Number", SF_STRING, 30,
            SF_READ_ONLY | SF_NAME_FIELD | SF_DEFAULTED),
    LINK("ContactId", "Contact ID", "Contact"),
    LINK("AccountId", "Account ID", "Account"),
    CHOICE("Type", "Case Type", "Mechanical|Electrical|Electronic|Structural|Other"),
    CHOICE_OF("Status", "Status", SF_PICKLIST, SF_DEFAULTED, "*New|Working|Escalated|Closed"),
    CHOICE(
        "Reason", "Case Reason",
        "Installation|Equipment Complexity|Performance|Breakdown|Equipment Design|Feedback|Other"),
    CHOICE_OF("Origin", "Case Origin", SF_PICKLIST, 0, "Phone|Email|Web"),
    TEXT("Subject", "Subject", 255),
    CHOICE_OF("Priority", "Priority", SF_PICKLIST, SF_DEFAULTED, "High|*Medium|Low"),
    FLAGGED("Description", "Description", SF_TEXTAREA, 32000, SF_LONG | SF_NO_FILTER),
    FLAG_OF("IsClosed", "Closed", SF_READ_ONLY),
    FLAGGED("ClosedDate", "Closed Date", SF_DATETIME, 0, SF_READ_ONLY),
    OWNER("Group,User"),
};
static const struct sf_field_spec user[] = {
    FLAGGED("Username", "Username", SF_STRING, 80, SF_REQUIRED | SF_ID_LOOKUP),
    PERSON_NAME("Name"),
    TEXT("CompanyName", "Company Name", 80),
    TEXT("Department", "Department", 80),
    TEXT("Title", "Title", 80),
    FLAGGED("Email", "Email", SF_EMAIL, 128, SF_REQUIRED | SF_ID_LOOKUP),
    OF("Phone", "Phone", SF_PHONE, 40),
    TEXT("Alias", "Alias", 8),
    FLAG("IsActive", "Active"),
    CHOICE_OF("UserType", "User Type", SF_PICKLIST, SF_READ_ONLY | SF_DEFAULTED,
              "*Standard|Guest|AutomatedProcess"),
    LINK("ProfileId", "Profile ID", "Profile"),
    TEXT("TimeZoneSidKey", "Time Zone", 40),
    TEXT("LocaleSidKey", "Locale", 40),
    TEXT("LanguageLocaleKey", "Language", 40),
};
static const struct sf_field_spec group[] = {
    FLAGGED("Name", "Name", SF_STRING, 40, SF_REQUIRED | SF_NAME_FIELD),
    TEXT("DeveloperName", "Developer Name", 80),
    CHOICE("Type", "Type", "Regular|Queue|Role"),
};
static const struct sf_field_spec organization[] = {
    FLAGGED("Name", "Name", SF_STRING, 80, SF_REQUIRED | SF_NAME_FIELD),
    TEXT("OrganizationType", "Edition", 40),
    FLAG("IsSandbox", "Is Sandbox"),
    TEXT("InstanceName", "Instance Name", 5),
    TEXT("TimeZoneSidKey", "Time Zone", 40),
    TEXT("DefaultLocaleSidKey", "Locale", 40),
    TEXT("NamespacePrefix", "Namespace Prefix", 15),
};
static const struct sf_field_spec record_type[] = {
    FLAGGED("Name", "Name", SF_STRING, 80, SF_REQUIRED | SF_NAME_FIELD),
    TEXT("DeveloperName", "Record Type Name", 80),
    TEXT("SobjectType", "SObject Type Name", 40),
    TEXT("Description", "Description", 255),
    FLAG("IsActive", "Active"),
};
static const struct sf_field_spec profile[] = {
    FLAGGED("Name", "Name", SF_STRING, 255, SF_REQUIRED | SF_NAME_FIELD),
    CHOICE("UserType", "User Type", "Standard|Guest"),
};
static const struct sf_field_spec permission_set[] = {
    FLAGGED("Name", "Permission Set Name", SF_STRING, 80, SF_REQUIRED | SF_NAME_FIELD),
    FLAGGED("Label", "Permission Set Label", SF_STRING, 80, SF_REQUIRED),
    TEXT("Description", "Description", 255),
    FLAG_OF("IsOwnedByProfile", "Is Owned By Profile", SF_READ_ONLY),
    LINKED("ProfileId", "Profile ID", "Profile", SF_READ_ONLY),
    FLAG_OF("IsCustom", "Custom", SF_READ_ONLY),
    CHOICE_OF("Type", "Permission Set Type", SF_PICKLIST, SF_READ_ONLY | SF_DEFAULTED,
              "*Regular|Standard|Profile|Group|Session"),
    FLAG("PermissionsViewAllData", "View All Data"),
    FLAG("PermissionsModifyAllData", "Modify All Data"),
    FLAG("PermissionsCustomizeApplication", "Customize Application"),
    FLAG("PermissionsViewSetup", "View Setup and Configuration"),
    FLAG("PermissionsApiEnabled", "API Enabled"),
};
static const struct sf_field_spec permission_set_assignment[] = {
    LINKED("PermissionSetId", "PermissionSet ID", "PermissionSet",
           SF_REQUIRED | SF_CREATE_ONLY | SF_CASCADES),
    LINKED("AssigneeId", "Assignee ID", "User", SF_REQUIRED | SF_CREATE_ONLY),
};
static const struct sf_field_spec field_permissions[] = {
    LINKED("ParentId", "Parent ID", "PermissionSet", SF_REQUIRED | SF_CREATE_ONLY | SF_CASCADES),
    CHOICE_OF("SobjectType", "Sobject Type Name", SF_PICKLIST, SF_REQUIRED | SF_CREATE_ONLY, ""),
    CHOICE_OF("Field", "Field Name", SF_PICKLIST, SF_REQUIRED | SF_CREATE_ONLY, ""),
    FLAG("PermissionsEdit", "Edit Field"),
    FLAG("PermissionsRead", "Read Field"),
};
static const struct sf_field_spec object_permissions[] = {
    LINKED("ParentId", "Parent ID", "PermissionSet", SF_REQUIRED | SF_CREATE_ONLY | SF_CASCADES),
    CHOICE_OF("SobjectType", "Sobject Type Name", SF_PICKLIST, SF_REQUIRED | SF_CREATE_ONLY, ""),
    FLAG("PermissionsCreate", "Create Records"),
    FLAG("PermissionsRead", "Read Records"),
    FLAG("PermissionsEdit", "Edit Records"),
    FLAG("PermissionsDelete", "Delete Records"),
    FLAG("PermissionsViewAllRecords", "Read All Records"),
    FLAG("PermissionsModifyAllRecords", "Edit All Records"),
};
static const struct sf_field_spec opportunity_stage[] = {
    FLAGGED("MasterLabel", "Master Label", SF_STRING, 255, SF_NAME_FIELD),
    TEXT("ApiName", "API Name", 255),
    FLAG("IsActive", "Is Active"),
    NUMBER("SortOrder", "Sort Order", SF_INT, 8, 0),
    FLAG("IsClosed", "Closed"),
    FLAG("IsWon", "Won"),
    TEXT("ForecastCategory", "Forecast Category", 40),
    TEXT("ForecastCategoryName", "Forecast Category Name", 40),
    NUMBER("DefaultProbability", "Probability", SF_PERCENT, 3, 0),
    TEXT("Description", "Description", 255),
};
static const struct sf_field_spec currency_type[] = {
    FLAGGED("IsoCode", "Currency ISO Code", SF_STRING, 3, SF_NAME_FIELD),
    NUMBER("ConversionRate", "Conversion Rate", SF_DOUBLE, 12, 6),
    NUMBER("DecimalPlaces", "Decimal Places", SF_INT, 8, 0),
    FLAG("IsActive", "Active"),
    FLAG("IsCorporate", "Corporate Currency"),
};
static const struct sf_field_spec task_status[] = {
    FLAGGED("MasterLabel", "Master Label", SF_STRING, 255, SF_NAME_FIELD),
    TEXT("ApiName", "API Name", 255),
    NUMBER("SortOrder", "Sort Order", SF_INT, 8, 0),
    FLAG("IsDefault", "Is Default"),
    FLAG("IsClosed", "Closed"),
};

static const struct sf_field_spec custom_field[] = {
    TEXT("DeveloperName", "Developer Name", 80),
    TEXT("TableEnumOrId", "Table Enum Or Id", 40),
    TEXT("FullName", "Full Name", 255),
    TEXT("Label", "Label", 80),
    TEXT("NamespacePrefix", "Namespace Prefix", 15),
};
static const struct sf_field_spec custom_object[] = {
    TEXT("DeveloperName", "Developer Name", 80),
    TEXT("FullName", "Full Name", 255),
    TEXT("Label", "Label", 80),
    TEXT("NamespacePrefix", "Namespace Prefix", 15),
};

static const struct sf_field_spec channel_member[] = {
    TEXT("DeveloperName", "Developer Name", 80),
    TEXT("EventChannel", "Event Channel", 80),
    TEXT("SelectedEntity", "Selected Entity", 120),
};

#define OBJECT(name, label, plural, prefix, flags, fields)                                         \
    {                                                                                              \
        (name), (label), (plural), (prefix), (flags), (fields), COUNT_OF(fields)                   \
    }
static const struct sf_object_spec objects[SF_STANDARD_COUNT] = {
    [SF_ACCOUNT] = OBJECT("Account", "Account", "Accounts", "001",
                          SF_ORDINARY | SF_CAN_MERGE | SF_HAS_ETAG, account),
    [SF_CONTACT] = OBJECT("Contact", "Contact", "Contacts", "003",
                          SF_ORDINARY | SF_CAN_MERGE | SF_IS_PERSON, contact),
    [SF_LEAD] =
        OBJECT("Lead", "Lead", "Leads", "00Q", SF_ORDINARY | SF_CAN_MERGE | SF_IS_PERSON, lead),
    [SF_OPPORTUNITY] =
        OBJECT("Opportunity", "Opportunity", "Opportunities", "006", SF_ORDINARY, opportunity),
    [SF_CONTACT_ROLE] =
        OBJECT("OpportunityContactRole", "Opportunity Contact Role", "Opportunity Contact Roles",
               "00K", SF_ORDINARY & ~(unsigned)(SF_CAN_UNDELETE | SF_CAN_SEARCH), contact_role),
    [SF_TASK] = OBJECT("Task", "Task", "Tasks", "00T", SF_ORDINARY, task),
    [SF_EVENT] = OBJECT("Event", "Event", "Events", "00U", SF_ORDINARY, event),
    [SF_CASE] = OBJECT("Case", "Case", "Cases", "500", SF_ORDINARY, crm_case),
    [SF_USER] = OBJECT("User", "User", "Users", "005",
                       SF_CAN_REPLICATE | SF_CAN_SEARCH | SF_IS_PERSON | SF_IS_SETUP, user),
    [SF_GROUP] = OBJECT("Group", "Group", "Groups", "00G", SF_CAN_REPLICATE | SF_IS_SETUP, group),
    [SF_ORGANIZATION] = OBJECT("Organization", "Organization", "Organizations", "00D",
                               SF_CAN_REPLICATE | SF_IS_SETUP, organization),
    [SF_RECORD_TYPE] = OBJECT("RecordType", "Record Type", "Record Types", "012",
                              SF_CAN_REPLICATE | SF_IS_SETUP, record_type),
    [SF_PROFILE] = OBJECT("Profile", "Profile", "Profiles", "00e", SF_IS_SETUP, profile),
    [SF_PERMISSION_SET] =
        OBJECT("PermissionSet", "Permission Set", "Permission Sets", "0PS",
               SF_IS_SETUP | SF_CAN_CREATE | SF_CAN_UPDATE | SF_CAN_DELETE, permission_set),
    [SF_PERMISSION_SET_ASSIGNMENT] =
        OBJECT("PermissionSetAssignment", "Permission Set Assignment", "Permission Set Assignments",
               "0Pa", SF_IS_SETUP | SF_CAN_CREATE | SF_CAN_DELETE, permission_set_assignment),
    [SF_FIELD_PERMISSIONS] =
        OBJECT("FieldPermissions", "Field Permissions", "Field Permissions", "01k",
               SF_IS_SETUP | SF_CAN_CREATE | SF_CAN_UPDATE | SF_CAN_DELETE, field_permissions),
    [SF_OBJECT_PERMISSIONS] =
        OBJECT("ObjectPermissions", "Object Permissions", "Object Permissions", "110",
               SF_IS_SETUP | SF_CAN_CREATE | SF_CAN_UPDATE | SF_CAN_DELETE, object_permissions),
    [SF_OPPORTUNITY_STAGE] = OBJECT("OpportunityStage", "Opportunity Stage", "Opportunity Stages",
                                    "01J", SF_IS_SETUP, opportunity_stage),
    [SF_CURRENCY_TYPE] = OBJECT("CurrencyType", "Currency Type", "Currency Types", "01L",
                                SF_IS_SETUP, currency_type),
    [SF_TASK_STATUS] = OBJECT("TaskStatus", "Task Status Value", "Task Status Value", "01T",
                              SF_IS_SETUP, task_status),
    [SF_CUSTOM_FIELD] = OBJECT("CustomField", "Custom Field", "Custom Fields", "00N",
                               SF_IS_SETUP | SF_IS_TOOLING, custom_field),
    [SF_CUSTOM_OBJECT] = OBJECT("CustomObject", "Custom Object", "Custom Objects", "01I",
                                SF_IS_SETUP | SF_IS_TOOLING, custom_object),
    [SF_CHANNEL_MEMBER] = OBJECT("PlatformEventChannelMember", "Platform Event Channel Member",
                                 "Platform Event Channel Members", "0v8",
                                 SF_IS_SETUP | SF_IS_TOOLING, channel_member),
};

const struct sf_object_spec *sf_catalogue(enum sf_standard which)
{
    return &objects[which];
}
