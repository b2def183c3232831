/* A crash walk: each story is told once without a crash, and then again for every moment at which its process may be killed (before and after each call to a CRM is
 * applied), lose its power, meet an I/O error (before each step of the disk), or find the disk full. Whoever comes after must arrive at what the uninterrupted twin arrived at, and then write nothing more.
 *
 * WALK=n in the environment: every nth moment only (1: all). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/arena.h"
#include "core/str.h"
#include "store/record.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, C, SIDES };
enum { PEOPLE_MAX = 100, SYNCS = 3, MINUTE_MS = 60 * 1000, PAGE = 4096, EVERY_DEFAULT = 37 };

/* --- what is seen in the end ------------------------------------------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* One line for each, in the order of the texts: ids differ between twins. */
static void add_sorted(struct buf *ret, const char *title, char **lines, size_t count)
{
    qsort(lines, count, sizeof *lines, by_text);
    buf_addf(ret, "%s\n", title);
    for (size_t i = 0; i < count; i++) {
        buf_addf(ret, "  %s\n", lines[i]);
        free(lines[i]);
    }
}

static void add_people_at(struct world *world, int at, struct buf *ret)
{
    static const char *const FIELDS[] = {"email", "first_name", "last_name", "phone"};
    json_t *state = world_state(world, at, "contact");
    char *lines[PEOPLE_MAX];
    size_t count = 0, index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        char values[COUNT_OF(FIELDS)][STORY_TEXT_BYTES];
        const json_t *into = json_object_get(record, "merged_into");

        if (json_is_true(json_object_get(record, "archived")) || (into && !json_is_null(into)) ||
            count == PEOPLE_MAX) {
            continue;
        }
        for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
            world_field(world->crms[at], record, FIELDS[i], values[i], sizeof values[i]);
        }
        lines[count++] = alloc_printf("%s, %s, %s, %s", values[0], values[1], values[2], values[3]);
    }
    json_decref(state);
    add_sorted(ret, world->names[at].at, lines, count);
}

static void add_records(struct world *world, struct buf *ret)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record *records;
    struct error err = {0};
    struct tx *tx = NULL;
    char *lines[PEOPLE_MAX];
    size_t count = 0, live = 0;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               record_list(tx, STR("contact"), 0, PEOPLE_MAX, &arena, &records, &count, &err) ==
                   OK &&
               tx_commit(&tx, &err) == OK,
           "%s", err.message);
    for (size_t i = 0; i < count; i++) {
        if (records[i].state == RECORD_LIVE) {
            struct str text = fields_to_json(&arena, &records[i].fields);

            lines[live++] = alloc_printf("%.*s", STR_ARG(text));
        }
    }
    add_sorted(ret, "here", lines, live);
}

/* Everything that a person can see, as one text. */
static void look(struct world *world, struct buf *ret)
{
    buf_init(ret, 1 << 20);
    for (int at = 0; at < world->count; at++) {
        add_people_at(world, at, ret);
    }
    add_records(world, ret);
    buf_addf(ret, "conflicts %d, set aside %d\n", story_conflicts(world),
             story_failures(world, ""));
}

/* --- stories ----------------------------------------------------------------------------------------------------------------------- */

struct story {
    const char *name;
    enum delete_mode deletes;
    void (*happens)(struct world *world); /* all of it before the syncs that are walked through */
};

static const char ANNA[] = "anna@people.example";
static const char BOB[] = "bob@people.example";
static const char CARL[] = "carl@people.example";

static void add(struct world *world, int at, const char *email, const char *name)
{
    char ignored[STORY_ID_BYTES];

    story_add(world, at, email, name, ignored);
}

/* Anna and Bob are everywhere. */
static void know_each_other(struct world *world)
{
    add(world, A, ANNA, "Anna");
    add(world, B, BOB, "Bob");
    story_rest(world);
}

static void id_of(struct world *world, int at, const char *email, char ret[STORY_ID_BYTES])
{
    story_id(world, at, email, ret);
}

