/* crmsync events list|dead|resend|enable */
#include <stdio.h>

#include "cli/door.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/jx.h"

enum { LISTED_MAX = 100000, IDS_MAX = 64 };

/* All endpoints are on one page. */
static int list_endpoints(struct cli *cli, const struct listing_column *columns)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *page;

    if (door_open(cli, STORE_READ, "crmsync events", &door, &err) != OK ||
        door_ask(door, HTTP_GET, STR("/api/crm/events/endpoints"), NULL, &page, &err) != OK) {
        return cli_fail(cli, &err);
    }
    listing_print(cli, jx_get(page, "items"), columns,
                  "no endpoints; see 'events:' in docs/events.md");
    return EXIT_DONE;
}

static int list_dead(struct cli *cli, const char *endpoint, const struct listing_column *columns)
{
    AUTO_DOOR struct door *door = NULL;
    struct str target = STR("/api/crm/events/dead");
    struct error err = {0};
    json_t *rows;

    if (door_open(cli, STORE_READ, "crmsync events", &door, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (endpoint) {
        target = arena_printf(door_arena(door), "%" PRI_STR "?endpoint=%" PRI_STR, STR_ARG(target),
                              STR_ARG(door_word(door, endpoint)));
    }
    if (door_list(door, target, LISTED_MAX, &rows, &err) != OK) {
        return cli_fail(cli, &err);
    }
    listing_print(cli, rows, columns, "nothing was given up");
    return EXIT_DONE;
}

static int verb_list(struct cli *cli, int argc, char **argv)
{
    static const struct listing_column COLUMNS[] = {
        {"endpoint", COLUMN_TEXT}, {"state", COLUMN_TEXT},  {"delivered", COLUMN_TEXT},
        {"failed", COLUMN_TEXT},   {"dead", COLUMN_TEXT},   {"failing_since", COLUMN_TIME},
        {"next_at", COLUMN_TIME},  {"reason", COLUMN_TEXT}, {0}};
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync events list [options]",
        .about =
            "Lists the endpoints that are told what happens in the store, and how it goes. The "
            "service delivers; docs/events.md says what.",
        .options = options,
        .takes_server = true};
    int count;
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return list_endpoints(cli, COLUMNS);
}

static int verb_dead(struct cli *cli, int argc, char **argv)
{
    static const struct listing_column COLUMNS[] = {
        {"id", COLUMN_TEXT},    {"endpoint", COLUMN_TEXT}, {"event", COLUMN_TEXT},
        {"type", COLUMN_TEXT},  {"at", COLUMN_TIME},       {"given_up_at", COLUMN_TIME},
        {"tries", COLUMN_TEXT}, {"reason", COLUMN_TEXT},   {0}};
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync events dead [ENDPOINT]",
        .about = "Lists events that an endpoint did not take and that were given up. They do not "
                 "hold up the others.",
        .options = options,
        .arguments_max = 1,
        .takes_server = true};
    int count;
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return list_dead(cli, count ? argv[1] : NULL, COLUMNS);
}

static enum fail resend_one(struct door *door, int64_t id, struct error *err)
{
    json_t *nothing;

    return door_ask(
        door, HTTP_POST,
        arena_printf(door_arena(door), "/api/crm/events/dead/%lld/resend", (long long)id), NULL,
        &nothing, err);
}

static enum fail resend_all(struct door *door, size_t *ret_done, struct error *err)
{
    json_t *rows;

    if (door_list(door, STR("/api/crm/events/dead"), LISTED_MAX, &rows, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (resend_one(door, listing_number(json_array_get(rows, i), "id"), err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

static enum fail resend_some(struct door *door, const int64_t *ids, size_t count, size_t *ret_done,
                             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (resend_one(door, ids[i], err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

static int verb_resend(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    int64_t ids[IDS_MAX];
    bool all = false;
    size_t done = 0;
    int count;
    const struct option_spec options[] = {
        {.name = "all", .help = "every one that was given up", .type = OPTION_FLAG, .target = &all},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync events resend ID … | --all",
        .about = "Sends events that were given up once more, under the ids they have. The running "
                 "service does it within seconds.",
        .options = options,
        .arguments_max = -1,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (all == (count > 0) || count > IDS_MAX) {
        return usage_error(&usage, "give numbers of the list (at most %d), or --all", IDS_MAX);
    }
    for (int i = 0; i < count; i++) {
        if (!str_to_i64(str_of(argv[1 + i]), &ids[i]) || ids[i] < 1) {
            return usage_error(&usage, "'%s' is no number of a list", argv[1 + i]);
        }
    }
    if (door_open(cli, STORE_WRITE, "crmsync events resend", &door, &err) != OK ||
        (all ? resend_all(door, &done, &err)
             : resend_some(door, ids, (size_t)count, &done, &err)) != OK) {
        return cli_fail(cli, &err);
    }
    printf("%zu will be sent once more by the service\n", done);
    return EXIT_DONE;
}

static int verb_enable(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *nothing;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync events enable ENDPOINT",
        .about = "Switches an endpoint on that said it was gone (410), or lets one that fails be "
                 "tried at once. It goes on where it stopped.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_WRITE, "crmsync events enable", &door, &err) != OK ||
        door_ask(door, HTTP_POST,
                 arena_printf(door_arena(door), "/api/crm/events/endpoints/%" PRI_STR "/enable",
                              STR_ARG(door_word(door, argv[1]))),
                 NULL, &nothing, &err) != OK) {
        return cli_fail(cli, &err);
    }
    printf("endpoint '%s' goes on where it stopped\n", argv[1]);
    return EXIT_DONE;
}

int command_events(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"list", "list the endpoints and how deliveries go", verb_list},
        {"dead", "list events that were given up", verb_dead},
        {"resend", "send such events once more", verb_resend},
        {"enable", "switch an endpoint on again", verb_enable},
        {0}};

    return verbs_run(cli, "events",
                     "Endpoints of other software that are told what happens in the store "
                     "('events:' in the configuration).",
                     VERBS, argc, argv);
}
