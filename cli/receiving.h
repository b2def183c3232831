/* Webhooks of the running service: the connections of all tenants that take them, with their secrets, and the receiver. */
#ifndef CRMSYNC_CLI_RECEIVING_H
#define CRMSYNC_CLI_RECEIVING_H

#include "cli/serving.h"
#include "webhooks/receive.h"

struct receiving;

struct receiving_options {
    struct wire *
        base; /* configuration and store; borrowed while it starts, its store and env until the end */
    /* as in struct receiver_options */
    void (*arrived)(void *context, int64_t tenant_id, int64_t connection_id);
    void (*failed)(void *context, const struct error *err);
    void *context;
};

/* Without any connection yet. */
enum fail receiving_start(const struct receiving_options *options, struct receiving **ret,
                          struct error *err) MUST_CHECK;
/* From now on the connections of this configuration take webhooks; borrowed until the next call or the end. Those whose secrets cannot be read are left out, and
 * that is logged: their deliveries are refused with 404, and their CRM sends them again. */
void receiving_use(struct receiving *receiving, struct serving *serving);
/* The context of receiver_intake(), and for its counts. */
struct receiver *receiving_receiver(struct receiving *receiving);
/* After http_server_stop(). Accepts NULL. */
void receiving_stop(struct receiving *receiving);

#endif
