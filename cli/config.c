#include "cli/config.h"

#include <limits.h>
#include <unistd.h>

#include "cli/config_metrics.h"
#include "cli/config_places.h"
#include "cli/config_schedule.h"
#include "core/yx.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, TENANTS_NAMED_MAX = 20 };

static const char *const TOP_KEYS[] = {
    "store",   "key_file", "allow_loopback", "local_priority", "brake",   "connections", "tenants",
    "include", "kinds",    "schedule",       "public_url",     "service", "backup",      "alerts",
    "notify",  "metrics",  "retention",      "events",         NULL};
static const char *const BRAKE_KEYS[] = {"deletes_floor", "deletes_percent", "updates_floor",
                                         "updates_percent", NULL};
static const char *const CONNECTION_KEYS[] = {
    "adapter",  "base_url",  "api_version", "token",    "token_file", "oauth",
    "auth",     "direction", "kinds",       "mapping",  "strategy",   "strategies",
    "priority", "create",    "deletes",     "settle",   "grace",      "census",
    "filters",  "schedule",  "schedules",   "webhooks", "changes",    NULL};
static const char *const DIRECTIONS[] = {"bidirectional", "to-external", "from-external", NULL};
static const char *const CHANGES[] = {"polling", "events", NULL};
enum { CHANGES_POLLING, CHANGES_EVENTS };
static const char *const DELETE_MODES[] = {"none", "unlink", "archive", NULL};

/* A mapping file that was read, for the next connection that names it. */
struct mapping_read {
    const struct adapter *adapter;
    struct str file; /* "" = the built-in one */
    struct mappings *mappings;
};

/* What all readers share. */
struct reading {
    struct arena *arena;
    const char *folder; /* of the file that is being read */
    struct config *config;
    struct mapping_read *mappings;
    size_t mappings_count;
    struct schedule schedule; /* of connections that say nothing else */
};

static struct str keep(const struct reading *reading, struct str text)
{
    return arena_str(reading->arena, text);
}

static struct str path_of(const struct reading *reading, struct str text)
{
    if (text.len == 0 || text.at[0] == '/' || strcmp(reading->folder, ".") == 0) {
        return keep(reading, text);
    }
    return arena_printf(reading->arena, "%s/%" PRI_STR, reading->folder, STR_ARG(text));
}

static enum fail read_word(const struct yx_node *mapping, const char *key, const char *const *words,
                           size_t otherwise, size_t *ret, struct error *err)
{
    const struct yx_node *node = yx_get(mapping, key);

    if (!node || yx_is_null(node)) {
        *ret = otherwise;
        return OK;
    }
    return yx_word(node, words, ret, err);
}

static enum fail read_policy(const struct yx_node *node, struct policy *ret, struct error *err)
{
    if (yx_type(node) != YX_SCALAR || !policy_parse(yx_text(node), ret)) {
        return yx_error(node, err, "unknown strategy '%" PRI_STR "': use one of %s",
                        STR_ARG(yx_text(node)), policy_names());
    }
    return OK;
}

/* "contact" or "contact.phone" (the field may itself hold a dot: "contact.custom.tier"). */
static enum fail read_policy_key(const struct reading *reading, const struct yx_node *key,
                                 struct policy_rule *rule, struct error *err)
{
    struct str rest = yx_text(key);
    struct str kind_name = str_cut(&rest, '.');
    const struct kind *kind = kind_by_name(&reading->config->kinds, kind_name);

    if (!kind) {
        return yx_error(key, err, "unknown kind '%" PRI_STR "'", STR_ARG(kind_name));
    }
    if (rest.len && !kind_field_by_name(kind, rest)) {
        return yx_error(key, err, "kind '%" PRI_STR "' has no field '%" PRI_STR "'",
                        STR_ARG(kind_name), STR_ARG(rest));
    }
    rule->kind = kind->name;
    rule->field = rest.len ? keep(reading, rest) : STR("");
    return OK;
}

static enum fail read_policies(const struct reading *reading, const struct yx_node *node,
                               struct connection_settings *settings, struct error *err)
{
    const struct yx_node *one = yx_get(node, "strategy");
    const struct yx_node *many = yx_get(node, "strategies");
    size_t count = many ? yx_count(many) : 0;
    struct policy_rule *rules = ARENA_ARRAY(reading->arena, struct policy_rule, count + 1);
    size_t used = 0;

