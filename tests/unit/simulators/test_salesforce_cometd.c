/* Change events of the Salesforce simulator and the CometD door that delivers them. */
#include "tests/unit/simulators/salesforce_journey.h"

#define BAYEUX "/cometd/66.0/"
#define COOKIE "Cookie: $k$"
#define SELECT(objects)                                                                            \
    {                                                                                              \
        "POST", "/__sim/events", "{\"selected\":[" objects "]}", 200,                              \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }
#define SHAKE                                                                                      \
    "[{\"id\":\"1\",\"channel\":\"/meta/handshake\",\"version\":\"1.0\","                          \
    "\"supportedConnectionTypes\":[\"long-polling\"],\"ext\":{\"replay\":true}}]"
#define HANDSHAKE                                                                                  \
    {                                                                                              \
        "POST", BAYEUX, SHAKE, 200, {"0.successful=true", "0.id=1", "0.ext.replay=true"},          \
            "c=0.clientId;k=@Set-Cookie"                                                           \
    }
#define SUBSCRIBE(channel, replay)                                                                 \
    "[{\"id\":3,\"channel\":\"/meta/subscribe\",\"clientId\":\"$c$\",\"subscription\":\"" channel  \
    "\",\"ext\":{\"replay\":{\"" channel "\":" replay "}}}]"
#define SUBSCRIBED(channel, replay)                                                                \
    {                                                                                              \
        "POST", BAYEUX, SUBSCRIBE(channel, replay), 200,                                           \
            {"0.successful=true", "0.subscription=" channel}, .headers = COOKIE                    \
    }
#define ASK                                                                                        \
    "[{\"id\":\"4\",\"channel\":\"/meta/connect\",\"clientId\":\"$c$\","                           \
    "\"connectionType\":\"long-polling\",\"advice\":{\"timeout\":0}}]"
#define CONNECT(...)                                                                               \
    {                                                                                              \
        "POST", BAYEUX, ASK, 200, {__VA_ARGS__}, .headers = COOKIE                                 \
    }
#define ALL "/data/ChangeEvents"
#define PAYLOAD "0.data.payload."
#define HEADER PAYLOAD "ChangeEventHeader."

JOURNEY(a_new_record_with_all_that_is_not_empty, SELECT("\"Contact\""), HANDSHAKE,
        SUBSCRIBED(ALL, "-1"),
        {"POST",
         CONTACTS,
         "{\"LastName\":\"Ito\",\"MailingStreet\":\"1 Quay\",\"MailingCity\":\"Kobe\"}",
         201,
         {NULL},
         "id=id",
         .headers = "Sforce-Call-Options: client=acme-sync"},
        CONNECT("0.channel=" ALL, HEADER "entityName=Contact", HEADER "recordIds.0=$id$",
                HEADER "changeType=CREATE",
                HEADER "changeOrigin=com/salesforce/api/rest/66.0;client=acme-sync",
                HEADER "changedFields#0", "1.channel=/meta/connect", "1.advice.timeout=110000"),
        CONNECT("0.channel=/meta/connect", "0.successful=true", "0.advice!", "1!"),
        {"POST", BAYEUX, SUBSCRIBE(ALL, "-2"), 200, {NULL}, .headers = COOKIE},
        CONNECT(PAYLOAD "Name.LastName=Ito", PAYLOAD "Name.FirstName!",
                PAYLOAD "MailingAddress.Street=1 Quay", PAYLOAD "MailingAddress.City=Kobe",
                PAYLOAD "CreatedDate=2026-11-21T07:00:00.000Z", PAYLOAD "Title!", PAYLOAD "Id!",
                HEADER "commitTimestamp=1795244400000"), )

