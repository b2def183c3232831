/* All commands as data, for the manual and for shells: every command tells of itself by the table that it parses and explains itself with. */
#ifndef CRMSYNC_CLI_DESCRIBE_H
#define CRMSYNC_CLI_DESCRIBE_H

#include "cli/options.h"

/* In struct cli: commands run nothing and print nothing, they only tell. */
struct describe {
    void *context;
    void (*usage)(void *context, const struct usage *usage);
    void (*verb)(void *context, const struct command *verb); /* before the usage of each verb */
};

/* Every command in the order of --help; before is called ahead of what the command tells. */
void describe_all(struct cli *cli, const struct describe *describe,
                  void (*before)(void *context, const struct command *command));
/* cli/dispatch.c: all there are. */
const struct command *commands_all(size_t *ret_count);
/* Options that every command takes, or every one of some sort; ends with NULL. */
const struct option_spec *const *options_common(void);
/* This command takes that one of them. */
bool options_takes(const struct usage *usage, const struct option_spec *common);

#endif
