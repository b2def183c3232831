/* Syncs and comparisons that are asked for: they run in the service, and say here how far they are. */
#include <stdio.h>

#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"

static enum fail read_name(struct api_call *call, const char *member, char ret[API_NAME_BYTES],
                           struct error *err)
{
    struct str text;

    if (jx_str_or(call->body, member, STR(""), &text, err) != OK || text.len >= API_NAME_BYTES) {
        return error_set(err, FAIL_CONFIG, "'%s' is a name", member);
    }
    snprintf(ret, API_NAME_BYTES, "%" PRI_STR, STR_ARG(text));
    return OK;
}

/* Names that do not exist would quietly do nothing. */
static enum fail check_names(struct api_call *call, const struct api_order *order,
                             struct error *err)
{
    const struct connection_settings *settings;
    const struct kind *kind;

    if (order->connection[0] &&
        api_connection(call, str_of(order->connection), &settings, err) != OK) {
        return err->code;
    }
    return order->kind[0] ? kind_named(call->setup.kinds, str_of(order->kind), &kind, err) : OK;
}

static enum fail read_where(struct api_call *call, struct api_order *ret, struct error *err)
{
    *ret = (struct api_order){.tenant_id = call->tenant->id};
    snprintf(ret->tenant, sizeof ret->tenant, "%" PRI_STR, STR_ARG(call->tenant->name));
    if (read_name(call, "connection", ret->connection, err) != OK ||
        read_name(call, "kind", ret->kind, err) != OK) {
        return err->code;
    }
    return check_names(call, ret, err);
}

static enum fail read_order(struct api_call *call, struct api_order *ret, struct error *err)
{
    if (read_where(call, ret, err) != OK) {
        return err->code;
    }
    if (jx_bool_or(call->body, "pull", true, &ret->pull, err) != OK ||
        jx_bool_or(call->body, "push", true, &ret->push, err) != OK ||
        jx_bool_or(call->body, "full", false, &ret->full, err) != OK ||
        jx_i64_or(call->body, "budget", 0, &ret->budget, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (ret->budget < 0 || (!ret->pull && !ret->push)) {
        return error_set(err, FAIL_CONFIG,
                         "a sync reads ('pull') or writes ('push'), and 'budget' is from 0 up");
    }
    return OK;
}

static enum fail place_order(struct api_call *call, struct api_order *order, struct error *err)
{
    struct error ended;

    if (orders_add(call->api->orders, order, err) != OK) {
        return err->code;
    }
    if (call->host->sync(call->host->context, order, err) != OK) {
        ended = *err;
        orders_end(call->api->orders, str_of(order->id), NULL, &ended);
        return err->code;
    }
    call->status = 202;
    api_header(call, "Location", arena_printf(call->arena, "/api/crm/sync/%s", order->id));
    api_answer(call, orders_json(call->api->orders, order->tenant_id, str_of(order->id)));
    return OK;
}

enum fail handle_sync_order(struct api_call *call, struct error *err)
{
    struct api_order order;

    if (!call->host->sync) {
        return api_not_offered(call, "syncs", err);
    }
    return read_order(call, &order, err) == OK ? place_order(call, &order, err) : err->code;
}

enum fail handle_reconcile_order(struct api_call *call, struct error *err)
{
    struct api_order order;

    if (!call->host->sync) {
        return api_not_offered(call, "comparisons", err);
    }
    if (read_where(call, &order, err) != OK) {
        return err->code;
    }
    order.compares = true;
    if (jx_bool_or(call->body, "repair", false, &order.repairs, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    return place_order(call, &order, err);
}

enum fail handle_sync_get(struct api_call *call, struct error *err)
{
    json_t *tree = orders_json(call->api->orders, call->tenant->id, api_parameter(call, "id"));

    if (!tree) {
        error_set(err, FAIL_RECORD, "no such sync was asked for, or it is too long ago");
        error_hint(err, "'crmsync runs' lists what ran");
        return api_status(call, 404, err);
    }
    api_answer(call, tree);
    return OK;
}
