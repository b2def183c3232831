/* What the standard objects do by themselves when they are saved. Source: object reference, one page for each. */
#include "simulators/salesforce_inside.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/when.h"

static const int64_t DAY_MS = 24 * 60LL * 60 * 1000, MINUTE_MS = 60LL * 1000;

static bool is_sent(const struct sf_write *write, const char *name)
{
    return sf_write_find(write, name) != NULL;
}

static struct str time_text(struct sf_unit *unit, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(ms, text);
    return arena_str(unit->arena, str_of(text));
}

static struct str date_of(struct str time)
{
    return str_slice(time, 0, sizeof("2026-01-01") - 1);
}

static struct str flag_text(bool flag)
{
    return flag ? STR("true") : STR("false");
}

static bool refuse(struct sf_error *err, const char *field, const char *message)
{
    return sf_refuse_save(err, "FIELD_INTEGRITY_EXCEPTION", str_of(field), str_of(message));
}

/* --- people ------------------------------------------------------------------------------------ */

/* The salutation is no part of it. */
static bool name_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    static const char *const parts[] = {"FirstName", "MiddleName", "LastName", "Suffix"};
    struct str name = STR("");

    (void)err;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct str part = sf_write_value(write, parts[i]);

        if (part.len) {
            name = arena_printf(unit->arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(name),
                                name.len ? " " : "", STR_ARG(part));
        }
    }
    sf_write_put(unit, write, "Name", name.len ? name : STR_NONE);
    return true;
}

/* What was converted is read only. */
static bool lead_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    if (write->record && !unit->is_lenient && sf_get_flag(write->record, "IsConverted")) {
        return sf_refuse_save(err, "CANNOT_UPDATE_CONVERTED_LEAD", STR(""),
                              STR("cannot reference converted lead"));
    }
    return name_rule(unit, write, err);
}

/* An account has no circle of parents. */
static bool account_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    struct str parent = sf_write_value(write, "ParentId");
    const struct sf_record *above = parent.at ? sf_record_of_id(unit->sf, parent) : NULL;

    for (int depth = 0; above; depth++) {
        struct str next = sf_get_named(above, "ParentId");

        if (above == write->record || depth > 1000) {
            return sf_refuse_save(err, "CIRCULAR_DEPENDENCY", STR("ParentId"),
                                  STR("attempt to form a circle of parents"));
        }
        above = next.at ? sf_record_of_id(unit->sf, next) : NULL;
    }
    return true;
}

/* --- opportunities ----------------------------------------------------------------------------- */

static const struct sf_record *stage_of(const struct sf_unit *unit, struct str name)
{
    const struct sim_table *table = &unit->sf->objects[SF_OPPORTUNITY_STAGE]->table;

    for (size_t i = 0; i < table->count; i++) {
        const struct sf_record *stage = (const struct sf_record *)table->at[i];

        if (sf_record_is_live(stage) && str_equal_nocase(sf_get_named(stage, "ApiName"), name)) {
            return stage;
        }
    }
    return NULL;
}

/* The stage gives what depends on it; a probability sent with it stays. An unknown stage is open. */
static void put_stage(struct sf_unit *unit, struct sf_write *write)
{
    const struct sf_record *stage = stage_of(unit, sf_write_value(write, "StageName"));
    bool has_probability = is_sent(write, "Probability") && sf_write_value(write, "Probability").at;

    sf_write_put(unit, write, "IsClosed", flag_text(stage && sf_get_flag(stage, "IsClosed")));
    sf_write_put(unit, write, "IsWon", flag_text(stage && sf_get_flag(stage, "IsWon")));
    sf_write_put(unit, write, "ForecastCategory",
                 stage ? sf_get_named(stage, "ForecastCategory") : STR("Pipeline"));
    sf_write_put(unit, write, "ForecastCategoryName",
                 stage ? sf_get_named(stage, "ForecastCategoryName") : STR("Pipeline"));
    if (!has_probability) {
        sf_write_put(unit, write, "Probability",
                     stage ? sf_get_named(stage, "DefaultProbability") : STR("0"));
    }
    if (write->record) {
        sf_write_put(unit, write, "LastStageChangeDate", time_text(unit, unit->now_ms));
    }
}

/* Amount times probability, to the cent. */
static void put_expected(struct sf_unit *unit, struct sf_write *write)
{
    struct str amount = sf_write_value(write, "Amount");
    struct str probability = sf_write_value(write, "Probability"), expected = STR_NONE;

    if (amount.at) {
        double product = strtod(arena_cstr(unit->arena, amount), NULL) *
                         (probability.at ? strtod(arena_cstr(unit->arena, probability), NULL) : 0);

        if (!decimal_canonical(unit->arena, arena_printf(unit->arena, "%.2f", product / 100), 0,
                               &expected)) {
            expected = STR_NONE;
        }
    }
    sf_write_put(unit, write, "ExpectedRevenue", expected);
}

