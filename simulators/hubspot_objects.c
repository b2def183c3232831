/* /crm/objects/…: list, read, create, change, archive, merge, erase. */
#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_webhooks.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/unicode.h"

/* --- list ------------------------------------------------------------------------------------------ */

struct list_order {
    int64_t limit, after;
    bool is_archived;
    struct hs_view view;
};

static bool linked_read(struct sim_call *call, struct hs_view *view)
{
    struct str names = sim_query_list(call, "associations");

    while (names.len && view->linked_count < HS_KINDS_MAX) {
        struct str name = str_trim(str_cut(&names, ','));
        struct hs_kind *kind = hs_kind_find(hs_of(call), name);

        if (!kind) {
            hs_unknown_type(call, name);
            return false;
        }
        view->linked[view->linked_count++] = kind;
    }
    return true;
}

static bool view_read(struct sim_call *call, struct hs_kind *kind, struct hs_view *ret)
{
    hs_view_init(call, kind, sim_query_list(call, "properties"), ret);
    ret->history = hs_property_list(call, kind, sim_query_list(call, "propertiesWithHistory"),
                                    &ret->history_count);
    return linked_read(call, ret);
}

static bool archived_wanted(struct sim_call *call)
{
    return str_equal(sim_query(call, "archived"), STR("true"));
}

static bool list_read(struct sim_call *call, struct hs_kind *kind, struct list_order *ret)
{
    int64_t most;

    if (!view_read(call, kind, &ret->view)) {
        return false;
    }
    most = ret->view.history_count ? HS_HISTORY_MAX : HS_LIST_MAX;
    if (!sim_query_i64(call, "limit", 10, &ret->limit) || ret->limit < 1 || ret->limit > most) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Invalid request: limit must be between 1 and %" PRId64, most);
        return false;
    }
    if (!sim_query_i64(call, "after", 0, &ret->after)) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Cannot deserialize value of type `long` from the after parameter");
        return false;
    }
    ret->is_archived = archived_wanted(call);
    return true;
}

static bool is_listed(const struct hs_record *record, bool is_archived)
{
    if (record->base.merged_into || record->is_purged) {
        return false;
    }
    return (record->base.archived_ms != 0) == is_archived;
}

static void put_paging(struct sim_call *call, const struct hs_kind *kind, int64_t limit,
                       int64_t after)
{
    buf_addf(call->body,
             ",\"paging\":{\"next\":{\"after\":\"%" PRId64
             "\",\"link\":\"https://api.hubapi.com/crm/v3/objects/%s?limit=%" PRId64
             "&after=%" PRId64 "\"}}",
             after, kind->spec->plural, limit, after);
}

static void objects_list(struct sim_call *call, struct hs_kind *kind)
{
    struct list_order order = {0};
    int64_t count = 0, next_id = 0;

    if (!list_read(call, kind, &order)) {
        return;
    }
    sim_put(call->body, "{\"results\":[");
    for (size_t i = sim_table_from(&kind->table, order.after); i < kind->table.count; i++) {
        const struct hs_record *record = (const struct hs_record *)kind->table.at[i];

        if (!is_listed(record, order.is_archived)) {
            continue;
        }
        if (count == order.limit) {
            next_id = record->base.id;
            break;
        }
        buf_add(call->body, count++ ? STR(",") : STR(""));
        hs_put_record(call, kind, record, &order.view, STR_NONE);
    }
    sim_put(call->body, "]");
    if (next_id) {
        put_paging(call, kind, order.limit, next_id);
    }
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* --- one record ------------------------------------------------------------------------------------ */

/* By id, or by the unique property that ?idProperty= names. False after answering an error. */
static bool record_resolve(struct sim_call *call, struct hs_kind *kind, struct str id,
                           struct hs_record **ret)
{
    struct str by = sim_query(call, "idProperty");
    const struct hs_property *property;
    long index;

    if (!by.len || str_equal(by, STR("hs_object_id"))) {
        *ret = hs_record_live(kind, id);
        return true;
    }
    index = hs_property_find(kind, by);
    if (index < 0 || !kind->properties[index].holders) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Unable to look up by non-unique %s property %" PRI_STR, kind->spec->type_id,
                 STR_ARG(by));
        return false;
    }
    property = &kind->properties[index];
    if (property->flags & HS_EMAIL) {
        id = utf8_lower(call->arena, id);
    }
    *ret = hs_record_by_id(kind, hs_unique_holder(property, id));
    return true;
}

