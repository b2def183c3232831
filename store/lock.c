#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/when.h"

enum { NOTE_BYTES_MAX = 512 };

/* "12:03:10Z" for today, with the date for another day. */
static void format_since(int64_t since_ms, int64_t now_ms, char ret[WHEN_TEXT_BYTES])
{
    char today[WHEN_TEXT_BYTES];
    size_t date_len = sizeof "2026-11-21T" - 1;

    when_format_seconds(since_ms, ret);
    when_format_seconds(now_ms, today);
    if (strncmp(ret, today, date_len) == 0) {
        memmove(ret, ret + date_len, strlen(ret + date_len) + 1);
    }
}

/* The note may be missing or cut when its writer has only just begun. */
static enum fail fail_held(const char *store_path, struct str note, int64_t now_ms,
                           struct error *err)
{
    struct str pid = str_cut(&note, '\n');
    struct str since_text = str_cut(&note, '\n');
    struct str holder = str_cut(&note, '\n');
    char since[WHEN_TEXT_BYTES];
    int64_t pid_number, since_ms;

    if (str_to_i64(pid, &pid_number) && str_to_i64(since_text, &since_ms) && holder.len) {
        format_since(since_ms, now_ms, since);
        error_set(err, FAIL_CONFIG,
                  "store '%s' is in use by process %" PRId64 ", '%" PRI_STR "', since %s",
                  store_path, pid_number, STR_ARG(holder), since);
    } else {
        error_set(err, FAIL_CONFIG, "store '%s' is in use by another process", store_path);
    }
    if (str_equal(holder, STR("crmsync serve"))) {
        return error_hint(err, "this needs the store for itself: stop the service, and start it "
                               "again afterwards; 'sync', 'reconcile', what edits or decides, "
                               "and what only reads works beside it");
    }
    return error_hint(err, "wait for it to end, or stop it; reading commands work meanwhile");
}

static enum fail fail_lock_file(const char *lock_path, int cause, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot use lock file '%s': %s", lock_path, strerror(cause));
    return error_hint(err, "check owner and mode of the folder");
}

/* Only people read it, so a failed write is no failure. */
static void write_note(int fd, const char *holder, int64_t now_ms)
{
    char note[NOTE_BYTES_MAX];
    int len = snprintf(note, sizeof note, "%d\n%" PRId64 "\n%s\n", (int)getpid(), now_ms, holder);
    size_t bytes = len < (int)sizeof note ? (size_t)len : sizeof note - 1;

    if (ftruncate(fd, 0) != 0 || pwrite(fd, note, bytes, 0) != (ssize_t)bytes) {
        return;
    }
}

static enum fail take(int fd, const char *store_path, const char *holder, int64_t now_ms,
                      struct error *err)
{
    char note[NOTE_BYTES_MAX];
    ssize_t count;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail_lock_file(store_path, errno, err);
        }
        count = pread(fd, note, sizeof note, 0);
        return fail_held(store_path, (struct str){.at = note, .len = count > 0 ? (size_t)count : 0},
                         now_ms, err);
    }
    write_note(fd, holder, now_ms);
    return OK;
}

enum fail lock_take(const char *store_path, const char *holder, int64_t now_ms, int *ret_fd,
                    struct error *err)
{
    AUTO_FREE char *lock_path = alloc_printf("%s.lock", store_path);
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return fail_lock_file(lock_path, errno, err);
    }
    if (take(fd, store_path, holder, now_ms, err) != OK) {
        close(fd);
        return err->code;
    }
    *ret_fd = fd;
    return OK;
}

void lock_release(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}
