/* Signed deliveries that were accepted lately. A repeat (a CRM that missed our answer, or somebody who caught a delivery and plays it again) is answered as
 * the first one was, and costs neither the parser nor the store anything.
 * A delivery gets in here only once its events are durable: a repeat of one that was not committed goes the whole way again, so that forgetting and
 * answering too early are both impossible. Entries that are pushed out early do no harm either: the inbox knows each event's key. */
#ifndef CRMSYNC_WEBHOOKS_REPLAY_H
#define CRMSYNC_WEBHOOKS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_MAC_BYTES = 32 };
#define REPLAY_KEEP_MS (INT64_C(15) * 60 * 1000)

struct replay_cache;

/* One thread at a time. Remembers at most 65,536 deliveries in at most 3.7 MB. */
struct replay_cache *replay_cache_new(void);
void replay_cache_free(struct replay_cache *cache); /* accepts NULL */

/* now_ms: monotonic. A MAC says something about its own connection only. */
bool replay_is_known(const struct replay_cache *cache, int64_t connection_id,
                     const uint8_t mac[REPLAY_MAC_BYTES], int64_t now_ms);
void replay_remember(struct replay_cache *cache, int64_t connection_id,
                     const uint8_t mac[REPLAY_MAC_BYTES], int64_t now_ms);

#endif
