/* Secrets at rest: an envelope. A key-encryption key that never enters the store wraps a data key for each tenant (table data_key), and
 * secrets are sealed with the data key of their tenant: AES-256-GCM, a random nonce, and associated data that binds a secret to tenant,
 * connection, name and generation, so that a row that was moved, or an older one put back, does not open. Who can write to the store can
 * still put back a whole row as it was, generation included.
 * A data key is replaced after a year or 2^28 uses; older ones open what they sealed until that is written again.
 * Blob of a secret: "v2", data key id, sealed text. Wrapped data key: "k1", key id, sealed key. Blobs "v1" of earlier versions, sealed by
 * the key-encryption key itself, still open.
 * Threads: any, each with its own transaction. */
#ifndef CRMSYNC_OAUTH_VAULT_H
#define CRMSYNC_OAUTH_VAULT_H

#include "core/env.h"
#include "core/fail.h"
#include "core/secret.h"
#include "store/store.h"

struct vault; /* holds keys in locked, undumpable memory where the system allows */

enum {
    DATA_KEY_USES_MAX = 1 << 28, /* of 2^32 that random nonces allow: NIST SP 800-38D, 8.3 */
    SECRET_BYTES_MAX = 64 * 1024,
};
#define DATA_KEY_AGE_MAX_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

/* Key source, first found: file of systemd credential ($CREDENTIALS_DIRECTORY/crmsync-key), key_file (32 bytes as 64 hex
 * characters or raw; must be a regular file of mode 0600 or less, owned by us: else FAIL_CONFIG), environment CRMSYNC_KEY (hex; removed
 * from the environment once read). FAIL_CONFIG with a hint how to make one when there is none. */
enum fail vault_open(const char *key_file, struct env *env, struct vault **ret,
                     struct error *err) MUST_CHECK;
void vault_free(struct vault *vault); /* wipes; accepts NULL */
/* Makes a new key file of mode 0600; refuses to replace one. */
enum fail vault_create_key_file(const char *key_file, struct env *env,
                                struct error *err) MUST_CHECK;

/* Seals and stores the secret of a connection as the next generation. FAIL_CONFIG when the tenant's data key was wrapped by another key. */
enum fail vault_put(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    const struct secret *secret, struct error *err) MUST_CHECK;
/* The same, only if the secret is still of that generation (0: there is none); else FAIL_STALE, and nothing is stored. ret_generation, which
 * may be NULL, is the new one. */
enum fail vault_put_if(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                       const struct secret *secret, int64_t expected_generation,
                       int64_t *ret_generation, struct error *err) MUST_CHECK;
/* Loads and opens it; ret_generation may be NULL. FAIL_AUTH "no token stored" with the connect command as hint; FAIL_CONFIG when it was sealed
 * by another key, changed or moved. */
enum fail vault_get(struct vault *vault, struct tx *tx, int64_t connection_id, const char *name,
                    struct secret *ret, int64_t *ret_generation, struct error *err) MUST_CHECK;
/* Whoever read it before and puts it with vault_put_if() afterwards is refused. ret_found: there was one. */
enum fail vault_remove(struct tx *tx, int64_t connection_id, const char *name, bool *ret_found,
                       struct error *err) MUST_CHECK;

#endif
