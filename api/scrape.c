/* GET /metrics. */
#include "api/handlers.h"
#include "api/handles.h"
#include "api/inside.h"
#include "api/metrics.h"

enum { METRICS_BYTES_MAX = 32 * 1024 * 1024 };

static enum fail collect(struct api_call *call, struct samples *samples, struct error *err)
{
    size_t count = call->setup.tenants_count;
    struct metrics_tenant *tenants = ARENA_ARRAY(call->arena, struct metrics_tenant, count + 1);

    for (size_t i = 0; i < count; i++) {
        tenants[i] = (struct metrics_tenant){.id = call->setup.tenants[i].id,
                                             .name = call->setup.tenants[i].name};
    }
    if (!call->reader && handles_take(call->api->handles, STORE_READ, &call->reader, err) != OK) {
        return err->code;
    }
    if (metrics_of_store(call->reader, call->env->clock, tenants, count, samples, err) != OK) {
        return err->code;
    }
    return call->host->samples
               ? call->host->samples(call->host->context, call->reader, samples, err)
               : OK;
}

enum fail handle_metrics(struct api_call *call, struct error *err)
{
    struct samples samples = {.arena = call->arena};
    struct buf text;

    if (collect(call, &samples, err) != OK) {
        return err->code;
    }
    buf_init(&text, METRICS_BYTES_MAX);
    samples_write(&samples, &text);
    call->text = arena_str(call->arena, buf_str(&text));
    call->type = STR(SAMPLES_CONTENT_TYPE);
    buf_fini(&text);
    return OK;
}

/* A local socket, or this machine. What a trusted proxy brings comes from elsewhere. */
static bool is_near(struct str address)
{
    return address.len == 0 || str_starts(address, STR("127.")) || str_equal(address, STR("::1"));
}

bool api_is_public_scrape(const struct api_call *call)
{
    return call->route->handle == handle_metrics && call->setup.metrics_are_public &&
           is_near(call->request->client_address);
}
