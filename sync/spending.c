/* API calls: written down after each slice, and held to what a person allowed. */
#include "sync/spending.h"

#include "store/usage.h"

static enum fail keep_connection(struct run *run, const struct sync_connection *connection,
                                 struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct limiter *limiter = http_client_limiter(run->sync->http);
    struct str key = arena_printf(&run->arena, "%s/%" PRI_STR, connection->settings->adapter->name,
                                  STR_ARG(connection->settings->name));

    for (int lane = 0; lane < LANES; lane++) {
        struct limit_usage used = limit_usage_take(limiter, key, (enum lane)lane);
        struct store_usage row = {.connection_id = connection->row.id,
                                  .lane = lane,
                                  .calls = used.calls,
                                  .units = used.units};

        if (used.calls == 0) {
            continue;
        }
        if ((!tx && tx_begin(run->sync->store, run->sync->tenant_id, &tx, err) != OK) ||
            usage_add(tx, &row, run->report->run_id, clock_wall_ms(run->sync->env->clock), err) !=
                OK) {
            return err->code;
        }
    }
    return tx ? tx_commit(&tx, err) : OK;
}

enum fail keep_spending(struct run *run, struct error *err)
{
    for (size_t i = 0; run->sync->http && i < run->sync->connections_count; i++) {
        if (run->sync->connections[i].row.id &&
            keep_connection(run, &run->sync->connections[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

bool is_spent(struct run *run)
{
    bool spent = run->options->budget > 0 && run->sync->http &&
                 limit_is_used_up(http_client_limiter(run->sync->http));

    run->report->budget_spent = run->report->budget_spent || spent;
    return spent;
}
