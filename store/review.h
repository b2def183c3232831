/* What waits for a person: conflicts, and failures (records set aside). */
#ifndef CRMSYNC_STORE_REVIEW_H
#define CRMSYNC_STORE_REVIEW_H

#include "store/store.h"

enum conflict_type { CONFLICT_FIELD, CONFLICT_DELETE /* deleted there, edited here */ };
enum conflict_state {
    CONFLICT_OPEN,
    CONFLICT_RESOLVED /* by a person */,
    CONFLICT_CLOSED /* by itself: the sides agree again */
};

struct store_conflict {
    int64_t id;
    enum conflict_type type;
    enum conflict_state state;
    int64_t record_id, link_id, connection_id;
    struct str kind;
    struct str field; /* "" for CONFLICT_DELETE */
    int64_t version;  /* rises when a candidate changes; resolve needs the one that was shown */
    struct value base, hub, remote;
    int64_t hub_changed_ms, remote_changed_ms;
    struct str resolution; /* "hub", "remote", "value", "closed", "keep", "delete" */
    int64_t opened_ms, changed_ms;
};

/* Opens, or updates the candidates of the open one for (link, field): version rises only when a candidate changed. Sets id and version. */
enum fail conflict_put(struct tx *tx, struct store_conflict *conflict,
                       struct error *err) MUST_CHECK;
/* Ends the open conflict of (link, field), if any. */
enum fail conflict_end(struct tx *tx, int64_t link_id, struct str field, enum conflict_state state,
                       struct str resolution, bool *ret_ended, struct error *err) MUST_CHECK;
/* Ends every open conflict of the link: it has no other side any more. */
enum fail conflicts_close(struct tx *tx, int64_t link_id, struct error *err) MUST_CHECK;
enum fail conflict_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_conflict *ret,
                         bool *ret_found, struct error *err) MUST_CHECK;
/* Open ones (or all), by id. */
enum fail conflict_list(struct tx *tx, bool with_ended, int64_t after_id, size_t limit,
                        struct arena *arena, struct store_conflict **ret, size_t *ret_count,
                        struct error *err) MUST_CHECK;
enum fail conflicts_of_link(struct tx *tx, int64_t link_id, struct arena *arena,
                            struct store_conflict **ret, size_t *ret_count,
                            struct error *err) MUST_CHECK; /* open ones */
enum fail conflict_count_open(struct tx *tx, int64_t *ret, struct error *err) MUST_CHECK;

enum failure_state { FAILURE_OPEN, FAILURE_DISCARDED };

/* A record that could not be handled; keyed by (connection, kind, remote_id or record_id, field). field != "" = only that field is held, the record's
 * other fields flow. */
struct store_failure {
    int64_t id;
    int64_t connection_id;
    struct str kind;
    struct str remote_id; /* "" when only the record is known (a create) */
    int64_t record_id;    /* 0 when only the remote object is known */
    struct str field;
    struct str stage;   /* "match", "pull", "push", "delete" */
    struct str reason;  /* stable word: "ambiguous", "duplicate", "refused", "value", … */
    struct str message; /* for people; no personal values */
    struct str hint;
    enum failure_state state;
    int attempts;
    int64_t record_version; /* of the record at the failed attempt */
    int64_t first_ms, last_ms;
    /* held until then; INT64_MAX = until a person acts or the record changes */
    int64_t retry_at_ms;
};

/* Inserts or updates by key; attempts rises; a discarded one stays discarded while record_version and message are the same. */
enum fail failure_put(struct tx *tx, struct store_failure *failure, struct error *err) MUST_CHECK;
/* Removes failures of the remote object and/or record in that connection and stage ("" = any), of the field ("" = whole record ones, "*" = all). */
enum fail failure_clear(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        int64_t record_id, struct str stage, struct str field,
                        struct error *err) MUST_CHECK;
enum fail failure_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_failure *ret,
                        bool *ret_found, struct error *err) MUST_CHECK;
enum fail failure_list(struct tx *tx, bool with_discarded, int64_t after_id, size_t limit,
                       struct arena *arena, struct store_failure **ret, size_t *ret_count,
                       struct error *err) MUST_CHECK;
/* Of a stream and stage, discarded ones too, at most limit. */
enum fail failures_of_stage(struct tx *tx, int64_t connection_id, struct str kind, struct str stage,
                            size_t limit, struct arena *arena, struct store_failure **ret,
                            size_t *ret_count, struct error *err) MUST_CHECK;
enum fail failure_count_open(struct tx *tx, int64_t *ret, struct error *err) MUST_CHECK;
/* Lets it be tried again at once: retry_at 0, state open, and a dirty mark when the remote id is known. */
enum fail failure_retry(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;
enum fail failure_discard(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;

#endif
