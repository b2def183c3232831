/* Ranges of addresses as settings write them. */
#include "http/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/attributes.h"

static void test_addresses_are_found_in_their_ranges(void **state)
{
    static const struct {
        const char *range, *address;
        bool is_inside;
    } CASES[] = {
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "203.0.113.9", true},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"2001:db8::/32", "2001:db8:5::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"192.0.2.0/24", "", false},
        {"192.0.2.0/24", "unknown", false},
        {"192.0.2.0/24", "192.0.2.9:4711", false},
    };

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct address_range range;

        print_message("  %s in %s\n", CASES[i].address, CASES[i].range);
        assert_true(address_range_parse(str_of(CASES[i].range), &range));
        assert_int_equal(address_range_has(&range, str_of(CASES[i].address)), CASES[i].is_inside);
    }
    (void)state;
}

static void test_what_is_no_range_is_refused(void **state)
{
    static const char *const CASES[] = {
        "",           "192.0.2",       "192.0.2.0/33",   "192.0.2.0/-1",
        "192.0.2.0/", "192.0.2.1/24",  "2001:db8::/129", "localhost",
        "::1/0",      " 192.0.2.0/24", "192.0.2.0/24/8", "192.0.2.0/2x"};

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct address_range range;

        print_message("  '%s'\n", CASES[i]);
        assert_false(address_range_parse(str_of(CASES[i]), &range));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_found_in_their_ranges),
        cmocka_unit_test(test_what_is_no_range_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
