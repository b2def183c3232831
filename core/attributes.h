/* Compiler attributes and small macros used everywhere. Included by every other header; includes nothing of ours
 * but banned.h, so that a banned function fails to compile in any file. */
#ifndef CRMSYNC_CORE_ATTRIBUTES_H
#define CRMSYNC_CORE_ATTRIBUTES_H

#include <stddef.h>

#include "core/banned.h"

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))
#define NORETURN __attribute__((noreturn))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Hands an owned pointer on and clears the variable, so that a cleanup attribute does not free it. */
#define TAKE_PTR(pointer)                                                                          \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* Memory that is written before it is read, and too large to be zeroed each time. */
#define UNINITIALIZED __attribute__((uninitialized))

#endif
