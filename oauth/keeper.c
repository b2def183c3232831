#include "oauth/keeper.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "store/connection.h"
#include "store/hold.h"

enum { STORE_TRIES = 5, STORE_PAUSE_MS = 200 };

struct keeper {
    struct http_auth auth; /* first */
    struct oauth_connection at;
    pthread_mutex_t
        mutex; /* guards all below; held while one thread renews and the others wait for what it gets */
    bool is_loaded;
    struct oauth_tokens tokens; /* as in the store; empty = none that can be used */
    int64_t generation;         /* of what is in the store; 0 nothing */
    bool needs_person;          /* the connection waits for 'crmsync connect' */
    char *account;              /* owned; that the connection is linked to, NULL or "" = none yet */
    int64_t clock_offset_ms;
    int64_t early_again_ms; /* monotonic: no early renewal before */
    int64_t
        odd_generation; /* that a renewal brought because the origin before it was not allowed: not repeated */
    struct error ended; /* FAIL_AUTH: this generation has ended, and is not asked about again */
};

/* --- the store ----------------------------------------------------------------------------------------------- */

enum fail keeper_work_begin(const struct oauth_connection *connection, struct keeper_work *ret,
                            struct error *err)
{
    struct store_options options = {
        .path = connection->store_path, .access = STORE_SHARED, .holder = "crmsync (token)"};

    *ret = (struct keeper_work){0};
    if (store_open(&options, connection->env, &ret->store, err) != OK ||
        tx_begin(ret->store, connection->tenant_id, &ret->tx, err) != OK) {
        keeper_work_end(ret);
        return err->code;
    }
    return OK;
}

void keeper_work_end(struct keeper_work *work)
{
    tx_abort(&work->tx);
    store_close(work->store);
    *work = (struct keeper_work){0};
}

static enum fail fail_not_signed_in(const struct keeper *keeper, struct error *err)
{
    struct str name = keeper->at.client.connection;

    if (keeper->generation == 0) {
        error_set(err, FAIL_AUTH, "nobody has signed in");
    } else if (secret_is_empty(&keeper->tokens.access)) {
        error_set(
            err, FAIL_AUTH,
            "nobody has signed in for this client id and sign-in server, only for other ones");
    } else {
        error_set(err, FAIL_AUTH, "the token has ended, and came without one to renew it with");
    }
    return error_hint(err, "run 'crmsync connect %" PRI_STR "'", STR_ARG(name));
}

static enum fail load_row(struct keeper *keeper, struct tx *tx, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_connection row = {0};
    struct oauth_tokens tokens = {0};
    int64_t generation;
    bool is_known, found;

    if (connection_by_id(tx, keeper->at.connection_id, &arena, &row, &is_known, err) != OK) {
        return err->code;
    }
    if (!is_known) { /* as in a trial of a connection that nobody has made yet: no place to keep a token */
        return fail_not_signed_in(keeper, err);
    }
    if (tokens_load(keeper->at.vault, tx, keeper->at.connection_id, &keeper->at.client, &tokens,
                    &generation, &found, err) != OK) {
        return err->code;
    }
    oauth_tokens_fini(&keeper->tokens);
    keeper->tokens = tokens;
    if (generation != keeper->generation) {
        error_reset(&keeper->ended);
    }
    keeper->generation = generation;
    keeper->needs_person = row.state == CONNECTION_NEEDS_AUTH;
    keeper->clock_offset_ms = row.clock_offset_ms;
    free(keeper->account);
    keeper->account = alloc_printf("%" PRI_STR, STR_ARG(row.account_id));
    keeper->is_loaded = true;
    return OK;
}

static enum fail load(struct keeper *keeper, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};

    if (keeper_work_begin(&keeper->at, &work, err) != OK || load_row(keeper, work.tx, err) != OK) {
        return err->code;
    }
    return tx_commit(&work.tx, err);
}

static enum fail put_once(struct keeper *keeper, const struct oauth_tokens *tokens,
                          int64_t *ret_generation, struct error *err)
{
    AUTO_WORK struct keeper_work work = {0};

    if (keeper_work_begin(&keeper->at, &work, err) != OK ||
        tokens_put(keeper->at.vault, work.tx, keeper->at.connection_id, &keeper->at.client, tokens,
                   keeper->generation, ret_generation, err) != OK) {
        return err->code;
    }
    return tx_commit(&work.tx, err);
}

/* Durable before its first use. It may be the only token that is good, so a store that is busy or full for a moment is tried again. */
static enum fail put(struct keeper *keeper, struct oauth_tokens *take_tokens, struct error *err)
{
    int64_t generation = 0;
    enum fail failed = FAIL_STOP;

