#include "simulators/pipedrive_inside.h"

#include <assert.h>

#include "core/jx.h"

/* --- reading one body ----------------------------------------------------------------------- */

struct reading {
    struct pd_check *check;
    struct pd_kind *kind;
    const struct pd_record *record; /* NULL for a create */
    enum pd_writer writer;
    struct pd_write *write;
};

static bool is_create(const struct reading *reading)
{
    return reading->writer == PD_CREATES || reading->writer == PD_PERSON_CREATES;
}

static bool is_person_at_the_screen(const struct reading *reading)
{
    return reading->writer == PD_PERSON_CREATES || reading->writer == PD_PERSON_UPDATES;
}

static struct pd_setting *setting_of(struct pd_write *write, size_t field)
{
    for (size_t i = 0; i < write->count; i++) {
        if (write->settings[i].field == field) {
            return &write->settings[i];
        }
    }
    return NULL;
}

static void setting_put(struct pd_write *write, size_t field, struct str text)
{
    struct pd_setting *present = setting_of(write, field);

    if (present) {
        present->text = text;
    } else {
        write->settings[write->count++] = (struct pd_setting){field, text};
    }
}

static bool value_read(struct reading *reading, const struct pd_field *field, const json_t *value)
{
    struct str text;

    if (!pd_value_check(reading->check, field, value, &text)) {
        return false;
    }
    setting_put(reading->write, pd_field_index(reading->kind, field), text);
    return true;
}

/* A person at the screen knows fields by name. */
static const struct pd_field *field_by_name(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->kind->fields_count; i++) {
        const struct pd_field *field = &reading->kind->fields[i];

        if (field->flags & PD_CUSTOM && !field->is_deleted &&
            str_equal(field->name, str_of(name))) {
            return field;
        }
    }
    return NULL;
}

static const struct pd_field *custom_field_of(const struct reading *reading, const char *key)
{
    const struct pd_field *field = pd_field_find(reading->check->pd, reading->kind, str_of(key));

    if (field) {
        return field->flags & PD_CUSTOM ? field : NULL;
    }
    return is_person_at_the_screen(reading) ? field_by_name(reading, key) : NULL;
}

/* Errors name the field_code since 2026-05-21. Source: the changelog of that day. */
static bool custom_fields_read(struct reading *reading, const json_t *fields)
{
    const char *key;
    json_t *value;

    if (!json_is_object(fields)) {
        return pd_problem(reading->check, "'custom_fields' has to be an object");
    }
    json_object_foreach((json_t *)fields, key, value)
    {
        const struct pd_field *field = custom_field_of(reading, key);

        if (!field) {
            return pd_problem(reading->check, "custom field '%.60s' does not exist", key);
        }
        if (!value_read(reading, field, value)) {
            return false;
        }
    }
    return true;
}

static bool add_time_read(struct reading *reading, const json_t *value)
{
    if (!json_is_string(value) || !pd_time_parse(jx_text_of(value), &reading->write->added_ms)) {
        return pd_problem(reading->check, "'add_time' is not a valid datetime");
    }
    return true;
}

/* Members of a feature that this company has not got. */
static bool feature_missing(struct reading *reading, const char *name)
{
    const json_t *index = json_object_get(reading->kind->by_code, name);

    if (!index || !(reading->kind->fields[json_integer_value(index)].flags &
                    (PD_CONTACT_SYNC | PD_MARKETING))) {
        return pd_problem(reading->check, "'%.60s' is not allowed", name);
    }
    pd_problem(reading->check, "'%s' needs a feature that is not enabled", name);
    reading->check->status = 403;
    return false;
}

static bool member_read(struct reading *reading, const char *name, const json_t *value)
{
    const struct pd_field *field;

    if (strcmp(name, "custom_fields") == 0) {
        return custom_fields_read(reading, value);
    }
    if (strcmp(name, "add_time") == 0 && is_create(reading)) {
        return add_time_read(reading, value);
    }
    field = pd_field_find(reading->check->pd, reading->kind, str_of(name));
    if (!field) {
        return feature_missing(reading, name);
    }
    if (field->flags & PD_CUSTOM) { /* a key at the root is v1's way */
        return pd_problem(reading->check, "'%.60s' is not allowed", name);
    }
    return value_read(reading, field, value);
}

