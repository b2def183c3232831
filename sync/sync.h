/* The engine: brings the store and every connected CRM into agreement. The same sync_run() serves the command line, the scheduler
 * and the follow-up of webhooks; tests call it with a virtual clock and mounted simulators.
 * How it decides is specified in docs/architecture.md. */
#ifndef CRMSYNC_SYNC_SYNC_H
#define CRMSYNC_SYNC_SYNC_H

#include <stdatomic.h>

#include "core/env.h"
#include "store/connection.h"
#include "store/run.h"
#include "store/store.h"
#include "sync/gate.h"
#include "sync/settings.h"

struct bindings;

/* One connection at work. */
struct sync_connection {
    const struct connection_settings *settings;
    /* owned by the caller that opened it; NULL: cannot be used now */
    struct session *session;
    struct store_connection row; /* as of the start of the run */
    /* what earlier runs learned of the CRM's schema and users (sync/bindings.h); NULL: learned anew by each run */
    struct bindings *bindings;
};

/* What is happening, for a progress line. */
struct sync_progress {
    const char *phase; /* "reading", "writing", "looking up", "waiting" */
    struct str connection;
    struct str kind;
    int64_t done, total; /* records of this phase; total -1 unknown */
    int64_t wait_ms;     /* phase "waiting" */
    const char *why; /* phase "waiting": what went wrong; NULL: a limit, or a write that settles */
    const struct run_counts *counts;
};

struct sync_report;

/* One engine. All pointers are borrowed. */
struct sync {
    struct env *env;
    struct store *store;
    int64_t tenant_id;
    const struct sync_settings *settings;
    struct sync_connection *connections;
    size_t connections_count;
    struct http_client *http; /* for call counts; may be NULL */
    void (*on_progress)(void *context, const struct sync_progress *progress); /* may be NULL */
    void *progress_context;
    const atomic_bool *cancel; /* may be NULL; checked between pages and batches */
    const struct gate *gate;   /* may be NULL: everything may happen */
    /* connections that could not be opened: part of the report, and the run has failed; may be NULL */
    const struct sync_report *early;
};

struct sync_options {
    const char *command;   /* as shown by `runs` */
    struct str connection; /* "" = all */
    struct str kind;       /* "" = all */
    bool pull, push;
    bool
        /* complete listing of every stream: finds what incremental reading cannot (deletes, drift)
         * */
        full;
    int64_t
        /* longest single wait for a limit, a retry or a settling write; longer ends the stream for
         * now */
        wait_max_ms;
    bool hints_only; /* pull reads what is marked and lists nothing */
    /* waits longer than wait_max_ms are no problem of the connection: the report says when to come back */
    bool comes_back;
    enum lane lane; /* whose share of the limits; counts where sync.http serves one connection */
    int64_t
        turn_ms; /* listings and batches end after this, at a committed page; 0 = when through */
    int64_t bindings_age_max_ms; /* what is older is learned anew */
    /* creates look only at records that the journal names after this place; 0 = at all */
    int64_t creates_after_journal;
    int64_t
        budget; /* calls that the run may make, 0 = any number; the limiter is told by the caller */
};

enum { SYNC_PROBLEMS_MAX = 32 };

/* Why a stream or connection could not finish. */
struct sync_problem {
    char connection[64];
    char kind[32];
    struct error error;
};

enum { SYNC_BRAKES_MAX = 8 };

/* A mass change that waits for a person. */
struct sync_brake {
    char seen[256];    /* what was seen */
    char command[256]; /* what lets it go on */
};

struct sync_report {
    int64_t run_id;
    struct run_counts counts;
    int64_t conflicts_open; /* waiting in total, after the run */
    int64_t failures_open;
    int64_t writes_unsettled; /* whose outcome is still unknown */
    bool budget_spent;        /* the run ended early for that */
    bool has_more;            /* it ended early because its turn was over */
    int64_t come_back_ms;     /* something can be done in so long; 0 = nothing waits */
    int64_t journal_seen;     /* creates have looked at all records up to this place; 0 = not */
    size_t
        restoring; /* streams that have to be listed before anything is written: the store was restored */
    bool brake_stopped;
    struct sync_brake brakes[SYNC_BRAKES_MAX];
    size_t brakes_count;
    struct sync_problem problems[SYNC_PROBLEMS_MAX];
    size_t problems_count;
};

/* Runs until nothing is left to do or only waiting is left. OK also when streams had problems (they are in the report);
 * FAIL_CANCELLED, FAIL_STOP and FAIL_BUG end the run. What was committed stays. */
enum fail sync_run(struct sync *sync, const struct sync_options *options, struct sync_report *ret,
                   struct error *err) MUST_CHECK;

/* NULL: every record of the kind takes part. */
const struct filter *filter_of(const struct connection_settings *settings, struct str kind);
/* Of everything that says which values of a kind travel: mapping and filter. Another one than the stream's: a back-fill is due. Arena's. */
struct str stream_version(const struct connection_settings *settings, struct str kind,
                          struct arena *arena);

#endif
