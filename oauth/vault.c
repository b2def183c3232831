#include "oauth/vault.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/digest.h"
#include "oauth/inside.h"
#include "oauth/keys.h"
#include "store/connection.h"

enum {
    VERSION_LEN = 2,
    BOUND_BYTES_MAX = 512,
    DATA_KEY_ID_BYTES = 8,
    DATA_KEY_ID_CHARS = 2 * DATA_KEY_ID_BYTES,
    /* "v1", key id, sealed */
    V1_HEAD = VERSION_LEN + KEK_ID_CHARS,
    /* "v2", data key id, sealed */
    V2_HEAD = VERSION_LEN + DATA_KEY_ID_CHARS,
    /* "k1", key id, sealed data key */
    WRAPPED_HEAD = VERSION_LEN + KEK_ID_CHARS,
    WRAPPED_BYTES = WRAPPED_HEAD + SEAL_KEY_BYTES + SEAL_EXTRA_BYTES,
};

#define V1 "v1"
#define V2 "v2"
#define WRAPPED "k1"

/* --- memory -------------------------------------------------------------------------------------------------- */

static size_t page_bytes(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (sizeof(struct vault) + page - 1) / page * page;
}

/* Locking may be forbidden by a limit; then the key is as safe as the rest of the process. */
static struct vault *vault_new(const char *key_file, struct env *env)
{
    struct vault *vault =
        mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (vault == MAP_FAILED) {
        abort();
    }
    if (mlock(vault, page_bytes()) != 0 || madvise(vault, page_bytes(), MADV_DONTDUMP) != 0) {
        LOG_EVENT(env->log, LOG_DEBUG, "key memory not locked",
                  LOG_S("reason", str_of(strerror(errno))));
    }
    vault->env = env;
    vault->key_file = alloc_dup(key_file ? key_file : "");
    vault->next_file = alloc_printf("%s.next", vault->key_file);
    pthread_mutex_init(&vault->lock, NULL);
    return vault;
}

void vault_free(struct vault *vault)
{
    if (vault) {
        pthread_mutex_destroy(&vault->lock);
        free(vault->key_file);
        free(vault->next_file);
        OPENSSL_cleanse(vault, sizeof *vault);
        munmap(vault, page_bytes());
    }
}

/* --- the key-encryption key ---------------------------------------------------------------------------------- */

const char *vault_key_source(const struct vault *vault)
{
    return kek_source_name(vault->key.source != KEK_NONE ? vault->key.source : vault->next.source);
}

const char *vault_key_id(const struct vault *vault)
{
    return vault->key.source != KEK_NONE ? vault->key.id : vault->next.id;
}

/* The next key is not there but for a moment, or after a crash. One that cannot be read is none: it was never in use, or the store will say
 * which key it needs. */
static void load_next(struct vault *vault, struct kek *ret)
{
    struct error ignored = {0};

    ret->source = KEK_NONE;
    if (vault->key_file[0] && kek_load_file(vault->next_file, ret, &ignored) != OK) {
        ret->source = KEK_NONE;
    }
}

static enum fail fail_no_key(const struct vault *vault, struct error *err)
{
    error_set(err, FAIL_CONFIG, "there is no key to open the tokens with: no file '%s'",
              vault->key_file);
    return error_hint(err, "restore the key file, set CRMSYNC_KEY, or make a new key with "
                           "'crmsync init' and connect again");
}

enum fail vault_open(const char *key_file, struct env *env, struct vault **ret, struct error *err)
{
    struct vault *vault = vault_new(key_file, env);

    load_next(vault, &vault->next);
    if (kek_load(vault->key_file, &vault->key, err) != OK ||
        (vault->key.source == KEK_NONE && vault->next.source == KEK_NONE &&
         fail_no_key(vault, err) != OK)) {
        vault_free(vault);
        return err->code;
    }
    *ret = vault;
    return OK;
}

enum fail vault_create_key_file(const char *key_file, struct env *env, struct error *err)
{
    struct kek kek = {0};
    enum fail failed;

    kek_make(env->random, &kek);
    failed = kek_write_file(key_file, &kek, err);
    OPENSSL_cleanse(&kek, sizeof kek);
    return failed;
}

