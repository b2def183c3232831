/* Every transform against made-up values. Inward: what came in goes out and comes back as it was (in(out(in(r))) = in(r)), and is in the
 * normal form of its type. Outward: the CRM would show exactly the image (in(out(v)) = image(v)), and an image is its own image. What
 * does not come back is declared one-way. CRMSYNC_TEST_VALUES says how many values each. */
#include "tests/unit/mapper/thing.h"

#include "core/jx.h"
#include "core/random.h"
#include "mapper/convert.h"
#include "mapper/normal.h"
#include "tests/unit/mapper/values.h"

enum { VALUES_EACH = 50000, RESET_EVERY = 64 };

enum form { PLAIN, ITEMS, OBJECT, ARRAY };

static const struct {
    const char *name;
    const char *entry; /* FIELD: {property: p, …} */
    enum shape shape;
    enum form form;
    bool may_refuse; /* values that are in normal form and still cannot be written */
} TRANSFORMS[] = {
    {"trim", "name: {property: p, transform: [trim]}", SHAPE_WORDS, PLAIN, false},
    {"trim of several lines", "note: {property: p, transform: [trim]}", SHAPE_WORDS, PLAIN, false},
    {"plain", "note: {property: p, transform: [plain]}", SHAPE_WORDS, PLAIN, false},
    {"plain of markup", "note: {property: p, transform: [plain]}", SHAPE_MARKUP, PLAIN, false},
    {"lower", "name: {property: p, transform: [lower]}", SHAPE_WORDS, PLAIN, false},
    {"lower of an e-mail address", "mail: {property: p, transform: [lower]}", SHAPE_ADDRESS, PLAIN,
     false},
    {"phone", "phone: {property: p, transform: [phone]}", SHAPE_PHONE, PLAIN, false},
    {"phone: 49", "phone: {property: p, transform: [phone: 49]}", SHAPE_PHONE, PLAIN, false},
    {"phone of a string", "name: {property: p, transform: [phone: 44]}", SHAPE_PHONE, PLAIN, false},
    {"date", "born: {property: p, transform: [date]}", SHAPE_TIME, PLAIN, false},
    {"day", "born: {property: p, transform: [day]}", SHAPE_TIME, PLAIN, false},
    {"datetime", "seen: {property: p, transform: [datetime]}", SHAPE_TIME, PLAIN, false},
    {"epoch-ms", "seen: {property: p, transform: [epoch-ms], number: true}", SHAPE_TIME, PLAIN,
     false},
    {"decimal", "rate: {property: p, transform: [decimal]}", SHAPE_NUMBER, PLAIN, false},
    {"integer", "count: {property: p, transform: [integer]}", SHAPE_NUMBER, PLAIN, false},
    {"integer of a decimal", "price: {property: p, transform: [integer]}", SHAPE_NUMBER, PLAIN,
     true},
    {"scale: 100", "rate: {property: p, transform: [scale: 100]}", SHAPE_NUMBER, PLAIN, true},
    {"scale: 0.001", "price: {property: p, transform: [scale: 0.001]}", SHAPE_NUMBER, PLAIN, true},
    {"scale: 10 of an integer", "count: {property: p, transform: [scale: 10]}", SHAPE_NUMBER, PLAIN,
     true},
    {"boolean", "active: {property: p, transform: [boolean], number: true}", SHAPE_BOOLEAN, PLAIN,
     false},
    {"url", "site: {property: p, transform: [url]}", SHAPE_ADDRESS, PLAIN, false},
    {"domain", "name: {property: p, transform: [domain]}", SHAPE_ADDRESS, PLAIN, false},
    {"first", "mail: {property: p, transform: [first]}", SHAPE_ADDRESS, ITEMS, false},
    {"first of phones", "phone: {property: p, transform: [first, phone: 49]}", SHAPE_PHONE, ITEMS,
     false},
    {"member", "name: {property: p, transform: [member: x]}", SHAPE_WORDS, OBJECT, false},
    {"split", "tags: {property: p, transform: [split: ';']}", SHAPE_LIST, PLAIN, true},
    {"a list", "tags: {property: p, transform: [lower]}", SHAPE_LIST, ARRAY, false},
    {"owner", "owner_id: {property: p, transform: [owner], number: true}", SHAPE_ID, PLAIN, true},
    {"references", "friend_ids: {property: p}", SHAPE_ID, ARRAY, true},
    {"a value map",
     "stage: {property: p, values: {one: '1', two: '2'}, unknown: default, default_in: one,\n"
     "              default_out: '1'}",
     SHAPE_ID, PLAIN, false},
    {"a number", "rate: {property: p, number: true}", SHAPE_NUMBER, PLAIN, true},
};

/* --- the other side ------------------------------------------------------------------------------------------------------- */

/* Ten objects, ten records, ten users. */
static bool to_hub(void *context, struct str kind, struct str id, struct arena *arena,
                   struct str *ret)
{
    (void)context, (void)kind;
    *ret = arena_printf(arena, "018f0000-0000-7000-8000-00000000000%" PRI_STR, STR_ARG(id));
    return id.len == 1 && id.at[0] >= '0' && id.at[0] <= '9';
}

