#include "core/base64.h"

#include <assert.h>

static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char FOR_URLS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str encode(struct arena *arena, const uint8_t *at, size_t count, const char *alphabet)
{
    char *text = arena_alloc(arena, (count + 2) / 3 * 4 + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i;
        uint32_t bits = (uint32_t)at[i] << 16;

        bits |= left > 1 ? (uint32_t)at[i + 1] << 8 : 0;
        bits |= left > 2 ? at[i + 2] : 0;
        text[len++] = alphabet[bits >> 18];
        text[len++] = alphabet[bits >> 12 & 63];
        if (left > 1) {
            text[len++] = alphabet[bits >> 6 & 63];
        }
        if (left > 2) {
            text[len++] = alphabet[bits & 63];
        }
    }
    while (alphabet == PLAIN && len % 4) {
        text[len++] = '=';
    }
    return (struct str){.at = text, .len = len};
}

struct str base64_encode(struct arena *arena, const void *bytes, size_t count)
{
    return encode(arena, bytes, count, PLAIN);
}

struct str base64url_encode(struct arena *arena, const void *bytes, size_t count)
{
    return encode(arena, bytes, count, FOR_URLS);
}

static bool value_of(char c, const char *alphabet, uint32_t *ret)
{
    const char *found = c ? strchr(alphabet, c) : NULL;

    *ret = found ? (uint32_t)(found - alphabet) : 0;
    return found != NULL;
}

/* text without padding; `to` has room for text.len / 4 * 3 + 3 bytes. */
static bool decode(struct str text, const char *alphabet, uint8_t *to, size_t *ret_len)
{
    size_t len = 0;
    uint32_t bits = 0, bits_count = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint32_t value;

        if (!value_of(text.at[i], alphabet, &value)) {
            return false;
        }
        bits = (bits << 6 | value) & 0xfff;
        bits_count += 6;
        if (bits_count >= 8) {
            bits_count -= 8;
            to[len++] = (uint8_t)(bits >> bits_count);
        }
    }
    *ret_len = len;
    return bits_count != 6 && (bits & ((1U << bits_count) - 1)) == 0;
}

static bool decode_new(struct arena *arena, struct str text, const char *alphabet, struct str *ret)
{
    uint8_t *bytes = arena_alloc(arena, text.len / 4 * 3 + 3, 1);
    size_t len;

    if (!decode(text, alphabet, bytes, &len)) {
        return false;
    }
    *ret = (struct str){.at = (const char *)bytes, .len = len};
    return true;
}

static bool without_padding(struct str text, struct str *ret)
{
    struct str bare = text;

    for (int i = 0; i < 2 && bare.len && bare.at[bare.len - 1] == '='; i++) {
        bare.len--;
    }
    *ret = bare;
    return text.len % 4 == 0;
}

bool base64_decode(struct arena *arena, struct str text, struct str *ret)
{
    struct str bare;

    return without_padding(text, &bare) && decode_new(arena, bare, PLAIN, ret);
}

bool base64_decode_exactly(struct str text, uint8_t *ret, size_t count)
{
    uint8_t bytes[BASE64_EXACTLY_MAX + 3];
    struct str bare;
    size_t len;

    assert(count <= BASE64_EXACTLY_MAX);
    if (text.len != (count + 2) / 3 * 4 || !without_padding(text, &bare) ||
        !decode(bare, PLAIN, bytes, &len) || len != count) {
        return false;
    }
    memcpy(ret, bytes, count);
    return true;
}

bool base64url_decode(struct arena *arena, struct str text, struct str *ret)
{
    return decode_new(arena, text, FOR_URLS, ret);
}
