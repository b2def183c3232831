/* Fields and objects that an administrator makes, and who may see them. A new field has no permissions: to everybody it looks as if it
 * were not there, until a FieldPermissions row of a permission set that the user has says otherwise. Sources: Tooling API, CustomField and
 * CustomObject; Metadata API, CustomField (types and what each needs); object reference, FieldPermissions. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"

enum {
    LENGTH_MAX = 255,
    LONG_MAX_LENGTH = 131072,
    DIGITS_MAX = 18,
    NAME_MAX = 40,
    OPTIONS_BYTES = 1 << 18
};

static bool refuse(struct sf_error *err, const char *code, const char *field, struct str message)
{
    return sf_refuse_save(err, code, str_of(field), message);
}

static bool refuse_value(struct sf_error *err, const char *message)
{
    return refuse(err, "FIELD_INTEGRITY_EXCEPTION", "Metadata", str_of(message));
}

/* --- names ------------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits and single underscores, a letter first, "__c" at the end. */
static bool name_is_fine(struct str name)
{
    struct str stem = str_slice(name, 0, name.len - 3);

    if (!str_ends(name, STR("__c")) || !stem.len || stem.len > NAME_MAX || !is_letter(stem.at[0]) ||
        stem.at[stem.len - 1] == '_' || str_contains(stem, STR("__"))) {
        return false;
    }
    for (size_t i = 0; i < stem.len; i++) {
        if (!is_letter(stem.at[i]) && stem.at[i] != '_' &&
            !(stem.at[i] >= '0' && stem.at[i] <= '9')) {
            return false;
        }
    }
    return true;
}

static bool check_name(struct sf_unit *unit, struct str name, struct sf_error *err)
{
    return name_is_fine(name) ||
           refuse(err, "INVALID_FIELD", "FullName",
                  arena_printf(unit->arena,
                               "The name '%" PRI_STR "' can only contain alphanumeric characters "
                               "and single underscores, must begin with a letter and end with __c",
                               STR_ARG(str_slice(name, 0, 100))));
}

static bool refuse_taken(struct sf_error *err)
{
    return refuse(err, "DUPLICATE_DEVELOPER_NAME", "DeveloperName",
                  STR("Developer name already exists for given entity or has been previously used. "
                      "Please choose a different name."));
}

/* --- what a type needs ------------------------------------------------------------------------- */

enum needs { NEEDS_NOTHING, NEEDS_LENGTH, NEEDS_DIGITS, NEEDS_VALUES, NEEDS_TARGET };

static const struct kind {
    const char *name;
    enum sf_type type;
    enum needs needs;
    int length;   /* NEEDS_LENGTH: at most; else the fixed one */
    bool can_key; /* may be an external id or unique */
    unsigned flags;
} kinds[] = {
    {"Text", SF_STRING, NEEDS_LENGTH, LENGTH_MAX, true, 0},
    {"TextArea", SF_TEXTAREA, NEEDS_NOTHING, LENGTH_MAX, false, 0},
    {"LongTextArea", SF_TEXTAREA, NEEDS_LENGTH, LONG_MAX_LENGTH, false, SF_LONG | SF_NO_FILTER},
    {"Number", SF_DOUBLE, NEEDS_DIGITS, 0, true, 0},
    {"Currency", SF_CURRENCY, NEEDS_DIGITS, 0, false, 0},
    {"Percent", SF_PERCENT, NEEDS_DIGITS, 0, false, 0},
    {"Checkbox", SF_BOOLEAN, NEEDS_NOTHING, 0, false, SF_DEFAULTED},
    {"Date", SF_DATE, NEEDS_NOTHING, 0, false, 0},
    {"DateTime", SF_DATETIME, NEEDS_NOTHING, 0, false, 0},
    {"Email", SF_EMAIL, NEEDS_NOTHING, 80, true, 0},
    {"Phone", SF_PHONE, NEEDS_NOTHING, 40, false, 0},
    {"Url", SF_URL, NEEDS_NOTHING, LENGTH_MAX, false, 0},
    {"Picklist", SF_PICKLIST, NEEDS_VALUES, LENGTH_MAX, false, 0},
    {"MultiselectPicklist", SF_MULTIPICKLIST, NEEDS_VALUES, 4099, false, 0},
    {"Lookup", SF_REFERENCE, NEEDS_TARGET, 18, false, 0},
};

