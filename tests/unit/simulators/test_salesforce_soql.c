/* The Salesforce simulator's queries: section 3 of the reference. */
#include "tests/unit/simulators/salesforce_journey.h"

#define Q(text) DATA "/query?q=" text
#define QA(text) DATA "/queryAll/?q=" text

/* Two firms and four people, a second apart except the last two. */
#define PEOPLE                                                                                     \
    MAKE("quay", "Account", "{\"Name\":\"Quay\",\"NumberOfEmployees\":9}"),                        \
        MAKE("pier", "Account", "{\"Name\":\"Pier\",\"NumberOfEmployees\":40}"),                   \
        MAKE("ada", "Contact",                                                                     \
             "{\"LastName\":\"Brandt\",\"FirstName\":\"Ada\",\"AccountId\":\"$quay$\",\"Email\":"  \
             "\"ada@quay.example\",\"Birthdate\":\"1987-02-28\"}"),                                \
        {"POST",                                                                                   \
         CONTACTS,                                                                                 \
         "{\"LastName\":\"O'Brien\",\"AccountId\":\"$pier$\",\"DoNotCall\":true}",                 \
         201,                                                                                      \
         {"success=true"},                                                                         \
         "bo=id",                                                                                  \
         .advance_ms = SECOND_MS},                                                                 \
        {"POST",                                                                                   \
         CONTACTS,                                                                                 \
         "{\"LastName\":\"Żółć\",\"Title\":\"100% quick_fix\"}",                                   \
         201,                                                                                      \
         {"success=true"},                                                                         \
         "zo=id",                                                                                  \
         .advance_ms = SECOND_MS},                                                                 \
        MAKE("li", "Contact", "{\"LastName\":\"Li\",\"ReportsToId\":\"$ada$\"}")

JOURNEY(what_is_selected_comes_back_in_its_order_and_case, PEOPLE,
        {"GET",
         Q("select+id,lastname,Account.Name,account.owner.email,Account.Id,DoNotCall+from+contact+"
           "where+Id='$ada$'"),
         NULL,
         200,
         {"totalSize=1", "done=true", "nextRecordsUrl!",
          "records.0.attributes.url=" CONTACTS "/$ada$", "records.0.LastName=Brandt",
          "records.0.Account.Name=Quay", "records.0.Account.Owner.Email=integration@crm.example",
          "records.0.Account.attributes.type=Account"}},
        {"GET",
         Q("SELECT+c.Name,Contact.Title,Account.Name+FROM+Contact+c+WHERE+c.LastName='li'"),
         NULL,
         200,
         {"records#1", "records.0.Name=Li", "records.0.Account=null", "records.0.Id!"}},
        {"GET", Q("SELECT+COUNT()+FROM+Contact"), NULL, 200, {"totalSize=4", "records#0"}},
        {"GET",
         Q("SELECT+COUNT(Email)+FROM+Contact"),
         NULL,
         200,
         {"records.0.expr0=1", "records.0.attributes.type=AggregateResult"}},
        {"GET",
         Q("SELECT+MAX(SystemModstamp)+newest+FROM+Contact"),
         NULL,
         200,
         {"records.0.newest=2026-11-21T07:00:02.000+0000"}},
        {"GET", Q("SELECT+MIN(LastName)+FROM+Contact"), NULL, 200, {"records.0.expr0=Brandt"}})

