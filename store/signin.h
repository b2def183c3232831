/* Sign-ins that wait for a CRM's answer: one for each connection. */
#ifndef CRMSYNC_STORE_SIGNIN_H
#define CRMSYNC_STORE_SIGNIN_H

#include "core/digest.h"
#include "store/store.h"

struct store_sign_in {
    int64_t connection_id;
    uint8_t state_hash[SHA256_BYTES]; /* of the state that the CRM will give back */
    struct str redirect_uri;
    int64_t begun_ms;
    int64_t expires_ms;
};

/* Takes the place of the one that waits for the same connection. */
enum fail sign_in_put(struct tx *tx, const struct store_sign_in *sign_in,
                      struct error *err) MUST_CHECK;
enum fail sign_in_by_state(struct tx *tx, const uint8_t state_hash[SHA256_BYTES],
                           struct arena *arena, struct store_sign_in *ret, bool *ret_found,
                           struct error *err) MUST_CHECK;
/* ret_found: it was there, and nobody else can use it now. */
enum fail sign_in_remove(struct tx *tx, const uint8_t state_hash[SHA256_BYTES], bool *ret_found,
                         struct error *err) MUST_CHECK;

#endif
