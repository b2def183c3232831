/* HubSpot: the properties that crmsync makes: the one that carries our id, and those that a mapping
 * declares. Nothing is removed.
 * Facts: developers.hubspot.com, properties guide: a group has to exist before its properties,
 * hasUniqueValue is set at creation only, ten unique properties an object; a PATCH replaces all
 * options. */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"

/* One object, and its properties as they are. */
struct setup {
    struct session *session;
    const char *kind; /* "activity/calls" for a part */
    struct arena *arena;
    json_t *properties; /* name → definition */
    struct str group;   /* the default one */
    struct setup_report *report;
};

static const struct wire_type {
    const char *type, *field;
} WIRE_TYPES[] = {
    [PROPERTY_TEXT] = {"string", "text"},
    [PROPERTY_LONG_TEXT] = {"string", "textarea"},
    [PROPERTY_NUMBER] = {"number", "number"},
    [PROPERTY_BOOLEAN] = {"bool", "booleancheckbox"},
    [PROPERTY_DATE] = {"date", "date"},
    [PROPERTY_DATETIME] = {"datetime", "date"},
    [PROPERTY_ENUM] = {"enumeration", "select"},
    [PROPERTY_MULTI_ENUM] = {"enumeration", "checkbox"},
};

/* --- what is there ---------------------------------------------------------------------------- */

/* New properties go where the object's id is: a group that every account has. */
static enum fail read_properties(struct setup *setup, struct error *err)
{
    struct hubspot_call call = {
        .method = HTTP_GET,
        .path = hubspot_properties_path(setup->session, setup->arena, setup->kind, ""),
        .is_safe = true};
    struct hubspot_answer answer;
    json_t *results;

    if (hubspot_exec(setup->session, &call, setup->arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return err->code;
    }
    setup->properties = jx_own(setup->arena, json_object());
    for (size_t i = 0; i < json_array_size(results); i++) {
        json_t *item = json_array_get(results, i);
        struct str name;

        if (jx_str(item, "name", &name, err) != OK) {
            return err->code;
        }
        json_object_setn(setup->properties, name.at, name.len, item);
    }
    hubspot_keep_seen(setup->session, setup->kind, answer.body);
    setup->group =
        jx_text_of(jx_get(json_object_get(setup->properties, "hs_object_id"), "groupName"));
    return OK;
}

static json_t *property_of(const struct setup *setup, struct str name)
{
    return json_object_getn(setup->properties, name.at, name.len);
}

static bool is_multi(const json_t *property)
{
    return str_equal(jx_text_of(jx_get(property, "fieldType")), STR("checkbox"));
}

/* Types cannot change, nor can a property become unique. */
static enum fail check_property(const struct setup *setup, const json_t *property,
                                const struct property_wanted *wanted, struct error *err)
{
    const char *object = hubspot_object(setup->session, setup->kind);
    const struct wire_type *type = &WIRE_TYPES[wanted->type];

    if (!str_equal(jx_text_of(jx_get(property, "type")), str_of(type->type)) ||
        (strcmp(type->type, "enumeration") == 0 &&
         is_multi(property) != (wanted->type == PROPERTY_MULTI_ENUM))) {
        error_set(err, FAIL_CONNECTION,
                  "property %" PRI_STR " of %s exists at HubSpot with another type",
                  STR_ARG(wanted->name), object);
        return error_hint(err, "declare it with the type that it has there, or under another name");
    }
    if (wanted->is_unique && !json_is_true(jx_get(property, "hasUniqueValue"))) {
        error_set(err, FAIL_CONNECTION,
                  "property %" PRI_STR " of %s exists at HubSpot but is not unique",
                  STR_ARG(wanted->name), object);
        return error_hint(err, "delete that property at HubSpot and run 'crmsync setup' again");
    }
    return OK;
}

/* --- making ----------------------------------------------------------------------------------- */

static json_t *option_json(const struct remote_option *option, size_t order)
{
    struct str label = option->label.len ? option->label : option->value;

    return json_pack("{s:s%,s:s%,s:I,s:b}", "value", option->value.at, option->value.len, "label",
                     label.at, label.len, "displayOrder", (json_int_t)order, "hidden", 0);
}

static json_t *options_json(const struct property_wanted *wanted)
{
    static const struct remote_option BOOLEAN[] = {
        {{.at = "true", .len = 4}, {.at = "Yes", .len = 3}},
        {{.at = "false", .len = 5}, {.at = "No", .len = 2}}};
    bool is_boolean = wanted->type == PROPERTY_BOOLEAN;
    const struct remote_option *options = is_boolean ? BOOLEAN : wanted->options;
    size_t count = is_boolean ? COUNT_OF(BOOLEAN) : wanted->options_count;
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, option_json(&options[i], i));
    }
    return list;
}

