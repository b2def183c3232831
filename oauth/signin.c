#include "oauth/signin.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/digest.h"
#include "http/message.h"
#include "store/audit.h"
#include "store/connection.h"
#include "store/hold.h"
#include "store/signin.h"

enum {
    STATE_BYTES = 32, /* 256 bits */
    /* 128 characters: what RFC 7636 4.1 allows, and Salesforce asks for (reference salesforce 1.2) */
    VERIFIER_BYTES = 96,
    REASON_BYTES_MAX = 160,
    URL_BYTES_MAX = 16 * 1024,
};
#define VERIFIER_NAME "verifier"

/* --- begin --------------------------------------------------------------------------------------------------- */

static struct str random_text(struct env *env, struct arena *arena, size_t count)
{
    uint8_t bytes[VERIFIER_BYTES];
    struct str text;

    assert(count <= sizeof bytes);
    random_bytes(env->random, bytes, count);
    text = base64url_encode(arena, bytes, count);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return text;
}

static void url_add(struct buf *url, struct arena *arena, const char *name, struct str value)
{
    if (value.len) {
        buf_addf(url, "&%s=%" PRI_STR, name, STR_ARG(http_percent_encode(arena, value)));
    }
}

static struct str url_of(const struct oauth_client *client, struct arena *arena, struct str state,
                         struct str verifier)
{
    AUTO_BUF struct buf url = {0};
    uint8_t hash[SHA256_BYTES];

    buf_init(&url, URL_BYTES_MAX);
    buf_addf(&url, "%" PRI_STR "%s?response_type=code", STR_ARG(grant_authorize_origin(client)),
             client->provider->authorize_path);
    url_add(&url, arena, "client_id", client->client_id);
    url_add(&url, arena, "redirect_uri", client->redirect_uri);
    url_add(&url, arena, "scope", grant_scopes(client));
    url_add(&url, arena, "state", state);
    if (verifier.len) {
        sha256(verifier, hash);
        url_add(&url, arena, "code_challenge", base64url_encode(arena, hash, sizeof hash));
        url_add(&url, arena, "code_challenge_method", STR("S256"));
    }
    assert(!url.is_full); /* its parts are capped by the configuration */
    return arena_str(arena, buf_str(&url));
}

static enum fail keep_begin(const struct oauth_connection *connection, struct str state,
                            struct str verifier, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};
    AUTO_SECRET struct secret sealed = {0};
    int64_t now_ms = clock_wall_ms(connection->env->clock);
    struct store_sign_in row = {.connection_id = connection->connection_id,
                                .redirect_uri = connection->client.redirect_uri,
                                .begun_ms = now_ms,
                                .expires_ms = now_ms + SIGNIN_LIFE_MS};

    sha256(state, row.state_hash);
    secret_set(&sealed, verifier);
    if (keeper_work_begin(connection, &work, err) != OK || sign_in_put(work.tx, &row, err) != OK ||
        vault_put(connection->vault, work.tx, connection->connection_id, VERIFIER_NAME, &sealed,
                  err) != OK) {
        return err->code;
    }
    return tx_commit(&work.tx, err);
}

enum fail signin_begin(const struct oauth_connection *connection, struct arena *arena,
                       struct str *ret_url, struct error *err)
{
    AUTO_ARENA struct arena own = {0};
    const struct oauth_client *client = &connection->client;
    struct str state = random_text(connection->env, &own, STATE_BYTES);
    struct str verifier =
        client->provider->has_pkce ? random_text(connection->env, &own, VERIFIER_BYTES) : STR("");
    enum fail failed = keep_begin(connection, state, verifier, err);

    assert(client->grant == OAUTH_AUTHORIZATION_CODE);
    if (failed == OK) {
        *ret_url = url_of(client, arena, state, verifier);
    }
    OPENSSL_cleanse((char *)verifier.at, verifier.len);
    return failed;
}

/* --- finish -------------------------------------------------------------------------------------------------- */