JOURNEY(an_update_with_what_changed, SELECT("\"Contact\""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\",\"Phone\":\"1\",\"Title\":\"Buyer\"}"),
        HANDSHAKE, SUBSCRIBED("/data/ContactChangeEvent", "-1"),
        {"PATCH",
         CONTACTS "/$a$",
         "{\"Phone\":null,\"Title\":\"Buyer\",\"MailingCity\":\"Kobe\",\"FirstName\":\"Mai\"}",
         204,
         {NULL}},
        CONNECT("0.channel=/data/ContactChangeEvent", HEADER "changeType=UPDATE",
                HEADER "changedFields#4", HEADER "changedFields~MailingAddress.City",
                HEADER "changedFields~Name.FirstName", PAYLOAD "Phone=null", PAYLOAD "Title!",
                PAYLOAD "MailingAddress={\"City\":\"Kobe\"}"),
        CONNECT("1!"), )

JOURNEY(a_person_is_told_apart_from_an_api, SELECT("\"Contact\""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        {"POST",
         "/__sim/edit",
         "{\"object\":\"Contact\",\"id\":\"$a$\",\"set\":{\"Phone\":\"2\"}}",
         200,
         {NULL}},
        CONNECT(HEADER "changeOrigin=com/salesforce/api/soap/66.0;client=SfdcInternalAPI/",
                PAYLOAD "Phone=2", HEADER "commitUser~005", PAYLOAD "LastModifiedById~005",
                HEADER "changedFields#3"),
        {"PATCH", CONTACTS "/$a$", "{\"Phone\":\"3\"}", 204, {NULL}},
        CONNECT(HEADER "changeOrigin=com/salesforce/api/rest/66.0"),
        {"DELETE", CONTACTS "/$a$", NULL, 204, {NULL}},
        CONNECT(HEADER "changeType=DELETE", PAYLOAD "LastModifiedDate!", HEADER "changedFields#0"),
        {"POST", "/__sim/restore", "{\"object\":\"Contact\",\"id\":\"$a$\"}", 200, {NULL}},
        CONNECT(HEADER "changeType=UNDELETE", PAYLOAD "Name.LastName=Ito", PAYLOAD "Phone=3"), )

JOURNEY(a_merge_is_a_delete_and_an_update, SELECT("\"Contact\""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Ito\"}"), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        {"POST",
         "/__sim/merge",
         "{\"object\":\"Contact\",\"into\":\"$a$\",\"from\":\"$b$\"}",
         200,
         {NULL}},
        CONNECT(HEADER "changeType=DELETE", HEADER "recordIds.0=$b$", HEADER "sequenceNumber=1",
                "1.data.payload.ChangeEventHeader.changeType=UPDATE",
                "1.data.payload.ChangeEventHeader.recordIds.0=$a$",
                "1.data.payload.ChangeEventHeader.sequenceNumber=2", "2.channel=/meta/connect"), )

/* A deleted account takes its contacts along: one transaction, one event for both. */
JOURNEY(the_same_change_of_several_is_one_event, SELECT("\"Contact\",\"Account\""),
        MAKE("p", "Account", "{\"Name\":\"Port\"}"),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\",\"AccountId\":\"$p$\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Mori\",\"AccountId\":\"$p$\"}"), HANDSHAKE,
        SUBSCRIBED("/data/ContactChangeEvent", "-2"),
        {"DELETE", ACCOUNTS "/$p$", NULL, 204, {NULL}},
        CONNECT("3.channel=/meta/connect", "2.data.payload.ChangeEventHeader.recordIds#2",
                "2.data.payload.ChangeEventHeader.changeType=DELETE",
                "0.data.payload.ChangeEventHeader.changeType=CREATE",
                "1.data.payload.ChangeEventHeader.changeType=CREATE",
                "1.data.payload.ChangeEventHeader.recordIds#1"), )

#define SOAP_MERGE                                                                                 \
    "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" "                           \
    "xmlns=\"urn:partner.soap.sforce.com\"><e:Header><SessionHeader><sessionId>"                   \
    "simulated-salesforce-token</sessionId></SessionHeader><CallOptions><client>other</client>"    \
    "</CallOptions></e:Header><e:Body><merge><mergeRequests><masterRecord><type>Contact</type>"    \
    "<Id>$a$</Id></masterRecord><recordToMergeIds>$b$</recordToMergeIds></mergeRequests></merge>"  \
    "</e:Body></e:Envelope>"

