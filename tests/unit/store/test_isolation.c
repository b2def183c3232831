/* Two tenants with the same data: every listing and every look-up shows only its own, and ids of the other one lead nowhere. */
#include "tests/unit/store/fixture.h"

#include "store/divergence.h"
#include "store/reconcile.h"

#include "store/api_token.h"

enum { NOW_MS = 1000 };

/* One row in every table, with the same names, keys and ids of the CRM for every tenant. */
struct population {
    int64_t tenant_id, connection_id, record_id, lonely_id, link_id, gone_id, intent_id;
    int64_t conflict_id, failure_id, run_id;
    struct store_stream stream;
};

static const char *const UUIDS[] = {"11111111-0000-7000-8000-000000000001",
                                    "11111111-0000-7000-8000-000000000002",
                                    "11111111-0000-7000-8000-000000000003"};

static struct store_record put_record(struct fixture *f, const char *uuid)
{
    struct store_record record = {
        .kind = STR("contact"), .uuid = str_of(uuid), .fields = fields_of_one(f, "name", "Ann")};
    struct str key = STR("ann@a.example");

    MUST(f, record_insert(f->tx, &record, &key, 1, &f->err));
    return record;
}

static void put_links(struct fixture *f, struct population *p)
{
    struct store_record record = put_record(f, UUIDS[0]), gone_record = put_record(f, UUIDS[2]);
    struct store_link link = link_of(f, record.id, "r1"), gone = link_of(f, gone_record.id, "r2");

    p->record_id = record.id;
    p->lonely_id = put_record(f, UUIDS[1]).id;
    link.synced_version = 0;
    gone.state = LINK_GONE;
    MUST(f, link_insert(f->tx, &link, &f->err));
    MUST(f, link_insert(f->tx, &gone, &f->err));
    p->link_id = link.id;
    p->gone_id = gone.id;
    MUST(f, alias_put(f->tx, f->connection_id, STR("contact"), STR("r0"), STR("r1"), &f->err));
    MUST(f, tombstone_put(f->tx, f->connection_id, STR("contact"), STR("r7"), 1, &f->err));
}

static void put_review(struct fixture *f, struct population *p)
{
    struct store_conflict conflict = {.record_id = p->record_id,
                                      .link_id = p->link_id,
                                      .connection_id = f->connection_id,
                                      .kind = STR("contact")};
    struct store_failure failure = {
        .connection_id = f->connection_id, .kind = STR("contact"), .remote_id = STR("r9")};
    struct store_intent intent = {.connection_id = f->connection_id,
                                  .kind = STR("contact"),
                                  .record_id = p->record_id,
                                  .link_id = p->gone_id};

    MUST(f, conflict_put(f->tx, &conflict, &f->err));
    MUST(f, failure_put(f->tx, &failure, &f->err));
    MUST(f, intent_insert(f->tx, &intent, &f->err));
    p->conflict_id = conflict.id;
    p->failure_id = failure.id;
    p->intent_id = intent.id;
}

static void put_secret(struct fixture *f, int64_t connection_id)
{
    struct store_secret secret = {
        .connection_id = connection_id, .name = STR("token"), .blob = STR("blob"), .generation = 1};

    MUST(f, secret_put(f->tx, &secret, &f->err));
}

static void put_sign_in(struct fixture *f, int64_t connection_id)
{
    const struct store_sign_in sign_in = {.connection_id = connection_id, .state_hash = {'h'}};

    MUST(f, sign_in_put(f->tx, &sign_in, &f->err));
}

static void put_token(struct fixture *f, int64_t tenant_id)
{
    struct store_api_token token = {
        .name = STR("t"), .role = ROLE_VIEWER, .hash = {(uint8_t)tenant_id}};

    MUST(f, api_token_put(f->tx, &token, &f->err));
}

