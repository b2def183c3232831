/* SHA-256 and HMAC-SHA256 over OpenSSL, and the short digest that recognises an unchanged remote record. */
#ifndef CRMSYNC_CORE_DIGEST_H
#define CRMSYNC_CORE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fail.h"
#include "core/str.h"

enum { SHA256_BYTES = 32, DIGEST_BYTES = 16 };

/* The first 16 bytes of SHA-256: for equality of content, not for authenticity. */
struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

void sha256(struct str data, uint8_t ret[SHA256_BYTES]);
/* Of a whole file, piece by piece. FAIL_CONFIG: it cannot be read. */
enum fail sha256_file(const char *path, uint8_t ret[SHA256_BYTES], int64_t *ret_bytes,
                      struct error *err) MUST_CHECK;
void hmac_sha256(struct str key, struct str data, uint8_t ret[SHA256_BYTES]);
struct digest digest_of(struct str data);
bool digest_equal(const struct digest *x, const struct digest *y);
/* 2*count+1 bytes with NUL, lower case */
void hex_encode(const uint8_t *bytes, size_t count, char *ret);
bool hex_decode(struct str text, uint8_t *ret, size_t count); /* exactly count bytes */

#endif
