/* Salesforce's writing half against exchanges written from the documents (tests/fixtures/salesforce): what is sent for each kind of item,
 * what becomes of each answer, and how many calls it takes. */
#include "tests/unit/adapters/replay.h"

#include "adapters/salesforce_write.h"
#include "tests/expect.h"

#include <cmocka.h>

static const struct adapter *const SF = &adapter_salesforce;

#define ADA "0038d00000BqTzKAAV"
#define BO "0038d00000BqTzLAAV"
#define CY "0038d00000BqTzMAAV"
#define LEAD "00Q8d00000LeAd1EAF"
#define QUAY "0018d00000aBcDeAAK"
#define DEAL "0068d00000OppT0AAJ"
#define DEAL_TWO "0068d00000OppT1AAJ"
#define DEAL_THREE "0068d00000OppT2AAJ"
#define TASK "00T8d00000TaSk1EAF"
#define MEETING "00U8d00000EvNt1EAF"
#define CASE "5008d00000CaSe1AAF"

static void open_scenario(struct replay *r, const char *scenario)
{
    print_message("  %s\n", scenario);
    replay_open(r, SF, scenario);
}

static json_t *tree(struct replay *r, const char *text)
{
    json_error_t why;
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, &why) : NULL;

    if (text && !json) {
        fail_msg("%s in %s", why.text, text);
    }
    return json ? jx_own(&r->arena, json) : NULL;
}

