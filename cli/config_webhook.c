#include "cli/config_webhook.h"

#include "http/url.h"

enum { TEXT_BYTES_MAX = 1024, RANGES_MAX = 256, RATE_MAX = 100000 };

static const char *const KEYS[] = {
    "enabled",     "secret",   "former_secret", "secret_file",   "accept", "allowed_ips",
    "path_secret", "password", "app_id",        "developer_key", "rate",   "client_certificate",
    NULL};

/* --- public_url ------------------------------------------------------------------------------- */

enum fail config_public_url(struct arena *arena, const struct yx_node *root, bool allow_loopback,
                            struct str *ret, struct error *err)
{
    const struct yx_node *node = yx_get(root, "public_url");
    struct error why = {0};
    struct http_url url;
    struct str text;

    if (yx_str_or(root, "public_url", STR(""), &text, err) != OK) {
        return err->code;
    }
    if (str_ends(text, STR("/"))) {
        text.len--;
    }
    *ret = arena_str(arena, text);
    if (text.len == 0) {
        return OK;
    }
    if (http_url_parse(text, &url, &why) != OK || url.target.len) {
        return yx_error(node, err,
                        "'public_url' must be scheme and host alone, as others call this service: "
                        "https://sync.example.com");
    }
    if (!url.is_https && !(url.is_loopback && allow_loopback)) {
        return yx_error(node, err,
                        "'public_url' must begin with https:// (http is for this machine alone, "
                        "with 'allow_loopback: true')");
    }
    return OK;
}

/* --- webhooks --------------------------------------------------------------------------------- */

static bool is_variable(struct str text)
{
    return text.len > 3 && str_starts(text, STR("${")) && str_ends(text, STR("}"));
}

static enum fail read_text(struct arena *arena, const struct yx_node *node, const char *key,
                           struct str *ret, struct error *err)
{
    struct str text;

    if (yx_str_or(node, key, STR(""), &text, err) != OK) {
        return err->code;
    }
    if (text.len > TEXT_BYTES_MAX) {
        return yx_error(yx_get(node, key), err, "'%s' is longer than %d bytes", key,
                        TEXT_BYTES_MAX);
    }
    *ret = arena_str(arena, text);
    return OK;
}

static enum fail read_secret(struct arena *arena, const struct yx_node *node, const char *key,
                             struct str *ret, struct error *err)
{
    if (read_text(arena, node, key, ret, err) != OK) {
        return err->code;
    }
    if (ret->len && !is_variable(*ret)) {
        return yx_error(yx_get(node, key), err,
                        "a secret must not stand in the configuration: write ${NAME} for an "
                        "environment variable");
    }
    return OK;
}

/* What this CRM does not use must not stand there without effect. */
static enum fail refuse_unused(const struct yx_node *node, const struct adapter *adapter,
                               struct error *err)
{
    static const struct {
        const char *key;
        unsigned means;
    } USES[] = {
        {"secret", WEBHOOK_BY_SIGNATURE},      {"former_secret", WEBHOOK_BY_SIGNATURE},
        {"secret_file", WEBHOOK_BY_SIGNATURE}, {"accept", WEBHOOK_BY_SIGNATURE},
        {"password", WEBHOOK_BY_PASSWORD},     {"app_id", WEBHOOK_BY_APP},
        {"developer_key", WEBHOOK_BY_APP},     {"client_certificate", WEBHOOK_BY_CERTIFICATE},
    };

    for (size_t i = 0; i < COUNT_OF(USES); i++) {
        const struct yx_node *member = yx_get(node, USES[i].key);

        if (member && !yx_is_null(member) && !(adapter->webhook_means & USES[i].means)) {
            return yx_error(member, err, "'%s' has no effect on webhooks of %s", USES[i].key,
                            adapter->title);
        }
    }
    return OK;
}

static enum fail read_accept(const struct yx_node *node, unsigned *ret, struct error *err)
{
    static const char *const WORDS[] = {"v1", "v2", "v3", NULL};
    const struct yx_node *list = yx_get(node, "accept");

    if (!list || yx_is_null(list)) {
        return OK;
    }
    if (yx_type(list) != YX_SEQUENCE || yx_count(list) == 0) {
        return yx_error(list, err, "'accept' must be a list, such as [v3]");
    }
    for (size_t i = 0; i < yx_count(list); i++) {
        size_t word = 0;

        if (yx_word(yx_item(list, i), WORDS, &word, err) != OK) {
            return err->code;
        }
        *ret |= 1u << word; /* in the order of enum webhook_signature */
    }
    return OK;
}

static enum fail read_ranges(struct arena *arena, const struct yx_node *node,
                             struct config_webhook *ret, struct error *err)
{
    const struct yx_node *list = yx_get(node, "allowed_ips");
    struct address_range *ranges;
    size_t count;