static enum fail post(const struct setup *setup, const char *tail, json_t *take_body,
                      enum http_method method, struct error *err)
{
    struct hubspot_call call = {
        .method = method,
        .path = hubspot_properties_path(setup->session, setup->arena, setup->kind, tail),
        .body = jx_own(setup->arena, take_body),
        .may_be_missing = true};
    struct hubspot_answer answer;

    hubspot_keep_seen(setup->session, setup->kind, NULL);
    return hubspot_exec(setup->session, &call, setup->arena, &answer, err);
}

static enum fail make_group(const struct setup *setup, struct str name, struct error *err)
{
    if (post(setup, "/groups",
             json_pack("{s:s%,s:s%,s:i}", "name", name.at, name.len, "label", name.at, name.len,
                       "displayOrder", -1),
             HTTP_POST, err) != OK) {
        if (err->http_status != 409) {
            return error_wrap(err, "property group %" PRI_STR, STR_ARG(name));
        }
        error_reset(err); /* it is there */
    }
    return OK;
}

static enum fail read_groups(const struct setup *setup, struct str name, bool *ret_found,
                             struct error *err)
{
    struct hubspot_call call = {
        .method = HTTP_GET,
        .path = hubspot_properties_path(setup->session, setup->arena, setup->kind, "/groups"),
        .is_safe = true};
    struct hubspot_answer answer;
    json_t *results;

    *ret_found = false;
    if (hubspot_exec(setup->session, &call, setup->arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return error_wrap(err, "property groups");
    }
    for (size_t i = 0; i < json_array_size(results) && !*ret_found; i++) {
        *ret_found = str_equal(jx_text_of(jx_get(json_array_get(results, i), "name")), name);
    }
    return OK;
}

static enum fail ensure_group(const struct setup *setup, struct str name, struct error *err)
{
    bool found;

    if (read_groups(setup, name, &found, err) != OK) {
        return err->code;
    }
    return found ? OK : make_group(setup, name, err);
}

/* An archived property of this name comes back with it. */
static enum fail create_property(const struct setup *setup, const struct property_wanted *wanted,
                                 struct str group, struct error *err)
{
    const struct wire_type *type = &WIRE_TYPES[wanted->type];
    bool is_ours = str_equal(wanted->name, STR(CORRELATION_PROPERTY));
    struct str label = wanted->label.len ? wanted->label : wanted->name;
    json_t *body = json_pack(
        "{s:s%,s:s%,s:s,s:s,s:s%,s:b,s:b,s:s}", "name", wanted->name.at, wanted->name.len, "label",
        label.at, label.len, "type", type->type, "fieldType", type->field, "groupName", group.at,
        group.len, "hasUniqueValue", (int)wanted->is_unique, "formField", 0, "description",
        is_ours ? "Identity of this record in crmsync. Do not edit." : "");

    if (wanted->type == PROPERTY_BOOLEAN || wanted->options_count) {
        json_object_set_new(body, "options", options_json(wanted));
    }
    if (post(setup, "", body, HTTP_POST, err) == FAIL_RECORD && err->http_status == 400) {
        err->code = FAIL_CONNECTION;
        if (wanted->is_unique) {
            error_hint(err,
                       "an object can have ten unique properties at HubSpot: delete one that "
                       "nobody needs, or make %" PRI_STR " by hand",
                       STR_ARG(wanted->name));
        }
    }
    return err->code;
}

/* --- options ---------------------------------------------------------------------------------- */

static bool has_option(const json_t *options, struct str value)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        if (str_equal(jx_text_of(jx_get(json_array_get(options, i), "value")), value)) {
            return true;
        }
    }
    return false;
}

