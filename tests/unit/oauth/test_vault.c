/* The vault: what was sealed opens only with the same key in the same place; keys are taken only from where nobody else reads. */
#include "tests/expect.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oauth/vault.h"
#include "store/connection.h"

enum { START_S = 1763700000, PATH_BYTES = 128 };

static const char HEX_KEY[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct fixture {
    char folder[PATH_BYTES];
    char key[2 * PATH_BYTES], store_path[2 * PATH_BYTES];
    struct env env;
    struct store *store;
    struct tx *tx;
    struct vault *vault;
    struct arena arena;
    struct error err;
    int64_t connection_id;
};

#define MUST(f, call)                                                                              \
    EXPECT((call) == OK, "%s:%d: %s\n%s", __FILE__, __LINE__, #call, (f)->err.message)

static void expect_fail(struct fixture *f, enum fail got, enum fail want, const char *message,
                        const char *hint)
{
    EXPECT(got == want, "wanted %s '%s', got %s '%s'", fail_name(want), message, fail_name(got),
           f->err.message);
    EXPECT(strstr(f->err.message, message), "'%s' is not in '%s'", message, f->err.message);
    EXPECT(strstr(f->err.hint, hint), "'%s' is not in '%s'", hint, f->err.hint);
    error_reset(&f->err);
}

static void write_file(const char *path, const char *at, size_t len, mode_t mode)
{
    int fd;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, at, len) == (ssize_t)len && fchmod(fd, mode) == 0);
    close(fd);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/crmsync-vault-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->key, sizeof f->key, "%s/key", f->folder);
    snprintf(f->store_path, sizeof f->store_path, "%s/s.db", f->folder);
    f->env.clock = clock_new_virtual(INT64_C(1000) * START_S);
    f->env.random = random_new_seeded(9);
    unsetenv("CRMSYNC_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void begin_all(struct fixture *f)
{
    struct store_options options = {.access = STORE_CREATE, .holder = "test"};
    struct store_connection row;

    begin(f);
    options.path = f->store_path;
    MUST(f, store_open(&options, &f->env, &f->store, &f->err));
    MUST(f, tx_begin(f->store, TENANT_DEFAULT, &f->tx, &f->err));
    MUST(f, connection_ensure(f->tx, STR("main"), STR("hubspot"), &f->arena, &row, &f->err));
    f->connection_id = row.id;
    MUST(f, vault_create_key_file(f->key, &f->env, &f->err));
    MUST(f, vault_open(f->key, &f->env, &f->vault, &f->err));
}

static void end(struct fixture *f)
{
    static const char *const FILES[] = {"key",      "s.db",      "s.db-wal",
                                        "s.db-shm", "s.db.lock", "crmsync-key"};
    char path[4 * PATH_BYTES];

    tx_abort(&f->tx);
    store_close(f->store);
    vault_free(f->vault);
    clock_free(f->env.clock);
    random_free(f->env.random);
    arena_fini(&f->arena);
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        snprintf(path, sizeof path, "%s/%s", f->folder, FILES[i]);
        unlink(path);
    }
    rmdir(f->folder);
    unsetenv("CREDENTIALS_DIRECTORY");
}

#define AUTO_FIXTURE __attribute__((cleanup(end)))

static void put(struct fixture *f, int64_t connection_id, const char *name, const char *text)
{
    AUTO_SECRET struct secret secret = {0};

    secret_set(&secret, str_of(text));
    MUST(f, vault_put(f->vault, f->tx, connection_id, name, &secret, &f->err));
}

static struct str stored(struct fixture *f, int64_t connection_id, const char *name)
{
    struct str blob;
    bool found;

    MUST(f, secret_find(f->tx, connection_id, str_of(name), &f->arena, &blob, &found, &f->err));
    assert_true(found);
    return blob;
}

static void expect_secret(struct fixture *f, int64_t connection_id, const char *name,
                          const char *want)
{
    AUTO_SECRET struct secret secret = {0};

    MUST(f, vault_get(f->vault, f->tx, connection_id, name, &secret, &f->err));
    EXPECT_STR(secret_expose(&secret), str_of(want), name);
}

/* --- sealing ------------------------------------------------------------------------------------------------- */

