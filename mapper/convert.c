/* Remote properties ⇄ record in normal form, entry by entry. Inward: unwrap lists and objects, make it text, value map, text transforms, the type's
 * normal form. Outward the same way back. */
#include "mapper/convert.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"
#include "mapper/normal.h"

enum { REAL_DIGITS = 15 };

static struct map_note *add_note(struct map_notes *notes, struct arena *arena)
{
    if ((notes->count & (notes->count - 1)) == 0) { /* a power of two, or none: full */
        struct map_note *wider =
            ARENA_ARRAY(arena, struct map_note, notes->count ? 2 * notes->count : 1);

        if (notes->count) {
            memcpy(wider, notes->at, notes->count * sizeof *wider);
        }
        notes->at = wider;
    }
    notes->at[notes->count] = (struct map_note){0};
    return &notes->at[notes->count++];
}

static void hold(struct map_notes *notes, const struct map_entry *entry, struct arena *arena,
                 const char *why)
{
    struct map_note *note = add_note(notes, arena);

    note->type = NOTE_FIELD_HELD;
    note->entry = entry;
    note->message = arena_printf(arena, "%" PRI_STR " (property '%" PRI_STR "'): %s",
                                 STR_ARG(entry->field->name), STR_ARG(entry->property), why);
}

static void wait_for(struct map_notes *notes, const struct map_entry *entry, struct str id,
                     struct arena *arena)
{
    struct map_note *note = add_note(notes, arena);

    note->type = NOTE_REFERENCE_WAITS;
    note->entry = entry;
    note->target_kind = entry->field->to;
    note->target_id = id;
}

/* --- inward -------------------------------------------------------------------------------------------------------------------- */

static bool is_empty_item(const json_t *item)
{
    const json_t *value = json_is_object(item) ? json_object_get(item, "value") : item;

    return !value || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* Index of the item that stands for a list: the primary one that has a value, else the first that has one; SIZE_MAX none. */
static size_t first_of(const json_t *list)
{
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (is_empty_item(item)) {
            continue;
        }
        if (json_is_object(item) && json_is_true(json_object_get(item, "primary"))) {
            return i;
        }
        first = first == SIZE_MAX ? i : first;
    }
    return first;
}

/* Lists and objects down to what the field is made of. NULL: nothing there. */
static const json_t *unwrap(const struct map_entry *entry, const json_t *value)
{
    for (size_t i = 0; i < entry->transforms_count; i++) {
        const struct transform *transform = &entry->transforms[i];

        if (transform->op == TRANSFORM_FIRST && json_is_array(value)) {
            size_t first = first_of(value);

            value = first == SIZE_MAX ? NULL : json_array_get(value, first);
            value = json_is_object(value) ? json_object_get(value, "value") : value;
        } else if (transform->op == TRANSFORM_MEMBER && json_is_object(value)) {
            value = json_object_get(value, transform->argument.at);
        }
    }
    return value && !json_is_null(value) ? value : NULL;
}

/* False: an object or a list where one value is expected. */
static bool text_of(const json_t *value, struct arena *arena, struct str *ret)
{
    char digits[40];

    switch (json_typeof(value)) {
    case JSON_STRING:
        *ret = jx_text_of(value);
        return true;
    case JSON_INTEGER:
        *ret = arena_printf(arena, "%" PRId64, (int64_t)json_integer_value(value));
        return true;
    case JSON_REAL:
        snprintf(digits, sizeof digits, "%.*g", REAL_DIGITS, json_real_value(value));
        return decimal_canonical(arena, str_of(digits), 0, ret);
    case JSON_TRUE:
        *ret = STR("true");
        return true;
    case JSON_FALSE:
        *ret = STR("false");
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
        break;
    }
    return false;
}

static bool value_in(const struct map_entry *entry, struct str *text)
{
    if (entry->values_count == 0) {
        return true;
    }
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].remote, *text)) {
            *text = entry->values[i].unified;
            return true;
        }
    }
    if (entry->unknown == UNKNOWN_DEFAULT) {
        *text = entry->default_in;
    }
    return entry->unknown != UNKNOWN_HOLD;
}

