/* One look at all alerts: which fire, which are over, and telling those who should know. For the service, once a minute, and for `crmsync alerts`. */
#ifndef CRMSYNC_CLI_ALERTING_H
#define CRMSYNC_CLI_ALERTING_H

#include "api/alert_notice.h"
#include "cli/config_alerts.h"
#include "core/env.h"

enum { ALERTING_EVERY_MS = 60 * 1000 };

struct alerting {
    struct env *env;     /* its transport carries webhooks */
    struct store *store; /* STORE_WRITE, the calling thread's */
    const struct config_alerts *alerts;
    bool allow_loopback;
    /* how a mail is sent; NULL: mail_send() */
    enum fail (*send_mail)(const struct mail_server *server, const struct mail *mail,
                           struct clock *clock, struct random *random, struct error *err);
};

/* Compares every rule with the samples, keeps the states, and tells what is news; blocks for that, at most a few seconds for each channel. What could not be told is
 * logged and tried again by the next calls. Failures are the store's. */
enum fail alerts_due(const struct alerting *alerting, const struct samples *samples,
                     struct error *err) MUST_CHECK;
/* Tells one channel. FAIL_CONFIG: not without a person; FAIL_RETRY: perhaps later. */
enum fail alerting_tell(const struct alerting *alerting, const struct config_channel *channel,
                        const struct alert_notice *notice, struct error *err) MUST_CHECK;
/* The rules' states, in the order of the rules; arena's. */
enum fail alerts_states(struct store *store, const struct config_alerts *alerts,
                        struct arena *arena, struct store_alert **ret,
                        struct error *err) MUST_CHECK;

#endif
