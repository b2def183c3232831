/* Reconciliation: each kind of damage is planted, found, marked, repaired by the ordinary path without any listing, and then there is none. */
#include <stdio.h>
#include <string.h>

#include "store/divergence.h"
#include "store/reconcile.h"
#include "store/stream.h"
#include "sync/reconcile.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, SIDES, PEOPLE = 12 };

static const char KIND[] = "contact";

struct people {
    char here[PEOPLE][STORY_ID_BYTES], there[PEOPLE][STORY_ID_BYTES]; /* at A and B */
};

static const char *email_of(int i, char ret[64])
{
    snprintf(ret, 64, "p%d@people.example", i);
    return ret;
}

static struct world *agreed_world(struct people *people, enum crm second, enum delete_mode deletes)
{
    struct world_options options = {
        .seed = 11, .crms = {HUBSPOT, second}, .connections = 2, .deletes = deletes};
    struct world *world = world_new(&options);
    char email[64];

    for (int i = 0; i < PEOPLE; i++) {
        story_add(world, A, email_of(i, email), "Person", people->here[i]);
    }
    story_rest(world);
    story_advance(world, 60 * 60 * 1000);
    for (int i = 0; i < PEOPLE; i++) {
        story_id(world, B, email_of(i, email), people->there[i]);
    }
    return world;
}

static void reconcile(struct world *world, bool repair, struct sync_report *ret)
{
    const struct sync_options options = {.command = "reconcile",
                                         .kind = str_of(KIND),
                                         .wait_max_ms = 20 * 60 * 1000,
                                         .lane = LANE_RECONCILE};
    struct error err = {0};
    json_int_t writes = world_writes_all(world);

    EXPECT(sync_reconcile(&world->sync, &options, repair, ret, &err) == OK, "%s", err.message);
    EXPECT(ret->problems_count == 0, "%s", ret->problems[0].error.message);
    EXPECT(world_writes_all(world) == writes, "a comparison writes nothing at the CRMs");
}

/* Reads what is marked and nothing else, writes what is to be written. */
static void sync_marked(struct world *world)
{
    const struct sync_options options = {.command = "sync",
                                         .pull = true,
                                         .push = true,
                                         .hints_only = true,
                                         .creates_after_journal =
                                             1, /* of all but the first record */
                                         .wait_max_ms = 20 * 60 * 1000};
    struct sync_report report;
    struct error err = {0};

    EXPECT(sync_run(&world->sync, &options, &report, &err) == OK, "%s", err.message);
}

static struct tx *begin(struct world *world)
{
    struct error err = {0};
    struct tx *tx = NULL;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK, "%s", err.message);
    return tx;
}

static int64_t row_id(const struct world *world, int at)
{
    return world->connections[at].row.id;
}

static struct store_divergence result(struct world *world, int at, int64_t counts[DIFFERENCES])
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = begin(world);
    struct store_divergence divergence = {0};
    struct error err = {0};
    bool found;

    EXPECT(divergence_find(tx, row_id(world, at), str_of(KIND), &arena, &divergence, &found,
                           &err) == OK &&
               difference_counts(tx, row_id(world, at), str_of(KIND), counts, &err) == OK,
           "%s", err.message);
    EXPECT(found, "connection %d was compared", at);
    divergence.kind = str_of(KIND); /* outlives the arena */
    return divergence;
}

static struct store_difference first_difference(struct world *world, int at, struct arena *arena)
{
    AUTO_TX struct tx *tx = begin(world);
    struct store_difference *differences;
    struct error err = {0};
    size_t count;

    EXPECT(difference_list(tx, row_id(world, at), str_of(KIND), 0, 10, arena, &differences, &count,
                           &err) == OK,
           "%s", err.message);
    EXPECT(count > 0, "there is a difference at %d", at);
    return differences[0];
}

/* Only these, at each connection. */
struct wanted {
    int64_t at[SIDES][DIFFERENCES];
};