/* A comparison that is through and one that runs; a bucket that agrees. */
static void put_comparison(struct fixture *f, const struct population *p)
{
    const struct store_bucket bucket = {.pairs = 1, .digest = digest_of(STR("b"))};
    struct store_divergence result = {
        .connection_id = p->connection_id, .kind = STR("contact"), .began_ms = 1, .ended_ms = 2};
    const struct store_difference difference = {.connection_id = p->connection_id,
                                                .kind = STR("contact"),
                                                .remote_id = STR("r1"),
                                                .record_id = p->record_id,
                                                .fields = STR("email"),
                                                .reason = STR("")};
    struct store_reconcile running = {.connection_id = p->connection_id,
                                      .kind = STR("contact"),
                                      .began_ms = 3,
                                      .version = STR("v")};

    MUST(f, difference_put(f->tx, 1, &difference, &f->err));
    MUST(f, divergence_put(f->tx, &result, &f->err));
    MUST(f, reconcile_begin(f->tx, &running, &f->err));
    MUST(f, reconcile_suspect_add(f->tx, &running, STR("r1"), &f->err));
    MUST(f, bucket_agreed(f->tx, p->connection_id, STR("contact"), 7, &bucket, &f->err));
}

static void put_rest(struct fixture *f, struct population *p)
{
    struct journal_entry entry = {.record_id = p->record_id};
    bool is_new;

    MUST(f, stream_ensure(f->tx, f->connection_id, STR("contact"), &f->arena, &p->stream, &f->err));
    MUST(f, dirty_put(f->tx, f->connection_id, STR("contact"), STR("r1"), &f->err));
    MUST(f, inbox_put(f->tx, f->connection_id, STR("e1"), STR("contact"), STR("r5"), &is_new,
                      &f->err));
    assert_true(is_new);
    MUST(f, run_begin(f->tx, STR("sync"), &p->run_id, &f->err));
    MUST(f, journal_append(f->tx, &entry, &f->err));
    put_secret(f, f->connection_id);
    MUST(f, data_key_add(f->tx, STR("d1"), STR("wrapped"), &f->err));
    put_sign_in(f, f->connection_id);
    put_token(f, p->tenant_id);
}

static struct population populate(struct fixture *f, int64_t tenant_id)
{
    struct population p = {.tenant_id = tenant_id};

    MUST(f, tx_begin(f->store, tenant_id, &f->tx, &f->err));
    f->connection_id = p.connection_id = fixture_connection(f, "main");
    put_links(f, &p);
    put_review(f, &p);
    put_rest(f, &p);
    put_comparison(f, &p);
    fixture_commit(f);
    return p;
}

/* --- every listing ------------------------------------------------------------------------------------------- */

/* How many rows it shows; p says whose ids are asked for. */
typedef int64_t listing(struct fixture *f, const struct population *p);

#define LISTING(name, type, call)                                                                  \
    static int64_t name(struct fixture *f, const struct population *p)                             \
    {                                                                                              \
        type *rows;                                                                                \
        size_t count;                                                                              \
                                                                                                   \
        (void)p;                                                                                   \
        MUST(f, call);                                                                             \
        return (int64_t)count;                                                                     \
    }
#define REST &f->arena, &rows, &count, &f->err

LISTING(list_connections, struct store_connection, connection_list(f->tx, REST))
LISTING(list_streams, struct store_stream, stream_list(f->tx, REST))
LISTING(list_secrets, struct store_secret, secret_list(f->tx, REST))
LISTING(list_tokens, struct store_api_token, api_token_list(f->tx, REST))
LISTING(list_data_keys, struct store_data_key, data_key_list(f->tx, REST))
LISTING(list_records, struct store_record, record_list(f->tx, STR("contact"), 0, 99, REST))
LISTING(list_all_records, struct store_record, record_list(f->tx, STR(""), 0, 99, REST))
LISTING(search_records, struct store_record, record_search(f->tx, STR(""), STR("ann"), 0, 99, REST))
LISTING(list_links_of, struct store_link, links_of_record(f->tx, p->record_id, REST))
LISTING(list_to_push, struct store_link,
        links_to_push(f->tx, p->connection_id, STR("contact"), PUSH_ALL, NOW_MS, 0, 99, REST))
LISTING(list_missed, struct store_link,
        links_missed_by_scan(f->tx, p->connection_id, STR("contact"), 9, 0, 99, REST))
LISTING(list_gone, struct store_link,
        links_gone_since(f->tx, p->connection_id, STR("contact"), NOW_MS, 0, 99, REST))
