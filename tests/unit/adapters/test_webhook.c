/* What is the same for the webhooks of all CRMs: the door. */
#include "adapters/adapter_webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/attributes.h"

static void test_path_secrets_open_the_door(void **state)
{
    struct secret present = {0}, former = {0};
    static const struct {
        const char *path;
        bool is_right;
    } CASES[] = {{"3f9c0b7e6d5a4c21", true},  {"0000000000000001", true},
                 {"3f9c0b7e6d5a4c2", false},  {"3f9c0b7e6d5a4c211", false},
                 {"3F9C0B7E6D5A4C21", false}, {"", false}};

    secret_set(&present, STR("3f9c0b7e6d5a4c21"));
    secret_set(&former, STR("0000000000000001"));
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct webhook_settings settings = {.paths = {&present, &former}};
        struct webhook_delivery delivery = {.path_secret = str_of(CASES[i].path)};
        struct error err = {0};

        print_message("  '%s'\n", CASES[i].path);
        assert_int_equal(webhook_door(&settings, &delivery, &err),
                         CASES[i].is_right ? OK : FAIL_AUTH);
        assert_null(strstr(err.message, "3f9c"));
    }
    secret_fini(&present);
    secret_fini(&former);
    (void)state;
}

/* An empty secret is none: it must not let in who sends nothing. */
static void test_an_empty_secret_opens_nothing(void **state)
{
    struct secret none = {0}, right = {0};
    struct webhook_settings settings = {.paths = {&none, &right}};
    struct webhook_delivery delivery = {.path_secret = STR("")};
    struct error err = {0};

    secret_set(&right, STR("3f9c0b7e6d5a4c21"));
    assert_false(webhook_is_one_of(settings.paths, STR("")));
    assert_int_equal(webhook_door(&settings, &delivery, &err), FAIL_AUTH);
    settings.paths[1] = NULL;
    assert_false(webhook_has_one(settings.paths));
    assert_int_equal(webhook_door(&settings, &delivery, &err), OK); /* no secret: no check */
    secret_fini(&right);
    (void)state;
}

static void test_only_allowed_senders_come_in(void **state)
{
    struct address_range ranges[2];
    struct webhook_settings settings = {.allowed_ips = ranges, .allowed_ips_count = 2};
    struct webhook_delivery delivery = {.peer = STR("198.51.100.20")};
    struct error err = {0};

    assert_true(address_range_parse(STR("192.0.2.0/24"), &ranges[0]));
    assert_true(address_range_parse(STR("198.51.100.16/28"), &ranges[1]));
    assert_int_equal(webhook_door(&settings, &delivery, &err), OK);
    delivery.peer = STR("198.51.100.32");
    assert_int_equal(webhook_door(&settings, &delivery, &err), FAIL_AUTH);
    delivery.peer = STR("");
    assert_int_equal(webhook_door(&settings, &delivery, &err), FAIL_AUTH);
    (void)state;
}

static void test_who_needs_a_certificate_has_to_show_it(void **state)
{
    struct http_request request = {.is_tls = true};
    struct webhook_settings settings = {.needs_certificate = true};
    const struct webhook_delivery delivery = {.request = &request};
    struct error err = {0};

    assert_int_equal(webhook_door(&settings, &delivery, &err), FAIL_AUTH);
    assert_non_null(strstr(err.hint, "client_ca"));
    request.is_client_proved = true;
    assert_int_equal(webhook_door(&settings, &delivery, &err), OK);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_secrets_open_the_door),
        cmocka_unit_test(test_an_empty_secret_opens_nothing),
        cmocka_unit_test(test_only_allowed_senders_come_in),
        cmocka_unit_test(test_who_needs_a_certificate_has_to_show_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
