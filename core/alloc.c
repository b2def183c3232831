#include "core/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NORETURN void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr,
            "crmsync: out of memory (%zu x %zu bytes); what was committed is safe, start again\n",
            count, size);
    abort();
}

void *alloc_new(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);

    if (!memory) {
        out_of_memory(count, size);
    }
    return memory;
}

void *alloc_resize(void *memory, size_t count, size_t size)
{
    void *wider;

    if (size && count > SIZE_MAX / size) {
        out_of_memory(count, size);
    }
    wider = realloc(memory, count == 0 || size == 0 ? 1 : count * size);
    if (!wider) {
        out_of_memory(count, size);
    }
    return wider;
}

char *alloc_dup(const char *text)
{
    char *copy;

    if (!text) {
        return NULL;
    }
    copy = strdup(text);
    if (!copy) {
        out_of_memory(1, strlen(text) + 1);
    }
    return copy;
}

char *alloc_printf(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        out_of_memory(1, 0);
    }
    va_end(arguments);
    return text;
}

void alloc_free_ptr(void *pointer_to_pointer)
{
    void *memory;

    memcpy(&memory, pointer_to_pointer, sizeof memory);
    free(memory);
}
