#include "oauth/grant.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "core/base64.h"
#include "http/url.h"
#include "oauth/grant_answer.h"
#include "oauth/jwt.h"

enum {
    FORM_BYTES_MAX = 64 * 1024,
    ANSWER_BYTES_MAX = 256 * 1024,
    /* source: Salesforce takes assertions for at most 3 minutes [GH simple-salesforce login.py] */
    ASSERTION_LIFE_S = 150,
    CLOCK_NOISE_MS = 30 * 1000,
};

#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer" /* RFC 7523 2.1 */

void oauth_tokens_fini(struct oauth_tokens *tokens)
{
    secret_fini(&tokens->access);
    secret_fini(&tokens->refresh);
    arena_fini(&tokens->arena);
    *tokens = (struct oauth_tokens){0};
}

const char *grant_name(enum oauth_grant grant)
{
    switch (grant) {
    case OAUTH_AUTHORIZATION_CODE:
        return "authorization-code";
    case OAUTH_CLIENT_CREDENTIALS:
        return "client-credentials";
    case OAUTH_JWT_BEARER:
        return "jwt-bearer";
    }
    abort();
}

struct str grant_authorize_origin(const struct oauth_client *client)
{
    return client->login_origin.len ? client->login_origin
                                    : str_of(client->provider->authorize_origin);
}

struct str grant_token_origin(const struct oauth_client *client)
{
    return client->login_origin.len ? client->login_origin : str_of(client->provider->token_origin);
}

struct str grant_scopes(const struct oauth_client *client)
{
    return client->scopes.len ? client->scopes : str_of(client->provider->default_scopes);
}

/* --- a form that is wiped ------------------------------------------------------------------------------------ */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void form_add(struct buf *form, const char *name, struct str value)
{
    buf_addf(form, "%s%s=", form->len ? "&" : "", name);
    for (size_t i = 0; i < value.len; i++) {
        if (is_unreserved(value.at[i])) {
            buf_add_char(form, value.at[i]);
        } else {
            buf_addf(form, "%%%02X", (unsigned char)value.at[i]);
        }
    }
}

/* All room at once: a buffer that grows would leave copies behind. */
static void form_init(struct buf *form)
{
    buf_init(form, FORM_BYTES_MAX);
    for (size_t i = 0; i < FORM_BYTES_MAX / 16; i++) {
        buf_add(form, STR("................"));
    }
    buf_reset(form);
}

static void form_fini(struct buf *form)
{
    if (form->at) {
        OPENSSL_cleanse(form->at, form->capacity);
    }
    buf_fini(form);
}
#define AUTO_FORM __attribute__((cleanup(form_fini)))

/* --- one request --------------------------------------------------------------------------------------------- */

static enum fail classify(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    return grant_answer_classify(account->context, response, err);
}

/* Everything of one request to the sign-in server. Its secrets are wiped at the end. */
struct asking {
    struct grant *grant;
    struct grant_asked asked;
    struct buf form;
    struct secret basic; /* value of Authorization; empty: client id and secret are in the form */
    struct str url;
    struct http_call call;
    struct arena arena;
};

static void asking_fini(struct asking *asking)
{
    arena_wipe(&asking->call.response.arena);
    http_call_fini(&asking->call);
    form_fini(&asking->form);
    secret_fini(&asking->basic);
    arena_fini(&asking->arena);
}
#define AUTO_ASKING __attribute__((cleanup(asking_fini)))

/* RFC 6749 2.3.1, as Pipedrive writes it: base64(client_id:client_secret) [D-auth]. */
static void set_basic(struct asking *asking, const struct oauth_client *client)
{
    AUTO_ARENA struct arena arena = {0};
    struct str pair = arena_printf(&arena, "%" PRI_STR ":%" PRI_STR, STR_ARG(client->client_id),
                                   STR_ARG(secret_expose(client->client_secret)));
    struct str coded = base64_encode(&arena, pair.at, pair.len);
    struct str header = arena_printf(&arena, "Basic %" PRI_STR, STR_ARG(coded));

    secret_set(&asking->basic, header);
    OPENSSL_cleanse((char *)pair.at, pair.len);
    OPENSSL_cleanse((char *)coded.at, coded.len);
    OPENSSL_cleanse((char *)header.at, header.len);
}

static void begin(struct asking *asking, struct grant *grant, const char *path)
{
    const struct oauth_client *client = grant->client;

    asking->grant = grant;
    asking->asked = (struct grant_asked){.client = client,
                                         .sent = {client->client_secret},
                                         .clock_offset_ms = grant->clock_offset_ms};
    asking->url =
        arena_printf(&asking->arena, "%" PRI_STR "%s", STR_ARG(grant_token_origin(client)), path);
    form_init(&asking->form);
}

/* The app's own name and proof, last in the form or in the header. */
static void add_client(struct asking *asking)
{
    const struct oauth_client *client = asking->grant->client;

    if (client->grant == OAUTH_JWT_BEARER) {
        return; /* the assertion is both */
    }
    if (client->provider->client_in_header) {
        set_basic(asking, client);
        return;
    }
    form_add(&asking->form, "client_id", client->client_id);
    form_add(&asking->form, "client_secret", secret_expose(client->client_secret));
}

