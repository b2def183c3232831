/* Conflicts, failures, intents and the journal. */
#include "tests/unit/store/fixture.h"

#define TEXT(literal) VALUE_OF(STR(literal))

/* --- conflicts ----------------------------------------------------------------------------------------------- */

static struct store_conflict conflict_on(struct fixture *f, const struct store_link *link,
                                         const char *remote)
{
    return (struct store_conflict){.type = CONFLICT_FIELD,
                                   .record_id = link->record_id,
                                   .link_id = link->id,
                                   .connection_id = f->connection_id,
                                   .kind = STR("contact"),
                                   .field = STR("phone"),
                                   .base = TEXT("111"),
                                   .hub = VALUE_NONE,
                                   .remote = VALUE_OF(str_of(remote)),
                                   .hub_changed_ms = 1,
                                   .remote_changed_ms = 2,
                                   .opened_ms = clock_wall_ms(f->env.clock),
                                   .changed_ms = clock_wall_ms(f->env.clock)};
}

static struct store_conflict conflict_now(struct fixture *f, int64_t id)
{
    struct store_conflict row = {0};
    bool found;

    MUST(f, conflict_by_id(f->tx, id, &f->arena, &row, &found, &f->err));
    EXPECT(found, "conflict %lld", (long long)id);
    return row;
}

static void a_conflict_rises_only_when_a_candidate_changes(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link link;
    struct store_conflict conflict, row;
    int64_t id;

    (void)state;
    fixture_begin_all(&f);
    link = make_link(&f, make_record(&f, "ann@a.example").id, "r1");
    conflict = conflict_on(&f, &link, "222");
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    EXPECT_I64(conflict.version, 1, "opened");
    id = conflict.id;

    clock_wait_ms(f.env.clock, 10);
    conflict = conflict_on(&f, &link, "222");
    conflict.remote_changed_ms = 9;
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    EXPECT_I64(conflict.id, id, "the same one");
    EXPECT_I64(conflict.version, 1, "the same candidates");

    conflict = conflict_on(&f, &link, "333");
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    EXPECT_I64(conflict.version, 2, "a candidate changed");
    row = conflict_now(&f, id);
    EXPECT_I64(row.version, 2, "version");
    EXPECT_I64(row.type, CONFLICT_FIELD, "type");
    EXPECT_I64(row.state, CONFLICT_OPEN, "state");
    EXPECT_STR(row.field, STR("phone"), "field");
    EXPECT_STR(row.base.text, STR("111"), "base");
    EXPECT_I64(row.hub.state, VALUE_NULL, "hub");
    EXPECT_STR(row.remote.text, STR("333"), "remote");
    EXPECT_I64(row.opened_ms, START_MS, "opened_ms");
    EXPECT_I64(row.changed_ms, START_MS + 10, "changed_ms");

    conflict = conflict_on(&f, &link, "333");
    conflict.hub = (struct value){0}; /* absent is not null */
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    EXPECT_I64(conflict.version, 3, "absent is another candidate than null");
    EXPECT_I64(conflict_now(&f, id).hub.state, VALUE_ABSENT, "hub");
}

