/* `alerts:` and `notify:` of crmsync.yaml: what people should hear of, and how. */
#ifndef CRMSYNC_CLI_CONFIG_ALERTS_H
#define CRMSYNC_CLI_CONFIG_ALERTS_H

#include "api/alerts.h"
#include "core/yx.h"
#include "http/mail.h"

enum channel_type { CHANNEL_WEBHOOK, CHANNEL_SLACK, CHANNEL_MAIL };

/* Texts as written; "${NAME}" is looked up when it is needed. */
struct config_channel {
    struct str name;
    enum channel_type type;
    struct str url;    /* webhook, slack; or the mail server */
    struct str secret; /* webhook: what it is signed with; mail: the password, "" none */
    struct str user;
    struct str from;
    struct str to[MAIL_RECIPIENTS_MAX];
    size_t to_count;
};

struct config_alerts {
    const struct alert_rule *rules;
    size_t rules_count;
    const struct config_channel *channels;
    size_t channels_count;
    int64_t again_ms; /* people are told again while it fires; 0 = once */
};

/* root: the whole configuration. Without `alerts` three rules hold, for what nobody should miss. FAIL_CONFIG with the position. */
enum fail config_alerts_read(struct arena *arena, const struct yx_node *root,
                             struct config_alerts *ret, struct error *err) MUST_CHECK;
/* NULL: there is none. */
const struct config_channel *config_channel_find(const struct config_alerts *alerts,
                                                 struct str name);

#endif
