/* Pipedrive: the field of our key and the fields that a mapping declares. Nothing is ever removed. A lost answer must not
 * make a second field of one name: whatever became of a call, the fields are read again. */
#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

static const struct remote_option YES_NO[] = {{{.at = "true", .len = 4}, {.at = "Yes", .len = 3}},
                                              {{.at = "false", .len = 5}, {.at = "No", .len = 2}}};

/* source: OpenAPI v2, POST /dealFields, field_type. There is neither a boolean nor a point in
 * time: a choice of two and a text stand for them. */
static const struct {
    const char *made, *also[3];
} TYPES[] = {
    [PROPERTY_TEXT] = {"varchar", {"varchar_auto", "text", "phone"}},
    [PROPERTY_LONG_TEXT] = {"text", {NULL}},
    [PROPERTY_NUMBER] = {"double", {NULL}},
    [PROPERTY_BOOLEAN] = {"enum", {NULL}},
    [PROPERTY_DATE] = {"date", {NULL}},
    [PROPERTY_DATETIME] = {"varchar", {"varchar_auto", "text", NULL}},
    [PROPERTY_ENUM] = {"enum", {NULL}},
    [PROPERTY_MULTI_ENUM] = {"set", {NULL}},
};

static bool has_options(const struct property_wanted *wanted)
{
    return wanted->type == PROPERTY_ENUM || wanted->type == PROPERTY_MULTI_ENUM ||
           wanted->type == PROPERTY_BOOLEAN;
}

static const struct remote_option *options_of(const struct property_wanted *wanted, size_t *count)
{
    bool is_bare_boolean = wanted->type == PROPERTY_BOOLEAN && wanted->options_count == 0;

    *count = !has_options(wanted) ? 0 : is_bare_boolean ? COUNT_OF(YES_NO) : wanted->options_count;
    return is_bare_boolean ? YES_NO : wanted->options;
}

static bool is_type_good(const struct property_wanted *wanted, const char *type)
{
    bool is_good = strcmp(type, TYPES[wanted->type].made) == 0;

    for (size_t i = 0; i < COUNT_OF(TYPES[0].also) && TYPES[wanted->type].also[i]; i++) {
        is_good = is_good || strcmp(type, TYPES[wanted->type].also[i]) == 0;
    }
    return is_good;
}

/* An option without a label has its value for one. */
static struct str label_of(const struct remote_option *option)
{
    return option->label.len ? option->label : option->value;
}

static json_t *label_object(struct str label)
{
    json_t *object = json_object();

    json_object_set_new(object, "label", json_stringn(label.at, label.len));
    return object;
}

static bool has_label(const struct pipedrive_field *field, struct str label)
{
    for (size_t i = 0; i < field->options_count; i++) {
        if (str_equal(str_of(field->options[i].label), label)) {
            return true;
        }
    }
    return false;
}

static enum fail create_field(struct session *session, const struct property_wanted *wanted,
                              struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *body = jx_own(&arena, json_object());
    size_t count;
    const struct remote_option *options = options_of(wanted, &count);
    struct pipedrive_answer answer;
    struct pipedrive_call call = {
        .method = HTTP_POST,
        .path = arena_printf(&arena, "/api/v2/%s", pipedrive_fields_path(wanted->kind)),
        .body = body,
        .tokens = PD_COST_WRITE};

    json_object_set_new(body, "field_name", json_stringn(wanted->name.at, wanted->name.len));
    json_object_set_new(body, "field_type", json_string(TYPES[wanted->type].made));
    if (count) {
        json_t *list = json_array();

        for (size_t i = 0; i < count; i++) {
            json_array_append_new(list, label_object(label_of(&options[i])));
        }
        json_object_set_new(body, "options", list);
    }
    return pipedrive_exec(session, &call, &arena, &answer, err);
}

/* All at once: the call adds all of them or none. source: OpenAPI v2, POST
 * /dealFields/{field_code}/options */
