/* The Salesforce simulator's front: who may call, how often, and which part answers. Facts and sources: docs/simulators.md. */
#include "simulators/salesforce_doors.h"

#include "core/alloc.h"
#include "simulators/oauth.h"

/* Longer addresses with their headers do not get through. Source: app limits cheatsheet, API request limits. */
enum { HEAD_BYTES_MAX = 16384, BASE_62_4 = 62 * 62 * 62 * 62 };

/* --- quirks ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum sf_quirk quirk;
} quirks[] = {{"no-customize", SF_NO_CUSTOMIZE},
              {"person-accounts", SF_PERSON_ACCOUNTS},
              {"multi-currency", SF_MULTI_CURRENCY},
              {"state-picklists", SF_STATE_PICKLISTS},
              {"read-only-lock", SF_READ_ONLY_LOCK}};

static enum fail quirks_read(const char *list, unsigned *ret, struct error *err)
{
    struct str rest = str_of(list);

    while (rest.at) {
        struct str name = str_trim(str_cut(&rest, ','));
        unsigned quirk = 0;

        for (size_t i = 0; i < COUNT_OF(quirks); i++) {
            quirk |= str_equal(name, str_of(quirks[i].name)) ? quirks[i].quirk : 0;
        }
        if (!quirk) {
            error_set(err, FAIL_CONFIG, "unknown Salesforce quirk '%" PRI_STR "'",
                      STR_ARG(str_slice(name, 0, 40)));
            return error_hint(err, "use no-customize, person-accounts, multi-currency, "
                                   "state-picklists or read-only-lock");
        }
        *ret |= quirk;
    }
    return OK;
}

/* --- who may call ------------------------------------------------------------------------------ */

static void refuse_session(struct sim_call *call)
{
    sf_failf(call, 401, "INVALID_SESSION_ID", "Session expired or invalid");
}

/* Older clients write "OAuth" where newer ones write "Bearer"; both are taken. Source: streaming clients such as jsforce's. */
struct str sf_token(const struct sim_call *call)
{
    struct str value = http_header_get(&call->request->headers, "Authorization");
    struct str scheme = STR("OAuth ");

    if (str_equal_nocase(str_slice(value, 0, scheme.len), scheme)) {
        return str_trim(str_slice(value, scheme.len, value.len));
    }
    return sim_bearer(call);
}

/* Beside the account's token two more are known: TOKEN.readonly may not write, TOKEN.expired is a session past its life. Others come
 * from the token endpoint. */
bool sf_session_of_token(struct sim_call *call, struct str given, struct sf_session *ret)
{
    struct salesforce *sf = sf_of(call);
    struct str token = str_of(call->sim->token);

    *ret = (struct sf_session){.user = sf->api_user};
    if (given.len && str_starts(given, token)) {
        struct str suffix = str_slice(given, token.len, given.len);

        ret->is_read_only = str_equal(suffix, STR(".readonly"));
        if (!suffix.len || ret->is_read_only) {
            return true;
        }
    }
    return given.len && sf->session_find && sf->session_find(call, given, ret);
}

bool sf_session_find(struct sim_call *call, struct sf_session *ret)
{
    return sf_session_of_token(call, sf_token(call), ret);
}

struct sf_session sf_session_of(struct sim_call *call)
{
    struct sf_session session;

    sf_session_find(call, &session);
    return session;
}

/* --- routing ----------------------------------------------------------------------------------- */

bool sf_route_is(const struct sf_route *route, size_t index, const char *text)
{
    return index < route->count && str_equal(route->at[index], str_of(text));
}

/* "v66.0" */
static bool version_parse(struct str segment, int *ret)
{
    int64_t number;

    if (!str_starts(segment, STR("v")) || !str_ends(segment, STR(".0")) || segment.len < 4 ||
        !str_to_i64(str_slice(segment, 1, segment.len - 2), &number) || number < 1 ||
        number > SF_VERSION_MAX) {
        return false;
    }
    *ret = (int)number;
    return true;
}

