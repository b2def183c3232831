#include "mapper/bind.h"

#include "core/unicode.h"

#define CUSTOM_PREFIX "custom:"

/* --- looking up ------------------------------------------------------------------------------------------------------------- */

const struct property_facts *schema_property(const struct schema_facts *schema, struct str name)
{
    struct str label = str_starts(name, STR(CUSTOM_PREFIX))
                           ? str_slice(name, strlen(CUSTOM_PREFIX), name.len)
                           : STR_NONE;

    for (size_t i = 0; i < schema->count; i++) {
        const struct property_facts *property = &schema->at[i];

        if (str_equal(property->name, name) ||
            (label.len && property->is_custom && str_equal(property->label, label))) {
            return property;
        }
    }
    return NULL;
}

enum likeness { BY_VALUE, BY_LABEL, BY_FOLDED_LABEL };

static bool is_like(const struct option_facts *option, struct str word, struct str folded,
                    enum likeness likeness, struct arena *arena)
{
    switch (likeness) {
    case BY_VALUE:
        return str_equal(option->value, word);
    case BY_LABEL:
        return str_equal(option->label, word);
    case BY_FOLDED_LABEL:
        break;
    }
    return str_equal(utf8_fold(arena, option->label), folded);
}

const struct option_facts *property_option(const struct property_facts *property, struct str word)
{
    AUTO_ARENA struct arena arena = {0};
    struct str folded = utf8_fold(&arena, word);

    for (enum likeness likeness = BY_VALUE; likeness <= BY_FOLDED_LABEL; likeness++) {
        const struct option_facts *found = NULL;
        size_t count = 0;

        for (size_t i = 0; i < property->options_count; i++) {
            if (is_like(&property->options[i], word, folded, likeness, &arena)) {
                found = &property->options[i];
                count++;
            }
        }
        if (count) { /* a label of several options means none of them */
            return count == 1 || likeness == BY_VALUE ? found : NULL;
        }
    }
    return NULL;
}

/* --- binding ---------------------------------------------------------------------------------------------------------------- */

struct drifts {
    struct drift *at;
    size_t count;
    struct arena *arena;
};

static struct drift *add_drift(struct drifts *drifts, const struct map_entry *entry)
{
    drifts->at[drifts->count] = (struct drift){.entry = entry};
    return &drifts->at[drifts->count++];
}

static void freeze_pair(struct drifts *drifts, const struct map_entry *entry,
                        struct value_pair *pair)
{
    struct drift *drift = add_drift(drifts, entry);

    pair->is_frozen = true;
    drift->message =
        arena_printf(drifts->arena,
                     "property '%" PRI_STR "' has no value or label '%" PRI_STR
                     "' at the CRM; records whose %" PRI_STR " is '%" PRI_STR "' keep it as it is",
                     STR_ARG(entry->property), STR_ARG(pair->remote), STR_ARG(entry->field->name),
                     STR_ARG(pair->unified));
    drift->hint = STR("correct the value map, or add the value at the CRM");
}

/* A further remote value of a unified one is only read; when the CRM lost it, nothing more is to be read. */
static bool is_further(const struct map_entry *entry, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (str_equal(entry->values[i].unified, entry->values[index].unified)) {
            return true;
        }
    }
    return false;
}

/* Two words that mean the same option: which of the two it is could not be told any more. */
static bool is_taken(const struct value_pair *pairs, size_t count, struct str value)
{
    for (size_t i = 0; i < count; i++) {
        if (!pairs[i].is_frozen && str_equal(pairs[i].remote, value)) {
            return true;
        }
    }
    return false;
}

static void bind_values(struct drifts *drifts, struct map_entry *entry,
                        const struct property_facts *property)
{
    struct value_pair *pairs =
        ARENA_ARRAY(drifts->arena, struct value_pair, entry->values_count + 1);

    for (size_t i = 0; i < entry->values_count; i++) {
        const struct option_facts *option = property_option(property, entry->values[i].remote);

        pairs[i] = entry->values[i];
        if (!option && is_further(entry, i)) {
            continue;
        }
        if (!option || (entry->direction == MAP_BOTH && is_taken(pairs, i, option->value))) {
            freeze_pair(drifts, entry, &pairs[i]);
            continue;
        }
        if (str_equal(entry->default_out, entry->values[i].remote)) {
            entry->default_out = arena_str(drifts->arena, option->value);
        }
        pairs[i].remote = arena_str(drifts->arena, option->value);
    }
    entry->values = pairs;
}

static bool is_missing(struct drifts *drifts, struct map_entry *entry,
                       const struct property_facts *property)
{
    struct drift *drift;

    if (property) {
        return false;
    }
    drift = add_drift(drifts, entry);
    drift->message = arena_printf(drifts->arena, "the CRM has no property '%" PRI_STR "'",
                                  STR_ARG(entry->property));
    drift->hint = STR("create it at the CRM (crmsync setup makes declared ones), or take the field "
                      "out of the mapping");
    return true;
}

static bool has_changed_type(struct drifts *drifts, struct map_entry *entry,
                             const struct property_facts *property,
                             const struct property_facts *before)
{
    struct drift *drift;

    if (!before || before->type.len == 0 || property->type.len == 0 ||
        str_equal(before->type, property->type)) {
        return false;
    }
    drift = add_drift(drifts, entry);
    drift->message = arena_printf(
        drifts->arena,
        "property '%" PRI_STR "' was of type '%" PRI_STR "' and is now of type '%" PRI_STR "'",
        STR_ARG(entry->property), STR_ARG(before->type), STR_ARG(property->type));
    drift->hint = STR(
        "look whether the mapping still fits; if it does, accept the new type with crmsync setup");
    return true;
}

static void bind_entry(struct drifts *drifts, struct map_entry *entry,
                       const struct schema_facts *now, const struct schema_facts *seen)
{
    const struct property_facts *property = schema_property(now, entry->property);

    if (is_missing(drifts, entry, property) ||
        has_changed_type(drifts, entry, property,
                         seen ? schema_property(seen, entry->property) : NULL)) {
        entry->is_frozen = true;
        return;
    }
    if (!property->is_writable && entry->direction != MAP_IN) {
        struct drift *drift = add_drift(drifts, entry);

        entry->is_frozen_out = true;
        drift->message = arena_printf(drifts->arena, "property '%" PRI_STR "' cannot be written",
                                      STR_ARG(entry->property));
        drift->hint = STR("declare the field 'direction: in'");
    }
    if (entry->values_count && property->options_count) {
        bind_values(drifts, entry, property);
    }
}

void mapping_bind(const struct mapping *mapping, const struct schema_facts *now,
                  const struct schema_facts *seen, struct arena *arena, struct mapping *ret,
                  struct drift **ret_drifts, size_t *ret_count)
{
    struct map_entry *entries = ARENA_ARRAY(arena, struct map_entry, mapping->entries_count);
    struct drifts drifts = {.arena = arena};
    size_t room = 0;

    *ret = *mapping;
    *ret_drifts = NULL;
    *ret_count = 0;
    if (!now || now->count == 0) {
        return;
    }
    for (size_t i = 0; i < mapping->entries_count; i++) {
        entries[i] = mapping->entries[i];
        room += entries[i].values_count + 2;
    }
    drifts.at = ARENA_ARRAY(arena, struct drift, room + 1);
    for (size_t i = 0; i < mapping->entries_count; i++) {
        bind_entry(&drifts, &entries[i], now, seen);
    }
    ret->entries = entries;
    *ret_drifts = drifts.at;
    *ret_count = drifts.count;
}
