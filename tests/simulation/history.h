/* One random history: people edit on all sides, faults happen, syncs run, processes die; then everything heals and comes to rest, and what must
 * hold is checked. */
#ifndef CRMSYNC_TESTS_SIMULATION_HISTORY_H
#define CRMSYNC_TESTS_SIMULATION_HISTORY_H

#include <stdint.h>

enum history_style {
    HISTORY_RUNS,  /* one sync of everything at a time, as on the command line */
    HISTORY_TURNS, /* turns of one connection each, several at once, as in the service */
};

struct history_counts {
    int64_t histories, actions, syncs, plans, edits, faults, rounds_most, conflicts, set_aside;
    int64_t restores, deaths;
    int64_t works; /* deals and activities compared */
    int64_t turns, nested;
    int64_t heard; /* deliveries of CRMs that were acknowledged */
    int64_t twice; /* told again, with the same trace */
};

/* Aborts with the seed on any violation. verbose prints each action. Returns a digest of every call and answer. */
uint64_t history_run(uint64_t seed, enum history_style style, int verbose,
                     struct history_counts *counts);

#endif