static void expect_found(struct world *world, const char *why, const char *when,
                         const struct wanted *wanted)
{
    for (int at = 0; at < SIDES; at++) {
        int64_t counts[DIFFERENCES], sum = 0;
        struct store_divergence divergence = result(world, at, counts);

        for (int what = 0; what < DIFFERENCES; what++) {
            EXPECT(counts[what] == wanted->at[at][what], "%s, %s: at %d %lld %s, wanted %lld", why,
                   when, at, (long long)counts[what], difference_name((enum difference_what)what),
                   (long long)wanted->at[at][what]);
            sum += counts[what];
        }
        EXPECT(divergence.differences == sum, "%s: the sum is told", why);
    }
}

/* --- damage ------------------------------------------------------------------------------------------------------------------------- */

static void plant_nothing(struct world *world, struct people *people)
{
    (void)world;
    (void)people;
}

static void plant_change_there(struct world *world, struct people *people)
{
    story_edit(world, A, people->here[3], "first_name", "Moved");
    story_edit(world, B, people->there[4], "first_name", "Moved");
    story_edit(world, B, people->there[5], "phone", "+49 30 123456");
}

static void plant_create_there(struct world *world, struct people *people)
{
    char id[STORY_ID_BYTES];

    (void)people;
    story_add(world, A, "new@people.example", "New", id);
    story_add(world, B, "newer@people.example", "Newer", id);
    story_add(world, B, "newest@people.example", "Newest", id);
}

static void plant_delete_there(struct world *world, struct people *people)
{
    story_delete(world, A, people->here[1]);
    story_delete(world, B, people->there[2]);
}

static void plant_merge_at_hubspot(struct world *world, struct people *people)
{
    story_merge(world, A, people->here[1], people->here[2]);
}

/* There it looks like a delete until the survivor is read. */
static void plant_merge_at_pipedrive(struct world *world, struct people *people)
{
    story_merge(world, B, people->there[1], people->there[2]);
}

static void plant_return_there(struct world *world, struct people *people)
{
    struct sync_report report;

    story_delete(world, B, people->there[1]);
    world_sync(world, true, &report); /* it is known to be gone; the grace time runs */
    json_decref(world_ask(world, B, "POST", "/__sim/restore",
                          json_pack("{s:s,s:s}", "object", world_word(world->crms[B], KIND), "id",
                                    people->there[1])));
    story_advance(world, 2000);
}

/* The delete has taken its effect: the record is deleted and the link ended. */
static void plant_late_return_there(struct world *world, struct people *people)
{
    story_delete(world, B, people->there[1]);
    story_rest(world);
    story_advance(world, 15 * 60 * 1000);
    story_rest(world);
    json_decref(world_ask(world, B, "POST", "/__sim/restore",
                          json_pack("{s:s,s:s}", "object", world_word(world->crms[B], KIND), "id",
                                    people->there[1])));
    story_advance(world, 2000);
}

static struct store_link link_at(struct world *world, struct tx *tx, int at, const char *remote_id,
                                 struct arena *arena)
{
    struct store_link link = {0};
    struct error err = {0};
    bool found;

    EXPECT(link_by_remote(tx, row_id(world, at), str_of(KIND), str_of(remote_id), arena, &link,
                          &found, &err) == OK &&
               found,
           "%s is linked", remote_id);
    return link;
}

static void edit_here(struct world *world, const char *remote_id, const char *field,
                      const char *value)
{
    AUTO_ARENA struct arena arena = {0};
    struct edit edit = world_edit(world);
    struct fields changes = {0};
    struct store_record record;
    struct error err = {0};
    struct tx *tx = begin(world);
    struct store_link link = link_at(world, tx, A, remote_id, &arena);
    bool found;

    EXPECT(record_by_id(tx, link.record_id, &arena, &record, &found, &err) == OK && found, "%s",
           err.message);
    tx_abort(&tx);
    fields_set(&changes, &arena, str_of(field), VALUE_OF(str_of(value)));
    EXPECT(edit_update(&edit, record.uuid, &changes, 0, &arena, &record, &err) == OK, "%s",
           err.message);
}

