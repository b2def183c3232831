/* Remote properties to fields and back: single entries as a table, then what entries do together. */
#include "tests/unit/mapper/thing.h"

#include "core/jx.h"
#include "mapper/convert.h"

/* Records 1 to 4 here are the objects "1" to "4" there; nothing else is linked. */
/* "5" is a second object of what "1" is. */
static bool to_hub(void *context, struct str kind, struct str id, struct arena *arena,
                   struct str *ret)
{
    (void)context, (void)kind;
    if (str_equal(id, STR("5"))) {
        id = STR("1");
    }
    *ret = arena_printf(arena, "uuid-%" PRI_STR, STR_ARG(id));
    return id.len == 1 && id.at[0] >= '1' && id.at[0] <= '4';
}

static bool to_remote(void *context, struct str kind, struct str uuid, struct arena *arena,
                      struct str *ret)
{
    (void)context, (void)kind, (void)arena;
    *ret = str_slice(uuid, strlen("uuid-"), uuid.len);
    return ret->len == 1 && ret->at[0] >= '1' && ret->at[0] <= '4';
}

static bool owner_to_hub(void *context, struct str id, struct arena *arena, struct str *ret)
{
    (void)context, (void)arena;
    *ret = STR("ada@example.com");
    return str_equal(id, STR("7"));
}

static bool owner_to_remote(void *context, struct str email, struct arena *arena, struct str *ret)
{
    (void)context, (void)arena;
    *ret = STR("7");
    return str_equal(email, STR("ada@example.com"));
}

static const struct reference_resolver RESOLVER = {.to_hub = to_hub,
                                                   .to_remote = to_remote,
                                                   .owner_to_hub = owner_to_hub,
                                                   .owner_to_remote = owner_to_remote};

static json_t *parse(const char *text, struct arena *arena)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

    EXPECT(json, "no JSON: %s", text);
    return jx_own(arena, json);
}

static struct str text_of(const json_t *json, struct arena *arena)
{
    char *text =
        json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    struct str copy = arena_str(arena, str_of(text ? text : "nothing"));

    free(text);
    return copy;
}

/* "-" absent, "null", "[a,b]" or the text. */
static struct str shown(const struct value *value, struct arena *arena)
{
    struct str list = STR("[");

    if (value->state == VALUE_ABSENT) {
        return STR("-");
    }
    if (value->state == VALUE_NULL) {
        return STR("null");
    }
    if (value->state == VALUE_TEXT) {
        return value->text;
    }
    for (size_t i = 0; i < value->items_count; i++) {
        list = arena_printf(arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(list), i ? "," : "",
                            STR_ARG(value->items[i]));
    }
    return arena_printf(arena, "%" PRI_STR "]", STR_ARG(list));
}

static struct value value_of(const char *text, struct arena *arena)
{
    struct str rest = str_of(text);
    struct str *items = ARENA_ARRAY(arena, struct str, rest.len + 1);
    size_t count = 0;

