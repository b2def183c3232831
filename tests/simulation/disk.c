#include "tests/simulation/disk.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/str.h"

enum { SECTOR = 512, NAME_BYTES = 256, FILES_MAX = 64, REGIONS_MAX = 16, SLOTS = SQLITE_SHM_NLOCK };

/* A sector as the platter has it, while what is newer is only in the cache. */
struct old_sector {
    int64_t number;
    int64_t kept; /* which of the file's kept ones; -1: it lay behind the end, and was empty */
};

struct file {
    char name[NAME_BYTES]; /* "": free place */
    unsigned char *bytes;
    int64_t size, room;
    int64_t synced_size;
    int64_t size_most; /* what lies behind it is zero */
    struct old_sector *olds;
    size_t olds_count, olds_room;
    unsigned char (*kept)[SECTOR];
    int64_t kept_count, kept_room;
    unsigned char *is_old; /* by sector: among the olds */
    int64_t is_old_room;
    int opened;
    /* locks of the file itself */
    int shared;
    const void *reserved, *pending, *exclusive; /* who has it */
    /* shared memory, and its locks */
    void *regions[REGIONS_MAX];
    int region_bytes;
    int shm_opened;
    int slot_shared[SLOTS];
    const void *slot_exclusive[SLOTS];
};

struct disk {
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
    struct random *random;
    struct file files[FILES_MAX];
    int64_t steps, fail_at, error_at, limit;
    bool is_dead;
};

/* What SQLite holds of an open file. */
struct handle {
    sqlite3_file base;
    struct disk *disk;
    struct file *file;
    int lock;
    bool deletes_on_close, has_shm;
    bool has_slot[SLOTS]; /* shared ones */
};

static struct disk *mounted;

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)file;
}

static struct disk *disk_of(sqlite3_vfs *vfs)
{
    return (struct disk *)vfs->pAppData;
}

/* --- contents ---------------------------------------------------------------------------------------------------------------------- */

static struct file *find(struct disk *disk, const char *name)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (disk->files[i].name[0] && strcmp(disk->files[i].name, name) == 0) {
            return &disk->files[i];
        }
    }
    return NULL;
}

static struct file *add(struct disk *disk, const char *name)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (!disk->files[i].name[0]) {
            assert(strlen(name) < NAME_BYTES);
            disk->files[i] = (struct file){0};
            memcpy(disk->files[i].name, name, strlen(name) + 1);
            return &disk->files[i];
        }
    }
    assert(false && "too many files");
    return NULL;
}

/* Room of files that are no more: thousands of worlds come one after another, and the system gives and takes memory slowly. All of it is zero. */
enum { SPARES_MAX = 8 };
static struct {
    unsigned char *bytes;
    int64_t room;
} spares[SPARES_MAX];

static void spare(struct file *file)
{
    for (int i = 0; i < SPARES_MAX; i++) {
        if (!spares[i].bytes) {
            memset(file->bytes, 0, (size_t)file->size_most);
            spares[i].bytes = file->bytes;
            spares[i].room = file->room;
            return;
        }
    }
    free(file->bytes);
}

static void take_spare(struct file *file)
{
    for (int i = 0; i < SPARES_MAX; i++) {
        if (spares[i].bytes) {
            file->bytes = spares[i].bytes;
            file->room = spares[i].room;
            spares[i].bytes = NULL;
            return;
        }
    }
}

static void wipe(struct file *file)
{
    for (int i = 0; i < REGIONS_MAX; i++) {
        free(file->regions[i]);
    }
    if (file->bytes) {
        spare(file);
    }
    free(file->olds);
    free(file->kept);
    free(file->is_old);
    *file = (struct file){0};
}

static void make_room(struct file *file, int64_t bytes)
{
    int64_t room;

    if (!file->bytes) {
        take_spare(file);
    }
    room = file->room ? file->room : 16 * 1024;
    while (room < bytes) {
        room *= 2;
    }
    if (room != file->room) {
        file->bytes = alloc_resize(file->bytes, (size_t)room, 1);
        memset(file->bytes + file->room, 0, (size_t)(room - file->room));
        file->room = room;
    }
}

