/* The Salesforce simulator's collections, composite and batch, its limits and what gets in the way of a write: sections 4, 6, 7. */
#include "tests/unit/simulators/salesforce_journey.h"

#define MANY DATA "/composite/sobjects"
#define COMPOSITE DATA "/composite"
#define Q(text) DATA "/query?q=" text
#define A(type, fields) "{\"attributes\":{\"type\":\"" type "\"}," fields "}"
#define COUNT_CONTACTS(n)                                                                          \
    {                                                                                              \
        "GET", Q("SELECT+COUNT()+FROM+Contact"), NULL, 200,                                        \
        {                                                                                          \
            "totalSize=" n                                                                         \
        }                                                                                          \
    }

/* --- collections ------------------------------------------------------------------------------- */

JOURNEY(
    results_are_in_the_order_of_the_records,
    {"POST",
     MANY,
     "{\"records\":[" A("Contact", "\"LastName\":\"A\"") "," A(
         "Contact", "\"FirstName\":\"B\"") "," A("Account", "\"Name\":\"C\"") "," A("Nothing",
                                                                                    "\"x\":1") "]}",
     200,
     {"0.success=true", "0.errors#0", "0.created!", "1.success=false", "1.id!",
      "1.errors.0.statusCode=REQUIRED_FIELD_MISSING", "2.id~001",
      "3.errors.0.statusCode=INVALID_TYPE"},
     "a=0.id"},
    {"PATCH",
     MANY,
     "{\"records\":[" A("Contact", "\"id\":\"$a$\",\"Title\":\"x\"") "," A(
         "Contact", "\"Title\":\"x\"") "," A("Contact",
                                             "\"Id\":\"0038d00000BqTzKAAV\",\"Title\":\"x\"") "]}",
     200,
     {"0.success=true", "0.id=$a$", "1.errors.0.statusCode=MISSING_ARGUMENT",
      "2.errors.0.statusCode=INVALID_CROSS_REFERENCE_KEY"}},
    {"GET", CONTACTS "/$a$", NULL, 200, {"Title=x"}},
    {"POST",
     MANY "/Contact",
     "{\"ids\":[\"$a$\",\"0038d00000BqTzKAAV\"],\"fields\":[\"LastName\"]}",
     200,
     {"0.LastName=A", "0.Id=$a$", "0.attributes.type=Contact", "1=null"}},
    {"GET", MANY "/Contact?ids=$a$,$a$&fields=Id,Title", NULL, 200, {"0.Title=x", "1.Id=$a$"}},
    {"POST",
     MANY "/Contact",
     "{\"ids\":[\"$a$\"],\"fields\":[\"Nope\"]}",
     400,
     {"0.errorCode=INVALID_FIELD"}},
    {"DELETE",
     MANY "?ids=$a$,x",
     NULL,
     200,
     {"0.success=true", "0.id=$a$", "1.errors.0.statusCode=MALFORMED_ID"}},
    {"DELETE",
     MANY "?ids=$a$",
     NULL,
     200,
     {"0.success=false", "0.errors.0.statusCode=ENTITY_IS_DELETED"}},
    {"DELETE", MANY, NULL, 400, {"0.errorCode=MISSING_ARGUMENT"}},
    {"POST",
     MANY,
     "{\"records\":[" A("Contact", "\"LastName\":\"A\"") "," A(
         "Contact", "\"LastName\":\"B\",\"DoNotCall\":\"maybe\"") "]}",
     400,
     {"0.errorCode=JSON_PARSER_ERROR"}},
    COUNT_CONTACTS("0"), {"POST", MANY, "{}", 400, {"0.errorCode=JSON_PARSER_ERROR"}},
    {"GET", MANY, NULL, 405})

