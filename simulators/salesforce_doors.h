/* The mass and event doors of the Salesforce simulator, together: Bulk API 2.0, change events over CometD, outbound messages. The front
 * (salesforce.c) keeps one struct sf_doors and calls these. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_DOORS_H
#define CRMSYNC_SIMULATORS_SALESFORCE_DOORS_H

#include "simulators/salesforce_bulk.h"
#include "simulators/salesforce_events.h"
#include "simulators/salesforce_outbound.h"

struct sf_doors {
    struct sf_bus bus;
    struct sf_cometd *cometd;     /* owned */
    struct sf_outbound *outbound; /* owned */
    struct sf_bulk *bulk;         /* owned */
    uint64_t transaction;         /* counts units that are at their end */
};

struct sf_doors *sf_doors_new(uint64_t seed);
void sf_doors_free(struct sf_doors *doors); /* accepts NULL */
/* The listener that makes news of what is committed. */
sf_listener_fn sf_capture;

#endif
