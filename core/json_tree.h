/* A JSON text into a tree of jansson's. jansson has a reader of its own, which takes each byte through several functions: three times the time of this one,
 * and foreign pages are most of what a first import reads. Inside core/ only; everybody else uses core/jx.h. */
#ifndef CRMSYNC_CORE_JSON_TREE_H
#define CRMSYNC_CORE_JSON_TREE_H

#include <jansson.h>

#include "core/str.h"

/* A new reference, or NULL: then *ret_at is the byte that cannot stand there, from 0, and *ret_is_deep says that it opens too many levels. Strict (RFC 8259):
 * UTF-8 only, no key twice in an object, nothing behind the value; U+0000 is taken in texts, not in keys. A number beyond int64 or double becomes a text of
 * the same digits. */
json_t *json_tree(struct str text, int depth_max, size_t *ret_at, bool *ret_is_deep);

#endif