LISTING(list_dirty, struct dirty_mark,
        dirty_list(f->tx, p->connection_id, STR("contact"), STR(""), 99, REST))
LISTING(list_intents, struct store_intent,
        intent_list(f->tx, p->connection_id, STR(""), 0, 99, REST))
LISTING(list_intents_of_link, struct store_intent, intents_of_link(f->tx, p->gone_id, REST))
LISTING(list_journal, struct journal_entry, journal_of_record(f->tx, p->record_id, 0, 99, REST))
LISTING(list_conflicts, struct store_conflict, conflict_list(f->tx, true, 0, 99, REST))
LISTING(list_conflicts_of, struct store_conflict, conflicts_of_link(f->tx, p->link_id, REST))
LISTING(list_failures, struct store_failure, failure_list(f->tx, true, 0, 99, REST))
LISTING(list_runs, struct store_run, run_list(f->tx, 0, 99, REST))

LISTING(list_divergences, struct store_divergence, divergence_list(f->tx, REST))
LISTING(list_differences, struct store_difference,
        difference_list(f->tx, p->connection_id, STR("contact"), 0, 99, REST))
LISTING(list_pairs, struct store_pair,
        pair_list(f->tx, p->connection_id, STR("contact"), 0, 99, REST))

#define NUMBER(name, call)                                                                         \
    static int64_t name(struct fixture *f, const struct population *p)                             \
    {                                                                                              \
        int64_t number;                                                                            \
                                                                                                   \
        (void)p;                                                                                   \
        MUST(f, call);                                                                             \
        return number;                                                                             \
    }

NUMBER(count_records, record_count(f->tx, STR(""), &number, &f->err))
NUMBER(count_conflicts, conflict_count_open(f->tx, &number, &f->err))
NUMBER(count_failures, failure_count_open(f->tx, &number, &f->err))
NUMBER(count_links,
       link_count(f->tx, p->connection_id, STR("contact"), LINK_LIVE, &number, &f->err))

static int64_t count_matches(struct fixture *f, const struct population *p)
{
    struct match_hit hits[9];
    size_t count;

    MUST(f, record_match(f->tx, STR("contact"), 0, STR("ann@a.example"), p->connection_id, hits, 9,
                         &count, &f->err));
    return (int64_t)count;
}

static int64_t count_prefixes(struct fixture *f, const struct population *p)
{
    struct store_record row;
    int count;

    (void)p;
    MUST(f, record_by_prefix(f->tx, STR(""), str_of(UUIDS[0]), &f->arena, &row, &count, &f->err));
    return count;
}

static int64_t count_to_create(struct fixture *f, const struct population *p)
{
    int64_t ids[9];
    size_t count;

    MUST(f, records_to_create(f->tx, p->connection_id, STR("contact"), NOW_MS, 0, 0, 9, ids, &count,
                              &f->err));
    return (int64_t)count;
}

static int64_t count_pushes(struct fixture *f, const struct population *p)
{
    int64_t updates, creates;

    MUST(f,
         push_counts(f->tx, p->connection_id, STR("contact"), NOW_MS, &updates, &creates, &f->err));
    return updates + creates;
}

#define FOUND(name, type, call)                                                                    \
    static int64_t name(struct fixture *f, const struct population *p)                             \
    {                                                                                              \
        type row;                                                                                  \
        bool found;                                                                                \
                                                                                                   \
        (void)p;                                                                                   \
        MUST(f, call);                                                                             \
        (void)row;                                                                                 \
        return found;                                                                              \
    }
#define ONE &f->arena, &row, &found, &f->err

FOUND(find_connection, struct store_connection, connection_by_id(f->tx, p->connection_id, ONE))
FOUND(find_record, struct store_record, record_by_id(f->tx, p->record_id, ONE))
FOUND(find_link, struct store_link, link_by_id(f->tx, p->link_id, ONE))
FOUND(find_link_by_remote, struct store_link,
      link_by_remote(f->tx, p->connection_id, STR("contact"), STR("r1"), ONE))
FOUND(find_link_by_record, struct store_link,
      link_by_record(f->tx, p->connection_id, p->record_id, ONE))
