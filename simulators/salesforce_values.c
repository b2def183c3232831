/* What may be written to a field, what is stored for it, and how it reads again. Sources: REST guide "valid date and dateTime formats";
 * object reference "field types"; SOAP guide "DescribeSObjectResult" for scale. */
#include "simulators/salesforce_inside.h"

#include "core/decimal.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

/* One value on its way. */
struct check {
    struct sf_unit *unit;
    const struct sf_field *field;
    struct sf_error *err;
};

static struct str say(struct check *check, const char *what, struct str text)
{
    return arena_printf(check->unit->arena, "%" PRI_STR ": %s%s%" PRI_STR,
                        STR_ARG(check->field->label), what, text.len ? ": " : "",
                        STR_ARG(str_slice(text, 0, 200)));
}

static bool refuse(struct check *check, const char *code, const char *what, struct str text)
{
    return sf_refuse_save(check->err, code, check->field->name, say(check, what, text));
}

/* A value of a JSON type that the field cannot take stops the whole body. */
static bool refuse_type(struct check *check, const char *token)
{
    sf_refuse(check->err, 400, "JSON_PARSER_ERROR",
              arena_printf(check->unit->arena,
                           "Cannot deserialize instance of %s from %s or request may be missing a "
                           "required field at field %" PRI_STR,
                           sf_type_name(check->field->type), token, STR_ARG(check->field->name)));
    return false;
}

static const char *token_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "START_OBJECT value";
    case JSON_ARRAY:
        return "START_ARRAY value";
    case JSON_INTEGER:
        return "VALUE_NUMBER_INT value";
    case JSON_REAL:
        return "VALUE_NUMBER_FLOAT value";
    case JSON_TRUE:
    case JSON_FALSE:
        return "VALUE_BOOLEAN value";
    case JSON_STRING:
        return "VALUE_STRING value";
    case JSON_NULL:
        return "VALUE_NULL value";
    }
    abort(); /* enum json_type is closed */
}

/* --- texts ------------------------------------------------------------------------------------- */

static size_t characters(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.at[i] & 0xC0) != 0x80;
    }
    return count;
}

static bool check_email(struct check *check, struct str text)
{
    struct str domain = text, local = str_cut(&domain, '@');

    if (local.len && domain.len && !str_contains(domain, STR("@")) &&
        str_contains(domain, STR(".")) && !str_starts(domain, STR(".")) &&
        !str_ends(domain, STR(".")) && !strpbrk(arena_cstr(check->unit->arena, text), " ,;<>")) {
        return true;
    }
    return refuse(check, "INVALID_EMAIL_ADDRESS", "invalid email address", text);
}

static bool check_options(struct check *check, struct str *text)
{
    const struct sf_option *option;

    if (!(check->field->flags & SF_RESTRICTED)) {
        return true; /* an unrestricted picklist takes any text */
    }
    option = sf_option_find(check->field, *text);
    if (!option || !option->is_active) {
        return refuse(check, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                      "bad value for restricted picklist field", *text);
    }
    *text = option->value;
    return true;
}

static bool check_choices(struct check *check, struct str *text)
{
    struct str rest = *text;

    while (rest.at) {
        struct str part = str_trim(str_cut(&rest, ';'));

        if (part.len && !check_options(check, &part)) {
            return false;
        }
    }
    return true;
}

static bool check_text(struct check *check, struct str *text)
{
    const struct sf_field *field = check->field;

    if (!utf8_is_valid(*text)) {
        return refuse(check, "INVALID_FIELD", "not valid UTF-8", STR(""));
    }
    if (field->length && characters(*text) > (size_t)field->length) {
        return sf_refuse_save(check->err, "STRING_TOO_LONG", field->name,
                              arena_printf(check->unit->arena,
                                           "%" PRI_STR ": data value too large: %" PRI_STR
                                           " (max length=%d)",
                                           STR_ARG(field->label), STR_ARG(*text), field->length));
    }
    switch (field->type) {
    case SF_EMAIL:
        return check_email(check, *text);
    case SF_PICKLIST:
        return check_options(check, text);
    case SF_MULTIPICKLIST:
        return check_choices(check, text);
    default:
        return true;
    }
}

/* --- other types ------------------------------------------------------------------------------- */

