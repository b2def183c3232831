/* Who of one process writes next. SQLite lets one writer in at a time and makes the others poll; here they queue, first come first served, and
 * whoever is urgent goes before the rest. A handle that has just had its turn waits behind those that were there already, so nobody starves.
 * Inside the store folder only. */
#ifndef CRMSYNC_STORE_TURN_H
#define CRMSYNC_STORE_TURN_H

#include <stdbool.h>

struct turn;

struct turn *turn_new(void);
void turn_free(struct turn *turn); /* accepts NULL; nobody waits any more */
/* Blocks until the turn is the caller's. A thread that has it must not ask again. */
void turn_take(struct turn *turn, bool is_urgent);
void turn_give(struct turn *turn);
/* How many wait just now. */
int turn_waiting(struct turn *turn);

#endif
