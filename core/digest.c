#include "core/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>

/* Looking an algorithm up by its name costs more than hashing a short text: it is done once, and kept until the process ends. */
static EVP_MD *hash;
static EVP_MAC_CTX *keyless; /* HMAC with its hash, before the key: each use begins with a copy */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    char name[] = "SHA256";
    const OSSL_PARAM wanted[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    int is_set;

    hash = EVP_MD_fetch(NULL, "SHA256", NULL);
    keyless = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds it */
    /* GCOVR_EXCL_BR_START: OpenSSL fails only when it is broken or out of memory */
    is_set = keyless && EVP_MAC_CTX_set_params(keyless, wanted) == 1;
    assert(hash && is_set);
    /* GCOVR_EXCL_BR_STOP */
}

static const unsigned char *bytes_of(struct str text)
{
    return (const unsigned char *)(text.at ? text.at : "");
}

void sha256(struct str data, uint8_t ret[SHA256_BYTES])
{
    int done;

    pthread_once(&fetched, fetch);
    done = EVP_Digest(bytes_of(data), data.len, ret, NULL, hash, NULL);
    assert(done == 1);
}

/* Pieces of a file into the digest; false: it cannot be read. */
static bool digest_pieces(FILE *file, EVP_MD_CTX *context, int64_t *ret_bytes)
{
    unsigned char piece[64 * 1024];
    size_t count;

    *ret_bytes = 0;
    while ((count = fread(piece, 1, sizeof piece, file)) > 0) {
        if (EVP_DigestUpdate(context, piece, count) != 1) {
            return false;
        }
        *ret_bytes += (int64_t)count;
    }
    return ferror(file) == 0;
}

enum fail sha256_file(const char *path, uint8_t ret[SHA256_BYTES], int64_t *ret_bytes,
                      struct error *err)
{
    FILE *file = fopen(path, "re");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_done = file && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                   digest_pieces(file, context, ret_bytes) &&
                   EVP_DigestFinal_ex(context, ret, NULL) == 1;
    int cause = errno;

    EVP_MD_CTX_free(context);
    if (file) {
        fclose(file);
    }
    if (is_done) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "cannot read '%s': %s", path, strerror(cause));
    return error_hint(err, "check the path and its permissions");
}

void hmac_sha256(struct str key, struct str data, uint8_t ret[SHA256_BYTES])
{
    EVP_MAC_CTX *context;
    size_t len;
    int done;

    pthread_once(&fetched, fetch);
    context = EVP_MAC_CTX_dup(keyless);
    /* GCOVR_EXCL_BR_START: OpenSSL fails only when it is broken or out of memory */
    done = context && EVP_MAC_init(context, bytes_of(key), key.len, NULL) == 1 &&
           EVP_MAC_update(context, bytes_of(data), data.len) == 1 &&
           EVP_MAC_final(context, ret, &len, SHA256_BYTES) == 1;
    /* GCOVR_EXCL_BR_STOP */
    EVP_MAC_CTX_free(context);
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
