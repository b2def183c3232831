/* Headers, percent coding, queries, Retry-After: pure functions, tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/message.h"

static void expect_text(struct str got, const char *want, const char *why)
{
    if (want ? !got.at || !str_equal(got, str_of(want)) : got.at != NULL) {
        fail_msg("%s: got '%" PRI_STR "', want '%s'", why, STR_ARG(got), want ? want : "(none)");
    }
}

static void percent_coding(void **state)
{
    static const struct {
        const char *why, *in, *decoded, *as_form;
    } ROWS[] = {
        {"plain", "abc", "abc", "abc"},
        {"escaped blank", "a%20b", "a b", "a b"},
        {"plus means blank in forms only", "a+b", "a+b", "a b"},
        {"escaped plus stays a plus", "a%2Bb", "a+b", "a+b"},
        {"lower-case digits", "%c3%bc", "ü", "ü"},
        {"not hexadecimal stays", "%zz", "%zz", "%zz"},
        {"cut escape stays", "100%", "100%", "100%"},
        {"cut escape of two stays", "100%4", "100%4", "100%4"},
        {"decoded once only", "%2541", "%41", "%41"},
        {"empty", "", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};

        expect_text(http_percent_decode(&arena, str_of(ROWS[i].in), false), ROWS[i].decoded,
                    ROWS[i].why);
        expect_text(http_percent_decode(&arena, str_of(ROWS[i].in), true), ROWS[i].as_form,
                    ROWS[i].why);
    }
}

static void encoding_leaves_only_unreserved_characters_and_decodes_back(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    char all[256];
    struct str text = {.at = all, .len = sizeof all};
    struct str encoded;

    (void)state;
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (char)i;
    }
    encoded = http_percent_encode(&arena, text);
    assert_int_equal(encoded.len, 66 + 190 * 3);
    assert_true(str_equal(http_percent_decode(&arena, encoded, true), text));
    expect_text(http_percent_encode(&arena, STR("a b/ü~")), "a%20b%2F%C3%BC~", "encode");
}

static void queries(void **state)
{
    static const struct {
        const char *why, *url, *name, *want;
    } ROWS[] = {
        {"no query", "/x", "a", NULL},
        {"absent", "/x?b=1", "a", NULL},
        {"first of two", "/x?a=1&a=2", "a", "1"},
        {"in the middle", "/x?b=1&a=2&c=3", "a", "2"},
        {"empty value", "/x?a=", "a", ""},
        {"no equals sign", "/x?a", "a", ""},
        {"plus and escapes", "/x?a=x+%26y", "a", "x &y"},
        {"equals sign in the value", "/x?a=b=c", "a", "b=c"},
        {"escaped name", "/x?%61=1", "a", "1"},
        {"a longer name is another", "/x?aa=1", "a", NULL},
        {"fragment is no query", "/x?a=1#a=2", "a", "1"},
        {"absolute URL", "https://h.example/x?a=1", "a", "1"},
        {"URL in the query", "/x?a=http://h/y?z", "a", "http://h/y?z"},
        {"nothing", "", "a", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct http_request request = {.url = str_of(ROWS[i].url)};

        expect_text(http_query_get(&arena, &request, ROWS[i].name), ROWS[i].want, ROWS[i].why);
    }
}

static void paths(void **state)
{
    static const struct {
        const char *url, *want;
    } ROWS[] = {
        {"/a/b?c=1", "/a/b"}, {"/a%2Fb", "/a%2Fb"}, {"/", "/"}, {"https://h.example/a?b", "/a"},
        {"/a#b", "/a"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_request request = {.url = str_of(ROWS[i].url)};

        expect_text(http_path(&request), ROWS[i].want, ROWS[i].url);
    }
}

static void headers_are_found_without_case_and_bounded(void **state)
{
    struct http_headers headers = {0};

    (void)state;
    http_header_add(&headers, STR("X-One"), STR("1"));
    http_header_add(&headers, STR("x-one"), STR("2"));
    expect_text(http_header_get(&headers, "x-ONE"), "1", "first");
    expect_text(http_header_get(&headers, "x-two"), NULL, "absent");
    for (int i = 0; i < 2 * HTTP_HEADERS_MAX; i++) {
        http_header_add(&headers, STR("more"), STR(""));
    }
    assert_int_equal(headers.count, HTTP_HEADERS_MAX);
}

static void retry_after(void **state)
{
    enum { DAY = 24 * 60 * 60 * 1000 };
    /* now is Sat, 21 Nov 2026 07:05:31 GMT */
    const int64_t now_ms = INT64_C(1795244731000);
    static const struct {
        const char *why, *value;
        int64_t want_ms;
    } ROWS[] = {
        {"seconds", "7", 7000},
        {"zero", "0", 0},
        {"blanks around", " 3 ", 3000},
        {"date ahead", "Sat, 21 Nov 2026 07:05:41 GMT", 10000},
        {"date past", "Sat, 21 Nov 2026 07:00:00 GMT", 0},
        {"date years ahead is capped", "Sat, 21 Nov 2036 07:05:41 GMT", DAY},
        {"long seconds are capped", "864000", DAY},
        {"more digits than a number holds", "99999999999999999999999999", DAY},
        {"negative is unreadable", "-5", 1234},
        {"words are unreadable", "soon", 1234},
        {"fraction is unreadable", "1.5", 1234},
        {"empty", "", 1234},
        {"absent", NULL, 1234},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_headers headers = {0};
        int64_t got;

        if (ROWS[i].value) {
            http_header_add(&headers, STR("Retry-After"), str_of(ROWS[i].value));
        }
        got = http_retry_after_ms(&headers, now_ms, 1234);
        if (got != ROWS[i].want_ms) {
            fail_msg("%s: got %lld, want %lld", ROWS[i].why, (long long)got,
                     (long long)ROWS[i].want_ms);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_coding),
        cmocka_unit_test(encoding_leaves_only_unreserved_characters_and_decodes_back),
        cmocka_unit_test(queries),
        cmocka_unit_test(paths),
        cmocka_unit_test(headers_are_found_without_case_and_bounded),
        cmocka_unit_test(retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
