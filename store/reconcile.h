/* What a running comparison of a stream's two sides keeps, so that it can go on after a crash: its position, the links it has seen and the objects it suspects. And the pairs of a
 * stream in buckets: what changed since they were last found in agreement, without looking at each. */
#ifndef CRMSYNC_STORE_RECONCILE_H
#define CRMSYNC_STORE_RECONCILE_H

#include "store/link.h"
#include "store/record.h"

struct store_reconcile {
    int64_t connection_id;
    struct str kind;
    int64_t began_ms;
    bool is_repair;
    struct str version; /* mapping under which it was begun */
    struct str cursor;  /* position in the listing, "" at its beginning */
    bool is_listed;     /* it is through; what is left is known here */
    int64_t listed;
};

/* The running one of a stream. */
enum fail reconcile_find(struct tx *tx, int64_t connection_id, struct str kind, struct arena *arena,
                         struct store_reconcile *ret, bool *ret_found,
                         struct error *err) MUST_CHECK;
/* A new one takes the place of any that was running: nothing is seen yet, nothing found. began_ms is made unique among the stream's. */
enum fail reconcile_begin(struct tx *tx, struct store_reconcile *reconcile,
                          struct error *err) MUST_CHECK;
/* Cursor, is_listed and listed. */
enum fail reconcile_save(struct tx *tx, const struct store_reconcile *reconcile,
                         struct error *err) MUST_CHECK;
/* It is through; the row and what was seen go. */
enum fail reconcile_end(struct tx *tx, const struct store_reconcile *reconcile,
                        struct error *err) MUST_CHECK;

/* A live link that claims to be written there is pushed again: its record or base is not what it was then. */
enum fail link_push_again(struct tx *tx, int64_t link_id, struct error *err) MUST_CHECK;

/* Marks links as seen there. Sorts ids. */
enum fail reconcile_seen(struct tx *tx, const struct store_reconcile *reconcile, int64_t *link_ids,
                         size_t count, struct error *err) MUST_CHECK;

/* Live links that were not seen become suspects; looks at up to `looks` links after after_id. ret_after_id: where to go on; 0 at the end. */
enum fail reconcile_suspect_unseen(struct tx *tx, const struct store_reconcile *reconcile,
                                   int64_t after_id, size_t looks, int64_t *ret_after_id,
                                   struct error *err) MUST_CHECK;
/* The object has to be read by id. Again is the same. */
enum fail reconcile_suspect_add(struct tx *tx, const struct store_reconcile *reconcile,
                                struct str remote_id, struct error *err) MUST_CHECK;
/* It was, or cannot be. Its live link counts as seen. */
enum fail reconcile_suspect_done(struct tx *tx, const struct store_reconcile *reconcile,
                                 struct str remote_id, struct error *err) MUST_CHECK;
/* The first ones, by id. */
enum fail reconcile_suspects(struct tx *tx, const struct store_reconcile *reconcile, size_t limit,
                             struct arena *arena, struct str **ret, size_t *ret_count,
                             struct error *err) MUST_CHECK;

/* --- pairs and buckets -------------------------------------------------------------------------------------------------------- */

enum { BUCKETS = 1024 };
int bucket_of(struct str remote_id);

/* A live link with its record, documents unread. */
struct store_pair {
    int64_t link_id, record_id;
    struct str remote_id;
    int64_t synced_version;
    bool is_resting;
    struct str base; /* as base_to_json() wrote it */
    bool has_record; /* else what follows is empty */
    enum record_state record_state;
    int64_t record_version; /* the record's own, whatever the link says of it */
    int64_t updated_ms;
    struct str fields;     /* as fields_to_json() wrote them */
    struct digest content; /* of all of the above but updated_ms, and of the link's digest */
};
/* Ascending link id, after after_id. */
enum fail pair_list(struct tx *tx, int64_t connection_id, struct str kind, int64_t after_id,
                    size_t limit, struct arena *arena, struct store_pair **ret, size_t *ret_count,
                    struct error *err) MUST_CHECK;

struct store_bucket {
    int64_t pairs;
    struct digest digest;
};
/* As kept; buckets that were never found in agreement are zeroed. */
enum fail bucket_read(struct tx *tx, int64_t connection_id, struct str kind,
                      struct store_bucket ret[BUCKETS], struct error *err) MUST_CHECK;
/* The bucket's pairs agree. */
enum fail bucket_agreed(struct tx *tx, int64_t connection_id, struct str kind, int bucket,
                        const struct store_bucket *state, struct error *err) MUST_CHECK;
/* They do not, or it is not known any more. */
enum fail bucket_forget(struct tx *tx, int64_t connection_id, struct str kind, int bucket,
                        struct error *err) MUST_CHECK;

#endif
