/* Outbound messages of the Salesforce simulator: what starts one, what is in it, and when it comes again. */
#include "tests/unit/simulators/salesforce_journey.h"

#define URL "http://127.0.0.1:9000/api/crm/webhooks/x"
#define FLOW(more)                                                                                 \
    {                                                                                              \
        "POST", "/__sim/outbound",                                                                 \
            "{\"rules\":[{\"object\":\"Contact\",\"url\":\"" URL                                   \
            "\",\"fields\":[\"Title\",\"Id\",\"LastName\",\"Email\",\"DoNotCall\","                \
            "\"SystemModstamp\",\"AccountId\"]" more "}]}",                                        \
            200,                                                                                   \
        {                                                                                          \
            "ok=true"                                                                              \
        }                                                                                          \
    }
#define FLOW_THAT(manner)                                                                          \
    {                                                                                              \
        "POST", "/__sim/outbound",                                                                 \
            "{\"rules\":[{\"object\":\"Contact\",\"url\":\"" URL                                   \
            "\",\"fields\":[\"LastName\"]}]," manner "}",                                          \
            200,                                                                                   \
        {                                                                                          \
            "ok=true"                                                                              \
        }                                                                                          \
    }
#define PULL(...)                                                                                  \
    {                                                                                              \
        "GET", "/__sim/outbound", NULL, 200, {__VA_ARGS__}, "m=@X-Sim-Message"                     \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        "GET", "/__sim/outbound", NULL, 204,                                                       \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }
#define ENVELOPE(inside)                                                                           \
    "<?xml version=\\\"1.0\\\"?><e:Envelope "                                                      \
    "xmlns:e=\\\"http://schemas.xmlsoap.org/soap/envelope/\\\">"                                   \
    "<e:Body>" inside "</e:Body></e:Envelope>"
#define ACK(text)                                                                                  \
    ENVELOPE(                                                                                      \
        "<notificationsResponse xmlns=\\\"http://soap.sforce.com/2005/09/outbound\\\"><Ack>" text  \
        "</Ack></notificationsResponse>")
#define ANSWER(status, body, delivered)                                                            \
    {                                                                                              \
        "POST", "/__sim/outbound/answer",                                                          \
            "{\"id\":$m$,\"status\":" status ",\"body\":\"" body "\"}", 200,                       \
        {                                                                                          \
            "delivered=" delivered                                                                 \
        }                                                                                          \
    }
