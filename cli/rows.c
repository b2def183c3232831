#include "cli/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/rows_json.h"
#include "core/alloc.h"
#include "core/unicode.h"
#include "core/when.h"
#include "core/words.h"

struct rows {
    FILE *file;
    enum rows_format format;
    const struct kind *kind;
    struct csv_reader *csv;
    struct csv_row row;
    struct buf text;   /* JSON: the line */
    struct arena keep; /* the header */
    struct str *header;
    const struct kind_field **fields; /* of the columns; NULL = id */
    size_t columns;
    int64_t line;
};

enum fail rows_format_of(bool csv, bool jsonl, struct str path, enum rows_format *ret,
                         struct error *err)
{
    if (csv && jsonl) {
        return error_set(err, FAIL_CONFIG, "--csv and --jsonl exclude each other");
    }
    *ret = jsonl || (!csv && (str_ends(path, STR(".jsonl")) || str_ends(path, STR(".ndjson"))))
               ? ROWS_JSONL
               : ROWS_CSV;
    return OK;
}

/* --- header ------------------------------------------------------------------------------------------------------------------- */

static enum fail unknown_column(const struct kind *kind, struct str name, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str *names = ARENA_ARRAY(&arena, struct str, kind->fields_count + 1);
    size_t near;

    for (size_t i = 0; i < kind->fields_count; i++) {
        names[i] = kind->fields[i].name;
    }
    names[kind->fields_count] = STR("id");
    near = utf8_is_valid(name) ? word_nearest(name, names, kind->fields_count + 1) : SIZE_MAX;
    if (name.len > 60 || !utf8_is_valid(name)) {
        error_set(err, FAIL_CONFIG, "the first line does not name fields of kind '%" PRI_STR "'",
                  STR_ARG(kind->name));
    } else {
        error_set(err, FAIL_CONFIG, "kind '%" PRI_STR "' has no field '%" PRI_STR "'",
                  STR_ARG(kind->name), STR_ARG(name));
    }
    return near != SIZE_MAX
               ? error_hint(err, "did you mean '%" PRI_STR "'?", STR_ARG(names[near]))
               : error_hint(err,
                            "the first line names the fields: 'crmsync export %" PRI_STR
                            "' shows how",
                            STR_ARG(kind->name));
}

static enum fail take_column(struct rows *rows, size_t index, struct str cell, struct error *err)
{
    struct str name = str_trim(cell);

    rows->header[index] = arena_str(&rows->keep, name);
    for (size_t i = 0; i < index; i++) {
        if (str_equal(rows->header[i], name)) {
            error_set(err, FAIL_CONFIG, "column '%" PRI_STR "' stands twice in the header",
                      STR_ARG(name));
            return error_hint(err, "take one of them out");
        }
    }
    if (str_equal(name, STR("id"))) {
        return OK;
    }
    rows->fields[index] = kind_field_by_name(rows->kind, name);
    return rows->fields[index] ? OK : unknown_column(rows->kind, name, err);
}

static enum fail read_header(struct rows *rows, struct error *err)
{
    bool found;