JOURNEY(a_merge_through_soap, SELECT("\"Contact\""), MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Mori\"}"), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        {"POST",
         "/services/Soap/u/66.0",
         SOAP_MERGE,
         200,
         {"~<success>true</success>"},
         .token = "",
         .headers = "Content-Type: text/xml"},
        CONNECT(HEADER "changeType=DELETE", HEADER "recordIds.0=$b$",
                HEADER "changeOrigin=com/salesforce/api/soap/66.0;client=other",
                "1.data.payload.ChangeEventHeader.changeType=UPDATE"), )

#define COLLECTION DATA "/composite/sobjects"
#define BOTH(all_or_none, second)                                                                  \
    "{\"allOrNone\":" all_or_none ",\"records\":["                                                 \
    "{\"attributes\":{\"type\":\"Contact\"},\"id\":\"$a$\",\"Title\":\"Chief\"},"                  \
    "{\"attributes\":{\"type\":\"Contact\"},\"id\":\"$b$\"," second "}]}"

/* What is rolled back is no news. */
JOURNEY(a_collection_is_one_transaction, SELECT("\"Contact\""),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Mori\"}"), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        {"PATCH", COLLECTION, BOTH("true", "\"LastName\":\"\""), 200, {"1.success=false"}},
        CONNECT("0.channel=/meta/connect"),
        {"PATCH", COLLECTION, BOTH("false", "\"Title\":\"Chief\""), 200, {"1.success=true"}},
        CONNECT(HEADER "recordIds#2", PAYLOAD "Title=Chief", "1.channel=/meta/connect"),
        {"PATCH", COLLECTION, BOTH("false", "\"LastName\":\"\""), 200, {"1.success=false"}},
        CONNECT(HEADER "recordIds#1", HEADER "recordIds.0=$a$", "1.channel=/meta/connect"), )

JOURNEY(only_selected_objects, MAKE("a", "Account", "{\"Name\":\"Port\"}"),
        {"GET", "/__sim/events", NULL, 200, {"selected#0", "published=0"}},
        {"POST", "/__sim/events", "{\"selected\":[\"Nothing\"]}", 400, {"error~selected: 0"}},
        SELECT("\"Contact\""), MAKE("b", "Account", "{\"Name\":\"Bay\"}"),
        MAKE("c", "Contact", "{\"LastName\":\"Ito\"}"),
        {"GET", "/__sim/events", NULL, 200, {"selected.0=Contact", "published=1", "kept=1"}}, )

/* The selection as an administrator's tools see it; it is not changed by them here. */
JOURNEY(the_selection_can_be_asked_for, SELECT("\"Contact\",\"Account\""),
        {"GET",
         "/services/data/v66.0/tooling/query?q=SELECT+SelectedEntity+FROM+"
         "PlatformEventChannelMember+WHERE+EventChannel='ChangeEvents'+ORDER+BY+SelectedEntity",
         NULL,
         200,
         {"totalSize=2", "records.0.SelectedEntity=AccountChangeEvent",
          "records.1.SelectedEntity=ContactChangeEvent"}},
        SELECT(""),
        {"GET",
         "/services/data/v66.0/tooling/query?q=SELECT+Id+FROM+PlatformEventChannelMember",
         NULL,
         200,
         {"totalSize=0"}},
        {"POST", "/services/data/v66.0/tooling/sobjects/PlatformEventChannelMember", "{}", 405}, )

