/* Answers: JSON, pages, and failures as problem+json (RFC 9457). */
#include <stdlib.h>

#include "api/inside.h"
#include "api/json.h"
#include "core/advice.h"
#include "core/alloc.h"

static const struct {
    int status;
    const char *reason;
} REASONS[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
};

const char *api_reason(int status)
{
    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        if (REASONS[i].status == status) {
            return REASONS[i].reason;
        }
    }
    return "Error";
}

int api_status_of(const struct api_call *call, const struct error *err)
{
    if (err->code == OK) {
        return call->status ? call->status : 200;
    }
    if (call->status >= 400) {
        return call->status;
    }
    switch (err->code) {
    case OK:
    case FAIL_BUG:
        return 500;
    case FAIL_RECORD:
        return 422;
    case FAIL_STALE:
        return 409;
    case FAIL_CONFIG:
        return 400;
    case FAIL_THROTTLED:
    case FAIL_CANCELLED:
    case FAIL_STOP:
        return 503;
    case FAIL_RETRY:
    case FAIL_AUTH:
    case FAIL_CONNECTION:
        return 502; /* a CRM's word; what a token may not do has its status already */
    }
    return 500;
}

enum fail api_status(struct api_call *call, int status, const struct error *err)
{
    call->status = status;
    return err->code;
}

void api_header(struct api_call *call, const char *name, struct str value)
{
    http_header_add(&call->headers, str_of(name), value);
}

void api_answer(struct api_call *call, json_t *take_tree)
{
    call->answer = jx_own(call->arena, take_tree);
}

/* The address of the next page: all parameters as the client has them, but for `after`. source: RFC 8288 */
static struct str next_link(const struct api_call *call, struct str after)
{
    AUTO_BUF struct buf text = {0};
    struct str rest = call->request->url;
    struct str path = str_cut(&rest, '?');

    buf_init(&text, 8 * 1024);
    buf_addf(&text, "<%" PRI_STR "?", STR_ARG(path));
    while (rest.at) {
        struct str pair = str_cut(&rest, '&');

        if (pair.len && !str_starts(pair, STR("after="))) {
            buf_addf(&text, "%" PRI_STR "&", STR_ARG(pair));
        }
    }
    buf_addf(&text, "after=%" PRI_STR ">; rel=\"next\"", STR_ARG(after));
    return arena_str(call->arena, buf_str(&text));
}

void api_page(struct api_call *call, json_t *take_rows, int64_t after)
{
    json_t *next = json_null();

    if (after) {
        struct str text = arena_printf(call->arena, "%lld", (long long)after);

        next = json_stringn(text.at, text.len);
        api_header(call, "Link", next_link(call, text));
    }
    api_answer(call, json_pack("{s:o,s:o}", "items", take_rows, "next", next));
}

bool api_is_known(struct api_call *call, int64_t version)
{
    struct str tag = arena_printf(call->arena, "\"%lld\"", (long long)version);
    struct str known = str_trim(http_header_get(&call->request->headers, "if-none-match"));

    api_header(call, "ETag", tag);
    if (str_equal(known, tag)) {
        call->status = 304;
        return true;
    }
    return false;
}

enum fail api_not_offered(struct api_call *call, const char *what, struct error *err)
{
    error_set(err, FAIL_CONFIG, "this process does not offer %s", what);
    return api_status(call, 501, err);
}

/* --- rendering ----------------------------------------------------------------------------------------------- */

struct str api_advice(const struct api_call *call, struct str text)
{
    return call->tenant ? advice_for_tenant(call->arena, call->tenant->name, text) : text;
}

static json_t *problem(const struct api_call *call, int status, const struct error *err)
{
    json_t *tree =
        json_pack("{s:s,s:s,s:i,s:s,s:s}", "type", "about:blank", "title", api_reason(status),
                  "status", status, "detail", err->message, "code", fail_name(err->code));

    if (err->hint[0]) {
        json_object_set_new(tree, "hint", json_text(api_advice(call, str_of(err->hint))));
    }
    return tree;
}

static struct str dump(struct arena *arena, const json_t *tree)
{
    AUTO_FREE char *text = json_dumps(tree, JSON_COMPACT);

    return arena_str(arena, str_of(text));
}

static void add_headers(struct api_call *call, struct http_response *response, struct str type)
{
    static const char *const FIXED[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    };
    struct arena *arena = &response->arena;

    if (type.len) {
        http_header_add(&response->headers, STR("Content-Type"), arena_str(arena, type));
    }
    for (size_t i = 0; i < COUNT_OF(FIXED); i++) {
        http_header_add(&response->headers, str_of(FIXED[i][0]), str_of(FIXED[i][1]));
    }
    for (size_t i = 0; i < call->headers.count; i++) {
        http_header_add(&response->headers, arena_str(arena, call->headers.at[i].name),
                        arena_str(arena, call->headers.at[i].value));
    }
}

static void render_failure(struct api_call *call, const struct error *err,
                           struct http_response *response)
{
    json_t *tree = problem(call, response->status, err);

    if (err->wait_ms) {
        api_header(call, "Retry-After",
                   arena_printf(call->arena, "%lld", (long long)(err->wait_ms + 999) / 1000));
    }
    response->body = dump(&response->arena, tree);
    json_decref(tree);
    add_headers(call, response, STR("application/problem+json"));
}

void api_render(struct api_call *call, const struct error *err, struct http_response *response)
{
    response->status = api_status_of(call, err);
    if (err->code != OK) {
        render_failure(call, err, response);
    } else if (call->text.at) {
        response->body = arena_str(&response->arena, call->text);
        add_headers(call, response, call->type);
    } else if (call->answer) {
        response->body = dump(&response->arena, call->answer);
        add_headers(call, response, STR("application/json"));
    } else {
        add_headers(call, response, STR(""));
    }
}
