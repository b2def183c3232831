/* The subscriptions of a HubSpot app: which are wanted, and the API that the public apps of before June 2026 have for them. Not for other files than the
 * adapter's. */
#ifndef CRMSYNC_ADAPTERS_HUBSPOT_SUBSCRIPTIONS_H
#define CRMSYNC_ADAPTERS_HUBSPOT_SUBSCRIPTIONS_H

#include "adapters/adapter.h"

/* Rows {"type":"contact.propertyChange","property":"email"}, of generic ones {"type":"object.creation","object":"call","type_id":"0-48"}. Arena's. */
json_t *hubspot_subscriptions_wanted(const struct session *session,
                                     const struct webhook_wanted *wanted, struct arena *arena);

/* Makes the app's subscriptions the listed ones, and its target ours. An empty list removes all, and the target with them. FAIL_CONNECTION when the app
 * sends to somebody else: it has one target for everybody. */
enum fail hubspot_subscriptions_match(struct session *session, const struct webhook_wanted *wanted,
                                      const json_t *list, struct arena *arena,
                                      struct webhook_report *ret, struct error *err);

#endif
