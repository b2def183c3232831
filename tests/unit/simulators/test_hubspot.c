/* The HubSpot simulator against its reference, section by section. Each journey begins with an empty account. */
#include "tests/unit/simulators/hubspot_journey.h"

#include <time.h>

/* Section 1: both naming schemes, types by name and number, unknown ones. */
JOURNEY(dated_and_legacy_paths_reach_the_same_object,
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"Ada@Harbor.example\",\"firstname\":\"Ada\"}}",
         201,
         {"properties.email=ada@harbor.example", "properties.hs_object_source=INTEGRATION",
          "properties.hs_object_source_id=9001", "archived=false", "url~/record/0-1/"},
         .save = "ada=id"},
        {"GET", "/crm/objects/2026-09/contacts/$ada$", NULL, 200, {"id=$ada$"}, .advance_ms = 0},
        {"GET", "/crm/v3/objects/0-1/$ada$", NULL, 200, {"properties.firstname=Ada"}},
        {"GET",
         "/crm/objects/2026-03/contact/$ada$?properties=email",
         NULL,
         200,
         {"properties.email=ada@harbor.example", "properties.firstname!",
          "properties.createdate~2026-11-21T07:00:00"}},
        {"GET",
         "/crm/v3/objects/butterflies",
         NULL,
         400,
         {"message=Unable to infer object type from: butterflies", "category!"}},
        {"GET",
         CONTACTS "/$ada$?properties=phone&properties=firstname",
         NULL,
         200,
         {"properties.phone=null", "properties.firstname=Ada", "properties.email!"}},
        {"GET", "/crm/objects/contacts", NULL, 404, {"message=resource not found"}},
        {"GET",
         "/crm/v3/nothing/here",
         NULL,
         404,
         {"message=resource not found", "correlationId~-4"}}, )

/* Section 2: tokens. */
JOURNEY(
    only_the_accounts_token_is_accepted,
    {"GET", CONTACTS, NULL, 401, {"category=INVALID_AUTHENTICATION"}, .token = ""},
    {"GET", CONTACTS, NULL, 401, {"category=INVALID_AUTHENTICATION"}, .token = "somebody-elses"},
    {"GET",
     CONTACTS,
     NULL,
     401,
     {"category=EXPIRED_AUTHENTICATION"},
     .token = "simulated-hubspot-token.expired"},
    {"GET",
     CONTACTS,
     NULL,
     200,
     {"results#0", "paging!"},
     .token = "simulated-hubspot-token.readonly"},
    {"POST",
     CONTACTS "/search",
     "{}",
     200,
     {"total=0"},
     .token = "simulated-hubspot-token.readonly"},
    {"POST",
     CONTACTS,
     "{\"properties\":{}}",
     403,
     {"category=MISSING_SCOPES",
      "errors.0.context.requiredGranularScopes.0=crm.objects.contacts.write"},
     .token = "simulated-hubspot-token.readonly"},
    {"GET", "/account-info/v3/details", NULL, 200, {"portalId=4242", "timeZone=US/Eastern"}}, )

/* Section 3: null, "", absent; unknown and read-only properties; what moves last-modified. */
JOURNEY(null_changes_nothing_and_an_empty_text_clears,
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"a@x.example\",\"phone\":\"12\",\"city\":\"Oslo\"}}",
         201,
         {"properties.lastname=null"},
         .save = "id=id"},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"phone\":null,\"city\":\"\"}}",
         200,
         {"properties.city="},
         .advance_ms = 1000},
        {"GET",
         CONTACTS "/$id$?properties=phone,city,state",
         NULL,
         200,
         {"properties.phone=12", "properties.city=", "properties.state=null",
          "updatedAt=2026-11-21T07:00:01.000Z", "createdAt=2026-11-21T07:00:00.000Z"}},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"phone\":null}}",
         200,
         {"updatedAt=2026-11-21T07:00:01.000Z"},
         .advance_ms = 1000},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"favrite_color\":\"red\",\"createdate\":\"1\",\"seats\":\"x\"}}",
         400,
         {"category=VALIDATION_ERROR",
          "message~Property values were not valid: [{\"isValid\":false",
          "errors.0.code=PROPERTY_DOESNT_EXIST", "errors.0.context.propertyName.0=favrite_color",
          "errors.1.code=READ_ONLY_VALUE"}},
        {"DELETE", CONTACTS "/$id$", NULL, 204, {NULL}, .advance_ms = 5000},
        {"GET",
         CONTACTS "/$id$?archived=true",
         NULL,
         200,
         {"archived=true", "archivedAt=2026-11-21T07:00:07.000Z",
          "updatedAt=2026-11-21T07:00:01.000Z"}}, )