/* --- names ---------------------------------------------------------------------------------- */

/* What the record will hold: given, else present. */
static struct str part_of_name(const struct reading *reading, size_t field)
{
    const struct pd_setting *given = setting_of(reading->write, field);
    struct str json = given             ? given->text
                      : reading->record ? pd_value(reading->record, field)
                                        : STR_NONE;

    return pd_plain(reading->check->arena, json);
}

static void text_put(struct reading *reading, size_t field, struct str text)
{
    json_t *value = jx_own(reading->check->arena, json_stringn(text.at ? text.at : "", text.len));

    setting_put(reading->write, field, jx_text(reading->check->arena, value));
}

/* The first word is the first name, the rest the last name. Recorded live in 2026-05. */
static void parts_from_name(struct reading *reading, size_t name, size_t first, size_t last)
{
    struct str rest = str_trim(part_of_name(reading, name)), word = str_cut(&rest, ' ');

    if (!setting_of(reading->write, first)) {
        text_put(reading, first, word);
    }
    if (!setting_of(reading->write, last)) {
        text_put(reading, last, str_trim(rest));
    }
}

static bool name_from_parts(struct reading *reading, size_t name, size_t first, size_t last)
{
    struct str given = part_of_name(reading, first), family = part_of_name(reading, last);
    struct str joined = str_trim(arena_printf(reading->check->arena, "%" PRI_STR " %" PRI_STR,
                                              STR_ARG(given), STR_ARG(family)));

    if (str_is_empty(joined)) {
        return pd_problem(reading->check, "'name' has to be a non-empty string");
    }
    text_put(reading, name, joined);
    return true;
}

static bool names_settle(struct reading *reading)
{
    size_t name = pd_slot(reading->kind, "name"), first, last;
    bool has_name = setting_of(reading->write, name), has_first, has_last;

    if (strcmp(reading->kind->spec->singular, "person") != 0) {
        return has_name || !is_create(reading) || pd_problem(reading->check, "'name' is required");
    }
    first = pd_slot(reading->kind, "first_name");
    last = pd_slot(reading->kind, "last_name");
    has_first = setting_of(reading->write, first);
    has_last = setting_of(reading->write, last);
    if (has_name) {
        parts_from_name(reading, name, first, last);
        return true;
    }
    /* Source: the v2 migration guide asks for both; a person at the screen may type one. */
    if (reading->writer == PD_CREATES && !(has_first && has_last)) {
        return pd_problem(reading->check,
                          "'name' or both 'first_name' and 'last_name' are required");
    }
    return !(has_first || has_last || is_create(reading)) ||
           name_from_parts(reading, name, first, last);
}

/* --- the whole body ------------------------------------------------------------------------- */

/* What a new record has when the body does not say. */
static void defaults_put(struct reading *reading)
{
    size_t owner = pd_slot(reading->kind, "owner_id");
    size_t visibility = pd_slot(reading->kind, "visible_to");

    if (!setting_of(reading->write, owner)) {
        setting_put(reading->write, owner,
                    arena_printf(reading->check->arena, "%lld", (long long)pd_users[0].id));
    }
    if (!setting_of(reading->write, visibility)) {
        setting_put(reading->write, visibility, STR("3"));
    }
}

bool pd_write_read(struct pd_check *check, struct pd_kind *kind, const struct pd_record *record,
                   const json_t *body, enum pd_writer writer, struct pd_write *ret)
{
    struct reading reading = {check, kind, record, writer, ret};
    const char *name;
    json_t *value;

    if (!json_is_object(body)) {
        return pd_problem(check, "the body has to be a JSON object");
    }
    *ret = (struct pd_write){.added_ms = -1};
    ret->settings = arena_alloc(check->arena, kind->fields_count, sizeof(ret->settings[0]));
    json_object_foreach((json_t *)body, name, value)
    {
        if (!member_read(&reading, name, value)) {
            return false;
        }
    }
    if (!names_settle(&reading)) {
        return false;
    }
    if (is_create(&reading)) {
        defaults_put(&reading);
    }
    return true;
}