JOURNEY(
    all_or_none_keeps_nothing, MAKE("old", "Contact", "{\"LastName\":\"Old\"}"),
    {"PATCH",
     MANY,
     "{\"allOrNone\":true,\"records\":[" A(
         "Contact",
         "\"id\":\"$old$\",\"LastName\":\"New\"") "," A("Contact",
                                                        "\"id\":\"$old$\",\"LastName\":null") "]}",
     200,
     {"0.success=false", "0.errors.0.statusCode=ALL_OR_NONE_OPERATION_ROLLED_BACK", "0.id=$old$",
      "1.errors.0.statusCode=REQUIRED_FIELD_MISSING"},
     .advance_ms = MINUTE_MS},
    {"GET",
     CONTACTS "/$old$",
     NULL,
     200,
     {"LastName=Old", "Name=Old", "SystemModstamp=2026-11-21T07:00:00.000+0000",
      "LastModifiedDate=2026-11-21T07:00:00.000+0000"}},
    {"POST",
     MANY,
     "{\"allOrNone\":true,\"records\":[" A(
         "Contact",
         "\"LastName\":\"A\",\"Email\":\"a@b.example\"") "," A("Contact",
                                                               "\"FirstName\":\"B\"") "]}",
     200,
     {"0.success=false", "1.success=false"}},
    COUNT_CONTACTS("1"), {"PATCH", CONTACTS "/Email/a@b.example", "{\"LastName\":\"A\"}", 201},
    {"DELETE", MANY "?allOrNone=true&ids=$old$,0038d00000BqTzKAAV", NULL, 200, {"0.success=false"}},
    COUNT_CONTACTS("2"))

JOURNEY(an_upsert_finds_its_records,
        {"PATCH",
         MANY "/Contact/Email",
         "{\"records\":[" A("Contact", "\"Email\":\"a@b.example\",\"LastName\":\"A\"") "," A(
             "Contact", "\"email\":\"c@b.example\",\"LastName\":\"C\"") "]}",
         200,
         {"0.created=true", "1.created=true", "1.success=true"},
         "a=0.id"},
        {"PATCH",
         MANY "/Contact/Email",
         "{\"records\":[" A("Contact", "\"Email\":\"a@b.example\",\"Title\":\"x\"") "," A(
             "Contact", "\"Email\":\"d@b.example\",\"Title\":\"x\"") "," A("Contact",
                                                                           "\"Title\":\"x\"") "]}",
         200,
         {"0.created=false", "0.id=$a$", "1.success=false",
          "1.errors.0.statusCode=REQUIRED_FIELD_MISSING",
          "2.errors.0.statusCode=MISSING_ARGUMENT"}},
        {"PATCH",
         MANY "/Contact/Email",
         "{\"records\":[" A("Contact", "\"Email\":\"e@b.example\",\"LastName\":\"E\"") "," A(
             "Contact",
             "\"Email\":\"f@b.example\",\"LastName\":\"F\"") "," A("Contact",
                                                                   "\"Email\":\"e@b.example\","
                                                                   "\"LastName\":\"E\"") "]}",
         200,
         {"0.errors.0.statusCode=DUPLICATE_VALUE", "1.success=true",
          "2.errors.0.statusCode=DUPLICATE_VALUE"}},
        COUNT_CONTACTS("3"),
        {"PATCH", MANY "/Contact/Title", "{\"records\":[]}", 404, {"0.errorCode=NOT_FOUND"}},
        {"PATCH",
         MANY "/Contact/Email",
         "{\"records\":[" A("Account", "\"Email\":\"e@b.example\"") "]}",
         200,
         {"0.errors.0.statusCode=INVALID_TYPE"}})

JOURNEY(an_unknown_field_fails_its_record_only,
        {"POST",
         MANY,
         "{\"records\":[" A("Contact",
                            "\"LastName\":\"A\",\"Nope\":1") "," A("Contact",
                                                                   "\"LastName\":\"B\"") "]}",
         200,
         {"0.success=false", "0.errors.0.statusCode=INVALID_FIELD", "1.success=true"}},
        COUNT_CONTACTS("1"))

static void a_call_holds_so_many_records(void **state)
{
    struct journey journey;
    struct buf body;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    for (int count = 200; count <= 201; count++) {
        buf_init(&body, 1 << 20);
        buf_addf(&body, "{\"records\":[");
        for (int i = 0; i < count; i++) {
            buf_addf(&body, "%s" A("Contact", "\"LastName\":\"A\""), i ? "," : "");
        }
        buf_addf(&body, "]}");
        journey_send(&journey, "POST", STR(MANY), buf_str(&body), NULL);
        assert_int_equal(journey.last.status, count == 200 ? 200 : 400);
        buf_fini(&body);
    }
    buf_init(&body, 1 << 20);
    buf_addf(&body, "{\"records\":[");
    for (int i = 0; i < 11; i++) {
        buf_addf(&body, "%s" A("%s", "\"Name\":\"A\",\"LastName\":\"A\""), i ? "," : "",
                 i % 2 ? "Contact" : "Account");
    }
    buf_addf(&body, "]}");
    json_t *answer = journey_send(&journey, "POST", STR(MANY), buf_str(&body), NULL);

    journey_check(&journey, answer, "0.message~10 chunks", "chunks");
    buf_fini(&body);
    journey_end(&journey);
}

