/* Inside of mapper/: one entry at the level of text, below lists and objects. Not for other rooms. */
#ifndef CRMSYNC_MAPPER_INSIDE_H
#define CRMSYNC_MAPPER_INSIDE_H

#include "mapper/convert.h"

/* The CRM's text into normal form: value map, text transforms, the field's type. Returns NULL, or why the value has no place in the hub (never with the
 * value itself unless the field has a value map or options). "" stands for no value. *ret may borrow from text. */
const char *entry_text_in(const struct map_entry *entry, struct str text, struct arena *arena,
                          struct str *ret);
/* The way back, up to the text that the CRM reads. Not for references. */
const char *entry_text_out(const struct map_entry *entry, struct str text, struct arena *arena,
                           struct str *ret);
/* That text as JSON: a string, or what `number` asks for. Owned by the caller. NULL, with *ret_why set: it does not fit. */
json_t *entry_json_out(const struct map_entry *entry, struct str text, struct arena *arena,
                       const char **ret_why);

/* One entry inward; absent when it is held or waits, which is noted. */
struct value entry_read(const struct map_entry *entry, const json_t *json,
                        const struct reference_resolver *resolver, struct arena *arena,
                        struct map_notes *notes);

/* Lists and objects down to what the field is made of. NULL: nothing there. */
const json_t *entry_unwrap(const struct map_entry *entry, const json_t *json);
/* Cuts or opens a list into texts, which may borrow from the JSON; false: something else. */
bool entry_open_list(const struct map_entry *entry, const json_t *json, struct arena *arena,
                     struct str **ret_items, size_t *ret_count);

/* The transform of that kind, or NULL. */
const struct transform *entry_transform(const struct map_entry *entry, enum transform_op op);
bool entry_is_list(const struct map_entry *entry);
bool entry_is_reference(const struct map_entry *entry);
bool entry_is_owner(const struct map_entry *entry);
/* owner: e-mail address or id, kept by arena. */
void note_owner(struct map_notes *notes, const struct map_entry *entry, struct str owner,
                struct arena *arena);

/* Text of a JSON scalar; false for lists, objects and null. May borrow from the JSON. */
bool json_scalar_text(const json_t *value, struct arena *arena, struct str *ret);
/* Index of the item that stands for a list: the primary one that has a value, else the first that has one; SIZE_MAX none. */
size_t standing_item(const json_t *list);
/* The value inside an item of such a list. NULL: none. */
json_t *item_value(const json_t *item);

/* Outward into a list of which one item is the field. The whole list, since CRMs replace it whole: the value takes the standing item's place unless another item already holds it, which
 * then becomes the standing one. All others stay as they are. */
json_t *first_out(const struct map_entry *entry, json_t *take_value, const json_t *current,
                  struct arena *arena);

void note_held(struct map_notes *notes, const struct map_entry *entry, const char *why,
               struct arena *arena);
void note_wait(struct map_notes *notes, const struct map_entry *entry, struct str id,
               bool is_partial, struct arena *arena);

#endif
