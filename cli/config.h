/* crmsync.yaml into settings. Every error names file, line and column and what is allowed there. */
#ifndef CRMSYNC_CLI_CONFIG_H
#define CRMSYNC_CLI_CONFIG_H

#include "cli/config_auth.h"
#include "core/arena.h"
#include "core/secret.h"
#include "sync/settings.h"

/* A connection's part that is not the engine's business. */
struct config_token {
    struct str value; /* as written, "" none; "${NAME}" is looked up when the token is needed */
    struct str file;  /* token_file, "" none */
};

struct config {
    struct str path;       /* of the file, or "" when built from defaults */
    struct str store_path; /* absolute or relative to the working directory */
    struct str key_file;
    bool allow_loopback;
    struct sync_settings settings; /* connections point into `connections` */
    struct connection_settings *connections;
    struct config_token *tokens; /* same index as connections */
    struct config_auth *auths;   /* likewise */
    struct kinds kinds;
};

/* All memory is arena's. FAIL_CONFIG; a missing file is told with the hint to run `crmsync init`. */
enum fail config_load(struct arena *arena, const char *path, struct config *ret,
                      struct error *err) MUST_CHECK;
/* Index of a connection by name, or SIZE_MAX. */
size_t config_find(const struct config *config, struct str name);

#endif
