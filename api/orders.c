#include "api/orders.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/json.h"
#include "core/alloc.h"

enum order_state { ORDER_QUEUED, ORDER_RUNNING, ORDER_DONE, ORDER_FAILED };
static const char *const STATES[] = {"queued", "running", "done", "failed"};

struct entry {
    struct api_order order;
    enum order_state state;
    int64_t asked_ms, ended_ms;
    json_t *progress, *report, *error; /* owned; NULL none */
};

struct orders {
    struct env *env;
    pthread_mutex_t mutex;
    struct entry at[ORDERS_KEPT];
    size_t count;
};

struct orders *orders_new(struct env *env)
{
    struct orders *orders = alloc_new(1, sizeof *orders);

    orders->env = env;
    pthread_mutex_init(&orders->mutex, NULL);
    return orders;
}

static void empty_entry(struct entry *entry)
{
    json_decref(entry->progress);
    json_decref(entry->report);
    json_decref(entry->error);
    *entry = (struct entry){0};
}

void orders_free(struct orders *orders)
{
    if (orders) {
        for (size_t i = 0; i < orders->count; i++) {
            empty_entry(&orders->at[i]);
        }
        pthread_mutex_destroy(&orders->mutex);
        free(orders);
    }
}

static bool has_ended(const struct entry *entry)
{
    return entry->state == ORDER_DONE || entry->state == ORDER_FAILED;
}

/* A place for one more: at the end, or that of the oldest which has ended. */
static struct entry *free_place(struct orders *orders)
{
    size_t oldest = ORDERS_KEPT;

    if (orders->count < ORDERS_KEPT) {
        return &orders->at[orders->count++];
    }
    for (size_t i = 0; i < ORDERS_KEPT; i++) {
        if (has_ended(&orders->at[i]) &&
            (oldest == ORDERS_KEPT || orders->at[i].ended_ms < orders->at[oldest].ended_ms)) {
            oldest = i;
        }
    }
    if (oldest == ORDERS_KEPT) {
        return NULL;
    }
    empty_entry(&orders->at[oldest]);
    return &orders->at[oldest];
}

enum fail orders_add(struct orders *orders, struct api_order *order, struct error *err)
{
    int64_t now_ms = clock_wall_ms(orders->env->clock);
    struct entry *entry;

    uuid_v7(now_ms, orders->env->random, order->id);
    pthread_mutex_lock(&orders->mutex);
    entry = free_place(orders);
    if (entry) {
        *entry = (struct entry){.order = *order, .asked_ms = now_ms};
    }
    pthread_mutex_unlock(&orders->mutex);
    if (!entry) {
        error_set(err, FAIL_THROTTLED, "%d syncs that were asked for are still at work",
                  ORDERS_KEPT);
        err->wait_ms = 10 * 1000;
        return err->code;
    }
    return OK;
}

/* With the mutex held. */
static struct entry *entry_of(struct orders *orders, struct str id)
{
    for (size_t i = 0; i < orders->count; i++) {
        if (str_equal(str_of(orders->at[i].order.id), id)) {
            return &orders->at[i];
        }
    }
    return NULL;
}

static void replace(json_t **slot, json_t *take_tree)
{
    json_decref(*slot);
    *slot = take_tree;
}

void orders_progress(struct orders *orders, struct str id, const struct sync_progress *progress)
{
    json_t *tree = json_progress(progress);
    struct entry *entry;

    pthread_mutex_lock(&orders->mutex);
    entry = entry_of(orders, id);
    if (entry && !has_ended(entry)) {
        entry->state = ORDER_RUNNING;
        replace(&entry->progress, tree);
        tree = NULL;
    }
    pthread_mutex_unlock(&orders->mutex);
    json_decref(tree);
}

void orders_end(struct orders *orders, struct str id, const struct sync_report *report,
                const struct error *err)
{
    json_t *tree = NULL;
    json_t *error = err->code == OK ? NULL : json_error(err);
    struct entry *entry;

    pthread_mutex_lock(&orders->mutex);
    entry = entry_of(orders, id);
    if (entry && !has_ended(entry)) {
        tree = report ? json_report(report, str_of(entry->order.tenant)) : NULL;
        entry->state = err->code == OK ? ORDER_DONE : ORDER_FAILED;
        entry->ended_ms = clock_wall_ms(orders->env->clock);
        replace(&entry->progress, NULL);
        replace(&entry->report, tree);
        replace(&entry->error, error);
        tree = NULL;
        error = NULL;
    }
    pthread_mutex_unlock(&orders->mutex);
    json_decref(tree);
    json_decref(error);
}

static json_t *tree_or_null(json_t *tree)
{
    return tree ? json_deep_copy(tree) : json_null();
}

static json_t *entry_json(const struct entry *entry)
{
    const struct api_order *order = &entry->order;

    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", order->id, "state",
                     STATES[entry->state], "connection", order->connection, "kind", order->kind,
                     "asked_at", json_time(entry->asked_ms), "ended_at", json_time(entry->ended_ms),
                     "progress", tree_or_null(entry->progress), "report",
                     tree_or_null(entry->report), "error", tree_or_null(entry->error));
}

json_t *orders_json(struct orders *orders, int64_t tenant_id, struct str id)
{
    struct entry *entry;
    json_t *tree = NULL;

    pthread_mutex_lock(&orders->mutex);
    entry = entry_of(orders, id);
    if (entry && entry->order.tenant_id == tenant_id) {
        tree = entry_json(entry);
    }
    pthread_mutex_unlock(&orders->mutex);
    return tree;
}
