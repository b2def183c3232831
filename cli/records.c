/* crmsync records list|get|create|update|delete|search|history */
#include <inttypes.h>
#include <stdio.h>

#include "api/selecting.h"
#include "cli/find.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/verbs.h"
#include "store/link.h"

enum { PAGE = 200, LIMIT_MAX = 1000000 };

static struct table *records_table(const struct cli *cli)
{
    static const char *const NAMES[] = {"id",      "name",    "email", "phone",
                                        "version", "updated", "part",  NULL};

    return table_new(cli, NAMES);
}

static void add_record(struct wire *wire, struct table *table, const struct store_record *record,
                       struct str part)
{
    const struct value *email = fields_get(&record->fields, STR("email"));
    const struct value *phone = fields_get(&record->fields, STR("phone"));
    const struct value *domain = fields_get(&record->fields, STR("domain"));

    table_row(table);
    table_text(table, record->uuid);
    table_text(table, record_title(&wire->arena, record));
    table_text(table, value_text(&wire->arena, email->state == VALUE_ABSENT ? domain : email));
    table_text(table, value_text(&wire->arena, phone));
    table_number(table, record->version);
    table_text(table, time_text(&wire->arena, record->updated_ms));
    table_text(table, part);
}

static json_t *json_links(struct wire *wire, struct tx *tx, const struct store_link *links,
                          size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            list, json_pack("{s:o,s:o,s:s}", "connection",
                            json_text(find_connection_name(wire, tx, links[i].connection_id)),
                            "remote_id", json_text(links[i].remote_id), "state",
                            link_state_name(links[i].state)));
    }
    return list;
}

/* One record of a listing: into the list (JSON) or the table. */
static enum fail show_record(struct wire *wire, struct tx *tx, json_t *list, struct table *table,
                             const struct store_record *record, bool with_part, struct error *err)
{
    struct str part = STR("");
    struct store_link *links;
    size_t links_count;
    json_t *body, *parts = NULL;

    if (!list) {
        if (with_part && select_text(wire, tx, record->id, &part, err) != OK) {
            return err->code;
        }
        add_record(wire, table, record, part);
        return OK;
    }
    if (links_of_record(tx, record->id, &wire->arena, &links, &links_count, err) != OK ||
        (with_part && selection_rows(tx, record->id, &wire->arena, &parts, err) != OK)) {
        json_decref(parts);
        return err->code;
    }
    body = json_record(record);
    json_object_set_new(body, "links", json_links(wire, tx, links, links_count));
    json_object_set_new(body, "part", parts ? parts : json_array());
    json_array_append_new(list, body);
    return OK;
}

/* Pages through a listing (text "" = all, else a search); JSON gives whole records. */
static enum fail list_pages(struct cli *cli, struct wire *wire, const struct kind *kind,
                            struct str text, int64_t limit, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct table *table = cli->json ? NULL : records_table(cli);
    json_t *list = cli->json ? json_array() : NULL;
    int64_t after_id = 0;
    bool with_part;

    if (wire_begin(wire, &tx, err) != OK ||
        selection_is_used(tx, &wire->config.settings, &with_part, err) != OK) {
        return err->code;
    }
    while (limit > 0) {
        size_t want = limit < PAGE ? (size_t)limit : PAGE;
        struct store_record *records;
        size_t count;

        if ((text.len ? record_search(tx, kind->name, text, after_id, want, &wire->arena, &records,
                                      &count, err)
                      : record_list(tx, kind->name, after_id, want, &wire->arena, &records, &count,
                                    err)) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            if (show_record(wire, tx, list, table, &records[i], with_part, err) != OK) {
                return err->code;
            }
            after_id = records[i].id;
        }
        limit -= (int64_t)count;
        if (count < want) {
            break;
        }
    }
    if (cli->json) {
        print_json(list);
    } else {
        table_print(table, "no records");
    }
    return tx_commit(&tx, err);
}

