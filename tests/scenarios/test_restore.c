/* The store is lost and an older backup takes its place: what happened since is found out, nothing is made twice, nothing that went comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit.h"
#include "store/link.h"
#include "store/record.h"
#include "store/restoring.h"
#include "sync/undo.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, C, SIDES };

static const char ANNA[] = "anna@people.example";
static const char BOB[] = "bob@people.example";

static struct world *begin(int connections, enum delete_mode deletes)
{
    struct world_options options = {.seed = 11,
                                    .crms = {HUBSPOT, PIPEDRIVE, SALESFORCE},
                                    .connections = connections,
                                    .deletes = deletes,
                                    .is_lasting = true};

    return world_new(&options);
}

static struct sync_report sync_once(struct world *world)
{
    struct sync_report report;

    world_sync(world, false, &report);
    return report;
}

/* Grace times pass as well. */
static void rest(struct world *world)
{
    story_rest(world);
    story_advance(world, 15 * 60 * 1000);
    story_rest(world);
}

static void expect_counts(struct world *world, int wanted, const char *why)
{
    for (int at = 0; at < world->count; at++) {
        EXPECT(story_count(world, at, NULL) == wanted, "%s: %d people at %s, wanted %d", why,
               story_count(world, at, NULL), world->names[at].at, wanted);
    }
    EXPECT(story_records(world) == wanted, "%s: %d records here, wanted %d", why,
           story_records(world), wanted);
}

/* A person that nothing but the name tells from others. */
static void add_nameless(struct world *world, int at, const char *first_name,
                         char ret_id[STORY_ID_BYTES])
{
    json_t *set = world_set(world->crms[at], "first_name", first_name);
    json_t *answer;

    json_object_update_new(set, world_set(world->crms[at], "last_name", "Person"));
    answer = world_ask(world, at, "POST", "/__sim/edit",
                       json_pack("{s:s,s:o,s:s}", "object", world_word(world->crms[at], "contact"),
                                 "set", set, "by", "person"));
    snprintf(ret_id, STORY_ID_BYTES, "%s", json_string_value(json_object_get(answer, "id")));
    json_decref(answer);
}

static void add_here(struct world *world, const char *first_name, char ret_uuid[64])
{
    AUTO_ARENA struct arena arena = {0};
    struct edit edit = world_edit(world);
    struct fields fields = {0};
    struct store_record record;
    struct error err = {0};

    fields_set(&fields, &arena, STR("first_name"), VALUE_OF(str_of(first_name)));
    fields_set(&fields, &arena, STR("last_name"), VALUE_OF(STR("Local")));
    EXPECT(edit_create(&edit, kind_by_name(&world->kinds, STR("contact")), &fields, false, &arena,
                       &record, &err) == OK,
           "%s", err.message);
    snprintf(ret_uuid, 64, "%" PRI_STR, STR_ARG(record.uuid));
}

static bool is_here(struct world *world, const char *uuid)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record record;
    struct error err = {0};
    struct tx *tx = NULL;
    bool found = false;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               record_by_uuid(tx, str_of(uuid), &arena, &record, &found, &err) == OK,
           "%s", err.message);
    tx_abort(&tx);
    return found && record.state == RECORD_LIVE;
}

static void retry_failures(struct world *world)
{
    AUTO_ARENA struct arena arena = {0};
    struct edit edit = world_edit(world);
    struct store_failure *failures;
    struct error err = {0};
    struct tx *tx = NULL;
    size_t count = 0;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               failure_list(tx, false, 0, 1000, &arena, &failures, &count, &err) == OK,
           "%s", err.message);
    tx_abort(&tx);
    for (size_t i = 0; i < count; i++) {
        EXPECT(retry_failure(&edit, failures[i].id, &err) == OK, "%s", err.message);
    }
}

/* --- what was made meanwhile ---------------------------------------------------------------------------------- */

