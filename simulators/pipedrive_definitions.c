/* personFields, organizationFields, dealFields and activityFields of v2. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/jx.h"

enum { NAME_CHARS_MAX = 255 };

/* --- showing -------------------------------------------------------------------------------- */

enum { WITH_VISIBILITY = 1, WITH_IMPORTANT = 2, WITH_REQUIRED = 4 };

static bool namespaces_read(struct sim_call *call, unsigned *ret)
{
    static const char *const names[] = {"ui_visibility", "important_fields", "required_fields"};

    return pd_query_words(call, "include_fields", names, COUNT_OF(names), ret);
}

static void put_option(struct buf *body, const struct pd_option *option)
{
    buf_addf(body, "{\"id\":%" PRId64 ",\"label\":", option->id);
    sim_put_text(body, option->label);
    sim_put(body, ",\"color\":");
    sim_put_text(body, option->color);
    sim_put(body, ",\"add_time\":");
    pd_put_time(body, option->created_ms);
    sim_put(body, ",\"update_time\":");
    pd_put_time(body, option->updated_ms);
    sim_put(body, "}");
}

static bool has_options(const struct pd_field *field)
{
    return field->type == PD_ENUM || field->type == PD_SET || field->type == PD_LABELS;
}

/* Options of built-in fields are named by texts. Source: OpenAPI v2, GET /dealFields. */
static void put_named_option(struct buf *body, const char *id, const char *label, bool is_first)
{
    buf_addf(body, "%s{\"id\":\"%s\",\"label\":\"%s\"}", is_first ? "" : ",", id, label);
}

static void put_named_options(struct buf *body, enum pd_type type)
{
    sim_put(body, "[");
    if (type == PD_STATUS) {
        put_named_option(body, "open", "Open", true);
        put_named_option(body, "won", "Won", false);
        put_named_option(body, "lost", "Lost", false);
        put_named_option(body, "deleted", "Deleted", false);
    }
    for (size_t i = 0; type == PD_ACTIVITY_TYPE && i < pd_activity_types_count; i++) {
        put_named_option(body, pd_activity_types[i].key, pd_activity_types[i].name, i == 0);
    }
    sim_put(body, "]");
}

static void put_options(struct buf *body, const struct pd_field *field)
{
    size_t shown = 0;

    if (field->type == PD_STATUS || field->type == PD_ACTIVITY_TYPE) {
        put_named_options(body, field->type);
        return;
    }
    if (!has_options(field)) {
        sim_put(body, "null");
        return;
    }
    sim_put(body, "[");
    for (size_t i = 0; i < field->options_count; i++) {
        if (!field->options[i].is_deleted) {
            sim_put(body, shown++ ? "," : "");
            put_option(body, &field->options[i]);
        }
    }
    sim_put(body, "]");
}

static const char *part_type(enum pd_type type, const char *part)
{
    if (strcmp(part, "timezone_id") == 0 ||
        ((type == PD_MONETARY || type == PD_AMOUNT) && strcmp(part, "value") == 0)) {
        return "double";
    }
    if (type == PD_DATERANGE) {
        return "date";
    }
    return (type == PD_TIME || type == PD_TIMERANGE) && strcmp(part, "timezone_name") != 0
               ? "time"
               : "varchar";
}

static void put_parts(struct buf *body, const struct pd_field *field)
{
    const char *const *parts;
    size_t count = pd_parts(field->type, &parts);

    if (count == 0) {
        sim_put(body, "null");
        return;
    }
    sim_put(body, "[");
    for (size_t i = 0; i < count; i++) {
        buf_addf(body, "%s{\"field_code\":\"%s\",\"field_name\":\"%s\",\"field_type\":\"%s\"}",
                 i ? "," : "", parts[i], parts[i], part_type(field->type, parts[i]));
    }
    sim_put(body, "]");
}

static void put_namespace(struct buf *body, const char *name, struct str text,
                          const char *otherwise)
{
    sim_put_name(body, name);
    buf_add(body, text.at ? text : str_of(otherwise));
}

