#include "core/zone.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/when.h"

#define DATABASE "/usr/share/zoneinfo"

enum {
    DAY_S = 24 * 60 * 60,
    HEADER_BYTES = 44,
    TYPE_BYTES = 6,
    TRANSITIONS_MAX = 8192,
    TYPES_MAX = 256,
    OFFSET_MAX_S = 26 * 60 * 60, /* RFC 8536 3.2: more than -25 h, less than 26 h */
};

struct transition {
    int64_t at_s;
    int offset_s; /* from then on */
};

/* When a rule's change happens, in days of a year. */
enum rule_form { RULE_MONTH_WEEK_DAY, RULE_JULIAN, RULE_DAY };
struct rule {
    enum rule_form form;
    int month, week, day;
    int time_s; /* of the local clock before the change */
};

/* The last line: from the last transition on. */
struct footer {
    bool has_rules; /* else standard_s for ever */
    int standard_s, summer_s;
    struct rule begin, end; /* of summer time */
};

struct zone {
    struct str name;
    int first_s; /* before the first transition */
    const struct transition *transitions;
    size_t count;
    bool has_footer;
    struct footer footer;
};

/* --- the rule in the last line --------------------------------------------------------------------------------------------- */

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c) {
        return false;
    }
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

static bool take_number(struct str *rest, int max, int *ret)
{
    int number = 0;
    size_t digits = 0;

    for (; digits < rest->len && digits < 4 && rest->at[digits] >= '0' && rest->at[digits] <= '9';
         digits++) {
        number = number * 10 + (rest->at[digits] - '0');
    }
    *rest = str_slice(*rest, digits, rest->len);
    *ret = number;
    return digits > 0 && number <= max;
}

/* [+-]hh[:mm[:ss]]; up to 167 hours in a rule's time. */
static bool take_time(struct str *rest, int *ret_s)
{
    int sign = take_char(rest, '-') ? -1 : 1;
    int hours, minutes = 0, seconds = 0;

    if (sign > 0) {
        take_char(rest, '+');
    }
    if (!take_number(rest, 167, &hours) ||
        (take_char(rest, ':') && (!take_number(rest, 59, &minutes) ||
                                  (take_char(rest, ':') && !take_number(rest, 59, &seconds))))) {
        return false;
    }
    *ret_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* "CET", "<+03>" */
static bool skip_name(struct str *rest)
{
    size_t len = 0;

    if (take_char(rest, '<')) {
        str_cut(rest, '>');
        return rest->at != NULL;
    }
    while (len < rest->len && ((rest->at[len] | 0x20) >= 'a' && (rest->at[len] | 0x20) <= 'z')) {
        len++;
    }
    *rest = str_slice(*rest, len, rest->len);
    return len >= 3;
}

/* "M10.5.0/3", "J79", "78/24" */
static bool take_rule(struct str *rest, struct rule *ret)
{
    bool is_read;

    ret->time_s = 2 * 3600;
    if (take_char(rest, 'M')) {
        ret->form = RULE_MONTH_WEEK_DAY;
        is_read = take_number(rest, 12, &ret->month) && take_char(rest, '.') &&
                  take_number(rest, 5, &ret->week) && take_char(rest, '.') &&
                  take_number(rest, 6, &ret->day) && ret->month >= 1 && ret->week >= 1;
    } else {
        ret->form = take_char(rest, 'J') ? RULE_JULIAN : RULE_DAY;
        is_read = take_number(rest, 365, &ret->day) && (ret->form == RULE_DAY || ret->day >= 1);
    }
    return is_read && (!take_char(rest, '/') || take_time(rest, &ret->time_s));
}

/* Signs are the other way round there: "CET-1" is one hour east. */
static bool read_footer(struct str text, struct footer *ret)
{
    int west_s;

    *ret = (struct footer){0};
    if (!skip_name(&text) || !take_time(&text, &west_s)) {
        return false;
    }
    ret->standard_s = -west_s;
    if (text.len == 0) {
        return true;
    }
    ret->summer_s = ret->standard_s + 3600;
    if (!skip_name(&text)) {
        return false;
    }
    if (text.len && text.at[0] != ',') {
        if (!take_time(&text, &west_s)) {
            return false;
        }
        ret->summer_s = -west_s;
    }
    ret->has_rules = true;
    return take_char(&text, ',') && take_rule(&text, &ret->begin) && take_char(&text, ',') &&
           take_rule(&text, &ret->end) && text.len == 0;
}

/* The day of the year's change, since 1970. 1970-01-01 was a Thursday (4). */
static int64_t rule_days(const struct rule *rule, int year)
{
    int64_t new_year = when_days_of((struct when_date){year, 1, 1});
    int64_t first, day;

    if (rule->form == RULE_DAY) {
        return new_year + rule->day;
    }
    if (rule->form == RULE_JULIAN) { /* 29 February is never counted */
        return new_year + rule->day - 1 + (rule->day >= 60 && when_days_in_month(year, 2) == 29);
    }
    first = when_days_of((struct when_date){year, rule->month, 1});
    day = (rule->day - (first + 4) % 7 + 7) % 7 + (rule->week - 1) * 7;
    return first + (day < when_days_in_month(year, rule->month) ? day : day - 7);
}

/* The changes of the years around at_s, in order. */
static void footer_changes(const struct footer *footer, int64_t at_s, struct transition ret[6])
{
    int64_t days = at_s / DAY_S - (at_s % DAY_S < 0);
    int year = when_date_of(days).year;

    for (int i = 0; i < 3; i++) {
        struct transition begin = {.at_s = rule_days(&footer->begin, year - 1 + i) * DAY_S +
                                           footer->begin.time_s - footer->standard_s,
                                   .offset_s = footer->summer_s};
        struct transition end = {.at_s = rule_days(&footer->end, year - 1 + i) * DAY_S +
                                         footer->end.time_s - footer->summer_s,
                                 .offset_s = footer->standard_s};
        bool is_northern = begin.at_s <= end.at_s;

        ret[2 * i] = is_northern ? begin : end;
        ret[2 * i + 1] = is_northern ? end : begin;
    }
}

/* The calendar's years end somewhere; moments that far off are held to be in the last of them. */
static int64_t in_calendar(int64_t at_s)
{
    const int64_t year_9998_s = INT64_C(253339228800);

    return at_s < -year_9998_s ? -year_9998_s : at_s > year_9998_s ? year_9998_s : at_s;
}

static struct zone_span footer_span(const struct footer *footer, int64_t from_s, int64_t at_s)
{
    struct zone_span span = {
        .from_s = from_s, .until_s = INT64_MAX, .offset_s = footer->standard_s};
    struct transition changes[6];

    if (!footer->has_rules) {
        return span;
    }
    footer_changes(footer, in_calendar(at_s), changes);
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        if (changes[i].at_s > at_s) {
            span.until_s = changes[i].at_s;
            if (i == 0) {
                span.offset_s = changes[1].offset_s;
            }
            return span;
        }
        span.offset_s = changes[i].offset_s;
        span.from_s = changes[i].at_s > from_s ? changes[i].at_s : from_s;
    }
    return span;
}

