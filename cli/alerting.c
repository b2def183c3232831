#include "cli/alerting.h"

#include "api/hook.h"
#include "cli/variable.h"
#include "core/alloc.h"

/* --- telling ------------------------------------------------------------------------------------------------------------------- */

static bool is_variable(struct str text)
{
    return str_starts(text, STR("${"));
}

/* A text as it stands in the file, or the value of its variable. */
static enum fail look_up(struct str written, const char *what, struct secret *ret,
                         struct error *err)
{
    if (is_variable(written)) {
        return variable_read(written, what, "write the channel without it", ret, err);
    }
    secret_set(ret, written);
    return OK;
}

static enum fail post(const struct alerting *alerting, struct str url,
                      const struct http_headers *headers, struct str body, struct error *err)
{
    struct http_client *client = hook_client_new(alerting->env, url, alerting->allow_loopback, err);
    struct hook_answer answer;

    if (!client) {
        return err->code;
    }
    if (hook_post(alerting->env, client, url, headers, body, &answer, err) == OK &&
        (answer.status < 200 || answer.status >= 300)) {
        err->http_status = answer.status;
        error_set(err, answer.status == 429 || answer.status >= 500 ? FAIL_RETRY : FAIL_CONFIG,
                  "answered with status %d", answer.status);
    }
    http_client_free(client);
    return err->code;
}

static enum fail tell_hook(const struct alerting *alerting, const struct config_channel *channel,
                           const struct alert_notice *notice, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_SECRET struct secret url = {0}, secret = {0};
    struct http_headers headers = {0};
    struct str body;

    if (look_up(channel->url, "the address of a channel", &url, err) != OK ||
        look_up(channel->secret, "the secret of a channel", &secret, err) != OK) {
        return err->code;
    }
    body =
        channel->type == CHANNEL_SLACK ? alert_slack(&arena, notice) : alert_json(&arena, notice);
    if (channel->type == CHANNEL_WEBHOOK) {
        alert_sign(&arena, notice, hook_key(&arena, secret_expose(&secret)), body, &headers);
    }
    (void)post(alerting, secret_expose(&url), &headers, body, err);
    arena_wipe(&arena);
    return err->code;
}

static enum fail tell_mail(const struct alerting *alerting, const struct config_channel *channel,
                           const struct alert_notice *notice, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_SECRET struct secret password = {0};
    struct str line = alert_line(&arena, notice);
    struct mail mail = {.from = channel->from,
                        .to_count = channel->to_count,
                        .subject = arena_printf(&arena, "crmsync: %" PRI_STR, STR_ARG(line)),
                        .text = arena_printf(&arena, "%" PRI_STR "\n", STR_ARG(line))};
    struct mail_server server = {.url = channel->url, .user = channel->user};

    memcpy(mail.to, channel->to, sizeof mail.to);
    if (channel->secret.len) {
        if (look_up(channel->secret, "the password of a channel", &password, err) != OK) {
            return err->code;
        }
        server.password = &password;
    }
    return (alerting->send_mail ? alerting->send_mail : mail_send)(
        &server, &mail, alerting->env->clock, alerting->env->random, err);
}

enum fail alerting_tell(const struct alerting *alerting, const struct config_channel *channel,
                        const struct alert_notice *notice, struct error *err)
{
    enum fail failed = channel->type == CHANNEL_MAIL ? tell_mail(alerting, channel, notice, err)
                                                     : tell_hook(alerting, channel, notice, err);

    return failed == OK
               ? OK
               : error_wrap(err, "cannot tell channel '%" PRI_STR "'", STR_ARG(channel->name));
}

/* --- one look ------------------------------------------------------------------------------------------------------------------- */

enum fail alerts_states(struct store *store, const struct config_alerts *alerts,
                        struct arena *arena, struct store_alert **ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_alert *states = ARENA_ARRAY(arena, struct store_alert, alerts->rules_count + 1);
    struct store_alert *rows;
    size_t count;

    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK ||
        alert_list(tx, arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < alerts->rules_count; i++) {
        states[i].name = alerts->rules[i].name;
        for (size_t k = 0; k < count; k++) {
            if (str_equal(rows[k].name, states[i].name)) {
                states[i] = rows[k];
            }
        }
    }
    *ret = states;
    return tx_commit(&tx, err);
}

static bool is_same(const struct store_alert *x, const struct store_alert *y)
{
    return x->state == y->state && x->since_ms == y->since_ms &&
           x->quiet_since_ms == y->quiet_since_ms && x->told_ms == y->told_ms &&
           x->to_tell == y->to_tell && x->attempts == y->attempts && x->number == y->number &&
           str_equal(x->told, y->told) && str_equal(x->detail, y->detail);
}

static enum fail keep(const struct alerting *alerting, const struct store_alert *before,
                      const struct store_alert *now, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (is_same(before, now)) {
        return OK;
    }
    if (tx_begin(alerting->store, TENANT_DEFAULT, &tx, err) != OK ||
        alert_put(tx, now, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static void log_news(const struct alerting *alerting, const struct store_alert *alert)
{
    if (alert->to_tell != ALERT_NO_NEWS && alert->attempts == 0) {
        LOG_EVENT(alerting->env->log, LOG_WARN,
                  alert->to_tell == ALERT_FIRES ? "alert fires" : "alert is over",
                  LOG_S("alert", alert->name), LOG_S("detail", alert->detail));
    }
}

static void tell_all(const struct alerting *alerting, const struct alert_rule *rule,
                     struct store_alert *alert, struct arena *arena)
{
    int64_t now_ms = clock_wall_ms(alerting->env->clock);
    const struct alert_notice notice = {.rule = rule,
                                        .news = alert->to_tell,
                                        .detail = alert->detail,
                                        .at_ms = now_ms,
                                        .number = alert->number};

    for (size_t i = 0; i < rule->channels_count; i++) {
        const struct config_channel *channel =
            config_channel_find(alerting->alerts, rule->channels[i]);
        struct error err = {0};

        if (alert_knows(alert, rule->channels[i])) {
            continue;
        }
        if (channel && alerting_tell(alerting, channel, &notice, &err) == OK) {
            alert_told(alert, rule->channels[i], arena);
        } else {
            LOG_EVENT(alerting->env->log, LOG_ERROR, "alert not told", LOG_S("alert", rule->name),
                      LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
        }
    }
    alert_tried(rule, alert, now_ms);
}

/* The state is kept before anything is sent: news that was told twice is better than none. */
static enum fail look_at(const struct alerting *alerting, const struct alert_rule *rule,
                         const struct samples *samples, struct arena *arena,
                         struct store_alert *state, struct error *err)
{
    struct store_alert before = *state;
    struct str detail;
    bool holds = alert_holds(&rule->condition, samples, arena, &detail);

    alert_step(rule, holds, detail, clock_wall_ms(alerting->env->clock), alerting->alerts->again_ms,
               state);
    log_news(alerting, state);
    if (keep(alerting, &before, state, err) != OK || state->to_tell == ALERT_NO_NEWS) {
        return err->code;
    }
    before = *state;
    tell_all(alerting, rule, state, arena);
    return keep(alerting, &before, state, err);
}

enum fail alerts_due(const struct alerting *alerting, const struct samples *samples,
                     struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_alert *states;

    if (alerts_states(alerting->store, alerting->alerts, &arena, &states, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < alerting->alerts->rules_count; i++) {
        if (look_at(alerting, &alerting->alerts->rules[i], samples, &arena, &states[i], err) !=
            OK) {
            return err->code;
        }
    }
    return OK;
}
