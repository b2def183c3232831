/* The audit log: what is written is found again, and whatever is done to it behind its back is found as well. */
#include "tests/unit/store/fixture.h"

#include "store/audit.h"

enum { ENTRIES = 5 };

static void put(struct fixture *f, const char *action, const char *subject, const char *detail)
{
    const struct audit_detail details[] = {{"what", str_of(detail)}, {0}};
    const struct audit_note note = {
        .action = action, .subject = str_of(subject), .details = details};

    MUST(f, audit_put(f->tx, &note, &f->err));
}

static void begin_with_entries(struct fixture *f)
{
    fixture_begin_all(f);
    store_actor_set(f->store, "user:anna");
    for (int i = 0; i < ENTRIES; i++) {
        put(f, "thing.done", arena_printf(&f->arena, "thing %d", i).at, "x");
        clock_wait_ms(f->env.clock, 1000);
    }
    fixture_commit(f);
}

static struct audit_verdict verdict_of(struct fixture *f, const struct audit_anchor *anchor)
{
    struct audit_verdict verdict;

    fixture_begin(f);
    MUST(f, audit_verify(f->tx, anchor, &verdict, &f->err));
    tx_abort(&f->tx);
    return verdict;
}

static void tamper(struct fixture *f, const char *sql)
{
    static const char FREE[] = "DROP TRIGGER IF EXISTS audit_is_not_changed";
    static const char FREE_TOO[] = "DROP TRIGGER IF EXISTS audit_is_not_shortened";

    MUST(f, stmt_run(engine_stmt(store_engine(f->store), FREE), &f->err));
    MUST(f, stmt_run(engine_stmt(store_engine(f->store), FREE_TOO), &f->err));
    MUST(f, stmt_run(engine_stmt(store_engine(f->store), sql), &f->err));
}

static void expect_wrong(struct fixture *f, int64_t number, const char *why)
{
    struct audit_verdict verdict = verdict_of(f, NULL);

    EXPECT(verdict.problem && verdict.number == number, "%s: wanted entry %lld, got %lld (%s)", why,
           (long long)number, (long long)verdict.number,
           verdict.problem ? verdict.problem : "whole");
}

static void whole_log_is_listed(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct audit_entry *entries;
    struct audit_verdict verdict;
    size_t count;

    (void)state;
    begin_with_entries(&f);
    verdict = verdict_of(&f, NULL);
    EXPECT(!verdict.problem, "%s", verdict.problem);
    EXPECT_I64(verdict.entries, ENTRIES, "entries");
    EXPECT_I64(verdict.end.number, ENTRIES, "end");
    fixture_begin(&f);
    MUST(&f, audit_list(f.tx, START_MS + 3000, 0, 10, &f.arena, &entries, &count, &f.err));
    EXPECT_I64(count, 2, "since");
    EXPECT_I64(entries[0].number, ENTRIES, "newest first");
    EXPECT(str_equal(entries[0].actor, STR("user:anna")), "actor");
    EXPECT(str_equal(entries[0].details, STR("{\"what\":\"x\"}")), "%s", entries[0].details.at);
    MUST(&f, audit_list(f.tx, 0, 3, 10, &f.arena, &entries, &count, &f.err));
    EXPECT_I64(count, 2, "before the third");
    MUST(&f, audit_about(f.tx, STR("thing 2"), 10, &f.arena, &entries, &count, &f.err));
    EXPECT(count == 1 && entries[0].number == 3, "about one thing");
}

/* What is rolled back was not done. */
static void entry_goes_with_its_transaction(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct audit_verdict verdict;

    (void)state;
    begin_with_entries(&f);
    fixture_begin(&f);
    put(&f, "thing.done", "thing 9", "never");
    tx_abort(&f.tx);
    verdict = verdict_of(&f, NULL);
    EXPECT(!verdict.problem && verdict.entries == ENTRIES, "not written");
}

