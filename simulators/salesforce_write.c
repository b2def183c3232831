/* From a JSON object of fields to a changed record. Every door comes through here: rows, collections, composite, bulk, SOAP. Sources:
 * REST guide, status codes and error responses, upsert by external id; the texts of errors as client projects quote them. */
#include "simulators/salesforce_inside.h"

#include <assert.h>

#include "core/jx.h"

enum { NAMES_BYTES_MAX = 4096 };

/* --- settings ---------------------------------------------------------------------------------- */

static struct sf_setting *setting_of(const struct sf_write *write, const struct sf_field *field)
{
    for (size_t i = 0; i < write->count; i++) {
        if (write->settings[i].field == field) {
            return &write->settings[i];
        }
    }
    return NULL;
}

static void setting_put(struct sf_unit *unit, struct sf_write *write, struct sf_field *field,
                        struct str text)
{
    struct sf_setting *setting = setting_of(write, field);

    if (!setting) {
        if (write->count == write->capacity) {
            size_t capacity = write->capacity ? write->capacity * 2 : 32;
            struct sf_setting *more = ARENA_ARRAY(unit->arena, struct sf_setting, capacity);

            for (size_t i = 0; i < write->count; i++) {
                more[i] = write->settings[i];
            }
            write->settings = more;
            write->capacity = capacity;
        }
        setting = &write->settings[write->count++];
    }
    *setting = (struct sf_setting){.field = field, .text = text};
}

struct sf_setting *sf_write_find(const struct sf_write *write, const char *name)
{
    return setting_of(write, sf_field_find_any(write->object, str_of(name)));
}

void sf_write_put(struct sf_unit *unit, struct sf_write *write, const char *name, struct str text)
{
    struct sf_field *field = sf_field_find_any(write->object, str_of(name));

    assert(field);
    setting_put(unit, write, field, text);
}

static struct str value_of(const struct sf_write *write, const struct sf_field *field)
{
    const struct sf_setting *setting = setting_of(write, field);
    char scratch[SF_SCRATCH_BYTES];

    assert(field->derived == SF_STORED);
    if (setting) {
        return setting->text;
    }
    return write->record ? sf_get(write->record, field, scratch) : STR_NONE;
}

struct str sf_write_value(const struct sf_write *write, const char *name)
{
    const struct sf_field *field = sf_field_find_any(write->object, str_of(name));

    return field ? value_of(write, field) : STR_NONE;
}

/* --- reading a body ---------------------------------------------------------------------------- */

static bool refuse_column(struct sf_unit *unit, const struct sf_object *object, const char *name,
                          struct sf_error *err)
{
    return sf_refuse(err, 400, "INVALID_FIELD",
                     arena_printf(unit->arena, "No such column '%s' on sobject of type %" PRI_STR,
                                  name, STR_ARG(object->name)));
}

static bool refuse_access(struct sf_unit *unit, const struct sf_field *field, struct sf_error *err)
{
    return sf_refuse_save(
        err, "INVALID_FIELD_FOR_INSERT_UPDATE", field->name,
        arena_printf(unit->arena,
                     "Unable to create/update fields: %" PRI_STR
                     ". Please check the security settings of this field and verify that it is "
                     "read/write for your profile or permission set.",
                     STR_ARG(field->name)));
}

/* Only the system sets the audit fields and what is calculated. */
static bool may_set(const struct sf_unit *unit, const struct sf_write *write,
                    const struct sf_field *field)
{
    bool is_hidden = field->flags & SF_HIDDEN; /* from the integration's user, not from people */

    if (unit->is_lenient || (unit->is_person && is_hidden)) {
        return field->derived == SF_STORED && field->type != SF_ADDRESS;
    }
    return write->record ? sf_field_is_updateable(field) : sf_field_is_createable(field);
}