static void plant_change_here(struct world *world, struct people *people)
{
    edit_here(world, people->here[6], "first_name", "Written");
}

/* The link claims that it was written there. */
static void plant_lost_push(struct world *world, struct people *people)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record record;
    struct error err = {0};
    struct store_link link;
    struct tx *tx;
    bool found;

    edit_here(world, people->here[7], "first_name", "Lost");
    tx = begin(world);
    link = link_at(world, tx, B, people->there[7], &arena);
    EXPECT(record_by_id(tx, link.record_id, &arena, &record, &found, &err) == OK && found, "%s",
           err.message);
    link.synced_version = record.version;
    EXPECT(link_update(tx, &link, &err) == OK && tx_commit(&tx, &err) == OK, "%s", err.message);
}

static void plant_create_here(struct world *world, struct people *people)
{
    AUTO_ARENA struct arena arena = {0};
    struct edit edit = world_edit(world);
    struct fields fields = {0};
    struct store_record record;
    struct error err = {0};

    (void)people;
    fields_set(&fields, &arena, STR("email"), VALUE_OF(STR("here@people.example")));
    fields_set(&fields, &arena, STR("last_name"), VALUE_OF(STR("Here")));
    EXPECT(edit_create(&edit, kind_by_name(&world->kinds, str_of(KIND)), &fields, false, &arena,
                       &record, &err) == OK,
           "%s", err.message);
}

static void plant_delete_here(struct world *world, struct people *people)
{
    AUTO_ARENA struct arena arena = {0};
    struct edit edit = world_edit(world);
    struct store_record record;
    struct error err = {0};
    struct tx *tx = begin(world);
    struct store_link link = link_at(world, tx, A, people->here[8], &arena);
    bool found;

    EXPECT(record_by_id(tx, link.record_id, &arena, &record, &found, &err) == OK && found, "%s",
           err.message);
    tx_abort(&tx);
    EXPECT(edit_delete(&edit, record.uuid, 0, &err) == OK, "%s", err.message);
}

static const struct {
    const char *why;
    void (*plant)(struct world *world, struct people *people);
    struct wanted wanted;
} DAMAGES[] = {
    {"nothing", plant_nothing, {.at = {{0}}}},
    {"changes that no cursor saw",
     plant_change_there,
     {.at = {{[DIFFERENCE_CHANGED_THERE] = 1}, {[DIFFERENCE_CHANGED_THERE] = 2}}}},
    {"objects that no cursor saw",
     plant_create_there,
     {.at = {{[DIFFERENCE_CREATED_THERE] = 1}, {[DIFFERENCE_CREATED_THERE] = 2}}}},
    {"deletes that nobody told",
     plant_delete_there,
     {.at = {{[DIFFERENCE_DELETED_THERE] = 1}, {[DIFFERENCE_DELETED_THERE] = 1}}}},
    {"a merge that nobody told",
     plant_merge_at_hubspot,
     {.at = {{[DIFFERENCE_MERGED_THERE] = 3}, {0}}}},
    {"a merge that looks like a delete",
     plant_merge_at_pipedrive,
     {.at = {{0}, {[DIFFERENCE_DELETED_THERE] = 1}}}},
    {"an object that came back", plant_return_there, {.at = {{0}, {[DIFFERENCE_BACK_THERE] = 1}}}},
    {"an object that came back after its record was deleted",
     plant_late_return_there,
     {.at = {{0}, {[DIFFERENCE_BACK_THERE] = 1}}}},
    {"a change that is not written yet",
     plant_change_here,
     {.at = {{[DIFFERENCE_CHANGED_HERE] = 1}, {[DIFFERENCE_CHANGED_HERE] = 1}}}},
    {"a change that the link claims to be written",
     plant_lost_push,
     {.at = {{[DIFFERENCE_CHANGED_HERE] = 1}, {[DIFFERENCE_CHANGED_HERE] = 1}}}},
    {"a record that is not made there yet",
     plant_create_here,
     {.at = {{[DIFFERENCE_NOT_CREATED_THERE] = 1}, {[DIFFERENCE_NOT_CREATED_THERE] = 1}}}},
    {"a delete that is not carried out yet",
     plant_delete_here,
     {.at = {{[DIFFERENCE_DELETED_HERE] = 1}, {[DIFFERENCE_DELETED_HERE] = 1}}}},
};

