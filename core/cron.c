#include "core/cron.h"

#include "core/when.h"
#include "core/words.h"

enum {
    DAY_S = 24 * 60 * 60,
    FIELDS = 5,
    CLOCK_CHANGE_MAX_S =
        3 * 60 * 60,      /* a larger one is a correction of the zone, not summer time */
    MONTHS_MAX = 12 * 41, /* a 29 February on a given day of the week is at most 40 years away */
    YEAR_MAX = 9000,
};

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

struct field {
    const char *name;
    int min, max;
    const char *const *words; /* three letters each, the first one is `min`; NULL none */
};

static const char *const MONTHS[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const WEEKDAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct field MINUTE = {"minute", 0, 59, NULL}, HOUR = {"hour", 0, 23, NULL},
                          DAY = {"day of month", 1, 31, NULL}, MONTH = {"month", 1, 12, MONTHS},
                          WEEKDAY = {"day of week", 0, 7, WEEKDAYS};

static enum fail bad_field(const struct field *field, struct str part, struct error *err)
{
    error_set(err, FAIL_CONFIG, "the %s '%" PRI_STR "' of a schedule is not understood",
              field->name, STR_ARG(part));
    return error_hint(err, "%d to %d%s, ranges a-b, steps a-b/n or */n, and lists with commas",
                      field->min, field->max, field->words ? " or names of three letters" : "");
}

static bool read_value(const struct field *field, struct str text, int *ret)
{
    int64_t number;

    for (int i = 0; field->words && field->words[i]; i++) {
        if (str_equal_nocase(text, str_of(field->words[i]))) {
            *ret = field->min + i;
            return true;
        }
    }
    if (text.len == 0 || text.len > 2 || text.at[0] == '-' || text.at[0] == '+' ||
        !str_to_i64(text, &number) || number < field->min || number > field->max) {
        return false;
    }
    *ret = (int)number;
    return true;
}

/* "*", "7", "mon-fri", "0-30/10" */
static bool read_part(const struct field *field, struct str part, uint64_t *bits)
{
    struct str step_text = part;
    struct str range = str_cut(&step_text, '/');
    struct str to_text = range;
    struct str from_text = str_cut(&to_text, '-');
    bool is_star = str_equal(range, STR("*"));
    int from = field->min, to = field->max;
    int64_t step = 1;

    if (!is_star && !read_value(field, from_text, &from)) {
        return false;
    }
    if (!is_star) {
        to = from;
    }
    if (to_text.at && !is_star && !read_value(field, to_text, &to)) {
        return false;
    }
    if (step_text.at && ((!is_star && !to_text.at) || step_text.len > 2 ||
                         !str_to_i64(step_text, &step) || step < 1 || step > field->max)) {
        return false; /* what a step after a single number means differs between programs */
    }
    for (int value = from; value <= to; value += (int)step) {
        *bits |= UINT64_C(1) << value;
    }
    return from <= to;
}

static enum fail read_field(const struct field *field, struct str text, uint64_t *ret,
                            struct error *err)
{
    struct str rest = text;

    *ret = 0;
    do {
        struct str part = str_cut(&rest, ',');

        if (!read_part(field, part, ret)) {
            return bad_field(field, part, err);
        }
    } while (rest.at);
    return OK;
}

/* Some day of some year fits. */
static bool is_possible(const struct cron *cron)
{
    return cron_next_ms(cron, 0) != CRON_NEVER;
}

static enum fail read_fields(const struct str fields[FIELDS], struct cron *cron, struct error *err)
{
    uint64_t hours, days, months, weekdays;

    if (read_field(&MINUTE, fields[0], &cron->minutes, err) != OK ||
        read_field(&HOUR, fields[1], &hours, err) != OK ||
        read_field(&DAY, fields[2], &days, err) != OK ||
        read_field(&MONTH, fields[3], &months, err) != OK ||
        read_field(&WEEKDAY, fields[4], &weekdays, err) != OK) {
        return err->code;
    }
    cron->hours = (uint32_t)hours;
    cron->days = (uint32_t)days;
    cron->months = (uint32_t)months;
    cron->weekdays = (uint32_t)((weekdays | weekdays >> 7) & 0x7f); /* 7 is Sunday, too */
    cron->any_day = str_contains(fields[2], STR("*")) || str_contains(fields[4], STR("*"));
    cron->has_any_time = str_contains(fields[0], STR("*")) || str_contains(fields[1], STR("*"));
    if (!is_possible(cron)) {
        error_set(err, FAIL_CONFIG,
                  "the schedule's day of month '%" PRI_STR "' never comes in month '%" PRI_STR "'",
                  STR_ARG(fields[2]), STR_ARG(fields[3]));
        return error_hint(err, "for no schedule at all write never");
    }
    return OK;
}

/* Text without its white space in between; false: not five fields. */
static bool split_fields(struct str text, struct str ret[FIELDS])
{
    size_t count = 0;
    size_t at = 0;

    while (at < text.len) {
        size_t from;

        for (; at < text.len && (text.at[at] == ' ' || text.at[at] == '\t'); at++) {
        }
        for (from = at; at < text.len && text.at[at] != ' ' && text.at[at] != '\t'; at++) {
        }
        if (at > from && count == FIELDS) {
            return false;
        }
        if (at > from) {
            ret[count++] = str_slice(text, from, at);
        }
    }
    return count == FIELDS;
}

static enum fail read_every(struct str text, struct cron *cron, struct error *err)
{
    struct str duration = str_trim(text);

    cron->form = CRON_EVERY;
    if (!duration_parse(duration, &cron->every_ms) || cron->every_ms < CRON_EVERY_MIN_MS) {
        error_set(err, FAIL_CONFIG, "'@every %" PRI_STR "' is no interval", STR_ARG(duration));
        return error_hint(err, "write for example @every 5m; s, m, h and d are known, and one "
                               "second is the least");
    }
    return OK;
}

static struct str word_expression(struct str word)
{
    static const struct {
        const char *word, *expression;
    } WORDS[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                 {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                 {"@annually", "0 0 1 1 *"}};

    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_equal_nocase(word, str_of(WORDS[i].word))) {
            return str_of(WORDS[i].expression);
        }
    }
    return word;
}

