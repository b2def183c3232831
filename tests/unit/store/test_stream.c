/* Connections, streams with their leases, dirty marks, the inbox, runs. */
#include "tests/unit/store/fixture.h"

/* --- connections --------------------------------------------------------------------------------------------- */

static struct store_connection connection_now(struct fixture *f, int64_t id)
{
    struct store_connection row = {0};
    bool found;

    MUST(f, connection_by_id(f->tx, id, &f->arena, &row, &found, &f->err));
    EXPECT(found, "connection %lld", (long long)id);
    return row;
}

static void a_connection_keeps_its_state_between_runs(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_connection row, *rows;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    row = connection_now(&f, f.connection_id);
    EXPECT_STR(row.name, STR("main"), "name");
    EXPECT_STR(row.adapter, STR("hubspot"), "adapter");
    EXPECT_STR(row.account_id, STR(""), "before the first check");
    EXPECT_I64(row.state, CONNECTION_ACTIVE, "state");
    EXPECT_I64(fixture_connection(&f, "main"), f.connection_id, "made once");
    MUST_FAIL(&f, connection_ensure(f.tx, STR("main"), STR("pipedrive"), &f.arena, &row, &f.err),
              FAIL_CONFIG);

    clock_wait_ms(f.env.clock, 10);
    MUST(&f, connection_state_set(f.tx, f.connection_id, CONNECTION_STOPPED, STR("why"), &f.err));
    MUST(&f, connection_account_set(f.tx, f.connection_id, STR("77"), STR("Acme"), &f.err));
    MUST(&f, connection_clock_set(f.tx, f.connection_id, -1500, &f.err));
    row = connection_now(&f, f.connection_id);
    EXPECT_I64(row.state, CONNECTION_STOPPED, "state");
    EXPECT_STR(row.reason, STR("why"), "reason");
    EXPECT_STR(row.account_id, STR("77"), "account_id");
    EXPECT_STR(row.account_title, STR("Acme"), "account_title");
    EXPECT_I64(row.clock_offset_ms, -1500, "clock_offset_ms");
    EXPECT_I64(row.changed_ms, START_MS + 10, "changed_ms");

    fixture_connection(&f, "alpha");
    MUST(&f, connection_list(f.tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "listed");
    EXPECT_STR(rows[0].name, STR("alpha"), "by name");
    MUST(&f, connection_by_name(f.tx, STR("nobody"), &f.arena, &row, &found, &f.err));
    assert_false(found);
    MUST_FAIL(&f, connection_clock_set(f.tx, 4711, 1, &f.err), FAIL_BUG);
    MUST_FAIL(&f, connection_account_set(f.tx, 4711, STR("1"), STR("x"), &f.err), FAIL_BUG);
    MUST_FAIL(&f, connection_state_set(f.tx, 4711, CONNECTION_ACTIVE, STR(""), &f.err), FAIL_BUG);
}

static void state_words_are_stable(void **state)
{
    (void)state;
    assert_string_equal(connection_state_name(CONNECTION_ACTIVE), "active");
    assert_string_equal(connection_state_name(CONNECTION_NEEDS_AUTH), "needs-auth");
    assert_string_equal(connection_state_name(CONNECTION_STOPPED), "stopped");
    assert_string_equal(link_state_name(LINK_UNLINKED), "unlinked");
    assert_string_equal(record_state_name(RECORD_MERGED), "merged");
    assert_string_equal(journal_cause_name(CAUSE_RESTORE), "restore");
    assert_string_equal(run_state_name(RUN_INTERRUPTED), "interrupted");
}

static enum fail put_generation(struct fixture *f, struct str blob, int64_t generation)
{
    struct store_secret secret = {.connection_id = f->connection_id,
                                  .name = STR("token"),
                                  .blob = blob,
                                  .generation = generation};

    return secret_put(f->tx, &secret, &f->err);
}

static void a_secret_is_replaced_only_by_the_next_generation(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_secret row;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, secret_find(f.tx, f.connection_id, STR("token"), &f.arena, &row, &found, &f.err));
    assert_false(found);
    EXPECT_I64(row.generation, 0, "there never was one");
    MUST(&f, put_generation(&f, STR("a\0b"), 1));
    clock_wait_ms(f.env.clock, 5);
    MUST(&f, put_generation(&f, STR("c\0d"), 2));
    MUST_FAIL(&f, put_generation(&f, STR("e"), 2), FAIL_STALE);
    MUST_FAIL(&f, put_generation(&f, STR("e"), 4), FAIL_STALE);
    MUST(&f, secret_find(f.tx, f.connection_id, STR("token"), &f.arena, &row, &found, &f.err));
    assert_true(found && str_equal(row.blob, STR("c\0d")));
    EXPECT_I64(row.generation, 2, "generation");
    EXPECT_I64(row.sealed_ms, START_MS + 5, "when");
}

