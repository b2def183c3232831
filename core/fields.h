/* A record in normal form: field names and values. Absent, null and empty are three different things:
 * absent = no observation, null = known to have no value, "" = an empty text. Lists are sorted sets of texts
 * unless the field's type keeps order. Scalars are canonical text whatever the type (see mapper/kind.h). */
#ifndef CRMSYNC_CORE_FIELDS_H
#define CRMSYNC_CORE_FIELDS_H

#include "core/arena.h"
#include "core/digest.h"
#include "core/fail.h"
#include "core/str.h"

enum value_state { VALUE_ABSENT = 0, VALUE_NULL, VALUE_TEXT, VALUE_LIST };

/* Borrows its text from an arena or a longer-lived owner. Zeroed is "absent". */
struct value {
    enum value_state state;
    struct str text;         /* VALUE_TEXT */
    const struct str *items; /* VALUE_LIST */
    size_t items_count;
};

#define VALUE_OF(text_) ((struct value){.state = VALUE_TEXT, .text = (text_)})
#define VALUE_NONE ((struct value){.state = VALUE_NULL})

bool value_equal(const struct value *x, const struct value *y); /* absent equals only absent */
/* Absent, null, "", or an empty list. */
bool value_is_blank(const struct value *value);
struct value value_copy(struct arena *arena, const struct value *value);

struct field {
    struct str name;
    struct value value;
};

/* Sorted by name, names unique. Zeroed is empty. Memory is the arena's that filled it. */
struct fields {
    struct field *at;
    size_t count;
    size_t capacity;
    struct str text; /* fields_write */
};

/* The value, or an absent one. Never NULL; borrowed until the next fields_set. */
const struct value *fields_get(const struct fields *fields, struct str name);
/* Sets or replaces; a VALUE_ABSENT removes. Borrows name and value: copy first when they live shorter than fields. */
void fields_set(struct fields *fields, struct arena *arena, struct str name, struct value value);
bool fields_equal(const struct fields *x, const struct fields *y);
struct fields fields_copy(struct arena *arena, const struct fields *fields); /* deep */

/* {"name":"text","name2":null,"name3":["x","y"]}, names ascending. */
struct str fields_to_json(struct arena *arena, const struct fields *fields);
/* Reverse of fields_to_json. FAIL_STOP on anything else: the store is damaged. */
enum fail fields_from_json(struct arena *arena, struct str text, struct fields *ret,
                           struct error *err) MUST_CHECK;
struct digest fields_digest(const struct fields *fields);
/* Keeps the text of fields_to_json with the fields (in the arena), until the next fields_set: for what is written more than once. Who changes values in
 * another way than by fields_set must not use it. */
void fields_write(struct fields *fields, struct arena *arena);

/* The base of a link: what hub and remote each held at the last agreement, per unified field, both halves in the
 * hub's normal form (the remote half is what normalising the remote value gave). */
struct base {
    struct fields hub;
    struct fields remote;
};

/* One document: a plain value where both halves are equal, {"h":…,"r":…} where they differ (a missing member = absent). */
struct str base_to_json(struct arena *arena, const struct base *base);
enum fail base_from_json(struct arena *arena, struct str text, struct base *ret,
                         struct error *err) MUST_CHECK;

#endif