/* Those that are there go along as they are, or the PATCH would remove them. */
static enum fail add_options(const struct setup *setup, const json_t *property,
                             const struct property_wanted *wanted, struct error *err)
{
    json_t *options = json_deep_copy(jx_get(property, "options"));
    struct str tail = arena_printf(setup->arena, "/%" PRI_STR,
                                   STR_ARG(http_percent_encode(setup->arena, wanted->name)));
    int added = 0;

    options = jx_own(setup->arena, json_is_array(options) ? options : json_array());
    for (size_t i = 0; i < wanted->options_count; i++) {
        if (!has_option(options, wanted->options[i].value)) {
            json_array_append_new(options,
                                  option_json(&wanted->options[i], json_array_size(options)));
            added++;
        }
    }
    if (added == 0) {
        return OK;
    }
    if (post(setup, tail.at, json_pack("{s:O}", "options", options), HTTP_PATCH, err) != OK) {
        err->code = err->code == FAIL_RECORD ? FAIL_CONNECTION : err->code;
        return error_wrap(err, "options of property %" PRI_STR, STR_ARG(wanted->name));
    }
    setup->report->options_added += added;
    return OK;
}

/* --- one property ----------------------------------------------------------------------------- */

static enum fail found_property(const struct setup *setup, const struct property_wanted *wanted,
                                struct error *err)
{
    const json_t *property = property_of(setup, wanted->name);

    if (check_property(setup, property, wanted, err) != OK) {
        return err->code;
    }
    return wanted->options_count ? add_options(setup, property, wanted, err) : OK;
}

static enum fail ensure_property(struct setup *setup, const struct property_wanted *wanted,
                                 struct error *err)
{
    struct str group = wanted->group.len ? wanted->group : setup->group;
    struct error cause = {0};

    if (property_of(setup, wanted->name)) {
        setup->report->present++;
        return found_property(setup, wanted, err);
    }
    if ((wanted->group.len || group.len == 0) &&
        ensure_group(setup, group = group.len ? group : STR("crmsync"), err) != OK) {
        return err->code;
    }
    if (create_property(setup, wanted, group, &cause) != OK) {
        /* 409: somebody else was faster; or the answer got lost. Then it is there now. */
        bool may_be_there = cause.http_status == 409 || cause.is_outcome_unknown;

        if (may_be_there && read_properties(setup, err) != OK) {
            return err->code;
        }
        if (!may_be_there || !property_of(setup, wanted->name)) {
            *err = cause;
            return error_wrap(err, "create property %" PRI_STR, STR_ARG(wanted->name));
        }
        setup->report->created++;
        return found_property(setup, wanted, err);
    }
    setup->report->created++;
    return OK;
}

/* --- one object ------------------------------------------------------------------------------- */

static enum fail setup_properties(struct setup *setup, const char *kind,
                                  const struct setup_request *request, struct error *err)
{
    struct property_wanted ours = {.name = STR(CORRELATION_PROPERTY),
                                   .label = STR(CORRELATION_LABEL),
                                   .type = PROPERTY_TEXT,
                                   .is_unique = strcmp(kind, HS_ACTIVITY) != 0};

    if (read_properties(setup, err) != OK || ensure_property(setup, &ours, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < request->properties_count; i++) {
        if (strcmp(request->properties[i].kind, kind) == 0 &&
            ensure_property(setup, &request->properties[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail setup_object(struct session *session, const char *object_kind, const char *kind,
                              const struct setup_request *request, struct setup_report *report,
                              struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct setup setup = {
        .session = session, .kind = object_kind, .arena = &arena, .report = report};

    if (setup_properties(&setup, kind, request, err) != OK) {
        return error_wrap(err, "set-up of %s", hubspot_object(session, object_kind));
    }
    return OK;
}

static enum fail setup_kind(struct session *session, const char *kind,
                            const struct setup_request *request, struct setup_report *report,
                            struct error *err)
{
    if (strcmp(kind, HS_ACTIVITY) != 0) {
        return setup_object(session, kind, kind, request, report, err);
    }
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        if (setup_object(session, hubspot_activities[i].kind, kind, request, report, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail hubspot_ensure_setup(struct session *session, const struct setup_request *request,
                               struct setup_report *ret, struct error *err)
{
    for (size_t i = 0; i < request->kinds_count; i++) {
        if (hubspot_has_kind(session, request->kinds[i]) &&
            setup_kind(session, request->kinds[i], request, ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}
