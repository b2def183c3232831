#include "core/random.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

/* Seeded: xoshiro256** (Blackman and Vigna, prng.di.unimi.it), its state filled by splitmix64. */
struct random {
    bool is_seeded;
    uint64_t state[4];
};

/* Bytes of the system's source on stock: asking it costs the same for sixteen bytes as for hundreds. Of one thread, and each given away once. */
enum { STOCK_BYTES = 512, FROM_STOCK_MAX = 64 };
static _Thread_local struct {
    unsigned char bytes[STOCK_BYTES];
    size_t left; /* from the beginning on */
} stock;

/* What both parent and child hold would be given away twice. */
static void forget_stock(void)
{
    OPENSSL_cleanse(stock.bytes, sizeof stock.bytes);
    stock.left = 0;
}

static void watch_forks(void)
{
    int failed = pthread_atfork(NULL, NULL, forget_stock);

    assert(!failed);
}

struct random *random_new_system(void)
{
    static pthread_once_t watched = PTHREAD_ONCE_INIT;

    pthread_once(&watched, watch_forks);
    return alloc_new(1, sizeof(struct random));
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

struct random *random_new_seeded(uint64_t seed)
{
    struct random *random = alloc_new(1, sizeof *random);

    random->is_seeded = true;
    for (size_t i = 0; i < 4; i++) {
        random->state[i] = splitmix(&seed);
    }
    return random;
}

void random_free(struct random *random)
{
    free(random);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t seeded_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_u64(struct random *random)
{
    uint64_t number = 0;

    if (random->is_seeded) {
        return seeded_next(random);
    }
    random_bytes(random, &number, sizeof number);
    return number;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    uint64_t least, number;

    assert(bound >= 1);
    least = (0 - bound) % bound; /* below it the remainder would be biased */
    do {
        number = random_u64(random);
    } while (number < least);
    return number % bound;
}

bool random_chance(struct random *random, uint32_t per_million)
{
    return per_million > 0 && random_below(random, 1000000) < per_million;
}

static void fill(unsigned char *to, size_t bytes)
{
    int done = RAND_bytes(to, (int)bytes);

    assert(done == 1);
}

static void system_bytes(unsigned char *to, size_t bytes)
{
    if (bytes > FROM_STOCK_MAX) {
        fill(to, bytes);
        return;
    }
    if (stock.left < bytes) {
        fill(stock.bytes, sizeof stock.bytes);
        stock.left = sizeof stock.bytes;
    }
    stock.left -= bytes;
    memcpy(to, stock.bytes + stock.left, bytes);
    OPENSSL_cleanse(stock.bytes + stock.left, bytes);
}

void random_bytes(struct random *random, void *at, size_t bytes)
{
    unsigned char *to = at;

    if (!random->is_seeded) {
        system_bytes(to, bytes);
        return;
    }
    while (bytes) {
        uint64_t number = seeded_next(random);
        size_t part = bytes < sizeof number ? bytes : sizeof number;

        memcpy(to, &number, part);
        to += part;
        bytes -= part;
    }
}
