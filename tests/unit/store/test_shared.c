/* Short writes beside the process that holds the store, and what keeps two of them apart. */
#include "tests/unit/store/fixture.h"

#include "store/hold.h"
#include "store/lock.h"
#include "store/migrate.h"

static struct store *open_shared(struct fixture *f)
{
    const struct store_options options = {
        .path = f->path, .access = STORE_SHARED, .holder = "crmsync connect"};
    struct store *store = NULL;

    MUST(f, store_open(&options, &f->env, &store, &f->err));
    return store;
}

static void both_write(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store *beside;
    struct store_connection row;
    struct tx *tx;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    beside = open_shared(&f);
    MUST(&f, tx_begin(beside, TENANT_DEFAULT, &tx, &f.err));
    MUST(&f, connection_state_set(tx, f.connection_id, CONNECTION_NEEDS_AUTH, STR("x"), &f.err));
    MUST(&f, tx_commit(&tx, &f.err));
    fixture_begin(&f);
    MUST(&f, connection_by_id(f.tx, f.connection_id, &f.arena, &row, &found, &f.err));
    EXPECT_I64(row.state, CONNECTION_NEEDS_AUTH, "seen by the holder");
    MUST(&f, connection_state_set(f.tx, f.connection_id, CONNECTION_ACTIVE, STR(""), &f.err));
    fixture_commit(&f);
    MUST(&f, tx_begin(beside, TENANT_DEFAULT, &tx, &f.err));
    MUST(&f, connection_by_id(tx, f.connection_id, &f.arena, &row, &found, &f.err));
    EXPECT_I64(row.state, CONNECTION_ACTIVE, "seen beside");
    tx_abort(&tx);
    store_close(beside);
}

static void make_older(struct fixture *f)
{
    const struct engine_options options = {.path = f->path, .may_write = true};
    struct engine *engine;
    FILE *file = fopen(f->path, "wxe");

    assert_non_null(file);
    fclose(file);
    MUST(f, engine_open(&options, &engine, &f->err));
    MUST(f, migrate_run(engine, 0, 3, &f->err));
    engine_close(engine);
}

/* An older store is brought forward, but never under the feet of a process that works with it. */
static void older_schema_waits_for_its_holder(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_options options = {.access = STORE_SHARED, .holder = "crmsync connect"};
    struct store *store = NULL;
    int lock;

    (void)state;
    fixture_prepare(&f);
    make_older(&f);
    options.path = f.path;
    MUST(&f, lock_take(f.path, "crmsync sync", START_MS, &lock, &f.err));
    MUST_FAIL(&f, store_open(&options, &f.env, &store, &f.err), FAIL_CONFIG);
    lock_release(lock);
    store = open_shared(&f);
    EXPECT_I64(store_schema_version(store), migrate_newest(), "brought forward");
    fixture_open_as(&f, STORE_WRITE); /* the lock was given back */
    store_close(store);
}

static void there_must_be_a_store(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_options options = {.access = STORE_SHARED, .holder = "crmsync connect"};
    struct store *store = NULL;

    (void)state;
    fixture_prepare(&f);
    options.path = f.path;
    EXPECT(store_open(&options, &f.env, &store, &f.err) == FAIL_CONFIG, "no store");
    EXPECT(strstr(f.err.message, "there is no store"), "%s", f.err.message);
}

static void hold_is_one_at_a_time(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int first = -1, second = -1, other = -1;
    int64_t began_ms;

    (void)state;
    fixture_prepare(&f);
    MUST(&f, hold_take(f.path, 1, &f.env, 0, &first, &f.err));
    MUST(&f, hold_take(f.path, 2, &f.env, 0, &other, &f.err)); /* another connection's */
    began_ms = clock_mono_ms(f.env.clock);
    MUST_FAIL(&f, hold_take(f.path, 1, &f.env, 3000, &second, &f.err), FAIL_RETRY);
    EXPECT_I64(clock_mono_ms(f.env.clock) - began_ms, 3000, "waited");
    EXPECT_I64(second, -1, "not taken");
    hold_release(first);
    MUST(&f, hold_take(f.path, 1, &f.env, 0, &second, &f.err));
    hold_release(second);
    hold_release(other);
    hold_release(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_write),
        cmocka_unit_test(older_schema_waits_for_its_holder),
        cmocka_unit_test(there_must_be_a_store),
        cmocka_unit_test(hold_is_one_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
