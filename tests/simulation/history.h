/* One random history: people edit on all sides, faults happen, syncs run, processes die; then everything heals and comes to rest, and what must
 * hold is checked. */
#ifndef CRMSYNC_TESTS_SIMULATION_HISTORY_H
#define CRMSYNC_TESTS_SIMULATION_HISTORY_H

#include <stdint.h>

struct history_counts {
    int64_t histories, actions, syncs, plans, edits, faults, rounds_most, conflicts, set_aside;
    int64_t restores;
    int64_t works; /* deals and activities compared */
};

/* Aborts with the seed on any violation. verbose prints each action. */
void history_run(uint64_t seed, int verbose, struct history_counts *counts);

#endif
