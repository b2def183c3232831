#include "tests/scenarios/faulty.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "http/url.h"

enum { HOST_BYTES = 64 };

struct faulty {
    struct transport base;
    struct transport *line; /* the true one; the world's */
    struct world *world;
    enum line_fault fault;
    int64_t calls, struck, strikes_at; /* 0 never */
    int64_t lasts_ms, ends_ms;
    char host[HOST_BYTES]; /* that is struck; "" none yet */
};

enum ending { ANSWERS, DIES, HANGS };

/* What becomes of a call that is struck. */
static const struct {
    const char *name;
    bool is_applied;
    enum ending ending;
    int status; /* of the answer; 0 the CRM's own */
} FAULTS[LINE_FAULTS] = {
    [LINE_REFUSED] = {"refused", false, DIES, 0},
    [LINE_RESET_BEFORE] = {"reset, not applied", false, DIES, 0},
    [LINE_RESET_AFTER] = {"reset, applied", true, DIES, 0},
    [LINE_HANGS_BEFORE] = {"hangs, not applied", false, HANGS, 0},
    [LINE_HANGS_AFTER] = {"hangs, applied", true, HANGS, 0},
    [LINE_CUT] = {"cut, applied", true, DIES, 0},
    [LINE_UNAVAILABLE] = {"503", false, ANSWERS, 503},
    [LINE_THROTTLED] = {"429", false, ANSWERS, 429},
    [LINE_PAGE] = {"a page", false, ANSWERS, 200},
    [LINE_NO_JSON] = {"no JSON, applied", true, ANSWERS, 0},
    [LINE_HALF_JSON] = {"half a body, applied", true, ANSWERS, 0},
    [LINE_EMPTY] = {"no body, applied", true, ANSWERS, 0},
};

const char *line_fault_name(enum line_fault fault)
{
    return FAULTS[fault].name;
}

/* --- one call ---------------------------------------------------------------------------------------------------------------------- */

static void host_of(const struct http_exchange *exchange, char ret[HOST_BYTES])
{
    struct http_url url;
    struct error ignored = {0};

    ret[0] = '\0';
    if (http_url_parse(exchange->request->url, &url, &ignored) == OK) {
        snprintf(ret, HOST_BYTES, "%" PRI_STR, STR_ARG(url.authority));
    }
}

static bool strikes(struct faulty *faulty, const struct http_exchange *exchange)
{
    char host[HOST_BYTES];

    int64_t now_ms = clock_wall_ms(faulty->world->env.clock);

    host_of(exchange, host);
    if (++faulty->calls == faulty->strikes_at) {
        snprintf(faulty->host, HOST_BYTES, "%s", host);
        faulty->ends_ms = now_ms + faulty->lasts_ms;
        return true;
    }
    return now_ms < faulty->ends_ms && strcmp(faulty->host, host) == 0;
}

static void lose(struct faulty *faulty, struct http_exchange *exchange)
{
    bool is_refused = faulty->fault == LINE_REFUSED;

    if (FAULTS[faulty->fault].ending == HANGS) {
        clock_wait_ms(faulty->world->env.clock, exchange->timeout_ms);
    }
    http_response_fini(&exchange->response);
    exchange->response = (struct http_response){0};
    exchange->result = error_set(&exchange->error, FAIL_RETRY, "no answer from %s: %s",
                                 faulty->host, line_fault_name(faulty->fault));
    exchange->error.is_outcome_unknown = !is_refused;
}

static struct str body_of(enum line_fault fault, struct str body)
{
    switch (fault) {
    case LINE_HALF_JSON:
        return str_slice(body, 0, body.len / 2);
    case LINE_EMPTY:
        return STR("");
    case LINE_NO_JSON:
        return STR("}{ neither JSON nor XML");
    default:
        return STR("<!DOCTYPE html><html><body>We are back soon.</body></html>");
    }
}

static void answer(struct faulty *faulty, struct http_exchange *exchange)
{
    struct http_response *response = &exchange->response;

    if (FAULTS[faulty->fault].status) {
        response->status = FAULTS[faulty->fault].status;
        http_header_add(&response->headers, STR("Content-Type"), STR("text/html"));
    }
    if (faulty->fault == LINE_THROTTLED) {
        http_header_add(&response->headers, STR("Retry-After"), STR("1"));
    }
    response->body = body_of(faulty->fault, response->body);
    exchange->result = OK;
}

static void strike(struct faulty *faulty, struct http_exchange *exchange)
{
    faulty->struck++;
    if (FAULTS[faulty->fault].is_applied) {
        faulty->line->ops->exec(faulty->line, &exchange, 1);
        if (exchange->result != OK) {
            return; /* something else went wrong already */
        }
    }
    if (FAULTS[faulty->fault].ending == ANSWERS) {
        answer(faulty, exchange);
    } else {
        lose(faulty, exchange);
    }
    exchange->response.ended_ms = clock_wall_ms(faulty->world->env.clock);
}

static void exec(struct transport *transport, struct http_exchange *const *exchanges, size_t count)
{
    struct faulty *faulty = (struct faulty *)transport;

    for (size_t i = 0; i < count; i++) {
        struct http_exchange *exchange = exchanges[i];

        if (strikes(faulty, exchange)) {
            exchange->response.began_ms = clock_wall_ms(faulty->world->env.clock);
            strike(faulty, exchange);
        } else {
            faulty->line->ops->exec(faulty->line, &exchange, 1);
        }
    }
}

/* --- the line ---------------------------------------------------------------------------------------------------------------------- */

struct faulty *faulty_new(struct world *world)
{
    static const struct transport_ops OPS = {.exec = exec};
    struct faulty *faulty = alloc_new(1, sizeof *faulty);

    faulty->base.ops = &OPS;
    faulty->world = world;
    faulty->line = world->env.transport;
    world->env.transport = &faulty->base;
    return faulty;
}

void faulty_free(struct faulty *faulty)
{
    faulty->world->env.transport = faulty->line;
    free(faulty);
}

void faulty_set(struct faulty *faulty, enum line_fault fault, int64_t call, int64_t lasts_ms)
{
    faulty->fault = fault;
    faulty->strikes_at = faulty->calls + call;
    faulty->lasts_ms = lasts_ms;
    faulty->ends_ms = 0;
    faulty->struck = 0;
}

int64_t faulty_calls(const struct faulty *faulty)
{
    return faulty->calls;
}

int64_t faulty_struck(const struct faulty *faulty)
{
    return faulty->struck;
}
