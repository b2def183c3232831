/* HubSpot's changes by its webhooks journal: the same life in two worlds, one polled and one told, ends the same; kills and a journal that forgot lose
 * nothing. */
#include <stdio.h>
#include <string.h>

#include "core/str.h"
#include "tests/scenarios/story.h"
#include "tests/simulation/disk.h"

#include "tests/expect.h"

enum { A, B, C, SIDES, PEOPLE = 8 };
enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, PROPERTIES_MAX = 256, KILLS = 20 };

/* What the mappings read. */
static void select_events(struct world *world)
{
    static const char *const KINDS[] = {"company", "contact"};
    const struct connection_settings *settings = &world->settings[A];
    struct webhook_property properties[PROPERTIES_MAX];
    struct webhook_wanted wanted = {
        .kinds = KINDS, .kinds_count = COUNT_OF(KINDS), .properties = properties};
    struct webhook_report report;
    struct arena arena = {0};
    struct error err = {0};

    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        const struct mapping *mapping = mapping_of(settings->mappings, str_of(KINDS[i]));

        for (size_t k = 0; k < mapping->properties_count; k++) {
            EXPECT(wanted.properties_count < PROPERTIES_MAX, "room for the properties");
            properties[wanted.properties_count++] =
                (struct webhook_property){.kind = KINDS[i], .name = mapping->properties[k]};
        }
    }
    EXPECT(settings->adapter->select_events(world->connections[A].session, &wanted, &arena, &report,
                                            &err) == OK,
           "%s", err.message);
    EXPECT(report.created >= 3, "%d subscriptions", report.created);
    arena_fini(&arena);
}

static struct world *begin(bool by_journal, bool is_lasting, int sides)
{
    struct world_options options = {.seed = 7,
                                    .crms = {HUBSPOT, PIPEDRIVE, SALESFORCE},
                                    .connections = sides,
                                    .deletes = DELETES_ARCHIVE,
                                    .by_journal = by_journal,
                                    .is_lasting = is_lasting};
    struct world *world = world_new(&options);

    if (by_journal) {
        json_decref(world_ask(world, A, "POST", "/__sim/journal",
                              json_pack("{s:s}", "files_at", WORLD_FILES)));
        select_events(world);
    }
    return world;
}

static void email_of(int person, char ret[STORY_TEXT_BYTES])
{
    snprintf(ret, STORY_TEXT_BYTES, "person%d@people.example", person);
}

static void restore(struct world *world, const char *id)
{
    json_decref(world_ask(world, A, "POST", "/__sim/restore",
                          json_pack("{s:s,s:s}", "object", "contacts", "id", id)));
}

/* Everybody everywhere, and the journal's place found. */
static void meet(struct world *world, char ids[PEOPLE][STORY_ID_BYTES])
{
    char ignored[STORY_ID_BYTES], email[STORY_TEXT_BYTES];

    for (int i = 0; i < PEOPLE; i++) {
        email_of(i, email);
        story_add(world, i % world->count, email, "Person", ignored);
    }
    for (int i = 0; i < 3; i++) {
        story_rest(world);
        story_advance(world, 15 * MINUTE_MS);
    }
    for (int i = 0; i < PEOPLE; i++) {
        email_of(i, email);
        story_id(world, A, email, ids[i]);
    }
}

static void live(struct world *world, char ids[PEOPLE][STORY_ID_BYTES])
{
    char there[STORY_ID_BYTES], email[STORY_TEXT_BYTES];

    email_of(0, email);
    story_id(world, C, email, there);
    story_edit(world, A, ids[0], "first_name", "Ida"); /* different fields at both ends */
    story_edit(world, C, there, "phone", "+49 30 901820");
    story_edit(world, A, ids[1], "first_name", "Uwe");
    story_delete(world, A, ids[2]);
    story_delete(world, A, ids[3]);
    story_rest(world);
    restore(world, ids[3]); /* before the delete takes effect */
    story_merge(world, A, ids[4], ids[5]);
    story_rest(world);
    email_of(4, email);
    story_id(world, A, email, there); /* which id survives is HubSpot's choice */
    story_edit(world, A, there, "first_name", "Survivor");
    story_add(world, A, "new@people.example", "New", there);
    for (int i = 0; i < 3; i++) { /* the grace time of deletes passes */
        story_rest(world);
        story_advance(world, 15 * MINUTE_MS);
    }
}

/* What lives at a CRM, in an order that does not depend on ids. */
static json_t *people(struct world *world, int at)
{
    static const char *const FIELDS[] = {"first_name", "last_name", "phone"};
    json_t *rows = json_object(), *state = world_state(world, at, "contact");
    size_t index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        const json_t *into = json_object_get(record, "merged_into");
        char email[STORY_TEXT_BYTES], value[STORY_TEXT_BYTES];
        json_t *row = json_object();

        world_field(world->crms[at], record, "email", email, sizeof email);
        for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
            world_field(world->crms[at], record, FIELDS[i], value, sizeof value);
            json_object_set_new(row, FIELDS[i], json_string(value));
        }
        if (json_is_true(json_object_get(record, "archived")) || (into && !json_is_null(into))) {
            json_decref(row);
        } else {
            json_object_set_new(rows, email, row);
        }
    }
    json_decref(state);
    return rows;
}

static void expect_same(struct world *polled, struct world *told)
{
    for (int at = 0; at < SIDES; at++) {
        json_t *x = people(polled, at), *y = people(told, at);

        if (!json_equal(x, y)) {
            char *left = json_dumps(x, JSON_SORT_KEYS), *right = json_dumps(y, JSON_SORT_KEYS);

            fail_msg("at %s:\n polled %s\n told   %s", polled->names[at].at, left, right);
        }
        EXPECT(json_object_size(x) == PEOPLE - 1, "%zu people at %s", json_object_size(x),
               polled->names[at].at);
        json_decref(x);
        json_decref(y);
    }
    EXPECT(story_records(polled) == story_records(told), "as many records");
    EXPECT(story_conflicts(told) == story_conflicts(polled), "as many conflicts");
}

