/* Values that are lists or objects. Each is stored whole: what a body leaves out is gone. */
#include "simulators/pipedrive_inside.h"

#include "core/jx.h"
#include "core/when.h"

enum { CONTACTS_MAX = 100, CURRENCY_CHARS = 3, PART_BYTES_MAX = 1024 };

static bool mismatch(struct pd_check *check, const struct pd_field *field, const char *expected)
{
    return pd_problem(check, "'%" PRI_STR "' has to be %s", STR_ARG(field->code), expected);
}

/* --- e-mails and phones --------------------------------------------------------------------- */

static bool item_members_are_known(const json_t *item)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)item, key, value)
    {
        bool is_text = strcmp(key, "value") == 0 || strcmp(key, "label") == 0;

        if (is_text ? !json_is_string(value)
                    : strcmp(key, "primary") != 0 || !json_is_boolean(value)) {
            return false;
        }
    }
    return json_is_object(item) && json_is_string(json_object_get(item, "value"));
}

static json_t *item_made(const json_t *item)
{
    json_t *label = json_object_get(item, "label"), *made = json_object();

    json_object_set_new(made, "label",
                        json_string_length(label) ? json_incref(label) : json_string("work"));
    json_object_set(made, "value", json_object_get(item, "value"));
    json_object_set_new(made, "primary",
                        json_boolean(json_is_true(json_object_get(item, "primary"))));
    return made;
}

/* None marked: the first is primary. Source: the v2 migration guide. False: two are. */
static bool primary_settle(json_t *list)
{
    size_t index, primaries = 0;
    json_t *item;

    json_array_foreach(list, index, item)
    {
        primaries += json_is_true(json_object_get(item, "primary"));
    }
    if (primaries == 0 && json_array_size(list)) {
        json_object_set_new(json_array_get(list, 0), "primary", json_true());
    }
    return primaries <= 1;
}

bool pd_contacts_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                       struct str *ret)
{
    json_t *made = jx_own(check->arena, json_array());
    size_t index;
    json_t *item;

    if (!json_is_array(value) || json_array_size(value) > CONTACTS_MAX) {
        return mismatch(check, field, "an array of at most 100 objects");
    }
    json_array_foreach(value, index, item)
    {
        if (!item_members_are_known(item)) {
            return mismatch(check, field,
                            "an array of {value, primary, label} with a string value");
        }
        if (json_string_length(json_object_get(item, "value"))) {
            json_array_append_new(made, item_made(item));
        }
    }
    if (!primary_settle(made)) {
        return mismatch(check, field, "a list with at most one primary entry");
    }
    *ret = json_array_size(made) ? jx_text(check->arena, made) : STR_NONE;
    return true;
}

/* --- options -------------------------------------------------------------------------------- */

static bool option_exists(const struct pd_field *field, const json_t *value)
{
    int64_t id = 0;

    return pd_whole(value, &id) && pd_option_find(field, id);
}

static bool set_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                      struct str *ret)
{
    json_t *made = jx_own(check->arena, json_array());
    size_t index;
    json_t *item;

    if (!json_is_array(value)) {
        return mismatch(check, field, "an array of option ids");
    }
    /* A custom set is cleared with null only; labels take an empty list. Source: OpenAPI v2. */
    if (field->type == PD_SET && json_array_size(value) == 0) {
        return mismatch(check, field, "null or a non-empty array");
    }
    json_array_foreach(value, index, item)
    {
        if (!option_exists(field, item)) {
            return mismatch(check, field, "an array of ids of its own options");
        }
        json_array_append(made, item);
    }
    *ret = json_array_size(made) ? jx_text(check->arena, made) : STR_NONE;
    return true;
}

bool pd_options_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                      struct str *ret)
{
    if (field->type != PD_ENUM) {
        return set_check(check, field, value, ret);
    }
    if (!option_exists(field, value)) {
        return mismatch(check, field, "the id of one of its options");
    }
    *ret = pd_number_text(check->arena, value);
    return true;
}

/* --- objects -------------------------------------------------------------------------------- */