/* --- TZif ------------------------------------------------------------------------------------------------------------------- */

static int64_t big_endian(const char *at, size_t bytes)
{
    uint64_t number = (unsigned char)at[0] & 0x80 ? UINT64_MAX : 0; /* two's complement */

    for (size_t i = 0; i < bytes; i++) {
        number = number << 8 | (unsigned char)at[i];
    }
    return (int64_t)number;
}

/* The six counts of a header, in their order in the file. */
struct counts {
    int64_t utc, standard, leap, times, types, chars;
};

static bool read_header(struct str content, struct counts *ret)
{
    const char *at = content.at;

    if (content.len < HEADER_BYTES || memcmp(at, "TZif", 4) != 0) {
        return false;
    }
    *ret = (struct counts){.utc = big_endian(at + 20, 4),
                           .standard = big_endian(at + 24, 4),
                           .leap = big_endian(at + 28, 4),
                           .times = big_endian(at + 32, 4),
                           .types = big_endian(at + 36, 4),
                           .chars = big_endian(at + 40, 4)};
    return ret->utc >= 0 && ret->utc <= TYPES_MAX && ret->standard >= 0 &&
           ret->standard <= TYPES_MAX && ret->leap >= 0 && ret->leap <= TRANSITIONS_MAX &&
           ret->times >= 0 && ret->times <= TRANSITIONS_MAX && ret->types >= 1 &&
           ret->types <= TYPES_MAX && ret->chars >= 0 && ret->chars <= 4096;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
    return (size_t)counts->times * (time_bytes + 1) + (size_t)counts->types * TYPE_BYTES +
           (size_t)counts->chars + (size_t)counts->leap * (time_bytes + 4) +
           (size_t)counts->standard + (size_t)counts->utc;
}

static bool read_transitions(struct arena *arena, const char *block, const struct counts *counts,
                             struct zone *zone)
{
    size_t count = (size_t)counts->times;
    struct transition *transitions = ARENA_ARRAY(arena, struct transition, count + 1);
    const char *indexes = block + count * 8;
    const char *types = indexes + count;

