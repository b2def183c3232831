/* A world at rest stays at rest: no sync writes, and a complete comparison finds nothing that nobody explains. */
#include <stdio.h>
#include <string.h>

#include "store/divergence.h"
#include "sync/reconcile.h"
#include "tests/simulation/inside.h"

/* I5: at rest, one more sync sends no write. */
static void check_quiet(struct history *h)
{
    json_int_t before = world_writes_all(h->world);
    struct sync_report report;

    clock_wait_ms(h->world->env.clock, 60 * 60 * 1000);
    world_sync(h->world, false, &report);
    if (before != world_writes_all(h->world)) {
        if (h->verbose) {
            fprintf(stderr,
                    "    updated there %lld, created there %lld, deleted there %lld, updated here "
                    "%lld, read %lld\n",
                    (long long)report.counts.updated_there, (long long)report.counts.created_there,
                    (long long)report.counts.deleted_there, (long long)report.counts.updated_here,
                    (long long)report.counts.read);
        }
        history_violated(h, "I5 quiescence", "a sync with nothing to do wrote");
    }
}

static void show_differences(struct history *h, struct tx *tx,
                             const struct store_divergence *result)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_difference *differences;
    struct error err = {0};
    size_t count = 0;

    if (difference_list(tx, result->connection_id, result->kind, 0, 1000, &arena, &differences,
                        &count, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (differences[i].reason.len) {
            continue;
        }
        fprintf(stderr, "    %.*s %.*s %s %.*s (%.*s) %.*s\n",
                STR_ARG(h->world->names[world_at(h->world, result->connection_id)]),
                STR_ARG(result->kind), difference_name(differences[i].what),
                STR_ARG(differences[i].remote_id), STR_ARG(differences[i].uuid),
                STR_ARG(differences[i].fields));
    }
}

/* At rest a complete comparison finds nothing but what a conflict or a failure names. */
static void check_reconciled(struct history *h)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_divergence *results;
    struct sync_report report;
    struct error err = {0};
    size_t count;

    history_reconcile(h, false, &report);
    if (report.problems_count) {
        history_violated(h, "reconciliation", report.problems[0].error.message);
    }
    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        divergence_list(tx, &arena, &results, &count, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (results[i].differences > results[i].explained) {
            show_differences(h, tx, &results[i]);
            history_violated(h, "reconciliation", "two sides at rest differ, and nobody says why");
        }
    }
}

void history_check_rest(struct history *h)
{
    check_quiet(h);
    check_reconciled(h);
}
