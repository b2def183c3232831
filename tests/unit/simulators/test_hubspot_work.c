/* Deals, tickets, activities, owners, pipelines, custom objects and their properties in the HubSpot simulator. */
#include "tests/unit/simulators/journey.h"

#define DEALS "/crm/v3/objects/deals"
#define TICKETS "/crm/v3/objects/tickets"

static void walk(const struct step *steps, size_t count)
{
    struct journey journey;

    journey_begin(&journey, simulator_hubspot_new, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, steps, count);
    journey_end(&journey);
}

#define JOURNEY(name, ...)                                                                         \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        (void)state;                                                                               \
        walk(steps, COUNT_OF(steps));                                                              \
    }

/* --- deals, tickets, pipelines --------------------------------------------------------------------- */

JOURNEY(a_stage_belongs_to_its_pipeline,
        {"POST",
         DEALS,
         "{\"properties\":{\"dealname\":\"Boat\",\"dealstage\":\"contractsent\"}}",
         201,
         {"properties.pipeline=default", "properties.dealstage=contractsent"},
         .save = "d=id"},
        {"PATCH",
         DEALS "/$d$",
         "{\"properties\":{\"dealstage\":\"4\"}}",
         400,
         {"message~INVALID_OPTION"}},
        {"POST",
         "/__sim/schema",
         "{\"object\":\"deals\",\"property\":\"pipeline\",\"change\":\"add_option\",\"option\":"
         "\"77\",\"label\":\"Rentals\"}",
         200,
         {NULL}},
        {"POST",
         "/__sim/schema",
         "{\"object\":\"deals\",\"property\":\"dealstage\",\"change\":\"add_option\",\"option\":"
         "\"771\",\"label\":\"Asked\",\"to\":\"77\"}",
         200,
         {NULL}},
        {"PATCH",
         DEALS "/$d$",
         "{\"properties\":{\"dealstage\":\"771\"}}",
         400,
         {"message~Stage 771 does not belong to pipeline default"}},
        {"PATCH",
         DEALS "/$d$",
         "{\"properties\":{\"pipeline\":\"77\"}}",
         400,
         {"message~Stage contractsent does not belong to pipeline 77"}},
        {"PATCH",
         DEALS "/$d$",
         "{\"properties\":{\"pipeline\":\"77\",\"dealstage\":\"771\"}}",
         200,
         {"properties.dealstage=771"}},
        {"POST",
         DEALS "/batch/create",
         "{\"inputs\":[{\"objectWriteTraceId\":\"1\",\"properties\":{\"dealname\":\"a\","
         "\"dealstage\":\"771\"}},"
         "{\"objectWriteTraceId\":\"2\",\"properties\":{\"dealname\":\"b\",\"dealstage\":\"771\","
         "\"pipeline\":\"77\"}}]}",
         207,
         {"results#1", "errors#1", "errors.0.context.objectWriteTraceId.0=1"}},
        {"GET",
         "/crm/pipelines/2026-09/deals",
         NULL,
         200,
         {"results#2", "results.1.label=Rentals", "results.1.stages.0.id=771",
          "results.1.stages.0.metadata.isClosed=false"}},
        {"GET",
         "/crm/v3/pipelines/deals/77/stages/771",
         NULL,
         200,
         {"label=Asked", "metadata.probability=0.5"}},
        {"GET", "/crm/v3/pipelines/deals/78", NULL, 404, {NULL}},
        {"GET", "/crm/v3/pipelines/contacts", NULL, 404, {NULL}}, )

