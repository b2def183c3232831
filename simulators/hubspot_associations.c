/* Associations over HTTP: of one record (/crm/objects/…/{id}/associations/…) and in batches (/crm/associations/…). */
#include "simulators/hubspot_inside.h"

#include <inttypes.h>

#include "core/jx.h"

enum { PAGE_MAX = 500, READ_MAX = 1000, WRITE_MAX = 2000, LABELS_MAX = 32 };

/* --- checking -------------------------------------------------------------------------------------- */

struct ends {
    struct hs_kind *kind, *to_kind;
    struct hs_record *record, *to;
};

/* The types in [{"associationCategory","associationTypeId"}]; count 0 after an unknown one. */
struct types {
    const struct hs_link_type *at[LABELS_MAX];
    size_t count;
};

static bool types_read(struct hubspot *hs, const struct hs_kind *from, const struct hs_kind *to,
                       const json_t *json, struct types *ret)
{
    size_t index;
    json_t *each;

    *ret = (struct types){0};
    json_array_foreach(json, index, each)
    {
        const json_t *id = jx_get(each, "associationTypeId");
        const struct hs_link_type *type = hs_link_type_find(hs, from, to, json_integer_value(id));

        if (!type || ret->count == LABELS_MAX) {
            return false;
        }
        ret->at[ret->count++] = type;
    }
    return true;
}

static void refuse_type(struct sim_call *call, const struct hs_kind *from, const struct hs_kind *to)
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
        if (ret->to && types_read(hs, kind, ret->to_kind, list, types)) {
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

static void types_apply(struct sim_call *call, const struct ends *ends, const struct types *types)
{
    for (size_t i = 0; i < types->count; i++) {
        hs_link_add(hs_of(call), ends->kind, ends->record, types->at[i], ends->to);
    }
    sim_count_writes(call, 1);
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
            types_apply(call, &ends, &types);
        }
    }
}

/* --- answers --------------------------------------------------------------------------------------- */

static void put_type(struct buf *body, const struct hs_link_type *type)
{
    buf_addf(body, "{\"category\":\"%s\",\"typeId\":%u,\"label\":",
             type->category == HS_LINK_USER ? "USER_DEFINED" : "HUBSPOT_DEFINED", type->id);
    sim_put_text(body, str_of(type->label));
    sim_put(body, "}");
}

