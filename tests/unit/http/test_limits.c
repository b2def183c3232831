/* Buckets with a virtual clock: never more than the capacity in any window, floors per lane,
 * corrections, penalties. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/limits.h"

enum { START_MS = 1000000 };

static const struct limit_bucket_spec BURST[] = {{"burst", 10, 1000, 20}};
static const struct limit_bucket_spec DAILY[] = {{"daily", 10, 0, 20}};
static const struct limit_bucket_spec BOTH[] = {{"burst", 10, 1000, 0}, {"daily", 15, 0, 0}};

struct fixture {
    struct clock *clock;
    struct limiter *limiter;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture.clock = clock_new_virtual(START_MS);
    fixture.limiter = limiter_new(fixture.clock);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    limiter_free(f->limiter);
    clock_free(f->clock);
    return 0;
}

static int64_t take(struct limit_account *account, enum lane lane, int64_t first, int64_t second)
{
    const struct limit_cost cost = {.units = {first, second}};

    return limit_take(account, lane, &cost);
}

/* How many single units go through right now. */
static int take_all(struct limit_account *account, enum lane lane)
{
    int taken = 0;

    while (taken < 1000 && take(account, lane, 1, 0) == 0) {
        taken++;
    }
    return taken;
}

static void same_key_is_the_same_account(void **state)
{
    struct fixture *f = *state;

    assert_ptr_equal(limiter_account(f->limiter, STR("hub:1"), BURST, 1),
                     limiter_account(f->limiter, STR("hub:1"), BURST, 1));
    assert_ptr_not_equal(limiter_account(f->limiter, STR("hub:1"), BURST, 1),
                         limiter_account(f->limiter, STR("hub:2"), BURST, 1));
}

static void a_full_window_says_exactly_how_long_to_wait(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    assert_int_equal(take(account, LANE_REALTIME, 4, 0), 0);
    clock_wait_ms(f->clock, 300);
    assert_int_equal(take(account, LANE_REALTIME, 6, 0), 0);
    assert_int_equal(limit_remaining(account, 0), 0);
    assert_int_equal(take(account, LANE_REALTIME, 4, 0), 700);
    assert_int_equal(take(account, LANE_REALTIME, 5, 0), 1000);
    clock_wait_ms(f->clock, 699);
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 1);
    clock_wait_ms(f->clock, 1);
    assert_int_equal(take(account, LANE_REALTIME, 4, 0), 0);
}

static void no_window_ever_holds_more_than_the_capacity(void **state)
{
    struct fixture *f = *state;
    const uint64_t seed = 20261121;
    struct random *random = random_new_seeded(seed);
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);
    static int64_t taken_at[100000];
    size_t count = 0, first = 0;

    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 20000; i++) {
        clock_wait_ms(f->clock, (int64_t)random_below(random, 60));
        if (take(account, LANE_REALTIME, 1, 0) == 0) {
            taken_at[count++] = clock_mono_ms(f->clock);
        }
        while (count && taken_at[first] + 1000 <= clock_mono_ms(f->clock)) {
            first++;
        }
        assert_true(count - first <= 10);
    }
    /* And it is not caution alone: nearly the whole budget is used. */
    assert_true((double)count > 0.93 * 10.0 * (double)clock_mono_ms(f->clock) / 1000.0);
    random_free(random);
}

static void waiting_as_told_always_works(void **state)
{
    struct fixture *f = *state;
    struct random *random = random_new_seeded(7);
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    for (int i = 0; i < 5000; i++) {
        int64_t units = 1 + (int64_t)random_below(random, 8);
        int64_t wait_ms;

        clock_wait_ms(f->clock, (int64_t)random_below(random, 200));
        if (random_chance(random, 200000)) {
            limit_correct(account, 0, -1, (int64_t)random_below(random, 11),
                          (int64_t)random_below(random, 1500));
        }
        wait_ms = take(account, LANE_REALTIME, units, 0);
        assert_in_range(wait_ms, 0, 1000);
        clock_wait_ms(f->clock, wait_ms);
        if (wait_ms) {
            assert_int_equal(take(account, LANE_REALTIME, units, 0), 0);
        }
    }
    random_free(random);
}

