/* crmsync conflicts list|show|resolve and failures list|retry|discard */
#include <stdio.h>

#include "cli/find.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"

enum { LISTED_MAX = 100000 };

static struct str title_of(struct wire *wire, struct tx *tx, int64_t record_id)
{
    struct store_record record;
    struct error err = {0};
    bool found = false;

    if (record_id == 0 || record_by_id(tx, record_id, &wire->arena, &record, &found, &err) != OK ||
        !found) {
        return STR("");
    }
    return record_title(&wire->arena, &record);
}

static void add_conflict(struct wire *wire, struct tx *tx, struct table *table,
                         const struct store_conflict *conflict)
{
    static const char *const STATES[] = {"open", "resolved", "closed"};

    table_row(table);
    table_number(table, conflict->id);
    table_number(table, conflict->version);
    table_text(table, str_of(STATES[conflict->state]));
    table_text(table, conflict->kind);
    table_text(table, title_of(wire, tx, conflict->record_id));
    table_text(table, find_connection_name(wire, tx, conflict->connection_id));
    table_text(table, conflict->type == CONFLICT_DELETE ? STR("(deleted there, edited here)")
                                                        : conflict->field);
    table_text(table, value_text(&wire->arena, &conflict->hub));
    table_text(table, value_text(&wire->arena, &conflict->remote));
    table_text(table, value_text(&wire->arena, &conflict->base));
}

static const char *const CONFLICT_NAMES[] = {"id",     "version",    "state", "kind",
                                             "record", "connection", "field", "here",
                                             "there",  "before",     NULL};

static enum fail list_conflicts(struct cli *cli, struct wire *wire, bool all, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_conflict *conflicts;
    struct table *table;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK ||
        conflict_list(tx, all, 0, LISTED_MAX, &wire->arena, &conflicts, &count, err) != OK) {
        return err->code;
    }
    table = table_new(cli, CONFLICT_NAMES);
    for (size_t i = 0; i < count; i++) {
        add_conflict(wire, tx, table, &conflicts[i]);
    }
    table_print(table, "no conflicts wait");
    return tx_commit(&tx, err);
}

