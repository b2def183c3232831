/* What a file of HubSpot's journal says, and what it does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hubspot_events.h"

#include "tests/expect.h"

#define FILE_OF(events) "{\"offset\":\"x\",\"journalEvents\":[" events "],\"publishedAt\":\"\"}"
#define OBJECT(action, more)                                                                       \
    "{\"type\":\"crmObject\",\"portalId\":4242,\"occurredAt\":\"2026-11-21T07:05:31.250Z\","       \
    "\"action\":\"" action "\",\"objectTypeId\":\"0-1\"" more "}"

/* names: "type:id" of each, "*" behind it when only values changed; blanks between. NULL: no file of the journal. */
static const struct {
    const char *what, *file, *names;
    bool is_unclear;
} CASES[] = {
    {"nothing", FILE_OF(""), "", false},
    {"a change", FILE_OF(OBJECT("UPDATE", ",\"objectId\":101,\"propertyChanges\":{\"a\":\"b\"}")),
     "0-1:101*", false},
    {"an id as text", FILE_OF(OBJECT("CREATE", ",\"objectId\":\"101\"")), "0-1:101*", false},
    {"a delete", FILE_OF(OBJECT("DELETE", ",\"objectId\":101")), "0-1:101", false},
    {"a restore", FILE_OF(OBJECT("RESTORE", ",\"objectId\":101")), "0-1:101", false},
    {"an action that is new to us", FILE_OF(OBJECT("SPLIT", ",\"objectId\":101")), "0-1:101",
     false},
    {"a merge that names the survivor", FILE_OF(OBJECT("MERGE", ",\"objectId\":101")), "0-1:101",
     false},
    {"a merge as webhooks tell it",
     FILE_OF(OBJECT("MERGE", ",\"primaryObjectId\":101,\"mergedObjectIds\":[102,\"103\",null],"
                             "\"newObjectId\":104")),
     "0-1:104 0-1:101 0-1:102 0-1:103", false},
    {"a link",
     FILE_OF("{\"type\":\"association\",\"portalId\":4242,\"action\":\"ASSOCIATION_ADDED\","
             "\"fromObjectTypeId\":\"0-1\",\"fromObjectId\":101,\"toObjectTypeId\":\"0-2\","
             "\"toObjectId\":201}"),
     "0-1:101 0-2:201", false},
    {"a link with other words",
     FILE_OF("{\"type\":\"association\",\"action\":\"ASSOCIATION_REMOVED\",\"objectTypeId\":"
             "\"0-3\",\"objectId\":301,\"associatedObjectTypeId\":\"0-1\","
             "\"associatedObjectId\":101}"),
     "0-3:301 0-1:101", false},
    {"of another account",
     FILE_OF("{\"portalId\":1,\"action\":\"UPDATE\",\"objectTypeId\":\"0-1\",\"objectId\":7}"), "",
     false},
    {"of no account", FILE_OF("{\"action\":\"UPDATE\",\"objectTypeId\":\"0-1\",\"objectId\":7}"),
     "0-1:7*", false},
    {"the app's own life",
     FILE_OF("{\"type\":\"app_lifecycle_event\",\"action\":\"APP_UNINSTALL\",\"portalId\":4242}"),
     "", false},
    {"no id", FILE_OF(OBJECT("UPDATE", "")), "", true},
    {"an id that is none", FILE_OF(OBJECT("UPDATE", ",\"objectId\":\"../1\"")), "", true},
    {"a negative id", FILE_OF(OBJECT("UPDATE", ",\"objectId\":-5")), "", true},
    {"an id that is an object", FILE_OF(OBJECT("UPDATE", ",\"objectId\":{}")), "", true},
    {"no type", FILE_OF("{\"type\":\"crmObject\",\"action\":\"UPDATE\",\"objectId\":7}"), "", true},
    {"an event that is a text", FILE_OF("\"hello\""), "", true},
    {"one good, one unclear",
     FILE_OF(OBJECT("UPDATE", ",\"objectId\":101") "," OBJECT("UPDATE", "")), "0-1:101*", true},
    {"no list", "{\"offset\":\"x\"}", NULL, false},
    {"a list that is none", "{\"journalEvents\":{}}", NULL, false},
    {"a list alone", "[]", NULL, false},
    {"half of it", "{\"journalEvents\":[{\"objectId\":1", NULL, false},
    {"nothing at all", "", NULL, false},
    {"a page of a gateway", "<html>no</html>", NULL, false},
    {"a key twice", "{\"journalEvents\":[],\"journalEvents\":[]}", NULL, false},
};

