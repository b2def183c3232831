/* Both directions of a mapping: remote properties ⇄ record in normal form. Pure but for the reference resolver passed in. */
#ifndef CRMSYNC_MAPPER_CONVERT_H
#define CRMSYNC_MAPPER_CONVERT_H

#include <jansson.h>

#include "mapper/mapping.h"

/* How references are followed: the first two return false when the target is not linked yet. Owners are a CRM's user ids there and
 * e-mail addresses (lower case) here; both return false when nobody is known by that. NULL: no users are known at all. */
struct reference_resolver {
    bool (*to_hub)(void *context, struct str kind, struct str remote_id, struct arena *arena,
                   struct str *ret_uuid);
    bool (*to_remote)(void *context, struct str kind, struct str uuid, struct arena *arena,
                      struct str *ret_remote_id);
    bool (*owner_to_hub)(void *context, struct str remote_id, struct arena *arena,
                         struct str *ret_email);
    bool (*owner_to_remote)(void *context, struct str email, struct arena *arena,
                            struct str *ret_remote_id);
    void *context;
};

enum map_note_type {
    /* target not linked yet: the field is absent from the result; of a list, only this member is */
    NOTE_REFERENCE_WAITS,
    /* value has no place in the other system: the field is absent from the result; message says why
     * */
    NOTE_FIELD_HELD,
    /* target_id (an e-mail address outward, an id inward) is no user on the other side: the field
     * is absent from the result */
    NOTE_OWNER_UNKNOWN,
};
struct map_note {
    enum map_note_type type;
    const struct map_entry *entry;
    struct str target_kind, target_id; /* NOTE_REFERENCE_WAITS, NOTE_OWNER_UNKNOWN */
    bool is_partial; /* NOTE_REFERENCE_WAITS of one member: the rest of the list is in the result */
    /* NOTE_FIELD_HELD; never contains the value of a personal field, only enum values */
    struct str message;
};
struct map_notes {
    struct map_note *at;
    size_t count;
};

/* Inward. A property that is no member of props gives an absent field; JSON null, and "" where the CRM clears with "", give null.
 * Entries with MAP_OUT are read too (the engine needs to see what is there), frozen ones are not. Of a list of references those are
 * taken that resolve; the others are noted as waiting. Values live in arena and in the mapping, not in props. */
void map_in(const struct mapping *mapping, const json_t *props,
            const struct reference_resolver *resolver, struct arena *arena, struct fields *ret,
            struct map_notes *ret_notes);

/* Outward, only the named fields (all entries but MAP_IN when only is NULL). current: the remote props as last read, for lists and
 * objects that are replaced whole; NULL for a create (then blanks are left out). Absent fields are left out, and so are frozen entries
 * and, with current, those that are only written when the object is made (noted as held where the value differs). Of a list of
 * references what resolves is written together with the members of current that have no record here. Of a group of which one entry is
 * wanted all are written, the others as current has them; when one is held, none is written. The result is owned by arena. */
void map_out(const struct mapping *mapping, const struct fields *fields, const struct str *only,
             size_t only_count, const json_t *current, const struct reference_resolver *resolver,
             struct arena *arena, json_t **ret_props, struct map_notes *ret_notes);

/* What the CRM would show us for this value: normalise(denormalise(value)); equals value for a lossless entry. References and owners
 * map to themselves. An absent or held value gives absent. */
struct value map_image(const struct map_entry *entry, const struct value *value,
                       struct arena *arena);

#endif
