/* Remote properties to a record in normal form. Called for every object that is read, so it allocates little. */
#include "mapper/convert.h"

#include "core/jx.h"
#include "mapper/inside.h"
#include "mapper/normal.h"

/* What the entries of one call share. */
struct reading {
    const struct reference_resolver *resolver;
    struct arena *arena;
    struct map_notes *notes;
};

const json_t *entry_unwrap(const struct map_entry *entry, const json_t *json)
{
    const struct transform *member = entry_transform(entry, TRANSFORM_MEMBER);

    if (json_is_array(json) && entry_transform(entry, TRANSFORM_FIRST)) {
        size_t standing = standing_item(json);

        json = standing == SIZE_MAX ? NULL : item_value(json_array_get(json, standing));
    } else if (json_is_object(json) && member) {
        json = jx_get(json, member->argument.at);
    }
    return json_is_null(json) || (json_is_string(json) && json_string_length(json) == 0) ? NULL
                                                                                         : json;
}

/* The JSON may die before the record does. */
static struct str keep(const json_t *json, struct str text, struct arena *arena)
{
    struct str source = jx_text_of(json);
    bool is_borrowed = source.at && text.at >= source.at && text.at <= source.at + source.len;

    return is_borrowed ? arena_str(arena, text) : text;
}

static const char *one_in(const struct reading *reading, const struct map_entry *entry,
                          const json_t *json, struct value *ret)
{
    struct str text;
    const char *why;

    if (!json_scalar_text(json, reading->arena, &text)) {
        return "the CRM holds a list or an object here, not one value";
    }
    why = entry_text_in(entry, text, reading->arena, &text);
    *ret = text.len ? VALUE_OF(keep(json, text, reading->arena)) : VALUE_NONE;
    return why;
}

bool entry_open_list(const struct map_entry *entry, const json_t *json, struct arena *arena,
                     struct str **ret_items, size_t *ret_count)
{
    const struct transform *split = entry_transform(entry, TRANSFORM_SPLIT);
    size_t room = json_is_array(json) ? json_array_size(json) : json_string_length(json) + 1;
    struct str *items = ARENA_ARRAY(arena, struct str, room + 1);
    struct str rest;
    size_t count = 0;

    if (json_is_array(json)) {
        for (; count < json_array_size(json); count++) {
            if (!json_scalar_text(json_array_get(json, count), arena, &items[count])) {
                return false;
            }
        }
    } else if (!json_scalar_text(json, arena, &rest)) {
        return false;
    } else if (!split) {
        items[count++] = rest;
    } else {
        while (rest.at) {
            items[count++] = str_trim(str_cut(&rest, split->argument.at[0]));
        }
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}

/* Kept apart from the JSON, like a single text. */
static const char *texts_in(const struct reading *reading, const struct map_entry *entry,
                            struct str *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *why = entry_text_in(entry, items[i], reading->arena, &items[i]);

        if (why) {
            return why;
        }
        items[i] = arena_str(reading->arena, items[i]);
    }
    return NULL;
}

/* The id becomes a UUID in place. False: it waits for its target, which is noted. */
static bool id_in(const struct reading *reading, const struct map_entry *entry, bool is_partial,
                  struct str *id)
{
    const struct reference_resolver *resolver = reading->resolver;
    struct str uuid;

    if (!resolver->to_hub(resolver->context, entry->field->to, *id, reading->arena, &uuid)) {
        note_wait(reading->notes, entry, arena_str(reading->arena, *id), is_partial,
                  reading->arena);
        return false;
    }
    *id = uuid;
    return true;
}

/* Those that resolve, to the front; the others wait. Returns how many. */
static size_t ids_in(const struct reading *reading, const struct map_entry *entry, struct str *ids,
                     size_t count)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct str id = ids[i];

        if (id.len && id_in(reading, entry, true, &id)) {
            ids[found++] = id;
        }
    }
    return found;
}

