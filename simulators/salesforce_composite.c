/* /composite and /composite/batch: several calls in one. Source: REST guide, composite request and response, batch. */
#include "simulators/salesforce_inside.h"

#include "core/alloc.h"
#include "core/jx.h"

enum { SUBREQUESTS_MAX = 25, HEAVY_MAX = 5, ANSWER_BYTES_MAX = 1 << 28, TEXT_BYTES_MAX = 1 << 24 };

/* One call inside another. */
struct inner {
    struct str reference;
    struct http_request request;
    struct http_response response; /* its arena is not used */
    struct buf body;
    bool is_halted;
};

/* --- one subrequest ---------------------------------------------------------------------------- */

static bool method_parse(struct str name, enum http_method *ret)
{
    static const enum http_method methods[] = {HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH,
                                               HTTP_DELETE};

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (str_equal_nocase(name, str_of(http_method_name(methods[i])))) {
            *ret = methods[i];
            return true;
        }
    }
    return false;
}

static void split(struct sim_call *call)
{
    struct str rest = http_path(call->request);

    while (rest.at && call->segments_count < SIM_SEGMENTS_MAX) {
        struct str segment = str_cut(&rest, '/');

        if (segment.len) {
            call->segments[call->segments_count++] =
                http_percent_decode(call->arena, segment, false);
        }
    }
}

/* Answers it as if it had come alone. */
static void serve_inner(struct sim_call *call, struct inner *inner)
{
    struct sim_call own = {.sim = call->sim,
                           .request = &inner->request,
                           .response = &inner->response,
                           .arena = call->arena,
                           .body = &inner->body,
                           .now_ms = call->now_ms};

    split(&own);
    if (own.segments_count < 3 || !sim_segment_is(&own, 0, "services") ||
        !sim_segment_is(&own, 1, "data")) {
        sf_not_found(&own);
    } else {
        sf_serve_data(&own);
    }
}

static bool has_failed(const struct inner *inner)
{
    return inner->is_halted || inner->response.status >= 300;
}

static void halt(struct inner *inner, const char *format, struct str more)
{
    inner->is_halted = true;
    buf_reset(&inner->body);
    sim_put(&inner->body, "[{\"errorCode\":\"PROCESSING_HALTED\",\"message\":");
    AUTO_FREE char *text = alloc_printf("%s%" PRI_STR, format, STR_ARG(more));

    sim_put_text(&inner->body, str_of(text));
    sim_put(&inner->body, "}]");
    inner->response.status = 400;
}

/* --- references -------------------------------------------------------------------------------- */

struct composite {
    struct sim_call *call;
    struct inner *inners;
    size_t count;
};

static const struct inner *named(const struct composite *composite, struct str name, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        if (str_equal(composite->inners[i].reference, name)) {
            return &composite->inners[i];
        }
    }
    return NULL;
}

/* NULL: it has none. Few are ever referred to. */
static json_t *answer_of(const struct composite *composite, const struct inner *inner)
{
    struct error ignored = {0};
    json_t *answer = NULL;

    return inner->body.len &&
                   jx_parse(composite->call->arena, buf_str(&inner->body), &answer, &ignored) == OK
               ? answer
               : NULL;
}

/* "records[0].Id" of an answer. */
static json_t *value_at(json_t *tree, struct str path)
{
    while (tree && path.len) {
        struct str part = str_cut(&path, '.'), rest = part, name = str_cut(&rest, '[');
        int64_t index;

        if (name.len) {
            tree = json_object_getn(tree, name.at, name.len);
        }
        while (tree && rest.at) {
            struct str number = str_cut(&rest, ']');

            tree = str_to_i64(number, &index) && index >= 0 ? json_array_get(tree, (size_t)index)
                                                            : NULL;
            str_cut(&rest, '[');
        }
    }
    return tree;
}

/* False: *missing is the reference that has no value. */
static bool resolve_text(const struct composite *composite, size_t before, struct str text,
                         struct str *ret, struct str *missing)
{
    AUTO_BUF struct buf out;
    const char *found;