static void object_get(struct sim_call *call, struct hs_kind *kind, struct str id)
{
    struct hs_record *record = NULL;
    struct hs_view view;

    if (!view_read(call, kind, &view)) {
        return;
    }
    if (archived_wanted(call)) {
        record = hs_record_any(kind, id);
        record = record && record->base.archived_ms && !record->base.merged_into ? record : NULL;
    } else if (!record_resolve(call, kind, id, &record)) {
        return;
    }
    if (!record) {
        hs_not_found(call, id);
        return;
    }
    hs_put_record(call, kind, record, &view, STR_NONE);
    sim_reply(call, 200);
}

/* Reads the body's properties. False after answering an error. */
static bool write_read(struct sim_call *call, struct hs_kind *kind, const struct hs_record *record,
                       const json_t *body, struct hs_write *ret)
{
    const json_t *properties = jx_get(body, "properties");
    struct hs_error error;

    if (!json_is_object(properties)) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Invalid input JSON: some required fields were not set: [properties]");
        return false;
    }
    hs_write_read(hs_of(call), kind, record, properties, call->arena, ret);
    if (ret->problems_count) {
        error = hs_error_invalid(call, ret);
        hs_fail(call, &error);
        return false;
    }
    return true;
}

static bool conflict_free(struct sim_call *call, struct hs_kind *kind,
                          const struct hs_record *record, const struct hs_write *write)
{
    int64_t holder = hs_write_conflict(kind, record, write);
    struct hs_error error;

    if (holder) {
        error = hs_error_exists(call, kind, holder);
        error.context = STR_NONE; /* only batches name the id in the context */
        hs_fail(call, &error);
    }
    return holder == 0;
}

static bool required_given(struct sim_call *call, const struct hs_kind *kind,
                           const struct hs_write *write)
{
    struct str missing = hs_write_missing(kind, write, call->arena);

    if (missing.len) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Error creating %s. Some required properties were not set: [%" PRI_STR "]",
                 kind->spec->upper, STR_ARG(missing));
    }
    return missing.len == 0;
}

