/* Putting a backup in the place of the store. What follows from it for the sync is in store/restoring.h. */
#ifndef CRMSYNC_STORE_RESTORE_H
#define CRMSYNC_STORE_RESTORE_H

#include "store/lineage.h"

/* Texts are the arena's. */
struct restore_result {
    struct lineage lineage;   /* of the restored store: the moment of the backup, its new epoch */
    struct str aside;         /* where the store that was there is now; "" there was none */
    struct str anchor_before; /* end of that one's audit log, where it could be read */
    int64_t erased_again;     /* people who had been erased since the backup (store/ledger.h) */
};

/* backup: a file that store_backup() made, or any other whole store of crmsync. It is checked, and brought to this schema, before the store is touched; the
 * store that was there is kept, under a name with the time. Killed in between, the store is there as it was, as it becomes, or (for a moment) under the
 * name it is kept under only: then the same command does it.
 * FAIL_CONFIG: the store is in use, the backup is none or of a newer crmsync; FAIL_STOP: the backup is damaged, no room. */
enum fail store_restore(const char *backup, const struct store_options *options, struct env *env,
                        struct arena *arena, struct restore_result *ret,
                        struct error *err) MUST_CHECK;

#endif
