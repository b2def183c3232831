/* Phone numbers by a light rule of our own: no numbering plan is consulted beyond the prefix that is dialled inside a country. */
#include "mapper/normal.h"

/* E.164: at most 15 digits. Shorter than a subscriber's number: a service number or an inside line, which no country code belongs to. */
enum { EXTENSION_DIGITS_MAX = 8, E164_DIGITS_MAX = 15, SUBSCRIBER_DIGITS_MIN = 7 };

struct number {
    char digits[E164_DIGITS_MAX + 4]; /* and room for "00" and a trunk prefix in front */
    size_t len;
    bool is_international;
};

/* What is dialled in front of a national number and left out behind the country code, where it is not "0". Italy's zero belongs to the number.
 * source: ITU-T Operational Bulletin 994 annex, dialling procedures */
static const struct {
    const char *code, *trunk;
} TRUNKS[] = {{"1", "1"}, {"7", "8"}, {"36", "06"}, {"39", ""}, {"378", ""}, {"379", ""}};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of a mark that people put between digits, 0 for anything else. Beside ASCII: no-break and thin spaces, hyphens and dashes, direction marks. */
static size_t mark_len(struct str text)
{
    static const char *const MARKS[] = {" ",
                                        "-",
                                        ".",
                                        "/",
                                        "(",
                                        ")",
                                        "\xC2\xA0",
                                        "\xE2\x80\x89",
                                        "\xE2\x80\xAF",
                                        "\xE2\x80\x90",
                                        "\xE2\x80\x91",
                                        "\xE2\x80\x92",
                                        "\xE2\x80\x93",
                                        "\xE2\x80\x94",
                                        "\xE2\x80\x8E",
                                        "\xE2\x80\xAA",
                                        "\xE2\x80\xAC",
                                        "\xE2\x80\xAD"};

    for (size_t i = 0; i < COUNT_OF(MARKS); i++) {
        if (str_starts(text, str_of(MARKS[i]))) {
            return strlen(MARKS[i]);
        }
    }
    return 0;
}

static bool is_extension_word(struct str word)
{
    return str_equal_nocase(word, STR("x")) || str_equal_nocase(word, STR("ext")) ||
           str_equal_nocase(word, STR("extension")) || str_equal(word, STR("#"));
}

/* The word in front of the last digits: letters, or '#'. */
static struct str last_word(struct str text)
{
    size_t from = text.len;

    if (from && text.at[from - 1] == '#') {
        return str_slice(text, from - 1, from);
    }
    while (from && (text.at[from - 1] | 32) >= 'a' && (text.at[from - 1] | 32) <= 'z') {
        from--;
    }
    return str_slice(text, from, text.len);
}

/* Splits "…x12", "… ext. 12", "…;ext=12" off. */
static struct str cut_extension(struct str text, struct str *ret_extension)
{
    size_t from = text.len;
    struct str head, word;

    *ret_extension = STR("");
    while (from && is_digit(text.at[from - 1])) {
        from--;
    }
    head = str_slice(text, 0, from);
    while (head.len && (head.at[head.len - 1] == '.' || head.at[head.len - 1] == ' ' ||
                        head.at[head.len - 1] == '=')) {
        head.len--;
    }
    word = last_word(head);
    if (from == text.len || text.len - from > EXTENSION_DIGITS_MAX || !is_extension_word(word)) {
        return text;
    }
    *ret_extension = str_slice(text, from, text.len);
    head.len -= word.len;
    while (head.len && (head.at[head.len - 1] == ';' || head.at[head.len - 1] == ',')) {
        head.len--;
    }
    return head;
}

/* False: not a number that this rule understands. */
static bool read_number(struct str text, struct number *ret)
{
    struct number number = {0};

    for (size_t i = 0; i < text.len;) {
        struct str rest = str_slice(text, i, text.len);
        size_t mark = is_digit(text.at[i]) ? 0 : mark_len(rest);

        if (str_starts(rest, STR("(0)")) && number.is_international) {
            i += 3; /* the trunk prefix, written for those who dial inside the country */
        } else if (is_digit(text.at[i])) {
            if (number.len == sizeof number.digits) {
                return false;
            }
            number.digits[number.len++] = text.at[i++];
        } else if (text.at[i] == '+' && number.len == 0 && !number.is_international) {
            number.is_international = true;
            i++;
        } else if (mark) {
            i += mark;
        } else {
            return false;
        }
    }
    *ret = number;
    return number.len > 0;
}

static void drop_front(struct number *number, size_t count)
{
    memmove(number->digits, number->digits + count, number->len - count);
    number->len -= count;
}

static struct str trunk_of(struct str code)
{
    for (size_t i = 0; i < COUNT_OF(TRUNKS); i++) {
        if (str_equal(code, str_of(TRUNKS[i].code))) {
            return str_of(TRUNKS[i].trunk);
        }
    }
    return STR("0");
}

static struct str digits_of(const struct number *number)
{
    return (struct str){.at = number->digits, .len = number->len};
}

/* Puts the country code in front's place: drops the trunk prefix. A trunk prefix that is also the first digit of many numbers (1, 8) counts
 * only in a number that is one digit too long. False: no country code belongs in front. */
static bool take_national(struct number *number, struct str code)
{
    struct number national = *number;
    struct str trunk = trunk_of(code);
    bool is_certain = trunk.len && (trunk.at[0] == '0' || number->len == 11);

    if (code.len == 0 || number->is_international || number->len < SUBSCRIBER_DIGITS_MIN) {
        return false;
    }
    if (is_certain && str_starts(digits_of(&national), trunk)) {
        drop_front(&national, trunk.len);
    }
    if (national.len + code.len > E164_DIGITS_MAX) {
        return false;
    }
    *number = national;
    return true;
}

struct str normal_phone(struct str text, struct str default_code, struct arena *arena)
{
    struct str line = normal_line(text, arena), extension;
    struct str head = cut_extension(line, &extension), code = STR("");
    struct number number;

    if (!read_number(head, &number)) {
        return line;
    }
    if (!number.is_international && number.len > 2 && number.digits[0] == '0' &&
        number.digits[1] == '0') {
        drop_front(&number, 2);
        number.is_international = true;
    }
    if (take_national(&number, default_code)) {
        code = default_code;
        number.is_international = true;
    }
    if (number.len + code.len > E164_DIGITS_MAX) {
        return line;
    }
    return arena_printf(arena, "%s%" PRI_STR "%" PRI_STR "%s%" PRI_STR,
                        number.is_international ? "+" : "", STR_ARG(code),
                        STR_ARG(digits_of(&number)), extension.len ? ";ext=" : "",
                        STR_ARG(extension));
}

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i])) {
            return false;
        }
    }
    return text.len > 0;
}

/* What stays as it was typed may hold the word as well, and is left alone. */
struct str phone_for_people(struct str normal, struct arena *arena)
{
    struct str rest = normal;
    struct str text = str_cut(&rest, ';');
    struct str extension = str_slice(rest, strlen("ext="), rest.len);
    struct str digits = str_slice(text, str_starts(text, STR("+")), text.len);

    return rest.at && str_starts(rest, STR("ext=")) && is_digits(extension) &&
                   extension.len <= EXTENSION_DIGITS_MAX && is_digits(digits) &&
                   digits.len <= E164_DIGITS_MAX
               ? arena_printf(arena, "%" PRI_STR " ext. %" PRI_STR, STR_ARG(text),
                              STR_ARG(extension))
               : normal;
}
