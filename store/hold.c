#include "store/hold.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/offline.h"

enum { LOOK_AGAIN_MS = 20 };

static enum fail fail_file(const char *path, int cause, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot use lock file '%s': %s", path, strerror(cause));
    return error_hint(err, "check owner and mode of the folder");
}

/* One byte of the file for each connection. A lock of the open file, not of the process: threads exclude each other as well. */
static bool try_lock(int fd, int64_t connection_id, int *ret_cause)
{
    struct flock range = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = connection_id, .l_len = 1};
    bool is_taken = fcntl(fd, F_OFD_SETLK, &range) == 0;

    *ret_cause = is_taken ? 0 : errno;
    return is_taken;
}

static enum fail wait_for(int fd, const char *path, int64_t connection_id, struct env *env,
                          int64_t wait_ms, struct error *err)
{
    int64_t until_ms = clock_mono_ms(env->clock) + wait_ms;
    int cause;

    while (!try_lock(fd, connection_id, &cause)) {
        if (cause != EAGAIN && cause != EACCES && cause != EINTR) {
            return fail_file(path, cause, err);
        }
        if (clock_mono_ms(env->clock) >= until_ms) {
            return error_set(err, FAIL_RETRY,
                             "another process has been busy with connection %" PRId64
                             " for more than %" PRId64 " s",
                             connection_id, wait_ms / 1000);
        }
        clock_wait_ms(env->clock, LOOK_AGAIN_MS);
    }
    return OK;
}

enum fail hold_take(const char *store_path, int64_t connection_id, struct env *env, int64_t wait_ms,
                    int *ret_hold, struct error *err)
{
    AUTO_FREE char *path = alloc_printf("%s.holds", store_path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    assert(!offline_is_on());
    if (fd < 0) {
        return fail_file(path, errno, err);
    }
    if (wait_for(fd, path, connection_id, env, wait_ms, err) != OK) {
        close(fd);
        return err->code;
    }
    *ret_hold = fd;
    return OK;
}

void hold_release(int hold)
{
    if (hold >= 0) {
        close(hold);
    }
}