static struct write_item item_of(struct replay *r, const char *id, const char *props,
                                 const char *current)
{
    return (struct write_item){.remote_id = str_of(id),
                               .correlation_key = STR("k-1"),
                               .props = tree(r, props),
                               .current = tree(r, current)};
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* body NULL: it is refused, and shown is a part of why. */
static const struct body_row {
    const char *why, *kind, *id, *props, *current, *object, *body, *shown;
} BODY_ROWS[] = {
    {"fields as they are", "contact", "", "{\"LastName\":\"Adeyemi\",\"AccountId\":\"" QUAY "\"}",
     NULL, "Contact", "{\"LastName\":\"Adeyemi\",\"AccountId\":\"" QUAY "\"}", NULL},
    {"nobody is without a last name", "contact", "", "{\"Email\":\"a@b.example\"}", NULL, "Contact",
     "{\"Email\":\"a@b.example\",\"LastName\":\"[not provided]\"}", NULL},
    {"a last name that is taken away", "contact", ADA, "{\"LastName\":null}", "{}", "Contact",
     "{\"LastName\":\"[not provided]\"}", NULL},
    {"a last name that is not touched", "contact", ADA, "{\"FirstName\":\"Ada\"}", "{}", "Contact",
     "{\"FirstName\":\"Ada\"}", NULL},
    {"values as their fields take them", "contact", ADA,
     "{\"Birthdate\":\"2001-02-03T23:30:00Z\",\"HasOptedOutOfEmail\":\"true\","
     "\"Total_Orders__c\":\"12.50\",\"Seen__c\":\"2026-05-01\",\"Tags__c\":[\"a\",\"b\"]}",
     "{}", "Contact",
     "{\"Birthdate\":\"2001-02-03\",\"HasOptedOutOfEmail\":true,\"Total_Orders__c\":12.5,"
     "\"Seen__c\":\"2026-05-01T00:00:00.000Z\",\"Tags__c\":\"a;b\"}",
     NULL},
    {"values that are taken away", "contact", ADA,
     "{\"HasOptedOutOfEmail\":null,\"Total_Orders__c\":\"\",\"Tags__c\":[],\"OwnerId\":null}", "{}",
     "Contact", "{\"HasOptedOutOfEmail\":false,\"Total_Orders__c\":null,\"Tags__c\":null}", NULL},
    {"a number that is none is for Salesforce to refuse", "contact", ADA,
     "{\"Total_Orders__c\":\"12 apples\"}", "{}", "Contact", "{\"Total_Orders__c\":\"12 apples\"}",
     NULL},
    {"a lead has its own names and no account", "contact", "",
     "{\"contact.lead_status\":\"Working\",\"MailingCity\":\"Bonn\",\"AccountId\":\"" QUAY "\"}",
     NULL, "Lead",
     "{\"Status\":\"Working\",\"City\":\"Bonn\",\"LastName\":\"[not provided]\","
     "\"Company\":\"[not provided]\"}",
     "{\"AccountId\":null}"},
    {"a lead that is edited", "contact", LEAD, "{\"MailingCity\":\"Bonn\"}", "{}", "Lead",
     "{\"City\":\"Bonn\"}", NULL},
    {"a lead cannot lose its status", "contact", LEAD, "{\"contact.lead_status\":null}", "{}", NULL,
     NULL, "always has a status"},
    {"a contact has no status", "contact", ADA, "{\"contact.lead_status\":\"Working\"}", "{}",
     "Contact", "{}", NULL},
    {"an account without a name", "company", "",
     "{\"Website\":\"quay.example\",\"NumberOfEmployees\":\"12\"}", NULL, "Account",
     "{\"Website\":\"quay.example\",\"NumberOfEmployees\":12,\"Name\":\"[not provided]\"}", NULL},
    {"digits that are cut off are not shown", "company", "",
     "{\"Name\":\"Quay\",\"AnnualRevenue\":\"99.129\"}", NULL, "Account",
     "{\"Name\":\"Quay\",\"AnnualRevenue\":99.129}", "{\"AnnualRevenue\":99.12}"},
    {"an id of another object", "company", ADA, "{\"Name\":\"Quay\"}", "{}", NULL, NULL,
     "no id of"},
    {"an id that is none", "company", "001' OR Id != '", "{\"Name\":\"Quay\"}", "{}", NULL, NULL,
     "no id of"},
    {"an id with a wrong suffix", "company", "0018d00000aBcDeAAA", "{\"Name\":\"Quay\"}", "{}",
     NULL, NULL, "no id of"},
    {"a new deal has the first stage and this quarter's end", "deal", "", "{\"Name\":\"Dock\"}",
     NULL, "Opportunity",
     "{\"Name\":\"Dock\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-06-30\"}", NULL},
    {"a new deal that says so", "deal", "",
     "{\"Name\":\"Dock\",\"deal.stage\":\"Qualification\",\"deal.status\":\"open\","
     "\"CloseDate\":\"2026-08-01\",\"Amount\":\"12.50\"}",
     NULL, "Opportunity",
     "{\"Name\":\"Dock\",\"StageName\":\"Qualification\",\"CloseDate\":\"2026-08-01\","
     "\"Amount\":12.5}",
     NULL},
    {"a new deal that is won", "deal", "",
     "{\"Name\":\"Dock\",\"deal.status\":\"won\",\"deal.stage\":\"Qualification\","
     "\"CloseDate\":\"2026-08-01\"}",
     NULL, "Opportunity",
     "{\"Name\":\"Dock\",\"StageName\":\"Closed Won\",\"CloseDate\":\"2026-08-01\"}", NULL},
    {"a deal is lost", "deal", DEAL, "{\"deal.status\":\"lost\"}",
     "{\"StageName\":\"Prospecting\",\"deal.status\":\"open\"}", "Opportunity",
     "{\"StageName\":\"Closed Lost\"}", NULL},
    {"a deal that was lost in a way of its own", "deal", DEAL,
     "{\"deal.status\":\"lost\",\"Amount\":5}",
     "{\"StageName\":\"Closed Abandoned\",\"deal.status\":\"lost\"}", "Opportunity",
     "{\"Amount\":5}", NULL},
    {"a closed deal keeps its end when only a stage is told", "deal", DEAL,
     "{\"deal.stage\":\"Qualification\"}", "{\"StageName\":\"Closed Won\",\"deal.status\":\"won\"}",
     "Opportunity", "{}", NULL},
    {"a deal is opened again, nobody says where", "deal", DEAL, "{\"deal.status\":\"open\"}",
     "{\"StageName\":\"Closed Won\",\"deal.status\":\"won\"}", "Opportunity",
     "{\"StageName\":\"Prospecting\"}", NULL},
    {"a deal is opened again at a stage", "deal", DEAL,
     "{\"deal.status\":\"open\",\"deal.stage\":\"Qualification\"}",
     "{\"StageName\":\"Closed Won\",\"deal.status\":\"won\"}", "Opportunity",
     "{\"StageName\":\"Qualification\"}", NULL},
    {"a deal that stays where it is", "deal", DEAL,
     "{\"deal.status\":\"open\",\"deal.stage\":\"Qualification\"}",
     "{\"StageName\":\"Qualification\",\"deal.status\":\"open\"}", "Opportunity", "{}", NULL},
    {"a deal always has a close date and a currency", "deal", DEAL,
     "{\"CloseDate\":null,\"CurrencyIsoCode\":null,\"Amount\":null}", "{}", "Opportunity",
     "{\"Amount\":null}", NULL},
    {"a record type by its name", "deal", DEAL, "{\"RecordType.DeveloperName\":\"New_Business\"}",
     "{}", "Opportunity", "{\"RecordTypeId\":\"0128d000000NewBAAS\"}", NULL},
    {"a record type that this user may not use", "deal", DEAL,
     "{\"RecordType.DeveloperName\":\"Hidden\"}", "{}", NULL, NULL, "no record type"},
    {"a call is a task that is done", "activity", "",
     "{\"activity.type\":\"call\",\"activity.subject\":\"Rang\",\"activity.body\":\"text\","
     "\"activity.timestamp\":\"2026-05-20T14:30:00.000Z\",\"activity.contacts\":[\"" ADA "\",\"" BO
     "\"],\"activity.company\":\"" QUAY "\"}",
     NULL, "Task",
     "{\"Subject\":\"Rang\",\"Description\":\"text\",\"TaskSubtype\":\"Call\","
     "\"ActivityDate\":\"2026-05-20\",\"Status\":\"Completed\",\"WhoId\":\"" ADA
     "\",\"WhatId\":\"" QUAY "\"}",
     "{\"activity.timestamp\":\"2026-05-20\",\"activity.contacts\":[\"" ADA "\"]}"},
    {"a call to come", "activity", "", "{\"activity.type\":\"call\",\"activity.done\":\"false\"}",
     NULL, "Task", "{\"TaskSubtype\":\"Call\",\"Status\":\"Not Started\"}", NULL},
    {"a note", "activity", "", "{\"activity.type\":\"note\",\"activity.body\":\"b\"}", NULL, "Task",
     "{\"Type\":\"Note\",\"Description\":\"b\",\"Status\":\"Completed\"}", NULL},
    {"a task", "activity", "", "{\"activity.type\":\"task\"}", NULL, "Task",
     "{\"Status\":\"Not Started\"}", NULL},
    {"a meeting lasts an hour", "activity", "",
     "{\"activity.type\":\"meeting\",\"activity.timestamp\":\"2026-05-20T14:30:00.000Z\","
     "\"activity.done\":true}",
     NULL, "Event", "{\"StartDateTime\":\"2026-05-20T14:30:00Z\",\"DurationInMinutes\":60}",
     "{\"activity.timestamp\":\"2026-05-20T14:30:00Z\"}"},
    {"a meeting at no time is now", "activity", "", "{\"activity.type\":\"meeting\"}", NULL,
     "Event", "{\"StartDateTime\":\"2026-05-28T20:26:40Z\",\"DurationInMinutes\":60}",
     "{\"activity.timestamp\":\"2026-05-28T20:26:40Z\"}"},
    {"a meeting that moves keeps its length", "activity", MEETING,
     "{\"activity.timestamp\":\"2026-05-21T09:00:00Z\"}", "{\"DurationInMinutes\":90}", "Event",
     "{\"StartDateTime\":\"2026-05-21T09:00:00Z\",\"DurationInMinutes\":90}",
     "{\"activity.timestamp\":\"2026-05-21T09:00:00Z\"}"},
    {"a whole day that moves to another", "activity", MEETING,
     "{\"activity.timestamp\":\"2026-05-21T00:00:00Z\"}", "{\"IsAllDayEvent\":true}", "Event",
     "{\"ActivityDate\":\"2026-05-21\"}", "{\"activity.timestamp\":\"2026-05-21\"}"},
    {"a whole day that gets a time", "activity", MEETING,
     "{\"activity.timestamp\":\"2026-05-21T09:00:00Z\"}",
     "{\"IsAllDayEvent\":true,\"DurationInMinutes\":1440}", "Event",
     "{\"IsAllDayEvent\":false,\"StartDateTime\":\"2026-05-21T09:00:00Z\",\"DurationInMinutes\":"
     "60}",
     "{\"activity.timestamp\":\"2026-05-21T09:00:00Z\"}"},
    {"a task does not become a meeting", "activity", TASK, "{\"activity.type\":\"meeting\"}", "{}",
     NULL, NULL, "cannot make an event of a task"},
    {"a time that is none", "activity", TASK, "{\"activity.timestamp\":\"soon\"}", "{}", NULL, NULL,
     "neither a date nor a time"},
    {"a state of its own stays", "activity", TASK, "{\"activity.done\":false}",
     "{\"Status\":\"Deferred\",\"IsClosed\":false}", "Task", "{}", NULL},
    {"a task is done", "activity", TASK, "{\"activity.done\":true}", "{\"IsClosed\":false}", "Task",
     "{\"Status\":\"Completed\"}", NULL},
    {"the deal goes before the company", "activity", TASK,
     "{\"activity.deal\":\"" DEAL "\",\"activity.company\":\"" QUAY "\"}", "{}", "Task",
     "{\"WhatId\":\"" DEAL "\"}", NULL},
    {"without its deal it stays with the deal's account", "activity", TASK,
     "{\"activity.deal\":null}",
     "{\"WhatId\":\"" DEAL "\",\"activity.deal\":\"" DEAL "\",\"AccountId\":\"" QUAY "\"}", "Task",
     "{\"WhatId\":\"" QUAY "\"}", NULL},
    {"what it is about otherwise is not ours to take away", "activity", TASK,
     "{\"activity.deal\":null,\"activity.company\":null}", "{\"WhatId\":\"" CASE "\"}", "Task",
     "{}", NULL},
    {"about nothing", "activity", TASK, "{\"activity.company\":null}", "{\"WhatId\":\"" QUAY "\"}",
     "Task", "{\"WhatId\":null}", NULL},
    {"the person it has stays while wanted", "activity", TASK,
     "{\"activity.contacts\":[\"" ADA "\",\"" BO "\"]}", "{\"WhoId\":\"" BO "\"}", "Task",
     "{\"WhoId\":\"" BO "\"}", "{\"activity.contacts\":[\"" BO "\"]}"},
    {"nobody", "activity", TASK, "{\"activity.contacts\":null}", "{\"WhoId\":\"" BO "\"}", "Task",
     "{\"WhoId\":null}", "{\"activity.contacts\":[]}"},
    {"with a lead it is about nothing else", "activity", "",
     "{\"activity.type\":\"task\",\"activity.contacts\":[\"" LEAD "\"],\"activity.company\":\"" QUAY
     "\"}",
     NULL, "Task", "{\"Status\":\"Not Started\",\"WhoId\":\"" LEAD "\"}",
     "{\"activity.contacts\":[\"" LEAD "\"],\"activity.deal\":null,\"activity.company\":null}"},
};

static void expect_tree(struct replay *r, const char *wanted, const json_t *got, const char *why)
{
    json_t *want = tree(r, wanted);
    struct str text = got ? jx_text(&r->arena, got) : STR("nothing");

    if (want && got ? !json_equal(want, (json_t *)(uintptr_t)got) : want || got) {
        fail_msg("%s: %.*s", why, (int)text.len, text.at);
    }
}

static void load_all(struct replay *r)
{
    static const char *const NAMES[] = {SF_CONTACT,     SF_LEAD, SF_ACCOUNT,
                                        SF_OPPORTUNITY, SF_TASK, SF_EVENT};

    assert_int_equal(salesforce_load_objects(r->session, NAMES, COUNT_OF(NAMES), false, &r->err),
                     OK);
    assert_int_equal(salesforce_load_choices(r->session, &r->err), OK);
}

static void test_each_item_becomes_what_its_object_takes(void **state)
{
    struct replay r;

    (void)state;
    open_scenario(&r, "bodies");
    load_all(&r);
    for (size_t i = 0; i < COUNT_OF(BODY_ROWS); i++) {
        const struct body_row *row = &BODY_ROWS[i];
        struct write_item item = item_of(&r, row->id, row->props, row->current);
        struct salesforce_outgoing out;
        struct error err = {0};
        enum fail failed = salesforce_fill(r.session, row->kind, &item, &r.arena, &out, &err);

        if (!row->body) {
            EXPECT(failed == FAIL_RECORD && strstr(err.message, row->shown), "%s: %s", row->why,
                   err.message);
            continue;
        }
        EXPECT(failed == OK, "%s: %s", row->why, err.message);
        EXPECT_STR(str_of(row->object), str_of(out.object), row->why);
        expect_tree(&r, row->body, out.body, row->why);
        expect_tree(&r, row->shown, out.shown, row->why);
    }
    replay_close(&r, SF);
}

/* --- creating --------------------------------------------------------------------------------- */

#define CONTACTS_MAX 6
static const char *const LAST_NAMES[CONTACTS_MAX] = {"Adeyemi", "Brandt", "Cruz",
                                                     "Dahl",    "Endo",   "Faber"};

static void new_contacts(struct replay *r, struct write_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct write_item){
            .remote_id = STR(""),
            .correlation_key = arena_printf(&r->arena, "k-%zu", i),
            .props = jx_own(&r->arena, json_pack("{s:s}", "LastName", LAST_NAMES[i]))};
    }
}

