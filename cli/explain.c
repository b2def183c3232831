/* crmsync explain: where the values of a record came from, by which rule, and what each side holds. */
#include <stdio.h>

#include "cli/find.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "store/link.h"

enum { ENTRIES_MAX = 100000 };

struct explanation {
    struct cli *cli;
    struct wire *wire;
    struct tx *tx;
    struct store_record record;
    struct store_link *links;
    size_t links_count;
    struct journal_entry *entries; /* newest first */
    size_t entries_count;
};

/* The entry that gave the field its present value. */
static const struct journal_change *origin(const struct explanation *e, struct str field,
                                           const struct journal_entry **ret_entry)
{
    for (size_t i = 0; i < e->entries_count; i++) {
        for (size_t k = 0; k < e->entries[i].changes_count; k++) {
            const struct journal_change *change = &e->entries[i].changes[k];

            if (e->entries[i].cause != CAUSE_PUSH && str_equal(change->field, field) &&
                !value_equal(&change->from, &change->to)) {
                *ret_entry = &e->entries[i];
                return change;
            }
        }
    }
    return NULL;
}

static json_t *json_sides(const struct explanation *e, struct str field)
{
    json_t *sides = json_object();

    for (size_t i = 0; i < e->links_count; i++) {
        char name[64];

        snprintf(name, sizeof name, "%" PRI_STR,
                 STR_ARG(find_connection_name(e->wire, e->tx, e->links[i].connection_id)));
        json_object_set_new(sides, name, json_value(fields_get(&e->links[i].base.remote, field)));
    }
    return sides;
}

static json_t *json_losers(const struct explanation *e, struct str field)
{
    json_t *losers = json_array();

    for (size_t i = 0; i < e->entries_count; i++) {
        for (size_t k = 0; k < e->entries[i].changes_count; k++) {
            const struct journal_change *change = &e->entries[i].changes[k];

            if (str_equal(change->field, field) && change->lost.state != VALUE_ABSENT) {
                json_array_append_new(
                    losers, json_pack("{s:o,s:o,s:o,s:o}", "value", json_value(&change->lost), "at",
                                      json_time(e->entries[i].at_ms), "rule",
                                      json_text(change->rule), "against", json_value(&change->to)));
            }
        }
    }
    return losers;
}

static json_t *json_field(const struct explanation *e, const struct field *field)
{
    const struct journal_entry *entry = NULL;
    const struct journal_change *change = origin(e, field->name, &entry);
    json_t *body =
        json_pack("{s:o,s:o}", "field", json_text(field->name), "value", json_value(&field->value));

    if (change) {
        json_object_set_new(body, "source",
                            json_text(find_connection_name(e->wire, e->tx, entry->connection_id)));
        json_object_set_new(body, "rule", json_text(change->rule));
        json_object_set_new(body, "changed_at", json_time(change->changed_ms));
        json_object_set_new(body, "time_is_exact", json_boolean(change->time_is_exact));
        json_object_set_new(body, "seen_at", json_time(entry->at_ms));
        json_object_set_new(body, "run", json_integer(entry->run_id));
    }
    json_object_set_new(body, "agreed", json_sides(e, field->name));
    json_object_set_new(body, "lost", json_losers(e, field->name));
    return body;
}

static void print_losers(const struct explanation *e, struct str field)
{
    struct arena *arena = &e->wire->arena;

    for (size_t i = 0; i < e->entries_count; i++) {
        for (size_t k = 0; k < e->entries[i].changes_count; k++) {
            const struct journal_change *change = &e->entries[i].changes[k];

            if (str_equal(change->field, field) && change->lost.state != VALUE_ABSENT) {
                printf("      lost      %" PRI_STR "  (%" PRI_STR ", %" PRI_STR ")\n",
                       STR_ARG(value_text(arena, &change->lost)), STR_ARG(change->rule),
                       STR_ARG(time_text(arena, e->entries[i].at_ms)));
            }
        }
    }
}

