#include "simulators/hubspot_inside.h"

#include <assert.h>

#include "core/alloc.h"
#include "simulators/hubspot_catalogue.h"

static const char *const type_names[] = {
    [HS_STRING] = "string",           [HS_NUMBER] = "number", [HS_BOOL] = "bool",
    [HS_ENUMERATION] = "enumeration", [HS_DATE] = "date",     [HS_DATETIME] = "datetime",
};

bool hs_type_parse(struct str text, enum hs_type *ret)
{
    for (size_t i = 0; i < COUNT_OF(type_names); i++) {
        if (str_equal(text, str_of(type_names[i]))) {
            *ret = (enum hs_type)i;
            return true;
        }
    }
    return false;
}

const char *hs_type_name(enum hs_type type)
{
    return type_names[type];
}

bool hs_property_is_writable(const struct hs_property *property)
{
    return !(property->flags & (HS_READ_ONLY | HS_CALCULATED));
}

bool hs_property_is_multi(const struct hs_property *property)
{
    return property->type == HS_ENUMERATION && str_equal(property->field_type, STR("checkbox"));
}

/* --- looking up ------------------------------------------------------------------------------------ */

struct hs_kind *hs_kind_find(struct hubspot *hs, struct str name)
{
    for (size_t i = 0; i < hs->kinds_count; i++) {
        const struct hs_kind_spec *spec = hs->kinds[i].spec;

        if (hs->kinds[i].is_archived) {
            continue;
        }
        if (str_equal(name, str_of(spec->plural)) || str_equal(name, str_of(spec->type_id)) ||
            str_equal_nocase(name, str_of(spec->singular)) ||
            str_equal_nocase(name, str_of(spec->plural))) {
            return &hs->kinds[i];
        }
    }
    return NULL;
}

long hs_property_find_any(const struct hs_kind *kind, struct str name)
{
    json_t *index = name.len ? json_object_getn(kind->by_name, name.at, name.len) : NULL;

    return index ? (long)json_integer_value(index) : -1;
}

long hs_property_find(const struct hs_kind *kind, struct str name)
{
    long index = hs_property_find_any(kind, name);

    return index >= 0 && kind->properties[index].flags & HS_ARCHIVED ? -1 : index;
}

struct hs_group *hs_group_find(struct hs_kind *kind, struct str name)
{
    for (size_t i = 0; i < kind->groups_count; i++) {
        if (!kind->groups[i].is_archived && str_equal(kind->groups[i].name, name)) {
            return &kind->groups[i];
        }
    }
    return NULL;
}

/* --- adding ---------------------------------------------------------------------------------------- */

struct hs_property *hs_property_add(struct hubspot *hs, struct hs_kind *kind, struct str name)
{
    size_t index = kind->properties_count++;
    struct hs_property *property;

    assert(index < HS_PROPERTIES_MAX);
    property = &kind->properties[index];
    *property = (struct hs_property){.name = arena_str(&hs->arena, name), .display_order = -1};
    json_object_setn_new_nocheck(kind->by_name, name.at, name.len, json_integer((json_int_t)index));
    return property;
}

struct hs_group *hs_group_add(struct hubspot *hs, struct hs_kind *kind, struct str name,
                              struct str label)
{
    struct hs_group *group;

    kind->groups = alloc_resize(kind->groups, kind->groups_count + 1, sizeof(*group));
    group = &kind->groups[kind->groups_count++];
    *group = (struct hs_group){.name = arena_str(&hs->arena, name),
                               .label = arena_str(&hs->arena, label),
                               .display_order = (int64_t)kind->groups_count};
    return group;
}

static size_t parts_count(struct str text, char separator)
{
    size_t count = text.len > 0;

    for (size_t i = 0; i < text.len; i++) {
        count += text.at[i] == separator;
    }
    return count;
}

