#include "oauth/grant_answer.h"

#include <inttypes.h>
#include <openssl/crypto.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/jx.h"
#include "core/when.h"

enum {
    WORD_BYTES_MAX = 60,
    TEXT_BYTES_MAX = 160,
    SCOPES_BYTES_MAX = 8192,
    PIECE_BYTES = 12, /* of a secret, that are not shown either */
    RETRY_AFTER_OTHERWISE_MS = 10 * 1000,
    CLOCK_NOISE_MS = 30 * 1000,
    LIFE_S_MAX = 366 * 24 * 60 * 60,
    ORGANISATION_BYTES = 15, /* the part of an 18 character Salesforce id that identifies */
};

/* --- refusals ------------------------------------------------------------------------------------------------ */

/* One way a sign-in server says no. The first row fits whose word is the answer's "error" and whose part is in its description; "" fits every one. */
struct refusal {
    const char *word, *part;
    enum fail code;
    const char *why;
    const char *hint; /* "%s" stands for the connection's name */
};

#define SIGN_IN "run 'crmsync connect %s'"

/* Words: RFC 6749 5.2. Parts: Salesforce, reference "OAuth 2.0" (HELP remoteaccess_oauth_flow_errors, WEB striim, GH simple-salesforce). */
static const struct refusal REFUSALS[] = {
    {"", "no client credentials user enabled", FAIL_CONNECTION, "the app has no user to act as",
     "an administrator chooses a 'Run As' user in the app's client credentials policy"},
    {"", "approved this consumer", FAIL_CONNECTION, "the user has not been allowed to use the app",
     "an administrator sets the app's policy to 'admin approved users are pre-authorized' and adds "
     "the user's profile or permission set"},
    {"", "audience is invalid", FAIL_CONFIG,
     "the assertion names another audience than the server expects",
     "set 'login_url' of the connection: https://login.salesforce.com, or "
     "https://test.salesforce.com for a sandbox"},
    {"", "request not supported on this domain", FAIL_CONFIG,
     "this grant is not available at that host",
     "set 'login_url' of the connection to your own domain, https://NAME.my.salesforce.com"},
    {"invalid_grant", "", FAIL_AUTH, "what was granted has ended or was taken back", SIGN_IN},
    {"invalid_client", "", FAIL_CONFIG, "client id or secret are not right",
     "correct 'client_id', and run 'crmsync connect %s --secret' to enter the secret anew"},
    {"invalid_client_id", "", FAIL_CONFIG, "there is no app with this client id",
     "correct 'client_id' of connection '%s'; a new app may need some minutes to be known"},
    {"invalid_client_credentials", "", FAIL_CONFIG, "the client secret is not right",
     "run 'crmsync connect %s --secret' to enter it anew"},
    {"redirect_uri_mismatch", "", FAIL_CONFIG, "the app does not know this redirect address",
     "enter 'redirect_uri' of connection '%s' at the app, exactly as it is written"},
    {"invalid_scope", "", FAIL_CONFIG, "the app may not ask for one of the scopes",
     "correct 'scopes' of connection '%s', or add them to the app"},
    {"unauthorized_client", "", FAIL_CONNECTION, "the app may not use this grant",
     "an administrator enables the grant for the app"},
    {"unsupported_grant_type", "", FAIL_CONNECTION, "the server does not know this grant",
     "an administrator enables the grant for the app, or choose another 'grant'"},
    {"server_error", "", FAIL_RETRY, "the server had an error", ""},
    {"temporarily_unavailable", "", FAIL_RETRY, "the server is not available now", ""},
};

/* Pipedrive's older texts have no word of their own (reference 1.3, D-oauthcodes). */
static struct str word_of(const json_t *body)
{
    struct str word = jx_text_of(jx_get(body, "error"));
    struct str message = jx_text_of(jx_get(body, "message"));

    message = message.len ? message : word;
    if (str_starts(message, STR("Invalid grant"))) {
        return STR("invalid_grant");
    }
    if (str_starts(message, STR("Invalid client"))) {
        return STR("invalid_client");
    }
    return word;
}

static bool is_plain(struct str text, size_t bytes_max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~') {
            return false;
        }
    }
    return text.len > 0 && text.len <= bytes_max;
}

static bool holds_piece(struct str text, struct str secret)
{
    size_t len = secret.len < PIECE_BYTES ? secret.len : PIECE_BYTES;

    for (size_t i = 0; len && i + len <= secret.len; i++) {
        if (str_contains(text, str_slice(secret, i, i + len))) {
            return true;
        }
    }
    return false;
}

