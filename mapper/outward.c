/* A record in normal form to remote properties. */
#include "mapper/convert.h"

#include <stdlib.h>

#include "core/decimal.h"
#include "core/jx.h"
#include "mapper/inside.h"

enum { JOINED_BYTES_MAX = 1024 * 1024 };

/* What the entries of one call share. */
struct writing {
    const struct reference_resolver *resolver;
    struct arena *arena;
    struct map_notes *notes;
};

/* --- one value -------------------------------------------------------------------------------------------------------------- */

/* Through text, so that no locale has a say in the decimal point. NULL: no number, or one that JSON readers would round. */
static json_t *number_of(struct str text, struct arena *arena)
{
    struct str canonical;
    int64_t integer;

    if (!decimal_canonical(arena, text, 0, &canonical)) {
        return NULL;
    }
    if (!str_contains(canonical, STR("."))) {
        return str_to_i64(canonical, &integer) ? json_integer(integer) : NULL;
    }
    return json_loadb(canonical.at, canonical.len, JSON_DECODE_ANY, NULL);
}

/* NULL, with *ret_why set: the text does not fit. */
static json_t *json_of(const struct writing *writing, const struct map_entry *entry,
                       struct str text, const char **ret_why)
{
    json_t *number;

    if (!entry->write_as_number) {
        return json_stringn(text.at ? text.at : "", text.len);
    }
    if (entry->field->type == TYPE_BOOLEAN && entry->values_count == 0) {
        return json_boolean(str_equal(text, STR("true")));
    }
    number = number_of(text, writing->arena);
    if (!number) {
        *ret_why = "the CRM wants a number, and the value is none or too large";
    }
    return number;
}

/* The text for the CRM. False: held or waiting, which is noted. */
static bool wire_of(const struct writing *writing, const struct map_entry *entry, struct str text,
                    struct str *ret)
{
    const struct reference_resolver *resolver = writing->resolver;
    const char *why;

    if (entry_is_reference(entry)) {
        if (resolver->to_remote(resolver->context, entry->field->to, text, writing->arena, ret)) {
            return true;
        }
        note_wait(writing->notes, entry, text, writing->arena);
        return false;
    }
    why = entry_text_out(entry, text, writing->arena, ret);
    if (why) {
        note_held(writing->notes, entry, why, writing->arena);
    }
    return !why;
}

static json_t *one_out(const struct writing *writing, const struct map_entry *entry,
                       struct str text)
{
    const char *why = NULL;
    struct str wire;
    json_t *json;

    if (!wire_of(writing, entry, text, &wire)) {
        return NULL;
    }
    json = json_of(writing, entry, wire, &why);
    if (!json) {
        note_held(writing->notes, entry, why, writing->arena);
    }
    return json;
}

/* --- lists of values ---------------------------------------------------------------------------------------------------------- */

static json_t *array_out(const struct writing *writing, const struct map_entry *entry,
                         const struct value *value)
{
    json_t *list = json_array();

    for (size_t i = 0; i < value->items_count; i++) {
        json_t *item = one_out(writing, entry, value->items[i]);

        if (!item) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *joined_out(const struct writing *writing, const struct map_entry *entry,
                          const struct value *value, struct str separator)
{
    AUTO_BUF struct buf joined = {0};
    struct str wire;

    buf_init(&joined, JOINED_BYTES_MAX);
    for (size_t i = 0; i < value->items_count; i++) {
        if (!wire_of(writing, entry, value->items[i], &wire)) {
            return NULL;
        }
        if (str_contains(wire, separator)) {
            note_held(writing->notes, entry, "an item contains the separator of the list",
                      writing->arena);
            return NULL;
        }
        buf_add(&joined, i ? separator : STR(""));
        buf_add(&joined, wire);
    }
    if (joined.is_full) {
        note_held(writing->notes, entry, "the list is longer than 1 MiB", writing->arena);
        return NULL;
    }
    return json_stringn(joined.at ? joined.at : "", joined.len);
}

/* --- lists of which one item is the field ------------------------------------------------------------------------------------- */

/* In normal form where there is one, so that another spelling of the same value counts as the same. */
static struct str canonical(const struct map_entry *entry, const json_t *value, struct arena *arena)
{
    struct str text = STR(""), normal;

    if (!value || !json_scalar_text(value, arena, &text) || entry_is_reference(entry)) {
        return text;
    }
    return entry_text_in(entry, text, arena, &normal) ? text : normal;
}

/* Items without a value say nothing, and a list that has them may be refused. */
static json_t *without_empty(const json_t *current)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(current); i++) {
        if (item_value(json_array_get(current, i))) {
            json_array_append_new(list, json_deep_copy(json_array_get(current, i)));
        }
    }
    return list;
}

