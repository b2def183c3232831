/* Secrets at rest: AES-256-GCM under a master key that never enters the store. Blob = version, key id, nonce, ciphertext, tag;
 * associated data binds it to tenant, connection and name, so that a row moved elsewhere does not open. */
#ifndef CRMSYNC_OAUTH_VAULT_H
#define CRMSYNC_OAUTH_VAULT_H

#include "core/env.h"
#include "core/fail.h"
#include "core/secret.h"
#include "store/store.h"

struct vault; /* holds the master key in locked, undumpable memory where the system allows */

/* Key source, first found: file of systemd credential ($CREDENTIALS_DIRECTORY/crmsync-key), key_file (32 bytes as 64 hex
 * characters or raw; must be a regular file of mode 0600 or less, owned by us: else FAIL_CONFIG), environment CRMSYNC_KEY (hex; removed
 * from the environment once read). FAIL_CONFIG with a hint how to make one when there is none. */
enum fail vault_open(const char *key_file, struct env *env, struct vault **ret,
                     struct error *err) MUST_CHECK;
void vault_free(struct vault *vault); /* wipes; accepts NULL */
/* Makes a new key file of mode 0600; refuses to replace one. */
enum fail vault_create_key_file(const char *key_file, struct env *env,
                                struct error *err) MUST_CHECK;

/* Seals and stores / loads and opens the secret of a connection. get: FAIL_AUTH "no token stored" with the connect command as hint;
 * FAIL_CONFIG when the blob was sealed by another key. */
enum fail vault_put(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    const struct secret *secret, struct error *err) MUST_CHECK;
enum fail vault_get(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    struct secret *ret, struct error *err) MUST_CHECK;

#endif
