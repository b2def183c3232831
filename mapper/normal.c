#include "mapper/normal.h"

#include <inttypes.h>
#include <libpsl.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/unicode.h"
#include "core/uuid.h"
#include "core/when.h"

enum { EXTENSION_DIGITS_MAX = 8, PHONE_DIGITS_MAX = 40, DOUBLE_DIGITS = 15 };

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str normal_line(struct str text, struct arena *arena)
{
    struct str composed = utf8_nfc(arena, str_trim(text));
    char *copy;
    size_t len = 0;
    bool is_clean = true;

    for (size_t i = 0; i < composed.len && is_clean; i++) {
        unsigned char c = (unsigned char)composed.at[i];

        is_clean = c >= 0x20 && c != 0x7f && !(c == ' ' && i && composed.at[i - 1] == ' ');
    }
    if (is_clean) {
        return composed;
    }
    copy = arena_alloc(arena, composed.len + 1, 1);
    for (size_t i = 0; i < composed.len; i++) {
        char c = composed.at[i];

        if (is_space(c)) {
            if (len && copy[len - 1] != ' ') {
                copy[len++] = ' ';
            }
        } else if ((unsigned char)c >= 0x20 && c != 0x7f) {
            copy[len++] = c;
        }
    }
    return str_trim((struct str){.at = copy, .len = len});
}

/* Several lines: NFC, LF line ends, no other control characters but tab, no blank lines at the ends. */
static struct str normal_lines(struct str text, struct arena *arena)
{
    struct str composed = utf8_nfc(arena, text);
    char *copy = arena_alloc(arena, composed.len + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < composed.len; i++) {
        char c = composed.at[i];

        if (c == '\r') {
            if (i + 1 < composed.len && composed.at[i + 1] == '\n') {
                continue;
            }
            c = '\n';
        }
        if ((unsigned char)c >= 0x20 || c == '\n' || c == '\t') {
            copy[len++] = c;
        }
    }
    return str_trim((struct str){.at = copy, .len = len});
}

static bool normal_email(struct str text, struct arena *arena, struct str *ret)
{
    struct str lower = utf8_lower(arena, normal_line(text, arena));
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

/* --- phone -------------------------------------------------------------------------------------------------------------------- */

/* Splits "…x12", "… ext. 12", "…;ext=12" off. */
static struct str cut_extension(struct str text, struct str *ret_extension)
{
    size_t digits_from = text.len;

    *ret_extension = STR("");
    while (digits_from && text.at[digits_from - 1] >= '0' && text.at[digits_from - 1] <= '9') {
        digits_from--;
    }
    struct str head = str_slice(text, 0, digits_from),
               digits = str_slice(text, digits_from, text.len);
    struct str marked = head;

    while (marked.len && (marked.at[marked.len - 1] == '.' || marked.at[marked.len - 1] == ' ' ||
                          marked.at[marked.len - 1] == '=')) {
        marked.len--;
    }
    size_t letters = marked.len;
    while (letters &&
           (((marked.at[letters - 1] | 32) >= 'a') && ((marked.at[letters - 1] | 32) <= 'z'))) {
        letters--;
    }
    struct str word = str_slice(marked, letters, marked.len);

    if (digits.len == 0 || digits.len > EXTENSION_DIGITS_MAX || letters == 0 ||
        !(str_equal_nocase(word, STR("x")) || str_equal_nocase(word, STR("ext")) ||
          str_equal_nocase(word, STR("extension")))) {
        return text;
    }
    *ret_extension = digits;
    head = str_slice(marked, 0, letters);
    while (head.len && (head.at[head.len - 1] == ';' || is_space(head.at[head.len - 1]))) {
        head.len--;
    }
    return head;
}

/* Digits, with '+' in front when it is international. "(0)" inside an international number is a trunk prefix. */
static size_t phone_digits(struct str text, char *ret, bool *ret_international)
{
    size_t len = 0;

    *ret_international = text.len && text.at[0] == '+';
    for (size_t i = 0; i < text.len && len < PHONE_DIGITS_MAX; i++) {
        if (str_starts(str_slice(text, i, text.len), STR("(0)")) && *ret_international) {
            i += 2;
        } else if (text.at[i] >= '0' && text.at[i] <= '9') {
            ret[len++] = text.at[i];
        }
    }
    if (!*ret_international && len > 2 && ret[0] == '0' && ret[1] == '0') {
        *ret_international = true;
        memmove(ret, ret + 2, len - 2);
        len -= 2;
    }
    return len;
}

struct str normal_phone(struct str text, struct str default_code, struct arena *arena)
{
    char digits[PHONE_DIGITS_MAX];
    struct str extension;
    struct str line = normal_line(text, arena);
    struct str number = cut_extension(line, &extension);
    bool international;
    size_t len = phone_digits(number, digits, &international);
    struct str code = STR(""), kept = {.at = digits, .len = len};

    if (len == 0) {
        return line; /* no number at all: as typed */
    }
    if (!international && default_code.len) {
        code = default_code;
        kept = kept.len > 1 && kept.at[0] == '0' ? str_slice(kept, 1, kept.len) : kept;
        international = true;
    }
    return arena_printf(arena, "%s%" PRI_STR "%" PRI_STR "%s%" PRI_STR, international ? "+" : "",
                        STR_ARG(code), STR_ARG(kept), extension.len ? ";ext=" : "",
                        STR_ARG(extension));
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
    struct str head = utf8_lower(arena, str_slice(line, 0, end));
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

static bool normal_datetime(struct str text, struct arena *arena, struct str *ret)
{
    int64_t ms;

    if (!str_to_i64(text, &ms) && !when_parse_ms(text, &ms)) {
        return false;
    }
    *ret = arena_printf(arena, "%" PRId64, ms);
    return true;
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
        return decimal_canonical(arena, str_trim(text), DOUBLE_DIGITS, ret);
    case TYPE_BOOLEAN:
        return normal_boolean(str_trim(text), ret);
    case TYPE_DATE:
        *ret = str_slice(str_trim(text), 0, 10);
        return when_is_date(*ret);
    case TYPE_DATETIME:
        return normal_datetime(str_trim(text), arena, ret);
    case TYPE_REFERENCE:
    case TYPE_REFERENCE_LIST:
        *ret = str_trim(text);
        return uuid_is_valid(*ret);
    }
    abort();
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
