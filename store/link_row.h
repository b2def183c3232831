/* A row of links as link.c and link_list.c read it. Inside the store folder only. */
#ifndef CRMSYNC_STORE_LINK_ROW_H
#define CRMSYNC_STORE_LINK_ROW_H

#include "store/inside.h"
#include "store/link.h"

/* Of a table or alias named l. */
#define LINK_COLUMNS                                                                               \
    "l.id, l.connection_id, l.kind, l.record_id, l.remote_id, l.state, l.remote_modified_ms, "     \
    "l.synced_version, l.last_write_ms, l.gone_since_ms, l.scan, l.retry_at_ms, l.digest, "        \
    "l.base, "                                                                                     \
    "l.is_resting"

row_read link_read; /* into a struct store_link */
/* False when there is none. */
bool link_read_digest(const struct stmt *stmt, int column, struct digest *ret);

#endif
