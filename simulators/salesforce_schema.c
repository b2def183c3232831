/* The objects of this account and their fields. */
#include "simulators/salesforce_inside.h"

#include "core/alloc.h"

enum { NAME_BYTES_MAX = 128, TEXT_LENGTH = 255, NUMBER_DIGITS = 18 };

/* Every object has these. Source: object reference, system fields. */
static const struct sf_field_spec id_field = {.name = "Id",
                                              .type = SF_ID,
                                              .length = 18,
                                              .flags = SF_READ_ONLY | SF_DEFAULTED | SF_ID_LOOKUP,
                                              .derived = SF_IS_ID};
static const struct sf_field_spec deleted_field = {.name = "IsDeleted",
                                                   .label = "Deleted",
                                                   .type = SF_BOOLEAN,
                                                   .flags = SF_READ_ONLY | SF_DEFAULTED,
                                                   .derived = SF_IS_DELETED};
static const struct sf_field_spec system_fields[] = {
    {.name = "CreatedDate", .label = "Created Date", .type = SF_DATETIME, .derived = SF_IS_CREATED},
    {.name = "CreatedById",
     .label = "Created By ID",
     .type = SF_REFERENCE,
     .length = 18,
     .more = "User",
     .derived = SF_IS_CREATED_BY},
    {.name = "LastModifiedDate",
     .label = "Last Modified Date",
     .type = SF_DATETIME,
     .derived = SF_IS_MODIFIED},
    {.name = "LastModifiedById",
     .label = "Last Modified By ID",
     .type = SF_REFERENCE,
     .length = 18,
     .more = "User",
     .derived = SF_IS_MODIFIED_BY},
    {.name = "SystemModstamp",
     .label = "System Modstamp",
     .type = SF_DATETIME,
     .derived = SF_IS_MODSTAMP},
};

/* --- names ------------------------------------------------------------------------------------- */

