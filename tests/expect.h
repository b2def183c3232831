/* One claim with a sentence that says what was expected; the sentence is printed when it does not hold. Include it
 * after cmocka. */
#ifndef CRMSYNC_TESTS_EXPECT_H
#define CRMSYNC_TESTS_EXPECT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/str.h"

#define EXPECT(claim, ...)                                                                         \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

#define EXPECT_STR(got, want, why)                                                                 \
    do {                                                                                           \
        struct str got_ = (got), want_ = (want);                                                   \
        EXPECT(str_equal(got_, want_), "%s: got '%" PRI_STR "', wanted '%" PRI_STR "'", (why),     \
               STR_ARG(got_), STR_ARG(want_));                                                     \
    } while (0)

#endif
