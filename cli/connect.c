/* crmsync connect, connections, test: everything about one connection. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/check.h"
#include "cli/connect.h"
#include "cli/door.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "cli/webhooks.h"
#include "cli/wire.h"
#include "store/audit.h"

static enum fail store_token(struct wire *wire, size_t index, const struct secret *token,
                             struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct connection_settings *settings = &wire->config.connections[index];
    struct store_connection row;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_ensure(tx, settings->name, str_of(settings->adapter->name), &wire->arena, &row,
                          err) != OK ||
        vault_put(wire->vault, tx, row.id, "token", token, err) != OK ||
        audit_put_connection(tx, "connection.token-kept", row.id, NULL, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* The token is kept only when the CRM takes it, and it is of the account that the connection is linked to. */
static enum fail try_token(struct wire *wire, size_t index, const struct secret *token,
                           struct account_facts *ret, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    struct account account = wire_account(wire, index, token, NULL);
    struct session *session = NULL;
    enum fail failed;

    if (settings->base_url.len && http_url_check(wire->http, settings->base_url, err) != OK) {
        return err->code;
    }
    failed = settings->adapter->open(wire->cli->env, wire->http, &account, &session, err);
    if (failed == OK) {
        failed = settings->adapter->check(session, &wire->arena, ret, err);
        settings->adapter->close(session);
    }
    return failed;
}

/* What the command line said. */
struct wish {
    struct str variable, file;
    bool no_check, paste, secret;
};

static enum fail connect_by_token(struct wire *wire, size_t index, const struct wish *wish,
                                  struct account_facts *ret, struct error *err)
{
    AUTO_SECRET struct secret token = {0};
    const struct connection_settings *settings = &wire->config.connections[index];
    const struct ask ask = {.what = "token",
                            .about = settings->adapter->token_hint,
                            .of = settings->name,
                            .variable = wish->variable,
                            .file = wish->file};

    if (wish->paste || wish->secret) {
        error_set(err, FAIL_CONFIG, "--paste and --secret are for connections with 'auth'");
        return error_hint(err, "leave them out, or see docs/signing-in.md");
    }
    if (wire->config.tokens[index].value.len || wire->config.tokens[index].file.len) {
        error_set(err, FAIL_CONFIG,
                  "connection '%" PRI_STR "' takes its token from the configuration",
                  STR_ARG(settings->name));
        return error_hint(
            err, "remove 'token' or 'token_file' there to keep the token in the store instead");
    }
    if (ask_secret(&ask, &token, err) != OK) {
        return err->code;
    }
    if (!wish->no_check && (try_token(wire, index, &token, ret, err) != OK ||
                            check_account(wire, index, ret, err) != OK)) {
        return error_wrap(err, "the token was not kept");
    }
    return store_token(wire, index, &token, err);
}

static enum fail connect_one(struct wire *wire, struct str name, const struct wish *wish,
                             struct error *err)
{
    const struct connect_sign_in sign_in = {.variable = wish->variable,
                                            .file = wish->file,
                                            .paste = wish->paste,
                                            .new_secret = wish->secret};
    struct account_facts facts = {0};
    size_t index;

    if (wire_find(wire, name, &index, err) != OK) {
        return err->code;
    }
    if (!wire->config.auths[index].is_used) {
        if (connect_by_token(wire, index, wish, &facts, err) != OK) {
            return err->code;
        }
    } else if (wish->no_check) {
        error_set(err, FAIL_CONFIG, "a sign-in is always checked: leave --no-check out");
        return err->code;
    } else if (connect_sign_in(wire, index, &sign_in, &facts.title, err) != OK) {
        return err->code;
    }
    cli_say(wire->cli,
            "connected '%" PRI_STR "'%s%" PRI_STR "\nnext: 'crmsync setup %" PRI_STR
            "', then 'crmsync sync'\n",
            STR_ARG(name), facts.title.len ? " to " : "", STR_ARG(facts.title), STR_ARG(name));
    return OK;
}