    if (str_equal(rest, STR("null"))) {
        return VALUE_NONE;
    }
    if (rest.len == 0 || rest.at[0] != '[') {
        return VALUE_OF(rest);
    }
    rest = str_slice(rest, 1, rest.len - 1);
    while (rest.at) {
        items[count++] = str_cut(&rest, ',');
    }
    return (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
}

/* entry: FIELD: {property: p, …}. remote → hub → out; image of hub. "-" held or waiting. */
static const struct {
    const char *entry, *remote, *hub, *out, *image;
} ROWS[] = {
    {"name: {property: p}", "\"  Ada   L \"", "Ada L", "\"Ada L\"", "Ada L"},
    {"name: {property: p}", "null", "null", "null", "null"},
    {"name: {property: p}", "\"\"", "null", "null", "null"},
    {"name: {property: p}", "17", "17", "\"17\"", "17"},
    {"name: {property: p}", "[1]", "-", NULL, NULL},
    {"phone: {property: p}", "\"1203003049030555;ext=12\"", "1203003049030555;ext=12",
     "\"1203003049030555;ext=12\"", "1203003049030555;ext=12"},
    {"phone: {property: p}", "\"12(;ext=\"", "12(;ext=", "\"12(;ext=\"", "12(;ext="},
    {"name: {property: p, transform: [lower]}", "\"ADA\"", "ada", "\"ada\"", "ada"},
    {"name: {property: p, transform: [domain]}", "\"https://www.Acme.co.uk/x\"", "acme.co.uk",
     "\"acme.co.uk\"", "acme.co.uk"},
    {"count: {property: p}", "\"12.0\"", "12", "\"12\"", "12"},
    {"count: {property: p, number: true}", "12", "12", "12", "12"},
    {"count: {property: p}", "\"12.5\"", "-", NULL, NULL},
    {"price: {property: p, number: true}", "12.5", "12.5", "12.5", "12.5"},
    {"price: {property: p}", "\"0.1000000000000000055\"", "0.1", "\"0.1\"", "0.1"},
    {"rate: {property: p, transform: [scale: 100]}", "\"0.2\"", "20", "\"0.2\"", "20"},
    {"rate: {property: p, transform: [scale: 100], number: true}", "0.125", "12.5", "0.125",
     "12.5"},
    {"rate: {property: p, transform: [scale: 0.01]}", "1999", "19.99", "\"1999\"", "19.99"},
    {"rate: {property: p, transform: [scale: 10]}", "0", "0", "\"0\"", "0"},
    {"rate: {property: p, transform: [scale: 1000000000]}", "-1e-9", "-1", "\"-0.000000001\"",
     "-1"},
    {"rate: {property: p, transform: [scale: 100]}", "\"many\"", "-", NULL, NULL},
    {"count: {property: p, transform: [scale: 100]}", "\"0.205\"", "-", NULL, NULL},
    {"count: {property: p, transform: [scale: 100]}", "0.6", "60", "\"0.6\"", "60"},
    {"active: {property: p}", "\"true\"", "true", "\"true\"", "true"},
    {"active: {property: p, number: true}", "false", "false", "false", "false"},
    {"born: {property: p}", "\"2026-11-21\"", "2026-11-21", "\"2026-11-21\"", "2026-11-21"},
    {"born: {property: p, transform: [day]}", "\"2026-11-21T23:30:00-05:00\"", "2026-11-22",
     "\"2026-11-22T00:00:00.000Z\"", "2026-11-22"},
    {"born: {property: p, transform: [day]}", "1795248331250", "2026-11-21",
     "\"2026-11-21T00:00:00.000Z\"", "2026-11-21"},
    {"born: {property: p, transform: [day]}", "\"2026-11-21\"", "2026-11-21",
     "\"2026-11-21T00:00:00.000Z\"", "2026-11-21"},
    {"born: {property: p, transform: [day]}", "\"soon\"", "-", NULL, NULL},
    {"seen: {property: p}", "\"2026-11-21T07:05:31Z\"", "1795244731000",
     "\"2026-11-21T07:05:31.000Z\"", "1795244731000"},
    {"seen: {property: p, transform: [epoch-ms], number: true}", "\"1795244731250\"",
     "1795244731250", "1795244731250", "1795244731250"},
    {"size: {property: p, values: {small: S, large: L}}", "\"S\"", "small", "\"S\"", "small"},
    {"size: {property: p, values: {small: S, large: L}}", "\"XL\"", "-", NULL, NULL},
    {"size: {property: p, values: {small: [S, XS], large: L}, write: create}", "\"XS\"", "small",
     "\"S\"", "small"},
    {"stage: {property: p, values: {a: '1'}, unknown: keep}", "\"2\"", "2", "\"2\"", "2"},
    {"stage: {property: p, values: {a: '1'}, unknown: default, default_in: a, default_out: '1'}",
     "\"2\"", "a", "\"1\"", "a"},
    {"tags: {property: p, transform: [split: ';']}", "\"b;a;;b\"", "[a,b]", "\"a;b\"", "[a,b]"},
    {"tags: {property: p}", "[\"b\",\"a\"]", "[a,b]", "[\"a\",\"b\"]", "[a,b]"},
    {"mail: {property: p, transform: [first]}",
     "[{\"value\":\"x@b.cd\"},{\"value\":\"A@b.cd\",\"primary\":true}]", "a@b.cd",
     "[{\"label\":\"work\",\"primary\":true,\"value\":\"a@b.cd\"}]", "a@b.cd"},
    {"name: {property: p, transform: [member: x]}", "{\"x\":\"y\",\"z\":1}", "y", "{\"x\":\"y\"}",
     "y"},
    {"phone: {property: p, transform: [phone: 49]}", "\"030 123456\"", "+4930123456",
     "\"+4930123456\"", "+4930123456"},
    {"owner_id: {property: p, transform: [owner]}", "\"7\"", "ada@example.com", "\"7\"",
     "ada@example.com"},
    {"owner_id: {property: p, transform: [owner], number: true}", "7", "ada@example.com", "7",
     "ada@example.com"},
    {"owner_id: {property: p, transform: [owner]}", "\"8\"", "-", NULL, NULL},
    {"owner_id: {property: p, transform: [owner]}", "\"\"", "null", "null", "null"},
    {"owner_id: {property: p, transform: [owner]}", "0", "null", "null", "null"},
    {"parent_id: {property: p}", "\"3\"", "uuid-3", "\"3\"", "uuid-3"},
    {"parent_id: {property: p}", "\"9\"", "-", NULL, NULL},
    {"friend_ids: {property: p, number: true}", "[2,1]", "[uuid-1,uuid-2]", "[1,2]",
     "[uuid-1,uuid-2]"},
    {"friend_ids: {property: p}", "[\"9\",\"1\"]", "[uuid-1]", "[\"1\"]", "[uuid-1]"},
    {"friend_ids: {property: p}", "[\"9\"]", "null", "null", "null"},
    {"friend_ids: {property: p, transform: [split: ';']}", "\"1;3\"", "[uuid-1,uuid-3]", "\"1;3\"",
     "[uuid-1,uuid-3]"},
};

static const struct mapping *row_mapping(const char *entry, struct arena *arena)
{
    return thing_mapping(arena_printf(arena, "      %s\n", entry).at, arena);
}

static void each_entry_reads_and_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        const struct mapping *mapping = row_mapping(ROWS[i].entry, &arena);
        json_t *props = parse(arena_printf(&arena, "{\"p\":%s}", ROWS[i].remote).at, &arena);
        struct fields fields;
        struct map_notes notes;
        struct value value, image;
        bool is_create;

