/* The HubSpot simulator's front: who may call, how often, and which part answers. Facts and sources: docs/simulators.md. */
#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_journal.h"
#include "simulators/hubspot_webhooks.h"

#include "core/alloc.h"
#include "simulators/oauth.h"

static const int64_t BURST_SPAN_MS = 10 * 1000, SECOND_MS = 1000;
static const int64_t US_EASTERN_MS = -5LL * 60 * 60 * 1000;
/* Longer addresses do not get through. Source: 16 KB measured by PostHog/posthog#31617. */
enum { SEARCHES_PER_SECOND = 5, CALLS_BY_OAUTH = 110, URL_BYTES_MAX = 16 * 1024 };

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
    sim_window_init(&hs->by_oauth, CALLS_BY_OAUTH, BURST_SPAN_MS);
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

/* Without limits there is always room, and the answers say so: callers that keep to what they are told need not wait. */
static void roomy_headers(struct sim_call *call)
{
    static const char *const NAMES[] = {"X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining",
                                        "X-HubSpot-RateLimit-Daily",
                                        "X-HubSpot-RateLimit-Daily-Remaining"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        sim_header_i64(call, NAMES[i], SIM_ROOM);
    }
}

/* Search has a limit of its own and tells nothing about it; associations have a window of their own. */
static bool limits_allow(struct sim_call *call, const struct hs_route *route)
{
    struct hubspot *hs = hs_of(call);
    bool is_search = hs_route_is(route, 1, "objects") && hs_route_is(route, 3, "search");
    bool is_links = hs_route_is(route, 1, "associations") || hs_route_is(route, 4, "associations");
    struct sim_window *window = is_search       ? &hs->search
                                : call->consent ? &hs->by_oauth
                                : is_links      ? &hs->links
                                                : &hs->burst;
    bool is_in_window, is_in_day;

    if (call->sim->no_limits) {
        roomy_headers(call);
        return true;
    }
    is_in_window = sim_window_take(window, call->now_ms, 1);
    is_in_day = call->consent || sim_daily_take(&hs->daily, call->now_ms, 1);
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

static bool scope_suffices(struct sim_call *call, const struct hs_route *route)
{
    if (hs_scope_suffices(call, route, is_change(call, route))) {
        return true;
    }
    refuse_scopes(call, route);
    return false;
}

/* Beside the account's token two more are known: TOKEN.readonly lacks the write scopes, TOKEN.expired is an OAuth token past
 * its life; and those that the token endpoint gave out. */
static bool caller_is_known(struct sim_call *call, const struct hs_route *route)
{
    struct str given = sim_bearer(call), token = str_of(call->sim->token), suffix;

    if (!given.len) {
        hs_failf(call, 401, "INVALID_AUTHENTICATION", "Authentication credentials not found.");
        return false;
    }
    if (!str_starts(given, token)) {
        return hs_token_is_accepted(call, given) && scope_suffices(call, route);
    }
    suffix = str_slice(given, token.len, given.len);
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
    if (sim_segment_is(call, 0, "oauth")) {
        hs_oauth_serve(call);
        return;
    }
    if (sim_segment_is(call, 0, HS_JOURNAL_FILES)) {
        hs_journal_file_serve(call);
        return;
    }
    route_make(call, &route);
    if (!route.version.at) {
        hs_no_resource(call);
        return;
    }
    if (hs_route_is(&route, 0, "webhooks-journal")) {
        hs_journal_serve(call, &route); /* exempt from the account's limits: the OpenAPI file */
    } else if (hs_route_is(&route, 0, "webhooks")) {
        hs_webhooks_serve(call,
                          &route); /* an app's, with its own key and none of the account's limits */
    } else if (caller_is_known(call, &route) && limits_allow(call, &route)) {
        route_serve(call, &route);
    }
    if (!http_header_get(&call->response->headers, "X-HubSpot-Correlation-Id").at) {
        sim_header(call, "X-HubSpot-Correlation-Id", str_of(hs_correlation_id(call)));
    }
}

/* --- life ------------------------------------------------------------------------------------------ */

static void hubspot_free(void *crm)
{
    struct hubspot *hs = crm;

    if (!hs) {
        return;
    }
    hs_schema_fini(hs);
    hs_webhooks_free(hs->webhooks);
    hs_journal_free(hs->journal);
    free(hs->link_types);
    json_decref(hs->blocked);
    random_free(hs->random);
    sim_window_fini(&hs->burst);
    sim_window_fini(&hs->search);
    sim_window_fini(&hs->links);
    sim_window_fini(&hs->by_oauth);
    arena_fini(&hs->arena);
    free(hs);
}

static const struct sim_ops ops = {
    .name = "hubspot",
    .token = "simulated-hubspot-token",
    .handle = serve,
    .hooks = &hs_hook_style,
    .refuse = refuse,
    .state = hs_state,
    .edit = hs_edit,
    .remove = hs_remove,
    .restore = hs_restore,
    .merge = hs_merge,
    .schema = hs_drift_apply,
    .control = hs_journal_control,
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
    hs->sim = *ret;
    hs->webhooks = hs_webhooks_new();
    hs->journal = hs_journal_new(options->seed);
    (*ret)->oauth = sim_oauth_new(&hs_oauth_spec, options->seed, "4242");
    hs_fill(hs, *ret, options);
    hs_fill_work(hs, sim_now_ms(*ret), options);
    return OK;
}
