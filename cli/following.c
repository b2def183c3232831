#include "cli/following.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"
#include "core/log.h"

struct following {
    struct api *api; /* borrowed, as the log */
    struct log *log;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_stopping; /* guarded by mutex */
};

/* Said once, until it works again. */
static void look(struct following *following, bool *failed)
{
    struct error err = {0};

    if (api_follow(following->api, &err) == OK) {
        *failed = false;
    } else if (!*failed) {
        *failed = true;
        LOG_EVENT(following->log, LOG_ERROR, "events cannot be told",
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
}

/* False: it is to stop. */
static bool wait_a_moment(struct following *following)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += FOLLOWING_LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&following->mutex);
    if (!following->is_stopping) {
        pthread_cond_timedwait(&following->wake, &following->mutex, &until);
    }
    goes_on = !following->is_stopping;
    pthread_mutex_unlock(&following->mutex);
    return goes_on;
}

static void *run(void *context)
{
    struct following *following = context;
    bool failed = false;

    while (wait_a_moment(following)) {
        look(following, &failed);
    }
    return NULL;
}

enum fail following_start(struct api *api, struct log *log, struct following **ret,
                          struct error *err)
{
    struct following *following = alloc_new(1, sizeof *following);
    pthread_condattr_t by_monotonic;

    following->api = api;
    following->log = log;
    pthread_mutex_init(&following->mutex, NULL);
    pthread_condattr_init(&by_monotonic);
    pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&following->wake, &by_monotonic);
    pthread_condattr_destroy(&by_monotonic);
    if (pthread_create(&following->thread, NULL, run, following) != 0) {
        pthread_cond_destroy(&following->wake);
        pthread_mutex_destroy(&following->mutex);
        free(following);
        return error_set(err, FAIL_STOP, "cannot start a thread for the stream of events");
    }
    *ret = following;
    return OK;
}

void following_stop(struct following *following)
{
    if (!following) {
        return;
    }
    pthread_mutex_lock(&following->mutex);
    following->is_stopping = true;
    pthread_cond_signal(&following->wake);
    pthread_mutex_unlock(&following->mutex);
    pthread_join(following->thread, NULL);
    pthread_cond_destroy(&following->wake);
    pthread_mutex_destroy(&following->mutex);
    free(following);
}
