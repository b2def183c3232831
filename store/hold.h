/* One at a time, among all threads and processes that use a store, for a matter that must not happen twice at once and takes longer than a
 * transaction may: a connection's exchange of tokens. The hold is the kernel's, and ends with its process however that ends. */
#ifndef CRMSYNC_STORE_HOLD_H
#define CRMSYNC_STORE_HOLD_H

#include "core/env.h"
#include "core/fail.h"

/* Waits up to wait_ms; FAIL_RETRY when somebody else has it for longer. No transaction is open on this thread. The file "<store_path>.holds" beside
 * the store stays. *ret_hold goes to hold_release(). */
enum fail hold_take(const char *store_path, int64_t connection_id, struct env *env, int64_t wait_ms,
                    int *ret_hold, struct error *err) MUST_CHECK;
void hold_release(int hold); /* accepts -1 */

#endif
