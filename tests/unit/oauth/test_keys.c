/* Changing the key: every secret survives it, at whatever moment it is interrupted, and the key from before opens nothing any more. */
#include "tests/unit/oauth/vault_fixture.h"

#include "oauth/keys.h"

static const char NEW_KEY[] = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

/* Two tenants with secrets, one of them sealed by an earlier version. Nothing is open afterwards but store and vault. */
static void begin_secrets(struct fixture *f, int64_t *ret_tenant, int64_t *ret_connection)
{
    uint8_t blob[sizeof HEX_V1 / 2];
    struct store_secret row = {.name = STR("token"), .generation = 4};
    struct store_connection other;
    bool found;

    begin_all(f);
    use_key(f, HEX_KEY);
    assert_true(hex_decode(str_of(HEX_V1), blob, sizeof blob));
    row.connection_id = f->connection_id;
    row.blob = (struct str){.at = (const char *)blob, .len = sizeof blob};
    plant(f, row);
    put(f, f->connection_id, "refresh", "refresh-secret");
    MUST(f, tx_commit(&f->tx, &f->err));

    MUST(f, store_tenant(f->store, STR("second"), true, ret_tenant, &found, &f->err));
    MUST(f, tx_begin(f->store, *ret_tenant, &f->tx, &f->err));
    MUST(f, connection_ensure(f->tx, STR("main"), STR("hubspot"), &f->arena, &other, &f->err));
    *ret_connection = other.id;
    put(f, other.id, "token", "of the second");
    MUST(f, tx_commit(&f->tx, &f->err));
}

static void expect_secrets(struct fixture *f, int64_t tenant, int64_t connection)
{
    MUST(f, tx_begin(f->store, TENANT_DEFAULT, &f->tx, &f->err));
    expect_secret(f, f->connection_id, "token", "pat-secret");
    expect_secret(f, f->connection_id, "refresh", "refresh-secret");
    assert_int_equal(stored(f, f->connection_id, "token").generation, 4);
    tx_abort(&f->tx);
    MUST(f, tx_begin(f->store, tenant, &f->tx, &f->err));
    expect_secret(f, connection, "token", "of the second");
    assert_int_equal(stored(f, connection, "token").generation, 1);
    tx_abort(&f->tx);
}

/* Another process: it knows only what is on the disk. */
static void restart(struct fixture *f)
{
    vault_free(TAKE_PTR(f->vault));
    MUST(f, vault_open(f->key, &f->env, &f->vault, &f->err));
}

static bool is_there(const struct fixture *f, const char *ending)
{
    char path[3 * PATH_BYTES];

    snprintf(path, sizeof path, "%s%s", f->key, ending);
    return access(path, F_OK) == 0;
}

static void a_new_key_opens_everything_and_the_one_before_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    struct key_rotation rotation;
    struct store_data_key active;
    char id[2][16];
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    for (size_t i = 0; i < COUNT_OF(id); i++) {
        snprintf(id[i], sizeof id[i], "%s", vault_key_id(f.vault));
        MUST(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err));
        assert_int_equal(rotation.secrets, 3);
        assert_int_equal(rotation.tenants, 2);
        assert_true(rotation.is_file_replaced);
        assert_string_not_equal(vault_key_id(f.vault), id[i]);
        expect_secrets(&f, tenant, connection);
        restart(&f);
        expect_secrets(&f, tenant, connection);
        assert_false(is_there(&f, ".next"));
    }
    assert_string_not_equal(id[0], id[1]);
    MUST(&f, tx_begin(f.store, TENANT_DEFAULT, &f.tx, &f.err));
    assert_int_equal(data_keys(&f, &active), 1); /* those from before are gone */
    assert_int_equal(active.uses, 2);
    put(&f, f.connection_id, "token", "pat-later");
    expect_secret(&f, f.connection_id, "token", "pat-later");
    use_key(&f, HEX_KEY);
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &got, NULL, &f.err),
                FAIL_CONFIG, "sealed with another key", "");
}

/* Where a crash can be: what was done before it, and what is expected of the next process. */
enum crash { NEXT_HALF_WRITTEN, PREPARED, COMMITTED, FINISHED };

