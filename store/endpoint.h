/* Where events are delivered to (docs/events.md): how far each endpoint has got, and what it did not take. */
#ifndef CRMSYNC_STORE_ENDPOINT_H
#define CRMSYNC_STORE_ENDPOINT_H

#include "store/feed.h"

enum endpoint_state {
    ENDPOINT_ACTIVE,
    ENDPOINT_OFF,    /* it answered that it is gone; until a person switches it on again */
    ENDPOINT_REMOVED /* not configured any more; configured again, it starts at the newest place */
};

struct store_endpoint {
    int64_t id;
    struct str name;
    enum endpoint_state state;
    struct feed_place place;   /* all up to here is delivered, given up, or none of its business */
    int64_t refusals;          /* of the event behind that place */
    int64_t failures;          /* in a row */
    int64_t failing_since_ms;  /* 0: the last delivery went well */
    int64_t next_ms;           /* not before; wall clock */
    struct str reason;         /* of the last failure; "" none */
    int64_t delivered, failed; /* deliveries since it is known */
    int64_t changed_ms;
};

/* "active", "off", "removed" */
const char *endpoint_state_name(enum endpoint_state state);
/* By name; made, or taken up again, at the newest place. */
enum fail endpoint_ensure(struct tx *tx, struct str name, struct arena *arena,
                          struct store_endpoint *ret, struct error *err) MUST_CHECK;
/* By id. */
enum fail endpoint_list(struct tx *tx, struct arena *arena, struct store_endpoint **ret,
                        size_t *ret_count, struct error *err) MUST_CHECK;
enum fail endpoint_by_name(struct tx *tx, struct str name, struct arena *arena,
                           struct store_endpoint *ret, bool *ret_found,
                           struct error *err) MUST_CHECK;
/* Writes all but id and name; sets changed_ms. */
enum fail endpoint_put(struct tx *tx, struct store_endpoint *endpoint,
                       struct error *err) MUST_CHECK;

/* An event that was given up. */
struct dead_event {
    int64_t id, endpoint_id;
    int64_t journal, conflict; /* its number in one of them, the other is 0 */
    bool is_to_send;           /* a person wants it sent once more */
    int64_t attempts;
    struct str reason;
    int64_t died_ms;
};

/* Does nothing when it is there already. */
enum fail dead_event_put(struct tx *tx, const struct dead_event *dead,
                         struct error *err) MUST_CHECK;
/* endpoint_id 0: of all. By id, after one. */
enum fail dead_event_list(struct tx *tx, int64_t endpoint_id, bool only_to_send, int64_t after_id,
                          size_t limit, struct arena *arena, struct dead_event **ret,
                          size_t *ret_count, struct error *err) MUST_CHECK;
/* ret_found false: there is none of that id. */
enum fail dead_event_send(struct tx *tx, int64_t id, bool *ret_found, struct error *err) MUST_CHECK;
/* It was sent once more: it goes, or stays with the reason. */
enum fail dead_event_sent(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;
enum fail dead_event_failed(struct tx *tx, int64_t id, struct str reason,
                            struct error *err) MUST_CHECK;
enum fail dead_event_count(struct tx *tx, int64_t endpoint_id, int64_t *ret,
                           struct error *err) MUST_CHECK;

#endif
