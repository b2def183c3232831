#include "cli/config_places.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

static const char *const TENANT_KEYS[] = {"connections", "brake", "local_priority", "events", NULL};
static const char *const INCLUDED_KEYS[] = {"connections", "tenants", NULL};

struct gathering {
    struct arena *arena;
    struct config_places *places;
    struct config_place *found; /* in the order of the files */
    size_t found_count;
};

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }
    return name.len > 0 && name.len <= CONFIG_NAME_BYTES_MAX;
}

static enum fail add_connection(struct gathering *g, size_t tenant, const struct yx_node *key,
                                const struct yx_node *node, const char *folder, struct error *err)
{
    if (!is_name(yx_text(key)) || str_equal(yx_text(key), STR("local"))) {
        return yx_error(
            key, err,
            "'%" PRI_STR
            "' is no name for a connection: use a-z, 0-9, '-' and '_' (and not 'local')",
            STR_ARG(yx_text(key)));
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "a connection must be a mapping with at least 'adapter'");
    }
    if (g->found_count == CONFIG_CONNECTIONS_MAX) {
        return yx_error(key, err, "more than %d connections", CONFIG_CONNECTIONS_MAX);
    }
    g->found[g->found_count++] =
        (struct config_place){.tenant = tenant, .key = key, .node = node, .folder = folder};
    return OK;
}

