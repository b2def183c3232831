#include "tests/simulation/network.h"

#include <stdlib.h>

#include "core/alloc.h"

enum { LATE_MAX = 16, LATE_MS_MAX = 100 * 1000 };

/* A request on its way. */
struct late {
    int at;
    int64_t due_ms;
    struct arena arena; /* the request's texts */
    struct http_request request;
};

struct network {
    struct world *world;
    struct network_options options;
    uint32_t late_per_million;
    struct late *late[LATE_MAX]; /* owned, in no order */
    size_t late_count;
    bool is_inside; /* what happens because of a call does not cause more */
};

static bool is_write(const struct http_request *request)
{
    return request->method != HTTP_GET && !str_contains(request->url, STR("/search")) &&
           !str_contains(request->url, STR("/batch/read"));
}

/* Creates at Pipedrive: what is repeated after a lost answer arrives twice in any order, and a late first one would undo what came after the second. */
static bool may_be_late(const struct network *network, int at, const struct http_request *request)
{
    return network->world->crms[at] == PIPEDRIVE && request->method == HTTP_POST &&
           !str_contains(request->url, STR("/participants"));
}

/* --- late ---------------------------------------------------------------------------------------------------------------------- */

static void keep_late(struct network *network, int at, const struct http_request *request)
{
    struct late *late = alloc_new(1, sizeof *late);

    late->at = at;
    late->due_ms = clock_wall_ms(network->world->env.clock) + 1000 +
                   (int64_t)random_below(network->options.random, LATE_MS_MAX);
    late->request = (struct http_request){.method = request->method,
                                          .url = arena_str(&late->arena, request->url),
                                          .body = arena_str(&late->arena, request->body)};
    for (size_t i = 0; i < request->headers.count; i++) {
        http_header_add(&late->request.headers,
                        arena_str(&late->arena, request->headers.at[i].name),
                        arena_str(&late->arena, request->headers.at[i].value));
    }
    network->late[network->late_count++] = late;
}

static void arrive(struct network *network, size_t index)
{
    struct late *late = network->late[index];
    struct http_response ignored = {0};

    network->late[index] = network->late[--network->late_count];
    simulator_handle(network->world->simulators[late->at], &late->request, &ignored);
    http_response_fini(&ignored);
    arena_fini(&late->arena);
    free(late);
}

static void let_arrive(struct network *network, int64_t now_ms)
{
    for (size_t i = 0; i < network->late_count;) {
        if (network->late[i]->due_ms <= now_ms) {
            arrive(network, i);
        } else {
            i++;
        }
    }
}

/* --- calls --------------------------------------------------------------------------------------------------------------------- */

static bool before(void *context, int at, const struct http_request *request,
                   struct http_response *response)
{
    struct network *network = context;

    let_arrive(network, clock_wall_ms(network->world->env.clock));
    if (!is_write(request) || network->is_inside) {
        return false;
    }
    network->is_inside = true;
    if (network->options.on_write) {
        network->options.on_write(network->options.context, at);
    }
    network->is_inside = false;
    if (!may_be_late(network, at, request) || network->late_count == LATE_MAX ||
        !random_chance(network->options.random, network->late_per_million)) {
        return false;
    }
    keep_late(network, at, request);
    response->fault = HTTP_FAULT_TIMEOUT;
    return true;
}

struct network *network_new(struct world *world, const struct network_options *options)
{
    struct network *network = alloc_new(1, sizeof *network);

    network->world = world;
    network->options = *options;
    world->before_call = before;
    world->network = network;
    return network;
}

void network_free(struct network *network)
{
    if (!network) {
        return;
    }
    let_arrive(network, INT64_MAX);
    network->world->before_call = NULL;
    network->world->network = NULL;
    free(network);
}

void network_delay(struct network *network, uint32_t late_per_million)
{
    network->late_per_million = late_per_million;
}

void network_flush(struct network *network)
{
    let_arrive(network, INT64_MAX);
}
