#include "cli/output.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <libsmartcols.h>

#include "core/alloc.h"
#include "core/unicode.h"
#include "core/when.h"

enum { COLUMNS_MAX = 16, TITLE_ID_CHARS = 13, CELL_BYTES_MAX = 4096 };

struct table {
    bool json;
    const char *const *names;
    struct libscols_table *columns;
    struct libscols_line *line;
    json_t *rows;
    size_t column;
    size_t rows_count;
};

static void new_columns(struct table *table)
{
    table->columns = scols_new_table();
    assert(table->columns);
    for (size_t i = 0; table->names[i]; i++) {
        char heading[48];
        size_t k = 0;

        for (; table->names[i][k] && k + 1 < sizeof heading; k++) {
            heading[k] =
                table->names[i][k] == '_' ? ' ' : (char)toupper((unsigned char)table->names[i][k]);
        }
        heading[k] = '\0';
        scols_table_new_column(table->columns, heading, 0, 0);
    }
}

struct table *table_new(const struct cli *cli, const char *const *names)
{
    struct table *table = alloc_new(1, sizeof *table);

    table->json = cli->json;
    table->names = names;
    if (table->json) {
        table->rows = json_array();
    } else {
        new_columns(table);
    }
    return table;
}

void table_row(struct table *table)
{
    table->column = 0;
    table->rows_count++;
    if (table->json) {
        json_array_append_new(table->rows, json_object());
    } else {
        table->line = scols_table_new_line(table->columns, NULL);
        assert(table->line);
    }
}

void table_text(struct table *table, struct str text)
{
    AUTO_FREE char *cell = alloc_printf("%" PRI_STR, STR_ARG(text));

    assert(table->column < COLUMNS_MAX && table->names[table->column]);
    if (table->json) {
        json_object_set_new(json_array_get(table->rows, table->rows_count - 1),
                            table->names[table->column], json_text(text));
    } else {
        scols_line_set_data(table->line, table->column, cell);
    }
    table->column++;
}

void table_number(struct table *table, int64_t number)
{
    char cell[32];

    if (table->json) {
        json_object_set_new(json_array_get(table->rows, table->rows_count - 1),
                            table->names[table->column], json_integer(number));
    } else {
        snprintf(cell, sizeof cell, "%" PRId64, number);
        scols_line_set_data(table->line, table->column, cell);
    }
    table->column++;
}

void table_print(struct table *table, const char *empty)
{
    if (table->json) {
        print_json(table->rows);
    } else {
        if (table->rows_count == 0) {
            printf("%s\n", empty);
        } else {
            scols_print_table(table->columns);
        }
        scols_unref_table(table->columns);
    }
    free(table);
}

void print_json(json_t *take_value)
{
    AUTO_FREE char *text = json_dumps(take_value, JSON_INDENT(2));

    assert(text);
    puts(text);
    json_decref(take_value);
}

json_t *json_text(struct str text)
{
    json_t *value = json_stringn(text.at ? text.at : "", text.len);

    return value ? value : json_string("\xEF\xBF\xBD");
}

json_t *json_value(const struct value *value)
{
    json_t *list;

    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return json_null();
    case VALUE_TEXT:
        return json_text(value->text);
    case VALUE_LIST:
        break;
    }
    list = json_array();
    for (size_t i = 0; i < value->items_count; i++) {
        json_array_append_new(list, json_text(value->items[i]));
    }
    return list;
}

json_t *json_fields(const struct fields *fields)
{
    json_t *object = json_object();

    for (size_t i = 0; i < fields->count; i++) {
        AUTO_FREE char *name = alloc_printf("%" PRI_STR, STR_ARG(fields->at[i].name));

        json_object_set_new(object, name, json_value(&fields->at[i].value));
    }
    return object;
}

json_t *json_counts(const struct run_counts *counts)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "read",
                     counts->read, "unchanged", counts->unchanged, "created_here",
                     counts->created_here, "updated_here", counts->updated_here, "deleted_here",
                     counts->deleted_here, "matched", counts->matched, "created_there",
                     counts->created_there, "updated_there", counts->updated_there, "deleted_there",
                     counts->deleted_there, "conflicts", counts->conflicts, "set_aside",
                     counts->set_aside, "merged", counts->merged, "calls", counts->calls, "retries",
                     counts->retries, "throttled", counts->throttled);
}

json_t *json_time(int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    if (ms == 0) {
        return json_null();
    }
    when_format_ms(ms, text);
    return json_string(text);
}

json_t *json_record(const struct store_record *record)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", json_text(record->uuid));
    json_object_set_new(object, "kind", json_text(record->kind));
    json_object_set_new(object, "version", json_integer(record->version));
    json_object_set_new(object, "state", json_string(record_state_name(record->state)));
    json_object_set_new(object, "created_at", json_time(record->created_ms));
    json_object_set_new(object, "updated_at", json_time(record->updated_ms));
    json_object_set_new(object, "fields", json_fields(&record->fields));
    return object;
}

static void add_printable(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        buf_add_char(buf, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
}

struct str value_text(struct arena *arena, const struct value *value)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, CELL_BYTES_MAX);
    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return STR("—");
    case VALUE_TEXT:
        add_printable(&text, value->text);
        break;
    case VALUE_LIST:
        for (size_t i = 0; i < value->items_count; i++) {
            buf_add(&text, i ? STR(", ") : STR(""));
            add_printable(&text, value->items[i]);
        }
        break;
    }
    return text.is_full ? STR("(long text)") : arena_str(arena, buf_str(&text));
}

struct str time_text(struct arena *arena, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    if (ms == 0) {
        return STR("never");
    }
    when_format_seconds(ms, text);
    text[10] = ' ';
    return arena_str(arena, str_of(text));
}

struct str ago_text(struct arena *arena, int64_t now_ms, int64_t ms)
{
    int64_t s = (now_ms - ms) / 1000;

    if (ms == 0) {
        return STR("never");
    }
    if (s < 0) {
        s = 0;
    }
    if (s < 120) {
        return arena_printf(arena, "%" PRId64 " s ago", s);
    }
    if (s < 7200) {
        return arena_printf(arena, "%" PRId64 " min ago", s / 60);
    }
    return s < 172800 ? arena_printf(arena, "%" PRId64 " h ago", s / 3600)
                      : arena_printf(arena, "%" PRId64 " days ago", s / 86400);
}

struct str record_title(struct arena *arena, const struct store_record *record)
{
    const struct value *own = fields_get(&record->fields, STR("name"));
    const struct value *name =
        value_is_blank(own) ? fields_get(&record->fields, STR("subject")) : own;
    const struct value *email = fields_get(&record->fields, STR("email"));
    const struct value *first = fields_get(&record->fields, STR("first_name"));
    const struct value *last = fields_get(&record->fields, STR("last_name"));

    if (!value_is_blank(name)) {
        return value_text(arena, name);
    }
    if (!value_is_blank(first) && !value_is_blank(last)) {
        return arena_printf(arena, "%" PRI_STR " %" PRI_STR, STR_ARG(value_text(arena, first)),
                            STR_ARG(value_text(arena, last)));
    }
    if (!value_is_blank(first) || !value_is_blank(last)) {
        return value_text(arena, value_is_blank(first) ? last : first);
    }
    return value_is_blank(email) ? str_slice(record->uuid, 0, TITLE_ID_CHARS)
                                 : value_text(arena, email);
}