static enum fail send_form(struct asking *asking, struct error *err)
{
    struct http_account account = {.lane = LANE_INTERACTIVE,
                                   .classify = classify,
                                   .context = &asking->asked,
                                   .answer_bytes_max = ANSWER_BYTES_MAX};
    struct http_call *calls[] = {&asking->call};
    struct http_request *request = &asking->call.request;

    if (asking->form.is_full) {
        error_set(err, FAIL_CONFIG, "what is to be sent to the sign-in server is too long");
        return error_hint(err, "check the client secret of connection '%" PRI_STR "'",
                          STR_ARG(asking->grant->client->connection));
    }
    *request = (struct http_request){
        .method = HTTP_POST, .url = asking->url, .body = buf_str(&asking->form)};
    http_header_add(&request->headers, STR("Content-Type"),
                    STR("application/x-www-form-urlencoded"));
    http_header_add(&request->headers, STR("Accept"), STR("application/json"));
    if (!secret_is_empty(&asking->basic)) {
        http_header_add(&request->headers, STR("Authorization"), secret_expose(&asking->basic));
    }
    if (http_url_check(asking->grant->http, asking->url, err) != OK) {
        return error_hint(err,
                          "correct 'login_url' of the connection: only the CRM's own hosts are "
                          "allowed, and this machine with 'allow_loopback: true'");
    }
    if (http_exec(asking->grant->http, &account, calls, 1, err) == OK &&
        asking->call.result != OK) {
        *err = asking->call.error;
    }
    asking->grant->clock_offset_ms =
        grant_answer_offset_ms(&asking->call.response, asking->grant->clock_offset_ms);
    return err->code;
}

static enum fail exchange(struct asking *asking, struct oauth_tokens *ret, struct error *err)
{
    add_client(asking);
    if (send_form(asking, err) != OK) {
        return err->code;
    }
    return grant_answer_read(&asking->asked, &asking->call.response, ret, err);
}

/* --- the grants ---------------------------------------------------------------------------------------------- */

enum fail grant_origin_check(const struct grant *grant, struct str origin, struct error *err)
{
    struct str shown = http_url_shown(origin);
    struct error why = {0};
    struct http_url url;

    if (origin.len == 0 || (http_url_parse(origin, &url, &why) == OK && url.target.len == 0 &&
                            http_url_check(grant->http, origin, &why) == OK)) {
        return OK;
    }
    error_set(err, FAIL_CONNECTION,
              "the sign-in server says that the API is at '%" PRI_STR
              "', which is not a host of this CRM: nothing was sent there",
              STR_ARG(shown));
    return error_hint(
        err, "make sure that 'login_url' of connection '%" PRI_STR "' is right, then sign in again",
        STR_ARG(grant->client->connection));
}

enum { ID_BYTES = 15 };

bool grant_account_equal(const struct oauth_provider *provider, struct str x, struct str y)
{
    if (x.len == 0 || y.len == 0) {
        return true;
    }
    if (provider->account == OAUTH_ACCOUNT_IDENTITY && x.len >= ID_BYTES && y.len >= ID_BYTES) {
        return str_equal(str_slice(x, 0, ID_BYTES), str_slice(y, 0, ID_BYTES));
    }
    return str_equal(x, y);
}

enum fail grant_code(struct grant *grant, struct str code, const struct secret *verifier,
                     struct oauth_tokens *ret, struct error *err)
{
    AUTO_ASKING struct asking asking = {0};
    AUTO_SECRET struct secret sent = {0};
    AUTO_TOKENS struct oauth_tokens tokens = {0};

    secret_set(&sent, code);
    begin(&asking, grant, grant->client->provider->token_path);
    asking.asked.is_code = true;
    asking.asked.sent[1] = &sent;
    asking.asked.sent[2] = verifier;
    form_add(&asking.form, "grant_type", STR("authorization_code"));
    form_add(&asking.form, "code", code);
    form_add(&asking.form, "redirect_uri", grant->client->redirect_uri);
    if (!secret_is_empty(verifier)) {
        form_add(&asking.form, "code_verifier", secret_expose(verifier));
    }
    if (exchange(&asking, &tokens, err) != OK ||
        grant_origin_check(grant, tokens.origin, err) != OK) {
        return err->code;
    }
    *ret = tokens;
    tokens = (struct oauth_tokens){0};
    return OK;
}

static struct str kept(struct oauth_tokens *tokens, struct str now, struct str before)
{
    return now.len ? now : arena_str(&tokens->arena, before);
}

static enum fail refresh_once(struct grant *grant, const struct oauth_tokens *old,
                              struct oauth_tokens *ret, struct error *err)
{
    AUTO_ASKING struct asking asking = {0};

