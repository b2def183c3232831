/* Erasing a person: every copy of what a record holds goes, and digests stay that keep it from coming back by itself. The order stands in a ledger
 * before anything is done, so that it is finished whatever happens in between; a restore of an older backup does it again (ledger.h). */
#ifndef CRMSYNC_STORE_ERASURE_H
#define CRMSYNC_STORE_ERASURE_H

#include "core/digest.h"
#include "store/store.h"

enum erasure_state { ERASURE_OPEN, ERASURE_DONE, ERASURE_LIFTED };

struct erasure {
    int64_t id;
    struct str kind, record_uuid;
    bool at_crms; /* the objects there as well */
    enum erasure_state state;
    int64_t asked_ms, done_ms;
    int64_t refused; /* objects and imports that were kept out since */
};

/* Sets id, state and asked_ms. */
enum fail erasure_begin(struct tx *tx, struct erasure *erasure, struct error *err) MUST_CHECK;
enum fail erasure_done(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;
/* The person may come back: its digests go. FAIL_RECORD: no such erasure, or not one that is done. */
enum fail erasure_lift(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;
/* Newest first. */
enum fail erasure_list(struct tx *tx, struct arena *arena, struct erasure **ret, size_t *ret_count,
                       struct error *err) MUST_CHECK;
const char *erasure_state_name(enum erasure_state state);

/* Digests of what is to be kept out: a match key of a kind, and an object of a connection. */
struct suppression {
    uint8_t bytes[SHA256_BYTES];
};
enum fail suppression_of_key(struct tx *tx, struct str kind, struct str key,
                             struct suppression *ret, struct error *err) MUST_CHECK;
enum fail suppression_of_object(struct tx *tx, int64_t connection_id, struct str kind,
                                struct str remote_id, struct suppression *ret,
                                struct error *err) MUST_CHECK;
enum fail suppression_put(struct tx *tx, int64_t erasure_id, const struct suppression *suppression,
                          struct error *err) MUST_CHECK;
enum fail suppressions_of(struct tx *tx, int64_t erasure_id, struct arena *arena,
                          struct suppression **ret, size_t *ret_count,
                          struct error *err) MUST_CHECK;
/* Whether it is kept out; then that is counted. */
enum fail suppression_refuses(struct tx *tx, const struct suppression *suppression, bool *ret,
                              struct error *err) MUST_CHECK;
enum fail suppression_any(struct tx *tx, bool *ret, struct error *err) MUST_CHECK;

/* Rows that held something of the person. */
struct erased {
    int64_t records, links, journal, conflicts, failures, hints, others;
};
/* Every copy in the store of what the record holds, and of records that went into it; digests of its objects are put. The row stays without
 * values, deleted, since journal and audit log name it. Adds to *ret. Repeating does nothing more. */
enum fail erase_record(struct tx *tx, int64_t erasure_id, int64_t record_id, struct erased *ret,
                       struct error *err) MUST_CHECK;
/* The record and all that went into it by merges, however many lie in between. */
enum fail erase_whom(struct tx *tx, int64_t record_id, struct arena *arena, int64_t **ret_ids,
                     size_t *ret_count, struct error *err) MUST_CHECK;
/* Digests of the record's objects; erase_record() does it as well. */
enum fail suppress_objects(struct tx *tx, int64_t erasure_id, int64_t record_id,
                           struct error *err) MUST_CHECK;
/* Hints about the record's objects that are kept in the inbox. */
struct erasure_hint {
    int64_t connection_id;
    struct str remote_id;
    int64_t received_ms;
};
enum fail hints_of_record(struct tx *tx, int64_t record_id, struct arena *arena,
                          struct erasure_hint **ret, size_t *ret_count,
                          struct error *err) MUST_CHECK;
/* What was overwritten is no longer in the store's log either. is_complete false: a reader holds on to it; the next call does it. */
enum fail store_wipe_log(struct store *store, bool *ret_is_complete, struct error *err) MUST_CHECK;

#endif
