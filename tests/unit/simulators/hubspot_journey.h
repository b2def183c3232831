/* Journeys through the HubSpot simulator. Each begins with an empty account. */
#ifndef CRMSYNC_TESTS_SIMULATORS_HUBSPOT_JOURNEY_H
#define CRMSYNC_TESTS_SIMULATORS_HUBSPOT_JOURNEY_H

#include "tests/unit/simulators/journey.h"

#define CONTACTS "/crm/v3/objects/contacts"
#define COMPANIES "/crm/objects/2026-09/companies"

static inline void walk_with(const struct simulator_options *options, const struct step *steps,
                             size_t count)
{
    struct journey journey;

    journey_begin(&journey, simulator_hubspot_new, options);
    journey_walk(&journey, steps, count);
    journey_end(&journey);
}

#define JOURNEY(name, ...)                                                                         \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        (void)state;                                                                               \
        walk_with(&(struct simulator_options){.seed = 7}, steps, COUNT_OF(steps));                 \
    }

#endif
