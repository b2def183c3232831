/* Where the credential of a session comes from when it is not a fixed token. http_exec() asks before every attempt and, when the server refused the
 * credential (401), asks once more for a newer one and repeats that call once: a refused credential means that nothing was applied. */
#ifndef CRMSYNC_HTTP_AUTH_H
#define CRMSYNC_HTTP_AUTH_H

#include <stdint.h>

#include "core/fail.h"
#include "core/secret.h"

enum { HTTP_ORIGIN_BYTES = 256 };

/* A credential at one moment. Zeroed is empty; wiped by http_credential_fini(). */
struct http_credential {
    struct secret header; /* value of Authorization: "Bearer …" */
    int64_t generation;   /* rises with each new token */
    /* scheme and host that this token is for, as the CRM last said; replaces those of the request.
     * "" = as the request has them. Checked against the allow-list like every other host */
    char origin[HTTP_ORIGIN_BYTES];
};
void http_credential_fini(struct http_credential *credential);

/* First member of whatever keeps tokens. */
struct http_auth {
    /* refused_generation 0: the credential in force, renewed beforehand when it is about to expire. Otherwise: the server refused that one; get a newer
     * one or fail. FAIL_AUTH: a person has to sign in; FAIL_RETRY, FAIL_THROTTLED: the sign-in server could not be asked now. Blocking; any thread. */
    enum fail (*get)(struct http_auth *auth, int64_t refused_generation,
                     struct http_credential *ret, struct error *err);
};

#endif
