#include "core/str.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(struct str x, struct str y)
{
    if (x.len != y.len) {
        return false;
    }
    for (size_t i = 0; i < x.len; i++) {
        if (lower(x.at[i]) != lower(y.at[i])) {
            return false;
        }
    }
    return true;
}

int str_compare(struct str x, struct str y)
{
    size_t shorter = x.len < y.len ? x.len : y.len;
    int order = shorter ? memcmp(x.at, y.at, shorter) : 0;

    return order ? order : (x.len > y.len) - (x.len < y.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.at + s.len - suffix.len, suffix.at, suffix.len) == 0);
}

bool str_contains(struct str s, struct str part)
{
    return part.len == 0 || (s.len >= part.len && memmem(s.at, s.len, part.at, part.len) != NULL);
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    to = to > s.len ? s.len : to;
    from = from > to ? to : from;
    return (struct str){.at = s.at ? s.at + from : NULL, .len = to - from};
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len && is_blank(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct str str_cut(struct str *rest, char separator)
{
    struct str whole = *rest;
    const char *at = whole.len ? memchr(whole.at, separator, whole.len) : NULL;
    size_t len;

    if (!at) {
        *rest = STR_NONE;
        return whole;
    }
    len = (size_t)(at - whole.at);
    *rest = (struct str){.at = at + 1, .len = whole.len - len - 1};
    return (struct str){.at = whole.at, .len = len};
}

bool str_to_i64(struct str s, int64_t *ret)
{
    int64_t number = 0;
    size_t i = 0;
    bool is_negative = s.len && s.at[0] == '-';

    i = is_negative ? 1 : 0;
    if (i == s.len) {
        return false;
    }
    for (; i < s.len; i++) {
        int digit = s.at[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, digit, &number)) {
            return false; /* built downward, so that INT64_MIN fits */
        }
    }
    if (!is_negative && number == INT64_MIN) {
        return false;
    }
    *ret = is_negative ? number : -number;
    return true;
}

void buf_init(struct buf *buf, size_t bytes_max)
{
    *buf = (struct buf){.bytes_max = bytes_max};
}

void buf_fini(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf){0};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->is_full = false;
    if (buf->at) {
        buf->at[0] = '\0';
    }
}

static bool buf_make_room(struct buf *buf, size_t more)
{
    size_t wants;

    if (buf->is_full || more > buf->bytes_max - buf->len) {
        buf->is_full = true;
        return false;
    }
    wants = buf->len + more + 1;
    if (wants > buf->capacity) {
        size_t capacity = buf->capacity ? buf->capacity * 2 : 256;

        capacity = capacity < wants ? wants : capacity;
        buf->at = alloc_resize(buf->at, capacity, 1);
        buf->capacity = capacity;
    }
    return true;
}

void buf_add(struct buf *buf, struct str text)
{
    if (buf_make_room(buf, text.len)) {
        if (text.len) {
            memcpy(buf->at + buf->len, text.at, text.len);
        }
        buf->len += text.len;
        buf->at[buf->len] = '\0';
    }
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, (struct str){.at = &c, .len = 1});
}

/* Most pieces fit into the room that is there: those are written once. */
void buf_addf(struct buf *buf, const char *format, ...)
{
    size_t room = buf->capacity - buf->len, allowed = buf->bytes_max - buf->len + 1;
    va_list arguments, again;
    int len;

    room = buf->is_full ? 0 : room < allowed ? room : allowed;
    va_start(arguments, format);
    va_copy(again, arguments);
    len = vsnprintf(room ? buf->at + buf->len : NULL, room, format, arguments);
    va_end(arguments);
    assert(len >= 0);
    if ((size_t)len < room) {
        buf->len += (size_t)len;
    } else if (buf_make_room(buf, (size_t)len)) {
        vsnprintf(buf->at + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    } else if (room) {
        buf->at[buf->len] = '\0'; /* what was begun is taken back */
    }
    va_end(again);
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){.at = buf->at ? buf->at : "", .len = buf->len};
}