    buf_init(&out, TEXT_BYTES_MAX);
    while ((found = text.len ? memmem(text.at, text.len, "@{", 2) : NULL)) {
        size_t at = (size_t)(found - text.at);
        struct str rest = str_slice(text, at + 2, text.len), path = str_cut(&rest, '}');
        struct str whole = path, name = str_cut(&path, '.');
        const struct inner *inner;
        const json_t *value;

        if (!rest.at) {
            break;
        }
        inner = named(composite, name, before);
        value = inner && !has_failed(inner) && path.at ? value_at(answer_of(composite, inner), path)
                                                       : NULL;
        if (!value || json_is_object(value) || json_is_array(value)) {
            *missing = whole;
            return false;
        }
        buf_add(&out, str_slice(text, 0, at));
        buf_add(&out,
                json_is_string(value) ? jx_text_of(value) : jx_text(composite->call->arena, value));
        text = rest;
    }
    buf_add(&out, text);
    *ret = arena_str(composite->call->arena, buf_str(&out));
    return true;
}

/* In all texts of a body. */
static bool resolve_tree(const struct composite *composite, size_t before, json_t *tree,
                         struct str *missing)
{
    const char *name;
    struct str text;
    json_t *value;
    size_t index;
    void *next;

    json_object_foreach_safe(tree, next, name, value)
    {
        if (!json_is_string(value)) {
            if (!resolve_tree(composite, before, value, missing)) {
                return false;
            }
            continue;
        }
        if (!resolve_text(composite, before, jx_text_of(value), &text, missing)) {
            return false;
        }
        json_object_set_new(tree, name, json_stringn(text.at, text.len));
    }
    json_array_foreach(tree, index, value)
    {
        if (!json_is_string(value)) {
            if (!resolve_tree(composite, before, value, missing)) {
                return false;
            }
            continue;
        }
        if (!resolve_text(composite, before, jx_text_of(value), &text, missing)) {
            return false;
        }
        json_array_set_new(tree, index, json_stringn(text.at, text.len));
    }
    return true;
}

/* --- composite --------------------------------------------------------------------------------- */

static bool is_heavy(struct str url)
{
    return str_contains(url, STR("/query")) || str_contains(url, STR("/composite/sobjects"));
}

static bool is_reference_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            c != '_') {
            return false;
        }
    }
    return text.len > 0;
}

/* The outer call's headers are those of every inner one; its own replace them. */
static void headers_make(const struct sim_call *call, const json_t *own, struct http_headers *ret)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)own, name, value)
    {
        http_header_add(ret, str_of(name), jx_text_of(value));
    }
    for (size_t i = 0; i < call->request->headers.count; i++) {
        const struct http_header *header = &call->request->headers.at[i];

        if (str_equal_nocase(header->name, STR("Authorization")) ||
            str_starts(header->name, STR("Sforce-")) || str_starts(header->name, STR("sforce-"))) {
            http_header_add(ret, header->name, header->value);
        }
    }
}

/* False after answering. */
static bool composite_check(struct sim_call *call, const json_t *requests)
{
    size_t heavy = 0, index;
    json_t *request;

    if (!json_is_array(requests) || !json_array_size(requests)) {
        sf_failf(call, 400, "JSON_PARSER_ERROR", "The body has to hold an array compositeRequest");
        return false;
    }
    json_array_foreach((json_t *)requests, index, request)
    {
        enum http_method method;

        heavy += is_heavy(jx_text_of(jx_get(request, "url")));
        if (!method_parse(jx_text_of(jx_get(request, "method")), &method) ||
            !jx_text_of(jx_get(request, "url")).at ||
            !is_reference_id(jx_text_of(jx_get(request, "referenceId")))) {
            sf_failf(call, 400, "JSON_PARSER_ERROR",
                     "Every subrequest has to have a method, a url and a referenceId of letters, "
                     "digits and underscores");
            return false;
        }
    }
    if (json_array_size(requests) > SUBREQUESTS_MAX || heavy > HEAVY_MAX) {
        sf_failf(call, 400, "LIMIT_EXCEEDED",
                 "At most %d subrequests, %d of them queries or collections, can be sent at once",
                 SUBREQUESTS_MAX, HEAVY_MAX);
        return false;
    }
    return true;
}