/* A running service has left the connection alone since it was refused there. It finds out by itself, too, only later. */
static void tell_service(struct cli *cli, const char *name)
{
    AUTO_DOOR struct door *door = NULL;
    struct error ignored = {0};
    json_t *body;

    if (door_open_service(cli, &door, &ignored) == OK && door &&
        door_ask(door, HTTP_POST,
                 arena_printf(door_arena(door), "/api/crm/integrations/%" PRI_STR "/test",
                              STR_ARG(door_word(door, name))),
                 NULL, &body, &ignored) != OK) {
        LOG_EVENT(cli->env->log, LOG_INFO, "the service was not told",
                  LOG_S("reason", str_of(ignored.message)));
    }
}

int command_connect(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct wish wish = {0};
    int count;
    const struct option_spec options[] = {
        {.name = "token-env",
         .argument = "NAME",
         .help = "take the token (or client secret) from this environment variable",
         .type = OPTION_TEXT,
         .target = &wish.variable},
        {.name = "token-file",
         .argument = "FILE",
         .help = "take it from the first line of a file",
         .type = OPTION_TEXT,
         .target = &wish.file},
        {.name = "no-check",
         .help = "keep a token without trying it at the CRM",
         .type = OPTION_FLAG,
         .target = &wish.no_check},
        {.name = "paste",
         .help = "sign in with a browser on another machine: paste the address it ends at",
         .type = OPTION_FLAG,
         .target = &wish.paste},
        {.name = "secret",
         .help = "enter the app's client secret anew",
         .type = OPTION_FLAG,
         .target = &wish.secret},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync connect CONNECTION [options]",
        .about =
            "Asks for the token of a connection of crmsync.yaml, tries it, and keeps it encrypted "
            "in the store.\n"
            "A connection with 'auth' signs in instead: open the printed address in a browser and "
            "allow the access\n"
            "(authorization-code); the other grants need nobody. The app's client secret is asked "
            "for once. Set-up: docs/signing-in.md.\n"
            "Nothing secret is ever given as an argument, where other users of the machine could "
            "see it.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_SHARED, "crmsync connect", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK || connect_one(&wire, str_of(argv[1]), &wish, &err) != OK) {
        return cli_fail(cli, &err);
    }
    tell_service(cli, argv[1]);
    return EXIT_DONE;
}

static enum fail list_connections(struct cli *cli, struct wire *wire, struct error *err)
{
    static const char *const NAMES[] = {"name",    "adapter",  "direction", "state", "sign_in",
                                        "account", "webhooks", "reason",    NULL};
    static const char *const DIRECTIONS[] = {"bidirectional", "to-external", "from-external"};
    AUTO_TX struct tx *tx = NULL;
    struct table *table;

    if (wire_begin(wire, &tx, err) != OK) {
        return err->code;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];
        struct store_connection row = {0};
        struct str webhooks;
        bool found = false;

        if (connection_by_name(tx, settings->name, &wire->arena, &row, &found, err) != OK ||
            webhooks_shown(wire, tx, i, row.id, &webhooks, err) != OK) {
            return err->code;
        }
        table_row(table);
        table_text(table, settings->name);
        table_text(table, str_of(settings->adapter->name));
        table_text(table, str_of(DIRECTIONS[settings->direction]));
        table_text(table, found ? str_of(connection_state_name(row.state)) : STR("not connected"));
        table_text(table, signing_shown(wire, tx, i, &row));
        table_text(table, row.account_title.len ? row.account_title : row.account_id);
        table_text(table, webhooks);
        table_text(table, row.reason);
    }
    table_print(table, "no connections");
    return tx_commit(&tx, err);
}

int command_connections(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync connections",
        .about = "Lists the connections of crmsync.yaml with their state as of the last run.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync connections", &wire, &err) != OK ||
        list_connections(cli, &wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

int command_test(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    size_t index;
    bool is_fine = true;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync test CONNECTION",
                                .about = "Tries a connection: the token works, the account is the "
                                         "expected one, every mapped property exists and can be\n"
                                         "written where the mapping writes it, and the crmsync "
                                         "property is set up. Changes nothing at the CRM.",
                                .options = options,
                                .arguments_min = 1,
                                .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_SHARED, "crmsync test", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK || wire_find(&wire, str_of(argv[1]), &index, &err) != OK) {
        return cli_fail(cli, &err);
    }
    struct table *table = check_table(cli);
    check_connection(&wire, index, table, &is_fine);
    table_print(table, "");
    return is_fine ? EXIT_DONE : EXIT_FAILED;
}
