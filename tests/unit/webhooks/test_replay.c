/* The memory of signed deliveries. */
#include "core/digest.h"
#include "webhooks/counts.h"
#include "webhooks/replay.h"

#include "tests/expect.h"

static void mac_of(int number, uint8_t ret[REPLAY_MAC_BYTES])
{
    sha256((struct str){.at = (const char *)&number, .len = sizeof number}, ret);
}

static void a_delivery_is_known_for_its_time_and_connection_only(void **state)
{
    struct replay_cache *cache = replay_cache_new();
    uint8_t one[REPLAY_MAC_BYTES], other[REPLAY_MAC_BYTES];

    (void)state;
    mac_of(1, one);
    mac_of(2, other);
    assert_false(replay_is_known(cache, 7, one, 1000));
    replay_remember(cache, 7, one, 1000);
    assert_true(replay_is_known(cache, 7, one, 1000));
    assert_true(replay_is_known(cache, 7, one, 1000 + REPLAY_KEEP_MS - 1));
    assert_false(replay_is_known(cache, 7, one, 1000 + REPLAY_KEEP_MS));
    assert_false(replay_is_known(cache, 8, one, 1000));
    assert_false(replay_is_known(cache, 7, other, 1000));
    one[REPLAY_MAC_BYTES - 1] ^= 1; /* the same set, another MAC */
    assert_false(replay_is_known(cache, 7, one, 1000));
    replay_cache_free(cache);
}

static void one_that_is_remembered_again_keeps_its_place(void **state)
{
    struct replay_cache *cache = replay_cache_new();
    uint8_t one[REPLAY_MAC_BYTES], neighbour[REPLAY_MAC_BYTES];

    (void)state;
    mac_of(1, one);
    for (uint8_t i = 1; i < 4; i++) { /* the other places of the same set */
        memcpy(neighbour, one, sizeof neighbour);
        neighbour[REPLAY_MAC_BYTES - 1] ^= i;
        replay_remember(cache, 7, neighbour, 1000);
    }
    for (int again = 0; again < 10; again++) { /* more often than there are places */
        replay_remember(cache, 7, one, 2000 + again);
    }
    assert_true(replay_is_known(cache, 7, one, 2008 + REPLAY_KEEP_MS));
    assert_false(replay_is_known(cache, 7, one, 2009 + REPLAY_KEEP_MS));
    assert_true(replay_is_known(cache, 7, neighbour, 2000)); /* nobody was pushed out */
    replay_cache_free(cache);
}

static void ten_times_its_room_pushes_out_the_oldest(void **state)
{
    enum { MANY = 650000, RECENT = 10000 };
    struct replay_cache *cache = replay_cache_new();
    uint8_t mac[REPLAY_MAC_BYTES];
    int recent = 0, all = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        mac_of(i, mac);
        replay_remember(cache, 1, mac, i / 1000 + 1);
    }
    for (int i = 0; i < MANY; i++) {
        mac_of(i, mac);
        bool known = replay_is_known(cache, 1, mac, MANY / 1000);

        all += known;
        recent += known && i >= MANY - RECENT;
    }
    EXPECT(all > 60000 && all <= 65536, "%d are known", all);
    EXPECT(recent >= RECENT * 99 / 100, "%d of the %d newest are known", recent, RECENT);
    replay_cache_free(cache);
}

static void times_fall_into_their_classes(void **state)
{
    struct receive_times times = {0};

    (void)state;
    receive_times_add(&times, 0);
    receive_times_add(&times, 1);
    receive_times_add(&times, 2);
    receive_times_add(&times, 1000);
    receive_times_add(&times, 1001);
    assert_int_equal(times.classes[0], 2);
    assert_int_equal(times.classes[1], 1);
    assert_int_equal(times.classes[RECEIVE_TIMES - 1], 1);
    assert_int_equal(times.classes[RECEIVE_TIMES], 1);
    assert_int_equal(times.count, 5);
    assert_int_equal(times.sum_ms, 2004);
    assert_int_equal(times.longest_ms, 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delivery_is_known_for_its_time_and_connection_only),
        cmocka_unit_test(one_that_is_remembered_again_keeps_its_place),
        cmocka_unit_test(ten_times_its_room_pushes_out_the_oldest),
        cmocka_unit_test(times_fall_into_their_classes),
    };

    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
