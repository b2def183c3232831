/* Records that are made, changed and deleted: local edits, which the next sync carries to the CRMs. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/json.h"
#include "sync/edit.h"

static enum fail begin_edit(struct api_call *call, struct edit *ret, const struct kind **ret_kind,
                            struct error *err)
{
    if (kind_named(call->setup.kinds, api_parameter(call, "kind"), ret_kind, err) != OK) {
        return api_status(call, 404, err);
    }
    *ret = (struct edit){.env = call->env,
                         .store = api_writer(call, err),
                         .tenant_id = call->tenant->id,
                         .kinds = call->setup.kinds};
    return ret->store ? OK : err->code;
}

/* --- values -------------------------------------------------------------------------------------------------- */

/* What a number or a boolean is as text; STR_NONE for trees. */
static struct str scalar_text(struct arena *arena, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return (struct str){.at = json_string_value(value), .len = json_string_length(value)};
    case JSON_INTEGER:
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    case JSON_TRUE:
        return STR("true");
    case JSON_FALSE:
        return STR("false");
    case JSON_REAL: /* its digits are gone: decimals are sent as text */
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        return STR_NONE;
    }
    return STR_NONE;
}

static enum fail read_list(struct api_call *call, const struct kind_field *field,
                           const json_t *list, struct value *ret, struct error *err)
{
    size_t count = json_array_size(list);
    struct str *items = ARENA_ARRAY(call->arena, struct str, count + 1);

    if (!field_is_list(field)) {
        return error_set(err, FAIL_CONFIG, "a single value is wanted, not a list");
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = scalar_text(call->arena, json_array_get(list, i));
        if (!items[i].at) {
            return error_set(err, FAIL_CONFIG, "item %zu of the list is no text", i + 1);
        }
    }
    return field_items_parse(field, items, count, call->arena, ret, err);
}

static enum fail read_value(struct api_call *call, const struct kind_field *field,
                            const json_t *value, struct value *ret, struct error *err)
{
    struct str text;

    if (json_is_null(value)) {
        *ret = VALUE_NONE;
        return OK;
    }
    if (json_is_array(value)) {
        return read_list(call, field, value, ret, err);
    }
    text = scalar_text(call->arena, value);
    if (!text.at) {
        return error_set(err, FAIL_CONFIG, "%s is no value of a field; write decimals as text",
                         json_is_real(value) ? "a number with a fraction" : "an object");
    }
    return field_value_parse(field, text, call->arena, ret, err);
}

static enum fail read_fields(struct api_call *call, const struct kind *kind, struct fields *ret,
                             struct error *err)
{
    json_t *members, *value;
    const char *name;

    *ret = (struct fields){0};
    if (jx_object(call->body, "fields", &members, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    json_object_foreach(members, name, value)
    {
        const struct kind_field *field;
        struct value parsed;

        if (kind_field_named(kind, str_of(name), &field, err) != OK) {
            return err->code;
        }
        if (read_value(call, field, value, &parsed, err) != OK) {
            err->code = FAIL_CONFIG;
            return error_wrap(err, "field '%" PRI_STR "'", STR_ARG(field->name));
        }
        fields_set(ret, call->arena, field->name, parsed);
    }
    return OK;
}

/* --- handlers ------------------------------------------------------------------------------------------------ */

static void answer_record(struct api_call *call, const struct store_record *record, int status)
{
    api_header(call, "ETag", arena_printf(call->arena, "\"%lld\"", (long long)record->version));
    if (status == 201) {
        api_header(call, "Location",
                   arena_printf(call->arena, "/api/crm/records/%" PRI_STR "/%" PRI_STR,
                                STR_ARG(record->kind), STR_ARG(record->uuid)));
    }
    call->status = status;
    api_answer(call, json_record(record));
}

enum fail handle_record_create(struct api_call *call, struct error *err)
{
    struct store_record record;
    const struct kind *kind;
    struct fields fields;
    struct edit edit;
    bool allow_duplicate;

    if (begin_edit(call, &edit, &kind, err) != OK || read_fields(call, kind, &fields, err) != OK) {
        return err->code;
    }
    if (jx_bool_or(call->body, "allow_duplicate", false, &allow_duplicate, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (edit_create(&edit, kind, &fields, allow_duplicate, call->arena, &record, err) != OK) {
        return err->code;
    }
    answer_record(call, &record, 201);
    return OK;
}

/* In a transaction of its own: the edit that follows has its own, and checks the version. */
static enum fail find_for_edit(struct api_call *call, const struct kind *kind,
                               struct store_record *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (api_read(call, &tx, err) != OK) {
        return err->code;
    }
    if (record_named(tx, kind, api_parameter(call, "id"), call->arena, ret, err) == FAIL_RECORD) {
        return api_status(call, 404, err);
    }
    return err->code == OK ? tx_commit(&tx, err) : err->code;
}

enum fail handle_record_update(struct api_call *call, struct error *err)
{
    struct store_record record;
    const struct kind *kind;
    struct fields changes;
    struct edit edit;
    int64_t version;

    if (begin_edit(call, &edit, &kind, err) != OK || read_fields(call, kind, &changes, err) != OK ||
        api_expected_version(call, &version, err) != OK ||
        find_for_edit(call, kind, &record, err) != OK ||
        edit_update(&edit, record.uuid, &changes, version, call->arena, &record, err) != OK) {
        return err->code;
    }
    answer_record(call, &record, 200);
    return OK;
}

enum fail handle_record_delete(struct api_call *call, struct error *err)
{
    struct store_record record;
    const struct kind *kind;
    struct edit edit;
    int64_t version;

    if (begin_edit(call, &edit, &kind, err) != OK ||
        api_expected_version(call, &version, err) != OK ||
        find_for_edit(call, kind, &record, err) != OK ||
        edit_delete(&edit, record.uuid, version, err) != OK) {
        return err->code;
    }
    call->status = 204;
    return OK;
}