        map_in(mapping, props, &RESOLVER, &arena, &fields, &notes);
        value = *fields_get(&fields, mapping->entries[0].field->name);
        EXPECT_STR(shown(&value, &arena), str_of(ROWS[i].hub), ROWS[i].entry);
        EXPECT(value.state != VALUE_ABSENT || notes.count == 1, "row %zu: held without a note", i);
        if (!ROWS[i].out) {
            continue;
        }
        is_create = mapping->entries[0].only_at_create;
        map_out(mapping, &fields, NULL, 0, is_create ? NULL : parse("{}", &arena), &RESOLVER,
                &arena, &props, &notes);
        EXPECT_STR(text_of(json_object_get(props, "p"), &arena), str_of(ROWS[i].out),
                   ROWS[i].entry);
        image = map_image(&mapping->entries[0], &value, &arena);
        EXPECT_STR(shown(&image, &arena), str_of(ROWS[i].image), ROWS[i].entry);
    }
}

/* What cannot be written: the reason. */
static const struct {
    const char *entry, *hub, *message;
} HELD[] = {
    {"size: {property: p, values: {small: S}}", "large", "not among the values"},
    {"stage: {property: p, number: true}", "abc", "wants a number"},
    {"tags: {property: p, transform: [split: ';']}", "[a;b]", "contains the separator"},
    {"name: {property: p}", "[a,b]", "takes one value"},
    {"seen: {property: p}", "999999999999999999", "years 1 to 9999"},
    {"rate: {property: p, transform: [scale: 100]}", "x", "not a number"},
};

static void what_cannot_be_written_is_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(HELD); i++) {
        AUTO_ARENA struct arena arena = {0};
        const struct mapping *mapping = row_mapping(HELD[i].entry, &arena);
        struct fields fields = {0};
        struct map_notes notes;
        json_t *props;

        fields_set(&fields, &arena, mapping->entries[0].field->name, value_of(HELD[i].hub, &arena));
        map_out(mapping, &fields, NULL, 0, NULL, &RESOLVER, &arena, &props, &notes);
        EXPECT(json_object_size(props) == 0, "row %zu is written", i);
        EXPECT(notes.count == 1 && notes.at[0].type == NOTE_FIELD_HELD &&
                   strstr(notes.at[0].message.at, HELD[i].message),
               "row %zu: %s", i, notes.count ? notes.at[0].message.at : "no note");
    }
}

struct written {
    json_t *props;
    struct map_notes notes;
};

