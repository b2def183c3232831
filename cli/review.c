/* crmsync conflicts list|show|resolve and failures list|retry|discard */
#include <stdio.h>

#include "cli/door.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/jx.h"

enum { LISTED_MAX = 100000 };

static const struct listing_column CONFLICT_COLUMNS[] = {{"id", COLUMN_TEXT},
                                                         {"version", COLUMN_TEXT},
                                                         {"state", COLUMN_TEXT},
                                                         {"kind", COLUMN_TEXT},
                                                         {"record", COLUMN_TEXT},
                                                         {"connection", COLUMN_TEXT},
                                                         {"field", COLUMN_TEXT},
                                                         {"here", COLUMN_VALUE},
                                                         {"there", COLUMN_VALUE},
                                                         {"before", COLUMN_VALUE},
                                                         {0}};

/* Lists through the API. */
static int list_rows(struct cli *cli, const char *holder, struct str target,
                     const struct listing_column *columns, const char *empty)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *rows;

    if (door_open(cli, STORE_READ, holder, &door, &err) != OK ||
        door_list(door, target, LISTED_MAX, &rows, &err) != OK) {
        return cli_fail(cli, &err);
    }
    listing_print(cli, rows, columns, empty);
    return EXIT_DONE;
}

static int verb_conflicts_list(struct cli *cli, int argc, char **argv)
{
    bool all = false;
    int count;
    const struct option_spec options[] = {{.name = "all",
                                           .help = "also those that are resolved or closed",
                                           .type = OPTION_FLAG,
                                           .target = &all},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync conflicts list [options]",
        .about = "Lists fields on which both sides moved and which wait for a person.",
        .options = options,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return list_rows(cli, "crmsync conflicts",
                     all ? STR("/api/crm/conflicts?all=true") : STR("/api/crm/conflicts"),
                     CONFLICT_COLUMNS, "no conflicts wait");
}

static bool read_id(const struct usage *usage, const char *text, int64_t *ret)
{
    if (!str_to_i64(str_of(text), ret) || *ret < 1) {
        usage_error(usage, "'%s' is no number of a list", text);
        return false;
    }
    return true;
}

static struct str conflict_path(struct door *door, int64_t id, const char *rest)
{
    return arena_printf(door_arena(door), "/api/crm/conflicts/%lld%s", (long long)id, rest);
}

static void print_field_conflict(struct arena *arena, const json_t *row)
{
    long long id = (long long)listing_number(row, "id");

    printf("  field   %" PRI_STR "\n  before  %" PRI_STR "\n  here    %" PRI_STR "   (%" PRI_STR
           ")\n  there   %" PRI_STR "   (%" PRI_STR
           ")\n  resolve: crmsync conflicts resolve %lld --version %lld --hub | --remote | "
           "--value TEXT\n",
           STR_ARG(listing_text(row, "field")),
           STR_ARG(listing_value(arena, jx_get(row, "before"))),
           STR_ARG(listing_value(arena, jx_get(row, "here"))),
           STR_ARG(listing_time(arena, jx_get(row, "here_changed_at"))),
           STR_ARG(listing_value(arena, jx_get(row, "there"))),
           STR_ARG(listing_time(arena, jx_get(row, "there_changed_at"))), id,
           (long long)listing_number(row, "version"));
}

static void print_conflict(struct arena *arena, const json_t *row)
{
    printf("conflict %lld, version %lld: %" PRI_STR " '%" PRI_STR "' against %" PRI_STR "\n",
           (long long)listing_number(row, "id"), (long long)listing_number(row, "version"),
           STR_ARG(listing_text(row, "kind")), STR_ARG(listing_text(row, "record")),
           STR_ARG(listing_text(row, "connection")));
    if (str_equal(listing_text(row, "type"), STR("delete"))) {
        printf("  deleted there (seen %" PRI_STR "), edited here since\n"
               "  resolve: --hub keeps the record here, --remote deletes it\n",
               STR_ARG(listing_time(arena, jx_get(row, "there_changed_at"))));
    } else {
        print_field_conflict(arena, row);
    }
}

static int verb_conflicts_show(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *row;
    int64_t id;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync conflicts show ID",
                                .about = "Shows a conflict: what the field was, what it is here "
                                         "and there, and how to resolve it.",
                                .options = options,
                                .arguments_min = 1,
                                .arguments_max = 1,
                                .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (!read_id(&usage, argv[1], &id)) {
        return EXIT_USAGE;
    }
    if (door_open(cli, STORE_READ, "crmsync conflicts", &door, &err) != OK ||
        door_ask(door, HTTP_GET, conflict_path(door, id, ""), NULL, &row, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        print_json(json_pack("[O]", row));
    } else {
        print_conflict(door_arena(door), row);
    }
    return EXIT_DONE;
}

/* What a person decided, about one conflict or all that fit. */
struct decision {
    bool hub, remote, all;
    struct str text; /* --value; at NULL: none */
    struct str kind, field, connection;
    int64_t id, version;
};

static enum fail resolve_one(struct door *door, const struct decision *decision, int64_t id,
                             int64_t version, struct error *err)
{
    json_t *body = json_pack("{s:s}", "take",
                             decision->hub      ? "hub"
                             : decision->remote ? "remote"
                                                : "value");
    json_t *nothing;

    if (decision->text.at) {
        json_object_set_new(body, "value", json_text(decision->text));
    }
    if (version) {
        json_object_set_new(body, "version", json_integer(version));
    }
    return door_ask(door, HTTP_POST, conflict_path(door, id, "/resolve"), body, &nothing, err);
}

/* Delete conflicts have no field and no value: only --hub and --remote without --field reach them. */
static bool fits(const struct decision *decision, const json_t *row)
{
    if (str_equal(listing_text(row, "type"), STR("delete")) &&
        (decision->field.len || decision->text.at)) {
        return false;
    }
    return (decision->kind.len == 0 || str_equal(listing_text(row, "kind"), decision->kind)) &&
           (decision->field.len == 0 || str_equal(listing_text(row, "field"), decision->field)) &&
           (decision->connection.len == 0 ||
            str_equal(listing_text(row, "connection"), decision->connection));
}

static enum fail resolve_all(struct door *door, const struct decision *decision, size_t *ret_done,
                             struct error *err)
{
    json_t *rows;

    if (door_list(door, STR("/api/crm/conflicts"), LISTED_MAX, &rows, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (!fits(decision, row)) {
            continue;
        }
        if (resolve_one(door, decision, listing_number(row, "id"), listing_number(row, "version"),
                        err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

static enum fail check_field(const struct decision *decision, const json_t *kinds,
                             struct error *err)
{
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const json_t *kind = json_array_get(kinds, i);
        const json_t *fields = jx_get(kind, "fields");

        if (!str_equal(listing_text(kind, "name"), decision->kind)) {
            continue;
        }
        for (size_t k = 0; k < json_array_size(fields); k++) {
            if (str_equal(listing_text(json_array_get(fields, k), "name"), decision->field)) {
                return OK;
            }
        }
        return error_set(err, FAIL_CONFIG, "kind '%" PRI_STR "' has no field '%" PRI_STR "'",
                         STR_ARG(decision->kind), STR_ARG(decision->field));
    }
    return OK;
}

/* Names that do not exist would quietly fit nothing. */
static enum fail check_names(struct door *door, const struct decision *decision, struct error *err)
{
    struct arena *arena = door_arena(door);
    json_t *ignored, *kinds;

    if (decision->connection.len &&
        door_ask(door, HTTP_GET,
                 arena_printf(arena, "/api/crm/integrations/%" PRI_STR,
                              STR_ARG(http_percent_encode(arena, decision->connection))),
                 NULL, &ignored, err) != OK) {
        return err->code;
    }
    if (decision->kind.len == 0) {
        return OK;
    }
    if (door_ask(door, HTTP_GET,
                 arena_printf(arena, "/api/crm/records/%" PRI_STR "?limit=1",
                              STR_ARG(http_percent_encode(arena, decision->kind))),
                 NULL, &ignored, err) != OK ||
        door_ask(door, HTTP_GET, STR("/api/crm/kinds"), NULL, &kinds, err) != OK) {
        return err->code;
    }
    return decision->field.len ? check_field(decision, jx_get(kinds, "items"), err) : OK;
}

static int run_resolve(struct cli *cli, const struct decision *decision)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    size_t done = 0;

    if (door_open(cli, STORE_WRITE, "crmsync conflicts resolve", &door, &err) != OK ||
        check_names(door, decision, &err) != OK ||
        (decision->all
             ? resolve_all(door, decision, &done, &err)
             : resolve_one(door, decision, decision->id, decision->version, &err)) != OK) {
        return cli_fail(cli, &err);
    }
    if (decision->all) {
        printf("%zu resolved; the next sync carries it out\n", done);
    } else {
        printf("resolved; the next sync carries it out\n");
    }
    return EXIT_DONE;
}

static int check_decision(const struct usage *usage, const struct decision *decision, int count)
{
    bool narrows = decision->kind.len || decision->field.len || decision->connection.len;

    if ((decision->hub ? 1 : 0) + (decision->remote ? 1 : 0) + (decision->text.at ? 1 : 0) != 1) {
        return usage_error(usage, "give exactly one of --hub, --remote, --value");
    }
    if (decision->all ? count > 0 || decision->version : count == 0) {
        return usage_error(usage, "give the number of a conflict, or --all without one");
    }
    if (narrows && !decision->all) {
        return usage_error(usage, "--kind, --field and --connection go with --all");
    }
    if (decision->all && decision->text.at && decision->field.len == 0) {
        return usage_error(usage, "--value for all conflicts needs --field");
    }
    return EXIT_DONE;
}

static int verb_conflicts_resolve(struct cli *cli, int argc, char **argv)
{
    struct decision decision = {.text = STR_NONE};
    int count;
    const struct option_spec options[] = {{.name = "hub",
                                           .help = "the value here wins",
                                           .type = OPTION_FLAG,
                                           .target = &decision.hub},
                                          {.name = "remote",
                                           .help = "the value there wins",
                                           .type = OPTION_FLAG,
                                           .target = &decision.remote},
                                          {.name = "value",
                                           .argument = "TEXT",
                                           .help = "neither: this value",
                                           .type = OPTION_TEXT,
                                           .target = &decision.text},
                                          {.name = "version",
                                           .argument = "N",
                                           .help = "the version you saw; refused when it moved",
                                           .type = OPTION_NUMBER,
                                           .target = &decision.version},
                                          {.name = "all",
                                           .help = "every open conflict that fits, instead of one",
                                           .type = OPTION_FLAG,
                                           .target = &decision.all},
                                          {.name = "kind",
                                           .argument = "KIND",
                                           .help = "with --all: of this kind",
                                           .type = OPTION_TEXT,
                                           .target = &decision.kind},
                                          {.name = "field",
                                           .argument = "FIELD",
                                           .help = "with --all: of this field",
                                           .type = OPTION_TEXT,
                                           .target = &decision.field},
                                          {.name = "connection",
                                           .argument = "NAME",
                                           .help = "with --all: against this connection",
                                           .type = OPTION_TEXT,
                                           .target = &decision.connection},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync conflicts resolve ID|--all --hub | --remote | --value TEXT",
        .about = "Decides a conflict. The next sync carries the decision to the CRM. The value "
                 "that lost stays in the history.\n\n"
                 "  crmsync conflicts resolve 12 --version 3 --remote\n"
                 "  crmsync conflicts resolve --all --field phone --connection hubspot --hub",
        .options = options,
        .arguments_max = 1,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (check_decision(&usage, &decision, count) != EXIT_DONE ||
        (count && !read_id(&usage, argv[1], &decision.id))) {
        return EXIT_USAGE;
    }
    return run_resolve(cli, &decision);
}

int command_conflicts(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"list", "list what waits", verb_conflicts_list},
        {"show", "show one with both values", verb_conflicts_show},
        {"resolve", "decide one", verb_conflicts_resolve},
        {0}};

    return verbs_run(cli, "conflicts",
                     "Fields (or deletes) on which both sides moved and no strategy may decide.",
                     VERBS, argc, argv);
}

static int verb_failures_list(struct cli *cli, int argc, char **argv)
{
    static const struct listing_column COLUMNS[] = {
        {"id", COLUMN_TEXT},      {"connection", COLUMN_TEXT}, {"kind", COLUMN_TEXT},
        {"record", COLUMN_TEXT},  {"remote_id", COLUMN_TEXT},  {"stage", COLUMN_TEXT},
        {"reason", COLUMN_TEXT},  {"field", COLUMN_TEXT},      {"tries", COLUMN_TEXT},
        {"message", COLUMN_TEXT}, {"try", COLUMN_TEXT},        {0}};
    bool all = false;
    int count;
    const struct option_spec options[] = {
        {.name = "all", .help = "also the discarded ones", .type = OPTION_FLAG, .target = &all},
        {0}};
    const struct usage usage = {.synopsis = "crmsync failures list [options]",
                                .about = "Lists records that were set aside: why, and what to do. "
                                         "They do not hold up the others.",
                                .options = options,
                                .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return list_rows(cli, "crmsync failures",
                     all ? STR("/api/crm/failures?all=true") : STR("/api/crm/failures"), COLUMNS,
                     "nothing is set aside");
}

static enum fail settle_failure(struct door *door, int64_t id, bool retry, struct error *err)
{
    json_t *nothing;
    struct str path = arena_printf(door_arena(door), "/api/crm/failures/%lld/%s", (long long)id,
                                   retry ? "retry" : "discard");

    return door_ask(door, HTTP_POST, path, NULL, &nothing, err);
}

/* Those that every sync looks at by itself are not retried. */
static enum fail settle_all(struct door *door, bool retry, size_t *ret_done, struct error *err)
{
    json_t *rows;

    if (door_list(door, STR("/api/crm/failures"), LISTED_MAX, &rows, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (retry && !json_is_true(jx_get(row, "waits_for_retry"))) {
            continue;
        }
        if (settle_failure(door, listing_number(row, "id"), retry, err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

static enum fail settle_some(struct door *door, bool retry, const int64_t *ids, size_t count,
                             size_t *ret_done, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (settle_failure(door, ids[i], retry, err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

static int retry_or_discard(struct cli *cli, int argc, char **argv, const struct usage *usage,
                            const bool *all, bool retry)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    int64_t ids[64];
    size_t done = 0;
    int count;
    enum parsed parsed = options_parse(cli, usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (*all == (count > 0) || count > (int)COUNT_OF(ids)) {
        return usage_error(usage, "give numbers of the list (at most %zu), or --all",
                           COUNT_OF(ids));
    }
    for (int i = 0; i < count; i++) {
        if (!read_id(usage, argv[1 + i], &ids[i])) {
            return EXIT_USAGE;
        }
    }
    if (door_open(cli, STORE_WRITE, retry ? "crmsync failures retry" : "crmsync failures discard",
                  &door, &err) != OK ||
        (*all ? settle_all(door, retry, &done, &err)
              : settle_some(door, retry, ids, (size_t)count, &done, &err)) != OK) {
        return cli_fail(cli, &err);
    }
    printf(retry ? "%zu will be tried again by the next sync\n" : "%zu discarded\n", done);
    return EXIT_DONE;
}

static int verb_failures_retry(struct cli *cli, int argc, char **argv)
{
    bool all = false;
    const struct option_spec options[] = {
        {.name = "all", .help = "every one that is open", .type = OPTION_FLAG, .target = &all},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync failures retry ID … | --all",
        .about = "Lets records that were set aside be tried again by the next sync.",
        .options = options,
        .arguments_max = -1,
        .takes_server = true};

    return retry_or_discard(cli, argc, argv, &usage, &all, true);
}

static int verb_failures_discard(struct cli *cli, int argc, char **argv)
{
    bool all = false;
    const struct option_spec options[] = {
        {.name = "all", .help = "every one that is open", .type = OPTION_FLAG, .target = &all},
        {0}};
    const struct usage usage = {.synopsis = "crmsync failures discard ID … | --all",
                                .about =
                                    "Drops entries from the list. The record stays as it is on "
                                    "each side; it comes up again when it changes and fails\n"
                                    "again.",
                                .options = options,
                                .arguments_max = -1,
                                .takes_server = true};

    return retry_or_discard(cli, argc, argv, &usage, &all, false);
}

int command_failures(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"list", "list what was set aside, and why", verb_failures_list},
        {"retry", "try again with the next sync", verb_failures_retry},
        {"discard", "drop from the list", verb_failures_discard},
        {0}};

    return verbs_run(
        cli, "failures",
        "Records that could not be handled. They wait here, visible, while all others flow.", VERBS,
        argc, argv);
}
