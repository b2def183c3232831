/* /crm/schemas and /crm-object-schemas/schemas: objects that an account defines itself. A kind like the others once it is made: "2-…",
 * "p_name" or "p4242_name" in paths. Source: HubSpot's guide to custom objects and the schemas specification, 2026. */
#include "simulators/hubspot_catalogue.h"

#include <inttypes.h>

#include "core/jx.h"

static const char *const activities[] = {"calls", "emails", "meetings", "notes", "tasks"};
static const char *const no_defaults[] = {NULL};

/* What a request for a new object says. */
struct order {
    struct str name, singular, plural, primary;
    json_t *properties, *required, *searchable, *associated;
};

/* --- answering ------------------------------------------------------------------------------------- */

static void put_names(struct buf *body, const char *member, struct str names)
{
    size_t shown = 0;

    buf_addf(body, ",\"%s\":[", member);
    while (names.len) {
        sim_put(body, shown++ ? "," : "");
        sim_put_text(body, str_cut(&names, ','));
    }
    sim_put(body, "]");
}

static void put_properties(struct buf *body, const struct hs_kind *kind)
{
    size_t shown = 0;

    sim_put(body, ",\"properties\":[");
    for (size_t i = 0; i < kind->properties_count; i++) {
        if (!(kind->properties[i].flags & HS_ARCHIVED)) {
            sim_put(body, shown++ ? "," : "");
            hs_put_property(body, &kind->properties[i]);
        }
    }
    sim_put(body, "]");
}

static const char *name_of(const struct hs_kind *kind)
{
    return kind->custom ? kind->custom->name : kind->spec->singular;
}

static void put_associations(struct buf *body, const struct hubspot *hs, const struct hs_kind *kind)
{
    size_t shown = 0;

    sim_put(body, ",\"associations\":[");
    for (size_t i = 0; i < hs->link_types_count; i++) {
        const struct hs_link_type *type = &hs->link_types[i];

        if ((type->from == kind || type->to == kind) && !type->label && !type->is_archived) {
            buf_addf(body,
                     "%s{\"id\":\"%u\",\"fromObjectTypeId\":\"%s\",\"toObjectTypeId\":\"%s\","
                     "\"name\":\"%s_to_%s\"}",
                     shown++ ? "," : "", type->id, type->from->spec->type_id,
                     type->to->spec->type_id, name_of(type->from), name_of(type->to));
        }
    }
    sim_put(body, "]");
}

static void put_schema(struct sim_call *call, const struct hs_kind *kind)
{
    const struct hs_custom *custom = kind->custom;
    struct buf *body = call->body;

    buf_addf(body,
             "{\"id\":\"%s\",\"objectTypeId\":\"%s\",\"fullyQualifiedName\":\"%s\",\"name\":\"%s\","
             "\"metaType\":\"PORTAL_SPECIFIC\",\"archived\":%s,\"labels\":{\"singular\":",
             kind->spec->type_id + 2, kind->spec->type_id, kind->spec->singular, custom->name,
             kind->is_archived ? "true" : "false");
    sim_put_text(body, str_of(kind->spec->title));
    sim_put(body, ",\"plural\":");
    sim_put_text(body, custom->plural_label);
    sim_put(body, "},\"primaryDisplayProperty\":");
    sim_put_text(body, custom->primary);
    put_names(body, "requiredProperties", str_of(kind->spec->required));
    put_names(body, "searchableProperties", custom->searchable);
    put_properties(body, kind);
    put_associations(body, hs_of(call), kind);
    sim_put(body, ",\"createdAt\":");
    sim_put_time(body, custom->created_ms);
    sim_put(body, ",\"updatedAt\":");
    sim_put_time(body, custom->created_ms);
    sim_put(body, "}");
}

