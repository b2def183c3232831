/* The network between us and the CRMs, at its worst: a create whose answer never comes and that arrives a minute later all the same; and people who edit
 * while a write is on its way. */
#ifndef CRMSYNC_TESTS_SIMULATION_NETWORK_H
#define CRMSYNC_TESTS_SIMULATION_NETWORK_H

#include "tests/simulation/world.h"

struct network;

struct network_options {
    struct random *random; /* borrowed */
    /* Called just before a write arrives. May be NULL. */
    void (*on_write)(void *context, int at);
    void *context;
};

/* Between new and free every call to a CRM goes through it. */
struct network *network_new(struct world *world, const struct network_options *options);
/* What is still on its way arrives first. Accepts NULL. */
void network_free(struct network *network);

/* How many creates of a million are late. */
void network_delay(struct network *network, uint32_t late_per_million);
/* What is on its way arrives now. */
void network_flush(struct network *network);

#endif
