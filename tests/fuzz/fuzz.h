/* What the fuzz targets share. A target is one file, tests/fuzz/<room>_<what>.c, with fuzz_one() and what has to hold for whatever comes; its first inputs are
 * the files of tests/fuzz/corpus/<room>_<what>/. `scripts/fuzz` runs it under libFuzzer; in the ordinary tests replay.c runs it over its corpus and over
 * spoiled copies of that. */
#ifndef CRMSYNC_TESTS_FUZZ_H
#define CRMSYNC_TESTS_FUZZ_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/fail.h"
#include "core/str.h"

/* The target. input lives until it returns. */
void fuzz_one(struct str input);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

#define MUST_HOLD(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s: ", __FILE__, __LINE__, #condition);         \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, "\n");                                                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* --- an input as a series of choices; nothing is left: zeros and empty texts ------------------ */

static inline unsigned take_byte(struct str *input)
{
    unsigned byte = input->len ? (unsigned char)input->at[0] : 0;

    *input = str_slice(*input, input->len ? 1 : 0, input->len);
    return byte;
}

static inline int64_t take_i64(struct str *input)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++) {
        number = number << 8 | take_byte(input);
    }
    return (int64_t)number;
}

/* Up to a byte 0x1f, which goes too, or all that is left: readable inputs stay readable. */
static inline struct str take_part(struct str *input)
{
    const char *end = input->len ? memchr(input->at, 0x1f, input->len) : NULL;
    size_t len = end ? (size_t)(end - input->at) : input->len;
    struct str part = str_slice(*input, 0, len);

    *input = str_slice(*input, end ? len + 1 : len, input->len);
    return part;
}

#endif
