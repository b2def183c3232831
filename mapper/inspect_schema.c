/* A mapping against what the CRM says about its properties. */
#include "core/decimal.h"
#include "core/unicode.h"
#include "core/words.h"
#include "mapper/findings.h"
#include "mapper/inside.h"

/* --- unknown and read-only -------------------------------------------------------------------------------------------------- */

static bool is_declared(const struct mapping *mapping, struct str property)
{
    struct str name = str_starts(property, STR("custom:"))
                          ? str_slice(property, strlen("custom:"), property.len)
                          : property;

    for (size_t i = 0; i < mapping->declared_count; i++) {
        if (str_equal(mapping->declared[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void unknown_property(struct findings *findings, const struct inspected *in,
                             const struct map_entry *entry)
{
    const struct schema_facts *schema = in->schema;
    struct str *names = ARENA_ARRAY(findings->arena, struct str, schema->count + 1);
    struct finding *finding;
    size_t nearest;

    if (is_declared(in->mapping, entry->property)) {
        finding = found(findings, in, entry, IS_WARNING,
                        "the CRM has no property '%" PRI_STR "' yet", STR_ARG(entry->property));
        finding->hint =
            arena_printf(findings->arena, "run crmsync setup %" PRI_STR, STR_ARG(in->connection));
        return;
    }
    for (size_t i = 0; i < schema->count; i++) {
        names[i] = schema->at[i].name;
    }
    nearest = word_nearest(entry->property, names, schema->count);
    finding = found(findings, in, entry, IS_ERROR, "the CRM has no property '%" PRI_STR "'",
                    STR_ARG(entry->property));
    finding->hint =
        nearest == SIZE_MAX
            ? STR("create it at the CRM or declare it under 'properties', or take the "
                  "line out of the mapping")
            : arena_printf(findings->arena, "did you mean '%" PRI_STR "'? correct the mapping",
                           STR_ARG(names[nearest]));
}

/* --- enumerations ----------------------------------------------------------------------------------------------------------- */

static void unknown_word(struct findings *findings, const struct inspected *in,
                         const struct map_entry *entry, const struct property_facts *property,
                         struct str word)
{
    struct str *words = ARENA_ARRAY(findings->arena, struct str, 2 * property->options_count + 1);
    struct str folded = utf8_fold(findings->arena, word);
    struct finding *finding;
    size_t nearest, alike = 0;

    for (size_t i = 0; i < property->options_count; i++) {
        words[2 * i] = property->options[i].value;
        words[2 * i + 1] = property->options[i].label;
        alike += str_equal(utf8_fold(findings->arena, property->options[i].label), folded);
    }
    nearest = word_nearest(word, words, 2 * property->options_count);
    finding = found(findings, in, entry, IS_ERROR,
                    alike > 1 ? "'%" PRI_STR "' is the label of several values of '%" PRI_STR "'"
                              : "'%" PRI_STR "' is neither a value nor a label of '%" PRI_STR "'",
                    STR_ARG(word), STR_ARG(entry->property));
    if (alike > 1) {
        finding->hint = STR("write the value itself");
    } else if (nearest != SIZE_MAX) {
        finding->hint =
            arena_printf(findings->arena, "did you mean '%" PRI_STR "'?", STR_ARG(words[nearest]));
    } else {
        finding->hint = STR("add the value at the CRM, or correct the value map");
    }
}

static bool has_option(const struct map_entry *entry, const struct property_facts *property,
                       const struct option_facts *option)
{
    for (size_t i = 0; i < entry->values_count; i++) {
        if (property_option(property, entry->values[i].remote) == option) {
            return true;
        }
    }
    return false;
}

/* Words that the CRM has and the map has not: records that hold one wait. */
static void inspect_unmapped(struct findings *findings, const struct inspected *in,
                             const struct map_entry *entry, const struct property_facts *property)
{
    struct str list = STR("");
    size_t missing = 0;

    if (entry->direction == MAP_OUT || entry->unknown != UNKNOWN_HOLD) {
        return;
    }
    for (size_t i = 0; i < property->options_count; i++) {
        const struct option_facts *option = &property->options[i];

        if (!has_option(entry, property, option) && missing++ < 5) {
            list = arena_printf(findings->arena, "%" PRI_STR "%s%" PRI_STR " (%" PRI_STR ")",
                                STR_ARG(list), list.len ? ", " : "", STR_ARG(option->value),
                                STR_ARG(option->label));
        }
    }
    if (missing) {
        struct finding *finding = found(
            findings, in, entry, IS_WARNING,
            "%zu values of '%" PRI_STR "' have no unified word and would be held: %" PRI_STR "%s",
            missing, STR_ARG(entry->property), STR_ARG(list), missing > 5 ? ", …" : "");

        finding->hint = STR("add them to 'values', or say what to do with them: 'unknown: keep' or "
                            "'unknown: default'");
    }
}

static void inspect_map(struct findings *findings, const struct inspected *in,
                        const struct map_entry *entry, const struct property_facts *property)
{
    for (size_t i = 0; i < entry->values_count; i++) {
        const struct option_facts *option = property_option(property, entry->values[i].remote);
        struct str number;

        if (!option) {
            unknown_word(findings, in, entry, property, entry->values[i].remote);
        } else if (entry->write_as_number && entry->direction != MAP_IN &&
                   !decimal_canonical(findings->arena, option->value, 0, &number)) {
            found(findings, in, entry, IS_ERROR,
                  "'%" PRI_STR "' of '%" PRI_STR "' is no number, and 'number: true' writes one",
                  STR_ARG(option->value), STR_ARG(entry->property))
                ->hint = STR("take 'number' out");
        }
    }
    inspect_unmapped(findings, in, entry, property);
}

/* Without a map the kind's own words travel as they are. */
static void inspect_words(struct findings *findings, const struct inspected *in,
                          const struct map_entry *entry, const struct property_facts *property)
{
    const struct kind_field *field = entry->field;

    for (size_t i = 0; i < field->options_count; i++) {
        const struct option_facts *option = property_option(property, field->options[i]);

        if (!option || !str_equal(option->value, field->options[i])) {
            found(findings, in, entry, IS_ERROR,
                  "option '%" PRI_STR "' of '%" PRI_STR "' is no value of '%" PRI_STR "'",
                  STR_ARG(field->options[i]), STR_ARG(field->name), STR_ARG(entry->property))
                ->hint = STR("add 'values' to the field");
            return; /* the others would need the map as well */
        }
    }
    if (field->options_count == 0) {
        found(findings, in, entry, IS_WARNING,
              "property '%" PRI_STR "' takes %zu values only, and '%" PRI_STR
              "' may hold any: whatever is none of them would be refused",
              STR_ARG(entry->property), property->options_count, STR_ARG(field->name))
            ->hint = STR("add 'values' to the field, or declare it 'direction: in'");
    }
}

/* --- casts ------------------------------------------------------------------------------------------------------------------ */

enum shape {
    SHAPE_ANY,
    SHAPE_TEXT,
    SHAPE_NUMBER,
    SHAPE_WHOLE,
    SHAPE_BOOLEAN,
    SHAPE_DATE,
    SHAPE_DATETIME,
    SHAPE_ONE_OF,
    SHAPE_SOME_OF,
    SHAPES
};

/* The CRMs' own words for types. Sources: HubSpot's properties API (string, number, date, datetime, enumeration, bool, phone_number);
 * Pipedrive's field types (varchar, text, double, int, date, enum, set, …). */
static const struct {
    const char *word;
    enum shape shape;
} SHAPE_WORDS[] = {
    {"string", SHAPE_TEXT},     {"phone_number", SHAPE_TEXT}, {"varchar", SHAPE_TEXT},
    {"text", SHAPE_TEXT},       {"phone", SHAPE_TEXT},        {"varchar_auto", SHAPE_TEXT},
    {"number", SHAPE_NUMBER},   {"double", SHAPE_NUMBER},     {"monetary", SHAPE_NUMBER},
    {"int", SHAPE_WHOLE},       {"integer", SHAPE_WHOLE},     {"bool", SHAPE_BOOLEAN},
    {"boolean", SHAPE_BOOLEAN}, {"date", SHAPE_DATE},         {"datetime", SHAPE_DATETIME},
    {"enumeration", SHAPE_ANY}, {"enum", SHAPE_ONE_OF},       {"set", SHAPE_SOME_OF},
};

#define ON(type) (1U << (type))
#define NUMBERS (ON(TYPE_DECIMAL) | ON(TYPE_MONEY))
#define TEXTS (ON(TYPE_STRING) | ON(TYPE_TEXT) | ON(TYPE_EMAIL) | ON(TYPE_PHONE) | ON(TYPE_URL))

/* Which types of fields lose something in a property of that shape. */
static const struct {
    enum shape shape;
    unsigned types;
    const char *loss, *hint;
} LOSSES[] = {
    {SHAPE_WHOLE, NUMBERS, "the part behind the point is lost",
     "map it to a property that holds decimals"},
    {SHAPE_WHOLE, TEXTS, "only texts that are whole numbers can be written",
     "give the field the type integer, or declare it 'direction: in'"},
    {SHAPE_NUMBER, TEXTS, "only texts that are numbers can be written",
     "give the field the type decimal, or declare it 'direction: in'"},
    {SHAPE_BOOLEAN, TEXTS | NUMBERS | ON(TYPE_INTEGER), "only true and false can be written",
     "give the field the type boolean, or declare it 'direction: in'"},
    {SHAPE_DATE, ON(TYPE_DATETIME), "the time of day is lost",
     "give the field the type date, or map it to a property that holds times"},
    {SHAPE_DATE, TEXTS | NUMBERS | ON(TYPE_INTEGER), "only dates can be written",
     "give the field the type date, or declare it 'direction: in'"},
    {SHAPE_DATETIME, TEXTS | NUMBERS, "only times can be written",
     "give the field the type datetime, or declare it 'direction: in'"},
    {SHAPE_ONE_OF, ON(TYPE_MULTI_ENUM), "a list does not fit into one choice",
     "give the field the type enum, or declare it 'direction: in'"},
    {SHAPE_SOME_OF, ON(TYPE_ENUM) | TEXTS, "several choices do not fit into one value",
     "give the field the type multi_enum"},
};

static enum shape shape_of(const struct property_facts *property)
{
    for (size_t i = 0; i < sizeof SHAPE_WORDS / sizeof *SHAPE_WORDS; i++) {
        if (str_equal(property->type, str_of(SHAPE_WORDS[i].word))) {
            return SHAPE_WORDS[i].shape;
        }
    }
    return SHAPE_ANY;
}

static void lossy(struct findings *findings, const struct inspected *in,
                  const struct map_entry *entry, const struct property_facts *property,
                  const char *loss, const char *hint)
{
    found(findings, in, entry, IS_ERROR,
          "'%" PRI_STR "' is of type %s and property '%" PRI_STR "' of type '%" PRI_STR "': %s",
          STR_ARG(entry->field->name), field_type_name(entry->field->type),
          STR_ARG(entry->property), STR_ARG(property->type), loss)
        ->hint = str_of(hint);
}

static void inspect_cast(struct findings *findings, const struct inspected *in,
                         const struct map_entry *entry, const struct property_facts *property)
{
    enum shape shape = shape_of(property);
    bool is_opened = entry_transform(entry, TRANSFORM_MEMBER) ||
                     entry_transform(entry, TRANSFORM_FIRST) || entry_is_owner(entry);

    if (is_opened || entry->values_count) {
        return;
    }
    if (shape == SHAPE_DATETIME && entry->field->type == TYPE_DATE &&
        !entry_transform(entry, TRANSFORM_DAY)) {
        lossy(findings, in, entry, property, "a date is no time, and the day depends on the zone",
              "use transform: [day], which takes the day in UTC and writes its midnight");
        return;
    }
    if (entry->direction == MAP_IN) {
        return; /* what does not fit is held and shown; nothing is lost at the CRM */
    }
    for (size_t i = 0; i < sizeof LOSSES / sizeof *LOSSES; i++) {
        if (LOSSES[i].shape == shape && (LOSSES[i].types & ON(entry->field->type))) {
            lossy(findings, in, entry, property, LOSSES[i].loss, LOSSES[i].hint);
            return;
        }
    }
}

/* --- entries ---------------------------------------------------------------------------------------------------------------- */

void inspect_entry(struct findings *findings, const struct inspected *in,
                   const struct map_entry *entry)
{
    const struct property_facts *property = schema_property(in->schema, entry->property);
    bool is_words = !entry_is_reference(entry) && !entry_is_owner(entry) && property &&
                    property->options_count && entry->field->type != TYPE_BOOLEAN;

    if (!property) {
        unknown_property(findings, in, entry);
        return;
    }
    if (!property->is_writable && entry->direction != MAP_IN) {
        found(findings, in, entry, IS_ERROR, "property '%" PRI_STR "' cannot be written",
              STR_ARG(entry->property))
            ->hint = STR("declare the field 'direction: in'");
    }
    if (is_words && entry->values_count) {
        inspect_map(findings, in, entry, property);
    } else if (is_words && entry->direction != MAP_IN) {
        inspect_words(findings, in, entry, property);
    }
    if (!is_words || entry->values_count) {
        inspect_cast(findings, in, entry, property);
    }
}

void inspect_names(struct findings *findings, const struct inspected *in)
{
    const struct mapping *mapping = in->mapping;

    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *x = &mapping->entries[i];
        const struct property_facts *property = schema_property(in->schema, x->property);

        for (size_t k = 0; k < i && property && x->direction != MAP_IN; k++) {
            const struct map_entry *y = &mapping->entries[k];

            if (y->direction != MAP_IN && !str_equal(x->property, y->property) &&
                schema_property(in->schema, y->property) == property) {
                found(findings, in, x, IS_ERROR,
                      "property '%" PRI_STR "' has two owners: '%" PRI_STR
                      "' writes it as '%" PRI_STR "' and '%" PRI_STR "' as '%" PRI_STR "'",
                      STR_ARG(property->label), STR_ARG(y->field->name), STR_ARG(y->property),
                      STR_ARG(x->field->name), STR_ARG(x->property))
                    ->hint = STR("declare one of them 'direction: in'");
            }
        }
    }
}
