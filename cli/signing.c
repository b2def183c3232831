#include "cli/signing.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/output.h"
#include "cli/variable.h"
#include "core/alloc.h"
#include "store/secret.h"

static enum fail secret_from_vault(struct wire *wire, int64_t connection_id, struct secret *ret,
                                   struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK ||
        vault_get(wire->vault, tx, connection_id, CLIENT_SECRET_NAME, ret, NULL, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail load_client_secret(struct wire *wire, size_t index, int64_t connection_id,
                                    struct error *err)
{
    const struct config_auth *auth = &wire->config.auths[index];
    struct str name = wire->config.connections[index].name;

    if (auth->grant == OAUTH_JWT_BEARER) {
        return OK;
    }
    if (auth->client_secret.len) {
        return variable_read(auth->client_secret, "the client secret",
                             "remove 'client_secret' and run 'crmsync connect'",
                             &wire->client_secrets[index], err);
    }
    if (secret_from_vault(wire, connection_id, &wire->client_secrets[index], err) != OK) {
        if (err->code == FAIL_AUTH) {
            error_set(err, FAIL_AUTH, "the app's client secret is not known here");
            error_hint(err, "run 'crmsync connect %" PRI_STR "', which asks for it", STR_ARG(name));
        }
        return err->code;
    }
    return OK;
}

static enum fail find_row(struct wire *wire, size_t index, struct store_connection *ret,
                          struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct str name = wire->config.connections[index].name;
    bool found;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_by_name(tx, name, &wire->arena, ret, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_AUTH, "nobody has signed in");
        return error_hint(err, "run 'crmsync connect %" PRI_STR "'", STR_ARG(name));
    }
    return tx_commit(&tx, err);
}

static struct oauth_client client_of(const struct wire *wire, size_t index)
{
    const struct config_auth *auth = &wire->config.auths[index];
    const struct connection_settings *settings = &wire->config.connections[index];

    return (struct oauth_client){.provider = settings->adapter->oauth,
                                 .grant = auth->grant,
                                 .connection = settings->name,
                                 .client_id = auth->client_id,
                                 .client_secret = &wire->client_secrets[index],
                                 .login_origin = auth->login_url,
                                 .redirect_uri = auth->redirect_uri,
                                 .scopes = auth->scopes,
                                 .username = auth->username,
                                 .private_key_file = auth->private_key_file};
}

static struct http_client *new_client(const struct wire *wire, const struct adapter *adapter)
{
    struct http_client_options options = {.allowed_hosts = adapter->allowed_hosts,
                                          .allow_loopback = wire->config.allow_loopback};

    while (adapter->allowed_hosts[options.allowed_hosts_count]) {
        options.allowed_hosts_count++;
    }
    return http_client_new(wire->cli->env, &options);
}

enum fail signing_connection(struct wire *wire, size_t index, struct oauth_connection *ret,
                             struct error *err)
{
    struct store_connection row = {0};

    if (find_row(wire, index, &row, err) != OK ||
        load_client_secret(wire, index, row.id, err) != OK) {
        return error_wrap(err, "connection '%" PRI_STR "'",
                          STR_ARG(wire->config.connections[index].name));
    }
    if (!wire->sign_in_http[index]) {
        wire->sign_in_http[index] = new_client(wire, wire->config.connections[index].adapter);
    }
    *ret =
        (struct oauth_connection){.env = wire->cli->env,
                                  .http = wire->sign_in_http[index],
                                  .vault = wire->vault,
                                  .store_path = arena_cstr(&wire->arena, wire->config.store_path),
                                  .tenant_id = wire->tenant_id,
                                  .connection_id = row.id,
                                  .client = client_of(wire, index)};
    return OK;
}

enum fail signing_identify(void *context, struct http_auth *auth, struct arena *arena,
                           struct signin_account *ret, struct error *err)
{
    const struct signing *signing = context;
    const struct adapter *adapter = signing->wire->config.connections[signing->index].adapter;
    struct account account = wire_account(signing->wire, signing->index, NULL, auth);
    struct account_facts facts = {0};
    struct session *session = NULL;

    if (adapter->open(signing->wire->cli->env, signing->wire->http, &account, &session, err) !=
        OK) {
        return err->code;
    }
    if (adapter->check(session, arena, &facts, err) == OK) {
        *ret = (struct signin_account){.id = arena_str(arena, facts.account_id),
                                       .title = arena_str(arena, facts.title)};
    }
    adapter->close(session);
    return err->code;
}

/* --- for people ---------------------------------------------------------------------------------------------- */

static struct str shown_auth(struct wire *wire, struct tx *tx, size_t index,
                             const struct store_connection *row)
{
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    const struct oauth_client client = client_of(wire, index);
    const char *grant = grant_name(client.grant);
    struct error ignored = {0};
    int64_t generation;
    bool found = false;

    if (!wire->vault && vault_open(arena_cstr(&wire->arena, wire->config.key_file), wire->cli->env,
                                   &wire->vault, &ignored) != OK) {
        return arena_printf(&wire->arena, "%s, the key is not there", grant);
    }
    if (tokens_load(wire->vault, tx, row->id, &client, &tokens, &generation, &found, &ignored) !=
        OK) {
        return arena_printf(&wire->arena, "%s, the token cannot be opened", grant);
    }
    if (!found) {
        return arena_printf(&wire->arena, "%s, not signed in", grant);
    }
    if (!tokens.expires_ms) {
        return arena_printf(&wire->arena, "%s, token since %" PRI_STR, grant,
                            STR_ARG(time_text(&wire->arena, tokens.received_ms)));
    }
    return arena_printf(&wire->arena, "%s, token until %" PRI_STR "%s", grant,
                        STR_ARG(time_text(&wire->arena, tokens.expires_ms)),
                        secret_is_empty(&tokens.refresh) ? "" : ", renewed by itself");
}

struct str signing_shown(struct wire *wire, struct tx *tx, size_t index,
                         const struct store_connection *row)
{
    const struct config_token *written = &wire->config.tokens[index];
    struct store_secret secret;
    struct error ignored = {0};
    bool found = false;

    if (wire->config.auths[index].is_used) {
        return shown_auth(wire, tx, index, row);
    }
    if (written->value.len) {
        return arena_printf(&wire->arena, "token of %" PRI_STR, STR_ARG(written->value));
    }
    if (written->file.len) {
        return arena_printf(&wire->arena, "token of file '%" PRI_STR "'", STR_ARG(written->file));
    }
    if (row->id &&
        secret_find(tx, row->id, STR("token"), &wire->arena, &secret, &found, &ignored) == OK &&
        found) {
        return STR("token in the store");
    }
    return STR("no token");
}
