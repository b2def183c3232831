/* What changed and what went within a window of time, as the Salesforce simulator tells it. The clock begins at 07:00:00. */
#include "tests/unit/simulators/salesforce_journey.h"

#define UPDATED CONTACTS "/updated/"
#define DELETED CONTACTS "/deleted/"

JOURNEY(seconds_are_ignored_and_bounds_are_inclusive,
        {"POST", CONTACTS, "{\"LastName\":\"Aria\"}", 201, {NULL}, "a=id", .advance_ms = MINUTE_MS},
        {"POST",
         CONTACTS,
         "{\"LastName\":\"Bell\"}",
         201,
         {NULL},
         "b=id",
         .advance_ms = 30 * SECOND_MS},
        {"POST",
         CONTACTS,
         "{\"LastName\":\"Cole\"}",
         201,
         {NULL},
         "c=id",
         .advance_ms = 30 * SECOND_MS},
        {"GET",
         UPDATED "?start=2026-11-21T07:01:59Z&end=2026-11-21T07:02:40%2B00:00",
         NULL,
         200,
         {"ids#3", "ids.0=$a$", "ids.1=$b$", "ids.2=$c$",
          "latestDateCovered=2026-11-21T07:02:00.000+0000"},
         .advance_ms = MINUTE_MS},
        {"GET",
         UPDATED "?start=2026-11-21T07:01:00Z&end=2026-11-21T07:01:59Z",
         NULL,
         200,
         {"ids#1", "ids.0=$a$"}}, /* 07:01:30 lies behind 07:01:00 */
        {"GET",
         UPDATED "?start=2026-11-21T07:02:05Z&end=2026-11-21T07:02:50Z",
         NULL,
         200,
         {"ids#1", "ids.0=$c$"}},
        {"GET",
         UPDATED "?start=2026-11-21T09:00:00%2B02:00&end=2026-11-21T09:01:30%2B02:00",
         NULL,
         200,
         {"ids#1", "ids.0=$a$"}},
        {"GET",
         UPDATED "?start=2026-11-21T07:00:00Z&end=2026-11-21T12:00:00Z",
         NULL,
         200,
         {"ids#3", "latestDateCovered=2026-11-21T07:03:00.000+0000"}}, )

JOURNEY(
    an_update_moves_a_record_and_a_delete_takes_it_away,
    MAKE("a", "Contact", "{\"LastName\":\"Aria\"}"),
    {"PATCH", CONTACTS "/$a$", "{\"Title\":\"x\"}", 204, {NULL}, .advance_ms = 10 * MINUTE_MS},
    {"GET", UPDATED "?start=2026-11-21T07:00:00Z&end=2026-11-21T07:05:00Z", NULL, 200, {"ids#0"}},
    {"GET",
     UPDATED "?start=2026-11-21T07:10:00Z&end=2026-11-21T07:11:00Z",
     NULL,
     200,
     {"ids#1", "ids.0=$a$"}},
    {"DELETE", CONTACTS "/$a$", NULL, 204, {NULL}, .advance_ms = 10 * MINUTE_MS},
    {"GET",
     UPDATED "?start=2026-11-21T07:00:00Z&end=2026-11-21T07:30:00Z",
     NULL,
     200,
     {"ids#0"},
     .advance_ms = MINUTE_MS},
    {"GET",
     DELETED "?start=2026-11-21T07:00:00Z&end=2026-11-21T07:30:00Z",
     NULL,
     200,
     {"deletedRecords#1", "deletedRecords.0.id=$a$",
      "deletedRecords.0.deletedDate=2026-11-21T07:20:00.000+0000",
      "earliestDateAvailable=2026-11-06T07:21:00.000+0000",
      "latestDateCovered=2026-11-21T07:21:00.000+0000"}},
    {"POST", "/__sim/restore", "{\"object\":\"Contact\",\"id\":\"$a$\"}", 200, {NULL}},
    {"GET",
     DELETED "?start=2026-11-21T07:00:00Z&end=2026-11-21T07:30:00Z",
     NULL,
     200,
     {"deletedRecords#0"}},
    {"GET", UPDATED "?start=2026-11-21T07:21:00Z&end=2026-11-21T07:30:00Z", NULL, 200, {"ids#1"}}, )