    if (csv_reader_next(rows->csv, &rows->row, &found, err) != OK) {
        return err->code;
    }
    if (!found || rows->row.wrong) {
        error_set(err, FAIL_CONFIG, "there is no header: %s",
                  found ? rows->row.wrong : "the file is empty");
        return error_hint(err, "the first line names the fields, for example: id,email");
    }
    rows->columns = rows->row.count;
    rows->header = ARENA_ARRAY(&rows->keep, struct str, rows->columns);
    rows->fields = ARENA_ARRAY(&rows->keep, const struct kind_field *, rows->columns);
    for (size_t i = 0; i < rows->columns; i++) {
        if (take_column(rows, i, rows->row.cells[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail open_file(const char *path, FILE **ret, struct error *err)
{
    struct stat facts;

    *ret = fopen(path, "re");
    if (*ret && fstat(fileno(*ret), &facts) == 0 && S_ISDIR(facts.st_mode)) {
        fclose(*ret);
        *ret = NULL;
        errno = EISDIR;
    }
    if (!*ret) {
        error_set(err, FAIL_CONFIG, "cannot read '%s': %s", path, strerror(errno));
        return error_hint(err, "name a CSV file or a file of JSON lines");
    }
    return OK;
}

enum fail rows_open(const char *path, enum rows_format format, const struct kind *kind,
                    struct rows **ret, struct error *err)
{
    struct rows *rows;
    FILE *file;

    if (open_file(path, &file, err) != OK) {
        return err->code;
    }
    rows = alloc_new(1, sizeof *rows);
    *rows = (struct rows){.file = file, .format = format, .kind = kind};
    buf_init(&rows->text, CSV_ROW_BYTES_MAX);
    *ret = rows;
    if (format == ROWS_JSONL) {
        return OK;
    }
    rows->csv = csv_reader_new(file);
    return read_header(rows, err) ? error_wrap(err, "'%s'", path) : OK;
}

void rows_close(struct rows *rows)
{
    if (rows) {
        csv_reader_free(rows->csv);
        buf_fini(&rows->text);
        arena_fini(&rows->keep);
        fclose(rows->file);
        free(rows);
    }
}

const struct str *rows_header(const struct rows *rows, size_t *ret_count)
{
    *ret_count = rows->columns;
    return rows->header;
}

/* --- CSV ---------------------------------------------------------------------------------------------------------------------- */

/* "a;b\;c" into items. */
static size_t split_items(struct str text, struct arena *arena, struct str **ret)
{
    struct str *items = ARENA_ARRAY(arena, struct str, text.len + 1);
    char *copy = arena_alloc(arena, text.len + 1, 1);
    size_t count = 0, len = 0, from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.at[i] == ';') {
            items[count++] = str_trim((struct str){.at = copy + from, .len = len - from});
            from = len;
            continue;
        }
        if (text.at[i] == '\\' && i + 1 < text.len &&
            (text.at[i + 1] == ';' || text.at[i + 1] == '\\')) {
            i++;
        }
        copy[len++] = text.at[i];
    }
    *ret = items;
    return count;
}

static enum fail parse_cell(const struct kind_field *field, struct str cell, struct arena *arena,
                            struct value *ret, struct error *err)
{
    struct str *items;
    size_t count;

    if (!cell.at) {
        *ret = VALUE_NONE;
        return OK;
    }
    if (field_is_list(field)) {
        count = split_items(cell, arena, &items);
        return field_items_parse(field, items, count, arena, ret, err);
    }
    return field_value_parse(field, cell, arena, ret, err);
}

static void take_cells(struct rows *rows, struct arena *arena, struct row *ret)
{
    for (size_t i = 0; i < rows->columns && ret->why.code == OK; i++) {
        struct str cell = rows->row.cells[i];
        struct value value;

        ret->column = rows->header[i];
        if (row_text_check(cell, &ret->why) != OK) {
            return;
        }
        if (!rows->fields[i]) {
            ret->id = arena_str(arena, str_trim(cell));
        } else if (parse_cell(rows->fields[i], cell, arena, &value, &ret->why) == OK) {
            fields_set(&ret->fields, arena, rows->fields[i]->name, value);
        }
    }
}

static enum fail next_csv(struct rows *rows, struct arena *arena, struct row *ret, bool *ret_found,
                          struct error *err)
{
    if (csv_reader_next(rows->csv, &rows->row, ret_found, err) != OK || !*ret_found) {
        return err->code;
    }
    ret->line = rows->row.line;
    ret->csv = &rows->row;
    ret->raw = rows->row.raw;
    if (rows->row.wrong) {
        error_set(&ret->why, FAIL_RECORD, "%s", rows->row.wrong);
    } else if (rows->row.count != rows->columns) {
        error_set(&ret->why, FAIL_RECORD, "it has %zu cells, the header has %zu", rows->row.count,
                  rows->columns);
    } else {
        take_cells(rows, arena, ret);
    }
    return OK;
}

enum fail rows_next(struct rows *rows, struct arena *arena, struct row *ret, bool *ret_found,
                    struct error *err)
{
    *ret = (struct row){.column = STR("")};
    *ret_found = false;
    if (rows->format == ROWS_CSV) {
        return next_csv(rows, arena, ret, ret_found, err);
    }
    return row_json_next(rows->file, &rows->text, &rows->line, rows->kind, arena, ret, ret_found,
                         err);
}

/* --- a value as a cell ---------------------------------------------------------------------------------------------------------- */

static struct str join_items(const struct value *value, struct arena *arena)
{
    size_t room = 0, len = 0;
    char *text;

    for (size_t i = 0; i < value->items_count; i++) {
        room += 2 * value->items[i].len + 1;
    }
    text = arena_alloc(arena, room + 1, 1);
    for (size_t i = 0; i < value->items_count; i++) {
        if (i) {
            text[len++] = ';';
        }
        for (size_t k = 0; k < value->items[i].len; k++) {
            char c = value->items[i].at[k];

            if (c == ';' || c == '\\') {
                text[len++] = '\\';
            }
            text[len++] = c;
        }
    }
    return (struct str){.at = text, .len = len};
}

struct str rows_cell(const struct kind_field *field, const struct value *value, struct arena *arena)
{
    char time[WHEN_TEXT_BYTES];
    int64_t ms;

    if (value->state == VALUE_LIST) {
        return join_items(value, arena);
    }
    if (value->state != VALUE_TEXT) {
        return STR_NONE;
    }
    if (field->type == TYPE_DATETIME && str_to_i64(value->text, &ms)) {
        when_format_ms(ms, time);
        return arena_str(arena, str_of(time));
    }
    return value->text.at ? value->text : STR("");
}
