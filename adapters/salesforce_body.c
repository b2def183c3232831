/* Salesforce: one item as the fields of one object. Pure but for the descriptions that the session holds.
 * Facts: Object Reference, Contact, Account, Opportunity, Lead, "Field Types"; REST API Developer Guide, "Valid Date and DateTime
 * Formats". */
#include <stdio.h>

#include "adapters/salesforce_write.h"
#include "core/jx.h"
#include "core/when.h"

enum {
    DATE_LENGTH = 10,
    MONTHS_OF_QUARTER = 3,
    LIST_BYTES_MAX = 64 * 1024,
    WORD_SHOWN = 80,
    NUMBER_BYTES_MAX = 64
};

#define RECORD_TYPE_ID "RecordTypeId"

/* --- which object ----------------------------------------------------------------------------- */

bool salesforce_is_create(const struct write_item *item)
{
    return item->remote_id.len == 0;
}

static bool has_value(const json_t *value)
{
    return value && !json_is_null(value) && !str_equal(jx_text_of(value), STR(""));
}

const char *salesforce_target_name(const char *kind, const struct write_item *item)
{
    const json_t *props = item->props;

    if (strcmp(kind, "activity") == 0) {
        bool is_event =
            salesforce_is_create(item)
                ? str_equal(jx_text_of(json_object_get(props, SF_ACTIVITY_TYPE)), STR("meeting"))
                : salesforce_has_prefix(item->remote_id, "00U");

        return is_event ? SF_EVENT : SF_TASK;
    }
    if (strcmp(kind, "contact") == 0) {
        bool is_lead = salesforce_is_create(item)
                           ? has_value(json_object_get(props, SF_LEAD_STATUS))
                           : salesforce_has_prefix(item->remote_id, "00Q");

        return is_lead ? SF_LEAD : SF_CONTACT;
    }
    return "";
}

const char *salesforce_target(struct session *session, const char *kind,
                              const struct write_item *item)
{
    const char *parts[SF_PARTS_MAX], *name;

    if (!salesforce_is_create(item)) {
        return salesforce_is_id(item->remote_id)
                   ? salesforce_part_of_id(session, kind, item->remote_id)
                   : NULL;
    }
    name = salesforce_target_name(kind, item);
    for (size_t i = 0, count = salesforce_parts(session, kind, true, parts); i < count; i++) {
        if (strcmp(parts[i], name) == 0) {
            return parts[i];
        }
    }
    return parts[0]; /* a kind of one object, the mapping's own among them */
}

/* --- values ----------------------------------------------------------------------------------- */

static bool is_type(const struct salesforce_field *field, const char *type)
{
    return str_equal(field->type, str_of(type));
}

static bool is_number(const struct salesforce_field *field)
{
    return is_type(field, "int") || is_type(field, "long") || is_type(field, "double") ||
           is_type(field, "currency") || is_type(field, "percent");
}

/* Through text, so that nothing is rounded on the way. */
static json_t *number_of(json_t *value, struct arena *arena)
{
    struct str text = str_trim(jx_text_of(value));
    int64_t whole;
    json_t *number;

    if (text.len == 0) {
        return text.at ? json_null() : value;
    }
    if (str_to_i64(text, &whole)) {
        return jx_own(arena, json_integer(whole));
    }
    number = json_loadb(text.at, text.len, JSON_DECODE_ANY, NULL);
    if (json_is_number(number)) {
        return jx_own(arena, number);
    }
    json_decref(number);
    return value;
}

/* A checkbox is never null. source: Object Reference, "Field Types", boolean */
static json_t *boolean_of(json_t *value)
{
    return json_boolean(json_is_true(value) || str_equal(jx_text_of(value), STR("true")));
}

static json_t *date_of(json_t *value, struct arena *arena)
{
    char text[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!when_parse_ms(jx_text_of(value), &ms)) {
        return value;
    }
    when_format_seconds(ms, text);
    return jx_own(arena, json_stringn(text, DATE_LENGTH));
}

static json_t *datetime_of(json_t *value, struct arena *arena)
{
    char text[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!when_parse_ms(jx_text_of(value), &ms)) {
        return value;
    }
    when_format_ms(ms, text);
    return jx_own(arena, json_string(text));
}

/* A multi-select pick-list is one text. source: Object Reference, "Field Types", multi-select picklist */
static json_t *joined(json_t *list, struct arena *arena)
{
    AUTO_BUF struct buf text = {0};
    struct str whole;

    buf_init(&text, LIST_BYTES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct str item = jx_text_of(json_array_get(list, i));

        buf_addf(&text, "%s%" PRI_STR, i ? ";" : "", STR_ARG(item));
    }
    whole = buf_str(&text);
    return whole.len ? jx_own(arena, json_stringn(whole.at, whole.len)) : json_null();
}