/* The object among those a reference may name, or the one of this type, that has this field as a key. */
static struct sf_field *key_of(const struct sf_unit *unit, const struct sf_field *reference,
                               struct str type, struct str name)
{
    struct str rest = reference->refers_to;

    while (rest.at) {
        const struct sf_object *object = sf_object_find(unit->sf, str_cut(&rest, ','));
        struct sf_field *field = object ? sf_field_find(object, name) : NULL;

        if (field && field->flags & (SF_EXTERNAL_ID | SF_ID_LOOKUP) && field->lookup &&
            (!type.at || str_equal_nocase(type, object->name))) {
            return field;
        }
    }
    return NULL;
}

/* "Account":{"Sync_Id__c":"a-1"}: a parent by its external id. Source: REST guide, upsert with relationships. */
static bool read_parent(struct sf_unit *unit, struct sf_write *write, struct sf_field *reference,
                        const json_t *value, struct sf_error *err)
{
    const struct sf_record *parent;
    struct sf_field *key = NULL;
    const char *name;
    json_t *member;
    struct str text = STR_NONE;

    json_object_foreach((json_t *)value, name, member)
    {
        if (!str_equal(str_of(name), STR("attributes")) && !str_equal(str_of(name), STR("type"))) {
            key = key_of(unit, reference, jx_text_of(jx_get(value, "type")), str_of(name));
            text = jx_text_of(member);
            if (!key || !text.at) {
                return sf_refuse(
                    err, 400, "INVALID_FIELD",
                    arena_printf(unit->arena,
                                 "The external foreign key reference does not reference a valid "
                                 "entity: %" PRI_STR " by %s",
                                 STR_ARG(reference->relationship), name));
            }
        }
    }
    if (!may_set(unit, write, reference)) {
        return refuse_access(unit, reference, err);
    }
    parent = key ? sf_holder(key, text, NULL) : NULL;
    if (!parent) {
        return sf_refuse_save(err, "INVALID_FIELD", STR(""),
                              arena_printf(unit->arena,
                                           "Foreign key external ID: %" PRI_STR
                                           " not found for field %" PRI_STR " in entity %" PRI_STR,
                                           STR_ARG(str_trim(text)),
                                           STR_ARG(key ? key->name : STR("?")),
                                           STR_ARG(key ? key->object->name : write->object->name)));
    }
    setting_put(unit, write, reference, sf_record_id_str(unit->arena, parent));
    return true;
}

static bool read_member(struct sf_unit *unit, struct sf_write *write, const char *name,
                        const json_t *value, struct sf_error *err)
{
    struct sf_field *field = sf_field_find_any(write->object, str_of(name));
    bool sees_all = unit->is_lenient || unit->is_person;
    struct str text;

    if (!field || field->flags & (sees_all ? SF_DROPPED : SF_DROPPED | SF_HIDDEN)) {
        field = sf_field_by_relationship(write->object, str_of(name));
        if (field && json_is_object(value)) {
            return read_parent(unit, write, field, value, err);
        }
        return refuse_column(unit, write->object, name, err);
    }
    if (field->derived == SF_IS_ID) {
        return sf_refuse(err, 400, "INVALID_FIELD",
                         write->record ? STR("The Id field should not be specified in the sobject "
                                             "data.")
                                       : STR("cannot specify Id in an insert call"));
    }
    if (!may_set(unit, write, field)) {
        return refuse_access(unit, field, err);
    }
    if (!sf_value_check(unit, field, value, &text, err)) {
        return false;
    }
    setting_put(unit, write, field, text);
    return true;
}

static bool write_read(struct sf_unit *unit, struct sf_write *write, const json_t *fields,
                       struct sf_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)fields, name, value)
    {
        if (!str_equal_nocase(str_of(name), STR("attributes")) &&
            !read_member(unit, write, name, value, err)) {
            return false;
        }
    }
    return true;
}

/* --- checks of the whole ----------------------------------------------------------------------- */

