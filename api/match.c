#include "api/inside.h"

bool api_names(const char *words, struct str name)
{
    struct str rest = str_of(words);

    while (rest.at) {
        if (str_equal(str_cut(&rest, ' '), name)) {
            return true;
        }
    }
    return false;
}

/* One segment of a pattern against one of a path. */
static bool segment_fits(struct api_call *call, struct str pattern, struct str segment,
                         size_t *count)
{
    if (!str_starts(pattern, STR("{"))) {
        return str_equal(pattern, segment);
    }
    if (segment.len == 0 || *count == API_PARAMETERS_MAX) {
        return false;
    }
    call->parameters[*count] =
        (struct api_parameter){.name = str_slice(pattern, 1, pattern.len - 1),
                               .value = http_percent_decode(call->arena, segment, false)};
    ++*count;
    return true;
}

static bool path_fits(struct api_call *call, const char *pattern, struct str path)
{
    struct str wanted = str_of(pattern);
    size_t count = 0;

    memset(call->parameters, 0, sizeof call->parameters);
    while (wanted.at && path.at) {
        struct str segment = str_cut(&path, '/');

        if (!segment_fits(call, str_cut(&wanted, '/'), segment, &count)) {
            return false;
        }
    }
    return !wanted.at && !path.at;
}

enum api_match api_match(struct api_call *call, struct str *ret_allow)
{
    AUTO_BUF struct buf allow = {0};
    struct str path = http_path(call->request);
    size_t count;
    const struct api_route *routes = api_routes(&count);

    buf_init(&allow, 256);
    for (size_t i = 0; i < count; i++) {
        if (!path_fits(call, routes[i].pattern, path)) {
            continue;
        }
        if (routes[i].method == call->request->method) {
            call->route = &routes[i];
            return API_MATCH;
        }
        buf_addf(&allow, "%s%s%s", allow.len ? ", " : "", http_method_name(routes[i].method),
                 routes[i].method == HTTP_GET ? ", HEAD" : "");
    }
    *ret_allow = arena_str(call->arena, buf_str(&allow));
    return allow.len ? API_MATCH_OTHER_METHOD : API_MATCH_NONE;
}

struct str api_parameter(const struct api_call *call, const char *name)
{
    for (size_t i = 0; i < API_PARAMETERS_MAX; i++) {
        if (str_equal(call->parameters[i].name, str_of(name))) {
            return call->parameters[i].value;
        }
    }
    return STR("");
}
