/* Features that an org has or has not: several currencies, lists of states and countries, person accounts. Sources: object reference,
 * CurrencyType, address compound fields; SOAP guide, person account record types. */
#include "simulators/salesforce_inside.h"

#include <stdlib.h>

#include "core/decimal.h"
#include "core/jx.h"

enum { NAME_BYTES = 64 };

static bool refuse(struct sf_error *err, struct str field, struct str message)
{
    return sf_refuse_save(err, "FIELD_INTEGRITY_EXCEPTION", field, message);
}

/* --- currencies -------------------------------------------------------------------------------- */

static const struct {
    const char *code, *rate;
    bool is_corporate;
} currencies[] = {{"EUR", "1", true}, {"USD", "1.08", false}, {"GBP", "0.86", false}};

static void currencies_init(struct salesforce *sf)
{
    static const enum sf_standard kinds[] = {SF_ACCOUNT, SF_CONTACT, SF_LEAD, SF_OPPORTUNITY,
                                             SF_TASK,    SF_EVENT,   SF_USER, SF_CASE};
    static const struct sf_field_spec field = {.name = "CurrencyIsoCode",
                                               .label = "Currency ISO Code",
                                               .type = SF_PICKLIST,
                                               .length = 3,
                                               .flags = SF_RESTRICTED | SF_DEFAULTED,
                                               .more = "*EUR|USD|GBP"};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        sf_field_add(sf, sf->objects[kinds[i]], &field);
    }
}

static void currencies_fill(struct sf_unit *unit)
{
    for (size_t i = 0; i < COUNT_OF(currencies); i++) {
        struct sf_record *record =
            sf_record_new(unit->sf->objects[SF_CURRENCY_TYPE], unit->now_ms, unit->session.user);

        sf_record_set_named(record, "IsoCode", str_of(currencies[i].code));
        sf_record_set_named(record, "ConversionRate", str_of(currencies[i].rate));
        sf_record_set_named(record, "DecimalPlaces", STR("2"));
        sf_record_set_named(record, "IsActive", STR("true"));
        sf_record_set_named(record, "IsCorporate",
                            currencies[i].is_corporate ? STR("true") : STR("false"));
    }
}

static double rate_of(struct str code)
{
    for (size_t i = 0; i < COUNT_OF(currencies); i++) {
        if (str_equal(code, str_of(currencies[i].code))) {
            return strtod(currencies[i].rate, NULL);
        }
    }
    return 1;
}

/* Another currency alone converts the amounts; amounts that are sent with it stay as they are. Source: object reference, field types,
 * currency. */
static bool currency_rule(struct sf_unit *unit, struct sf_write *write)
{
    const struct sf_setting *sent = sf_write_find(write, "CurrencyIsoCode");
    struct str former = write->record ? sf_get_named(write->record, "CurrencyIsoCode") : STR_NONE;

    if (!sent || !sent->text.at || !former.at || str_equal(former, sent->text)) {
        return true;
    }
    double factor = rate_of(sent->text) / rate_of(former);

    for (size_t i = 0; i < write->object->fields_count; i++) {
        const struct sf_field *field = write->object->fields[i];
        struct str amount = STR_NONE;

        if (field->type != SF_CURRENCY || sf_write_find(write, field->name.at) ||
            !(amount = sf_get_named(write->record, field->name.at)).at) {
            continue;
        }
        double converted = strtod(arena_cstr(unit->arena, amount), NULL) * factor;

        if (decimal_canonical(unit->arena,
                              arena_printf(unit->arena, "%.*f", field->scale, converted), 0,
                              &amount)) {
            sf_write_put(unit, write, field->name.at, amount);
        }
    }
    return true;
}

/* --- states and countries ---------------------------------------------------------------------- */

struct place {
    const char *country, *code, *name; /* country NULL: a country itself */
};

static const struct place places[] = {
    {NULL, "AT", "Austria"},        {NULL, "CH", "Switzerland"},
    {NULL, "CN", "China"},          {NULL, "DE", "Germany"},
    {NULL, "ES", "Spain"},          {NULL, "FR", "France"},
    {NULL, "GB", "United Kingdom"}, {NULL, "IT", "Italy"},
    {NULL, "JP", "Japan"},          {NULL, "KR", "Korea, Republic of"},
    {NULL, "NO", "Norway"},         {NULL, "PL", "Poland"},
    {NULL, "SE", "Sweden"},         {NULL, "UA", "Ukraine"},
    {NULL, "US", "United States"},  {"US", "CA", "California"},
    {"US", "FL", "Florida"},        {"US", "ID", "Idaho"},
    {"US", "NY", "New York"},       {"US", "OH", "Ohio"},
    {"US", "OR", "Oregon"},         {"US", "TX", "Texas"},
    {"IT", "MI", "Milano"},         {"IT", "RM", "Roma"},
};

