#include "cli/config_alerts.h"

#include "api/metrics.h"
#include "cli/service_metrics.h"
#include "http/url.h"

enum { CHANNELS_MAX = 32, NAME_BYTES_MAX = 64, HOUR_MS = 60 * 60 * 1000 };

static const char *const RULE_KEYS[] = {"name", "condition", "for", "severity", "action", NULL};
static const char *const NOTIFY_KEYS[] = {"again", "channels", NULL};
static const char *const CHANNEL_KEYS[] = {"webhook", "secret", "slack",    "email", "from",
                                           "server",  "user",   "password", NULL};
static const char *const SEVERITIES[] = {"info", "warning", "critical", NULL};

/* What holds without `alerts`. source: the brief's section 12, "Alerting Rules" */
static const struct {
    const char *name, *condition, *channel;
    enum alert_severity severity;
} DEFAULTS[] = {
    {"high_sync_latency", "avg_sync_latency_ms > 10000", "notify_devops", ALERT_WARNING},
    {"low_success_rate", "sync_success_rate < 0.95", "create_incident", ALERT_CRITICAL},
    {"api_rate_limit", "api_rate_limit_hits > 0", "notify_admin", ALERT_INFO},
};

const struct config_channel *config_channel_find(const struct config_alerts *alerts,
                                                 struct str name)
{
    for (size_t i = 0; i < alerts->channels_count; i++) {
        if (str_equal(alerts->channels[i].name, name)) {
            return &alerts->channels[i];
        }
    }
    return NULL;
}

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

/* --- channels ------------------------------------------------------------------------------------------------------------------- */

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
                        "'%s' must be ${NAME}: secrets do not stand in this file", key);
    }
    return OK;
}

static enum fail read_recipients(struct arena *arena, const struct yx_node *node,
                                 struct config_channel *ret, struct error *err)
{
    const struct yx_node *email = yx_get(node, "email");
    bool is_list = yx_type(email) == YX_SEQUENCE;
    size_t count = is_list ? yx_count(email) : 1;

    if (count == 0 || count > MAIL_RECIPIENTS_MAX) {
        return yx_error(email, err, "'email' must be one to %d addresses", MAIL_RECIPIENTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const struct yx_node *one = is_list ? yx_item(email, i) : email;

        if (!mail_address_ok(yx_text(one))) {
            return yx_error(one, err, "'%" PRI_STR "' is no mail address", STR_ARG(yx_text(one)));
        }
        ret->to[ret->to_count++] = arena_str(arena, yx_text(one));
    }
    return OK;
}

static enum fail read_mail(struct arena *arena, const struct yx_node *node,
                           struct config_channel *ret, struct error *err)
{
    ret->type = CHANNEL_MAIL;
    if (read_recipients(arena, node, ret, err) != OK ||
        read_text(arena, node, "server", &ret->url, err) != OK ||
        read_text(arena, node, "from", &ret->from, err) != OK ||
        read_text(arena, node, "user", &ret->user, err) != OK ||
        read_secret(arena, node, "password", &ret->secret, err) != OK) {
        return err->code;
    }
    if (!mail_url_ok(ret->url)) {
        return yx_error(node, err, "'server' must be smtp://host:587 or smtps://host:465");
    }
    if (!mail_address_ok(ret->from)) {
        return yx_error(node, err, "'from' must be a mail address");
    }
    if ((ret->user.len == 0) != (ret->secret.len == 0)) {
        return yx_error(node, err, "'user' and 'password' belong together");
    }
    return OK;
}

static enum fail check_url(const struct yx_node *node, const struct config_channel *channel,
                           struct error *err)
{
    struct http_url url;
    struct error why = {0};

    if (!is_variable(channel->url) && http_url_parse(channel->url, &url, &why) != OK) {
        return yx_error(node, err, "%s", why.message);
    }
    return OK;
}

static enum fail read_hook(struct arena *arena, const struct yx_node *node,
                           struct config_channel *ret, struct error *err)
{
    bool is_slack = yx_get(node, "slack") != NULL;