/* All sides agreed when the store was lost: nothing at all is written. */
static void what_was_made_since_is_recognised(void **state)
{
    enum { PEOPLE = 30 };
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    char id[STORY_ID_BYTES], email[64], uuid[64];
    json_int_t writes;

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    world_backup(world);
    for (int i = 0; i < PEOPLE; i++) {
        snprintf(email, sizeof email, "p%d@people.example", i);
        story_add(world, i % SIDES, email, "Person", id);
    }
    add_nameless(world, A, "Nora", id);
    add_nameless(world, B, "Nils", id);
    add_nameless(world, C, "Nina", id);
    add_here(world, "Lena", uuid);
    rest(world);
    expect_counts(world, PEOPLE + 5, "before");
    writes = world_writes_all(world);

    world_restore(world);
    EXPECT(story_records(world) == 1, "the store is the old one");
    rest(world);
    expect_counts(world, PEOPLE + 5, "after");
    EXPECT(world_writes_all(world) == writes, "%d writes", (int)(world_writes_all(world) - writes));
    EXPECT(story_failures(world, "") == 0, "%d failures", story_failures(world, ""));
    EXPECT(is_here(world, uuid), "the record made here is back under its own id");
    world_free(world);
}

/* The one was changed after the last sync, so that the two no longer look the same: a person is asked, and nothing is doubled. */
static void what_cannot_be_told_apart_is_set_aside(void **state)
{
    struct world *world = begin(2, DELETES_ARCHIVE);
    char id[STORY_ID_BYTES];

    (void)state;
    story_rest(world);
    world_backup(world);
    add_nameless(world, A, "Nora", id);
    rest(world);
    expect_counts(world, 1, "before");
    story_edit(world, A, id, "first_name", "Eleonora");

    world_restore(world);
    rest(world);
    EXPECT(story_count(world, A, NULL) == 1 && story_count(world, B, NULL) == 1,
           "%d and %d people, wanted one each", story_count(world, A, NULL),
           story_count(world, B, NULL));
    EXPECT(story_failures(world, "restored") == 2, "%d are set aside, wanted both",
           story_failures(world, "restored"));
    /* Somebody makes them the same again: that is for a person to say, too. */
    story_edit(world, A, id, "first_name", "Nora");
    rest(world);
    EXPECT(story_count(world, A, NULL) == 1 && story_count(world, B, NULL) == 1, "still one each");
    retry_failures(world);
    rest(world);
    EXPECT(story_count(world, A, NULL) == 2 && story_count(world, B, NULL) == 2,
           "a person let them through");
    world_free(world);
}

/* Changed where it was typed in, while its copies say of each other that they are one: it may be theirs, so it is made at neither of those CRMs. */
static void what_was_copied_to_several_is_not_made_beside_its_copies(void **state)
{
    (void)state;
    for (int from = 0; from < SIDES; from++) {
        struct world *world = begin(SIDES, DELETES_ARCHIVE);
        char id[STORY_ID_BYTES];

        story_rest(world);
        world_backup(world);
        add_nameless(world, from, "Nora", id);
        rest(world);
        expect_counts(world, 1, "before");
        story_edit(world, from, id, "first_name", "Eleonora");

        world_restore(world);
        rest(world);
        for (int at = 0; at < SIDES; at++) {
            EXPECT(story_count(world, at, NULL) == 1, "from %s: %d people at %s, wanted one",
                   world->names[from].at, story_count(world, at, NULL), world->names[at].at);
        }
        EXPECT(story_failures(world, "restored") == 3, "from %s: %d are set aside, wanted three",
               world->names[from].at, story_failures(world, "restored"));
        world_free(world);
    }
}