static bool is_key(const struct kek *kek, struct str id)
{
    return kek->source != KEK_NONE && str_equal(id, str_of(kek->id));
}

/* Another process may have changed the key since we read it. id: of the key that is wanted; "": the one that is there. */
static void load_again(struct vault *vault, struct str id)
{
    struct error ignored = {0};

    if (kek_load(vault->key_file, &vault->fresh, &ignored) == OK &&
        (is_key(&vault->fresh, id) || (id.len == 0 && vault->fresh.source != KEK_NONE))) {
        vault->key = vault->fresh;
    }
    load_next(vault, &vault->fresh);
    if (is_key(&vault->fresh, id)) {
        vault->next = vault->fresh;
    }
    OPENSSL_cleanse(&vault->fresh, sizeof vault->fresh);
}

/* NULL when we do not have it. The lock is held. */
static const struct kek *kek_by_id(struct vault *vault, struct str id)
{
    if (!is_key(&vault->key, id) && !is_key(&vault->next, id)) {
        load_again(vault, id);
    }
    return is_key(&vault->key, id) ? &vault->key : is_key(&vault->next, id) ? &vault->next : NULL;
}

static enum fail fail_other_key(const struct vault *vault, struct str id, struct error *err)
{
    error_set(err, FAIL_CONFIG,
              "the stored token was sealed with another key (%" PRI_STR ", this one is %s)",
              STR_ARG(id), vault_key_id(vault));
    return error_hint(err, "give crmsync the key it was sealed with; if that is lost for good, "
                           "'crmsync keys forget' and connect again");
}

/* --- data keys ----------------------------------------------------------------------------------------------- */

static struct str bound_data_key(int64_t tenant_id, struct str id, char at[BOUND_BYTES_MAX])
{
    int len =
        snprintf(at, BOUND_BYTES_MAX, WRAPPED "|%" PRId64 "|%" PRI_STR, tenant_id, STR_ARG(id));

    assert(len > 0 && len < BOUND_BYTES_MAX);
    return (struct str){.at = at, .len = (size_t)len};
}

struct str wrapped_key_id_of(struct str wrapped)
{
    return str_slice(wrapped, VERSION_LEN, WRAPPED_HEAD);
}

/* The lock is held. */
static enum fail unwrap(struct vault *vault, int64_t tenant_id, const struct store_data_key *row,
                        struct error *err)
{
    struct str kek_id = wrapped_key_id_of(row->wrapped);
    struct str sealed = str_slice(row->wrapped, WRAPPED_HEAD, row->wrapped.len);
    const struct kek *kek;
    char bound[BOUND_BYTES_MAX];
    bool is_true = row->wrapped.len == WRAPPED_BYTES && str_starts(row->wrapped, STR(WRAPPED));

    if (is_true) {
        kek = kek_by_id(vault, kek_id);
        if (!kek) {
            return fail_other_key(vault, kek_id, err);
        }
        is_true = seal_open(kek->bytes, bound_data_key(tenant_id, row->id, bound), sealed,
                            (char *)vault->data_key);
    }
    if (!is_true) {
        error_set(err, FAIL_CONFIG,
                  "data key %" PRI_STR " of the store was changed, or moved from another place",
                  STR_ARG(row->id));
        return error_hint(err, "restore the store from a backup, or 'crmsync keys forget' and "
                               "connect again");
    }
    return OK;
}

enum fail data_key_open(struct vault *vault, int64_t tenant_id, const struct store_data_key *row,
                        struct error *err)
{
    pthread_mutex_lock(&vault->lock);
    return unwrap(vault, tenant_id, row, err);
}

void data_key_close(struct vault *vault)
{
    OPENSSL_cleanse(vault->data_key, sizeof vault->data_key);
    pthread_mutex_unlock(&vault->lock);
}