static void composite_one(struct composite *composite, size_t index, const json_t *request)
{
    struct inner *inner = &composite->inners[index];
    struct arena *arena = composite->call->arena;
    json_t *body = jx_get(request, "body");
    struct str missing;

    buf_init(&inner->body, ANSWER_BYTES_MAX);
    inner->reference = jx_text_of(jx_get(request, "referenceId"));
    method_parse(jx_text_of(jx_get(request, "method")), &inner->request.method);
    headers_make(composite->call, jx_get(request, "httpHeaders"), &inner->request.headers);
    body = body ? jx_own(arena, json_deep_copy(body)) : NULL;
    if (!resolve_text(composite, index, jx_text_of(jx_get(request, "url")), &inner->request.url,
                      &missing) ||
        (body && !resolve_tree(composite, index, body, &missing))) {
        struct str rest = missing, name = str_cut(&rest, '.');

        halt(inner, "Invalid reference specified. No value for ",
             arena_printf(arena, "%" PRI_STR " found in %" PRI_STR ".", STR_ARG(missing),
                          STR_ARG(name)));
        return;
    }
    inner->request.body = body ? jx_text(arena, body) : STR("");
    serve_inner(composite->call, inner);
}

static void put_inner(struct buf *body, const struct inner *inner)
{
    struct str location = http_header_get(&inner->response.headers, "Location");

    sim_put(body, "{\"body\":");
    if (inner->body.len) {
        buf_add(body, buf_str(&inner->body));
    } else {
        sim_put(body, "null");
    }
    sim_put(body, ",\"httpHeaders\":{");
    if (location.at) {
        sim_put(body, "\"Location\":");
        sim_put_text(body, location);
    }
    buf_addf(body, "},\"httpStatusCode\":%d,\"referenceId\":", inner->response.status);
    sim_put_text(body, inner->reference);
    sim_put(body, "}");
}

/* Whatever fails takes the others along. */
static void roll_back(struct composite *composite)
{
    for (size_t i = 0; i < composite->count; i++) {
        if (!has_failed(&composite->inners[i])) {
            halt(&composite->inners[i],
                 "The transaction was rolled back since another operation in the same transaction "
                 "failed.",
                 STR(""));
        }
    }
}

static bool any_failed(const struct composite *composite)
{
    for (size_t i = 0; i < composite->count; i++) {
        if (has_failed(&composite->inners[i])) {
            return true;
        }
    }
    return false;
}

static void composite_answer(struct composite *composite)
{
    sim_put(composite->call->body, "{\"compositeResponse\":[");
    for (size_t i = 0; i < composite->count; i++) {
        sim_put(composite->call->body, i ? "," : "");
        put_inner(composite->call->body, &composite->inners[i]);
        buf_fini(&composite->inners[i].body);
    }
    sim_put(composite->call->body, "]}");
    sim_reply(composite->call, 200);
}

static void composite_serve(struct sim_call *call)
{
    struct composite composite = {.call = call};
    struct sf_unit unit;
    json_t *body, *request;
    const json_t *requests;
    bool is_one, is_done;
    size_t index;

    if (!sf_body(call, &body)) {
        return;
    }
    requests = jx_get(body, "compositeRequest");
    if (!composite_check(call, requests)) {
        return;
    }
    composite.count = json_array_size(requests);
    composite.inners = ARENA_ARRAY(call->arena, struct inner, composite.count);
    is_one = json_is_true(jx_get(body, "allOrNone"));
    if (is_one) {
        sf_unit_begin(call, &unit);
    }
    json_array_foreach((json_t *)requests, index, request)
    {
        composite_one(&composite, index, request);
    }
    is_done = !any_failed(&composite);
    if (is_one) {
        sf_unit_end(&unit, is_done);
    }
    if (is_one && !is_done) {
        roll_back(&composite);
    }
    composite_answer(&composite);
}

