#include "core/words.h"

enum { WORD_LEN_MAX = 48 };

bool duration_parse(struct str text, int64_t *ret_ms)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } UNITS[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    int64_t number, unit_ms = 1000;

    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (str_ends(text, str_of(UNITS[i].suffix))) {
            unit_ms = UNITS[i].ms;
            text = str_slice(text, 0, text.len - strlen(UNITS[i].suffix));
            break;
        }
    }
    if (!str_to_i64(text, &number) || number < 0 || number > INT64_MAX / 86400000) {
        return false;
    }
    *ret_ms = number * unit_ms;
    return true;
}

static size_t smaller(size_t x, size_t y)
{
    return x < y ? x : y;
}

/* Levenshtein distance of two short words. */
static size_t distance(struct str x, struct str y)
{
    size_t row[WORD_LEN_MAX + 1];

    if (x.len > WORD_LEN_MAX || y.len > WORD_LEN_MAX) {
        return WORD_LEN_MAX;
    }
    for (size_t j = 0; j <= y.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= x.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= y.len; j++) {
            size_t above = row[j];

            row[j] = smaller(smaller(row[j] + 1, row[j - 1] + 1),
                             diagonal + (x.at[i - 1] != y.at[j - 1]));
            diagonal = above;
        }
    }
    return row[y.len];
}

size_t word_nearest(struct str text, const struct str *words, size_t count)
{
    size_t best = SIZE_MAX;
    size_t best_distance = WORD_DISTANCE_MAX + 1;

    for (size_t i = 0; i < count; i++) {
        size_t far = distance(text, words[i]);

        if (far < best_distance && far < words[i].len) {
            best = i;
            best_distance = far;
        }
    }
    return best;
}