/* Digits beyond the scale are cut off without a word. Source: SOAP guide, DescribeSObjectResult. */
static bool check_number(struct check *check, struct str text, struct str *ret)
{
    const struct sf_field *field = check->field;
    struct str whole, fraction;

    if (!decimal_canonical(check->unit->arena, text, 0, ret)) {
        return refuse_type(check, arena_printf(check->unit->arena, "VALUE_STRING value %" PRI_STR,
                                               STR_ARG(str_slice(text, 0, 100)))
                                      .at);
    }
    fraction = *ret;
    whole = str_cut(&fraction, '.');
    if (field->type == SF_INT && fraction.at) {
        return refuse_type(check, "VALUE_NUMBER_FLOAT value");
    }
    if (whole.len - str_starts(whole, STR("-")) > (size_t)(field->precision - field->scale)) {
        return refuse(check, "NUMBER_OUTSIDE_VALID_RANGE",
                      "value outside of valid range on numeric field", text);
    }
    if (fraction.len > (size_t)field->scale) {
        size_t kept = whole.len + (field->scale ? 1 + (size_t)field->scale : 0);

        return decimal_canonical(check->unit->arena, str_slice(*ret, 0, kept), 0, ret);
    }
    return true;
}

static bool check_date(struct check *check, struct str text, struct str *ret)
{
    *ret = str_slice(text, 0, sizeof("2026-01-01") - 1);
    if (!when_is_date(*ret) || (text.len > ret->len && text.at[ret->len] != 'T')) {
        return refuse_type(check, arena_printf(check->unit->arena, "VALUE_STRING value %" PRI_STR,
                                               STR_ARG(str_slice(text, 0, 100)))
                                      .at);
    }
    return true;
}

static bool check_datetime(struct check *check, struct str text, struct str *ret)
{
    char stored[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!str_contains(text, STR("T")) || !when_parse_ms(text, &ms)) {
        return refuse_type(check, arena_printf(check->unit->arena, "VALUE_STRING value %" PRI_STR,
                                               STR_ARG(str_slice(text, 0, 100)))
                                      .at);
    }
    when_format_ms(ms / 1000 * 1000, stored);
    *ret = arena_str(check->unit->arena, str_of(stored));
    return true;
}

static bool check_flag(struct check *check, struct str text, struct str *ret)
{
    if (str_equal_nocase(text, STR("true")) || str_equal(text, STR("1"))) {
        *ret = STR("true");
        return true;
    }
    if (str_equal_nocase(text, STR("false")) || str_equal(text, STR("0"))) {
        *ret = STR("false");
        return true;
    }
    return refuse_type(check, arena_printf(check->unit->arena, "VALUE_STRING value %" PRI_STR,
                                           STR_ARG(str_slice(text, 0, 100)))
                                  .at);
}

static bool refuse_id(struct check *check, struct str text)
{
    return refuse(check, "MALFORMED_ID", "id value of incorrect type", text);
}

/* What a reference names has to be there. */
static bool check_reference(struct check *check, struct str text, struct str *ret)
{
    const struct salesforce *sf = check->unit->sf;
    char prefix[SF_PREFIX_BYTES];
    const struct sf_object *object;
    const struct sf_record *record;
    int64_t number;

    if (!sf_id_parse(text, prefix, &number)) {
        return refuse_id(check, text);
    }
    object = sf_object_of_prefix(sf, prefix);
    if (!object || !sf_field_refers_to(check->field, object)) {
        return refuse_id(check, text);
    }
    record = sf_record_by_number(object, number);
    if (!record) {
        return sf_refuse_save(check->err, "INVALID_CROSS_REFERENCE_KEY", check->field->name,
                              STR("invalid cross reference id"));
    }
    if (!sf_record_is_live(record)) {
        return sf_refuse_save(check->err, "ENTITY_IS_DELETED", STR(""), STR("entity is deleted"));
    }
    *ret = sf_record_id_str(check->unit->arena, record);
    return true;
}

/* --- any type ---------------------------------------------------------------------------------- */

static bool check_string(struct check *check, struct str text, struct str *ret)
{
    text = str_trim(text); /* both ends. Source: change data capture guide, newline characters */
    if (!text.len) {
        *ret = STR_NONE;
        return true;
    }
    *ret = text;
    switch (check->field->type) {
    case SF_BOOLEAN:
        return check_flag(check, text, ret);
    case SF_INT:
    case SF_DOUBLE:
    case SF_CURRENCY:
    case SF_PERCENT:
        return check_number(check, text, ret);
    case SF_DATE:
        return check_date(check, text, ret);
    case SF_DATETIME:
        return check_datetime(check, text, ret);
    case SF_REFERENCE:
        return check_reference(check, text, ret);
    default:
        return check_text(check, ret);
    }
}

