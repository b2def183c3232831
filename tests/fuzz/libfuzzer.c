/* A target under libFuzzer. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    fuzz_one((struct str){.at = (const char *)at, .len = len});
    return 0;
}
