/* Webhooks that we send: the standard's own example of a signature, keys, and what a secret must be. */
#include "api/hook.h"

#include "tests/expect.h"

/* source: github.com/standard-webhooks/standard-webhooks, libraries/javascript/src/webhook.test.ts, "sign function works" */
static void the_signature_is_that_of_the_standard(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_headers headers = {0};
    struct str key = hook_key(&arena, STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));

    (void)state;
    hook_sign(&arena, STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330999, &key, 1,
              STR("{\"test\": 2432232314}"), &headers);
    EXPECT_STR(http_header_get(&headers, "webhook-signature"),
               STR("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), "signature");
    EXPECT_STR(http_header_get(&headers, "webhook-timestamp"), STR("1614265330"), "seconds");
    EXPECT_STR(http_header_get(&headers, "webhook-id"), STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), "id");
}

static void two_keys_sign_both(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_headers headers = {0};
    struct str keys[] = {STR("another key, as it stands"),
                         hook_key(&arena, STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))};
    struct str rest;

    (void)state;
    hook_sign(&arena, STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330000, keys, COUNT_OF(keys),
              STR("{\"test\": 2432232314}"), &headers);
    rest = http_header_get(&headers, "webhook-signature");
    EXPECT(str_starts(str_cut(&rest, ' '), STR("v1,")), "the first");
    EXPECT_STR(rest, STR("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), "the second");
}

static void secrets_have_a_form(void **state)
{
    static const struct {
        const char *secret;
        bool is_standard;
    } rows[] = {
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},  /* 24 bytes */
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},       /* no prefix */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", false}, /* 22 bytes */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false},  /* no base64 */
        {"whsec_"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
         true}, /* 64 bytes */
        {"whsec_"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         false}, /* 65 */
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        EXPECT(hook_secret_is_standard(str_of(rows[i].secret)) == rows[i].is_standard, "row %zu",
               i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_that_of_the_standard),
        cmocka_unit_test(two_keys_sign_both),
        cmocka_unit_test(secrets_have_a_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
