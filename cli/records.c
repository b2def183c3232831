/* crmsync records list|get|create|update|delete|search|history */
#include <inttypes.h>
#include <stdio.h>

#include "cli/door.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/verbs.h"
#include "core/jx.h"
#include "core/unicode.h"

enum { LIMIT_MAX = 1000000 };

/* "/api/crm/records/contact" */
static struct str records_path(struct door *door, const char *kind)
{
    return arena_printf(door_arena(door), "/api/crm/records/%" PRI_STR,
                        STR_ARG(door_word(door, kind)));
}

/* …/ID and what follows. */
static struct str record_path(struct door *door, const char *kind, const char *id, const char *rest)
{
    return arena_printf(door_arena(door), "%" PRI_STR "/%" PRI_STR "%s",
                        STR_ARG(records_path(door, kind)), STR_ARG(door_word(door, id)), rest);
}

/* --- list, search -------------------------------------------------------------------------------------------- */

static void add_record(struct table *table, struct arena *arena, const json_t *row)
{
    const json_t *fields = jx_get(row, "fields");
    const json_t *email = jx_get(fields, "email"), *key = email ? email : jx_get(fields, "domain");

    table_row(table);
    table_text(table, listing_text(row, "id"));
    table_text(table, listing_text(row, "title"));
    table_text(table, listing_value(arena, key));
    table_text(table, listing_value(arena, jx_get(fields, "phone")));
    table_number(table, listing_number(row, "version"));
    table_text(table, listing_time(arena, jx_get(row, "updated_at")));
    table_text(table, select_text(arena, jx_get(row, "part")));
}

static void print_records(const struct cli *cli, json_t *rows)
{
    static const char *const NAMES[] = {"id",      "name",    "email", "phone",
                                        "version", "updated", "part",  NULL};
    AUTO_ARENA struct arena arena = {0};
    struct table *table;

    if (cli->json) {
        print_json(json_incref(rows));
        return;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        add_record(table, &arena, json_array_get(rows, i));
    }
    table_print(table, "no records");
}