    for (int i = 0; failed == FAIL_STOP && i < STORE_TRIES; i++) {
        if (i > 0) {
            clock_wait_ms(keeper->at.env->clock, STORE_PAUSE_MS);
        }
        error_reset(err);
        failed = put_once(keeper, take_tokens, &generation, err);
    }
    if (failed == FAIL_STALE) { /* somebody has signed in anew meanwhile: that is the token then */
        error_reset(err);
        return load(keeper, err);
    }
    if (failed != OK) {
        return error_wrap(err, "a new token could not be kept, and is not used");
    }
    oauth_tokens_fini(&keeper->tokens);
    keeper->tokens = *take_tokens;
    *take_tokens = (struct oauth_tokens){0};
    keeper->generation = generation;
    error_reset(&keeper->ended);
    return OK;
}

/* The sign-in has ended: kept where 'connections' and the next run see it. The tokens stay. */
static void mark_ended(struct keeper *keeper, const struct error *why)
{
    AUTO_WORK struct keeper_work work = {0};
    struct error err = {0};

    keeper->ended = *why;
    if (keeper_work_begin(&keeper->at, &work, &err) != OK ||
        connection_state_set(work.tx, keeper->at.connection_id, CONNECTION_NEEDS_AUTH,
                             str_of(why->message), &err) != OK ||
        tx_commit(&work.tx, &err) != OK) {
        LOG_EVENT(keeper->at.env->log, LOG_WARN, "state not kept",
                  LOG_S("connection", keeper->at.client.connection),
                  LOG_S("reason", str_of(err.message)));
    }
}

/* --- renewing ------------------------------------------------------------------------------------------------ */

/* A token of a short life is not renewed at every call. */
static int64_t early_ms_of(const struct keeper *keeper)
{
    int64_t half_ms = (keeper->tokens.expires_ms - keeper->tokens.received_ms) / 2;

    return half_ms < KEEPER_EARLY_MS ? half_ms : KEEPER_EARLY_MS;
}

static bool is_expired(const struct keeper *keeper, int64_t early_ms)
{
    return keeper->tokens.expires_ms != 0 &&
           clock_wall_ms(keeper->at.env->clock) + early_ms >= keeper->tokens.expires_ms;
}

static enum fail check_origin(const struct keeper *keeper, struct error *err)
{
    const struct grant grant = {.http = keeper->at.http, .client = &keeper->at.client};

    return grant_origin_check(&grant, keeper->tokens.origin, err);
}

/* A token for a host that is not allowed is of no use; the CRM is asked once whether it meant that. */
static bool is_odd(const struct keeper *keeper)
{
    struct error ignored = {0};

    return keeper->generation != keeper->odd_generation && check_origin(keeper, &ignored) != OK;
}

static bool needs_renewal(const struct keeper *keeper, int64_t refused_generation)
{
    if (is_odd(keeper)) {
        return true;
    }
    if (secret_is_empty(&keeper->tokens.access) || is_expired(keeper, 0)) {
        return true;
    }
    if (refused_generation) {
        return keeper->generation <= refused_generation;
    }
    return is_expired(keeper, early_ms_of(keeper)) &&
           clock_mono_ms(keeper->at.env->clock) >= keeper->early_again_ms;
}

/* An app that was signed out could sign itself in again at any time; it is not to. */
static bool is_signed_out(const struct keeper *keeper)
{
    return keeper->generation == 0 && keeper->needs_person;
}

static enum fail exchange(struct keeper *keeper, struct oauth_tokens *ret, struct error *err)
{
    struct grant grant = {.env = keeper->at.env,
                          .http = keeper->at.http,
                          .client = &keeper->at.client,
                          .clock_offset_ms = keeper->clock_offset_ms};
    enum fail failed;

    if (is_signed_out(keeper)) {
        failed = fail_not_signed_in(keeper, err);
    } else if (keeper->at.client.grant != OAUTH_AUTHORIZATION_CODE) {
        failed = grant_app(&grant, ret, err);
    } else if (secret_is_empty(&keeper->tokens.refresh)) {
        failed = fail_not_signed_in(keeper, err);
    } else {
        failed = grant_refresh(&grant, &keeper->tokens, ret, err);
    }
    keeper->clock_offset_ms = grant.clock_offset_ms;
    return failed;
}

/* What the app asks for itself depends on settings at the CRM and here, which may name another account by now. */
static enum fail check_account(const struct keeper *keeper, const struct oauth_tokens *tokens,
                               struct error *err)
{
    struct str linked = str_of(keeper->account);

    if (grant_account_equal(keeper->at.client.provider, linked, tokens->account)) {
        return OK;
    }
    error_set(err, FAIL_CONNECTION,
              "the new token is for account %" PRI_STR
              ", but the connection is linked to account %" PRI_STR ": it was not kept",
              STR_ARG(tokens->account), STR_ARG(linked));
    return error_hint(err,
                      "correct 'auth' of connection '%" PRI_STR
                      "', or give the other account a connection of its own",
                      STR_ARG(keeper->at.client.connection));
}

/* The token was refused for good, unless there is another one by now. */
static enum fail end(struct keeper *keeper, int64_t refused_generation, struct error *err)
{
    struct error why = *err;
    int64_t generation = keeper->generation;

