/* Inside of sync/: a run and its slices, for those that are not the ordinary rounds. Not for other rooms. */
#ifndef CRMSYNC_SYNC_SLICE_H
#define CRMSYNC_SYNC_SLICE_H

#include "http/client.h"
#include "store/work.h"
#include "sync/pass.h"

/* One stream of a run. */
struct slot {
    struct sync_connection *connection;
    const struct kind *kind;
    const struct mapping *mapping;    /* bound once per run */
    const struct remote_users *users; /* of the connection; NULL none */
    bool is_bound;                    /* by an earlier run */
    bool is_given_up;                 /* a problem is in the report */
    bool is_doubtful; /* another kind of the connection was given up for want of an answer */
    int64_t settle_wait_ms;
    int64_t unsettled;
    struct store_work work; /* as last looked at */
};

struct run {
    struct sync *sync;
    const struct sync_options *options;
    struct sync_report *report;
    struct slot *slots; /* kind by kind, connection by connection */
    size_t slots_count;
    struct arena arena;
    struct http_stats before;
    bool moved;           /* something happened in this round */
    int64_t turn_ends_ms; /* monotonic; 0 = never */
    int64_t journal_begin;
};

typedef enum fail slice_fn(struct run *run, struct slot *slot, struct pass *pass,
                           struct error *err);

/* Connections that could not be opened are the report's first problems. */
void run_take_early(const struct sync *sync, struct sync_report *ret);
/* The run's row, and its slots. On failure nothing needs closing. */
enum fail run_open(struct run *run, struct error *err);
/* Opens the stream, does the work, repeats and waits as sync/remedy.h says, or gives the slot up. Only what ends the whole run is returned. */
enum fail run_slice(struct run *run, struct slot *slot, slice_fn *work, struct error *err);
/* Counts, and how it ended: failed with cause. Returns failed, or what went wrong while closing. */
enum fail run_close(struct run *run, enum fail failed, const struct error *cause,
                    struct error *err);
/* Binds the slot's mapping; a slice of its own, before any other. */
slice_fn slice_bind;
/* Finds out what became of writes whose outcome is unknown. */
slice_fn slice_settle;

#endif
