/* One option table per command: it parses, and prints --help. Common options (--config, --tenant, --json, --quiet, --verbose, --help) are accepted by every
 * command, before and after its name. */
#ifndef CRMSYNC_CLI_OPTIONS_H
#define CRMSYNC_CLI_OPTIONS_H

#include "cli/command.h"
#include "core/str.h"

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_DURATION };

/* One option. target: bool *, struct str *, int64_t * (number; milliseconds for a duration). A TEXT option with values_max > 0 may be given
 * several times: target is struct str[values_max], count is *count. */
struct option_spec {
    const char *name;     /* "kind", without dashes */
    const char *argument; /* "KIND"; NULL for a flag */
    const char *help;
    enum option_type type;
    void *target;
    size_t values_max;
    size_t *count;
    int64_t least; /* of a NUMBER: smaller ones are refused */
};

/* A command's face. */
struct usage {
    const char *synopsis;              /* "crmsync sync [CONNECTION] [options]" */
    const char *about;                 /* paragraphs: what it does, examples */
    const struct option_spec *options; /* ends with name NULL */
    int arguments_min, arguments_max;  /* positional; max -1 = any */
    bool takes_server; /* it can ask a running service (--server) instead of the store here */
};

enum parsed {
    PARSED_OK,
    PARSED_DONE /* --help was printed: exit 0 */,
    PARSED_WRONG /* said on stderr: exit 2 */
};

/* Positional arguments are moved to argv[1…]; *ret_count says how many. */
enum parsed options_parse(struct cli *cli, const struct usage *usage, int argc, char **argv,
                          int *ret_count);
/* Prints a usage error with a pointer to --help; returns EXIT_USAGE. */
int usage_error(const struct usage *usage, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
