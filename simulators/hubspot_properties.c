/* /crm/properties/…: definitions and groups. */
#include "simulators/hubspot_inside.h"

#include "core/jx.h"

enum { NAME_BYTES_MAX = 100 };

/* --- definitions as JSON --------------------------------------------------------------------------- */

static void put_text(struct buf *body, const char *name, struct str text)
{
    sim_put_name(body, name);
    sim_put_text(body, text);
}

static void put_options(struct buf *body, const struct hs_property *property)
{
    sim_put(body, ",\"options\":[");
    for (size_t i = 0; i < property->options_count && !(property->flags & HS_EXTERNAL); i++) {
        const struct hs_option *option = &property->options[i];

        sim_put(body, i ? ",{\"label\":" : "{\"label\":");
        sim_put_text(body, option->label);
        put_text(body, "value", option->value);
        sim_put(body, ",\"description\":\"\",\"displayOrder\":");
        sim_put_i64(body, option->is_hidden ? -1 : (int64_t)i);
        sim_put_flag(body, "hidden", option->is_hidden);
        sim_put(body, "}");
    }
    sim_put(body, "]");
}

static void put_metadata(struct buf *body, const struct hs_property *property)
{
    bool is_custom = property->flags & HS_CUSTOM;

    sim_put(body, ",\"modificationMetadata\":{\"archivable\":");
    sim_put(body, is_custom ? "true" : "false");
    sim_put_flag(body, "readOnlyDefinition", !is_custom);
    sim_put_flag(body, "readOnlyValue", property->flags & (HS_READ_ONLY | HS_CALCULATED));
    sim_put_flag(body, "readOnlyOptions", !is_custom && property->options_count);
    sim_put(body, "}");
}

static void put_times(struct buf *body, const struct hs_property *property)
{
    sim_put(body, ",\"createdAt\":");
    sim_put_time(body, property->created_ms);
    sim_put(body, ",\"updatedAt\":");
    sim_put_time(body, property->updated_ms);
}

void hs_put_property(struct buf *body, const struct hs_property *property)
{
    unsigned flags = property->flags;

    sim_put(body, "{\"name\":");
    sim_put_text(body, property->name);
    put_text(body, "label", property->label);
    put_text(body, "type", str_of(hs_type_name(property->type)));
    put_text(body, "fieldType", property->field_type);
    put_text(body, "description", property->description);
    put_text(body, "groupName", property->group);
    put_options(body, property);
    buf_addf(body, ",\"displayOrder\":%lld", (long long)property->display_order);
    sim_put_flag(body, "calculated", flags & HS_CALCULATED);
    sim_put_flag(body, "externalOptions", flags & (HS_OWNER | HS_EXTERNAL));
    if (flags & HS_OWNER) {
        put_text(body, "referencedObjectType", STR("OWNER"));
    }
    sim_put_flag(body, "hasUniqueValue", flags & HS_UNIQUE);
    sim_put_flag(body, "hidden", flags & HS_HIDDEN);
    sim_put_flag(body, "hubspotDefined", !(flags & HS_CUSTOM));
    sim_put_flag(body, "formField", flags & HS_FORM_FIELD);
    put_text(body, "dataSensitivity", STR("non_sensitive"));
    sim_put_flag(body, "archived", flags & HS_ARCHIVED);
    put_metadata(body, property);
    put_times(body, property);
    sim_put(body, "}");
}

static void property_answer(struct sim_call *call, const struct hs_property *property, int status)
{
    hs_put_property(call->body, property);
    sim_reply(call, status);
}

/* --- reading --------------------------------------------------------------------------------------- */

