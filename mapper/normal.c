#include "mapper/normal.h"

#include <inttypes.h>
#include <libpsl.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/unicode.h"
#include "core/uuid.h"
#include "core/when.h"

enum { MS_PER_DAY = 24 * 60 * 60 * 1000 };

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One line of ASCII that needs no change at all: most values of most records. */
static bool is_plain_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20 || c >= 0x7f || (c == ' ' && i && text.at[i - 1] == ' ')) {
            return false;
        }
    }
    return true;
}

/* Composed last: a control character may have stood between a letter and its accent. */
struct str normal_line(struct str text, struct arena *arena)
{
    struct str line = str_trim(text);
    char *copy;
    size_t len = 0;

    if (is_plain_line(line)) {
        return line;
    }
    copy = arena_alloc(arena, line.len + 1, 1);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.at[i];

        if (is_space(c)) {
            if (len && copy[len - 1] != ' ') {
                copy[len++] = ' ';
            }
        } else if ((unsigned char)c >= 0x20 && c != 0x7f) {
            copy[len++] = c;
        }
    }
    return utf8_nfc(arena, str_trim((struct str){.at = copy, .len = len}));
}

/* Several lines: NFC, LF line ends, no other control characters but tab, no blank lines at the ends. */
static struct str normal_lines(struct str text, struct arena *arena)
{
    char *copy = arena_alloc(arena, text.len + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '\r') {
            if (i + 1 < text.len && text.at[i + 1] == '\n') {
                continue;
            }
            c = '\n';
        }
        if (((unsigned char)c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t') {
            copy[len++] = c;
        }
    }
    return utf8_nfc(arena, str_trim((struct str){.at = copy, .len = len}));
}

static bool normal_email(struct str text, struct arena *arena, struct str *ret)
{
    struct str lower = utf8_nfc(arena, utf8_lower(arena, normal_line(text, arena)));
    struct str rest = lower;
    struct str local = str_cut(&rest, '@');

    for (size_t i = 0; i < lower.len; i++) {
        if (is_space(lower.at[i]) || lower.at[i] == ',' || lower.at[i] == ';') {
            return false;
        }
    }
    *ret = lower;
    return local.len && rest.len && !str_contains(rest, STR("@"));
}

/* --- domain and URL ------------------------------------------------------------------------------------------------------------ */

static struct str host_of(struct str text)
{
    struct str rest = text;
    const char *scheme = text.len ? memmem(text.at, text.len, "://", 3) : NULL;

    if (scheme) {
        rest = str_slice(text, (size_t)(scheme - text.at) + 3, text.len);
    }
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == '/' || rest.at[i] == '?' || rest.at[i] == '#') {
            rest.len = i;
        }
    }
    for (size_t i = rest.len; i > 0; i--) {
        if (rest.at[i - 1] == '@') {
            rest = str_slice(rest, i, rest.len);
            break;
        }
    }
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == ':') {
            rest.len = i;
        }
    }
    while (rest.len && rest.at[rest.len - 1] == '.') {
        rest.len--;
    }
    return rest;
}

struct str normal_domain(struct str text, struct arena *arena)
{
    struct str host = utf8_lower(arena, host_of(normal_line(text, arena)));
    const psl_ctx_t *list = psl_builtin();
    const char *registrable =
        host.len && list ? psl_registrable_domain(list, arena_cstr(arena, host)) : NULL;

    if (str_contains(host, STR(" "))) {
        return STR("");
    }
    if (registrable) {
        return arena_str(arena, str_of(registrable));
    }
    return str_starts(host, STR("www.")) ? str_slice(host, 4, host.len) : host;
}

/* Scheme and host in lower case, no slash behind a bare host. */
static struct str normal_url(struct str text, struct arena *arena)
{
    struct str line = normal_line(text, arena);
    struct str host = host_of(line);
    size_t end = host.at ? (size_t)(host.at - line.at) + host.len : 0;
    struct str head = utf8_nfc(arena, utf8_lower(arena, str_slice(line, 0, end)));
    struct str tail = str_slice(line, end, line.len);