static void a_secret_comes_back(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret none = {0};
    struct str first, second;

    (void)state;
    begin_all(&f);
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &none, &f.err), FAIL_AUTH,
                "no token stored", "crmsync connect main");
    put(&f, f.connection_id, "token", "pat-secret");
    expect_secret(&f, f.connection_id, "token", "pat-secret");
    first = stored(&f, f.connection_id, "token");
    EXPECT(!str_contains(first, STR("secret")), "the store holds the secret itself");

    put(&f, f.connection_id, "token", "pat-secret");
    second = stored(&f, f.connection_id, "token");
    EXPECT(!str_equal(first, second), "the same nonce twice");
    put(&f, f.connection_id, "token", "");
    expect_secret(&f, f.connection_id, "token", "");
}

static void every_changed_byte_and_every_cut_is_noticed(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct str blob;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    blob = stored(&f, f.connection_id, "token");
    for (size_t i = 0; i < blob.len; i++) {
        AUTO_SECRET struct secret got = {0};
        char *changed = arena_cstr(&f.arena, blob);

        changed[i] = (char)(changed[i] ^ 1);
        MUST(&f, secret_put(f.tx, f.connection_id, STR("token"),
                            (struct str){.at = changed, .len = blob.len}, &f.err));
        EXPECT(vault_get(f.vault, f.tx, f.connection_id, "token", &got, &f.err) == FAIL_CONFIG,
               "byte %zu changed", i);
        MUST(&f, secret_put(f.tx, f.connection_id, STR("token"),
                            (struct str){.at = blob.at, .len = i}, &f.err));
        EXPECT(vault_get(f.vault, f.tx, f.connection_id, "token", &got, &f.err) == FAIL_CONFIG,
               "cut to %zu bytes", i);
        EXPECT(secret_is_empty(&got), "something came out");
    }
}

static void a_moved_row_does_not_open(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};
    struct store_connection other;
    struct str blob;
    int64_t tenant_id;
    bool found;

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    blob = stored(&f, f.connection_id, "token");
    MUST(&f, connection_ensure(f.tx, STR("other"), STR("hubspot"), &f.arena, &other, &f.err));
    MUST(&f, secret_put(f.tx, other.id, STR("token"), blob, &f.err));
    expect_fail(&f, vault_get(f.vault, f.tx, other.id, "token", &got, &f.err), FAIL_CONFIG, "moved",
                "crmsync connect other");
    MUST(&f, secret_put(f.tx, f.connection_id, STR("refresh"), blob, &f.err));
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "refresh", &got, &f.err), FAIL_CONFIG,
                "moved", "crmsync connect main");
    MUST(&f, tx_commit(&f.tx, &f.err));

    MUST(&f, store_tenant(f.store, STR("second"), true, &tenant_id, &found, &f.err));
    MUST(&f, tx_begin(f.store, tenant_id, &f.tx, &f.err));
    MUST(&f, connection_ensure(f.tx, STR("main"), STR("hubspot"), &f.arena, &other, &f.err));
    MUST(&f, secret_put(f.tx, other.id, STR("token"), blob, &f.err));
    expect_fail(&f, vault_get(f.vault, f.tx, other.id, "token", &got, &f.err), FAIL_CONFIG, "moved",
                "crmsync connect main");
}

static void another_key_is_told(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_SECRET struct secret got = {0};

    (void)state;
    begin_all(&f);
    put(&f, f.connection_id, "token", "pat-secret");
    vault_free(TAKE_PTR(f.vault));
    write_file(f.key, HEX_KEY, sizeof HEX_KEY - 1, 0600);
    MUST(&f, vault_open(f.key, &f.env, &f.vault, &f.err));
    expect_fail(&f, vault_get(f.vault, f.tx, f.connection_id, "token", &got, &f.err), FAIL_CONFIG,
                "sealed with another key", "connect again");
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
        cmocka_unit_test(a_secret_comes_back),
        cmocka_unit_test(every_changed_byte_and_every_cut_is_noticed),
        cmocka_unit_test(a_moved_row_does_not_open),
        cmocka_unit_test(another_key_is_told),
        cmocka_unit_test(key_files_are_checked),
        cmocka_unit_test(a_key_of_another_user_is_refused),
        cmocka_unit_test(a_new_key_file_is_ours_and_replaces_none),
        cmocka_unit_test(the_environment_is_the_last_source_and_is_emptied),
        cmocka_unit_test(a_credential_of_systemd_is_the_first_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