/* Returns which of the kept ones it is. */
static int64_t keep_bytes(struct file *file, int64_t number)
{
    if (file->kept_count == file->kept_room) {
        file->kept_room = file->kept_room ? file->kept_room * 2 : 256;
        file->kept = alloc_resize(file->kept, (size_t)file->kept_room, sizeof *file->kept);
    }
    memcpy(file->kept[file->kept_count], file->bytes + number * SECTOR, SECTOR);
    return file->kept_count++;
}

static void keep_old(struct file *file, int64_t number)
{
    struct old_sector *old;

    if (number >= file->is_old_room) {
        int64_t room = (number + 1) * 2;

        file->is_old = alloc_resize(file->is_old, (size_t)room, 1);
        memset(file->is_old + file->is_old_room, 0, (size_t)(room - file->is_old_room));
        file->is_old_room = room;
    }
    if (file->is_old[number]) {
        return;
    }
    if (file->olds_count == file->olds_room) {
        file->olds_room = file->olds_room ? file->olds_room * 2 : 1024;
        file->olds = alloc_resize(file->olds, file->olds_room, sizeof *file->olds);
    }
    file->is_old[number] = 1;
    old = &file->olds[file->olds_count++];
    old->number = number;
    old->kept = number * SECTOR < file->size ? keep_bytes(file, number) : -1;
}

/* Whole sectors: the rest of a file's last one is zero. */
static void prepare(struct file *file, int64_t from, int64_t to)
{
    make_room(file, (to / SECTOR + 1) * SECTOR);
    for (int64_t number = from / SECTOR; number * SECTOR < to; number++) {
        keep_old(file, number);
    }
}

static void grow_to(struct file *file, int64_t size)
{
    file->size = size > file->size ? size : file->size;
    file->size_most = file->size > file->size_most ? file->size : file->size_most;
}

static void flush(struct file *file)
{
    for (size_t i = 0; i < file->olds_count; i++) {
        file->is_old[file->olds[i].number] = 0;
    }
    file->olds_count = 0;
    file->kept_count = 0;
    file->synced_size = file->size;
}

/* --- the power --------------------------------------------------------------------------------------------------------------------- */

enum fate { KEPT, LOST, TORN, FATES };

static void decide(struct disk *disk, struct file *file)
{
    for (size_t i = 0; i < file->olds_count; i++) {
        const struct old_sector *old = &file->olds[i];
        unsigned char *now = file->bytes + old->number * SECTOR;
        size_t from = 0;

        switch ((enum fate)random_below(disk->random, FATES)) {
        case KEPT:
            continue;
        case LOST:
            break;
        case TORN:
            from = (size_t)random_below(disk->random, SECTOR);
            break;
        case FATES:
            break;
        }
        if (old->kept < 0) {
            memset(now + from, 0, SECTOR - from);
        } else {
            memcpy(now + from, file->kept[old->kept] + from, SECTOR - from);
        }
    }
    if (file->size != file->synced_size && random_below(disk->random, 2)) {
        file->size = file->synced_size;
    }
    if (file->size < file->size_most) {
        memset(file->bytes + file->size, 0, (size_t)(file->size_most - file->size));
    }
    flush(file);
}

void disk_kill_now(struct disk *disk)
{
    disk->is_dead = true;
    disk->fail_at = 0;
}

static void fail_now(struct disk *disk)
{
    disk_kill_now(disk);
    for (int i = 0; i < FILES_MAX; i++) {
        if (disk->files[i].name[0]) {
            decide(disk, &disk->files[i]);
        }
    }
}

/* Before every step: SQLITE_OK when it may be done. */
static int step(struct disk *disk)
{
    if (disk->is_dead) {
        errno = EIO;
        return SQLITE_IOERR;
    }
    disk->steps++;
    if (disk->fail_at && disk->steps >= disk->fail_at) {
        fail_now(disk);
        errno = EIO;
        return SQLITE_IOERR;
    }
    if (disk->error_at && disk->steps == disk->error_at) {
        errno = EIO;
        return SQLITE_IOERR;
    }
    return SQLITE_OK;
}

