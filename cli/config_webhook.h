/* `public_url` at the top of crmsync.yaml, and `webhooks` of a connection: where a CRM sends what changed, and what that is held against. */
#ifndef CRMSYNC_CLI_CONFIG_WEBHOOK_H
#define CRMSYNC_CLI_CONFIG_WEBHOOK_H

#include "adapters/adapter.h"
#include "core/yx.h"

/* Secrets are as written, "${NAME}"; "" = not said. Texts are the arena's. */
struct config_webhook {
    bool is_on;
    struct str secret, former_secret; /* the app's client secret; "" = that of the sign-in */
    struct str secret_file;           /* "" none */
    struct str path_secret, password; /* "" = made by `setup` and kept sealed */
    unsigned signatures;              /* enum webhook_signature; 0 = v3 alone */
    bool needs_certificate;           /* the sender's, of service.tls.client_ca */
    const struct address_range *allowed_ips;
    size_t allowed_ips_count;
    int rate_per_s; /* deliveries; 0 = the receiver's default, -1 = no limit */
    struct str app_id, developer_key;
};

/* "https://sync.example.com", without a slash at the end; "" when it is not said. http only for this machine, with allow_loopback. */
enum fail config_public_url(struct arena *arena, const struct yx_node *root, bool allow_loopback,
                            struct str *ret, struct error *err) MUST_CHECK;
/* What the rest of the file says of where deliveries arrive. */
struct config_webhook_place {
    struct str public_url; /* "" = not said */
    bool asks_clients;     /* service.tls.client_ca */
};
/* connection: its mapping; without `webhooks` they are off. folder: what a relative path begins at. */
enum fail config_webhook_read(struct arena *arena, const char *folder,
                              const struct yx_node *connection, const struct adapter *adapter,
                              const struct config_webhook_place *place, struct config_webhook *ret,
                              struct error *err) MUST_CHECK;

#endif
