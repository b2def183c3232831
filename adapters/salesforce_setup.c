/* Salesforce: the fields that crmsync needs: the external id field that carries our key, and those that a mapping declares. Made through
 * the Tooling API where the user may, with a permission set "crmsync" that shows them to that user alone; else the error says how to make
 * them by hand. Nothing is removed or changed.
 * Facts: Tooling API, CustomField (FullName, Metadata); Metadata API, CustomField; Object Reference, FieldPermissions, PermissionSet,
 * PermissionSetAssignment. A new field is visible to nobody until somebody grants it; custom fields of tasks and events are made on
 * Activity. */
#include "adapters/salesforce_write.h"

#include "core/jx.h"

enum { KEY_LENGTH = 36, TEXT_LENGTH = 255, LONG_TEXT_LENGTH = 32768, PARTS_MAX = 2 };

#define PERMISSION_SET "crmsync"
#define ACTIVITY "Activity"

/* Where a field is made, and where it then is. */
struct place {
    const char *kind;
    const char *holder; /* "Contact"; "Activity" of tasks and events */
    const char *objects[PARTS_MAX];
    size_t objects_count;
    bool is_optional; /* leads: an org or user without them is fine */
};

struct setup {
    struct session *session;
    struct arena *arena;
    struct setup_report *report;
    struct str permission_set; /* id, "" not looked up yet */
};

/* One field to be there. */
struct wanted {
    struct str name; /* API name */
    struct str label;
    enum property_type type;
    bool is_key, is_unique;
    const struct remote_option *options;
    size_t options_count;
};

static const struct wire_type {
    const char *type;     /* of the Metadata API */
    const char *seen[4];  /* as described */
    const char *for_hand; /* as Setup calls it */
} WIRE_TYPES[] = {
    [PROPERTY_TEXT] = {"Text", {"string"}, "Text"},
    [PROPERTY_LONG_TEXT] = {"LongTextArea", {"textarea"}, "Text Area (Long)"},
    [PROPERTY_NUMBER] = {"Number", {"double", "currency", "percent", "int"}, "Number"},
    [PROPERTY_BOOLEAN] = {"Checkbox", {"boolean"}, "Checkbox"},
    [PROPERTY_DATE] = {"Date", {"date"}, "Date"},
    [PROPERTY_DATETIME] = {"DateTime", {"datetime"}, "Date/Time"},
    [PROPERTY_ENUM] = {"Picklist", {"picklist"}, "Picklist"},
    [PROPERTY_MULTI_ENUM] = {"MultiselectPicklist", {"multipicklist"}, "Picklist (Multi-Select)"},
};

/* --- what to say ------------------------------------------------------------------------------ */

static enum fail say_how(const struct place *place, const struct wanted *wanted, struct error *err)
{
    if (wanted->is_key) {
        return error_hint(
            err,
            "at Salesforce: Setup > Object Manager > %s > Fields & Relationships > New: "
            "Text, length %d, label '" CORRELATION_LABEL "', name '%s', Unique "
            "(case-sensitive), External ID; visible and editable for this "
            "connection's user; then 'crmsync setup' again",
            place->holder, KEY_LENGTH, CORRELATION_PROPERTY);
    }
    return error_hint(
        err,
        "at Salesforce: Setup > Object Manager > %s > Fields & Relationships > New: %s, "
        "API name %" PRI_STR ", visible and editable for this connection's user; then "
        "'crmsync setup' again",
        place->holder, WIRE_TYPES[wanted->type].for_hand, STR_ARG(wanted->name));
}

static enum fail wrong(const char *object, const struct wanted *wanted, const char *why,
                       const char *remedy, struct error *err)
{
    error_set(err, FAIL_CONNECTION, "field %" PRI_STR " of %s exists at Salesforce %s",
              STR_ARG(wanted->name), object, why);
    return error_hint(err, "%s; then 'crmsync setup' again", remedy);
}

/* --- what is there ---------------------------------------------------------------------------- */

static bool has_type(const struct salesforce_field *field, enum property_type type)
{
    const char *const *seen = WIRE_TYPES[type].seen;

    for (size_t i = 0; i < COUNT_OF(WIRE_TYPES[type].seen) && seen[i]; i++) {
        if (str_equal(field->type, str_of(seen[i]))) {
            return true;
        }
    }
    return false;
}

