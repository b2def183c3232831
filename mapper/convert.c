/* What both directions share: one entry at the level of text, notes, and the image of a value. */
#include "mapper/convert.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/html.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"
#include "mapper/inside.h"
#include "mapper/normal.h"

/* Numbers arrive as doubles, or as the text of one: more digits than a double holds are noise. */
enum { DOUBLE_DIGITS = 15, SHOWN_BYTES_MAX = 80 };

static const int64_t YEAR_1_MS = INT64_C(-62135596800000);
static const int64_t YEAR_10000_MS = INT64_C(253402300800000);

/* --- notes ---------------------------------------------------------------------------------------------------------------- */

static struct map_note *add_note(struct map_notes *notes, const struct map_entry *entry,
                                 enum map_note_type type, struct arena *arena)
{
    struct map_note *at = notes->at;

    if ((notes->count & (notes->count - 1)) == 0) { /* none, or a power of two: no room left */
        at = ARENA_ARRAY(arena, struct map_note, notes->count ? 2 * notes->count : 1);
        if (notes->count) {
            memcpy(at, notes->at, notes->count * sizeof *at);
        }
        notes->at = at;
    }
    at[notes->count] = (struct map_note){.type = type, .entry = entry};
    return &at[notes->count++];
}

void note_held(struct map_notes *notes, const struct map_entry *entry, const char *why,
               struct arena *arena)
{
    add_note(notes, entry, NOTE_FIELD_HELD, arena)->message =
        arena_printf(arena, "%" PRI_STR " (property '%" PRI_STR "'): %s",
                     STR_ARG(entry->field->name), STR_ARG(entry->property), why);
}

void note_wait(struct map_notes *notes, const struct map_entry *entry, struct str id,
               bool is_partial, struct arena *arena)
{
    struct map_note *note = add_note(notes, entry, NOTE_REFERENCE_WAITS, arena);

    note->target_kind = entry->field->to;
    note->target_id = id;
    note->is_partial = is_partial;
}

void note_owner(struct map_notes *notes, const struct map_entry *entry, struct str owner,
                struct arena *arena)
{
    add_note(notes, entry, NOTE_OWNER_UNKNOWN, arena)->target_id = arena_str(arena, owner);
}

/* --- what an entry is ----------------------------------------------------------------------------------------------------- */

const struct transform *entry_transform(const struct map_entry *entry, enum transform_op op)
{
    for (size_t i = 0; i < entry->transforms_count; i++) {
        if (entry->transforms[i].op == op) {
            return &entry->transforms[i];
        }
    }
    return NULL;
}

bool entry_is_list(const struct map_entry *entry)
{
    return entry->field->type == TYPE_MULTI_ENUM || entry->field->type == TYPE_REFERENCE_LIST;
}

bool entry_is_reference(const struct map_entry *entry)
{
    return entry->field->type == TYPE_REFERENCE || entry->field->type == TYPE_REFERENCE_LIST;
}

bool entry_is_owner(const struct map_entry *entry)
{
    return entry_transform(entry, TRANSFORM_OWNER) != NULL;
}

/* --- JSON ----------------------------------------------------------------------------------------------------------------- */

static bool real_text(const json_t *value, struct arena *arena, struct str *ret)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(DOUBLE_DIGITS));
    bool is_number = text && decimal_canonical(arena, str_of(text), DOUBLE_DIGITS, ret);

    free(text);
    return is_number;
}

bool json_scalar_text(const json_t *value, struct arena *arena, struct str *ret)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        *ret = jx_text_of(value);
        return true;
    case JSON_INTEGER:
        *ret = arena_printf(arena, "%" PRId64, (int64_t)json_integer_value(value));
        return true;
    case JSON_REAL:
        return real_text(value, arena, ret);
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

json_t *item_value(const json_t *item)
{
    json_t *value = json_is_object(item) ? jx_get(item, "value") : (json_t *)item;
    bool is_empty = !value || json_is_null(value) ||
                    (json_is_string(value) && str_trim(jx_text_of(value)).len == 0);

    return is_empty ? NULL : value;
}

size_t standing_item(const json_t *list)
{
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (!item_value(item)) {
            continue;
        }
        if (json_is_object(item) && json_is_true(jx_get(item, "primary"))) {
            return i;
        }
        first = first == SIZE_MAX ? i : first;
    }
    return first;
}

/* --- inward --------------------------------------------------------------------------------------------------------------- */

static const char *unknown_value(const struct map_entry *entry, struct str text, const char *where,
                                 struct arena *arena)
{
    struct str shown = str_slice(normal_line(text, arena), 0, SHOWN_BYTES_MAX);
    struct str message =
        arena_printf(arena, "the value '%" PRI_STR "' is not among the %s of '%" PRI_STR "'",
                     STR_ARG(shown), where, STR_ARG(entry->field->name));

