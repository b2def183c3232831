/* Text: struct str borrows, struct buf builds with a cap. A plain char * with NUL appears only at library edges. */
#ifndef CRMSYNC_CORE_STR_H
#define CRMSYNC_CORE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/attributes.h"

/* Borrowed bytes, usually UTF-8, not necessarily NUL-terminated. {NULL, 0} is "no text"; len 0 with at != NULL is "". */
struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){.at = "" literal, .len = sizeof(literal) - 1})
#define STR_NONE ((struct str){.at = NULL, .len = 0})
/* For printf: "%" PRI_STR with STR_ARG(s). */
#define PRI_STR ".*s"
#define STR_ARG(s) (int)(s).len, (s).at ? (s).at : ""

static inline struct str str_of(const char *text)
{
    return (struct str){.at = text, .len = text ? strlen(text) : 0};
}
static inline bool str_is_empty(struct str s)
{
    return s.len == 0;
}
static inline bool str_equal(struct str x, struct str y)
{
    return x.len == y.len && (x.len == 0 || memcmp(x.at, y.at, x.len) == 0);
}
bool str_equal_nocase(struct str x, struct str y); /* ASCII only */
int str_compare(struct str x, struct str y);       /* bytewise, shorter first; for sorting */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
struct str str_slice(struct str s, size_t from, size_t to); /* clamps */
struct str str_trim(struct str s);                          /* ASCII white space */
/* Cuts at the first separator: returns the part before it and advances *rest behind it; at the end *rest is STR_NONE. */
struct str str_cut(struct str *rest, char separator);
/* Whole text as a decimal number; false (and *ret untouched) on anything else or overflow. */
bool str_to_i64(struct str s, int64_t *ret);

/* A growing buffer with a maximum. Passing the maximum sets is_full and drops the addition whole; check once at the end. */
struct buf {
    char *at; /* owned; NUL-terminated whenever at != NULL */
    size_t len;
    size_t capacity;
    size_t bytes_max;
    bool is_full;
};

void buf_init(struct buf *buf, size_t bytes_max);
void buf_fini(struct buf *buf);  /* accepts zeroed */
void buf_reset(struct buf *buf); /* empties, keeps memory */
#define AUTO_BUF __attribute__((cleanup(buf_fini)))
void buf_add(struct buf *buf, struct str text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
struct str buf_str(const struct buf *buf); /* borrowed until the next change */

#endif
