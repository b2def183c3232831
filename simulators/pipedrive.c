/* The Pipedrive simulator's front: who may call, how often, and which part answers. Facts and
 * sources: docs/simulators.md. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/uuid.h"
#include "simulators/oauth.h"
#include "simulators/pipedrive_webhooks.h"

static const int64_t BURST_SPAN_MS = 2000, BLOCK_MS = 30LL * 60 * 1000;
enum {
    SEARCHES_PER_SPAN = 10,
    TOKENS_PER_SEAT = 30000,
    SEATS = 10,
    IGNORED_REFUSALS_MAX = 100, /* then Cloudflare blocks; the number is a guess */
};

/* --- limits --------------------------------------------------------------------------------- */

/* Source: core-api-concepts-rate-limiting, 2026. */
struct plan {
    const char *name;
    int64_t multiplier, by_token, by_oauth;
};

static const struct plan plans[] = {
    {"ultimate", 7, 120, 480},
    {"premium", 5, 100, 400},
    {"growth", 2, 40, 160},
    {"lite", 1, 20, 80},
};

static enum fail plan_find(const char *name, const struct plan **ret, struct error *err)
{
    *ret = &plans[0];
    for (size_t i = 0; name && i < COUNT_OF(plans); i++) {
        if (str_equal(str_of(name), str_of(plans[i].name))) {
            *ret = &plans[i];
            return OK;
        }
    }
    if (!name) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "unknown Pipedrive plan '%.40s'", name);
    return error_hint(err, "use lite, growth, premium or ultimate");
}

static void limits_init(struct pipedrive *pd, const struct plan *plan)
{
    sim_window_init(&pd->by_token.burst, plan->by_token, BURST_SPAN_MS);
    sim_window_init(&pd->by_token.search, SEARCHES_PER_SPAN, BURST_SPAN_MS);
    sim_window_init(&pd->by_oauth.burst, plan->by_oauth, BURST_SPAN_MS);
    sim_window_init(&pd->by_oauth.search, SEARCHES_PER_SPAN, BURST_SPAN_MS);
    pd->daily = (struct sim_daily){.capacity = TOKENS_PER_SEAT * plan->multiplier * SEATS};
}

static void limit_headers(struct sim_call *call, struct sim_window *window)
{
    struct sim_daily *daily = &pd_of(call)->daily;

    sim_header_i64(call, "x-ratelimit-limit", window->capacity);
    sim_header_i64(call, "x-ratelimit-remaining", sim_window_left(window, call->now_ms));
    sim_header_i64(call, "x-ratelimit-reset", window->span_ms / 1000);
    sim_header_i64(call, "x-daily-ratelimit-token-limit", daily->capacity);
    sim_header_i64(call, "x-daily-ratelimit-token-remaining",
                   sim_daily_left(daily, call->now_ms)); /* before this call is charged: recorded */
    sim_header(call, "access-control-expose-headers",
               STR("X-RateLimit-Remaining, X-RateLimit-Limit, X-RateLimit-Reset, "
                   "X-Daily-RateLimit-Token-Limit, X-Daily-RateLimit-Token-Remaining"));
}

/* Without limits there is always room, and the answers say so: callers that keep to what they are told need not wait. */
static void roomy_headers(struct sim_call *call)
{
    static const char *const NAMES[] = {"x-ratelimit-limit", "x-ratelimit-remaining",
                                        "x-daily-ratelimit-token-limit",
                                        "x-daily-ratelimit-token-remaining"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        sim_header_i64(call, NAMES[i], SIM_ROOM);
    }
}

static void refuse_rate(struct sim_call *call)
{
    pd_fail(call, 429, NULL, "Please check developers.pipedrive.com", "request over limit");
}

static void refuse_blocked(struct sim_call *call)
{
    sim_restart(call);
    sim_header(call, "Content-Type", STR("text/html; charset=UTF-8"));
    sim_header(call, "Server", STR("cloudflare"));
    sim_put(call->body, "<!DOCTYPE html><html><head><title>Access denied</title></head><body>"
                        "You are being rate limited.</body></html>\n");
    sim_reply(call, 403);
}

