/* What was synced by the hour, and what waits: the numbers of metrics and alerts. Every question here is answered from an index, whatever the store holds. */
#ifndef CRMSYNC_STORE_TALLY_H
#define CRMSYNC_STORE_TALLY_H

#include "store/store.h"

enum { TALLY_HOUR_MS = 60 * 60 * 1000, TALLY_KEEP_HOURS = 8 * 24 };

/* Of one stream. */
struct store_tally {
    int64_t connection_id;
    struct str kind;
    int64_t synced; /* records that went across, either way */
    int64_t set_aside;
    int64_t conflicts; /* opened */
    int64_t throttled; /* calls that the CRM refused for their number */
    int64_t delays;    /* changes whose way across was measured */
    int64_t
        delay_ms; /* of them together: from the change on one side to its arrival on the other */
};

/* Adds to the hour of now_ms; what is older than TALLY_KEEP_HOURS goes. */
enum fail tally_add(struct tx *tx, const struct store_tally *tally, int64_t now_ms,
                    struct error *err) MUST_CHECK;
/* Sums by connection and kind of the hour of now_ms and the hours - 1 before it. */
enum fail tally_sums(struct tx *tx, int64_t now_ms, int hours, struct arena *arena,
                     struct store_tally **ret, size_t *ret_count, struct error *err) MUST_CHECK;

enum stream_depth {
    DEPTH_MARKED,   /* objects to be read by id */
    DEPTH_TO_WRITE, /* linked records that are ahead of their object; new records are not counted */
    DEPTH_UNSETTLED, /* writes that are under way, or whose outcome is not known */
};
struct store_depth {
    int64_t connection_id;
    struct str kind;
    int64_t count;
};
/* Streams with at least one, by connection and kind. */
enum fail depth_list(struct tx *tx, enum stream_depth what, struct arena *arena,
                     struct store_depth **ret, size_t *ret_count, struct error *err) MUST_CHECK;
/* Events that were received and not looked at; oldest_ms 0: none. */
enum fail inbox_depth(struct tx *tx, int64_t *ret_count, int64_t *ret_oldest_ms,
                      struct error *err) MUST_CHECK;
/* Brakes of a stream that wait for a person. */
enum fail brakes_waiting(struct tx *tx, struct arena *arena, struct store_depth **ret,
                         size_t *ret_count, struct error *err) MUST_CHECK;

#endif
