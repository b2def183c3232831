/* crmsync mapping check|show */
#include <stdio.h>

#include "cli/inspection.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"

static struct str place(struct arena *arena, const char *file, int line, int column)
{
    return arena_printf(arena, "%s:%d:%d", file, line, column);
}

/* --- check -------------------------------------------------------------------------------------------------------------------- */

static void note(const struct cli *cli, const char *about, const struct error *err)
{
    if (!cli->quiet) {
        fprintf(stderr, "crmsync: %s not held against the account: %s\n", about, err->message);
    }
}

/* Opens what can be opened: a connection without a token, or a store that is not there yet, leaves the findings that need no account. */
static bool *open_accounts(struct wire *wire, struct str only)
{
    size_t count = wire->config.settings.connections_count;
    bool *open = ARENA_ARRAY(&wire->arena, bool, count + 1);
    struct error err = {0};

    if (wire_open_store(wire, STORE_SHARED, "crmsync mapping check", &err) != OK ||
        wire_network(wire, &err) != OK) {
        note(wire->cli, "mappings are", &err);
        return open;
    }
    for (size_t i = 0; i < count; i++) {
        if (only.len && !str_equal(only, wire->config.connections[i].name)) {
            continue;
        }
        error_reset(&err);
        open[i] = wire_open(wire, i, &err) == OK;
        if (!open[i]) {
            note(wire->cli, "mapping is", &err);
        }
    }
    return open;
}

static json_t *finding_json(const struct finding *finding)
{
    return json_pack("{s:s,s:o,s:o,s:s,s:i,s:i,s:o,s:o}", "severity",
                     finding->is_error ? "error" : "warning", "connection",
                     json_text(finding->connection), "kind",
                     json_text(finding->mapping->kind->name), "file", finding->file, "line",
                     finding->line, "column", finding->column, "message",
                     json_text(finding->message), "hint", json_text(finding->hint));
}

/* Prints the findings of one connection ("" = all); says whether one of them is an error. */
static bool print_findings(struct wire *wire, const struct finding *findings, size_t count,
                           struct str only)
{
    static const char *const NAMES[] = {"severity", "connection", "kind", "where",
                                        "problem",  "try",        NULL};
    json_t *list = wire->cli->json ? json_array() : NULL;
    struct table *table = list ? NULL : table_new(wire->cli, NAMES);
    bool any_error = false;

    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &findings[i];

        if (only.len && !str_equal(finding->connection, only)) {
            continue;
        }
        any_error = any_error || finding->is_error;
        if (list) {
            json_array_append_new(list, finding_json(finding));
            continue;
        }
        table_row(table);
        table_text(table, str_of(finding->is_error ? "error" : "warning"));
        table_text(table, finding->connection);
        table_text(table, finding->mapping->kind->name);
        table_text(table, place(&wire->arena, finding->file, finding->line, finding->column));
        table_text(table, finding->message);
        table_text(table, finding->hint);
    }
    if (list) {
        print_json(list);
    } else {
        table_print(table, "nothing is wrong with the mappings");
    }
    return any_error;
}

