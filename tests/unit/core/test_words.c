/* Durations and spelling help. */
#include "tests/expect.h"

#include "core/words.h"

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } ROWS[] = {
        {"0", 0},
        {"250ms", 250},
        {"90s", 90000},
        {"90", 90000},
        {"10m", 600000},
        {"6h", 21600000},
        {"30d", 2592000000},
        {"", -1},
        {"s", -1},
        {"ms", -1},
        {"-5s", -1},
        {"5 s", -1},
        {"5w", -1},
        {"1.5h", -1},
        {"5S", -1},
        {"9223372036854775807d", -1},
        {"99999999999999999999", -1},
        {"106751991167d", 9223372036828800000},
        {"106751991168d", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t got = -1;

        EXPECT(duration_parse(str_of(ROWS[i].text), &got) == (ROWS[i].ms >= 0), "'%s'",
               ROWS[i].text);
        EXPECT(got == ROWS[i].ms, "'%s' gives %lld", ROWS[i].text, (long long)got);
    }
}

static void nearest_word(void **state)
{
    static const struct str WORDS[] = {
        {"contact", 7}, {"company", 7}, {"deal", 4}, {"in", 2}, {"connections", 11}};
    static const struct {
        const char *text;
        size_t want;
    } ROWS[] = {
        {"contact", 0},
        {"contacts", 0},
        {"contcat", 0},
        {"compny", 1},
        {"deals", 2},
        {"dael", 2},
        {"im", 3},
        {"conections", 4},
        {"xyz", SIZE_MAX},
        {"", SIZE_MAX},
        {"somethingelse", SIZE_MAX},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SIZE_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        size_t got = word_nearest(str_of(ROWS[i].text), WORDS, COUNT_OF(WORDS));

        EXPECT(got == ROWS[i].want, "'%s' gives %zu", ROWS[i].text, got);
    }
    EXPECT(word_nearest(STR("x"), NULL, 0) == SIZE_MAX, "no words");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(durations), cmocka_unit_test(nearest_word)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
