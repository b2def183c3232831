/* Whose turn it is: which connection a worker serves next, and with what. Knows times and wishes, no threads, no store and no network: whoever uses it
 * holds a lock (sync/workers.h), and a test needs none.
 *
 * One connection is served by one worker at a time, in short turns. A turn is one of
 *   flow  what is marked at the CRM is read by id, and what moved here is written there: within a moment of its cause
 *   pull  one kind is listed, as the schedule or a person says
 *   task  something else of the schedule (a reconciliation), one kind at a time
 * Flow goes before pull and pull before tasks, but every fourth turn goes to what has waited longest behind them. Among equals the tenant that was
 * served least goes first, but the kinds of a place are listed one after the other: its session is open then. A connection in trouble is left alone for a growing while, and all of those together never hold more than a part of the workers. */
#ifndef CRMSYNC_SYNC_DISPATCH_H
#define CRMSYNC_SYNC_DISPATCH_H

#include "core/fail.h"
#include "core/random.h"
#include "sync/schedule.h"

enum { DISPATCH_KINDS_MAX = 64 };

/* A connection. Copied; texts are borrowed. */
struct dispatch_place {
    int64_t tenant_id;
    struct str tenant, connection;
    size_t kinds_count; /* at most DISPATCH_KINDS_MAX, in the order in which they are pulled */
    /* borrowed; one for each kind */
    const struct schedule *const *schedules;
    const struct str *kinds;
    bool writes; /* something may be written there */
};

enum turn_type { TURN_FLOW, TURN_PULL, TURN_TASK };

struct turn {
    size_t place;
    enum turn_type type;
    size_t kind; /* pull, task */
    enum schedule_task task;
    bool is_asked;      /* by a person: the fastest lane, and nothing remembered is trusted */
    bool full;          /* pull: list everything */
    bool only_compares; /* task: what is found is not marked */
    int64_t
        after_journal; /* flow: creates look at what the journal names after this; 0 = at all records */
    int64_t began_ms;          /* monotonic */
    bool is_slow, is_troubled; /* counted as such */
};

/* What came of a turn. */
struct turn_end {
    enum fail failed; /* the connection cannot go on: it is left alone for a while */
    bool
        changed_here; /* the store is another: the tenant's other connections may have something to write */
    bool has_more; /* the turn was over before the work was */
    int64_t come_back_ms;
    int64_t journal_seen; /* flow: as in sync_report */
};

struct dispatch;

/* random is borrowed: back-off. workers: how many turns can be under way. */
struct dispatch *dispatch_new(struct random *random, int workers);
void dispatch_free(struct dispatch *dispatch); /* accepts NULL */
/* Before the first turn; returns its number, from 0. Everything is due at once, but what `before` (may be NULL) or dispatch_started() knows to have been done. */
size_t dispatch_add(struct dispatch *dispatch, const struct dispatch_place *place,
                    const struct dispatch *before);
/* A task was last started then, by an earlier process. */
void dispatch_started(struct dispatch *dispatch, size_t place, enum schedule_task task, size_t kind,
                      int64_t wall_ms);

/* --- wishes. Times are monotonic ms -------------------------------------------------------------------------------------------- */

/* Events came in for it: a moment later, so that more of them go together. */
void dispatch_arrived(struct dispatch *dispatch, size_t place, int64_t now_ms);
/* The store was changed from outside a turn: all connections of the tenant look what they have to write. */
void dispatch_changed(struct dispatch *dispatch, int64_t tenant_id, int64_t now_ms);
/* It may be well again: no more waiting. */
void dispatch_revive(struct dispatch *dispatch, size_t place, int64_t now_ms);

/* A person wants it now. Where: the places of a tenant that match. */
struct dispatch_order {
    int64_t tenant_id;
    struct str connection; /* "" = all */
    struct str kind;       /* "" = all */
    bool pull, push, full;
    bool compares; /* a reconciliation instead of the three above */
    bool repairs;  /* what it finds is marked */
};
/* Returns its number, from 1, or 0 when no place matches. */
int64_t dispatch_order(struct dispatch *dispatch, const struct dispatch_order *order,
                       int64_t now_ms);
/* Nothing of it is left to do: every place of it has been through since, or has failed. */
bool dispatch_order_is_done(const struct dispatch *dispatch, int64_t order);
/* The place is a part of the order. */
bool dispatch_order_covers(const struct dispatch *dispatch, int64_t order, size_t place);
void dispatch_order_forget(struct dispatch *dispatch, int64_t order);

/* --- turns ------------------------------------------------------------------------------------------------------------------- */

/* The next turn, if one can begin now: then its place is busy until dispatch_end(). Otherwise *ret_wait_ms says how long nothing will be due,
 * unless a wish comes or a turn ends. wall_ms: for schedules. */
bool dispatch_next(struct dispatch *dispatch, int64_t now_ms, int64_t wall_ms, struct turn *ret,
                   int64_t *ret_wait_ms);
void dispatch_end(struct dispatch *dispatch, const struct turn *turn, const struct turn_end *end,
                  int64_t now_ms);

/* --- for people -------------------------------------------------------------------------------------------------------------- */

size_t dispatch_places(const struct dispatch *dispatch);
/* SIZE_MAX: there is none. */
size_t dispatch_find(const struct dispatch *dispatch, int64_t tenant_id, struct str connection);
struct dispatch_state {
    bool is_busy;
    int failures_in_row;
    int64_t held_until_ms;  /* monotonic; 0 = not held */
    int64_t waits_since_ms; /* monotonic; 0 = nothing waits */
};
struct dispatch_state dispatch_state_of(const struct dispatch *dispatch, size_t place,
                                        int64_t now_ms);

#endif