static bool to_remote(void *context, struct str kind, struct str uuid, struct arena *arena,
                      struct str *ret)
{
    (void)context, (void)kind, (void)arena;
    *ret = str_slice(uuid, uuid.len - 1, uuid.len);
    return uuid.len == 36 && str_starts(uuid, STR("018f0000-0000-7000-8000-00000000000"));
}

static bool owner_to_hub(void *context, struct str id, struct arena *arena, struct str *ret)
{
    (void)context;
    *ret = arena_printf(arena, "user%" PRI_STR "@example.com", STR_ARG(id));
    return id.len == 1 && id.at[0] > '0' && id.at[0] <= '9';
}

static bool owner_to_remote(void *context, struct str email, struct arena *arena, struct str *ret)
{
    (void)context, (void)arena;
    *ret = str_slice(email, 4, 5);
    return email.len == strlen("user1@example.com") && str_starts(email, STR("user")) &&
           !str_equal(*ret, STR("0")) && str_ends(email, STR("@example.com"));
}

static const struct reference_resolver RESOLVER = {.to_hub = to_hub,
                                                   .to_remote = to_remote,
                                                   .owner_to_hub = owner_to_hub,
                                                   .owner_to_remote = owner_to_remote};

/* --- one value ------------------------------------------------------------------------------------------------------------ */

struct trial {
    const struct mapping *mapping;
    struct random *random;
    struct arena *arena;
    size_t row;
    long came_in, went_out, refused;
};

static json_t *made_remote(const struct trial *trial)
{
    enum shape shape = TRANSFORMS[trial->row].shape;
    size_t count = below(trial->random, 4);
    json_t *json;

    switch (TRANSFORMS[trial->row].form) {
    case PLAIN:
        return made_scalar(trial->random, shape, trial->arena);
    case OBJECT:
        return json_pack("{s:o,s:i}", "x", made_scalar(trial->random, shape, trial->arena), "other",
                         (int)below(trial->random, 9));
    case ITEMS:
    case ARRAY:
        break;
    }
    json = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *item = made_scalar(trial->random, shape, trial->arena);

        if (TRANSFORMS[trial->row].form == ITEMS && below(trial->random, 8)) {
            item = json_pack("{s:o,s:b}", "value", item, "primary", (int)below(trial->random, 2));
        }
        json_array_append_new(json, item);
    }
    return json;
}

static struct value read_back(const struct trial *trial, const json_t *props)
{
    struct fields fields;
    struct map_notes notes;

    map_in(trial->mapping, props, &RESOLVER, trial->arena, &fields, &notes);
    return *fields_get(&fields, trial->mapping->entries[0].field->name);
}

static json_t *write_out(const struct trial *trial, struct value value, const json_t *current)
{
    struct fields fields = {0};
    struct map_notes notes;
    json_t *props;

    fields_set(&fields, trial->arena, trial->mapping->entries[0].field->name, value);
    map_out(trial->mapping, &fields, NULL, 0, current, &RESOLVER, trial->arena, &props, &notes);
    return props;
}

static void expect_same(const struct trial *trial, const struct value *got,
                        const struct value *want, const json_t *json, const char *what)
{
    if (!value_equal(got, want)) {
        char *text = json_dumps(json, JSON_ENCODE_ANY);

        EXPECT(false, "%s: %s of %s: '%" PRI_STR "' (state %d) and not '%" PRI_STR "' (state %d)",
               TRANSFORMS[trial->row].name, what, text ? text : "nothing", STR_ARG(got->text),
               got->state, STR_ARG(want->text), want->state);
    }
}

/* The value is what its type's normal form makes of it. */
static void expect_normal(const struct trial *trial, const struct value *value)
{
    enum field_type type = trial->mapping->entries[0].field->type;
    const struct str *items = value->state == VALUE_LIST ? value->items : &value->text;
    size_t count = value->state == VALUE_LIST ? value->items_count : value->state == VALUE_TEXT;

    for (size_t i = 0; i < count; i++) {
        struct str again;

        EXPECT(normal_text(type, items[i], trial->arena, &again) && str_equal(again, items[i]),
               "%s: '%" PRI_STR "' is no normal form", TRANSFORMS[trial->row].name,
               STR_ARG(items[i]));
    }
}

static void try_inward(struct trial *trial)
{
    json_t *props = jx_own(trial->arena, json_pack("{s:o}", "p", made_remote(trial)));
    struct value value = read_back(trial, props), back;
    json_t *written;

    if (value.state == VALUE_ABSENT) {
        return; /* held: no value of this type */
    }
    trial->came_in++;
    expect_normal(trial, &value);
    if (TRANSFORMS[trial->row].form == ITEMS && value_is_blank(&value)) {
        return; /* written, it would take the primary item away, and the next one its place */
    }
    written = write_out(trial, value, props);
    if (json_object_size(written) == 0) {
        trial->refused++;
        EXPECT(TRANSFORMS[trial->row].may_refuse, "%s: what came in cannot go out: '%" PRI_STR "'",
               TRANSFORMS[trial->row].name, STR_ARG(value.text));
        return;
    }
    back = read_back(trial, written);
    expect_same(trial, &back, &value, json_object_get(props, "p"), "round trip");
    if (TRANSFORMS[trial->row].form == OBJECT) {
        EXPECT(json_equal(json_object_get(json_object_get(written, "p"), "other"),
                          json_object_get(json_object_get(props, "p"), "other")),
               "the other member of the object is lost");
    }
}

