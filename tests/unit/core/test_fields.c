/* Records in normal form and their JSON in the store. */
#include "tests/expect.h"

#include <jansson.h>

#include "core/fields.h"
#include "core/random.h"
#include "core/unicode.h"

#define LIST_OF(...)                                                                               \
    ((struct value){.state = VALUE_LIST,                                                           \
                    .items = (const struct str[]){__VA_ARGS__},                                    \
                    .items_count =                                                                 \
                        sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str)})
#define EMPTY_LIST ((struct value){.state = VALUE_LIST})

static void absent_null_and_empty_are_three_things(void **state)
{
    const struct value values[] = {{0},
                                   VALUE_NONE,
                                   VALUE_OF(STR("")),
                                   EMPTY_LIST,
                                   VALUE_OF(STR("x")),
                                   VALUE_OF(STR("X")),
                                   LIST_OF(STR("x")),
                                   LIST_OF(STR("x"), STR("y")),
                                   LIST_OF(STR("y"), STR("x"))};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        for (size_t j = 0; j < COUNT_OF(values); j++) {
            EXPECT(value_equal(&values[i], &values[j]) == (i == j), "%zu against %zu", i, j);
        }
        EXPECT(value_is_blank(&values[i]) == (i < 4), "blank %zu", i);
    }
}

static void setting_keeps_order_and_absent_removes(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct fields fields = {0};
    struct random *random = random_new_seeded(11);
    bool is_in[200] = {false};

    (void)state;
    for (int round = 0; round < 5000; round++) {
        size_t which = random_below(random, COUNT_OF(is_in));
        struct str name = arena_printf(&arena, "f%zu", which);
        bool sets = random_chance(random, 600000);

        fields_set(&fields, &arena, name, sets ? VALUE_OF(name) : (struct value){0});
        is_in[which] = sets;
    }
    for (size_t i = 0, count = 0; i < COUNT_OF(is_in); i++) {
        const struct value *value = fields_get(&fields, arena_printf(&arena, "f%zu", i));

        count += is_in[i];
        EXPECT((value->state == VALUE_TEXT) == is_in[i], "seed 11: f%zu", i);
        EXPECT(i + 1 < COUNT_OF(is_in) || count == fields.count, "seed 11: count");
    }
    for (size_t i = 1; i < fields.count; i++) {
        EXPECT(str_compare(fields.at[i - 1].name, fields.at[i].name) < 0, "sorted at %zu", i);
    }
    random_free(random);
}

static void copies_are_deep(void **state)
{
    AUTO_ARENA struct arena arena = {0}, other = {0};
    struct fields fields = {0}, copy;
    char text[] = "value";

    (void)state;
    fields_set(&fields, &arena, STR("a"), VALUE_OF(str_of(text)));
    fields_set(&fields, &arena, STR("b"), LIST_OF(str_of(text)));
    copy = fields_copy(&other, &fields);
    EXPECT(fields_equal(&fields, &copy), "equal at first");
    text[0] = 'V';
    EXPECT(!fields_equal(&fields, &copy), "the copy has its own text");
    fields_set(&copy, &other, STR("c"), VALUE_NONE);
    EXPECT(fields.count == 2, "the first is not touched");
}

static void documents(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct fields fields = {0};

    (void)state;
    EXPECT_STR(fields_to_json(&arena, &fields), STR("{}"), "empty");
    fields_set(&fields, &arena, STR("name3"), LIST_OF(STR("x"), STR("y")));
    fields_set(&fields, &arena, STR("name2"), VALUE_NONE);
    fields_set(&fields, &arena, STR("name"), VALUE_OF(STR("text")));
    fields_set(&fields, &arena, STR("name4"), EMPTY_LIST);
    EXPECT_STR(fields_to_json(&arena, &fields),
               STR("{\"name\":\"text\",\"name2\":null,\"name3\":[\"x\",\"y\"],\"name4\":[]}"),
               "all");
}

