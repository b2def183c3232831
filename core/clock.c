#include "core/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"

/* Virtual times are atomic: a simulator's server threads may read what the test thread moves. */
struct clock {
    bool is_virtual;
    _Atomic int64_t wall_ms;
    _Atomic int64_t mono_ms;
};

struct clock *clock_new_real(void)
{
    return alloc_new(1, sizeof(struct clock));
}

struct clock *clock_new_virtual(int64_t wall_ms)
{
    struct clock *clock = alloc_new(1, sizeof *clock);

    clock->is_virtual = true;
    atomic_init(&clock->wall_ms, wall_ms);
    return clock;
}

void clock_free(struct clock *clock)
{
    free(clock);
}

static int64_t system_ms(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);

    assert(failed == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(struct clock *clock)
{
    return clock->is_virtual ? atomic_load(&clock->wall_ms) : system_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(struct clock *clock)
{
    return clock->is_virtual ? atomic_load(&clock->mono_ms) : system_ms(CLOCK_MONOTONIC);
}

void clock_wait_ms(struct clock *clock, int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    if (ms <= 0) {
        return;
    }
    if (clock->is_virtual) {
        atomic_fetch_add(&clock->wall_ms, ms);
        atomic_fetch_add(&clock->mono_ms, ms);
        return;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

void clock_step_ms(struct clock *clock, int64_t delta_ms)
{
    assert(clock->is_virtual);
    atomic_fetch_add(&clock->wall_ms, delta_ms);
}
