/* Where the connections of crmsync.yaml and of the files it includes are written, tenant by tenant, before any of them is read. */
#ifndef CRMSYNC_CLI_CONFIG_PLACES_H
#define CRMSYNC_CLI_CONFIG_PLACES_H

#include "core/yx.h"

enum { CONFIG_CONNECTIONS_MAX = 2000, CONFIG_TENANTS_MAX = 2000, CONFIG_NAME_BYTES_MAX = 48 };

#define CONFIG_TENANT_DEFAULT "default"

/* One connection as it is written. */
struct config_place {
    size_t tenant; /* index into tenants */
    const struct yx_node *key, *node;
    const char *folder; /* relative paths begin here: that of the file it stands in */
};

struct config_tenant_place {
    struct str name;
    const struct yx_node *brake;          /* NULL: none of its own */
    const struct yx_node *local_priority; /* likewise */
    const struct yx_node *events;         /* likewise */
};

/* Nodes belong to the documents: they are valid until config_places_close(). */
struct config_places {
    struct config_tenant_place *tenants; /* the first is the default tenant */
    size_t tenants_count;
    struct config_place
        *at; /* the connections of one tenant stand together, in the order of the files */
    size_t count;
    struct str include; /* the folder of drop-in files; "" none */
    struct yx_document **documents;
    size_t documents_count;
};

/* root: of crmsync.yaml, whose own keys are checked elsewhere. Arrays are arena's. FAIL_CONFIG with file, line and column: a name that is none, a
 * connection or a tenant's setting that stands twice, too many, an included file with other keys; a folder that is not there. */
enum fail config_places_open(struct arena *arena, const struct yx_node *root, const char *folder,
                             struct config_places *ret, struct error *err) MUST_CHECK;
void config_places_close(struct config_places *places); /* accepts zeroed */
#define AUTO_PLACES __attribute__((cleanup(config_places_close)))

#endif
