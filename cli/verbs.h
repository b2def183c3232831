/* Commands with verbs: `records list`, `conflicts show`. A verb is a command of its own with its own help. */
#ifndef CRMSYNC_CLI_VERBS_H
#define CRMSYNC_CLI_VERBS_H

#include "cli/command.h"

/* Runs the verb argv[1] (argv is shifted by one), or explains what verbs there are. verbs ends with name NULL. */
int verbs_run(struct cli *cli, const char *noun, const char *about, const struct command *verbs,
              int argc, char **argv);

#endif