/* Found; found again, because looking changes nothing; marked; repaired; gone; quiet. */
static void walk(const char *why, void (*plant)(struct world *, struct people *),
                 const struct wanted *wanted, enum crm second)
{
    static const struct wanted NOTHING = {.at = {{0}}};
    struct people people;
    struct world *world = agreed_world(&people, second, DELETES_ARCHIVE);
    struct sync_report report;
    json_int_t writes;

    plant(world, &people);
    reconcile(world, false, &report);
    expect_found(world, why, "first", wanted);
    reconcile(world, false, &report);
    expect_found(world, why, "at once again", wanted);
    sync_marked(world);
    if (wanted->at[B][DIFFERENCE_CHANGED_HERE] == 0 &&
        wanted->at[B][DIFFERENCE_NOT_CREATED_THERE] == 0 &&
        wanted->at[B][DIFFERENCE_DELETED_HERE] == 0) {
        reconcile(world, false, &report);
        expect_found(world, why, "looked at again", wanted); /* a report left no mark behind */
    }
    reconcile(world, true, &report);
    for (int i = 0; i < 4; i++) {
        sync_marked(world);
        story_advance(world, 15 * 60 * 1000); /* the grace time of deletes */
    }
    reconcile(world, true, &report);
    expect_found(world, why, "repaired", &NOTHING);
    writes = world_writes_all(world);
    story_rest(world);
    EXPECT(world_writes_all(world) == writes, "%s: nothing was left to write", why);
    reconcile(world, false, &report);
    expect_found(world, why, "at rest", &NOTHING);
    world_free(world);
}

static void each_damage_is_found_and_repaired(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(DAMAGES); i++) {
        walk(DAMAGES[i].why, DAMAGES[i].plant, &DAMAGES[i].wanted, PIPEDRIVE);
    }
}

static void at_salesforce_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(DAMAGES); i++) {
        if (DAMAGES[i].plant != plant_merge_at_pipedrive) {
            walk(DAMAGES[i].why, DAMAGES[i].plant, &DAMAGES[i].wanted, SALESFORCE);
        }
    }
}

/* --- what is not believed --------------------------------------------------------------------------------------------------------------- */

/* A comparison that was interrupted after its listing, which has seen nothing of what is linked at A. */
static void interrupt(struct world *world, int64_t began_ms, const char *version)
{
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    struct tx *tx = begin(world);
    struct store_reconcile running = {.connection_id = row_id(world, A),
                                      .kind = str_of(KIND),
                                      .began_ms = began_ms,
                                      .version = str_of(version)};
    struct store_stream stream;

    EXPECT(stream_ensure(tx, row_id(world, A), str_of(KIND), &arena, &stream, &err) == OK, "%s",
           err.message);
    if (!version) {
        running.version = stream.mapping_version;
    }
    EXPECT(reconcile_begin(tx, &running, &err) == OK, "%s", err.message);
    running.is_listed = true;
    running.listed = 100 * PEOPLE;
    EXPECT(reconcile_save(tx, &running, &err) == OK && tx_commit(&tx, &err) == OK, "%s",
           err.message);
}

static int64_t now_ms(struct world *world)
{
    return clock_wall_ms(world->env.clock);
}

