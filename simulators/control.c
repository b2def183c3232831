#include "simulators/control.h"

#include <inttypes.h>

#include "core/jx.h"
#include "simulators/hooks.h"
#include "simulators/oauth.h"

/* --- answers
 * -------------------------------------------------------------------------------------------------------------
 */

static void control_refuse(struct sim_call *call, int status, const char *message)
{
    sim_restart(call);
    sim_put(call->body, "{\"error\":");
    sim_put_text(call->body, str_of(message));
    sim_put(call->body, "}");
    sim_reply(call, status);
}

static void control_done(struct sim_call *call)
{
    sim_put(call->body, "{\"ok\":true}");
    sim_reply(call, 200);
}

static void control_id(struct sim_call *call, struct str object, int64_t id)
{
    sim_put(call->body, "{\"id\":\"");
    if (call->sim->ops->id_text) {
        buf_add(call->body, call->sim->ops->id_text(call, object, id));
    } else {
        sim_put_i64(call->body, id);
    }
    sim_put(call->body, "\"}");
    sim_reply(call, 200);
}

/* --- reading
 * -------------------------------------------------------------------------------------------------------------
 */

static void put_count(struct buf *body, const char *name, int64_t count)
{
    buf_addf(body, ",\"%s\":%" PRId64, name, count);
}

