/* What a comparison keeps: its position, links that were seen, buckets, and what it found. */
#include "tests/unit/store/fixture.h"

#include "store/divergence.h"
#include "store/reconcile.h"
#include "store/selection.h"

static const char KIND[] = "contact";

static struct store_reconcile begun(struct fixture *f)
{
    struct store_reconcile running = {.connection_id = f->connection_id,
                                      .kind = str_of(KIND),
                                      .began_ms = START_MS,
                                      .version = STR("v1")};

    MUST(f, reconcile_begin(f->tx, &running, &f->err));
    return running;
}

/* --- links that were seen ---------------------------------------------------------------------------------------------------------- */

/* Links that were not seen become suspects; how many, and none afterwards. */
static size_t missed(struct fixture *f, const struct store_reconcile *running, size_t looks)
{
    struct str *ids;
    size_t count, left;
    int64_t after = 0;

    do {
        MUST(f, reconcile_suspect_unseen(f->tx, running, after, looks, &after, &f->err));
    } while (after);
    MUST(f, reconcile_suspects(f->tx, running, 1000, &f->arena, &ids, &count, &f->err));
    for (size_t i = 0; i < count; i++) {
        struct stmt *stmt = tx_stmt(f->tx, "DELETE FROM reconcile_suspect WHERE tenant_id = $1");

        MUST(f, stmt_run(stmt, &f->err));
    }
    MUST(f, reconcile_suspects(f->tx, running, 1000, &f->arena, &ids, &left, &f->err));
    EXPECT_I64(left, 0, "the test takes them away");
    return count;
}

static void links_that_were_not_seen_are_listed(void **state)
{
    enum { LINKS = 40 };
    AUTO_FIXTURE struct fixture f;
    struct store_reconcile running;
    int64_t ids[LINKS];

    (void)state;
    fixture_begin_all(&f);
    for (int i = 0; i < LINKS; i++) {
        struct store_record record = make_record(&f, "");
        char remote_id[16];

        snprintf(remote_id, sizeof remote_id, "r%d", i);
        ids[i] = make_link(&f, record.id, arena_cstr(&f.arena, str_of(remote_id))).id;
    }
    running = begun(&f);
    EXPECT_I64(missed(&f, &running, 100), LINKS, "nothing is seen yet");
    MUST(&f, reconcile_seen(f.tx, &running, ids, 30, &f.err));
    EXPECT_I64(missed(&f, &running, 100), 10, "the others");
    EXPECT_I64(missed(&f, &running, 7), 10, "in small steps as well");
    MUST(&f, reconcile_seen(f.tx, &running, ids + 20, 19, &f.err));
    EXPECT_I64(missed(&f, &running, 100), 1, "seen twice is seen");
    running = begun(&f);
    EXPECT_I64(missed(&f, &running, 100), LINKS, "a new one has seen nothing");
}

/* Ids far apart: the store of many tenants. */
static void links_far_apart(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_reconcile running;
    struct store_link link;
    int64_t far[] = {INT64_C(4000000000), 8191, 8192, 16384, 3};
    struct stmt *stmt;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        char remote_id[16];

        snprintf(remote_id, sizeof remote_id, "r%zu", i);
        link = make_link(&f, make_record(&f, "").id, arena_cstr(&f.arena, str_of(remote_id)));
        stmt = tx_stmt(f.tx, "UPDATE link SET id = $2 WHERE tenant_id = $1 AND id = $3");
        stmt_bind_i64(stmt, 2, far[i]);
        stmt_bind_i64(stmt, 3, link.id);
        MUST(&f, stmt_run(stmt, &f.err));
    }
    running = begun(&f);
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        int64_t one = far[i];

        EXPECT_I64(missed(&f, &running, 100), COUNT_OF(far) - i, "each is its own");
        MUST(&f, reconcile_seen(f.tx, &running, &one, 1, &f.err));
    }
    EXPECT_I64(missed(&f, &running, 100), 0, "all are seen");
}

