/* Filters: conditions on unified fields. */
#include "tests/expect.h"

#include "mapper/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct kind_field FIELDS[] = {
    {.name = {.at = "city", .len = 4}, .type = TYPE_STRING},
    {.name = {.at = "amount", .len = 6}, .type = TYPE_DECIMAL},
    {.name = {.at = "day", .len = 3}, .type = TYPE_DATE},
    {.name = {.at = "tags", .len = 4}, .type = TYPE_MULTI_ENUM},
    {.name = {.at = "email", .len = 5}, .type = TYPE_EMAIL},
};

static const struct kind KIND = {
    .name = {.at = "thing", .len = 5}, .fields = FIELDS, .fields_count = COUNT_OF(FIELDS)};

static enum fail read(struct arena *arena, const char *text, struct filter *ret, struct error *err)
{
    struct yx_document *document;
    enum fail failed = yx_load_text(str_of(text), "f.yaml", &document, err);

    if (failed == OK) {
        failed = filter_read(arena, &KIND, yx_root(document), ret, err);
        yx_free(document);
    }
    return failed;
}

/* city, amount, day; tags a and b; email as given. NULL = absent, "-" = null. */
static const struct {
    const char *filter, *city, *amount, *day;
    bool passes;
} ROWS[] = {
    {"[{field: city, is: Berlin}]", "Berlin", NULL, NULL, true},
    {"[{field: city, is: Berlin}]", "berlin", NULL, NULL, false},
    {"[{field: city, is: [Rome, Berlin]}]", "Berlin", NULL, NULL, true},
    {"[{field: city, is: \"\"}]", NULL, NULL, NULL, true},
    {"[{field: city, is: \"\"}]", "-", NULL, NULL, true},
    {"[{field: city, is: \"\"}]", "", NULL, NULL, true},
    {"[{field: city, is: \"\"}]", "Berlin", NULL, NULL, false},
    {"[{field: city, is_not: \"\"}]", "Berlin", NULL, NULL, true},
    {"[{field: city, is_not: \"\"}]", "-", NULL, NULL, false},
    {"[{field: city, is_not: [Rome, Oslo]}]", "Oslo", NULL, NULL, false},
    {"[{field: city, is_not: [Rome, Oslo]}]", NULL, NULL, NULL, true},
    {"[{field: city, contains: \"ST. \xC3\x84\"}]", "Bad st. \xC3\xA4gid", NULL, NULL, true},
    {"[{field: city, contains: berlin}]", "Berl", NULL, NULL, false},
    {"[{field: amount, at_least: 1000}]", NULL, "1000", NULL, true},
    {"[{field: amount, at_least: 1000}]", NULL, "999.99", NULL, false},
    {"[{field: amount, at_least: 900}]", NULL, "1000", NULL, true}, /* by number, not by text */
    {"[{field: amount, at_most: 900}]", NULL, "1000", NULL, false},
    {"[{field: amount, at_least: -5}]", NULL, "-5", NULL, true},
    {"[{field: amount, at_least: 0}]", NULL, NULL, NULL, false}, /* blank is no number */
    {"[{field: amount, at_most: 0}]", NULL, "-", NULL, false},
    {"[{field: amount, is: \"1.50\"}]", NULL, "1.5", NULL, true}, /* in normal form */
    {"[{field: day, at_least: 2026-02-01}]", NULL, NULL, "2026-10-01", true},
    {"[{field: day, at_most: 2026-02-01}]", NULL, NULL, "2026-02-02", false},
    {"[{field: tags, has: a}]", NULL, NULL, NULL, true},
    {"[{field: tags, has: [x, b]}]", NULL, NULL, NULL, true},
    {"[{field: tags, has: x}]", NULL, NULL, NULL, false},
    {"[{field: city, is: Rome}, {field: tags, has: a}]", "Oslo", NULL, NULL, false},
    {"[{any: [{field: city, is: Rome}, {field: tags, has: a}]}]", "Oslo", NULL, NULL, true},
    {"[{any: [{field: city, is: Rome}, {field: tags, has: x}]}]", "Oslo", NULL, NULL, false},
    {"[{any: [{field: city, is: Oslo}]}, {field: amount, at_least: 1}]", "Oslo", "0", NULL, false},
    {"[{field: email, is: ADA@X.example}]", NULL, NULL, NULL, true},
};

static void set(struct fields *fields, struct arena *arena, const char *name, const char *text)
{
    if (text) {
        fields_set(fields, arena, str_of(name),
                   strcmp(text, "-") == 0 ? VALUE_NONE : VALUE_OF(str_of(text)));
    }
}

static void a_record_passes_by_its_values(void **state)
{
    static const struct str TAGS[] = {{.at = "a", .len = 1}, {.at = "b", .len = 1}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct fields fields = {0};
        struct filter filter;
        struct error err = {0};

        set(&fields, &arena, "city", ROWS[i].city);
        set(&fields, &arena, "amount", ROWS[i].amount);
        set(&fields, &arena, "day", ROWS[i].day);
        set(&fields, &arena, "email", "ada@x.example");
        fields_set(&fields, &arena, STR("tags"),
                   (struct value){.state = VALUE_LIST, .items = TAGS, .items_count = 2});
        EXPECT(read(&arena, ROWS[i].filter, &filter, &err) == OK, "%s: %s", ROWS[i].filter,
               err.message);
        EXPECT(filter_passes(&filter, &fields) == ROWS[i].passes, "%s (row %zu)", ROWS[i].filter,
               i);
    }
}

static void what_cannot_be_meant_is_refused_with_its_place(void **state)
{
    static const char *const WRONG[] = {
        "[]",
        "{field: city, is: x}",
        "[{field: town, is: x}]",
        "[{field: city}]",
        "[{is: x}]",
        "[{field: city, is: x, is_not: y}]",
        "[{field: city, equals: x}]",
        "[{field: city, at_least: x}]",
        "[{field: amount, contains: 1}]",
        "[{field: amount, at_least: many}]",
        "[{field: amount, at_least: [1, 2]}]",
        "[{field: amount, at_least: \"\"}]",
        "[{field: city, has: x}]",
        "[{field: city, is: []}]",
        "[{field: city, is: [{a: b}]}]",
        "[{any: []}]",
        "[{any: [{field: city, is: x}], field: city}]",
        "[{any: [{any: [{field: city, is: x}]}]}]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct filter filter;
        struct error err = {0};

        EXPECT(read(&arena, WRONG[i], &filter, &err) == FAIL_CONFIG, "%s was accepted", WRONG[i]);
        EXPECT(strncmp(err.message, "f.yaml:1:", 9) == 0, "%s: %s", WRONG[i], err.message);
    }
}

static void the_version_changes_with_the_meaning(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct filter a, b, same;
    struct error err = {0};

    (void)state;
    assert_int_equal(read(&arena, "[{field: city, is: [x, y]}]", &a, &err), OK);
    assert_int_equal(read(&arena, "[ {is: ['x', \"y\"], field: city} ]", &same, &err), OK);
    assert_true(str_equal(a.version, same.version));
    assert_int_equal(read(&arena, "[{field: city, is: 'x y'}]", &b, &err), OK);
    assert_false(str_equal(a.version, b.version));
    assert_int_equal(read(&arena, "[{field: city, is_not: [x, y]}]", &b, &err), OK);
    assert_false(str_equal(a.version, b.version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_passes_by_its_values),
        cmocka_unit_test(what_cannot_be_meant_is_refused_with_its_place),
        cmocka_unit_test(the_version_changes_with_the_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