static enum fail add_options(struct session *session, const struct property_wanted *wanted,
                             const struct pipedrive_field *field, struct setup_report *report,
                             struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *list = jx_own(&arena, json_array());
    size_t count;
    const struct remote_option *options = options_of(wanted, &count);
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_POST, .body = list, .tokens = PD_COST_WRITE};

    for (size_t i = 0; i < count; i++) {
        if (!has_label(field, label_of(&options[i]))) {
            json_array_append_new(list, label_object(label_of(&options[i])));
        }
    }
    if (json_array_size(list) == 0) {
        return OK;
    }
    call.path = arena_printf(&arena, "/api/v2/%s/%s/options", pipedrive_fields_path(wanted->kind),
                             field->code);
    if (pipedrive_exec(session, &call, &arena, &answer, err) != OK) {
        return error_wrap(err, "options of field '%s'", field->name);
    }
    report->options_added += (int)json_array_size(list);
    pipedrive_distrust_fields(session, wanted->kind);
    return OK;
}

static enum fail check_present(struct session *session, const struct property_wanted *wanted,
                               const struct pipedrive_field *field, struct setup_report *report,
                               struct error *err)
{
    if (!is_type_good(wanted, field->type)) {
        error_set(err, FAIL_CONNECTION, "pipedrive's field '%s' of %s is of type %s, not %s",
                  field->name, pipedrive_object(wanted->kind), field->type,
                  TYPES[wanted->type].made);
        return error_hint(err, "rename that field at Pipedrive, or give the one in the mapping "
                               "another name");
    }
    report->present++;
    return add_options(session, wanted, field, report, err);
}

static enum fail make_missing(struct session *session, const struct property_wanted *wanted,
                              struct setup_report *report, struct error *err)
{
    if (create_field(session, wanted, err) != OK && !err->is_outcome_unknown) {
        return error_wrap(err, "create field '%" PRI_STR "' of %s", STR_ARG(wanted->name),
                          pipedrive_object(wanted->kind));
    }
    error_reset(err);
    if (pipedrive_load_fields(session, wanted->kind, true, err) != OK) {
        return err->code;
    }
    if (!pipedrive_field_named(session, wanted->kind, wanted->name)) {
        return error_set(err, FAIL_RETRY, "field '%" PRI_STR "' of %s is not there yet",
                         STR_ARG(wanted->name), pipedrive_object(wanted->kind));
    }
    report->created++;
    return OK;
}

static enum fail set_up_field(struct session *session, const struct property_wanted *wanted,
                              struct setup_report *report, struct error *err)
{
    const struct pipedrive_field *field;

    if (pipedrive_kind_index(wanted->kind) == PD_ACTIVITY || wanted->is_unique) {
        error_set(err, FAIL_CONNECTION, "pipedrive has no %s fields: '%" PRI_STR "' of %s",
                  wanted->is_unique ? "unique" : "custom", STR_ARG(wanted->name),
                  pipedrive_object(wanted->kind));
        return error_hint(err, "change the mapping's list of properties");
    }
    if (pipedrive_load_fields(session, wanted->kind, false, err) != OK) {
        return err->code;
    }
    field = pipedrive_field_named(session, wanted->kind, wanted->name);
    return field ? check_present(session, wanted, field, report, err)
                 : make_missing(session, wanted, report, err);
}

enum fail pipedrive_ensure_setup(struct session *session, const struct setup_request *request,
                                 struct setup_report *ret, struct error *err)
{
    for (size_t i = 0; i < request->kinds_count; i++) {
        const struct adapter_object *object =
            adapter_object_of(&adapter_pipedrive, request->kinds[i]);
        struct property_wanted key = {
            .kind = request->kinds[i], .name = STR(CORRELATION_LABEL), .type = PROPERTY_TEXT};

        if (!object || object->traits & OBJECT_NO_KEY) {
            continue;
        }
        if (pipedrive_load_fields(session, key.kind, true, err) != OK ||
            set_up_field(session, &key, ret, err) != OK) {
            return err->code;
        }
        session->fields[pipedrive_kind_index(key.kind)].set_up_ms =
            clock_wall_ms(session->env->clock);
    }
    for (size_t i = 0; i < request->properties_count; i++) {
        const struct property_wanted *wanted = &request->properties[i];

        if (adapter_object_of(&adapter_pipedrive, wanted->kind) &&
            set_up_field(session, wanted, ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}