void disk_fail_at(struct disk *disk, int64_t at)
{
    disk->fail_at = at ? disk->steps + at : 0;
}

void disk_error_at(struct disk *disk, int64_t at)
{
    disk->error_at = at ? disk->steps + at : 0;
}

bool disk_is_dead(const struct disk *disk)
{
    return disk->is_dead;
}

void disk_revive(struct disk *disk)
{
    for (int i = 0; i < FILES_MAX; i++) {
        assert(disk->files[i].opened == 0);
    }
    disk->is_dead = false;
    disk->fail_at = 0;
    disk->error_at = 0;
}

int64_t disk_steps(const struct disk *disk)
{
    return disk->steps;
}

void disk_limit(struct disk *disk, int64_t bytes)
{
    disk->limit = bytes;
}

int64_t disk_bytes(const struct disk *disk)
{
    int64_t bytes = 0;

    for (int i = 0; i < FILES_MAX; i++) {
        bytes += disk->files[i].size;
    }
    return bytes;
}

void disk_save(const struct disk *disk)
{
    for (int i = 0; i < FILES_MAX; i++) {
        const struct file *file = &disk->files[i];
        FILE *copy = file->size ? fopen(file->name, "wb") : NULL;

        if (copy) {
            fwrite(file->bytes, 1, (size_t)file->size, copy);
            fclose(copy);
        }
    }
}

/* --- files ------------------------------------------------------------------------------------------------------------------------- */

/* A database whose name was taken from it (the store's working copies) ends with its last user. Logs have no name outside this disk. */
static bool has_lost_its_name(const struct file *file)
{
    struct str name = str_of(file->name);

    return !str_ends(name, STR("-wal")) && !str_ends(name, STR("-journal")) &&
           access(file->name, F_OK) != 0;
}

static int file_close(sqlite3_file *base)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;

    file->opened--;
    if (file->opened == 0 && (handle->deletes_on_close || has_lost_its_name(file))) {
        wipe(file);
    }
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *into, int count, sqlite3_int64 from)
{
    const struct handle *handle = handle_of(base);
    const struct file *file = handle->file;
    int64_t there = from < file->size ? file->size - from : 0;

    if (handle->disk->is_dead) {
        errno = EIO;
        return SQLITE_IOERR_READ;
    }
    there = there < count ? there : count;
    if (there > 0) {
        memcpy(into, file->bytes + from, (size_t)there);
    }
    memset((char *)into + there, 0, (size_t)(count - there));
    return there == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 from)
{
    struct handle *handle = handle_of(base);
    struct disk *disk = handle->disk;
    struct file *file = handle->file;

    if (step(disk) != SQLITE_OK) {
        return SQLITE_IOERR_WRITE;
    }
    if (disk->limit && from + count > file->size &&
        disk_bytes(disk) + from + count - file->size > disk->limit) {
        errno = ENOSPC;
        return SQLITE_FULL;
    }
    prepare(file, from, from + count);
    memcpy(file->bytes + from, bytes, (size_t)count);
    grow_to(file, from + count);
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;

    if (step(handle->disk) != SQLITE_OK) {
        return SQLITE_IOERR_TRUNCATE;
    }
    if (size < file->size) {
        prepare(file, size, file->size);
        memset(file->bytes + size, 0, (size_t)(file->size - size));
        file->size = size;
    }
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct handle *handle = handle_of(base);

    (void)flags;
    if (step(handle->disk) != SQLITE_OK) {
        return SQLITE_IOERR_FSYNC;
    }
    flush(handle->file);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret)
{
    *ret = handle_of(base)->file->size;
    return handle_of(base)->disk->is_dead ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

/* --- locks of a file: any number may read, one may get ready to write, and one alone may write -------------------------------------- */

static bool is_others(const void *holder, const struct handle *handle)
{
    return holder && holder != handle;
}

static int file_lock(sqlite3_file *base, int lock)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;
    int others = file->shared - (handle->lock >= SQLITE_LOCK_SHARED);

    if (lock <= handle->lock) {
        return SQLITE_OK;
    }
    if (is_others(file->exclusive, handle) || is_others(file->pending, handle) ||
        (lock > SQLITE_LOCK_SHARED && is_others(file->reserved, handle))) {
        return SQLITE_BUSY;
    }
    if (handle->lock < SQLITE_LOCK_SHARED) {
        file->shared++;
        handle->lock = SQLITE_LOCK_SHARED;
    }
    if (lock >= SQLITE_LOCK_RESERVED) {
        file->reserved = handle;
    }
    if (lock == SQLITE_LOCK_EXCLUSIVE) {
        file->pending = handle;
        if (others > 0) {
            handle->lock = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
        file->exclusive = handle;
    }
    handle->lock = lock;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int lock)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;

    if (lock >= handle->lock) {
        return SQLITE_OK;
    }
    file->exclusive = file->exclusive == handle ? NULL : file->exclusive;
    file->pending = file->pending == handle ? NULL : file->pending;
    file->reserved = file->reserved == handle ? NULL : file->reserved;
    if (lock == SQLITE_LOCK_NONE) {
        file->shared--;
    }
    handle->lock = lock;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *ret)
{
    *ret = handle_of(base)->file->reserved != NULL;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *argument)
{
    (void)base;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

/* As the system's own says of ordinary disks: what lies beside a write is not hurt by it. */
static int file_traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* --- shared memory of a write-ahead log --------------------------------------------------------------------------------------------- */

static int shm_map(sqlite3_file *base, int region, int bytes, int extend, void volatile **ret)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;

    assert(region < REGIONS_MAX);
    if (!handle->has_shm) {
        handle->has_shm = true;
        file->shm_opened++;
    }
    if (!file->regions[region] && extend) {
        file->regions[region] = alloc_new(1, (size_t)bytes);
        file->region_bytes = bytes;
    }
    *ret = file->regions[region];
    return SQLITE_OK;
}