/* The lock is held. */
static enum fail wrap_new(struct vault *vault, struct str kek_id, struct str bound_to,
                          char ret[WRAPPED_BYTES], struct error *err)
{
    const struct kek *kek = kek_by_id(vault, kek_id);

    if (!kek) {
        return fail_other_key(vault, kek_id, err);
    }
    random_bytes(vault->env->random, vault->data_key, sizeof vault->data_key);
    memcpy(ret, WRAPPED, VERSION_LEN);
    memcpy(ret + VERSION_LEN, kek->id, KEK_ID_CHARS);
    seal(kek->bytes, vault->env->random, bound_to,
         (struct str){.at = (const char *)vault->data_key, .len = SEAL_KEY_BYTES},
         ret + WRAPPED_HEAD);
    return OK;
}

enum fail data_key_make(struct vault *vault, struct tx *tx, struct str kek_id, struct arena *arena,
                        struct str *ret_id, struct error *err)
{
    uint8_t random_id[DATA_KEY_ID_BYTES];
    char id[DATA_KEY_ID_CHARS + 1], wrapped[WRAPPED_BYTES], bound[BOUND_BYTES_MAX];
    enum fail failed;

    random_bytes(vault->env->random, random_id, sizeof random_id);
    hex_encode(random_id, sizeof random_id, id);
    *ret_id = arena_str(arena, str_of(id));
    pthread_mutex_lock(&vault->lock);
    failed = wrap_new(vault, kek_id, bound_data_key(tx_tenant(tx), *ret_id, bound), wrapped, err);
    data_key_close(vault);
    return failed
               ? failed
               : data_key_add(tx, *ret_id, (struct str){.at = wrapped, .len = sizeof wrapped}, err);
}

enum fail store_key_id(struct tx *tx, struct arena *arena, struct str *ret, struct error *err)
{
    int64_t *tenants, before = tx_tenant(tx);
    struct store_data_key *keys;
    size_t count, keys_count = 0;
    enum fail failed = store_tenants(tx, arena, &tenants, &count, err);

    for (size_t i = 0; failed == OK && keys_count == 0 && i < count; i++) {
        tx_tenant_set(tx, tenants[i]);
        failed = data_key_list(tx, arena, &keys, &keys_count, err);
    }
    tx_tenant_set(tx, before);
    if (failed == OK) {
        *ret = keys_count ? wrapped_key_id_of(keys[0].wrapped) : STR("");
    }
    return failed;
}

/* Of a store without data keys: the key that is there now, which may not be the one that we read. Arena's. */
static struct str present_key_id(struct vault *vault, struct arena *arena)
{
    struct str id;

    pthread_mutex_lock(&vault->lock);
    load_again(vault, STR(""));
    id = arena_str(arena, str_of(vault_key_id(vault)));
    pthread_mutex_unlock(&vault->lock);
    return id;
}

static bool is_worn_out(const struct vault *vault, const struct store_data_key *row)
{
    return row->uses >= DATA_KEY_USES_MAX ||
           clock_wall_ms(vault->env->clock) - row->created_ms >= DATA_KEY_AGE_MAX_MS;
}

/* The store is wrapped with one key; a data key that another one opens must not come in. */
enum fail data_key_ensure(struct vault *vault, struct tx *tx, struct arena *arena,
                          struct str *ret_id, struct error *err)
{
    struct store_data_key row = {0};
    struct str kek_id;
    bool found;

    if (data_key_find(tx, STR(""), arena, &row, &found, err) != OK) {
        return err->code;
    }
    if (found && !is_worn_out(vault, &row)) {
        *ret_id = row.id;
        return OK;
    }
    if (store_key_id(tx, arena, &kek_id, err) != OK) {
        return err->code;
    }
    return data_key_make(vault, tx, kek_id.len ? kek_id : present_key_id(vault, arena), arena,
                         ret_id, err);
}

/* --- secrets ------------------------------------------------------------------------------------------------- */

