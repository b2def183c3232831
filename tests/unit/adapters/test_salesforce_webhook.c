/* Salesforce's outbound messages (tests/fixtures/salesforce/outbound-*.xml), good and bad, and what they are answered. */
#include "tests/unit/adapters/deliver.h"

#include "adapters/salesforce_inside.h"
#include "core/xx.h"

static const struct adapter *const SF = &adapter_salesforce;

#define ORG "00D8d000000XyZ9EAK"
#define HEAD                                                                                       \
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "               \
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><notifications "        \
    "xmlns=\"http://soap.sforce.com/2005/09/outbound\">"
#define TAIL "</notifications></soapenv:Body></soapenv:Envelope>"
#define ORG_ELEMENT "<OrganizationId>" ORG "</OrganizationId>"

static void begin(struct deliver *d)
{
    deliver_begin(d);
    d->settings.account_id = STR(ORG);
}

/* --- the door --------------------------------------------------------------------------------- */

static void test_the_address_is_a_secret(void **state)
{
    struct secret path = {0};
    struct deliver d;

    begin(&d);
    assert_int_equal(deliver_verify(&d, SF), FAIL_CONFIG);
    secret_set(&path, STR("3f9c0b7e6d5a4c21"));
    d.settings.paths[0] = &path;
    assert_int_equal(deliver_verify(&d, SF), FAIL_AUTH);
    d.delivery.path_secret = STR("3f9c0b7e6d5a4c21");
    assert_int_equal(deliver_verify(&d, SF), OK);
    assert_false(d.proof.has_mac);
    d.settings.account_id = STR("");
    assert_int_equal(deliver_verify(&d, SF), FAIL_CONFIG);
    secret_fini(&path);
    deliver_end(&d);
    (void)state;
}

/* --- messages --------------------------------------------------------------------------------- */

static void parse_file(struct deliver *d, const char *name)
{
    d->request.body =
        deliver_file(d, arena_printf(&d->arena, "tests/fixtures/salesforce/%s.xml", name).at);
    assert_int_equal(deliver_parse(d, SF), OK);
}

static void test_true_messages_are_read(void **state)
{
    struct deliver d;

    begin(&d);
    parse_file(&d, "outbound-1");
    assert_int_equal(d.events.count, 1);
    assert_string_equal(d.events.at[0].kind, "contact");
    assert_int_equal(d.events.at[0].remote_id.len, 18);
    parse_file(&d, "outbound-3");
    EXPECT(&d, "contact 0038d00000BqTzLAAV created", "contact 0038d00000BqTzMAAV changed");
    assert_int_equal(d.events.heard, 3);
    assert_int_equal(d.events.at[0].occurred_ms, INT64_C(1785146402000)); /* the later of two */
    parse_file(&d, "outbound-opportunity");
    assert_int_equal(d.events.count, 1);
    assert_string_equal(d.events.at[0].kind, "deal");
    deliver_end(&d);
    (void)state;
}

#define NOTE(id, type, inner)                                                                      \
    "<Notification><Id>" id "</Id><sObject xsi:type=\"sf:" type                                    \
    "\" xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">" inner "</sObject></Notification>"

static enum fail parse_text(struct deliver *d, const char *text)
{
    d->request.body = str_of(text);
    return deliver_parse(d, SF);
}