static bool opportunity_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    const struct sf_setting *stage = sf_write_find(write, "StageName");
    bool is_locked = write->record && unit->sf->quirks & SF_READ_ONLY_LOCK && unit->call &&
                     !unit->is_person && sf_get_flag(write->record, "IsClosed");

    if (is_locked) {
        return sf_refuse_save(err, "ENTITY_IS_LOCKED", STR(""),
                              STR("the entity is locked for editing"));
    }
    if (stage && stage->text.at &&
        !(write->record && str_equal(sf_get_named(write->record, "StageName"), stage->text))) {
        put_stage(unit, write);
    }
    put_expected(unit, write);
    return true;
}

static struct sf_record *make(struct sf_unit *unit, enum sf_standard which, json_t *take_fields)
{
    struct sf_error err;
    struct sf_record *record = sf_create(unit, unit->sf->objects[which], take_fields, &err);

    json_decref(take_fields);
    return record;
}

/* ContactId of a new opportunity makes its primary role. */
static void add_primary(struct sf_unit *unit, struct sf_record *record)
{
    struct str contact = sf_get_named(record, "ContactId");

    if (contact.at) {
        make(unit, SF_CONTACT_ROLE,
             json_pack("{s:s%,s:s%,s:b}", "OpportunityId", sf_record_id_str(unit->arena, record).at,
                       (size_t)SF_ID_BYTES - 1, "ContactId", contact.at, contact.len, "IsPrimary",
                       1));
    }
}

/* --- contact roles ----------------------------------------------------------------------------- */

/* One contact has one role in an opportunity, and one role is primary. */
static bool role_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    const struct sf_field *contact = sf_field_find_any(write->object, STR("ContactId"));
    struct str id = sf_write_value(write, "ContactId");
    struct sf_record *other;
    void *place = NULL;

    while (id.at && (other = sf_index_next(contact->lookup, id, &place))) {
        if (other != write->record && sf_record_is_live(other) &&
            str_equal(sf_get_named(other, "ContactId"), id) &&
            str_equal(sf_get_named(other, "OpportunityId"),
                      sf_write_value(write, "OpportunityId"))) {
            return sf_refuse_save(err, "DUPLICATE_VALUE", STR(""),
                                  arena_printf(unit->arena,
                                               "duplicate value found: ContactId duplicates value "
                                               "on record with id: %.15s",
                                               sf_record_id_str(unit->arena, other).at));
        }
    }
    return true;
}

static void clear_other_primaries(struct sf_unit *unit, const struct sf_record *role)
{
    const struct sf_field *field = sf_field_find_any(role->object, STR("OpportunityId"));
    struct str id = sf_get_named(role, "OpportunityId");
    struct sf_record *other;
    void *place = NULL;

    while ((other = sf_index_next(field->lookup, id, &place))) {
        if (other != role && sf_record_is_live(other) && sf_get_flag(other, "IsPrimary") &&
            str_equal(sf_get_named(other, "OpportunityId"), id)) {
            struct sf_field *changed = sf_field_find_any(other->object, STR("IsPrimary"));

            sf_unit_keep(unit, other, false);
            sf_record_set(other, changed, STR("false"));
            sf_record_touch(other, unit->now_ms, unit->session.user);
            sf_unit_changed(
                unit,
                &(struct sf_change){
                    .kind = SF_UPDATED, .record = other, .fields = &changed, .fields_count = 1},
                NULL);
        }
    }
}

/* The opportunity shows who is its primary contact. */
static void show_primary(struct sf_unit *unit, const struct sf_record *role)
{
    struct sf_record *opportunity = sf_record_of_id(unit->sf, sf_get_named(role, "OpportunityId"));

    if (opportunity) {
        sf_unit_keep(unit, opportunity, false);
        sf_record_set_named(opportunity, "ContactId", sf_get_named(role, "ContactId"));
    }
}

/* --- activities -------------------------------------------------------------------------------- */

static bool is_of(struct str id, const char *prefix)
{
    return id.len && str_starts(id, str_of(prefix));
}

/* The account follows from what the activity is about, else from whom. */
static struct str account_of(struct sf_unit *unit, struct str what, struct str who)
{
    const struct sf_record *about;