static void versions_serve(struct sim_call *call)
{
    sim_put(call->body, "[");
    for (int version = SF_VERSION_MIN; version <= SF_VERSION_MAX; version++) {
        static const char *const seasons[] = {"Winter", "Spring", "Summer"};
        int since = version - SF_VERSION_MIN; /* 31 was Summer '14 */

        buf_addf(call->body,
                 "%s{\"label\":\"%s '%02d\",\"url\":\"/services/data/v%d.0\",\"version\":"
                 "\"%d.0\"}",
                 since ? "," : "", seasons[(since + 2) % 3], 14 + (since + 2) / 3, version,
                 version);
    }
    sim_put(call->body, "]");
    sim_reply(call, 200);
}

static const struct {
    const char *name;
    sf_serve_fn *serve;
} resources[] = {
    {"sobjects", sf_rows_serve},   {"limits", sf_limits_serve},  {"jobs", sf_jobs_serve},
    {"query", sf_query_serve},     {"queryAll", sf_query_serve}, {"composite", sf_composite_serve},
    {"tooling", sf_tooling_serve},
};

static void resources_serve(struct sim_call *call, const struct sf_route *route)
{
    sim_put(call->body, "{");
    for (size_t i = 0; i < COUNT_OF(resources); i++) {
        buf_addf(call->body, "%s\"%s\":\"/services/data/v%d.0/%s\"", i ? "," : "",
                 resources[i].name, route->version, resources[i].name);
    }
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* False after answering. */
static bool route_make(struct sim_call *call, struct sf_route *ret)
{
    *ret = (struct sf_route){0};
    if (!version_parse(call->segments[2], &ret->version)) {
        sf_not_found(call);
        return false;
    }
    if (ret->version < SF_VERSION_MIN) {
        sf_failf(call, 410, "UNSUPPORTED_API_VERSION",
                 "The requested API version v%d.0 has been retired", ret->version);
        return false;
    }
    for (size_t i = 3; i < call->segments_count; i++) {
        ret->at[ret->count++] = call->segments[i];
    }
    return true;
}

void sf_serve_data(struct sim_call *call)
{
    struct sf_route route;

    if (!route_make(call, &route)) {
        return;
    }
    if (!route.count) {
        resources_serve(call, &route);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(resources); i++) {
        if (sf_route_is(&route, 0, resources[i].name)) {
            resources[i].serve(call, &route);
            return;
        }
    }
    sf_not_found(call);
}

/* What stands outside the data API, by the first segments of the path; each looks after its own sessions and limits. */
static const struct {
    const char *first, *second;
    void (*serve)(struct sim_call *call);
} others[] = {
    {"services", "oauth2", sf_oauth_serve},
    {"services", "Soap", sf_soap_serve},
    {"id", NULL, sf_identity_serve},
    {"cometd", NULL, sf_streaming_serve},
};

static bool other_serve(struct sim_call *call)
{
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (sim_segment_is(call, 0, others[i].first) &&
            (!others[i].second || sim_segment_is(call, 1, others[i].second))) {
            others[i].serve(call);
            return true;
        }
    }
    return false;
}

static size_t head_bytes(const struct http_request *request)
{
    size_t bytes = request->url.len;

    for (size_t i = 0; i < request->headers.count; i++) {
        bytes += request->headers.at[i].name.len + request->headers.at[i].value.len + 4;
    }
    return bytes;
}

bool sf_session_check(struct sim_call *call)
{
    struct sf_session session;

    if (!sf_session_find(call, &session)) {
        refuse_session(call);
        return false;
    }
    return sf_calls_take(call, 1);
}

