/* I7: cursors never pass an unread row. Before the world is put right by complete listings it rests on listings of what changed alone: whoever lives must show
 * what the others show. Deletes and merges may need a complete one, where a CRM does not tell of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

void missed_check(struct history *h)
{
    rest_on_changes(h);
    people_check_changes(h);
}
