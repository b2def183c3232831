/* One writing process for each store: a lock file beside it that says who holds it. The lock is the kernel's (flock), so
 * it ends with its process however that ends; the file itself stays. Inside the store folder only. */
#ifndef CRMSYNC_STORE_LOCK_H
#define CRMSYNC_STORE_LOCK_H

#include <stdint.h>

#include "core/fail.h"

/* Locks "<store_path>.lock" for this process and returns its descriptor, to be closed at the end. FAIL_CONFIG when another
 * process holds it (the message says which), or when the file cannot be made. */
enum fail lock_take(const char *store_path, const char *holder, int64_t now_ms, int *ret_fd,
                    struct error *err) MUST_CHECK;
void lock_release(int fd); /* accepts -1 */

#endif
