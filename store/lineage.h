/* Which life of the store this is. A backup is of one moment; a store that was restored from it goes on from there under a higher epoch. */
#ifndef CRMSYNC_STORE_LINEAGE_H
#define CRMSYNC_STORE_LINEAGE_H

#include "store/store.h"

struct lineage {
    int64_t
        epoch; /* from 1; a restore takes its time in seconds since 1970, or one more than before */
    int64_t
        backed_up_ms; /* in a store: when its last backup was made; in a backup: of which moment it is; 0 never */
    int64_t restored_ms; /* 0 never */
};

enum fail lineage_read(struct tx *tx, struct lineage *ret, struct error *err) MUST_CHECK;
enum fail lineage_set(struct tx *tx, const struct lineage *lineage, struct error *err) MUST_CHECK;

#endif
