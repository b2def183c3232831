/* crmsync import: rows of a file become edits of the store, some hundred in a transaction. A bad row costs only itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/find.h"
#include "cli/wire.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rows.h"

enum { IMPORT_BATCH = 300, REPORTED_MAX = 1000 };
#define IMPORT_RULE "import from a file"

struct import {
    struct cli *cli;
    struct wire *wire;
    struct edit edit;
    const struct kind *kind;
    struct rows *rows;
    enum rows_format format;
    const char *path;
    int update_by; /* match rule; -1 none */
    FILE *rejected;
    const char *rejected_path;
    json_t *reported; /* --json: the first rejections */
    int64_t created, updated, unchanged, rejections;
};

/* --- rejected rows ------------------------------------------------------------------------------------------------------------ */

static void keep_rejected(struct import *import, const struct row *row, struct str reason)
{
    if (import->format == ROWS_JSONL) {
        json_t *line = json_pack("{s:I,s:o,s:o}", "line", (json_int_t)row->line, "reason",
                                 json_text(reason), "row", json_text(row->raw));
        char *text = json_dumps(line, JSON_COMPACT);

        fprintf(import->rejected, "%s\n", text ? text : "{}");
        free(text);
        json_decref(line);
        return;
    }
    for (size_t i = 0; i < row->csv->count; i++) {
        csv_put_cell(import->rejected, row->csv->cells[i], i == 0);
    }
    if (row->csv->count == 0) {
        csv_put_cell(import->rejected, row->raw, true);
    }
    csv_put_cell(import->rejected, reason, false);
    csv_put_end(import->rejected);
}

static void reject(struct import *import, const struct row *row, const struct error *why,
                   struct arena *arena)
{
    struct str reason = row->column.len ? arena_printf(arena, "column '%" PRI_STR "': %s",
                                                       STR_ARG(row->column), why->message)
                                        : str_of(why->message);

    import->rejections++;
    if (import->rejected) {
        keep_rejected(import, row, reason);
    }
    if (!import->cli->json) {
        fprintf(stderr, "crmsync: %s:%" PRId64 ": %" PRI_STR "\n", import->path, row->line,
                STR_ARG(reason));
        if (why->hint[0]) {
            fprintf(stderr, "  try: %s\n", why->hint);
        }
    } else if (import->rejections <= REPORTED_MAX) {
        json_array_append_new(import->reported,
                              json_pack("{s:I,s:o,s:s,s:s}", "line", (json_int_t)row->line,
                                        "column", json_text(row->column), "message", why->message,
                                        "hint", why->hint));
    }
}

static enum fail open_rejected(struct import *import, struct str path, struct error *err)
{
    const struct str *header;
    size_t count;

    if (path.len == 0) {
        return OK;
    }
    import->rejected_path = arena_cstr(&import->wire->arena, path);
    import->rejected = fopen(import->rejected_path, "wxe");
    if (!import->rejected) {
        error_set(err, FAIL_CONFIG, "cannot create '%s': %s", import->rejected_path,
                  strerror(errno));
        return error_hint(err, "name a file that does not exist yet");
    }
    header = rows_header(import->rows, &count);
    for (size_t i = 0; i < count; i++) {
        csv_put_cell(import->rejected, header[i], i == 0);
    }
    if (import->format == ROWS_CSV) {
        csv_put_cell(import->rejected, STR("reason"), false);
        csv_put_end(import->rejected);
    }
    return OK;
}

static enum fail close_rejected(struct import *import, struct error *err)
{
    FILE *file = import->rejected;
    bool is_bad;

    import->rejected = NULL;
    if (!file) {
        return OK;
    }
    is_bad = ferror(file) != 0;
    if (fclose(file) != 0 || is_bad) {
        error_set(err, FAIL_STOP, "cannot write '%s': %s", import->rejected_path, strerror(errno));
        return error_hint(err, "check the free space; the import itself is done");
    }
    if (import->rejections == 0) {
        unlink(import->rejected_path);
    }
    return OK;
}

/* --- one row ------------------------------------------------------------------------------------------------------------------ */

/* The record that a row means: by its id, else by the key that --update-by names. uuid "" = a new one. */
static enum fail find_target(struct import *import, struct tx *tx, struct row *row,
                             struct arena *arena, struct store_record *ret, bool *ret_found,
                             struct error *err)
{
    struct str *keys = ARENA_ARRAY(arena, struct str, import->kind->matches_count + 1);
    struct match_hit hits[2];
    size_t count = 0;

