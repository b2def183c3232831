/* The SOAP door of the Salesforce simulator: sessions, merge, the recycle bin, faults. */
#include "tests/unit/simulators/salesforce_journey.h"

#include "core/xx.h"

#define DOOR "/services/Soap/u/66.0"
#define DEAL "{\"Name\":\"Hull\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-12-01\"}"
#define ENVELOPE "http://schemas.xmlsoap.org/soap/envelope/"

/* One call; %s are values of the journey. token NULL = no session header. */
static const struct xx_node *soap(struct journey *journey, const char *url, const char *token,
                                  const char *method, int status)
{
    struct str filled = journey_fill(journey, method);
    struct str header =
        token ? arena_printf(&journey->arena,
                             "<soapenv:Header><p:SessionHeader><p:sessionId>%s</p:sessionId>"
                             "</p:SessionHeader></soapenv:Header>",
                             journey_fill(journey, token).at)
              : STR("");
    struct str body = arena_printf(
        &journey->arena,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soapenv:Envelope xmlns:soapenv=\"" ENVELOPE
        "\" xmlns:p=\"urn:partner.soap.sforce.com\">%s<soapenv:Body "
        "xmlns=\"urn:partner.soap.sforce.com\">%s</soapenv:Body></soapenv:Envelope>",
        header.at, filled.at);
    const struct xx_node *root, *answer;
    struct error err = {0};

    journey_send_with(journey, "POST", str_of(url), body, "",
                      STR("Content-Type: text/xml\nHost: 127.0.0.1:8103"));
    if (journey->last.status != status) {
        fail_msg("%s: want %d, got %d: %s", filled.at, status, journey->last.status,
                 journey->last.body.at);
    }
    if (xx_parse(&journey->arena, journey->last.body, &root, &err) ||
        xx_need(root, ENVELOPE, "Body", &answer, &err)) {
        fail_msg("%s: %s", filled.at, err.message);
    }
    return xx_first(answer);
}

/* "result.userInfo.userName": the text of the first one of each; "(absent)" when there is none. */
static struct str at(const struct xx_node *node, const char *path)
{
    struct str rest = str_of(path);

    while (node && rest.at) {
        struct str name = str_cut(&rest, '.');
        char text[64];

        snprintf(text, sizeof text, "%" PRI_STR, STR_ARG(name));
        node = xx_child(node, NULL, text);
    }
    return node ? xx_text(node) : STR("(absent)");
}

static void expect(const struct xx_node *node, const char *path, const char *wanted)
{
    struct str got = at(node, path);

    if (!str_equal(got, str_of(wanted))) {
        fail_msg("%s: want '%s', got '%.*s'", path, wanted, STR_ARG(got));
    }
}

static void keep(struct journey *journey, const char *name, struct str text)
{
    json_object_set_new(journey->saved, name, json_stringn(text.at, text.len));
}

static void walk(struct journey *journey, const struct step *steps, size_t count)
{
    journey_walk(journey, steps, count);
}

#define WALK(journey, ...)                                                                         \
    do {                                                                                           \
        static const struct step steps_[] = {__VA_ARGS__};                                         \
        walk(journey, steps_, COUNT_OF(steps_));                                                   \
    } while (0)

