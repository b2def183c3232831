/* Lists of which one item is the field: e-mail addresses and phone numbers with a primary one. */
#include "core/jx.h"
#include "mapper/inside.h"

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

json_t *first_out(const struct map_entry *entry, json_t *take_value, const json_t *current,
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
