/* Time comes in through here only: the wall clock (ms since 1970 UTC), a monotonic clock, and waiting. The virtual
 * clock makes tests deterministic: waiting advances it at once. */
#ifndef CRMSYNC_CORE_CLOCK_H
#define CRMSYNC_CORE_CLOCK_H

#include <stdint.h>

struct clock;

struct clock *clock_new_real(void);
/* Starts at wall_ms; monotonic time starts at 0. One thread, or externally serialised. */
struct clock *clock_new_virtual(int64_t wall_ms);
void clock_free(struct clock *clock); /* accepts NULL */

int64_t clock_wall_ms(struct clock *clock);
int64_t clock_mono_ms(struct clock *clock);
/* Real: sleeps. Virtual: advances wall and monotonic time by ms. */
void clock_wait_ms(struct clock *clock, int64_t ms);
/* Virtual clocks only: sets the wall clock off by delta_ms without moving monotonic time (a clock step). */
void clock_step_ms(struct clock *clock, int64_t delta_ms);

#endif
