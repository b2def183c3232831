/* The vault: what was sealed opens only with the same key in the same place; keys are taken only from where nobody else reads. */
#include "tests/unit/oauth/vault_fixture.h"

#include "oauth/seal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

/* --- sealing ------------------------------------------------------------------------------------------------- */

/* In front of the sealed text and its tag. */
static struct str nonce_of(struct str blob)
{
    size_t sealed = strlen("pat-secret") + SEAL_EXTRA_BYTES;

    return str_slice(blob, blob.len - sealed, blob.len - sealed + SEAL_NONCE_BYTES);
}

/* Of any length, also none: what is sealed opens whole, and no beginning of it does. */
static void a_seal_cut_anywhere_does_not_open(void **state)
{
    static const uint8_t KEY[SEAL_KEY_BYTES] = {1, 2, 3};
    struct random *random = random_new_seeded(11);
    char sealed[16 + SEAL_EXTRA_BYTES], opened[16];

    (void)state;
    for (size_t len = 0; len <= 16; len += 8) {
        struct str plain = str_slice(STR("0123456789abcdef"), 0, len);
        size_t whole = len + SEAL_EXTRA_BYTES;

        seal(KEY, random, STR("place"), plain, sealed);
        EXPECT(seal_open(KEY, STR("place"), (struct str){.at = sealed, .len = whole}, opened) &&
                   memcmp(opened, plain.at, len) == 0,
               "%zu bytes", len);
        for (size_t cut = 0; cut < whole; cut++) {
            EXPECT(!seal_open(KEY, STR("place"), (struct str){.at = sealed, .len = cut}, opened),
                   "%zu of %zu bytes opened", cut, whole);
        }
    }
    random_free(random);
}

static void a_secret_comes_back(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret none = {0};
    struct str first, second;

    (void)state;
    begin_all(&f);
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &none, NULL, &f.err),
                FAIL_AUTH, "no token stored", "crmsync connect main");
    put(&f, f.connection_id, "token", "pat-secret");
    expect_secret(&f, f.connection_id, "token", "pat-secret");
    first = stored(&f, f.connection_id, "token").blob;
    EXPECT(!str_contains(first, STR("secret")), "the store holds the secret itself");

    put(&f, f.connection_id, "token", "pat-secret");
    second = stored(&f, f.connection_id, "token").blob;
    EXPECT(!str_equal(nonce_of(first), nonce_of(second)), "the same nonce twice");
    put(&f, f.connection_id, "token", "");
    expect_secret(&f, f.connection_id, "token", "");
}

static void expect_no_secret(struct fixture *f, struct store_secret row, const char *why, size_t at)
{
    AUTO_SECRET struct secret got = {0};

    plant(f, row);
    EXPECT(vault_get(f->vault, f->tx, row.connection_id, "token", &got, NULL, &f->err) ==
               FAIL_CONFIG,
           "%s %zu", why, at);
    EXPECT(secret_is_empty(&got), "something came out");
    error_reset(&f->err);
}

static void what_is_too_long_is_refused(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret secret = {0};
    char *text;
    struct store_secret row;

    (void)state;
    begin_all(&f);
    text = arena_alloc(&f.arena, SECRET_BYTES_MAX + 100, 1);
    memset(text, 'x', SECRET_BYTES_MAX + 99);
    secret_set(&secret, (struct str){.at = text, .len = SECRET_BYTES_MAX + 1});
    expect_fail(&f, vault_put(f.vault, f.tx, f.connection_id, "token", &secret, &f.err),
                FAIL_CONFIG, "is too long", "");
    text[SECRET_BYTES_MAX] = '\0';
    put(&f, f.connection_id, "token", text);
    expect_secret(&f, f.connection_id, "token", text);
    row = stored(&f, f.connection_id, "token");
    text[SECRET_BYTES_MAX] = 'x';
    memcpy(text, "v2", 2);
    row.blob = (struct str){.at = text, .len = SECRET_BYTES_MAX + 99};
    plant(&f, row);
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &secret, NULL, &f.err),
                FAIL_CONFIG, "the stored token is damaged", "crmsync connect main");
}

