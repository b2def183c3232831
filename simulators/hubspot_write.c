#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_webhooks.h"

#include "core/jx.h"

/* --- reading --------------------------------------------------------------------------------------- */

/* Text of a property value in a request: strings, and what the API turns into one. False: not a scalar. */
static bool scalar_text(struct arena *arena, const json_t *value, struct str *ret)
{
    AUTO_BUF struct buf text;

    switch (json_typeof(value)) {
    case JSON_STRING:
        *ret = (struct str){json_string_value(value), json_string_length(value)};
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *ret = json_is_true(value) ? STR("true") : STR("false");
        return true;
    case JSON_INTEGER:
    case JSON_REAL:
        buf_init(&text, HS_TEXT_BYTES_MAX);
        sim_put_json(&text, value);
        *ret = arena_str(arena, buf_str(&text));
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
        return false;
    }
    abort(); /* enum json_type is closed */
}

static void problem_add(struct hs_write *write, struct str property, const char *code,
                        struct str message)
{
    write->problems[write->problems_count++] =
        (struct hs_problem){.property = property, .code = code, .message = message};
}

static void unknown_add(const struct hs_kind *kind, struct arena *arena, struct str name,
                        struct hs_write *write)
{
    if (!kind->spec->is_activity) {
        problem_add(write, name, "PROPERTY_DOESNT_EXIST",
                    arena_printf(arena, "Property \"%" PRI_STR "\" does not exist", STR_ARG(name)));
    }
}

static void setting_read(struct hubspot *hs, struct hs_kind *kind, struct arena *arena,
                         struct str name, struct str text, struct hs_write *write)
{
    long index = hs_property_find(kind, name);
    struct hs_setting setting = {.property = (size_t)index};
    struct hs_problem problem;

    if (index < 0) {
        unknown_add(kind, arena, name, write);
        return;
    }
    if (kind->properties[index].derived ||
        (!write->is_lenient && !hs_property_is_writable(&kind->properties[index]))) {
        problem_add(write, name, "READ_ONLY_VALUE",
                    arena_printf(
                        arena, "\"%" PRI_STR "\" is a read only property; its value cannot be set.",
                        STR_ARG(name)));
        return;
    }
    if (!hs_value_check(hs, &kind->properties[index], text, arena, &setting.text, &problem)) {
        write->problems[write->problems_count++] = problem;
        return;
    }
    write->settings[write->settings_count++] = setting;
}

void hs_write_read(struct hubspot *hs, struct hs_kind *kind, const struct hs_record *record,
                   const json_t *properties, struct arena *arena, struct hs_write *ret)
{
    size_t most = json_object_size(properties);
    const char *key;
    json_t *value;

    ret->settings = ARENA_ARRAY(arena, struct hs_setting, most + 2);
    ret->problems = ARENA_ARRAY(arena, struct hs_problem, most + 2);
    ret->settings_count = ret->problems_count = 0;
    json_object_foreach((json_t *)properties, key, value)
    {
        struct str text;

        if (json_is_null(value)) {
            continue; /* changes nothing; only "" clears */
        }
        if (!scalar_text(arena, value, &text)) {
            problem_add(ret, str_of(key), "INVALID_VALUE",
                        STR("A property value has to be a string, number or boolean."));
            continue;
        }
        setting_read(hs, kind, arena, str_of(key), text, ret);
    }
    hs_stage_settle(hs, kind, record, arena, ret);
}

static bool is_set(const struct hs_kind *kind, const struct hs_write *write, struct str name)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        if (write->settings[i].text.len &&
            str_equal(kind->properties[write->settings[i].property].name, name)) {
            return true;
        }
    }
    return false;
}

struct str hs_write_missing(const struct hs_kind *kind, const struct hs_write *write,
                            struct arena *arena)
{
    struct str rest = str_of(kind->spec->required), missing = STR_NONE;

    while (rest.len) {
        struct str name = str_cut(&rest, ',');

        if (!is_set(kind, write, name)) {
            missing = missing.len ? arena_printf(arena, "%" PRI_STR ", %" PRI_STR, STR_ARG(missing),
                                                 STR_ARG(name))
                                  : name;
        }
    }
    return missing;
}

/* --- unique values --------------------------------------------------------------------------------- */

static int64_t other_holder(int64_t holder, const struct hs_record *record)
{
    return record && holder == record->base.id ? 0 : holder;
}

static int64_t list_holder(const struct hs_kind *kind, const struct hs_record *record,
                           struct str list)
{
    while (list.len) {
        int64_t holder = other_holder(hs_email_holder(kind, str_cut(&list, ';')), record);

        if (holder) {
            return holder;
        }
    }
    return 0;
}