static int list_or_search(struct cli *cli, const struct usage *usage, int argc, char **argv,
                          int64_t *limit, bool is_search)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    const struct kind *kind;
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
    if (wire_store(cli, STORE_READ, "crmsync records", &wire, &err) != OK ||
        find_kind(&wire, str_of(argv[1]), &kind, &err) != OK ||
        list_pages(cli, &wire, kind, is_search ? str_of(argv[2]) : STR(""), *limit, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
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
        .arguments_max = 1};

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
                                .arguments_max = 2};

    return list_or_search(cli, &usage, argc, argv, &limit, true);
}

static void print_links(struct wire *wire, struct tx *tx, const struct store_link *links,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("  linked to %" PRI_STR " %" PRI_STR " (%s%s)\n",
               STR_ARG(find_connection_name(wire, tx, links[i].connection_id)),
               STR_ARG(links[i].remote_id), link_state_name(links[i].state),
               links[i].is_resting ? ", resting" : "");
    }
}

static void print_record(struct wire *wire, struct tx *tx, const struct store_record *record,
                         const struct store_link *links, size_t count)
{
    printf("%" PRI_STR " %" PRI_STR "  version %" PRId64 "  %s\n", STR_ARG(record->kind),
           STR_ARG(record->uuid), record->version, record_state_name(record->state));
    for (size_t i = 0; i < record->fields.count; i++) {
        printf("  %-18" PRI_STR " %" PRI_STR "\n", STR_ARG(record->fields.at[i].name),
               STR_ARG(value_text(&wire->arena, &record->fields.at[i].value)));
    }
    print_links(wire, tx, links, count);
}

static enum fail get_record(struct cli *cli, struct wire *wire, const char *kind_name,
                            const char *which, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct kind *kind;
    struct store_record record;
    struct store_link *links;
    size_t count;

    if (find_kind(wire, str_of(kind_name), &kind, err) != OK || wire_begin(wire, &tx, err) != OK ||
        find_record(wire, tx, kind, str_of(which), &record, err) != OK ||
        links_of_record(tx, record.id, &wire->arena, &links, &count, err) != OK) {
        return err->code;
    }
    if (cli->json) {
        json_t *body = json_record(&record);

        json_object_set_new(body, "links", json_links(wire, tx, links, count));
        print_json(body);
    } else {
        print_record(wire, tx, &record, links, count);
    }
    return tx_commit(&tx, err);
}