/* long: a table. Each statement with the last names it finds, in order. */
static void conditions_choose(void **state)
{
    static const struct {
        const char *tail, *names;
    } rows[] = {
        {"WHERE+LastName='brandt'", "Brandt"},
        {"WHERE+LastName!='brandt'+ORDER+BY+LastName", "Li,O'Brien,Żółć"},
        {"WHERE+LastName+='O\\'Brien'", "O'Brien"},
        {"WHERE+LastName='żÓŁć'", "Żółć"},
        {"WHERE+LastName='\\u017b\\u00f3\\u0142\\u0107'", "Żółć"},
        {"WHERE+LastName+IN+('Li','Brandt')+ORDER+BY+LastName+DESC", "Li,Brandt"},
        {"WHERE+LastName+NOT+IN+('Li','Brandt')+ORDER+BY+Id", "O'Brien,Żółć"},
        {"WHERE+LastName+LIKE+'%25r%25'+ORDER+BY+LastName+ASC", "Brandt,O'Brien"},
        {"WHERE+LastName+LIKE+'_I'", "Li"},
        {"WHERE+LastName+LIKE+'_'", ""},
        {"WHERE+LastName+LIKE+'____'", "Żółć"},
        {"WHERE+Title+LIKE+'%25\\%25+quick\\_fix'", "Żółć"},
        {"WHERE+Title+LIKE+'1_0\\_%25'", ""},
        {"WHERE+Email=null+AND+Title=null+ORDER+BY+LastName", "Li,O'Brien"},
        {"WHERE+Email!=''", "Brandt"},
        {"WHERE+Email!='x@y.example'+AND+LastName<'m'+ORDER+BY+LastName", "Brandt,Li"},
        {"WHERE+DoNotCall=TRUE", "O'Brien"},
        {"WHERE+DoNotCall=false+AND+(Title!=null+OR+NOT+LastName>'C')+ORDER+BY+LastName",
         "Brandt,Żółć"},
        {"WHERE+(NOT+Account.Name='Quay')+AND+Account.Name!=null", "O'Brien"},
        {"WHERE+Account.NumberOfEmployees>=10", "O'Brien"},
        {"WHERE+Account.NumberOfEmployees<9.5", "Brandt"},
        {"WHERE+AccountId='$quay$'", "Brandt"},
        {"WHERE+AccountId+IN+('$quay$','$pier$')+ORDER+BY+Account.NumberOfEmployees+DESC",
         "O'Brien,Brandt"},
        {"WHERE+AccountId=null+ORDER+BY+LastName+DESC", "Żółć,Li"},
        {"WHERE+ReportsTo.LastName='Brandt'", "Li"},
        {"WHERE+Birthdate<2000-01-01", "Brandt"},
        {"WHERE+Birthdate=1987-02-28", "Brandt"},
        {"WHERE+SystemModstamp>2026-11-21T07:00:00Z+ORDER+BY+SystemModstamp,Id", "O'Brien,Żółć,Li"},
        {"WHERE+SystemModstamp>=2026-11-21T07:00:02Z+ORDER+BY+SystemModstamp,Id+LIMIT+1", "Żółć"},
        {"WHERE+SystemModstamp=2026-11-21T08:00:01.000%2B01:00", "O'Brien"},
        {"WHERE+(SystemModstamp=2026-11-21T07:00:02Z+AND+Id>'$zo$')+OR+SystemModstamp>2026-11-"
         "21T07:00:02Z+ORDER+BY+SystemModstamp,Id",
         "Li"},
        {"WHERE+Id>'$bo$'+ORDER+BY+Id", "Żółć,Li"},
        {"WHERE+CreatedDate<2026-11-21T07:00:02Z+ORDER+BY+CreatedDate+DESC", "O'Brien,Brandt"},
        {"WHERE+CreatedDate=TODAY+ORDER+BY+LastName+LIMIT+1", "Brandt"},
        {"WHERE+CreatedDate=YESTERDAY", ""},
        {"WHERE+CreatedDate=LAST_N_DAYS:3+ORDER+BY+LastName+LIMIT+1+OFFSET+2", "O'Brien"},
        {"WHERE+Owner.Email='integration@crm.example'+AND+LastName='Li'", "Li"},
        {"ORDER+BY+Title+NULLS+LAST,LastName+DESC", "Żółć,O'Brien,Li,Brandt"},
        {"ORDER+BY+Title,LastName", "Brandt,Li,O'Brien,Żółć"},
        {"WHERE+Email+IN+('ADA@quay.example','x@y.example')", "Brandt"},
        {"WHERE+SystemModstamp>=2026-11-21T07:00:02Z+OR+SystemModstamp=2026-11-21T07:00:00Z+ORDER+"
         "BY+SystemModstamp,Id",
         "Brandt,Żółć,Li"},
        {"ORDER+BY+SystemModstamp,LastName", "Brandt,O'Brien,Li,Żółć"},
        {"LIMIT+0", ""},
    };
    static const struct step people[] = {PEOPLE};
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, people, COUNT_OF(people));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str url =
            arena_printf(&journey.arena, Q("SELECT+LastName+FROM+Contact+%s"), rows[i].tail);
        json_t *answer =
                   journey_send(&journey, "GET", journey_fill(&journey, url.at), STR(""), NULL),
               *row;
        struct str names = STR("");
        size_t index;

        json_array_foreach(jx_get(answer, "records"), index, row)
        {
            names = arena_printf(&journey.arena, "%" PRI_STR "%s%s", STR_ARG(names),
                                 index ? "," : "", json_string_value(jx_get(row, "LastName")));
        }
        if (journey.last.status != 200 || !str_equal(names, str_of(rows[i].names))) {
            fail_msg("%s: got %d %" PRI_STR " %.300s", rows[i].tail, journey.last.status,
                     STR_ARG(names), journey.last.body.at);
        }
    }
    journey_end(&journey);
}

