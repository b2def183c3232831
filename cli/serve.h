/* The parts of a running service, for those that plug into it. */
#ifndef CRMSYNC_CLI_SERVE_H
#define CRMSYNC_CLI_SERVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "cli/following.h"
#include "cli/notify.h"
#include "cli/publishing.h"
#include "cli/receiving.h"
#include "cli/serve_orders.h"
#include "cli/upkeeping.h"
#include "http/server.h"

struct service {
    struct cli *cli;
    struct wire *base;       /* the configuration at work, store, vault, transport; owned */
    struct serving *serving; /* owned; replaced by a reload, while no worker is at work */
    struct workers *workers;
    struct http_server *server;
    struct local_door *local_door; /* NULL: none could be opened */
    struct receiving *receiving;
    struct api *api;
    struct serve_orders *orders;
    struct notify notify;
    struct api_setup setup; /* what the API sees of the configuration */
    pthread_rwlock_t
        setup_lock; /* held for reading by calls of the API, for writing while the configuration is replaced */
    struct upkeeping *upkeeping;
    struct following *following;
    struct publishing *publishing; /* replaced with the configuration, under setup_lock */
    struct env events_env;         /* with the transport */
    atomic_bool is_stopping;       /* ends turns at their next committed page */
    int64_t started_ms;            /* wall clock */
    struct watch *watch;           /* owned */
    atomic_bool is_ready;
    atomic_bool store_fails; /* the receiver's commits do */
};

#endif