/* Who goes on after so many refusals is blocked at the edge, API tokens only. */
static void count_refusal(struct sim_call *call, struct pd_caller *caller)
{
    if (caller == &pd_of(call)->by_token && ++caller->refused_in_a_row >= IGNORED_REFUSALS_MAX) {
        caller->blocked_until_ms = call->now_ms + BLOCK_MS;
        caller->refused_in_a_row = 0;
    }
}

/* Once the budget is used up every call is refused until midnight; the call that used it up was
 * served. */
static void charge(struct sim_call *call, int64_t cost)
{
    struct sim_daily *daily = &pd_of(call)->daily;
    int64_t left = sim_daily_left(daily, call->now_ms);

    (void)sim_daily_take(daily, call->now_ms, cost < left ? cost : left);
}

static bool limits_allow(struct sim_call *call, struct pd_caller *caller, bool is_search,
                         int64_t cost)
{
    struct sim_window *window = is_search ? &caller->search : &caller->burst;
    bool is_in_window, is_in_day;

    if (call->sim->no_limits) {
        roomy_headers(call);
        return true;
    }
    is_in_window = sim_window_take(window, call->now_ms, 1);
    is_in_day = sim_daily_left(&pd_of(call)->daily, call->now_ms) > 0;
    limit_headers(call, window);
    if (!is_in_window || !is_in_day) {
        count_refusal(call, caller);
        refuse_rate(call);
        return false;
    }
    caller->refused_in_a_row = 0;
    charge(call, cost);
    return true;
}

/* --- who may call --------------------------------------------------------------------------- */

static void refuse_unknown(struct sim_call *call)
{
    sim_restart(call);
    sim_header(call, "x-401-by-gw", STR("true"));
    sim_put(call->body, "{\"success\":false,\"error\":\"unauthorized access\",\"errorCode\":401,"
                        "\"error_info\":\"Please check developers.pipedrive.com\"}");
    sim_reply(call, 401);
}

static void refuse_expired(struct sim_call *call)
{
    pd_fail(call, 401, NULL, "Please check developers.pipedrive.com",
            "Invalid token: access_token is invalid");
}

/* Beside the account's token two more are known, both OAuth: TOKEN.readonly lacks the write scopes,
 * TOKEN.expired is past its hour; and those that the token endpoint gave out. */
static struct pd_caller *bearer_caller(struct sim_call *call, struct str bearer)
{
    struct str token = str_of(call->sim->token);
    struct str suffix =
        str_starts(bearer, token) ? str_slice(bearer, token.len, bearer.len) : STR("?");
    struct sim_token *issued = NULL;

    if (sim_oauth_caller(call, bearer, &issued) && call->consent) {
        return &pd_of(call)->by_oauth;
    }
    if (str_equal(suffix, STR(".expired")) || issued) {
        refuse_expired(call);
        return NULL;
    }
    if (suffix.len && !str_equal(suffix, STR(".readonly"))) {
        refuse_unknown(call);
        return NULL;
    }
    if (suffix.len && call->request->method != HTTP_GET) {
        pd_fail(call, 403, NULL, "Please check developers.pipedrive.com", "Scope and URL mismatch");
        return NULL;
    }
    return &pd_of(call)->by_oauth;
}

/* Who calls; NULL after answering. With both credentials the API token counts, as in the official
 * client. The token in the query is v1's old way. */
static struct pd_caller *caller_of(struct sim_call *call, bool is_v1)
{
    struct str given = http_header_get(&call->request->headers, "x-api-token");
    struct str bearer = sim_bearer(call);

    if (!given.at && is_v1) {
        given = sim_query(call, "api_token");
    }
    if (!given.at && bearer.len) {
        return bearer_caller(call, bearer);
    }
    if (!given.len || !str_equal(given, str_of(call->sim->token))) {
        refuse_unknown(call);
        return NULL;
    }
    return &pd_of(call)->by_token;
}

/* --- routing -------------------------------------------------------------------------------- */

/* Segments in pattern: K a kind, F the word for its fields, * anything. Costs: x-token-cost of
 * the OpenAPI files of 2026-08. */
struct route {
    int version;
    enum http_method method;
    const char *pattern;
    int64_t cost;
    pd_serve_fn *serve;
    unsigned needs; /* enum pd_ability: of the kind */
    bool is_search;
};

