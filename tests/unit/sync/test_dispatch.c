/* Whose turn it is, in virtual time: order, fairness, back-off, schedules, orders of a person. */
#include "tests/expect.h"

#include "sync/dispatch.h"

enum { NOW_MS = 1000000, KINDS = 2, SEED = 11 };
#define WALL_MS INT64_C(1763700000000)

struct fixture {
    struct random *random;
    struct dispatch *dispatch;
    struct schedule schedule;
    const struct schedule *schedules[KINDS];
    struct str kinds[KINDS];
    char names[32][8]; /* of places, by number */
    int64_t now_ms;
};

static void begin(struct fixture *f, int workers, int64_t every_ms)
{
    *f = (struct fixture){.random = random_new_seeded(SEED), .now_ms = NOW_MS};
    f->dispatch = dispatch_new(f->random, workers);
    if (every_ms) {
        f->schedule.at[SCHEDULE_PULL].cron =
            (struct cron){.form = CRON_EVERY, .every_ms = every_ms};
    }
    f->schedules[0] = f->schedules[1] = &f->schedule;
    f->kinds[0] = STR("company");
    f->kinds[1] = STR("contact");
}

static size_t add(struct fixture *f, int64_t tenant_id, const char *name)
{
    const struct dispatch_place place = {.tenant_id = tenant_id,
                                         .tenant = STR("t"),
                                         .connection = str_of(name),
                                         .kinds_count = KINDS,
                                         .schedules = f->schedules,
                                         .kinds = f->kinds,
                                         .writes = true};

    return dispatch_add(f->dispatch, &place, NULL);
}

static const char *numbered(struct fixture *f, int number)
{
    snprintf(f->names[number], sizeof f->names[number], "n%d", number);
    return f->names[number];
}

static void end(struct fixture *f)
{
    dispatch_free(f->dispatch);
    random_free(f->random);
}

static bool next(struct fixture *f, struct turn *ret)
{
    int64_t wait_ms;

    return dispatch_next(f->dispatch, f->now_ms, WALL_MS + f->now_ms, ret, &wait_ms);
}

static int64_t wait_of(struct fixture *f)
{
    struct turn turn;
    int64_t wait_ms = 0;

    EXPECT(!dispatch_next(f->dispatch, f->now_ms, WALL_MS + f->now_ms, &turn, &wait_ms),
           "nothing was to be due, but place %zu is", turn.place);
    return wait_ms;
}

static const struct turn_end WELL = {.journal_seen = 1};

static void done(struct fixture *f, const struct turn *turn)
{
    dispatch_end(f->dispatch, turn, &WELL, f->now_ms);
}

/* Takes turns until nothing is due. */
static int rest(struct fixture *f)
{
    struct turn turn;
    int turns = 0;

    while (next(f, &turn)) {
        done(f, &turn);
        EXPECT(++turns < 1000, "it comes to no rest");
    }
    return turns;
}

static void everything_is_due_at_the_start_then_by_the_schedule(void **state)
{
    struct fixture f;
    struct turn turn;
    unsigned kinds = 0;

    (void)state;
    begin(&f, 2, 5000);
    add(&f, 1, "a");
    for (int i = 0; next(&f, &turn); i++) {
        kinds |= turn.type == TURN_PULL ? 1U << turn.kind : 0;
        done(&f, &turn);
    }
    EXPECT(kinds == 3, "both kinds are listed");
    assert_int_equal(wait_of(&f), 5000);
    f.now_ms += 4999;
    assert_int_equal(wait_of(&f), 1);
    f.now_ms += 1;
    EXPECT(next(&f, &turn) && turn.type == TURN_PULL && turn.kind == 0, "the first kind again");
    EXPECT(turn.after_journal == 0 || turn.type == TURN_PULL, "a listing");
    done(&f, &turn);
    end(&f);
}

static void one_worker_at_a_time_serves_a_place(void **state)
{
    struct fixture f;
    struct turn a, b, none;

    (void)state;
    begin(&f, 8, 0);
    add(&f, 1, "a");
    add(&f, 1, "b");
    EXPECT(next(&f, &a) && next(&f, &b) && a.place != b.place, "two places");
    EXPECT(!next(&f, &none), "both are busy");
    dispatch_arrived(f.dispatch, a.place, f.now_ms);
    f.now_ms += 1000;
    EXPECT(!next(&f, &none), "still busy, whatever comes in");
    done(&f, &a);
    EXPECT(next(&f, &none) && none.place == a.place, "what came in meanwhile is next");
    end(&f);
}

