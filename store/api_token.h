/* Tokens of the HTTP API: who may ask what, of which tenant. Only the SHA-256 of a token is kept. */
#ifndef CRMSYNC_STORE_API_TOKEN_H
#define CRMSYNC_STORE_API_TOKEN_H

#include "core/digest.h"
#include "store/store.h"

/* Each may do what the ones before it may. */
enum api_role {
    ROLE_NONE,     /* no token */
    ROLE_VIEWER,   /* reads */
    ROLE_OPERATOR, /* syncs, edits, decides */
    ROLE_ADMIN,    /* connections and sign-ins as well */
};

enum { API_TOKEN_NAME_BYTES_MAX = 64, API_TOKEN_USED_STEP_MS = 60 * 1000 };

struct store_api_token {
    int64_t id;
    int64_t tenant_id;
    bool is_for_all; /* every tenant's; the row belongs to the default tenant */
    uint8_t hash[SHA256_BYTES];
    struct str name;
    enum api_role role;
    int64_t created_ms;
    int64_t expires_ms; /* 0 = never */
    int64_t used_ms;    /* to the minute; 0 = never */
    int64_t revoked_ms; /* 0 = not revoked */
};

/* "viewer", "operator", "admin"; "none". */
const char *api_role_name(enum api_role role);
bool api_role_parse(struct str text, enum api_role *ret); /* not "none" */

/* Of the transaction's tenant, with its entry in the audit log; sets id and created_ms. FAIL_CONFIG: a token of that name is good already; no name, or a longer one than
 * API_TOKEN_NAME_BYTES_MAX; is_for_all in another tenant than the default one. */
enum fail api_token_put(struct tx *tx, struct store_api_token *token, struct error *err) MUST_CHECK;
/* Of any tenant, since the token says which: also those that are revoked or expired. */
enum fail api_token_by_hash(struct tx *tx, const uint8_t hash[SHA256_BYTES], struct arena *arena,
                            struct store_api_token *ret, bool *ret_found,
                            struct error *err) MUST_CHECK;
/* Those of the transaction's tenant, by id; revoked ones too. */
enum fail api_token_list(struct tx *tx, struct arena *arena, struct store_api_token **ret,
                         size_t *ret_count, struct error *err) MUST_CHECK;
/* By name, of the transaction's tenant, with its entry in the audit log. ret_found false: none of that name is good. */
enum fail api_token_revoke(struct tx *tx, struct str name, bool *ret_found,
                           struct error *err) MUST_CHECK;
/* It was used now, whoever's transaction it is; does nothing when that is noted already for the last minute. */
enum fail api_token_used(struct tx *tx, const struct store_api_token *token,
                         struct error *err) MUST_CHECK;
/* May it be used at that moment. */
bool api_token_is_good(const struct store_api_token *token, int64_t now_ms);

#endif