static enum fail fail_not_waiting(const struct oauth_connection *connection, struct error *err)
{
    error_set(err, FAIL_STALE,
              "this is not the answer to a sign-in that waits: it was used already, is more than "
              "10 minutes old, or was begun elsewhere");
    return error_hint(err,
                      "begin the sign-in anew, or use the last address that was given for "
                      "connection '%" PRI_STR "'",
                      STR_ARG(connection->client.connection));
}

/* Words of the CRM for people; anything odd is left out. */
static struct str plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~') {
            return STR("");
        }
    }
    return str_slice(text, 0, REASON_BYTES_MAX);
}

/* Any word counts: CRMs do not agree on "access_denied" (reference salesforce 1.2, pipedrive 1.3). */
static enum fail fail_denied(const struct oauth_connection *connection,
                             const struct signin_answer *answer, struct error *err)
{
    struct str description = plain(answer->error_description);

    error_set(err, FAIL_AUTH, "the sign-in was refused at the CRM (%" PRI_STR "%s%" PRI_STR ")",
              STR_ARG(plain(answer->error)), description.len ? ": " : "", STR_ARG(description));
    return error_hint(err,
                      "open the address again and allow it; if the app is blocked there, the "
                      "account's administrator has to admit it (docs/signing-in.md), then "
                      "'crmsync connect %" PRI_STR "'",
                      STR_ARG(connection->client.connection));
}

/* Uses the state up, unless the person only said no. */
static enum fail take_state(const struct oauth_connection *connection,
                            const struct signin_answer *answer, struct secret *ret_verifier,
                            struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};
    AUTO_ARENA struct arena arena = {0};
    uint8_t hash[SHA256_BYTES];
    struct store_sign_in row = {0};
    bool found = false;

    sha256(answer->state, hash);
    if (keeper_work_begin(connection, &work, err) != OK ||
        sign_in_by_state(work.tx, hash, &arena, &row, &found, err) != OK) {
        return err->code;
    }
    if (!found || row.connection_id != connection->connection_id ||
        row.expires_ms <= clock_wall_ms(connection->env->clock) ||
        !str_equal(row.redirect_uri, connection->client.redirect_uri)) {
        return fail_not_waiting(connection, err);
    }
    if (answer->code.len == 0) {
        return fail_denied(connection, answer, err);
    }
    if (vault_get(connection->vault, work.tx, connection->connection_id, VERIFIER_NAME,
                  ret_verifier, NULL, err) == FAIL_AUTH) { /* signed out since */
        return fail_not_waiting(connection, err);
    }
    if (err->code != OK ||
        vault_remove(work.tx, connection->connection_id, VERIFIER_NAME, &found, err) != OK ||
        sign_in_remove(work.tx, hash, &found, err) != OK) {
        return err->code;
    }
    assert(found); /* the same transaction has seen it */
    return tx_commit(&work.tx, err);
}

/* A token that nobody keeps yet. */
struct new_token {
    struct http_auth auth; /* first */
    const struct oauth_tokens *tokens;
};

static enum fail new_token_get(struct http_auth *auth, int64_t refused_generation,
                               struct http_credential *ret, struct error *err)
{
    const struct oauth_tokens *tokens = ((struct new_token *)auth)->tokens;
    char *header;

    if (refused_generation) {
        error_set(err, FAIL_AUTH, "the CRM refuses the token that it has just given");
        return error_hint(err, "check the app's scopes and the rights of the user at the CRM");
    }
    header = alloc_printf("Bearer %" PRI_STR, STR_ARG(secret_expose(&tokens->access)));
    secret_set(&ret->header, str_of(header));
    OPENSSL_cleanse(header, strlen(header));
    free(header);
    ret->generation = 1;
    snprintf(ret->origin, sizeof ret->origin, "%" PRI_STR, STR_ARG(tokens->origin));
    return OK;
}

static struct grant grant_of(const struct oauth_connection *connection)
{
    return (struct grant){
        .env = connection->env, .http = connection->http, .client = &connection->client};
}

