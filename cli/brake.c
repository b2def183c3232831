/* crmsync brake list|confirm */
#include <stdio.h>

#include "cli/door.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/jx.h"
#include "store/brake.h"

static int verb_brake_list(struct cli *cli, int argc, char **argv)
{
    static const struct listing_column COLUMNS[] = {
        {"connection", COLUMN_TEXT}, {"kind", COLUMN_TEXT},
        {"what", COLUMN_TEXT},       {"count", COLUMN_TEXT},
        {"linked", COLUMN_TEXT},     {"stopped", COLUMN_TIME},
        {"state", COLUMN_TEXT},      {"seen", COLUMN_TEXT},
        {"try", COLUMN_TEXT},        {0}};
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *answer;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync brake list",
        .about = "Lists mass changes that were stopped: what was seen, and the command that lets "
                 "it go on.\nOne that turns out not to be there any more falls away with the next "
                 "sync.",
        .options = options,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_READ, "crmsync brake", &door, &err) != OK ||
        door_ask(door, HTTP_GET, STR("/api/crm/brake"), NULL, &answer, &err) != OK) {
        return cli_fail(cli, &err);
    }
    listing_print(cli, jx_get(answer, "items"), COLUMNS, "the brake holds nothing");
    return EXIT_DONE;
}

/* What a person asks for. */
struct confirmation {
    struct str what; /* "": the only one that waits */
    int64_t count;
};

static int confirm(struct cli *cli, const char *connection, const char *kind,
                   const struct confirmation *asked)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *answer, *body;

    if (door_open(cli, STORE_WRITE, "crmsync brake confirm", &door, &err) != OK) {
        return cli_fail(cli, &err);
    }
    body = json_pack("{s:o,s:o,s:I}", "connection", json_text(str_of(connection)), "kind",
                     json_text(str_of(kind)), "count", asked->count);
    if (asked->what.len) {
        json_object_set_new(body, "what", json_text(asked->what));
    }
    if (door_ask(door, HTTP_POST, STR("/api/crm/brake/confirm"), body, &answer, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (!cli->quiet) {
        printf("confirmed once, for %lld; the next sync carries it out\n",
               (long long)listing_number(answer, "confirmed"));
    }
    return EXIT_DONE;
}

static int verb_brake_confirm(struct cli *cli, int argc, char **argv)
{
    struct confirmation asked = {.count = -1};
    enum brake_what what;
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
        .arguments_max = 2,
        .takes_server = true};
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
    return confirm(cli, argv[1], argv[2], &asked);
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
