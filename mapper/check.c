#include "mapper/check.h"

#include <assert.h>

#include "mapper/inside.h"

/* Where in the chain a transform works: on JSON, on a text that becomes a list, on texts. */
enum stage { STAGE_JSON, STAGE_SPLIT, STAGE_TEXT };

#define ON(type) (1U << (type))
#define ON_TEXTS                                                                                   \
    (ON(TYPE_STRING) | ON(TYPE_TEXT) | ON(TYPE_EMAIL) | ON(TYPE_URL) | ON(TYPE_ENUM) |             \
     ON(TYPE_MULTI_ENUM))
#define ON_ALL (ON(TYPE_REFERENCE_LIST + 1) - 1)
#define ON_LISTS (ON(TYPE_MULTI_ENUM) | ON(TYPE_REFERENCE_LIST))

/* may_read_string: on a string the transform only reads, since nothing would write the CRM's form back. */
static const struct {
    const char *name;
    enum stage stage;
    unsigned types;
    bool may_read_string;
} RULES[] = {
    [TRANSFORM_TRIM] = {"trim", STAGE_TEXT, ON_ALL, false},
    [TRANSFORM_LOWER] = {"lower", STAGE_TEXT, ON_TEXTS, false},
    [TRANSFORM_PHONE] = {"phone", STAGE_TEXT, ON(TYPE_PHONE) | ON(TYPE_STRING), false},
    [TRANSFORM_DATE] = {"date", STAGE_TEXT, ON(TYPE_DATE), true},
    [TRANSFORM_DATETIME] = {"datetime", STAGE_TEXT, ON(TYPE_DATETIME), true},
    [TRANSFORM_DECIMAL] = {"decimal", STAGE_TEXT, ON(TYPE_DECIMAL) | ON(TYPE_MONEY), true},
    [TRANSFORM_INTEGER] = {"integer", STAGE_TEXT,
                           ON(TYPE_INTEGER) | ON(TYPE_DECIMAL) | ON(TYPE_MONEY), true},
    [TRANSFORM_BOOLEAN] = {"boolean", STAGE_TEXT, ON(TYPE_BOOLEAN), true},
    [TRANSFORM_URL] = {"url", STAGE_TEXT, ON(TYPE_URL) | ON(TYPE_STRING), false},
    [TRANSFORM_DOMAIN] = {"domain", STAGE_TEXT, ON(TYPE_STRING), false},
    [TRANSFORM_FIRST] = {"first", STAGE_JSON, ON_ALL & ~ON_LISTS, false},
    [TRANSFORM_MEMBER] = {"member", STAGE_JSON, ON_ALL, false},
    [TRANSFORM_SPLIT] = {"split", STAGE_SPLIT, ON_LISTS, false},
    [TRANSFORM_EPOCH_MS] = {"epoch-ms", STAGE_TEXT, ON(TYPE_DATETIME), true},
    [TRANSFORM_OWNER] = {"owner", STAGE_TEXT, ON(TYPE_STRING) | ON(TYPE_EMAIL), false},
    [TRANSFORM_SCALE] = {"scale", STAGE_TEXT, ON(TYPE_INTEGER) | ON(TYPE_DECIMAL) | ON(TYPE_MONEY),
                         false},
    [TRANSFORM_DAY] = {"day", STAGE_TEXT, ON(TYPE_DATE), false},
    [TRANSFORM_PLAIN] = {"plain", STAGE_TEXT, ON(TYPE_TEXT), false},
};

static enum fail check_type(const struct yx_node *node, const struct map_entry *entry,
                            enum transform_op op, struct error *err)
{
    enum field_type type = entry->field->type;
    bool reads = RULES[op].may_read_string && type == TYPE_STRING && entry->direction == MAP_IN;

    if ((RULES[op].types & ON(type)) || reads) {
        return OK;
    }
    yx_error(node, err, "transform '%s' does not go with '%" PRI_STR "', which is of type %s",
             RULES[op].name, STR_ARG(entry->field->name), field_type_name(type));
    return RULES[op].may_read_string && type == TYPE_STRING
               ? error_hint(err, "declare the field 'direction: in', or give it another type in "
                                 "the kind's file")
               : error_hint(err, "take the transform out, or give the field another type in the "
                                 "kind's file");
}