FOUND(find_sight, struct link_sight,
      link_sight_of(f->tx, p->connection_id, STR("contact"), STR("r1"), &row, &found, &f->err))
FOUND(find_intent, struct store_intent,
      intent_of_record(f->tx, p->connection_id, p->record_id, ONE))
FOUND(find_conflict, struct store_conflict, conflict_by_id(f->tx, p->conflict_id, ONE))
FOUND(find_failure, struct store_failure, failure_by_id(f->tx, p->failure_id, ONE))
FOUND(find_secret, struct store_secret, secret_find(f->tx, p->connection_id, STR("token"), ONE))
static const uint8_t STATE_HASH[SHA256_BYTES] = {'h'};
FOUND(find_sign_in, struct store_sign_in, sign_in_by_state(f->tx, STATE_HASH, ONE))
FOUND(find_data_key, struct store_data_key, data_key_find(f->tx, STR("d1"), ONE))

FOUND(find_divergence, struct store_divergence,
      divergence_find(f->tx, p->connection_id, STR("contact"), ONE))
FOUND(find_reconcile, struct store_reconcile,
      reconcile_find(f->tx, p->connection_id, STR("contact"), ONE))

static int64_t count_suspects(struct fixture *f, const struct population *p)
{
    const struct store_reconcile running = {.connection_id = p->connection_id,
                                            .kind = STR("contact")};
    struct str *ids;
    size_t count;

    MUST(f, reconcile_suspects(f->tx, &running, 9, &f->arena, &ids, &count, &f->err));
    return (int64_t)count;
}

static int64_t count_differences(struct fixture *f, const struct population *p)
{
    int64_t counts[DIFFERENCES];

    MUST(f, difference_counts(f->tx, p->connection_id, STR("contact"), counts, &f->err));
    return counts[DIFFERENCE_CHANGED_THERE];
}

static int64_t find_bucket(struct fixture *f, const struct population *p)
{
    struct store_bucket *buckets = arena_alloc(&f->arena, BUCKETS, sizeof *buckets);

    MUST(f, bucket_read(f->tx, p->connection_id, STR("contact"), buckets, &f->err));
    return buckets[7].pairs;
}

static int64_t find_tombstone(struct fixture *f, const struct population *p)
{
    int64_t record_id;

    MUST(f,
         tombstone_find(f->tx, p->connection_id, STR("contact"), STR("r7"), &record_id, &f->err));
    return record_id != 0;
}

static int64_t find_alias(struct fixture *f, const struct population *p)
{
    struct str got;

    MUST(f, alias_resolve(f->tx, p->connection_id, STR("contact"), STR("r0"), &f->arena, &got,
                          &f->err));
    return str_equal(got, STR("r1"));
}

/* want: rows of its own. needs_ids: asked for with ids or connection of p, so another tenant's show nothing at all. */
static const struct {
    const char *name;
    listing *show;
    int64_t want;
    bool needs_ids;
} LISTINGS[] = {
    {"connection_list", list_connections, 1, false},
    {"stream_list", list_streams, 1, false},
    {"record_list", list_records, 3, false},
    {"record_list of all kinds", list_all_records, 3, false},
    {"record_search", search_records, 3, false},
    {"record_count", count_records, 3, false},
    {"record_match", count_matches, 3, false},
    {"record_by_prefix", count_prefixes, 1, false},
    {"links_of_record", list_links_of, 1, true},
    {"links_to_push", list_to_push, 1, true},
    {"links_missed_by_scan", list_missed, 1, true},
    {"links_gone_since", list_gone, 1, true},
    {"link_count", count_links, 1, true},
    {"push_counts", count_pushes, 2, false},
    {"records_to_create", count_to_create, 1, false},
    {"dirty_list", list_dirty, 1, true},
    {"intent_list", list_intents, 1, true},
    {"intents_of_link", list_intents_of_link, 1, true},
    {"journal_of_record", list_journal, 1, true},
    {"conflict_list", list_conflicts, 1, false},
    {"conflicts_of_link", list_conflicts_of, 1, true},
    {"conflict_count_open", count_conflicts, 1, false},
    {"failure_list", list_failures, 1, false},
    {"failure_count_open", count_failures, 1, false},
    {"run_list", list_runs, 1, false},
    {"connection_by_id", find_connection, 1, true},
    {"record_by_id", find_record, 1, true},
    {"link_by_id", find_link, 1, true},
    {"link_by_remote", find_link_by_remote, 1, true},
    {"link_by_record", find_link_by_record, 1, true},
    {"link_sight_of", find_sight, 1, true},
    {"intent_of_record", find_intent, 1, true},
    {"conflict_by_id", find_conflict, 1, true},
    {"failure_by_id", find_failure, 1, true},
    {"secret_find", find_secret, 1, true},
    {"secret_list", list_secrets, 1, false},
    {"data_key_find", find_data_key, 1, false},
    {"sign_in_by_state", find_sign_in, 1, false},
    {"api_token_list", list_tokens, 1, false},
    {"data_key_list", list_data_keys, 1, false},
    {"divergence_list", list_divergences, 1, false},
    {"divergence_find", find_divergence, 1, true},
    {"difference_list", list_differences, 1, true},
    {"difference_counts", count_differences, 1, true},
    {"reconcile_find", find_reconcile, 1, true},
    {"reconcile_suspects", count_suspects, 1, true},
    {"pair_list", list_pairs, 1, true},
    {"bucket_read", find_bucket, 1, true},
    {"tombstone_find", find_tombstone, 1, true},
    {"alias_resolve", find_alias, 1, true},
};

