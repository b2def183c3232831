/* Records: rows of the source of truth in normal form, and the keys under which they are recognised. */
#ifndef CRMSYNC_STORE_RECORD_H
#define CRMSYNC_STORE_RECORD_H

#include "core/uuid.h"
#include "store/store.h"

enum record_state { RECORD_LIVE, RECORD_DELETED, RECORD_MERGED };

struct store_record {
    int64_t id;      /* small integer, inside the store only */
    struct str uuid; /* identity for everyone else; the correlation key at the CRMs */
    struct str kind;
    int64_t version; /* rises by one with each change of fields or state, from 1 */
    enum record_state state;
    int64_t merged_into; /* record id; 0 unless RECORD_MERGED */
    struct fields fields;
    int64_t created_ms, updated_ms;
};

/* match_keys: one per rule of the kind, in order, "" for none (mapper kind_match_keys). Sets id and version of record. */
enum fail record_insert(struct tx *tx, struct store_record *record, const struct str *match_keys,
                        size_t keys_count, struct error *err) MUST_CHECK;
/* Writes fields, state, merged_into and updated_ms; raises version by one (and *record's). FAIL_STALE when the stored version is not
 * record->version. Match keys are replaced; a record that is not live has none. */
enum fail record_update(struct tx *tx, struct store_record *record, const struct str *match_keys,
                        size_t keys_count, struct error *err) MUST_CHECK;
enum fail record_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_record *ret,
                       bool *ret_found, struct error *err) MUST_CHECK;
enum fail record_by_uuid(struct tx *tx, struct str uuid, struct arena *arena,
                         struct store_record *ret, bool *ret_found, struct error *err) MUST_CHECK;
/* A record by the beginning of its UUID (at least 8 characters): ret_count says how many match (0, 1, 2 = several). */
enum fail record_by_prefix(struct tx *tx, struct str kind, struct str prefix, struct arena *arena,
                           struct store_record *ret, int *ret_count, struct error *err) MUST_CHECK;

struct match_hit {
    int64_t record_id;
    int64_t link_id; /* its link (any state) on the connection asked about; 0 none */
};
/* Live records of kind whose key of that rule equals key, at most hits_max, lowest id first. */
enum fail record_match(struct tx *tx, struct str kind, int rule, struct str key,
                       int64_t connection_id, struct match_hit *ret, size_t hits_max,
                       size_t *ret_count, struct error *err) MUST_CHECK;

/* Live records by ascending id, after after_id. kind "" = all. */
enum fail record_list(struct tx *tx, struct str kind, int64_t after_id, size_t limit,
                      struct arena *arena, struct store_record **ret, size_t *ret_count,
                      struct error *err) MUST_CHECK;
/* Live records with text somewhere in a value, without regard to case (ASCII case only in the store), by id. */
enum fail record_search(struct tx *tx, struct str kind, struct str text, int64_t after_id,
                        size_t limit, struct arena *arena, struct store_record **ret,
                        size_t *ret_count, struct error *err) MUST_CHECK;
enum fail record_count(struct tx *tx, struct str kind, int64_t *ret_live,
                       struct error *err) MUST_CHECK;
const char *record_state_name(enum record_state state);

#endif
