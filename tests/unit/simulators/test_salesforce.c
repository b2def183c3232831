/* The Salesforce simulator's rows, ids, values and rights: sections 2, 7, 8, 9 of the reference. */
#include "tests/unit/simulators/salesforce_journey.h"

/* --- who may call ------------------------------------------------------------------------------ */

JOURNEY(versions_need_no_token,
        {"GET",
         "/services/data",
         NULL,
         200,
         {"35.version=66.0", "0.version=31.0", "35.url=/services/data/v66.0"},
         .token = ""},
        {"GET",
         DATA "/sobjects",
         NULL,
         401,
         {"0.errorCode=INVALID_SESSION_ID", "0.message=Session expired or invalid", "0.fields!"},
         .token = ""},
        {"GET", DATA, NULL, 200, {"sobjects=/services/data/v66.0/sobjects"}},
        {"GET", "/services/data/v30.0/limits", NULL, 410, {"0.errorCode=UNSUPPORTED_API_VERSION"}},
        {"GET", "/services/data/v99.0/limits", NULL, 404, {"0.errorCode=NOT_FOUND"}},
        {"GET", DATA "/nothing", NULL, 404, {"0.errorCode=NOT_FOUND"}})

/* The last three characters tell which of the others are capitals. */
JOURNEY(ids_are_checked,
        {"GET", ROWS "/User/0058d00000Int01AAB", NULL, 404, {"0.errorCode=NOT_FOUND"}},
        {"GET", ROWS "/User/0058d00000Int01", NULL, 404, {"0.errorCode=NOT_FOUND"}},
        {"GET", ROWS "/User/0058d00000Int01AAQ", NULL, 400, {"0.errorCode=MALFORMED_ID"}},
        {"GET", CONTACTS "/0038d00000BqTz0AAF", NULL, 404},
        {"GET", CONTACTS "/0038d00000BqTz0AAA", NULL, 400},
        {"GET", CONTACTS "/0018d00000aBcDeAAK", NULL, 400},
        {"GET", CONTACTS "/0038d00000BqTz-AAF", NULL, 400})

/* --- rows -------------------------------------------------------------------------------------- */

#define A_FIRM MAKE("firm", "Account", "{\"Name\":\"Quay\"}")
#define A_PERSON(name, last) MAKE(name, "Contact", "{\"LastName\":\"" last "\"}")

JOURNEY(a_row_is_made_read_changed_and_deleted, A_FIRM,
        {"POST",
         CONTACTS,
         "{\"attributes\":{\"type\":\"Contact\"},\"LastName\":\" Ito "
         "\",\"FirstName\":\"Mei\",\"Salutation\":\"Dr.\",\"Email\":\"mei@quay.example\","
         "\"AccountId\":\"$firm$\"}",
         201,
         {"success=true", "errors#0", "created!"},
         "id=id"},
        {"GET",
         CONTACTS "/$id$",
         NULL,
         200,
         {"attributes.type=Contact", "attributes.url=" CONTACTS "/$id$", "Id=$id$", "LastName=Ito",
          "Name=Mei Ito", "AccountId=$firm$", "CreatedDate=2026-11-21T07:00:00.000+0000",
          "SystemModstamp=2026-11-21T07:00:00.000+0000"}},
        {"GET",
         CONTACTS "/$id$?fields=Name,IsDeleted,HasOptedOutOfEmail,Title",
         NULL,
         200,
         {"Name=Mei Ito", "IsDeleted=false", "HasOptedOutOfEmail=false", "Title=null", "LastName!",
          "Id!"}},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"Title\":\"Head\",\"FirstName\":null,\"email\":\"\"}",
         204,
         {0},
         .advance_ms = 61500},
        {"GET",
         CONTACTS "/$id$",
         NULL,
         200,
         {"Title=Head", "FirstName=null", "Email=null", "Name=Ito",
          "LastModifiedDate=2026-11-21T07:01:01.000+0000",
          "CreatedDate=2026-11-21T07:00:00.000+0000",
          "SystemModstamp=2026-11-21T07:01:01.000+0000"}},
        {"DELETE", CONTACTS "/$id$", NULL, 204},
        {"GET", CONTACTS "/$id$", NULL, 404, {"0.errorCode=NOT_FOUND"}},
        {"DELETE", CONTACTS "/$id$", NULL, 404, {"0.errorCode=ENTITY_IS_DELETED", "0.fields#0"}},
        {"PATCH", CONTACTS "/$id$", "{\"Title\":\"x\"}", 404, {"0.errorCode=ENTITY_IS_DELETED"}})