static const struct kind *kind_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_equal(str_of(kinds[i].name), name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool number_in(const json_t *metadata, const char *name, int64_t low, int64_t high, int *ret)
{
    int64_t number = json_integer_value(jx_get(metadata, name));

    *ret = (int)number;
    return json_is_integer(jx_get(metadata, name)) && number >= low && number <= high;
}

/* "*default|other" of valueSet.valueSetDefinition.value. */
static bool read_values(struct sf_unit *unit, const json_t *metadata, struct sf_field_spec *spec,
                        struct sf_error *err)
{
    const json_t *set = jx_get(metadata, "valueSet");
    const json_t *values = jx_get(jx_get(set, "valueSetDefinition"), "value");
    AUTO_BUF struct buf list;
    size_t index;
    json_t *value;

    buf_init(&list, OPTIONS_BYTES);
    json_array_foreach((json_t *)values, index, value)
    {
        struct str name = jx_text_of(jx_get(value, "fullName"));

        if (!name.len || str_contains(name, STR("|"))) {
            return refuse_value(err, "every value of the value set has to have a fullName");
        }
        buf_addf(&list, "%s%s%" PRI_STR, list.len ? "|" : "",
                 json_is_true(jx_get(value, "default")) ? "*" : "", STR_ARG(name));
    }
    if (!list.len || list.is_full) {
        return refuse_value(err, "Must specify at least one value of a picklist's value set");
    }
    spec->flags |= json_is_true(jx_get(set, "restricted")) ? SF_RESTRICTED : 0;
    spec->more = arena_cstr(&unit->sf->arena, buf_str(&list));
    return true;
}

static bool read_target(struct sf_unit *unit, const json_t *metadata, struct sf_field_spec *spec,
                        struct sf_error *err)
{
    struct str name = jx_text_of(jx_get(metadata, "referenceTo"));
    const struct sf_object *target = sf_object_find(unit->sf, name);

    if (!target || target->flags & SF_IS_TOOLING) {
        return refuse_value(err, "referenceTo has to name an object");
    }
    if (!jx_text_of(jx_get(metadata, "relationshipName")).len) {
        return refuse_value(err, "Must specify relationshipName for a lookup");
    }
    spec->more = target->name.at;
    return true;
}

static bool read_kind(struct sf_unit *unit, const struct kind *kind, const json_t *metadata,
                      struct sf_field_spec *spec, struct sf_error *err)
{
    int precision;

    switch (kind->needs) {
    case NEEDS_NOTHING:
        spec->length = kind->length;
        return true;
    case NEEDS_LENGTH:
        return number_in(metadata, "length", 1, kind->length, &spec->length) ||
               refuse_value(err, "Must specify 'length' of a text within its bounds");
    case NEEDS_DIGITS:
        if (!number_in(metadata, "precision", 1, DIGITS_MAX, &precision) ||
            !number_in(metadata, "scale", 0, precision, &spec->scale)) {
            return refuse_value(err, "Must specify 'precision' and 'scale' of a number, at most 18 "
                                     "digits");
        }
        spec->length = precision - spec->scale;
        return true;
    case NEEDS_VALUES:
        spec->length = kind->length;
        return read_values(unit, metadata, spec, err);
    case NEEDS_TARGET:
        return read_target(unit, metadata, spec, err);
    }
    abort(); /* enum needs is closed */
}

static bool read_flags(const struct kind *kind, const json_t *metadata, struct sf_field_spec *spec,
                       struct sf_error *err)
{
    bool is_key = json_is_true(jx_get(metadata, "externalId"));
    bool is_unique = json_is_true(jx_get(metadata, "unique"));

    spec->flags |= SF_CUSTOM | kind->flags;
    if ((is_key || is_unique) && !kind->can_key) {
        return refuse_value(err, "a field of this type cannot be unique or an external id");
    }
    spec->flags |= is_key ? SF_EXTERNAL_ID : 0;
    spec->flags |= is_unique ? SF_UNIQUE : 0;
    spec->flags |=
        is_unique && json_is_true(jx_get(metadata, "caseSensitive")) ? SF_CASE_SENSITIVE : 0;
    if (json_is_true(jx_get(metadata, "required"))) {
        spec->flags |= SF_REQUIRED; /* who must fill it in sees it */
    } else {
        spec->flags |= SF_HIDDEN;
    }
    return true;
}

/* --- making a field ---------------------------------------------------------------------------- */

/* Custom fields of tasks and events are those of Activity. Source: Metadata API, CustomField. */
static size_t targets_of(struct salesforce *sf, struct str name, struct sf_object *ret[2])
{
    if (str_equal_nocase(name, STR("Activity"))) {
        ret[0] = sf->objects[SF_TASK];
        ret[1] = sf->objects[SF_EVENT];
        return 2;
    }
    ret[0] = sf_object_find(sf, name);
    return ret[0] && ret[0] != sf->objects[SF_TASK] && ret[0] != sf->objects[SF_EVENT] &&
           !(ret[0]->flags & (SF_IS_TOOLING | SF_IS_SETUP));
}

static struct sf_record *definition_add(struct sf_unit *unit, const struct sf_object *object,
                                        struct str table, struct str name, struct str label)
{
    struct sf_object *definitions = unit->sf->objects[SF_CUSTOM_FIELD];
    struct sf_record *record = sf_record_new(definitions, unit->now_ms, unit->session.user);
    struct sf_record *owner = object->definition;

    sf_record_set_named(record, "DeveloperName", str_slice(name, 0, name.len - 3));
    sf_record_set_named(record, "TableEnumOrId",
                        owner ? sf_record_id_str(unit->arena, owner) : table);
    sf_record_set_named(
        record, "FullName",
        arena_printf(unit->arena, "%" PRI_STR ".%" PRI_STR, STR_ARG(table), STR_ARG(name)));
    sf_record_set_named(record, "Label", label);
    return record;
}

static void child_relationship(struct sf_unit *unit, struct sf_field *field, const json_t *metadata)
{
    struct str name = jx_text_of(jx_get(metadata, "relationshipName"));

    if (field->type == SF_REFERENCE) {
        field->child_relationship =
            arena_printf(&unit->sf->arena, "%" PRI_STR "__r", STR_ARG(name));
    }
}

static bool spec_read(struct sf_unit *unit, const json_t *metadata, struct sf_field_spec *spec,
                      struct sf_error *err)
{
    struct str type = jx_text_of(jx_get(metadata, "type"));
    const struct kind *kind = kind_find(type);

    if (!kind) {
        return refuse(err, "INVALID_FIELD", "Metadata",
                      arena_printf(unit->arena, "a field of type '%" PRI_STR "' cannot be made",
                                   STR_ARG(str_slice(type, 0, 60))));
    }
    spec->type = kind->type;
    if (!jx_text_of(jx_get(metadata, "label")).len) {
        return refuse(err, "REQUIRED_FIELD_MISSING", "Label",
                      STR("Required fields are missing: [Label]"));
    }
    spec->label = arena_cstr(&unit->sf->arena, jx_text_of(jx_get(metadata, "label")));
    return read_flags(kind, metadata, spec, err) && read_kind(unit, kind, metadata, spec, err);
}

struct sf_record *sf_custom_field_add(struct sf_unit *unit, struct str full_name,
                                      const json_t *metadata, struct sf_error *err)
{
    struct str name = full_name, table = str_cut(&name, '.');
    struct sf_object *objects[2];
    size_t count = name.at ? targets_of(unit->sf, table, objects) : 0;
    struct sf_field_spec spec = {0};
    struct sf_record *definition;

    if (!count) {
        refuse(err, "INVALID_TYPE", "FullName",
               arena_printf(unit->arena, "no entity takes the field '%" PRI_STR "'",
                            STR_ARG(str_slice(full_name, 0, 100))));
        return NULL;
    }
    if (!check_name(unit, name, err) || !spec_read(unit, metadata, &spec, err)) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sf_field *former = sf_field_find_any(objects[i], name);

        if (former && !(former->flags & SF_DROPPED)) {
            refuse_taken(err);
            return NULL;
        }
    }
    spec.name = arena_cstr(&unit->sf->arena, name);
    table = count == 2 ? STR("Activity") : objects[0]->name;
    definition = definition_add(unit, objects[0], table, name, str_of(spec.label));
    for (size_t i = 0; i < count; i++) {
        struct sf_field *field = sf_field_add(unit->sf, objects[i], &spec);

        field->number = definition->base.id;
        child_relationship(unit, field, metadata);
        objects[i]->described_ms = unit->now_ms;
    }
    return definition;
}

