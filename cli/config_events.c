#include "cli/config_events.h"

#include "cli/variable.h"
#include "http/url.h"

#define HOUR_MS (INT64_C(60) * 60 * 1000)
#define GIVE_UP_DEFAULT_MS (3 * 24 * HOUR_MS)
#define GIVE_UP_MAX_MS (14 * 24 * HOUR_MS)

enum { NAME_BYTES_MAX = 64, GIVE_UP_MIN_MS = 60 * 1000 };

static const char *const EVENTS_KEYS[] = {"endpoints", NULL};
static const char *const ENDPOINT_KEYS[] = {"url",    "secret",  "types", "kinds",
                                            "fields", "give_up", NULL};
static const char *const FIELDS[] = {"none", "names", "all", NULL};

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return name.len > 0 && name.len <= NAME_BYTES_MAX;
}

static enum fail read_url(struct arena *arena, const struct yx_node *node, bool allow_loopback,
                          struct config_endpoint *ret, struct error *err)
{
    const struct yx_node *at = yx_get(node, "url");
    struct http_url url;
    struct error why = {0};
    struct str text;

    if (yx_str(node, "url", &text, err) != OK) {
        return err->code;
    }
    ret->url = arena_str(arena, text);
    if (variable_is_one(text)) {
        return OK;
    }
    if (http_url_parse(text, &url, &why) != OK) {
        return yx_error(at, err, "%s", why.message);
    }
    if (url.is_loopback) {
        return allow_loopback
                   ? OK
                   : yx_error(at, err, "'url' is this machine, which needs 'allow_loopback: true'");
    }
    return url.is_https ? OK : yx_error(at, err, "'url' must be https");
}

static enum fail add_secret(struct arena *arena, const struct yx_node *node,
                            struct config_endpoint *ret, struct error *err)
{
    if (!variable_is_one(yx_text(node))) {
        return yx_error(node, err, "'secret' must be ${NAME}: secrets do not stand in this file");
    }
    ret->secrets[ret->secrets_count++] = arena_str(arena, yx_text(node));
    return OK;
}

/* Two while one is being changed for the other: each event is signed with both. */
static enum fail read_secrets(struct arena *arena, const struct yx_node *node,
                              struct config_endpoint *ret, struct error *err)
{
    const struct yx_node *secret = yx_get(node, "secret");