bool sf_value_check(struct sf_unit *unit, const struct sf_field *field, const json_t *value,
                    struct str *ret, struct sf_error *err)
{
    struct check check = {.unit = unit, .field = field, .err = err};

    if (json_is_string(value)) {
        return check_string(&check, jx_text_of(value), ret);
    }
    if (json_is_null(value)) { /* a flag is never null */
        *ret = field->type == SF_BOOLEAN ? STR("false") : STR_NONE;
        return true;
    }
    if (json_is_boolean(value) && field->type == SF_BOOLEAN) {
        *ret = json_is_true(value) ? STR("true") : STR("false");
        return true;
    }
    if (json_is_number(value) && sf_field_is_number(field)) {
        if (json_is_integer(value) || field->type != SF_INT) {
            return check_number(&check, jx_text(unit->arena, value), ret);
        }
    }
    return refuse_type(&check, token_of(value));
}

/* --- reading ----------------------------------------------------------------------------------- */

/* "2026-07-27T09:58:43.000+0000" of the stored form, which ends with Z. */
static void put_datetime(struct buf *body, struct str text)
{
    buf_add_char(body, '"');
    buf_add(body, str_slice(text, 0, text.len - 1));
    sim_put(body, "+0000\"");
}

static void put_string(struct buf *body, const struct sf_field *field,
                       const struct sf_record *record, struct str text)
{
    const struct sf_value *value =
        field->derived == SF_STORED && field->index < record->values_count
            ? record->values[field->index]
            : NULL;

    if (value && !value->is_plain) {
        sim_put_text(body, text);
        return;
    }
    buf_add_char(body, '"');
    buf_add(body, text);
    buf_add_char(body, '"');
}

/* {"city":…} of the parts; null when all are empty. */
static void put_address(struct buf *body, const struct sf_field *field,
                        const struct sf_record *record)
{
    static const char *const parts[][2] = {{"city", "City"},
                                           {"country", "Country"},
                                           {"countryCode", "CountryCode"},
                                           {"geocodeAccuracy", NULL},
                                           {"latitude", NULL},
                                           {"longitude", NULL},
                                           {"postalCode", "PostalCode"},
                                           {"state", "State"},
                                           {"stateCode", "StateCode"},
                                           {"street", "Street"}};
    struct str prefix = str_slice(field->name, 0, field->name.len - sizeof("Address") + 1);
    size_t begin = body->len, filled = 0, shown = 0;

    buf_add_char(body, '{');
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        char name[64], scratch[SF_SCRATCH_BYTES];
        const struct sf_field *part = NULL;
        struct str value = STR_NONE;

        if (parts[i][1]) {
            snprintf(name, sizeof(name), "%" PRI_STR "%s", STR_ARG(prefix), parts[i][1]);
            part = sf_field_find_any(record->object, str_of(name));
            value = part ? sf_get(record, part, scratch) : STR_NONE;
        }
        if (part || !parts[i][1]) {
            buf_addf(body, "%s\"%s\":", shown++ ? "," : "", parts[i][0]);
            sim_put_text(body, value);
            filled += value.at != NULL;
        }
    }
    buf_add_char(body, '}');
    if (!filled) {
        body->len = begin;
        sim_put(body, "null");
    }
}

void sf_put_value(struct buf *body, const struct sf_field *field, const struct sf_record *record)
{
    char scratch[SF_SCRATCH_BYTES];
    struct str text;

    if (field->type == SF_ADDRESS) {
        put_address(body, field, record);
        return;
    }
    text = sf_get(record, field, scratch);
    if (!text.at) {
        sim_put(body, field->type == SF_BOOLEAN ? "false" : "null");
        return;
    }
    switch (field->type) {
    case SF_BOOLEAN:
    case SF_INT:
        buf_add(body, text);
        break;
    case SF_DOUBLE:
    case SF_CURRENCY:
    case SF_PERCENT:
        buf_add(body, text);
        sim_put(body, str_contains(text, STR(".")) ? "" : ".0");
        break;
    case SF_DATETIME:
        put_datetime(body, text);
        break;
    default:
        put_string(body, field, record, text);
    }
}

void sf_put_plain(struct buf *body, const struct sf_field *field, const struct sf_record *record)
{
    char scratch[SF_SCRATCH_BYTES];
    struct str text = sf_get(record, field, scratch);

    if (!text.at) {
        sim_put(body, field->type == SF_BOOLEAN ? "false" : "");
        return;
    }
    buf_add(body, text);
    if (field->type >= SF_DOUBLE && field->type <= SF_PERCENT && !str_contains(text, STR("."))) {
        sim_put(body, ".0");
    }
}
