/* Every kind of finding, with its place; and mappings in which there is nothing to find. */
#include "tests/unit/mapper/thing.h"

#include "mapper/inspect.h"

static const struct option_facts SIZES[] = {{STR("S"), STR("Small")}, {STR("L"), STR("Large")}};
static const struct option_facts WORDS[] = {{STR("small"), STR("Small")},
                                            {STR("large"), STR("Large")}};
static const struct option_facts TWINS[] = {{STR("1"), STR("New")}, {STR("2"), STR("New")}};

#define PROPERTY(name_, type_)                                                                     \
    {                                                                                              \
        .name = STR(name_), .type = STR(type_), .is_writable = true                                \
    }
#define CHOICE(name_, options_)                                                                    \
    {                                                                                              \
        .name = STR(name_), .type = STR("enumeration"), .is_writable = true,                       \
        .options = (options_), .options_count = COUNT_OF(options_)                                 \
    }
static const struct property_facts PROPERTIES[] = {
    PROPERTY("text", "string"),
    PROPERTY("number", "number"),
    PROPERTY("whole", "int"),
    PROPERTY("flag", "bool"),
    PROPERTY("day", "date"),
    PROPERTY("time", "datetime"),
    PROPERTY("one", "enum"),
    PROPERTY("some", "set"),
    {.name = STR("fixed"), .type = STR("string")},
    {.name = STR("a1b2"), .label = STR("Mine"), .is_writable = true, .is_custom = true},
    CHOICE("size", SIZES),
    CHOICE("words", WORDS),
    CHOICE("twins", TWINS)};
static const struct schema_facts SCHEMA = {.at = PROPERTIES, .count = COUNT_OF(PROPERTIES)};

/* One finding each, at line 5 (6 where a second field is needed) column 7. */
static const struct {
    const char *fields;
    bool is_error;
    int line;
    const char *message, *hint;
} ALONE[] = {
    {"      price: {property: p, transform: [integer]}\n", true, 5, "'12.5' cannot be written",
     "direction: in"},
    {"      stage: {property: q, values: {High: y}, transform: [lower]}\n", true, 5,
     "'High' would come back as 'high'", "direction: in"},
    {"      stage: {property: q, values: {high: y, low: z, x: high}, transform: [trim], \n"
     "              direction: out}\n",
     false, 0, NULL, NULL},
    {"      size: {property: p, values: {small: S}}\n", false, 5,
     "option 'large' of 'size' has no value", "add it to 'values'"},
    {"      size: {property: p, values: {small: S}, unknown: default, default_in: small,\n"
     "             default_out: S}\n",
     false, 5, "'large' of 'size' has no value at the CRM and becomes the default", NULL},
    {"      size: {property: p, values: {small: S, large: L}}\n", false, 0, NULL, NULL},
    {"      name: {property: p, transform: [domain]}\n", false, 0, NULL, NULL},
    {"      name: {property: p, transform: [lower]}\n", false, 0, NULL, NULL},
    {"      phone: {property: p, transform: [first, phone: 49]}\n", false, 0, NULL, NULL},
    {"      count: {property: p, number: true}\n      price: {property: q, number: true}\n", false,
     0, NULL, NULL},
    {"      rate: {property: p, transform: [scale: 100]}\n", false, 0, NULL, NULL},
    {"      born: {property: p, transform: [day]}\n      seen: {property: q}\n", false, 0, NULL,
     NULL},
    {"      tags: {property: p, transform: [split: ';', lower]}\n", false, 0, NULL, NULL},
};