json_t *salesforce_wire(const struct salesforce_field *field, json_t *value, struct arena *arena)
{
    if (!field) {
        return value;
    }
    if (is_type(field, "boolean")) {
        return boolean_of(value);
    }
    if (json_is_null(value)) {
        return value;
    }
    if (is_number(field)) {
        return number_of(value, arena);
    }
    if (is_type(field, "date")) {
        return date_of(value, arena);
    }
    if (is_type(field, "datetime")) {
        return datetime_of(value, arena);
    }
    return is_type(field, "multipicklist") && json_is_array(value) ? joined(value, arena) : value;
}

void salesforce_show(struct salesforce_outgoing *out, struct arena *arena, const char *name,
                     json_t *take_value)
{
    if (!out->shown) {
        out->shown = jx_own(arena, json_object());
    }
    json_object_set_new(out->shown, name, take_value);
}

/* --- what Salesforce insists on --------------------------------------------------------------- */

static bool is_named(const char *object, const char *field)
{
    bool is_person = strcmp(object, SF_CONTACT) == 0 || strcmp(object, SF_LEAD) == 0;

    if (strcmp(field, "LastName") == 0) {
        return is_person;
    }
    if (strcmp(field, "Company") == 0) {
        return strcmp(object, SF_LEAD) == 0;
    }
    return strcmp(field, "Name") == 0 && !is_person;
}

bool salesforce_is_placeheld(const struct salesforce_object *object, struct str field)
{
    static const char *const NAMES[] = {"LastName", "Company", "Name"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(field, str_of(NAMES[i]))) {
            const struct salesforce_field *known = salesforce_field_named(object, field);

            return is_named(object->name, NAMES[i]) && known && !known->is_nillable;
        }
    }
    return false;
}

/* source: Object Reference: LastName of contacts and leads, Company of leads, Name of accounts and opportunities are required. A custom
 * object's may be a number that Salesforce gives. */
static void hold_places(const struct salesforce_object *object, json_t *body, bool is_create)
{
    static const char *const NAMES[] = {"LastName", "Company", "Name"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const struct salesforce_field *field = salesforce_field_named(object, str_of(NAMES[i]));
        const json_t *value = json_object_get(body, NAMES[i]);
        bool is_blank = (value || is_create) && str_trim(jx_text_of(value)).len == 0;

        if (is_blank && field && field->is_createable &&
            salesforce_is_placeheld(object, str_of(NAMES[i]))) {
            json_object_set_new(body, NAMES[i], json_string(SF_NOT_PROVIDED));
        }
    }
}

/* --- deals ------------------------------------------------------------------------------------ */

static bool writes(const struct write_item *item, const char *name)
{
    return json_object_get(item->props, name) != NULL;
}

/* Written now, else as it is there. */
static struct str word_of(const struct write_item *item, const char *name)
{
    const json_t *value = json_object_get(item->props, name);

    return jx_text_of(value ? value : json_object_get(item->current, name));
}

static const struct salesforce_stage *stage_named(const struct salesforce_choices *choices,
                                                  struct str name)
{
    for (size_t i = 0; i < choices->stages_count; i++) {
        if (str_equal(choices->stages[i].name, name)) {
            return &choices->stages[i];
        }
    }
    return NULL;
}

static const struct salesforce_stage *first_stage(const struct salesforce_choices *choices,
                                                  bool is_closed, bool is_won)
{
    for (size_t i = 0; i < choices->stages_count; i++) {
        const struct salesforce_stage *stage = &choices->stages[i];

        if (stage->is_closed == is_closed && stage->is_won == is_won) {
            return stage;
        }
    }
    return NULL;
}

static enum fail end_stage(const struct salesforce_choices *choices, const struct write_item *item,
                           bool is_won, struct str *ret, struct error *err)
{
    struct str held = jx_text_of(json_object_get(item->current, "StageName"));
    const struct salesforce_stage *present = stage_named(choices, held);
    const struct salesforce_stage *stage = first_stage(choices, true, is_won);

    if (present && present->is_closed && present->is_won == is_won) {
        return OK; /* of several such stages it keeps its own */
    }
    if (!stage) {
        error_set(err, FAIL_RECORD, "salesforce has no active stage that means %s",
                  is_won ? "won" : "lost");
        return error_hint(err, "add one at Setup > Object Manager > Opportunity > Fields > Stage");
    }
    *ret = stage->name;
    return OK;
}

static void open_stage(const struct salesforce_choices *choices, const struct write_item *item,
                       struct str *ret)
{
    struct str wanted = jx_text_of(json_object_get(item->props, SF_DEAL_STAGE));
    struct str held = jx_text_of(json_object_get(item->current, "StageName"));
    const struct salesforce_stage *present = stage_named(choices, held);
    const struct salesforce_stage *first = first_stage(choices, false, false);

