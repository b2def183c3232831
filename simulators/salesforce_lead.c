/* Converting a lead: an account and a contact come out of it, with an opportunity unless nobody wants one. Source: SOAP guide, convertLead. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"
#include "core/when.h"

static void copy(json_t *fields, const char *name, const struct sf_record *lead, const char *from)
{
    struct str text = sf_get_named(lead, from);

    if (text.at) {
        json_object_set_new(fields, name, json_stringn(text.at, text.len));
    }
}

static void put_id(json_t *fields, const char *name, const struct sf_record *record)
{
    char id[SF_ID_BYTES];

    sf_record_id(record, id);
    json_object_set_new(fields, name, json_string(id));
}

static struct sf_record *make(struct sf_unit *unit, enum sf_standard which, const json_t *fields,
                              struct sf_error *err)
{
    return sf_create(unit, unit->sf->objects[which], fields, err);
}

static struct sf_record *make_account(struct sf_unit *unit, const struct sf_record *lead,
                                      struct sf_error *err)
{
    json_t *fields = jx_own(unit->arena, json_object());

    copy(fields, "Name", lead, "Company");
    copy(fields, "Phone", lead, "Phone");
    copy(fields, "Website", lead, "Website");
    copy(fields, "Industry", lead, "Industry");
    copy(fields, "BillingStreet", lead, "Street");
    copy(fields, "BillingCity", lead, "City");
    copy(fields, "BillingPostalCode", lead, "PostalCode");
    copy(fields, "BillingCountry", lead, "Country");
    return make(unit, SF_ACCOUNT, fields, err);
}

static struct sf_record *make_contact(struct sf_unit *unit, const struct sf_record *lead,
                                      const struct sf_record *account, struct sf_error *err)
{
    static const char *const same[] = {"LastName",    "FirstName", "Salutation",  "MiddleName",
                                       "Suffix",      "Title",     "Email",       "Phone",
                                       "MobilePhone", "Fax",       "Description", "LeadSource"};
    json_t *fields = jx_own(unit->arena, json_object());

    for (size_t i = 0; i < COUNT_OF(same); i++) {
        copy(fields, same[i], lead, same[i]);
    }
    copy(fields, "MailingStreet", lead, "Street");
    copy(fields, "MailingCity", lead, "City");
    copy(fields, "MailingPostalCode", lead, "PostalCode");
    copy(fields, "MailingCountry", lead, "Country");
    put_id(fields, "AccountId", account);
    return make(unit, SF_CONTACT, fields, err);
}

static struct sf_record *make_deal(struct sf_unit *unit, const struct sf_record *lead,
                                   const struct sf_converted *converted, struct sf_error *err)
{
    json_t *fields = jx_own(unit->arena, json_object());
    char date[WHEN_TEXT_BYTES];

    when_format_seconds(unit->now_ms, date);
    json_object_set_new(fields, "Name", json_sprintf("%s-", sf_get_named(lead, "Company").at));
    json_object_set_new(fields, "StageName", json_string("Prospecting"));
    json_object_set_new(fields, "CloseDate", json_stringn(date, sizeof("2026-01-01") - 1));
    put_id(fields, "AccountId", converted->account);
    put_id(fields, "ContactId", converted->contact);
    return make(unit, SF_OPPORTUNITY, fields, err);
}

static void mark(struct sf_unit *unit, struct sf_record *lead, const struct sf_converted *converted)
{
    static const char *const names[] = {"IsConverted",        "Status",
                                        "ConvertedDate",      "ConvertedAccountId",
                                        "ConvertedContactId", "ConvertedOpportunityId"};
    struct sf_change change = {.kind = SF_UPDATED, .record = lead};
    struct sf_field *fields[COUNT_OF(names)];
    char date[WHEN_TEXT_BYTES];
    struct str values[COUNT_OF(names)] = {STR("true"), STR("Closed - Converted")};

    when_format_seconds(unit->now_ms, date);
    values[2] = str_slice(str_of(date), 0, sizeof("2026-01-01") - 1);
    values[3] = sf_record_id_str(unit->arena, converted->account);
    values[4] = sf_record_id_str(unit->arena, converted->contact);
    values[5] =
        converted->opportunity ? sf_record_id_str(unit->arena, converted->opportunity) : STR_NONE;
    sf_unit_keep(unit, lead, false);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        fields[change.fields_count] = sf_field_find_any(lead->object, str_of(names[i]));
        change.fields_count += sf_record_set(lead, fields[change.fields_count], values[i]);
    }
    sf_record_touch(lead, unit->now_ms, unit->session.user);
    change.fields = fields;
    sf_unit_changed(unit, &change, NULL);
}

bool sf_convert(struct sf_unit *unit, struct sf_record *lead, bool with_opportunity,
                struct sf_converted *ret, struct sf_error *err)
{
    *ret = (struct sf_converted){0};
    if (sf_get_flag(lead, "IsConverted")) {
        return sf_refuse_save(err, "CANNOT_UPDATE_CONVERTED_LEAD", STR(""),
                              STR("cannot reference converted lead"));
    }
    ret->account = make_account(unit, lead, err);
    ret->contact = ret->account ? make_contact(unit, lead, ret->account, err) : NULL;
    if (!ret->contact) {
        return false;
    }
    if (with_opportunity) {
        ret->opportunity = make_deal(unit, lead, ret, err);
        if (!ret->opportunity) {
            return false;
        }
    }
    mark(unit, lead, ret);
    return true;
}
