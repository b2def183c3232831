/* Assertions: what is signed is what was claimed, by RS256 alone, with a key that nobody else can read. */
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/jx.h"
#include "oauth/jwt.h"

#include "tests/expect.h" /* last: cmocka's macro fail() would break declarations with enum fail */

static char folder[] = "/tmp/crmsync-jwt-XXXXXX";
static char path[64];

static const struct jwt_claims CLAIMS = {.issuer = {"3MVG9 \"app\"", 11},
                                         .subject = {"sync@acme.example", 17},
                                         .audience = {"https://login.salesforce.com", 28},
                                         .expires_s = 1790000150};

static void write_key(EVP_PKEY *key, const char *passphrase, mode_t mode)
{
    FILE *file;

    unlink(path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_256_cbc() : NULL, NULL, 0,
                                          NULL, (void *)passphrase),
                     1);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static struct str part_of(struct str *rest, struct arena *arena)
{
    struct str part;

    assert_true(base64url_decode(arena, str_cut(rest, '.'), &part));
    return part;
}

static void test_claims(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_SECRET struct secret token = {0};
    struct error err = {0};
    EVP_PKEY *key = EVP_RSA_gen(2048);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    struct str rest, text, header, body, signature;
    json_t *claims;

    (void)state;
    write_key(key, NULL, 0600);
    EXPECT(jwt_sign(path, &CLAIMS, &token, &err) == OK, "%s", err.message);
    rest = text = secret_expose(&token);
    header = part_of(&rest, &arena);
    body = part_of(&rest, &arena);
    text.len = text.len - rest.len - 1;
    signature = part_of(&rest, &arena);
    assert_null(rest.at);
    EXPECT_STR(header, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), "header");
    EXPECT(jx_parse(&arena, body, &claims, &err) == OK, "%s", err.message);
    assert_int_equal(json_object_size(claims), 4);
    EXPECT_STR(jx_text_of(jx_get(claims, "iss")), CLAIMS.issuer, "iss");
    EXPECT_STR(jx_text_of(jx_get(claims, "sub")), CLAIMS.subject, "sub");
    EXPECT_STR(jx_text_of(jx_get(claims, "aud")), CLAIMS.audience, "aud");
    assert_int_equal(json_integer_value(jx_get(claims, "exp")), CLAIMS.expires_s);
    assert_int_equal(EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(digest, (const unsigned char *)signature.at, signature.len,
                                      (const unsigned char *)text.at, text.len),
                     1);
    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(key);
}

static void expect_refused(const char *file, const char *message, const char *hint)
{
    AUTO_SECRET struct secret token = {0};
    struct error err = {0};

    assert_int_equal(jwt_sign(file, &CLAIMS, &token, &err), FAIL_CONFIG);
    EXPECT(strstr(err.message, message), "'%s' is not in '%s'", message, err.message);
    EXPECT(strstr(err.hint, hint), "'%s' is not in '%s'", hint, err.hint);
    assert_true(secret_is_empty(&token));
}

static void test_keys_that_are_not_taken(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
    char other[80];
    int fd;

    (void)state;
    write_key(key, NULL, 0640);
    expect_refused(path, "it can be read by others", "chmod 600");
    write_key(key, "passphrase", 0600);
    expect_refused(path, "protected by a passphrase", "-nocrypt");
    write_key(small, NULL, 0600);
    expect_refused(path, "not an RSA key of at least 2048 bits", "rsa:2048");
    write_key(curve, NULL, 0600);
    expect_refused(path, "not an RSA key", "rsa:2048");
    write_key(key, NULL, 0600);
    snprintf(other, sizeof other, "%s/link", folder);
    assert_int_equal(symlink(path, other), 0);
    expect_refused(other, "it is a symbolic link", "check the path");
    unlink(other);
    expect_refused(other, "No such file", "check the path");
    expect_refused(folder, "it is not a regular file", "");
    fd = open(other, O_WRONLY | O_CREAT | O_EXCL, 0600);
    expect_refused(other, "it is empty", "");
    assert_int_equal(write(fd, "-----BEGIN CERTIFICATE-----\n", 28), 28);
    expect_refused(other, "no private key in PEM form", "BEGIN PRIVATE KEY");
    assert_int_equal(ftruncate(fd, 17 * 1024), 0);
    expect_refused(other, "it is too large", "");
    close(fd);
    unlink(other);
    EVP_PKEY_free(key);
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_keys_that_are_not_taken),
    };
    int failed;

    if (!mkdtemp(folder)) {
        return 1;
    }
    snprintf(path, sizeof path, "%s/key.pem", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