    return str_trim(arena_printf(arena, "%" PRI_STR "%" PRI_STR, STR_ARG(head),
                                 STR_ARG(str_equal(tail, STR("/")) ? STR("") : tail)));
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------ */

static bool normal_boolean(struct str text, struct str *ret)
{
    bool is_true = str_equal_nocase(text, STR("true")) || str_equal_nocase(text, STR("yes")) ||
                   str_equal(text, STR("1"));

    *ret = is_true ? STR("true") : STR("false");
    return is_true || str_equal_nocase(text, STR("false")) || str_equal_nocase(text, STR("no")) ||
           str_equal(text, STR("0"));
}

/* Years 1 to 9999: what can be written as a date. */
static bool is_in_calendar(int64_t ms)
{
    return ms >= INT64_C(-62135596800000) && ms < INT64_C(253402300800000);
}

static bool normal_datetime(struct str text, struct arena *arena, struct str *ret)
{
    int64_t ms;

    if ((!str_to_i64(text, &ms) && !when_parse_ms(text, &ms)) || !is_in_calendar(ms)) {
        return false;
    }
    *ret = arena_printf(arena, "%" PRId64, ms);
    return true;
}

/* A date, the day of a time, or ms since 1970 (older answers of HubSpot), always in UTC: a date has no zone to shift it by. */
static bool normal_date(struct str text, struct arena *arena, struct str *ret)
{
    char day[WHEN_TEXT_BYTES];
    int64_t ms;

    if (when_is_date(text)) {
        *ret = text;
        return true;
    }
    if (text.len > 10 && when_is_date(str_slice(text, 0, 10)) && when_parse_ms(text, &ms)) {
        *ret = str_slice(text, 0, 10);
        return true;
    }
    if (text.len <= 8 || !str_to_i64(text, &ms) || ms % MS_PER_DAY != 0 || !is_in_calendar(ms)) {
        return false;
    }
    when_format_ms(ms, day);
    *ret = arena_str(arena, (struct str){.at = day, .len = 10});
    return when_is_date(*ret);
}

static bool normal_integer(struct str text, struct arena *arena, struct str *ret)
{
    return decimal_canonical(arena, text, 0, ret) && !str_contains(*ret, STR("."));
}

bool normal_text(enum field_type type, struct str text, struct arena *arena, struct str *ret)
{
    switch (type) {
    case TYPE_STRING:
    case TYPE_ENUM:
    case TYPE_MULTI_ENUM:
        *ret = normal_line(text, arena);
        return true;
    case TYPE_TEXT:
        *ret = normal_lines(text, arena);
        return true;
    case TYPE_EMAIL:
        return normal_email(text, arena, ret);
    case TYPE_PHONE:
        *ret = normal_phone(text, STR(""), arena);
        return true;
    case TYPE_URL:
        *ret = normal_url(text, arena);
        return true;
    case TYPE_INTEGER:
        return normal_integer(str_trim(text), arena, ret);
    case TYPE_DECIMAL:
    case TYPE_MONEY:
        return decimal_canonical(arena, str_trim(text), 0, ret);
    case TYPE_BOOLEAN:
        return normal_boolean(str_trim(text), ret);
    case TYPE_DATE:
        return normal_date(str_trim(text), arena, ret);
    case TYPE_DATETIME:
        return normal_datetime(str_trim(text), arena, ret);
    case TYPE_REFERENCE:
    case TYPE_REFERENCE_LIST:
        *ret = str_trim(text);
        return uuid_is_valid(*ret);
    }
    abort();
}

const char *field_type_expects(enum field_type type)
{
    switch (type) {
    case TYPE_EMAIL:
        return "an e-mail address";
    case TYPE_INTEGER:
        return "a whole number";
    case TYPE_DECIMAL:
    case TYPE_MONEY:
        return "a number";
    case TYPE_BOOLEAN:
        return "true or false";
    case TYPE_DATE:
        return "a date such as 2026-11-21";
    case TYPE_DATETIME:
        return "a time such as 2026-11-21T07:05:31Z";
    case TYPE_REFERENCE:
    case TYPE_REFERENCE_LIST:
        return "the id of a record";
    case TYPE_STRING:
    case TYPE_TEXT:
    case TYPE_PHONE:
    case TYPE_URL:
    case TYPE_ENUM:
    case TYPE_MULTI_ENUM:
        break;
    }
    return "text";
}

static int by_text(const void *x, const void *y)
{
    return str_compare(*(const struct str *)x, *(const struct str *)y);
}

struct value normal_list(const struct str *items, size_t count, struct arena *arena)
{
    struct str *sorted = ARENA_ARRAY(arena, struct str, count + 1);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].len) {
            sorted[kept++] = items[i];
        }
    }
    qsort(sorted, kept, sizeof *sorted, by_text);
    count = kept;
    kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !str_equal(sorted[kept - 1], sorted[i])) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept ? (struct value){.state = VALUE_LIST, .items = sorted, .items_count = kept}
                : VALUE_NONE;
}