static void events_wait_a_moment_for_each_other(void **state)
{
    struct fixture f;
    struct turn turn;

    (void)state;
    begin(&f, 2, 0);
    add(&f, 1, "a");
    rest(&f);
    dispatch_arrived(f.dispatch, 0, f.now_ms);
    EXPECT(!next(&f, &turn), "not at once");
    f.now_ms += 60;
    dispatch_arrived(f.dispatch, 0, f.now_ms); /* does not push it back */
    f.now_ms += 40;
    EXPECT(next(&f, &turn) && turn.type == TURN_FLOW, "the moment is over");
    EXPECT(turn.after_journal == 1, "creates go on where they were");
    end(&f);
}

static void a_change_here_is_everybody_elses_work(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct turn_end changed = {.changed_here = true, .journal_seen = 2};
    bool seen[3] = {false};

    (void)state;
    begin(&f, 2, 0);
    add(&f, 1, "a");
    add(&f, 1, "b");
    add(&f, 2, "foreign");
    rest(&f);
    dispatch_arrived(f.dispatch, 0, f.now_ms);
    f.now_ms += 100;
    EXPECT(next(&f, &turn) && turn.place == 0, "a");
    dispatch_end(f.dispatch, &turn, &changed, f.now_ms);
    while (next(&f, &turn)) {
        seen[turn.place] = true;
        done(&f, &turn);
    }
    EXPECT(!seen[0] && seen[1] && !seen[2], "only b");
    end(&f);
}

static void quick_work_goes_before_listings_but_not_for_ever(void **state)
{
    struct fixture f;
    struct turn turn;
    int flows = 0, pulls = 0;

    (void)state;
    begin(&f, 1, 1000000);
    add(&f, 1, "a");
    add(&f, 1, "b");
    while (pulls == 0) { /* a is never at rest */
        dispatch_arrived(f.dispatch, 0, f.now_ms - 100);
        EXPECT(next(&f, &turn), "a turn");
        flows += turn.type == TURN_FLOW;
        pulls += turn.type == TURN_PULL;
        done(&f, &turn);
        f.now_ms += 10;
        EXPECT(flows < 10, "listings starve");
    }
    EXPECT(flows >= 2, "quick work first");
    end(&f);
}

static void tenants_share_alike(void **state)
{
    struct fixture f;
    struct turn turn;
    int64_t served_ms[3] = {0};

    (void)state;
    begin(&f, 1, 0);
    for (int i = 0; i < 20; i++) {
        add(&f, i < 19 ? 1 : 2, numbered(&f, i)); /* the second tenant has one connection */
    }
    rest(&f);
    for (int i = 0; i < 400; i++) {
        for (size_t place = 0; place < 20; place++) {
            dispatch_arrived(f.dispatch, place, f.now_ms - 200);
        }
        EXPECT(next(&f, &turn), "a turn");
        f.now_ms += 10;
        served_ms[turn.place < 19 ? 1 : 2] += 10;
        done(&f, &turn);
    }
    printf("fault=noisy-tenant connections=19 beside=1 beside_percent=%lld\n",
           (long long)(100 * served_ms[2] / (served_ms[1] + served_ms[2])));
    EXPECT(served_ms[2] * 4 > served_ms[1] * 2, "the small tenant got %lld of %lld ms",
           (long long)served_ms[2], (long long)(served_ms[1] + served_ms[2]));
    end(&f);
}

/* Opening a session costs calls. */
static void the_kinds_of_a_place_are_listed_one_after_the_other(void **state)
{
    enum { PLACES = 12 };
    struct fixture f;
    struct turn turn = {0};
    size_t before = SIZE_MAX;
    int lists = 0, moves = 0;

    (void)state;
    begin(&f, 1, 60000);
    for (int i = 0; i < PLACES; i++) {
        add(&f, i + 1, numbered(&f, i)); /* a tenant each, so that another was served least */
    }
    while (next(&f, &turn)) {
        f.now_ms += 10;
        done(&f, &turn);
        if (turn.type == TURN_PULL) {
            lists++;
            moves += turn.place != before;
            before = turn.place;
        }
    }
    EXPECT(lists == PLACES * KINDS, "%d listings", lists);
    /* every fourth turn goes to who waits longest */
    EXPECT(moves <= PLACES * 3 / 2, "%d times to another place", moves);
    end(&f);
}

