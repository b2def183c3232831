/* crmsync records include|exclude|pin|unselect, and how other commands show what they did. */
#ifndef CRMSYNC_CLI_SELECT_H
#define CRMSYNC_CLI_SELECT_H

#include <jansson.h>

#include "cli/wire.h"

int verb_include(struct cli *cli, int argc, char **argv);
int verb_exclude(struct cli *cli, int argc, char **argv);
int verb_pin(struct cli *cli, int argc, char **argv);
int verb_unselect(struct cli *cli, int argc, char **argv);

/* "hubspot: pin, resting; pipedrive: resting", of a record's "part"; "" when it takes part everywhere. Arena's. */
struct str select_text(struct arena *arena, const json_t *parts);

#endif