/* What no listing showed is read by id before anything is said of it. */
static void what_was_not_listed_is_not_gone(void **state)
{
    static const struct wanted NOTHING = {.at = {{0}}};
    struct people people;
    struct world *world = agreed_world(&people, PIPEDRIVE, DELETES_ARCHIVE);
    struct sync_report report;
    int64_t counts[DIFFERENCES];

    (void)state;
    interrupt(world, now_ms(world) - 1000, NULL);
    reconcile(world, false, &report);
    expect_found(world, "not listed", "resumed", &NOTHING);
    EXPECT(result(world, A, counts).listed == 100 * PEOPLE, "it went on from the interrupted one");
    world_free(world);
}

static void what_is_old_is_begun_anew(void **state)
{
    struct people people;
    struct world *world = agreed_world(&people, PIPEDRIVE, DELETES_ARCHIVE);
    struct sync_report report;
    int64_t counts[DIFFERENCES];

    (void)state;
    interrupt(world, now_ms(world) - 25 * 60 * 60 * 1000, NULL);
    reconcile(world, false, &report);
    EXPECT(result(world, A, counts).listed == PEOPLE, "yesterday's is not gone on with");
    interrupt(world, now_ms(world) - 1000, "another mapping");
    reconcile(world, false, &report);
    EXPECT(result(world, A, counts).listed == PEOPLE, "nor one of another mapping");
    interrupt(world, now_ms(world) - 1000, NULL);
    reconcile(world, true, &report);
    EXPECT(result(world, A, counts).listed == PEOPLE, "nor one that marks nothing");
    world_free(world);
}

/* More than ten were linked, and a listing shows none: the brake says so, and nothing is marked. */
static void an_empty_listing_is_not_believed(void **state)
{
    struct people people;
    struct world *world = agreed_world(&people, PIPEDRIVE, DELETES_ARCHIVE);
    struct sync_report report;
    int64_t counts[DIFFERENCES], ended_ms;

    (void)state;
    reconcile(world, true, &report);
    ended_ms = result(world, B, counts).ended_ms;
    for (int i = 0; i < PEOPLE; i++) {
        story_delete(world, B, people.there[i]);
    }
    story_advance(world, 1000);
    reconcile(world, true, &report);
    EXPECT(report.brake_stopped, "the brake stops it");
    EXPECT(result(world, B, counts).ended_ms == ended_ms, "there is no new result");
    EXPECT(counts[DIFFERENCE_DELETED_THERE] == 0, "and nothing is said to be deleted");
    world_free(world);
}

/* A difference that a person has to decide about is found, and explained. */
static void what_waits_for_a_person_is_explained(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct people people;
    struct world *world = agreed_world(&people, PIPEDRIVE, DELETES_ARCHIVE);
    struct store_difference difference;
    struct sync_report report;
    int64_t counts[DIFFERENCES];

    (void)state;
    world->policies[B].policy.strategy = STRATEGY_MANUAL_REVIEW;
    edit_here(world, people.here[3], "first_name", "Mine");
    story_edit(world, B, people.there[3], "first_name", "Theirs");
    story_rest(world);
    EXPECT(story_conflicts(world) == 1, "a conflict waits");
    reconcile(world, true, &report);
    EXPECT(result(world, B, counts).explained == 1 && counts[DIFFERENCE_CHANGED_HERE] == 1,
           "it is found, and explained");
    difference = first_difference(world, B, &arena);
    EXPECT_STR(difference.reason, STR("a conflict waits"), "the reason");
    EXPECT_STR(difference.fields, STR("first_name"), "the field");
    EXPECT(!difference.is_marked && difference.since_ms > 0, "it is not marked");
    EXPECT(result(world, A, counts).differences == 0, "the other side agrees");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_damage_is_found_and_repaired),
        cmocka_unit_test(at_salesforce_too),
        cmocka_unit_test(what_was_not_listed_is_not_gone),
        cmocka_unit_test(what_is_old_is_begun_anew),
        cmocka_unit_test(an_empty_listing_is_not_believed),
        cmocka_unit_test(what_waits_for_a_person_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
