#include "cli/config_service.h"

#include "sync/workers.h"

enum { PORT_MAX = 65535, PROXIES_MAX = 64 };

static const char *const KEYS[] = {"listen", "workers", "trusted_proxies", "tls", NULL};

bool config_listen_parse(struct arena *arena, struct str text, struct str *ret_address,
                         int *ret_port)
{
    size_t colon = text.len;
    int64_t port;

    *ret_port = 0;
    if (str_starts(text, STR("unix:"))) {
        *ret_address = arena_str(arena, text);
        return text.len > sizeof "unix:" - 1;
    }
    while (colon > 0 && text.at[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2 || !str_to_i64(str_slice(text, colon, text.len), &port) || port < 0 ||
        port > PORT_MAX) {
        return false;
    }
    text = str_slice(text, 0, colon - 1);
    if (str_starts(text, STR("[")) && str_ends(text, STR("]"))) {
        text = str_slice(text, 1, text.len - 1);
    }
    *ret_address = arena_str(arena, text);
    *ret_port = (int)port;
    return text.len > 0;
}

static enum fail read_proxies(struct arena *arena, const struct yx_node *node,
                              struct config_service *ret, struct error *err)
{
    const struct yx_node *list = yx_get(node, "trusted_proxies");
    size_t count = list ? yx_count(list) : 0;
    struct address_range *ranges = ARENA_ARRAY(arena, struct address_range, count + 1);

    if (list && (yx_type(list) != YX_SEQUENCE || count > PROXIES_MAX)) {
        return yx_error(list, err, "'trusted_proxies' must be a list of at most %d addresses",
                        PROXIES_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (!address_range_parse(yx_text(yx_item(list, i)), &ranges[i])) {
            return yx_error(yx_item(list, i), err,
                            "'%" PRI_STR "' is no address and no range such as 10.0.0.0/8",
                            STR_ARG(yx_text(yx_item(list, i))));
        }
    }
    ret->trusted_proxies = ranges;
    ret->trusted_proxies_count = count;
    return OK;
}

/* *ret NULL: not said. */
static enum fail read_path(struct arena *arena, const char *folder, const struct yx_node *node,
                           const char *key, const char **ret, struct error *err)
{
    struct str text;

    if (yx_str_or(node, key, STR(""), &text, err) != OK) {
        return err->code;
    }
    if (text.len) {
        *ret = text.at[0] == '/' || strcmp(folder, ".") == 0
                   ? arena_cstr(arena, text)
                   : arena_printf(arena, "%s/%" PRI_STR, folder, STR_ARG(text)).at;
    }
    return OK;
}

static enum fail read_minimum(const struct yx_node *node, bool *ret_is_newest_only,
                              struct error *err)
{
    static const char *const VERSIONS[] = {"1.2", "1.3", NULL};
    const struct yx_node *minimum = yx_get(node, "minimum");
    size_t version = 0;

    if (minimum && !yx_is_null(minimum) && yx_word(minimum, VERSIONS, &version, err) != OK) {
        return err->code;
    }
    *ret_is_newest_only = version == 1;
    return OK;
}

static enum fail read_tls(struct arena *arena, const char *folder, const struct yx_node *service,
                          const struct tls_files **ret, struct error *err)
{
    static const char *const TLS_KEYS[] = {"certificate", "key", "client_ca", "minimum", NULL};
    const struct yx_node *node = yx_get(service, "tls");
    struct tls_files *files = ARENA_NEW(arena, struct tls_files);

    if (!node || yx_is_null(node)) {
        return OK;
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "'tls' must be a mapping with 'certificate' and 'key'");
    }
    if (yx_only(node, TLS_KEYS, err) != OK ||
        read_path(arena, folder, node, "certificate", &files->certificate, err) != OK ||
        read_path(arena, folder, node, "key", &files->key, err) != OK ||
        read_path(arena, folder, node, "client_ca", &files->client_ca, err) != OK ||
        read_minimum(node, &files->is_newest_only, err) != OK) {
        return err->code;
    }
    if (!files->certificate || !files->key) {
        return yx_error(node, err, "'tls' needs 'certificate' and 'key', files in PEM form");
    }
    *ret = files;
    return OK;
}

enum fail config_service_read(struct arena *arena, const char *folder, const struct yx_node *root,
                              struct config_service *ret, struct error *err)
{
    const struct yx_node *node = yx_get(root, "service");
    struct str listen = STR(CONFIG_LISTEN_DEFAULT);
    int64_t workers = WORKERS_DEFAULT;

    *ret = (struct config_service){0};
    if (node && !yx_is_null(node)) {
        if (yx_type(node) != YX_MAPPING) {
            return yx_error(node, err, "'service' must be a mapping");
        }
        if (yx_only(node, KEYS, err) != OK ||
            yx_str_or(node, "listen", listen, &listen, err) != OK ||
            yx_i64_or(node, "workers", workers, &workers, err) != OK ||
            read_proxies(arena, node, ret, err) != OK ||
            read_tls(arena, folder, node, &ret->tls, err) != OK) {
            return err->code;
        }
    }
    if (workers < 1 || workers > WORKERS_MAX) {
        return yx_error(yx_get(node, "workers"), err, "'workers' must be between 1 and %d",
                        WORKERS_MAX);
    }
    ret->workers = (int)workers;
    ret->listen = arena_str(arena, listen);
    if (!config_listen_parse(arena, listen, &ret->address, &ret->port)) {
        return yx_error(yx_get(node, "listen"), err,
                        "'listen' must be ADDRESS:PORT, such as " CONFIG_LISTEN_DEFAULT
                        ", or unix:/path");
    }
    if (ret->tls && str_starts(ret->address, STR("unix:"))) {
        return yx_error(yx_get(node, "tls"), err, "'tls' has no effect on a socket file");
    }
    return OK;
}
