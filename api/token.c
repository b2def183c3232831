#include "api/token.h"

#include "core/base64.h"

void api_token_make(struct random *random, struct secret *ret, uint8_t ret_hash[SHA256_BYTES])
{
    struct arena arena = {0};
    unsigned char bytes[API_TOKEN_RANDOM_BYTES];

    random_bytes(random, bytes, sizeof bytes);
    secret_set(ret, arena_printf(&arena, API_TOKEN_PREFIX "%" PRI_STR,
                                 STR_ARG(base64url_encode(&arena, bytes, sizeof bytes))));
    sha256(secret_expose(ret), ret_hash);
    explicit_bzero(bytes, sizeof bytes);
    arena_wipe(&arena);
    arena_fini(&arena);
}

bool api_token_hash(struct str text, uint8_t ret[SHA256_BYTES])
{
    if (text.len != API_TOKEN_BYTES || !str_starts(text, STR(API_TOKEN_PREFIX))) {
        return false;
    }
    sha256(text, ret);
    return true;
}
