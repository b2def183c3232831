/* `metrics:` of crmsync.yaml: who may read GET /metrics without a token. */
#ifndef CRMSYNC_CLI_CONFIG_METRICS_H
#define CRMSYNC_CLI_CONFIG_METRICS_H

#include "core/yx.h"

/* root: the whole configuration. Without `metrics` nobody. FAIL_CONFIG with the position. */
enum fail config_metrics_read(const struct yx_node *root, bool *ret_are_public,
                              struct error *err) MUST_CHECK;

#endif