static const struct {
    const char *fields;
    bool is_error;
    int line;
    const char *message, *hint;
} WITH_SCHEMA[] = {
    {"      name: {property: txet}\n", true, 5, "no property 'txet'", "did you mean 'text'?"},
    {"      name: {property: zzzzzzzzzz}\n", true, 5, "no property 'zzz", "create it"},
    {"      name: {property: fixed}\n", true, 5, "'fixed' cannot be written", "direction: in"},
    {"      name: {property: fixed, direction: in}\n", false, 0, NULL, NULL},
    {"      name: {property: 'custom:Mine'}\n", false, 0, NULL, NULL},
    {"      name: {property: 'custom:Yours'}\n", true, 5, "no property 'custom:Yours'", NULL},
    {"      name: {property: 'custom:Mine'}\n      other: {property: a1b2}\n", true, 6,
     "'Mine' has two owners", "direction: in"},
    {"      size: {property: size, values: {small: S, large: Larg}, direction: out}\n", true, 5,
     "'Larg' is neither a value nor a label", "did you mean 'Large'?"},
    {"      size: {property: size, values: {small: Small, large: L}}\n", false, 0, NULL, NULL},
    {"      stage: {property: twins, values: {new: New, old: '2'}, direction: out}\n", true, 5,
     "'New' is the label of several values", "the value itself"},
    {"      stage: {property: size, values: {small: S}}\n", false, 5,
     "1 values of 'size' have no unified word and would be held: L (Large)", "unknown: keep"},
    {"      stage: {property: size, values: {small: S}, unknown: keep}\n", false, 0, NULL, NULL},
    {"      stage: {property: size, values: {small: S}, direction: out}\n", false, 0, NULL, NULL},
    {"      stage: {property: size, number: true, unknown: keep, values: {small: S}}\n", true, 5,
     "'S' of 'size' is no number", "number"},
    {"      size: {property: words}\n", false, 0, NULL, NULL},
    {"      size: {property: size}\n", true, 5, "option 'small' of 'size' is no value of 'size'",
     "add 'values'"},
    {"      stage: {property: size}\n", false, 5, "takes 2 values only", "direction: in"},
    {"      stage: {property: size, direction: in}\n", false, 0, NULL, NULL},
    {"      price: {property: whole}\n", true, 5, "behind the point is lost", "decimals"},
    {"      name: {property: whole}\n", true, 5, "texts that are whole numbers", "integer"},
    {"      name: {property: number}\n", true, 5, "texts that are numbers", "decimal"},
    {"      name: {property: number, direction: in}\n", false, 0, NULL, NULL},
    {"      note: {property: flag}\n", true, 5, "only true and false", "boolean"},
    {"      seen: {property: day}\n", true, 5, "the time of day is lost", "date"},
    {"      count: {property: day}\n", true, 5, "only dates", NULL},
    {"      price: {property: time}\n", true, 5, "only times", NULL},
    {"      born: {property: time}\n", true, 5, "the day depends on the zone", "[day]"},
    {"      born: {property: time, transform: [day]}\n", false, 0, NULL, NULL},
    {"      tags: {property: one}\n", true, 5, "a list does not fit", "enum"},
    {"      stage: {property: some}\n", true, 5, "several choices", "multi_enum"},
    {"      tags: {property: some, transform: [split: ',']}\n", false, 0, NULL, NULL},
    {"      price: {property: number}\n      count: {property: whole}\n"
     "      active: {property: flag}\n      born: {property: day}\n      seen: {property: time}\n",
     false, 0, NULL, NULL},
    {"      owner_id: {property: whole, transform: [owner], number: true}\n", false, 0, NULL, NULL},
};

static void expect_one(const char *fields, const struct schema_facts *schema, bool is_error,
                       int line, const char *message, const char *hint)
{
    AUTO_ARENA struct arena arena = {0};
    const struct inspected one = {
        .connection = STR("here"), .mapping = thing_mapping(fields, &arena), .schema = schema};
    struct finding *findings;
    size_t count;

    mapping_inspect(&one, 1, &arena, &findings, &count);
    if (line == 0) {
        EXPECT(count == 0, "%s: %s", fields, count ? findings[0].message.at : "");
        return;
    }
    EXPECT(count > 0, "nothing found in %s", fields);
    EXPECT(count == 1, "%s: also %s", fields, findings[1].message.at);
    EXPECT(findings[0].is_error == is_error, "%s: %s", fields, findings[0].message.at);
    EXPECT(findings[0].line == line && findings[0].column == 7, "%s: line %d", fields,
           findings[0].line);
    EXPECT(!message || strstr(findings[0].message.at, message), "%s: %s", fields,
           findings[0].message.at);
    EXPECT(!hint || strstr(findings[0].hint.at, hint), "%s: hint '%s'", fields,
           findings[0].hint.at);
    EXPECT_STR(findings[0].connection, STR("here"), "connection");
}

static void a_mapping_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ALONE); i++) {
        expect_one(ALONE[i].fields, NULL, ALONE[i].is_error, ALONE[i].line, ALONE[i].message,
                   ALONE[i].hint);
    }
}

static void a_mapping_and_a_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(WITH_SCHEMA); i++) {
        expect_one(WITH_SCHEMA[i].fields, &SCHEMA, WITH_SCHEMA[i].is_error, WITH_SCHEMA[i].line,
                   WITH_SCHEMA[i].message, WITH_SCHEMA[i].hint);
    }
}