    error_reset(err);
    if (load(keeper, err) != OK) {
        return err->code;
    }
    if (keeper->generation != generation && !needs_renewal(keeper, refused_generation)) {
        return OK;
    }
    mark_ended(keeper, &why);
    *err = why;
    return err->code;
}

/* Inside the hold: nobody else renews this connection's token now. */
static enum fail renew_alone(struct keeper *keeper, int64_t refused_generation, struct error *err)
{
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    enum fail failed;

    if (load(keeper, err) != OK) {
        return err->code;
    }
    if (!needs_renewal(keeper, refused_generation)) { /* another process was first */
        return OK;
    }
    failed = exchange(keeper, &tokens, err);
    if (failed == FAIL_AUTH) {
        return end(keeper, refused_generation, err);
    }
    failed = failed ? failed : check_account(keeper, &tokens, err);
    if (failed != OK) {
        return failed;
    }
    LOG_EVENT(keeper->at.env->log, LOG_INFO, "token renewed",
              LOG_S("connection", keeper->at.client.connection),
              LOG_I("generation", keeper->generation + 1));
    failed = put(keeper, &tokens, err);
    keeper->odd_generation = failed == OK && is_odd(keeper) ? keeper->generation : 0;
    return failed;
}

static enum fail renew(struct keeper *keeper, int64_t refused_generation, struct error *err)
{
    int hold = -1;
    enum fail failed = hold_take(keeper->at.store_path, keeper->at.connection_id, keeper->at.env,
                                 KEEPER_HOLD_WAIT_MS, &hold, err);

    failed = failed ? failed : renew_alone(keeper, refused_generation, err);
    hold_release(hold);
    return failed;
}

/* A token that is still good is used on while the sign-in server cannot be asked. */
static bool may_go_on(struct keeper *keeper, int64_t refused_generation, const struct error *err)
{
    if ((err->code != FAIL_RETRY && err->code != FAIL_THROTTLED) || refused_generation ||
        secret_is_empty(&keeper->tokens.access) || is_expired(keeper, 0)) {
        return false;
    }
    keeper->early_again_ms = clock_mono_ms(keeper->at.env->clock) + KEEPER_PAUSE_MS;
    LOG_EVENT(keeper->at.env->log, LOG_WARN, "token not renewed yet",
              LOG_S("connection", keeper->at.client.connection),
              LOG_S("reason", str_of(err->message)));
    return true;
}

/* --- giving -------------------------------------------------------------------------------------------------- */

static enum fail give(const struct keeper *keeper, struct http_credential *ret, struct error *err)
{
    struct str token = secret_expose(&keeper->tokens.access);
    struct str origin = keeper->tokens.origin;
    char *header;

    if (check_origin(keeper, err) != OK) {
        return err->code;
    }
    header = alloc_printf("Bearer %" PRI_STR, STR_ARG(token));
    secret_set(&ret->header, str_of(header));
    OPENSSL_cleanse(header, strlen(header));
    free(header);
    ret->generation = keeper->generation;
    snprintf(ret->origin, sizeof ret->origin, "%" PRI_STR, STR_ARG(origin));
    return OK;
}

static enum fail get_locked(struct keeper *keeper, int64_t refused_generation,
                            struct http_credential *ret, struct error *err)
{
    /* What has ended is read anew: somebody may have signed in, here or in another process. */
    if ((!keeper->is_loaded || keeper->ended.code != OK) && load(keeper, err) != OK) {
        return err->code;
    }
    if (keeper->ended.code != OK) {
        *err = keeper->ended;
        return err->code;
    }
    if (needs_renewal(keeper, refused_generation) && renew(keeper, refused_generation, err) != OK) {
        if (!may_go_on(keeper, refused_generation, err)) {
            return err->code;
        }
        error_reset(err);
    }
    return give(keeper, ret, err);
}

static enum fail get(struct http_auth *auth, int64_t refused_generation,
                     struct http_credential *ret, struct error *err)
{
    struct keeper *keeper = (struct keeper *)auth;
    enum fail failed;

    pthread_mutex_lock(&keeper->mutex);
    failed = get_locked(keeper, refused_generation, ret, err);
    pthread_mutex_unlock(&keeper->mutex);
    return failed ? error_wrap(err, "sign-in of connection '%" PRI_STR "'",
                               STR_ARG(keeper->at.client.connection))
                  : OK;
}

struct keeper *keeper_new(const struct oauth_connection *connection)
{
    struct keeper *keeper = alloc_new(1, sizeof *keeper);

    keeper->auth.get = get;
    keeper->at = *connection;
    pthread_mutex_init(&keeper->mutex, NULL);
    return keeper;
}

void keeper_free(struct keeper *keeper)
{
    if (keeper) {
        oauth_tokens_fini(&keeper->tokens);
        free(keeper->account);
        pthread_mutex_destroy(&keeper->mutex);
        free(keeper);
    }
}

struct http_auth *keeper_auth(struct keeper *keeper)
{
    return &keeper->auth;
}
