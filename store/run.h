/* Runs: what a command or slice did, for `status`, `runs` and the journal's cause. */
#ifndef CRMSYNC_STORE_RUN_H
#define CRMSYNC_STORE_RUN_H

#include "store/store.h"

/* Names of the counters are the members; they are stored as JSON by name. */
struct run_counts {
    int64_t read; /* remote records looked at */
    int64_t unchanged;
    int64_t created_here, updated_here, deleted_here;    /* records of the store */
    int64_t matched;                                     /* links made by recognising */
    int64_t created_there, updated_there, deleted_there; /* remote objects */
    int64_t conflicts;                                   /* opened */
    int64_t set_aside;                                   /* failures */
    int64_t merged;                                      /* remote merges followed */
    int64_t calls, retries, throttled;                   /* HTTP */
    int64_t delays;                                      /* changes whose way across was measured */
    int64_t
        delay_ms; /* of them together: from the change on one side to its arrival on the other */
};

enum run_state { RUN_ACTIVE, RUN_DONE, RUN_FAILED, RUN_INTERRUPTED };

struct store_run {
    int64_t id;
    struct str command;
    enum run_state state;
    int64_t started_ms, ended_ms;
    struct str message; /* of a failure */
    struct run_counts counts;
};

/* Active runs of a process that died become RUN_INTERRUPTED; store_open() does it for who holds the store. */
enum fail runs_interrupt(struct tx *tx, struct error *err) MUST_CHECK;
enum fail run_begin(struct tx *tx, struct str command, int64_t *ret_id,
                    struct error *err) MUST_CHECK;
enum fail run_end(struct tx *tx, int64_t id, enum run_state state, struct str message,
                  const struct run_counts *counts, struct error *err) MUST_CHECK;
enum fail run_save_counts(struct tx *tx, int64_t id, const struct run_counts *counts,
                          struct error *err) MUST_CHECK;
enum fail run_list(struct tx *tx, int64_t before_id, size_t limit, struct arena *arena,
                   struct store_run **ret, size_t *ret_count,
                   struct error *err) MUST_CHECK; /* newest first; before_id 0: from the newest */
const char *run_state_name(enum run_state state);
/* Adds every counter of more to sum. */
void run_counts_add(struct run_counts *sum, const struct run_counts *more);

#endif