/* Calls at HubSpot when nothing happened: all, and those of the journal, which no limit of the account counts. */
static json_int_t quiet_calls(struct world *world, json_int_t *ret_journal)
{
    struct sync_report report;
    json_t *stats, *calls;
    json_int_t total;

    json_decref(world_ask(world, A, "POST", "/__sim/stats/reset", json_object()));
    world_sync(world, false, &report);
    stats = world_ask(world, A, "GET", "/__sim/stats", NULL);
    calls = json_object_get(stats, "calls");
    total = json_integer_value(json_object_get(stats, "calls_total"));
    *ret_journal = 0;
    for (void *at = json_object_iter(calls); at; at = json_object_iter_next(calls, at)) {
        if (strstr(json_object_iter_key(at), "journal")) {
            *ret_journal += json_integer_value(json_object_iter_value(at));
        }
    }
    json_decref(stats);
    return total;
}

static void expect_first_name(struct world *world, int person, const char *wanted)
{
    char there[STORY_ID_BYTES], shown[STORY_TEXT_BYTES], email[STORY_TEXT_BYTES];

    email_of(person, email);
    story_id(world, B, email, there);
    story_show(world, B, there, "first_name", shown);
    EXPECT(strcmp(shown, wanted) == 0, "person %d is '%s' there, not '%s'", person, shown, wanted);
}

/* --- stories ---------------------------------------------------------------------------------- */

static void a_life_ends_the_same_by_either_way(void **state)
{
    char polled_ids[PEOPLE][STORY_ID_BYTES], told_ids[PEOPLE][STORY_ID_BYTES];
    struct world *polled = begin(false, true, SIDES), *told = begin(true, true, SIDES);

    (void)state;
    meet(polled, polled_ids);
    meet(told, told_ids);
    live(polled, polled_ids);
    live(told, told_ids);
    expect_same(polled, told);
    world_free(polled);
    world_free(told);
}

static void a_quiet_sync_takes_fewer_calls(void **state)
{
    char ids[PEOPLE][STORY_ID_BYTES];
    struct world *polled = begin(false, true, SIDES), *told = begin(true, true, SIDES);
    json_int_t journal, all, counted;

    (void)state;
    meet(polled, ids);
    meet(told, ids);
    all = quiet_calls(polled, &journal);
    EXPECT(journal == 0, "a polled account's journal is left alone");
    counted = quiet_calls(told, &journal);
    printf("quiet sync of two kinds: polled %lld calls, by the journal %lld, %lld of them counted "
           "by the account's limits\n",
           (long long)all, (long long)counted, (long long)(counted - journal));
    EXPECT(journal > 0, "the journal is asked");
    EXPECT(counted - journal < all, "%lld counted calls by the journal, %lld by polling",
           (long long)(counted - journal), (long long)all);
    world_free(polled);
    world_free(told);
}

/* The journal keeps three days: who comes later finds what changed all the same. */
static void a_journal_that_forgot_loses_nothing(void **state)
{
    char ids[PEOPLE][STORY_ID_BYTES];
    struct world *world = begin(true, true, 2);

    (void)state;
    meet(world, ids);
    story_edit(world, A, ids[0], "first_name", "Before");
    story_advance(world, INT64_C(80) * HOUR_MS);
    story_edit(world, A, ids[1], "first_name", "After");
    json_decref(world_ask(world, A, "POST", "/__sim/journal",
                          json_pack("{s:s,s:b}", "files_at", WORLD_FILES, "forget", 1)));
    story_rest(world);
    expect_first_name(world, 0, "Before");
    expect_first_name(world, 1, "After");
    story_edit(world, A, ids[2], "first_name", "Later");
    story_delete(world, A, ids[3]);
    story_rest(world);
    story_advance(world, 15 * MINUTE_MS);
    story_rest(world);
    expect_first_name(world, 2, "Later");
    EXPECT(story_count(world, B, NULL) == PEOPLE - 1, "the delete arrived");
    world_free(world);
}

/* A process that ends at any call between hearing and storing: the next one hears it again. */
static void no_kill_loses_an_event(void **state)
{
    char ids[PEOPLE][STORY_ID_BYTES], name[STORY_TEXT_BYTES];
    struct world *world = begin(true, false, 2);
    int killed = 0;

    (void)state;
    meet(world, ids);
    for (int64_t moment = 1; moment <= KILLS; moment++) {
        struct sync_report report;
        struct error err = {0};
        int person = (int)(moment % PEOPLE);

        snprintf(name, sizeof name, "Killed %d", (int)moment);
        story_edit(world, A, ids[person], "first_name", name);
        world_kill_at(world, moment);
        (void)!world_try(world, false, &report, &err);
        killed += disk_is_dead(world->disk);
        world_kill_at(world, 0);
        world_revive(world);
        story_rest(world);
        story_advance(world, 3 * MINUTE_MS);
        story_rest(world);
        expect_first_name(world, person, name);
    }
    printf("%d of %d killed\n", killed, KILLS);
    EXPECT(killed > KILLS / 2, "only %d of %d were killed", killed, KILLS);
    EXPECT(story_count(world, A, NULL) == PEOPLE && story_count(world, B, NULL) == PEOPLE,
           "nobody is there twice");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_ends_the_same_by_either_way),
        cmocka_unit_test(a_quiet_sync_takes_fewer_calls),
        cmocka_unit_test(a_journal_that_forgot_loses_nothing),
        cmocka_unit_test(no_kill_loses_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