static bool has_option(const struct salesforce_field *field, struct str value)
{
    for (size_t i = 0; i < field->options_count; i++) {
        if (str_equal(field->options[i].value, value)) {
            return true;
        }
    }
    return false;
}

static enum fail check_options(const char *object, const struct salesforce_field *field,
                               const struct wanted *wanted, struct error *err)
{
    for (size_t i = 0; i < wanted->options_count; i++) {
        struct str value = wanted->options[i].value;

        if (!has_option(field, value)) {
            error_set(err, FAIL_CONNECTION,
                      "field %" PRI_STR " of %s exists at Salesforce without the value '%" PRI_STR
                      "'",
                      STR_ARG(wanted->name), object, STR_ARG(value));
            return error_hint(err,
                              "add it at Setup > Object Manager > %s > Fields & Relationships > "
                              "%" PRI_STR " > Values; then 'crmsync setup' again",
                              object, STR_ARG(wanted->name));
        }
    }
    return OK;
}

/* Case does not matter: our keys are lower-case. */
static enum fail check_key(const char *object, const struct salesforce_field *field,
                           const struct wanted *wanted, struct error *err)
{
    if (!field->is_external_id || !field->is_unique) {
        return wrong(object, wanted, "but is not both Unique and External ID",
                     "edit the field there and tick both", err);
    }
    if (field->length < KEY_LENGTH) {
        return wrong(object, wanted, "but is too short", "give it a length of 36 there", err);
    }
    return OK;
}

static enum fail check_field(const char *object, const struct salesforce_field *field,
                             const struct wanted *wanted, struct error *err)
{
    if (!has_type(field, wanted->type)) {
        return wrong(object, wanted, "with another type",
                     "declare it with the type that it has there, or under another name", err);
    }
    if (!field->is_createable || !field->is_updateable) {
        return wrong(object, wanted, "but this connection's user may not edit it",
                     "give the user edit access to the field (profile or permission set)", err);
    }
    if (wanted->is_key && check_key(object, field, wanted, err) != OK) {
        return err->code;
    }
    if (wanted->is_unique && !field->is_unique) {
        return wrong(object, wanted, "but is not unique", "edit the field there and tick Unique",
                     err);
    }
    return check_options(object, field, wanted, err);
}

static const struct salesforce_field *seen_field(struct setup *setup, const char *object,
                                                 const struct wanted *wanted)
{
    return salesforce_field_named(salesforce_object_named(setup->session, object), wanted->name);
}

static bool is_seen(struct setup *setup, const struct place *place, const struct wanted *wanted)
{
    for (size_t i = 0; i < place->objects_count; i++) {
        if (!seen_field(setup, place->objects[i], wanted)) {
            return false;
        }
    }
    return true;
}

