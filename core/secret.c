#include "core/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "core/alloc.h"

void secret_set(struct secret *secret, struct str text)
{
    char *bytes = alloc_new(text.len + 1, 1); /* copied first: text may point into the old secret */

    if (text.len) {
        memcpy(bytes, text.at, text.len);
    }
    secret_fini(secret);
    secret->bytes = bytes;
    secret->len = text.len;
}

void secret_fini(struct secret *secret)
{
    if (secret->bytes) {
        OPENSSL_cleanse(secret->bytes, secret->len + 1);
        free(secret->bytes);
    }
    *secret = (struct secret){0};
}

bool secret_is_empty(const struct secret *secret)
{
    return secret->len == 0;
}

bool secret_equal(const struct secret *x, const struct secret *y)
{
    return x->len == y->len && (x->len == 0 || CRYPTO_memcmp(x->bytes, y->bytes, x->len) == 0);
}

struct str secret_expose(const struct secret *secret)
{
    return (struct str){.at = secret->bytes ? secret->bytes : "", .len = secret->len};
}