/* What was read by id is suspect no more, and seen. */
static void suspects_are_done_one_by_one(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_reconcile running;
    struct str *ids;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    make_link(&f, make_record(&f, "").id, "r1");
    running = begun(&f);
    MUST(&f, reconcile_suspect_add(f.tx, &running, STR("r1"), &f.err));
    MUST(&f, reconcile_suspect_add(f.tx, &running, STR("r1"), &f.err));
    MUST(&f, reconcile_suspect_add(f.tx, &running, STR("nobody's"), &f.err));
    MUST(&f, reconcile_suspects(f.tx, &running, 9, &f.arena, &ids, &count, &f.err));
    EXPECT_I64(count, 2, "twice is once");
    MUST(&f, reconcile_suspect_done(f.tx, &running, STR("r1"), &f.err));
    MUST(&f, reconcile_suspect_done(f.tx, &running, STR("nobody's"), &f.err));
    EXPECT_I64(missed(&f, &running, 9), 0, "its link counts as seen");
}

static void the_position_survives(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_reconcile running, again;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, reconcile_find(f.tx, f.connection_id, str_of(KIND), &f.arena, &again, &found, &f.err));
    assert_false(found);
    running = begun(&f);
    running.cursor = STR("page 7");
    running.listed = 700;
    MUST(&f, reconcile_save(f.tx, &running, &f.err));
    MUST(&f, reconcile_find(f.tx, f.connection_id, str_of(KIND), &f.arena, &again, &found, &f.err));
    EXPECT(found && again.listed == 700 && !again.is_listed && again.began_ms == START_MS,
           "it goes on where it was");
    EXPECT_STR(again.cursor, STR("page 7"), "the cursor");
    EXPECT_STR(again.version, STR("v1"), "the mapping");
    MUST(&f, reconcile_end(f.tx, &again, &f.err));
    MUST(&f, reconcile_find(f.tx, f.connection_id, str_of(KIND), &f.arena, &again, &found, &f.err));
    assert_false(found);
}

/* --- what was found -------------------------------------------------------------------------------------------------------------------- */

static void put_difference(struct fixture *f, int64_t began_ms, enum difference_what what,
                           const char *remote_id, int64_t fields, int64_t since_ms,
                           const char *reason)
{
    const struct store_difference difference = {.connection_id = f->connection_id,
                                                .kind = str_of(KIND),
                                                .what = what,
                                                .remote_id = str_of(remote_id),
                                                .bucket = bucket_of(str_of(remote_id)),
                                                .fields = STR("a,b"),
                                                .fields_count = fields,
                                                .since_ms = since_ms,
                                                .reason = str_of(reason),
                                                .is_marked = reason[0] == '\0'};

    MUST(f, difference_put(f->tx, began_ms, &difference, &f->err));
}

static struct store_divergence ended(struct fixture *f, const struct store_reconcile *running)
{
    struct store_divergence result = {.connection_id = f->connection_id,
                                      .kind = str_of(KIND),
                                      .began_ms = running->began_ms,
                                      .ended_ms = running->began_ms + 5,
                                      .pairs = 9,
                                      .fields = 90};

    MUST(f, divergence_put(f->tx, &result, &f->err));
    MUST(f, reconcile_end(f->tx, running, &f->err));
    return result;
}

static size_t listed(struct fixture *f, struct store_difference **ret)
{
    size_t count;

    MUST(f, difference_list(f->tx, f->connection_id, str_of(KIND), 0, 100, &f->arena, ret, &count,
                            &f->err));
    return count;
}

