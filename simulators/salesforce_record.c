/* Records: values by field, the indexes kept with them, deletion. Who may do what is decided elsewhere. */
#include "simulators/salesforce_inside.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/unicode.h"
#include "core/when.h"

/* --- life -------------------------------------------------------------------------------------- */

struct sf_record *sf_record_new(struct sf_object *object, int64_t created_ms, int64_t user)
{
    struct sf_record *record = alloc_new(1, sizeof(*record));

    record->object = object;
    record->base.id = object->next_number++;
    record->base.created_ms = created_ms;
    record->base.modified_ms = record->last_modified_ms = created_ms;
    record->created_by = record->last_modified_by = user;
    record->values_count = object->fields_count;
    record->values = alloc_new(record->values_count, sizeof(record->values[0]));
    sim_table_add(&object->table, &record->base);
    return record;
}

void sf_record_free(struct sf_record *record)
{
    for (size_t i = 0; i < record->values_count; i++) {
        free(record->values[i]);
    }
    free(record->values);
    free(record);
}

bool sf_record_is_live(const struct sf_record *record)
{
    return !record->base.archived_ms && !record->is_purged;
}

bool sf_record_is_kept(const struct sf_record *record, int64_t now_ms)
{
    static const int64_t BIN_MS = 15 * 24 * 60LL * 60 * 1000;

    return !record->is_purged &&
           (!record->base.archived_ms || now_ms - record->base.archived_ms < BIN_MS);
}

struct sf_record *sf_record_by_number(const struct sf_object *object, int64_t number)
{
    struct sf_record *record = (struct sf_record *)sim_table_get(&object->table, number);

    return record && !record->is_purged ? record : NULL;
}

struct sf_record *sf_record_of_id(const struct salesforce *sf, struct str id)
{
    char prefix[SF_PREFIX_BYTES];
    const struct sf_object *object;
    int64_t number;

    if (!sf_id_parse(id, prefix, &number)) {
        return NULL;
    }
    object = sf_object_of_prefix(sf, prefix);
    return object ? sf_record_by_number(object, number) : NULL;
}

void sf_record_id(const struct sf_record *record, char ret[SF_ID_BYTES])
{
    sf_id_format(record->object->prefix, record->base.id, ret);
}

struct str sf_record_id_str(struct arena *arena, const struct sf_record *record)
{
    char id[SF_ID_BYTES];

    sf_record_id(record, id);
    return arena_str(arena, str_of(id));
}

/* --- values ------------------------------------------------------------------------------------ */

static struct str stored(const struct sf_record *record, size_t index)
{
    const struct sf_value *value = index < record->values_count ? record->values[index] : NULL;

    return value ? (struct str){.at = value->text, .len = value->len} : STR_NONE;
}

static struct sf_value *value_new(struct str text)
{
    struct sf_value *value = alloc_new(1, sizeof(*value) + text.len + 1);

    value->len = (uint32_t)text.len;
    value->is_plain = sim_text_is_plain(text);
    memcpy(value->text, text.at, text.len);
    return value;
}

/* Fields may have been added since the record was made. */
static void make_room(struct sf_record *record, size_t index)
{
    size_t count = record->object->fields_count;

    if (index < record->values_count) {
        return;
    }
    record->values = alloc_resize(record->values, count, sizeof(record->values[0]));
    for (size_t i = record->values_count; i < count; i++) {
        record->values[i] = NULL;
    }
    record->values_count = count;
}

bool sf_record_set(struct sf_record *record, const struct sf_field *field, struct str text)
{
    struct str former = stored(record, field->index);

    assert(field->derived == SF_STORED && field->object == record->object);
    if (text.at ? former.at && str_equal(text, former) : !former.at) {
        return false;
    }
    make_room(record, field->index);
    if (field->lookup && former.at) {
        sf_index_remove(field->lookup, former, record);
    }
    if (field->lookup && text.at) {
        sf_index_add(field->lookup, text, record);
    }
    free(record->values[field->index]);
    record->values[field->index] = text.at ? value_new(text) : NULL;
    return true;
}