size_t pd_parts(enum pd_type type, const char *const **ret)
{
    static const char *const address[] = {
        "value",       "street_number",      "route",
        "subpremise",  "locality",           "sublocality",
        "country",     "admin_area_level_1", "admin_area_level_2",
        "postal_code", "formatted_address",
    };
    static const char *const monetary[] = {"value", "currency"};
    static const char *const daterange[] = {"value", "until"};
    static const char *const time[] = {"value", "timezone_id", "timezone_name"};
    static const char *const timerange[] = {"value", "until", "timezone_id", "timezone_name"};

    switch ((int)type) {
    case PD_ADDRESS:
        *ret = address;
        return COUNT_OF(address);
    case PD_LOCATION: /* an address as it was typed has no more */
        *ret = address;
        return COUNT_OF(address) - 1;
    case PD_AMOUNT:
    case PD_MONETARY:
        *ret = monetary;
        return COUNT_OF(monetary);
    case PD_DATERANGE:
        *ret = daterange;
        return COUNT_OF(daterange);
    case PD_TIME:
        *ret = time;
        return COUNT_OF(time);
    case PD_TIMERANGE:
        *ret = timerange;
        return COUNT_OF(timerange);
    default:
        *ret = NULL;
        return 0;
    }
}

/* "09:00" or "09:00:00". */
bool pd_is_time_of_day(struct str text)
{
    struct str rest = text;
    int64_t number, most = 23;
    int parts = 0;

    for (; rest.at && parts < 4; parts++, most = 59) {
        struct str part = str_cut(&rest, ':');

        if (part.len != 2 || !str_to_i64(part, &number) || number < 0 || number > most) {
            return false;
        }
    }
    return parts == 2 || parts == 3;
}

static bool is_currency(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < 'A' || text.at[i] > 'Z') {
            return false;
        }
    }
    return text.len == CURRENCY_CHARS;
}

/* Those that companies here trade in. */
bool pd_currency_is_known(struct str code)
{
    static const char known[] = "AED,AUD,BRL,CAD,CHF,CNY,CZK,DKK,EUR,GBP,HKD,HUF,INR,JPY,KRW,KWD,"
                                "MXN,NOK,NZD,PLN,RON,SEK,SGD,TND,TRY,USD,ZAR";

    return is_currency(code) && str_contains(str_of(known), code);
}

/* May this sub-member hold this value? */
static bool part_is_valid(enum pd_type type, const char *name, const json_t *value)
{
    struct str text = jx_text_of(value);
    int64_t whole;

    if (strcmp(name, "timezone_id") == 0) {
        return pd_whole(value, &whole);
    }
    if (type == PD_MONETARY && strcmp(name, "value") == 0) {
        return json_is_number(value);
    }
    if (!json_is_string(value) || text.len > PART_BYTES_MAX) {
        return false;
    }
    if (strcmp(name, "currency") == 0) {
        return is_currency(text);
    }
    if (type == PD_DATERANGE) {
        return when_is_date(text);
    }
    if (type == PD_TIME || type == PD_TIMERANGE) {
        return strcmp(name, "timezone_name") == 0 || pd_is_time_of_day(text);
    }
    return true;
}

static bool part_is_known(enum pd_type type, const char *name)
{
    const char *const *parts;
    size_t count = pd_parts(type, &parts);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(parts[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool parts_are_valid(struct pd_check *check, const struct pd_field *field,
                            const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        if (!part_is_known(field->type, name)) {
            return pd_problem(check, "'%" PRI_STR ".%.40s' is not allowed", STR_ARG(field->code),
                              name);
        }
        if (!json_is_null(value) && !part_is_valid(field->type, name, value)) {
            return pd_problem(check, "'%" PRI_STR ".%s' has a value of the wrong kind",
                              STR_ARG(field->code), name);
        }
    }
    return true;
}

/* Money without a currency takes the user's. Source: custom fields guide. */
static json_t *part_or_default(enum pd_type type, const json_t *object, const char *name)
{
    json_t *given = json_object_get(object, name);

    if (type == PD_MONETARY && !json_is_string(given) && strcmp(name, "currency") == 0) {
        return json_string("EUR");
    }
    return given ? json_incref(given) : json_null();
}

bool pd_parts_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                    struct str *ret)
{
    bool is_range = field->type == PD_DATERANGE || field->type == PD_TIMERANGE;
    const char *const *parts;
    size_t count = pd_parts(field->type, &parts);
    json_t *made = jx_own(check->arena, json_object());

    if (!json_is_object(value)) {
        return mismatch(check, field, "an object");
    }
    if (!parts_are_valid(check, field, value)) {
        return false;
    }
    if (!jx_get(value, "value") || json_is_null(jx_get(value, "value")) ||
        (is_range && !json_is_string(jx_get(value, "until")))) {
        return mismatch(check, field,
                        is_range ? "an object with value and until" : "an object with a value");
    }
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(made, parts[i], part_or_default(field->type, value, parts[i]));
    }
    *ret = jx_text(check->arena, made);
    return true;
}