static struct str default_of(struct sf_unit *unit, const struct sf_field *field)
{
    char id[SF_ID_BYTES];

    if (field->type == SF_BOOLEAN) {
        return STR("false");
    }
    if (str_equal(field->name, STR("OwnerId"))) {
        sf_id_format("005", unit->session.user, id);
        return arena_str(unit->arena, str_of(id));
    }
    for (size_t i = 0; i < field->options_count; i++) {
        if (field->options[i].is_default) {
            return field->options[i].value;
        }
    }
    return STR_NONE;
}

static void put_defaults(struct sf_unit *unit, struct sf_write *write)
{
    for (size_t i = 0; i < write->object->fields_count; i++) {
        struct sf_field *field = write->object->fields[i];

        if (field->derived == SF_STORED && !(field->flags & SF_DROPPED) &&
            (field->flags & SF_DEFAULTED || field->type == SF_BOOLEAN) &&
            !value_of(write, field).at) {
            setting_put(unit, write, field, default_of(unit, field));
        }
    }
}

/* What has a value from the start cannot lose it. */
static bool is_needed(const struct sf_write *write, const struct sf_field *field)
{
    return field->flags & SF_REQUIRED ||
           (write->record && field->flags & SF_DEFAULTED && setting_of(write, field) &&
            sf_field_is_updateable(field) &&
            (field->type == SF_PICKLIST || field->type == SF_REFERENCE));
}

static bool check_required(struct sf_unit *unit, const struct sf_write *write, struct sf_error *err)
{
    AUTO_BUF struct buf names;

    buf_init(&names, NAMES_BYTES_MAX);
    for (size_t i = 0; i < write->object->fields_count; i++) {
        const struct sf_field *field = write->object->fields[i];

        if (sf_field_is_visible(field) && field->derived == SF_STORED && is_needed(write, field) &&
            !value_of(write, field).at) {
            buf_addf(&names, "%s%" PRI_STR, names.len ? "," : "", STR_ARG(field->name));
        }
    }
    if (!names.len) {
        return true;
    }
    struct str list = arena_str(unit->arena, buf_str(&names)), rest = list;
    struct str shown = str_cut(&rest, ',');

    while (rest.at) {
        struct str next = str_cut(&rest, ',');

        shown = arena_printf(unit->arena, "%" PRI_STR ", %" PRI_STR, STR_ARG(shown), STR_ARG(next));
    }
    return sf_refuse_save(
        err, "REQUIRED_FIELD_MISSING", list,
        arena_printf(unit->arena, "Required fields are missing: [%" PRI_STR "]", STR_ARG(shown)));
}

/* The id in the text has 15 characters. Source: the messages that client projects quote. */
static bool check_unique(struct sf_unit *unit, const struct sf_write *write, struct sf_error *err)
{
    for (size_t i = 0; i < write->count; i++) {
        const struct sf_setting *setting = &write->settings[i];
        const struct sf_record *holder;
        char id[SF_ID_BYTES];

        if (!(setting->field->flags & SF_UNIQUE) || !setting->text.at) {
            continue;
        }
        holder = sf_holder(setting->field, setting->text, write->record);
        if (holder) {
            sf_record_id(holder, id);
            return sf_refuse_save(err, "DUPLICATE_VALUE", STR(""),
                                  arena_printf(unit->arena,
                                               "duplicate value found: %" PRI_STR
                                               " duplicates value on record with id: %.15s",
                                               STR_ARG(setting->field->name), id));
        }
    }
    return true;
}

/* The misspelt member is what the API sends. Source: answers quoted by several client projects. */
static struct str duplicate_json(struct sf_unit *unit, const struct sf_record *match)
{
    const struct sf_object *object = match->object;
    struct str id = sf_record_id_str(unit->arena, match);
    bool is_alert = object->duplicates == SF_DUPLICATES_ALERT;

