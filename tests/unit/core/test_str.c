/* Borrowed text and the capped buffer. */
#include "tests/expect.h"

static void comparing(void **state)
{
    static const struct {
        const char *x, *y;
        int order;
        bool is_equal_nocase;
    } ROWS[] = {
        {"", "", 0, true},           {"", "a", -1, false},    {"a", "a", 0, true},
        {"a", "A", 1, true},         {"abc", "ab", 1, false}, {"ab", "b", -1, false},
        {"\xc3\xa4", "z", 1, false}, {"Ä", "ä", -1, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct str x = str_of(ROWS[i].x), y = str_of(ROWS[i].y);
        int order = str_compare(x, y);

        EXPECT((order > 0) - (order < 0) == ROWS[i].order, "'%s' against '%s'", ROWS[i].x,
               ROWS[i].y);
        EXPECT(str_compare(y, x) == 0 ? order == 0 : (str_compare(y, x) > 0) == (order < 0),
               "antisymmetric");
        EXPECT(str_equal(x, y) == (order == 0), "equal means order 0");
        EXPECT(str_equal_nocase(x, y) == ROWS[i].is_equal_nocase, "'%s' nocase '%s'", ROWS[i].x,
               ROWS[i].y);
    }
}

static void prefixes_suffixes_parts(void **state)
{
    static const struct {
        const char *text, *part;
        bool starts, ends, contains;
    } ROWS[] = {
        {"", "", true, true, true},           {"abc", "", true, true, true},
        {"abc", "a", true, false, true},      {"abc", "c", false, true, true},
        {"abc", "b", false, false, true},     {"abc", "abc", true, true, true},
        {"abc", "abcd", false, false, false}, {"aab", "ab", false, true, true},
        {"abc", "B", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct str text = str_of(ROWS[i].text), part = str_of(ROWS[i].part);

        EXPECT(str_starts(text, part) == ROWS[i].starts, "%s starts %s", ROWS[i].text,
               ROWS[i].part);
        EXPECT(str_ends(text, part) == ROWS[i].ends, "%s ends %s", ROWS[i].text, ROWS[i].part);
        EXPECT(str_contains(text, part) == ROWS[i].contains, "%s contains %s", ROWS[i].text,
               ROWS[i].part);
    }
}

static void no_text_is_harmless(void **state)
{
    struct str rest = STR_NONE;

    (void)state;
    EXPECT(str_equal(STR_NONE, STR("")), "both are empty");
    EXPECT(str_starts(STR_NONE, STR_NONE) && str_contains(STR_NONE, STR("")), "empty parts");
    EXPECT(str_slice(STR_NONE, 1, 9).at == NULL, "slice of nothing");
    EXPECT(str_trim(STR_NONE).len == 0 && str_cut(&rest, ',').len == 0, "trim and cut");
    EXPECT(str_of(NULL).at == NULL, "NULL is no text");
}

static void trimming_and_slicing(void **state)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {{"", ""},     {" ", ""},
                {" a ", "a"}, {"\t\r\n\v\f a b\n", "a b"},
                {"a", "a"},   {"\xc2\xa0x", "\xc2\xa0x"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        EXPECT_STR(str_trim(str_of(ROWS[i].text)), str_of(ROWS[i].want), "trim");
    }
    EXPECT_STR(str_slice(STR("hello"), 1, 3), STR("el"), "inner");
    EXPECT_STR(str_slice(STR("hello"), 3, 99), STR("lo"), "end clamps");
    EXPECT_STR(str_slice(STR("hello"), 9, 99), STR(""), "start clamps");
    EXPECT_STR(str_slice(STR("hello"), 3, 1), STR(""), "turned round");
}

static void cutting_walks_all_parts(void **state)
{
    struct str rest = STR("a,,b,");

    (void)state;
    EXPECT_STR(str_cut(&rest, ','), STR("a"), "first");
    EXPECT_STR(str_cut(&rest, ','), STR(""), "empty part");
    EXPECT_STR(str_cut(&rest, ','), STR("b"), "third");
    EXPECT(rest.at != NULL && rest.len == 0, "an empty last part is still to come");
    EXPECT_STR(str_cut(&rest, ','), STR(""), "last");
    EXPECT(rest.at == NULL, "then nothing");
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_number;
        int64_t want;
    } ROWS[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"--1", false, 0},
        {"1\xc2\xb2", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t got = 4711;
        bool is_number = str_to_i64(str_of(ROWS[i].text), &got);

        EXPECT(is_number == ROWS[i].is_number, "'%s' is a number", ROWS[i].text);
        EXPECT(got == (is_number ? ROWS[i].want : 4711), "'%s' gives %lld", ROWS[i].text,
               (long long)got);
    }
}

static void buffer_grows_and_ends_with_nul(void **state)
{
    AUTO_BUF struct buf buf = {0};

    (void)state;
    buf_init(&buf, 100000);
    EXPECT_STR(buf_str(&buf), STR(""), "empty at first");
    for (int i = 0; i < 1000; i++) {
        buf_addf(&buf, "%03d,", i);
        EXPECT(buf.at[buf.len] == '\0', "NUL after %d", i);
    }
    EXPECT(buf.len == 4000 && !buf.is_full, "1000 numbers");
    EXPECT_STR(str_slice(buf_str(&buf), 3996, 4000), STR("999,"), "the last one");
    buf_reset(&buf);
    EXPECT_STR(buf_str(&buf), STR(""), "empty again");
}

static void full_buffer_drops_whole_additions(void **state)
{
    AUTO_BUF struct buf buf = {0};

    (void)state;
    buf_init(&buf, 5);
    buf_add(&buf, STR("1234"));
    buf_add(&buf, STR("56"));
    EXPECT(buf.is_full, "over the maximum");
    EXPECT_STR(buf_str(&buf), STR("1234"), "nothing of the addition");
    buf_add_char(&buf, '5');
    EXPECT_STR(buf_str(&buf), STR("1234"), "stays closed, or a hole would look like text");
    buf_reset(&buf);
    buf_addf(&buf, "%s", "12345");
    EXPECT(!buf.is_full && buf.len == 5, "exactly full is not too much");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),
        cmocka_unit_test(prefixes_suffixes_parts),
        cmocka_unit_test(no_text_is_harmless),
        cmocka_unit_test(trimming_and_slicing),
        cmocka_unit_test(cutting_walks_all_parts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(buffer_grows_and_ends_with_nul),
        cmocka_unit_test(full_buffer_drops_whole_additions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