static void escapes(void **state)
{
    static const struct {
        struct str text;
        const char *json;
    } ROWS[] = {
        {{"a\"b\\c/d", 7}, "{\"k\":\"a\\\"b\\\\c/d\"}"},
        {{"\n\t\x1f", 3}, "{\"k\":\"\\u000a\\u0009\\u001f\"}"},
        {{"a\0b", 3}, "{\"k\":\"a\\u0000b\"}"},
        {{"\x7f", 1}, "{\"k\":\"\x7f\"}"},
        {{"\xc3\xa4\xf0\x9f\x98\x80", 6}, "{\"k\":\"\xc3\xa4\xf0\x9f\x98\x80\"}"},
        {{"a\xff"
          "b",
          3},
         "{\"k\":\"a\xef\xbf\xbd"
         "b\"}"},
        {{"\xc3", 1}, "{\"k\":\"\xef\xbf\xbd\"}"},
        {{"\xed\xa0\x80", 3}, "{\"k\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}"},
    };
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct fields fields = {0}, back;
        struct error err = {0};
        struct str json;

        fields_set(&fields, &arena, STR("k"), VALUE_OF(ROWS[i].text));
        json = fields_to_json(&arena, &fields);
        EXPECT_STR(json, str_of(ROWS[i].json), "written");
        EXPECT(fields_from_json(&arena, json, &back, &err) == OK, "read back: %s", err.message);
        EXPECT(fields_equal(&fields, &back) == utf8_is_valid(ROWS[i].text), "row %zu round trip",
               i);
    }
}

static void reading_accepts_what_json_allows(void **state)
{
    static const struct {
        const char *json;
        const char *want; /* of member k */
    } ROWS[] = {
        {" { \"k\" :\t\"v\" \r\n} ", "v"},
        {"{\"k\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
        {"{\"k\":\"\\u00e4\\u20AC\\ud83d\\ude00x\"}", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80x"},
        {"{\"b\":null,\"k\":\"v\",\"a\":[]}", "v"},
        {"{\"\\u006b\":\"v\"}", "v"},
    };
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct fields fields;
        struct error err = {0};

        EXPECT(fields_from_json(&arena, str_of(ROWS[i].json), &fields, &err) == OK, "%s",
               ROWS[i].json);
        EXPECT_STR(fields_get(&fields, STR("k"))->text, str_of(ROWS[i].want), ROWS[i].json);
    }
}

static void damage_is_refused(void **state)
{
    static const char *const BAD[] = {
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "\"x\"",
        "{}x",
        "{} {}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1}",
        "{\"a\":true}",
        "{\"a\":nul}",
        "{\"a\":nullx}",
        "{\"a\":\"x\",}",
        "{\"a\":\"x\" \"b\":\"y\"}",
        "{\"a\":\"x\",\"a\":\"y\"}",
        "{\"b\":null,\"a\":null,\"b\":null}",
        "{\"a\":[1]}",
        "{\"a\":[\"x\",]}",
        "{\"a\":[\"x\"}",
        "{\"a\":[,]}",
        "{\"a\":[null]}",
        "{\"a\":[[\"x\"]]}",
        "{\"a\":{}}",
        "{\"a\":{\"h\":\"x\"}}",
        "{\"a\":\"x}",
        "{\"a\":\"x\\\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\ud800x\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\xff\"}",
        "{a:\"x\"}",
        "{'a':'x'}",
        "{\"a\":\"x\"}\v",
    };
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct fields fields = {.count = 77};
        struct error err = {0};

        EXPECT(fields_from_json(&arena, str_of(BAD[i]), &fields, &err) == FAIL_STOP, "'%s' refused",
               BAD[i]);
        EXPECT(fields.count == 77, "nothing written for '%s'", BAD[i]);
        EXPECT(err.message[0] && err.hint[0], "says what and what to do");
    }
}

