/* crmsync alerts */
#include <stdio.h>

#include "cli/alerting.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/wire.h"

static struct str channels_text(struct arena *arena, const struct alert_rule *rule)
{
    struct str text = STR("");

    for (size_t i = 0; i < rule->channels_count; i++) {
        text = arena_printf(arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(text), i ? ", " : "",
                            STR_ARG(rule->channels[i]));
    }
    return text;
}

static enum fail show(struct cli *cli, struct wire *wire, struct error *err)
{
    static const char *const NAMES[] = {"alert",    "state",  "since",  "condition",
                                        "severity", "action", "detail", NULL};
    const struct config_alerts *alerts = &wire->config.alerts;
    struct table *table;
    struct store_alert *states;

    if (alerts_states(wire->store, alerts, &wire->arena, &states, err) != OK) {
        return err->code;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < alerts->rules_count; i++) {
        const struct alert_rule *rule = &alerts->rules[i];

        table_row(table);
        table_text(table, rule->name);
        table_text(table, str_of(alert_state_name(states[i].state)));
        table_text(table,
                   states[i].since_ms ? time_text(&wire->arena, states[i].since_ms) : STR(""));
        table_text(table, rule->condition_text);
        table_text(table, str_of(alert_severity_name(rule->severity)));
        table_text(table, channels_text(&wire->arena, rule));
        table_text(table, states[i].state == ALERT_QUIET ? STR("") : states[i].detail);
    }
    table_print(table, "no alerts");
    return OK;
}

/* The channels of the alert, or the one channel of that name. */
static enum fail find_channels(const struct config_alerts *alerts, struct str name,
                               struct alert_rule *ret, struct error *err)
{
    for (size_t i = 0; i < alerts->rules_count; i++) {
        if (str_equal(alerts->rules[i].name, name)) {
            *ret = alerts->rules[i];
            if (ret->channels_count) {
                return OK;
            }
            error_set(err, FAIL_CONFIG, "alert '%" PRI_STR "' has no channel", STR_ARG(name));
            return error_hint(err, "name one as its 'action', and describe it under 'notify: "
                                   "channels:'");
        }
    }
    if (config_channel_find(alerts, name)) {
        *ret = (struct alert_rule){
            .name = name, .condition_text = STR("none"), .channels = {name}, .channels_count = 1};
        return OK;
    }
    error_set(err, FAIL_CONFIG, "there is no alert and no channel '%" PRI_STR "'", STR_ARG(name));
    return error_hint(err, "'crmsync alerts' lists the alerts");
}

static enum fail try_channels(struct cli *cli, struct wire *wire, const struct alert_rule *rule,
                              struct error *err)
{
    struct env env = *cli->env;
    const struct alerting alerting = {
        .env = &env, .alerts = &wire->config.alerts, .allow_loopback = wire->config.allow_loopback};
    const struct alert_notice notice = {.rule = rule,
                                        .news = ALERT_FIRES,
                                        .detail = STR("somebody tries whether this arrives"),
                                        .at_ms = clock_wall_ms(env.clock),
                                        .number = clock_wall_ms(env.clock),
                                        .is_test = true};

    env.transport = wire->transport;
    for (size_t i = 0; i < rule->channels_count; i++) {
        const struct config_channel *channel =
            config_channel_find(alerting.alerts, rule->channels[i]);

        if (alerting_tell(&alerting, channel, &notice, err) != OK) {
            return err->code;
        }
        if (!cli->quiet) {
            printf("channel '%" PRI_STR "' was told\n", STR_ARG(channel->name));
        }
    }
    return OK;
}

static enum fail try_one(struct cli *cli, struct str name, struct error *err)
{
    AUTO_WIRE struct wire wire = {0};
    struct alert_rule rule = {0};

    if (wire_config(cli, &wire, err) != OK ||
        find_channels(&wire.config.alerts, name, &rule, err) != OK ||
        wire_transport(&wire, err) != OK) {
        return err->code;
    }
    return try_channels(cli, &wire, &rule, err);
}

static enum fail show_all(struct cli *cli, struct error *err)
{
    AUTO_WIRE struct wire wire = {0};

    return wire_store(cli, STORE_READ, "crmsync alerts", &wire, err) == OK ? show(cli, &wire, err)
                                                                           : err->code;
}

int command_alerts(struct cli *cli, int argc, char **argv)
{
    struct error err = {0};
    struct str name = STR("");
    int count;
    const struct option_spec options[] = {{.name = "test",
                                           .argument = "NAME",
                                           .help = "tell the channels of this alert, or this "
                                                   "channel, that somebody tries it",
                                           .type = OPTION_TEXT,
                                           .target = &name},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync alerts [options]",
        .about = "Lists the alerts of the configuration and how they stand. The service looks at "
                 "them every minute and tells the channels\n"
                 "under 'notify:' when one fires and when it is over. docs/operations.md has what "
                 "conditions can say.\n\n"
                 "  crmsync alerts --test high_sync_latency",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (name.len ? try_one(cli, name, &err) != OK : show_all(cli, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}