static void test_each_create_has_its_own_fate(void **state)
{
    static const struct {
        enum write_outcome outcome;
        enum fail fail;
        const char *id, *message;
    } WANT[] = {{WRITE_DONE, OK, ADA, ""},
                {WRITE_EXISTS, FAIL_RECORD, BO, "unique"},
                {WRITE_EXISTS, FAIL_RECORD, CY, "duplicate rule"},
                {WRITE_REFUSED, FAIL_RECORD, "", "duplicate rule"},
                {WRITE_REFUSED, FAIL_RETRY, "", "same record"},
                {WRITE_REFUSED, FAIL_RECORD, "", "Phone"}};
    struct write_item items[CONTACTS_MAX];
    struct replay r;

    (void)state;
    open_scenario(&r, "create-fates");
    new_contacts(&r, items, CONTACTS_MAX);
    assert_int_equal(SF->upsert_calls("contact", items, CONTACTS_MAX), 1);
    EXPECT(SF->upsert(r.session, "contact", &r.arena, items, CONTACTS_MAX, &r.err) == OK, "%s",
           r.err.message);
    for (size_t i = 0; i < CONTACTS_MAX; i++) {
        EXPECT(items[i].outcome == WANT[i].outcome, "%s: %d", LAST_NAMES[i], items[i].outcome);
        EXPECT(items[i].error.code == WANT[i].fail, "%s: %s", LAST_NAMES[i],
               fail_name(items[i].error.code));
        EXPECT_STR(str_of(WANT[i].id), items[i].remote_id, LAST_NAMES[i]);
        EXPECT(strstr(items[i].error.message, WANT[i].message), "%s: %s", LAST_NAMES[i],
               items[i].error.message);
        assert_null(strstr(items[i].error.message, LAST_NAMES[i]));
    }
    assert_non_null(strstr(items[3].error.hint, BO)); /* both are named for the person */
    assert_non_null(strstr(items[3].error.hint, CY));
    replay_close(&r, SF);
}