static const struct {
    enum sf_standard object;
    const char *prefix;
} addresses[] = {{SF_ACCOUNT, "Billing"},
                 {SF_ACCOUNT, "Shipping"},
                 {SF_CONTACT, "Mailing"},
                 {SF_CONTACT, "Other"},
                 {SF_LEAD, ""}};

static bool is_in(const struct place *place, struct str country)
{
    return place->country ? str_equal(str_of(place->country), country) : !country.at;
}

/* By code or by name, in this country; STR_NONE: a country. */
static const struct place *place_find(struct str country, struct str text)
{
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (is_in(&places[i], country) && (str_equal_nocase(str_of(places[i].code), text) ||
                                           str_equal_nocase(str_of(places[i].name), text))) {
            return &places[i];
        }
    }
    return NULL;
}

static void code_field_add(struct salesforce *sf, size_t address, const char *what, bool is_state)
{
    const char *prefix = addresses[address].prefix;
    struct str list = STR("");

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if ((places[i].country != NULL) == is_state) {
            list = arena_printf(&sf->arena, "%" PRI_STR "%s%s", STR_ARG(list), list.len ? "|" : "",
                                places[i].code);
        }
    }
    sf_field_add(
        sf, sf->objects[addresses[address].object],
        &(struct sf_field_spec){
            .name = arena_printf(&sf->arena, "%s%sCode", prefix, what).at,
            .label = arena_printf(&sf->arena, "%s%s%s Code", prefix, *prefix ? " " : "", what).at,
            .type = SF_PICKLIST,
            .length = 10,
            .flags = SF_RESTRICTED,
            .more = list.at,
            .compound = arena_printf(&sf->arena, "%sAddress", prefix).at});
}

/* One of the two parts, from its code or its text, whichever was sent. */
static bool place_rule(struct sf_unit *unit, struct sf_write *write, const char *name,
                       const char *code_name, struct str country, const char *what,
                       struct sf_error *err)
{
    const struct sf_setting *code = sf_write_find(write, code_name);
    const struct sf_setting *sent = code && code->text.at ? code : sf_write_find(write, name);
    const struct place *place;

    if (!sent) {
        sent = code;
    }
    if (!sent || !sent->text.at) {
        if (sent) {
            sf_write_put(unit, write, name, STR_NONE);
            sf_write_put(unit, write, code_name, STR_NONE);
        }
        return true;
    }
    place = place_find(country, sent->text);
    if (!place) {
        return refuse(
            err, sent->field->name,
            arena_printf(unit->arena,
                         "There's a problem with this %s, even though it may appear "
                         "correct. Please select a %s from the list of valid %s.: %" PRI_STR,
                         what, what, *what == 's' ? "states" : "countries",
                         STR_ARG(sent->field->label)));
    }
    sf_write_put(unit, write, name, str_of(place->name));
    sf_write_put(unit, write, code_name, str_of(place->code));
    return true;
}

static bool address_rule(struct sf_unit *unit, struct sf_write *write, const char *prefix,
                         struct sf_error *err)
{
    char country[NAME_BYTES], country_code[NAME_BYTES], state[NAME_BYTES], state_code[NAME_BYTES];

    snprintf(country, sizeof(country), "%sCountry", prefix);
    snprintf(country_code, sizeof(country_code), "%sCountryCode", prefix);
    snprintf(state, sizeof(state), "%sState", prefix);
    snprintf(state_code, sizeof(state_code), "%sStateCode", prefix);
    if (!place_rule(unit, write, country, country_code, STR_NONE, "country", err)) {
        return false;
    }
    struct str code = sf_write_value(write, country_code);
    const struct sf_setting *sent = sf_write_find(write, state);

    if (sent && sent->text.at && !code.at) {
        return refuse(
            err, sent->field->name,
            arena_printf(unit->arena,
                         "A country/territory must be specified before specifying a state "
                         "value for field: %" PRI_STR,
                         STR_ARG(sent->field->label)));
    }
    return place_rule(unit, write, state, state_code, code.at ? code : STR("?"), "state", err);
}

static bool places_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        if (write->object == unit->sf->objects[addresses[i].object] &&
            !address_rule(unit, write, addresses[i].prefix, err)) {
            return false;
        }
    }
    return true;
}

/* --- person accounts --------------------------------------------------------------------------- */

