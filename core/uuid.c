#include "core/uuid.h"

#include <string.h>

#include "core/digest.h"

void uuid_v7(int64_t wall_ms, struct random *random, char ret[UUID_TEXT_BYTES])
{
    static const size_t GROUPS[] = {4, 2, 2, 2, 6};
    uint8_t bytes[16];
    size_t from = 0;
    char *to = ret;

    random_bytes(random, bytes, sizeof bytes);
    for (int i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)((uint64_t)wall_ms >> (8 * (5 - i)));
    }
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0F)); /* version 7 */
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F)); /* variant of RFC 9562 */
    for (size_t g = 0; g < COUNT_OF(GROUPS); g++) {
        hex_encode(bytes + from, GROUPS[g], to);
        from += GROUPS[g];
        to += 2 * GROUPS[g];
        *to++ = g + 1 < COUNT_OF(GROUPS) ? '-' : '\0';
    }
}

bool uuid_is_valid(struct str text)
{
    if (text.len != UUID_TEXT_BYTES - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}
