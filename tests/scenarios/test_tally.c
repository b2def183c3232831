/* What metrics learn from a sync: records that went across, how long changes took, and when a stream was last read to its end. */
#include "store/stream.h"
#include "store/tally.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, SIDES, WAIT_MS = 40 * 1000, NOISE_MS = 5 * 1000 };

static struct world *two(void)
{
    struct world_options options = {
        .seed = 11, .crms = {HUBSPOT, PIPEDRIVE}, .connections = SIDES, .deletes = DELETES_UNLINK};

    return world_new(&options);
}

static int64_t now_ms(struct world *world)
{
    return clock_wall_ms(world->env.clock);
}

/* Of this hour and the one before, by connection. */
static void sums(struct world *world, struct store_tally ret[SIDES])
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_tally *rows;
    struct error err = {0};
    size_t count = 0;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               tally_sums(tx, now_ms(world), 2, &arena, &rows, &count, &err) == OK,
           "%s", err.message);
    memset(ret, 0, SIDES * sizeof *ret);
    for (size_t i = 0; i < count; i++) {
        for (int side = 0; side < SIDES; side++) {
            if (rows[i].connection_id == world->connections[side].row.id) {
                ret[side] = rows[i];
                ret[side].kind = STR(""); /* the text goes with the arena */
            }
        }
    }
}

static void expect_one(const struct store_tally *before, const struct store_tally *now,
                       const char *where)
{
    int64_t delays = now->delays - before->delays, ms = now->delay_ms - before->delay_ms;

    EXPECT(now->synced - before->synced == 1, "%s: %lld records went across", where,
           (long long)(now->synced - before->synced));
    EXPECT(delays == 1, "%s: %lld changes were measured", where, (long long)delays);
    EXPECT(ms >= 0 && ms < WAIT_MS + NOISE_MS, "%s: it took %lld ms", where, (long long)ms);
}

static void a_change_is_counted_and_timed_on_each_way(void **state)
{
    struct world *world = two();
    struct store_tally before[SIDES], now[SIDES];
    struct sync_report report;
    char id[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, "anna@people.example", "Anna", id);
    story_rest(world);
    sums(world, before);
    EXPECT(before[A].synced == 1 && before[B].synced == 1, "one here, one there");
    EXPECT(before[A].delays == 0, "a first import is not late");

    story_edit(world, A, id, "first_name", "Anne");
    story_advance(world, WAIT_MS);
    world_sync(world, false, &report);
    sums(world, now);
    expect_one(&before[A], &now[A], "from the first");
    expect_one(&before[B], &now[B], "to the second");
    EXPECT(now[A].delay_ms - before[A].delay_ms >= WAIT_MS - NOISE_MS, "it waited: %lld ms",
           (long long)(now[A].delay_ms - before[A].delay_ms));

    memcpy(before, now, sizeof now);
    story_rest(world);
    sums(world, now);
    EXPECT(memcmp(before, now, sizeof now) == 0, "our own echo is nothing");
    world_free(world);
}

static void a_stream_knows_when_it_was_read_to_its_end(void **state)
{
    struct world *world = two();
    AUTO_ARENA struct arena arena = {0};
    struct store_stream *streams;
    struct sync_report report;
    struct error err = {0};
    struct tx *tx = NULL;
    int64_t began_ms;
    size_t count = 0, seen = 0;

    (void)state;
    story_rest(world);
    story_advance(world, WAIT_MS);
    began_ms = now_ms(world);
    world_sync(world, false, &report);
    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               stream_list(tx, &arena, &streams, &count, &err) == OK,
           "%s", err.message);
    for (size_t i = 0; i < count; i++) {
        seen += streams[i].pulled_ms >= began_ms && streams[i].pulled_ms <= now_ms(world);
    }
    EXPECT(count > 0 && seen == count, "%zu of %zu streams", seen, count);
    tx_abort(&tx);
    world_free(world);
}

/* Each refusal is one hit, also where the call went through in the end; and it is the refusing CRM's. */
static void calls_refused_for_their_number_are_counted(void **state)
{
    struct world *world = two();
    struct store_tally before[SIDES], now[SIDES];
    struct sync_report report;
    json_t *stats;
    char id[STORY_ID_BYTES];

    (void)state;
    story_add(world, A, "anna@people.example", "Anna", id);
    story_rest(world);
    sums(world, before);
    EXPECT(before[A].throttled == 0 && before[B].throttled == 0, "nobody refused anything");
    world_faults(world, A,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 3, "rules", "fault", "throttle",
                           "per_million", 400000));
    story_edit(world, A, id, "first_name", "Anne");
    story_advance(world, WAIT_MS);
    world_sync(world, false, &report);
    world_faults(world, A, json_object());
    world_sync(world, false, &report);
    sums(world, now);
    stats = world_ask(world, A, "GET", "/__sim/stats", NULL);
    EXPECT(now[A].throttled > 0, "some were refused");
    EXPECT(now[A].throttled == json_integer_value(json_object_get(stats, "throttled")),
           "%lld hits, the CRM counts %lld", (long long)now[A].throttled,
           (long long)json_integer_value(json_object_get(stats, "throttled")));
    EXPECT(now[B].throttled == 0, "the other one refused nothing");
    json_decref(stats);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_counted_and_timed_on_each_way),
        cmocka_unit_test(a_stream_knows_when_it_was_read_to_its_end),
        cmocka_unit_test(calls_refused_for_their_number_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
