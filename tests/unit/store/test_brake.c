/* Mass changes that were stopped: rows, confirmations, and what waits because of whom. */
#include "tests/unit/store/fixture.h"

#include "store/brake.h"

static struct store_brake brake_now(struct fixture *f, bool *ret_found)
{
    struct store_brake row = {0};

    MUST(f, brake_find(f->tx, f->connection_id, STR("contact"), BRAKE_DELETES, &f->arena, &row,
                       ret_found, &f->err));
    return row;
}

static void put(struct fixture *f, int64_t count, int64_t at_ms)
{
    struct store_brake brake = {.connection_id = f->connection_id,
                                .kind = STR("contact"),
                                .what = BRAKE_DELETES,
                                .count = count,
                                .linked = 100,
                                .stopped_ms = at_ms};

    MUST(f, brake_put(f->tx, &brake, &f->err));
}

static void a_confirmation_holds_for_as_many_and_no_more(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_brake *rows;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    put(&f, 30, 1000);
    MUST(&f, brake_confirm(f.tx, f.connection_id, STR("contact"), BRAKE_DELETES, 2000, &f.err));
    EXPECT_I64(brake_now(&f, &found).confirmed_count, 30, "confirmed");
    put(&f, 20, 3000);
    EXPECT_I64(brake_now(&f, &found).confirmed_count, 30, "fewer are meant as well");
    EXPECT_I64(brake_now(&f, &found).stopped_ms, 1000, "since the first time");
    EXPECT_I64(brake_now(&f, &found).count, 20, "as last seen");
    put(&f, 31, 3000);
    EXPECT_I64(brake_now(&f, &found).confirmed_count, 0, "more are not");
    EXPECT_I64(brake_now(&f, &found).confirmed_ms, 0, "and when is forgotten");
    MUST(&f, brake_list(f.tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "one row for each what");
    MUST(&f, brake_clear(f.tx, f.connection_id, STR("contact"), BRAKE_UPDATES, &f.err));
    brake_now(&f, &found);
    assert_true(found);
    MUST(&f, brake_clear(f.tx, f.connection_id, STR("contact"), BRAKE_DELETES, &f.err));
    brake_now(&f, &found);
    assert_false(found);
}

static void words_are_stable(void **state)
{
    enum brake_what what;

    (void)state;
    for (int i = BRAKE_DELETES; i <= BRAKE_REMOVALS; i++) {
        assert_true(brake_what_parse(str_of(brake_what_name((enum brake_what)i)), &what));
        assert_int_equal(what, i);
    }
    assert_string_equal(brake_what_name(BRAKE_REMOVALS), "removals");
    assert_false(brake_what_parse(STR("all"), &what));
}

/* A record linked to both connections, changed since by `source` (0: here). */
static int64_t changed_record(struct fixture *f, int64_t target_id, int64_t source,
                              const char *uuid, enum record_state record_state)
{
    struct store_record record = {.uuid = str_of(uuid), .kind = STR("contact")};
    struct store_link link = {.connection_id = target_id,
                              .kind = STR("contact"),
                              .remote_id = str_of(uuid),
                              .synced_version = 1};
    struct journal_entry entry = {.connection_id = source,
                                  .cause = record_state == RECORD_DELETED ? CAUSE_DELETE
                                           : source                       ? CAUSE_PULL
                                                                          : CAUSE_LOCAL};

    MUST(f, record_insert(f->tx, &record, NULL, 0, &f->err));
    link.record_id = record.id;
    MUST(f, link_insert(f->tx, &link, &f->err));
    record.state = record_state;
    MUST(f, record_update(f->tx, &record, NULL, 0, &f->err));
    entry.record_id = record.id;
    entry.record_version = record.version;
    MUST(f, journal_append(f->tx, &entry, &f->err));
    return record.id;
}

static void what_waits_is_counted_by_who_brought_it(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct brake_source *sources;
    struct store_stream stream;
    int64_t target, removals;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    target = fixture_connection(&f, "target");
    changed_record(&f, target, f.connection_id, "00000000-0000-7000-8000-000000000001",
                   RECORD_LIVE);
    changed_record(&f, target, f.connection_id, "00000000-0000-7000-8000-000000000002",
                   RECORD_LIVE);
    changed_record(&f, target, 0, "00000000-0000-7000-8000-000000000003", RECORD_LIVE);
    changed_record(&f, target, target, "00000000-0000-7000-8000-000000000004", RECORD_LIVE);
    changed_record(&f, target, 0, "00000000-0000-7000-8000-000000000005", RECORD_DELETED);
    changed_record(&f, target, f.connection_id, "00000000-0000-7000-8000-000000000006",
                   RECORD_DELETED);

    MUST(&f, brake_sources(f.tx, target, STR("contact"), &f.arena, &sources, &count, &f.err));
    EXPECT_I64(count, 1, "edits here, the target's own and deletes do not count");
    EXPECT_I64(sources[0].connection_id, f.connection_id, "who");
    EXPECT_I64(sources[0].updates, 2, "how many");
    assert_false(sources[0].has_agreed);
    MUST(&f, brake_removals(f.tx, target, STR("contact"), &removals, &f.err));
    EXPECT_I64(removals, 1, "only what a person deleted here");

    MUST(&f, stream_ensure(f.tx, target, STR("contact"), &f.arena, &stream, &f.err));
    MUST(&f, stream_agreed(f.tx, target, STR("contact"), 5, &f.err));
    MUST(&f, brake_sources(f.tx, target, STR("contact"), &f.arena, &sources, &count, &f.err));
    assert_false(sources[0].has_agreed);
    MUST(&f, stream_ensure(f.tx, f.connection_id, STR("contact"), &f.arena, &stream, &f.err));
    MUST(&f, stream_agreed(f.tx, f.connection_id, STR("contact"), 6, &f.err));
    MUST(&f, stream_agreed(f.tx, f.connection_id, STR("contact"), 7, &f.err));
    MUST(&f, brake_sources(f.tx, target, STR("contact"), &f.arena, &sources, &count, &f.err));
    assert_true(sources[0].has_agreed);
    MUST(&f, stream_ensure(f.tx, f.connection_id, STR("contact"), &f.arena, &stream, &f.err));
    EXPECT_I64(stream.agreed_ms, 6, "the first time stays");
}

static int64_t gone_link(struct fixture *f, const char *uuid, bool is_resting)
{
    struct store_record record = {.uuid = str_of(uuid), .kind = STR("contact")};
    struct store_link link = {.connection_id = f->connection_id,
                              .kind = STR("contact"),
                              .remote_id = str_of(uuid),
                              .state = LINK_GONE,
                              .gone_since_ms = 5,
                              .is_resting = is_resting};

    MUST(f, record_insert(f->tx, &record, NULL, 0, &f->err));
    link.record_id = record.id;
    MUST(f, link_insert(f->tx, &link, &f->err));
    return link.id;
}

static void a_delete_that_waits_for_a_person_holds_up_no_other(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_conflict conflict = {.type = CONFLICT_DELETE, .kind = STR("contact")}, *open;
    struct store_link *links;
    int64_t waits, going;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    waits = gone_link(&f, "00000000-0000-7000-8000-000000000001", false);
    gone_link(&f, "00000000-0000-7000-8000-000000000002", true);
    gone_link(&f, "00000000-0000-7000-8000-000000000003", false);
    conflict.link_id = waits;
    conflict.record_id = 1;
    conflict.connection_id = f.connection_id;
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    conflict.type = CONFLICT_FIELD;
    conflict.field = STR("city");
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    MUST(&f, links_gone_since(f.tx, f.connection_id, STR("contact"), 5, 0, 1, &f.arena, &links,
                              &count, &f.err));
    EXPECT_I64(count, 1, "neither the first, which waits, nor the second, which rests");
    EXPECT_STR(links[0].remote_id, STR("00000000-0000-7000-8000-000000000003"), "the third");
    MUST(&f, links_going(f.tx, f.connection_id, STR("contact"), &going, &f.err));
    EXPECT_I64(going, 1, "nor do they count for the brake");

    MUST(&f, conflicts_close(f.tx, waits, &f.err));
    MUST(&f, conflicts_of_link(f.tx, waits, &f.arena, &open, &count, &f.err));
    EXPECT_I64(count, 0, "all of the link are closed");
    MUST(&f, links_going(f.tx, f.connection_id, STR("contact"), &going, &f.err));
    EXPECT_I64(going, 2, "the first goes on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confirmation_holds_for_as_many_and_no_more),
        cmocka_unit_test(words_are_stable),
        cmocka_unit_test(a_delete_that_waits_for_a_person_holds_up_no_other),
        cmocka_unit_test(what_waits_is_counted_by_who_brought_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
