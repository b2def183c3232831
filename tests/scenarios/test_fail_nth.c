/* Fail the n-th: each tale is told once undisturbed, and then again for every statement of the store that may fail, and for every call to a CRM that may go wrong in each of
 * twelve ways, once or for ten minutes. Then all is well again, and the end must be that of the undisturbed twin, with nothing more to write.
 *
 * WALK=n in the environment: every nth moment only (1: all). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"
#include "tests/scenarios/faulty.h"
#include "tests/scenarios/statements.h"
#include "tests/scenarios/tale.h"

#include "tests/expect.h"

enum { LASTS_MS = 10 * 60 * 1000 };

/* What one telling came to. */
struct told {
    struct buf end;
    int64_t statements, calls; /* of the syncs */
    bool was_noticed;          /* a sync failed, or told of a problem */
};

static void rest_and_look(struct world *world, const struct tale *tale, struct told *ret)
{
    story_rest(world);
    tale_look(world, &ret->end);
    tale_expect_quiet(world, tale);
}

static void expect_same(const struct told *told, const struct told *twin, const char *tale,
                        const char *what, int64_t moment)
{
    if (!str_equal(buf_str(&told->end), buf_str(&twin->end))) {
        fprintf(stderr, "the twin:\n%.*sdisturbed:\n%.*s", STR_ARG(buf_str(&twin->end)),
                STR_ARG(buf_str(&told->end)));
        fail_msg("%s, %s at %" PRId64 ": another end than without", tale, what, moment);
    }
}

/* --- undisturbed ------------------------------------------------------------------------------------------------------------------- */

static void tell(const struct tale *tale, struct told *ret)
{
    struct world *world = tale_begin(tale);
    struct faulty *faulty = faulty_new(world);
    struct sync_report report;

    ret->statements = -statements_counted();
    for (int i = 0; i < TALE_SYNCS; i++) {
        world_sync(world, false, &report);
        EXPECT(report.problems_count == 0, "%s: a problem without a cause", tale->name);
        tale_pause(world);
    }
    ret->statements += statements_counted();
    ret->calls = faulty_calls(faulty);
    rest_and_look(world, tale, ret);
    faulty_free(faulty);
    world_free(world);
}

/* --- statements -------------------------------------------------------------------------------------------------------------------- */

/* Returns whether a sync failed. The process goes on after one. When the next one fails as well, the store has said that it cannot go on, and another process does. */
static bool sync_on(struct world *world, const struct tale *tale)
{
    struct sync_report report;
    bool fails = false;
    int failed = 0;

    for (int i = 0; i < TALE_SYNCS || fails; i++) {
        struct error err = {0};
        bool failed_before = fails;

        fails = world_try(world, false, &report, &err) != OK;
        failed += fails;
        EXPECT(failed <= 2, "%s: fails again and again: %s", tale->name, err.message);
        EXPECT(!fails || (err.message[0] && err.hint[0]), "%s: no reason or no hint", tale->name);
        if (fails && failed_before) {
            world_reopen(world);
            fails = false;
        }
        tale_pause(world);
    }
    return failed > 0;
}

/* A sync fails, or the log says what is done without: a lease that is not given back runs out by itself. */
static void tell_with_statement(const struct tale *tale, int64_t n, enum statement_failure failure,
                                struct told *ret)
{
    struct world *world = tale_begin(tale);
    char *said = NULL;
    size_t said_bytes = 0;
    FILE *stream = open_memstream(&said, &said_bytes);

    world->env.log = log_new(stream, LOG_FORM_JSON, LOG_DEBUG, world->env.clock);
    statements_fail_at(n, failure);
    ret->was_noticed = sync_on(world, tale);
    EXPECT(statements_failed(), "%s: statement %" PRId64 " did not come", tale->name, n);
    log_free(world->env.log);
    world->env.log = NULL;
    fclose(stream);
    EXPECT(ret->was_noticed || strstr(said, "lease not released"),
           "%s: nobody learns that '%.100s' failed (%s)", tale->name, statements_failed(),
           statement_failure_name(failure));
    free(said);
    statements_fail_at(0, failure);
    rest_and_look(world, tale, ret);
    world_free(world);
}

static void walk_statements(const struct tale *tale, const struct told *twin)
{
    int64_t walked = 0, noticed = 0, stride = (tale_stride() + 3) / 4; /* they are soon told */

    for (int64_t n = 1; n <= twin->statements; n += stride) {
        enum statement_failure failure = (enum statement_failure)(walked++ % STATEMENT_FAILURES);
        struct told told = {0};

        tell_with_statement(tale, n, failure, &told);
        expect_same(&told, twin, tale->name, statement_failure_name(failure), n);
        noticed += told.was_noticed;
        buf_fini(&told.end);
    }
    printf("fail_nth tale=\"%s\" what=\"statement\" moments=%" PRId64 " walked=%" PRId64
           " syncs_failed=%" PRId64 " differ=0\n",
           tale->name, twin->statements, walked, noticed);
    fflush(stdout);
    EXPECT(noticed > 0, "%s: no sync failed", tale->name);
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

static void tell_with_call(const struct tale *tale, int64_t call, enum line_fault fault, bool lasts,
                           struct told *ret)
{
    struct world *world = tale_begin(tale);
    struct faulty *faulty = faulty_new(world);

    faulty_set(faulty, fault, call, lasts ? LASTS_MS : 0);
    for (int i = 0; i < TALE_SYNCS; i++) {
        struct sync_report report = {0};

        world_sync(world, false, &report);
        ret->was_noticed |= report.problems_count > 0;
        tale_pause(world);
    }
    EXPECT(faulty_struck(faulty), "%s: call %" PRId64 " did not come", tale->name, call);
    rest_and_look(world, tale, ret);
    faulty_free(faulty);
    world_free(world);
}

static void walk_calls(const struct tale *tale, const struct told *twin, enum line_fault fault,
                       bool lasts)
{
    int64_t walked = 0, noticed = 0, stride = tale_stride();

    /* each fault begins at a call of its own, so that few moments of many faults are many moments */
    for (int64_t call = 1 + (2 * fault + lasts) % stride; call <= twin->calls; call += stride) {
        struct told told = {0};

        tell_with_call(tale, call, fault, lasts, &told);
        expect_same(&told, twin, tale->name, line_fault_name(fault), call);
        noticed += told.was_noticed;
        walked++;
        buf_fini(&told.end);
    }
    printf("fail_nth tale=\"%s\" what=\"call %s, %s\" moments=%" PRId64 " walked=%" PRId64
           " problems=%" PRId64 " differ=0\n",
           tale->name, lasts ? "ten minutes" : "once", line_fault_name(fault), twin->calls, walked,
           noticed);
    fflush(stdout);
}

static void walk(void **state)
{
    const struct tale *tale = *state;
    struct told twin = {0};

    tell(tale, &twin);
    walk_statements(tale, &twin);
    for (int fault = 0; fault < LINE_FAULTS; fault++) {
        walk_calls(tale, &twin, (enum line_fault)fault, false);
        walk_calls(tale, &twin, (enum line_fault)fault, true);
    }
    buf_fini(&twin.end);
}

int main(void)
{
    struct CMUnitTest tests[TALES];

    for (int i = 0; i < TALES; i++) {
        tests[i] = (struct CMUnitTest){.name = TALE_LIST[i].name,
                                       .test_func = walk,
                                       .initial_state = (void *)(uintptr_t)&TALE_LIST[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