    zone->first_s = (int)big_endian(types, 4);
    for (size_t i = 0; i < count; i++) {
        unsigned char type = (unsigned char)indexes[i];

        if (type >= counts->types) {
            return false;
        }
        transitions[i] =
            (struct transition){.at_s = big_endian(block + i * 8, 8),
                                .offset_s = (int)big_endian(types + type * TYPE_BYTES, 4)};
        if ((i && transitions[i].at_s <= transitions[i - 1].at_s) ||
            transitions[i].offset_s > OFFSET_MAX_S || transitions[i].offset_s < -OFFSET_MAX_S) {
            return false;
        }
    }
    zone->transitions = transitions;
    zone->count = count;
    return true;
}

/* The block with 64-bit times follows one with 32-bit times, and has a header of its own. */
static bool read_content(struct arena *arena, struct str content, struct zone *zone)
{
    struct counts counts;
    size_t bytes;

    if (!read_header(content, &counts) || content.at[4] < '2') {
        return false;
    }
    content = str_slice(content, HEADER_BYTES + block_bytes(&counts, 4), content.len);
    if (!read_header(content, &counts)) {
        return false;
    }
    bytes = block_bytes(&counts, 8);
    content = str_slice(content, HEADER_BYTES, content.len);
    if (counts.leap || content.len < bytes + 2 ||
        !read_transitions(arena, content.at, &counts, zone)) {
        return false; /* leap seconds: the zones under right/, whose clock is not ours */
    }
    content = str_slice(content, bytes, content.len);
    if (!take_char(&content, '\n') || !str_ends(content, STR("\n"))) {
        return false;
    }
    content.len--;
    zone->has_footer = content.len > 0;
    return content.len == 0 || read_footer(content, &zone->footer);
}

enum fail zone_parse(struct arena *arena, struct str name, struct str content,
                     const struct zone **ret, struct error *err)
{
    struct zone *zone = ARENA_NEW(arena, struct zone);

    zone->name = arena_str(arena, name);
    if (!read_content(arena, content, zone)) {
        return error_set(err, FAIL_CONFIG,
                         "the file of the time zone '%" PRI_STR "' is not understood",
                         STR_ARG(name));
    }
    *ret = zone;
    return OK;
}

static enum fail read_file(const char *path, char *bytes, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t len = 0;
    ssize_t got = fd < 0 ? -1 : 1;

    while (got > 0 && len < ZONE_FILE_BYTES_MAX) {
        got = read(fd, bytes + len, ZONE_FILE_BYTES_MAX - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    *ret_len = len;
    return got < 0 || len == ZONE_FILE_BYTES_MAX ? FAIL_CONFIG : OK;
}

/* Letters, digits and what stands between them; no way out of the database's folder. */
static bool is_zone_name(struct str name)
{
    if (name.len > ZONE_NAME_BYTES_MAX || name.at[0] == '/' || str_contains(name, STR(".")) ||
        str_ends(name, STR("/"))) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '/' || c == '_' || c == '-' || c == '+')) {
            return false;
        }
    }
    return true;
}

enum fail zone_load(struct arena *arena, struct str name, const struct zone **ret,
                    struct error *err)
{
    static const struct zone UTC = {.name = {.at = "UTC", .len = 3}};
    AUTO_ARENA struct arena scratch = {0};
    char path[sizeof DATABASE + ZONE_NAME_BYTES_MAX + 2];
    char *bytes;
    size_t len;

    if (name.len == 0 || str_equal(name, STR("UTC"))) {
        *ret = &UTC;
        return OK;
    }
    snprintf(path, sizeof path, DATABASE "/%" PRI_STR, STR_ARG(name));
    bytes = ARENA_ARRAY(&scratch, char, ZONE_FILE_BYTES_MAX);
    if (!is_zone_name(name) || read_file(path, bytes, &len) != OK) {
        error_set(err, FAIL_CONFIG, "there is no time zone '%" PRI_STR "' on this machine",
                  STR_ARG(name));
        return error_hint(err, access(DATABASE, R_OK) == 0
                                   ? "names are those of the IANA database, such as Europe/Berlin, "
                                     "America/New_York, or UTC"
                                   : "install the package tzdata; UTC works without it");
    }
    return zone_parse(arena, name, (struct str){.at = bytes, .len = len}, ret, err);
}

/* --- asking ------------------------------------------------------------------------------------------------------------------ */

struct zone_span zone_span(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count; /* the first transition after at_s */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->transitions[middle].at_s <= at_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->count && zone->has_footer) {
        return footer_span(&zone->footer, low ? zone->transitions[low - 1].at_s : INT64_MIN, at_s);
    }
    return (struct zone_span){
        .from_s = low ? zone->transitions[low - 1].at_s : INT64_MIN,
        .until_s = low < zone->count ? zone->transitions[low].at_s : INT64_MAX,
        .offset_s = low ? zone->transitions[low - 1].offset_s : zone->first_s};
}

struct str zone_name(const struct zone *zone)
{
    return zone->name;
}
