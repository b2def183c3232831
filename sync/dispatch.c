#include "sync/dispatch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "http/limits.h"

enum {
    TOGETHER_MS = 100, /* events that come in this time are read together */
    TROUBLE_BASE_MS = 1000,
    TROUBLE_CAP_MS = 5 * 60 * 1000,
    PATIENCE_TURNS = 4, /* every so many turns go to who waits longest */
    TROUBLED_SHARE = 4, /* one of so many workers at most, and at least one */
    ORDERS_MAX = 64,
    LOOK_AGAIN_MS = 60 * 1000,
    CLOCK_SET_MS = 1000, /* so much between the two clocks is no drift: somebody set one */
};

#define NOT_DUE INT64_MAX

/* Kinds of a place as bits. */
typedef uint64_t kind_set;

struct place {
    struct dispatch_place about;
    size_t tenant; /* its index */
    bool is_busy;
    bool
        goes_on; /* it has just listed a kind and has others to list: what is open there is of use */
    int failures_in_row;
    int64_t held_until_ms;
    int64_t flow_due_ms; /* NOT_DUE */
    int64_t list_due_ms; /* no listing before, though kinds are wanted */
    bool flow_is_asked;
    bool looks_at_all;    /* the next flow's creates look at all records */
    int64_t journal_seen; /* by creates; 0 not */
    kind_set wanted[SCHEDULE_TASKS];
    kind_set asked, full;                 /* of the pulls: by a person; complete */
    kind_set compare_asked, only_compare; /* of the reconciliations: by a person; without marks */
    int64_t wanted_since_ms;              /* 0 nothing is wanted */
    int64_t *last_ms;                     /* owned; wall time of the last start, by task and kind */
};

struct order {
    int64_t number; /* 0: free */
    struct dispatch_order about;
    char connection[64];
};

/* What each tenant got, in ms of workers; only differences count. */
struct tenant {
    int64_t id;
    int64_t served_ms;
};

struct dispatch {
    struct random *random;
    int workers;
    struct place *places; /* owned */
    size_t count, capacity;
    struct tenant *tenants; /* owned */
    size_t tenants_count;
    struct order orders[ORDERS_MAX];
    int64_t orders_begun;
    int busy, busy_troubled, busy_slow;
    int64_t turns;
    int64_t looked_ms;   /* schedules were last asked; 0 never */
    int64_t due_wall_ms; /* the earliest time that they named */
    int64_t ahead_ms;    /* the wall clock, then, of the monotonic one */
};

struct dispatch *dispatch_new(struct random *random, int workers)
{
    struct dispatch *dispatch = alloc_new(1, sizeof *dispatch);

    assert(workers > 0);
    dispatch->random = random;
    dispatch->workers = workers;
    return dispatch;
}

void dispatch_free(struct dispatch *dispatch)
{
    if (!dispatch) {
        return;
    }
    for (size_t i = 0; i < dispatch->count; i++) {
        free(dispatch->places[i].last_ms);
    }
    free(dispatch->places);
    free(dispatch->tenants);
    free(dispatch);
}

/* --- places ------------------------------------------------------------------------------------------------------------------ */

static int64_t *last_of(const struct place *place, size_t task, size_t kind)
{
    return &place->last_ms[task * place->about.kinds_count + kind];
}

static size_t add_tenant(struct dispatch *dispatch, int64_t id)
{
    for (size_t i = 0; i < dispatch->tenants_count; i++) {
        if (dispatch->tenants[i].id == id) {
            return i;
        }
    }
    dispatch->tenants =
        alloc_resize(dispatch->tenants, dispatch->tenants_count + 1, sizeof *dispatch->tenants);
    dispatch->tenants[dispatch->tenants_count] = (struct tenant){.id = id};
    return dispatch->tenants_count++;
}

/* Kinds are recognised by name: the new configuration may have others. */
static void take_last(struct place *place, const struct place *old)
{
    for (size_t k = 0; k < place->about.kinds_count; k++) {
        for (size_t o = 0; o < old->about.kinds_count; o++) {
            for (size_t task = 0; task < SCHEDULE_TASKS; task++) {
                if (str_equal(place->about.kinds[k], old->about.kinds[o])) {
                    *last_of(place, task, k) = *last_of(old, task, o);
                }
            }
        }
    }
}

