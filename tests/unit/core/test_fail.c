/* Errors: what a person reads stays whole however long the parts are. */
#include "tests/expect.h"

#include "core/fail.h"
#include "core/unicode.h"

static void setting_clears_what_was(void **state)
{
    struct error err = {.code = FAIL_BUG,
                        .http_status = 500,
                        .wait_ms = 9,
                        .is_outcome_unknown = true,
                        .hint = "old"};

    (void)state;
    EXPECT(error_set(&err, FAIL_RETRY, "answered %d", 502) == FAIL_RETRY, "returns the code");
    EXPECT(err.code == FAIL_RETRY && err.http_status == 0 && err.wait_ms == 0 &&
               !err.is_outcome_unknown,
           "cleared");
    EXPECT_STR(str_of(err.message), STR("answered 502"), "message");
    EXPECT_STR(str_of(err.hint), STR(""), "no hint");
}

static void wrapping_keeps_all_but_the_message(void **state)
{
    struct error err = {0};

    (void)state;
    error_set(&err, FAIL_THROTTLED, "slow down");
    err.wait_ms = 5;
    EXPECT(error_hint(&err, "wait %d s", 5) == FAIL_THROTTLED, "hint returns the code");
    EXPECT(error_wrap(&err, "page %d", 3) == FAIL_THROTTLED, "wrap returns the code");
    EXPECT_STR(str_of(err.message), STR("page 3: slow down"), "phrase in front");
    EXPECT_STR(str_of(err.hint), STR("wait 5 s"), "hint kept");
    EXPECT(err.wait_ms == 5, "wait kept");
    error_set(&err, FAIL_RECORD, "set aside: %s", err.message);
    EXPECT_STR(str_of(err.message), STR("set aside: page 3: slow down"), "may quote itself");
    error_reset(&err);
    EXPECT(err.code == OK && err.message[0] == '\0', "empty again");
}

static void cuts_fall_between_characters(void **state)
{
    static const char *const CHARACTERS[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHARACTERS); i++) {
        for (int shift = 0; shift < 4; shift++) {
            struct error err = {0};
            AUTO_BUF struct buf text = {0};

            buf_init(&text, 8000);
            buf_add(&text, str_slice(STR("abc"), 0, (size_t)shift));
            for (int n = 0; n < 1000; n++) {
                buf_add(&text, str_of(CHARACTERS[i]));
            }
            error_set(&err, FAIL_RECORD, "%s", text.at);
            error_hint(&err, "%s", text.at);
            EXPECT(strlen(err.message) > ERROR_MESSAGE_BYTES - 5 &&
                       utf8_is_valid(str_of(err.message)),
                   "message %zu %d", i, shift);
            EXPECT(strlen(err.hint) > ERROR_HINT_BYTES - 5 && utf8_is_valid(str_of(err.hint)),
                   "hint %zu %d", i, shift);
            error_wrap(&err, "%s", "phrase");
            EXPECT(utf8_is_valid(str_of(err.message)) &&
                       str_starts(str_of(err.message), STR("phrase: ")),
                   "wrapped %zu %d", i, shift);
            error_wrap(&err, "%s", text.at);
            EXPECT(utf8_is_valid(str_of(err.message)) && strlen(err.message) < ERROR_MESSAGE_BYTES,
                   "long phrase");
        }
    }
}

static void names_are_stable_and_distinct(void **state)
{
    static const char *const NAMES[] = {"ok",        "record", "stale",      "throttled",
                                        "retry",     "auth",   "connection", "config",
                                        "cancelled", "stop",   "bug"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        EXPECT_STR(str_of(fail_name((enum fail)i)), str_of(NAMES[i]), "name");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_clears_what_was),
        cmocka_unit_test(wrapping_keeps_all_but_the_message),
        cmocka_unit_test(cuts_fall_between_characters),
        cmocka_unit_test(names_are_stable_and_distinct),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