/* values: field, value, … ended by NULL; only: names, ended by NULL, or NULL for all. */
static struct written write_fields(const struct mapping *mapping, const char *const *values,
                                   const char *const *only, const char *current,
                                   const struct reference_resolver *resolver, struct arena *arena)
{
    struct fields fields = {0};
    struct str names[8];
    struct written written;
    size_t count = 0;

    for (size_t i = 0; values[i]; i += 2) {
        fields_set(&fields, arena, str_of(values[i]), value_of(values[i + 1], arena));
    }
    for (; only && only[count]; count++) {
        names[count] = str_of(only[count]);
    }
    map_out(mapping, &fields, only ? names : NULL, count, current ? parse(current, arena) : NULL,
            resolver, arena, &written.props, &written.notes);
    return written;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_props(const struct written *written, const char *want, struct arena *arena)
{
    EXPECT_STR(text_of(written->props, arena), text_of(parse(want, arena), arena), "props");
}

/* current, what the hub has, what is written, how many wait. */
static const struct {
    const char *current, *hub, *written;
    size_t waits;
} LISTS[] = {
    {"[\"9\",\"2\",\"1\"]", "[uuid-1,uuid-3]", "[\"9\",\"1\",\"3\"]", 0},
    {"[\"9\",\"1\"]", "null", "[\"9\"]", 0},
    {"[\"1\"]", "null", "null", 0},
    {"[\"1\"]", "[uuid-8]", "null", 1},
    {"null", "[uuid-8,uuid-2]", "[\"2\"]", 1},
    {"[\"9\"]", "[uuid-1,uuid-8]", "[\"9\",\"1\"]", 1},
    {"[\"1\",\"2\"]", "[uuid-1,uuid-2]", "[\"1\",\"2\"]", 0},
    {"[\"5\"]", "[uuid-1,uuid-2]", "[\"5\",\"2\"]", 0},
};

static void a_list_keeps_members_that_have_no_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        AUTO_ARENA struct arena arena = {0};
        const struct mapping *mapping = row_mapping("friend_ids: {property: p}", &arena);
        struct written written = write_fields(
            mapping, LIST("friend_ids", LISTS[i].hub), NULL,
            arena_printf(&arena, "{\"p\":%s}", LISTS[i].current).at, &RESOLVER, &arena);

        EXPECT_STR(text_of(json_object_get(written.props, "p"), &arena), str_of(LISTS[i].written),
                   LISTS[i].current);
        EXPECT(written.notes.count == LISTS[i].waits, "row %zu", i);
        EXPECT(!written.notes.count || written.notes.at[0].is_partial, "row %zu", i);
    }
}

static void a_create_leaves_an_unresolved_list_out(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping = row_mapping("friend_ids: {property: p}", &arena);
    struct written written =
        write_fields(mapping, LIST("friend_ids", "[uuid-8]"), NULL, NULL, &RESOLVER, &arena);

    (void)state;
    expect_props(&written, "{}", &arena);
    assert_int_equal(written.notes.count, 1);
}

static void owners_are_held_while_no_users_are_known(void **state)
{
    static const struct reference_resolver NO_USERS = {.to_hub = to_hub, .to_remote = to_remote};
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping =
        row_mapping("owner_id: {property: p, transform: [owner]}", &arena);
    struct written written =
        write_fields(mapping, LIST("owner_id", "ada@example.com"), NULL, NULL, &NO_USERS, &arena);
    struct fields fields;
    struct map_notes notes;

    (void)state;
    expect_props(&written, "{}", &arena);
    assert_non_null(strstr(written.notes.at[0].message.at, "users of the CRM are not known"));
    map_in(mapping, parse("{\"p\":\"7\"}", &arena), &NO_USERS, &arena, &fields, &notes);
    assert_int_equal(fields.count, 0);
    assert_int_equal(notes.count, 1);
}

static void an_unknown_owner_is_named_in_its_note(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping =
        row_mapping("owner_id: {property: p, transform: [owner]}", &arena);
    struct written written =
        write_fields(mapping, LIST("owner_id", "eve@example.com"), NULL, "{}", &RESOLVER, &arena);
    struct fields fields;
    struct map_notes notes;

    (void)state;
    expect_props(&written, "{}", &arena);
    assert_int_equal(written.notes.count, 1);
    assert_int_equal(written.notes.at[0].type, NOTE_OWNER_UNKNOWN);
    EXPECT_STR(written.notes.at[0].target_id, STR("eve@example.com"), "outward");
    map_in(mapping, parse("{\"p\":8}", &arena), &RESOLVER, &arena, &fields, &notes);
    assert_int_equal(fields.count, 0);
    assert_int_equal(notes.at[0].type, NOTE_OWNER_UNKNOWN);
    EXPECT_STR(notes.at[0].target_id, STR("8"), "inward");
}