void sf_record_set_named(struct sf_record *record, const char *name, struct str text)
{
    const struct sf_field *field = sf_field_find_any(record->object, str_of(name));

    assert(field);
    sf_record_set(record, field, text);
}

static struct str time_text(int64_t ms, char scratch[SF_SCRATCH_BYTES])
{
    char text[WHEN_TEXT_BYTES];

    static_assert((int)WHEN_TEXT_BYTES <= (int)SF_SCRATCH_BYTES, "a time fits");
    when_format_ms(ms, text);
    memcpy(scratch, text, strlen(text) + 1);
    return str_of(scratch);
}

static struct str id_text(const char *prefix, int64_t number, char scratch[SF_SCRATCH_BYTES])
{
    sf_id_format(prefix, number, scratch);
    return (struct str){.at = scratch, .len = SF_ID_BYTES - 1};
}

struct str sf_get(const struct sf_record *record, const struct sf_field *field,
                  char scratch[SF_SCRATCH_BYTES])
{
    static const char user[] = "005";

    switch (field->derived) {
    case SF_STORED:
        return stored(record, field->index);
    case SF_IS_ID:
        return id_text(record->object->prefix, record->base.id, scratch);
    case SF_IS_CREATED:
        return time_text(record->base.created_ms, scratch);
    case SF_IS_CREATED_BY:
        return id_text(user, record->created_by, scratch);
    case SF_IS_MODIFIED:
        return time_text(record->last_modified_ms, scratch);
    case SF_IS_MODIFIED_BY:
        return id_text(user, record->last_modified_by, scratch);
    case SF_IS_MODSTAMP:
        return time_text(record->base.modified_ms, scratch);
    case SF_IS_DELETED:
        return record->base.archived_ms ? STR("true") : STR("false");
    case SF_IS_MASTER:
        return record->base.merged_into
                   ? id_text(record->object->prefix, record->base.merged_into, scratch)
                   : STR_NONE;
    }
    abort(); /* enum sf_derived is closed */
}

struct str sf_get_named(const struct sf_record *record, const char *name)
{
    const struct sf_field *field = sf_field_find_any(record->object, str_of(name));

    return field && field->derived == SF_STORED ? stored(record, field->index) : STR_NONE;
}

bool sf_get_flag(const struct sf_record *record, const char *name)
{
    return str_equal(sf_get_named(record, name), STR("true"));
}

/* --- times ------------------------------------------------------------------------------------- */

void sf_record_touch(struct sf_record *record, int64_t now_ms, int64_t user)
{
    record->last_modified_ms = now_ms;
    record->last_modified_by = user;
    sim_table_touch(&record->object->table, &record->base, now_ms);
}

void sf_record_touch_system(struct sf_record *record, int64_t now_ms)
{
    sim_table_touch(&record->object->table, &record->base, now_ms);
}

void sf_record_purge(struct sf_record *record)
{
    for (size_t i = 0; i < record->values_count; i++) {
        const struct sf_field *field = record->object->fields[i];

        if (field->derived == SF_STORED) {
            sf_record_set(record, field, STR_NONE);
        }
    }
    record->is_purged = true;
}

/* --- unique values ----------------------------------------------------------------------------- */

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

bool sf_same(const struct sf_field *field, struct str x, struct str y)
{
    if (field->flags & SF_CASE_SENSITIVE || field->type == SF_REFERENCE || field->type == SF_ID) {
        return str_equal(x, y);
    }
    if (x.len == y.len && (is_ascii(x) || str_equal(x, y))) {
        return str_equal_nocase(x, y);
    }
    if (is_ascii(x) && is_ascii(y)) {
        return false;
    }
    AUTO_ARENA struct arena arena = {0};

    return str_equal(utf8_lower(&arena, x), utf8_lower(&arena, y));
}

struct sf_record *sf_holder(const struct sf_field *field, struct str text,
                            const struct sf_record *self)
{
    void *place = NULL;
    struct sf_record *record;

    while ((record = sf_index_next(field->lookup, text, &place))) {
        if (record != self && sf_record_is_live(record) &&
            sf_same(field, stored(record, field->index), text)) {
            return record;
        }
    }
    return NULL;
}