/* A server may repeat what it was sent, or a part of it, or have it escaped in between. */
static bool holds_secret(const struct grant_asked *asked, struct str text)
{
    for (size_t i = 0; i < COUNT_OF(asked->sent); i++) {
        if (asked->sent[i] && holds_piece(text, secret_expose(asked->sent[i]))) {
            return true;
        }
    }
    return false;
}

static struct str shown(const struct grant_asked *asked, struct str text, size_t bytes_max)
{
    return is_plain(text, bytes_max) && !holds_secret(asked, text) ? text : STR("");
}

static struct str description_of(const json_t *body)
{
    struct str text = jx_text_of(jx_get(body, "error_description"));

    return text.len ? text : jx_text_of(jx_get(body, "message"));
}

static void add_clock(const struct grant_asked *asked, const struct http_response *response,
                      struct error *err)
{
    int64_t offset_ms = grant_answer_offset_ms(response, asked->clock_offset_ms);
    int64_t off_s = (offset_ms - asked->clock_offset_ms) / 1000;

    if (asked->client->grant != OAUTH_JWT_BEARER || err->code != FAIL_AUTH) {
        return;
    }
    if (offset_ms - asked->clock_offset_ms > CLOCK_NOISE_MS ||
        asked->clock_offset_ms - offset_ms > CLOCK_NOISE_MS) {
        error_wrap(err, "the clock of this machine is %" PRId64 " s %s the server's",
                   off_s < 0 ? -off_s : off_s, off_s < 0 ? "ahead of" : "behind");
        error_hint(err, "set the clock right: an assertion is good for some minutes only");
        return;
    }
    error_hint(err, "check 'username', that the user is active, and that the certificate of "
                    "'private_key_file' is the one that the app holds");
}

static enum fail refuse(const struct grant_asked *asked, const struct http_response *response,
                        const json_t *body, struct error *err)
{
    struct str word = word_of(body), text = description_of(body);
    const struct refusal *found = NULL;

    for (size_t i = 0; i < COUNT_OF(REFUSALS) && !found; i++) {
        const struct refusal *row = &REFUSALS[i];

        if ((!row->word[0] || str_equal(word, str_of(row->word))) &&
            str_contains(text, str_of(row->part))) {
            found = row;
        }
    }
    word = shown(asked, word, WORD_BYTES_MAX);
    text = shown(asked, text, TEXT_BYTES_MAX);
    error_set(err, found ? found->code : FAIL_CONNECTION,
              "the sign-in server refused: %s (%" PRI_STR "%s%" PRI_STR ")",
              found ? (asked->is_code && found->code == FAIL_AUTH
                           ? "the code was used before, is too old, or belongs to another sign-in"
                           : found->why)
                    : "for a reason of its own",
              STR_ARG(word.len ? word : STR("no reason given")), text.len ? ": " : "",
              STR_ARG(text));
    if (found && found->hint[0]) {
        AUTO_BUF struct buf hint = {0};
        struct str rest = str_of(found->hint);
        struct str before = str_cut(&rest, '%'); /* the only one is that of "%s" */

        buf_init(&hint, ERROR_HINT_BYTES);
        buf_add(&hint, before);
        if (rest.at) {
            buf_add(&hint, asked->client->connection);
            buf_add(&hint, str_slice(rest, 1, rest.len));
        }
        error_hint(err, "%" PRI_STR, STR_ARG(buf_str(&hint)));
    }
    add_clock(asked, response, err);
    return err->code;
}

/* --- grading ------------------------------------------------------------------------------------------------- */

static enum fail throttled(const struct http_response *response, struct error *err)
{
    error_set(err, FAIL_THROTTLED, "the sign-in server asks to wait");
    err->wait_ms =
        http_retry_after_ms(&response->headers, response->ended_ms, RETRY_AFTER_OTHERWISE_MS);
    return FAIL_THROTTLED;
}

static enum fail not_there(const struct http_response *response, struct error *err)
{
    error_set(err, FAIL_CONFIG, "the sign-in server has no token endpoint there (status %d)",
              response->status);
    return error_hint(err, "correct 'login_url' of the connection");
}

