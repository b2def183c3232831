/* `alerts:` and `notify:` of crmsync.yaml, and alerts all the way to a channel: the store's states, one host for webhooks, one function for mail. */
#include <unistd.h>

#include "cli/alerting.h"
#include "cli/config.h"
#include "cli/service_metrics.h"
#include "http/transport.h"
#include "tests/unit/store/fixture.h"

/* --- configuration ---------------------------------------------------------------------------------------------------------------- */

static enum fail load(struct arena *arena, const char *text, struct config_alerts *ret,
                      struct error *err)
{
    AUTO_YX struct yx_document *document = NULL;

    if (yx_load_text(str_of(text), "test.yaml", &document, err) != OK) {
        return err->code;
    }
    return config_alerts_read(arena, yx_root(document), ret, err);
}

static const char CHANNELS[] =
    "notify:\n  again: 1h\n  channels:\n"
    "    chat: {slack: https://chat.example/services/T0/B0}\n"
    "    hook: {webhook: https://hook.example/in, secret: '${ALERT_SECRET}'}\n"
    "    mail: {email: [ops@example.com, b@example.org], from: crmsync@example.com, server: "
    "smtps://mail.example:465, user: u, password: '${MAIL_PASSWORD}'}\n";

static void without_rules_three_hold(void **state)
{
    static const char *const NAMES[] = {"high_sync_latency", "low_success_rate", "api_rate_limit"};
    AUTO_ARENA struct arena arena = {0};
    struct config_alerts alerts;
    struct error err = {0};

    (void)state;
    EXPECT(load(&arena, "store: x\n", &alerts, &err) == OK, "%s", err.message);
    EXPECT(alerts.rules_count == COUNT_OF(NAMES), "three");
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        EXPECT_STR(alerts.rules[i].name, str_of(NAMES[i]), "name");
        EXPECT(alerts.rules[i].channels_count == 0, "without channels they are only shown");
        EXPECT(metric_is_known(alerts.rules[i].condition.metric), "'%s' is a metric", NAMES[i]);
    }
    EXPECT(load(&arena, "alerts: []\n", &alerts, &err) == OK && alerts.rules_count == 0,
           "none when none are written");
    EXPECT(load(&arena, "notify: {channels: {notify_devops: {slack: 'https://a.example/b'}}}\n",
                &alerts, &err) == OK &&
               alerts.rules[0].channels_count == 1,
           "a channel of the name is told");
}

/* As it stands in the brief, with the channels that it names. */
static void rules_are_read(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct config_alerts alerts;
    struct error err = {0};
    char text[2048];

    (void)state;
    snprintf(text, sizeof text,
             "alerts:\n  - name: high_sync_latency\n    condition: avg_sync_latency_ms > 10000\n"
             "    action: chat\n  - {name: lag, condition: 'crmsync_stream_lag_seconds > 900', "
             "for: 10m, severity: critical, action: [hook, mail]}\n%s",
             CHANNELS);
    EXPECT(load(&arena, text, &alerts, &err) == OK, "%s", err.message);
    EXPECT(alerts.rules_count == 2 && alerts.channels_count == 3 && alerts.again_ms == 3600000,
           "all");
    EXPECT(alerts.rules[1].severity == ALERT_CRITICAL &&
               alerts.rules[1].condition.for_ms == 600000 && alerts.rules[1].channels_count == 2,
           "its parts");
    EXPECT(alerts.channels[2].type == CHANNEL_MAIL && alerts.channels[2].to_count == 2, "mail");
}

