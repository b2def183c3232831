/* What is remembered from a restore until every stream has been looked at: which streams still have to be listed, and which records were made of objects
 * that the backup does not know (sync/restored.h says what follows from it). */
#ifndef CRMSYNC_STORE_RESTORING_H
#define CRMSYNC_STORE_RESTORING_H

#include "core/digest.h"
#include "store/store.h"

enum restoring_state {
    RESTORING_TO_LIST,
    RESTORING_LISTED,
    RESTORING_RELEASED, /* what may be a double is held; the rest may be written */
};

struct restoring {
    int64_t connection_id;
    struct str
        kind; /* "": of all kinds of the connection that have no row of their own, since the backup does not know them */
    enum restoring_state state;
    int64_t backed_up_ms; /* the moment that the backup is of */
};

/* Every stream of the tenant begins anew: cursors and leases go, a complete listing is due, and what a person confirmed for the brake no longer counts. */
enum fail restoring_begin(struct tx *tx, int64_t backed_up_ms, struct error *err) MUST_CHECK;
/* ret_found false: the stream goes its ordinary way. */
enum fail restoring_of(struct tx *tx, int64_t connection_id, struct str kind, struct restoring *ret,
                       bool *ret_found, struct error *err) MUST_CHECK;
/* By connection and kind. */
enum fail restoring_list(struct tx *tx, struct arena *arena, struct restoring **ret,
                         size_t *ret_count, struct error *err) MUST_CHECK;
enum fail restoring_set(struct tx *tx, int64_t connection_id, struct str kind,
                        enum restoring_state state, struct error *err) MUST_CHECK;
/* A person says that the connection will not be listed. ret_count: streams it had to list. */
enum fail restoring_skip(struct tx *tx, int64_t connection_id, int64_t *ret_count,
                         struct error *err) MUST_CHECK;
/* Nothing is remembered any more. */
enum fail restoring_end(struct tx *tx, struct error *err) MUST_CHECK;

/* An object that the backup does not know has become the record's, or the record was made of it. */
struct restored {
    int64_t record_id, connection_id;
    struct str kind;
    bool is_ours;   /* crmsync made the object, or may have */
    struct str key; /* our id on the object, of a record that the backup does not know; "" none */
    struct digest title; /* of what names it */
};
enum fail restored_put(struct tx *tx, const struct restored *restored,
                       struct error *err) MUST_CHECK;
/* Records of the kind and title that were made of such objects, live and without an object at the connection, lowest first. */
enum fail restored_alike(struct tx *tx, int64_t connection_id, struct str kind,
                         const struct digest *title, size_t limit, int64_t *ret_ids,
                         size_t *ret_count, struct error *err) MUST_CHECK;

/* The record of another object with the same key: both were made from one record. ret_id 0: none. */
enum fail restored_by_key(struct tx *tx, struct str kind, struct str key, int64_t *ret_id,
                          struct error *err) MUST_CHECK;

/* What a create of the record at the connection would risk. */
struct restored_risk {
    bool
        is_ours; /* crmsync made all of the record's objects before the restore: what they were made from may be there */
    bool
        is_spread; /* crmsync made some of them, by our id on them: one here may have been made as well, and deleted since */
    bool
        is_other; /* crmsync made an object there whose source is not known, and it may have been this record */
};
/* ret_found false: the record was not made of such an object. */
enum fail restored_risk_of(struct tx *tx, int64_t record_id, int64_t connection_id, struct str kind,
                           struct restored_risk *ret, bool *ret_found,
                           struct error *err) MUST_CHECK;

#endif
