/* Page arena: memory that dies together. Everything read from one page of a CRM lives in that page's arena. */
#ifndef CRMSYNC_CORE_ARENA_H
#define CRMSYNC_CORE_ARENA_H

#include "core/attributes.h"
#include "core/str.h"

struct arena_block;
struct arena_duty;

/* Zero-initialised is a valid, empty arena. One thread at a time. */
struct arena {
    struct arena_block *blocks; /* owned */
    struct arena_duty *duties;  /* owned by the blocks; run at reset, last in first out */
    size_t used_bytes;          /* handed out since the last reset */
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);  /* runs duties, frees everything; accepts zeroed */
void arena_reset(struct arena *arena); /* as fini, but keeps one block for reuse */
/* Runs duties and overwrites all that was handed out, as for an answer with a token in it. Afterwards only arena_reset and arena_fini. */
void arena_wipe(struct arena *arena);
#define AUTO_ARENA __attribute__((cleanup(arena_fini)))

/* Zeroed, aligned for any type, never NULL. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), 1, sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))

/* Copies; the copy is NUL-terminated (the NUL is not counted in len). */
struct str arena_str(struct arena *arena, struct str text);
char *arena_cstr(struct arena *arena, struct str text);
struct str arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* Runs action(subject) when the arena is reset or ends: for JSON trees, handles. */
void arena_defer(struct arena *arena, void (*action)(void *subject), void *subject);

#endif
