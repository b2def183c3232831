/* What an adapter says about signing in at its CRM: data only. oauth/ does the rest. */
#ifndef CRMSYNC_OAUTH_PROVIDER_H
#define CRMSYNC_OAUTH_PROVIDER_H

#include <stdbool.h>

enum oauth_grant {
    OAUTH_AUTHORIZATION_CODE, /* a person consents in the browser; refresh tokens afterwards */
    OAUTH_CLIENT_CREDENTIALS, /* the app itself, as the user its administrator chose */
    OAUTH_JWT_BEARER,         /* the app proves itself with its private key (RS256) */
};

/* Where the account that a token opens is named in the token answer. */
enum oauth_account {
    OAUTH_ACCOUNT_UNSAID,   /* not there: the adapter's check() tells */
    OAUTH_ACCOUNT_HUB_ID,   /* "hub_id": a number */
    OAUTH_ACCOUNT_IDENTITY, /* "id": a URL that ends in /organisation/user */
};

struct oauth_provider {
    /* scheme and host of the consent page and of the token endpoint; a connection's login_url replaces both */
    const char *authorize_origin, *token_origin;
    const char *authorize_path, *token_path;
    const char *revoke_path; /* POST with token=…; NULL: there is no such call */
    bool
        revoke_ends_app; /* with a refresh token: of all that the app has for that account, not of this token alone */
    unsigned grants;       /* 1u << enum oauth_grant */
    bool has_pkce;         /* takes code_challenge (S256) and code_verifier */
    bool client_in_header; /* client id and secret as Basic authorization instead of in the body */
    bool
        needs_own_host; /* client credentials only at the customer's own host: login_url must be set */
    const char *default_scopes; /* separated by blanks; "" = none are asked for */
    const char
        *origin_member; /* of the token answer: base of the API calls ("instance_url"); NULL none */
    enum oauth_account account;
    bool is_signed;           /* the answer carries "signature" over "id" and "issued_at" */
    const char *jwt_audience; /* OAUTH_JWT_BEARER: aud; NULL = the login origin */
    /* A token of the app itself beside the person's, by client credentials, for calls that only the app may make; NULL: there are none */
    const char *app_token_path;
    const char *app_scopes; /* separated by blanks */
    /* of the sign-in's scopes those that begin so are asked for as well, but for the writing ones; separated by blanks */
    const char *app_object_scopes;
};

#endif