static const struct route routes[] = {
    {2, HTTP_GET, "deals/archived", 20, pd_archived_serve, 0, false},
    {2, HTTP_GET, "K", 10, pd_list_serve, PD_IN_V2, false},
    {2, HTTP_POST, "K", 5, pd_create_serve, PD_IN_V2, false},
    {2, HTTP_GET, "K/search", 20, pd_search_serve, PD_SEARCHED, true},
    {2, HTTP_GET, "K/*", 1, pd_get_serve, PD_IN_V2, false},
    {2, HTTP_PATCH, "K/*", 5, pd_update_serve, PD_IN_V2, false},
    {2, HTTP_DELETE, "K/*", 3, pd_delete_serve, PD_IN_V2, false},
    {2, HTTP_GET, "itemSearch", 20, pd_item_search_serve, 0, true},
    {2, HTTP_GET, "itemSearch/field", 20, pd_field_search_serve, 0, true},
    {2, HTTP_GET, "F", 10, pd_fields_list_serve, PD_DEFINED, false},
    {2, HTTP_POST, "F", 5, pd_field_create_serve, PD_CUSTOMIZED, false},
    {2, HTTP_GET, "F/*", 1, pd_field_get_serve, PD_DEFINED, false},
    {2, HTTP_PATCH, "F/*", 5, pd_field_update_serve, PD_CUSTOMIZED, false},
    {2, HTTP_DELETE, "F/*", 3, pd_field_delete_serve, PD_CUSTOMIZED, false},
    {2, HTTP_POST, "F/*/options", 5, pd_options_add_serve, PD_CUSTOMIZED, false},
    {2, HTTP_PATCH, "F/*/options", 5, pd_options_update_serve, PD_CUSTOMIZED, false},
    {2, HTTP_DELETE, "F/*/options", 3, pd_options_delete_serve, PD_CUSTOMIZED, false},
    {2, HTTP_GET, "pipelines", 5, pd_pipelines_serve, 0, false},
    {2, HTTP_POST, "pipelines", 5, pd_pipeline_create_serve, 0, false},
    {2, HTTP_GET, "pipelines/*", 1, pd_pipeline_get_serve, 0, false},
    {2, HTTP_PATCH, "pipelines/*", 5, pd_pipeline_update_serve, 0, false},
    {2, HTTP_DELETE, "pipelines/*", 3, pd_pipeline_delete_serve, 0, false},
    {2, HTTP_GET, "stages", 5, pd_stages_serve, 0, false},
    {2, HTTP_POST, "stages", 5, pd_stage_create_serve, 0, false},
    {2, HTTP_GET, "stages/*", 1, pd_stage_get_serve, 0, false},
    {2, HTTP_PATCH, "stages/*", 5, pd_stage_update_serve, 0, false},
    {2, HTTP_DELETE, "stages/*", 3, pd_stage_delete_serve, 0, false},
    {1, HTTP_GET, "K", 20, pd_v1_list_serve, PD_TWIN_IN_V1, false},
    {1, HTTP_GET, "K/*", 2, pd_v1_get_serve, PD_TWIN_IN_V1, false},
    {1, HTTP_DELETE, "K/*", 6, pd_delete_serve, PD_TWIN_IN_V1, false},
    {1, HTTP_PUT, "K/*/merge", 40, pd_v1_merge_serve, PD_MERGED, false},
    {1, HTTP_GET, "deals/*/participants", 10, pd_participants_serve, 0, false},
    {1, HTTP_POST, "deals/*/participants", 10, pd_participant_create_serve, 0, false},
    {1, HTTP_DELETE, "deals/*/participants/*", 6, pd_participant_delete_serve, 0, false},
    {1, HTTP_GET, "notes", 20, pd_notes_serve, 0, false},
    {1, HTTP_POST, "notes", 10, pd_note_create_serve, 0, false},
    {1, HTTP_GET, "notes/*", 2, pd_note_get_serve, 0, false},
    {1, HTTP_PUT, "notes/*", 10, pd_note_update_serve, 0, false},
    {1, HTTP_DELETE, "notes/*", 6, pd_note_delete_serve, 0, false},
    {1, HTTP_GET, "activityTypes", 20, pd_activity_types_serve, 0, false},
    {1, HTTP_GET, "users", 20, pd_v1_users_serve, 0, false},
    {1, HTTP_GET, "users/me", 2, pd_v1_me_serve, 0, false},
    {1, HTTP_GET, "users/*", 2, pd_v1_user_serve, 0, false},
    {1, HTTP_GET, "webhooks", 10, pd_webhooks_serve, 0, false},
    {1, HTTP_POST, "webhooks", 10, pd_webhook_create_serve, 0, false},
    {1, HTTP_DELETE, "webhooks/*", 6, pd_webhook_delete_serve, 0, false},
};

