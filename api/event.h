/* An event as other software is told of it: made at the moment of sending from what the store holds then, so that nothing that was erased meanwhile is
 * ever told. docs/events.md is the contract. */
#ifndef CRMSYNC_API_EVENT_H
#define CRMSYNC_API_EVENT_H

#include "store/feed.h"

enum event_type {
    EVENT_RECORD_CREATED,
    EVENT_RECORD_UPDATED,
    EVENT_RECORD_DELETED,
    EVENT_RECORD_RESTORED,
    EVENT_RECORD_MERGED,
    EVENT_CONFLICT_OPENED,
    EVENT_CONFLICT_RESOLVED,
    EVENT_TYPES
};

/* What is said of the fields that changed. */
enum event_fields { EVENT_FIELDS_NONE, EVENT_FIELDS_NAMES, EVENT_FIELDS_ALL };

enum { EVENT_KINDS_MAX = 64 };

/* Plain data but for the borrowed names. */
struct event_filter {
    unsigned types;          /* bits, 1 << enum event_type; 0 = all */
    const struct str *kinds; /* names */
    size_t kinds_count;      /* 0 = all */
    enum event_fields fields;
};

struct event {
    enum event_type type;
    struct str id;   /* "evt_1_4711": the same whenever it is made, and of no other event ever */
    struct str body; /* {"id", "type", "timestamp", "data": {…}} */
};

/* "record.created" */
const char *event_type_name(enum event_type type);
bool event_type_parse(struct str name, enum event_type *ret);
/* "none", "names", "all" */
bool event_fields_parse(struct str name, enum event_fields *ret);
/* "evt_1_4711"; of a conflict "evt_1_c12". Arena's. */
struct str event_id(struct arena *arena, const struct feed_item *item);
/* ret_is_one false: nothing that anybody hears of, or not by this filter. Texts are arena's. */
enum fail event_make(struct tx *tx, const struct feed_item *item, const struct event_filter *filter,
                     struct arena *arena, struct event *ret, bool *ret_is_one,
                     struct error *err) MUST_CHECK;

#endif