static void the_last_result_stays_until_the_next_is_through(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_difference *differences;
    struct store_reconcile running;
    struct store_divergence result;
    int64_t counts[DIFFERENCES];

    (void)state;
    fixture_begin_all(&f);
    running = begun(&f);
    put_difference(&f, running.began_ms, DIFFERENCE_CHANGED_THERE, "r1", 2, START_MS - 7, "");
    put_difference(&f, running.began_ms, DIFFERENCE_CHANGED_THERE, "r1", 3, START_MS - 9, "");
    put_difference(&f, running.began_ms, DIFFERENCE_DELETED_THERE, "r2", 0, 0, "the brake");
    EXPECT_I64(listed(&f, &differences), 0, "nothing is shown before it is through");
    result = ended(&f, &running);
    EXPECT_I64(result.differences, 2, "the same thing found twice is one");
    EXPECT_I64(result.explained, 1, "one has a reason");
    EXPECT_I64(result.marked, 1, "one is marked");
    EXPECT_I64(result.fields_differ, 3, "as found last");
    EXPECT_I64(result.oldest_ms, START_MS - 9, "a time that is not known is not the oldest");

    running = begun(&f);
    EXPECT(running.began_ms > START_MS, "two within one moment are told apart");
    put_difference(&f, running.began_ms, DIFFERENCE_CREATED_THERE, "r3", 0, 0, "");
    EXPECT_I64(listed(&f, &differences), 2, "the last complete one is shown");
    running = begun(&f); /* it was given up: what it found goes */
    ended(&f, &running);
    EXPECT_I64(listed(&f, &differences), 0, "the new one found nothing");
    MUST(&f, difference_counts(f.tx, f.connection_id, str_of(KIND), counts, &f.err));
    for (int i = 0; i < DIFFERENCES; i++) {
        EXPECT_I64(counts[i], 0, difference_name((enum difference_what)i));
    }
}

static struct str reason_of(struct fixture *f, enum difference_what what, const char *remote_id,
                            int64_t record_id, int64_t link_id)
{
    const struct store_difference difference = {.connection_id = f->connection_id,
                                                .kind = str_of(KIND),
                                                .what = what,
                                                .remote_id = str_of(remote_id),
                                                .record_id = record_id};
    struct str reason;

    MUST(f, difference_reason(f->tx, &difference, link_id, &f->arena, &reason, &f->err));
    return reason;
}

static void what_holds_a_difference(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record record;
    struct store_link link;
    struct store_failure failure;
    struct store_conflict conflict;
    struct store_intent intent;

    (void)state;
    fixture_begin_all(&f);
    record = make_record(&f, "a@b.example");
    link = make_link(&f, record.id, "r1");
    EXPECT_STR(reason_of(&f, DIFFERENCE_CHANGED_HERE, "r1", record.id, link.id), STR(""),
               "nothing holds it");
    failure = (struct store_failure){.connection_id = f.connection_id,
                                     .kind = str_of(KIND),
                                     .remote_id = STR("r1"),
                                     .record_id = record.id,
                                     .reason = STR("refused")};
    MUST(&f, failure_put(f.tx, &failure, &f.err));
    EXPECT_STR(reason_of(&f, DIFFERENCE_CHANGED_HERE, "r1", record.id, link.id),
               STR("set aside: refused"), "a failure");
    MUST(&f, failure_discard(f.tx, failure.id, &f.err));
    EXPECT_STR(reason_of(&f, DIFFERENCE_CREATED_THERE, "r1", 0, 0), STR("discarded: refused"),
               "a person does not want to see it");
    conflict = (struct store_conflict){.connection_id = f.connection_id,
                                       .kind = str_of(KIND),
                                       .record_id = record.id,
                                       .link_id = link.id};
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    EXPECT_STR(reason_of(&f, DIFFERENCE_CHANGED_HERE, "r1", record.id, link.id),
               STR("a conflict waits"), "a conflict");
    intent = (struct store_intent){.connection_id = f.connection_id,
                                   .kind = str_of(KIND),
                                   .record_id = record.id,
                                   .link_id = link.id};
    MUST(&f, intent_insert(f.tx, &intent, &f.err));
    EXPECT_STR(reason_of(&f, DIFFERENCE_CHANGED_HERE, "r1", record.id, link.id),
               STR("a write whose outcome is not known yet"), "an intent");
    EXPECT_STR(reason_of(&f, DIFFERENCE_CHANGED_HERE, "r2", 0, 0), STR(""), "another object");
}