static void every_column_is_sealed(void **state)
{
    static const struct {
        const char *sql, *why;
        int64_t number;
    } CASES[] = {
        {"UPDATE audit SET at_ms = at_ms + 1 WHERE number = 3", "at_ms", 3},
        {"UPDATE audit SET actor = 'user:bnna' WHERE number = 3", "actor", 3},
        {"UPDATE audit SET action = 'thing.gone' WHERE number = 3", "action", 3},
        {"UPDATE audit SET subject = 'thing 7' WHERE number = 3", "subject", 3},
        {"UPDATE audit SET details = '{\"what\":\"y\"}' WHERE number = 3", "details", 3},
        {"UPDATE audit SET previous = zeroblob(32) WHERE number = 3", "previous", 3},
        {"UPDATE audit SET digest = zeroblob(32) WHERE number = 3", "digest", 3},
        {"UPDATE audit SET digest = x'01' WHERE number = 3", "a short digest", 3},
        {"UPDATE audit SET number = 9 WHERE number = 3", "number", 3},
        {"UPDATE audit SET tenant_id = 2 WHERE number = 3", "tenant", 3},
        {"DELETE FROM audit WHERE number = 3", "one taken out", 3},
        {"DELETE FROM audit WHERE number > 3", "the end cut off", 4},
        {"DELETE FROM audit", "all of it", 1},
        {"UPDATE audit SET actor = actor || 't', action = substr(action, 2) WHERE number = 3",
         "a letter moved to the next column", 3},
        {"INSERT INTO audit SELECT 1, 6, at_ms, actor, action, subject, details, previous, digest "
         "FROM audit WHERE number = 5",
         "one put at the end", 6},
        {"UPDATE audit_head SET number = 9", "the head", 6},
        {"UPDATE audit_head SET digest = zeroblob(32)", "the head's digest", 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO_FIXTURE struct fixture f;
        int64_t other;
        bool found;

        begin_with_entries(&f);
        MUST(&f, store_tenant(f.store, STR("other"), true, &other, &found, &f.err));
        tamper(&f, CASES[i].sql);
        expect_wrong(&f, CASES[i].number, CASES[i].why);
    }
}

/* The whole end with its head taken away looks whole: an anchor kept elsewhere knows better. */
static void anchor_knows_a_shortened_log(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct audit_anchor anchor;
    struct audit_verdict verdict;
    char text[AUDIT_ANCHOR_TEXT_BYTES];

    (void)state;
    begin_with_entries(&f);
    verdict = verdict_of(&f, NULL);
    audit_anchor_format(&verdict.end, text);
    EXPECT(audit_anchor_parse(str_of(text), &anchor), "%s", text);
    tamper(&f, "DELETE FROM audit WHERE number > 3");
    tamper(&f, "UPDATE audit_head SET number = 3, digest = (SELECT digest FROM audit WHERE "
               "number = 3)");
    EXPECT(!verdict_of(&f, NULL).problem, "without an anchor it looks whole");
    verdict = verdict_of(&f, &anchor);
    EXPECT(verdict.problem && verdict.number == 4, "with it, entry 4 is missing");
    /* Others written in their place do not help. */
    fixture_begin(&f);
    put(&f, "thing.done", "thing 3", "other");
    put(&f, "thing.done", "thing 4", "x");
    fixture_commit(&f);
    EXPECT(!verdict_of(&f, NULL).problem, "the new chain is whole");
    verdict = verdict_of(&f, &anchor);
    EXPECT(verdict.problem && verdict.number == 5, "but not the anchor's");
    EXPECT(!audit_anchor_parse(STR("5:abc"), &anchor), "too short");
    EXPECT(!audit_anchor_parse(STR("x"), &anchor), "no number");
}

static void a_slip_is_refused(void **state)
{
    AUTO_FIXTURE struct fixture f;
    static const char CHANGE[] = "UPDATE audit SET actor = 'nobody'";
    static const char SHORTEN[] = "DELETE FROM audit";

    (void)state;
    begin_with_entries(&f);
    MUST_FAIL(&f, stmt_run(engine_stmt(store_engine(f.store), CHANGE), &f.err), FAIL_BUG);
    MUST_FAIL(&f, stmt_run(engine_stmt(store_engine(f.store), SHORTEN), &f.err), FAIL_BUG);
}

static void what_stays_the_same_is_said_once(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct audit_detail details[] = {{"version", STR("1")}, {0}};
    struct audit_note note = {
        .action = "mapping.changed", .subject = STR("crm contact"), .details = details};
    struct audit_anchor head;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, audit_put_changed(f.tx, &note, &f.err));
    MUST(&f, audit_put_changed(f.tx, &note, &f.err));
    note.subject = STR("crm deal");
    MUST(&f, audit_put_changed(f.tx, &note, &f.err));
    details[0].text = STR("2");
    MUST(&f, audit_put_changed(f.tx, &note, &f.err));
    details[0].text = STR("1"); /* back again is a change as well */
    MUST(&f, audit_put_changed(f.tx, &note, &f.err));
    MUST(&f, audit_head(f.tx, &head, &f.err));
    EXPECT_I64(head.number, 4, "entries");
}

static void tenants_have_chains_of_their_own(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct audit_anchor head;
    struct audit_entry *entries;
    int64_t other;
    size_t count;
    bool found;

    (void)state;
    begin_with_entries(&f);
    MUST(&f, store_tenant(f.store, STR("other"), true, &other, &found, &f.err));
    MUST(&f, tx_begin(f.store, other, &f.tx, &f.err));
    MUST(&f, audit_list(f.tx, 0, 0, 10, &f.arena, &entries, &count, &f.err));
    EXPECT_I64(count, 0, "nothing of the first");
    put(&f, "thing.done", "mine", "x");
    MUST(&f, audit_head(f.tx, &head, &f.err));
    EXPECT_I64(head.number, 1, "begins anew");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_log_is_listed),
        cmocka_unit_test(entry_goes_with_its_transaction),
        cmocka_unit_test(every_column_is_sealed),
        cmocka_unit_test(anchor_knows_a_shortened_log),
        cmocka_unit_test(a_slip_is_refused),
        cmocka_unit_test(what_stays_the_same_is_said_once),
        cmocka_unit_test(tenants_have_chains_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
