#include "oauth/vault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/digest.h"
#include "store/connection.h"

enum {
    KEY_BYTES = 32,
    KEY_HEX = 2 * KEY_BYTES,
    KEY_TEXT_MAX = KEY_HEX + 8, /* with line ends around it */
    KID_LEN = 8,
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    AAD_BYTES_MAX = 512,
    SECRET_BYTES_MAX = 64 * 1024,
};

/* A sealed blob: "v1", key id, nonce, ciphertext, tag, without separators. */
#define BLOB_VERSION "v1"
enum {
    VERSION_LEN = 2,
    HEAD_BYTES = VERSION_LEN + KID_LEN + NONCE_BYTES,
    BLOB_BYTES_MIN = HEAD_BYTES + TAG_BYTES,
};

/* Lives on pages of its own that are neither swapped nor dumped. */
struct vault {
    struct env *env; /* borrowed */
    char kid[KID_LEN + 1];
    uint8_t key[KEY_BYTES];
    char text[KEY_TEXT_MAX]; /* the key as it was written down, while it is read */
};

/* --- memory -------------------------------------------------------------------------------------------------- */

static size_t page_bytes(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (sizeof(struct vault) + page - 1) / page * page;
}

/* Locking may be forbidden by a limit; then the key is as safe as the rest of the process. */
static struct vault *vault_new(struct env *env)
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
    return vault;
}

void vault_free(struct vault *vault)
{
    if (vault) {
        OPENSSL_cleanse(vault, sizeof *vault);
        munmap(vault, page_bytes());
    }
}

/* --- the master key ------------------------------------------------------------------------------------------ */

static enum fail fail_key_text(const char *source, struct error *err)
{
    error_set(err, FAIL_CONFIG, "%s does not hold a key: 64 hexadecimal characters are expected",
              source);
    return error_hint(err,
                      "make one with 'openssl rand -hex 32', or 'crmsync init' for a new store");
}

/* 32 bytes as they are, or as 64 hexadecimal characters; white space around the latter is no part of it. */
static enum fail key_set(struct vault *vault, size_t len, const char *source, struct error *err)
{
    struct str text = {.at = vault->text, .len = len};
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    if (len == KEY_BYTES) {
        memcpy(vault->key, vault->text, KEY_BYTES);
    } else if (!hex_decode(str_trim(text), vault->key, KEY_BYTES)) {
        OPENSSL_cleanse(vault->text, sizeof vault->text);
        return fail_key_text(source, err);
    }
    OPENSSL_cleanse(vault->text, sizeof vault->text);
    sha256((struct str){.at = (const char *)vault->key, .len = KEY_BYTES}, hash);
    hex_encode(hash, SHA256_BYTES, hex);
    memcpy(vault->kid, hex, KID_LEN);
    return OK;
}

static enum fail fail_file(const char *path, const char *why, struct error *err)
{
    return error_set(err, FAIL_CONFIG, "cannot use key file '%s': %s", path, why);
}

static enum fail check_facts(const char *path, const struct stat *facts, struct error *err)
{
    if (!S_ISREG(facts->st_mode)) {
        return fail_file(path, "it is not a regular file", err);
    }
    if (facts->st_uid != geteuid()) {
        fail_file(path, "it belongs to another user", err);
        return error_hint(err, "chown it to the user that runs crmsync");
    }
    if (facts->st_mode & 077) {
        fail_file(path, "others can read it", err);
        return error_hint(err, "chmod 600 %s; if others may have read it, make a new key", path);
    }
    return OK;
}

static enum fail read_key(struct vault *vault, int fd, const char *path, bool is_checked,
                          struct error *err)
{
    struct stat facts;
    ssize_t count;

    if (fstat(fd, &facts) != 0) {
        return fail_file(path, strerror(errno), err);
    }
    if (is_checked && check_facts(path, &facts, err) != OK) {
        return err->code;
    }
    count = read(fd, vault->text, sizeof vault->text);
    if (count < 0) {
        return fail_file(path, strerror(errno), err);
    }
    return key_set(vault, (size_t)count, path, err);
}

/* A file that is not there is no failure. is_checked: mode and owner are ours to answer for; those of a systemd
 * credential are systemd's. */