static void test_what_has_no_answer_is_unknown(void **state)
{
    static const char *const SCENARIOS[] = {"create-lost", "create-short"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(SCENARIOS); i++) {
        struct write_item items[CONTACTS_MAX];
        struct replay r;

        open_scenario(&r, SCENARIOS[i]);
        new_contacts(&r, items, CONTACTS_MAX);
        assert_int_equal(SF->upsert(r.session, "contact", &r.arena, items, CONTACTS_MAX, &r.err),
                         OK);
        for (size_t k = 0; k < CONTACTS_MAX; k++) {
            assert_int_equal(items[k].outcome, WRITE_UNKNOWN);
        }
        replay_close(&r, SF);
    }
}

static void test_what_concerns_the_account_ends_the_batch(void **state)
{
    static const struct {
        const char *scenario, *message;
        enum fail fail;
    } ROWS[] = {{"create-without-key", "crmsync_id__c", FAIL_CONNECTION},
                {"create-limit", "24 hours", FAIL_THROTTLED}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct write_item items[2];
        struct replay r;

        open_scenario(&r, ROWS[i].scenario);
        new_contacts(&r, items, COUNT_OF(items));
        assert_int_equal(SF->upsert(r.session, "contact", &r.arena, items, COUNT_OF(items), &r.err),
                         ROWS[i].fail);
        EXPECT(strstr(r.err.message, ROWS[i].message), "%s", r.err.message);
        assert_int_equal(items[0].outcome, WRITE_PENDING);
        assert_int_equal(items[1].outcome, WRITE_PENDING);
        replay_close(&r, SF);
    }
}