static enum fail check_place(struct setup *setup, const struct place *place,
                             const struct wanted *wanted, struct error *err)
{
    for (size_t i = 0; i < place->objects_count; i++) {
        const struct salesforce_field *field = seen_field(setup, place->objects[i], wanted);

        if (!field) {
            error_set(err, FAIL_CONNECTION,
                      "field %" PRI_STR " of %s is not visible to this connection's user",
                      STR_ARG(wanted->name), place->objects[i]);
            return say_how(place, wanted, err);
        }
        if (check_field(place->objects[i], field, wanted, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* Makes one row; *ret_id may be NULL. *ret_code: what an error document says, "" none. */
static enum fail post(struct setup *setup, const char *path, json_t *take_body, struct str *ret_id,
                      struct str *ret_code, struct error *err)
{
    struct salesforce_call call = {.method = HTTP_POST,
                                   .path = str_of(path),
                                   .body = jx_own(setup->arena, take_body),
                                   .may_be_missing = true};
    struct salesforce_answer answer;
    enum fail failed = salesforce_exec(setup->session, &call, setup->arena, &answer, err);

    *ret_code = salesforce_error_code(answer.body);
    if (failed == OK && ret_id) {
        return jx_str(answer.body, "id", ret_id, err);
    }
    return failed;
}

/* The Id of the first row, "" none. */
static enum fail query_id(struct setup *setup, struct str soql, struct str *ret, struct error *err)
{
    struct salesforce_query query = {.soql = soql};
    struct salesforce_answer answer;

    *ret = STR("");
    if (salesforce_query(setup->session, &query, 1, setup->arena, &answer, err) != OK) {
        return err->code;
    }
    return json_array_size(query.records) ? jx_str(json_array_get(query.records, 0), "Id", ret, err)
                                          : OK;
}

/* What only a person can mend, with how. Others go up as they are. */
static enum fail hand_over(const struct place *place, const struct wanted *wanted, const char *what,
                           struct error *err)
{
    if (err->code != FAIL_RECORD && err->code != FAIL_STALE && err->code != FAIL_CONNECTION) {
        return err->code;
    }
    err->code = FAIL_CONNECTION;
    error_wrap(err, "%s %" PRI_STR " of %s", what, STR_ARG(wanted->name), place->holder);
    return say_how(place, wanted, err);
}

/* --- making a field --------------------------------------------------------------------------- */

static json_t *values_json(const struct wanted *wanted)
{
    json_t *values = json_array();

    for (size_t i = 0; i < wanted->options_count; i++) {
        const struct remote_option *option = &wanted->options[i];
        struct str label = option->label.len ? option->label : option->value;

        json_array_append_new(values, json_pack("{s:s%,s:s%,s:b}", "fullName", option->value.at,
                                                option->value.len, "label", label.at, label.len,
                                                "default", 0));
    }
    return json_pack("{s:b,s:{s:b,s:o}}", "restricted", 0, "valueSetDefinition", "sorted", 0,
                     "value", values);
}

/* source: Metadata API Developer Guide, CustomField: what each type cannot do without */
static void add_type(const struct wanted *wanted, json_t *metadata)
{
    switch (wanted->type) {
    case PROPERTY_TEXT:
        json_object_set_new(metadata, "length",
                            json_integer(wanted->is_key ? KEY_LENGTH : TEXT_LENGTH));
        break;
    case PROPERTY_LONG_TEXT:
        json_object_set_new(metadata, "length", json_integer(LONG_TEXT_LENGTH));
        json_object_set_new(metadata, "visibleLines", json_integer(3));
        break;
    case PROPERTY_NUMBER:
        json_object_set_new(metadata, "precision", json_integer(18));
        json_object_set_new(metadata, "scale", json_integer(2));
        break;
    case PROPERTY_BOOLEAN:
        json_object_set_new(metadata, "defaultValue", json_string("false"));
        break;
    case PROPERTY_MULTI_ENUM:
        json_object_set_new(metadata, "visibleLines", json_integer(4));
        json_object_set_new(metadata, "valueSet", values_json(wanted));
        break;
    case PROPERTY_ENUM:
        json_object_set_new(metadata, "valueSet", values_json(wanted));
        break;
    case PROPERTY_DATE:
    case PROPERTY_DATETIME:
        break;
    }
}

static json_t *field_json(const struct place *place, const struct wanted *wanted,
                          struct arena *arena)
{
    struct str full = arena_printf(arena, "%s.%" PRI_STR, place->holder, STR_ARG(wanted->name));
    struct str label = wanted->label.len ? wanted->label : wanted->name;
    json_t *metadata = json_pack("{s:s,s:s%}", "type", WIRE_TYPES[wanted->type].type, "label",
                                 label.at, label.len);

    add_type(wanted, metadata);
    if (wanted->is_key || wanted->is_unique) {
        json_object_set_new(metadata, "unique", json_true());
        json_object_set_new(metadata, "caseSensitive", json_true());
    }
    if (wanted->is_key) {
        json_object_set_new(metadata, "externalId", json_true());
        json_object_set_new(metadata, "description",
                            json_string("Identity of this record in crmsync. Do not edit."));
    }
    return json_pack("{s:s%,s:o}", "FullName", full.at, full.len, "Metadata", metadata);
}

/* A field of that name that this user cannot see is one as well. */
static enum fail create_field(struct setup *setup, const struct place *place,
                              const struct wanted *wanted, bool *ret_was_there, struct error *err)
{
    struct str code;

    *ret_was_there = false;
    if (post(setup, "/tooling/sobjects/CustomField", field_json(place, wanted, setup->arena), NULL,
             &code, err) != OK) {
        *ret_was_there = str_equal(code, STR("DUPLICATE_DEVELOPER_NAME"));
        if (!*ret_was_there) {
            return hand_over(place, wanted, "create field", err);
        }
        error_reset(err);
    }
    return OK;
}

/* --- making it visible ------------------------------------------------------------------------ */

static enum fail find_permission_set(struct setup *setup, struct error *err)
{
    struct str code;

    if (query_id(setup, STR("SELECT Id FROM PermissionSet WHERE Name = '" PERMISSION_SET "'"),
                 &setup->permission_set, err) != OK ||
        setup->permission_set.len) {
        return err->code;
    }
    return post(setup, "/sobjects/PermissionSet",
                json_pack("{s:s,s:s,s:s}", "Name", PERMISSION_SET, "Label", PERMISSION_SET,
                          "Description", "Fields that crmsync made, for the user it works as."),
                &setup->permission_set, &code, err);
}

static enum fail assign_permission_set(struct setup *setup, struct error *err)
{
    struct str set = setup->permission_set, user, id, code;

    if (salesforce_own_user(setup->session, &user, err) != OK) {
        return err->code;
    }
    if (!salesforce_is_id(user) || !salesforce_is_id(set)) {
        return error_set(err, FAIL_CONNECTION, "salesforce does not say who this user is");
    }
    if (query_id(setup,
                 arena_printf(setup->arena,
                              "SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = "
                              "'%" PRI_STR "' AND AssigneeId = '%" PRI_STR "'",
                              STR_ARG(set), STR_ARG(user)),
                 &id, err) != OK ||
        id.len) {
        return err->code;
    }
    return post(setup, "/sobjects/PermissionSetAssignment",
                json_pack("{s:s%,s:s%}", "PermissionSetId", set.at, set.len, "AssigneeId", user.at,
                          user.len),
                NULL, &code, err);
}

static enum fail grant_on(struct setup *setup, const char *object, const struct wanted *wanted,
                          struct error *err)
{
    struct str field = arena_printf(setup->arena, "%s.%" PRI_STR, object, STR_ARG(wanted->name));
    struct str code;

    if (post(setup, "/sobjects/FieldPermissions",
             json_pack("{s:s%,s:s,s:s%,s:b,s:b}", "ParentId", setup->permission_set.at,
                       setup->permission_set.len, "SobjectType", object, "Field", field.at,
                       field.len, "PermissionsRead", 1, "PermissionsEdit", 1),
             NULL, &code, err) != OK &&
        str_equal(code, STR("DUPLICATE_VALUE"))) { /* granted before */
        error_reset(err);
    }
    return err->code;
}

static enum fail grant(struct setup *setup, const struct place *place, const struct wanted *wanted,
                       struct error *err)
{
    if (setup->permission_set.len == 0 &&
        (find_permission_set(setup, err) != OK || assign_permission_set(setup, err) != OK)) {
        return hand_over(place, wanted, "show field", err);
    }
    for (size_t i = 0; i < place->objects_count; i++) {
        if (!seen_field(setup, place->objects[i], wanted) &&
            grant_on(setup, place->objects[i], wanted, err) != OK) {
            return hand_over(place, wanted, "show field", err);
        }
    }
    return OK;
}

/* --- one place -------------------------------------------------------------------------------- */

/* In full: "not modified" is told by the second, and nothing is promised of what was only made visible. */
static enum fail describe(struct setup *setup, const struct place *place, struct error *err)
{
    for (size_t i = 0; i < place->objects_count; i++) {
        salesforce_object_named(setup->session, place->objects[i])->changed_at = STR("");
    }
    return salesforce_load_objects(setup->session, place->objects, place->objects_count, true, err);
}

static enum fail make_field(struct setup *setup, const struct place *place,
                            const struct wanted *wanted, struct error *err)
{
    bool was_there;

    if (create_field(setup, place, wanted, &was_there, err) != OK ||
        grant(setup, place, wanted, err) != OK) {
        return err->code;
    }
    setup->report->created += !was_there;
    setup->report->present += was_there;
    return OK;
}

/* What of the place's kind is wanted; the key first. */
static size_t wanted_of(const struct place *place, const struct setup_request *request,
                        struct wanted *ret)
{
    size_t count = 0;

    ret[count++] = (struct wanted){.name = STR(SF_KEY_FIELD),
                                   .label = STR(CORRELATION_LABEL),
                                   .type = PROPERTY_TEXT,
                                   .is_key = true};
    for (size_t i = 0; i < request->properties_count && !place->is_optional; i++) {
        const struct property_wanted *property = &request->properties[i];

        if (strcmp(property->kind, place->kind) == 0) {
            ret[count++] = (struct wanted){.name = property->name,
                                           .label = property->label,
                                           .type = property->type,
                                           .is_unique = property->is_unique,
                                           .options = property->options,
                                           .options_count = property->options_count};
        }
    }
    return count;
}

/* source: Object Reference, "Custom Fields": the API name ends in __c */
static enum fail check_name(const struct wanted *wanted, struct error *err)
{
    if (str_ends(wanted->name, STR("__c"))) {
        return OK;
    }
    error_set(err, FAIL_CONNECTION, "'%" PRI_STR "' is no name of a custom field at Salesforce",
              STR_ARG(wanted->name));
    return error_hint(err, "call it %" PRI_STR "__c in the mapping", STR_ARG(wanted->name));
}

static enum fail setup_fields(struct setup *setup, const struct place *place,
                              const struct wanted *wanted, size_t count, struct error *err)
{
    bool has_made = false;

    for (size_t i = 0; i < count; i++) {
        if (check_name(&wanted[i], err) != OK) {
            return err->code;
        }
        if (is_seen(setup, place, &wanted[i])) {
            setup->report->present++;
        } else if (make_field(setup, place, &wanted[i], err) == OK) {
            has_made = true;
        } else {
            return err->code;
        }
    }
    if (has_made && describe(setup, place, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (check_place(setup, place, &wanted[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail setup_place(struct setup *setup, const struct place *place,
                             const struct setup_request *request, struct error *err)
{
    struct wanted *wanted = ARENA_ARRAY(setup->arena, struct wanted, request->properties_count + 1);
    size_t count = wanted_of(place, request, wanted);

    if (describe(setup, place, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < place->objects_count; i++) {
        const struct salesforce_object *object =
            salesforce_object_named(setup->session, place->objects[i]);

        if (object->is_missing && place->is_optional) {
            return OK;
        }
        if (object->is_missing) {
            error_set(err, FAIL_CONNECTION, "salesforce shows this user no object '%s'",
                      object->name);
            return error_hint(err, "give the connection's user access to it (permission set), or "
                                   "correct its name in the mapping");
        }
    }
    if (setup_fields(setup, place, wanted, count, err) != OK) {
        return error_wrap(err, "set-up of %s", place->holder);
    }
    return OK;
}

static enum fail setup_kind(struct setup *setup, const char *kind,
                            const struct setup_request *request, struct error *err)
{
    const char *parts[SF_PARTS_MAX];
    size_t count = salesforce_parts(setup->session, kind, false, parts);
    struct place place = {.kind = kind, .holder = parts[0], .objects_count = count};
    struct place leads = {.kind = kind,
                          .holder = SF_LEAD,
                          .objects = {SF_LEAD},
                          .objects_count = 1,
                          .is_optional = true};

    for (size_t i = 0; i < count; i++) {
        place.objects[i] = parts[i];
    }
    if (strcmp(parts[0], SF_TASK) == 0) {
        place.holder = ACTIVITY;
    }
    if (setup_place(setup, &place, request, err) != OK) {
        return err->code;
    }
    return strcmp(parts[0], SF_CONTACT) == 0 ? setup_place(setup, &leads, request, err) : OK;
}

static bool has_kind(const struct session *session, const char *kind)
{
    for (size_t i = 0; i < session->objects_count; i++) {
        if (strcmp(session->objects[i].kind, kind) == 0) {
            return true;
        }
    }
    return adapter_object_of(&adapter_salesforce, kind) != NULL;
}

enum fail salesforce_ensure_setup(struct session *session, const struct setup_request *request,
                                  struct setup_report *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct setup setup = {.session = session, .arena = &arena, .report = ret};

    for (size_t i = 0; i < request->kinds_count; i++) {
        if (has_kind(session, request->kinds[i]) &&
            setup_kind(&setup, request->kinds[i], request, err) != OK) {
            return err->code;
        }
    }
    return OK;
}