static void crash_at(struct fixture *f, enum crash crash)
{
    struct key_rotation rotation;
    char next[3 * PATH_BYTES];

    snprintf(next, sizeof next, "%s.next", f->key);
    if (crash == NEXT_HALF_WRITTEN) {
        write_file(next, NEW_KEY, 20, 0600);
        return;
    }
    MUST(f, vault_rotate_prepare(f->vault, NULL, &f->err));
    if (crash >= COMMITTED) {
        MUST(f, vault_rotate_commit(f->vault, f->store, &rotation, &f->err));
    }
    if (crash >= FINISHED) {
        MUST(f, vault_rotate_finish(f->vault, &rotation, &f->err));
    }
}

static void a_crash_at_any_step_leaves_a_store_that_opens(void **state)
{
    for (int crash = NEXT_HALF_WRITTEN; crash <= FINISHED; crash++) {
        AUTO_FIXTURE struct fixture f;
        struct key_rotation rotation;
        int64_t tenant, connection;

        (void)state;
        begin_secrets(&f, &tenant, &connection);
        crash_at(&f, (enum crash)crash);
        restart(&f);
        expect_secrets(&f, tenant, connection); /* a reader, which leaves the files alone */
        EXPECT(is_there(&f, ".next") == (crash != FINISHED), "step %d: the next key", crash);

        MUST(&f, vault_settle(f.vault, f.store, &f.err));
        EXPECT(!is_there(&f, ".next"), "step %d: the next key is left", crash);
        expect_secrets(&f, tenant, connection);
        restart(&f);
        expect_secrets(&f, tenant, connection);
        MUST(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err));
        restart(&f);
        expect_secrets(&f, tenant, connection);
    }
}

static void after_the_commit_either_file_may_be_missing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    char next[3 * PATH_BYTES];
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    crash_at(&f, COMMITTED);
    unlink(f.key);
    restart(&f);
    expect_secrets(&f, tenant, connection);
    MUST(&f, vault_settle(f.vault, f.store, &f.err));
    assert_true(is_there(&f, ""));
    restart(&f);
    expect_secrets(&f, tenant, connection);

    crash_at(&f, COMMITTED);
    snprintf(next, sizeof next, "%s.next", f.key);
    unlink(next);
    restart(&f);
    MUST(&f, tx_begin(f.store, tenant, &f.tx, &f.err));
    expect_fail(&f, vault_get(f.vault, f.tx, connection, "token", &got, NULL, &f.err), FAIL_CONFIG,
                "sealed with another key", "the key it was sealed with");
}

static void only_who_holds_the_store_settles(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_options options = {.access = STORE_READ, .holder = "test"};
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    crash_at(&f, PREPARED); /* in another process it may be about to commit */
    store_close(f.store);
    options.path = f.store_path;
    MUST(&f, store_open(&options, &f.env, &f.store, &f.err));
    restart(&f);
    MUST(&f, vault_settle(f.vault, f.store, &f.err));
    assert_true(is_there(&f, ".next"));
    expect_secrets(&f, tenant, connection);
}

static void a_file_in_the_way_is_told(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct key_rotation rotation;
    char next[3 * PATH_BYTES];
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    snprintf(next, sizeof next, "%s.next", f.key);
    assert_int_equal(mkdir(next, 0700), 0);
    restart(&f);
    expect_fail(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err), FAIL_CONFIG,
                "cannot remove", "remove it");
    expect_secrets(&f, tenant, connection);
    rmdir(next);

    MUST(&f, vault_rotate_prepare(f.vault, NULL, &f.err));
    MUST(&f, vault_rotate_commit(f.vault, f.store, &rotation, &f.err));
    unlink(f.key);
    assert_int_equal(mkdir(f.key, 0700), 0);
    expect_fail(&f, vault_rotate_finish(f.vault, &rotation, &f.err), FAIL_STOP,
                "everything is sealed with the new key now", "rename it");
    expect_secrets(&f, tenant, connection);
    rmdir(f.key);
    restart(&f);
    MUST(&f, vault_settle(f.vault, f.store, &f.err));
    assert_true(is_there(&f, "") && !is_there(&f, ".next"));
    expect_secrets(&f, tenant, connection);
}

