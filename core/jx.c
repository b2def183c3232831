#include "core/jx.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/when.h"

static void decref(void *subject)
{
    json_decref(subject);
}

json_t *jx_own(struct arena *arena, json_t *take_tree)
{
    if (take_tree) {
        arena_defer(arena, decref, take_tree);
    }
    return take_tree;
}

/* Depth of nesting, counted on the text before parsing: jansson's own limit is far above ours. */
static bool is_too_deep(struct str text)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JX_DEPTH_MAX) {
                return true;
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return false;
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool is_whole(struct str number)
{
    for (size_t i = 0; i < number.len; i++) {
        if (number.at[i] == '.' || number.at[i] == 'e' || number.at[i] == 'E') {
            return false;
        }
    }
    return true;
}

static size_t skip_digits(struct str text, size_t at)
{
    while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9') {
        at++;
    }
    return at;
}

/* source: RFC 8259 section 6 */
static bool is_number(struct str text)
{
    size_t from = str_starts(text, STR("-")) ? 1 : 0, at = skip_digits(text, from);
    bool is_good = at > from && (text.at[from] != '0' || at == from + 1);

    if (at < text.len && text.at[at] == '.') {
        from = at + 1;
        at = skip_digits(text, from);
        is_good = is_good && at > from;
    }
    if (at < text.len && (text.at[at] == 'e' || text.at[at] == 'E')) {
        from = at + 1;
        from += from < text.len && (text.at[from] == '+' || text.at[from] == '-') ? 1 : 0;
        at = skip_digits(text, from);
        is_good = is_good && at > from;
    }
    return is_good && at == text.len;
}

/* A number beyond int64 or double: jansson would refuse the whole document for it. */
static bool is_out_of_range(struct arena *arena, struct str number)
{
    int64_t whole;

    if (!is_number(number)) {
        return false; /* stays as it is, to be refused */
    }
    if (is_whole(number)) {
        return !str_to_i64(number, &whole);
    }
    return isinf(strtod(arena_cstr(arena, number), NULL));
}

/* The document with every such number in quotes, so that it harms only the record that holds it. */
static struct str quote_huge_numbers(struct arena *arena, struct str text, struct buf *buf)
{
    bool in_string = false;
    size_t i = 0;

    while (i < text.len) {
        size_t from = i;

        if (in_string || (text.at[i] != '-' && (text.at[i] < '0' || text.at[i] > '9'))) {
            in_string ^= text.at[i] == '"';
            i += in_string && text.at[i] == '\\' ? 2 : 1;
            buf_add(buf, str_slice(text, from, i));
            continue;
        }
        while (i < text.len && is_number_char(text.at[i])) {
            i++;
        }
        if (is_out_of_range(arena, str_slice(text, from, i))) {
            buf_addf(buf, "\"%" PRI_STR "\"", STR_ARG(str_slice(text, from, i)));
        } else {
            buf_add(buf, str_slice(text, from, i));
        }
    }
    return buf_str(buf);
}

static json_t *load(struct str text, json_error_t *where)
{
    return json_loadb(text.at ? text.at : "", text.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, where);
}

enum fail jx_parse(struct arena *arena, struct str text, json_t **ret, struct error *err)
{
    AUTO_BUF struct buf quoted = {0};
    json_error_t where;
    json_t *tree;

    if (is_too_deep(text)) {
        return error_set(err, FAIL_RETRY, "JSON is nested deeper than %d levels", JX_DEPTH_MAX);
    }
    tree = load(text, &where);
    if (!tree && json_error_code(&where) == json_error_numeric_overflow) {
        buf_init(&quoted, text.len * 3 + 2);
        tree = load(quote_huge_numbers(arena, text, &quoted), &where);
    }
    if (!tree) {
        /* jansson's own text may quote the document, which may be personal: the place is enough. */
        return error_set(err, FAIL_RETRY, "not JSON at byte %d of %zu (line %d)", where.position,
                         text.len, where.line);
    }
    *ret = jx_own(arena, tree);
    return OK;
}

static void free_text(void *text)
{
    free(text);
}

