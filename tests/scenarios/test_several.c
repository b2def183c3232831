/* Three CRMs through one hub: who is the same, whose edit counts, and what a merge, a delete or a lost answer at one does to the others. */
#include <stdio.h>
#include <string.h>

#include "core/str.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, C, SIDES };

/* Who stands at C: the tests run once for each. */
static enum crm third(void **state)
{
    return *(const enum crm *)*state;
}

static const char ANNA[] = "anna@people.example";
static const char ANNE[] = "anne@people.example";

/* Anna typed in at every CRM, at rest. */
static void everywhere(struct world *world, const char *email, char ret_ids[SIDES][STORY_ID_BYTES])
{
    char ignored[STORY_ID_BYTES];

    story_add(world, A, email, "Anna", ignored);
    story_rest(world);
    for (int at = 0; at < SIDES; at++) {
        story_id(world, at, email, ret_ids[at]);
    }
}

static void expect_shown(struct world *world, int at, const char *id, const char *field,
                         const char *value)
{
    char shown[STORY_TEXT_BYTES];

    story_show(world, at, id, field, shown);
    EXPECT(strcmp(shown, value) == 0, "%s at %s is '%s', wanted '%s'", field, world->names[at].at,
           shown, value);
}

static void expect_counts(struct world *world, int a, int b, int c)
{
    const int wanted[SIDES] = {a, b, c};

    for (int at = 0; at < SIDES; at++) {
        int there = story_count(world, at, NULL);

        EXPECT(there == wanted[at], "%d people at %s, wanted %d", there, world->names[at].at,
               wanted[at]);
    }
}

/* --- who is the same ----------------------------------------------------------------------------------------------------------- */

static void the_same_person_in_all_three_is_one_record(void **state)
{
    static const int ORDERS[][SIDES] = {{A, B, C}, {C, B, A}, {B, C, A}};

    for (size_t order = 0; order < COUNT_OF(ORDERS); order++) {
        struct world *world = story_begin(third(state), DELETES_ARCHIVE);
        char id[STORY_ID_BYTES];

        for (int i = 0; i < SIDES; i++) {
            story_add(world, ORDERS[order][i], ANNA, "Anna", id);
            story_advance(world, 60000);
        }
        story_rest(world);

        expect_counts(world, 1, 1, 1);
        EXPECT(story_records(world) == 1, "%d records, wanted one", story_records(world));
        EXPECT(story_failures(world, "") == 0, "nothing is set aside");
        world_free(world);
    }
}

/* --- whose edit counts --------------------------------------------------------------------------------------------------------- */

static void edits_of_different_fields_meet_everywhere(void **state)
{
    struct world *world = story_begin(third(state), DELETES_ARCHIVE);
    char ids[SIDES][STORY_ID_BYTES];

    everywhere(world, ANNA, ids);
    story_edit(world, A, ids[A], "first_name", "Annabel");
    story_edit(world, B, ids[B], "last_name", "Bauer");
    story_edit(world, C, ids[C], "phone", "+49301234567");
    story_rest(world);

    for (int at = 0; at < SIDES; at++) {
        expect_shown(world, at, ids[at], "first_name", "Annabel");
        expect_shown(world, at, ids[at], "last_name", "Bauer");
        expect_shown(world, at, ids[at], "phone", "+49301234567");
    }
    EXPECT(story_conflicts(world) == 0, "different fields are no conflict");
    world_free(world);
}

static void of_conflicting_edits_the_latest_counts_everywhere(void **state)
{
    static const int ORDERS[][SIDES] = {{A, B, C}, {C, A, B}, {B, C, A}};

    for (size_t order = 0; order < COUNT_OF(ORDERS); order++) {
        struct world *world = story_begin(third(state), DELETES_ARCHIVE);
        char ids[SIDES][STORY_ID_BYTES];
        char name[16];

        everywhere(world, ANNA, ids);
        for (int i = 0; i < SIDES; i++) {
            snprintf(name, sizeof name, "Anna%d", i);
            story_advance(world, 60000);
            story_edit(world, ORDERS[order][i], ids[ORDERS[order][i]], "first_name", name);
        }
        story_rest(world);

        for (int at = 0; at < SIDES; at++) {
            expect_shown(world, at, ids[at], "first_name", "Anna2");
        }
        world_free(world);
    }
}