static void prepare(struct fixture *f, struct population tenants[2])
{
    int64_t second_id;
    bool found;

    fixture_prepare(f);
    fixture_open_as(f, STORE_CREATE);
    MUST(f, store_tenant(f->store, STR("second"), true, &second_id, &found, &f->err));
    tenants[0] = populate(f, TENANT_DEFAULT);
    tenants[1] = populate(f, second_id);
}

static void every_listing_shows_only_its_own(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct population tenants[2];

    (void)state;
    prepare(&f, tenants);
    for (size_t t = 0; t < 2; t++) {
        MUST(&f, tx_begin(f.store, tenants[t].tenant_id, &f.tx, &f.err));
        for (size_t i = 0; i < COUNT_OF(LISTINGS); i++) {
            EXPECT_I64(LISTINGS[i].show(&f, &tenants[t]), LISTINGS[i].want, LISTINGS[i].name);
            if (LISTINGS[i].needs_ids) {
                EXPECT_I64(LISTINGS[i].show(&f, &tenants[1 - t]), 0, LISTINGS[i].name);
            }
        }
        fixture_commit(&f);
    }
}

/* --- writing with ids of another tenant ---------------------------------------------------------------------- */

static void ids_of_another_tenant_change_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct population tenants[2], *other = &tenants[1];
    struct store_record record = {.id = 0, .version = 1};
    struct store_link link = {.kind = STR("contact"), .remote_id = STR("r1")};
    struct run_counts counts = {0};
    struct store_intent intent = {.kind = STR("contact")};
    bool is_true;
    struct store_secret secret = {.name = STR("token"), .blob = STR("x"), .generation = 1};
    struct store_sign_in sign_in = {.state_hash = {'i'}};

    (void)state;
    prepare(&f, tenants);
    fixture_begin(&f);
    record.id = other->record_id;
    MUST_FAIL(&f, record_update(f.tx, &record, NULL, 0, &f.err), FAIL_STALE);
    link.id = other->link_id;
    link.record_id = other->record_id;
    link.connection_id = other->connection_id;
    MUST_FAIL(&f, link_update(f.tx, &link, &f.err), FAIL_BUG);
    MUST_FAIL(&f, link_insert(f.tx, &link, &f.err), FAIL_BUG); /* its connection is not ours */
    MUST_FAIL(&f, link_scan_set(f.tx, other->link_id, 3, &f.err), FAIL_BUG);
    intent.id = other->intent_id;
    MUST_FAIL(&f, intent_update(f.tx, &intent, &f.err), FAIL_BUG);
    MUST_FAIL(&f, intent_delete(f.tx, other->intent_id, &f.err), FAIL_BUG);
    MUST_FAIL(&f, failure_discard(f.tx, other->failure_id, &f.err), FAIL_BUG);
    MUST_FAIL(&f, failure_retry(f.tx, other->failure_id, &f.err), FAIL_BUG);
    MUST_FAIL(&f, run_end(f.tx, other->run_id, RUN_DONE, STR(""), &counts, &f.err), FAIL_BUG);
    MUST_FAIL(&f, connection_clock_set(f.tx, other->connection_id, 1, &f.err), FAIL_BUG);
    MUST_FAIL(&f, stream_save(f.tx, &other->stream, &f.err), FAIL_CANCELLED);
    MUST_FAIL(&f, dirty_put(f.tx, other->connection_id, STR("contact"), STR("x"), &f.err),
              FAIL_BUG);
    secret.connection_id = other->connection_id;
    MUST_FAIL(&f, secret_put(f.tx, &secret, &f.err), FAIL_BUG);
    sign_in.connection_id = other->connection_id;
    MUST_FAIL(&f, sign_in_put(f.tx, &sign_in, &f.err), FAIL_BUG);
    MUST(&f, sign_in_remove(f.tx, STATE_HASH, &is_true, &f.err));
    assert_true(is_true); /* one's own; the other tenant's is looked for below */
    MUST_FAIL(&f, secret_reseal(f.tx, &secret, &f.err), FAIL_BUG);
    MUST(&f, secret_remove(f.tx, other->connection_id, STR("token"), &is_true, &f.err));
    assert_false(is_true);
    MUST(&f, conflict_end(f.tx, other->link_id, STR(""), CONFLICT_CLOSED, STR("closed"), &is_true,
                          &f.err));
    assert_false(is_true);
    MUST(&f, failure_clear(f.tx, other->connection_id, STR("contact"), STR("r9"), 0, STR(""),
                           STR("*"), &f.err));
    fixture_commit(&f);

    MUST(&f, tx_begin(f.store, other->tenant_id, &f.tx, &f.err));
    for (size_t i = 0; i < COUNT_OF(LISTINGS); i++) {
        EXPECT_I64(LISTINGS[i].show(&f, other), LISTINGS[i].want, LISTINGS[i].name);
    }
}

