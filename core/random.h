/* Random numbers: from the operating system (production) or from a printed seed (tests, simulators). */
#ifndef CRMSYNC_CORE_RANDOM_H
#define CRMSYNC_CORE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random;

struct random *random_new_system(void);          /* OpenSSL RAND_bytes; any thread */
struct random *random_new_seeded(uint64_t seed); /* same seed, same sequence; one thread */
void random_free(struct random *random);         /* accepts NULL */

uint64_t random_u64(struct random *random);
/* 0 … bound-1, unbiased; bound >= 1 */
uint64_t random_below(struct random *random, uint64_t bound);
bool random_chance(struct random *random, uint32_t per_million);
void random_bytes(struct random *random, void *at, size_t bytes);

#endif
