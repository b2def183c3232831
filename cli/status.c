/* crmsync status and runs */
#include <stdio.h>

#include "cli/door.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "core/jx.h"

static void print_totals(const json_t *status)
{
    json_t *count;
    const char *kind;

    json_object_foreach(jx_get(status, "records"), kind, count)
    {
        printf("%-12s %10lld records\n", kind, (long long)json_integer_value(count));
    }
    printf("%-12s %10lld open\n%-12s %10lld open\n", "conflicts",
           (long long)listing_number(status, "conflicts_open"), "set aside",
           (long long)listing_number(status, "failures_open"));
}

static void print_status(const struct cli *cli, const json_t *status)
{
    static const struct listing_column COLUMNS[] = {{"connection", COLUMN_TEXT},
                                                    {"kind", COLUMN_TEXT},
                                                    {"state", COLUMN_TEXT},
                                                    {"linked", COLUMN_TEXT},
                                                    {"to_write", COLUMN_TEXT},
                                                    {"gone", COLUMN_TEXT},
                                                    {"listed", COLUMN_TIME},
                                                    {"differ", COLUMN_TEXT},
                                                    {"compared", COLUMN_TIME},
                                                    {"note", COLUMN_TEXT},
                                                    {0}};

    listing_print(cli, jx_get(status, "items"), COLUMNS,
                  "no connection has been used yet: 'crmsync connect NAME', then 'crmsync sync'");
    if (!cli->json) {
        print_totals(status);
    }
}

int command_status(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *status;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync status",
        .about = "Shows each kind of each connection: linked records, what waits to be written, "
                 "what is gone at the CRM, when\n"
                 "everything was last listed, and what is wrong. May be used while a sync runs.",
        .options = options,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_READ, "crmsync status", &door, &err) != OK ||
        door_ask(door, HTTP_GET, STR("/api/crm/status"), NULL, &status, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_status(cli, status);
    return EXIT_DONE;
}

int command_runs(struct cli *cli, int argc, char **argv)
{
    static const struct listing_column COLUMNS[] = {{"run", COLUMN_TEXT},
                                                    {"command", COLUMN_TEXT},
                                                    {"state", COLUMN_TEXT},
                                                    {"started", COLUMN_TIME},
                                                    {"seconds", COLUMN_TEXT},
                                                    {"read", COLUMN_TEXT},
                                                    {"here", COLUMN_TEXT},
                                                    {"there", COLUMN_TEXT},
                                                    {"set_aside", COLUMN_TEXT},
                                                    {"conflicts", COLUMN_TEXT},
                                                    {"calls", COLUMN_TEXT},
                                                    {"message", COLUMN_TEXT},
                                                    {0}};
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *rows;
    int64_t limit = 20;
    int count;
    const struct option_spec options[] = {{.name = "limit",
                                           .argument = "N",
                                           .help = "how many (default 20)",
                                           .type = OPTION_NUMBER,
                                           .target = &limit,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync runs [options]",
        .about = "Lists past runs, newest first: what each changed here and at the CRMs.",
        .options = options,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (limit < 1 || limit > 10000) {
        return usage_error(&usage, "--limit must be between 1 and 10000");
    }
    if (door_open(cli, STORE_READ, "crmsync runs", &door, &err) != OK ||
        door_list(door, STR("/api/crm/runs"), limit, &rows, &err) != OK) {
        return cli_fail(cli, &err);
    }
    listing_print(cli, rows, COLUMNS, "no runs yet");
    return EXIT_DONE;
}
