/* What people type: durations, and the word they probably meant. */
#ifndef CRMSYNC_CORE_WORDS_H
#define CRMSYNC_CORE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* "250ms", "90s", "10m", "6h", "30d" or a plain number of seconds; false on anything else. */
bool duration_parse(struct str text, int64_t *ret_ms);

enum { WORD_DISTANCE_MAX = 3 };
/* Index of the word nearest to text by edit distance (at most WORD_DISTANCE_MAX, and not a wholly different word), or SIZE_MAX. */
size_t word_nearest(struct str text, const struct str *words, size_t count);

#endif
