/* Both directions of a mapping: remote properties ⇄ record in normal form. Pure but for the reference resolver passed in. */
#ifndef CRMSYNC_MAPPER_CONVERT_H
#define CRMSYNC_MAPPER_CONVERT_H

#include <jansson.h>

#include "mapper/mapping.h"

/* How references are followed; both return false when the target is not linked yet. */
struct reference_resolver {
    bool (*to_hub)(void *context, struct str kind, struct str remote_id, struct arena *arena,
                   struct str *ret_uuid);
    bool (*to_remote)(void *context, struct str kind, struct str uuid, struct arena *arena,
                      struct str *ret_remote_id);
    void *context;
};

enum map_note_type {
    NOTE_REFERENCE_WAITS, /* target not linked yet: the field is absent from the result */
    /* value has no place in the other system: the field is absent from the result; message says why
     * */
    NOTE_FIELD_HELD,
};
struct map_note {
    enum map_note_type type;
    const struct map_entry *entry;
    struct str target_kind, target_id; /* NOTE_REFERENCE_WAITS */
    /* NOTE_FIELD_HELD; never contains the value of a personal field, only enum values */
    struct str message;
};
struct map_notes {
    struct map_note *at;
    size_t count;
};

/* Inward. A property that is no member of props gives an absent field; JSON null, and "" where the CRM clears with "", give null.
 * Entries with MAP_OUT are read too (the engine needs to see what is there). Values live in arena and in the mapping, not in props. */
void map_in(const struct mapping *mapping, const json_t *props,
            const struct reference_resolver *resolver, struct arena *arena, struct fields *ret,
            struct map_notes *ret_notes);

/* Outward, only the named fields (all entries but MAP_IN when only is NULL). current: the remote props as last read, for lists and
 * objects that are replaced whole; NULL for a create (then blanks are left out). Absent fields are left out. The result is owned
 * by arena. */
void map_out(const struct mapping *mapping, const struct fields *fields, const struct str *only,
             size_t only_count, const json_t *current, const struct reference_resolver *resolver,
             struct arena *arena, json_t **ret_props, struct map_notes *ret_notes);

/* What the CRM would show us for this value: normalise(denormalise(value)); equals value for a lossless entry. References map to
 * themselves. An absent or held value gives absent. */
struct value map_image(const struct map_entry *entry, const struct value *value,
                       struct arena *arena);

#endif
