/* How the rules for alerts stand, between two looks and two lives of the process. They are the service's, not a tenant's. */
#ifndef CRMSYNC_STORE_ALERT_H
#define CRMSYNC_STORE_ALERT_H

#include "store/store.h"

enum alert_state { ALERT_QUIET, ALERT_PENDING, ALERT_FIRING };
enum alert_news { ALERT_NO_NEWS, ALERT_FIRES, ALERT_IS_OVER };

struct store_alert {
    struct str name;
    enum alert_state state;
    int64_t since_ms;       /* of the state */
    int64_t quiet_since_ms; /* while firing: the condition has not held since; 0 = it holds */
    int64_t told_ms;        /* when people were last told that it fires; 0 = not */
    enum alert_news to_tell;
    int64_t attempts;  /* to tell it */
    struct str told;   /* channels that know it, with commas */
    int64_t number;    /* of the news; rises */
    struct str detail; /* the series and value that it fired for */
};

/* By name. */
enum fail alert_list(struct tx *tx, struct arena *arena, struct store_alert **ret,
                     size_t *ret_count, struct error *err) MUST_CHECK;
enum fail alert_put(struct tx *tx, const struct store_alert *alert, struct error *err) MUST_CHECK;
/* "quiet", "pending", "firing" */
const char *alert_state_name(enum alert_state state);

#endif
