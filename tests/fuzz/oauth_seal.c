/* Sealed secrets: what was sealed opens, and nothing else does. */
#include "tests/fuzz/fuzz.h"

#include "core/random.h"
#include "oauth/seal.h"

enum { PLAIN_BYTES_MAX = 4096 };

/* Bound to anything else, and be it one byte more, it stays shut. */
static void is_bound(const uint8_t *key, struct str bound_to, struct str whole, char *opened)
{
    AUTO_ARENA struct arena arena = {0};

    MUST_HOLD(
        !seal_open(key, arena_printf(&arena, "%" PRI_STR "x", STR_ARG(bound_to)), whole, opened),
        "moved");
    MUST_HOLD(!bound_to.len || !seal_open(key, STR(""), whole, opened), "bound to nothing");
}

static void opens_only_whole(const uint8_t *key, struct str bound_to, struct str plain,
                             unsigned place)
{
    static char sealed[PLAIN_BYTES_MAX + SEAL_EXTRA_BYTES], opened[sizeof sealed];
    struct random *random = random_new_seeded(place);
    struct str whole = {.at = sealed, .len = plain.len + SEAL_EXTRA_BYTES};

    seal(key, random, bound_to, plain, sealed);
    random_free(random);
    MUST_HOLD(seal_open(key, bound_to, whole, opened) &&
                  str_equal((struct str){.at = opened, .len = plain.len}, plain),
              "what was sealed does not open");
    is_bound(key, bound_to, whole, opened);
    MUST_HOLD(!seal_open(key, bound_to, str_slice(whole, 0, whole.len - 1), opened), "cut");
    sealed[place % whole.len] ^= 1;
    MUST_HOLD(!seal_open(key, bound_to, whole, opened), "changed at %zu", place % whole.len);
}

void fuzz_one(struct str input)
{
    static const uint8_t KEY[SEAL_KEY_BYTES] = "thirty-two bytes, known to tests";
    static char opened[1 << 20];
    unsigned place = take_byte(&input) << 8 | take_byte(&input);
    struct str bound_to = take_part(&input);

    if (input.len <= PLAIN_BYTES_MAX) {
        opens_only_whole(KEY, bound_to, input, place);
    }
    if (input.len <= sizeof opened) {
        MUST_HOLD(!seal_open(KEY, bound_to, input, opened), "nobody sealed that");
    }
}
