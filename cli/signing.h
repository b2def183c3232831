/* The sign-in of a connection, from what the configuration says about it. */
#ifndef CRMSYNC_CLI_SIGNING_H
#define CRMSYNC_CLI_SIGNING_H

#include "cli/wire.h"
#include "oauth/signin.h"

/* Connection `index` has 'auth'. Its client secret comes from the configuration's ${NAME} or out of the store. FAIL_AUTH: nobody has signed in, or
 * the secret is not there. The wire has its network; no transaction is open. */
enum fail signing_connection(struct wire *wire, size_t index, struct oauth_connection *ret,
                             struct error *err) MUST_CHECK;

/* signin_identify_fn: the adapter's check. */
struct signing {
    struct wire *wire;
    size_t index;
};
enum fail signing_identify(void *context, struct http_auth *auth, struct arena *arena,
                           struct signin_account *ret, struct error *err);

/* For people: "authorization-code, token until 2026-11-21 14:05:31Z", "token of ${NAME}", "not signed in". Opens the vault when it can and must. */
struct str signing_shown(struct wire *wire, struct tx *tx, size_t index,
                         const struct store_connection *row);

#endif
