/* Associations of one record over HTTP: /crm/objects/…/{id}/associations/…, and those that come with a create. */
#include "simulators/hubspot_associations.h"

#include <inttypes.h>

#include "core/jx.h"

/* --- checking -------------------------------------------------------------------------------------- */

bool hs_types_read(struct hubspot *hs, const struct hs_kind *from, const struct hs_kind *to,
                   const json_t *json, struct types *ret)
{
    size_t index;
    json_t *each;

    *ret = (struct types){0};
    json_array_foreach(json, index, each)
    {
        const json_t *id = jx_get(each, "associationTypeId");
        const struct hs_link_type *type = hs_link_type_find(hs, from, to, json_integer_value(id));

        if (!type || ret->count == HS_LINK_LABELS_MAX) {
            return false;
        }
        ret->at[ret->count++] = type;
    }
    return true;
}

void hs_types_refuse(struct sim_call *call, const struct hs_kind *from, const struct hs_kind *to)
{
    hs_failf(call, 400, "VALIDATION_ERROR",
             "One or more association types are not valid between %s and %s", from->spec->type_id,
             to->spec->type_id);
}

/* What one entry of a create's "associations" means. False: something in it does not exist. */
static bool entry_read(struct hubspot *hs, struct hs_kind *kind, const json_t *entry,
                       struct arena *arena, struct ends *ret, struct types *types)
{
    const json_t *list = jx_get(entry, "types");
    struct error err = {0};
    struct str id;

    if (jx_id(arena, jx_get(entry, "to"), "id", &id, &err) || json_array_size(list) == 0) {
        return false;
    }
    /* The entry does not say to which kind of object it leads; its type ids do. */
    for (size_t i = 0; i < hs->kinds_count; i++) {
        ret->to_kind = &hs->kinds[i];
        ret->to = hs_record_live(ret->to_kind, id);
        if (ret->to && hs_types_read(hs, kind, ret->to_kind, list, types)) {
            return true;
        }
    }
    return false;
}

bool hs_links_check(struct sim_call *call, struct hs_kind *kind, const json_t *associations)
{
    size_t index;
    json_t *entry;

    json_array_foreach(associations, index, entry)
    {
        struct ends ends;
        struct types types;

        if (!entry_read(hs_of(call), kind, entry, call->arena, &ends, &types)) {
            hs_failf(call, 400, "VALIDATION_ERROR",
                     "Association %zu names an object or a type that does not exist", index);
            return false;
        }
    }
    return true;
}

void hs_types_apply(struct sim_call *call, const struct ends *ends, const struct types *types)
{
    for (size_t i = 0; i < types->count; i++) {
        hs_link_add(hs_of(call), ends->kind, ends->record, types->at[i], ends->to);
    }
}

void hs_wrote_link(struct sim_call *call, const char *method, const struct ends *ends,
                   const struct types *types)
{
    json_t *fields, *ids = json_array();

    for (size_t i = 0; types && i < types->count; i++) {
        json_array_append_new(ids, json_integer(types->at[i]->id));
    }
    fields = json_pack("{s:s,s:o,s:o}", "to", ends->to_kind->spec->plural, "to_id",
                       json_sprintf("%" PRId64, ends->to->base.id), "types", ids);
    sim_wrote(call, method, ends->kind->spec->plural, ends->record->base.id, fields);
    json_decref(fields);
}

void hs_links_apply(struct sim_call *call, struct hs_kind *kind, struct hs_record *record,
                    const json_t *associations)
{
    size_t index;
    json_t *entry;

    json_array_foreach(associations, index, entry)
    {
        struct ends ends = {.kind = kind, .record = record};
        struct types types;

        if (entry_read(hs_of(call), kind, entry, call->arena, &ends, &types) && ends.to != record) {
            hs_types_apply(call, &ends, &types);
            sim_count_writes(call, 1);
        }
    }
}

/* --- answers --------------------------------------------------------------------------------------- */

void hs_put_link_type(struct buf *body, const struct hs_link_type *type)
{
    buf_addf(body, "{\"category\":\"%s\",\"typeId\":%u,\"label\":",
             type->category == HS_LINK_USER ? "USER_DEFINED" : "HUBSPOT_DEFINED", type->id);
    sim_put_text(body, str_of(type->label));
    sim_put(body, "}");
}