JOURNEY(
    stages_are_renamed_moved_and_removed,
    {"POST",
     DEALS,
     "{\"properties\":{\"dealname\":\"Boat\",\"dealstage\":\"contractsent\"}}",
     201,
     {NULL},
     .save = "d=id"},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"dealstage\",\"change\":\"rename_option\",\"option\":"
     "\"contractsent\",\"label\":\"Signed\"}",
     200,
     {NULL}},
    {"GET", "/crm/v3/pipelines/deals/default/stages/contractsent", NULL, 200, {"label=Signed"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"pipeline\",\"change\":\"add_option\",\"option\":\"77\"}",
     200,
     {NULL}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"dealstage\",\"change\":\"move_option\",\"option\":"
     "\"contractsent\",\"to\":\"77\"}",
     200,
     {NULL}},
    {"GET", DEALS "/$d$", NULL, 200, {"properties.pipeline=77"}},
    {"GET", "/crm/v3/pipelines/deals/77", NULL, 200, {"stages#1", "label=77"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"dealstage\",\"change\":\"remove_option\",\"option\":"
     "\"contractsent\"}",
     200,
     {NULL}},
    {"GET", DEALS "/$d$", NULL, 200, {"properties.dealstage=contractsent"}},
    {"PATCH", DEALS "/$d$", "{\"properties\":{\"dealname\":\"Ship\"}}", 200, {NULL}},
    {"POST",
     DEALS,
     "{\"properties\":{\"dealname\":\"x\",\"dealstage\":\"contractsent\"}}",
     400,
     {"message~not one of the allowed options"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"dealstage\",\"change\":\"remove_option\",\"option\":"
     "\"contractsent\"}",
     400,
     {"error~no such stage"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"tickets\",\"property\":\"hs_pipeline\",\"change\":\"remove_option\",\"option\":"
     "\"0\"}",
     200,
     {NULL}},
    {"GET", "/crm/v3/pipelines/tickets", NULL, 200, {"results#0"}}, )

JOURNEY(
    a_deals_stage_says_whether_it_is_closed,
    {"POST",
     DEALS,
     "{\"properties\":{\"dealname\":\"Boat\",\"dealstage\":\"closedwon\",\"amount\":\"12.50\"}}",
     201,
     {NULL},
     .save = "d=id"},
    {"GET",
     DEALS "/$d$?properties=hs_is_closed,hs_is_closed_won,hs_deal_stage_probability",
     NULL,
     200,
     {"properties.hs_is_closed=true", "properties.hs_is_closed_won=true",
      "properties.hs_deal_stage_probability=1.0"}},
    {"PATCH",
     DEALS "/$d$",
     "{\"properties\":{\"dealstage\":\"qualifiedtobuy\"}}",
     200,
     {NULL},
     .advance_ms = 1000},
    {"GET",
     DEALS "/$d$?propertiesWithHistory=dealstage,hs_is_closed&properties=dealname",
     NULL,
     200,
     {"propertiesWithHistory.dealstage#2", "propertiesWithHistory.dealstage.0.value=qualifiedtobuy",
      "propertiesWithHistory.dealstage.0.sourceType=INTEGRATION",
      "propertiesWithHistory.hs_is_closed.0.value=false",
      "propertiesWithHistory.hs_is_closed.0.sourceType=CALCULATED"}},
    {"PATCH",
     DEALS "/$d$",
     "{\"properties\":{\"hs_is_closed\":\"true\"}}",
     400,
     {"message~READ_ONLY_VALUE"}},
    {"GET", "/crm/v3/properties/deals/dealstage", NULL, 200, {"options#0", "externalOptions=true"}},
    {"GET",
     "/crm/v3/properties/deals/pipeline",
     NULL,
     200,
     {"options#1", "options.0.value=default"}}, )

JOURNEY(tickets_need_a_stage,
        {"POST",
         TICKETS,
         "{\"properties\":{\"subject\":\"Leak\"}}",
         400,
         {"message~[hs_pipeline_stage]"}},
        {"POST",
         TICKETS,
         "{\"properties\":{\"subject\":\"Leak\",\"hs_pipeline_stage\":\"1\",\"hs_ticket_priority\":"
         "\"HIGH\"}}",
         201,
         {"properties.hs_pipeline=0"},
         .save = "t=id"},
        {"PATCH",
         TICKETS "/$t$",
         "{\"properties\":{\"hs_ticket_priority\":\"high\"}}",
         400,
         {"message~INVALID_OPTION"}},
        {"PATCH",
         TICKETS "/$t$",
         "{\"properties\":{\"hs_pipeline_stage\":\"closedwon\"}}",
         400,
         {NULL}},
        {"GET",
         "/crm/v3/pipelines/tickets/0",
         NULL,
         200,
         {"stages#4", "stages.3.metadata.ticketState=CLOSED", "stages.3.metadata.isClosed=true"}}, )

/* --- custom objects -------------------------------------------------------------------------------- */

#define SCHEMAS "/crm-object-schemas/2026-09/schemas"
#define MAKE_BERTH                                                                                 \
    "{\"name\":\"berth\",\"labels\":{\"singular\":\"Berth\",\"plural\":\"Berths\"},"               \
    "\"primaryDisplayProperty\":\"berth_name\",\"requiredProperties\":[\"berth_name\"],"           \
    "\"searchableProperties\":[\"berth_name\"],\"properties\":["                                   \
    "{\"name\":\"berth_name\",\"label\":\"Name\"},"                                                \
    "{\"name\":\"berth_key\",\"label\":\"Key\",\"type\":\"string\",\"fieldType\":\"text\","        \
    "\"hasUniqueValue\":true},"                                                                    \
    "{\"name\":\"length\",\"label\":\"Length\",\"type\":\"number\",\"fieldType\":\"number\"}],"    \
    "\"associatedObjects\":[\"CONTACT\",\"0-2\"]}"

JOURNEY(an_account_defines_objects_of_its_own, {"GET", "/crm/v3/schemas", NULL, 200, {"results#0"}},
        {"POST",
         SCHEMAS,
         MAKE_BERTH,
         201,
         {"name=berth", "fullyQualifiedName=p4242_berth", "objectTypeId~2-34",
          "labels.plural=Berths", "requiredProperties.0=berth_name", "associations#14"},
         .save = "type=objectTypeId"},
        {"POST", SCHEMAS, MAKE_BERTH, 409, {"category=OBJECT_ALREADY_EXISTS"}},
        {"GET", "/crm/v3/schemas", NULL, 200, {"results#1"}},
        {"GET", "/crm-object-schemas/v3/schemas/p_berth", NULL, 200, {"objectTypeId=$type$"}},
        {"GET",
         "/crm/v3/properties/$type$/length",
         NULL,
         200,
         {"type=number", "groupName=berth_information"}},
        {"POST",
         "/crm/v3/objects/p_berth",
         "{\"properties\":{\"length\":\"12\"}}",
         400,
         {"message~[berth_name]"}},
        {"POST",
         "/crm/objects/2026-09/p_berth",
         "{\"properties\":{\"berth_name\":\"A1\",\"berth_key\":\"k1\",\"length\":\"12\"}}",
         201,
         {"properties.length=12"},
         .save = "b=id"},
        {"POST",
         "/crm/v3/objects/p_berth/batch/upsert",
         "{\"inputs\":[{\"id\":\"k1\",\"idProperty\":\"berth_key\",\"properties\":{\"length\":"
         "\"14\"}}]}",
         200,
         {"results.0.new=false", "results.0.id=$b$"}},
        {"GET",
         "/crm/v3/objects/$type$/$b$?properties=length",
         NULL,
         200,
         {"properties.length=14", "properties.hs_createdate~2026"}},
        {"GET", "/crm/objects/2026-09/p4242_berth/$b$", NULL, 200, {"id=$b$"}},
        {"POST",
         "/crm/v3/objects/p_berth/search",
         "{\"filterGroups\":[{\"filters\":[{\"propertyName\":\"berth_key\",\"operator\":\"EQ\","
         "\"value\":\"k1\"}]}]}",
         200,
         {"total=1"}},
        {"POST",
         "/crm/v3/objects/contacts",
         "{\"properties\":{\"email\":\"a@x.example\"}}",
         201,
         {NULL},
         .save = "a=id"},
        {"POST",
         "/crm/v4/associations/p_berth/contacts/batch/associate/default",
         "{\"inputs\":[{\"from\":{\"id\":\"$b$\"},\"to\":{\"id\":\"$a$\"}}]}",
         200,
         {NULL}},
        {"GET",
         "/crm/v3/objects/contacts/$a$?associations=p_berth",
         NULL,
         200,
         {"associations.p4242_berth.results.0.id=$b$"}},
        {"GET",
         "/crm/v4/objects/contacts/$a$/associations/$type$",
         NULL,
         200,
         {"results#1", "results.0.toObjectId=$b$"}},
        {"PUT", "/crm/v4/objects/p_berth/$b$/associations/default/deals/1", NULL, 404, {NULL}},
        {"DELETE", SCHEMAS "/$type$", NULL, 400, {"message~has records"}},
        {"DELETE", "/crm/v3/objects/p_berth/$b$", NULL, 204, {NULL}},
        {"DELETE", SCHEMAS "/$type$", NULL, 204, {NULL}},
        {"GET", "/crm/v3/objects/p_berth", NULL, 400, {"message~Unable to infer object type"}}, )

JOURNEY(a_wrong_schema_leaves_nothing_behind,
        {"POST",
         SCHEMAS,
         "{\"name\":\"ship\",\"labels\":{},\"requiredProperties\":[\"nothing\"],\"properties\":[{"
         "\"name\":\"a\",\"label\":\"A\"}]}",
         400,
         {"message~requiredProperties"}},
        {"POST",
         SCHEMAS,
         "{\"name\":\"ship\",\"labels\":{},\"requiredProperties\":[\"a\"],\"properties\":[{"
         "\"name\":\"a\"}]}",
         400,
         {"message~label"}},
        {"POST",
         SCHEMAS,
         "{\"name\":\"9ship\",\"labels\":{},\"requiredProperties\":[\"a\"],\"properties\":[{"
         "\"name\":\"a\",\"label\":\"A\"}]}",
         400,
         {NULL}},
        {"POST",
         SCHEMAS,
         "{\"name\":\"ship\",\"labels\":{},\"requiredProperties\":[\"a\"],\"properties\":[{"
         "\"name\":\"a\",\"label\":\"A\"}],"
         "\"associatedObjects\":[\"SEA\"]}",
         400,
         {NULL}},
        {"GET", SCHEMAS, NULL, 200, {"results#0"}},
        {"POST",
         SCHEMAS,
         "{\"name\":\"ship\",\"labels\":{},\"requiredProperties\":[\"a\"],\"properties\":[{"
         "\"name\":\"a\",\"label\":\"A\"}]}",
         201,
         {NULL}},
        {"POST",
         SCHEMAS "/p_ship/associations",
         "{\"toObjectTypeId\":\"0-3\"}",
         201,
         {"name=ship_to_deal"}}, )

/* --- properties ------------------------------------------------------------------------------------ */

#define PROPERTIES "/crm/properties/2026-09/deals"

JOURNEY(properties_and_their_groups_are_made,
        {"POST",
         PROPERTIES,
         "{\"name\":\"tide\",\"label\":\"Tide\",\"type\":\"enumeration\",\"fieldType\":\"select\","
         "\"groupName\":\"sea\",\"options\":[]}",
         400,
         {"message~group"}},
        {"POST", PROPERTIES "/groups", "{\"name\":\"sea\",\"label\":\"Sea\"}", 201, {"name=sea"}},
        {"POST",
         PROPERTIES "/groups",
         "{\"name\":\"sea\",\"label\":\"Sea\"}",
         409,
         {"category=OBJECT_ALREADY_EXISTS"}},
        {"GET", PROPERTIES "/groups", NULL, 200, {"results#2"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"tide\",\"label\":\"Tide\",\"type\":\"enumeration\",\"fieldType\":\"select\","
         "\"groupName\":\"sea\",\"options\":[]}",
         400,
         {"message~needs options"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"tide\",\"label\":\"Tide\",\"type\":\"enumeration\",\"fieldType\":\"select\","
         "\"groupName\":\"sea\","
         "\"options\":[{\"label\":\"Low\",\"value\":\"low\"},{\"label\":\"Low "
         "again\",\"value\":\"low\"}]}",
         400,
         {"message~no other one has"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"tide\",\"label\":\"Tide\",\"type\":\"enumeration\",\"fieldType\":\"select\","
         "\"groupName\":\"sea\",\"options\":[{\"value\":\"low\"}]}",
         400,
         {"message~needs a label"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"wet\",\"label\":\"Wet\",\"type\":\"bool\",\"fieldType\":\"booleancheckbox\","
         "\"groupName\":\"sea\"}",
         400,
         {"message~true and false"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"tide\",\"label\":\"Tide\",\"type\":\"enumeration\",\"fieldType\":\"select\","
         "\"groupName\":\"sea\","
         "\"options\":[{\"label\":\"Low\",\"value\":\"low\"}]}",
         201,
         {"options#1", "groupName=sea"}},
        {"POST",
         DEALS,
         "{\"properties\":{\"dealname\":\"a\",\"tide\":\"high\"}}",
         400,
         {"message~INVALID_OPTION"}},
        {"PATCH",
         PROPERTIES "/tide",
         "{\"options\":[{\"label\":\"Low\",\"value\":\"low\"},{\"label\":\"High\",\"value\":"
         "\"high\"}]}",
         200,
         {"options#2"}},
        {"POST", DEALS, "{\"properties\":{\"dealname\":\"a\",\"tide\":\"high\"}}", 201, {NULL}},
        {"DELETE", PROPERTIES "/tide", NULL, 204, {NULL}},
        {"POST",
         DEALS,
         "{\"properties\":{\"dealname\":\"a\",\"tide\":\"high\"}}",
         400,
         {"message~PROPERTY_DOESNT_EXIST"}}, )

#define UNIQUE(name, group)                                                                        \
    "{\"name\":\"" name                                                                            \
    "\",\"label\":\"U\",\"type\":\"string\",\"fieldType\":\"text\",\"groupName\":\"" group         \
    "\",\"hasUniqueValue\":true}"
#define DEAL_KEY(name) UNIQUE(name, "dealinformation")
#define NINE                                                                                       \
    DEAL_KEY("a")                                                                                  \
    "," DEAL_KEY("b") "," DEAL_KEY("c") "," DEAL_KEY("d") "," DEAL_KEY("e") "," DEAL_KEY(          \
        "f") "," DEAL_KEY("g") "," DEAL_KEY("h") "," DEAL_KEY("i")

JOURNEY(ten_properties_of_an_object_are_unique_at_most,
        {"POST",
         PROPERTIES "/batch/create",
         "{\"inputs\":[" NINE "," DEAL_KEY("j") "," DEAL_KEY("k") "]}",
         400,
         {"message~at most 10"}},
        {"POST",
         PROPERTIES "/batch/create",
         "{\"inputs\":[" NINE "," DEAL_KEY("a") "]}",
         400,
         {"message~one name"}},
        {"POST",
         PROPERTIES "/batch/create",
         "{\"inputs\":[" NINE "," DEAL_KEY("j") "]}",
         201,
         {"results#10"}},
        {"POST", PROPERTIES, DEAL_KEY("k"), 400, {"message~at most 10"}},
        {"DELETE", PROPERTIES "/j", NULL, 204, {NULL}},
        {"POST", PROPERTIES, DEAL_KEY("k"), 201, {"hasUniqueValue=true"}},
        {"POST",
         "/crm/v3/properties/notes",
         UNIQUE("k", "engagement"),
         400,
         {"message~cannot have unique"}}, )

JOURNEY(
    a_schema_drifts,
    {"POST",
     DEALS,
     "{\"properties\":{\"dealname\":\"Boat\",\"dealtype\":\"newbusiness\",\"description\":\"d\"}}",
     201,
     {NULL},
     .save = "d=id"},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"description\",\"change\":\"remove\"}",
     200,
     {NULL}},
    {"GET",
     DEALS "/$d$?properties=description,dealtype",
     NULL,
     200,
     {"properties.description!", "properties.dealtype=newbusiness"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"description\",\"change\":\"restore\"}",
     200,
     {NULL}},
    {"GET", DEALS "/$d$?properties=description", NULL, 200, {"properties.description=d"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"dealtype\",\"change\":\"remove_option\",\"option\":"
     "\"newbusiness\"}",
     200,
     {NULL}},
    {"GET", "/crm/v3/properties/deals/dealtype", NULL, 200, {"options#1"}},
    {"PATCH", DEALS "/$d$", "{\"properties\":{\"dealtype\":\"newbusiness\"}}", 400, {NULL}},
    {"GET", DEALS "/$d$?properties=dealtype", NULL, 200, {"properties.dealtype=newbusiness"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"amount\",\"change\":\"type\",\"type\":\"string\"}",
     200,
     {NULL}},
    {"GET", "/crm/v3/properties/deals/amount", NULL, 200, {"type=string", "fieldType=text"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"amount\",\"change\":\"read_only\"}",
     200,
     {NULL}},
    {"GET",
     "/crm/v3/properties/deals/amount",
     NULL,
     200,
     {"modificationMetadata.readOnlyValue=true"}},
    {"PATCH",
     DEALS "/$d$",
     "{\"properties\":{\"amount\":\"5\"}}",
     400,
     {"message~READ_ONLY_VALUE"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"amount\",\"change\":\"twist\"}",
     400,
     {"error~change is"}},
    {"POST",
     "/__sim/schema",
     "{\"object\":\"deals\",\"property\":\"nothing\",\"change\":\"remove\"}",
     400,
     {"error~nothing"}}, )

/* --- activities and associations ------------------------------------------------------------------- */

#define CONTACTS "/crm/v3/objects/contacts"
#define COMPANIES "/crm/v3/objects/companies"
#define PERSON(email) "{\"properties\":{\"email\":\"" email "\"}}"

JOURNEY(emails_need_a_direction_too,
        {"POST",
         "/crm/v3/objects/emails",
         "{\"properties\":{\"hs_email_subject\":\"Hi\"}}",
         400,
         {"message~[hs_timestamp, hs_email_direction]"}},
        {"POST",
         "/crm/v3/objects/emails",
         "{\"properties\":{\"hs_email_subject\":\"Hi\",\"hs_timestamp\":\"2026-11-21T08:00:00Z\"}}",
         400,
         {"message~[hs_email_direction]"}},
        {"POST",
         "/crm/v3/objects/emails",
         "{\"properties\":{\"hs_timestamp\":\"2026-11-21T08:00:00Z\",\"hs_email_direction\":"
         "\"EMAIL\"}}",
         201,
         {NULL}}, )

JOURNEY(a_deal_has_many_contacts_and_keeps_them_in_a_merge,
        {"POST", CONTACTS, PERSON("a@x.example"), 201, {NULL}, .save = "a=id"},
        {"POST", CONTACTS, PERSON("b@x.example"), 201, {NULL}, .save = "b=id"},
        {"POST", COMPANIES, "{\"properties\":{\"name\":\"X\"}}", 201, {NULL}, .save = "x=id"},
        {"POST", COMPANIES, "{\"properties\":{\"name\":\"Y\"}}", 201, {NULL}, .save = "y=id"},
        {"POST",
         DEALS,
         "{\"properties\":{\"dealname\":\"1\",\"amount\":\"5\"}}",
         201,
         {NULL},
         .save = "one=id"},
        {"POST",
         DEALS,
         "{\"properties\":{\"dealname\":\"2\",\"description\":\"d\"}}",
         201,
         {NULL},
         .save = "two=id"},
        {"POST",
         "/crm/v3/objects/notes",
         "{\"properties\":{\"hs_timestamp\":\"2026-11-21T08:00:00Z\",\"hs_note_body\":\"n\"}}",
         201,
         {NULL},
         .save = "n=id"},
        {"POST",
         "/crm/v4/associations/deals/contacts/batch/create",
         "{\"inputs\":[{\"from\":{\"id\":\"$one$\"},\"to\":{\"id\":\"$a$\"},\"types\":[{"
         "\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":3}]},"
         "{\"from\":{\"id\":\"$one$\"},\"to\":{\"id\":\"$b$\"},\"types\":[{\"associationCategory\":"
         "\"HUBSPOT_DEFINED\",\"associationTypeId\":3}]},"
         "{\"from\":{\"id\":\"$two$\"},\"to\":{\"id\":\"$b$\"},\"types\":[{\"associationCategory\":"
         "\"HUBSPOT_DEFINED\",\"associationTypeId\":3}]}]}",
         201,
         {"results#3"}},
        {"POST",
         "/crm/v4/associations/deals/companies/batch/associate/default",
         "{\"inputs\":[{\"from\":{\"id\":\"$one$\"},\"to\":{\"id\":\"$x$\"}},{\"from\":{\"id\":\"$"
         "two$\"},\"to\":{\"id\":\"$y$\"}}]}",
         200,
         {NULL}},
        {"POST",
         "/crm/v4/associations/notes/deals/batch/associate/default",
         "{\"inputs\":[{\"from\":{\"id\":\"$n$\"},\"to\":{\"id\":\"$two$\"}}]}",
         200,
         {NULL}},
        {"POST",
         "/crm/v4/associations/deals/contacts/batch/read",
         "{\"inputs\":[{\"id\":\"$one$\"},{\"id\":\"$two$\"}]}",
         200,
         {"results.0.to#2", "results.1.to#1"}},
        {"GET",
         DEALS "/$one$?properties=num_associated_contacts",
         NULL,
         200,
         {"properties.num_associated_contacts=2"}},
        {"POST",
         DEALS "/merge",
         "{\"primaryObjectId\":\"$one$\",\"objectIdToMerge\":\"$two$\"}",
         200,
         {NULL},
         .save = "m=id"},
        {"GET",
         DEALS "/$two$?properties=dealname,amount,description",
         NULL,
         200,
         {"id=$m$", "properties.dealname=1", "properties.description=d", "properties.amount=5"}},
        {"GET", "/crm/v4/objects/deals/$m$/associations/contacts", NULL, 200, {"results#2"}},
        {"GET",
         "/crm/v4/objects/deals/$m$/associations/companies",
         NULL,
         200,
         {"results#2", "results.0.toObjectId=$x$", "results.0.associationTypes#2",
          "results.1.associationTypes#1"}},
        {"GET", "/crm/v4/objects/deals/$m$/associations/notes", NULL, 200, {"results#1"}},
        {"POST",
         COMPANIES "/merge",
         "{\"primaryObjectId\":\"$y$\",\"objectIdToMerge\":\"$x$\"}",
         200,
         {NULL},
         .save = "c=id"},
        {"GET",
         "/crm/v4/objects/deals/$m$/associations/companies",
         NULL,
         200,
         {"results#1", "results.0.toObjectId=$c$", "results.0.associationTypes#2"}},
        {"POST",
         CONTACTS "/merge",
         "{\"primaryObjectId\":\"$a$\",\"objectIdToMerge\":\"$b$\"}",
         200,
         {NULL},
         .save = "p=id"},
        {"GET",
         "/crm/v4/objects/deals/$m$/associations/contacts",
         NULL,
         200,
         {"results#1", "results.0.toObjectId=$p$"}},
        {"POST",
         "/crm/v4/associations/deals/contacts/batch/archive",
         "{\"inputs\":[{\"from\":{\"id\":\"$m$\"},\"to\":[{\"id\":\"$p$\"}]}]}",
         204,
         {NULL}},
        {"GET", "/crm/v4/objects/contacts/$p$/associations/deals", NULL, 200, {"results#0"}}, )

JOURNEY(companies_have_histories,
        {"POST", COMPANIES, "{\"properties\":{\"name\":\"X\"}}", 201, {NULL}, .save = "x=id"},
        {"PATCH",
         COMPANIES "/$x$",
         "{\"properties\":{\"name\":\"Y\"}}",
         200,
         {NULL},
         .advance_ms = 5000},
        {"POST",
         COMPANIES "/batch/read",
         "{\"propertiesWithHistory\":[\"name\"],\"inputs\":[{\"id\":\"$x$\"}]}",
         200,
         {"results.0.propertiesWithHistory.name#2",
          "results.0.propertiesWithHistory.name.0.value=Y",
          "results.0.propertiesWithHistory.name.0.timestamp=2026-11-21T07:00:05.000Z"}}, )

JOURNEY(a_person_links_records_in_the_pages,
        {"POST", CONTACTS, PERSON("a@x.example"), 201, {NULL}, .save = "a=id"},
        {"POST", CONTACTS, PERSON("b@x.example"), 201, {NULL}, .save = "b=id"},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"set\":{\"dealname\":\"1\",\"associations.contacts\":[\"$a$\"]}}",
         200,
         {NULL},
         .save = "d=id"},
        {"GET",
         "/crm/v4/objects/deals/$d$/associations/contacts",
         NULL,
         200,
         {"results#1", "results.0.toObjectId=$a$"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"$d$\",\"set\":{\"associations.contacts\":[\"$b$\"]}}",
         200,
         {NULL}},
        {"GET",
         "/crm/v4/objects/deals/$d$/associations/contacts",
         NULL,
         200,
         {"results#1", "results.0.toObjectId=$b$"}},
        {"GET", "/crm/v4/objects/contacts/$a$/associations/deals", NULL, 200, {"results#0"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"$d$\",\"set\":{\"associations.contacts\":[\"1\"]}}",
         400,
         {"error~contacts"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"$d$\",\"set\":{\"associations.ships\":[]}}",
         400,
         {"error~ships"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"$d$\",\"set\":{\"associations.contacts\":[]}}",
         200,
         {NULL}},
        {"GET", "/crm/v4/objects/deals/$d$/associations/contacts", NULL, 200, {"results#0"}},
        {"GET", "/__sim/stats", NULL, 200, {"writes=2"}}, )

JOURNEY(owners_answer_under_the_dated_path,
        {"GET",
         "/crm/owners/2026-09?limit=100",
         NULL,
         200,
         {"results#3", "results.0.email=remi.sand@crm.example"}},
        {"GET",
         "/crm/owners/2026-09?archived=true",
         NULL,
         200,
         {"results#1", "results.0.archived=true", "results.0.userId=null"}},
        {"GET", "/crm/owners/2026-09/30101", NULL, 200, {"firstName=Inès"}}, )

/* --- what a new account holds ---------------------------------------------------------------------- */

static json_t *records_of(struct journey *journey, const char *plural)
{
    json_t *tree = journey_send(
        journey, "GET", arena_printf(&journey->arena, "/__sim/state/%s", plural), STR(""), NULL);

    return json_object_get(tree, "records");
}

static size_t links_to(const json_t *record, const char *plural)
{
    const json_t *links = json_object_get(record, "links");
    size_t count = 0, index;
    json_t *link;

    json_array_foreach(links, index, link)
    {
        count += str_equal(jx_text_of(json_object_get(link, "to")), str_of(plural));
    }
    return count;
}

static void deals_and_activities_are_made_up_with_their_people(void **state)
{
    static const char *const types[] = {"calls", "emails", "meetings", "notes", "tasks"};
    struct journey journey;
    size_t with_owner = 0, with_several = 0, index;
    json_t *deals, *deal;

    (void)state;
    journey_begin(
        &journey, simulator_hubspot_new,
        &(struct simulator_options){.seed = 5, .records = 100, .deals = 60, .activities = 100});
    deals = records_of(&journey, "deals");
    assert_int_equal(json_array_size(deals), 60);
    json_array_foreach(deals, index, deal)
    {
        assert_true(links_to(deal, "contacts") >= 1);
        assert_int_equal(links_to(deal, "companies"), 1);
        with_several += links_to(deal, "contacts") > 1;
        with_owner += json_object_get(json_object_get(deal, "fields"), "hubspot_owner_id") != NULL;
    }
    assert_true(with_several > 10 && with_several < 60);
    assert_true(with_owner > 10 && with_owner < 60);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        json_t *activities = records_of(&journey, types[i]);

        assert_int_equal(json_array_size(activities), 20);
        assert_int_equal(links_to(json_array_get(activities, 0), "contacts"), 1);
    }
    journey_end(&journey);
}

static json_t *deals_of(struct journey *journey, uint64_t seed)
{
    journey_begin(journey, simulator_hubspot_new,
                  &(struct simulator_options){.seed = seed, .records = 50, .deals = 30});
    return records_of(journey, "deals");
}

static void the_same_seed_makes_the_same_deals(void **state)
{
    struct journey one, two, other;
    json_t *first = deals_of(&one, 5), *second = deals_of(&two, 5), *third = deals_of(&other, 6);

    (void)state;
    assert_true(json_equal(first, second));
    assert_false(json_equal(first, third));
    journey_end(&one);
    journey_end(&two);
    journey_end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_belongs_to_its_pipeline),
        cmocka_unit_test(stages_are_renamed_moved_and_removed),
        cmocka_unit_test(a_deals_stage_says_whether_it_is_closed),
        cmocka_unit_test(tickets_need_a_stage),
        cmocka_unit_test(an_account_defines_objects_of_its_own),
        cmocka_unit_test(a_wrong_schema_leaves_nothing_behind),
        cmocka_unit_test(properties_and_their_groups_are_made),
        cmocka_unit_test(ten_properties_of_an_object_are_unique_at_most),
        cmocka_unit_test(a_schema_drifts),
        cmocka_unit_test(emails_need_a_direction_too),
        cmocka_unit_test(a_deal_has_many_contacts_and_keeps_them_in_a_merge),
        cmocka_unit_test(companies_have_histories),
        cmocka_unit_test(a_person_links_records_in_the_pages),
        cmocka_unit_test(owners_answer_under_the_dated_path),
        cmocka_unit_test(deals_and_activities_are_made_up_with_their_people),
        cmocka_unit_test(the_same_seed_makes_the_same_deals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
