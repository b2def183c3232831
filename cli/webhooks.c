#include "cli/webhooks.h"

#include "cli/check.h"
#include "cli/variable.h"
#include "core/base64.h"
#include "core/private_file.h"
#include "oauth/tokens.h"
#include "store/audit.h"
#include "store/secret.h"

enum { PATH_BYTES = 16, PASSWORD_BYTES = 32 };

/* Names in the vault. URL: where the CRM was last told to send to. */
#define PATH_NAME "webhook-path"
#define PASSWORD_NAME "webhook-password"
#define FORMER "-former"
#define URL_NAME "webhook-url"

static const char *const NAMES[] = {PATH_NAME, PATH_NAME FORMER, PASSWORD_NAME,
                                    PASSWORD_NAME FORMER, URL_NAME};

void webhook_keys_fini(struct webhook_keys *keys)
{
    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        secret_fini(&keys->signing[i]);
        secret_fini(&keys->paths[i]);
        secret_fini(&keys->passwords[i]);
    }
    secret_fini(&keys->developer_key);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Absent is no failure: *ret stays empty. */
static enum fail from_vault(struct wire *wire, struct tx *tx, int64_t connection_id,
                            const char *name, struct secret *ret, struct error *err)
{
    if (vault_get(wire->vault, tx, connection_id, name, ret, NULL, err) == FAIL_AUTH) {
        error_reset(err);
    }
    return err->code;
}

static enum fail find_row(struct wire *wire, struct tx *tx, size_t index,
                          struct store_connection *ret, bool *ret_found, struct error *err)
{
    return connection_by_name(tx, wire->config.connections[index].name, &wire->arena, ret,
                              ret_found, err);
}

/* A variable where the configuration names one, else the vault, with the former one behind it. */
static enum fail load_made(struct wire *wire, struct tx *tx, int64_t connection_id,
                           struct str written, const char *name, const char *former,
                           struct secret ret[WEBHOOK_SECRETS_MAX], struct error *err)
{
    if (written.len) {
        return variable_read(written, "a secret of webhooks",
                             "take it out and run 'crmsync setup', which makes one", &ret[0], err);
    }
    if (from_vault(wire, tx, connection_id, name, &ret[0], err) != OK) {
        return err->code;
    }
    return from_vault(wire, tx, connection_id, former, &ret[1], err);
}

/* What signs the app's webhooks is the secret that it signs in with. */
static enum fail load_sign_in_secret(struct wire *wire, struct tx *tx, size_t index,
                                     int64_t connection_id, struct secret *ret, struct error *err)
{
    const struct config_auth *auth = &wire->config.auths[index];

    if (!auth->is_used) {
        return OK;
    }
    return auth->client_secret.len
               ? variable_read(auth->client_secret, "the client secret",
                               "remove 'client_secret' and run 'crmsync connect'", ret, err)
               : from_vault(wire, tx, connection_id, CLIENT_SECRET_NAME, ret, err);
}

static enum fail load_file(struct wire *wire, struct str path, struct secret *ret,
                           struct error *err)
{
    AUTO_SECRET struct secret whole = {0};

    if (private_file_read(arena_cstr(&wire->arena, path), "webhook secret file", &whole, err) !=
        OK) {
        return err->code;
    }
    secret_set(ret, str_trim(secret_expose(&whole)));
    return OK;
}

static enum fail load_signing(struct wire *wire, struct tx *tx, size_t index, int64_t connection_id,
                              struct webhook_keys *ret, struct error *err)
{
    const struct config_webhook *webhook = &wire->config.webhooks[index];
    const char *otherwise = "take it out of 'webhooks'";
    enum fail failed;

