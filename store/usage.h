/* API calls by connection: of each day and lane, and of each run. */
#ifndef CRMSYNC_STORE_USAGE_H
#define CRMSYNC_STORE_USAGE_H

#include "store/store.h"

enum { USAGE_DAY_MS = 24 * 60 * 60 * 1000 };

struct store_usage {
    int64_t connection_id;
    int64_t lane; /* http/limits.h */
    int64_t calls;
    int64_t units; /* of the CRM's daily budget */
};

/* Adds to the day of now_ms (UTC) and to the run. */
enum fail usage_add(struct tx *tx, const struct store_usage *usage, int64_t run_id, int64_t now_ms,
                    struct error *err) MUST_CHECK;
/* Of the day of now_ms, by connection and lane. */
enum fail usage_of_day(struct tx *tx, int64_t now_ms, struct arena *arena, struct store_usage **ret,
                       size_t *ret_count, struct error *err) MUST_CHECK;

/* What a sync costs when nothing has changed: averages over the newest runs of the command that ended well and wrote nothing. */
struct usage_average {
    int64_t runs;
    int64_t calls, units; /* of all of them together */
};
enum fail usage_of_quiet_runs(struct tx *tx, int64_t connection_id, struct str command,
                              int64_t runs_max, struct usage_average *ret,
                              struct error *err) MUST_CHECK;

#endif
