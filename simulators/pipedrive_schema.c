#include "simulators/pipedrive_inside.h"

#include <assert.h>

#include "core/alloc.h"

/* --- types and users ------------------------------------------------------------------------ */

/* In the order of enum pd_type. Source: OpenAPI v2, POST /personFields. */
static const char *const type_names[PD_CUSTOM_TYPES] = {
    "varchar",   "varchar_auto", "text", "double",  "phone",    "date", "daterange", "time",
    "timerange", "set",          "enum", "address", "monetary", "org",  "people",    "user",
};

bool pd_type_parse(struct str text, enum pd_type *ret)
{
    for (size_t i = 0; i < COUNT_OF(type_names); i++) {
        if (str_equal(text, str_of(type_names[i]))) {
            *ret = (enum pd_type)i;
            return true;
        }
    }
    return false;
}

const char *pd_type_name(enum pd_type type)
{
    assert(type < PD_CUSTOM_TYPES);
    return type_names[type];
}

const struct pd_user pd_users[] = {
    {4411, "Sync Robot", "sync@harbour.example", true, true},
    {4412, "Ada Quist", "ada@harbour.example", true, true},
    {4413, "Milo Brandt", "milo@harbour.example", true, false},
    {4414, "Ines Marchetti", "Ines.Marchetti@crm.example", true, false}, /* owners in the other */
    {4415, "Tom Okello", "tom.okello@crm.example", true, false},         /* CRM, too */
    {4420, "Ines Former", "ines@harbour.example", false, false},
};
const size_t pd_users_count = COUNT_OF(pd_users);

const struct pd_user *pd_user_find(int64_t id)
{
    for (size_t i = 0; i < pd_users_count; i++) {
        if (pd_users[i].id == id) {
            return &pd_users[i];
        }
    }
    return NULL;
}

/* --- fields --------------------------------------------------------------------------------- */

static struct pd_field *field_append(struct pipedrive *pd, struct pd_kind *kind, struct str code)
{
    struct pd_field *field;

    if (kind->fields_count == kind->fields_capacity) {
        kind->fields_capacity = kind->fields_capacity ? kind->fields_capacity * 2 : 64;
        kind->fields = alloc_resize(kind->fields, kind->fields_capacity, sizeof(*field));
    }
    field = &kind->fields[kind->fields_count];
    *field = (struct pd_field){.code = arena_str(&pd->arena, code), .id = pd->next_field_id++};
    json_object_setn_new(kind->by_code, code.at, code.len,
                         json_integer((json_int_t)kind->fields_count));
    kind->fields_count++;
    return field;
}

struct pd_option *pd_option_add(struct pipedrive *pd, struct pd_field *field, struct str label,
                                int64_t now_ms)
{
    struct pd_option *option;

    field->options =
        alloc_resize(field->options, field->options_count + 1, sizeof(field->options[0]));
    option = &field->options[field->options_count++];
    *option = (struct pd_option){.id = pd->next_option_id++,
                                 .label = arena_str(&pd->arena, label),
                                 .created_ms = now_ms,
                                 .updated_ms = now_ms};
    return option;
}

static void options_from_spec(struct pipedrive *pd, struct pd_field *field, const char *spec)
{
    struct str rest = str_of(spec);

    while (rest.at) {
        struct str entry = str_cut(&rest, '|'), label = str_cut(&entry, ':');

        pd_option_add(pd, field, label, pd->created_ms)->color = entry;
    }
}

static void field_from_spec(struct pipedrive *pd, struct pd_kind *kind,
                            const struct pd_field_spec *spec)
{
    struct pd_field *field = field_append(pd, kind, str_of(spec->code));

    field->name = str_of(spec->name);
    field->shown_type = spec->shown_type;
    field->type = spec->type;
    field->derived = spec->derived;
    field->flags = spec->flags;
    field->place = spec->place;
    field->empty = spec->empty ? str_of(spec->empty) : STR("null");
    field->created_ms = field->updated_ms = pd->created_ms;
    options_from_spec(pd, field, spec->options);
}

/* Types that a search looks into. Source: OpenAPI v2, GET /persons/search. */
static enum pd_place place_of(enum pd_type type)
{
    static const enum pd_type searched[] = {PD_ADDRESS, PD_VARCHAR,  PD_TEXT, PD_VARCHAR_AUTO,
                                            PD_DOUBLE,  PD_MONETARY, PD_PHONE};

    for (size_t i = 0; i < COUNT_OF(searched); i++) {
        if (searched[i] == type) {
            return PD_IN_CUSTOM;
        }
    }
    return PD_NOWHERE;
}

static void key_make(struct pipedrive *pd, char ret[PD_KEY_CHARS])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < PD_KEY_CHARS; i++) {
        ret[i] = digits[random_below(pd->random, 16)];
    }
}

struct pd_field *pd_field_add(struct pipedrive *pd, struct pd_kind *kind, struct str name,
                              enum pd_type type, int64_t now_ms)
{
    char key[PD_KEY_CHARS];
    struct pd_field *field;

