/* What an org may use: calls of the rolling day, slow calls at a time. Source: app limits cheatsheet, API request limits; REST guide,
 * limits and the Sforce-Limit-Info header. */
#include "simulators/salesforce_doors.h"

static const int64_t DAY_MS = 24 * 60LL * 60 * 1000;

/* Ten licences; paid editions give calls for each. The last two: events delivered in a day and clients at a time. Source: change data
 * capture guide, allocations. */
static const struct sf_plan plans[] = {
    {"unlimited", 100000 + 5000 * 10, 25, 50000, 2000},
    {"enterprise", 100000 + 1000 * 10, 25, 25000, 1000},
    {"developer", 15000, 5, 10000, 20},
};

enum fail sf_limits_init(struct salesforce *sf, const char *name, struct error *err)
{
    sf->plan = &plans[0];
    for (size_t i = 0; name && i < COUNT_OF(plans); i++) {
        if (str_equal(str_of(name), str_of(plans[i].name))) {
            sf->plan = &plans[i];
            name = NULL;
        }
    }
    if (name) {
        error_set(err, FAIL_CONFIG, "unknown Salesforce plan '%.40s'", name);
        return error_hint(err, "use developer, enterprise or unlimited");
    }
    sim_window_init(&sf->daily, sf->plan->daily, DAY_MS);
    *sf_cometd_orders(sf->doors->cometd) = (struct sf_cometd_orders){
        .delivered_max = sf->plan->events, .clients_max = sf->plan->clients};
    return OK;
}

int64_t sf_calls_used(struct sim_call *call)
{
    struct salesforce *sf = sf_of(call);

    return sf->daily.capacity - sim_window_left(&sf->daily, call->now_ms);
}

/* Without limits there is always room, and the answers say so. A call that counts for several tells its last state. */
static void put_usage(struct sim_call *call)
{
    struct http_headers *headers = &call->response->headers;
    bool is_free = call->sim->no_limits;
    struct str usage = arena_printf(
        call->arena, "api-usage=%lld/%lld", is_free ? 1LL : (long long)sf_calls_used(call),
        is_free ? (long long)SIM_ROOM : (long long)sf_of(call)->daily.capacity);

    for (size_t i = 0; i < headers->count; i++) {
        if (str_equal_nocase(headers->at[i].name, STR("Sforce-Limit-Info"))) {
            headers->at[i].value = usage;
            return;
        }
    }
    sim_header(call, "Sforce-Limit-Info", usage);
}

static void refuse(struct sim_call *call, const char *message)
{
    call->sim->throttled++;
    sf_failf(call, 403, "REQUEST_LIMIT_EXCEEDED", "%s", message);
}

void sf_refuse_concurrent(struct sim_call *call)
{
    refuse(call, "ConcurrentRequests (Concurrent API Requests) Limit exceeded.");
}

bool sf_calls_take(struct sim_call *call, int64_t calls)
{
    struct salesforce *sf = sf_of(call);
    bool is_in_day = call->sim->no_limits || sim_window_take(&sf->daily, call->now_ms, calls);
    bool is_calm = call->now_ms >= sf->busy_until_ms;

    put_usage(call);
    if (!is_in_day) {
        refuse(call, "TotalRequests Limit exceeded.");
    } else if (!is_calm) {
        sf_refuse_concurrent(call);
    }
    return is_in_day && is_calm;
}

static void put_limit(struct buf *body, const char *name, int64_t max, int64_t left)
{
    buf_addf(body, "%s\"%s\":{\"Max\":%lld,\"Remaining\":%lld}", body->len > 1 ? "," : "", name,
             (long long)max, (long long)left);
}

static void put_doors(struct sim_call *call, const struct sf_doors *doors)
{
    const struct sf_cometd_orders *orders = sf_cometd_orders(doors->cometd);

    put_limit(call->body, "DailyBulkApiBatches", SF_BATCHES_A_DAY,
              sim_window_left(&doors->bulk->batches, call->now_ms));
    put_limit(call->body, "DailyBulkV2QueryFileStorageMB", 976562, 976562);
    put_limit(call->body, "DailyBulkV2QueryJobs", SF_QUERIES_A_DAY,
              sim_window_left(&doors->bulk->queries, call->now_ms));
    put_limit(call->body, "DailyDeliveredPlatformEvents", orders->delivered_max,
              orders->delivered_max - sf_cometd_delivered(doors->cometd, call->now_ms));
    put_limit(call->body, "DurableStreamingApiConcurrentClients", orders->clients_max,
              orders->clients_max - sf_cometd_clients(doors->cometd));
}

void sf_limits_serve(struct sim_call *call, const struct sf_route *route)
{
    struct salesforce *sf = sf_of(call);
    int64_t left = sim_window_left(&sf->daily, call->now_ms);

    (void)route;
    if (call->request->method != HTTP_GET) {
        sf_no_method(call, "HEAD,GET");
        return;
    }
    sim_put(call->body, "{");
    put_limit(call->body, "ConcurrentAsyncGetReportInstances", 200, 200);
    put_limit(call->body, "DailyApiRequests", sf->daily.capacity, left);
    put_doors(call, sf->doors);
    put_limit(call->body, "DataStorageMB", 10240, 10000);
    put_limit(call->body, "FileStorageMB", 10240, 10200);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}
