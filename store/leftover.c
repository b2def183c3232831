#include "store/leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/str.h"

enum { RANDOM_CHARS = 6 };

static bool is_working_copy(struct str name, struct str store_name)
{
    struct str rest;

    if (!str_starts(name, store_name)) {
        return false;
    }
    rest = str_slice(name, store_name.len, name.len);
    return str_starts(rest, STR(SCRATCH_ENDING)) &&
           rest.len == sizeof SCRATCH_ENDING - 1 + RANDOM_CHARS;
}

static void remove_if_stale(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat facts;

    if (fd < 0) {
        return;
    }
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0 &&
        flock(fd, LOCK_EX | LOCK_NB) == 0) {
        unlinkat(folder, name, 0);
    }
    close(fd);
}

void leftovers_remove(const char *store_path)
{
    AUTO_FREE char *folder_path = alloc_dup(store_path);
    AUTO_FREE char *name_path = alloc_dup(store_path);
    const char *store_name = basename(name_path);
    DIR *folder = opendir(dirname(folder_path));
    struct dirent *entry;

    while (folder && (entry = readdir(folder)) != NULL) {
        if (is_working_copy(str_of(entry->d_name), str_of(store_name))) {
            remove_if_stale(dirfd(folder), entry->d_name);
        }
    }
    if (folder) {
        closedir(folder);
    }
}
