#include "cli/config_auth.h"

#include "http/url.h"
#include "oauth/grant.h"

enum { SHORT_BYTES_MAX = 1024, SCOPES_BYTES_MAX = 2048 };

static const char *const KEYS[] = {"grant",     "client_id",        "client_secret",
                                   "login_url", "redirect_uri",     "scopes",
                                   "username",  "private_key_file", NULL};
static const char *const GRANTS[] = {[OAUTH_AUTHORIZATION_CODE] = "authorization-code",
                                     [OAUTH_CLIENT_CREDENTIALS] = "client-credentials",
                                     [OAUTH_JWT_BEARER] = "jwt-bearer",
                                     NULL};

static enum fail read_text(struct arena *arena, const struct yx_node *node, const char *key,
                           size_t bytes_max, struct str *ret, struct error *err)
{
    struct str text;

    if (yx_str_or(node, key, STR(""), &text, err) != OK) {
        return err->code;
    }
    if (text.len > bytes_max) {
        return yx_error(yx_get(node, key), err, "'%s' is longer than %zu bytes", key, bytes_max);
    }
    *ret = arena_str(arena, text);
    return OK;
}

static enum fail read_grant(const struct yx_node *node, const struct adapter *adapter,
                            enum oauth_grant *ret, struct error *err)
{
    const struct yx_node *grant = yx_get(node, "grant");
    size_t index = OAUTH_AUTHORIZATION_CODE;

    if (grant && yx_word(grant, GRANTS, &index, err) != OK) {
        return err->code;
    }
    if (!(adapter->oauth->grants & 1u << index)) {
        return yx_error(grant ? grant : node, err, "%s has no sign-in by '%s'", adapter->title,
                        GRANTS[index]);
    }
    *ret = (enum oauth_grant)index;
    return OK;
}

static bool is_variable(struct str text)
{
    return text.len > 3 && str_starts(text, STR("${")) && str_ends(text, STR("}"));
}

/* What one grant needs and another does not know must not stand there without effect. */
static enum fail check_member(const struct yx_node *node, const char *key, struct str value,
                              bool is_wanted, bool is_needed, enum oauth_grant grant,
                              struct error *err)
{
    if (value.len && !is_wanted) {
        return yx_error(yx_get(node, key), err, "'%s' has no effect with grant '%s'", key,
                        GRANTS[grant]);
    }
    if (!value.len && is_needed) {
        return yx_error(node, err, "grant '%s' needs '%s'", GRANTS[grant], key);
    }
    return OK;
}

static enum fail check_members(const struct yx_node *node, const struct adapter *adapter,
                               const struct config_auth *auth, struct str key_file,
                               struct error *err)
{
    enum oauth_grant grant = auth->grant;
    bool by_person = grant == OAUTH_AUTHORIZATION_CODE, by_key = grant == OAUTH_JWT_BEARER;
    bool own_host = adapter->oauth->needs_own_host && grant == OAUTH_CLIENT_CREDENTIALS;

    if (check_member(node, "client_id", auth->client_id, true, true, grant, err) != OK ||
        check_member(node, "client_secret", auth->client_secret, !by_key, false, grant, err) !=
            OK ||
        check_member(node, "login_url", auth->login_url, true, own_host, grant, err) != OK ||
        check_member(node, "redirect_uri", auth->redirect_uri, by_person, false, grant, err) !=
            OK ||
        check_member(node, "scopes", auth->scopes, by_person, false, grant, err) != OK ||
        check_member(node, "username", auth->username, by_key, by_key, grant, err) != OK ||
        check_member(node, "private_key_file", key_file, by_key, by_key, grant, err) != OK) {
        return err->code;
    }
    if (auth->client_secret.len && !is_variable(auth->client_secret)) {
        return yx_error(yx_get(node, "client_secret"), err,
                        "a secret must not stand in the configuration: write ${NAME} for an "
                        "environment variable, or leave it out and 'crmsync connect' asks for it");
    }
    return OK;
}

/* Scheme and host alone: paths are the CRM's and known. Whether the host is allowed is seen before anything is sent. */
static enum fail check_login_url(const struct yx_node *node, struct config_auth *auth,
                                 struct error *err)
{
    struct error why = {0};
    struct http_url url;

