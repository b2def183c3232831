/* What is kept of a sign-in: one sealed document for each connection. */
#ifndef CRMSYNC_OAUTH_TOKENS_H
#define CRMSYNC_OAUTH_TOKENS_H

#include "oauth/grant.h"
#include "oauth/vault.h"

/* Names in the table of secrets. */
#define TOKENS_NAME "oauth"
#define CLIENT_SECRET_NAME "client-secret"

/* ret_found false, and *ret empty: none, or those of another app, another grant or another sign-in server, which are never sent to this one.
 * *ret_generation is that of what is there in any case, 0 nothing. FAIL_CONFIG as vault_get(). */
enum fail tokens_load(struct vault *vault, struct tx *tx, int64_t connection_id,
                      const struct oauth_client *client, struct oauth_tokens *ret,
                      int64_t *ret_generation, bool *ret_found, struct error *err) MUST_CHECK;
/* FAIL_STALE: somebody else has put other ones since expected_generation. */
enum fail tokens_put(struct vault *vault, struct tx *tx, int64_t connection_id,
                     const struct oauth_client *client, const struct oauth_tokens *tokens,
                     int64_t expected_generation, int64_t *ret_generation,
                     struct error *err) MUST_CHECK;

#endif
