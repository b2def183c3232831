/* Seeded random histories over the production engine. Options: --histories N, --seed S, --verbose. Ends with one line of counts; aborts with the
 * seed on any violation. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"
#include "tests/simulation/history.h"

enum { HISTORIES_DEFAULT = 200 };

static bool number_after(const char *name, int argc, char **argv, int *index, int64_t *ret)
{
    return strcmp(argv[*index], name) == 0 && *index + 1 < argc &&
           str_to_i64(str_of(argv[++*index]), ret);
}

int main(int argc, char **argv)
{
    int64_t histories = HISTORIES_DEFAULT, seed = 1;
    int verbose = 0;
    struct history_counts counts = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = 1;
        } else if (!number_after("--histories", argc, argv, &i, &histories) &&
                   !number_after("--seed", argc, argv, &i, &seed)) {
            fprintf(stderr, "usage: %s [--histories N] [--seed S] [--verbose]\n", argv[0]);
            return 2;
        }
    }
    printf("seeds %" PRId64 " to %" PRId64 "\n", seed, seed + histories - 1);
    fflush(stdout);
    for (int64_t i = 0; i < histories; i++) {
        history_run((uint64_t)(seed + i), verbose, &counts);
    }
    printf("histories=%" PRId64 " actions=%" PRId64 " syncs=%" PRId64 " plans=%" PRId64
           " restores=%" PRId64 " edits=%" PRId64 " faults=%" PRId64 " rounds_most=%" PRId64
           " conflicts=%" PRId64 " set_aside=%" PRId64 " works=%" PRId64 " violations=0\n",
           counts.histories, counts.actions, counts.syncs, counts.plans, counts.restores,
           counts.edits, counts.faults, counts.rounds_most, counts.conflicts, counts.set_aside,
           counts.works);
    return 0;
}