void hs_put_link(struct sim_call *call, const struct hs_kind *kind, const struct hs_link *link)
{
    struct buf *body = call->body;

    /* The id is a number here, though the specification says string. */
    buf_addf(body, "{\"toObjectId\":%" PRId64 ",\"associationTypes\":[", link->to_id);
    for (size_t i = 0, shown = 0; i < link->types_count; i++) {
        const struct hs_link_type *type =
            hs_link_type_find(hs_of(call), kind, link->kind, link->types[i]);

        if (type) {
            sim_put(body, shown++ ? "," : "");
            hs_put_link_type(body, type);
        }
    }
    sim_put(body, "]}");
}

/* The v3 form of a row: {"id","type"} for each type. */
static void put_link_v3(struct sim_call *call, const struct hs_kind *kind,
                        const struct hs_link *link)
{
    buf_addf(call->body, "{\"id\":\"%" PRId64 "\",\"type\":\"%s_to_%s\"}", link->to_id,
             kind->spec->singular, link->kind->spec->singular);
}

bool hs_link_is_shown(const struct hs_link *link, const struct hs_kind *to_kind)
{
    const struct hs_record *other;

    if (link->kind != to_kind) {
        return false;
    }
    other = hs_record_by_id(to_kind, link->to_id);
    return other && hs_record_is_live(other);
}

size_t hs_put_links(struct sim_call *call, const struct ends *ends, size_t from, int64_t limit,
                    put_row *put)
{
    int64_t count = 0;

    for (size_t i = from; i < ends->record->links_count; i++) {
        const struct hs_link *link = &ends->record->links[i];

        if (!hs_link_is_shown(link, ends->to_kind)) {
            continue;
        }
        if (count == limit) {
            return i;
        }
        sim_put(call->body, count++ ? "," : "");
        put(call, ends->kind, link);
    }
    return 0;
}

void hs_put_next(struct sim_call *call, size_t next)
{
    if (next) {
        buf_addf(call->body, ",\"paging\":{\"next\":{\"after\":\"%zu\"}}", next);
    }
}

