#include "core/arena.h"

#include <assert.h>
#include <limits.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

enum { BLOCK_BYTES = 64 * 1024 - 64, KEEP_BYTES_MAX = 1024 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char bytes[];
};

struct arena_duty {
    struct arena_duty *next;
    void (*action)(void *subject);
    void *subject;
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void run_duties(struct arena *arena)
{
    while (arena->duties) {
        struct arena_duty *duty = arena->duties;

        arena->duties = duty->next;
        duty->action(duty->subject);
    }
}

void arena_fini(struct arena *arena)
{
    run_duties(arena);
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used_bytes = 0;
}

void arena_wipe(struct arena *arena)
{
    run_duties(arena); /* they are kept in the blocks as well */
    for (struct arena_block *block = arena->blocks; block; block = block->next) {
        explicit_bzero(block->bytes, block->used);
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept;

    run_duties(arena);
    kept = arena->blocks;
    if (!kept || kept->size > KEEP_BYTES_MAX) {
        arena_fini(arena);
        return;
    }
    while (kept->next) {
        struct arena_block *next = kept->next->next;

        free(kept->next);
        kept->next = next;
    }
    kept->used = 0;
    arena->used_bytes = 0;
}

static struct arena_block *block_new(size_t bytes)
{
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    struct arena_block *block;

    assert(size < SIZE_MAX - sizeof *block);
    block = alloc_resize(NULL, 1, sizeof *block + size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    const size_t alignment = alignof(max_align_t);
    size_t bytes;
    char *at;

    assert(size == 0 || count <= SIZE_MAX / 2 / size);
    bytes = (count * size + alignment - 1) / alignment * alignment;
    if (bytes == 0) {
        bytes = alignment;
    }
    if (!arena->blocks || arena->blocks->size - arena->blocks->used < bytes) {
        struct arena_block *block = block_new(bytes);

        /* A large piece goes behind the current block, which still has room for small ones. */
        if (arena->blocks && bytes > BLOCK_BYTES / 4) {
            block->next = arena->blocks->next;
            arena->blocks->next = block;
            block->used = bytes;
            arena->used_bytes += bytes;
            return memset(block->bytes, 0, bytes);
        }
        block->next = arena->blocks;
        arena->blocks = block;
    }
    at = arena->blocks->bytes + arena->blocks->used;
    arena->blocks->used += bytes;
    arena->used_bytes += bytes;
    return memset(at, 0, bytes);
}

char *arena_cstr(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1, 1);

    if (text.len) {
        memcpy(copy, text.at, text.len);
    }
    return copy;
}

struct str arena_str(struct arena *arena, struct str text)
{
    return (struct str){.at = arena_cstr(arena, text), .len = text.len};
}

/* Most texts are short: those are written once. */
struct str arena_printf(struct arena *arena, const char *format, ...)
{
    char brief[256];
    va_list arguments, again;
    size_t len;
    char *at;

    va_start(arguments, format);
    va_copy(again, arguments);
    len = (size_t)vsnprintf(brief, sizeof brief, format, arguments);
    va_end(arguments);
    assert(len <= INT_MAX); /* it fails for bad formats only */
    at = arena_alloc(arena, len + 1, 1);
    if (len < sizeof brief) {
        memcpy(at, brief, len + 1);
    } else {
        vsnprintf(at, len + 1, format, again);
    }
    va_end(again);
    return (struct str){.at = at, .len = len};
}

void arena_defer(struct arena *arena, void (*action)(void *subject), void *subject)
{
    struct arena_duty *duty = ARENA_NEW(arena, struct arena_duty);

    duty->action = action;
    duty->subject = subject;
    duty->next = arena->duties;
    arena->duties = duty;
}
