/* The HubSpot simulator's front: who may call, how often, and which part answers. Facts and sources: docs/simulators.md. */
#include "simulators/hubspot_inside.h"

#include <inttypes.h>

#include "core/alloc.h"

static const int64_t BURST_SPAN_MS = 10 * 1000, SECOND_MS = 1000;
static const int64_t US_EASTERN_MS = -5LL * 60 * 60 * 1000;
/* Longer addresses do not get through. Source: 16 KB measured by PostHog/posthog#31617. */
enum { SEARCHES_PER_SECOND = 5, URL_BYTES_MAX = 16 * 1024 };

/* --- limits ---------------------------------------------------------------------------------------- */

struct plan {
    const char *name;
    int64_t burst, daily, links;
};

/* A private app's limits. Source: HubSpot usage guidelines and associations guide, 2026. */
static const struct plan plans[] = {
    {"enterprise", 190, 1000000, 150},
    {"professional", 190, 625000, 150},
    {"free", 100, 250000, 100},
};

static enum fail plan_find(const char *name, const struct plan **ret, struct error *err)
{
    *ret = &plans[0];
    if (!name) {
        return OK;
    }
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        if (str_equal(str_of(name), str_of(plans[i].name))) {
            *ret = &plans[i];
            return OK;
        }
    }
    error_set(err, FAIL_CONFIG, "unknown HubSpot plan '%.40s'", name);
    return error_hint(err, "use free, professional or enterprise");
}

static void limits_init(struct hubspot *hs, const struct plan *plan)
{
    sim_window_init(&hs->burst, plan->burst, BURST_SPAN_MS);
    sim_window_init(&hs->links, plan->links, BURST_SPAN_MS);
    sim_window_init(&hs->search, SEARCHES_PER_SECOND, SECOND_MS);
    hs->daily = (struct sim_daily){.capacity = plan->daily, .utc_offset_ms = US_EASTERN_MS};
}

static void refuse_rate(struct sim_call *call, const char *policy, const char *message)
{
    const char *id = hs_correlation_id(call);

    sim_restart(call);
    buf_addf(call->body,
             "{\"status\":\"error\",\"message\":\"%s\",\"errorType\":\"RATE_LIMIT\","
             "\"correlationId\":\"%s\",\"policyName\":\"%s\"}",
             message, id, policy);
    sim_header(call, "X-HubSpot-Correlation-Id", str_of(id));
    sim_reply(call, 429);
}

static void limit_headers(struct sim_call *call, struct sim_window *window)
{
    struct hubspot *hs = hs_of(call);

    sim_header_i64(call, "X-HubSpot-RateLimit-Max", window->capacity);
    sim_header_i64(call, "X-HubSpot-RateLimit-Remaining", sim_window_left(window, call->now_ms));
    sim_header_i64(call, "X-HubSpot-RateLimit-Interval-Milliseconds", window->span_ms);
    sim_header_i64(call, "X-HubSpot-RateLimit-Daily", hs->daily.capacity);
    sim_header_i64(call, "X-HubSpot-RateLimit-Daily-Remaining",
                   sim_daily_left(&hs->daily, call->now_ms));
    sim_header_i64(call, "X-HubSpot-RateLimit-Secondly", window->capacity / 10);
    sim_header_i64(call, "X-HubSpot-RateLimit-Secondly-Remaining", window->capacity / 10 - 1);
}

/* Search has a limit of its own and tells nothing about it; associations have a window of their own. */
static bool limits_allow(struct sim_call *call, const struct hs_route *route)
{
    struct hubspot *hs = hs_of(call);
    bool is_search = hs_route_is(route, 1, "objects") && hs_route_is(route, 3, "search");
    bool is_links = hs_route_is(route, 1, "associations") || hs_route_is(route, 4, "associations");
    struct sim_window *window = is_search ? &hs->search : is_links ? &hs->links : &hs->burst;
    bool is_in_window, is_in_day;

    if (call->sim->no_limits) {
        return true;
    }
    is_in_window = sim_window_take(window, call->now_ms, 1);
    is_in_day = sim_daily_take(&hs->daily, call->now_ms, 1);
    if (!is_search) {
        limit_headers(call, window);
    }
    if (!is_in_day) {
        refuse_rate(call, "DAILY", "You have reached your daily limit.");
    } else if (!is_in_window && is_search) {
        refuse_rate(call, "SECONDLY", "You have reached your secondly limit.");
    } else if (!is_in_window) {
        refuse_rate(call, "TEN_SECONDLY_ROLLING",
                    "You have reached your ten_secondly_rolling limit.");
    }
    return is_in_day && is_in_window;
}