/* --- batch ------------------------------------------------------------------------------------- */

static bool batch_check(struct sim_call *call, const json_t *requests)
{
    size_t index;
    json_t *request;

    if (!json_is_array(requests) || !json_array_size(requests) ||
        json_array_size(requests) > SUBREQUESTS_MAX) {
        sf_failf(call, 400, "JSON_PARSER_ERROR", "batchRequests has to hold 1 to %d requests",
                 SUBREQUESTS_MAX);
        return false;
    }
    json_array_foreach((json_t *)requests, index, request)
    {
        enum http_method method;

        if (!method_parse(jx_text_of(jx_get(request, "method")), &method) ||
            !jx_text_of(jx_get(request, "url")).at) {
            sf_failf(call, 400, "JSON_PARSER_ERROR",
                     "Every request has to have a method and a url");
            return false;
        }
    }
    return true;
}

/* Each counts as a call of its own; the address begins with the version. */
static void batch_one(struct sim_call *call, const json_t *request, struct inner *inner)
{
    struct str url = jx_text_of(jx_get(request, "url"));
    const json_t *input = jx_get(request, "richInput");

    buf_init(&inner->body, ANSWER_BYTES_MAX);
    method_parse(jx_text_of(jx_get(request, "method")), &inner->request.method);
    headers_make(call, NULL, &inner->request.headers);
    inner->request.url = str_starts(url, STR("/"))
                             ? url
                             : arena_printf(call->arena, "/services/data/%" PRI_STR, STR_ARG(url));
    inner->request.body = input ? jx_text(call->arena, input) : STR("");
    serve_inner(call, inner);
}

static void batch_put(struct sim_call *call, struct inner *inner, size_t index)
{
    buf_addf(call->body, "%s{\"statusCode\":%d,\"result\":", index ? "," : "",
             inner->response.status);
    if (inner->body.len) {
        buf_add(call->body, buf_str(&inner->body));
    } else {
        sim_put(call->body, "null");
    }
    sim_put(call->body, "}");
    buf_fini(&inner->body);
}

static void batch_serve(struct sim_call *call)
{
    json_t *body, *request;
    const json_t *requests;
    bool halts, any = false;
    size_t index;

    if (!sf_body(call, &body)) {
        return;
    }
    requests = jx_get(body, "batchRequests");
    if (!batch_check(call, requests)) {
        return;
    }
    if (json_array_size(requests) > 1 &&
        !sf_calls_take(call, (int64_t)json_array_size(requests) - 1)) {
        return;
    }
    halts = json_is_true(jx_get(body, "haltOnError"));
    sim_put(call->body, "{\"results\":[");
    json_array_foreach((json_t *)requests, index, request)
    {
        struct inner *inner = ARENA_NEW(call->arena, struct inner);

        if (any && halts) {
            buf_init(&inner->body, ANSWER_BYTES_MAX);
            inner->response.status = 412;
            sim_put(&inner->body, "[{\"errorCode\":\"BATCH_PROCESSING_HALTED\",\"message\":\"Batch "
                                  "processing halted per request\"}]");
        } else {
            batch_one(call, request, inner);
        }
        any = any || inner->response.status >= 400;
        batch_put(call, inner, index);
    }
    buf_addf(call->body, "],\"hasErrors\":%s}", any ? "true" : "false");
    sim_reply(call, 200);
}

void sf_composite_serve(struct sim_call *call, const struct sf_route *route)
{
    if (sf_route_is(route, 1, "sobjects")) {
        sf_collections_serve(call, route);
    } else if (call->request->method != HTTP_POST) {
        sf_no_method(call, "POST");
    } else if (route->count == 1) {
        composite_serve(call);
    } else if (route->count == 2 && sf_route_is(route, 1, "batch")) {
        batch_serve(call);
    } else {
        sf_not_found(call);
    }
}
