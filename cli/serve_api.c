#include "cli/serve_api.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/callback.h"
#include "cli/config_places.h"
#include "cli/inspection.h"
#include "cli/ready.h"
#include "cli/serve_metrics.h"
#include "cli/signing.h"
#include "core/alloc.h"
#include "store/signin.h"

/* Files that the API writes begin with this; all others are people's. */
#define FILE_PREFIX "api."

/* --- the configuration of the moment ----------------------------------------------------------------------------------------- */

void serve_api_setup(struct service *service)
{
    const struct serving *serving = service->serving;
    size_t count = serving_tenants(serving);
    struct api_tenant *tenants = ARENA_ARRAY(&service->base->arena, struct api_tenant, count);

    for (size_t i = 0; i < count; i++) {
        const struct wire *wire = serving_tenant(serving, i);

        tenants[i] = (struct api_tenant){.name = wire->config.tenants[wire->config.tenant].name,
                                         .id = wire->tenant_id,
                                         .settings = &wire->config.settings};
    }
    service->setup =
        (struct api_setup){.kinds = &service->base->config.kinds,
                           .tenants = tenants,
                           .tenants_count = count,
                           .metrics_are_public = service->base->config.metrics_are_public};
}

static void enter(void *context, struct api_setup *ret)
{
    struct service *service = context;

    pthread_rwlock_rdlock(&service->setup_lock);
    *ret = service->setup;
}

static void leave(void *context, const struct api_setup *setup)
{
    struct service *service = context;

    (void)setup;
    pthread_rwlock_unlock(&service->setup_lock);
}

/* --- a look of its own at one connection --------------------------------------------------------------------------------------- */

/* A wire of this thread: its own store handle, client and sessions. */
struct own {
    struct store *store;
    struct wire wire;
    size_t index;
};

static void own_close(struct own *own)
{
    wire_close(&own->wire);
    store_close(own->store);
}
#define AUTO_OWN __attribute__((cleanup(own_close)))

static enum fail own_open(struct service *service, size_t tenant, struct own *ret,
                          struct error *err)
{
    if (store_beside(service->base->store, STORE_WRITE, false, &ret->store, err) != OK ||
        wire_beside(service->base, ret->store, tenant, &ret->wire, err) != OK) {
        return err->code;
    }
    ret->wire.http = wire_new_http(&ret->wire);
    return OK;
}

static enum fail own_connection(struct service *service, const struct api_tenant *tenant,
                                struct str connection, struct own *ret, struct error *err)
{
    size_t index = config_tenant_find(&service->base->config, tenant->name);

    if (own_open(service, index, ret, err) != OK ||
        wire_find(&ret->wire, connection, &ret->index, err) != OK) {
        return err->code;
    }
    return wire_load_row(&ret->wire, ret->index, err);
}

/* What it was left alone for may be over. */
static void revive(const struct service *service, const struct own *own)
{
    struct dispatch *dispatch = workers_lock(service->workers);
    size_t place = dispatch ? serving_place_of_row(service->serving, own->wire.tenant_id,
                                                   own->wire.connections[own->index].row.id)
                            : SIZE_MAX;

    if (place != SIZE_MAX) {
        dispatch_revive(dispatch, place, clock_mono_ms(service->cli->env->clock));
    }
    workers_unlock(service->workers);
}

/* --- syncs and tests ----------------------------------------------------------------------------------------------------------- */

static enum fail order_sync(void *context, const struct api_order *order, struct error *err)
{
    const struct service *service = context;

    return serve_orders_add(service->orders, order, err);
}

static void add_row(json_t *rows, const char *check, const struct error *err)
{
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s}", "check", check, "result",
                                          err->code == OK ? "ok" : err->message, "try",
                                          err->code == OK ? "" : err->hint));
}

static void add_findings(struct own *own, json_t *rows, bool *is_fine)
{
    bool *open = ARENA_ARRAY(&own->wire.arena, bool, own->wire.connections_count + 1);
    struct str name = own->wire.config.connections[own->index].name;
    struct finding *findings;
    struct error err = {0};
    size_t count = 0;

    open[own->index] = true;
    if (inspection_run(&own->wire, open, &findings, &count, &err) != OK) {
        *is_fine = false;
        add_row(rows, "mappings", &err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &findings[i];
        struct error row = {0};

        if (str_equal(finding->connection, name)) {
            error_set(&row, FAIL_CONFIG, "%s%" PRI_STR,
                      finding->is_error ? "" : "warning: ", STR_ARG(finding->message));
            error_hint(&row, "%" PRI_STR, STR_ARG(finding->hint));
            add_row(rows, arena_cstr(&own->wire.arena, finding->mapping->kind->name), &row);
            *is_fine = *is_fine && !finding->is_error;
        }
    }
}

static enum fail test(void *context, const struct api_tenant *tenant, struct str connection,
                      json_t **ret_rows, bool *ret_is_fine, struct error *err)
{
    AUTO_OWN struct own own = {0};
    struct error found = {0};

    if (own_connection(context, tenant, connection, &own, err) != OK) {
        return err->code;
    }
    *ret_rows = json_array();
    *ret_is_fine = wire_open(&own.wire, own.index, &found) == OK &&
                   ready_make(&own.wire, own.index, false, &found) == OK;
    add_row(*ret_rows, "token and account", &found);
    if (*ret_is_fine) {
        revive(context, &own);
        add_findings(&own, *ret_rows, ret_is_fine);
    }
    return OK;
}

/* --- connections that come and go through the API ------------------------------------------------------------------------------ */

static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }
    return name.len > 0 && name.len <= CONFIG_NAME_BYTES_MAX;
}

