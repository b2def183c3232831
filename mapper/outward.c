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
    const json_t *current; /* NULL for a create */
    const struct str *only;
    size_t only_count;
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

json_t *entry_json_out(const struct map_entry *entry, struct str text, struct arena *arena,
                       const char **ret_why)
{
    json_t *number;

    if (!entry->write_as_number) {
        return json_stringn(text.at ? text.at : "", text.len);
    }
    if (entry->field->type == TYPE_BOOLEAN && entry->values_count == 0) {
        return json_boolean(str_equal(text, STR("true")));
    }
    number = number_of(text, arena);
    if (!number) {
        *ret_why = "the CRM wants a number, and the value is none or too large";
    }
    return number;
}

/* False: held or unknown, which is noted. */
static bool owner_out(const struct writing *writing, const struct map_entry *entry,
                      struct str email, struct str *ret)
{
    const struct reference_resolver *resolver = writing->resolver;

    if (!resolver->owner_to_remote) {
        note_held(writing->notes, entry, "the users of the CRM are not known", writing->arena);
        return false;
    }
    if (!resolver->owner_to_remote(resolver->context, email, writing->arena, ret)) {
        note_owner(writing->notes, entry, email, writing->arena);
        return false;
    }
    return true;
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
        note_wait(writing->notes, entry, text, entry_is_list(entry), writing->arena);
        return false;
    }
    if (entry_is_owner(entry)) {
        return owner_out(writing, entry, text, ret);
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
    json = entry_json_out(entry, wire, writing->arena, &why);
    if (!json) {
        note_held(writing->notes, entry, why, writing->arena);
    }
    return json;
}

/* --- lists of values ---------------------------------------------------------------------------------------------------------- */

/* count: it is not among them. */
static size_t index_of(const struct str *items, size_t count, struct str text)
{
    size_t i = 0;

    while (i < count && !str_equal(items[i], text)) {
        i++;
    }
    return i;
}

/* Members of the CRM's list that stay, in its order: those that the value has too (ret_has: by the value's items), and those that have no record
 * here. *ret has room for the value's as well. Returns how many. */
static size_t members_that_stay(const struct writing *writing, const struct map_entry *entry,
                                const struct value *value, const json_t *there, struct str **ret,
                                bool *ret_has)
{
    const struct reference_resolver *resolver = writing->resolver;
    const json_t *inner = there ? entry_unwrap(entry, there) : NULL;
    struct str *ids;
    size_t count = 0, kept = 0;

    if (inner && !entry_open_list(entry, inner, writing->arena, &ids, &count)) {
        count = 0;
    }
    *ret = ARENA_ARRAY(writing->arena, struct str, count + value->items_count + 1);
    for (size_t i = 0; i < count; i++) {
        struct str uuid;
        size_t at = value->items_count;

        if (ids[i].len == 0) {
            continue;
        }
        if (!resolver->to_hub(resolver->context, entry->field->to, ids[i], writing->arena, &uuid) ||
            (at = index_of(value->items, value->items_count, uuid)) < value->items_count) {
            (*ret)[kept++] = ids[i];
        }
        if (at < value->items_count) {
            ret_has[at] = true;
        }
    }
    return kept;
}

/* What resolves, behind what stays; the rest waits. */
static void reference_wires(const struct writing *writing, const struct map_entry *entry,
                            const struct value *value, const json_t *there, struct str **ret,
                            size_t *ret_count)
{
    struct str *wires;
    bool *has = ARENA_ARRAY(writing->arena, bool, value->items_count + 1);
    size_t count = members_that_stay(writing, entry, value, there, &wires, has);

    for (size_t i = 0; i < value->items_count; i++) {
        struct str wire;

        if (!has[i] && wire_of(writing, entry, value->items[i], &wire) &&
            index_of(wires, count, wire) == count) {
            wires[count++] = wire;
        }
    }
    *ret = wires;
    *ret_count = count;
}