/* --- composite --------------------------------------------------------------------------------- */

#define SUB(reference, method, url)                                                                \
    "{\"method\":\"" method "\",\"url\":\"" url "\",\"referenceId\":\"" reference "\"}"
#define SUB_WITH(reference, method, url, body)                                                     \
    "{\"method\":\"" method "\",\"url\":\"" url "\",\"referenceId\":\"" reference                  \
    "\",\"body\":" body "}"

JOURNEY(
    subrequests_refer_to_earlier_ones,
    {"POST",
     COMPOSITE,
     "{\"compositeRequest\":[" SUB_WITH("acc", "POST", ACCOUNTS, "{\"Name\":\"Quay\"}") "," SUB_WITH(
         "con", "POST", CONTACTS,
         "{\"LastName\":\"Ito\",\"AccountId\":\"@{acc.id}"
         "\"}") "," SUB("back", "GET",
                        CONTACTS
                        "/@{con.id}") "," SUB("q", "GET",
                                              Q("SELECT+"
                                                "Id+FROM+"
                                                "Accoun"
                                                "t")) "," SUB("row", "GET",
                                                              ACCOUNTS
                                                              "/@{q.records[0].Id}?fields="
                                                              "Name") "," SUB("gone", "DELETE",
                                                                              CONTACTS
                                                                              "/@{back.Id}") "]}",
     200,
     {"compositeResponse#6", "compositeResponse.0.httpStatusCode=201",
      "compositeResponse.0.httpHeaders.Location~/sobjects/Account/001",
      "compositeResponse.0.referenceId=acc", "compositeResponse.2.body.LastName=Ito",
      "compositeResponse.4.body.Name=Quay", "compositeResponse.5.httpStatusCode=204",
      "compositeResponse.5.body=null"}})

JOURNEY(a_failure_halts_what_depends_on_it,
        {"POST",
         COMPOSITE,
         "{\"compositeRequest\":[" SUB_WITH("acc", "POST", ACCOUNTS, "{}") "," SUB_WITH(
             "con", "POST", CONTACTS,
             "{\"LastName\":\"Ito\",\"AccountId\":\"@{acc.id}\"}") "," SUB_WITH("other", "POST",
                                                                                CONTACTS,
                                                                                "{\"LastName\":"
                                                                                "\"Ek\"}") "]}",
         200,
         {"compositeResponse.0.httpStatusCode=400",
          "compositeResponse.0.body.0.errorCode=REQUIRED_FIELD_MISSING",
          "compositeResponse.1.httpStatusCode=400",
          "compositeResponse.1.body.0.errorCode=PROCESSING_HALTED",
          "compositeResponse.1.body.0.message=Invalid reference specified. No value for acc.id "
          "found in acc.",
          "compositeResponse.2.httpStatusCode=201"}},
        COUNT_CONTACTS("1"),
        {"POST",
         COMPOSITE,
         "{\"allOrNone\":true,\"compositeRequest\":[" SUB_WITH(
             "a", "POST", CONTACTS, "{\"LastName\":\"Ek\"}") "," SUB_WITH("b", "POST", ACCOUNTS,
                                                                          "{}") "]}",
         200,
         {"compositeResponse.0.httpStatusCode=400",
          "compositeResponse.0.body.0.errorCode=PROCESSING_HALTED",
          "compositeResponse.0.body.0.message~rolled back",
          "compositeResponse.1.body.0.errorCode=REQUIRED_FIELD_MISSING"}},
        COUNT_CONTACTS("1"))

