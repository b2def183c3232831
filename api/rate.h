/* Token buckets by key, in bounded memory: so many at once, so many a second after that. */
#ifndef CRMSYNC_API_RATE_H
#define CRMSYNC_API_RATE_H

#include "core/clock.h"
#include "core/str.h"

struct rate;

/* burst: as many at once; one more every refill_ms. */
struct rate *rate_new(struct clock *clock, int burst, int64_t refill_ms);
void rate_free(struct rate *rate); /* accepts NULL */
/* Takes one for the key; 0, or the ms until there is one. Any thread. When there are more keys than places, the one with the most left is forgotten. */
int64_t rate_take(struct rate *rate, struct str key);

#endif
