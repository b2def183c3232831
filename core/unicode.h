/* UTF-8 checks and folding (libunistring). */
#ifndef CRMSYNC_CORE_UNICODE_H
#define CRMSYNC_CORE_UNICODE_H

#include <stdbool.h>

#include "core/arena.h"

bool utf8_is_valid(struct str text); /* strict: no surrogates, no overlong forms */
/* How many bytes stand before the first one that is not UTF-8; text.len when all are. */
size_t utf8_valid_prefix(struct str text);
/* What stands in for a bad byte: U+FFFD. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"
/* Lower case by Unicode rules (no locale). Invalid UTF-8 comes back unchanged. */
struct str utf8_lower(struct arena *arena, struct str text);
/* For matching only: NFKC case fold, white space trimmed and runs collapsed to one blank. */
struct str utf8_fold(struct arena *arena, struct str text);
/* Canonical composition NFC; invalid UTF-8 comes back unchanged. */
struct str utf8_nfc(struct arena *arena, struct str text);

#endif