static void put_namespaces(struct buf *body, const struct pd_field *field, unsigned shown)
{
    if (shown & WITH_VISIBILITY) {
        put_namespace(body, "ui_visibility", field->visibility,
                      "{\"add_visible_flag\":false,\"details_visible_flag\":true}");
    }
    if (shown & WITH_IMPORTANT) {
        put_namespace(body, "important_fields", field->important,
                      "{\"enabled\":false,\"stage_ids\":[]}");
    }
    if (shown & WITH_REQUIRED) {
        put_namespace(body, "required_fields", field->required, "{\"enabled\":false}");
    }
}

static void put_field(struct sim_call *call, const struct pd_field *field, unsigned namespaces)
{
    struct buf *body = call->body;

    sim_put(body, "{\"field_name\":");
    sim_put_text(body, field->name);
    sim_put(body, ",\"field_code\":");
    sim_put_text(body, field->code);
    buf_addf(body, ",\"description\":null,\"field_type\":\"%s\",\"options\":", field->shown_type);
    put_options(body, field);
    sim_put(body, ",\"subfields\":");
    put_parts(body, field);
    buf_addf(body, ",\"is_custom_field\":%s,\"is_optional_response_field\":%s",
             field->flags & PD_CUSTOM ? "true" : "false",
             field->flags & PD_INCLUDED ? "true" : "false");
    put_namespaces(body, field, namespaces);
    sim_put(body, "}");
}

static void field_reply(struct sim_call *call, const struct pd_field *field, unsigned namespaces)
{
    sim_put(call->body, "{\"success\":true,\"data\":");
    put_field(call, field, namespaces);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* --- listing -------------------------------------------------------------------------------- */

static bool position_read(struct sim_call *call, int64_t *ret)
{
    struct str text = sim_query(call, "cursor");

    *ret = 0;
    if (text.at && (!pd_whole(jx_get(pd_cursor_read(call->arena, text), "id"), ret) || *ret < 0)) {
        pd_invalid(call, "Parameter 'cursor' is not valid for this request");
        return false;
    }
    return true;
}

static struct str cursor_after(struct sim_call *call, const struct pd_field *last)
{
    json_t *cursor = jx_own(call->arena, json_object());

    json_object_set_new(cursor, "field", json_string("id"));
    json_object_set_new(cursor, "fieldValue", json_integer(last->id));
    json_object_set_new(cursor, "sortDirection", json_string("asc"));
    json_object_set_new(cursor, "id", json_integer(last->id));
    return pd_cursor_write(call->arena, cursor);
}

void pd_fields_list_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_field *last = NULL;
    struct str next = STR_NONE;
    int64_t limit, after, shown = 0;
    unsigned namespaces = 0;

    if (!pd_query_limit(call, PD_LIST_MAX, &limit) || !position_read(call, &after) ||
        !namespaces_read(call, &namespaces)) {
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (size_t i = 0; i < at->kind->fields_count && !next.at; i++) {
        const struct pd_field *field = &at->kind->fields[i];

        if (field->id <= after || !pd_field_exists(pd_of(call), field)) {
            continue;
        }
        if (shown == limit) {
            next = cursor_after(call, last);
            break;
        }
        sim_put(call->body, shown++ ? "," : "");
        put_field(call, field, namespaces);
        last = field;
    }
    sim_put(call->body, "]");
    pd_put_next_cursor(call, next);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static struct pd_field *field_of_path(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = pd_field_find(pd_of(call), at->kind, at->last);

    if (!field) {
        pd_not_found(call);
    }
    return field;
}

void pd_field_get_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_field *field = field_of_path(call, at);
    unsigned namespaces = 0;

    if (field && namespaces_read(call, &namespaces)) {
        field_reply(call, field, namespaces);
    }
}

/* --- reading bodies ------------------------------------------------------------------------- */

static bool body_read(struct sim_call *call, bool is_list, json_t **ret)
{
    if (!sim_json(call, ret) || (is_list ? !json_is_array(*ret) : !json_is_object(*ret))) {
        pd_invalid(call, "Validation failed: the body has to be a JSON %s",
                   is_list ? "array" : "object");
        return false;
    }
    return true;
}

static bool label_is_valid(const json_t *label)
{
    struct str text = jx_text_of(label);

    return text.len > 0 && text.len <= NAME_CHARS_MAX;
}

/* Every entry an object with exactly these members; ids have to exist. */
static bool options_are_valid(struct sim_call *call, const struct pd_field *field,
                              const json_t *list, bool has_id, bool has_label)
{
    size_t index;
    json_t *item;
    int64_t id = 0;

    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > PD_OPTIONS_MAX) {
        pd_invalid(call, "Validation failed: 'options' has to be a non-empty array");
        return false;
    }
    json_array_foreach(list, index, item)
    {
        if (json_object_size(item) != (size_t)has_id + (size_t)has_label ||
            (has_label && !label_is_valid(jx_get(item, "label"))) ||
            (has_id && !pd_whole(jx_get(item, "id"), &id))) {
            pd_invalid(call, "Validation failed: option %zu is not valid", index + 1);
            return false;
        }
        if (has_id && !pd_option_find(field, id)) {
            pd_fail(call, 404, NULL, NULL, "Option %" PRId64 " was not found", id);
            return false;
        }
    }
    return true;
}