/* --- merges ---------------------------------------------------------------------------------------------------------------------- */

/* Two people everywhere, then merged at one CRM. */
static struct world *merged_at(enum crm third, int at, enum delete_mode deletes,
                               char annas[SIDES][STORY_ID_BYTES], char annes[SIDES][STORY_ID_BYTES])
{
    struct world *world = story_begin(third, deletes);

    everywhere(world, ANNA, annas);
    everywhere(world, ANNE, annes);
    story_merge(world, at, annas[at], annes[at]);
    story_rest(world);
    return world;
}

static void a_merge_at_one_deletes_nothing_at_the_others(void **state)
{
    int wrong = 0;

    for (int at = 0; at < SIDES; at++) {
        char annas[SIDES][STORY_ID_BYTES], annes[SIDES][STORY_ID_BYTES];
        struct world *world = merged_at(third(state), at, DELETES_ARCHIVE, annas, annes);

        expect_counts(world, at == A ? 1 : 2, at == B ? 1 : 2, at == C ? 1 : 2);
        EXPECT(story_records(world) == 1, "%d records, wanted one", story_records(world));
        EXPECT(story_failures(world, "merged-elsewhere") == 2,
               "%d objects are shown to a person, wanted two",
               story_failures(world, "merged-elsewhere"));
        for (int other = 0; other < SIDES; other++) {
            wrong += other != at && story_count(world, other, NULL) != 2;
        }
        world_free(world);
    }
    printf("fault=merged third=%d merges=%d wrong_deletes=%d\n", (int)third(state), SIDES, wrong);
}

static void the_survivor_of_a_merge_is_in_step_everywhere(void **state)
{
    for (int at = 0; at < SIDES; at++) {
        char annas[SIDES][STORY_ID_BYTES], annes[SIDES][STORY_ID_BYTES];
        char survivor[STORY_ID_BYTES];
        struct world *world = merged_at(third(state), at, DELETES_ARCHIVE, annas, annes);

        for (int other = 0; other < SIDES; other++) {
            if (other != at) {
                story_edit(world, other, annas[other], "first_name", "Annabel");
                break;
            }
        }
        story_rest(world);

        story_id(world, at, ANNA, survivor);
        expect_shown(world, at, survivor, "first_name", "Annabel");
        for (int other = 0; other < SIDES; other++) {
            if (other != at) {
                expect_shown(world, other, annas[other], "first_name", "Annabel");
            }
        }
        world_free(world);
    }
}

/* As the failure's hint says; in either direction. */
static void merging_at_the_others_as_well_ends_it(void **state)
{
    for (int at = 0; at < SIDES; at++) {
        for (int reversed = 0; reversed < 2; reversed++) {
            char annas[SIDES][STORY_ID_BYTES], annes[SIDES][STORY_ID_BYTES];
            struct world *world = merged_at(third(state), at, DELETES_ARCHIVE, annas, annes);
            char id[STORY_ID_BYTES];

            for (int other = 0; other < SIDES; other++) {
                if (other != at) {
                    story_merge(world, other, reversed ? annes[other] : annas[other],
                                reversed ? annas[other] : annes[other]);
                }
            }
            story_rest(world);

            expect_counts(world, 1, 1, 1);
            EXPECT(story_records(world) == 1, "merged at %d, reversed %d: %d records, wanted one",
                   at, reversed, story_records(world));
            EXPECT(story_failures(world, "") == 0, "%d failures are left",
                   story_failures(world, ""));
            story_id(world, A, NULL, id);
            story_edit(world, A, id, "first_name", "Annabel");
            story_rest(world);
            for (int other = 0; other < SIDES; other++) {
                story_id(world, other, NULL, id);
                expect_shown(world, other, id, "first_name", "Annabel");
            }
            world_free(world);
        }
    }
}

