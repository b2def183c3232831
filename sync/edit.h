/* Edits made in the store itself: by the command line, later by the API. Each is one transaction with its journal entry. */
#ifndef CRMSYNC_SYNC_EDIT_H
#define CRMSYNC_SYNC_EDIT_H

#include "mapper/kind.h"
#include "store/record.h"
#include "store/review.h"

struct edit {
    struct env *env;
    struct store *store;
    int64_t tenant_id;
    const struct kinds *kinds;
    int64_t run_id;   /* 0 none */
    const char *rule; /* what the journal says; NULL = "local edit" */
};

/* Values are in normal form (field_value_parse). FAIL_RECORD when an equal match key already exists, unless allow_duplicate. */
enum fail edit_create(const struct edit *edit, const struct kind *kind, const struct fields *fields,
                      bool allow_duplicate, struct arena *arena, struct store_record *ret,
                      struct error *err) MUST_CHECK;
/* changes holds only the fields to set; null clears. expected_version 0 = any, else FAIL_STALE when it moved. A change to what is
 * there already does nothing. */
enum fail edit_update(const struct edit *edit, struct str uuid, const struct fields *changes,
                      int64_t expected_version, struct arena *arena, struct store_record *ret,
                      struct error *err) MUST_CHECK;
/* The same inside a transaction of the caller, which goes on after FAIL_RECORD: nothing was written then. uuid "" makes a new one. */
enum fail edit_create_in(const struct edit *edit, struct tx *tx, const struct kind *kind,
                         struct str uuid, const struct fields *fields, bool allow_duplicate,
                         struct arena *arena, struct store_record *ret,
                         struct error *err) MUST_CHECK;
enum fail edit_update_in(const struct edit *edit, struct tx *tx, struct str uuid,
                         const struct fields *changes, int64_t expected_version,
                         struct arena *arena, struct store_record *ret,
                         struct error *err) MUST_CHECK;
/* The record is deleted here; the next push archives it at connections with deletes: archive and ends the link at others. expected_version as for
 * edit_update(). */
enum fail edit_delete(const struct edit *edit, struct str uuid, int64_t expected_version,
                      struct error *err) MUST_CHECK;

enum resolve_side { RESOLVE_HUB, RESOLVE_REMOTE, RESOLVE_VALUE };
/* Ends an open conflict. version: the one that was shown (0 = any); FAIL_STALE when it moved. For CONFLICT_DELETE: HUB keeps the record (the link
 * ends), REMOTE deletes it. value only with RESOLVE_VALUE. */
enum fail resolve_conflict(const struct edit *edit, int64_t conflict_id, int64_t version,
                           enum resolve_side side, const struct value *value,
                           struct error *err) MUST_CHECK;
/* false: every sync looks at it by itself (a changed schema, an owner who is not there). */
bool failure_waits_for_retry(const struct store_failure *failure);
/* Lets a record that was set aside be tried again by the next sync. FAIL_RECORD: no such failure. */
enum fail retry_failure(const struct edit *edit, int64_t failure_id, struct error *err) MUST_CHECK;

#endif
