/* crmsync audit: who did what, and whether the log of it is whole. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/wire.h"
#include "core/jx.h"
#include "core/when.h"
#include "core/words.h"
#include "store/audit.h"

struct audit_wish {
    bool verify;
    struct str since, anchor_text;
    int64_t since_ms, limit;
    struct audit_anchor anchor;
};

/* --- list ---------------------------------------------------------------------------------------------------- */

/* "account=42 kind=contact" */
static struct str details_text(struct arena *arena, struct str json)
{
    AUTO_BUF struct buf text = {0};
    struct error ignored = {0};
    struct fields fields;

    buf_init(&text, json.len + 1);
    if (fields_from_json(arena, json, &fields, &ignored) != OK) {
        return STR("cannot be read");
    }
    for (size_t i = 0; i < fields.count; i++) {
        buf_addf(&text, "%s%" PRI_STR "=%" PRI_STR, i ? " " : "", STR_ARG(fields.at[i].name),
                 STR_ARG(fields.at[i].value.text));
    }
    return arena_str(arena, buf_str(&text));
}

static json_t *entry_json(struct arena *arena, const struct audit_entry *entry)
{
    char hex[2 * SHA256_BYTES + 1];
    json_t *object = json_object();
    struct error ignored = {0};
    json_t *details = NULL;

    hex_encode(entry->digest, SHA256_BYTES, hex);
    json_object_set_new(object, "number", json_integer(entry->number));
    json_object_set_new(object, "at", json_time(entry->at_ms));
    json_object_set_new(object, "actor", json_text(entry->actor));
    json_object_set_new(object, "action", json_text(entry->action));
    json_object_set_new(object, "subject", json_text(entry->subject));
    if (jx_parse(arena, entry->details, &details, &ignored) == OK) {
        json_object_set(object, "details", details);
    }
    json_object_set_new(object, "sha256", json_string(hex));
    return object;
}

static void print_entries(struct wire *wire, const struct audit_entry *entries, size_t count)
{
    static const char *const NAMES[] = {"number",  "at",      "actor", "action",
                                        "subject", "details", NULL};
    struct table *table;

    if (wire->cli->json) {
        json_t *array = json_array();

        for (size_t i = 0; i < count; i++) {
            json_array_append_new(array, entry_json(&wire->arena, &entries[i]));
        }
        print_json(array);
        return;
    }
    table = table_new(wire->cli, NAMES);
    for (size_t i = 0; i < count; i++) {
        table_row(table);
        table_number(table, entries[i].number);
        table_text(table, time_text(&wire->arena, entries[i].at_ms));
        table_text(table, entries[i].actor);
        table_text(table, entries[i].action);
        table_text(table, entries[i].subject);
        table_text(table, details_text(&wire->arena, entries[i].details));
    }
    table_print(table, "nothing in the audit log");
}

static enum fail list_entries(struct wire *wire, const struct audit_wish *wish, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct audit_entry *entries;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK || audit_list(tx, wish->since_ms, 0, (size_t)wish->limit,
                                                       &wire->arena, &entries, &count, err) != OK) {
        return err->code;
    }
    print_entries(wire, entries, count);
    return tx_commit(&tx, err);
}

/* --- verify -------------------------------------------------------------------------------------------------- */

static void print_verdict(const struct cli *cli, const struct audit_verdict *verdict)
{
    char end[AUDIT_ANCHOR_TEXT_BYTES];

    audit_anchor_format(&verdict->end, end);
    if (cli->json) {
        print_json(json_pack("{s:b,s:I,s:s,s:o,s:o}", "whole", verdict->problem ? 0 : 1, "entries",
                             (json_int_t)verdict->entries, "anchor", end, "number",
                             verdict->number ? json_integer(verdict->number) : json_null(),
                             "problem",
                             verdict->problem ? json_string(verdict->problem) : json_null()));
    } else if (!verdict->problem) {
        printf("the audit log is whole: %lld entries\nanchor %s\n", (long long)verdict->entries,
               end);
    }
}

static enum fail verify(struct wire *wire, const struct audit_wish *wish, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct audit_verdict verdict;

    if (wire_begin(wire, &tx, err) != OK ||
        audit_verify(tx, wish->anchor_text.len ? &wish->anchor : NULL, &verdict, err) != OK ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    print_verdict(wire->cli, &verdict);
    if (!verdict.problem) {
        return OK;
    }
    error_set(err, FAIL_STOP, "the audit log is not whole: entry %lld %s",
              (long long)verdict.number, verdict.problem);
    return error_hint(err, "keep the file as it is, and compare it with the last backup "
                           "('crmsync audit' of a restored copy)");
}

/* --- the command --------------------------------------------------------------------------------------------- */

/* A time, or how long ago. */
static bool read_since(const struct cli *cli, struct audit_wish *wish)
{
    int64_t ago_ms;

    if (wish->since.len == 0 || when_parse_ms(wish->since, &wish->since_ms)) {
        return true;
    }
    if (!duration_parse(wish->since, &ago_ms)) {
        return false;
    }
    wish->since_ms = clock_wall_ms(cli->env->clock) - ago_ms;
    return true;
}

static int check_wish(const struct cli *cli, const struct usage *usage, struct audit_wish *wish)
{
    if (!read_since(cli, wish)) {
        return usage_error(usage, "--since is a time (2026-11-21T07:00:00Z) or a duration (7d)");
    }
    if (wish->anchor_text.len && !wish->verify) {
        return usage_error(usage, "--anchor goes with --verify");
    }
    if (wish->anchor_text.len && !audit_anchor_parse(wish->anchor_text, &wish->anchor)) {
        return usage_error(usage, "--anchor is NUMBER:SHA256, as 'crmsync audit --verify' and a "
                                  "backup's receipt print it");
    }
    return EXIT_DONE;
}

int command_audit(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct audit_wish wish = {.since = STR(""), .anchor_text = STR(""), .limit = 50};
    int count;
    const struct option_spec options[] = {{.name = "verify",
                                           .help = "check the chain instead of listing it",
                                           .type = OPTION_FLAG,
                                           .target = &wish.verify},
                                          {.name = "anchor",
                                           .argument = "N:SHA256",
                                           .help = "with --verify: where the chain once ended",
                                           .type = OPTION_TEXT,
                                           .target = &wish.anchor_text},
                                          {.name = "since",
                                           .argument = "WHEN",
                                           .help = "a time, or how long ago (7d)",
                                           .type = OPTION_TEXT,
                                           .target = &wish.since},
                                          {.name = "limit",
                                           .argument = "N",
                                           .help = "how many, newest first (default 50)",
                                           .type = OPTION_NUMBER,
                                           .target = &wish.limit,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync audit [options]",
        .about = "Lists who did what: sign-ins, keys, configuration, decisions, exports, erasures, "
                 "backups. It holds names and\nnumbers, never a value of a record. Each entry is "
                 "chained to the one before it.\n\n"
                 "  crmsync audit --since 7d\n"
                 "  crmsync audit --verify                      is anything changed or missing?\n"
                 "  crmsync audit --verify --anchor 812:6f1e…   and is it still that chain?\n\n"
                 "Keep the anchor that --verify prints where nobody who can write to the store "
                 "can write.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (check_wish(cli, &usage, &wish) != EXIT_DONE) {
        return EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync audit", &wire, &err) != OK ||
        (wish.verify ? verify(&wire, &wish, &err) : list_entries(&wire, &wish, &err)) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}
