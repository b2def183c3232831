/* Memory that dies together. */
#include <stdalign.h>

#include "tests/expect.h"
#include "core/alloc.h"
#include "core/arena.h"

static void pieces_are_zeroed_and_aligned(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    static const size_t SIZES[] = {0, 1, 3, 16, 17, 4096, 16 * 1024, 65536, 1000000, 5};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
            char *at = arena_alloc(&arena, SIZES[i], 1);

            EXPECT(at && (uintptr_t)at % alignof(max_align_t) == 0, "aligned, size %zu", SIZES[i]);
            for (size_t j = 0; j < SIZES[i]; j++) {
                EXPECT(at[j] == 0, "zeroed, size %zu round %d", SIZES[i], round);
            }
            memset(at, 0xAA, SIZES[i]);
        }
        arena_reset(&arena);
        EXPECT(arena.used_bytes == 0, "reset forgets");
    }
}

static void wiped_memory_holds_nothing(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct str small = arena_str(&arena, STR("a token")), big;
    char *at = arena_alloc(&arena, 200000, 1);

    (void)state;
    memset(at, 'x', 200000);
    big = (struct str){.at = at, .len = 200000};
    arena_wipe(&arena);
    EXPECT(!memchr(small.at, 't', small.len), "small");
    EXPECT(!memchr(big.at, 'x', big.len), "big");
}

static void pieces_do_not_overlap(void **state)
{
    enum { PIECES = 3000 };
    AUTO_ARENA struct arena arena = {0};
    static unsigned char *at[PIECES];
    static size_t len[PIECES];

    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        len[i] = i * 37 % 300 + (i % 100 == 0 ? 40000 : 0);
        at[i] = arena_alloc(&arena, len[i], 1);
        memset(at[i], (int)(i % 251), len[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < len[i]; j++) {
            EXPECT(at[i][j] == i % 251, "piece %zu byte %zu", i, j);
        }
    }
}

static void texts_are_copied_with_nul(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    char source[] = "text";
    struct str copy = arena_str(&arena, str_of(source));

    (void)state;
    source[0] = 'n';
    EXPECT_STR(copy, STR("text"), "its own memory");
    EXPECT(copy.at[4] == '\0', "NUL behind it");
    EXPECT_STR(arena_printf(&arena, "%d-%s", 7, "x"), STR("7-x"), "printf");
    EXPECT(arena_str(&arena, STR_NONE).len == 0, "no text gives empty text");
}

static char order[8];
static size_t order_len;

static void note(void *subject)
{
    order[order_len++] = *(const char *)subject;
}

static void duties_run_last_first_and_once(void **state)
{
    struct arena arena = {0};

    (void)state;
    arena_defer(&arena, note, (void *)(uintptr_t) "1");
    arena_defer(&arena, note, (void *)(uintptr_t) "2");
    arena_reset(&arena);
    arena_defer(&arena, note, (void *)(uintptr_t) "3");
    arena_fini(&arena);
    arena_fini(&arena);
    EXPECT_STR(((struct str){order, order_len}), STR("213"), "order");
}

static void alloc_helpers(void **state)
{
    AUTO_FREE char *text = alloc_printf("%s=%d", "n", 5);
    AUTO_FREE char *copy = alloc_dup(text);
    AUTO_FREE int *numbers = alloc_new(4, sizeof(int));

    (void)state;
    EXPECT_STR(str_of(copy), STR("n=5"), "printf and dup");
    EXPECT(alloc_dup(NULL) == NULL, "NULL stays NULL");
    EXPECT(numbers[0] == 0 && numbers[3] == 0, "zeroed");
    numbers = alloc_resize(numbers, 1000, sizeof(int));
    EXPECT(numbers[3] == 0, "kept");
    free(TAKE_PTR(copy));
    EXPECT(copy == NULL, "taking clears");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_and_aligned),
        cmocka_unit_test(wiped_memory_holds_nothing),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(texts_are_copied_with_nul),
        cmocka_unit_test(duties_run_last_first_and_once),
        cmocka_unit_test(alloc_helpers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
