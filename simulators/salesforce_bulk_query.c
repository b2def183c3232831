/* Jobs that answer a query: there is nothing yet here that could read one, so that they are not found. */
#include "simulators/salesforce_bulk.h"

bool sf_query_job_check(struct sim_call *call, struct sf_job *job)
{
    (void)job;
    sf_not_found(call);
    return false;
}

void sf_query_job_run(struct sim_call *call, struct sf_bulk *bulk, struct sf_job *job)
{
    sf_job_fail(bulk, job, NULL, call->now_ms);
}

void sf_query_job_results(struct sim_call *call, const struct sf_bulk *bulk,
                          const struct sf_job *job, const struct sf_route *route)
{
    (void)bulk, (void)job, (void)route;
    sf_not_found(call);
}