/* Names go into a path. */
static enum fail file_of(struct service *service, struct str tenant, struct str name, char **ret,
                         struct error *err)
{
    struct str folder = service->base->config.include;

    if (!is_plain(tenant) || !is_plain(name)) {
        error_set(err, FAIL_CONFIG, "'%" PRI_STR "' is no name for a connection", STR_ARG(name));
        return error_hint(err, "use a-z, 0-9, '-' and '_'");
    }
    if (folder.len == 0) {
        error_set(err, FAIL_CONFIG, "the configuration names no folder for connections");
        return error_hint(err, "set 'include: connections.d' and make that folder");
    }
    *ret = alloc_printf("%" PRI_STR "/" FILE_PREFIX "%" PRI_STR ".%" PRI_STR ".yaml",
                        STR_ARG(folder), STR_ARG(tenant), STR_ARG(name));
    return OK;
}

/* JSON is YAML. */
static char *text_of(struct str tenant, struct str name, const json_t *settings)
{
    AUTO_FREE char *key = alloc_printf("%" PRI_STR, STR_ARG(name));
    AUTO_FREE char *owner = alloc_printf("%" PRI_STR, STR_ARG(tenant));
    json_t *connections = json_pack("{s:{s:O}}", "connections", key, settings);
    json_t *root = str_equal(tenant, STR(CONFIG_TENANT_DEFAULT))
                       ? json_incref(connections)
                       : json_pack("{s:{s:O}}", "tenants", owner, connections);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);

    json_decref(connections);
    json_decref(root);
    return text;
}

static enum fail write_new(const char *path, const char *text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t len = strlen(text);
    bool is_written;

    if (fd < 0 && errno == EEXIST) {
        return error_set(err, FAIL_CONFIG, "there is a connection of that name");
    }
    is_written = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (!is_written) {
        error_set(err, FAIL_CONFIG, "cannot write '%s': %s", path, strerror(errno));
        error_hint(err, "check owner and mode of the folder");
    }
    if (fd >= 0) {
        close(fd);
    }
    if (!is_written && fd >= 0) {
        unlink(path);
    }
    return err->code;
}

/* The whole configuration with the new file must be a good one. */
static enum fail try_configuration(struct service *service, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct config config;

    return config_load(&arena, service->cli->config_path, &config, err);
}

static enum fail connection_put(void *context, struct str tenant, struct str name,
                                const json_t *settings, struct error *err)
{
    struct service *service = context;
    AUTO_FREE char *path = NULL;
    char *text;

    if (file_of(service, tenant, name, &path, err) != OK) {
        return err->code;
    }
    text = text_of(tenant, name, settings);
    write_new(path, text, err);
    free(text);
    if (err->code == OK && try_configuration(service, err) != OK) {
        unlink(path);
    }
    if (err->code == OK) {
        kill(getpid(), SIGHUP);
    }
    return err->code;
}

static enum fail connection_remove(void *context, struct str tenant, struct str name,
                                   struct error *err)
{
    struct service *service = context;
    AUTO_FREE char *path = NULL;

    if (file_of(service, tenant, name, &path, err) != OK) {
        return err->code;
    }
    if (unlink(path) != 0) {
        error_set(err, FAIL_CONFIG, "connection '%" PRI_STR "' was not made through the API",
                  STR_ARG(name));
        return error_hint(err, "take it out of the configuration file, then 'systemctl reload'");
    }
    kill(getpid(), SIGHUP);
    return OK;
}

/* --- signing in ---------------------------------------------------------------------------------------------------------------- */

/* The CRM sends the browser back to the service, not to this machine. */
static enum fail sign_in_of(struct own *own, struct oauth_connection *ret, struct error *err)
{
    const struct config *config = &own->wire.config;

