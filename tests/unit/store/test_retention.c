/* What is old enough goes; what something still needs stays, however old it is. */
#include "tests/unit/store/fixture.h"

#include "store/retention.h"
#include "store/usage.h"

#define DAY (INT64_C(24) * 60 * 60 * 1000)

static const struct retention TEN_DAYS = {.journal_ms = 10 * DAY,
                                          .runs_ms = 10 * DAY,
                                          .inbox_ms = 10 * DAY,
                                          .failures_ms = 10 * DAY,
                                          .conflicts_ms = 10 * DAY};

/* Two entries, the second of which is the record's newest. */
static void put_history(struct fixture *f, int64_t record_id)
{
    for (int i = 1; i <= 2; i++) {
        struct journal_entry entry = {
            .record_id = record_id, .record_version = i, .at_ms = clock_wall_ms(f->env.clock)};

        MUST(f, journal_append(f->tx, &entry, &f->err));
    }
}

static size_t count_history(struct fixture *f, int64_t record_id)
{
    struct journal_entry *entries;
    size_t count;

    MUST(f, journal_of_record(f->tx, record_id, 0, 100, &f->arena, &entries, &count, &f->err));
    return count;
}

static struct store_link put_link(struct fixture *f, int64_t record_id, const char *remote_id)
{
    struct store_link link = {.connection_id = f->connection_id,
                              .kind = STR("contact"),
                              .record_id = record_id,
                              .remote_id = str_of(remote_id),
                              .synced_version = 1};

    MUST(f, link_insert(f->tx, &link, &f->err));
    return link;
}

static struct pruned prune(struct fixture *f, bool is_rehearsal)
{
    struct pruned pruned = {0};

    MUST(f, retention_prune(f->store, TENANT_DEFAULT, &TEN_DAYS, is_rehearsal, &pruned, &f->err));
    fixture_begin(f);
    return pruned;
}

static void old_history_goes(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct pruned pruned;
    int64_t old_id, new_id;

    (void)state;
    fixture_begin_all(&f);
    old_id = make_record(&f, "old@b.example").id;
    put_history(&f, old_id);
    clock_wait_ms(f.env.clock, 11 * DAY);
    new_id = make_record(&f, "new@b.example").id;
    put_history(&f, new_id);
    fixture_commit(&f);
    pruned = prune(&f, true);
    EXPECT_I64(pruned.journal, 1, "would go");
    EXPECT_I64(count_history(&f, old_id), 2, "a rehearsal removes nothing");
    fixture_commit(&f);
    pruned = prune(&f, false);
    EXPECT_I64(pruned.journal, 1, "gone");
    EXPECT_I64(count_history(&f, old_id), 1, "the newest entry stays");
    EXPECT_I64(count_history(&f, new_id), 2, "young enough");
    fixture_commit(&f);
    EXPECT_I64(prune(&f, false).journal, 0, "nothing more");
}

/* More than a transaction's worth, with some in between that have to stay. */
static void many_go_in_several_transactions(void **state)
{
    enum { MANY = 2500 };
    AUTO_FIXTURE struct fixture f;
    int64_t first_id, commits;

    (void)state;
    fixture_begin_all(&f);
    first_id = make_record(&f, "a@b.example").id;
    for (int i = 0; i < MANY; i++) {
        put_history(&f, first_id);
    }
    fixture_commit(&f);
    clock_wait_ms(f.env.clock, 11 * DAY);
    commits = store_commits(f.store);
    EXPECT_I64(prune(&f, false).journal, 2 * MANY - 1, "all but the newest");
    EXPECT(store_commits(f.store) - commits >= 5, "%lld commits",
           (long long)(store_commits(f.store) - commits));
}