static struct value list_in(const struct reading *reading, const struct map_entry *entry,
                            const json_t *json)
{
    const char *why = NULL;
    struct str *items;
    size_t count;

    if (!entry_open_list(entry, json, reading->arena, &items, &count)) {
        why = "the CRM holds something else than a list of values here";
    } else if (entry_is_reference(entry)) {
        count = ids_in(reading, entry, items, count);
    } else {
        why = texts_in(reading, entry, items, count);
    }
    if (why) {
        note_held(reading->notes, entry, why, reading->arena);
        return (struct value){0};
    }
    return normal_list(items, count, reading->arena);
}

static struct value reference_in(const struct reading *reading, const struct map_entry *entry,
                                 const json_t *json)
{
    struct str id;

    if (!json_scalar_text(json, reading->arena, &id)) {
        note_held(reading->notes, entry, "the CRM holds something else than an id here",
                  reading->arena);
        return (struct value){0};
    }
    if (str_equal(id, STR("0"))) { /* no object has this id; some answers say "none" with it */
        return VALUE_NONE;
    }
    return id_in(reading, entry, false, &id) ? VALUE_OF(id) : (struct value){0};
}

static struct value owner_in(const struct reading *reading, const struct map_entry *entry,
                             const json_t *json)
{
    const struct reference_resolver *resolver = reading->resolver;
    const char *why = NULL;
    struct str id, email;

    if (!json_scalar_text(json, reading->arena, &id)) {
        why = "the CRM holds something else than a user's id here";
    } else if (str_equal(id, STR("0"))) {
        return VALUE_NONE;
    } else if (!resolver->owner_to_hub) {
        why = "the users of the CRM are not known";
    } else if (!resolver->owner_to_hub(resolver->context, id, reading->arena, &email)) {
        note_owner(reading->notes, entry, id, reading->arena);
        return (struct value){0};
    }
    if (why) {
        note_held(reading->notes, entry, why, reading->arena);
        return (struct value){0};
    }
    return VALUE_OF(email);
}

static struct value entry_in(const struct reading *reading, const struct map_entry *entry,
                             const json_t *json)
{
    const json_t *inner = entry_unwrap(entry, json);
    struct value value = {0};
    const char *why;

    if (!inner) {
        return VALUE_NONE;
    }
    if (entry_is_list(entry)) {
        return list_in(reading, entry, inner);
    }
    if (entry_is_reference(entry)) {
        return reference_in(reading, entry, inner);
    }
    if (entry_is_owner(entry)) {
        return owner_in(reading, entry, inner);
    }
    why = one_in(reading, entry, inner, &value);
    if (why) {
        note_held(reading->notes, entry, why, reading->arena);
        return (struct value){0};
    }
    return value;
}

struct value entry_read(const struct map_entry *entry, const json_t *json,
                        const struct reference_resolver *resolver, struct arena *arena,
                        struct map_notes *notes)
{
    const struct reading reading = {.resolver = resolver, .arena = arena, .notes = notes};

    return entry_in(&reading, entry, json);
}

void map_in(const struct mapping *mapping, const json_t *props,
            const struct reference_resolver *resolver, struct arena *arena, struct fields *ret,
            struct map_notes *ret_notes)
{
    size_t room = mapping->entries_count + 4; /* a few to spare for the caller's own */
    struct fields fields = {.at = ARENA_ARRAY(arena, struct field, room), .capacity = room};
    struct map_notes notes = {0};
    const struct reading reading = {.resolver = resolver, .arena = arena, .notes = &notes};

    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];
        const json_t *json = jx_get(props, entry->property.at);
        struct value value;

        if (!json || entry->is_frozen) {
            continue; /* no member is no observation */
        }
        value = entry_in(&reading, entry, json);
        if (value.state != VALUE_ABSENT) { /* entries are sorted by field name */
            fields.at[fields.count++] = (struct field){.name = entry->field->name, .value = value};
        }
    }
    *ret = fields;
    *ret_notes = notes;
}
