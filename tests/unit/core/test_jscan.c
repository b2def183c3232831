/* JSON without a tree: whatever jansson takes it takes, and nothing else, and it finds the same in it. */
#include "tests/expect.h"

#include <stdlib.h>

#include "core/jscan.h"
#include "core/jx.h"
#include "core/random.h"

static const char *const GOOD[] = {
    "0",
    "-0.5e-7",
    " [ 1 , 2.5 , -3E+2 , \"\" , null , true , false , { } , [ ] ] \r\n\t",
    "{\"a\":{\"b\":[{\"c\":1},{\"c\":\"two\"}]},\"d\":\"\\\"\\\\\\/"
    "\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\\ud83d\\uDE00\\u0000\"}",
    "{\"subscriptionType\":\"contact.merge\",\"objectId\":123,\"mergedObjectIds\":[1,\"2\",3],"
    "\"isSensitive\":false}",
    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
    "[123456789012345678901234567890,1e999]",
    "{\"\":0,\"a\":{\"a\":1},\"aa\":[{\"a\":2}]}",
};

static const char *const BAD[] = {
    "",
    " ",
    "nul",
    "nulls",
    "truefalse",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"b\":{},\"a\":2}",
    "[1 2]",
    "{} {}",
    "[",
    "{\"a\":",
    "\"",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"\\ud800\\ud800\"",
    "\"\n\"",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "01",
    "+1",
    "-",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "[1}",
    "{\"a\":1]",
    "<html>",
    "'a'",
};

static bool is_equal(const struct jscan *scan, const struct jscan_value *value, json_t *tree,
                     struct arena *arena);

static bool is_equal_array(const struct jscan *scan, const struct jscan_value *value, json_t *tree,
                           struct arena *arena)
{
    const struct jscan_value *element = NULL;
    json_t *wanted;
    size_t index;

    json_array_foreach(tree, index, wanted)
    {
        element = jscan_next(scan, value, element);
        if (!element || !is_equal(scan, element, wanted, arena)) {
            return false;
        }
    }
    return json_array_size(tree) == 0 ? !jscan_next(scan, value, NULL)
                                      : !jscan_next(scan, value, element);
}

/* Members whose key is written plainly: others are found by nobody. */
static bool is_equal_object(const struct jscan *scan, const struct jscan_value *value, json_t *tree,
                            struct arena *arena)
{
    const char *key;
    json_t *wanted;

    json_object_foreach(tree, key, wanted)
    {
        const struct jscan_value *member = jscan_get(scan, value, str_of(key));

        if (!str_contains(scan->text, STR("\\")) &&
            (!member || !is_equal(scan, member, wanted, arena))) {
            return false;
        }
    }
    return !jscan_get(scan, value, STR("nobody has this key"));
}

static bool is_equal(const struct jscan *scan, const struct jscan_value *value, json_t *tree,
                     struct arena *arena)
{
    struct str written = {.at = scan->text.at + value->from, .len = value->to - value->from};

    switch (json_typeof(tree)) {
    case JSON_OBJECT:
        return jscan_is(value, JSCAN_OBJECT) && is_equal_object(scan, value, tree, arena);
    case JSON_ARRAY:
        return jscan_is(value, JSCAN_ARRAY) && is_equal_array(scan, value, tree, arena);
    case JSON_STRING: /* or a number beyond int64, which jx makes a text */
        return str_equal(jx_text_of(tree),
                         jscan_is(value, JSCAN_TEXT) ? jscan_text(scan, value, arena) : written);
    case JSON_INTEGER:
        return jscan_is(value, JSCAN_INTEGER) &&
               json_integer_value(tree) == strtoll(arena_cstr(arena, written), NULL, 10);
    case JSON_REAL:
        return jscan_is(value, JSCAN_REAL);
    case JSON_TRUE:
        return jscan_is(value, JSCAN_TRUE);
    case JSON_FALSE:
        return jscan_is(value, JSCAN_FALSE);
    case JSON_NULL:
        return jscan_is(value, JSCAN_NULL);
    }
    return false;
}

/* Whether it was taken, the same by both. */
static bool agree(struct str text, const char *why)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_JSCAN struct jscan scan = {0};
    struct error ignored = {0};
    json_t *tree = NULL;
    bool is_taken = jx_parse(&arena, text, &tree, &ignored) == OK;

    EXPECT(jscan_read(&scan, text) == is_taken, "%s: '%.*s' is %staken", why, (int)text.len,
           text.at, is_taken ? "" : "not ");
    EXPECT(!is_taken || is_equal(&scan, jscan_root(&scan), tree, &arena), "%s: the same in '%.*s'",
           why, (int)text.len, text.at);
    return is_taken;
}