#define STATE(...)                                                                                 \
    {                                                                                              \
        "GET", "/__sim/outbound/state", NULL, 200,                                                 \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

JOURNEY(one_message_as_salesforce_writes_it, FLOW(""), NOTHING,
        MAKE("a", "Contact", "{\"LastName\":\"R&D <\\\"x\\\">\",\"Title\":\"\\r\\nBuyer\"}"),
        {"GET",
         "/__sim/outbound",
         NULL,
         200,
         {"@Content-Type=text/xml; charset=utf-8", "@X-Sim-Url=" URL,
          "~   <Notification>\n    <Id>04l",
          "~    <sObject xsi:type=\"sf:Contact\" "
          "xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">\n     <sf:Id>$a$</sf:Id>\n"
          "     <sf:DoNotCall>false</sf:DoNotCall>\n     <sf:LastName>R&amp;D "
          "&lt;&quot;x&quot;&gt;</sf:LastName>\n"
          "     <sf:SystemModstamp>2026-11-21T07:00:00.000Z</sf:SystemModstamp>\n",
          "~<sf:Title>", "~<SessionId xsi:nil=\"true\"/>", "~<ActionId>04k"},
         "m=@X-Sim-Message"},
        NOTHING, ANSWER("200", ACK("true"), "true"), NOTHING,
        STATE("delivered=1", "failures=0", "queued=0", "waiting=0", "out=0"), )

JOURNEY(the_account_or_another_one, FLOW(""),
        {"GET", "/__sim/state/Organization", NULL, 200, {NULL}, "o=records.0.id"},
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        PULL("~<OrganizationId>$o$</OrganizationId>"), FLOW(",\"org\":\"00D000000000000EAA\""),
        MAKE("b", "Contact", "{\"LastName\":\"Ito\"}"),
        PULL("~<OrganizationId>00D000000000000EAA</OrganizationId>",
             "~/services/Soap/u/66.0/00D000000000000</PartnerUrl>"), )

JOURNEY(what_starts_a_flow, FLOW(",\"on\":\"create\""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"), MAKE("p", "Account", "{\"Name\":\"Port\"}"),
        PULL("~$a$"), ANSWER("200", ACK("true"), "true"),
        {"PATCH", CONTACTS "/$a$", "{\"Title\":\"x\"}", 204, {NULL}}, NOTHING,
        FLOW(",\"on\":\"update\""), MAKE("b", "Contact", "{\"LastName\":\"Ito\"}"), NOTHING,
        {"PATCH", CONTACTS "/$a$", "{\"Title\":\"y\"}", 204, {NULL}}, PULL("~$a$", "~y</sf:Title>"),
        ANSWER("200", ACK(" true "), "true"), {"DELETE", CONTACTS "/$a$", NULL, 204, {NULL}},
        NOTHING, FLOW(",\"ignores_own\":true"),
        {"PATCH", CONTACTS "/$b$", "{\"Title\":\"z\"}", 204, {NULL}}, NOTHING,
        {"POST",
         "/__sim/edit",
         "{\"object\":\"Contact\",\"id\":\"$b$\",\"set\":{\"Title\":\"w\"}}",
         200,
         {NULL}},
        PULL("~$b$"), )

JOURNEY(only_the_newest_state_of_what_is_queued, FLOW(""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\",\"Title\":\"old\"}"),
        {"PATCH", CONTACTS "/$a$", "{\"Title\":\"new\"}", 204, {NULL}}, STATE("queued=1"),
        PULL("~new</sf:Title>"), {"PATCH", CONTACTS "/$a$", "{\"Title\":\"newer\"}", 204, {NULL}},
        STATE("queued=1", "out=1"), PULL("~newer</sf:Title>"), NOTHING,
        MAKE("b", "Contact", "{\"LastName\":\"Mori\"}"),
        {"DELETE", CONTACTS "/$b$", NULL, 204, {NULL}}, NOTHING, )

/* A repeat carries the same notification, and the state of then. */
JOURNEY(it_comes_again_until_it_is_acknowledged, FLOW(""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"), PULL("~Ito"), ANSWER("500", "", "false"),
        NOTHING, {"GET", "/__sim/outbound", NULL, 204, {NULL}, .advance_ms = 30 * SECOND_MS - 1},
        {"GET", "/__sim/outbound", NULL, 200, {"~Ito", "@X-Sim-Message=$m$"}, .advance_ms = 1},
        ANSWER("200", ACK("false"), "false"),
        {"GET", "/__sim/outbound", NULL, 204, {NULL}, .advance_ms = MINUTE_MS - 1},
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 1},
        ANSWER("200", "{\\\"ok\\\":true}", "false"),
        {"GET", "/__sim/outbound", NULL, 204, {NULL}, .advance_ms = 2 * MINUTE_MS - 1},
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 1},
        ANSWER("200", " " ACK("true"), "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 4 * MINUTE_MS},
        ANSWER("202", ACK("true"), "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 8 * MINUTE_MS},
        ANSWER("200", ENVELOPE("<notificationsResponse><Ack>true</Ack></notificationsResponse>"),
               "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 16 * MINUTE_MS},
        ANSWER("200", ACK("true"), "true"), STATE("delivered=1", "failures=6", "waiting=0"), )

/* No answer within a minute is a failure; intervals end at two hours, and after a day it is over. */
JOURNEY(
    it_is_given_up_after_a_day, FLOW(""), MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
    PULL("~Ito"), {"GET", "/__sim/outbound", NULL, 204, {NULL}, .advance_ms = MINUTE_MS},
    {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 12 * HOUR_MS},
    {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 3 * HOUR_MS}, /* late is failed */
    ANSWER("500", "", "false"), STATE("failures=3", "waiting=1", "dropped=0"),
    {"GET", "/__sim/outbound", NULL, 204, {NULL}, .advance_ms = 10 * HOUR_MS},
    STATE("dropped=1", "waiting=0"), )

JOURNEY(the_longest_wait_is_two_hours, FLOW(""), MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        PULL("~Ito"), ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 2 * HOUR_MS},
        ANSWER("500", "", "false"),
        {"GET", "/__sim/outbound", NULL, 204, {NULL}, .advance_ms = 2 * HOUR_MS - 1},
        {"GET", "/__sim/outbound", NULL, 200, {NULL}, .advance_ms = 1}, )

JOURNEY(batches_and_delay, FLOW_THAT("\"batch\":2,\"delay_ms\":5000"),
        MAKE("a", "Contact", "{\"LastName\":\"One\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Two\"}"),
        MAKE("c", "Contact", "{\"LastName\":\"Three\"}"), NOTHING,
        {"GET",
         "/__sim/outbound",
         NULL,
         200,
         {"~One</sf:LastName>", "~Two</sf:LastName>"},
         .advance_ms = 5 * SECOND_MS},
        PULL("~Three</sf:LastName>"), NOTHING, )

JOURNEY(a_duplicate_is_the_same_message_once_more, FLOW_THAT("\"duplicates_per_million\":1000000"),
        MAKE("a", "Contact", "{\"LastName\":\"One\"}"), PULL("~One"),
        ANSWER("200", ACK("true"), "true"),
        {"GET", "/__sim/outbound", NULL, 200, {"@X-Sim-Message=$m$"}},
        ANSWER("200", ACK("true"), "true"), NOTHING, STATE("delivered=2"), )

JOURNEY(
    what_is_no_order,
    {"POST", "/__sim/outbound", "{\"rules\":[{\"object\":\"Nothing\"}]}", 400, {"error~rules: 0"}},
    {"POST",
     "/__sim/outbound",
     "{\"rules\":[{\"object\":\"Contact\",\"fields\":[\"Nothing\"],\"url\":\"" URL "\"}]}",
     400,
     {"error~fields: 0 is no field of Contact"}},
    {"POST",
     "/__sim/outbound",
     "{\"rules\":[{\"object\":\"Contact\",\"fields\":[],\"url\":\"http://192.0.2.1/x\"}]}",
     400,
     {"error~this machine only"}},
    {"POST",
     "/__sim/outbound",
     "{\"rules\":[{\"object\":\"Contact\",\"fields\":[],\"url\":\"" URL "\",\"on\":\"delete\"}]}",
     400,
     {"error~on: is create, update or both"}},
    {"POST", "/__sim/outbound", "{\"rules\":[],\"batch\":101}", 400, {"error~batch"}},
    {"POST",
     "/__sim/outbound/answer",
     "{\"id\":1,\"status\":200}",
     400,
     {"error~no such message"}}, )

/* With reordering every message goes out all the same, and not in the order of the changes. */
static void reordering_loses_nothing(void **state)
{
    static const struct step flow = FLOW_THAT("\"batch\":100,\"reorders\":true");
    struct journey journey;
    size_t inversions = 0, last = 0;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    journey_step(&journey, &flow, 0);
    for (size_t i = 0; i < 50; i++) {
        struct str body = arena_printf(&journey.arena, "{\"LastName\":\"name-%02zu-\"}", i);

        journey_send(&journey, "POST", STR(CONTACTS), body, NULL);
    }
    journey_send(&journey, "GET", STR("/__sim/outbound"), STR(""), NULL);
    for (size_t i = 0; i < 50; i++) {
        struct str name = arena_printf(&journey.arena, "name-%02zu-", i);
        const char *at = memmem(journey.last.body.at, journey.last.body.len, name.at, name.len);

        assert_non_null(at);
        inversions += (size_t)(at - journey.last.body.at) < last;
        last = (size_t)(at - journey.last.body.at);
    }
    assert_in_range(inversions, 5, 45);
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_as_salesforce_writes_it),
        cmocka_unit_test(the_account_or_another_one),
        cmocka_unit_test(what_starts_a_flow),
        cmocka_unit_test(only_the_newest_state_of_what_is_queued),
        cmocka_unit_test(it_comes_again_until_it_is_acknowledged),
        cmocka_unit_test(it_is_given_up_after_a_day),
        cmocka_unit_test(the_longest_wait_is_two_hours),
        cmocka_unit_test(batches_and_delay),
        cmocka_unit_test(a_duplicate_is_the_same_message_once_more),
        cmocka_unit_test(what_is_no_order),
        cmocka_unit_test(reordering_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