/* The same value on both sides. */
static const struct pair {
    const char *account, *contact, *label;
    enum sf_type type;
    int length;
} pairs[] = {
    {"LastName", "LastName", "Last Name", SF_STRING, 80},
    {"FirstName", "FirstName", "First Name", SF_STRING, 40},
    {"MiddleName", "MiddleName", "Middle Name", SF_STRING, 40},
    {"Suffix", "Suffix", "Suffix", SF_STRING, 40},
    {"Salutation", "Salutation", "Salutation", SF_STRING, 40},
    {"PersonEmail", "Email", "Email", SF_EMAIL, 80},
    {"PersonMobilePhone", "MobilePhone", "Mobile", SF_PHONE, 40},
    {"PersonHomePhone", "HomePhone", "Home Phone", SF_PHONE, 40},
    {"PersonTitle", "Title", "Title", SF_STRING, 128},
    {"PersonDepartment", "Department", "Department", SF_STRING, 80},
    {"PersonBirthdate", "Birthdate", "Birthdate", SF_DATE, 0},
    {"PersonMailingStreet", "MailingStreet", "Mailing Street", SF_TEXTAREA, 255},
    {"PersonMailingCity", "MailingCity", "Mailing City", SF_STRING, 40},
    {"PersonMailingState", "MailingState", "Mailing State/Province", SF_STRING, 80},
    {"PersonMailingPostalCode", "MailingPostalCode", "Mailing Zip/Postal Code", SF_STRING, 20},
    {"PersonMailingCountry", "MailingCountry", "Mailing Country", SF_STRING, 80},
    {"Phone", "Phone", NULL, SF_PHONE, 40},
};

static void people_init(struct salesforce *sf)
{
    static const struct sf_field_spec flag = {.name = "IsPersonAccount",
                                              .label = "Is Person Account",
                                              .type = SF_BOOLEAN,
                                              .flags = SF_READ_ONLY | SF_DEFAULTED};
    static const struct sf_field_spec link = {.name = "PersonContactId",
                                              .label = "Contact ID",
                                              .type = SF_REFERENCE,
                                              .flags = SF_READ_ONLY,
                                              .more = "Contact"};

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        if (pairs[i].label) {
            sf_field_add(sf, sf->objects[SF_ACCOUNT],
                         &(struct sf_field_spec){.name = pairs[i].account,
                                                 .label = pairs[i].label,
                                                 .type = pairs[i].type,
                                                 .length = pairs[i].length});
        }
    }
    sf_field_add(sf, sf->objects[SF_ACCOUNT], &flag);
    sf_field_add(sf, sf->objects[SF_ACCOUNT], &link);
    sf_field_add(sf, sf->objects[SF_CONTACT], &flag);
}

static bool refuse_field(struct sf_unit *unit, struct sf_error *err, const char *name)
{
    return sf_refuse_save(
        err, "INVALID_FIELD_FOR_INSERT_UPDATE", str_of(name),
        arena_printf(unit->arena,
                     "Unable to create/update fields: %s. Please check the security settings of "
                     "this field and verify that it is read/write for your profile or permission "
                     "set.",
                     name));
}

static void put_name(struct sf_unit *unit, struct sf_write *write)
{
    struct str first = sf_write_value(write, "FirstName"), last = sf_write_value(write, "LastName");

    sf_write_put(unit, write, "Name",
                 arena_printf(unit->arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(first),
                              first.len ? " " : "", STR_ARG(last)));
}

/* An account with a last name is a person; it stays what it was made. */
static bool account_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    bool is_person = write->record ? sf_get_flag(write->record, "IsPersonAccount")
                                   : sf_write_value(write, "LastName").at != NULL;

    if (is_person && sf_write_find(write, "Name")) {
        return refuse_field(unit, err, "Name");
    }
    for (size_t i = 0; i < COUNT_OF(pairs) && !is_person; i++) {
        if (pairs[i].label && sf_write_value(write, pairs[i].account).at) {
            return refuse_field(unit, err, pairs[i].account);
        }
    }
    if (is_person && !sf_write_value(write, "LastName").at) {
        return sf_refuse_save(err, "REQUIRED_FIELD_MISSING", STR("LastName"),
                              STR("Required fields are missing: [LastName]"));
    }
    if (is_person) {
        put_name(unit, write);
        sf_write_put(unit, write, "IsPersonAccount", STR("true"));
    }
    return true;
}

/* The contact of a person account belongs to it for ever. */
static bool contact_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    bool is_person = write->record && sf_get_flag(write->record, "IsPersonAccount");

    return !is_person || !sf_write_find(write, "AccountId") || refuse_field(unit, err, "AccountId");
}