enum fail grant_answer_classify(const struct grant_asked *asked,
                                const struct http_response *response, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct error ignored = {0};
    json_t *body = NULL;

    if (response->status >= 200 && response->status < 300) {
        return OK;
    }
    if (response->status == 429) {
        return throttled(response, err);
    }
    if (response->status >= 500 || response->status == 408) {
        return error_set(err, FAIL_RETRY, "the sign-in server had an error (status %d)",
                         response->status);
    }
    if (response->status < 400) {
        return not_there(response, err); /* a redirect is never followed */
    }
    if (jx_parse(&arena, response->body, &body, &ignored) == OK && json_is_object(body) &&
        word_of(body).len) {
        return refuse(asked, response, body, err);
    }
    if (response->status == 404 || response->status == 405) {
        return not_there(response, err);
    }
    /* A gate in front of the server: it says nothing about the grant. */
    return error_set(err, FAIL_RETRY, "the sign-in server answered with status %d and no reason",
                     response->status);
}

int64_t grant_answer_offset_ms(const struct http_response *response, int64_t otherwise_ms)
{
    int64_t server_ms;

    return when_parse_http_ms(http_header_get(&response->headers, "Date"), &server_ms)
               ? server_ms - response->ended_ms
               : otherwise_ms;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

/* The tree's own memory: jansson frees without wiping. */
static void wipe_member(const json_t *body, const char *name)
{
    json_t *value = jx_get(body, name);

    if (json_is_string(value)) {
        OPENSSL_cleanse((char *)json_string_value(value), json_string_length(value));
    }
}

/* It becomes a header: printable, without blanks. */
static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~') {
            return false;
        }
    }
    return text.len <= GRANT_TOKEN_BYTES_MAX;
}

static enum fail read_secret(const json_t *body, const char *name, bool is_required,
                             struct secret *ret, struct error *err)
{
    struct str text;

    if (jx_str_or(body, name, STR(""), &text, err) != OK) {
        return err->code;
    }
    if (!is_token(text) || (is_required && text.len == 0)) {
        return error_set(err, FAIL_RETRY, "%s: missing, too long or no token", name);
    }
    secret_set(ret, text);
    return OK;
}

/* Only what a scope may be written with (RFC 6749 3.3) is kept; the rest separates, as commas do. */
static void add_scopes(struct buf *all, struct str text)
{
    if (all->len) {
        buf_add_char(all, ' ');
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_of_scope = text.at[i] > ' ' && text.at[i] <= '~' && text.at[i] != ',';

        buf_add_char(all, is_of_scope ? text.at[i] : ' ');
    }
}

/* One text, or a list of texts; separated by commas or blanks (reference pipedrive 1.3, hubspot 2). */
static enum fail read_scopes(const json_t *body, struct oauth_tokens *ret, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    struct str one;
    json_t *list;

    if (jx_str_or(body, "scope", STR(""), &one, err) != OK ||
        jx_array_or_null(body, "scopes", &list, err) != OK) {
        return err->code;
    }
    buf_init(&text, SCOPES_BYTES_MAX);
    add_scopes(&text, one);
    for (size_t i = 0; i < json_array_size(list); i++) {
        add_scopes(&text, jx_text_of(json_array_get(list, i)));
    }
    ret->scopes = arena_str(&ret->arena, buf_str(&text));
    return OK;
}

/* ".../id/ORGANISATION/USER" */
static struct str organisation_of(struct str identity)
{
    struct str part = STR_NONE, before = STR_NONE;

    for (struct str rest = identity; rest.at;) {
        before = part;
        part = str_cut(&rest, '/');
    }
    return before;
}

static enum fail read_account(const struct oauth_provider *provider, const json_t *body,
                              struct oauth_tokens *ret, struct error *err)
{
    struct str text = STR("");

    switch (provider->account) {
    case OAUTH_ACCOUNT_UNSAID:
        break;
    case OAUTH_ACCOUNT_HUB_ID: /* not in every answer */
        if (jx_id_or(&ret->arena, body, "hub_id", STR(""), &text, err) != OK) {
            return err->code;
        }
        break;
    case OAUTH_ACCOUNT_IDENTITY:
        if (jx_str(body, "id", &text, err) != OK) {
            return err->code;
        }
        text = organisation_of(text);
        if (text.len < ORGANISATION_BYTES) {
            return error_set(err, FAIL_RETRY, "id: names no organisation");
        }
        break;
    }
    ret->account = arena_str(&ret->arena, text);
    return OK;
}

/* source: Salesforce, base64(HMAC-SHA256(client secret, id + issued_at)) [FORUM 906F000000099zZIAQ]. */
static enum fail check_signature(const struct grant_asked *asked, const json_t *body,
                                 struct oauth_tokens *ret, struct error *err)
{
    struct str id, issued_at, signature, message, given;
    uint8_t mac[SHA256_BYTES];