/* 10, 100, … and 0.1, 0.01, …, up to nine zeros. */
static bool is_power_of_ten(struct str text)
{
    bool is_part = str_starts(text, STR("0."));
    struct str zeros = is_part ? str_slice(text, 2, text.len) : str_slice(text, 1, text.len);
    char one;

    if (zeros.len == 0 || zeros.len > 9) {
        return false;
    }
    one = is_part ? zeros.at[zeros.len - 1] : text.at[0];
    zeros.len -= is_part ? 1 : 0;
    for (size_t i = 0; i < zeros.len; i++) {
        one = zeros.at[i] == '0' ? one : 'x';
    }
    return one == '1';
}

static enum fail check_argument(const struct yx_node *node, const struct transform *transform,
                                struct error *err)
{
    struct str argument = transform->argument;
    bool is_code = argument.len <= 3;

    switch (transform->op) {
    case TRANSFORM_MEMBER:
        return argument.len ? OK
                            : yx_error(node, err,
                                       "'member' needs the member's name, such as 'member: value'");
    case TRANSFORM_SPLIT:
        return argument.len == 1
                   ? OK
                   : yx_error(node, err, "'split' needs one character, such as 'split: \";\"'");
    case TRANSFORM_PHONE:
        for (size_t i = 0; i < argument.len; i++) {
            is_code = is_code && argument.at[i] >= '0' && argument.at[i] <= '9';
        }
        return is_code ? OK
                       : yx_error(node, err,
                                  "'phone' takes a country calling code without '+', such as "
                                  "'phone: 49'");
    case TRANSFORM_SCALE:
        return is_power_of_ten(argument)
                   ? OK
                   : yx_error(node, err, "'scale' needs a power of ten, such as 'scale: 100'");
    case TRANSFORM_TRIM:
    case TRANSFORM_LOWER:
    case TRANSFORM_OWNER:
    case TRANSFORM_DAY:
    case TRANSFORM_PLAIN:
    case TRANSFORM_DATE:
    case TRANSFORM_DATETIME:
    case TRANSFORM_DECIMAL:
    case TRANSFORM_INTEGER:
    case TRANSFORM_BOOLEAN:
    case TRANSFORM_URL:
    case TRANSFORM_DOMAIN:
    case TRANSFORM_FIRST:
    case TRANSFORM_EPOCH_MS:
        break;
    }
    return argument.len == 0
               ? OK
               : yx_error(node, err, "'%s' takes no argument", RULES[transform->op].name);
}

/* Where a transform's name stands: "trim", or the key of "phone: 49". */
static const struct yx_node *name_of(const struct yx_node *item)
{
    return yx_type(item) == YX_MAPPING ? yx_key_at(item, 0) : item;
}

/* Written in the order in which they work: a list or object is opened first, at most once. */
static enum fail check_chain(const struct yx_node *node, const struct map_entry *entry,
                             struct error *err)
{
    const struct yx_node *list = yx_get(node, "transform");

    for (size_t i = 0; i < entry->transforms_count; i++) {
        const struct transform *transform = &entry->transforms[i];
        const struct yx_node *item = name_of(yx_item(list, i));
        enum stage stage = RULES[transform->op].stage;
        enum stage before = i ? RULES[entry->transforms[i - 1].op].stage : STAGE_JSON;

        if (check_type(item, entry, transform->op, err) != OK ||
            check_argument(item, transform, err) != OK) {
            return err->code;
        }
        if (i && (stage < before || (stage == before && stage != STAGE_TEXT))) {
            return yx_error(item, err,
                            "'%s' cannot stand behind '%s': first comes 'first' or 'member', then "
                            "'split', then the others",
                            RULES[transform->op].name, RULES[entry->transforms[i - 1].op].name);
        }
        if (entry_is_reference(entry) && stage == STAGE_TEXT) {
            return yx_error(item, err, "'%s' has no effect on the id of another record",
                            RULES[transform->op].name);
        }
    }
    return OK;
}

static bool is_unified(const struct map_entry *entry, struct str text)
{
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].unified, text)) {
            return true;
        }
    }
    return false;
}

static bool is_remote(const struct map_entry *entry, struct str text)
{
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].remote, text)) {
            return true;
        }
    }
    return false;
}

static enum fail check_defaults(const struct yx_node *node, const struct map_entry *entry,
                                struct error *err)
{
    bool has_default = yx_get(node, "default_in") || yx_get(node, "default_out");

