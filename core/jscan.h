/* Foreign JSON without a tree: one pass checks all of it and notes where each value stands in the text. For bodies of which little is wanted and much comes,
 * such as webhooks; jx.h is for the rest.
 *
 * As strict as jx_parse(): RFC 8259, valid UTF-8, no key twice in an object, JX_DEPTH_MAX levels; and at most JSCAN_MEMBERS_MAX members in an object. Numbers stay
 * digits, of any size. */
#ifndef CRMSYNC_CORE_JSCAN_H
#define CRMSYNC_CORE_JSCAN_H

#include "core/arena.h"
#include "core/str.h"

enum { JSCAN_MEMBERS_MAX = 256 };

enum jscan_kind {
    JSCAN_NULL,
    JSCAN_FALSE,
    JSCAN_TRUE,
    JSCAN_INTEGER,
    JSCAN_REAL,
    JSCAN_TEXT,
    JSCAN_ARRAY,
    JSCAN_OBJECT,
};

struct jscan_value {
    uint32_t from, to; /* its bytes in the text; of a JSCAN_TEXT without the quotes */
    uint32_t past;     /* the index behind it and all that is in it */
    uint8_t kind;      /* enum jscan_kind */
    bool has_escapes;  /* JSCAN_TEXT */
};

struct jscan {
    struct str text; /* borrowed */
    struct jscan_value *at;
    size_t count, capacity;
};
#define AUTO_JSCAN __attribute__((cleanup(jscan_fini)))

/* The whole text is one value of JSON, or false. To be freed with jscan_fini() either way. Bound: UINT32_MAX bytes. */
bool jscan_read(struct jscan *scan, struct str text) MUST_CHECK;
void jscan_fini(struct jscan *scan); /* accepts zeroed */

/* NULL where a value is asked for its parts: none. Values are borrowed until jscan_fini(). */
const struct jscan_value *jscan_root(const struct jscan *scan);
/* The member of an object; NULL when it is not there, or `in` is no object. `key` is held against keys as they are written (a key with escapes is found by
 * nobody). */
const struct jscan_value *jscan_get(const struct jscan *scan, const struct jscan_value *in,
                                    struct str key);
/* The elements of an array, one after the other; `before` NULL: the first. NULL at the end, or `in` is no array. */
const struct jscan_value *jscan_next(const struct jscan *scan, const struct jscan_value *in,
                                     const struct jscan_value *before);

bool jscan_is(const struct jscan_value *value, enum jscan_kind kind); /* NULL is nothing */
/* The text of a JSCAN_TEXT: of the scanned text itself, or the arena's where it is written with escapes. STR_NONE for anything else. */
struct str jscan_text(const struct jscan *scan, const struct jscan_value *value,
                      struct arena *arena);
/* An id that may come as a text or an integer; "" for anything else. As jscan_text(). */
struct str jscan_id(const struct jscan *scan, const struct jscan_value *value, struct arena *arena);

#endif
