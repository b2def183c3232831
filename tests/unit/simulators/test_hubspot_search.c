/* Searches of the HubSpot simulator. Reference: section 6. */
#include "tests/unit/simulators/hubspot_journey.h"

/* Section 6: search. */
#define FILTER(property, op, value)                                                                \
    "{\"propertyName\":\"" property "\",\"operator\":\"" op "\",\"value\":\"" value "\"}"
#define SEARCH(filters) "{\"filterGroups\":[{\"filters\":[" filters "]}]}"
#define FINDS(filters, count)                                                                      \
    {                                                                                              \
        "POST", CONTACTS "/search", SEARCH(filters), 200, {"total=" count}, .advance_ms = 300      \
    }
#define REFUSES(body, part)                                                                        \
    {                                                                                              \
        "POST", CONTACTS "/search", body, 400, {"message~" part}, .advance_ms = 300                \
    }

JOURNEY(search_knows_its_operators,
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"ada@harbor.example\",\"firstname\":\"Ada\","
         "\"annualrevenue\":\"9\",\"lifecyclestage\":\"lead\"}}",
         201,
         {NULL},
         .save = "ada=id"},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"bo@harbor.example\",\"firstname\":\"Bo\",\"annualrevenue\":"
         "\"10\"}}",
         201,
         {NULL},
         .advance_ms = 1000},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"eve@quarry.example\",\"firstname\":\"Ève\"}}",
         201,
         {NULL},
         .advance_ms = 1000},
        FINDS(FILTER("firstname", "EQ", "ADA"), "1"), FINDS(FILTER("firstname", "EQ", "ÈVE"), "1"),
        FINDS(FILTER("firstname", "NEQ", "ada"), "2"),
        FINDS(FILTER("annualrevenue", "GT", "9"), "1"),
        FINDS(FILTER("annualrevenue", "LTE", "10.0"), "2"),
        FINDS(FILTER("lifecyclestage", "EQ", "LEAD"), "0"),
        FINDS(FILTER("lifecyclestage", "EQ", "lead"), "1"),
        FINDS(FILTER("email", "CONTAINS_TOKEN", "harbor"), "2"),
        FINDS(FILTER("email", "CONTAINS_TOKEN", "*@quarry*"), "1"),
        FINDS(FILTER("email", "NOT_CONTAINS_TOKEN", "harbor"), "1"),
        FINDS(FILTER("hs_object_id", "GT", "$ada$"), "2"),
        FINDS(FILTER("createdate", "LT", "2026-11-21T07:00:01Z"), "1"),
        FINDS("{\"propertyName\":\"annualrevenue\",\"operator\":\"HAS_PROPERTY\"}", "2"),
        FINDS("{\"propertyName\":\"annualrevenue\",\"operator\":\"NOT_HAS_PROPERTY\"}", "1"),
        FINDS("{\"propertyName\":\"firstname\",\"operator\":\"IN\",\"values\":[\"ada\",\"bo\"]}",
              "2"),
        FINDS("{\"propertyName\":\"firstname\",\"operator\":\"IN\",\"values\":[\"Ada\"]}", "0"),
        FINDS("{\"propertyName\":\"firstname\",\"operator\":\"NOT_IN\",\"values\":[\"ada\"]}", "2"),
        FINDS("{\"propertyName\":\"lastmodifieddate\",\"operator\":\"BETWEEN\",\"value\":"
              "\"1795244401000\",\"highValue\":\"1795244402000\"}",
              "2"),
        FINDS(FILTER("firstname", "EQ", "ada") "," FILTER("annualrevenue", "EQ", "10"), "0"),
        FINDS(FILTER("hs_lastmodifieddate", "GT", "1000"), "0"), /* silently wrong on contacts */
        {"POST",
         CONTACTS "/search",
         "{\"filters\":[" FILTER("firstname", "EQ", "bo") "]}",
         200,
         {"total=1", "paging!"},
         .advance_ms = 300},
        {"POST", CONTACTS "/search", "{\"query\":\"HARBOR\"}", 200, {"total=2"}, .advance_ms = 300},
        REFUSES(SEARCH(FILTER("nothing", "EQ", "1")), "nothing does not exist"),
        REFUSES(SEARCH(FILTER("firstname", "LIKE", "1")), "unknown operator"),
        REFUSES(SEARCH(FILTER("annualrevenue", "GT", "many")), "does not fit"),
        REFUSES("{\"sorts\":[\"firstname\",\"lastname\"]}", "one sort"),
        REFUSES("{\"limit\":201}", "at most 200"),
        REFUSES("{\"limit\":200,\"after\":\"9801\"}", "10000"),
        {"POST",
         CONTACTS "/search",
         SEARCH(FILTER("createdate", "GT", "0")),
         500,
         {NULL},
         .advance_ms = 300}, )

