/* A rolling window is kept as a short ring of slots, each with the units taken in it and the time
 * of its last taking: what was taken leaves the window exactly window_ms later, so no window of
 * that length ever holds more than the capacity. A plain token bucket would allow twice the
 * capacity around a refill. */
#include "http/limits.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

enum {
    SLOTS_PER_WINDOW = 20,
    SLOTS_MAX = SLOTS_PER_WINDOW + 4,
    FLOOR_PERCENT_MAX = 90,
    DAY_MS = 24 * 60 * 60 * 1000,
    /* An empty budget whose end nobody told us is tried again this often with one call. */
    PROBE_MS = 30 * 60 * 1000,
};

struct slot {
    int64_t units;
    int64_t first_ms, last_ms; /* monotonic */
};

struct bucket {
    const char *name; /* the spec's */
    int64_t capacity;
    int64_t window_ms; /* 0: daily */
    int floor_percent;
    struct slot slots[SLOTS_MAX]; /* rolling: oldest first */
    size_t slots_count;
    /* what others took from the same budget, as the CRM last told us */
    int64_t foreign_units, foreign_until_ms;
    /* daily */
    int64_t day_units;
    int64_t day_ends_ms; /* 0: nothing taken yet */
    int64_t probe_at_ms;
    bool day_end_is_known; /* the CRM said it */
};

struct limit_account {
    struct limit_account *next;
    struct limiter *limiter; /* borrowed: the owner */
    char *key;               /* owned */
    size_t key_len;
    struct bucket buckets[LIMIT_BUCKETS_MAX];
    size_t buckets_count;
    int64_t penalty_until_ms;
    struct limit_usage usage[LANES];
};

struct limiter {
    pthread_mutex_t mutex; /* guards everything below, accounts included */
    struct clock *clock;   /* borrowed */
    struct limit_account *accounts;
    bool has_allowance;
    int64_t allowance; /* calls left of it */
    bool is_used_up;
};

static int64_t max_i64(int64_t x, int64_t y)
{
    return x > y ? x : y;
}

static int64_t min_i64(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

struct limiter *limiter_new(struct clock *clock)
{
    struct limiter *limiter = alloc_new(1, sizeof *limiter);
    int failed = pthread_mutex_init(&limiter->mutex, NULL);

    assert(failed == 0);
    limiter->clock = clock;
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter) {
        return;
    }
    while (limiter->accounts) {
        struct limit_account *next = limiter->accounts->next;

        free(limiter->accounts->key);
        free(limiter->accounts);
        limiter->accounts = next;
    }
    pthread_mutex_destroy(&limiter->mutex);
    free(limiter);
}

static struct limit_account *account_find(struct limiter *limiter, struct str key)
{
    for (struct limit_account *account = limiter->accounts; account; account = account->next) {
        if (str_equal((struct str){.at = account->key, .len = account->key_len}, key)) {
            return account;
        }
    }
    return NULL;
}

static struct limit_account *account_new(struct limiter *limiter, struct str key,
                                         const struct limit_bucket_spec *specs, size_t count)
{
    struct limit_account *account = alloc_new(1, sizeof *account);

    account->limiter = limiter;
    account->key = alloc_printf("%" PRI_STR, STR_ARG(key));
    account->key_len = key.len;
    account->buckets_count = count;
    for (size_t i = 0; i < count; i++) {
        int percent = specs[i].batch_floor_percent;

        account->buckets[i] = (struct bucket){
            .name = specs[i].name,
            .capacity = specs[i].capacity,
            .window_ms = specs[i].window_ms,
            .floor_percent = percent > FLOOR_PERCENT_MAX ? FLOOR_PERCENT_MAX : percent,
        };
    }
    account->next = limiter->accounts;
    limiter->accounts = account;
    return account;
}

struct limit_account *limiter_account(struct limiter *limiter, struct str key,
                                      const struct limit_bucket_spec *specs, size_t specs_count)
{
    struct limit_account *account;

    assert(specs_count <= LIMIT_BUCKETS_MAX);
    pthread_mutex_lock(&limiter->mutex);
    account = account_find(limiter, key);
    if (!account) {
        account = account_new(limiter, key, specs, specs_count);
    }
    pthread_mutex_unlock(&limiter->mutex);
    assert(account->buckets_count == specs_count);
    return account;
}