static void every_changed_byte_and_every_cut_is_noticed(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_secret row;
    struct str blob;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    row = stored(&f, f.connection_id, "token");
    blob = row.blob;
    for (size_t i = 0; i < blob.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char *changed = arena_cstr(&f.arena, blob);

            changed[i] = (char)(changed[i] ^ (1 << bit));
            row.blob = (struct str){.at = changed, .len = blob.len};
            expect_no_secret(&f, row, "changed byte", i);
        }
        row.blob = (struct str){.at = blob.at, .len = i};
        if (i) {
            expect_no_secret(&f, row, "cut to bytes", i);
        }
    }
    row.blob = blob;
    plant(&f, row);
    expect_secret(&f, f.connection_id, "token", "pat-secret");
}

/* The wrapped data key, in the same way. */
static void every_changed_byte_of_a_data_key_is_noticed(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_data_key key;
    struct store_secret row;
    bool found;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    row = stored(&f, f.connection_id, "token");
    MUST(&f, data_key_find(f.tx, STR(""), &f.arena, &key, &found, &f.err));
    for (size_t i = 0; i < 2 * key.wrapped.len; i++) {
        char *changed = arena_cstr(&f.arena, key.wrapped);
        bool is_cut = i >= key.wrapped.len;
        size_t at = is_cut ? i - key.wrapped.len : i;

        changed[at] = (char)(changed[at] ^ 1);
        MUST(&f, data_key_remove(f.tx, key.id, &f.err));
        MUST(&f, data_key_add(f.tx, key.id,
                              (struct str){.at = changed, .len = is_cut ? at : key.wrapped.len},
                              &f.err));
        expect_no_secret(&f, row, is_cut ? "data key cut to" : "data key changed at", at);
    }
    MUST(&f, data_key_remove(f.tx, key.id, &f.err));
    expect_no_secret(&f, row, "without its data key", 0);
    MUST(&f, data_key_add(f.tx, key.id, key.wrapped, &f.err));
    expect_secret(&f, f.connection_id, "token", "pat-secret");
}

static void expect_moved(struct fixture *f, struct store_secret row, const char *hint)
{
    AUTO_SECRET struct secret got = {0};
    char *name = arena_cstr(&f->arena, row.name);

    plant(f, row);
    expect_fail(f, vault_get(f->vault, f->tx, row.connection_id, name, &got, NULL, &f->err),
                FAIL_CONFIG, "changed, or moved", hint);
    EXPECT(secret_is_empty(&got), "something came out");
}

static void a_moved_row_does_not_open(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_connection other;
    struct store_secret row, moved;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    row = moved = stored(&f, f.connection_id, "token");
    MUST(&f, connection_ensure(f.tx, STR("other"), STR("hubspot"), &f.arena, &other, &f.err));
    moved.connection_id = other.id;
    expect_moved(&f, moved, "crmsync connect other");
    moved = row;
    moved.name = STR("refresh");
    expect_moved(&f, moved, "crmsync connect main");

    put(&f, f.connection_id, "token", "pat-newer");
    moved = row;
    moved.generation = 2; /* the older one in the place of the newer one */
    expect_moved(&f, moved, "crmsync connect main");
    plant(&f, row);
    expect_secret(&f, f.connection_id, "token", "pat-secret"); /* with its generation it is whole */
}