static void a_create_only_field_is_written_once(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping =
        row_mapping("size: {property: p, values: {small: S, large: L}, write: create}", &arena);
    const char *const *small = LIST("size", "small");
    struct written made = write_fields(mapping, small, NULL, NULL, &RESOLVER, &arena);
    struct written same = write_fields(mapping, small, NULL, "{\"p\":\"S\"}", &RESOLVER, &arena);
    struct written other = write_fields(mapping, small, NULL, "{\"p\":\"L\"}", &RESOLVER, &arena);
    struct written unseen = write_fields(mapping, small, NULL, "{}", &RESOLVER, &arena);

    (void)state;
    expect_props(&made, "{\"p\":\"S\"}", &arena);
    expect_props(&same, "{}", &arena);
    assert_int_equal(same.notes.count, 0);
    expect_props(&other, "{}", &arena);
    assert_int_equal(other.notes.count, 1);
    assert_non_null(strstr(other.notes.at[0].message.at, "only written when the object is made"));
    expect_props(&unseen, "{}", &arena);
    assert_int_equal(unseen.notes.count, 0);
}

/* Several words of the CRM for one here: the first is written, and whichever is there already stays. */
static void one_of_several_words_stays(void **state)
{
    static const struct {
        const char *size, *current, *written;
    } CASES[] = {{"small", NULL, "{\"p\":\"S\"}"},
                 {"small", "{}", "{\"p\":\"S\"}"},
                 {"small", "{\"p\":\"XS\"}", "{\"p\":\"XS\"}"},
                 {"small", "{\"p\":\"L\"}", "{\"p\":\"S\"}"},
                 {"large", "{\"p\":\"XS\"}", "{\"p\":\"L\"}"},
                 {"small", "{\"p\":null}", "{\"p\":\"S\"}"}};
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping =
        row_mapping("size: {property: p, values: {small: [S, XS], large: L}}", &arena);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct written written = write_fields(mapping, LIST("size", CASES[i].size), NULL,
                                              CASES[i].current, &RESOLVER, &arena);

        expect_props(&written, CASES[i].written, &arena);
    }
}

static const char GROUPED[] = "      name: {property: n}\n"
                              "      size: {property: s, values: {small: S, large: L}, group: g}\n"
                              "      stage: {property: t, values: {a: '1', b: '2'}, group: g}\n";

static void a_group_is_written_together(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping = thing_mapping(GROUPED, &arena);
    const char *const *both = LIST("name", "x", "size", "small", "stage", "a");
    struct written along = write_fields(mapping, both, LIST("stage"),
                                        "{\"n\":\"y\",\"s\":\"L\",\"t\":\"2\"}", &RESOLVER, &arena);
    struct written unknown =
        write_fields(mapping, both, LIST("stage"), "{\"t\":\"2\"}", &RESOLVER, &arena);
    struct written blank =
        write_fields(mapping, both, LIST("stage"), "{\"s\":null,\"t\":\"2\"}", &RESOLVER, &arena);
    struct written apart =
        write_fields(mapping, both, LIST("name"), "{\"n\":\"y\",\"s\":\"L\"}", &RESOLVER, &arena);

    (void)state;
    expect_props(&along, "{\"s\":\"L\",\"t\":\"1\"}", &arena);
    expect_props(&unknown, "{\"s\":\"S\",\"t\":\"1\"}", &arena);
    expect_props(&blank, "{\"t\":\"1\"}", &arena);
    expect_props(&apart, "{\"n\":\"x\"}", &arena);
    assert_int_equal(along.notes.count, 0);
}

static void a_group_with_a_held_field_waits_as_one(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct mapping *mapping = thing_mapping(GROUPED, &arena);
    struct written written =
        write_fields(mapping, LIST("name", "x", "size", "small", "stage", "unheard"), NULL,
                     "{\"n\":\"y\",\"s\":\"L\",\"t\":\"2\"}", &RESOLVER, &arena);
    struct written made =
        write_fields(mapping, LIST("name", "x", "size", "small", "stage", "unheard"), NULL, NULL,
                     &RESOLVER, &arena);

    (void)state;
    expect_props(&written, "{\"n\":\"x\"}", &arena);
    assert_int_equal(written.notes.count, 2);
    assert_non_null(strstr(written.notes.at[1].message.at, "together with 'stage'"));
    expect_props(&made, "{\"n\":\"x\"}", &arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_reads_and_writes),
        cmocka_unit_test(what_cannot_be_written_is_held),
        cmocka_unit_test(a_list_keeps_members_that_have_no_record),
        cmocka_unit_test(a_create_leaves_an_unresolved_list_out),
        cmocka_unit_test(owners_are_held_while_no_users_are_known),
        cmocka_unit_test(an_unknown_owner_is_named_in_its_note),
        cmocka_unit_test(a_create_only_field_is_written_once),
        cmocka_unit_test(one_of_several_words_stays),
        cmocka_unit_test(a_group_is_written_together),
        cmocka_unit_test(a_group_with_a_held_field_waits_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