static void schemas_list(struct sim_call *call)
{
    struct hubspot *hs = hs_of(call);
    bool is_archived = str_equal(sim_query(call, "archived"), STR("true"));
    size_t shown = 0;

    sim_put(call->body, "{\"results\":[");
    for (size_t i = 0; i < hs->kinds_count; i++) {
        if (hs->kinds[i].custom && hs->kinds[i].is_archived == is_archived) {
            sim_put(call->body, shown++ ? "," : "");
            put_schema(call, &hs->kinds[i]);
        }
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

/* --- reading an order ------------------------------------------------------------------------------ */

static bool refuse(struct sim_call *call, const char *message)
{
    hs_failf(call, 400, "VALIDATION_ERROR", "%s", message);
    return false;
}

static bool name_is_fine(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_'))) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 64;
}

static bool order_read(struct sim_call *call, struct order *ret)
{
    struct error err = {0};
    json_t *body, *labels;

    if (!sim_json(call, &body)) {
        return refuse(call, "Invalid input JSON");
    }
    if (jx_str(body, "name", &ret->name, &err) || jx_object(body, "labels", &labels, &err) ||
        jx_str_or(labels, "singular", ret->name, &ret->singular, &err) ||
        jx_str_or(labels, "plural", ret->singular, &ret->plural, &err) ||
        jx_str_or(body, "primaryDisplayProperty", STR(""), &ret->primary, &err) ||
        jx_array_or_null(body, "properties", &ret->properties, &err) ||
        jx_array_or_null(body, "requiredProperties", &ret->required, &err) ||
        jx_array_or_null(body, "searchableProperties", &ret->searchable, &err) ||
        jx_array_or_null(body, "associatedObjects", &ret->associated, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return false;
    }
    if (!name_is_fine(ret->name)) {
        return refuse(call, "name has to be letters, digits and underscores, with a letter first");
    }
    if (json_array_size(ret->required) == 0 || json_array_size(ret->properties) == 0) {
        return refuse(call, "some required fields were not set: [properties, requiredProperties]");
    }
    return true;
}

static struct str joined(struct hubspot *hs, const json_t *names)
{
    AUTO_BUF struct buf list;
    size_t index;
    json_t *name;

    buf_init(&list, HS_TEXT_BYTES_MAX);
    json_array_foreach(names, index, name)
    {
        buf_add(&list, index ? STR(",") : STR(""));
        buf_add(&list, jx_text_of(name));
    }
    return arena_str(&hs->arena, buf_str(&list));
}

/* --- making ---------------------------------------------------------------------------------------- */

static const char *text_of(struct hubspot *hs, const char *before, struct str name,
                           const char *after)
{
    return arena_printf(&hs->arena, "%s%" PRI_STR "%s", before, STR_ARG(name), after).at;
}

static struct hs_kind *kind_make(struct sim_call *call, const struct order *order)
{
    struct hubspot *hs = hs_of(call);
    struct hs_kind_spec *spec = ARENA_ARRAY(&hs->arena, struct hs_kind_spec, 1);
    struct hs_custom *custom = ARENA_ARRAY(&hs->arena, struct hs_custom, 1);
    int64_t number = HS_FIRST_CUSTOM_TYPE + (int64_t)hs->kinds_count;

    *spec = (struct hs_kind_spec){
        .type_id = arena_printf(&hs->arena, "2-%" PRId64, number).at,
        .plural = text_of(hs, "p_", order->name, ""),
        .singular =
            arena_printf(&hs->arena, "p%d_%" PRI_STR, HS_PORTAL_ID, STR_ARG(order->name)).at,
        .upper = text_of(hs, "", order->name, ""),
        .title = text_of(hs, "", order->singular, ""),
        .group = text_of(hs, "", order->name, "_information"),
        .defaults = no_defaults,
        .properties = hs_custom_properties,
        .properties_count = hs_custom_properties_count,
        .first_id = 71000000001 + 1000000000 * (int64_t)hs->kinds_count,
        .required = joined(hs, order->required).at};
    *custom = (struct hs_custom){.name = spec->upper,
                                 .plural_label = arena_str(&hs->arena, order->plural),
                                 .primary = arena_str(&hs->arena, order->primary),
                                 .searchable = joined(hs, order->searchable),
                                 .created_ms = call->now_ms};
    return hs_kind_add(hs, spec, custom, call->now_ms);
}

/* The group and a plain text are understood when the order does not say. */
static bool property_make(struct sim_call *call, struct hs_kind *kind, const json_t *given)
{
    json_t *whole = json_pack("{s:s,s:s,s:s}", "groupName", kind->spec->group, "type", "string",
                              "fieldType", "text");
    bool is_made;

    json_object_update(whole, (json_t *)given);
    is_made = hs_property_make(call, kind, whole);
    json_decref(whole);
    return is_made;
}

static bool names_exist(const struct hs_kind *kind, struct str names)
{
    while (names.len) {
        if (hs_property_find(kind, str_cut(&names, ',')) < 0) {
            return false;
        }
    }
    return true;
}

static bool properties_make(struct sim_call *call, struct hs_kind *kind, const struct order *order)
{
    struct str searchable = kind->custom->searchable;
    size_t index;
    json_t *given;

    json_array_foreach(order->properties, index, given)
    {
        if (!property_make(call, kind, given)) {
            return false;
        }
    }
    if (!names_exist(kind, str_of(kind->spec->required)) || !names_exist(kind, searchable) ||
        !names_exist(kind, kind->custom->primary)) {
        return refuse(call, "requiredProperties, searchableProperties and primaryDisplayProperty "
                            "have to name properties of this object");
    }
    while (searchable.len) {
        long found = hs_property_find(kind, str_cut(&searchable, ','));

        kind->properties[found].flags |= HS_SEARCHED;
    }
    return true;
}

static bool associated_exist(struct sim_call *call, const json_t *associated)
{
    size_t index;
    json_t *name;

    json_array_foreach(associated, index, name)
    {
        if (!hs_kind_find(hs_of(call), jx_text_of(name))) {
            hs_unknown_type(call, jx_text_of(name));
            return false;
        }
    }
    return true;
}

/* Activities go with every custom object; others are named. */
static void associations_make(struct hubspot *hs, struct hs_kind *kind, const json_t *associated)
{
    size_t index;
    json_t *name;

    for (size_t i = 0; i < COUNT_OF(activities); i++) {
        hs_link_pair_add(hs, kind, hs_kind_find(hs, str_of(activities[i])));
    }
    json_array_foreach(associated, index, name)
    {
        hs_link_pair_add(hs, kind, hs_kind_find(hs, jx_text_of(name)));
    }
}

static void schema_create(struct sim_call *call)
{
    struct hubspot *hs = hs_of(call);
    struct order order = {0};
    struct hs_kind *kind;

    if (!order_read(call, &order) || !associated_exist(call, order.associated)) {
        return;
    }
    if (hs_kind_find(hs, arena_printf(call->arena, "p_%" PRI_STR, STR_ARG(order.name)))) {
        hs_failf(call, 409, "OBJECT_ALREADY_EXISTS",
                 "An object named '%" PRI_STR "' exists already", STR_ARG(order.name));
        return;
    }
    if (hs->kinds_count == HS_KINDS_MAX) {
        refuse(call, "This account cannot have more custom objects");
        return;
    }
    kind = kind_make(call, &order);
    if (!properties_make(call, kind, &order)) {
        hs_kind_drop(hs);
        return;
    }
    associations_make(hs, kind, order.associated);
    put_schema(call, kind);
    sim_reply(call, 201);
}

/* --- the endpoint ---------------------------------------------------------------------------------- */

/* …/schemas/{type}/associations: one more kind that this one can be associated with. */
static void association_create(struct sim_call *call, struct hs_kind *kind)
{
    struct error err = {0};
    const struct hs_link_type *type;
    struct hs_kind *to;
    struct str name;
    json_t *body;

    if (!sim_json(call, &body) || jx_str(body, "toObjectTypeId", &name, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return;
    }
    to = hs_kind_find(hs_of(call), name);
    if (!to) {
        hs_unknown_type(call, name);
        return;
    }
    hs_link_pair_add(hs_of(call), kind, to);
    type = hs_link_default(hs_of(call), kind, to);
    buf_addf(call->body,
             "{\"id\":\"%u\",\"fromObjectTypeId\":\"%s\",\"toObjectTypeId\":\"%s\",\"name\":"
             "\"%s_to_%s\"}",
             type->id, kind->spec->type_id, to->spec->type_id, kind->custom->name,
             to->spec->singular);
    sim_reply(call, 201);
}

/* Only an object without records can be archived. */
static void schema_archive(struct sim_call *call, struct hs_kind *kind)
{
    for (size_t i = 0; i < kind->table.count; i++) {
        if (hs_record_is_live((struct hs_record *)kind->table.at[i])) {
            refuse(call, "an object that has records cannot be deleted");
            return;
        }
    }
    kind->is_archived = true;
    sim_reply(call, 204);
}

void hs_schemas_serve(struct sim_call *call, const struct hs_route *route)
{
    struct hs_kind *kind = route->count > 2 ? hs_kind_find(hs_of(call), route->at[2]) : NULL;
    enum http_method method = call->request->method;

    if (route->count == 2 && method == HTTP_GET) {
        schemas_list(call);
    } else if (route->count == 2 && method == HTTP_POST) {
        schema_create(call);
    } else if (!kind || !kind->custom) {
        hs_no_resource(call);
    } else if (route->count == 3 && method == HTTP_GET) {
        put_schema(call, kind);
        sim_reply(call, 200);
    } else if (route->count == 3 && method == HTTP_DELETE) {
        schema_archive(call, kind);
    } else if (route->count == 4 && hs_route_is(route, 3, "associations") && method == HTTP_POST) {
        association_create(call, kind);
    } else {
        hs_no_resource(call);
    }
}