/* text: "" all, else a search. */
static int list_records(struct cli *cli, const char *kind, const char *text, int64_t limit)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    struct str target;
    json_t *rows;

    if (door_open(cli, STORE_READ, "crmsync records", &door, &err) != OK) {
        return cli_fail(cli, &err);
    }
    target = records_path(door, kind);
    if (text[0]) {
        target = arena_printf(door_arena(door), "%" PRI_STR "?q=%" PRI_STR, STR_ARG(target),
                              STR_ARG(door_word(door, text)));
    }
    if (door_list(door, target, limit, &rows, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_records(cli, rows);
    return EXIT_DONE;
}

static int list_or_search(struct cli *cli, const struct usage *usage, int argc, char **argv,
                          int64_t *limit, bool is_search)
{
    int count;
    enum parsed parsed = options_parse(cli, usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (*limit < 1 || *limit > LIMIT_MAX) {
        return usage_error(usage, "--limit must be between 1 and %d", LIMIT_MAX);
    }
    if (is_search && argv[2][0] == '\0') {
        return usage_error(usage, "the text to look for is empty");
    }
    return list_records(cli, argv[1], is_search ? argv[2] : "", *limit);
}

static int verb_list(struct cli *cli, int argc, char **argv)
{
    int64_t limit = 50;
    const struct option_spec options[] = {{.name = "limit",
                                           .argument = "N",
                                           .help = "how many (default 50)",
                                           .type = OPTION_NUMBER,
                                           .target = &limit,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync records list KIND [options]",
        .about =
            "Lists records of a kind, oldest first. With --json whole records and their links.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1,
        .takes_server = true};

    return list_or_search(cli, &usage, argc, argv, &limit, false);
}

static int verb_search(struct cli *cli, int argc, char **argv)
{
    int64_t limit = 50;
    const struct option_spec options[] = {{.name = "limit",
                                           .argument = "N",
                                           .help = "how many (default 50)",
                                           .type = OPTION_NUMBER,
                                           .target = &limit,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {.synopsis = "crmsync records search KIND TEXT [options]",
                                .about = "Finds records with TEXT in one of their values.",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2,
                                .takes_server = true};

    return list_or_search(cli, &usage, argc, argv, &limit, true);
}

/* --- get ----------------------------------------------------------------------------------------------------- */

static void print_record(struct arena *arena, const json_t *row)
{
    json_t *value;
    const char *name;

    printf("%" PRI_STR " %" PRI_STR "  version %" PRId64 "  %" PRI_STR "\n",
           STR_ARG(listing_text(row, "kind")), STR_ARG(listing_text(row, "id")),
           listing_number(row, "version"), STR_ARG(listing_text(row, "state")));
    json_object_foreach(jx_get(row, "fields"), name, value)
    {
        printf("  %-18s %" PRI_STR "\n", name, STR_ARG(listing_value(arena, value)));
    }
    for (size_t i = 0; i < json_array_size(jx_get(row, "links")); i++) {
        const json_t *link = json_array_get(jx_get(row, "links"), i);

        printf("  linked to %" PRI_STR " %" PRI_STR " (%" PRI_STR "%s)\n",
               STR_ARG(listing_text(link, "connection")), STR_ARG(listing_text(link, "remote_id")),
               STR_ARG(listing_text(link, "state")),
               json_is_true(jx_get(link, "resting")) ? ", resting" : "");
    }
}

static int verb_get(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *row;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync records get KIND ID",
                                .about = "Shows one record with its links. ID: the record's id, "
                                         "its beginning (8 characters or more), or a value it is\n"
                                         "recognised by (an e-mail address, a domain).",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2,
                                .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_READ, "crmsync records", &door, &err) != OK ||
        door_ask(door, HTTP_GET, record_path(door, argv[1], argv[2], ""), NULL, &row, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        print_json(json_incref(row));
    } else {
        print_record(door_arena(door), row);
    }
    return EXIT_DONE;
}

/* --- create, update, delete ---------------------------------------------------------------------------------- */

/* "field=value" pairs; "field=" clears. What the values must be like is the store's business. */
static enum fail read_pairs(char **pairs, int count, json_t *fields, struct error *err)
{
    for (int i = 0; i < count; i++) {
        struct str rest = str_of(pairs[i]);
        struct str name = str_cut(&rest, '=');

        if (!rest.at) {
            return error_set(err, FAIL_CONFIG, "'%s' is not of the form FIELD=VALUE", pairs[i]);
        }
        if (!utf8_is_valid(rest) || !utf8_is_valid(name)) {
            return error_set(err, FAIL_CONFIG, "the value of '%" PRI_STR "' is not valid UTF-8",
                             STR_ARG(name));
        }
        json_object_setn_new(fields, name.at, name.len, rest.len ? json_text(rest) : json_null());
    }
    return OK;
}

static void print_written(struct cli *cli, json_t *row, const char *done)
{
    if (cli->json) {
        print_json(json_incref(row));
    } else {
        printf("%s %" PRI_STR " %" PRI_STR " (version %" PRId64
               "); the next sync carries it to the CRMs\n",
               done, STR_ARG(listing_text(row, "kind")), STR_ARG(listing_text(row, "id")),
               listing_number(row, "version"));
    }
}

/* id NULL: a new one. */
static int write_record(struct cli *cli, const char *kind, const char *id, char **pairs, int count,
                        json_t *take_body)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *row, *fields = json_object();

    json_object_set_new(take_body, "fields", fields);
    if (read_pairs(pairs, count, fields, &err) != OK ||
        door_open(cli, STORE_WRITE, id ? "crmsync records update" : "crmsync records create", &door,
                  &err) != OK) {
        json_decref(take_body);
        return cli_fail(cli, &err);
    }
    if (door_ask(door, id ? HTTP_PATCH : HTTP_POST,
                 id ? record_path(door, kind, id, "") : records_path(door, kind), take_body, &row,
                 &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_written(cli, row, id ? "updated" : "created");
    return EXIT_DONE;
}

static int verb_create(struct cli *cli, int argc, char **argv)
{
    bool allow_duplicate = false;
    int count;
    const struct option_spec options[] = {
        {.name = "allow-duplicate",
         .help = "create it although another record has the same key",
         .type = OPTION_FLAG,
         .target = &allow_duplicate},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync records create KIND FIELD=VALUE …",
        .about = "Creates a record in the store; the next sync creates it at the CRMs.\n\n"
                 "  crmsync records create contact email=ada@lovelace.example first_name=Ada",
        .options = options,
        .arguments_min = 2,
        .arguments_max = -1,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return write_record(cli, argv[1], NULL, argv + 2, count - 1,
                        json_pack("{s:b}", "allow_duplicate", allow_duplicate ? 1 : 0));
}

static int verb_update(struct cli *cli, int argc, char **argv)
{
    int64_t version = 0;
    int count;
    const struct option_spec options[] = {{.name = "version",
                                           .argument = "N",
                                           .help = "refuse when the record is not at this version",
                                           .type = OPTION_NUMBER,
                                           .target = &version},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync records update KIND ID FIELD=VALUE …",
        .about = "Changes fields of a record in the store; the next sync carries them to the CRMs. "
                 "FIELD= clears a field.\n\n"
                 "  crmsync records update contact ada@lovelace.example phone='+44 20 7946 0123'",
        .options = options,
        .arguments_min = 3,
        .arguments_max = -1,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return write_record(cli, argv[1], argv[2], argv + 3, count - 2,
                        version ? json_pack("{s:I}", "version", version) : json_object());
}

static enum fail delete_record(struct door *door, const char *kind, const char *id, json_t **ret,
                               struct error *err)
{
    json_t *nothing;
    struct str path;

    if (door_ask(door, HTTP_GET, record_path(door, kind, id, ""), NULL, ret, err) != OK) {
        return err->code;
    }
    path = arena_printf(door_arena(door), "%" PRI_STR "/%" PRI_STR,
                        STR_ARG(records_path(door, kind)), STR_ARG(listing_text(*ret, "id")));
    return door_ask(door, HTTP_DELETE, path, NULL, &nothing, err);
}

static int verb_delete(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *row;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync records delete KIND ID",
                                .about = "Deletes a record in the store. The next sync archives "
                                         "its objects at connections with 'deletes: archive' and\n"
                                         "ends the link at the others.",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2,
                                .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_WRITE, "crmsync records delete", &door, &err) != OK ||
        delete_record(door, argv[1], argv[2], &row, &err) != OK) {
        return cli_fail(cli, &err);
    }
    printf("deleted %" PRI_STR " %" PRI_STR "\n", STR_ARG(listing_text(row, "kind")),
           STR_ARG(listing_text(row, "id")));
    return EXIT_DONE;
}

/* --- history ------------------------------------------------------------------------------------------------- */

/* A line for each change; one for an entry without. */
static json_t *history_lines(const json_t *entries)
{
    static const char *const OF_ENTRY[] = {"at", "version", "source", "cause", "run"};
    json_t *lines = json_array();

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const json_t *changes = jx_get(entry, "changes");
        size_t count = json_array_size(changes);

        for (size_t k = 0; k < (count ? count : 1); k++) {
            json_t *line = count ? json_copy(json_array_get(changes, k))
                                 : json_pack("{s:s,s:s}", "field", "", "rule", "");

            for (size_t m = 0; m < COUNT_OF(OF_ENTRY); m++) {
                json_object_set(line, OF_ENTRY[m], jx_get(entry, OF_ENTRY[m]));
            }
            json_array_append_new(lines, line);
        }
    }
    return lines;
}

static int verb_history(struct cli *cli, int argc, char **argv)
{
    static const struct listing_column COLUMNS[] = {
        {"at", COLUMN_TIME},     {"version", COLUMN_TEXT},
        {"source", COLUMN_TEXT}, {"cause", COLUMN_TEXT},
        {"field", COLUMN_TEXT},  {"from", COLUMN_CHANGED},
        {"to", COLUMN_CHANGED},  {"rule", COLUMN_TEXT},
        {"lost", COLUMN_LOST},   {0}};
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *entries, *lines;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync records history KIND ID",
                                .about = "Shows every change of a record, newest first: from "
                                         "where, by which rule, and what lost.",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2,
                                .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_READ, "crmsync records", &door, &err) != OK ||
        door_list(door, record_path(door, argv[1], argv[2], "/history"), LIMIT_MAX, &entries,
                  &err) != OK) {
        return cli_fail(cli, &err);
    }
    lines = history_lines(entries);
    listing_print(cli, lines, COLUMNS, "no history");
    json_decref(lines);
    return EXIT_DONE;
}

int command_records(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"list", "list records of a kind", verb_list},
        {"get", "show one record and its links", verb_get},
        {"create", "create a record", verb_create},
        {"update", "change fields of a record", verb_update},
        {"delete", "delete a record", verb_delete},
        {"search", "find records by text", verb_search},
        {"history", "every change of one record", verb_history},
        {"include", "it takes part at a connection, whatever its filter says", verb_include},
        {"exclude", "it takes no part there", verb_exclude},
        {"pin", "hold it and its object there as they are", verb_pin},
        {"unselect", "the filter decides again", verb_unselect},
        {0}};

    return verbs_run(cli, "records", "Records of the local source of truth, in normal form.", VERBS,
                     argc, argv);
}
