#include "simulators/inside.h"

#include "core/alloc.h"

struct sim_window_take {
    int64_t at_ms;
    int64_t units;
};

static const int64_t DAY_MS = 24LL * 60 * 60 * 1000;

void sim_window_init(struct sim_window *window, int64_t capacity, int64_t span_ms)
{
    *window = (struct sim_window){.capacity = capacity, .span_ms = span_ms};
}

void sim_window_fini(struct sim_window *window)
{
    free(window->takes);
    *window = (struct sim_window){0};
}

static void window_expire(struct sim_window *window, int64_t now_ms)
{
    while (window->takes_count) {
        const struct sim_window_take *oldest = &window->takes[window->takes_first];

        if (oldest->at_ms + window->span_ms > now_ms) {
            return;
        }
        window->used -= oldest->units;
        window->takes_first = (window->takes_first + 1) % window->takes_capacity;
        window->takes_count--;
    }
}

static void window_grow(struct sim_window *window)
{
    size_t capacity = window->takes_capacity ? window->takes_capacity * 2 : 64;
    struct sim_window_take *takes = alloc_new(capacity, sizeof(*takes));

    for (size_t i = 0; i < window->takes_count; i++) {
        takes[i] = window->takes[(window->takes_first + i) % window->takes_capacity];
    }
    free(window->takes);
    window->takes = takes;
    window->takes_capacity = capacity;
    window->takes_first = 0;
}

bool sim_window_take(struct sim_window *window, int64_t now_ms, int64_t units)
{
    if (window->capacity == 0) {
        return true;
    }
    window_expire(window, now_ms);
    if (window->used + units > window->capacity) {
        return false;
    }
    if (window->takes_count == window->takes_capacity) {
        window_grow(window);
    }
    window->takes[(window->takes_first + window->takes_count++) % window->takes_capacity] =
        (struct sim_window_take){.at_ms = now_ms, .units = units};
    window->used += units;
    return true;
}

int64_t sim_window_left(struct sim_window *window, int64_t now_ms)
{
    window_expire(window, now_ms);
    return window->capacity - window->used;
}

int64_t sim_window_reset_ms(struct sim_window *window, int64_t now_ms)
{
    window_expire(window, now_ms);
    if (window->takes_count == 0) {
        return 0;
    }
    return window->takes[window->takes_first].at_ms + window->span_ms - now_ms;
}

static int64_t local_ms(const struct sim_daily *daily, int64_t now_ms)
{
    return now_ms + daily->utc_offset_ms;
}

static void daily_turn(struct sim_daily *daily, int64_t now_ms)
{
    int64_t day = local_ms(daily, now_ms) / DAY_MS;

    if (day != daily->day) {
        daily->day = day;
        daily->used = 0;
    }
}

bool sim_daily_take(struct sim_daily *daily, int64_t now_ms, int64_t units)
{
    daily_turn(daily, now_ms);
    if (daily->capacity && daily->used + units > daily->capacity) {
        return false;
    }
    daily->used += units;
    return true;
}

int64_t sim_daily_left(struct sim_daily *daily, int64_t now_ms)
{
    daily_turn(daily, now_ms);
    return daily->capacity - daily->used;
}

int64_t sim_daily_reset_ms(struct sim_daily *daily, int64_t now_ms)
{
    return DAY_MS - local_ms(daily, now_ms) % DAY_MS;
}
