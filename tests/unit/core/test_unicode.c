/* UTF-8 checks and folding. */
#include "tests/expect.h"

#include "core/random.h"
#include "core/unicode.h"

static void validity(void **state)
{
    static const struct {
        struct str text;
        size_t good;
    } ROWS[] = {
        {{NULL, 0}, 0},
        {{"", 0}, 0},
        {{"plain", 5}, 5},
        {{"with\0nul", 8}, 8},
        {{"12345678\xc3\xa4", 10}, 10},
        {{"\xf0\x9f\x98\x80", 4}, 4},
        {{"a\xff", 2}, 1},
        {{"\xc3", 1}, 0},
        {{"ab\xe2\x82", 4}, 2},
        {{"\xc0\x80", 2}, 0},
        {{"\xe0\x80\x80", 3}, 0},
        {{"\xed\xa0\x80", 3}, 0},
        {{"\xf4\x90\x80\x80", 4}, 0},
        {{"\x80", 1}, 0},
        {{"1234567\x80"
          "12345678",
          16},
         7},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        size_t good = utf8_valid_prefix(ROWS[i].text);

        EXPECT(good == ROWS[i].good, "row %zu: %zu", i, good);
        EXPECT(utf8_is_valid(ROWS[i].text) == (good == ROWS[i].text.len), "row %zu", i);
    }
}

static const struct {
    const char *text, *lower, *fold;
} CASES[] = {
    {"", "", ""},
    {"ABC xyz", "abc xyz", "abc xyz"},
    {"  A \t\n B  ", "  a \t\n b  ", "a b"},
    {"\xc3\x84\xc3\x96", "\xc3\xa4\xc3\xb6", "\xc3\xa4\xc3\xb6"},
    {"Stra\xc3\x9f"
     "e",
     "stra\xc3\x9f"
     "e",
     "strasse"},
    {"\xe1\xba\x9e", "\xc3\x9f", "ss"},
    {"\xef\xbc\xa1\xef\xbc\xa2", "\xef\xbd\x81\xef\xbd\x82", "ab"},
    {"\xef\xac\x81", "\xef\xac\x81", "fi"},
    {"A\xc2\xa0 B", "a\xc2\xa0 b", "a b"},
    {"e\xcc\x81", "e\xcc\x81", "\xc3\xa9"},
    {"\xce\xa3\xce\x91\xce\xa3", "\xcf\x83\xce\xb1\xcf\x82", "\xcf\x83\xce\xb1\xcf\x83"},
    {"I", "i", "i"},
    {"\xff"
     "A",
     "\xff"
     "A",
     "\xff"
     "A"},
};

static void lower_and_fold(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str text = str_of(CASES[i].text), fold = utf8_fold(&arena, text);

        EXPECT_STR(utf8_lower(&arena, text), str_of(CASES[i].lower), "lower");
        EXPECT_STR(fold, str_of(CASES[i].fold), "fold");
        EXPECT_STR(utf8_fold(&arena, fold), fold, "folding again changes nothing");
    }
}

static void composition(void **state)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {
        {"plain", "plain"},           {"e\xcc\x81", "\xc3\xa9"},        {"\xc3\xa9", "\xc3\xa9"},
        {"\xe2\x84\xab", "\xc3\x85"}, {"\xef\xac\x81", "\xef\xac\x81"}, {"\xff", "\xff"}};
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        EXPECT_STR(utf8_nfc(&arena, str_of(ROWS[i].text)), str_of(ROWS[i].want), "NFC");
    }
}

static void any_bytes_are_survived(void **state)
{
    struct random *random = random_new_seeded(3);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        AUTO_ARENA struct arena arena = {0};
        char bytes[24];
        struct str text = {.at = bytes, .len = random_below(random, sizeof bytes)};

        random_bytes(random, bytes, sizeof bytes);
        EXPECT(utf8_is_valid(str_slice(text, 0, utf8_valid_prefix(text))),
               "seed 3 round %d: prefix", i);
        if (!utf8_is_valid(text)) {
            EXPECT_STR(utf8_lower(&arena, text), text, "unchanged");
            EXPECT_STR(utf8_nfc(&arena, text), text, "unchanged");
        } else {
            EXPECT(utf8_is_valid(utf8_fold(&arena, text)), "seed 3 round %d: fold stays valid", i);
        }
    }
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity),
        cmocka_unit_test(lower_and_fold),
        cmocka_unit_test(composition),
        cmocka_unit_test(any_bytes_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
