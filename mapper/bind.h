/* A mapping against what the CRM says about itself now: labels in value maps become values, and what no longer fits is frozen instead
 * of blanking anything or stopping the record's other fields. Pure. */
#ifndef CRMSYNC_MAPPER_BIND_H
#define CRMSYNC_MAPPER_BIND_H

#include "mapper/mapping.h"

/* A property as the CRM describes it; the same as in adapters/adapter.h, which this room does not know. */
struct option_facts {
    struct str value, label;
};
struct property_facts {
    struct str name;
    struct str label;
    struct str type; /* the CRM's own word; "" unknown */
    bool is_writable;
    bool is_custom;
    const struct option_facts *options; /* none = anything goes */
    size_t options_count;
};
struct schema_facts {
    const struct property_facts *at;
    size_t count;
};

/* What does not fit any more. The message has no position: entry has it. */
struct drift {
    const struct map_entry *entry; /* of the bound mapping */
    struct str message, hint;
};

/* The property an entry names; NULL: there is none. "custom:Name" is a custom property by its label. */
const struct property_facts *schema_property(const struct schema_facts *schema, struct str name);
/* The option that a word of a value map means: by its value, else by its label, else by its label without regard to case; a label must be
 * that of one option alone. NULL: none. */
const struct option_facts *property_option(const struct property_facts *property, struct str word);

/* now: as described; empty when that is not known (then nothing changes). seen: types as they were when first used; may be empty. *ret
 * shares the memory of mapping where it is the same, and keeps its version. A pair of a value map whose remote word is neither a value
 * nor a label is frozen: fields that hold it wait. A missing property or another type than seen freezes the entry; one that may not be
 * written any more freezes it outward. */
void mapping_bind(const struct mapping *mapping, const struct schema_facts *now,
                  const struct schema_facts *seen, struct arena *arena, struct mapping *ret,
                  struct drift **ret_drifts, size_t *ret_count);

#endif
