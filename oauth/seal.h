/* AES-256-GCM for small things: a secret, a key. Sealed = nonce, ciphertext, tag. Inside the oauth folder only. */
#ifndef CRMSYNC_OAUTH_SEAL_H
#define CRMSYNC_OAUTH_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/random.h"
#include "core/str.h"

enum {
    SEAL_KEY_BYTES = 32,
    SEAL_NONCE_BYTES = 12,
    SEAL_TAG_BYTES = 16,
    SEAL_EXTRA_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES, /* sealed minus plain */
};

/* ret has room for plain.len + SEAL_EXTRA_BYTES. The nonce is random, so a key may be used some 2^32 times and no more (NIST SP 800-38D, 8.3):
 * callers count. bound_to is not in the result; without the same text it does not open. */
void seal(const uint8_t key[SEAL_KEY_BYTES], struct random *random, struct str bound_to,
          struct str plain, char *ret);
/* False when it was changed, cut, sealed with another key or bound to something else. ret has room for sealed.len - SEAL_EXTRA_BYTES; on
 * failure it holds nothing that was sealed. */
bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str bound_to, struct str sealed,
               char *ret);

#endif