    if (!asked->client->provider->is_signed || asked->client->grant == OAUTH_JWT_BEARER) {
        return OK; /* an app with a key has no secret to check with */
    }
    if (jx_str(body, "id", &id, err) != OK || jx_str(body, "issued_at", &issued_at, err) != OK ||
        jx_str(body, "signature", &signature, err) != OK) {
        return err->code;
    }
    message = arena_printf(&ret->arena, "%" PRI_STR "%" PRI_STR, STR_ARG(id), STR_ARG(issued_at));
    hmac_sha256(secret_expose(asked->client->client_secret), message, mac);
    if (base64_decode(&ret->arena, signature, &given) && given.len == sizeof mac &&
        CRYPTO_memcmp(given.at, mac, sizeof mac) == 0) {
        return OK;
    }
    error_set(err, FAIL_CONNECTION, "the token answer's signature does not fit the client secret");
    return error_hint(err,
                      "run 'crmsync connect %" PRI_STR " --secret' to enter the secret anew; "
                      "if it is right, the answer was not the CRM's",
                      STR_ARG(asked->client->connection));
}

static enum fail read_life(const json_t *body, const struct http_response *response,
                           struct oauth_tokens *ret, struct error *err)
{
    int64_t life_s;

    if (jx_i64_or(body, "expires_in", 0, &life_s, err) != OK) {
        return err->code;
    }
    if (life_s < 0 || life_s > LIFE_S_MAX) {
        return error_set(err, FAIL_RETRY, "expires_in: no sensible number of seconds");
    }
    ret->received_ms = response->ended_ms;
    /* Counted from when it was asked for, so that a slow answer does not lengthen it. */
    ret->expires_ms = life_s ? response->began_ms + 1000 * life_s : 0;
    return OK;
}

static enum fail read_origin(const struct oauth_provider *provider, const json_t *body,
                             struct oauth_tokens *ret, struct error *err)
{
    struct str origin = STR("");

    if (provider->origin_member &&
        jx_str_or(body, provider->origin_member, STR(""), &origin, err) != OK) {
        return err->code;
    }
    if (str_ends(origin, STR("/"))) {
        origin.len--;
    }
    if (origin.len >= HTTP_ORIGIN_BYTES) {
        return error_set(err, FAIL_RETRY, "%s: too long", provider->origin_member);
    }
    ret->origin = arena_str(&ret->arena, origin);
    return OK;
}

static enum fail check_type(const json_t *body, struct error *err)
{
    struct str type;

    if (jx_str_or(body, "token_type", STR("Bearer"), &type, err) != OK) {
        return err->code;
    }
    return str_equal_nocase(type, STR("Bearer"))
               ? OK
               : error_set(err, FAIL_CONNECTION, "the token is of another type than Bearer");
}

static enum fail read_all(const struct grant_asked *asked, const json_t *body,
                          const struct http_response *response, struct oauth_tokens *ret,
                          struct error *err)
{
    const struct oauth_provider *provider = asked->client->provider;

    if (!json_is_object(body)) {
        return error_set(err, FAIL_RETRY, "no object");
    }
    if (read_secret(body, "access_token", true, &ret->access, err) != OK ||
        read_secret(body, "refresh_token", false, &ret->refresh, err) != OK ||
        check_type(body, err) != OK || check_signature(asked, body, ret, err) != OK ||
        read_life(body, response, ret, err) != OK || read_account(provider, body, ret, err) != OK ||
        read_origin(provider, body, ret, err) != OK) {
        return err->code;
    }
    return read_scopes(body, ret, err);
}

enum fail grant_answer_read(const struct grant_asked *asked, const struct http_response *response,
                            struct oauth_tokens *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    json_t *body = NULL;
    enum fail failed = jx_parse(&arena, response->body, &body, err);

    failed = failed ? failed : read_all(asked, body, response, &tokens, err);
    wipe_member(body, "access_token");
    wipe_member(body, "refresh_token");
    if (failed == FAIL_CONNECTION) {
        return failed;
    }
    if (failed !=
        OK) { /* it may have been made all the same, and its tokens be lost with the answer */
        err->code = FAIL_RETRY;
        err->is_outcome_unknown = true;
        return error_wrap(err, "cannot read the answer of the sign-in server");
    }
    *ret = tokens;
    tokens = (struct oauth_tokens){0};
    return OK;
}
