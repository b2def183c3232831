/* crmsync.yaml into settings. Every error names file, line and column and what is allowed there. */
#ifndef CRMSYNC_CLI_CONFIG_H
#define CRMSYNC_CLI_CONFIG_H

#include "cli/config_auth.h"
#include "cli/config_alerts.h"
#include "cli/config_events.h"
#include "cli/config_service.h"
#include "cli/config_webhook.h"
#include "cli/config_upkeep.h"
#include "core/arena.h"
#include "core/digest.h"
#include "core/secret.h"
#include "sync/settings.h"

/* A connection's part that is not the engine's business. */
struct config_token {
    struct str value; /* as written, "" none; "${NAME}" is looked up when the token is needed */
    struct str file;  /* token_file, "" none */
};

/* What one tenant has. */
struct config_tenant {
    struct str name;
    struct sync_settings settings;           /* connections point into `connections` */
    struct connection_settings *connections; /* settings.connections_count */
    struct config_token *tokens;             /* same index as connections */
    struct config_auth *auths;               /* likewise */
    struct config_webhook *webhooks;         /* likewise */
    struct config_events events;
};

struct config {
    struct str path;              /* of the file, or "" when built from defaults */
    uint8_t digest[SHA256_BYTES]; /* of what stands in it and in the drop-in files */
    struct str store_path;        /* absolute or relative to the working directory */
    struct str key_file;
    struct str include;    /* folder of drop-in files, likewise; "" none */
    struct str public_url; /* "https://host"; "" nobody reaches us from outside */
    bool allow_loopback;
    struct config_service service;
    struct config_backup backup;
    struct config_alerts alerts;
    bool metrics_are_public;
    struct retention retention;
    const struct config_tenant
        *tenants; /* the first is the default tenant, perhaps without connections */
    size_t tenants_count;
    size_t tenant; /* index of the one that was selected; what follows is its */
    struct sync_settings settings;
    struct connection_settings *connections;
    struct config_token *tokens;
    struct config_auth *auths;
    struct config_webhook *webhooks;
    struct kinds kinds;
};

/* All memory is arena's; connections with the same mapping file share what was read from it. The default tenant is selected. FAIL_CONFIG; a missing
 * file is told with the hint to run `crmsync init`. */
enum fail config_load(struct arena *arena, const char *path, struct config *ret,
                      struct error *err) MUST_CHECK;
/* FAIL_CONFIG: no such tenant; the hint lists some. */
enum fail config_select(struct config *config, struct str tenant, struct error *err) MUST_CHECK;
/* Index of a tenant by name, or SIZE_MAX. */
size_t config_tenant_find(const struct config *config, struct str name);
/* Index of a connection of the selected tenant by name, or SIZE_MAX. */
size_t config_find(const struct config *config, struct str name);

#endif