static void test_what_files_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO_ARENA struct arena arena = {0};
        AUTO_BUF struct buf names = {0};
        struct hubspot_entry entry;
        struct error err = {0};
        enum fail failed =
            hubspot_journal_parse(str_of(CASES[i].file), STR("4242"), &arena, &entry, &err);

        EXPECT(failed == (CASES[i].names ? OK : FAIL_RECORD), "%s: %d", CASES[i].what, failed);
        if (failed != OK) {
            EXPECT(err.message[0] && !strstr(err.message, "html"), "%s: %s", CASES[i].what,
                   err.message);
            continue;
        }
        buf_init(&names, 1024);
        for (size_t k = 0; k < entry.count; k++) {
            const struct hubspot_name *name = &entry.names[k];

            buf_addf(&names, "%s%" PRI_STR ":%" PRI_STR "%s", k ? " " : "", STR_ARG(name->type_id),
                     STR_ARG(name->id), name->is_value ? "*" : "");
        }
        EXPECT(str_equal(buf_str(&names), str_of(CASES[i].names)), "%s: '%" PRI_STR "'",
               CASES[i].what, STR_ARG(buf_str(&names)));
        EXPECT(entry.is_unclear == CASES[i].is_unclear, "%s: unclear %d", CASES[i].what,
               entry.is_unclear);
    }
}

static void test_times_are_read_or_unknown(void **state)
{
    static const struct {
        const char *file;
        int64_t at_ms;
    } TIMES[] = {
        {FILE_OF(OBJECT("UPDATE", ",\"objectId\":1")), 1795244731250},
        {FILE_OF("{\"action\":\"UPDATE\",\"objectTypeId\":\"0-1\",\"objectId\":1,\"occurredAt\":"
                 "\"soon\"}"),
         0},
        {FILE_OF("{\"action\":\"UPDATE\",\"objectTypeId\":\"0-1\",\"objectId\":1}"), 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct hubspot_entry entry;
        struct error err = {0};

        EXPECT(hubspot_journal_parse(str_of(TIMES[i].file), STR(""), &arena, &entry, &err) == OK,
               "%s", err.message);
        EXPECT(entry.count == 1 && entry.names[0].at_ms == TIMES[i].at_ms, "%zu: %lld", i,
               (long long)entry.names[0].at_ms);
    }
}

/* As many as a file may hold. source: HubSpot's changelog of July 2026 */
static void test_a_full_file(void **state)
{
    enum { EVENTS = 10000 };
    AUTO_ARENA struct arena arena = {0};
    AUTO_BUF struct buf file = {0};
    struct hubspot_entry entry;
    struct error err = {0};

    (void)state;
    buf_init(&file, 8 * 1024 * 1024);
    buf_add(&file, STR("{\"journalEvents\":["));
    for (int i = 0; i < EVENTS; i++) {
        buf_addf(&file, "%s" OBJECT("UPDATE", ",\"objectId\":%d"), i ? "," : "", i + 1);
    }
    buf_add(&file, STR("]}"));
    EXPECT(hubspot_journal_parse(buf_str(&file), STR("4242"), &arena, &entry, &err) == OK, "%s",
           err.message);
    assert_int_equal(entry.count, EVENTS);
    EXPECT(str_equal(entry.names[EVENTS - 1].id, STR("10000")), "the last one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_files_say),
        cmocka_unit_test(test_times_are_read_or_unknown),
        cmocka_unit_test(test_a_full_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