/* Random documents that jansson reads, and random damage: both readers must agree on whether it is one of ours. */
static bool jansson_takes(const char *text, size_t len)
{
    json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool takes = json_is_object(tree);
    const char *name;
    json_t *value, *item;
    size_t index;

    json_object_foreach(tree, name, value)
    {
        takes = takes && (json_is_null(value) || json_is_string(value) || json_is_array(value));
        json_array_foreach(value, index, item)
        {
            takes = takes && json_is_string(item);
        }
    }
    json_decref(tree);
    return takes;
}

static void reading_agrees_with_jansson(void **state)
{
    static const char *const PIECES[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"a\"",
                                         "\"b\"",
                                         "\"\\u0041\"",
                                         "null",
                                         " ",
                                         "\"\\ud83d\\ude00\"",
                                         "\"\xc3\xa4\"",
                                         "\"\"",
                                         "1",
                                         "\\",
                                         "\"\xff\"",
                                         "\n"};
    static const char WHOLE[] =
        "{\"a\":\"x\\n\\u00e4\",\"b\":[\"1\",\"\\ud83d\\ude00\"],\"c\":null,\"d\":[]}";
    struct random *random = random_new_seeded(99);
    size_t taken = 0;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        AUTO_ARENA struct arena arena = {0};
        AUTO_BUF struct buf text = {0};
        struct fields fields;
        struct error err = {0};
        bool takes;

        buf_init(&text, 1024);
        if (i % 2) {
            buf_add(&text, STR("{\"k\":"));
            for (size_t n = random_below(random, 8); n; n--) {
                buf_add(&text, str_of(PIECES[random_below(random, COUNT_OF(PIECES))]));
            }
            buf_add(&text, STR("}"));
        } else {
            buf_add(&text, str_of(WHOLE));
            text.at[random_below(random, text.len)] = (char)random_below(random, 256);
        }
        takes = jansson_takes(text.at, text.len);
        taken += takes;
        EXPECT((fields_from_json(&arena, buf_str(&text), &fields, &err) == OK) == takes,
               "seed 99 round %d: '%s' is %s for jansson", i, text.at, takes ? "fine" : "damaged");
    }
    EXPECT(taken > 2000 && taken < 50000, "both kinds were tried: %zu", taken);
    random_free(random);
}

static struct fields random_fields(struct arena *arena, struct random *random)
{
    static const char *const NAMES[] = {"a", "b", "c", "d", "custom.x", "\"", ""};
    static const char *const TEXTS[] = {"", "x", "y", "\xc3\xa4\n", "\\\""};
    struct fields fields = {0};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct str text = str_of(TEXTS[random_below(random, COUNT_OF(TEXTS))]);
        struct value list = LIST_OF(text, STR("z"));
        struct value values[] = {
            {0}, VALUE_NONE, VALUE_OF(text), EMPTY_LIST, value_copy(arena, &list)};

        fields_set(&fields, arena, str_of(NAMES[i]),
                   values[random_below(random, COUNT_OF(values))]);
    }
    return fields;
}

static void every_record_and_base_comes_back(void **state)
{
    struct random *random = random_new_seeded(5);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        AUTO_ARENA struct arena arena = {0};
        struct base base = {random_fields(&arena, random), random_fields(&arena, random)},
                    base_back;
        struct fields back;
        struct digest hub = fields_digest(&base.hub), remote = fields_digest(&base.remote);
        struct error err = {0};
        struct str json = fields_to_json(&arena, &base.hub);

        EXPECT(fields_from_json(&arena, json, &back, &err) == OK && fields_equal(&back, &base.hub),
               "seed 5 round %d: %s", i, json.at);
        json = base_to_json(&arena, &base);
        EXPECT(base_from_json(&arena, json, &base_back, &err) == OK, "seed 5 round %d: %s", i,
               json.at);
        EXPECT(fields_equal(&base_back.hub, &base.hub) &&
                   fields_equal(&base_back.remote, &base.remote),
               "seed 5 round %d: %s", i, json.at);
        EXPECT(digest_equal(&hub, &remote) == fields_equal(&base.hub, &base.remote),
               "digest tells records apart");
    }
    random_free(random);
}

