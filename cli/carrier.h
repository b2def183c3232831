/* Carries what a simulated CRM sends by itself (webhooks, Salesforce's outbound messages) from the simulator to the receiver on this machine, as
 * the CRM's own sender would: it takes a message that is due, posts it, and tells the simulator how it was answered. */
#ifndef CRMSYNC_CLI_CARRIER_H
#define CRMSYNC_CLI_CARRIER_H

#include "core/clock.h"
#include "core/fail.h"
#include "simulators/simulator.h"

struct carrier;

/* Starts a thread. simulator and clock are borrowed until carrier_stop. Fails: FAIL_STOP without a thread or a network loop. */
enum fail carrier_start(struct simulator *simulator, struct clock *clock, struct carrier **ret,
                        struct error *err) MUST_CHECK;
/* Lets the message that is on its way finish (10 s at most). Accepts NULL. */
void carrier_stop(struct carrier *carrier);

#endif