/* Version and the index of the first segment behind it. "/api/v2", "/api/v1" and "/v1" are
 * served. */
static int version_of(const struct sim_call *call, size_t *ret_first)
{
    bool has_api = sim_segment_is(call, 0, "api");

    *ret_first = has_api ? 2 : 1;
    if (has_api && sim_segment_is(call, 1, "v2")) {
        return 2;
    }
    return sim_segment_is(call, has_api ? 1 : 0, "v1") ? 1 : 0;
}

static bool segment_fits(struct sim_call *call, struct str pattern, struct str segment,
                         struct pd_target *target)
{
    if (str_equal(pattern, STR("K"))) {
        target->kind = pd_kind_plural(pd_of(call), segment);
        return target->kind != NULL;
    }
    if (str_equal(pattern, STR("F"))) {
        target->kind = pd_kind_defined(pd_of(call), segment);
        return target->kind != NULL;
    }
    if (str_equal(pattern, STR("*"))) {
        if (!target->first.at) {
            target->first = segment;
        }
        target->last = segment;
        return true;
    }
    return str_equal(pattern, segment);
}

static bool route_fits(struct sim_call *call, const struct route *route, size_t first,
                       struct pd_target *ret)
{
    struct str rest = str_of(route->pattern);
    size_t index = first;

    *ret = (struct pd_target){0};
    while (rest.at && index < call->segments_count) {
        if (!segment_fits(call, str_cut(&rest, '/'), call->segments[index++], ret)) {
            return false;
        }
    }
    return !rest.at && index == call->segments_count &&
           (!ret->kind || (ret->kind->spec->abilities & route->needs) == route->needs);
}

/* NULL: 404, or 405 when only the method is wrong. */
static const struct route *route_find(struct sim_call *call, struct pd_target *ret, int *ret_status)
{
    size_t first;
    int version = version_of(call, &first);

    *ret_status = 404;
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (routes[i].version != version || !route_fits(call, &routes[i], first, ret)) {
            continue;
        }
        if (routes[i].method == call->request->method) {
            return &routes[i];
        }
        *ret_status = 405;
    }
    return NULL;
}

static void correlation_header(struct sim_call *call)
{
    char id[UUID_TEXT_BYTES];

    uuid_v7(call->now_ms, call->sim->random, id);
    sim_header(call, "x-correlation-id", arena_str(call->arena, str_of(id)));
}

static void serve(struct sim_call *call)
{
    struct pd_target target;
    size_t first;
    int status;
    const struct route *route = route_find(call, &target, &status);
    struct pd_caller *caller;

    correlation_header(call);
    if (sim_segment_is(call, 0, "oauth")) {
        pd_oauth_serve(call);
        return;
    }
    caller = caller_of(call, version_of(call, &first) == 1);
    if (!caller) {
        return;
    }
    if (call->now_ms < caller->blocked_until_ms) {
        refuse_blocked(call);
        return;
    }
    if (!limits_allow(call, caller, route && route->is_search, route ? route->cost : 0)) {
        return;
    }
    if (route) {
        route->serve(call, &target);
    } else {
        pd_fail(call, status, NULL, NULL,
                status == 405 ? "Method not allowed" : "Unknown method or path");
    }
}

/* --- faults --------------------------------------------------------------------------------- */

/* The window that the headers of an injected refusal speak of. */
static struct sim_window *window_of(struct sim_call *call)
{
    struct pipedrive *pd = pd_of(call);

    return http_header_get(&call->request->headers, "x-api-token").at ? &pd->by_token.burst
                                                                      : &pd->by_oauth.burst;
}

