/* /crm/associations/{from}/{to}/…: batches and labels. */
#include "simulators/hubspot_associations.h"

#include <inttypes.h>

#include "core/jx.h"

enum { READ_MAX = 1000, WRITE_MAX = 2000 };

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
    hs_put_batch_end(batch->call);
    sim_reply(batch->call, batch->errors_count ? 207 : status);
    buf_fini(&batch->errors);
}

static bool has_links(const struct hs_record *record, const struct hs_kind *to_kind)
{
    for (size_t i = 0; i < record->links_count; i++) {
        if (hs_link_is_shown(&record->links[i], to_kind)) {
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
    next = hs_put_links(call, &ends, after > 0 ? (size_t)after : 0, HS_LINK_PAGE_MAX, hs_put_link);
    sim_put(call->body, "]");
    hs_put_next(call, next);
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
    if (!hs_types_read(hs_of(call), batch->kind, batch->to_kind, jx_get(input, "types"), &types) ||
        types.count == 0) {
        error_row(batch, "crm.associations.INVALID_ASSOCIATION_TYPE",
                  STR("The association type is not valid"), STR(""), STR(""));
        return;
    }
    hs_types_apply(call, &ends, &types);
    hs_wrote_link(call, "associate", &ends, &types);
    buf_addf(call->body,
             "%s{\"fromObjectTypeId\":\"%s\",\"fromObjectId\":%" PRId64
             ",\"toObjectTypeId\":\"%s\",\"toObjectId\":%" PRId64 ",\"labels\":",
             batch->results++ ? "," : "", batch->kind->spec->type_id, ends.record->base.id,
             batch->to_kind->spec->type_id, ends.to->base.id);
    hs_put_link_labels(call, &types);
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
        hs_types_refuse(batch->call, batch->kind, batch->to_kind);
        return;
    }
    batch_begin(batch);
    json_array_foreach(batch->inputs, index, input)
    {
        struct ends ends;

        if (input_ends(batch, input, &ends)) {
            hs_types_apply(batch->call, &ends, &types);
            hs_wrote_link(batch->call, "associate", &ends, &types);
            sim_put(batch->call->body, batch->results++ ? "," : "");
            hs_put_link_spec(batch->call, &ends, types.at[0]);
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
            hs_wrote_link(call, "dissociate",
                          &(const struct ends){batch->kind, batch->to_kind, record, other}, NULL);
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
            !hs_types_read(hs, batch->kind, batch->to_kind, jx_get(input, "types"), &types)) {
            continue;
        }
        for (size_t i = 0; i < types.count; i++) {
            hs_link_remove(hs, batch->kind, ends.record, batch->to_kind, ends.to, types.at[i]);
        }
        hs_wrote_link(batch->call, "dissociate", &ends, &types);
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
            hs_put_link_type(call->body, type);
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
    hs_put_link_type(call->body, type);
    reverse = hs_link_type_find(hs_of(call), pair->to_kind, pair->kind, type->reverse_id);
    if (reverse && reverse != type) {
        sim_put(call->body, ",");
        hs_put_link_type(call->body, reverse);
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
    if (!type || type->category != HS_LINK_USER || !type->label) {
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