JOURNEY(a_save_without_a_change_moves_the_dates, A_PERSON("id", "Ito"),
        {"PATCH", CONTACTS "/$id$", "{\"LastName\":\"Ito\"}", 204, {0}, .advance_ms = MINUTE_MS},
        {"GET",
         CONTACTS "/$id$",
         NULL,
         200,
         {"LastModifiedDate=2026-11-21T07:01:00.000+0000",
          "SystemModstamp=2026-11-21T07:01:00.000+0000"}},
        {"PATCH", CONTACTS "/$id$", "{}", 204, {0}, .advance_ms = MINUTE_MS},
        {"GET", CONTACTS "/$id$", NULL, 200, {"SystemModstamp=2026-11-21T07:02:00.000+0000"}})

JOURNEY(an_address_is_one_value_of_parts,
        MAKE("id", "Contact",
             "{\"LastName\":\"Ito\",\"MailingCity\":\"Lyon\",\"MailingStreet\":\"12 Rue\\r\\nB\"}"),
        {"GET",
         CONTACTS "/$id$",
         NULL,
         200,
         {"MailingAddress.city=Lyon", "MailingAddress.street~12 Rue", "MailingAddress.state=null",
          "MailingAddress.geocodeAccuracy=null", "OtherAddress=null"}},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"MailingAddress\":{\"city\":\"Nice\"}}",
         400,
         {"0.errorCode=INVALID_FIELD_FOR_INSERT_UPDATE"}},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"Name\":\"Ito\"}",
         400,
         {"0.errorCode=INVALID_FIELD_FOR_INSERT_UPDATE", "0.fields.0=Name"}})

JOURNEY(numbers_dates_and_flags_have_their_types,
        MAKE("id", "Account",
             "{\"Name\":\"Quay\",\"AnnualRevenue\":12500000,\"NumberOfEmployees\":240}"),
        {"GET", ACCOUNTS "/$id$", NULL, 200, {"AnnualRevenue=12500000.0", "NumberOfEmployees=240"}},
        {"PATCH", ACCOUNTS "/$id$", "{\"AnnualRevenue\":7.89}", 204},
        {"GET", ACCOUNTS "/$id$", NULL, 200, {"AnnualRevenue=7.0"}},
        {"PATCH",
         ACCOUNTS "/$id$",
         "{\"NumberOfEmployees\":\"many\"}",
         400,
         {"0.errorCode=JSON_PARSER_ERROR"}},
        {"PATCH",
         ACCOUNTS "/$id$",
         "{\"NumberOfEmployees\":1234567890}",
         400,
         {"0.errorCode=NUMBER_OUTSIDE_VALID_RANGE"}},
        MAKE("who", "Contact",
             "{\"LastName\":\"Ito\",\"Birthdate\":\"1987-02-28\",\"DoNotCall\":true}"),
        {"GET", CONTACTS "/$who$", NULL, 200, {"Birthdate=1987-02-28", "DoNotCall=true"}},
        {"PATCH",
         CONTACTS "/$who$",
         "{\"Birthdate\":\"1987-02-30\"}",
         400,
         {"0.errorCode=JSON_PARSER_ERROR"}},
        {"PATCH", CONTACTS "/$who$", "{\"LastName\":5}", 400, {"0.errorCode=JSON_PARSER_ERROR"}})

