#include "mapper/declared.h"

enum { PROPERTIES_MAX = 200, OPTIONS_MAX = 1000, NAME_BYTES_MAX = 200 };

static const char *const PROPERTY_KEYS[] = {"label", "group", "type", "unique", "options", NULL};
static const char *const TYPES[] = {"text",     "long_text", "number",     "boolean", "date",
                                    "datetime", "enum",      "multi_enum", NULL};

static bool is_enumeration(enum declared_type type)
{
    return type == DECLARED_ENUM || type == DECLARED_MULTI_ENUM;
}

/* {value: label, …} or [value, …]. */
static enum fail read_option(struct arena *arena, const struct yx_node *list, size_t index,
                             struct declared_option *options, struct error *err)
{
    bool has_label = yx_type(list) == YX_MAPPING;
    const struct yx_node *value = has_label ? yx_key_at(list, index) : yx_item(list, index);
    const struct yx_node *label = has_label ? yx_value_at(list, index) : value;

    if (yx_type(value) != YX_SCALAR || yx_text(value).len == 0 || yx_type(label) != YX_SCALAR ||
        yx_text(label).len == 0) {
        return yx_error(value, err, "an option is a word, or a word with its label");
    }
    for (size_t i = 0; i < index; i++) {
        if (str_equal(options[i].value, yx_text(value)) ||
            str_equal(options[i].label, yx_text(label))) {
            return yx_error(value, err, "option '%" PRI_STR "' stands twice",
                            STR_ARG(yx_text(value)));
        }
    }
    options[index].value = arena_str(arena, yx_text(value));
    options[index].label = arena_str(arena, yx_text(label));
    return OK;
}

static enum fail read_options(struct arena *arena, const struct yx_node *node,
                              struct declared_property *property, struct error *err)
{
    const struct yx_node *list = yx_get(node, "options");
    struct declared_option *options;

    if ((list != NULL) != is_enumeration(property->type)) {
        return yx_error(list ? list : node, err,
                        "'options' belong to the types enum and multi_enum, which need them");
    }
    if (!list) {
        return OK;
    }
    if (yx_type(list) == YX_SCALAR || yx_count(list) == 0 || yx_count(list) > OPTIONS_MAX) {
        return yx_error(list, err, "'options' must be a list of 1 to %d values", OPTIONS_MAX);
    }
    options = ARENA_ARRAY(arena, struct declared_option, yx_count(list));
    for (size_t i = 0; i < yx_count(list); i++) {
        if (read_option(arena, list, i, options, err) != OK) {
            return err->code;
        }
    }
    property->options = options;
    property->options_count = yx_count(list);
    return OK;
}

static enum fail read_property(struct arena *arena, const struct yx_node *key,
                               const struct yx_node *node, const char *file,
                               struct declared_property *ret, struct error *err)
{
    struct str name = yx_text(key), label, group;
    size_t type;

    if (name.len == 0 || name.len > NAME_BYTES_MAX) {
        return yx_error(key, err, "a property needs a name");
    }
    if (yx_type(node) != YX_MAPPING || !yx_get(node, "type")) {
        return yx_error(node, err, "a property needs at least a 'type'");
    }
    if (yx_only(node, PROPERTY_KEYS, err) != OK ||
        yx_word(yx_get(node, "type"), TYPES, &type, err) != OK ||
        yx_str_or(node, "label", name, &label, err) != OK ||
        yx_str_or(node, "group", STR(""), &group, err) != OK ||
        yx_bool_or(node, "unique", false, &ret->is_unique, err) != OK) {
        return err->code;
    }
    ret->name = arena_str(arena, name);
    ret->label = arena_str(arena, label);
    ret->group = arena_str(arena, group);
    ret->type = (enum declared_type)type;
    ret->file = file;
    ret->line = yx_line(key);
    ret->column = yx_column(key);
    if (ret->is_unique && ret->type != DECLARED_TEXT && ret->type != DECLARED_NUMBER) {
        return yx_error(node, err, "only text and numbers can be unique");
    }
    return read_options(arena, node, ret, err);
}

enum fail declared_read(struct arena *arena, const struct yx_node *node, const char *file,
                        struct mapping *mapping, struct error *err)
{
    const struct yx_node *map = yx_get(node, "properties");
    struct declared_property *properties;

    if (!map) {
        return OK;
    }
    if (yx_type(map) != YX_MAPPING || yx_count(map) == 0 || yx_count(map) > PROPERTIES_MAX) {
        return yx_error(map, err, "'properties' must declare 1 to %d properties", PROPERTIES_MAX);
    }
    properties = ARENA_ARRAY(arena, struct declared_property, yx_count(map));
    for (size_t i = 0; i < yx_count(map); i++) {
        if (read_property(arena, yx_key_at(map, i), yx_value_at(map, i), file, &properties[i],
                          err) != OK) {
            return err->code;
        }
    }
    mapping->declared = properties;
    mapping->declared_count = yx_count(map);
    return OK;
}