JOURNEY(
    what_was_missed_comes_again_for_72_hours, SELECT("\"Contact\""), HANDSHAKE,
    MAKE("a", "Contact", "{\"LastName\":\"One\"}"), SUBSCRIBED(ALL, "-2"),
    {"POST",
     BAYEUX,
     ASK,
     200,
     {PAYLOAD "Name.LastName=One"},
     "r=0.data.event.replayId",
     .headers = COOKIE},
    {"POST", CONTACTS, "{\"LastName\":\"Two\"}", 201, {NULL}, .advance_ms = 60 * HOUR_MS},
    HANDSHAKE, SUBSCRIBED(ALL, "$r$"), CONNECT(PAYLOAD "Name.LastName=Two", "2!"),
    SUBSCRIBED(ALL, "-1"), CONNECT("1!"),
    {"GET", "/__sim/events", NULL, 200, {"kept=1"}, .advance_ms = 13 * HOUR_MS}, HANDSHAKE,
    {"POST",
     BAYEUX,
     SUBSCRIBE(ALL, "$r$"),
     200,
     {"0.successful=false",
      "0.error=400::The replayId {$r$} you provided was invalid.  Please provide a valid ID, -2 to "
      "replay all events, or -1 to replay only new events.",
      "0.subscription=" ALL},
     .headers = COOKIE},
    {"POST",
     BAYEUX,
     SUBSCRIBE(ALL, "7"),
     200,
     {"0.error~400::The replayId {7}"},
     .headers = COOKIE},
    SUBSCRIBED(ALL, "-2"), CONNECT(PAYLOAD "Name.LastName=Two", "2!"), )

JOURNEY(a_client_that_stays_away_is_unknown, SELECT("\"Contact\""), HANDSHAKE,
        SUBSCRIBED(ALL, "-1"),
        {"POST",
         BAYEUX,
         ASK,
         200,
         {"0.successful=true"},
         .headers = COOKIE,
         .advance_ms = 40 * SECOND_MS},
        {"POST",
         BAYEUX,
         ASK,
         200,
         {"0.successful=false", "0.error=403::Unknown client", "0.advice.reconnect=handshake"},
         .headers = COOKIE,
         .advance_ms = 41 * SECOND_MS},
        HANDSHAKE, MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        CONNECT("0.channel=/meta/connect"), /* it did not subscribe again */
        {"POST", "/__sim/events", "{\"forget_clients\":true}", 200, {NULL}},
        CONNECT("0.error=403::Unknown client"), HANDSHAKE, CONNECT("0.successful=true"),
        {"POST", "/__sim/events", "{\"disconnect\":true}", 200, {NULL}},
        CONNECT("0.channel=/meta/disconnect", "1.channel=/meta/connect", "1.successful=true"),
        CONNECT("0.error=403::Unknown client"),
        {"POST",
         BAYEUX,
         "[{\"channel\":\"/meta/connect\",\"connectionType\":\"long-polling\"}]",
         200,
         {"0.error=403::Client has not completed handshake"}}, )

JOURNEY(leaving, SELECT("\"Contact\""), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        {"POST",
         BAYEUX,
         "[{\"channel\":\"/meta/unsubscribe\",\"clientId\":\"$c$\",\"subscription\":\"" ALL "\"}]",
         200,
         {"0.successful=true"},
         .headers = COOKIE},
        CONNECT("0.channel=/meta/connect"),
        {"POST",
         BAYEUX,
         "[{\"channel\":\"/meta/disconnect\",\"clientId\":\"$c$\"}]",
         200,
         {"0.successful=true"},
         .headers = COOKIE},
        CONNECT("0.error=403::Unknown client"),
        {"GET", "/__sim/events", NULL, 200, {"clients=0"}}, )

#define DENIED "0.error=403::Handshake denied", "0.advice.reconnect=none"

JOURNEY(
    who_may_not,
    {"POST",
     BAYEUX,
     SHAKE,
     200,
     {DENIED, "0.ext.sfdc.failureReason=401::Authentication invalid", "0.clientId!"},
     .token = "wrong"},
    {"POST",
     BAYEUX,
     SHAKE,
     200,
     {DENIED, "0.ext.sfdc.failureReason=401::Request requires authentication."},
     .token = ""},
    {"POST",
     BAYEUX,
     SHAKE,
     200,
     {"0.successful=true"},
     .token = "",
     .headers = "Authorization: OAuth simulated-salesforce-token"},
    HANDSHAKE,
    {"POST",
     BAYEUX,
     ASK,
     200,
     {"0.error=401::Authentication invalid", "0.advice.reconnect=none", "0.clientId=$c$"},
     .headers = COOKIE,
     .token = "wrong"},
    {"POST",
     BAYEUX,
     ASK,
     200,
     {"0.error~400::Client $c$ has established a session, but no BAYEUX_BROWSER cookie present"}},
    {"POST", "/__sim/events", "{\"clients_max\":1}", 200, {NULL}},
    {"POST",
     BAYEUX,
     SHAKE,
     200,
     {DENIED, "0.ext.sfdc.failureReason=403::Organization concurrent user limit exceeded"}}, )

