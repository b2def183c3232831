/* Base64: the vectors of RFC 4648, both alphabets, and what is not base64. */
#include "core/base64.h"
#include "core/random.h"
#include "tests/expect.h"

struct vector {
    struct str bytes, plain, for_urls;
};

/* Source: RFC 4648, section 10; the last two for the characters in which the alphabets differ. */
static const struct vector vectors[] = {
    {STR(""), STR(""), STR("")},
    {STR("f"), STR("Zg=="), STR("Zg")},
    {STR("fo"), STR("Zm8="), STR("Zm8")},
    {STR("foo"), STR("Zm9v"), STR("Zm9v")},
    {STR("foob"), STR("Zm9vYg=="), STR("Zm9vYg")},
    {STR("fooba"), STR("Zm9vYmE="), STR("Zm9vYmE")},
    {STR("foobar"), STR("Zm9vYmFy"), STR("Zm9vYmFy")},
    {STR("\xfb\xff"), STR("+/8="), STR("-_8")},
    {STR("\x00\x00"), STR("AAA="), STR("AAA")},
};

static void the_vectors_go_both_ways(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct str back;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct vector *v = &vectors[i];

        EXPECT_STR(base64_encode(&arena, v->bytes.at, v->bytes.len), v->plain, "plain");
        EXPECT_STR(base64url_encode(&arena, v->bytes.at, v->bytes.len), v->for_urls, "for URLs");
        assert_true(base64_decode(&arena, v->plain, &back) && str_equal(back, v->bytes));
        assert_true(base64url_decode(&arena, v->for_urls, &back) && str_equal(back, v->bytes));
    }
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const plain[] = {"Zg",   "Zg=",   "Zh==",  "Zm9",  "Zm9=",     "====",
                                        "Z===", "Zm 9v", "Zm9v=", "-_8=", "Zg==Zg==", "Zm9v\n"};
    static const char *const for_urls[] = {"Zg==", "Z", "Zh", "+/8", "Zm9vY", "Zm9v "};
    AUTO_ARENA struct arena arena = {0};
    struct str back = STR("untouched");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        if (base64_decode(&arena, str_of(plain[i]), &back)) {
            fail_msg("'%s' was taken", plain[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(for_urls); i++) {
        if (base64url_decode(&arena, str_of(for_urls[i]), &back)) {
            fail_msg("'%s' was taken", for_urls[i]);
        }
    }
    assert_false(base64url_decode(&arena, ((struct str){.at = "Zg\0g", .len = 4}), &back));
    EXPECT_STR(back, STR("untouched"), "after refusals");
}

static void comes_back_exactly(struct str text, struct str sent)
{
    uint8_t back[BASE64_EXACTLY_MAX];

    assert_true(base64_decode_exactly(text, back, sent.len));
    assert_memory_equal(back, sent.at, sent.len);
    assert_false(base64_decode_exactly(text, back, sent.len + 1));
    assert_false(base64_decode_exactly(text, back, sent.len - 1));
}

static void any_bytes_come_back(void **state)
{
    struct random *random = random_new_seeded(20261121);
    uint8_t bytes[100];

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        AUTO_ARENA struct arena arena = {0};
        struct str sent = {.at = (const char *)bytes, .len = i % sizeof bytes}, back;

        random_bytes(random, bytes, sent.len);
        assert_true(base64_decode(&arena, base64_encode(&arena, bytes, sent.len), &back));
        assert_true(str_equal(back, sent));
        if (sent.len && sent.len < BASE64_EXACTLY_MAX) {
            comes_back_exactly(base64_encode(&arena, bytes, sent.len), sent);
        }
        assert_true(base64url_decode(&arena, base64url_encode(&arena, bytes, sent.len), &back));
        assert_true(str_equal(back, sent));
    }
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_go_both_ways),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(any_bytes_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
