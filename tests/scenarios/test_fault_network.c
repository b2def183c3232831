/* A CRM in trouble for half an hour, as the network and overloaded servers make it: whatever it answers, the other CRMs go on, nothing is made twice or half, and soon after
 * it is well again everybody agrees. Each fault reports what it cost. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenarios/story.h"
#include "tests/simulation/service.h"

#include "tests/expect.h"

enum { A, B, C, SIDES };
enum { MINUTE_MS = 60 * 1000, EVERY_MS = MINUTE_MS, TROUBLE_MS = 30 * MINUTE_MS };
enum {
    PEOPLE = 12,
    STEP_MS = 1000,
    WELL_MAX_MS = 20 * MINUTE_MS,
    CALLS_MAX = TROUBLE_MS / 2000 + 100
};

/* Everybody is known everywhere; then one CRM is in trouble while people go on working at all of them. */
struct tale {
    struct world *world;
    struct service *service;
    struct random *random;
    int troubled;
    char ids[SIDES][PEOPLE][STORY_ID_BYTES];
};

/* What a fault cost, of all the CRMs that had it. */
struct cost {
    int64_t calls_most;     /* at the troubled one, in its half hour */
    int64_t well_most_ms;   /* from the end of the trouble until all agree */
    int64_t beside_most_ms; /* how long an edit between the others took meanwhile */
    int64_t doubled;
};

static const char *email_of(int person, char ret[STORY_TEXT_BYTES])
{
    snprintf(ret, STORY_TEXT_BYTES, "person%d@people.example", person);
    return ret;
}

static json_int_t calls_at(const struct tale *tale, int at)
{
    json_t *stats = world_ask(tale->world, at, "GET", "/__sim/stats", NULL);
    json_int_t calls = json_integer_value(json_object_get(stats, "calls_total"));

    json_decref(stats);
    return calls;
}