/* False for a name that is too long to be one. */
static bool name_lower(struct str name, char ret[NAME_BYTES_MAX])
{
    if (name.len >= NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        ret[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    ret[name.len] = '\0';
    return true;
}

struct sf_object *sf_object_find(const struct salesforce *sf, struct str name)
{
    for (size_t i = 0; i < sf->objects_count; i++) {
        if (!(sf->objects[i]->flags & SF_IS_ABSENT) &&
            str_equal_nocase(sf->objects[i]->name, name)) {
            return sf->objects[i];
        }
    }
    return NULL;
}

struct sf_object *sf_object_of_prefix(const struct salesforce *sf, const char *prefix)
{
    for (size_t i = 0; i < sf->objects_count; i++) {
        if (memcmp(sf->objects[i]->prefix, prefix, SF_PREFIX_BYTES) == 0) {
            return sf->objects[i];
        }
    }
    return NULL;
}

struct sf_field *sf_field_find_any(const struct sf_object *object, struct str name)
{
    char lower[NAME_BYTES_MAX];
    const json_t *index;

    if (!name.len || !name_lower(name, lower)) {
        return NULL;
    }
    index = json_object_get(object->by_name, lower);
    return index ? object->fields[json_integer_value(index)] : NULL;
}

struct sf_field *sf_field_find(const struct sf_object *object, struct str name)
{
    struct sf_field *field = sf_field_find_any(object, name);

    return field && sf_field_is_visible(field) ? field : NULL;
}

struct sf_field *sf_field_by_relationship(const struct sf_object *object, struct str name)
{
    for (size_t i = 0; i < object->fields_count; i++) {
        struct sf_field *field = object->fields[i];

        if (field->relationship.at && str_equal_nocase(field->relationship, name) &&
            sf_field_is_visible(field)) {
            return field;
        }
    }
    return NULL;
}

struct str sf_child_relationship(const struct sf_field *field)
{
    static const struct {
        const char *object, *field, *name;
    } rows[] = {{"Contact", "AccountId", "Contacts"},
                {"Account", "ParentId", "ChildAccounts"},
                {"Opportunity", "AccountId", "Opportunities"},
                {"OpportunityContactRole", "OpportunityId", "OpportunityContactRoles"},
                {"OpportunityContactRole", "ContactId", "OpportunityContactRoles"},
                {"Task", "WhoId", "Tasks"},
                {"Task", "WhatId", "Tasks"},
                {"Event", "WhoId", "Events"},
                {"Event", "WhatId", "Events"},
                {"Case", "ContactId", "Cases"},
                {"Case", "AccountId", "Cases"},
                {"PermissionSetAssignment", "PermissionSetId", "Assignments"},
                {"FieldPermissions", "ParentId", "FieldPerms"},
                {"ObjectPermissions", "ParentId", "ObjectPerms"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_equal(field->object->name, str_of(rows[i].object)) &&
            str_equal(field->name, str_of(rows[i].field))) {
            return str_of(rows[i].name);
        }
    }
    return field->child_relationship;
}

/* --- what a field is --------------------------------------------------------------------------- */

bool sf_field_is_visible(const struct sf_field *field)
{
    return !(field->flags & (SF_HIDDEN | SF_DROPPED));
}

bool sf_field_is_createable(const struct sf_field *field)
{
    return !(field->flags & (SF_READ_ONLY | SF_FROZEN | SF_NO_EDIT | SF_UPDATE_ONLY)) &&
           field->derived == SF_STORED;
}

bool sf_field_is_updateable(const struct sf_field *field)
{
    return !(field->flags & (SF_READ_ONLY | SF_FROZEN | SF_NO_EDIT | SF_CREATE_ONLY)) &&
           field->derived == SF_STORED;
}

bool sf_field_is_number(const struct sf_field *field)
{
    return field->type >= SF_INT && field->type <= SF_PERCENT;
}

bool sf_field_refers_to(const struct sf_field *field, const struct sf_object *object)
{
    struct str rest = field->refers_to;

    while (rest.at) {
        if (str_equal(str_cut(&rest, ','), object->name)) {
            return true;
        }
    }
    return false;
}

const char *sf_type_name(enum sf_type type)
{
    static const char *const names[SF_TYPES] = {
        [SF_ID] = "id",
        [SF_STRING] = "string",
        [SF_TEXTAREA] = "textarea",
        [SF_EMAIL] = "email",
        [SF_PHONE] = "phone",
        [SF_URL] = "url",
        [SF_PICKLIST] = "picklist",
        [SF_MULTIPICKLIST] = "multipicklist",
        [SF_COMBOBOX] = "combobox",
        [SF_REFERENCE] = "reference",
        [SF_BOOLEAN] = "boolean",
        [SF_INT] = "int",
        [SF_DOUBLE] = "double",
        [SF_CURRENCY] = "currency",
        [SF_PERCENT] = "percent",
        [SF_DATE] = "date",
        [SF_DATETIME] = "datetime",
        [SF_ADDRESS] = "address",
    };

    return names[type];
}

/* --- options ----------------------------------------------------------------------------------- */

static size_t parts_count(struct str list)
{
    size_t count = 0;

    while (list.at) {
        str_cut(&list, '|');
        count++;
    }
    return count;
}

void sf_field_options(struct salesforce *sf, struct sf_field *field, struct str list)
{
    size_t count = list.len ? parts_count(list) : 0;

    field->options = ARENA_ARRAY(&sf->arena, struct sf_option, count + 1);
    field->options_count = count;
    for (size_t i = 0; i < count; i++) {
        struct str part = str_cut(&list, '|');
        bool is_default = str_starts(part, STR("*")), is_inactive = str_starts(part, STR("-"));

        part = arena_str(&sf->arena, str_slice(part, is_default || is_inactive, part.len));
        field->options[i] = (struct sf_option){
            .value = part, .label = part, .is_active = !is_inactive, .is_default = is_default};
    }
}

struct sf_option *sf_option_find(const struct sf_field *field, struct str value)
{
    for (size_t i = 0; i < field->options_count; i++) {
        if (str_equal_nocase(field->options[i].value, value)) {
            return &field->options[i];
        }
    }
    return NULL;
}

/* --- making ------------------------------------------------------------------------------------ */

static bool is_indexed(const struct sf_field *field)
{
    bool is_owner = str_equal(field->name, STR("OwnerId")) || field->derived != SF_STORED ||
                    str_equal(field->name, STR("RecordTypeId"));

    return (field->flags & (SF_UNIQUE | SF_EXTERNAL_ID | SF_ID_LOOKUP) &&
            field->derived == SF_STORED) ||
           (field->type == SF_REFERENCE && !is_owner);
}

/* "Account" of "AccountId", "Plan__r" of "Plan__c". */
static struct str relationship_of(struct salesforce *sf, const struct sf_field *field)
{
    struct str name = field->name;

    if (field->type != SF_REFERENCE) {
        return STR_NONE;
    }
    if (str_ends(name, STR("__c"))) {
        return arena_printf(&sf->arena, "%" PRI_STR "r", STR_ARG(str_slice(name, 0, name.len - 1)));
    }
    return str_ends(name, STR("Id")) ? str_slice(name, 0, name.len - 2) : STR_NONE;
}

static int default_length(enum sf_type type)
{
    switch (type) {
    case SF_STRING:
    case SF_PICKLIST:
    case SF_URL:
    case SF_COMBOBOX:
        return TEXT_LENGTH;
    case SF_EMAIL:
        return 80;
    case SF_PHONE:
        return 40;
    case SF_MULTIPICKLIST:
        return 4099;
    case SF_REFERENCE:
        return 18;
    default:
        return 0;
    }
}

static struct sf_field *field_make(struct salesforce *sf, const struct sf_object *object,
                                   const struct sf_field_spec *spec)
{
    struct sf_field *field = ARENA_NEW(&sf->arena, struct sf_field);

    field->name = str_of(spec->name);
    field->label = str_of(spec->label ? spec->label : spec->name);
    field->type = spec->type;
    field->flags = spec->flags | (spec->derived ? SF_READ_ONLY : 0);
    field->derived = spec->derived;
    field->scale = spec->scale;
    if (sf_field_is_number(field)) {
        field->precision =
            (spec->length ? spec->length : NUMBER_DIGITS - spec->scale) + spec->scale;
    } else {
        field->length = spec->length ? spec->length : default_length(spec->type);
    }
    field->compound = str_of(spec->compound);
    field->number = sf->next_field_number++;
    field->refers_to = spec->type == SF_REFERENCE ? str_of(spec->more) : STR_NONE;
    if (field->derived == SF_IS_MASTER) {
        field->refers_to = object->name;
    }
    field->relationship = relationship_of(sf, field);
    return field;
}

struct sf_field *sf_field_add(struct salesforce *sf, struct sf_object *object,
                              const struct sf_field_spec *spec)
{
    struct sf_field *field = field_make(sf, object, spec);
    char lower[NAME_BYTES_MAX];

    if (spec->type != SF_REFERENCE && spec->more) {
        sf_field_options(sf, field, str_of(spec->more));
    }
    field->object = object;
    field->index = object->fields_count;
    if (is_indexed(field)) {
        field->lookup = sf_index_new();
    }
    object->fields =
        alloc_resize(object->fields, object->fields_count + 1, sizeof(object->fields[0]));
    object->fields[object->fields_count++] = field;
    if (!name_lower(field->name, lower)) {
        abort(); /* names are checked before they come here */
    }
    json_object_set_new(object->by_name, lower, json_integer((json_int_t)field->index));
    return field;
}

struct sf_object *sf_object_add(struct salesforce *sf, const struct sf_object_spec *spec,
                                int64_t now_ms)
{
    struct sf_object *object = alloc_new(1, sizeof(*object));
    struct sf_field_spec id = id_field;

    object->name = str_of(spec->name);
    object->label = str_of(spec->label);
    object->plural = str_of(spec->plural);
    memcpy(object->prefix, spec->prefix, SF_PREFIX_BYTES);
    object->flags = spec->flags;
    object->by_name = json_object();
    object->next_number = sf->first_number;
    object->described_ms = now_ms;
    id.label = arena_printf(&sf->arena, "%s ID", spec->label).at;
    sf_field_add(sf, object, &id);
    if (!(spec->flags & SF_IS_SETUP)) {
        sf_field_add(sf, object, &deleted_field);
    }
    for (size_t i = 0; i < spec->fields_count; i++) {
        sf_field_add(sf, object, &spec->fields[i]);
    }
    for (size_t i = 0; i < COUNT_OF(system_fields); i++) {
        struct sf_field_spec system = system_fields[i];

        system.flags |= SF_READ_ONLY | SF_DEFAULTED;
        sf_field_add(sf, object, &system);
    }
    sf->objects[sf->objects_count++] = object;
    return object;
}

void sf_schema_init(struct salesforce *sf, int64_t now_ms)
{
    for (int which = 0; which < SF_STANDARD_COUNT; which++) {
        sf_object_add(sf, sf_catalogue((enum sf_standard)which), now_ms);
    }
}

static void object_free(struct sf_object *object)
{
    for (size_t i = 0; i < object->table.count; i++) {
        sf_record_free((struct sf_record *)object->table.at[i]);
    }
    for (size_t i = 0; i < object->fields_count; i++) {
        sf_index_free(object->fields[i]->lookup);
    }
    sim_table_fini(&object->table);
    free(object->fields);
    json_decref(object->by_name);
    free(object);
}

void sf_schema_fini(struct salesforce *sf)
{
    for (size_t i = 0; i < sf->objects_count; i++) {
        object_free(sf->objects[i]);
    }
}
