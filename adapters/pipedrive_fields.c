/* Pipedrive's field definitions: custom fields have random 40-character keys that differ in
 * every company, so they are found by name. */
#include <inttypes.h>
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/alloc.h"
#include "core/jx.h"

static const char *const FIELD_PATHS[PD_KINDS] = {[PD_CONTACT] = "personFields",
                                                  [PD_COMPANY] = "organizationFields",
                                                  [PD_DEAL] = "dealFields",
                                                  [PD_ACTIVITY] = "activityFields"};

static void free_kind(struct pipedrive_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        for (size_t k = 0; k < fields->at[i].options_count; k++) {
            free(fields->at[i].options[k].value);
            free(fields->at[i].options[k].label);
        }
        free(fields->at[i].code);
        free(fields->at[i].name);
        free(fields->at[i].type);
        free(fields->at[i].options);
    }
    free(fields->at);
    *fields = (struct pipedrive_fields){0};
}

void pipedrive_free_fields(struct session *session)
{
    for (int i = 0; i < PD_KINDS; i++) {
        free_kind(&session->fields[i]);
    }
}

/* The field is in its list already, so that what was read is freed with it on failure. */
static enum fail add_options(struct pipedrive_field *field, const json_t *item, struct error *err)
{
    json_t *options;

    if (jx_array_or_null(item, "options", &options, err) != OK) {
        return err->code;
    }
    field->options = alloc_new(json_array_size(options) + 1, sizeof *field->options);
    for (size_t i = 0; i < json_array_size(options); i++) {
        const json_t *option = json_array_get(options, i), *id = jx_get(option, "id");
        struct str label = jx_text_of(jx_get(option, "label"));

        if (json_is_integer(
                id)) { /* built-in fields have words in some places, which do not travel */
            field->options[field->options_count++] = (struct pipedrive_option){
                .value = alloc_printf("%" PRId64, (int64_t)json_integer_value(id)),
                .label = alloc_printf("%" PRI_STR, STR_ARG(label))};
        }
    }
    return OK;
}

static enum fail add_field(struct pipedrive_fields *fields, const json_t *item, struct error *err)
{
    struct str code, name, type;
    bool is_custom;

    if (jx_str(item, "field_code", &code, err) != OK ||
        jx_str(item, "field_name", &name, err) != OK ||
        jx_str_or(item, "field_type", STR(""), &type, err) != OK ||
        jx_bool_or(item, "is_custom_field", code.len == PD_CODE_LENGTH, &is_custom, err) != OK) {
        return err->code;
    }
    fields->at = alloc_resize(fields->at, fields->count + 1, sizeof *fields->at);
    fields->at[fields->count++] =
        (struct pipedrive_field){.code = alloc_printf("%" PRI_STR, STR_ARG(code)),
                                 .name = alloc_printf("%" PRI_STR, STR_ARG(name)),
                                 .type = alloc_printf("%" PRI_STR, STR_ARG(type)),
                                 .is_custom = is_custom};
    return add_options(&fields->at[fields->count - 1], item, err);
}

/* One page; cursor is "" before the first and after the last. */
static enum fail load_page(struct session *session, enum pipedrive_kind kind, struct arena *arena,
                           struct str *cursor, struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};
    struct str next;
    json_t *more, *rows;

    call.path =
        arena_printf(arena, "/api/v2/%s?limit=%d%s%" PRI_STR, FIELD_PATHS[kind], PD_PAGE_MAX,
                     cursor->len ? "&cursor=" : "", STR_ARG(http_percent_encode(arena, *cursor)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        jx_array(answer.body, "data", &rows, err) !=
            OK) { /* none at all would mean no field of ours */
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (add_field(&session->fields[kind], json_array_get(rows, i), err) != OK) {
            return err->code;
        }
    }
    if (jx_object_or_null(answer.body, "additional_data", &more, err) != OK ||
        jx_str_or(more, "next_cursor", STR(""), &next, err) != OK) {
        return err->code;
    }
    if (next.len && str_equal(next, *cursor)) {
        return error_set(err, FAIL_RETRY, "pipedrive gave the same page again");
    }
    *cursor = next;
    return OK;
}

const char *pipedrive_fields_path(const char *kind)
{
    return FIELD_PATHS[pipedrive_kind_index(kind)];
}

