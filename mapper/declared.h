/* Inside of mapper/: the custom properties that a mapping file declares. Not for other rooms. */
#ifndef CRMSYNC_MAPPER_DECLARED_H
#define CRMSYNC_MAPPER_DECLARED_H

#include "core/yx.h"
#include "mapper/mapping.h"

/* Reads `properties:` of one kind of a mapping file, which may be missing, into mapping->declared. */
enum fail declared_read(struct arena *arena, const struct yx_node *node, const char *file,
                        struct mapping *mapping, struct error *err) MUST_CHECK;

#endif
