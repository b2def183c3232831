/* crmsync token create|list|revoke: who may use the HTTP API. */
#include <stdio.h>

#include "api/token.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "cli/wire.h"
#include "store/api_token.h"

enum { DAY_MS = 24 * 3600 * 1000, DAYS_DEFAULT = 90 };

static struct str token_state(const struct store_api_token *token, int64_t now_ms)
{
    if (token->revoked_ms) {
        return STR("revoked");
    }
    return api_token_is_good(token, now_ms) ? STR("good") : STR("expired");
}

/* --- create -------------------------------------------------------------------------------------------------- */

static enum fail keep_token(struct wire *wire, struct store_api_token *token, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK || api_token_put(tx, token, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static void print_new(struct wire *wire, const struct store_api_token *token,
                      const struct secret *secret)
{
    struct str text = secret_expose(secret);

    if (wire->cli->json) {
        print_json(json_pack("{s:I,s:o,s:s,s:o,s:o,s:o}", "id", token->id, "name",
                             json_text(token->name), "role", api_role_name(token->role), "tenant",
                             token->is_for_all ? json_null() : json_text(wire_tenant_name(wire)),
                             "expires_at", json_time(token->expires_ms), "token", json_text(text)));
        return;
    }
    printf("%" PRI_STR "\n", STR_ARG(text));
    if (!wire->cli->quiet) {
        fprintf(stderr,
                "token '%" PRI_STR "', %s of %s%" PRI_STR ", %s%" PRI_STR
                ". It is shown this once; only its digest is kept.\n",
                STR_ARG(token->name), api_role_name(token->role),
                token->is_for_all ? "all tenants" : "tenant ",
                STR_ARG(token->is_for_all ? STR("") : wire_tenant_name(wire)),
                token->expires_ms ? "good until " : "without an end",
                STR_ARG(token->expires_ms ? time_text(&wire->arena, token->expires_ms) : STR("")));
    }
}

static int make_token(struct cli *cli, struct store_api_token *token, int64_t life_ms)
{
    AUTO_WIRE struct wire wire = {0};
    AUTO_SECRET struct secret secret = {0};
    struct error err = {0};

    api_token_make(cli->env->random, &secret, token->hash);
    token->expires_ms = life_ms ? clock_wall_ms(cli->env->clock) + life_ms : 0;
    if (wire_store(cli, STORE_SHARED, "crmsync token create", &wire, &err) != OK ||
        keep_token(&wire, token, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_new(&wire, token, &secret);
    return EXIT_DONE;
}

static int verb_create(struct cli *cli, int argc, char **argv)
{
    struct store_api_token token = {.role = ROLE_VIEWER};
    struct str role = STR("viewer");
    int64_t life_ms = DAYS_DEFAULT * (int64_t)DAY_MS;
    int count;
    const struct option_spec options[] = {
        {.name = "role",
         .argument = "ROLE",
         .help = "viewer (default), operator or admin",
         .type = OPTION_TEXT,
         .target = &role},
        {.name = "expires",
         .argument = "TIME",
         .help = "how long it is good (default 90d); 0 = until it is revoked",
         .type = OPTION_DURATION,
         .target = &life_ms},
        {.name = "all-tenants",
         .help = "it opens every tenant, not only that of --tenant",
         .type = OPTION_FLAG,
         .target = &token.is_for_all},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync token create NAME [options]",
        .about = "Makes a token for the HTTP API and prints it, this once. A viewer reads; an "
                 "operator also syncs, edits and\ndecides conflicts; an admin also makes and "
                 "removes connections and signs them in.\n\n"
                 "  crmsync token create dashboard > dashboard.token\n"
                 "  crmsync token create deploy --role admin --expires 1d --all-tenants",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (!api_role_parse(role, &token.role)) {
        return usage_error(&usage, "--role is viewer, operator or admin");
    }
    if (life_ms < 0) {
        return usage_error(&usage, "--expires is a time from now, such as 90d");
    }
    if (token.is_for_all && cli->tenant) {
        return usage_error(&usage, "give --tenant or --all-tenants, not both");
    }
    token.name = str_of(argv[1]);
    return make_token(cli, &token, life_ms);
}

/* --- list, revoke -------------------------------------------------------------------------------------------- */

static enum fail list_tokens(struct cli *cli, struct wire *wire, struct error *err)
{
    static const char *const NAMES[] = {"id",      "name",    "role",      "tenants", "state",
                                        "created", "expires", "last_used", NULL};
    AUTO_TX struct tx *tx = NULL;
    struct store_api_token *tokens;
    struct table *table;
    int64_t now_ms = clock_wall_ms(cli->env->clock);
    size_t count;

    if (wire_begin(wire, &tx, err) != OK ||
        api_token_list(tx, &wire->arena, &tokens, &count, err) != OK) {
        return err->code;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < count; i++) {
        table_row(table);
        table_number(table, tokens[i].id);
        table_text(table, tokens[i].name);
        table_text(table, str_of(api_role_name(tokens[i].role)));
        table_text(table, tokens[i].is_for_all ? STR("all") : wire_tenant_name(wire));
        table_text(table, token_state(&tokens[i], now_ms));
        table_text(table, time_text(&wire->arena, tokens[i].created_ms));
        table_text(table, time_text(&wire->arena, tokens[i].expires_ms));
        table_text(table, time_text(&wire->arena, tokens[i].used_ms));
    }
    table_print(table, "no tokens: 'crmsync token create NAME'");
    return tx_commit(&tx, err);
}

static int verb_list(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync token list",
        .about =
            "Lists the tokens of the tenant (those for all tenants with the default one): what "
            "each may do, until when, and\nwhen it was last used.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync token list", &wire, &err) != OK ||
        list_tokens(cli, &wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

static enum fail revoke_token(struct wire *wire, struct str name, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    bool found;

    if (wire_begin(wire, &tx, err) != OK || api_token_revoke(tx, name, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no token '%" PRI_STR "' that is not revoked", STR_ARG(name));
        return error_hint(err, "list them with 'crmsync token list'");
    }
    return tx_commit(&tx, err);
}

static int verb_revoke(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync token revoke NAME",
                                .about = "Ends a token: from now on it is refused, also by a "
                                         "service that runs.",
                                .options = options,
                                .arguments_min = 1,
                                .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_SHARED, "crmsync token revoke", &wire, &err) != OK ||
        revoke_token(&wire, str_of(argv[1]), &err) != OK) {
        return cli_fail(cli, &err);
    }
    printf("revoked\n");
    return EXIT_DONE;
}

int command_token(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {{"create", "make one, shown once", verb_create},
                                           {"list", "list them", verb_list},
                                           {"revoke", "end one", verb_revoke},
                                           {0}};

    return verbs_run(cli, "token", "Tokens of the HTTP API.", VERBS, argc, argv);
}
