#include "core/decimal.h"

#include <stdlib.h>

enum { EXPONENT_MAX = 400 };

/* digits without leading zeros; value = 0.d1d2d3… × 10^point */
struct number {
    bool is_negative;
    char digits[DECIMAL_DIGITS_MAX + 1];
    int count;
    int point;
};

static bool add_digit(struct number *number, char digit)
{
    if (number->count == 0 && digit == '0') {
        return true;
    }
    if (number->count == DECIMAL_DIGITS_MAX) {
        return digit == '0' ? true : false;
    }
    number->digits[number->count++] = digit;
    return true;
}

static bool read_exponent(struct str text, int *ret)
{
    int64_t exponent;

    if (text.len && text.at[0] == '+') {
        text = str_slice(text, 1, text.len);
        if (text.len == 0 || text.at[0] == '-') {
            return false;
        }
    }
    if (!str_to_i64(text, &exponent) || exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX) {
        return false;
    }
    *ret = (int)exponent;
    return true;
}

static bool read_mantissa(struct str text, struct number *number)
{
    bool has_point = false, has_digit = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (c < '0' || c > '9' || !add_digit(number, c)) {
            return false;
        }
        has_digit = true;
        /* Digits before the point raise it, unless they are leading zeros; zeros right behind it lower it. */
        if (!has_point && number->count) {
            number->point++;
        } else if (has_point && number->count == 0) {
            number->point--;
        }
    }
    return has_digit;
}

static bool read_number(struct str text, struct number *number)
{
    struct str rest = text;
    int exponent = 0;
    size_t e = 0;

    if (rest.len && (rest.at[0] == '-' || rest.at[0] == '+')) {
        number->is_negative = rest.at[0] == '-';
        rest = str_slice(rest, 1, rest.len);
    }
    while (e < rest.len && rest.at[e] != 'e' && rest.at[e] != 'E') {
        e++;
    }
    if (e < rest.len && !read_exponent(str_slice(rest, e + 1, rest.len), &exponent)) {
        return false;
    }
    if (!read_mantissa(str_slice(rest, 0, e), number)) {
        return false;
    }
    number->point += exponent;
    return true;
}

static void round_to(struct number *number, int digits_max)
{
    int i = digits_max - 1;

    if (digits_max <= 0 || number->count <= digits_max) {
        return;
    }
    number->count = digits_max;
    if (number->digits[digits_max] < '5') {
        return;
    }
    while (i >= 0 && number->digits[i] == '9') {
        number->digits[i--] = '0';
    }
    if (i >= 0) {
        number->digits[i]++;
        return;
    }
    number->digits[0] = '1'; /* 99.9 → 100 */
    number->count = 1;
    number->point++;
}

static struct str write_number(struct arena *arena, const struct number *number)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 2 * DECIMAL_DIGITS_MAX + 2); /* sign and point */
    if (number->is_negative) {
        buf_add_char(&text, '-');
    }
    if (number->point <= 0) {
        buf_add(&text, STR("0."));
        for (int i = number->point; i < 0; i++) {
            buf_add_char(&text, '0');
        }
        buf_add(&text, (struct str){.at = number->digits, .len = (size_t)number->count});
    } else {
        for (int i = 0; i < number->point || i < number->count; i++) {
            if (i == number->point) {
                buf_add_char(&text, '.');
            }
            buf_add_char(&text, i < number->count ? number->digits[i] : '0');
        }
    }
    return arena_str(arena, buf_str(&text));
}

bool decimal_canonical(struct arena *arena, struct str text, int digits_max, struct str *ret)
{
    struct number number = {0};

    if (text.len > 2 * EXPONENT_MAX || !read_number(text, &number)) {
        return false;
    }
    round_to(&number, digits_max);
    while (number.count && number.digits[number.count - 1] == '0') {
        number.count--;
    }
    if (number.count == 0) {
        *ret = STR("0");
        return true;
    }
    if (number.point > DECIMAL_DIGITS_MAX || number.count - number.point > DECIMAL_DIGITS_MAX) {
        return false; /* 1e300 is no number anyone typed, and its text would not be one either */
    }
    *ret = write_number(arena, &number);
    return true;
}

static struct str whole_part(struct str text, struct str *ret_fraction)
{
    struct str rest = text;
    struct str whole = str_cut(&rest, '.');

    *ret_fraction = rest;
    return whole;
}

static int compare_magnitude(struct str x, struct str y)
{
    struct str x_fraction, y_fraction;
    struct str x_whole = whole_part(x, &x_fraction), y_whole = whole_part(y, &y_fraction);

    if (x_whole.len != y_whole.len) {
        return x_whole.len < y_whole.len ? -1 : 1;
    }
    if (!str_equal(x_whole, y_whole)) {
        return str_compare(x_whole, y_whole);
    }
    return str_compare(x_fraction, y_fraction);
}

int decimal_compare(struct str x, struct str y)
{
    bool x_negative = str_starts(x, STR("-")), y_negative = str_starts(y, STR("-"));

    if (x_negative != y_negative) {
        return x_negative ? -1 : 1;
    }
    if (x_negative) {
        return compare_magnitude(str_slice(y, 1, y.len), str_slice(x, 1, x.len));
    }
    return compare_magnitude(x, y);
}
