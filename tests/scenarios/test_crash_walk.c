/* A crash walk: each story is told once without a crash, and then again for every moment at which its process may be killed (before and after each call to a CRM is
 * applied), lose its power, meet an I/O error (before each step of the disk), or find the disk full. Whoever comes after must arrive at what the uninterrupted twin arrived at, and then write nothing more.
 *
 * WALK=n in the environment: every nth moment only (1: all). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"
#include "tests/scenarios/tale.h"

#include "tests/expect.h"

enum { PAGE = 4096 };

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

    for (int i = 0; i < TALE_SYNCS && !ret->has_failed; i++) {
        ret->has_failed = world_try(world, false, &report, &err) != OK;
        tale_pause(world);
    }
}

/* crash NULL: nothing happens. */
static void tell(const struct tale *tale, const struct crash *crash, int64_t moment,
                 struct seen *ret)
{
    struct world *world = tale_begin(tale);

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
    EXPECT(crash || !ret->has_failed, "%s: a sync failed", tale->name);
    EXPECT(!crash || !crash->ends_process || disk_is_dead(world->disk),
           "%s, %s %" PRId64 ": the crash did not come", tale->name, crash->name, moment);
    disk_limit(world->disk, 0);
    if (crash) {
        world_revive(world);
    }
    story_rest(world);
    tale_look(world, &ret->end);
    tale_expect_quiet(world, tale);
    world_free(world);
}

/* Returns whether a sync failed of it. */
static bool expect_same(const struct tale *tale, const struct crash *crash, int64_t moment,
                        const struct seen *twin)
{
    struct seen seen = {0};

    tell(tale, crash, moment, &seen);
    if (!str_equal(buf_str(&seen.end), buf_str(&twin->end))) {
        fprintf(stderr, "the twin:\n%.*safter the crash:\n%.*s", STR_ARG(buf_str(&twin->end)),
                STR_ARG(buf_str(&seen.end)));
        fail_msg("%s, %s %" PRId64 ": another end than without", tale->name, crash->name, moment);
    }
    buf_fini(&seen.end);
    return seen.has_failed;
}

static void walk(void **state)
{
    const struct tale *tale = *state;
    struct seen twin = {0};

    tell(tale, NULL, 0, &twin);
    for (int i = 0; i < CRASHES; i++) {
        int64_t walked = 0, failed = 0, count = twin.moments[i];
        /* calls are few, and each is another one; steps of the disk are alike */
        int64_t stride = i == KILLED ? (tale_stride() + 9) / 10 : tale_stride();

        for (int64_t moment = 1; moment <= count; moment += stride) {
            failed += expect_same(tale, &CRASH_LIST[i], moment, &twin);
            walked++;
        }
        EXPECT(failed > 0, "%s: no sync failed", CRASH_LIST[i].name);
        printf("walk story=\"%s\" crash=\"%s\" moments=%" PRId64 " walked=%" PRId64
               " syncs_failed=%" PRId64 " differ=0\n",
               tale->name, CRASH_LIST[i].name, count, walked, failed);
        fflush(stdout);
    }
    buf_fini(&twin.end);
}

int main(void)
{
    struct CMUnitTest tests[TALES];

    for (int i = 0; i < TALES; i++) {
        tests[i] = (struct CMUnitTest){.name = TALE_LIST[i].name,
                                       .test_func = walk,
                                       .initial_state = (void *)(uintptr_t)&TALE_LIST[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
