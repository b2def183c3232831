/* What a person configured, as the engine needs it. Filled by cli/config.c from crmsync.yaml; plain data, borrowed for the engine's life. */
#ifndef CRMSYNC_SYNC_SETTINGS_H
#define CRMSYNC_SYNC_SETTINGS_H

#include "adapters/adapter.h"
#include "conflict/brake.h"
#include "conflict/policy.h"
#include "mapper/filter.h"
#include "mapper/mapping.h"
#include "sync/schedule.h"

enum connection_direction {
    DIRECTION_BIDIRECTIONAL,
    DIRECTION_TO_EXTERNAL,
    DIRECTION_FROM_EXTERNAL
};

/* What a delete proved at one CRM does to the record and the other CRMs.
 * none: nothing, the link stays marked as gone. unlink: the link ends, the record stays, nothing is re-created there.
 * archive: the record is deleted here and at every connection whose mode is archive as well. */
enum delete_mode { DELETES_NONE, DELETES_UNLINK, DELETES_ARCHIVE };

/* A strategy for part of a connection; the most specific rule wins: (kind, field) over (kind) over (). */
struct policy_rule {
    struct str kind;  /* "" = every kind */
    struct str field; /* "" = every field */
    struct policy policy;
};

/* Which records of a kind take part; kinds without one take part wholly. */
struct kind_filter {
    struct str kind;
    struct filter filter;
};

/* When a kind's work is due, where that is not the connection's own schedule. */
struct kind_schedule {
    struct str kind;
    struct schedule schedule;
};

struct connection_settings {
    struct str name;
    const struct adapter *adapter;
    struct str base_url;    /* "" = the CRM's own */
    struct str api_version; /* "" = adapter's default */
    bool token_is_oauth;
    bool wants_events; /* changes by the CRM's change events instead of by polling */
    enum connection_direction direction;
    const struct str *kinds; /* mapped kinds that take part */
    size_t kinds_count;
    const struct mappings *mappings;
    const struct policy_rule *policies; /* empty = last-write-wins */
    size_t policies_count;
    const struct kind_filter *filters;
    size_t filters_count;
    int priority;    /* for source-priority; higher wins */
    bool may_create; /* objects missing there are created */
    enum delete_mode deletes;
    int64_t settle_ms; /* no delayed write of ours can arrive later than this */
    int64_t grace_ms;  /* between the proof of a delete and its effect */
    int64_t census_ms; /* a complete listing at least this often, 0 = only with --full */
    struct schedule
        schedule; /* of the service; `sync` on the command line runs when it is called */
    const struct kind_schedule *schedules;
    size_t schedules_count;
};

struct sync_settings {
    const struct kinds *kinds;
    const struct connection_settings *connections;
    size_t connections_count;
    int local_priority; /* of edits made in the store, for source-priority */
    struct brake_limits brake;
};

/* The strategy of a field: the most specific rule, else last-write-wins. */
struct policy settings_policy(const struct connection_settings *settings, struct str kind,
                              struct str field);

/* When the kind's work is due: its own schedule, else the connection's. */
const struct schedule *settings_schedule(const struct connection_settings *settings,
                                         struct str kind);

#endif
