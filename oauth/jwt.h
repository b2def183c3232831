/* The assertion by which an app proves itself with its private key: a JSON Web Token signed with RS256
 * (RFC 7523; RFC 7518 3.3: RSASSA-PKCS1-v1_5 with SHA-256). */
#ifndef CRMSYNC_OAUTH_JWT_H
#define CRMSYNC_OAUTH_JWT_H

#include <stdint.h>

#include "core/fail.h"
#include "core/secret.h"

enum { JWT_RSA_BITS_MIN = 2048 };

struct jwt_claims {
    struct str issuer;   /* iss: the app's client id */
    struct str subject;  /* sub: who the app acts as */
    struct str audience; /* aud: the sign-in server */
    int64_t expires_s;   /* exp: seconds since 1970, by the server's clock */
};

/* key_file: PEM (PKCS#8 or PKCS#1), unencrypted, private to its owner (core/private_file.h), RSA of at least JWT_RSA_BITS_MIN bits. FAIL_CONFIG otherwise,
 * saying which. The result is a credential for the life of the claims. */
enum fail jwt_sign(const char *key_file, const struct jwt_claims *claims, struct secret *ret,
                   struct error *err) MUST_CHECK;

#endif