/* A full storage is told record by record, and no record gets in. */
static void test_what_holds_one_record_back_holds_all(void **state)
{
    struct write_item items[2];
    struct replay r;

    (void)state;
    open_scenario(&r, "create-storage");
    new_contacts(&r, items, COUNT_OF(items));
    assert_int_equal(SF->upsert(r.session, "contact", &r.arena, items, COUNT_OF(items), &r.err),
                     FAIL_THROTTLED);
    EXPECT(strstr(r.err.message, "storage"), "%s", r.err.message);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_int_equal(items[1].outcome, WRITE_PENDING);
    replay_close(&r, SF);
}

static void test_halves_find_the_one_that_fails_all(void **state)
{
    struct write_item items[2];
    struct replay r;

    (void)state;
    open_scenario(&r, "create-halves");
    new_contacts(&r, items, COUNT_OF(items));
    assert_int_equal(SF->upsert(r.session, "contact", &r.arena, items, COUNT_OF(items), &r.err),
                     OK);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_int_equal(items[1].outcome, WRITE_REFUSED);
    replay_close(&r, SF);
}

/* --- updating --------------------------------------------------------------------------------- */

#define READ_AT "{\"SystemModstamp\":\"2026-05-27T10:00:00.000+0000\"}"

static void test_few_updates_go_on_condition(void **state)
{
    struct write_item items[3];
    struct replay r;

    (void)state;
    open_scenario(&r, "update-locked");
    items[0] = item_of(&r, ADA, "{\"FirstName\":\"Ada\"}", READ_AT);
    items[1] = item_of(&r, BO, "{\"LastName\":\"\"}", READ_AT);
    items[2] = item_of(&r, CY, "{\"FirstName\":null}", READ_AT);
    assert_int_equal(SF->upsert_calls("contact", items, 3), 1);
    EXPECT(SF->upsert(r.session, "contact", &r.arena, items, 3, &r.err) == OK, "%s", r.err.message);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    for (size_t i = 1; i < 3; i++) { /* changed meanwhile, deleted meanwhile: read again */
        assert_int_equal(items[i].outcome, WRITE_REFUSED);
        assert_int_equal(items[i].error.code, FAIL_STALE);
    }
    replay_close(&r, SF);
}

