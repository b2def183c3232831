/* Wiring: configuration, store, vault, network and adapters' sessions for one command. The only place where the parts meet. */
#ifndef CRMSYNC_CLI_WIRE_H
#define CRMSYNC_CLI_WIRE_H

#include "cli/command.h"
#include "cli/config.h"
#include "http/client.h"
#include "oauth/keeper.h"
#include "oauth/vault.h"
#include "store/audit.h"
#include "store/store.h"
#include "sync/edit.h"
#include "sync/sync.h"

struct wire {
    struct cli *cli;
    bool is_beside;       /* configuration, store, vault and transport are another wire's */
    struct arena arena;   /* everything read from the configuration */
    struct config config; /* the tenant of --tenant is selected */
    struct store *store;
    int64_t tenant_id; /* in the store; set when the store is opened */
    struct vault *vault;
    struct transport *transport;
    struct http_client *http;
    struct sync_connection *connections; /* as many as configured */
    struct secret *tokens;
    struct secret *client_secrets; /* of connections with 'auth' */
    struct keeper **keepers;       /* likewise */
    struct app_token **app_tokens; /* likewise; NULL where the CRM gives none */
    /* Likewise: what asks the sign-in server. It knows the hosts of its own CRM alone, and is not cancelled when the sync is: the answer to an
     * exchange of tokens that was made must not get lost. */
    struct http_client **sign_in_http;
    size_t connections_count;
};

/* Configuration only. */
enum fail wire_config(struct cli *cli, struct wire *ret, struct error *err) MUST_CHECK;
/* Adds the store to a wire that has its configuration. */
enum fail wire_open_store(struct wire *wire, enum store_access access, const char *holder,
                          struct error *err) MUST_CHECK;
/* Configuration and store. holder: "crmsync sync". */
enum fail wire_store(struct cli *cli, enum store_access access, const char *holder,
                     struct wire *ret, struct error *err) MUST_CHECK;
/* Writes into the audit log that configuration or mappings are others than those that were last used. For commands that act by them. */
enum fail wire_note_settings(struct wire *wire, struct error *err) MUST_CHECK;
/* An entry of the audit log by a command that only reads: through a handle of its own, beside whoever writes. */
enum fail wire_audit_beside(struct wire *wire, const char *holder, const struct audit_note *note,
                            struct error *err) MUST_CHECK;
struct str wire_tenant_name(const struct wire *wire);
/* Adds the vault to a wire that has a store. */
enum fail wire_vault(struct wire *wire, struct error *err) MUST_CHECK;
/* Adds the way to the network alone. */
enum fail wire_transport(struct wire *wire, struct error *err) MUST_CHECK;
/* Adds vault and network to a wire that has a store for writing. */
enum fail wire_network(struct wire *wire, struct error *err) MUST_CHECK;
/* A network client that knows the hosts of all configured connections. */
struct http_client *wire_new_http(const struct wire *wire);
/* One tenant of a wire that has vault and transport, over a store handle of the caller, without a client yet: all of these stay their owners'. */
enum fail wire_beside(const struct wire *base, struct store *store, size_t tenant, struct wire *ret,
                      struct error *err) MUST_CHECK;
/* The row of a connection, made when it is missing. */
enum fail wire_load_row(struct wire *wire, size_t index, struct error *err) MUST_CHECK;
/* Opens the session of one connection: token from the configuration's ${NAME}, token_file or the vault, or kept by a keeper ('auth'). */
enum fail wire_open(struct wire *wire, size_t index, struct error *err) MUST_CHECK;
/* What an adapter opens a session with: one of token and auth. */
struct account wire_account(struct wire *wire, size_t index, const struct secret *token,
                            struct http_auth *auth);
void wire_close(struct wire *wire); /* everything; accepts zeroed */
#define AUTO_WIRE __attribute__((cleanup(wire_close)))

/* Index of the connection named by the person; FAIL_CONFIG lists the names. */
enum fail wire_find(const struct wire *wire, struct str name, size_t *ret,
                    struct error *err) MUST_CHECK;
struct edit wire_edit(struct wire *wire);
/* Runs body inside one transaction of the tenant. */
enum fail wire_begin(struct wire *wire, struct tx **ret, struct error *err) MUST_CHECK;

#endif