static size_t find_item(const struct map_entry *entry, const json_t *list, const json_t *value,
                        size_t standing, struct arena *arena)
{
    struct str wanted = canonical(entry, value, arena);

    if (standing != SIZE_MAX &&
        str_equal(wanted, canonical(entry, item_value(json_array_get(list, standing)), arena))) {
        return standing;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_equal(wanted, canonical(entry, item_value(json_array_get(list, i)), arena))) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Objects carry the mark "primary"; of plain values the first one stands. */
static void make_standing(json_t *list, size_t index)
{
    json_t *chosen = json_array_get(list, index);

    if (json_is_object(chosen)) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            json_t *item = json_array_get(list, i);

            if (json_is_object(item) && (i == index || json_is_true(jx_get(item, "primary")))) {
                json_object_set_new(item, "primary", json_boolean(i == index));
            }
        }
    } else if (index > 0) {
        json_incref(chosen);
        json_array_remove(list, index);
        json_array_insert_new(list, 0, chosen);
    }
}

/* Only the standing item goes; the next one takes its place. */
static json_t *clear_first(json_t *take_list, size_t standing)
{
    if (standing != SIZE_MAX) {
        json_array_remove(take_list, standing);
    }
    if (json_array_size(take_list)) {
        make_standing(take_list, standing_item(take_list));
    }
    return take_list;
}

static json_t *new_item(json_t *take_value)
{
    json_t *item = json_object();

    json_object_set_new(item, "value", take_value);
    json_object_set_new(item, "primary", json_true());
    json_object_set_new(item, "label", json_string("work"));
    return item;
}

/* The whole list, since CRMs replace it whole: the value takes the standing item's place unless another item already holds it, which
 * then becomes the standing one. All others stay as they are. */
static json_t *first_out(const struct map_entry *entry, json_t *take_value, const json_t *current,
                         struct arena *arena)
{
    json_t *list = without_empty(current);
    size_t standing = standing_item(list);
    size_t found;

    if (json_is_null(take_value)) {
        json_decref(take_value);
        return clear_first(list, standing);
    }
    if (standing == SIZE_MAX) {
        json_array_append_new(list, new_item(take_value));
        return list;
    }
    found = find_item(entry, list, take_value, standing, arena);
    if (found != SIZE_MAX) {
        json_decref(take_value);
        if (found != standing) {
            make_standing(list, found);
        }
    } else if (json_is_object(json_array_get(list, standing))) {
        json_object_set_new(json_array_get(list, standing), "value", take_value);
    } else {
        json_array_set_new(list, standing, take_value);
    }
    return list;
}

/* --- entries ------------------------------------------------------------------------------------------------------------------ */

/* Back into the list or object that the inward way opened. */
static json_t *wrap(const struct map_entry *entry, json_t *take_value, const json_t *current,
                    struct arena *arena)
{
    const struct transform *member = entry_transform(entry, TRANSFORM_MEMBER);
    json_t *object;

    if (entry_transform(entry, TRANSFORM_FIRST)) {
        return first_out(entry, take_value, current, arena);
    }
    if (!member) {
        return take_value;
    }
    object = json_is_object(current) ? json_deep_copy(current) : json_object();
    json_object_set_new(object, member->argument.at, take_value);
    return object;
}

/* NULL: the field does not travel now, which is noted. */
static json_t *entry_out(const struct writing *writing, const struct map_entry *entry,
                         const struct value *value)
{
    const struct transform *split = entry_transform(entry, TRANSFORM_SPLIT);
    const struct value one = {.state = VALUE_LIST, .items = &value->text, .items_count = 1};

    if (value_is_blank(value)) {
        return json_null();
    }
    if (value->state == VALUE_TEXT && !entry_is_list(entry)) {
        return one_out(writing, entry, value->text);
    }
    if (!entry_is_list(entry)) {
        note_held(writing->notes, entry, "the value is a list, and the field takes one value",
                  writing->arena);
        return NULL;
    }
    value = value->state == VALUE_TEXT ? &one : value;
    return split ? joined_out(writing, entry, value, split->argument)
                 : array_out(writing, entry, value);
}

static bool is_wanted(const struct map_entry *entry, const struct str *only, size_t only_count)
{
    if (!only) {
        return true;
    }
    for (size_t i = 0; i < only_count; i++) {
        if (str_equal(only[i], entry->field->name)) {
            return true;
        }
    }
    return false;
}

void map_out(const struct mapping *mapping, const struct fields *fields, const struct str *only,
             size_t only_count, const json_t *current, const struct reference_resolver *resolver,
             struct arena *arena, json_t **ret_props, struct map_notes *ret_notes)
{
    json_t *props = json_object();
    struct map_notes notes = {0};
    const struct writing writing = {.resolver = resolver, .arena = arena, .notes = &notes};

    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];
        const struct value *value = fields_get(fields, entry->field->name);
        const char *property = entry->property.at;
        const json_t *there;
        json_t *json;

        if (entry->direction == MAP_IN || value->state == VALUE_ABSENT ||
            !is_wanted(entry, only, only_count) || (!current && value_is_blank(value))) {
            continue;
        }
        json = entry_out(&writing, entry, value);
        if (json) {
            there = jx_get(props, property); /* another member of the same object */
            there = there || !current ? there : jx_get(current, property);
            json_object_set_new(props, property, wrap(entry, json, there, arena));
        }
    }
    *ret_props = jx_own(arena, props);
    *ret_notes = notes;
}