    if (one && read_policy(one, &rules[used++].policy, err) != OK) {
        return err->code;
    }
    if (many && yx_type(many) != YX_MAPPING) {
        return yx_error(many, err,
                        "'strategies' must be a mapping of kind or kind.field to a strategy");
    }
    for (size_t i = 0; i < count; i++, used++) {
        if (read_policy_key(reading, yx_key_at(many, i), &rules[used], err) != OK ||
            read_policy(yx_value_at(many, i), &rules[used].policy, err) != OK) {
            return err->code;
        }
    }
    settings->policies = rules;
    settings->policies_count = used;
    return OK;
}

/* The CRM holds such objects: its adapter knows them, or the mapping names a custom object. */
static bool has_object(const struct connection_settings *settings, const struct mapping *mapping)
{
    return mapping->object.len ||
           adapter_object_of(settings->adapter, mapping->kind->name.at) != NULL;
}

static enum fail read_filters(const struct reading *reading, const struct yx_node *node,
                              struct connection_settings *settings, struct error *err)
{
    const struct yx_node *many = yx_get(node, "filters");
    size_t count = many ? yx_count(many) : 0;
    struct kind_filter *filters = ARENA_ARRAY(reading->arena, struct kind_filter, count + 1);

    if (many && yx_type(many) != YX_MAPPING) {
        return yx_error(many, err, "'filters' must be a mapping of kind to a list of conditions");
    }
    for (size_t i = 0; i < count; i++) {
        const struct yx_node *key = yx_key_at(many, i);
        const struct kind *kind = kind_by_name(&reading->config->kinds, yx_text(key));

        if (!kind) {
            return yx_error(key, err, "unknown kind '%" PRI_STR "'", STR_ARG(yx_text(key)));
        }
        filters[i].kind = kind->name;
        if (filter_read(reading->arena, kind, yx_value_at(many, i), &filters[i].filter, err) !=
            OK) {
            return err->code;
        }
    }
    settings->filters = filters;
    settings->filters_count = count;
    return OK;
}

static enum fail read_kinds(const struct reading *reading, const struct yx_node *node,
                            struct connection_settings *settings, struct error *err)
{
    const struct yx_node *list = yx_get(node, "kinds");
    struct str *names;
    size_t count;

    if (list && yx_type(list) != YX_SEQUENCE) {
        return yx_error(list, err, "'kinds' must be a list, such as [company, contact]");
    }
    count = list ? yx_count(list) : settings->mappings->count;
    names = ARENA_ARRAY(reading->arena, struct str, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct yx_node *item = list ? yx_item(list, i) : NULL;
        struct str name = item ? yx_text(item) : settings->mappings->at[i].kind->name;

        if (!kind_by_name(&reading->config->kinds, name)) {
            return yx_error(item, err, "unknown kind '%" PRI_STR "'", STR_ARG(name));
        }
        if (!mapping_of(settings->mappings, name)) {
            return yx_error(item, err, "the mapping of %s has no kind '%" PRI_STR "'",
                            settings->adapter->name, STR_ARG(name));
        }
        if (list || has_object(settings, &settings->mappings->at[i])) {
            names[settings->kinds_count++] = keep(reading, name);
        }
    }
    settings->kinds = names;
    return OK;
}

static const struct mappings *mapping_read_before(const struct reading *reading,
                                                  const struct adapter *adapter, struct str file)
{
    for (size_t i = 0; i < reading->mappings_count; i++) {
        if (reading->mappings[i].adapter == adapter && str_equal(reading->mappings[i].file, file)) {
            return reading->mappings[i].mappings;
        }
    }
    return NULL;
}

static enum fail read_mapping(struct reading *reading, const struct yx_node *node,
                              struct connection_settings *settings, struct error *err)
{
    struct mappings *mappings;
    struct str file;