static void test_what_is_denied_for_one_row_stops_no_other(void **state)
{
    struct write_item items[2];
    struct replay r;

    (void)state;
    open_scenario(&r, "update-one-denied");
    items[0] = item_of(&r, ADA, "{\"FirstName\":\"Ada\"}", READ_AT);
    items[1] = item_of(&r, BO, "{\"FirstName\":\"Bo\"}", READ_AT);
    EXPECT(SF->upsert(r.session, "contact", &r.arena, items, 2, &r.err) == OK, "%s", r.err.message);
    assert_int_equal(items[0].outcome, WRITE_REFUSED);
    assert_int_equal(items[0].error.code, FAIL_RECORD);
    assert_int_equal(items[1].outcome, WRITE_DONE);
    replay_close(&r, SF);
}

static void test_what_was_not_read_goes_through_collections(void **state)
{
    struct write_item items[2];
    struct replay r;

    (void)state;
    open_scenario(&r, "update-many");
    items[0] = item_of(&r, ADA, "{\"FirstName\":\"Ada\"}", NULL);
    items[1] = item_of(&r, BO, "{\"FirstName\":\"Bo\"}", NULL);
    EXPECT(SF->upsert(r.session, "contact", &r.arena, items, 2, &r.err) == OK, "%s", r.err.message);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_null(items[0].returned.props); /* the answer does not show it */
    assert_int_equal(items[1].outcome, WRITE_REFUSED);
    assert_int_equal(items[1].error.code, FAIL_STALE); /* nothing but its own id can be meant */
    replay_close(&r, SF);
}

static void test_people_of_deals_are_written_after_them(void **state)
{
    struct write_item item;
    struct replay r;

    (void)state;
    open_scenario(&r, "roles");
    item = item_of(&r, DEAL, "{\"deal.contacts\":[\"" BO "\",\"" CY "\"]}",
                   "{\"deal.contacts\":[\"" ADA "\",\"" BO "\"]}");
    assert_int_equal(SF->upsert_calls("deal", &item, 1), 2);
    EXPECT(SF->upsert(r.session, "deal", &r.arena, &item, 1, &r.err) == OK, "%s", r.err.message);
    /* one of them cannot be added: nothing else was to be written */
    assert_int_equal(item.outcome, WRITE_REFUSED);
    assert_int_equal(item.error.code, FAIL_RECORD);
    replay_close(&r, SF);
}

/* Else the missing ones would be taken for people whom somebody removed. */
static void test_people_that_were_never_sent_are_not_shown(void **state)
{
    static const char CURRENT[] =
        "{\"SystemModstamp\":\"2026-05-27T10:00:00.000+0000\",\"deal.contacts\":[]}";
    struct write_item items[3];
    struct replay r;

    (void)state;
    open_scenario(&r, "update-people-limit");
    items[0] = item_of(&r, DEAL, "{\"Name\":\"Dock\",\"deal.contacts\":[\"" ADA "\"]}", CURRENT);
    items[1] =
        item_of(&r, DEAL_TWO, "{\"Name\":\"Quay\",\"deal.contacts\":[\"" ADA "\"]}", CURRENT);
    items[2] = item_of(&r, DEAL_THREE, "{\"deal.contacts\":[\"" ADA "\"]}", CURRENT);
    assert_int_equal(SF->upsert(r.session, "deal", &r.arena, items, 3, &r.err), FAIL_THROTTLED);
    assert_int_equal(items[0].outcome, WRITE_DONE);
    assert_non_null(json_object_get(items[0].returned.props, "Name"));
    assert_null(json_object_get(items[0].returned.props, SF_DEAL_CONTACTS));
    assert_int_equal(items[1].outcome, WRITE_PENDING);
    assert_int_equal(items[2].outcome, WRITE_PENDING);
    replay_close(&r, SF);
}

static void test_gone_already_is_removed(void **state)
{
    struct remove_item items[] = {{.remote_id = STR(CY)},
                                  {.remote_id = STR("00' OR Name LIKE '%")},
                                  {.remote_id = STR(ADA)},
                                  {.remote_id = STR(BO)}};
    struct replay r;

    (void)state;
    open_scenario(&r, "remove");
    EXPECT(SF->remove(r.session, "contact", items, COUNT_OF(items), &r.err) == OK, "%s",
           r.err.message);
    assert_int_equal(items[2].outcome, WRITE_DONE);
    assert_int_equal(items[3].outcome, WRITE_DONE);
    assert_int_equal(items[0].outcome, WRITE_REFUSED);
    assert_int_equal(items[1].outcome, WRITE_REFUSED); /* never sent */
    replay_close(&r, SF);
}

/* --- very many -------------------------------------------------------------------------------- */

/* Some creates, filled; the rows are made of what their bodies hold when the load is made. */
struct loading {
    struct replay r;
    struct write_item items[CONTACTS_MAX];
    struct salesforce_outgoing outs[CONTACTS_MAX];
    struct create_item creates[CONTACTS_MAX];
    struct salesforce_load_row rows[CONTACTS_MAX], *at[CONTACTS_MAX];
    size_t count;
    bool is_taken, is_loadable;
};

