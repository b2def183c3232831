/* Syncs that were asked for through the API, and what has become of them: the last ones, in memory. */
#ifndef CRMSYNC_API_ORDERS_H
#define CRMSYNC_API_ORDERS_H

#include "api/api.h"

enum { ORDERS_KEPT = 256 };

struct orders;

struct orders *orders_new(struct env *env);
void orders_free(struct orders *orders); /* accepts NULL */

/* A new one; id is made here. When ORDERS_KEPT are there, the oldest that has ended is forgotten. FAIL_THROTTLED: that many are still at work. */
enum fail orders_add(struct orders *orders, struct api_order *order, struct error *err) MUST_CHECK;
void orders_progress(struct orders *orders, struct str id, const struct sync_progress *progress);
void orders_end(struct orders *orders, struct str id, const struct sync_report *report,
                const struct error *err);
/* NULL: no such order of that tenant. The caller's. */
json_t *orders_json(struct orders *orders, int64_t tenant_id, struct str id);

#endif
