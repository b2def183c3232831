/* Time as text. Inside crmsync a point in time is int64_t ms since 1970 UTC; a date is its text YYYY-MM-DD. */
#ifndef CRMSYNC_CORE_WHEN_H
#define CRMSYNC_CORE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

enum { WHEN_TEXT_BYTES = 32 };

/* RFC 3339 / ISO 8601 with 'T' or blank, 0–9 fraction digits (cut to ms), 'Z', ±hh:mm, ±hhmm or nothing (= UTC); a date alone is its midnight. Years 0001–9999. */
bool when_parse_ms(struct str text, int64_t *ret_ms);
/* "2026-11-21T07:05:31.250Z"; fraction always three digits. */
void when_format_ms(int64_t ms, char ret[WHEN_TEXT_BYTES]);
/* "2026-11-21T07:05:31Z"; rounds down. */
void when_format_seconds(int64_t ms, char ret[WHEN_TEXT_BYTES]);
/* HTTP Date header ("Sat, 21 Nov 2026 07:05:31 GMT"). */
bool when_parse_http_ms(struct str text, int64_t *ret_ms);
void when_format_http(int64_t ms, char ret[WHEN_TEXT_BYTES]);
/* A real calendar date, exactly YYYY-MM-DD. */
bool when_is_date(struct str text);

/* Dates of the proleptic Gregorian calendar as days since 1970-01-01; month 1–12, day from 1. */
struct when_date {
    int year, month, day;
};
int64_t when_days_of(struct when_date date);
struct when_date when_date_of(int64_t days);
int when_days_in_month(int year, int month);

#endif
