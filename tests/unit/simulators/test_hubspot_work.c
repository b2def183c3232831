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
        cmocka_unit_test(deals_and_activities_are_made_up_with_their_people),
        cmocka_unit_test(the_same_seed_makes_the_same_deals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
