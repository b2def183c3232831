/* Mapping files: which unified field is which remote property, in which direction, through which transforms.
 * Loaded from config/mappings/<crm>.yaml or the copy in the binary; an error names file, line and column. */
#ifndef CRMSYNC_MAPPER_MAPPING_H
#define CRMSYNC_MAPPER_MAPPING_H

#include "mapper/kind.h"

enum map_direction { MAP_BOTH, MAP_IN, MAP_OUT };

/* What a blank (null or "") does: clear = it is a value like any other and travels; keep = a blank never overwrites. */
enum blank_policy { BLANK_CLEAR, BLANK_KEEP, BLANK_KEEP_IN, BLANK_KEEP_OUT };

/* What to do with a remote value that the value map does not know (and, outward, a unified one). */
enum unknown_policy {
    UNKNOWN_HOLD /* hold this field, report */,
    UNKNOWN_KEEP /* pass it through */,
    UNKNOWN_DEFAULT
};

enum transform_op {
    TRANSFORM_TRIM,
    TRANSFORM_LOWER,
    TRANSFORM_PHONE,
    TRANSFORM_DATE,
    TRANSFORM_DATETIME,
    TRANSFORM_DECIMAL,
    TRANSFORM_INTEGER,
    TRANSFORM_BOOLEAN,
    TRANSFORM_URL,
    TRANSFORM_DOMAIN,
    /* list of {value, primary, label} or of scalars ⇄ its primary element, else its first; outward
     * the others are kept, an element that already holds the value becomes the primary one, and a
     * blank takes only the primary one away */
    TRANSFORM_FIRST,
    TRANSFORM_MEMBER,   /* object ⇄ one member (argument), outward the other members are kept */
    TRANSFORM_SPLIT,    /* "a;b" ⇄ list (argument = separator, one character) */
    TRANSFORM_EPOCH_MS, /* datetime as number/text of ms at the CRM */
};
struct transform {
    enum transform_op op;
    struct str argument; /* phone: default country calling code, "" none */
};

struct value_pair {
    struct str unified, remote;
};

struct map_entry {
    const struct kind_field *field;
    struct str property; /* remote name, see adapters/adapter.h on pseudo-properties */
    enum map_direction direction;
    enum blank_policy blank;
    const struct transform *transforms; /* inward order; outward is the reverse */
    size_t transforms_count;
    /* value map; inward the first pair with that remote value wins */
    const struct value_pair *values;
    size_t values_count;
    enum unknown_policy unknown;
    struct str default_in, default_out; /* UNKNOWN_DEFAULT */
    bool write_as_number; /* JSON number (boolean: true or false), not text (Pipedrive) */
    const char *file;     /* for later messages (schema check) */
    int line, column;
};

/* One kind at one CRM. */
struct mapping {
    const struct kind *kind;
    struct str crm;
    const struct map_entry *entries; /* sorted by field name */
    size_t entries_count;
    const struct str *properties; /* distinct remote names, what to read */
    size_t properties_count;
    struct str version; /* digest (hex) of what the mapping means: a change makes links rebase */
};

struct mappings {
    const struct mapping *at;
    size_t count;
};

/* file NULL: the embedded mapping of crm. FAIL_CONFIG on: unknown kind, field, transform; a property with two writers (members of one object may
 * have one each); a two-way entry that cannot round-trip (many-to-one value map without being declared in or out); words that contradict each
 * other or the field's type, or that would have no effect. */
enum fail mappings_load(struct arena *arena, const struct kinds *kinds, struct str crm,
                        const char *file, struct mappings *ret, struct error *err) MUST_CHECK;
/* NULL: not mapped */
const struct mapping *mapping_of(const struct mappings *mappings, struct str kind);
const struct map_entry *mapping_entry(const struct mapping *mapping, struct str field);

#endif