static int shm_release(struct handle *handle, int from, int count, bool is_shared)
{
    struct file *file = handle->file;

    for (int i = from; i < from + count; i++) {
        if (is_shared && handle->has_slot[i]) {
            handle->has_slot[i] = false;
            file->slot_shared[i]--;
        } else if (!is_shared && file->slot_exclusive[i] == handle) {
            file->slot_exclusive[i] = NULL;
        }
    }
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *base, int from, int count, int flags)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;
    bool is_shared = flags & SQLITE_SHM_SHARED;

    if (flags & SQLITE_SHM_UNLOCK) {
        return shm_release(handle, from, count, is_shared);
    }
    for (int i = from; i < from + count; i++) {
        int others = file->slot_shared[i] - handle->has_slot[i];

        if (is_others(file->slot_exclusive[i], handle) || (!is_shared && others > 0)) {
            return SQLITE_BUSY;
        }
    }
    for (int i = from; i < from + count; i++) {
        if (!is_shared) {
            file->slot_exclusive[i] = handle;
        } else if (!handle->has_slot[i]) {
            handle->has_slot[i] = true;
            file->slot_shared[i]++;
        }
    }
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base)
{
    (void)base;
}

static int shm_unmap(sqlite3_file *base, int deletes)
{
    struct handle *handle = handle_of(base);
    struct file *file = handle->file;

    (void)deletes; /* it goes with its last user: no process is left that could need it */
    if (!handle->has_shm) {
        return SQLITE_OK;
    }
    handle->has_shm = false;
    shm_release(handle, 0, SLOTS, true);
    shm_release(handle, 0, SLOTS, false);
    if (--file->shm_opened == 0) {
        for (int i = 0; i < REGIONS_MAX; i++) {
            free(file->regions[i]);
            file->regions[i] = NULL;
        }
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods METHODS = {.iVersion = 2,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_unlock,
                                           .xCheckReservedLock = file_check_reserved,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector,
                                           .xDeviceCharacteristics = file_traits,
                                           .xShmMap = shm_map,
                                           .xShmLock = shm_lock,
                                           .xShmBarrier = shm_barrier,
                                           .xShmUnmap = shm_unmap};

/* --- the VFS ------------------------------------------------------------------------------------------------------------------------ */

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    static int unnamed;
    struct disk *disk = disk_of(vfs);
    struct handle *handle = handle_of(base);
    char temporary[NAME_BYTES];

    *handle = (struct handle){.disk = disk};
    if (disk->is_dead) {
        return SQLITE_CANTOPEN;
    }
    if (!name) {
        sqlite3_snprintf(NAME_BYTES, temporary, "temporary %d", ++unnamed);
        name = temporary;
    }
    handle->deletes_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    handle->file = find(disk, name);
    handle->file = handle->file ? handle->file : add(disk, name);
    handle->file->opened++;
    base->pMethods = &METHODS;
    if (ret_flags) {
        *ret_flags = flags;
    }
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int is_durable)
{
    struct disk *disk = disk_of(vfs);
    struct file *file = find(disk, name);

    (void)is_durable;
    if (step(disk) != SQLITE_OK) {
        return SQLITE_IOERR_DELETE;
    }
    if (!file) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    assert(file->opened == 0);
    wipe(file);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    const struct file *file = find(disk_of(vfs), name);

    (void)flags;
    *ret = file && file->size > 0;
    return SQLITE_OK;
}

static void fill(struct file *file, const void *bytes, size_t count)
{
    make_room(file, ((int64_t)count / SECTOR + 1) * SECTOR);
    memcpy(file->bytes, bytes, count);
    grow_to(file, (int64_t)count);
    flush(file);
}

void disk_put(struct disk *disk, const char *name, const void *bytes, size_t count)
{
    struct file *file = find(disk, name);

    if (file) {
        assert(file->opened == 0);
        wipe(file);
    }
    fill(add(disk, name), bytes, count);
}

/* Empty, for those who have it open; the index of a log goes with the log. */
static void make_empty(struct file *file)
{
    assert(file->shared == 0 || file->shm_opened > 0);
    if (file->bytes) {
        memset(file->bytes, 0, (size_t)file->size_most);
    }
    for (int i = 0; i < REGIONS_MAX; i++) {
        if (file->regions[i]) {
            memset(file->regions[i], 0, (size_t)file->region_bytes);
        }
    }
    file->size = 0;
    file->size_most = 0;
    flush(file);
}

void disk_exchange(struct disk *disk, uint64_t seed, const char *name, const void *bytes,
                   size_t count)
{
    struct file *kept = find(disk, name);

    assert(kept && !disk->is_dead);
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *file = &disk->files[i];

        if (file->opened > 0 || file == kept) {
            make_empty(file);
        } else {
            wipe(file);
        }
    }
    fill(kept, bytes, count);
    random_free(disk->random);
    disk->random = random_new_seeded(seed);
    disk->steps = disk->fail_at = disk->error_at = disk->limit = 0;
}