/* Section 4: list. */
JOURNEY(
    list_pages_by_id_and_says_so,
    {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"1\"}}", 201, {NULL}, .save = "one=id"},
    {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"2\"}}", 201, {NULL}, .save = "two=id"},
    {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"3\"}}", 201, {NULL}, .save = "three=id"},
    {"GET",
     CONTACTS "?limit=2&properties=firstname",
     NULL,
     200,
     {"results#2", "results.1.properties.firstname=2", "paging.next.link~limit=2"},
     .save = "after=paging.next.after"},
    {"GET",
     CONTACTS "?limit=2&after=$after$",
     NULL,
     200,
     {"results#1", "results.0.properties.firstname=3", "paging!"}},
    {"DELETE", CONTACTS "/$two$", NULL, 204, {NULL}}, {"GET", CONTACTS, NULL, 200, {"results#2"}},
    {"GET",
     CONTACTS "?archived=true",
     NULL,
     200,
     {"results#1", "results.0.properties.firstname=2"}},
    {"GET", CONTACTS "?limit=101", NULL, 400, {"category=VALIDATION_ERROR"}},
    {"GET", CONTACTS "?limit=51&propertiesWithHistory=firstname", NULL, 400, {"message~1 and 50"}},
    {"GET", CONTACTS "?after=soon", NULL, 400, {"message~Cannot deserialize value of type"}},
    {"GET",
     CONTACTS "/$two$",
     NULL,
     404,
     {"category=OBJECT_NOT_FOUND", "message=Object not found.  objectId are usually numeric."}},
    {"GET", CONTACTS "/abc", NULL, 404, {"context.id.0=abc"}}, )

/* Section 5: batches. */
JOURNEY(
    batch_create_is_all_or_nothing_without_trace_ids,
    {"POST",
     CONTACTS,
     "{\"properties\":{\"email\":\"ada@x.example\"}}",
     201,
     {NULL},
     .save = "ada=id"},
    {"POST",
     CONTACTS "/batch/create",
     "{\"inputs\":[{\"properties\":{\"email\":\"new@x.example\"}},{\"properties\":{\"email\":\"ADA@"
     "x.example\"}}]}",
     409,
     {"message~Contact already exists. Existing ID: ", "category=CONFLICT", "context!"}},
    {"GET", CONTACTS, NULL, 200, {"results#1"}},
    {"POST",
     CONTACTS "/batch/create",
     "{\"inputs\":[{\"objectWriteTraceId\":\"op-1\",\"properties\":{\"email\":\"new@x.example\"}},"
     "{\"objectWriteTraceId\":\"op-2\",\"properties\":{\"email\":\"ADA@x.example\"}},"
     "{\"objectWriteTraceId\":\"op-3\",\"properties\":{\"email\":\"nonsense\"}}]}",
     207,
     {"status=COMPLETE", "results#1", "results.0.objectWriteTraceId=op-1", "numErrors=2",
      "errors.0.context.objectWriteTraceId.0=op-2", "errors.0.category=CONFLICT",
      "errors.1.context.objectWriteTraceId.0=op-3", "errors.1.message~INVALID_EMAIL"},
     .save = "existing=errors.0.context.existingId.0"},
    {"GET", CONTACTS "/$existing$", NULL, 200, {"properties.email=ada@x.example"}},
    {"POST",
     CONTACTS "/batch/create",
     "{\"inputs\":[{\"properties\":{\"email\":\"twin@x.example\"}},{\"properties\":{\"email\":"
     "\"twin@x.example\"}}]}",
     409,
     {"category=CONFLICT"}},
    {"POST",
     CONTACTS "/batch/create",
     "{\"inputs\":[{\"properties\":{\"email\":\"solo@x.example\"}}]}",
     201,
     {"results#1", "numErrors!", "startedAt~2026"}}, )

