/* What a request asks: query and body, read strictly. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"

/* --- query --------------------------------------------------------------------------------------------------- */

static struct str query_of(const struct http_request *request)
{
    struct str rest = request->url;

    str_cut(&rest, '?');
    return rest;
}

enum fail api_check_query(struct api_call *call, struct error *err)
{
    struct str rest = query_of(call->request);
    /* a client leaves alone what it does not know of an answer. source: RFC 6749 4.1.2 */
    bool is_answer = call->route->handle == handle_sign_in_callback;

    while (rest.at && !is_answer) {
        struct str pair = str_cut(&rest, '&');
        struct str name = str_cut(&pair, '=');

        if (name.len && !(call->route->query && api_names(call->route->query, name))) {
            error_set(err, FAIL_CONFIG, "there is no parameter '%" PRI_STR "' here",
                      STR_ARG(str_slice(name, 0, API_NAME_BYTES)));
            return error_hint(err, "parameters: %s",
                              call->route->query ? call->route->query : "none");
        }
    }
    return OK;
}

struct str api_query(const struct api_call *call, const char *name)
{
    struct str value = http_query_get(call->arena, call->request, name);

    return value.at ? value : STR("");
}

enum fail api_query_flag(const struct api_call *call, const char *name, bool *ret,
                         struct error *err)
{
    struct str value = api_query(call, name);

    *ret = str_equal(value, STR("true"));
    if (value.len && !*ret && !str_equal(value, STR("false"))) {
        return error_set(err, FAIL_CONFIG, "parameter '%s' is true or false", name);
    }
    return OK;
}

enum fail api_query_limit(const struct api_call *call, size_t *ret, struct error *err)
{
    struct str value = api_query(call, "limit");
    int64_t limit = API_LIMIT_DEFAULT;

    if (value.len && (!str_to_i64(value, &limit) || limit < 1 || limit > API_LIMIT_MAX)) {
        return error_set(err, FAIL_CONFIG, "parameter 'limit' is 1 to %d", API_LIMIT_MAX);
    }
    *ret = (size_t)limit;
    return OK;
}

enum fail api_query_after(const struct api_call *call, int64_t *ret, struct error *err)
{
    struct str value = api_query(call, "after");

    *ret = 0;
    if (value.len && (!str_to_i64(value, ret) || *ret < 1)) {
        return error_set(err, FAIL_CONFIG, "parameter 'after' is the 'next' of an earlier answer");
    }
    return OK;
}

/* --- body ---------------------------------------------------------------------------------------------------- */

static bool is_json(const struct http_request *request)
{
    struct str rest = http_header_get(&request->headers, "content-type");

    return str_equal_nocase(str_trim(str_cut(&rest, ';')), STR("application/json"));
}

static enum fail check_members(struct api_call *call, struct error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach(call->body, name, value)
    {
        if (!api_names(call->route->body, str_of(name))) {
            error_set(err, FAIL_CONFIG, "there is no member '%.*s' here", API_NAME_BYTES, name);
            return error_hint(err, "members: %s", call->route->body);
        }
    }
    return OK;
}

static enum fail parse_body(struct api_call *call, struct error *err)
{
    if (!is_json(call->request)) {
        error_set(err, FAIL_CONFIG, "the body is not said to be JSON");
        error_hint(err, "send 'Content-Type: application/json'");
        return api_status(call, 415, err);
    }
    if (jx_parse(call->arena, call->request->body, &call->body, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (!json_is_object(call->body)) {
        return error_set(err, FAIL_CONFIG, "the body must be a JSON object");
    }
    return OK;
}

enum fail api_read_body(struct api_call *call, struct error *err)
{
    if (!call->body && call->request->body.len) {
        if (!call->route->body) {
            return error_set(err, FAIL_CONFIG, "this takes no body");
        }
        if (parse_body(call, err) != OK) {
            return err->code;
        }
    }
    if (!call->body) {
        call->body = jx_own(call->arena, json_object());
    }
    return call->route->body ? check_members(call, err) : OK;
}

enum fail api_expected_version(struct api_call *call, int64_t *ret, struct error *err)
{
    struct str tag = str_trim(http_header_get(&call->request->headers, "if-match"));
    int64_t version;

    if (jx_i64_or(call->body, "version", 0, &version, err) != OK || version < 0) {
        return error_set(err, FAIL_CONFIG, "member 'version' must be a number from 1 up");
    }
    *ret = version;
    if (tag.len == 0 || str_equal(tag, STR("*"))) {
        return OK;
    }
    if (tag.len < 3 || tag.at[0] != '"' || !str_ends(tag, STR("\"")) ||
        !str_to_i64(str_slice(tag, 1, tag.len - 1), ret) || *ret < 1) {
        return error_set(err, FAIL_CONFIG, "If-Match must hold the ETag of an earlier answer");
    }
    if (version && version != *ret) {
        return error_set(err, FAIL_CONFIG, "If-Match and member 'version' contradict each other");
    }
    return OK;
}

/* --- names --------------------------------------------------------------------------------------------------- */

enum fail api_parameter_id(struct api_call *call, const char *name, int64_t *ret, struct error *err)
{
    struct str text = api_parameter(call, name);

    if (!str_to_i64(text, ret) || *ret < 1) {
        error_set(err, FAIL_RECORD, "'%" PRI_STR "' is no number of a list",
                  STR_ARG(str_slice(text, 0, API_NAME_BYTES)));
        return api_status(call, 404, err);
    }
    return OK;
}

enum fail api_connection(struct api_call *call, struct str name,
                         const struct connection_settings **ret, struct error *err)
{
    *ret = settings_of(call->tenant->settings, name);
    if (*ret) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "no connection '%" PRI_STR "'",
              STR_ARG(str_slice(name, 0, API_NAME_BYTES)));
    error_hint(err, "'crmsync connections' lists them");
    return api_status(call, 404, err);
}