    if (str_ends(auth->login_url, STR("/"))) {
        auth->login_url.len--;
    }
    if (auth->login_url.len &&
        (http_url_parse(auth->login_url, &url, &why) != OK || url.target.len)) {
        return yx_error(
            yx_get(node, "login_url"), err,
            "'login_url' must be scheme and host alone, such as https://test.salesforce.com");
    }
    return OK;
}

static enum fail check_redirect(const struct yx_node *node, struct config_auth *auth,
                                struct error *err)
{
    struct error why = {0};
    struct http_url url;

    if (auth->grant != OAUTH_AUTHORIZATION_CODE) {
        return OK;
    }
    if (!auth->redirect_uri.len) {
        auth->redirect_uri = STR(AUTH_REDIRECT_DEFAULT);
    }
    if (http_url_parse(auth->redirect_uri, &url, &why) != OK || !str_starts(url.target, STR("/")) ||
        str_contains(url.target, STR("?")) || str_contains(url.target, STR("#")) ||
        (!url.is_https && !url.is_loopback)) {
        return yx_error(yx_get(node, "redirect_uri"), err,
                        "'redirect_uri' must be an address with a path and nothing behind it: "
                        "https, or http at this machine such as " AUTH_REDIRECT_DEFAULT);
    }
    return OK;
}

static const char *path_of(struct arena *arena, const char *folder, struct str file)
{
    if (file.len == 0 || file.at[0] == '/' || strcmp(folder, ".") == 0) {
        return arena_cstr(arena, file);
    }
    return arena_printf(arena, "%s/%" PRI_STR, folder, STR_ARG(file)).at;
}

static enum fail read_auth(struct arena *arena, const char *folder, const struct yx_node *node,
                           const struct adapter *adapter, struct config_auth *ret,
                           struct error *err)
{
    struct str key_file;

    if (yx_only(node, KEYS, err) != OK || read_grant(node, adapter, &ret->grant, err) != OK ||
        read_text(arena, node, "client_id", SHORT_BYTES_MAX, &ret->client_id, err) != OK ||
        read_text(arena, node, "client_secret", SHORT_BYTES_MAX, &ret->client_secret, err) != OK ||
        read_text(arena, node, "login_url", SHORT_BYTES_MAX, &ret->login_url, err) != OK ||
        read_text(arena, node, "redirect_uri", SHORT_BYTES_MAX, &ret->redirect_uri, err) != OK ||
        read_text(arena, node, "scopes", SCOPES_BYTES_MAX, &ret->scopes, err) != OK ||
        read_text(arena, node, "username", SHORT_BYTES_MAX, &ret->username, err) != OK ||
        read_text(arena, node, "private_key_file", SHORT_BYTES_MAX, &key_file, err) != OK ||
        check_members(node, adapter, ret, key_file, err) != OK ||
        check_login_url(node, ret, err) != OK) {
        return err->code;
    }
    ret->private_key_file = path_of(arena, folder, key_file);
    return check_redirect(node, ret, err);
}

enum fail config_auth_read(struct arena *arena, const char *folder,
                           const struct yx_node *connection, const struct adapter *adapter,
                           struct config_auth *ret, struct error *err)
{
    static const char *const OTHERS[] = {"token", "token_file", "oauth"};
    const struct yx_node *node = yx_get(connection, "auth");

    if (!node) {
        return OK;
    }
    if (!adapter->oauth) {
        return yx_error(node, err, "%s takes fixed tokens only", adapter->title);
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "'auth' must be a mapping with at least 'client_id'");
    }
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        const struct yx_node *other = yx_get(connection, OTHERS[i]);

        if (other && !yx_is_null(other)) {
            return yx_error(other, err, "a connection has '%s' or 'auth', not both", OTHERS[i]);
        }
    }
    if (adapter->oauth->origin_member && yx_get(connection, "base_url")) {
        return yx_error(yx_get(connection, "base_url"), err,
                        "'base_url' has no effect with 'auth': %s says at every sign-in where its "
                        "API is",
                        adapter->title);
    }
    ret->is_used = true;
    return read_auth(arena, folder, node, adapter, ret, err);
}
