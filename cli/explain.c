/* crmsync explain: where the values of a record came from, by which rule, and what each side holds. */
#include <stdio.h>

#include "cli/door.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "core/jx.h"

static void print_losers(struct arena *arena, const json_t *losers)
{
    for (size_t i = 0; i < json_array_size(losers); i++) {
        const json_t *loser = json_array_get(losers, i);

        printf("      lost      %" PRI_STR "  (%" PRI_STR ", %" PRI_STR ")\n",
               STR_ARG(listing_value(arena, jx_get(loser, "value"))),
               STR_ARG(listing_text(loser, "rule")),
               STR_ARG(listing_time(arena, jx_get(loser, "at"))));
    }
}

static void print_field(struct arena *arena, const json_t *field)
{
    json_t *value;
    const char *name;

    printf("  %" PRI_STR " = %" PRI_STR "\n", STR_ARG(listing_text(field, "field")),
           STR_ARG(listing_value(arena, jx_get(field, "value"))));
    if (jx_get(field, "source")) {
        printf("      from      %" PRI_STR ", rule '%" PRI_STR "', changed %" PRI_STR
               "%s, run %lld\n",
               STR_ARG(listing_text(field, "source")), STR_ARG(listing_text(field, "rule")),
               STR_ARG(listing_time(arena, jx_get(field, "changed_at"))),
               json_is_true(jx_get(field, "time_is_exact")) ? "" : " (time of the record)",
               (long long)listing_number(field, "run"));
    }
    json_object_foreach(jx_get(field, "agreed"), name, value)
    {
        printf("      %-10s %" PRI_STR "\n", name, STR_ARG(listing_value(arena, value)));
    }
    print_losers(arena, jx_get(field, "lost"));
}

static void print_explanation(struct arena *arena, const json_t *tree)
{
    const json_t *record = jx_get(tree, "record"), *fields = jx_get(tree, "items");
    struct str part = select_text(arena, jx_get(record, "part"));

    printf("%" PRI_STR " %" PRI_STR " (%" PRI_STR "), version %lld\n",
           STR_ARG(listing_text(record, "kind")), STR_ARG(listing_text(record, "id")),
           STR_ARG(listing_text(record, "title")), (long long)listing_number(record, "version"));
    for (size_t i = 0; i < json_array_size(fields); i++) {
        print_field(arena, json_array_get(fields, i));
    }
    if (part.len) {
        printf("  takes part: %" PRI_STR "\n", STR_ARG(part));
    }
}

/* argv: kind, id, and perhaps a field. */
static struct str target_of(struct door *door, char **argv, int count)
{
    return arena_printf(
        door_arena(door), "/api/crm/records/%" PRI_STR "/%" PRI_STR "/explain%s%" PRI_STR,
        STR_ARG(door_word(door, argv[0])), STR_ARG(door_word(door, argv[1])),
        count == 3 ? "?field=" : "", STR_ARG(count == 3 ? door_word(door, argv[2]) : STR("")));
}

int command_explain(struct cli *cli, int argc, char **argv)
{
    AUTO_DOOR struct door *door = NULL;
    struct error err = {0};
    json_t *tree;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync explain KIND ID [FIELD]",
        .about = "Says for each field of a record (or one): its value, where and when it came "
                 "from, by which rule, what each\n"
                 "CRM held at the last agreement, and every value that lost against it.",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 3,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (door_open(cli, STORE_READ, "crmsync explain", &door, &err) != OK ||
        door_ask(door, HTTP_GET, target_of(door, argv + 1, count), NULL, &tree, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        print_json(json_incref(jx_get(tree, "items")));
    } else {
        print_explanation(door_arena(door), tree);
    }
    return EXIT_DONE;
}
