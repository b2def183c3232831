#include "cli/rows_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/jx.h"
#include "core/unicode.h"

enum fail row_text_check(struct str text, struct error *err)
{
    if (text.len > ROWS_CELL_BYTES_MAX) {
        return error_set(err, FAIL_RECORD, "it is longer than %d MB",
                         ROWS_CELL_BYTES_MAX / 1024 / 1024);
    }
    if (text.len && memchr(text.at, '\0', text.len)) {
        return error_set(err, FAIL_RECORD, "it holds a NUL byte");
    }
    if (!utf8_is_valid(text)) {
        return error_set(err, FAIL_RECORD, "it is not UTF-8 from byte %zu on",
                         utf8_valid_prefix(text) + 1);
    }
    return OK;
}

/* A line without its end; false at the end of the file. A line that is too long is read to its end and only its beginning kept. */
static bool read_line(FILE *file, struct buf *text, bool *ret_too_long)
{
    int c = getc_unlocked(file);

    buf_reset(text);
    *ret_too_long = false;
    if (c == EOF) {
        return false;
    }
    for (; c != EOF && c != '\n'; c = getc_unlocked(file)) {
        buf_add_char(text, (char)c);
    }
    *ret_too_long = text->is_full;
    return true;
}

/* A number with the digits that say it exactly. */
static struct str number_text(const json_t *value, struct arena *arena)
{
    char text[40];

    if (json_is_integer(value)) {
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, json_real_value(value));
        if (strtod(text, NULL) == json_real_value(value)) {
            break;
        }
    }
    return arena_str(arena, str_of(text));
}

static enum fail scalar_text(const json_t *value, struct arena *arena, struct str *ret,
                             struct error *err)
{
    if (json_is_string(value)) {
        *ret = (struct str){.at = json_string_value(value), .len = json_string_length(value)};
        return row_text_check(*ret, err);
    }
    if (json_is_number(value)) {
        *ret = number_text(value, arena);
        return OK;
    }
    if (json_is_boolean(value)) {
        *ret = json_is_true(value) ? STR("true") : STR("false");
        return OK;
    }
    return error_set(err, FAIL_RECORD, "a text, a number or a list of them is expected");
}

static enum fail parse_items(const struct kind_field *field, const json_t *list,
                             struct arena *arena, struct value *ret, struct error *err)
{
    size_t count = json_array_size(list);
    struct str *items = ARENA_ARRAY(arena, struct str, count + 1);

    if (!field_is_list(field)) {
        return error_set(err, FAIL_RECORD, "one value is expected, not a list");
    }
    for (size_t i = 0; i < count; i++) {
        if (scalar_text(json_array_get(list, i), arena, &items[i], err) != OK) {
            return err->code;
        }
    }
    return field_items_parse(field, items, count, arena, ret, err);
}

static enum fail parse_member(const struct kind_field *field, const json_t *member,
                              struct arena *arena, struct value *ret, struct error *err)
{
    struct str text;

    if (json_is_null(member)) {
        *ret = VALUE_NONE;
        return OK;
    }
    if (json_is_array(member)) {
        return parse_items(field, member, arena, ret, err);
    }
    if (scalar_text(member, arena, &text, err) != OK) {
        return err->code;
    }
    return field_value_parse(field, text, arena, ret, err);
}

static void take_members(const json_t *tree, const struct kind *kind, struct arena *arena,
                         struct row *ret)
{
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)tree, key, member)
    {
        const struct kind_field *field = kind_field_by_name(kind, str_of(key));
        struct value value;

        ret->column = arena_str(arena, str_of(key));
        if (strcmp(key, "id") == 0) {
            if (scalar_text(member, arena, &ret->id, &ret->why) != OK) {
                return;
            }
            continue;
        }
        if (!field) {
            error_set(&ret->why, FAIL_RECORD, "kind '%" PRI_STR "' has no such field",
                      STR_ARG(kind->name));
            return;
        }
        if (parse_member(field, member, arena, &value, &ret->why) != OK) {
            return;
        }
        fields_set(&ret->fields, arena, field->name, value);
    }
}

static void take_line(struct str line, const struct kind *kind, struct arena *arena,
                      struct row *ret)
{
    json_t *tree = NULL;

    if (jx_parse(arena, line, &tree, &ret->why) != OK) {
        ret->why.code = FAIL_RECORD;
    } else if (!json_is_object(tree)) {
        error_set(&ret->why, FAIL_RECORD, "it is no JSON object");
    } else {
        take_members(tree, kind, arena, ret);
    }
}

enum fail row_json_next(FILE *file, struct buf *text, int64_t *line, const struct kind *kind,
                        struct arena *arena, struct row *ret, bool *ret_found, struct error *err)
{
    struct str body = STR("");
    bool too_long = false;

    while (body.len == 0) {
        if (!read_line(file, text, &too_long)) {
            return ferror(file)
                       ? error_set(err, FAIL_CONFIG, "cannot read the file: %s", strerror(errno))
                       : OK;
        }
        body = buf_str(text);
        if (++*line == 1 && str_starts(body, STR("\xEF\xBB\xBF"))) {
            body = str_slice(body, 3, body.len);
        }
        body = str_trim(body);
    }
    *ret_found = true;
    ret->line = *line;
    ret->raw = body;
    if (too_long) {
        error_set(&ret->why, FAIL_RECORD, "it is longer than %d MB",
                  CSV_ROW_BYTES_MAX / 1024 / 1024);
    } else {
        take_line(body, kind, arena, ret);
    }
    return OK;
}
