/* Schedules: next times in several zones, around changes of the clock, and what is refused. */
#include "tests/expect.h"
#include "core/cron.h"
#include "core/random.h"
#include "core/when.h"

struct row {
    const char *expression, *zone, *after, *next;
};

static const struct row ROWS[] = {
    /* plain */
    {"*/5 * * * *", "UTC", "2026-11-21T07:05:31Z", "2026-11-21T07:10:00Z"},
    {"*/5 * * * *", "UTC", "2026-11-21T07:10:00Z", "2026-11-21T07:15:00Z"},
    {"*/5 * * * *", "UTC", "2026-11-21T07:09:59.999Z", "2026-11-21T07:10:00Z"},
    {"0 0 * * *", "UTC", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
    {"30 3 * * *", "UTC", "2026-11-21T03:30:00Z", "2026-11-22T03:30:00Z"},
    {"0 9-17/4 * * mon-fri", "UTC", "2026-11-20T17:00:00Z", "2026-11-23T09:00:00Z"},
    {"0 9-17/4 * * MON-Fri", "UTC", "2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z"},
    {"15,45 8,20 * * *", "UTC", "2026-11-21T08:20:00Z", "2026-11-21T08:45:00Z"},
    {"0 0 1 jan,Jul *", "UTC", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"},
    {"  0\t0  *  *  7 ", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
    {"0 0 * * 6-7", "UTC", "2026-11-22T00:00:00Z", "2026-11-28T00:00:00Z"},
    {"* * * * *", "UTC", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z"},
    /* words */
    {"@hourly", "UTC", "2026-11-21T07:00:00Z", "2026-11-21T08:00:00Z"},
    {"@daily", "UTC", "2026-11-21T07:00:00Z", "2026-11-22T00:00:00Z"},
    {"@midnight", "UTC", "2026-11-21T07:00:00Z", "2026-11-22T00:00:00Z"},
    {"@weekly", "UTC", "2026-11-21T07:00:00Z", "2026-11-22T00:00:00Z"},
    {"@monthly", "UTC", "2026-11-21T07:00:00Z", "2026-12-01T00:00:00Z"},
    {"@Yearly", "UTC", "2026-11-21T07:00:00Z", "2027-01-01T00:00:00Z"},
    {"@annually", "UTC", "2026-11-21T07:00:00Z", "2027-01-01T00:00:00Z"},
    {"@every 5m", "UTC", "2026-11-21T07:01:02.003Z", "2026-11-21T07:06:02.003Z"},
    {"@every 90s", "", "2026-11-21T07:01:02Z", "2026-11-21T07:02:32Z"},
    /* both day fields restricted: either one; a star in one of them: both */
    {"0 0 13 * fri", "UTC", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"},
    {"0 0 13 * fri", "UTC", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"},
    {"0 0 */2 * mon", "UTC", "2026-11-21T00:00:00Z", "2026-11-23T00:00:00Z"},
    {"0 0 */2 * mon", "UTC", "2026-11-23T00:00:00Z", "2026-12-07T00:00:00Z"},
    {"0 0 13 * *", "UTC", "2026-11-13T00:00:00Z", "2026-12-13T00:00:00Z"},
    /* leap years; 2100 has no 29 February */
    {"0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z"},
    {"0 0 29 feb *", "UTC", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
    {"0 0 29 2 */7", "UTC", "2026-11-21T00:00:00Z", "2032-02-29T00:00:00Z"},
    {"0 0 31 * *", "UTC", "2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z"},
    {"0 0 31 4,5 *", "UTC", "2026-01-01T00:00:00Z", "2026-05-31T00:00:00Z"},
    /* a zone */
    {"30 3 * * *", "Europe/Berlin", "2026-11-21T07:00:00Z", "2026-11-22T02:30:00Z"},
    {"30 3 * * *", "Europe/Berlin", "2026-07-21T07:00:00Z", "2026-07-22T01:30:00Z"},
    {"0 0 * * *", "Asia/Kolkata", "2026-07-21T07:00:00Z", "2026-07-21T18:30:00Z"},
    {"0 0 1 * *", "Asia/Kathmandu", "2026-07-21T07:00:00Z", "2026-07-31T18:15:00Z"},
    {"0 9 * * mon", "America/New_York", "2026-11-21T07:00:00Z", "2026-11-23T14:00:00Z"},
    {"0 12 * * *", "Pacific/Kiritimati", "2026-11-21T00:00:00Z", "2026-11-21T22:00:00Z"},
    /* Berlin 2026: 29 March 02:00 becomes 03:00. In the gap: once, right after it */
    {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
    {"15,30,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
    {"15,30,45 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"},
    {"0 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
    {"0 2,3 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
    {"30 2 30 * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
    /* with a star it follows the clock: nothing at 02:xx that day */
    {"30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
    {"*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z"},
    /* Berlin: 25 October 03:00 becomes 02:00. In the doubled hour: the first time alone */
    {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
    {"0 3 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"},
    {"0 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"},
    /* with a star: each real hour */
    {"30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
    {"*/30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
    /* New York 2026: 8 March 02:00, 1 November 02:00 */
    {"30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", "2026-03-08T07:00:00Z"},
    {"30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", "2026-11-01T05:30:00Z"},
    {"30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"},
    /* Lord Howe: half an hour, the southern way round: 4 October 02:00 becomes 02:30 */
    {"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
    {"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "2026-04-04T14:45:00Z"},
    {"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"},
    /* midnight that does not exist: Santiago, 6 September 2026 00:00 becomes 01:00 */
    {"0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"},
    /* beyond the file's last entry, by the rule in its last line */
    {"30 2 * * *", "Europe/Berlin", "2060-03-27T12:00:00Z", "2060-03-28T01:00:00Z"},
    {"30 3 * * *", "Europe/Berlin", "2060-07-21T07:00:00Z", "2060-07-22T01:30:00Z"},
    {"30 3 * * *", "Australia/Sydney", "2060-01-21T07:00:00Z", "2060-01-21T16:30:00Z"},
    /* Samoa left out the 30th of December 2011: no summer time, so no catching up */
    {"0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", "2011-12-30T22:00:00Z"},
};

static int64_t ms_of(const char *text)
{
    int64_t ms = 0;

    EXPECT(when_parse_ms(str_of(text), &ms), "'%s' is no time", text);
    return ms;
}

static struct cron cron_of(struct arena *arena, const char *expression, const char *zone_name)
{
    struct error err = {0};
    struct cron cron = {0};
    const struct zone *zone = NULL;

    EXPECT(zone_load(arena, str_of(zone_name), &zone, &err) == OK, "%s", err.message);
    EXPECT(cron_parse(str_of(expression), zone, &cron, &err) == OK, "%s", err.message);
    return cron;
}

static void next_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct cron cron = cron_of(&arena, ROWS[i].expression, ROWS[i].zone);
        char got[WHEN_TEXT_BYTES], want[WHEN_TEXT_BYTES];

        when_format_ms(cron_next_ms(&cron, ms_of(ROWS[i].after)), got);
        when_format_ms(ms_of(ROWS[i].next), want);
        EXPECT(str_equal(str_of(got), str_of(want)), "'%s' in %s after %s: got %s, wanted %s",
               ROWS[i].expression, ROWS[i].zone, ROWS[i].after, got, want);
    }
}

static void never(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct cron off = cron_of(&arena, "never", "UTC"), zeroed = {0};
    struct cron daily = cron_of(&arena, "@daily", "Europe/Berlin");
    struct cron often = cron_of(&arena, "@every 1d", "UTC");

    (void)state;
    EXPECT(cron_next_ms(&off, 0) == CRON_NEVER, "never is never");
    EXPECT(cron_next_ms(&zeroed, 0) == CRON_NEVER, "a zeroed schedule is never");
    EXPECT(cron_next_ms(&daily, ms_of("9999-12-31T00:00:00Z")) == CRON_NEVER,
           "the calendar ends somewhere");
    EXPECT(cron_next_ms(&often, INT64_MAX - 5) == CRON_NEVER, "no overflow");
}

static void refused(void **state)
{
    static const char *const BAD[] = {"",
                                      "* * * *",
                                      "* * * * * *",
                                      "60 * * * *",
                                      "* 24 * * *",
                                      "* * 0 * *",
                                      "* * 32 * *",
                                      "* * * 0 *",
                                      "* * * 13 *",
                                      "* * * * 8",
                                      "-1 * * * *",
                                      "5- * * * *",
                                      "-5 * * * *",
                                      "5-3 * * * *",
                                      "*/0 * * * *",
                                      "5/10 * * * *",
                                      "*/60 * * * *",
                                      "1,,2 * * * *",
                                      ", * * * *",
                                      "1, * * * *",
                                      "a * * * *",
                                      "* * * foo *",
                                      "* * * * mo",
                                      "* * * * fri-mon",
                                      "0 0 30 2 *",
                                      "0 0 31 2 *",
                                      "0 0 31 4,6 *",
                                      "0 0 31 feb */2",
                                      "@reboot",
                                      "@every",
                                      "@every 0s",
                                      "@every 5x",
                                      "@every -5m",
                                      "@every 999ms",
                                      "001 * * * *",
                                      "+1 * * * *",
                                      "1-2-3 * * * *",
                                      "*-3 * * * *",
                                      "1/ * * * *",
                                      "1-5/ * * * *",
                                      "@ hourly",
                                      "often"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct error err = {0};
        struct cron cron;
        const struct zone *zone;

        EXPECT(zone_load(&arena, STR("UTC"), &zone, &err) == OK, "%s", err.message);
        EXPECT(cron_parse(str_of(BAD[i]), zone, &cron, &err) == FAIL_CONFIG && err.hint[0],
               "'%s' is refused with a hint", BAD[i]);
    }
}

static void zones_refused(void **state)
{
    static const char *const BAD[] = {"Europe/Berlim", "../../etc/passwd", "/etc/localtime",
                                      "Europe/../UTC", "Europe",           "Europe/",
                                      "zone.tab",      "right/Nowhere",    "tzdata zi"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct error err = {0};
        const struct zone *zone;

        EXPECT(zone_load(&arena, str_of(BAD[i]), &zone, &err) == FAIL_CONFIG, "'%s' is no zone",
               BAD[i]);
    }
}

/* A damaged file is refused or read, never read past its end. */
static void zone_damaged(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    char content[8192];
    size_t len;

    (void)state;
    EXPECT(file, "the zone database is there");
    len = fread(content, 1, sizeof content, file);
    fclose(file);
    for (size_t cut = 0; cut < len; cut++) {
        struct error err = {0};
        const struct zone *zone;
        char *exact = malloc(cut + 1); /* so that the sanitizer sees its end */

        memcpy(exact, content, cut);
        EXPECT(zone_parse(&arena, STR("x"), (struct str){exact, cut}, &zone, &err) == FAIL_CONFIG,
               "%zu of %zu bytes are no zone", cut, len);
        content[cut] = (char)(content[cut] ^ 0xff);
        if (zone_parse(&arena, STR("x"), (struct str){content, len}, &zone, &err) == OK) {
            zone_span(zone, ms_of("2026-11-21T00:00:00Z") / 1000);
        }
        content[cut] = (char)(content[cut] ^ 0xff);
        free(exact);
        arena_reset(&arena);
    }
}

/* What the C library says of the same moments: offsets over a hundred years, in zones of all sorts. */
static void zones_as_the_c_library(void **state)
{
    static const char *const NAMES[] = {
        "Europe/Berlin",    "America/New_York",  "America/Sao_Paulo", "Australia/Lord_Howe",
        "Asia/Tehran",      "Africa/Casablanca", "Europe/Dublin",     "America/Nuuk",
        "Pacific/Apia",     "Asia/Kolkata",      "America/St_Johns",  "Pacific/Chatham",
        "Antarctica/Troll", "Asia/Gaza",         "America/Santiago",  "Africa/El_Aaiun"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct error err = {0};
        const struct zone *zone;

        EXPECT(zone_load(&arena, str_of(NAMES[i]), &zone, &err) == OK, "%s", err.message);
        setenv("TZ", NAMES[i], 1);
        tzset();
        for (int64_t at_s = -INT64_C(1500000000); at_s < INT64_C(5000000000); at_s += 543217) {
            time_t at = at_s;
            struct tm tm;
            struct zone_span span = zone_span(zone, at_s);

            localtime_r(&at, &tm);
            EXPECT(tm.tm_gmtoff == span.offset_s, "%s at %lld: got %d, wanted %ld", NAMES[i],
                   (long long)at_s, span.offset_s, tm.tm_gmtoff);
            EXPECT(span.from_s <= at_s && at_s < span.until_s, "%s: the span holds its moment",
                   NAMES[i]);
        }
    }
}

/* --- properties ------------------------------------------------------------------------------------------------------------- */

static int64_t below(struct random *random, int64_t limit)
{
    return (int64_t)random_below(random, (uint64_t)limit);
}

/* A field of one to three values, a range, or a star. */
static void add_field(struct random *random, struct buf *text, int min, int max)
{
    int64_t width = max - min + 1;
    int from = min + (int)below(random, width);

    switch (below(random, 4)) {
    case 0:
        buf_addf(text, "* ");
        break;
    case 1:
        buf_addf(text, "%d ", from);
        break;
    case 2:
        buf_addf(text, "%d-%d ", from, from + (int)below(random, max - from + 1));
        break;
    default:
        buf_addf(text, "%d,%d ", from, min + (int)below(random, width));
        break;
    }
}

/* The minute as the zone's clock shows it fits the expression. */
static bool fits(const struct cron *cron, int64_t at_s)
{
    int64_t local_s = at_s + zone_span(cron->zone, at_s).offset_s;
    int64_t days = local_s / 86400;
    struct when_date date = when_date_of(days);
    int minute = (int)(local_s % 86400 / 60);
    bool by_date = cron->days >> date.day & 1;
    bool by_weekday = cron->weekdays >> (days + 4) % 7 & 1;

    return local_s % 60 == 0 && (cron->hours >> minute / 60 & 1) &&
           (cron->minutes >> minute % 60 & 1) && (cron->months >> date.month & 1) &&
           (cron->any_day ? by_date && by_weekday : by_date || by_weekday);
}

/* Every minute in between is looked at: nothing that fits is passed over, but for hours the clock shows a second time, and nothing else
 * is given, but for what the clock left out. */
static void properties(void **state)
{
    static const char *const NAMES[] = {"UTC", "Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "Asia/Kolkata"};
    const uint64_t seed = 20261121;
    struct random *random = random_new_seeded(seed);
    int checked = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 3000; i++) {
        AUTO_ARENA struct arena arena = {0};
        AUTO_BUF struct buf text = {0};
        struct error err = {0};
        struct cron cron;
        const struct zone *zone;
        int64_t after_s = INT64_C(1767225600) + below(random, 2 * 365 * 86400);
        int64_t next_s, back_s = 0;

        buf_init(&text, 256);
        add_field(random, &text, 0, 59);
        add_field(random, &text, 0, 23);
        add_field(random, &text, 1, 31);
        add_field(random, &text, 1, 12);
        add_field(random, &text, 0, 7);
        EXPECT(zone_load(&arena, str_of(NAMES[i % 5]), &zone, &err) == OK, "%s", err.message);
        if (cron_parse(buf_str(&text), zone, &cron, &err) != OK) {
            continue;
        }
        next_s = cron_next_ms(&cron, after_s * 1000 + below(random, 1000)) / 1000;
        EXPECT(next_s > after_s, "'%s': after %lld comes %lld", text.at, (long long)after_s,
               (long long)next_s);
        EXPECT(fits(&cron, next_s) || zone_span(zone, next_s).from_s == next_s,
               "'%s' in %s does not fit %lld", text.at, NAMES[i % 5], (long long)next_s);
        for (int64_t at_s = after_s - after_s % 60 + 60; at_s < next_s && at_s < after_s + 864000;
             at_s += 60) {
            struct zone_span span = zone_span(zone, at_s);

            back_s = span.from_s == INT64_MIN
                         ? 0
                         : zone_span(zone, span.from_s - 1).offset_s - span.offset_s;
            EXPECT(!fits(&cron, at_s) ||
                       (!cron.has_any_time && back_s > 0 && at_s < span.from_s + back_s),
                   "'%s' in %s passes over %lld", text.at, NAMES[i % 5], (long long)at_s);
        }
        checked++;
    }
    EXPECT(checked > 2000, "most expressions are possible: %d", checked);
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_times),   cmocka_unit_test(never),
        cmocka_unit_test(refused),      cmocka_unit_test(zones_refused),
        cmocka_unit_test(zone_damaged), cmocka_unit_test(zones_as_the_c_library),
        cmocka_unit_test(properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