static int verb_check(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct finding *findings;
    struct str only = STR("");
    size_t count_found, index;
    bool offline = false;
    int count;
    const struct option_spec options[] = {{.name = "offline",
                                           .help = "do not ask the accounts for their properties",
                                           .type = OPTION_FLAG,
                                           .target = &offline},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync mapping check [CONNECTION] [options]",
        .about = "Says what is wrong with mappings before anything moves: unknown and read-only "
                 "properties, missing values of\n"
                 "a pick-list, casts that lose something, values that would not come back, two "
                 "owners of one field, circles.\n"
                 "Connections that have a token are held against their account's properties. "
                 "Changes nothing. Exit code 2 when\n"
                 "there is an error.",
        .options = options,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_config(cli, &wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (count) {
        only = str_of(argv[1]);
        if (wire_find(&wire, only, &index, &err) != OK) {
            return cli_fail(cli, &err);
        }
    }
    if (inspection_run(&wire, offline ? NULL : open_accounts(&wire, only), &findings, &count_found,
                       &err) != OK) {
        return cli_fail(cli, &err);
    }
    return print_findings(&wire, findings, count_found, only) ? EXIT_USAGE : EXIT_DONE;
}

/* --- show --------------------------------------------------------------------------------------------------------------------- */

static struct str transforms_text(struct arena *arena, const struct map_entry *entry)
{
    struct str text = STR("");

    for (size_t i = 0; i < entry->transforms_count; i++) {
        const struct transform *transform = &entry->transforms[i];

        text = arena_printf(arena, "%" PRI_STR "%s%s%s%" PRI_STR, STR_ARG(text), i ? ", " : "",
                            transform_name(transform->op), transform->argument.len ? ": " : "",
                            STR_ARG(transform->argument));
    }
    return text;
}

static struct str values_text(struct arena *arena, const struct map_entry *entry)
{
    struct str text = STR("");

    for (size_t i = 0; i < entry->values_count; i++) {
        text = arena_printf(arena, "%" PRI_STR "%s%" PRI_STR " = %" PRI_STR, STR_ARG(text),
                            i ? ", " : "", STR_ARG(entry->values[i].unified),
                            STR_ARG(entry->values[i].remote));
    }
    return entry->values_count ? arena_printf(arena, "%" PRI_STR "; others: %s", STR_ARG(text),
                                              unknown_policy_name(entry->unknown))
                               : text;
}

static struct str strategy_text(struct arena *arena, const struct connection_settings *settings,
                                const struct kind *kind, struct str field)
{
    struct policy policy = settings_policy(settings, kind->name, field);

    return policy.strategy == STRATEGY_FIELD_MERGE
               ? arena_printf(arena, "%s:%s", strategy_name(policy.strategy),
                              combine_name(policy.combine))
               : str_of(strategy_name(policy.strategy));
}

static void show_entry(struct arena *arena, const struct connection_settings *settings,
                       const struct mapping *mapping, const struct map_entry *entry,
                       struct table *table)
{
    table_row(table);
    table_text(table, settings->name);
    table_text(table, mapping->kind->name);
    table_text(table, entry->field->name);
    table_text(table, str_of(field_type_name(entry->field->type)));
    table_text(table, entry->property);
    table_text(table, str_of(map_direction_name(entry->direction)));
    table_text(table, str_of(entry->only_at_create ? "create" : "always"));
    table_text(table, transforms_text(arena, entry));
    table_text(table, values_text(arena, entry));
    table_text(table, str_of(blank_policy_name(entry->blank)));
    table_text(table, strategy_text(arena, settings, mapping->kind, entry->field->name));
    table_text(table, place(arena, entry->file, entry->line, entry->column));
}

static enum fail show(struct wire *wire, struct str connection, struct str kind, struct error *err)
{
    static const char *const NAMES[] = {"connection", "kind",  "field",     "type",   "property",
                                        "direction",  "write", "transform", "values", "blank",
                                        "strategy",   "where", NULL};
    struct table *table;
    size_t only = SIZE_MAX;

    if (connection.len && wire_find(wire, connection, &only, err) != OK) {
        return err->code;
    }
    if (kind.len && !mapping_of(wire->config.connections[only].mappings, kind)) {
        error_set(err, FAIL_CONFIG, "the mapping of '%" PRI_STR "' has no kind '%" PRI_STR "'",
                  STR_ARG(connection), STR_ARG(kind));
        return error_hint(err, "see 'crmsync mapping show %" PRI_STR "'", STR_ARG(connection));
    }
    table = table_new(wire->cli, NAMES);
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];

        for (size_t k = 0; k < settings->kinds_count && (only == SIZE_MAX || only == i); k++) {
            const struct mapping *mapping = mapping_of(settings->mappings, settings->kinds[k]);

            for (size_t e = 0; e < mapping->entries_count; e++) {
                if (kind.len == 0 || str_equal(kind, mapping->kind->name)) {
                    show_entry(&wire->arena, settings, mapping, &mapping->entries[e], table);
                }
            }
        }
    }
    table_print(table, "no mapped fields");
    return OK;
}

static int verb_show(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync mapping show [CONNECTION [KIND]]",
        .about = "Shows the mapping in effect: which field is which property, in which direction, "
                 "through which transforms and\n"
                 "values, what a blank does, which strategy decides a conflict, and where that is "
                 "written.",
        .options = options,
        .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_config(cli, &wire, &err) != OK ||
        show(&wire, count ? str_of(argv[1]) : STR(""), count > 1 ? str_of(argv[2]) : STR(""),
             &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

int command_mapping(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"check", "what is wrong with the mappings, with file, line and column", verb_check},
        {"show", "the mapping in effect, field by field", verb_show},
        {0}};

    return verbs_run(cli, "mapping",
                     "Mappings say which field of a record is which property of a CRM.", VERBS,
                     argc, argv);
}