JOURNEY(batch_update_needs_distinct_known_ids,
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"ada@x.example\"}}",
         201,
         {NULL},
         .save = "ada=id"},
        {"POST",
         CONTACTS "/batch/update",
         "{\"inputs\":[{\"id\":\"$ada$\",\"properties\":{\"city\":\"A\"}},{\"id\":\"$ada$\","
         "\"properties\":{\"city\":\"B\"}}]}",
         400,
         {"message~Duplicate IDs found in batch input: [", "context.ids#1"}},
        {"POST",
         CONTACTS "/batch/update",
         "{\"inputs\":[{\"id\":\"$ada$\",\"properties\":{\"city\":\"A\"}},{\"id\":\"999\","
         "\"properties\":{\"city\":\"B\"}}]}",
         207,
         {"results#1", "results.0.properties.city=A", "errors.0.category=OBJECT_NOT_FOUND",
          "errors.0.context.ids.0=999"}},
        {"POST",
         CONTACTS "/batch/update",
         "{\"inputs\":[{\"id\":\"ada@x.example\",\"idProperty\":\"email\",\"properties\":{\"city\":"
         "\"C\"}}]}",
         400,
         {"message=Unable to perform update/upsert by non-unique 0-1 property email"}},
        {"POST",
         CONTACTS "/batch/read",
         "{\"properties\":[\"city\"],\"inputs\":[{\"id\":\"$ada$\"},{\"id\":\"999999\"}]}",
         207,
         {"results#1", "results.0.properties.city=A", "numErrors=1",
          "errors.0.context.ids.0=999999", "errors.0.message~Could not get some CONTACT objects"}},
        {"POST",
         CONTACTS "/batch/read",
         "{\"idProperty\":\"email\",\"inputs\":[{\"id\":\"Ada@x.example\"}]}",
         200,
         {"results#1"}},
        {"POST",
         CONTACTS "/batch/archive",
         "{\"inputs\":[{\"id\":\"$ada$\"},{\"id\":\"5\"}]}",
         204,
         {NULL}},
        {"POST",
         CONTACTS "/batch/read?archived=true",
         "{\"inputs\":[{\"id\":\"$ada$\"}]}",
         200,
         {"results.0.archived=true"}}, )

JOURNEY(
    batch_upsert_goes_by_a_unique_property,
    {"POST",
     "/crm/v3/properties/companies",
     "{\"name\":\"sync_key\",\"label\":\"Key\",\"groupName\":\"companyinformation\",\"type\":"
     "\"string\","
     "\"fieldType\":\"text\",\"hasUniqueValue\":true}",
     201,
     {"hasUniqueValue=true", "hubspotDefined=false", "modificationMetadata.readOnlyValue=false"}},
    {"POST",
     COMPANIES "/batch/upsert",
     "{\"inputs\":[{\"id\":\"k1\",\"idProperty\":\"sync_key\",\"objectWriteTraceId\":\"t1\","
     "\"properties\":"
     "{\"sync_key\":\"k1\",\"name\":\"One\"}}]}",
     200,
     {"results.0.new=true", "results.0.properties.sync_key=k1", "results.0.objectWriteTraceId=t1"},
     .save = "one=results.0.id"},
    {"POST",
     COMPANIES "/batch/upsert",
     "{\"inputs\":[{\"id\":\"k1\",\"idProperty\":\"sync_key\",\"properties\":{\"name\":\"Uno\"}},"
     "{\"id\":\"k2\",\"idProperty\":\"sync_key\",\"properties\":{\"name\":\"Dos\"}}]}",
     200,
     {"results#2", "results.0.new=false", "results.0.properties.name=Uno", "results.1.new=true"}},
    {"GET",
     COMPANIES "/k2?idProperty=sync_key&properties=name,sync_key",
     NULL,
     200,
     {"properties.name=Dos", "properties.sync_key=k2"}},
    {"POST",
     COMPANIES "/batch/upsert",
     "{\"inputs\":[{\"id\":\"x.example\",\"idProperty\":\"domain\",\"properties\":{\"name\":\"No\"}"
     "}]}",
     400,
     {"message~non-unique 0-2 property domain"}},
    {"POST",
     COMPANIES,
     "{\"properties\":{\"sync_key\":\"k2\"}}",
     409,
     {"message~Company already exists. Existing ID: "}},
    {"POST", COMPANIES, "{\"properties\":{\"domain\":\"x.example\"}}", 201, {NULL}},
    {"POST", COMPANIES, "{\"properties\":{\"domain\":\"x.example\"}}", 201, {NULL}}, )