static void mistakes_have_a_place(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"alerts: {a: b}\n", "'alerts' must be a list"},
        {"alerts:\n  - {name: a}\n", "needs a 'condition'"},
        {"alerts:\n  - {condition: 'api_rate_limit_hits > 0'}\n", "needs a 'name'"},
        {"alerts:\n  - {name: a, condition: 'x'}\n", "is missing"},
        {"alerts:\n  - {name: a, condition: 'avg_sync_latency > 1'}\n",
         "did you mean 'avg_sync_latency_ms'"},
        {"alerts:\n  - {name: a, condition: 'api_rate_limit_hits > 0', action: b}\n",
         "there is no channel 'b'"},
        {"alerts:\n  - {name: a, condition: 'api_rate_limit_hits > 0', severity: loud}\n", "loud"},
        {"alerts:\n  - &a {name: a, condition: 'api_rate_limit_hits > 0'}\n  - *a\n", "twice"},
        {"notify: {channels: {a: {slack: 'https://x.example/', email: 'a@b'}}}\n", "has one of"},
        {"notify: {channels: {a: {webhook: 'https://x.example/'}}}\n", "is signed"},
        {"notify: {channels: {a: {webhook: 'https://x.example/', secret: open}}}\n", "${NAME}"},
        {"notify: {channels: {a: {slack: 'ftp://x.example/'}}}\n", "test.yaml:1"},
        {"notify: {channels: {a: {email: 'a b@c', from: 'a@b', server: 'smtp://m'}}}\n",
         "no mail address"},
        {"notify: {channels: {a: {email: 'a@c', from: 'a@b', server: 'm'}}}\n", "smtps://"},
        {"notify: {channels: {a: {email: 'a@c', server: 'smtp://m'}}}\n", "'from'"},
        {"notify: {channels: {a: {email: 'a@c', from: 'a@b', server: 'smtp://m', user: u}}}\n",
         "belong together"},
        {"notify: {chanels: {}}\n", "channels"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct config_alerts alerts;
        struct error err = {0};

        EXPECT(load(&arena, rows[i].text, &alerts, &err) == FAIL_CONFIG &&
                   strstr(err.message, rows[i].message) && strstr(err.message, "test.yaml:"),
               "%s gives: %s", rows[i].text, err.message);
    }
}

/* --- telling ------------------------------------------------------------------------------------------------------------------------ */

struct heard {
    int requests, mails, status;
    bool mail_fails;
    char body[4096], signature[128], subject[512];
};
static struct heard heard;

static void on_request(void *context, const struct http_request *request,
                       struct http_response *response)
{
    struct str signature = http_header_get(&request->headers, "webhook-signature");

    (void)context;
    heard.requests++;
    snprintf(heard.body, sizeof heard.body, "%" PRI_STR, STR_ARG(request->body));
    snprintf(heard.signature, sizeof heard.signature, "%" PRI_STR, STR_ARG(signature));
    response->status = heard.status;
}

static enum fail on_mail(const struct mail_server *server, const struct mail *mail,
                         struct clock *clock, struct random *random, struct error *err)
{
    (void)clock;
    (void)random;
    heard.mails++;
    snprintf(heard.subject, sizeof heard.subject, "%" PRI_STR, STR_ARG(mail->subject));
    EXPECT_STR(secret_expose(server->password), STR("pass"), "password");
    return heard.mail_fails ? error_set(err, FAIL_RETRY, "not now") : OK;
}

struct telling {
    struct fixture f;
    struct config_alerts alerts;
    struct alerting alerting;
};

static const struct sample_family LAG = {"crmsync_stream_lag_seconds", SAMPLE_GAUGE, "Lag."};

