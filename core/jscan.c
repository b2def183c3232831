#include "core/jscan.h"

#include <assert.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/json_text.h"
#include "core/jx.h"
#include "core/unicode.h"

enum { BYTES_OF_A_VALUE = 8, CAPACITY_LEAST = 16 };

struct reader {
    struct jscan *scan;
    const char *at, *end;
    int depth;
};

static size_t place_of(const struct reader *reader)
{
    return (size_t)(reader->at - reader->scan->text.at);
}

/* Its index: what is added later may move it. */
static size_t add(struct reader *reader, enum jscan_kind kind, size_t from)
{
    struct jscan *scan = reader->scan;

    if (scan->count == scan->capacity) {
        scan->capacity *= 2;
        scan->at = alloc_resize(scan->at, scan->capacity, sizeof *scan->at);
    }
    scan->at[scan->count] = (struct jscan_value){
        .from = (uint32_t)from, .past = (uint32_t)scan->count + 1, .kind = (uint8_t)kind};
    return scan->count++;
}

static bool end_value(struct reader *reader, size_t index)
{
    struct jscan_value *value = &reader->scan->at[index];

    value->to = (uint32_t)place_of(reader);
    value->past = (uint32_t)reader->scan->count;
    return true;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\t' || *reader->at == '\r')) {
        reader->at++;
    }
}

static bool take(struct reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c) {
        return false;
    }
    reader->at++;
    return true;
}