static int verb_get(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync records get KIND ID",
                                .about = "Shows one record with its links. ID: the record's id, "
                                         "its beginning (8 characters or more), or a value it is\n"
                                         "recognised by (an e-mail address, a domain).",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync records", &wire, &err) != OK ||
        get_record(cli, &wire, argv[1], argv[2], &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

static void print_written(struct cli *cli, const struct store_record *record, const char *done)
{
    if (cli->json) {
        print_json(json_record(record));
    } else {
        printf("%s %" PRI_STR " %" PRI_STR " (version %" PRId64
               "); the next sync carries it to the CRMs\n",
               done, STR_ARG(record->kind), STR_ARG(record->uuid), record->version);
    }
}

static int verb_create(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    const struct kind *kind;
    struct fields fields;
    struct store_record record;
    struct edit edit;
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
        .arguments_max = -1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync records create", &wire, &err) != OK ||
        find_kind(&wire, str_of(argv[1]), &kind, &err) != OK ||
        find_assignments(&wire, kind, argv + 2, count - 1, &fields, &err) != OK) {
        return cli_fail(cli, &err);
    }
    edit = wire_edit(&wire);
    if (edit_create(&edit, kind, &fields, allow_duplicate, &wire.arena, &record, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_written(cli, &record, "created");
    return EXIT_DONE;
}

/* Resolves the record in a transaction of its own: the edit that follows has its own, and checks the version. */
static enum fail find_for_edit(struct wire *wire, const char *kind_name, const char *which,
                               const struct kind **ret_kind, struct store_record *ret,
                               struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (find_kind(wire, str_of(kind_name), ret_kind, err) != OK ||
        wire_begin(wire, &tx, err) != OK ||
        find_record(wire, tx, *ret_kind, str_of(which), ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static int verb_update(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    const struct kind *kind;
    struct fields changes;
    struct store_record record;
    struct edit edit;
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
        .arguments_max = -1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync records update", &wire, &err) != OK ||
        find_for_edit(&wire, argv[1], argv[2], &kind, &record, &err) != OK ||
        find_assignments(&wire, kind, argv + 3, count - 2, &changes, &err) != OK) {
        return cli_fail(cli, &err);
    }
    edit = wire_edit(&wire);
    if (edit_update(&edit, record.uuid, &changes, version, &wire.arena, &record, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_written(cli, &record, "updated");
    return EXIT_DONE;
}

static int verb_delete(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    const struct kind *kind;
    struct store_record record;
    struct edit edit;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync records delete KIND ID",
                                .about = "Deletes a record in the store. The next sync archives "
                                         "its objects at connections with 'deletes: archive' and\n"
                                         "ends the link at the others.",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync records delete", &wire, &err) != OK ||
        find_for_edit(&wire, argv[1], argv[2], &kind, &record, &err) != OK) {
        return cli_fail(cli, &err);
    }
    edit = wire_edit(&wire);
    if (edit_delete(&edit, record.uuid, 0, &err) != OK) {
        return cli_fail(cli, &err);
    }
    printf("deleted %" PRI_STR " %" PRI_STR "\n", STR_ARG(record.kind), STR_ARG(record.uuid));
    return EXIT_DONE;
}

static void add_change(struct wire *wire, struct tx *tx, struct table *table,
                       const struct journal_entry *entry, const struct journal_change *change)
{
    table_row(table);
    table_text(table, time_text(&wire->arena, entry->at_ms));
    table_number(table, entry->record_version);
    table_text(table, find_connection_name(wire, tx, entry->connection_id));
    table_text(table, str_of(journal_cause_name(entry->cause)));
    table_text(table, change ? change->field : STR(""));
    table_text(table, change ? value_text(&wire->arena, &change->from) : STR(""));
    table_text(table, change ? value_text(&wire->arena, &change->to) : STR(""));
    table_text(table, change ? change->rule : STR(""));
    table_text(table, change && change->lost.state != VALUE_ABSENT
                          ? value_text(&wire->arena, &change->lost)
                          : STR(""));
}

static enum fail show_history(struct cli *cli, struct wire *wire, const char *kind_name,
                              const char *which, struct error *err)
{
    static const char *const NAMES[] = {"at",   "version", "source", "cause", "field",
                                        "from", "to",      "rule",   "lost",  NULL};
    AUTO_TX struct tx *tx = NULL;
    const struct kind *kind;
    struct store_record record;
    struct journal_entry *entries;
    struct table *table;
    size_t count;

    if (find_kind(wire, str_of(kind_name), &kind, err) != OK || wire_begin(wire, &tx, err) != OK ||
        find_record(wire, tx, kind, str_of(which), &record, err) != OK ||
        journal_of_record(tx, record.id, 0, LIMIT_MAX, &wire->arena, &entries, &count, err) != OK) {
        return err->code;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].changes_count == 0) {
            add_change(wire, tx, table, &entries[i], NULL);
        }
        for (size_t k = 0; k < entries[i].changes_count; k++) {
            add_change(wire, tx, table, &entries[i], &entries[i].changes[k]);
        }
    }
    table_print(table, "no history");
    return tx_commit(&tx, err);
}

static int verb_history(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync records history KIND ID",
                                .about = "Shows every change of a record, newest first: from "
                                         "where, by which rule, and what lost.",
                                .options = options,
                                .arguments_min = 2,
                                .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync records", &wire, &err) != OK ||
        show_history(cli, &wire, argv[1], argv[2], &err) != OK) {
        return cli_fail(cli, &err);
    }
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
