/* Working copies of a store whose process was killed before it could take their names away. Inside the store folder only. */
#ifndef CRMSYNC_STORE_LEFTOVER_H
#define CRMSYNC_STORE_LEFTOVER_H

/* What stands between the store's name and six characters of a working copy's. */
#define SCRATCH_ENDING ".scratch-"

/* Removes them from the store's folder. One that is locked is being made, by a reader; one without content may be about to be. What cannot be
 * removed stays. */
void leftovers_remove(const char *store_path);

#endif
