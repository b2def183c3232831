/* Mapping files; and records through a mapping that was taken: what the CRM would show of a value is shown as itself. */
#include "tests/fuzz/file.h"

#include "core/jx.h"
#include "mapper/convert.h"
#include "mapper/mapping.h"

static bool nobody(void *context, struct str kind, struct str id, struct arena *arena,
                   struct str *ret)
{
    (void)context;
    (void)kind;
    (void)id;
    (void)arena;
    (void)ret;
    return false;
}

/* A value of each kind through each field, in and out again. */
static void convert(const struct mapping *mapping, const json_t *value, struct arena *arena)
{
    const struct reference_resolver resolver = {.to_hub = nobody, .to_remote = nobody};
    json_t *props = jx_own(arena, json_object()), *out;
    struct fields fields = {0};
    struct map_notes notes = {0};

    for (size_t i = 0; i < mapping->properties_count; i++) {
        struct str name = mapping->properties[i];

        json_object_setn_new(props, name.at, name.len, json_deep_copy(value));
    }
    map_in(mapping, props, &resolver, arena, &fields, &notes);
    for (size_t i = 0; i < fields.count; i++) {
        const struct map_entry *entry = mapping_entry(mapping, fields.at[i].name);
        struct value image = map_image(entry, &fields.at[i].value, arena);
        struct value again = map_image(entry, &image, arena);

        MUST_HOLD(image.state == VALUE_ABSENT || value_equal(&image, &again),
                  "the image of %" PRI_STR " is none", STR_ARG(fields.at[i].name));
    }
    map_out(mapping, &fields, NULL, 0, props, &resolver, arena, &out, &notes);
}

void fuzz_one(struct str input)
{
    static const char *const VALUES[] = {"null",
                                         "\"\"",
                                         "\"+49 30 1234\"",
                                         "true",
                                         "12.50",
                                         "\"2026-05-01T10:00:00Z\"",
                                         "[\"a\",\"b\"]",
                                         "{\"value\":\"x\"}",
                                         "[{\"value\":\"a@b.example\",\"primary\":true}]"};
    static struct arena kept;
    static struct kinds kinds;
    AUTO_ARENA struct arena arena = {0};
    AUTO_INPUT_FILE struct input_file file = input_file_of(input);
    struct mappings mappings, again;
    struct error err = {0};

    if (!kinds.count) {
        MUST_HOLD(kinds_load_embedded(&kept, &kinds, &err) == OK, "%s", err.message);
    }
    if (mappings_load(&arena, &kinds, STR("hubspot"), file.path, &mappings, &err) != OK) {
        MUST_HOLD(err.code == FAIL_CONFIG && err.message[0], "%s", err.message);
        return;
    }
    MUST_HOLD(mappings_load(&arena, &kinds, STR("hubspot"), file.path, &again, &err) == OK &&
                  again.count == mappings.count,
              "read twice");
    for (size_t i = 0; i < mappings.count; i++) {
        MUST_HOLD(str_equal(mappings.at[i].version, again.at[i].version), "another version");
        for (size_t k = 0; k < COUNT_OF(VALUES); k++) {
            json_t *value;

            MUST_HOLD(jx_parse(&arena, str_of(VALUES[k]), &value, &err) == OK, "%s", err.message);
            convert(&mappings.at[i], value, &arena);
        }
    }
}
