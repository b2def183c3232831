#include "core/json_text.h"

#include <stdint.h>
#include <string.h>

#include "core/digest.h"

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of each byte that is zero; of none when none is. */
static uint64_t zero_bytes(uint64_t eight)
{
    return (eight - EACH_BYTE(1)) & ~eight & EACH_BYTE(0x80);
}

size_t json_plain_eights(const char *at, size_t len)
{
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
        uint64_t eight;

        memcpy(&eight, at + i, sizeof eight);
        if (((eight - EACH_BYTE(0x20)) & ~eight & EACH_BYTE(0x80)) |
            zero_bytes(eight ^ EACH_BYTE('"')) | zero_bytes(eight ^ EACH_BYTE('\\'))) {
            break;
        }
    }
    return i;
}

static bool take_hex4(const char **at, const char *end, uint32_t *ret)
{
    uint8_t bytes[2];

    if (end - *at < 4 || !hex_decode((struct str){.at = *at, .len = 4}, bytes, 2)) {
        return false;
    }
    *at += 4;
    *ret = (uint32_t)bytes[0] << 8 | bytes[1];
    return true;
}

/* What follows "\u", one UTF-16 unit or a surrogate pair. */
static bool take_code_point(const char **at, const char *end, uint32_t *ret)
{
    uint32_t high, low;

    if (!take_hex4(at, end, &high) || (high >= 0xDC00 && high <= 0xDFFF)) {
        return false;
    }
    *ret = high;
    if (high < 0xD800 || high > 0xDBFF) {
        return true;
    }
    if (end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u') {
        return false;
    }
    *at += 2;
    if (!take_hex4(at, end, &low) || low < 0xDC00 || low > 0xDFFF) {
        return false;
    }
    *ret = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xE0 | code >> 12);
        } else {
            *to++ = (char)(0xF0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (code & 0x3F));
    return to;
}

bool json_unescape(const char **at, const char *end, char **to)
{
    static const char FROM[] = "\"\\/bfnrt", INTO[] = "\"\\/\b\f\n\r\t";
    uint32_t code = 0;
    const char *known;
    char c;

    if (*at == end) {
        return false;
    }
    c = *(*at)++;
    if (c == 'u') {
        if (!take_code_point(at, end, &code)) {
            return false;
        }
        *to = put_utf8(*to, code);
        return true;
    }
    known = c ? strchr(FROM, c) : NULL;
    if (!known) {
        return false;
    }
    *(*to)++ = INTO[known - FROM];
    return true;
}
