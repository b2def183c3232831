/* The address on this machine that a CRM sends the browser to at the end of a sign-in. */
#ifndef CRMSYNC_CLI_CALLBACK_H
#define CRMSYNC_CLI_CALLBACK_H

#include "core/env.h"
#include "oauth/signin.h"

/* One answer came. OK: the sign-in is done; otherwise *ret_goes_on says whether to wait for another one. */
typedef enum fail callback_fn(void *context, const struct signin_answer *answer, bool *ret_goes_on,
                              struct error *err);

/* Listens at redirect_uri (http on loopback, its exact path) and calls answered, on another thread and one at a time, until it is done, has failed for good, or wait_ms
 * are over (FAIL_AUTH; an answer that came in time is finished first, however long its exchange takes). FAIL_CONFIG: the address is not this machine's, or its port is taken. */
enum fail callback_wait(struct env *env, struct str redirect_uri, int64_t wait_ms,
                        callback_fn *answered, void *context, struct error *err) MUST_CHECK;

/* What a redirected address, or its query alone, says: for people who copy it from a browser elsewhere. */
struct signin_answer callback_read(struct arena *arena, const struct http_request *request);

#endif