static void begin(struct tale *tale, int troubled)
{
    const struct service_options options = {.random = random_new_seeded(11), .every_ms = EVERY_MS};
    char email[STORY_TEXT_BYTES];

    *tale = (struct tale){.troubled = troubled,
                          .random = options.random,
                          .world = story_begin(SALESFORCE, DELETES_ARCHIVE)};
    for (int i = 0; i < PEOPLE; i++) {
        story_add(tale->world, troubled, email_of(i, email), "Anna", tale->ids[troubled][i]);
    }
    story_rest(tale->world);
    for (int at = 0; at < SIDES; at++) {
        for (int i = 0; i < PEOPLE; i++) {
            story_id(tale->world, at, email_of(i, email), tale->ids[at][i]);
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

/* Until it is so; how long that took. */
static int64_t wait_for(struct tale *tale, bool (*is_so)(const struct tale *tale), int64_t most_ms,
                        const char *what)
{
    int64_t began_ms = clock_mono_ms(tale->world->env.clock), took_ms = 0;

    while (!is_so(tale)) {
        service_run(tale->service, STEP_MS);
        took_ms = clock_mono_ms(tale->world->env.clock) - began_ms;
        EXPECT(took_ms < most_ms, "%s in trouble: %s takes more than %" PRId64 " s",
               tale->world->names[tale->troubled].at, what, most_ms / 1000);
    }
    return took_ms;
}

static int next_to(const struct tale *tale, int steps)
{
    return (tale->troubled + steps) % SIDES;
}

static bool is_beside_done(const struct tale *tale)
{
    return shows(tale, next_to(tale, 2), 0, "last_name", "Beside");
}

/* What was typed at the troubled one, and beside it: names of all, a new person on each side. */
static bool is_all_done(const struct tale *tale)
{
    bool is_done = true;

    for (int at = 0; at < SIDES; at++) {
        is_done = is_done && shows(tale, at, 0, "last_name", "Beside") &&
                  story_count(tale->world, at, NULL) >= PEOPLE + 2;
        for (int i = 0; i < PEOPLE; i++) {
            is_done = is_done && shows(tale, at, i, "first_name", "Annabel");
        }
    }
    return is_done;
}

static void work_meanwhile(struct tale *tale)
{
    char ignored[STORY_ID_BYTES];

    story_edit(tale->world, next_to(tale, 1), tale->ids[next_to(tale, 1)][0], "last_name",
               "Beside");
    for (int i = 0; i < PEOPLE; i++) {
        story_edit(tale->world, tale->troubled, tale->ids[tale->troubled][i], "first_name",
                   "Annabel");
    }
    story_add(tale->world, tale->troubled, "there@people.example", "There", ignored);
    story_add(tale->world, next_to(tale, 1), "beside@people.example", "Other", ignored);
}

/* Of pages that end in the middle or are something else nothing is taken over. */
static void expect_nothing_read(const struct tale *tale, const char *fault)
{
    for (int i = 0; i < PEOPLE; i++) {
        EXPECT(shows(tale, next_to(tale, 1), i, "first_name", "Anna"),
               "%s: person %d of a page that cannot be read has come over", fault, i);
    }
}

static void suffer(struct tale *tale, const char *fault, bool is_unreadable, struct cost *cost)
{
    json_int_t before;
    int64_t took_ms;

    world_faults(tale->world, tale->troubled,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault", fault, "per_million",
                           1000000));
    before = calls_at(tale, tale->troubled);
    work_meanwhile(tale);
    took_ms = wait_for(tale, is_beside_done, TROUBLE_MS, "an edit between the others");
    cost->beside_most_ms = took_ms > cost->beside_most_ms ? took_ms : cost->beside_most_ms;
    service_run(tale->service, TROUBLE_MS - took_ms);
    if (is_unreadable) {
        expect_nothing_read(tale, fault);
    }
    before = calls_at(tale, tale->troubled) - before;
    EXPECT(before < CALLS_MAX, "%s: %" JSON_INTEGER_FORMAT " calls in half an hour", fault, before);
    cost->calls_most = before > cost->calls_most ? before : cost->calls_most;
}

static void recover(struct tale *tale, struct cost *cost)
{
    int64_t took_ms;

    world_faults(tale->world, tale->troubled, json_object());
    took_ms = wait_for(tale, is_all_done, WELL_MAX_MS, "getting well");
    cost->well_most_ms = took_ms > cost->well_most_ms ? took_ms : cost->well_most_ms;
    service_free(TAKE_PTR(tale->service));
    story_rest(tale->world);
    for (int at = 0; at < SIDES; at++) {
        cost->doubled += story_count(tale->world, at, NULL) - PEOPLE - 2;
    }
    EXPECT(story_records(tale->world) == PEOPLE + 2, "%d records", story_records(tale->world));
    EXPECT(story_conflicts(tale->world) == 0, "nobody has anything to decide");
}

static void each_in_turn(const char *name, const char *fault, bool is_unreadable)
{
    struct cost cost = {0};

    for (int troubled = 0; troubled < SIDES; troubled++) {
        struct tale tale;

        begin(&tale, troubled);
        suffer(&tale, fault, is_unreadable, &cost);
        recover(&tale, &cost);
        end(&tale);
    }
    EXPECT(cost.doubled == 0, "%" PRId64 " people were made twice", cost.doubled);
    printf("fault=%s crms=%d calls_most=%" PRId64 " beside_most_s=%" PRId64 " well_most_s=%" PRId64
           " doubled=%" PRId64 "\n",
           name, SIDES, cost.calls_most, cost.beside_most_ms / 1000, cost.well_most_ms / 1000,
           cost.doubled);
}

static void half_an_hour_of_429(void **state)
{
    (void)state;
    each_in_turn("too-many-requests", "throttle", true);
}

static void half_an_hour_of_5xx(void **state)
{
    (void)state;
    each_in_turn("server-errors", "server_error", true);
}

static void half_an_hour_of_resets(void **state)
{
    (void)state;
    each_in_turn("resets", "reset", true);
}

static void half_an_hour_of_slow_answers(void **state)
{
    (void)state;
    each_in_turn("slow-answers", "slow", false);
}

static void half_an_hour_of_answers_that_get_lost(void **state)
{
    (void)state;
    each_in_turn("lost-answers", "timeout_after_apply", true);
}

static void half_an_hour_of_answers_cut_off(void **state)
{
    (void)state;
    each_in_turn("cut-off", "truncate", true);
}

static void half_an_hour_of_pages_for_people(void **state)
{
    (void)state;
    each_in_turn("html", "html", true);
}

/* --- what the CRMs allow ------------------------------------------------------------------------------------------------------------ */

/* A first import and everything that it makes elsewhere, under the documented limits: none of the calls is one too many. */
static void a_first_import_stays_below_every_limit(void **state)
{
    enum { MANY = 600 };
    struct world_options options = {.seed = 9, .records = MANY};
    struct world *world = world_new(&options);
    json_int_t calls = 0, refused = 0;

    (void)state;
    story_rest(world);
    for (int at = 0; at < world->count; at++) {
        json_t *stats = world_ask(world, at, "GET", "/__sim/stats", NULL);

        calls += json_integer_value(json_object_get(stats, "calls_total"));
        refused += json_integer_value(json_object_get(stats, "throttled"));
        json_decref(stats);
    }
    printf("fault=quota crms=%d people=%d calls=%" JSON_INTEGER_FORMAT
           " over_quota=%" JSON_INTEGER_FORMAT "\n",
           world->count, MANY, calls, refused);
    EXPECT(calls > 0 && refused == 0, "%" JSON_INTEGER_FORMAT " calls were too many", refused);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_an_hour_of_429),
        cmocka_unit_test(half_an_hour_of_5xx),
        cmocka_unit_test(half_an_hour_of_resets),
        cmocka_unit_test(half_an_hour_of_slow_answers),
        cmocka_unit_test(half_an_hour_of_answers_that_get_lost),
        cmocka_unit_test(half_an_hour_of_answers_cut_off),
        cmocka_unit_test(half_an_hour_of_pages_for_people),
        cmocka_unit_test(a_first_import_stays_below_every_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