static void trouble_is_left_alone_for_a_growing_while(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct turn_end failed = {.failed = FAIL_RETRY};
    int64_t before_ms, longest_ms = 0;

    (void)state;
    begin(&f, 4, 0);
    add(&f, 1, "a");
    rest(&f);
    dispatch_arrived(f.dispatch, 0, f.now_ms);
    for (int i = 0; i < 12; i++) {
        before_ms = f.now_ms;
        while (!next(&f, &turn)) {
            f.now_ms += wait_of(&f);
        }
        longest_ms = f.now_ms - before_ms > longest_ms ? f.now_ms - before_ms : longest_ms;
        dispatch_end(f.dispatch, &turn, &failed, f.now_ms);
        EXPECT(wait_of(&f) >= 1000, "a second at least");
    }
    EXPECT(longest_ms > 10000 && longest_ms <= 301000, "waited %lld ms", (long long)longest_ms);
    dispatch_revive(f.dispatch, 0, f.now_ms);
    EXPECT(next(&f, &turn), "revived: at once");
    end(&f);
}

static void the_troubled_do_not_take_all_workers(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct turn_end failed = {.failed = FAIL_RETRY};
    int troubled = 0;

    (void)state;
    begin(&f, 4, 0);
    for (int i = 0; i < 8; i++) {
        add(&f, 1, numbered(&f, i));
    }
    while (next(&f, &turn)) { /* the first six do not answer */
        dispatch_end(f.dispatch, &turn, turn.place < 6 ? &failed : &WELL, f.now_ms);
    }
    f.now_ms += 10000;
    for (size_t i = 0; i < 8; i++) {
        dispatch_arrived(f.dispatch, i, f.now_ms - 5000);
    }
    while (next(&f, &turn)) { /* nobody ends */
        troubled += turn.is_troubled;
    }
    assert_int_equal(troubled, 1);
    EXPECT(dispatch_state_of(f.dispatch, 6, f.now_ms).is_busy &&
               dispatch_state_of(f.dispatch, 7, f.now_ms).is_busy,
           "the well ones are served");
    end(&f);
}

static void an_order_ends_when_all_of_it_is_through(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct dispatch_order order = {.tenant_id = 1, .pull = true, .push = true, .full = true};
    const struct turn_end changed = {.changed_here = true, .journal_seen = 3};
    int64_t number;
    int pulls = 0;

    (void)state;
    begin(&f, 2, 0);
    add(&f, 1, "a");
    add(&f, 1, "b");
    add(&f, 2, "foreign");
    rest(&f);
    number = dispatch_order(f.dispatch, &order, f.now_ms);
    EXPECT(number > 0 && !dispatch_order_is_done(f.dispatch, number), "under way");
    EXPECT(dispatch_order_covers(f.dispatch, number, 0) &&
               !dispatch_order_covers(f.dispatch, number, 2),
           "its own tenant");
    while (next(&f, &turn)) {
        EXPECT(turn.is_asked && turn.place < 2, "asked for");
        EXPECT(!dispatch_order_is_done(f.dispatch, number), "not while one runs");
        pulls += turn.type == TURN_PULL;
        EXPECT(turn.type != TURN_PULL || turn.full, "complete");
        dispatch_end(f.dispatch, &turn, pulls == 1 ? &changed : &WELL, f.now_ms);
    }
    assert_int_equal(pulls, 2 * KINDS);
    EXPECT(dispatch_order_is_done(f.dispatch, number), "done");
    EXPECT(dispatch_order(f.dispatch,
                          &(const struct dispatch_order){.tenant_id = 1, .connection = STR("x")},
                          f.now_ms) == 0,
           "nobody of that name");
    end(&f);
}

static struct dispatch_order comparison(const char *kind, bool repairs)
{
    return (struct dispatch_order){.tenant_id = 1,
                                   .connection = STR("a"),
                                   .kind = str_of(kind),
                                   .compares = true,
                                   .repairs = repairs};
}

static void a_comparison_is_one_of_the_kinds_that_were_named(void **state)
{
    struct fixture f;
    struct turn turn;
    int64_t order;

    (void)state;
    begin(&f, 4, 0);
    add(&f, 1, "a");
    add(&f, 1, "b");
    rest(&f);
    const struct dispatch_order wish = comparison("contact", true);
    order = dispatch_order(f.dispatch, &wish, f.now_ms);
    EXPECT(next(&f, &turn) && turn.type == TURN_TASK && turn.kind == 1 && turn.place == 0,
           "contacts of a are compared");
    EXPECT(turn.is_asked && turn.is_slow && !turn.only_compares, "and marked; it takes its time");
    EXPECT(!dispatch_order_is_done(f.dispatch, order), "under way");
    done(&f, &turn);
    EXPECT(dispatch_order_is_done(f.dispatch, order), "through");
    EXPECT(next(&f, &turn) && turn.type == TURN_FLOW && !turn.is_asked, "what it marked is read");
    done(&f, &turn);
    assert_int_equal(rest(&f), 0);
    end(&f);
}

