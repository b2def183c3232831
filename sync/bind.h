/* Inside of sync/: the mapping of a stream as it fits the CRM's present schema. Not for other rooms. */
#ifndef CRMSYNC_SYNC_BIND_H
#define CRMSYNC_SYNC_BIND_H

#include "sync/pass.h"

/* Describes the kind, binds its mapping, and keeps what does not fit any more as failures: fields are frozen, records go on. *ret lives in arena.
 * A different set of frozen fields gives another version, so that every record is looked at again when a field freezes or thaws. */
enum fail bind_mapping(struct pass *pass, struct arena *arena, struct mapping *ret,
                       struct error *err);
/* What the version of a bound mapping says about frozen fields: "+1a2b3c4d", "" none. */
#define FROZEN_MARK "+"
struct str frozen_part(const struct mapping *mapping);
/* Everybody at the CRM; *ret lives in arena. */
enum fail bind_users(struct pass *pass, struct arena *arena, const struct remote_users **ret,
                     struct error *err);
/* Owners that had no user and have one now: their failures go, and every record of the stream is looked at again. */
enum fail bind_owners(struct pass *pass, struct error *err);
bool mapping_has_owners(const struct mapping *mapping);

/* What failures about a schema stand under instead of a remote id. */
#define SCHEMA_REMOTE_ID "(schema)"

#endif
