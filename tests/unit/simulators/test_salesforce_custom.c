/* The Salesforce simulator's custom fields and objects, who sees them, changed settings, quirks, orders under /__sim, and the content of a
 * new account. */
#include "tests/unit/simulators/salesforce_journey.h"

#define Q(text) DATA "/query?q=" text
#define FIELDS DATA "/tooling/sobjects/CustomField"
#define PERMISSIONS ROWS "/FieldPermissions"
#define TEXT(name, more)                                                                           \
    "{\"FullName\":\"" name                                                                        \
    "\",\"Metadata\":{\"type\":\"Text\",\"label\":\"L\",\"length\":40" more "}}"
#define KEY ",\"externalId\":true,\"unique\":true,\"caseSensitive\":true"
#define PROFILE                                                                                    \
    {                                                                                              \
        "GET", Q("SELECT+Id+FROM+PermissionSet+WHERE+IsOwnedByProfile=true"), NULL, 200,           \
            {"totalSize=1"}, "set=records.0.Id"                                                    \
    }
#define SHOW(object, name)                                                                         \
    {                                                                                              \
        "POST", PERMISSIONS,                                                                       \
            "{\"ParentId\":\"$set$\",\"SobjectType\":\"" object "\",\"Field\":\"" object "." name  \
            "\",\"PermissionsRead\":true,\"PermissionsEdit\":true}",                               \
            201, {"success=true"}, "permission=id"                                                 \
    }