static void apply_in(const struct transform *transform, struct arena *arena, struct str *text)
{
    switch (transform->op) {
    case TRANSFORM_TRIM:
        *text = str_trim(*text);
        return;
    case TRANSFORM_LOWER:
        *text = utf8_lower(arena, *text);
        return;
    case TRANSFORM_PHONE:
        *text = normal_phone(*text, transform->argument, arena);
        return;
    case TRANSFORM_DOMAIN:
        *text = normal_domain(*text, arena);
        return;
    case TRANSFORM_DATE:
    case TRANSFORM_DATETIME:
    case TRANSFORM_DECIMAL:
    case TRANSFORM_INTEGER:
    case TRANSFORM_BOOLEAN:
    case TRANSFORM_URL:
    case TRANSFORM_EPOCH_MS: /* the field's type does these */
    case TRANSFORM_FIRST:
    case TRANSFORM_MEMBER:
    case TRANSFORM_SPLIT: /* done on JSON */
        return;
    }
}

/* One text into normal form. NULL: fine; else why the field is held. An empty result is null. */
static const char *normal_in(const struct map_entry *entry, struct str text, struct arena *arena,
                             struct str *ret)
{
    if (!value_in(entry, &text)) {
        return "the value is not in the field's value map";
    }
    for (size_t i = 0; i < entry->transforms_count; i++) {
        apply_in(&entry->transforms[i], arena, &text);
    }
    if (text.len == 0) {
        *ret = STR("");
        return NULL;
    }
    return normal_text(entry->field->type, text, arena, ret)
               ? NULL
               : "the value does not fit the field's type";
}

static const struct transform *find_transform(const struct map_entry *entry, enum transform_op op)
{
    for (size_t i = 0; i < entry->transforms_count; i++) {
        if (entry->transforms[i].op == op) {
            return &entry->transforms[i];
        }
    }
    return NULL;
}

static const char *list_in(const struct map_entry *entry, const json_t *json, struct arena *arena,
                           struct value *ret)
{
    const struct transform *split = find_transform(entry, TRANSFORM_SPLIT);
    struct str rest = jx_text_of(json);
    size_t count = 0, room = json_is_array(json) ? json_array_size(json) : rest.len + 1;
    struct str *items = ARENA_ARRAY(arena, struct str, room + 1);
    const char *why = NULL;

    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json) && !why; i++) {
            struct str text;

            why = text_of(json_array_get(json, i), arena, &text)
                      ? normal_in(entry, text, arena, &items[count++])
                      : "a list of lists";
        }
    } else if (json_is_string(json)) {
        while (rest.at && !why) {
            struct str part = str_trim(str_cut(&rest, split ? split->argument.at[0] : ';'));

            why = normal_in(entry, part, arena, &items[count++]);
        }
    } else {
        why = "neither a list nor text";
    }
    *ret = normal_list(items, count, arena);
    return why;
}

static void reference_in(const struct map_entry *entry, struct str id,
                         const struct reference_resolver *resolver, struct arena *arena,
                         struct value *ret, struct map_notes *notes)
{
    struct str uuid;

    if (resolver->to_hub(resolver->context, entry->field->to, id, arena, &uuid)) {
        *ret = VALUE_OF(uuid);
    } else {
        wait_for(notes, entry, id, arena);
    }
}

static void entry_in(const struct map_entry *entry, const json_t *json,
                     const struct reference_resolver *resolver, struct arena *arena,
                     struct value *ret, struct map_notes *notes)
{
    const json_t *inner = unwrap(entry, json);
    const char *why;
    struct str text;

    *ret = (struct value){0};
    if (!inner || (json_is_string(inner) && json_string_length(inner) == 0)) {
        *ret = VALUE_NONE;
        return;
    }
    if (entry->field->type == TYPE_MULTI_ENUM) {
        why = list_in(entry, inner, arena, ret);
    } else if (!text_of(inner, arena, &text)) {
        why = "the CRM holds a list or an object here";
    } else if (entry->field->type == TYPE_REFERENCE) {
        reference_in(entry, text, resolver, arena, ret, notes);
        return;
    } else {
        why = normal_in(entry, text, arena, &text);
        *ret = text.len ? VALUE_OF(text) : VALUE_NONE;
    }
    if (why) {
        *ret = (struct value){0};
        hold(notes, entry, arena, why);
    }
}

