/* API calls by day and by run; a person's selection of records. */
#include "tests/unit/store/fixture.h"

#include "store/selection.h"
#include "store/usage.h"

static int64_t run_with(struct fixture *f, int64_t calls, int64_t updated, const char *message)
{
    struct store_usage usage = {
        .connection_id = f->connection_id, .lane = 2, .calls = calls, .units = 10 * calls};
    struct run_counts counts = {.updated_there = updated, .read = 7};
    int64_t id;

    MUST(f, run_begin(f->tx, STR("sync"), &id, &f->err));
    MUST(f, usage_add(f->tx, &usage, id, START_MS, &f->err));
    MUST(f, run_end(f->tx, id, RUN_DONE, str_of(message), &counts, &f->err));
    return id;
}

static void calls_add_up_by_day_and_run(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct usage_average quiet;
    struct store_usage *rows;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    run_with(&f, 4, 0, "");
    run_with(&f, 100, 1, "");           /* it wrote */
    run_with(&f, 50, 0, "ended early"); /* it did not read everything */
    run_with(&f, 6, 0, "");
    MUST(&f, usage_of_day(f.tx, START_MS, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "one lane");
    EXPECT_I64(rows[0].calls, 160, "calls of the day");
    EXPECT_I64(rows[0].units, 1600, "units of the day");
    EXPECT_I64(rows[0].lane, 2, "lane");
    MUST(&f, usage_of_day(f.tx, START_MS + USAGE_DAY_MS, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 0, "another day");
    MUST(&f, usage_of_quiet_runs(f.tx, f.connection_id, STR("sync"), 10, &quiet, &f.err));
    EXPECT_I64(quiet.runs, 2, "quiet ones");
    EXPECT_I64(quiet.calls, 10, "their calls");
    EXPECT_I64(quiet.units, 100, "their units");
    MUST(&f, usage_of_quiet_runs(f.tx, f.connection_id, STR("sync"), 1, &quiet, &f.err));
    EXPECT_I64(quiet.calls, 6, "the newest first");
    MUST(&f, usage_of_quiet_runs(f.tx, f.connection_id, STR("plan"), 10, &quiet, &f.err));
    EXPECT_I64(quiet.runs, 0, "another command");
}

static void a_selection_is_one_word_for_each_record_and_connection(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record record = {.uuid = STR("00000000-0000-7000-8000-000000000001"),
                                  .kind = STR("contact")};
    struct store_selection selection = {.mode = SELECTION_PIN, .set_ms = 5}, *rows;
    enum selection_mode mode;
    int64_t number;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, record_insert(f.tx, &record, NULL, 0, &f.err));
    selection.record_id = record.id;
    selection.connection_id = f.connection_id;
    MUST(&f, selection_put(f.tx, &selection, &f.err));
    selection.mode = SELECTION_EXCLUDE;
    MUST(&f, selection_put(f.tx, &selection, &f.err));
    MUST(&f, selection_find(f.tx, f.connection_id, record.id, &mode, &found, &f.err));
    assert_true(found);
    assert_int_equal(mode, SELECTION_EXCLUDE);
    selection.connection_id = fixture_connection(&f, "other");
    selection.mode = SELECTION_INCLUDE;
    MUST(&f, selection_put(f.tx, &selection, &f.err));
    MUST(&f, selections_of_record(f.tx, record.id, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "of the record");
    MUST(&f, selection_count(f.tx, 0, &number, &f.err));
    EXPECT_I64(number, 2, "in all");
    MUST(&f, selection_count(f.tx, f.connection_id, &number, &f.err));
    EXPECT_I64(number, 1, "of one connection");
    MUST(&f, selection_remove(f.tx, f.connection_id, record.id, &found, &f.err));
    assert_true(found);
    MUST(&f, selection_remove(f.tx, f.connection_id, record.id, &found, &f.err));
    assert_false(found);
    assert_string_equal(selection_mode_name(SELECTION_PIN), "pin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_add_up_by_day_and_run),
        cmocka_unit_test(a_selection_is_one_word_for_each_record_and_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
