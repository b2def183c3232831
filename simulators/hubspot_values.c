#include "simulators/hubspot_inside.h"

#include <inttypes.h>

#include "core/decimal.h"
#include "core/unicode.h"
#include "core/when.h"

static const int64_t DAY_MS = 24LL * 60 * 60 * 1000;

/* What every check needs. */
struct check {
    struct hubspot *hs;
    const struct hs_property *property;
    struct arena *arena;
    struct hs_problem *problem;
};

static bool refuse(struct check *check, const char *code, struct str message)
{
    *check->problem =
        (struct hs_problem){.property = check->property->name, .code = code, .message = message};
    return false;
}

/* --- e-mail ---------------------------------------------------------------------------------------- */

static bool is_address_char(char c)
{
    return (unsigned char)c > ' ' && c != '@' && c != ',' && c != ';' && c != '<' && c != '>' &&
           c != '"';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool domain_is_fine(struct str domain)
{
    size_t last_dot = domain.len, top_letters = 0;

    for (size_t i = 0; i < domain.len; i++) {
        if (domain.at[i] == '.') {
            if (i == 0 || domain.at[i - 1] == '.') {
                return false;
            }
            last_dot = i;
            top_letters = 0;
        } else {
            top_letters += is_letter(domain.at[i]);
        }
    }
    return last_dot < domain.len && top_letters >= 2 && top_letters == domain.len - last_dot - 1;
}

static bool email_is_fine(struct str text)
{
    struct str domain = text, local = str_cut(&domain, '@');

    for (size_t i = 0; i < local.len; i++) {
        if (!is_address_char(local.at[i])) {
            return false;
        }
    }
    return local.len && domain.at && !str_contains(domain, STR("@")) && domain_is_fine(domain);
}

static bool check_email(struct check *check, struct str text, struct str *ret)
{
    text = str_trim(text);
    if (!email_is_fine(text)) {
        return refuse(
            check, "INVALID_EMAIL",
            arena_printf(check->arena, "Email address %" PRI_STR " is invalid", STR_ARG(text)));
    }
    *ret = utf8_lower(check->arena, text);
    return true;
}

static bool check_email_list(struct check *check, struct str text, struct str *ret)
{
    AUTO_BUF struct buf list;

    buf_init(&list, HS_TEXT_BYTES_MAX);
    while (text.len) {
        struct str address;

        if (!check_email(check, str_cut(&text, ';'), &address)) {
            return false;
        }
        if (list.len) {
            buf_add_char(&list, ';');
        }
        buf_add(&list, address);
    }
    *ret = arena_str(check->arena, buf_str(&list));
    return true;
}

/* --- numbers, times -------------------------------------------------------------------------------- */

static bool check_number(struct check *check, struct str text, struct str *ret)
{
    struct str canonical;

    if (!decimal_canonical(check->arena, text, 0, &canonical)) {
        return refuse(
            check, "INVALID_LONG",
            arena_printf(check->arena, "%" PRI_STR " was not a valid long.", STR_ARG(text)));
    }
    *ret = text;
    return true;
}

static bool check_date(struct check *check, struct str text, struct str *ret)
{
    char when[WHEN_TEXT_BYTES];
    int64_t ms = 0;

    if (when_is_date(text)) {
        *ret = text;
        return true;
    }
    if (!str_to_i64(text, &ms) && !when_parse_ms(text, &ms)) {
        return refuse(
            check, "INVALID_DATE",
            arena_printf(check->arena, "%" PRI_STR " was not a valid date.", STR_ARG(text)));
    }
    if (ms % DAY_MS != 0) {
        return refuse(check, "INVALID_DATE",
                      arena_printf(check->arena,
                                   "%" PRI_STR " is at a time other than midnight: time is not at "
                                   "midnight UTC",
                                   STR_ARG(text)));
    }
    when_format_ms(ms, when);
    *ret = arena_str(check->arena, str_slice(str_of(when), 0, 10));
    return true;
}

static bool check_datetime(struct check *check, struct str text, struct str *ret)
{
    char when[WHEN_TEXT_BYTES];
    int64_t ms = 0;

    if (!str_to_i64(text, &ms) && !when_parse_ms(text, &ms) &&
        !(when_is_date(text) &&
          when_parse_ms(arena_printf(check->arena, "%" PRI_STR "T00:00:00Z", STR_ARG(text)),
                        &ms))) {
        return refuse(
            check, "INVALID_DATE",
            arena_printf(check->arena, "%" PRI_STR " was not a valid datetime.", STR_ARG(text)));
    }
    when_format_ms(ms, when);
    *ret = arena_str(check->arena, str_of(when));
    return true;
}

/* --- options --------------------------------------------------------------------------------------- */

static bool option_exists(const struct hs_property *property, struct str value)
{
    for (size_t i = 0; i < property->options_count; i++) {
        if (str_equal(property->options[i].value, value)) {
            return true;
        }
    }
    return false;
}

static bool refuse_option(struct check *check, struct str value)
{
    AUTO_BUF struct buf message;

    buf_init(&message, HS_TEXT_BYTES_MAX);
    buf_add(&message, value);
    buf_add(&message, STR(" was not one of the allowed options: ["));
    for (size_t i = 0; i < check->property->options_count; i++) {
        buf_add(&message, i ? STR(", ") : STR(""));
        buf_add(&message, check->property->options[i].value);
    }
    buf_add_char(&message, ']');
    return refuse(check, "INVALID_OPTION", arena_str(check->arena, buf_str(&message)));
}

static bool check_option(struct check *check, struct str value)
{
    if (check->property->flags & HS_OWNER) {
        return hs_owner_exists(value) || refuse_option(check, value);
    }
    /* some of HubSpot's own enumerations list no options and take anything */
    return (check->property->options_count == 0 &&
            !(check->property->flags & (HS_CUSTOM | HS_EXTERNAL))) ||
           option_exists(check->property, value) || refuse_option(check, value);
}

/* A leading ';' (append) is kept here and resolved when the change is applied. */
static bool check_enumeration(struct check *check, struct str text, struct str *ret)
{
    struct str rest = text;

    *ret = text;
    if (!hs_property_is_multi(check->property)) {
        return check_option(check, text);
    }
    while (rest.len) {
        struct str value = str_cut(&rest, ';');

        if (value.len && !check_option(check, value)) {
            return false;
        }
    }
    return true;
}

static bool check_bool(struct check *check, struct str text, struct str *ret)
{
    *ret = text;
    if (str_equal(text, STR("true")) || str_equal(text, STR("false"))) {
        return true;
    }
    return refuse(check, "INVALID_OPTION",
                  arena_printf(check->arena,
                               "%" PRI_STR " was not one of the allowed options: [true, false]",
                               STR_ARG(text)));
}

/* --- the door -------------------------------------------------------------------------------------- */

static bool check_text(struct check *check, struct str text, struct str *ret)
{
    if (check->property->flags & HS_EMAIL) {
        return check_email(check, text, ret);
    }
    *ret = text;
    return true;
}

bool hs_value_check(struct hubspot *hs, const struct hs_property *property, struct str text,
                    struct arena *arena, struct str *ret, struct hs_problem *ret_problem)
{
    struct check check = {.hs = hs, .property = property, .arena = arena, .problem = ret_problem};

    if (text.len > HS_TEXT_BYTES_MAX) {
        return refuse(&check, "PROPERTY_VALUE_TOO_LONG",
                      STR("The value is longer than 65536 characters."));
    }
    if (str_is_empty(text)) {
        *ret = STR("");
        return true;
    }
    if (property->flags & HS_EMAIL_LIST) {
        return check_email_list(&check, text, ret);
    }
    switch (property->type) {
    case HS_STRING:
        return check_text(&check, text, ret);
    case HS_NUMBER:
        return check_number(&check, text, ret);
    case HS_BOOL:
        return check_bool(&check, text, ret);
    case HS_ENUMERATION:
        return check_enumeration(&check, text, ret);
    case HS_DATE:
        return check_date(&check, text, ret);
    case HS_DATETIME:
        return check_datetime(&check, text, ret);
    }
    abort(); /* enum hs_type is closed */
}