/* At A one way, at another CRM the other way, before anybody has synced. */
static void merges_in_opposite_directions_end_in_one(void **state)
{
    for (int other = B; other < SIDES; other++) {
        char annas[SIDES][STORY_ID_BYTES], annes[SIDES][STORY_ID_BYTES], id[STORY_ID_BYTES];
        struct world *world = story_begin(third(state), DELETES_ARCHIVE);

        everywhere(world, ANNA, annas);
        everywhere(world, ANNE, annes);
        story_merge(world, A, annas[A], annes[A]);
        story_merge(world, other, annes[other], annas[other]);
        story_rest(world);

        expect_counts(world, 1, other == B ? 1 : 2, other == C ? 1 : 2);
        EXPECT(story_records(world) == 1, "%d records, wanted one", story_records(world));
        EXPECT(story_failures(world, "merged-elsewhere") == 1,
               "only the third CRM has a leftover, %d are shown",
               story_failures(world, "merged-elsewhere"));
        story_id(world, other, NULL, id);
        story_edit(world, other, id, "first_name", "Annabel");
        story_rest(world);
        story_id(world, A, NULL, id);
        expect_shown(world, A, id, "first_name", "Annabel");
        world_free(world);
    }
}

/* The survivor's own object had been deleted there before: the other one takes its place instead of waiting for a merge that cannot be. */
static void a_merged_record_takes_the_object_that_lives(void **state)
{
    char annas[SIDES][STORY_ID_BYTES], annes[SIDES][STORY_ID_BYTES], id[STORY_ID_BYTES];
    struct world *world = story_begin(third(state), DELETES_UNLINK);

    everywhere(world, ANNA, annas);
    everywhere(world, ANNE, annes);
    story_delete(world, C, annas[C]);
    story_rest(world);
    story_merge(world, A, annas[A], annes[A]);
    story_rest(world);

    expect_counts(world, 1, 2, 1);
    EXPECT(story_failures(world, "") == 1, "Pipedrive alone has two, %d are shown",
           story_failures(world, ""));
    story_id(world, A, NULL, id);
    story_edit(world, A, id, "first_name", "Annabel");
    story_rest(world);
    expect_shown(world, C, annes[C], "first_name", "Annabel");
    world_free(world);
}

/* People of Anne's company, which went into Anna's at another CRM. */
static void what_points_to_a_leftover_points_to_the_survivor_elsewhere(void **state)
{
    char kept[SIDES][STORY_ID_BYTES], leftovers[SIDES][STORY_ID_BYTES], id[STORY_ID_BYTES];
    struct world *world = story_begin(third(state), DELETES_ARCHIVE);

    story_company_everywhere(world, "Ahorn", kept);
    story_company_everywhere(world, "Birke", leftovers);
    story_merge_companies(world, A, kept[A], leftovers[A]);
    story_rest(world);
    story_add(world, C, ANNA, "Anna", id);
    story_employ(world, C, id, leftovers[C]);
    story_rest(world);

    story_id(world, A, ANNA, id);
    story_employer(world, A, id, leftovers[C]);
    story_company(world, A, "Ahorn", kept[A]);
    EXPECT(strcmp(leftovers[C], kept[A]) == 0, "Anna's company is '%s', wanted '%s'", leftovers[C],
           kept[A]);
    world_free(world);
}

/* --- deletes --------------------------------------------------------------------------------------------------------------------- */

static void a_delete_at_one_goes_where_deletes_go(void **state)
{
    for (int at = 0; at < SIDES; at++) {
        struct world *world = story_begin(third(state), DELETES_ARCHIVE);
        char ids[SIDES][STORY_ID_BYTES];

        everywhere(world, ANNA, ids);
        story_delete(world, at, ids[at]);
        story_rest(world);

        expect_counts(world, 0, 0, 0);
        EXPECT(story_records(world) == 0, "the record is deleted");
        world_free(world);
    }
}

static void a_delete_at_one_is_nobody_elses_matter_with_unlink(void **state)
{
    for (int at = 0; at < SIDES; at++) {
        struct world *world = story_begin(third(state), DELETES_UNLINK);
        char ids[SIDES][STORY_ID_BYTES];
        int next = (at + 1) % SIDES, last = (at + 2) % SIDES;

        everywhere(world, ANNA, ids);
        story_delete(world, at, ids[at]);
        story_rest(world);
        story_edit(world, next, ids[next], "first_name", "Annabel");
        story_rest(world);

        expect_counts(world, at != A, at != B, at != C);
        expect_shown(world, last, ids[last], "first_name", "Annabel");
        world_free(world);
    }
}

