#include "cli/wire.h"

#include <assert.h>
#include <stdlib.h>

#include "cli/signing.h"
#include "cli/variable.h"
#include "core/alloc.h"
#include "core/private_file.h"
#include "http/transport.h"
#include "oauth/app_token.h"
#include "oauth/keys.h"

enum { HOSTS_MAX = 64 };

enum fail wire_config(struct cli *cli, struct wire *ret, struct error *err)
{
    *ret = (struct wire){.cli = cli};
    if (config_load(&ret->arena, cli->config_path, &ret->config, err) != OK || !cli->tenant) {
        return err->code;
    }
    return config_select(&ret->config, str_of(cli->tenant), err);
}

struct str wire_tenant_name(const struct wire *wire)
{
    return wire->config.tenants[wire->config.tenant].name;
}

/* Reading does not make a tenant; a handle beside it does. */
static enum fail make_tenant(const struct store_options *reading, struct env *env, struct str name,
                             int64_t *ret_id, struct error *err)
{
    struct store_options options = {
        .path = reading->path, .access = STORE_SHARED, .holder = reading->holder};
    struct store *store = NULL;
    bool found;
    enum fail failed = store_open(&options, env, &store, err);

    if (failed == OK) {
        failed = store_tenant(store, name, true, ret_id, &found, err);
    }
    store_close(store);
    return failed;
}

/* A tenant of the configuration has its row from its first command on. */
static enum fail find_tenant(struct wire *wire, const struct store_options *options,
                             struct error *err)
{
    struct str name = wire_tenant_name(wire);
    bool found = true;

    wire->tenant_id = TENANT_DEFAULT;
    if (wire->config.tenant == 0) {
        return OK;
    }
    if (store_tenant(wire->store, name, options->access != STORE_READ, &wire->tenant_id, &found,
                     err) != OK) {
        return err->code;
    }
    return found ? OK : make_tenant(options, wire->cli->env, name, &wire->tenant_id, err);
}

enum fail wire_open_store(struct wire *wire, enum store_access access, const char *holder,
                          struct error *err)
{
    struct store_options options = {.path = arena_cstr(&wire->arena, wire->config.store_path),
                                    .access = access,
                                    .holder = holder};

    if (store_open(&options, wire->cli->env, &wire->store, err) != OK) {
        return err->code;
    }
    return find_tenant(wire, &options, err);
}

enum fail wire_store(struct cli *cli, enum store_access access, const char *holder,
                     struct wire *ret, struct error *err)
{
    if (wire_config(cli, ret, err) != OK) {
        return err->code;
    }
    return wire_open_store(ret, access, holder, err);
}

static bool is_in_use(const struct config *config, const struct adapter *adapter)
{
    for (size_t t = 0; t < config->tenants_count; t++) {
        const struct sync_settings *settings = &config->tenants[t].settings;

        for (size_t i = 0; i < settings->connections_count; i++) {
            if (settings->connections[i].adapter == adapter) {
                return true;
            }
        }
    }
    return false;
}

/* Every host that an adapter in use talks to, and the configured base_url hosts are checked against the same list. */
static size_t allowed_hosts(const struct wire *wire, const char *ret[HOSTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; adapters[i]; i++) {
        const char *const *hosts = adapters[i]->allowed_hosts;

        for (size_t k = 0; is_in_use(&wire->config, adapters[i]) && hosts[k]; k++) {
            assert(count < HOSTS_MAX);
            ret[count++] = hosts[k];
        }
    }
    return count;
}

enum fail wire_vault(struct wire *wire, struct error *err)
{
    const char *key_file = arena_cstr(&wire->arena, wire->config.key_file);

    if (vault_open(key_file, wire->cli->env, &wire->vault, err) != OK) {
        return err->code;
    }
    return vault_settle(wire->vault, wire->store, err);
}

struct http_client *wire_new_http(const struct wire *wire)
{
    const char *hosts[HOSTS_MAX];
    struct http_client_options options = {.allowed_hosts = hosts,
                                          .allowed_hosts_count = allowed_hosts(wire, hosts),
                                          .allow_loopback = wire->config.allow_loopback};

    return http_client_new(wire->cli->env, &options);
}

