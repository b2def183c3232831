/* UUIDv7 (RFC 9562): time-ordered identities of records; also the correlation key at the CRMs. */
#ifndef CRMSYNC_CORE_UUID_H
#define CRMSYNC_CORE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/random.h"
#include "core/str.h"

enum { UUID_TEXT_BYTES = 37 };

/* Lower-case text with NUL. wall_ms gives the time part. */
void uuid_v7(int64_t wall_ms, struct random *random, char ret[UUID_TEXT_BYTES]);
/* Lower-case canonical form of any version. */
bool uuid_is_valid(struct str text);

#endif
