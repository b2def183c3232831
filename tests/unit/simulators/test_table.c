/* The record table and the limits that all simulators stand on. */
#include "simulators/inside.h" /* before cmocka, whose macro fail() takes the word of enum fail (*f)() */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { RECORDS = 500, TOUCHES = 20000 };

static void records_are_found_by_id(void **state)
{
    struct sim_table table = {0};
    struct sim_record records[RECORDS] = {0};

    (void)state;
    for (int i = 0; i < RECORDS; i++) {
        records[i].id = 10 + 3 * i;
        sim_table_add(&table, &records[i]);
    }
    assert_ptr_equal(sim_table_get(&table, 10), &records[0]);
    assert_ptr_equal(sim_table_get(&table, 10 + 3 * (RECORDS - 1)), &records[RECORDS - 1]);
    assert_null(sim_table_get(&table, 11));
    assert_null(sim_table_get(&table, 0));
    assert_int_equal(sim_table_from(&table, 11), 1);
    assert_int_equal(sim_table_from(&table, 1000000), RECORDS);
    sim_table_fini(&table);
}

/* Every record once, in order of (modified, id), whatever happened before; against the plain definition. */
static void check_walk(struct sim_table *table, const struct sim_record *records, int64_t since_ms)
{
    const struct sim_record *last = NULL;
    size_t met = 0, expected = 0;

    for (size_t i = sim_table_since(table, since_ms); i < table->marks_count; i++) {
        const struct sim_record *record = sim_table_marked(table, i);

        if (!record) {
            continue;
        }
        assert_true(record->modified_ms >= since_ms);
        assert_true(!last || last->modified_ms <= record->modified_ms);
        last = record;
        met++;
    }
    for (int i = 0; i < RECORDS; i++) {
        expected += records[i].modified_ms >= since_ms;
    }
    assert_int_equal(met, expected);
}

static void a_walk_since_a_time_meets_every_changed_record_once(void **state)
{
    struct sim_table table = {0};
    static struct sim_record records[RECORDS];
    struct random *random = random_new_seeded(11);

    (void)state;
    for (int i = 0; i < RECORDS; i++) {
        records[i] =
            (struct sim_record){.id = i + 1, .modified_ms = (int64_t)random_below(random, 1000)};
        sim_table_add(&table, &records[i]);
    }
    check_walk(&table, records, 0);
    check_walk(&table, records, 500);
    for (int i = 0; i < TOUCHES; i++) {
        int64_t modified_ms = i % 7 ? 1000 + i : (int64_t)random_below(random, 1000);

        sim_table_touch(&table, &records[random_below(random, RECORDS)], modified_ms);
        if (i % 997 == 0) {
            check_walk(&table, records, i);
        }
    }
    assert_true(table.marks_count <= 2 * RECORDS + 1024);
    sim_table_fini(&table);
    random_free(random);
}

static void a_window_rolls(void **state)
{
    struct sim_window window;

    (void)state;
    sim_window_init(&window, 100, 1000);
    assert_true(sim_window_take(&window, 0, 60));
    assert_true(sim_window_take(&window, 500, 40));
    assert_false(sim_window_take(&window, 999, 1));
    assert_int_equal(sim_window_left(&window, 999), 0);
    assert_int_equal(sim_window_reset_ms(&window, 999), 1);
    assert_true(sim_window_take(&window, 1000, 60));
    assert_false(sim_window_take(&window, 1499, 1));
    assert_true(sim_window_take(&window, 1500, 40));
    for (int64_t now_ms = 10000; now_ms < 300000; now_ms++) { /* the ring grows and turns */
        assert_true(sim_window_take(&window, now_ms * 10, 1));
    }
    sim_window_fini(&window);
    sim_window_init(&window, 0, 1000);
    assert_true(sim_window_take(&window, 0, 1000000));
    sim_window_fini(&window);
}

static void a_daily_budget_turns_at_local_midnight(void **state)
{
    static const int64_t HOUR_MS = 3600000, NOON_MS = 12 * 3600000LL;
    struct sim_daily daily = {.capacity = 10, .utc_offset_ms = -5 * HOUR_MS};

    (void)state;
    assert_true(sim_daily_take(&daily, NOON_MS, 10));
    assert_false(
        sim_daily_take(&daily, NOON_MS + 16 * HOUR_MS, 1)); /* 23:00 there, past midnight in UTC */
    assert_int_equal(sim_daily_reset_ms(&daily, NOON_MS + 16 * HOUR_MS), HOUR_MS);
    assert_true(sim_daily_take(&daily, NOON_MS + 17 * HOUR_MS, 1));
    assert_int_equal(sim_daily_left(&daily, NOON_MS + 17 * HOUR_MS), 9);
}

static void json_text_is_escaped(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1000);
    sim_put_text(&text, STR("a\"b\\c\n\t\x01é"));
    sim_put_text(&text, STR_NONE);
    sim_put_i64(&text, INT64_MIN);
    sim_put_i64(&text, 0);
    assert_string_equal(text.at, "\"a\\\"b\\\\c\\n\\t\\u0001é\"null-92233720368547758080");
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found_by_id),
        cmocka_unit_test(a_walk_since_a_time_meets_every_changed_record_once),
        cmocka_unit_test(a_window_rolls),
        cmocka_unit_test(a_daily_budget_turns_at_local_midnight),
        cmocka_unit_test(json_text_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