void sf_custom_field_drop(struct sf_unit *unit, struct sf_record *definition)
{
    struct salesforce *sf = unit->sf;

    for (size_t i = 0; i < sf->objects_count; i++) {
        for (size_t j = 0; j < sf->objects[i]->fields_count; j++) {
            struct sf_field *field = sf->objects[i]->fields[j];

            if (field->flags & SF_CUSTOM && field->number == definition->base.id) {
                field->flags |= SF_DROPPED;
                sf->objects[i]->described_ms = unit->now_ms;
            }
        }
    }
    sf_record_purge(definition);
}

/* --- making an object -------------------------------------------------------------------------- */

/* Custom objects get prefixes of this account: a00, a01, … */
static const char *prefix_make(struct salesforce *sf)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t number = sf->objects_count - SF_STANDARD_COUNT;

    return arena_printf(&sf->arena, "a0%c", digits[number % (sizeof(digits) - 1)]).at;
}

struct sf_record *sf_custom_object_add(struct sf_unit *unit, struct str name,
                                       const json_t *metadata, struct sf_error *err)
{
    struct salesforce *sf = unit->sf;
    static const struct sf_field_spec no_fields[1];
    struct str label = jx_text_of(jx_get(metadata, "label"));
    struct str plural = jx_text_of(jx_get(metadata, "pluralLabel"));
    struct str title = jx_text_of(jx_get(jx_get(metadata, "nameField"), "label"));
    struct sf_object_spec spec = {.flags = SF_ORDINARY | SF_IS_CUSTOM, .fields = no_fields};
    struct sf_field_spec name_field = {
        .name = "Name", .type = SF_STRING, .length = 80, .flags = SF_REQUIRED | SF_NAME_FIELD};
    struct sf_field_spec owner = {.name = "OwnerId",
                                  .label = "Owner ID",
                                  .type = SF_REFERENCE,
                                  .flags = SF_DEFAULTED,
                                  .more = "Group,User"};
    struct sf_object *object;

    if (!check_name(unit, name, err)) {
        return NULL;
    }
    if (!label.len || !plural.len || !title.len) {
        refuse_value(err, "Must specify label, pluralLabel and nameField of a custom object");
        return NULL;
    }
    if (sf_object_find(sf, name) || sf->objects_count == SF_OBJECTS_MAX) {
        refuse_taken(err);
        return NULL;
    }
    spec.name = arena_cstr(&sf->arena, name);
    spec.label = arena_cstr(&sf->arena, label);
    spec.plural = arena_cstr(&sf->arena, plural);
    spec.prefix = prefix_make(sf);
    name_field.label = arena_cstr(&sf->arena, title);
    object = sf_object_add(sf, &spec, unit->now_ms);
    sf_field_add(sf, object, &name_field);
    sf_field_add(sf, object, &owner);
    object->definition =
        sf_record_new(sf->objects[SF_CUSTOM_OBJECT], unit->now_ms, unit->session.user);
    sf_record_set_named(object->definition, "DeveloperName", str_slice(name, 0, name.len - 3));
    sf_record_set_named(object->definition, "FullName", name);
    sf_record_set_named(object->definition, "Label", label);
    return object->definition;
}

