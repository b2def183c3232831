#include "simulators/inside.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"
#include "simulators/control.h"
#include "simulators/hooks.h"
#include "simulators/oauth.h"

enum { FAULTS_FILE_BYTES_MAX = 1024 * 1024, QUERY_LIST_BYTES_MAX = 64 * 1024 };

/* --- making and ending
 * ---------------------------------------------------------------------------------------------------
 */

static enum fail file_read(const char *path, struct buf *ret, struct error *err)
{
    char chunk[4096];
    size_t bytes;
    FILE *file = fopen(path, "rb");

    if (!file) {
        error_set(err, FAIL_CONFIG, "cannot read fault schedule '%s': %m", path);
        return error_hint(err, "check the path and its permissions");
    }
    while ((bytes = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        buf_add(ret, (struct str){.at = chunk, .len = bytes});
    }
    fclose(file);
    if (ret->is_full) {
        return error_set(err, FAIL_CONFIG, "fault schedule '%s' is larger than %d bytes", path,
                         FAULTS_FILE_BYTES_MAX);
    }
    return OK;
}

static enum fail faults_load(const char *path, struct sim_faults **ret, struct error *err)
{
    AUTO_BUF struct buf text;

    buf_init(&text, FAULTS_FILE_BYTES_MAX);
    if (file_read(path, &text, err)) {
        return err->code;
    }
    if (sim_faults_parse(buf_str(&text), ret, err)) {
        return error_wrap(err, "fault schedule '%s'", path);
    }
    return OK;
}

enum fail sim_new(struct env *env, const struct simulator_options *options,
                  const struct sim_ops *ops, void *take_crm, struct simulator **ret,
                  struct error *err)
{
    struct simulator *sim = alloc_new(1, sizeof(*sim));

