#include "cli/listing.h"

#include "cli/output.h"
#include "core/jx.h"

enum { COLUMNS_MAX = 16, CELL_BYTES_MAX = 4096, SECONDS_CHARS = 19 };

struct str listing_text(const json_t *row, const char *name)
{
    struct str text = jx_text_of(jx_get(row, name));

    return text.at ? text : STR("");
}

int64_t listing_number(const json_t *row, const char *name)
{
    return json_integer_value(jx_get(row, name));
}

enum fail listing_fail(const json_t *row, const char *name)
{
    struct str word = listing_text(row, name);

    for (int code = FAIL_RECORD; code <= FAIL_BUG; code++) {
        if (str_equal(word, str_of(fail_name((enum fail)code)))) {
            return (enum fail)code;
        }
    }
    return FAIL_RETRY;
}

struct str listing_value(struct arena *arena, const json_t *value)
{
    struct value copy = VALUE_NONE;

    if (json_is_string(value)) {
        copy = VALUE_OF(jx_text_of(value));
    } else if (json_is_array(value)) {
        size_t count = json_array_size(value);
        struct str *items = ARENA_ARRAY(arena, struct str, count + 1);

        for (size_t i = 0; i < count; i++) {
            items[i] = jx_text_of(json_array_get(value, i));
        }
        copy = (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
    }
    return value_text(arena, &copy);
}

struct str listing_time(struct arena *arena, const json_t *time)
{
    struct str text = jx_text_of(time);

    if (text.len < SECONDS_CHARS) {
        return STR("never");
    }
    return arena_printf(arena, "%.10s %.8sZ", text.at, text.at + sizeof "2026-11-21");
}

static void add_cell(struct table *table, struct arena *arena, const json_t *value,
                     enum column_type type)
{
    if (json_is_integer(value)) {
        table_number(table, json_integer_value(value));
        return;
    }
    switch (type) {
    case COLUMN_TEXT:
        table_text(table, json_is_string(value) ? jx_text_of(value) : STR(""));
        break;
    case COLUMN_VALUE:
        table_text(table, listing_value(arena, value));
        break;
    case COLUMN_CHANGED:
        table_text(table, value ? listing_value(arena, value) : STR(""));
        break;
    case COLUMN_LOST:
        table_text(table, value && !json_is_null(value) ? listing_value(arena, value) : STR(""));
        break;
    case COLUMN_TIME:
        table_text(table, listing_time(arena, value));
        break;
    }
}

void listing_print(const struct cli *cli, const json_t *rows, const struct listing_column *columns,
                   const char *empty)
{
    AUTO_ARENA struct arena arena = {0};
    const char *names[COLUMNS_MAX + 1] = {NULL};
    struct table *table;

    if (cli->json) {
        print_json(json_incref((json_t *)rows));
        return;
    }
    for (size_t i = 0; columns[i].name && i < COLUMNS_MAX; i++) {
        names[i] = columns[i].name;
    }
    table = table_new(cli, names);
    for (size_t r = 0; r < json_array_size(rows); r++) {
        table_row(table);
        for (size_t i = 0; names[i]; i++) {
            add_cell(table, &arena, jx_get(json_array_get(rows, r), names[i]), columns[i].type);
        }
    }
    table_print(table, empty);
}