size_t dispatch_add(struct dispatch *dispatch, const struct dispatch_place *about,
                    const struct dispatch *before)
{
    size_t old = before ? dispatch_find(before, about->tenant_id, about->connection) : SIZE_MAX;
    struct place *place;

    assert(about->kinds_count <= DISPATCH_KINDS_MAX && dispatch->busy == 0);
    if (dispatch->count == dispatch->capacity) {
        dispatch->capacity = dispatch->capacity ? 2 * dispatch->capacity : 16;
        dispatch->places =
            alloc_resize(dispatch->places, dispatch->capacity, sizeof *dispatch->places);
    }
    place = &dispatch->places[dispatch->count];
    *place = (struct place){.about = *about, .looks_at_all = true, .flow_due_ms = 0};
    place->last_ms = alloc_new(SCHEDULE_TASKS * about->kinds_count + 1, sizeof *place->last_ms);
    if (old != SIZE_MAX) {
        take_last(place, &before->places[old]);
    }
    place->tenant = add_tenant(dispatch, about->tenant_id);
    return dispatch->count++;
}

void dispatch_started(struct dispatch *dispatch, size_t place, enum schedule_task task, size_t kind,
                      int64_t wall_ms)
{
    *last_of(&dispatch->places[place], (size_t)task, kind) = wall_ms;
}

size_t dispatch_places(const struct dispatch *dispatch)
{
    return dispatch->count;
}

size_t dispatch_find(const struct dispatch *dispatch, int64_t tenant_id, struct str connection)
{
    for (size_t i = 0; i < dispatch->count; i++) {
        const struct dispatch_place *about = &dispatch->places[i].about;

        if (about->tenant_id == tenant_id && str_equal(about->connection, connection)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* --- wishes ------------------------------------------------------------------------------------------------------------------ */

static void flow_at(struct place *place, int64_t at_ms)
{
    if (at_ms < place->flow_due_ms) {
        place->flow_due_ms = at_ms;
    }
}

static void want(struct place *place, size_t task, size_t kind, int64_t now_ms)
{
    place->wanted[task] |= (kind_set)1 << kind;
    if (!place->wanted_since_ms) {
        place->wanted_since_ms = now_ms;
    }
}

void dispatch_arrived(struct dispatch *dispatch, size_t place, int64_t now_ms)
{
    flow_at(&dispatch->places[place], now_ms + TOGETHER_MS);
}

static bool covers(const struct dispatch_order *order, const struct dispatch_place *about)
{
    return order->tenant_id == about->tenant_id &&
           (order->connection.len == 0 || str_equal(order->connection, about->connection));
}

static bool is_asked_to_write(const struct dispatch *dispatch, const struct dispatch_place *about)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        const struct order *order = &dispatch->orders[i];

        if (order->number && order->about.push && covers(&order->about, about)) {
            return true;
        }
    }
    return false;
}

/* Everybody of the tenant but one looks what there is to write. */
static void changed(struct dispatch *dispatch, int64_t tenant_id, size_t but, int64_t now_ms)
{
    for (size_t i = 0; i < dispatch->count; i++) {
        struct place *place = &dispatch->places[i];

        if (i != but && place->about.tenant_id == tenant_id && place->about.writes) {
            flow_at(place, now_ms);
            place->flow_is_asked =
                place->flow_is_asked || is_asked_to_write(dispatch, &place->about);
        }
    }
}

void dispatch_changed(struct dispatch *dispatch, int64_t tenant_id, int64_t now_ms)
{
    changed(dispatch, tenant_id, SIZE_MAX, now_ms);
}

void dispatch_revive(struct dispatch *dispatch, size_t at, int64_t now_ms)
{
    struct place *place = &dispatch->places[at];

    place->held_until_ms = 0;
    place->failures_in_row = 0;
    flow_at(place, now_ms);
}

/* --- orders ------------------------------------------------------------------------------------------------------------------ */

static struct order *free_order(struct dispatch *dispatch)
{
    struct order *oldest = &dispatch->orders[0];

    for (size_t i = 0; i < ORDERS_MAX; i++) {
        if (dispatch->orders[i].number < oldest->number) {
            oldest = &dispatch->orders[i];
        }
    }
    return oldest;
}

static bool take_part(struct place *place, const struct dispatch_order *order, int64_t now_ms)
{
    bool any = order->kind.len == 0;

    for (size_t k = 0; k < place->about.kinds_count; k++) {
        if (order->kind.len && !str_equal(order->kind, place->about.kinds[k])) {
            continue;
        }
        any = true;
        if (order->compares) {
            want(place, SCHEDULE_RECONCILE, k, now_ms);
            place->compare_asked |= (kind_set)1 << k;
            place->only_compare &= ~((kind_set)1 << k);
            place->only_compare |= order->repairs ? 0 : (kind_set)1 << k;
        }
        if (order->pull) {
            want(place, SCHEDULE_PULL, k, now_ms);
            place->asked |= (kind_set)1 << k;
            place->full |= order->full ? (kind_set)1 << k : 0;
        }
    }
    if (any) { /* what it is held for may be over: a person knows best */
        place->held_until_ms = 0;
        place->list_due_ms = 0;
    }
    if (any && !order->compares) {
        place->looks_at_all = true;
        if (!order->pull) { /* otherwise when all is read */
            place->flow_is_asked = true;
            flow_at(place, now_ms);
        }
    }
    return any;
}

int64_t dispatch_order(struct dispatch *dispatch, const struct dispatch_order *about,
                       int64_t now_ms)
{
    struct order *order = free_order(dispatch);
    bool any = false;

    for (size_t i = 0; i < dispatch->count; i++) {
        if (covers(about, &dispatch->places[i].about)) {
            any = take_part(&dispatch->places[i], about, now_ms) || any;
        }
    }
    if (!any) {
        return 0;
    }
    *order = (struct order){.number = ++dispatch->orders_begun, .about = *about};
    snprintf(order->connection, sizeof order->connection, "%" PRI_STR, STR_ARG(about->connection));
    order->about.connection = str_of(order->connection);
    order->about.kind = STR("");
    return order->number;
}

static const struct order *order_of(const struct dispatch *dispatch, int64_t number)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        if (number && dispatch->orders[i].number == number) {
            return &dispatch->orders[i];
        }
    }
    return NULL;
}