/* Drops what has left the window or the day. */
static void bucket_expire(struct bucket *bucket, int64_t now_ms)
{
    size_t gone = 0;

    while (gone < bucket->slots_count &&
           bucket->slots[gone].last_ms + bucket->window_ms <= now_ms) {
        gone++;
    }
    if (gone) {
        bucket->slots_count -= gone;
        memmove(bucket->slots, bucket->slots + gone, bucket->slots_count * sizeof(struct slot));
    }
    if (bucket->foreign_until_ms <= now_ms) {
        bucket->foreign_units = 0;
    }
    if (bucket->day_ends_ms && bucket->day_ends_ms <= now_ms) {
        bucket->day_units = 0;
        bucket->day_ends_ms = 0;
        bucket->probe_at_ms = 0;
        bucket->day_end_is_known = false;
    }
}

static int64_t own_units(const struct bucket *bucket)
{
    int64_t units = bucket->day_units;

    for (size_t i = 0; i < bucket->slots_count; i++) {
        units += bucket->slots[i].units;
    }
    return units;
}

/* The slower the lane, the more of the bucket it leaves to the others. */
static int64_t kept_back(int64_t capacity, int floor_percent, enum lane lane)
{
    int percent = 0;

    switch (lane) {
    case LANE_INTERACTIVE:
    case LANE_REALTIME:
        return 0;
    case LANE_BATCH:
        percent = floor_percent;
        break;
    case LANE_RECONCILE:
        percent = (int)min_i64(2 * (int64_t)floor_percent, FLOOR_PERCENT_MAX);
        break;
    }
    return capacity / 100 * percent + capacity % 100 * percent / 100;
}

static int64_t lane_floor(const struct bucket *bucket, enum lane lane)
{
    return kept_back(bucket->capacity, bucket->floor_percent, lane);
}

/* How long until the rolling window has room for `over` units more than now. */
static int64_t window_wait_ms(const struct bucket *bucket, int64_t over, int64_t now_ms)
{
    int64_t wait_ms = 1;
    int64_t foreign = bucket->foreign_units;
    int64_t foreign_wait_ms = bucket->foreign_until_ms - now_ms;

    for (size_t i = 0; i < bucket->slots_count && over > 0; i++) {
        int64_t slot_wait_ms = bucket->slots[i].last_ms + bucket->window_ms - now_ms;

        if (foreign && foreign_wait_ms <= slot_wait_ms) {
            over -= foreign;
            foreign = 0;
            wait_ms = max_i64(wait_ms, foreign_wait_ms);
            if (over <= 0) {
                break;
            }
        }
        over -= bucket->slots[i].units;
        wait_ms = max_i64(wait_ms, slot_wait_ms);
    }
    return over > 0 && foreign ? max_i64(wait_ms, foreign_wait_ms) : wait_ms;
}

static int64_t day_wait_ms(const struct bucket *bucket, int64_t now_ms)
{
    int64_t until_ms = bucket->day_ends_ms;

    if (!bucket->day_end_is_known) {
        int64_t probe_at_ms = bucket->probe_at_ms ? bucket->probe_at_ms : now_ms + PROBE_MS;

        if (probe_at_ms <= now_ms) {
            return 0;
        }
        until_ms = until_ms ? min_i64(until_ms, probe_at_ms) : probe_at_ms;
    }
    return max_i64(1, until_ms - now_ms);
}

static int64_t bucket_wait_ms(struct bucket *bucket, enum lane lane, int64_t units, int64_t now_ms)
{
    int64_t usable = bucket->capacity - lane_floor(bucket, lane);
    int64_t used, over;

    if (units <= 0 || bucket->capacity <= 0) {
        return 0;
    }
    bucket_expire(bucket, now_ms);
    used = own_units(bucket) + bucket->foreign_units;
    /* A call dearer than the whole bucket goes when the bucket is full: it would wait for ever
     * otherwise. */
    over = used + min_i64(units, usable) - usable;
    if (over <= 0) {
        return 0;
    }
    return bucket->window_ms ? window_wait_ms(bucket, over, now_ms) : day_wait_ms(bucket, now_ms);
}

static void window_take(struct bucket *bucket, int64_t units, int64_t now_ms)
{
    int64_t slot_ms = max_i64(1, bucket->window_ms / SLOTS_PER_WINDOW);
    struct slot *last = bucket->slots_count ? &bucket->slots[bucket->slots_count - 1] : NULL;

    if (!last || (now_ms - last->first_ms >= slot_ms && bucket->slots_count < SLOTS_MAX)) {
        last = &bucket->slots[bucket->slots_count++];
        *last = (struct slot){.first_ms = now_ms};
    }
    last->units += units;
    last->last_ms = now_ms;
}