/* The members that create and update share. */
static bool settings_are_valid(struct sim_call *call, const json_t *body, bool is_create)
{
    static const char *const objects[] = {"ui_visibility", "important_fields", "required_fields"};
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)body, name, value)
    {
        bool is_object = false;

        for (size_t i = 0; i < COUNT_OF(objects); i++) {
            is_object = is_object || strcmp(name, objects[i]) == 0;
        }
        if (is_object ? json_is_object(value)
                      : strcmp(name, "field_name") == 0 ||
                            (is_create &&
                             (strcmp(name, "field_type") == 0 || strcmp(name, "options") == 0))) {
            continue;
        }
        pd_invalid(call, "Validation failed: '%.60s' is not allowed or no object", name);
        return false;
    }
    return true;
}

static struct str kept_text(struct pipedrive *pd, struct arena *arena, const json_t *value)
{
    return arena_str(&pd->arena, jx_text(arena, value));
}

static void settings_apply(struct sim_call *call, struct pd_field *field, const json_t *body)
{
    struct pipedrive *pd = pd_of(call);
    const json_t *name = jx_get(body, "field_name");
    const json_t *visibility = jx_get(body, "ui_visibility");
    const json_t *important = jx_get(body, "important_fields");
    const json_t *required = jx_get(body, "required_fields");

    if (name) {
        field->name = arena_str(&pd->arena, jx_text_of(name));
    }
    if (visibility) {
        field->visibility = kept_text(pd, call->arena, visibility);
    }
    if (important) {
        field->important = kept_text(pd, call->arena, important);
    }
    if (required) {
        field->required = kept_text(pd, call->arena, required);
    }
    field->updated_ms = call->now_ms;
}

/* --- creating, changing, deleting ----------------------------------------------------------- */

static bool create_is_valid(struct sim_call *call, const json_t *body, enum pd_type *ret_type)
{
    bool has_options = jx_get(body, "options") != NULL, wants_options;

    if (!label_is_valid(jx_get(body, "field_name"))) {
        pd_invalid(call, "Validation failed: 'field_name' has to be 1 to 255 characters long");
        return false;
    }
    if (!pd_type_parse(jx_text_of(jx_get(body, "field_type")), ret_type)) {
        pd_invalid(call, "Validation failed: 'field_type' is not a type of a custom field");
        return false;
    }
    wants_options = *ret_type == PD_ENUM || *ret_type == PD_SET;
    if (has_options != wants_options) {
        pd_invalid(call, "Validation failed: 'options' %s for this field_type",
                   wants_options ? "is required" : "is not allowed");
        return false;
    }
    return settings_are_valid(call, body, true) &&
           (!wants_options || options_are_valid(call, NULL, jx_get(body, "options"), false, true));
}