static void a_row_of_another_tenant_does_not_open(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    struct store_connection other;
    struct store_secret row;
    struct store_data_key key;
    int64_t tenant_id;
    bool found;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    row = stored(&f, f.connection_id, "token");
    MUST(&f, data_key_find(f.tx, STR(""), &f.arena, &key, &found, &f.err));
    MUST(&f, tx_commit(&f.tx, &f.err));

    MUST(&f, store_tenant(f.store, STR("second"), true, &tenant_id, &found, &f.err));
    MUST(&f, tx_begin(f.store, tenant_id, &f.tx, &f.err));
    MUST(&f, connection_ensure(f.tx, STR("main"), STR("hubspot"), &f.arena, &other, &f.err));
    put(&f, other.id, "token", "of the second");
    row.connection_id = other.id;
    plant(&f, row);
    expect_fail(&f, vault_get(f.vault, f.tx, other.id, "token", &got, NULL, &f.err), FAIL_CONFIG,
                "a data key that the store does not have", "crmsync connect main");
    MUST(&f, data_key_add(f.tx, key.id, key.wrapped, &f.err)); /* its data key as well */
    expect_fail(&f, vault_get(f.vault, f.tx, other.id, "token", &got, NULL, &f.err), FAIL_CONFIG,
                "moved from another place", "crmsync keys forget");
}

static void another_key_is_told_and_seals_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    use_key(&f, HEX_KEY);
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &got, NULL, &f.err),
                FAIL_CONFIG, "sealed with another key", "connect again");
    secret_set(&got, STR("pat-other"));
    expect_fail(&f, vault_put(f.vault, f.tx, f.connection_id, "token", &got, &f.err), FAIL_CONFIG,
                "sealed with another key", "crmsync keys forget");
}

static void a_key_that_changed_meanwhile_is_read_again(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct vault *before;

    (void)state;
    begin_all(&f);
    before = TAKE_PTR(f.vault);
    use_key(&f, HEX_KEY);
    put(&f, f.connection_id, "token", "pat-secret");
    vault_free(f.vault);
    f.vault = before;
    expect_secret(&f, f.connection_id, "token", "pat-secret");
    put(&f, f.connection_id, "token", "pat-newer");
    expect_secret(&f, f.connection_id, "token", "pat-newer");
}

static void a_first_secret_is_sealed_with_the_key_that_is_there(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct vault *before;

    (void)state;
    begin_all(&f);
    before = TAKE_PTR(f.vault);
    use_key(&f, HEX_KEY);
    vault_free(f.vault);
    f.vault = before;
    put(&f, f.connection_id, "token", "pat-secret");
    use_key(&f, HEX_KEY);
    expect_secret(&f, f.connection_id, "token", "pat-secret");
}

/* --- generations --------------------------------------------------------------------------------------------- */

static enum fail put_if(struct fixture *f, const char *text, int64_t expected, int64_t *ret)
{
    AUTO_SECRET struct secret secret = {0};

    secret_set(&secret, str_of(text));
    return vault_put_if(f->vault, f->tx, f->connection_id, "token", &secret, expected, ret,
                        &f->err);
}

static void only_who_read_the_last_one_replaces_it(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    int64_t generation = 0;

    (void)state;
    begin_all(&f);
    expect_fail(&f, put_if(&f, "early", 1, &generation), FAIL_STALE, "replaced meanwhile", "");
    MUST(&f, put_if(&f, "first", 0, &generation));
    assert_int_equal(generation, 1);
    expect_fail(&f, put_if(&f, "lost", 0, &generation), FAIL_STALE, "replaced meanwhile", "");
    MUST(&f, put_if(&f, "second", 1, &generation));
    expect_fail(&f, put_if(&f, "lost", 1, &generation), FAIL_STALE, "replaced meanwhile", "");
    assert_int_equal(generation, 2);
    MUST(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &got, &generation, &f.err));
    EXPECT_STR(secret_expose(&got), STR("second"), "the one that won");
    assert_int_equal(generation, 2);
}

static void a_removed_secret_is_gone_and_its_readers_come_too_late(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    int64_t generation = 0;
    bool found;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "first");
    MUST(&f, vault_remove(f.tx, f.connection_id, "token", &found, &f.err));
    assert_true(found);
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &got, NULL, &f.err),
                FAIL_AUTH, "no token stored", "crmsync connect main");
    MUST(&f, vault_remove(f.tx, f.connection_id, "token", &found, &f.err));
    assert_false(found);
    expect_fail(&f, put_if(&f, "late", 1, &generation), FAIL_STALE, "replaced meanwhile", "");
    MUST(&f, put_if(&f, "anew", 0, &generation));
    expect_secret(&f, f.connection_id, "token", "anew");
    expect_fail(&f, put_if(&f, "later still", 1, &generation), FAIL_STALE, "replaced", "");
    assert_int_equal(generation, 3);
}

