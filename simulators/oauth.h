/* The sign-in of a simulated CRM: one registered app, people who consent at once, codes, access and refresh tokens that live by the simulator's own
 * clock. Neutral; what is different at each CRM stands in a struct sim_oauth_spec. Everything runs under the simulator's mutex. */
#ifndef CRMSYNC_SIMULATORS_OAUTH_H
#define CRMSYNC_SIMULATORS_OAUTH_H

#include "simulators/inside.h"

enum sim_grant_type { SIM_BY_CODE, SIM_BY_REFRESH, SIM_BY_CLIENT, SIM_BY_JWT, SIM_GRANT_TYPES };

/* Why a call of the token endpoint (or of its neighbours) is refused. */
enum sim_oauth_trouble {
    SIM_OAUTH_NOT_A_FORM,
    SIM_OAUTH_NO_GRANT_TYPE,
    SIM_OAUTH_UNKNOWN_GRANT_TYPE,
    SIM_OAUTH_NO_CLIENT,
    SIM_OAUTH_UNKNOWN_CLIENT,
    SIM_OAUTH_WRONG_SECRET,
    SIM_OAUTH_UNKNOWN_CODE,
    SIM_OAUTH_EXPIRED_CODE,
    SIM_OAUTH_OTHER_REDIRECT,
    SIM_OAUTH_WRONG_VERIFIER, /* or none, although a challenge was sent */
    SIM_OAUTH_DEAD_REFRESH,
    SIM_OAUTH_WRONG_HOST,    /* client credentials at the general sign-in host */
    SIM_OAUTH_NO_RUN_AS,     /* client credentials without a user to run as */
    SIM_OAUTH_BAD_ASSERTION, /* unreadable, forged, or its time is not now */
    SIM_OAUTH_BAD_AUDIENCE,
    SIM_OAUTH_NOT_APPROVED, /* the user of an assertion has not let the app in */
    SIM_OAUTH_DEAD_TOKEN,   /* revoke */
    SIM_OAUTH_WRONG_SCOPE,  /* client credentials: the app has not got one that is asked for */
    SIM_OAUTH_TROUBLES
};

struct sim_oauth_words {
    int status;
    const char *error; /* of RFC 6749, or the CRM's own */
    const char *text;
    const char *code; /* the CRM's own beside it; NULL none */
};

enum sim_token_kind { SIM_CODE, SIM_ACCESS, SIM_REFRESH };

/* What one person (or the app itself) let the app do. Ends with all its tokens. */
struct sim_consent {
    struct str account; /* portal, company, organization: as the CRM writes it */
    struct str scope;   /* separated by blanks */
    enum sim_grant_type by;
    bool is_ended;
};

struct sim_token {
    enum sim_token_kind kind;
    struct str text;
    struct sim_consent *consent;
    int64_t issued_ms, used_ms;
    int64_t expires_ms;                 /* INT64_MAX = never by itself */
    bool is_ended;                      /* revoked, or a code that was exchanged */
    bool is_rotated;                    /* a refresh token that another one has replaced */
    struct str redirect_uri, challenge; /* codes; challenge STR_NONE = none was sent */
};

/* One successful exchange. */
struct sim_exchange {
    const struct sim_token *access;
    const struct sim_token *refresh; /* to be told to the client; NULL = not told */
    enum sim_grant_type by;
};

struct sim_oauth;

/* Facts of one CRM. */
struct sim_oauth_spec {
    const char *client_id, *client_secret;
    const char *username, *password; /* of the older way to sign in; NULL = there is none */
    const char *jwt_audience;        /* beside the called address itself; NULL none */
    const char *scope;               /* granted when none are asked for, separated by blanks */
    bool takes_scope;           /* of the authorize request; otherwise the app's own are granted */
    const char *app_scope;      /* that client credentials may ask for; NULL = they ask for none */
    const char *denied;         /* error of a refused consent */
    unsigned grants;            /* 1u << enum sim_grant_type */
    bool needs_response_type;   /* response_type=code */
    bool takes_basic;           /* client id and secret as Basic authorization */
    bool takes_query;           /* parameters of the token call may stand in the query */
    bool refresh_is_by_scope;   /* only with the scope refresh_token (or offline_access) */
    bool ends_all_with_refresh; /* a revoked refresh token takes its access tokens along */
    bool tells_refresh_again;   /* the answer to a refresh repeats the refresh token */
    int refresh_tokens_max;     /* live ones of one account; the oldest ends. 0 = any number */
    int64_t code_ms, access_ms; /* lifetimes; access_ms 0 = none of its own */
    int64_t idle_ms;            /* an access token ends when it is not used so long; 0 = never */
    int64_t refresh_ms;         /* sliding lifetime of refresh tokens; 0 = none */
    bool account_is_number;
    /* SIM_OAUTH_DEAD_TOKEN with status 0: revoking an unknown token succeeds (RFC 7009) */
    struct sim_oauth_words words[SIM_OAUTH_TROUBLES];
    /* Adds the text of a new token, without blanks. */
    void (*write)(struct sim_oauth *oauth, enum sim_token_kind kind,
                  const struct sim_consent *consent, struct buf *ret);
    void (*answer)(struct sim_call *call, const struct sim_exchange *exchange);
    void (*refuse)(struct sim_call *call, const struct sim_oauth_words *words);
    /* May client credentials be used at the host that was called? NULL = anywhere. */
    bool (*is_own_host)(const struct sim_call *call);
};