    if (is_of(what, "001")) {
        return what;
    }
    about = sf_record_of_id(unit->sf, what.at ? what : who);
    return about ? sf_get_named(about, "AccountId") : STR_NONE;
}

/* A lead stands alone. Source: object reference, field types, reference. */
static bool activity_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    struct str who = sf_write_value(write, "WhoId"), what = sf_write_value(write, "WhatId");

    if (is_of(who, "00Q") && what.at) {
        return refuse(err, "WhatId", "Related To ID has to be empty when the name is a lead");
    }
    sf_write_put(unit, write, "AccountId",
                 what.at || who.at ? account_of(unit, what, who) : STR_NONE);
    sf_write_put(unit, write, "WhoCount", who.at ? STR("1") : STR("0"));
    sf_write_put(unit, write, "WhatCount", what.at ? STR("1") : STR("0"));
    return true;
}

static bool is_closed_status(const struct sf_unit *unit, struct str name)
{
    const struct sim_table *table = &unit->sf->objects[SF_TASK_STATUS]->table;

    for (size_t i = 0; i < table->count; i++) {
        const struct sf_record *status = (const struct sf_record *)table->at[i];

        if (str_equal_nocase(sf_get_named(status, "ApiName"), name)) {
            return sf_get_flag(status, "IsClosed");
        }
    }
    return false;
}

static bool task_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    bool is_closed = is_closed_status(unit, sf_write_value(write, "Status"));
    bool was_closed = write->record && sf_get_flag(write->record, "IsClosed");

    sf_write_put(unit, write, "IsClosed", flag_text(is_closed));
    if (is_closed != was_closed) {
        sf_write_put(unit, write, "CompletedDateTime",
                     is_closed ? time_text(unit, unit->now_ms) : STR_NONE);
    }
    sf_write_put(unit, write, "IsHighPriority",
                 flag_text(str_equal_nocase(sf_write_value(write, "Priority"), STR("High"))));
    return activity_rule(unit, write, err);
}

static bool time_value(const struct sf_write *write, const char *name, int64_t *ret_ms)
{
    struct str text = sf_write_value(write, name);

    return text.at && when_parse_ms(text, ret_ms);
}

/* An all-day event counts whole days. */
static bool whole_day(struct sf_unit *unit, struct sf_write *write, int64_t start_ms,
                      int64_t minutes, struct sf_error *err)
{
    int64_t midnight_ms = start_ms / DAY_MS * DAY_MS;

    if (minutes % (24 * 60)) {
        return refuse(err, "DurationInMinutes",
                      "the duration of an all-day event has to be a number of whole days");
    }
    sf_write_put(unit, write, "StartDateTime", time_text(unit, midnight_ms));
    sf_write_put(unit, write, "ActivityDateTime", STR_NONE);
    sf_write_put(unit, write, "ActivityDate", date_of(time_text(unit, midnight_ms)));
    sf_write_put(unit, write, "EndDateTime",
                 time_text(unit, midnight_ms + (minutes ? minutes - 24 * 60 : 0) * MINUTE_MS));
    return true;
}

static bool starts(const struct sf_write *write, int64_t *ret_ms)
{
    if (is_sent(write, "StartDateTime") || !is_sent(write, "ActivityDateTime")) {
        if (time_value(write, "StartDateTime", ret_ms)) {
            return true;
        }
    }
    return time_value(write, "ActivityDateTime", ret_ms) ||
           time_value(write, "ActivityDate", ret_ms);
}

/* Minutes from the duration, else from the end; both only when they agree. False: refused. */
static bool lasts(struct sf_write *write, int64_t start_ms, int64_t *ret, struct sf_error *err)
{
    bool has_end = is_sent(write, "EndDateTime") || !is_sent(write, "DurationInMinutes");
    bool has_minutes = is_sent(write, "DurationInMinutes") || !is_sent(write, "EndDateTime");
    bool is_all_day = str_equal(sf_write_value(write, "IsAllDayEvent"), STR("true"));
    int64_t end_ms, by_end = -1, by_minutes = -1;

    if (has_end && time_value(write, "EndDateTime", &end_ms)) {
        by_end = (end_ms - start_ms) / MINUTE_MS + (is_all_day ? 24 * 60 : 0);
    }
    if (has_minutes) {
        str_to_i64(sf_write_value(write, "DurationInMinutes"), &by_minutes);
    }
    if (is_sent(write, "EndDateTime") && is_sent(write, "DurationInMinutes") && by_end >= 0 &&
        by_minutes >= 0 && by_end != by_minutes) {
        return refuse(err, "DurationInMinutes,EndDateTime",
                      "Duration and end date time do not agree");
    }
    /* a moved start takes the event's length along */
    *ret = is_sent(write, "EndDateTime") && by_end >= 0 ? by_end
           : by_minutes >= 0                            ? by_minutes
                                                        : by_end;
    if (*ret < 0 && has_end && time_value(write, "EndDateTime", &end_ms)) {
        return refuse(err, "EndDateTime", "Event ends before it starts");
    }
    if (*ret < 0) {
        return sf_refuse_save(err, "REQUIRED_FIELD_MISSING", STR("DurationInMinutes"),
                              STR("Required fields are missing: [DurationInMinutes]"));
    }
    return true;
}