/* Written once and kept: the same text, digest and base as without, and never an old one. */
static void kept_texts_are_the_fields(void **state)
{
    struct random *random = random_new_seeded(6);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        AUTO_ARENA struct arena arena = {0};
        struct fields fields = random_fields(&arena, random), other = random_fields(&arena, random);
        struct base base = {fields, fields};
        struct str json = fields_to_json(&arena, &fields), same = base_to_json(&arena, &base);
        struct digest before = fields_digest(&fields), after;

        base.remote = other;
        struct str mixed = base_to_json(&arena, &base);

        fields_write(&fields, &arena);
        fields_write(&other, &arena);
        after = fields_digest(&fields);
        EXPECT_STR(fields_to_json(&arena, &fields), json, "document");
        EXPECT(digest_equal(&before, &after), "seed 6 round %d: digest", i);
        EXPECT_STR(base_to_json(&arena, &(struct base){fields, fields}), same, "equal halves");
        EXPECT_STR(base_to_json(&arena, &(struct base){fields, other}), mixed, "other halves");
        fields_set(&fields, &arena, STR("new"), VALUE_OF(STR("1")));
        EXPECT(str_contains(fields_to_json(&arena, &fields), STR("\"new\"")),
               "seed 6 round %d: changed since", i);
    }
    random_free(random);
}

static void base_documents(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct base base = {{0}, {0}};

    (void)state;
    fields_set(&base.hub, &arena, STR("same"), VALUE_OF(STR("1")));
    fields_set(&base.remote, &arena, STR("same"), VALUE_OF(STR("1")));
    fields_set(&base.hub, &arena, STR("differs"), VALUE_OF(STR("1")));
    fields_set(&base.remote, &arena, STR("differs"), VALUE_NONE);
    fields_set(&base.hub, &arena, STR("hub"), VALUE_OF(STR("1")));
    fields_set(&base.remote, &arena, STR("remote"), EMPTY_LIST);
    EXPECT_STR(base_to_json(&arena, &base),
               STR("{\"differs\":{\"h\":\"1\",\"r\":null},\"hub\":{\"h\":\"1\"},\"remote\":{\"r\":["
                   "]},\"same\":\"1\"}"),
               "pairs only where the halves differ");
}

static void damaged_bases_are_refused(void **state)
{
    static const char *const BAD[] = {"{\"a\":{}}",
                                      "{\"a\":{\"x\":\"1\"}}",
                                      "{\"a\":{\"h\":\"1\",\"h\":\"2\"}}",
                                      "{\"a\":{\"h\":{\"h\":\"1\"}}}",
                                      "{\"a\":{\"h\":\"1\"},\"a\":{\"r\":\"1\"}}",
                                      "{\"a\":{\"h\":\"1\",}}",
                                      "{\"a\":{\"hh\":\"1\"}}",
                                      "{\"a\":{\"h\":1}}",
                                      "{\"a\":{\"r\":\"1\"},\"a\":{\"r\":\"2\"}}"};
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct base base;
        struct error err = {0};

        EXPECT(base_from_json(&arena, str_of(BAD[i]), &base, &err) == FAIL_STOP, "%s", BAD[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_null_and_empty_are_three_things),
        cmocka_unit_test(setting_keeps_order_and_absent_removes),
        cmocka_unit_test(copies_are_deep),
        cmocka_unit_test(documents),
        cmocka_unit_test(escapes),
        cmocka_unit_test(reading_accepts_what_json_allows),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(reading_agrees_with_jansson),
        cmocka_unit_test(every_record_and_base_comes_back),
        cmocka_unit_test(kept_texts_are_the_fields),
        cmocka_unit_test(base_documents),
        cmocka_unit_test(damaged_bases_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