enum { THREADS = 6, WRITERS = 2, ROUNDS = 100 };

struct worker {
    struct fixture *f;
    struct env env;
    enum store_access access; /* STORE_READ: only reads */
    int64_t won;
};

/* Reads the secret, and puts the next one, as one of many who do. */
static void take_turn(struct worker *worker, struct store *store)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_SECRET struct secret secret = {0};
    struct error err = {0};
    int64_t generation;

    if (tx_begin(store, TENANT_DEFAULT, &tx, &err) == OK &&
        vault_get(worker->f->vault, tx, worker->f->connection_id, "token", &secret, &generation,
                  &err) == OK &&
        str_equal(secret_expose(&secret), STR("pat-secret")) &&
        (worker->access == STORE_READ ||
         vault_put_if(worker->f->vault, tx, worker->f->connection_id, "token", &secret, generation,
                      NULL, &err) == OK) &&
        tx_commit(&tx, &err) == OK) {
        worker->won++;
    }
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct store_options options = {
        .path = worker->f->store_path, .access = worker->access, .holder = "test"};
    struct store *store = NULL;
    struct error err = {0};

    if (store_open(&options, &worker->env, &store, &err) == OK) {
        for (int i = 0; i < ROUNDS; i++) {
            take_turn(worker, store);
        }
        store_close(store);
    }
    return NULL;
}

static void threads_share_a_vault(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    MUST(&f, tx_commit(&f.tx, &f.err));
    random_free(f.env.random);
    f.env.random = random_new_system(); /* of all threads */
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){
            .f = &f, .env = f.env, .access = i < WRITERS ? STORE_SHARED : STORE_READ};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].won, ROUNDS);
    }
    MUST(&f, tx_begin(f.store, TENANT_DEFAULT, &f.tx, &f.err));
    expect_secret(&f, f.connection_id, "token", "pat-secret");
    assert_int_equal(stored(&f, f.connection_id, "token").generation, 1 + WRITERS * ROUNDS);
}

/* --- data keys ----------------------------------------------------------------------------------------------- */

static void set_uses(struct fixture *f, int64_t uses)
{
    struct stmt *stmt = tx_stmt(f->tx, "UPDATE data_key SET uses = $2 WHERE tenant_id = $1");

    stmt_bind_i64(stmt, 2, uses);
    MUST(f, stmt_run(stmt, &f->err));
}

static void a_data_key_is_replaced_after_so_many_uses(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_data_key first, active;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "first");
    put(&f, f.connection_id, "other", "second");
    assert_int_equal(data_keys(&f, &first), 1);
    assert_int_equal(first.uses, 2);
    set_uses(&f, DATA_KEY_USES_MAX - 1);
    put(&f, f.connection_id, "token", "the last one");
    assert_int_equal(data_keys(&f, &active), 1);
    put(&f, f.connection_id, "token", "the next one");
    assert_int_equal(data_keys(&f, &active), 2);
    assert_int_equal(active.uses, 1);
    EXPECT(!str_equal(active.id, first.id), "the same key");
    expect_secret(&f, f.connection_id, "token", "the next one");
    expect_secret(&f, f.connection_id, "other", "second"); /* of the retired one */
}

static void a_data_key_is_replaced_after_a_year(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_data_key active;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "other", "first");
    clock_wait_ms(f.env.clock, DATA_KEY_AGE_MAX_MS - 1);
    put(&f, f.connection_id, "token", "in time");
    assert_int_equal(data_keys(&f, &active), 1);
    clock_wait_ms(f.env.clock, 1);
    put(&f, f.connection_id, "token", "a year later");
    assert_int_equal(data_keys(&f, &active), 2);
    expect_secret(&f, f.connection_id, "other", "first");
    expect_secret(&f, f.connection_id, "token", "a year later");
}