/* "value|value=Label|…" */
static void options_parse(struct hubspot *hs, struct hs_property *property, const char *text)
{
    struct str rest = str_of(text);

    property->options_count = parts_count(rest, '|');
    property->options = ARENA_ARRAY(&hs->arena, struct hs_option, property->options_count);
    for (size_t i = 0; i < property->options_count; i++) {
        struct str label = str_cut(&rest, '|');
        struct str value = str_cut(&label, '=');

        property->options[i] =
            (struct hs_option){.value = value, .label = label.at ? label : value};
    }
}

static void property_define(struct hubspot *hs, struct hs_kind *kind,
                            const struct hs_property_spec *spec, int64_t now_ms)
{
    struct hs_property *property = hs_property_add(hs, kind, str_of(spec->name));

    property->label = str_of(spec->label);
    property->field_type = str_of(spec->field_type);
    property->group = str_of(kind->spec->group);
    property->description = STR("");
    property->flags = spec->flags;
    property->derived = spec->derived;
    property->created_ms = property->updated_ms = now_ms;
    hs_type_parse(str_of(spec->type), &property->type);
    if (spec->options) {
        options_parse(hs, property, spec->options);
    }
    if (spec->flags & (HS_EMAIL | HS_UNIQUE)) {
        property->holders = json_object();
    }
}

static size_t index_of(const struct hs_kind *kind, struct str name)
{
    long index = hs_property_find(kind, name);

    assert(index >= 0);
    return (size_t)index;
}

static void kind_init(struct hubspot *hs, struct hs_kind *kind, const struct hs_kind_spec *spec,
                      int64_t now_ms)
{
    kind->spec = spec;
    kind->properties = alloc_new(HS_PROPERTIES_MAX, sizeof(kind->properties[0]));
    kind->by_name = json_object();
    kind->next_id = spec->first_id;
    hs_group_add(hs, kind, str_of(spec->group), str_of("Main information"));
    for (size_t i = 0; i < spec->properties_count; i++) {
        property_define(hs, kind, &spec->properties[i], now_ms);
    }
    for (size_t i = 0; i < kind->properties_count; i++) {
        switch (kind->properties[i].derived) {
        case HS_IS_ID:
            kind->id_index = i;
            break;
        case HS_IS_CREATED:
            kind->created_index = i;
            break;
        case HS_IS_MODIFIED:
            kind->modified_index = i;
            break;
        case HS_STORED:
        case HS_IS_CONTACT_COUNT:
        case HS_IS_PRIMARY_COMPANY:
            break;
        }
    }
    kind->merged_ids_index = index_of(kind, STR("hs_merged_object_ids"));
    kind->source_index = index_of(kind, STR("hs_object_source"));
}

struct hs_kind *hs_kind_add(struct hubspot *hs, const struct hs_kind_spec *spec,
                            const struct hs_custom *custom, int64_t now_ms)
{
    struct hs_kind *kind = &hs->kinds[hs->kinds_count++];

    assert(hs->kinds_count <= HS_KINDS_MAX);
    *kind = (struct hs_kind){.custom = custom};
    kind_init(hs, kind, spec, now_ms);
    return kind;
}

void hs_schema_init(struct hubspot *hs, int64_t now_ms)
{
    for (size_t i = 0; i < hs_catalogue_count; i++) {
        hs_kind_add(hs, &hs_catalogue[i], NULL, now_ms);
    }
}

static void kind_fini(struct hs_kind *kind)
{
    for (size_t i = 0; i < kind->table.count; i++) {
        hs_record_free((struct hs_record *)kind->table.at[i]);
    }
    for (size_t i = 0; i < kind->properties_count; i++) {
        json_decref(kind->properties[i].holders);
    }
    sim_table_fini(&kind->table);
    json_decref(kind->by_name);
    free(kind->properties);
    free(kind->groups);
}

void hs_kind_drop(struct hubspot *hs)
{
    kind_fini(&hs->kinds[--hs->kinds_count]);
}

void hs_schema_fini(struct hubspot *hs)
{
    for (size_t i = 0; i < hs->kinds_count; i++) {
        kind_fini(&hs->kinds[i]);
    }
    hs->kinds_count = 0;
}
