/* crmsync connect, connections, test: everything about one connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/wire.h"

enum { TOKEN_LINE_BYTES = 8192 };

/* One line from standard input; on a terminal without echo. */
static enum fail read_token(const struct wire *wire, size_t index, struct secret *ret,
                            struct error *err)
{
    char line[TOKEN_LINE_BYTES];
    struct termios before, silent;
    bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    char *got;

    if (is_terminal) {
        fprintf(stderr, "%s\ntoken for '%" PRI_STR "' (not shown): ",
                wire->config.connections[index].adapter->token_hint,
                STR_ARG(wire->config.connections[index].name));
        silent = before;
        silent.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    got = fgets(line, sizeof line, stdin);
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fputc('\n', stderr);
    }
    if (got) {
        secret_set(ret, str_trim(str_of(line)));
    }
    explicit_bzero(line, sizeof line);
    if (secret_is_empty(ret)) {
        error_set(err, FAIL_CONFIG, "no token was given");
        return error_hint(
            err, "type it at the prompt, pipe it in, or use --token-env NAME or --token-file FILE");
    }
    return OK;
}

static enum fail token_from_file_option(struct str path, struct secret *ret, struct error *err)
{
    char line[TOKEN_LINE_BYTES];
    FILE *file = fopen(path.at, "re");
    bool got = file && fgets(line, sizeof line, file);
    int reason = errno;

    if (file) {
        fclose(file);
    }
    if (!got) {
        error_set(err, FAIL_CONFIG, "cannot read a token from '%s': %s", path.at,
                  file ? "it is empty" : strerror(reason));
        return error_hint(err, "the file must hold the token on its first line");
    }
    secret_set(ret, str_trim(str_of(line)));
    explicit_bzero(line, sizeof line);
    return OK;
}

static enum fail take_token(struct wire *wire, size_t index, struct str variable, struct str file,
                            struct secret *ret, struct error *err)
{
    const char *value;

    if (variable.len) {
        value = getenv(variable.at);
        if (!value || !value[0]) {
            error_set(err, FAIL_CONFIG, "environment variable %s is not set", variable.at);
            return error_hint(err, "export it, or leave --token-env out to be asked");
        }
        secret_set(ret, str_trim(str_of(value)));
        return OK;
    }
    return file.len ? token_from_file_option(file, ret, err) : read_token(wire, index, ret, err);
}

static enum fail store_token(struct wire *wire, size_t index, const struct secret *token,
                             struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct connection_settings *settings = &wire->config.connections[index];
    struct store_connection row;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_ensure(tx, settings->name, str_of(settings->adapter->name), &wire->arena, &row,
                          err) != OK ||
        vault_put(wire->vault, tx, row.id, "token", token, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* The token is kept only when the CRM takes it. */
static enum fail try_token(struct wire *wire, size_t index, const struct secret *token,
                           struct account_facts *ret, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    struct account account = {.connection = settings->name.at,
                              .base_url = settings->base_url,
                              .api_version = settings->api_version,
                              .token = token,
                              .token_is_oauth = settings->token_is_oauth,
                              .lane = LANE_INTERACTIVE};
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

static enum fail connect_one(struct wire *wire, struct str name, struct str variable,
                             struct str file, bool no_check, struct error *err)
{
    AUTO_SECRET struct secret token = {0};
    struct account_facts facts = {0};
    size_t index;

    if (wire_find(wire, name, &index, err) != OK ||
        take_token(wire, index, variable, file, &token, err) != OK) {
        return err->code;
    }
    if (wire->config.tokens[index].value.len || wire->config.tokens[index].file.len) {
        error_set(err, FAIL_CONFIG,
                  "connection '%" PRI_STR "' takes its token from the configuration",
                  STR_ARG(name));
        return error_hint(
            err, "remove 'token' or 'token_file' there to keep the token in the store instead");
    }
    if (!no_check && try_token(wire, index, &token, &facts, err) != OK) {
        error_wrap(err, "the token was not kept");
        return err->code;
    }
    if (store_token(wire, index, &token, err) != OK) {
        return err->code;
    }
    if (!no_check && check_account(wire, index, &facts, err) != OK) {
        return err->code;
    }
    printf("connected '%" PRI_STR "'%s%" PRI_STR "\nnext: 'crmsync setup %" PRI_STR
           "', then 'crmsync sync'\n",
           STR_ARG(name), facts.title.len ? " to " : "", STR_ARG(facts.title), STR_ARG(name));
    return OK;
}

int command_connect(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct str variable = STR(""), file = STR("");
    bool no_check = false;
    int count;
    const struct option_spec options[] = {{.name = "token-env",
                                           .argument = "NAME",
                                           .help = "take the token from this environment variable",
                                           .type = OPTION_TEXT,
                                           .target = &variable},
                                          {.name = "token-file",
                                           .argument = "FILE",
                                           .help = "take the token from the first line of a file",
                                           .type = OPTION_TEXT,
                                           .target = &file},
                                          {.name = "no-check",
                                           .help = "keep it without trying it at the CRM",
                                           .type = OPTION_FLAG,
                                           .target = &no_check},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync connect CONNECTION [options]",
        .about =
            "Asks for the token of a connection of crmsync.yaml, tries it, and keeps it encrypted "
            "in the store.\n"
            "A token is never given as an argument, where other users of the machine could see it.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync connect", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK ||
        connect_one(&wire, str_of(argv[1]), variable, file, no_check, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

static enum fail list_connections(struct cli *cli, struct wire *wire, struct error *err)
{
    static const char *const NAMES[] = {"name",    "adapter", "direction", "state",
                                        "account", "reason",  NULL};
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
        bool found = false;

        if (connection_by_name(tx, settings->name, &wire->arena, &row, &found, err) != OK) {
            return err->code;
        }
        table_row(table);
        table_text(table, settings->name);
        table_text(table, str_of(settings->adapter->name));
        table_text(table, str_of(DIRECTIONS[settings->direction]));
        table_text(table, found ? str_of(connection_state_name(row.state)) : STR("not connected"));
        table_text(table, row.account_title.len ? row.account_title : row.account_id);
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
    if (wire_store(cli, STORE_WRITE, "crmsync test", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK || wire_find(&wire, str_of(argv[1]), &index, &err) != OK) {
        return cli_fail(cli, &err);
    }
    struct table *table = check_table(cli);
    check_connection(&wire, index, table, &is_fine);
    table_print(table, "");
    return is_fine ? EXIT_DONE : EXIT_FAILED;
}