static enum fail linked_account(const struct oauth_connection *connection, struct arena *arena,
                                struct str *ret, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};
    struct store_connection row = {0};
    bool found;

    if (keeper_work_begin(connection, &work, err) != OK ||
        connection_by_id(work.tx, connection->connection_id, arena, &row, &found, err) != OK) {
        return err->code;
    }
    assert(found); /* whoever signs in has made it */
    *ret = row.account_id;
    return tx_commit(&work.tx, err);
}

/* Nobody needs it, so nobody should have it. Another connection may be signed in to that account by the same app, and its tokens must stay good. */
static void give_back(const struct oauth_connection *connection, const struct oauth_tokens *tokens)
{
    const struct oauth_tokens access_only = {.access = tokens->access}; /* borrowed */
    struct grant grant = grant_of(connection);
    struct error err = {0};
    bool is_done;

    if (connection->client.provider->revoke_ends_app) {
        tokens = &access_only;
    }
    if (grant_revoke(&grant, tokens, &is_done, &err) != OK) {
        LOG_EVENT(connection->env->log, LOG_WARN, "token not revoked",
                  LOG_S("connection", connection->client.connection),
                  LOG_S("reason", str_of(err.message)));
    }
}

static enum fail check_account(const struct oauth_connection *connection,
                               const struct oauth_tokens *tokens, signin_identify_fn *identify,
                               void *context, struct arena *arena, struct signin_account *ret,
                               struct error *err)
{
    struct new_token token = {.auth = {.get = new_token_get}, .tokens = tokens};
    const struct oauth_provider *provider = connection->client.provider;
    struct str linked = STR(""), other;

    if (identify(context, &token.auth, arena, ret, err) != OK) {
        return error_wrap(err, "the sign-in was not kept");
    }
    if (linked_account(connection, arena, &linked, err) != OK) {
        return err->code;
    }
    /* Both what the API shows and what came with the token. */
    other = grant_account_equal(provider, linked, ret->id) ? tokens->account : ret->id;
    if (grant_account_equal(provider, linked, other)) {
        return OK;
    }
    give_back(connection, tokens);
    error_set(err, FAIL_CONNECTION,
              "this sign-in is for account %" PRI_STR ", but connection '%" PRI_STR
              "' is linked to account %" PRI_STR ": it was not kept",
              STR_ARG(other), STR_ARG(connection->client.connection), STR_ARG(linked));
    return error_hint(
        err, "sign in to account %" PRI_STR ", or give the other account a connection of its own",
        STR_ARG(linked));
}

static enum fail keep(const struct oauth_connection *connection, const struct oauth_tokens *tokens,
                      const struct signin_account *account, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};
    AUTO_TOKENS struct oauth_tokens before = {0};
    int64_t generation;
    bool found;

    if (keeper_work_begin(connection, &work, err) != OK ||
        tokens_load(connection->vault, work.tx, connection->connection_id, &connection->client,
                    &before, &generation, &found, err) != OK ||
        tokens_put(connection->vault, work.tx, connection->connection_id, &connection->client,
                   tokens, generation, &generation, err) != OK ||
        connection_account_set(work.tx, connection->connection_id, account->id, account->title,
                               err) != OK ||
        connection_state_set(work.tx, connection->connection_id, CONNECTION_ACTIVE, STR(""), err) !=
            OK ||
        audit_put_connection(work.tx, "connection.signed-in", connection->connection_id,
                             (const struct audit_detail[]){{"account", account->id}, {0}},
                             err) != OK) {
        return err->code;
    }
    return tx_commit(&work.tx, err);
}

/* verifier and code: of a person's sign-in. */
struct signing {
    const struct oauth_connection *connection;
    const struct secret *verifier;
    struct str code;
};

static enum fail sign_in(const struct signing *signing, signin_identify_fn *identify, void *context,
                         struct arena *arena, struct signin_account *ret, struct error *err)
{
    const struct oauth_connection *connection = signing->connection;
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    struct grant grant = grant_of(connection);