    if (wanted.len) {
        *ret = wanted;
    } else if ((salesforce_is_create(item) || (present && present->is_closed)) && first) {
        *ret = first->name; /* it has to have one */
    }
}

enum fail salesforce_stage_name(const struct salesforce_choices *choices,
                                const struct write_item *item, struct str *ret, struct error *err)
{
    struct str status = word_of(item, SF_DEAL_STATUS);

    *ret = STR_NONE;
    if (str_equal(status, STR("won")) || str_equal(status, STR("lost"))) {
        return end_stage(choices, item, str_equal(status, STR("won")), ret, err);
    }
    open_stage(choices, item, ret);
    return OK;
}

static void add_close_date(const struct session *session, json_t *body)
{
    static const int DAYS[] = {31, 30, 30, 31}; /* of March, June, September, December */
    char now[WHEN_TEXT_BYTES], text[WHEN_TEXT_BYTES];
    int year = 0, month = 0, quarter;

    when_format_seconds(clock_wall_ms(session->env->clock), now);
    if (sscanf(now, "%4d-%2d", &year, &month) != 2 || month < 1) {
        return;
    }
    quarter = (month - 1) / MONTHS_OF_QUARTER;
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, (quarter + 1) * MONTHS_OF_QUARTER,
             DAYS[quarter]);
    json_object_set_new(body, "CloseDate", json_string(text));
}

static enum fail fill_deal(const struct session *session, struct salesforce_outgoing *out,
                           struct error *err)
{
    const struct write_item *item = out->item;
    const json_t *close_date = json_object_get(out->body, "CloseDate");
    struct str stage = STR_NONE;

    if ((out->is_create || writes(item, SF_DEAL_STAGE) || writes(item, SF_DEAL_STATUS)) &&
        salesforce_stage_name(session->choices, item, &stage, err) != OK) {
        return err->code;
    }
    if (stage.len && !str_equal(stage, jx_text_of(json_object_get(item->current, "StageName")))) {
        json_object_set_new(out->body, "StageName", json_stringn(stage.at, stage.len));
    }
    if (!has_value(close_date)) { /* cannot be taken away */
        json_object_del(out->body, "CloseDate");
        if (out->is_create) {
            add_close_date(session, out->body);
        }
    }
    return OK;
}

bool salesforce_needs_choices(const char *kind, const struct write_item *item)
{
    if (strcmp(kind, "deal") == 0) {
        return salesforce_is_create(item) || writes(item, SF_DEAL_STAGE) ||
               writes(item, SF_DEAL_STATUS);
    }
    return strcmp(kind, "activity") == 0 &&
           strcmp(salesforce_target_name(kind, item), SF_TASK) == 0 &&
           (salesforce_is_create(item) || writes(item, SF_ACTIVITY_DONE));
}

/* --- people ----------------------------------------------------------------------------------- */

/* A lead stands for itself: no account, and a status always. Only a person can convert it. */
static enum fail fill_person(struct salesforce_outgoing *out, struct arena *arena,
                             struct error *err)
{
    const json_t *status = json_object_get(out->item->props, SF_LEAD_STATUS);

    if (strcmp(out->object, SF_LEAD) != 0) {
        return OK;
    }
    if (json_object_del(out->body, "AccountId") == 0) {
        salesforce_show(out, arena, "AccountId", json_null());
    }
    if (!status) {
        return OK;
    }
    if (!has_value(status)) {
        error_set(err, FAIL_RECORD, "a lead at salesforce always has a status");
        return error_hint(err, "convert the lead at Salesforce, then it is a contact without one");
    }
    json_object_set(out->body, "Status", (json_t *)(uintptr_t)status);
    return OK;
}

/* --- record types ----------------------------------------------------------------------------- */

/* By its developer name, which is the same in sandboxes and production, or by its label. */
static enum fail fill_record_type(const struct salesforce_object *object,
                                  struct salesforce_outgoing *out, struct error *err)
{
    const json_t *value = json_object_get(out->item->props, SF_RECORD_TYPE);
    struct str name = jx_text_of(value);

    if (!has_value(value)) {
        return OK;
    }
    for (size_t i = 0; i < object->record_types_count; i++) {
        const struct salesforce_record_type *type = &object->record_types[i];

        if (str_equal(type->developer_name, name) && type->is_available) {
            json_object_set_new(out->body, RECORD_TYPE_ID, json_stringn(type->id.at, type->id.len));
            return OK;
        }
    }
    error_set(err, FAIL_RECORD, "salesforce's %s has no record type '%" PRI_STR "' for this user",
              object->name, STR_ARG(str_slice(name, 0, WORD_SHOWN)));
    return error_hint(err, "correct the words of the mapping, or give the connection's user the "
                           "record type (profile or permission set)");
}

