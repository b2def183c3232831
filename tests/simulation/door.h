/* What CRMs tell by themselves: the production receiver without sockets, at the other end of the simulators' own signed deliveries, which the network loses, doubles,
 * delays and forges. The receiver commits on a thread of its own, as in the service; whoever delivers waits for it, so that a seed still decides everything. */
#ifndef CRMSYNC_TESTS_SIMULATION_DOOR_H
#define CRMSYNC_TESTS_SIMULATION_DOOR_H

#include "tests/simulation/world.h"

struct door;

struct door_options {
    struct random *random; /* borrowed */
    /* Events of this connection wait in the inbox. NULL: nobody asks */
    void (*arrived)(void *context, int at);
    /* What must hold does not; does not return. */
    void (*violated)(void *context, const char *rule, const char *what);
    void *context;
};

/* The CRMs are told where to send to. Nothing is received before door_open(). */
struct door *door_new(struct world *world, const struct door_options *options);
void door_free(struct door *door); /* closed; accepts NULL */

/* As a process begins and ends: between them the store stays open. */
void door_open(struct door *door);
void door_close(struct door *door);

enum door_manner {
    DOOR_QUIET,   /* everything comes in time and once */
    DOOR_DELAYED, /* doubled, overtaken and late, and answers get lost; in the end everything comes */
    DOOR_LOSSY,   /* and some never comes */
};
void door_manner(struct door *door, enum door_manner manner);

/* Delivers everything that is due. */
void door_carry(struct door *door);

/* I8: every event that was acknowledged is in the inbox, whatever happened since. */
void door_check(struct door *door);
/* An older store takes the place of this one. */
void door_forget(struct door *door);

/* Deliveries that were acknowledged. */
int64_t door_acknowledged(const struct door *door);

#endif
