/* A mark on the current thread: inside a store transaction no network call may be made. The store sets it,
 * http_exec() asserts it is not set. */
#ifndef CRMSYNC_CORE_OFFLINE_H
#define CRMSYNC_CORE_OFFLINE_H

#include <stdbool.h>

void offline_enter(void);
void offline_leave(void);
bool offline_is_on(void);

#endif
