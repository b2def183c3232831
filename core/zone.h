/* Time zones: what the clock on the wall shows at a moment, by the IANA database of this machine (package tzdata). Read once into plain data
 * that threads may share; the C library's own conversion knows one zone for the whole process.
 * Format: RFC 8536 (TZif), with the rule in its last line for the time after the last entry (POSIX.1 TZ, as 3.3.1 there extends it). */
#ifndef CRMSYNC_CORE_ZONE_H
#define CRMSYNC_CORE_ZONE_H

#include "core/arena.h"
#include "core/fail.h"

enum { ZONE_FILE_BYTES_MAX = 256 * 1024, ZONE_NAME_BYTES_MAX = 64 };

struct zone; /* immutable; the arena's */

/* A stretch of time with one offset: from <= t < until, seconds since 1970 UTC. The outermost ones reach INT64_MIN and INT64_MAX. */
struct zone_span {
    int64_t from_s, until_s;
    int offset_s; /* local time minus UTC */
};

/* "Europe/Berlin"; "UTC" and "" need no database. FAIL_CONFIG: no such zone (and how to get the database), or its file is not understood. */
enum fail zone_load(struct arena *arena, struct str name, const struct zone **ret,
                    struct error *err) MUST_CHECK;
/* A zone from the content of a TZif file; name for messages. */
enum fail zone_parse(struct arena *arena, struct str name, struct str content,
                     const struct zone **ret, struct error *err) MUST_CHECK;
struct zone_span zone_span(const struct zone *zone, int64_t at_s);
struct str zone_name(const struct zone *zone);

#endif