static enum fail load_file(struct vault *vault, const char *path, bool is_checked, bool *ret_found,
                           struct error *err)
{
    /* Not blocking, so that a pipe in its place cannot hold us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    enum fail failed;

    if (fd < 0 && errno == ENOENT) {
        *ret_found = false;
        return OK;
    }
    if (fd < 0) {
        fail_file(path, errno == ELOOP ? "it is a symbolic link" : strerror(errno), err);
        return error_hint(err, "check 'key_file' in the configuration, and owner and mode");
    }
    failed = read_key(vault, fd, path, is_checked, err);
    close(fd);
    *ret_found = true;
    return failed;
}

static enum fail load_credential(struct vault *vault, bool *ret_found, struct error *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    AUTO_FREE char *path = folder ? alloc_printf("%s/crmsync-key", folder) : NULL;

    *ret_found = false;
    return path ? load_file(vault, path, false, ret_found, err) : OK;
}

static enum fail load_environment(struct vault *vault, bool *ret_found, struct error *err)
{
    char *value = getenv("CRMSYNC_KEY");
    size_t len = value ? strlen(value) : 0;
    enum fail failed;

    *ret_found = len > 0;
    if (len == 0) {
        return OK;
    }
    /* 32 characters here are a passphrase by mistake, not a key. */
    if (len < KEY_HEX || len > sizeof vault->text) {
        failed = fail_key_text("environment variable CRMSYNC_KEY", err);
    } else {
        memcpy(vault->text, value, len);
        failed = key_set(vault, len, "environment variable CRMSYNC_KEY", err);
    }
    OPENSSL_cleanse(value, len); /* /proc shows the environment */
    unsetenv("CRMSYNC_KEY");
    return failed;
}

static enum fail load(struct vault *vault, const char *key_file, struct error *err)
{
    bool found = false;

    if (load_credential(vault, &found, err) != OK ||
        (!found && key_file && key_file[0] &&
         load_file(vault, key_file, true, &found, err) != OK) ||
        (!found && load_environment(vault, &found, err) != OK)) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_CONFIG, "there is no key to open the tokens with: no file '%s'",
                  key_file ? key_file : "");
        return error_hint(err, "restore the key file, set CRMSYNC_KEY, or make a new key with "
                               "'crmsync init' and connect again");
    }
    return OK;
}

enum fail vault_open(const char *key_file, struct env *env, struct vault **ret, struct error *err)
{
    struct vault *vault = vault_new(env);

    if (load(vault, key_file, err) != OK) {
        vault_free(vault);
        return err->code;
    }
    *ret = vault;
    return OK;
}

static bool write_key(int fd, struct env *env)
{
    uint8_t key[KEY_BYTES];
    char text[KEY_HEX + 2];
    bool is_written;

    random_bytes(env->random, key, sizeof key);
    hex_encode(key, sizeof key, text);
    text[KEY_HEX] = '\n';
    is_written = write(fd, text, KEY_HEX + 1) == KEY_HEX + 1 && fsync(fd) == 0;
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(text, sizeof text);
    return is_written;
}

enum fail vault_create_key_file(const char *key_file, struct env *env, struct error *err)
{
    int fd = open(key_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int cause = errno;

    if (fd < 0) {
        error_set(err, FAIL_CONFIG, "cannot create key file '%s': %s", key_file, strerror(cause));
        return error_hint(err, cause == EEXIST
                                   ? "an existing key is never replaced: tokens are sealed with it"
                                   : "check 'key_file' in the configuration, and the folder");
    }
    if (!write_key(fd, env)) {
        cause = errno;
        close(fd);
        unlink(key_file);
        error_set(err, FAIL_STOP, "cannot write key file '%s': %s", key_file, strerror(cause));
        return error_hint(err, "check the free space");
    }
    close(fd);
    return OK;
}

/* --- sealing ------------------------------------------------------------------------------------------------- */

/* What a blob is bound to: in another place of the table it does not open. */
static struct str aad_of(struct tx *tx, int64_t connection_id, const char *name,
                         char at[AAD_BYTES_MAX])
{
    int len = snprintf(at, AAD_BYTES_MAX, BLOB_VERSION "|%" PRId64 "|%" PRId64 "|%s", tx_tenant(tx),
                       connection_id, name);

    assert(len > 0 && len < AAD_BYTES_MAX); /* names are ours */
    return (struct str){.at = at, .len = (size_t)len};
}

/* OpenSSL fails here only when it is broken or out of memory: neither leaves anything to go on with. */
static void must(int is_done)
{
    if (is_done != 1) {
        abort();
    }
}

static const unsigned char *bytes_of(const char *at)
{
    return (const unsigned char *)at;
}

static void encrypt(const struct vault *vault, struct str aad, struct str plain, char *blob)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char *out = (unsigned char *)blob + HEAD_BYTES;
    int len;

