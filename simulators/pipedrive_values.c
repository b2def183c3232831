#include "simulators/pipedrive_inside.h"

#include <math.h>
#include <stdarg.h>

#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

enum { VARCHAR_CHARS_MAX = 255, TEXT_BYTES_MAX = 65535, PROBLEM_BYTES = 300 };

bool pd_problem(struct pd_check *check, const char *format, ...)
{
    char text[PROBLEM_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->problem =
        arena_str(check->arena, str_slice(str_of(text), 0, utf8_valid_prefix(str_of(text))));
    check->status = 400;
    return false;
}

/* --- scalars -------------------------------------------------------------------------------- */

bool pd_whole(const json_t *value, int64_t *ret)
{
    if (json_is_integer(value)) {
        *ret = json_integer_value(value);
        return true;
    }
    if (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value) &&
        fabs(json_real_value(value)) < 9007199254740992.0) {
        *ret = (int64_t)json_real_value(value);
        return true;
    }
    return false;
}

/* The shortest digits that read back as the same double, as JavaScript writes them. */
struct str pd_number_text(struct arena *arena, const json_t *number)
{
    char text[40];
    int64_t whole;

    if (pd_whole(number, &whole)) {
        return arena_printf(arena, "%lld", (long long)whole);
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, json_real_value(number));
        if (strtod(text, NULL) == json_real_value(number)) {
            break;
        }
    }
    return arena_str(arena, str_of(text));
}

bool pd_time_parse(struct str text, int64_t *ret_ms)
{
    static const size_t SECONDS_END = 19; /* "2026-01-01T10:20:00" */
    char next = text.len > SECONDS_END ? text.at[SECONDS_END] : '\0';

    return (next == 'Z' || next == '+' || next == '-') && text.at[10] == 'T' &&
           when_parse_ms(text, ret_ms);
}

static size_t char_count(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    }
    return count;
}

static bool mismatch(struct pd_check *check, const struct pd_field *field, const char *expected)
{
    return pd_problem(check, "'%" PRI_STR "' has to be %s", STR_ARG(field->code), expected);
}

static bool text_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                       struct str *ret)
{
    struct str text = jx_text_of(value);
    bool is_long = field->type == PD_TEXT || field->type == PD_HTML;

    if (!json_is_string(value)) {
        return mismatch(check, field, "a string");
    }
    if (is_long ? text.len > TEXT_BYTES_MAX : char_count(text) > VARCHAR_CHARS_MAX) {
        return mismatch(check, field,
                        is_long ? "at most 65535 bytes long" : "at most 255 characters long");
    }
    if (field->type == PD_NAME && str_is_empty(str_trim(text))) {
        return mismatch(check, field, "a non-empty string");
    }
    *ret = jx_text(check->arena, value);
    return true;
}

static bool number_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                         struct str *ret)
{
    int64_t whole;

    if (field->type == PD_WHOLE ? !pd_whole(value, &whole) : !json_is_number(value)) {
        return mismatch(check, field, field->type == PD_WHOLE ? "an integer" : "a number");
    }
    *ret = pd_number_text(check->arena, value);
    return true;
}

static bool date_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                       struct str *ret)
{
    if (!json_is_string(value) || !when_is_date(jx_text_of(value))) {
        return mismatch(check, field, "a date in the form YYYY-MM-DD");
    }
    *ret = jx_text(check->arena, value);
    return true;
}

static bool visibility_check(struct pd_check *check, const struct pd_field *field,
                             const json_t *value, struct str *ret)
{
    int64_t whole = 0;

    if (!pd_whole(value, &whole) || (whole != 1 && whole != 3 && whole != 5 && whole != 7)) {
        return mismatch(check, field, "one of 1, 3, 5, 7");
    }
    *ret = pd_number_text(check->arena, value);
    return true;
}

static bool one_of_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                         bool is_valid, const char *expected, struct str *ret)
{
    if (!is_valid) {
        return mismatch(check, field, expected);
    }
    *ret = jx_text(check->arena, value);
    return true;
}

static bool is_status(struct str text)
{
    return str_equal(text, STR("open")) || str_equal(text, STR("won")) ||
           str_equal(text, STR("lost"));
}

static bool percent_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                          struct str *ret)
{
    if (!json_is_number(value) || json_number_value(value) < 0 || json_number_value(value) > 100) {
        return mismatch(check, field, "a number from 0 to 100");
    }
    *ret = pd_number_text(check->arena, value);
    return true;
}

static bool boolean_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                          struct str *ret)
{
    if (!json_is_boolean(value)) {
        return mismatch(check, field, "a boolean");
    }
    *ret = json_is_true(value) ? STR("true") : STR("false");
    return true;
}

