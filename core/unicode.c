#include "core/unicode.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

static bool is_ascii(struct str text)
{
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= text.len; i += sizeof(uint64_t)) {
        uint64_t eight;

        memcpy(&eight, text.at + i, sizeof eight);
        if (eight & 0x8080808080808080u) {
            return false;
        }
    }
    for (; i < text.len; i++) {
        if ((unsigned char)text.at[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

size_t utf8_valid_prefix(struct str text)
{
    const uint8_t *bad;

    if (is_ascii(text)) {
        return text.len;
    }
    bad = u8_check((const uint8_t *)text.at, text.len);
    return bad ? (size_t)(bad - (const uint8_t *)text.at) : text.len;
}

bool utf8_is_valid(struct str text)
{
    return utf8_valid_prefix(text) == text.len;
}

static struct str ascii_lower(struct arena *arena, struct str text)
{
    char *copy = arena_cstr(arena, text);

    for (size_t i = 0; i < text.len; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z') {
            copy[i] = (char)(copy[i] - 'A' + 'a');
        }
    }
    return (struct str){.at = copy, .len = text.len};
}

/* Takes a result of libunistring; NULL gives the text unchanged. */
static struct str keep(struct arena *arena, uint8_t *take_result, size_t len, struct str otherwise)
{
    struct str kept = otherwise;

    if (take_result) {
        kept = arena_str(arena, (struct str){.at = (const char *)take_result, .len = len});
        free(take_result);
    }
    return kept;
}

struct str utf8_lower(struct arena *arena, struct str text)
{
    size_t len = 0;

    if (is_ascii(text)) {
        return ascii_lower(arena, text);
    }
    if (!utf8_is_valid(text)) {
        return text;
    }
    uint8_t *lower = u8_tolower((const uint8_t *)text.at, text.len, NULL, NULL, NULL, &len);
    return keep(arena, lower, len, text);
}

static struct str collapse(struct arena *arena, struct str text)
{
    struct str trimmed = str_trim(text);
    char *copy = arena_alloc(arena, trimmed.len + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < trimmed.len; i++) {
        char c = trimmed.at[i];
        bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');

        if (is_blank && len && copy[len - 1] == ' ') {
            continue;
        }
        copy[len++] = is_blank ? ' ' : c;
    }
    return (struct str){.at = copy, .len = len};
}

struct str utf8_fold(struct arena *arena, struct str text)
{
    size_t len = 0;

    if (is_ascii(text)) {
        return collapse(arena, ascii_lower(arena, text));
    }
    if (!utf8_is_valid(text)) {
        return text;
    }
    uint8_t *folded =
        u8_casefold((const uint8_t *)text.at, text.len, NULL, UNINORM_NFKC, NULL, &len);
    return collapse(arena, keep(arena, folded, len, text));
}

struct str utf8_nfc(struct arena *arena, struct str text)
{
    size_t len = 0;

    if (is_ascii(text) || !utf8_is_valid(text)) {
        return text;
    }
    uint8_t *composed = u8_normalize(UNINORM_NFC, (const uint8_t *)text.at, text.len, NULL, &len);
    return keep(arena, composed, len, text);
}
