/* Wiring of the mass and event doors, and POST /__sim/events. */
#include "simulators/salesforce_doors.h"

#include "core/alloc.h"
#include "core/jx.h"

enum { FIRST_JOB = 1000, CLIENTS_MAX = 1000000 };

struct sf_doors *sf_doors_new(uint64_t seed)
{
    struct sf_doors *doors = alloc_new(1, sizeof(*doors));

    sf_bus_init(&doors->bus, seed);
    doors->cometd = sf_cometd_new(seed);
    doors->outbound = sf_outbound_new(seed);
    doors->bulk = sf_bulk_new(FIRST_JOB);
    return doors;
}

void sf_doors_free(struct sf_doors *doors)
{
    if (!doors) {
        return;
    }
    sf_bus_fini(&doors->bus);
    sf_cometd_free(doors->cometd);
    sf_outbound_free(doors->outbound);
    sf_bulk_free(doors->bulk);
    free(doors);
}

void sf_doors_tick(struct sim_call *call)
{
    sf_bulk_tick(call, sf_of(call)->doors->bulk);
}

void sf_jobs_serve(struct sim_call *call, const struct sf_route *route)
{
    sf_bulk_serve(call, route, sf_of(call)->doors->bulk);
}

/* --- change events ----------------------------------------------------------------------------- */

/* Channels' names mind case. */
static bool knows_entity(void *context, struct str entity)
{
    const struct sf_object *object = sf_object_find(context, entity);

    return object && !(object->flags & SF_IS_TOOLING) && str_equal(object->name, entity);
}

static enum sf_credential credential_of(struct sim_call *call)
{
    struct sf_session session;

    if (!sf_token(call).len) {
        return SF_TOKEN_MISSING;
    }
    return sf_session_find(call, &session) ? SF_SIGNED_IN : SF_TOKEN_WRONG;
}

void sf_streaming_serve(struct sim_call *call)
{
    struct salesforce *sf = sf_of(call);
    struct sf_cometd_door door = {.cometd = sf->doors->cometd,
                                  .bus = &sf->doors->bus,
                                  .credential = credential_of(call),
                                  .knows = knows_entity,
                                  .context = sf};

    sf_cometd_serve(call, &door);
}

/* --- orders ------------------------------------------------------------------------------------ */

/* "ContactChangeEvent", "Thing__ChangeEvent" of the standard channel. source: Tooling API, PlatformEventChannelMember */
static void add_member(struct sim_call *call, struct str object)
{
    struct salesforce *sf = sf_of(call);
    struct str stem = str_ends(object, STR("__c")) ? str_slice(object, 0, object.len - 1) : object;
    struct str event = arena_printf(call->arena, "%" PRI_STR "ChangeEvent", STR_ARG(stem));
    struct sf_record *member =
        sf_record_new(sf->objects[SF_CHANNEL_MEMBER], call->now_ms, sf->person);

    sf_record_set_named(member, "DeveloperName",
                        arena_printf(call->arena, "ChangeEvents_%" PRI_STR, STR_ARG(event)));
    sf_record_set_named(member, "EventChannel", STR("ChangeEvents"));
    sf_record_set_named(member, "SelectedEntity", event);
}

static void show_selected(struct sim_call *call)
{
    const struct sf_doors *doors = sf_of(call)->doors;
    struct sim_table *members = &sf_of(call)->objects[SF_CHANNEL_MEMBER]->table;

    for (size_t i = 0; i < members->count; i++) {
        struct sf_record *member = (struct sf_record *)members->at[i];

        if (!member->is_purged) {
            sf_record_purge(member);
        }
    }
    for (size_t i = 0; i < doors->bus.selected_count; i++) {
        add_member(call, str_of(doors->bus.selected[i]));
    }
}

static enum fail select_objects(struct sim_call *call, const json_t *order, struct error *err)
{
    struct salesforce *sf = sf_of(call);
    struct str names[SF_ENTITIES_MAX];
    json_t *list = NULL;
    size_t index;
    json_t *name;

    if (jx_array_or_null(order, "selected", &list, err) || !list) {
        return err->code;
    }
    if (json_array_size(list) > SF_ENTITIES_MAX) {
        return error_set(err, FAIL_CONFIG, "selected: at most %d objects", SF_ENTITIES_MAX);
    }
    json_array_foreach(list, index, name)
    {
        names[index] = jx_text_of(name);
        if (!knows_entity(sf, names[index])) {
            return error_set(err, FAIL_CONFIG, "selected: %zu is no object of this account", index);
        }
    }
    sf_bus_select(&sf->doors->bus, names, json_array_size(list));
    show_selected(call);
    return OK;
}

/* Something that names an object of this account; NULL with *err. */
static enum fail read_object(const struct salesforce *sf, const json_t *order, struct str *ret,
                             struct error *err)
{
    if (jx_str(order, "object", ret, err)) {
        return err->code;
    }
    if (!knows_entity((void *)sf, *ret)) {
        return error_set(err, FAIL_CONFIG, "object: this account has no such object");
    }
    return OK;
}

/* source: reference/salesforce-examples/cdc-gap.json and cdc-overflow.json */
static void publish_gap(struct sim_call *call, struct str entity, struct str id, const char *type,
                        struct str origin)
{
    struct salesforce *sf = sf_of(call);
    char user[SF_ID_BYTES];