/* --- who may call ---------------------------------------------------------------------------------- */

static void refuse_scopes(struct sim_call *call, const struct hs_route *route)
{
    struct str object = route->count > 2 ? route->at[2] : STR("contacts");
    struct str errors = arena_printf(
        call->arena,
        "[{\"message\":\"One or more of the following scopes are required.\",\"context\":"
        "{\"requiredGranularScopes\":[\"crm.objects.%" PRI_STR ".write\"]}}]",
        STR_ARG(hs_kind_find(hs_of(call), object) ? object : STR("custom")));

    hs_fail(call, &(struct hs_error){
                      .status = 403,
                      .category = "MISSING_SCOPES",
                      .message = STR(
                          "This app hasn't been granted all required scopes to make this call."),
                      .errors = errors});
}

static bool is_change(const struct sim_call *call, const struct hs_route *route)
{
    struct str last = route->count ? route->at[route->count - 1] : STR("");

    return call->request->method != HTTP_GET && !str_equal(last, STR("search")) &&
           !str_equal(last, STR("read"));
}

/* Beside the account's token two more are known: TOKEN.readonly lacks the write scopes, TOKEN.expired is an OAuth token past
 * its life. */
static bool caller_is_known(struct sim_call *call, const struct hs_route *route)
{
    struct str given = sim_bearer(call), token = str_of(call->sim->token), suffix;

    if (!given.len) {
        hs_failf(call, 401, "INVALID_AUTHENTICATION", "Authentication credentials not found.");
        return false;
    }
    suffix = str_starts(given, token) ? str_slice(given, token.len, given.len) : STR("?");
    if (str_equal(suffix, STR(".expired"))) {
        hs_failf(call, 401, "EXPIRED_AUTHENTICATION",
                 "The OAuth token used to make this call expired 7 second(s) ago.");
        return false;
    }
    if (suffix.len && !str_equal(suffix, STR(".readonly"))) {
        hs_failf(call, 401, "INVALID_AUTHENTICATION",
                 "Authentication credentials are not valid for this account.");
        return false;
    }
    if (suffix.len && is_change(call, route)) {
        refuse_scopes(call, route);
        return false;
    }
    return true;
}

/* --- faults ---------------------------------------------------------------------------------------- */

/* A gateway answers 502 and 503 with a page of its own. */
static void refuse(struct sim_call *call, int status)
{
    if (status == 429) {
        refuse_rate(call, "TEN_SECONDLY_ROLLING",
                    "You have reached your ten_secondly_rolling limit.");
        return;
    }
    if (status == 500) {
        hs_failf(call, 500, NULL, "internal error");
        return;
    }
    sim_restart(call);
    sim_header(call, "Content-Type", STR("text/html"));
    buf_addf(call->body,
             "<html><head><title>%d</title></head><body>the gateway could not answer</body></html>",
             status);
    sim_reply(call, status);
}

/* --- routing --------------------------------------------------------------------------------------- */

bool hs_route_is(const struct hs_route *route, size_t index, const char *text)
{
    return index < route->count && str_equal(route->at[index], str_of(text));
}

static bool is_version(struct str segment)
{
    int64_t number;
    bool is_dated = segment.len == 7 && segment.at[4] == '-' && segment.at[0] == '2';

    return is_dated || (segment.len >= 2 && segment.at[0] == 'v' &&
                        str_to_i64(str_slice(segment, 1, segment.len), &number));
}

/* "/crm/v3/objects/…" and "/crm/objects/2026-09/…" are the same place. */
static void route_make(const struct sim_call *call, struct hs_route *ret)
{
    *ret = (struct hs_route){0};
    for (size_t i = 0; i < call->segments_count; i++) {
        if (!ret->version.at && i >= 1 && i <= 2 && is_version(call->segments[i])) {
            ret->version = call->segments[i];
        } else {
            ret->at[ret->count++] = call->segments[i];
        }
    }
}

static void route_serve(struct sim_call *call, const struct hs_route *route)
{
    bool is_crm = hs_route_is(route, 0, "crm");

    if (is_crm && hs_route_is(route, 1, "objects")) {
        hs_objects_serve(call, route);
    } else if (is_crm && hs_route_is(route, 1, "associations")) {
        hs_associations_serve(call, route);
    } else if (is_crm && hs_route_is(route, 1, "properties")) {
        hs_properties_serve(call, route);
    } else if (is_crm && hs_route_is(route, 1, "owners")) {
        hs_owners_serve(call, route);
    } else if ((is_crm || hs_route_is(route, 0, "crm-object-schemas")) &&
               hs_route_is(route, 1, "schemas")) {
        hs_schemas_serve(call, route);
    } else if (is_crm && hs_route_is(route, 1, "pipelines")) {
        hs_pipelines_serve(call, route);
    } else if (hs_route_is(route, 0, "account-info") && hs_route_is(route, 1, "details")) {
        hs_account_serve(call);
    } else {
        hs_no_resource(call);
    }
}

