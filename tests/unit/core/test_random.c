/* Random numbers and the identities made of them. */
#include "tests/expect.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/random.h"
#include "core/uuid.h"

static void same_seed_same_sequence(void **state)
{
    struct random *x = random_new_seeded(42), *y = random_new_seeded(42),
                  *other = random_new_seeded(43);
    bool differs = false;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t number = random_u64(x);

        EXPECT(number == random_u64(y), "number %d", i);
        differs |= number != random_u64(other);
    }
    EXPECT(differs, "another seed gives another sequence");
    random_free(x);
    random_free(y);
    random_free(other);
    random_free(NULL);
}

/* Worked out apart from this program, from the published xoshiro256** and splitmix64: if the sequence changed, every
 * printed seed would be worthless. */
static void sequence_never_changes(void **state)
{
    struct random *random = random_new_seeded(0);
    uint64_t number = random_u64(random);

    (void)state;
    EXPECT(number == UINT64_C(0x99EC5F36CB75F2B4), "first number of seed 0");
    for (int i = 1; i < 100; i++) {
        number = random_u64(random);
    }
    EXPECT(number == UINT64_C(0x3CB72D021FBA219C), "hundredth number of seed 0");
    random_free(random);
}

static void bounds_are_kept_and_filled(void **state)
{
    struct random *randoms[] = {random_new_seeded(1), random_new_system()};
    static const uint64_t BOUNDS[] = {1, 2, 3, 10, 256, 1000000, UINT64_MAX};

    (void)state;
    for (size_t r = 0; r < COUNT_OF(randoms); r++) {
        int seen[10] = {0};

        for (size_t b = 0; b < COUNT_OF(BOUNDS); b++) {
            for (int i = 0; i < 200; i++) {
                EXPECT(random_below(randoms[r], BOUNDS[b]) < BOUNDS[b], "bound %zu", b);
            }
        }
        for (int i = 0; i < 10000; i++) {
            seen[random_below(randoms[r], 10)]++;
        }
        for (int i = 0; i < 10; i++) {
            EXPECT(seen[i] > 800 && seen[i] < 1200, "%d came %d times of 1000", i, seen[i]);
        }
        random_free(randoms[r]);
    }
}

static void chances(void **state)
{
    struct random *random = random_new_seeded(8);
    int hits = 0;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        EXPECT(!random_chance(random, 0) && random_chance(random, 1000000), "never and always");
        hits += random_chance(random, 250000);
    }
    EXPECT(hits > 2300 && hits < 2700, "a quarter: %d", hits);
    random_free(random);
}

static void bytes_fill_exactly(void **state)
{
    struct random *random = random_new_seeded(8);

    (void)state;
    for (size_t len = 0; len < 20; len++) {
        unsigned char bytes[24];
        bool differs = false;

        memset(bytes, 0x55, sizeof bytes);
        for (int i = 0; i < 16; i++) {
            random_bytes(random, bytes, len);
            differs |= len == 0 || bytes[len - 1] != 0x55;
            EXPECT(bytes[len] == 0x55, "not past %zu", len);
        }
        EXPECT(differs, "up to %zu", len);
    }
    random_free(random);
}

enum { DRAW_BYTES = 16, DRAWS = 400 };

static void draw(struct random *random, unsigned char ret[DRAWS][DRAW_BYTES])
{
    for (size_t i = 0; i < DRAWS; i++) {
        random_bytes(random, ret[i], DRAW_BYTES);
    }
}

static void *draw_in_a_thread(void *context)
{
    struct random *random = random_new_system();

    draw(random, context);
    random_free(random);
    return NULL;
}

static void draw_in_a_child(struct random *random, unsigned char ret[DRAWS][DRAW_BYTES])
{
    int ends[2], status = 1;
    size_t got = 0;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        draw(random, ret);
        _exit(write(ends[1], ret, sizeof(unsigned char[DRAWS][DRAW_BYTES])) < 0);
    }
    close(ends[1]);
    for (ssize_t part = 1; part > 0; got += part > 0 ? (size_t)part : 0) {
        part = read(ends[0], (char *)ret + got, sizeof(unsigned char[DRAWS][DRAW_BYTES]) - got);
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    EXPECT(status == 0 && got == sizeof(unsigned char[DRAWS][DRAW_BYTES]), "the child told all");
}

/* The system's bytes are fetched on stock: none of it may be given away twice, to whomever. */
static void system_bytes_never_repeat(void **state)
{
    static unsigned char draws[4][DRAWS][DRAW_BYTES];
    struct random *random = random_new_system();
    unsigned char large[200] = {0};
    pthread_t thread;
    size_t zeros = 0;

    (void)state;
    draw(random, draws[0]);
    random_bytes(random, large, sizeof large); /* past the stock */
    draw_in_a_child(random, draws[1]);
    draw(random, draws[2]);
    assert_int_equal(pthread_create(&thread, NULL, draw_in_a_thread, draws[3]), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (size_t i = 0; i < 4 * DRAWS; i++) {
        for (size_t j = 0; j < i; j++) {
            EXPECT(memcmp(draws[i / DRAWS][i % DRAWS], draws[j / DRAWS][j % DRAWS], DRAW_BYTES) !=
                       0,
                   "draw %zu is draw %zu again", i, j);
        }
    }
    for (size_t i = 0; i < sizeof large; i++) {
        zeros += large[i] == 0;
    }
    EXPECT(zeros < sizeof large / 4, "large requests are filled");
    random_free(random);
}

static void uuids_sort_by_time(void **state)
{
    struct random *random = random_new_seeded(8);
    char text[UUID_TEXT_BYTES], before[UUID_TEXT_BYTES] = "";

    (void)state;
    for (int64_t ms = 1795244731250; ms < 1795244731250 + 1000000; ms += 999) {
        uuid_v7(ms, random, text);
        EXPECT(uuid_is_valid(str_of(text)), "%s", text);
        EXPECT(text[14] == '7' && strchr("89ab", text[19]), "version and variant: %s", text);
        EXPECT(str_compare(str_of(before), str_of(text)) < 0, "%s after %s", text, before);
        memcpy(before, text, sizeof text);
    }
    uuid_v7(1795244731250, random, text);
    uuid_v7(1795244731250, random, before);
    EXPECT(memcmp(text, before, sizeof text) != 0, "two of one millisecond differ");
    EXPECT_STR(str_slice(str_of(text), 0, 13), STR("01a1fcec-ab72"), "48 bits of time in front");
    random_free(random);
}

static void uuid_forms(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
    } ROWS[] = {
        {"01a1fc85-3772-7abc-8def-0123456789ab", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"01A1FC85-3772-7abc-8def-0123456789ab", false},
        {"01a1fc8537727abc8def0123456789ab", false},
        {"01a1fc85-3772-7abc-8def-0123456789a", false},
        {"01a1fc85-3772-7abc-8def-0123456789abc", false},
        {"01a1fc85-3772-7abc-8def-0123456789ag", false},
        {"01a1fc85-3772-7abc-8def10123456789ab", false},
        {"-1a1fc85-3772-7abc-8def-0123456789ab", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        EXPECT(uuid_is_valid(str_of(ROWS[i].text)) == ROWS[i].is_valid, "'%s'", ROWS[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_sequence),    cmocka_unit_test(sequence_never_changes),
        cmocka_unit_test(bounds_are_kept_and_filled), cmocka_unit_test(chances),
        cmocka_unit_test(bytes_fill_exactly),         cmocka_unit_test(system_bytes_never_repeat),
        cmocka_unit_test(uuids_sort_by_time),         cmocka_unit_test(uuid_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
