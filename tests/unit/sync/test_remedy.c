/* What each failure costs. */
#include "core/fail.h"
#include "sync/remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    const char *why;
    enum fail code;
    int64_t wait_ms;
    int attempt;
    bool is_silent;
    enum next_action want;
    int64_t least_ms, most_ms;
} ROWS[] = {
    {"nothing is wrong", OK, 0, 0, false, NEXT_GO_ON, 0, 0},
    {"one record cannot be handled", FAIL_RECORD, 0, 0, false, NEXT_SET_ASIDE, 0, 0},
    {"the object moved", FAIL_STALE, 0, 0, false, NEXT_READ_AGAIN, 0, 0},
    {"the CRM names a time", FAIL_THROTTLED, 4500, 0, false, NEXT_REPEAT, 4500, 4500},
    {"the CRM names none", FAIL_THROTTLED, 0, 0, false, NEXT_REPEAT, 1, 60000},
    {"the CRM asks for patience for the tenth time", FAIL_THROTTLED, 30000, 10, false, NEXT_REPEAT,
     30000, 30000},
    {"nobody answers", FAIL_THROTTLED, 30000, 2, true, NEXT_REPEAT, 30000, 30000},
    {"nobody answers for good", FAIL_THROTTLED, 30000, REMEDY_ATTEMPTS_MAX, true,
     NEXT_PAUSE_CONNECTION, 0, 0},
    {"a first hiccup", FAIL_RETRY, 0, 0, false, NEXT_REPEAT, 1, 1001},
    {"a third hiccup waits longer at most", FAIL_RETRY, 0, 2, false, NEXT_REPEAT, 1, 4001},
    {"it does not get better", FAIL_RETRY, 0, REMEDY_ATTEMPTS_MAX, false, NEXT_PAUSE_CONNECTION, 0,
     0},
    {"the token is refused", FAIL_AUTH, 0, 0, false, NEXT_PAUSE_CONNECTION, 0, 0},
    {"a scope is missing", FAIL_CONNECTION, 0, 0, false, NEXT_PAUSE_CONNECTION, 0, 0},
    {"the configuration is wrong", FAIL_CONFIG, 0, 0, false, NEXT_PAUSE_CONNECTION, 0, 0},
    {"somebody pressed Ctrl-C", FAIL_CANCELLED, 0, 0, false, NEXT_STOP_RUN, 0, 0},
    {"the disk is full", FAIL_STOP, 0, 0, false, NEXT_STOP_RUN, 0, 0},
    {"we made a mistake", FAIL_BUG, 0, 0, false, NEXT_STOP_RUN, 0, 0},
};

static void every_failure_has_its_price(void **state)
{
    struct random *random = random_new_seeded(1);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct error err = {
            .code = ROWS[i].code, .wait_ms = ROWS[i].wait_ms, .is_silent = ROWS[i].is_silent};
        struct next next = remedy_for(&err, ROWS[i].attempt, random);

        if (next.action != ROWS[i].want || next.wait_ms < ROWS[i].least_ms ||
            next.wait_ms > ROWS[i].most_ms) {
            print_error("%s: action %d, wait %lld ms\n", ROWS[i].why, (int)next.action,
                        (long long)next.wait_ms);
            fail();
        }
    }
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_failure_has_its_price)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