static void wrong_contacts_are_refused(void **state)
{
    static const struct {
        const char *body, *code, *says;
    } rows[] = {
        {"{}", "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"},
        {"{\"LastName\":\"  \"}", "REQUIRED_FIELD_MISSING", "[LastName]"},
        {"{\"LastName\":\"A\",\"Nope\":1}", "INVALID_FIELD",
         "No such column 'Nope' on sobject of type Contact"},
        {"{\"LastName\":\"A\",\"Id\":\"0038d00000BqTzKAAV\"}", "INVALID_FIELD",
         "cannot specify Id"},
        {"{\"LastName\":\"A\",\"SystemModstamp\":\"2026-01-01T00:00:00Z\"}",
         "INVALID_FIELD_FOR_INSERT_UPDATE", "SystemModstamp"},
        {"{\"LastName\":\"A\",\"MasterRecordId\":null}", "INVALID_FIELD_FOR_INSERT_UPDATE",
         "MasterRecordId"},
        {"{\"LastName\":\"A\",\"Email\":\"nobody\"}", "INVALID_EMAIL_ADDRESS",
         "Email: invalid email address: nobody"},
        {"{\"LastName\":\"A\",\"Email\":\"a b@c.d\"}", "INVALID_EMAIL_ADDRESS", "a b@c.d"},
        {"{\"LastName\":\"A\",\"FirstName\":\"0123456789012345678901234567890123456789x\"}",
         "STRING_TOO_LONG", "(max length=40)"},
        {"{\"LastName\":\"A\",\"AccountId\":\"0038d00000BqTzKAAV\"}", "MALFORMED_ID",
         "id value of incorrect type"},
        {"{\"LastName\":\"A\",\"AccountId\":\"0018d00000aBcDeAAB\"}", "MALFORMED_ID", "Account ID"},
        {"{\"LastName\":\"A\",\"AccountId\":\"x\"}", "MALFORMED_ID", "Account ID"},
        {"{\"LastName\":\"A\",\"AccountId\":\"0018d00000aBcDeAAK\"}", "INVALID_CROSS_REFERENCE_KEY",
         "invalid cross reference id"},
        {"[]", "JSON_PARSER_ERROR", ""},
        {"{\"LastName\"", "JSON_PARSER_ERROR", ""},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *answer = json_array_get(
            journey_send(&journey, "POST", STR(CONTACTS), str_of(rows[i].body), NULL), 0);

        if (journey.last.status != 400 ||
            !str_equal(jx_text_of(jx_get(answer, "errorCode")), str_of(rows[i].code)) ||
            !str_contains(jx_text_of(jx_get(answer, "message")), str_of(rows[i].says))) {
            fail_msg("%s: got %d %s", rows[i].body, journey.last.status, journey.last.body.at);
        }
    }
    journey_end(&journey);
}

JOURNEY(a_duplicate_in_an_email_is_fine_and_may_not_be_guessed_at,
        MAKE("one", "Contact", "{\"LastName\":\"A\",\"Email\":\"a@b.example\"}"),
        {"PATCH",
         CONTACTS "/Email/a@b.example",
         "{\"Title\":\"Head\"}",
         200,
         {"id=$one$", "created=false"}},
        MAKE("two", "Contact", "{\"LastName\":\"B\",\"Email\":\"A@b.example\"}"),
        {"PATCH",
         CONTACTS "/Email/a@b.example",
         "{\"Title\":\"x\"}",
         300,
         {"0~/sobjects/Contact/", "1~/sobjects/Contact/"}},
        {"GET", CONTACTS "/Email/nobody@b.example", NULL, 404},
        {"PATCH",
         CONTACTS "/Email/new@b.example",
         "{\"LastName\":\"C\"}",
         201,
         {"created=true"},
         "new=id"},
        {"GET", CONTACTS "/Email/new@b.example", NULL, 200, {"Id=$new$", "Email=new@b.example"}},
        {"PATCH", "/services/data/v45.0/sobjects/Contact/Email/new@b.example", "{\"Title\":\"x\"}",
         204},
        {"PATCH", CONTACTS "/Email/late@b.example?updateOnly=true", "{\"LastName\":\"C\"}", 404},
        {"PATCH",
         CONTACTS "/Email/new@b.example",
         "{\"Email\":\"x@y.example\"}",
         400,
         {"0.errorCode=INVALID_FIELD"}},
        {"PATCH",
         CONTACTS "/Title/x",
         "{\"LastName\":\"C\"}",
         404,
         {"0.message=Provided external ID field does not exist or is not accessible: Title"}})

