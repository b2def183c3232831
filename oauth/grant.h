/* Requests to a CRM's sign-in server, and what its answers mean (RFC 6749, 7009, 7523, 7636). Nothing is kept here, and nothing is repeated but what is
 * said below: oauth/keeper.h does that.
 *
 * Failures of all: FAIL_AUTH (a person has to sign in: the grant is gone), FAIL_CONFIG (what stands in the configuration is refused: client id or
 * secret, address, redirect, key), FAIL_CONNECTION (what the CRM's administrator must change, or an answer that must not be trusted),
 * FAIL_RETRY and FAIL_THROTTLED (the server could not say: nobody is signed out by that; is_outcome_unknown when the exchange may have been made),
 * FAIL_CANCELLED. Messages name neither tokens nor secrets. */
#ifndef CRMSYNC_OAUTH_GRANT_H
#define CRMSYNC_OAUTH_GRANT_H

#include "core/arena.h"
#include "core/env.h"
#include "core/secret.h"
#include "http/client.h"
#include "oauth/provider.h"

enum { GRANT_TOKEN_BYTES_MAX = 16 * 1024 };

/* As whom and where one connection signs in. Borrowed for as long as it is used. */
struct oauth_client {
    const struct oauth_provider *provider;
    enum oauth_grant grant;
    struct str connection; /* its name, for messages */
    struct str client_id;
    const struct secret *client_secret; /* empty with OAUTH_JWT_BEARER */
    struct str login_origin;            /* scheme://host[:port]; "" = the provider's */
    struct str redirect_uri;            /* OAUTH_AUTHORIZATION_CODE */
    struct str scopes;                  /* "" = the provider's */
    struct str username;                /* OAUTH_JWT_BEARER: whom the app acts as */
    const char *private_key_file;       /* OAUTH_JWT_BEARER */
};

/* What a token answer said. Zeroed is empty; texts belong to arena. */
struct oauth_tokens {
    struct arena arena;
    struct secret access;
    struct secret refresh; /* empty: the grant has none */
    int64_t expires_ms;    /* by our clock; 0: not said */
    int64_t received_ms;   /* by our clock */
    struct str origin;     /* of the API; "" = not said */
    struct str account;    /* "" = not said */
    struct str scopes;     /* separated by blanks; "" = not said */
};
void oauth_tokens_fini(struct oauth_tokens *tokens); /* wipes; accepts zeroed */
#define AUTO_TOKENS __attribute__((cleanup(oauth_tokens_fini)))

struct grant {
    struct env *env;
    struct http_client *http;
    const struct oauth_client *client;
    /* The server's clock minus ours, as far as known; corrected by the Date of every answer. */
    int64_t clock_offset_ms;
};

/* All fill an empty *ret, and only on success. */

/* Exchanges the code of a sign-in. verifier empty: none was promised. */
enum fail grant_code(struct grant *grant, struct str code, const struct secret *verifier,
                     struct oauth_tokens *ret, struct error *err) MUST_CHECK;
/* Renews by the refresh token of old. What the answer leaves out (refresh token, origin, account, scopes) stays as it was. When nobody knows whether the
 * exchange was made, it is tried once more with the same token: where tokens do not rotate that heals it, and where they do nothing is left to lose.
 * The origin is not checked here, so that a rotated token is kept in any case: whoever uses it does. */
enum fail grant_refresh(struct grant *grant, const struct oauth_tokens *old,
                        struct oauth_tokens *ret, struct error *err) MUST_CHECK;
/* OAUTH_CLIENT_CREDENTIALS and OAUTH_JWT_BEARER: the app asks for itself. Repeated once after an unknown outcome, and once with the server's time
 * when an assertion was refused and our clock is found to be wrong. */
enum fail grant_app(struct grant *grant, struct oauth_tokens *ret, struct error *err) MUST_CHECK;
/* Ends what the token opens. OK as well where the CRM has no such call (*ret_done false). */
enum fail grant_revoke(struct grant *grant, const struct oauth_tokens *tokens, bool *ret_done,
                       struct error *err) MUST_CHECK;

/* FAIL_CONNECTION when the CRM named an API host that is not on the allow-list, or no plain scheme and host. "" is fine. */
enum fail grant_origin_check(const struct grant *grant, struct str origin,
                             struct error *err) MUST_CHECK;
/* Both of one connection: the same account. "" is not said and is equal to all. */
bool grant_account_equal(const struct oauth_provider *provider, struct str x, struct str y);

/* "authorization-code", "client-credentials", "jwt-bearer": as in the configuration. */
const char *grant_name(enum oauth_grant grant);
struct str grant_authorize_origin(const struct oauth_client *client);
struct str grant_token_origin(const struct oauth_client *client);
struct str grant_scopes(const struct oauth_client *client);

#endif
