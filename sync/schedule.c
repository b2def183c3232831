#include "sync/schedule.h"

const char *schedule_task_name(enum schedule_task task)
{
    static const char *const NAMES[SCHEDULE_TASKS] = {
        [SCHEDULE_PULL] = "pull", [SCHEDULE_RECONCILE] = "reconcile"};

    return NAMES[task];
}

/* The stream's own share; the task takes part so that pull and reconcile do not move together. */
static int64_t shift_of(const struct schedule_rule *rule, enum schedule_task task,
                        uint64_t jitter_seed)
{
    uint64_t mixed = (jitter_seed + (uint64_t)task) * UINT64_C(0x9E3779B97F4A7C15);

    if (rule->jitter_ms <= 0 || rule->cron.form != CRON_CLOCK) {
        return 0;
    }
    mixed ^= mixed >> 32;
    return (int64_t)(mixed % (uint64_t)rule->jitter_ms);
}

int64_t schedule_next_ms(const struct schedule *schedule, enum schedule_task task,
                         int64_t last_started_ms, int64_t now_ms, uint64_t jitter_seed)
{
    const struct schedule_rule *rule = &schedule->at[task];
    int64_t shift_ms = shift_of(rule, task, jitter_seed);
    int64_t next_ms;

    if (rule->cron.form == CRON_OFF) {
        return SCHEDULE_NEVER;
    }
    if (last_started_ms <= 0 || last_started_ms > now_ms) {
        return now_ms;
    }
    next_ms = cron_next_ms(&rule->cron, last_started_ms - shift_ms);
    return next_ms == CRON_NEVER ? SCHEDULE_NEVER : next_ms + shift_ms;
}

/* FNV-1a: spreads well enough, and is the same on every machine. */
static uint64_t mix(uint64_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001B3);
    }
    return (hash ^ 0xff) *
           UINT64_C(0x100000001B3); /* no byte of a name: "ab","c" is not "a","bc" */
}

uint64_t schedule_seed(struct str tenant, struct str connection, struct str kind)
{
    return mix(mix(mix(UINT64_C(0xCBF29CE484222325), tenant), connection), kind);
}
