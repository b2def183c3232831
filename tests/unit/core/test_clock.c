/* Clocks, the offline mark and secrets: the small things that guard the large ones. */
#include "tests/expect.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/offline.h"
#include "core/secret.h"

static void virtual_waiting_moves_both_times(void **state)
{
    struct clock *clock = clock_new_virtual(1000);

    (void)state;
    EXPECT(clock_wall_ms(clock) == 1000 && clock_mono_ms(clock) == 0, "start");
    clock_wait_ms(clock, 3600000);
    EXPECT(clock_wall_ms(clock) == 3601000 && clock_mono_ms(clock) == 3600000, "an hour, at once");
    clock_wait_ms(clock, 0);
    clock_wait_ms(clock, -5);
    EXPECT(clock_wall_ms(clock) == 3601000, "nothing to wait for");
    clock_step_ms(clock, -600);
    EXPECT(clock_wall_ms(clock) == 3600400 && clock_mono_ms(clock) == 3600000,
           "a step moves the wall clock only");
    clock_free(clock);
    clock_free(NULL);
}

static void real_clocks_go_forward(void **state)
{
    struct clock *clock = clock_new_real();
    int64_t wall = clock_wall_ms(clock), mono = clock_mono_ms(clock);

    (void)state;
    clock_wait_ms(clock, 5);
    EXPECT(clock_mono_ms(clock) - mono >= 5, "waited");
    EXPECT(wall > INT64_C(1700000000000), "ms since 1970");
    clock_wait_ms(clock, -1);
    clock_free(clock);
}

static void *read_many(void *arg)
{
    int64_t before = 0;

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_ms(arg);

        if (now < before) {
            return arg;
        }
        before = now;
    }
    return NULL;
}

static void other_threads_may_read(void **state)
{
    struct clock *clock = clock_new_virtual(0);
    pthread_t thread;
    void *failed = NULL;

    (void)state;
    EXPECT(pthread_create(&thread, NULL, read_many, clock) == 0, "thread");
    for (int i = 0; i < 10000; i++) {
        clock_wait_ms(clock, 1);
    }
    pthread_join(thread, &failed);
    EXPECT(!failed, "never backward");
    clock_free(clock);
}

static void *is_offline(void *ret)
{
    *(bool *)ret = offline_is_on();
    return NULL;
}

static void offline_nests_and_is_this_threads_own(void **state)
{
    pthread_t thread;
    bool other = true;

    (void)state;
    EXPECT(!offline_is_on(), "off at first");
    offline_enter();
    offline_enter();
    offline_leave();
    EXPECT(offline_is_on(), "still inside the outer one");
    EXPECT(pthread_create(&thread, NULL, is_offline, &other) == 0, "thread");
    pthread_join(thread, NULL);
    EXPECT(!other, "another thread is not inside");
    offline_leave();
    EXPECT(!offline_is_on(), "off again");
}

static void secrets_compare_copy_and_end(void **state)
{
    AUTO_SECRET struct secret x = {0}, y = {0};
    char text[] = "hunter2";

    (void)state;
    EXPECT(secret_is_empty(&x) && secret_equal(&x, &y), "two empty ones");
    EXPECT_STR(secret_expose(&x), STR(""), "empty text, not NULL");
    secret_set(&x, str_of(text));
    text[0] = 'H';
    EXPECT_STR(secret_expose(&x), STR("hunter2"), "its own copy");
    EXPECT(!secret_equal(&x, &y), "not the empty one");
    secret_set(&y, STR("hunter3"));
    EXPECT(!secret_equal(&x, &y), "differs in the last byte");
    secret_set(&y, str_slice(secret_expose(&y), 0, 6));
    EXPECT_STR(secret_expose(&y), STR("hunter"), "set from itself");
    EXPECT(!secret_equal(&x, &y), "shorter");
    secret_fini(&x);
    EXPECT(secret_is_empty(&x) && x.bytes == NULL, "ended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_waiting_moves_both_times),
        cmocka_unit_test(real_clocks_go_forward),
        cmocka_unit_test(other_threads_may_read),
        cmocka_unit_test(offline_nests_and_is_this_threads_own),
        cmocka_unit_test(secrets_compare_copy_and_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
