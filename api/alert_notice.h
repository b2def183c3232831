/* What people and programs are told of an alert, in the forms that they take. Pure. */
#ifndef CRMSYNC_API_ALERT_NOTICE_H
#define CRMSYNC_API_ALERT_NOTICE_H

#include "api/alerts.h"
#include "core/secret.h"
#include "http/message.h"

struct alert_notice {
    const struct alert_rule *rule;
    enum alert_news news;
    struct str detail;
    int64_t at_ms;
    int64_t number; /* of this rule's news: with the name an id that stays over repeats */
    bool is_test;   /* a person tries the channel */
};

/* "[firing] high_sync_latency: avg_sync_latency_ms{tenant="default"} is 12000 (condition: avg_sync_latency_ms > 10000; warning)" */
struct str alert_line(struct arena *arena, const struct alert_notice *notice);
/* {"type": "alert.firing", "timestamp": …, "data": {…}} */
struct str alert_json(struct arena *arena, const struct alert_notice *notice);
/* {"text": …}, as incoming webhooks of Slack and of what speaks its language (Mattermost, Discord at /slack) take it. */
struct str alert_slack(struct arena *arena, const struct alert_notice *notice);

/* webhook-id, -timestamp and -signature over the body. key: the secret's bytes. Source: github.com/standard-webhooks/standard-webhooks,
 * spec/standard-webhooks.md, "Signature scheme" and "Webhook Headers". */
void alert_sign(struct arena *arena, const struct alert_notice *notice, struct str key,
                struct str body, struct http_headers *headers);

#endif
