#include "oauth/jwt.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/jx.h"
#include "core/private_file.h"

/* A key with a passphrase would stop a service that nobody watches. */
static int refuse_passphrase(char *at, int bytes_max, int is_writing, void *context)
{
    (void)at;
    (void)bytes_max;
    (void)is_writing;
    *(bool *)context = true;
    return -1;
}

static enum fail fail_key(const char *key_file, const char *why, struct error *err)
{
    return error_set(err, FAIL_CONFIG, "cannot use private key file '%s': %s", key_file, why);
}

static enum fail parse_key(const char *key_file, struct str pem, EVP_PKEY **ret, struct error *err)
{
    bool is_encrypted = false;
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &is_encrypted) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    if (is_encrypted) {
        fail_key(key_file, "it is protected by a passphrase", err);
        return error_hint(err, "write it without one: openssl pkcs8 -topk8 -nocrypt -in %s",
                          key_file);
    }
    if (!key) {
        fail_key(key_file, "it holds no private key in PEM form", err);
        return error_hint(err, "it must begin with -----BEGIN PRIVATE KEY-----");
    }
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < JWT_RSA_BITS_MIN) {
        EVP_PKEY_free(key);
        fail_key(key_file, "it is not an RSA key of at least 2048 bits", err);
        return error_hint(err, "make one: openssl req -x509 -newkey rsa:2048 -nodes -days 730 "
                               "-keyout key.pem -out certificate.pem");
    }
    *ret = key;
    return OK;
}

static enum fail load_key(const char *key_file, EVP_PKEY **ret, struct error *err)
{
    AUTO_SECRET struct secret pem = {0};

    if (private_file_read(key_file, "private key file", &pem, err) != OK) {
        return err->code;
    }
    return parse_key(key_file, secret_expose(&pem), ret, err);
}

/* OpenSSL fails here only when it is broken or out of memory: neither leaves anything to go on with. */
static void must(int is_done)
{
    if (is_done != 1) {
        abort();
    }
}

static struct str signature_of(EVP_PKEY *key, struct str text, struct arena *arena)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *at = arena_alloc(arena, len, 1);

    must(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key)); /* RSA: PKCS#1 v1.5 */
    must(EVP_DigestSign(digest, at, &len, (const unsigned char *)text.at, text.len));
    EVP_MD_CTX_free(digest);
    return base64url_encode(arena, at, len);
}

static struct str signed_part(struct arena *arena, const struct jwt_claims *claims)
{
    json_t *body = jx_own(arena, json_object());
    struct str header = STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    struct str text;

    json_object_set_new(body, "iss", json_stringn(claims->issuer.at, claims->issuer.len));
    json_object_set_new(body, "sub", json_stringn(claims->subject.at, claims->subject.len));
    json_object_set_new(body, "aud", json_stringn(claims->audience.at, claims->audience.len));
    json_object_set_new(body, "exp", json_integer(claims->expires_s));
    text = jx_text(arena, body);
    header = base64url_encode(arena, header.at, header.len);
    text = base64url_encode(arena, text.at, text.len);
    return arena_printf(arena, "%" PRI_STR ".%" PRI_STR, STR_ARG(header), STR_ARG(text));
}

enum fail jwt_sign(const char *key_file, const struct jwt_claims *claims, struct secret *ret,
                   struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    EVP_PKEY *key;
    struct str text, whole;

    if (load_key(key_file, &key, err) != OK) {
        return err->code;
    }
    text = signed_part(&arena, claims);
    whole = arena_printf(&arena, "%" PRI_STR ".%" PRI_STR, STR_ARG(text),
                         STR_ARG(signature_of(key, text, &arena)));
    EVP_PKEY_free(key);
    secret_set(ret, whole);
    OPENSSL_cleanse((char *)whole.at, whole.len);
    return OK;
}
