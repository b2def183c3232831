/* Base64 of RFC 4648: the plain alphabet with padding, and the one that is safe in URLs, without padding. */
#ifndef CRMSYNC_CORE_BASE64_H
#define CRMSYNC_CORE_BASE64_H

#include "core/arena.h"

enum { BASE64_EXACTLY_MAX = 64 };

/* Owned by arena. */
struct str base64_encode(struct arena *arena, const void *bytes, size_t count);
struct str base64url_encode(struct arena *arena, const void *bytes, size_t count);
/* Strict: the whole text, right padding (none in URLs), no blanks, unused bits zero. False, and *ret untouched, otherwise. */
bool base64_decode(struct arena *arena, struct str text, struct str *ret) MUST_CHECK;
bool base64url_decode(struct arena *arena, struct str text, struct str *ret) MUST_CHECK;

/* As base64_decode(), of `count` bytes and no others; count at most BASE64_EXACTLY_MAX. */
bool base64_decode_exactly(struct str text, uint8_t *ret, size_t count) MUST_CHECK;

#endif
