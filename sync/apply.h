/* Applying a plan: the real run with a gate that lets through exactly what the plan says. What has moved since is refused item by item and marked to be
 * looked at by the next run. */
#ifndef CRMSYNC_SYNC_APPLY_H
#define CRMSYNC_SYNC_APPLY_H

#include "sync/plan_file.h"

struct applied {
    struct sync_report report;
    int64_t items; /* of the plan */
    int64_t done;
    int64_t refused; /* of the plan, not done: moved since, or done already */
    int64_t put_off; /* changes that are not in the plan: left for the next run */
};

/* Told for each item of the plan that was not done, after the run; the line is borrowed. */
typedef void apply_fn(void *context, const json_t *line, const char *why);

/* A plan that was read whole and fits. */
struct applying;

/* FAIL_CONFIG: the file is no plan, is not whole, or was made under other circumstances. Nothing is written. sync and path are borrowed. */
enum fail apply_open(const struct sync *sync, const char *path, struct applying **ret,
                     struct error *err) MUST_CHECK;
enum fail apply_run(struct applying *applying, int64_t wait_max_ms, apply_fn *tell_refused,
                    void *context, struct applied *ret, struct error *err) MUST_CHECK;
void apply_close(struct applying *applying); /* accepts NULL */

#endif