    *ret_found = false;
    if (row->id.len) {
        if (!uuid_is_valid(row->id)) {
            row->column = STR("id");
            error_set(err, FAIL_RECORD, "it is no id of a record");
            return error_hint(err, "leave it empty for a new record");
        }
        return record_by_uuid(tx, row->id, arena, ret, ret_found, err);
    }
    if (import->update_by < 0) {
        return OK;
    }
    kind_match_keys(import->kind, &row->fields, arena, keys);
    if (keys[import->update_by].len == 0) {
        return OK;
    }
    if (record_match(tx, import->kind->name, import->update_by, keys[import->update_by], 0, hits, 2,
                     &count, err) != OK) {
        return err->code;
    }
    if (count > 1) {
        error_set(err, FAIL_RECORD, "several records have this %" PRI_STR,
                  STR_ARG(import->kind->matches[import->update_by].fields[0]->name));
        return error_hint(err, "name the record by its id");
    }
    return count ? record_by_id(tx, hits[0].record_id, arena, ret, ret_found, err) : OK;
}

static enum fail create_from(struct import *import, struct tx *tx, struct row *row,
                             struct arena *arena, struct error *err)
{
    struct fields fields = {0};
    struct store_record record;

    for (size_t i = 0; i < row->fields.count; i++) {
        const struct field *field = &row->fields.at[i];

        /* An empty cell says nothing; null in JSON says that there is no value. */
        if (field->value.state != VALUE_NULL || import->format == ROWS_JSONL) {
            fields_set(&fields, arena, field->name, field->value);
        }
    }
    if (fields.count == 0) {
        return error_set(err, FAIL_RECORD, "it holds no value");
    }
    if (edit_create_in(&import->edit, tx, import->kind, row->id, &fields, false, arena, &record,
                       err) != OK) {
        if (err->code == FAIL_RECORD) {
            error_hint(err, "give its id, or pass --update-by to update that record");
        }
        return err->code;
    }
    import->created++;
    return OK;
}

static enum fail update_from(struct import *import, struct tx *tx, const struct row *row,
                             const struct store_record *before, struct arena *arena,
                             struct error *err)
{
    struct fields changes = {0};
    struct store_record after;

    if (!str_equal(before->kind, import->kind->name)) {
        return error_set(err, FAIL_RECORD, "the record of this id is a %" PRI_STR,
                         STR_ARG(before->kind));
    }
    for (size_t i = 0; i < row->fields.count; i++) {
        const struct field *field = &row->fields.at[i];

        if (field->value.state != VALUE_NULL ||
            !value_is_blank(fields_get(&before->fields, field->name))) {
            fields_set(&changes, arena, field->name, field->value);
        }
    }
    if (edit_update_in(&import->edit, tx, before->uuid, &changes, 0, arena, &after, err) != OK) {
        return err->code;
    }
    if (after.version == before->version) {
        import->unchanged++;
    } else {
        import->updated++;
    }
    return OK;
}

static enum fail import_row(struct import *import, struct tx *tx, struct row *row,
                            struct arena *arena, struct error *err)
{
    struct store_record before;
    bool found;

    row->column = STR("");
    if (find_target(import, tx, row, arena, &before, &found, err) != OK) {
        return err->code;
    }
    return found ? update_from(import, tx, row, &before, arena, err)
                 : create_from(import, tx, row, arena, err);
}

/* --- all rows ------------------------------------------------------------------------------------------------------------------- */

static enum fail import_batch(struct import *import, struct arena *arena, bool *ret_more,
                              struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(import->edit.store, import->edit.tenant_id, &tx, err) != OK) {
        return err->code;
    }
    for (int i = 0; i < IMPORT_BATCH; i++) {
        struct row row;

        if (rows_next(import->rows, arena, &row, ret_more, err) != OK) {
            return err->code;
        }
        if (!*ret_more) {
            break;
        }
        if (row.why.code == OK && import_row(import, tx, &row, arena, &row.why) != OK &&
            row.why.code != FAIL_RECORD) {
            *err = row.why;
            return error_wrap(err, "line %" PRId64, row.line);
        }
        if (row.why.code != OK) {
            reject(import, &row, &row.why, arena);
        }
    }
    return tx_commit(&tx, err);
}

static enum fail import_all(struct import *import, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    int64_t done = 0;
    bool more = true;

    while (more) {
        arena_reset(&arena);
        if (import_batch(import, &arena, &more, err) != OK) {
            return error_wrap(err, "stopped, %" PRId64 " rows are imported", done);
        }
        done = import->created + import->updated + import->unchanged;
    }
    return OK;
}

/* The rule by which --update-by recognises. */
static enum fail choose_key(struct import *import, struct str name, struct error *err)
{
    AUTO_BUF struct buf names = {0};

