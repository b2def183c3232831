/* JSON's strings, for those who read and write them by hand. Inside core/ only. */
#ifndef CRMSYNC_CORE_JSON_TEXT_H
#define CRMSYNC_CORE_JSON_TEXT_H

#include <stdbool.h>

#include "core/str.h"

/* How many of the next bytes, by eights, are neither a quote nor a backslash nor a control character. */
size_t json_plain_eights(const char *at, size_t len);

/* What stands behind a backslash: *at moves behind it, and the character is put at *to, which moves as well. It is never longer than its
 * escape, so *to may be a place before it. A surrogate needs its other half (RFC 8259, section 7). */
bool json_unescape(const char **at, const char *end, char **to);

#endif
