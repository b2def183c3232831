#include "core/jx.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/json_tree.h"
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

static size_t line_of(struct str text, size_t at)
{
    size_t line = 1;

    for (size_t i = 0; i < at && i < text.len; i++) {
        line += text.at[i] == '\n';
    }
    return line;
}

enum fail jx_parse(struct arena *arena, struct str text, json_t **ret, struct error *err)
{
    size_t at;
    bool is_deep;
    json_t *tree = json_tree(text.at ? text : STR(""), JX_DEPTH_MAX, &at, &is_deep);

    if (is_deep) {
        return error_set(err, FAIL_RETRY, "JSON is nested deeper than %d levels", JX_DEPTH_MAX);
    }
    if (!tree) { /* the document may be personal: the place is enough */
        return error_set(err, FAIL_RETRY, "not JSON at byte %zu of %zu (line %zu)", at, text.len,
                         line_of(text, at));
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