    return arena_printf(
        unit->arena,
        "\"duplicateResut\":{\"allowSave\":%s,\"duplicateRule\":\"Standard_%.*s_Duplicate_Rule\","
        "\"duplicateRuleEntityType\":\"%.*s\",\"errorMessage\":\"Use one of these records?\","
        "\"matchResults\":[{\"entityType\":\"%.*s\",\"errors\":[],\"matchEngine\":"
        "\"FuzzyMatchEngine\",\"matchRecords\":[{\"additionalInformation\":[],\"fieldDiffs\":[],"
        "\"matchConfidence\":100.0,\"record\":{\"attributes\":{\"type\":\"%.*s\",\"url\":"
        "\"/services/data/v%d.0/sobjects/%.*s/%.*s\"},\"Id\":\"%.*s\"}}],"
        "\"rule\":\"Standard_%.*s_Match_Rule_v1_1\",\"size\":1,\"success\":true}]},",
        is_alert ? "true" : "false", STR_ARG(object->name), STR_ARG(object->name),
        STR_ARG(object->name), STR_ARG(object->name), SF_VERSION_MAX, STR_ARG(object->name),
        STR_ARG(id), STR_ARG(id), STR_ARG(object->name));
}

/* A duplicate rule of the object: another one with the same address. */
static bool check_duplicates(struct sf_unit *unit, const struct sf_write *write,
                             struct sf_error *err)
{
    const struct sf_field *email = sf_field_find_any(write->object, STR("Email"));
    const struct sf_setting *setting = email ? setting_of(write, email) : NULL;
    const struct sf_record *match;

    if (!setting || !setting->text.at || !unit->call || unit->is_person ||
        write->object->duplicates == SF_DUPLICATES_PASS ||
        (unit->allows_alerts && write->object->duplicates == SF_DUPLICATES_ALERT)) {
        return true;
    }
    match = sf_holder(email, setting->text, write->record);
    if (!match) {
        return true;
    }
    sf_refuse_save(err, "DUPLICATES_DETECTED", STR(""), STR("Use one of these records?"));
    err->has_fields = false;
    err->extra = duplicate_json(unit, match);
    return false;
}

static bool check_access(struct sf_unit *unit, const struct sf_object *object, unsigned needed,
                         const char *verb, struct sf_error *err)
{
    if (unit->session.is_read_only) {
        return sf_refuse_save(err, "INSUFFICIENT_ACCESS_OR_READONLY", STR(""),
                              STR("insufficient access rights on object id"));
    }
    if (object->flags & SF_IS_SETUP && unit->sf->quirks & SF_NO_CUSTOMIZE && unit->call) {
        return sf_refuse_save(err, "INSUFFICIENT_ACCESS_OR_READONLY", STR(""),
                              STR("insufficient access rights on object id"));
    }
    if (!unit->is_lenient && !(object->flags & needed)) {
        return sf_refuse_save(err, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", STR(""),
                              arena_printf(unit->arena, "entity type cannot be %s: %" PRI_STR, verb,
                                           STR_ARG(object->name)));
    }
    return true;
}

/* Another transaction holds the row. */
static bool check_lock(struct sf_unit *unit, const struct sf_record *record, struct sf_error *err)
{
    if (!unit->call || unit->is_person || record->locked_until_ms <= unit->call->now_ms) {
        return true;
    }
    return sf_refuse_save(
        err, "UNABLE_TO_LOCK_ROW", STR(""),
        arena_printf(unit->arena,
                     "unable to obtain exclusive access to this record or 1 records: %" PRI_STR,
                     STR_ARG(sf_record_id_str(unit->arena, record))));
}

/* A child is saved under its parents' locks as well. */
static bool check_locks(struct sf_unit *unit, const struct sf_write *write, struct sf_error *err)
{
    if (write->record && !check_lock(unit, write->record, err)) {
        return false;
    }
    for (size_t i = 0; i < write->count; i++) {
        const struct sf_setting *setting = &write->settings[i];
        const struct sf_record *parent = setting->field->type == SF_REFERENCE && setting->text.at
                                             ? sf_record_of_id(unit->sf, setting->text)
                                             : NULL;

        if (parent && !check_lock(unit, parent, err)) {
            return false;
        }
    }
    return true;
}

