#include "oauth/kek.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/digest.h"

enum { KEY_HEX = 2 * SEAL_KEY_BYTES };

/* --- what it looks like -------------------------------------------------------------------------------------- */

static enum fail fail_key_text(const char *source, struct error *err)
{
    error_set(err, FAIL_CONFIG, "%s does not hold a key: 64 hexadecimal characters are expected",
              source);
    return error_hint(err,
                      "make one with 'openssl rand -hex 32', or 'crmsync init' for a new store");
}

static void set_id(struct kek *kek)
{
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    sha256((struct str){.at = (const char *)kek->bytes, .len = SEAL_KEY_BYTES}, hash);
    hex_encode(hash, SHA256_BYTES, hex);
    memcpy(kek->id, hex, KEK_ID_CHARS);
}

/* 32 bytes as they are, or as 64 hexadecimal characters; white space around the latter is no part of it. */
static enum fail set_from_text(struct kek *kek, size_t len, const char *source, struct error *err)
{
    struct str text = {.at = kek->text, .len = len};
    bool is_key = true;

    if (len == SEAL_KEY_BYTES) {
        memcpy(kek->bytes, kek->text, SEAL_KEY_BYTES);
    } else {
        is_key = hex_decode(str_trim(text), kek->bytes, SEAL_KEY_BYTES);
    }
    OPENSSL_cleanse(kek->text, sizeof kek->text);
    if (!is_key) {
        return fail_key_text(source, err);
    }
    set_id(kek);
    return OK;
}

/* --- files --------------------------------------------------------------------------------------------------- */

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
        return error_hint(err, "chmod 600 %s; if others may have read it, 'crmsync keys rotate'",
                          path);
    }
    return OK;
}

static enum fail read_key(struct kek *kek, int fd, const char *path, bool is_checked,
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
    count = read(fd, kek->text, sizeof kek->text);
    if (count < 0) {
        return fail_file(path, strerror(errno), err);
    }
    return set_from_text(kek, (size_t)count, path, err);
}

/* A file that is not there is no failure. is_checked: mode and owner are ours to answer for; those of a systemd
 * credential are systemd's. */
static enum fail load_file(struct kek *kek, const char *path, bool is_checked, struct error *err)
{
    /* Not blocking, so that a pipe in its place cannot hold us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    enum fail failed;

    kek->source = KEK_NONE;
    if (fd < 0 && errno == ENOENT) {
        return OK;
    }
    if (fd < 0) {
        fail_file(path, errno == ELOOP ? "it is a symbolic link" : strerror(errno), err);
        return error_hint(err, "check 'key_file' in the configuration, and owner and mode");
    }
    failed = read_key(kek, fd, path, is_checked, err);
    close(fd);
    if (failed == OK) {
        kek->source = is_checked ? KEK_FILE : KEK_CREDENTIAL;
    }
    return failed;
}

enum fail kek_load_file(const char *path, struct kek *ret, struct error *err)
{
    return load_file(ret, path, true, err);
}

static enum fail fail_write(const char *path, int cause, struct error *err)
{
    error_set(err, FAIL_STOP, "cannot write key file '%s': %s", path, strerror(cause));
    return error_hint(err, "check the free space");
}

/* A name is on the disk when its folder is. */
static bool sync_folder(const char *path)
{
    AUTO_FREE char *copy = alloc_dup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return is_done;
}

enum fail kek_write_file(const char *path, struct kek *kek, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int cause = errno;
    bool is_written;

    if (fd < 0) {
        error_set(err, FAIL_CONFIG, "cannot create key file '%s': %s", path, strerror(cause));
        return error_hint(err, cause == EEXIST
                                   ? "an existing key is never replaced: tokens are sealed with it"
                                   : "check 'key_file' in the configuration, and the folder");
    }
    hex_encode(kek->bytes, SEAL_KEY_BYTES, kek->text);
    kek->text[KEY_HEX] = '\n';
    is_written = write(fd, kek->text, KEY_HEX + 1) == KEY_HEX + 1 && fsync(fd) == 0;
    cause = errno;
    OPENSSL_cleanse(kek->text, sizeof kek->text);
    close(fd);
    if (!is_written || !sync_folder(path)) {
        cause = is_written ? errno : cause;
        unlink(path);
        return fail_write(path, cause, err);
    }
    return OK;
}

enum fail kek_rename_file(const char *from, const char *to, struct error *err)
{
    return rename(from, to) == 0 && sync_folder(to) ? OK : fail_write(to, errno, err);
}

/* --- sources ------------------------------------------------------------------------------------------------- */

static enum fail load_credential(struct kek *kek, struct error *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    AUTO_FREE char *path = folder ? alloc_printf("%s/crmsync-key", folder) : NULL;

    return path ? load_file(kek, path, false, err) : OK;
}

static enum fail load_environment(struct kek *kek, struct error *err)
{
    char *value = getenv("CRMSYNC_KEY");
    size_t len = value ? strlen(value) : 0;
    enum fail failed;

    if (len == 0) {
        return OK;
    }
    /* 32 characters here are a passphrase by mistake, not a key. */
    if (len < KEY_HEX || len > sizeof kek->text) {
        failed = fail_key_text(kek_source_name(KEK_ENVIRONMENT), err);
    } else {
        memcpy(kek->text, value, len);
        failed = set_from_text(kek, len, kek_source_name(KEK_ENVIRONMENT), err);
    }
    OPENSSL_cleanse(value, len); /* /proc shows the environment */
    unsetenv("CRMSYNC_KEY");
    if (failed == OK) {
        kek->source = KEK_ENVIRONMENT;
    }
    return failed;
}

enum fail kek_load(const char *key_file, struct kek *ret, struct error *err)
{
    ret->source = KEK_NONE;
    if (load_credential(ret, err) != OK ||
        (ret->source == KEK_NONE && key_file[0] && load_file(ret, key_file, true, err) != OK) ||
        (ret->source == KEK_NONE && load_environment(ret, err) != OK)) {
        return err->code;
    }
    return OK;
}

void kek_make(struct random *random, struct kek *ret)
{
    random_bytes(random, ret->bytes, sizeof ret->bytes);
    set_id(ret);
    ret->source = KEK_FILE;
}

const char *kek_source_name(enum kek_source source)
{
    switch (source) {
    case KEK_NONE:
        return "nothing";
    case KEK_CREDENTIAL:
        return "systemd credential";
    case KEK_FILE:
        return "key file";
    case KEK_ENVIRONMENT:
        return "environment variable CRMSYNC_KEY";
    }
    return "unknown";
}
