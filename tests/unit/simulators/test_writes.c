/* GET /__sim/writes: what was written through a CRM's API, object by object. */
#include "tests/unit/simulators/journey.h"

#define CONTACTS "/crm/v3/objects/contacts"
#define COMPANIES "/crm/v3/objects/companies"

static void walk(simulator_maker *make, const struct step *steps, size_t count)
{
    struct journey journey;

    journey_begin(&journey, make, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, steps, count);
    journey_end(&journey);
}

#define JOURNEY(name, make, ...)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        (void)state;                                                                               \
        walk(make, steps, COUNT_OF(steps));                                                        \
    }

JOURNEY(
    each_object_written_is_a_row_at_hubspot, simulator_hubspot_new,
    {"POST", CONTACTS, "{\"properties\":{\"email\":\"a@x.example\"}}", 201, {NULL}, .save = "a=id"},
    {"GET", "/__sim/writes", NULL, 200, {"writes#0"}},
    {"POST", "/__sim/writes/clear", NULL, 200, {"ok=true"}},
    {"POST",
     CONTACTS "/batch/create",
     "{\"inputs\":[{\"properties\":{\"email\":\"b@x.example\"}},"
     "{\"properties\":{\"email\":\"c@x.example\"}}]}",
     201,
     {"results#2"},
     .save = "b=results.0.id"},
    {"GET",
     "/__sim/writes",
     NULL,
     200,
     {"writes#2", "writes.0.method=create", "writes.0.object=contacts",
      "writes.0.fields.email=b@x.example", "writes.1.fields.email=c@x.example", "writes.0.id=$b$",
      "writes.0.at_ms~17952"}},
    {"POST", "/__sim/writes/clear", NULL, 200, {NULL}},
    {"PATCH", CONTACTS "/$a$", "{\"properties\":{\"phone\":\"1\"}}", 200, {NULL}},
    {"PATCH", CONTACTS "/$a$", "{\"properties\":{\"nothing\":\"1\"}}", 400, {NULL}},
    {"POST",
     COMPANIES,
     "{\"properties\":{\"name\":\"X\"},\"associations\":[{\"to\":{\"id\":\"$a$\"},\"types\":"
     "[{\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":280}]}]}",
     201,
     {NULL},
     .save = "x=id"},
    {"GET",
     "/__sim/writes",
     NULL,
     200,
     {"writes#2", "writes.0.method=update", "writes.0.fields.phone=1", "writes.1.object=companies",
      "writes.1.fields.associations.0.to.id=$a$"}},
    {"POST", "/__sim/writes/clear", NULL, 200, {NULL}},
    {"POST",
     "/crm/v4/associations/contacts/companies/batch/archive",
     "{\"inputs\":[{\"from\":{\"id\":\"$a$\"},\"to\":[{\"id\":\"$x$\"}]}]}",
     204,
     {NULL}},
    {"POST",
     "/crm/v4/associations/contacts/companies/batch/associate/default",
     "{\"inputs\":[{\"from\":{\"id\":\"$b$\"},\"to\":{\"id\":\"$x$\"}}]}",
     200,
     {NULL}},
    {"POST",
     CONTACTS "/batch/archive",
     "{\"inputs\":[{\"id\":\"$a$\"},{\"id\":\"1\"}]}",
     204,
     {NULL}},
    {"GET",
     "/__sim/writes",
     NULL,
     200,
     {"writes#3", "writes.0.method=dissociate", "writes.0.id=$a$", "writes.0.fields.to=companies",
      "writes.0.fields.to_id=$x$", "writes.1.method=associate", "writes.1.fields.types.0=279",
      "writes.2.method=delete"}}, )

JOURNEY(each_object_written_is_a_row_at_pipedrive, simulator_pipedrive_new,
        {"POST", "/__sim/writes/clear", NULL, 200, {"ok=true"}},
        {"POST", "/api/v2/persons", "{\"name\":\"Ada\"}", 200, {NULL}, .save = "a=data.id"},
        {"PATCH", "/api/v2/persons/$a$", "{\"name\":\"Eve\"}", 200, {NULL}},
        {"PATCH", "/api/v2/persons/$a$", "{\"name\":5}", 400, {NULL}},
        {"DELETE", "/api/v2/persons/$a$", NULL, 200, {NULL}},
        {"GET",
         "/__sim/writes",
         NULL,
         200,
         {"writes#3", "writes.0.method=create", "writes.0.object=persons",
          "writes.0.fields.name=Ada", "writes.1.method=update", "writes.1.id=$a$",
          "writes.1.fields.name=Eve", "writes.2.method=delete"}}, )

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_object_written_is_a_row_at_hubspot),
        cmocka_unit_test(each_object_written_is_a_row_at_pipedrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