static void test_objects_become_kinds(void **state)
{
    static const struct adapter_object OWN[] = {{"machine", "Machine__c", "machine", 0}};
    static const struct {
        const char *message, *expected;
    } CASES[] = {
        {NOTE("04l1", "Account", "<sf:Id>0018d00000AbCdE</sf:Id>"),
         "company 0018d00000AbCdEAAV changed"},
        {NOTE("04l1", "Lead", "<sf:Id>00Q8d00000AbCdE</sf:Id>"),
         "contact 00Q8d00000AbCdEEAV changed"},
        {NOTE("04l1", "Task", "<sf:Id>00T8d00000AbCdE</sf:Id>"),
         "activity 00T8d00000AbCdEEAV changed"},
        {NOTE("04l1", "Event", "<sf:Id>00U8d00000AbCdE</sf:Id>"),
         "activity 00U8d00000AbCdEEAV changed"},
        {NOTE("04l1", "Case", "<sf:Id>5008d00000AbCdE</sf:Id>"),
         "ticket 5008d00000AbCdEAAV changed"},
        {NOTE("04l1", "Machine__c", "<sf:Id>a018d00000AbCdE</sf:Id>"),
         "machine a018d00000AbCdEAAV changed"},
        {NOTE("04l1", "OpportunityContactRole",
              "<sf:Id>00K8d00000AbCdE</sf:Id><sf:OpportunityId>0068d00000AbCdE</sf:OpportunityId>"),
         "deal 0068d00000AbCdEAAV changed"},
        {NOTE("04l1", "Contact", "<sf:Id>0038d00000AbCdE</sf:Id><sf:IsDeleted>true</sf:IsDeleted>"),
         "contact 0038d00000AbCdEAAV deleted"},
        {NOTE("04l1", "Invoice__c", "<sf:Id>a028d00000AbCdE</sf:Id>"), NULL},
        {NOTE("04l1", "Contact", "<sf:Id>0038d00000AbCd</sf:Id>"), NULL},
        {NOTE("04l1", "Contact", ""), NULL},
        {NOTE("04l1", "OpportunityContactRole", "<sf:Id>00K8d00000AbCdE</sf:Id>"), NULL},
        {"<Notification><Id>04l1</Id></Notification>", NULL},
    };
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s\n", CASES[i].expected ? CASES[i].expected : "(not for us)");
        begin(&d);
        d.settings.objects = OWN;
        d.settings.objects_count = 1;
        assert_int_equal(
            parse_text(&d, arena_printf(&d.arena, HEAD ORG_ELEMENT "%s" TAIL, CASES[i].message).at),
            OK);
        deliver_expect(&d, &CASES[i].expected, CASES[i].expected != NULL);
        assert_int_equal(d.events.heard, 1);
        assert_int_equal(d.events.ignored, CASES[i].expected == NULL);
        deliver_end(&d);
    }
    (void)state;
}

static void test_the_organization_is_compared(void **state)
{
    static const struct {
        const char *id;
        enum fail expected;
    } CASES[] = {
        {ORG, OK},
        {"00D8d000000XyZ9", OK},
        {"00D8d000000XyZ8", FAIL_AUTH},
        {"00d8D000000xYz9", FAIL_AUTH},
        {"00D8d000000XyZ9EAL", FAIL_AUTH},
        {"", FAIL_AUTH},
        {"00D8d000000XyZ9EAKxxxx", FAIL_AUTH},
    };
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  '%s'\n", CASES[i].id);
        begin(&d);
        assert_int_equal(
            parse_text(&d, arena_printf(&d.arena, HEAD "<OrganizationId>%s</OrganizationId>" TAIL,
                                        CASES[i].id)
                               .at),
            CASES[i].expected);
        deliver_end(&d);
    }
    begin(&d);
    assert_int_equal(parse_text(&d, HEAD TAIL), FAIL_AUTH);
    d.settings.account_id = STR("00D8d000000XyZ9"); /* the short form is the same */
    assert_int_equal(parse_text(&d, HEAD ORG_ELEMENT TAIL), OK);
    deliver_end(&d);
    (void)state;
}

static void test_keys_are_the_notifications(void **state)
{
#define CONTACT(note) NOTE(note, "Contact", "<sf:Id>0038d00000AbCdE</sf:Id>")
    struct deliver d;
    struct str first;

    begin(&d);
    assert_int_equal(parse_text(&d, HEAD ORG_ELEMENT CONTACT("04l1") TAIL), OK);
    first = d.events.at[0].event_key;
    assert_int_equal(parse_text(&d, HEAD ORG_ELEMENT CONTACT("04l1") TAIL), OK);
    assert_true(str_equal(first, d.events.at[0].event_key));
    assert_int_equal(parse_text(&d, HEAD ORG_ELEMENT CONTACT("04l2") TAIL), OK);
    assert_false(str_equal(first, d.events.at[0].event_key));
    assert_int_equal(parse_text(&d, HEAD ORG_ELEMENT CONTACT("04l1") CONTACT("04l2") TAIL), OK);
    assert_int_equal(d.events.count, 1);
    assert_false(str_equal(first, d.events.at[0].event_key));
    assert_int_equal(parse_text(&d, HEAD ORG_ELEMENT CONTACT("04l2") CONTACT("04l1") TAIL), OK);
    assert_int_equal(d.events.count, 1);
    assert_false(str_equal(first, d.events.at[0].event_key));
    deliver_end(&d);
    (void)state;
}