bool dispatch_order_covers(const struct dispatch *dispatch, int64_t number, size_t place)
{
    const struct order *order = order_of(dispatch, number);

    return order && covers(&order->about, &dispatch->places[place].about);
}

bool dispatch_order_is_done(const struct dispatch *dispatch, int64_t number)
{
    const struct order *order = order_of(dispatch, number);

    for (size_t i = 0; order && i < dispatch->count; i++) {
        const struct place *place = &dispatch->places[i];
        bool waits = order->about.compares ? place->compare_asked != 0
                                           : place->asked || place->flow_is_asked;

        if (covers(&order->about, &place->about) && (place->is_busy || waits)) {
            return false;
        }
    }
    return true;
}

void dispatch_order_forget(struct dispatch *dispatch, int64_t number)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        if (number && dispatch->orders[i].number == number) {
            dispatch->orders[i] = (struct order){0};
        }
    }
}

/* --- schedules --------------------------------------------------------------------------------------------------------------- */

static int64_t next_of(const struct place *place, size_t task, size_t kind, int64_t wall_ms)
{
    uint64_t seed =
        schedule_seed(place->about.tenant, place->about.connection, place->about.kinds[kind]);

    return schedule_next_ms(place->about.schedules[kind], (enum schedule_task)task,
                            *last_of(place, task, kind), wall_ms, seed);
}

static void ask_place(struct dispatch *dispatch, struct place *place, int64_t now_ms,
                      int64_t wall_ms)
{
    for (size_t k = 0; k < place->about.kinds_count; k++) {
        for (size_t task = 0; task < SCHEDULE_TASKS; task++) {
            int64_t next_ms;

            if (place->wanted[task] >> k & 1) {
                continue; /* does not overlap with itself: asked again when it has ended */
            }
            next_ms = next_of(place, task, k, wall_ms);
            if (next_ms <= wall_ms) {
                want(place, task, k, now_ms);
            } else if (next_ms < dispatch->due_wall_ms) {
                dispatch->due_wall_ms = next_ms;
            }
        }
    }
}

/* The times that schedules named are of the clock as it was. */
static bool clock_was_set(const struct dispatch *dispatch, int64_t now_ms, int64_t wall_ms)
{
    int64_t moved_ms = wall_ms - now_ms - dispatch->ahead_ms;

    return moved_ms > CLOCK_SET_MS || moved_ms < -CLOCK_SET_MS;
}

static void ask_schedules(struct dispatch *dispatch, int64_t now_ms, int64_t wall_ms)
{
    if (dispatch->looked_ms && wall_ms < dispatch->due_wall_ms &&
        now_ms - dispatch->looked_ms < LOOK_AGAIN_MS && !clock_was_set(dispatch, now_ms, wall_ms)) {
        return;
    }
    dispatch->ahead_ms = wall_ms - now_ms;
    dispatch->looked_ms = now_ms ? now_ms : 1;
    dispatch->due_wall_ms = INT64_MAX;
    for (size_t i = 0; i < dispatch->count; i++) {
        ask_place(dispatch, &dispatch->places[i], now_ms, wall_ms);
    }
}

