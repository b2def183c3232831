/* Small files that hold a secret: a token, a private key. They are taken only from where nobody else reads. */
#ifndef CRMSYNC_CORE_PRIVATE_FILE_H
#define CRMSYNC_CORE_PRIVATE_FILE_H

#include "core/fail.h"
#include "core/secret.h"

enum { PRIVATE_FILE_BYTES_MAX = 16 * 1024 };

/* The whole file. what: "token file". FAIL_CONFIG: cannot be read, a symbolic link or no regular file, somebody else's, others can read it, empty,
 * more than PRIVATE_FILE_BYTES_MAX. */
enum fail private_file_read(const char *path, const char *what, struct secret *ret,
                            struct error *err) MUST_CHECK;

#endif