static void a_removed_secret_leaves_its_generation(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_secret row, *rows;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, put_generation(&f, STR("a"), 1));
    MUST(&f, secret_remove(f.tx, f.connection_id, STR("token"), &found, &f.err));
    assert_true(found);
    MUST(&f, secret_remove(f.tx, f.connection_id, STR("token"), &found, &f.err));
    assert_false(found);
    MUST(&f, secret_find(f.tx, f.connection_id, STR("token"), &f.arena, &row, &found, &f.err));
    assert_false(found);
    EXPECT_I64(row.generation, 2, "rises with the removal");
    MUST(&f, secret_list(f.tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 0, "listed");
    MUST_FAIL(&f, put_generation(&f, STR("b"), 1), FAIL_STALE);
    MUST_FAIL(&f, put_generation(&f, STR("b"), 2), FAIL_STALE);
    MUST(&f, put_generation(&f, STR("b"), 3));
    MUST(&f, secret_list(f.tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "listed again");
}

static void one_data_key_is_active(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_data_key row, *rows;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, data_key_find(f.tx, STR(""), &f.arena, &row, &found, &f.err));
    assert_false(found);
    MUST(&f, data_key_add(f.tx, STR("one"), STR("w1"), &f.err));
    clock_wait_ms(f.env.clock, 7);
    MUST(&f, data_key_add(f.tx, STR("two"), STR("w2"), &f.err));
    MUST(&f, data_key_use(f.tx, STR("two"), &f.err));
    MUST(&f, data_key_use(f.tx, STR("two"), &f.err));
    MUST_FAIL(&f, data_key_use(f.tx, STR("three"), &f.err), FAIL_BUG);
    MUST(&f, data_key_find(f.tx, STR(""), &f.arena, &row, &found, &f.err));
    assert_true(found && str_equal(row.id, STR("two")) && str_equal(row.wrapped, STR("w2")));
    EXPECT_I64(row.uses, 2, "uses");
    EXPECT_I64(row.created_ms, START_MS + 7, "made");
    MUST(&f, data_key_find(f.tx, STR("one"), &f.arena, &row, &found, &f.err));
    EXPECT_I64(row.retired_ms, START_MS + 7, "the one before is retired");
    MUST(&f, data_key_list(f.tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "listed");
    MUST(&f, data_key_remove(f.tx, STR("one"), &f.err));
    MUST_FAIL(&f, data_key_remove(f.tx, STR("one"), &f.err), FAIL_BUG);
}

/* --- streams ------------------------------------------------------------------------------------------------- */

static struct store_stream make_stream(struct fixture *f)
{
    struct store_stream stream;

    MUST(f, stream_ensure(f->tx, f->connection_id, STR("contact"), &f->arena, &stream, &f->err));
    return stream;
}

static bool claim(struct fixture *f, struct store_stream *stream, const char *owner, int64_t now_ms,
                  int64_t until_ms)
{
    bool is_claimed;

    MUST(f, stream_claim(f->tx, stream, &f->arena, str_of(owner), now_ms, until_ms, &is_claimed,
                         &f->err));
    return is_claimed;
}

static void a_lease_has_one_holder_and_a_rising_epoch(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_stream first, second;

    (void)state;
    fixture_begin_all(&f);
    first = second = make_stream(&f);
    assert_true(claim(&f, &first, "one", 1000, 2000));
    EXPECT_I64(first.epoch, 1, "epoch");
    EXPECT_STR(first.lease_owner, STR("one"), "owner");
    EXPECT_I64(first.lease_until_ms, 2000, "until");

    assert_false(claim(&f, &second, "two", 1999, 3000));
    EXPECT_STR(second.lease_owner, STR("one"), "the holder is shown");
    assert_true(claim(&f, &second, "two", 2000, 3000)); /* expired */
    EXPECT_I64(second.epoch, 2, "epoch");

    MUST_FAIL(&f, stream_save(f.tx, &first, &f.err), FAIL_CANCELLED);
    MUST_FAIL(&f, stream_release(f.tx, &first, &f.err), FAIL_CANCELLED);
    MUST(&f, stream_save(f.tx, &second, &f.err));
    MUST(&f, stream_release(f.tx, &second, &f.err));
    assert_true(claim(&f, &first, "one", 2001, 3000)); /* free */
    EXPECT_I64(first.epoch, 3, "epoch");
}

static void a_stream_keeps_its_position(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_stream stream, row, *rows;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    stream = make_stream(&f);
    assert_true(claim(&f, &stream, "one", 1000, 2000));
    stream.first_import_done = true;
    stream.cursor_all = STR("a");
    stream.cursor_changed = STR("b");
    stream.cursor_deleted = STR("c");
    stream.scan = 1;
    stream.scan_listed = 2;
    stream.scanned_ms = 3;
    stream.mapping_version = STR("m");
    stream.next_run_at_ms = 4;
    stream.failures_in_row = 5;
    stream.note = STR("n");
    stream.lease_until_ms = 6;
    MUST(&f, stream_save(f.tx, &stream, &f.err));
    row = make_stream(&f); /* finds the same one */
    EXPECT_I64(row.id, stream.id, "id");
    EXPECT_I64(row.first_import_done, true, "first_import_done");
    EXPECT_STR(row.cursor_all, STR("a"), "cursor_all");
    EXPECT_STR(row.cursor_changed, STR("b"), "cursor_changed");
    EXPECT_STR(row.cursor_deleted, STR("c"), "cursor_deleted");
    EXPECT_I64(row.scan, 1, "scan");
    EXPECT_I64(row.scan_listed, 2, "scan_listed");
    EXPECT_I64(row.scanned_ms, 3, "scanned_ms");
    EXPECT_STR(row.mapping_version, STR("m"), "mapping_version");
    EXPECT_I64(row.next_run_at_ms, 4, "next_run_at_ms");
    EXPECT_I64(row.failures_in_row, 5, "failures_in_row");
    EXPECT_STR(row.note, STR("n"), "note");
    EXPECT_I64(row.lease_until_ms, 6, "lease_until_ms");
    EXPECT_STR(row.lease_owner, STR("one"), "lease_owner");

    MUST(&f, stream_ensure(f.tx, f.connection_id, STR("company"), &f.arena, &row, &f.err));
    MUST(&f, stream_list(f.tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "listed");
    EXPECT_STR(rows[0].kind, STR("contact"), "in order");
}

/* --- hints --------------------------------------------------------------------------------------------------- */

static size_t list_marks(struct fixture *f, const char *kind, struct dirty_mark **ret)
{
    size_t count;

    MUST(f, dirty_list(f->tx, f->connection_id, str_of(kind), STR(""), 10, &f->arena, ret, &count,
                       &f->err));
    return count;
}

static void a_mark_set_during_a_read_survives_it(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct dirty_mark *marks, *again;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, dirty_put(f.tx, f.connection_id, STR("contact"), STR("1"), &f.err));
    MUST(&f, dirty_put(f.tx, f.connection_id, STR("contact"), STR("2"), &f.err));
    EXPECT_I64(list_marks(&f, "contact", &marks), 2, "marks");
    EXPECT_I64(list_marks(&f, "company", &again), 0, "another kind");

    MUST(&f, dirty_put(f.tx, f.connection_id, STR("contact"), STR("1"), &f.err));
    MUST(&f, dirty_clear(f.tx, f.connection_id, STR("contact"), &marks[0], &f.err));
    MUST(&f, dirty_clear(f.tx, f.connection_id, STR("contact"), &marks[1], &f.err));
    EXPECT_I64(list_marks(&f, "contact", &again), 1, "the raised one stays");
    EXPECT_STR(again[0].remote_id, STR("1"), "the raised one stays");
    EXPECT_I64(again[0].generation, marks[0].generation + 1, "generation");
    MUST(&f, dirty_clear(f.tx, f.connection_id, STR("contact"), &again[0], &f.err));
    EXPECT_I64(list_marks(&f, "contact", &again), 0, "cleared");
}

static bool receive(struct fixture *f, const char *key, const char *remote_id)
{
    bool is_new;

    MUST(f, inbox_put(f->tx, f->connection_id, str_of(key), STR("contact"), str_of(remote_id),
                      &is_new, &f->err));
    return is_new;
}

static void a_repeated_event_vanishes(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct dirty_mark *marks;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    assert_true(receive(&f, "e2", "2"));
    clock_wait_ms(f.env.clock, 5);
    assert_true(receive(&f, "e1", "1"));
    assert_true(receive(&f, "e3", "2"));
    assert_false(receive(&f, "e1", "1"));
    MUST(&f, inbox_triage(f.tx, 1, &count, &f.err));
    EXPECT_I64(count, 1, "limit");
    EXPECT_I64(list_marks(&f, "contact", &marks), 1, "marks");
    EXPECT_STR(marks[0].remote_id, STR("2"), "oldest first");
    MUST(&f, inbox_triage(f.tx, 10, &count, &f.err));
    EXPECT_I64(count, 2, "the others");
    EXPECT_I64(list_marks(&f, "contact", &marks), 2, "marks");
    EXPECT_I64(marks[1].generation, 2, "two events of one object raise its mark");
    MUST(&f, inbox_triage(f.tx, 10, &count, &f.err));
    EXPECT_I64(count, 0, "done");
    assert_false(receive(&f, "e1", "1")); /* remembered after its triage */
    clock_wait_ms(f.env.clock, INT64_C(4) * 24 * 60 * 60 * 1000);
    MUST(&f, inbox_triage(f.tx, 10, &count, &f.err));
    assert_true(receive(&f, "e1", "1")); /* but not for ever */
}

/* --- runs ---------------------------------------------------------------------------------------------------- */

static void runs_are_listed_with_their_counts(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct run_counts counts = {.read = 1, .throttled = 2, .matched = -3}, sum = {.read = 10};
    struct store_run *rows;
    int64_t first, second;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, run_begin(f.tx, STR("sync"), &first, &f.err));
    MUST(&f, run_save_counts(f.tx, first, &counts, &f.err));
    clock_wait_ms(f.env.clock, 50);
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store)); /* its process died */
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    MUST(&f, run_begin(f.tx, STR("sync --full"), &second, &f.err));
    MUST(&f, run_end(f.tx, second, RUN_FAILED, STR("why"), &counts, &f.err));

    MUST(&f, run_list(f.tx, 0, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "listed");
    EXPECT_I64(rows[0].id, second, "newest first");
    EXPECT_I64(rows[0].state, RUN_FAILED, "state");
    EXPECT_STR(rows[0].message, STR("why"), "message");
    EXPECT_I64(rows[0].started_ms, START_MS + 50, "started");
    EXPECT_I64(rows[1].state, RUN_INTERRUPTED, "the dead one");
    EXPECT_I64(rows[1].ended_ms, START_MS + 50, "the dead one");
    assert_memory_equal(&rows[1].counts, &counts, sizeof counts);
    MUST(&f, run_list(f.tx, second, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "before the second");
    EXPECT_I64(rows[0].id, first, "before the second");

    run_counts_add(&sum, &counts);
    EXPECT_I64(sum.read, 11, "sum");
    EXPECT_I64(sum.matched, -3, "sum");
    EXPECT_I64(sum.throttled, 2, "sum");
    MUST_FAIL(&f, run_end(f.tx, 4711, RUN_DONE, STR(""), &counts, &f.err), FAIL_BUG);
    MUST_FAIL(&f, run_save_counts(f.tx, 4711, &counts, &f.err), FAIL_BUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_keeps_its_state_between_runs),
        cmocka_unit_test(state_words_are_stable),
        cmocka_unit_test(a_secret_is_replaced_only_by_the_next_generation),
        cmocka_unit_test(a_removed_secret_leaves_its_generation),
        cmocka_unit_test(one_data_key_is_active),
        cmocka_unit_test(a_lease_has_one_holder_and_a_rising_epoch),
        cmocka_unit_test(a_stream_keeps_its_position),
        cmocka_unit_test(a_mark_set_during_a_read_survives_it),
        cmocka_unit_test(a_repeated_event_vanishes),
        cmocka_unit_test(runs_are_listed_with_their_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
