/* POST /__sim/schema at Pipedrive; HubSpot's is in test_hubspot_work.c. */
#include "tests/unit/simulators/journey.h"

#define FIELDS "/api/v2/personFields"
#define SCHEMA "/__sim/schema"
#define ORDER(property, more)                                                                      \
    "{\"object\":\"persons\",\"property\":\"" property "\",\"change\":" more "}"

static void a_schema_drifts_at_pipedrive(void **state)
{
    static const struct step steps[] = {
        {"POST",
         FIELDS,
         "{\"field_name\":\"Tide\",\"field_type\":\"enum\",\"options\":[{\"label\":\"low\"},{"
         "\"label\":\"high\"}]}",
         200,
         {NULL},
         .save = "tide=data.field_code"},
        {"GET", FIELDS "/$tide$", NULL, 200, {"data.options#2"}, .save = "low=data.options.0.id"},
        {"POST",
         "/api/v2/persons",
         "{\"name\":\"Ada\",\"custom_fields\":{\"$tide$\":$low$}}",
         200,
         {NULL},
         .save = "ada=data.id"},
        {"POST", SCHEMA, ORDER("Tide", "\"remove_option\",\"option\":\"low\""), 200, {"ok=true"}},
        {"GET", FIELDS "/$tide$", NULL, 200, {"data.options#1", "data.options.0.label=high"}},
        {"PATCH", "/api/v2/persons/$ada$", "{\"custom_fields\":{\"$tide$\":$low$}}", 400, {NULL}},
        {"POST",
         SCHEMA,
         ORDER("$tide$", "\"rename_option\",\"option\":\"high\",\"label\":\"flood\""),
         200,
         {NULL}},
        {"POST", SCHEMA, ORDER("$tide$", "\"add_option\",\"option\":\"ebb\""), 200, {NULL}},
        {"GET",
         FIELDS "/$tide$",
         NULL,
         200,
         {"data.options.0.label=flood", "data.options.1.label=ebb"}},
        {"POST", SCHEMA, ORDER("$tide$", "\"type\",\"type\":\"varchar\""), 200, {NULL}},
        {"GET", FIELDS "/$tide$", NULL, 200, {"data.field_type=varchar"}},
        {"POST", SCHEMA, ORDER("$tide$", "\"remove\""), 200, {NULL}},
        {"GET", FIELDS "/$tide$", NULL, 404, {NULL}},
        {"GET", "/api/v2/persons/$ada$", NULL, 200, {"data.custom_fields.$tide$!"}},
        {"POST", SCHEMA, ORDER("$tide$", "\"restore\""), 200, {NULL}},
        {"GET", FIELDS "/$tide$", NULL, 200, {NULL}},
        {"POST",
         SCHEMA,
         ORDER("$tide$", "\"remove_option\",\"option\":\"gone\""),
         400,
         {"error~option"}},
        {"POST", SCHEMA, ORDER("name", "\"type\",\"type\":\"text\""), 400, {"error~custom"}},
        {"POST", SCHEMA, ORDER("nothing", "\"remove\""), 400, {"error~nothing"}},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, steps, COUNT_OF(steps));
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_drifts_at_pipedrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
