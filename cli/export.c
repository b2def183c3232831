/* crmsync export: all records of a kind, page by page from one snapshot of the store. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/find.h"
#include "cli/wire.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/person.h"
#include "cli/rows.h"

enum { EXPORT_PAGE = 500 };

struct export
{
    FILE *file;
    enum rows_format format;
    const struct kind *kind;
    const struct kind_field **fields;
    size_t fields_count;
    int64_t records;
};

static enum fail choose_fields(const struct kind *kind, struct str list, struct arena *arena,
                               struct export *ret, struct error *err)
{
    ret->fields = ARENA_ARRAY(arena, const struct kind_field *, kind->fields_count + list.len + 1);
    if (list.len == 0) {
        for (size_t i = 0; i < kind->fields_count; i++) {
            ret->fields[ret->fields_count++] = &kind->fields[i];
        }
        return OK;
    }
    while (list.at) {
        struct str name = str_trim(str_cut(&list, ','));
        const struct kind_field *field;

        if (str_equal(name, STR("id"))) {
            continue; /* always there */
        }
        if (kind_field_named(kind, name, &field, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < ret->fields_count; i++) {
            if (ret->fields[i] == field) {
                return error_set(err, FAIL_CONFIG, "field '%" PRI_STR "' is named twice",
                                 STR_ARG(name));
            }
        }
        ret->fields[ret->fields_count++] = field;
    }
    return OK;
}

static void put_header(const struct export *export)
{
    if (export->format == ROWS_JSONL) {
        return;
    }
    csv_put_cell(export->file, STR("id"), true);
    for (size_t i = 0; i < export->fields_count; i++) {
        csv_put_cell(export->file, export->fields[i]->name, false);
    }
    csv_put_end(export->file);
}

static void put_csv(const struct export *export, const struct store_record *record,
                    struct arena *arena)
{
    csv_put_cell(export->file, record->uuid, true);
    for (size_t i = 0; i < export->fields_count; i++) {
        const struct kind_field *field = export->fields[i];

        csv_put_cell(export->file,
                     rows_cell(field, fields_get(&record->fields, field->name), arena), false);
    }
    csv_put_end(export->file);
}

static void put_json(const struct export *export, const struct store_record *record,
                     struct arena *arena)
{
    json_t *line = json_pack("{s:o}", "id", json_text(record->uuid));
    char *text;

    for (size_t i = 0; i < export->fields_count; i++) {
        const struct kind_field *field = export->fields[i];
        const struct value *value = fields_get(&record->fields, field->name);
        json_t *member = value->state == VALUE_TEXT ? json_text(rows_cell(field, value, arena))
                                                    : json_value(value);

        if (value->state == VALUE_ABSENT) {
            json_decref(member);
            continue;
        }
        json_object_set_new(line, arena_cstr(arena, field->name), member);
    }
    text = json_dumps(line, JSON_COMPACT);
    fprintf(export->file, "%s\n", text ? text : "{}");
    free(text);
    json_decref(line);
}

