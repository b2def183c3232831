#include "core/when.h"

#include <stdio.h>

enum { MS_PER_DAY = 24 * 60 * 60 * 1000 };

#define YEAR_1_MS INT64_C(-62135596800000)
#define YEAR_10000_MS INT64_C(253402300800000)

static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const WEEKDAYS[] = {"Thu", "Fri", "Sat", "Sun",
                                       "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */

struct civil {
    int year, month, day, hour, minute, second, ms;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int when_days_in_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : DAYS[month - 1];
}

/* Days since 1970-01-01 of a proleptic Gregorian date; years from March, so that the leap day is the last. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void civil_of_days(int64_t days, struct civil *ret)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;

    ret->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    ret->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    ret->year = (int)(year_of_era + era * 400 + (ret->month <= 2));
}

/* Exactly count digits at *at; advances. */
static bool take_digits(struct str *rest, int count, int *ret)
{
    int number = 0;

    if (rest->len < (size_t)count) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        char c = rest->at[i];

        if (c < '0' || c > '9') {
            return false;
        }
        number = number * 10 + (c - '0');
    }
    *rest = str_slice(*rest, (size_t)count, rest->len);
    *ret = number;
    return true;
}

int64_t when_days_of(struct when_date date)
{
    return days_of(date.year, date.month, date.day);
}

struct when_date when_date_of(int64_t days)
{
    struct civil c = {0};

    civil_of_days(days, &c);
    return (struct when_date){.year = c.year, .month = c.month, .day = c.day};
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c) {
        return false;
    }
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

static bool take_date(struct str *rest, struct civil *c)
{
    return take_digits(rest, 4, &c->year) && take_char(rest, '-') &&
           take_digits(rest, 2, &c->month) && take_char(rest, '-') &&
           take_digits(rest, 2, &c->day) && c->year >= 1 && c->month >= 1 && c->month <= 12 &&
           c->day >= 1 && c->day <= when_days_in_month(c->year, c->month);
}

static bool take_fraction(struct str *rest, struct civil *c)
{
    int digits = 0;

    if (!take_char(rest, '.') && !take_char(rest, ',')) {
        return true;
    }
    for (int scale = 100; rest->len && rest->at[0] >= '0' && rest->at[0] <= '9';
         scale /= 10, digits++) {
        c->ms += (rest->at[0] - '0') * scale;
        *rest = str_slice(*rest, 1, rest->len);
    }
    return digits >= 1 && digits <= 9;
}

static bool take_time(struct str *rest, struct civil *c)
{
    if (!take_digits(rest, 2, &c->hour) || !take_char(rest, ':') ||
        !take_digits(rest, 2, &c->minute)) {
        return false;
    }
    if (take_char(rest, ':') && (!take_digits(rest, 2, &c->second) || !take_fraction(rest, c))) {
        return false;
    }
    return c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

static bool take_zone(struct str *rest, int *ret_minutes)
{
    int sign, hours, minutes = 0;

    *ret_minutes = 0;
    if (rest->len == 0 || take_char(rest, 'Z') || take_char(rest, 'z')) {
        return true;
    }
    sign = take_char(rest, '+') ? 1 : take_char(rest, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(rest, 2, &hours)) {
        return false;
    }
    if ((take_char(rest, ':') || rest->len) && !take_digits(rest, 2, &minutes)) {
        return false;
    }
    *ret_minutes = sign * (hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
}

static int64_t ms_of(const struct civil *c)
{
    return days_of(c->year, c->month, c->day) * MS_PER_DAY +
           ((int64_t)c->hour * 60 + c->minute) * 60000 + (int64_t)c->second * 1000 + c->ms;
}

bool when_parse_ms(struct str text, int64_t *ret_ms)
{
    struct civil c = {0};
    int zone_minutes = 0;
    int64_t ms;

    if (!take_date(&text, &c)) {
        return false;
    }
    if (text.len && ((!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' ')) ||
                     !take_time(&text, &c) || !take_zone(&text, &zone_minutes) || text.len)) {
        return false;
    }
    ms = ms_of(&c) - (int64_t)zone_minutes * 60000;
    if (ms < YEAR_1_MS || ms >= YEAR_10000_MS) {
        return false; /* the zone moved it out of the years that can be written */
    }
    *ret_ms = ms;
    return true;
}

static struct civil civil_of(int64_t ms)
{
    struct civil c = {0};
    int64_t days = ms / MS_PER_DAY;
    int64_t rest = ms % MS_PER_DAY;

    if (rest < 0) {
        rest += MS_PER_DAY;
        days--;
    }
    civil_of_days(days, &c);
    c.ms = (int)(rest % 1000);
    c.second = (int)(rest / 1000 % 60);
    c.minute = (int)(rest / 60000 % 60);
    c.hour = (int)(rest / 3600000);
    return c;
}

void when_format_ms(int64_t ms, char ret[WHEN_TEXT_BYTES])
{
    struct civil c = civil_of(ms);

    snprintf(ret, WHEN_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year % 10000, c.month,
             c.day, c.hour, c.minute, c.second, c.ms);
}

void when_format_seconds(int64_t ms, char ret[WHEN_TEXT_BYTES])
{
    struct civil c = civil_of(ms);

    snprintf(ret, WHEN_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year % 10000, c.month, c.day,
             c.hour, c.minute, c.second);
}

static bool take_month(struct str *rest, int *ret)
{
    for (int i = 0; i < 12; i++) {
        if (str_starts(*rest, str_of(MONTHS[i]))) {
            *ret = i + 1;
            *rest = str_slice(*rest, 3, rest->len);
            return true;
        }
    }
    return false;
}

bool when_parse_http_ms(struct str text, int64_t *ret_ms)
{
    struct civil c = {0};

    str_cut(&text, ' '); /* the weekday says nothing new */
    if (!take_digits(&text, 2, &c.day) || !take_char(&text, ' ') || !take_month(&text, &c.month) ||
        !take_char(&text, ' ') || !take_digits(&text, 4, &c.year) || !take_char(&text, ' ') ||
        !take_time(&text, &c) || !str_equal(text, STR(" GMT")) || c.year < 1 || c.day < 1 ||
        c.day > when_days_in_month(c.year, c.month)) {
        return false;
    }
    *ret_ms = ms_of(&c);
    return true;
}

void when_format_http(int64_t ms, char ret[WHEN_TEXT_BYTES])
{
    struct civil c = civil_of(ms);
    int64_t days = days_of(c.year, c.month, c.day);

    snprintf(ret, WHEN_TEXT_BYTES, "%s, %02d %s %04d %02d:%02d:%02d GMT",
             WEEKDAYS[(days % 7 + 7) % 7], c.day, MONTHS[c.month - 1], c.year % 10000, c.hour,
             c.minute, c.second);
}

bool when_is_date(struct str text)
{
    struct civil c = {0};

    return take_date(&text, &c) && text.len == 0;
}