JOURNEY(
    a_composite_has_its_bounds,
    {"POST",
     COMPOSITE,
     "{\"compositeRequest\":[" SUB("a", "GET", DATA "/query?q=a") "," SUB(
         "b", "GET",
         DATA
         "/query?q=a") "," SUB("c", "GET",
                               DATA
                               "/queryAll?q=a") "," SUB("d", "GET",
                                                        MANY) "," SUB("e", "GET",
                                                                      DATA
                                                                      "/query?q=a") "," SUB("f",
                                                                                            "GET",
                                                                                            DATA
                                                                                            "/query"
                                                                                            "?q=a") "]}",
     400,
     {"0.errorCode=LIMIT_EXCEEDED"}},
    {"POST",
     COMPOSITE,
     "{\"compositeRequest\":[" SUB("a-b", "GET", DATA "/limits") "]}",
     400,
     {"0.errorCode=JSON_PARSER_ERROR"}},
    {"POST", COMPOSITE, "{\"compositeRequest\":[]}", 400},
    {"POST",
     COMPOSITE,
     "{\"compositeRequest\":[" SUB("a", "GET", "/elsewhere") "," SUB("b", "GET",
                                                                     DATA "/query?q=SELECT") "]}",
     200,
     {"compositeResponse.0.httpStatusCode=404",
      "compositeResponse.1.body.0.errorCode=MALFORMED_QUERY"}},
    {"POST",
     COMPOSITE "/batch",
     "{\"batchRequests\":[{\"method\":\"GET\",\"url\":\"v66.0/"
     "limits\"},{\"method\":\"POST\",\"url\":\"v66.0/sobjects/"
     "Contact\",\"richInput\":{}},{\"method\":\"GET\",\"url\":\"v66.0/limits\"}]}",
     200,
     {"hasErrors=true", "results#3", "results.0.statusCode=200", "results.1.statusCode=400",
      "results.2.statusCode=200"}},
    {"POST",
     COMPOSITE "/batch",
     "{\"haltOnError\":true,\"batchRequests\":[{\"method\":\"GET\",\"url\":\"v66.0/"
     "nothing\"},{\"method\":\"GET\",\"url\":\"v66.0/limits\"}]}",
     200,
     {"results.1.statusCode=412"}})

/* --- limits ------------------------------------------------------------------------------------ */

JOURNEY_WITH(
    calls_are_counted, SETTINGS(.plan = "developer"),
    {"GET",
     DATA "/limits",
     NULL,
     200,
     {"DailyApiRequests.Max=15000", "DailyApiRequests.Remaining=14999"}},
    {"POST",
     COMPOSITE,
     "{\"compositeRequest\":[" SUB("a", "GET", DATA "/limits") "," SUB("b", "GET",
                                                                       DATA "/limits") "]}",
     200,
     {"compositeResponse.1.body.DailyApiRequests.Remaining=14998"}},
    {"POST",
     COMPOSITE "/batch",
     "{\"batchRequests\":[{\"method\":\"GET\",\"url\":\"v66.0/"
     "limits\"},{\"method\":\"GET\",\"url\":\"v66.0/limits\"}]}",
     200,
     {"results.1.result.DailyApiRequests.Remaining=14996"}},
    {"GET", "/services/data", NULL, 200},
    {"GET", DATA "/limits", NULL, 200, {"DailyApiRequests.Remaining=14995"}},
    {"GET", DATA "/limits", NULL, 200, {"DailyApiRequests.Remaining=14999"}, .advance_ms = DAY_MS})

static void the_day_has_an_end(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new,
                  &(struct simulator_options){.seed = 7, .plan = "developer"});
    for (int i = 0; i < 15000; i++) {
        journey_send(&journey, "GET", STR(DATA), STR(""), NULL);
    }
    assert_int_equal(journey.last.status, 200);
    assert_true(str_equal(http_header_get(&journey.last.headers, "Sforce-Limit-Info"),
                          STR("api-usage=15000/15000")));
    journey_check(&journey, journey_send(&journey, "GET", STR(DATA), STR(""), NULL),
                  "0.message=TotalRequests Limit exceeded.", "past the end");
    assert_int_equal(journey.last.status, 403);
    clock_wait_ms(journey.env.clock, DAY_MS);
    journey_send(&journey, "POST", STR(COMPOSITE "/batch"),
                 STR("{\"batchRequests\":[{\"method\":\"GET\",\"url\":\"v66.0/"
                     "limits\"},{\"method\":\"GET\",\"url\":\"v66.0/limits\"}]}"),
                 NULL);
    assert_true(str_equal(http_header_get(&journey.last.headers, "Sforce-Limit-Info"),
                          STR("api-usage=2/15000")));
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_in_the_order_of_the_records),
        cmocka_unit_test(all_or_none_keeps_nothing),
        cmocka_unit_test(an_upsert_finds_its_records),
        cmocka_unit_test(an_unknown_field_fails_its_record_only),
        cmocka_unit_test(a_call_holds_so_many_records),
        cmocka_unit_test(subrequests_refer_to_earlier_ones),
        cmocka_unit_test(a_failure_halts_what_depends_on_it),
        cmocka_unit_test(a_composite_has_its_bounds),
        cmocka_unit_test(calls_are_counted),
        cmocka_unit_test(the_day_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