void map_in(const struct mapping *mapping, const json_t *props,
            const struct reference_resolver *resolver, struct arena *arena, struct fields *ret,
            struct map_notes *ret_notes)
{
    struct fields fields = {.at = ARENA_ARRAY(arena, struct field, mapping->entries_count + 4),
                            .capacity = mapping->entries_count + 4};

    *ret_notes = (struct map_notes){0};
    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];
        const json_t *json = json_object_get(props, entry->property.at);
        struct value value;

        if (!json) {
            continue;
        }
        entry_in(entry, json, resolver, arena, &value, ret_notes);
        if (value.state != VALUE_ABSENT) { /* entries are sorted by field name, so this appends */
            fields_set(&fields, arena, entry->field->name, value);
        }
    }
    *ret = fields;
}

/* --- outward ------------------------------------------------------------------------------------------------------------------- */

static bool value_out(const struct map_entry *entry, struct str *text)
{
    if (entry->values_count == 0) {
        return true;
    }
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].unified, *text)) {
            *text = entry->values[i].remote;
            return true;
        }
    }
    if (entry->unknown == UNKNOWN_DEFAULT) {
        *text = entry->default_out;
    }
    return entry->unknown != UNKNOWN_HOLD;
}

static json_t *number_of(struct str text)
{
    int64_t integer;
    char digits[96];

    if (str_to_i64(text, &integer)) {
        return json_integer(integer);
    }
    snprintf(digits, sizeof digits, "%" PRI_STR, STR_ARG(text));
    return json_real(strtod(digits, NULL));
}

/* The JSON of one text as the CRM wants it. */
static json_t *scalar_out(const struct map_entry *entry, struct str text)
{
    char time[WHEN_TEXT_BYTES];
    int64_t ms;

    if (entry->field->type == TYPE_DATETIME && str_to_i64(text, &ms) &&
        !find_transform(entry, TRANSFORM_EPOCH_MS)) {
        when_format_ms(ms, time);
        return json_string(time);
    }
    if (entry->write_as_number && entry->field->type == TYPE_BOOLEAN) {
        return json_boolean(str_equal(text, STR("true")));
    }
    return entry->write_as_number ? number_of(text) : json_stringn(text.at, text.len);
}

/* The current list with its standing item changed; what is already there in another spelling stays untouched. */
static json_t *first_out(const struct map_entry *entry, json_t *take_value, const json_t *current,
                         struct arena *arena)
{
    json_t *list = json_is_array(current) ? json_deep_copy(current) : json_array();
    size_t first = first_of(list);
    struct value now;
    struct map_notes notes = {0};

    if (json_is_null(take_value)) {
        json_decref(take_value);
        if (first != SIZE_MAX) {
            json_array_remove(list, first);
        }
        if (json_is_object(json_array_get(list, 0))) {
            json_object_set_new(json_array_get(list, 0), "primary", json_true());
        }
        return list;
    }
    if (first == SIZE_MAX) {
        json_array_clear(list);
        json_array_append_new(
            list, json_pack("{s:o,s:b,s:s}", "value", take_value, "primary", 1, "label", "work"));
        return list;
    }
    entry_in(entry, list, NULL, arena, &now, &notes);
    if (json_is_string(take_value) && now.state == VALUE_TEXT &&
        str_equal(now.text, jx_text_of(take_value))) {
        json_decref(take_value);
    } else if (json_is_object(json_array_get(list, first))) {
        json_object_set_new(json_array_get(list, first), "value", take_value);
    } else {
        json_array_set_new(list, first, take_value);
    }
    return list;
}