static void begin(struct telling *t, const char *action)
{
    char text[2048];

    heard = (struct heard){.status = 200};
    setenv("ALERT_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
    setenv("MAIL_PASSWORD", "pass", 1);
    fixture_begin_all(&t->f);
    fixture_commit(&t->f);
    snprintf(text, sizeof text,
             "alerts:\n  - {name: lag, condition: 'crmsync_stream_lag_seconds > 900', action: "
             "[%s]}\n%s",
             action, CHANNELS);
    MUST(&t->f, load(&t->f.arena, text, &t->alerts, &t->f.err));
    t->f.env.transport = transport_new_mounted(t->f.env.clock, 0);
    transport_mount(t->f.env.transport, "chat.example", on_request, NULL);
    transport_mount(t->f.env.transport, "hook.example", on_request, NULL);
    t->alerting = (struct alerting){
        .env = &t->f.env, .store = t->f.store, .alerts = &t->alerts, .send_mail = on_mail};
}

static void end(struct telling *t)
{
    transport_free(t->f.env.transport);
    fixture_end(&t->f);
    unsetenv("ALERT_SECRET");
    unsetenv("MAIL_PASSWORD");
}
#define AUTO_TELLING __attribute__((cleanup(end)))

static void look(struct telling *t, double lag)
{
    AUTO_ARENA struct arena arena = {0};
    struct samples samples = {.arena = &arena};

    samples_add(&samples, &LAG, LABELS({"tenant", STR("default")}), lag);
    MUST(&t->f, alerts_due(&t->alerting, &samples, &t->f.err));
    clock_wait_ms(t->f.env.clock, ALERTING_EVERY_MS);
}

static void all_channels_hear_once(void **state)
{
    AUTO_TELLING struct telling t = {0};

    (void)state;
    begin(&t, "chat, hook, mail");
    look(&t, 900);
    EXPECT(heard.requests == 0 && heard.mails == 0, "nothing fires");
    look(&t, 901);
    EXPECT(heard.requests == 2 && heard.mails == 1, "each channel, once");
    EXPECT(strstr(heard.body, "alert.firing") && strncmp(heard.signature, "v1,", 3) == 0,
           "signed: %s %s", heard.signature, heard.body);
    EXPECT(strstr(heard.subject, "[firing] lag"), "%s", heard.subject);
    look(&t, 950);
    EXPECT(heard.requests == 2 && heard.mails == 1, "not again");
    for (int i = 0; i < 7; i++) {
        look(&t, 1);
    }
    EXPECT(heard.requests == 4 && heard.mails == 2, "that it is over, once");
    EXPECT(strstr(heard.subject, "[resolved] lag"), "%s", heard.subject);
}

static void the_state_outlives_the_process(void **state)
{
    AUTO_TELLING struct telling t = {0};

    (void)state;
    begin(&t, "chat");
    look(&t, 901);
    store_close(t.f.store);
    fixture_open_as(&t.f, STORE_WRITE);
    t.alerting.store = t.f.store;
    look(&t, 901);
    EXPECT(heard.requests == 1, "told before");
    clock_wait_ms(t.f.env.clock, t.alerts.again_ms);
    look(&t, 901);
    EXPECT(heard.requests == 2, "told again after a while");
}

static void a_channel_that_fails_is_tried_again_alone(void **state)
{
    AUTO_TELLING struct telling t = {0};

    (void)state;
    begin(&t, "chat, mail");
    heard.status = 500;
    look(&t, 901);
    EXPECT(heard.mails == 1, "the other one heard");
    heard.status = 204;
    heard.requests = 0;
    look(&t, 901);
    EXPECT(heard.requests == 1 && heard.mails == 1, "one more try, of the one");
    look(&t, 901);
    EXPECT(heard.requests == 1, "that worked");
}

static void a_missing_secret_is_told_apart(void **state)
{
    AUTO_TELLING struct telling t = {0};
    const struct alert_notice notice = {.rule = NULL};
    struct error err = {0};

    (void)state;
    begin(&t, "hook");
    unsetenv("ALERT_SECRET");
    EXPECT(alerting_tell(&t.alerting, config_channel_find(&t.alerts, STR("hook")), &notice, &err) ==
                   FAIL_CONFIG &&
               strstr(err.message, "ALERT_SECRET") && heard.requests == 0,
           "%s", err.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_three_hold),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(all_channels_hear_once),
        cmocka_unit_test(the_state_outlives_the_process),
        cmocka_unit_test(a_channel_that_fails_is_tried_again_alone),
        cmocka_unit_test(a_missing_secret_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