static int verb_conflicts_list(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
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
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync conflicts", &wire, &err) != OK ||
        list_conflicts(cli, &wire, all, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

static bool read_id(const struct usage *usage, const char *text, int64_t *ret)
{
    if (!str_to_i64(str_of(text), ret) || *ret < 1) {
        usage_error(usage, "'%s' is no number of a list", text);
        return false;
    }
    return true;
}

static enum fail show_conflict(struct cli *cli, struct wire *wire, int64_t id, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_conflict conflict;
    bool found;
    struct arena *arena = &wire->arena;

    if (wire_begin(wire, &tx, err) != OK ||
        conflict_by_id(tx, id, arena, &conflict, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no conflict %lld", (long long)id);
        return error_hint(err, "list them with 'crmsync conflicts list'");
    }
    if (cli->json) {
        struct table *table = table_new(cli, CONFLICT_NAMES);

        add_conflict(wire, tx, table, &conflict);
        table_print(table, "");
        return tx_commit(&tx, err);
    }
    printf("conflict %lld, version %lld: %" PRI_STR " '%" PRI_STR "' against %" PRI_STR "\n",
           (long long)conflict.id, (long long)conflict.version, STR_ARG(conflict.kind),
           STR_ARG(title_of(wire, tx, conflict.record_id)),
           STR_ARG(find_connection_name(wire, tx, conflict.connection_id)));
    if (conflict.type == CONFLICT_DELETE) {
        printf("  deleted there (seen %" PRI_STR "), edited here since\n"
               "  resolve: --hub keeps the record here, --remote deletes it\n",
               STR_ARG(time_text(arena, conflict.remote_changed_ms)));
    } else {
        printf("  field   %" PRI_STR "\n  before  %" PRI_STR "\n  here    %" PRI_STR "   (%" PRI_STR
               ")\n  there   %" PRI_STR "   (%" PRI_STR
               ")\n  resolve: crmsync conflicts resolve %lld --version %lld --hub | --remote | "
               "--value TEXT\n",
               STR_ARG(conflict.field), STR_ARG(value_text(arena, &conflict.base)),
               STR_ARG(value_text(arena, &conflict.hub)),
               STR_ARG(time_text(arena, conflict.hub_changed_ms)),
               STR_ARG(value_text(arena, &conflict.remote)),
               STR_ARG(time_text(arena, conflict.remote_changed_ms)), (long long)conflict.id,
               (long long)conflict.version);
    }
    return tx_commit(&tx, err);
}

static int verb_conflicts_show(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int64_t id;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync conflicts show ID",
                                .about = "Shows a conflict: what the field was, what it is here "
                                         "and there, and how to resolve it.",
                                .options = options,
                                .arguments_min = 1,
                                .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (!read_id(&usage, argv[1], &id)) {
        return EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync conflicts", &wire, &err) != OK ||
        show_conflict(cli, &wire, id, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

/* The typed value in normal form of the conflict's field. */
static enum fail value_of_field(struct wire *wire, int64_t id, struct str text, struct value *ret,
                                struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_conflict conflict;
    const struct kind *kind;
    const struct kind_field *field;
    bool found;

    if (wire_begin(wire, &tx, err) != OK ||
        conflict_by_id(tx, id, &wire->arena, &conflict, &found, err) != OK) {
        return err->code;
    }
    kind = found ? kind_by_name(&wire->config.kinds, conflict.kind) : NULL;
    field = kind ? kind_field_by_name(kind, conflict.field) : NULL;
    if (!field) {
        error_set(err, FAIL_RECORD, "conflict %lld has no field that takes a value", (long long)id);
        return error_hint(err, "resolve it with --hub or --remote");
    }
    if (text.len == 0) {
        *ret = VALUE_NONE;
    } else if (field_value_parse(field, text, &wire->arena, ret, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* What a person decided, about one conflict or all that fit. */
struct decision {
    bool hub, remote, all;
    struct str text; /* --value; at NULL: none */
    struct str kind, field, connection;
    int64_t id, version;
};

static enum fail resolve_one(struct wire *wire, const struct decision *decision, int64_t id,
                             int64_t version, struct error *err)
{
    struct edit edit = wire_edit(wire);
    struct value value = {0};

    if (decision->text.at && value_of_field(wire, id, decision->text, &value, err) != OK) {
        return err->code;
    }
    return resolve_conflict(&edit, id, version,
                            decision->hub      ? RESOLVE_HUB
                            : decision->remote ? RESOLVE_REMOTE
                                               : RESOLVE_VALUE,
                            &value, err);
}

static enum fail all_open(struct wire *wire, struct store_conflict **ret, size_t *ret_count,
                          int64_t *ret_connection_id, struct str connection, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row = {0};
    bool found = true;

    if (wire_begin(wire, &tx, err) != OK ||
        conflict_list(tx, false, 0, LISTED_MAX, &wire->arena, ret, ret_count, err) != OK ||
        (connection.len &&
         connection_by_name(tx, connection, &wire->arena, &row, &found, err) != OK)) {
        return err->code;
    }
    *ret_connection_id = found ? row.id : -1;
    return tx_commit(&tx, err);
}

/* Delete conflicts have no field and no value: only --hub and --remote without --field reach them. */
static bool fits(const struct decision *decision, const struct store_conflict *conflict,
                 int64_t connection_id)
{
    if (conflict->type == CONFLICT_DELETE && (decision->field.len || decision->text.at)) {
        return false;
    }
    return (decision->kind.len == 0 || str_equal(conflict->kind, decision->kind)) &&
           (decision->field.len == 0 || str_equal(conflict->field, decision->field)) &&
           (connection_id == 0 || conflict->connection_id == connection_id);
}

static enum fail resolve_all(struct wire *wire, const struct decision *decision, size_t *ret_done,
                             struct error *err)
{
    struct store_conflict *conflicts;
    size_t count;
    int64_t connection_id;

    if (all_open(wire, &conflicts, &count, &connection_id, decision->connection, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (!fits(decision, &conflicts[i], connection_id)) {
            continue;
        }
        if (resolve_one(wire, decision, conflicts[i].id, conflicts[i].version, err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

/* Names that do not exist would quietly fit nothing. */
static enum fail check_names(struct wire *wire, const struct decision *decision, struct error *err)
{
    const struct kind *kind = NULL;
    size_t index;

    if ((decision->connection.len && wire_find(wire, decision->connection, &index, err) != OK) ||
        (decision->kind.len && find_kind(wire, decision->kind, &kind, err) != OK)) {
        return err->code;
    }
    if (kind && decision->field.len && !kind_field_by_name(kind, decision->field)) {
        return error_set(err, FAIL_CONFIG, "kind '%" PRI_STR "' has no field '%" PRI_STR "'",
                         STR_ARG(kind->name), STR_ARG(decision->field));
    }
    return OK;
}

static int run_resolve(struct cli *cli, const struct decision *decision)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    size_t done = 0;

    if (wire_store(cli, STORE_WRITE, "crmsync conflicts resolve", &wire, &err) != OK ||
        check_names(&wire, decision, &err) != OK ||
        (decision->all
             ? resolve_all(&wire, decision, &done, &err)
             : resolve_one(&wire, decision, decision->id, decision->version, &err)) != OK) {
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
        .arguments_max = 1};
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

static enum fail list_failures(struct cli *cli, struct wire *wire, bool all, struct error *err)
{
    static const char *const NAMES[] = {"id",        "connection", "kind",   "record",
                                        "remote_id", "stage",      "reason", "field",
                                        "tries",     "message",    "try",    NULL};
    AUTO_TX struct tx *tx = NULL;
    struct store_failure *failures;
    struct table *table;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK ||
        failure_list(tx, all, 0, LISTED_MAX, &wire->arena, &failures, &count, err) != OK) {
        return err->code;
    }
    table = table_new(cli, NAMES);
    for (size_t i = 0; i < count; i++) {
        const struct store_failure *failure = &failures[i];

        table_row(table);
        table_number(table, failure->id);
        table_text(table, find_connection_name(wire, tx, failure->connection_id));
        table_text(table, failure->kind);
        table_text(table, title_of(wire, tx, failure->record_id));
        table_text(table, failure->remote_id);
        table_text(table, failure->stage);
        table_text(table, failure->reason);
        table_text(table, failure->field);
        table_number(table, failure->attempts);
        table_text(table, failure->message);
        table_text(table, failure->hint);
    }
    table_print(table, "nothing is set aside");
    return tx_commit(&tx, err);
}

static int verb_failures_list(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    bool all = false;
    int count;
    const struct option_spec options[] = {
        {.name = "all", .help = "also the discarded ones", .type = OPTION_FLAG, .target = &all},
        {0}};
    const struct usage usage = {.synopsis = "crmsync failures list [options]",
                                .about = "Lists records that were set aside: why, and what to do. "
                                         "They do not hold up the others.",
                                .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync failures", &wire, &err) != OK ||
        list_failures(cli, &wire, all, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

static enum fail all_failures(struct wire *wire, struct store_failure **ret, size_t *ret_count,
                              struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK ||
        failure_list(tx, false, 0, LISTED_MAX, &wire->arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail discard_failure(struct wire *wire, int64_t id, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_failure failure;
    bool found;

    if (wire_begin(wire, &tx, err) != OK ||
        failure_by_id(tx, id, &wire->arena, &failure, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no failure %lld", (long long)id);
        return error_hint(err, "list them with 'crmsync failures list'");
    }
    if (failure_discard(tx, id, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail settle_failure(struct wire *wire, int64_t id, bool retry, struct error *err)
{
    struct edit edit = wire_edit(wire);

    return retry ? retry_failure(&edit, id, err) : discard_failure(wire, id, err);
}

/* ID … or --all. */
static enum fail settle_failures(struct wire *wire, bool all, bool retry, const int64_t *ids,
                                 size_t count, size_t *ret_done, struct error *err)
{
    struct store_failure *failures = NULL;
    size_t all_count = 0;

    if (all && all_failures(wire, &failures, &all_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < (all ? all_count : count); i++) {
        if (all && retry && !failure_waits_for_retry(&failures[i])) {
            continue;
        }
        if (settle_failure(wire, all ? failures[i].id : ids[i], retry, err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}

static int retry_or_discard(struct cli *cli, int argc, char **argv, const struct usage *usage,
                            const bool *all, bool retry)
{
    AUTO_WIRE struct wire wire = {0};
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
    if (wire_store(cli, STORE_WRITE, retry ? "crmsync failures retry" : "crmsync failures discard",
                   &wire, &err) != OK ||
        settle_failures(&wire, *all, retry, ids, (size_t)count, &done, &err) != OK) {
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
        .arguments_max = -1};

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
                                .arguments_max = -1};

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