static void calls_are_counted_by_lane_and_held_to_an_allowance(void **state)
{
    static const struct limit_bucket_spec SPECS[] = {{"burst", 100, 1000, 0},
                                                     {"tokens", 1000, 0, 10}};
    const struct limit_cost cost = {.units = {1, 20}};
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("crm/one"), SPECS, 2);
    struct limit_usage used;

    limit_allow_calls(f->limiter, 3);
    assert_int_equal(limit_take(account, LANE_BATCH, &cost), 0);
    assert_int_equal(limit_take(account, LANE_BATCH, &cost), 0);
    assert_int_equal(limit_take(account, LANE_INTERACTIVE, &cost), 0);
    assert_false(limit_is_used_up(f->limiter));
    assert_true(limit_take(account, LANE_INTERACTIVE, &cost) > 60 * 60 * 1000);
    assert_true(limit_is_used_up(f->limiter));
    used = limit_usage_take(f->limiter, STR("crm/one"), LANE_BATCH);
    assert_int_equal(used.calls, 2);
    assert_int_equal(used.units, 40);
    used = limit_usage_take(f->limiter, STR("crm/one"), LANE_BATCH);
    assert_int_equal(used.calls, 0);
    used = limit_usage_take(f->limiter, STR("crm/one"), LANE_INTERACTIVE);
    assert_int_equal(used.calls, 1); /* what was held back was not sent */
    used = limit_usage_take(f->limiter, STR("crm/two"), LANE_INTERACTIVE);
    assert_int_equal(used.calls, 0);
    assert_int_equal(limit_kept_back(&SPECS[1], LANE_INTERACTIVE), 0);
    assert_int_equal(limit_kept_back(&SPECS[1], LANE_BATCH), 100);
    assert_int_equal(limit_kept_back(&SPECS[1], LANE_RECONCILE), 200);
}

static void slower_lanes_stop_earlier(void **state)
{
    static const struct {
        enum lane lane;
        int want;
    } ROWS[] = {{LANE_INTERACTIVE, 10}, {LANE_REALTIME, 10}, {LANE_BATCH, 8}, {LANE_RECONCILE, 6}};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct limit_account *account;

        clock_wait_ms(f->clock, 1000);
        account = limiter_account(f->limiter, STR("a"), BURST, 1);
        assert_int_equal(take_all(account, ROWS[i].lane), ROWS[i].want);
        assert_int_equal(take_all(account, LANE_INTERACTIVE), 10 - ROWS[i].want);
    }
}

static void nothing_is_taken_when_one_bucket_is_short(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BOTH, 2);

    assert_int_equal(take(account, LANE_REALTIME, 1, 14), 0);
    assert_true(take(account, LANE_REALTIME, 1, 2) > 0);
    assert_int_equal(limit_remaining(account, 0), 9);
    assert_int_equal(limit_remaining(account, 1), 1);
    assert_int_equal(limit_remaining(account, 2), -1);
}

static void what_others_used_counts_until_the_window_ends(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    assert_int_equal(take(account, LANE_REALTIME, 2, 0), 0);
    limit_correct(account, 0, -1, 1, 400);
    assert_int_equal(limit_remaining(account, 0), 1);
    assert_int_equal(take(account, LANE_REALTIME, 3, 0), 400);
    clock_wait_ms(f->clock, 400);
    assert_int_equal(limit_remaining(account, 0), 8);
}

static void an_older_answer_does_not_give_units_back(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    assert_int_equal(take_all(account, LANE_REALTIME), 10);
    limit_correct(account, 0, -1, 9, 1000); /* the first of ten answers arrives */
    assert_int_equal(limit_remaining(account, 0), 0);
}

static void the_stated_capacity_replaces_the_documented_one(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    limit_correct(account, 0, 25, -1, 0);
    assert_int_equal(take_all(account, LANE_REALTIME), 25);
    limit_correct(account, 0, 0, -1, 0); /* nonsense is ignored */
    assert_true(take(account, LANE_REALTIME, 1, 0) > 0);
}