    ret->type = is_slack ? CHANNEL_SLACK : CHANNEL_WEBHOOK;
    if (read_text(arena, node, is_slack ? "slack" : "webhook", &ret->url, err) != OK ||
        read_secret(arena, node, "secret", &ret->secret, err) != OK ||
        check_url(node, ret, err) != OK) {
        return err->code;
    }
    if (!is_slack && ret->secret.len == 0) {
        return yx_error(node, err, "a webhook is signed: 'secret: ${NAME}' is missing");
    }
    return OK;
}

static enum fail read_channel(struct arena *arena, const struct yx_node *key,
                              const struct yx_node *node, struct config_channel *ret,
                              struct error *err)
{
    int kinds;

    ret->name = arena_str(arena, yx_text(key));
    if (!is_name(ret->name)) {
        return yx_error(key, err, "a channel's name is letters, digits, '_' and '-'");
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "a channel has 'slack', 'webhook' or 'email'");
    }
    if (yx_only(node, CHANNEL_KEYS, err) != OK) {
        return err->code;
    }
    kinds = !!yx_get(node, "webhook") + !!yx_get(node, "slack") + !!yx_get(node, "email");
    if (kinds != 1) {
        return yx_error(node, err, "a channel has one of 'slack', 'webhook' and 'email'");
    }
    return yx_get(node, "email") ? read_mail(arena, node, ret, err)
                                 : read_hook(arena, node, ret, err);
}

static enum fail read_channels(struct arena *arena, const struct yx_node *notify,
                               struct config_alerts *ret, struct error *err)
{
    const struct yx_node *many = yx_get(notify, "channels");
    size_t count = many ? yx_count(many) : 0;
    struct config_channel *channels = ARENA_ARRAY(arena, struct config_channel, count + 1);

    if (many && (yx_type(many) != YX_MAPPING || count > CHANNELS_MAX)) {
        return yx_error(many, err, "'channels' must be a mapping of at most %d names",
                        CHANNELS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (read_channel(arena, yx_key_at(many, i), yx_value_at(many, i), &channels[i], err) !=
            OK) {
            return err->code;
        }
    }
    ret->channels = channels;
    ret->channels_count = count;
    return OK;
}

static enum fail read_notify(struct arena *arena, const struct yx_node *root,
                             struct config_alerts *ret, struct error *err)
{
    const struct yx_node *notify = yx_get(root, "notify");

    ret->again_ms = 4 * (int64_t)HOUR_MS;
    if (!notify || yx_is_null(notify)) {
        return OK;
    }
    if (yx_only(notify, NOTIFY_KEYS, err) != OK ||
        yx_duration_ms_or(notify, "again", ret->again_ms, &ret->again_ms, err) != OK) {
        return err->code;
    }
    return read_channels(arena, notify, ret, err);
}

/* --- rules ------------------------------------------------------------------------------------------------------------------------ */

static enum fail read_condition(struct arena *arena, const struct yx_node *node,
                                struct alert_rule *ret, struct error *err)
{
    const struct yx_node *text = yx_get(node, "condition");
    struct str why;