/* --- the item --------------------------------------------------------------------------------- */

static struct str number_text(const json_t *number, struct arena *arena)
{
    char text[NUMBER_BYTES_MAX];
    size_t length = json_dumpb(number, text, sizeof text, JSON_ENCODE_ANY);

    return arena_str(arena, (struct str){.at = text, .len = length < sizeof text ? length : 0});
}

/* Digits behind a number's last place are cut off without a word. source: SOAP API, DescribeSObjectResult, scale */
static void show_cut(const struct salesforce_field *field, const char *name, const json_t *value,
                     struct arena *arena, struct salesforce_outgoing *out)
{
    struct str text, rest;
    size_t kept;

    if (!field || !is_number(field) || !json_is_real(value)) {
        return;
    }
    text = rest = number_text(value, arena);
    kept = str_cut(&rest, '.').len + (field->scale > 0 ? 1 + (size_t)field->scale : 0);
    if (rest.at && !str_contains(text, STR("e")) && text.len > kept) {
        salesforce_show(out, arena, name, json_loadb(text.at, kept, JSON_DECODE_ANY, NULL));
    }
}

static void set_member(const struct salesforce_object *object, const char *name, json_t *value,
                       struct arena *arena, struct salesforce_outgoing *out)
{
    struct str property = str_of(name);
    const struct salesforce_field *field;

    if (strcmp(object->name, SF_LEAD) == 0) {
        property = salesforce_lead_field(property);
    }
    field = salesforce_field_named(object, property);
    value = salesforce_wire(field, value, arena);
    json_object_setn(out->body, property.at, property.len, value);
    show_cut(field, name, value, arena, out);
}

/* What can be changed and not taken away. */
static void keep_filled(json_t *body)
{
    static const char *const NAMES[] = {SF_OWNER, "CurrencyIsoCode", RECORD_TYPE_ID};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (json_object_get(body, NAMES[i]) && !has_value(json_object_get(body, NAMES[i]))) {
            json_object_del(body, NAMES[i]);
        }
    }
}

static void set_members(const struct salesforce_object *object, struct arena *arena,
                        struct salesforce_outgoing *out)
{
    const char *name;
    json_t *value;

    json_object_foreach(out->item->props, name, value)
    {
        if (!salesforce_is_pseudo(str_of(name))) {
            set_member(object, name, value, arena, out);
        }
    }
}

static struct str parent_of(const struct salesforce_outgoing *out)
{
    static const char *const PARENTS[] = {"AccountId", "WhatId", "WhoId", "ParentId"};

    for (size_t i = 0; i < COUNT_OF(PARENTS); i++) {
        struct str id = jx_text_of(json_object_get(out->body, PARENTS[i]));

        id = id.len ? id : jx_text_of(json_object_get(out->item->current, PARENTS[i]));
        if (id.len) {
            return id;
        }
    }
    return STR("");
}

/* source: REST API Developer Guide, "Conditional Request Headers": whole seconds */
static struct str since_of(const struct write_item *item, struct arena *arena)
{
    char text[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!when_parse_ms(jx_text_of(json_object_get(item->current, "SystemModstamp")), &ms)) {
        return STR("");
    }
    when_format_http(ms, text);
    return arena_str(arena, str_of(text));
}

enum fail salesforce_fill(struct session *session, const char *kind, struct write_item *item,
                          struct arena *arena, struct salesforce_outgoing *ret, struct error *err)
{
    const char *object = salesforce_target(session, kind, item);
    const struct salesforce_object *known;

    if (!object) {
        return error_set(err, FAIL_RECORD, "'%" PRI_STR "' is no id of salesforce's %s",
                         STR_ARG(str_slice(item->remote_id, 0, WORD_SHOWN)),
                         salesforce_title(session, kind));
    }
    known = salesforce_object_named(session, object);
    *ret = (struct salesforce_outgoing){.item = item,
                                        .object = object,
                                        .is_create = salesforce_is_create(item),
                                        .body = jx_own(arena, json_object())};
    set_members(known, arena, ret);
    if ((strcmp(object, SF_OPPORTUNITY) == 0 ? fill_deal(session, ret, err)
         : strcmp(object, SF_TASK) == 0 || strcmp(object, SF_EVENT) == 0
             ? salesforce_fill_activity(session, ret, arena, err)
             : fill_person(ret, arena, err)) != OK ||
        fill_record_type(known, ret, err) != OK) {
        return err->code;
    }
    keep_filled(ret->body);
    if (salesforce_is_own(session, json_object_get(ret->body, SF_OWNER))) {
        salesforce_show(ret, arena, SF_OWNER, json_null()); /* as a read shows it */
    }
    hold_places(known, ret->body, ret->is_create);
    ret->parent = parent_of(ret);
    ret->since = since_of(item, arena);
    return OK;
}
