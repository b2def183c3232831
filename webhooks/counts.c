#include "webhooks/counts.h"

const int64_t receive_time_bounds_ms[RECEIVE_TIMES] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

void receive_times_add(struct receive_times *times, int64_t ms)
{
    int at = 0;

    while (at < RECEIVE_TIMES && ms > receive_time_bounds_ms[at]) {
        at++;
    }
    times->classes[at]++;
    times->count++;
    times->sum_ms += ms;
    times->longest_ms = ms > times->longest_ms ? ms : times->longest_ms;
}

const char *receive_refusal_name(enum receive_refusal refusal)
{
    static const char *const NAMES[RECEIVE_REFUSALS] = {
        [REFUSED_UNKNOWN] = "unknown",     [REFUSED_METHOD] = "method",
        [REFUSED_TYPE] = "type",           [REFUSED_SIZE] = "size",
        [REFUSED_FORGED] = "forged",       [REFUSED_STALE] = "stale",
        [REFUSED_NOT_READY] = "not_ready", [REFUSED_RATE] = "rate",
        [REFUSED_MALFORMED] = "malformed", [REFUSED_FULL] = "full",
        [REFUSED_STORE] = "store",
    };

    return NAMES[refusal];
}