/* What a blob is bound to: in another place of the table it does not open, nor does an older one in the same place. */
static struct str bound_secret(const char *version, int64_t tenant_id,
                               const struct store_secret *row, char at[BOUND_BYTES_MAX])
{
    int len = snprintf(at, BOUND_BYTES_MAX, "%s|%" PRId64 "|%" PRId64 "|%" PRI_STR, version,
                       tenant_id, row->connection_id, STR_ARG(row->name));

    assert(len > 0 && len < BOUND_BYTES_MAX); /* names are ours */
    if (strcmp(version, V1) != 0) {
        len += snprintf(at + len, BOUND_BYTES_MAX - (size_t)len, "|%" PRId64, row->generation);
        assert(len < BOUND_BYTES_MAX);
    }
    return (struct str){.at = at, .len = (size_t)len};
}

struct str data_key_id_of(struct str blob)
{
    return blob.len >= V2_HEAD && str_starts(blob, STR(V2)) ? str_slice(blob, VERSION_LEN, V2_HEAD)
                                                            : STR("");
}

enum fail secret_seal(struct vault *vault, struct tx *tx, struct str data_key_id,
                      const struct secret *secret, struct arena *arena, struct store_secret *row,
                      struct error *err)
{
    struct str plain = secret_expose(secret);
    struct store_data_key key;
    size_t len = V2_HEAD + plain.len + SEAL_EXTRA_BYTES;
    char *blob = arena_alloc(arena, len, 1);
    char bound[BOUND_BYTES_MAX];
    enum fail failed;
    bool found;

    if (data_key_find(tx, data_key_id, arena, &key, &found, err) != OK ||
        data_key_use(tx, data_key_id, err) != OK) {
        return err->code;
    }
    assert(found && data_key_id.len == DATA_KEY_ID_CHARS);
    failed = data_key_open(vault, tx_tenant(tx), &key, err);
    if (failed == OK) {
        memcpy(blob, V2, VERSION_LEN);
        memcpy(blob + VERSION_LEN, data_key_id.at, DATA_KEY_ID_CHARS);
        seal(vault->data_key, vault->env->random, bound_secret(V2, tx_tenant(tx), row, bound),
             plain, blob + V2_HEAD);
        row->blob = (struct str){.at = blob, .len = len};
    }
    data_key_close(vault);
    return failed;
}

static enum fail put(struct vault *vault, struct tx *tx, struct store_secret *row,
                     const struct secret *secret, struct arena *arena, struct error *err)
{
    struct str data_key_id;

    row->generation++;
    if (data_key_ensure(vault, tx, arena, &data_key_id, err) != OK ||
        secret_seal(vault, tx, data_key_id, secret, arena, row, err) != OK) {
        return err->code;
    }
    return secret_put(tx, row, err);
}

enum fail vault_put_if(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                       const struct secret *secret, int64_t expected_generation,
                       int64_t *ret_generation, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_secret row;
    bool found;

    if (secret->len > SECRET_BYTES_MAX) {
        return error_set(err, FAIL_CONFIG, "a token of %zu bytes is too long", secret->len);
    }
    if (secret_find(tx, connection_id, str_of(name), &arena, &row, &found, err) != OK) {
        return err->code;
    }
    if ((found ? row.generation : 0) != expected_generation) {
        return error_set(err, FAIL_STALE, "the stored token was replaced meanwhile");
    }
    if (put(vault, tx, &row, secret, &arena, err) != OK) {
        return err->code;
    }
    if (ret_generation) {
        *ret_generation = row.generation;
    }
    return OK;
}