/* --- choosing ---------------------------------------------------------------------------------------------------------------- */

struct choice {
    struct place *place;
    enum turn_type type;
    bool is_asked, goes_on;
    int64_t since_ms; /* it waits so long */
    int64_t served_ms;
};

/* What the place would do next; false: nothing now, and *ret_due_ms when (NOT_DUE: no time is known). */
static bool choice_of(const struct dispatch *dispatch, struct place *place, int64_t now_ms,
                      struct choice *ret, int64_t *ret_due_ms)
{
    bool lists = place->wanted[SCHEDULE_PULL] != 0 && (place->asked || !place->compare_asked);
    bool has_list = lists || place->wanted[SCHEDULE_RECONCILE] != 0;
    int64_t list_ms = has_list ? place->list_due_ms : NOT_DUE;
    int64_t due_ms = list_ms < place->flow_due_ms ? list_ms : place->flow_due_ms;

    *ret_due_ms = due_ms == NOT_DUE               ? NOT_DUE
                  : due_ms < place->held_until_ms ? place->held_until_ms
                                                  : due_ms;
    if (*ret_due_ms > now_ms) {
        return false;
    }
    *ret = (struct choice){.place = place, .served_ms = dispatch->tenants[place->tenant].served_ms};
    if (place->flow_due_ms <= now_ms) {
        ret->type = TURN_FLOW;
        ret->is_asked = place->flow_is_asked;
        ret->since_ms = place->flow_due_ms;
    } else {
        ret->type = lists ? TURN_PULL : TURN_TASK;
        ret->goes_on = lists && place->goes_on;
        ret->is_asked = (lists ? place->asked : place->compare_asked) != 0;
        ret->since_ms = place->wanted_since_ms;
    }
    return true;
}

/* Whoever asks for a comparison knows that it takes its time. */
static bool is_slow(const struct choice *choice)
{
    return choice->type == TURN_TASK || (choice->type == TURN_PULL && !choice->is_asked);
}

/* One worker is always left for what is quick, and most of them for those that are well. */
static bool has_worker(const struct dispatch *dispatch, const struct choice *choice)
{
    int troubled_max = dispatch->workers / TROUBLED_SHARE;
    int slow_max = dispatch->workers > 1 ? dispatch->workers - 1 : 1;

    if (choice->place->failures_in_row &&
        dispatch->busy_troubled >= (troubled_max ? troubled_max : 1)) {
        return false;
    }
    return !is_slow(choice) || dispatch->busy_slow < slow_max;
}

static int rank_of(const struct choice *choice)
{
    enum turn_type as = choice->type == TURN_TASK && choice->is_asked ? TURN_PULL : choice->type;

    return choice->is_asked && choice->type != TURN_TASK ? 0 : 1 + (int)as;
}

static bool is_before(const struct choice *a, const struct choice *b, bool is_patient)
{
    if (is_patient) {
        return a->since_ms < b->since_ms;
    }
    if (rank_of(a) != rank_of(b)) {
        return rank_of(a) < rank_of(b);
    }
    if (a->goes_on != b->goes_on) {
        return a->goes_on;
    }
    return a->served_ms != b->served_ms ? a->served_ms < b->served_ms : a->since_ms < b->since_ms;
}

static size_t lowest(kind_set set)
{
    return (size_t)__builtin_ctzll(set);
}

/* What leaves no marks is no replacement for what the schedule wants. */
static void begin_list(struct place *place, int64_t wall_ms, struct turn *ret)
{
    kind_set asked = ret->type == TURN_PULL ? place->asked : place->compare_asked;

    ret->task = ret->type == TURN_PULL ? SCHEDULE_PULL : SCHEDULE_RECONCILE;
    ret->kind = lowest(asked ? asked : place->wanted[ret->task]);
    ret->full = ret->type == TURN_PULL && (place->full >> ret->kind & 1);
    ret->only_compares = ret->type == TURN_TASK && (place->only_compare >> ret->kind & 1);
    if (!ret->only_compares) {
        *last_of(place, (size_t)ret->task, ret->kind) = wall_ms;
    }
}