    if (yx_str_or(node, "mapping", STR(""), &file, err) != OK) {
        return err->code;
    }
    file = file.len ? path_of(reading, file) : STR("");
    settings->mappings = mapping_read_before(reading, settings->adapter, file);
    if (settings->mappings) {
        return OK;
    }
    mappings = ARENA_NEW(reading->arena, struct mappings);
    settings->mappings = mappings;
    reading->mappings[reading->mappings_count++] =
        (struct mapping_read){.adapter = settings->adapter, .file = file, .mappings = mappings};
    return mappings_load(reading->arena, &reading->config->kinds, str_of(settings->adapter->name),
                         file.len ? file.at : NULL, mappings, err);
}

static enum fail read_timing(const struct yx_node *node, struct connection_settings *settings,
                             struct error *err)
{
    if (yx_duration_ms_or(node, "settle", 2 * MINUTE_MS, &settings->settle_ms, err) != OK ||
        yx_duration_ms_or(node, "grace", 10 * MINUTE_MS, &settings->grace_ms, err) != OK ||
        yx_duration_ms_or(node, "census", 24 * (int64_t)HOUR_MS, &settings->census_ms, err) != OK) {
        return err->code;
    }
    return OK;
}

static enum fail read_behaviour(const struct yx_node *node, struct connection_settings *settings,
                                struct error *err)
{
    size_t direction, deletes, changes;
    int64_t priority;

    if (read_word(node, "direction", DIRECTIONS, DIRECTION_BIDIRECTIONAL, &direction, err) != OK ||
        read_word(node, "deletes", DELETE_MODES, DELETES_UNLINK, &deletes, err) != OK ||
        read_word(node, "changes", CHANGES, CHANGES_POLLING, &changes, err) != OK ||
        yx_i64_or(node, "priority", 0, &priority, err) != OK ||
        yx_bool_or(node, "create", true, &settings->may_create, err) != OK ||
        yx_bool_or(node, "oauth", false, &settings->token_is_oauth, err) != OK) {
        return err->code;
    }
    if (priority < -1000 || priority > 1000) {
        return yx_error(yx_get(node, "priority"), err, "'priority' must be between -1000 and 1000");
    }
    settings->direction = (enum connection_direction)direction;
    settings->deletes = (enum delete_mode)deletes;
    settings->wants_events = changes == CHANGES_EVENTS;
    if (settings->wants_events && !(settings->adapter->capabilities & ADAPTER_CHANGE_EVENTS)) {
        return yx_error(yx_get(node, "changes"), err,
                        "'changes: events' is for HubSpot and Salesforce; %s is polled: take the "
                        "line out",
                        settings->adapter->title);
    }
    if (settings->wants_events && settings->adapter->oauth->app_token_path &&
        !yx_get(node, "auth")) {
        return yx_error(yx_get(node, "changes"), err,
                        "'changes: events' of %s is read as the app, which needs 'auth' in place "
                        "of a token",
                        settings->adapter->title);
    }
    settings->priority = (int)priority;
    return OK;
}

static struct str adapter_names(struct arena *arena)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 1024);
    for (size_t i = 0; adapters[i]; i++) {
        buf_addf(&text, "%s%s", i ? ", " : "", adapters[i]->name);
    }
    return arena_str(arena, buf_str(&text));
}

static enum fail read_address(const struct reading *reading, const struct yx_node *node,
                              struct connection_settings *settings, struct config_token *token,
                              struct error *err)
{
    struct str adapter, base_url, version;

    if (yx_only(node, CONNECTION_KEYS, err) != OK || yx_str(node, "adapter", &adapter, err) != OK ||
        yx_str_or(node, "base_url", STR(""), &base_url, err) != OK ||
        yx_str_or(node, "api_version", STR(""), &version, err) != OK ||
        yx_str_or(node, "token", STR(""), &token->value, err) != OK ||
        yx_str_or(node, "token_file", STR(""), &token->file, err) != OK) {
        return err->code;
    }
    settings->adapter = adapter_by_name(adapter);
    if (!settings->adapter) {
        return yx_error(yx_get(node, "adapter"), err,
                        "unknown adapter '%" PRI_STR "': there are %" PRI_STR, STR_ARG(adapter),
                        STR_ARG(adapter_names(reading->arena)));
    }
    if (token->value.len &&
        !(str_starts(token->value, STR("${")) && str_ends(token->value, STR("}")))) {
        return yx_error(yx_get(node, "token"), err,
                        "a token must not stand in the configuration: write ${NAME} for an "
                        "environment variable, or run 'crmsync connect'");
    }
    token->value = keep(reading, token->value);
    token->file = token->file.len ? path_of(reading, token->file) : STR("");
    settings->base_url = keep(reading, base_url);
    settings->api_version = keep(reading, version);
    return OK;
}

