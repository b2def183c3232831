#include "core/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fail fail_file(const char *path, const char *what, const char *why, struct error *err)
{
    return error_set(err, FAIL_CONFIG, "cannot use %s '%s': %s", what, path, why);
}

static enum fail check_facts(int fd, const char *path, const char *what, struct error *err)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0) {
        return fail_file(path, what, strerror(errno), err);
    }
    if (!S_ISREG(facts.st_mode)) {
        return fail_file(path, what, "it is not a regular file", err);
    }
    if (facts.st_uid != geteuid() && facts.st_uid != 0) {
        fail_file(path, what, "it belongs to another user", err);
        return error_hint(err, "chown it to the user that runs crmsync");
    }
    if (facts.st_mode & 077) {
        fail_file(path, what, "it can be read by others", err);
        return error_hint(err, "chmod 600 %s; if others may have read it, replace what is in it",
                          path);
    }
    return OK;
}

static enum fail read_all(int fd, const char *path, const char *what, struct secret *ret,
                          struct error *err)
{
    char bytes[PRIVATE_FILE_BYTES_MAX + 1];
    ssize_t count = read(fd, bytes, sizeof bytes);

    if (count > 0 && count <= PRIVATE_FILE_BYTES_MAX) {
        secret_set(ret, (struct str){.at = bytes, .len = (size_t)count});
        OPENSSL_cleanse(bytes, sizeof bytes);
        return OK;
    }
    fail_file(path, what,
              count < 0    ? strerror(errno)
              : count == 0 ? "it is empty"
                           : "it is too large",
              err);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return err->code;
}

enum fail private_file_read(const char *path, const char *what, struct secret *ret,
                            struct error *err)
{
    /* Not blocking, so that a pipe in its place cannot hold us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    enum fail failed;

    if (fd < 0) {
        fail_file(path, what, errno == ELOOP ? "it is a symbolic link" : strerror(errno), err);
        return error_hint(err, "check the path in the configuration, and owner and mode");
    }
    failed = check_facts(fd, path, what, err);
    failed = failed ? failed : read_all(fd, path, what, ret, err);
    close(fd);
    return failed;
}