static bool event_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    bool is_all_day = str_equal(sf_write_value(write, "IsAllDayEvent"), STR("true"));
    int64_t start_ms = 0, minutes = 0;

    if (!starts(write, &start_ms)) {
        return sf_refuse_save(err, "REQUIRED_FIELD_MISSING", STR("StartDateTime"),
                              STR("Required fields are missing: [StartDateTime]"));
    }
    if (is_all_day && !is_sent(write, "DurationInMinutes") && !is_sent(write, "EndDateTime") &&
        !write->record) {
        minutes = 24 * 60;
    } else if (!lasts(write, start_ms, &minutes, err)) {
        return false;
    }
    sf_write_put(unit, write, "DurationInMinutes", arena_printf(unit->arena, "%" PRId64, minutes));
    if (is_all_day) {
        return whole_day(unit, write, start_ms, minutes, err) && activity_rule(unit, write, err);
    }
    sf_write_put(unit, write, "StartDateTime", time_text(unit, start_ms));
    sf_write_put(unit, write, "ActivityDateTime", time_text(unit, start_ms));
    sf_write_put(unit, write, "ActivityDate", date_of(time_text(unit, start_ms)));
    sf_write_put(unit, write, "EndDateTime", time_text(unit, start_ms + minutes * MINUTE_MS));
    return activity_rule(unit, write, err);
}

/* --- cases ------------------------------------------------------------------------------------- */

static bool case_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    bool is_closed = str_equal_nocase(sf_write_value(write, "Status"), STR("Closed"));
    bool was_closed = write->record && sf_get_flag(write->record, "IsClosed");
    struct str contact = sf_write_value(write, "ContactId");

    (void)err;
    if (!write->record) {
        sf_write_put(unit, write, "CaseNumber",
                     arena_printf(unit->arena, "%08zu", 1001 + write->object->table.count));
    }
    if (is_sent(write, "ContactId") && contact.at && !is_sent(write, "AccountId")) {
        sf_write_put(unit, write, "AccountId", account_of(unit, STR_NONE, contact));
    }
    sf_write_put(unit, write, "IsClosed", flag_text(is_closed));
    if (is_closed != was_closed) {
        sf_write_put(unit, write, "ClosedDate",
                     is_closed ? time_text(unit, unit->now_ms) : STR_NONE);
    }
    return true;
}

/* --- all --------------------------------------------------------------------------------------- */

typedef bool rule_fn(struct sf_unit *unit, struct sf_write *write, struct sf_error *err);

bool sf_rules_before(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    static rule_fn *const rules[SF_STANDARD_COUNT] = {
        [SF_ACCOUNT] = account_rule,   [SF_CONTACT] = name_rule,
        [SF_LEAD] = lead_rule,         [SF_OPPORTUNITY] = opportunity_rule,
        [SF_CONTACT_ROLE] = role_rule, [SF_TASK] = task_rule,
        [SF_EVENT] = event_rule,       [SF_CASE] = case_rule,
        [SF_USER] = name_rule,         [SF_FIELD_PERMISSIONS] = sf_permission_rule,
    };

    if (!sf_features_before(unit, write, err)) {
        return false;
    }
    for (size_t i = 0; i < SF_STANDARD_COUNT; i++) {
        if (write->object == unit->sf->objects[i] && rules[i]) {
            return rules[i](unit, write, err);
        }
    }
    return true;
}

void sf_rules_after(struct sf_unit *unit, struct sf_record *record, bool is_new)
{
    const struct salesforce *sf = unit->sf;

    if (record->object == sf->objects[SF_OPPORTUNITY] && is_new) {
        add_primary(unit, record);
    }
    if (record->object == sf->objects[SF_CONTACT_ROLE] && sf_get_flag(record, "IsPrimary")) {
        clear_other_primaries(unit, record);
        show_primary(unit, record);
    }
    sf_features_after(unit, record);
}