static void load_begin(struct loading *loading, const char *scenario, size_t count)
{
    static const char *const NAMES[] = {SF_CONTACT};
    struct replay *r = &loading->r;

    *loading = (struct loading){.count = count};
    open_scenario(r, scenario);
    new_contacts(r, loading->items, count);
    assert_int_equal(salesforce_load_objects(r->session, NAMES, 1, false, &r->err), OK);
    for (size_t i = 0; i < count; i++) {
        loading->creates[i].correlation_key = loading->items[i].correlation_key;
        assert_int_equal(salesforce_fill(r->session, "contact", &loading->items[i], &r->arena,
                                         &loading->outs[i], &r->err),
                         OK);
    }
}

static enum fail load_send(struct loading *loading)
{
    struct replay *r = &loading->r;
    json_t *columns = jx_own(&r->arena, json_object());
    struct salesforce_load load = {
        .object = SF_CONTACT, .columns = columns, .rows = loading->at, .count = loading->count};

    loading->is_loadable = true;
    for (size_t i = 0; i < loading->count; i++) {
        loading->at[i] = &loading->rows[i];
        loading->rows[i].item = &loading->creates[i];
        loading->is_loadable =
            loading->is_loadable &&
            salesforce_load_add(&loading->outs[i], columns, &loading->rows[i], &r->arena);
    }
    return loading->is_loadable
               ? salesforce_bulk_create(r->session, &load, &r->arena, &loading->is_taken, &r->err)
               : OK;
}