static void serve(struct sim_call *call)
{
    struct hs_route route;

    if (call->request->url.len > URL_BYTES_MAX) {
        refuse(call, 414);
        return;
    }
    route_make(call, &route);
    if (!route.version.at) {
        hs_no_resource(call);
        return;
    }
    if (caller_is_known(call, &route) && limits_allow(call, &route)) {
        route_serve(call, &route);
    }
    if (!http_header_get(&call->response->headers, "X-HubSpot-Correlation-Id").at) {
        sim_header(call, "X-HubSpot-Correlation-Id", str_of(hs_correlation_id(call)));
    }
}

/* --- /__sim ---------------------------------------------------------------------------------------- */

static void put_fields(struct buf *body, const struct hs_kind *kind, const struct hs_record *record)
{
    size_t shown = 0;

    for (size_t i = 0; i < record->values_count; i++) {
        const struct hs_version *version = record->values[i];

        if (version) {
            sim_put(body, shown++ ? "," : "");
            sim_put_text(body, kind->properties[i].name);
            sim_put(body, ":");
            sim_put_text(body, (struct str){version->text, version->len});
        }
    }
}

static void put_linked_ids(struct buf *body, const struct hs_record *record)
{
    for (size_t i = 0; i < record->links_count; i++) {
        buf_addf(body, "%s{\"to\":\"%s\",\"id\":\"%" PRId64 "\"}", i ? "," : "",
                 record->links[i].kind->spec->plural, record->links[i].to_id);
    }
}

static void put_truth(struct buf *body, const struct hs_kind *kind, const struct hs_record *record)
{
    buf_addf(body, "{\"id\":\"%" PRId64 "\",\"archived\":%s,\"merged_into\":", record->base.id,
             record->base.archived_ms ? "true" : "false");
    if (record->base.merged_into) {
        buf_addf(body, "\"%" PRId64 "\"", record->base.merged_into);
    } else {
        sim_put(body, "null");
    }
    buf_addf(body, ",\"modified_ms\":%" PRId64 ",\"fields\":{", record->base.modified_ms);
    put_fields(body, kind, record);
    sim_put(body, "},\"links\":[");
    put_linked_ids(body, record);
    sim_put(body, "]}");
}

static bool state(struct sim_call *call, struct str object)
{
    const struct hs_kind *kind = hs_kind_find(hs_of(call), object);
    size_t shown = 0;

    for (size_t i = 0; kind && i < kind->table.count; i++) {
        const struct hs_record *record = (const struct hs_record *)kind->table.at[i];

        if (!record->is_purged) {
            sim_put(call->body, shown++ ? "," : "");
            put_truth(call->body, kind, record);
        }
    }
    return kind != NULL;
}

static enum fail kind_get(struct sim_call *call, struct str object, struct hs_kind **ret,
                          struct error *err)
{
    *ret = hs_kind_find(hs_of(call), object);
    return *ret ? OK
                : error_set(err, FAIL_RECORD, "no kind '%" PRI_STR "' in HubSpot", STR_ARG(object));
}

static enum fail live_get(struct sim_call *call, struct str object, struct str id,
                          struct hs_kind **ret_kind, struct hs_record **ret, struct error *err)
{
    if (kind_get(call, object, ret_kind, err)) {
        return err->code;
    }
    *ret = hs_record_live(*ret_kind, id);
    return *ret ? OK : error_set(err, FAIL_RECORD, "no live record with this id");
}

static const struct hs_source *source_of(struct str by)
{
    if (str_equal(by, STR("workflow"))) {
        return &hs_source_workflow;
    }
    return str_equal(by, STR("import")) ? &hs_source_import : &hs_source_person;
}

/* People and imports cannot bring an erased address back; the API can. */
static bool is_blocked(struct sim_call *call, const struct hs_kind *kind,
                       const struct hs_write *write)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        const struct hs_setting *setting = &write->settings[i];

        if (kind->properties[setting->property].flags & HS_EMAIL && setting->text.len &&
            json_object_getn(hs_of(call)->blocked, setting->text.at, setting->text.len)) {
            return true;
        }
    }
    return false;
}

