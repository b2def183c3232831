/* Unified kinds, read from config/kinds/<kind>.yaml: the fields of a record in normal form, their types, and how records of two
 * systems are recognised as the same thing. A custom object is a file, not code. */
#ifndef CRMSYNC_MAPPER_KIND_H
#define CRMSYNC_MAPPER_KIND_H

#include "core/arena.h"
#include "core/fail.h"
#include "core/fields.h"

/* Normal form of each type (all scalars are text):
 *   string    one line, trimmed, NFC          text      several lines, LF line ends
 *   email     trimmed, lower case             phone     E.164 when it can be told ("+4930123456"), else digits and what was typed
 *   url       scheme and host lower case      integer   canonical decimal without point
 *   decimal   core/decimal.h                  boolean   "true" | "false"
 *   date      YYYY-MM-DD                      datetime  ms since 1970 UTC as decimal text
 *   enum      the unified value               multi_enum list, sorted set
 *   money     decimal                         reference UUID of a record of kind `to`
 *   reference_list list of UUIDs, sorted      */
enum field_type {
    TYPE_STRING,
    TYPE_TEXT,
    TYPE_EMAIL,
    TYPE_PHONE,
    TYPE_URL,
    TYPE_INTEGER,
    TYPE_DECIMAL,
    TYPE_BOOLEAN,
    TYPE_DATE,
    TYPE_DATETIME,
    TYPE_ENUM,
    TYPE_MULTI_ENUM,
    TYPE_MONEY,
    TYPE_REFERENCE,
    TYPE_REFERENCE_LIST,
};

struct kind_field {
    struct str name; /* "email", "custom.tier" */
    struct str label;
    enum field_type type;
    struct str to;             /* reference types: target kind */
    const struct str *options; /* enum types: allowed unified values; none = any */
    size_t options_count;
};

/* One way to recognise: all named fields must be non-blank and equal after utf8_fold (domains after reduction to the
 * registrable domain). Rules are tried in order; the first that has a value decides. */
struct match_rule {
    const struct kind_field *const *fields;
    size_t fields_count;
};

struct kind {
    struct str name;
    struct str label; /* for people: "Contact" */
    const struct kind_field *fields;
    size_t fields_count;
    const struct match_rule *matches;
    size_t matches_count;
    /* what names a record to people, e.g. "name"; "" = email, then first + last name */
    struct str title_field;
};

struct kinds {
    /* in dependency order: a kind after the kinds its references point to, where possible */
    const struct kind *at;
    size_t count;
};

/* Loads every *.yaml of a folder; they add to the built-in kinds, and replace those of the same name. All memory is arena's. FAIL_CONFIG
 * with file, line, column. */
enum fail kinds_load(struct arena *arena, const char *folder, struct kinds *ret,
                     struct error *err) MUST_CHECK;
/* The kinds compiled into the binary (the same files as config/kinds/), for a start without a folder. */
enum fail kinds_load_embedded(struct arena *arena, struct kinds *ret, struct error *err) MUST_CHECK;
const struct kind *kind_by_name(const struct kinds *kinds, struct str name); /* NULL unknown */
const struct kind_field *kind_field_by_name(const struct kind *kind, struct str name);
const char *field_type_name(enum field_type type);

/* A person's or file's text into normal form of the field. FAIL_RECORD says what is expected. "" gives null for all types but
 * string and text. */
enum fail field_value_parse(const struct kind_field *field, struct str text, struct arena *arena,
                            struct value *ret, struct error *err) MUST_CHECK;

/* The same for the items of a list, whatever they hold; for list types only. */
enum fail field_items_parse(const struct kind_field *field, const struct str *items, size_t count,
                            struct arena *arena, struct value *ret, struct error *err) MUST_CHECK;
bool field_is_list(const struct kind_field *field);

/* Keys under which a record can be recognised, one per rule that has values ("" where it has none); folded text, arena's. */
void kind_match_keys(const struct kind *kind, const struct fields *fields, struct arena *arena,
                     struct str *ret_keys);

#endif