/* Section 8. */
JOURNEY(
    history_is_newest_first_and_names_who,
    {"POST", CONTACTS, "{\"properties\":{\"jobtitle\":\"Rigger\"}}", 201, {NULL}, .save = "id=id"},
    {"POST",
     "/__sim/edit",
     "{\"object\":\"contacts\",\"id\":\"$id$\",\"set\":{\"jobtitle\":\"\"},\"by\":\"import\"}",
     200,
     {NULL},
     .advance_ms = 1000},
    {"POST",
     "/__sim/edit",
     "{\"object\":\"contacts\",\"id\":\"$id$\",\"set\":{\"jobtitle\":\"Chief\"}}",
     200,
     {NULL},
     .advance_ms = 1000},
    {"GET",
     CONTACTS "/$id$?propertiesWithHistory=jobtitle",
     NULL,
     200,
     {"propertiesWithHistory.jobtitle#3", "propertiesWithHistory.jobtitle.0.value=Chief",
      "propertiesWithHistory.jobtitle.0.sourceType=CRM_UI",
      "propertiesWithHistory.jobtitle.0.sourceId=userId:77",
      "propertiesWithHistory.jobtitle.0.timestamp=2026-11-21T07:00:02.000Z",
      "propertiesWithHistory.jobtitle.1.value=",
      "propertiesWithHistory.jobtitle.1.sourceType=IMPORT",
      "propertiesWithHistory.jobtitle.2.sourceType=INTEGRATION"}},
    {"POST",
     CONTACTS "/batch/read",
     "{\"propertiesWithHistory\":[\"jobtitle\"],\"inputs\":[{\"id\":\"$id$\"}]}",
     200,
     {"results.0.propertiesWithHistory.jobtitle.0.updatedByUserId=77"}}, )

/* Section 9. */
#define COMPANY_OF(id) "/crm/v4/objects/contacts/" id "/associations/"
JOURNEY(
    associations_have_both_directions_and_one_primary,
    {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"Ada\"}}", 201, {NULL}, .save = "ada=id"},
    {"POST", COMPANIES, "{\"properties\":{\"name\":\"One\"}}", 201, {NULL}, .save = "one=id"},
    {"POST", COMPANIES, "{\"properties\":{\"name\":\"Two\"}}", 201, {NULL}, .save = "two=id"},
    {"PUT",
     COMPANY_OF("$ada$") "default/companies/$one$",
     NULL,
     200,
     {"results#2", "results.0.associationSpec.associationTypeId=279"}},
    {"PUT", COMPANY_OF("$ada$") "default/companies/$two$", NULL, 200, {NULL}},
    {"GET",
     COMPANY_OF("$ada$") "companies",
     NULL,
     200,
     {"results#2", "results.0.associationTypes#2", "results.0.associationTypes.0.typeId=1",
      "results.0.associationTypes.0.label=Primary", "results.0.associationTypes.1.typeId=279",
      "results.1.associationTypes#1"}},
    {"GET",
     "/crm/objects/2026-09/companies/$one$/associations/contacts",
     NULL,
     200,
     {"results#1", "results.0.associationTypes.0.typeId=2",
      "results.0.associationTypes.1.typeId=280"}},
    {"PUT",
     COMPANY_OF("$ada$") "companies/$two$",
     "[{\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":1}]",
     201,
     {"labels.0=Primary", "fromObjectTypeId=0-1"}},
    {"GET",
     CONTACTS "/$ada$?properties=associatedcompanyid&associations=companies",
     NULL,
     200,
     {"properties.associatedcompanyid=$two$", "associations.companies.results#3",
      "associations.companies.results.0.type=contact_to_company_unlabeled"}},
    {"GET",
     COMPANIES "/$one$?properties=num_associated_contacts",
     NULL,
     200,
     {"properties.num_associated_contacts=1", "updatedAt=2026-11-21T07:00:00.000Z"}},
    {"GET",
     COMPANY_OF("$ada$") "companies?limit=1",
     NULL,
     200,
     {"results#1", "paging.next.after~"},
     .save = "after=paging.next.after"},
    {"GET",
     COMPANY_OF("$ada$") "companies?limit=1&after=$after$",
     NULL,
     200,
     {"results#1", "paging!"}},
    {"DELETE", COMPANY_OF("$ada$") "companies/$one$", NULL, 204, {NULL}},
    {"POST",
     "/crm/v4/associations/contacts/companies/batch/read",
     "{\"inputs\":[{\"id\":\"$ada$\"},{\"id\":\"503\"}]}",
     207,
     {"results#1", "results.0.to#1", "numErrors=1",
      "errors.0.subCategory=crm.associations.NO_ASSOCIATIONS_FOUND",
      "errors.0.message=No company is associated with contact 503."}},
    {"PUT", COMPANY_OF("$ada$") "default/companies/12", NULL, 404, {NULL}}, )

