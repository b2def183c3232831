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

struct pd_setting *pd_given(const struct pd_write *write, size_t field)
{
    for (size_t i = 0; i < write->count; i++) {
        if (write->settings[i].field == field) {
            return &write->settings[i];
        }
    }
    return NULL;
}

void pd_put_setting(struct pd_write *write, size_t field, struct str json)
{
    struct pd_setting *present = pd_given(write, field);

    if (present) {
        present->text = json;
    } else {
        write->settings[write->count++] = (struct pd_setting){field, json};
    }
}

struct str pd_coming(const struct pd_record *record, const struct pd_write *write, size_t field)
{
    const struct pd_setting *given = pd_given(write, field);

    return given ? given->text : record ? pd_value(record, field) : STR_NONE;
}

static bool value_read(struct reading *reading, const struct pd_field *field, const json_t *value)
{
    struct str text;

    if (!pd_value_check(reading->check, field, value, &text)) {
        return false;
    }
    pd_put_setting(reading->write, pd_field_index(reading->kind, field), text);
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

/* A person at the screen imports what is older than the account. Notes take it in updates, too. */
static bool takes_add_time(const struct reading *reading)
{
    bool is_note = reading->kind == pd_notes(reading->check->pd);

    return is_note || (is_create(reading) &&
                       (pd_can(reading->kind, PD_BACKDATED) || is_person_at_the_screen(reading)));
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

    if (strcmp(name, "custom_fields") == 0 && pd_can(reading->kind, PD_CUSTOMIZED)) {
        return custom_fields_read(reading, value);
    }
    if (strcmp(name, "add_time") == 0 && takes_add_time(reading)) {
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

static struct str part_of_name(const struct reading *reading, size_t field)
{
    return pd_plain(reading->check->arena, pd_coming(reading->record, reading->write, field));
}

static void text_put(struct reading *reading, size_t field, struct str text)
{
    json_t *value = jx_own(reading->check->arena, json_stringn(text.at ? text.at : "", text.len));

    pd_put_setting(reading->write, field, jx_text(reading->check->arena, value));
}

/* The first word is the first name, the rest the last name. Recorded live in 2026-05. */
static void parts_from_name(struct reading *reading, size_t name, size_t first, size_t last)
{
    struct str rest = str_trim(part_of_name(reading, name)), word = str_cut(&rest, ' ');

    if (!pd_given(reading->write, first)) {
        text_put(reading, first, word);
    }
    if (!pd_given(reading->write, last)) {
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
    size_t name = pd_slot(reading->kind, reading->kind->spec->name_code), first, last;
    bool has_name = pd_given(reading->write, name), has_first, has_last;

    if (reading->kind != pd_people(reading->check->pd)) {
        return has_name || !is_create(reading) || reading->kind->fields[name].type != PD_NAME ||
               pd_problem(reading->check, "'%s' is required", reading->kind->spec->name_code);
    }
    first = pd_slot(reading->kind, "first_name");
    last = pd_slot(reading->kind, "last_name");
    has_first = pd_given(reading->write, first);
    has_last = pd_given(reading->write, last);
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

static void default_put(struct reading *reading, const char *code, struct str json)
{
    bool has_field = json_object_get(reading->kind->by_code, code) != NULL;

    if (has_field && !pd_given(reading->write, pd_slot(reading->kind, code))) {
        pd_put_setting(reading->write, pd_slot(reading->kind, code), json);
    }
}

/* What a new record has when the body does not say. */
static void defaults_put(struct reading *reading)
{
    struct str me = arena_printf(reading->check->arena, "%lld", (long long)pd_users[0].id);

    default_put(reading, reading->kind->spec->owner_code, me);
    default_put(reading, "creator_user_id", me);
    default_put(reading, "visible_to", STR("3"));
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
    return !kind->spec->settle || kind->spec->settle(check, kind, record, ret);
}

struct pd_record *pd_write_apply(struct pipedrive *pd, struct pd_kind *kind,
                                 struct pd_record *record, const struct pd_write *write,
                                 int64_t now_ms)
{
    int64_t added_ms = write->added_ms / 1000 * 1000;

    if (!record) {
        return pd_record_create(pd, kind, write->settings, write->count,
                                write->added_ms >= 0 ? added_ms : now_ms, now_ms);
    }
    if (write->added_ms >= 0 && added_ms != record->base.created_ms) {
        record->base.created_ms = added_ms;
        pd_record_touch(pd, kind, record, now_ms);
    }
    pd_record_update(pd, kind, record, write->settings, write->count, now_ms);
    return record;
}