static void a_comparison_goes_before_listings_that_nobody_asked_for(void **state)
{
    struct fixture f;
    struct turn turn;

    (void)state;
    begin(&f, 1, 5000);
    add(&f, 1, "a");
    rest(&f);
    f.now_ms += 5000;
    const struct dispatch_order wish = comparison("", false);
    dispatch_order(f.dispatch, &wish, f.now_ms);
    for (size_t kind = 0; kind < KINDS; kind++) {
        EXPECT(next(&f, &turn) && turn.type == TURN_TASK && turn.kind == kind && turn.only_compares,
               "all kinds are compared");
        done(&f, &turn);
    }
    EXPECT(next(&f, &turn) && turn.type == TURN_PULL && !turn.only_compares, "then the listings");
    done(&f, &turn);
    end(&f);
}

/* What leaves no marks is no reconciliation of the schedule. */
static void a_comparison_alone_does_not_count_for_the_schedule(void **state)
{
    for (int repairs = 0; repairs <= 1; repairs++) {
        struct fixture f;
        struct turn turn;

        begin(&f, 1, 0);
        f.schedule.at[SCHEDULE_RECONCILE].cron =
            (struct cron){.form = CRON_EVERY, .every_ms = 60000};
        add(&f, 1, "a");
        rest(&f);
        f.now_ms += 50000;
        const struct dispatch_order wish = comparison("", repairs);
        dispatch_order(f.dispatch, &wish, f.now_ms);
        rest(&f);
        f.now_ms += 10000;
        EXPECT(next(&f, &turn) == !repairs, "due unless it was repaired meanwhile");
        if (!repairs) {
            EXPECT(turn.type == TURN_TASK && !turn.only_compares && !turn.is_asked,
                   "the schedule's");
            done(&f, &turn);
        }
        end(&f);
    }
    (void)state;
}

