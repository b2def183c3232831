/* What an open connection needs before a sync may use it. */
#ifndef CRMSYNC_CLI_READY_H
#define CRMSYNC_CLI_READY_H

#include "cli/wire.h"

/* The account is the one that the links were made with; where something is to be written, what that needs at the CRM is made. */
enum fail ready_make(struct wire *wire, size_t index, bool writes, struct error *err) MUST_CHECK;
/* Something may be created there. */
bool ready_needs_set_up(const struct wire *wire, size_t index);
/* Makes the property for our id for kinds where it has not been seen yet. */
enum fail ready_set_up(struct wire *wire, size_t index, struct error *err) MUST_CHECK;

#endif
