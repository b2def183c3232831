/* crmsync brake list|confirm */
#include <stdio.h>

#include "cli/find.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sync/braking.h"

static void add_brake(struct wire *wire, struct tx *tx, struct table *table,
                      const struct store_brake *brake)
{
    struct str connection = find_connection_name(wire, tx, brake->connection_id);
    bool is_confirmed = brake->confirmed_count >= brake->count;

    table_row(table);
    table_text(table, connection);
    table_text(table, brake->kind);
    table_text(table, str_of(brake_what_name(brake->what)));
    table_number(table, brake->count);
    table_number(table, brake->linked);
    table_text(table, time_text(&wire->arena, brake->stopped_ms));
    table_text(table, is_confirmed ? STR("confirmed") : STR("waits"));
    table_text(table, brake_text(&wire->arena, connection, brake));
    table_text(table,
               is_confirmed ? STR("crmsync sync") : brake_command(&wire->arena, connection, brake));
}

static enum fail list_brakes(struct cli *cli, struct wire *wire, struct error *err)
{
    static const char *const NAMES[] = {"connection", "kind",  "what", "count", "linked",
                                        "stopped",    "state", "seen", "try",   NULL};
    AUTO_TX struct tx *tx = NULL;
    struct store_brake *brakes;
    struct table *table;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK ||
        brake_list(tx, &wire->arena, &brakes, &count, err) != OK) {
        return err->code;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < count; i++) {
        add_brake(wire, tx, table, &brakes[i]);
    }
    table_print(table, "the brake holds nothing");
    return tx_commit(&tx, err);
}

static int verb_brake_list(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync brake list",
        .about = "Lists mass changes that were stopped: what was seen, and the command that lets "
                 "it go on.\nOne that turns out not to be there any more falls away with the next "
                 "sync.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync brake", &wire, &err) != OK ||
        list_brakes(cli, &wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

/* What a person asks for. */
struct confirmation {
    struct str connection, kind, what; /* what "": the only one that waits */
    int64_t count;
};

static enum fail find_brake(struct wire *wire, struct tx *tx, const struct confirmation *asked,
                            int64_t connection_id, struct store_brake *ret, struct error *err)
{
    struct store_brake *brakes;
    size_t count, hits = 0;

    if (brake_list(tx, &wire->arena, &brakes, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (brakes[i].connection_id == connection_id && str_equal(brakes[i].kind, asked->kind) &&
            (asked->what.len == 0 ||
             str_equal(asked->what, str_of(brake_what_name(brakes[i].what))))) {
            *ret = brakes[i];
            hits++;
        }
    }
    if (hits == 1) {
        return OK;
    }
    error_set(err, FAIL_RECORD,
              hits ? "several mass changes of %" PRI_STR " at %" PRI_STR " wait"
                   : "the brake holds nothing of %" PRI_STR " at %" PRI_STR,
              STR_ARG(asked->kind), STR_ARG(asked->connection));
    return error_hint(err, hits ? "say which: --what deletes, removals, updates or emptied"
                                : "look at 'crmsync brake list'");
}

static enum fail confirm(struct cli *cli, struct wire *wire, const struct confirmation *asked,
                         struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row;
    struct store_brake brake = {0};
    bool found;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_by_name(tx, asked->connection, &wire->arena, &row, &found, err) != OK) {
        return err->code;
    }
    if (find_brake(wire, tx, asked, found ? row.id : 0, &brake, err) != OK) {
        return err->code;
    }
    if (brake.count > asked->count) {
        error_set(err, FAIL_STALE, "not confirmed: it is %lld now, not %lld",
                  (long long)brake.count, (long long)asked->count);
        return error_hint(err, "look again, then: %" PRI_STR,
                          STR_ARG(brake_command(&wire->arena, asked->connection, &brake)));
    }
    if (brake_confirm(tx, row.id, brake.kind, brake.what, clock_wall_ms(cli->env->clock), err) !=
            OK ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    if (!cli->quiet) {
        printf("confirmed once, for %lld; the next sync carries it out\n", (long long)brake.count);
    }
    return OK;
}

static int verb_brake_confirm(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct confirmation asked = {.count = -1};
    enum brake_what what;
    const struct kind *kind;
    size_t index;
    int count;
    const struct option_spec options[] = {{.name = "what",
                                           .argument = "WHAT",
                                           .help = "deletes, removals, updates or emptied",
                                           .type = OPTION_TEXT,
                                           .target = &asked.what},
                                          {.name = "count",
                                           .argument = "N",
                                           .help = "how many you agree to, as 'brake list' says",
                                           .type = OPTION_NUMBER,
                                           .target = &asked.count,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync brake confirm CONNECTION KIND --count N [--what WHAT]",
        .about = "Lets a mass change that was stopped go on, once and for that many. Refused when "
                 "there are more by now.\n\n"
                 "  deletes   objects are gone at the connection: their records are deleted here\n"
                 "  removals  records were deleted here: their objects are archived there\n"
                 "  updates   changes that came from the connection are written to the others\n"
                 "  emptied   a complete listing shows nothing: it is believed",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (asked.count < 1) {
        return usage_error(&usage, "give the number you agree to with --count N");
    }
    if (asked.what.len && !brake_what_parse(asked.what, &what)) {
        return usage_error(&usage, "--what is deletes, removals, updates or emptied");
    }
    asked.connection = str_of(argv[1]);
    asked.kind = str_of(argv[2]);
    if (wire_store(cli, STORE_WRITE, "crmsync brake confirm", &wire, &err) != OK ||
        wire_find(&wire, asked.connection, &index, &err) != OK ||
        find_kind(&wire, asked.kind, &kind, &err) != OK ||
        confirm(cli, &wire, &asked, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

int command_brake(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"list", "list the mass changes that were stopped", verb_brake_list},
        {"confirm", "let one go on", verb_brake_confirm},
        {0}};

    return verbs_run(cli, "brake", "Mass changes that were stopped and wait for a person.", VERBS,
                     argc, argv);
}
