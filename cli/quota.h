/* A connection's day: what was used of its CRM's daily budget, and what is left. */
#ifndef CRMSYNC_CLI_QUOTA_H
#define CRMSYNC_CLI_QUOTA_H

#include "cli/wire.h"
#include "store/usage.h"

/* One connection's day. */
struct account_day {
    const struct connection_settings *settings;
    const struct limit_bucket_spec *daily; /* NULL: the CRM has no daily budget */
    struct store_usage lanes[LANES];
    struct usage_average quiet;
    int64_t used; /* units of all lanes */
};

/* One for each connection of the configuration, in its order. */
enum fail quota_read(struct wire *wire, struct account_day *days, struct error *err) MUST_CHECK;
/* What a lane may still take today, in the unit of the budget; -1 without a daily budget. */
int64_t quota_left(const struct account_day *day, enum lane lane);
/* "calls", "tokens" */
const char *quota_unit(const struct account_day *day);

#endif