    sf_id_format("005", sf->person, user);
    sf->doors->transaction++;
    sf_bus_publish_gap(&sf->doors->bus,
                       &(struct sf_bus_change){.entity = entity,
                                               .id = id,
                                               .user = str_of(user),
                                               .origin = origin,
                                               .transaction = sf->doors->transaction,
                                               .at_ms = call->now_ms},
                       type);
    sf->doors->transaction++;
}

static enum fail order_gap(struct sim_call *call, const json_t *order, struct error *err)
{
    static const char *const kinds[] = {"CREATE", "UPDATE", "DELETE", "UNDELETE"};
    struct str entity = STR_NONE, id = STR_NONE, kind = STR_NONE;
    json_t *gap = NULL;

    if (jx_object_or_null(order, "gap", &gap, err) || !gap) {
        return err->code;
    }
    if (read_object(sf_of(call), gap, &entity, err) || jx_str(gap, "id", &id, err) ||
        jx_str_or(gap, "kind", STR("UPDATE"), &kind, err)) {
        return error_wrap(err, "gap");
    }
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_equal(kind, str_of(kinds[i]))) {
            publish_gap(call, entity, id, arena_printf(call->arena, "GAP_%s", kinds[i]).at,
                        STR(""));
            return OK;
        }
    }
    return error_set(err, FAIL_CONFIG, "gap: kind is CREATE, UPDATE, DELETE or UNDELETE");
}

static enum fail order_overflow(struct sim_call *call, const json_t *order, struct error *err)
{
    struct str entity = STR_NONE;
    json_t *overflow = NULL;

    if (jx_object_or_null(order, "overflow", &overflow, err) || !overflow) {
        return err->code;
    }
    if (read_object(sf_of(call), overflow, &entity, err)) {
        return error_wrap(err, "overflow");
    }
    publish_gap(call, entity, STR("000000000000000AAA"), "GAP_OVERFLOW",
                STR("com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"));
    return OK;
}

static enum fail order_trouble(struct sf_cometd *cometd, const json_t *order, struct error *err)
{
    struct sf_cometd_orders *now = sf_cometd_orders(cometd), next = *now;

    if (jx_bool_or(order, "forget_clients", false, &next.forgets_clients, err) ||
        jx_bool_or(order, "disconnect", false, &next.sends_disconnect, err) ||
        jx_i64_or(order, "busy", now->busy_count, &next.busy_count, err) ||
        jx_i64_or(order, "delivered_max", now->delivered_max, &next.delivered_max, err) ||
        jx_i64_or(order, "clients_max", now->clients_max, &next.clients_max, err)) {
        return err->code;
    }
    if (next.busy_count < 0 || next.delivered_max < 1 || next.clients_max < 1 ||
        next.clients_max > SF_CLIENTS_MAX) {
        return error_set(err, FAIL_CONFIG,
                         "busy is not negative, delivered_max at least 1, clients_max 1 to %d",
                         SF_CLIENTS_MAX);
    }
    *now = next;
    return OK;
}

static void take_orders(struct sim_call *call)
{
    struct sf_cometd *cometd = sf_of(call)->doors->cometd;
    struct error err = {0};
    json_t *order = NULL;

    if (!sim_json(call, &order) || !json_is_object(order)) {
        error_set(&err, FAIL_CONFIG, "the body has to be a JSON object");
    }
    if (err.code || select_objects(call, order, &err) || order_trouble(cometd, order, &err) ||
        order_gap(call, order, &err) || order_overflow(call, order, &err)) {
        sim_put(call->body, "{\"error\":");
        sim_put_text(call->body, str_of(err.message));
        buf_add_char(call->body, '}');
        sim_reply(call, 400);
        return;
    }
    sim_put(call->body, "{\"ok\":true}");
    sim_reply(call, 200);
}

static void show_bus(struct sim_call *call)
{
    const struct sf_doors *doors = sf_of(call)->doors;

    sim_put(call->body, "{\"selected\":[");
    for (size_t i = 0; i < doors->bus.selected_count; i++) {
        sim_put(call->body, i ? "," : "");
        sim_put_text(call->body, str_of(doors->bus.selected[i]));
    }
    buf_addf(call->body,
             "],\"kept\":%zu,\"published\":%lld,\"last_replay_id\":%lld,\"clients\":%lld,"
             "\"delivered\":%lld}",
             doors->bus.count, (long long)doors->bus.events_total,
             (long long)doors->bus.replay_last, (long long)sf_cometd_clients(doors->cometd),
             (long long)sf_cometd_delivered(doors->cometd, call->now_ms));
    sim_reply(call, 200);
}

bool sf_doors_control(struct sim_call *call)
{
    struct sf_doors *doors = sf_of(call)->doors;

    if (sim_segment_is(call, 1, "events") && call->segments_count == 2) {
        sf_bus_expire(&doors->bus, call->now_ms);
        if (call->request->method == HTTP_POST) {
            take_orders(call);
        } else {
            show_bus(call);
        }
        return true;
    }
    return sf_bulk_control(call, doors->bulk) || sf_outbound_control(call, doors->outbound);
}