JOURNEY(associations_in_batches_and_labels,
        {"POST", COMPANIES, "{\"properties\":{\"name\":\"One\"}}", 201, {NULL}, .save = "one=id"},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"firstname\":\"Ada\"},\"associations\":[{\"to\":{\"id\":\"$one$\"},"
         "\"types\":"
         "[{\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":279}]}]}",
         201,
         {NULL},
         .save = "ada=id"},
        {"GET", COMPANY_OF("$ada$") "companies", NULL, 200, {"results#1"}},
        {"POST",
         "/crm/v4/associations/contacts/companies/labels",
         "{\"label\":\"Buyer\",\"name\":\"buyer\"}",
         200,
         {"results.0.label=Buyer", "results.0.category=USER_DEFINED"},
         .save = "buyer=results.0.typeId"},
        {"GET", "/crm/associations/2026-09/contacts/companies/labels", NULL, 200, {"results#3"}},
        {"POST",
         "/crm/associations/2026-09/contacts/companies/batch/create",
         "{\"inputs\":[{\"from\":{\"id\":\"$ada$\"},\"to\":{\"id\":\"$one$\"},\"types\":[{"
         "\"associationCategory\":\"USER_DEFINED\","
         "\"associationTypeId\":$buyer$}]}]}",
         201,
         {"results.0.labels.0=Buyer"}},
        {"GET", COMPANY_OF("$ada$") "companies", NULL, 200, {"results.0.associationTypes#3"}},
        {"POST",
         "/crm/v4/associations/contacts/companies/batch/labels/archive",
         "{\"inputs\":[{\"from\":{\"id\":\"$ada$\"},\"to\":{\"id\":\"$one$\"},\"types\":[{"
         "\"associationCategory\":\"USER_DEFINED\","
         "\"associationTypeId\":$buyer$}]}]}",
         204,
         {NULL}},
        {"GET", COMPANY_OF("$ada$") "companies", NULL, 200, {"results.0.associationTypes#2"}},
        {"POST",
         "/crm/v4/associations/contacts/companies/batch/archive",
         "{\"inputs\":[{\"from\":{\"id\":\"$ada$\"},\"to\":[{\"id\":\"$one$\"}]}]}",
         204,
         {NULL}},
        {"GET", COMPANY_OF("$ada$") "companies", NULL, 200, {"results#0"}},
        {"POST",
         "/crm/v4/associations/contacts/companies/batch/associate/default",
         "{\"inputs\":[{\"from\":{\"id\":\"$ada$\"},\"to\":{\"id\":\"$one$\"}},{\"from\":{\"id\":"
         "\"$ada$\"},\"to\":{\"id\":\"9\"}}]}",
         207,
         {"results#1", "errors.0.subCategory=crm.associations.INVALID_IDENTIFIER"}},
        {"POST",
         CONTACTS,
         "{\"properties\":{},\"associations\":[{\"to\":{\"id\":\"12\"},\"types\":[{"
         "\"associationTypeId\":279}]}]}",
         400,
         {NULL}}, )

/* Section 10. */
JOURNEY(activities_need_a_time_and_ignore_unknown_properties,
        {"POST",
         "/crm/v3/objects/notes",
         "{\"properties\":{\"hs_note_body\":\"x\"}}",
         400,
         {"message~hs_timestamp"}},
        {"POST",
         "/crm/v3/objects/notes",
         "{\"properties\":{\"hs_note_body\":\"<p>x</"
         "p>\",\"hs_timestamp\":\"1795244400000\",\"nonsense\":\"1\"}}",
         201,
         {"properties.hs_timestamp=2026-11-21T07:00:00.000Z", "properties.hs_createdate~2026"}},
        {"POST",
         "/crm/v3/objects/tasks",
         "{\"properties\":{\"hs_timestamp\":\"2026-12-01T10:00:00Z\",\"hs_task_status\":\"DONE\"}}",
         400,
         {"errors.0.code=INVALID_OPTION"}}, )