static void a_field_of_a_link_has_one_open_conflict(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link link;
    struct store_conflict first, second, *rows;
    int64_t open;
    size_t count;
    bool is_ended;

    (void)state;
    fixture_begin_all(&f);
    link = make_link(&f, make_record(&f, "ann@a.example").id, "r1");
    first = conflict_on(&f, &link, "222");
    MUST(&f, conflict_put(f.tx, &first, &f.err));
    MUST(&f, conflict_end(f.tx, link.id, STR("email"), CONFLICT_RESOLVED, STR("hub"), &is_ended,
                          &f.err));
    assert_false(is_ended);
    MUST(&f, conflict_end(f.tx, link.id, STR("phone"), CONFLICT_RESOLVED, STR("hub"), &is_ended,
                          &f.err));
    assert_true(is_ended);
    EXPECT_STR(conflict_now(&f, first.id).resolution, STR("hub"), "resolution");
    EXPECT_I64(conflict_now(&f, first.id).state, CONFLICT_RESOLVED, "state");

    second = conflict_on(&f, &link, "222");
    MUST(&f, conflict_put(f.tx, &second, &f.err));
    EXPECT(second.id != first.id, "an ended one is history");
    EXPECT_I64(second.version, 1, "a new one");
    MUST(&f, conflict_list(f.tx, false, 0, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "open ones");
    EXPECT_I64(rows[0].id, second.id, "open ones");
    MUST(&f, conflict_list(f.tx, true, 0, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "all");
    MUST(&f, conflict_list(f.tx, true, first.id, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "next page");
    MUST(&f, conflicts_of_link(f.tx, link.id, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "of the link");
    MUST(&f, conflict_count_open(f.tx, &open, &f.err));
    EXPECT_I64(open, 1, "counted");
}

/* --- failures ------------------------------------------------------------------------------------------------ */

static struct store_failure failure_on(struct fixture *f, const char *remote_id, int64_t record_id,
                                       const char *field)
{
    return (struct store_failure){.connection_id = f->connection_id,
                                  .kind = STR("contact"),
                                  .remote_id = str_of(remote_id),
                                  .record_id = record_id,
                                  .field = str_of(field),
                                  .stage = STR("push"),
                                  .reason = STR("refused"),
                                  .message = STR("too long"),
                                  .hint = STR("shorten it"),
                                  .record_version = 3,
                                  .first_ms = clock_wall_ms(f->env.clock),
                                  .last_ms = clock_wall_ms(f->env.clock),
                                  .retry_at_ms = INT64_MAX};
}

static struct store_failure put_failure(struct fixture *f, const char *remote_id, int64_t record_id,
                                        const char *field)
{
    struct store_failure failure = failure_on(f, remote_id, record_id, field);

    MUST(f, failure_put(f->tx, &failure, &f->err));
    return failure;
}

static struct store_failure failure_now(struct fixture *f, int64_t id)
{
    struct store_failure row = {0};
    bool found;

    MUST(f, failure_by_id(f->tx, id, &f->arena, &row, &found, &f->err));
    EXPECT(found, "failure %lld", (long long)id);
    return row;
}

static void a_failure_is_kept_once_and_counts_its_attempts(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_failure first, again, row;

    (void)state;
    fixture_begin_all(&f);
    first = put_failure(&f, "r1", 0, "");
    EXPECT_I64(first.attempts, 1, "attempts");
    clock_wait_ms(f.env.clock, 10);
    again = put_failure(&f, "r1", 5, ""); /* the record has become known */
    EXPECT_I64(again.id, first.id, "the same one");
    row = failure_now(&f, first.id);
    EXPECT_I64(row.attempts, 2, "attempts");
    EXPECT_I64(row.first_ms, START_MS, "first");
    EXPECT_I64(row.last_ms, START_MS + 10, "last");
    EXPECT_I64(row.record_id, 5, "record");
    EXPECT_I64(row.retry_at_ms, INT64_MAX, "retry_at_ms");
    EXPECT_I64(row.record_version, 3, "record_version");
    EXPECT_STR(row.stage, STR("push"), "stage");
    EXPECT_STR(row.reason, STR("refused"), "reason");
    EXPECT_STR(row.message, STR("too long"), "message");
    EXPECT_STR(row.hint, STR("shorten it"), "hint");

    EXPECT(put_failure(&f, "r1", 0, "phone").id != first.id, "a field is another one");
    EXPECT(put_failure(&f, "r2", 0, "").id != first.id, "another object");
    first = put_failure(&f, "", 8, "");
    EXPECT_I64(put_failure(&f, "", 8, "").id, first.id, "by record when no object is known");
    EXPECT(put_failure(&f, "", 9, "").id != first.id, "another record");
}

static const struct {
    const char *why;
    int64_t version;
    const char *message;
    enum failure_state want;
} DISCARD_ROWS[] = {
    {"the same again", 3, "too long", FAILURE_DISCARDED},
    {"the record changed", 4, "too long", FAILURE_OPEN},
    {"another reason", 3, "too short", FAILURE_OPEN},
};

static void a_discarded_failure_comes_back_when_it_is_another(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(DISCARD_ROWS); i++) {
        struct store_failure failure = put_failure(&f, "r1", 0, "");

        MUST(&f, failure_discard(f.tx, failure.id, &f.err));
        failure.record_version = DISCARD_ROWS[i].version;
        failure.message = str_of(DISCARD_ROWS[i].message);
        MUST(&f, failure_put(f.tx, &failure, &f.err));
        EXPECT_I64(failure.state, DISCARD_ROWS[i].want, DISCARD_ROWS[i].why);
        EXPECT_I64(failure_now(&f, failure.id).state, DISCARD_ROWS[i].want, DISCARD_ROWS[i].why);
        MUST(&f, failure_clear(f.tx, f.connection_id, STR("contact"), STR("r1"), 0, STR(""),
                               STR("*"), &f.err));
    }
    MUST_FAIL(&f, failure_discard(f.tx, 4711, &f.err), FAIL_BUG);
    MUST_FAIL(&f, failure_retry(f.tx, 4711, &f.err), FAIL_BUG);
}

/* What of four failures is left: r1 whole, r1 field, record 5 whole (push), record 6 with r2 (push). */
static const struct {
    const char *why, *remote_id;
    int64_t record_id;
    const char *stage, *field;
    int64_t want_left;
} CLEAR_ROWS[] = {
    {"the whole record of an object", "r1", 0, "", "", 3},
    {"everything of an object", "r1", 0, "", "*", 2},
    {"one field", "r1", 0, "", "phone", 3},
    {"another stage", "r1", 0, "pull", "*", 4},
    {"its stage", "r1", 0, "push", "*", 2},
    {"by record", "", 5, "", "*", 3},
    {"by record, an object known", "", 6, "push", "", 3},
    {"by both", "r1", 5, "", "*", 1},
    {"nobody's", "", 0, "", "*", 4},
};

static void clearing_removes_what_it_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CLEAR_ROWS); i++) {
        AUTO_FIXTURE struct fixture f;
        int64_t left;

        fixture_begin_all(&f);
        put_failure(&f, "r1", 0, "");
        put_failure(&f, "r1", 0, "phone");
        put_failure(&f, "", 5, "");
        put_failure(&f, "r2", 6, "");
        MUST(&f, failure_clear(f.tx, f.connection_id, STR("contact"),
                               str_of(CLEAR_ROWS[i].remote_id), CLEAR_ROWS[i].record_id,
                               str_of(CLEAR_ROWS[i].stage), str_of(CLEAR_ROWS[i].field), &f.err));
        MUST(&f, failure_count_open(f.tx, &left, &f.err));
        EXPECT_I64(left, CLEAR_ROWS[i].want_left, CLEAR_ROWS[i].why);
    }
}

