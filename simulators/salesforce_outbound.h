/* Outbound messages of the Salesforce simulator: what a flow with an outbound-message action sends when records are created or
 * updated. POST /__sim/outbound makes such flows; the messages wait here until somebody carries them (docs/simulators.md):
 * GET /__sim/outbound hands out the next one that is due, POST /__sim/outbound/answer says how the receiver answered it. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_OUTBOUND_H
#define CRMSYNC_SIMULATORS_SALESFORCE_OUTBOUND_H

#include "simulators/salesforce_inside.h"

struct sf_outbound;

struct sf_outbound *sf_outbound_new(uint64_t seed);
void sf_outbound_free(struct sf_outbound *outbound); /* accepts NULL */
/* A committed change: queues a notification for each flow that it starts. */
void sf_outbound_changed(struct sf_outbound *outbound, const struct sf_unit *unit,
                         const struct sf_change *change);
/* Answers /__sim/outbound…; false: no such endpoint. */
bool sf_outbound_control(struct sim_call *call, struct sf_outbound *outbound);
/* Adds the SOAP envelope of these records. Numbers are of the 04k and 04l ids. */
struct sf_message_text {
    struct str org; /* 18 characters */
    int64_t action;
    const int64_t *notifications;
    const struct sf_record *const *records;
    size_t count;
    const struct sf_field *const *fields; /* by ascending name; Id comes by itself */
    size_t fields_count;
};
void sf_outbound_put(struct buf *body, const struct sf_message_text *text);
/* Whether a receiver's body acknowledges. Anything else means: send it again. */
bool sf_outbound_is_ack(struct str body);

#endif