static void begin(struct dispatch *dispatch, const struct choice *choice, int64_t now_ms,
                  int64_t wall_ms, struct turn *ret)
{
    struct place *place = choice->place;

    *ret = (struct turn){.place = (size_t)(place - dispatch->places),
                         .type = choice->type,
                         .is_asked = choice->is_asked,
                         .is_slow = is_slow(choice),
                         .is_troubled = place->failures_in_row > 0,
                         .began_ms = now_ms,
                         .after_journal = place->looks_at_all ? 0 : place->journal_seen};
    if (choice->type == TURN_FLOW) {
        place->flow_due_ms = NOT_DUE;
        place->looks_at_all = false;
    } else {
        begin_list(place, wall_ms, ret);
    }
    place->is_busy = true;
    place->goes_on = false;
    dispatch->busy++;
    dispatch->busy_slow += ret->is_slow;
    dispatch->busy_troubled += ret->is_troubled;
    dispatch->turns++;
}

/* How long nothing is due: until the earliest of what is known, and never longer than a look at the schedules may wait. */
static int64_t wait_for(const struct dispatch *dispatch, int64_t due_ms, int64_t now_ms,
                        int64_t wall_ms)
{
    int64_t wait_ms = due_ms == NOT_DUE ? LOOK_AGAIN_MS : due_ms - now_ms;
    int64_t clock_ms =
        dispatch->due_wall_ms == INT64_MAX ? LOOK_AGAIN_MS : dispatch->due_wall_ms - wall_ms;

    wait_ms = clock_ms < wait_ms ? clock_ms : wait_ms;
    wait_ms = wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS;
    return wait_ms > 1 ? wait_ms : 1;
}

bool dispatch_next(struct dispatch *dispatch, int64_t now_ms, int64_t wall_ms, struct turn *ret,
                   int64_t *ret_wait_ms)
{
    bool is_patient = dispatch->turns % PATIENCE_TURNS == PATIENCE_TURNS - 1;
    struct choice best = {0};
    int64_t earliest_ms = NOT_DUE;

    ask_schedules(dispatch, now_ms, wall_ms);
    for (size_t i = 0; i < dispatch->count; i++) {
        struct choice choice;
        int64_t due_ms;

        if (dispatch->places[i].is_busy) {
            continue;
        }
        if (choice_of(dispatch, &dispatch->places[i], now_ms, &choice, &due_ms)) {
            if (has_worker(dispatch, &choice) &&
                (!best.place || is_before(&choice, &best, is_patient))) {
                best = choice;
            }
        } else if (due_ms < earliest_ms) {
            earliest_ms = due_ms;
        }
    }
    if (!best.place) { /* what waits for a worker is told by the end of a turn */
        *ret_wait_ms = wait_for(dispatch, earliest_ms, now_ms, wall_ms);
        return false;
    }
    begin(dispatch, &best, now_ms, wall_ms, ret);
    return true;
}

/* --- ends -------------------------------------------------------------------------------------------------------------------- */

/* Whoever comes back after a time of rest begins with the others. */
static void charge(struct dispatch *dispatch, const struct place *place, int64_t ms)
{
    struct tenant *tenant = &dispatch->tenants[place->tenant];
    int64_t least_ms = INT64_MAX;

    tenant->served_ms += ms > 0 ? ms : 1;
    for (size_t i = 0; i < dispatch->tenants_count; i++) {
        int64_t served_ms = dispatch->tenants[i].served_ms;

        least_ms = served_ms < least_ms ? served_ms : least_ms;
    }
    for (size_t i = 0; i < dispatch->tenants_count; i++) {
        int64_t lead_ms = dispatch->tenants[i].served_ms - least_ms;

        dispatch->tenants[i].served_ms = lead_ms < TROUBLE_CAP_MS ? lead_ms : TROUBLE_CAP_MS;
    }
}

/* Alone for a growing while; what was wanted stays wanted, and a person who asked hears that it failed. */
static void hold(struct dispatch *dispatch, struct place *place, const struct turn *turn,
                 int64_t now_ms)
{
    int64_t wait_ms = backoff_full_jitter_ms(dispatch->random, place->failures_in_row,
                                             TROUBLE_BASE_MS, TROUBLE_CAP_MS);

    place->failures_in_row++;
    place->held_until_ms = now_ms + TROUBLE_BASE_MS + wait_ms;
    place->asked = 0;
    place->flow_is_asked = false;
    place->wanted[SCHEDULE_RECONCILE] &= ~place->only_compare; /* nobody looks at it any more */
    place->compare_asked = place->only_compare = 0;
    if (!place->wanted[SCHEDULE_PULL] && !place->wanted[SCHEDULE_RECONCILE]) {
        place->wanted_since_ms = 0;
    }
    if (turn->type == TURN_FLOW) {
        place->looks_at_all = place->looks_at_all || turn->after_journal == 0;
        flow_at(place, place->held_until_ms);
    }
}

