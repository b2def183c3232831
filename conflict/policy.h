/* Conflict strategies by name, as set per connection, kind and field. */
#ifndef CRMSYNC_CONFLICT_POLICY_H
#define CRMSYNC_CONFLICT_POLICY_H

#include <stdbool.h>

#include "core/fail.h"
#include "core/str.h"

enum strategy {
    STRATEGY_LAST_WRITE_WINS,
    STRATEGY_SOURCE_PRIORITY,
    STRATEGY_FIELD_MERGE,
    STRATEGY_MANUAL_REVIEW
};

/* Rule of STRATEGY_FIELD_MERGE. remote-first/local-first: that side unless it is blank. append: hub text, newline, remote text (once).
 * union: of lists, or of texts as a list. min/max: of numbers, dates and times. */
enum combine {
    COMBINE_REMOTE_FIRST,
    COMBINE_LOCAL_FIRST,
    COMBINE_APPEND,
    COMBINE_UNION,
    COMBINE_MIN,
    COMBINE_MAX
};

struct policy {
    enum strategy strategy;
    enum combine combine; /* STRATEGY_FIELD_MERGE */
    /* STRATEGY_SOURCE_PRIORITY: of the source the hub value came from; higher wins */
    int hub_priority;
    int remote_priority; /* of this connection */
};

/* "last-write-wins", "source-priority", "field-merge[:rule]", "manual-review"; aliases "local-master" (source-priority, hub always
 * higher), "external-master" (remote always higher), "manual". False: unknown. */
bool policy_parse(struct str text, struct policy *ret);
const char *strategy_name(enum strategy strategy);
const char *combine_name(enum combine combine);
/* "last-write-wins, source-priority, …" for messages. */
const char *policy_names(void);

#endif