static bool check_whole(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    return sf_rules_before(unit, write, err) && check_required(unit, write, err) &&
           check_locks(unit, write, err) && check_unique(unit, write, err) &&
           check_duplicates(unit, write, err);
}

/* --- applying ---------------------------------------------------------------------------------- */

static void apply(struct sf_unit *unit, struct sf_write *write, struct sf_record *record,
                  enum sf_change_kind kind)
{
    struct sf_change change = {.kind = kind, .record = record};

    change.fields = ARENA_ARRAY(unit->arena, struct sf_field *, write->count + 1);
    for (size_t i = 0; i < write->count; i++) {
        if (sf_record_set(record, write->settings[i].field, write->settings[i].text)) {
            change.fields[change.fields_count++] = write->settings[i].field;
        }
    }
    sf_unit_changed(unit, &change, write->sent);
    sf_rules_after(unit, record, kind == SF_CREATED);
}

struct sf_record *sf_create(struct sf_unit *unit, struct sf_object *object, const json_t *fields,
                            struct sf_error *err)
{
    struct sf_write write = {.object = object, .sent = fields};
    struct sf_record *record;

    if (!check_access(unit, object, SF_CAN_CREATE, "inserted", err) ||
        !write_read(unit, &write, fields, err)) {
        return NULL;
    }
    put_defaults(unit, &write);
    if (!check_whole(unit, &write, err)) {
        return NULL;
    }
    record = sf_record_new(object, unit->now_ms, unit->session.user);
    sf_unit_keep(unit, record, true);
    apply(unit, &write, record, SF_CREATED);
    return record;
}

/* A save moves the dates even when no value is another one. */
bool sf_update(struct sf_unit *unit, struct sf_record *record, const json_t *fields,
               struct sf_error *err)
{
    struct sf_write write = {.object = record->object, .record = record, .sent = fields};

    if (!check_access(unit, record->object, SF_CAN_UPDATE, "updated", err) ||
        !write_read(unit, &write, fields, err) || !check_whole(unit, &write, err)) {
        return false;
    }
    sf_unit_keep(unit, record, false);
    sf_record_touch(record, unit->now_ms, unit->session.user);
    apply(unit, &write, record, SF_UPDATED);
    return true;
}

struct sf_record *sf_target(struct sf_unit *unit, const struct sf_object *object, struct str id,
                            struct sf_error *err)
{
    char prefix[SF_PREFIX_BYTES];
    struct sf_record *record;
    int64_t number;

    if (!sf_id_parse(id, prefix, &number) || memcmp(prefix, object->prefix, SF_PREFIX_BYTES) != 0) {
        sf_refuse_save(err, "MALFORMED_ID", STR("Id"),
                       arena_printf(unit->arena,
                                    "%" PRI_STR " ID: id value of incorrect type: %" PRI_STR,
                                    STR_ARG(object->label), STR_ARG(str_slice(id, 0, 100))));
        return NULL;
    }
    record = sf_record_by_number(object, number);
    if (!record) {
        sf_refuse_save(err, "INVALID_CROSS_REFERENCE_KEY", STR(""),
                       STR("invalid cross reference id"));
        return NULL;
    }
    if (!sf_record_is_live(record)) {
        sf_refuse_save(err, "ENTITY_IS_DELETED", STR(""), STR("entity is deleted"));
        err->status = 404;
        return NULL;
    }
    return record;
}

/* --- upsert ------------------------------------------------------------------------------------ */