static enum fail read_connection(struct reading *reading, const struct yx_node *key,
                                 const struct yx_node *node, struct connection_settings *settings,
                                 struct config_token *token, struct error *err)
{
    settings->name = keep(reading, yx_text(key));
    if (read_address(reading, node, settings, token, err) != OK ||
        read_mapping(reading, node, settings, err) != OK ||
        read_kinds(reading, node, settings, err) != OK ||
        read_policies(reading, node, settings, err) != OK ||
        read_filters(reading, node, settings, err) != OK ||
        read_behaviour(node, settings, err) != OK || read_timing(node, settings, err) != OK ||
        config_schedules_read(reading->arena, node, &reading->config->kinds, &reading->schedule,
                              settings, err) != OK) {
        return err->code;
    }
    return OK;
}

static enum fail read_percent(const struct yx_node *node, const char *key, int otherwise, int *ret,
                              struct error *err)
{
    int64_t percent;

    if (yx_i64_or(node, key, otherwise, &percent, err) != OK) {
        return err->code;
    }
    if (percent < 0 || percent > 100) {
        return yx_error(yx_get(node, key), err, "'%s' must be 0 to 100", key);
    }
    *ret = (int)percent;
    return OK;
}

static enum fail read_floor(const struct yx_node *node, const char *key, int64_t otherwise,
                            int64_t *ret, struct error *err)
{
    if (yx_i64_or(node, key, otherwise, ret, err) != OK) {
        return err->code;
    }
    return *ret < 0 ? yx_error(yx_get(node, key), err, "'%s' must not be negative", key) : OK;
}

static enum fail read_brake(const struct yx_node *node, const struct brake_limits *otherwise,
                            struct brake_limits *ret, struct error *err)
{
    *ret = *otherwise;
    if (!node) {
        return OK;
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "'brake' must be a mapping");
    }
    if (yx_only(node, BRAKE_KEYS, err) != OK ||
        read_floor(node, "deletes_floor", otherwise->deletes_floor, &ret->deletes_floor, err) !=
            OK ||
        read_floor(node, "updates_floor", otherwise->updates_floor, &ret->updates_floor, err) !=
            OK ||
        read_percent(node, "deletes_percent", otherwise->deletes_percent, &ret->deletes_percent,
                     err) != OK) {
        return err->code;
    }
    return read_percent(node, "updates_percent", otherwise->updates_percent, &ret->updates_percent,
                        err);
}

static enum fail check_local_priority(const struct yx_node *node, int64_t value, int *ret,
                                      struct error *err)
{
    if (value < -1000 || value > 1000) {
        return yx_error(node, err, "'local_priority' must be between -1000 and 1000");
    }
    *ret = (int)value;
    return OK;
}

/* --- tenants and their connections --------------------------------------------------------------------------- */

static enum fail read_place(struct reading *reading, const struct config_place *place,
                            struct config_tenant *tenant, size_t index, struct error *err)
{
    const struct tls_files *tls = reading->config->service.tls;
    const struct config_webhook_place webhooks = {.public_url = reading->config->public_url,
                                                  .asks_clients = tls && tls->client_ca};

    reading->folder = place->folder;
    if (read_connection(reading, place->key, place->node, &tenant->connections[index],
                        &tenant->tokens[index], err) != OK) {
        return err->code;
    }
    if (config_auth_read(reading->arena, reading->folder, place->node,
                         tenant->connections[index].adapter, &tenant->auths[index], err) != OK) {
        return err->code;
    }
    return config_webhook_read(reading->arena, reading->folder, place->node,
                               tenant->connections[index].adapter, &webhooks,
                               &tenant->webhooks[index], err);
}