static void make_room(struct wire *wire)
{
    wire->connections_count = wire->config.settings.connections_count;
    wire->connections = ARENA_ARRAY(&wire->arena, struct sync_connection, wire->connections_count);
    wire->tokens = ARENA_ARRAY(&wire->arena, struct secret, wire->connections_count);
    wire->client_secrets = ARENA_ARRAY(&wire->arena, struct secret, wire->connections_count);
    wire->keepers = ARENA_ARRAY(&wire->arena, struct keeper *, wire->connections_count);
    wire->app_tokens = ARENA_ARRAY(&wire->arena, struct app_token *, wire->connections_count);
    wire->sign_in_http = ARENA_ARRAY(&wire->arena, struct http_client *, wire->connections_count);
    for (size_t i = 0; i < wire->connections_count; i++) {
        wire->connections[i].settings = &wire->config.connections[i];
    }
}

enum fail wire_transport(struct wire *wire, struct error *err)
{
    struct transport_live_options live = {.allow_loopback = wire->config.allow_loopback};

    if (transport_new_live(&live, wire->cli->env->clock, &wire->transport, err) != OK) {
        return err->code;
    }
    wire->cli->env->transport = wire->transport;
    return OK;
}

enum fail wire_network(struct wire *wire, struct error *err)
{
    if (wire_transport(wire, err) != OK || wire_vault(wire, err) != OK) {
        return err->code;
    }
    wire->http = wire_new_http(wire);
    make_room(wire);
    return OK;
}

enum fail wire_beside(const struct wire *base, struct store *store, size_t tenant, struct wire *ret,
                      struct error *err)
{
    struct str name = base->config.tenants[tenant].name;
    bool found;

    *ret = (struct wire){.cli = base->cli,
                         .is_beside = true,
                         .config = base->config,
                         .store = store,
                         .vault = base->vault,
                         .transport = base->transport};
    if (config_select(&ret->config, name, err) != OK ||
        store_tenant(store, name, true, &ret->tenant_id, &found, err) != OK) {
        return err->code;
    }
    make_room(ret);
    return OK;
}

static enum fail token_from_file(struct wire *wire, struct str path, struct secret *ret,
                                 struct error *err)
{
    AUTO_SECRET struct secret whole = {0};

    if (private_file_read(arena_cstr(&wire->arena, path), "token file", &whole, err) != OK) {
        return err->code;
    }
    secret_set(ret, str_trim(secret_expose(&whole)));
    return OK;
}

