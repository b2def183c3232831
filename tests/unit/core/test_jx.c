/* Foreign JSON: the right type, or a record error that names the member. */
#include "tests/expect.h"

#include "core/jx.h"
#include "core/random.h"

static json_t *parse(struct arena *arena, const char *text)
{
    json_t *tree = NULL;
    struct error err = {0};

    EXPECT(jx_parse(arena, str_of(text), &tree, &err) == OK, "%s: %s", text, err.message);
    return tree;
}

static void bad_documents_are_worth_repeating(void **state)
{
    static const char *const BAD[] = {"",
                                      "{",
                                      "{\"a\":1,\"a\":2}",
                                      "{} {}",
                                      "nul",
                                      "\"\xff\"",
                                      "{\"a\":1e}",
                                      "[1,]",
                                      "<html>502 Bad Gateway</html>",
                                      "\"\\ud800\"",
                                      "[12345678901234567890-1]",
                                      "[1e999,01]"};
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        json_t *tree = (json_t *)&arena;
        struct error err = {0};

        EXPECT(jx_parse(&arena, str_of(BAD[i]), &tree, &err) == FAIL_RETRY, "'%s'", BAD[i]);
        EXPECT(tree == (json_t *)&arena, "nothing returned for '%s'", BAD[i]);
        EXPECT(str_starts(str_of(err.message), STR("not JSON at byte ")), "says where: %s",
               err.message);
        EXPECT(!str_contains(str_of(err.message), STR("html")), "never quotes the document: %s",
               err.message);
    }
}

static void a_zero_byte_is_no_blank(void **state)
{
    static const char TEXT[] = "[1\0]";
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    json_t *tree;

    (void)state;
    EXPECT(jx_parse(&arena, (struct str){.at = TEXT, .len = sizeof TEXT - 1}, &tree, &err) ==
               FAIL_RETRY,
           "jansson passes over it");
}

/* What jansson's own reader makes of it. A number that is too large for it is a matter of its own: huge_numbers_become_text. */
static void expect_as_jansson(struct str text)
{
    AUTO_ARENA struct arena arena = {0};
    json_error_t where;
    json_t *want = jx_own(
        &arena, json_loadb(text.at, text.len,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &where));
    json_t *got = NULL;
    struct error err = {0};
    bool is_read = jx_parse(&arena, text, &got, &err) == OK;

    if (!want && json_error_code(&where) == json_error_numeric_overflow) {
        return;
    }
    EXPECT(is_read == (want != NULL), "'%" PRI_STR "': %s", STR_ARG(text), err.message);
    EXPECT(!want || json_equal(got, want), "'%" PRI_STR "'", STR_ARG(text));
}

static void reading_agrees_with_jansson(void **state)
{
    static const char *const WHOLE[] = {
        "{\"a\":[1,-0,0.5,1e2,-1E-2,12345678901234],\"b\":{\"c\":null,\"\":true},\"d\":false}",
        " [\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20ac\\ud83d\\ude00\\u0000\" , \"a longer "
        "text without escapes\"] \r\n\t",
        "{\"\\u006bey\":\"\\u0076alue\",\"a key that is longer than what is kept on the stack, "
        "with an \\\\, of course\":[]}",
        "[[[[]]],{},\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"]", "1e-400"};
    static const char MARKS[] = "{}[]\",:\\u0-.eE+tfn \n\x01\xc3\x80";
    struct random *random = random_new_seeded(9);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(WHOLE); i++) {
        char text[256];
        size_t len = strlen(WHOLE[i]);

        expect_as_jansson(str_of(WHOLE[i]));
        for (size_t cut = 0; cut < len; cut++) {
            expect_as_jansson((struct str){.at = WHOLE[i], .len = cut});
        }
        for (int round = 0; round < 4000; round++) {
            memcpy(text, WHOLE[i], len);
            for (uint64_t k = random_below(random, 3) + 1; k > 0; k--) {
                text[random_below(random, len)] = MARKS[random_below(random, sizeof MARKS - 1)];
            }
            expect_as_jansson((struct str){.at = text, .len = len});
        }
    }
    random_free(random);
}

