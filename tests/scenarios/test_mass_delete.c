/* Mass deletes, at random: somebody deletes more people at one CRM than the brake lets through, at once or in several goes. Never more than the brake's limit of them spread
 * to the other CRM, however long nobody confirms. A few deletes all do.
 *
 * RUNS=n in the environment: how many (20). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/random.h"
#include "core/str.h"
#include "store/brake.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, SIDES };
enum { RUNS_DEFAULT = 20, PEOPLE = 40, GOES_MAX = 4, SYNCS_BETWEEN = 2, FLOOR = 25, PERCENT = 5 };
enum { CONFIRMED_RUNS = 3, FEW_EVERY = 5, MINUTE_MS = 60 * 1000, DAY_MINUTES = 24 * 60 };

struct run {
    uint64_t seed;
    struct random *random;
    struct world *world;
    int at; /* where somebody deletes */
};

struct totals {
    int64_t runs, few, deleted, spread_most;
};

static void begin(struct run *run, uint64_t seed, int people)
{
    struct world_options options = {
        .seed = seed, .connections = SIDES, .records = people, .deletes = DELETES_ARCHIVE};

    *run = (struct run){.seed = seed, .random = random_new_seeded(seed)};
    options.crms[A] = (enum crm)random_below(run->random, CRMS);
    options.crms[B] = (enum crm)random_below(run->random, CRMS);
    run->world = world_new(&options);
    run->at = (int)random_below(run->random, SIDES);
    story_rest(run->world);
}

static void end(struct run *run)
{
    world_free(run->world);
    random_free(run->random);
}

static bool is_live(const json_t *record)
{
    const json_t *into = json_object_get(record, "merged_into");

    return !json_is_true(json_object_get(record, "archived")) && (!into || json_is_null(into));
}

/* Up to `count` people of those that are left. Returns how many. */
static int delete_some(struct run *run, int count)
{
    json_t *state = world_state(run->world, run->at, "contact");
    int deleted = 0;
    size_t index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        if (deleted < count && is_live(record)) {
            story_delete(run->world, run->at, json_string_value(json_object_get(record, "id")));
            deleted++;
        }
    }
    json_decref(state);
    return deleted;
}

/* Time passes, and syncs come by: often enough that each grace time runs out. */
static void go_on(struct run *run, int64_t minutes)
{
    struct sync_report report;

    for (int i = 0; i < SYNCS_BETWEEN; i++) {
        story_advance(run->world, minutes * MINUTE_MS / SYNCS_BETWEEN);
        world_sync(run->world, true, &report); /* not every CRM tells of deletes by itself */
    }
}

/* More than the limit in the first go, so that something has to stop; later goes are of any size. */
static int delete_many(struct run *run, int limit)
{
    int goes = 1 + (int)random_below(run->random, GOES_MAX);
    int there = story_count(run->world, run->at, NULL), deleted = 0;

    for (int i = 0; i < goes && deleted < there; i++) {
        int least = i == 0 ? limit + 1 : 1;
        int count = least + (int)random_below(run->random, (uint64_t)(there - least + 1));

        deleted += delete_some(run, count);
        go_on(run, (int64_t)random_below(run->random, 30));
    }
    return deleted;
}

/* Returns how many of the deletes spread. */
static int spread_of(struct run *run, int others)
{
    go_on(run, DAY_MINUTES);
    return others - story_count(run->world, !run->at, NULL);
}

static void run_one(uint64_t seed, struct totals *totals)
{
    struct run run;
    int others, limit, deleted, spread;

    begin(&run, seed, PEOPLE);
    others = story_count(run.world, !run.at, NULL);
    limit = others * PERCENT / 100 > FLOOR ? others * PERCENT / 100 : FLOOR;
    if (random_below(run.random, FEW_EVERY) == 0) {
        deleted = delete_some(&run, 1 + (int)random_below(run.random, (uint64_t)limit));
        spread = spread_of(&run, others);
        EXPECT(spread == deleted, "seed %" PRIu64 ": %d of %d deletes spread", seed, spread,
               deleted);
        totals->few++;
    } else {
        deleted = delete_many(&run, limit);
        spread = spread_of(&run, others);
        EXPECT(spread <= limit, "seed %" PRIu64 ": %d deletes spread, at most %d may", seed, spread,
               limit);
        totals->spread_most = spread > totals->spread_most ? spread : totals->spread_most;
    }
    totals->runs++;
    totals->deleted += deleted;
    end(&run);
}

static void no_more_than_the_limit_spreads(void **state)
{
    const char *wanted = getenv("RUNS");
    struct totals totals = {0};
    int64_t runs = RUNS_DEFAULT;

    (void)state;
    EXPECT(!wanted || str_to_i64(str_of(wanted), &runs), "RUNS must be a number");
    for (int64_t seed = 1; seed <= runs; seed++) {
        run_one((uint64_t)seed, &totals);
    }
    printf("mass_deletes runs=%" PRId64 " few=%" PRId64 " deleted=%" PRId64
           " spread_most_of_many=%" PRId64 " limit=%d\n",
           totals.runs, totals.few, totals.deleted, totals.spread_most, FLOOR);
}

/* Of what stands in the brake's row now. */
static void confirm(struct run *run)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};

    EXPECT(tx_begin(run->world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               brake_confirm(tx, run->world->connections[run->at].row.id, STR("contact"),
                             BRAKE_DELETES, clock_wall_ms(run->world->env.clock), &err) == OK &&
               tx_commit(&tx, &err) == OK,
           "seed %" PRIu64 ": %s", run->seed, err.message);
}

/* Said of so many: whoever deletes more before it takes effect is stopped again, and the next word is about all of them. */
static void a_confirmation_is_for_what_was_counted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CONFIRMED_RUNS; seed++) {
        struct run run;
        int others, deleted, spread;

        begin(&run, seed, 2 * PEOPLE);
        others = story_count(run.world, !run.at, NULL);
        deleted = delete_some(&run, FLOOR + 1);
        spread = spread_of(&run, others);
        EXPECT(spread == 0, "seed %" PRIu64 ": %d spread, and nobody confirmed it", seed, spread);
        confirm(&run);
        deleted += delete_some(&run, FLOOR / 2);
        spread = spread_of(&run, others);
        EXPECT(spread == 0, "seed %" PRIu64 ": %d spread, fewer were confirmed", seed, spread);
        confirm(&run);
        spread = spread_of(&run, others);
        EXPECT(spread == deleted, "seed %" PRIu64 ": %d of %d spread", seed, spread, deleted);
        end(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_the_limit_spreads),
        cmocka_unit_test(a_confirmation_is_for_what_was_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