/* Made everywhere after the backup, and deleted at one CRM by a person: its objects at the others say that crmsync had made it there as well. */
static void what_went_at_one_of_several_is_not_made_again(void **state)
{
    struct world *world = begin(SIDES, DELETES_UNLINK);
    char id[STORY_ID_BYTES];

    (void)state;
    story_rest(world);
    world_backup(world);
    story_add(world, A, ANNA, "Anna", id);
    rest(world);
    expect_counts(world, 1, "before");
    story_id(world, C, ANNA, id);
    story_delete(world, C, id);

    world_restore(world);
    rest(world);
    EXPECT(story_count(world, C, NULL) == 0, "what a person deleted there is made again");
    EXPECT(story_count(world, A, NULL) == 1 && story_count(world, B, NULL) == 1, "the others stay");
    EXPECT(story_failures(world, "restored") == 1, "%d are set aside, wanted one",
           story_failures(world, "restored"));
    retry_failures(world);
    rest(world);
    EXPECT(story_count(world, C, NULL) == 1, "a person let it through");
    world_free(world);
}

/* The backup was made before anything was ever synced: what it does not know of a connection may have happened all the same. */
static void a_backup_of_before_the_first_sync(void **state)
{
    struct world *world = begin(2, DELETES_UNLINK);
    char uuid[64], id[STORY_ID_BYTES];

    (void)state;
    add_here(world, "Lena", uuid);
    world_backup(world);
    rest(world);
    expect_counts(world, 1, "before");
    story_id(world, B, NULL, id);
    story_delete(world, B, id);

    world_restore(world);
    rest(world);
    EXPECT(story_count(world, A, NULL) == 1 && story_count(world, B, NULL) == 0,
           "%d and %d people, wanted one and none", story_count(world, A, NULL),
           story_count(world, B, NULL));
    EXPECT(story_failures(world, "restored") == 1, "%d are set aside, wanted one",
           story_failures(world, "restored"));
    world_free(world);
}

/* Two objects that crmsync made from one record carry its id, whatever became of their values. */
static void our_id_says_that_two_are_one(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    char id[STORY_ID_BYTES], shown[STORY_TEXT_BYTES];

    (void)state;
    story_rest(world);
    world_backup(world);
    add_nameless(world, A, "Nora", id);
    rest(world);
    story_id(world, C, NULL, id);
    story_edit(world, C, id, "first_name", "Eleonora");

    world_restore(world);
    rest(world);
    expect_counts(world, 1, "after");
    story_id(world, A, NULL, id);
    story_show(world, A, id, "first_name", shown);
    EXPECT(strcmp(shown, "Eleonora") == 0, "'%s' at A", shown);
    world_free(world);
}

/* Of one name, and two people all the same. */
static void a_name_alone_is_not_enough(void **state)
{
    struct world *world = begin(2, DELETES_ARCHIVE);
    char id[STORY_ID_BYTES];

    (void)state;
    story_rest(world);
    world_backup(world);
    add_nameless(world, A, "Nora", id);
    story_edit(world, A, id, "phone", "+49301234567");
    add_nameless(world, B, "Nora", id);
    story_edit(world, B, id, "phone", "+49307654321");

    world_restore(world);
    rest(world);
    expect_counts(world, 2, "after");
    world_free(world);
}