    return message.at;
}

static bool value_map_in(const struct map_entry *entry, struct str *text)
{
    if (entry->values_count == 0) {
        return true;
    }
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].remote, *text)) {
            *text = entry->values[i].unified;
            return !entry->values[i].is_frozen;
        }
    }
    if (entry->unknown == UNKNOWN_DEFAULT) {
        *text = entry->default_in;
    }
    return entry->unknown != UNKNOWN_HOLD;
}

/* The transforms that are the normal form of a type. */
static bool type_of_transform(enum transform_op op, enum field_type *ret)
{
    switch (op) {
    case TRANSFORM_DATE:
        *ret = TYPE_DATE;
        return true;
    case TRANSFORM_DATETIME:
    case TRANSFORM_EPOCH_MS:
        *ret = TYPE_DATETIME;
        return true;
    case TRANSFORM_DECIMAL:
        *ret = TYPE_DECIMAL;
        return true;
    case TRANSFORM_INTEGER:
        *ret = TYPE_INTEGER;
        return true;
    case TRANSFORM_BOOLEAN:
        *ret = TYPE_BOOLEAN;
        return true;
    case TRANSFORM_URL:
        *ret = TYPE_URL;
        return true;
    case TRANSFORM_TRIM:
    case TRANSFORM_LOWER:
    case TRANSFORM_PHONE:
    case TRANSFORM_DOMAIN:
    case TRANSFORM_FIRST:
    case TRANSFORM_MEMBER:
    case TRANSFORM_SPLIT:
    case TRANSFORM_OWNER:
    case TRANSFORM_SCALE:
    case TRANSFORM_DAY:
    case TRANSFORM_PLAIN:
        break;
    }
    return false;
}

static bool to_type(enum field_type type, struct str *text, struct arena *arena)
{
    struct str rounded;

    if ((type == TYPE_DECIMAL || type == TYPE_MONEY) &&
        decimal_canonical(arena, str_trim(*text), DOUBLE_DIGITS, &rounded)) {
        *text = rounded;
    }
    return normal_text(type, *text, arena, text);
}

/* The number times (or divided by) a power of ten, exactly. False: no number. */
static bool scaled(struct str text, struct str factor, bool is_inverse, struct arena *arena,
                   struct str *ret)
{
    long power = str_starts(factor, STR("0.")) ? -(long)(factor.len - 2) : (long)(factor.len - 1);
    struct str number;

    return decimal_canonical(arena, str_trim(text), DOUBLE_DIGITS, &number) &&
           decimal_canonical(arena,
                             arena_printf(arena, "%" PRI_STR "e%ld", STR_ARG(number),
                                          is_inverse ? -power : power),
                             0, ret);
}

/* The day in UTC; a date alone is that day. */
static bool day_of(struct str text, struct arena *arena, struct str *ret)
{
    char time[WHEN_TEXT_BYTES];
    struct str ms_text;
    int64_t ms;

    if (!normal_text(TYPE_DATETIME, text, arena, &ms_text) || !str_to_i64(ms_text, &ms)) {
        return false;
    }
    when_format_ms(ms, time);
    *ret = arena_str(arena, (struct str){.at = time, .len = strlen("YYYY-MM-DD")});
    return true;
}

static bool apply(const struct transform *transform, struct str *text, struct arena *arena)
{
    enum field_type type;

    if (type_of_transform(transform->op, &type)) {
        return to_type(type, text, arena);
    }
    if (transform->op == TRANSFORM_SCALE) {
        return scaled(*text, transform->argument, false, arena, text);
    }
    if (transform->op == TRANSFORM_DAY) {
        return day_of(*text, arena, text);
    }
    if (transform->op == TRANSFORM_TRIM) {
        *text = str_trim(*text);
    } else if (transform->op == TRANSFORM_LOWER) {
        *text = utf8_nfc(arena, utf8_lower(arena, *text));
    } else if (transform->op == TRANSFORM_PHONE) {
        *text = normal_phone(*text, transform->argument, arena);
    } else if (transform->op == TRANSFORM_DOMAIN) {
        *text = normal_domain(*text, arena);
    } else if (transform->op == TRANSFORM_PLAIN) {
        normal_text(TYPE_TEXT, *text, arena, text);
        *text = html_from_text(*text, arena);
    }
    return true; /* lists and objects are opened before there is text */
}

static const char *expected(enum field_type type, struct arena *arena)
{
    return arena_printf(arena, "the value is not %s", field_type_expects(type)).at;
}

static bool is_option(const struct kind_field *field, struct str text)
{
    for (size_t i = 0; i < field->options_count; i++) {
        if (str_equal(field->options[i], text)) {
            return true;
        }
    }
    return field->options_count == 0;
}

const char *entry_text_in(const struct map_entry *entry, struct str text, struct arena *arena,
                          struct str *ret)
{
    struct str typed = text;

