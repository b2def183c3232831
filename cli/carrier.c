#include "cli/carrier.h"

#include <pthread.h>
#include <stdatomic.h>

#include <jansson.h>

#include "core/alloc.h"
#include "http/transport.h"

enum { LOOK_MS = 50, TIMEOUT_MS = 10 * 1000, ANSWER_BYTES_MAX = 64 * 1024 };

struct carrier {
    struct simulator *simulator; /* borrowed */
    struct clock *clock;         /* borrowed */
    struct transport *transport; /* owned */
    pthread_t thread;
    atomic_bool is_stopping;
};

/* A message as the simulator hands it out. */
struct parcel {
    struct arena arena;
    struct str number, url, body;
};

static bool take_parcel(struct carrier *carrier, struct parcel *parcel)
{
    const struct http_request request = {.method = HTTP_GET, .url = STR("/__sim/outbound")};
    struct http_response response = {0};
    bool is_there;

    simulator_handle(carrier->simulator, &request, &response);
    is_there = response.status == 200;
    if (is_there) {
        parcel->number =
            arena_str(&parcel->arena, http_header_get(&response.headers, "X-Sim-Message"));
        parcel->url = arena_str(&parcel->arena, http_header_get(&response.headers, "X-Sim-Url"));
        parcel->body = arena_str(&parcel->arena, response.body);
    }
    http_response_fini(&response);
    return is_there;
}

/* source: reference/salesforce.md section 10, the request */
static void post_parcel(struct carrier *carrier, struct parcel *parcel, struct http_response *ret)
{
    struct http_request request = {.method = HTTP_POST, .url = parcel->url, .body = parcel->body};
    struct http_exchange exchange = {.request = &request,
                                     .timeout_ms = TIMEOUT_MS,
                                     .answer_bytes_max = ANSWER_BYTES_MAX,
                                     .is_cancelled = &carrier->is_stopping};
    struct http_exchange *const all[] = {&exchange};

    http_header_add(&request.headers, STR("Content-Type"), STR("text/xml; charset=UTF-8"));
    http_header_add(&request.headers, STR("SOAPAction"), STR("\"\""));
    carrier->transport->ops->exec(carrier->transport, all, 1);
    *ret = exchange.response;
}

/* Status 0: no answer came. */
static void report_parcel(struct carrier *carrier, struct parcel *parcel,
                          const struct http_response *answer)
{
    json_t *body = json_stringn(answer->body.at ? answer->body.at : "", answer->body.len);
    json_t *report =
        json_pack("{s:I,s:i,s:o}", "id", (json_int_t)strtoll(parcel->number.at, NULL, 10), "status",
                  answer->status, "body", body ? body : json_string(""));
    AUTO_FREE char *text = json_dumps(report, JSON_COMPACT);
    const struct http_request request = {
        .method = HTTP_POST, .url = STR("/__sim/outbound/answer"), .body = str_of(text)};
    struct http_response response = {0};

    simulator_handle(carrier->simulator, &request, &response);
    http_response_fini(&response);
    json_decref(report);
}

static void *carry(void *context)
{
    struct carrier *carrier = context;

    while (!atomic_load(&carrier->is_stopping)) {
        struct parcel parcel = {0};
        struct http_response answer = {0};

        if (take_parcel(carrier, &parcel)) {
            post_parcel(carrier, &parcel, &answer);
            report_parcel(carrier, &parcel, &answer);
            http_response_fini(&answer);
        } else {
            clock_wait_ms(carrier->clock, LOOK_MS);
        }
        arena_fini(&parcel.arena);
    }
    return NULL;
}

enum fail carrier_start(struct simulator *simulator, struct clock *clock, struct carrier **ret,
                        struct error *err)
{
    struct carrier *carrier = alloc_new(1, sizeof(*carrier));
    const struct transport_live_options options = {.allow_loopback = true};

    carrier->simulator = simulator;
    carrier->clock = clock;
    if (transport_new_live(&options, clock, &carrier->transport, err) != OK) {
        free(carrier);
        return err->code;
    }
    if (pthread_create(&carrier->thread, NULL, carry, carrier) != 0) {
        transport_free(carrier->transport);
        free(carrier);
        return error_set(err, FAIL_STOP, "cannot start a thread for outbound messages");
    }
    *ret = carrier;
    return OK;
}

void carrier_stop(struct carrier *carrier)
{
    if (!carrier) {
        return;
    }
    atomic_store(&carrier->is_stopping, true);
    if (carrier->transport->ops->wake) {
        carrier->transport->ops->wake(carrier->transport);
    }
    pthread_join(carrier->thread, NULL);
    transport_free(carrier->transport);
    free(carrier);
}