/* What was typed in after the last sync is no double of anything, and goes on as ever. */
static void what_nobody_had_seen_is_created(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    char id[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    world_backup(world);
    story_add(world, B, BOB, "Bob", id);
    add_nameless(world, C, "Nina", id);

    world_restore(world);
    rest(world);
    expect_counts(world, 3, "after");
    EXPECT(story_failures(world, "") == 0, "%d failures", story_failures(world, ""));
    world_free(world);
}

/* The backup knows a record that had not been created everywhere yet. */
static void what_waited_to_be_created(void **state)
{
    struct world *world = begin(2, DELETES_UNLINK);
    char made[64], gone[64], never[64];

    (void)state;
    story_rest(world);
    add_here(world, "Made", made);
    add_here(world, "Gone", gone);
    world_backup(world);
    rest(world);
    expect_counts(world, 2, "before");
    for (int at = 0; at < 2; at++) { /* one is removed by a person everywhere */
        json_t *state_there = world_state(world, at, "contact");
        size_t index;
        json_t *record;

        json_array_foreach(json_object_get(state_there, "records"), index, record)
        {
            char name[STORY_TEXT_BYTES];

            world_field(world->crms[at], record, "first_name", name, sizeof name);
            if (strcmp(name, "Gone") == 0) {
                story_delete(world, at, json_string_value(json_object_get(record, "id")));
            }
        }
        json_decref(state_there);
    }

    world_restore(world);
    add_here(world, "After", never); /* made after the restore: nobody can have deleted it */
    rest(world);
    for (int at = 0; at < 2; at++) {
        EXPECT(story_count(world, at, NULL) == 2,
               "%d people at %s, wanted the one that was made "
               "and the new one",
               story_count(world, at, NULL), world->names[at].at);
    }
    EXPECT(story_failures(world, "restored") == 2, "%d are set aside, wanted one for each CRM",
           story_failures(world, "restored"));
    world_free(world);
}

/* --- what went or moved meanwhile ----------------------------------------------------------------------------- */

static void what_was_deleted_since_stays_deleted(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    char anna[STORY_ID_BYTES], bob[STORY_ID_BYTES];
    json_int_t writes;

    (void)state;
    story_add(world, A, ANNA, "Anna", anna);
    story_add(world, B, BOB, "Bob", bob);
    story_rest(world);
    world_backup(world);
    story_delete(world, A, anna);
    rest(world);
    expect_counts(world, 1, "before");
    writes = world_writes_all(world);

    world_restore(world);
    rest(world);
    expect_counts(world, 1, "after");
    EXPECT(world_writes_all(world) == writes, "%d writes", (int)(world_writes_all(world) - writes));
    world_free(world);
}

static void what_was_edited_since_stays_edited(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    char id[STORY_ID_BYTES], shown[STORY_TEXT_BYTES];
    json_int_t writes;

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    world_backup(world);
    story_edit(world, A, id, "first_name", "Annabel");
    rest(world);
    story_edit(world, A, id, "last_name", "Unseen"); /* after the last sync */
    writes = world_writes_all(world);

    world_restore(world);
    rest(world);
    for (int at = 0; at < SIDES; at++) {
        story_id(world, at, ANNA, id);
        story_show(world, at, id, "first_name", shown);
        EXPECT(strcmp(shown, "Annabel") == 0, "'%s' at %s", shown, world->names[at].at);
        story_show(world, at, id, "last_name", shown);
        EXPECT(strcmp(shown, "Unseen") == 0, "'%s' at %s", shown, world->names[at].at);
    }
    EXPECT(world_writes_all(world) == writes + 2, "%d writes, wanted the two of the last edit",
           (int)(world_writes_all(world) - writes));
    world_free(world);
}

static void what_was_merged_since_stays_merged(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    char anna[STORY_ID_BYTES], bob[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, ANNA, "Anna", anna);
    story_add(world, A, BOB, "Bob", bob);
    story_rest(world);
    world_backup(world);
    story_merge(world, A, anna, bob);
    rest(world);
    EXPECT(story_records(world) == 1, "merged here as well");

    world_restore(world);
    rest(world);
    EXPECT(story_records(world) == 1, "%d records, wanted the one", story_records(world));
    EXPECT(story_count(world, A, NULL) == 1, "%d people at A", story_count(world, A, NULL));
    EXPECT(story_count(world, B, NULL) <= 2 && story_count(world, C, NULL) <= 2, "none are new");
    world_free(world);
}

/* --- before everything has been read ------------------------------------------------------------------------- */

static void nothing_is_written_before_all_have_been_read(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    struct undone *undone = calloc(1, sizeof *undone);
    struct sync_report report;
    struct error err = {0};
    char id[STORY_ID_BYTES];
    json_int_t writes;

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    report = sync_once(world);
    story_rest(world);
    world_backup(world);
    story_edit(world, A, id, "first_name", "Annabel");
    writes = world_writes_all(world);
    world_restore(world);
    EXPECT(undo_run(&world->sync, report.run_id, true, NULL, NULL, undone, &err) == FAIL_CONFIG,
           "an undo is refused: %s", err.message);
    world_faults(world, C,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault", "server_error",
                           "per_million", 1000000));
    for (int i = 0; i < 3; i++) {
        report = sync_once(world);
        EXPECT(report.restoring > 0, "C is waited for");
        story_advance(world, 60 * 60 * 1000);
    }
    EXPECT(world_writes_all(world) == writes, "nothing is written before");
    world_faults(world, C, json_object());
    rest(world);
    EXPECT(world_writes_all(world) == writes + 2, "%d writes, wanted two",
           (int)(world_writes_all(world) - writes));
    report = sync_once(world);
    EXPECT(report.restoring == 0, "it is over");
    free(undone);
    world_free(world);
}

