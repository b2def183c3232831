/* A person's word about one record at one connection: it takes part, it does not, or the pair is held as it is. Without a row the
 * connection's filter decides. */
#ifndef CRMSYNC_STORE_SELECTION_H
#define CRMSYNC_STORE_SELECTION_H

#include "store/store.h"

enum selection_mode { SELECTION_INCLUDE, SELECTION_EXCLUDE, SELECTION_PIN };

struct store_selection {
    int64_t connection_id;
    int64_t record_id;
    enum selection_mode mode;
    int64_t set_ms;
};

/* "include", "exclude", "pin" */
const char *selection_mode_name(enum selection_mode mode);

enum fail selection_put(struct tx *tx, const struct store_selection *selection,
                        struct error *err) MUST_CHECK;
/* Whether there was one to remove. */
enum fail selection_remove(struct tx *tx, int64_t connection_id, int64_t record_id,
                           bool *ret_removed, struct error *err) MUST_CHECK;
enum fail selection_find(struct tx *tx, int64_t connection_id, int64_t record_id,
                         enum selection_mode *ret, bool *ret_found, struct error *err) MUST_CHECK;
enum fail selections_of_record(struct tx *tx, int64_t record_id, struct arena *arena,
                               struct store_selection **ret, size_t *ret_count,
                               struct error *err) MUST_CHECK;
/* Of one connection; 0: of all. */
enum fail selection_count(struct tx *tx, int64_t connection_id, int64_t *ret,
                          struct error *err) MUST_CHECK;

#endif