static void links_list(struct sim_call *call, const struct hs_route *route, const struct ends *ends)
{
    bool is_v3 = str_equal(route->version, STR("v3"));
    int64_t limit, after;
    size_t next;

    if (!sim_query_i64(call, "limit", HS_LINK_PAGE_MAX, &limit) || limit < 1 ||
        limit > HS_LINK_PAGE_MAX || !sim_query_i64(call, "after", 0, &after) || after < 0) {
        hs_failf(call, 400, "VALIDATION_ERROR", "limit must be between 1 and 500, after a cursor");
        return;
    }
    sim_put(call->body, "{\"results\":[");
    next = hs_put_links(call, ends, (size_t)after, limit, is_v3 ? put_link_v3 : hs_put_link);
    sim_put(call->body, "]");
    hs_put_next(call, next);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

void hs_put_link_spec(struct sim_call *call, const struct ends *ends,
                      const struct hs_link_type *type)
{
    buf_addf(call->body,
             "{\"from\":{\"id\":\"%" PRId64 "\"},\"to\":{\"id\":\"%" PRId64
             "\"},\"associationSpec\":{\"associationCategory\":\"%s\",\"associationTypeId\":%u}}",
             ends->record->base.id, ends->to->base.id,
             type->category == HS_LINK_USER ? "USER_DEFINED" : "HUBSPOT_DEFINED", type->id);
}

void hs_put_batch_end(struct sim_call *call)
{
    sim_put(call->body, ",\"startedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, ",\"completedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, "}");
}

/* --- one record ------------------------------------------------------------------------------------ */

static void link_default(struct sim_call *call, const struct ends *ends)
{
    struct types types = {.at = {hs_link_default(hs_of(call), ends->kind, ends->to_kind)},
                          .count = 1};
    struct ends back = {ends->to_kind, ends->kind, ends->to, ends->record};

    if (!types.at[0]) {
        hs_types_refuse(call, ends->kind, ends->to_kind);
        return;
    }
    hs_types_apply(call, ends, &types);
    hs_wrote_link(call, "associate", ends, &types);
    sim_put(call->body, "{\"status\":\"COMPLETE\",\"results\":[");
    hs_put_link_spec(call, ends, types.at[0]);
    sim_put(call->body, ",");
    hs_put_link_spec(call, &back, hs_link_default(hs_of(call), ends->to_kind, ends->kind));
    sim_put(call->body, "]");
    hs_put_batch_end(call);
    sim_reply(call, 200);
}

void hs_put_link_labels(struct sim_call *call, const struct types *types)
{
    size_t shown = 0;

    sim_put(call->body, "[");
    for (size_t i = 0; i < types->count; i++) {
        if (types->at[i]->label) {
            sim_put(call->body, shown++ ? "," : "");
            sim_put_text(call->body, str_of(types->at[i]->label));
        }
    }
    sim_put(call->body, "]");
}

/* PUT replaces the labels of the pair. */
static void link_replace(struct sim_call *call, const struct ends *ends)
{
    struct types types;
    json_t *body;

    if (!sim_json(call, &body) || json_array_size(body) == 0 ||
        !hs_types_read(hs_of(call), ends->kind, ends->to_kind, body, &types)) {
        hs_types_refuse(call, ends->kind, ends->to_kind);
        return;
    }
    hs_link_remove(hs_of(call), ends->kind, ends->record, ends->to_kind, ends->to, NULL);
    hs_types_apply(call, ends, &types);
    hs_wrote_link(call, "associate", ends, &types);
    buf_addf(call->body,
             "{\"fromObjectTypeId\":\"%s\",\"fromObjectId\":%" PRId64
             ",\"toObjectTypeId\":\"%s\",\"toObjectId\":%" PRId64 ",\"labels\":",
             ends->kind->spec->type_id, ends->record->base.id, ends->to_kind->spec->type_id,
             ends->to->base.id);
    hs_put_link_labels(call, &types);
    sim_put(call->body, "}");
    sim_reply(call, 201);
}

static void link_delete(struct sim_call *call, const struct ends *ends)
{
    hs_link_remove(hs_of(call), ends->kind, ends->record, ends->to_kind, ends->to, NULL);
    hs_wrote_link(call, "dissociate", ends, NULL);
    sim_reply(call, 204);
}

/* …/{id}/associations[/default]/{to}[/{toId}]: at is the index of {to}. */
static bool ends_find(struct sim_call *call, const struct hs_route *route, size_t at,
                      struct ends *ends)
{
    ends->record = hs_record_live(ends->kind, route->at[3]);
    ends->to_kind = at < route->count ? hs_kind_find(hs_of(call), route->at[at]) : NULL;
    if (!ends->to_kind) {
        hs_unknown_type(call, at < route->count ? route->at[at] : STR(""));
        return false;
    }
    if (!ends->record) {
        hs_not_found(call, route->at[3]);
        return false;
    }
    if (at + 1 >= route->count) {
        return true;
    }
    ends->to = hs_record_live(ends->to_kind, route->at[at + 1]);
    if (!ends->to || ends->to == ends->record) {
        hs_not_found(call, route->at[at + 1]);
        return false;
    }
    return true;
}

void hs_record_links_serve(struct sim_call *call, const struct hs_route *route,
                           struct hs_kind *kind)
{
    bool is_default = hs_route_is(route, 5, "default");
    struct ends ends = {.kind = kind};
    enum http_method method = call->request->method;

    if (!ends_find(call, route, is_default ? 6 : 5, &ends)) {
        return;
    }
    if (!ends.to && method == HTTP_GET) {
        links_list(call, route, &ends);
    } else if (ends.to && method == HTTP_PUT && is_default) {
        link_default(call, &ends);
    } else if (ends.to && method == HTTP_PUT) {
        link_replace(call, &ends);
    } else if (ends.to && method == HTTP_DELETE) {
        link_delete(call, &ends);
    } else {
        hs_failf(call, 405, NULL, "method not allowed");
    }
}
