/* Store handles for the threads that answer requests: taken for a call and given back. */
#ifndef CRMSYNC_API_HANDLES_H
#define CRMSYNC_API_HANDLES_H

#include "store/store.h"

struct handles;

/* source is borrowed. is_private: source itself is what every call gets, on its one thread. */
struct handles *handles_new(struct store *source, bool is_private);
void handles_free(struct handles *handles); /* all are given back by now; accepts NULL */
/* STORE_READ or STORE_WRITE. Any thread. */
enum fail handles_take(struct handles *handles, enum store_access access, struct store **ret,
                       struct error *err) MUST_CHECK;
void handles_give(struct handles *handles, enum store_access access, struct store *store);

#endif
