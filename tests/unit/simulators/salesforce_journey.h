/* What the tests of the Salesforce simulator share. */
#ifndef CRMSYNC_TESTS_SIMULATORS_SALESFORCE_JOURNEY_H
#define CRMSYNC_TESTS_SIMULATORS_SALESFORCE_JOURNEY_H

#include "tests/unit/simulators/journey.h"

#define DATA "/services/data/v66.0"
#define ROWS DATA "/sobjects"
#define CONTACTS ROWS "/Contact"
#define ACCOUNTS ROWS "/Account"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

/* A journey as a test; the account is that of seed 7 unless said otherwise. */
#define JOURNEY_WITH(name, settings, ...)                                                          \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        struct journey journey;                                                                    \
                                                                                                   \
        (void)state;                                                                               \
        journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options)settings);    \
        journey_walk(&journey, steps, COUNT_OF(steps));                                            \
        journey_end(&journey);                                                                     \
    }
#define JOURNEY(name, ...) JOURNEY_WITH(name, {.seed = 7}, __VA_ARGS__)

#define SETTINGS(...)                                                                              \
    {                                                                                              \
        .seed = 7, __VA_ARGS__                                                                     \
    }

/* A record whose id is saved under this name. */
#define MAKE(saved, object, fields)                                                                \
    {                                                                                              \
        "POST", ROWS "/" object, fields, 201, {"success=true"}, saved "=id"                        \
    }

#endif
