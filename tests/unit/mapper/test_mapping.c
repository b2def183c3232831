/* Mapping and kind files: what is read, and how a mistake is told. */
#include "tests/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapper/mapping.h"

static const char KIND_TEXT[] = "kind: thing\n"
                                "label: Thing\n"
                                "match: [[mail]]\n"
                                "fields:\n"
                                "  name: {type: string}\n"
                                "  note: {type: text}\n"
                                "  mail: {type: email}\n"
                                "  phone: {type: phone}\n"
                                "  count: {type: integer}\n"
                                "  price: {type: money}\n"
                                "  size: {type: enum, options: [small, large]}\n"
                                "  tags: {type: multi_enum}\n"
                                "  born: {type: date}\n"
                                "  seen: {type: datetime}\n"
                                "  active: {type: boolean}\n"
                                "  parent_id: {type: reference, to: thing}\n";

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A folder with one kind, and room for a mapping file. */
static int make_folder(void **state)
{
    char *folder = strdup("/tmp/crmsync-mapping-XXXXXX");
    char path[64];

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/thing.yaml", folder);
    write_file(path, KIND_TEXT);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const NAMES[] = {"thing.yaml", "m.yaml", "other.yaml", "sub/m.yaml"};
    char path[96];

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        snprintf(path, sizeof path, "%s/%s", (char *)*state, NAMES[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/sub", (char *)*state);
    rmdir(path);
    rmdir(*state);
    free(*state);
    return 0;
}

/* Loads the kind and then a mapping of it whose fields part is given. */
static enum fail load(const char *folder, const char *fields, struct arena *arena,
                      struct mappings *ret, struct error *err)
{
    char path[96], text[2048];
    struct kinds kinds;

    snprintf(path, sizeof path, "%s/sub", folder);
    mkdir(path, 0700);
    assert_int_equal(kinds_load(arena, folder, &kinds, err), OK);
    snprintf(path, sizeof path, "%s/sub/m.yaml", folder);
    snprintf(text, sizeof text, "crm: some\nkinds:\n  thing:\n    fields:\n%s", fields);
    write_file(path, text);
    return mappings_load(arena, &kinds, STR("some"), path, ret, err);
}

/* The place is that behind the file's name; the first line of fields is line 5. */
static const struct {
    const char *fields, *place, *message, *hint;
} MISTAKES[] = {
    {"      nmae: {property: p}\n", ":5:7:", "has no field 'nmae'", "did you mean 'name'?"},
    {"      zzzzzzzzz: {property: p}\n", ":5:7:", "has no field 'zzzzzzzzz'", "declare the field"},
    {"      name: p\n", ":5:13:", "at least a 'property'", NULL},
    {"      name: {direction: in}\n", ":5:13:", "property", NULL},
    {"      name: {property: ''}\n", ":5:13:", "must name a property", NULL},
    {"      name: {property: p, transfrom: [trim]}\n", ":5:27:", "transfrom", "transform"},
    {"      name: {property: p, direction: sideways}\n", ":5:38:", "not one of: both, in, out",
     NULL},
    {"      name: {property: p, transform: [upper]}\n", ":5:39:", "'upper' is not one of: trim",
     NULL},
    {"      name: {property: p, transform: trim}\n", ":5:38:", "must be a list", NULL},
    {"      name: {property: p, transform: [trim: 3]}\n", ":5:39:", "takes no argument", NULL},
    {"      name: {property: p, transform: [member]}\n", ":5:39:", "needs the member's name", NULL},
    {"      tags: {property: p, transform: [split]}\n", ":5:39:", "one character", NULL},
    {"      tags: {property: p, transform: [split: '; ']}\n", ":5:39:", "one character", NULL},
    {"      tags: {property: p, transform: [first]}\n", ":5:39:", "does not go with 'tags'", NULL},
    {"      name: {property: p, transform: [split: ';']}\n", ":5:39:", "does not go with 'name'",
     NULL},
    {"      name: {property: p, transform: [date]}\n", ":5:39:", "type string", "direction: in"},
    {"      born: {property: p, transform: [datetime]}\n", ":5:39:", "type date", NULL},
    {"      born: {property: p, transform: [epoch-ms]}\n", ":5:39:", "type date", NULL},
    {"      phone: {property: p, transform: [phone: '+49']}\n", ":5:40:", "without '+'", NULL},
    {"      phone: {property: p, transform: [phone: 4999]}\n", ":5:40:", "calling code", NULL},
    {"      mail: {property: p, transform: [lower, first]}\n", ":5:46:", "cannot stand behind",
     NULL},
    {"      mail: {property: p, transform: [first, member: x]}\n", ":5:46:", "cannot stand behind",
     NULL},
    {"      parent_id: {property: p, transform: [trim]}\n", ":5:44:", "no effect on the id", NULL},
    {"      parent_id: {property: p, values: {a: b}}\n", ":5:40:", "no effect on the id", NULL},
    {"      size: {property: p, values: [a, b]}\n", ":5:35:", "must be a mapping", NULL},
    {"      size: {property: p, values: {small: {}}}\n", ":5:43:", "must be a word", NULL},
    {"      size: {property: p, values: {small: S, large: S}}\n",
     ":5:35:", "'S' stands for 'small' and for 'large'", "direction: in"},
    {"      size: {property: p, values: {tiny: T}}\n", ":5:35:", "'tiny' is no option", NULL},
    {"      size: {property: p, unknown: keep}\n", ":5:13:", "need 'values'", NULL},
    {"      size: {property: p, values: {small: S}, default_in: small}\n",
     ":5:13:", "need 'unknown: default'", NULL},
    {"      size: {property: p, values: {small: S}, unknown: default, default_out: S}\n",
     ":5:13:", "'default_in' must be", NULL},
    {"      size: {property: p, values: {small: S}, unknown: default, default_in: small}\n",
     ":5:13:", "'default_out' must be", NULL},
    {"      name: {property: p, number: true}\n", ":5:13:", "cannot be written as a number", NULL},
    {"      seen: {property: p, number: true}\n", ":5:13:", "cannot be written as a number", NULL},
    {"      price: {property: p, transform: [scale]}\n", ":5:40:", "needs a power of ten", NULL},
    {"      price: {property: p, transform: [scale: 50]}\n", ":5:40:", "power of ten", NULL},
    {"      price: {property: p, transform: [scale: 1]}\n", ":5:40:", "power of ten", NULL},
    {"      price: {property: p, transform: [scale: 0.02]}\n", ":5:40:", "power of ten", NULL},
    {"      price: {property: p, transform: [scale: 0.010]}\n", ":5:40:", "power of ten", NULL},
    {"      price: {property: p, transform: [scale: -10]}\n", ":5:40:", "power of ten", NULL},
    {"      name: {property: p, transform: [scale: 10]}\n", ":5:39:", "does not go with 'name'",
     NULL},
    {"      seen: {property: p, transform: [day]}\n", ":5:39:", "does not go with 'seen'", NULL},
    {"      born: {property: p, transform: [day: utc]}\n", ":5:39:", "takes no argument", NULL},
    {"      count: {property: p, transform: [owner]}\n", ":5:40:", "does not go with 'count'",
     NULL},
    {"      name: {property: p, transform: [owner, lower]}\n", ":5:46:", "'owner' stands alone",
     NULL},
    {"      name: {property: p, transform: [owner], values: {a: b}}\n",
     ":5:55:", "do not go with 'owner'", NULL},
    {"      name: {property: p, write: once}\n", ":5:34:", "not one of: always, create", NULL},
    {"      name: {property: p, write: create, direction: in}\n", ":5:13:", "no effect", NULL},
    {"      name: {property: p, group: g, direction: in}\n", ":5:13:", "no effect", NULL},
    {"      name: {property: p, group: ''}\n", ":5:34:", "must be a name", NULL},
    {"      name: {property: p, group: g, transform: [member: x]}\n",
     ":5:34:", "does not go with 'member'", NULL},
    {"      size: {property: p, values: {small: S, large: S}, write: create}\n",
     ":5:35:", "'S' stands for 'small' and for 'large'", NULL},
    {"      name: {property: p}\n    object: 'a/b'\n", ":6:13:", "names a custom object", NULL},
    {"      name: {property: p}\n    object: ''\n", ":6:13:", "names a custom object", NULL},
    {"      name: {property: p}\n    properties: [a]\n", ":6:17:", "must declare 1 to", NULL},
    {"      name: {property: p}\n    properties: {a: text}\n", ":6:21:", "at least a 'type'", NULL},
    {"      name: {property: p}\n    properties: {a: {type: txt}}\n",
     ":6:28:", "'txt' is not one of", NULL},
    {"      name: {property: p}\n    properties: {a: {type: text, lable: x}}\n", ":6:34:", "lable",
     "label"},
    {"      name: {property: p}\n    properties: {a: {type: enum}}\n", ":6:21:", "which need them",
     NULL},
    {"      name: {property: p}\n    properties: {a: {type: text, options: [x]}}\n",
     ":6:43:", "belong to the types", NULL},
    {"      name: {property: p}\n    properties: {a: {type: enum, options: []}}\n",
     ":6:43:", "a list of 1 to", NULL},
    {"      name: {property: p}\n    properties: {a: {type: enum, options: [[x]]}}\n",
     ":6:44:", "an option is a word", NULL},
    {"      name: {property: p}\n    properties: {a: {type: enum, options: [x, x]}}\n",
     ":6:47:", "stands twice", NULL},
    {"      name: {property: p}\n    properties: {a: {type: enum, options: {x: L, y: L}}}\n",
     ":6:50:", "stands twice", NULL},
    {"      name: {property: p}\n    properties: {a: {type: boolean, unique: true}}\n",
     ":6:21:", "can be unique", NULL},
    {"      name: {property: p}\n      note: {property: p}\n", ":6:7:", "written by 'name' and",
     "direction: in"},
    {"      name: {property: p, transform: [member: a]}\n"
     "      note: {property: p, transform: [member: a]}\n",
     ":6:7:", "written by", NULL},
    {"      name: {property: p, transform: [member: a]}\n      note: {property: p}\n",
     ":6:7:", "written by", NULL},
    {"      name: {property: p}\n      name: {property: q}\n", ":6:7:", "name", NULL},
    {"      {}\n", ":5:7:", "at least one field", NULL},
};

static void a_mistake_is_told_with_its_place(void **state)
{
    for (size_t i = 0; i < COUNT_OF(MISTAKES); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct mappings mappings;
        struct error err = {0};
        enum fail failed = load(*state, MISTAKES[i].fields, &arena, &mappings, &err);

        EXPECT(failed == FAIL_CONFIG, "row %zu is accepted: %s", i, MISTAKES[i].fields);
        EXPECT(strstr(err.message, "sub/m.yaml") && strstr(err.message, MISTAKES[i].place) &&
                   strstr(err.message, MISTAKES[i].message),
               "row %zu: wanted '%s' and '%s', got: %s", i, MISTAKES[i].place, MISTAKES[i].message,
               err.message);
        EXPECT(!MISTAKES[i].hint || strstr(err.hint, MISTAKES[i].hint) ||
                   strstr(err.message, MISTAKES[i].hint),
               "row %zu: no '%s' in hint: %s", i, MISTAKES[i].hint, err.hint);
    }
}

static const char *const FINE[] = {
    "      name: {property: p}\n      note: {property: p, direction: in}\n",
    "      name: {property: p, transform: [member: a]}\n"
    "      note: {property: p, transform: [member: b]}\n",
    "      name: {property: p, transform: [date], direction: in}\n",
    "      size: {property: p, values: {small: [S, XS]}, direction: in}\n",
    "      size: {property: p, values: {small: S, large: S}, direction: out}\n",
    "      size: {property: p, values: {small: S}, unknown: default, default_in: small,\n"
    "             default_out: S}\n",
    "      seen: {property: p, transform: [epoch-ms], number: true}\n",
    "      tags: {property: p, transform: [split: ';', trim, lower]}\n",
    "      active: {property: p, number: true}\n",
    "      price: {property: p, transform: [scale: 0.001]}\n",
    "      price: {property: p, transform: [scale: 1000000000]}\n",
    "      mail: {property: p, transform: [member: x, owner]}\n",
    "      size: {property: p, values: {small: [S, XS]}, write: create}\n",
    "      name: {property: p, group: g}\n      note: {property: q, group: g, write: always}\n",
    "      name: {property: p}\n    object: p_Thing-1\n",
    "      mail: {property: p, transform: [first, trim, lower], blank: keep-in}\n",
};

static void what_makes_sense_is_accepted(void **state)
{
    for (size_t i = 0; i < COUNT_OF(FINE); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct mappings mappings;
        struct error err = {0};

        EXPECT(load(*state, FINE[i], &arena, &mappings, &err) == OK, "row %zu: %s", i, err.message);
    }
}

static void entries_and_properties_come_sorted_and_once(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct mappings mappings;
    struct error err = {0};
    const struct mapping *mapping;

    assert_int_equal(load(*state,
                          "      phone: {property: p2}\n"
                          "      name: {property: p1, transform: [member: a]}\n"
                          "      note: {property: p1, transform: [member: b], blank: keep}\n",
                          &arena, &mappings, &err),
                     OK);
    mapping = mapping_of(&mappings, STR("thing"));
    assert_non_null(mapping);
    assert_null(mapping_of(&mappings, STR("contact")));
    assert_int_equal(mapping->entries_count, 3);
    EXPECT_STR(mapping->entries[0].field->name, STR("name"), "first entry");
    EXPECT_STR(mapping->entries[2].field->name, STR("phone"), "last entry");
    assert_int_equal(mapping->properties_count, 2);
    assert_null(mapping_entry(mapping, STR("mail")));
    assert_int_equal(mapping_entry(mapping, STR("note"))->blank, BLANK_KEEP);
    assert_int_equal(mapping_entry(mapping, STR("phone"))->line, 5);
    assert_int_equal(mapping_entry(mapping, STR("phone"))->column, 7);
    assert_non_null(strstr(mapping_entry(mapping, STR("phone"))->file, "sub/m.yaml"));
}

static struct str version(const char *folder, const char *fields, struct arena *arena)
{
    struct mappings mappings;
    struct error err = {0};

    EXPECT(load(folder, fields, arena, &mappings, &err) == OK, "%s", err.message);
    return mappings.at[0].version;
}

static void the_version_follows_the_meaning_alone(void **state)
{
    static const char *const OTHERS[] = {
        "      size: {property: q}\n",
        "      size: {property: p, direction: in}\n",
        "      size: {property: p, blank: keep}\n",
        "      size: {property: p, values: {small: S}}\n",
        "      size: {property: p, values: {small: S}, unknown: keep}\n",
        "      size: {property: p, values: {small: T}}\n",
        "      size: {property: p, transform: [trim]}\n",
        "      size: {property: p, number: true}\n",
        "      size: {property: p, write: create}\n",
        "      size: {property: p, group: g}\n",
        "      size: {property: p}\n    object: p_thing\n",
        "      size: {property: p}\n      name: {property: n}\n",
        "      name: {property: p}\n",
    };
    AUTO_ARENA struct arena arena = {0};
    struct str versions[COUNT_OF(OTHERS) + 1] = {
        version(*state, "      size: {property: p}\n", &arena)};

    EXPECT_STR(version(*state, "      # a comment\n      size:\n        property: 'p'\n", &arena),
               versions[0], "another way to write the same");
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        versions[i + 1] = version(*state, OTHERS[i], &arena);
        for (size_t k = 0; k <= i; k++) {
            EXPECT(!str_equal(versions[k], versions[i + 1]), "row %zu has the version of %zu", i,
                   k);
        }
    }
}

static void declared_properties_are_read(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct mappings mappings;
    struct error err = {0};
    const struct declared_property *declared;

    EXPECT(
        load(
            *state,
            "      name: {property: p}\n"
            "    object: 2-123\n"
            "    properties:\n"
            "      plan: {type: enum, label: Plan, group: forge, options: {pro: Pro, free: Free}}\n"
            "      login: {type: datetime}\n"
            "      key: {type: text, unique: true}\n"
            "      areas: {type: multi_enum, options: [x, y]}\n",
            &arena, &mappings, &err) == OK,
        "%s", err.message);
    EXPECT_STR(mappings.at[0].object, STR("2-123"), "object");
    assert_int_equal(mappings.at[0].declared_count, 4);
    declared = mappings.at[0].declared;
    EXPECT_STR(declared[0].name, STR("plan"), "name");
    EXPECT_STR(declared[0].label, STR("Plan"), "label");
    EXPECT_STR(declared[0].group, STR("forge"), "group");
    assert_int_equal(declared[0].type, DECLARED_ENUM);
    assert_int_equal(declared[0].options_count, 2);
    EXPECT_STR(declared[0].options[1].value, STR("free"), "value");
    EXPECT_STR(declared[0].options[1].label, STR("Free"), "label of a value");
    assert_int_equal(declared[0].line, 8);
    assert_int_equal(declared[0].column, 7);
    EXPECT_STR(declared[1].label, STR("login"), "the name is the label");
    assert_int_equal(declared[1].type, DECLARED_DATETIME);
    assert_true(declared[2].is_unique);
    EXPECT_STR(declared[3].options[0].label, STR("x"), "the value is its label");
}

static const struct {
    const char *text, *message;
} FILE_MISTAKES[] = {
    {"kinds: {thing: {fields: {name: {property: p}}}}\n", "crm"},
    {"crm: other\nkinds: {thing: {fields: {name: {property: p}}}}\n", "not for 'some'"},
    {"crm: some\n", "'kinds' must map"},
    {"crm: some\nkinds: {thng: {fields: {name: {property: p}}}}\n", ":2:9: no kind 'thng'"},
    {"crm: some\nkinds: {thing: {}}\n", "at least one field"},
    {"crm: some\nkindz: {}\n", "kindz"},
    {"crm: some\nkinds: [thing]\n", "'kinds' must map"},
    {"- a\n", ":1:1:"},
    {"crm: [some\n", ":"},
    {"", ""},
};

static void a_file_of_another_shape_is_refused(void **state)
{
    char path[96];

    snprintf(path, sizeof path, "%s/sub", (char *)*state);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/sub/m.yaml", (char *)*state);
    for (size_t i = 0; i < COUNT_OF(FILE_MISTAKES); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct mappings mappings;
        struct kinds kinds;
        struct error err = {0};

        assert_int_equal(kinds_load(&arena, *state, &kinds, &err), OK);
        write_file(path, FILE_MISTAKES[i].text);
        EXPECT(mappings_load(&arena, &kinds, STR("some"), path, &mappings, &err) == FAIL_CONFIG &&
                   strstr(err.message, FILE_MISTAKES[i].message),
               "row %zu: %s", i, err.message);
    }
}

static void a_missing_file_or_crm_is_told(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct mappings mappings;
    struct kinds kinds;
    struct error err = {0};

    assert_int_equal(kinds_load(&arena, *state, &kinds, &err), OK);
    assert_int_equal(mappings_load(&arena, &kinds, STR("some"), "/nowhere/m.yaml", &mappings, &err),
                     FAIL_CONFIG);
    assert_non_null(strstr(err.message, "/nowhere/m.yaml"));
    assert_int_equal(mappings_load(&arena, &kinds, STR("sugar"), NULL, &mappings, &err),
                     FAIL_CONFIG);
    assert_non_null(strstr(err.message, "'sugar'"));
}

static const struct {
    const char *text, *message, *hint;
} KIND_MISTAKES[] = {
    {"fields: {a: {type: string}}\n", "kind", NULL},
    {"kind: 'Big Thing'\nfields: {a: {type: string}}\n", ":1:7:", NULL},
    {"kind: t\n", "'fields' must hold", NULL},
    {"kind: t\nfields: {a: string}\n", ":2:13:", NULL},
    {"kind: t\nfields: {a: {type: strnig}}\n", "'strnig' is not one of", NULL},
    {"kind: t\nfields: {A: {type: string}}\n", ":2:10:", NULL},
    {"kind: t\nfields: {id: {type: string}}\n", "every record has 'id'", NULL},
    {"kind: t\nfields: {a: {type: string, to: t}}\n", "'to' names", NULL},
    {"kind: t\nfields: {a: {type: reference}}\n", "'to' names", NULL},
    {"kind: t\nfields: {a: {type: reference, to: u}}\n", "kind 'u'", NULL},
    {"kind: t\nfields: {a: {type: string, options: [x]}}\n", "enum and multi_enum only", NULL},
    {"kind: t\nfields: {a: {type: enum, options: []}}\n", "must be a list of values", NULL},
    {"kind: t\nfields: {a: {type: enum, options: [[x]]}}\n", "an option is a word", NULL},
    {"kind: t\nfields: {email: {type: string}}\nmatch: [[emial]]\n", ":3:10:", "'email'"},
    {"kind: t\nfields: {email: {type: string}}\nmatch: [email]\n", "a match rule is a list", NULL},
    {"kind: t\ntitle: nam\nfields: {name: {type: string}}\n", ":2:8:", "'name'"},
    {"kind: t\nfeilds: {name: {type: string}}\n", "feilds", NULL},
    {"kind: thing\nfields: {name: {type: string}}\n", "declared twice", NULL},
};

static void a_mistake_in_a_kind_is_told(void **state)
{
    char path[96];

    snprintf(path, sizeof path, "%s/other.yaml", (char *)*state);
    for (size_t i = 0; i < COUNT_OF(KIND_MISTAKES); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct kinds kinds;
        struct error err = {0};

        write_file(path, KIND_MISTAKES[i].text);
        EXPECT(kinds_load(&arena, *state, &kinds, &err) == FAIL_CONFIG, "row %zu is accepted", i);
        EXPECT(strstr(err.message, KIND_MISTAKES[i].message), "row %zu: wanted '%s', got: %s", i,
               KIND_MISTAKES[i].message, err.message);
        EXPECT(!KIND_MISTAKES[i].hint || strstr(err.hint, KIND_MISTAKES[i].hint), "row %zu: %s", i,
               err.hint);
    }
}

static void a_folder_without_kinds_is_told(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct kinds kinds;
    struct error err = {0};

    (void)state;
    assert_int_equal(kinds_load(&arena, "/nowhere", &kinds, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, "/nowhere"));
    assert_true(err.hint[0] != '\0');
}

static void the_built_in_files_load_and_match_the_shipped_ones(void **state)
{
    static const char *const CRMS[] = {"hubspot", "pipedrive", "salesforce"};
    AUTO_ARENA struct arena arena = {0};
    struct kinds built_in, shipped;
    struct error err = {0};

    (void)state;
    EXPECT(kinds_load_embedded(&arena, &built_in, &err) == OK, "%s", err.message);
    EXPECT(kinds_load(&arena, "config/kinds", &shipped, &err) == OK, "%s", err.message);
    assert_int_equal(built_in.count, shipped.count);
    for (size_t i = 0; i < COUNT_OF(CRMS); i++) {
        char path[64];
        struct mappings x, y;

        snprintf(path, sizeof path, "config/mappings/%s.yaml", CRMS[i]);
        EXPECT(mappings_load(&arena, &built_in, str_of(CRMS[i]), NULL, &x, &err) == OK, "%s",
               err.message);
        EXPECT(mappings_load(&arena, &shipped, str_of(CRMS[i]), path, &y, &err) == OK, "%s",
               err.message);
        assert_int_equal(x.count, y.count);
        for (size_t k = 0; k < x.count; k++) {
            EXPECT_STR(x.at[k].version, y.at[k].version, CRMS[i]);
        }
        for (size_t k = 0; k < built_in.count; k++) {
            bool is_ticket = str_equal(built_in.at[k].name, STR("ticket")); /* HubSpot alone */

            EXPECT(mapping_of(&x, built_in.at[k].name) || (is_ticket && i > 0),
                   "%s does not map %" PRI_STR, CRMS[i], STR_ARG(built_in.at[k].name));
        }
    }
}

static void a_folder_adds_to_the_built_in_kinds_and_replaces_them(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct kinds built_in, kinds;
    struct error err = {0};
    char path[96];

    snprintf(path, sizeof path, "%s/other.yaml", (char *)*state);
    write_file(path, "kind: company\nfields: {name: {type: string}, thing_id: {type: reference, "
                     "to: thing}}\n");
    assert_int_equal(kinds_load_embedded(&arena, &built_in, &err), OK);
    EXPECT(kinds_load(&arena, *state, &kinds, &err) == OK, "%s", err.message);
    assert_int_equal(kinds.count, built_in.count + 1);
    assert_non_null(kind_by_name(&kinds, STR("contact")));
    assert_int_equal(kind_by_name(&kinds, STR("company"))->fields_count, 2);
    assert_true(kind_by_name(&kinds, STR("thing")) < kind_by_name(&kinds, STR("company")));
    assert_true(kind_by_name(&kinds, STR("company")) < kind_by_name(&kinds, STR("contact")));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_mistake_is_told_with_its_place),
        IN_FOLDER(what_makes_sense_is_accepted),
        IN_FOLDER(entries_and_properties_come_sorted_and_once),
        IN_FOLDER(the_version_follows_the_meaning_alone),
        IN_FOLDER(declared_properties_are_read),
        IN_FOLDER(a_file_of_another_shape_is_refused),
        IN_FOLDER(a_missing_file_or_crm_is_told),
        IN_FOLDER(a_mistake_in_a_kind_is_told),
        cmocka_unit_test(a_folder_without_kinds_is_told),
        IN_FOLDER(a_folder_adds_to_the_built_in_kinds_and_replaces_them),
        cmocka_unit_test(the_built_in_files_load_and_match_the_shipped_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
