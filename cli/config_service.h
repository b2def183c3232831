/* `service:` of crmsync.yaml: where `crmsync serve` listens and how much it does at once. */
#ifndef CRMSYNC_CLI_CONFIG_SERVICE_H
#define CRMSYNC_CLI_CONFIG_SERVICE_H

#include "core/arena.h"
#include "core/yx.h"
#include "http/address.h"
#include "http/tls.h"

#define CONFIG_LISTEN_DEFAULT "127.0.0.1:8642"

struct config_service {
    struct str listen;  /* as written */
    struct str address; /* without the port; "unix:…" */
    int port;
    int workers;
    const struct address_range *trusted_proxies;
    size_t trusted_proxies_count;
    const struct tls_files *tls; /* NULL: plain HTTP */
};

/* root: the whole configuration; without `service` everything has its default. folder: what a relative path begins at. Texts are the arena's. FAIL_CONFIG
 * with the position. */
enum fail config_service_read(struct arena *arena, const char *folder, const struct yx_node *root,
                              struct config_service *ret, struct error *err) MUST_CHECK;
/* "127.0.0.1:8642", "[::1]:8642", "unix:/run/crmsync/http.sock". */
bool config_listen_parse(struct arena *arena, struct str text, struct str *ret_address,
                         int *ret_port);

#endif