enum { PEOPLE = 4 };

/* Deals and activities at both; Pipedrive's people are deleted there, and nowhere else. */
static struct world *begin_pointing(void)
{
    struct world_options options = {.seed = 3,
                                    .crms = {HUBSPOT, PIPEDRIVE},
                                    .connections = 2,
                                    .records = PEOPLE,
                                    .has_work = true,
                                    .deletes = DELETES_UNLINK};
    struct world *world = world_new(&options);

    story_rest(world);
    return world;
}

static void delete_there(struct world *world, int number, char ret_email[STORY_TEXT_BYTES])
{
    char id[STORY_ID_BYTES];

    snprintf(id, sizeof id, "%d", number);
    story_show(world, B, id, "email", ret_email);
    story_delete(world, B, id);
}

static void what_points_to_one_that_was_deleted_there_is_nobody_elses_matter(void **state)
{
    struct world *world = begin_pointing();
    json_int_t writes = world_writes(world, A);
    char ignored[STORY_TEXT_BYTES];

    (void)state;
    for (int number = 1; story_count(world, B, NULL) > PEOPLE; number++) {
        delete_there(world, number, ignored);
    }
    story_rest(world);
    story_rest(world);

    EXPECT(story_count(world, A, NULL) > PEOPLE, "%d people at HubSpot",
           story_count(world, A, NULL));
    EXPECT(world_writes(world, A) == writes, "%lld writes at HubSpot, where nothing has changed",
           (long long)(world_writes(world, A) - writes));
    world_free(world);
}

/* Somebody types the deleted person in once more: another object, the same record, whose link has ended or is about to. */
static void what_points_to_one_that_was_replaced_there_loses_nobody(void **state)
{
    struct world *world = begin_pointing();
    int people = story_people_of_deals(world);
    int count = story_count(world, B, NULL);
    char email[STORY_TEXT_BYTES], id[STORY_ID_BYTES];
    struct sync_report report;

    (void)state;
    for (int number = 1; number <= 3; number++) {
        delete_there(world, number, email);
        world_sync(world, true, &report); /* it is found gone; the grace time begins */
        if (number % 2) {
            story_rest(world);
        }
        story_add(world, B, email, "Again", id);
        story_rest(world);
        story_rest(world);
    }

    EXPECT(people > 0 && count == story_count(world, B, NULL) &&
               count == story_count(world, A, NULL),
           "%d people in deals, %d at Pipedrive, %d at HubSpot, wanted %d", people,
           story_count(world, B, NULL), story_count(world, A, NULL), count);
    EXPECT(story_people_of_deals(world) == people, "%d people in deals, wanted %d",
           story_people_of_deals(world), people);
    world_free(world);
}

/* --- silence --------------------------------------------------------------------------------------------------------------------- */

/* One patience for a connection, not one for each of its kinds. */
static void a_crm_that_never_answers_is_waited_for_once(void **state)
{
    enum { PATIENCE_MS = 4 * 60 * 1000 };
    struct world_options options = {
        .seed = 7, .crms = {HUBSPOT, PIPEDRIVE}, .connections = 2, .has_work = true};
    struct world *world = world_new(&options);
    int64_t began_ms = clock_mono_ms(world->env.clock);
    struct sync_report report;

    (void)state;
    world_faults(world, 0,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault", "reset",
                           "per_million", 1000000));
    world_sync(world, false, &report);

    EXPECT(report.problems_count == 4, "%zu kinds are given up, wanted all four",
           report.problems_count);
    EXPECT(clock_mono_ms(world->env.clock) - began_ms < PATIENCE_MS, "waited %lld s",
           (long long)(clock_mono_ms(world->env.clock) - began_ms) / 1000);
    EXPECT(report.counts.created_here > 0, "the other CRM is read all the same");
    world_free(world);
}

/* --- owners ---------------------------------------------------------------------------------------------------------------------- */