static void wrong_statements_are_refused(void **state)
{
    static const struct {
        const char *text, *code, *says;
    } rows[] = {
        {"SELECT+Id,Nam+FROM+Account", "INVALID_FIELD",
         "\nSELECT Id,Nam FROM Account\n          ^\nERROR at Row:1:Column:11\nNo such column "
         "'Nam' on entity 'Account'. If you"},
        {"SELECT+Id+FROM+Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported"},
        {"SELECT+Id+FROM+CustomField", "INVALID_TYPE",
         "sObject type 'CustomField' is not supported"},
        {"SELECT+Id+FROM+Contact+WHERE+LastName='O'Brien'", "MALFORMED_QUERY",
         "unexpected token: 'Brien'"},
        {"SELECT+Id+FROM+Contact+WHERE+LastName='Brien", "MALFORMED_QUERY", "unexpected char"},
        {"SELECT+Id+FROM+Contact+WHERE+LastName='a\\x'", "MALFORMED_QUERY",
         "Illegal character sequence '\\x'"},
        {"SELECT+Id+FROM+Contact+WHERE+LastName", "MALFORMED_QUERY", "unexpected token: '<EOF>'"},
        {"SELECT+Id", "MALFORMED_QUERY", ""},
        {"SELECT+FROM+Contact", "MALFORMED_QUERY", ""},
        {"SELECT+Id,+FROM+Contact", "MALFORMED_QUERY", ""},
        {"SELECT+Id,Id+FROM+Contact", "MALFORMED_QUERY", "duplicate field selected: Id"},
        {"SELECT+*+FROM+Contact", "MALFORMED_QUERY", "unexpected token: '*'"},
        {"DELETE+FROM+Contact", "MALFORMED_QUERY", "unexpected token: 'DELETE'"},
        {"SELECT+Id+FROM+Contact+WHERE+LastName='a'+AND+Title='b'+OR+Title='c'", "MALFORMED_QUERY",
         "unexpected token: 'OR'"},
        {"SELECT+Id+FROM+Contact+WHERE+SystemModstamp>'2026-01-01T00:00:00Z'", "INVALID_FIELD",
         "'SystemModstamp' must be of type dateTime and should not be enclosed in quotes"},
        {"SELECT+Id+FROM+Contact+WHERE+SystemModstamp>2026-01-01", "INVALID_FIELD", "dateTime"},
        {"SELECT+Id+FROM+Contact+WHERE+SystemModstamp>2026-01-01T00:00:00", "INVALID_FIELD",
         "dateTime"},
        {"SELECT+Id+FROM+Contact+WHERE+LastName=5", "INVALID_FIELD",
         "must be of type string and should be enclosed in quotes"},
        {"SELECT+Id+FROM+Contact+WHERE+DoNotCall='true'", "INVALID_FIELD", "of type boolean"},
        {"SELECT+Id+FROM+Contact+WHERE+Id='x'", "INVALID_QUERY_FILTER_OPERATOR",
         "invalid ID field: x"},
        {"SELECT+Id+FROM+Contact+WHERE+Description='x'", "INVALID_FIELD", "can not be filtered"},
        {"SELECT+Id+FROM+Contact+ORDER+BY+MailingAddress", "INVALID_FIELD", "can not be filtered"},
        {"SELECT+Id,Firm.Name+FROM+Contact", "INVALID_FIELD",
         "Didn't understand relationship 'Firm'"},
        {"SELECT+Id+FROM+Contact+LIMIT+x", "MALFORMED_QUERY", ""},
        {"SELECT+Id+FROM+Contact+OFFSET+2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"},
        {"SELECT+Id,(SELECT+Id+FROM+Contact)+FROM+Account", "INVALID_TYPE",
         "Didn't understand relationship 'Contact' in FROM part"},
        {"SELECT+Id,Who.Website+FROM+Task", "INVALID_FIELD",
         "No such column 'Website' on entity 'Name'"},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str url = arena_printf(&journey.arena, Q("%s"), rows[i].text);
        json_t *answer = json_array_get(journey_send(&journey, "GET", url, STR(""), NULL), 0);

        if (journey.last.status != 400 ||
            !str_equal(jx_text_of(jx_get(answer, "errorCode")), str_of(rows[i].code)) ||
            !str_contains(jx_text_of(jx_get(answer, "message")), str_of(rows[i].says))) {
            fail_msg("%s: got %d %s", rows[i].text, journey.last.status, journey.last.body.at);
        }
    }
    journey_end(&journey);
}

JOURNEY(children_come_with_their_parent, PEOPLE,
        {"GET",
         Q("SELECT+Name,(SELECT+LastName,Account.Name+FROM+Contacts+WHERE+LastName!='x'+ORDER+BY+"
           "LastName)+FROM+Account+ORDER+BY+Name"),
         NULL,
         200,
         {"records.0.Name=Pier", "records.0.Contacts.totalSize=1", "records.0.Contacts.done=true",
          "records.0.Contacts.records.0.LastName=O'Brien",
          "records.0.Contacts.records.0.Account.Name=Pier"}},
        {"GET",
         Q("SELECT+Name,(SELECT+Id+FROM+Contacts+WHERE+LastName='x')+FROM+Account"),
         NULL,
         200,
         {"records.0.Contacts=null"}})

