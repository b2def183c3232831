/* Signing in and out, for whoever has a person or an app before it: the command line, and the service.
 *
 * A person's sign-in has two halves. signin_begin() gives the address where the person consents; the CRM then sends the browser to the redirect address
 * with a code, which goes to signin_finish(). In between only the SHA-256 of the state is kept, and the PKCE verifier, sealed; both are good for ten minutes
 * and for one use, for this tenant, connection and redirect address. */
#ifndef CRMSYNC_OAUTH_SIGNIN_H
#define CRMSYNC_OAUTH_SIGNIN_H

#include "oauth/keeper.h"

enum { SIGNIN_LIFE_MS = 10 * 60 * 1000 };

/* Asks the CRM whose account a credential opens. Texts are the arena's. */
struct signin_account {
    struct str id, title;
};
typedef enum fail signin_identify_fn(void *context, struct http_auth *auth, struct arena *arena,
                                     struct signin_account *ret, struct error *err);

/* The address for the person's browser. A sign-in of the same connection that still waits ends. */
enum fail signin_begin(const struct oauth_connection *connection, struct arena *arena,
                       struct str *ret_url, struct error *err) MUST_CHECK;

/* What the CRM's redirect said, decoded; STR_NONE for what was not there. */
struct signin_answer {
    struct str state, code;
    struct str error,
        error_description; /* instead of the code: the person said no, or the app is not allowed */
};
/* FAIL_STALE: not the answer to a sign-in that waits (wrong, used or too old state): nothing was sent to the CRM, and one that waits goes on waiting.
 * FAIL_AUTH: refused at the CRM, by the person (the state stays good) or because the code is no good (it is used up: begin anew).
 * FAIL_CONNECTION: another account than the one that the connection is linked to: its token is revoked and not kept. Others as oauth/grant.h.
 * On success the token is kept and the connection is active. */
enum fail signin_finish(const struct oauth_connection *connection,
                        const struct signin_answer *answer, signin_identify_fn *identify,
                        void *context, struct arena *arena, struct signin_account *ret,
                        struct error *err) MUST_CHECK;
/* OAUTH_CLIENT_CREDENTIALS and OAUTH_JWT_BEARER: nobody is asked. Failures as signin_finish(). */
enum fail signin_app(const struct oauth_connection *connection, signin_identify_fn *identify,
                     void *context, struct arena *arena, struct signin_account *ret,
                     struct error *err) MUST_CHECK;

struct signin_end {
    bool was_signed_in;
    bool is_revoked;  /* at the CRM as well */
    struct error why; /* not revoked although the CRM can: what it said */
};
/* Revokes the token at the CRM, as far as that can be reached, and forgets it in any case. Records and links stay. */
enum fail signin_end(const struct oauth_connection *connection, struct signin_end *ret,
                     struct error *err) MUST_CHECK;

#endif
