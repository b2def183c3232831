/* Points in time as text, checked against the C library's calendar. */
#include "tests/expect.h"
#include "core/random.h"
#include "core/when.h"

static const struct {
    const char *text;
    bool is_time;
    int64_t ms;
} ROWS[] = {
    {"1970-01-01T00:00:00Z", true, 0},
    {"1970-01-01T00:00:00.001Z", true, 1},
    {"1969-12-31T23:59:59.999Z", true, -1},
    {"2026-11-21T07:05:31.250Z", true, 1795244731250},
    {"2026-11-21 07:05:31.250", true, 1795244731250},
    {"2026-11-21t07:05:31.250z", true, 1795244731250},
    {"2026-11-21T08:05:31.250+01:00", true, 1795244731250},
    {"2026-11-21T08:05:31.250+0100", true, 1795244731250},
    {"2026-11-21T01:35:31.250-05:30", true, 1795244731250},
    {"2026-11-21T07:05:31.250999999Z", true, 1795244731250},
    {"2026-11-21T07:05:31.2Z", true, 1795244731200},
    {"2026-11-21T07:05Z", true, 1795244700000},
    {"2026-11-21", true, 1795219200000},
    {"2000-02-29T00:00:00Z", true, 951782400000},
    {"2024-02-29T12:00:00Z", true, 1709208000000},
    {"2016-12-31T23:59:60Z", true, 1483228800000},
    {"0001-01-01T00:00:00Z", true, -62135596800000},
    {"9999-12-31T23:59:59.999Z", true, 253402300799999},
    {"0001-01-01T00:00:00+00:01", false, 0},
    {"9999-12-31T23:59:59-00:01", false, 0},
    {"0000-01-01T00:00:00Z", false, 0},
    {"1900-02-29T00:00:00Z", false, 0},
    {"2023-02-29", false, 0},
    {"2026-13-01", false, 0},
    {"2026-00-01", false, 0},
    {"2026-01-32", false, 0},
    {"2026-04-31", false, 0},
    {"2026-11-21T24:00:00Z", false, 0},
    {"2026-11-21T07:60:00Z", false, 0},
    {"2026-11-21T07:05:61Z", false, 0},
    {"2026-11-21T07:05:31.Z", false, 0},
    {"2026-11-21T07:05:31.1234567890Z", false, 0},
    {"2026-11-21T07:05:31+24:00", false, 0},
    {"2026-11-21T07:05:31+05:", false, 0},
    {"2026-11-21T07:05:31+5", false, 0},
    {"2026-11-21T07:05:31ZZ", false, 0},
    {"2026-11-21T", false, 0},
    {"2026-11-21T07", false, 0},
    {"26-11-21", false, 0},
    {"2026/11/21", false, 0},
    {"1795244731250", false, 0},
    {" 2026-11-21", false, 0},
    {"", false, 0},
};

static void parsing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t got = 42;
        bool is_time = when_parse_ms(str_of(ROWS[i].text), &got);

        EXPECT(is_time == ROWS[i].is_time, "'%s' is a time: %d", ROWS[i].text, is_time);
        EXPECT(got == (is_time ? ROWS[i].ms : 42), "'%s' gives %lld", ROWS[i].text, (long long)got);
    }
}

static void formatting_agrees_with_the_c_library(void **state)
{
    struct random *random = random_new_seeded(7);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t seconds = (int64_t)random_below(random, 315537897600) - 62135596800, back = 0;
        time_t c_seconds = (time_t)seconds;
        char text[WHEN_TEXT_BYTES], want[WHEN_TEXT_BYTES], http[WHEN_TEXT_BYTES];
        struct tm tm;

        gmtime_r(&c_seconds, &tm);
        snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", (tm.tm_year + 1900) % 10000,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        when_format_seconds(seconds * 1000 + 999, text);
        EXPECT_STR(str_of(text), str_of(want), "seed 7, rounds down");
        when_format_ms(seconds * 1000 + 250, text);
        EXPECT(when_parse_ms(str_of(text), &back) && back == seconds * 1000 + 250, "back from %s",
               text);
        strftime(want, sizeof want, "%a, %d %b ", &tm);
        snprintf(want + strlen(want), sizeof want - strlen(want), "%04d %02d:%02d:%02d GMT",
                 (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
        when_format_http(seconds * 1000, http);
        EXPECT_STR(str_of(http), str_of(want), "seed 7, HTTP form");
        EXPECT(when_parse_http_ms(str_of(http), &back) && back == seconds * 1000, "back from %s",
               http);
    }
    random_free(random);
}

static void absurd_numbers_do_no_harm(void **state)
{
    char text[WHEN_TEXT_BYTES];

    (void)state;
    when_format_ms(INT64_MAX, text);
    when_format_ms(INT64_MIN, text);
    when_format_seconds(INT64_MIN, text);
    when_format_http(INT64_MIN, text);
    when_format_http(INT64_MAX, text);
    EXPECT(strlen(text) < WHEN_TEXT_BYTES, "ends");
}

static void http_dates_that_are_none(void **state)
{
    static const char *const BAD[] = {"",
                                      "Sat, 21 Nov 2026 07:05:31",
                                      "Sat, 21 Nov 2026 07:05:31 CET",
                                      "Sat, 31 Nov 2026 07:05:31 GMT",
                                      "Sat, 21 nov 2026 07:05:31 GMT",
                                      "Saturday, 21-Nov-26 07:05:31 GMT",
                                      "2026-11-21T07:05:31Z",
                                      "Sat, 00 Nov 2026 07:05:31 GMT"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        int64_t got = 42;

        EXPECT(!when_parse_http_ms(str_of(BAD[i]), &got) && got == 42, "'%s'", BAD[i]);
    }
}

static void dates(void **state)
{
    static const struct {
        const char *text;
        bool is_date;
    } DATES[] = {{"2024-02-29", true},   {"2023-02-29", false}, {"2024-2-29", false},
                 {"2024-02-29 ", false}, {"", false},           {"9999-12-31", true},
                 {"0000-12-31", false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(DATES); i++) {
        EXPECT(when_is_date(str_of(DATES[i].text)) == DATES[i].is_date, "'%s'", DATES[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing),
        cmocka_unit_test(formatting_agrees_with_the_c_library),
        cmocka_unit_test(absurd_numbers_do_no_harm),
        cmocka_unit_test(http_dates_that_are_none),
        cmocka_unit_test(dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