static int deals_of(struct world *world, int at, int owner_id)
{
    json_t *deals = world_state_of(world, at, "deals");
    int count = 0;
    size_t index;
    json_t *deal;

    json_array_foreach(json_object_get(deals, "records"), index, deal)
    {
        const json_t *fields = json_object_get(deal, "fields");

        count += !owner_id || json_integer_value(json_object_get(fields, "owner_id")) == owner_id;
    }
    json_decref(deals);
    return count;
}

/* Somebody who has left owns deals at one Pipedrive account; the other one refuses to give that person anything. */
static void an_owner_who_has_left_keeps_no_deal_from_being_made(void **state)
{
    enum { INES_FORMER = 4420, DEALS = 3 };
    struct world_options options = {
        .seed = 3, .crms = {PIPEDRIVE, PIPEDRIVE}, .connections = 2, .has_work = true};
    struct world *world = world_new(&options);

    (void)state;
    EXPECT(deals_of(world, 0, INES_FORMER) > 0, "the seed makes no such deal");
    story_rest(world);

    for (int at = 0; at < 2; at++) {
        EXPECT(deals_of(world, at, 0) == 2 * DEALS, "%d deals at %s", deals_of(world, at, 0),
               world->names[at].at);
    }
    EXPECT(story_failures(world, "refused") == 0, "nothing is refused");
    EXPECT(story_failures(world, "unknown") > 0, "the owner is shown");
    world_free(world);
}

/* --- lost answers ---------------------------------------------------------------------------------------------------------------- */

static void a_create_whose_answer_is_lost_is_made_once(void **state)
{
    for (int at = 0; at < SIDES; at++) {
        struct world *world = story_begin(third(state), DELETES_ARCHIVE);
        struct sync_report report;
        char id[STORY_ID_BYTES];

        for (int other = 0; other < SIDES; other++) { /* so that every CRM is written to */
            snprintf(id, sizeof id, "p%d@people.example", other);
            story_add(world, other, id, "Person", id);
        }
        world_faults(world, at,
                     json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault",
                               "timeout_after_apply", "per_million", 700000));
        world_sync(world, false, &report);
        world_faults(world, at, json_object());
        story_rest(world);

        expect_counts(world, SIDES, SIDES, SIDES);
        EXPECT(story_records(world) == SIDES, "%d records", story_records(world));
        world_free(world);
    }
}

static enum crm third_now;

static int choose_third(void **state)
{
    *state = &third_now;
    return 0;
}

int main(void)
{
    static const enum crm THIRDS[] = {HUBSPOT, SALESFORCE};
    int failed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_person_in_all_three_is_one_record),
        cmocka_unit_test(edits_of_different_fields_meet_everywhere),
        cmocka_unit_test(of_conflicting_edits_the_latest_counts_everywhere),
        cmocka_unit_test(a_merge_at_one_deletes_nothing_at_the_others),
        cmocka_unit_test(the_survivor_of_a_merge_is_in_step_everywhere),
        cmocka_unit_test(merging_at_the_others_as_well_ends_it),
        cmocka_unit_test(merges_in_opposite_directions_end_in_one),
        cmocka_unit_test(a_merged_record_takes_the_object_that_lives),
        cmocka_unit_test(what_points_to_a_leftover_points_to_the_survivor_elsewhere),
        cmocka_unit_test(a_delete_at_one_goes_where_deletes_go),
        cmocka_unit_test(a_delete_at_one_is_nobody_elses_matter_with_unlink),
        cmocka_unit_test(what_points_to_one_that_was_deleted_there_is_nobody_elses_matter),
        cmocka_unit_test(what_points_to_one_that_was_replaced_there_loses_nobody),
        cmocka_unit_test(a_crm_that_never_answers_is_waited_for_once),
        cmocka_unit_test(an_owner_who_has_left_keeps_no_deal_from_being_made),
        cmocka_unit_test(a_create_whose_answer_is_lost_is_made_once),
    };

    for (size_t i = 0; i < COUNT_OF(THIRDS); i++) {
        third_now = THIRDS[i];
        failed += cmocka_run_group_tests(tests, choose_third, NULL);
    }
    return failed;
}