    sim->ops = ops;
    sim->crm = take_crm;
    sim->env = *env;
    sim->token = alloc_dup(options->token ? options->token : ops->token);
    sim->seed = options->seed;
    sim->hooks = sim_hooks_new(options->seed);
    sim->no_limits = options->no_limits;
    sim->index_lag_ms = options->index_lag_ms;
    sim->hold_ms = options->hold_ms;
    pthread_mutex_init(&sim->mutex, NULL);
    sim->random = random_new_seeded(options->seed ^ 0x73696d756c617465);
    sim->began_wall_ms = clock_wall_ms(env->clock);
    sim->began_mono_ms = clock_mono_ms(env->clock);
    buf_init(&sim->body, SIM_ANSWER_BYTES_MAX);
    sim->calls = json_object();
    if (options->faults_file && faults_load(options->faults_file, &sim->faults, err)) {
        simulator_free(sim);
        return err->code;
    }
    *ret = sim;
    return OK;
}

void simulator_free(struct simulator *sim)
{
    if (!sim) {
        return;
    }
    sim->ops->free(sim->crm);
    sim_faults_free(sim->faults);
    sim_oauth_free(sim->oauth);
    sim_hooks_free(sim->hooks);
    random_free(sim->random);
    json_decref(sim->calls);
    json_decref(sim->written);
    buf_fini(&sim->body);
    free(sim->token);
    pthread_mutex_destroy(&sim->mutex);
    free(sim);
}

const char *simulator_token(const struct simulator *sim)
{
    return sim->token;
}

const char *simulator_client_id(const struct simulator *sim)
{
    return sim->oauth ? sim->oauth->client_id : NULL;
}

const char *simulator_client_secret(const struct simulator *sim)
{
    return sim->oauth ? sim->oauth->client_secret : NULL;
}

const char *simulator_username(const struct simulator *sim)
{
    return sim->oauth ? sim->oauth->spec->username : NULL;
}

const char *simulator_password(const struct simulator *sim)
{
    return sim->oauth ? sim->oauth->spec->password : NULL;
}

const char *simulator_name(const struct simulator *sim)
{
    return sim->ops->name;
}

int64_t sim_now_ms(struct simulator *sim)
{
    return sim->began_wall_ms + clock_mono_ms(sim->env.clock) - sim->began_mono_ms +
           sim->advanced_ms;
}

void sim_wait(struct sim_call *call, int64_t ms)
{
    struct simulator *sim = call->sim;

    pthread_mutex_unlock(&sim->mutex);
    clock_wait_ms(sim->env.clock, ms);
    pthread_mutex_lock(&sim->mutex);
    sim_restart(call);
    call->now_ms = sim_now_ms(sim);
}

/* --- statistics
 * ----------------------------------------------------------------------------------------------------------
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_or_dash(char c)
{
    return is_digit(c) || c == '-' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool every_char(struct str text, bool (*is_fine)(char))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_fine(text.at[i])) {
            return false;
        }
    }
    return text.len > 0;
}

static bool is_digit_or_point(char c)
{
    return is_digit(c) || c == '.';
}

/* "v3", "v10", "v66.0" or "2026-09". */
static bool segment_is_version(struct str segment)
{
    if (segment.len >= 2 && segment.at[0] == 'v') {
        return every_char(str_slice(segment, 1, segment.len), is_digit_or_point);
    }
    return segment.len == 7 && segment.at[4] == '-' &&
           every_char(str_slice(segment, 0, 4), is_digit) &&
           every_char(str_slice(segment, 5, 7), is_digit);
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 15 or 18 characters that begin with the number of an object, maybe with a place in a list: "01g8d00000QlOc1AAF-2000". */
static bool segment_is_salesforce_id(struct str segment)
{
    struct str id = str_cut(&segment, '-');

    return (id.len == 15 || id.len == 18) && is_digit(id.at[0]) && every_char(id, is_alphanumeric);
}

/* A number, a UUID, the key of a Pipedrive field, an id of Salesforce, or a natural key such as an e-mail address. */
static bool segment_is_id(struct str segment)
{
    return segment_is_salesforce_id(segment) || every_char(segment, is_digit) ||
           str_contains(segment, STR("@")) ||
           ((segment.len == 36 || segment.len == 40) && every_char(segment, is_hex_or_dash));
}

static void template_add(struct buf *text, struct str segment)
{
    buf_add_char(text, '/');
    if (segment_is_version(segment)) {
        sim_put(text, "{version}");
    } else if (segment_is_id(segment)) {
        sim_put(text, "{id}");
    } else {
        buf_add(text, segment);
    }
}

static void count_call(struct sim_call *call)
{
    struct simulator *sim = call->sim;
    struct buf *text = &sim->body;
    const char *key = "other";
    json_t *count;

    buf_reset(text);
    sim_put(text, http_method_name(call->request->method));
    buf_add_char(text, ' ');
    for (size_t i = 0; i < call->segments_count; i++) {
        template_add(text, call->segments[i]);
    }
    sim->calls_total++;
    if (json_object_get(sim->calls, text->at) || json_object_size(sim->calls) < SIM_TEMPLATES_MAX) {
        key = text->at;
    }
    count = json_object_get(sim->calls, key);
    if (count) {
        json_integer_set(count, json_integer_value(count) + 1);
    } else if (json_object_set_new(sim->calls, key, json_integer(1))) {
        json_object_set_new(sim->calls, "not UTF-8", json_integer(1));
    }
    buf_reset(text);
}

void sim_count_writes(struct sim_call *call, int64_t count)
{
    call->sim->writes += count;
}

/* --- one call
 * ------------------------------------------------------------------------------------------------------------
 */

static void call_split(struct sim_call *call)
{
    struct str rest = http_path(call->request);

    while (rest.at && call->segments_count < SIM_SEGMENTS_MAX) {
        struct str segment = str_cut(&rest, '/');

        if (!str_is_empty(segment)) {
            call->segments[call->segments_count++] =
                http_percent_decode(call->arena, segment, false);
        }
    }
}

static void act_out(struct sim_call *call, enum http_fault fault)
{
    call->response->fault = fault;
}

static void refuse_somehow(struct sim_call *call)
{
    static const int statuses[] = {500, 502, 503};

    call->sim->ops->refuse(call, statuses[random_below(call->sim->random, COUNT_OF(statuses))]);
}

/* A proxy or a login page in between: sometimes with a status that claims success. */
static void answer_html(struct sim_call *call)
{
    bool claims_success = random_below(call->sim->random, 2) == 0;

    sim_header(call, "Content-Type", STR("text/html; charset=utf-8"));
    sim_put(call->body, "<!DOCTYPE html><html><head><title>One moment</title></head><body>"
                        "<p>Checking your connection</p></body></html>\n");
    sim_reply(call, claims_success ? 200 : 403);
}

/* Faults are applied here and nowhere else, around the CRM's own handler. */
static void call_serve(struct sim_call *call)
{
    struct simulator *sim = call->sim;
    enum sim_fault fault = sim_faults_next(sim->faults, call->request);

    sim->faults_count += fault != SIM_FAULT_NONE;
    switch (fault) {
    case SIM_FAULT_NONE:
        sim->ops->handle(call);
        break;
    case SIM_FAULT_THROTTLE:
        sim->ops->refuse(call, 429);
        break;
    case SIM_FAULT_SERVER_ERROR:
        refuse_somehow(call);
        break;
    case SIM_FAULT_TIMEOUT_AFTER_APPLY:
        sim->ops->handle(call);
        act_out(call, HTTP_FAULT_TIMEOUT);
        break;
    case SIM_FAULT_TRUNCATE:
        sim->ops->handle(call);
        act_out(call, HTTP_FAULT_TRUNCATE);
        break;
    case SIM_FAULT_WRONG_TYPE:
        sim->ops->handle(call);
        sim_spoil(call);
        break;
    case SIM_FAULT_SLOW:
        sim->ops->handle(call);
        act_out(call, HTTP_FAULT_SLOW);
        break;
    case SIM_FAULT_RESET:
        sim_reply(call, 503);
        act_out(call, HTTP_FAULT_RESET);
        break;
    case SIM_FAULT_HTML:
        answer_html(call);
        break;
    }
}

static void call_finish(struct sim_call *call)
{
    struct http_response *response = call->response;

    assert(response->status != 0);
    if (response->status == 429) {
        call->sim->throttled++;
    }
    if (call->body->is_full) {
        sim_restart(call);
        response->status = 500;
    }
    response->body = arena_str(call->arena, buf_str(call->body));
    if (!http_header_get(&response->headers, "Content-Type").at && response->body.len) {
        sim_header(call, "Content-Type", STR("application/json;charset=utf-8"));
    }
}

static void call_date(struct sim_call *call)
{
    char date[WHEN_TEXT_BYTES];

    when_format_http(call->now_ms, date);
    sim_header(call, "Date", arena_str(call->arena, str_of(date)));
}

void simulator_handle(void *context, const struct http_request *request,
                      struct http_response *response)
{
    struct simulator *sim = context;
    struct sim_call call = {
        .sim = sim, .request = request, .response = response, .arena = &response->arena};

    pthread_mutex_lock(&sim->mutex);
    call.body = &sim->body;
    call.now_ms = sim_now_ms(sim);
    buf_reset(&sim->body);
    call_split(&call);
    call_date(&call);
    sim_hooks_by(sim->hooks, sim_segment_is(&call, 0, "__sim"));
    if (sim_segment_is(&call, 0, "__sim")) {
        sim_control(&call);
    } else {
        count_call(&call);
        call_serve(&call);
    }
    call_finish(&call);
    pthread_mutex_unlock(&sim->mutex);
}

/* --- helpers of the handlers
 * --------------------------------------------------------------------------------------------- */

void sim_reply(struct sim_call *call, int status)
{
    call->response->status = status;
}

void sim_header(struct sim_call *call, const char *name, struct str value)
{
    http_header_add(&call->response->headers, str_of(name), value);
}

void sim_header_i64(struct sim_call *call, const char *name, int64_t value)
{
    sim_header(call, name, arena_printf(call->arena, "%lld", (long long)value));
}

void sim_restart(struct sim_call *call)
{
    buf_reset(call->body);
    call->body->is_full = false;
}

bool sim_json(struct sim_call *call, json_t **ret)
{
    struct error err = {0};

    *ret = NULL;
    return jx_parse(call->arena, call->request->body, ret, &err) == OK;
}

struct str sim_query(struct sim_call *call, const char *name)
{
    return http_query_get(call->arena, call->request, name);
}

struct str sim_query_list(struct sim_call *call, const char *name)
{
    struct str rest = call->request->url;
    AUTO_BUF struct buf list;

    buf_init(&list, QUERY_LIST_BYTES_MAX);
    str_cut(&rest, '?');
    while (rest.at) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');

        if (value.at && str_equal(http_percent_decode(call->arena, key, true), str_of(name))) {
            buf_add(&list, list.len ? STR(",") : STR(""));
            buf_add(&list, http_percent_decode(call->arena, value, true));
        }
    }
    return list.len ? arena_str(call->arena, buf_str(&list)) : STR_NONE;
}

bool sim_query_i64(struct sim_call *call, const char *name, int64_t otherwise, int64_t *ret)
{
    struct str text = sim_query(call, name);

    *ret = otherwise;
    return !text.at || str_to_i64(text, ret);
}

bool sim_segment_is(const struct sim_call *call, size_t index, const char *text)
{
    return index < call->segments_count && str_equal(call->segments[index], str_of(text));
}

struct str sim_bearer(const struct sim_call *call)
{
    struct str value = http_header_get(&call->request->headers, "Authorization");
    struct str scheme = STR("Bearer ");

    if (!str_equal_nocase(str_slice(value, 0, scheme.len), scheme)) {
        return STR_NONE;
    }
    return str_trim(str_slice(value, scheme.len, value.len));
}