JOURNEY(too_busy, HANDSHAKE, {"POST", "/__sim/events", "{\"busy\":3}", 200, {NULL}},
        {"POST", BAYEUX, SHAKE, 200, {DENIED, "0.ext.sfdc.failureReason~503::Server is too busy"}},
        CONNECT("0.successful=false", "0.ext.sfdc.failureReason~503::Server is too busy"),
        {"POST",
         BAYEUX,
         SUBSCRIBE(ALL, "-1"),
         200,
         {"0.error=403::Cannot create channel " ALL, "0.ext.sfdc.failureReason~503::"},
         .headers = COOKIE},
        CONNECT("0.successful=true"), )

JOURNEY(events_of_a_day_are_limited, SELECT("\"Contact\""), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        {"POST", "/__sim/events", "{\"delivered_max\":2}", 200, {NULL}},
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Mori\"}"), SUBSCRIBED(ALL, "-2"),
        CONNECT("2.channel=/meta/connect"),
        {"POST",
         BAYEUX,
         SUBSCRIBE(ALL, "-1"),
         200,
         {"0.error=403::Organization total events daily limit exceeded"},
         .headers = COOKIE},
        {"GET", "/__sim/events", NULL, 200, {"delivered=2"}},
        {"GET", "/__sim/events", NULL, 200, {"delivered=0"}, .advance_ms = DAY_MS}, HANDSHAKE,
        SUBSCRIBED(ALL, "-1"), )

JOURNEY_WITH(editions_allow_different_numbers, {.plan = "developer"},
             {"GET",
              DATA "/limits",
              NULL,
              200,
              {"DailyDeliveredPlatformEvents.Max=10000",
               "DailyDeliveredPlatformEvents.Remaining=10000",
               "DurableStreamingApiConcurrentClients.Max=20"}},
             SELECT("\"Contact\""), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
             MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"), CONNECT("1.channel=/meta/connect"),
             {"GET",
              DATA "/limits",
              NULL,
              200,
              {"DailyDeliveredPlatformEvents.Remaining=9999",
               "DurableStreamingApiConcurrentClients.Remaining=19"}},
             {"GET",
              DATA "/limits",
              NULL,
              200,
              {"DailyDeliveredPlatformEvents.Remaining=10000"},
              .advance_ms = DAY_MS}, )

JOURNEY(gaps_and_overflows, SELECT("\"Contact\""), HANDSHAKE, SUBSCRIBED(ALL, "-1"),
        MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        {"POST", "/__sim/events", "{\"gap\":{\"object\":\"Contact\",\"id\":\"$a$\"}}", 200, {NULL}},
        {"POST", "/__sim/events", "{\"overflow\":{\"object\":\"Contact\"}}", 200, {NULL}},
        CONNECT("1.data.payload.ChangeEventHeader.changeType=GAP_UPDATE",
                "1.data.payload.ChangeEventHeader.recordIds.0=$a$",
                "1.data.payload.ChangeEventHeader.changeOrigin=", "1.data.payload.Name!",
                "2.data.payload.ChangeEventHeader.changeType=GAP_OVERFLOW",
                "2.data.payload.ChangeEventHeader.recordIds.0=000000000000000AAA"),
        {"POST",
         "/__sim/events",
         "{\"gap\":{\"object\":\"Contact\",\"id\":\"$a$\",\"kind\":\"NONE\"}}",
         400,
         {"error~kind"}}, )