    begin(&asking, grant, grant->client->provider->token_path);
    asking.asked.sent[1] = &old->refresh;
    form_add(&asking.form, "grant_type", STR("refresh_token"));
    form_add(&asking.form, "refresh_token", secret_expose(&old->refresh));
    return exchange(&asking, ret, err);
}

enum fail grant_refresh(struct grant *grant, const struct oauth_tokens *old,
                        struct oauth_tokens *ret, struct error *err)
{
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    enum fail failed = refresh_once(grant, old, &tokens, err);

    if (failed == FAIL_RETRY && err->is_outcome_unknown) {
        error_reset(err);
        failed = refresh_once(grant, old, &tokens, err);
    }
    if (failed != OK) {
        return failed;
    }
    if (!grant_account_equal(grant->client->provider, old->account, tokens.account)) {
        error_set(err, FAIL_CONNECTION, "the renewed token is of another account than before");
        return error_hint(err, "sign in again: crmsync connect %" PRI_STR,
                          STR_ARG(grant->client->connection));
    }
    if (secret_is_empty(&tokens.refresh)) {
        secret_set(&tokens.refresh, secret_expose(&old->refresh));
    }
    tokens.origin = kept(&tokens, tokens.origin, old->origin);
    tokens.account = kept(&tokens, tokens.account, old->account);
    tokens.scopes = kept(&tokens, tokens.scopes, old->scopes);
    *ret = tokens;
    tokens = (struct oauth_tokens){0};
    return OK;
}

static enum fail sign_assertion(const struct grant *grant, struct secret *ret, struct error *err)
{
    const struct oauth_client *client = grant->client;
    int64_t now_ms = clock_wall_ms(grant->env->clock) + grant->clock_offset_ms;
    struct jwt_claims claims = {.issuer = client->client_id,
                                .subject = client->username,
                                .audience = client->provider->jwt_audience
                                                ? str_of(client->provider->jwt_audience)
                                                : grant_token_origin(client),
                                .expires_s = now_ms / 1000 + ASSERTION_LIFE_S};

    return jwt_sign(client->private_key_file, &claims, ret, err);
}

static enum fail app_once(struct grant *grant, struct oauth_tokens *ret, struct error *err)
{
    AUTO_ASKING struct asking asking = {0};
    AUTO_SECRET struct secret assertion = {0};

    begin(&asking, grant, grant->client->provider->token_path);
    if (grant->client->grant == OAUTH_CLIENT_CREDENTIALS) {
        form_add(&asking.form, "grant_type", STR("client_credentials"));
        if (grant->client->scopes.len) {
            form_add(&asking.form, "scope", grant->client->scopes);
        }
        return exchange(&asking, ret, err);
    }
    if (sign_assertion(grant, &assertion, err) != OK) {
        return err->code;
    }
    asking.asked.sent[1] = &assertion;
    form_add(&asking.form, "grant_type", STR(JWT_BEARER));
    form_add(&asking.form, "assertion", secret_expose(&assertion));
    return exchange(&asking, ret, err);
}

static bool is_worth_another(const struct grant *grant, int64_t offset_before_ms,
                             const struct error *err)
{
    int64_t moved_ms = grant->clock_offset_ms - offset_before_ms;

    if (err->code == FAIL_RETRY) {
        return err->is_outcome_unknown;
    }
    return err->code == FAIL_AUTH && grant->client->grant == OAUTH_JWT_BEARER &&
           (moved_ms > CLOCK_NOISE_MS || moved_ms < -CLOCK_NOISE_MS);
}

enum fail grant_app(struct grant *grant, struct oauth_tokens *ret, struct error *err)
{
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    int64_t offset_before_ms = grant->clock_offset_ms;
    enum fail failed = app_once(grant, &tokens, err);

    if (failed != OK && is_worth_another(grant, offset_before_ms, err)) {
        error_reset(err);
        failed = app_once(grant, &tokens, err);
    }
    if (failed != OK || grant_origin_check(grant, tokens.origin, err) != OK) {
        return err->code;
    }
    *ret = tokens;
    tokens = (struct oauth_tokens){0};
    return OK;
}

enum fail grant_revoke(struct grant *grant, const struct oauth_tokens *tokens, bool *ret_done,
                       struct error *err)
{
    AUTO_ASKING struct asking asking = {0};
    bool has_refresh = !secret_is_empty(&tokens->refresh);
    const struct secret *token = has_refresh ? &tokens->refresh : &tokens->access;

    *ret_done = false;
    if (!grant->client->provider->revoke_path || secret_is_empty(token)) {
        return OK;
    }
    begin(&asking, grant, grant->client->provider->revoke_path);
    asking.asked.sent[1] = token;
    form_add(&asking.form, "token", secret_expose(token));
    form_add(&asking.form, "token_type_hint",
             has_refresh ? STR("refresh_token") : STR("access_token")); /* RFC 7009 2.1 */
    add_client(&asking);
    if (send_form(&asking, err) != OK) {
        return err->code;
    }
    *ret_done = true;
    return OK;
}