enum fail pipedrive_load_fields(struct session *session, const char *kind, bool reload,
                                struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    enum pipedrive_kind index = pipedrive_kind_index(kind);
    struct str cursor = STR("");

    if (session->fields[index].is_loaded && !reload) {
        return OK;
    }
    free_kind(&session->fields[index]);
    do {
        if (load_page(session, index, &arena, &cursor, err) != OK) {
            free_kind(&session->fields[index]);
            return error_wrap(err, "fields of %s", pipedrive_object(kind));
        }
    } while (cursor.len);
    session->fields[index].is_loaded = true;
    return OK;
}

const struct pipedrive_field *pipedrive_field_named(const struct session *session, const char *kind,
                                                    struct str name)
{
    const struct pipedrive_fields *fields = &session->fields[pipedrive_kind_index(kind)];

    for (size_t i = 0; i < fields->count; i++) {
        if (fields->at[i].is_custom && str_equal(str_of(fields->at[i].name), name)) {
            return &fields->at[i];
        }
    }
    return NULL;
}

void pipedrive_distrust_fields(struct session *session, const char *kind)
{
    session->fields[pipedrive_kind_index(kind)].is_loaded = false;
}

enum fail pipedrive_no_key(const char *kind, struct error *err)
{
    error_set(err, FAIL_CONNECTION, "pipedrive has no field '" CORRELATION_LABEL "' for %s",
              pipedrive_object(kind));
    return error_hint(err, "run 'crmsync setup' for this connection");
}

static bool is_code(struct str property)
{
    return property.len == PD_CODE_LENGTH &&
           strspn(property.at, "0123456789abcdef") >= PD_CODE_LENGTH;
}

struct str pipedrive_custom_code(const struct session *session, const char *kind,
                                 struct str property)
{
    struct str prefix = STR(PD_CUSTOM_PREFIX);
    const struct pipedrive_field *field;

    if (!str_starts(property, prefix)) {
        return is_code(property) ? property : STR_NONE;
    }
    field = pipedrive_field_named(session, kind, str_slice(property, prefix.len, property.len));
    return field ? str_of(field->code) : STR_NONE;
}

/* Names are not unique at Pipedrive. source:
 * pipedrive.readme.io/docs/core-api-concepts-custom-fields */
static enum fail check_property(const struct session *session, const char *kind,
                                struct str property, struct error *err)
{
    const struct pipedrive_fields *fields = &session->fields[pipedrive_kind_index(kind)];
    struct str prefix = STR(PD_CUSTOM_PREFIX), name;
    size_t found = 0;

    if (!str_starts(property, prefix)) {
        return OK;
    }
    name = str_slice(property, prefix.len, property.len);
    for (size_t i = 0; i < fields->count; i++) {
        found += fields->at[i].is_custom && str_equal(str_of(fields->at[i].name), name);
    }
    if (found == 1) {
        return OK;
    }
    error_set(err, FAIL_CONNECTION, "pipedrive has %s field '%" PRI_STR "' for %s",
              found ? "more than one" : "no", STR_ARG(name), pipedrive_object(kind));
    return found ? error_hint(err, "rename one of them at Pipedrive, or put the field's key of 40 "
                                   "characters into the mapping")
                 : error_hint(err, "create that field at Pipedrive, or take it out of the mapping");
}

static bool has_custom(const struct str *properties, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_starts(properties[i], STR(PD_CUSTOM_PREFIX))) {
            return true;
        }
    }
    return false;
}

static enum fail check_properties(const struct session *session, const char *kind,
                                  const struct str *properties, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (check_property(session, kind, properties[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail pipedrive_ready(struct session *session, const char *kind, const struct str *properties,
                          size_t count, struct error *err)
{
    bool were_loaded = session->fields[pipedrive_kind_index(kind)].is_loaded;

    if (pipedrive_kind_index(kind) == PD_ACTIVITY && !has_custom(properties, count)) {
        return OK; /* there are no custom fields to know */
    }
    if (pipedrive_load_fields(session, kind, false, err) != OK) {
        return err->code;
    }
    if (check_properties(session, kind, properties, count, err) == OK) {
        return OK;
    }
    if (!were_loaded) {
        return err->code;
    }
    error_reset(err);
    if (pipedrive_load_fields(session, kind, true, err) != OK) {
        return err->code;
    }
    return check_properties(session, kind, properties, count, err);
}
