/* Inside of sync/: one object or pair held against what is kept of it. Nothing stays of what is tried; findings are written down. Not for other rooms. */
#ifndef CRMSYNC_SYNC_COMPARE_H
#define CRMSYNC_SYNC_COMPARE_H

#include "store/divergence.h"
#include "store/reconcile.h"
#include "sync/pass.h"

struct comparing {
    struct pass *pass;
    struct store_reconcile state;
    bool
        is_about_claims; /* suspects are pairs that by their bases are not written there: would a push write? */
};

/* The object as a listing shows it, inside pass->tx. ret_link_id: its live link, 0 none. ret_suspect: it has to be read by id and judged. */
enum fail compare_listed(struct comparing *comparing, const struct remote_record *remote,
                         int64_t began_ms, int64_t *ret_link_id, bool *ret_suspect,
                         struct error *err);
/* The object as read by id, inside pass->tx: what differs is written down. */
enum fail compare_read(struct comparing *comparing, const struct remote_record *remote,
                       int64_t began_ms, struct error *err);
/* A pair against its base, inside pass->tx. One that claims to be written there and does not look so becomes a suspect. */
enum fail compare_pair(struct comparing *comparing, const struct store_pair *pair, bool *ret_agrees,
                       struct error *err);
/* A record without an object there, inside pass->tx. */
enum fail compare_lonely(struct comparing *comparing, int64_t record_id, struct error *err);

#endif
