/* What happened in the store, in order, for those who follow it: entries of the journal and notes of what became of conflicts. A place in it is two
 * numbers; both only grow, also over pruning, and start over at the backup's after a restore. Of the transaction's tenant. */
#ifndef CRMSYNC_STORE_FEED_H
#define CRMSYNC_STORE_FEED_H

#include "store/journal.h"
#include "store/review.h"

/* Everything up to here has been seen. */
struct feed_place {
    int64_t journal, conflict;
};

/* CONFLICT_OPEN: it was opened. */
struct conflict_note {
    int64_t id, conflict_id;
    enum conflict_state state;
    int64_t after_journal, at_ms;
};

struct feed_item {
    const struct journal_entry *entry; /* or NULL */
    const struct conflict_note *note;  /* or NULL */
    int64_t
        epoch; /* of the life of the store that wrote it: with the number it is unique for ever */
    int64_t at_ms;
    struct feed_place place; /* behind it */
};

enum fail feed_newest(struct tx *tx, struct feed_place *ret, struct error *err) MUST_CHECK;
/* What follows a place, at most limit (from 1). *ret_seen: behind the last one, or the newest place when there is no more. */
enum fail feed_read(struct tx *tx, const struct feed_place *after, size_t limit,
                    struct arena *arena, struct feed_item **ret, size_t *ret_count,
                    struct feed_place *ret_seen, struct error *err) MUST_CHECK;
/* One item by its number: journal or conflict, the other is 0. */
enum fail feed_item(struct tx *tx, int64_t journal, int64_t conflict, struct arena *arena,
                    struct feed_item *ret, bool *ret_found, struct error *err) MUST_CHECK;
/* Whether a place that was given under an epoch (0: under whichever) exists in this store, and nothing behind it has been pruned. */
enum fail feed_is_whole(struct tx *tx, int64_t epoch, const struct feed_place *place, bool *ret,
                        struct error *err) MUST_CHECK;
/* Another life of the store begins here. */
enum fail feed_epoch_begin(struct tx *tx, int64_t epoch, struct error *err) MUST_CHECK;
/* Retention took something at these places. */
enum fail feed_gap_put(struct tx *tx, const struct feed_place *place, struct error *err) MUST_CHECK;

#endif
