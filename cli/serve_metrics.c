#include "cli/serve_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "api/metrics.h"
#include "cli/alerting.h"
#include "cli/receiving.h"
#include "cli/service_metrics.h"
#include "cli/serving.h"
#include "core/alloc.h"
#include "sync/workers.h"

enum { FIRST_LOOK_MS = 5 * 1000 };

/* --- numbers ------------------------------------------------------------------------------------------------------------------ */

static struct metrics_place name_place(const struct serving *serving, size_t place)
{
    struct serving_at at = serving_at(serving, place);
    const struct wire *wire = serving_tenant(serving, at.tenant);

    return (struct metrics_place){.tenant = wire->config.tenants[wire->config.tenant].name,
                                  .connection = wire->config.connections[at.index].name};
}

static void count_turn(const struct dispatch *dispatch, size_t place, int64_t now_ms,
                       struct metrics_turns *turns)
{
    struct dispatch_state state = dispatch_state_of(dispatch, place, now_ms);

    turns->busy += state.is_busy;
    turns->held += state.held_until_ms != 0;
    turns->waiting += state.waits_since_ms != 0 && !state.is_busy;
}

/* While the configuration is read again there is no dispatch, and nothing to count. */
static void add_places(struct service *service, struct samples *samples)
{
    struct metrics_turns turns = {.workers = service->base->config.service.workers};
    int64_t now_ms = clock_mono_ms(service->cli->env->clock);
    const struct dispatch *dispatch = workers_lock(service->workers);

    for (size_t i = 0; dispatch && i < dispatch_places(dispatch); i++) {
        struct metrics_place place = name_place(service->serving, i);
        struct http_client *client = serving_client(service->serving, i);

        count_turn(dispatch, i, now_ms, &turns);
        if (client) {
            metrics_of_client(samples, &place, client);
        }
    }
    workers_unlock(service->workers);
    metrics_of_turns(samples, &turns);
}

static void add_deliveries(struct service *service, struct samples *samples)
{
    struct receiver *receiver = receiving_receiver(service->receiving);
    struct receive_totals totals = {0};

    for (size_t t = 0; t < serving_tenants(service->serving); t++) {
        const struct wire *wire = serving_tenant(service->serving, t);

        for (size_t i = 0; i < wire->connections_count; i++) {
            const struct metrics_place place = {.tenant =
                                                    wire->config.tenants[wire->config.tenant].name,
                                                .connection = wire->config.connections[i].name};
            struct receive_counts counts;

            if (receiver_counts(receiver, wire->connections[i].row.id, &counts)) {
                metrics_of_deliveries(samples, &place, &counts);
            }
        }
    }
    receiver_totals(receiver, &totals);
    metrics_of_receiver(samples, &totals);
}

static enum fail add_alerts(struct service *service, struct store *reader, struct samples *samples,
                            struct error *err)
{
    const struct config_alerts *alerts = &service->base->config.alerts;
    struct store_alert *states;

    if (alerts_states(reader, alerts, samples->arena, &states, err) != OK) {
        return err->code;
    }
    metrics_of_alerts(samples, states, alerts->rules_count);
    return OK;
}

enum fail serve_metrics(void *context, struct store *reader, struct samples *samples,
                        struct error *err)
{
    struct service *service = context;

    metrics_of_process(samples, service->started_ms, store_schema_version(reader));
    add_places(service, samples);
    add_deliveries(service, samples);
    if (service->publishing) { /* not before the service has started */
        publishing_samples(service->publishing, samples);
    }
    return add_alerts(service, reader, samples, err);
}

/* --- alerts --------------------------------------------------------------------------------------------------------------------- */

struct watch {
    struct service *service; /* borrowed */
    struct store *store;     /* owned; the thread's */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_stopping; /* guarded by mutex */
};

static enum fail look(struct watch *watch, struct error *err)
{
    struct service *service = watch->service;
    AUTO_ARENA struct arena arena = {0};
    struct samples samples = {.arena = &arena};
    size_t count = service->setup.tenants_count;
    struct metrics_tenant *tenants = ARENA_ARRAY(&arena, struct metrics_tenant, count + 1);
    struct env env = *service->cli->env;
    const struct alerting alerting = {.env = &env,
                                      .store = watch->store,
                                      .alerts = &service->base->config.alerts,
                                      .allow_loopback = service->base->config.allow_loopback};

    env.transport = service->base->transport;
    for (size_t i = 0; i < count; i++) {
        tenants[i] = (struct metrics_tenant){.id = service->setup.tenants[i].id,
                                             .name = service->setup.tenants[i].name};
    }
    if (metrics_of_store(watch->store, env.clock, tenants, count, &samples, err) != OK ||
        serve_metrics(service, watch->store, &samples, err) != OK) {
        return err->code;
    }
    return alerts_due(&alerting, &samples, err);
}

/* The configuration stays as it is meanwhile: a reload waits for channels that are slow to answer. */
static void look_once(struct watch *watch)
{
    struct service *service = watch->service;
    struct error err = {0};

    pthread_rwlock_rdlock(&service->setup_lock);
    if (look(watch, &err) != OK) {
        LOG_EVENT(service->cli->env->log, LOG_ERROR, "alerts were not looked at",
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
    pthread_rwlock_unlock(&service->setup_lock);
}

/* False: it is to stop. */
static bool wait_for(struct watch *watch, int64_t ms)
{
    struct timespec until;
    bool goes_on;
    int failed = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    pthread_mutex_lock(&watch->mutex);
    while (!watch->is_stopping && failed != ETIMEDOUT) {
        failed = pthread_cond_timedwait(&watch->wake, &watch->mutex, &until);
    }
    goes_on = !watch->is_stopping;
    pthread_mutex_unlock(&watch->mutex);
    return goes_on;
}

static void *run(void *context)
{
    struct watch *watch = context;

    for (int64_t ms = FIRST_LOOK_MS; wait_for(watch, ms); ms = ALERTING_EVERY_MS) {
        look_once(watch);
    }
    return NULL;
}

enum fail watch_start(struct service *service, struct watch **ret, struct error *err)
{
    struct watch *watch = alloc_new(1, sizeof *watch);
    pthread_condattr_t by_monotonic;

    watch->service = service;
    if (store_beside(service->base->store, STORE_WRITE, false, &watch->store, err) != OK) {
        free(watch);
        return err->code;
    }
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_condattr_init(&by_monotonic);
    pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &by_monotonic);
    pthread_condattr_destroy(&by_monotonic);
    if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
        abort(); /* as for memory: the process cannot work */
    }
    *ret = watch;
    return OK;
}

void watch_stop(struct watch *watch)
{
    if (!watch) {
        return;
    }
    pthread_mutex_lock(&watch->mutex);
    watch->is_stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->mutex);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->mutex);
    store_close(watch->store);
    free(watch);
}