static void a_wish_during_a_listing_is_for_another_one(void **state)
{
    struct fixture f;
    struct turn turn;
    int64_t order;
    const struct dispatch_order wishes[] = {
        comparison("company", false),
        {.tenant_id = 1, .connection = STR("a"), .kind = STR("company"), .pull = true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        begin(&f, 1, 5000);
        f.schedule.at[SCHEDULE_RECONCILE].cron =
            (struct cron){.form = CRON_EVERY, .every_ms = 5000};
        add(&f, 1, "a");
        while (next(&f, &turn) && (turn.type != (i ? TURN_PULL : TURN_TASK) || turn.kind)) {
            done(&f, &turn);
        }
        order = dispatch_order(f.dispatch, &wishes[i], f.now_ms);
        done(&f, &turn);
        EXPECT(!dispatch_order_is_done(f.dispatch, order),
               "it was asked for while that was going on");
        while (next(&f, &turn) && turn.type == TURN_FLOW && !turn.is_asked) {
            done(&f, &turn);
        }
        EXPECT(turn.is_asked && turn.type == (i ? TURN_PULL : TURN_TASK) && turn.kind == 0,
               "again");
        done(&f, &turn);
        rest(&f);
        EXPECT(dispatch_order_is_done(f.dispatch, order), "through");
        end(&f);
    }
}

static void a_failed_comparison_is_forgotten(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct turn_end failed = {.failed = FAIL_AUTH};
    const struct dispatch_order wish = comparison("", false);
    int64_t order;

    (void)state;
    begin(&f, 1, 0);
    add(&f, 1, "a");
    rest(&f);
    order = dispatch_order(f.dispatch, &wish, f.now_ms);
    EXPECT(next(&f, &turn) && turn.type == TURN_TASK, "it begins");
    dispatch_end(f.dispatch, &turn, &failed, f.now_ms);
    EXPECT(dispatch_order_is_done(f.dispatch, order), "and is over");
    f.now_ms += 1000000;
    EXPECT(!next(&f, &turn), "nobody waits for it");
    end(&f);
}

static void a_failed_order_ends_too(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct dispatch_order order = {
        .tenant_id = 1, .connection = STR("a"), .kind = STR("contact"), .pull = true};
    const struct turn_end failed = {.failed = FAIL_AUTH};
    int64_t number;

    (void)state;
    begin(&f, 2, 0);
    add(&f, 1, "a");
    rest(&f);
    number = dispatch_order(f.dispatch, &order, f.now_ms);
    while (next(&f, &turn)) {
        EXPECT(turn.type != TURN_PULL || turn.kind == 1, "only that kind");
        dispatch_end(f.dispatch, &turn, &failed, f.now_ms);
    }
    EXPECT(dispatch_order_is_done(f.dispatch, number), "it failed, and is over");
    end(&f);
}

static void a_turn_that_was_cut_goes_on(void **state)
{
    struct fixture f;
    struct turn turn;
    const struct turn_end more = {.has_more = true};
    const struct turn_end later = {.come_back_ms = 7000};

    (void)state;
    begin(&f, 1, 1000000);
    add(&f, 1, "a");
    while (next(&f, &turn) && turn.type != TURN_PULL) {
        done(&f, &turn);
    }
    dispatch_end(f.dispatch, &turn, &more, f.now_ms);
    EXPECT(next(&f, &turn) && turn.type == TURN_PULL && turn.kind == 0, "the same listing");
    dispatch_end(f.dispatch, &turn, &later, f.now_ms);
    assert_int_equal(wait_of(&f), 7000);
    f.now_ms += 7000;
    EXPECT(next(&f, &turn) && turn.type == TURN_PULL && turn.kind == 0, "when the limit allows");
    done(&f, &turn);
    end(&f);
}

static void a_clock_that_is_set_back_does_not_stop_schedules(void **state)
{
    struct fixture f;
    struct turn turn;
    int64_t wait_ms;

    (void)state;
    begin(&f, 1, 5000);
    add(&f, 1, "a");
    rest(&f);
    f.now_ms += 10;
    EXPECT(dispatch_next(f.dispatch, f.now_ms, WALL_MS - 3600000, &turn, &wait_ms),
           "due although the clock says it is an hour earlier");
    end(&f);
}

static void a_new_configuration_keeps_what_was_done(void **state)
{
    struct fixture f;
    struct dispatch *old;
    const struct dispatch_place place = {.tenant_id = 1,
                                         .tenant = STR("t"),
                                         .connection = STR("a"),
                                         .kinds_count = KINDS,
                                         .writes = true};
    struct dispatch_place again = place;
    struct turn turn;

    (void)state;
    begin(&f, 1, 100000);
    add(&f, 1, "a");
    rest(&f);
    old = f.dispatch;
    f.dispatch = dispatch_new(f.random, 1);
    again.schedules = f.schedules;
    again.kinds = f.kinds;
    dispatch_add(f.dispatch, &again, old);
    dispatch_free(old);
    EXPECT(next(&f, &turn) && turn.type == TURN_FLOW, "one look at what waits");
    done(&f, &turn);
    EXPECT(wait_of(&f) > 0, "and no listing before its time");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_due_at_the_start_then_by_the_schedule),
        cmocka_unit_test(one_worker_at_a_time_serves_a_place),
        cmocka_unit_test(events_wait_a_moment_for_each_other),
        cmocka_unit_test(a_change_here_is_everybody_elses_work),
        cmocka_unit_test(quick_work_goes_before_listings_but_not_for_ever),
        cmocka_unit_test(tenants_share_alike),
        cmocka_unit_test(the_kinds_of_a_place_are_listed_one_after_the_other),
        cmocka_unit_test(trouble_is_left_alone_for_a_growing_while),
        cmocka_unit_test(the_troubled_do_not_take_all_workers),
        cmocka_unit_test(an_order_ends_when_all_of_it_is_through),
        cmocka_unit_test(a_comparison_is_one_of_the_kinds_that_were_named),
        cmocka_unit_test(a_comparison_goes_before_listings_that_nobody_asked_for),
        cmocka_unit_test(a_comparison_alone_does_not_count_for_the_schedule),
        cmocka_unit_test(a_wish_during_a_listing_is_for_another_one),
        cmocka_unit_test(a_failed_comparison_is_forgotten),
        cmocka_unit_test(a_failed_order_ends_too),
        cmocka_unit_test(a_turn_that_was_cut_goes_on),
        cmocka_unit_test(a_clock_that_is_set_back_does_not_stop_schedules),
        cmocka_unit_test(a_new_configuration_keeps_what_was_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