static size_t inspect_two(const char *a, const char *b, struct arena *arena, struct finding **ret)
{
    const struct inspected both[] = {{.connection = STR("a"), .mapping = thing_mapping(a, arena)},
                                     {.connection = STR("b"), .mapping = thing_mapping(b, arena)}};
    size_t count;

    mapping_inspect(both, 2, arena, ret, &count);
    return count;
}

static void fields_that_feed_each_other_are_found(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct finding *findings;

    (void)state;
    assert_int_equal(
        inspect_two("      name: {property: p}\n      other: {property: p, direction: in}\n",
                    "      name: {property: q, direction: in}\n      other: {property: q}\n",
                    &arena, &findings),
        1);
    assert_true(findings[0].is_error);
    EXPECT_STR(findings[0].message,
               STR("fields feed each other in a circle: 'name' goes to property 'p' of 'a', from "
                   "which 'other' is read; 'other' goes to property 'q' of 'b', from which 'name' "
                   "is read"),
               "the way");
    EXPECT_STR(findings[0].connection, STR("b"), "place");
    assert_int_equal(findings[0].line, 5);
}

static void a_chain_without_return_is_no_circle(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct finding *findings;

    (void)state;
    assert_int_equal(
        inspect_two("      name: {property: p}\n      other: {property: p, direction: in}\n",
                    "      name: {property: q}\n      other: {property: r}\n", &arena, &findings),
        0);
    assert_int_equal(
        inspect_two("      name: {property: p, transform: [member: x]}\n"
                    "      other: {property: p, transform: [member: y], direction: in}\n",
                    "      name: {property: q, direction: in}\n      other: {property: q}\n",
                    &arena, &findings),
        0);
}

/* Through a third field: name → other → note → name. */
static void a_longer_circle_is_found_once(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct inspected all[] = {
        {.connection = STR("a"),
         .mapping = thing_mapping(
             "      name: {property: p}\n      other: {property: p, direction: in}\n", &arena)},
        {.connection = STR("b"),
         .mapping = thing_mapping(
             "      other: {property: q}\n      note: {property: q, direction: in}\n", &arena)},
        {.connection = STR("c"),
         .mapping = thing_mapping(
             "      note: {property: r}\n      name: {property: r, direction: in}\n", &arena)}};
    struct finding *findings;
    size_t count;

    (void)state;
    mapping_inspect(all, COUNT_OF(all), &arena, &findings, &count);
    assert_int_equal(count, 1);
    assert_non_null(strstr(findings[0].message.at, "property 'q' of 'b'"));
}

static void two_sources_of_one_field_are_told(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct finding *findings;

    (void)state;
    assert_int_equal(inspect_two("      name: {property: p, direction: in}\n",
                                 "      name: {property: q, direction: in}\n", &arena, &findings),
                     1);
    assert_false(findings[0].is_error);
    assert_non_null(strstr(findings[0].message.at, "two owners"));
    assert_int_equal(inspect_two("      name: {property: p, direction: in}\n",
                                 "      name: {property: q}\n", &arena, &findings),
                     0);
}

static void the_built_in_mappings_have_no_mistakes(void **state)
{
    static const char *const CRMS[] = {"hubspot", "pipedrive", "salesforce"};
    AUTO_ARENA struct arena arena = {0};
    struct inspected all[16];
    struct finding *findings;
    struct kinds kinds;
    struct error err = {0};
    size_t count = 0, findings_count;

    (void)state;
    assert_int_equal(kinds_load_embedded(&arena, &kinds, &err), OK);
    for (size_t i = 0; i < COUNT_OF(CRMS); i++) {
        struct mappings mappings;

        EXPECT(mappings_load(&arena, &kinds, str_of(CRMS[i]), NULL, &mappings, &err) == OK, "%s",
               err.message);
        for (size_t k = 0; k < mappings.count; k++) {
            all[count++] =
                (struct inspected){.connection = str_of(CRMS[i]), .mapping = &mappings.at[k]};
        }
    }
    mapping_inspect(all, count, &arena, &findings, &findings_count);
    EXPECT(findings_count == 0, "%s:%d: %s", findings[0].file, findings[0].line,
           findings[0].message.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_alone),
        cmocka_unit_test(a_mapping_and_a_schema),
        cmocka_unit_test(fields_that_feed_each_other_are_found),
        cmocka_unit_test(a_chain_without_return_is_no_circle),
        cmocka_unit_test(a_longer_circle_is_found_once),
        cmocka_unit_test(two_sources_of_one_field_are_told),
        cmocka_unit_test(the_built_in_mappings_have_no_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
