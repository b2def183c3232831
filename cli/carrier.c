#include "cli/carrier.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/alloc.h"
#include "http/transport.h"

enum { LOOK_MS = 20, TIMEOUT_MS = 10 * 1000, ANSWER_BYTES_MAX = 64 * 1024 };

struct carrier {
    struct simulator *simulator; /* borrowed */
    struct clock *clock;         /* borrowed */
    struct transport *transport; /* owned */
    pthread_t thread;
    atomic_bool is_stopping;
};

static void post(void *context, const struct http_request *request, struct http_response *ret)
{
    struct carrier *carrier = context;
    struct http_exchange exchange = {.request = request,
                                     .timeout_ms = TIMEOUT_MS,
                                     .answer_bytes_max = ANSWER_BYTES_MAX,
                                     .is_cancelled = &carrier->is_stopping};
    struct http_exchange *const all[] = {&exchange};

    carrier->transport->ops->exec(carrier->transport, all, 1);
    *ret = exchange.response;
}

static void *carry(void *context)
{
    struct carrier *carrier = context;

    while (!atomic_load(&carrier->is_stopping)) {
        if (!simulator_deliver(carrier->simulator, post, carrier)) {
            clock_wait_ms(carrier->clock, LOOK_MS);
        }
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
        return error_set(err, FAIL_STOP, "cannot start a thread for webhooks");
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
