/* A disk in memory, under SQLite (a VFS): fast, and it can lose its power, be full, and fail. What names, times and random numbers are, the system's own VFS says.
 * For one thread. A path that was never written to here is empty; other files of the system are not seen. */
#ifndef CRMSYNC_TESTS_SIMULATION_DISK_H
#define CRMSYNC_TESTS_SIMULATION_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* From here on every database that is opened is on this disk; one at a time, until disk_free(). seed decides what a loss of power leaves. */
struct disk *disk_new(uint64_t seed);
/* Nothing may be open any more. Accepts NULL. */
void disk_free(struct disk *disk);

/* Aside, databases are opened in the system's own files; those that are open stay where they are. */
void disk_step_aside(struct disk *disk, bool is_aside);

/* A file in the place of one of that name, which nobody has open; as it is after a long time: all of it is synced. */
void disk_put(struct disk *disk, const char *name, const void *bytes, size_t count);

/* The disk of another world, with this file alone on it, which may be open: whoever has it finds it changed when the next transaction begins,
 * as after somebody else's write. Nobody may be within one. */
void disk_exchange(struct disk *disk, uint64_t seed, const char *name, const void *bytes,
                   size_t count);

/* Writes, syncs, truncations and deletes so far: each is a moment at which the power may fail. */
int64_t disk_steps(const struct disk *disk);

/* The power fails just before the step-th step from now on is done (1: the next). Of what was not synced each sector is kept, lost, or torn; from then on everything
 * fails until all files are closed and disk_revive() was called. */
void disk_fail_at(struct disk *disk, int64_t step);
/* The process is killed: everything fails from now on, but what was written stays. */
void disk_kill_now(struct disk *disk);
bool disk_is_dead(const struct disk *disk);
void disk_revive(struct disk *disk);

/* The step-th step from now on, and it alone, fails with an I/O error; nothing is lost. */
void disk_error_at(struct disk *disk, int64_t step);

/* Writes what is on the disk into the system's files of the same names, for people to look at. */
void disk_save(const struct disk *disk);

/* No file may grow when all of them hold that many bytes; 0: no limit. */
void disk_limit(struct disk *disk, int64_t bytes);
int64_t disk_bytes(const struct disk *disk);

#endif
