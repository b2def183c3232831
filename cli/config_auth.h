/* `auth:` of a connection in crmsync.yaml: how it signs in, where it has no fixed token. */
#ifndef CRMSYNC_CLI_CONFIG_AUTH_H
#define CRMSYNC_CLI_CONFIG_AUTH_H

#include "adapters/adapter.h"
#include "core/yx.h"

#define AUTH_REDIRECT_DEFAULT "http://localhost:8710/callback"

struct config_auth {
    bool is_used; /* the connection has `auth` */
    enum oauth_grant grant;
    struct str client_id;
    struct str
        client_secret;    /* as written: "${NAME}"; "" = asked for by `connect` and kept sealed */
    struct str login_url; /* scheme://host[:port]; "" = the CRM's own */
    struct str redirect_uri;      /* authorization-code */
    struct str scopes;            /* "" = the CRM's usual ones */
    struct str username;          /* jwt-bearer */
    const char *private_key_file; /* jwt-bearer */
};

/* connection: its mapping; without `auth` *ret stays unused. folder: what a relative path begins at. Texts are the arena's. */
enum fail config_auth_read(struct arena *arena, const char *folder,
                           const struct yx_node *connection, const struct adapter *adapter,
                           struct config_auth *ret, struct error *err) MUST_CHECK;

#endif