static void serve(struct sim_call *call)
{
    sf_doors_tick(call);
    if (head_bytes(call->request) > HEAD_BYTES_MAX) {
        sf_failf(call, call->request->url.len > HEAD_BYTES_MAX ? 414 : 431, "REQUEST_TOO_LARGE",
                 "The URI and headers are longer than %d bytes", HEAD_BYTES_MAX);
    } else if (other_serve(call)) {
        return;
    } else if (!sim_segment_is(call, 0, "services") || !sim_segment_is(call, 1, "data")) {
        sf_not_found(call);
    } else if (call->segments_count == 2) {
        versions_serve(call); /* without token and free of charge */
    } else if (sf_session_check(call)) {
        sf_serve_data(call);
    }
}

/* --- faults ------------------------------------------------------------------------------------ */

/* A gateway answers 502 with a page of its own. */
static void refuse(struct sim_call *call, int status)
{
    sim_restart(call);
    if (status == 429) { /* Salesforce's word for it is 403 */
        sf_refuse_concurrent(call);
    } else if (status == 500) {
        sf_failf(
            call, 500, "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: "
            "1234567890-12345 (123456789)");
    } else if (status == 503) {
        sf_failf(call, 503, "SERVER_UNAVAILABLE",
                 "There was a problem processing your request. Please try again.");
    } else {
        sim_header(call, "Content-Type", STR("text/html"));
        buf_addf(call->body,
                 "<html><head><title>%d</title></head><body>the gateway could not answer"
                 "</body></html>",
                 status);
        sim_reply(call, status);
    }
}

/* --- life -------------------------------------------------------------------------------------- */

static void salesforce_free(void *crm)
{
    struct salesforce *sf = crm;

    if (!sf) {
        return;
    }
    sf_cursors_free(sf);
    sf_schema_fini(sf);
    sf_doors_free(sf->doors);
    free(sf->images);
    free(sf->changes);
    arena_fini(&sf->unit_arena);
    random_free(sf->random);
    sim_window_fini(&sf->daily);
    arena_fini(&sf->arena);
    free(sf);
}

static bool control(struct sim_call *call)
{
    sf_doors_tick(call);
    return sf_doors_control(call) || sf_control(call);
}

static const struct sim_ops ops = {
    .name = "salesforce",
    .token = "simulated-salesforce-token",
    .handle = serve,
    .refuse = refuse,
    .state = sf_state,
    .edit = sf_edit,
    .remove = sf_remove,
    .restore = sf_restore,
    .merge = sf_merge_ordered,
    .schema = sf_drift_apply,
    .id_text = sf_id_text,
    .control = control,
    .free = salesforce_free,
};

static struct salesforce *salesforce_make(uint64_t seed)
{
    struct salesforce *sf = alloc_new(1, sizeof(*sf));

    sf->random = random_new_seeded(seed ^ 0x73616c6573666f72);
    sf->first_number = 11LL * BASE_62_4 + (int64_t)random_below(sf->random, BASE_62_4 / 2);
    sf->next_field_number = sf->first_number;
    sf->next_cursor = sf->first_number;
    sf->next_bin_group = 1;
    sf->doors = sf_doors_new(seed);
    sf_listen(sf, sf_capture);
    return sf;
}

enum fail simulator_salesforce_new(struct env *env, const struct simulator_options *options,
                                   struct simulator **ret, struct error *err)
{
    struct salesforce *sf = salesforce_make(options->seed);
    int64_t now_ms = clock_wall_ms(env->clock);
    char organization[SF_ID_BYTES];

    if (quirks_read(options->quirks, &sf->quirks, err) || sf_limits_init(sf, options->plan, err)) {
        salesforce_free(sf);
        return err->code;
    }
    sf_schema_init(sf, now_ms);
    sf_features_init(sf);
    sf_setup_fill(sf, now_ms);
    sf->session_find = sf_oauth_session;
    if (sim_new(env, options, &ops, sf, ret, err)) {
        return err->code;
    }
    sf_record_id((struct sf_record *)sf->objects[SF_ORGANIZATION]->table.at[0], organization);
    (*ret)->oauth = sim_oauth_new(&sf_oauth_spec, options->seed, organization);
    sf_fill(sf, sim_now_ms(*ret), options);
    sf_fill_work(sf, sim_now_ms(*ret), options);
    return OK;
}