    *ret = STR("");
    if (!utf8_is_valid(text)) {
        return "the value is not valid UTF-8 text";
    }
    if (!value_map_in(entry, &text)) {
        return unknown_value(entry, typed, "values of the mapping", arena);
    }
    for (size_t i = 0; i < entry->transforms_count && text.len; i++) {
        if (!apply(&entry->transforms[i], &text, arena)) {
            return expected(entry->field->type, arena);
        }
    }
    if (str_trim(text).len == 0) {
        return NULL;
    }
    if (!to_type(entry->field->type, &text, arena)) {
        return expected(entry->field->type, arena);
    }
    if (!is_option(entry->field, text)) {
        return unknown_value(entry, typed, "options", arena);
    }
    *ret = text;
    return NULL;
}

/* --- outward -------------------------------------------------------------------------------------------------------------- */

static bool value_map_out(const struct map_entry *entry, struct str *text)
{
    if (entry->values_count == 0) {
        return true;
    }
    for (size_t i = 0; i < entry->values_count; i++) {
        if (str_equal(entry->values[i].unified, *text)) {
            *text = entry->values[i].remote;
            return !entry->values[i].is_frozen;
        }
    }
    if (entry->unknown == UNKNOWN_DEFAULT) {
        *text = entry->default_out;
    }
    return entry->unknown != UNKNOWN_HOLD;
}

static const char *time_out(const struct map_entry *entry, struct str text, struct arena *arena,
                            struct str *ret)
{
    char time[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!str_to_i64(text, &ms) || ms < YEAR_1_MS || ms >= YEAR_10000_MS) {
        return "the value is not a time of the years 1 to 9999";
    }
    if (entry_transform(entry, TRANSFORM_EPOCH_MS)) {
        *ret = text;
        return NULL;
    }
    when_format_ms(ms, time);
    *ret = arena_str(arena, str_of(time));
    return NULL;
}

const char *entry_text_out(const struct map_entry *entry, struct str text, struct arena *arena,
                           struct str *ret)
{
    const struct transform *scale = entry_transform(entry, TRANSFORM_SCALE);

    if (!value_map_out(entry, &text)) {
        return unknown_value(entry, text, "values of the mapping", arena);
    }
    if (entry->field->type == TYPE_DATETIME && entry->values_count == 0) {
        return time_out(entry, text, arena, ret);
    }
    if (entry_transform(entry, TRANSFORM_DAY)) {
        *ret = arena_printf(arena, "%" PRI_STR "T00:00:00.000Z", STR_ARG(text));
        return NULL;
    }
    if (scale) {
        return scaled(text, scale->argument, true, arena, ret) ? NULL : "the value is not a number";
    }
    if (entry_transform(entry, TRANSFORM_INTEGER) && entry->values_count == 0 &&
        str_contains(text, STR("."))) {
        return "the CRM takes whole numbers, and the value has a fraction";
    }
    if (entry_transform(entry, TRANSFORM_PLAIN)) {
        *ret = html_to_text(text, arena);
        return NULL;
    }
    *ret = entry->field->type == TYPE_PHONE ? phone_for_people(text, arena) : text;
    return NULL;
}

/* --- image ---------------------------------------------------------------------------------------------------------------- */

static bool text_image(const struct map_entry *entry, struct str text, struct arena *arena,
                       struct str *ret)
{
    const char *why;
    struct str wire;
    json_t *json;

    if (entry_text_out(entry, text, arena, &wire)) {
        return false;
    }
    if (entry->write_as_number) { /* a double may hold another one */
        json = entry_json_out(entry, wire, arena, &why);
        if (!json || !json_scalar_text(jx_own(arena, json), arena, &wire)) {
            return false;
        }
    }
    return !entry_text_in(entry, wire, arena, ret);
}

static struct value list_image(const struct map_entry *entry, const struct value *value,
                               struct arena *arena)
{
    struct str *items = ARENA_ARRAY(arena, struct str, value->items_count);

    for (size_t i = 0; i < value->items_count; i++) {
        if (!text_image(entry, value->items[i], arena, &items[i])) {
            return (struct value){0};
        }
    }
    return normal_list(items, value->items_count, arena);
}

struct value map_image(const struct map_entry *entry, const struct value *value,
                       struct arena *arena)
{
    struct str shown;

    if (value->state == VALUE_ABSENT) {
        return *value;
    }
    if (value_is_blank(value)) {
        return VALUE_NONE;
    }
    if (entry_is_reference(entry) || entry_is_owner(entry)) {
        return *value;
    }
    if (value->state == VALUE_LIST) {
        return list_image(entry, value, arena);
    }
    if (!text_image(entry, value->text, arena, &shown)) {
        return (struct value){0};
    }
    return shown.len ? VALUE_OF(shown) : VALUE_NONE;
}