JOURNEY(deleted_rows_are_in_query_all_only, PEOPLE,
        {"DELETE", CONTACTS "/$ada$", NULL, 204, {0}, .advance_ms = MINUTE_MS},
        {"GET", Q("SELECT+Id+FROM+Contact"), NULL, 200, {"totalSize=3"}},
        {"GET",
         QA("SELECT+Id,IsDeleted,MasterRecordId,SystemModstamp+FROM+Contact+WHERE+IsDeleted=true"),
         NULL,
         200,
         {"totalSize=1", "records.0.Id=$ada$", "records.0.IsDeleted=true",
          "records.0.MasterRecordId=null",
          "records.0.SystemModstamp=2026-11-21T07:01:02.000+0000"}},
        {"GET",
         QA("SELECT+Id+FROM+Contact+WHERE+Email='ada@quay.example'"),
         NULL,
         200,
         {"totalSize=1"}},
        {"GET",
         QA("SELECT+COUNT()+FROM+Contact+WHERE+SystemModstamp>2026-11-21T07:01:00Z"),
         NULL,
         200,
         {"totalSize=1"}},
        {"POST",
         "/__sim/merge",
         "{\"object\":\"Contact\",\"into\":\"$bo$\",\"from\":\"$li$\"}",
         200,
         {"id=$bo$"},
         .advance_ms = MINUTE_MS},
        {"GET",
         QA("SELECT+Id,MasterRecordId+FROM+Contact+WHERE+IsDeleted=true+AND+MasterRecordId!=null"),
         NULL,
         200,
         {"totalSize=1", "records.0.Id=$li$", "records.0.MasterRecordId=$bo$"}},
        {"GET",
         QA("SELECT+Id,SystemModstamp+FROM+Contact+WHERE+SystemModstamp>=2026-11-21T07:02:00Z+"
            "ORDER+BY+SystemModstamp,Id"),
         NULL,
         200,
         {"totalSize=2", "records.0.Id=$bo$", "records.1.Id=$li$"}})

/* 450 rows in pages of 200. */
static void pages_follow_their_locator(void **state)
{
    struct journey journey;
    static const struct step steps[] = {
        {"GET",
         Q("SELECT+Id+FROM+Contact"),
         NULL,
         200,
         {"totalSize=450", "done=true", "records#450"}},
        {"GET",
         "$next$",
         NULL,
         200,
         {"totalSize=450", "done=false", "records#200", "nextRecordsUrl~-400"},
         "last=nextRecordsUrl"},
        {"GET", "$last$", NULL, 200, {"done=true", "records#50", "nextRecordsUrl!"}},
        {"GET", "$next$", NULL, 200, {"records#200"}, .advance_ms = DAY_MS},
        {"GET",
         "$next$",
         NULL,
         400,
         {"0.errorCode=INVALID_QUERY_LOCATOR", "0.message=invalid query locator"},
         .advance_ms = DAY_MS},
        {"GET",
         DATA "/query/01g8d00000QlOc1AAF-200",
         NULL,
         400,
         {"0.errorCode=INVALID_QUERY_LOCATOR"}},
        {"GET", DATA "/query/x", NULL, 400, {"0.errorCode=INVALID_QUERY_LOCATOR"}},
    };

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    for (int i = 0; i < 450; i++) {
        journey_send(&journey, "POST", STR(CONTACTS), STR("{\"LastName\":\"Ito\"}"), NULL);
    }
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (i == 1) {
            struct http_request request = {.method = HTTP_GET,
                                           .url = STR(Q("SELECT+Id+FROM+Contact"))};

            http_header_add(&request.headers, STR("Authorization"),
                            STR("Bearer simulated-salesforce-token"));
            http_header_add(&request.headers, STR("Sforce-Query-Options"), STR("batchSize=10"));
            http_response_fini(&journey.last);
            journey.last = (struct http_response){0};
            simulator_handle(journey.sim, &request, &journey.last);
            json_t *tree = NULL;
            struct error err = {0};

            assert_int_equal(jx_parse(&journey.arena, journey.last.body, &tree, &err), OK);
            assert_int_equal(json_array_size(jx_get(tree, "records")), 200);
            journey_save(&journey, tree, "next=nextRecordsUrl", "first page");
        }
        journey_step(&journey, &steps[i], i);
    }
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_selected_comes_back_in_its_order_and_case),
        cmocka_unit_test(conditions_choose),
        cmocka_unit_test(wrong_statements_are_refused),
        cmocka_unit_test(children_come_with_their_parent),
        cmocka_unit_test(deleted_rows_are_in_query_all_only),
        cmocka_unit_test(pages_follow_their_locator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