static void object_create(struct sim_call *call, struct hs_kind *kind)
{
    struct hs_write write = {0};
    struct hs_record *record;
    struct hs_view view;
    json_t *body;

    if (!sim_json(call, &body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return;
    }
    if (!write_read(call, kind, NULL, body, &write) || !required_given(call, kind, &write) ||
        !conflict_free(call, kind, NULL, &write) ||
        !hs_links_check(call, kind, jx_get(body, "associations"))) {
        return;
    }
    record = hs_write_create(hs_of(call), kind, &write, &hs_source_app, call->now_ms);
    hs_links_apply(call, kind, record, jx_get(body, "associations"));
    hs_wrote(call, kind, record, true, body);
    hs_view_written(call, kind, &write, &view);
    hs_put_record(call, kind, record, &view, STR_NONE);
    sim_reply(call, 201);
}

static void object_change(struct sim_call *call, struct hs_kind *kind, struct str id)
{
    struct hs_write write = {0};
    struct hs_record *record = NULL;
    struct hs_view view;
    json_t *body;

    if (!sim_json(call, &body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return;
    }
    if (!record_resolve(call, kind, id, &record)) {
        return;
    }
    if (!record) {
        hs_not_found(call, id);
        return;
    }
    if (!write_read(call, kind, record, body, &write) ||
        !conflict_free(call, kind, record, &write)) {
        return;
    }
    hs_write_apply(hs_of(call), kind, record, &write, &hs_source_app, call->now_ms);
    hs_wrote(call, kind, record, false, body);
    hs_view_written(call, kind, &write, &view);
    hs_put_record(call, kind, record, &view, STR_NONE);
    sim_reply(call, 200);
}

/* Archiving what is archived already is no error; what never existed is. */
static void object_archive(struct sim_call *call, struct hs_kind *kind, struct str id)
{
    struct hs_record *record = hs_record_any(kind, id);

    if (!record) {
        hs_not_found(call, id);
        return;
    }
    if (hs_record_is_live(record)) {
        hs_record_archive(kind, record, call->now_ms);
        hs_news_of_record(hs_of(call), kind, "deletion", record->base.id, &hs_source_app,
                          call->now_ms);
        sim_wrote(call, "delete", kind->spec->plural, record->base.id, NULL);
    }
    sim_reply(call, 204);
}

/* --- merge, erase ---------------------------------------------------------------------------------- */

static bool merge_is_possible(struct sim_call *call, const struct hs_record *primary,
                              const struct hs_record *other)
{
    if (primary == other) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Cannot merge an object with itself");
        return false;
    }
    if (primary->merges + other->merges >= HS_MERGES_MAX) {
        hs_failf(call, 414, "VALIDATION_ERROR", "Cannot have more than %d identities on a profile",
                 HS_MERGES_MAX);
        return false;
    }
    return true;
}

static void objects_merge(struct sim_call *call, struct hs_kind *kind)
{
    struct error err = {0};
    struct str primary_id, other_id;
    struct hs_record *primary, *other;
    struct hs_view view;
    json_t *body;

    if (!sim_json(call, &body) || jx_id(call->arena, body, "primaryObjectId", &primary_id, &err) ||
        jx_id(call->arena, body, "objectIdToMerge", &other_id, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return;
    }
    primary = hs_record_live(kind, primary_id);
    other = hs_record_live(kind, other_id);
    if (!primary || !other) {
        hs_not_found(call, primary ? other_id : primary_id);
        return;
    }
    if (!merge_is_possible(call, primary, other)) {
        return;
    }
    primary = hs_record_merge(hs_of(call), kind, primary, other, call->now_ms);
    sim_wrote(call, "merge", kind->spec->plural, primary->base.id, body);
    hs_view_init(call, kind, STR("hs_merged_object_ids,email,firstname,lastname,name,domain"),
                 &view);
    hs_put_record(call, kind, primary, &view, STR_NONE);
    sim_reply(call, 200);
}

/* Also an address nobody has is kept from coming back. */
static void address_block(struct sim_call *call, struct str email)
{
    json_object_setn_new_nocheck(hs_of(call)->blocked, email.at, email.len, json_true());
}

static void objects_erase(struct sim_call *call, struct hs_kind *kind)
{
    struct error err = {0};
    struct str id, by;
    struct hs_record *record;
    json_t *body;

    if (!sim_json(call, &body) || jx_id(call->arena, body, "objectId", &id, &err) ||
        jx_str_or(body, "idProperty", STR("hs_object_id"), &by, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return;
    }
    if (str_equal(by, STR("email"))) {
        id = utf8_lower(call->arena, id);
        address_block(call, id);
        record = hs_record_by_id(kind, hs_email_holder(kind, id));
    } else {
        record = hs_record_any(kind, id);
        if (!record) {
            hs_not_found(call, id);
            return;
        }
    }
    if (record) {
        hs_record_purge(kind, record, call->now_ms);
        hs_news_of_record(hs_of(call), kind, "privacyDeletion", record->base.id, &hs_source_app,
                          call->now_ms);
        hs_news_of_record(hs_of(call), kind, "deletion", record->base.id, &hs_source_app,
                          call->now_ms);
        sim_wrote(call, "delete", kind->spec->plural, record->base.id, NULL);
    }
    sim_reply(call, 204);
}

/* --- routing --------------------------------------------------------------------------------------- */

static void collection_serve(struct sim_call *call, struct hs_kind *kind)
{
    if (call->request->method == HTTP_GET) {
        objects_list(call, kind);
    } else if (call->request->method == HTTP_POST) {
        object_create(call, kind);
    } else {
        hs_failf(call, 405, NULL, "method not allowed");
    }
}

static void object_serve(struct sim_call *call, struct hs_kind *kind, struct str id)
{
    switch (call->request->method) {
    case HTTP_GET:
        object_get(call, kind, id);
        break;
    case HTTP_PATCH:
        object_change(call, kind, id);
        break;
    case HTTP_DELETE:
        object_archive(call, kind, id);
        break;
    case HTTP_POST:
    case HTTP_PUT:
        hs_failf(call, 405, NULL, "method not allowed");
        break;
    }
}

/* POST …/search, …/merge, …/gdpr-delete. */
static bool verb_serve(struct sim_call *call, const struct hs_route *route, struct hs_kind *kind)
{
    if (call->request->method != HTTP_POST) {
        return false;
    }
    if (hs_route_is(route, 3, "search")) {
        hs_search_serve(call, kind);
    } else if (hs_route_is(route, 3, "merge") && !kind->spec->is_activity) {
        objects_merge(call, kind);
    } else if (hs_route_is(route, 3, "gdpr-delete") && kind->spec->unique_email) {
        objects_erase(call, kind);
    } else {
        return false;
    }
    return true;
}

void hs_objects_serve(struct sim_call *call, const struct hs_route *route)
{
    struct hs_kind *kind = route->count > 2 ? hs_kind_find(hs_of(call), route->at[2]) : NULL;

    if (route->count < 3) {
        hs_no_resource(call);
    } else if (!kind) {
        hs_unknown_type(call, route->at[2]);
    } else if (route->count == 3) {
        collection_serve(call, kind);
    } else if (route->count == 4) {
        if (!verb_serve(call, route, kind)) {
            object_serve(call, kind, route->at[3]);
        }
    } else if (hs_route_is(route, 3, "batch") && route->count == 5) {
        hs_batch_serve(call, kind, route->at[4]);
    } else if (hs_route_is(route, 4, "associations")) {
        hs_record_links_serve(call, route, kind);
    } else {
        hs_no_resource(call);
    }
}
