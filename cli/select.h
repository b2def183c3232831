/* crmsync records include|exclude|pin|unselect, and how other commands show what they did. */
#ifndef CRMSYNC_CLI_SELECT_H
#define CRMSYNC_CLI_SELECT_H

#include <jansson.h>

#include "cli/wire.h"

int verb_include(struct cli *cli, int argc, char **argv);
int verb_exclude(struct cli *cli, int argc, char **argv);
int verb_pin(struct cli *cli, int argc, char **argv);
int verb_unselect(struct cli *cli, int argc, char **argv);

/* "hubspot: pin, resting; pipedrive: resting"; "" when it takes part everywhere. Arena's. */
enum fail select_text(struct wire *wire, struct tx *tx, int64_t record_id, struct str *ret,
                      struct error *err) MUST_CHECK;

#endif