static void control_stats(struct sim_call *call)
{
    const struct simulator *sim = call->sim;

    sim_put(call->body, "{\"calls\":");
    sim_put_json(call->body, sim->calls);
    put_count(call->body, "calls_total", sim->calls_total);
    put_count(call->body, "writes", sim->writes);
    put_count(call->body, "throttled", sim->throttled);
    put_count(call->body, "faults", sim->faults_count);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static void control_stats_reset(struct sim_call *call)
{
    struct simulator *sim = call->sim;

    json_object_clear(sim->calls);
    sim->calls_total = sim->writes = sim->throttled = sim->faults_count = 0;
    control_done(call);
}

static void control_writes(struct sim_call *call)
{
    sim_put(call->body, "{\"writes\":");
    if (call->sim->written) {
        sim_put_json(call->body, call->sim->written);
    } else {
        sim_put(call->body, "[]");
    }
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static void control_state(struct sim_call *call)
{
    sim_put(call->body, "{\"records\":[");
    if (!call->sim->ops->state(call, call->segments[2])) {
        control_refuse(call, 404, "no such kind of object in this CRM");
        return;
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

/* --- changing
 * ------------------------------------------------------------------------------------------------------------
 */

static void control_faults(struct sim_call *call)
{
    struct error err = {0};
    struct sim_faults *faults = NULL;

    if (sim_faults_parse(call->request->body, &faults, &err)) {
        control_refuse(call, 400, err.message);
        return;
    }
    sim_faults_free(call->sim->faults);
    call->sim->faults = faults;
    control_done(call);
}

static void control_advance(struct sim_call *call, const json_t *order)
{
    static const int64_t YEAR_MS = 366LL * 24 * 60 * 60 * 1000;
    struct error err = {0};
    int64_t ms = 0;

    if (jx_i64(order, "ms", &ms, &err)) {
        control_refuse(call, 400, err.message);
    } else if (ms < 0 || ms > YEAR_MS) {
        control_refuse(call, 400, "ms has to be between 0 and one year");
    } else {
        call->sim->advanced_ms += ms;
        control_done(call);
    }
}

/* The members that every change has. */
struct order {
    struct str object, id;
};

static void control_edit(struct sim_call *call, const json_t *body, const struct order *order)
{
    struct error err = {0};
    struct str by = STR_NONE;
    json_t *set = NULL;
    int64_t id = 0;

    if (jx_object(body, "set", &set, &err) || jx_str_or(body, "by", STR("person"), &by, &err) ||
        call->sim->ops->edit(call, order->object, order->id, set, by, &id, &err)) {
        control_refuse(call, 400, err.message);
        return;
    }
    control_id(call, order->object, id);
}

static void control_merge(struct sim_call *call, const json_t *body, const struct order *order)
{
    struct error err = {0};
    struct str into = STR_NONE, from = STR_NONE;
    int64_t id = 0;

    if (jx_id(call->arena, body, "into", &into, &err) ||
        jx_id(call->arena, body, "from", &from, &err) ||
        call->sim->ops->merge(call, order->object, into, from, &id, &err)) {
        control_refuse(call, 400, err.message);
        return;
    }
    control_id(call, order->object, id);
}

static void control_schema(struct sim_call *call, const json_t *body)
{
    struct error err = {0};
    struct str object;

    if (jx_str(body, "object", &object, &err) || call->sim->ops->schema(call, object, body, &err)) {
        control_refuse(call, 400, err.message);
        return;
    }
    control_done(call);
}

static void control_oauth(struct sim_call *call, const json_t *body)
{
    struct error err = {0};

    if (sim_oauth_order(call, body, &err)) {
        control_refuse(call, 400, err.message);
        return;
    }
    control_done(call);
}

static void control_change(struct sim_call *call, const json_t *body)
{
    const struct sim_ops *ops = call->sim->ops;
    struct error err = {0};
    struct order order = {0};

    if (jx_str(body, "object", &order.object, &err) ||
        jx_id_or(call->arena, body, "id", STR(""), &order.id, &err)) {
        control_refuse(call, 400, err.message);
    } else if (sim_segment_is(call, 1, "edit")) {
        control_edit(call, body, &order);
    } else if (sim_segment_is(call, 1, "merge")) {
        control_merge(call, body, &order);
    } else if ((sim_segment_is(call, 1, "delete") ? ops->remove : ops->restore)(call, order.object,
                                                                                order.id, &err)) {
        control_refuse(call, 400, err.message);
    } else {
        control_done(call);
    }
}

static void control_post(struct sim_call *call)
{
    static const char *const changes[] = {"edit", "delete", "restore", "merge"};
    json_t *body = NULL;

    if (sim_segment_is(call, 1, "stats") && sim_segment_is(call, 2, "reset")) {
        control_stats_reset(call);
        return;
    }
    if (sim_segment_is(call, 1, "writes") && sim_segment_is(call, 2, "clear")) {
        sim_writes_clear(call->sim);
        control_done(call);
        return;
    }
    if (sim_segment_is(call, 1, "faults")) {
        control_faults(call);
        return;
    }
    if (!sim_json(call, &body) || !json_is_object(body)) {
        control_refuse(call, 400, "the body has to be a JSON object");
        return;
    }
    if (sim_segment_is(call, 1, "advance")) {
        control_advance(call, body);
        return;
    }
    if (sim_segment_is(call, 1, "schema")) {
        control_schema(call, body);
        return;
    }
    if (sim_segment_is(call, 1, "oauth") && call->sim->oauth) {
        control_oauth(call, body);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        if (sim_segment_is(call, 1, changes[i])) {
            control_change(call, body);
            return;
        }
    }
    control_refuse(call, 404, "no such simulator endpoint; see docs/simulators.md");
}

void sim_control(struct sim_call *call)
{
    const struct sim_ops *ops = call->sim->ops;

    if ((ops->control && ops->control(call)) ||
        (ops->hooks && sim_hooks_control(call, ops->hooks))) {
        return;
    }
    if (call->request->method == HTTP_POST) {
        control_post(call);
    } else if (sim_segment_is(call, 1, "stats")) {
        control_stats(call);
    } else if (sim_segment_is(call, 1, "writes") && call->segments_count == 2) {
        control_writes(call);
    } else if (sim_segment_is(call, 1, "oauth") && call->sim->oauth) {
        sim_oauth_show(call);
    } else if (sim_segment_is(call, 1, "state") && call->segments_count == 3) {
        control_state(call);
    } else {
        control_refuse(call, 404, "no such simulator endpoint; see docs/simulators.md");
    }
}

/* --- spoiling
 * ------------------------------------------------------------------------------------------------------------
 */

/* Depth-first over all members and elements; *left counts down to the one to spoil. Returns whether
 * it was found. */
static bool spoil_nth(json_t *tree, size_t *left);

static json_t *other_type(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_array();
    case JSON_ARRAY:
        return json_string("none");
    case JSON_STRING:
        return json_integer(7);
    case JSON_INTEGER:
    case JSON_REAL:
        return json_object();
    case JSON_TRUE:
    case JSON_FALSE:
        return json_string("perhaps");
    case JSON_NULL:
        return json_true();
    }
    abort(); /* enum json_type is closed */
}

static bool spoil_object(json_t *object, size_t *left)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if ((*left)-- == 0) {
            json_object_set_new(object, key, other_type(value));
            return true;
        }
        if (spoil_nth(value, left)) {
            return true;
        }
    }
    return false;
}

static bool spoil_array(json_t *array, size_t *left)
{
    size_t index;
    json_t *value;

    json_array_foreach(array, index, value)
    {
        if ((*left)-- == 0) {
            json_array_set_new(array, index, other_type(value));
            return true;
        }
        if (spoil_nth(value, left)) {
            return true;
        }
    }
    return false;
}

static bool spoil_nth(json_t *tree, size_t *left)
{
    if (json_is_object(tree)) {
        return spoil_object(tree, left);
    }
    return json_is_array(tree) && spoil_array(tree, left);
}

static size_t members_count(const json_t *tree)
{
    size_t count = 0, index;
    const char *key;
    json_t *value;

    if (json_is_object(tree)) {
        json_object_foreach((json_t *)tree, key, value)
        {
            count += 1 + members_count(value);
        }
    } else if (json_is_array(tree)) {
        json_array_foreach(tree, index, value)
        {
            count += 1 + members_count(value);
        }
    }
    return count;
}

void sim_spoil(struct sim_call *call)
{
    struct error err = {0};
    json_t *tree = NULL;
    size_t count, left;

    if (jx_parse(call->arena, buf_str(call->body), &tree, &err)) {
        return;
    }
    count = members_count(tree);
    if (count == 0) {
        return;
    }
    left = (size_t)random_below(call->sim->random, count);
    spoil_nth(tree, &left);
    sim_restart(call);
    sim_put_json(call->body, tree);
}
