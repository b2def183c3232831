/* Inside of mapper/: what an entry of a mapping file may say together. Not for other rooms. */
#ifndef CRMSYNC_MAPPER_CHECK_H
#define CRMSYNC_MAPPER_CHECK_H

#include "core/yx.h"
#include "mapper/mapping.h"

/* FAIL_CONFIG with the position when words of the entry contradict each other, its field's type, or would have no effect. */
enum fail check_entry(const struct yx_node *node, const struct map_entry *entry,
                      struct error *err) MUST_CHECK;

#endif
