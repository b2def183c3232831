/* Where events are delivered to: how it goes, and what a person decides about it. docs/events.md. */
#include "api/event.h"
#include "api/handlers.h"
#include "api/json.h"
#include "store/audit.h"
#include "store/endpoint.h"

static json_t *json_endpoint(const struct store_endpoint *endpoint, int64_t dead)
{
    json_t *row = json_object();

    json_object_set_new(row, "endpoint", json_text(endpoint->name));
    json_object_set_new(row, "state", json_string(endpoint_state_name(endpoint->state)));
    json_object_set_new(row, "delivered", json_integer(endpoint->delivered));
    json_object_set_new(row, "failed", json_integer(endpoint->failed));
    json_object_set_new(row, "dead", json_integer(dead));
    json_object_set_new(row, "failing_since", json_time(endpoint->failing_since_ms));
    json_object_set_new(row, "next_at",
                        json_time(endpoint->failures && endpoint->state == ENDPOINT_ACTIVE
                                      ? endpoint->next_ms
                                      : 0));
    json_object_set_new(row, "reason", json_text(endpoint->reason));
    return row;
}

enum fail handle_endpoints_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    json_t *rows = jx_own(call->arena, json_array());
    struct store_endpoint *endpoints;
    size_t count;

    if (api_read(call, &tx, err) != OK ||
        endpoint_list(tx, call->arena, &endpoints, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t dead = 0;

        if (dead_event_count(tx, endpoints[i].id, &dead, err) != OK) {
            return err->code;
        }
        if (endpoints[i].state != ENDPOINT_REMOVED || dead) {
            json_array_append_new(rows, json_endpoint(&endpoints[i], dead));
        }
    }
    api_page(call, json_incref(rows), 0);
    return tx_commit(&tx, err);
}

static enum fail find_endpoint(struct api_call *call, struct tx *tx, struct str name,
                               struct store_endpoint *ret, struct error *err)
{
    bool found;

    if (endpoint_by_name(tx, name, call->arena, ret, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no endpoint '%" PRI_STR "' for events", STR_ARG(name));
        error_hint(err, "list them with 'crmsync events list'; a new one is known when the service "
                        "has read its configuration");
        return api_status(call, 404, err);
    }
    return OK;
}

static enum fail enable(struct api_call *call, struct tx *tx, struct store_endpoint *endpoint,
                        struct error *err)
{
    const struct audit_note note = {
        .action = "endpoint.enabled",
        .subject = arena_printf(call->arena, "endpoint %" PRI_STR, STR_ARG(endpoint->name))};

    if (endpoint->state == ENDPOINT_REMOVED) {
        error_set(err, FAIL_RECORD, "endpoint '%" PRI_STR "' is not configured any more",
                  STR_ARG(endpoint->name));
        error_hint(err, "put it back under 'events: endpoints:'; it starts anew then");
        return api_status(call, 409, err);
    }
    endpoint->state = ENDPOINT_ACTIVE;
    endpoint->refusals = endpoint->failures = endpoint->failing_since_ms = endpoint->next_ms = 0;
    endpoint->reason = STR("");
    return endpoint_put(tx, endpoint, err) != OK ? err->code : audit_put(tx, &note, err);
}

enum fail handle_endpoint_enable(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_endpoint endpoint;

    if (api_write(call, &tx, err) != OK ||
        find_endpoint(call, tx, api_parameter(call, "name"), &endpoint, err) != OK ||
        enable(call, tx, &endpoint, err) != OK) {
        return err->code;
    }
    call->status = 204;
    return tx_commit(&tx, err);
}

/* --- events that were given up -------------------------------------------------------------------------------------------------- */

static struct str name_of(const struct store_endpoint *endpoints, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (endpoints[i].id == id) {
            return endpoints[i].name;
        }
    }
    return STR("");
}

/* What it is about, as far as the journal still knows. */
static enum fail describe(struct api_call *call, struct tx *tx, const struct dead_event *dead,
                          json_t *row, struct error *err)
{
    static const struct event_filter ALL = {.fields = EVENT_FIELDS_NONE};
    struct feed_item item;
    struct event event;
    bool found, is_one = false;

    if (feed_item(tx, dead->journal, dead->conflict, call->arena, &item, &found, err) != OK ||
        (found && event_make(tx, &item, &ALL, call->arena, &event, &is_one, err) != OK)) {
        return err->code;
    }
    json_object_set_new(row, "event",
                        found ? json_text(event_id(call->arena, &item)) : json_null());
    json_object_set_new(row, "type",
                        is_one ? json_string(event_type_name(event.type)) : json_null());
    json_object_set_new(row, "at", json_time(found ? item.at_ms : 0));
    return OK;
}

static enum fail json_dead(struct api_call *call, struct tx *tx, const struct dead_event *dead,
                           struct str endpoint, json_t *rows, struct error *err)
{
    json_t *row = json_object();

    json_array_append_new(rows, row);
    json_object_set_new(row, "id", json_integer(dead->id));
    json_object_set_new(row, "endpoint", json_text(endpoint));
    if (describe(call, tx, dead, row, err) != OK) {
        return err->code;
    }
    json_object_set_new(row, "tries", json_integer(dead->attempts));
    json_object_set_new(row, "reason", json_text(dead->reason));
    json_object_set_new(row, "given_up_at", json_time(dead->died_ms));
    json_object_set_new(row, "is_sent_again", json_boolean(dead->is_to_send));
    return OK;
}

enum fail handle_dead_events_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    json_t *rows = jx_own(call->arena, json_array());
    struct store_endpoint *endpoints, one = {0};
    struct str name = api_query(call, "endpoint");
    size_t endpoints_count, limit, count;
    struct dead_event *dead;
    int64_t after;

    if (api_query_limit(call, &limit, err) != OK || api_query_after(call, &after, err) != OK ||
        api_read(call, &tx, err) != OK ||
        (name.len && find_endpoint(call, tx, name, &one, err) != OK) ||
        endpoint_list(tx, call->arena, &endpoints, &endpoints_count, err) != OK ||
        dead_event_list(tx, one.id, false, after, limit, call->arena, &dead, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (json_dead(call, tx, &dead[i], name_of(endpoints, endpoints_count, dead[i].endpoint_id),
                      rows, err) != OK) {
            return err->code;
        }
    }
    api_page(call, json_incref(rows), count == limit ? dead[count - 1].id : 0);
    return tx_commit(&tx, err);
}

enum fail handle_dead_event_resend(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    bool found;
    int64_t id;

    if (api_parameter_id(call, "id", &id, err) != OK || api_write(call, &tx, err) != OK ||
        dead_event_send(tx, id, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no event %lld that was given up", (long long)id);
        error_hint(err, "list them with 'crmsync events dead'");
        return api_status(call, 404, err);
    }
    call->status = 204;
    return tx_commit(&tx, err);
}
