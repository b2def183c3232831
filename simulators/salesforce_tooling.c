/* /tooling: fields and objects are made and taken away, and who has change events is seen. Source: Tooling API guide, REST resources;
 * CustomField; PlatformEventChannelMember. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"

static bool may_customize(struct sim_call *call)
{
    if (!(sf_of(call)->quirks & SF_NO_CUSTOMIZE)) {
        return true;
    }
    sf_failf(
        call, 403, "INSUFFICIENT_ACCESS",
        "You do not have the level of access necessary to perform the operation you requested.");
    return false;
}

static void reply_made(struct sim_call *call, const struct sf_record *record)
{
    buf_addf(call->body,
             "{\"id\":\"%" PRI_STR
             "\",\"success\":true,\"errors\":[],\"warnings\":[],\"infos\":[]}",
             STR_ARG(sf_record_id_str(call->arena, record)));
    sim_reply(call, 201);
}

static void make(struct sim_call *call, bool is_field)
{
    struct sf_record *record = NULL;
    struct sf_error err;
    struct sf_unit unit;
    struct str name;
    json_t *body;

    if (!sf_body(call, &body)) {
        return;
    }
    name = jx_text_of(jx_get(body, "FullName"));
    sf_unit_begin(call, &unit);
    if (unit.session.is_read_only) {
        sf_refuse_save(&err, "INSUFFICIENT_ACCESS_OR_READONLY", STR(""),
                       STR("insufficient access rights on object id"));
    } else if (!name.len || !json_is_object(jx_get(body, "Metadata"))) {
        sf_refuse_save(&err, "REQUIRED_FIELD_MISSING", STR("FullName,Metadata"),
                       STR("Required fields are missing: [FullName, Metadata]"));
    } else {
        record = (is_field ? sf_custom_field_add
                           : sf_custom_object_add)(&unit, name, jx_get(body, "Metadata"), &err);
    }
    sf_unit_end(&unit, true); /* definitions are made whole or not at all */
    if (record) {
        reply_made(call, record);
    } else {
        sf_fail(call, &err);
    }
}

static void drop(struct sim_call *call, struct sf_record *record)
{
    struct sf_unit unit;

    sf_unit_begin(call, &unit);
    sf_custom_field_drop(&unit, record);
    sf_unit_end(&unit, true);
    sim_reply(call, 204);
}

static void row_serve(struct sim_call *call, const struct sf_route *route,
                      const struct sf_object *object)
{
    struct sf_record *record = sf_record_of_id(sf_of(call), route->at[2]);
    bool is_field = object == sf_of(call)->objects[SF_CUSTOM_FIELD];

    if (!record || record->object != object) {
        sf_not_found(call);
    } else if (call->request->method == HTTP_GET) {
        sf_put_record(call->body, route->version, record, NULL, 0);
        sim_reply(call, 200);
    } else if (call->request->method == HTTP_DELETE && is_field) {
        drop(call, record);
    } else {
        sf_no_method(call, is_field ? "GET,DELETE" : "GET");
    }
}

static void sobjects_serve(struct sim_call *call, const struct sf_route *route)
{
    struct salesforce *sf = sf_of(call);
    const struct sf_object *object = route->count > 1 ? sf_object_find(sf, route->at[1]) : NULL;

    if (!object || !(object->flags & SF_IS_TOOLING) || route->count > 3) {
        sf_not_found(call);
    } else if (route->count == 3) {
        row_serve(call, route, object);
    } else if (call->request->method == HTTP_POST && object != sf->objects[SF_CHANNEL_MEMBER]) {
        make(call, object == sf->objects[SF_CUSTOM_FIELD]);
    } else {
        sf_no_method(call, "POST");
    }
}

void sf_tooling_serve(struct sim_call *call, const struct sf_route *outer)
{
    struct sf_route route = {.version = outer->version, .is_tooling = true};

    for (size_t i = 1; i < outer->count; i++) {
        route.at[route.count++] = outer->at[i];
    }
    if (!may_customize(call)) {
        return;
    }
    if (sf_route_is(&route, 0, "query")) {
        sf_query_serve(call, &route);
    } else if (sf_route_is(&route, 0, "sobjects")) {
        sobjects_serve(call, &route);
    } else {
        sf_not_found(call);
    }
}