static void a_retried_failure_is_looked_at_again(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_failure remote, local, *rows;
    struct dirty_mark *marks;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    remote = put_failure(&f, "r1", 0, "");
    local = put_failure(&f, "", 5, "");
    MUST(&f, failure_discard(f.tx, remote.id, &f.err));
    MUST(&f, failure_list(f.tx, false, 0, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "open ones");
    MUST(&f, failure_list(f.tx, true, 0, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "with discarded ones");
    MUST(&f, failure_list(f.tx, true, remote.id, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "next page");

    MUST(&f, failure_retry(f.tx, local.id, &f.err));
    MUST(&f, failure_retry(f.tx, remote.id, &f.err));
    EXPECT_I64(failure_now(&f, remote.id).state, FAILURE_OPEN, "open again");
    EXPECT_I64(failure_now(&f, local.id).retry_at_ms, 0, "at once");
    MUST(&f, dirty_list(f.tx, f.connection_id, STR("contact"), STR(""), 9, &f.arena, &marks, &count,
                        &f.err));
    EXPECT_I64(count, 1, "marked");
    EXPECT_STR(marks[0].remote_id, STR("r1"), "marked");
}

/* --- intents ------------------------------------------------------------------------------------------------- */

static struct store_intent put_intent(struct fixture *f, const char *kind, int64_t record_id,
                                      int64_t link_id)
{
    struct store_intent intent = {.connection_id = f->connection_id,
                                  .kind = str_of(kind),
                                  .op = INTENT_UPDATE,
                                  .record_id = record_id,
                                  .link_id = link_id,
                                  .record_version = 4,
                                  .sent = fields_of_one(f, "phone", "222"),
                                  .claimed_ms = 5,
                                  .settle_at_ms = 6};

    MUST(f, intent_insert(f->tx, &intent, &f->err));
    return intent;
}

static void intents_are_open_until_deleted(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_intent first, second, row, *rows;
    int64_t record_id, other_id;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    record_id = make_record(&f, "ann@a.example").id;
    other_id = make_record(&f, "bob@a.example").id;
    first = put_intent(&f, "contact", record_id, 7);
    second = put_intent(&f, "company", other_id, 8);
    first.state = INTENT_UNKNOWN;
    first.attempts = 3;
    first.settle_at_ms = 60;
    MUST(&f, intent_update(f.tx, &first, &f.err));

    MUST(&f, intent_of_record(f.tx, f.connection_id, record_id, &f.arena, &row, &found, &f.err));
    assert_true(found);
    EXPECT_I64(row.id, first.id, "id");
    EXPECT_I64(row.op, INTENT_UPDATE, "op");
    EXPECT_I64(row.state, INTENT_UNKNOWN, "state");
    EXPECT_I64(row.link_id, 7, "link_id");
    EXPECT_I64(row.record_version, 4, "record_version");
    EXPECT_I64(row.claimed_ms, 5, "claimed_ms");
    EXPECT_I64(row.settle_at_ms, 60, "settle_at_ms");
    EXPECT_I64(row.attempts, 3, "attempts");
    EXPECT(fields_equal(&row.sent, &first.sent), "sent");

    MUST(&f, intent_list(f.tx, f.connection_id, STR(""), 0, 9, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "all kinds");
    MUST(&f,
         intent_list(f.tx, f.connection_id, STR("company"), 0, 9, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "one kind");
    EXPECT_I64(rows[0].id, second.id, "one kind");
    MUST(&f,
         intent_list(f.tx, f.connection_id, STR(""), first.id, 9, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "next page");
    MUST(&f, intents_of_link(f.tx, 7, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "of the link");

    MUST(&f, intent_delete(f.tx, first.id, &f.err));
    MUST(&f, intent_of_record(f.tx, f.connection_id, record_id, &f.arena, &row, &found, &f.err));
    assert_false(found);
    MUST_FAIL(&f, intent_delete(f.tx, first.id, &f.err), FAIL_BUG);
    MUST_FAIL(&f, intent_update(f.tx, &first, &f.err), FAIL_BUG);
}

/* --- the journal --------------------------------------------------------------------------------------------- */

static void write_journal(struct fixture *f, int64_t record_id, int64_t connection_id,
                          struct journal_change change)
{
    struct journal_entry entry = {.record_id = record_id,
                                  .record_version = 2,
                                  .at_ms = 3,
                                  .run_id = 4,
                                  .connection_id = connection_id,
                                  .remote_id = STR("r1"),
                                  .cause = CAUSE_PULL,
                                  .changes = &change,
                                  .changes_count = 1};

    MUST(f, journal_append(f->tx, &entry, &f->err));
}

static void the_journal_is_read_newest_first(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct journal_entry *rows, empty = {.cause = CAUSE_MERGE};
    const struct journal_change *change;
    int64_t id;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    id = make_record(&f, "ann@a.example").id;
    empty.record_id = id;
    MUST(&f, journal_append(f.tx, &empty, &f.err));
    write_journal(&f, id, 9,
                  (struct journal_change){.field = STR("phone"),
                                          .from = VALUE_NONE,
                                          .to = TEXT("222"),
                                          .lost = TEXT(""),
                                          .rule = STR("remote-newer"),
                                          .changed_ms = -5,
                                          .time_is_exact = true});
    write_journal(&f, make_record(&f, "bob@a.example").id, 9, (struct journal_change){0});
    MUST(&f, journal_of_record(f.tx, id, 0, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 2, "entries");
    EXPECT_I64(rows[0].record_version, 2, "record_version");
    EXPECT_I64(rows[0].at_ms, 3, "at_ms");
    EXPECT_I64(rows[0].run_id, 4, "run_id");
    EXPECT_I64(rows[0].connection_id, 9, "connection_id");
    EXPECT_STR(rows[0].remote_id, STR("r1"), "remote_id");
    EXPECT_I64(rows[0].cause, CAUSE_PULL, "cause");
    EXPECT_I64(rows[1].changes_count, 0, "an entry without changes");
    EXPECT_I64(rows[1].cause, CAUSE_MERGE, "an entry without changes");
    change = &rows[0].changes[0];
    EXPECT_I64(rows[0].changes_count, 1, "changes");
    EXPECT_STR(change->field, STR("phone"), "field");
    EXPECT_I64(change->from.state, VALUE_NULL, "from");
    EXPECT_STR(change->to.text, STR("222"), "to");
    EXPECT_I64(change->lost.state, VALUE_TEXT, "lost: an empty text is not nothing");
    EXPECT_STR(change->rule, STR("remote-newer"), "rule");
    EXPECT_I64(change->changed_ms, -5, "changed_ms");
    EXPECT_I64(change->time_is_exact, true, "time_is_exact");
    MUST(&f, journal_of_record(f.tx, id, rows[0].id, 10, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "before the newest");
}

static void expect_origin(struct fixture *f, int64_t record_id, const char *field,
                          int64_t want_connection, int64_t want_ms, const char *why)
{
    struct journal_origin origin = {.connection_id = -1};
    bool found;

    MUST(f, journal_origin_of(f->tx, record_id, str_of(field), &origin, &found, &f->err));
    EXPECT(found == (want_connection >= 0), "%s", why);
    EXPECT_I64(origin.connection_id, want_connection, why);
    EXPECT(!found || origin.changed_ms == want_ms, "%s: time", why);
}

static void the_origin_is_where_the_present_value_came_from(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct journal_change first[] = {
        {.field = STR("email"), .to = TEXT("a"), .rule = STR("import"), .changed_ms = 10},
        {.field = STR("phone"), .to = TEXT("b"), .rule = STR("import"), .changed_ms = 10}};
    struct journal_entry import = {.cause = CAUSE_IMPORT,
                                   .connection_id = 1,
                                   .changes = first,
                                   .changes_count = COUNT_OF(first)};
    int64_t id;

    (void)state;
    fixture_begin_all(&f);
    id = import.record_id = make_record(&f, "ann@a.example").id;
    MUST(&f, journal_append(f.tx, &import, &f.err));
    write_journal(&f, id, 2,
                  (struct journal_change){
                      .field = STR("phone"), .from = TEXT("b"), .to = TEXT("c"), .changed_ms = 20});
    write_journal(&f, id, 3, /* the hub kept its value: no change of it */
                  (struct journal_change){.field = STR("phone"),
                                          .from = TEXT("c"),
                                          .to = TEXT("c"),
                                          .lost = TEXT("d"),
                                          .changed_ms = 30});
    expect_origin(&f, id, "email", 1, 10, "from the import");
    expect_origin(&f, id, "phone", 2, 20, "from the last real change");
    expect_origin(&f, id, "name", -1, 0, "never seen");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conflict_rises_only_when_a_candidate_changes),
        cmocka_unit_test(a_field_of_a_link_has_one_open_conflict),
        cmocka_unit_test(a_failure_is_kept_once_and_counts_its_attempts),
        cmocka_unit_test(a_discarded_failure_comes_back_when_it_is_another),
        cmocka_unit_test(clearing_removes_what_it_names),
        cmocka_unit_test(a_retried_failure_is_looked_at_again),
        cmocka_unit_test(intents_are_open_until_deleted),
        cmocka_unit_test(the_journal_is_read_newest_first),
        cmocka_unit_test(the_origin_is_where_the_present_value_came_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
