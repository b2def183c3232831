#include "cli/output.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <libsmartcols.h>

#include "core/alloc.h"
#include "core/when.h"

enum { COLUMNS_MAX = 16 };

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