/* --- permissions ------------------------------------------------------------------------------- */

/* The field that a FieldPermissions row is about, or NULL. */
static struct sf_field *field_of(const struct salesforce *sf, struct str full_name)
{
    struct str name = full_name;
    const struct sf_object *object = sf_object_find(sf, str_cut(&name, '.'));

    return object && name.at ? sf_field_find_any(object, name) : NULL;
}

static bool is_assigned(const struct salesforce *sf, struct str permission_set)
{
    const struct sim_table *table = &sf->objects[SF_PERMISSION_SET_ASSIGNMENT]->table;
    char user[SF_ID_BYTES];

    sf_id_format("005", sf->api_user, user);
    for (size_t i = 0; i < table->count; i++) {
        const struct sf_record *row = (const struct sf_record *)table->at[i];

        if (sf_record_is_live(row) && str_equal(sf_get_named(row, "AssigneeId"), str_of(user)) &&
            str_equal(sf_get_named(row, "PermissionSetId"), permission_set)) {
            return true;
        }
    }
    return false;
}

static void hide_custom_fields(struct salesforce *sf)
{
    for (size_t i = 0; i < sf->objects_count; i++) {
        for (size_t j = 0; j < sf->objects[i]->fields_count; j++) {
            struct sf_field *field = sf->objects[i]->fields[j];

            if (field->flags & SF_CUSTOM && !(field->flags & SF_REQUIRED)) {
                field->flags |= SF_HIDDEN | SF_NO_EDIT;
            }
        }
    }
}

