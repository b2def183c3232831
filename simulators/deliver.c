/* Carries one parcel from a simulator to whoever takes it: what a CRM's own sender does. */
#include <stdlib.h>

#include "core/alloc.h"
#include "simulators/inside.h"

#define PREFIX STR("X-Sim-Send-")

/* Headers to send are handed out behind a prefix. */
static void copy_headers(const struct http_response *from, struct arena *arena,
                         struct http_request *to)
{
    for (size_t i = 0; i < from->headers.count; i++) {
        const struct http_header *header = &from->headers.at[i];

        if (str_starts(header->name, PREFIX)) {
            http_header_add(&to->headers,
                            arena_str(arena, str_slice(header->name, PREFIX.len, header->name.len)),
                            arena_str(arena, header->value));
        }
    }
}

static void report(struct simulator *simulator, struct str number,
                   const struct http_response *answer)
{
    bool has_body = answer->body.len > 0;
    json_t *text = has_body ? json_stringn(answer->body.at, answer->body.len) : NULL;
    json_t *order = json_pack("{s:I,s:i,s:o}", "id", (json_int_t)strtoll(number.at, NULL, 10),
                              "status", answer->status, "body", text ? text : json_string(""));
    AUTO_FREE char *body = json_dumps(order, JSON_COMPACT);
    const struct http_request request = {
        .method = HTTP_POST, .url = STR("/__sim/webhooks/answer"), .body = str_of(body)};
    struct http_response response = {0};

    simulator_handle(simulator, &request, &response);
    http_response_fini(&response);
    json_decref(order);
}

bool simulator_deliver(struct simulator *simulator, simulator_post_fn *post, void *context)
{
    const struct http_request ask = {.method = HTTP_GET, .url = STR("/__sim/webhooks/next")};
    struct http_request request = {.method = HTTP_POST};
    struct http_response next = {0}, answer = {0};
    AUTO_ARENA struct arena arena = {0};
    struct str number;

    simulator_handle(simulator, &ask, &next);
    if (next.status != 200) {
        http_response_fini(&next);
        return false;
    }
    number = arena_str(&arena, http_header_get(&next.headers, "X-Sim-Message"));
    request.url = arena_str(&arena, http_header_get(&next.headers, "X-Sim-Url"));
    request.body = arena_str(&arena, next.body);
    copy_headers(&next, &arena, &request);
    http_response_fini(&next);
    post(context, &request, &answer);
    report(simulator, number, &answer);
    http_response_fini(&answer);
    return true;
}