    if (!(wire->config.connections[index].adapter->webhook_means & WEBHOOK_BY_SIGNATURE)) {
        return OK;
    }
    if (webhook->secret.len) {
        failed =
            variable_read(webhook->secret, "the app's secret", otherwise, &ret->signing[0], err);
    } else if (webhook->secret_file.len) {
        failed = load_file(wire, webhook->secret_file, &ret->signing[0], err);
    } else {
        failed = load_sign_in_secret(wire, tx, index, connection_id, &ret->signing[0], err);
    }
    if (failed == OK && webhook->former_secret.len) {
        failed = variable_read(webhook->former_secret, "the app's former secret", otherwise,
                               &ret->signing[1], err);
    }
    return failed;
}

static enum fail load_all(struct wire *wire, struct tx *tx, size_t index, struct webhook_keys *ret,
                          struct error *err)
{
    const struct config_webhook *webhook = &wire->config.webhooks[index];
    struct store_connection row = {0};
    bool found = false;

    if (find_row(wire, tx, index, &row, &found, err) != OK ||
        load_made(wire, tx, row.id, webhook->path_secret, PATH_NAME, PATH_NAME FORMER, ret->paths,
                  err) != OK ||
        load_made(wire, tx, row.id, webhook->password, PASSWORD_NAME, PASSWORD_NAME FORMER,
                  ret->passwords, err) != OK ||
        load_signing(wire, tx, index, row.id, ret, err) != OK) {
        return err->code;
    }
    return webhook->developer_key.len
               ? variable_read(webhook->developer_key, "the developer key",
                               "take 'app_id' and 'developer_key' out", &ret->developer_key, err)
               : OK;
}

enum fail webhooks_load(struct wire *wire, size_t index, struct webhook_keys *ret,
                        struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    *ret = (struct webhook_keys){0};
    if (wire_begin(wire, &tx, err) != OK || load_all(wire, tx, index, ret, err) != OK) {
        webhook_keys_fini(ret);
        return error_wrap(err, "connection '%" PRI_STR "'",
                          STR_ARG(wire->config.connections[index].name));
    }
    return tx_commit(&tx, err);
}

static const char **kinds_of(struct wire *wire, size_t index, size_t *ret_count)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    const char **kinds = ARENA_ARRAY(&wire->arena, const char *, settings->kinds_count + 1);

    for (size_t i = 0; i < settings->kinds_count; i++) {
        kinds[i] = arena_cstr(&wire->arena, settings->kinds[i]);
    }
    *ret_count = settings->kinds_count;
    return kinds;
}

struct webhook_settings webhooks_settings(struct wire *wire, size_t index,
                                          const struct webhook_keys *keys, struct str account_id)
{
    const struct config_webhook *webhook = &wire->config.webhooks[index];
    struct account account = wire_account(wire, index, NULL, NULL);
    struct webhook_settings settings = {.user = STR(WEBHOOK_USER),
                                        .signatures = webhook->signatures,
                                        .needs_certificate = webhook->needs_certificate,
                                        .account_id = arena_str(&wire->arena, account_id),
                                        .allowed_ips = webhook->allowed_ips,
                                        .allowed_ips_count = webhook->allowed_ips_count,
                                        .objects = account.objects,
                                        .objects_count = account.objects_count};

    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        settings.signing[i] = &keys->signing[i];
        settings.paths[i] = &keys->paths[i];
        settings.passwords[i] = &keys->passwords[i];
    }
    settings.kinds = kinds_of(wire, index, &settings.kinds_count);
    return settings;
}

/* --- making secrets --------------------------------------------------------------------------- */

static void random_text(struct wire *wire, size_t bytes, bool is_hex, struct secret *ret)
{
    AUTO_ARENA struct arena arena = {0};
    uint8_t raw[PASSWORD_BYTES];
    char hex[2 * PASSWORD_BYTES + 1];

    random_bytes(wire->cli->env->random, raw, bytes);
    hex_encode(raw, bytes, hex);
    secret_set(ret, is_hex ? str_of(hex) : base64url_encode(&arena, raw, bytes));
    explicit_bzero(raw, sizeof raw);
    explicit_bzero(hex, sizeof hex);
    arena_wipe(&arena);
}