static void mirror(struct sf_unit *unit, const struct sf_record *from, struct sf_record *to)
{
    bool to_contact = to->object == unit->sf->objects[SF_CONTACT];
    struct sf_change change = {.kind = SF_UPDATED, .record = to};

    change.fields = ARENA_ARRAY(unit->arena, struct sf_field *, COUNT_OF(pairs) + 1);
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const char *name = to_contact ? pairs[i].contact : pairs[i].account;
        struct str value = sf_get_named(from, to_contact ? pairs[i].account : pairs[i].contact);
        struct sf_field *field = sf_field_find_any(to->object, str_of(name));

        change.fields[change.fields_count] = field;
        change.fields_count += sf_record_set(to, field, value);
    }
    sf_record_set_named(to, "Name", sf_get_named(from, "Name"));
    sf_record_touch(to, unit->now_ms, unit->session.user);
    sf_unit_changed(unit, &change, NULL);
}

/* A new person gets the contact that is the other half. */
static struct sf_record *half_make(struct sf_unit *unit, struct sf_record *account)
{
    struct sf_record *contact =
        sf_record_new(unit->sf->objects[SF_CONTACT], unit->now_ms, unit->session.user);

    sf_unit_keep(unit, contact, true);
    sf_record_set_named(contact, "IsPersonAccount", STR("true"));
    sf_record_set_named(contact, "DoNotCall", STR("false"));
    sf_record_set_named(contact, "HasOptedOutOfEmail", STR("false"));
    sf_record_set_named(contact, "OwnerId", sf_get_named(account, "OwnerId"));
    sf_record_set_named(contact, "AccountId", sf_record_id_str(unit->arena, account));
    sf_record_set_named(account, "PersonContactId", sf_record_id_str(unit->arena, contact));
    sf_unit_changed(unit, &(struct sf_change){.kind = SF_CREATED, .record = contact}, NULL);
    return contact;
}

static void people_after(struct sf_unit *unit, struct sf_record *record)
{
    const struct salesforce *sf = unit->sf;
    struct sf_record *half;

    if (!sf_get_flag(record, "IsPersonAccount")) {
        return;
    }
    half = sf_record_of_id(sf, sf_get_named(record, record->object == sf->objects[SF_ACCOUNT]
                                                        ? "PersonContactId"
                                                        : "AccountId"));
    if (half) {
        sf_unit_keep(unit, half, false);
    } else {
        half = half_make(unit, record);
    }
    mirror(unit, record, half);
}

/* --- all --------------------------------------------------------------------------------------- */

void sf_features_init(struct salesforce *sf)
{
    if (sf->quirks & SF_MULTI_CURRENCY) {
        currencies_init(sf);
    } else {
        sf->objects[SF_CURRENCY_TYPE]->flags |= SF_IS_ABSENT;
    }
    if (sf->quirks & SF_STATE_PICKLISTS) {
        for (size_t i = 0; i < COUNT_OF(addresses); i++) {
            code_field_add(sf, i, "State", true);
            code_field_add(sf, i, "Country", false);
        }
    }
    if (sf->quirks & SF_PERSON_ACCOUNTS) {
        people_init(sf);
    }
}

void sf_features_fill(struct sf_unit *unit)
{
    if (unit->sf->quirks & SF_MULTI_CURRENCY) {
        currencies_fill(unit);
    }
}

bool sf_features_before(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    const struct salesforce *sf = unit->sf;

    if (sf->quirks & SF_MULTI_CURRENCY && !currency_rule(unit, write)) {
        return false;
    }
    if (sf->quirks & SF_STATE_PICKLISTS && !places_rule(unit, write, err)) {
        return false;
    }
    if (!(sf->quirks & SF_PERSON_ACCOUNTS)) {
        return true;
    }
    return write->object == sf->objects[SF_ACCOUNT]   ? account_rule(unit, write, err)
           : write->object == sf->objects[SF_CONTACT] ? contact_rule(unit, write, err)
                                                      : true;
}

void sf_features_after(struct sf_unit *unit, struct sf_record *record)
{
    const struct salesforce *sf = unit->sf;

    if (sf->quirks & SF_PERSON_ACCOUNTS &&
        (record->object == sf->objects[SF_ACCOUNT] || record->object == sf->objects[SF_CONTACT])) {
        people_after(unit, record);
    }
}

bool sf_features_may_delete(const struct sf_unit *unit, const struct sf_record *record)
{
    const struct salesforce *sf = unit->sf;

    return !(sf->quirks & SF_PERSON_ACCOUNTS) || record->object != sf->objects[SF_CONTACT] ||
           !sf_get_flag(record, "IsPersonAccount");
}
