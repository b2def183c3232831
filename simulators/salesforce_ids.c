/* Ids: a prefix for the kind of object, the place where the account lives, a number in base 62, and for the long form three characters
 * that say which of the others are capitals. Source: object reference, field types; checked against the ids of the reference. */
#include "simulators/salesforce_inside.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char checks[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
static const char instance[] = "8d0";

enum { PREFIX = 3, SHORT = 15, LONG = 18, NUMBER_AT = 6, BASE = 62, GROUP = 5 };

static void add_checks(char id[SF_ID_BYTES])
{
    for (size_t group = 0; group < SHORT / GROUP; group++) {
        unsigned bits = 0;

        for (size_t i = 0; i < GROUP; i++) {
            char c = id[group * GROUP + i];

            bits |= (unsigned)(c >= 'A' && c <= 'Z') << i;
        }
        id[SHORT + group] = checks[bits];
    }
    id[LONG] = '\0';
}

void sf_id_format(const char *prefix, int64_t number, char ret[SF_ID_BYTES])
{
    memcpy(ret, prefix, PREFIX);
    memcpy(ret + PREFIX, instance, NUMBER_AT - PREFIX);
    for (size_t i = SHORT; i > NUMBER_AT; i--) {
        ret[i - 1] = digits[number % BASE];
        number /= BASE;
    }
    add_checks(ret);
}

static bool all_alphanumeric(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\0' || !strchr(digits, text.at[i])) {
            return false;
        }
    }
    return true;
}

bool sf_id_parse(struct str text, char ret_prefix[SF_PREFIX_BYTES], int64_t *ret_number)
{
    char whole[SF_ID_BYTES];

    if ((text.len != SHORT && text.len != LONG) || !all_alphanumeric(text)) {
        return false;
    }
    memcpy(whole, text.at, SHORT);
    add_checks(whole);
    if (text.len == LONG && memcmp(whole, text.at, LONG) != 0) {
        return false;
    }
    memcpy(ret_prefix, whole, PREFIX);
    ret_prefix[PREFIX] = '\0';
    *ret_number = -1;
    if (memcmp(whole + PREFIX, instance, NUMBER_AT - PREFIX) == 0) {
        *ret_number = 0;
        for (size_t i = NUMBER_AT; i < SHORT; i++) {
            *ret_number = *ret_number * BASE + (strchr(digits, whole[i]) - digits);
        }
    }
    return true;
}