enum fail cron_parse(struct str text, const struct zone *zone, struct cron *ret, struct error *err)
{
    struct str fields[FIELDS];

    text = str_trim(text);
    *ret = (struct cron){.form = CRON_CLOCK, .zone = zone};
    if (str_equal_nocase(text, STR("never"))) {
        ret->form = CRON_OFF;
        return OK;
    }
    if (str_starts(text, STR("@every "))) {
        return read_every(str_slice(text, strlen("@every "), text.len), ret, err);
    }
    if (!split_fields(word_expression(text), fields)) {
        error_set(err, FAIL_CONFIG, "'%" PRI_STR "' is no schedule", STR_ARG(text));
        return error_hint(err, "write five fields (minute, hour, day of month, month, day of "
                               "week) such as \"30 3 * * *\", or @hourly, @daily, @weekly, "
                               "@monthly, @yearly, @every 5m, or never");
    }
    return read_fields(fields, ret, err);
}

/* --- the next time ---------------------------------------------------------------------------------------------------------- */

static bool fits_day(const struct cron *cron, int64_t days)
{
    struct when_date date = when_date_of(days);
    int weekday = (int)((days % 7 + 11) % 7); /* 1970-01-01 was a Thursday (4) */
    bool by_date = cron->days >> date.day & 1;
    bool by_weekday = cron->weekdays >> weekday & 1;

    return (cron->months >> date.month & 1) &&
           (cron->any_day ? by_date && by_weekday : by_date || by_weekday);
}

