#include "oauth/tokens.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "core/jx.h"

/* The tree's own memory: jansson frees without wiping. */
static void wipe_member(const json_t *document, const char *name)
{
    json_t *value = jx_get(document, name);

    if (json_is_string(value)) {
        OPENSSL_cleanse((char *)json_string_value(value), json_string_length(value));
    }
}

static void wipe(const json_t *document)
{
    wipe_member(document, "access");
    wipe_member(document, "refresh");
}

static void set_text(json_t *document, const char *name, struct str text)
{
    json_object_set_new(document, name, json_stringn(text.at ? text.at : "", text.len));
}

static json_t *document_of(const struct oauth_client *client, const struct oauth_tokens *tokens)
{
    json_t *document = json_object();

    set_text(document, "grant", str_of(grant_name(client->grant)));
    set_text(document, "client_id", client->client_id);
    set_text(document, "server", grant_token_origin(client));
    set_text(document, "username", client->username);
    set_text(document, "access", secret_expose(&tokens->access));
    set_text(document, "refresh", secret_expose(&tokens->refresh));
    json_object_set_new(document, "expires_ms", json_integer(tokens->expires_ms));
    json_object_set_new(document, "received_ms", json_integer(tokens->received_ms));
    set_text(document, "origin", tokens->origin);
    set_text(document, "account", tokens->account);
    set_text(document, "scopes", tokens->scopes);
    return document;
}

enum fail tokens_put(struct vault *vault, struct tx *tx, int64_t connection_id,
                     const struct oauth_client *client, const struct oauth_tokens *tokens,
                     int64_t expected_generation, int64_t *ret_generation, struct error *err)
{
    AUTO_SECRET struct secret sealed = {0};
    json_t *document = document_of(client, tokens);
    char *text = json_dumps(document, JSON_COMPACT);
    struct str whole = str_of(text);

    wipe(document);
    json_decref(document);
    if (!text) { /* out of memory, or a text that is not UTF-8: tokens are ASCII, the others came out of JSON */
        abort();
    }
    secret_set(&sealed, whole);
    OPENSSL_cleanse(text, whole.len);
    free(text);
    return vault_put_if(vault, tx, connection_id, TOKENS_NAME, &sealed, expected_generation,
                        ret_generation, err);
}

static enum fail read_texts(const json_t *document, struct oauth_tokens *ret, struct error *err)
{
    struct str access, refresh, origin, account, scopes;

    if (jx_str(document, "access", &access, err) != OK ||
        jx_str(document, "refresh", &refresh, err) != OK ||
        jx_str(document, "origin", &origin, err) != OK ||
        jx_str(document, "account", &account, err) != OK ||
        jx_str(document, "scopes", &scopes, err) != OK ||
        jx_i64_or(document, "expires_ms", 0, &ret->expires_ms, err) != OK ||
        jx_i64_or(document, "received_ms", 0, &ret->received_ms, err) != OK) {
        return err->code;
    }
    secret_set(&ret->access, access);
    secret_set(&ret->refresh, refresh);
    ret->origin = arena_str(&ret->arena, origin);
    ret->account = arena_str(&ret->arena, account);
    ret->scopes = arena_str(&ret->arena, scopes);
    return OK;
}

static bool is_of(const json_t *document, const struct oauth_client *client)
{
    return str_equal(jx_text_of(jx_get(document, "grant")), str_of(grant_name(client->grant))) &&
           str_equal(jx_text_of(jx_get(document, "client_id")), client->client_id) &&
           str_equal(jx_text_of(jx_get(document, "server")), grant_token_origin(client)) &&
           str_equal(jx_text_of(jx_get(document, "username")), client->username);
}

static enum fail read_document(const struct secret *sealed, const struct oauth_client *client,
                               struct oauth_tokens *ret, bool *ret_found, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    json_t *document = NULL;
    enum fail failed = jx_parse(&arena, secret_expose(sealed), &document, err);

    *ret_found = failed == OK && is_of(document, client);
    if (*ret_found) {
        failed = read_texts(document, &tokens, err);
    }
    wipe(document);
    if (failed != OK) {
        return error_set(err, FAIL_BUG, "the sealed tokens cannot be read");
    }
    if (*ret_found) {
        *ret = tokens;
        tokens = (struct oauth_tokens){0};
    }
    return OK;
}

enum fail tokens_load(struct vault *vault, struct tx *tx, int64_t connection_id,
                      const struct oauth_client *client, struct oauth_tokens *ret,
                      int64_t *ret_generation, bool *ret_found, struct error *err)
{
    AUTO_SECRET struct secret sealed = {0};
    enum fail failed;

    *ret_found = false;
    *ret_generation = 0;
    failed = vault_get(vault, tx, connection_id, TOKENS_NAME, &sealed, ret_generation, err);
    if (failed == FAIL_AUTH) { /* there is none */
        error_reset(err);
        return OK;
    }
    return failed ? failed : read_document(&sealed, client, ret, ret_found, err);
}