JOURNEY(a_merged_one_looks_deleted, MAKE("a", "Contact", "{\"LastName\":\"Aria\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Aria\"}"),
        {"POST",
         "/__sim/merge",
         "{\"object\":\"Contact\",\"into\":\"$a$\",\"from\":\"$b$\"}",
         200,
         {NULL},
         .advance_ms = 5 * MINUTE_MS},
        {"GET",
         DELETED "?start=2026-11-21T07:00:00Z&end=2026-11-21T07:06:00Z",
         NULL,
         200,
         {"deletedRecords#1", "deletedRecords.0.id=$b$"}},
        {"GET",
         UPDATED "?start=2026-11-21T07:05:00Z&end=2026-11-21T07:06:00Z",
         NULL,
         200,
         {"ids#1", "ids.0=$a$"}}, )

#define REFUSED                                                                                    \
    {                                                                                              \
        "0.errorCode=INVALID_REPLICATION_DATE"                                                     \
    }

JOURNEY(
    windows_that_cannot_be,
    {"GET", UPDATED "?start=2026-10-22T06:59:00Z&end=2026-11-21T07:00:00Z", NULL, 400, REFUSED},
    {"GET", UPDATED "?start=2026-10-22T07:00:00Z&end=2026-11-21T07:00:00Z", NULL, 200, {NULL}},
    {"GET",
     DELETED "?start=2026-11-06T06:59:00Z&end=2026-11-21T07:00:00Z",
     NULL,
     400,
     {"0.errorCode=INVALID_REPLICATION_DATE",
      "0.message=startDate before org replication enabled date"}},
    {"GET", DELETED "?start=2026-11-06T07:00:00Z&end=2026-11-21T07:00:00Z", NULL, 200, {NULL}},
    {"GET", UPDATED "?start=2026-11-21T06:00:00Z&end=2026-11-21T06:00:00Z", NULL, 400, REFUSED},
    {"GET", UPDATED "?start=2026-11-21T06:00:00Z&end=2026-11-21T06:00:01Z", NULL, 200, {"ids#0"}},
    {"GET", DELETED "?start=2026-11-21T06:00:00Z&end=2026-11-21T06:01:00Z", NULL, 400, REFUSED},
    {"GET", DELETED "?start=2026-11-21T06:00:00Z&end=2026-11-21T06:01:01Z", NULL, 200, {NULL}},
    {"GET", UPDATED "?start=2026-11-21T07:01:00Z&end=2026-11-21T07:02:00Z", NULL, 400, REFUSED},
    {"GET", UPDATED "?start=yesterday&end=2026-11-21T07:02:00Z", NULL, 400, REFUSED},
    {"GET", UPDATED "?start=2026-11-21T06:00:00Z", NULL, 400, {"0.errorCode=MISSING_ARGUMENT"}},
    {"POST", UPDATED "?start=2026-11-21T06:00:00Z&end=2026-11-21T07:00:00Z", "{}", 405, {NULL}},
    {"GET",
     ROWS "/Profile/updated/?start=2026-11-21T06:00:00Z&end=2026-11-21T07:00:00Z",
     NULL,
     400,
     {"0.errorCode=INVALID_TYPE_FOR_OPERATION"}},
    {"GET",
     ROWS "/Nothing/updated/?start=2026-11-21T06:00:00Z&end=2026-11-21T07:00:00Z",
     NULL,
     404,
     {NULL}}, )

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_ignored_and_bounds_are_inclusive),
        cmocka_unit_test(an_update_moves_a_record_and_a_delete_takes_it_away),
        cmocka_unit_test(a_merged_one_looks_deleted),
        cmocka_unit_test(windows_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