static struct str dump(struct arena *arena, const json_t *tree, size_t flags)
{
    /* 15 digits: 0.1 stays 0.1, and every decimal of up to 15 digits comes out as it went in. */
    char *text = json_dumps(tree, flags | JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    assert(text);
    arena_defer(arena, free_text, text);
    return str_of(text);
}

struct str jx_text(struct arena *arena, const json_t *tree)
{
    return dump(arena, tree, 0);
}

struct str jx_text_sorted(struct arena *arena, const json_t *tree)
{
    return dump(arena, tree, JSON_SORT_KEYS);
}

static const char *type_name(const json_t *value)
{
    if (!value) {
        return "nothing";
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

static enum fail expected(struct error *err, const char *key, const char *wanted,
                          const json_t *found)
{
    return error_set(err, FAIL_RECORD, "%s: expected %s, found %s", key, wanted, type_name(found));
}

json_t *jx_get(const json_t *parent, const char *key)
{
    return json_is_object(parent) ? json_object_get(parent, key) : NULL;
}

struct str jx_text_of(const json_t *value)
{
    if (!json_is_string(value)) {
        return STR_NONE;
    }
    return (struct str){.at = json_string_value(value), .len = json_string_length(value)};
}

static bool is_missing(const json_t *value)
{
    return !value || json_is_null(value);
}

enum fail jx_object(const json_t *parent, const char *key, json_t **ret, struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (!json_is_object(value)) {
        return expected(err, key, "an object", value);
    }
    *ret = value;
    return OK;
}

enum fail jx_array(const json_t *parent, const char *key, json_t **ret, struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (!json_is_array(value)) {
        return expected(err, key, "an array", value);
    }
    *ret = value;
    return OK;
}

enum fail jx_str(const json_t *parent, const char *key, struct str *ret, struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (!json_is_string(value)) {
        return expected(err, key, "a string", value);
    }
    *ret = jx_text_of(value);
    return OK;
}

enum fail jx_i64(const json_t *parent, const char *key, int64_t *ret, struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (!json_is_integer(value)) {
        return expected(err, key, "an integer", value);
    }
    *ret = json_integer_value(value);
    return OK;
}

enum fail jx_time_ms(const json_t *parent, const char *key, int64_t *ret_ms, struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (!json_is_string(value)) {
        return expected(err, key, "a time", value);
    }
    if (!when_parse_ms(jx_text_of(value), ret_ms)) {
        return error_set(err, FAIL_RECORD, "%s: expected a time, found other text", key);
    }
    return OK;
}

enum fail jx_id(struct arena *arena, const json_t *parent, const char *key, struct str *ret,
                struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (json_is_integer(value)) {
        *ret = arena_printf(arena, "%" PRId64, (int64_t)json_integer_value(value));
        return OK;
    }
    if (!json_is_string(value) || json_string_length(value) == 0) {
        return expected(err, key, "an id", value);
    }
    *ret = jx_text_of(value);
    return OK;
}

enum fail jx_object_or_null(const json_t *parent, const char *key, json_t **ret, struct error *err)
{
    if (is_missing(jx_get(parent, key))) {
        *ret = NULL;
        return OK;
    }
    return jx_object(parent, key, ret, err);
}

enum fail jx_array_or_null(const json_t *parent, const char *key, json_t **ret, struct error *err)
{
    if (is_missing(jx_get(parent, key))) {
        *ret = NULL;
        return OK;
    }
    return jx_array(parent, key, ret, err);
}

enum fail jx_str_or(const json_t *parent, const char *key, struct str otherwise, struct str *ret,
                    struct error *err)
{
    if (is_missing(jx_get(parent, key))) {
        *ret = otherwise;
        return OK;
    }
    return jx_str(parent, key, ret, err);
}

enum fail jx_i64_or(const json_t *parent, const char *key, int64_t otherwise, int64_t *ret,
                    struct error *err)
{
    if (is_missing(jx_get(parent, key))) {
        *ret = otherwise;
        return OK;
    }
    return jx_i64(parent, key, ret, err);
}

enum fail jx_bool_or(const json_t *parent, const char *key, bool otherwise, bool *ret,
                     struct error *err)
{
    json_t *value = jx_get(parent, key);

    if (is_missing(value)) {
        *ret = otherwise;
        return OK;
    }
    if (!json_is_boolean(value)) {
        return expected(err, key, "a boolean", value);
    }
    *ret = json_is_true(value);
    return OK;
}

enum fail jx_time_ms_or(const json_t *parent, const char *key, int64_t otherwise, int64_t *ret_ms,
                        struct error *err)
{
    if (is_missing(jx_get(parent, key))) {
        *ret_ms = otherwise;
        return OK;
    }
    return jx_time_ms(parent, key, ret_ms, err);
}

enum fail jx_id_or(struct arena *arena, const json_t *parent, const char *key, struct str otherwise,
                   struct str *ret, struct error *err)
{
    if (is_missing(jx_get(parent, key))) {
        *ret = otherwise;
        return OK;
    }
    return jx_id(arena, parent, key, ret, err);
}