    import->update_by = -1;
    if (name.len == 0 || str_equal(name, STR("id"))) {
        return OK;
    }
    buf_init(&names, 1024);
    buf_addf(&names, "id");
    for (size_t i = 0; i < import->kind->matches_count; i++) {
        const struct match_rule *rule = &import->kind->matches[i];

        if (rule->fields_count == 1 && str_equal(rule->fields[0]->name, name)) {
            import->update_by = (int)i;
            return OK;
        }
        if (rule->fields_count == 1) {
            buf_addf(&names, ", %" PRI_STR, STR_ARG(rule->fields[0]->name));
        }
    }
    error_set(err, FAIL_CONFIG,
              "records of kind '%" PRI_STR "' are not recognised by '%" PRI_STR "'",
              STR_ARG(import->kind->name), STR_ARG(name));
    return error_hint(err, "there are: %" PRI_STR, STR_ARG(buf_str(&names)));
}

static void print_result(struct import *import, bool dry_run)
{
    if (import->cli->json) {
        print_json(json_pack("{s:b,s:I,s:I,s:I,s:I,s:O}", "dry_run", dry_run ? 1 : 0, "created",
                             (json_int_t)import->created, "updated", (json_int_t)import->updated,
                             "unchanged", (json_int_t)import->unchanged, "rejected",
                             (json_int_t)import->rejections, "rejections", import->reported));
        return;
    }
    printf("%s%" PRId64 " created, %" PRId64 " updated, %" PRId64 " unchanged, %" PRId64
           " rejected\n",
           dry_run ? "nothing was written; it would be: " : "", import->created, import->updated,
           import->unchanged, import->rejections);
}

/* A trial works on a copy of the store, so that later rows meet what earlier ones would have made. */
static enum fail open_store(struct cli *cli, struct wire *wire, bool dry_run, struct error *err)
{
    struct store *source;

    if (wire_store(cli, dry_run ? STORE_READ : STORE_WRITE, "crmsync import", wire, err) != OK ||
        !dry_run) {
        return err->code;
    }
    source = wire->store;
    wire->store = NULL;
    if (store_scratch(source, cli->env, &wire->store, err) != OK) {
        wire->store = NULL;
    }
    store_close(source);
    return err->code;
}

static enum fail run_import(struct import *import, bool dry_run, struct str kind, struct str key,
                            struct str rejected, struct error *err)
{
    if (open_store(import->cli, import->wire, dry_run, err) != OK ||
        kind_named(&import->wire->config.kinds, kind, &import->kind, err) != OK ||
        choose_key(import, key, err) != OK ||
        rows_open(import->path, import->format, import->kind, &import->rows, err) != OK ||
        open_rejected(import, rejected, err) != OK) {
        return err->code;
    }
    import->edit = wire_edit(import->wire);
    import->edit.rule = IMPORT_RULE;
    if (import_all(import, err) != OK) {
        struct error ignored = {0};

        close_rejected(import, &ignored); /* the first failure is the one to tell */
        return err->code;
    }
    return close_rejected(import, err);
}

int command_import(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct import import = {.cli = cli, .wire = &wire};
    struct str rejected = STR(""), key = STR("");
    bool csv = false, jsonl = false, dry_run = false;
    int count;
    const struct option_spec options[] = {
        {.name = "csv", .help = "the file is CSV (default)", .type = OPTION_FLAG, .target = &csv},
        {.name = "jsonl",
         .help = "the file is JSON lines (default for *.jsonl)",
         .type = OPTION_FLAG,
         .target = &jsonl},
        {.name = "rejected",
         .argument = "FILE",
         .help = "write the rejected rows there, with the reason",
         .type = OPTION_TEXT,
         .target = &rejected},
        {.name = "update-by",
         .argument = "FIELD",
         .help = "a row without id updates the record with the same FIELD",
         .type = OPTION_TEXT,
         .target = &key},
        {.name = "dry-run",
         .help = "say what would happen; nothing is written",
         .type = OPTION_FLAG,
         .target = &dry_run},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync import KIND FILE [options]",
        .about = "Reads records of a kind into the store; the next sync carries them to the CRMs. "
                 "The first line of a CSV file names\n"
                 "the fields. A row with an id updates that record, or makes it with that id; "
                 "other rows make new records, unless\n"
                 "--update-by finds one. Rows that cannot be taken are named by line and column, "
                 "and the rest is imported.\n\n"
                 "  crmsync import contact people.csv --update-by email --rejected bad.csv",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);
    enum fail failed;

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    import.path = argv[2];
    if (rows_format_of(csv, jsonl, str_of(argv[2]), &import.format, &err) != OK) {
        return cli_fail(cli, &err);
    }
    import.reported = json_array();
    failed = run_import(&import, dry_run, str_of(argv[1]), key, rejected, &err);
    if (failed == OK) {
        print_result(&import, dry_run);
    }
    rows_close(import.rows);
    json_decref(import.reported);
    if (failed != OK) {
        return cli_fail(cli, &err);
    }
    return import.rejections ? EXIT_SET_ASIDE : EXIT_DONE;
}