/* Sections 11 and 12. */
JOURNEY(owners_and_pipelines_are_listed,
        {"GET",
         "/crm/v3/owners/?limit=2",
         NULL,
         200,
         {"results#2", "results.0.id=30100", "paging.next.after~"},
         .save = "after=paging.next.after"},
        {"GET", "/crm/v3/owners?limit=2&after=$after$", NULL, 200, {"results#1", "paging!"}},
        {"GET",
         "/crm/v3/owners?archived=true",
         NULL,
         200,
         {"results#1", "results.0.userId=null", "results.0.userIdIncludingInactive=51"}},
        {"GET", "/crm/v3/owners/77?idProperty=userId", NULL, 200, {"id=30100"}},
        {"GET", "/crm/v3/owners?email=REMI.SAND@crm.example", NULL, 200, {"results#1"}},
        {"GET",
         "/crm/v3/pipelines/deals",
         NULL,
         200,
         {"results.0.id=default", "results.0.stages#7",
          "results.0.stages.5.metadata.probability=1.0"}},
        {"GET",
         "/crm/pipelines/2026-03/tickets/0/stages",
         NULL,
         200,
         {"results#4", "results.3.metadata.ticketState=CLOSED"}},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"hubspot_owner_id\":\"1\"}}",
         400,
         {"errors.0.code=INVALID_OPTION"}},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"hubspot_owner_id\":\"30055\"}}",
         201,
         {"properties.hubspot_owner_id=30055"}}, )

/* Section 14. */
JOURNEY(
    deleting_restoring_and_erasing,
    {"POST",
     CONTACTS,
     "{\"properties\":{\"email\":\"a@x.example\",\"firstname\":\"Ada\"}}",
     201,
     {NULL},
     .save = "id=id"},
    {"DELETE", CONTACTS "/$id$", NULL, 204, {NULL}},
    {"DELETE", CONTACTS "/$id$", NULL, 204, {NULL}},
    {"PATCH", CONTACTS "/$id$", "{\"properties\":{\"city\":\"x\"}}", 404, {NULL}},
    {"POST",
     "/__sim/restore",
     "{\"object\":\"contacts\",\"id\":\"$id$\"}",
     200,
     {NULL},
     .advance_ms = 1000},
    {"GET", CONTACTS "/$id$", NULL, 200, {"archived=false", "updatedAt=2026-11-21T07:00:01.000Z"}},
    {"DELETE", CONTACTS "/$id$", NULL, 204, {NULL}},
    {"POST",
     CONTACTS,
     "{\"properties\":{\"email\":\"a@x.example\"}}",
     201,
     {NULL},
     .save = "second=id"},
    {"POST",
     "/__sim/restore",
     "{\"object\":\"contacts\",\"id\":\"$id$\"}",
     400,
     {"error~unique value"}},
    {"POST",
     CONTACTS "/gdpr-delete",
     "{\"objectId\":\"a@x.example\",\"idProperty\":\"email\"}",
     204,
     {NULL}},
    {"GET", CONTACTS "/$second$?archived=true", NULL, 404, {NULL}},
    {"POST",
     "/__sim/edit",
     "{\"object\":\"contacts\",\"set\":{\"email\":\"a@x.example\"}}",
     400,
     {"error~erased"}},
    {"POST", CONTACTS, "{\"properties\":{\"email\":\"a@x.example\"}}", 201, {NULL}}, )

