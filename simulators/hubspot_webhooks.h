/* Webhooks of the HubSpot simulator: what happens becomes events for the app's target, signed as HubSpot does. The target and the subscriptions are set by the
 * app's own API (/webhooks/v3/9001, with HS_DEVELOPER_KEY as hapikey), or by POST /__sim/webhooks {"url","secret"}, which stands for what an app of today
 * has in its project's file: then everything is told. */
#ifndef CRMSYNC_SIMULATORS_HUBSPOT_WEBHOOKS_H
#define CRMSYNC_SIMULATORS_HUBSPOT_WEBHOOKS_H

#include "simulators/hooks.h"
#include "simulators/hubspot_inside.h"

#define HS_DEVELOPER_KEY "simulated-developer-key"

struct hs_webhooks;
struct hs_webhooks *hs_webhooks_new(void);
void hs_webhooks_free(struct hs_webhooks *webhooks); /* accepts NULL */

extern const struct sim_hook_style hs_hook_style;
void hs_webhooks_serve(struct sim_call *call, const struct hs_route *route);

struct hs_news {
    const char *what; /* "creation" */
    int64_t id;
    const struct hs_kind *to_kind; /* of links; NULL otherwise */
    const struct hs_source *source;
    int64_t at_ms;
    json_t *more; /* further members; borrowed; NULL none */
};
void hs_news(struct hubspot *hs, const struct hs_kind *kind, const struct hs_news *news);
/* "creation", "deletion", "restore", "privacyDeletion" */
void hs_news_of_record(struct hubspot *hs, const struct hs_kind *kind, const char *what, int64_t id,
                       const struct hs_source *source, int64_t now_ms);
void hs_news_of_value(struct hubspot *hs, const struct hs_kind *kind, int64_t id, size_t property,
                      struct str text, const struct hs_source *source, int64_t now_ms);
void hs_news_of_merge(struct hubspot *hs, const struct hs_kind *kind,
                      const struct hs_record *primary, const struct hs_record *other,
                      const struct hs_record *survivor, int64_t now_ms);
void hs_news_of_link(struct hubspot *hs, const struct hs_kind *kind, int64_t id,
                     const struct hs_kind *to_kind, int64_t to_id, bool is_removed);

#endif