static void day_take(struct bucket *bucket, int64_t units, int64_t now_ms)
{
    bucket->day_units += units;
    if (!bucket->day_ends_ms) {
        bucket->day_ends_ms = now_ms + DAY_MS;
    }
    if (bucket->day_units >= bucket->capacity) {
        bucket->probe_at_ms = now_ms + PROBE_MS;
    }
}

static int64_t account_wait_ms(struct limit_account *account, enum lane lane,
                               const struct limit_cost *cost, int64_t now_ms)
{
    int64_t wait_ms = max_i64(0, account->penalty_until_ms - now_ms);

    for (size_t i = 0; i < account->buckets_count; i++) {
        wait_ms =
            max_i64(wait_ms, bucket_wait_ms(&account->buckets[i], lane, cost->units[i], now_ms));
    }
    return wait_ms;
}

static int64_t take_allowance(struct limiter *limiter)
{
    if (!limiter->has_allowance) {
        return 0;
    }
    if (limiter->allowance > 0) {
        limiter->allowance--;
        return 0;
    }
    limiter->is_used_up = true;
    return DAY_MS;
}

static void count_usage(struct limit_account *account, enum lane lane,
                        const struct limit_cost *cost)
{
    bool has_daily = false;

    account->usage[lane].calls++;
    for (size_t i = 0; i < account->buckets_count; i++) {
        if (account->buckets[i].window_ms == 0) {
            account->usage[lane].units += cost->units[i] > 0 ? cost->units[i] : 0;
            has_daily = true;
        }
    }
    account->usage[lane].units += has_daily ? 0 : 1;
}

struct limit_usage limit_usage_take(struct limiter *limiter, struct str key, enum lane lane)
{
    struct limit_usage usage = {0};
    struct limit_account *account;

    pthread_mutex_lock(&limiter->mutex);
    account = account_find(limiter, key);
    if (account) {
        usage = account->usage[lane];
        account->usage[lane] = (struct limit_usage){0};
    }
    pthread_mutex_unlock(&limiter->mutex);
    return usage;
}

const char *lane_name(enum lane lane)
{
    switch (lane) {
    case LANE_INTERACTIVE:
        return "interactive";
    case LANE_REALTIME:
        return "realtime";
    case LANE_BATCH:
        return "batch";
    case LANE_RECONCILE:
        return "reconcile";
    }
    return "unknown";
}

int64_t limit_kept_back(const struct limit_bucket_spec *spec, enum lane lane)
{
    int percent = spec->batch_floor_percent;

    return kept_back(spec->capacity, percent > FLOOR_PERCENT_MAX ? FLOOR_PERCENT_MAX : percent,
                     lane);
}

void limit_allow_calls(struct limiter *limiter, int64_t calls)
{
    pthread_mutex_lock(&limiter->mutex);
    limiter->has_allowance = true;
    limiter->allowance = calls;
    limiter->is_used_up = false;
    pthread_mutex_unlock(&limiter->mutex);
}

bool limit_is_used_up(struct limiter *limiter)
{
    bool is_used_up;

    pthread_mutex_lock(&limiter->mutex);
    is_used_up = limiter->is_used_up;
    pthread_mutex_unlock(&limiter->mutex);
    return is_used_up;
}

int64_t limit_take(struct limit_account *account, enum lane lane, const struct limit_cost *cost)
{
    struct limiter *limiter = account->limiter;
    int64_t now_ms, wait_ms;

    pthread_mutex_lock(&limiter->mutex);
    now_ms = clock_mono_ms(limiter->clock);
    wait_ms = account_wait_ms(account, lane, cost, now_ms);
    if (wait_ms == 0) {
        wait_ms = take_allowance(limiter);
    }
    if (wait_ms == 0) {
        count_usage(account, lane, cost);
    }
    for (size_t i = 0; wait_ms == 0 && i < account->buckets_count; i++) {
        struct bucket *bucket = &account->buckets[i];

        if (cost->units[i] <= 0) {
            continue;
        }
        if (bucket->window_ms) {
            window_take(bucket, cost->units[i], now_ms);
        } else {
            day_take(bucket, cost->units[i], now_ms);
        }
    }
    pthread_mutex_unlock(&limiter->mutex);
    return wait_ms;
}