/* --- buckets ------------------------------------------------------------------------------------------------------------------------------ */

static struct digest content_of(struct fixture *f)
{
    struct store_pair *pairs;
    size_t count;

    MUST(f, pair_list(f->tx, f->connection_id, str_of(KIND), 0, 10, &f->arena, &pairs, &count,
                      &f->err));
    EXPECT_I64(count, 1, "one live pair");
    return pairs[0].content;
}

/* Whatever is written to record or link, with or without a version, shows. */
static void anything_that_changes_shows_in_the_digest(void **state)
{
    static const char *const CHANGES[] = {
        "UPDATE record SET fields = '{\"email\":\"x\"}' WHERE tenant_id = $1",
        "UPDATE record SET version = version + 1 WHERE tenant_id = $1",
        "UPDATE record SET state = 1 WHERE tenant_id = $1",
        "UPDATE link SET base = '{\"email\":\"y\"}' WHERE tenant_id = $1",
        "UPDATE link SET digest = zeroblob(16) WHERE tenant_id = $1",
        "UPDATE link SET synced_version = 7 WHERE tenant_id = $1",
        "UPDATE link SET remote_id = 'r2' WHERE tenant_id = $1",
        "UPDATE link SET is_resting = 1 WHERE tenant_id = $1",
    };
    AUTO_FIXTURE struct fixture f;
    struct digest before, after;

    (void)state;
    fixture_begin_all(&f);
    make_link(&f, make_record(&f, "a@b.example").id, "r1");
    before = content_of(&f);
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        struct stmt *stmt = tx_stmt(f.tx, CHANGES[i]);

        MUST(&f, stmt_run(stmt, &f.err));
        after = content_of(&f);
        EXPECT(!digest_equal(&before, &after), "%s", CHANGES[i]);
        before = after;
    }
    after = content_of(&f);
    EXPECT(digest_equal(&before, &after), "what stays shows nothing");
}

static void buckets_are_kept_and_forgotten(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_bucket *kept = calloc(BUCKETS, sizeof *kept);
    struct store_bucket one = {.pairs = 3, .digest = digest_of(STR("x"))};

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, bucket_agreed(f.tx, f.connection_id, str_of(KIND), 1023, &one, &f.err));
    MUST(&f, bucket_agreed(f.tx, f.connection_id, str_of(KIND), 0, &one, &f.err));
    MUST(&f, bucket_forget(f.tx, f.connection_id, str_of(KIND), 0, &f.err));
    MUST(&f, bucket_read(f.tx, f.connection_id, str_of(KIND), kept, &f.err));
    EXPECT(kept[1023].pairs == 3 && digest_equal(&kept[1023].digest, &one.digest), "it is kept");
    EXPECT_I64(kept[0].pairs, 0, "and forgotten");
    free(kept);
}

static void ids_spread_over_the_buckets(void **state)
{
    enum { IDS = 100 * BUCKETS };
    int *counts = calloc(BUCKETS, sizeof *counts);
    int most = 0, least = IDS;

    (void)state;
    for (int i = 0; i < IDS; i++) {
        char id[24];

        snprintf(id, sizeof id, "%d", 51000000 + i);
        counts[bucket_of(str_of(id))]++;
    }
    for (int i = 0; i < BUCKETS; i++) {
        most = counts[i] > most ? counts[i] : most;
        least = counts[i] < least ? counts[i] : least;
    }
    EXPECT(least > 40 && most < 200, "100 each: %d to %d", least, most);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_that_were_not_seen_are_listed),
        cmocka_unit_test(links_far_apart),
        cmocka_unit_test(suspects_are_done_one_by_one),
        cmocka_unit_test(the_position_survives),
        cmocka_unit_test(the_last_result_stays_until_the_next_is_through),
        cmocka_unit_test(what_holds_a_difference),
        cmocka_unit_test(anything_that_changes_shows_in_the_digest),
        cmocka_unit_test(buckets_are_kept_and_forgotten),
        cmocka_unit_test(ids_spread_over_the_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
