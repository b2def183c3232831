/* Schedules as crontab(5) writes them, on the clock of a time zone. Pure but for loading the zone.
 *
 *   minute 0-59, hour 0-23, day of month 1-31, month 1-12 or jan-dec, day of week 0-7 (0 and 7 are Sunday) or sun-sat
 *
 * Each field: a star, a number or name, a range 1-5, every n-th of a star or a range by a slash and n (8-18/2), and lists of these with commas.
 * Where both day fields are restricted (neither holds a star), either one is enough.
 * Words: @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually); @every DURATION counts from the last start; never.
 *
 * When the clock changes by less than three hours, as in spring and autumn, a schedule with fixed hours and minutes runs once: what falls into the gap right
 * after it, what falls into the doubled hour the first time. One with a star in hour or minute follows the clock (as Debian's cron(8) says in NOTES). */
#ifndef CRMSYNC_CORE_CRON_H
#define CRMSYNC_CORE_CRON_H

#include "core/zone.h"

#define CRON_NEVER INT64_MAX

enum { CRON_EVERY_MIN_MS = 1000 };

enum cron_form { CRON_OFF, CRON_EVERY, CRON_CLOCK };

/* Plain data. Zeroed it is `never`. */
struct cron {
    enum cron_form form;
    int64_t every_ms;        /* CRON_EVERY */
    const struct zone *zone; /* CRON_CLOCK; borrowed */
    uint64_t minutes;        /* bit n: minute n */
    uint32_t hours, days, months, weekdays;
    bool any_day;      /* a star stands in the day of month or in the day of week: both must hold */
    bool has_any_time; /* a star stands in hour or minute */
};

/* FAIL_CONFIG: what is wrong with which field; a date that never comes, such as 30 February. zone is borrowed by *ret. */
enum fail cron_parse(struct str text, const struct zone *zone, struct cron *ret,
                     struct error *err) MUST_CHECK;
/* The first time strictly after after_ms (ms since 1970 UTC); CRON_NEVER for `never` and past the year 9000. CRON_EVERY: after_ms plus the interval. */
int64_t cron_next_ms(const struct cron *cron, int64_t after_ms);

#endif