    assert(type < PD_CUSTOM_TYPES);
    key_make(pd, key);
    field = field_append(pd, kind, (struct str){.at = key, .len = sizeof(key)});
    field->name = arena_str(&pd->arena, name);
    field->shown_type = pd_type_name(type);
    field->type = type;
    field->flags = PD_CUSTOM;
    field->place = place_of(type);
    field->empty = STR("null");
    field->created_ms = field->updated_ms = now_ms;
    return field;
}

bool pd_field_exists(const struct pipedrive *pd, const struct pd_field *field)
{
    if (field->is_deleted || field->flags & PD_MARKETING) {
        return false;
    }
    return !(field->flags & PD_CONTACT_SYNC) || pd->quirks & PD_CONTACT_SYNC_ON;
}

struct pd_field *pd_field_find(const struct pipedrive *pd, const struct pd_kind *kind,
                               struct str code)
{
    const json_t *index = code.len ? json_object_getn(kind->by_code, code.at, code.len) : NULL;
    struct pd_field *field = index ? &kind->fields[json_integer_value(index)] : NULL;

    return field && pd_field_exists(pd, field) ? field : NULL;
}

size_t pd_field_index(const struct pd_kind *kind, const struct pd_field *field)
{
    return (size_t)(field - kind->fields);
}

size_t pd_slot(const struct pd_kind *kind, const char *code)
{
    const json_t *index = json_object_get(kind->by_code, code);

    assert(index);
    return (size_t)json_integer_value(index);
}

struct pd_option *pd_option_find(const struct pd_field *field, int64_t id)
{
    for (size_t i = 0; i < field->options_count; i++) {
        if (field->options[i].id == id && !field->options[i].is_deleted) {
            return &field->options[i];
        }
    }
    return NULL;
}

/* --- kinds ---------------------------------------------------------------------------------- */

bool pd_can(const struct pd_kind *kind, enum pd_ability ability)
{
    return kind->spec->abilities & ability;
}

static size_t slot_or_none(const struct pd_kind *kind, const char *code)
{
    return json_object_get(kind->by_code, code) ? pd_slot(kind, code) : SIZE_MAX;
}

void pd_schema_init(struct pipedrive *pd, int64_t now_ms)
{
    static const int64_t YEAR_MS = 365LL * 24 * 60 * 60 * 1000;

    pd->created_ms = (now_ms - 3 * YEAR_MS) / 1000 * 1000;
    pd->next_option_id = 10;
    pd->next_field_id = 9000;
    pd->next_participant_id = 1;
    pd_pipelines_init(pd);
    for (size_t k = 0; k < PD_KINDS; k++) {
        struct pd_kind *kind = &pd->kinds[k];

        kind->spec = &pd_catalogue[k];
        kind->by_code = json_object();
        kind->next_id = 1;
        for (size_t i = 0; i < kind->spec->fields_count; i++) {
            field_from_spec(pd, kind, &kind->spec->fields[i]);
        }
        kind->owner_slot = slot_or_none(kind, kind->spec->owner_code);
        kind->org_slot = slot_or_none(kind, "org_id");
        kind->person_slot = slot_or_none(kind, "person_id");
        kind->deal_slot = slot_or_none(kind, "deal_id");
    }
}

static void kind_fini(struct pd_kind *kind)
{
    for (size_t i = 0; i < kind->fields_count; i++) {
        free(kind->fields[i].options);
    }
    for (size_t i = 0; i < kind->table.count; i++) {
        pd_record_free((struct pd_record *)kind->table.at[i]);
    }
    free(kind->fields);
    json_decref(kind->by_code);
    sim_table_fini(&kind->table);
}

void pd_schema_fini(struct pipedrive *pd)
{
    pd_pipelines_fini(pd);
    for (size_t k = 0; k < PD_KINDS; k++) {
        kind_fini(&pd->kinds[k]);
    }
}

static struct pd_kind *kind_by(struct pipedrive *pd, struct str word, size_t offset)
{
    for (size_t k = 0; k < PD_KINDS; k++) {
        const char *name = *(const char *const *)((const char *)pd->kinds[k].spec + offset);

        if (str_equal(word, str_of(name))) {
            return &pd->kinds[k];
        }
    }
    return NULL;
}

struct pd_kind *pd_kind_plural(struct pipedrive *pd, struct str plural)
{
    return kind_by(pd, plural, offsetof(struct pd_kind_spec, plural));
}

struct pd_kind *pd_kind_singular(struct pipedrive *pd, struct str singular)
{
    return kind_by(pd, singular, offsetof(struct pd_kind_spec, singular));
}

struct pd_kind *pd_kind_defined(struct pipedrive *pd, struct str definitions)
{
    return kind_by(pd, definitions, offsetof(struct pd_kind_spec, definitions));
}

struct pd_kind *pd_people(struct pipedrive *pd)
{
    return &pd->kinds[0];
}

struct pd_kind *pd_organizations(struct pipedrive *pd)
{
    return &pd->kinds[1];
}

struct pd_kind *pd_deals(struct pipedrive *pd)
{
    return &pd->kinds[2];
}

struct pd_kind *pd_activities(struct pipedrive *pd)
{
    return &pd->kinds[3];
}

struct pd_kind *pd_notes(struct pipedrive *pd)
{
    return &pd->kinds[4];
}
