/* The numbers that only the running process knows, and the names of all numbers there are. docs/operations.md describes them. */
#ifndef CRMSYNC_CLI_SERVICE_METRICS_H
#define CRMSYNC_CLI_SERVICE_METRICS_H

#include "api/samples.h"
#include "core/clock.h"
#include "http/client.h"
#include "store/alert.h"
#include "webhooks/counts.h"

/* Whose numbers they are. */
struct metrics_place {
    struct str tenant, connection;
};

/* Memory, processor, files, build. started_ms: of the process, wall clock. */
void metrics_of_process(struct samples *samples, int64_t started_ms, int schema);
/* Calls of one connection, and what is left of its limits. */
void metrics_of_client(struct samples *samples, const struct metrics_place *place,
                       struct http_client *client);
/* Webhooks of one connection since the start. */
void metrics_of_deliveries(struct samples *samples, const struct metrics_place *place,
                           const struct receive_counts *counts);
void metrics_of_receiver(struct samples *samples, const struct receive_totals *totals);
/* Connections by what the workers do with them, and the workers there are. */
struct metrics_turns {
    int64_t workers, busy, held, waiting;
};
void metrics_of_turns(struct samples *samples, const struct metrics_turns *turns);

/* Deliveries of events to one endpoint, since it is known. */
struct metrics_endpoint {
    struct str tenant, name;
    int64_t delivered, failed, dead, lag_ms;
    bool is_active;
};
void metrics_of_endpoint(struct samples *samples, const struct metrics_endpoint *endpoint);

/* 1 for the alerts that fire. */
void metrics_of_alerts(struct samples *samples, const struct store_alert *states, size_t count);

/* Whether conditions of alerts may name it: a family of the process or of the store, or another name of one. */
bool metric_is_known(struct str name);
/* The known name that was probably meant; "" none. */
struct str metric_nearest(struct str name);
/* All families, the store's first. Returns how many; fills at most that many. */
size_t metric_names(const struct sample_family **ret, size_t max);

#endif
