#include "api/rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/digest.h"

enum { PLACES = 1024, PROBES = 8 };

struct place {
    struct digest key;
    bool is_used;
    int64_t empty_until_ms; /* when all that was taken will have been given back */
};

struct rate {
    struct clock *clock; /* borrowed */
    int burst;
    int64_t refill_ms;
    pthread_mutex_t mutex;
    struct place places[PLACES];
};

struct rate *rate_new(struct clock *clock, int burst, int64_t refill_ms)
{
    struct rate *rate = alloc_new(1, sizeof *rate);

    rate->clock = clock;
    rate->burst = burst;
    rate->refill_ms = refill_ms;
    pthread_mutex_init(&rate->mutex, NULL);
    return rate;
}

void rate_free(struct rate *rate)
{
    if (rate) {
        pthread_mutex_destroy(&rate->mutex);
        free(rate);
    }
}

/* The key's own place, else a free one, else that of the key with the most left among a few. */
static struct place *place_of(struct rate *rate, const struct digest *key)
{
    size_t first = (size_t)key->bytes[0] << 8 | key->bytes[1];
    struct place *best = NULL;

    for (size_t i = 0; i < PROBES; i++) {
        struct place *place = &rate->places[(first + i) % PLACES];

        if (place->is_used && digest_equal(&place->key, key)) {
            return place;
        }
        if (!best ||
            (best->is_used && (!place->is_used || place->empty_until_ms < best->empty_until_ms))) {
            best = place;
        }
    }
    *best = (struct place){.key = *key, .is_used = true};
    return best;
}

int64_t rate_take(struct rate *rate, struct str key)
{
    const struct digest digest = digest_of(key);
    int64_t now_ms = clock_mono_ms(rate->clock), wait_ms, until_ms;
    struct place *place;

    pthread_mutex_lock(&rate->mutex);
    place = place_of(rate, &digest);
    until_ms = place->empty_until_ms > now_ms ? place->empty_until_ms : now_ms;
    wait_ms = until_ms + rate->refill_ms - now_ms - rate->burst * rate->refill_ms;
    if (wait_ms <= 0) {
        place->empty_until_ms = until_ms + rate->refill_ms;
    }
    pthread_mutex_unlock(&rate->mutex);
    return wait_ms > 0 ? wait_ms : 0;
}