/* What belongs to a whole tenant at once. */
static void bulk_work_stays_in_its_tenant(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct population tenants[2];
    struct store_run *runs;
    struct store_link waited;
    int64_t run_id;
    size_t count;

    (void)state;
    prepare(&f, tenants);
    f.connection_id = tenants[1].connection_id;
    MUST(&f, tx_begin(f.store, tenants[1].tenant_id, &f.tx, &f.err));
    MUST(&f, wait_put_inward(f.tx, f.connection_id, STR("deal"), STR("d1"), STR("contact"),
                             STR("r1"), &f.err));
    fixture_commit(&f);

    fixture_begin(&f);
    MUST(&f, run_begin(f.tx, STR("sync"), &run_id, &f.err));
    MUST(&f, inbox_triage(f.tx, 99, &count, &f.err));
    EXPECT_I64(count, 1, "its own event");
    waited = link_of(&f, tenants[1].record_id, "r1");
    MUST(&f, wait_wake(f.tx, &waited, &f.err));
    fixture_commit(&f);

    MUST(&f, tx_begin(f.store, tenants[1].tenant_id, &f.tx, &f.err));
    MUST(&f, run_list(f.tx, 0, 9, &f.arena, &runs, &count, &f.err));
    EXPECT_I64(runs[0].state, RUN_ACTIVE, "the other tenant's run goes on");
    EXPECT_I64(list_dirty(&f, &tenants[1]), 1, "the other tenant's marks");
    MUST(&f, inbox_triage(f.tx, 99, &count, &f.err));
    EXPECT_I64(count, 1, "the other tenant's event waits");
    MUST(&f, wait_wake(f.tx, &waited, &f.err));
    MUST(&f, stmt_number(engine_stmt(store_engine(f.store),
                                     "SELECT count(*) FROM dirty WHERE kind = 'deal'"),
                         &run_id, &f.err));
    EXPECT_I64(run_id, 1, "the other tenant's waiter is woken by its own link only");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_listing_shows_only_its_own),
        cmocka_unit_test(ids_of_another_tenant_change_nothing),
        cmocka_unit_test(bulk_work_stays_in_its_tenant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