JOURNEY(what_is_no_channel_and_no_request, HANDSHAKE,
        {"POST",
         BAYEUX,
         SUBSCRIBE("/data/NothingChangeEvent", "-1"),
         200,
         {"0.error=400::The channel you requested to subscribe to doesn't exist "
          "{/data/NothingChangeEvent}"},
         .headers = COOKIE},
        {"POST",
         BAYEUX,
         SUBSCRIBE("/data/contactChangeEvent", "-1"),
         200,
         {"0.error~400::The channel"},
         .headers = COOKIE},
        {"POST",
         BAYEUX,
         SUBSCRIBE("data", "-1"),
         200,
         {"0.error=400::Channel subscriptions must start with a leading '/'"},
         .headers = COOKIE},
        {"POST",
         BAYEUX,
         "[{\"channel\":\"/meta/subscribe\",\"clientId\":\"$c$\"}]",
         200,
         {"0.error=400::Channel name not specified"},
         .headers = COOKIE},
        {"POST",
         BAYEUX,
         "[{\"channel\":\"/meta/connect\",\"clientId\":\"$c$\",\"connectionType\":\"websocket\"}]",
         200,
         {"0.error=400::Invalid connection type {websocket}"},
         .headers = COOKIE},
        {"POST", "/cometd", SHAKE, 200, {"0.error~400::API version in the URI is mandatory"}},
        {"POST", "/cometd/36.0", SHAKE, 200, {"0.error~400::Unsupported API version"}},
        {"POST", BAYEUX "handshake", SHAKE, 200, {"0.successful=true"}},
        {"POST", BAYEUX, "nothing", 400, {NULL}}, {"GET", BAYEUX, NULL, 405, {NULL}}, )

#define WAIT                                                                                       \
    "[{\"channel\":\"/meta/connect\",\"clientId\":\"$c$\",\"connectionType\":\"long-polling\"}]"

/* With time to wait a connect without news comes back when it is over, with news or without that wish at once. */
static void a_connect_may_be_held(void **state)
{
    static const struct {
        struct step step;
        int64_t takes_ms;
    } rows[] = {
        {SELECT("\"Contact\""), 0},
        {HANDSHAKE, 0},
        {SUBSCRIBED(ALL, "-1"), 0},
        {CONNECT("0.successful=true"), 0},
        {{"POST", BAYEUX, WAIT, 200, {"0.successful=true", "1!"}, .headers = COOKIE}, 1000},
        {MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"), 0},
        {{"POST", BAYEUX, WAIT, 200, {"0.channel=" ALL}, .headers = COOKIE}, 0},
        {{"POST", BAYEUX, WAIT, 200, {"0.error~401::"}, .headers = COOKIE, .token = "wrong"}, 0},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new,
                  &(struct simulator_options){.seed = 7, .hold_ms = 1000});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t began_ms = clock_mono_ms(journey.env.clock);

        journey_step(&journey, &rows[i].step, i);
        assert_int_equal(clock_mono_ms(journey.env.clock) - began_ms, rows[i].takes_ms);
    }
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_record_with_all_that_is_not_empty),
        cmocka_unit_test(an_update_with_what_changed),
        cmocka_unit_test(a_person_is_told_apart_from_an_api),
        cmocka_unit_test(a_merge_is_a_delete_and_an_update),
        cmocka_unit_test(the_same_change_of_several_is_one_event),
        cmocka_unit_test(a_merge_through_soap),
        cmocka_unit_test(a_collection_is_one_transaction),
        cmocka_unit_test(only_selected_objects),
        cmocka_unit_test(the_selection_can_be_asked_for),
        cmocka_unit_test(what_was_missed_comes_again_for_72_hours),
        cmocka_unit_test(a_client_that_stays_away_is_unknown),
        cmocka_unit_test(leaving),
        cmocka_unit_test(who_may_not),
        cmocka_unit_test(too_busy),
        cmocka_unit_test(events_of_a_day_are_limited),
        cmocka_unit_test(editions_allow_different_numbers),
        cmocka_unit_test(gaps_and_overflows),
        cmocka_unit_test(what_is_no_channel_and_no_request),
        cmocka_unit_test(a_connect_may_be_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