    must(cipher != NULL);
    must(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, vault->key,
                            bytes_of(blob) + HEAD_BYTES - NONCE_BYTES));
    must(EVP_EncryptUpdate(cipher, NULL, &len, bytes_of(aad.at), (int)aad.len));
    must(EVP_EncryptUpdate(cipher, out, &len, bytes_of(plain.at), (int)plain.len));
    must(EVP_EncryptFinal_ex(cipher, out + len, &len));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + plain.len));
    EVP_CIPHER_CTX_free(cipher);
}

enum fail vault_put(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    const struct secret *secret, struct error *err)
{
    struct str plain = secret_expose(secret);
    char aad[AAD_BYTES_MAX];
    size_t len = BLOB_BYTES_MIN + plain.len;
    AUTO_FREE char *blob = NULL;

    if (plain.len > SECRET_BYTES_MAX) {
        return error_set(err, FAIL_CONFIG, "a token of %zu bytes is too long", plain.len);
    }
    blob = alloc_new(len, 1);
    memcpy(blob, BLOB_VERSION, VERSION_LEN);
    memcpy(blob + VERSION_LEN, vault->kid, KID_LEN);
    random_bytes(vault->env->random, blob + VERSION_LEN + KID_LEN, NONCE_BYTES);
    encrypt(vault, aad_of(tx, connection_id, name, aad), plain, blob);
    return secret_put(tx, connection_id, str_of(name), (struct str){.at = blob, .len = len}, err);
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

static enum fail check_head(const struct vault *vault, struct tx *tx, int64_t connection_id,
                            struct str blob, struct error *err)
{
    struct str kid = str_slice(blob, VERSION_LEN, VERSION_LEN + KID_LEN);

    if (blob.len < BLOB_BYTES_MIN || blob.len > BLOB_BYTES_MIN + SECRET_BYTES_MAX ||
        !str_starts(blob, STR(BLOB_VERSION))) {
        error_set(err, FAIL_CONFIG, "the stored token is damaged");
        return hint_connect(tx, connection_id, err);
    }
    if (!str_equal(kid, str_of(vault->kid))) {
        error_set(err, FAIL_CONFIG,
                  "the stored token was sealed with another key (%" PRI_STR ", this one is %s)",
                  STR_ARG(kid), vault->kid);
        return error_hint(err, "give crmsync the key it was sealed with, or connect again");
    }
    return OK;
}

/* False when the blob was changed or belongs to another place. plain has room for the ciphertext and a NUL. */
static bool decrypt(const struct vault *vault, struct str aad, struct str blob, char *plain)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    struct str text = str_slice(blob, HEAD_BYTES, blob.len - TAG_BYTES);
    char tag[TAG_BYTES];
    int len;
    bool is_true;

    must(cipher != NULL);
    memcpy(tag, blob.at + blob.len - TAG_BYTES, TAG_BYTES);
    must(EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, vault->key,
                            bytes_of(blob.at) + HEAD_BYTES - NONCE_BYTES));
    must(EVP_DecryptUpdate(cipher, NULL, &len, bytes_of(aad.at), (int)aad.len));
    must(EVP_DecryptUpdate(cipher, (unsigned char *)plain, &len, bytes_of(text.at), (int)text.len));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag));
    is_true = EVP_DecryptFinal_ex(cipher, (unsigned char *)plain + text.len, &len) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return is_true;
}

static enum fail open_blob(const struct vault *vault, struct str aad, struct str blob,
                           struct secret *ret, struct error *err)
{
    size_t len = blob.len - BLOB_BYTES_MIN;
    AUTO_FREE char *plain = alloc_new(len + 1, 1);
    bool is_true = decrypt(vault, aad, blob, plain);

    if (is_true) {
        secret_set(ret, (struct str){.at = plain, .len = len});
    } else {
        error_set(err, FAIL_CONFIG, "the stored token was changed, or moved from another place");
    }
    OPENSSL_cleanse(plain, len + 1);
    return is_true ? OK : err->code;
}

enum fail vault_get(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    struct secret *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    char aad[AAD_BYTES_MAX];
    struct str blob;
    bool found;

    if (secret_find(tx, connection_id, str_of(name), &arena, &blob, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_AUTH, "no token stored");
        return hint_connect(tx, connection_id, err);
    }
    if (check_head(vault, tx, connection_id, blob, err) != OK) {
        return err->code;
    }
    if (open_blob(vault, aad_of(tx, connection_id, name, aad), blob, ret, err) != OK) {
        return hint_connect(tx, connection_id, err);
    }
    return OK;
}