static json_t *array_of(const struct writing *writing, const struct map_entry *entry,
                        const struct str *wires, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const char *why = NULL;
        json_t *item = entry_json_out(entry, wires[i], writing->arena, &why);

        if (!item) {
            note_held(writing->notes, entry, why, writing->arena);
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *joined_of(const struct writing *writing, const struct map_entry *entry,
                         const struct str *wires, size_t count, struct str separator)
{
    AUTO_BUF struct buf joined = {0};

    buf_init(&joined, JOINED_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (str_contains(wires[i], separator)) {
            note_held(writing->notes, entry, "an item contains the separator of the list",
                      writing->arena);
            return NULL;
        }
        buf_add(&joined, i ? separator : STR(""));
        buf_add(&joined, wires[i]);
    }
    if (joined.is_full) {
        note_held(writing->notes, entry, "the list is longer than 1 MiB", writing->arena);
        return NULL;
    }
    return json_stringn(joined.at ? joined.at : "", joined.len);
}

/* there: what the CRM holds now, NULL for a create. NULL: held, or nothing to say. */
static json_t *list_out(const struct writing *writing, const struct map_entry *entry,
                        const struct value *value, const json_t *there, bool is_create)
{
    const struct transform *split = entry_transform(entry, TRANSFORM_SPLIT);
    struct str *wires;
    size_t count;

    if (entry_is_reference(entry)) {
        reference_wires(writing, entry, value, there, &wires, &count);
        if (count == 0) {
            return is_create ? NULL : json_null();
        }
    } else {
        count = value->items_count;
        wires = ARENA_ARRAY(writing->arena, struct str, count + 1);
        for (size_t i = 0; i < count; i++) {
            if (!wire_of(writing, entry, value->items[i], &wires[i])) {
                return NULL;
            }
        }
    }
    return split ? joined_of(writing, entry, wires, count, split->argument)
                 : array_of(writing, entry, wires, count);
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

/* What is there is one of the CRM's words for the value: it stays. */
static bool stands_for(const struct map_entry *entry, const json_t *there, struct str text,
                       struct arena *arena)
{
    struct str word, unified;

    return entry->values_count && there && json_scalar_text(there, arena, &word) &&
           !entry_text_in(entry, word, arena, &unified) && str_equal(unified, text);
}

/* NULL: the field does not travel now, which is noted. */
static json_t *entry_out(const struct writing *writing, const struct map_entry *entry,
                         const struct value *value)
{
    const json_t *there = writing->current ? jx_get(writing->current, entry->property.at) : NULL;
    const struct value one = {.state = VALUE_LIST, .items = &value->text, .items_count = 1};
    const struct value none = {.state = VALUE_LIST};

    if (value_is_blank(value)) {
        return entry->field->type == TYPE_REFERENCE_LIST
                   ? list_out(writing, entry, &none, there, !writing->current)
                   : json_null();
    }
    if (value->state == VALUE_TEXT && !entry_is_list(entry)) {
        if (stands_for(entry, there, value->text, writing->arena)) {
            return json_incref((json_t *)there);
        }
        return one_out(writing, entry, value->text);
    }
    if (!entry_is_list(entry)) {
        note_held(writing->notes, entry, "the value is a list, and the field takes one value",
                  writing->arena);
        return NULL;
    }
    return list_out(writing, entry, value->state == VALUE_TEXT ? &one : value, there,
                    !writing->current);
}

/* What may not be written later: said where the CRM shows something else. */
static void note_late(const struct writing *writing, const struct map_entry *entry,
                      const struct value *value)
{
    const json_t *there = jx_get(writing->current, entry->property.at);
    struct map_notes unused = {0};
    struct value shown, image;

    if (!there) {
        return;
    }
    shown = entry_read(entry, there, writing->resolver, writing->arena, &unused);
    image = map_image(entry, value, writing->arena);
    if (shown.state == VALUE_ABSENT || !value_equal(&shown, &image)) {
        note_held(writing->notes, entry, "is only written when the object is made", writing->arena);
    }
}

static void write_entry(const struct writing *writing, const struct map_entry *entry,
                        const struct value *value, json_t *props)
{
    const char *property = entry->property.at;
    const json_t *there;
    json_t *json;

    if (entry->only_at_create && writing->current) {
        note_late(writing, entry, value);
        return;
    }
    json = entry_out(writing, entry, value);
    if (json) {
        there = jx_get(props, property); /* another member of the same object */
        there = there || !writing->current ? there : jx_get(writing->current, property);
        json_object_set_new(props, property, wrap(entry, json, there, writing->arena));
    }
}

/* --- groups ------------------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct map_entry *entry, const struct writing *writing)
{
    return !writing->only ||
           index_of(writing->only, writing->only_count, entry->field->name) < writing->only_count;
}

static bool may_write(const struct map_entry *entry)
{
    return entry->direction != MAP_IN && !entry->is_frozen && !entry->is_frozen_out;
}

static bool is_written(const json_t *props, const struct map_entry *entry)
{
    return jx_get(props, entry->property.at) != NULL;
}

/* A wanted entry of the group; NULL: none. */
static const struct map_entry *wanted_of_group(const struct mapping *mapping, struct str group,
                                               const struct writing *writing, const json_t *props,
                                               bool is_held)
{
    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];

        if (!str_equal(entry->group, group) || !is_wanted(entry, writing)) {
            continue;
        }
        if (!is_held && is_written(props, entry)) {
            return entry;
        }
        for (size_t k = 0; k < writing->notes->count && is_held; k++) {
            const struct map_note *note = &writing->notes->at[k];

            if (note->entry == entry && !note->is_partial && !entry->only_at_create) {
                return entry;
            }
        }
    }
    return NULL;
}

/* One of the group cannot travel now, so none does. */
static void withhold(const struct writing *writing, const struct map_entry *entry,
                     const struct map_entry *held, json_t *props)
{
    if (is_written(props, entry)) {
        json_object_del(props, entry->property.at);
        note_held(writing->notes, entry,
                  arena_printf(writing->arena,
                               "is written together with '%" PRI_STR "', which waits",
                               STR_ARG(held->field->name))
                      .at,
                  writing->arena);
    }
}

/* An entry that nobody asked for goes along as the CRM has it; a blank says nothing. */
static void write_along(const struct writing *writing, const struct map_entry *entry,
                        const struct value *value, json_t *props)
{
    json_t *there = writing->current ? jx_get(writing->current, entry->property.at) : NULL;

    if (there && !json_is_null(there)) {
        json_object_set_new(props, entry->property.at, json_deep_copy(there));
    } else if (!there && !value_is_blank(value)) {
        write_entry(writing, entry, value, props);
    }
}

static void write_groups(const struct writing *writing, const struct mapping *mapping,
                         const struct fields *fields, json_t *props)
{
    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];
        const struct map_entry *held;

        if (entry->group.len == 0) {
            continue;
        }
        held = wanted_of_group(mapping, entry->group, writing, props, true);
        if (held) {
            withhold(writing, entry, held, props);
        } else if (may_write(entry) && !is_written(props, entry) && !is_wanted(entry, writing) &&
                   !(entry->only_at_create && writing->current) &&
                   wanted_of_group(mapping, entry->group, writing, props, false)) {
            write_along(writing, entry, fields_get(fields, entry->field->name), props);
        }
    }
}

void map_out(const struct mapping *mapping, const struct fields *fields, const struct str *only,
             size_t only_count, const json_t *current, const struct reference_resolver *resolver,
             struct arena *arena, json_t **ret_props, struct map_notes *ret_notes)
{
    json_t *props = json_object();
    struct map_notes notes = {0};
    const struct writing writing = {.resolver = resolver,
                                    .arena = arena,
                                    .notes = &notes,
                                    .current = current,
                                    .only = only,
                                    .only_count = only_count};

    for (size_t i = 0; i < mapping->entries_count; i++) {
        const struct map_entry *entry = &mapping->entries[i];
        const struct value *value = fields_get(fields, entry->field->name);

        if (may_write(entry) && value->state != VALUE_ABSENT && is_wanted(entry, &writing) &&
            (current || !value_is_blank(value))) {
            write_entry(&writing, entry, value, props);
        }
    }
    write_groups(&writing, mapping, fields, props);
    *ret_props = jx_own(arena, props);
    *ret_notes = notes;
}