void pd_field_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field;
    enum pd_type type;
    json_t *body, *item;
    size_t index;

    if (!body_read(call, false, &body) || !create_is_valid(call, body, &type)) {
        return;
    }
    if (at->kind->fields_count >= PD_FIELDS_MAX) {
        pd_fail(call, 403, "feature_capping_custom_fields_limit", NULL,
                "Couldn't add the field. Custom fields limit reached.");
        return;
    }
    field = pd_field_add(pd_of(call), at->kind, jx_text_of(jx_get(body, "field_name")), type,
                         call->now_ms);
    json_array_foreach(jx_get(body, "options"), index, item)
    {
        pd_option_add(pd_of(call), field, jx_text_of(jx_get(item, "label")), call->now_ms);
    }
    settings_apply(call, field, body);
    field_reply(call, field, 0);
}

void pd_field_update_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = field_of_path(call, at);
    json_t *body, *name;

    if (!field || !body_read(call, false, &body) || !settings_are_valid(call, body, false)) {
        return;
    }
    name = jx_get(body, "field_name");
    if (json_object_size(body) == 0 || (name && !label_is_valid(name))) {
        pd_invalid(call, "Validation failed: 'field_name' has to be 1 to 255 characters long");
        return;
    }
    settings_apply(call, field, body);
    field_reply(call, field, WITH_VISIBILITY | WITH_IMPORTANT | WITH_REQUIRED);
}

static struct pd_field *custom_field_of_path(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = field_of_path(call, at);

    if (field && !(field->flags & PD_CUSTOM)) {
        pd_fail(call, 403, NULL, NULL, "A field of the system cannot be changed in this way");
        return NULL;
    }
    return field;
}

void pd_field_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = custom_field_of_path(call, at);

    if (field) {
        field->is_deleted = true;
        field_reply(call, field, 0);
    }
}

/* --- options in bulk: all or nothing -------------------------------------------------------- */

static struct pd_field *options_field(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = field_of_path(call, at);

    if (field && !has_options(field)) {
        pd_invalid(call, "Validation failed: this field has no options");
        return NULL;
    }
    return field;
}

static void put_option_row(struct sim_call *call, const struct pd_option *option, size_t index)
{
    buf_addf(call->body, "%s{\"id\":%" PRId64 ",\"label\":", index ? "," : "", option->id);
    sim_put_text(call->body, option->label);
    sim_put(call->body, "}");
}

static void options_end(struct sim_call *call)
{
    sim_put(call->body, "],\"additional_data\":null}");
    sim_reply(call, 200);
}

void pd_options_add_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = options_field(call, at);
    json_t *body, *item;
    size_t index;

    if (!field || !body_read(call, true, &body) ||
        !options_are_valid(call, field, body, false, true)) {
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":[");
    json_array_foreach(body, index, item)
    {
        put_option_row(
            call,
            pd_option_add(pd_of(call), field, jx_text_of(jx_get(item, "label")), call->now_ms),
            index);
    }
    options_end(call);
}

static struct pd_option *option_of(const struct pd_field *field, const json_t *item)
{
    int64_t id = 0;

    pd_whole(jx_get(item, "id"), &id);
    return pd_option_find(field, id);
}

void pd_options_update_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = options_field(call, at);
    json_t *body, *item;
    size_t index;

    if (!field || !body_read(call, true, &body) ||
        !options_are_valid(call, field, body, true, true)) {
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":[");
    json_array_foreach(body, index, item)
    {
        struct pd_option *option = option_of(field, item);

        option->label = arena_str(&pd_of(call)->arena, jx_text_of(jx_get(item, "label")));
        option->updated_ms = call->now_ms;
        put_option_row(call, option, index);
    }
    options_end(call);
}

void pd_options_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_field *field = options_field(call, at);
    json_t *body, *item;
    size_t index, shown = 0;

    if (!field || !body_read(call, true, &body) ||
        !options_are_valid(call, field, body, true, false)) {
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":[");
    json_array_foreach(body, index, item)
    {
        struct pd_option *option = option_of(field, item);

        if (option) { /* named twice: gone already */
            option->is_deleted = true;
            put_option_row(call, option, shown++);
        }
    }
    options_end(call);
}
