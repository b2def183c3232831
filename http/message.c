#include "http/message.h"

#include <stdlib.h>

#include "core/when.h"
#include "http/stream.h"

enum { RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1000 };

void http_response_fini(struct http_response *response)
{
    http_stream_detach(response->stream);
    arena_fini(&response->arena);
    *response = (struct http_response){0};
}

const char *http_method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    }
    abort();
}

const char *http_request_method(const struct http_request *request)
{
    return request->is_head ? "HEAD" : http_method_name(request->method);
}

struct str http_header_get(const struct http_headers *headers, const char *name)
{
    struct str wanted = str_of(name);

    for (size_t i = 0; i < headers->count; i++) {
        if (str_equal_nocase(headers->at[i].name, wanted)) {
            return headers->at[i].value;
        }
    }
    return STR_NONE;
}

void http_header_add(struct http_headers *headers, struct str name, struct str value)
{
    if (headers->count < HTTP_HEADERS_MAX) {
        headers->at[headers->count++] = (struct http_header){.name = name, .value = value};
    }
}

/* The part of a URL from its path on; the scheme and authority of an absolute one are skipped. */
static struct str from_path(struct str url)
{
    size_t at = 0;

    if (url.len && url.at[0] != '/') {
        for (size_t i = 0; i + 2 < url.len; i++) {
            if (memcmp(url.at + i, "://", 3) == 0) {
                at = i + 3;
                break;
            }
        }
        while (at < url.len && url.at[at] != '/' && url.at[at] != '?' && url.at[at] != '#') {
            at++;
        }
    }
    return str_slice(url, at, url.len);
}

struct str http_path(const struct http_request *request)
{
    struct str rest = from_path(request->url);
    struct str before_fragment = str_cut(&rest, '#');

    return str_cut(&before_fragment, '?');
}

static struct str query_of(const struct http_request *request)
{
    struct str rest = from_path(request->url);
    struct str query = str_cut(&rest, '#');

    str_cut(&query, '?');
    return query;
}

struct str http_query_get(struct arena *arena, const struct http_request *request, const char *name)
{
    struct str rest = query_of(request);
    struct str wanted = str_of(name);

    while (rest.at) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');

        if (str_equal(http_percent_decode(arena, key, true), wanted)) {
            return value.at ? http_percent_decode(arena, value, true) : STR("");
        }
    }
    return STR_NONE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that an escape at the start of text stands for, or -1. */
static int escape_value(struct str text)
{
    int high, low;

    if (text.len < 3 || text.at[0] != '%') {
        return -1;
    }
    high = hex_value(text.at[1]);
    low = hex_value(text.at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct str http_percent_decode(struct arena *arena, struct str text, bool plus_is_blank)
{
    char *to = arena_alloc(arena, text.len + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        int byte = escape_value(str_slice(text, i, text.len));

        if (byte >= 0) {
            to[len++] = (char)byte;
            i += 2;
        } else {
            to[len++] = plus_is_blank && text.at[i] == '+' ? ' ' : text.at[i];
        }
    }
    return (struct str){.at = to, .len = len};
}

/* source: RFC 3986 section 2.3 */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

struct str http_percent_encode(struct arena *arena, struct str text)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    char *to = arena_alloc(arena, text.len * 3 + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];

        if (is_unreserved(text.at[i])) {
            to[len++] = text.at[i];
            continue;
        }
        to[len++] = '%';
        to[len++] = DIGITS[byte >> 4];
        to[len++] = DIGITS[byte & 15];
    }
    return (struct str){.at = to, .len = len};
}

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

static int64_t clamp_wait(int64_t ms)
{
    return ms < 0 ? 0 : ms > RETRY_AFTER_MS_MAX ? RETRY_AFTER_MS_MAX : ms;
}

int64_t http_retry_after_ms(const struct http_headers *headers, int64_t now_ms,
                            int64_t otherwise_ms)
{
    struct str value = str_trim(http_header_get(headers, "retry-after"));
    int64_t number;

    if (is_digits(value)) {
        /* More digits than an int64_t holds is longer than the cap as well. */
        bool is_long = !str_to_i64(value, &number) || number > RETRY_AFTER_MS_MAX / 1000;

        return is_long ? RETRY_AFTER_MS_MAX : number * 1000;
    }
    if (value.len && when_parse_http_ms(value, &number)) {
        return clamp_wait(number - now_ms);
    }
    return clamp_wait(otherwise_ms);
}
