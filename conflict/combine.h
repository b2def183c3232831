/* The rules of the strategy field-merge, and the order of values that breaks ties. Only for merge.c and its tests. */
#ifndef CRMSYNC_CONFLICT_COMBINE_H
#define CRMSYNC_CONFLICT_COMBINE_H

#include "conflict/merge.h"

/* <0, 0, >0. A total order: blanks first, then texts bytewise, then lists. */
int value_compare(const struct value *x, const struct value *y);

/* The value that both sides together give. It is equal to hub or remote when one of them already says everything. A text for union is
 * a list with ";" between its items. Applying a rule again to its own result and remote changes nothing. */
struct value value_combine(enum combine combine, enum value_order order, const struct value *hub,
                           const struct value *remote, struct arena *arena);

#endif