/* What stands at the top holds for a tenant that says nothing else. */
static enum fail read_tenant_settings(struct reading *reading,
                                      const struct config_tenant_place *place,
                                      struct config_tenant *tenant, struct error *err)
{
    const struct sync_settings *otherwise = &reading->config->settings;
    int64_t priority = 0;

    tenant->name = keep(reading, place->name);
    tenant->settings = *otherwise;
    if (read_brake(place->brake, &otherwise->brake, &tenant->settings.brake, err) != OK) {
        return err->code;
    }
    if (!place->local_priority) {
        return OK;
    }
    if (!str_to_i64(yx_text(place->local_priority), &priority)) {
        return yx_error(place->local_priority, err, "'local_priority' must be a whole number");
    }
    return check_local_priority(place->local_priority, priority, &tenant->settings.local_priority,
                                err);
}

/* places: from the first one of this tenant on. */
static enum fail read_tenant(struct reading *reading, const struct config_tenant_place *place,
                             const struct config_place *places, size_t count,
                             struct config_tenant *tenant, struct error *err)
{
    if (read_tenant_settings(reading, place, tenant, err) != OK) {
        return err->code;
    }
    tenant->connections = ARENA_ARRAY(reading->arena, struct connection_settings, count + 1);
    tenant->tokens = ARENA_ARRAY(reading->arena, struct config_token, count + 1);
    tenant->auths = ARENA_ARRAY(reading->arena, struct config_auth, count + 1);
    tenant->webhooks = ARENA_ARRAY(reading->arena, struct config_webhook, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (read_place(reading, &places[i], tenant, i, err) != OK) {
            return err->code;
        }
    }
    tenant->settings.connections = tenant->connections;
    tenant->settings.connections_count = count;
    return config_events_read(reading->arena, place->events, &reading->config->kinds,
                              reading->config->allow_loopback, &tenant->events, err);
}

static void select_tenant(struct config *config, size_t index)
{
    const struct config_tenant *tenant = &config->tenants[index];

    config->tenant = index;
    config->settings = tenant->settings;
    config->connections = tenant->connections;
    config->tokens = tenant->tokens;
    config->auths = tenant->auths;
    config->webhooks = tenant->webhooks;
}

static enum fail read_tenants(struct reading *reading, const struct config_places *places,
                              struct error *err)
{
    struct config *config = reading->config;
    struct config_tenant *tenants =
        ARENA_ARRAY(reading->arena, struct config_tenant, places->tenants_count);
    size_t first = 0;

    reading->mappings = ARENA_ARRAY(reading->arena, struct mapping_read, places->count + 1);
    for (size_t t = 0; t < places->tenants_count; t++) {
        size_t end = first;

        while (end < places->count && places->at[end].tenant == t) {
            end++;
        }
        if (read_tenant(reading, &places->tenants[t], &places->at[first], end - first, &tenants[t],
                        err) != OK) {
            return err->code;
        }
        first = end;
    }
    config->tenants = tenants;
    config->tenants_count = places->tenants_count;
    config->include = places->include;
    select_tenant(config, 0);
    return OK;
}

/* Everything that is part of the configuration counts. */
static void digest_drop_ins(const struct config_places *places, uint8_t digest[SHA256_BYTES])
{
    for (size_t i = 0; i < places->documents_count; i++) {
        uint8_t both[2 * SHA256_BYTES];

        memcpy(both, digest, SHA256_BYTES);
        sha256(yx_source(places->documents[i]), both + SHA256_BYTES);
        sha256((struct str){.at = (const char *)both, .len = sizeof both}, digest);
    }
}

static enum fail read_connections(struct reading *reading, const struct yx_node *root,
                                  struct error *err)
{
    AUTO_PLACES struct config_places places = {0};

    if (config_places_open(reading->arena, root, reading->folder, &places, err) != OK) {
        return err->code;
    }
    digest_drop_ins(&places, reading->config->digest);
    places.tenants[0].events = yx_get(root, "events");
    return read_tenants(reading, &places, err);
}

static enum fail read_top(struct reading *reading, const struct yx_node *root, struct error *err)
{
    static const struct brake_limits BRAKE = {
        .deletes_floor = 25, .deletes_percent = 5, .updates_floor = 1000, .updates_percent = 30};
    struct config *config = reading->config;
    struct str store, key_file, kinds;
    struct schedule defaults;
    int64_t local_priority;