static void properties_list(struct sim_call *call, const struct hs_kind *kind)
{
    bool is_archived = str_equal(sim_query(call, "archived"), STR("true"));
    size_t count = 0;

    sim_put(call->body, "{\"results\":[");
    for (size_t i = 0; i < kind->properties_count; i++) {
        const struct hs_property *property = &kind->properties[i];

        if (!(property->flags & HS_ARCHIVED) == !is_archived) {
            sim_put(call->body, count++ ? "," : "");
            hs_put_property(call->body, property);
        }
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

static void property_missing(struct sim_call *call, struct str name)
{
    hs_failf(call, 404, "OBJECT_NOT_FOUND", "Property \"%" PRI_STR "\" does not exist",
             STR_ARG(name));
}

static void property_get(struct sim_call *call, const struct hs_kind *kind, struct str name)
{
    bool is_archived = str_equal(sim_query(call, "archived"), STR("true"));
    long index = is_archived ? hs_property_find_any(kind, name) : hs_property_find(kind, name);

    if (index < 0) {
        property_missing(call, name);
        return;
    }
    property_answer(call, &kind->properties[index], 200);
}

/* --- creating -------------------------------------------------------------------------------------- */

struct definition {
    struct str name, label, group, type_name, field_type, description;
    enum hs_type type;
    bool is_unique, is_hidden, is_form_field;
    int64_t display_order;
    json_t *options;
};

static bool refuse(struct sim_call *call, const char *message)
{
    hs_failf(call, 400, "VALIDATION_ERROR", "%s", message);
    return false;
}

static bool name_is_fine(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_letter = c >= 'a' && c <= 'z';
        bool is_other = (c >= '0' && c <= '9') || c == '_';

        if (!is_letter && (!is_other || i == 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= NAME_BYTES_MAX;
}

/* Which field types go with which type; checked since 2021. */
static bool pair_is_fine(enum hs_type type, struct str field_type)
{
    static const char *const pairs[][6] = {
        [HS_STRING] = {"text", "textarea", "html", "phonenumber", "file", NULL},
        [HS_NUMBER] = {"number", NULL},
        [HS_BOOL] = {"booleancheckbox", NULL},
        [HS_ENUMERATION] = {"select", "radio", "checkbox", "booleancheckbox", NULL},
        [HS_DATE] = {"date", NULL},
        [HS_DATETIME] = {"date", NULL},
    };

    for (const char *const *fine = pairs[type]; *fine; fine++) {
        if (str_equal(field_type, str_of(*fine))) {
            return true;
        }
    }
    return false;
}

static bool definition_read(struct sim_call *call, const json_t *json, struct definition *ret)
{
    struct error err = {0};

    if (jx_str(json, "name", &ret->name, &err) || jx_str(json, "label", &ret->label, &err) ||
        jx_str(json, "groupName", &ret->group, &err) ||
        jx_str(json, "type", &ret->type_name, &err) ||
        jx_str(json, "fieldType", &ret->field_type, &err) ||
        jx_str_or(json, "description", STR(""), &ret->description, &err) ||
        jx_bool_or(json, "hasUniqueValue", false, &ret->is_unique, &err) ||
        jx_bool_or(json, "hidden", false, &ret->is_hidden, &err) ||
        jx_bool_or(json, "formField", false, &ret->is_form_field, &err) ||
        jx_i64_or(json, "displayOrder", -1, &ret->display_order, &err) ||
        jx_array_or_null(json, "options", &ret->options, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return false;
    }
    return true;
}

static size_t unique_count(const struct hs_kind *kind)
{
    size_t count = 0;

    for (size_t i = 0; i < kind->properties_count; i++) {
        unsigned flags = kind->properties[i].flags;

        count += flags & HS_UNIQUE && !(flags & HS_ARCHIVED);
    }
    return count;
}

static bool name_is_free(struct sim_call *call, const struct hs_kind *kind, struct str name)
{
    if (hs_property_find(kind, name) < 0) {
        return true;
    }
    hs_fail(call, &(struct hs_error){.status = 409,
                                     .category = "OBJECT_ALREADY_EXISTS",
                                     .sub_category = "Properties.PROPERTY_WITH_NAME_EXISTS",
                                     .message = arena_printf(call->arena,
                                                             "A property named '%" PRI_STR
                                                             "' already exists.",
                                                             STR_ARG(name))});
    return false;
}

static bool option_is_fine(const json_t *options, size_t index)
{
    struct str value = jx_text_of(jx_get(json_array_get(options, index), "value"));

    for (size_t i = 0; i < index; i++) {
        if (str_equal(value, jx_text_of(jx_get(json_array_get(options, i), "value")))) {
            return false;
        }
    }
    return value.len && jx_text_of(jx_get(json_array_get(options, index), "label")).len;
}

/* An enumeration needs options, a bool its two; each has a value of its own and a label. */
static bool options_are_fine(struct sim_call *call, enum hs_type type, const json_t *options)
{
    size_t count = json_array_size(options);

    if ((type == HS_ENUMERATION && count == 0) || (type == HS_BOOL && count != 2)) {
        return refuse(call, "an enumeration needs options, a bool the options true and false");
    }
    for (size_t i = 0; i < count; i++) {
        if (!option_is_fine(options, i)) {
            return refuse(call, "every option needs a label and a value that no other one has");
        }
    }
    return true;
}

static bool definition_check(struct sim_call *call, struct hs_kind *kind,
                             struct definition *definition)
{
    if (!name_is_fine(definition->name)) {
        return refuse(call,
                      "name has to be lower-case letters, digits and underscores, at most 100");
    }
    if (!hs_type_parse(definition->type_name, &definition->type)) {
        return refuse(call, "unknown property type");
    }
    if (!pair_is_fine(definition->type, definition->field_type)) {
        return refuse(call, "fieldType does not go with type");
    }
    if (!hs_group_find(kind, definition->group)) {
        return refuse(call, "the property group does not exist");
    }
    if (definition->is_unique && definition->type != HS_STRING && definition->type != HS_NUMBER) {
        return refuse(call, "only string and number properties can have unique values");
    }
    /* the documentation names no activity among the objects that can have them */
    if (definition->is_unique && kind->spec->is_activity) {
        return refuse(call, "properties of this object cannot have unique values");
    }
    if (definition->is_unique && unique_count(kind) >= HS_UNIQUE_MAX) {
        return refuse(call, "at most 10 properties of an object can have unique values");
    }
    if (kind->properties_count >= HS_PROPERTIES_MAX) {
        return refuse(call, "this account has too many properties");
    }
    return options_are_fine(call, definition->type, definition->options) &&
           name_is_free(call, kind, definition->name);
}

static void options_set(struct hubspot *hs, struct hs_property *property, const json_t *options)
{
    size_t index;
    json_t *option;

    property->options = ARENA_ARRAY(&hs->arena, struct hs_option, json_array_size(options) + 1);
    property->options_count = 0;
    json_array_foreach(options, index, option)
    {
        struct hs_option *each = &property->options[property->options_count++];
        struct str value = jx_text_of(jx_get(option, "value"));
        struct str label = jx_text_of(jx_get(option, "label"));

        each->value = arena_str(&hs->arena, value);
        each->label = arena_str(&hs->arena, label.at ? label : value);
        each->is_hidden = json_is_true(jx_get(option, "hidden"));
    }
}

/* An archived property of that name comes back as newly defined; its values were kept. */
static struct hs_property *property_place(struct hubspot *hs, struct hs_kind *kind, struct str name)
{
    long index = hs_property_find_any(kind, name);

    return index >= 0 ? &kind->properties[index] : hs_property_add(hs, kind, name);
}

static struct hs_property *property_define(struct sim_call *call, struct hs_kind *kind,
                                           const struct definition *definition)
{
    struct hubspot *hs = hs_of(call);
    struct hs_property *property = property_place(hs, kind, definition->name);

    property->label = arena_str(&hs->arena, definition->label);
    property->group = arena_str(&hs->arena, definition->group);
    property->field_type = arena_str(&hs->arena, definition->field_type);
    property->description = arena_str(&hs->arena, definition->description);
    property->type = definition->type;
    property->flags = HS_CUSTOM | (definition->is_unique ? HS_UNIQUE : 0u) |
                      (definition->is_hidden ? HS_HIDDEN : 0u) |
                      (definition->is_form_field ? HS_FORM_FIELD : 0u);
    property->display_order = definition->display_order;
    property->created_ms = property->updated_ms = call->now_ms;
    options_set(hs, property, definition->options);
    if (definition->is_unique && !property->holders) {
        property->holders = json_object();
    }
    return property;
}

bool hs_property_make(struct sim_call *call, struct hs_kind *kind, const json_t *given)
{
    struct definition definition = {0};

    if (!definition_read(call, given, &definition) || !definition_check(call, kind, &definition)) {
        return false;
    }
    property_define(call, kind, &definition);
    return true;
}

static void property_create(struct sim_call *call, struct hs_kind *kind)
{
    struct definition definition = {0};
    json_t *body;

    if (!sim_json(call, &body)) {
        refuse(call, "Invalid input JSON");
        return;
    }
    if (definition_read(call, body, &definition) && definition_check(call, kind, &definition)) {
        property_answer(call, property_define(call, kind, &definition), 201);
    }
}

/* --- changing -------------------------------------------------------------------------------------- */

static struct hs_property *own_property(struct sim_call *call, struct hs_kind *kind,
                                        struct str name)
{
    long index = hs_property_find(kind, name);

    if (index < 0) {
        property_missing(call, name);
        return NULL;
    }
    if (!(kind->properties[index].flags & HS_CUSTOM)) {
        refuse(call, "a property defined by HubSpot cannot be changed");
        return NULL;
    }
    return &kind->properties[index];
}

static void property_change(struct sim_call *call, struct hs_kind *kind, struct str name)
{
    struct hubspot *hs = hs_of(call);
    struct hs_property *property = own_property(call, kind, name);
    struct error err = {0};
    struct str label, description;
    json_t *body, *options;

    if (!property) {
        return;
    }
    if (!sim_json(call, &body) || jx_str_or(body, "label", property->label, &label, &err) ||
        jx_str_or(body, "description", property->description, &description, &err) ||
        jx_array_or_null(body, "options", &options, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return;
    }
    if (options && !options_are_fine(call, property->type, options)) {
        return;
    }
    property->label = arena_str(&hs->arena, label);
    property->description = arena_str(&hs->arena, description);
    if (options) {
        options_set(hs, property, options);
    }
    property->updated_ms = call->now_ms;
    property_answer(call, property, 200);
}

static void property_archive(struct sim_call *call, struct hs_kind *kind, struct str name)
{
    struct hs_property *property = own_property(call, kind, name);

    if (property) {
        property->flags |= HS_ARCHIVED;
        sim_reply(call, 204);
    }
}

/* --- batches --------------------------------------------------------------------------------------- */

static void batch_read(struct sim_call *call, const struct hs_kind *kind, const json_t *inputs)
{
    size_t index, results = 0, errors = 0;
    json_t *input;

    sim_put(call->body, "{\"status\":\"COMPLETE\",\"results\":[");
    json_array_foreach(inputs, index, input)
    {
        long found = hs_property_find(kind, jx_text_of(jx_get(input, "name")));

        if (found >= 0) {
            sim_put(call->body, results++ ? "," : "");
            hs_put_property(call->body, &kind->properties[found]);
        }
        errors += found < 0;
    }
    buf_addf(call->body, "],\"numErrors\":%zu,\"startedAt\":", errors);
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, ",\"completedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, "}");
    sim_reply(call, errors ? 207 : 200);
}

/* What each definition alone does not show: two of one name, or too many unique ones together. */
static bool batch_fits(struct sim_call *call, const struct hs_kind *kind, const json_t *inputs)
{
    size_t uniques = unique_count(kind);

    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *input = json_array_get(inputs, i);

        uniques += json_is_true(jx_get(input, "hasUniqueValue"));
        for (size_t j = 0; j < i; j++) {
            if (json_equal(jx_get(input, "name"), jx_get(json_array_get(inputs, j), "name"))) {
                return refuse(call, "two properties of one name in a batch");
            }
        }
    }
    return uniques <= HS_UNIQUE_MAX ||
           refuse(call, "at most 10 properties of an object can have unique values");
}

/* All or nothing, as one wrong definition would leave the account half set up. */
static void batch_create(struct sim_call *call, struct hs_kind *kind, const json_t *inputs)
{
    size_t index;
    json_t *input;

    json_array_foreach(inputs, index, input)
    {
        struct definition definition = {0};

        if (!definition_read(call, input, &definition) ||
            !definition_check(call, kind, &definition)) {
            return;
        }
    }
    if (!batch_fits(call, kind, inputs)) {
        return;
    }
    sim_put(call->body, "{\"status\":\"COMPLETE\",\"results\":[");
    json_array_foreach(inputs, index, input)
    {
        struct definition definition = {0};

        if (definition_read(call, input, &definition)) {
            hs_type_parse(definition.type_name, &definition.type);
            sim_put(call->body, index ? "," : "");
            hs_put_property(call->body, property_define(call, kind, &definition));
        }
    }
    sim_put(call->body, "],\"startedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, ",\"completedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, "}");
    sim_reply(call, 201);
}

static void batch_archive(struct sim_call *call, struct hs_kind *kind, const json_t *inputs)
{
    size_t index;
    json_t *input;

    json_array_foreach(inputs, index, input)
    {
        long found = hs_property_find(kind, jx_text_of(jx_get(input, "name")));

        if (found >= 0 && kind->properties[found].flags & HS_CUSTOM) {
            kind->properties[found].flags |= HS_ARCHIVED;
        }
    }
    sim_reply(call, 204);
}

static void batch_serve(struct sim_call *call, struct hs_kind *kind, struct str operation)
{
    json_t *body, *inputs;

    if (!sim_json(call, &body) || !json_is_array(inputs = jx_get(body, "inputs"))) {
        refuse(call, "Invalid input JSON: some required fields were not set: [inputs]");
    } else if (json_array_size(inputs) > HS_BATCH_MAX) {
        refuse(call, "at most 100 inputs in a batch");
    } else if (str_equal(operation, STR("read"))) {
        batch_read(call, kind, inputs);
    } else if (str_equal(operation, STR("create"))) {
        batch_create(call, kind, inputs);
    } else if (str_equal(operation, STR("archive"))) {
        batch_archive(call, kind, inputs);
    } else {
        hs_no_resource(call);
    }
}

/* --- groups ---------------------------------------------------------------------------------------- */

static void put_group(struct buf *body, const struct hs_group *group)
{
    sim_put(body, "{\"name\":");
    sim_put_text(body, group->name);
    put_text(body, "label", group->label);
    buf_addf(body, ",\"displayOrder\":%lld", (long long)group->display_order);
    sim_put_flag(body, "archived", group->is_archived);
    sim_put(body, "}");
}

static void groups_list(struct sim_call *call, const struct hs_kind *kind)
{
    size_t count = 0;

    sim_put(call->body, "{\"results\":[");
    for (size_t i = 0; i < kind->groups_count; i++) {
        if (!kind->groups[i].is_archived) {
            sim_put(call->body, count++ ? "," : "");
            put_group(call->body, &kind->groups[i]);
        }
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

static void group_create(struct sim_call *call, struct hs_kind *kind)
{
    struct error err = {0};
    struct str name, label;
    json_t *body;

    if (!sim_json(call, &body) || jx_str(body, "name", &name, &err) ||
        jx_str(body, "label", &label, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return;
    }
    if (hs_group_find(kind, name)) {
        hs_fail(call, &(struct hs_error){.status = 409,
                                         .category = "OBJECT_ALREADY_EXISTS",
                                         .sub_category = "Properties.GROUP_WITH_NAME_EXISTS",
                                         .message =
                                             STR("A property group of this name already exists.")});
        return;
    }
    put_group(call->body, hs_group_add(hs_of(call), kind, name, label));
    sim_reply(call, 201);
}

static void group_serve(struct sim_call *call, struct hs_kind *kind, struct str name)
{
    struct hs_group *group = hs_group_find(kind, name);

    if (!group) {
        hs_failf(call, 404, "OBJECT_NOT_FOUND", "Property group does not exist");
        return;
    }
    if (call->request->method == HTTP_GET) {
        put_group(call->body, group);
        sim_reply(call, 200);
    } else if (call->request->method == HTTP_DELETE) {
        group->is_archived = true;
        sim_reply(call, 204);
    } else {
        hs_failf(call, 405, NULL, "method not allowed");
    }
}

static void groups_serve(struct sim_call *call, const struct hs_route *route, struct hs_kind *kind)
{
    if (route->count == 5) {
        group_serve(call, kind, route->at[4]);
    } else if (call->request->method == HTTP_POST) {
        group_create(call, kind);
    } else {
        groups_list(call, kind);
    }
}

/* --- routing --------------------------------------------------------------------------------------- */

static void collection_serve(struct sim_call *call, struct hs_kind *kind)
{
    if (call->request->method == HTTP_GET) {
        properties_list(call, kind);
    } else if (call->request->method == HTTP_POST) {
        property_create(call, kind);
    } else {
        hs_failf(call, 405, NULL, "method not allowed");
    }
}

static void property_serve(struct sim_call *call, struct hs_kind *kind, struct str name)
{
    switch (call->request->method) {
    case HTTP_GET:
        property_get(call, kind, name);
        break;
    case HTTP_PATCH:
        property_change(call, kind, name);
        break;
    case HTTP_DELETE:
        property_archive(call, kind, name);
        break;
    case HTTP_POST:
    case HTTP_PUT:
        hs_failf(call, 405, NULL, "method not allowed");
        break;
    }
}

void hs_properties_serve(struct sim_call *call, const struct hs_route *route)
{
    struct hs_kind *kind = route->count > 2 ? hs_kind_find(hs_of(call), route->at[2]) : NULL;

    if (route->count < 3 || route->count > 5) {
        hs_no_resource(call);
    } else if (!kind) {
        hs_unknown_type(call, route->at[2]);
    } else if (route->count == 3) {
        collection_serve(call, kind);
    } else if (hs_route_is(route, 3, "groups")) {
        groups_serve(call, route, kind);
    } else if (hs_route_is(route, 3, "batch") && route->count == 5) {
        batch_serve(call, kind, route->at[4]);
    } else if (route->count == 4) {
        property_serve(call, kind, route->at[3]);
    } else {
        hs_no_resource(call);
    }
}