/* --- earlier versions ---------------------------------------------------------------------------------------- */

static void a_blob_of_an_earlier_version_opens_and_is_sealed_anew_when_written(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    uint8_t blob[sizeof HEX_V1 / 2];
    struct store_secret row = {.name = STR("token"), .generation = 4};
    int64_t generation;

    (void)state;
    begin_all(&f);
    use_key(&f, HEX_KEY);
    assert_true(hex_decode(str_of(HEX_V1), blob, sizeof blob));
    row.connection_id = f.connection_id;
    row.blob = (struct str){.at = (const char *)blob, .len = sizeof blob};
    plant(&f, row);
    MUST(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &got, &generation, &f.err));
    EXPECT_STR(secret_expose(&got), STR("pat-secret"), "of an earlier version");
    assert_int_equal(generation, 4);
    for (size_t i = 0; i < sizeof blob; i++) {
        blob[i] ^= 1;
        expect_no_secret(&f, row, "changed byte", i);
        blob[i] ^= 1;
        row.blob.len = i;
        if (i) {
            expect_no_secret(&f, row, "cut to bytes", i);
        }
        row.blob.len = sizeof blob;
    }
    plant(&f, row);
    put(&f, f.connection_id, "token", "pat-secret");
    row = stored(&f, f.connection_id, "token");
    EXPECT(str_starts(row.blob, STR("v2")), "still of the earlier version");
    assert_int_equal(row.generation, 5);
    expect_secret(&f, f.connection_id, "token", "pat-secret");
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

static void expect_key(struct fixture *f, const char *message, const char *hint)
{
    struct vault *vault = NULL;

    if (!message) {
        MUST(f, vault_open(f->key, &f->env, &vault, &f->err));
        vault_free(vault);
        return;
    }
    expect_fail(f, vault_open(f->key, &f->env, &vault, &f->err), FAIL_CONFIG, message, hint);
    assert_null(vault);
}

static const struct {
    const char *why, *content;
    size_t len;
    mode_t mode;
    const char *message; /* NULL: taken */
} FILE_ROWS[] = {
    {"hexadecimal", HEX_KEY, 64, 0600, NULL},
    {"with a line end, read-only",
     "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\r\n", 66, 0400, NULL},
    {"raw bytes", "0123456789abcdef0123456789abcde\n", 32, 0600, NULL},
    {"read by the group", HEX_KEY, 64, 0640, "others can read it"},
    {"read by all", HEX_KEY, 64, 0604, "others can read it"},
    {"empty", "", 0, 0600, "does not hold a key"},
    {"too short", HEX_KEY, 62, 0600, "does not hold a key"},
    {"no hexadecimal", "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 64, 0600,
     "does not hold a key"},
    {"too long", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566",
     78, 0600, "does not hold a key"},
};

static void key_files_are_checked(void **state)
{
    AUTO_FIXTURE struct fixture f;
    char target[4 * PATH_BYTES];

    (void)state;
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(FILE_ROWS); i++) {
        write_file(f.key, FILE_ROWS[i].content, FILE_ROWS[i].len, FILE_ROWS[i].mode);
        expect_key(&f, FILE_ROWS[i].message, "");
    }
    unlink(f.key);
    expect_key(&f, "there is no key", "CRMSYNC_KEY");
    assert_int_equal(mkfifo(f.key, 0600), 0);
    expect_key(&f, "not a regular file", "");
    unlink(f.key);
    assert_int_equal(mkdir(f.key, 0700), 0);
    expect_key(&f, "not a regular file", "");
    rmdir(f.key);
    snprintf(target, sizeof target, "%s/crmsync-key", f.folder);
    write_file(target, HEX_KEY, 64, 0600);
    assert_int_equal(symlink(target, f.key), 0);
    expect_key(&f, "symbolic link", "key_file");
}