    if (yx_type(root) != YX_MAPPING) {
        return yx_error(root, err,
                        "the configuration must be a mapping with 'store' and 'connections'");
    }
    if (yx_only(root, TOP_KEYS, err) != OK ||
        yx_str_or(root, "store", STR("crmsync.db"), &store, err) != OK ||
        yx_str_or(root, "key_file", STR("crmsync.key"), &key_file, err) != OK ||
        yx_str_or(root, "kinds", STR(""), &kinds, err) != OK ||
        yx_bool_or(root, "allow_loopback", false, &config->allow_loopback, err) != OK ||
        config_public_url(reading->arena, root, config->allow_loopback, &config->public_url, err) !=
            OK ||
        yx_i64_or(root, "local_priority", 0, &local_priority, err) != OK ||
        read_brake(yx_get(root, "brake"), &BRAKE, &config->settings.brake, err) != OK ||
        check_local_priority(yx_get(root, "local_priority"), local_priority,
                             &config->settings.local_priority, err) != OK ||
        config_schedule_default(reading->arena, &defaults, err) != OK ||
        config_schedule_read(reading->arena, root, &defaults, &reading->schedule, err) != OK ||
        config_service_read(reading->arena, reading->folder, root, &config->service, err) != OK ||
        config_metrics_read(root, &config->metrics_are_public, err) != OK ||
        config_alerts_read(reading->arena, root, &config->alerts, err) != OK) {
        return err->code;
    }
    config->store_path = path_of(reading, store);
    config->key_file = path_of(reading, key_file);
    if ((kinds.len ? kinds_load(reading->arena, path_of(reading, kinds).at, &config->kinds, err)
                   : kinds_load_embedded(reading->arena, &config->kinds, err)) != OK) {
        return err->code;
    }
    config->settings.kinds = &config->kinds;
    if (config_backup_read(reading->arena, root, reading->folder, &config->backup, err) != OK ||
        config_retention_read(root, &config->retention, err) != OK) {
        return err->code;
    }
    return read_connections(reading, root, err);
}

static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash) {
        return ".";
    }
    return slash == path
               ? "/"
               : arena_cstr(arena, (struct str){.at = path, .len = (size_t)(slash - path)});
}

enum fail config_load(struct arena *arena, const char *path, struct config *ret, struct error *err)
{
    AUTO_YX struct yx_document *document = NULL;
    struct reading reading = {.arena = arena, .folder = folder_of(arena, path), .config = ret};

    *ret = (struct config){.path = arena_str(arena, str_of(path))};
    if (access(path, F_OK) != 0) {
        error_set(err, FAIL_CONFIG, "no configuration file '%s'", path);
        return error_hint(err, "run 'crmsync init' here, or name one with --config FILE");
    }
    if (yx_load_file(path, &document, err) != OK) {
        return err->code;
    }
    sha256(yx_source(document), ret->digest);
    return read_top(&reading, yx_root(document), err);
}

size_t config_tenant_find(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->tenants_count; i++) {
        if (str_equal(config->tenants[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

enum fail config_select(struct config *config, struct str tenant, struct error *err)
{
    AUTO_BUF struct buf names = {0};
    size_t index = config_tenant_find(config, tenant);

    if (index != SIZE_MAX) {
        select_tenant(config, index);
        return OK;
    }
    buf_init(&names, 4096);
    for (size_t i = 0; i < config->tenants_count && i < TENANTS_NAMED_MAX; i++) {
        buf_addf(&names, "%s%" PRI_STR, i ? ", " : "", STR_ARG(config->tenants[i].name));
    }
    error_set(err, FAIL_CONFIG, "no tenant '%" PRI_STR "' in %" PRI_STR, STR_ARG(tenant),
              STR_ARG(config->path));
    return error_hint(err, "there are: %" PRI_STR "%s", STR_ARG(buf_str(&names)),
                      config->tenants_count > TENANTS_NAMED_MAX ? ", …" : "");
}

size_t config_find(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->settings.connections_count; i++) {
        if (str_equal(config->connections[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}
