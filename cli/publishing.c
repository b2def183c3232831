#include "cli/publishing.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cli/service_metrics.h"
#include "cli/variable.h"
#include "core/alloc.h"

/* One thread and its handles. */
struct hand {
    struct publishing *publishing;
    pthread_t thread;
    bool is_running;
    struct store *reader, *writer; /* writer: NULL for the one that looks */
};

struct publishing {
    struct env *env;
    struct publish_target *targets; /* owned, with their secrets */
    size_t targets_count;
    struct publisher *publisher;                   /* NULL: nothing is configured */
    struct hand hands[PUBLISHING_WORKERS_MAX + 1]; /* the last one that is used looks for news */
    int workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_stopping; /* guarded by mutex */
};

/* --- what is configured ----------------------------------------------------------------------------------------------------------- */

static void look_up(const struct config_endpoint *endpoint, struct publish_target *target)
{
    struct error *err = &target->problem;

    if (!variable_is_one(endpoint->url)) {
        secret_set(&target->url, endpoint->url);
    } else if (variable_read(endpoint->url, "the address of an endpoint",
                             "write the address itself", &target->url, err) != OK) {
        return;
    }
    for (size_t i = 0; i < endpoint->secrets_count; i++) {
        if (variable_read(endpoint->secrets[i], "the secret of an endpoint",
                          "take the endpoint out", &target->secrets[i], err) != OK) {
            return;
        }
        target->secrets_count++;
        if (!hook_secret_is_standard(secret_expose(&target->secrets[i]))) {
            error_set(err, FAIL_CONFIG,
                      "the secret of the endpoint is not 'whsec_' and base64 of %d to %d bytes",
                      HOOK_KEY_BYTES_MIN, HOOK_KEY_BYTES_MAX);
            error_hint(err, "echo \"whsec_$(openssl rand -base64 32)\" makes one");
            return;
        }
    }
}

static void add_targets(struct publishing *p, const struct config_tenant *tenant, int64_t id)
{
    for (size_t i = 0; i < tenant->events.endpoints_count; i++) {
        const struct config_endpoint *endpoint = &tenant->events.endpoints[i];
        struct publish_target *target = &p->targets[p->targets_count++];

        target->tenant_id = id;
        target->tenant = tenant->name;
        target->name = endpoint->name;
        target->filter = endpoint->filter;
        target->give_up_ms = endpoint->give_up_ms;
        look_up(endpoint, target);
        if (target->problem.code != OK) {
            LOG_EVENT(p->env->log, LOG_ERROR, "endpoint for events cannot be used",
                      LOG_S("tenant", tenant->name), LOG_S("endpoint", endpoint->name),
                      LOG_S("reason", str_of(target->problem.message)),
                      LOG_S("try", str_of(target->problem.hint)));
        }
    }
}

static void take_targets(struct publishing *p, const struct config *config, const int64_t *tenants)
{
    size_t count = 0;

    for (size_t t = 0; t < config->tenants_count; t++) {
        count += config->tenants[t].events.endpoints_count;
    }
    p->targets = alloc_new(count + 1, sizeof *p->targets);
    for (size_t t = 0; t < config->tenants_count; t++) {
        add_targets(p, &config->tenants[t], tenants[t]);
    }
}

/* --- threads ---------------------------------------------------------------------------------------------------------------------- */

/* The mutex is held. */
static void wait_ms(struct publishing *p, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    if (!p->is_stopping) {
        pthread_cond_timedwait(&p->wake, &p->mutex, &until);
    }
}