static void a_daily_budget_ends_when_the_crm_says(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), DAILY, 1);

    assert_int_equal(take_all(account, LANE_REALTIME), 10);
    limit_correct(account, 0, -1, 0, 7200000);
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 7200000);
    clock_wait_ms(f->clock, 7200000);
    assert_int_equal(take_all(account, LANE_BATCH), 8);
}

static void an_empty_daily_budget_of_unknown_end_is_probed(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), DAILY, 1);

    assert_int_equal(take_all(account, LANE_REALTIME), 10);
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 30 * 60 * 1000);
    clock_wait_ms(f->clock, 30 * 60 * 1000);
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 0); /* one probe */
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 30 * 60 * 1000);
    limit_correct(account, 0, -1, 9, -1); /* its answer: a new day began */
    assert_int_equal(take_all(account, LANE_REALTIME), 9);
}

static void a_penalty_holds_back_everything(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    limit_penalise(account, 5000);
    limit_penalise(account, 2000); /* never shortens */
    assert_int_equal(take(account, LANE_INTERACTIVE, 0, 0), 5000);
    clock_wait_ms(f->clock, 5000);
    assert_int_equal(take(account, LANE_INTERACTIVE, 1, 0), 0);
}

static void a_call_dearer_than_the_bucket_goes_when_it_is_full(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    assert_int_equal(take(account, LANE_BATCH, 50, 0), 0);
    assert_int_equal(take(account, LANE_BATCH, 50, 0), 1000);
}

static void wall_clock_steps_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct limit_account *account = limiter_account(f->limiter, STR("a"), BURST, 1);

    assert_int_equal(take_all(account, LANE_REALTIME), 10);
    clock_step_ms(f->clock, -3600000);
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 1000);
    clock_step_ms(f->clock, 2 * 3600000);
    assert_int_equal(take(account, LANE_REALTIME, 1, 0), 1000);
}

static void backoff_is_uniform_within_its_bounds(void **state)
{
    static const struct {
        int attempt;
        int64_t bound_ms;
    } ROWS[] = {{0, 100}, {1, 200}, {2, 400}, {3, 800}, {4, 1000}, {60, 1000}, {1000000, 1000}};
    const uint64_t seed = 42;
    struct random *random = random_new_seeded(seed);

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t least = INT64_MAX, most = 0, sum = 0;

        for (int n = 0; n < 4000; n++) {
            int64_t ms = backoff_full_jitter_ms(random, ROWS[i].attempt, 100, 1000);

            least = ms < least ? ms : least;
            most = ms > most ? ms : most;
            sum += ms;
        }
        assert_true(least <= ROWS[i].bound_ms / 50);
        assert_in_range(most, ROWS[i].bound_ms * 49 / 50, ROWS[i].bound_ms);
        assert_in_range(sum / 4000, ROWS[i].bound_ms * 45 / 100, ROWS[i].bound_ms * 55 / 100);
    }
    assert_int_equal(backoff_full_jitter_ms(random, 3, 0, 1000), 0);
    random_free(random);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(same_key_is_the_same_account),
        TEST(a_full_window_says_exactly_how_long_to_wait),
        TEST(no_window_ever_holds_more_than_the_capacity),
        TEST(waiting_as_told_always_works),
        TEST(calls_are_counted_by_lane_and_held_to_an_allowance),
        TEST(slower_lanes_stop_earlier),
        TEST(nothing_is_taken_when_one_bucket_is_short),
        TEST(what_others_used_counts_until_the_window_ends),
        TEST(an_older_answer_does_not_give_units_back),
        TEST(the_stated_capacity_replaces_the_documented_one),
        TEST(a_daily_budget_ends_when_the_crm_says),
        TEST(an_empty_daily_budget_of_unknown_end_is_probed),
        TEST(a_penalty_holds_back_everything),
        TEST(a_call_dearer_than_the_bucket_goes_when_it_is_full),
        TEST(wall_clock_steps_change_nothing),
        TEST(backoff_is_uniform_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
