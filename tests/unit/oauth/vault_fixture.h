/* A vault over a store of its own for each test, in a temporary folder that goes with the test. */
#ifndef CRMSYNC_TESTS_VAULT_FIXTURE_H
#define CRMSYNC_TESTS_VAULT_FIXTURE_H

#include "tests/expect.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oauth/vault.h"
#include "store/connection.h"
#include "store/inside.h"
#include "store/secret.h"

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

static inline void expect_fail(struct fixture *f, enum fail got, enum fail want,
                               const char *message, const char *hint)
{
    EXPECT(got == want, "wanted %s '%s', got %s '%s'", fail_name(want), message, fail_name(got),
           f->err.message);
    EXPECT(strstr(f->err.message, message), "'%s' is not in '%s'", message, f->err.message);
    EXPECT(strstr(f->err.hint, hint), "'%s' is not in '%s'", hint, f->err.hint);
    error_reset(&f->err);
}

static inline void write_file(const char *path, const char *at, size_t len, mode_t mode)
{
    int fd;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, at, len) == (ssize_t)len && fchmod(fd, mode) == 0);
    close(fd);
}

static inline void begin(struct fixture *f)
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

static inline void begin_all(struct fixture *f)
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

static inline void end(struct fixture *f)
{
    static const char *const FILES[] = {"key",      "key.next", "new",       "s.db",
                                        "s.db-wal", "s.db-shm", "s.db.lock", "crmsync-key"};
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

static inline void put(struct fixture *f, int64_t connection_id, const char *name, const char *text)
{
    AUTO_SECRET struct secret secret = {0};

    secret_set(&secret, str_of(text));
    MUST(f, vault_put(f->vault, f->tx, connection_id, name, &secret, &f->err));
}

static inline struct store_secret stored(struct fixture *f, int64_t connection_id, const char *name)
{
    struct store_secret row;
    bool found;

    MUST(f, secret_find(f->tx, connection_id, str_of(name), &f->arena, &row, &found, &f->err));
    assert_true(found);
    return row;
}

/* As somebody would who can write to the store: whatever generation is there. */
static inline void plant(struct fixture *f, struct store_secret row)
{
    struct stmt *stmt;

    stmt = tx_stmt(f->tx,
                   "DELETE FROM secret WHERE tenant_id = $1 AND connection_id = $2 AND name = $3");
    stmt_bind_i64(stmt, 2, row.connection_id);
    stmt_bind_str(stmt, 3, row.name);
    MUST(f, stmt_run(stmt, &f->err));
    MUST(f, secret_put(f->tx, &row, &f->err));
}

static inline void expect_secret(struct fixture *f, int64_t connection_id, const char *name,
                                 const char *want)
{
    AUTO_SECRET struct secret secret = {0};

    MUST(f, vault_get(f->vault, f->tx, connection_id, name, &secret, NULL, &f->err));
    EXPECT_STR(secret_expose(&secret), str_of(want), name);
}

static inline void use_key(struct fixture *f, const char *hex)
{
    vault_free(TAKE_PTR(f->vault));
    write_file(f->key, hex, strlen(hex), 0600);
    MUST(f, vault_open(f->key, &f->env, &f->vault, &f->err));
}

static inline size_t data_keys(struct fixture *f, struct store_data_key *ret_active)
{
    struct store_data_key *rows;
    size_t count;
    bool found;

    MUST(f, data_key_list(f->tx, &f->arena, &rows, &count, &f->err));
    MUST(f, data_key_find(f->tx, STR(""), &f->arena, ret_active, &found, &f->err));
    assert_true(found);
    return count;
}

/* As versions up to 0.2.0 sealed "pat-secret" with HEX_KEY, for tenant 1, connection 1, name "token"; made with another implementation. */
static const char HEX_V1[] =
    "76313437373364313265000102030405060708090a0b6679c11b332caec4ac4f291c3acdae48"
    "2c28879823e2483a8902";

#endif
