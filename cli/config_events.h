/* `events:` of crmsync.yaml, at the top or of a tenant: who is told what happens in the store. */
#ifndef CRMSYNC_CLI_CONFIG_EVENTS_H
#define CRMSYNC_CLI_CONFIG_EVENTS_H

#include "api/event.h"
#include "api/hook.h"
#include "core/yx.h"
#include "mapper/kind.h"

enum { CONFIG_ENDPOINTS_MAX = 16 };

/* Texts as written; "${NAME}" is looked up when it is needed. */
struct config_endpoint {
    struct str name;
    struct str url;
    struct str secrets[HOOK_SECRETS_MAX];
    size_t secrets_count;
    struct event_filter filter;
    int64_t give_up_ms;
};

struct config_events {
    const struct config_endpoint *endpoints;
    size_t endpoints_count;
};

/* node: the value of `events`, NULL: there is none. FAIL_CONFIG with the position. */
enum fail config_events_read(struct arena *arena, const struct yx_node *node,
                             const struct kinds *kinds, bool allow_loopback,
                             struct config_events *ret, struct error *err) MUST_CHECK;

#endif
