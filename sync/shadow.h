/* A CRM that keeps writes to itself: reads go to the real adapter and show, on top, what was written here. Nothing is sent that changes anything.
 * With it a plan is an ordinary run. */
#ifndef CRMSYNC_SYNC_SHADOW_H
#define CRMSYNC_SYNC_SHADOW_H

#include "sync/sync.h"

struct shadow;

/* *connection keeps its row and gets a session and settings that live as long as the shadow; real is borrowed. */
struct shadow *shadow_new(struct env *env, const struct sync_connection *real,
                          struct sync_connection *ret);
void shadow_free(struct shadow *shadow); /* accepts NULL */
/* Calls that the writes so far would have taken. */
int64_t shadow_write_calls(const struct shadow *shadow);

#endif