JOURNEY(
    a_new_field_is_hidden_until_somebody_may_see_it, PROFILE,
    {"POST",
     FIELDS,
     TEXT("Contact.Sync_Id__c", KEY),
     201,
     {"id~00N", "success=true", "warnings#0"},
     "field=id"},
    {"GET", Q("SELECT+Sync_Id__c+FROM+Contact"), NULL, 400, {"0.errorCode=INVALID_FIELD"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"Sync_Id__c\":\"c-1\"}",
     400,
     {"0.errorCode=INVALID_FIELD"}},
    {"PATCH",
     CONTACTS "/Sync_Id__c/c-1",
     "{\"LastName\":\"A\"}",
     404,
     {"0.message=Provided external ID field does not exist or is not accessible: Sync_Id__c"}},
    SHOW("Contact", "Sync_Id__c"),
    {"PATCH", CONTACTS "/Sync_Id__c/c-1", "{\"LastName\":\"A\"}", 201, {"created=true"}, "id=id"},
    {"GET", Q("SELECT+Id+FROM+Contact+WHERE+Sync_Id__c='c-1'"), NULL, 200, {"totalSize=1"}},
    {"GET", Q("SELECT+Id+FROM+Contact+WHERE+Sync_Id__c='C-1'"), NULL, 200, {"totalSize=0"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"B\",\"Sync_Id__c\":\"c-1\"}",
     400,
     {"0.errorCode=DUPLICATE_VALUE",
      "0.message~duplicate value found: Sync_Id__c duplicates value on record with id: 003",
      "0.fields#0"}},
    {"PATCH", CONTACTS "/Sync_Id__c/C-1", "{\"LastName\":\"B\"}", 201},
    {"DELETE", CONTACTS "/$id$", NULL, 204},
    {"PATCH", CONTACTS "/Sync_Id__c/c-1", "{\"LastName\":\"New\"}", 201},
    {"POST",
     "/__sim/restore",
     "{\"object\":\"Contact\",\"id\":\"$id$\"}",
     400,
     {"error~DUPLICATE_VALUE"}},
    {"PATCH", PERMISSIONS "/$permission$", "{\"PermissionsEdit\":false}", 204},
    {"PATCH", CONTACTS "/Sync_Id__c/c-9", "{\"LastName\":\"New\"}", 404},
    {"GET", CONTACTS "/Sync_Id__c/c-1", NULL, 200, {"LastName=New"}},
    {"DELETE", PERMISSIONS "/$permission$", NULL, 204},
    {"GET", CONTACTS "/Sync_Id__c/c-1", NULL, 404},
    {"GET",
     DATA "/tooling/"
          "query?q=SELECT+Id,DeveloperName,TableEnumOrId+FROM+CustomField+WHERE+DeveloperName='"
          "Sync_Id'+AND+TableEnumOrId='Contact'",
     NULL,
     200,
     {"totalSize=1", "records.0.Id=$field$"}},
    {"DELETE", FIELDS "/$field$", NULL, 204}, {"POST", FIELDS, TEXT("Contact.Sync_Id__c", ""), 201})

JOURNEY(a_permission_set_of_ones_own_has_to_be_assigned,
        {"POST", FIELDS, TEXT("Account.Sync_Id__c", KEY), 201},
        MAKE("set", "PermissionSet", "{\"Name\":\"Sync\",\"Label\":\"Sync\"}"),
        SHOW("Account", "Sync_Id__c"), {"GET", Q("SELECT+Sync_Id__c+FROM+Account"), NULL, 400},
        {"GET",
         Q("SELECT+Id+FROM+User+WHERE+Username='integration@crm.example'"),
         NULL,
         200,
         {"totalSize=1"},
         "user=records.0.Id"},
        {"POST", ROWS "/PermissionSetAssignment",
         "{\"PermissionSetId\":\"$set$\",\"AssigneeId\":\"$user$\"}", 201},
        {"GET", Q("SELECT+Sync_Id__c+FROM+Account"), NULL, 200},
        {"POST",
         PERMISSIONS,
         "{\"ParentId\":\"$set$\",\"SobjectType\":\"Account\",\"Field\":\"Account.Sync_Id__c\","
         "\"PermissionsRead\":true}",
         400,
         {"0.errorCode=DUPLICATE_VALUE"}},
        {"POST",
         PERMISSIONS,
         "{\"ParentId\":\"$set$\",\"SobjectType\":\"Account\",\"Field\":\"Account.Nope__c\","
         "\"PermissionsRead\":true}",
         400,
         {"0.errorCode=INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}},
        {"POST",
         PERMISSIONS,
         "{\"ParentId\":\"$set$\",\"SobjectType\":\"Account\",\"Field\":\"Account.Site\","
         "\"PermissionsEdit\":true}",
         400,
         {"0.errorCode=FIELD_INTEGRITY_EXCEPTION"}})

static void wrong_definitions_are_refused(void **state)
{
    static const struct {
        const char *body, *code;
    } rows[] = {
        {"{}", "REQUIRED_FIELD_MISSING"},
        {TEXT("Contact.Sync_Id", ""), "INVALID_FIELD"},
        {TEXT("Contact.Sync__Id__c", ""), "INVALID_FIELD"},
        {TEXT("Contact.1__c", ""), "INVALID_FIELD"},
        {TEXT("Nothing.Sync_Id__c", ""), "INVALID_TYPE"},
        {TEXT("Task.Sync_Id__c", ""), "INVALID_TYPE"},
        {TEXT("Sync_Id__c", ""), "INVALID_TYPE"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Text\",\"label\":\"A\"}}",
         "FIELD_INTEGRITY_EXCEPTION"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Text\",\"length\":5}}",
         "REQUIRED_FIELD_MISSING"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Shape\",\"label\":\"A\"}}",
         "INVALID_FIELD"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Number\",\"label\":\"A\","
         "\"precision\":19,\"scale\":0}}",
         "FIELD_INTEGRITY_EXCEPTION"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Picklist\",\"label\":\"A\"}}",
         "FIELD_INTEGRITY_EXCEPTION"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Date\",\"label\":\"A\","
         "\"unique\":true}}",
         "FIELD_INTEGRITY_EXCEPTION"},
        {"{\"FullName\":\"Contact.A__c\",\"Metadata\":{\"type\":\"Lookup\",\"label\":\"A\","
         "\"referenceTo\":\"Nothing\"}}",
         "FIELD_INTEGRITY_EXCEPTION"},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *answer = json_array_get(
            journey_send(&journey, "POST", STR(FIELDS), str_of(rows[i].body), NULL), 0);

        if (journey.last.status != 400 ||
            !str_equal(jx_text_of(jx_get(answer, "errorCode")), str_of(rows[i].code))) {
            fail_msg("%s: got %d %s", rows[i].body, journey.last.status, journey.last.body.at);
        }
    }
    journey_send(&journey, "POST", STR(FIELDS), STR(TEXT("Contact.A__c", "")), NULL);
    journey_check(&journey,
                  journey_send(&journey, "POST", STR(FIELDS), STR(TEXT("Contact.a__c", "")), NULL),
                  "0.errorCode=DUPLICATE_DEVELOPER_NAME", "twice");
    journey_end(&journey);
}

JOURNEY(fields_have_the_types_of_their_definitions, PROFILE,
        {"POST", FIELDS,
         "{\"FullName\":\"Account.Score__c\",\"Metadata\":{\"type\":\"Number\",\"label\":\"Score\","
         "\"precision\":5,\"scale\":2}}",
         201},
        SHOW("Account", "Score__c"),
        {"POST", FIELDS,
         "{\"FullName\":\"Account.Plan__c\",\"Metadata\":{\"type\":\"Picklist\",\"label\":\"Plan\","
         "\"valueSet\":{\"restricted\":true,\"valueSetDefinition\":{\"value\":[{\"fullName\":"
         "\"Gold\",\"default\":false},{\"fullName\":\"Tin\",\"default\":false}]}}}}",
         201},
        SHOW("Account", "Plan__c"),
        {"POST", FIELDS,
         "{\"FullName\":\"Account.Boss__c\",\"Metadata\":{\"type\":\"Lookup\",\"label\":\"Boss\","
         "\"referenceTo\":\"Contact\",\"relationshipName\":\"Firms\"}}",
         201},
        SHOW("Account", "Boss__c"), MAKE("boss", "Contact", "{\"LastName\":\"Ito\"}"),
        MAKE("id", "Account",
             "{\"Name\":\"Quay\",\"Score__c\":12.345,\"Plan__c\":\"gold\",\"Boss__c\":\"$boss$\"}"),
        {"GET",
         Q("SELECT+Score__c,Plan__c,Boss__r.LastName+FROM+Account"),
         NULL,
         200,
         {"records.0.Score__c=12.34", "records.0.Plan__c=Gold", "records.0.Boss__r.LastName=Ito"}},
        {"GET",
         Q("SELECT+Id,(SELECT+Name+FROM+Firms__r)+FROM+Contact"),
         NULL,
         200,
         {"records.0.Firms__r.records.0.Name=Quay"}},
        {"PATCH",
         ACCOUNTS "/$id$",
         "{\"Plan__c\":\"Silver\"}",
         400,
         {"0.errorCode=INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}},
        {"PATCH",
         ACCOUNTS "/$id$",
         "{\"Score__c\":1000}",
         400,
         {"0.errorCode=NUMBER_OUTSIDE_VALID_RANGE"}},
        {"POST", FIELDS, TEXT("Activity.Sync_Id__c", KEY), 201}, SHOW("Task", "Sync_Id__c"),
        {"PATCH", ROWS "/Task/Sync_Id__c/t-1", "{\"Subject\":\"Call\"}", 201},
        {"GET", Q("SELECT+Sync_Id__c+FROM+Event"), NULL, 400})

JOURNEY(
    parents_are_named_by_their_external_id, PROFILE,
    {"POST", FIELDS, TEXT("Account.Sync_Id__c", KEY), 201}, SHOW("Account", "Sync_Id__c"),
    MAKE("firm", "Account", "{\"Name\":\"Quay\",\"Sync_Id__c\":\"a-1\"}"),
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"Account\":{\"Sync_Id__c\":\"a-1\"}}",
     201,
     {"success=true"},
     "id=id"},
    {"GET", CONTACTS "/$id$", NULL, 200, {"AccountId=$firm$"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"Account\":{\"Sync_Id__c\":\"a-2\"}}",
     400,
     {"0.errorCode=INVALID_FIELD",
      "0.message=Foreign key external ID: a-2 not found for field Sync_Id__c in entity Account"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"Account\":{\"Name\":\"Quay\"}}",
     400,
     {"0.errorCode=INVALID_FIELD"}})

JOURNEY(an_object_of_ones_own,
        {"POST",
         DATA "/tooling/sobjects/CustomObject",
         "{\"FullName\":\"Plan__c\",\"Metadata\":{\"label\":\"Plan\",\"pluralLabel\":\"Plans\","
         "\"nameField\":{\"type\":\"Text\",\"label\":\"Plan "
         "name\"},\"deploymentStatus\":\"Deployed\",\"sharingModel\":\"ReadWrite\"}}",
         201,
         {"id~01I"}},
        MAKE("plan", "Plan__c", "{\"Name\":\"Gold\"}"),
        {"GET", ROWS "/Plan__c/$plan$", NULL, 200, {"Name=Gold", "Id~a00"}},
        {"GET",
         ROWS "/Plan__c/describe",
         NULL,
         200,
         {"custom=true", "keyPrefix=a00", "labelPlural=Plans"}},
        {"POST",
         DATA "/tooling/sobjects/CustomObject",
         "{\"FullName\":\"Plan__c\",\"Metadata\":{\"label\":\"Plan\",\"pluralLabel\":\"Plans\","
         "\"nameField\":{\"type\":\"Text\",\"label\":\"x\"}}}",
         400,
         {"0.errorCode=DUPLICATE_DEVELOPER_NAME"}},
        {"POST", DATA "/tooling/sobjects/CustomObject",
         "{\"FullName\":\"Other__c\",\"Metadata\":{\"label\":\"Plan\"}}", 400})

JOURNEY_WITH(
    without_the_right_nothing_is_made, SETTINGS(.quirks = "no-customize"), PROFILE,
    {"POST", FIELDS, TEXT("Contact.Sync_Id__c", KEY), 403, {"0.errorCode=INSUFFICIENT_ACCESS"}},
    {"POST",
     PERMISSIONS,
     "{\"ParentId\":\"$set$\",\"SobjectType\":\"Account\",\"Field\":\"Account.Site\","
     "\"PermissionsRead\":true}",
     400,
     {"0.errorCode=INSUFFICIENT_ACCESS_OR_READONLY"}})

JOURNEY(describe_tells_what_is_there,
        {"GET",
         CONTACTS "/describe",
         NULL,
         200,
         {"name=Contact", "keyPrefix=003", "mergeable=true", "fields.0.name=Id",
          "fields.0.soapType=tns:ID", "fields.3.name=AccountId", "fields.3.referenceTo.0=Account",
          "fields.3.relationshipName=Account"}},
        {"GET",
         CONTACTS "/describe",
         NULL,
         200,
         {"fields.4.name=LastName", "fields.4.nillable=false", "fields.4.length=80",
          "fields.4.compoundFieldName=Name", "fields.4.createable=true",
          "recordTypeInfos.0.developerName=Standard", "recordTypeInfos.1.master=true"}},
        {"GET",
         ROWS,
         NULL,
         200,
         {"sobjects.0.name=Account", "sobjects.0.urls.describe=" ACCOUNTS "/describe"}},
        {"GET", ROWS "/CustomField/describe", NULL, 404})

JOURNEY(an_administrator_changes_the_settings,
        MAKE("deal", "Opportunity",
             "{\"Name\":\"Yard\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-12-31\"}"),
        {"POST", "/__sim/schema",
         "{\"object\":\"Opportunity\",\"property\":\"StageName\",\"change\":\"add_option\","
         "\"option\":\"Trial\"}",
         200},
        {"GET",
         Q("SELECT+COUNT()+FROM+OpportunityStage+WHERE+IsActive=true"),
         NULL,
         200,
         {"totalSize=11"}},
        {"POST", "/__sim/schema",
         "{\"object\":\"Opportunity\",\"property\":\"StageName\",\"change\":\"remove_option\","
         "\"option\":\"Trial\"}",
         200},
        {"GET",
         Q("SELECT+COUNT()+FROM+OpportunityStage+WHERE+IsActive=true"),
         NULL,
         200,
         {"totalSize=10"}},
        {"POST", "/__sim/schema",
         "{\"object\":\"Contact\",\"property\":\"Title\",\"change\":\"read_only\"}", 200},
        {"POST",
         CONTACTS,
         "{\"LastName\":\"A\",\"Title\":\"x\"}",
         400,
         {"0.errorCode=INVALID_FIELD_FOR_INSERT_UPDATE"}},
        {"POST", "/__sim/schema",
         "{\"object\":\"Contact\",\"property\":\"Title\",\"change\":\"writable\"}", 200},
        {"POST", CONTACTS, "{\"LastName\":\"A\",\"Title\":\"x\"}", 201},
        {"POST", "/__sim/schema",
         "{\"object\":\"Contact\",\"property\":\"Title\",\"change\":\"remove\"}", 200},
        {"GET", Q("SELECT+Title+FROM+Contact"), NULL, 400},
        {"POST", "/__sim/schema",
         "{\"object\":\"Contact\",\"property\":\"Title\",\"change\":\"restore\"}", 200},
        {"GET", Q("SELECT+Title+FROM+Contact"), NULL, 200, {"records.0.Title=x"}},
        {"POST", "/__sim/schema",
         "{\"object\":\"Contact\",\"property\":\"Title\",\"change\":\"type\",\"type\":\"int\"}",
         400},
        {"POST", "/__sim/schema",
         "{\"object\":\"Contact\",\"property\":\"Nope\",\"change\":\"remove\"}", 400})

/* --- what gets in the way ---------------------------------------------------------------------- */

JOURNEY(a_late_commit_has_an_early_stamp, {"POST", "/__sim/late", "{\"ms\":5000}", 200},
        {"POST",
         CONTACTS,
         "{\"LastName\":\"A\"}",
         201,
         {"success=true"},
         "id=id",
         .advance_ms = MINUTE_MS},
        {"GET", CONTACTS "/$id$", NULL, 200, {"SystemModstamp=2026-11-21T07:00:55.000+0000"}},
        {"POST", "/__sim/late", "{\"ms\":-1}", 400})

JOURNEY(locks_rules_and_crowds, MAKE("firm", "Account", "{\"Name\":\"Quay\"}"),
        {"POST", "/__sim/lock", "{\"id\":\"$firm$\",\"ms\":2000}", 200},
        {"PATCH",
         ACCOUNTS "/$firm$",
         "{\"Site\":\"x\"}",
         400,
         {"0.errorCode=UNABLE_TO_LOCK_ROW", "0.message~$firm$"}},
        {"POST",
         CONTACTS,
         "{\"LastName\":\"A\",\"AccountId\":\"$firm$\"}",
         400,
         {"0.errorCode=UNABLE_TO_LOCK_ROW"}},
        {"PATCH", ACCOUNTS "/$firm$", "{\"Site\":\"x\"}", 204, {0}, .advance_ms = 2000},
        {"POST", "/__sim/busy", "{\"ms\":1000}", 200},
        {"GET",
         DATA,
         NULL,
         403,
         {"0.errorCode=REQUEST_LIMIT_EXCEEDED", "0.message~ConcurrentRequests"}},
        {"GET", DATA, NULL, 200, {0}, .advance_ms = 1000},
        MAKE("id", "Contact", "{\"LastName\":\"A\",\"Email\":\"a@b.example\"}"),
        {"POST", "/__sim/duplicates", "{\"object\":\"Contact\",\"mode\":\"alert\"}", 200},
        {"POST",
         CONTACTS,
         "{\"LastName\":\"A\",\"Email\":\"A@b.example\"}",
         400,
         {"0.errorCode=DUPLICATES_DETECTED", "0.duplicateResut.allowSave=true",
          "0.duplicateResut.matchResults.0.matchRecords.0.record.Id=$id$", "0.fields!"}},
        {"PATCH", CONTACTS "/$id$", "{\"Email\":\"A@b.example\"}", 204},
        {"POST", "/__sim/duplicates", "{\"object\":\"Account\",\"mode\":\"alert\"}", 400},
        {"POST", "/__sim/duplicates", "{\"object\":\"Contact\",\"mode\":\"pass\"}", 200},
        {"POST", CONTACTS, "{\"LastName\":\"A\",\"Email\":\"A@b.example\"}", 201})

JOURNEY(
    a_lead_is_converted,
    MAKE("lead", "Lead",
         "{\"LastName\":\"Ortega\",\"Company\":\"Ortega "
         "SL\",\"Email\":\"pilar@ortega.example\",\"City\":\"Lugo\"}"),
    {"POST", "/__sim/convert", "{\"id\":\"$lead$\"}", 200, {"accountId~001"}, "contact=contactId"},
    {"GET",
     CONTACTS "/$contact$",
     NULL,
     200,
     {"LastName=Ortega", "MailingCity=Lugo", "Email=pilar@ortega.example"}},
    {"GET",
     ROWS "/Lead/$lead$",
     NULL,
     200,
     {"IsConverted=true", "ConvertedContactId=$contact$", "ConvertedOpportunityId~006",
      "ConvertedDate=2026-11-21", "Status=Closed - Converted"}},
    {"PATCH",
     ROWS "/Lead/$lead$",
     "{\"Title\":\"x\"}",
     400,
     {"0.errorCode=CANNOT_UPDATE_CONVERTED_LEAD"}},
    {"POST", "/__sim/convert", "{\"id\":\"$lead$\"}", 400},
    {"POST", "/__sim/convert", "{\"id\":\"$contact$\"}", 400})

JOURNEY(the_bin_is_emptied_and_activities_are_archived,
        MAKE("id", "Contact", "{\"LastName\":\"A\"}"),
        MAKE("old", "Contact", "{\"LastName\":\"B\"}"),
        {"POST", "/__sim/empty", "{\"id\":\"$id$\"}", 400}, {"DELETE", CONTACTS "/$id$", NULL, 204},
        {"DELETE", CONTACTS "/$old$", NULL, 204},
        {"POST", "/__sim/empty", "{\"id\":\"$id$\"}", 200},
        {"GET", DATA "/queryAll?q=SELECT+Id+FROM+Contact", NULL, 200, {"totalSize=1"}},
        {"DELETE", CONTACTS "/$id$", NULL, 404, {"0.errorCode=NOT_FOUND"}},
        {"GET",
         DATA "/queryAll?q=SELECT+Id+FROM+Contact",
         NULL,
         200,
         {"totalSize=0"},
         .advance_ms = 15 * DAY_MS},
        {"POST", "/__sim/restore", "{\"object\":\"Contact\",\"id\":\"$old$\"}", 400},
        MAKE("task", "Task", "{\"Subject\":\"Call\"}"),
        {"POST", "/__sim/archive", "{\"id\":\"$task$\"}", 200},
        {"GET", Q("SELECT+Id+FROM+Task"), NULL, 200, {"totalSize=0"}},
        {"GET",
         DATA "/queryAll?q=SELECT+Id+FROM+Task+WHERE+IsArchived=true",
         NULL,
         200,
         {"totalSize=1"}})

/* --- features ---------------------------------------------------------------------------------- */

#define DEAL(more)                                                                                 \
    "{\"Name\":\"Yard\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-12-31\"" more "}"

JOURNEY(
    one_currency_has_no_name,
    {"GET", Q("SELECT+CurrencyIsoCode+FROM+Opportunity"), NULL, 400, {"0.errorCode=INVALID_FIELD"}},
    {"GET", Q("SELECT+IsoCode+FROM+CurrencyType"), NULL, 400, {"0.errorCode=INVALID_TYPE"}},
    {"POST", ACCOUNTS, "{\"LastName\":\"A\"}", 400, {"0.errorCode=INVALID_FIELD"}})

JOURNEY_WITH(
    another_currency_converts_the_amount, SETTINGS(.quirks = "multi-currency"),
    {"GET",
     Q("SELECT+IsoCode,ConversionRate+FROM+CurrencyType+WHERE+IsActive=true+ORDER+BY+IsoCode"),
     NULL,
     200,
     {"totalSize=3", "records.2.ConversionRate=1.08"}},
    MAKE("deal", "Opportunity", DEAL(",\"Amount\":100")),
    {"GET", ROWS "/Opportunity/$deal$", NULL, 200, {"CurrencyIsoCode=EUR", "Amount=100.0"}},
    {"PATCH", ROWS "/Opportunity/$deal$", "{\"CurrencyIsoCode\":\"USD\"}", 204},
    {"GET",
     ROWS "/Opportunity/$deal$",
     NULL,
     200,
     {"CurrencyIsoCode=USD", "Amount=108.0", "ExpectedRevenue=10.8"}},
    {"PATCH", ROWS "/Opportunity/$deal$", "{\"CurrencyIsoCode\":\"GBP\",\"Amount\":7}", 204},
    {"GET", ROWS "/Opportunity/$deal$", NULL, 200, {"Amount=7.0"}},
    {"POST",
     ROWS "/Opportunity",
     DEAL(",\"CurrencyIsoCode\":\"XXX\""),
     400,
     {"0.errorCode=INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}})

JOURNEY_WITH(
    countries_are_those_of_the_list, SETTINGS(.quirks = "state-picklists"),
    MAKE("id", "Contact",
         "{\"LastName\":\"A\",\"MailingCountryCode\":\"US\",\"MailingState\":\"texas\"}"),
    {"GET",
     CONTACTS "/$id$",
     NULL,
     200,
     {"MailingCountry=United States", "MailingState=Texas", "MailingStateCode=TX",
      "MailingAddress.stateCode=TX", "MailingAddress.countryCode=US"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"MailingCountry\":\"Atlantis\"}",
     400,
     {"0.errorCode=FIELD_INTEGRITY_EXCEPTION", "0.message~There's a problem with this country"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"MailingState\":\"Texas\"}",
     400,
     {"0.message~A country/territory must be specified"}},
    {"POST",
     CONTACTS,
     "{\"LastName\":\"A\",\"MailingState\":\"Bavaria\",\"MailingCountry\":\"Germany\"}",
     400,
     {"0.message~There's a problem with this state"}},
    {"PATCH", CONTACTS "/$id$", "{\"MailingState\":null}", 204},
    {"GET", CONTACTS "/$id$", NULL, 200, {"MailingStateCode=null", "MailingCountryCode=US"}})

JOURNEY_WITH(
    a_person_account_has_two_halves, SETTINGS(.quirks = "person-accounts"),
    MAKE("firm", "Account", "{\"Name\":\"Quay\"}"),
    {"GET", ACCOUNTS "/$firm$", NULL, 200, {"IsPersonAccount=false", "PersonContactId=null"}},
    MAKE("id", "Account",
         "{\"FirstName\":\"Mei\",\"LastName\":\"Ito\",\"PersonEmail\":\"mei@x.example\"}"),
    {"GET",
     ACCOUNTS "/$id$",
     NULL,
     200,
     {"Name=Mei Ito", "IsPersonAccount=true"},
     "half=PersonContactId"},
    {"GET",
     CONTACTS "/$half$",
     NULL,
     200,
     {"Name=Mei Ito", "Email=mei@x.example", "AccountId=$id$", "IsPersonAccount=true"}},
    {"PATCH",
     CONTACTS "/$half$",
     "{\"Title\":\"Head\",\"LastName\":\"Ek\"}",
     204,
     {0},
     .advance_ms = MINUTE_MS},
    {"GET",
     ACCOUNTS "/$id$",
     NULL,
     200,
     {"Name=Mei Ek", "PersonTitle=Head", "SystemModstamp=2026-11-21T07:01:00.000+0000"}},
    {"PATCH",
     ACCOUNTS "/$id$",
     "{\"PersonMailingCity\":\"Nice\"}",
     204,
     {0},
     .advance_ms = MINUTE_MS},
    {"GET",
     CONTACTS "/$half$",
     NULL,
     200,
     {"MailingCity=Nice", "SystemModstamp=2026-11-21T07:02:00.000+0000"}},
    {"PATCH",
     ACCOUNTS "/$id$",
     "{\"Name\":\"x\"}",
     400,
     {"0.errorCode=INVALID_FIELD_FOR_INSERT_UPDATE"}},
    {"PATCH",
     ACCOUNTS "/$firm$",
     "{\"PersonTitle\":\"x\"}",
     400,
     {"0.errorCode=INVALID_FIELD_FOR_INSERT_UPDATE"}},
    {"PATCH", CONTACTS "/$half$", "{\"AccountId\":\"$firm$\"}", 400},
    {"DELETE", CONTACTS "/$half$", NULL, 400, {"0.errorCode=INSUFFICIENT_ACCESS_OR_READONLY"}},
    {"DELETE", ACCOUNTS "/$id$", NULL, 204}, {"GET", CONTACTS "/$half$", NULL, 404})

/* --- content ----------------------------------------------------------------------------------- */

JOURNEY_WITH(a_new_account_has_content, SETTINGS(.records = 50, .deals = 10, .activities = 8),
             {"GET", Q("SELECT+COUNT()+FROM+Contact"), NULL, 200, {"totalSize=50"}},
             {"GET", Q("SELECT+COUNT()+FROM+Opportunity"), NULL, 200, {"totalSize=10"}},
             {"GET", Q("SELECT+COUNT()+FROM+Task"), NULL, 200, {"totalSize=6"}},
             {"GET", Q("SELECT+COUNT()+FROM+Event"), NULL, 200, {"totalSize=2"}},
             {"GET",
              Q("SELECT+COUNT()+FROM+Contact+WHERE+AccountId!=null+AND+Account.Name!=null+AND+"
                "CreatedDate>2024-11-20T00:00:00Z"),
              NULL, 200},
             {"GET", Q("SELECT+COUNT()+FROM+Contact+WHERE+Tier__c!=null"), NULL, 200},
             {"GET",
              Q("SELECT+COUNT()+FROM+OpportunityContactRole+WHERE+IsPrimary=true"),
              NULL,
              200,
              {"totalSize=10"}})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_field_is_hidden_until_somebody_may_see_it),
        cmocka_unit_test(a_permission_set_of_ones_own_has_to_be_assigned),
        cmocka_unit_test(wrong_definitions_are_refused),
        cmocka_unit_test(fields_have_the_types_of_their_definitions),
        cmocka_unit_test(parents_are_named_by_their_external_id),
        cmocka_unit_test(an_object_of_ones_own),
        cmocka_unit_test(without_the_right_nothing_is_made),
        cmocka_unit_test(describe_tells_what_is_there),
        cmocka_unit_test(an_administrator_changes_the_settings),
        cmocka_unit_test(a_late_commit_has_an_early_stamp),
        cmocka_unit_test(locks_rules_and_crowds),
        cmocka_unit_test(a_lead_is_converted),
        cmocka_unit_test(the_bin_is_emptied_and_activities_are_archived),
        cmocka_unit_test(one_currency_has_no_name),
        cmocka_unit_test(another_currency_converts_the_amount),
        cmocka_unit_test(countries_are_those_of_the_list),
        cmocka_unit_test(a_person_account_has_two_halves),
        cmocka_unit_test(a_new_account_has_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
