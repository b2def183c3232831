#include "cli/receiving.h"

#include <stdlib.h>

#include "cli/webhooks.h"
#include "core/alloc.h"

/* What the receiver uses of one configuration. */
struct listing {
    struct arena arena;
    struct receive_connection *at; /* the arena's */
    struct webhook_keys *keys;     /* the arena's; one for each; wiped at the end */
    size_t count;
};

struct receiving {
    struct env *env; /* borrowed */
    struct receiver *receiver;
    struct listing *listing; /* owned; NULL: none yet */
};

static void listing_free(struct listing *listing)
{
    if (listing) {
        for (size_t i = 0; i < listing->count; i++) {
            webhook_keys_fini(&listing->keys[i]);
        }
        arena_fini(&listing->arena);
        free(listing);
    }
}

/* "sales", or "tenant.sales" of another tenant than the default one. */
static struct str name_in_path(struct arena *arena, struct wire *wire, struct str connection)
{
    return wire->tenant_id == TENANT_DEFAULT
               ? connection
               : arena_printf(arena, "%" PRI_STR ".%" PRI_STR, STR_ARG(wire_tenant_name(wire)),
                              STR_ARG(connection));
}

static enum fail add(struct listing *listing, struct wire *wire, size_t index, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    const struct store_connection *row = &wire->connections[index].row;
    struct webhook_keys *keys = &listing->keys[listing->count];

    if (webhooks_load(wire, index, keys, err) != OK) {
        webhook_keys_fini(keys);
        return err->code;
    }
    listing->at[listing->count++] = (struct receive_connection){
        .tenant_id = wire->tenant_id,
        .connection_id = row->id,
        .name = name_in_path(&listing->arena, wire, settings->name),
        .adapter = settings->adapter,
        .public_url = wire->config.public_url,
        .settings = webhooks_settings(wire, index, keys, row->account_id),
        .rate_per_s = wire->config.webhooks[index].rate_per_s};
    return OK;
}

static void add_tenant(struct listing *listing, struct env *env, struct wire *wire)
{
    for (size_t i = 0; i < wire->connections_count; i++) {
        struct error err = {0};

        if (wire->config.webhooks[i].is_on && add(listing, wire, i, &err) != OK) {
            LOG_EVENT(env->log, LOG_ERROR, "webhooks of a connection are not taken",
                      LOG_S("connection", wire->config.connections[i].name),
                      LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
        }
    }
}

void receiving_use(struct receiving *receiving, struct serving *serving)
{
    struct listing *fresh = alloc_new(1, sizeof *fresh), *former = receiving->listing;
    size_t most = dispatch_places(serving_dispatch(serving));

    fresh->at = ARENA_ARRAY(&fresh->arena, struct receive_connection, most + 1);
    fresh->keys = ARENA_ARRAY(&fresh->arena, struct webhook_keys, most + 1);
    for (size_t t = 0; t < serving_tenants(serving); t++) {
        add_tenant(fresh, receiving->env, serving_tenant(serving, t));
    }
    receiver_connections_set(receiving->receiver, fresh->at, fresh->count);
    receiving->listing = fresh;
    listing_free(former);
}

enum fail receiving_start(const struct receiving_options *options, struct receiving **ret,
                          struct error *err)
{
    struct receiving *receiving = alloc_new(1, sizeof *receiving);
    const struct receiver_options receiver = {.store = options->base->store,
                                              .env = options->base->cli->env,
                                              .arrived = options->arrived,
                                              .failed = options->failed,
                                              .context = options->context};

    receiving->env = options->base->cli->env;
    if (receiver_start(&receiver, &receiving->receiver, err) != OK) {
        free(receiving);
        return err->code;
    }
    *ret = receiving;
    return OK;
}

struct receiver *receiving_receiver(struct receiving *receiving)
{
    return receiving->receiver;
}

void receiving_stop(struct receiving *receiving)
{
    if (receiving) {
        receiver_stop(receiving->receiver);
        listing_free(receiving->listing);
        free(receiving);
    }
}
