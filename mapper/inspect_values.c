/* Values on their way to a CRM and back, tried out: what is held, and what comes back as something else. */
#include "mapper/convert.h"
#include "mapper/findings.h"
#include "mapper/inside.h"
#include "mapper/normal.h"

enum { PROBES_MAX = 4 };

/* In normal form, and each of a different shape. */
static const char *const PROBES[][PROBES_MAX] = {
    [TYPE_STRING] = {"Ada Lovelace", "acme.example", "10 % of \xC3\x9C"},
    [TYPE_TEXT] = {"one line", "two\nlines"},
    [TYPE_EMAIL] = {"ada@example.com"},
    [TYPE_PHONE] = {"+4930123456", "+4930123456;ext=12"},
    [TYPE_URL] = {"https://acme.example/about", "acme.example"},
    [TYPE_INTEGER] = {"0", "12", "-7", "1234567"},
    [TYPE_DECIMAL] = {"0", "12.5", "-0.01", "1234567.89"},
    [TYPE_BOOLEAN] = {"true", "false"},
    [TYPE_DATE] = {"2026-11-21", "1969-12-31"},
    [TYPE_DATETIME] = {"1795248331250", "0", "-1000"},
    [TYPE_MONEY] = {"0", "12.5", "-0.01", "1234567.89"},
    [TYPE_REFERENCE_LIST] = {NULL},
};

/* Whoever writes these wants the values reduced: what they make is the field's form at this CRM. */
static bool reduces_on_purpose(const struct map_entry *entry)
{
    return entry_transform(entry, TRANSFORM_LOWER) || entry_transform(entry, TRANSFORM_DOMAIN) ||
           entry_transform(entry, TRANSFORM_PHONE) || entry_transform(entry, TRANSFORM_URL) ||
           entry_transform(entry, TRANSFORM_PLAIN);
}

static struct value probe_value(const struct map_entry *entry, const struct str *text)
{
    return entry_is_list(entry)
               ? (struct value){.state = VALUE_LIST, .items = text, .items_count = 1}
               : VALUE_OF(*text);
}

static struct str text_of(const struct value *value)
{
    if (value->state == VALUE_LIST) {
        return value->items[0];
    }
    return value->state == VALUE_TEXT ? value->text : STR("nothing");
}

/* True: said something. */
static bool try_value(struct findings *findings, const struct inspected *in,
                      const struct map_entry *entry, struct str text, bool is_word)
{
    struct value value = probe_value(entry, &text);
    struct value image = map_image(entry, &value, findings->arena);
    struct value again = map_image(entry, &image, findings->arena);
    struct finding *finding;

    if (image.state == VALUE_ABSENT) {
        finding = found(findings, in, entry, IS_ERROR,
                        "a value such as '%" PRI_STR "' cannot be written to property '%" PRI_STR
                        "' and would be held",
                        STR_ARG(text), STR_ARG(entry->property));
        finding->hint = STR("take the transform out that refuses it, or declare the field "
                            "'direction: in'");
        return true;
    }
    if (entry->direction != MAP_BOTH || value_equal(&value, &image) ||
        (!is_word && reduces_on_purpose(entry) && value_equal(&image, &again))) {
        return false;
    }
    finding =
        found(findings, in, entry, IS_ERROR,
              "'%" PRI_STR "' would come back as '%" PRI_STR "': the field does not round-trip",
              STR_ARG(text), STR_ARG(text_of(&image)));
    finding->hint = STR("declare the field 'direction: in' or 'direction: out'");
    return true;
}

static bool has_pair(const struct map_entry *entry, struct str unified)
{
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].unified, unified)) {
            return true;
        }
    }
    return false;
}

/* Words of the kind that the CRM has none for. */
static void inspect_options(struct findings *findings, const struct inspected *in,
                            const struct map_entry *entry)
{
    const struct kind_field *field = entry->field;

    for (size_t i = 0; i < field->options_count && entry->values_count; i++) {
        struct finding *finding;

        if (has_pair(entry, field->options[i]) || entry->unknown == UNKNOWN_KEEP) {
            continue;
        }
        finding =
            found(findings, in, entry, IS_WARNING,
                  "option '%" PRI_STR "' of '%" PRI_STR "' has no value at the CRM and %s",
                  STR_ARG(field->options[i]), STR_ARG(field->name),
                  entry->unknown == UNKNOWN_HOLD ? "would be held" : "becomes the default there");
        finding->hint = STR("add it to 'values'");
    }
}

void inspect_values(struct findings *findings, const struct inspected *in,
                    const struct map_entry *entry)
{
    struct map_entry tried = *entry;

    if (entry->direction == MAP_IN || entry_is_reference(entry) || entry_is_owner(entry)) {
        return;
    }
    /* the CRM's word may still be a label, which becomes a number only when its value is known */
    tried.write_as_number = entry->write_as_number && entry->values_count == 0;
    inspect_options(findings, in, entry);
    for (size_t i = 0; i < entry->values_count; i++) {
        if (try_value(findings, in, &tried, entry->values[i].unified, true)) {
            return;
        }
    }
    for (size_t i = 0; i < entry->field->options_count && entry->values_count == 0; i++) {
        if (try_value(findings, in, &tried, entry->field->options[i], true)) {
            return;
        }
    }
    for (size_t i = 0; i < PROBES_MAX && entry->values_count == 0; i++) {
        const char *probe = PROBES[entry->field->type][i];

        if (!probe || try_value(findings, in, &tried, str_of(probe), false)) {
            return;
        }
    }
}
