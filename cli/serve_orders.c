#include "cli/serve_orders.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { ORDERS_MAX = 32 };

struct entry {
    int64_t number; /* of the dispatch; 0: free */
    bool compares;
    char id[UUID_TEXT_BYTES];
    struct sync_report *report; /* owned; of all turns together */
    struct error err;           /* the first thing that ended a turn */
};

/* Everything under the workers' lock. */
struct serve_orders {
    struct workers *workers; /* borrowed */
    struct api *api;         /* borrowed */
    struct entry entries[ORDERS_MAX];
};

struct serve_orders *serve_orders_new(struct workers *workers, struct api *api)
{
    struct serve_orders *orders = alloc_new(1, sizeof *orders);

    orders->workers = workers;
    orders->api = api;
    return orders;
}

void serve_orders_free(struct serve_orders *orders)
{
    if (orders) {
        for (size_t i = 0; i < ORDERS_MAX; i++) {
            free(orders->entries[i].report);
        }
        free(orders);
    }
}

static struct entry *free_entry(struct serve_orders *orders)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        if (!orders->entries[i].number) {
            return &orders->entries[i];
        }
    }
    return NULL;
}

static enum fail add(struct serve_orders *orders, struct dispatch *dispatch,
                     const struct api_order *order, int64_t now_ms, struct error *err)
{
    const struct dispatch_order wish = {.tenant_id = order->tenant_id,
                                        .connection = str_of(order->connection),
                                        .kind = str_of(order->kind),
                                        .pull = order->pull,
                                        .push = order->push,
                                        .full = order->full,
                                        .compares = order->compares,
                                        .repairs = order->repairs};
    struct entry *entry = free_entry(orders);
    int64_t number;

    if (!dispatch || !entry) {
        err->wait_ms = 1000;
        return error_set(err, FAIL_THROTTLED,
                         "too much is asked for at once; try again in a moment");
    }
    number = dispatch_order(dispatch, &wish, now_ms);
    if (!number) {
        return error_set(err, FAIL_CONFIG, "no connection of the tenant matches");
    }
    *entry = (struct entry){.number = number,
                            .compares = order->compares,
                            .report = alloc_new(1, sizeof *entry->report)};
    snprintf(entry->id, sizeof entry->id, "%s", order->id);
    return OK;
}

enum fail serve_orders_add(struct serve_orders *orders, const struct api_order *order,
                           struct error *err)
{
    struct timespec now;

    if (order->budget) {
        error_set(err, FAIL_CONFIG,
                  "a running service keeps the CRM's limits by itself and takes "
                  "no budget for one sync");
        return error_hint(err, "leave 'budget' out, or stop the service and run 'crmsync sync'");
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    add(orders, workers_lock(orders->workers), order,
        (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, err);
    workers_unlock(orders->workers);
    return err->code;
}

/* Turns of the other sort go on beside it. */
static bool is_part_of(const struct dispatch *dispatch, const struct entry *entry,
                       const struct turn *turn)
{
    return entry->number && entry->compares == (turn->type == TURN_TASK) &&
           dispatch_order_covers(dispatch, entry->number, turn->place);
}

void serve_orders_progress(struct serve_orders *orders, const struct turn *turn,
                           const struct sync_progress *progress)
{
    const struct dispatch *dispatch = workers_lock(orders->workers);

    for (size_t i = 0; i < ORDERS_MAX && dispatch; i++) {
        const struct entry *entry = &orders->entries[i];

        if (is_part_of(dispatch, entry, turn)) {
            api_order_progress(orders->api, entry->id, progress);
        }
    }
    workers_unlock(orders->workers);
}

/* Numbers of the store are as they were last; counts add up. */
static void take_in(struct entry *entry, const struct sync_report *report, const struct error *err)
{
    struct sync_report *sum = entry->report;

    run_counts_add(&sum->counts, &report->counts);
    sum->run_id = report->run_id ? report->run_id : sum->run_id;
    sum->conflicts_open = report->conflicts_open;
    sum->failures_open = report->failures_open;
    sum->writes_unsettled = report->writes_unsettled;
    if (report->brake_stopped) {
        sum->brake_stopped = true;
        sum->brakes_count = report->brakes_count;
        memcpy(sum->brakes, report->brakes, sizeof sum->brakes);
    }
    for (size_t i = 0; i < report->problems_count && sum->problems_count < SYNC_PROBLEMS_MAX; i++) {
        sum->problems[sum->problems_count++] = report->problems[i];
    }
    if (entry->err.code == OK && err->code != OK && err->code != FAIL_CANCELLED &&
        err->code != FAIL_THROTTLED) {
        entry->err = *err;
    }
}

void serve_orders_report(struct serve_orders *orders, const struct turn *turn,
                         const struct sync_report *report, const struct error *err)
{
    const struct dispatch *dispatch = workers_lock(orders->workers);

    for (size_t i = 0; i < ORDERS_MAX && dispatch; i++) {
        if (is_part_of(dispatch, &orders->entries[i], turn)) {
            take_in(&orders->entries[i], report, err);
        }
    }
    workers_unlock(orders->workers);
}

static void end_entry(struct serve_orders *orders, struct entry *entry)
{
    api_order_end(orders->api, entry->id, entry->report, &entry->err);
    free(entry->report);
    *entry = (struct entry){0};
}

bool serve_orders_settle(struct serve_orders *orders)
{
    struct dispatch *dispatch = workers_lock(orders->workers);
    bool any = false;

    for (size_t i = 0; i < ORDERS_MAX && dispatch; i++) {
        struct entry *entry = &orders->entries[i];

        if (entry->number && dispatch_order_is_done(dispatch, entry->number)) {
            dispatch_order_forget(dispatch, entry->number);
            end_entry(orders, entry);
        }
        any = any || entry->number;
    }
    workers_unlock(orders->workers);
    return any;
}

void serve_orders_end_all(struct serve_orders *orders, const char *why)
{
    workers_lock(orders->workers);
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        struct entry *entry = &orders->entries[i];

        if (entry->number) {
            error_set(&entry->err, FAIL_CANCELLED, "%s", why);
            error_hint(&entry->err, "ask for it again; what was done is kept");
            end_entry(orders, entry);
        }
    }
    workers_unlock(orders->workers);
}