    if (!text) {
        return yx_error(node, err, "an alert needs a 'condition'");
    }
    ret->condition_text = arena_str(arena, yx_text(text));
    if (!alert_condition_parse(arena, ret->condition_text, &ret->condition, &why)) {
        return yx_error(text, err, "'condition' cannot be read: %" PRI_STR, STR_ARG(why));
    }
    if (!metric_is_known(ret->condition.metric)) {
        struct str near = metric_nearest(ret->condition.metric);

        return yx_error(text, err, "there is no metric '%" PRI_STR "'%s%" PRI_STR "%s",
                        STR_ARG(ret->condition.metric), near.len ? "; did you mean '" : "",
                        STR_ARG(near), near.len ? "'?" : "");
    }
    return yx_duration_ms_or(node, "for", ret->condition.for_ms, &ret->condition.for_ms, err);
}

static enum fail add_channel(struct arena *arena, const struct config_alerts *alerts,
                             const struct yx_node *node, struct alert_rule *ret, struct error *err)
{
    if (!config_channel_find(alerts, yx_text(node))) {
        return yx_error(node, err, "there is no channel '%" PRI_STR "' under 'notify: channels:'",
                        STR_ARG(yx_text(node)));
    }
    ret->channels[ret->channels_count++] = arena_str(arena, yx_text(node));
    return OK;
}

static enum fail read_actions(struct arena *arena, const struct config_alerts *alerts,
                              const struct yx_node *node, struct alert_rule *ret, struct error *err)
{
    const struct yx_node *action = yx_get(node, "action");

    if (!action || yx_is_null(action)) {
        return OK;
    }
    if (yx_type(action) == YX_SCALAR) {
        return add_channel(arena, alerts, action, ret, err);
    }
    if (yx_type(action) != YX_SEQUENCE || yx_count(action) > ALERT_CHANNELS_MAX) {
        return yx_error(action, err, "'action' must be one to %d channels", ALERT_CHANNELS_MAX);
    }
    for (size_t i = 0; i < yx_count(action); i++) {
        if (add_channel(arena, alerts, yx_item(action, i), ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail read_rule(struct arena *arena, const struct config_alerts *alerts,
                           const struct yx_node *node, struct alert_rule *ret, struct error *err)
{
    const struct yx_node *severity;
    size_t word = ALERT_WARNING;

    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "an alert is a mapping of 'name', 'condition' and 'action'");
    }
    if (yx_only(node, RULE_KEYS, err) != OK || read_text(arena, node, "name", &ret->name, err)) {
        return err->code;
    }
    if (!is_name(ret->name)) {
        return yx_error(node, err, "an alert needs a 'name' of letters, digits, '_' and '-'");
    }
    severity = yx_get(node, "severity");
    if ((severity && yx_word(severity, SEVERITIES, &word, err) != OK) ||
        read_condition(arena, node, ret, err) != OK) {
        return err->code;
    }
    ret->severity = (enum alert_severity)word;
    return read_actions(arena, alerts, node, ret, err);
}

static enum fail read_rules(struct arena *arena, const struct yx_node *many,
                            struct config_alerts *ret, struct error *err)
{
    size_t count = yx_count(many);
    struct alert_rule *rules = ARENA_ARRAY(arena, struct alert_rule, count + 1);

    if (yx_type(many) != YX_SEQUENCE || count > ALERT_RULES_MAX) {
        return yx_error(many, err, "'alerts' must be a list of at most %d", ALERT_RULES_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (read_rule(arena, ret, yx_item(many, i), &rules[i], err) != OK) {
            return err->code;
        }
        for (size_t k = 0; k < i; k++) {
            if (str_equal(rules[k].name, rules[i].name)) {
                return yx_error(yx_item(many, i), err, "the alert '%" PRI_STR "' is there twice",
                                STR_ARG(rules[i].name));
            }
        }
    }
    ret->rules = rules;
    ret->rules_count = count;
    return OK;
}

/* Their channels are used when there are such. */
static void take_defaults(struct arena *arena, struct config_alerts *ret)
{
    struct alert_rule *rules = ARENA_ARRAY(arena, struct alert_rule, COUNT_OF(DEFAULTS));

    for (size_t i = 0; i < COUNT_OF(DEFAULTS); i++) {
        struct str why;

        rules[i].name = str_of(DEFAULTS[i].name);
        rules[i].condition_text = str_of(DEFAULTS[i].condition);
        rules[i].severity = DEFAULTS[i].severity;
        if (!alert_condition_parse(arena, rules[i].condition_text, &rules[i].condition, &why)) {
            abort(); /* ours, and tested */
        }
        if (config_channel_find(ret, str_of(DEFAULTS[i].channel))) {
            rules[i].channels[rules[i].channels_count++] = str_of(DEFAULTS[i].channel);
        }
    }
    ret->rules = rules;
    ret->rules_count = COUNT_OF(DEFAULTS);
}

enum fail config_alerts_read(struct arena *arena, const struct yx_node *root,
                             struct config_alerts *ret, struct error *err)
{
    const struct yx_node *many = yx_get(root, "alerts");

    *ret = (struct config_alerts){0};
    if (read_notify(arena, root, ret, err) != OK) {
        return err->code;
    }
    if (!many || yx_is_null(many)) {
        take_defaults(arena, ret);
        return OK;
    }
    return read_rules(arena, many, ret, err);
}
