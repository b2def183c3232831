/* Journeys through the Pipedrive simulator. Each begins with an empty account unless it asks for records. */
#ifndef CRMSYNC_TESTS_SIMULATORS_PIPEDRIVE_JOURNEY_H
#define CRMSYNC_TESTS_SIMULATORS_PIPEDRIVE_JOURNEY_H

#include "tests/unit/simulators/journey.h"

#define PERSONS "/api/v2/persons"
#define ORGANIZATIONS "/api/v2/organizations"
#define DEALS "/api/v2/deals"
#define ACTIVITIES "/api/v2/activities"
#define NOTES "/v1/notes"
#define INVALID "code=ERR_SCHEMA_VALIDATION_FAILED"
#define POST_PERSON(body) "POST", PERSONS, body
#define POST_ORGANIZATION(body) "POST", ORGANIZATIONS, body
/* A person of an organization, both full of what searches look at. */
#define ADA                                                                                        \
    {POST_ORGANIZATION("{\"name\":\"Quay Logistics\",\"address\":{\"value\":\"Kai 4\"}}"),         \
     200,                                                                                          \
     {0}},                                                                                         \
    {                                                                                              \
        POST_PERSON("{\"name\":\"\\u00c4da Quist\",\"org_id\":1,\"emails\":[{\"value\":"           \
                    "\"Ada@Quay.example\"},{\"value\":\"ada.q@home.example\"}],\"phones\":[{"      \
                    "\"value\":\"+49 30 555010\"}]}"),                                             \
            200,                                                                                   \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define MINUTE_MS (60 * 1000LL)
#define DAY_MS (24 * 60 * MINUTE_MS)

static inline void walk_with(const struct simulator_options *options, const struct step *steps,
                             size_t count)
{
    struct journey journey;

    journey_begin(&journey, simulator_pipedrive_new, options);
    journey_walk(&journey, steps, count);
    journey_end(&journey);
}

#define JOURNEY_WITH(name, options, ...)                                                           \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        (void)state;                                                                               \
        walk_with(&(struct simulator_options)options, steps, COUNT_OF(steps));                     \
    }
#define OPTIONS(...)                                                                               \
    {                                                                                              \
        .seed = 7, __VA_ARGS__                                                                     \
    }
#define JOURNEY(name, ...) JOURNEY_WITH(name, {.seed = 7}, __VA_ARGS__)

#endif
