/* The numbers that the store knows, for GET /metrics and for alerts. What only the running process knows (calls, webhooks, memory) is added by whoever runs it.
 * docs/operations.md lists them all. */
#ifndef CRMSYNC_API_METRICS_H
#define CRMSYNC_API_METRICS_H

#include "api/samples.h"
#include "core/clock.h"
#include "store/store.h"

struct metrics_tenant {
    int64_t id;
    struct str name; /* borrowed while the samples live */
};

/* Samples with a kind and a connection are left out beyond so many streams in all, and crmsync_metrics_streams_left_out says how many. */
enum { METRICS_STREAMS_MAX = 4000 };

/* store: a handle of the calling thread, also one for reading only. Bounds: nothing here reads records; the cost is that of what waits, and of one row for each
 * stream and hour in which it moved something. */
enum fail metrics_of_store(struct store *store, struct clock *clock,
                           const struct metrics_tenant *tenants, size_t tenants_count,
                           struct samples *samples, struct error *err) MUST_CHECK;

/* All families of it. */
const struct sample_family *const *metrics_families(size_t *ret_count);

/* A name that conditions of alerts may use beside the families' own: one number of a family, in its own unit. */
struct metric_alias {
    const char *name;
    const char *family;
    const char *label, *value; /* NULL: every sample */
    double scale;
};
/* NULL: none. */
const struct metric_alias *metric_alias_find(struct str name);
const struct metric_alias *metric_aliases(size_t *ret_count);

#endif