static void put_link(struct sim_call *call, const struct hs_kind *kind, const struct hs_link *link)
{
    struct buf *body = call->body;

    /* The id is a number here, though the specification says string. */
    buf_addf(body, "{\"toObjectId\":%" PRId64 ",\"associationTypes\":[", link->to_id);
    for (size_t i = 0, shown = 0; i < link->types_count; i++) {
        const struct hs_link_type *type =
            hs_link_type_find(hs_of(call), kind, link->kind, link->types[i]);

        if (type) {
            sim_put(body, shown++ ? "," : "");
            put_type(body, type);
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

typedef void put_row(struct sim_call *call, const struct hs_kind *kind, const struct hs_link *link);

static bool is_shown(const struct hs_link *link, const struct hs_kind *to_kind)
{
    const struct hs_record *other;

    if (link->kind != to_kind) {
        return false;
    }
    other = hs_record_by_id(to_kind, link->to_id);
    return other && hs_record_is_live(other);
}

/* Rows from index `from` of the record's links; returns the index to go on at, 0 at the end. */
static size_t put_links(struct sim_call *call, const struct ends *ends, size_t from, int64_t limit,
                        put_row *put)
{
    int64_t count = 0;

    for (size_t i = from; i < ends->record->links_count; i++) {
        const struct hs_link *link = &ends->record->links[i];

        if (!is_shown(link, ends->to_kind)) {
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

static void put_next(struct sim_call *call, size_t next)
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

    if (!sim_query_i64(call, "limit", PAGE_MAX, &limit) || limit < 1 || limit > PAGE_MAX ||
        !sim_query_i64(call, "after", 0, &after) || after < 0) {
        hs_failf(call, 400, "VALIDATION_ERROR", "limit must be between 1 and 500, after a cursor");
        return;
    }
    sim_put(call->body, "{\"results\":[");
    next = put_links(call, ends, (size_t)after, limit, is_v3 ? put_link_v3 : put_link);
    sim_put(call->body, "]");
    put_next(call, next);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static void put_spec(struct sim_call *call, const struct ends *ends,
                     const struct hs_link_type *type)
{
    buf_addf(call->body,
             "{\"from\":{\"id\":\"%" PRId64 "\"},\"to\":{\"id\":\"%" PRId64
             "\"},\"associationSpec\":{\"associationCategory\":\"%s\",\"associationTypeId\":%u}}",
             ends->record->base.id, ends->to->base.id,
             type->category == HS_LINK_USER ? "USER_DEFINED" : "HUBSPOT_DEFINED", type->id);
}

static void put_end(struct sim_call *call)
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
        refuse_type(call, ends->kind, ends->to_kind);
        return;
    }
    types_apply(call, ends, &types);
    sim_put(call->body, "{\"status\":\"COMPLETE\",\"results\":[");
    put_spec(call, ends, types.at[0]);
    sim_put(call->body, ",");
    put_spec(call, &back, hs_link_default(hs_of(call), ends->to_kind, ends->kind));
    sim_put(call->body, "]");
    put_end(call);
    sim_reply(call, 200);
}

static void put_labels(struct sim_call *call, const struct types *types)
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
        !types_read(hs_of(call), ends->kind, ends->to_kind, body, &types)) {
        refuse_type(call, ends->kind, ends->to_kind);
        return;
    }
    hs_link_remove(hs_of(call), ends->kind, ends->record, ends->to_kind, ends->to, NULL);
    types_apply(call, ends, &types);
    buf_addf(call->body,
             "{\"fromObjectTypeId\":\"%s\",\"fromObjectId\":%" PRId64
             ",\"toObjectTypeId\":\"%s\",\"toObjectId\":%" PRId64 ",\"labels\":",
             ends->kind->spec->type_id, ends->record->base.id, ends->to_kind->spec->type_id,
             ends->to->base.id);
    put_labels(call, &types);
    sim_put(call->body, "}");
    sim_reply(call, 201);
}

static void link_delete(struct sim_call *call, const struct ends *ends)
{
    hs_link_remove(hs_of(call), ends->kind, ends->record, ends->to_kind, ends->to, NULL);
    sim_count_writes(call, 1);
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

/* --- batches --------------------------------------------------------------------------------------- */

struct batch {
    struct sim_call *call;
    struct hs_kind *kind, *to_kind;
    json_t *inputs;
    size_t results, errors_count;
    struct buf errors;
};

static void error_row(struct batch *batch, const char *sub_category, struct str message,
                      struct str from, struct str to)
{
    struct buf *rows = &batch->errors;

    buf_addf(rows,
             "%s{\"status\":\"error\",\"category\":\"%s\",\"subCategory\":\"%s\",\"message\":",
             batch->errors_count++ ? "," : "", to.at ? "VALIDATION_ERROR" : "OBJECT_NOT_FOUND",
             sub_category);
    sim_put_text(rows, message);
    sim_put(rows, ",\"context\":{\"fromObjectId\":[");
    sim_put_text(rows, from);
    sim_put(rows, "]");
    if (to.at) {
        sim_put(rows, ",\"toObjectId\":[");
        sim_put_text(rows, to);
        sim_put(rows, "]");
    }
    buf_addf(rows, ",\"fromObjectType\":[\"%s\"],\"toObjectType\":[\"%s\"]}}",
             batch->kind->spec->singular, batch->to_kind->spec->singular);
}

static void batch_begin(struct batch *batch)
{
    buf_init(&batch->errors, 64 * HS_TEXT_BYTES_MAX);
    sim_put(batch->call->body, "{\"status\":\"COMPLETE\",\"results\":[");
}

static void batch_end(struct batch *batch, int status)
{
    sim_put(batch->call->body, "]");
    if (batch->errors_count) {
        buf_addf(batch->call->body, ",\"numErrors\":%zu,\"errors\":[", batch->errors_count);
        buf_add(batch->call->body, buf_str(&batch->errors));
        sim_put(batch->call->body, "]");
    }
    put_end(batch->call);
    sim_reply(batch->call, batch->errors_count ? 207 : status);
    buf_fini(&batch->errors);
}

static bool has_links(const struct hs_record *record, const struct hs_kind *to_kind)
{
    for (size_t i = 0; i < record->links_count; i++) {
        if (is_shown(&record->links[i], to_kind)) {
            return true;
        }
    }
    return false;
}

static void read_one(struct batch *batch, const json_t *input)
{
    struct sim_call *call = batch->call;
    struct ends ends = {.kind = batch->kind, .to_kind = batch->to_kind};
    struct error err = {0};
    struct str id = STR("");
    int64_t after = 0;
    size_t next;

    if (jx_id(call->arena, input, "id", &id, &err) == OK) {
        ends.record = hs_record_live(batch->kind, id);
    }
    str_to_i64(jx_text_of(jx_get(input, "after")), &after);
    if (!ends.record || !has_links(ends.record, batch->to_kind)) {
        struct str message =
            arena_printf(call->arena, "No %s is associated with %s %" PRI_STR ".",
                         batch->to_kind->spec->singular, batch->kind->spec->singular, STR_ARG(id));

        error_row(batch, "crm.associations.NO_ASSOCIATIONS_FOUND", message, id, STR_NONE);
        return;
    }
    buf_addf(call->body, "%s{\"from\":{\"id\":\"%" PRId64 "\"},\"to\":[",
             batch->results++ ? "," : "", ends.record->base.id);
    next = put_links(call, &ends, after > 0 ? (size_t)after : 0, PAGE_MAX, put_link);
    sim_put(call->body, "]");
    put_next(call, next);
    sim_put(call->body, "}");
}

static void batch_read(struct batch *batch)
{
    size_t index;
    json_t *input;

    batch_begin(batch);
    json_array_foreach(batch->inputs, index, input)
    {
        read_one(batch, input);
    }
    batch_end(batch, 200);
}

/* Both ends of one input. False after adding its error row. */
static bool input_ends(struct batch *batch, const json_t *input, struct ends *ret)
{
    struct sim_call *call = batch->call;
    struct str from = STR(""), to = STR("");
    struct error err = {0};

    *ret = (struct ends){.kind = batch->kind, .to_kind = batch->to_kind};
    if (jx_id(call->arena, jx_get(input, "from"), "id", &from, &err) == OK &&
        jx_id(call->arena, jx_get(input, "to"), "id", &to, &err) == OK) {
        ret->record = hs_record_live(batch->kind, from);
        ret->to = hs_record_live(batch->to_kind, to);
    }
    if (ret->record && ret->to && ret->record != ret->to) {
        return true;
    }
    error_row(batch, "crm.associations.INVALID_IDENTIFIER", STR("One of the objects is not valid"),
              from, to);
    return false;
}

static void create_one(struct batch *batch, const json_t *input)
{
    struct sim_call *call = batch->call;
    struct types types;
    struct ends ends;

    if (!input_ends(batch, input, &ends)) {
        return;
    }
    if (!types_read(hs_of(call), batch->kind, batch->to_kind, jx_get(input, "types"), &types) ||
        types.count == 0) {
        error_row(batch, "crm.associations.INVALID_ASSOCIATION_TYPE",
                  STR("The association type is not valid"), STR(""), STR(""));
        return;
    }
    types_apply(call, &ends, &types);
    buf_addf(call->body,
             "%s{\"fromObjectTypeId\":\"%s\",\"fromObjectId\":%" PRId64
             ",\"toObjectTypeId\":\"%s\",\"toObjectId\":%" PRId64 ",\"labels\":",
             batch->results++ ? "," : "", batch->kind->spec->type_id, ends.record->base.id,
             batch->to_kind->spec->type_id, ends.to->base.id);
    put_labels(call, &types);
    sim_put(call->body, "}");
}

static void batch_create(struct batch *batch)
{
    size_t index;
    json_t *input;

    batch_begin(batch);
    json_array_foreach(batch->inputs, index, input)
    {
        create_one(batch, input);
    }
    batch_end(batch, 201);
}

static void batch_default(struct batch *batch)
{
    struct types types = {.at = {hs_link_default(hs_of(batch->call), batch->kind, batch->to_kind)},
                          .count = 1};
    size_t index;
    json_t *input;

    if (!types.at[0]) {
        refuse_type(batch->call, batch->kind, batch->to_kind);
        return;
    }
    batch_begin(batch);
    json_array_foreach(batch->inputs, index, input)
    {
        struct ends ends;

        if (input_ends(batch, input, &ends)) {
            types_apply(batch->call, &ends, &types);
            sim_put(batch->call->body, batch->results++ ? "," : "");
            put_spec(batch->call, &ends, types.at[0]);
        }
    }
    batch_end(batch, 200);
}

/* batch/archive: {"from","to":[{"id"},…]}. */
static void archive_one(struct batch *batch, const json_t *input)
{
    struct sim_call *call = batch->call;
    struct error err = {0};
    struct str from, to;
    struct hs_record *record;
    size_t index;
    json_t *each;

    if (jx_id(call->arena, jx_get(input, "from"), "id", &from, &err)) {
        return;
    }
    record = hs_record_live(batch->kind, from);
    json_array_foreach(jx_get(input, "to"), index, each)
    {
        struct hs_record *other =
            jx_id(call->arena, each, "id", &to, &err) ? NULL : hs_record_live(batch->to_kind, to);

        if (record && other) {
            hs_link_remove(hs_of(call), batch->kind, record, batch->to_kind, other, NULL);
            sim_count_writes(call, 1);
        }
    }
}

static void batch_archive(struct batch *batch)
{
    size_t index;
    json_t *input;

    json_array_foreach(batch->inputs, index, input)
    {
        archive_one(batch, input);
    }
    sim_reply(batch->call, 204);
}

static void batch_unlabel(struct batch *batch)
{
    struct hubspot *hs = hs_of(batch->call);
    size_t index;
    json_t *input;

    buf_init(&batch->errors, 64 * HS_TEXT_BYTES_MAX);
    json_array_foreach(batch->inputs, index, input)
    {
        struct types types;
        struct ends ends;

        if (!input_ends(batch, input, &ends) ||
            !types_read(hs, batch->kind, batch->to_kind, jx_get(input, "types"), &types)) {
            continue;
        }
        for (size_t i = 0; i < types.count; i++) {
            hs_link_remove(hs, batch->kind, ends.record, batch->to_kind, ends.to, types.at[i]);
        }
        sim_count_writes(batch->call, 1);
    }
    buf_fini(&batch->errors);
    sim_reply(batch->call, 204);
}

struct operation {
    const char *name, *part; /* …/batch/name[/part] */
    size_t most;
    void (*run)(struct batch *batch);
};

static const struct operation operations[] = {
    {"read", NULL, READ_MAX, batch_read},
    {"create", NULL, WRITE_MAX, batch_create},
    {"associate", "default", WRITE_MAX, batch_default},
    {"archive", NULL, WRITE_MAX, batch_archive},
    {"labels", "archive", WRITE_MAX, batch_unlabel},
};

static const struct operation *operation_find(const struct hs_route *route)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        const struct operation *operation = &operations[i];
        size_t count = operation->part ? 7 : 6;

        if (route->count == count && hs_route_is(route, 5, operation->name) &&
            (!operation->part || hs_route_is(route, 6, operation->part))) {
            return operation;
        }
    }
    return NULL;
}

static void batch_serve(struct sim_call *call, const struct hs_route *route, struct batch *batch)
{
    const struct operation *operation = operation_find(route);
    json_t *body;

    if (!operation || call->request->method != HTTP_POST) {
        hs_no_resource(call);
        return;
    }
    if (!sim_json(call, &body) || !json_is_array(batch->inputs = jx_get(body, "inputs"))) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Invalid input JSON: some required fields were not set: [inputs]");
        return;
    }
    if (json_array_size(batch->inputs) > operation->most) {
        hs_failf(call, 400, "VALIDATION_ERROR", "at most %zu inputs in this batch",
                 operation->most);
        return;
    }
    operation->run(batch);
}

