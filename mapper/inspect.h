/* What is wrong with mappings before anything moves: with a CRM's schema, or without it. Pure. */
#ifndef CRMSYNC_MAPPER_INSPECT_H
#define CRMSYNC_MAPPER_INSPECT_H

#include "mapper/bind.h"

struct finding {
    /* something does not work or loses data; else worth a look, and nothing is refused for it */
    bool is_error;
    struct str connection;
    const struct mapping *mapping;
    const char *file; /* position of the field or of the declared property */
    int line, column;
    struct str message; /* without the position */
    struct str hint;
};

/* One kind of one connection. */
struct inspected {
    struct str connection;
    const struct mapping *mapping; /* as loaded, not bound */
    const struct schema_facts
        *schema; /* of that kind in the connection's account; NULL not known */
};

/* All kinds of all connections at once, since some mistakes lie between two of them. Findings come in the order of the mappings and their
 * lines; everything is arena's.
 *
 * Without a schema: a unified value that has no word at the CRM; values that would be held or come back as others; a field that several
 * connections only read; fields that feed each other in a circle.
 * With it, in addition: a property that is unknown, read-only, or written under two names; words of a value map that the CRM does not know, and its
 * words that the map does not have; a cast that loses something. */
void mapping_inspect(const struct inspected *at, size_t count, struct arena *arena,
                     struct finding **ret, size_t *ret_count);

#endif
