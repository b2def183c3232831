/* Rules of the engine that no ordinary journey meets: what a gate refuses, what a schema hides, what several records may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/journal.h"
#include "store/record.h"
#include "sync/effect.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, SIDES };

static const char ANNA[] = "anna@people.example";

static struct world *two(enum delete_mode deletes)
{
    struct world_options options = {
        .seed = 7, .crms = {HUBSPOT, PIPEDRIVE}, .connections = 2, .deletes = deletes};

    return world_new(&options);
}

static void schema(struct world *world, int at, const char *property, const char *change)
{
    json_decref(world_ask(
        world, at, "POST", "/__sim/schema",
        json_pack("{s:s,s:s,s:s}", "object", "contacts", "property", property, "change", change)));
}

static void expect_first_name(struct world *world, int at, const char *id, const char *name)
{
    char shown[STORY_TEXT_BYTES];

    story_show(world, at, id, "first_name", shown);
    EXPECT(strcmp(shown, name) == 0, "it is '%s', wanted '%s'", shown, name);
}

/* --- deletes under a gate --------------------------------------------------------------------------------------------------------- */

enum { REFUSED = 100 };

/* Lets nothing be unlinked but the last. */
struct stubborn {
    int refused;
};

static bool refuses_first(void *context, const struct change *changes, size_t count,
                          struct str remote_id)
{
    struct stubborn *stubborn = context;

    (void)count;
    (void)remote_id;
    return changes[0].op != CHANGE_UNLINK || stubborn->refused++ >= REFUSED;
}

static void a_delete_that_is_refused_holds_up_no_other(void **state)
{
    struct world *world = two(DELETES_UNLINK);
    struct stubborn stubborn = {0};
    const struct gate gate = {.context = &stubborn, .allows = refuses_first};
    struct sync_report report;
    char ids[REFUSED + 1][STORY_ID_BYTES], email[64];

    (void)state;
    world->all.brake.deletes_floor = 10 * REFUSED;
    for (int i = 0; i <= REFUSED; i++) {
        snprintf(email, sizeof email, "p%d@people.example", i);
        story_add(world, A, email, "Person", ids[i]);
    }
    story_rest(world);
    for (int i = 0; i <= REFUSED; i++) {
        story_delete(world, A, ids[i]);
    }
    world_sync(world, true, &report); /* they are found gone; the grace time begins */
    story_advance(world, 15 * 60 * 1000);
    world->sync.gate = &gate;
    world_sync(world, false, &report);

    EXPECT(stubborn.refused == REFUSED + 1, "the gate was asked %d times, wanted once for each",
           stubborn.refused);
    world->sync.gate = NULL;
    world_free(world);
}

/* --- a plan whose answers are lost ------------------------------------------------------------------------------------------------- */

/* The write is applied at the CRM, its answer never comes, and the look-up finds it done: the plan's item is done. */
static void what_was_found_done_is_not_called_refused(void **state)
{
    struct world *world = two(DELETES_ARCHIVE);
    struct applied *applied = calloc(1, sizeof *applied);
    char id[STORY_ID_BYTES], there[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    story_advance(world, 60 * 60 * 1000);
    story_edit(world, A, id, "first_name", "Annabel");
    story_advance(world, 60 * 1000);
    EXPECT(world_plan(world, false) == 1, "one object is to be written");
    world_faults(world, B,
                 json_pack("{s:i,s:[{s:s,s:s,s:i}]}", "seed", 1, "rules", "fault",
                           "timeout_after_apply", "method", "PATCH", "count", HTTP_ATTEMPTS_MAX));
    world_apply(world, applied);

    story_id(world, B, ANNA, there);
    expect_first_name(world, B, there, "Annabel");
    EXPECT(applied->refused == 0, "%lld items are called refused", (long long)applied->refused);
    EXPECT(applied->done == applied->items, "%lld of %lld items are done", (long long)applied->done,
           (long long)applied->items);
    free(applied);
    world_free(world);
}

/* --- a schema that hides ---------------------------------------------------------------------------------------------------------- */

static void a_drift_that_was_discarded_stays_discarded(void **state)
{
    struct world *world = two(DELETES_ARCHIVE);
    struct sync_report report;
    char id[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    schema(world, A, "phone", "remove");
    world_sync(world, false, &report);
    EXPECT(story_failures(world, "drift") == 1, "the drift is shown");
    story_discard_failures(world);
    world_sync(world, false, &report);
    EXPECT(story_failures(world, "drift") == 0, "it is shown again");

    schema(world, A, "phone", "restore");
    world_sync(world, false, &report);
    schema(world, A, "phone", "remove");
    world_sync(world, false, &report);
    EXPECT(story_failures(world, "drift") == 1, "what was well in between is shown anew");
    world_free(world);
}

static void while_a_key_cannot_be_read_nothing_new_is_made(void **state)
{
    struct world *world = two(DELETES_ARCHIVE);
    struct sync_report report;
    char id[STORY_ID_BYTES];

    (void)state;
    story_rest(world);
    story_add(world, A, ANNA, "Anna", id);
    schema(world, A, "email", "remove");
    story_add(world, B, ANNA, "Anna", id);
    world_sync(world, false, &report);
    EXPECT(story_records(world) == 1, "%d records, wanted Pipedrive's alone", story_records(world));
    EXPECT(story_count(world, A, NULL) == 1, "a second Anna was made where the first is not known");
    schema(world, A, "email", "restore");
    story_rest(world);

    EXPECT(story_records(world) == 1, "%d records, wanted one", story_records(world));
    EXPECT(story_count(world, A, NULL) == 1 && story_count(world, B, NULL) == 1, "one at each");
    world_free(world);
}

/* --- who is meant ------------------------------------------------------------------------------------------------------------------ */

static void several_candidates_are_named(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct world *world = two(DELETES_ARCHIVE);
    struct edit edit = world_edit(world);
    struct store_record records[2];
    struct fields fields = {0};
    struct error err = {0};
    char id[STORY_ID_BYTES];
    struct str message;

    (void)state;
    fields_set(&fields, &arena, STR("email"), VALUE_OF(str_of(ANNA)));
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        EXPECT(edit_create(&edit, kind_by_name(&world->kinds, STR("contact")), &fields, true,
                           &arena, &records[i], &err) == OK,
               "%s", err.message);
    }
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);

    message = story_failure_message(world, "match", &arena);
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        EXPECT(str_contains(message, records[i].uuid),
               "%" PRI_STR " is not named in '%" PRI_STR "'", STR_ARG(records[i].uuid),
               STR_ARG(message));
    }
    message = story_failure_message(world, "push", &arena);
    EXPECT(str_contains(message, str_of(id)), "the object is not named in '%" PRI_STR "'",
           STR_ARG(message));
    world_free(world);
}