static void a_next_key_of_another_store_is_left_alone(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    struct key_rotation rotation;
    char next[3 * PATH_BYTES];
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    MUST(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err));
    snprintf(next, sizeof next, "%s.next", f.key);
    write_file(f.key, HEX_KEY, 64, 0600); /* the right one is in neither file */
    write_file(next, NEW_KEY, 64, 0600);
    restart(&f);
    MUST(&f, vault_settle(f.vault, f.store, &f.err));
    assert_true(is_there(&f, "") && is_there(&f, ".next"));
    unlink(f.key);
    restart(&f);
    MUST(&f, vault_settle(f.vault, f.store, &f.err));
    assert_true(!is_there(&f, "") && is_there(&f, ".next"));
    expect_fail(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err), FAIL_CONFIG,
                "there is no key file", "restore it");
    MUST(&f, tx_begin(f.store, tenant, &f.tx, &f.err));
    expect_fail(&f, vault_get(f.vault, f.tx, connection, "token", &got, NULL, &f.err), FAIL_CONFIG,
                "sealed with another key", "the key it was sealed with");
}

static void new_path(const struct fixture *f, char ret[3 * PATH_BYTES])
{
    snprintf(ret, 3 * PATH_BYTES, "%s/new", f->folder);
}

static void a_given_key_is_taken_if_it_is_one(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct key_rotation rotation;
    char path[3 * PATH_BYTES];
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    new_path(&f, path);
    expect_fail(&f, vault_rotate(f.vault, f.store, path, &rotation, &f.err), FAIL_CONFIG,
                "there is no key file", "openssl rand");
    write_file(path, NEW_KEY, 64, 0644);
    expect_fail(&f, vault_rotate(f.vault, f.store, path, &rotation, &f.err), FAIL_CONFIG,
                "others can read it", "chmod 600");
    write_file(path, NEW_KEY, 60, 0600);
    expect_fail(&f, vault_rotate(f.vault, f.store, path, &rotation, &f.err), FAIL_CONFIG,
                "does not hold a key", "");
    write_file(path, HEX_KEY, 64, 0600);
    expect_fail(&f, vault_rotate(f.vault, f.store, path, &rotation, &f.err), FAIL_CONFIG,
                "the key that is in use", "--key-file");
    assert_false(is_there(&f, ".next"));
    expect_secrets(&f, tenant, connection);

    write_file(path, NEW_KEY, 64, 0600);
    MUST(&f, vault_rotate(f.vault, f.store, path, &rotation, &f.err));
    assert_true(rotation.is_file_replaced);
    use_key(&f, NEW_KEY);
    expect_secrets(&f, tenant, connection);
}

static void a_key_of_the_environment_is_replaced_by_the_operator(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct key_rotation rotation;
    char path[3 * PATH_BYTES];
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    unlink(f.key);
    setenv("CRMSYNC_KEY", HEX_KEY, 1);
    restart(&f);
    expect_secrets(&f, tenant, connection);
    expect_fail(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err), FAIL_CONFIG,
                "environment variable CRMSYNC_KEY, which crmsync cannot replace", "--key-file");
    new_path(&f, path);
    write_file(path, NEW_KEY, 64, 0600);
    MUST(&f, vault_rotate(f.vault, f.store, path, &rotation, &f.err));
    assert_false(rotation.is_file_replaced);
    assert_false(is_there(&f, "") || is_there(&f, ".next"));
    expect_secrets(&f, tenant, connection);
    setenv("CRMSYNC_KEY", NEW_KEY, 1);
    restart(&f);
    expect_secrets(&f, tenant, connection);
}

/* --- what does not open -------------------------------------------------------------------------------------- */

static void damage(struct fixture *f)
{
    struct store_secret row;

    MUST(f, tx_begin(f->store, TENANT_DEFAULT, &f->tx, &f->err));
    row = stored(f, f->connection_id, "refresh");
    row.blob.len--;
    plant(f, row);
    MUST(f, tx_commit(&f->tx, &f->err));
}

static struct vault_check checked(struct fixture *f)
{
    struct vault_check check;

    MUST(f, tx_begin(f->store, TENANT_DEFAULT, &f->tx, &f->err));
    MUST(f, vault_check_all(f->vault, f->tx, &f->arena, &check, &f->err));
    assert_int_equal(tx_tenant(f->tx), TENANT_DEFAULT);
    tx_abort(&f->tx);
    return check;
}