/* Only ever towards caution: answers overtake each other, and calls in flight are not in
 * `remaining` yet. */
static void window_correct(struct bucket *bucket, int64_t remaining, int64_t reset_in_ms,
                           int64_t now_ms)
{
    int64_t until_ms =
        reset_in_ms > 0 ? min_i64(reset_in_ms, bucket->window_ms) : bucket->window_ms;

    bucket->foreign_units = max_i64(0, bucket->capacity - remaining - own_units(bucket));
    bucket->foreign_until_ms = now_ms + until_ms;
}

static void day_correct(struct bucket *bucket, int64_t remaining, int64_t reset_in_ms,
                        int64_t now_ms)
{
    if (remaining >= 0) {
        int64_t units = max_i64(0, bucket->capacity - remaining);

        if (units < bucket->day_units && units < bucket->capacity) {
            bucket->probe_at_ms = 0; /* there is room again */
        } else if (units >= bucket->capacity && bucket->day_units < bucket->capacity) {
            bucket->probe_at_ms = now_ms + PROBE_MS;
        }
        bucket->day_units = units;
    }
    if (reset_in_ms > 0) {
        bucket->day_ends_ms = now_ms + reset_in_ms;
        bucket->day_end_is_known = true;
    } else if (!bucket->day_ends_ms) {
        bucket->day_ends_ms = now_ms + DAY_MS;
    }
}

void limit_correct(struct limit_account *account, size_t bucket_index, int64_t capacity,
                   int64_t remaining, int64_t reset_in_ms)
{
    struct limiter *limiter = account->limiter;
    struct bucket *bucket = &account->buckets[bucket_index];
    int64_t now_ms;

    assert(bucket_index < account->buckets_count);
    pthread_mutex_lock(&limiter->mutex);
    now_ms = clock_mono_ms(limiter->clock);
    bucket_expire(bucket, now_ms);
    if (capacity > 0) {
        bucket->capacity = capacity;
    }
    if (bucket->window_ms == 0) {
        day_correct(bucket, remaining, reset_in_ms, now_ms);
    } else if (remaining >= 0) {
        window_correct(bucket, remaining, reset_in_ms, now_ms);
    }
    pthread_mutex_unlock(&limiter->mutex);
}

void limit_penalise(struct limit_account *account, int64_t wait_ms)
{
    struct limiter *limiter = account->limiter;

    pthread_mutex_lock(&limiter->mutex);
    account->penalty_until_ms =
        max_i64(account->penalty_until_ms, clock_mono_ms(limiter->clock) + wait_ms);
    pthread_mutex_unlock(&limiter->mutex);
}

int64_t limit_remaining(const struct limit_account *account, size_t bucket_index)
{
    struct limiter *limiter = account->limiter;
    struct bucket bucket; /* a copy: looking changes nothing */

    if (bucket_index >= account->buckets_count) {
        return -1;
    }
    pthread_mutex_lock(&limiter->mutex);
    bucket = account->buckets[bucket_index];
    bucket_expire(&bucket, clock_mono_ms(limiter->clock));
    pthread_mutex_unlock(&limiter->mutex);
    if (bucket.capacity <= 0) {
        return -1;
    }
    return max_i64(0, bucket.capacity - own_units(&bucket) - bucket.foreign_units);
}

void limiter_each(struct limiter *limiter,
                  void (*tell)(void *context, const char *bucket, int64_t remaining), void *context)
{
    const struct limit_account *account;

    pthread_mutex_lock(&limiter->mutex);
    account = limiter->accounts; /* accounts stay as long as their limiter */
    pthread_mutex_unlock(&limiter->mutex);
    for (size_t i = 0; account && i < account->buckets_count; i++) {
        tell(context, account->buckets[i].name, limit_remaining(account, i));
    }
}

int64_t backoff_full_jitter_ms(struct random *random, int attempt, int64_t base_ms, int64_t cap_ms)
{
    int64_t bound_ms = base_ms;

    assert(base_ms >= 0 && cap_ms >= 0);
    for (int i = 0; i < attempt && bound_ms < cap_ms; i++) {
        bound_ms *= 2;
    }
    bound_ms = min_i64(bound_ms, cap_ms);
    return (int64_t)random_below(random, (uint64_t)bound_ms + 1);
}