static bool upsert_by_id(struct sf_unit *unit, struct sf_object *object, struct str id,
                         const json_t *fields, struct sf_upsert *ret, struct sf_error *err)
{
    if (id.len) {
        ret->record = sf_target(unit, object, id, err);
        return ret->record && sf_update(unit, ret->record, fields, err);
    }
    ret->record = sf_create(unit, object, fields, err);
    ret->was_created = ret->record != NULL;
    return ret->was_created;
}

static bool is_key(const struct sf_field *field)
{
    return field && field->lookup && field->flags & (SF_EXTERNAL_ID | SF_ID_LOOKUP) &&
           sf_field_is_updateable(field);
}

static void find_matches(const struct sf_field *field, struct str text, struct sf_upsert *ret)
{
    char scratch[SF_SCRATCH_BYTES];
    void *place = NULL;
    struct sf_record *record;

    while ((record = sf_index_next(field->lookup, text, &place)) &&
           ret->matches_count < COUNT_OF(ret->matches)) {
        if (sf_record_is_live(record) && sf_same(field, sf_get(record, field, scratch), text)) {
            ret->matches[ret->matches_count++] = record;
        }
    }
}

static bool refuse_many(struct sf_unit *unit, const struct sf_field *field, struct str text,
                        struct sf_error *err)
{
    return sf_refuse(err, 300, "DUPLICATE_EXTERNAL_ID",
                     arena_printf(unit->arena,
                                  "%" PRI_STR ": more than one record found for external id field: "
                                  "%" PRI_STR,
                                  STR_ARG(field->label), STR_ARG(text)));
}

/* Without the field itself, whichever case its name is in. */
static json_t *without(struct sf_unit *unit, const json_t *fields, const struct sf_field *field)
{
    json_t *copy = jx_own(unit->arena, json_copy((json_t *)fields));
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(copy, next, name, value)
    {
        if (str_equal_nocase(str_of(name), field->name)) {
            json_object_del(copy, name);
        }
    }
    return copy;
}

static bool upsert_create(struct sf_unit *unit, struct sf_field *field, struct str text,
                          const json_t *fields, bool update_only, struct sf_upsert *ret,
                          struct sf_error *err)
{
    json_t *all;

    if (update_only) {
        return sf_refuse(err, 404, "NOT_FOUND", STR("The requested resource does not exist"));
    }
    all = without(unit, fields, field);
    json_object_setn_new(all, field->name.at, field->name.len, json_stringn(text.at, text.len));
    ret->record = sf_create(unit, field->object, all, err);
    ret->was_created = ret->record != NULL;
    return ret->was_created;
}

bool sf_upsert(struct sf_unit *unit, struct sf_object *object, struct str name, struct str value,
               const json_t *fields, bool update_only, struct sf_upsert *ret, struct sf_error *err)
{
    struct sf_field *field = sf_field_find(object, name);
    struct str text;

    *ret = (struct sf_upsert){0};
    if (field && field->derived == SF_IS_ID) {
        return upsert_by_id(unit, object, value, without(unit, fields, field), ret, err);
    }
    if (!is_key(field)) {
        return sf_refuse(
            err, 404, "NOT_FOUND",
            arena_printf(
                unit->arena,
                "Provided external ID field does not exist or is not accessible: %" PRI_STR,
                STR_ARG(name)));
    }
    if (!sf_value_check(unit, field, jx_own(unit->arena, json_stringn(value.at, value.len)), &text,
                        err)) {
        return false;
    }
    if (!text.at) {
        return sf_refuse_save(
            err, "MISSING_ARGUMENT", STR(""),
            arena_printf(unit->arena, "%" PRI_STR " not specified", STR_ARG(field->name)));
    }
    find_matches(field, text, ret);
    if (ret->matches_count > 1) {
        return refuse_many(unit, field, text, err);
    }
    if (!ret->matches_count) {
        return upsert_create(unit, field, text, fields, update_only, ret, err);
    }
    ret->record = ret->matches[0];
    return sf_update(unit, ret->record, without(unit, fields, field), err);
}