/* Section 15. */
JOURNEY(
    merge_makes_a_new_id_and_both_old_ones_lead_to_it,
    {"POST", COMPANIES, "{\"properties\":{\"name\":\"One\"}}", 201, {NULL}, .save = "one=id"},
    {"POST",
     CONTACTS,
     "{\"properties\":{\"email\":\"a@x.example\",\"firstname\":\"Ada\"}}",
     201,
     {NULL},
     .save = "a=id"},
    {"POST",
     CONTACTS,
     "{\"properties\":{\"email\":\"b@x.example\",\"firstname\":\"Bea\",\"phone\":\"12\"}}",
     201,
     {NULL},
     .save = "b=id"},
    {"PUT", COMPANY_OF("$b$") "default/companies/$one$", NULL, 200, {NULL}},
    {"POST",
     CONTACTS "/merge",
     "{\"primaryObjectId\":\"$a$\",\"objectIdToMerge\":\"$b$\"}",
     200,
     {"properties.email=a@x.example", "properties.firstname=Ada",
      "properties.hs_merged_object_ids=$a$;$b$"},
     .save = "c=id",
     .advance_ms = 1000},
    {"GET", CONTACTS "/$a$", NULL, 200, {"id=$c$"}},
    {"GET",
     CONTACTS "/$b$?properties=phone,hs_additional_emails",
     NULL,
     200,
     {"id=$c$", "properties.phone=12", "properties.hs_additional_emails=b@x.example"}},
    {"GET", CONTACTS, NULL, 200, {"results#1"}},
    {"GET", CONTACTS "?archived=true", NULL, 200, {"results#0"}},
    {"GET",
     COMPANY_OF("$c$") "companies",
     NULL,
     200,
     {"results#1", "results.0.associationTypes.0.typeId=1"}},
    {"PATCH", CONTACTS "/$b$", "{\"properties\":{\"city\":\"Oslo\"}}", 200, {"id=$c$"}},
    {"POST",
     CONTACTS "/batch/update",
     "{\"inputs\":[{\"id\":\"$b$\",\"properties\":{\"city\":\"Rome\"}}]}",
     207,
     {"results#0", "errors.0.category=OBJECT_NOT_FOUND"}},
    {"POST", CONTACTS "/batch/read", "{\"inputs\":[{\"id\":\"$b$\"}]}", 200, {"results.0.id=$c$"}},
    {"POST", CONTACTS, "{\"properties\":{\"email\":\"b@x.example\"}}", 409, {NULL}},
    {"POST",
     CONTACTS "/merge",
     "{\"primaryObjectId\":\"$a$\",\"objectIdToMerge\":\"$b$\"}",
     400,
     {"message~itself"}},
    {"POST", CONTACTS "/merge", "{\"primaryObjectId\":\"$a$\"}", 400, {NULL}},
    {"GET",
     "/__sim/state/contacts",
     NULL,
     200,
     {"records#3", "records.0.merged_into=$c$", "records.2.fields.city=Oslo"}}, )

/* /__sim. */
JOURNEY(
    calls_are_counted_by_template,
    {"POST",
     CONTACTS,
     "{\"properties\":{\"email\":\"a@x.example\"}}",
     201,
     {NULL},
     .save = "id=id"},
    {"GET", CONTACTS "/$id$", NULL, 200, {NULL}},
    {"GET", "/crm/objects/2026-09/contacts/$id$", NULL, 200, {NULL}},
    {"GET", CONTACTS "/a%40x.example?idProperty=email", NULL, 200, {NULL}},
    {"GET",
     "/__sim/stats",
     NULL,
     200,
     {"calls.GET /crm/{version}/objects/contacts/{id}=2",
      "calls.GET /crm/objects/{version}/contacts/{id}=1",
      "calls.POST /crm/{version}/objects/contacts=1", "calls_total=4", "writes=1", "throttled=0",
      "faults=0"},
     .token = ""},
    {"POST", "/__sim/stats/reset", NULL, 200, {NULL}},
    {"GET", "/__sim/stats", NULL, 200, {"calls_total=0", "writes=0"}},
    {"POST", "/__sim/advance", "{\"ms\":60000}", 200, {NULL}},
    {"POST", CONTACTS, "{\"properties\":{}}", 201, {"createdAt=2026-11-21T07:01:00.000Z"}},
    {"POST", "/__sim/advance", "{\"ms\":\"x\"}", 400, {"error~ms"}},
    {"POST",
     "/__sim/edit",
     "{\"object\":\"contacts\",\"set\":{\"nothing\":\"1\"}}",
     400,
     {"error~does not exist"}},
    {"POST", "/__sim/edit", "{\"object\":\"butterflies\",\"set\":{}}", 400, {"error~butterflies"}},
    {"POST",
     "/__sim/delete",
     "{\"object\":\"contacts\",\"id\":\"12\"}",
     400,
     {"error~no live record"}},
    {"POST", "/__sim/nothing", "{}", 404, {NULL}},
    {"GET", "/__sim/state/butterflies", NULL, 404, {NULL}}, )

JOURNEY(people_change_things_beside_the_api,
        {"POST",
         "/__sim/edit",
         "{\"object\":\"contacts\",\"set\":{\"email\":\"a@x.example\"}}",
         200,
         {NULL},
         .save = "a=id"},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"contacts\",\"set\":{\"email\":\"b@x.example\"}}",
         200,
         {NULL},
         .save = "b=id"},
        {"GET",
         CONTACTS "/$a$?properties=hs_object_source,hs_object_source_id",
         NULL,
         200,
         {"properties.hs_object_source=CRM_UI", "properties.hs_object_source_id=userId:77"}},
        {"POST",
         "/__sim/merge",
         "{\"object\":\"contacts\",\"into\":\"$a$\",\"from\":\"$b$\"}",
         200,
         {NULL},
         .save = "c=id"},
        {"GET", CONTACTS "/$b$", NULL, 200, {"id=$c$"}},
        {"POST", "/__sim/delete", "{\"object\":\"contacts\",\"id\":\"$c$\"}", 200, {NULL}},
        {"GET", CONTACTS "/$c$", NULL, 404, {NULL}},
        {"GET", "/__sim/stats", NULL, 200, {"writes=0"}}, )

