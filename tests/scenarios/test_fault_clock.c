/* Clocks that are wrong, ours or a CRM's, by an hour to ten years: of two edits of one field the one that was typed later wins all the same, wherever it was typed, and nothing
 * stops. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, SIDES };

static const char ANNA[] = "anna@people.example";
static const int64_t SECOND_MS = 1000, HOUR_MS = 3600 * 1000, DAY_MS = 24 * 3600 * 1000LL;

/* A CRM's own clock goes ahead. It takes no more than a year at once. */
static void advance(struct world *world, int at, int64_t ms)
{
    const int64_t most_ms = 365 * DAY_MS;

    while (ms > 0) {
        int64_t now_ms = ms < most_ms ? ms : most_ms;

        json_decref(world_ask(world, at, "POST", "/__sim/advance",
                              json_pack("{s:I}", "ms", (json_int_t)now_ms)));
        ms -= now_ms;
    }
}

/* Ours is set back, while the CRMs' go on as they were; or only that of one CRM is set ahead. */
static void ours_behind(struct world *world, int64_t ms)
{
    clock_step_ms(world->env.clock, -ms);
    for (int at = 0; at < SIDES; at++) {
        advance(world, at, ms);
    }
}

static void one_ahead(struct world *world, int64_t ms)
{
    advance(world, A, ms);
}

static bool shows(struct world *world, int at, const char *id, const char *name)
{
    char shown[STORY_TEXT_BYTES];

    story_show(world, at, id, "first_name", shown);
    return strcmp(shown, name) == 0;
}

static void type_here(struct world *world, const char *name)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct edit edit = world_edit(world);
    struct store_record *records = NULL, record;
    struct fields changes = {0};
    struct error err = {0};
    size_t count = 0;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               record_list(tx, STR("contact"), 0, 10, &arena, &records, &count, &err) == OK &&
               tx_commit(&tx, &err) == OK && count == 1,
           "one record: %s", err.message);
    fields_set(&changes, &arena, STR("first_name"), VALUE_OF(str_of(name)));
    EXPECT(edit_update(&edit, records[0].uuid, &changes, 0, &arena, &record, &err) == OK, "%s",
           err.message);
}

enum { HERE = SIDES };

static void type(struct world *world, int at, char ids[SIDES][STORY_ID_BYTES], const char *name)
{
    if (at == HERE) {
        story_advance(world, 2 * SECOND_MS);
        type_here(world, name);
    } else {
        story_edit(world, at, ids[at], "first_name", name);
    }
}

/* The same field typed at two places, half a minute apart, in a world whose clocks are wrong. Returns 1 when the earlier one wins. */
static int inverted(enum crm crms[SIDES], void (*wrong)(struct world *world, int64_t ms),
                    int64_t ms, int first, int second)
{
    struct world_options options = {.seed = 7, .crms = {crms[A], crms[B]}, .connections = SIDES};
    struct world *world = world_new(&options);
    char ids[SIDES][STORY_ID_BYTES];
    struct sync_report report;
    bool is_right = true;

    story_add(world, A, ANNA, "Anna", ids[A]);
    story_rest(world);
    story_id(world, B, ANNA, ids[B]);
    story_advance(world, HOUR_MS);
    wrong(world, ms);
    story_advance(world, 60 * SECOND_MS);
    world_sync(world, false, &report); /* each CRM has told its time */
    type(world, first, ids, "Earlier");
    story_advance(world, 30 * SECOND_MS);
    type(world, second, ids, "Later");
    story_rest(world);
    for (int at = 0; at < SIDES; at++) {
        is_right = is_right && shows(world, at, ids[at], "Later");
    }
    world_free(world);
    return !is_right;
}

static void a_clock_that_is_wrong_decides_nothing(void **state)
{
    static const int64_t WRONG_DAYS[] = {0, 1, 365, 3652};
    static void (*const WAYS[])(struct world *, int64_t) = {ours_behind, one_ahead};
    int runs = 0, inversions = 0;

    (void)state;
    for (enum crm crm = HUBSPOT; crm < CRMS; crm++) {
        enum crm crms[SIDES] = {crm, (enum crm)((crm + 1) % CRMS)};

        for (size_t i = 0; i < COUNT_OF(WRONG_DAYS) * COUNT_OF(WAYS); i++) {
            int64_t days = WRONG_DAYS[i / COUNT_OF(WAYS)];

            for (int first = A; first <= HERE; first++) {
                for (int second = A; second <= HERE; second++) {
                    int is_bad =
                        first != second && inverted(crms, WAYS[i % COUNT_OF(WAYS)],
                                                    days ? days * DAY_MS : HOUR_MS, first, second);

                    if (is_bad) {
                        print_message("crm %d way %zu days %" PRId64 " first %d second %d\n",
                                      (int)crm, i % COUNT_OF(WAYS), days, first, second);
                    }
                    runs += first != second;
                    inversions += is_bad;
                }
            }
        }
    }
    printf("fault=clock runs=%d wrong_most_days=3652 inversions=%d\n", runs, inversions);
    EXPECT(inversions == 0, "the earlier edit won %d times", inversions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_clock_that_is_wrong_decides_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