JOURNEY(rights_are_the_tokens, A_PERSON("id", "Ito"),
        {"GET",
         CONTACTS "/$id$",
         NULL,
         401,
         {"0.errorCode=INVALID_SESSION_ID"},
         .token = "simulated-salesforce-token.expired"},
        {"GET",
         CONTACTS "/$id$",
         NULL,
         200,
         {"LastName=Ito"},
         .token = "simulated-salesforce-token.readonly"},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"Title\":\"x\"}",
         400,
         {"0.errorCode=INSUFFICIENT_ACCESS_OR_READONLY"},
         .token = "simulated-salesforce-token.readonly"},
        {"DELETE",
         CONTACTS "/$id$",
         NULL,
         400,
         {"0.errorCode=INSUFFICIENT_ACCESS_OR_READONLY"},
         .token = "simulated-salesforce-token.readonly"},
        {"POST",
         ROWS "/User",
         "{\"LastName\":\"x\"}",
         400,
         {"0.errorCode=CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}})

/* --- headers ----------------------------------------------------------------------------------- */

/* The status of a request with one more header. */
static int status_with(struct journey *journey, const char *method, const char *url,
                       const char *body, const char *name, const char *value)
{
    struct http_request request = {
        .method = journey_method(method), .url = journey_fill(journey, url), .body = str_of(body)};

    http_header_add(&request.headers, STR("Authorization"),
                    STR("Bearer simulated-salesforce-token"));
    http_header_add(&request.headers, str_of(name), str_of(value));
    http_response_fini(&journey->last);
    journey->last = (struct http_response){0};
    simulator_handle(journey->sim, &request, &journey->last);
    return journey->last.status;
}

/* Made at 07:00:00, and changed a minute later. */
static void rows_are_read_and_written_under_conditions(void **state)
{
    static const struct step made[] = {
        A_FIRM,
        A_PERSON("id", "Ito"),
        {"PATCH", CONTACTS "/$id$", "{\"Title\":\"x\"}", 204, {0}, .advance_ms = MINUTE_MS}};
    static const struct {
        const char *method, *url, *name, *value;
        int status;
    } rows[] = {
        {"PATCH", CONTACTS "/$id$", "If-Unmodified-Since", "Sat, 21 Nov 2026 07:00:59 GMT", 412},
        {"PATCH", CONTACTS "/$id$", "If-Unmodified-Since", "Sat, 21 Nov 2026 07:01:00 GMT", 204},
        {"GET", CONTACTS "/$id$", "If-Modified-Since", "Sat, 21 Nov 2026 07:01:00 GMT", 304},
        {"GET", CONTACTS "/$id$", "If-Modified-Since", "Sat, 21 Nov 2026 07:00:59 GMT", 200},
        {"GET", CONTACTS "/$id$", "If-Match", "\"x\"", 200},
        {"GET", ACCOUNTS "/$firm$", "If-Match", "\"x\"", 412},
        {"GET", ACCOUNTS "/$firm$", "If-None-Match", "*", 304},
        {"PATCH", ACCOUNTS "/$firm$", "If-None-Match", "*", 412},
        {"GET", CONTACTS "/describe", "If-Modified-Since", "Sat, 21 Nov 2026 07:00:00 GMT", 304},
        {"GET", CONTACTS "/describe", "If-Modified-Since", "Sat, 21 Nov 2026 06:59:59 GMT", 200},
        {"DELETE", CONTACTS "/$id$", "If-Unmodified-Since", "Sat, 21 Nov 2026 07:00:00 GMT", 204},
    };
    struct journey journey;
    struct str tag;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, made, COUNT_OF(made));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = status_with(&journey, rows[i].method, rows[i].url, "{\"Description\":\"y\"}",
                                 rows[i].name, rows[i].value);

        if (status != rows[i].status) {
            fail_msg("%s %s: %s: want %d, got %d", rows[i].method, rows[i].name, rows[i].value,
                     rows[i].status, status);
        }
    }
    status_with(&journey, "GET", ACCOUNTS "/$firm$", "", "Accept", "*/*");
    tag = arena_str(&journey.arena, http_header_get(&journey.last.headers, "ETag"));
    assert_int_equal(
        status_with(&journey, "PATCH", ACCOUNTS "/$firm$", "{\"Site\":\"y\"}", "If-Match", tag.at),
        204);
    clock_wait_ms(journey.env.clock, MINUTE_MS);
    assert_int_equal(
        status_with(&journey, "PATCH", ACCOUNTS "/$firm$", "{\"Site\":\"z\"}", "Accept", "*/*"),
        204);
    assert_int_equal(
        status_with(&journey, "PATCH", ACCOUNTS "/$firm$", "{\"Site\":\"y\"}", "If-Match", tag.at),
        412);
    journey_end(&journey);
}