static void depth_has_a_limit(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_BUF struct buf text = {0};

    (void)state;
    for (size_t depth = JX_DEPTH_MAX; depth <= JX_DEPTH_MAX + 1; depth++) {
        json_t *tree;
        struct error err = {0};

        buf_init(&text, 4096);
        for (size_t i = 0; i < depth; i++) {
            buf_add(&text, i % 2 ? STR("{\"[[[\":") : STR("["));
        }
        buf_add(&text, STR("\"}]\\\"[[\""));
        for (size_t i = depth; i > 0; i--) {
            buf_add_char(&text, i % 2 ? ']' : '}');
        }
        EXPECT((jx_parse(&arena, buf_str(&text), &tree, &err) == OK) == (depth == JX_DEPTH_MAX),
               "depth %zu: %s", depth, err.message);
        buf_fini(&text);
    }
}

static void huge_numbers_become_text(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *tree =
        parse(&arena, "{\"big\":123456789012345678901234567890,\"least\":-9223372036854775808,"
                      "\"under\":-9223372036854775809,\"huge\":-1.5e999,\"text\":"
                      "\"99999999999999999999 \\\" 1e999\","
                      "\"list\":[1,2.5,18446744073709551616]}");
    struct error err = {0};
    int64_t number;

    (void)state;
    EXPECT_STR(jx_text_of(jx_get(tree, "big")), STR("123456789012345678901234567890"),
               "digits kept");
    EXPECT_STR(jx_text_of(jx_get(tree, "under")), STR("-9223372036854775809"), "below int64");
    EXPECT_STR(jx_text_of(jx_get(tree, "huge")), STR("-1.5e999"), "beyond double");
    EXPECT_STR(jx_text_of(jx_get(tree, "text")), STR("99999999999999999999 \" 1e999"),
               "texts are not touched");
    EXPECT(jx_i64(tree, "least", &number, &err) == OK && number == INT64_MIN,
           "the least int64 is a number");
    EXPECT(jx_i64(tree, "big", &number, &err) == FAIL_RECORD, "only its own record fails");
    EXPECT_STR(jx_text(&arena, jx_get(tree, "list")), STR("[1,2.5,\"18446744073709551616\"]"),
               "in lists too");
}

static void texts_of_trees(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *tree =
        parse(&arena, "{ \"b\": 0.1, \"a\": [1, null, true, \"\\u00e4\\u0000\"], \"c\": 1234.56 }");

    (void)state;
    EXPECT_STR(jx_text(&arena, tree),
               STR("{\"b\":0.1,\"a\":[1,null,true,\"\xc3\xa4\\u0000\"],\"c\":1234.56}"),
               "in order");
    EXPECT_STR(jx_text_sorted(&arena, tree),
               STR("{\"a\":[1,null,true,\"\xc3\xa4\\u0000\"],\"b\":0.1,\"c\":1234.56}"), "sorted");
}

enum reader { OBJECT, ARRAY, TEXT, INTEGER, TIME, ID, BOOLEAN };

/* Calls the required or the optional reader of one type. */
static enum fail read_as(enum reader reader, bool is_optional, struct arena *arena,
                         const json_t *tree, const char *key, struct error *err)
{
    json_t *node;
    struct str text;
    int64_t number;
    bool flag;

    switch (reader) {
    case OBJECT:
        return is_optional ? jx_object_or_null(tree, key, &node, err)
                           : jx_object(tree, key, &node, err);
    case ARRAY:
        return is_optional ? jx_array_or_null(tree, key, &node, err)
                           : jx_array(tree, key, &node, err);
    case TEXT:
        return is_optional ? jx_str_or(tree, key, STR("else"), &text, err)
                           : jx_str(tree, key, &text, err);
    case INTEGER:
        return is_optional ? jx_i64_or(tree, key, 7, &number, err)
                           : jx_i64(tree, key, &number, err);
    case TIME:
        return is_optional ? jx_time_ms_or(tree, key, 7, &number, err)
                           : jx_time_ms(tree, key, &number, err);
    case ID:
        return is_optional ? jx_id_or(arena, tree, key, STR("else"), &text, err)
                           : jx_id(arena, tree, key, &text, err);
    case BOOLEAN:
        return jx_bool_or(tree, key, true, &flag, err);
    }
    return FAIL_BUG;
}