static void edit(struct world *world, int at, const char *email, const char *field,
                 const char *value)
{
    char id[STORY_ID_BYTES];

    id_of(world, at, email, id);
    story_edit(world, at, id, field, value);
}

static void first_import(struct world *world)
{
    add(world, A, ANNA, "Anna");
    add(world, B, ANNA, "Anna");
    add(world, B, BOB, "Bob");
    add(world, C, CARL, "Carl");
}

static void newcomers(struct world *world)
{
    know_each_other(world);
    add(world, A, CARL, "Carl");
    add(world, C, "dora@people.example", "Dora");
}

static void edits_everywhere(struct world *world)
{
    know_each_other(world);
    edit(world, A, ANNA, "first_name", "Annabel");
    edit(world, B, ANNA, "last_name", "Bauer");
    edit(world, C, ANNA, "phone", "+4930123456");
    edit(world, B, BOB, "first_name", "Robert");
}

static void an_edit_of_the_same_field(struct world *world)
{
    know_each_other(world);
    edit(world, A, ANNA, "first_name", "Annabel");
    edit(world, B, ANNA, "first_name", "Antonia");
}

static void a_delete(struct world *world)
{
    char id[STORY_ID_BYTES];

    know_each_other(world);
    id_of(world, A, BOB, id);
    story_delete(world, A, id);
    edit(world, B, ANNA, "last_name", "Bauer");
}

static void a_merge(struct world *world)
{
    char anna[STORY_ID_BYTES], bob[STORY_ID_BYTES];

    know_each_other(world);
    id_of(world, A, ANNA, anna);
    id_of(world, A, BOB, bob);
    story_merge(world, A, anna, bob);
    add(world, B, CARL, "Carl");
}

static const struct story STORIES[] = {
    {"a first import", DELETES_ARCHIVE, first_import},
    {"newcomers", DELETES_ARCHIVE, newcomers},
    {"edits everywhere", DELETES_ARCHIVE, edits_everywhere},
    {"an edit of the same field", DELETES_ARCHIVE, an_edit_of_the_same_field},
    {"a delete", DELETES_ARCHIVE, a_delete},
    {"a delete that stays there", DELETES_UNLINK, a_delete},
    {"a merge", DELETES_ARCHIVE, a_merge},
};

/* --- what may happen --------------------------------------------------------------------------------------------------------------- */

static void kill_at(struct world *world, int64_t moment)
{
    world_kill_at(world, moment);
}

static void lose_power_at(struct world *world, int64_t moment)
{
    disk_fail_at(world->disk, moment);
}

static void fail_once_at(struct world *world, int64_t moment)
{
    disk_error_at(world->disk, moment);
}

/* Room for so many pages more, until somebody makes room. */
static void be_full_at(struct world *world, int64_t moment)
{
    disk_limit(world->disk, disk_bytes(world->disk) + (moment - 1) * PAGE);
}

static int64_t count_calls(const struct world *world)
{
    return world->moments;
}

static int64_t count_steps(const struct world *world)
{
    return disk_steps(world->disk);
}

static int64_t count_pages(const struct world *world)
{
    return disk_bytes(world->disk) / PAGE;
}

enum { KILLED, POWERLESS, FAILING, FULL, CRASHES };

static const struct crash {
    const char *name;
    void (*happens)(struct world *world, int64_t moment); /* from now on counted */
    int64_t (*count)(const struct world *world);          /* of moments so far */
    bool ends_process;                                    /* for certain */
} CRASH_LIST[CRASHES] = {
    [KILLED] = {"killed at moment", kill_at, count_calls, true},
    [POWERLESS] = {"without power at step", lose_power_at, count_steps, true},
    [FAILING] = {"I/O error at step", fail_once_at, count_steps, false},
    [FULL] = {"disk full at page", be_full_at, count_pages, false},
};

/* --- walking ----------------------------------------------------------------------------------------------------------------------- */

struct seen {
    struct buf end;
    int64_t moments[CRASHES]; /* there were, between begin and end of the syncs */
    bool has_failed;          /* one of the syncs */
};

