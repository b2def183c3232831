/* Reconciliation: the two sides of a stream are compared completely, whatever cursors, webhooks and versions say. It finds what was missed, and changes
 * nothing on either side: with `repair` what it finds is marked, and the ordinary sync looks at it.
 *
 * Everything there is listed; an object whose digest is that of its link agrees. What seems to differ, is new, or was not listed although it is linked is read
 * by id and judged by that: the ordinary merge is tried inside a savepoint and taken back. Then every pair here is held against its base; those in buckets that
 * did not change since they were found in agreement need not be looked at. Resumable: position and findings are kept page by page.
 * The result: store/divergence.h. docs/reconciliation.md. */
#ifndef CRMSYNC_SYNC_RECONCILE_H
#define CRMSYNC_SYNC_RECONCILE_H

#include "sync/sync.h"

/* Of options count command, connection, kind, wait_max_ms, comes_back, lane, turn_ms, bindings_age_max_ms and budget. Streams whose first import or back-fill is
 * under way are left out: they are being read completely already. OK, failures and problems as sync_run(); has_more: the turn was over, the next call
 * goes on. A comparison with another `repair`, of another mapping or of yesterday is begun anew. */
enum fail sync_reconcile(struct sync *sync, const struct sync_options *options, bool repair,
                         struct sync_report *ret, struct error *err) MUST_CHECK;

#endif
