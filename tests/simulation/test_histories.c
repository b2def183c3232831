/* Seeded random histories over the production engine. Options: --histories N, --seed S, --runs or --turns (else runs, and every fourth also in turns), --verbose. Ends with one line of counts; aborts with the
 * seed on any violation. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"
#include "tests/simulation/history.h"

enum { HISTORIES_DEFAULT = 200, TURNS_EVERY = 4 };

static bool number_after(const char *name, int argc, char **argv, int *index, int64_t *ret)
{
    return strcmp(argv[*index], name) == 0 && *index + 1 < argc &&
           str_to_i64(str_of(argv[++*index]), ret);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("HISTORIES"); /* a sanitizer's build runs fewer in the same time */
    int64_t histories = HISTORIES_DEFAULT, seed = 1;
    int verbose = 0;
    bool skips[] = {[HISTORY_RUNS] = false, [HISTORY_TURNS] = false};
    struct history_counts counts = {0};

    if (wanted && !str_to_i64(str_of(wanted), &histories)) {
        fprintf(stderr, "HISTORIES must be a number\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = 1;
        } else if (strcmp(argv[i], "--runs") == 0 || strcmp(argv[i], "--turns") == 0) {
            skips[strcmp(argv[i], "--runs") == 0 ? HISTORY_TURNS : HISTORY_RUNS] = true;
        } else if (!number_after("--histories", argc, argv, &i, &histories) &&
                   !number_after("--seed", argc, argv, &i, &seed)) {
            fprintf(stderr, "usage: %s [--histories N] [--seed S] [--runs|--turns] [--verbose]\n",
                    argv[0]);
            return 2;
        }
    }
    printf("seeds %" PRId64 " to %" PRId64 "\n", seed, seed + histories - 1);
    fflush(stdout);
    for (int64_t i = 0; i < histories; i++) {
        for (int style = HISTORY_RUNS; style <= HISTORY_TURNS; style++) {
            bool is_turns_turn = skips[HISTORY_RUNS] || (seed + i) % TURNS_EVERY == 0;

            if (!skips[style] && (style == HISTORY_RUNS || is_turns_turn)) {
                history_run((uint64_t)(seed + i), (enum history_style)style, verbose, &counts);
            }
        }
    }
    printf("histories=%" PRId64 " actions=%" PRId64 " syncs=%" PRId64 " plans=%" PRId64
           " restores=%" PRId64 " edits=%" PRId64 " faults=%" PRId64 " rounds_most=%" PRId64
           " conflicts=%" PRId64 " set_aside=%" PRId64 " works=%" PRId64 " turns=%" PRId64
           " nested=%" PRId64 " violations=0\n",
           counts.histories, counts.actions, counts.syncs, counts.plans, counts.restores,
           counts.edits, counts.faults, counts.rounds_most, counts.conflicts, counts.set_aside,
           counts.works, counts.turns, counts.nested);
    return 0;
}
