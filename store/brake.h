/* Mass changes that the brake stopped, and what a person said about them. */
#ifndef CRMSYNC_STORE_BRAKE_H
#define CRMSYNC_STORE_BRAKE_H

#include "store/store.h"

enum brake_what {
    BRAKE_DELETES, /* objects are gone at the connection; their records would be deleted here */
    BRAKE_UPDATES, /* changes that came from the connection and would be written to others */
    BRAKE_EMPTIED, /* a complete listing of the connection shows nothing */
    BRAKE_REMOVALS, /* records were deleted here; their objects would be archived at the connection */
};

struct store_brake {
    int64_t connection_id;
    struct str kind;
    enum brake_what what;
    int64_t count;  /* as last seen */
    int64_t linked; /* of so many */
    int64_t stopped_ms;
    int64_t confirmed_count; /* so many may go through; 0 = not confirmed */
    int64_t confirmed_ms;
};

/* "deletes", "updates", … */
const char *brake_what_name(enum brake_what what);
bool brake_what_parse(struct str text, enum brake_what *ret);

/* Inserts, or updates count and linked; stopped_ms stays that of the first time. A confirmation of fewer falls away. */
enum fail brake_put(struct tx *tx, const struct store_brake *brake, struct error *err) MUST_CHECK;
enum fail brake_find(struct tx *tx, int64_t connection_id, struct str kind, enum brake_what what,
                     struct arena *arena, struct store_brake *ret, bool *ret_found,
                     struct error *err) MUST_CHECK;
enum fail brake_list(struct tx *tx, struct arena *arena, struct store_brake **ret,
                     size_t *ret_count, struct error *err) MUST_CHECK;
/* The confirmation holds for as many as were counted last, and stands in the audit log. */
enum fail brake_confirm(struct tx *tx, int64_t connection_id, struct str kind, enum brake_what what,
                        int64_t now_ms, struct error *err) MUST_CHECK;
/* Used, or the situation is gone. */
enum fail brake_clear(struct tx *tx, int64_t connection_id, struct str kind, enum brake_what what,
                      struct error *err) MUST_CHECK;

/* What waits to be written to one connection because another one brought it. */
struct brake_source {
    int64_t connection_id;
    int64_t updates;
    int64_t linked;  /* live links of the source in this kind */
    bool has_agreed; /* source and target have agreed completely before */
};
enum fail brake_sources(struct tx *tx, int64_t target_id, struct str kind, struct arena *arena,
                        struct brake_source **ret, size_t *ret_count, struct error *err) MUST_CHECK;
/* Records deleted by a person here whose objects at the connection still wait to be archived. */
enum fail brake_removals(struct tx *tx, int64_t connection_id, struct str kind, int64_t *ret,
                         struct error *err) MUST_CHECK;

#endif