/* The syncs that a crash may interrupt, and the time between them. */
static void sync_thrice(struct world *world, struct seen *ret)
{
    struct sync_report report;
    struct error err = {0};

    for (int i = 0; i < SYNCS && !ret->has_failed; i++) {
        ret->has_failed = world_try(world, false, &report, &err) != OK;
        story_advance(world, 11 * MINUTE_MS);
    }
}

/* At rest another sync writes nothing. */
static void expect_quiet(struct world *world, const char *name)
{
    json_int_t before = world_writes_all(world);
    struct sync_report report;

    world_sync(world, false, &report);
    EXPECT(before == world_writes_all(world), "%s: at rest a sync wrote", name);
}

/* crash NULL: nothing happens. */
static void tell(const struct story *story, const struct crash *crash, int64_t moment,
                 struct seen *ret)
{
    struct world *world = story_begin(SALESFORCE, story->deletes);

    story->happens(world);
    for (int i = 0; i < CRASHES; i++) {
        ret->moments[i] = -CRASH_LIST[i].count(world);
    }
    if (crash) {
        crash->happens(world, moment);
    }
    sync_thrice(world, ret);
    for (int i = 0; i < CRASHES; i++) {
        ret->moments[i] += CRASH_LIST[i].count(world);
    }
    EXPECT(crash || !ret->has_failed, "%s: a sync failed", story->name);
    EXPECT(!crash || !crash->ends_process || disk_is_dead(world->disk),
           "%s, %s %" PRId64 ": the crash did not come", story->name, crash->name, moment);
    disk_limit(world->disk, 0);
    if (crash) {
        world_revive(world);
    }
    story_rest(world);
    look(world, &ret->end);
    expect_quiet(world, story->name);
    world_free(world);
}

/* Returns whether a sync failed of it. */
static bool expect_same(const struct story *story, const struct crash *crash, int64_t moment,
                        const struct seen *twin)
{
    struct seen seen = {0};

    tell(story, crash, moment, &seen);
    if (!str_equal(buf_str(&seen.end), buf_str(&twin->end))) {
        fprintf(stderr, "the twin:\n%.*safter the crash:\n%.*s", STR_ARG(buf_str(&twin->end)),
                STR_ARG(buf_str(&seen.end)));
        fail_msg("%s, %s %" PRId64 ": another end than without", story->name, crash->name, moment);
    }
    buf_fini(&seen.end);
    return seen.has_failed;
}

static int64_t every(void)
{
    const char *wanted = getenv("WALK");
    int64_t ret = EVERY_DEFAULT;

    EXPECT(!wanted || (str_to_i64(str_of(wanted), &ret) && ret > 0), "WALK must be a number");
    return ret;
}

static void walk(void **state)
{
    const struct story *story = *state;
    struct seen twin = {0};

    tell(story, NULL, 0, &twin);
    for (int i = 0; i < CRASHES; i++) {
        int64_t walked = 0, failed = 0, count = twin.moments[i];
        /* calls are few, and each is another one; steps of the disk are alike */
        int64_t stride = i == KILLED ? (every() + 9) / 10 : every();

        for (int64_t moment = 1; moment <= count; moment += stride) {
            failed += expect_same(story, &CRASH_LIST[i], moment, &twin);
            walked++;
        }
        EXPECT(failed > 0, "%s: no sync failed", CRASH_LIST[i].name);
        printf("walk story=\"%s\" crash=\"%s\" moments=%" PRId64 " walked=%" PRId64
               " syncs_failed=%" PRId64 " differ=0\n",
               story->name, CRASH_LIST[i].name, count, walked, failed);
        fflush(stdout);
    }
    buf_fini(&twin.end);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(STORIES)];

    for (size_t i = 0; i < COUNT_OF(STORIES); i++) {
        tests[i] = (struct CMUnitTest){.name = STORIES[i].name,
                                       .test_func = walk,
                                       .initial_state = (void *)(uintptr_t)&STORIES[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
