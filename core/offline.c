#include "core/offline.h"

#include <assert.h>

static _Thread_local int depth;

void offline_enter(void)
{
    depth++;
}

void offline_leave(void)
{
    assert(depth > 0);
    depth--;
}

bool offline_is_on(void)
{
    return depth > 0;
}
