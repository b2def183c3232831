/* What a mapping becomes when the CRM says what it has. */
#include "tests/unit/mapper/thing.h"

#include "core/jx.h"
#include "mapper/bind.h"
#include "mapper/convert.h"

static const struct option_facts STAGES[] = {
    {STR("17"), STR("New")},   {STR("18"), STR("Won")},   {STR("New"), STR("Old")},
    {STR("20"), STR("Twice")}, {STR("21"), STR("Twice")}, {STR("22"), STR("\xC3\x84rger")}};

static const struct property_facts PROPERTIES[] = {
    {.name = STR("name"), .type = STR("string"), .is_writable = true},
    {.name = STR("locked"), .type = STR("string")},
    {.name = STR("abcdef"),
     .label = STR("My field"),
     .type = STR("varchar"),
     .is_writable = true,
     .is_custom = true},
    {.name = STR("stage_id"),
     .type = STR("enum"),
     .is_writable = true,
     .options = STAGES,
     .options_count = COUNT_OF(STAGES)}};

static const struct schema_facts NOW = {.at = PROPERTIES, .count = COUNT_OF(PROPERTIES)};

static const struct {
    const char *word, *value; /* NULL: none */
} WORDS[] = {
    {"18", "18"},   {"Won", "18"},   {"won", "18"},  {"New", "New"},  {"new", "17"},
    {"Old", "New"}, {"Twice", NULL}, {"Gone", NULL}, {"twice", NULL}, {"\xC3\xA4RGER", "22"},
};

static void a_word_is_a_value_or_a_label_of_one_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        const struct option_facts *option = property_option(&PROPERTIES[3], str_of(WORDS[i].word));

        EXPECT((option != NULL) == (WORDS[i].value != NULL), "row %zu", i);
        if (option) {
            EXPECT_STR(option->value, str_of(WORDS[i].value), WORDS[i].word);
        }
    }
}

struct bound {
    struct mapping mapping;
    struct drift *drifts;
    size_t count;
};

static struct bound bind(const char *fields, const struct schema_facts *now,
                         const struct schema_facts *seen, struct arena *arena)
{
    struct bound bound;

    mapping_bind(thing_mapping(fields, arena), now, seen, arena, &bound.mapping, &bound.drifts,
                 &bound.count);
    return bound;
}

static void labels_become_values(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct bound bound =
        bind("      stage: {property: stage_id, values: {fresh: '17', won: Won},\n"
             "              unknown: default, default_in: won, default_out: Won}\n",
             &NOW, NULL, &arena);
    const struct map_entry *stage = mapping_entry(&bound.mapping, STR("stage"));

    (void)state;
    assert_int_equal(bound.count, 0);
    EXPECT_STR(stage->values[0].remote, STR("17"), "a value stays");
    EXPECT_STR(stage->values[1].remote, STR("18"), "a label");
    EXPECT_STR(stage->default_out, STR("18"), "the default");
}

static void what_is_missing_or_changed_is_frozen_alone(void **state)
{
    const struct property_facts before = {.name = STR("name"), .type = STR("number")};
    const struct schema_facts seen = {.at = &before, .count = 1};
    AUTO_ARENA struct arena arena = {0};
    struct bound bound = bind("      mail: {property: absent}\n"
                              "      name: {property: name}\n"
                              "      note: {property: locked}\n"
                              "      other: {property: 'custom:My field'}\n"
                              "      phone: {property: locked, direction: in}\n",
                              &NOW, &seen, &arena);

    (void)state;
    assert_int_equal(bound.count, 3);
    assert_true(mapping_entry(&bound.mapping, STR("mail"))->is_frozen);
    assert_true(mapping_entry(&bound.mapping, STR("name"))->is_frozen);
    assert_true(mapping_entry(&bound.mapping, STR("note"))->is_frozen_out);
    assert_false(mapping_entry(&bound.mapping, STR("note"))->is_frozen);
    assert_false(mapping_entry(&bound.mapping, STR("other"))->is_frozen);
    assert_false(mapping_entry(&bound.mapping, STR("phone"))->is_frozen_out);
    assert_non_null(strstr(bound.drifts[0].message.at, "no property 'absent'"));
    assert_non_null(strstr(bound.drifts[1].message.at, "was of type 'number'"));
    assert_non_null(strstr(bound.drifts[2].message.at, "cannot be written"));
    assert_ptr_equal(bound.drifts[0].entry, mapping_entry(&bound.mapping, STR("mail")));
}