enum fail wire_load_row(struct wire *wire, size_t index, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct connection_settings *settings = &wire->config.connections[index];

    if (wire_begin(wire, &tx, err) != OK ||
        connection_ensure(tx, settings->name, str_of(settings->adapter->name), &wire->arena,
                          &wire->connections[index].row, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail token_from_vault(struct wire *wire, size_t index, struct secret *ret,
                                  struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK ||
        vault_get(wire->vault, tx, wire->connections[index].row.id, "token", ret, NULL, err) !=
            OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail load_token(struct wire *wire, size_t index, struct error *err)
{
    const struct config_token *written = &wire->config.tokens[index];
    struct str name = wire->config.connections[index].name;
    enum fail failed;

    if (written->value.len) {
        failed =
            variable_read(written->value, "the token", "remove 'token' and run 'crmsync connect'",
                          &wire->tokens[index], err);
    } else if (written->file.len) {
        failed = token_from_file(wire, written->file, &wire->tokens[index], err);
    } else {
        failed = token_from_vault(wire, index, &wire->tokens[index], err);
        if (failed == FAIL_AUTH) {
            error_hint(err, "run 'crmsync connect %" PRI_STR "'", STR_ARG(name));
        }
    }
    return failed ? error_wrap(err, "connection '%" PRI_STR "'", STR_ARG(name)) : OK;
}

/* Kinds that the mapping places at custom objects of the account. */
static size_t custom_objects(struct wire *wire, size_t index, const struct adapter_object **ret)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    const struct mappings *mappings = settings->mappings;
    struct adapter_object *objects =
        ARENA_ARRAY(&wire->arena, struct adapter_object, mappings->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < mappings->count; i++) {
        const struct mapping *mapping = &mappings->at[i];

        if (mapping->object.len) {
            /* Our key is made unique there, as at the CRM's own objects. */
            objects[count++] = (struct adapter_object){
                .kind = arena_cstr(&wire->arena, mapping->kind->name),
                .object = arena_cstr(&wire->arena, mapping->object),
                .title = arena_cstr(&wire->arena, mapping->kind->name),
                .traits = settings->adapter->objects[0].traits & OBJECT_UNIQUE_KEY};
        }
    }
    *ret = count ? objects : NULL;
    return count;
}

struct account wire_account(struct wire *wire, size_t index, const struct secret *token,
                            struct http_auth *auth)
{
    static const struct secret NONE = {0};
    const struct connection_settings *settings = &wire->config.connections[index];
    struct account account = {.connection = settings->name.at,
                              .base_url = settings->base_url,
                              .api_version = settings->api_version,
                              .token = token ? token : &NONE,
                              .token_is_oauth = settings->token_is_oauth,
                              .auth = auth,
                              .lane = LANE_INTERACTIVE,
                              .wants_events = settings->wants_events};

    account.objects_count = custom_objects(wire, index, &account.objects);
    return account;
}

/* The token or whoever keeps it. */
static enum fail load_credential(struct wire *wire, size_t index, struct http_auth **ret_auth,
                                 struct error *err)
{
    struct oauth_connection connection;

    *ret_auth = NULL;
    if (!wire->config.auths[index].is_used) {
        return load_token(wire, index, err);
    }
    if (!wire->keepers[index]) {
        if (signing_connection(wire, index, &connection, err) != OK) {
            return err->code;
        }
        wire->keepers[index] = keeper_new(&connection);
        if (connection.client.provider->app_token_path && !wire->app_tokens[index]) {
            wire->app_tokens[index] = app_token_new(&connection);
        }
    }
    *ret_auth = keeper_auth(wire->keepers[index]);
    return OK;
}

enum fail wire_open(struct wire *wire, size_t index, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    struct http_auth *auth;
    struct account account;

    if (wire_load_row(wire, index, err) != OK || load_credential(wire, index, &auth, err) != OK) {
        return err->code;
    }
    if (settings->base_url.len && http_url_check(wire->http, settings->base_url, err) != OK) {
        return error_wrap(err, "connection '%" PRI_STR "'", STR_ARG(settings->name));
    }
    account = wire_account(wire, index, &wire->tokens[index], auth);
    account.app_auth = wire->app_tokens[index] ? app_token_auth(wire->app_tokens[index]) : NULL;
    return settings->adapter->open(wire->cli->env, wire->http, &account,
                                   &wire->connections[index].session, err);
}

void wire_close(struct wire *wire)
{
    for (size_t i = 0; i < wire->connections_count; i++) {
        if (wire->connections[i].session) {
            wire->connections[i].settings->adapter->close(wire->connections[i].session);
        }
        keeper_free(wire->keepers[i]);
        app_token_free(wire->app_tokens[i]);
        http_client_free(wire->sign_in_http[i]);
        secret_fini(&wire->client_secrets[i]);
        secret_fini(&wire->tokens[i]);
    }
    http_client_free(wire->http);
    if (!wire->is_beside) {
        transport_free(wire->transport);
        if (wire->cli) {
            wire->cli->env->transport = NULL;
        }
        vault_free(wire->vault);
        store_close(wire->store);
    }
    arena_fini(&wire->arena);
    *wire = (struct wire){0};
}

enum fail wire_find(const struct wire *wire, struct str name, size_t *ret, struct error *err)
{
    AUTO_BUF struct buf names = {0};
    size_t index = config_find(&wire->config, name);

    if (index != SIZE_MAX) {
        *ret = index;
        return OK;
    }
    buf_init(&names, 4096);
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        buf_addf(&names, "%s%" PRI_STR, i ? ", " : "", STR_ARG(wire->config.connections[i].name));
    }
    error_set(err, FAIL_CONFIG, "no connection '%" PRI_STR "' in %" PRI_STR, STR_ARG(name),
              STR_ARG(wire->config.path));
    return error_hint(err, "there are: %" PRI_STR, STR_ARG(buf_str(&names)));
}

struct edit wire_edit(struct wire *wire)
{
    return (struct edit){.env = wire->cli->env,
                         .store = wire->store,
                         .tenant_id = wire->tenant_id,
                         .kinds = &wire->config.kinds};
}

enum fail wire_begin(struct wire *wire, struct tx **ret, struct error *err)
{
    return tx_begin(wire->store, wire->tenant_id, ret, err);
}
