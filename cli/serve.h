/* The parts of a running service, for those that plug into it. */
#ifndef CRMSYNC_CLI_SERVE_H
#define CRMSYNC_CLI_SERVE_H

#include "cli/receiving.h"
#include "cli/serving.h"
#include "http/server.h"
#include "sync/workers.h"

struct service {
    struct cli *cli;
    struct wire *base;       /* the configuration at work, store, vault, transport; owned */
    struct serving *serving; /* owned; replaced by a reload, while no worker is at work */
    struct workers *workers;
    struct receiving *receiving;
    struct http_server *server;
    volatile bool is_stopping; /* ends turns at their next committed page */
    bool is_ready;
};

#endif
