/* Inside of sync/: what a run spends at the CRMs. */
#ifndef CRMSYNC_SYNC_SPENDING_H
#define CRMSYNC_SYNC_SPENDING_H

#include "sync/slice.h"

/* Writes down the calls since the last time. */
enum fail keep_spending(struct run *run, struct error *err);
/* The calls that the run was allowed are used up. */
bool is_spent(struct run *run);

#endif
