/* Rate limits. Buckets are declared by adapters as data, keyed per connection account; headers correct them.
 * Lanes share a bucket but not all of it: the slower lanes stop earlier, so that a backfill never starves "sync now". */
#ifndef CRMSYNC_HTTP_LIMITS_H
#define CRMSYNC_HTTP_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/random.h"
#include "core/str.h"

/* From first to last served. */
enum lane { LANE_INTERACTIVE, LANE_REALTIME, LANE_BATCH, LANE_RECONCILE };

enum { LIMIT_BUCKETS_MAX = 4 };

/* A documented budget. window_ms 0 = a daily budget without a rolling window. */
struct limit_bucket_spec {
    const char *name;        /* "burst", "search", "daily" */
    int64_t capacity;        /* units per window */
    int64_t window_ms;       /* rolling */
    int batch_floor_percent; /* share kept back from LANE_BATCH and slower (e.g. 10) */
};

/* What one call takes: units per bucket, in the order of the adapter's specs. */
struct limit_cost {
    int64_t units[LIMIT_BUCKETS_MAX];
};

struct limiter;

struct limiter *limiter_new(struct clock *clock);
void limiter_free(struct limiter *limiter);

/* An account's set of buckets. Same key again returns the same set (specs must agree). Owned by the limiter. */
struct limit_account;
struct limit_account *limiter_account(struct limiter *limiter, struct str key,
                                      const struct limit_bucket_spec *specs, size_t specs_count);

/* Takes the units and returns 0, or takes nothing and returns how many ms to wait. Any thread. */
int64_t limit_take(struct limit_account *account, enum lane lane, const struct limit_cost *cost);
/* Corrections from answers: what is left in a bucket and when its window ends; capacity as the CRM states it (<0 = not said). */
void limit_correct(struct limit_account *account, size_t bucket, int64_t capacity,
                   int64_t remaining, int64_t reset_in_ms);
/* The CRM said "too many": nothing leaves this account before wait_ms have passed. */
void limit_penalise(struct limit_account *account, int64_t wait_ms);
/* Units left as far as known, for reports; <0 = unlimited or unknown. */
int64_t limit_remaining(const struct limit_account *account, size_t bucket);

/* Tells what limit_remaining() would say of every bucket of the account that came last. Any thread. */
void limiter_each(struct limiter *limiter,
                  void (*tell)(void *context, const char *bucket, int64_t remaining),
                  void *context);

/* What an account sent in one lane; units are those of its daily budget (calls where there is none). */
struct limit_usage {
    int64_t calls, units;
};
/* What was taken since the last time this was asked; nothing for an unknown key. */
struct limit_usage limit_usage_take(struct limiter *limiter, struct str key, enum lane lane);
/* "interactive", "realtime", … */
const char *lane_name(enum lane lane);
enum { LANES = LANE_RECONCILE + 1 };
/* Units of a budget that a lane leaves to the faster ones. */
int64_t limit_kept_back(const struct limit_bucket_spec *spec, enum lane lane);

/* From now on so many calls of all accounts, then every wait is longer than anybody waits. */
void limit_allow_calls(struct limiter *limiter, int64_t calls);
/* They are used up, and a call was held back. */
bool limit_is_used_up(struct limiter *limiter);

/* Full jitter: uniform in 0 … min(cap_ms, base_ms * 2^attempt). attempt from 0. */
int64_t backoff_full_jitter_ms(struct random *random, int attempt, int64_t base_ms, int64_t cap_ms);

#endif