static void what_is_needed_stays(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_conflict conflict = {.kind = STR("contact"), .field = STR("email")};
    struct store_intent intent = {.kind = STR("contact")};
    int64_t disputed, unsettled, unpushed;
    struct store_link link;
    bool ended;

    (void)state;
    fixture_begin_all(&f);
    disputed = make_record(&f, "a@b.example").id;
    unsettled = make_record(&f, "b@b.example").id;
    unpushed = make_record(&f, "c@b.example").id;
    link = put_link(&f, disputed, "1");
    conflict.connection_id = intent.connection_id = f.connection_id;
    conflict.record_id = disputed;
    conflict.link_id = link.id;
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    intent.record_id = unsettled;
    MUST(&f, intent_insert(f.tx, &intent, &f.err));
    link = put_link(&f, unpushed, "3");
    link.synced_version = 0;
    MUST(&f, link_update(f.tx, &link, &f.err));
    put_history(&f, disputed);
    put_history(&f, unsettled);
    put_history(&f, unpushed);
    fixture_commit(&f);
    clock_wait_ms(f.env.clock, 11 * DAY);
    EXPECT_I64(prune(&f, false).journal, 0, "all of it is needed");
    MUST(&f, conflict_end(f.tx, conflict.link_id, STR("email"), CONFLICT_RESOLVED, STR("hub"),
                          &ended, &f.err));
    MUST(&f, intent_delete(f.tx, intent.id, &f.err));
    link.synced_version = 2;
    MUST(&f, link_update(f.tx, &link, &f.err));
    fixture_commit(&f);
    EXPECT_I64(prune(&f, false).journal, 3, "not any more");
}

/* The failure is all that keeps the record from being created there. */
static void a_discarded_failure_that_holds_stays(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_failure holds = {.kind = STR("contact"), .message = STR("x")}, past = holds;

    (void)state;
    fixture_begin_all(&f);
    holds.connection_id = past.connection_id = f.connection_id;
    holds.record_id = make_record(&f, "a@b.example").id;
    past.record_id = make_record(&f, "b@b.example").id;
    put_link(&f, past.record_id, "2");
    holds.first_ms = holds.last_ms = past.first_ms = past.last_ms = START_MS;
    MUST(&f, failure_put(f.tx, &holds, &f.err));
    MUST(&f, failure_put(f.tx, &past, &f.err));
    MUST(&f, failure_discard(f.tx, holds.id, &f.err));
    MUST(&f, failure_discard(f.tx, past.id, &f.err));
    fixture_commit(&f);
    clock_wait_ms(f.env.clock, 11 * DAY);
    EXPECT_I64(prune(&f, false).failures, 1, "one of the two");
}

static void runs_and_hints_go(void **state)
{
    AUTO_FIXTURE struct fixture f;
    const struct run_counts counts = {0};
    struct store_run *runs;
    struct pruned pruned;
    int64_t ids[3];
    size_t count;
    bool is_new;

    (void)state;
    fixture_begin_all(&f);
    for (int i = 0; i < 3; i++) {
        MUST(&f, run_begin(f.tx, STR("sync"), &ids[i], &f.err));
        MUST(&f, run_end(f.tx, ids[i], RUN_DONE, STR(""), &counts, &f.err));
    }
    MUST(&f,
         inbox_put(f.tx, f.connection_id, STR("seen"), STR("contact"), STR("1"), &is_new, &f.err));
    MUST(&f, inbox_triage(f.tx, 10, &count, &f.err));
    MUST(&f, inbox_put(f.tx, f.connection_id, STR("unseen"), STR("contact"), STR("2"), &is_new,
                       &f.err));
    fixture_commit(&f);
    clock_wait_ms(f.env.clock, 11 * DAY);
    pruned = prune(&f, false);
    EXPECT_I64(pruned.runs, 2, "the newest keeps its number");
    EXPECT_I64(pruned.inbox, 1, "what was not looked at stays");
    MUST(&f, run_list(f.tx, 0, 10, &f.arena, &runs, &count, &f.err));
    EXPECT(count == 1 && runs[0].id == ids[2], "the newest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_history_goes),
        cmocka_unit_test(many_go_in_several_transactions),
        cmocka_unit_test(what_is_needed_stays),
        cmocka_unit_test(a_discarded_failure_that_holds_stays),
        cmocka_unit_test(runs_and_hints_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
