/* Salesforce: ids. 15 characters that are case-sensitive, or 18 of which the last three encode the case of the others; the first
 * three name the object. source: Object Reference, "Field Types", ID */
#include "adapters/salesforce_inside.h"

enum { GROUPS = 3, GROUP_LENGTH = 5 };

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bit i of a group's value: its i-th character is a capital. */
static void make_suffix(struct str id, char ret[GROUPS])
{
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

    for (size_t group = 0; group < GROUPS; group++) {
        unsigned value = 0;

        for (size_t i = 0; i < GROUP_LENGTH; i++) {
            char c = id.at[group * GROUP_LENGTH + i];

            value |= (c >= 'A' && c <= 'Z' ? 1u : 0u) << i;
        }
        ret[group] = LETTERS[value];
    }
}

bool salesforce_is_id(struct str id)
{
    char suffix[GROUPS];

    if (id.len != SF_ID_SHORT && id.len != SF_ID_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        if (!is_alphanumeric(id.at[i])) {
            return false;
        }
    }
    make_suffix(id, suffix);
    return id.len == SF_ID_SHORT || memcmp(id.at + SF_ID_SHORT, suffix, GROUPS) == 0;
}

struct str salesforce_id18(struct arena *arena, struct str id)
{
    char suffix[GROUPS];

    if (id.len != SF_ID_SHORT) {
        return id;
    }
    make_suffix(id, suffix);
    return arena_printf(arena, "%" PRI_STR "%.3s", STR_ARG(id), suffix);
}

bool salesforce_same_id(struct str x, struct str y)
{
    return x.len >= SF_ID_SHORT && y.len >= SF_ID_SHORT && memcmp(x.at, y.at, SF_ID_SHORT) == 0;
}

bool salesforce_has_prefix(struct str id, const char *prefix)
{
    return prefix[0] && id.len >= SF_PREFIX_LENGTH && memcmp(id.at, prefix, SF_PREFIX_LENGTH) == 0;
}