void sf_permissions_apply(struct salesforce *sf)
{
    const struct sim_table *table = &sf->objects[SF_FIELD_PERMISSIONS]->table;

    hide_custom_fields(sf);
    for (size_t i = 0; i < table->count; i++) {
        const struct sf_record *row = (const struct sf_record *)table->at[i];
        struct sf_field *field;

        if (!sf_record_is_live(row) || !is_assigned(sf, sf_get_named(row, "ParentId"))) {
            continue;
        }
        field = field_of(sf, sf_get_named(row, "Field"));
        if (field && field->flags & SF_CUSTOM) {
            field->flags &= sf_get_flag(row, "PermissionsRead") ? ~(unsigned)SF_HIDDEN : ~0u;
            field->flags &= sf_get_flag(row, "PermissionsEdit") ? ~(unsigned)SF_NO_EDIT : ~0u;
        }
    }
}

/* Whoever may edit may read, and a permission set has one row for each field. */
bool sf_permission_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    const struct sim_table *table = &write->object->table;
    struct str name = sf_write_value(write, "Field"), object = sf_write_value(write, "SobjectType");
    struct str rest = name;
    const struct sf_field *field = field_of(unit->sf, name);

    if (!name.at || !object.at) {
        return true; /* missing ones are told of later */
    }
    if (!field || !str_equal_nocase(str_cut(&rest, '.'), object) || field->flags & SF_DROPPED ||
        field->derived || field->flags & SF_REQUIRED) {
        return refuse(err, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Field",
                      arena_printf(unit->arena,
                                   "Field Name: bad value for restricted picklist field: %" PRI_STR,
                                   STR_ARG(name)));
    }
    if (str_equal(sf_write_value(write, "PermissionsEdit"), STR("true")) &&
        !str_equal(sf_write_value(write, "PermissionsRead"), STR("true"))) {
        return refuse(err, "FIELD_INTEGRITY_EXCEPTION", "PermissionsEdit",
                      STR("Edit permission depends on Read permission"));
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct sf_record *other = (const struct sf_record *)table->at[i];

        if (other != write->record && sf_record_is_live(other) &&
            str_equal_nocase(sf_get_named(other, "Field"), name) &&
            str_equal(sf_get_named(other, "ParentId"), sf_write_value(write, "ParentId"))) {
            return refuse(
                err, "DUPLICATE_VALUE", "",
                arena_printf(unit->arena,
                             "duplicate value found: <unknown> duplicates value on record "
                             "with id: %.15s",
                             sf_record_id_str(unit->arena, other).at));
        }
    }
    return true;
}