static void many(struct deliver *d, struct buf *body, int count)
{
    begin(d);
    buf_init(body, 1 << 20);
    buf_add(body, STR(HEAD ORG_ELEMENT));
    for (int i = 0; i < count; i++) {
        buf_addf(body, NOTE("04l%d", "Contact", "<sf:Id>0038d00000A%04d</sf:Id>"), i, i);
    }
    buf_add(body, STR(TAIL));
    d->request.body = buf_str(body);
}

static void test_a_hundred_notifications_are_the_most(void **state)
{
    struct deliver d;
    struct buf body;

    many(&d, &body, 100);
    assert_int_equal(deliver_parse(&d, SF), OK);
    assert_int_equal(d.events.count, 100);
    deliver_end(&d);
    buf_fini(&body);
    many(&d, &body, 101);
    assert_int_equal(deliver_parse(&d, SF), FAIL_RECORD);
    deliver_end(&d);
    buf_fini(&body);
    (void)state;
}

/* Bombs, doors to other files, and what is simply not a message: refused before anything grows. */
static void test_hostile_documents_are_refused(void **state)
{
    static const char *const CASES[] = {
        "",
        "{\"json\":true}",
        "<a",
        "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" HEAD ORG_ELEMENT TAIL,
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" HEAD ORG_ELEMENT TAIL,
        "<Envelope><Body><notifications/></Body></Envelope>",
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
        "<soapenv:Envelope "
        "xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body/>"
        "</soapenv:Envelope>",
        HEAD ORG_ELEMENT "&undeclared;" TAIL,
    };
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %.60s\n", CASES[i]);
        begin(&d);
        assert_int_equal(parse_text(&d, CASES[i]), FAIL_RECORD);
        assert_null(strstr(d.err.message, "passwd"));
        deliver_end(&d);
    }
    (void)state;
}

static void test_depth_is_bounded(void **state)
{
    AUTO_BUF struct buf body;
    struct deliver d;

    begin(&d);
    buf_init(&body, 1 << 20);
    for (int i = 0; i < 100000; i++) {
        buf_add(&body, STR("<a>"));
    }
    d.request.body = buf_str(&body);
    assert_int_equal(deliver_parse(&d, SF), FAIL_RECORD);
    assert_true(d.arena.used_bytes < 256 * 1024);
    deliver_end(&d);
    (void)state;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void assert_ack(bool is_accepted, const char *word)
{
    AUTO_ARENA struct arena arena = {0};
    struct webhook_answer answer;
    struct error err = {0};
    const struct xx_node *node = NULL;

    SF->webhook_answer(is_accepted, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "text/xml; charset=UTF-8");
    assert_int_equal(answer.body.at[0], '<'); /* anything in front, and the message comes again */
    assert_int_equal(xx_parse(&arena, answer.body, &node, &err), OK);
    assert_true(xx_is(node, "http://schemas.xmlsoap.org/soap/envelope/", "Envelope"));
    assert_int_equal(
        xx_need(node, "http://schemas.xmlsoap.org/soap/envelope/", "Body", &node, &err), OK);
    assert_int_equal(xx_need(node, "http://soap.sforce.com/2005/09/outbound",
                             "notificationsResponse", &node, &err),
                     OK);
    assert_int_equal(xx_need(node, "http://soap.sforce.com/2005/09/outbound", "Ack", &node, &err),
                     OK);
    assert_true(str_equal(xx_text(node), str_of(word)));
}

static void test_acknowledged_is_only_what_is_durable(void **state)
{
    assert_ack(true, "true");
    assert_ack(false, "false");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_address_is_a_secret),
        cmocka_unit_test(test_true_messages_are_read),
        cmocka_unit_test(test_objects_become_kinds),
        cmocka_unit_test(test_the_organization_is_compared),
        cmocka_unit_test(test_keys_are_the_notifications),
        cmocka_unit_test(test_a_hundred_notifications_are_the_most),
        cmocka_unit_test(test_hostile_documents_are_refused),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_acknowledged_is_only_what_is_durable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
