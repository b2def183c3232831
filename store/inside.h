/* What the files of the store share: the transaction's inside, and reading rows into arenas. Inside the store folder
 * (and its tests) only. */
#ifndef CRMSYNC_STORE_INSIDE_H
#define CRMSYNC_STORE_INSIDE_H

#include "store/engine.h"
#include "store/store.h"

/* Tables that are nearly always empty; a transaction asks once whether they are. */
enum trail { TRAIL_ALIASES, TRAIL_WAITS_INWARD, TRAIL_WAITS_OUTWARD, TRAILS };
enum presence { PRESENCE_UNKNOWN, PRESENCE_NONE, PRESENCE_SOME };

struct tx {
    struct store *store; /* borrowed; NULL: not in use */
    struct engine *engine;
    struct env *env;
    int64_t tenant_id;
    enum presence trails[TRAILS]; /* trail.c: of this tenant, as this transaction sees them */
    /* For documents on their way into a statement. Whoever uses it resets it before returning, and calls no other store
     * function in between. */
    struct arena scratch;
};

struct engine *store_engine(struct store *store);
/* The last commit of source in an empty file, without a lock and without side files; nothing is forced to the disk. */
enum fail store_copy(struct store *source, struct env *env, const char *path, struct store **ret,
                     struct error *err) MUST_CHECK;
/* Gives a file that is whole its name, so that it is there after a power loss. FAIL_CONFIG: replace is not set and there is one. */
enum fail file_put(const char *part, const char *path, bool replace, struct error *err) MUST_CHECK;

/* A statement with the tenant bound to $1. */
struct stmt *tx_stmt(struct tx *tx, const char *sql);
int64_t tx_now_ms(const struct tx *tx);
const char *tx_actor(const struct tx *tx);
int64_t store_now_ms(const struct store *store);

/* Reads the present row into *row, whatever that is for this query. */
typedef enum fail row_read(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err);

/* The first row, and ends the statement. */
enum fail stmt_one(struct stmt *stmt, row_read *read, struct arena *arena, void *ret,
                   bool *ret_found, struct error *err) MUST_CHECK;
/* One number of the first row; FAIL_BUG when there is none. */
enum fail stmt_number(struct stmt *stmt, int64_t *ret, struct error *err) MUST_CHECK;
/* Runs, and FAIL_BUG "no <what> <id>" unless exactly one row was changed: ids come from the store itself. */
enum fail stmt_run_on_one(struct stmt *stmt, const char *what, int64_t id,
                          struct error *err) MUST_CHECK;

/* All rows, as an array of size bytes each, in the arena. */
struct rows {
    void *at;
    size_t count;
};
enum fail stmt_all(struct stmt *stmt, row_read *read, size_t size, struct arena *arena,
                   struct rows *ret, struct error *err) MUST_CHECK;
/* Gives an array one more, zeroed place. */
void *rows_add(struct arena *arena, struct rows *rows, size_t *capacity, size_t size);

/* For a limit of any size. */
void stmt_bind_limit(struct stmt *stmt, int number, size_t limit);

/* "the store is damaged: <what>", FAIL_STOP. */
enum fail store_damaged(struct error *err, const char *what);

#endif