/* --- labels ---------------------------------------------------------------------------------------- */

static void labels_list(struct sim_call *call, const struct batch *pair)
{
    const struct hubspot *hs = hs_of(call);
    size_t shown = 0;

    sim_put(call->body, "{\"results\":[");
    for (size_t i = 0; i < hs->link_types_count; i++) {
        const struct hs_link_type *type = &hs->link_types[i];

        if (type->from == pair->kind && type->to == pair->to_kind && !type->is_archived) {
            sim_put(call->body, shown++ ? "," : "");
            put_type(call->body, type);
        }
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

static void label_create(struct sim_call *call, const struct batch *pair)
{
    const struct hs_link_type *type, *reverse;
    struct error err = {0};
    struct str label, inverse;
    json_t *body;

    if (!sim_json(call, &body) || jx_str(body, "label", &label, &err) ||
        jx_str_or(body, "inverseLabel", STR(""), &inverse, &err)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: %s", err.message);
        return;
    }
    type = hs_link_type_add(hs_of(call), pair->kind, pair->to_kind, label, inverse);
    if (!type) {
        hs_failf(call, 400, "VALIDATION_ERROR", "This pair of objects has too many labels");
        return;
    }
    sim_put(call->body, "{\"results\":[");
    put_type(call->body, type);
    reverse = hs_link_type_find(hs_of(call), pair->to_kind, pair->kind, type->reverse_id);
    if (reverse && reverse != type) {
        sim_put(call->body, ",");
        put_type(call->body, reverse);
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

static void label_delete(struct sim_call *call, const struct batch *pair, struct str id)
{
    const struct hs_link_type *type;
    int64_t number = 0;

    str_to_i64(id, &number);
    type = hs_link_type_find(hs_of(call), pair->kind, pair->to_kind, number);
    if (!type || type->category != HS_LINK_USER) {
        hs_failf(call, 404, "OBJECT_NOT_FOUND", "No such label");
        return;
    }
    hs_link_type_remove(hs_of(call), type);
    sim_reply(call, 204);
}

static void labels_serve(struct sim_call *call, const struct hs_route *route,
                         const struct batch *pair)
{
    if (route->count == 5 && call->request->method == HTTP_GET) {
        labels_list(call, pair);
    } else if (route->count == 5 && call->request->method == HTTP_POST) {
        label_create(call, pair);
    } else if (route->count == 6 && call->request->method == HTTP_DELETE) {
        label_delete(call, pair, route->at[5]);
    } else {
        hs_failf(call, 405, NULL, "method not allowed");
    }
}

/* crm/associations/{from}/{to}/… */
void hs_associations_serve(struct sim_call *call, const struct hs_route *route)
{
    struct batch batch = {.call = call};

    if (route->count < 5) {
        hs_no_resource(call);
        return;
    }
    batch.kind = hs_kind_find(hs_of(call), route->at[2]);
    batch.to_kind = hs_kind_find(hs_of(call), route->at[3]);
    if (!batch.kind || !batch.to_kind) {
        hs_unknown_type(call, batch.kind ? route->at[3] : route->at[2]);
    } else if (hs_route_is(route, 4, "labels")) {
        labels_serve(call, route, &batch);
    } else if (hs_route_is(route, 4, "batch")) {
        batch_serve(call, route, &batch);
    } else {
        hs_no_resource(call);
    }
}