    if ((signing->verifier ? grant_code(&grant, signing->code, signing->verifier, &tokens, err)
                           : grant_app(&grant, &tokens, err)) != OK) {
        return err->code;
    }
    if (check_account(connection, &tokens, identify, context, arena, ret, err) != OK) {
        return err->code;
    }
    return keep(connection, &tokens, ret, err);
}

/* Inside the hold, so that a renewal of the token before does not come in between. */
static enum fail sign_in_alone(const struct signing *signing, signin_identify_fn *identify,
                               void *context, struct arena *arena, struct signin_account *ret,
                               struct error *err)
{
    const struct oauth_connection *connection = signing->connection;
    int hold = -1;
    enum fail failed = hold_take(connection->store_path, connection->connection_id, connection->env,
                                 KEEPER_HOLD_WAIT_MS, &hold, err);

    failed = failed ? failed : sign_in(signing, identify, context, arena, ret, err);
    hold_release(hold);
    return failed;
}

enum fail signin_finish(const struct oauth_connection *connection,
                        const struct signin_answer *answer, signin_identify_fn *identify,
                        void *context, struct arena *arena, struct signin_account *ret,
                        struct error *err)
{
    AUTO_SECRET struct secret verifier = {0};
    const struct signing signing = {
        .connection = connection, .verifier = &verifier, .code = answer->code};

    if (take_state(connection, answer, &verifier, err) != OK) {
        return err->code;
    }
    return sign_in_alone(&signing, identify, context, arena, ret, err);
}

enum fail signin_app(const struct oauth_connection *connection, signin_identify_fn *identify,
                     void *context, struct arena *arena, struct signin_account *ret,
                     struct error *err)
{
    const struct signing signing = {.connection = connection};

    return sign_in_alone(&signing, identify, context, arena, ret, err);
}

/* --- end ----------------------------------------------------------------------------------------------------- */

static enum fail load_tokens(const struct oauth_connection *connection, struct oauth_tokens *ret,
                             bool *ret_found, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};
    int64_t generation;

    if (keeper_work_begin(connection, &work, err) != OK ||
        tokens_load(connection->vault, work.tx, connection->connection_id, &connection->client, ret,
                    &generation, ret_found, err) != OK) {
        return err->code;
    }
    return tx_commit(&work.tx, err);
}

static enum fail forget(const struct oauth_connection *connection, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};
    bool found;

    if (keeper_work_begin(connection, &work, err) != OK ||
        vault_remove(work.tx, connection->connection_id, TOKENS_NAME, &found, err) != OK ||
        vault_remove(work.tx, connection->connection_id, VERIFIER_NAME, &found, err) != OK ||
        connection_state_set(work.tx, connection->connection_id, CONNECTION_NEEDS_AUTH,
                             STR("signed out with 'crmsync disconnect'"), err) != OK ||
        audit_put_connection(work.tx, "connection.signed-out", connection->connection_id, NULL,
                             err) != OK) {
        return err->code;
    }
    return tx_commit(&work.tx, err);
}

/* Revoked first: forgotten and still good at the CRM would be the worse half. */
static enum fail end_alone(const struct oauth_connection *connection, struct signin_end *ret,
                           struct error *err)
{
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    struct grant grant = grant_of(connection);

    if (load_tokens(connection, &tokens, &ret->was_signed_in, err) != OK) {
        return err->code;
    }
    if (ret->was_signed_in && grant_revoke(&grant, &tokens, &ret->is_revoked, &ret->why) != OK) {
        LOG_EVENT(connection->env->log, LOG_WARN, "token not revoked",
                  LOG_S("connection", connection->client.connection),
                  LOG_S("reason", str_of(ret->why.message)));
    }
    return forget(connection, err);
}

enum fail signin_end(const struct oauth_connection *connection, struct signin_end *ret,
                     struct error *err)
{
    int hold = -1;
    enum fail failed = hold_take(connection->store_path, connection->connection_id, connection->env,
                                 KEEPER_HOLD_WAIT_MS, &hold, err);

    *ret = (struct signin_end){0};
    failed = failed ? failed : end_alone(connection, ret, err);
    hold_release(hold);
    return failed;
}