static void *deliver(void *argument)
{
    struct hand *hand = argument;
    struct publishing *p = hand->publishing;
    int64_t ms;
    size_t target;

    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopping) {
        if (publisher_take(p->publisher, &target, &ms)) {
            pthread_mutex_unlock(&p->mutex);
            publisher_turn(p->publisher, target, hand->reader, hand->writer);
            pthread_mutex_lock(&p->mutex);
        } else {
            wait_ms(p, ms);
        }
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

static bool has_news(struct hand *hand, struct feed_place *seen)
{
    AUTO_TX struct tx *tx = NULL;
    struct feed_place newest;
    struct error err = {0};
    bool is_new;

    if (tx_begin(hand->reader, TENANT_DEFAULT, &tx, &err) != OK ||
        feed_newest(tx, &newest, &err) != OK) {
        return true; /* the deliveries will say what is wrong */
    }
    is_new = newest.journal != seen->journal || newest.conflict != seen->conflict;
    *seen = newest;
    return is_new;
}

static void *look(void *argument)
{
    struct hand *hand = argument;
    struct publishing *p = hand->publishing;
    struct feed_place seen = {0};
    bool is_new;

    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopping) {
        pthread_mutex_unlock(&p->mutex);
        is_new = has_news(hand, &seen);
        pthread_mutex_lock(&p->mutex);
        if (is_new) {
            publisher_news(p->publisher);
            pthread_cond_broadcast(&p->wake);
        }
        wait_ms(p, PUBLISHING_LOOK_MS);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

static enum fail start_hand(struct publishing *p, int index, struct store *store, struct error *err)
{
    struct hand *hand = &p->hands[index];
    bool delivers = index < p->workers;

    hand->publishing = p;
    if (store_beside(store, STORE_READ, false, &hand->reader, err) != OK ||
        (delivers && store_beside(store, STORE_WRITE, false, &hand->writer, err) != OK)) {
        return err->code;
    }
    hand->is_running = pthread_create(&hand->thread, NULL, delivers ? deliver : look, hand) == 0;
    return hand->is_running ? OK
                            : error_set(err, FAIL_STOP, "cannot start a thread for the events");
}

static enum fail start(struct publishing *p, struct store *store, const struct config *config,
                       const int64_t *tenants, struct error *err)
{
    p->workers =
        p->targets_count < PUBLISHING_WORKERS_MAX ? (int)p->targets_count : PUBLISHING_WORKERS_MAX;
    const struct publisher_options options = {.env = p->env,
                                              .allow_loopback = config->allow_loopback,
                                              .targets = p->targets,
                                              .targets_count = p->targets_count,
                                              .tenants = tenants,
                                              .tenants_count = config->tenants_count,
                                              .workers = p->workers};

    p->publisher = publisher_new(&options);
    if (publisher_begin(p->publisher, store, err) != OK) {
        return err->code;
    }
    for (int i = 0; p->targets_count && i <= p->workers; i++) {
        if (start_hand(p, i, store, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static void make_lock(struct publishing *p)
{
    pthread_condattr_t by_monotonic;

    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&by_monotonic);
    pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &by_monotonic);
    pthread_condattr_destroy(&by_monotonic);
}

enum fail publishing_start(struct store *store, struct env *env, const struct config *config,
                           const int64_t *tenants, struct publishing **ret, struct error *err)
{
    struct publishing *p = alloc_new(1, sizeof *p);

    p->env = env;
    make_lock(p);
    take_targets(p, config, tenants);
    if (start(p, store, config, tenants, err) != OK) {
        publishing_stop(p);
        return err->code;
    }
    *ret = p;
    return OK;
}

void publishing_stop(struct publishing *p)
{
    if (!p) {
        return;
    }
    if (p->publisher) {
        publisher_cancel(p->publisher);
    }
    pthread_mutex_lock(&p->mutex);
    p->is_stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; i < COUNT_OF(p->hands); i++) {
        if (p->hands[i].is_running) {
            pthread_join(p->hands[i].thread, NULL);
        }
        store_close(p->hands[i].writer);
        store_close(p->hands[i].reader);
    }
    publisher_free(p->publisher);
    for (size_t i = 0; i < p->targets_count; i++) {
        secret_fini(&p->targets[i].url);
        for (size_t k = 0; k < HOOK_SECRETS_MAX; k++) {
            secret_fini(&p->targets[i].secrets[k]);
        }
    }
    free(p->targets);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

void publishing_samples(struct publishing *p, struct samples *samples)
{
    int64_t now_ms = clock_wall_ms(p->env->clock);

    for (size_t i = 0; i < p->targets_count; i++) {
        const struct publisher_stats stats = publisher_stats(p->publisher, i);
        const struct metrics_endpoint endpoint = {
            .tenant = p->targets[i].tenant,
            .name = p->targets[i].name,
            .delivered = stats.row.delivered,
            .failed = stats.row.failed,
            .dead = stats.dead,
            .lag_ms = stats.oldest_ms && now_ms > stats.oldest_ms ? now_ms - stats.oldest_ms : 0,
            .is_active = stats.row.state == ENDPOINT_ACTIVE};

        metrics_of_endpoint(samples, &endpoint);
    }
}