    if (config->public_url.len == 0) {
        error_set(err, FAIL_CONFIG, "the service does not know its address for browsers");
        return error_hint(err, "set 'public_url', or run 'crmsync connect'");
    }
    if (!config->auths[own->index].is_used) {
        error_set(err, FAIL_CONFIG, "connection '%" PRI_STR "' has a fixed token",
                  STR_ARG(config->connections[own->index].name));
        return error_hint(err, "give it 'auth' in the configuration to sign in");
    }
    if (signing_connection(&own->wire, own->index, ret, err) != OK) {
        return err->code;
    }
    ret->client.redirect_uri =
        arena_printf(&own->wire.arena, "%" PRI_STR "/api/crm/oauth/%s/callback",
                     STR_ARG(config->public_url), config->connections[own->index].adapter->name);
    return OK;
}

static enum fail sign_in_start(void *context, const struct api_tenant *tenant,
                               struct str connection, struct arena *arena, struct str *ret_url,
                               struct error *err)
{
    AUTO_OWN struct own own = {0};
    struct oauth_connection sign_in;

    if (own_connection(context, tenant, connection, &own, err) != OK ||
        sign_in_of(&own, &sign_in, err) != OK) {
        return err->code;
    }
    return signin_begin(&sign_in, arena, ret_url, err);
}

/* Whose sign-in the state belongs to. */
static enum fail find_waiting(struct own *own, struct str state, bool *ret_found, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_sign_in row;
    uint8_t hash[SHA256_BYTES];

    sha256(state, hash);
    if (wire_begin(&own->wire, &tx, err) != OK ||
        sign_in_by_state(tx, hash, &own->wire.arena, &row, ret_found, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; *ret_found && i < own->wire.connections_count; i++) {
        struct store_connection connection;
        bool found = false;

        if (connection_by_name(tx, own->wire.config.connections[i].name, &own->wire.arena,
                               &connection, &found, err) != OK) {
            return err->code;
        }
        if (found && connection.id == row.connection_id) {
            own->index = i;
            return OK;
        }
    }
    *ret_found = false;
    return OK;
}

static enum fail not_waiting(struct error *err)
{
    error_set(err, FAIL_STALE, "this is not the answer to a sign-in that waits");
    return error_hint(err, "begin the sign-in anew");
}

/* An answer that one CRM sends must not be taken for another one's. source: RFC 9700 4.4 */
static bool is_at_its_address(const struct http_request *request,
                              const struct oauth_connection *sign_in)
{
    return str_ends(sign_in->client.redirect_uri, http_path(request));
}

static enum fail finish(struct own *own, const struct http_request *request,
                        const struct signin_answer *answer, struct arena *arena,
                        struct str *ret_account, struct error *err)
{
    struct signing signing = {.wire = &own->wire, .index = own->index};
    struct oauth_connection sign_in;
    struct signin_account account = {0};

    if (wire_load_row(&own->wire, own->index, err) != OK || sign_in_of(own, &sign_in, err) != OK) {
        return err->code;
    }
    if (!is_at_its_address(request, &sign_in)) {
        return not_waiting(err);
    }
    if (signin_finish(&sign_in, answer, signing_identify, &signing, arena, &account, err) != OK) {
        return err->code;
    }
    *ret_account = account.title;
    return OK;
}

static enum fail sign_in_finish(void *context, const struct http_request *request,
                                struct arena *arena, struct str *ret_account, struct error *err)
{
    struct service *service = context;
    struct signin_answer answer = callback_read(arena, request);

    for (size_t t = 0; t < service->setup.tenants_count && answer.state.len; t++) {
        AUTO_OWN struct own own = {0};
        bool found = false;

        if (own_open(service, t, &own, err) != OK ||
            find_waiting(&own, answer.state, &found, err) != OK) {
            return err->code;
        }
        if (found && finish(&own, request, &answer, arena, ret_account, err) == OK) {
            revive(service, &own);
        }
        if (found) {
            return err->code;
        }
    }
    return not_waiting(err);
}

/* --- health -------------------------------------------------------------------------------------------------------------------- */

static bool ready(void *context, json_t **ret_checks)
{
    const struct service *service = context;

    *ret_checks = json_pack("{s:s,s:s}", "workers", service->is_ready ? "ok" : "stopping", "store",
                            service->store_fails ? "takes nothing" : "ok");
    return service->is_ready && !service->store_fails;
}

struct api_host serve_api_host(struct service *service)
{
    return (struct api_host){.context = service,
                             .enter = enter,
                             .leave = leave,
                             .sync = order_sync,
                             .test = test,
                             .connection_put = connection_put,
                             .connection_remove = connection_remove,
                             .sign_in_start = sign_in_start,
                             .sign_in_finish = sign_in_finish,
                             .samples = serve_metrics,
                             .ready = ready};
}
