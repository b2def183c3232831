/* I7: cursors never pass an unread row. Before the world is put right by complete listings it rests on listings of what changed alone: whoever lives must show
 * what the others show. Deletes and merges may need a complete one, where a CRM does not tell of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/stream.h"
#include "tests/simulation/inside.h"

enum { ROUNDS = 4 };

static void rest_on_changes(struct history *h)
{
    struct sync_report report;

    for (int i = 0; i < ROUNDS; i++) {
        clock_wait_ms(h->world->env.clock, 15 * 60 * 1000);
        world_sync(h->world, false, &report);
    }
}

static void check_worked_off(struct history *h)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    size_t waiting = 0;

    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        inbox_triage(tx, 1000, &waiting, &err) != OK) { /* and is given up */
        history_violated(h, "store", err.message);
    }
    if (waiting) {
        history_violated(h, "I8 what is told is looked at", "an event still waits in the inbox");
    }
}

void told_check(struct history *h)
{
    check_worked_off(h);
    people_check_changes(h);
}

void missed_check(struct history *h)
{
    rest_on_changes(h);
    people_check_changes(h);
}