/* First second of the day, from `from_s` of it on, that fits; DAY_S none. */
static int64_t time_in_day(const struct cron *cron, int64_t from_s)
{
    for (int64_t minute = (from_s + 59) / 60; minute < 24 * 60; minute++) {
        if (!(cron->hours >> minute / 60 & 1)) {
            minute += 59 - minute % 60; /* on to the next hour */
        } else if (cron->minutes >> minute % 60 & 1) {
            return minute * 60;
        }
    }
    return DAY_S;
}

static int64_t days_of_s(int64_t local_s)
{
    return local_s / DAY_S - (local_s % DAY_S < 0);
}

/* The first time on an undisturbed clock, from local_s on; CRON_NEVER none before until_s. */
static int64_t on_clock(const struct cron *cron, int64_t local_s, int64_t until_s)
{
    int64_t day = days_of_s(local_s);
    int64_t time = local_s - day * DAY_S;

    while (day * DAY_S < until_s) {
        struct when_date date = when_date_of(day);

        if (!(cron->months >> date.month & 1)) {
            day += when_days_in_month(date.year, date.month) - date.day + 1;
            time = 0;
            continue;
        }
        if (fits_day(cron, day) && (time = time_in_day(cron, time)) < DAY_S) {
            return day * DAY_S + time < until_s ? day * DAY_S + time : CRON_NEVER;
        }
        day++;
        time = 0;
    }
    return CRON_NEVER;
}

/* By how much the clock was set forward (or back, negative) at the span's beginning; 0 where that was no summer time. */
static int change_before(const struct cron *cron, const struct zone_span *span)
{
    int change;

    if (span->from_s == INT64_MIN) {
        return 0;
    }
    change = span->offset_s - zone_span(cron->zone, span->from_s - 1).offset_s;
    return change >= CLOCK_CHANGE_MAX_S || change <= -CLOCK_CHANGE_MAX_S ? 0 : change;
}

/* Fixed times: what the clock never showed is due at the span's beginning. */
static bool has_skipped(const struct cron *cron, const struct zone_span *span, int change)
{
    int64_t clock_s = span->from_s + span->offset_s;

    return change > 0 && on_clock(cron, clock_s - change, clock_s) != CRON_NEVER;
}

/* The first time at or after at_s within its span; CRON_NEVER: none. */
static int64_t in_span(const struct cron *cron, const struct zone_span *span, int64_t at_s,
                       int64_t limit_s)
{
    int64_t end_s = span->until_s < limit_s ? span->until_s : limit_s;
    int change = cron->has_any_time ? 0 : change_before(cron, span);
    int64_t found;

    if (at_s == span->from_s && has_skipped(cron, span, change)) {
        return at_s;
    }
    if (change < 0 && at_s < span->from_s - change) {
        at_s = span->from_s - change; /* the clock has shown these times before */
    }
    found = on_clock(cron, at_s + span->offset_s, end_s + span->offset_s);
    return found == CRON_NEVER ? CRON_NEVER : found - span->offset_s;
}

static int64_t limit_of(int64_t at_s)
{
    const int64_t end_s = when_days_of((struct when_date){YEAR_MAX, 1, 1}) * DAY_S;
    int64_t limit_s = at_s + (int64_t)MONTHS_MAX * 31 * DAY_S;

    return limit_s < end_s ? limit_s : end_s;
}

int64_t cron_next_ms(const struct cron *cron, int64_t after_ms)
{
    int64_t at_s, limit_s;

    switch (cron->form) {
    case CRON_OFF:
        return CRON_NEVER;
    case CRON_EVERY:
        return after_ms > CRON_NEVER - cron->every_ms ? CRON_NEVER : after_ms + cron->every_ms;
    case CRON_CLOCK:
        break;
    }
    at_s = after_ms / 1000 - (after_ms % 1000 < 0) + 1; /* strictly after, in whole seconds */
    limit_s = limit_of(at_s);
    while (at_s < limit_s) {
        struct zone_span span = zone_span(cron->zone, at_s);
        int64_t found = in_span(cron, &span, at_s, limit_s);

        if (found != CRON_NEVER) {
            return found * 1000;
        }
        at_s = span.until_s;
    }
    return CRON_NEVER;
}