static enum fail export_pages(struct wire *wire, struct export *export, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena page = {0};
    int64_t after_id = 0;
    size_t count = EXPORT_PAGE;

    if (wire_begin(wire, &tx, err) != OK) {
        return err->code;
    }
    put_header(export);
    while (count == EXPORT_PAGE && !ferror(export->file)) {
        struct store_record *records;

        arena_reset(&page);
        if (record_list(tx, export->kind->name, after_id, EXPORT_PAGE, &page, &records, &count,
                        err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            if (export->format == ROWS_CSV) {
                put_csv(export, &records[i], &page);
            } else {
                put_json(export, &records[i], &page);
            }
            after_id = records[i].id;
        }
        export->records += (int64_t)count;
    }
    return tx_commit(&tx, err);
}

static enum fail cannot_write(const char *path, struct error *err)
{
    error_set(err, FAIL_STOP, "cannot write '%s': %s", path, strerror(errno));
    return error_hint(err, "check the folder and the free space");
}

/* Under another name until it is whole: an export that was stopped leaves no file that looks like one. */
static enum fail export_to_file(struct wire *wire, struct export *export, struct str path,
                                struct error *err)
{
    const char *part = arena_printf(&wire->arena, "%" PRI_STR ".part", STR_ARG(path)).at;
    const char *whole = arena_cstr(&wire->arena, path);
    enum fail failed;

    export->file = fopen(part, "we");
    if (!export->file) {
        return cannot_write(part, err);
    }
    failed = export_pages(wire, export, err);
    if (failed == OK &&
        (fflush(export->file) != 0 || ferror(export->file) || fsync(fileno(export->file)) != 0)) {
        failed = cannot_write(part, err);
    }
    if (fclose(export->file) != 0 && failed == OK) {
        failed = cannot_write(part, err);
    }
    if (failed == OK && rename(part, whole) != 0) {
        failed = cannot_write(whole, err);
    }
    if (failed) {
        unlink(part);
    }
    return failed;
}

/* Before anything leaves: an export that nobody knows of is worse than a note of one that then failed. */
static enum fail note_export(struct wire *wire, const struct export *export, struct error *err)
{
    const struct audit_detail details[] = {
        {"fields", arena_printf(&wire->arena, "%zu", export->fields_count)}, {0}};
    const struct audit_note note = {
        .action = "records.exported",
        .subject = arena_printf(&wire->arena, "kind %" PRI_STR, STR_ARG(export->kind->name)),
        .details = details};

    return wire_audit_beside(wire, "crmsync export", &note, err);
}

static enum fail run_export(struct wire *wire, struct export *export, struct str path,
                            struct error *err)
{
    if (path.len) {
        return export_to_file(wire, export, path, err);
    }
    export->file = stdout;
    return export_pages(wire, export, err);
}

static int export_person(struct cli *cli, struct str who, struct str path)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int64_t parts = 0;

    if (wire_store(cli, STORE_READ, "crmsync export", &wire, &err) != OK ||
        person_export(&wire, who, path, &parts, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (path.len && !cli->quiet) {
        printf("%" PRId64 " entries written to %" PRI_STR "\n", parts, STR_ARG(path));
    }
    return EXIT_DONE;
}

int command_export(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct export export = {0};
    struct str path = STR(""), fields = STR(""), person = STR("");
    bool csv = false, jsonl = false;
    int count;
    const struct option_spec options[] = {
        {.name = "csv", .help = "as CSV (default)", .type = OPTION_FLAG, .target = &csv},
        {.name = "jsonl",
         .help = "as JSON lines, one object per record",
         .type = OPTION_FLAG,
         .target = &jsonl},
        {.name = "output",
         .argument = "FILE",
         .help = "write to a file (also -o); *.jsonl gives JSON lines",
         .type = OPTION_TEXT,
         .target = &path},
        {.name = "person",
         .argument = "EMAIL",
         .help = "instead of a kind: all that is known of this contact, as one JSON document",
         .type = OPTION_TEXT,
         .target = &person},
        {.name = "fields",
         .argument = "A,B",
         .help = "only these fields, in this order, after the id",
         .type = OPTION_TEXT,
         .target = &fields},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync export KIND [options] | --person EMAIL [-o FILE]",
        .about = "Writes all records of a kind from the store, as 'crmsync import' reads them. "
                 "Lists are joined with ';' in CSV.\n"
                 "Values are written as they are: a spreadsheet may take one that begins with "
                 "= + - or @ for a formula.\n\n"
                 "  crmsync export contact -o contacts.csv\n"
                 "  crmsync export deal --jsonl --fields name,amount\n"
                 "  crmsync export --person ann@example.com -o ann.json",
        .options = options,
        .arguments_max = 1};

    for (int i = 1; i < argc; i++) {
        argv[i] = strcmp(argv[i], "-o") == 0 ? (char *)"--output" : argv[i];
    }
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);
    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if ((count == 1) == (person.len > 0) || (person.len && (csv || jsonl || fields.len))) {
        return usage_error(&usage, "give a kind, or a person with --person");
    }
    if (person.len) {
        return export_person(cli, person, path);
    }
    if (rows_format_of(csv, jsonl, path, &export.format, &err) != OK ||
        wire_store(cli, STORE_READ, "crmsync export", &wire, &err) != OK ||
        kind_named(&wire.config.kinds, str_of(argv[1]), &export.kind, &err) != OK ||
        choose_fields(export.kind, fields, &wire.arena, &export, &err) != OK ||
        note_export(&wire, &export, &err) != OK || run_export(&wire, &export, path, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (path.len && cli->json) {
        print_json(json_pack("{s:I,s:o}", "records", export.records, "file", json_text(path)));
    } else if (path.len && !cli->quiet) {
        printf("%" PRId64 " records written to %" PRI_STR "\n", export.records, STR_ARG(path));
    }
    return EXIT_DONE;
}