static void begin(struct journey *journey)
{
    journey_begin(journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    keep(journey, "token", str_of(simulator_token(journey->sim)));
}

static void a_login_gives_a_session_for_every_door(void **state)
{
    struct journey journey;
    const struct xx_node *answer;

    (void)state;
    begin(&journey);
    answer = soap(&journey, DOOR, NULL,
                  "<login><username>integration@crm.example</username>"
                  "<password>simulated-password</password></login>",
                  200);
    assert_true(xx_is(answer, "urn:partner.soap.sforce.com", "loginResponse"));
    expect(answer, "result.passwordExpired", "false");
    expect(answer, "result.userInfo.userName", "integration@crm.example");
    assert_true(str_starts(at(answer, "result.serverUrl"),
                           STR("http://127.0.0.1:8103/services/Soap/u/66.0/00D")));
    keep(&journey, "session", at(answer, "result.sessionId"));
    keep(&journey, "organization", at(answer, "result.userInfo.organizationId"));
    WALK(&journey, {"GET", DATA "/limits", NULL, 200, {0}, .token = "$session$"});
    answer = soap(&journey, DOOR "/00Dxx0000000001", "$session$", "<getUserInfo/>", 200);
    expect(answer, "result.organizationId", journey_fill(&journey, "$organization$").at);
    expect(answer, "result.userFullName", "Integration User");
    answer = soap(&journey, DOOR, "$session$", "<getServerTimestamp/>", 200);
    expect(answer, "result.timestamp", "2026-11-21T07:00:00.000Z");
    soap(&journey, DOOR, "$session$", "<logout/>", 200);
    WALK(&journey, {"GET", DATA "/limits", NULL, 401, {0}, .token = "$session$"});
    answer = soap(&journey, DOOR, "$session$", "<getUserInfo/>", 500);
    expect(answer, "faultcode", "sf:INVALID_SESSION_ID");
    journey_end(&journey);
}

static void faults_are_faults(void **state)
{
    struct journey journey;
    const struct xx_node *fault;

    (void)state;
    begin(&journey);
    fault = soap(
        &journey, DOOR, NULL,
        "<login><username>integration@crm.example</username><password>x</password></login>", 500);
    expect(fault, "faultcode", "sf:INVALID_LOGIN");
    expect(fault, "detail.LoginFault.exceptionCode", "INVALID_LOGIN");
    expect(soap(&journey, DOOR, NULL, "<getUserInfo/>", 500), "faultcode", "sf:INVALID_SESSION_ID");
    expect(soap(&journey, "/services/Soap/u/20.0", NULL, "<login/>", 500), "faultcode",
           "sf:UNSUPPORTED_API_VERSION");
    expect(soap(&journey, DOOR, "$token$", "<fly/>", 500), "faultcode", "soapenv:Client");
    expect(soap(&journey, DOOR, "$token$", "", 500), "faultcode", "soapenv:Client");
    WALK(&journey,
         {"POST", DOOR, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 500, {0}, .token = ""},
         {"POST",
          DOOR,
          "<s:Letter xmlns:s=\"" ENVELOPE "\"><s:Header><SessionHeader><sessionId>$token$"
          "</sessionId></SessionHeader></s:Header><s:Body><getUserInfo/></s:Body></s:Letter>",
          500,
          {0},
          .token = ""},
         {"POST", DOOR, "{}", 500, {0}, .token = ""}, {"GET", DOOR, NULL, 405, {0}, .token = ""});
    journey_end(&journey);
}

static void merged_records_go_and_their_children_stay(void **state)
{
    struct journey journey;
    const struct xx_node *answer;

    (void)state;
    begin(&journey);
    WALK(&journey, MAKE("one", "Account", "{\"Name\":\"Quay\"}"),
         MAKE("two", "Account", "{\"Name\":\"Quay Ltd\"}"),
         MAKE("three", "Account", "{\"Name\":\"Kai\"}"),
         MAKE("ada", "Contact", "{\"LastName\":\"Lind\",\"AccountId\":\"$three$\"}"));
    answer = soap(&journey, DOOR, "$token$",
                  "<merge><mergeRequests><masterRecord><type>Account</type><Id>$one$</Id>"
                  "<Phone>+49 &amp; 30</Phone></masterRecord>"
                  "<recordToMergeIds>$two$</recordToMergeIds>"
                  "<recordToMergeIds>$three$</recordToMergeIds></mergeRequests></merge>",
                  200);
    expect(answer, "result.success", "true");
    expect(answer, "result.id", journey_fill(&journey, "$one$").at);
    expect(answer, "result.mergedRecordIds", journey_fill(&journey, "$two$").at);
    WALK(&journey, {"GET", ACCOUNTS "/$one$", NULL, 200, {"Name=Quay", "Phone=+49 & 30"}},
         {"GET", ACCOUNTS "/$two$", NULL, 404, {0}},
         {"GET", CONTACTS "/$ada$", NULL, 200, {"AccountId=$one$"}});
    answer =
        soap(&journey, DOOR, "$token$",
             "<merge><mergeRequests><masterRecord><type>Account</type><Id>$one$</Id>"
             "</masterRecord><recordToMergeIds>$two$</recordToMergeIds></mergeRequests></merge>",
             200);
    expect(answer, "result.success", "false");
    expect(answer, "result.errors.statusCode", "ENTITY_IS_DELETED");
    journey_end(&journey);
}

static void a_refused_merge_changes_nothing(void **state)
{
    struct journey journey;
    const struct xx_node *answer;

    (void)state;
    begin(&journey);
    WALK(&journey, MAKE("one", "Account", "{\"Name\":\"Quay\"}"),
         MAKE("two", "Account", "{\"Name\":\"Quay Ltd\"}"),
         MAKE("three", "Account", "{\"Name\":\"Kai\"}"),
         MAKE("ada", "Contact", "{\"LastName\":\"Lind\"}"), MAKE("deal", "Opportunity", DEAL),
         MAKE("other", "Opportunity", DEAL));
    answer = soap(&journey, DOOR, "$token$",
                  "<merge><mergeRequests><masterRecord><type>Account</type><Id>$one$</Id>"
                  "<Name>Changed</Name></masterRecord><recordToMergeIds>$two$</recordToMergeIds>"
                  "<recordToMergeIds>$ada$</recordToMergeIds></mergeRequests>"
                  "<mergeRequests><masterRecord><type>Account</type><Id>$one$</Id>"
                  "</masterRecord></mergeRequests></merge>",
                  200);
    expect(answer, "result.success", "false");
    assert_int_equal(xx_is(xx_next(xx_first(answer)), NULL, "result"), 1);
    expect(xx_next(xx_first(answer)), "errors.statusCode", "REQUIRED_FIELD_MISSING");
    answer = soap(&journey, DOOR, "$token$",
                  "<merge><mergeRequests><masterRecord><type>Account</type><Id>$one$</Id>"
                  "</masterRecord><recordToMergeIds>$two$</recordToMergeIds>"
                  "<recordToMergeIds>$two$</recordToMergeIds></mergeRequests><mergeRequests>"
                  "<masterRecord><type>Account</type><Id>$one$</Id></masterRecord>"
                  "<recordToMergeIds>$two$</recordToMergeIds><recordToMergeIds>$three$"
                  "</recordToMergeIds><recordToMergeIds>$ada$</recordToMergeIds></mergeRequests>"
                  "</merge>",
                  200);
    expect(xx_next(xx_first(answer)), "errors.statusCode", "INVALID_NUMBER_OF_RECORDS");
    expect(answer, "result.errors.statusCode", "DUPLICATE_VALUE");
    answer = soap(&journey, DOOR, "$token$",
                  "<merge><mergeRequests><masterRecord><type>Opportunity</type><Id>$deal$</Id>"
                  "<Name>Changed</Name></masterRecord><recordToMergeIds>$other$</recordToMergeIds>"
                  "</mergeRequests></merge>",
                  200);
    expect(answer, "result.success", "false");
    answer =
        soap(&journey, DOOR, "$token$.readonly",
             "<merge><mergeRequests><masterRecord><type>Account</type><Id>$one$</Id>"
             "</masterRecord><recordToMergeIds>$two$</recordToMergeIds></mergeRequests></merge>",
             200);
    expect(answer, "result.errors.statusCode", "INSUFFICIENT_ACCESS_OR_READONLY");
    WALK(&journey, {"GET", ACCOUNTS "/$one$", NULL, 200, {"Name=Quay"}},
         {"GET", ACCOUNTS "/$two$", NULL, 200, {0}},
         {"GET", ROWS "/Opportunity/$deal$", NULL, 200, {"Name=Hull"}});
    journey_end(&journey);
}

static void the_bin_gives_back_and_is_emptied(void **state)
{
    struct journey journey;
    const struct xx_node *answer;

    (void)state;
    begin(&journey);
    WALK(&journey, MAKE("one", "Contact", "{\"LastName\":\"Lind\"}"),
         MAKE("two", "Contact", "{\"LastName\":\"Ode\"}"));
    answer = soap(&journey, DOOR, "$token$",
                  "<delete><ids>$one$</ids><ids>$two$</ids><ids>nonsense</ids></delete>", 200);
    expect(answer, "result.success", "true");
    expect(xx_next(xx_next(xx_first(answer))), "errors.statusCode", "MALFORMED_ID");
    WALK(&journey, {"GET", CONTACTS "/$one$", NULL, 404, {0}});
    answer = soap(&journey, DOOR, "$token$", "<undelete><ids>$one$</ids></undelete>", 200);
    expect(answer, "result.success", "true");
    WALK(&journey, {"GET", CONTACTS "/$one$", NULL, 200, {0}});
    answer = soap(&journey, DOOR, "$token$", "<undelete><ids>$one$</ids></undelete>", 200);
    expect(answer, "result.errors.statusCode", "UNDELETE_FAILED");
    answer =
        soap(&journey, DOOR, "$token$", "<emptyRecycleBin><ids>$two$</ids></emptyRecycleBin>", 200);
    expect(answer, "result.success", "true");
    answer = soap(&journey, DOOR, "$token$", "<undelete><ids>$two$</ids></undelete>", 200);
    expect(answer, "result.success", "false");
    answer =
        soap(&journey, DOOR, "$token$", "<emptyRecycleBin><ids>$one$</ids></emptyRecycleBin>", 200);
    expect(answer, "result.success", "false");
    WALK(&journey, {"GET", CONTACTS "/$one$", NULL, 200, {0}});
    journey_end(&journey);
}

#define CONVERT(more)                                                                              \
    "<convertLead><leadConverts><convertedStatus>Closed - Converted</convertedStatus>" more        \
    "<leadId>$lead$</leadId></leadConverts></convertLead>"

static void a_lead_becomes_an_account_and_a_contact(void **state)
{
    struct journey journey;
    const struct xx_node *answer;

    (void)state;
    begin(&journey);
    WALK(&journey, MAKE("lead", "Lead", "{\"LastName\":\"Lind\",\"Company\":\"Quay\"}"));
    answer = soap(&journey, DOOR, "$token$",
                  "<convertLead><leadConverts><convertedStatus>Open</convertedStatus>"
                  "<leadId>$lead$</leadId></leadConverts></convertLead>",
                  200);
    expect(answer, "result.errors.statusCode", "INVALID_STATUS");
    answer =
        soap(&journey, DOOR, "$token$", CONVERT("<accountId>001000000000001AAA</accountId>"), 200);
    expect(answer, "result.errors.statusCode", "FUNCTIONALITY_NOT_ENABLED");
    answer = soap(&journey, DOOR, "$token$",
                  CONVERT("<doNotCreateOpportunity>true</doNotCreateOpportunity>"), 200);
    expect(answer, "result.success", "true");
    expect(answer, "result.opportunityId", "");
    keep(&journey, "account", at(answer, "result.accountId"));
    keep(&journey, "contact", at(answer, "result.contactId"));
    WALK(&journey,
         {"GET", CONTACTS "/$contact$", NULL, 200, {"LastName=Lind", "AccountId=$account$"}},
         {"GET",
          ROWS "/Lead/$lead$",
          NULL,
          200,
          {"IsConverted=true", "ConvertedContactId=$contact$"}});
    answer = soap(&journey, DOOR, "$token$", CONVERT(""), 200);
    expect(answer, "result.success", "false");
    WALK(&journey, MAKE("lead", "Lead", "{\"LastName\":\"Ode\",\"Company\":\"Mole\"}"));
    answer = soap(&journey, DOOR, "$token$", CONVERT(""), 200);
    assert_true(str_starts(at(answer, "result.opportunityId"), STR("006")));
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_gives_a_session_for_every_door),
        cmocka_unit_test(faults_are_faults),
        cmocka_unit_test(merged_records_go_and_their_children_stay),
        cmocka_unit_test(a_refused_merge_changes_nothing),
        cmocka_unit_test(the_bin_gives_back_and_is_emptied),
        cmocka_unit_test(a_lead_becomes_an_account_and_a_contact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
