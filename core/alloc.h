/* Allocation that cannot fail: it aborts with a message. A crash is safe here by design (see docs/architecture.md),
 * so there is no out-of-memory branch anywhere else. Sizes that come from outside are checked against a maximum first. */
#ifndef CRMSYNC_CORE_ALLOC_H
#define CRMSYNC_CORE_ALLOC_H

#include "core/attributes.h"

/* All memory is zeroed. Free with free(). */
void *alloc_new(size_t count, size_t size);
void *alloc_resize(void *memory, size_t count, size_t size); /* new part is NOT zeroed */
char *alloc_dup(const char *text);                           /* NULL gives NULL */
char *alloc_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/* Cleanup attribute for owned malloc memory. */
void alloc_free_ptr(void *pointer_to_pointer);
#define AUTO_FREE __attribute__((cleanup(alloc_free_ptr)))

#endif