static void refuse(struct sim_call *call, int status)
{
    correlation_header(call);
    if (status == 429) {
        limit_headers(call, window_of(call));
        refuse_rate(call);
    } else if (status == 502) {
        sim_restart(call);
        sim_header(call, "Content-Type", STR("text/html"));
        sim_put(call->body, "<html><head><title>502</title></head><body>Bad gateway</body></html>");
        sim_reply(call, status);
    } else {
        pd_fail(call, status, NULL, NULL,
                status == 503 ? "Service is unavailable for maintenance" : "Internal server error");
    }
}

/* --- life ----------------------------------------------------------------------------------- */

struct quirk_word {
    const char *word;
    enum pd_quirk quirk;
};

static const struct quirk_word quirk_words[] = {
    {"deleted-get-404", PD_DELETED_GET_404},
    {"deleted-get-410", PD_DELETED_GET_410},
    {"list-shows-deleted", PD_LIST_SHOWS_DELETED},
    {"no-parent-bumps", PD_NO_PARENT_BUMPS},
    {"custom-fields-null", PD_CUSTOM_FIELDS_NULL},
    {"null-update-time", PD_NULL_UPDATE_TIME},
    {"no-op-bumps", PD_NO_OP_BUMPS},
    {"contact-sync", PD_CONTACT_SYNC_ON},
    {"participants-stay", PD_PARTICIPANTS_STAY},
    {"seconds-in-clocks", PD_SECONDS_IN_CLOCKS},
};

static enum fail quirks_parse(const char *text, unsigned *ret, struct error *err)
{
    struct str rest = str_of(text);

    *ret = 0;
    while (rest.len) {
        struct str word = str_trim(str_cut(&rest, ','));
        size_t i = 0;

        while (i < COUNT_OF(quirk_words) && !str_equal(word, str_of(quirk_words[i].word))) {
            i++;
        }
        if (i == COUNT_OF(quirk_words)) {
            error_set(err, FAIL_CONFIG, "unknown Pipedrive quirk '%" PRI_STR "'", STR_ARG(word));
            return error_hint(err, "docs/simulators.md lists them");
        }
        *ret |= quirk_words[i].quirk;
    }
    return OK;
}

static void pipedrive_free(void *crm)
{
    struct pipedrive *pd = crm;

    if (!pd) {
        return;
    }
    pd_schema_fini(pd);
    random_free(pd->random);
    sim_window_fini(&pd->by_token.burst);
    sim_window_fini(&pd->by_token.search);
    sim_window_fini(&pd->by_oauth.burst);
    sim_window_fini(&pd->by_oauth.search);
    arena_fini(&pd->arena);
    pd_webhooks_free(pd->webhooks);
    free(pd);
}

static const struct sim_ops ops = {
    .name = "pipedrive",
    .token = "51a0d1e551a0d1e551a0d1e551a0d1e551a0d1e5",
    .handle = serve,
    .hooks = &pd_hook_style,
    .refuse = refuse,
    .state = pd_state,
    .edit = pd_edit,
    .remove = pd_remove,
    .restore = pd_restore,
    .merge = pd_merge,
    .schema = pd_drift_apply,
    .free = pipedrive_free,
};

enum fail simulator_pipedrive_new(struct env *env, const struct simulator_options *options,
                                  struct simulator **ret, struct error *err)
{
    const struct plan *plan;
    struct pipedrive *pd;
    unsigned quirks;
    char account[24];

    if (plan_find(options->plan, &plan, err) || quirks_parse(options->quirks, &quirks, err)) {
        return err->code;
    }
    pd = alloc_new(1, sizeof(*pd));
    pd->random = random_new_seeded(options->seed ^ 0x7069706564726976);
    pd->quirks = quirks;
    pd->index_lag_ms = options->index_lag_ms;
    pd->company_id = 900000 + (int64_t)random_below(pd->random, 100000);
    pd_schema_init(pd, clock_wall_ms(env->clock));
    limits_init(pd, plan);
    if (sim_new(env, options, &ops, pd, ret, err)) {
        return err->code;
    }
    pd->sim = *ret;
    pd->webhooks = pd_webhooks_new();
    snprintf(account, sizeof account, "%" PRId64, pd->company_id);
    (*ret)->oauth = sim_oauth_new(&pd_oauth_spec, options->seed, account);
    pd_fill(pd, *ret, options);
    return OK;
}