void disk_step_aside(struct disk *disk, bool is_aside)
{
    sqlite3_vfs_register(is_aside ? disk->system : &disk->vfs, 1);
}

struct disk *disk_new(uint64_t seed)
{
    struct disk *disk = alloc_new(1, sizeof *disk);

    assert(!mounted);
    disk->system = sqlite3_vfs_find(NULL);
    disk->random = random_new_seeded(seed);
    disk->vfs = *disk->system;
    disk->vfs.pNext = NULL;
    disk->vfs.zName = "simulated";
    disk->vfs.szOsFile = (int)sizeof(struct handle);
    disk->vfs.pAppData = disk;
    disk->vfs.xOpen = disk_open;
    disk->vfs.xDelete = disk_delete;
    disk->vfs.xAccess = disk_access;
    sqlite3_vfs_register(&disk->vfs, 1);
    mounted = disk;
    return disk;
}

void disk_free(struct disk *disk)
{
    if (!disk) {
        return;
    }
    sqlite3_vfs_unregister(&disk->vfs);
    sqlite3_vfs_register(disk->system, 1);
    for (int i = 0; i < FILES_MAX; i++) {
        assert(disk->files[i].opened == 0);
        wipe(&disk->files[i]);
    }
    random_free(disk->random);
    free(disk);
    mounted = NULL;
}