    if (!secret || yx_is_null(secret)) {
        return yx_error(node, err, "events are signed: 'secret: ${NAME}' is missing");
    }
    if (yx_type(secret) != YX_SEQUENCE) {
        return add_secret(arena, secret, ret, err);
    }
    if (yx_count(secret) == 0 || yx_count(secret) > HOOK_SECRETS_MAX) {
        return yx_error(secret, err, "'secret' must be one, or a list of one or two");
    }
    for (size_t i = 0; i < yx_count(secret); i++) {
        if (add_secret(arena, yx_item(secret, i), ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail read_types(const struct yx_node *node, struct config_endpoint *ret,
                            struct error *err)
{
    const struct yx_node *types = yx_get(node, "types");
    const char *names[EVENT_TYPES + 1] = {0};
    size_t word;

    if (!types || yx_is_null(types)) {
        return OK;
    }
    for (int i = 0; i < EVENT_TYPES; i++) {
        names[i] = event_type_name((enum event_type)i);
    }
    if (yx_type(types) != YX_SEQUENCE || yx_count(types) == 0) {
        return yx_error(types, err, "'types' must be a list of event types");
    }
    for (size_t i = 0; i < yx_count(types); i++) {
        if (yx_word(yx_item(types, i), names, &word, err) != OK) {
            return err->code;
        }
        ret->filter.types |= 1U << word;
    }
    return OK;
}

static enum fail read_kinds(struct arena *arena, const struct yx_node *node,
                            const struct kinds *kinds, struct config_endpoint *ret,
                            struct error *err)
{
    const struct yx_node *list = yx_get(node, "kinds");
    struct str *names;

    if (!list || yx_is_null(list)) {
        return OK;
    }
    if (yx_type(list) != YX_SEQUENCE || yx_count(list) == 0 || yx_count(list) > EVENT_KINDS_MAX) {
        return yx_error(list, err, "'kinds' must be a list of kinds");
    }
    names = ARENA_ARRAY(arena, struct str, yx_count(list));
    for (size_t i = 0; i < yx_count(list); i++) {
        const struct yx_node *item = yx_item(list, i);

        if (!kind_by_name(kinds, yx_text(item))) {
            return yx_error(item, err, "there is no kind '%" PRI_STR "'", STR_ARG(yx_text(item)));
        }
        names[i] = arena_str(arena, yx_text(item));
    }
    ret->filter.kinds = names;
    ret->filter.kinds_count = yx_count(list);
    return OK;
}

static enum fail read_rest(const struct yx_node *node, struct config_endpoint *ret,
                           struct error *err)
{
    const struct yx_node *fields = yx_get(node, "fields");
    size_t word = EVENT_FIELDS_NAMES;

    if ((fields && yx_word(fields, FIELDS, &word, err) != OK) ||
        yx_duration_ms_or(node, "give_up", GIVE_UP_DEFAULT_MS, &ret->give_up_ms, err) != OK) {
        return err->code;
    }
    ret->filter.fields = (enum event_fields)word;
    return ret->give_up_ms < GIVE_UP_MIN_MS || ret->give_up_ms > GIVE_UP_MAX_MS
               ? yx_error(yx_get(node, "give_up"), err, "'give_up' must be 1m to 14d")
               : OK;
}

static enum fail read_endpoint(struct arena *arena, const struct yx_node *key,
                               const struct yx_node *node, const struct kinds *kinds,
                               bool allow_loopback, struct config_endpoint *ret, struct error *err)
{
    ret->name = arena_str(arena, yx_text(key));
    if (!is_name(ret->name)) {
        return yx_error(key, err, "an endpoint's name is letters, digits, '_' and '-'");
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "an endpoint is a mapping with at least 'url' and 'secret'");
    }
    if (yx_only(node, ENDPOINT_KEYS, err) != OK ||
        read_url(arena, node, allow_loopback, ret, err) != OK ||
        read_secrets(arena, node, ret, err) != OK || read_types(node, ret, err) != OK ||
        read_kinds(arena, node, kinds, ret, err) != OK) {
        return err->code;
    }
    return read_rest(node, ret, err);
}

enum fail config_events_read(struct arena *arena, const struct yx_node *node,
                             const struct kinds *kinds, bool allow_loopback,
                             struct config_events *ret, struct error *err)
{
    const struct yx_node *many;
    struct config_endpoint *endpoints;

    *ret = (struct config_events){0};
    if (!node || yx_is_null(node)) {
        return OK;
    }
    if (yx_only(node, EVENTS_KEYS, err) != OK) {
        return err->code;
    }
    many = yx_get(node, "endpoints");
    if (!many || yx_is_null(many)) {
        return OK;
    }
    if (yx_type(many) != YX_MAPPING || yx_count(many) > CONFIG_ENDPOINTS_MAX) {
        return yx_error(many, err, "'endpoints' must be a mapping of at most %d names",
                        CONFIG_ENDPOINTS_MAX);
    }
    endpoints = ARENA_ARRAY(arena, struct config_endpoint, yx_count(many) + 1);
    for (size_t i = 0; i < yx_count(many); i++) {
        if (read_endpoint(arena, yx_key_at(many, i), yx_value_at(many, i), kinds, allow_loopback,
                          &endpoints[i], err) != OK) {
            return err->code;
        }
    }
    ret->endpoints = endpoints;
    ret->endpoints_count = yx_count(many);
    return OK;
}