/* One that cannot be read any more is left out by a person. */
static void a_connection_can_be_left_out(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    struct sync_report report;
    struct error err = {0};
    struct tx *tx = NULL;
    char id[STORY_ID_BYTES], shown[STORY_TEXT_BYTES];
    int64_t streams = 0;

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    world_backup(world);
    story_edit(world, A, id, "first_name", "Annabel");
    world_restore(world);
    world_faults(world, C,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault", "server_error",
                           "per_million", 1000000));
    report = sync_once(world);
    EXPECT(report.restoring == 2, "%zu streams are waited for", report.restoring);
    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               restoring_skip(tx, world->connections[C].row.id, &streams, &err) == OK &&
               tx_commit(&tx, &err) == OK,
           "%s", err.message);
    EXPECT(streams == 2, "%d streams", (int)streams);
    report = sync_once(world);
    EXPECT(report.restoring == 0, "nothing is waited for");
    story_id(world, B, ANNA, id);
    story_show(world, B, id, "first_name", shown);
    EXPECT(strcmp(shown, "Annabel") == 0, "'%s' at B", shown);
    world_free(world);
}

/* A second restore, while the first one is not through. */
static void restored_twice(void **state)
{
    struct world *world = begin(SIDES, DELETES_ARCHIVE);
    struct sync_report report;
    char id[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, ANNA, "Anna", id);
    story_rest(world);
    world_backup(world);
    add_nameless(world, B, "Nils", id);
    rest(world);
    world_restore(world);
    world_faults(world, C,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault", "server_error",
                           "per_million", 1000000));
    report = sync_once(world);
    EXPECT(report.restoring > 0, "half way");
    world_backup(world);
    world_restore(world);
    world_faults(world, C, json_object());
    rest(world);
    expect_counts(world, 2, "after");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_made_since_is_recognised),
        cmocka_unit_test(what_cannot_be_told_apart_is_set_aside),
        cmocka_unit_test(what_was_copied_to_several_is_not_made_beside_its_copies),
        cmocka_unit_test(what_went_at_one_of_several_is_not_made_again),
        cmocka_unit_test(a_backup_of_before_the_first_sync),
        cmocka_unit_test(our_id_says_that_two_are_one),
        cmocka_unit_test(a_name_alone_is_not_enough),
        cmocka_unit_test(what_nobody_had_seen_is_created),
        cmocka_unit_test(what_waited_to_be_created),
        cmocka_unit_test(what_was_deleted_since_stays_deleted),
        cmocka_unit_test(what_was_edited_since_stays_edited),
        cmocka_unit_test(what_was_merged_since_stays_merged),
        cmocka_unit_test(nothing_is_written_before_all_have_been_read),
        cmocka_unit_test(a_connection_can_be_left_out),
        cmocka_unit_test(restored_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
