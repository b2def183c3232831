/* Exact decimals: one text for one number. */
#include "tests/expect.h"
#include "core/decimal.h"
#include "core/random.h"

static const struct {
    const char *text;
    int digits;
    const char *want; /* NULL: refused */
} ROWS[] = {
    {"0", 0, "0"},
    {"-0", 0, "0"},
    {"0.000", 0, "0"},
    {"-0.0e5", 0, "0"},
    {"00012", 0, "12"},
    {"+5", 0, "5"},
    {"-12.50", 0, "-12.5"},
    {".5", 0, "0.5"},
    {"5.", 0, "5"},
    {"1.5e3", 0, "1500"},
    {"1.5E+3", 0, "1500"},
    {"15e-1", 0, "1.5"},
    {"1e-3", 0, "0.001"},
    {"100", 0, "100"},
    {"1e2", 0, "100"},
    {"0.010", 0, "0.01"},
    {"123456789012345678901234567890.12", 0, "123456789012345678901234567890.12"},
    {"1234.5600000000001", 15, "1234.56"},
    {"0.30000000000000004", 15, "0.3"},
    {"99999999999999.995", 15, "100000000000000"},
    {"999.96", 4, "1000"},
    {"999.94", 4, "999.9"},
    {"-0.05", 1, "-0.05"},
    {"2.5", 1, "3"},
    {"-2.5", 1, "-3"},
    {"0.00009999", 3, "0.0001"},
    {"1234567", 3, "1230000"},
    {"1e64", 0, NULL},
    {"1e63", 0, "1000000000000000000000000000000000000000000000000000000000000000"},
    {"1e-64", 0, "0.0000000000000000000000000000000000000000000000000000000000000001"},
    {"1e-65", 0, NULL},
    {"1e400", 0, NULL},
    {"1e99999999999", 0, NULL},
    {"12345678901234567890123456789012345678901234567890123456789012345", 0, NULL},
    {"", 0, NULL},
    {"-", 0, NULL},
    {".", 0, NULL},
    {"1.2.3", 0, NULL},
    {"1,5", 0, NULL},
    {"1e", 0, NULL},
    {"e5", 0, NULL},
    {"1e+-5", 0, NULL},
    {"--1", 0, NULL},
    {"+-1", 0, NULL},
    {" 1", 0, NULL},
    {"1 ", 0, NULL},
    {"NaN", 0, NULL},
    {"Infinity", 0, NULL},
    {"0x1F", 0, NULL},
    {"1\xc2\xa0"
     "000",
     0, NULL},
};

static void canonical_form(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct str got = STR("untouched");
        bool is_number = decimal_canonical(&arena, str_of(ROWS[i].text), ROWS[i].digits, &got);

        EXPECT(is_number == (ROWS[i].want != NULL), "'%s' is a decimal: %d", ROWS[i].text,
               is_number);
        EXPECT_STR(got, ROWS[i].want ? str_of(ROWS[i].want) : STR("untouched"), ROWS[i].text);
    }
}

static void canonical_form_is_a_fixed_point(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct random *random = random_new_seeded(20260101);
    static const char ALPHABET[] = "0123456789009.-+eE";

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[16];
        size_t len = random_below(random, sizeof text);
        struct str once, twice;

        for (size_t j = 0; j < len; j++) {
            text[j] = ALPHABET[random_below(random, sizeof ALPHABET - 1)];
        }
        if (!decimal_canonical(&arena, (struct str){text, len}, 0, &once)) {
            continue;
        }
        EXPECT(decimal_canonical(&arena, once, 0, &twice), "seed 20260101 round %d: '%.*s'", i,
               (int)len, text);
        EXPECT_STR(twice, once, "again changes nothing");
        EXPECT(decimal_compare(once, twice) == 0, "equal to itself");
    }
    random_free(random);
}

static void order(void **state)
{
    static const char *const ASCENDING[] = {
        "-1000", "-999.9", "-2",  "-1.5", "-1.05", "-1",  "-0.5", "-0.05", "0",     "0.05",
        "0.1",   "0.11",   "0.5", "1",    "1.05",  "1.5", "2",    "10",    "999.9", "1000"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ASCENDING); i++) {
        for (size_t j = 0; j < COUNT_OF(ASCENDING); j++) {
            int got = decimal_compare(str_of(ASCENDING[i]), str_of(ASCENDING[j]));

            EXPECT((got > 0) - (got < 0) == (i > j) - (i < j), "%s against %s: %d", ASCENDING[i],
                   ASCENDING[j], got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form),
        cmocka_unit_test(canonical_form_is_a_fixed_point),
        cmocka_unit_test(order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