static enum fail edit_check(struct sim_call *call, struct hs_kind *kind, struct hs_record *record,
                            const struct hs_write *write, struct error *err)
{
    if (write->problems_count) {
        return error_set(err, FAIL_RECORD, "%.*s", (int)write->problems[0].message.len,
                         write->problems[0].message.at);
    }
    if (hs_write_conflict(kind, record, write)) {
        return error_set(err, FAIL_RECORD, "another record has this unique value");
    }
    if (is_blocked(call, kind, write)) {
        return error_set(err, FAIL_RECORD, "this e-mail address was erased and is blocked");
    }
    return OK;
}

static enum fail edit(struct sim_call *call, struct str object, struct str id, const json_t *set,
                      struct str by, int64_t *ret_id, struct error *err)
{
    struct hs_write write = {.is_lenient = true};
    struct hs_record *record = NULL;
    struct hs_kind *kind;

    if (id.len ? live_get(call, object, id, &kind, &record, err)
               : kind_get(call, object, &kind, err)) {
        return err->code;
    }
    hs_write_read(hs_of(call), kind, record, set, call->arena, &write);
    if (edit_check(call, kind, record, &write, err)) {
        return err->code;
    }
    if (record) {
        hs_write_apply(hs_of(call), kind, record, &write, source_of(by), call->now_ms);
    } else {
        record = hs_write_create(hs_of(call), kind, &write, source_of(by), call->now_ms);
    }
    *ret_id = record->base.id;
    return OK;
}

static enum fail remove_record(struct sim_call *call, struct str object, struct str id,
                               struct error *err)
{
    struct hs_record *record;
    struct hs_kind *kind;

    if (live_get(call, object, id, &kind, &record, err)) {
        return err->code;
    }
    hs_record_archive(kind, record, call->now_ms);
    return OK;
}

static enum fail restore(struct sim_call *call, struct str object, struct str id, struct error *err)
{
    struct hs_record *record;
    struct hs_kind *kind;

    if (kind_get(call, object, &kind, err)) {
        return err->code;
    }
    record = hs_record_any(kind, id);
    if (!record || !record->base.archived_ms || record->base.merged_into) {
        return error_set(err, FAIL_RECORD, "no archived record with this id");
    }
    if (!hs_record_restore(kind, record, call->now_ms)) {
        return error_set(err, FAIL_RECORD, "another record has taken a unique value of it since");
    }
    return OK;
}

static enum fail merge(struct sim_call *call, struct str object, struct str into, struct str from,
                       int64_t *ret_id, struct error *err)
{
    struct hs_record *primary, *other;
    struct hs_kind *kind;

    if (live_get(call, object, into, &kind, &primary, err) ||
        live_get(call, object, from, &kind, &other, err)) {
        return err->code;
    }
    if (primary == other) {
        return error_set(err, FAIL_RECORD, "a record cannot be merged with itself");
    }
    *ret_id = hs_record_merge(hs_of(call), kind, primary, other, call->now_ms)->base.id;
    return OK;
}

/* --- life ------------------------------------------------------------------------------------------ */

static void hubspot_free(void *crm)
{
    struct hubspot *hs = crm;

    if (!hs) {
        return;
    }
    hs_schema_fini(hs);
    free(hs->link_types);
    json_decref(hs->blocked);
    random_free(hs->random);
    sim_window_fini(&hs->burst);
    sim_window_fini(&hs->search);
    sim_window_fini(&hs->links);
    arena_fini(&hs->arena);
    free(hs);
}

static const struct sim_ops ops = {
    .name = "hubspot",
    .token = "simulated-hubspot-token",
    .handle = serve,
    .refuse = refuse,
    .state = state,
    .edit = edit,
    .remove = remove_record,
    .restore = restore,
    .merge = merge,
    .schema = hs_drift_apply,
    .free = hubspot_free,
};

enum fail simulator_hubspot_new(struct env *env, const struct simulator_options *options,
                                struct simulator **ret, struct error *err)
{
    const struct plan *plan;
    struct hubspot *hs;

    if (plan_find(options->plan, &plan, err)) {
        return err->code;
    }
    hs = alloc_new(1, sizeof(*hs));
    hs->random = random_new_seeded(options->seed ^ 0x68756273706f74);
    hs->blocked = json_object();
    hs_schema_init(hs, clock_wall_ms(env->clock));
    hs_links_init(hs);
    hs_pipelines_init(hs);
    limits_init(hs, plan);
    if (sim_new(env, options, &ops, hs, ret, err)) {
        return err->code;
    }
    hs_fill(hs, *ret, options);
    hs_fill_work(hs, sim_now_ms(*ret), options);
    return OK;
}