    if (!list || yx_is_null(list)) {
        return OK;
    }
    count = yx_count(list);
    if (yx_type(list) != YX_SEQUENCE || count == 0 || count > RANGES_MAX) {
        return yx_error(list, err, "'allowed_ips' must be a list of 1 to %d addresses or ranges",
                        RANGES_MAX);
    }
    ranges = ARENA_ARRAY(arena, struct address_range, count);
    for (size_t i = 0; i < count; i++) {
        if (!address_range_parse(yx_text(yx_item(list, i)), &ranges[i])) {
            return yx_error(yx_item(list, i), err,
                            "'%" PRI_STR "' is neither an address nor a range such as 192.0.2.0/24",
                            STR_ARG(yx_text(yx_item(list, i))));
        }
    }
    ret->allowed_ips = ranges;
    ret->allowed_ips_count = count;
    return OK;
}

/* Deliveries a second, or "none". */
static enum fail read_rate(const struct yx_node *node, int *ret, struct error *err)
{
    const struct yx_node *rate = yx_get(node, "rate");
    int64_t number = 0;

    if (!rate || yx_is_null(rate)) {
        return OK;
    }
    if (str_equal(yx_text(rate), STR("none"))) {
        *ret = -1;
        return OK;
    }
    if (!str_to_i64(yx_text(rate), &number) || number < 1 || number > RATE_MAX) {
        return yx_error(rate, err, "'rate' must be 1 to %d deliveries a second, or none", RATE_MAX);
    }
    *ret = (int)number;
    return OK;
}

/* An app's number, written with or without quotes. */
static enum fail read_app(struct arena *arena, const struct yx_node *node,
                          struct config_webhook *ret, struct error *err)
{
    const struct yx_node *app = yx_get(node, "app_id");
    int64_t number;

    if (read_secret(arena, node, "developer_key", &ret->developer_key, err) != OK) {
        return err->code;
    }
    if (app && !yx_is_null(app)) {
        if (!str_to_i64(yx_text(app), &number) || number <= 0) {
            return yx_error(app, err, "'app_id' must be the number of the app");
        }
        ret->app_id = arena_str(arena, yx_text(app));
    }
    if ((ret->app_id.len > 0) != (ret->developer_key.len > 0)) {
        return yx_error(node, err, "'app_id' and 'developer_key' belong together");
    }
    return OK;
}

static enum fail read_secret_file(struct arena *arena, const char *folder,
                                  const struct yx_node *node, struct config_webhook *ret,
                                  struct error *err)
{
    struct str file;

    if (read_text(arena, node, "secret_file", &file, err) != OK) {
        return err->code;
    }
    if (file.len && ret->secret.len) {
        return yx_error(yx_get(node, "secret_file"), err,
                        "webhooks have 'secret' or 'secret_file', not both");
    }
    ret->secret_file = file.len && file.at[0] != '/' && strcmp(folder, ".") != 0
                           ? arena_printf(arena, "%s/%" PRI_STR, folder, STR_ARG(file))
                           : file;
    return OK;
}

static enum fail read_members(struct arena *arena, const char *folder, const struct yx_node *node,
                              const struct adapter *adapter, struct config_webhook *ret,
                              struct error *err)
{
    if (yx_only(node, KEYS, err) != OK || refuse_unused(node, adapter, err) != OK ||
        yx_bool_or(node, "enabled", true, &ret->is_on, err) != OK ||
        yx_bool_or(node, "client_certificate", false, &ret->needs_certificate, err) != OK ||
        read_secret(arena, node, "secret", &ret->secret, err) != OK ||
        read_secret(arena, node, "former_secret", &ret->former_secret, err) != OK ||
        read_secret_file(arena, folder, node, ret, err) != OK ||
        read_secret(arena, node, "path_secret", &ret->path_secret, err) != OK ||
        read_secret(arena, node, "password", &ret->password, err) != OK ||
        read_accept(node, &ret->signatures, err) != OK ||
        read_rate(node, &ret->rate_per_s, err) != OK || read_ranges(arena, node, ret, err) != OK) {
        return err->code;
    }
    return read_app(arena, node, ret, err);
}

enum fail config_webhook_read(struct arena *arena, const char *folder,
                              const struct yx_node *connection, const struct adapter *adapter,
                              const struct config_webhook_place *place, struct config_webhook *ret,
                              struct error *err)
{
    const struct yx_node *node = yx_get(connection, "webhooks");

    *ret = (struct config_webhook){.secret = STR("")};
    if (!node || yx_is_null(node)) {
        return OK;
    }
    if (!adapter->webhook_verify) {
        return yx_error(node, err, "%s sends no webhooks", adapter->title);
    }
    if (yx_type(node) == YX_MAPPING
            ? read_members(arena, folder, node, adapter, ret, err) != OK
            : yx_bool_or(connection, "webhooks", false, &ret->is_on, err) != OK) {
        return err->code;
    }
    if (ret->needs_certificate && !place->asks_clients) {
        yx_error(yx_get(node, "client_certificate"), err,
                 "nothing says which certificates are good");
        return error_hint(err, "name the CRM's certificate at 'service: tls: client_ca:'");
    }
    if (ret->is_on && !place->public_url.len) {
        yx_error(node, err, "webhooks need to know where this service is reached");
        return error_hint(err, "set 'public_url: https://…' at the top, or take 'webhooks' out: "
                               "changes are then found by asking");
    }
    return OK;
}