/* --- what a run did -------------------------------------------------------------------------------------------------------------------- */

/* A record with a long history: the run that is asked about is far from its end. */
static void the_effect_of_an_old_run_is_found_whole(void **state)
{
    enum { ENTRIES = 1300, OLD_RUN = 1, NEW_RUN = 2 };
    AUTO_ARENA struct arena arena = {0};
    struct world *world = two(DELETES_ARCHIVE);
    struct store_record record = {.kind = STR("contact"),
                                  .uuid = STR("018f0000-0000-7000-8000-000000000001"),
                                  .state = RECORD_LIVE};
    struct effect effect;
    struct tx *tx = NULL;
    struct error err = {0};

    (void)state;
    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               record_insert(tx, &record, NULL, 0, &err) == OK,
           "%s", err.message);
    for (int i = 0; i < ENTRIES; i++) {
        struct journal_change change = {.field = STR("first_name"),
                                        .from = VALUE_OF(arena_printf(&arena, "%d", i)),
                                        .to = VALUE_OF(arena_printf(&arena, "%d", i + 1)),
                                        .rule = STR("adopt")};
        struct journal_entry entry = {.record_id = record.id,
                                      .record_version = i + 2,
                                      .run_id = i < 3 ? OLD_RUN : NEW_RUN,
                                      .connection_id = 1,
                                      .cause = CAUSE_PULL,
                                      .changes = &change,
                                      .changes_count = 1};

        EXPECT(journal_append(tx, &entry, &err) == OK, "%s", err.message);
    }
    EXPECT(effect_of_run(tx, OLD_RUN, record.id, &arena, &effect, &err) == OK, "%s", err.message);
    EXPECT(tx_commit(&tx, &err) == OK, "%s", err.message);

    EXPECT_STR(fields_get(&effect.from, STR("first_name"))->text, STR("0"), "before the run");
    EXPECT_STR(fields_get(&effect.to, STR("first_name"))->text, STR("3"), "after it");
    world_free(world);
}

/* --- a clock that is set back ----------------------------------------------------------------------------------------------------- */

/* What was written in the time that has not come again is no reason to doubt what is read now, let alone to read it again and again. */
static void a_clock_that_is_set_back_holds_nothing_up(void **state)
{
    enum { CALLS_MAX = 40 };
    struct world *world = two(DELETES_UNLINK);
    struct sync_report report;
    char there[STORY_ID_BYTES], id[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    story_id(world, B, ANNA, there);
    story_edit(world, B, there, "first_name", "Anne");
    story_rest(world); /* written at A a moment ago */
    clock_step_ms(world->env.clock, -60 * 60 * 1000);
    story_edit(world, A, id, "first_name", "Ann");
    world_sync(world, true, &report);
    EXPECT(report.counts.calls < CALLS_MAX, "%lld calls", (long long)report.counts.calls);
    story_rest(world);
    expect_first_name(world, B, there, "Ann");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delete_that_is_refused_holds_up_no_other),
        cmocka_unit_test(what_was_found_done_is_not_called_refused),
        cmocka_unit_test(a_drift_that_was_discarded_stays_discarded),
        cmocka_unit_test(while_a_key_cannot_be_read_nothing_new_is_made),
        cmocka_unit_test(several_candidates_are_named),
        cmocka_unit_test(the_effect_of_an_old_run_is_found_whole),
        cmocka_unit_test(a_clock_that_is_set_back_holds_nothing_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
