#include "core/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void sha256(struct str data, uint8_t ret[SHA256_BYTES])
{
    SHA256((const unsigned char *)(data.at ? data.at : ""), data.len, ret);
}

void hmac_sha256(struct str key, struct str data, uint8_t ret[SHA256_BYTES])
{
    unsigned int len = SHA256_BYTES;
    const unsigned char *done =
        HMAC(EVP_sha256(), key.at ? key.at : "", (int)key.len,
             (const unsigned char *)(data.at ? data.at : ""), data.len, ret, &len);

    assert(done && len == SHA256_BYTES);
}

struct digest digest_of(struct str data)
{
    uint8_t whole[SHA256_BYTES];
    struct digest digest;

    sha256(data, whole);
    memcpy(digest.bytes, whole, DIGEST_BYTES);
    return digest;
}

bool digest_equal(const struct digest *x, const struct digest *y)
{
    return memcmp(x->bytes, y->bytes, DIGEST_BYTES) == 0;
}

void hex_encode(const uint8_t *bytes, size_t count, char *ret)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        ret[2 * i] = DIGITS[bytes[i] >> 4];
        ret[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    ret[2 * count] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(struct str text, uint8_t *ret, size_t count)
{
    if (text.len != 2 * count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