static void it_takes_what_jansson_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        EXPECT(agree(str_of(GOOD[i]), "good"), "'%s' is JSON", GOOD[i]);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        EXPECT(!agree(str_of(BAD[i]), "bad"), "'%s' is not JSON", BAD[i]);
    }
}

/* One to three bytes of a good document become others, or it is cut. */
static struct str spoilt(struct random *random, struct str text, char *to)
{
    static const char BYTES[] = "{}[]\",:0123456789-+.eE\\utrfalsn \n\xc3\xa4\xff";
    size_t len = random_chance(random, 100000) ? random_below(random, text.len + 1) : text.len;

    memcpy(to, text.at, text.len);
    for (uint64_t i = random_below(random, 3) + 1; i > 0 && len; i--) {
        to[random_below(random, len)] = BYTES[random_below(random, sizeof BYTES - 1)];
    }
    return (struct str){.at = to, .len = len};
}

static void it_agrees_with_jansson_on_spoilt_documents(void **state)
{
    const uint64_t seed = 20261121;
    struct random *random = random_new_seeded(seed);
    int taken = 0, count = 200000;
    char bytes[512];

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < count; i++) {
        taken += agree(spoilt(random, str_of(GOOD[random_below(random, COUNT_OF(GOOD))]), bytes),
                       "spoilt");
    }
    EXPECT(taken > count / 20 && taken < count * 19 / 20, "some are still good: %d", taken);
    random_free(random);
}

static bool is_read(const struct buf *text)
{
    AUTO_JSCAN struct jscan scan = {0};

    return jscan_read(&scan, buf_str(text));
}

static void depth_and_members_have_limits(void **state)
{
    AUTO_BUF struct buf text = {0};

    (void)state;
    buf_init(&text, 1 << 16);
    for (size_t depth = JX_DEPTH_MAX; depth <= JX_DEPTH_MAX + 1; depth++) {
        buf_reset(&text);
        for (size_t i = 0; i < depth; i++) {
            buf_add(&text, i % 2 ? STR("{\"a\":") : STR("["));
        }
        buf_add_char(&text, '0');
        for (size_t i = depth; i > 0; i--) {
            buf_add_char(&text, i % 2 ? ']' : '}');
        }
        EXPECT(is_read(&text) == (depth == JX_DEPTH_MAX), "depth %zu", depth);
    }
    for (int members = JSCAN_MEMBERS_MAX; members <= JSCAN_MEMBERS_MAX + 1; members++) {
        buf_reset(&text);
        for (int i = 0; i < members; i++) {
            buf_addf(&text, "%c\"k%d\":%d", i ? ',' : '{', i, i);
        }
        buf_add_char(&text, '}');
        EXPECT(is_read(&text) == (members == JSCAN_MEMBERS_MAX), "%d members", members);
    }
}

static void ids_and_texts(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_JSCAN struct jscan scan = {0};
    const struct jscan_value *root;

    (void)state;
    EXPECT(jscan_read(&scan,
                      STR("{\"number\":-12,\"text\":\"1\\u00322\",\"real\":1.5,\"none\":null}")),
           "it is JSON");
    root = jscan_root(&scan);
    EXPECT_STR(jscan_id(&scan, jscan_get(&scan, root, STR("number")), &arena), STR("-12"),
               "digits");
    EXPECT_STR(jscan_id(&scan, jscan_get(&scan, root, STR("text")), &arena), STR("122"), "a text");
    EXPECT_STR(jscan_id(&scan, jscan_get(&scan, root, STR("real")), &arena), STR(""), "no id");
    EXPECT_STR(jscan_id(&scan, NULL, &arena), STR(""), "nothing");
    EXPECT(!jscan_text(&scan, jscan_get(&scan, root, STR("number")), &arena).at, "no text");
    EXPECT(!jscan_get(&scan, jscan_get(&scan, root, STR("text")), STR("a")), "no object");
    EXPECT(!jscan_next(&scan, root, NULL), "no array");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_what_jansson_takes),
        cmocka_unit_test(it_agrees_with_jansson_on_spoilt_documents),
        cmocka_unit_test(depth_and_members_have_limits),
        cmocka_unit_test(ids_and_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
