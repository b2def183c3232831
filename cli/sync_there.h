/* A sync that a running service does, seen from a command. */
#ifndef CRMSYNC_CLI_SYNC_THERE_H
#define CRMSYNC_CLI_SYNC_THERE_H

#include "cli/door.h"
#include "sync/sync.h"

/* Asks for it and shows how far it is until it has ended. Of options connection, kind, pull, push and full count. FAIL_… as the sync ended. */
enum fail sync_there(struct cli *cli, struct door *door, const struct sync_options *options,
                     struct sync_report *ret, struct error *err) MUST_CHECK;

#endif
