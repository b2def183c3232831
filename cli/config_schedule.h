/* `schedule:` and `schedules:` of crmsync.yaml: when a stream's work is due. What stands at a connection changes what stands at the top, and what
 * stands at a kind changes that. */
#ifndef CRMSYNC_CLI_CONFIG_SCHEDULE_H
#define CRMSYNC_CLI_CONFIG_SCHEDULE_H

#include "core/yx.h"
#include "sync/settings.h"

/* What holds where nothing is written: pull @every 5m, reconcile @daily (UTC) with a jitter of six hours. */
enum fail config_schedule_default(struct arena *arena, struct schedule *ret,
                                  struct error *err) MUST_CHECK;
/* `schedule` of the mapping `node` on top of otherwise. FAIL_CONFIG with the position. Zones are the arena's. */
enum fail config_schedule_read(struct arena *arena, const struct yx_node *node,
                               const struct schedule *otherwise, struct schedule *ret,
                               struct error *err) MUST_CHECK;
/* `schedule` and `schedules` of a connection. */
enum fail config_schedules_read(struct arena *arena, const struct yx_node *node,
                                const struct kinds *kinds, const struct schedule *otherwise,
                                struct connection_settings *settings, struct error *err) MUST_CHECK;

#endif