static void a_check_names_what_does_not_open(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct vault_check check;
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    check = checked(&f);
    assert_int_equal(check.problems, 0);
    assert_int_equal(check.keys_count, 2);
    assert_int_equal(check.keys[0].secrets, 1);
    assert_int_equal(check.keys[0].uses, 1);
    assert_int_equal(check.keys[1].tenant_id, tenant);
    assert_int_equal(check.secrets_count, 3);
    EXPECT_STR(check.secrets[1].connection, STR("main"), "connection");
    EXPECT_STR(check.secrets[1].data_key_id, STR(""), "of an earlier version");
    EXPECT_STR(check.secrets[0].data_key_id, check.keys[0].id, "data key");

    damage(&f);
    check = checked(&f);
    assert_int_equal(check.problems, 1);
    assert_int_equal(check.keys[0].secrets, 0);
    EXPECT_STR(check.secrets[0].name, STR("refresh"), "which");
    EXPECT_STR(check.secrets[0].problem,
               STR("the stored token was changed, or moved from another place"), "what");
    use_key(&f, NEW_KEY);
    check = checked(&f);
    assert_int_equal(check.problems, 5); /* both data keys and all secrets */
}

static void what_does_not_open_stops_the_change_and_can_be_forgotten(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct key_rotation rotation;
    struct vault_forgotten forgotten;
    int64_t tenant, connection;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    damage(&f);
    expect_fail(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err), FAIL_CONFIG,
                "the key was not changed: 'refresh' of connection 'main'", "keys forget");
    assert_false(is_there(&f, ".next"));
    restart(&f);
    assert_int_equal(checked(&f).problems, 1);

    MUST(&f, tx_begin(f.store, TENANT_DEFAULT, &f.tx, &f.err));
    MUST(&f, vault_forget(f.vault, f.tx, &forgotten, &f.err));
    assert_int_equal(forgotten.secrets, 1);
    assert_int_equal(forgotten.data_keys, 0);
    MUST(&f, tx_commit(&f.tx, &f.err));
    MUST(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err));
    assert_int_equal(rotation.secrets, 2);

    use_key(&f, NEW_KEY); /* the right one is lost */
    MUST(&f, tx_begin(f.store, TENANT_DEFAULT, &f.tx, &f.err));
    MUST(&f, vault_forget(f.vault, f.tx, &forgotten, &f.err));
    assert_int_equal(forgotten.secrets, 2);
    assert_int_equal(forgotten.data_keys, 2);
    put(&f, f.connection_id, "token", "anew");
    expect_secret(&f, f.connection_id, "token", "anew");
}

/* Whoever read the key before it was changed must not seal with it in a tenant that has no data key yet. */
static void a_late_writer_seals_with_the_key_of_the_store(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct key_rotation rotation;
    struct store_connection other;
    struct vault *late;
    int64_t tenant, connection, third;
    bool found;

    (void)state;
    begin_secrets(&f, &tenant, &connection);
    late = TAKE_PTR(f.vault);
    MUST(&f, vault_open(f.key, &f.env, &f.vault, &f.err));
    MUST(&f, vault_rotate(f.vault, f.store, NULL, &rotation, &f.err));
    vault_free(f.vault);
    f.vault = late;
    MUST(&f, store_tenant(f.store, STR("third"), true, &third, &found, &f.err));
    MUST(&f, tx_begin(f.store, third, &f.tx, &f.err));
    MUST(&f, connection_ensure(f.tx, STR("main"), STR("hubspot"), &f.arena, &other, &f.err));
    put(&f, other.id, "token", "of the third");
    restart(&f);
    expect_secret(&f, other.id, "token", "of the third");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_opens_everything_and_the_one_before_nothing),
        cmocka_unit_test(a_crash_at_any_step_leaves_a_store_that_opens),
        cmocka_unit_test(after_the_commit_either_file_may_be_missing),
        cmocka_unit_test(only_who_holds_the_store_settles),
        cmocka_unit_test(a_file_in_the_way_is_told),
        cmocka_unit_test(a_next_key_of_another_store_is_left_alone),
        cmocka_unit_test(a_given_key_is_taken_if_it_is_one),
        cmocka_unit_test(a_key_of_the_environment_is_replaced_by_the_operator),
        cmocka_unit_test(a_check_names_what_does_not_open),
        cmocka_unit_test(what_does_not_open_stops_the_change_and_can_be_forgotten),
        cmocka_unit_test(a_late_writer_seals_with_the_key_of_the_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
