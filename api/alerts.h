/* Rules that people should hear of: a condition over the metrics, how long it has to hold, and whom to tell. Pure: samples and states go in, states come out. */
#ifndef CRMSYNC_API_ALERTS_H
#define CRMSYNC_API_ALERTS_H

#include "api/samples.h"
#include "store/alert.h"

enum alert_operator {
    ALERT_ABOVE,
    ALERT_AT_LEAST,
    ALERT_BELOW,
    ALERT_AT_MOST,
    ALERT_EQUAL,
    ALERT_OTHER
};

enum { ALERT_LABELS_MAX = 3, ALERT_CHANNELS_MAX = 8, ALERT_RULES_MAX = 64 };

/* avg_sync_latency_ms > 10000, crmsync_stream_lag_seconds{kind="deal"} >= 900 for 10m */
struct alert_condition {
    struct str metric; /* as written: a family, or another name of one (api/metrics.h) */
    struct {
        struct str name, value;
    } labels[ALERT_LABELS_MAX];
    size_t labels_count;
    enum alert_operator op;
    double number;
    int64_t for_ms;
};

enum alert_severity { ALERT_INFO, ALERT_WARNING, ALERT_CRITICAL };

struct alert_rule {
    struct str name;
    struct str condition_text; /* as written */
    struct alert_condition condition;
    enum alert_severity severity;
    struct str channels[ALERT_CHANNELS_MAX]; /* names; none: only shown */
    size_t channels_count;
};

/* False: *ret_why says what is wrong ("'>>' is no comparison"); arena's. The metric's name is not looked up. */
bool alert_condition_parse(struct arena *arena, struct str text, struct alert_condition *ret,
                           struct str *ret_why);
/* "info", "warning", "critical" */
const char *alert_severity_name(enum alert_severity severity);

/* Whether it holds for any series; a metric without series does not. ret_detail: the series that is worst, its value and how many there are; arena's. */
bool alert_holds(const struct alert_condition *condition, const struct samples *samples,
                 struct arena *arena, struct str *ret_detail);

enum {
    ALERT_OVER_MS = 5 * 60 * 1000, /* a condition that does not hold for so long is over */
    ALERT_ATTEMPTS_MAX = 10,       /* to tell one piece of news */
};

/* One look: changes the state of a rule by whether its condition holds. again_ms: people are told again while it fires; 0 = once. */
void alert_step(const struct alert_rule *rule, bool holds, struct str detail, int64_t now_ms,
                int64_t again_ms, struct store_alert *alert);
/* The channel has been told what there is to tell. */
bool alert_knows(const struct store_alert *alert, struct str channel);
void alert_told(struct store_alert *alert, struct str channel, struct arena *arena);
/* After all of the rule's channels were tried: nothing is left to tell, or another attempt is to come. */
void alert_tried(const struct alert_rule *rule, struct store_alert *alert, int64_t now_ms);

#endif
