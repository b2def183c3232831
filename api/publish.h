/* Events delivered to endpoints of other software. Each endpoint follows the store's feed from a place of its own, in order and one event at a time; what
 * becomes of an endpoint is nobody else's business. At least once: the place is kept after the deliveries, so a crash in between repeats some of them under
 * the ids they had. Times and waits come from env; the caller brings the threads. */
#ifndef CRMSYNC_API_PUBLISH_H
#define CRMSYNC_API_PUBLISH_H

#include "api/event.h"
#include "api/hook.h"
#include "store/endpoint.h"

enum {
    PUBLISH_BATCH = 100,    /* events looked at in one turn */
    PUBLISH_TURN_MS = 1000, /* a turn begins no later delivery */
    PUBLISH_LOOK_MS =
        2000, /* without news an endpoint is looked at this often, for what people decided */
    PUBLISH_REFUSALS_MAX = 8,     /* then the event is given up, and the next one tried */
    PUBLISH_FIRST_WAIT_MS = 5000, /* doubled with each failure in a row */
    PUBLISH_WAIT_MAX_MS = 60 * 60 * 1000,
    PUBLISH_SLOW_MS = 2000, /* an endpoint that takes longer counts as one in trouble */
};

/* An endpoint as it is configured. */
struct publish_target {
    int64_t tenant_id;
    struct str tenant, name;
    struct secret url;
    struct secret secrets[HOOK_SECRETS_MAX];
    size_t secrets_count;
    struct error
        problem; /* code OK: none; else why it cannot be delivered to, as a variable that is not set */
    struct event_filter filter;
    int64_t give_up_ms; /* an endpoint that fails for so long is not sent what is older than that */
};

struct publisher_options {
    struct env *env; /* with a transport */
    bool allow_loopback;
    const struct publish_target *targets; /* borrowed */
    size_t targets_count;
    const int64_t *tenants; /* all there are; borrowed while publisher_begin() */
    size_t tenants_count;
    int workers; /* how many turns may be under way */
};

struct publisher;

struct publisher *publisher_new(const struct publisher_options *options);
void publisher_free(struct publisher *publisher); /* no turn is under way; accepts NULL */
/* New endpoints start at the newest place; those that are not configured any more are put aside. Once, before the first turn. */
enum fail publisher_begin(struct publisher *publisher, struct store *writer,
                          struct error *err) MUST_CHECK;

/* Any thread. False: nothing is due; *ret_wait_ms says when to ask again. */
bool publisher_take(struct publisher *publisher, size_t *ret_target, int64_t *ret_wait_ms);
/* Delivers what is due at one endpoint, and keeps how far it got. The thread's own handles. What goes wrong is logged. Gives the target back. */
void publisher_turn(struct publisher *publisher, size_t target, struct store *reader,
                    struct store *writer);
/* Something was written to the feed. */
void publisher_news(struct publisher *publisher);
/* Deliveries under way end soon, and no later one begins. */
void publisher_cancel(struct publisher *publisher);

/* As of the last turn. */
struct publisher_stats {
    struct store_endpoint row; /* without texts */
    int64_t dead;
    int64_t oldest_ms; /* when the first event happened that waits; 0: none waits */
};
struct publisher_stats publisher_stats(struct publisher *publisher, size_t target);

#endif
