#include "core/fields.h"

#include <string.h>

bool value_equal(const struct value *x, const struct value *y)
{
    if (x->state != y->state) {
        return false;
    }
    if (x->state == VALUE_TEXT) {
        return str_equal(x->text, y->text);
    }
    if (x->state != VALUE_LIST) {
        return true;
    }
    if (x->items_count != y->items_count) {
        return false;
    }
    for (size_t i = 0; i < x->items_count; i++) {
        if (!str_equal(x->items[i], y->items[i])) {
            return false;
        }
    }
    return true;
}

bool value_is_blank(const struct value *value)
{
    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return true;
    case VALUE_TEXT:
        return value->text.len == 0;
    case VALUE_LIST:
        return value->items_count == 0;
    }
    return true;
}

struct value value_copy(struct arena *arena, const struct value *value)
{
    struct value copy = *value;
    struct str *items;

    if (value->state == VALUE_TEXT) {
        copy.text = arena_str(arena, value->text);
    } else if (value->state == VALUE_LIST) {
        items = ARENA_ARRAY(arena, struct str, value->items_count);
        for (size_t i = 0; i < value->items_count; i++) {
            items[i] = arena_str(arena, value->items[i]);
        }
        copy.items = items;
    }
    return copy;
}

/* Index of name, or where it belongs. */
static size_t find(const struct fields *fields, struct str name, bool *ret_found)
{
    size_t low = 0, high = fields->count;

    *ret_found = false;
    if (high && str_compare(fields->at[high - 1].name, name) < 0) {
        return high; /* filled in ascending order, as by the store */
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(fields->at[middle].name, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct value *fields_get(const struct fields *fields, struct str name)
{
    static const struct value ABSENT = {.state = VALUE_ABSENT};
    bool found;
    size_t index = find(fields, name, &found);

    return found ? &fields->at[index].value : &ABSENT;
}

static void make_room(struct fields *fields, struct arena *arena)
{
    size_t capacity = fields->capacity ? fields->capacity * 2 : 16;
    struct field *wider;

    if (fields->count < fields->capacity) {
        return;
    }
    wider = ARENA_ARRAY(arena, struct field, capacity);
    if (fields->count) {
        memcpy(wider, fields->at, fields->count * sizeof *wider);
    }
    fields->at = wider;
    fields->capacity = capacity;
}

void fields_set(struct fields *fields, struct arena *arena, struct str name, struct value value)
{
    bool found;
    size_t index = find(fields, name, &found);

    fields->text = STR_NONE;
    if (found && value.state == VALUE_ABSENT) {
        memmove(fields->at + index, fields->at + index + 1,
                (fields->count - index - 1) * sizeof *fields->at);
        fields->count--;
    } else if (found) {
        fields->at[index].value = value;
    } else if (value.state != VALUE_ABSENT) {
        make_room(fields, arena);
        memmove(fields->at + index + 1, fields->at + index,
                (fields->count - index) * sizeof *fields->at);
        fields->at[index] = (struct field){.name = name, .value = value};
        fields->count++;
    }
}

bool fields_equal(const struct fields *x, const struct fields *y)
{
    if (x->count != y->count) {
        return false;
    }
    for (size_t i = 0; i < x->count; i++) {
        if (!str_equal(x->at[i].name, y->at[i].name) ||
            !value_equal(&x->at[i].value, &y->at[i].value)) {
            return false;
        }
    }
    return true;
}

struct fields fields_copy(struct arena *arena, const struct fields *fields)
{
    struct fields copy = {.count = fields->count, .capacity = fields->count + 4};

    copy.at = ARENA_ARRAY(arena, struct field, copy.capacity);
    for (size_t i = 0; i < fields->count; i++) {
        copy.at[i].name = arena_str(arena, fields->at[i].name);
        copy.at[i].value = value_copy(arena, &fields->at[i].value);
    }
    return copy;
}
