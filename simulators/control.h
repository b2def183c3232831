/* The simulator's own endpoints under /__sim (documented in simulator.h) and the spoiling of an
 * answer. */
#ifndef CRMSYNC_SIMULATORS_CONTROL_H
#define CRMSYNC_SIMULATORS_CONTROL_H

#include "simulators/inside.h"

/* Answers a request under /__sim. */
void sim_control(struct sim_call *call);

/* Gives one member of a JSON answer another JSON type, chosen by the simulator's random numbers.
 * Answers without JSON stay. */
void sim_spoil(struct sim_call *call);

#endif
