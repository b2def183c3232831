/* What CRMs tell by themselves, at its worst: ten times each, in any order, a day late, or not at all. It decides nothing: the end is the same, and what nobody told of is found
 * by the next listing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "tests/scenarios/story.h"
#include "tests/simulation/service.h"

#include "tests/expect.h"

enum { SIDES = 3, PEOPLE = 9, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };
enum { DAY_MS = 24 * HOUR_MS };

struct tale {
    struct world *world;
    struct service *service;
    struct random *random;
    char ids[SIDES][PEOPLE][STORY_ID_BYTES];
};

static void begin(struct tale *tale, uint64_t seed, int64_t every_ms)
{
    const struct service_options options = {.random = random_new_seeded(seed),
                                            .every_ms = every_ms};
    char email[STORY_TEXT_BYTES];

    *tale =
        (struct tale){.random = options.random, .world = story_begin(SALESFORCE, DELETES_ARCHIVE)};
    for (int i = 0; i < PEOPLE; i++) {
        snprintf(email, sizeof email, "person%d@people.example", i);
        story_add(tale->world, i % SIDES, email, "Anna", tale->ids[i % SIDES][i]);
    }
    story_rest(tale->world);
    for (int at = 0; at < SIDES; at++) {
        for (int i = 0; i < PEOPLE; i++) {
            snprintf(email, sizeof email, "person%d@people.example", i);
            story_id(tale->world, at, email, tale->ids[at][i]);
        }
    }
    tale->service = service_new(tale->world, &options);
}

static void end(struct tale *tale)
{
    service_free(tale->service);
    world_free(tale->world);
    random_free(tale->random);
}

static bool shows(const struct tale *tale, int at, int person, const char *field, const char *value)
{
    char shown[STORY_TEXT_BYTES];

    story_show(tale->world, at, tale->ids[at][person], field, shown);
    return strcmp(shown, value) == 0;
}

/* --- repeated, shuffled, late ------------------------------------------------------------------------------------------------------ */

enum { EVENTS_MAX = 400 };

/* Which object something happened to. */
struct event {
    int at;
    const char *id;
};

struct events {
    struct event at[EVENTS_MAX];
    int count;
};

static void happened(struct events *events, int at, const char *id, int times)
{
    for (int i = 0; i < times && events->count < EVENTS_MAX; i++) {
        events->at[events->count++] = (struct event){.at = at, .id = id};
    }
}

/* Those that are out come in, the last in any place. */
static void hear(struct tale *tale, struct events *events, int count)
{
    for (int i = 0; i < count && events->count; i++) {
        int chosen = (int)random_below(tale->random, (uint64_t)events->count);
        const struct event event = events->at[chosen];

        service_hear(tale->service, event.at, STR("contact"), str_of(event.id));
        events->at[chosen] = events->at[--events->count];
    }
}

/* Everybody is typed in anew three times at one place, and one goes, where listings tell of that, too. times: how often each event comes. */
static void live(struct tale *tale, struct events *events, int times, bool is_late)
{
    char name[32];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PEOPLE - 1; i++) {
            int at = (i + 1) % SIDES;

            snprintf(name, sizeof name, "Name%d", round);
            story_edit(tale->world, at, tale->ids[at][i], "first_name", name);
            happened(events, at, tale->ids[at][i], times);
            if (!is_late) {
                hear(tale, events, times / 2 + 1);
            }
            service_run(tale->service, 20 * 1000);
        }
    }
    story_delete(tale->world, SALESFORCE, tale->ids[SALESFORCE][PEOPLE - 1]);
    happened(events, SALESFORCE, tale->ids[SALESFORCE][PEOPLE - 1], times);
}

/* Everything that people see anywhere. */
static struct digest look(const struct tale *tale)
{
    static const char *const FIELDS[] = {"email", "first_name", "last_name", "phone"};
    AUTO_BUF struct buf all = {0};

    buf_init(&all, 64 * 1024);
    for (int at = 0; at < SIDES; at++) {
        buf_addf(&all, "%d people; ", story_count(tale->world, at, NULL));
        for (int i = 0; i < PEOPLE; i++) {
            for (size_t k = 0; k < COUNT_OF(FIELDS); k++) {
                char shown[STORY_TEXT_BYTES];

                story_show(tale->world, at, tale->ids[at][i], FIELDS[k], shown);
                buf_addf(&all, "%s,", shown);
            }
        }
    }
    return digest_of(buf_str(&all));
}

