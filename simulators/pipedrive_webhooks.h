/* Webhooks of the Pipedrive simulator: POST, GET and DELETE /v1/webhooks, and the events of version 2.0 that they send. POST /__sim/webhooks changes the manners
 * of the network only: addresses are subscribed by Pipedrive's own API. */
#ifndef CRMSYNC_SIMULATORS_PIPEDRIVE_WEBHOOKS_H
#define CRMSYNC_SIMULATORS_PIPEDRIVE_WEBHOOKS_H

#include "simulators/hooks.h"
#include "simulators/pipedrive_inside.h"

struct pd_webhooks;
struct pd_webhooks *pd_webhooks_new(void);
void pd_webhooks_free(struct pd_webhooks *webhooks); /* accepts NULL */

extern const struct sim_hook_style pd_hook_style;
pd_serve_fn pd_webhooks_serve, pd_webhook_create_serve, pd_webhook_delete_serve;

/* action: "create", "change", "delete" */
void pd_news(struct pipedrive *pd, const struct pd_kind *kind, const struct pd_record *record,
             const char *action, int64_t now_ms);
/* What is told of these two from now on is their merge; NULL ends it. */
void pd_news_merging(struct pipedrive *pd, const struct pd_kind *kind, int64_t from, int64_t into);

#endif