/* Back into the lists and objects that inward transforms opened. Only one level of each is supported: checked by the shape of the loop. */
static json_t *wrap(const struct map_entry *entry, json_t *take_value, const json_t *current,
                    struct arena *arena)
{
    for (size_t i = entry->transforms_count; i > 0; i--) {
        const struct transform *transform = &entry->transforms[i - 1];

        if (transform->op == TRANSFORM_FIRST) {
            take_value = first_out(entry, take_value, current, arena);
        } else if (transform->op == TRANSFORM_MEMBER) {
            json_t *object = json_is_object(current) ? json_deep_copy(current) : json_object();

            json_object_set_new(object, transform->argument.at, take_value);
            take_value = object;
        }
    }
    return take_value;
}

static json_t *list_out(const struct map_entry *entry, const struct value *value,
                        const char **ret_why)
{
    const struct transform *split = find_transform(entry, TRANSFORM_SPLIT);
    json_t *list = json_array();
    AUTO_BUF struct buf joined = {0};

    buf_init(&joined, 65536);
    for (size_t i = 0; i < value->items_count; i++) {
        struct str text = value->items[i];

        if (!value_out(entry, &text)) {
            *ret_why = "an item is not in the field's value map";
        }
        buf_add(&joined, i ? (split ? split->argument : STR(";")) : STR(""));
        buf_add(&joined, text);
        json_array_append_new(list, scalar_out(entry, text));
    }
    if (!split) {
        return list;
    }
    json_decref(list);
    return json_stringn(joined.at ? joined.at : "", joined.len);
}

/* NULL: the field does not travel now (noted). */
static json_t *entry_out(const struct map_entry *entry, const struct value *value,
                         const struct reference_resolver *resolver, struct arena *arena,
                         struct map_notes *notes)
{
    struct str text = value->text;
    const char *why = NULL;
    json_t *json;

    if (value_is_blank(value)) {
        return json_null();
    }
    if (value->state == VALUE_LIST) {
        json = list_out(entry, value, &why);
        if (!why) {
            return json;
        }
        json_decref(json);
        hold(notes, entry, arena, why);
        return NULL;
    }
    if (entry->field->type == TYPE_REFERENCE) {
        if (!resolver->to_remote(resolver->context, entry->field->to, value->text, arena, &text)) {
            wait_for(notes, entry, value->text, arena);
            return NULL;
        }
    } else if (!value_out(entry, &text)) {
        hold(notes, entry, arena, "the value is not in the field's value map");
        return NULL;
    }
    return scalar_out(entry, text);
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

    *ret_notes = (struct map_notes){0};
    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];
        const struct value *value = fields_get(fields, entry->field->name);
        json_t *json;

        if (entry->direction == MAP_IN || value->state == VALUE_ABSENT ||
            !is_wanted(entry, only, only_count) || (!current && value_is_blank(value))) {
            continue;
        }
        json = entry_out(entry, value, resolver, arena, ret_notes);
        if (json) {
            const json_t *there = current ? json_object_get(current, entry->property.at) : NULL;

            json_object_set_new(props, entry->property.at, wrap(entry, json, there, arena));
        }
    }
    *ret_props = jx_own(arena, props);
}

/* --- image --------------------------------------------------------------------------------------------------------------------- */

struct value map_image(const struct map_entry *entry, const struct value *value,
                       struct arena *arena)
{
    struct str text = value->text;
    struct str shown;

    if (value->state == VALUE_ABSENT || entry->field->type == TYPE_REFERENCE ||
        entry->field->type == TYPE_REFERENCE_LIST) {
        return *value;
    }
    if (value_is_blank(value)) {
        return VALUE_NONE;
    }
    if (value->state == VALUE_LIST) {
        struct str *items = ARENA_ARRAY(arena, struct str, value->items_count);

        for (size_t i = 0; i < value->items_count; i++) {
            text = value->items[i];
            if (!value_out(entry, &text) || normal_in(entry, text, arena, &items[i])) {
                return (struct value){0};
            }
        }
        return normal_list(items, value->items_count, arena);
    }
    if (!value_out(entry, &text) || normal_in(entry, text, arena, &shown)) {
        return (struct value){0};
    }
    return shown.len ? VALUE_OF(shown) : VALUE_NONE;
}