static void heads_have_a_bound_and_alerts_can_be_passed(void **state)
{
    static const struct step made[] = {
        MAKE("id", "Contact", "{\"LastName\":\"A\",\"Email\":\"a@b.example\"}"),
        {"POST", "/__sim/duplicates", "{\"object\":\"Contact\",\"mode\":\"alert\"}", 200}};
    const char *again = "{\"LastName\":\"A\",\"Email\":\"a@b.example\"}";
    struct journey journey;
    char *longest;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    longest = arena_alloc(&journey.arena, 1, 17000);
    memset(longest, 'a', 16999);
    assert_int_equal(status_with(&journey, "GET", DATA, "", "X-Long", longest), 431);
    assert_int_equal(status_with(&journey, "GET",
                                 arena_printf(&journey.arena, DATA "/query?q=%s", longest).at, "",
                                 "Accept", "*/*"),
                     414);
    journey_walk(&journey, made, COUNT_OF(made));
    assert_int_equal(status_with(&journey, "POST", CONTACTS, again, "Sforce-Duplicate-Rule-Header",
                                 "allowSave=false"),
                     400);
    assert_int_equal(status_with(&journey, "POST", CONTACTS, again, "Sforce-Duplicate-Rule-Header",
                                 "allowSave=true"),
                     201);
    journey_send(&journey, "POST", STR("/__sim/duplicates"),
                 STR("{\"object\":\"Contact\",\"mode\":\"block\"}"), NULL);
    assert_int_equal(status_with(&journey, "POST", CONTACTS, again, "Sforce-Duplicate-Rule-Header",
                                 "allowSave=true"),
                     400);
    journey_end(&journey);
}

JOURNEY(faults_have_the_words_of_salesforce,
        {"POST", "/__sim/faults", "{\"rules\":[{\"fault\":\"throttle\",\"count\":1}]}", 200},
        {"GET", DATA, NULL, 403, {"0.errorCode=REQUEST_LIMIT_EXCEEDED"}}, {"GET", DATA, NULL, 200},
        {"GET", "/__sim/stats", NULL, 200, {"throttled=1", "calls.GET /services/data/{version}=2"}},
        {"POST", "/__sim/writes/clear", NULL, 200}, A_PERSON("id", "Ito"),
        {"GET", CONTACTS "/$id$", NULL, 200},
        {"GET",
         "/__sim/stats",
         NULL,
         200,
         {"calls.GET /services/data/{version}/sobjects/Contact/{id}=1", "writes=1"}},
        {"GET",
         "/__sim/writes",
         NULL,
         200,
         {"writes#1", "writes.0.method=create", "writes.0.object=Contact", "writes.0.id=$id$",
          "writes.0.fields.LastName=Ito"}},
        {"GET",
         "/__sim/state/Contact",
         NULL,
         200,
         {"records#1", "records.0.id=$id$", "records.0.archived=false",
          "records.0.merged_into=null", "records.0.fields.LastName=Ito"}},
        {"GET", "/__sim/state/contacts", NULL, 404},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"Contact\",\"id\":\"$id$\",\"set\":{\"Title\":\"x\"}}",
         200,
         {"id=$id$"}},
        {"GET", "/__sim/writes", NULL, 200, {"writes#1"}},
        {"GET", CONTACTS "/$id$", NULL, 200, {"Title=x"}})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_need_no_token),
        cmocka_unit_test(ids_are_checked),
        cmocka_unit_test(a_row_is_made_read_changed_and_deleted),
        cmocka_unit_test(a_save_without_a_change_moves_the_dates),
        cmocka_unit_test(an_address_is_one_value_of_parts),
        cmocka_unit_test(numbers_dates_and_flags_have_their_types),
        cmocka_unit_test(wrong_contacts_are_refused),
        cmocka_unit_test(a_duplicate_in_an_email_is_fine_and_may_not_be_guessed_at),
        cmocka_unit_test(rights_are_the_tokens),
        cmocka_unit_test(rows_are_read_and_written_under_conditions),
        cmocka_unit_test(heads_have_a_bound_and_alerts_can_be_passed),
        cmocka_unit_test(faults_have_the_words_of_salesforce),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