struct sim_oauth {
    const struct sim_oauth_spec *spec;
    struct arena arena;              /* texts, tokens, consents: as long as the simulator */
    struct random *random;           /* owned */
    char *client_id, *client_secret; /* owned */
    json_t *redirect_uris;           /* owned: texts */
    json_t *by_text;                 /* owned: token → its index */
    struct sim_token **tokens;       /* owned array */
    size_t tokens_count, tokens_capacity;
    const char *own_account; /* in arena */
    struct str account;      /* of the next sign-in */
    struct str origin;       /* told as base of the API calls; STR_NONE = the simulator itself */
    int64_t code_ms, access_ms, refresh_ms;
    bool rotates, needs_challenge, denies_next, has_run_as;
    enum http_fault next_fault; /* of the next exchange, after it was done */
    json_t *jwt_users;          /* owned: user → public key in PEM */
    int64_t exchanges[SIM_GRANT_TYPES], refused;
};

/* account: the simulator's own. */
struct sim_oauth *sim_oauth_new(const struct sim_oauth_spec *spec, uint64_t seed,
                                const char *account);
void sim_oauth_free(struct sim_oauth *oauth); /* accepts NULL */

/* --- endpoints ------------------------------------------------------------------------------ */

/* GET: consents at once and redirects. An unknown client or redirect URI is told to the person, not redirected. */
void sim_oauth_authorize(struct sim_call *call);
void sim_oauth_token(struct sim_call *call);
/* POST: ends the token named in the form. False: refused (answered). */
bool sim_oauth_revoke(struct sim_call *call);
/* GET and POST /__sim/oauth; see simulator.h. body NULL for GET. FAIL_RECORD says which member is wrong. */
void sim_oauth_show(struct sim_call *call);
enum fail sim_oauth_order(struct sim_call *call, const json_t *body, struct error *err);

/* --- for the CRMs --------------------------------------------------------------------------- */

/* The token of that text, or NULL. Also dead ones. */
struct sim_token *sim_oauth_find(struct sim_oauth *oauth, enum sim_token_kind kind,
                                 struct str text);
bool sim_token_is_live(const struct sim_oauth *oauth, const struct sim_token *token,
                       int64_t now_ms);
/* When it ended or will end by itself; INT64_MAX never. */
int64_t sim_token_end_ms(const struct sim_oauth *oauth, const struct sim_token *token);
/* Is the text an access token? *ret is it, dead or alive; a live one counts as used. */
bool sim_oauth_caller(struct sim_call *call, struct str text, struct sim_token **ret);
/* A session that did not come from the token endpoint: signing in by user name and password. */
const struct sim_token *sim_oauth_issue_session(struct sim_call *call, const char *scope);
/* A consent of the account that signs in next; tokens of it. */
struct sim_consent *sim_oauth_consent(struct sim_oauth *oauth, enum sim_grant_type by,
                                      struct str scope);
struct sim_token *sim_oauth_issue(struct sim_oauth *oauth, enum sim_token_kind kind,
                                  struct sim_consent *consent, int64_t now_ms);
void sim_token_end(struct sim_oauth *oauth, struct sim_token *token);
bool sim_consent_has(const struct sim_consent *consent, struct str scope);
/* Client id and secret of the form or of Basic authorization are right; false after answering. */
bool sim_oauth_client_is_known(struct sim_call *call);
void sim_oauth_refuse(struct sim_call *call, enum sim_oauth_trouble trouble);
/* Member of a form body, or of the query where the CRM allows it. STR_NONE when absent. */
struct str sim_form(struct sim_call *call, const char *name);
/* The address that the caller used, "http://127.0.0.1:8103"; https for anything but loopback. Arena of the call. */
struct str sim_origin(struct sim_call *call);
/* What is told as base of the API calls: the address set through /__sim/oauth, else the caller's own on loopback, else elsewhere. */
struct str sim_told_origin(struct sim_call *call, const char *elsewhere);
/* Seconds that an access token has left now. */
int64_t sim_token_left_s(const struct sim_call *call, const struct sim_token *token);
/* count characters of [0-9A-Za-z]. */
void sim_oauth_random_text(struct sim_oauth *oauth, struct buf *ret, size_t count);

/* oauth_jwt.c: checks an assertion of RFC 7523 with RS256. True: *ret_user is its subject, in the call's arena. False: *ret_trouble. */
bool sim_jwt_check(struct sim_call *call, struct str assertion, struct str *ret_user,
                   enum sim_oauth_trouble *ret_trouble);
/* An RSA public key, or a certificate with one, in PEM. */
bool sim_jwt_key_is_readable(struct str pem);

#endif