/* Kept as the API shows it: UTC in whole seconds. */
static bool moment_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                         struct str *ret)
{
    char text[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!json_is_string(value) || !pd_time_parse(jx_text_of(value), &ms)) {
        return mismatch(check, field, "a datetime");
    }
    when_format_seconds(ms, text);
    *ret = arena_printf(check->arena, "\"%s\"", text);
    return true;
}

/* "9:30" is no time; "09:30:00" loses its seconds, which no activity has. */
static bool clock_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                        struct str *ret)
{
    struct str text = jx_text_of(value);

    if (!json_is_string(value) || !pd_is_time_of_day(text)) {
        return mismatch(check, field, "a time in the form HH:MM");
    }
    *ret = arena_printf(check->arena, "\"%" PRI_STR "\"", STR_ARG(str_slice(text, 0, 5)));
    return true;
}

/* --- references ----------------------------------------------------------------------------- */

static bool points_somewhere(struct pd_check *check, enum pd_type type, int64_t id)
{
    const struct pd_user *user;

    switch ((int)type) {
    case PD_USER:
        user = pd_user_find(id);
        return user && user->is_active;
    case PD_PIPELINE:
        return pd_pipeline_find(check->pd, id) != NULL;
    case PD_STAGE:
        return pd_stage_find(check->pd, id) != NULL;
    case PD_ORG:
        return pd_record_live(pd_organizations(check->pd), id) != NULL;
    case PD_DEAL:
        return pd_record_live(pd_deals(check->pd), id) != NULL;
    default:
        return pd_record_live(pd_people(check->pd), id) != NULL;
    }
}

static bool reference_check(struct pd_check *check, const struct pd_field *field,
                            const json_t *value, struct str *ret)
{
    int64_t id = 0;

    if (!pd_whole(value, &id)) {
        return mismatch(check, field, "an integer");
    }
    if (!points_somewhere(check, field->type, id)) {
        return mismatch(check, field, "the id of something that exists and is active");
    }
    *ret = pd_number_text(check->arena, value);
    return true;
}

/* --- all of them ---------------------------------------------------------------------------- */

bool pd_value_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                    struct str *ret)
{
    *ret = STR_NONE;
    if (json_is_null(value) && field->type != PD_NO_TYPE) {
        return field->flags & PD_MANDATORY ? mismatch(check, field, "set: it cannot be cleared")
                                           : true;
    }
    switch (field->type) {
    case PD_VARCHAR:
    case PD_VARCHAR_AUTO:
    case PD_TEXT:
    case PD_PHONE:
    case PD_NAME:
    case PD_HTML:
        return text_check(check, field, value, ret);
    case PD_DOUBLE:
    case PD_WHOLE:
    case PD_AMOUNT:
        return number_check(check, field, value, ret);
    case PD_DATE:
        return date_check(check, field, value, ret);
    case PD_VISIBILITY:
        return visibility_check(check, field, value, ret);
    case PD_CURRENCY:
        return one_of_check(check, field, value, pd_currency_is_known(jx_text_of(value)),
                            "the code of a currency", ret);
    case PD_STATUS:
        return one_of_check(check, field, value, is_status(jx_text_of(value)),
                            "one of open, won, lost", ret);
    case PD_ACTIVITY_TYPE:
        return one_of_check(check, field, value, pd_activity_type_find(jx_text_of(value)),
                            "the key_string of an activity type", ret);
    case PD_PERCENT:
        return percent_check(check, field, value, ret);
    case PD_MOMENT:
        return moment_check(check, field, value, ret);
    case PD_BOOLEAN:
        return boolean_check(check, field, value, ret);
    case PD_CLOCK:
        return clock_check(check, field, value, ret);
    case PD_PARTICIPANTS:
        return pd_participants_check(check, field, value, ret);
    case PD_ATTENDEES:
        return pd_attendees_check(check, field, value, ret);
    case PD_ORG:
    case PD_PEOPLE:
    case PD_USER:
    case PD_PIPELINE:
    case PD_STAGE:
    case PD_DEAL:
        return reference_check(check, field, value, ret);
    case PD_SET:
    case PD_ENUM:
    case PD_LABELS:
        return pd_options_check(check, field, value, ret);
    case PD_CONTACTS:
        return pd_contacts_check(check, field, value, ret);
    case PD_ADDRESS:
    case PD_MONETARY:
    case PD_DATERANGE:
    case PD_TIME:
    case PD_TIMERANGE:
    case PD_LOCATION:
        return pd_parts_check(check, field, value, ret);
    case PD_NO_TYPE:
        return pd_problem(check, "'%" PRI_STR "' is not allowed", STR_ARG(field->code));
    }
    abort(); /* enum pd_type is closed */
}