static struct digest end_of(uint64_t seed, int times, bool is_late, int64_t *ret_heard)
{
    struct events events = {0};
    struct digest seen;
    struct tale tale;

    begin(&tale, seed, times ? HOUR_MS : MINUTE_MS); /* who is told of everything lists seldom */
    live(&tale, &events, times, is_late);
    if (is_late) {
        service_run(tale.service, DAY_MS);
    }
    *ret_heard += events.count;
    while (events.count) {
        hear(&tale, &events, 7);
        service_run(tale.service, 3000);
    }
    service_run(tale.service, HOUR_MS + MINUTE_MS); /* past the grace time of a delete */
    for (int i = 0; i < PEOPLE - 1; i++) {
        for (int at = 0; at < SIDES; at++) {
            EXPECT(shows(&tale, at, i, "first_name", "Name2"), "person %d at %d", i, at);
        }
    }
    EXPECT(story_records(tale.world) == PEOPLE - 1, "%d records, each event %d times",
           story_records(tale.world), times);
    seen = look(&tale);
    end(&tale);
    return seen;
}

static void repeated_shuffled_and_a_day_late_changes_nothing(void **state)
{
    enum { SEEDS = 5, TIMES = 10 };
    int64_t heard = 0, ignored = 0;
    int differ = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct digest polled = end_of(seed, 0, false, &ignored);
        struct digest shuffled = end_of(seed, TIMES, false, &heard);
        struct digest late = end_of(seed, TIMES, true, &heard);

        differ += !digest_equal(&polled, &shuffled) + !digest_equal(&polled, &late);
    }
    printf("fault=webhooks-repeated seeds=%d times_each=%d overdue=%" PRId64 " ends_differ=%d\n",
           SEEDS, TIMES, heard, differ);
    EXPECT(differ == 0, "%d ends are others", differ);
}

/* --- lost --------------------------------------------------------------------------------------------------------------------------- */

static int by_size(const void *one, const void *other)
{
    int64_t mine = *(const int64_t *)one, theirs = *(const int64_t *)other;

    return (mine > theirs) - (mine < theirs);
}

static bool is_everywhere(const struct tale *tale, int person, const char *name)
{
    for (int at = 0; at < SIDES; at++) {
        if (!shows(tale, at, person, "first_name", name)) {
            return false;
        }
    }
    return true;
}

/* Nobody tells of anything: how long each edit takes to be everywhere. */
static void listings_find_what_no_webhook_told(void **state)
{
    enum { EDITS = 60, EVERY_MS = 5 * MINUTE_MS, STEP_MS = 5000, MORE_MS = MINUTE_MS };
    int64_t took_ms[EDITS];
    struct tale tale;

    (void)state;
    begin(&tale, 3, EVERY_MS);
    for (int i = 0; i < EDITS; i++) {
        int person = i % PEOPLE, at = (int)random_below(tale.random, SIDES);
        char name[32];

        service_run(tale.service, (int64_t)random_below(tale.random, EVERY_MS));
        snprintf(name, sizeof name, "Name%d", i);
        story_edit(tale.world, at, tale.ids[at][person], "first_name", name);
        took_ms[i] = 0;
        while (!is_everywhere(&tale, person, name)) {
            service_run(tale.service, STEP_MS);
            took_ms[i] += STEP_MS;
            EXPECT(took_ms[i] < 4 * EVERY_MS, "edit %d is not found", i);
        }
    }
    qsort(took_ms, EDITS, sizeof *took_ms, by_size);
    printf("fault=webhooks-lost edits=%d every_s=%d median_s=%" PRId64 " p99_s=%" PRId64
           " missed=0\n",
           EDITS, EVERY_MS / 1000, took_ms[EDITS / 2] / 1000, took_ms[EDITS * 99 / 100] / 1000);
    EXPECT(took_ms[EDITS * 99 / 100] <= EVERY_MS + MORE_MS, "the slowest took %" PRId64 " s",
           took_ms[EDITS * 99 / 100] / 1000);
    end(&tale);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_shuffled_and_a_day_late_changes_nothing),
        cmocka_unit_test(listings_find_what_no_webhook_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
