/* The service on one thread and a virtual clock: the production dispatch gives the turns, each with a store handle, a session and a memory of its own as
 * in a worker; while a call of one turn is in the air, whole turns of other connections happen, as threads would have it. */
#ifndef CRMSYNC_TESTS_SIMULATION_SERVICE_H
#define CRMSYNC_TESTS_SIMULATION_SERVICE_H

#include "sync/turn.h"
#include "tests/simulation/world.h"

struct service;

struct service_options {
    struct random *random;       /* borrowed */
    int64_t every_ms;            /* each kind is listed so often; 0 never */
    unsigned nested_per_million; /* how many calls have a turn of somebody else in the air */
    /* What people do in the meantime: here, not at a CRM. May be NULL. */
    void (*meanwhile)(void *context);
    /* Between turns, at least twice a minute, and while a call is in the air. May be NULL. */
    void (*between)(void *context);
    void *context;
};

struct service_counts {
    int64_t turns, nested, calls;
};

/* Between new and free the store is the service's, but for edits by people. */
struct service *service_new(struct world *world, const struct service_options *options);
void service_free(struct service *service); /* accepts NULL */

/* Takes turns for so long. */
void service_run(struct service *service, int64_t for_ms);
/* A webhook about the object, as far as the engine sees it. */
void service_hear(struct service *service, int at, struct str kind, struct str remote_id);
/* Events of it are in the inbox. */
void service_arrived(struct service *service, int at);
/* Somebody changed the store. */
void service_changed(struct service *service);
struct service_counts service_counts(const struct service *service);

/* --- by hand: one turn of one connection. Inside of another turn's call only for another connection. ------------------------------- */

/* As turn_options() makes them, for changes by the test. */
struct sync_options service_options_of(struct service *service, int at, enum turn_type type,
                                       const char *kind);
void service_turn(struct service *service, int at, const struct sync_options *options,
                  struct sync_report *ret);

#endif
