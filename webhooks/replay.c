/* Sets of a few places each, chosen by the MAC's own bytes: nobody without the secret can choose where he lands. */
#include "webhooks/replay.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

enum { SETS = 16 * 1024, PLACES = 4 };

struct entry {
    int64_t connection_id; /* 0: free */
    int64_t at_ms;
    uint8_t mac[REPLAY_MAC_BYTES];
};

struct replay_cache {
    struct entry sets[SETS][PLACES];
};

struct replay_cache *replay_cache_new(void)
{
    return alloc_new(1, sizeof(struct replay_cache));
}

void replay_cache_free(struct replay_cache *cache)
{
    free(cache);
}

static size_t set_of(const uint8_t mac[REPLAY_MAC_BYTES])
{
    uint32_t number;

    memcpy(&number, mac, sizeof number);
    return number % SETS;
}

static bool is_same(const struct entry *entry, int64_t connection_id,
                    const uint8_t mac[REPLAY_MAC_BYTES])
{
    return entry->connection_id == connection_id && memcmp(entry->mac, mac, sizeof entry->mac) == 0;
}

bool replay_is_known(const struct replay_cache *cache, int64_t connection_id,
                     const uint8_t mac[REPLAY_MAC_BYTES], int64_t now_ms)
{
    const struct entry *set = cache->sets[set_of(mac)];

    for (size_t i = 0; i < PLACES; i++) {
        if (is_same(&set[i], connection_id, mac)) {
            return now_ms - set[i].at_ms < REPLAY_KEEP_MS;
        }
    }
    return false;
}

/* Its own place, else a free one, else the oldest. */
void replay_remember(struct replay_cache *cache, int64_t connection_id,
                     const uint8_t mac[REPLAY_MAC_BYTES], int64_t now_ms)
{
    struct entry *set = cache->sets[set_of(mac)];
    struct entry *to = &set[0];

    for (size_t i = 0; i < PLACES; i++) {
        if (is_same(&set[i], connection_id, mac)) {
            to = &set[i];
            break;
        }
        if (to->connection_id && (!set[i].connection_id || set[i].at_ms < to->at_ms)) {
            to = &set[i];
        }
    }
    to->connection_id = connection_id;
    to->at_ms = now_ms;
    memcpy(to->mac, mac, sizeof to->mac);
}