static void flow_ended(struct place *place, const struct turn *turn, const struct turn_end *end,
                       int64_t now_ms)
{
    if (end->journal_seen) {
        place->journal_seen = end->journal_seen;
    } else {
        place->looks_at_all = place->looks_at_all || turn->after_journal == 0;
    }
    if (end->has_more) {
        flow_at(place, now_ms);
    } else if (end->come_back_ms) {
        flow_at(place, now_ms + end->come_back_ms);
    } else if (place->flow_due_ms == NOT_DUE) {
        place->flow_is_asked = false;
    }
}

/* A person who asked while it was under way may have changed something that it has passed: that is another one. */
static void list_done(struct place *place, const struct turn *turn)
{
    kind_set kind = (kind_set)1 << turn->kind;
    kind_set asked = turn->type == TURN_PULL ? place->asked : place->compare_asked;

    if (asked & kind && !turn->is_asked) {
        return;
    }
    place->wanted[turn->task] &= ~kind;
    if (turn->type == TURN_PULL) {
        place->asked &= ~kind;
        place->full &= ~kind;
    } else {
        place->compare_asked &= ~kind;
        place->only_compare &= ~kind;
    }
}

static void listing_ended(struct dispatch *dispatch, struct place *place, const struct turn *turn,
                          const struct turn_end *end, int64_t now_ms)
{
    int64_t last_ms = *last_of(place, (size_t)turn->task, turn->kind);
    int64_t next_ms;

    if (end->come_back_ms) {
        place->list_due_ms = now_ms + end->come_back_ms;
    }
    if (end->has_more || end->come_back_ms) {
        return;
    }
    next_ms = next_of(place, (size_t)turn->task, turn->kind, last_ms);
    dispatch->due_wall_ms = next_ms < dispatch->due_wall_ms ? next_ms : dispatch->due_wall_ms;
    list_done(place, turn);
    place->goes_on = place->wanted[SCHEDULE_PULL] != 0;
    if (!place->wanted[SCHEDULE_PULL] && !place->wanted[SCHEDULE_RECONCILE]) {
        place->wanted_since_ms = 0;
    } else {
        place->wanted_since_ms = now_ms;
    }
    if (!place->wanted
             [SCHEDULE_PULL]) { /* what a listing brought, and what only time has made due */
        place->looks_at_all = true;
        place->flow_is_asked = place->flow_is_asked || (turn->is_asked && turn->type == TURN_PULL);
        flow_at(place, now_ms);
    }
}

void dispatch_end(struct dispatch *dispatch, const struct turn *turn, const struct turn_end *end,
                  int64_t now_ms)
{
    struct place *place = &dispatch->places[turn->place];

    assert(place->is_busy);
    place->is_busy = false;
    dispatch->busy--;
    dispatch->busy_slow -= turn->is_slow;
    dispatch->busy_troubled -= turn->is_troubled;
    charge(dispatch, place, now_ms - turn->began_ms);
    if (end->changed_here) {
        changed(dispatch, place->about.tenant_id, turn->place, now_ms);
    }
    if (end->failed != OK) {
        hold(dispatch, place, turn, now_ms);
        return;
    }
    place->failures_in_row = 0;
    place->held_until_ms = 0;
    if (turn->type == TURN_FLOW) {
        flow_ended(place, turn, end, now_ms);
    } else {
        listing_ended(dispatch, place, turn, end, now_ms);
    }
}

struct dispatch_state dispatch_state_of(const struct dispatch *dispatch, size_t at, int64_t now_ms)
{
    const struct place *place = &dispatch->places[at];
    int64_t since_ms = place->wanted_since_ms;

    if (place->flow_due_ms <= now_ms && (!since_ms || place->flow_due_ms < since_ms)) {
        since_ms = place->flow_due_ms;
    }
    return (struct dispatch_state){.is_busy = place->is_busy,
                                   .failures_in_row = place->failures_in_row,
                                   .held_until_ms =
                                       place->held_until_ms > now_ms ? place->held_until_ms : 0,
                                   .waits_since_ms = place->is_busy ? 0 : since_ms};
}
