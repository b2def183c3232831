#include "http/transport.h"

#include <assert.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "http/url.h"

enum { MOUNTS_MAX = 32 };

struct mount {
    char *host; /* owned */
    http_handler_fn *handler;
    void *context; /* borrowed for the handler */
};

struct mounted {
    struct transport base;
    struct clock *clock; /* borrowed */
    int64_t latency_ms;
    struct mount mounts[MOUNTS_MAX];
    size_t count;
};

static const struct mount *find_name(const struct mounted *mounted, struct str name)
{
    for (size_t i = 0; i < mounted->count; i++) {
        if (str_equal_nocase(str_of(mounted->mounts[i].host), name)) {
            return &mounted->mounts[i];
        }
    }
    return NULL;
}

static const struct mount *find_mount(const struct mounted *mounted, const struct http_url *url)
{
    const struct mount *found = find_name(mounted, url->authority);

    return found ? found : find_name(mounted, url->host);
}

/* What the CRM would see: the target instead of the whole address, and a Host header. */
static struct http_request as_received(const struct http_request *sent, const struct http_url *url)
{
    struct http_request received = *sent;

    received.url = url->target.len ? url->target : STR("/");
    received.headers.count = 0;
    http_header_add(&received.headers, STR("Host"), url->authority);
    for (size_t i = 0; i < sent->headers.count; i++) {
        http_header_add(&received.headers, sent->headers.at[i].name, sent->headers.at[i].value);
    }
    return received;
}

static void fail_exchange(struct http_exchange *exchange, const struct http_url *url,
                          const char *why)
{
    http_response_fini(&exchange->response);
    exchange->result = error_set(&exchange->error, FAIL_RETRY, "no answer from %" PRI_STR ": %s",
                                 STR_ARG(url->authority), why);
    exchange->error.is_outcome_unknown = true;
}

/* Turns a fault that the handler asked for into what a socket would have shown. */
static void act_out(struct http_exchange *exchange, const struct http_url *url)
{
    switch (exchange->response.fault) {
    case HTTP_FAULT_NONE:
    case HTTP_FAULT_SLOW:
        break;
    case HTTP_FAULT_RESET:
        fail_exchange(exchange, url, "the connection was reset");
        return;
    case HTTP_FAULT_TIMEOUT:
        fail_exchange(exchange, url, "it did not answer in time");
        return;
    case HTTP_FAULT_TRUNCATE:
        fail_exchange(exchange, url, "the connection ended in the middle of the answer");
        return;
    }
    assert(exchange->response.status > 0);
    exchange->response.fault = HTTP_FAULT_NONE;
    if (exchange->response.body.len > exchange->answer_bytes_max) {
        http_response_fini(&exchange->response);
        exchange->result =
            error_set(&exchange->error, FAIL_CONNECTION,
                      "the answer of %" PRI_STR " is larger than the maximum of %zu bytes",
                      STR_ARG(url->authority), exchange->answer_bytes_max);
    }
}

/* Returns by how much the exchange's fault delays the whole exec. */
static int64_t run_one(struct mounted *mounted, struct http_exchange *exchange)
{
    struct http_url url;
    struct http_request received;
    const struct mount *mount;
    int64_t delay_ms;

    exchange->result = http_url_parse(exchange->request->url, &url, &exchange->error);
    if (exchange->result != OK) {
        return 0;
    }
    mount = find_mount(mounted, &url);
    if (!mount) {
        exchange->result = error_set(&exchange->error, FAIL_RETRY,
                                     "cannot connect to %" PRI_STR ": nothing is mounted there",
                                     STR_ARG(url.authority));
        return 0;
    }
    received = as_received(exchange->request, &url);
    mount->handler(mount->context, &received, &exchange->response);
    delay_ms = exchange->response.fault == HTTP_FAULT_TIMEOUT ? exchange->timeout_ms : 0;
    act_out(exchange, &url);
    return delay_ms;
}

static void mounted_exec(struct transport *transport, struct http_exchange *const *exchanges,
                         size_t count)
{
    struct mounted *mounted = (struct mounted *)transport;
    int64_t began_ms = clock_wall_ms(mounted->clock);
    int64_t delay_ms = 0;

    clock_wait_ms(mounted->clock, mounted->latency_ms);
    for (size_t i = 0; i < count; i++) {
        int64_t ms = run_one(mounted, exchanges[i]);

        delay_ms = ms > delay_ms ? ms : delay_ms;
    }
    clock_wait_ms(mounted->clock, delay_ms); /* concurrent exchanges time out together */
    for (size_t i = 0; i < count; i++) {
        exchanges[i]->response.began_ms = began_ms;
        exchanges[i]->response.ended_ms = clock_wall_ms(mounted->clock);
    }
}

static void mounted_free(struct transport *transport)
{
    struct mounted *mounted = (struct mounted *)transport;

    for (size_t i = 0; i < mounted->count; i++) {
        free(mounted->mounts[i].host);
    }
    free(mounted);
}

struct transport *transport_new_mounted(struct clock *clock, int64_t latency_ms)
{
    static const struct transport_ops OPS = {.exec = mounted_exec, .free = mounted_free};
    struct mounted *mounted = alloc_new(1, sizeof *mounted);

    mounted->base.ops = &OPS;
    mounted->clock = clock;
    mounted->latency_ms = latency_ms;
    return &mounted->base;
}

void transport_mount(struct transport *transport, const char *host, http_handler_fn *handler,
                     void *context)
{
    struct mounted *mounted = (struct mounted *)transport;

    assert(transport->ops->exec == mounted_exec && mounted->count < MOUNTS_MAX);
    mounted->mounts[mounted->count++] =
        (struct mount){.host = alloc_dup(host), .handler = handler, .context = context};
}

void transport_free(struct transport *transport)
{
    if (transport) {
        transport->ops->free(transport);
    }
}
