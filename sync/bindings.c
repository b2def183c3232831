#include "sync/bindings.h"

#include <stdlib.h>

#include "core/alloc.h"

enum { KINDS_MAX = 64 }; /* more are learned anew each time */

struct bindings {
    struct arena arena; /* of all that was learned */
    int64_t since_ms;   /* of the oldest of it */
    const struct mapping *mappings[KINDS_MAX];
    size_t count;
    const struct remote_users *users;
};

struct bindings *bindings_new(void)
{
    return alloc_new(1, sizeof(struct bindings));
}

void bindings_free(struct bindings *bindings)
{
    if (bindings) {
        arena_fini(&bindings->arena);
        free(bindings);
    }
}

void bindings_refresh(struct bindings *bindings, int64_t now_ms, int64_t age_max_ms)
{
    if (bindings->count && now_ms - bindings->since_ms < age_max_ms) {
        return;
    }
    arena_fini(&bindings->arena);
    *bindings = (struct bindings){.since_ms = now_ms};
}

const struct mapping *bindings_mapping(const struct bindings *bindings, struct str kind)
{
    for (size_t i = 0; i < bindings->count; i++) {
        if (str_equal(bindings->mappings[i]->kind->name, kind)) {
            return bindings->mappings[i];
        }
    }
    return NULL;
}

const struct remote_users *bindings_users(const struct bindings *bindings)
{
    return bindings->users;
}

struct arena *bindings_arena(struct bindings *bindings)
{
    return &bindings->arena;
}

void bindings_put(struct bindings *bindings, const struct mapping *mapping,
                  const struct remote_users *users)
{
    if (bindings->count < KINDS_MAX) {
        bindings->mappings[bindings->count++] = mapping;
    }
    bindings->users = users ? users : bindings->users;
}