static int64_t setting_conflict(const struct hs_kind *kind, const struct hs_record *record,
                                const struct hs_setting *setting)
{
    const struct hs_property *property = &kind->properties[setting->property];

    if (property->flags & HS_EMAIL_LIST) {
        return list_holder(kind, record, setting->text);
    }
    return property->holders ? other_holder(hs_unique_holder(property, setting->text), record) : 0;
}

int64_t hs_write_conflict(const struct hs_kind *kind, const struct hs_record *record,
                          const struct hs_write *write)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        int64_t holder = setting_conflict(kind, record, &write->settings[i]);

        if (holder) {
            return holder;
        }
    }
    return 0;
}

/* --- applying -------------------------------------------------------------------------------------- */

static size_t option_rank(const struct hs_property *property, struct str value)
{
    size_t rank = 0;

    while (rank < property->options_count && !str_equal(property->options[rank].value, value)) {
        rank++;
    }
    return rank;
}

/* A lifecycle stage does not go back unless it was cleared first; the API ignores such a write. */
static bool is_step_back(const struct hs_property *property, struct str present, struct str wanted)
{
    return property->flags & HS_FORWARD_ONLY && present.len && wanted.len &&
           option_rank(property, wanted) < option_rank(property, present);
}

static bool list_has(struct str list, struct str item)
{
    while (list.len) {
        if (str_equal(str_cut(&list, ';'), item)) {
            return true;
        }
    }
    return false;
}

/* ";b;c" added to "a;b" gives "a;b;c". */
static struct str appended(struct buf *list, struct str present, struct str addition)
{
    buf_add(list, present);
    while (addition.len) {
        struct str item = str_cut(&addition, ';');

        if (item.len && !list_has(buf_str(list), item)) {
            if (list->len) {
                buf_add_char(list, ';');
            }
            buf_add(list, item);
        }
    }
    return buf_str(list);
}

static void setting_apply(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                          const struct hs_setting *setting, const struct hs_source *source,
                          int64_t now_ms)
{
    const struct hs_property *property = &kind->properties[setting->property];
    const struct hs_version *version = hs_version_at(record, setting->property, INT64_MAX);
    struct str present = version ? (struct str){version->text, version->len} : STR_NONE;
    struct str text = setting->text;
    AUTO_BUF struct buf list;

    buf_init(&list, HS_TEXT_BYTES_MAX);
    if (is_step_back(property, present, text)) {
        return;
    }
    if (!version && text.len == 0) {
        return; /* clearing what was never set leaves no trace */
    }
    if (hs_property_is_multi(property) && str_starts(text, STR(";"))) {
        text = appended(&list, present, text);
    }
    if (!str_equal(present, text)) {
        hs_news_of_value(hs, kind, record->base.id, setting->property, text, source, now_ms);
    }
    hs_record_set(hs, kind, record, setting->property, text, source, now_ms);
}

void hs_write_apply(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                    const struct hs_write *write, const struct hs_source *source, int64_t now_ms)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        setting_apply(hs, kind, record, &write->settings[i], source, now_ms);
    }
    if (write->settings_count) {
        hs_stage_derive(hs, kind, record, now_ms);
        sim_table_touch(&kind->table, &record->base, now_ms);
    }
}

static void source_set(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                       const struct hs_source *source, int64_t now_ms)
{
    size_t first = kind->source_index;

    hs_record_set(hs, kind, record, first, str_of(source->type), source, now_ms);
    hs_record_set(hs, kind, record, first + 1, str_of(source->id), source, now_ms);
    hs_record_set(hs, kind, record, first + 2, str_of(source->type), source, now_ms);
}

struct hs_record *hs_write_create(struct hubspot *hs, struct hs_kind *kind,
                                  const struct hs_write *write, const struct hs_source *source,
                                  int64_t now_ms)
{
    struct hs_record *record = hs_record_new(kind, hs_next_id(hs, kind), now_ms);

    source_set(hs, kind, record, source, now_ms);
    hs_news_of_record(hs, kind, "creation", record->base.id, source, now_ms);
    hs_write_apply(hs, kind, record, write, source, now_ms);
    return record;
}

/* --- the log --------------------------------------------------------------------------------------- */

void hs_wrote(struct sim_call *call, const struct hs_kind *kind, const struct hs_record *record,
              bool is_new, const json_t *input)
{
    const json_t *properties = jx_get(input, "properties");
    const json_t *associations = is_new ? jx_get(input, "associations") : NULL;
    json_t *fields = NULL;

    if (call->sim->written && json_array_size(associations)) {
        fields = json_copy((json_t *)properties);
        json_object_set(fields, "associations", (json_t *)associations);
    }
    sim_wrote(call, is_new ? "create" : "update", kind->spec->plural, record->base.id,
              fields ? fields : properties);
    json_decref(fields);
}