JOURNEY(search_sorts_and_pages_by_offset,
        {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"b\"}}", 201, {NULL}},
        {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"c\"}}", 201, {NULL}, .advance_ms = 1},
        {"POST", CONTACTS, "{\"properties\":{\"firstname\":\"a\"}}", 201, {NULL}, .advance_ms = 1},
        {"POST",
         CONTACTS "/search",
         "{\"limit\":2,\"sorts\":[{\"propertyName\":\"firstname\",\"direction\":\"ASCENDING\"}]}",
         200,
         {"results.0.properties.firstname=a", "results.1.properties.firstname=b",
          "paging.next.after=2", "paging.next.link!", "total=3"}},
        {"POST",
         CONTACTS "/search",
         "{\"limit\":2,\"after\":\"2\",\"sorts\":[{\"propertyName\":\"firstname\",\"direction\":"
         "\"ASCENDING\"}]}",
         200,
         {"results#1", "results.0.properties.firstname=c", "paging!"}},
        {"POST",
         CONTACTS "/search",
         "{\"sorts\":[\"-createdate\"]}",
         200,
         {"results.0.properties.firstname=a"}},
        {"POST", CONTACTS "/search", "{}", 200, {"results.0.properties.firstname=b"}}, )

/* Section 6: eventually consistent, while reads by id are not. */
static void search_shows_a_write_only_after_the_lag(void **state)
{
    static const struct step steps[] = {
        {"POST",
         CONTACTS,
         "{\"properties\":{\"firstname\":\"old\"}}",
         201,
         {NULL},
         .save = "id=id"},
        {"POST", CONTACTS "/search", "{}", 200, {"total=0"}},
        {"GET", CONTACTS "/$id$", NULL, 200, {NULL}},
        {"POST", CONTACTS "/search", "{}", 200, {"total=1"}, .advance_ms = 3000},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"firstname\":\"new\"}}",
         200,
         {NULL},
         .advance_ms = 60000},
        {"POST",
         CONTACTS "/search",
         SEARCH(FILTER("firstname", "EQ", "old")),
         200,
         {"total=1", "results.0.properties.firstname=old",
          "results.0.updatedAt=2026-11-21T07:00:00.000Z"}},
        {"POST", CONTACTS "/search", SEARCH(FILTER("firstname", "EQ", "new")), 200, {"total=0"}},
        {"POST",
         CONTACTS "/search",
         SEARCH(FILTER("lastmodifieddate", "GTE", "1795244463000")),
         200,
         {"total=1", "results.0.updatedAt=2026-11-21T07:01:03.000Z"},
         .advance_ms = 3000},
        {"DELETE", CONTACTS "/$id$", NULL, 204, {NULL}},
        {"POST", CONTACTS "/search", "{}", 200, {"total=1", "results.0.archived=false"}},
        {"POST", CONTACTS "/search", "{}", 200, {"total=0"}, .advance_ms = 3000},
    };

    (void)state;
    walk_with(&(struct simulator_options){.index_lag_ms = 3000}, steps, COUNT_OF(steps));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_knows_its_operators),
        cmocka_unit_test(search_sorts_and_pages_by_offset),
        cmocka_unit_test(search_shows_a_write_only_after_the_lag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