static void every_reader_against_every_type(void **state)
{
    static const char DOCUMENT[] = "{\"object\":{},\"array\":[],\"text\":\"x\",\"time\":\"2026-11-"
                                   "21T07:05:31Z\",\"integer\":5,"
                                   "\"real\":1.5,\"true\":true,\"null\":null,\"empty\":\"\"}";
    static const char *const KEYS[] = {"object", "array", "text", "time",  "integer",
                                       "real",   "true",  "null", "empty", "missing"};
    static const char *const TAKEN[] = {
        /* by type, in the order of KEYS */
        [OBJECT] = "1000000000",  [ARRAY] = "0100000000", [TEXT] = "0011000010",
        [INTEGER] = "0000100000", [TIME] = "0001000000",  [ID] = "0011100000",
        [BOOLEAN] = "0000001000"};
    AUTO_ARENA struct arena arena = {0};
    json_t *tree = parse(&arena, DOCUMENT);

    (void)state;
    for (size_t r = 0; r < COUNT_OF(TAKEN); r++) {
        for (size_t k = 0; k < COUNT_OF(KEYS); k++) {
            bool is_null = k == 7 || k == 9;

            for (int optional = r == BOOLEAN; optional < 2; optional++) {
                struct error err = {0};
                enum fail got = read_as((enum reader)r, optional, &arena, tree, KEYS[k], &err);
                bool takes = TAKEN[r][k] == '1' || (optional && is_null);

                EXPECT(got == (takes ? OK : FAIL_RECORD), "reader %zu, '%s', optional %d: %s", r,
                       KEYS[k], optional, err.message);
                EXPECT(takes || str_starts(str_of(err.message), str_of(KEYS[k])),
                       "names the member: %s", err.message);
            }
        }
    }
}

static void values_arrive(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *tree = parse(
        &arena, "{\"t\":\"2026-11-21T07:05:31Z\",\"i\":5,\"s\":\"x\",\"f\":false,\"n\":null}");
    struct error err = {0};
    int64_t number = 0;
    struct str text;
    bool flag = true;
    json_t *node = tree;

    (void)state;
    EXPECT(jx_time_ms(tree, "t", &number, &err) == OK && number == 1795244731000, "time");
    EXPECT(jx_id(&arena, tree, "i", &text, &err) == OK, "id");
    EXPECT_STR(text, STR("5"), "a number is an id as text");
    EXPECT(jx_str_or(tree, "n", STR("else"), &text, &err) == OK, "or");
    EXPECT_STR(text, STR("else"), "null gives otherwise");
    EXPECT(jx_bool_or(tree, "f", true, &flag, &err) == OK && !flag, "false is not missing");
    EXPECT(jx_object_or_null(tree, "n", &node, &err) == OK && !node, "null object");
    EXPECT(jx_get(NULL, "x") == NULL && jx_get(jx_get(tree, "s"), "x") == NULL,
           "looking into nothing is harmless");
    EXPECT(jx_text_of(NULL).at == NULL && jx_own(&arena, NULL) == NULL, "NULL is harmless");
}

static void errors_name_the_path(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *tree = parse(&arena, "{\"after\":null}");
    struct str text;
    struct error err = {0};

    (void)state;
    (void)!jx_str(tree, "after", &text, &err);
    error_wrap(&err, "next");
    error_wrap(&err, "paging");
    EXPECT_STR(str_of(err.message), STR("paging: next: after: expected a string, found null"),
               "path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_documents_are_worth_repeating),
        cmocka_unit_test(a_zero_byte_is_no_blank),
        cmocka_unit_test(reading_agrees_with_jansson),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(huge_numbers_become_text),
        cmocka_unit_test(texts_of_trees),
        cmocka_unit_test(every_reader_against_every_type),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(errors_name_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
