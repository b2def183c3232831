/* Schedules: the next time is always ahead, and between now and it there is no other. */
#include "tests/fuzz/fuzz.h"

#include "core/cron.h"

enum { STEPS = 5 };
static const int64_t LATEST_MS = INT64_C(200) * 365 * 24 * 60 * 60 * 1000;

static void goes_on(const struct cron *cron, int64_t at_ms)
{
    for (int i = 0; i < STEPS; i++) {
        int64_t next_ms = cron_next_ms(cron, at_ms);

        if (next_ms == CRON_NEVER) {
            MUST_HOLD(cron_next_ms(cron, at_ms + 1) == CRON_NEVER, "never is for ever");
            return;
        }
        MUST_HOLD(next_ms > at_ms, "%" PRId64 " after %" PRId64, next_ms, at_ms);
        if (cron->form == CRON_CLOCK) {
            MUST_HOLD(next_ms % 60000 == 0, "whole minutes");
            MUST_HOLD(cron_next_ms(cron, at_ms + (next_ms - at_ms) / 2) == next_ms,
                      "the same from half way, %" PRId64, at_ms);
            MUST_HOLD(cron_next_ms(cron, next_ms - 1) == next_ms, "the same from just before");
        }
        at_ms = next_ms;
    }
}

void fuzz_one(struct str input)
{
    static const struct zone *zones[2];
    static struct arena kept;
    struct error err = {0};
    int64_t at_ms = take_i64(&input) % LATEST_MS;
    struct cron cron;

    if (!zones[0]) {
        MUST_HOLD(zone_load(&kept, STR("UTC"), &zones[0], &err) == OK, "%s", err.message);
        if (zone_load(&kept, STR("Europe/Berlin"), &zones[1], &err) != OK) {
            zones[1] = zones[0]; /* a machine without tzdata */
        }
        error_reset(&err);
    }
    if (cron_parse(input, zones[at_ms & 1], &cron, &err) != OK) {
        MUST_HOLD(err.code == FAIL_CONFIG, "%s", err.message);
        return;
    }
    goes_on(&cron, at_ms < 0 ? -at_ms : at_ms);
}