static void without_a_schema_nothing_changes(void **state)
{
    const struct schema_facts none = {0};
    AUTO_ARENA struct arena arena = {0};
    struct bound bound = bind("      mail: {property: absent}\n", &none, NULL, &arena);

    (void)state;
    assert_int_equal(bound.count, 0);
    assert_false(bound.mapping.entries[0].is_frozen);
}

static void the_version_stays(void **state)
{
    static const char FIELDS[] = "      stage: {property: stage_id, values: {won: Won}}\n";
    AUTO_ARENA struct arena arena = {0};
    struct bound bound = bind(FIELDS, &NOW, NULL, &arena);

    (void)state;
    EXPECT_STR(bound.mapping.version, thing_mapping(FIELDS, &arena)->version, "version");
}

static bool never(void *context, struct str kind, struct str id, struct arena *arena,
                  struct str *ret)
{
    (void)context, (void)kind, (void)id, (void)arena, (void)ret;
    return false;
}

static const struct reference_resolver NOBODY = {.to_hub = never, .to_remote = never};

/* The pair that the CRM lost is held in both directions, whatever is said about unknown values; the others travel. */
static void a_lost_value_freezes_only_records_that_hold_it(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct bound bound = bind("      stage: {property: stage_id, values: {lost: Gone, won: Won},\n"
                              "              unknown: keep}\n      name: {property: name}\n",
                              &NOW, NULL, &arena);
    json_t *props = jx_own(&arena, json_pack("{s:s,s:s}", "stage_id", "Gone", "name", "x"));
    struct fields fields = {0};
    struct map_notes notes;

    (void)state;
    assert_int_equal(bound.count, 1);
    assert_non_null(strstr(bound.drifts[0].message.at, "'Gone'"));
    map_in(&bound.mapping, props, &NOBODY, &arena, &fields, &notes);
    assert_int_equal(fields.count, 1);
    assert_int_equal(notes.count, 1);
    assert_int_equal(notes.at[0].type, NOTE_FIELD_HELD);
    fields_set(&fields, &arena, STR("stage"), VALUE_OF(STR("lost")));
    map_out(&bound.mapping, &fields, NULL, 0, NULL, &NOBODY, &arena, &props, &notes);
    assert_null(json_object_get(props, "stage_id"));
    assert_non_null(json_object_get(props, "name"));
    assert_int_equal(notes.count, 1);
    fields_set(&fields, &arena, STR("stage"), VALUE_OF(STR("won")));
    map_out(&bound.mapping, &fields, NULL, 0, NULL, &NOBODY, &arena, &props, &notes);
    assert_string_equal(json_string_value(json_object_get(props, "stage_id")), "18");
    assert_int_equal(notes.count, 0);
}

/* Of several values that are read as one, only the first is written; the others may be gone. */
static void a_further_value_may_be_missing(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct bound bound = bind("      stage: {property: stage_id, values: {won: [Won, Gone]},\n"
                              "              write: create}\n",
                              &NOW, NULL, &arena);

    (void)state;
    assert_int_equal(bound.count, 0);
}

static void frozen_entries_are_neither_read_nor_written(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct bound bound = bind("      mail: {property: absent}\n      note: {property: locked}\n",
                              &NOW, NULL, &arena);
    json_t *props = jx_own(&arena, json_pack("{s:s,s:s}", "absent", "a@b.cd", "locked", "x"));
    struct fields fields;
    struct map_notes notes;

    (void)state;
    map_in(&bound.mapping, props, &NOBODY, &arena, &fields, &notes);
    assert_int_equal(fields.count, 1);
    EXPECT_STR(fields.at[0].name, STR("note"), "only what can be read");
    fields_set(&fields, &arena, STR("mail"), VALUE_OF(STR("a@b.cd")));
    map_out(&bound.mapping, &fields, NULL, 0, NULL, &NOBODY, &arena, &props, &notes);
    assert_int_equal(json_object_size(props), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_a_value_or_a_label_of_one_option),
        cmocka_unit_test(labels_become_values),
        cmocka_unit_test(what_is_missing_or_changed_is_frozen_alone),
        cmocka_unit_test(without_a_schema_nothing_changes),
        cmocka_unit_test(the_version_stays),
        cmocka_unit_test(a_lost_value_freezes_only_records_that_hold_it),
        cmocka_unit_test(a_further_value_may_be_missing),
        cmocka_unit_test(frozen_entries_are_neither_read_nor_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