static enum fail add_connections(struct gathering *g, size_t tenant, const struct yx_node *node,
                                 const char *folder, struct error *err)
{
    if (yx_type(node) != YX_MAPPING || yx_count(node) == 0) {
        return yx_error(node, err, "'connections' must name at least one connection");
    }
    for (size_t i = 0; i < yx_count(node); i++) {
        if (add_connection(g, tenant, yx_key_at(node, i), yx_value_at(node, i), folder, err) !=
            OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail tenant_of(struct gathering *g, const struct yx_node *key, size_t *ret,
                           struct error *err)
{
    struct config_places *places = g->places;
    struct str name = yx_text(key);

    if (!is_name(name)) {
        return yx_error(key, err,
                        "'%" PRI_STR "' is no name for a tenant: use a-z, 0-9, '-' and '_'",
                        STR_ARG(name));
    }
    if (str_equal(name, STR(CONFIG_TENANT_DEFAULT))) {
        return yx_error(key, err, "the connections of tenant 'default' stand at the top, not here");
    }
    for (*ret = 0; *ret < places->tenants_count; ++*ret) {
        if (str_equal(places->tenants[*ret].name, name)) {
            return OK;
        }
    }
    if (places->tenants_count == CONFIG_TENANTS_MAX) {
        return yx_error(key, err, "more than %d tenants", CONFIG_TENANTS_MAX);
    }
    places->tenants[places->tenants_count++].name = arena_str(g->arena, name);
    return OK;
}

/* A setting of a tenant stands in one file only. */
static enum fail take_once(const struct yx_node *node, const char *key, const struct yx_node **slot,
                           struct error *err)
{
    const struct yx_node *found = yx_get(node, key);

    if (found && *slot) {
        return yx_error(found, err, "'%s' of this tenant stands in another file already", key);
    }
    if (found) {
        *slot = found;
    }
    return OK;
}

static enum fail add_tenant(struct gathering *g, const struct yx_node *key,
                            const struct yx_node *node, const char *folder, struct error *err)
{
    struct config_tenant_place *tenant;
    const struct yx_node *connections;
    size_t index = 0;

    if (tenant_of(g, key, &index, err) != OK || yx_only(node, TENANT_KEYS, err) != OK) {
        return err->code;
    }
    tenant = &g->places->tenants[index];
    connections = yx_get(node, "connections");
    if (take_once(node, "brake", &tenant->brake, err) != OK ||
        take_once(node, "local_priority", &tenant->local_priority, err) != OK ||
        take_once(node, "events", &tenant->events, err) != OK) {
        return err->code;
    }
    return connections ? add_connections(g, index, connections, folder, err) : OK;
}

/* `connections:` and `tenants:` of one file. */
static enum fail add_file(struct gathering *g, const struct yx_node *root, const char *folder,
                          struct error *err)
{
    const struct yx_node *connections = yx_get(root, "connections");
    const struct yx_node *tenants = yx_get(root, "tenants");

    if (connections && add_connections(g, 0, connections, folder, err) != OK) {
        return err->code;
    }
    if (tenants && (yx_type(tenants) != YX_MAPPING || yx_count(tenants) == 0)) {
        return yx_error(tenants, err, "'tenants' must name at least one tenant");
    }
    for (size_t i = 0; tenants && i < yx_count(tenants); i++) {
        if (add_tenant(g, yx_key_at(tenants, i), yx_value_at(tenants, i), folder, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- included files ------------------------------------------------------------------------------------------ */

static int is_drop_in(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), STR(".yaml"));
}

static enum fail add_drop_in(struct gathering *g, const char *path, struct error *err)
{
    struct config_places *places = g->places;
    struct yx_document **document = &places->documents[places->documents_count];
    const struct yx_node *root;

    if (yx_load_file(path, document, err) != OK) {
        return err->code;
    }
    places->documents_count++;
    root = yx_root(*document);
    if (yx_is_null(root)) {
        return OK;
    }
    if (yx_only(root, INCLUDED_KEYS, err) != OK) {
        return err->code;
    }
    return add_file(g, root, places->include.at, err);
}

static enum fail add_drop_ins(struct gathering *g, const struct yx_node *node, struct error *err)
{
    struct config_places *places = g->places;
    const char *folder = places->include.at;
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_drop_in, alphasort);

    if (count < 0) {
        yx_error(node, err, "cannot read the folder '%s' of 'include': %s", folder,
                 strerror(errno));
        return error_hint(err, "make it with 'mkdir %s', or take 'include' out", folder);
    }
    places->documents = ARENA_ARRAY(g->arena, struct yx_document *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        if (err->code == OK) {
            struct str path = arena_printf(g->arena, "%s/%s", folder, entries[i]->d_name);

            (void)add_drop_in(g, path.at, err);
        }
        free(entries[i]);
    }
    free(entries);
    return err->code;
}

static enum fail read_include(struct gathering *g, const struct yx_node *root, const char *folder,
                              struct error *err)
{
    struct str include;

    if (yx_str_or(root, "include", STR(""), &include, err) != OK || include.len == 0) {
        return err->code;
    }
    g->places->include = include.at[0] == '/' || strcmp(folder, ".") == 0
                             ? arena_str(g->arena, include)
                             : arena_printf(g->arena, "%s/%" PRI_STR, folder, STR_ARG(include));
    return add_drop_ins(g, yx_get(root, "include"), err);
}

/* --- in order ------------------------------------------------------------------------------------------------ */

static void group_by_tenant(struct gathering *g)
{
    struct config_places *places = g->places;
    size_t *next = ARENA_ARRAY(g->arena, size_t, places->tenants_count + 1);

    for (size_t i = 0; i < g->found_count; i++) {
        next[g->found[i].tenant + 1]++;
    }
    for (size_t i = 1; i <= places->tenants_count; i++) {
        next[i] += next[i - 1];
    }
    places->at = ARENA_ARRAY(g->arena, struct config_place, g->found_count + 1);
    places->count = g->found_count;
    for (size_t i = 0; i < g->found_count; i++) {
        places->at[next[g->found[i].tenant]++] = g->found[i];
    }
}

static int compare_places(const void *left, const void *right)
{
    const struct config_place *x = left;
    const struct config_place *y = right;

    if (x->tenant != y->tenant) {
        return x->tenant < y->tenant ? -1 : 1;
    }
    return str_compare(yx_text(x->key), yx_text(y->key));
}

/* Within one file the reader of YAML refuses them already. */
static enum fail refuse_doubles(struct gathering *g, struct error *err)
{
    qsort(g->found, g->found_count, sizeof *g->found, compare_places);
    for (size_t i = 1; i < g->found_count; i++) {
        if (compare_places(&g->found[i - 1], &g->found[i]) == 0) {
            return yx_error(g->found[i].key, err,
                            "connection '%" PRI_STR "' stands in another file already",
                            STR_ARG(yx_text(g->found[i].key)));
        }
    }
    return OK;
}

enum fail config_places_open(struct arena *arena, const struct yx_node *root, const char *folder,
                             struct config_places *ret, struct error *err)
{
    struct gathering g = {.arena = arena, .places = ret};

    *ret = (struct config_places){0};
    ret->tenants = ARENA_ARRAY(arena, struct config_tenant_place, CONFIG_TENANTS_MAX);
    ret->tenants[ret->tenants_count++].name = STR(CONFIG_TENANT_DEFAULT);
    g.found = ARENA_ARRAY(arena, struct config_place, CONFIG_CONNECTIONS_MAX);
    if (!yx_get(root, "connections") && !yx_get(root, "tenants") && !yx_get(root, "include")) {
        return yx_error(root, err, "'connections' must name at least one connection");
    }
    if (add_file(&g, root, folder, err) != OK || read_include(&g, root, folder, err) != OK) {
        return err->code;
    }
    group_by_tenant(&g);
    return refuse_doubles(&g, err);
}

void config_places_close(struct config_places *places)
{
    for (size_t i = 0; i < places->documents_count; i++) {
        yx_free(places->documents[i]);
    }
    *places = (struct config_places){0};
}
