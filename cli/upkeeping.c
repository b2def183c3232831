#include "cli/upkeeping.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cli/upkeep.h"
#include "core/alloc.h"

struct upkeeping {
    struct env *env;
    struct store *reader, *writer; /* of the thread alone, once it runs */
    pthread_t thread;
    bool is_running;
    pthread_mutex_t mutex; /* over what follows, and held while something is done */
    pthread_cond_t wake;
    const struct config *config;
    int64_t backup_at_ms, prune_at_ms; /* wall clock; not before */
    bool is_stopping;
};

typedef enum fail due_fn(struct store *store, struct env *env, const struct config *config,
                         int64_t *ret_next_ms, struct error *err);

static void do_if_due(struct upkeeping *u, const char *what, due_fn *due, struct store *store,
                      int64_t *at_ms)
{
    struct error err = {0};

    if (clock_wall_ms(u->env->clock) >= *at_ms &&
        due(store, u->env, u->config, at_ms, &err) != OK) {
        LOG_EVENT(u->env->log, LOG_ERROR, "upkeep failed", LOG_S("what", str_of(what)),
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
}

static void wait_a_second(struct upkeeping *u)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_cond_timedwait(&u->wake, &u->mutex, &until);
}

static void *work(void *argument)
{
    struct upkeeping *u = argument;

    pthread_mutex_lock(&u->mutex);
    while (!u->is_stopping) {
        do_if_due(u, "backup", backup_due, u->reader, &u->backup_at_ms);
        do_if_due(u, "retention", retention_due, u->writer, &u->prune_at_ms);
        if (!u->is_stopping) {
            wait_a_second(u);
        }
    }
    pthread_mutex_unlock(&u->mutex);
    return NULL;
}

static void make_lock(struct upkeeping *u)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&u->mutex, NULL);
    pthread_cond_init(&u->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum fail upkeeping_start(struct store *store, struct env *env, const struct config *config,
                          struct upkeeping **ret, struct error *err)
{
    struct upkeeping *u = alloc_new(1, sizeof *u);

    u->env = env;
    u->config = config;
    make_lock(u);
    if (store_beside(store, STORE_READ, false, &u->reader, err) != OK ||
        store_beside(store, STORE_WRITE, false, &u->writer, err) != OK) {
        upkeeping_stop(u);
        return err->code;
    }
    u->is_running = pthread_create(&u->thread, NULL, work, u) == 0;
    if (!u->is_running) {
        upkeeping_stop(u);
        return error_set(err, FAIL_STOP, "cannot start a thread for the upkeep of the store");
    }
    *ret = u;
    return OK;
}

void upkeeping_use(struct upkeeping *u, const struct config *config)
{
    pthread_mutex_lock(&u->mutex);
    u->config = config;
    u->backup_at_ms = 0;
    u->prune_at_ms = 0;
    pthread_mutex_unlock(&u->mutex);
}

void upkeeping_stop(struct upkeeping *u)
{
    if (!u) {
        return;
    }
    pthread_mutex_lock(&u->mutex);
    u->is_stopping = true;
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->mutex);
    if (u->is_running) {
        pthread_join(u->thread, NULL);
    }
    store_close(u->writer);
    store_close(u->reader);
    pthread_cond_destroy(&u->wake);
    pthread_mutex_destroy(&u->mutex);
    free(u);
}
