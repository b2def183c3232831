#include "oauth/app_token.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { SCOPES_BYTES_MAX = 4096 };

struct app_token {
    struct http_auth auth; /* first */
    pthread_mutex_t mutex; /* of all that follows */
    struct oauth_connection at;
    struct oauth_provider provider; /* the connection's, with the app's own endpoint */
    struct arena arena;             /* scopes */
    struct oauth_tokens tokens;
    int64_t generation; /* 0: there is none yet */
};

/* --- scopes ----------------------------------------------------------------------------------- */

static bool begins_with_one(struct str word, struct str beginnings)
{
    while (beginnings.at) {
        struct str beginning = str_cut(&beginnings, ' ');

        if (beginning.len && str_starts(word, beginning)) {
            return true;
        }
    }
    return false;
}

/* Those to write are of no use here. */
struct str app_token_scopes(const struct oauth_client *client, struct arena *arena)
{
    AUTO_BUF struct buf scopes = {0};
    struct str rest = grant_scopes(client);

    buf_init(&scopes, SCOPES_BYTES_MAX);
    buf_add(&scopes, str_of(client->provider->app_scopes));
    while (rest.at) {
        struct str word = str_cut(&rest, ' ');

        if (word.len && !str_ends(word, STR(".write")) &&
            begins_with_one(word, str_of(client->provider->app_object_scopes))) {
            buf_add_char(&scopes, ' ');
            buf_add(&scopes, word);
        }
    }
    return arena_str(arena, buf_str(&scopes));
}

/* --- getting it ------------------------------------------------------------------------------- */

static bool is_good(const struct app_token *token, int64_t refused_generation)
{
    int64_t left_ms = token->tokens.expires_ms - clock_wall_ms(token->at.env->clock);

    return token->generation && token->generation != refused_generation &&
           (!token->tokens.expires_ms || left_ms > KEEPER_EARLY_MS);
}

static enum fail renew(struct app_token *token, struct error *err)
{
    AUTO_TOKENS struct oauth_tokens fresh = {0};
    struct grant grant = {
        .env = token->at.env, .http = token->at.http, .client = &token->at.client};

    if (grant_app(&grant, &fresh, err) != OK) {
        return err->code;
    }
    oauth_tokens_fini(&token->tokens);
    token->tokens = fresh;
    fresh = (struct oauth_tokens){0};
    token->generation++;
    return OK;
}

static void give(const struct app_token *token, struct http_credential *ret)
{
    char *header = alloc_printf("Bearer %" PRI_STR, STR_ARG(secret_expose(&token->tokens.access)));

    secret_set(&ret->header, str_of(header));
    OPENSSL_cleanse(header, strlen(header));
    free(header);
    ret->generation = token->generation;
}

static enum fail get(struct http_auth *auth, int64_t refused_generation,
                     struct http_credential *ret, struct error *err)
{
    struct app_token *token = (struct app_token *)auth;

    pthread_mutex_lock(&token->mutex);
    if (is_good(token, refused_generation) || renew(token, err) == OK) {
        give(token, ret);
    }
    pthread_mutex_unlock(&token->mutex);
    return err->code ? error_wrap(err, "sign-in of the app of connection '%" PRI_STR "'",
                                  STR_ARG(token->at.client.connection))
                     : OK;
}

struct app_token *app_token_new(const struct oauth_connection *connection)
{
    struct app_token *token = alloc_new(1, sizeof *token);
    struct str scopes = app_token_scopes(&connection->client, &token->arena);

    token->auth.get = get;
    token->at = *connection;
    token->provider = *connection->client.provider;
    token->provider.token_path = token->provider.app_token_path;
    token->provider.account = OAUTH_ACCOUNT_UNSAID; /* the app's, of no account */
    token->at.client.provider = &token->provider;
    token->at.client.grant = OAUTH_CLIENT_CREDENTIALS;
    token->at.client.scopes = scopes;
    pthread_mutex_init(&token->mutex, NULL);
    return token;
}

void app_token_free(struct app_token *token)
{
    if (token) {
        oauth_tokens_fini(&token->tokens);
        arena_fini(&token->arena);
        pthread_mutex_destroy(&token->mutex);
        free(token);
    }
}

struct http_auth *app_token_auth(struct app_token *token)
{
    return &token->auth;
}