/* The one that is there becomes the former one. */
static enum fail replace(struct wire *wire, struct tx *tx, int64_t connection_id, const char *name,
                         const char *former, bool fresh, bool is_hex, struct error *err)
{
    AUTO_SECRET struct secret present = {0};
    AUTO_SECRET struct secret made = {0};

    if (from_vault(wire, tx, connection_id, name, &present, err) != OK) {
        return err->code;
    }
    if (!secret_is_empty(&present) && !fresh) {
        return OK;
    }
    if (!secret_is_empty(&present) &&
        vault_put(wire->vault, tx, connection_id, former, &present, err) != OK) {
        return err->code;
    }
    random_text(wire, is_hex ? PATH_BYTES : PASSWORD_BYTES, is_hex, &made);
    return vault_put(wire->vault, tx, connection_id, name, &made, err);
}

static enum fail make_secrets(struct wire *wire, size_t index, bool fresh, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct config_webhook *webhook = &wire->config.webhooks[index];
    unsigned means = wire->config.connections[index].adapter->webhook_means;
    int64_t id = wire->connections[index].row.id;

    if (wire_begin(wire, &tx, err) != OK ||
        (!webhook->path_secret.len &&
         replace(wire, tx, id, PATH_NAME, PATH_NAME FORMER, fresh, true, err) != OK) ||
        (means & WEBHOOK_BY_PASSWORD && !webhook->password.len &&
         replace(wire, tx, id, PASSWORD_NAME, PASSWORD_NAME FORMER, fresh, false, err) != OK)) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

/* Connections of the default tenant by their name alone. */
static void url_of(struct wire *wire, size_t index, const struct webhook_keys *keys,
                   struct secret *ret)
{
    AUTO_BUF struct buf url;
    const struct config *config = &wire->config;
    struct str path = secret_expose(&keys->paths[0]);

    buf_init(&url, 4096);
    buf_addf(&url, "%" PRI_STR WEBHOOK_PATH, STR_ARG(config->public_url));
    if (config->tenant > 0) {
        buf_addf(&url, "%" PRI_STR ".", STR_ARG(config->tenants[config->tenant].name));
    }
    buf_addf(&url, "%" PRI_STR "/%" PRI_STR, STR_ARG(config->connections[index].name),
             STR_ARG(path));
    secret_set(ret, buf_str(&url));
    explicit_bzero(url.at, url.len);
}

static struct str without_secret(struct str url)
{
    while (url.len && url.at[url.len - 1] != '/') {
        url.len--;
    }
    return url;
}

/* What the mappings read, of all kinds. */
static const struct webhook_property *properties_of(struct wire *wire, size_t index,
                                                    size_t *ret_count)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    struct webhook_property *properties;
    size_t room = 0, count = 0;

    for (size_t i = 0; i < settings->kinds_count; i++) {
        room += mapping_of(settings->mappings, settings->kinds[i])->properties_count;
    }
    properties = ARENA_ARRAY(&wire->arena, struct webhook_property, room + 1);
    for (size_t i = 0; i < settings->kinds_count; i++) {
        const struct mapping *mapping = mapping_of(settings->mappings, settings->kinds[i]);
        const char *kind = arena_cstr(&wire->arena, settings->kinds[i]);

        for (size_t k = 0; k < mapping->properties_count; k++) {
            properties[count++] =
                (struct webhook_property){.kind = kind, .name = mapping->properties[k]};
        }
    }
    *ret_count = count;
    return properties;
}

struct webhook_wanted webhooks_subject(struct wire *wire, size_t index)
{
    struct webhook_wanted wanted = {.url = STR("")};

    wanted.kinds = kinds_of(wire, index, &wanted.kinds_count);
    wanted.properties = properties_of(wire, index, &wanted.properties_count);
    return wanted;
}

static struct webhook_wanted wanted_of(struct wire *wire, size_t index,
                                       const struct webhook_keys *keys, const struct secret *url)
{
    struct webhook_wanted wanted = webhooks_subject(wire, index);

    wanted.url = secret_expose(url);
    wanted.user = STR(WEBHOOK_USER);
    wanted.password = &keys->passwords[0];
    wanted.app_id = wire->config.webhooks[index].app_id;
    wanted.developer_key = &keys->developer_key;
    return wanted;
}

