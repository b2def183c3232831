/* The life of one connection's token: kept sealed in the store, renewed before it expires or when the CRM refuses it, by one thread of one process at a
 * time, and durable before its first use. A refresh token that is used up (rotation) is therefore never the only one that is known.
 *
 * Killed at any moment, the connection works afterwards, or says that somebody has to sign in. Nothing else is lost: what waits is sent then. */
#ifndef CRMSYNC_OAUTH_KEEPER_H
#define CRMSYNC_OAUTH_KEEPER_H

#include "http/auth.h"
#include "oauth/tokens.h"

enum {
    KEEPER_EARLY_MS =
        60 * 1000, /* renewed so long before it expires, or in the last half of a shorter life */
    KEEPER_PAUSE_MS =
        10 * 1000, /* after an early renewal that failed, while the old token is still good */
    KEEPER_HOLD_WAIT_MS =
        100 * 1000, /* for another process that renews: three of its calls may time out */
};

/* A connection and all that its tokens need. Borrowed for as long as it is used; the vault and the client are shared by threads. */
struct oauth_connection {
    struct env *env;
    struct http_client *http;
    struct vault *vault;
    const char *store_path; /* opened beside whoever works with it (STORE_SHARED) */
    int64_t tenant_id, connection_id;
    struct oauth_client client;
};

struct keeper;

/* Nothing is asked or read yet. */
struct keeper *keeper_new(const struct oauth_connection *connection);
void keeper_free(struct keeper *keeper); /* wipes; accepts NULL. Nobody is in get() any more */
/* get(): as http/auth.h says. FAIL_AUTH also marks the connection as one that needs a sign-in, with the reason; the other ones go on.
 * FAIL_CONNECTION: the CRM named an API host that is not on the allow-list, or another account than the connection is linked to; FAIL_CONFIG: client id, secret or key are refused;
 * FAIL_STOP: the store cannot be written, so that a new token must not be used. */
struct http_auth *keeper_auth(struct keeper *keeper);

/* --- shared with oauth/signin.c --- */

struct keeper_work {
    struct store *store;
    struct tx *tx;
};
/* A short transaction of its own. Ends with keeper_work_end(), which rolls back what was not committed. */
enum fail keeper_work_begin(const struct oauth_connection *connection, struct keeper_work *ret,
                            struct error *err) MUST_CHECK;
void keeper_work_end(struct keeper_work *work); /* accepts zeroed */
#define AUTO_WORK __attribute__((cleanup(keeper_work_end)))

#endif
