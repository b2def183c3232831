/* A secret cannot be printed by accident: it is no str, no format takes it, and it is wiped when it ends. */
#ifndef CRMSYNC_CORE_SECRET_H
#define CRMSYNC_CORE_SECRET_H

#include <stdbool.h>

#include "core/str.h"

struct secret {
    char *bytes; /* owned, NUL-terminated, wiped on fini. Read it only through secret_expose() */
    size_t len;
};

/* Copies text; wipes what was there before. */
void secret_set(struct secret *secret, struct str text);
void secret_fini(struct secret *secret); /* wipes; accepts zeroed */
#define AUTO_SECRET __attribute__((cleanup(secret_fini)))
bool secret_is_empty(const struct secret *secret);
/* constant time for equal lengths */
bool secret_equal(const struct secret *x, const struct secret *y);
/* Borrowed until the secret changes. Only for building an Authorization header, a MAC or an envelope. */
struct str secret_expose(const struct secret *secret);

#endif
