/* Salesforce's changes by its change events: the same life in two worlds, one polled and one told, ends the same. */
#include <stdio.h>
#include <string.h>

#include "core/str.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, C, SIDES, PEOPLE = 8 };
enum { MINUTE_MS = 60 * 1000 };

static struct world *begin(bool by_events)
{
    struct world_options options = {.seed = 7,
                                    .crms = {HUBSPOT, PIPEDRIVE, SALESFORCE},
                                    .connections = SIDES,
                                    .deletes = DELETES_ARCHIVE,
                                    .by_events = by_events,
                                    .is_lasting = true};
    struct world *world = world_new(&options);

    json_decref(world_ask(world, C, "POST", "/__sim/events",
                          json_pack("{s:[s,s]}", "selected", "Account", "Contact")));
    return world;
}

static void email_of(int person, char ret[STORY_TEXT_BYTES])
{
    snprintf(ret, STORY_TEXT_BYTES, "person%d@people.example", person);
}

static void restore(struct world *world, const char *id)
{
    json_decref(world_ask(world, C, "POST", "/__sim/restore",
                          json_pack("{s:s,s:s}", "object", "Contact", "id", id)));
}

/* Everybody everywhere, and the events' place found. */
static void meet(struct world *world, char ids[PEOPLE][STORY_ID_BYTES])
{
    char ignored[STORY_ID_BYTES], email[STORY_TEXT_BYTES];

    for (int i = 0; i < PEOPLE; i++) {
        email_of(i, email);
        story_add(world, i % SIDES, email, "Person", ignored);
    }
    for (int i = 0; i < 3; i++) {
        story_rest(world);
        story_advance(world, 20 * MINUTE_MS);
    }
    for (int i = 0; i < PEOPLE; i++) {
        email_of(i, email);
        story_id(world, C, email, ids[i]);
    }
}

static void live(struct world *world, char ids[PEOPLE][STORY_ID_BYTES])
{
    char there[STORY_ID_BYTES], email[STORY_TEXT_BYTES];

    email_of(0, email);
    story_id(world, A, email, there);
    story_edit(world, C, ids[0], "first_name", "Ida"); /* different fields at both ends */
    story_edit(world, A, there, "phone", "+49 30 901820");
    story_edit(world, C, ids[1], "first_name", "Uwe");
    story_delete(world, C, ids[2]);
    story_delete(world, C, ids[3]);
    story_rest(world);
    restore(world, ids[3]); /* before the delete takes effect */
    story_merge(world, C, ids[4], ids[5]);
    story_rest(world);
    story_edit(world, C, ids[4], "first_name", "Survivor");
    story_add(world, C, "new@people.example", "New", there);
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

/* Calls that a sync takes at Salesforce when nothing happened: all, and those of the change events. */
static json_int_t quiet_calls(struct world *world, json_int_t *ret_events)
{
    struct sync_report report;
    json_t *stats, *calls;
    json_int_t total;

    json_decref(world_ask(world, C, "POST", "/__sim/stats/reset", json_object()));
    world_sync(world, false, &report);
    stats = world_ask(world, C, "GET", "/__sim/stats", NULL);
    calls = json_object_get(stats, "calls");
    total = json_integer_value(json_object_get(stats, "calls_total"));
    *ret_events = 0;
    for (void *at = json_object_iter(calls); at; at = json_object_iter_next(calls, at)) {
        if (strstr(json_object_iter_key(at), "/cometd")) {
            *ret_events += json_integer_value(json_object_iter_value(at));
        }
    }
    json_decref(stats);
    return total;
}

static void a_life_ends_the_same_by_either_way(void **state)
{
    char polled_ids[PEOPLE][STORY_ID_BYTES], told_ids[PEOPLE][STORY_ID_BYTES];
    struct world *polled = begin(false), *told = begin(true);

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
    struct world *polled = begin(false), *told = begin(true);
    json_int_t events, all, counted;

    (void)state;
    meet(polled, ids);
    meet(told, ids);
    all = quiet_calls(polled, &events);
    EXPECT(events == 0, "a polled account is asked for no events");
    counted = quiet_calls(told, &events);
    printf("quiet sync of two kinds: polled %lld calls, by events %lld, %lld of them counted by "
           "the day's limit\n",
           (long long)all, (long long)counted, (long long)(counted - events));
    EXPECT(events > 0, "events are asked for");
    EXPECT(counted < all, "%lld calls by events, %lld by polling", (long long)counted,
           (long long)all);
    EXPECT(counted - events < all - 3, "%lld counted calls by events",
           (long long)(counted - events));
    world_free(polled);
    world_free(told);
}

/* A new process goes on where the store says. */
static void a_restart_loses_no_event(void **state)
{
    char ids[PEOPLE][STORY_ID_BYTES], shown[STORY_TEXT_BYTES], there[STORY_ID_BYTES];
    char email[STORY_TEXT_BYTES];
    struct world *world = begin(true);

    (void)state;
    meet(world, ids);
    for (int i = 0; i < PEOPLE; i++) {
        story_edit(world, C, ids[i], "first_name", "Later");
        world_reopen(world);
        story_rest(world);
        email_of(i, email);
        story_id(world, B, email, there);
        story_show(world, B, there, "first_name", shown);
        EXPECT(strcmp(shown, "Later") == 0, "person %d is '%s' at the others", i, shown);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_ends_the_same_by_either_way),
        cmocka_unit_test(a_quiet_sync_takes_fewer_calls),
        cmocka_unit_test(a_restart_loses_no_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