enum fail vault_put(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    const struct secret *secret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_secret row;
    bool found;

    if (secret_find(tx, connection_id, str_of(name), &arena, &row, &found, err) != OK) {
        return err->code;
    }
    return vault_put_if(vault, tx, connection_id, name, secret, found ? row.generation : 0, NULL,
                        err);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

/* The name of the connection is only for the hint; without it the hint is general. */
static enum fail hint_connect(struct tx *tx, int64_t connection_id, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_connection row = {.name = STR("NAME")};
    struct error ignored = {0};
    bool found;

    if (connection_by_id(tx, connection_id, &arena, &row, &found, &ignored) != OK || !found) {
        row.name = STR("NAME");
    }
    return error_hint(err, "run 'crmsync connect %" PRI_STR "'", STR_ARG(row.name));
}

static enum fail fail_damaged(struct tx *tx, const struct store_secret *row, const char *what,
                              struct error *err)
{
    error_set(err, FAIL_CONFIG, "the stored token %s", what);
    return hint_connect(tx, row->connection_id, err);
}

/* Of earlier versions: sealed by the key-encryption key, bound to no generation. */
static enum fail open_v1(struct vault *vault, struct tx *tx, const struct store_secret *row,
                         char *plain, struct error *err)
{
    struct str id = str_slice(row->blob, VERSION_LEN, V1_HEAD);
    const struct kek *kek;
    char bound[BOUND_BYTES_MAX];
    enum fail failed = OK;
    bool is_true = false;

    pthread_mutex_lock(&vault->lock);
    kek = kek_by_id(vault, id);
    if (kek) {
        is_true = seal_open(kek->bytes, bound_secret(V1, tx_tenant(tx), row, bound),
                            str_slice(row->blob, V1_HEAD, row->blob.len), plain);
    } else {
        failed = fail_other_key(vault, id, err);
    }
    pthread_mutex_unlock(&vault->lock);
    if (failed != OK) {
        return failed;
    }
    return is_true ? OK : fail_damaged(tx, row, "was changed, or moved from another place", err);
}

static enum fail open_v2(struct vault *vault, struct tx *tx, const struct store_secret *row,
                         char *plain, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_data_key key;
    char bound[BOUND_BYTES_MAX];
    enum fail failed;
    bool found, is_true = false;

    if (data_key_find(tx, data_key_id_of(row->blob), &arena, &key, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return fail_damaged(tx, row, "names a data key that the store does not have", err);
    }
    failed = data_key_open(vault, tx_tenant(tx), &key, err);
    if (failed == OK) {
        is_true = seal_open(vault->data_key, bound_secret(V2, tx_tenant(tx), row, bound),
                            str_slice(row->blob, V2_HEAD, row->blob.len), plain);
    }
    data_key_close(vault);
    if (failed != OK) {
        return failed;
    }
    return is_true ? OK : fail_damaged(tx, row, "was changed, or moved from another place", err);
}

static enum fail open_blob(struct vault *vault, struct tx *tx, const struct store_secret *row,
                           char *plain, struct error *err)
{
    if (str_starts(row->blob, STR(V2)) && row->blob.len >= V2_HEAD + SEAL_EXTRA_BYTES) {
        return open_v2(vault, tx, row, plain, err);
    }
    if (str_starts(row->blob, STR(V1)) && row->blob.len >= V1_HEAD + SEAL_EXTRA_BYTES) {
        return open_v1(vault, tx, row, plain, err);
    }
    return fail_damaged(tx, row, "is damaged", err);
}

enum fail secret_open(struct vault *vault, struct tx *tx, const struct store_secret *row,
                      struct secret *ret, struct error *err)
{
    size_t head = str_starts(row->blob, STR(V1)) ? V1_HEAD : V2_HEAD;
    AUTO_FREE char *plain = NULL;
    enum fail failed;

    if (row->blob.len > V2_HEAD + SEAL_EXTRA_BYTES + SECRET_BYTES_MAX) {
        return fail_damaged(tx, row, "is damaged", err);
    }
    plain = alloc_new(row->blob.len + 1, 1);
    failed = open_blob(vault, tx, row, plain, err);
    if (failed == OK) {
        secret_set(ret, (struct str){.at = plain, .len = row->blob.len - head - SEAL_EXTRA_BYTES});
    }
    OPENSSL_cleanse(plain, row->blob.len + 1);
    return failed;
}

enum fail vault_get(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    struct secret *ret, int64_t *ret_generation, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_secret row;
    bool found;

    if (secret_find(tx, connection_id, str_of(name), &arena, &row, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_AUTH, "no token stored");
        return hint_connect(tx, connection_id, err);
    }
    if (secret_open(vault, tx, &row, ret, err) != OK) {
        return err->code;
    }
    if (ret_generation) {
        *ret_generation = row.generation;
    }
    return OK;
}

enum fail vault_remove(struct tx *tx, int64_t connection_id, const char *name, bool *ret_found,
                       struct error *err)
{
    return secret_remove(tx, connection_id, str_of(name), ret_found, err);
}