static bool is_next(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

/* --- texts --- */

/* Behind the backslash. */
static bool skip_escape(struct reader *reader)
{
    char ignored[4], *to = ignored;

    return json_unescape(&reader->at, reader->end, &to);
}

/* Up to the closing quote, which stays. */
static bool skip_text(struct reader *reader, bool *ret_escapes)
{
    while (reader->at < reader->end && *reader->at != '"') {
        unsigned char c = (unsigned char)*reader->at++;

        if (c < ' ') {
            return false;
        }
        if (c == '\\') {
            *ret_escapes = true;
            if (!skip_escape(reader)) {
                return false;
            }
        }
    }
    return reader->at < reader->end;
}

static bool read_text(struct reader *reader)
{
    bool has_escapes = false;
    size_t index;

    if (!take(reader, '"')) {
        return false;
    }
    index = add(reader, JSCAN_TEXT, place_of(reader));
    if (!skip_text(reader, &has_escapes)) {
        return false;
    }
    reader->scan->at[index].has_escapes = has_escapes;
    end_value(reader, index);
    reader->at++;
    return true;
}

/* --- numbers and words --- */

static bool skip_digits(struct reader *reader)
{
    const char *from = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return reader->at > from;
}

static bool skip_exponent(struct reader *reader)
{
    if (!take(reader, 'e') && !take(reader, 'E')) {
        return true;
    }
    if (!take(reader, '+')) {
        (void)take(reader, '-');
    }
    return skip_digits(reader);
}

static bool read_number(struct reader *reader)
{
    size_t index = add(reader, JSCAN_INTEGER, place_of(reader));
    const char *whole_end;

    (void)take(reader, '-');
    if (!take(reader, '0') && !skip_digits(reader)) {
        return false;
    }
    whole_end = reader->at;
    if ((take(reader, '.') && !skip_digits(reader)) || !skip_exponent(reader)) {
        return false;
    }
    if (reader->at > whole_end) {
        reader->scan->at[index].kind = JSCAN_REAL;
    }
    return end_value(reader, index);
}

static bool read_word(struct reader *reader, struct str word, enum jscan_kind kind)
{
    size_t left = (size_t)(reader->end - reader->at);
    size_t index = add(reader, kind, place_of(reader));

    if (left < word.len || memcmp(reader->at, word.at, word.len) != 0) {
        return false;
    }
    reader->at += word.len;
    return end_value(reader, index);
}

/* --- values in values --- */

static bool read_value(struct reader *reader);

static struct str written(const struct jscan *scan, const struct jscan_value *value)
{
    return (struct str){.at = scan->text.at + value->from, .len = value->to - value->from};
}

/* Keys with escapes are held against the others as they are written. */
static bool is_new_key(const struct jscan *scan, size_t object, size_t key)
{
    struct str name = written(scan, &scan->at[key]);

    for (size_t i = object + 1; i < key; i = scan->at[i + 1].past) {
        if (str_equal(written(scan, &scan->at[i]), name)) {
            return false;
        }
    }
    return true;
}

static bool read_member(struct reader *reader, size_t object)
{
    size_t key;

    skip_blanks(reader);
    key = reader->scan->count;
    if (!read_text(reader) || !is_new_key(reader->scan, object, key)) {
        return false;
    }
    skip_blanks(reader);
    return take(reader, ':') && read_value(reader);
}

static bool read_object(struct reader *reader)
{
    size_t index = add(reader, JSCAN_OBJECT, place_of(reader));
    int members = 0;

    reader->at++;
    skip_blanks(reader);
    if (take(reader, '}')) {
        return end_value(reader, index);
    }
    do {
        if (members++ == JSCAN_MEMBERS_MAX || !read_member(reader, index)) {
            return false;
        }
    } while (take(reader, ','));
    return take(reader, '}') && end_value(reader, index);
}

static bool read_array(struct reader *reader)
{
    size_t index = add(reader, JSCAN_ARRAY, place_of(reader));

    reader->at++;
    skip_blanks(reader);
    if (take(reader, ']')) {
        return end_value(reader, index);
    }
    do {
        if (!read_value(reader)) {
            return false;
        }
    } while (take(reader, ','));
    return take(reader, ']') && end_value(reader, index);
}

static bool read_nested(struct reader *reader)
{
    bool is_read;

    if (reader->depth == JX_DEPTH_MAX) {
        return false;
    }
    reader->depth++;
    is_read = is_next(reader, '{') ? read_object(reader) : read_array(reader);
    reader->depth--;
    return is_read;
}

static bool read_one(struct reader *reader)
{
    switch (reader->at < reader->end ? *reader->at : '\0') {
    case '{':
    case '[':
        return read_nested(reader);
    case '"':
        return read_text(reader);
    case 't':
        return read_word(reader, STR("true"), JSCAN_TRUE);
    case 'f':
        return read_word(reader, STR("false"), JSCAN_FALSE);
    case 'n':
        return read_word(reader, STR("null"), JSCAN_NULL);
    default:
        return read_number(reader);
    }
}

/* With the blanks around it. */
static bool read_value(struct reader *reader)
{
    skip_blanks(reader);
    if (!read_one(reader)) {
        return false;
    }
    skip_blanks(reader);
    return true;
}

bool jscan_read(struct jscan *scan, struct str text)
{
    struct reader reader = {.scan = scan, .at = text.at, .end = text.at + text.len};

    assert(text.len < UINT32_MAX);
    *scan = (struct jscan){.text = text, .capacity = text.len / BYTES_OF_A_VALUE + CAPACITY_LEAST};
    scan->at = alloc_resize(NULL, scan->capacity, sizeof *scan->at);
    return text.len && read_value(&reader) && reader.at == reader.end && utf8_is_valid(text);
}

void jscan_fini(struct jscan *scan)
{
    free(scan->at);
    *scan = (struct jscan){0};
}

/* --- looking --- */

bool jscan_is(const struct jscan_value *value, enum jscan_kind kind)
{
    return value && value->kind == kind;
}

const struct jscan_value *jscan_root(const struct jscan *scan)
{
    return scan->at;
}

const struct jscan_value *jscan_get(const struct jscan *scan, const struct jscan_value *in,
                                    struct str key)
{
    size_t i;

    if (!jscan_is(in, JSCAN_OBJECT)) {
        return NULL;
    }
    for (i = (size_t)(in - scan->at) + 1; i < in->past; i = scan->at[i + 1].past) {
        if (str_equal(written(scan, &scan->at[i]), key)) {
            return &scan->at[i + 1];
        }
    }
    return NULL;
}

const struct jscan_value *jscan_next(const struct jscan *scan, const struct jscan_value *in,
                                     const struct jscan_value *before)
{
    size_t next;

    if (!jscan_is(in, JSCAN_ARRAY)) {
        return NULL;
    }
    next = before ? before->past : (size_t)(in - scan->at) + 1;
    return next < in->past ? &scan->at[next] : NULL;
}

/* It was checked when it was read. A character is never longer than its escape. */
static struct str without_escapes(struct str text, struct arena *arena)
{
    char *from = arena_alloc(arena, text.len + 1, 1), *to = from;
    const char *at = text.at, *end = text.at + text.len;

    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
        } else {
            at++;
            (void)json_unescape(&at, end, &to);
        }
    }
    return (struct str){.at = from, .len = (size_t)(to - from)};
}

struct str jscan_text(const struct jscan *scan, const struct jscan_value *value,
                      struct arena *arena)
{
    if (!jscan_is(value, JSCAN_TEXT)) {
        return STR_NONE;
    }
    return value->has_escapes ? without_escapes(written(scan, value), arena) : written(scan, value);
}

struct str jscan_id(const struct jscan *scan, const struct jscan_value *value, struct arena *arena)
{
    if (jscan_is(value, JSCAN_INTEGER)) {
        return written(scan, value);
    }
    return jscan_is(value, JSCAN_TEXT) ? jscan_text(scan, value, arena) : STR("");
}