    if (entry->unknown != UNKNOWN_DEFAULT) {
        return has_default
                   ? yx_error(node, err, "'default_in' and 'default_out' need 'unknown: default'")
                   : OK;
    }
    if (entry->direction != MAP_OUT && !is_unified(entry, entry->default_in)) {
        return yx_error(node, err, "'default_in' must be one of the unified values in 'values'");
    }
    if (entry->direction != MAP_IN && !is_remote(entry, entry->default_out)) {
        return yx_error(node, err, "'default_out' must be one of the CRM's values in 'values'");
    }
    return OK;
}

static enum fail check_options(const struct yx_node *node, const struct map_entry *entry,
                               struct error *err)
{
    const struct kind_field *field = entry->field;

    for (size_t i = 0; i < entry->values_count && field->options_count; i++) {
        bool is_option = false;

        for (size_t k = 0; k < field->options_count; k++) {
            is_option = is_option || str_equal(field->options[k], entry->values[i].unified);
        }
        if (!is_option) {
            return yx_error(yx_get(node, "values"), err,
                            "'%" PRI_STR "' is no option of '%" PRI_STR "'",
                            STR_ARG(entry->values[i].unified), STR_ARG(field->name));
        }
    }
    return OK;
}

static enum fail check_value_map(const struct yx_node *node, const struct map_entry *entry,
                                 struct error *err)
{
    if (entry->values_count == 0) {
        return yx_get(node, "unknown") || yx_get(node, "default_in") || yx_get(node, "default_out")
                   ? yx_error(node, err, "'unknown' and its defaults need 'values'")
                   : OK;
    }
    if (entry_is_reference(entry)) {
        return yx_error(yx_get(node, "values"), err,
                        "'values' have no effect on the id of another record");
    }
    return check_defaults(node, entry, err) ? err->code : check_options(node, entry, err);
}

static enum fail check_number(const struct yx_node *node, const struct map_entry *entry,
                              struct error *err)
{
    const unsigned numbers = ON(TYPE_INTEGER) | ON(TYPE_DECIMAL) | ON(TYPE_MONEY) |
                             ON(TYPE_BOOLEAN) | ON(TYPE_ENUM) | ON(TYPE_MULTI_ENUM) |
                             ON(TYPE_REFERENCE) | ON(TYPE_REFERENCE_LIST);
    bool is_time =
        entry->field->type == TYPE_DATETIME && entry_transform(entry, TRANSFORM_EPOCH_MS);

    if (!entry->write_as_number || is_time || entry_is_owner(entry) ||
        (numbers & ON(entry->field->type)) || entry->values_count) {
        return OK;
    }
    return yx_error(node, err, "'%" PRI_STR "' is of type %s and cannot be written as a number",
                    STR_ARG(entry->field->name), field_type_name(entry->field->type));
}

/* Words about writing on an entry that is never written have no effect. */
static enum fail check_writing(const struct yx_node *node, const struct map_entry *entry,
                               struct error *err)
{
    const struct yx_node *item = NULL;

    if (entry->direction == MAP_IN && (entry->only_at_create || entry->group.len)) {
        return yx_error(node, err,
                        "'write' and 'group' have no effect on a field that is only read");
    }
    if (yx_get(node, "group") && entry->group.len == 0) {
        return yx_error(yx_get(node, "group"), err, "'group' must be a name");
    }
    if (entry->group.len && entry_transform(entry, TRANSFORM_MEMBER)) {
        return yx_error(yx_get(node, "group"), err,
                        "'group' does not go with 'member': the members of one object are written "
                        "together anyway");
    }
    if (entry->transforms_count) {
        item = name_of(yx_item(yx_get(node, "transform"), entry->transforms_count - 1));
    }
    if (entry_is_owner(entry) &&
        (RULES[entry->transforms[0].op].stage == STAGE_TEXT ? entry->transforms_count > 1
                                                            : entry->transforms_count > 2)) {
        return yx_error(item, err, "'owner' stands alone, or behind 'first' or 'member'");
    }
    return entry_is_owner(entry) && entry->values_count
               ? yx_error(yx_get(node, "values"), err, "'values' do not go with 'owner'")
               : OK;
}

enum fail check_entry(const struct yx_node *node, const struct map_entry *entry, struct error *err)
{
    assert(entry->field);
    if (check_chain(node, entry, err) != OK || check_value_map(node, entry, err) != OK ||
        check_writing(node, entry, err) != OK) {
        return err->code;
    }
    return check_number(node, entry, err);
}