/* Where the CRM was told to send to before; empty: nowhere. */
static enum fail told_url(struct wire *wire, size_t index, struct secret *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK ||
        from_vault(wire, tx, wire->connections[index].row.id, URL_NAME, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail keep_url(struct wire *wire, size_t index, const struct secret *url,
                          struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    int64_t id = wire->connections[index].row.id;

    if (wire_begin(wire, &tx, err) != OK ||
        vault_put(wire->vault, tx, id, URL_NAME, url, err) != OK ||
        audit_put_connection(tx, "connection.webhooks-set-up", id, NULL, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail forget(struct wire *wire, int64_t connection_id, bool *ret_had, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        bool found = false;

        if (vault_remove(tx, connection_id, NAMES[i], &found, err) != OK) {
            return err->code;
        }
        *ret_had = *ret_had || found;
    }
    if (*ret_had &&
        audit_put_connection(tx, "connection.webhooks-removed", connection_id, NULL, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* Salesforce's messages are held against the organization's id: it must be known before the first one comes. */
static enum fail know_account(struct wire *wire, size_t index, struct error *err)
{
    struct account_facts facts = {0};

    if (wire->connections[index].row.account_id.len) {
        return OK;
    }
    if (wire->config.connections[index].adapter->check(wire->connections[index].session,
                                                       &wire->arena, &facts, err) != OK) {
        return err->code;
    }
    return check_account(wire, index, &facts, err);
}

static enum fail unsubscribe(struct wire *wire, size_t index, const struct webhook_keys *keys,
                             const struct secret *url, struct webhook_report *ret,
                             struct error *err)
{
    struct webhook_wanted wanted = wanted_of(wire, index, keys, url);

    return wire->config.connections[index].adapter->unsubscribe(wire->connections[index].session,
                                                                &wanted, &wire->arena, ret, err);
}

/* A service that moved: what sends to its old address ends, where the CRM has an API for it. */
static enum fail leave_old_url(struct wire *wire, size_t index, const struct webhook_keys *keys,
                               const struct secret *told, const struct secret *url,
                               struct webhook_report *ret, struct error *err)
{
    struct webhook_report old = {0};

    if (secret_is_empty(told) ||
        str_equal(without_secret(secret_expose(told)), without_secret(secret_expose(url)))) {
        return OK;
    }
    if (unsubscribe(wire, index, keys, told, &old, err) != OK) {
        return err->code;
    }
    ret->removed += old.removed;
    return OK;
}

static enum fail switch_on(struct wire *wire, size_t index, bool fresh, struct secret *told,
                           struct webhook_report *ret, struct error *err)
{
    AUTO_WEBHOOK_KEYS struct webhook_keys keys = {0};
    AUTO_SECRET struct secret url = {0};
    const struct adapter *adapter = wire->config.connections[index].adapter;
    struct webhook_wanted wanted;

    if (know_account(wire, index, err) != OK || make_secrets(wire, index, fresh, err) != OK ||
        webhooks_load(wire, index, &keys, err) != OK) {
        return err->code;
    }
    url_of(wire, index, &keys, &url);
    wanted = wanted_of(wire, index, &keys, &url);
    if (adapter->subscribe(wire->connections[index].session, &wanted, &wire->arena, ret, err) !=
            OK ||
        leave_old_url(wire, index, &keys, told, &url, ret, err) != OK) {
        return err->code;
    }
    return secret_equal(told, &url) ? OK : keep_url(wire, index, &url, err);
}

enum fail webhooks_set_up(struct wire *wire, size_t index, bool fresh, struct webhook_report *ret,
                          struct error *err)
{
    AUTO_WEBHOOK_KEYS struct webhook_keys keys = {0};
    AUTO_SECRET struct secret told = {0};
    bool had = false;

    *ret = (struct webhook_report){.by_hand = STR("")};
    if (told_url(wire, index, &told, err) != OK) {
        return err->code;
    }
    if (wire->config.webhooks[index].is_on) {
        return switch_on(wire, index, fresh, &told, ret, err);
    }
    if (secret_is_empty(&told)) {
        return OK;
    }
    if (webhooks_load(wire, index, &keys, err) != OK ||
        unsubscribe(wire, index, &keys, &told, ret, err) != OK) {
        return err->code;
    }
    return forget(wire, wire->connections[index].row.id, &had, err);
}

static enum fail is_as_told(struct wire *wire, size_t index, const struct secret *told, bool *ret,
                            struct error *err)
{
    AUTO_WEBHOOK_KEYS struct webhook_keys keys = {0};
    AUTO_SECRET struct secret url = {0};

    if (webhooks_load(wire, index, &keys, err) != OK) {
        return err->code;
    }
    url_of(wire, index, &keys, &url);
    *ret = secret_equal(told, &url);
    return OK;
}

static enum fail mend(struct wire *wire, size_t index, struct webhook_report *ret,
                      struct error *err)
{
    AUTO_SECRET struct secret told = {0};
    bool is_same = false;

    if (told_url(wire, index, &told, err) != OK || secret_is_empty(&told) ||
        is_as_told(wire, index, &told, &is_same, err) != OK || !is_same) {
        return err->code;
    }
    return switch_on(wire, index, false, &told, ret, err);
}

enum fail webhooks_mend(struct wire *wire, size_t index, struct webhook_report *ret,
                        struct error *err)
{
    struct wire own = *wire;

    *ret = (struct webhook_report){.by_hand = STR("")};
    if (!wire->config.webhooks[index].is_on || !wire->connections[index].row.account_id.len) {
        return OK;
    }
    own.arena = (struct arena){0};
    if (mend(&own, index, ret, err) == OK) {
        ret->by_hand = STR(""); /* a person was told when it was set up */
    }
    arena_fini(&own.arena);
    return err->code;
}

/* --- the end ---------------------------------------------------------------------------------- */

static enum fail end_there(struct wire *wire, size_t index, const struct secret *told,
                           struct webhook_report *ret, struct error *err)
{
    AUTO_WEBHOOK_KEYS struct webhook_keys keys = {0};

    if (wire_open(wire, index, err) != OK || webhooks_load(wire, index, &keys, err) != OK) {
        return err->code;
    }
    return unsubscribe(wire, index, &keys, told, ret, err);
}

enum fail webhooks_end(struct wire *wire, size_t index, bool *ret_had, struct webhook_report *ret,
                       struct error *ret_why, struct error *err)
{
    AUTO_SECRET struct secret told = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row = {0};
    bool found = false;

    *ret_had = false;
    *ret_why = (struct error){0};
    *ret = (struct webhook_report){.by_hand = STR("")};
    if (wire_begin(wire, &tx, err) != OK || find_row(wire, tx, index, &row, &found, err) != OK ||
        from_vault(wire, tx, row.id, URL_NAME, &told, err) != OK || tx_commit(&tx, err) != OK) {
        return err->code;
    }
    if (!secret_is_empty(&told)) {
        (void)end_there(wire, index, &told, ret, ret_why); /* told to the person */
    }
    return found ? forget(wire, row.id, ret_had, err) : OK;
}

enum fail webhooks_shown(struct wire *wire, struct tx *tx, size_t index, int64_t connection_id,
                         struct str *ret, struct error *err)
{
    struct store_secret secret;
    bool found = false;

    if (!wire->config.webhooks[index].is_on) {
        *ret = STR("off");
        return OK;
    }
    if (secret_find(tx, connection_id, STR(URL_NAME), &wire->arena, &secret, &found, err) != OK) {
        return err->code;
    }
    *ret = found ? STR("on") : STR("run 'crmsync setup'");
    return OK;
}