static void a_key_of_another_user_is_refused(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    begin(&f);
    write_file(f.key, HEX_KEY, 64, 0600);
    if (chown(f.key, 12345, (gid_t)-1) != 0) {
        print_message("skipped: only root can give a file away\n");
        skip();
    }
    expect_key(&f, "belongs to another user", "chown");
}

static void a_new_key_file_is_ours_and_replaces_none(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct stat facts;

    (void)state;
    begin(&f);
    MUST(&f, vault_create_key_file(f.key, &f.env, &f.err));
    assert_int_equal(stat(f.key, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    expect_key(&f, NULL, NULL);
    expect_fail(&f, vault_create_key_file(f.key, &f.env, &f.err), FAIL_CONFIG, "File exists",
                "never replaced");
    snprintf(f.key, sizeof f.key, "%s/none/key", f.folder);
    expect_fail(&f, vault_create_key_file(f.key, &f.env, &f.err), FAIL_CONFIG, "No such file",
                "folder");
}

static void the_environment_is_the_last_source_and_is_emptied(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    begin(&f);
    setenv("CRMSYNC_KEY", HEX_KEY, 1);
    expect_key(&f, NULL, NULL);
    assert_null(getenv("CRMSYNC_KEY"));
    setenv("CRMSYNC_KEY", "0123456789abcdef0123456789abcdef", 1);
    expect_key(&f, "CRMSYNC_KEY does not hold a key", "openssl rand");
    assert_null(getenv("CRMSYNC_KEY"));

    setenv("CRMSYNC_KEY", "not read", 1);
    write_file(f.key, HEX_KEY, 64, 0600);
    expect_key(&f, NULL, NULL); /* the file comes first */
    assert_non_null(getenv("CRMSYNC_KEY"));
    unsetenv("CRMSYNC_KEY");
}

static void a_credential_of_systemd_is_the_first_source(void **state)
{
    AUTO_FIXTURE struct fixture f;
    char path[4 * PATH_BYTES];

    (void)state;
    begin(&f);
    setenv("CREDENTIALS_DIRECTORY", f.folder, 1);
    snprintf(path, sizeof path, "%s/crmsync-key", f.folder);
    write_file(f.key, "no key", 6, 0600);
    expect_key(&f, "does not hold a key", ""); /* without a credential the file is read */
    write_file(path, HEX_KEY, 64, 0440);       /* systemd answers for its mode */
    expect_key(&f, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seal_cut_anywhere_does_not_open),
        cmocka_unit_test(a_secret_comes_back),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(every_changed_byte_and_every_cut_is_noticed),
        cmocka_unit_test(every_changed_byte_of_a_data_key_is_noticed),
        cmocka_unit_test(a_moved_row_does_not_open),
        cmocka_unit_test(a_row_of_another_tenant_does_not_open),
        cmocka_unit_test(another_key_is_told_and_seals_nothing),
        cmocka_unit_test(a_key_that_changed_meanwhile_is_read_again),
        cmocka_unit_test(a_first_secret_is_sealed_with_the_key_that_is_there),
        cmocka_unit_test(only_who_read_the_last_one_replaces_it),
        cmocka_unit_test(a_removed_secret_is_gone_and_its_readers_come_too_late),
        cmocka_unit_test(threads_share_a_vault),
        cmocka_unit_test(a_data_key_is_replaced_after_so_many_uses),
        cmocka_unit_test(a_data_key_is_replaced_after_a_year),
        cmocka_unit_test(a_blob_of_an_earlier_version_opens_and_is_sealed_anew_when_written),
        cmocka_unit_test(key_files_are_checked),
        cmocka_unit_test(a_key_of_another_user_is_refused),
        cmocka_unit_test(a_new_key_file_is_ours_and_replaces_none),
        cmocka_unit_test(the_environment_is_the_last_source_and_is_emptied),
        cmocka_unit_test(a_credential_of_systemd_is_the_first_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