static void test_a_job_tells_what_became_of_each(void **state)
{
    static const enum write_outcome UNKNOWN[CONTACTS_MAX] = {
        WRITE_UNKNOWN, WRITE_UNKNOWN, WRITE_UNKNOWN, WRITE_UNKNOWN, WRITE_UNKNOWN, WRITE_UNKNOWN};
    static const struct {
        const char *scenario;
        enum fail fail;
        bool is_taken;
        enum write_outcome outcomes[CONTACTS_MAX];
    } ROWS[] = {
        /* nobody tells of the last one */
        {"load-fates",
         OK,
         true,
         {WRITE_DONE, WRITE_DONE, WRITE_REFUSED, WRITE_EXISTS, WRITE_PENDING, WRITE_UNKNOWN}},
        {"load-slow", FAIL_THROTTLED, true, {WRITE_UNKNOWN}},
        {"load-refused", OK, false, {WRITE_PENDING}},
        {"load-not-filled", OK, false, {WRITE_PENDING}},
        {"load-closed-unseen", OK, true, {WRITE_DONE, WRITE_DONE, WRITE_UNKNOWN}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct loading loading;

        load_begin(&loading, ROWS[i].scenario, CONTACTS_MAX);
        EXPECT(load_send(&loading) == ROWS[i].fail, "%s", loading.r.err.message);
        assert_int_equal(loading.is_taken, ROWS[i].is_taken);
        for (size_t k = 0; k < CONTACTS_MAX; k++) {
            enum write_outcome want = ROWS[i].outcomes[k];
            const struct create_item *item = &loading.creates[k];

            want = i == 1 || (i == 4 && k > 1) ? UNKNOWN[k] : want;
            EXPECT(item->outcome == want, "%s: %d", LAST_NAMES[k], item->outcome);
            assert_int_equal(item->error != NULL, want != WRITE_DONE && want != WRITE_PENDING);
            assert_int_equal(item->remote_id.len != 0, want == WRITE_DONE || want == WRITE_EXISTS);
        }
        replay_close(&loading.r, SF);
    }
}

static void test_a_job_writes_cells_as_the_load_reads_them(void **state)
{
    struct loading loading;

    (void)state;
    load_begin(&loading, "load-not-filled", 2);
    json_object_set_new(loading.outs[0].body, "Phone", json_string("a, \"b\"\nc"));
    json_object_set_new(loading.outs[0].body, "HasOptedOutOfEmail", json_true());
    json_object_set_new(loading.outs[1].body, "Total_Orders__c", json_real(0.29));
    json_object_set_new(loading.outs[1].body, "Phone", json_null());
    json_object_set_new(json_array_get(loading.r.exchanges, 2), "sends_text",
                        json_string("crmsync_id__c,LastName,Phone,HasOptedOutOfEmail,"
                                    "Total_Orders__c\r\nk-0,Adeyemi,\"a, \"\"b\"\"\nc\",true,\r\n"
                                    "k-1,Brandt,#N/A,,0.29\r\n"));
    assert_int_equal(load_send(&loading), OK);
    replay_close(&loading.r, SF);

    /* a text that would be taken for none: by collections */
    load_begin(&loading, "describe-contact", 2);
    json_object_set_new(loading.outs[1].body, "Phone", json_string("#N/A"));
    assert_int_equal(load_send(&loading), OK);
    assert_false(loading.is_loadable);
    replay_close(&loading.r, SF);
}

/* --- set-up ----------------------------------------------------------------------------------- */

static const struct remote_option TIERS[] = {{STR("gold"), STR("Gold")}, {STR("silver"), STR("")}};

static enum fail set_up(struct replay *r, const char *name, size_t wanted,
                        struct setup_report *report)
{
    static const char *const KINDS[] = {"company"};
    const struct property_wanted tier = {.kind = "company",
                                         .name = str_of(name),
                                         .label = STR("Tier"),
                                         .type = PROPERTY_ENUM,
                                         .options = TIERS,
                                         .options_count = COUNT_OF(TIERS)};
    const struct setup_request request = {
        .kinds = KINDS, .kinds_count = 1, .properties = &tier, .properties_count = wanted};

    return SF->ensure_setup(r->session, &request, report, &r->err);
}

static void test_setup_makes_fields_and_shows_them_to_this_user(void **state)
{
    struct setup_report report = {0};
    struct replay r;

    (void)state;
    open_scenario(&r, "setup-made");
    EXPECT(set_up(&r, "Tier__c", 1, &report) == OK, "%s", r.err.message);
    assert_int_equal(report.created, 1);
    assert_int_equal(report.present, 1); /* it was there, hidden */
    replay_close(&r, SF);
}

static void test_setup_says_what_to_do_by_hand(void **state)
{
    static const struct {
        const char *scenario, *property, *message, *hint;
    } ROWS[] = {
        {"setup-refused", NULL, "create field crmsync_id__c of Account", "External ID"},
        {"setup-hidden", NULL, "show field crmsync_id__c of Account", "visible and editable"},
        {"setup-not-unique", NULL, "not both Unique and External ID", "tick both"},
        {"setup-not-external", NULL, "not both Unique and External ID", "tick both"},
        {"setup-short", NULL, "too short", "36"},
        {"setup-read-only", NULL, "may not edit", "edit access"},
        {"setup-of-type", NULL, "another type", "declare it"},
        {"setup-option", "Tier__c", "without the value 'silver'", "Values"},
        {"setup-nameless", "Tier", "no name of a custom field", "Tier__c"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct setup_report report = {0};
        struct replay r;

        open_scenario(&r, ROWS[i].scenario);
        assert_int_equal(
            set_up(&r, ROWS[i].property ? ROWS[i].property : "", ROWS[i].property != NULL, &report),
            FAIL_CONNECTION);
        EXPECT(strstr(r.err.message, ROWS[i].message), "%s", r.err.message);
        EXPECT(strstr(r.err.hint, ROWS[i].hint), "%s", r.err.hint);
        EXPECT(strstr(r.err.hint, "'crmsync setup' again") || strstr(r.err.hint, "in the mapping"),
               "cut: %s", r.err.hint);
        replay_close(&r, SF);
    }
}

/* --- counting --------------------------------------------------------------------------------- */

static void test_calls_are_counted_as_they_are_packed(void **state)
{
    static const struct {
        size_t rows, collections;
        int64_t calls;
    } ROWS[] = {{0, 0, 0},  {1, 0, 1},  {25, 0, 1}, {25, 1, 2}, {24, 1, 1},
                {20, 5, 1}, {20, 6, 2}, {0, 5, 1},  {0, 6, 2},  {0, 50, 10}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_int_equal(salesforce_pack_calls(ROWS[i].rows, ROWS[i].collections), ROWS[i].calls);
    }
    assert_int_equal(SF->remove_calls("contact", NULL, 1000), 1);
    assert_int_equal(SF->remove_calls("contact", NULL, 1001), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_item_becomes_what_its_object_takes),
        cmocka_unit_test(test_each_create_has_its_own_fate),
        cmocka_unit_test(test_what_has_no_answer_is_unknown),
        cmocka_unit_test(test_what_concerns_the_account_ends_the_batch),
        cmocka_unit_test(test_what_holds_one_record_back_holds_all),
        cmocka_unit_test(test_halves_find_the_one_that_fails_all),
        cmocka_unit_test(test_few_updates_go_on_condition),
        cmocka_unit_test(test_what_is_denied_for_one_row_stops_no_other),
        cmocka_unit_test(test_what_was_not_read_goes_through_collections),
        cmocka_unit_test(test_people_of_deals_are_written_after_them),
        cmocka_unit_test(test_people_that_were_never_sent_are_not_shown),
        cmocka_unit_test(test_gone_already_is_removed),
        cmocka_unit_test(test_a_job_tells_what_became_of_each),
        cmocka_unit_test(test_a_job_writes_cells_as_the_load_reads_them),
        cmocka_unit_test(test_setup_makes_fields_and_shows_them_to_this_user),
        cmocka_unit_test(test_setup_says_what_to_do_by_hand),
        cmocka_unit_test(test_calls_are_counted_as_they_are_packed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
