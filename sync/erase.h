/* Erasing a person: here, and at the CRMs where that is ordered. Order: the ledger (in the store and beside it), the CRMs, the store. Killed or failed in between,
 * erase_resume() goes on; every step may be repeated. */
#ifndef CRMSYNC_SYNC_ERASE_H
#define CRMSYNC_SYNC_ERASE_H

#include "store/erasure.h"
#include "store/record.h"
#include "sync/sync.h"

enum { ERASE_PLACES_MAX = 64 };

/* One object at a CRM. */
struct erase_place {
    char connection[64];
    bool
        is_final; /* nothing of it can be brought back; else it is in the CRM's bin for bin_days more */
    int bin_days;
};

struct erase_receipt {
    int64_t erasure_id;
    struct erased here;
    struct erase_place places[ERASE_PLACES_MAX];
    size_t places_count;
    bool
        is_log_wiped; /* the store's log holds nothing of it either; else the next command that writes does it */
};

/* What an erasure would remove here. Nothing is written. */
enum fail erase_rehearse(const struct sync *sync, const struct store_record *record,
                         struct erase_receipt *ret, struct error *err) MUST_CHECK;
/* at_crms: every connection with an object of it must be open. FAIL_CONFIG: one is not, or is not configured any more; others as the CRM says: then
 * nothing of the store has been erased yet, and the order stands. store_path: beside it is the ledger. */
enum fail erase_person(const struct sync *sync, const struct store_record *record, bool at_crms,
                       const char *store_path, struct erase_receipt *ret,
                       struct error *err) MUST_CHECK;
/* Orders that are not carried out yet. *ret_done: as many as were. */
enum fail erase_resume(const struct sync *sync, int64_t *ret_done, struct error *err) MUST_CHECK;

#endif