/* The made-up account: as large as asked for, the same for the same seed, and cheap to list. */
static struct str whole_state(struct journey *journey, const struct simulator_options *options)
{
    journey_begin(journey, simulator_hubspot_new, options);
    journey_send(journey, "GET", STR("/__sim/state/contacts"), STR(""), NULL);
    return journey->last.body;
}

static void the_same_seed_gives_the_same_account(void **state)
{
    struct journey one, two, other;
    struct str first = whole_state(&one, &(struct simulator_options){.seed = 5, .records = 200});
    struct str second = whole_state(&two, &(struct simulator_options){.seed = 5, .records = 200});
    struct str third = whole_state(&other, &(struct simulator_options){.seed = 6, .records = 200});

    (void)state;
    assert_true(str_equal(first, second));
    assert_false(str_equal(first, third));
    journey_end(&one);
    journey_end(&two);
    journey_end(&other);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_large_account_is_listed_completely(void **state)
{
    static const char path[] =
        CONTACTS "?limit=100&associations=companies&properties=email,firstname,lastname,phone,"
                 "address,city,zip,lifecyclestage,company,hubspot_owner_id";
    struct journey journey;
    struct str url = str_of(path), after, cursor;
    size_t records = 0, pages = 0, linked = 0;
    double began;

    (void)state;
    journey_begin(&journey, simulator_hubspot_new,
                  &(struct simulator_options){.seed = 3, .records = 20000, .no_limits = true});
    began = seconds();
    for (bool has_more = true; has_more; pages++) {
        struct http_request request = {.url = url};

        http_header_add(&request.headers, STR("Authorization"),
                        arena_printf(&journey.arena, "Bearer %s", simulator_token(journey.sim)));
        http_response_fini(&journey.last);
        journey.last = (struct http_response){0};
        simulator_handle(journey.sim, &request, &journey.last);
        after = str_slice(journey.last.body,
                          journey.last.body.len > 200 ? journey.last.body.len - 200 : 0,
                          journey.last.body.len);
        has_more = str_contains(after, STR("&after="));
        for (const char *at = journey.last.body.at; (at = strstr(at, "\"createdAt\"")); at++) {
            records++;
        }
        linked += str_contains(journey.last.body, STR("contact_to_company_unlabeled"));
        if (has_more) {
            after = str_of(strstr(after.at, "&after=") + 7);
            cursor = str_cut(&after, '"');
            url = arena_printf(&journey.arena, "%s&after=%" PRI_STR, path, STR_ARG(cursor));
        }
    }
    print_message("page of 100: %.0f us\n", (seconds() - began) / (double)pages * 1e6);
    assert_int_equal(records, 20000);
    assert_int_equal(pages, 200);
    assert_true(linked == pages);
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dated_and_legacy_paths_reach_the_same_object),
        cmocka_unit_test(only_the_accounts_token_is_accepted),
        cmocka_unit_test(null_changes_nothing_and_an_empty_text_clears),
        cmocka_unit_test(list_pages_by_id_and_says_so),
        cmocka_unit_test(batch_create_is_all_or_nothing_without_trace_ids),
        cmocka_unit_test(batch_update_needs_distinct_known_ids),
        cmocka_unit_test(batch_upsert_goes_by_a_unique_property),
        cmocka_unit_test(history_is_newest_first_and_names_who),
        cmocka_unit_test(associations_have_both_directions_and_one_primary),
        cmocka_unit_test(associations_in_batches_and_labels),
        cmocka_unit_test(activities_need_a_time_and_ignore_unknown_properties),
        cmocka_unit_test(owners_and_pipelines_are_listed),
        cmocka_unit_test(deleting_restoring_and_erasing),
        cmocka_unit_test(merge_makes_a_new_id_and_both_old_ones_lead_to_it),
        cmocka_unit_test(calls_are_counted_by_template),
        cmocka_unit_test(people_change_things_beside_the_api),
        cmocka_unit_test(the_same_seed_gives_the_same_account),
        cmocka_unit_test(a_large_account_is_listed_completely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