/* A value as another CRM or a person may have put it here. */
static struct value made_value(const struct trial *trial)
{
    const struct kind_field *field = trial->mapping->entries[0].field;
    struct str text = made_text(trial->random, TRANSFORMS[trial->row].shape, trial->arena);
    struct value value = {0};
    struct error err = {0};

    if (field->type == TYPE_REFERENCE_LIST) {
        text = arena_printf(trial->arena,
                            "018f0000-0000-7000-8000-00000000000%zu;018f0000-0000-"
                            "7000-8000-00000000001%zu",
                            below(trial->random, 10), below(trial->random, 10));
    } else if (TRANSFORMS[trial->row].shape == SHAPE_ID) {
        text = TRANSFORMS[trial->row].may_refuse
                   ? arena_printf(trial->arena, "user%zu@example.com", below(trial->random, 12))
                   : (below(trial->random, 2) ? STR("one") : STR("three"));
    }
    return field_value_parse(field, text, trial->arena, &value, &err) == OK ? value
                                                                            : (struct value){0};
}

static void try_outward(struct trial *trial)
{
    const struct map_entry *entry = &trial->mapping->entries[0];
    struct value value = made_value(trial), image, again, back;
    json_t *written;

    if (value.state == VALUE_ABSENT) {
        return;
    }
    image = map_image(entry, &value, trial->arena);
    again = map_image(entry, &image, trial->arena);
    expect_same(trial, &again, &image, NULL, "image of the image");
    written = write_out(trial, value, jx_own(trial->arena, json_object()));
    if (json_object_size(written) == 0) {
        trial->refused++;
        EXPECT(TRANSFORMS[trial->row].may_refuse || image.state == VALUE_ABSENT,
               "%s: '%" PRI_STR "' cannot be written", TRANSFORMS[trial->row].name,
               STR_ARG(value.text));
        return;
    }
    trial->went_out++;
    back = read_back(trial, written);
    if (entry->field->type != TYPE_REFERENCE_LIST) { /* of which only those that resolve travel */
        expect_same(trial, &back, &image, json_object_get(written, "p"), "image");
    }
}

/* --- all of them ---------------------------------------------------------------------------------------------------------- */

static int64_t number_of(const char *variable, int64_t otherwise)
{
    int64_t number = otherwise;

    return getenv(variable) && !str_to_i64(str_of(getenv(variable)), &number) ? otherwise : number;
}

static void try_transform(size_t row, uint64_t seed, long count)
{
    AUTO_ARENA struct arena loaded = {0}, arena = {0};
    struct trial trial = {
        .mapping =
            thing_mapping(arena_printf(&loaded, "      %s\n", TRANSFORMS[row].entry).at, &loaded),
        .random = random_new_seeded(seed + row),
        .arena = &arena,
        .row = row};

    for (long i = 0; i < count; i += 2) {
        try_inward(&trial);
        try_outward(&trial);
        if (i % RESET_EVERY == 0) {
            arena_reset(&arena);
        }
    }
    print_message("%s: %ld values, %ld came in and back, %ld went out, %ld refused\n",
                  TRANSFORMS[row].name, count, trial.came_in, trial.went_out, trial.refused);
    EXPECT(trial.came_in > count / 100 && trial.went_out > count / 100,
           "%s: hardly a value fits: the test shows nothing", TRANSFORMS[row].name);
    random_free(trial.random);
}

static void every_transform_round_trips_in_normal_form(void **state)
{
    uint64_t seed = (uint64_t)number_of("CRMSYNC_TEST_SEED", 20261121);
    long count = (long)number_of("CRMSYNC_TEST_VALUES", VALUES_EACH);

    (void)state;
    print_message("seed %" PRIu64 "\n", seed);
    for (size_t row = 0; row < COUNT_OF(TRANSFORMS); row++) {
        try_transform(row, seed, count);
    }
}

/* A text read as a time, a number and so on: nothing could write the CRM's form back, so only reading is allowed. */
static void transforms_of_strings_are_declared_one_way(void **state)
{
    static const char *const WORDS[] = {"date",    "datetime", "epoch-ms",
                                        "decimal", "integer",  "boolean"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        AUTO_ARENA struct arena arena = {0};
        const struct mapping *mapping;
        struct error err = {0};

        EXPECT(
            thing_load(
                arena_printf(&arena, "      name: {property: p, transform: [%s]}\n", WORDS[i]).at,
                &arena, &mapping, &err) == FAIL_CONFIG,
            "%s both ways", WORDS[i]);
        thing_mapping(arena_printf(&arena,
                                   "      name: {property: p, transform: [%s], direction: in}\n",
                                   WORDS[i])
                          .at,
                      &arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transform_round_trips_in_normal_form),
        cmocka_unit_test(transforms_of_strings_are_declared_one_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
