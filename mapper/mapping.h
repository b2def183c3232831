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
    TRANSFORM_OWNER,    /* the CRM's id of a user ⇄ that user's e-mail address */
    /* number at the CRM times the argument (10, 100, …, 0.1, 0.01, …) ⇄ number here; exact */
    TRANSFORM_SCALE,
    TRANSFORM_DAY, /* datetime at the CRM ⇄ date here: its day in UTC; outward midnight UTC */
    /* plain text at the CRM ⇄ HTML here: outward what people read of it, inward with <br> for line
     * ends */
    TRANSFORM_PLAIN,
};
struct transform {
    enum transform_op op;
    struct str argument; /* phone: default country calling code, "" none */
};

struct value_pair {
    struct str unified, remote;
    bool is_frozen; /* the CRM does not know the remote value any more: fields that hold it wait */
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
    bool only_at_create;  /* written when the object is made, never later */
    struct str group;     /* "" none; entries of one group are written together */
    bool is_frozen;       /* set by mapping_bind(): not read (no observation), not written */
    bool is_frozen_out;   /* set by mapping_bind(): read, not written */
    const char *file;     /* for later messages (schema check) */
    int line, column;
};

/* In the order of enum property_type in adapters/adapter.h. */
enum declared_type {
    DECLARED_TEXT,
    DECLARED_LONG_TEXT,
    DECLARED_NUMBER,
    DECLARED_BOOLEAN,
    DECLARED_DATE,
    DECLARED_DATETIME,
    DECLARED_ENUM,
    DECLARED_MULTI_ENUM,
};
struct declared_option {
    struct str value, label;
};

/* A custom property that `crmsync setup` makes where it is missing. */
struct declared_property {
    struct str name;
    struct str label; /* the name where none is given */
    struct str group; /* "" = the CRM's default */
    enum declared_type type;
    bool is_unique;
    const struct declared_option *options;
    size_t options_count;
    const char *file;
    int line, column;
};

/* One kind at one CRM. */
struct mapping {
    const struct kind *kind;
    struct str crm;
    struct str object; /* name of a custom object at the CRM; "" = the adapter's own for the kind */
    const struct declared_property *declared; /* in the order of the file */
    size_t declared_count;
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

/* The words of a mapping file, for people. */
const char *map_direction_name(enum map_direction direction);
const char *blank_policy_name(enum blank_policy blank);
const char *unknown_policy_name(enum unknown_policy unknown);
const char *transform_name(enum transform_op op);

#endif
