/* Assertions of RFC 7523, signed with RS256: the key was registered through /__sim/oauth. */
#include "simulators/oauth.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base64.h"
#include "core/jx.h"

/* How far ahead exp may lie. Sources say 3 and 5 minutes; the wider one. */
static const int64_t AHEAD_MAX_S = 5 * 60;
enum { ASSERTION_PARTS = 3 };

struct assertion {
    struct str signed_text, signature;
    json_t *header, *claims;
};

/* A public key, or the certificate that holds it. */
static EVP_PKEY *key_read(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    X509 *certificate = NULL;

    if (!key) {
        (void)BIO_reset(bio);
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        key = certificate ? X509_get_pubkey(certificate) : NULL;
        X509_free(certificate);
    }
    BIO_free(bio);
    return key;
}

bool sim_jwt_key_is_readable(struct str pem)
{
    EVP_PKEY *key = key_read(pem);
    bool is_rsa = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;

    EVP_PKEY_free(key);
    return is_rsa;
}

static bool signature_is_right(const struct assertion *assertion, struct str pem)
{
    EVP_PKEY *key = key_read(pem);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_right =
        key && context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(context, (const unsigned char *)assertion->signature.at,
                         assertion->signature.len, (const unsigned char *)assertion->signed_text.at,
                         assertion->signed_text.len) == 1;

    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return is_right;
}

static bool part_read(struct sim_call *call, struct str part, json_t **ret)
{
    struct error err = {0};
    struct str text;

    return base64url_decode(call->arena, part, &text) &&
           jx_parse(call->arena, text, ret, &err) == OK && json_is_object(*ret);
}

static bool assertion_read(struct sim_call *call, struct str text, struct assertion *ret)
{
    struct str parts[ASSERTION_PARTS], rest = text;

    for (size_t i = 0; i < ASSERTION_PARTS; i++) {
        parts[i] = str_cut(&rest, '.');
        if (!parts[i].len) {
            return false;
        }
    }
    ret->signed_text = str_slice(text, 0, parts[0].len + 1 + parts[1].len);
    return !rest.at && part_read(call, parts[0], &ret->header) &&
           part_read(call, parts[1], &ret->claims) &&
           base64url_decode(call->arena, parts[2], &ret->signature);
}

static struct str claim(const struct assertion *assertion, const char *name)
{
    return jx_text_of(jx_get(assertion->claims, name));
}

/* The general sign-in host, or the address that was called itself. Source: remoteaccess_oauth_jwt_flow. */
static bool audience_is_right(struct sim_call *call, struct str audience)
{
    const char *general = call->sim->oauth->spec->jwt_audience;

    return (general && str_equal(audience, str_of(general))) ||
           str_equal(audience, sim_origin(call));
}

static bool time_is_right(const struct sim_call *call, const struct assertion *assertion)
{
    struct error err = {0};
    int64_t expires_s = 0;

    return jx_i64(assertion->claims, "exp", &expires_s, &err) == OK &&
           expires_s * 1000 > call->now_ms && expires_s <= call->now_ms / 1000 + AHEAD_MAX_S;
}

bool sim_jwt_check(struct sim_call *call, struct str text, struct str *ret_user,
                   enum sim_oauth_trouble *ret_trouble)
{
    const struct sim_oauth *oauth = call->sim->oauth;
    struct assertion assertion = {0};
    struct str user, key;

    *ret_trouble = SIM_OAUTH_BAD_ASSERTION;
    if (!text.len || !assertion_read(call, text, &assertion) ||
        !str_equal(jx_text_of(jx_get(assertion.header, "alg")), STR("RS256"))) {
        return false;
    }
    if (!str_equal(claim(&assertion, "iss"), str_of(oauth->client_id))) {
        *ret_trouble = SIM_OAUTH_UNKNOWN_CLIENT;
        return false;
    }
    if (!audience_is_right(call, claim(&assertion, "aud"))) {
        *ret_trouble = SIM_OAUTH_BAD_AUDIENCE;
        return false;
    }
    user = claim(&assertion, "sub");
    key = user.len ? jx_text_of(json_object_getn(oauth->jwt_users, user.at, user.len)) : STR_NONE;
    if (!key.len) {
        *ret_trouble = SIM_OAUTH_NOT_APPROVED;
        return false;
    }
    *ret_user = user;
    return time_is_right(call, &assertion) && signature_is_right(&assertion, key);
}