static void print_field(const struct explanation *e, const struct field *field)
{
    struct arena *arena = &e->wire->arena;
    const struct journal_entry *entry = NULL;
    const struct journal_change *change = origin(e, field->name, &entry);

    printf("  %" PRI_STR " = %" PRI_STR "\n", STR_ARG(field->name),
           STR_ARG(value_text(arena, &field->value)));
    if (change) {
        printf("      from      %" PRI_STR ", rule '%" PRI_STR "', changed %" PRI_STR
               "%s, run %lld\n",
               STR_ARG(find_connection_name(e->wire, e->tx, entry->connection_id)),
               STR_ARG(change->rule), STR_ARG(time_text(arena, change->changed_ms)),
               change->time_is_exact ? "" : " (time of the record)", (long long)entry->run_id);
    }
    for (size_t i = 0; i < e->links_count; i++) {
        printf("      %-10" PRI_STR " %" PRI_STR "\n",
               STR_ARG(find_connection_name(e->wire, e->tx, e->links[i].connection_id)),
               STR_ARG(value_text(arena, fields_get(&e->links[i].base.remote, field->name))));
    }
    print_losers(e, field->name);
}

static void show(const struct explanation *e, struct str only)
{
    json_t *list = json_array();

    if (!e->cli->json) {
        printf("%" PRI_STR " %" PRI_STR " (%" PRI_STR "), version %lld\n", STR_ARG(e->record.kind),
               STR_ARG(e->record.uuid), STR_ARG(record_title(&e->wire->arena, &e->record)),
               (long long)e->record.version);
    }
    for (size_t i = 0; i < e->record.fields.count; i++) {
        const struct field *field = &e->record.fields.at[i];

        if (only.len && !str_equal(only, field->name)) {
            continue;
        }
        if (e->cli->json) {
            json_array_append_new(list, json_field(e, field));
        } else {
            print_field(e, field);
        }
    }
    if (e->cli->json) {
        print_json(list);
    } else {
        json_decref(list);
    }
}

/* Where the record takes no part, or a person said whether it does. */
static enum fail print_part(const struct explanation *e, struct error *err)
{
    struct str part;

    if (select_text(e->wire, e->tx, e->record.id, &part, err) != OK) {
        return err->code;
    }
    if (part.len) {
        printf("  takes part: %" PRI_STR "\n", STR_ARG(part));
    }
    return OK;
}

static enum fail explain(struct cli *cli, struct wire *wire, const char *kind_name,
                         const char *which, struct str field, struct error *err)
{
    struct explanation e = {.cli = cli, .wire = wire};
    const struct kind *kind;

    if (find_kind(wire, str_of(kind_name), &kind, err) != OK) {
        return err->code;
    }
    if (field.len && !kind_field_by_name(kind, field)) {
        return error_set(err, FAIL_CONFIG, "kind '%s' has no field '%" PRI_STR "'", kind_name,
                         STR_ARG(field));
    }
    if (wire_begin(wire, &e.tx, err) != OK ||
        find_record(wire, e.tx, kind, str_of(which), &e.record, err) != OK ||
        links_of_record(e.tx, e.record.id, &wire->arena, &e.links, &e.links_count, err) != OK ||
        journal_of_record(e.tx, e.record.id, 0, ENTRIES_MAX, &wire->arena, &e.entries,
                          &e.entries_count, err) != OK) {
        tx_abort(&e.tx);
        return err->code;
    }
    show(&e, field);
    if (!cli->json && print_part(&e, err) != OK) {
        tx_abort(&e.tx);
        return err->code;
    }
    return tx_commit(&e.tx, err);
}

int command_explain(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync explain KIND ID [FIELD]",
        .about = "Says for each field of a record (or one): its value, where and when it came "
                 "from, by which rule, what each\n"
                 "CRM held at the last agreement, and every value that lost against it.",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 3};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync explain", &wire, &err) != OK ||
        explain(cli, &wire, argv[1], argv[2], count == 3 ? str_of(argv[3]) : STR(""), &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}
