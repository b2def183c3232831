/* Where the two sides of a stream differ, as the last complete comparison (sync/reconcile.h) found it: for reports, status and metrics. */
#ifndef CRMSYNC_STORE_DIVERGENCE_H
#define CRMSYNC_STORE_DIVERGENCE_H

#include "store/store.h"

enum difference_what {
    DIFFERENCE_CHANGED_THERE,     /* fields that have not been taken over here */
    DIFFERENCE_CREATED_THERE,     /* an object without a record */
    DIFFERENCE_DELETED_THERE,     /* the link is live, the object gone */
    DIFFERENCE_MERGED_THERE,      /* the object went into another one */
    DIFFERENCE_BACK_THERE,        /* held to be gone or ended, and there again */
    DIFFERENCE_CHANGED_HERE,      /* fields that have not been written there */
    DIFFERENCE_NOT_CREATED_THERE, /* a record without an object */
    DIFFERENCE_DELETED_HERE,      /* the record is deleted, the link still live */
    DIFFERENCE_BROKEN_LINK,       /* a link without its record */
};
enum { DIFFERENCES = DIFFERENCE_BROKEN_LINK + 1 };

/* "changed-there", "created-there", … */
const char *difference_name(enum difference_what what);

struct store_difference {
    int64_t connection_id;
    struct str kind;
    enum difference_what what;
    struct str remote_id; /* "" none */
    int64_t record_id;    /* 0 none */
    struct str uuid;      /* of the record; "" none. Only read */
    int bucket;
    struct str
        fields; /* names, joined with commas; "" where whole objects differ or it is not known */
    int64_t fields_count;
    int64_t since_ms;  /* when the side that is ahead was changed; 0 not known */
    struct str reason; /* for people: what holds it; "" nothing that is known */
    bool is_marked;    /* the next sync looks at it */
};

struct store_divergence {
    int64_t connection_id;
    struct str kind;
    int64_t began_ms, ended_ms;
    bool is_repair;
    int64_t listed;     /* objects there */
    int64_t pairs;      /* live links */
    int64_t pairs_read; /* of them looked at one by one: their bucket had changed */
    int64_t fields;     /* of the pairs, that the mapping carries */
    int64_t differences;
    int64_t explained; /* of them with a reason */
    int64_t marked;
    int64_t fields_differ;
    int64_t oldest_ms; /* of the differences; 0 none or not known */
};

/* Every stream that was ever compared completely, by connection and kind. */
enum fail divergence_list(struct tx *tx, struct arena *arena, struct store_divergence **ret,
                          size_t *ret_count, struct error *err) MUST_CHECK;
enum fail divergence_find(struct tx *tx, int64_t connection_id, struct str kind,
                          struct arena *arena, struct store_divergence *ret, bool *ret_found,
                          struct error *err) MUST_CHECK;
/* How many differences of each sort the last complete comparison found. */
enum fail difference_counts(struct tx *tx, int64_t connection_id, struct str kind,
                            int64_t ret[DIFFERENCES], struct error *err) MUST_CHECK;
/* Differences of the last complete comparison of a stream, by sort and id; skips the first offset ones. */
enum fail difference_list(struct tx *tx, int64_t connection_id, struct str kind, int64_t offset,
                          size_t limit, struct arena *arena, struct store_difference **ret,
                          size_t *ret_count, struct error *err) MUST_CHECK;

/* --- written by the comparison ---------------------------------------------------------------------------------------------- */

/* Of the comparison that began at began_ms; one that is there already is replaced. */
enum fail difference_put(struct tx *tx, int64_t began_ms, const struct store_difference *difference,
                         struct error *err) MUST_CHECK;
/* What is known to hold a pair, an object or a record: an unsettled write, a conflict, a failure, a stopped mass change. "" nothing. link_id, record_id
 * 0 and remote_id "" where there is none. */
enum fail difference_reason(struct tx *tx, const struct store_difference *difference,
                            int64_t link_id, struct arena *arena, struct str *ret,
                            struct error *err) MUST_CHECK;
/* The comparison is through: its differences are counted into *divergence (differences, explained, marked, fields_differ, oldest_ms), and those of the one
 * before go. */
enum fail divergence_put(struct tx *tx, struct store_divergence *divergence,
                         struct error *err) MUST_CHECK;

#endif
