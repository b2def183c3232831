#include "core/json_tree.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json_text.h"
#include "core/unicode.h"

struct reader {
    const char *from, *at, *end;
    int levels; /* that may still be opened */
    bool is_deep;
    char *piece; /* owned: a text being unescaped, or a number with its NUL */
    size_t piece_bytes;
};

static json_t *take_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')) {
        r->at++;
    }
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static char *piece_of(struct reader *r, struct str text)
{
    if (text.len >= r->piece_bytes) {
        r->piece_bytes = 2 * text.len + 64;
        r->piece = alloc_resize(r->piece, r->piece_bytes, 1);
    }
    memcpy(r->piece, text.at, text.len);
    r->piece[text.len] = '\0';
    return r->piece;
}

/* --- texts ------------------------------------------------------------------------------------ */

/* r stands behind the opening quote, and afterwards behind the closing one. */
static bool find_end(struct reader *r, struct str *ret_raw, bool *ret_has_escapes)
{
    const char *from = r->at;

    *ret_has_escapes = false;
    for (;;) {
        r->at += json_plain_eights(r->at, (size_t)(r->end - r->at));
        while (r->at < r->end && (unsigned char)*r->at >= 0x20 && *r->at != '"' && *r->at != '\\') {
            r->at++;
        }
        if (r->at == r->end || (unsigned char)*r->at < 0x20) {
            return false;
        }
        if (*r->at++ == '"') {
            *ret_raw = (struct str){.at = from, .len = (size_t)(r->at - from) - 1};
            return true;
        }
        *ret_has_escapes = true;
        r->at += r->at < r->end;
    }
}

/* Into the piece. */
static bool unescape(struct reader *r, struct str raw, struct str *ret)
{
    char *from = piece_of(r, raw), *to = from;
    const char *at = raw.at, *end = raw.at + raw.len;

    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++;
        if (!json_unescape(&at, end, &to)) {
            r->at = at;
            return false;
        }
    }
    *ret = (struct str){.at = from, .len = (size_t)(to - from)};
    return true;
}

/* Borrowed from the document, or from the piece until the next text. */
static bool take_text(struct reader *r, struct str *ret)
{
    bool has_escapes;

    return take(r, '"') && find_end(r, ret, &has_escapes) &&
           (!has_escapes || unescape(r, *ret, ret));
}

static json_t *made(json_t *value)
{
    assert(value); /* no memory: a crash is safe */
    return value;
}

static json_t *take_string(struct reader *r)
{
    struct str text;

    return take_text(r, &text) ? made(json_stringn_nocheck(text.at, text.len)) : NULL;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static bool take_digits(struct reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        r->at++;
    }
    return r->at > from;
}

static bool take_one(struct reader *r, const char *of)
{
    if (r->at == r->end || !*r->at || !strchr(of, *r->at)) {
        return false;
    }
    r->at++;
    return true;
}

/* RFC 8259, section 6. */
static bool take_digits_of_number(struct reader *r, bool *ret_is_whole)
{
    *ret_is_whole = true;
    take_one(r, "-");
    if (!take_one(r, "0") && !take_digits(r)) {
        return false;
    }
    if (take_one(r, ".")) {
        *ret_is_whole = false;
        if (!take_digits(r)) {
            return false;
        }
    }
    if (take_one(r, "eE")) {
        *ret_is_whole = false;
        take_one(r, "+-");
        return take_digits(r);
    }
    return true;
}

static json_t *take_number(struct reader *r)
{
    const char *from = r->at;
    struct str digits;
    bool is_whole;
    int64_t whole;
    double real;

    if (!take_digits_of_number(r, &is_whole)) {
        return NULL;
    }
    digits = (struct str){.at = from, .len = (size_t)(r->at - from)};
    if (is_whole) {
        return made(str_to_i64(digits, &whole) ? json_integer(whole)
                                               : json_stringn_nocheck(digits.at, digits.len));
    }
    real = strtod(piece_of(r, digits), NULL);
    return made(isinf(real) ? json_stringn_nocheck(digits.at, digits.len) : json_real(real));
}

static json_t *take_word(struct reader *r, struct str word, json_t *value)
{
    if (!str_starts((struct str){.at = r->at, .len = (size_t)(r->end - r->at)}, word)) {
        return NULL;
    }
    r->at += word.len;
    return value;
}

/* --- lists and objects ------------------------------------------------------------------------ */

static bool take_items(struct reader *r, json_t *list)
{
    while (!take(r, ']')) {
        json_t *value;

        if (json_array_size(list) && !take(r, ',')) {
            return false;
        }
        value = take_value(r);
        if (!value) {
            return false;
        }
        json_array_append_new(list, value);
    }
    return true;
}

static bool take_member(struct reader *r, json_t *object)
{
    size_t before = json_object_size(object);
    struct str key;
    json_t *value;
    char brief[64], *kept = NULL, *name;

    if (!take_text(r, &key) || (key.len && memchr(key.at, '\0', key.len))) {
        return false;
    }
    if (key.at == r->piece) { /* it does not outlive the value */
        kept = key.len < sizeof brief ? NULL : alloc_resize(NULL, key.len, 1);
        name = kept ? kept : brief;
        memcpy(name, key.at, key.len);
        key.at = name;
    }
    value = take(r, ':') ? take_value(r) : NULL;
    if (value) {
        json_object_setn_new_nocheck(object, key.at, key.len, value);
    }
    free(kept);
    return value && json_object_size(object) > before; /* else it is there twice */
}

static bool take_members(struct reader *r, json_t *object)
{
    while (!take(r, '}')) {
        if ((json_object_size(object) && !take(r, ',')) || !take_member(r, object)) {
            return false;
        }
    }
    return true;
}

static json_t *take_level(struct reader *r, json_t *container,
                          bool (*fill)(struct reader *r, json_t *container))
{
    made(container);
    if (r->levels == 0) {
        r->is_deep = true;
    } else {
        r->levels--;
        r->at++;
        if (fill(r, container)) {
            r->levels++;
            return container;
        }
    }
    json_decref(container);
    return NULL;
}

static json_t *take_value(struct reader *r)
{
    skip_blanks(r);
    switch (r->at < r->end ? *r->at : '\0') {
    case '{':
        return take_level(r, json_object(), take_members);
    case '[':
        return take_level(r, json_array(), take_items);
    case '"':
        return take_string(r);
    case 't':
        return take_word(r, STR("true"), json_true());
    case 'f':
        return take_word(r, STR("false"), json_false());
    case 'n':
        return take_word(r, STR("null"), json_null());
    default:
        return take_number(r);
    }
}

json_t *json_tree(struct str text, int depth_max, size_t *ret_at, bool *ret_is_deep)
{
    struct reader r = {
        .from = text.at, .at = text.at, .end = text.at + text.len, .levels = depth_max};
    size_t good = utf8_valid_prefix(text);
    json_t *tree = NULL;

    if (good == text.len) {
        tree = take_value(&r);
        skip_blanks(&r);
        if (tree && r.at < r.end) {
            json_decref(tree);
            tree = NULL;
        }
        good = (size_t)(r.at - r.from);
    }
    free(r.piece);
    *ret_at = good;
    *ret_is_deep = r.is_deep;
    return tree;
}
